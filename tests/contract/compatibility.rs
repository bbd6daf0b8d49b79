//! What was released still holds: a client made for it goes on working, unless CHANGELOG.md says that it does not.

mod breaks;

use crate::support::{contract::document, *};
use breaks::breaks;
use std::{fs, path::PathBuf};

fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The document of the last release, and its version.
fn released() -> (String, Value) {
    let versions = fs::read_dir(repository().join("openapi/released")).unwrap().filter_map(|file| {
        let path = file.unwrap().path();
        let version = path.file_stem()?.to_str()?.to_owned();
        (path.extension()? == "json").then_some((version.split('.').map(|n| n.parse::<u32>().unwrap()).collect::<Vec<_>>(), version, path))
    });
    let (_, version, path) = versions.max().expect("a document in openapi/released");
    (version, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
}

/// What the changelog names, in backticks, under a heading `Breaking` of what is not released yet.
fn announced(changelog: &str) -> Vec<&str> {
    let (mut unreleased, mut breaking, mut names) = (false, false, vec![]);
    for line in changelog.lines() {
        match line.split_once(' ') {
            Some(("##", version)) => (unreleased, breaking) = (version.contains("(unreleased)"), false),
            Some((level, title)) if level.chars().all(|c| c == '#') => breaking = title.trim() == "Breaking",
            _ if unreleased && breaking => names.extend(line.split('`').skip(1).step_by(2)),
            _ => {}
        }
    }
    names
}

#[test]
fn what_was_released_holds_unless_the_changelog_says_so() {
    let (version, released) = released();
    assert_eq!(released["info"]["version"], *version, "openapi/released/{version}.json");
    let changelog = fs::read_to_string(repository().join("CHANGELOG.md")).unwrap();
    let announced = announced(&changelog);
    let broken = breaks(&released, document()).into_iter().filter(|b| !announced.contains(&b.subject.as_str()));
    let broken: Vec<String> = broken.map(|b| format!("`{}`: {}", b.subject, b.what)).collect();
    assert!(
        broken.is_empty(),
        "these break clients of {version}; keep them as they were, or name them under `### Breaking` of what is unreleased in CHANGELOG.md:\n{}",
        broken.join("\n")
    );
}

#[test]
fn only_what_is_unreleased_and_breaking_is_announced() {
    let changelog = "# Changelog\n## 0.3.0 (unreleased)\n- `a`\n### Breaking\n- `b` is gone, `C.d` too\n### Added\n- `e`\n## 0.2.0\n### Breaking\n- `f`\n";
    assert_eq!(announced(changelog), ["b", "C.d"]);
}

/// A document of two operations, with everything that can break.
fn small() -> Value {
    json!({
        "paths": {
            "/v1/things": {
                "post": {
                    "operationId": "createThing", "tags": ["things"], "security": [{"bearer": []}], "x-permission": "things:create",
                    "parameters": [
                        {"$ref": "#/components/parameters/Key"},
                        {"name": "dry_run", "in": "query", "required": false, "schema": {"type": "boolean"}},
                        {"name": "kind", "in": "query", "required": false, "schema": {"type": "string", "enum": ["a", "b"]}},
                    ],
                    "requestBody": {"required": false, "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/NewThing"}},
                        "application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/NewThing"}},
                    }},
                    "responses": {
                        "200": {"description": "Old.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                        "201": {
                            "description": "New.", "headers": {"ETag": {"schema": {"type": "string"}}},
                            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                        },
                        "404": {"description": "None."},
                    },
                },
                "get": {"operationId": "listThings", "tags": ["things"], "security": [], "responses": {"200": {"description": "All."}}},
            },
        },
        "webhooks": {"thing.created": {"post": {"operationId": "onThingCreated"}}},
        "components": {
            "parameters": {"Key": {"name": "Idempotency-Key", "in": "header", "required": false, "schema": {"type": "string", "maxLength": 255}}},
            "schemas": {
                "NewThing": {
                    "type": "object", "required": ["name"], "additionalProperties": false,
                    "properties": {
                        "name": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[a-z]+$"},
                        "size": {"type": ["integer", "null"], "minimum": 0, "maximum": 10},
                        "kind": {"type": "string", "enum": ["a", "b"]},
                        "note": {"type": "string"},
                        "parts": {"type": "array", "minItems": 0, "maxItems": 5, "items": {"$ref": "#/components/schemas/Part"}},
                        "custom": {"type": "object", "additionalProperties": {}, "maxProperties": 9},
                    },
                },
                "Thing": {
                    "type": "object", "required": ["id", "name", "parts", "state"],
                    "properties": {
                        "id": {"type": "string", "format": "uuid"},
                        "name": {"type": "string", "maxLength": 200},
                        "kind": {"type": ["string", "null"]},
                        "state": {"type": "string", "enum": ["new", "old"]},
                        "open": {"type": "string", "x-extensible-enum": ["x"]},
                        "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                    },
                },
                "Part": {
                    "type": "object", "properties": {"no": {"type": "integer"}, "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}},
                },
            },
        },
    })
}

/// The small document with a value put at a place, or what is there taken out.
fn with(place: &str, value: Option<Value>) -> Value {
    let mut made = small();
    let place =
        place.replace("POST", "/paths/~1v1~1things/post").replace("GET", "/paths/~1v1~1things/get").replace("S/", "/components/schemas/");
    let (parent, key) = place.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/");
    match (made.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}")), value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key, value)),
        (Value::Object(map), None) => assert!(map.remove(&key).is_some(), "nothing at {place}"),
        (Value::Array(all), Some(value)) if key == "-" => all.push(value),
        (Value::Array(all), Some(value)) => all[key.parse::<usize>().unwrap()] = value,
        (Value::Array(all), None) => drop(all.remove(key.parse().unwrap())),
        (other, _) => panic!("{other} at {parent}"),
    }
    made
}

#[test]
fn every_kind_of_break_is_found() {
    let new = json!({"schema": {"type": "string"}, "name": "q", "in": "query", "required": true});
    let table = [
        ("createThing", "POST", None),
        ("listThings", "GET/operationId", Some(json!("allThings"))),
        ("createThing", "POST/x-permission", Some(json!("things:update"))),
        ("createThing", "POST/x-permission", None),
        ("createThing", "POST/tags", Some(json!(["others"]))),
        ("listThings", "GET/security", Some(json!([{"bearer": []}]))),
        ("createThing", "POST/parameters/1", None),
        ("createThing", "POST/parameters/1/required", Some(json!(true))),
        ("createThing", "POST/parameters/1/in", Some(json!("header"))),
        ("createThing", "POST/parameters/2/schema/enum", Some(json!(["a"]))),
        ("createThing", "POST/parameters/-", Some(new)),
        ("createThing", "/components/parameters/Key/schema/maxLength", Some(json!(10))),
        ("createThing", "POST/requestBody/required", Some(json!(true))),
        ("createThing", "POST/requestBody/content/application~1x-www-form-urlencoded", None),
        ("createThing", "POST/responses/200", None),
        ("createThing", "POST/responses/201/headers/ETag", None),
        ("createThing", "POST/responses/201/content/application~1json", None),
        ("thing.created", "/webhooks/thing.created", None),
        ("NewThing.note", "S/NewThing/properties/note", None),
        ("NewThing.note", "S/NewThing/required", Some(json!(["name", "note"]))),
        ("NewThing.size", "S/NewThing/properties/size/type", Some(json!("integer"))),
        ("NewThing.size", "S/NewThing/properties/size/type", Some(json!(["string", "null"]))),
        ("NewThing.kind", "S/NewThing/properties/kind/enum", Some(json!(["a"]))),
        ("NewThing.note", "S/NewThing/properties/note/enum", Some(json!(["a"]))),
        ("NewThing.note", "S/NewThing/properties/note/format", Some(json!("date"))),
        ("NewThing.name", "S/NewThing/properties/name/pattern", Some(json!("^[a-c]+$"))),
        ("NewThing.name", "S/NewThing/properties/name/maxLength", Some(json!(100))),
        ("NewThing.note", "S/NewThing/properties/note/maxLength", Some(json!(100))),
        ("NewThing.name", "S/NewThing/properties/name/minLength", Some(json!(2))),
        ("NewThing.size", "S/NewThing/properties/size/minimum", Some(json!(1))),
        ("NewThing.size", "S/NewThing/properties/size/maximum", Some(json!(9))),
        ("NewThing.parts", "S/NewThing/properties/parts/minItems", Some(json!(1))),
        ("NewThing.parts", "S/NewThing/properties/parts/maxItems", Some(json!(4))),
        ("NewThing.custom", "S/NewThing/properties/custom/maxProperties", Some(json!(8))),
        ("NewThing.custom", "S/NewThing/properties/custom/additionalProperties", Some(json!(false))),
        ("Part.no", "S/Part/properties/no", None),
        ("Part.no", "S/Part/properties/no/type", Some(json!("string"))),
        ("Part", "S/Part/additionalProperties", Some(json!(false))),
        ("Thing.name", "S/Thing/properties/name", None),
        ("Thing.name", "S/Thing/properties/name/type", Some(json!(["string", "null"]))),
        ("Thing.name", "S/Thing/properties/name/type", Some(json!("integer"))),
        ("Thing.name", "S/Thing/required", Some(json!(["id", "parts", "state"]))),
        ("Thing.id", "S/Thing/properties/id/format", None),
        ("Thing.state", "S/Thing/properties/state/enum", Some(json!(["new", "old", "other"]))),
        ("Thing.state", "S/Thing/properties/state/enum", None),
        ("Thing.parts", "S/Thing/properties/parts/type", Some(json!(["array", "null"]))),
    ];
    for (subject, place, value) in table {
        let found = breaks(&small(), &with(place, value.clone()));
        assert!(found.iter().any(|b| b.subject == subject), "{place} = {value:?}: {found:?}");
        assert!(found.iter().all(|b| b.subject == subject || b.subject == "allThings"), "{place} = {value:?}: {found:?}");
    }
    let mut moved = small();
    let things = moved["paths"]["/v1/things"].take();
    moved["paths"] = json!({"/v1/stuff": things});
    assert_eq!(breaks(&small(), &moved).len(), 2, "both have another address");
}

#[test]
fn what_harms_nobody_is_no_break() {
    let table = [
        ("/info", Some(json!({"version": "9.9.9"}))),
        ("GET/summary", Some(json!("Every thing"))),
        ("GET/responses/200/description", Some(json!("All of them."))),
        ("GET/responses/404", Some(json!({"description": "None."}))),
        ("GET/responses/206", Some(json!({"description": "Some."}))),
        ("/paths/~1v1~1others", Some(json!({"get": {"operationId": "listOthers"}}))),
        ("POST/parameters/-", Some(json!({"name": "q", "in": "query", "required": false, "schema": {"type": "string"}}))),
        ("POST/parameters/2/schema/enum", Some(json!(["a", "b", "c"]))),
        ("/components/parameters/Key/schema/maxLength", Some(json!(300))),
        ("POST/requestBody/content/application~1merge-patch+json", Some(json!({"schema": {"$ref": "#/components/schemas/NewThing"}}))),
        ("/webhooks/thing.updated", Some(json!({"post": {"operationId": "onThingUpdated"}}))),
        ("S/NewThing/properties/colour", Some(json!({"type": "string"}))),
        ("S/NewThing/required", Some(json!([]))),
        ("S/NewThing/properties/note/type", Some(json!(["string", "null"]))),
        ("S/NewThing/properties/kind/enum", Some(json!(["a", "b", "c"]))),
        ("S/NewThing/properties/kind/enum", None),
        ("S/NewThing/properties/name/pattern", None),
        ("S/NewThing/properties/name/maxLength", Some(json!(300))),
        ("S/NewThing/properties/size/minimum", Some(json!(-1))),
        ("S/NewThing/properties/note/example", Some(json!("n"))),
        ("S/Thing/properties/colour", Some(json!({"type": "string"}))),
        ("S/Thing/required", Some(json!(["id", "kind", "name", "parts", "state"]))),
        ("S/Thing/properties/kind/type", Some(json!("string"))),
        ("S/Thing/properties/state/enum", Some(json!(["new"]))),
        ("S/Thing/properties/open/x-extensible-enum", Some(json!(["x", "y"]))),
        ("S/Thing/properties/name/maxLength", Some(json!(300))),
    ];
    for (place, value) in table {
        let found = breaks(&small(), &with(place, value.clone()));
        assert!(found.is_empty(), "{place} = {value:?}: {found:?}");
    }
    // A schema by another name, and a parameter written out, are the same to whoever sends and reads.
    let mut named = small();
    named["components"]["schemas"]["NewStuff"] = named["components"]["schemas"]["NewThing"].take();
    named["components"]["schemas"].as_object_mut().unwrap().remove("NewThing");
    let text = named.to_string().replace("schemas/NewThing", "schemas/NewStuff");
    assert!(breaks(&small(), &serde_json::from_str(&text).unwrap()).is_empty());
    let mut inline = small();
    inline["paths"]["/v1/things"]["post"]["parameters"][0] = inline["components"]["parameters"]["Key"].clone();
    assert!(breaks(&small(), &inline).is_empty());
}
