//! The whole API: every area's collections and operations, and the document they add up to.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use crate::{
    areas,
    rest::{
        collection::Api,
        document::{self, About},
    },
};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Every area's collections and operations.
#[must_use]
pub fn api() -> Api {
    areas::all().api.with_permissions()
}

/// The published document, OpenAPI 3.1.0; or why it is not sound.
pub fn document(api: &Api) -> Result<Value, Vec<String>> {
    document::write(api, &ABOUT)
}

/// The same of the whole API, made once a process.
pub fn published() -> Result<&'static Value, Vec<String>> {
    static PUBLISHED: LazyLock<Result<Value, Vec<String>>> = LazyLock::new(|| document(&api()));
    PUBLISHED.as_ref().map_err(Clone::clone)
}

const ABOUT: About = About {
    title: "Samphan",
    description: "The CRM that front ends and back offices share.\n\n\
        Sign in with `POST /v1/auth/sign-in`, or send an API key; then `Authorization: Bearer …` on every request.\n\n\
        Lists are pages with opaque cursors. Unknown parameters, fields, operators and values are refused with the nearest valid name, never ignored. \
        Whatever writes records by POST or PATCH honours `Idempotency-Key` and `dry_run=true`, every write to a record `If-Match`. \
        Amounts are decimal strings with the currency beside them; times are RFC 3339 with an offset. \
        A text with `x-visible` has no control characters and no invisible or blank ones, and is kept in Unicode NFKC without spaces around it. \
        A text without `x-multiline` is one line, without control characters or direction overrides. `x-on-delete` of a record says what deleting the records it refers to does. Whatever is not a success is a `Problem`.",
    tags: &[
        ("accounts", "Customers: the organisations we deal with, and how they came to be where they stand."),
        ("contacts", "The people through whom accounts are reached."),
        ("tags", "The vocabulary of labels."),
        ("search", "Finding anything: by words in any language, or by a number on the telephone's display."),
        ("products", "What we sell."),
        ("prices", "For how much, to whom."),
        ("orders", "What customers want: promised in one answer, confirmed in one step, or held for a reason."),
        ("shipments", "Goods on their way."),
        ("stock", "How much there is of it, where, and who is promised it."),
        ("external-systems", "The other systems, and what they call our records."),
        ("credit", "What accounting says customers owe and may owe."),
        ("changes", "What happened, in the order it did: as a feed, and as a stream."),
        ("webhooks", "What happened, sent to your own address: who is told."),
        ("events", "What is sent there, by type. You answer these; nobody asks them of this service."),
        ("auth", "Signing in and out, for people and machines."),
        ("users", "The people who sign in, their teams and roles."),
        ("api-keys", "How machines sign in."),
        ("settings", "What the organisation adds to the model."),
        ("privacy", "What persons may ask of the data that is held about them."),
        ("audit", "Who changed what."),
        ("service", "The service itself."),
    ],
};

/// The document as OpenAPI 3.0.3, for tools that need it: type arrays become `nullable`, `examples` one `example`; webhooks, which
/// it does not know, are left out.
#[must_use]
pub fn older(document: &Value) -> Value {
    fn turn(value: &Value) -> Value {
        let map = match value {
            Value::Object(map) => map,
            Value::Array(all) => return Value::Array(all.iter().map(turn).collect()),
            other => return other.clone(),
        };
        let mut out: serde_json::Map<String, Value> = map.iter().map(|(k, v)| (k.clone(), turn(v))).collect();
        if let Some(Value::Array(types)) = map.get("type") {
            let rest: Vec<&Value> = types.iter().filter(|t| *t != "null").collect();
            out.remove("type");
            if let [one] = rest.as_slice() {
                out.insert("type".into(), (*one).clone());
            }
            if rest.len() < types.len() {
                out.insert("nullable".into(), json!(true));
            }
        }
        if let Some(Value::Array(examples)) = map.get("examples") {
            out.remove("examples");
            out.extend(examples.first().map(|one| ("example".to_owned(), one.clone())));
        }
        // A patch is plain JSON for generators that know no merge patches.
        if let Some(patch) = out.remove("application/merge-patch+json") {
            out.entry("application/json").or_insert(patch);
        }
        Value::Object(out)
    }
    let mut made = turn(document);
    made["openapi"] = json!("3.0.3");
    without_webhooks(&mut made);
    if let Some(license) = made.pointer_mut("/info/license").and_then(Value::as_object_mut) {
        license.remove("identifier");
        license.insert("url".into(), json!("https://www.apache.org/licenses/LICENSE-2.0"));
    }
    made
}

fn without_webhooks(document: &mut Value) {
    if let Some(map) = document.as_object_mut() {
        map.remove("webhooks");
    }
    let written = document["paths"].to_string();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| written.contains(&format!("\"tags\":[{}]", tag["name"])));
    }
    for kind in ["parameters", "requestBodies", "responses"] {
        if let Some(all) = document["components"][kind].as_object_mut() {
            all.retain(|name, _| written.contains(&format!("\"#/components/{kind}/{name}\"")));
        }
    }
    if let Some(components) = document["components"].as_object_mut() {
        components.retain(|_, all| all.as_object().is_none_or(|all| !all.is_empty()));
    }
}

/// One line for each operation: tag, id, method, path, permission. Reviewed like code.
#[must_use]
pub fn operations(api: &Api) -> String {
    let mut lines: Vec<String> = api
        .operations
        .iter()
        .map(|o| {
            let access = match &o.access {
                crate::rest::operation::Access::Public => "public",
                crate::rest::operation::Access::SignedIn => "signed in",
                crate::rest::operation::Access::Needs(permission) | crate::rest::operation::Access::ByMode(permission) => permission,
            };
            format!("{} {} {} {} {access}\n", o.tag, o.id, o.method, o.path)
        })
        .collect();
    lines.sort();
    lines.concat()
}
