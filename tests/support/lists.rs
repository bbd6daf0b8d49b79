//! Every list of the document with all its records: what memory knows of a database.

use super::{App, app, contract, now};
use reqwest::Method;
use samphan::{config::RateLimit, server};
use samphan_api::openapi;
use samphan_resource::{
    builtin::custom_field::CustomField,
    calendar::{self, Zone},
    filter::Vocabulary,
    scalar::Kind,
    shape::{Field, Shape},
    timestamp::Timestamp,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    sync::OnceLock,
};

/// A list of a resource at one address.
pub struct Listed {
    pub path: String,
    pub shape: &'static Shape,
    /// Its query parameters, by name.
    pub parameters: Vec<&'static str>,
    /// Whether its filter can also be sent as a body.
    pub searched: bool,
    /// Whether it has every record of the resource.
    whole: bool,
    pub records: Vec<Value>,
}

/// Every list, and every record in them.
pub struct Lists {
    pub all: Vec<Listed>,
    /// By resource and id, of the resources of which every record is in one list.
    records: HashMap<(&'static str, String), Value>,
    custom: HashMap<(String, String), Kind>,
}

/// The demo company, in a database that has its administrator already.
pub async fn make_demo(app: &App) {
    let service = server::build(&app::settings(app.database_url(), RateLimit::Off)).await.unwrap();
    samphan::commands::demo::make(service.store()).await.unwrap();
}

/// The names of an operation's query parameters.
pub fn query_parameters(operation: &'static Value) -> impl Iterator<Item = &'static str> {
    let components = &contract::document()["components"]["parameters"];
    let parameters = operation["parameters"].as_array().unwrap().iter().map(|p| match p["$ref"].as_str() {
        Some(reference) => &components[reference.rsplit('/').next().unwrap()],
        None => p,
    });
    parameters.filter(|p| p["in"] == "query").map(|p| p["name"].as_str().unwrap())
}

/// The shapes of all resources, by the name of their type.
fn shapes() -> &'static BTreeMap<&'static str, &'static Shape> {
    static SHAPES: OnceLock<BTreeMap<&'static str, &'static Shape>> = OnceLock::new();
    SHAPES.get_or_init(|| openapi::api().shapes.values().map(|shape| (shape.type_name, *shape)).collect())
}

impl Lists {
    /// Reads all of them; of those below a parent the one that holds the most.
    pub async fn read(app: &App) -> Self {
        let mut made = Self { all: vec![], records: HashMap::new(), custom: HashMap::new() };
        let (mut plain, mut nested) = (vec![], vec![]);
        for (method, path, operation) in contract::operations() {
            let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
            let kind = answer.as_str().and_then(|r| r.rsplit('/').next()).and_then(|name| name.strip_suffix("Page"));
            let Some(shape) = kind.and_then(|kind| shapes().get(kind)).filter(|_| method == Method::GET) else { continue };
            if path.contains('{') { nested.push((path, *shape, operation)) } else { plain.push((path, *shape, operation)) }
        }
        for (path, shape, operation) in plain {
            let records = app.all(path, 200).await;
            made.records.extend(records.iter().map(|r| ((shape.plural, r["id"].as_str().unwrap().to_owned()), r.clone())));
            made.add(path.to_owned(), shape, operation, records);
        }
        for (path, shape, operation) in nested {
            let (before, after) = (path.split_once('{').unwrap().0, path.split_once('}').unwrap().1);
            let parents: Vec<Value> =
                made.all.iter().filter(|l| format!("{}/", l.path) == before).flat_map(|l| l.records.clone()).collect();
            let mut fullest = (String::new(), vec![]);
            for parent in parents {
                let below = format!("{before}{}{after}", parent["id"].as_str().unwrap());
                let records = app.all(&below, 200).await;
                if fullest.0.is_empty() || records.len() > fullest.1.len() {
                    fullest = (below, records);
                }
            }
            if !fullest.0.is_empty() {
                made.add(fullest.0, shape, operation, fullest.1);
            }
        }
        let definitions = made.all.iter().find(|l| l.path == "/v1/custom-fields").unwrap().records.iter();
        let definitions = definitions.map(|r| serde_json::from_value::<CustomField>(r.clone()).unwrap());
        made.custom = definitions.map(|f| ((f.resource, f.key), f.kind.kind())).collect();
        made
    }

    fn add(&mut self, path: String, shape: &'static Shape, operation: &'static Value, records: Vec<Value>) {
        let parameters = query_parameters(operation).collect();
        let searched = contract::document()["paths"].get(format!("{path}/search")).is_some();
        // What is below a parent has its id in the address.
        let whole = contract::document()["paths"].get(&path).is_some();
        self.all.push(Listed { path, shape, parameters, searched, whole, records });
    }

    /// A record of a resource that is listed whole.
    pub fn record(&self, many: &str, id: &Value) -> Option<Value> {
        let many = shapes().values().find(|s| s.plural == many)?.plural;
        self.records.get(&(many, id.as_str()?.to_owned())).cloned()
    }

    /// Whether every record of a resource is in one list.
    pub fn knows(&self, many: &str) -> bool {
        self.all.iter().any(|l| l.shape.plural == many && l.whole)
    }
}

impl Vocabulary for Lists {
    fn shape(&self, many: &str) -> Option<&'static Shape> {
        shapes().values().find(|s| s.plural == many).copied()
    }

    fn custom(&self, many: &str, key: &str) -> Option<Kind> {
        self.custom.get(&(many.to_owned(), key.to_owned())).copied()
    }

    fn custom_keys(&self, many: &str) -> Vec<String> {
        self.custom.keys().filter(|(m, _)| m == many).map(|(_, key)| key.clone()).collect()
    }

    fn may_see(&self, _: &Shape, _: &Field) -> bool {
        true
    }

    fn now(&self) -> Timestamp {
        now()
    }

    fn zone(&self) -> Zone {
        // The demo company's.
        calendar::zone("Asia/Bangkok").unwrap()
    }
}
