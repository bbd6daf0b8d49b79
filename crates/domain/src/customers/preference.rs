//! A preference: what a customer needs, likes or usually does, how we know it and how sure that is.

use crate::{
    customers::address::in_order,
    id::{AccountId, ContactId},
};
use samphan_resource::{privacy::PersonalData, resource::Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// What a customer needs, likes or usually does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "dates_in_order"))]
pub struct Preference {
    /// The account it is of.
    #[schema(read_only)]
    pub account_id: Option<AccountId>,
    /// The contact it is of.
    #[schema(read_only)]
    pub contact_id: Option<ContactId>,
    /// What it is.
    pub kind: PreferenceKind,
    /// The preference itself.
    #[schema(min_length = 1, max_length = 200, example = "Jasmine tea in 50 g tins")]
    pub value: String,
    /// How we know.
    pub source: PreferenceSource,
    /// How sure it is, in percent.
    #[schema(minimum = 0, maximum = 100, example = 80)]
    pub confidence: i32,
    /// First day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
}

/// Kinds of preferences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferenceKind {
    /// What the customer needs.
    Need,
    /// What the customer usually does.
    Habit,
    /// What the customer likes.
    Interest,
}

/// How a preference is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreferenceSource {
    /// The customer said it.
    Stated,
    /// A colleague noticed it.
    Observed,
    /// It follows from orders.
    Purchases,
    /// Taken over from another system.
    Import,
}

impl Resource for Preference {
    const PLURAL: &'static str = "preferences";
    const SINGULAR: &'static str = "preference";
    const DESCRIPTION: &'static str = "What customers need, like and usually do, how we know it, and how sure it is.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::FreeText, &["value", "tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "kind", "source", "confidence", "valid_to"];
    const TITLE: &'static str = "value";
    const DISTINCT: &'static [&'static [&'static str]] = &[&["account_id", "contact_id", "kind", "value"]];
    const PARENTS: &'static [&'static str] = &["account_id", "contact_id"];

    fn example() -> Value {
        json!({"kind": "interest", "source": "stated"})
    }

    fn example_change() -> Value {
        json!({"confidence": 95})
    }
}

fn dates_in_order(preference: &Preference) -> Result<(), ValidationError> {
    in_order(preference.valid_from.as_deref(), preference.valid_to.as_deref())
}
