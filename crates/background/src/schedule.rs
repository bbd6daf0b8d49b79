//! Schedules: jobs that are enqueued again and again, at local times of the organisation. Of several processes one enqueues a run.

use super::{process::Process, task::Task};
use samphan_persistence::{clock, jobs, jobs::NewJob, lease::CLOCKS_DIFFER_SECONDS};
use samphan_resource::{calendar::Zone, caller::Caller, cron::Cron, error::Result, timestamp::Timestamp};
use std::{sync::Arc, time::Duration};

/// How often it is looked whether a run is due.
const INTERVAL: Duration = Duration::from_secs(1);

/// A job and its times.
#[derive(Debug)]
pub(crate) struct Schedule {
    pub name: &'static str,
    pub job: NewJob,
    cron: Cron,
    /// The next run, as far as this process knows, in the zone it was reckoned in.
    next: Option<(Zone, Option<Timestamp>)>,
}

impl Schedule {
    pub const fn new(name: &'static str, cron: Cron, job: NewJob) -> Self {
        Self { name, job, cron, next: None }
    }

    /// Enqueues the run that is due, if any. Runs that were missed are made up for by one.
    async fn enqueue_due(&mut self, process: &Process) -> Result<()> {
        let reader = process.store.reader(Arc::new(Caller::system()), clock::now());
        let zone = reader.zone().await?;
        if self.next.is_some_and(|(of, next)| of == zone && next.is_none_or(|next| next > reader.now)) {
            return Ok(());
        }
        let work = process.work().await?;
        let until = jobs::lock_schedule(&work, self.name).await?;
        // A clock that was put back by more than clocks differ: what was enqueued by the old time says nothing of the new one.
        let until = if until > work.now.plus_seconds(CLOCKS_DIFFER_SECONDS) { work.now } else { until };
        let mut next = self.cron.next_after(zone, until);
        if let Some((local, due)) = next
            && due <= work.now
        {
            let key = format!("{}@{local}", self.name);
            work.enqueue(self.job.clone().at(due).unique(key)).await?;
            jobs::advance_schedule(&work, self.name).await?;
            next = self.cron.next_after(zone, work.now);
        }
        work.commit().await?;
        self.next = Some((zone, next.map(|(_, due)| due)));
        Ok(())
    }
}

/// The task that enqueues the runs of schedules.
pub(crate) fn task(mut schedules: Vec<Schedule>) -> Task {
    Task::every("jobs.schedule", INTERVAL, async move |process: &Process| {
        for schedule in &mut schedules {
            // One that fails keeps none of the others from being looked at.
            if let Err(error) = schedule.enqueue_due(process).await {
                tracing::warn!(schedule = schedule.name, %error, "a schedule could not be looked at");
            }
        }
        Ok(())
    })
}
