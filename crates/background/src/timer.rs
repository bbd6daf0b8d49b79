//! Timers: what areas have done to records by itself when a moment of theirs has come ([`Resource::TIMERS`]). One task looks once a second at
//! all of them. Of several processes one gets a record: it is locked, or read again under a lock.

use super::{process::Process, task::Task};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    clock,
    record::{Record, id_of},
    store::Work,
    stored::Stored,
    timers,
};
use samphan_resource::{caller::Caller, error::Result, resource::Resource, shape::Shape, timer::Timer};
use std::{
    fmt::{Debug, Formatter},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// How often it looks: a record is behind by no more than this.
const INTERVAL: Duration = Duration::from_secs(1);

type Run = Box<dyn for<'a> Fn(&'a Work, Vec<Record>) -> LocalBoxFuture<'a, Result<()>>>;

/// A timer, and what is done to the records.
struct Registered {
    shape: &'static Shape,
    timer: &'static Timer,
    run: Run,
}

/// The timers that areas register.
#[derive(Default)]
pub struct Timers {
    all: Vec<Registered>,
    /// Mistakes in the program.
    faults: Vec<String>,
}

impl Debug for Timers {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.all.iter().map(|one| (one.shape.plural, one.timer.verb))).finish()
    }
}

impl Timers {
    /// With what is done to records of a resource when the moment of one of its timers has come.
    #[must_use]
    pub fn with<T: Resource>(mut self, verb: &'static str, run: impl AsyncFn(&Work, Vec<Stored<T>>) -> Result<()> + 'static) -> Self {
        let Some(timer) = T::TIMERS.iter().find(|timer| timer.verb == verb) else {
            self.faults.push(format!("{} has no timer {verb}", T::PLURAL));
            return self;
        };
        let run = Arc::new(run);
        let run: Run = Box::new(move |work, records| {
            let run = Arc::clone(&run);
            Box::pin(async move { run(work, records.into_iter().map(Stored::of).collect::<Result<_>>()?).await })
        });
        self.all.push(Registered { shape: Shape::of::<T>(), timer, run });
        self
    }

    /// The timers of resources that no area registered, and those that are registered wrongly.
    #[must_use]
    pub fn faults(&self, shapes: impl Iterator<Item = &'static Shape>) -> Vec<String> {
        let is_registered =
            |shape: &Shape, timer: &Timer| self.all.iter().any(|r| r.shape.plural == shape.plural && r.timer.verb == timer.verb);
        let missing = shapes.flat_map(|shape| shape.timers.iter().map(move |timer| (shape, timer)));
        let missing = missing.filter(|(shape, timer)| !is_registered(shape, timer));
        let missing = missing.map(|(shape, timer)| format!("nothing is registered for the timer {} of {}", timer.verb, shape.plural));
        self.faults.iter().cloned().chain(missing).collect()
    }

    /// The task that looks at all of them.
    #[must_use]
    pub fn task(self) -> Task {
        Task::every("timers.run", INTERVAL, async move |process: &Process| {
            for one in &self.all {
                // One that fails keeps none of the others from being looked at.
                if let Err(error) = one.look(process).await {
                    tracing::warn!(resource = one.shape.plural, timer = one.timer.verb, %error, "a timer failed; it is tried again");
                }
            }
            Ok(())
        })
    }
}

impl Registered {
    /// Does what is due now. A record that fails is left for the next time, and does not keep the others from it.
    async fn look(&self, process: &Process) -> Result<()> {
        let reader = process.store.reader(Arc::new(Caller::system()), clock::now());
        if !timers::is_any_due(&reader, self.shape, self.timer).await? {
            return Ok(());
        }
        let (mut most, mut failed): (usize, Vec<Uuid>) = (self.timer.max_records, vec![]);
        loop {
            let work = process.work().await?;
            let due = timers::due(&work, self.shape, self.timer, most, &failed).await?;
            let ids: Vec<Uuid> = due.iter().map(id_of).collect();
            if ids.is_empty() {
                return work.roll_back().await;
            }
            let done = match (self.run)(&work, due).await {
                Ok(()) => work.commit().await,
                Err(error) => {
                    work.roll_back().await?;
                    Err(error)
                }
            };
            match (done, ids.as_slice()) {
                (Ok(()), _) if ids.len() < most => return Ok(()),
                (Ok(()), _) => {}
                (Err(error), [id]) => {
                    tracing::warn!(resource = self.shape.plural, timer = self.timer.verb, %id, %error, "a record's timer failed");
                    failed.push(*id);
                }
                // One of them: they are done one by one.
                (Err(_), _) => most = 1,
            }
        }
    }
}
