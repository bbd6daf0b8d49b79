//! Contact points in an order of their own: as they were made, until somebody moves one.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0018_contact_point_order", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE contact_points ADD COLUMN position :int NOT NULL DEFAULT 0;
UPDATE contact_points SET position = o.place FROM (SELECT id, row_number() OVER (PARTITION BY account_id, contact_id ORDER BY id) AS place
    FROM contact_points WHERE deleted_at IS NULL) o WHERE o.id = contact_points.id;
";

const INDEXES: &str = "
    contact_points: position
";
