//! What one account is to another, beside belonging to it.

use crate::{customers::address::in_order, id::AccountId};
use samphan_resource::{error::FieldCode, example, privacy::PersonalData, resource::Resource, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// What one account is to another: `from` is the supplier, distributor or competitor of `to`. That an account belongs to another is its
/// `parent_id`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "of_two_accounts"), schema(function = "dates_in_order"))]
pub struct AccountRelationship {
    /// The account that is something to another.
    pub from_account_id: AccountId,
    /// The account that it is that to.
    pub to_account_id: AccountId,
    /// What it is.
    pub kind: AccountRelationshipKind,
    /// Anything worth knowing.
    #[schema(max_length = 1000)]
    pub note: Option<String>,
    /// First day.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
}

/// What one account may be to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum AccountRelationshipKind {
    Supplier,
    SparePartSupplier,
    Distributor,
    Reseller,
    Designer,
    Partner,
    Competitor,
    Referrer,
}

impl Resource for AccountRelationship {
    const PLURAL: &'static str = "account_relationships";
    const SINGULAR: &'static str = "account_relationship";
    const DESCRIPTION: &'static str = "What accounts are to one another: suppliers, distributors, competitors and others.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[(PersonalData::FreeText, &["note", "tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = &["from_account_id", "to_account_id"];
    const FILTERS: &'static [&'static str] = &["from_account_id", "to_account_id", "kind", "valid_to"];
    const TITLE: &'static str = "kind";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["from_account_id", "to_account_id", "kind"]];
    const FIXED: &'static [&'static str] = &["from_account_id", "to_account_id"];
    const PARENTS: &'static [&'static str] = &["from_account_id", "to_account_id"];

    fn example() -> Value {
        json!({"from_account_id": example::id("accounts"), "to_account_id": example::id("accounts/suppliers"), "kind": "supplier", "note": "Tea tins"})
    }

    fn example_change() -> Value {
        json!({"note": "Tea tins and boxes"})
    }
}

fn of_two_accounts(relationship: &AccountRelationship) -> Result<(), ValidationError> {
    if relationship.from_account_id == relationship.to_account_id {
        return Err(fault("to_account_id", FieldCode::RefersToItself, "another account than from_account_id"));
    }
    Ok(())
}

fn dates_in_order(relationship: &AccountRelationship) -> Result<(), ValidationError> {
    in_order(relationship.valid_from.as_deref(), relationship.valid_to.as_deref())
}
