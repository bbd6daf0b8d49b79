//! The outbox: every write's events, in the write's own transaction. Audit reads them here, feed and webhooks in the order of `feed`.

use crate::{dialect::Dialect, error::Result, store::Work};
use samphan_resource::{
    event::Event,
    scalar::{Kind, Scalar},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("created_at", Kind::Time),
    ("created_by_id", Kind::Id),
    ("kind", Kind::Text),
    ("resource", Kind::Text),
    ("resource_id", Kind::Id),
    ("resource_version", Kind::Int),
    ("request_id", Kind::Text),
    ("changed_fields", Kind::Json),
    ("before", Kind::Json),
    ("after", Kind::Json),
    ("reason", Kind::Text),
];

impl Work {
    /// Emits an event about something that happened to a record without changing it, such as a sign-in of a user. `facts` are what the audit
    /// keeps of it. The event belongs to no version of the record: its version is 0.
    pub fn emit_activity(&self, kind: impl Into<String>, (resource, id): (&'static str, Uuid), facts: Map<String, Value>) {
        self.emit(Event {
            kind: kind.into(),
            resource,
            resource_id: id,
            version: 0,
            changed_fields: vec![],
            before: None,
            after: Some(facts),
            reason: None,
        });
    }
}

/// Writes events in the order they were said.
pub async fn write(work: &Work, events: Vec<Event>) -> Result<()> {
    let values = |fields: Option<Map<String, Value>>, whole: bool| {
        fields.map_or(Scalar::Null, |mut fields| {
            if whole {
                fields.retain(|_, value| !is_empty(value));
            }
            Scalar::Text(Value::Object(fields).to_string())
        })
    };
    // Followers of events name their types, so each must be declared (`Resource::EVENTS`).
    let declared = |e: &Event| work.store.shapes.get(e.resource).is_none_or(|s| s.events.contains(&e.kind.as_str()));
    debug_assert!(
        events.iter().all(&declared),
        "not in EVENTS of its resource: {:?}",
        events.iter().find(|e| !declared(e)).map(|e| &e.kind)
    );
    // Ids of one moment are in no order; these are, so that the audit reads as it was written.
    let mut ids: Vec<_> = events.iter().map(|_| work.new_id()).collect();
    ids.sort_unstable();
    let rows: Vec<_> = events
        .into_iter()
        .zip(ids)
        .map(|(e, id)| {
            vec![
                Scalar::Id(id),
                Scalar::Time(work.now),
                work.caller.author().map_or(Scalar::Null, Scalar::Id),
                Scalar::Text(e.kind),
                Scalar::Text(e.resource.to_owned()),
                Scalar::Id(e.resource_id),
                Scalar::Int(e.version),
                Scalar::Text(work.request_id.clone()),
                Scalar::Text(json!(e.changed_fields).to_string()),
                values(e.before, e.changed_fields.is_empty()),
                values(e.after, e.changed_fields.is_empty()),
                e.reason.map_or(Scalar::Null, Scalar::Text),
            ]
        })
        .collect();
    if !rows.is_empty() && work.write_attempts() == 0 && work.store.dialect() == Dialect::Postgres {
        // Events are numbered before their first row gives the transaction its own number, by which the feed knows that it still runs.
        let mut sql = work.sql();
        sql.push("SELECT pg_current_xact_id()");
        work.fetch(sql, |_| Ok(())).await?;
    }
    work.insert_unseen("audit_events", COLUMNS, rows).await
}

/// Whether a field of a whole record says nothing: a record has some thirty fields, of which most are empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        _ => false,
    }
}
