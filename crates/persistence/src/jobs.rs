//! Durable jobs as the database keeps them: enqueued with the write that asks for them, held by one process at a time, tried again, ended.
//!
//! The process that runs a job holds it by a lease. When a process is killed its leases expire, and other processes continue the jobs after
//! their last commit. A job commits its changes together with its progress, and the commit is refused once the lease is lost. So a job runs
//! at least once, and each of its commits happens exactly once.

use crate::{
    dialect::Dialect,
    error::Result,
    lease, operations, record,
    sql::Sql,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::job::{Job, JobStatus},
    error::{Code, Error},
    event::Event,
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
    transition,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Seconds of a lease; the process that runs the job extends it well before it ends.
pub const LEASE_SECONDS: i64 = 10;
/// Most expired leases ended at a time.
const MAX_EXPIRED: i64 = 50;
/// Most characters kept of why an attempt failed.
const MAX_ERROR_CHARACTERS: usize = 500;
/// What is kept of an attempt whose process ended.
const INTERRUPTED: &str = "interrupted";

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("created_at", Kind::Time),
    ("created_by_id", Kind::Id),
    ("updated_at", Kind::Time),
    ("updated_by_id", Kind::Id),
    ("kind", Kind::Text),
    ("status", Kind::Text),
    ("principal_id", Kind::Id),
    ("run_at", Kind::Time),
    ("attempts", Kind::Int),
    ("max_attempts", Kind::Int),
    ("progress_done", Kind::Int),
    ("progress_total", Kind::Int),
    ("payload", Kind::Json),
    ("unique_key", Kind::Text),
    ("request_id", Kind::Text),
];

/// A job to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// What is done, such as `users.hand_over_records`.
    pub kind: &'static str,
    /// What it is done with; an object.
    pub payload: Value,
    /// When it is to run; at once when none.
    pub run_at: Option<Timestamp>,
    /// Attempts without progress after which it has failed.
    pub max_attempts: i64,
    /// Where a job with the same key is queued or running, none is made.
    pub unique_key: Option<String>,
    /// Items there are to do.
    pub total: Option<i64>,
    /// The user or API key it is done for; the caller of the work that enqueues it when none.
    pub principal_id: Option<Uuid>,
}

impl NewJob {
    /// At a moment, not at once.
    #[must_use]
    pub const fn at(mut self, run_at: Timestamp) -> Self {
        self.run_at = Some(run_at);
        self
    }

    /// Only where no job with the same key is queued or running. One that is running may have read already what this one would: where that
    /// matters, leave the key out and let the second find nothing to do.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// On behalf of the same user or API key as another job.
    #[must_use]
    pub const fn on_behalf_of(mut self, principal_id: Option<Uuid>) -> Self {
        self.principal_id = principal_id;
        self
    }

    /// Of so many items.
    #[must_use]
    pub const fn of(mut self, total: i64) -> Self {
        self.total = Some(total);
        self
    }
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Items done.
    pub done: i64,
    /// Items there are to do, where that is known.
    pub total: Option<i64>,
}

/// A job that is held.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its id.
    pub id: Uuid,
    /// What it is held by; another at each attempt.
    pub lease: Uuid,
    /// What is done.
    pub kind: String,
    /// What it is done with.
    pub payload: Value,
    /// The user or API key that asked for it; none for the server's own jobs.
    pub principal_id: Option<Uuid>,
    /// Attempts since it last made progress, with this one.
    pub attempts: i64,
    /// Attempts without progress after which it has failed.
    pub max_attempts: i64,
    /// How far it is.
    pub progress: Progress,
    /// The request that asked for it.
    pub request_id: Option<String>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It is done.
    Succeeded,
    /// It stopped because it was asked to.
    Cancelled,
    /// It failed for good.
    Failed(String),
    /// It failed and is tried again at a moment.
    TryAgain(Timestamp, String),
}

impl Work {
    /// Enqueues a job: it is there when this work is committed, and runs from then on. None where another with its key is queued or
    /// running.
    pub async fn enqueue(&self, job: NewJob) -> Result<Option<Uuid>> {
        let id = self.new_id();
        let author = self.caller.author().map_or(Scalar::Null, Scalar::Id);
        let row = vec![
            Scalar::Id(id),
            Scalar::Int(1),
            Scalar::Time(self.now),
            author.clone(),
            Scalar::Time(self.now),
            author.clone(),
            Scalar::Text(job.kind.to_owned()),
            Scalar::Text("queued".to_owned()),
            job.principal_id.map_or(author, Scalar::Id),
            Scalar::Time(job.run_at.unwrap_or(self.now)),
            Scalar::Int(0),
            Scalar::Int(job.max_attempts),
            Scalar::Int(0),
            job.total.map_or(Scalar::Null, Scalar::Int),
            Scalar::Text(job.payload.to_string()),
            job.unique_key.map_or(Scalar::Null, Scalar::Text),
            Some(&self.request_id).filter(|id| !id.is_empty()).map_or(Scalar::Null, |id| Scalar::Text(id.clone())),
        ];
        if self.insert(Job::PLURAL, COLUMNS, vec![row], "ON CONFLICT DO NOTHING").await? == 0 {
            return Ok(None);
        }
        self.after_commit(|store| store.enqueued.notify_one());
        Ok(Some(id))
    }
}

fn is_due(sql: &mut Sql, now: Timestamp, kinds: &[&'static str]) {
    sql.push("t.deleted_at IS NULL AND t.status = 'queued' AND t.run_at <= ").bind(Kind::Time, Scalar::Time(now));
    sql.push(" AND t.kind").one_of(Kind::Text, kinds.iter().map(|kind| Scalar::Text((*kind).to_owned())));
}

fn is_expired(sql: &mut Sql, now: Timestamp) {
    sql.push("t.status = 'running' AND ");
    lease::is_expired(sql, "t", now, LEASE_SECONDS);
}

/// Whether there is anything to claim, or a lease that has expired: one look into an index each.
pub async fn is_any_due(reader: &Reader, kinds: &[&'static str]) -> Result<bool> {
    let mut sql = reader.sql();
    sql.push("SELECT CASE WHEN EXISTS (SELECT 1 FROM jobs t WHERE ");
    is_due(&mut sql, reader.now, kinds);
    sql.push(") OR EXISTS (SELECT 1 FROM jobs t WHERE ");
    is_expired(&mut sql, reader.now);
    sql.push(") THEN 1 ELSE 0 END");
    Ok(reader.count(sql).await? == 1)
}

/// Ends the `ORDER BY` of rows to be updated: a row that is locked is about to be changed by another process.
fn limited(sql: &mut Sql, order: &'static str, most: i64) {
    sql.push(order).push(" LIMIT ").int(most);
    sql.push(if sql.dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED)" } else { ")" });
}

/// Claims the job that has been due longest, among the kinds that this program knows. Skips jobs of the principals in `full`; `None` there is
/// the server itself.
pub async fn claim(work: &Work, lease: Uuid, kinds: &[&'static str], full: &[Option<Uuid>]) -> Result<Option<Claimed>> {
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET status = 'running', attempts = attempts + 1, leased_by = ").id(lease).push(", leased_until = ");
    sql.bind(Kind::Time, Scalar::Time(work.now.plus_seconds(LEASE_SECONDS)));
    touched(&mut sql, work.now);
    sql.push(" WHERE id IN (SELECT t.id FROM jobs t WHERE ");
    is_due(&mut sql, work.now, kinds);
    if full.contains(&None) {
        sql.push(" AND t.principal_id IS NOT NULL");
    }
    for principal in full.iter().flatten() {
        sql.push(" AND t.principal_id IS DISTINCT FROM ").id(*principal);
    }
    limited(&mut sql, " ORDER BY t.run_at, t.id", 1);
    sql.push(" RETURNING id, kind, payload, principal_id, attempts, max_attempts, progress_done, progress_total, request_id");
    work.fetch_one(sql, |row| {
        Ok(Claimed {
            id: row.id(0)?,
            lease,
            kind: row.text(1)?,
            payload: serde_json::from_str(&row.text(2)?).unwrap_or_default(),
            principal_id: row.optional_id(3)?,
            attempts: row.int(4)?,
            max_attempts: row.int(5)?,
            progress: Progress { done: row.int(6)?, total: row.optional_int(7)? },
            request_id: row.optional_text(8)?,
        })
    })
    .await
}

fn touched(sql: &mut Sql, now: Timestamp) {
    sql.push(", version = version + 1, updated_by_id = NULL, updated_at = ").bind(Kind::Time, Scalar::Time(now));
}

/// Takes jobs from processes that hold them no longer: they are queued again, cancelled where they were asked to stop, and failed where
/// that was their last attempt.
pub async fn end_expired(work: &Work) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET leased_by = NULL, leased_until = NULL, last_error = ").text(INTERRUPTED);
    touched(&mut sql, work.now);
    sql.push(", status = CASE WHEN cancel_requested_at IS NOT NULL THEN 'cancelled' WHEN attempts >= max_attempts THEN 'failed' ELSE 'queued' END");
    sql.push(", finished_at = CASE WHEN cancel_requested_at IS NOT NULL OR attempts >= max_attempts THEN ");
    sql.bind(Kind::Time, Scalar::Time(work.now)).push(" END WHERE id IN (SELECT t.id FROM jobs t WHERE ");
    is_expired(&mut sql, work.now);
    limited(&mut sql, " ORDER BY t.leased_until, t.id", MAX_EXPIRED);
    sql.push(" RETURNING id, version, status");
    for (id, version, status) in work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?, row.text(2)?))).await? {
        tell_end(work, (id, version), &status, Some(INTERRUPTED)).await?;
    }
    Ok(())
}

/// Holds a job for longer; says whether it was asked to stop. None when it is held no longer.
pub async fn extend(work: &Work, id: Uuid, lease: Uuid) -> Result<Option<bool>> {
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET leased_until = ").bind(Kind::Time, Scalar::Time(work.now.plus_seconds(LEASE_SECONDS)));
    while_held(&mut sql, id, lease);
    sql.push(" RETURNING CASE WHEN cancel_requested_at IS NULL THEN 0 ELSE 1 END");
    work.fetch_one(sql, |row| Ok(row.int(0)? == 1)).await
}

/// Notes in the work that did it how far a job is, and holds it for longer; says whether it was asked to stop. None when it is held no
/// longer: then the work must not be committed.
pub async fn advance(work: &Work, id: Uuid, lease: Uuid, progress: Progress) -> Result<Option<bool>> {
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET attempts = 1, progress_done = ").int(progress.done).push(", progress_total = ");
    sql.bind(Kind::Int, progress.total.map_or(Scalar::Null, Scalar::Int)).push(", leased_until = ");
    sql.bind(Kind::Time, Scalar::Time(work.now.plus_seconds(LEASE_SECONDS)));
    touched(&mut sql, work.now);
    while_held(&mut sql, id, lease);
    sql.push(" RETURNING CASE WHEN cancel_requested_at IS NULL THEN 0 ELSE 1 END");
    work.fetch_one(sql, |row| Ok(row.int(0)? == 1)).await
}

fn while_held(sql: &mut Sql, id: Uuid, lease: Uuid) {
    sql.push(" WHERE status = 'running' AND id = ").id(id).push(" AND leased_by = ").id(lease);
}

/// Notes how an attempt ended; nothing when the job is held no longer.
pub async fn end(work: &Work, id: Uuid, lease: Uuid, ending: Ending) -> Result<()> {
    let (status, error, again) = match ending {
        Ending::Succeeded => ("succeeded", None, None),
        Ending::Cancelled => ("cancelled", None, None),
        Ending::Failed(error) => ("failed", Some(error), None),
        Ending::TryAgain(at, error) => ("queued", Some(error), Some(at)),
    };
    let error: Option<String> = error.map(|error| error.chars().take(MAX_ERROR_CHARACTERS).collect());
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET status = ").text(status).push(", leased_by = NULL, leased_until = NULL, last_error = ");
    sql.bind(Kind::Text, error.clone().map_or(Scalar::Null, Scalar::Text));
    match again {
        Some(at) => sql.push(", run_at = ").bind(Kind::Time, Scalar::Time(at)),
        None => sql.push(", finished_at = ").bind(Kind::Time, Scalar::Time(work.now)),
    };
    touched(&mut sql, work.now);
    while_held(&mut sql, id, lease);
    sql.push(" RETURNING version");
    if let Some(version) = work.fetch_one(sql, |row| row.int(0)).await? {
        tell_end(work, (id, version), status, error.as_deref()).await?;
    }
    Ok(())
}

/// Emits the event that a running job failed or was cancelled, and ends the operation it belongs to.
async fn tell_end(work: &Work, (id, version): (Uuid, i64), status: &str, error: Option<&str>) -> Result<()> {
    let (kind, status) = match status {
        "failed" => ("job.failed", "failed"),
        "cancelled" => ("job.cancelled", "cancelled"),
        _ => return Ok(()),
    };
    let values = |status: &str, at: Value, error: Value| {
        Some(Map::from_iter([("status", json!(status)), ("last_error", error), ("finished_at", at)].map(|(name, v)| (name.to_owned(), v))))
    };
    work.emit(Event {
        kind: kind.to_owned(),
        resource: Job::PLURAL,
        resource_id: id,
        version,
        changed_fields: vec!["status", "last_error", "finished_at"],
        before: values("running", Value::Null, Value::Null),
        after: values(status, json!(work.now), json!(error)),
        reason: None,
    });
    operations::job_ended(work, id, status).await
}

/// Cancels a queued job at once, and asks a running one to stop at its next step.
pub async fn cancel(work: &Work, job: Stored<Job>) -> Result<Stored<Job>> {
    let mut after = job.clone();
    match job.data.status {
        JobStatus::Queued => {
            after.data.status = JobStatus::Cancelled;
            after.data.finished_at = Some(work.now);
            let cancelled = stored::save(work, &job, after, "cancelled", None).await?;
            operations::job_ended(work, job.id(), "cancelled").await?;
            Ok(cancelled)
        }
        JobStatus::Running => {
            after.data.cancel_requested_at = after.data.cancel_requested_at.or(Some(work.now));
            let mut sql = record::begin_update(work, work.shape(Job::PLURAL)?, job.version() + 1);
            sql.push(", cancel_requested_at = ")
                .bind(Kind::Time, Scalar::Time(work.now))
                .push(" WHERE cancel_requested_at IS NULL AND id = ");
            sql.id(job.id());
            if work.execute(sql).await? == 0 {
                return Ok(job);
            }
            stored::find_one_by::<Job>(work, "id", Scalar::Id(job.id())).await?.ok_or_else(|| Code::NotFound.into())
        }
        _ => Err(transition::illegal(Job::TRANSITIONS, work.shape(Job::PLURAL)?.state_of(&job.record))),
    }
}

/// Queues a job that failed or was cancelled anew: it goes on where its last commit was.
pub async fn retry(work: &Work, job: Stored<Job>) -> Result<Stored<Job>> {
    let (mut after, what) = stored::after_transition(&job, "retry")?;
    let mut sql = work.sql();
    sql.push("SELECT o.id FROM jobs t JOIN jobs o ON o.unique_key = t.unique_key AND o.status IN ('queued', 'running') WHERE t.id = ")
        .id(job.id());
    let is_taken = || Error::from(Code::Conflict).with_detail("the same is queued or running already");
    if let Some(other) = work.fetch_one(sql, |row| row.id(0)).await? {
        return Err(is_taken().with_conflict(Job::PLURAL, other, "unique_key"));
    }
    after.data.attempts = 0;
    after.data.run_at = work.now;
    after.data.cancel_requested_at = None;
    after.data.finished_at = None;
    work.after_commit(|store| store.enqueued.notify_one());
    operations::job_retried(work, job.id()).await?;
    // One that was enqueued meanwhile is met by the index.
    stored::save(work, &job, after, what, None).await.map_err(|error| if error.code == Code::AlreadyExists { is_taken() } else { error })
}

/// Gives back jobs that a process held and will not go on with: they are queued at once, and that attempt does not count.
pub async fn give_back(work: &Work, leases: impl IntoIterator<Item = Uuid>) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE jobs SET status = 'queued', leased_by = NULL, leased_until = NULL, attempts = attempts - 1");
    touched(&mut sql, work.now);
    sql.push(" WHERE status = 'running' AND cancel_requested_at IS NULL AND leased_by").one_of_ids(leases);
    work.execute(sql).await.map(|_| ())
}

/// Jobs that are not done.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// How many there are, by kind and status: `queued`, `running` and `failed`.
    pub jobs: Vec<(String, String, i64)>,
    /// Seconds since the oldest job that is queued was due; 0 when none is.
    pub oldest_queued_seconds: i64,
}

/// Counts the jobs that are not done.
pub async fn count(reader: &Reader) -> Result<Counts> {
    let mut sql = reader.sql();
    sql.push("SELECT t.kind, t.status, count(*) FROM jobs t WHERE t.deleted_at IS NULL AND t.status IN ('queued', 'running', 'failed')");
    sql.push(" GROUP BY t.kind, t.status");
    let jobs = reader.fetch(sql, |row| Ok((row.text(0)?, row.text(1)?, row.int(2)?))).await?;
    let mut sql = reader.sql();
    sql.push("SELECT t.run_at FROM jobs t WHERE t.status = 'queued' ORDER BY t.run_at, t.id LIMIT 1");
    let oldest = reader.fetch_one(sql, |row| row.time(0)).await?.flatten();
    let waits = oldest.map_or(0, |due| (reader.now.micros() - due.micros()).max(0) / 1_000_000);
    Ok(Counts { jobs, oldest_queued_seconds: waits })
}

/// Locks a schedule: the moment up to which its runs were enqueued, now where it is new.
pub async fn lock_schedule(work: &Work, name: &'static str) -> Result<Timestamp> {
    let row = vec![Scalar::Text(name.to_owned()), Scalar::Time(work.now)];
    work.insert("job_schedules", &[("name", Kind::Text), ("enqueued_until", Kind::Time)], vec![row], "ON CONFLICT DO NOTHING").await?;
    let mut sql = work.sql();
    sql.push("SELECT t.enqueued_until FROM job_schedules t WHERE t.name = ").text(name).for_update("t");
    Ok(work.fetch_one(sql, |row| row.time(0)).await?.flatten().unwrap_or(work.now))
}

/// Notes of a locked schedule that its runs were enqueued up to now.
pub async fn advance_schedule(work: &Work, name: &'static str) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE job_schedules SET enqueued_until = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE name = ").text(name);
    work.execute(sql).await.map(|_| ())
}
