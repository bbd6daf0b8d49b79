//! A webhook endpoint: an address of somebody else's that is told of changes as they happen.

use samphan_resource::{resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// An address that changes are sent to, signed, in the order they happen. It is told what its maker may read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct WebhookEndpoint {
    /// Where to: `https` with a name or address that is public. Redirects are not followed.
    #[schema(min_length = 10, max_length = 2000, pattern = "^https?://", example = "https://accounting.example.com/hooks/samphan")]
    pub url: String,
    /// For people to read.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// The types of changes it receives, such as `account.created` or `account.*`; of all when left out.
    #[schema(min_items = 1, max_items = 2000)]
    #[serde(default = "all")]
    pub event_types: Vec<String>,
    /// A condition that changes must meet besides, in the filter language (schema `Filter`), over `type`, `resource`, `resource_id`,
    /// `version`, `time`, `actor_kind`, `actor_id`, `changed_fields` and `reason`; none when null.
    #[schema(value_type = Option<Object>, example = json!({"field": "changed_fields", "op": "contains", "value": "grade"}))]
    pub filter: Option<Value>,
    /// Whether changes are sent to it; changed by `pause` and `resume`, and by what becomes of deliveries.
    #[schema(read_only)]
    #[serde(default)]
    pub status: EndpointStatus,
    /// Why it is disabled: it answered 410 (`gone`), it failed for three days (`failing`), or its maker may not follow changes any more
    /// (`maker_not_allowed`).
    #[schema(read_only)]
    pub disabled_reason: Option<DisabledReason>,
    /// Since when every attempt has failed; null while they succeed.
    #[schema(read_only)]
    pub failing_since: Option<Timestamp>,
    /// Until when deliveries are signed with the secret before the last rotation, too.
    #[schema(read_only)]
    pub previous_secret_expires_at: Option<Timestamp>,
    /// The version of what is sent: 1 is the schema `Change`.
    #[schema(read_only, minimum = 1, maximum = 1000)]
    #[serde(default = "one")]
    pub format_version: i64,
}

fn all() -> Vec<String> {
    vec!["*".to_owned()]
}

const fn one() -> i64 {
    1
}

/// Whether an endpoint is told of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointStatus {
    /// It is.
    #[default]
    Active,
    /// Not until it is resumed; what happens meanwhile is told then.
    Paused,
    /// It failed; likewise, until it is resumed.
    Disabled,
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// It answered 410.
    Gone,
    /// Every attempt of three days failed.
    Failing,
    /// Its maker may not follow changes any more.
    MakerNotAllowed,
}

impl Resource for WebhookEndpoint {
    const PLURAL: &'static str = "webhook_endpoints";
    const SINGULAR: &'static str = "webhook_endpoint";
    const DESCRIPTION: &'static str = "Addresses to which changes are sent as they happen.";
    const EVENTS: &'static [&'static str] = &["webhook_endpoint.disabled"];
    const FILTERS: &'static [&'static str] = &["status", "url"];
    const TITLE: &'static str = "url";
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("pause", &["active"], "paused", "paused"),
        Transition::new("resume", &["paused", "disabled"], "active", "resumed"),
        Transition::within("test", &["active"], Some("tested")),
        Transition::within("replay", &[], Some("replayed")),
        Transition::within("rotate-secret", &[], Some("secret_rotated")),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"event_types": ["order.confirmed", "account.*"]})
    }

    fn example_change() -> Value {
        json!({"description": "Tells accounting of new customers and orders."})
    }
}

/// A change as an endpoint's filter sees it: flat. Never stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct ChangeCondition {
    /// The type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The resource's plural.
    pub resource: String,
    /// The record.
    pub resource_id: Uuid,
    /// The record's version after the write.
    pub version: i64,
    /// When it happened.
    pub time: Timestamp,
    /// `user`, `api_key` or `system`.
    pub actor_kind: String,
    /// The user or API key.
    pub actor_id: Option<Uuid>,
    /// The fields that changed.
    pub changed_fields: Vec<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Resource for ChangeCondition {
    const PLURAL: &'static str = "changes";
    const SINGULAR: &'static str = "change";
    const DESCRIPTION: &'static str = "A change as a filter sees it.";
    const FILTERS: &'static [&'static str] =
        &["type", "resource", "resource_id", "version", "time", "actor_kind", "actor_id", "changed_fields", "reason"];
    const SEARCHED: &'static [&'static str] = &["type", "reason"];
    const TITLE: &'static str = "type";
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;
}
