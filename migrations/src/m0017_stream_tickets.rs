//! One-time tickets for event streams: how a browser, whose EventSource cannot send headers, follows the feed.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0017_stream_tickets", tables: TABLES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE stream_tickets (
    secret_hash :bytes NOT NULL PRIMARY KEY, principal_id :id NOT NULL, session_id :id NOT NULL, key_secret :bytes, expires_at :time NOT NULL);
CREATE INDEX stream_tickets_expires_idx ON stream_tickets (expires_at);
";
