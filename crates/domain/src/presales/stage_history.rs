//! How an opportunity came to where it stands: an append-only log.

use crate::{
    id::OpportunityId,
    presales::{opportunity::Opportunity, pipeline::ForecastCategory},
};
use samphan_resource::{
    example,
    money::{Percent, Price},
    privacy::PersonalData,
    resource::Resource,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// A change of what a forecast counts of an opportunity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct OpportunityStageChange {
    /// The opportunity.
    pub opportunity_id: OpportunityId,
    /// What happened.
    pub kind: StageChangeKind,
    /// The stage before; null at the beginning.
    pub from_stage_id: Option<Uuid>,
    /// The stage after.
    pub to_stage_id: Uuid,
    /// The key of the stage before.
    #[schema(max_length = 50)]
    pub from_stage_key: Option<String>,
    /// The key of the stage after.
    #[schema(max_length = 50)]
    pub to_stage_key: Option<String>,
    /// The probability before.
    pub from_probability: Option<Percent>,
    /// The probability after.
    pub to_probability: Percent,
    /// The forecast category before.
    pub from_forecast_category: Option<ForecastCategory>,
    /// The forecast category after.
    pub to_forecast_category: ForecastCategory,
    /// The amount before.
    pub from_amount: Option<Price>,
    /// The amount after.
    pub to_amount: Option<Price>,
    /// ISO 4217 currency of the amount after.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// The expected day of closing before.
    #[schema(value_type = Option<String>, format = Date)]
    pub from_expected_close_on: Option<String>,
    /// The expected day of closing after.
    #[schema(value_type = String, format = Date)]
    pub to_expected_close_on: String,
    /// Seconds it was in the stage before; null while it stays in its stage.
    pub seconds: Option<i64>,
    /// Why.
    #[schema(max_length = 500)]
    pub reason: Option<String>,
}

/// What happened to an opportunity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StageChangeKind {
    /// It was created.
    Created,
    /// It moved to another stage.
    Moved,
    /// Its stage was removed, or its pipeline retired: it was moved with the others.
    Remapped,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
    /// It was won or lost, and is open again.
    Reopened,
    /// Its amount, probability, category or expected day of closing changed.
    Changed,
}

impl OpportunityStageChange {
    /// What changed of an opportunity.
    #[must_use]
    pub fn between(kind: StageChangeKind, id: Uuid, before: Option<&Opportunity>, after: &Opportunity, now: Timestamp) -> Self {
        let stays = before.is_some_and(|before| before.stage_id == after.stage_id);
        let since = before.and_then(|before| before.stage_entered_at).filter(|_| !stays);
        Self {
            opportunity_id: OpportunityId(id),
            kind,
            from_stage_id: before.and_then(|before| before.stage_id),
            to_stage_id: after.stage_id.unwrap_or_default(),
            from_stage_key: before.and_then(|before| before.stage_key.clone()),
            to_stage_key: after.stage_key.clone(),
            from_probability: before.and_then(|before| before.probability),
            to_probability: after.probability.unwrap_or_default(),
            from_forecast_category: before.and_then(|before| before.forecast_category),
            to_forecast_category: after.forecast_category.unwrap_or_default(),
            from_amount: before.and_then(|before| before.amount),
            to_amount: after.amount,
            currency: after.currency.clone().unwrap_or_default(),
            from_expected_close_on: before.map(|before| before.expected_close_on.clone()),
            to_expected_close_on: after.expected_close_on.clone(),
            seconds: since.map(|since| (now.micros() - since.micros()) / 1_000_000),
            reason: None,
        }
    }
}

impl Resource for OpportunityStageChange {
    const PLURAL: &'static str = "opportunity_stage_history";
    const SINGULAR: &'static str = "opportunity_stage_change";
    const DESCRIPTION: &'static str =
        "The stages an opportunity went through, with its amounts, probabilities and expected days of closing.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::FreeText, &["reason"])];
    const DATA_SUBJECT: &'static [&'static str] = &["opportunity_id.account_id", "opportunity_id.contact_id"];
    const FILTERS: &'static [&'static str] = &["opportunity_id"];
    const TITLE: &'static str = "kind";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[
        &["from_stage_id", "to_stage_id", "from_stage_key", "to_stage_key", "opportunities.stage_id"],
        &["from_probability", "to_probability", "opportunities.probability"],
        &["from_forecast_category", "to_forecast_category", "opportunities.forecast_category"],
        &["from_amount", "to_amount", "opportunities.amount"],
        &["from_expected_close_on", "to_expected_close_on", "opportunities.expected_close_on"],
    ];
    const PARENTS: &'static [&'static str] = &["opportunity_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({
            "opportunity_id": example::id("opportunities"), "kind": "moved", "from_stage_id": example::id("pipeline_stages/qualified"),
            "to_stage_id": example::id("pipeline_stages/proposal"), "from_stage_key": "qualified", "to_stage_key": "proposal",
            "from_probability": "20", "to_probability": "60", "from_forecast_category": "pipeline", "to_forecast_category": "best_case",
            "from_amount": "250000.00", "to_amount": "250000.00", "currency": "THB", "from_expected_close_on": "2027-01-31",
            "to_expected_close_on": "2027-01-31", "seconds": 86400,
        })
    }
}
