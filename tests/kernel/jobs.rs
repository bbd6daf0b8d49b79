//! Durable jobs, run by workers of these tests beside the server, which does not know their kinds: each as a process of its own would.

use crate::support::{app::wait, receiver::local, *};
use samphan_api::openapi;
use samphan_background::{
    jobs::{Backoff, Job, JobContext, Jobs, give_back},
    process::{Process, Services},
    tasks::Tasks,
};
use samphan_domain::platform::team::Team;
use samphan_persistence::{
    jobs::{self, Progress},
    store::{DatabaseOptions, Reader, Store},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::{Barrier, oneshot};
use uuid::Uuid;

crate::on_both![
    job_that_fails_is_tried_again_then_failed_and_kept,
    job_that_panics_is_tried_again,
    jobs_of_a_worker_that_ends_in_order_go_on_at_once,
    job_whose_key_is_taken_is_not_tried_again,
    job_of_a_worker_that_ends_goes_on_where_its_last_commit_was,
    who_lost_the_lease_commits_nothing,
    two_workers_share_jobs,
    jobs_of_one_principal_leave_a_place_for_others,
    unique_key_is_one_job_at_a_time,
    job_of_a_work_that_is_rolled_back_is_not_there,
    job_of_an_unknown_kind_waits_for_a_program_that_knows_it,
    missed_runs_of_a_schedule_are_made_up_for_once,
    failed_job_is_told_found_counted_and_tried_again,
    queued_job_is_cancelled_at_once_and_running_one_at_its_next_step,
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

#[derive(Serialize, Deserialize)]
struct Panics {}

impl Job for Panics {
    const KIND: &'static str = "tests.panics";
    const MAX_ATTEMPTS: i64 = 2;
    const BACKOFF: Backoff = Backoff { first: Duration::from_millis(10), most: Duration::from_millis(20) };

    async fn run(self, _: &JobContext) -> Result<()> {
        panic!("a job that panics, as the test wants it")
    }
}

/// Goes on until it is asked to stop, which it hears of at its second step.
#[derive(Serialize, Deserialize)]
struct UntilCancelled {}

impl Job for UntilCancelled {
    const KIND: &'static str = "tests.until_cancelled";

    async fn run(self, context: &JobContext) -> Result<()> {
        context.commit(context.work().await?, Progress { done: 1, total: None }).await?;
        context.process.service::<Site>()?.barrier.wait().await;
        context.commit(context.work().await?, Progress { done: 2, total: None }).await?;
        if context.is_cancelled() { Ok(()) } else { Err(Error::from(Code::Internal)) }
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

/// A worker on a thread and with connections of its own, as another process would have them; and the database as the test sees it.
struct Worker {
    process: Process,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    /// Whether it gives its jobs back when it ends.
    gives_back: Arc<AtomicBool>,
}

async fn open(url: String) -> Store {
    let opening = DatabaseOptions { url, connections: 4, full_sync: false };
    Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap()
}

impl Worker {
    async fn start(app: &App, stuck_at: Option<i64>) -> Self {
        Self::start_with(app, stuck_at, &Arc::new(Barrier::new(1)), |jobs| jobs).await
    }

    async fn start_with(
        app: &App,
        stuck_at: Option<i64>,
        barrier: &Arc<Barrier>,
        more: impl FnOnce(Jobs) -> Jobs + Send + 'static,
    ) -> Self {
        let (url, barrier, (stop, stopped)) = (app.database_url().to_owned(), Arc::clone(barrier), oneshot::channel());
        let process = Process::new(open(url.clone()).await, Services::default());
        let gives_back = Arc::new(AtomicBool::new(false));
        let in_order = Arc::clone(&gives_back);
        let thread = std::thread::spawn(move || {
            wait(local(async {
                let process = Process::new(open(url).await, Services::default().with(Arc::new(Site { stuck_at, barrier })));
                let tasks = Tasks::default();
                let jobs = Jobs::default().job::<Steps>().job::<Together>().job::<Fails>();
                for task in more(jobs).tasks().unwrap() {
                    task.start(process.clone(), &tasks);
                }
                let _ = stopped.await;
                tasks.end().await;
                if in_order.load(Ordering::Relaxed) {
                    give_back(&process).await.unwrap();
                }
            }));
        });
        Self { process, stop: Some(stop), thread: Some(thread), gives_back }
    }

    /// Ends it wherever it is: its leases stay.
    fn end(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the worker ended well");
        }
    }

    /// A look that waits for nobody.
    fn reader(&self) -> Reader {
        self.process.store.reader(Arc::new(Caller::system()), now())
    }

    async fn enqueue(&self, job: &impl Job) -> Uuid {
        self.enqueue_for(None, job).await
    }

    async fn enqueue_for(&self, principal: Option<Uuid>, job: &impl Job) -> Uuid {
        let work = self.process.work().await.unwrap();
        let id = work.enqueue(job.enqueued().unwrap().on_behalf_of(principal)).await.unwrap().unwrap();
        work.commit().await.unwrap();
        id
    }

    async fn kept(&self, id: Uuid) -> Kept {
        let reader = self.reader();
        let mut sql = reader.sql();
        sql.push("SELECT status, attempts, progress_done, last_error FROM jobs WHERE id = ").id(id);
        let read = |row: &samphan_persistence::row::Row<'_>| {
            Ok(Kept { status: row.text(0)?, attempts: row.int(1)?, done: row.int(2)?, error: row.optional_text(3)? })
        };
        reader.fetch_one(sql, read).await.unwrap().unwrap()
    }

    async fn until_status(&self, id: Uuid, status: &str) -> Kept {
        until(status, async || self.kept(id).await.status == status).await;
        self.kept(id).await
    }

    async fn count(&self, kind: &str) -> i64 {
        let reader = self.reader();
        let mut sql = reader.sql();
        sql.push("SELECT count(*) FROM jobs WHERE kind = ").text(kind);
        reader.count(sql).await.unwrap()
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

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
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

async fn job_that_panics_is_tried_again(app: App) {
    local(async {
        let worker = Worker::start_with(&app, None, &Arc::new(Barrier::new(1)), Jobs::job::<Panics>).await;
        let id = worker.enqueue(&Panics {}).await;
        let failed = worker.until_status(id, "failed").await;
        assert_eq!((failed.attempts, failed.error.as_deref()), (2, Some("internal")));
        let after = worker.enqueue(&Steps { name: "After".to_owned(), total: 1 }).await;
        worker.until_status(after, "succeeded").await;
    })
    .await;
}

async fn jobs_of_a_worker_that_ends_in_order_go_on_at_once(app: App) {
    local(async {
        let mut first = Worker::start(&app, Some(3)).await;
        let id = first.enqueue(&Steps { name: "Phuket".to_owned(), total: 5 }).await;
        until("three steps are done", async || first.kept(id).await.done == 3).await;
        first.gives_back.store(true, Ordering::Relaxed);
        first.end();
        let second = Worker::start(&app, None).await;
        let done = second.until_status(id, "succeeded").await;
        assert_eq!((done.done, done.attempts, done.error), (5, 1, None));
    })
    .await;
}

async fn job_whose_key_is_taken_is_not_tried_again(app: App) {
    local(async {
        let worker = Worker::start(&app, None).await;
        let job = || OfTomorrow {}.enqueued().unwrap().unique("tomorrow");
        let work = worker.process.work().await.unwrap();
        let id = work.enqueue(job()).await.unwrap().unwrap();
        work.commit().await.unwrap();
        app.post(&format!("/v1/jobs/{id}/cancel"), json!({})).await.is(200);
        let work = worker.process.work().await.unwrap();
        work.enqueue(job()).await.unwrap().unwrap();
        work.commit().await.unwrap();
        app.post(&format!("/v1/jobs/{id}/retry"), json!({})).await.refused(409, "conflict");
    })
    .await;
}

async fn job_of_a_worker_that_ends_goes_on_where_its_last_commit_was(app: App) {
    local(async {
        let mut first = Worker::start(&app, Some(3)).await;
        let id = first.enqueue(&Steps { name: "Lanna".to_owned(), total: 5 }).await;
        until("three steps are done", async || first.kept(id).await.done == 3).await;
        first.end();
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
        let claimed = jobs::claim(&work, first, &[OfTomorrow::KIND], &[]).await.unwrap();
        assert_eq!(claimed.map(|job| job.id), Some(id));
        work.commit().await.unwrap();
        worker.let_lease_expire(id).await;
        until("it is queued again", async || {
            let work = worker.process.work().await.unwrap();
            jobs::end_expired(&work).await.unwrap();
            let claimed = jobs::claim(&work, second, &[OfTomorrow::KIND], &[]).await.unwrap();
            work.commit().await.unwrap();
            claimed.is_some()
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
        // One worker runs three at a time, two of them of one principal, so that they meet only where both do.
        let barrier = Arc::new(Barrier::new(6));
        let first = Worker::start_with(&app, None, &barrier, |jobs| jobs).await;
        let _second = Worker::start_with(&app, None, &barrier, |jobs| jobs).await;
        let mut all = vec![];
        let principals = [random_uuid(), random_uuid()];
        for n in 0..6 {
            all.push(first.enqueue_for(Some(principals[n / 3]), &Together {}).await);
        }
        for id in all {
            let done = first.until_status(id, "succeeded").await;
            assert_eq!(done.attempts, 1);
        }
    })
    .await;
}

async fn jobs_of_one_principal_leave_a_place_for_others(app: App) {
    local(async {
        let (worker, principal) = (Worker::start(&app, Some(1)).await, Some(random_uuid()));
        let mut stuck = vec![];
        for name in ["first", "second", "third"] {
            stuck.push(worker.enqueue_for(principal, &Steps { name: name.to_owned(), total: 2 }).await);
        }
        let waiting = async || {
            let mut queued = 0;
            for id in &stuck {
                queued += usize::from(worker.kept(*id).await.status == "queued");
            }
            queued
        };
        until("two run, and never end", async || waiting().await == 1).await;
        // The third is due longer than this one, and would be taken before it.
        let other = worker.enqueue(&Steps { name: "Other".to_owned(), total: 1 }).await;
        worker.until_status(other, "succeeded").await;
        assert_eq!(waiting().await, 1);
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

async fn missed_runs_of_a_schedule_are_made_up_for_once(app: App) {
    local(async {
        let work = app.work().await;
        for name in ["tests.nightly", "tests.first", "tests.second"] {
            let three_days_ago = Scalar::Time(work.now.plus_seconds(-3 * 86_400));
            let row = vec![Scalar::Text(name.to_owned()), three_days_ago];
            work.insert("job_schedules", &[("name", Kind::Text), ("enqueued_until", Kind::Time)], vec![row], "").await.unwrap();
        }
        work.commit().await.unwrap();
        let barrier = Arc::new(Barrier::new(1));
        // Each worker looks at its own schedule after the one they share.
        let with = |own: &'static str| {
            move |jobs: Jobs| {
                let nightly = Steps { name: "Nightly".to_owned(), total: 1 };
                jobs.schedule("tests.nightly", "0 3 * * *", &nightly).schedule(own, "0 4 * * *", &Together {})
            }
        };
        let first = Worker::start_with(&app, None, &barrier, with("tests.first")).await;
        let _second = Worker::start_with(&app, None, &barrier, with("tests.second")).await;
        until("both have looked", async || first.count(Together::KIND).await == 2).await;
        until("it was done", async || steps(&app, "Nightly").await == ["Nightly 0"]).await;
        assert_eq!(first.count(Steps::KIND).await, 1);
    })
    .await;
}

async fn failed_job_is_told_found_counted_and_tried_again(app: App) {
    local(async {
        let mut worker = Worker::start(&app, None).await;
        let id = worker.enqueue(&Fails {}).await.to_string();
        let path = format!("/v1/jobs/{id}");
        let failed = app.get_until(&path, |job| job["status"] == "failed").await;
        assert_eq!((&failed["last_error"], &failed["attempts"], &failed["max_attempts"]), (&json!("conflict"), &json!(3), &json!(3)));
        assert_eq!((&failed["available_actions"], &failed["principal_id"]), (&json!(["retry"]), &json!(null)));
        assert!(failed["finished_at"].is_string());
        let listed = app.get("/v1/jobs?status=failed&kind=tests.fails").await.is(200);
        assert_eq!(ids(&listed), std::slice::from_ref(&id));
        app.post(&format!("{path}/cancel"), json!({})).await.refused(409, "illegal_transition");
        worker.end();
        let queued = app.post(&format!("{path}/retry"), json!({})).await.is(200);
        assert_eq!((&queued["status"], &queued["attempts"]), (&json!("queued"), &json!(0)));
        let told: Vec<Value> = app.feed().await.into_iter().filter(|c| c["resource_id"] == json!(id)).map(|c| c["type"].clone()).collect();
        assert_eq!(told, [json!("job.failed"), json!("job.retried")]);
        app.person(&["accounts:read/all"], &[], &[]).await.app.get(&path).await.refused(403, "forbidden");
        let counted = "samphan_jobs{kind=\"tests.fails\",status=\"queued\"} 1";
        let metrics =
            async || crate::support::app::client().get(format!("{}/metrics", app.url)).send().await.unwrap().text().await.unwrap();
        until("it is counted", async || metrics().await.contains(counted)).await;
    })
    .await;
}

async fn queued_job_is_cancelled_at_once_and_running_one_at_its_next_step(app: App) {
    local(async {
        let worker = Worker::start(&app, Some(1)).await;
        let cancel = async |id: Uuid| app.post(&format!("/v1/jobs/{id}/cancel"), json!({})).await.is(200);
        let waiting = worker.enqueue(&OfTomorrow {}).await;
        assert_eq!(cancel(waiting).await["status"], "cancelled");
        let barrier = Arc::new(Barrier::new(2));
        let other = Worker::start_with(&app, None, &barrier, Jobs::job::<UntilCancelled>).await;
        let running = other.enqueue(&UntilCancelled {}).await;
        until("it runs", async || other.kept(running).await.done == 1).await;
        let asked = cancel(running).await;
        assert_eq!((&asked["status"], asked["cancel_requested_at"].is_string()), (&json!("running"), true));
        assert_eq!(cancel(running).await["version"], asked["version"], "asked once");
        barrier.wait().await;
        let ended = other.until_status(running, "cancelled").await;
        assert_eq!(ended.done, 2, "its step was kept");
    })
    .await;
}

fn random_uuid() -> Uuid {
    Uuid::from_u128(rand::random())
}
