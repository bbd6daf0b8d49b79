//! A part of the document: the operations of some tags, and the components these reach.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The part of a document that has just the operations and webhooks of some tags. A document of its own: every reference and link in it
/// leads somewhere.
#[must_use]
pub fn of(document: &Value, tags: &BTreeSet<String>) -> Value {
    let mut part = Map::new();
    for (name, value) in document.as_object().into_iter().flatten().filter(|(name, _)| *name != "components") {
        let kept = match name.as_str() {
            "paths" | "webhooks" => operations(value, tags),
            "tags" => value.as_array().into_iter().flatten().filter(|tag| named(tag, "name", tags)).cloned().collect(),
            _ => value.clone(),
        };
        part.insert(name.clone(), kept);
    }
    if part.get("webhooks").and_then(Value::as_object).is_some_and(Map::is_empty) {
        part.remove("webhooks");
    }
    if let Some(paths) = part.get_mut("paths") {
        remove_dead_links(paths);
    }
    let components = components(document.get("components"), &part);
    part.insert("components".to_owned(), components);
    Value::Object(part)
}

fn named(value: &Value, member: &str, tags: &BTreeSet<String>) -> bool {
    value.get(member).and_then(Value::as_str).is_some_and(|name| tags.contains(name))
}

fn operations(paths: &Value, tags: &BTreeSet<String>) -> Value {
    let wanted = |operation: &Value| {
        operation.get("tags").and_then(Value::as_array).is_some_and(|all| all.iter().any(|t| t.as_str().is_some_and(|t| tags.contains(t))))
    };
    let mut kept = Map::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        let item: Map<String, Value> = item
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, value)| !METHODS.contains(&name.as_str()) || wanted(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if item.keys().any(|name| METHODS.contains(&name.as_str())) {
            kept.insert(path.clone(), Value::Object(item));
        }
    }
    Value::Object(kept)
}

/// Each operation of the paths.
fn each(paths: &Value) -> impl Iterator<Item = &Value> {
    paths.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object).flat_map(Map::values)
}

/// Takes away links to operations that are not in the part.
fn remove_dead_links(paths: &mut Value) {
    let id = |operation: &Value| operation.get("operationId").and_then(Value::as_str).map(str::to_owned);
    let ids: BTreeSet<String> = each(paths).filter_map(id).collect();
    let items = paths.as_object_mut().into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut);
    for operation in items.flat_map(Map::values_mut) {
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut);
        for links in responses.filter_map(|response| response.get_mut("links")).filter_map(Value::as_object_mut) {
            links.retain(|_, link| id(link).is_some_and(|id| ids.contains(&id)));
        }
    }
}

/// Every `$ref` in a value.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str));
            map.values().for_each(|v| references(v, found));
        }
        Value::Array(all) => all.iter().for_each(|v| references(v, found)),
        _ => {}
    }
}

/// The components that the part reaches, and how callers sign in.
fn components(all: Option<&Value>, part: &Map<String, Value>) -> Value {
    let (mut left, mut reached) = (vec![], BTreeSet::new());
    part.values().for_each(|value| references(value, &mut left));
    while let Some(reference) = left.pop() {
        let Some((kind, name)) = reference.strip_prefix("#/components/").and_then(|r| r.split_once('/')) else { continue };
        let Some(component) = all.and_then(|all| all.get(kind)?.get(name)) else { continue };
        if reached.insert((kind, name)) {
            references(component, &mut left);
        }
    }
    let mut kept = Map::new();
    for (kind, components) in all.and_then(Value::as_object).into_iter().flatten() {
        let wanted = |name: &str| kind == "securitySchemes" || reached.contains(&(kind.as_str(), name));
        let components: Map<String, Value> = components
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| wanted(name))
            .map(|(name, component)| (name.clone(), component.clone()))
            .collect();
        if !components.is_empty() {
            kept.insert(kind.clone(), Value::Object(components));
        }
    }
    Value::Object(kept)
}
