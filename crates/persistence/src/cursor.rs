//! Cursors: opaque, signed, never expiring, bound to the query they came from.

use crate::{error::Result, store::Store};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use samphan_resource::{
    error::{Code, Error},
    page::Position,
    scalar::{Scalar, date},
    timestamp::Timestamp,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The kind of the keys that sign cursors.
pub const CURSOR_KEYS: &str = "cursors";
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
        seal(self.keys(CURSOR_KEYS).first().map_or(&[], Vec::as_slice), binding, at)
    }

    /// Reads a cursor that was written for the same query.
    pub fn read_cursor(&self, binding: &str, text: &str) -> Result<Position> {
        let keys = self.keys(CURSOR_KEYS);
        keys.iter().find_map(|key| open(key, binding, text)).ok_or_else(|| Error::from(Code::InvalidCursor))
    }
}

fn seal(key: &[u8], binding: &str, at: &Position) -> String {
    let keys: Vec<Value> = at.keys.iter().map(write).collect();
    let body = json!([binding, at.id, keys]).to_string().into_bytes();
    let mut sealed: Vec<u8> = mac(key, &body).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default();
    sealed.truncate(SIGNATURE);
    sealed.extend(body);
    URL_SAFE_NO_PAD.encode(sealed)
}

fn open(key: &[u8], binding: &str, text: &str) -> Option<Position> {
    let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (signature, body) = sealed.split_at_checked(SIGNATURE)?;
    mac(key, body)?.verify_truncated_left(signature).ok()?;
    let (bound, id, keys): (String, Uuid, Vec<Value>) = serde_json::from_slice(body).ok()?;
    let keys = keys.iter().map(read).collect::<Option<Vec<Scalar>>>()?;
    (bound == binding).then_some(Position { keys, id })
}

fn mac(key: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    // HMAC takes a key of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(body);
    Some(mac)
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
        "t" => value.as_i64().and_then(Timestamp::from_micros).map(Scalar::Time),
        "d" => value.as_str().and_then(date).map(Scalar::Date),
        "k" => value.as_str().and_then(|s| URL_SAFE_NO_PAD.decode(s).ok()).map(Scalar::Bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::Index};

    const KEY: &[u8] = b"a key";

    fn position() -> impl Strategy<Value = Position> {
        let key = prop_oneof![
            Just(Scalar::Null),
            any::<bool>().prop_map(Scalar::Bool),
            any::<i64>().prop_map(Scalar::Int),
            any::<String>().prop_map(Scalar::Text),
            any::<u128>().prop_map(|n| Scalar::Id(Uuid::from_u128(n))),
            (-2_000_000_000_000_000..7_000_000_000_000_000_i64).prop_map(|n| Scalar::Time(Timestamp::from_micros(n).unwrap())),
            (1900..2200, 1..13, 1..29).prop_map(|(y, m, d)| Scalar::Date(date(&format!("{y}-{m:02}-{d:02}")).unwrap())),
            vec(any::<u8>(), 0..20).prop_map(Scalar::Bytes),
        ];
        (vec(key, 0..4), any::<u128>()).prop_map(|(keys, id)| Position { keys, id: Uuid::from_u128(id) })
    }

    proptest! {
        #[test]
        fn a_cursor_is_read_as_it_was_written_by_the_same_query_alone(at in position(), binding: String, other: String, key: Vec<u8>) {
            let cursor = seal(KEY, &binding, &at);
            prop_assert_eq!(open(KEY, &binding, &cursor), Some(at));
            prop_assert!(other == binding || open(KEY, &other, &cursor).is_none());
            prop_assert!(key == KEY || open(&key, &binding, &cursor).is_none());
        }

        #[test]
        fn a_cursor_with_any_character_changed_cut_or_added_is_none(at in position(), place: Index, new in "[A-Za-z0-9_=%\\-]") {
            let cursor = seal(KEY, "query", &at);
            let place = place.index(cursor.len());
            let (before, after) = cursor.split_at(place);
            prop_assert!(open(KEY, "query", before).is_none());
            let (longer, changed) = (format!("{before}{new}{after}"), format!("{before}{new}{}", &after[1..]));
            prop_assert!(open(KEY, "query", &longer).is_none());
            prop_assert!(changed == cursor || open(KEY, "query", &changed).is_none());
        }

        #[test]
        fn no_text_and_no_bytes_but_what_was_written_are_a_cursor(text: String, bytes: Vec<u8>) {
            prop_assert!(open(KEY, "query", &text).is_none());
            prop_assert!(open(KEY, "query", &URL_SAFE_NO_PAD.encode(bytes)).is_none());
        }
    }
}
