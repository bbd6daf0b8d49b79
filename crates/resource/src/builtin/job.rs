//! A job: what Samphan does in the background for a request or by a schedule, and what became of it.

use crate::{resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Work in the background that outlives the process: tried until it succeeds or has failed too often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Job {
    /// What is done, such as `users.hand_over_records`.
    #[schema(read_only, max_length = 100)]
    pub kind: String,
    /// What became of it.
    #[schema(read_only)]
    pub status: JobStatus,
    /// The user or API key whose request asked for it; null when Samphan did.
    #[schema(read_only)]
    pub principal_id: Option<Uuid>,
    /// When it is to run, or was to run last.
    #[schema(read_only)]
    pub run_at: Timestamp,
    /// Attempts since it last made progress, the running one included.
    #[schema(read_only, minimum = 0, maximum = 1000)]
    pub attempts: i64,
    /// Attempts without progress after which it has failed.
    #[schema(read_only, minimum = 1, maximum = 1000)]
    pub max_attempts: i64,
    /// Items done so far, such as records.
    #[schema(read_only, minimum = 0)]
    pub progress_done: i64,
    /// Items there are to do; null when that is not known.
    #[schema(read_only, minimum = 0)]
    pub progress_total: Option<i64>,
    /// Why the last attempt failed: the code of a problem, `interrupted` when the process that ran it ended, or null.
    #[schema(read_only, max_length = 500)]
    pub last_error: Option<String>,
    /// When a running job was asked to stop. It stops at its next step; what it has done stays.
    #[schema(read_only)]
    pub cancel_requested_at: Option<Timestamp>,
    /// When it succeeded, failed or was cancelled.
    #[schema(read_only)]
    pub finished_at: Option<Timestamp>,
}

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// It waits for its time, or for its next attempt.
    Queued,
    /// It is being done.
    Running,
    /// It is done.
    Succeeded,
    /// It failed at every attempt.
    Failed,
    /// It was cancelled before it was done.
    Cancelled,
}

impl Resource for Job {
    const PLURAL: &'static str = "jobs";
    const SINGULAR: &'static str = "job";
    const DESCRIPTION: &'static str = "Work in the background that outlives the process, and what became of it.";
    const EVENTS: &'static [&'static str] = &["job.failed"];
    const FILTERS: &'static [&'static str] = &["kind", "status", "run_at", "principal_id"];
    const SORTS: &'static [&'static str] = &["run_at"];
    const TITLE: &'static str = "kind";
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        // One that is running stops at its next step.
        Transition::within("cancel", &["queued", "running"], Some("cancelled")),
        Transition::new("retry", &["failed", "cancelled"], "queued", "retried"),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"kind": "users.hand_over_records", "status": "queued", "attempts": 0, "max_attempts": 20, "progress_done": 0})
    }
}
