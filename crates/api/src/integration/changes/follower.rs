//! Who waits for changes, and the task that tells them: one for each process, which asks the database for all of them.

use crate::{
    server::{self, Shared, State},
    tasks::Tasks,
};
use samphan_persistence::feed;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{Instant as Clock, sleep, sleep_until},
};

/// How long commits are gathered before the database is asked: with many writers, that many fewer questions.
const GATHERED: Duration = Duration::from_millis(5);
/// How often the database is asked while somebody waits: other processes commit, too.
const ASKED_EVERY: Duration = Duration::from_millis(50);
/// And while nobody does, so that what has no position yet stays little.
const IDLE: Duration = Duration::from_secs(1);

/// Who waits for changes.
#[derive(Debug)]
pub struct Feed {
    newest: watch::Sender<i64>,
    ending: watch::Sender<bool>,
    waiting: AtomicUsize,
    begun: Notify,
    /// The streams that may be opened yet.
    pub streams: Arc<Semaphore>,
}

impl Feed {
    /// With room for so many streams.
    #[must_use]
    pub fn new(streams: usize) -> Self {
        Self {
            newest: watch::Sender::new(0),
            ending: watch::Sender::new(false),
            waiting: AtomicUsize::new(0),
            begun: Notify::new(),
            streams: Arc::new(Semaphore::new(streams)),
        }
    }

    fn tell(&self, newest: i64) {
        self.newest.send_if_modified(|held| {
            let newer = *held < newest;
            *held = newest.max(*held);
            newer
        });
    }
}

/// Somebody who waits for changes; until dropped the database is asked for him.
pub struct Listener {
    shared: Arc<Shared>,
    newest: watch::Receiver<i64>,
    ending: watch::Receiver<bool>,
}

impl Listener {
    /// Begins to wait.
    pub fn new(shared: &Arc<Shared>) -> Self {
        shared.feed.waiting.fetch_add(1, Ordering::Relaxed);
        shared.feed.begun.notify_one();
        Self { newest: shared.feed.newest.subscribe(), ending: shared.feed.ending.subscribe(), shared: Arc::clone(shared) }
    }

    /// Back when there is something after a position, when the service ends, or at this time.
    pub async fn changed(&mut self, after: i64, until: Clock) {
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

    /// Whether the service ends, so that nobody is to wait any more.
    pub fn ending(&self) -> bool {
        *self.ending.borrow()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.feed.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts the tasks of a process that serves.
pub fn start(state: State, tasks: &Tasks) {
    tasks.spawn(end(Arc::clone(&state.shared)));
    tasks.spawn(follow(state));
}

async fn follow(state: State) {
    let feed = &state.feed;
    loop {
        match feed::newest(&state.store, server::now()).await {
            Ok(newest) => feed.tell(newest),
            // The database said why; it is asked again.
            Err(_) => sleep(IDLE).await,
        }
        if feed.waiting.load(Ordering::Relaxed) == 0 {
            tokio::select! {
                () = feed.begun.notified() => {}
                () = sleep(IDLE) => {}
            }
            continue;
        }
        tokio::select! {
            () = state.store.committed.notified() => sleep(GATHERED).await,
            () = feed.begun.notified() => {}
            () = sleep(ASKED_EVERY) => {}
        }
    }
}

/// Lets those who wait go when the process is asked to end: the server waits for them.
async fn end(shared: Arc<Shared>) {
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
    shared.feed.ending.send_replace(true);
}
