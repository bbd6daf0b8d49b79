//! A lead: somebody who may become a customer, until there is an account and an opportunity.

use crate::{
    customers::contact_point::DEFAULT_REGION,
    email,
    id::{AccountId, ContactId, LeadId, OpportunityId, ProductId, UserId},
    phone, tax_id,
};
use samphan_resource::{
    currency,
    error::FieldCode,
    example,
    money::Price,
    privacy::PersonalData,
    reference::OnDelete,
    resource::{Items, Resource},
    timestamp::Timestamp,
    transition::Transition,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// Somebody who may become a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "reachable"), schema(function = "sound_budget"))]
pub struct Lead {
    /// The person's name, or the company's where no person is known.
    #[schema(min_length = 1, max_length = 200, example = "อรทัย สุขใจ")]
    pub name: String,
    /// The company.
    #[schema(max_length = 200, example = "บริษัท ริมน้ำโฮเทล จำกัด")]
    pub company: Option<String>,
    /// Position.
    #[schema(max_length = 100)]
    pub job_title: Option<String>,
    /// E-mail address.
    #[schema(max_length = 254, example = "orathai@rimnam.example")]
    pub email: Option<String>,
    /// Phone number, as it was typed.
    #[schema(max_length = 50, example = "081-555 0142")]
    pub phone: Option<String>,
    /// ISO 3166-1 alpha-2 region a phone number without country code belongs to; `TH` when null.
    #[schema(pattern = "^[A-Z]{2}$", example = "TH")]
    pub region: Option<String>,
    /// The phone number in E.164, where it is a valid one.
    #[schema(read_only, max_length = 20)]
    #[serde(default)]
    pub e164: Option<String>,
    /// LINE id.
    #[schema(max_length = 100)]
    pub line_id: Option<String>,
    /// Thai tax id of the company: 13 digits with a check digit; spaces and dashes are dropped.
    #[schema(max_length = 30)]
    pub tax_id: Option<String>,
    /// Where the company is.
    pub address: Option<LeadAddress>,
    /// Where the lead came from, as a code such as `trade_fair`.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "trade_fair")]
    pub source: Option<String>,
    /// What the lead is interested in, in their words.
    #[schema(max_length = 2000)]
    pub interest: Option<String>,
    /// The products the lead is interested in.
    #[schema(max_items = 20)]
    #[serde(default)]
    pub product_ids: Vec<ProductId>,
    /// What the lead can spend.
    pub budget_amount: Option<Price>,
    /// ISO 4217 currency of the budget.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// The day by which the lead wants to decide.
    #[schema(value_type = Option<String>, format = Date)]
    pub decides_on: Option<String>,
    /// How warm it is.
    pub rating: Option<LeadRating>,
    /// The skills that its owner needs, as codes such as `th` or `cold_chain`.
    #[schema(max_items = 10)]
    #[serde(default)]
    pub required_skills: Vec<String>,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: LeadStatus,
    /// When it got its owner.
    #[schema(read_only)]
    #[serde(default)]
    pub assigned_at: Option<Timestamp>,
    /// Why it is no lead.
    #[schema(read_only, max_length = 500)]
    #[serde(default)]
    pub disqualify_reason: Option<String>,
    /// The day on which it is to be looked at again.
    #[schema(read_only, value_type = Option<String>, format = Date)]
    #[serde(default)]
    pub recycle_on: Option<String>,
    /// The lead it was merged into.
    #[schema(read_only)]
    #[serde(default)]
    pub duplicate_of_id: Option<LeadId>,
    /// The account it became.
    #[schema(read_only)]
    #[serde(default)]
    pub converted_account_id: Option<AccountId>,
    /// The contact it became.
    #[schema(read_only)]
    #[serde(default)]
    pub converted_contact_id: Option<ContactId>,
    /// The opportunity it became, if one was made.
    #[schema(read_only)]
    #[serde(default)]
    pub converted_opportunity_id: Option<OpportunityId>,
    /// When it was converted.
    #[schema(read_only)]
    #[serde(default)]
    pub converted_at: Option<Timestamp>,
    /// The user who converted it.
    #[schema(read_only)]
    #[serde(default)]
    pub converted_by_id: Option<UserId>,
}

/// Where the company of a lead is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LeadAddress {
    /// House number and street.
    #[schema(max_length = 200)]
    pub line1: Option<String>,
    /// Building, floor, room.
    #[schema(max_length = 200)]
    pub line2: Option<String>,
    /// Sub-district (tambon, khwaeng).
    #[schema(max_length = 100)]
    pub subdistrict: Option<String>,
    /// District (amphoe, khet).
    #[schema(max_length = 100)]
    pub district: Option<String>,
    /// Province or state.
    #[schema(max_length = 100)]
    pub region: Option<String>,
    /// Postal code.
    #[schema(max_length = 20)]
    pub postal_code: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country: Option<String>,
}

/// How warm a lead is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadRating {
    /// It wants to buy soon.
    Hot,
    /// It may buy.
    Warm,
    /// It may buy one day.
    Cold,
}

/// Where a lead stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LeadStatus {
    /// It has come in.
    #[default]
    New,
    /// It has an owner, who has not begun.
    Assigned,
    /// It is worked on.
    Working,
    /// It is kept warm until it wants more.
    Nurturing,
    /// It is worth an opportunity.
    Qualified,
    /// It is an account and a contact now.
    Converted,
    /// It is no lead.
    Disqualified,
    /// It is the same as another lead.
    Merged,
}

impl LeadStatus {
    /// As it is stored and answered.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Assigned => "assigned",
            Self::Working => "working",
            Self::Nurturing => "nurturing",
            Self::Qualified => "qualified",
            Self::Converted => "converted",
            Self::Disqualified => "disqualified",
            Self::Merged => "merged",
        }
    }
}

/// The states in which a lead may still become something.
pub const OPEN: &[&str] = &["new", "assigned", "working", "nurturing", "qualified"];

impl Resource for Lead {
    const PLURAL: &'static str = "leads";
    const SINGULAR: &'static str = "lead";
    const DESCRIPTION: &'static str = "Persons and companies that may become customers.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Identity, &["name", "company", "job_title", "tax_id", "external_refs"]),
        (PersonalData::Contact, &["email", "phone", "region", "e164", "line_id", "address"]),
        (PersonalData::FreeText, &["interest", "disqualify_reason", "tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = &["id", "converted_contact_id"];
    const FILTERS: &'static [&'static str] = &[
        "status",
        "email",
        "e164",
        "tax_id",
        "company",
        "source",
        "rating",
        "budget_amount",
        "decides_on",
        "recycle_on",
        "duplicate_of_id",
        "converted_account_id",
        "converted_contact_id",
        "converted_opportunity_id",
    ];
    const ITEMS: &'static [Items] = &[
        Items { name: "product_id", field: "product_ids", member: None },
        Items { name: "required_skill", field: "required_skills", member: None },
    ];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["name", "company", "email", "phone", "e164", "tax_id"];
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["phone", "e164"]];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("product_ids", OnDelete::RefuseIn(OPEN))];
    const OWNED: bool = true;
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::within("assign", OPEN, Some("assigned")),
        Transition::new("start", &["new", "assigned", "nurturing"], "working", "started"),
        Transition::new("nurture", &["new", "assigned", "working", "qualified"], "nurturing", "nurtured"),
        Transition::new("qualify", &["new", "assigned", "working", "nurturing"], "qualified", "qualified"),
        Transition::new("disqualify", OPEN, "disqualified", "disqualified"),
        Transition::new("recycle", &["disqualified"], "working", "recycled"),
        Transition::new("merge", OPEN, "merged", "merged"),
        Transition::new("convert", OPEN, "converted", "converted"),
    ];

    fn normalise(&mut self) {
        let region = self.region.as_deref().unwrap_or(DEFAULT_REGION);
        self.e164 = self.phone.as_deref().and_then(|phone| phone::parse(phone, region)).map(|phone| phone.e164);
        self.email = self.email.as_deref().map(email::normal_form);
        if let Some(Ok(digits)) = self.tax_id.as_deref().map(tax_id::thai_tax_id) {
            self.tax_id = Some(digits);
        }
    }

    fn example() -> Value {
        json!({
            "e164": "+66815550142",
            "product_ids": [example::id("products")],
            "budget_amount": "180000.00",
            "rating": "warm",
            "required_skills": ["th"],
        })
    }

    fn example_change() -> Value {
        json!({"interest": "Tea and coffee for 120 rooms, from January on."})
    }
}

/// Gives a lead to another owner, team, or both.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignLead {
    /// The new owner; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub owner_id: Option<Uuid>,
    /// The new team; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub team_id: Option<Uuid>,
    /// Why; kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// Says why a lead is none.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DisqualifyLead {
    /// Why.
    #[schema(min_length = 1, max_length = 500)]
    pub reason: String,
    /// The day on which it is to be looked at again; none when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub recycle_on: Option<String>,
}

/// Keeps a lead warm.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NurtureLead {
    /// The day on which it is to be looked at again; none when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub recycle_on: Option<String>,
}

/// Merges a lead into another.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeLead {
    /// The lead that stays: what it has not, it takes from this one.
    pub into_id: LeadId,
}

/// Makes an account, a contact and an opportunity of a lead.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConvertLead {
    /// The account; the one that matches, or else a new one, when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub account: Option<ConversionTarget>,
    /// The contact; the one that matches, or else a new one, when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub contact: Option<ConversionTarget>,
    /// The opportunity; none when null or left out.
    #[serde(default)]
    pub opportunity: Option<ConversionOpportunity>,
    /// What to do with a record that is likely, but not certainly, the same: answer 409 `likely_match` with the candidates, use it, or create
    /// a new record.
    #[serde(default)]
    pub on_likely: OnLikely,
}

/// Which record a lead becomes: one by its `id`, a new one, or the one that matches. Exactly one of the three.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionTarget {
    /// This record.
    #[serde(default)]
    #[schema(nullable = false)]
    pub id: Option<Uuid>,
    /// A new record, whatever matches.
    #[serde(default)]
    pub create: bool,
    /// The record that matches, or else a new one.
    #[serde(default, rename = "match")]
    pub by_match: bool,
}

/// The opportunity that a lead becomes.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionOpportunity {
    /// Its name; the company's or the person's when left out.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    /// What it would bring; the lead's budget when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub amount: Option<Price>,
    /// ISO 4217 currency; the lead's when left out.
    #[serde(default)]
    #[schema(pattern = "^[A-Z]{3}$", nullable = false)]
    pub currency: Option<String>,
    /// The day it is expected to be won or lost; the lead's `decides_on`, or else in 30 days, when left out.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub expected_close_on: Option<String>,
    /// The pipeline; the team's, or else the default one, when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub pipeline_id: Option<Uuid>,
    /// The stage; the first open one when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub stage_id: Option<Uuid>,
}

/// What to do with a likely match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnLikely {
    /// Refuse, and name the candidates.
    #[default]
    Ask,
    /// Use the likeliest one.
    Use,
    /// Create a new record.
    Create,
}

/// What a lead became.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadConversion {
    /// The lead.
    #[schema(value_type = Object)]
    pub lead: Map<String, Value>,
    /// The account, and how it was found.
    pub account: ConvertedRecord,
    /// The contact, and how it was found.
    pub contact: ConvertedRecord,
    /// The opportunity, if one was made.
    #[schema(required = true)]
    pub opportunity_id: Option<Uuid>,
}

/// A record that a lead became.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConvertedRecord {
    /// The record.
    pub id: Uuid,
    /// Whether it was created.
    pub is_new: bool,
    /// How sure the match was, from 0 to 100; null where none was looked for.
    #[schema(required = true)]
    pub score: Option<i32>,
    /// What matched: `tax_id`, `email`, `phone`, `company`, `similar_company`, `domain`, `name`.
    #[schema(max_items = 10)]
    pub matched: Vec<String>,
    /// The fields that were empty and are the lead's now.
    #[schema(max_items = 20)]
    pub filled: Vec<String>,
    /// The fields that stayed, although the lead says something else.
    #[schema(max_items = 20)]
    pub kept: Vec<String>,
}

fn reachable(lead: &Lead) -> Result<(), ValidationError> {
    match () {
        () if lead.email.as_deref().is_some_and(|address| !email::is_address(&email::normal_form(address))) => {
            Err(fault("email", FieldCode::InvalidEmail, "an e-mail address such as name@example.com"))
        }
        () if lead.phone.as_deref().is_some_and(|phone| phone::digits(phone).len() < 3) => {
            Err(fault("phone", FieldCode::InvalidPhone, "a phone number with at least three digits"))
        }
        () => match lead.tax_id.as_deref().map(tax_id::thai_tax_id) {
            Some(Err(e)) => Err(fault("tax_id", FieldCode::InvalidTaxId, e.to_string())),
            _ => Ok(()),
        },
    }
}

fn sound_budget(lead: &Lead) -> Result<(), ValidationError> {
    match lead.currency.as_deref().map(currency::decimals) {
        Some(None) => Err(fault("currency", FieldCode::UnknownCurrency, "an ISO 4217 currency such as THB")),
        None if lead.budget_amount.is_some() => Err(fault("currency", FieldCode::Required, "the currency of the budget")),
        _ => Ok(()),
    }
}
