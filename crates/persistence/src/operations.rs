//! Bulk operations as the database keeps them: what was asked for, how far it is, and what became of each record.
//!
//! The values before a change are in the event of that change, which an erasure reaches, as it reaches all events; an item names the
//! version of its record, and so the event. So nothing of a record is kept twice, and reverting reads the events.

use crate::{
    error::Result,
    jobs::NewJob,
    record::{self, Record},
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::operation::{Operation, OperationItem, OperationKind, OperationOutcome, OperationStatus},
    error::{Code, Error},
    event::Event,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// Most records of one operation.
pub const MAX_RECORDS: usize = 10_000;
/// Days for which an operation can be reverted after its end; then it is deleted with its items.
pub const KEEP_DAYS: i64 = 90;
const DAY_SECONDS: i64 = 86_400;
/// Most operations of one caller that are queued or running.
pub const MAX_OPEN: i64 = 5;
/// Seconds after which a caller that has so many may ask again.
const RETRY_SECONDS: u64 = 10;
/// What an item says of a record that was changed since.
pub const CHANGED_SINCE: &str = "changed_since";
/// What an item says of a record whose values before are not kept any more.
pub const BEFORE_IMAGE_DELETED: &str = "before_image_deleted";
/// Most faults kept of a record.
const MAX_ERRORS: usize = 100;

/// What is done to the records of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The records, in the order in which they are tried.
    pub ids: Vec<Uuid>,
    /// What is changed of them: a merge patch.
    pub patch: Record,
    /// Whether that is an assignment, which needs the permission to assign instead of the one to update.
    pub is_assignment: bool,
    /// Why; kept in the events of an assignment.
    pub reason: Option<String>,
}

/// What became of a record.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It was changed, and is of this version now.
    Changed(i64),
    /// It was so already.
    Unchanged,
    /// It was changed since: the code why.
    Skipped(&'static str),
    /// It could not be changed.
    Failed(Error),
}

/// An operation to be made.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// What it does.
    pub kind: OperationKind,
    /// To records of which resource.
    pub shape: &'static Shape,
    /// What exactly.
    pub plan: Plan,
    /// The fields it changes.
    pub changed_fields: Vec<String>,
    /// The operation it reverts.
    pub reverts_id: Option<Uuid>,
}

/// Makes an operation and enqueues the job that does it, in the same work. `job` makes the job of the operation's id. Refused with
/// `rate_limited` when the caller has [`MAX_OPEN`] operations queued or running.
pub async fn begin(work: &Work, new: NewOperation, job: impl FnOnce(Uuid) -> Result<NewJob>) -> Result<Stored<Operation>> {
    check_open(work).await?;
    let total = i64::try_from(new.plan.ids.len()).map_err(|_| Error::from(Code::Internal))?;
    let id = work.new_id();
    let enqueued = work.enqueue(job(id)?.of(total)).await?;
    let job_id = enqueued.ok_or_else(|| Error::from(Code::Conflict).with_detail("the same is queued or running already"))?;
    let mut draft = Stored::draft(Operation {
        kind: new.kind,
        resource: new.shape.plural.to_owned(),
        status: OperationStatus::Queued,
        changed_fields: new.changed_fields,
        reverts_id: new.reverts_id,
        job_id: Some(job_id),
        total_count: total,
        changed_count: 0,
        unchanged_count: 0,
        skipped_count: 0,
        failed_count: 0,
        finished_at: None,
        revertible_until: None,
    });
    draft.record.insert("id".into(), json!(id));
    let made = stored::insert(work, draft).await?;
    let plan = serde_json::to_string(&new.plan).map_err(|_| Error::from(Code::Internal))?;
    let mut sql = work.sql();
    sql.push("UPDATE operations SET plan = ").bind(Kind::Json, Scalar::Text(plan)).push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    Ok(made)
}

async fn check_open(work: &Work) -> Result<()> {
    let Some(owner) = work.caller.author() else { return Ok(()) };
    // Of many requests at a time each counts those before it.
    work.lock_named(&format!("operations of {owner}")).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM operations t WHERE t.status IN ('queued', 'running') AND t.owner_id = ").id(owner);
    if work.count(sql).await? < MAX_OPEN {
        return Ok(());
    }
    let why = format!("at most {MAX_OPEN} operations of one caller are queued or running at a time");
    Err(Error::from(Code::RateLimited).with_detail(why).retry_after(RETRY_SECONDS))
}

/// What an operation does; none when it is done, or not there.
pub async fn plan(reader: &Reader, id: Uuid) -> Result<Option<Plan>> {
    let mut sql = reader.sql();
    sql.push("SELECT t.plan FROM operations t WHERE t.deleted_at IS NULL AND t.plan IS NOT NULL AND t.id = ").id(id);
    let text = reader.fetch_one(sql, |row| row.text(0)).await?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| Code::Internal.into())).transpose()
}

/// The operation.
pub async fn find(reader: &Reader, id: Uuid) -> Result<Option<Stored<Operation>>> {
    stored::find_one_by(reader, "id", Scalar::Id(id)).await
}

/// Notes what became of records, in the work that changed them.
pub async fn note(work: &Work, id: Uuid, outcomes: &[(Uuid, Outcome)]) -> Result<()> {
    let shape = work.shape(OperationItem::PLURAL)?;
    let (mut rows, mut counts) = (vec![], [0_i64; 4]);
    for (record_id, outcome) in outcomes {
        let [changed, unchanged, skipped, failed] = &mut counts;
        let (outcome, version, code, errors) = match outcome {
            Outcome::Unchanged => {
                *unchanged += 1;
                continue;
            }
            Outcome::Changed(version) => {
                *changed += 1;
                (OperationOutcome::Changed, Some(*version), None, json!([]))
            }
            Outcome::Skipped(code) => {
                *skipped += 1;
                (OperationOutcome::Skipped, None, Some((*code).to_owned()), json!([]))
            }
            Outcome::Failed(error) => {
                *failed += 1;
                let faults = error.errors.iter().take(MAX_ERRORS).map(|e| json!({"pointer": e.pointer, "code": e.code.as_str()}));
                (OperationOutcome::Failed, None, Some(error.code.as_str().to_owned()), faults.collect())
            }
        };
        let item = json!({
            "id": work.new_id(), "created_at": work.now, "created_by_id": work.caller.author(), "operation_id": id,
            "record_id": record_id, "outcome": outcome, "resource_version": version, "code": code, "errors": errors,
        });
        let Value::Object(item) = item else { return Err(Code::Internal.into()) };
        rows.push(record::row_of(shape, &item)?);
    }
    work.insert(shape.plural, &record::names_of(shape), rows, "").await?;
    let [changed, unchanged, skipped, failed] = counts;
    let mut sql = work.sql();
    sql.push("UPDATE operations SET status = 'running', version = version + 1, updated_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", changed_count = changed_count + ").int(changed).push(", unchanged_count = unchanged_count + ").int(unchanged);
    sql.push(", skipped_count = skipped_count + ").int(skipped).push(", failed_count = failed_count + ").int(failed);
    sql.push(" WHERE id = ").id(id);
    work.execute(sql).await.map(|_| ())
}

/// Notes that every record of an operation was tried.
pub async fn complete(work: &Work, id: Uuid) -> Result<()> {
    let mut sql = ended(work, "completed");
    // What it was to do is of no use any more.
    sql.push(", plan = NULL WHERE status IN ('queued', 'running') AND id = ").id(id);
    tell_end(work, sql, "completed").await
}

/// Notes that the job of an operation ended before every record was tried.
pub(crate) async fn job_ended(work: &Work, job: Uuid, status: &'static str) -> Result<()> {
    let mut sql = ended(work, status);
    sql.push(" WHERE status IN ('queued', 'running') AND job_id = ").id(job);
    tell_end(work, sql, status).await
}

/// Notes that the job of an operation is queued again.
pub(crate) async fn job_retried(work: &Work, job: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE operations SET status = 'queued', finished_at = NULL, revertible_until = NULL, version = version + 1, updated_at = ");
    sql.bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE status IN ('failed', 'cancelled') AND job_id = ").id(job);
    work.execute(sql).await.map(|_| ())
}

fn ended(work: &Work, status: &'static str) -> crate::sql::Sql {
    let now = || Scalar::Time(work.now);
    let until = Scalar::Time(work.now.plus_seconds(KEEP_DAYS * DAY_SECONDS));
    let mut sql = work.sql();
    sql.push("UPDATE operations SET status = ").text(status).push(", version = version + 1, updated_at = ").bind(Kind::Time, now());
    sql.push(", finished_at = ").bind(Kind::Time, now()).push(", revertible_until = ").bind(Kind::Time, until);
    sql
}

async fn tell_end(work: &Work, mut sql: crate::sql::Sql, status: &'static str) -> Result<()> {
    sql.push(" RETURNING id, version");
    for (id, version) in work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?))).await? {
        let values = |status: &str, at: Value| Some(Map::from_iter([("status".to_owned(), json!(status)), ("finished_at".to_owned(), at)]));
        work.emit(Event {
            kind: format!("operation.{status}"),
            resource: Operation::PLURAL,
            resource_id: id,
            version,
            changed_fields: vec!["status", "finished_at"],
            before: values("running", Value::Null),
            after: values(status, json!(work.now)),
            reason: None,
        });
    }
    Ok(())
}

/// Whether another operation is about to put back what this one changed.
pub async fn is_being_reverted(work: &Work, id: Uuid) -> Result<bool> {
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM operations t WHERE t.deleted_at IS NULL AND t.reverts_id = ").id(id);
    sql.push(" AND t.status IN ('queued', 'running') LIMIT 1");
    Ok(work.count(sql).await? > 0)
}

/// The records that an operation changed, in the order in which it did.
pub async fn changed_records(reader: &Reader, id: Uuid) -> Result<Vec<Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT t.record_id FROM operation_items t WHERE t.operation_id = ").id(id).push(" AND t.outcome = 'changed' ORDER BY t.id");
    reader.fetch(sql, |row| row.id(0)).await
}

/// What an operation changed of a record.
#[derive(Clone, Debug)]
pub struct BeforeImage {
    /// The changed fields as they were.
    pub before: Record,
    /// The changed fields as they were made.
    pub after: Record,
}

/// What an operation changed of some of its records, by their ids: read from the events of the changes. Records whose events are deleted are
/// not among them.
pub async fn before_images(reader: &Reader, id: Uuid, records: &[Uuid]) -> Result<HashMap<Uuid, BeforeImage>> {
    let mut sql = reader.sql();
    sql.push(
        "SELECT e.resource_id, e.\"before\", e.\"after\" FROM operation_items t JOIN audit_events e ON e.resource_id = t.record_id AND ",
    );
    sql.push("e.resource_version = t.resource_version WHERE t.outcome = 'changed' AND t.operation_id = ").id(id);
    sql.push(" AND t.record_id").one_of_ids(records.iter().copied());
    let rows = reader.fetch(sql, |row| Ok((row.id(0)?, row.optional_text(1)?, row.optional_text(2)?))).await?;
    let read = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Record>(&text).ok());
    let images = rows.into_iter().filter_map(|(id, before, after)| Some((id, BeforeImage { before: read(before)?, after: read(after)? })));
    Ok(images.collect())
}

/// Takes erased fields out of what operations that are not completed would still change of records.
pub(crate) async fn erase(work: &Work, shape: &Shape, fields: &[&str], ids: &[Uuid]) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.id, t.plan FROM operations t WHERE t.plan IS NOT NULL AND t.resource = ").text(shape.plural).for_update("t");
    for (id, text) in work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?))).await? {
        let Ok(mut plan) = serde_json::from_str::<Plan>(&text) else { continue };
        if !plan.ids.iter().any(|id| ids.contains(id)) || !plan.patch.keys().any(|name| fields.contains(&name.as_str())) {
            continue;
        }
        plan.patch.retain(|name, _| !fields.contains(&name.as_str()));
        let text = serde_json::to_string(&plan).map_err(|_| Error::from(Code::Internal))?;
        let mut sql = work.sql();
        sql.push("UPDATE operations SET plan = ").bind(Kind::Json, Scalar::Text(text)).push(" WHERE id = ").id(id);
        work.execute(sql).await?;
    }
    Ok(())
}

/// The merge patch that makes of `after` what was `before`.
#[must_use]
pub fn reversed(before: &Record, after: &Record) -> Record {
    let mut patch = Record::new();
    for (name, was) in before {
        let is = after.get(name).unwrap_or(&Value::Null);
        if is == was {
            continue;
        }
        let value = match (was, is) {
            (Value::Object(was), Value::Object(is)) => {
                let mut inner = reversed(was, is);
                inner.extend(is.keys().filter(|key| !was.contains_key(*key)).map(|key| (key.clone(), Value::Null)));
                Value::Object(inner)
            }
            _ => was.clone(),
        };
        patch.insert(name.clone(), value);
    }
    patch
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::merge;

    fn object(value: Value) -> Record {
        let Value::Object(map) = value else { panic!("an object") };
        map
    }

    #[test]
    fn a_reversed_change_is_what_was_before() {
        let cases = [
            (json!({"grade": "A"}), json!({"grade": "B"})),
            (json!({"grade": null, "custom": {"a": 1}}), json!({"grade": "B", "custom": {"a": 2, "b": 3}})),
            (json!({"custom": {"a": 1, "b": {"c": 1}}}), json!({"custom": {"b": {"c": 2, "d": 3}}})),
            (json!({"tags": ["x"], "custom": {}}), json!({"tags": [], "custom": {"a": [1]}})),
        ];
        for (before, after) in cases {
            let patch = reversed(&object(before.clone()), &object(after.clone()));
            let mut back = after;
            merge(&mut back, &Value::Object(patch));
            assert_eq!(back, before);
        }
    }
}
