//! Operations have an owner: the caller that asked for one. Others see it as far as their reach goes.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0020_operation_owners", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE operations ADD COLUMN owner_id :id;
ALTER TABLE operations ADD COLUMN team_id :id;
UPDATE operations SET owner_id = created_by_id;
CREATE INDEX operations_open_idx ON operations (owner_id) WHERE status IN ('queued', 'running');
";

const INDEXES: &str = "
    operations: owner_id | team_id
    operations: owner_id | team_id | status, created_at | updated_at
    operations: owner_id | team_id, status
";
