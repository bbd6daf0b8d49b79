//! What the document must be before it is served.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use crate::schemas::without_descriptions;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap, HashSet};

/// What is unsound: references to nothing or to null, schemas written out that have a name, and operations that leave something unsaid.
pub fn faults(document: &Value) -> Vec<String> {
    let mut out = BTreeSet::new();
    references(document, document, &mut out);
    let schemas = &document["components"]["schemas"];
    let named: HashMap<String, &String> =
        schemas.as_object().into_iter().flatten().map(|(name, s)| (without_descriptions(s), name)).collect();
    for (name, schema) in schemas.as_object().into_iter().flatten() {
        // A schema is not its own duplicate: its parts may be.
        parts(schema).for_each(|(part, s)| duplicates(&format!("{name}.{part}"), s, &named, &mut out));
    }
    for kind in ["paths", "webhooks"] {
        duplicates(kind, &document[kind], &named, &mut out);
    }
    let tags: HashSet<&str> = document["tags"].as_array().into_iter().flatten().filter_map(|t| t["name"].as_str()).collect();
    let (mut ids, mut linked) = (HashSet::new(), BTreeSet::new());
    let paths = document["paths"].as_object().into_iter().flatten();
    for (path, operation) in paths.flat_map(|(path, all)| all.as_object().into_iter().flat_map(|m| m.values()).map(move |o| (path, o))) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        if !ids.insert(id) {
            out.insert(format!("operation {id} twice"));
        }
        let responses = operation["responses"].as_object().into_iter().flat_map(|all| all.values());
        let links = responses.filter_map(|r| r["links"].as_object()).flat_map(|all| all.values());
        linked.extend(links.filter_map(|link| link["operationId"].as_str()));
        out.extend(unsaid(document, path, operation, &tags).into_iter().map(|what| format!("operation {id} has no {what}")));
    }
    out.extend(linked.difference(&ids.into_iter().collect()).map(|id| format!("a link to no operation {id}")));
    out.into_iter().collect()
}

/// Collects references to nothing, and references that may be null, which client generators read each in another way.
fn references(value: &Value, document: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(pointer) = map.get("$ref").and_then(Value::as_str) {
                if pointer.strip_prefix('#').is_none_or(|p| document.pointer(p).is_none()) {
                    out.insert(format!("nothing at {pointer}"));
                }
                if map.len() > 1 && map.keys().any(|k| !matches!(k.as_str(), "$ref" | "description" | "summary")) {
                    out.insert(format!("more than a reference to {pointer}"));
                }
            }
            // Requests leave our fields out, and responses do not say by whom a field is set.
            if map.get("readOnly").is_some_and(|set| set == true) {
                out.insert(format!("readOnly is left of {}", Value::Object(map.clone())));
            }
            for union in ["oneOf", "anyOf"].iter().filter_map(|u| map.get(*u)?.as_array()) {
                if union.iter().any(|one| one.get("$ref").is_some()) && union.iter().any(|one| one["type"] == "null") {
                    out.insert(format!("a reference that may be null: {}", Value::Array(union.clone())));
                }
            }
            map.iter().filter(|(name, _)| *name != "examples" && *name != "example").for_each(|(_, v)| references(v, document, out));
            map.get("examples").into_iter().filter(|e| e.is_object()).for_each(|e| references(e, document, out));
        }
        Value::Array(all) => all.iter().for_each(|v| references(v, document, out)),
        _ => {}
    }
}

/// The schemas of a schema's fields and items.
fn parts(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, s)| (name.as_str(), s));
    fields.chain(schema.get("items").map(|s| ("items", s)))
}

/// Collects objects that are written out though there is a name for just that.
fn duplicates(place: &str, value: &Value, named: &HashMap<String, &String>, out: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if map.get("properties").is_some_and(|p| p.as_object().is_some_and(|p| !p.is_empty()))
                && let Some(name) = named.get(&without_descriptions(value))
            {
                out.insert(format!("{place} writes {name} out"));
            }
            let fields = map.iter().filter(|(name, _)| !matches!(name.as_str(), "examples" | "example"));
            fields.for_each(|(_, v)| duplicates(place, v, named, out));
        }
        Value::Array(all) => all.iter().for_each(|v| duplicates(place, v, named, out)),
        _ => {}
    }
}

/// What an operation ought to say and does not.
fn unsaid(document: &Value, path: &str, operation: &Value, tags: &HashSet<&str>) -> Vec<String> {
    let mut out = vec![];
    let mut expect = |holds: bool, what: String| {
        if !holds {
            out.push(what);
        }
    };
    for words in ["operationId", "summary", "description"] {
        expect(operation[words].as_str().is_some_and(|text| !text.is_empty()), words.to_owned());
    }
    let tag = operation["tags"].as_array().filter(|all| all.len() == 1).and_then(|all| all.first()?.as_str());
    expect(tag.is_some_and(|t| tags.contains(t)), "one known tag".to_owned());
    let security = operation["security"].as_array();
    let is_public = security.is_some_and(Vec::is_empty);
    expect(security.is_some() && !(is_public && operation.get("x-permission").is_some()), "permission, nor is it public".to_owned());
    let mut problems = vec![400, 401, 403, 404, 406, 429, 500, 503];
    problems.extend(operation.get("requestBody").map(|_| [408, 413, 415]).into_iter().flatten());
    for status in problems {
        let held = operation["responses"][status.to_string()]["$ref"] == format!("#/components/responses/Problem{status}");
        expect(held, format!("problem of status {status}"));
    }
    let shown = |media: &Value| media.get("example").is_some() || media["examples"].as_object().is_some_and(|e| !e.is_empty());
    let media = |holder: &Value| holder["content"].as_object().into_iter().flat_map(|c| c.values()).cloned().collect::<Vec<_>>();
    let answers = operation["responses"].as_object().into_iter().flatten().filter(|(status, _)| status.starts_with('2'));
    expect(answers.clone().count() > 0, "success".to_owned());
    expect(answers.flat_map(|(_, r)| media(r)).all(|m| shown(&m)), "example of its answer".to_owned());
    expect(media(&operation["requestBody"]).iter().all(shown), "example of its body".to_owned());
    let at = |p: &Value| p["$ref"].as_str().and_then(|r| document.pointer(r.strip_prefix('#')?)).unwrap_or(p).clone();
    let given: Vec<Value> = operation["parameters"].as_array().into_iter().flatten().map(at).filter(|p| p["in"] == "path").collect();
    for name in path.split('/').filter_map(|s| s.strip_prefix('{')?.strip_suffix('}')) {
        expect(given.iter().any(|p| p["name"] == name && p.get("example").is_some()), format!("example of {name}"));
    }
    out
}
