//! The feed: a position for every event, in the order of commits.
//!
//! SQLite has one writer, so the outbox's own row numbers are that order. On PostgreSQL transactions commit in another order than they
//! take numbers in, so positions are given afterwards, in a narrow table: to write them into the outbox would rewrite its wide rows and
//! all their index entries.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0003_changes", tables: TABLES, indexes: INDEXES, postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE webhook_endpoints (
    {record}, url :text NOT NULL, description :text, event_types :json NOT NULL, filter :json, status :text NOT NULL, disabled_reason :text,
    failing_since :time, previous_secret_expires_at :time, format_version :int NOT NULL);
CREATE TABLE webhook_secrets (
    id :id NOT NULL PRIMARY KEY, endpoint_id :id NOT NULL REFERENCES webhook_endpoints (id), secret :bytes NOT NULL, expires_at :time);
-- How far an endpoint has been told, and which process tells it.
CREATE TABLE webhook_cursors (
    endpoint_id :id NOT NULL PRIMARY KEY REFERENCES webhook_endpoints (id), position :int NOT NULL, leased_by :id, leased_until :time);
CREATE TABLE webhook_deliveries (
    {log}, webhook_endpoint_id :id NOT NULL REFERENCES webhook_endpoints (id), event_id :id NOT NULL, event_type :text NOT NULL,
    position :int NOT NULL, status :text NOT NULL, attempts :int NOT NULL, next_attempt_at :time, last_attempt_at :time, last_status :int,
    last_error :text, last_response :text, last_duration_ms :int);
";

const INDEXES: &str = "
    webhook_endpoints: created_at
    webhook_endpoints: updated_at
    webhook_endpoints: status
    webhook_endpoints: url
    log webhook_secrets: endpoint_id
    log webhook_deliveries: created_at
    log webhook_deliveries: webhook_endpoint_id
    log webhook_deliveries: status
    log webhook_deliveries: event_id
    log webhook_deliveries: event_type
    log webhook_deliveries: webhook_endpoint_id, status, next_attempt_at, position
    unique log webhook_deliveries: webhook_endpoint_id, event_id
";

const POSTGRES: &str = "
CREATE INDEX audit_events_seq_idx ON audit_events (seq);
CREATE TABLE event_positions (position bigint NOT NULL PRIMARY KEY, event_id uuid NOT NULL UNIQUE);
-- Up to settled_seq every event has its position; up to fence_seq once all transactions before fence_xid have ended.
CREATE TABLE feed_state (settled_seq bigint NOT NULL, fence_seq bigint NOT NULL, fence_xid xid8 NOT NULL);
INSERT INTO feed_state VALUES (0, 0, '0')
";

const SQLITE: &str = "
CREATE VIEW event_positions AS SELECT position, id AS event_id FROM audit_events
";
