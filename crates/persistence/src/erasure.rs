//! Erases a data subject: every personal field (`Resource::PRIVACY_CATEGORIES`) of every record that names the person, in their events and in
//! stored responses. Called by privacy requests. The records stay, so that references to them, such as money owed, stay as they were.

use crate::{
    custom_values,
    data_subject::{self, DataSubject, DeletionState},
    error::Result,
    guard, operations,
    record::{self, Record, id_of, version_of},
    search,
    store::Work,
};
use samphan_resource::{
    builtin::external_reference::ExternalReference,
    event::{CLIENT_ADDRESS, Event},
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::{Field, Shape},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Records read, and events rewritten, at a time.
const MAX_ROWS: i64 = 500;
/// Ids looked for in one look through the kept answers.
const MAX_IDS_PER_LOOKUP: usize = 50;

/// Erases a person. What is erased already stays as it is, so a second time changes nothing. `why` is the reason of the events.
pub async fn erase(work: &Work, data_subject: DataSubject, why: &str) -> Result<()> {
    guard::before_erasure(work, data_subject.shape.plural, data_subject.id).await?;
    let mut touched = vec![];
    for shape in data_subject.resources(work) {
        let fields: Vec<&'static Field> = shape.fields.iter().filter(|f| f.is_erased()).collect();
        if fields.is_empty() || stays(shape, data_subject) {
            continue;
        }
        for life in [DeletionState::Living, DeletionState::Deleted] {
            let mut after = Uuid::nil();
            loop {
                let found = data_subject.records(work, shape, life, after, MAX_ROWS).await?;
                let Some(last) = found.last() else { break };
                after = id_of(last);
                let ids: Vec<Uuid> = found.iter().map(id_of).collect();
                for before in &found {
                    erase_record(work, shape, &fields, (before, life), why).await?;
                }
                erase_events(work, &fields, &ids).await?;
                operations::erase(work, shape, &fields.iter().map(|f| f.name).collect::<Vec<_>>(), &ids).await?;
                touched.extend(ids);
            }
        }
    }
    forget_answers(work, &touched).await
}

/// What other systems call a customer stays where the customer's own record keeps it: their invoices come under it.
fn stays(shape: &Shape, data_subject: DataSubject) -> bool {
    shape.plural == ExternalReference::PLURAL && data_subject.shape.field("external_refs").is_some_and(|field| field.is_retained)
}

async fn erase_record(
    work: &Work,
    shape: &'static Shape,
    fields: &[&'static Field],
    (before, life): (&Record, DeletionState),
    why: &str,
) -> Result<()> {
    let id = id_of(before);
    let mut after = before.clone();
    for field in fields {
        after.insert(field.name.to_owned(), nothing(field, before.get(field.name).unwrap_or(&Value::Null), id));
    }
    let changed: Vec<&'static Field> = fields.iter().copied().filter(|f| after.get(f.name) != before.get(f.name)).collect();
    if changed.is_empty() {
        return Ok(());
    }
    let version = version_of(before) + 1;
    let mut sql = if shape.append_only {
        let mut sql = work.sql();
        // A line of a log has no version to count.
        sql.push("UPDATE ").push(shape.plural).push(" SET id = id");
        sql
    } else {
        record::begin_update(work, shape, version)
    };
    for (field, name, kind) in record::columns(shape) {
        if changed.iter().any(|c| c.name == field.name) {
            let value = record::cell(field, kind, &after)?;
            sql.push(", \"").push(name).push("\" = ").bind(kind, value);
        }
    }
    sql.push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    if shape.append_only {
        return Ok(());
    }
    match life {
        DeletionState::Living => record::index(work, shape, Some(before), &after).await?,
        DeletionState::Deleted => {
            search::write(work, &[id], vec![]).await?;
            custom_values::write(work, shape, &[id], vec![]).await?;
        }
    }
    // A follower of the feed that keeps a copy learns what to put in its place.
    work.emit(Event {
        changed_fields: changed.iter().map(|f| f.name).collect(),
        after: Some(changed.iter().map(|f| (f.name.to_owned(), after.get(f.name).cloned().unwrap_or_default())).collect()),
        reason: Some(why.to_owned()),
        ..record::event(shape, format!("{}.erased", shape.singular), id, version)
    });
    Ok(())
}

/// What stands in place of a value: nothing, or where something must, a word without information. Empty stays empty.
fn nothing(field: &Field, value: &Value, id: Uuid) -> Value {
    match (value, field.kind) {
        (Value::Array(_), _) => json!([]),
        (Value::Object(_), _) if !field.nullable => json!({}),
        (Value::String(text), Kind::Text) if !field.nullable => {
            let is_address = field.schema.get("pattern").and_then(Value::as_str).is_some_and(|p| p.contains('@'));
            match text.as_str() {
                "" => json!(""),
                _ if is_address => json!(format!("erased-{id}@erased.invalid")),
                _ => json!(format!("erased-{id}")),
            }
        }
        _ => Value::Null,
    }
}

/// Takes the values of erased fields out of the events of records: audit, feed and webhooks read nothing else. What a record was erased
/// to says nothing any more.
async fn erase_events(work: &Work, fields: &[&'static Field], of: &[Uuid]) -> Result<()> {
    let mut after = Uuid::nil();
    loop {
        let events = data_subject::events(work, of, after, MAX_ROWS).await?;
        let Some(last) = events.last() else { return Ok(()) };
        after = id_of(last);
        let mut rewritten = vec![];
        for event in &events {
            if event.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with(".erased")) {
                continue;
            }
            let part = |name: &str| event.get(name).and_then(Value::as_object).cloned();
            let without = |mut part: Map<String, Value>| {
                part.retain(|name, _| name != CLIENT_ADDRESS && !fields.iter().any(|f| f.name == name));
                part
            };
            let (before, then) = (part("before").map(without), part("after").map(without));
            let had_reason = event.get("reason").is_some_and(|reason| !reason.is_null());
            if before == part("before") && then == part("after") && !had_reason {
                continue;
            }
            let text = |part: Option<Map<String, Value>>| part.map_or(Scalar::Null, |p| Scalar::Text(Value::Object(p).to_string()));
            let mut sql = work.sql();
            sql.push("UPDATE audit_events SET \"before\" = ").bind(Kind::Json, text(before));
            sql.push(", \"after\" = ").bind(Kind::Json, text(then)).push(", reason = NULL WHERE id = ").id(id_of(event));
            work.execute(sql).await?;
            rewritten.push(id_of(event));
        }
        if !rewritten.is_empty() {
            // A receiver may have answered with what it was sent.
            let mut sql = work.sql();
            sql.push("UPDATE webhook_deliveries SET last_response = NULL WHERE last_response IS NOT NULL AND event_id")
                .one_of_ids(rewritten);
            work.execute(sql).await?;
        }
    }
}

/// Empties the answers that are kept for repeats (`Idempotency-Key`) and name one of these records. The keys stay used.
async fn forget_answers(work: &Work, ids: &[Uuid]) -> Result<()> {
    for some in ids.chunks(MAX_IDS_PER_LOOKUP) {
        let mut sql = work.sql();
        sql.push("UPDATE idempotency_keys SET status = NULL, headers = NULL, body = NULL WHERE body IS NOT NULL AND (1 = 0");
        for id in some {
            sql.push(" OR ").contains_bytes("body", id.to_string().into_bytes());
        }
        sql.push(")");
        work.execute(sql).await?;
    }
    Ok(())
}
