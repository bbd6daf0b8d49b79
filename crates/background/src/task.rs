//! A task: what an area has done in the background as long as the process lives.

use super::{process::Process, tasks::Tasks};
use futures_util::future::LocalBoxFuture;
use samphan_resource::error::Result;
use std::{
    fmt::{Debug, Formatter},
    future::Future,
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// A task. Several processes may run the same one: the second finds nothing to do.
pub struct Task {
    /// What the log calls it, such as `sales.release_holds`.
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

    /// Starts it.
    pub fn start(self, process: Process, tasks: &Tasks) {
        tasks.spawn((self.run)(process, tasks.clone()));
    }
}
