//! Audit events: the author, the time, and the values before and after of every change. A row of the outbox, as auditors read it.

use crate::{
    example,
    reference::{AnyReference, Targets},
    resource::{Resource, VisibleThrough},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// One write to one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct AuditEvent {
    /// What happened, such as `account.updated`.
    #[schema(max_length = 100)]
    pub kind: String,
    /// The resource's plural, such as `accounts`.
    #[schema(max_length = 100)]
    pub resource: String,
    /// The record.
    pub resource_id: Uuid,
    /// The record's version after the write.
    pub resource_version: i64,
    /// The request that did it.
    #[schema(max_length = 100)]
    pub request_id: Option<String>,
    /// The fields that changed; empty when the record was made or deleted.
    #[schema(max_items = 500)]
    pub changed_fields: Vec<String>,
    /// Values before: of the changed fields, or all that was set in the record when it was deleted.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Map<String, Value>>,
    /// Values after: of the changed fields, or all that was set in the record when it was made.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Map<String, Value>>,
    /// Why, where a reason was given.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

impl Resource for AuditEvent {
    const PLURAL: &'static str = "audit_events";
    const SINGULAR: &'static str = "audit_event";
    const DESCRIPTION: &'static str = "Who changed what, when, from what to what. Append-only.";
    const FILTERS: &'static [&'static str] = &["kind", "resource", "resource_id", "created_by_id"];
    const TITLE: &'static str = "kind";
    const ANY_REFERENCES: &'static [AnyReference] = &[AnyReference::new("resource", "resource_id", Targets::All)];
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Subject("resource_id")];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({
            "kind": "account.updated",
            "resource": "accounts",
            "resource_id": example::id("accounts"),
            "resource_version": 2,
            "changed_fields": ["grade"],
            "before": {"grade": "B"},
            "after": {"grade": "A"},
        })
    }
}
