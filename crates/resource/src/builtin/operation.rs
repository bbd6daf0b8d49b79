//! A bulk operation: one change to many records, asked for once and done in the background, and what became of each record.

use crate::{example, resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, SchemaFormat, Type, extensions::Extensions, schema::Schema},
};
use uuid::Uuid;
use validator::Validate;

/// One change to many records, with its owner, its progress and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Operation {
    /// What is done.
    #[schema(read_only)]
    pub kind: OperationKind,
    /// The resource whose records are changed, such as `accounts`.
    #[schema(read_only, max_length = 100)]
    pub resource: String,
    /// What became of it. `completed` says that every record was tried, not that every one was changed: see the counts.
    #[schema(read_only)]
    pub status: OperationStatus,
    /// The fields that are changed.
    #[schema(read_only, max_items = 500)]
    pub changed_fields: Vec<String>,
    /// The operation that this one reverts.
    #[schema(read_only)]
    pub reverts_id: Option<Uuid>,
    /// The job that does it.
    #[schema(read_only)]
    pub job_id: Option<Uuid>,
    /// Records it is about: those that were found, or named, when it was asked for.
    #[schema(read_only, minimum = 0)]
    pub total_count: i64,
    /// Records changed so far.
    #[schema(read_only, minimum = 0)]
    pub changed_count: i64,
    /// Records that were so already.
    #[schema(read_only, minimum = 0)]
    pub unchanged_count: i64,
    /// Records left as they are, because they were changed since; of a reverting operation only.
    #[schema(read_only, minimum = 0)]
    pub skipped_count: i64,
    /// Records that could not be changed; its items say why.
    #[schema(read_only, minimum = 0)]
    pub failed_count: i64,
    /// When it was completed, failed or was cancelled.
    #[schema(read_only)]
    pub finished_at: Option<Timestamp>,
    /// Until when it can be reverted; null until it is finished.
    #[schema(read_only)]
    pub revertible_until: Option<Timestamp>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Changes fields of records.
    BulkUpdate,
    /// Gives records to another owner or team.
    BulkAssign,
    /// Puts back what another operation changed.
    Revert,
}

/// What became of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// It waits for its turn.
    Queued,
    /// Some records are done.
    Running,
    /// Every record was tried.
    Completed,
    /// It could not go on.
    Failed,
    /// It was cancelled before every record was tried; what it had changed stays changed.
    Cancelled,
}

/// The id of a record in `operations`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(pub Uuid);

impl PartialSchema for OperationId {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .extensions(Some(Extensions::builder().add("x-reference", Operation::PLURAL).build()))
            .into()
    }
}

impl ToSchema for OperationId {
    fn name() -> std::borrow::Cow<'static, str> {
        "OperationId".into()
    }
}

/// What an operation did to one record. Records that were so already have none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OperationItem {
    /// The operation.
    pub operation_id: OperationId,
    /// The record.
    pub record_id: Uuid,
    /// What became of it.
    pub outcome: OperationOutcome,
    /// The version of the record after the change; null where it was not changed. The event of that version has the values before and after.
    #[schema(minimum = 1)]
    pub resource_version: Option<i64>,
    /// Why the record was skipped or could not be changed: the code of a problem, `changed_since`, or `before_image_deleted`.
    #[schema(max_length = 100)]
    pub code: Option<String>,
    /// The fields that are not valid, and why.
    #[schema(max_items = 100)]
    pub errors: Vec<OperationItemError>,
}

/// A field of a record that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationItemError {
    /// Where it stands in the record, as a JSON pointer.
    #[schema(max_length = 500)]
    pub pointer: String,
    /// Why it is not valid.
    #[schema(max_length = 100)]
    pub code: String,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationOutcome {
    /// It was changed.
    Changed,
    /// It was changed since, and left as it is.
    Skipped,
    /// It could not be changed.
    Failed,
}

impl Resource for Operation {
    const PLURAL: &'static str = "operations";
    const SINGULAR: &'static str = "operation";
    const DESCRIPTION: &'static str = "One change to many records, done in the background: how far it is, and what became of each record.";
    const EVENTS: &'static [&'static str] = &["operation.completed", "operation.failed", "operation.cancelled"];
    const FILTERS: &'static [&'static str] = &["kind", "resource", "status", "reverts_id"];
    // The caller that asked for it owns it.
    const OWNED: bool = true;
    const TITLE: &'static str = "kind";
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        // One that is running stops at its next step.
        Transition::within("cancel", &["queued", "running"], None),
        Transition::within("revert", &["completed", "failed", "cancelled"], None),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "kind": "bulk_update", "resource": "accounts", "status": "queued", "changed_fields": ["grade"], "total_count": 1,
            "changed_count": 0, "unchanged_count": 0, "skipped_count": 0, "failed_count": 0,
        })
    }
}

impl Resource for OperationItem {
    const PLURAL: &'static str = "operation_items";
    const SINGULAR: &'static str = "operation_item";
    const DESCRIPTION: &'static str = "What a bulk operation did to one record.";
    const FILTERS: &'static [&'static str] = &["operation_id", "outcome", "record_id"];
    const TITLE: &'static str = "outcome";
    const PARENTS: &'static [&'static str] = &["operation_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({"operation_id": example::id("operations"), "outcome": "changed", "resource_version": 2, "errors": []})
    }
}
