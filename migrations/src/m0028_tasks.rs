//! Tasks: what is to be done, once or again and again.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0028_tasks", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE tasks (
    {record}, {owned}, account_id :id, contact_id :id, related_resource :text, related_id :id, subject :text NOT NULL, body :text,
    kind :text NOT NULL, priority :text NOT NULL, status :text NOT NULL, due_at :time, due_on :date, time_zone :text,
    callback_number :text, callback_e164 :text, outcome :text, recurrence :json, series_id :id, occurrence_no :int NOT NULL,
    missed :int NOT NULL, series_start :text, occurrence_at :text, previous_id :id, workflow_id :id, completed_at :time,
    activity_at :time NOT NULL, {tail});
CREATE INDEX tasks_deleted_account_id_idx ON tasks (account_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX tasks_deleted_contact_id_idx ON tasks (contact_id) WHERE deleted_at IS NOT NULL;
";

const INDEXES: &str = "
    tasks: created_at
    tasks: updated_at
    tasks: due_at
    tasks: activity_at
    tasks: status
    tasks: status, created_at | updated_at | due_at | activity_at
    tasks: owner_id | team_id
    sparse tasks: owner_id | team_id, created_at | updated_at | due_at | activity_at | status
    sparse tasks: account_id | contact_id | related_id
    sparse tasks: account_id | contact_id | related_id, activity_at
    tasks: kind
    tasks: priority
    sparse tasks: due_on
    sparse tasks: series_id
    sparse tasks: previous_id
    sparse tasks: workflow_id
    sparse tasks: callback_e164
";
