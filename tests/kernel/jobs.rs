//! Durable jobs, run by workers of these tests beside the server, which does not know their kinds: each as a process of its own would.

use crate::support::{receiver::local, *};
use samphan_api::openapi;
use samphan_background::{
    jobs::{Backoff, Job, JobContext, Jobs},
    process::{Process, Services},
    tasks::Tasks,
};
use samphan_domain::platform::team::Team;
use samphan_persistence::{
    jobs::{self, Progress},
    store::{Opening, Store},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::sync::Barrier;
use uuid::Uuid;

crate::on_both![
    job_that_fails_is_tried_again_then_failed_and_kept,
    job_of_a_worker_that_ends_goes_on_where_its_last_commit_was,
    who_lost_the_lease_commits_nothing,
    two_workers_share_jobs,
    unique_key_is_one_job_at_a_time,
    job_of_a_work_that_is_rolled_back_is_not_there,
    job_of_an_unknown_kind_waits_for_a_program_that_knows_it,
];

/// What differs between workers.
struct Site {
    /// The step at which jobs stop for good.
    stuck_at: Option<i64>,
    /// Where jobs wait for one another.
    barrier: Arc<Barrier>,
}

/// Makes a team at each step.
#[derive(Serialize, Deserialize)]
struct Steps {
    name: String,
    total: i64,
}

impl Job for Steps {
    const KIND: &'static str = "tests.steps";

    async fn run(self, context: &JobContext) -> Result<()> {
        let site = context.process.service::<Site>()?;
        for step in context.progress().done..self.total {
            if site.stuck_at == Some(step) {
                std::future::pending::<()>().await;
            }
            let work = context.work().await?;
            stored::insert(&work, Stored::draft(Team { name: format!("{} {step}", self.name), parent_id: None, description: None }))
                .await?;
            context.commit(work, Progress { done: step + 1, total: Some(self.total) }).await?;
        }
        Ok(())
    }
}

/// Waits for as many of its kind as the barrier has places.
#[derive(Serialize, Deserialize)]
struct Together {}

impl Job for Together {
    const KIND: &'static str = "tests.together";

    async fn run(self, context: &JobContext) -> Result<()> {
        context.process.service::<Site>()?.barrier.wait().await;
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct Fails {}

impl Job for Fails {
    const KIND: &'static str = "tests.fails";
    const MAX_ATTEMPTS: i64 = 3;
    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(10), most: Duration::from_millis(20) };

    async fn run(self, _: &JobContext) -> Result<()> {
        Err(Error::from(Code::Conflict))
    }
}

/// Nobody registers it.
#[derive(Serialize, Deserialize)]
struct OfTomorrow {}

impl Job for OfTomorrow {
    const KIND: &'static str = "tests.of_tomorrow";

    async fn run(self, _: &JobContext) -> Result<()> {
        Ok(())
    }
}

/// A job as the database has it.
#[derive(Debug, PartialEq, Eq)]
struct Kept {
    status: String,
    attempts: i64,
    done: i64,
    error: Option<String>,
}

struct Worker {
    process: Process,
    tasks: Tasks,
}

impl Worker {
    async fn start(app: &App, stuck_at: Option<i64>) -> Self {
        Self::start_with(app, stuck_at, &Arc::new(Barrier::new(1)), |jobs| jobs).await
    }

    async fn start_with(app: &App, stuck_at: Option<i64>, barrier: &Arc<Barrier>, more: impl FnOnce(Jobs) -> Jobs) -> Self {
        let opening = Opening { url: app.database_url().to_owned(), connections: 4, full_sync: false };
        let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap();
        let site = Site { stuck_at, barrier: Arc::clone(barrier) };
        let (process, tasks) = (Process::new(store, Services::default().with(Arc::new(site))), Tasks::default());
        let jobs = Jobs::default().job::<Steps>().job::<Together>().job::<Fails>();
        for task in more(jobs).tasks().unwrap() {
            task.start(process.clone(), &tasks);
        }
        Self { process, tasks }
    }

    async fn enqueue(&self, job: &impl Job) -> Uuid {
        let work = self.process.work().await.unwrap();
        let id = work.enqueue(job.enqueued().unwrap()).await.unwrap().unwrap();
        work.commit().await.unwrap();
        id
    }

    async fn kept(&self, id: Uuid) -> Kept {
        let work = self.process.work().await.unwrap();
        let mut sql = work.sql();
        sql.push("SELECT status, attempts, progress_done, last_error FROM jobs WHERE id = ").id(id);
        let read = |row: &samphan_persistence::row::Row<'_>| {
            Ok(Kept { status: row.text(0)?, attempts: row.int(1)?, done: row.int(2)?, error: row.optional_text(3)? })
        };
        work.fetch_one(sql, read).await.unwrap().unwrap()
    }

    async fn until_status(&self, id: Uuid, status: &str) -> Kept {
        until(status, async || self.kept(id).await.status == status).await;
        self.kept(id).await
    }

    async fn count(&self, kind: &str) -> i64 {
        let work = self.process.work().await.unwrap();
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM jobs WHERE kind = ").text(kind);
        work.count(sql).await.unwrap()
    }

    /// As if as much time had passed as the lease of a job lasts.
    async fn let_lease_expire(&self, id: Uuid) {
        let work = self.process.work().await.unwrap();
        let mut sql = work.sql();
        sql.push("UPDATE jobs SET leased_until = ").bind(Kind::Time, Scalar::Time(work.now.plus_seconds(-1))).push(" WHERE id = ").id(id);
        work.execute(sql).await.unwrap();
        work.commit().await.unwrap();
    }
}

/// The steps that were done of a job, sorted.
async fn steps(app: &App, name: &str) -> Vec<String> {
    let all = app.all("/v1/teams", 100).await;
    let mut found: Vec<String> = all.iter().map(|t| t["name"].as_str().unwrap().to_owned()).filter(|n| n.starts_with(name)).collect();
    found.sort();
    found
}

async fn job_that_fails_is_tried_again_then_failed_and_kept(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let id = worker.enqueue(&Fails {}).await;
        let failed = worker.until_status(id, "failed").await;
        assert_eq!((failed.attempts, failed.error.as_deref()), (3, Some("conflict")));
    })
    .await;
}

async fn job_of_a_worker_that_ends_goes_on_where_its_last_commit_was(app: App) {
    local(async {
        let first = Worker::start(&app, Some(3)).await;
        let id = first.enqueue(&Steps { name: "Lanna".to_owned(), total: 5 }).await;
        until("three steps are done", async || first.kept(id).await.done == 3).await;
        first.tasks.end().await;
        let second = Worker::start(&app, None).await;
        assert_eq!(second.kept(id).await.status, "running", "its lease holds");
        second.let_lease_expire(id).await;
        let done = second.until_status(id, "succeeded").await;
        assert_eq!((done.done, done.error), (5, None));
        assert_eq!(steps(&app, "Lanna").await, ["Lanna 0", "Lanna 1", "Lanna 2", "Lanna 3", "Lanna 4"]);
    })
    .await;
}

async fn who_lost_the_lease_commits_nothing(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let (first, second) = (random_uuid(), random_uuid());
        let work = worker.process.work().await.unwrap();
        let id = work.enqueue(OfTomorrow {}.enqueued().unwrap()).await.unwrap().unwrap();
        let claimed = jobs::claim(&work, first, &[OfTomorrow::KIND], 1).await.unwrap();
        assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
        work.commit().await.unwrap();
        worker.let_lease_expire(id).await;
        until("it is queued again", async || {
            let work = worker.process.work().await.unwrap();
            jobs::end_expired(&work).await.unwrap();
            let claimed = jobs::claim(&work, second, &[OfTomorrow::KIND], 1).await.unwrap();
            work.commit().await.unwrap();
            claimed.len() == 1
        })
        .await;
        let work = worker.process.work().await.unwrap();
        assert_eq!(jobs::advance(&work, id, first, Progress { done: 9, total: None }).await.unwrap(), None);
        assert_eq!(jobs::extend(&work, id, first).await.unwrap(), None);
        jobs::end(&work, id, first, jobs::Ending::Succeeded).await.unwrap();
        assert_eq!(jobs::advance(&work, id, second, Progress { done: 1, total: None }).await.unwrap(), Some(false));
        work.commit().await.unwrap();
        let kept = worker.kept(id).await;
        assert_eq!((kept.status.as_str(), kept.done), ("running", 1));
    })
    .await;
}

async fn two_workers_share_jobs(app: App) {
    local(async {
        // One worker runs three at a time, so that they meet only where both do.
        let barrier = Arc::new(Barrier::new(6));
        let first = Worker::start_with(&app, None, &barrier, |jobs| jobs).await;
        let _second = Worker::start_with(&app, None, &barrier, |jobs| jobs).await;
        let mut all = vec![];
        for _ in 0..6 {
            all.push(first.enqueue(&Together {}).await);
        }
        for id in all {
            let done = first.until_status(id, "succeeded").await;
            assert_eq!(done.attempts, 1);
        }
    })
    .await;
}

async fn unique_key_is_one_job_at_a_time(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let job = || Steps { name: "Siam".to_owned(), total: 1 }.enqueued().unwrap().unique("siam");
        let work = worker.process.work().await.unwrap();
        let id = work.enqueue(job()).await.unwrap().unwrap();
        assert_eq!(work.enqueue(job()).await.unwrap(), None);
        work.commit().await.unwrap();
        worker.until_status(id, "succeeded").await;
        let work = worker.process.work().await.unwrap();
        assert!(work.enqueue(job()).await.unwrap().is_some());
        work.roll_back().await.unwrap();
    })
    .await;
}

async fn job_of_a_work_that_is_rolled_back_is_not_there(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let work = worker.process.work().await.unwrap();
        work.enqueue(Fails {}.enqueued().unwrap()).await.unwrap().unwrap();
        work.roll_back().await.unwrap();
        assert_eq!(worker.count(Fails::KIND).await, 0);
    })
    .await;
}

async fn job_of_an_unknown_kind_waits_for_a_program_that_knows_it(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let unknown = worker.enqueue(&OfTomorrow {}).await;
        let known = worker.enqueue(&Steps { name: "Isan".to_owned(), total: 1 }).await;
        worker.until_status(known, "succeeded").await;
        assert_eq!(worker.kept(unknown).await, Kept { status: "queued".to_owned(), attempts: 0, done: 0, error: None });
        let newer = Worker::start_with(&app, None, &Arc::new(Barrier::new(1)), Jobs::job::<OfTomorrow>).await;
        newer.until_status(unknown, "succeeded").await;
    })
    .await;
}

fn random_uuid() -> Uuid {
    Uuid::from_u128(rand::random())
}
