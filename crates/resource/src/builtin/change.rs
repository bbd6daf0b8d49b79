//! A change: an event as the feed, the stream and webhooks tell it, the same everywhere.

use crate::timestamp::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

/// What happened to one record, in one write. The same, with the same id, in the feed, in the stream and in webhooks.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Change {
    /// The event's id, a UUIDv7: what came twice has the same id twice.
    pub id: Uuid,
    /// Its place in the order of commits: 1, 2, 3 and so on, without gaps.
    #[schema(minimum = 1)]
    pub position: i64,
    /// Goes on after this change, as `after` or `Last-Event-ID`. It does not expire while the events after it are kept.
    #[schema(max_length = 400, example = "example-cursor")]
    pub cursor: String,
    /// What happened, such as `account.created`; a record's end is `<resource>.deleted`, its tombstone.
    #[serde(rename = "type")]
    #[schema(max_length = 100, example = "account.updated")]
    pub kind: String,
    /// When it happened, RFC 3339 in UTC. Positions tell the order, not times.
    pub time: Timestamp,
    /// The user, API key or Samphan itself that made the change.
    pub actor: Actor,
    /// The resource's plural.
    #[schema(max_length = 100, example = "accounts")]
    pub resource: String,
    /// The record.
    pub resource_id: Uuid,
    /// The record's version after the write: a state that is of this version or a later one has it in it.
    #[schema(minimum = 0)]
    pub version: i64,
    /// The fields that changed; empty when the record was made, deleted or restored.
    #[schema(max_items = 500)]
    pub changed_fields: Vec<String>,
    /// Values before: of the changed fields, or all that was set in the record when it was deleted. Null where there was nothing.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Box<RawValue>>,
    /// Values after: of the changed fields, or all that was set in the record when it was made or restored. Null when it was deleted.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Box<RawValue>>,
    /// Why, where a reason was given.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
    /// The request that did it.
    #[schema(max_length = 100)]
    pub request_id: Option<String>,
}

/// The author of a change.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Actor {
    /// A person, a machine, or Samphan itself.
    pub kind: ActorKind,
    /// The user's or API key's id; null for Samphan itself.
    pub id: Option<Uuid>,
}

/// Kinds of actors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// A person.
    User,
    /// A machine with an API key.
    ApiKey,
    /// Samphan itself.
    System,
}
