//! A credit check: the question whether to sell so much to a customer, its answer, and what the answer keeps back for the sale.

use crate::{
    id::{AccountId, CreditPolicyId, OrderId},
    integration::{
        credit_balance::LimitKind,
        credit_policy::{Checkpoint, CreditAction, CreditComponent, CreditFinding, CreditRule},
    },
};
use samphan_resource::{
    example,
    money::{Amount, Price},
    resource::Resource,
    timer::Timer,
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A question for credit.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskCredit {
    /// The customer.
    pub account_id: AccountId,
    /// How much is to be sold, tax included.
    pub amount: Price,
    /// ISO 4217 currency of the amount; the account's own when left out.
    #[serde(default)]
    #[schema(nullable = false, pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// The moment of the sale; `confirm` when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub checkpoint: Option<Checkpoint>,
    /// Whether the amount is to be kept back for this sale, when the decision is `allow` or `warn`; it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub authorise: Option<bool>,
    /// A policy to try, whatever its state; nothing is kept back then.
    #[serde(default)]
    #[schema(nullable = false)]
    pub policy_id: Option<CreditPolicyId>,
}

/// A check as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditCheck {
    /// The customer.
    #[schema(read_only)]
    pub account_id: AccountId,
    /// How much was to be sold.
    pub amount: Price,
    /// ISO 4217 currency of every amount here.
    #[schema(max_length = 3)]
    pub currency: String,
    /// The moment of the sale.
    pub checkpoint: Checkpoint,
    /// What was decided.
    pub decision: CreditAction,
    /// Every rule that had something to say, the strictest first.
    #[schema(max_items = 20)]
    pub findings: Vec<CreditFinding>,
    /// The rule that decided; null when none had anything to say.
    pub rule: Option<CreditRule>,
    /// What might be sold before this; null when there is no limit.
    pub available_before: Option<Amount>,
    /// What may be sold after it: less by what was authorised.
    pub available_after: Option<Amount>,
    /// The oldest moment any of what accounting said was true.
    pub as_of: Option<Timestamp>,
    /// The policy that decided; null for the standard one.
    pub policy_id: Option<CreditPolicyId>,
    /// The policy's version then.
    pub policy_version: Option<i64>,
    /// What became of the authorisation: `none`, `pending`, `captured`, `released` or `expired`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: AuthorisationStatus,
    /// What is kept back for the sale.
    pub authorised_amount: Option<Price>,
    /// Until when it is, unless it is captured. It can be captured and released until then, and still counts for ten seconds more.
    pub expires_at: Option<Timestamp>,
    /// When it was captured or released, or was found to have expired.
    pub settled_at: Option<Timestamp>,
    /// The order it is for. What is captured for an order counts as the order does: until accounting has invoiced it.
    #[schema(read_only)]
    pub order_id: Option<OrderId>,
}

/// What became of an authorisation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthorisationStatus {
    /// There was none.
    #[default]
    None,
    /// It lowers what others may sell, until it expires.
    Pending,
    /// The sale was made; it counts until accounting's books are newer.
    Captured,
    /// The sale was not made.
    Released,
    /// It was neither captured nor released in time.
    Expired,
}

/// Seconds an authorisation counts beyond its end: longer than a capture that began before it can take to be committed, lest the
/// same room be given twice.
pub const GRACE: i64 = 10;

/// How much of an authorisation the sale took.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// The amount; all of it when left out, never more.
    #[serde(default)]
    #[schema(nullable = false)]
    pub amount: Option<Price>,
}

/// A line of what a check counted: kept for good, visible to callers that may see the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditCheckComponent {
    /// The check.
    pub check_id: Uuid,
    /// The customer.
    #[schema(read_only)]
    pub account_id: AccountId,
    /// What it is.
    pub component: CreditComponent,
    /// Code of the system that said it; null for what is authorised here.
    #[schema(max_length = 50)]
    pub system: Option<String>,
    /// The legal entity.
    #[schema(max_length = 50)]
    pub entity: Option<String>,
    /// How much.
    pub amount: Amount,
    /// ISO 4217 currency of the amount: the limit's, to which all that counts is brought.
    #[schema(max_length = 3, example = "THB")]
    pub currency: Option<String>,
    /// Whether the policy counts it.
    pub is_counted: bool,
    /// When it was true.
    pub as_of: Option<Timestamp>,
}

/// The answer to a question for credit.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreditDecision {
    /// The check, by which what it authorised is captured or released.
    pub check_id: Uuid,
    /// The customer.
    pub account_id: AccountId,
    /// What is decided: `allow`, `warn`, `hold` or `decline`.
    pub decision: CreditAction,
    /// Every rule that had something to say, the strictest first.
    #[schema(max_items = 20)]
    pub findings: Vec<CreditFinding>,
    /// The rule that decided; null when none had anything to say.
    #[schema(required = true)]
    pub rule: Option<CreditRule>,
    /// ISO 4217 currency of what is to be sold, available and authorised.
    #[schema(max_length = 3, example = "THB")]
    pub currency: String,
    /// ISO 4217 currency of the limit, the exposure and its components, to which everything was brought by the day's exchange rates.
    #[schema(max_length = 3, example = "THB")]
    pub limit_currency: String,
    /// How much is to be sold.
    pub amount: Price,
    /// What might be sold before this; null when there is no limit.
    #[schema(required = true)]
    pub available_before: Option<Amount>,
    /// What may be sold after it.
    #[schema(required = true)]
    pub available_after: Option<Amount>,
    /// The oldest moment any of what accounting said was true.
    #[schema(required = true)]
    pub as_of: Option<Timestamp>,
    /// The policy that decided; null for the standard one.
    #[schema(required = true)]
    pub policy_id: Option<CreditPolicyId>,
    /// Its name.
    #[schema(max_length = 100, example = "standard")]
    pub policy: String,
    /// Its version.
    #[schema(required = true)]
    pub policy_version: Option<i64>,
    /// What is kept back for the sale; null when nothing is.
    #[schema(required = true)]
    pub authorised_amount: Option<Price>,
    /// Until when it is: it can be captured and released until then, and still counts for ten seconds more.
    #[schema(required = true)]
    pub expires_at: Option<Timestamp>,
    /// Whether there is a limit. Ledger: null without the right to see it.
    #[schema(required = true)]
    pub limit_kind: Option<LimitKind>,
    /// The customer's own limit. Ledger.
    #[schema(required = true)]
    pub limit_amount: Option<Amount>,
    /// What counts against it. Ledger.
    #[schema(required = true)]
    pub exposure: Option<Amount>,
    /// Every component with its source and moment. Ledger: empty without the right to see it.
    #[schema(max_items = 1000, value_type = Vec<CreditCheckComponent>)]
    pub components: Vec<Map<String, Value>>,
}

impl Resource for CreditCheck {
    const PLURAL: &'static str = "credit_checks";
    const SINGULAR: &'static str = "credit_check";
    const DESCRIPTION: &'static str = "Questions whether to sell so much to a customer, and their answers.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const EVENTS: &'static [&'static str] = &["credit_check.expired"];
    const FILTERS: &'static [&'static str] = &["account_id", "order_id", "decision", "status", "expires_at"];
    const TITLE: &'static str = "account_id";
    const PARENTS: &'static [&'static str] = &["account_id"];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["available_before", "available_after"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("capture", &["pending"], "captured", "captured"),
        Transition::new("release", &["pending"], "released", "released"),
    ];
    const TIMERS: &'static [Timer] = &[Timer::new("expire", "pending", "expires_at").after_seconds(GRACE)];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"),
            "amount": "50000.00",
            "currency": "THB",
            "checkpoint": "confirm",
            "decision": "warn",
            "findings": [{"rule": "overdue", "action": "warn"}],
            "rule": "overdue",
            "available_before": "55000.00",
            "available_after": "5000.00",
            "as_of": example::MOMENT,
            "status": "pending",
            "authorised_amount": "50000.00",
        })
    }
}

impl Resource for CreditCheckComponent {
    const PLURAL: &'static str = "credit_check_components";
    const SINGULAR: &'static str = "credit_check_component";
    const DESCRIPTION: &'static str = "What each credit check counted, and who said so when.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["check_id", "account_id"];
    const TITLE: &'static str = "component";
    const PARENTS: &'static [&'static str] = &["account_id"];
    const FINANCIAL_FIELDS: &'static [&'static str] = &["amount"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({
            "check_id": example::id("credit_checks"),
            "account_id": example::id("accounts"),
            "component": "receivable",
            "system": example::SYSTEM,
            "entity": "TH01",
            "amount": "125000.00",
            "currency": "THB",
            "is_counted": true,
            "as_of": example::MOMENT,
        })
    }
}
