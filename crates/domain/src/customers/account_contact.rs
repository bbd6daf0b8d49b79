//! What a contact is to an account: role, topics, and since when.

use crate::{
    customers::address::in_order,
    id::{AccountId, ContactId},
};
use samphan_resource::{
    example,
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Items, Resource},
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A contact acting for an account, in one role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "dates_in_order"))]
pub struct AccountContact {
    /// The account.
    pub account_id: AccountId,
    /// The contact.
    pub contact_id: ContactId,
    /// The part the person plays in buying.
    #[serde(default)]
    pub role: ContactRole,
    /// The matters to see this person about.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub topics: Vec<String>,
    /// The account's first contact; moved by `set-primary`.
    #[schema(read_only)]
    #[serde(default)]
    pub is_primary: bool,
    /// First day.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
}

/// The part a person plays in buying.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum ContactRole {
    DecisionMaker,
    Influencer,
    Purchaser,
    Billing,
    Technical,
    #[default]
    User,
    Gatekeeper,
}

impl Resource for AccountContact {
    const PLURAL: &'static str = "account_contacts";
    const SINGULAR: &'static str = "account_contact";
    const DESCRIPTION: &'static str = "Which contacts act for which accounts, in what role and on what topics.";
    const TRANSITIONS: &'static [Transition] = &[Transition::within("set-primary", &[], Some("primary_set"))];
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::FreeText, &["topics", "tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = &["contact_id"];
    const ITEMS: &'static [Items] = &[Items { name: "topics", field: "topics", member: None }];
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "role", "is_primary"];
    const TITLE: &'static str = "role";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["account_id", "contact_id", "role"]];
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_primary", &["account_id"])];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("contact_id", OnDelete::Keep)];
    const PARENTS: &'static [&'static str] = &["account_id"];

    fn example() -> Value {
        json!({"account_id": example::id("accounts"), "contact_id": example::id("contacts"), "role": "purchaser", "topics": ["tea"]})
    }

    fn example_change() -> Value {
        json!({"topics": ["tea", "deliveries"]})
    }
}

fn dates_in_order(a: &AccountContact) -> Result<(), ValidationError> {
    in_order(a.valid_from.as_deref(), a.valid_to.as_deref())
}
