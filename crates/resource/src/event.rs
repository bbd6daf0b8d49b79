//! What happened: one event for each write, kept in the write's own transaction. Audit, change feed and webhooks read the same rows.

use serde_json::{Map, Value};
use uuid::Uuid;

/// The value of an event that says from where a person or machine came: it goes when the person is erased.
pub const CLIENT_ADDRESS: &str = "client_address";

/// A fact about one record, as the outbox keeps it.
#[derive(Clone, Debug)]
pub struct Event {
    /// `account.created`, `account.lifecycle_changed`.
    pub kind: String,
    /// The resource's plural: `accounts`.
    pub resource: &'static str,
    /// The record.
    pub resource_id: Uuid,
    /// The record's version after the write.
    pub version: i64,
    /// The fields that changed; empty for a create or delete.
    pub changed_fields: Vec<&'static str>,
    /// The values before: the changed fields, or the whole record of a delete, of which the outbox keeps what is set.
    pub before: Option<Map<String, Value>>,
    /// The values after: the changed fields, or the whole record of a create, likewise.
    pub after: Option<Map<String, Value>>,
    /// Why, where a reason was given.
    pub reason: Option<String>,
}
