//! An address of an account or contact, by what it is for.

use crate::id::{AccountId, ContactId};
use samphan_resource::{error::FieldCode, privacy::PersonalData, resource::Resource, scalar::date, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A place: where it is and what it is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "dates_in_order"))]
pub struct Address {
    /// The account it belongs to.
    #[schema(read_only)]
    pub account_id: Option<AccountId>,
    /// The contact it belongs to.
    #[schema(read_only)]
    pub contact_id: Option<ContactId>,
    /// What it is for.
    pub purpose: AddressPurpose,
    /// A name for it, such as a branch.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// House number and street.
    #[schema(min_length = 1, max_length = 200, example = "99/1 ถนนพระราม 9")]
    pub line1: String,
    /// Building, floor, room.
    #[schema(max_length = 200)]
    pub line2: Option<String>,
    /// Sub-district (tambon, khwaeng).
    #[schema(max_length = 100)]
    pub subdistrict: Option<String>,
    /// District (amphoe, khet).
    #[schema(max_length = 100)]
    pub district: Option<String>,
    /// Town.
    #[schema(max_length = 100)]
    pub city: Option<String>,
    /// Province or state.
    #[schema(max_length = 100)]
    pub region: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$", example = "TH")]
    pub country: Option<String>,
    /// First day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_from: Option<String>,
    /// Last day it holds.
    #[schema(value_type = Option<String>, format = Date)]
    pub valid_to: Option<String>,
    /// The one to take for its purpose. The first of a purpose becomes it; making another one the default moves the mark.
    #[serde(default)]
    pub is_default: bool,
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AddressPurpose {
    /// The seat.
    Registered,
    /// Where bills go.
    Billing,
    /// Where goods go.
    Shipping,
    /// What stands on a tax invoice.
    TaxInvoice,
    /// Where we serve.
    ServiceSite,
}

impl Resource for Address {
    const PLURAL: &'static str = "addresses";
    const SINGULAR: &'static str = "address";
    const DESCRIPTION: &'static str = "Addresses by purpose; one of each purpose is the default.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Contact, &["label", "line1", "line2", "subdistrict", "district", "city", "region", "postal_code"]),
        (PersonalData::FreeText, &["tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "purpose", "country", "postal_code"];
    const SEARCHED: &'static [&'static str] = &["line1", "line2", "subdistrict", "district", "city", "region", "postal_code"];
    const TITLE: &'static str = "line1";
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_default", &["account_id", "contact_id", "purpose"])];
    const PARENTS: &'static [&'static str] = &["account_id", "contact_id"];

    fn example() -> Value {
        json!({"purpose": "shipping", "district": "ห้วยขวาง", "region": "กรุงเทพมหานคร", "postal_code": "10310", "is_default": true})
    }

    fn example_change() -> Value {
        json!({"label": "Warehouse gate 2"})
    }
}

fn dates_in_order(a: &Address) -> Result<(), ValidationError> {
    in_order(a.valid_from.as_deref(), a.valid_to.as_deref())
}

/// A period ends on or after the day it begins.
pub(crate) fn in_order(from: Option<&str>, to: Option<&str>) -> Result<(), ValidationError> {
    match (from.and_then(date), to.and_then(date)) {
        (Some(from), Some(to)) if to < from => Err(fault("valid_to", FieldCode::BeforeStart, "on or after valid_from")),
        _ => Ok(()),
    }
}
