//! A custom field: what the organisation adds to a resource, typed and validated like the rest.

use crate::{error::FieldCode, reference::OnDelete, resource::Resource, scalar::Kind, validation::fault};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A field of the organisation's own, under `custom.<key>` of every record of its resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "options_where_needed"))]
pub struct CustomField {
    /// The resource's plural, such as `accounts`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z_]+$", example = "accounts")]
    pub resource: String,
    /// Its key under `custom`.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_]*$", example = "line_id")]
    pub key: String,
    /// For people to read.
    #[schema(min_length = 1, max_length = 100, example = "LINE id")]
    pub label: String,
    /// The label in other languages, by BCP 47 tag.
    #[serde(default)]
    pub label_translations: BTreeMap<String, String>,
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: CustomKind,
    /// Whether every record must have it from now on.
    #[serde(default)]
    pub required: bool,
    /// For `picklist`: the key of the picklist whose active codes are allowed.
    #[schema(max_length = 50)]
    pub picklist: Option<String>,
    /// For `text`: the longest text, in characters.
    #[schema(minimum = 1, maximum = 10000)]
    pub max_length: Option<i32>,
    /// What it means.
    #[schema(max_length = 500)]
    pub description: Option<String>,
}

/// What a custom field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CustomKind {
    /// A string.
    Text,
    /// A decimal string.
    Number,
    /// True or false.
    Boolean,
    /// A day.
    Date,
    /// A moment.
    Time,
    /// A code of a picklist.
    Picklist,
}

impl CustomKind {
    /// As the kernel names it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Text | Self::Picklist => Kind::Text,
            Self::Number => Kind::Decimal { least: 0 },
            Self::Boolean => Kind::Bool,
            Self::Date => Kind::Date,
            Self::Time => Kind::Time,
        }
    }
}

impl Resource for CustomField {
    const PLURAL: &'static str = "custom_fields";
    const SINGULAR: &'static str = "custom_field";
    const DESCRIPTION: &'static str = "Fields the organisation adds to resources.";
    const FILTERS: &'static [&'static str] = &["resource", "key"];
    const FIXED: &'static [&'static str] = &["resource", "key", "type"];
    const SORTS: &'static [&'static str] = &["key"];
    const TITLE: &'static str = "label";
    const UNIQUE: &'static [&'static [&'static str]] = &[&["resource", "key"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("picklist", "picklists.key", OnDelete::Refuse)];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"type": "text", "max_length": 50})
    }

    fn example_change() -> Value {
        json!({"label": "LINE id of the buyer"})
    }
}

fn options_where_needed(field: &CustomField) -> Result<(), ValidationError> {
    match (field.kind, &field.picklist) {
        (CustomKind::Picklist, None) => Err(fault("picklist", FieldCode::Required, "a picklist key for a field of type picklist")),
        (k, Some(_)) if k != CustomKind::Picklist => Err(fault("picklist", FieldCode::NotAllowed, "only for a field of type picklist")),
        _ => Ok(()),
    }
}
