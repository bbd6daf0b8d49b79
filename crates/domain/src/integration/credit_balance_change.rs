//! The history of a credit balance: every push that counted, as it was sent.

use crate::id::AccountId;
use samphan_resource::{example, resource::Resource, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A push that counted, kept for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditBalanceChange {
    /// The balance.
    pub balance_id: Uuid,
    /// The account.
    pub account_id: AccountId,
    /// Code of the system that pushed.
    #[schema(max_length = 50)]
    pub system: String,
    /// The legal entity.
    #[schema(max_length = 50)]
    pub entity: String,
    /// ISO 4217 currency.
    #[schema(max_length = 3)]
    pub currency: String,
    /// When the push was true.
    pub as_of: Timestamp,
    /// The push itself.
    #[schema(value_type = Object)]
    pub item: Map<String, Value>,
}

/// The fields that a push as it was sent shows: a field rule of one holds for all.
pub(crate) const FIELDS_OF_ITEM: &[&str] = &[
    "credit_balance_history.item",
    "unmatched_credits.items",
    "credit_balances.receivable",
    "credit_balances.overdue_days_1_30",
    "credit_balances.overdue_days_31_60",
    "credit_balances.overdue_days_61_90",
    "credit_balances.overdue_days_over_90",
    "credit_balances.unbilled_deliveries",
    "credit_balances.open_orders",
    "credit_balances.included_open_orders",
    "credit_balances.included_unbilled_deliveries",
    "credit_balances.limit_kind",
    "credit_balances.limit_amount",
    "credit_balances.on_hold",
];

impl Resource for CreditBalanceChange {
    const PLURAL: &'static str = "credit_balance_history";
    const SINGULAR: &'static str = "credit_balance_change";
    const DESCRIPTION: &'static str = "Every push that counted, as it was sent.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["account_id"];
    const TITLE: &'static str = "system";
    const FINANCIAL_FIELDS: &'static [&'static str] = &["item"];
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[FIELDS_OF_ITEM];
    const PARENTS: &'static [&'static str] = &["account_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({
            "balance_id": example::id("credit_balances"),
            "account_id": example::id("accounts"),
            "system": example::SYSTEM,
            "entity": "TH01",
            "currency": "THB",
            "item": {"external_id": "ACC-1001", "as_of": example::MOMENT, "receivable": "125000.00"},
        })
    }
}
