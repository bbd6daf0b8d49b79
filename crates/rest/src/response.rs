//! The response of an operation, before the pipeline makes it an HTTP response; and the redaction of fields by field rules.

use actix_web::web::Bytes;
use futures_util::{
    StreamExt,
    stream::{LocalBoxStream, unfold},
};
use samphan_persistence::{
    list::{RecordJson, redacted_value},
    record::{Record, uuid_in, version_of},
    store::Reader,
};
use samphan_resource::{
    builtin::audit_event::AuditEvent,
    caller::{FieldAccess, Visibility},
    error::{Code, Error, Result},
    resource::Resource,
    shape::Shape,
    transition,
};
use serde_json::{Map, Value};
use uuid::Uuid;

/// The response of an operation.
#[derive(Debug, Default)]
pub struct Response {
    /// Its status, where it is not the operation's own.
    pub status: Option<u16>,
    /// JSON, written.
    pub body: Option<Vec<u8>>,
    /// The version for the ETag.
    pub version: Option<i64>,
    /// Where a made record is found.
    pub location: Option<String>,
    /// The cursor of the next page.
    pub next: Option<String>,
    /// Whether it is the stored answer to an earlier request.
    pub replayed: bool,
    /// What is written as it happens, or as it is read.
    pub stream: Option<BodyStream>,
    /// The name of the file it is to be kept in.
    pub file: Option<String>,
}

/// A body in pieces as they are sent: a stream of events, or a document too long to be held. It breaks off where a piece fails.
pub struct BodyStream(pub LocalBoxStream<'static, Result<Bytes>>);

impl BodyStream {
    /// What comes from a source, one piece after the other, until there is none. Where one fails the connection ends, so that a client
    /// does not take a part for the whole.
    pub fn of<S: 'static>(source: S, next: impl AsyncFn(&mut S) -> Result<Option<Vec<u8>>> + Copy + 'static) -> Self {
        let pieces = unfold(Some(source), move |source| async move {
            let mut source = source?;
            // A source that never waits would have its thread alone until its end.
            tokio::task::yield_now().await;
            match next(&mut source).await {
                Ok(Some(piece)) => Some((Ok(Bytes::from(piece)), Some(source))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        });
        Self(pieces.boxed_local())
    }
}

impl std::fmt::Debug for BodyStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pieces")
    }
}

impl Response {
    /// Nothing.
    #[must_use]
    pub fn no_content() -> Self {
        Self::default()
    }

    /// A value as JSON.
    #[must_use]
    pub fn json<T: serde::Serialize>(value: &T) -> Self {
        // What we declare ourselves can be written.
        Self { body: serde_json::to_vec(value).ok(), ..Self::default() }
    }

    /// A record.
    #[must_use]
    pub fn record(reader: &Reader, shape: &'static Shape, record: &Record) -> Self {
        let shown = visible_fields(reader, shape, record);
        Self { body: serde_json::to_vec(&shown).ok(), version: Some(version_of(record)), ..Self::default() }
    }

    /// With another status than the operation's own.
    #[must_use]
    pub const fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With where the record is found.
    #[must_use]
    pub fn with_location(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }
}

/// Refuses a caller from whom a field rule hides one of the fields that an answer is computed from.
pub fn expect_visible(reader: &Reader, plural: &str, fields: &[&str]) -> Result<()> {
    let shape = reader.shape(plural)?;
    let is_hidden = |name: &&&str| shape.field(name).is_none_or(|field| reader.caller.access(shape, field) < FieldAccess::ReadOnly);
    match fields.iter().find(is_hidden) {
        Some(field) => {
            Err(Error::from(Code::Forbidden).with_detail(format!("a field rule hides {plural}.{field}, which this answer would reveal")))
        }
        None => Ok(()),
    }
}

/// A record as the caller may see it, with what may be done to it.
#[must_use]
pub fn visible_fields(reader: &Reader, shape: &'static Shape, record: &Record) -> Record {
    let mut out = Record::with_capacity(shape.fields.len() + 1);
    for field in &shape.fields {
        let value = match reader.caller.access(shape, field) {
            FieldAccess::Full | FieldAccess::ReadOnly => record.get(field.name).cloned().unwrap_or_default(),
            hidden => serde_json::from_str(redacted_value(field, hidden)).unwrap_or_default(),
        };
        out.insert(field.name.to_owned(), value);
    }
    let id = |name: &str| uuid_in(record, name);
    let status = shape.status.and_then(|s| record.get(s)).and_then(Value::as_str);
    if let Some(actions) = Actions::new(reader, shape).of(status, (id("owner_id"), id("team_id"))) {
        out.insert("available_actions".into(), actions.into());
    }
    out
}

/// What the caller may do with the records of a resource; each verb's right is looked up once for a whole page.
pub struct Actions<'r> {
    reader: &'r Reader,
    shape: &'static Shape,
    visibilities: Vec<(&'static str, Visibility)>,
}

impl<'r> Actions<'r> {
    /// For the records of a resource.
    #[must_use]
    pub const fn new(reader: &'r Reader, shape: &'static Shape) -> Self {
        Self { reader, shape, visibilities: vec![] }
    }

    /// What the state and the caller's rights leave of the actions; none for a resource without actions.
    #[must_use]
    pub fn of(&mut self, status: Option<&str>, owner: (Option<Uuid>, Option<Uuid>)) -> Option<Vec<&'static str>> {
        if self.shape.transitions.is_empty() && self.shape.status.is_none() {
            return None;
        }
        Some(transition::verbs(self.shape.transitions, status.unwrap_or_default()).filter(|verb| self.allowed(verb, owner)).collect())
    }

    fn allowed(&mut self, verb: &'static str, (owner, team): (Option<Uuid>, Option<Uuid>)) -> bool {
        if !self.visibilities.iter().any(|(known, _)| *known == verb) {
            self.visibilities.push((verb, self.reader.caller.visibility(&self.shape.permission(verb))));
        }
        let visibility = self.visibilities.iter().find(|(known, _)| *known == verb).map_or(&Visibility::None, |(_, sight)| sight);
        if self.shape.owned { visibility.includes(owner, team) } else { *visibility != Visibility::None }
    }
}

/// Hides in values of a record of this resource what the caller's field rules hide.
pub fn redact(reader: &Reader, resource: Option<&str>, values: &mut Map<String, Value>) {
    let of = resource.and_then(|many| reader.store.shapes.get(many));
    // Of an event whose resource was not asked for, whatever is hidden anywhere.
    let shapes: Vec<&'static Shape> = of.map_or_else(|| reader.store.shapes.values().copied().collect(), |shape| vec![*shape]);
    for (name, value) in values.iter_mut() {
        let fields = shapes.iter().filter_map(|shape| shape.field(name).map(|f| (f, reader.caller.access(shape, f))));
        if let Some((field, access)) = fields.min_by_key(|(_, access)| *access).filter(|(_, a)| *a < FieldAccess::ReadOnly) {
            *value = serde_json::from_str(redacted_value(field, access)).unwrap_or_default();
        }
    }
}

/// Hides in an audit event what the caller's field rules hide of the record it is about.
fn redact_event(reader: &Reader, line: &mut RecordJson) {
    let text = [line.json.as_slice(), b"}"].concat();
    let Ok(Value::Object(mut event)) = serde_json::from_slice(&text) else { return };
    let resource = event.get("resource").and_then(Value::as_str).map(str::to_owned);
    for part in ["before", "after"] {
        let Some(Value::Object(values)) = event.get_mut(part) else { continue };
        redact(reader, resource.as_deref(), values);
    }
    if let Ok(mut json) = serde_json::to_vec(&event) {
        json.pop();
        line.json = json;
    }
}

/// Closes the JSON object of a line, with its actions and expanded records.
pub fn finish_record(actions: &mut Actions<'_>, line: &mut RecordJson, expanded: &[(String, &[u8])]) {
    if actions.shape.plural == AuditEvent::PLURAL && actions.reader.caller.has_field_rules() {
        redact_event(actions.reader, line);
    }
    if let Some(actions) = actions.of(line.status.as_deref(), line.owner) {
        line.json.extend_from_slice(b",\"available_actions\":[");
        for (i, action) in actions.into_iter().enumerate() {
            line.json.extend_from_slice(if i == 0 { b"\"" } else { b",\"" });
            line.json.extend_from_slice(action.as_bytes());
            line.json.push(b'"');
        }
        line.json.push(b']');
    }
    if !expanded.is_empty() {
        line.json.extend_from_slice(b",\"expanded\":{");
        for (i, (name, json)) in expanded.iter().enumerate() {
            line.json.extend_from_slice(if i == 0 { b"\"" } else { b",\"" });
            line.json.extend_from_slice(name.as_bytes());
            line.json.extend_from_slice(b"\":");
            line.json.extend_from_slice(json);
        }
        line.json.push(b'}');
    }
    line.json.push(b'}');
}
