//! Holds every answer of every test against the document that is published.

use super::Answer;
use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

/// The document, as the program writes it.
pub fn document() -> &'static Value {
    samphan_api::openapi::published().unwrap()
}

/// Every operation: method, path and description.
pub fn operations() -> impl Iterator<Item = (Method, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods.iter().map(move |(method, operation)| (method.to_uppercase().parse().unwrap(), path.as_str(), operation))
    })
}

fn fits(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(&path).all(|(p, s)| p.starts_with('{') || p == s)
}

/// Insists that an answer is what the document says of its operation and status.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let path = path.split('?').next().unwrap_or_default();
    if answer.status >= 400 {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        assert_eq!(answer.body["status"], answer.status, "{answer:?}");
        assert!(!answer.header("x-request-id").is_empty() && answer.body["request_id"] == answer.header("x-request-id"), "{answer:?}");
        return conforms("Problem", answer);
    }
    let mut found: Vec<_> = operations().filter(|(m, p, _)| m == method && fits(p, path)).collect();
    found.sort_by_key(|(_, p, _)| p.matches('{').count());
    let Some((_, _, operation)) = found.first() else { return };
    let response = &operation["responses"][answer.status.to_string()];
    assert!(response.is_object(), "{} answers {}, which is not in the document", answer.what, answer.status);
    if response["content"]["text/csv"].is_object() {
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("text/csv; charset=utf-8", "no-store"), "{answer:?}");
        assert!(answer.header("content-disposition").starts_with("attachment; filename="), "{answer:?}");
        // As many cells in every line as there are names.
        answer.rows();
        return;
    }
    match response["content"]["application/json"]["schema"]["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        Some(schema) => {
            assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
            assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
            conforms(schema, answer);
        }
        None => assert!(answer.text.is_empty(), "{answer:?}"),
    }
}

fn conforms(schema: &str, answer: &Answer) {
    fits_schema(schema, &answer.body, &answer.what);
}

/// Insists that a value is what a named schema of the document says.
pub fn fits_schema(schema: &str, value: &Value, what: &str) {
    static COMPILED: OnceLock<Mutex<HashMap<String, Arc<Validator>>>> = OnceLock::new();
    let mut compiled = COMPILED.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    let validator = compiled.entry(schema.to_owned()).or_insert_with(|| {
        let whole = json!({"$ref": format!("#/components/schemas/{schema}"), "components": document()["components"]});
        Arc::new(jsonschema::options().should_validate_formats(true).build(&whole).unwrap())
    });
    let validator = Arc::clone(validator);
    drop(compiled);
    let faults: Vec<String> = validator.iter_errors(value).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(faults.is_empty(), "{what} is no {schema}: {}", faults.join("; "));
}
