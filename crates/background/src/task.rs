//! A task: what an area has done in the background as long as the process lives.

use super::{process::Process, tasks::Tasks};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    clock,
    store::{Reader, Work},
};
use samphan_resource::{caller::Caller, error::Result};
use std::{
    fmt::{Debug, Formatter},
    future::Future,
    sync::Arc,
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Records that a sweep changes in one work.
const AT_ONCE: usize = 500;

/// A task. Several processes may run the same one: the second finds nothing to do.
pub struct Task {
    /// What the log calls it, such as `stock.expire_reservations`.
    pub name: &'static str,
    run: Box<dyn FnOnce(Process, Tasks) -> LocalBoxFuture<'static, ()>>,
}

impl Debug for Task {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Task").field(&self.name).finish()
    }
}

impl Task {
    /// One that runs by itself until the process ends. What it spawns among the tasks ends with it.
    pub fn worker<F: Future<Output = ()> + 'static>(name: &'static str, run: impl FnOnce(Process, Tasks) -> F + 'static) -> Self {
        Self { name, run: Box::new(|process, tasks| Box::pin(run(process, tasks))) }
    }

    /// One that is done again and again, with a pause between. What fails is logged and tried again: a database that is away may be back
    /// by the next time.
    pub fn every(name: &'static str, pause: Duration, mut run: impl AsyncFnMut(&Process) -> Result<()> + 'static) -> Self {
        Self::worker(name, move |process, _| async move {
            let mut clock = interval(pause);
            clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                if let Err(error) = run(&process).await {
                    tracing::warn!(task = name, %error, "a task failed; it is tried again");
                }
            }
        })
    }

    /// One that brings records on that are due: `is_any_due` is one look into an index, `advance` changes some of them, so many at most,
    /// and says whether there may be more.
    pub fn sweep(
        name: &'static str,
        pause: Duration,
        is_any_due: impl AsyncFn(&Reader) -> Result<bool> + 'static,
        advance: impl AsyncFn(&Work, usize) -> Result<bool> + 'static,
    ) -> Self {
        Self::every(name, pause, async move |process: &Process| {
            let caller = Arc::new(Caller::system());
            while is_any_due(&process.store.reader(Arc::clone(&caller), clock::now())).await? {
                let work = process.work().await?;
                let has_more = advance(&work, AT_ONCE).await?;
                work.commit().await?;
                if !has_more {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Starts it.
    pub fn start(self, process: Process, tasks: &Tasks) {
        tasks.spawn((self.run)(process, tasks.clone()));
    }
}
