//! The document for tools that know OpenAPI 3.0 only.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use serde_json::{Value, json};

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
