//! Writes the Rust client of some operations of the published document, or says with `--check` whether it is written: the types by typify, a method for each operation beside them.
//!
//! Numbers, lengths and patterns are left to the service, which says clearly what it refuses; what stays is what a compiler can hold a
//! program to: names, kinds, and what is required.

use schemars::schema::Schema;
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, error::Error, fs, path::Path};
use typify::{TypeSpace, TypeSpacePatch, TypeSpaceSettings};

/// Where the document, the list of operations and the client made of them are, from here.
const DOCUMENT: &str = "../../openapi.json";
const OPERATIONS: &str = "../../../crates/erp-simulator/operations.txt";
const CLIENT: &str = "../../../crates/erp-simulator/src/api.rs";
/// What of a schema is a compiler's business.
const KEPT: [&str; 9] = ["type", "format", "description", "properties", "required", "items", "enum", "oneOf", "$ref"];
/// The header that is an argument; the others are the client's own business.
const KEY: &str = "Idempotency-Key";

type Done<T> = Result<T, Box<dyn Error>>;

fn main() -> Done<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (kept, client) = (here.join(CLIENT), generate(here)?);
    if std::env::args().any(|word| word == "--check") {
        return if fs::read_to_string(kept)? == client { Ok(()) } else { Err("the client is not what the document says".into()) };
    }
    Ok(fs::write(kept, client)?)
}

/// The client, as the document says today.
fn generate(here: &Path) -> Done<String> {
    let document: Value = serde_json::from_str(&fs::read_to_string(here.join(DOCUMENT))?)?;
    let wanted = fs::read_to_string(here.join(OPERATIONS))?;
    let mut client = Client { document: &document, schemas: BTreeMap::new() };
    let methods = wanted.lines().map(|id| client.method(id)).collect::<Done<Vec<String>>>()?;
    let mut settings = TypeSpaceSettings::default();
    for (name, _) in client.schemas.iter().filter(|(_, schema)| needs_text_only(schema)) {
        settings.with_patch(name, TypeSpacePatch::default().with_derive("Default"));
    }
    let mut types = TypeSpace::new(&settings);
    let schemas = client.schemas.into_iter().map(|(name, schema)| Ok((name, serde_json::from_value::<Schema>(schema)?)));
    types.add_ref_types(schemas.collect::<Result<Vec<_>, serde_json::Error>>()?)?;
    let text = format!(
        "use crate::client::{{Call, Client, ClientError, encoded}};\n{}\nimpl Client {{ {} }}",
        types.to_stream(),
        methods.concat()
    );
    let code = prettyplease::unparse(&syn::parse_file(&text)?);
    Ok(format!("//! Made from the published document by `make openapi`: do not edit.\n\n{}", tidy(&code)))
}

/// Leaves out the schemas that typify repeats beneath each description, and the long names of what everybody knows.
fn tidy(code: &str) -> String {
    let mut inside = false;
    let mut kept = String::with_capacity(code.len());
    for line in code.lines() {
        inside |= line.contains("<details>");
        if !inside && line.trim() != "///" {
            let line = ["option::Option", "string::String", "vec::Vec"]
                .iter()
                .fold(line.to_owned(), |line, long| line.replace(&format!("::std::{long}"), long.rsplit(':').next().unwrap_or(long)));
            kept.push_str(&line);
            kept.push('\n');
        }
        inside &= !line.contains("</details>");
    }
    kept
}

/// Whether texts are all that a record must have, so that the rest may be left out in Rust too: `..Default::default()`.
fn needs_text_only(schema: &Value) -> bool {
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let plain = |name: &&str| {
        schema
            .pointer(&format!("/properties/{name}"))
            .is_some_and(|s| s.get("enum").is_none() && s.get("type") == Some(&json!("string")) && s.get("format").is_none())
    };
    // Where nothing is required typify says so itself.
    !required.is_empty() && required.iter().all(plain)
}

struct Client<'a> {
    document: &'a Value,
    /// The schemas that are needed, by name.
    schemas: BTreeMap<String, Value>,
}

impl Client<'_> {
    /// An operation as a method: an argument for each part of its path, then its query, its body and its Idempotency-Key.
    fn method(&mut self, id: &str) -> Done<String> {
        let (path, method, operation) = self.operation(id).ok_or_else(|| format!("the document has no operation {id}"))?;
        let (mut arguments, mut call) = (vec!["&self".to_owned()], vec![]);
        let (mut place, mut query, mut has_key) = (path.clone(), Map::new(), false);
        for parameter in operation.get("parameters").and_then(Value::as_array).into_iter().flatten() {
            let parameter = self.resolved(parameter);
            let text = |field: &str| parameter.get(field).and_then(Value::as_str).unwrap_or_default();
            match (text("in"), text("name")) {
                ("path", name) => {
                    arguments.push(format!("{name}: impl std::fmt::Display"));
                    place = place.replace(&format!("{{{name}}}"), "{}");
                    call.push(name.to_owned());
                }
                ("query", name) => {
                    query.insert(name.to_owned(), json!({"type": "string", "description": text("description")}));
                }
                ("header", KEY) => has_key = true,
                _ => {}
            }
        }
        let parts = call.iter().map(|name| format!(", encoded({name})")).collect::<String>();
        let place = if parts.is_empty() { format!("\"{place}\".to_owned()") } else { format!("format!(\"{place}\"{parts})") };
        let mut sent = format!("Call::new(\"{}\", {place})", method.to_uppercase());
        if !query.is_empty() && method == "get" {
            let name = format!("{}Query", pascal(id));
            let about = format!("What `{id}` may be asked.");
            self.schemas.insert(name.clone(), json!({"type": "object", "description": about, "properties": query}));
            arguments.push(format!("query: &{name}"));
            sent.push_str(".query(query)?");
        }
        if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema") {
            arguments.push(format!("body: &{}", self.named(body)?));
            sent.push_str(".body(body)?");
        }
        if has_key {
            arguments.push("key: &str".to_owned());
            sent.push_str(".key(key)");
        }
        let answers = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
        let answer =
            answers.filter(|(status, _)| status.starts_with('2')).find_map(|(_, a)| a.pointer("/content/application~1json/schema"));
        let answer = answer.map_or_else(|| Ok("()".to_owned()), |schema| self.named(schema))?;
        let about = operation.get("summary").and_then(Value::as_str).unwrap_or(id);
        let (name, arguments) = (snake(id), arguments.join(", "));
        Ok(format!(
            "/// {about}: `{} {path}`\npub async fn {name}({arguments}) -> Result<{answer}, ClientError> {{ self.send({sent}).await }}\n",
            method.to_uppercase()
        ))
    }

    fn operation(&self, id: &str) -> Option<(String, String, Value)> {
        let paths = self.document.get("paths")?.as_object()?;
        let all = paths.iter().flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(move |(m, o)| (path, m, o)));
        all.filter(|(_, _, o)| o.get("operationId").and_then(Value::as_str) == Some(id))
            .map(|(p, m, o)| (p.clone(), m.clone(), o.clone()))
            .next()
    }

    fn resolved(&self, value: &Value) -> Value {
        let place = value.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
        place.and_then(|p| self.document.pointer(p)).unwrap_or(value).clone()
    }

    /// The name of a schema that is referred to; it and all it needs are kept.
    fn named(&mut self, schema: &Value) -> Done<String> {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next());
        let name = name.ok_or("a body that has no name")?.to_owned();
        if !self.schemas.contains_key(&name) {
            self.schemas.insert(name.clone(), Value::Null);
            let bare = self.bare(&self.resolved(schema))?;
            self.schemas.insert(name.clone(), bare);
        }
        Ok(name)
    }

    /// What of a schema is a compiler's business, with what it refers to kept.
    fn bare(&mut self, schema: &Value) -> Done<Value> {
        if schema.get("$ref").is_some() {
            self.named(schema)?;
        }
        let mut bare = Map::new();
        for (word, value) in schema.as_object().into_iter().flatten().filter(|(word, _)| KEPT.contains(&word.as_str())) {
            let value = match (word.as_str(), value) {
                ("properties", Value::Object(all)) => {
                    let all = all.iter().map(|(name, schema)| Ok((name.clone(), self.bare(schema)?)));
                    Value::Object(all.collect::<Done<Map<_, _>>>()?)
                }
                ("oneOf", Value::Array(all)) => Value::Array(all.iter().map(|schema| self.bare(schema)).collect::<Done<_>>()?),
                ("items", schema) => self.bare(schema)?,
                (_, value) => value.clone(),
            };
            bare.insert(word.clone(), value);
        }
        Ok(Value::Object(bare))
    }
}

fn snake(id: &str) -> String {
    let upper = |c: char| if c.is_ascii_uppercase() { format!("_{}", c.to_ascii_lowercase()) } else { c.to_string() };
    id.chars().map(upper).collect()
}

fn pascal(id: &str) -> String {
    let mut letters = id.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
