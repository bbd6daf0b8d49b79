//! A warehouse: a place where goods are kept.

use samphan_resource::{resource::Resource, transition::Transition};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A place where goods are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Warehouse {
    /// The code it is called by in stock operations.
    #[schema(min_length = 1, max_length = 50, format = "visible", example = "BKK1")]
    pub code: String,
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Bangkok, Rama IX")]
    pub name: String,
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
    /// Whether what is kept there may be reserved: not so for quarantine, showrooms, goods on their way.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub available_for_sale: bool,
    /// Whether it is in use; moved by `close` and `reopen`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: WarehouseStatus,
}

const fn yes() -> bool {
    true
}

/// Whether a warehouse is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarehouseStatus {
    /// In use.
    #[default]
    Active,
    /// Nothing is moved or reserved there any more.
    Closed,
}

impl Resource for Warehouse {
    const PLURAL: &'static str = "warehouses";
    const SINGULAR: &'static str = "warehouse";
    const DESCRIPTION: &'static str = "The places where goods are kept.";
    const FILTERS: &'static [&'static str] = &["code", "name", "status", "available_for_sale"];
    const SORTS: &'static [&'static str] = &["code", "name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["code", "name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["code"]];
    const CASELESS: &'static [&'static str] = &["code"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] =
        &[Transition::new("close", &["active"], "closed", "closed"), Transition::new("reopen", &["closed"], "active", "reopened")];

    fn example() -> Value {
        json!({"line1": "88 ถนนพระราม 9", "region": "กรุงเทพมหานคร", "postal_code": "10310", "available_for_sale": true})
    }

    fn example_change() -> Value {
        json!({"name": "Bangkok, Rama IX Road"})
    }
}
