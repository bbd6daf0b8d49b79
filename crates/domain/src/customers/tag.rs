//! The vocabulary of tags: which labels are meant to be used, and how they look.

use samphan_resource::resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A label for records. Records may carry labels outside the vocabulary; those in it have a colour and a meaning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Tag {
    /// The label, in lower case.
    #[schema(min_length = 1, max_length = 50, example = "key account")]
    pub name: String,
    /// A colour for screens.
    #[schema(pattern = "^#[0-9a-fA-F]{6}$", example = "#0a7d50")]
    pub color: Option<String>,
    /// What it means.
    #[schema(max_length = 500)]
    pub description: Option<String>,
}

impl Resource for Tag {
    const PLURAL: &'static str = "tags";
    const SINGULAR: &'static str = "tag";
    const DESCRIPTION: &'static str = "The vocabulary of labels for records.";
    const FILTERS: &'static [&'static str] = &["name"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];
    const EXTENSIBLE: bool = false;

    fn normalise(&mut self) {
        self.name = self.name.trim().to_lowercase();
    }

    fn example_change() -> Value {
        json!({"description": "Customers that buy for more than a million a year."})
    }
}
