//! What of the feed is asked for.

use samphan_domain::customers::account::Account;
use samphan_persistence::{
    feed::FeedFilter,
    record,
    store::{Reader, Shapes, Store},
    visibility,
};
use samphan_resource::{
    builtin::change::Change,
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
};
use samphan_rest::{operation::RequestContext, response::redact};
use serde_json::{Map, Value, value::RawValue};
use uuid::Uuid;

/// A selection of changes, with the resources it names.
pub struct Selection {
    /// The selection.
    pub wanted: FeedFilter,
    /// Resources named by `resources`, or by a type other than `*`.
    named: Vec<&'static str>,
}

impl Selection {
    /// Refuses a caller that may not read a resource it named. Its events would be left out, and the cursor would pass them: they would
    /// be lost to the caller, who sees no difference to a feed in which nothing happened. Asked again whenever the caller was read anew.
    pub fn check_permissions(&self, reader: &Reader) -> Result<()> {
        require_read(reader, &self.named)
    }
}

/// Refuses a caller that may not read all of these resources; the refusal names every permission that is missing.
pub fn require_read(reader: &Reader, resources: &[&'static str]) -> Result<()> {
    let mut missing = vec![];
    for many in resources {
        missing.extend(visibility::missing_to_read(reader, reader.shape(many)?));
    }
    reader.caller.require(missing)
}

/// Reads `types`, `resources` and `account_id`, and refuses what the caller may not read.
pub async fn parse_selection(call: &RequestContext) -> Result<Selection> {
    let (shapes, query) = (call.kernel.store().shapes, &call.query);
    let mut faults = vec![];
    let types = query.get("types").map(|text| event_types(shapes, text.split(','), |_| "?types".to_owned(), &mut faults));
    let resources = query.get("resources").map(|text| resources(shapes, text, &mut faults));
    let account = query.get("account_id").and_then(|id| Uuid::parse_str(id).ok());
    if !faults.is_empty() {
        return Err(Error::from(Code::InvalidQuery).with_field_errors(faults));
    }
    let mut named = query.get("types").map(|text| resources_of(shapes, text.split(','))).unwrap_or_default();
    named.extend(resources.iter().flatten().copied());
    named.extend(account.map(|_| Account::PLURAL));
    let asked = Selection { wanted: FeedFilter { types, resources, account }, named };
    let reader = call.reader();
    asked.check_permissions(&reader)?;
    if let Some(account) = account
        && record::find_visible_or_deleted(&reader, reader.shape(Account::PLURAL)?, account).await?.is_none()
    {
        let fault = FieldError::new("?account_id", FieldCode::UnknownReference, Account::PLURAL);
        return Err(Error::from(Code::InvalidQuery).with_field_errors(vec![fault]));
    }
    Ok(asked)
}

/// The resources whose events are named; `*` names none.
pub fn resources_of<'a>(shapes: &'static Shapes, names: impl Iterator<Item = &'a str>) -> Vec<&'static str> {
    let names: Vec<&str> = names.map(str::trim).filter(|name| *name != "*").collect();
    let types = event_types(shapes, names.into_iter(), |_| String::new(), &mut vec![]);
    let mut named: Vec<&'static str> =
        shapes.values().filter(|s| s.events.iter().any(|kind| types.contains(kind))).map(|s| s.plural).collect();
    named.sort_unstable();
    named
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
            faults.push(FieldError::new(at(i), FieldCode::UnknownValue, "").with_suggestion(name, allowed));
        }
    }
    meant.sort_unstable();
    meant.dedup();
    meant
}

fn resources(shapes: &'static Shapes, text: &str, faults: &mut Vec<FieldError>) -> Vec<&'static str> {
    let mut known: Vec<&'static str> = shapes.values().filter(|s| !s.append_only).map(|s| s.plural).collect();
    known.sort_unstable();
    let mut meant = vec![];
    for name in text.split(',').map(str::trim) {
        match known.iter().find(|k| **k == name) {
            Some(many) => meant.push(*many),
            None => faults.push(FieldError::new("?resources", FieldCode::UnknownValue, "").with_suggestion(name, known.iter().copied())),
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

/// The position a cursor goes on after. One that is ahead of the end is of a time that a restore undid: it is refused.
fn position(store: &Store, cursor: &str, newest: i64) -> Result<i64> {
    let position = store.feed_position(cursor)?;
    if position > newest { Err(Error::from(Code::InvalidCursor).with_detail("ahead of the feed")) } else { Ok(position) }
}

/// Hides in changes what the caller's field rules hide.
pub fn redact_changes(reader: &Reader, changes: &mut [Change]) {
    if !reader.caller.has_field_rules() {
        return;
    }
    for change in changes {
        for part in [&mut change.before, &mut change.after] {
            let Some(values) = part else { continue };
            // What cannot be read is not shown.
            let mut read: Map<String, Value> = serde_json::from_str(values.get()).unwrap_or_default();
            redact(reader, Some(&change.resource), &mut read);
            *part = RawValue::from_string(Value::Object(read).to_string()).ok();
        }
    }
}
