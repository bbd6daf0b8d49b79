//! Durable jobs: what an area has done later, kept in the database until it is done.
//!
//! A job is enqueued in the work that asks for it, so it is there if that work is, and runs at once when that is committed. It runs at
//! least once: a process that ends leaves it to another. What it does it commits by [`JobContext::commit`], together with how far it is,
//! so each step is done exactly once, and the next attempt goes on after it.
//!
//! ```text
//! #[derive(Serialize, Deserialize)]
//! struct HandOverRecords { user_id: Uuid }
//!
//! impl Job for HandOverRecords {
//!     const KIND: &'static str = "users.hand_over_records";
//!     async fn run(self, context: &JobContext) -> Result<()> {
//!         loop {
//!             let work = context.work().await?;
//!             let moved = move_some(&work, self.user_id).await?;
//!             if moved == 0 || context.is_cancelled() { return Ok(()) }
//!             context.commit(work, context.progress().plus(moved)).await?;
//!         }
//!     }
//! }
//! ```

use super::{process::Process, retention::Rule, schedule::Schedule, task::Task, tasks::Tasks};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    clock,
    jobs::{self, Claimed, Ending, LEASE_SECONDS, NewJob, Progress},
    store::{Reader, Work},
};
use samphan_resource::{
    caller::Caller,
    cron::Cron,
    error::{Code, Error, Result},
    timestamp::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError},
    task::Poll,
    time::Duration,
};
use tokio::{
    task::{self, JoinSet},
    time::sleep,
};
use uuid::Uuid;

/// How often it is looked for jobs; those that this process enqueues for now are heard of at once.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Jobs that a process runs at a time: they share the connections of its tasks, none of requests.
const MAX_RUNNING: usize = 3;
/// Most of them of one principal, so that the jobs of one caller never occupy every place.
const MAX_RUNNING_OF_ONE: usize = 2;
/// How often a lease is extended: twice may fail.
const EXTEND_INTERVAL: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs() / 3);

/// How long a job waits after a failed attempt: twice as long each time, and up to a half less by chance.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// After the first.
    pub first: Duration,
    /// At most.
    pub most: Duration,
}

impl Backoff {
    /// How long after so many attempts; `chance` is from 0 to 1.
    fn after(self, attempts: i64, chance: f64) -> Duration {
        let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX).min(30);
        self.first.saturating_mul(1 << doublings).min(self.most).mul_f64(1.0 - chance / 2.0)
    }
}

/// What is done in the background until it is done. Its fields are kept as JSON: a newer program must still read those of an older one.
///
/// Two attempts may overlap where a process was out of touch for longer than its lease; the commits of the first are refused then.
pub trait Job: Serialize + DeserializeOwned + 'static {
    /// What the database and the API call it: `<resource>.<verb>`. Never changed: jobs of an unknown kind wait.
    const KIND: &'static str;
    /// Attempts without progress after which it has failed, 1 to 1000.
    const MAX_ATTEMPTS: i64 = 20;
    /// How long it waits between attempts: 20 attempts take some ten hours.
    const BACKOFF: Backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(3600) };

    /// Does it, from where [`JobContext::progress`] says. An error is tried again, whichever it is.
    fn run(self, context: &JobContext) -> impl Future<Output = Result<()>>;

    /// As it is enqueued: `work.enqueue(job.enqueued()?)`.
    fn enqueued(&self) -> Result<NewJob> {
        let payload = serde_json::to_value(self).map_err(|_| Error::from(Code::Internal))?;
        let max_attempts = Self::MAX_ATTEMPTS;
        Ok(NewJob { kind: Self::KIND, payload, run_at: None, max_attempts, unique_key: None, total: None, principal_id: None })
    }
}

/// What a running job knows and commits by.
#[derive(Debug)]
pub struct JobContext {
    /// The database and the services of the areas.
    pub process: Process,
    /// The job's id.
    pub id: Uuid,
    /// The user or API key that asked for it; none for the server's own jobs.
    pub principal_id: Option<Uuid>,
    lease: Uuid,
    request_id: Option<String>,
    progress: Cell<Progress>,
    attempts: Cell<i64>,
    is_cancelled: Cell<bool>,
    is_lost: Cell<bool>,
}

impl JobContext {
    /// A work of Samphan's own, of this moment, for the request that asked for the job.
    pub async fn work(&self) -> Result<Work> {
        let work = self.process.work().await?;
        Ok(match &self.request_id {
            Some(id) => work.for_request(id),
            None => work,
        })
    }

    /// The same of a caller's, with the caller's rights.
    pub async fn work_as(&self, caller: Arc<Caller>) -> Result<Work> {
        let work = self.process.store.work(caller, clock::now()).await?;
        Ok(match &self.request_id {
            Some(id) => work.for_request(id),
            None => work,
        })
    }

    /// A way to read for Samphan itself, at this moment.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.process.store.reader(Arc::new(Caller::system()), clock::now())
    }

    /// How far it is: what was committed last, in an earlier attempt too.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        self.progress.get()
    }

    /// Whether it was asked to stop: it answers `Ok` at its next step then. Known after each commit, and within seconds between them.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        self.is_cancelled.get()
    }

    /// Commits a step together with how far the job is then. Refused with `conflict`, and nothing kept, when another process holds the job by now.
    pub async fn commit(&self, work: Work, progress: Progress) -> Result<()> {
        let Some(is_cancelled) = jobs::advance(&work, self.id, self.lease, progress).await? else {
            self.is_lost.set(true);
            work.roll_back().await?;
            return Err(Error::from(Code::Conflict).with_detail("another process has the job"));
        };
        work.commit().await?;
        self.progress.set(progress);
        self.attempts.set(1);
        self.is_cancelled.set(is_cancelled);
        Ok(())
    }

    /// Holds the job for as long as it is awaited; back when it is held no longer.
    async fn hold(&self) {
        loop {
            sleep(EXTEND_INTERVAL).await;
            match self.extend().await {
                Ok(Some(is_cancelled)) => self.is_cancelled.set(self.is_cancelled.get() || is_cancelled),
                Ok(None) => return self.is_lost.set(true),
                Err(error) => tracing::warn!(job = %self.id, %error, "a lease could not be extended"),
            }
        }
    }

    async fn extend(&self) -> Result<Option<bool>> {
        let work = self.process.work().await?;
        let held = jobs::extend(&work, self.id, self.lease).await?;
        work.commit().await?;
        Ok(held)
    }
}

/// A kind of job.
#[derive(Clone, Copy, Debug)]
struct Known {
    run: for<'a> fn(Value, &'a JobContext) -> LocalBoxFuture<'a, Result<()>>,
    backoff: Backoff,
}

fn run_job<J: Job>(payload: Value, context: &JobContext) -> LocalBoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let job: J = serde_json::from_value(payload).map_err(|error| {
            tracing::error!(kind = J::KIND, %error, "the payload of a job cannot be read");
            Error::from(Code::Internal)
        })?;
        job.run(context).await
    })
}

/// The kinds of jobs and the schedules that areas register.
#[derive(Debug, Default)]
pub struct Jobs {
    known: BTreeMap<&'static str, Known>,
    schedules: Vec<Schedule>,
    /// Mistakes in the program.
    faults: Vec<String>,
}

impl Jobs {
    /// With a kind of job.
    #[must_use]
    pub fn job<J: Job>(mut self) -> Self {
        if self.known.insert(J::KIND, Known { run: run_job::<J>, backoff: J::BACKOFF }).is_some() {
            self.faults.push(format!("the kind of job {} is registered twice", J::KIND));
        }
        self
    }

    /// With a job that is enqueued by a schedule, in the time zone of the organisation: see [`Cron`]. A run that no process was there for
    /// is made up for once.
    #[must_use]
    pub fn schedule<J: Job>(mut self, name: &'static str, cron: &str, job: &J) -> Self {
        match (Cron::parse(cron), job.enqueued()) {
            (Some(cron), Ok(job)) => self.schedules.push(Schedule::new(name, cron, job)),
            _ => self.faults.push(format!("the schedule {name} cannot be read: {cron}")),
        }
        self
    }

    /// The tasks that run the jobs and enqueue those of schedules. What was registered wrongly is a mistake in the program.
    pub fn tasks(self) -> std::result::Result<Vec<Task>, Vec<String>> {
        let Self { known, schedules, mut faults } = self;
        faults.extend(schedules.iter().filter(|s| !known.contains_key(s.job.kind)).map(|s| format!("{} is of no kind of job", s.name)));
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut tasks = vec![];
        if !known.is_empty() {
            tasks.push(Task::worker("jobs.run", |process, _: Tasks| run(process, known)));
        }
        if !schedules.is_empty() {
            tasks.push(super::schedule::task(schedules));
        }
        Ok(tasks)
    }
}

/// Days that jobs are kept after they succeeded or were cancelled.
const KEEP_DAYS: i64 = 30;
/// How often jobs are counted.
const MEASURE_INTERVAL: Duration = Duration::from_secs(10);

/// What is deleted of jobs. Those that failed stay.
#[must_use]
pub fn retention() -> Rule {
    let delete = "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE status IN ('succeeded', 'cancelled') AND finished_at < ";
    Rule::statement("jobs", KEEP_DAYS, delete, " ORDER BY finished_at")
}

/// The task that counts jobs and passes the counts to `tell`.
#[must_use]
pub fn measure(tell: impl Fn(&jobs::Counts) + 'static) -> Task {
    Task::every("jobs.measure", MEASURE_INTERVAL, async move |process: &Process| {
        tell(&jobs::count(&process.store.reader(Arc::new(Caller::system()), clock::now())).await?);
        Ok(())
    })
}

/// Runs jobs as long as the process lives, a few at a time.
async fn run(process: Process, known: BTreeMap<&'static str, Known>) {
    let kinds: Vec<&'static str> = known.keys().copied().collect();
    let mut running: JoinSet<()> = JoinSet::new();
    let mut principals: HashMap<task::Id, Option<Uuid>> = HashMap::new();
    loop {
        while running.len() < MAX_RUNNING {
            match claim(&process, &kinds, &full(&principals)).await {
                Ok(Some(job)) => {
                    if let Some(known) = known.get(job.kind.as_str()).copied() {
                        let principal = job.principal_id;
                        principals.insert(running.spawn_local(attempt(process.clone(), known, job)).id(), principal);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "jobs could not be claimed; it is tried again");
                    break;
                }
            }
        }
        tokio::select! {
            () = process.store.enqueued.notified() => {}
            Some(ended) = running.join_next_with_id() => {
                let id = match ended {
                    Ok((id, ())) => id,
                    Err(error) => {
                        // Its lease expires, which counts as an attempt.
                        tracing::error!(%error, "an attempt at a job broke off");
                        error.id()
                    }
                };
                principals.remove(&id);
            }
            () = sleep(POLL_INTERVAL) => {}
        }
    }
}

/// The principals that already run as many jobs as one may; `None` is the server itself.
fn full(principals: &HashMap<task::Id, Option<Uuid>>) -> Vec<Option<Uuid>> {
    let mut counts: BTreeMap<Option<Uuid>, usize> = BTreeMap::new();
    principals.values().for_each(|principal| *counts.entry(*principal).or_default() += 1);
    counts.into_iter().filter(|(_, count)| *count >= MAX_RUNNING_OF_ONE).map(|(principal, _)| principal).collect()
}

/// Gives back the jobs of a process that ends in order, once its tasks have ended: another one, or its own next start, goes on with them at
/// once.
pub async fn give_back(process: &Process) -> Result<()> {
    let held = std::mem::take(&mut *process.leases.lock().unwrap_or_else(PoisonError::into_inner));
    if held.is_empty() {
        return Ok(());
    }
    let work = process.work().await?;
    jobs::give_back(&work, held.into_values()).await?;
    work.commit().await
}

async fn claim(process: &Process, kinds: &[&'static str], full: &[Option<Uuid>]) -> Result<Option<Claimed>> {
    let reader = process.store.reader(Arc::new(Caller::system()), clock::now());
    if !jobs::is_any_due(&reader, kinds).await? {
        return Ok(None);
    }
    let work = process.work().await?;
    jobs::end_expired(&work).await?;
    let claimed = jobs::claim(&work, Uuid::from_u128(rand::random()), kinds, full).await?;
    work.commit().await?;
    let mut leases = process.leases.lock().unwrap_or_else(PoisonError::into_inner);
    leases.extend(claimed.iter().map(|job| (job.id, job.lease)));
    Ok(claimed)
}

/// One attempt, and what is noted of its end.
async fn attempt(process: Process, known: Known, job: Claimed) {
    let context = JobContext {
        process,
        id: job.id,
        principal_id: job.principal_id,
        lease: job.lease,
        request_id: job.request_id,
        progress: Cell::new(job.progress),
        attempts: Cell::new(job.attempts),
        is_cancelled: Cell::new(false),
        is_lost: Cell::new(false),
    };
    let mut run = (known.run)(job.payload, &context);
    let run = poll_fn(|cx| {
        catch_unwind(AssertUnwindSafe(|| run.as_mut().poll(cx))).unwrap_or_else(|_| {
            tracing::error!(job = %job.id, kind = job.kind, "a job panicked");
            Poll::Ready(Err(Code::Internal.into()))
        })
    });
    let done = tokio::select! {
        done = run => done,
        () = context.hold() => Err(Code::Conflict.into()),
    };
    if context.is_lost.get() {
        tracing::warn!(job = %job.id, kind = job.kind, "another process has the job");
        context.process.leases.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.id);
        return;
    }
    let attempts = context.attempts.get();
    let ending = match done {
        // One that is done though it was asked to stop is done.
        Ok(()) if context.progress().total == Some(context.progress().done) => Ending::Succeeded,
        _ if context.is_cancelled() => Ending::Cancelled,
        Ok(()) => Ending::Succeeded,
        Err(error) => {
            tracing::warn!(job = %job.id, kind = job.kind, attempts, %error, "an attempt at a job failed");
            if attempts >= job.max_attempts {
                Ending::Failed(error.to_string())
            } else {
                Ending::TryAgain(later(clock::now(), known.backoff.after(attempts, rand::random())), error.to_string())
            }
        }
    };
    let ended = async {
        let work = context.work().await?;
        jobs::end(&work, job.id, job.lease, ending).await?;
        work.commit().await
    };
    let ended = ended.await;
    context.process.leases.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.id);
    if let Err(error) = ended {
        // Its lease expires.
        tracing::warn!(job = %job.id, kind = job.kind, %error, "the end of a job could not be noted");
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Timestamp::from_micros(now.micros().saturating_add(micros)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_waits_twice_as_long_after_each_attempt_and_at_most_so_long() {
        let backoff = Backoff { first: Duration::from_secs(2), most: Duration::from_secs(100) };
        let waits: Vec<u64> = (1..9).map(|attempts| backoff.after(attempts, 0.0).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 100, 100]);
        assert_eq!(backoff.after(1, 1.0), Duration::from_secs(1));
        assert_eq!(backoff.after(i64::MAX, 0.0), Duration::from_secs(100));
    }
}
