//! A way to reach an account or contact: a phone number, an e-mail address, a messenger name.

use crate::{
    email,
    id::{AccountId, ContactId},
    phone,
};
use samphan_resource::{error::FieldCode, privacy::PersonalData, resource::Resource, text, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A way to reach an account or contact, kept as typed and in one form for looking up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "reachable"))]
pub struct ContactPoint {
    /// The account it belongs to.
    #[schema(read_only)]
    pub account_id: Option<AccountId>,
    /// The contact it belongs to.
    #[schema(read_only)]
    pub contact_id: Option<ContactId>,
    /// What kind it is.
    pub kind: ContactPointKind,
    /// As it was typed.
    #[schema(min_length = 1, max_length = 254, example = "081-234 5678")]
    pub raw: String,
    /// ISO 3166-1 alpha-2 region a phone number without country code belongs to.
    #[schema(pattern = "^[A-Z]{2}$", example = "TH")]
    pub region: Option<String>,
    /// A phone number in E.164, where it is a valid one.
    #[schema(read_only, max_length = 20)]
    pub e164: Option<String>,
    /// What lookups compare: E.164 or bare digits of a phone number, the domain of an e-mail address as the DNS has it, lower case of everything else.
    #[schema(read_only, max_length = 254)]
    #[serde(default)]
    pub normalized: String,
    /// What it is, such as `switchboard`.
    #[schema(max_length = 100)]
    pub label: Option<String>,
    /// The first one to try of its kind.
    #[serde(default)]
    pub is_primary: bool,
    /// Whether it was seen to work.
    #[serde(default)]
    pub is_verified: bool,
    /// Whether it is still good.
    #[serde(default)]
    pub status: ContactPointStatus,
    /// Its place among those of the account or contact, from 1: the order to try them in. Changed by `move`.
    #[schema(read_only, minimum = 1)]
    #[serde(default)]
    pub position: i32,
}

/// Kinds of contact points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum ContactPointKind {
    Phone,
    Mobile,
    Fax,
    Email,
    Line,
    Whatsapp,
    Facebook,
    Website,
    Other,
}

/// Whether a contact point is still good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactPointStatus {
    /// It works as far as we know.
    #[default]
    Active,
    /// It bounced or is not connected.
    Invalid,
    /// No longer used.
    Retired,
}

impl ContactPointKind {
    /// Whether it is dialled.
    #[must_use]
    pub const fn is_phone(self) -> bool {
        matches!(self, Self::Phone | Self::Mobile | Self::Fax | Self::Whatsapp)
    }
}

/// The region phone numbers without country code are read in when a record does not say.
pub const DEFAULT_REGION: &str = "TH";

/// The forms under which a phone number may be kept: E.164 where it is valid, else its digits.
#[must_use]
pub fn phone_keys(raw: &str, region: &str) -> Vec<String> {
    let e164 = phone::parse(raw, region).map(|p| p.e164);
    e164.into_iter().chain([phone::digits(raw)]).filter(|k| !k.is_empty()).collect()
}

impl Resource for ContactPoint {
    const PLURAL: &'static str = "contact_points";
    const SINGULAR: &'static str = "contact_point";
    const DESCRIPTION: &'static str = "Phone numbers, e-mail addresses and other ways to reach an account or contact.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::Contact, &["raw", "e164", "normalized", "label"]), (PersonalData::FreeText, &["tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = &["account_id", "contact_id"];
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "kind", "normalized", "e164"];
    const SEARCHED: &'static [&'static str] = &["raw", "normalized"];
    const ORDERED: Option<&'static [&'static str]> = Some(&["account_id", "contact_id"]);
    const TITLE: &'static str = "raw";
    const DISTINCT: &'static [&'static [&'static str]] = &[&["account_id", "contact_id", "kind", "normalized"]];
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_primary", &["account_id", "contact_id", "kind"])];
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["raw", "e164", "normalized"]];
    const PARENTS: &'static [&'static str] = &["account_id", "contact_id"];

    fn normalise(&mut self) {
        let region = self.region.as_deref().unwrap_or(DEFAULT_REGION);
        self.e164 = self.kind.is_phone().then(|| phone::parse(&self.raw, region).map(|p| p.e164)).flatten();
        self.normalized = match self.kind {
            kind if kind.is_phone() => self.e164.clone().unwrap_or_else(|| phone::digits(&self.raw)),
            ContactPointKind::Email => email::normal_form(&self.raw),
            _ => text::lookup_key(&self.raw),
        };
    }

    fn example() -> Value {
        json!({"kind": "mobile", "label": "office hours", "is_primary": true, "e164": "+66812345678", "normalized": "+66812345678"})
    }

    fn example_change() -> Value {
        json!({"is_verified": true})
    }
}

fn reachable(point: &ContactPoint) -> Result<(), ValidationError> {
    if point.kind.is_phone() && point.normalized.len() < 3 {
        return Err(fault("raw", FieldCode::InvalidPhone, "a phone number with at least three digits"));
    }
    if point.kind == ContactPointKind::Email && !email::is_address(&point.normalized) {
        return Err(fault("raw", FieldCode::InvalidEmail, "an e-mail address such as name@example.com"));
    }
    Ok(())
}
