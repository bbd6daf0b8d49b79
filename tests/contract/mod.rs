//! The published document is what is served, and what is served is in it.

mod compatibility;
mod examples;
mod forgotten;

use crate::support::{
    app::client,
    contract::{document, fits_schema, operations},
    *,
};
use reqwest::Method;
use samphan_resource::error::FieldCode;
use samphan_rest::router::Router;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
};

crate::on_both![
    the_document_is_served_as_generated_with_an_etag,
    the_document_is_served_compressed_as_3_0_and_in_parts,
    every_address_takes_just_the_methods_of_the_document,
    lists_and_records_are_as_published,
];

/// The document as it is committed.
const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");

#[test]
fn the_committed_document_is_what_the_code_says() {
    let committed: Value = serde_json::from_str(&std::fs::read_to_string(COMMITTED).expect("make openapi")).unwrap();
    assert!(committed == *document(), "openapi/openapi.json is not what the code says: make openapi");
}

#[test]
fn every_operation_has_words_a_permission_and_a_name_of_its_own() {
    let mut names = std::collections::HashSet::new();
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(names.insert(id), "{id} twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty() && !operation["description"].as_str().unwrap().is_empty(), "{id}");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{id}");
        assert!(operation["security"].is_array(), "{id}");
        assert!(path.split('/').all(|s| s.starts_with('{') || s == s.to_lowercase()), "{method} {path}");
    }
}

/// Words that name no one and nothing: the reader of the document is to learn who does what.
const VAGUE: [&str; 10] = ["whoever", "nobody", "somebody", "told", "he", "she", "his", "him", "as it is now", "lest"];

#[test]
fn summaries_are_short_and_each_is_of_one_operation() {
    let mut faults = vec![];
    let mut known = std::collections::HashMap::new();
    for (_, _, operation) in operations() {
        let (id, summary) = (operation["operationId"].as_str().unwrap(), operation["summary"].as_str().unwrap());
        if let Some(other) = known.insert(summary, id) {
            faults.push(format!("{id} and {other} are both: {summary}"));
        }
        let is_long = summary.split_whitespace().count() > 6;
        if is_long || summary.contains(['.', ':', '(']) || !summary.starts_with(|c: char| c.is_ascii_uppercase()) {
            faults.push(format!("{id} is no verb and object in six words: {summary}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Operation ids whose verb is not that of the summary: the id says what a client does, the summary what it is for.
const OTHER_VERBS: [&str; 11] = [
    "setAccountContactPrimary", // Make an account contact primary
    "signOut",                  // End the session
    "signOutEverywhere",        // End all sessions
    "batchCreditBalances",      // Push many credit balances
    "lookup",                   // Look up a caller
    "holdOrder",                // Place an order on hold
    "createPriceQuote",         // Quote prices
    "getProcessingRegister",    // List personal data fields
    "deliverShipment",          // Mark a shipment as delivered
    "failShipment",             // Mark a shipment as failed
    "syncStock",                // Synchronise stock counts
];

/// Operation ids that do not name the resource of their permission: it is another than the one they make or change.
const OTHER_RESOURCES: [&str; 11] = [
    "createStreamTicket",
    "getCreditBalanceChange",
    "getCreditReconciliation",
    "lookup",
    "createPriceQuote",
    "getProcessingRegister",
    "adjustStock",
    "receiveStock",
    "syncStock",
    "transferStock",
    "redeliverWebhookDelivery",
];

#[test]
fn operation_ids_are_verb_resource_object() {
    let (mut seen, mut faults) = (std::collections::HashSet::new(), vec![]);
    for (_, _, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        let verb = id.split(|c: char| c.is_ascii_uppercase()).next().unwrap();
        let summary = operation["summary"].as_str().unwrap().split(' ').next().unwrap().to_lowercase();
        if !seen.insert(id) {
            faults.push(format!("{id} twice"));
        }
        if (verb != summary) != OTHER_VERBS.contains(&id) {
            faults.push(format!("{id} begins with another verb than its summary: {summary}"));
        }
        let Some(permission) = operation["x-permission"].as_str() else { continue };
        let resource = permission.split(':').next().unwrap().replace('-', "");
        let one = resource.strip_suffix("ies").map(|stem| format!("{stem}y"));
        let one = one.unwrap_or_else(|| resource.trim_end_matches('s').to_owned());
        let name = id.to_lowercase();
        if !(name.contains(&resource) || name.contains(&one) || OTHER_RESOURCES.contains(&id)) {
            faults.push(format!("{id} does not name the resource of {permission}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Crates whose doc comments name the actor and the thing. The list grows as comments are rewritten.
const PLAIN_CRATES: [&str; 4] = ["resource", "persistence", "background", "rest"];
/// Words that stand for an unnamed person or an unnamed receiver.
const UNNAMED: [&str; 7] = ["whoever", "nobody", "somebody", "told", "he", "him", "his"];

#[test]
fn doc_comments_name_the_actor() {
    let mut faults = vec![];
    for name in PLAIN_CRATES {
        gather_comments(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(name).join("src"), &mut faults);
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn gather_comments(directory: &std::path::Path, faults: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather_comments(&path, faults);
            continue;
        }
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
            let text = comment.trim_start_matches(['/', '!']).trim();
            let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
            let begins_with_who = text.starts_with("Who ") || text.contains(": who ") || text.contains("; who ");
            if begins_with_who || UNNAMED.iter().any(|word| words.iter().any(|w| w == word)) {
                faults.push(format!("{}:{}: {text}", path.display(), number + 1));
            }
        }
    }
}

#[test]
fn texts_name_who_does_what() {
    let mut texts = std::collections::BTreeSet::new();
    gather_texts(document(), &mut texts);
    let mut faults = vec![];
    for text in texts {
        let plain = text.split('`').step_by(2).collect::<Vec<_>>().join(" 0 ").to_lowercase();
        let words: Vec<&str> = plain.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).collect();
        let has = |vague: &str| match vague.contains(' ') {
            true => plain.contains(vague),
            false => words.contains(&vague),
        };
        faults.extend(VAGUE.iter().filter(|vague| has(vague)).map(|vague| format!("{vague}: {text}")));
        let is_wrong = |pair: &[&str]| {
            let (article, first) = (pair[0], pair[1].chars().next().unwrap());
            // "a user", "a unit", "a one-time ticket", "an hour" go by their sound.
            let sounds_otherwise =
                ["user", "unit", "one", "unique", "use", "eu", "uu", "hour", "url", "utc", "us", "x", "rfc", "http", "sku", "id"];
            let is_vowel = "aeiou".contains(first);
            let is_letter = first.is_ascii_alphabetic() && !sounds_otherwise.iter().any(|word| pair[1].starts_with(word));
            is_letter && (article == "a" && is_vowel || article == "an" && !is_vowel)
        };
        // Single letters are names, such as the A of a grade.
        let pairs = words.windows(2).filter(|pair| pair[1].len() > 1 && is_wrong(pair));
        faults.extend(pairs.map(|pair| format!("{} {}: {text}", pair[0], pair[1])));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Every summary, description and title.
fn gather_texts(value: &'static Value, texts: &mut std::collections::BTreeSet<&'static str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str().filter(|_| matches!(name.as_str(), "summary" | "description" | "title")) {
                    Some(text) => {
                        texts.insert(text);
                    }
                    None => gather_texts(value, texts),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather_texts(value, texts)),
        _ => {}
    }
}

#[test]
fn every_field_says_what_it_is() {
    let described = |schema: &Value| schema["$ref"].is_string() || schema["description"].as_str().is_some_and(|d| d.len() > 2);
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let fields =
        schemas.iter().flat_map(|(name, s)| s["properties"].as_object().into_iter().flatten().map(move |(field, s)| (name, field, s)));
    let silent: Vec<String> = fields.filter(|(.., s)| !described(s)).map(|(name, field, _)| format!("{name}.{field}")).collect();
    assert!(silent.is_empty(), "{}", silent.join(" "));
}

#[test]
fn the_document_lists_every_code_of_a_fault_with_what_it_means() {
    let listed = document()["components"]["schemas"]["ProblemError"]["properties"]["code"]["x-codes"].as_object().unwrap();
    let listed: BTreeMap<&str, &str> = listed.iter().map(|(code, about)| (code.as_str(), about.as_str().unwrap())).collect();
    assert_eq!(listed, FieldCode::ALL.iter().map(|code| (code.as_str(), code.about())).collect());
}

#[test]
fn no_generator_takes_one_name_for_another() {
    // Clients in Go call the function that makes a `Thing` `NewThing`.
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let taken: Vec<&String> =
        schemas.keys().filter(|name| name.strip_prefix("New").is_some_and(|other| schemas.contains_key(other))).collect();
    assert!(taken.is_empty(), "{taken:?}");
    // Clients in Rust have one struct for the parameters of path, query and headers.
    for (method, path, operation) in operations() {
        let named = |p: &Value| match p["$ref"].as_str() {
            Some(shared) => document().pointer(shared.trim_start_matches('#')).unwrap()["name"].clone(),
            None => p["name"].clone(),
        };
        let names: Vec<Value> = operation["parameters"].as_array().unwrap().iter().map(named).collect();
        let twice: Vec<&Value> = names.iter().enumerate().filter(|(n, name)| names[..*n].contains(name)).map(|(_, name)| name).collect();
        assert!(twice.is_empty(), "{method} {path}: {twice:?}");
    }
}

#[test]
fn every_type_of_event_is_a_webhook_of_the_document_but_not_of_its_older_form() {
    let api = samphan_api::openapi::api();
    let declared: BTreeSet<&str> = api.shapes.values().flat_map(|shape| shape.events.iter().copied()).collect();
    let webhooks = document()["webhooks"].as_object().unwrap();
    assert_eq!(webhooks.keys().map(String::as_str).collect::<BTreeSet<_>>(), declared);
    assert!(declared.contains("account.created") && declared.contains("credit_check.expired"));
    let body = &document()["components"]["requestBodies"]["Webhook"]["content"]["application/json"];
    assert_eq!(body["schema"]["$ref"], "#/components/schemas/Change");
    fits_schema("Change", &body["examples"]["Change"]["value"], "the example of a webhook");
    for (kind, webhook) in webhooks {
        assert_eq!(webhook["post"]["requestBody"]["$ref"], "#/components/requestBodies/Webhook", "{kind}");
        assert_eq!(webhook["post"]["parameters"].as_array().unwrap().len(), 3, "{kind}");
    }
    // Generators write one file for each tag and another for webhooks, so none may be both.
    let tag = &webhooks["account.created"]["post"]["tags"][0];
    assert!(operations().all(|(_, _, operation)| operation["tags"][0] != *tag));
    let older = samphan_rest::document::older::older(document());
    assert!(older["webhooks"].is_null() && older["components"]["requestBodies"].is_null() && older["components"]["parameters"].is_object());
    assert!(older["tags"].as_array().unwrap().iter().all(|t| t["name"] != *tag) && older["tags"].as_array().unwrap().len() > 10);
}

async fn the_document_is_served_as_generated_with_an_etag(app: App) {
    let served = app.nobody().get("/openapi.json").await.is(200);
    assert!(served.body == *document());
    let tag = served.header("etag").to_owned();
    assert!(tag.len() > 2);
    let unchanged = app.nobody().get("/openapi.json").header("if-none-match", &tag).await.is(304);
    assert!(unchanged.text.is_empty());
    app.nobody().get("/openapi.json").header("if-none-match", "\"old\"").await.is(200);
    assert_eq!(app.nobody().get("/health/live").await.is(200)["status"], "ok");
    assert_eq!(app.nobody().get("/health/ready").await.is(200)["status"], "ok");
}

async fn the_document_is_served_compressed_as_3_0_and_in_parts(app: App) {
    let plain = app.nobody().get("/openapi.json").await.is(200);
    assert_eq!(plain.header("content-encoding"), "");
    for (accepted, encoding) in
        [("gzip", "gzip"), ("gzip, deflate, br", "br"), ("br;q=0.5, gzip", "gzip"), ("br;q=0, identity", ""), ("zstd", "")]
    {
        let answer = client().get(format!("{}/openapi.json", app.url)).header("accept-encoding", accepted).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map_or("", |v| v.to_str().unwrap()).to_owned();
        assert_eq!(header("content-encoding"), encoding, "{accepted}");
        assert!(header("vary").contains("Accept-Encoding"), "{accepted}");
        let tag = header("etag");
        let bytes = answer.bytes().await.unwrap();
        assert_eq!(decoded(encoding, &bytes), plain.text.as_bytes(), "{accepted}");
        assert!(encoding.is_empty() || bytes.len() * 8 < plain.text.len(), "{accepted}: {} bytes", bytes.len());
        app.nobody().get("/openapi.json").header("accept-encoding", accepted).header("if-none-match", &tag).await.is(304);
    }
    assert!(app.nobody().get("/openapi-3.0.json").await.is(200).body == samphan_rest::document::older::older(document()));

    let part = app.nobody().get("/openapi.json?tags=orders,shipments").await.is(200);
    assert!(part.text.len() * 3 < plain.text.len());
    let ids: BTreeSet<&str> = part["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|p| p.as_object().unwrap().values())
        .map(|o| o["operationId"].as_str().unwrap())
        .collect();
    let all = operations().filter(|(_, _, o)| ["orders", "shipments"].contains(&o["tags"][0].as_str().unwrap()));
    assert_eq!(ids, all.map(|(_, _, o)| o["operationId"].as_str().unwrap()).collect());
    assert_eq!(part["tags"].as_array().unwrap().len(), 2);
    let written = part.text.clone();
    for reference in written.split("\"$ref\":\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(part.body.pointer(reference).is_some(), "{reference}");
    }
    let older = app.nobody().get("/openapi-3.0.json?tags=orders").await.is(200);
    assert_eq!((&older["openapi"], older["tags"].as_array().unwrap().len()), (&json!("3.0.3"), 1));
    let refused = app.nobody().get("/openapi.json?tags=order").await.refused(400, "invalid_query");
    assert_eq!(refused.fault("?tags", "unknown_value")["did_you_mean"], "orders");
    app.nobody().get("/openapi.json?tag=orders").await.refused(400, "invalid_query").fault("?tag", "unknown_parameter");
}

fn decoded(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    let mut plain = vec![];
    match encoding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
        _ => return bytes.to_vec(),
    }
    .unwrap();
    plain
}

/// Methods by address, as the document has them, whatever parameters are called.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (method, path, _) in operations() {
        all.entry(path.to_owned()).or_default().insert(method.to_string());
    }
    all
}

#[test]
fn the_router_and_the_document_hold_the_same_set() {
    let routes = Router::of(samphan_api::openapi::api().operations).unwrap();
    let mut routed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in routes.operations() {
        let is_new = routed.entry(operation.path.clone()).or_default().insert(operation.method.to_string());
        assert!(is_new, "{operation:?} twice");
    }
    assert_eq!(routed, documented());
}

/// What may be posted to a record and is no action on its state: every collection has it, or it makes another record, or moves one.
const STATELESS: [&str; 3] = ["move", "redeliver", "restore"];

#[test]
fn the_actions_of_the_document_are_those_of_the_tables_of_transitions() {
    let api = samphan_api::openapi::api();
    let mut offered: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for operation in api.operations.iter().filter(|o| o.method == Method::POST.as_str()) {
        let Some((_, verb)) = operation.path.rsplit_once("/{id}/").filter(|(_, verb)| !STATELESS.contains(verb)) else { continue };
        let subject = operation.subject.unwrap_or_else(|| panic!("{}: of which resource", operation.path));
        offered.entry(subject.shape.plural).or_default().insert(verb);
    }
    let tables = api.shapes.values().filter(|shape| !shape.transitions.is_empty());
    let tables: BTreeMap<&str, BTreeSet<&str>> = tables.map(|s| (s.plural, s.transitions.iter().map(|t| t.verb).collect())).collect();
    assert_eq!(offered, tables);
    // What the tables say of states is in the words of the document.
    let about = document()["paths"]["/v1/warehouses/{id}/close"]["post"]["description"].as_str().unwrap();
    assert!(about.contains("Allowed while `status` is `active`. Afterwards it is `closed`."), "{about}");
}

/// What a server says it takes at each address is what the document says: nothing is served that is not in it, and nothing is in it
/// that is not served.
async fn every_address_takes_just_the_methods_of_the_document(app: App) {
    for (path, methods) in documented() {
        let address: Vec<String> = path.split('/').map(|s| if s.starts_with('{') { random_id() } else { s.to_owned() }).collect();
        let refused = app.nobody().ask(Method::TRACE, &address.join("/")).await.refused(405, "method_not_allowed");
        let allowed: BTreeSet<String> = refused.header("allow").split(',').map(|m| m.trim().to_owned()).collect();
        assert_eq!(allowed, methods, "{path}");
        for method in methods {
            let answer = app.nobody().ask(method.parse().unwrap(), &address.join("/")).json(&json!({})).await;
            assert!(!matches!(answer["code"].as_str(), Some("unknown_path" | "method_not_allowed")), "{}: {}", answer.what, answer.text);
        }
    }
}

// That bodies are what the schemas say is checked with every answer of every test; here are all fields filled.
async fn lists_and_records_are_as_published(app: App) {
    let account = json!({"name": "A", "legal_name": "B", "legal_form": "company", "registration_no": "1", "tax_id": "0105536000013", "country": "US", "branch_code": "1",
        "industry": "x", "size": "micro", "is_vip": true, "grade": "A", "preferred_channel": "line", "preferred_language": "th", "currency": "THB",
        "payment_terms_days": 30, "health": 50, "website": "https://a.example", "description": "d", "tags": ["t"]});
    let contact = json!({"first_name": "A", "last_name": "B", "birth_date": "1980-01-02", "marital_status": "married", "interests": ["golf"], "children_count": 1, "do_not_call": true});
    let product = json!({"sku": "T", "name": "Tea", "name_translations": {"th": "ชา"}, "kind": "service", "unit": "box", "tracked": "lot"});
    let user = json!({"name": "U", "email": "u@example.com", "locale": "th", "time_zone": "Asia/Bangkok"});
    for (path, body) in [("/v1/accounts", account), ("/v1/contacts", contact), ("/v1/products", product), ("/v1/users", user)] {
        let made = app.post(path, body.clone()).await.is(201);
        for (field, value) in body.as_object().unwrap() {
            assert_eq!(&made[field.as_str()], value, "{path} {field}");
        }
        let properties = document()["components"]["schemas"].as_object().unwrap();
        assert!(properties.len() > 50);
        assert_eq!(app.get(made.header("location")).await.is(200).body, made.body);
        assert!(ids(&app.get(path).await.is(200)).contains(&made.id()));
        assert!(ids(&app.post(&format!("{path}/search"), json!({})).await.is(200)).contains(&made.id()));
    }
}
