//! The outbox: every write's events, in the write's own transaction. Audit reads them here; feed and webhooks will.

use crate::{error::Result, store::Work};
use samphan_domain::{
    event::Event,
    scalar::{Kind, Scalar},
};
use serde_json::Value;

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

/// Writes events in the order they were said.
pub async fn write(work: &Work, events: Vec<Event>) -> Result<()> {
    let text = |v: Value| Scalar::Text(v.to_string());
    let rows = events
        .into_iter()
        .map(|e| {
            vec![
                Scalar::Id(work.new_id()),
                Scalar::Time(work.now),
                work.caller.author().map_or(Scalar::Null, Scalar::Id),
                Scalar::Text(e.kind),
                Scalar::Text(e.resource.to_owned()),
                Scalar::Id(e.resource_id),
                Scalar::Int(e.version),
                Scalar::Text(work.request_id.clone()),
                text(Value::from(e.changed_fields)),
                e.before.map_or(Scalar::Null, |m| text(Value::Object(m))),
                e.after.map_or(Scalar::Null, |m| text(Value::Object(m))),
                e.reason.map_or(Scalar::Null, Scalar::Text),
            ]
        })
        .collect();
    work.insert("audit_events", COLUMNS, rows, "").await.map(|_| ())
}
