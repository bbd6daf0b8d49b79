//! What of the feed is asked for.

use crate::rest::{answer::hide, operation::Call};
use samphan_domain::{
    error::{Code, Error, FieldError, Result},
    integration::change::Change,
};
use samphan_persistence::{
    feed::Wanted,
    store::{Reader, Shapes, Store},
};
use serde_json::{Map, Value, value::RawValue};

/// Reads `types` and `resources`.
pub fn wanted(call: &Call) -> Result<Wanted> {
    let shapes = call.state.store.shapes;
    let mut faults = vec![];
    let types = call.query.get("types").map(|text| event_types(shapes, text.split(','), |_| "?types".to_owned(), &mut faults));
    let resources = call.query.get("resources").map(|text| resources(shapes, text, &mut faults));
    if faults.is_empty() { Ok(Wanted { types, resources }) } else { Err(Error::from(Code::InvalidQuery).with(faults)) }
}

/// The event types that are meant by names such as `account.created`, `account.*` or `*`.
pub fn event_types<'a>(
    shapes: &'static Shapes,
    names: impl Iterator<Item = &'a str>,
    at: impl Fn(usize) -> String,
    faults: &mut Vec<FieldError>,
) -> Vec<&'static str> {
    let mut known: Vec<&'static str> = shapes.values().flat_map(|s| s.events.iter().copied()).collect();
    known.sort_unstable();
    let mut meant = vec![];
    for (i, name) in names.map(str::trim).enumerate() {
        let before = meant.len();
        match name.strip_suffix('*') {
            Some("") => meant.extend(&known),
            Some(begin) if begin.ends_with('.') => meant.extend(known.iter().filter(|k| k.starts_with(begin))),
            _ => meant.extend(known.iter().filter(|k| **k == name)),
        }
        if meant.len() == before {
            let mut groups: Vec<String> = known.iter().filter_map(|k| k.split_once('.')).map(|(one, _)| format!("{one}.*")).collect();
            groups.dedup();
            let allowed = known.iter().map(|k| (*k).to_owned()).chain(groups);
            faults.push(FieldError::new(at(i), "unknown_value", "").instead_of(name, allowed));
        }
    }
    meant.sort_unstable();
    meant.dedup();
    meant
}

fn resources(shapes: &'static Shapes, text: &str, faults: &mut Vec<FieldError>) -> Vec<&'static str> {
    let mut known: Vec<&'static str> = shapes.values().filter(|s| !s.log).map(|s| s.many).collect();
    known.sort_unstable();
    let mut meant = vec![];
    for name in text.split(',').map(str::trim) {
        match known.iter().find(|k| **k == name) {
            Some(many) => meant.push(*many),
            None => faults.push(FieldError::new("?resources", "unknown_value", "").instead_of(name, known.iter().copied())),
        }
    }
    meant
}

/// The position to go on after: of `now`, `beginning` or a cursor.
pub fn start(store: &Store, after: &str, newest: i64) -> Result<i64> {
    match after {
        "now" => Ok(newest),
        "beginning" => Ok(0),
        cursor => position(store, cursor, newest),
    }
}

/// The position a cursor goes on after. One that is ahead of the end is of a time that a restore undid: whoever holds it shall know.
fn position(store: &Store, cursor: &str, newest: i64) -> Result<i64> {
    let position = store.feed_position(cursor)?;
    if position > newest { Err(Error::from(Code::InvalidCursor).about("ahead of the feed")) } else { Ok(position) }
}

/// Hides in changes what the caller's field rules hide.
pub fn shield(reader: &Reader, changes: &mut [Change]) {
    if reader.caller.field_rules.is_empty() {
        return;
    }
    for change in changes {
        for part in [&mut change.before, &mut change.after] {
            let Some(values) = part else { continue };
            // What cannot be read is not shown.
            let mut read: Map<String, Value> = serde_json::from_str(values.get()).unwrap_or_default();
            hide(reader, Some(&change.resource), &mut read);
            *part = RawValue::from_string(Value::Object(read).to_string()).ok();
        }
    }
}
