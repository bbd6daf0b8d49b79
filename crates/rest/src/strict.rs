//! JSON whose objects have each name once. A reader of such JSON takes the first or the last of two, and one that checked the other let
//! it pass: so it is refused, with the place.

use samphan_resource::error::{Code, Error, FieldCode, FieldError, Result, step};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::RefCell, fmt};

/// Reads bytes into one value.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let twice = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(&twice).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|e| {
        let malformed = Error::from(Code::MalformedJson).with_detail(format!("line {} column {}", e.line(), e.column()));
        match twice.take() {
            Some(steps) => {
                let pointer = steps.iter().rev().map(|name: &String| format!("/{}", step(name))).collect::<String>();
                malformed.with_field_errors(vec![FieldError::new(pointer, FieldCode::Repeated, "")])
            }
            None => malformed,
        }
    })
}

/// Reads a value. Where a name stands twice the steps to it are gathered on the way out, the last first.
struct Strict<'a>(&'a RefCell<Option<Vec<String>>>);

impl Strict<'_> {
    fn passed(&self, name: impl FnOnce() -> String) {
        if let Some(steps) = &mut *self.0.borrow_mut() {
            steps.push(name());
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = vec![];
        loop {
            match items.next_element_seed(Strict(self.0)) {
                Ok(Some(item)) => all.push(item),
                Ok(None) => return Ok(Value::Array(all)),
                Err(error) => {
                    self.passed(|| all.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = fields.next_key::<String>()? {
            if all.contains_key(&name) {
                self.0.replace(Some(vec![name]));
                return Err(A::Error::custom("a name stands twice"));
            }
            match fields.next_value_seed(Strict(self.0)) {
                Ok(value) => all.insert(name, value),
                Err(error) => {
                    self.passed(|| name);
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn name_that_stands_twice_is_refused_with_its_place() {
        for (text, pointer) in [
            (r#"{"a": 1, "a": 1}"#, "/a"),
            (r#"{"a": 1, "\u0061": 2}"#, "/a"),
            (r#"{"items": [{"x": 1}, {"a/b": {"c": 1, "d": 2, "c": 3}}]}"#, "/items/1/a~1b/c"),
            (r#"[{"a": null, "b": {}, "a": null}]"#, "/0/a"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                (error.code, error.errors[0].pointer.as_str(), error.errors[0].code),
                (Code::MalformedJson, pointer, FieldCode::Repeated)
            );
        }
        // The same name in another object is another.
        let text = r#"{"a": {"a": [1, -2, 3.5, 18446744073709551615]}, "b": [{"a": true}, {"a": null}], "c": "\u0e01"}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        for text in ["", "{", "{\"a\"}", "[1,]", "{} {}", "nul", "\"\\ud800\""] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert!(error.code == Code::MalformedJson && error.errors.is_empty(), "{text}");
        }
        assert_eq!(parse(b" {} ").unwrap(), json!({}));
    }
}
