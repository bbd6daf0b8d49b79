//! Bodies as the document describes them: the smallest that fits, and where in them records are named.

use super::step::{Step, schema};
use crate::support::*;
use std::collections::BTreeMap;

/// What words that are the name of something mean in the demo company.
fn known(name: &str) -> Option<Value> {
    Some(match name {
        "system" => json!("express"),
        "entity" => json!("TH01"),
        "currency" => json!("THB"),
        "sku" => json!("SP-001"),
        "receivable" => json!("1"),
        "expires_at" => json!("2199-01-01T00:00:00Z"),
        _ => return None,
    })
}

/// Without one of several, these among them, something says nothing: they stand wherever they may.
const TELLING: [&str; 2] = ["sku", "receivable"];

/// Texts, of which one fits each pattern there is.
const TEXTS: [&str; 9] = ["1", "THB", "TH", "walk", "#0a7d50", "walk@example.com", "accounts:read", "personal", "https://example.com/walk"];

/// The smallest value that fits, with `records` for the resources it must name.
pub fn smallest(of: &'static Value, records: &BTreeMap<&'static str, String>) -> Value {
    let of = schema(of);
    if let Some(first) = of["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(many) = of["x-reference"].as_str() {
        return json!(records.get(many).cloned().unwrap_or_else(random_id));
    }
    let kind = of["type"].as_str().or_else(|| of["type"][0].as_str()).unwrap_or("object");
    match kind {
        "object" => {
            let required = of["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let telling = TELLING.into_iter().filter(|name| of["properties"].get(*name).is_some());
            required
                .chain(telling)
                .map(|name| (name.to_owned(), known(name).unwrap_or_else(|| smallest(&of["properties"][name], records))))
                .collect()
        }
        "array" if of["minItems"].as_u64().unwrap_or_default() > 0 => json!([smallest(&of["items"], records)]),
        "array" => json!([]),
        "integer" | "number" => json!(of["minimum"].as_i64().unwrap_or(1).max(1)),
        "boolean" => json!(false),
        _ => json!(text(of)),
    }
}

fn text(of: &Value) -> String {
    match (of["format"].as_str(), of["pattern"].as_str()) {
        (Some("uuid"), _) => random_id(),
        (Some("date-time"), _) => "2026-01-01T00:00:00Z".to_owned(),
        (Some("date"), _) => "2026-01-01".to_owned(),
        (_, Some(_)) => {
            let fits = |text: &&&str| jsonschema::validator_for(of).unwrap().is_valid(&json!(text));
            (*TEXTS.iter().find(fits).unwrap_or_else(|| panic!("no text for {of}"))).to_owned()
        }
        _ => "walk".repeat(usize::try_from(of["minLength"].as_u64().unwrap_or(1)).unwrap().div_ceil(4)),
    }
}

impl Step {
    /// The smallest body it takes, if it takes one. Of a batch one item, to be updated.
    pub fn body(&self, records: &BTreeMap<&'static str, String>) -> Option<Value> {
        let taken = self.taken()?;
        let body = smallest(taken, records);
        let mut body = if body.is_object() { body } else { json!({}) };
        if taken["properties"].get("mode").is_some() {
            body = json!({"mode": "update", "items": [{"id": random_id()}]});
        }
        Some(body)
    }
}

/// Where within a schema records of other resources are named: pointers, lists by their first item, and the resource.
pub fn named_in(of: &'static Value) -> Vec<(String, &'static str)> {
    let mut found = vec![];
    gather(of, String::new(), &mut found);
    found
}

fn gather(of: &'static Value, at: String, found: &mut Vec<(String, &'static str)>) {
    let of = schema(of);
    if let Some(many) = of["x-reference"].as_str() {
        found.push((at, many));
        return;
    }
    if at.matches('/').count() > 4 {
        return;
    }
    for (name, property) in of["properties"].as_object().into_iter().flatten() {
        gather(property, format!("{at}/{name}"), found);
    }
    if of["items"].is_object() {
        gather(&of["items"], format!("{at}/0"), found);
    }
}

/// Puts a value at a place of a body, and whatever smallest things are needed on the way there.
pub fn put(body: &mut Value, of: &'static Value, pointer: &str, value: Value, records: &BTreeMap<&'static str, String>) {
    let Some((name, rest)) = pointer.strip_prefix('/').map(|p| p.split_once('/').map_or((p, String::new()), |(a, b)| (a, format!("/{b}"))))
    else {
        *body = value;
        return;
    };
    let of = schema(of);
    if name == "0" {
        if body.as_array().is_none_or(Vec::is_empty) {
            *body = json!([smallest(&of["items"], records)]);
        }
        return put(&mut body[0], &of["items"], &rest, value, records);
    }
    if body.get(name).is_none_or(Value::is_null) {
        body[name] = smallest(&of["properties"][name], records);
    }
    put(&mut body[name], &of["properties"][name], &rest, value, records);
}
