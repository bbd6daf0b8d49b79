//! A webhook delivery: one change on its way to one endpoint, and what became of it.

use crate::id::WebhookEndpointId;
use samphan_resource::{example, resource::Resource, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Seconds from each failed attempt to the next: ten attempts in some three days.
pub const RETRIES: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// One change on its way to one endpoint: `id` of the event in `event_id` is the same however often it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct WebhookDelivery {
    /// The endpoint.
    #[schema(read_only)]
    pub webhook_endpoint_id: WebhookEndpointId,
    /// The change: `id` in the feed, `webhook-id` when it is sent.
    #[schema(read_only)]
    pub event_id: Uuid,
    /// Its type.
    #[schema(read_only, max_length = 100)]
    pub event_type: String,
    /// What became of it.
    #[schema(read_only)]
    pub status: DeliveryStatus,
    /// How often it was tried; after 10 failed attempts it has failed.
    #[schema(read_only, minimum = 0, maximum = 1000)]
    pub attempts: i64,
    /// When it is tried next; null when it is not.
    #[schema(read_only)]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was tried last.
    #[schema(read_only)]
    pub last_attempt_at: Option<Timestamp>,
    /// The HTTP status the last attempt was answered with; null when there was no answer.
    #[schema(read_only, minimum = 100, maximum = 999)]
    pub last_status: Option<i64>,
    /// Why the last attempt failed: `status`, `timeout`, `connection`, `address_not_allowed`, `not_visible` (its maker may read the record
    /// no more), `secret_unreadable` (it is encrypted with a key that is not configured; rotate it), or null.
    #[schema(read_only, max_length = 50)]
    pub last_error: Option<String>,
    /// The beginning of the last answer's body, at most 1,000 characters.
    #[schema(read_only, max_length = 1000)]
    pub last_response: Option<String>,
    /// Milliseconds the last attempt took.
    #[schema(read_only, minimum = 0, maximum = 1_000_000)]
    pub last_duration_ms: Option<i64>,
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is to be tried.
    Pending,
    /// It was answered with a status from 200 to 299.
    Delivered,
    /// It was tried as often as it is tried.
    Failed,
}

impl Resource for WebhookDelivery {
    const PLURAL: &'static str = "webhook_deliveries";
    const SINGULAR: &'static str = "webhook_delivery";
    const DESCRIPTION: &'static str = "What was sent to a webhook endpoint, and what became of it.";
    const FILTERS: &'static [&'static str] = &["status", "event_id", "event_type"];
    const TITLE: &'static str = "event_type";
    const PARENTS: &'static [&'static str] = &["webhook_endpoint_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({"event_type": "webhook_endpoint.tested", "webhook_endpoint_id": example::id("webhook_endpoints"), "status": "pending"})
    }
}
