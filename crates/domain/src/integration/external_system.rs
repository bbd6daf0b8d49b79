//! An external system: an accounting or ERP system, a shop, a telephone exchange.

use samphan_resource::{
    error::FieldCode, filter::duration_seconds, resource::Resource, timestamp::Timestamp, transition::Transition, validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// Another system that knows some of our records by names of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "known_duration"))]
pub struct ExternalSystem {
    /// The code it is called by in every push and reference.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z0-9][a-z0-9_-]*$", example = "express")]
    pub code: String,
    /// For people to read.
    #[schema(min_length = 1, max_length = 100, example = "Express for Windows, Bangkok")]
    pub name: String,
    /// What kind of system it is.
    pub kind: SystemKind,
    /// The legal entity it keeps books for: pushes for another are refused. Null where it keeps several.
    #[schema(max_length = 50, example = "TH01")]
    pub legal_entity: Option<String>,
    /// ISO 4217 currency of its books: pushes in another are refused. Null where it keeps several.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// ISO 8601 duration after which what it said is stale; never when null.
    #[schema(max_length = 30, example = "PT26H")]
    pub stale_after: Option<String>,
    /// What a stale balance does to the credit status.
    #[serde(default)]
    pub on_stale: OnStale,
    /// Whether it may push; moved by `activate` and `pause`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: SystemStatus,
    /// When it last pushed.
    #[schema(read_only)]
    pub last_seen_at: Option<Timestamp>,
}

/// Kinds of external systems.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum SystemKind {
    Accounting,
    Erp,
    Pos,
    Telephony,
    Ecommerce,
    Crm,
    Other,
}

/// What a stale balance does to the credit status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnStale {
    /// Nothing; `stale` is shown.
    Allow,
    /// The status is at least `warn`.
    #[default]
    Warn,
    /// The status is `hold`.
    Block,
}

/// Whether a system may push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SystemStatus {
    /// It may.
    #[default]
    Active,
    /// Its pushes are refused.
    Paused,
}

impl Resource for ExternalSystem {
    const PLURAL: &'static str = "external_systems";
    const SINGULAR: &'static str = "external_system";
    const DESCRIPTION: &'static str = "Accounting, ERP and other systems that share records with us.";
    const FILTERS: &'static [&'static str] = &["code", "kind", "status"];
    const SORTS: &'static [&'static str] = &["code", "name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["code"]];
    // References, balances and keys name it.
    const FIXED: &'static [&'static str] = &["code"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] =
        &[Transition::new("pause", &["active"], "paused", "paused"), Transition::new("activate", &["paused"], "active", "activated")];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"kind": "accounting", "on_stale": "warn"})
    }

    fn example_change() -> Value {
        json!({"name": "Express, head office"})
    }
}

fn known_duration(system: &ExternalSystem) -> Result<(), ValidationError> {
    match system.stale_after.as_deref().map(duration_seconds) {
        Some(None) => Err(fault("stale_after", FieldCode::InvalidDuration, "an ISO 8601 duration such as PT26H")),
        _ => Ok(()),
    }
}
