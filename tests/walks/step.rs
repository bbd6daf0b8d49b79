//! One operation, as it is published.

use crate::support::{
    contract::{document, operations},
    request::Request,
    *,
};
use reqwest::Method;
use samphan_resource::shape::Shape;
use std::{collections::BTreeMap, sync::OnceLock};

/// One operation, as it is published.
#[derive(Clone, Copy)]
pub struct Step {
    pub id: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub operation: &'static Value,
}

impl Step {
    pub fn all() -> Vec<Self> {
        let paths = document()["paths"].as_object().unwrap().iter();
        let all = paths.flat_map(|(path, methods)| {
            methods.as_object().unwrap().iter().map(move |(method, operation)| Self {
                id: operation["operationId"].as_str().unwrap(),
                method,
                path,
                operation,
            })
        });
        let all: Vec<Self> = all.collect();
        assert!(all.len() > 200 && all.len() == operations().count(), "{}", all.len());
        all
    }

    /// The operation of that method at that path.
    pub fn at(method: &str, path: &str) -> Option<Self> {
        Self::all().into_iter().find(|s| s.method == method && s.path == path)
    }

    pub fn is_public(&self) -> bool {
        self.operation["security"] == json!([])
    }

    pub fn permission(&self) -> Option<&'static str> {
        self.operation["x-permission"].as_str()
    }

    /// The permissions it needs beside its own, whenever it does.
    pub fn also_needs(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.operation["x-also-needs"].as_array().into_iter().flatten().filter_map(|a| a["permission"].as_str())
    }

    pub fn method(&self) -> Method {
        self.method.to_uppercase().parse().unwrap()
    }

    /// The schema of its body.
    pub fn taken(&self) -> Option<&'static Value> {
        self.operation.get("requestBody").map(|b| schema(&b["content"]["application/json"]["schema"]))
    }

    /// Whether it has a parameter of that name.
    pub fn has(&self, name: &str) -> bool {
        let all = self.operation["parameters"].as_array().into_iter().flatten();
        all.map(schema).any(|p| p["name"].as_str().is_some_and(|n| n.eq_ignore_ascii_case(name)))
    }

    /// Whether it writes.
    pub fn writes(&self) -> bool {
        self.has("dry_run")
    }

    /// The list that each id in its path is of; nothing for a name such as a code.
    pub fn places(&self) -> Vec<Option<&'static str>> {
        let braces = self.path.match_indices("/{").map(|(at, _)| &self.path[..at]);
        braces.map(|base| lists().get_key_value(base).map(|(path, _)| *path)).collect()
    }

    /// Its path for what these name.
    pub fn filled(&self, names: &[String]) -> String {
        let mut names = names.iter();
        let part = |s: &str| if s.starts_with('{') { encoded(names.next().unwrap()) } else { s.to_owned() };
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// A request for what these name, with more in its query.
    pub fn ask_for(&self, app: &App, names: &[String], query: &str, body: Option<&Value>) -> Request {
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let request = app.ask(self.method(), &(self.filled(names) + &query));
        match body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// A request with ids of nothing and the smallest body, or this one.
    pub fn ask(&self, app: &App, body: Option<&Value>) -> Request {
        let nothing: Vec<String> = self.path.matches('{').map(|_| random_id()).collect();
        let smallest = json!({"mode": "create", "items": [{}]});
        self.ask_for(app, &nothing, "", self.taken().map(|_| body.unwrap_or(&smallest)))
    }
}

/// A part of the document, followed if it is a reference.
pub fn schema(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str().and_then(|r| r.strip_prefix('#')) {
        Some(pointer) => document().pointer(pointer).unwrap(),
        None => value,
    }
}

/// Every resource by its plural.
pub fn shapes() -> &'static BTreeMap<&'static str, &'static Shape> {
    static SHAPES: OnceLock<BTreeMap<&'static str, &'static Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| samphan_api::openapi::api().shapes.into_iter().collect())
}

/// The lists there are, by path: of which resource.
pub fn lists() -> &'static BTreeMap<&'static str, &'static Shape> {
    static LISTS: OnceLock<BTreeMap<&'static str, &'static Shape>> = OnceLock::new();
    LISTS.get_or_init(|| {
        let all = Step::all().into_iter().filter(|s| s.method == "get");
        let of = |step: &Step| {
            let answered = step.operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str()?;
            let name = answered.rsplit('/').next()?.strip_suffix("Page")?;
            shapes().values().copied().find(|s| s.type_name == name)
        };
        all.filter_map(|step| Some((step.path, of(&step)?))).collect()
    })
}
