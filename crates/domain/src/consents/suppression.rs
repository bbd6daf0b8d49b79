//! A suppression: an address that nothing is sent to, of any person. Only a hash of the address is kept, so that it outlives the
//! erasure of the person.

use crate::customers::account::Channel;
use samphan_resource::{resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// An address that nothing is sent to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Suppression {
    /// The salted hash of the address (HMAC-SHA256, hexadecimal). The address itself is not kept.
    #[schema(read_only, min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    #[serde(default)]
    pub address_hash: String,
    /// The channel that is closed.
    #[schema(read_only)]
    pub channel: Channel,
    /// Why.
    #[schema(read_only)]
    pub reason: SuppressionReason,
    /// When it ends by itself; null for never.
    #[schema(read_only)]
    pub until: Option<Timestamp>,
    /// What else is known of it, without the address.
    #[schema(read_only, max_length = 500)]
    pub note: Option<String>,
    /// Whether it holds.
    #[schema(read_only)]
    #[serde(default)]
    pub status: SuppressionStatus,
}

/// Why nothing is sent to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The person unsubscribed.
    Unsubscribed,
    /// The person complained of abuse.
    Complaint,
    /// There is no such mailbox or number.
    HardBounce,
    /// Several deliveries failed in a short time.
    SoftBounces,
    /// The person was erased.
    Erased,
    /// Entered by hand.
    Manual,
}

/// Whether a suppression holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionStatus {
    /// Nothing is sent.
    #[default]
    Active,
    /// It was taken back.
    Lifted,
}

impl Resource for Suppression {
    const PLURAL: &'static str = "suppressions";
    const SINGULAR: &'static str = "suppression";
    const DESCRIPTION: &'static str = "Addresses that nothing is sent to, as salted hashes.";
    const FILTERS: &'static [&'static str] = &["channel", "reason", "status"];
    const TITLE: &'static str = "reason";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["address_hash", "channel"]];
    const STATUS: Option<&'static str> = Some("status");
    const EVENTS: &'static [&'static str] = &["suppression.renewed"];
    const TRANSITIONS: &'static [Transition] = &[Transition::new("lift", &["active"], "lifted", "lifted")];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"address_hash": "5f".repeat(32), "channel": "email", "reason": "manual", "status": "active"})
    }
}
