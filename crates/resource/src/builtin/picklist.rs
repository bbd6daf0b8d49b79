//! A picklist: the values of a custom field, as data.

use crate::{error::FieldCode, resource::Resource, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashSet};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A list of values to pick from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "codes_once"))]
pub struct Picklist {
    /// Its key.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "delivery_route")]
    pub key: String,
    /// For people to read.
    #[schema(min_length = 1, max_length = 100, example = "Delivery route")]
    pub name: String,
    /// Its values in order.
    #[schema(max_items = 1000)]
    #[serde(default)]
    pub values: Vec<PicklistValue>,
}

/// One value of a picklist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PicklistValue {
    /// What records hold.
    #[schema(min_length = 1, max_length = 50, format = "visible", example = "north")]
    pub code: String,
    /// For people to read.
    #[schema(min_length = 1, max_length = 100, example = "North")]
    pub label: String,
    /// The label in other languages, by BCP 47 tag.
    #[serde(default)]
    pub label_translations: BTreeMap<String, String>,
    /// Whether it can still be picked.
    #[serde(default = "yes")]
    pub is_active: bool,
}

const fn yes() -> bool {
    true
}

impl Resource for Picklist {
    const PLURAL: &'static str = "picklists";
    const SINGULAR: &'static str = "picklist";
    const DESCRIPTION: &'static str = "Lists of values for custom fields.";
    const FILTERS: &'static [&'static str] = &["key"];
    const SORTS: &'static [&'static str] = &["key", "name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["key"]];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"values": [{"code": "north", "label": "North", "label_translations": {"th": "ภาคเหนือ"}}, {"code": "south", "label": "South"}]})
    }

    fn example_change() -> Value {
        json!({"name": "Route of delivery"})
    }
}

fn codes_once(list: &Picklist) -> Result<(), ValidationError> {
    let mut seen = HashSet::new();
    match list.values.iter().all(|v| seen.insert(v.code.as_str())) {
        true => Ok(()),
        false => Err(fault("values", FieldCode::Repeated, "each code once")),
    }
}
