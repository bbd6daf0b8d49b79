//! Who waits for changes, and the task that tells them: one for each process, which asks the database for all of them.

use samphan_background::{process::Process, task::Task};
use samphan_persistence::{clock, feed, store::Store};
use samphan_resource::{
    error::{Code, Error, Result},
    timestamp::Timestamp,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant, sleep, sleep_until},
};

/// How long commits are gathered before the database is asked: with many writers, that many fewer questions.
const GATHERED: Duration = Duration::from_millis(5);
/// How often the database is asked while somebody waits: other processes commit, too.
const ASKED_EVERY: Duration = Duration::from_millis(50);
/// And while there is no follower, so that few events are without a position.
const IDLE: Duration = Duration::from_secs(1);

/// The service of this area: who waits for changes, and the task that asks the database for all of them.
#[derive(Debug)]
pub struct ChangeFollower {
    newest: watch::Sender<i64>,
    ending: watch::Sender<bool>,
    waiting: AtomicUsize,
    begun: Notify,
    /// The streams that may be opened yet.
    pub streams: Arc<Semaphore>,
    /// Most event streams of one caller.
    pub streams_per_caller: usize,
    /// Whether old events are deleted.
    deletes_events: bool,
}

impl ChangeFollower {
    /// With room for so many streams, and of each caller for so many; says whether old events are deleted.
    #[must_use]
    pub fn new(streams: usize, streams_per_caller: usize, deletes_events: bool) -> Self {
        Self {
            newest: watch::Sender::new(0),
            ending: watch::Sender::new(false),
            waiting: AtomicUsize::new(0),
            begun: Notify::new(),
            streams: Arc::new(Semaphore::new(streams)),
            streams_per_caller,
            deletes_events,
        }
    }

    /// The position to read the feed on from: refused where events after it were deleted, since a reader would miss them unawares. From the
    /// beginning is from the oldest event there is.
    pub async fn first_kept(&self, store: &Store, after: i64, now: Timestamp) -> Result<i64> {
        if !self.deletes_events {
            return Ok(after);
        }
        let before_oldest = feed::oldest(store, now).await? - 1;
        if after > 0 && after < before_oldest {
            let about = format!("events up to position {before_oldest} were deleted: begin anew, without the cursor");
            return Err(Error::from(Code::InvalidCursor).with_detail(about));
        }
        Ok(after.max(before_oldest))
    }

    fn publish(&self, newest: i64) {
        self.newest.send_if_modified(|held| {
            let newer = *held < newest;
            *held = newest.max(*held);
            newer
        });
    }
}

/// Somebody who waits for changes; until dropped the database is asked for him.
pub struct Subscriber {
    follower: Arc<ChangeFollower>,
    newest: watch::Receiver<i64>,
    ending: watch::Receiver<bool>,
}

impl Subscriber {
    /// Begins to wait.
    pub fn new(follower: &Arc<ChangeFollower>) -> Self {
        follower.waiting.fetch_add(1, Ordering::Relaxed);
        follower.begun.notify_one();
        Self { newest: follower.newest.subscribe(), ending: follower.ending.subscribe(), follower: Arc::clone(follower) }
    }

    /// Back when there is something after a position, when the service ends, or at this time.
    pub async fn changed(&mut self, after: i64, until: Instant) {
        tokio::select! {
            _ = self.newest.wait_for(|newest| *newest > after) => {}
            _ = self.ending.wait_for(|ending| *ending) => {}
            () = sleep_until(until) => {}
        }
    }

    /// The newest position this process knows of.
    pub fn newest(&self) -> i64 {
        *self.newest.borrow()
    }

    /// Whether the service ends: waiting followers are to return.
    pub fn ending(&self) -> bool {
        *self.ending.borrow()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.follower.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The task that asks the database for changes.
#[must_use]
pub fn task() -> Task {
    Task::worker("changes.follow", |process, _| async move { follow(&process).await })
}

/// The task that ends all waits when the process is asked to end.
#[must_use]
pub fn end_task() -> Task {
    Task::worker("changes.end_waits", |process, _| async move { end(&process).await })
}

async fn follow(process: &Process) {
    let Ok(follower) = process.service::<ChangeFollower>() else { return };
    loop {
        match feed::newest(&process.store, clock::now()).await {
            Ok(newest) => follower.publish(newest),
            // The database said why; it is asked again.
            Err(_) => sleep(IDLE).await,
        }
        if follower.waiting.load(Ordering::Relaxed) == 0 {
            tokio::select! {
                () = follower.begun.notified() => {}
                () = sleep(IDLE) => {}
            }
            continue;
        }
        tokio::select! {
            () = process.store.committed.notified() => sleep(GATHERED).await,
            () = follower.begun.notified() => {}
            () = sleep(ASKED_EVERY) => {}
        }
    }
}

/// Lets those who wait go when the process is asked to end: the server waits for them.
async fn end(process: &Process) {
    #[cfg(unix)]
    let asked = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let asked = std::future::pending::<()>();
    tokio::select! {
        () = asked => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    if let Ok(follower) = process.service::<ChangeFollower>() {
        follower.ending.send_replace(true);
    }
}
