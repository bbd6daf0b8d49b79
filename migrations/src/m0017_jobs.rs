//! Durable jobs, and how far their schedules are.
//!
//! A job waits in `queued` until `run_at`; who runs it holds it by `leased_by` until `leased_until`. One that is queued or running has its
//! `unique_key` to itself. Hand-overs of records that were under way become jobs, each with the id of its user.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0017_jobs", tables: TABLES, indexes: INDEXES, postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE jobs (
    {record}, kind :text NOT NULL, status :text NOT NULL, principal_id :id, run_at :time NOT NULL, attempts :int NOT NULL,
    max_attempts :int NOT NULL, progress_done :int NOT NULL, progress_total :int, last_error :text, cancel_requested_at :time,
    finished_at :time, payload :json NOT NULL, unique_key :text, request_id :text, leased_by :id, leased_until :time);
CREATE INDEX jobs_due_idx ON jobs (run_at, id) WHERE status = 'queued';
CREATE INDEX jobs_leased_idx ON jobs (leased_until) WHERE status = 'running';
CREATE INDEX jobs_ended_idx ON jobs (finished_at) WHERE status IN ('succeeded', 'cancelled');
CREATE UNIQUE INDEX jobs_unique_key ON jobs (unique_key) WHERE status IN ('queued', 'running');
-- Up to this moment every run of a schedule was enqueued.
CREATE TABLE job_schedules (name :text NOT NULL PRIMARY KEY, enqueued_until :time NOT NULL);
";

const INDEXES: &str = "
    jobs: created_at
    jobs: updated_at
    jobs: kind
    jobs: status
    jobs: run_at
    jobs: principal_id
";

const POSTGRES: &str = "
INSERT INTO jobs (id, version, created_at, updated_at, kind, status, run_at, attempts, max_attempts, progress_done, payload)
    SELECT u.id, 1, now(), now(), 'users.hand_over_records', 'queued', now(), 0, 20, 0, json_build_object('user_id', u.id) FROM users u
    WHERE u.successor_id IS NOT NULL AND u.deleted_at IS NULL
";

const SQLITE: &str = "
INSERT INTO jobs (id, version, created_at, updated_at, kind, status, run_at, attempts, max_attempts, progress_done, payload)
    SELECT u.id, 1, u.updated_at, u.updated_at, 'users.hand_over_records', 'queued', u.updated_at, 0, 20, 0,
        json_object('user_id', lower(hex(u.id))) FROM users u
    WHERE u.successor_id IS NOT NULL AND u.deleted_at IS NULL
";
