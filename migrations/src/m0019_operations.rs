//! Bulk operations: one change to many records, how far it is, and what became of each record. What is to be changed is in `plan` until every
//! record was tried; the values before are in the events of the changes.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0019_operations", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE operations (
    {record}, kind :text NOT NULL, resource :text NOT NULL, status :text NOT NULL, changed_fields :json NOT NULL, reverts_id :id, job_id :id,
    total_count :int NOT NULL, changed_count :int NOT NULL, unchanged_count :int NOT NULL, skipped_count :int NOT NULL,
    failed_count :int NOT NULL, finished_at :time, revertible_until :time, plan :json);
CREATE INDEX operations_job_idx ON operations (job_id);
CREATE INDEX operations_finished_idx ON operations (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX operations_planned_idx ON operations (resource) WHERE plan IS NOT NULL;
CREATE TABLE operation_items (
    {log}, operation_id :id NOT NULL REFERENCES operations (id), record_id :id NOT NULL, outcome :text NOT NULL, resource_version :int,
    code :text, errors :json NOT NULL);
";

const INDEXES: &str = "
    operations: created_at
    operations: updated_at
    operations: kind
    operations: resource
    operations: status
    operations: reverts_id
    log operation_items: operation_id
    log operation_items: created_at
    log operation_items: outcome
    log operation_items: record_id
";
