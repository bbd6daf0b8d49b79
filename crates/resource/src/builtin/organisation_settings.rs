//! The settings of the organisation: the one record that documents and messages fall back on.

use crate::{
    currency,
    error::FieldCode,
    resource::Resource,
    validation::{expect_time_zone, fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// The settings of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "known_zone_and_currency"))]
pub struct OrganisationSettings {
    /// Name of the organisation.
    #[schema(min_length = 1, max_length = 200, example = "My organisation")]
    pub name: String,
    /// IANA time zone of the organisation. Its calendar decides what today is: for order dates, prices, tax rates and due days.
    #[schema(min_length = 1, max_length = 50, example = "UTC")]
    pub time_zone: String,
    /// Currency the organisation keeps its books in, ISO 4217. For clients; prices and documents say their own.
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: Option<String>,
    /// Language of messages to users without a language of their own.
    pub locale: Locale,
}

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Thai.
    Th,
    /// Persian.
    Fa,
}

impl Locale {
    /// Its language tag.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Th => "th",
            Self::Fa => "fa",
        }
    }
}

impl OrganisationSettings {
    /// The id of the one record.
    pub const ID: Uuid = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001);
}

impl Default for OrganisationSettings {
    fn default() -> Self {
        Self { name: "My organisation".to_owned(), time_zone: "UTC".to_owned(), currency: None, locale: Locale::En }
    }
}

impl Resource for OrganisationSettings {
    const PLURAL: &'static str = "settings";
    const SINGULAR: &'static str = "settings";
    const DESCRIPTION: &'static str = "The settings of the organisation: its name, time zone, currency and language.";
    const EXTENSIBLE: bool = false;

    fn normalise(&mut self) {
        self.name = self.name.trim().to_owned();
    }

    fn example_change() -> Value {
        json!({"name": "Siam Tea"})
    }
}

fn known_zone_and_currency(settings: &OrganisationSettings) -> Result<(), ValidationError> {
    expect_time_zone(&settings.time_zone)?;
    match settings.currency.as_deref().map(currency::decimals) {
        Some(None) => Err(fault("currency", FieldCode::UnknownCurrency, "an ISO 4217 currency such as THB")),
        _ => Ok(()),
    }
}
