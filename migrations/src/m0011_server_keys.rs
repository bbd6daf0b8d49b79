//! Server keys are encrypted and rotated, and what is deleted in time, or erased with a person, is found by an index.
//!
//! A server key has a kind, of which there may be several; `key_id` names the key it is encrypted with, null when it is not.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0011_server_keys", tables: TABLES, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE server_keys ADD COLUMN kind :text ;
ALTER TABLE server_keys ADD COLUMN key_id :text ;
ALTER TABLE server_keys ADD COLUMN active_from :time ;
ALTER TABLE server_keys ADD COLUMN expires_at :time ;
UPDATE server_keys SET kind = name, active_from = created_at;
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
CREATE INDEX sessions_ended_at_idx ON sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX refresh_tokens_used_at_idx ON refresh_tokens (used_at) WHERE used_at IS NOT NULL;
CREATE INDEX shipments_deleted_order_id_idx ON shipments (order_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX order_holds_deleted_order_id_idx ON order_holds (order_id) WHERE deleted_at IS NOT NULL;
CREATE INDEX webhook_deliveries_settled_idx ON webhook_deliveries (created_at) WHERE status <> 'pending';
";
