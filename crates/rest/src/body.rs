//! Bodies: read strictly (`strict`), held against the published schema, then read into types.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::strict;
use jsonschema::{PatternOptions, Validator, error::ValidationErrorKind as Kind};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, MAX_FIELD_ERRORS, Result, step},
    money,
    scalar::{self, date},
    text,
    timestamp::Timestamp,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The format by which texts of one line are checked.
const LINE: &str = "x-line";
/// Deepest nesting of a body.
const DEPTH: usize = 64;

/// Reads bytes into one JSON value: UTF-8, not too deep.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    std::str::from_utf8(bytes).map_err(|_| Error::from(Code::MalformedJson).with_detail("not UTF-8"))?;
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEPTH {
                    return Err(Code::TooDeep.into());
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    strict::parse(bytes)
}

/// Brings text to NFC and whole numbers to integers; names text that holds NUL, which PostgreSQL cannot keep.
pub fn clean(value: &mut Value, at: &str, faults: &mut Vec<FieldError>) {
    match value {
        Value::String(s) => {
            if s.contains('\0') && faults.len() < MAX_FIELD_ERRORS {
                faults.push(FieldError::new(at, FieldCode::NulCharacter, ""));
            } else if let std::borrow::Cow::Owned(composed) = text::nfc(s) {
                *s = composed;
            }
        }
        Value::Number(n) => {
            // To JSON Schema 69.0 is an integer; to the types it is not.
            if let (false, Some(f)) = (n.is_i64() || n.is_u64(), n.as_f64())
                && f.fract() == 0.0
                && f.abs() < 9e15
            {
                #[expect(clippy::cast_possible_truncation, reason = "it is whole and within 2^53")]
                let whole = f as i64;
                *value = Value::from(whole);
            }
        }
        Value::Array(all) => all.iter_mut().enumerate().for_each(|(i, v)| clean(v, &format!("{at}/{i}"), faults)),
        Value::Object(map) => {
            if faults.len() < MAX_FIELD_ERRORS && map.keys().any(|k| k.contains('\0')) {
                faults.push(FieldError::new(at, FieldCode::NulCharacter, ""));
            }
            map.iter_mut().for_each(|(k, v)| clean(v, &format!("{at}/{}", step(k)), faults));
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Reads a body into a type. The schema was checked, so what fails here is a rule only the type knows.
pub fn typed<T: DeserializeOwned>(body: &Map<String, Value>) -> Result<T> {
    from_value(Value::Object(body.clone()))
}

/// A value as a type; it fits the published schema already.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|e| Error::invalid(FieldError::new("", FieldCode::InvalidValue, e.to_string())))
}

/// The name under which a batch is checked without its items: they are checked one by one, so that one bad item fails alone.
#[must_use]
pub fn envelope(schema: &str) -> String {
    format!("{schema}{ENVELOPE}")
}

const ENVELOPE: &str = " without items";

/// The published schemas as validators, each compiled when it is first needed.
#[derive(Debug)]
pub struct Validators {
    components: Value,
    compiled: RwLock<HashMap<String, Arc<Compiled>>>,
}

/// A published schema, ready to be used.
#[derive(Debug)]
struct Compiled {
    schema: Value,
    validator: Validator,
    /// Whether it has texts that are kept in a form of their own.
    has_forms: bool,
}

impl Validators {
    /// Of the document's components.
    #[must_use]
    pub fn of(document: &Value) -> Self {
        Self { components: document["components"]["schemas"].clone(), compiled: RwLock::default() }
    }

    fn get(&self, name: &str) -> Result<Arc<Compiled>> {
        if let Some(found) = self.compiled.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Arc::clone(found));
        }
        let published = name.strip_suffix(ENVELOPE).unwrap_or(name);
        let mut schema = resolved(self.components.get(published).unwrap_or(&Value::Null), &self.components, 0);
        if published != name {
            let lists = schema["properties"].as_object_mut().into_iter().flat_map(Map::values_mut);
            for list in lists.filter(|list| list["items"]["type"] == "object") {
                list["items"] = json!({});
            }
        }
        let validator = jsonschema::options()
            .with_pattern_options(PatternOptions::regex())
            .should_validate_formats(true)
            .with_format("date-time", |s: &str| Timestamp::parse(s).is_ok())
            .with_format("date", |s: &str| date(s).is_some())
            .with_format(text::VISIBLE, text::is_visible)
            .with_format(LINE, text::is_line)
            .with_format("x-decimal", |s: &str| money::parse(s).is_ok())
            .with_format("x-decimal-unsigned", |s: &str| !s.starts_with('-') && money::parse(s).is_ok())
            .build(&schema)
            .map_err(|error| {
                tracing::error!(%error, name, "schema");
                Error::from(Code::Internal)
            })?;
        let has_forms = has_forms(&schema);
        let made = Arc::new(Compiled { schema, validator, has_forms });
        self.compiled.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// The faults of a value against the published schema of that name; pointers begin with `at`. In a value without faults, identifiers
    /// are brought to their one form: nothing else sees a body before.
    pub fn faults(&self, name: &str, value: &mut Value, at: &str) -> Result<Vec<FieldError>> {
        let found = self.get(name)?;
        let (schema, validator) = (&found.schema, &found.validator);
        if validator.is_valid(value) {
            if found.has_forms {
                normalise(schema, value);
            }
            return Ok(vec![]);
        }
        let mut faults = vec![];
        for error in validator.iter_errors(value).take(MAX_FIELD_ERRORS) {
            let pointer = format!("{at}{}", error.instance_path());
            faults.extend(fault(pointer, &error, schema));
        }
        Ok(faults)
    }
}

/// Whether a schema has identifiers somewhere.
fn has_forms(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => map.contains_key("x-visible") || map.values().any(has_forms),
        Value::Array(all) => all.iter().any(has_forms),
        _ => false,
    }
}

/// Brings the identifiers of a value to their one form.
fn normalise(schema: &Value, value: &mut Value) {
    match value {
        Value::String(typed) if schema["x-visible"] == true => {
            let kept = text::identifier(typed);
            if kept != typed.as_str() {
                *typed = kept.into_owned();
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|one| normalise(&schema["items"], one)),
        Value::Object(map) => {
            for (name, one) in map {
                match &schema["properties"][name] {
                    Value::Null => normalise(&schema["additionalProperties"], one),
                    own => normalise(own, one),
                }
            }
        }
        _ => {}
    }
}

/// Whether a schema is of texts of one line: those for which nothing else is said, neither by a format nor a closed set.
fn is_line(schema: &Map<String, Value>) -> bool {
    let is_text = match schema.get("type") {
        Some(Value::Array(all)) => all.iter().any(|t| t == "string"),
        Some(one) => one == "string",
        None => false,
    };
    is_text && !["format", "enum", "x-multiline"].iter().any(|word| schema.contains_key(*word))
}

/// The schema with every reference replaced by what it points at; what no keyword says gets a format of its own to be checked by.
fn resolved(schema: &Value, components: &Value, depth: usize) -> Value {
    match schema {
        // The filter language is the one recursive schema; its own parser checks it.
        _ if depth > 20 => json!({}),
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
                return match name {
                    "Filter" => json!({"type": "object"}),
                    _ => resolved(components.get(name).unwrap_or(&Value::Null), components, depth + 1),
                };
            }
            let mut out: Map<String, Value> = map.iter().map(|(k, v)| (k.clone(), resolved(v, components, depth + 1))).collect();
            if out.contains_key("x-visible") {
                out.insert("format".into(), json!(text::VISIBLE));
            }
            if is_line(&out) {
                out.insert("format".into(), json!(LINE));
            }
            if out.contains_key("x-decimal") {
                let unsigned = out.remove("pattern").is_some_and(|p| p == money::PATTERN_UNSIGNED);
                out.insert("format".into(), json!(if unsigned { "x-decimal-unsigned" } else { "x-decimal" }));
            }
            Value::Object(out)
        }
        Value::Array(all) => Value::Array(all.iter().map(|v| resolved(v, components, depth)).collect()),
        other => other.clone(),
    }
}

fn fault(at: String, error: &jsonschema::ValidationError<'_>, schema: &Value) -> Vec<FieldError> {
    let sent = error.instance().as_str().unwrap_or_default();
    let here = || schema.pointer(error.schema_path().as_str().rsplit_once('/').map_or("", |(parent, _)| parent));
    let one = |code: FieldCode, about: String| vec![FieldError::new(at.clone(), code, about)];
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known: Vec<String> = here().and_then(|s| s["properties"].as_object()).into_iter().flat_map(|p| p.keys().cloned()).collect();
            let named = |name: &String| {
                FieldError::new(format!("{at}/{}", step(name)), FieldCode::UnknownField, "").with_suggestion(name, known.clone())
            };
            unexpected.iter().take(MAX_FIELD_ERRORS).map(named).collect()
        }
        Kind::Required { property } => {
            vec![FieldError::new(format!("{at}/{}", property.as_str().unwrap_or_default()), FieldCode::Required, "")]
        }
        Kind::Enum { options } => {
            let options = options.as_array().into_iter().flatten().filter_map(Value::as_str);
            vec![FieldError::new(at, FieldCode::UnknownValue, "").with_suggestion(sent, options)]
        }
        Kind::Type { .. } if error.instance().is_null() => one(FieldCode::NullNotAllowed, String::new()),
        Kind::Type { .. } => {
            let types = here().map(|s| &s["type"]).map(|t| match t {
                Value::Array(all) => all.iter().filter_map(Value::as_str).filter(|t| *t != "null").collect::<Vec<_>>().join(" or "),
                one => one.as_str().unwrap_or_default().to_owned(),
            });
            one(FieldCode::WrongType, types.unwrap_or_default())
        }
        Kind::MaxLength { limit } => one(FieldCode::TooLong, limit.to_string()),
        Kind::MinLength { limit } => one(FieldCode::TooShort, limit.to_string()),
        Kind::Maximum { limit } | Kind::ExclusiveMaximum { limit } => one(FieldCode::TooLarge, limit.to_string()),
        Kind::Minimum { limit } | Kind::ExclusiveMinimum { limit } => one(FieldCode::TooSmall, limit.to_string()),
        Kind::MaxItems { limit } | Kind::MaxProperties { limit } => one(FieldCode::TooManyItems, limit.to_string()),
        Kind::MinItems { limit } | Kind::MinProperties { limit } => one(FieldCode::TooFewItems, limit.to_string()),
        Kind::UniqueItems => one(FieldCode::Repeated, String::new()),
        Kind::Pattern { pattern } => one(FieldCode::InvalidFormat, pattern.clone()),
        Kind::Format { format } => {
            let kind = match format.as_str() {
                "date-time" => scalar::Kind::Time,
                "date" => scalar::Kind::Date,
                "x-decimal" | "x-decimal-unsigned" => scalar::Kind::Decimal { least: 2 },
                "uuid" => scalar::Kind::Id,
                text::VISIBLE => return one(FieldCode::InvisibleCharacter, String::new()),
                LINE => return one(FieldCode::NotOneLine, String::new()),
                other => return one(FieldCode::InvalidFormat, other.to_owned()),
            };
            match kind.parse(sent) {
                Ok(_) if format == "x-decimal-unsigned" => one(FieldCode::TooSmall, "0".to_owned()),
                Ok(_) => one(FieldCode::InvalidFormat, kind.expects().to_owned()),
                Err((code, about)) => one(code, about.to_owned()),
            }
        }
        other => one(FieldCode::InvalidValue, other.keyword().to_owned()),
    }
}
