//! The published schemas: what each resource's shape means for requests, answers, pages and batches.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    batch::MAX_ITEMS,
    bulk,
    collection::Api,
    endpoints::{spaced, with_article},
    external::LONGEST_EXTERNAL_ID,
};
use samphan_persistence::operations::MAX_RECORDS;
use samphan_resource::{
    error::{FieldCode, MAX_FIELD_ERRORS},
    reference::Target,
    scalar::Kind,
    shape::{Class, Field, Shape, inline},
    text,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

type Shapes = HashMap<&'static str, &'static Shape>;

/// Characters from which on a text may have several lines.
const LONG_TEXT: u64 = 500;

/// Every schema by name, before unused ones are dropped.
#[must_use]
pub fn all(api: &Api) -> Map<String, Value> {
    let mut out = Map::new();
    let nested = api.shapes.values().flat_map(|s| s.components.iter());
    let loose: Vec<(String, Value)> = api.schemas.iter().chain(nested).cloned().collect();
    for (name, schema) in &loose {
        let schema = inline(schema, &loose);
        if is_part(&schema) {
            out.insert(input(name), with_request_parts(&request_part(&schema), &loose));
            out.insert(name.clone(), response_part(&schema));
        } else if schema["type"] == "object" {
            let is_asked = api.operations.iter().filter_map(|o| o.body.as_ref()).any(|b| b.schema == *name);
            out.insert(name.clone(), if is_asked { with_request_parts(&schema, &loose) } else { schema });
        }
    }
    let mut shapes: Vec<&&Shape> = api.shapes.values().collect();
    shapes.sort_by_key(|s| s.type_name);
    for shape in shapes {
        let name = shape.type_name;
        out.insert(name.to_owned(), response_schema(shape, &api.shapes));
        out.insert(format!("{name}Page"), page(name));
        out.insert(input(name), with_request_parts(&request_schema(shape, Form::Create, &api.shapes), &loose));
        out.insert(format!("{name}Patch"), with_request_parts(&request_schema(shape, Form::Patch, &api.shapes), &loose));
        out.insert(format!("{name}BatchItem"), with_request_parts(&batch_item(shape, &api.shapes), &loose));
        out.insert(format!("{name}Batch"), batch(shape));
        if api.bulk.contains_key(shape.plural) {
            out.insert(bulk::update_schema(shape), bulk_update(shape));
        }
    }
    out.insert(bulk::ASSIGN_SCHEMA.to_owned(), bulk_assign());
    out.extend(common());
    out.values_mut().for_each(bound);
    let named: HashMap<String, String> = out.iter().map(|(name, schema)| (without_descriptions(schema), name.clone())).collect();
    for schema in out.values_mut() {
        let fields = schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|p| p.values_mut());
        fields.for_each(|field| hoist(field, &named));
    }
    out
}

/// The schema of what makes such a record, or of a part as it is sent. Not `NewThing`: that is what Go calls the function that makes a `Thing`.
#[must_use]
pub fn input(name: &str) -> String {
    format!("{name}Input")
}

/// A schema as it is compared with others: without its words.
#[must_use]
pub fn without_descriptions(schema: &Value) -> String {
    let mut schema = schema.clone();
    if let Some(map) = schema.as_object_mut() {
        map.remove("description");
        map.sort_keys();
    }
    schema.to_string()
}

/// Puts names for objects that are written out though there is a name for just that.
fn hoist(schema: &mut Value, named: &HashMap<String, String>) {
    if schema["properties"].as_object().is_some_and(|p| !p.is_empty())
        && let Some(name) = named.get(&without_descriptions(schema))
    {
        *schema = json!({"$ref": format!("#/components/schemas/{name}")});
    }
    if let Some(items) = schema.get_mut("items") {
        hoist(items, named);
    }
}

/// Whether a component is a part of a record with read-only fields, such as a line of an order: requests do not have those fields.
fn is_part(schema: &Value) -> bool {
    schema["type"] == "object" && schema["properties"].as_object().is_some_and(|all| all.values().any(|field| field["readOnly"] == true))
}

/// The schema of a part in requests: without read-only fields.
fn request_part(part: &Value) -> Value {
    let mut out = part.clone();
    if let Some(properties) = out["properties"].as_object_mut() {
        properties.retain(|_, field| field["readOnly"] != true);
    }
    let nullable = |name: &str| part["properties"][name]["type"].as_array().is_some_and(|all| all.iter().any(|t| t == "null"));
    if let Some(required) = out["required"].as_array_mut() {
        required.retain(|name| name.as_str().is_some_and(|name| part["properties"][name]["readOnly"] != true && !nullable(name)));
    }
    // A default of a field that must be sent is the type's own, and null is what leaving out means anyway.
    let needed = out["required"].as_array().cloned().unwrap_or_default();
    for (name, field) in out["properties"].as_object_mut().into_iter().flatten() {
        if let Some(field) = field.as_object_mut().filter(|f| needed.contains(&json!(name)) || f.get("default") == Some(&Value::Null)) {
            field.remove("default");
        }
    }
    out["additionalProperties"] = json!(false);
    out
}

/// The schema of a part in responses: every field is required.
fn response_part(part: &Value) -> Value {
    let mut out = open(part);
    out["required"] = part["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
    out
}

/// A schema of a request: parts in it are those that are sent.
fn with_request_parts(schema: &Value, components: &[(String, Value)]) -> Value {
    match schema {
        Value::Object(map) => {
            let mut out: Map<String, Value> = map.iter().map(|(k, v)| (k.clone(), with_request_parts(v, components))).collect();
            let name = map.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
            if let Some(name) = name.filter(|name| components.iter().any(|(n, s)| n == name && is_part(&inline(s, components)))) {
                out.insert("$ref".into(), json!(format!("#/components/schemas/{}", input(name))));
            }
            Value::Object(out)
        }
        Value::Array(all) => all.iter().map(|v| with_request_parts(v, components)).collect(),
        other => other.clone(),
    }
}

/// A record in an answer: every field there, sets that may grow left open.
fn response_schema(shape: &Shape, shapes: &Shapes) -> Value {
    let mut properties: Map<String, Value> =
        shape.fields.iter().map(|f| (f.name.to_owned(), personal(f, classed(f, open(&naming(shape, f, shapes)))))).collect();
    let mut required: Vec<&str> = shape.fields.iter().map(|f| f.name).collect();
    if shape.status.is_some() || !shape.transitions.is_empty() {
        let about = "The actions the record's state and the caller's rights allow now.";
        properties.insert(
            "available_actions".into(),
            json!({"type": "array", "maxItems": 50, "items": {"type": "string", "maxLength": 50}, "description": about}),
        );
        required.push("available_actions");
    }
    if shape.fields.iter().any(|f| f.reference.is_some()) || !shape.any_references.is_empty() || !shape.details.is_empty() {
        let mut about = "The records asked for by `expand`, by name; null where there is none or it is not visible.".to_owned();
        for d in shape.details {
            about.push_str(&format!(
                " `{}` is a list of the `{}` that are `{}`; a write that leaves the record `{}` answers it unasked.",
                d.name, d.resource, d.status, d.unasked_in
            ));
        }
        properties.insert("expanded".into(), json!({"type": "object", "additionalProperties": {}, "description": about}));
    }
    let mut schema = json!({"type": "object", "description": shape.description, "properties": properties, "required": required});
    if !shape.references.is_empty() {
        let rules = shape.references.iter().map(|r| {
            let rule = r.on_delete.describe();
            let about = match r.target {
                Target::One(many) => json!({"of": many, "rule": rule}),
                Target::Any(any) => json!({"of_resource_in": any.resource, "rule": rule}),
            };
            (r.path.to_owned(), about)
        });
        schema["x-on-delete"] = Value::Object(rules.collect());
    }
    schema
}

/// The schema of a field, which of a reference by resource and id says which resources may be named. An open set: there are more with each
/// version.
fn naming(shape: &Shape, field: &Field, shapes: &Shapes) -> Value {
    let mut schema = field.schema.clone();
    for any in shape.any_references {
        if any.resource == field.name {
            schema["x-extensible-enum"] = json!(any.targets.names(shapes.values()));
        } else if any.id == field.name {
            schema["x-reference-by"] = json!(any.resource);
        }
    }
    if let Some(derived) = shape.derived.iter().find(|derived| derived.field == field.name) {
        schema["x-derived-from"] = json!(derived.describe());
    }
    schema
}

/// What a record is sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// To be made.
    Create,
    /// To be patched.
    Patch,
    /// To be made or patched, as the batch says.
    BatchItem,
}

/// A record in a request.
fn request_schema(shape: &Shape, form: Form, shapes: &Shapes) -> Value {
    let new = form == Form::Create;
    let mut properties: Map<String, Value> = Map::new();
    if new && !shape.append_only {
        properties.insert("id".into(), json!({"type": "string", "format": "uuid", "description": "A UUIDv7 of the client's own making, for work offline. The same id again is refused."}));
    }
    for field in shape.writable().filter(|f| !Shape::is_system_field(f.name) && (form != Form::Patch || !f.fixed)) {
        let mut schema = classed(field, naming(shape, field, shapes));
        if new && field.nullable {
            not_null(&mut schema);
        }
        if field.fixed {
            let words = schema["description"].as_str().unwrap_or_default();
            schema["description"] = json!(format!("{words} It stays as it was made."));
        }
        // Clients send defaults they know of; in a patch that would overwrite what was left out.
        if !new {
            without_defaults(&mut schema);
            if field.is_map() {
                removable(&mut schema);
            }
        }
        properties.insert(field.name.to_owned(), schema);
    }
    for (name, about) in shape.create_options.iter().filter(|_| new) {
        properties.insert((*name).to_owned(), json!({"type": "boolean", "default": false, "description": about}));
    }
    let required: Vec<&str> = shape.writable().filter(|f| new && f.required).map(|f| f.name).collect();
    let about = if new {
        format!("The fields of a new {}.", spaced(shape.type_name))
    } else {
        format!("Changes of {}. Fields that are left out stay, null clears.", with_article(&spaced(shape.type_name)))
    };
    let mut schema = json!({"type": "object", "description": about, "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A map in a patch: null for a name removes it, null for all of them empties it (RFC 7396).
fn removable(schema: &mut Value) {
    let or_null = |schema: &mut Value| {
        if schema["type"].is_string() {
            schema["type"] = json!([schema["type"].take(), "null"]);
        }
    };
    or_null(&mut schema["additionalProperties"]);
    or_null(schema);
}

fn without_defaults(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    map.remove("default");
    map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(|p| p.values_mut()).for_each(without_defaults);
    map.get_mut("items").into_iter().for_each(without_defaults);
}

fn batch_item(shape: &Shape, shapes: &Shapes) -> Value {
    let mut item = request_schema(shape, Form::BatchItem, shapes);
    item["description"] = json!(format!("One {} of a batch: its key and its fields.", words(shape.singular)));
    if let Some(properties) = item["properties"].as_object_mut() {
        properties.insert("id".into(), json!({"type": "string", "format": "uuid", "description": "The record, when matching on id; for a create an id of the client's own making."}));
        properties.entry("external_id").or_insert_with(
            || json!({"type": "string", "minLength": 1, "maxLength": LONGEST_EXTERNAL_ID, "description": "What the system of `match_on` calls the record."}),
        );
        properties.insert("version".into(), json!({"type": "integer", "format": "int64", "minimum": 1, "maximum": i64::MAX, "description": "Fails the item with `version_conflict` when the record is of another version."}));
    }
    item
}

fn batch(shape: &Shape) -> Value {
    json!({
        "type": "object",
        "description": format!("Many {} at once.", words(shape.plural)),
        "required": ["mode", "items"],
        "additionalProperties": false,
        "properties": {
            "mode": {"type": "string", "enum": ["create", "update", "upsert", "delete"], "description": "What to do with each item."},
            "match_on": {"type": "string", "maxLength": 100, "default": "id", "description": "`id`, or `external_id:<system>` to find records by another system's ids."},
            "atomic": {"type": "boolean", "default": false, "description": "Whether one bad item undoes all."},
            "items": {"type": "array", "minItems": 1, "maxItems": MAX_ITEMS, "items": {"$ref": format!("#/components/schemas/{}BatchItem", shape.type_name)}, "description": "The items."},
        },
    })
}

/// The records of a bulk operation, as its body names them.
fn selection() -> Map<String, Value> {
    let ids = json!({"type": "array", "minItems": 1, "maxItems": MAX_RECORDS, "items": {"type": "string", "format": "uuid"}, "description": "The records, by their ids; instead of `filter`."});
    Map::from_iter([("filter".to_owned(), json!({"$ref": "#/components/schemas/Filter"})), ("ids".to_owned(), ids)])
}

fn bulk_update(shape: &Shape) -> Value {
    let mut properties = selection();
    properties.insert("patch".to_owned(), json!({"$ref": format!("#/components/schemas/{}Patch", shape.type_name)}));
    json!({
        "type": "object",
        "description": format!("One change to many {}: those of a filter, or those that are named.", words(shape.plural)),
        "required": ["patch"],
        "additionalProperties": false,
        "properties": properties,
    })
}

fn bulk_assign() -> Value {
    let mut properties = selection();
    for (name, about) in [("owner_id", "The new owner; as it is when left out."), ("team_id", "The new team; as it is when left out.")] {
        properties.insert(name.to_owned(), json!({"type": "string", "format": "uuid", "description": about}));
    }
    properties.insert("reason".to_owned(), json!({"type": "string", "maxLength": 500, "description": "Why; kept in the audit."}));
    json!({
        "type": "object",
        "description": "Another owner or team for many records: those of a filter, or those that are named.",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn page(name: &str) -> Value {
    json!({
        "type": "object",
        "description": "One page of a list.",
        "required": ["data", "has_more", "next_cursor", "total", "total_at_least"],
        "properties": {
            "data": {"type": "array", "maxItems": 200, "items": {"$ref": format!("#/components/schemas/{name}")}, "description": "The records."},
            "has_more": {"type": "boolean", "description": "Whether there is another page."},
            "next_cursor": {"type": ["string", "null"], "maxLength": 4000, "description": "Asks for the next page; null on the last."},
            "total": {"type": ["integer", "null"], "format": "int64", "minimum": 0, "maximum": i64::MAX, "description": "How many there are on all pages; null unless `count` asked for it, and where to count them takes longer than a read may."},
            "total_at_least": {"type": ["integer", "null"], "format": "int64", "minimum": 0, "maximum": i64::MAX, "description": "Where counting ended with the time limit: how many there are at least. Null otherwise."},
        },
    })
}

fn words(snake: &str) -> String {
    snake.replace('_', " ")
}

fn classed(field: &Field, mut schema: Value) -> Value {
    let class = match field.class {
        Class::Open => return schema,
        Class::Personal => "personal",
        Class::Financial => "financial",
    };
    schema["x-field-class"] = json!(class);
    schema
}

/// Says of a text what personal data it is, or that it is none, and of everything else what it is.
fn personal(field: &Field, mut schema: Value) -> Value {
    let what = match (field.privacy_category, field.class) {
        (Some(what), _) => what.as_str(),
        (None, Class::Financial) => "financial",
        (None, _) if field.kind == Kind::Text => "none",
        (None, _) => return schema,
    };
    schema["x-personal-data"] = json!(what);
    schema
}

fn not_null(schema: &mut Value) {
    if let Some(kind) = schema["type"].as_array().and_then(|all| all.iter().find(|t| *t != "null").cloned()) {
        schema["type"] = kind;
    }
    if let Some(options) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        options.retain(|o| !o.is_null());
    }
}

/// A schema of an answer: closed sets become open ones, so that a new value breaks no client.
#[must_use]
pub fn open(schema: &Value) -> Value {
    let mut out = match schema {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), open(v))).collect::<Map<_, _>>(),
        Value::Array(all) => return Value::Array(all.iter().map(open).collect()),
        other => return other.clone(),
    };
    if out.get("type").is_some() {
        out.remove("readOnly");
        out.remove("default");
        out.remove("additionalProperties").filter(|v| *v != false).map(|v| out.insert("additionalProperties".into(), v));
        if let Some(Value::Array(options)) = out.remove("enum") {
            out.insert("maxLength".into(), json!(100));
            out.insert("x-extensible-enum".into(), options.into_iter().filter(|o| !o.is_null()).collect());
        }
    }
    Value::Object(out)
}

/// Puts a bound on everything that has none, and drops what client generators trip over. What is published is
/// enforced, so these are limits too: generous ones where nothing else is said.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("propertyNames");
            let is = |kind: &str| match map.get("type") {
                Some(Value::Array(all)) => all.iter().any(|t| t == kind),
                Some(one) => one == kind,
                None => false,
            };
            let (is_text, number, list, object) = (is("string"), is("integer"), is("array"), is("object"));
            let format = map.get("format").and_then(Value::as_str).unwrap_or_default().to_owned();
            if format == text::VISIBLE {
                // A format that a generator does not know has it leave things out.
                map.remove("format");
                map.insert("x-visible".into(), json!(true));
            }
            if is_text && !map.contains_key("enum") && !matches!(format.as_str(), "uuid" | "date" | "date-time") {
                let longest = match map.get("pattern").and_then(Value::as_str) {
                    Some("^[A-Z]{2}$") => 2,
                    Some("^[A-Z]{3}$") => 3,
                    Some("^#[0-9a-fA-F]{6}$") => 7,
                    _ => 200,
                };
                map.entry("maxLength").or_insert(json!(longest));
                // Longer texts are notes and reasons; names and the like are one line.
                if map.get("maxLength").and_then(Value::as_u64).is_some_and(|longest| longest >= LONG_TEXT) {
                    map.insert("x-multiline".into(), json!(true));
                }
            }
            if number {
                let short = format == "int32";
                map.entry("format").or_insert(json!("int64"));
                map.entry("minimum").or_insert(if short { json!(i32::MIN) } else { json!(i64::MIN) });
                map.entry("maximum").or_insert(if short { json!(i32::MAX) } else { json!(i64::MAX) });
            }
            if list {
                map.entry("maxItems").or_insert(json!(1000));
            }
            if object
                && map.get("additionalProperties").is_none_or(|a| *a != false)
                && (map.contains_key("additionalProperties") || !map.contains_key("properties"))
            {
                map.entry("maxProperties").or_insert(json!(1000));
                map.entry("additionalProperties").or_insert(json!({}));
            }
            map.values_mut().for_each(bound);
        }
        Value::Array(all) => all.iter_mut().for_each(bound),
        _ => {}
    }
}

/// The code of a fault: of those `x-codes` lists with what each means. Clients meet new ones, as they do with problems.
fn field_code() -> Value {
    let meanings: Map<String, Value> = FieldCode::ALL.iter().map(|code| (code.as_str().to_owned(), code.about().into())).collect();
    json!({
        "type": "string",
        "maxLength": 100,
        "description": "A stable code, such as `unknown_field`: one of `x-codes`, which says what each means, or for an item of a batch that is done whole or not at all (`atomic`) the code of the item's problem. More codes may follow.",
        "x-codes": meanings,
    })
}

/// The schemas every operation shares.
fn common() -> Map<String, Value> {
    let text = |most: usize, about: &str| json!({"type": "string", "maxLength": most, "description": about});
    let number = |about: &str| json!({"type": "integer", "format": "int32", "minimum": 0, "maximum": 1_000_000, "description": about});
    let made = json!({
        "Problem": {
            "type": "object",
            "description": "What went wrong (RFC 9457). One shape for everything that is not a success.",
            "required": ["type", "title", "status", "detail", "code", "request_id", "errors", "conflicts", "allowed", "current_version"],
            "properties": {
                "type": {"type": "string", "format": "uri-reference", "maxLength": 200, "description": "Address of the code's description, `/problems/<code>`."},
                "title": text(200, "What it is, in the language of Accept-Language (en, th, fa)."),
                "status": {"type": "integer", "format": "int32", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
                "detail": text(2000, "What to do about it. Never holds a value that was sent."),
                "code": text(100, "A stable code, such as `version_conflict`."),
                "request_id": text(100, "Quote it when asking for help."),
                "errors": {"type": "array", "maxItems": MAX_FIELD_ERRORS, "items": {"$ref": "#/components/schemas/ProblemError"}, "description": "Faults in the request, each with its place."},
                "conflicts": {"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/ProblemConflict"}, "description": "Records that stand in the way."},
                "allowed": {"type": "array", "maxItems": 1000, "items": text(200, "One of them."), "description": "What would be allowed: methods, transitions, permissions."},
                "current_version": {"type": ["integer", "null"], "format": "int64", "minimum": 1, "description": "With 412 `version_conflict` the record's present version, as in its ETag; null otherwise."},
            },
        },
        "ProblemError": {
            "type": "object",
            "description": "One fault in a request.",
            "required": ["pointer", "code", "message", "allowed", "did_you_mean"],
            "properties": {
                "pointer": text(1000, "A JSON pointer into the body, or `?name` for a query parameter."),
                "code": field_code(),
                "message": text(2000, "The fault in words."),
                "allowed": {"type": "array", "maxItems": 1000, "items": text(500, "One of them."), "description": "What would have been accepted."},
                "did_you_mean": {"type": ["string", "null"], "maxLength": 500, "description": "The nearest valid name."},
            },
        },
        "ProblemConflict": {
            "type": "object",
            "description": "A record that stands in the way.",
            "required": ["resource", "id", "field"],
            "properties": {
                "resource": text(100, "Its resource, such as `accounts`."),
                "id": {"type": "string", "format": "uuid", "description": "Its id."},
                "field": text(100, "The field whose value it holds."),
            },
        },
        "BatchResults": {
            "type": "object",
            "description": "What became of a batch.",
            "required": ["results", "summary"],
            "properties": {
                "results": {"type": "array", "maxItems": MAX_ITEMS, "items": {"$ref": "#/components/schemas/BatchResult"}, "description": "A result for each item, in the order of the request."},
                "summary": {"$ref": "#/components/schemas/BatchSummary"},
            },
        },
        "BatchResult": {
            "type": "object",
            "description": "What became of one item.",
            "required": ["index", "status", "id", "external_id", "version"],
            "properties": {
                "index": number("The item's place in the request, from 0."),
                "status": {"type": "string", "maxLength": 100, "x-extensible-enum": ["created", "updated", "unchanged", "applied", "stale", "deleted", "failed"], "description": "What became of it."},
                "id": {"type": ["string", "null"], "format": "uuid", "description": "The record."},
                "external_id": {"type": ["string", "null"], "maxLength": LONGEST_EXTERNAL_ID, "description": "What the sender calls it."},
                "version": {"type": ["integer", "null"], "format": "int64", "minimum": 1, "maximum": i64::MAX, "description": "The record's version now."},
                "error": {"$ref": "#/components/schemas/Problem"},
            },
        },
        "BatchSummary": {
            "type": "object",
            "description": "How many items came to what.",
            "required": ["received", "created", "updated", "unchanged", "applied", "stale", "deleted", "failed"],
            "properties": {
                "received": number("Items in the request."),
                "created": number("Records made."),
                "updated": number("Records changed."),
                "unchanged": number("Items that said what was known."),
                "applied": number("Pushes that counted."),
                "stale": number("Pushes older than what was known."),
                "deleted": number("Records deleted."),
                "failed": number("Items that failed."),
            },
        },
        "Filter": {
            "type": "object",
            "description": "A condition: exactly one of `all`, `any`, `none`, or `field` with `op` and `value`. At most 4 levels, 50 conditions, 100 values. Fields are the filterable ones of the resource, `tags`, `custom.<key>`, and those of a referenced record such as `account.grade`.",
            "additionalProperties": false,
            "properties": {
                "all": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/components/schemas/Filter"}, "description": "Every one must hold."},
                "any": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/components/schemas/Filter"}, "description": "At least one must hold."},
                "none": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/components/schemas/Filter"}, "description": "None may hold."},
                "field": text(200, "The field to look at."),
                "op": {"type": "string", "enum": ["eq", "ne", "lt", "le", "gt", "ge", "in", "not_in", "contains", "starts_with", "is_null", "within_last"], "description": "How to compare. Null equals nothing: `eq` is false for it and `ne` true."},
                "value": {"description": "With what: a value of the field's type, an array of them for `in` and `not_in`, true or false for `is_null`, an ISO 8601 duration for `within_last`."},
            },
        },
        "MoveRequest": {
            "type": "object",
            "description": "Where a record is moved to.",
            "required": ["position"],
            "additionalProperties": false,
            "properties": {
                "position": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 1_000_000, "description": "Its place among the records beside it, from 1; at most their number."},
            },
        },
        "SearchRequest": {
            "type": "object",
            "description": "What a list is asked for, as a body.",
            "additionalProperties": false,
            "properties": {
                "filter": {"$ref": "#/components/schemas/Filter"},
                "sort": text(200, "As the query parameter `sort` of the list."),
                "fields": {"type": "array", "maxItems": 200, "items": text(100, "A field."), "description": "Fields to answer; all when left out. Beside them come only `id` and `available_actions`."},
                "expand": {"type": "array", "maxItems": 5, "items": text(100, "A reference."), "description": "References to answer in full under `expanded`."},
                "limit": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "default": 50, "description": "Records a page."},
                "cursor": text(4000, "`next_cursor` of the page before."),
                "count": {"type": "string", "enum": ["none", "estimated", "exact"], "default": "none", "description": "Adds `total`, or `total_at_least` where counting takes longer than a read may."},
                "q": {"type": "string", "minLength": 1, "maxLength": 200, "x-multiline": true, "description": "Words to be found, in any language and anywhere within words."},
            },
        },
    });
    match made {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
