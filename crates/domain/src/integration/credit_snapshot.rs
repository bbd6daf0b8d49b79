//! A credit snapshot: a full push of all customers of a system, closed by control totals.

use samphan_resource::{money::Amount, resource::Resource, timestamp::Timestamp, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A full push: open it, send batches that name it, complete it with control totals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditSnapshot {
    /// Code of the system that pushes.
    #[schema(min_length = 1, max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity the snapshot is of.
    #[schema(min_length = 1, max_length = 50, example = "TH01")]
    pub entity: String,
    /// ISO 4217 currency.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: String,
    /// How many customers the sender means to send.
    #[schema(minimum = 0)]
    pub expected_items: i64,
    /// `open` until it is completed.
    #[schema(read_only)]
    #[serde(default)]
    pub status: SnapshotStatus,
    /// How many different customers came in.
    #[schema(read_only)]
    #[serde(default)]
    pub received_items: i64,
    /// Sum of the receivables that came in.
    #[schema(read_only)]
    #[serde(default)]
    pub receivable_total: Amount,
    /// When it was completed.
    #[schema(read_only)]
    pub completed_at: Option<Timestamp>,
    /// How many balances it marked missing.
    #[schema(read_only)]
    #[serde(default)]
    pub marked_missing: i64,
}

/// Whether a snapshot is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SnapshotStatus {
    /// Batches may still come in.
    #[default]
    Open,
    /// Its totals matched; balances it did not have are `missing`.
    Complete,
}

/// The control totals that complete a snapshot.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ControlTotals {
    /// How many different customers were sent.
    #[schema(minimum = 0)]
    pub items: i64,
    /// Sum of their receivables.
    pub receivable_total: Amount,
}

impl Resource for CreditSnapshot {
    const PLURAL: &'static str = "credit_snapshots";
    const SINGULAR: &'static str = "credit_snapshot";
    const DESCRIPTION: &'static str = "Full pushes of credit balances, closed by control totals.";
    const FILTERS: &'static [&'static str] = &["system", "status"];
    const TITLE: &'static str = "entity";
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[Transition::new("complete", &["open"], "complete", "completed")];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["receivable_total"];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"expected_items": 2})
    }
}
