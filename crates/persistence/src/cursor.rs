//! Cursors: opaque, signed, never expiring, bound to the query they came from.

use crate::{error::Result, store::Store};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use samphan_domain::{
    error::{Code, Error},
    instant::Instant,
    page::Position,
    scalar::{Scalar, date},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Bytes of the signature kept.
const SIGNATURE: usize = 16;

/// What a cursor is bound to: everything that decides which rows come in which order.
#[must_use]
pub fn binding(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hash.finalize().iter().copied().take(12).collect::<Vec<u8>>())
}

impl Store {
    /// Writes a cursor.
    #[must_use]
    pub fn write_cursor(&self, binding: &str, at: &Position) -> String {
        let keys: Vec<Value> = at.keys.iter().map(write).collect();
        let body = json!([binding, at.id, keys]).to_string().into_bytes();
        let mut sealed = self.sign(&body);
        sealed.extend(body);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Reads a cursor that was written for the same query.
    pub fn read_cursor(&self, binding: &str, text: &str) -> Result<Position> {
        self.open_cursor(binding, text).ok_or_else(|| Error::from(Code::InvalidCursor))
    }

    fn open_cursor(&self, binding: &str, text: &str) -> Option<Position> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (signature, body) = sealed.split_at_checked(SIGNATURE)?;
        if self.sign(body) != signature {
            return None;
        }
        let (bound, id, keys): (String, Uuid, Vec<Value>) = serde_json::from_slice(body).ok()?;
        let keys = keys.iter().map(read).collect::<Option<Vec<Scalar>>>()?;
        (bound == binding).then_some(Position { keys, id })
    }

    fn sign(&self, body: &[u8]) -> Vec<u8> {
        // HMAC takes a key of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.cursor_key) else { return vec![] };
        mac.update(body);
        mac.finalize().into_bytes().iter().copied().take(SIGNATURE).collect()
    }
}

fn write(value: &Scalar) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => json!({"b": b}),
        Scalar::Int(n) => json!({"n": n}),
        Scalar::Text(t) => json!({"s": t}),
        Scalar::Id(id) => json!({"u": id}),
        Scalar::Time(t) => json!({"t": t.micros()}),
        Scalar::Date(d) => json!({"d": d.to_string()}),
        Scalar::Bytes(b) => json!({"k": URL_SAFE_NO_PAD.encode(b)}),
    }
}

fn read(value: &Value) -> Option<Scalar> {
    let Value::Object(map) = value else { return Some(Scalar::Null) };
    let (name, value) = map.iter().next()?;
    match name.as_str() {
        "b" => value.as_bool().map(Scalar::Bool),
        "n" => value.as_i64().map(Scalar::Int),
        "s" => value.as_str().map(|s| Scalar::Text(s.to_owned())),
        "u" => value.as_str().and_then(|s| Uuid::parse_str(s).ok()).map(Scalar::Id),
        "t" => value.as_i64().and_then(Instant::from_micros).map(Scalar::Time),
        "d" => value.as_str().and_then(date).map(Scalar::Date),
        "k" => value.as_str().and_then(|s| URL_SAFE_NO_PAD.decode(s).ok()).map(Scalar::Bytes),
        _ => None,
    }
}
