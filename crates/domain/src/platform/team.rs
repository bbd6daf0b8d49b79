//! A team: a place in the organisation's tree, by which records are seen.

use crate::id::TeamId;
use samphan_resource::resource::Resource;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A team. Its parent's members with the reach `subtree` see its records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Team {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Sales North")]
    pub name: String,
    /// The team above.
    pub parent_id: Option<TeamId>,
    /// What it does.
    #[schema(max_length = 500)]
    pub description: Option<String>,
}

impl Resource for Team {
    const PLURAL: &'static str = "teams";
    const SINGULAR: &'static str = "team";
    const DESCRIPTION: &'static str = "The organisation's tree of teams.";
    const FILTERS: &'static [&'static str] = &["name", "parent_id"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];

    fn example_change() -> Value {
        json!({"description": "Customers from Ayutthaya to Chiang Rai."})
    }
}
