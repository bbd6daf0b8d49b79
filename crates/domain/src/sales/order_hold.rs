//! A hold: what stands between an order and its promise, why, and who let it go.

use crate::{
    id::{AccountId, OrderId, UserId},
    integration::credit_policy::CreditAction,
};
use samphan_resource::{
    example,
    money::Amount,
    privacy::PersonalData,
    resource::{Derived, Resource},
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What stands in an order's way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OrderHold {
    /// The order.
    #[schema(read_only)]
    pub order_id: OrderId,
    /// The customer.
    #[schema(read_only)]
    pub account_id: AccountId,
    /// What kind of thing it is.
    #[schema(read_only)]
    pub kind: HoldKind,
    /// Why, as codes: a credit check's rules, `price_changed`, `no_price`, `price_manual`, `insufficient_stock`, `manual`.
    #[schema(read_only, max_items = 20)]
    pub reasons: Vec<String>,
    /// The lines it is about; all of them when empty.
    #[schema(read_only, max_items = 500)]
    pub line_ids: Vec<Uuid>,
    /// What credit decided: `hold` or `decline`.
    #[schema(read_only)]
    pub decision: Option<CreditAction>,
    /// By how much the order is over what is available. Financial.
    #[schema(read_only)]
    pub amount_over: Option<Amount>,
    /// The credit check behind it.
    #[schema(read_only)]
    pub credit_check_id: Option<Uuid>,
    /// Whether it goes by itself: a hold of credit when a new balance makes room, where the credit policy says so; one of stock when there is
    /// enough, where the products say so.
    #[schema(read_only)]
    pub releases_itself: bool,
    /// What was said about it.
    #[schema(read_only, max_length = 500)]
    pub note: Option<String>,
    /// Who is to decide about it; moved by `escalate`.
    #[schema(read_only)]
    pub escalated_to_id: Option<UserId>,
    /// What became of it.
    #[schema(read_only)]
    #[serde(default)]
    pub status: HoldStatus,
    /// When it was opened or last looked at.
    #[schema(read_only)]
    pub checked_at: Option<Timestamp>,
    /// When it ended.
    #[schema(read_only)]
    pub settled_at: Option<Timestamp>,
}

/// Kinds of holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// A price is no longer what the price book says.
    Price,
    /// A price or discount needs somebody's approval.
    Approval,
    /// There is not enough of something.
    Stock,
    /// The customer's credit does not allow it.
    Credit,
    /// Somebody holds it.
    Manual,
}

/// What became of a hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldStatus {
    /// It stands in the way.
    #[default]
    Open,
    /// Somebody with the right let it go.
    Released,
    /// What was in the way is there no more.
    Resolved,
    /// The order is not to be: it was cancelled.
    Rejected,
}

impl Resource for OrderHold {
    const PLURAL: &'static str = "order_holds";
    const SINGULAR: &'static str = "order_hold";
    const DESCRIPTION: &'static str = "What stands between orders and their promises.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::FreeText, &["note"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "order_id.contact_id"];
    const EVENTS: &'static [&'static str] = &["order_hold.resolved", "order_hold.checked"];
    const FILTERS: &'static [&'static str] = &["order_id", "account_id", "kind", "status", "escalated_to_id"];
    const TITLE: &'static str = "kind";
    const PARENTS: &'static [&'static str] = &["order_id"];
    const DERIVED: &'static [Derived] = &[Derived { field: "account_id", reference: "order_id", from: "account_id" }];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["amount_over"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("release", &["open"], "released", "released"),
        Transition::new("reject", &["open"], "rejected", "rejected"),
        Transition::within("escalate", &["open"], Some("escalated")),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "order_id": example::id("orders"),
            "account_id": example::id("accounts"),
            "kind": "manual",
            "reasons": ["by_hand"],
            "note": "The buyer is to call back.",
        })
    }
}

/// To whom a hold is given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EscalateHold {
    /// The user who is to decide.
    pub to_user_id: UserId,
    /// What there is to know.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub note: Option<String>,
}
