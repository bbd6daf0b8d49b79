//! How an account's stage and grade came to be: append-only logs.

use crate::{customers::account::LifecycleStage, id::AccountId};
use samphan_resource::{example, privacy::PersonalData, resource::Resource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// One move of an account's life with us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct AccountLifecycleChange {
    /// The account.
    pub account_id: AccountId,
    /// The stage before; null at the beginning.
    pub from_stage: Option<LifecycleStage>,
    /// The stage after.
    pub to_stage: LifecycleStage,
    /// Why.
    pub reason: Option<String>,
}

/// One change of an account's grade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct AccountGradeChange {
    /// The account.
    pub account_id: AccountId,
    /// The grade before.
    pub from_grade: Option<String>,
    /// The grade after.
    pub to_grade: Option<String>,
}

impl Resource for AccountLifecycleChange {
    const PLURAL: &'static str = "account_lifecycle_history";
    const SINGULAR: &'static str = "account_lifecycle_change";
    const DESCRIPTION: &'static str = "The stages an account went through.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::FreeText, &["reason"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["account_id"];
    const TITLE: &'static str = "to_stage";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["from_stage", "to_stage", "accounts.lifecycle_stage"]];
    const PARENTS: &'static [&'static str] = &["account_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({"account_id": example::id("accounts"), "from_stage": "prospect", "to_stage": "active", "reason": "First order"})
    }
}

impl Resource for AccountGradeChange {
    const PLURAL: &'static str = "account_grade_history";
    const SINGULAR: &'static str = "account_grade_change";
    const DESCRIPTION: &'static str = "The grades an account had.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["account_id"];
    const TITLE: &'static str = "to_grade";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["from_grade", "to_grade", "accounts.grade"]];
    const PARENTS: &'static [&'static str] = &["account_id"];
    const EXTENSIBLE: bool = false;
    const APPEND_ONLY: bool = true;

    fn example() -> Value {
        json!({"account_id": example::id("accounts"), "from_grade": "A", "to_grade": "B"})
    }
}
