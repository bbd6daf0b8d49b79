//! What breaks a client: what it may send no longer, and what it gets otherwise than it knows.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Something a client of the older document would stumble over.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    /// The operation, the event, or the schema and its field: what the changelog names.
    pub subject: String,
    /// What became of it.
    pub what: String,
}

/// Who reads a schema: what is asked may only become wider, what is answered only narrower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    Asked,
    Answered,
}

/// What of an older document no longer holds in a newer one.
pub fn breaks(old: &Value, new: &Value) -> Vec<Break> {
    let mut comparison = Comparison { old, new, found: BTreeSet::new(), seen: HashSet::new() };
    comparison.operations();
    comparison.webhooks();
    comparison.found.into_iter().collect()
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: BTreeSet<Break>,
    seen: HashSet<(String, String, Way)>,
}

/// Every operation by its id, with its method and path.
fn by_id(document: &Value) -> BTreeMap<&str, (String, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, methods)| methods.as_object().into_iter().flatten().map(move |(method, o)| (path, method, o)));
    all.map(|(path, method, o)| (o["operationId"].as_str().unwrap(), (format!("{} {path}", method.to_uppercase()), o))).collect()
}

/// What a reference points at, and its name; what is none is itself.
fn followed<'a>(document: &'a Value, value: &'a Value) -> (Option<&'a str>, &'a Value) {
    match value["$ref"].as_str() {
        Some(pointer) => (pointer.rsplit('/').next(), document.pointer(pointer.trim_start_matches('#')).unwrap()),
        None => (None, value),
    }
}

fn map(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn strings(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::String(one) => BTreeSet::from([one.as_str()]),
        other => other.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    }
}

impl<'a> Comparison<'a> {
    fn note(&mut self, subject: &str, what: impl Into<String>) {
        self.found.insert(Break { subject: subject.to_owned(), what: what.into() });
    }

    fn operations(&mut self) {
        let (old, new) = (by_id(self.old), by_id(self.new));
        for (id, (address, before)) in old {
            let Some((now_at, after)) = new.get(id) else {
                self.note(id, format!("{address} is gone, or has another operationId"));
                continue;
            };
            if address != *now_at {
                self.note(id, format!("{address} is now {now_at}"));
            }
            self.operation(id, before, after);
        }
    }

    fn operation(&mut self, id: &str, old: &'a Value, new: &'a Value) {
        for (what, is) in [("x-permission", "permission"), ("tags", "tag, by which clients group their methods,")] {
            if old[what] != new[what] {
                self.note(id, format!("its {is} was {} and is {}", old[what], new[what]));
            }
        }
        if old["security"] == Value::Array(vec![]) && new["security"] != old["security"] {
            self.note(id, "it was public and is not");
        }
        self.parameters(id, old, new);
        self.body(id, &old["requestBody"], &new["requestBody"]);
        for (status, before) in map(&old["responses"]).filter(|(status, _)| status.starts_with('2')) {
            match new["responses"].get(status) {
                None => self.note(id, format!("it answers {status} no longer")),
                Some(after) => self.answer(id, status, followed(self.old, before).1, followed(self.new, after).1),
            }
        }
    }

    fn parameters(&mut self, id: &str, old: &'a Value, new: &'a Value) {
        let listed = |document: &'a Value, operation: &'a Value| -> BTreeMap<(String, String), &'a Value> {
            let all = operation["parameters"].as_array().into_iter().flatten().map(|p| followed(document, p).1);
            all.map(|p| ((p["in"].to_string(), p["name"].to_string()), p)).collect()
        };
        let (old, new) = (listed(self.old, old), listed(self.new, new));
        for (key, before) in &old {
            let name = before["name"].as_str().unwrap();
            let Some(after) = new.get(key) else {
                self.note(id, format!("its parameter {name} is gone"));
                continue;
            };
            if after["required"] == true && before["required"] != true {
                self.note(id, format!("its parameter {name} is required now"));
            }
            self.schema(id, &before["schema"], &after["schema"], Way::Asked);
        }
        for (_, after) in new.iter().filter(|(key, p)| p["required"] == true && !old.contains_key(key)) {
            self.note(id, format!("it requires a new parameter {}", after["name"]));
        }
    }

    fn body(&mut self, id: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (followed(self.old, old).1, followed(self.new, new).1);
        if new["required"] == true && old["required"] != true {
            self.note(id, "its body is required now");
        }
        for (kind, before) in map(&old["content"]) {
            match new["content"].get(kind) {
                None => self.note(id, format!("it takes {kind} no longer")),
                Some(after) => self.schema(id, &before["schema"], &after["schema"], Way::Asked),
            }
        }
    }

    fn answer(&mut self, id: &str, status: &str, old: &'a Value, new: &'a Value) {
        for (name, _) in map(&old["headers"]).filter(|(name, _)| new["headers"].get(name.as_str()).is_none()) {
            self.note(id, format!("its {status} has no header {name} any more"));
        }
        for (kind, before) in map(&old["content"]) {
            match new["content"].get(kind) {
                None => self.note(id, format!("its {status} is {kind} no longer")),
                Some(after) => self.schema(id, &before["schema"], &after["schema"], Way::Answered),
            }
        }
    }

    fn webhooks(&mut self) {
        for (kind, old) in map(&self.old["webhooks"]) {
            let Some(new) = self.new["webhooks"].get(kind) else {
                self.note(kind, "nobody is told of it any more");
                continue;
            };
            let (old, new) = (&old["post"]["requestBody"], &new["post"]["requestBody"]);
            let (old, new) = (followed(self.old, old).1, followed(self.new, new).1);
            for (media, before) in map(&old["content"]) {
                self.schema(kind, &before["schema"], &new["content"][media]["schema"], Way::Answered);
            }
        }
    }

    fn schema(&mut self, subject: &str, old: &'a Value, new: &'a Value, way: Way) {
        let ((old_name, old), (new_name, new)) = (followed(self.old, old), followed(self.new, new));
        if let (Some(old_name), Some(new_name)) = (old_name, new_name)
            && !self.seen.insert((old_name.to_owned(), new_name.to_owned(), way))
        {
            return;
        }
        let subject = old_name.unwrap_or(subject);
        self.kinds(subject, old, new, way);
        match way {
            Way::Asked => self.narrowed(subject, old, new),
            Way::Answered => self.widened(subject, old, new),
        }
        if let (Some(before), after @ Value::Object(_)) = (old.get("items"), &new["items"]) {
            self.schema(subject, before, after, way);
        }
        self.properties(subject, old_name.is_some(), old, new, way);
    }

    /// Types, and unions, which nobody needs to compare as long as they stay as they are.
    fn kinds(&mut self, subject: &str, old: &Value, new: &Value, way: Way) {
        let (before, after) = (strings(&old["type"]), strings(&new["type"]));
        let whole = |types: &BTreeSet<&str>, t: &&str| types.contains(t) || *t == "integer" && types.contains("number");
        let fits = match way {
            Way::Asked => after.is_empty() || !before.is_empty() && before.iter().all(|t| whole(&after, t)),
            Way::Answered => before.is_empty() || !after.is_empty() && after.iter().all(|t| whole(&before, t)),
        };
        if !fits {
            self.note(subject, format!("its type was {} and is {}", old["type"], new["type"]));
        }
        for union in ["oneOf", "anyOf", "allOf", "const"] {
            if old[union] != new[union] {
                self.note(subject, format!("its {union} is another"));
            }
        }
        let loosened = |key: &str| way == Way::Asked && new.get(key).is_none();
        for key in ["format", "pattern"] {
            // A client that sends is held to what is there, one that reads counts on what was.
            if old[key] != new[key] && !loosened(key) && (way == Way::Asked || old.get(key).is_some()) {
                self.note(subject, format!("its {key} was {} and is {}", old[key], new[key]));
            }
        }
    }

    /// What may be sent no longer.
    fn narrowed(&mut self, subject: &str, old: &Value, new: &Value) {
        if let Some(after) = new["enum"].as_array() {
            let gone: Vec<&Value> = old["enum"].as_array().into_iter().flatten().filter(|v| !after.contains(v)).collect();
            match old["enum"].as_array() {
                None => self.note(subject, "only some values are taken now"),
                Some(_) if !gone.is_empty() => self.note(subject, format!("{gone:?} is taken no longer")),
                Some(_) => {}
            }
        }
        let number = |schema: &Value, key: &str| schema[key].as_f64();
        for key in ["maxLength", "maximum", "maxItems", "maxProperties", "exclusiveMaximum"] {
            if number(new, key).is_some_and(|now| number(old, key).is_none_or(|was| now < was)) {
                self.note(subject, format!("its {key} was {} and is {}", old[key], new[key]));
            }
        }
        for key in ["minLength", "minimum", "minItems", "minProperties", "exclusiveMinimum"] {
            let least = if key.ends_with("inimum") { f64::NEG_INFINITY } else { 0.0 };
            if number(new, key).is_some_and(|now| now > number(old, key).unwrap_or(least)) {
                self.note(subject, format!("its {key} was {} and is {}", old[key], new[key]));
            }
        }
        if new["additionalProperties"] == false && old["additionalProperties"] != false {
            self.note(subject, "other fields are taken no longer");
        }
    }

    /// What may be answered now, and was not.
    fn widened(&mut self, subject: &str, old: &Value, new: &Value) {
        let Some(before) = old["enum"].as_array() else { return };
        match new["enum"].as_array() {
            None => self.note(subject, "it was a closed set and is none"),
            Some(after) if after.iter().any(|v| !before.contains(v)) => self.note(subject, "a closed set has a new value"),
            Some(_) => {}
        }
    }

    fn properties(&mut self, subject: &str, named: bool, old: &'a Value, new: &'a Value, way: Way) {
        let (was, is) = (strings(&old["required"]), strings(&new["required"]));
        // What is within a field of an unnamed schema is the field's.
        let of = |field: &str| if named || !subject.contains('.') { format!("{subject}.{field}") } else { subject.to_owned() };
        for (field, before) in map(&old["properties"]) {
            match new["properties"].get(field) {
                None => self.note(&of(field), "it is gone"),
                Some(after) => self.schema(&of(field), before, after, way),
            }
        }
        match way {
            Way::Asked => is.difference(&was).for_each(|field| self.note(&of(field), "it is required now")),
            Way::Answered => {
                let left = was.difference(&is).filter(|field| new["properties"].get(**field).is_some());
                left.for_each(|field| self.note(&of(field), "it may be missing now"));
            }
        }
    }
}
