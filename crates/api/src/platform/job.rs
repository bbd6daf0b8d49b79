//! How jobs are reached: to be looked at, cancelled, and tried again.

use super::succession;
use samphan_persistence::{jobs, store::Work, stored::Stored};
use samphan_resource::{
    builtin::job::{Job, JobStatus},
    error::Result,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Jobs.
#[must_use]
pub fn routes() -> Collection<Job> {
    Collection::new("jobs")
        .action_without_input("cancel", "Cancel a job. A running one is asked to stop.", cancel)
        .example(Example::default().answers(json!({"status": "cancelled"})).persists())
        .action_without_input("retry", "Retry a job. It failed or was cancelled, and is queued again.", retry)
        .example(Example::default().answers(json!({"status": "queued"})).depends_on(&["cancelJob"]))
}

async fn cancel(work: &Work, job: Stored<Job>) -> Result<Stored<Job>> {
    let cancelled = jobs::cancel(work, job).await?;
    if cancelled.data.status == JobStatus::Cancelled {
        succession::cancelled(work, &cancelled).await?;
    }
    Ok(cancelled)
}

async fn retry(work: &Work, job: Stored<Job>) -> Result<Stored<Job>> {
    succession::retried(work, &job).await?;
    jobs::retry(work, job).await
}
