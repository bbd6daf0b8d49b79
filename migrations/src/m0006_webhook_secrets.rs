//! What webhooks are signed with is kept encrypted: under which key, by its id. Null is of before, and not encrypted: the service
//! encrypts it when it starts.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0006_webhook_secrets", tables: TABLES, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE webhook_secrets ADD COLUMN key_id :text
";
