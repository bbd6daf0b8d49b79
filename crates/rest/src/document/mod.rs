//! The OpenAPI document, from the same operations that are served.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

pub mod older;
pub mod part;
mod sharing;
pub mod soundness;

use super::{
    collection::{Api, Webhook},
    endpoints::DRY_RUN,
    example::{self, RenderedExample},
    external::LONGEST_EXTERNAL_ID,
    operation::{Access, AdditionalPermission, Media, Operation, Run, TICKET},
    pipeline::MAX_HEADER_CHARACTERS,
    schemas,
};
use actix_web::http::Method;
use samphan_resource::shape::Shape;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashSet};

/// What the document says of itself.
#[derive(Debug)]
pub struct About {
    /// Title.
    pub title: &'static str,
    /// Description, in Markdown.
    pub description: &'static str,
    /// Groups of operations and what they are.
    pub tags: &'static [(&'static str, &'static str)],
}

/// Writes the document, or says why it is not sound.
pub fn write(api: &Api, about: &About) -> Result<Value, Vec<String>> {
    let mut components = schemas::all(api);
    let (mut paths, mut faulty): (BTreeMap<&str, Map<String, Value>>, _) = (BTreeMap::new(), vec![]);
    for operation in &api.operations {
        let told = example::of(operation, api, &components).map_err(|faults| faulty.extend(faults)).unwrap_or_default();
        paths.entry(&operation.path).or_default().insert(operation.method.as_str().to_lowercase(), describe(api, operation, &told));
    }
    let mut paths = json!(paths);
    let mut parameters = shared_parameters();
    sharing::parameters(&mut paths, &mut parameters);
    let examples = sharing::examples(&mut paths);
    let written = paths.to_string();
    if let Some(all) = parameters.as_object_mut() {
        all.retain(|name, _| written.contains(&format!("\"#/components/parameters/{name}\"")));
    }
    let (asked, answered) = (reached(&request_roots(api), &components), reached(&response_roots(api), &components));
    for name in answered.difference(&asked) {
        if let Some(schema) = components.get_mut(name) {
            *schema = schemas::open(schema);
        }
    }
    components.retain(|name, _| asked.contains(name) || answered.contains(name));
    components.sort_keys();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": env!("CARGO_PKG_VERSION"),
            "description": about.description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "contact": {"name": "Samphan", "url": "https://samphan.invalid"},
        },
        "servers": [{"url": "/", "description": "The deployment that served this document."}],
        "security": [{"bearer": []}],
        "tags": about.tags.iter().map(|(name, text)| json!({"name": name, "description": text})).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": problems(),
            "headers": headers(),
            "parameters": parameters,
            "examples": examples,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT (RFC8725) or API key", "description": "An access token from sign-in or client credentials (a JWT, following RFC8725), or an API key `smp_…`."},
                "ticket": {"type": "apiKey", "in": "query", "name": TICKET, "description": "A one-time ticket of `createStreamTicket`, for an EventSource."},
            },
        },
    });
    if let Some(webhook) = &api.webhook {
        faulty.extend(describe_webhooks(&mut document, api, webhook).err().into_iter().flatten());
    }
    faulty.extend(soundness::faults(&document));
    if faulty.is_empty() { Ok(document) } else { Err(faulty) }
}

/// Adds a webhook for every event type there is: they differ in nothing but their names, so what they say stands once.
fn describe_webhooks(document: &mut Value, api: &Api, webhook: &Webhook) -> Result<(), Vec<String>> {
    let name = |header: &str| header.split('-').map(sharing::first_upper).collect::<String>();
    for header in &webhook.headers {
        document["components"]["parameters"][name(&header.name)] =
            json!({"name": header.name, "in": "header", "required": true, "description": header.about, "schema": header.schema});
    }
    let schemas = document["components"]["schemas"].as_object().cloned().unwrap_or_default();
    let shown = json!({webhook.schema: {"value": example::of_schema(webhook.schema, &webhook.example, api, &schemas)?}});
    let content = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{}", webhook.schema)}, "examples": shown}});
    document["components"]["requestBodies"]["Webhook"] = json!({"required": true, "description": webhook.about, "content": content});
    document["components"]["responses"]["WebhookTaken"] = json!({"description": "Taken. Any other answer, or none, has it sent again."});
    let parameters: Vec<Value> =
        webhook.headers.iter().map(|h| json!({"$ref": format!("#/components/parameters/{}", name(&h.name))})).collect();
    let one = |shape: &Shape, kind: &str| {
        let id: String = kind.split(['.', '_']).map(sharing::first_upper).collect();
        json!({"post": {
            "tags": [webhook.tag],
            "operationId": format!("on{id}"),
            "summary": format!("Receive {kind}"),
            "description": format!("Sent to webhook endpoints that subscribe to `{kind}`. {}", shape.description),
            "security": [],
            "parameters": parameters,
            "requestBody": {"$ref": "#/components/requestBodies/Webhook"},
            "responses": {"2XX": {"$ref": "#/components/responses/WebhookTaken"}},
        }})
    };
    let all: BTreeMap<&str, Value> = api.shapes.values().flat_map(|s| s.events.iter().map(move |kind| (*kind, one(s, kind)))).collect();
    document["webhooks"] = json!(all);
    Ok(())
}

fn request_roots(api: &Api) -> Vec<String> {
    api.operations.iter().filter_map(|o| o.body.as_ref().map(|b| b.schema.clone())).collect()
}

fn response_roots(api: &Api) -> Vec<String> {
    api.operations.iter().filter_map(|o| o.answer.clone()).chain(["Problem".to_owned()]).collect()
}

/// Names of schemas and of all they point at.
fn reached(roots: &[String], components: &Map<String, Value>) -> HashSet<String> {
    fn refs(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/components/schemas/")) {
                    out.push(name.to_owned());
                }
                map.values().for_each(|v| refs(v, out));
            }
            Value::Array(all) => all.iter().for_each(|v| refs(v, out)),
            _ => {}
        }
    }
    let mut found = HashSet::new();
    let mut left = roots.to_vec();
    while let Some(name) = left.pop() {
        if let Some(schema) = components.get(&name)
            && found.insert(name)
        {
            refs(schema, &mut left);
        }
    }
    found
}

fn describe(api: &Api, o: &Operation, rendered: &[RenderedExample]) -> Value {
    let mut parameters: Vec<Value> = path_parameters(&o.path, rendered);
    parameters.extend(o.query.iter().map(|p| {
        let mut schema = p.schema.clone();
        // In the schema: the docs page would otherwise fill all of them in when an operation is tried.
        let said = |t: &RenderedExample| t.query.iter().find(|(name, _)| *name == p.name).map(|(_, value)| value.clone());
        let examples: Vec<Value> = rendered.iter().filter_map(said).collect();
        if !examples.is_empty() {
            schema["examples"] = json!(examples);
        }
        json!({"name": p.name, "in": "query", "required": p.required, "description": p.about, "schema": schema})
    }));
    let writes = matches!(o.run, Run::Write(_));
    let mut shared = vec!["RequestId", "AcceptLanguage"];
    if writes {
        let p = &*DRY_RUN;
        parameters.push(json!({"name": p.name, "in": "query", "required": false, "description": p.about, "schema": p.schema}));
    }
    if o.idempotent {
        shared.push("IdempotencyKey");
    }
    if o.if_match {
        shared.push(if o.if_match_required && o.method != Method::PUT { "IfMatchRequired" } else { "IfMatch" });
    }
    if o.etag && o.method == Method::GET {
        shared.push("IfNoneMatch");
    }
    if o.media == Media::EventStream {
        shared.push("LastEventId");
    }
    if o.method == Method::PUT && o.etag {
        shared.push("IfNoneMatchAny");
    }
    parameters.extend(shared.into_iter().map(|name| json!({"$ref": format!("#/components/parameters/{name}")})));
    let mut made = json!({
        "tags": [o.tag],
        "operationId": o.id,
        "summary": o.summary,
        "description": description(o),
        "parameters": parameters,
        "responses": responses(api, o, rendered),
    });
    match &o.access {
        Access::Public => made["security"] = json!([]),
        Access::SignedIn => made["security"] = json!([{"bearer": []}]),
        Access::Needs(permission) | Access::ByMode(permission) => {
            made["security"] = json!([{"bearer": []}]);
            made["x-permission"] = json!(permission);
        }
    }
    if o.accepts_ticket
        && let Some(ways) = made["security"].as_array_mut()
    {
        ways.push(json!({"ticket": []}));
    }
    if !o.additional_permissions.is_empty() {
        let one = |a: &AdditionalPermission| match &a.when {
            Some(when) => json!({"permission": a.permission, "when": when}),
            None => json!({"permission": a.permission}),
        };
        made["x-also-needs"] = o.additional_permissions.iter().map(one).collect();
    }
    if let Some(body) = &o.body {
        let mut schema = json!({"schema": {"$ref": format!("#/components/schemas/{}", body.schema)}});
        schema["examples"] = examples(rendered, |t| t.body.as_ref());
        let mut content = Map::new();
        if body.patch {
            content.insert("application/merge-patch+json".into(), schema.clone());
        }
        content.insert("application/json".into(), schema.clone());
        if body.form {
            content.insert("application/x-www-form-urlencoded".into(), schema);
        }
        made["requestBody"] =
            json!({"required": !body.optional, "description": format!("At most {} MiB.", body.limit / 1024 / 1024), "content": content});
    }
    made
}

/// What an operation does: as it says, which permissions it needs beside its own, and that its answer is not kept where it shows a secret.
fn description(o: &Operation) -> String {
    let said = if o.description.is_empty() { &o.summary } else { &o.description };
    let once = " The secret is not shown again: repeated with the same Idempotency-Key, nothing is done, and 409 `conflict` says where it was done.";
    format!("{said}{}{}", if o.returns_secret { once } else { "" }, additional_permissions(o))
}

/// The permissions an operation needs beside its own, in words.
fn additional_permissions(o: &Operation) -> String {
    let named = |when: Option<&String>| -> Vec<String> {
        o.additional_permissions.iter().filter(|a| a.when.as_ref() == when).map(|a| format!("`{}`", a.permission)).collect()
    };
    let mut said = vec![];
    let always = named(None);
    if !always.is_empty() {
        said.push(format!("Also needs {}.", always.join(", ")));
    }
    let mut conditions: Vec<&String> = vec![];
    for when in o.additional_permissions.iter().filter_map(|a| a.when.as_ref()) {
        if !conditions.contains(&when) {
            conditions.push(when);
            said.push(format!("Needs {} when {when}.", named(Some(when)).join(", ")));
        }
    }
    if said.is_empty() { String::new() } else { format!("\n\n{}", said.join(" ")) }
}

/// The examples of a body or an answer, by name.
fn examples(rendered: &[RenderedExample], of: impl Fn(&RenderedExample) -> Option<&Value>) -> Value {
    rendered.iter().filter_map(|t| Some((t.name.clone(), json!({"value": of(t)?})))).collect::<Map<_, _>>().into()
}

fn path_parameters(path: &str, rendered: &[RenderedExample]) -> Vec<Value> {
    let names = path.split('/').filter_map(|s| s.strip_prefix('{').and_then(|s| s.strip_suffix('}')));
    names
        .map(|name| {
            let (schema, about) = match name {
                "system" => (json!({"type": "string", "minLength": 1, "maxLength": 50}), "The external system's code.".to_owned()),
                "external_id" => (
                    json!({"type": "string", "minLength": 1, "maxLength": LONGEST_EXTERNAL_ID}),
                    "What the system calls the record: opaque, compared letter for letter.".to_owned(),
                ),
                "resource" => {
                    (json!({"type": "string", "minLength": 1, "maxLength": 100}), "A resource's plural, such as `accounts`.".to_owned())
                }
                "number" => {
                    (json!({"type": "string", "minLength": 1, "maxLength": 100}), "The record's number, letter for letter.".to_owned())
                }
                "code" => (json!({"type": "string", "minLength": 1, "maxLength": 100}), "A problem's code.".to_owned()),
                "id" => (json!({"type": "string", "format": "uuid"}), "The record's id.".to_owned()),
                other => (
                    json!({"type": "string", "format": "uuid"}),
                    format!("The id of the {} it belongs to.", other.trim_end_matches("_id").replace('_', " ")),
                ),
            };
            let example = rendered.first().and_then(|t| t.path.iter().find(|(n, _)| n == name)).map(|(_, value)| value);
            json!({"name": name, "in": "path", "required": true, "description": about, "schema": schema, "example": example})
        })
        .collect()
}

/// What an answer that is no JSON is, and how it looks.
fn text(o: &Operation) -> Option<(&'static str, String)> {
    match o.media {
        Media::Json => None,
        Media::EventStream => Some((
            "Server-sent events, until the client or the service ends.",
            "id: example-cursor\nevent: account.created\ndata: {…}\n\n".to_owned(),
        )),
        Media::Csv => {
            let names: Vec<&str> = o.subject.iter().flat_map(|s| s.shape.fields.iter().map(|f| f.name)).collect();
            Some(("A CSV file (RFC 4180): a line of names, then a line for each record.", names.join(",") + "\r\n"))
        }
    }
}

fn responses(api: &Api, o: &Operation, rendered: &[RenderedExample]) -> Value {
    let mut all = Map::new();
    let mut success = json!({"description": if o.answer.is_some() { "The result." } else { "Done." }, "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}});
    success["headers"]["RateLimit"] = json!({"$ref": "#/components/headers/RateLimit"});
    success["headers"]["RateLimit-Policy"] = json!({"$ref": "#/components/headers/RateLimitPolicy"});
    if o.etag {
        success["headers"]["ETag"] = json!({"$ref": "#/components/headers/ETag"});
    }
    if let Some(schema) = &o.answer {
        let shown = examples(rendered, |t| t.answer.as_ref());
        success["content"] = json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{schema}")}, "examples": shown}});
        if schema.ends_with("Page") && o.method == Method::GET {
            success["headers"]["Link"] = json!({"$ref": "#/components/headers/Link"});
        }
    }
    if let Some((about, example)) = text(o) {
        success["description"] = json!(about);
        let schema = json!({"type": "string", "maxLength": i32::MAX, "description": about});
        success["content"] = json!({o.media.name(): {"schema": schema, "example": example}});
    }
    if o.media == Media::Csv {
        success["headers"]["Content-Disposition"] = json!({"$ref": "#/components/headers/ContentDisposition"});
    }
    if o.idempotent && !o.returns_secret {
        success["headers"]["Idempotency-Replayed"] = json!({"$ref": "#/components/headers/IdempotencyReplayed"});
    }
    if o.status == 201 && o.id.starts_with("create") {
        success["headers"]["Location"] = json!({"$ref": "#/components/headers/Location"});
    }
    if o.method == Method::PUT && o.etag {
        let mut made = success.clone();
        made["description"] = json!("Made.");
        made["headers"]["Location"] = json!({"$ref": "#/components/headers/Location"});
        all.insert("201".into(), made);
    }
    all.insert(o.status.to_string(), success);
    if o.etag && o.method == Method::GET {
        all.insert("304".into(), json!({"description": "The record is still of the version named by If-None-Match."}));
    }
    let body = o.body.is_some();
    let writes = o.method != Method::GET;
    let record = o.path.contains('{');
    let codes = [
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (405, false),
        (406, true),
        (408, body),
        (409, writes && (record || body)),
        (412, o.if_match || o.etag && o.method == Method::PUT),
        (413, body),
        (415, body),
        // A read that would take too long.
        (422, writes || o.access != Access::Public),
        (428, o.if_match_required),
        (429, true),
        (500, true),
        (503, true),
    ];
    for (code, applies) in codes {
        if applies {
            all.insert(code.to_string(), json!({"$ref": format!("#/components/responses/Problem{code}")}));
        }
    }
    if o.status == 201
        && !o.path.contains('{')
        && let Some(noun) = o.id.strip_prefix("create")
        && let Some(made) = all.get_mut("201")
    {
        made["links"] = links(api, o, noun);
    }
    Value::Object(all)
}

/// From what a create answers to the operations on what was made.
fn links(api: &Api, o: &Operation, noun: &str) -> Value {
    // Around a record stands what is shown once.
    let around =
        api.schemas.iter().find(|(name, _)| o.answer.as_ref() == Some(name)).and_then(|(_, schema)| schema["properties"].as_object());
    let around = around.filter(|all| !all.contains_key("id"));
    let within = around.and_then(|all| all.keys().find(|name| api.shapes.values().any(|shape| shape.singular == **name)));
    let id = within.map_or_else(|| "$response.body#/id".to_owned(), |name| format!("$response.body#/{name}/id"));
    let all = ["get", "update", "delete"].map(|verb| format!("{verb}{noun}"));
    let there = all.into_iter().filter(|id| api.operations.iter().any(|other| other.id == *id));
    there.map(|to| (to.clone(), json!({"operationId": to, "parameters": {"id": id}}))).collect()
}

fn problems() -> Value {
    let words = [
        (400, "The request is malformed: JSON, query, filter, cursor or header."),
        (401, "Not signed in, or the token has expired or been revoked."),
        (403, "Seen but not allowed; `allowed` names every permission that is missing."),
        (404, "No such record, or not visible to the caller."),
        (406, "The operation answers in another format than Accept names."),
        (408, "The body did not arrive in time."),
        (409, "In conflict with the present state: a value that must be unique, a state that does not allow it."),
        (412, "The record is of another version than If-Match named, or exists already."),
        (413, "The body is larger than the limit."),
        (415, "The body is of another media type, or has a Content-Encoding."),
        (
            422,
            "Well formed but not valid; `errors` says where, what is allowed and the nearest valid name. Of a read: it would take too long (`too_costly`).",
        ),
        (428, "This record may only be written with If-Match."),
        (429, "Too many requests; see Retry-After."),
        (500, "Something went wrong here; quote the request id."),
        (503, "Temporarily unavailable; see Retry-After."),
    ];
    let one = |(status, about): (u16, &str)| {
        let mut headers = json!({"X-Request-Id": {"$ref": "#/components/headers/RequestId"}});
        if matches!(status, 429 | 503 | 409) {
            headers["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
        }
        if status < 500 {
            headers["RateLimit"] = json!({"$ref": "#/components/headers/RateLimit"});
        }
        if status == 401 {
            headers["WWW-Authenticate"] = json!({"$ref": "#/components/headers/WwwAuthenticate"});
        }
        let content = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
        (format!("Problem{status}"), json!({"description": about, "headers": headers, "content": content}))
    };
    Value::Object(words.into_iter().map(one).collect())
}

fn headers() -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string", "maxLength": 1000}});
    json!({
        "RequestId": text("The request's id: the one sent, or a new one."),
        "RateLimit": text("What is left: `\"default\";r=<requests>;t=<seconds until full>` (RateLimit header fields for HTTP)."),
        "RateLimitPolicy": text("The limit: `\"default\";q=<requests>;w=<seconds>`."),
        "RetryAfter": {"description": "Seconds after which to try again.", "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400}},
        "ETag": text("The record's version, quoted; send it back as If-Match."),
        "Location": text("Where the record is found."),
        "Link": text("`rel=\"next\"`: the next page."),
        "IdempotencyReplayed": text("`true` when this is the stored answer to an earlier request with the same Idempotency-Key."),
        "ContentDisposition": text("That it is a file, and its name."),
        "WwwAuthenticate": text("How to sign in."),
    })
}

fn shared_parameters() -> Value {
    let header = |name: &str, required: bool, schema: Value, about: &str| json!({"name": name, "in": "header", "required": required, "description": about, "schema": schema});
    let tag = json!({"type": "string", "pattern": "^(\\*|(W/)?\"[0-9]{1,18}\")$", "maxLength": 40});
    json!({
        "RequestId": header("X-Request-Id", false, json!({"type": "string", "maxLength": MAX_HEADER_CHARACTERS}), "An id of your own for this request, echoed in the answer and kept in the audit: 1 to 100 letters, digits, `-`, `_` and `.`; another is replaced by one of ours."),
        "AcceptLanguage": header("Accept-Language", false, json!({"type": "string", "maxLength": MAX_HEADER_CHARACTERS}), "Language of messages in problems: en, th or fa."),
        "IdempotencyKey": header("Idempotency-Key", false, json!({"type": "string", "pattern": "^[!-~]+$", "minLength": 1, "maxLength": 255}), "Makes a retry safe: for 7 days the same key and body get the stored answer; 409 `conflict` where that showed a secret, or held data of a person erased since."),
        "IfMatch": header("If-Match", false, tag.clone(), "The ETag the write is meant for; 412 when the record has changed since."),
        "IfMatchRequired": header("If-Match", true, tag, "The ETag the write is meant for; 412 when the record has changed since, 428 without it."),
        "IfNoneMatch": header("If-None-Match", false, json!({"type": "string", "maxLength": MAX_HEADER_CHARACTERS}), "The ETag you have; 304 when the record is still of that version."),
        "LastEventId": header("Last-Event-ID", false, json!({"type": "string", "maxLength": 400}), "The `id` of the last event received: the stream goes on after it, whatever `after` says."),
        "IfNoneMatchAny": header("If-None-Match", false, json!({"type": "string", "pattern": "^\\*$", "maxLength": 1}), "`*`: make only, never update; 412 when it exists."),
    })
}
