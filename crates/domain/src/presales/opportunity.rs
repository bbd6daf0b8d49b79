//! An opportunity: what may be sold to a customer, in which stage of which pipeline, for how much and when.
//!
//! Its state is `status`; stage, probability and forecast category follow from it.

use crate::{
    id::{AccountId, ContactId, LeadId, OpportunityId, PipelineId, UserId},
    presales::pipeline::{ForecastCategory, PipelineStage, StageKind},
};
use samphan_resource::{
    calendar::{self, Zone},
    currency,
    error::FieldCode,
    example,
    money::{Amount, Percent, Price, SCALE},
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Items, Resource, Timeline},
    timer::Timer,
    timestamp::Timestamp,
    transition::Transition,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::HashSet;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// What may be sold to a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "sound_amounts"), schema(function = "sound_people"))]
pub struct Opportunity {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "Tea for the new hotel")]
    pub name: String,
    /// The customer.
    pub account_id: AccountId,
    /// The person it is discussed with first.
    pub contact_id: Option<ContactId>,
    /// The pipeline; the team's, or else the default one, when left out. Changed by `change-pipeline`.
    pub pipeline_id: Option<PipelineId>,
    /// The stage: one of `stages` of the pipeline, the first open one when left out. Changed by `move-stage`, `win`, `lose` and `reopen`.
    pub stage_id: Option<Uuid>,
    /// The key of the stage.
    #[schema(read_only, max_length = 50)]
    #[serde(default)]
    pub stage_key: Option<String>,
    /// What it would bring, without tax.
    #[schema(example = "250000.00")]
    pub amount: Option<Price>,
    /// ISO 4217 currency of the amounts; the account's, or else the organisation's, when left out.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// Percent: how likely it is won. The stage's, until another value is sent; null makes it the stage's again.
    pub probability: Option<Percent>,
    /// Whether the probability was sent, and is not the stage's. Entering a stage ends that.
    #[schema(read_only)]
    #[serde(default)]
    pub is_probability_manual: bool,
    /// How a forecast counts it. The stage's, until another value is sent; null makes it the stage's again.
    pub forecast_category: Option<ForecastCategory>,
    /// Whether the forecast category was sent, and is not the stage's. Entering a stage ends that.
    #[schema(read_only)]
    #[serde(default)]
    pub is_forecast_category_manual: bool,
    /// Amount times probability, rounded half up to the decimals of the currency.
    #[schema(read_only)]
    #[serde(default)]
    pub weighted_amount: Amount,
    /// The day it is expected to be won or lost.
    #[schema(value_type = String, format = Date, example = "2027-01-31")]
    pub expected_close_on: String,
    /// What kind of business it is.
    #[serde(default)]
    pub kind: OpportunityKind,
    /// Where it came from, as a code such as `trade_fair`.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "trade_fair")]
    pub source: Option<String>,
    /// What is to be done next.
    #[schema(max_length = 500)]
    pub next_step: Option<String>,
    /// Anything worth knowing.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// The other persons who take part, with their roles.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub contacts: Vec<OpportunityContact>,
    /// Who else offers.
    #[schema(max_items = 20)]
    #[serde(default)]
    pub competitors: Vec<Competitor>,
    /// Whose success it is, in percent that add up to 100; the owner's alone when empty.
    #[schema(max_items = 10)]
    #[serde(default)]
    pub credits: Vec<OpportunityCredit>,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: OpportunityStatus,
    /// Why it was lost.
    #[schema(read_only, max_length = 500)]
    #[serde(default)]
    pub loss_reason: Option<String>,
    /// The day it was won or lost.
    #[schema(read_only, value_type = Option<String>, format = Date)]
    #[serde(default)]
    pub closed_on: Option<String>,
    /// When it entered its stage.
    #[schema(read_only)]
    #[serde(default)]
    pub stage_entered_at: Option<Timestamp>,
    /// When it will be rotten, by `rot_days` of its stage; null when it never will or is already.
    #[schema(read_only)]
    #[serde(default)]
    pub rots_at: Option<Timestamp>,
    /// Whether it is in its stage for longer than `rot_days` of it.
    #[schema(read_only)]
    #[serde(default)]
    pub is_rotten: bool,
    /// The lead it comes from.
    #[schema(read_only)]
    #[serde(default)]
    pub lead_id: Option<LeadId>,
    /// The opportunity it was copied from.
    #[schema(read_only)]
    #[serde(default)]
    pub cloned_from_id: Option<OpportunityId>,
}

/// A person who takes part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityContact {
    /// The contact.
    pub contact_id: ContactId,
    /// The part the person plays in buying.
    #[serde(default)]
    pub role: StakeholderRole,
}

/// The part a person plays in buying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum StakeholderRole {
    DecisionMaker,
    EconomicBuyer,
    Champion,
    Influencer,
    Technical,
    #[default]
    User,
    Opponent,
}

/// Another company that offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Competitor {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Doi Tea")]
    pub name: String,
    /// What it offers, and how strong it is.
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// A user's share in an opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpportunityCredit {
    /// The user.
    pub user_id: UserId,
    /// The share, more than 0.
    #[schema(example = "100")]
    pub percent: Percent,
}

/// Kinds of business.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityKind {
    /// A first purchase.
    #[default]
    New,
    /// The same once more.
    Repeat,
    /// More or better of the same.
    Upsell,
    /// Something else.
    CrossSell,
    /// A contract that goes on.
    Renewal,
}

/// Where an opportunity stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpportunityStatus {
    /// It is worked on.
    #[default]
    Open,
    /// The customer buys.
    Won,
    /// The customer does not.
    Lost,
}

impl Opportunity {
    /// Puts it into a stage: probability and forecast category are the stage's from now on, and time begins to run.
    pub fn enter(&mut self, stage: &PipelineStage, zone: Zone, now: Timestamp) {
        self.stage_id = stage.id;
        self.stage_key = Some(stage.key.clone());
        self.follow_probability(stage);
        self.follow_category(stage);
        self.stage_entered_at = Some(now);
        self.is_rotten = false;
        self.rots_at = stage.rot_days.filter(|_| stage.kind == StageKind::Open).map(|days| {
            let local = calendar::local_time(zone, now);
            let day = calendar::days_after(local.date(), u64::from(days.unsigned_abs()));
            calendar::moment_of(zone, day.and_time(local.time()))
        });
    }

    /// Takes the probability of its stage.
    pub const fn follow_probability(&mut self, stage: &PipelineStage) {
        self.probability = Some(stage.probability);
        self.is_probability_manual = false;
    }

    /// Takes the forecast category of its stage.
    pub const fn follow_category(&mut self, stage: &PipelineStage) {
        self.forecast_category = Some(stage.forecast_category);
        self.is_forecast_category_manual = false;
    }

    /// Whether something that is kept in its history differs, the stage apart.
    #[must_use]
    pub fn counts_otherwise(&self, before: &Self) -> bool {
        (self.amount, &self.currency, self.probability, self.forecast_category, &self.expected_close_on)
            != (before.amount, &before.currency, before.probability, before.forecast_category, &before.expected_close_on)
    }
}

/// An amount times a probability, rounded half up to the decimals of the currency.
#[must_use]
pub fn weighted(amount: Price, probability: Percent, currency: &str) -> Amount {
    let step = 10_i128.pow(4_u32.saturating_sub(currency::decimals(currency).unwrap_or(2)));
    // Both factors are in ten-thousandths, and the probability is in percent.
    let divisor = i128::from(SCALE) * 100 * step;
    let product = i128::from(amount.0) * i128::from(probability.0);
    Amount(i64::try_from((product + divisor / 2) / divisor * step).unwrap_or(i64::MAX))
}

impl Resource for Opportunity {
    const PLURAL: &'static str = "opportunities";
    const SINGULAR: &'static str = "opportunity";
    const DESCRIPTION: &'static str = "What may be sold to customers: the stage it is in, for how much, and when.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::FreeText, &["name", "next_step", "description", "loss_reason", "tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const EVENTS: &'static [&'static str] =
        &["opportunity.amount_changed", "opportunity.close_date_changed", "opportunity.remapped", "opportunity.rotted"];
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: Some("next_step"), actor: "created_by_id" });
    const FILTERS: &'static [&'static str] = &[
        "account_id",
        "contact_id",
        "pipeline_id",
        "stage_id",
        "stage_key",
        "amount",
        "currency",
        "probability",
        "forecast_category",
        "expected_close_on",
        "kind",
        "source",
        "next_step",
        "lead_id",
        "status",
        "closed_on",
        "is_rotten",
    ];
    const ITEMS: &'static [Items] = &[
        Items { name: "credited_user_id", field: "credits", member: Some("user_id") },
        Items { name: "stakeholder_id", field: "contacts", member: Some("contact_id") },
        Items { name: "competitor", field: "competitors", member: Some("name") },
    ];
    const SORTS: &'static [&'static str] = &["name", "expected_close_on", "amount"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["name"];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[
        ("account_id", OnDelete::RefuseIn(&["open"])),
        ("contact_id", OnDelete::Keep),
        ("contacts.contact_id", OnDelete::Keep),
        ("credits.user_id", OnDelete::Keep),
    ];
    const LINKED_FIELDS: &'static [&'static [&'static str]] =
        &[&["amount", "weighted_amount"], &["stage_id", "stage_key"], &["probability", "weighted_amount"]];
    const OWNED: bool = true;
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::within("move-stage", &["open"], Some("stage_moved")),
        Transition::new("win", &["open"], "won", "won"),
        Transition::new("lose", &["open"], "lost", "lost"),
        Transition::new("reopen", &["won", "lost"], "open", "reopened"),
        Transition::within("change-pipeline", &["open"], Some("pipeline_changed")),
        Transition::within("clone", &[], None),
    ];
    const TIMERS: &'static [Timer] = &[Timer::new("rot", "open", "rots_at")];

    fn normalise(&mut self) {
        let currency = self.currency.as_deref().unwrap_or_default();
        self.weighted_amount = weighted(self.amount.unwrap_or_default(), self.probability.unwrap_or_default(), currency);
    }

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"),
            "contact_id": example::id("contacts"),
            "pipeline_id": example::id("pipelines"),
            "stage_id": example::id("pipeline_stages/qualified"),
            "stage_key": "qualified",
            "amount": "250000.00",
            "currency": "THB",
            "probability": "20",
            "forecast_category": "pipeline",
            "weighted_amount": "50000.00",
            "credits": [{"user_id": example::id("users"), "percent": "100"}],
        })
    }

    fn example_change() -> Value {
        json!({"next_step": "Send samples to the purchaser."})
    }
}

/// Moves an opportunity to another open stage of its pipeline.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveStage {
    /// The stage: before or behind the present one.
    pub stage_id: Uuid,
    /// Whether to pass exit criteria that are not met.
    #[serde(default)]
    pub force: bool,
    /// Why; kept in the history.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// Moves many opportunities to an open stage of their pipeline.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveStages {
    /// The opportunities.
    #[schema(min_items = 1, max_items = 200)]
    pub opportunity_ids: Vec<OpportunityId>,
    /// The stage.
    pub stage_id: Uuid,
    /// Whether to pass exit criteria that are not met.
    #[serde(default)]
    pub force: bool,
    /// Why; kept in the history.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// Marks an opportunity as won.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WinOpportunity {
    /// The day it was won: today or before; today when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub closed_on: Option<String>,
    /// Whether to pass exit criteria that are not met.
    #[serde(default)]
    pub force: bool,
}

/// Marks an opportunity as lost.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LoseOpportunity {
    /// Why it was lost.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// The lost stage of the pipeline; its first one when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub stage_id: Option<Uuid>,
    /// The day it was lost: today or before; today when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub closed_on: Option<String>,
}

/// Makes a won or lost opportunity open again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReopenOpportunity {
    /// The open stage it goes on in.
    pub stage_id: Uuid,
    /// Why; kept in the history.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// Moves an opportunity to another pipeline.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePipeline {
    /// The pipeline; an active one.
    pub pipeline_id: PipelineId,
    /// The open stage; the first one when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub stage_id: Option<Uuid>,
    /// Why; kept in the history.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

fn sound_amounts(opportunity: &Opportunity) -> Result<(), ValidationError> {
    let currency = opportunity.currency.as_deref().unwrap_or_default();
    let Some(decimals) = currency::decimals(currency) else {
        return Err(fault("currency", FieldCode::UnknownCurrency, "an ISO 4217 currency such as THB"));
    };
    let step = 10_i64.pow(4_u32.saturating_sub(decimals));
    match () {
        () if opportunity.amount.is_some_and(|amount| amount.0 % step != 0) => {
            Err(fault("amount", FieldCode::TooManyDecimals, "no more decimals than the currency has"))
        }
        () if opportunity.probability.is_some_and(|probability| probability > Percent::WHOLE) => {
            Err(fault("probability", FieldCode::OutOfRange, "0 to 100"))
        }
        () => Ok(()),
    }
}

fn sound_people(opportunity: &Opportunity) -> Result<(), ValidationError> {
    let (mut users, mut contacts) = (HashSet::new(), HashSet::new());
    let total = opportunity.credits.iter().fold(0_i64, |total, credit| total.saturating_add(credit.percent.0));
    match () {
        () if !opportunity.credits.iter().all(|credit| users.insert(credit.user_id)) => {
            Err(fault("credits", FieldCode::Repeated, "each user once"))
        }
        () if opportunity.credits.iter().any(|credit| credit.percent.0 == 0) => {
            Err(fault("credits", FieldCode::OutOfRange, "shares of more than 0"))
        }
        () if !opportunity.credits.is_empty() && total != Percent::WHOLE.0 => {
            Err(fault("credits", FieldCode::MustSumTo100, "shares that add up to 100"))
        }
        () if !opportunity.contacts.iter().all(|one| contacts.insert(one.contact_id)) => {
            Err(fault("contacts", FieldCode::Repeated, "each contact once"))
        }
        () => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use samphan_resource::money::parse;

    #[test]
    fn a_weighted_amount_is_rounded_to_the_decimals_of_the_currency() {
        let weigh = |amount: &str, probability: &str, currency: &str| {
            weighted(Price(parse(amount).unwrap()), Percent(parse(probability).unwrap()), currency).to_string()
        };
        assert_eq!(weigh("250000", "20", "THB"), "50000.00");
        assert_eq!(weigh("100.01", "50", "THB"), "50.01", "half up");
        assert_eq!(weigh("101", "50", "JPY"), "51.00");
        assert_eq!(weigh("0.01", "33.3333", "THB"), "0.00");
    }

    proptest::proptest! {
        #[test]
        fn a_weighted_amount_is_never_more_than_the_amount(amount in 0..i64::MAX / 100, probability in 0..=Percent::WHOLE.0) {
            let whole = Price(amount / 100 * 100);
            let made = weighted(whole, Percent(probability), "THB");
            proptest::prop_assert!(made.0 >= 0 && made.0 <= whole.0);
            proptest::prop_assert_eq!(weighted(whole, Percent::WHOLE, "THB").0, whole.0);
        }
    }
}
