//! How jobs are reached: to be looked at, cancelled, and tried again.

use samphan_persistence::jobs;
use samphan_resource::builtin::job::Job;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Jobs.
#[must_use]
pub fn routes() -> Collection<Job> {
    Collection::new("jobs")
        .plain_action("cancel", "Cancel a queued job, or ask a running one to stop", jobs::cancel)
        .example(Example::default().answers(json!({"status": "cancelled"})).kept())
        .plain_action("retry", "Queue a job anew that failed or was cancelled", jobs::retry)
        .example(Example::default().answers(json!({"status": "queued"})).after(&["cancelJob"]))
}
