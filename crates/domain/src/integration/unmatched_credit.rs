//! An unmatched push: credit for a customer number without a mapping to an account.

use crate::integration::credit_item::CreditItem;
use samphan_resource::{example, reference::OnDelete, resource::Resource, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// What was pushed for a customer number that is not mapped. Mapping it applies it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct UnmatchedCredit {
    /// Code of the system that pushed.
    #[schema(max_length = 50)]
    pub system: String,
    /// The legal entity.
    #[schema(max_length = 50)]
    pub entity: String,
    /// ISO 4217 currency.
    #[schema(max_length = 3)]
    pub currency: String,
    /// What the system calls the customer.
    #[schema(max_length = 128)]
    pub external_id: String,
    /// When the newest push was true.
    pub as_of: Timestamp,
    /// The pushes that decide: of the exposure and of the limit the newest, and another of the same moment where there is one.
    #[schema(max_items = 4)]
    pub items: Vec<CreditItem>,
    /// How many pushes came for it.
    #[schema(minimum = 1)]
    pub attempts: i64,
}

impl Resource for UnmatchedCredit {
    const PLURAL: &'static str = "unmatched_credits";
    const SINGULAR: &'static str = "unmatched_credit";
    const DESCRIPTION: &'static str = "Pushes for customer numbers that are not mapped to an account yet.";
    const FILTERS: &'static [&'static str] = &["system", "external_id"];
    const TITLE: &'static str = "external_id";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["system", "entity", "currency", "external_id"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("system", "external_systems.code", OnDelete::Refuse)];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["items"];
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[super::credit_balance_change::FIELDS_OF_ITEM];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "system": example::SYSTEM,
            "entity": "TH01",
            "currency": "THB",
            "external_id": "ACC-9999",
            "items": [{"external_id": "ACC-9999", "as_of": example::MOMENT, "receivable": "1200.00"}],
            "attempts": 1,
        })
    }
}
