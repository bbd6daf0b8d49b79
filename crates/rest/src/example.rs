//! The examples of the document: composed of what fields and resources say, and of what an operation says of its own.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{bulk, collection::Api, operation::Operation};
use actix_web::http::Method;
use samphan_persistence::record::merge;
use samphan_resource::{
    example::{self, DATE, MOMENT, SYSTEM},
    shape::{Shape, Sorting},
    transition,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What an operation's example has of its own, beside what the schemas and the record it is about say.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Its name, where there are several.
    pub name: Option<&'static str>,
    /// What its body says otherwise, as a merge patch.
    pub body: Value,
    /// What its answer says otherwise, as a merge patch.
    pub answer: Value,
    /// The record it is about, when that is not the resource's own example.
    pub id: Option<Uuid>,
    /// Its query parameters.
    pub query: Vec<(&'static str, Value)>,
    /// Operations whose examples come before it.
    pub depends_on: Vec<String>,
    /// Whether others build on what it does: an action is tried with `dry_run` otherwise, so that the story can go on as if it had not been.
    pub persists: bool,
}

impl Example {
    /// With a body.
    #[must_use]
    pub fn body(body: Value) -> Self {
        Self { body, ..Self::default() }
    }

    /// With query parameters.
    #[must_use]
    pub fn query(query: &[(&'static str, &str)]) -> Self {
        Self { query: query.iter().map(|(name, value)| (*name, json!(value))).collect(), ..Self::default() }
    }

    /// With an answer of its own.
    #[must_use]
    pub fn answers(self, answer: Value) -> Self {
        Self { answer, ..self }
    }

    /// About the record that examples call by another name.
    #[must_use]
    pub fn for_record(self, name: &str) -> Self {
        Self { id: Some(example::id(name)), ..self }
    }

    /// After the examples of other operations.
    #[must_use]
    pub fn depends_on(self, operations: &[&str]) -> Self {
        Self { depends_on: operations.iter().map(|&o| o.to_owned()).collect(), ..self }
    }

    /// Others build on what it does.
    #[must_use]
    pub fn persists(self) -> Self {
        Self { persists: true, ..self }
    }
}

/// The record that an operation of a collection is about.
#[derive(Clone, Copy, Debug)]
pub struct Subject {
    /// Its resource.
    pub shape: &'static Shape,
    /// Where it belongs: the field and the resource.
    pub parent: Option<(&'static str, &'static Shape)>,
}

impl Subject {
    /// The id of its example.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.parent.map_or_else(|| example::id(self.shape.plural), |(_, p)| example::id(&format!("{}/{}", p.plural, self.shape.plural)))
    }

    /// What its example says of its own.
    fn record(&self) -> Value {
        let mut record = self.shape.example.clone();
        record["id"] = json!(self.id());
        if let Some((field, parent)) = self.parent {
            record[field] = json!(example::id(parent.plural));
        }
        record
    }
}

/// An example as it is documented.
#[derive(Clone, Debug)]
pub struct RenderedExample {
    /// Its name.
    pub name: String,
    /// The parts of its path, by name.
    pub path: Vec<(String, String)>,
    /// Its query parameters.
    pub query: Vec<(String, Value)>,
    /// Its body.
    pub body: Option<Value>,
    /// Its answer.
    pub answer: Option<Value>,
    /// Operations whose examples come before it.
    pub depends_on: Vec<String>,
    /// Whether it is done for good.
    pub persists: bool,
}

/// What another system calls the example of a resource.
#[must_use]
pub fn external_id(shape: &Shape) -> String {
    format!("{}-1001", shape.singular.chars().take(3).collect::<String>().to_uppercase())
}

/// The examples of an operation; or what is missing for them.
pub fn of(operation: &Operation, api: &Api, schemas: &Map<String, Value>) -> Result<Vec<RenderedExample>, Vec<String>> {
    let own = if operation.examples.is_empty() { vec![Example::default()] } else { operation.examples.clone() };
    let mut composer = Composer { api, schemas, operation, faults: vec![] };
    let all = own.iter().map(|one| composer.render(one)).collect();
    if composer.faults.is_empty() { Ok(all) } else { Err(composer.faults) }
}

/// A whole value of a named schema, with what is given; or what is missing for it.
pub fn of_schema(name: &str, given: &Value, api: &Api, schemas: &Map<String, Value>) -> Result<Value, Vec<String>> {
    let Some(operation) = api.operations.first() else { return Ok(given.clone()) };
    let mut composer = Composer { api, schemas, operation, faults: vec![] };
    let made = composer.fill(name, &json!({"$ref": format!("#/components/schemas/{name}")}), Some(given), true);
    if composer.faults.is_empty() { Ok(made) } else { Err(composer.faults) }
}

struct Composer<'a> {
    api: &'a Api,
    schemas: &'a Map<String, Value>,
    operation: &'a Operation,
    faults: Vec<String>,
}

impl Composer<'_> {
    fn render(&mut self, own: &Example) -> RenderedExample {
        let o = self.operation;
        let path = self.path(own);
        let body = o.body.as_ref().map(|b| b.schema.clone()).map(|schema| self.body(&schema, own));
        let answer = o.answer.clone().map(|schema| self.answer(&schema, own));
        let mut query: Vec<(String, Value)> = own.query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        if let Some(subject) = o.subject.filter(|s| o.answer.as_deref() == Some(&format!("{}Page", s.shape.type_name)))
            && o.method == Method::GET
            && query.is_empty()
        {
            query = list_query(&subject);
        }
        let name = own.name.map_or_else(|| o.id.clone(), str::to_owned);
        // An action moves the record it is about, and others count on where it was.
        let action = o.method == Method::POST && o.path.contains("{id}/") && o.status != 201;
        let kept = own.persists || !(action || o.method == Method::DELETE);
        RenderedExample { name, path, query, body, answer, depends_on: own.depends_on.clone(), persists: kept }
    }

    fn path(&self, own: &Example) -> Vec<(String, String)> {
        let subject = self.operation.subject;
        let names = self.operation.path.split('/').filter_map(|s| s.strip_prefix('{').and_then(|s| s.strip_suffix('}')));
        names
            .map(|name| {
                let value = match (name, subject) {
                    ("id", Some(s)) => own.id.unwrap_or_else(|| s.id()).to_string(),
                    ("system", _) => SYSTEM.to_owned(),
                    ("external_id", Some(s)) => external_id(s.shape),
                    ("number", Some(s)) => {
                        s.shape.field("number").and_then(|f| f.schema["example"].as_str()).unwrap_or_default().to_owned()
                    }
                    ("code", _) => "version_conflict".to_owned(),
                    ("token", _) => "example-token".to_owned(),
                    (other, _) => {
                        let one = other.trim_end_matches("_id");
                        let many = self.api.shapes.values().find(|s| s.singular == one).map_or(one, |s| s.plural);
                        example::id(many).to_string()
                    }
                };
                (name.to_owned(), value)
            })
            .collect()
    }

    /// The record of a schema that is a resource's: the one the operation is about, or that resource's own.
    fn subject(&self, type_name: &str) -> Option<Subject> {
        let own = self.operation.subject.filter(|s| s.shape.type_name == type_name);
        let other = || self.api.shapes.values().find(|s| s.type_name == type_name).map(|shape| Subject { shape, parent: None });
        own.or_else(other)
    }

    fn body(&mut self, schema: &str, own: &Example) -> Value {
        let mut given = json!({});
        let subject = self.operation.subject;
        if schema == "SearchRequest" {
            let asked: Map<String, Value> = subject.iter().flat_map(list_query).filter(|(name, _)| name != "q").collect();
            given = json!(asked);
            // What is text as a parameter is JSON here.
            if let Some(filter) = given["filter"].as_str().and_then(|f| serde_json::from_str(f).ok()) {
                given["filter"] = filter;
            }
            given["limit"] = json!(20);
            over(&mut given, &own.body);
            return given;
        }
        if schema == bulk::ASSIGN_SCHEMA || schema.ends_with("BulkUpdate") {
            return own.body.clone();
        }
        let changes = |s: &Subject| s.shape.example_change.clone();
        if let Some(s) = schema.strip_suffix("Patch").and_then(|name| self.subject(name)) {
            given = changes(&s);
            over(&mut given, &own.body);
            self.expect(given.as_object().is_some_and(|g| !g.is_empty()), "example_change");
            return given;
        }
        if let Some(s) = schema.strip_suffix("Batch").and_then(|name| self.subject(name)) {
            let mut item = changes(&s);
            self.expect(item.as_object().is_some_and(|g| !g.is_empty()), "example_change");
            item["id"] = json!(s.id());
            given = json!({"mode": "update", "items": [item]});
            over(&mut given, &own.body);
            return given;
        }
        if let Some(s) = schema.strip_suffix("Input").and_then(|name| self.subject(name)) {
            given = s.record();
            // What another system makes has no id of ours yet.
            if self.operation.method == Method::PUT {
                given["id"] = Value::Null;
            }
        }
        over(&mut given, &own.body);
        self.fill(schema, &json!({"$ref": format!("#/components/schemas/{schema}")}), Some(&given), false)
    }

    fn answer(&mut self, schema: &str, own: &Example) -> Value {
        let page = schema.strip_suffix("Page").and_then(|name| self.subject(name));
        let mut given = match (&page, self.operation.subject) {
            (Some(s), _) => json!({"data": [s.record()]}),
            (None, Some(s)) if schema == "BatchResults" => {
                let result = json!({"index": 0, "status": "updated", "id": s.id(), "version": 2});
                json!({"results": [result], "summary": {"received": 1, "updated": 1}})
            }
            _ => self.subject(schema).map_or(json!({}), |s| s.record()),
        };
        if let (Some(id), Some(_)) = (own.id, self.subject(schema)) {
            given["id"] = json!(id);
        }
        over(&mut given, &own.answer);
        self.fill(schema, &json!({"$ref": format!("#/components/schemas/{schema}")}), Some(&given), true)
    }

    fn expect(&mut self, holds: bool, what: &str) {
        if !holds {
            self.faults.push(format!("{}: no {what} for its example", self.operation.id));
        }
    }

    /// A value of a schema, with what is given: whole for an answer; for a request what is needed and what has an example.
    fn fill(&mut self, name: &str, schema: &Value, given: Option<&Value>, whole: bool) -> Value {
        if let Some(target) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
            let Some(found) = self.schemas.get(target) else { return Value::Null };
            let record = if given.is_none() { self.subject(target).map(|s| s.record()) } else { None };
            let mut made = self.fill(name, found, given.or(record.as_ref()), whole);
            if let Some(s) = self.subject(target).filter(|_| whole && found["properties"].get("available_actions").is_some()) {
                let status = s.shape.status.and_then(|field| made[field].as_str()).unwrap_or_default();
                made["available_actions"] = json!(transition::verbs(s.shape.transitions, status).collect::<Vec<_>>());
            }
            return made;
        }
        match (given, schema["properties"].as_object(), schema.get("items")) {
            (Some(Value::Object(given)), Some(properties), _) => self.object(schema, properties, given, whole),
            (Some(Value::Array(given)), _, Some(items)) => given.iter().map(|one| self.fill(name, items, Some(one), whole)).collect(),
            (Some(given), ..) => given.clone(),
            (None, ..) if schema.get("example").is_some() => schema["example"].clone(),
            (None, ..) if is(schema, "null") => Value::Null,
            (None, Some(properties), _) => self.object(schema, properties, &Map::new(), whole),
            (None, _, Some(items)) => {
                if whole || schema["minItems"].as_u64().is_none_or(|n| n == 0) {
                    json!([])
                } else {
                    json!([self.fill(name, items, None, whole)])
                }
            }
            (None, ..) => self.scalar(name, schema),
        }
    }

    fn object(&mut self, schema: &Value, properties: &Map<String, Value>, given: &Map<String, Value>, whole: bool) -> Value {
        let needed = |name: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|r| r == name));
        let mut made = Map::new();
        for (name, field) in properties {
            match given.get(name) {
                // Nothing: null in an answer, left out of a request.
                Some(Value::Null) if whole || needed(name) => made.insert(name.clone(), Value::Null),
                Some(Value::Null) => continue,
                given @ Some(_) => made.insert(name.clone(), self.fill(name, field, given, whole)),
                None if needed(name) || field.get("example").is_some() => made.insert(name.clone(), self.fill(name, field, None, whole)),
                None => continue,
            };
        }
        Value::Object(made)
    }

    fn scalar(&mut self, name: &str, schema: &Value) -> Value {
        let options = schema["enum"].as_array().or_else(|| schema["x-extensible-enum"].as_array());
        if let Some(first) = options.and_then(|all| all.first()) {
            return first.clone();
        }
        match schema["format"].as_str() {
            Some("uuid") => {
                let many = schema["x-reference"].as_str().map(str::to_owned);
                return json!(example::id(&many.unwrap_or_else(|| format!("{}s", name.trim_end_matches("_id")))));
            }
            Some("date-time") => return json!(MOMENT),
            Some("date") => return json!(DATE),
            _ => {}
        }
        if schema["pattern"].as_str().is_some_and(|p| p.contains("[0-9]{1,15}")) {
            return json!(if schema["x-decimal"] == "amount" { "0.00" } else { "0" });
        }
        if is(schema, "boolean") {
            return json!(false);
        }
        if is(schema, "integer") {
            return json!(schema["minimum"].as_i64().unwrap_or_default().max(if name == "version" { 1 } else { 0 }));
        }
        if is(schema, "object") {
            return json!({});
        }
        self.expect(!is(schema, "string"), &format!("`{name}`"));
        Value::Null
    }
}

/// Puts what an example says of its own over what is composed.
fn over(given: &mut Value, own: &Value) {
    if own.is_object() {
        merge(given, own);
    }
}

fn is(schema: &Value, kind: &str) -> bool {
    schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.iter().any(|t| t == kind))
}

/// How a list is asked for the record: by what it says, in an order, and by a word of its own.
fn list_query(subject: &Subject) -> Vec<(String, Value)> {
    let (shape, record) = (subject.shape, subject.record());
    let said = |name: &str| {
        let field = shape.field(name)?;
        let own = record.get(name).or_else(|| field.schema.get("example").filter(|_| !field.read_only));
        own.filter(|v| v.is_string() || v.is_boolean() || v.is_number()).cloned()
    };
    let mut all = vec![];
    let named = shape.fields.iter().filter(|f| f.filter && f.name != "id").filter_map(|f| Some((f.name, said(f.name)?)));
    let leaves: Vec<Value> = named.take(3).map(|(name, value)| json!({"field": name, "op": "eq", "value": value})).collect();
    match leaves.as_slice() {
        [] => {}
        [one] => all.push(("filter".to_owned(), json!(one.to_string()))),
        several => all.push(("filter".to_owned(), json!(json!({"all": several}).to_string()))),
    }
    let own = shape.fields.iter().filter(|f| f.sorting != Sorting::No && f.name != "id");
    let first = own.clone().find(|f| !f.name.ends_with("_at")).or_else(|| own.clone().next());
    all.extend(first.map(|f| ("sort".to_owned(), json!(f.name))));
    let words = shape.fields.iter().filter(|f| f.searched).find_map(|f| said(f.name)?.as_str().map(str::to_owned));
    all.extend(words.and_then(|w| w.split_whitespace().next().map(str::to_owned)).map(|word| ("q".to_owned(), json!(word))));
    all
}
