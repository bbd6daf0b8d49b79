//! A credit profile: what we ourselves decide about a customer's credit, beside what accounting says.

use crate::id::AccountId;
use samphan_resource::{
    example,
    money::{Amount, Price},
    privacy::PersonalData,
    resource::Resource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// What we decide about an account's credit. One for each account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditProfile {
    /// The account.
    #[schema(read_only)]
    pub account_id: AccountId,
    /// Hold every order, whatever accounting says.
    #[serde(default)]
    pub is_on_hold: bool,
    /// Why.
    #[schema(max_length = 500)]
    pub hold_reason: Option<String>,
    /// A limit of our own; where accounting has one too, the lower holds.
    pub limit_amount: Option<Price>,
    /// A limit that this account shares with all accounts beneath it: credit checks add up what the whole group owes.
    pub group_limit_amount: Option<Price>,
    /// ISO 4217 currency of the amounts here.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// Days until an invoice is due.
    #[schema(minimum = 0, maximum = 3650)]
    pub payment_terms_days: Option<i32>,
    /// How much of the exposure is insured.
    pub insured_amount: Option<Amount>,
    /// The day to look at it again.
    #[schema(value_type = Option<String>, format = Date)]
    pub review_on: Option<String>,
    /// Share of the limit, in percent, from which on the status is `warn`.
    #[schema(minimum = 1, maximum = 100)]
    pub warn_at_percent: Option<i32>,
}

impl Resource for CreditProfile {
    const PLURAL: &'static str = "credit_profiles";
    const SINGULAR: &'static str = "credit_profile";
    const DESCRIPTION: &'static str = "What we decide about each account's credit.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::FreeText, &["hold_reason"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["account_id", "is_on_hold", "review_on"];
    const TITLE: &'static str = "account_id";
    const PARENTS: &'static [&'static str] = &["account_id"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["account_id"]];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["limit_amount", "group_limit_amount", "insured_amount"];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"account_id": example::id("accounts"), "limit_amount": "250000.00", "warn_at_percent": 80, "review_on": "2027-01-15"})
    }
}
