//! A role: permissions with their reach, and rules about protected fields.

use samphan_resource::{
    caller::{FieldAccess, Reach},
    resource::Resource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// What its holders may do. Permissions of several roles add up. About a field, a role decides only where it grants something on the
/// field's resource: about reading where it grants `read`, about writing where it grants anything else. Of the roles that decide, the
/// most generous holds; where none does, the strictest of all. So a role that grants nothing shows nothing either.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Role {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Seller")]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// What it grants.
    #[schema(max_items = 2000)]
    #[serde(default)]
    pub permissions: Vec<Grant>,
    /// What it withholds of fields of the resources that it grants something on.
    #[schema(max_items = 200)]
    #[serde(default)]
    pub field_rules: Vec<FieldRule>,
}

/// A permission and how far it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// `<resource>:<verb>` as the document names it for each operation; `*` stands for any.
    #[schema(pattern = "^([a-z0-9-]+|\\*):([a-z0-9-]+|\\*)$", max_length = 100, example = "accounts:read")]
    pub permission: String,
    /// How far it reaches over records with an owner.
    pub reach: Reach,
}

/// A rule about a class of fields, or about one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// `personal` or `financial` for all fields of that class, or `<resource>.<field>` such as `accounts.grade`.
    #[schema(pattern = "^(personal|financial|[a-z_]+\\.[a-z0-9_]+)$", max_length = 100, example = "personal")]
    pub fields: String,
    /// What is left of them.
    pub access: FieldAccess,
}

impl Resource for Role {
    const PLURAL: &'static str = "roles";
    const SINGULAR: &'static str = "role";
    const DESCRIPTION: &'static str = "What people and machines may do.";
    const FILTERS: &'static [&'static str] = &["name"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];

    fn example() -> Value {
        json!({
            "name": "Seller, north",
            "description": "Looks after customers of the own team.",
            "permissions": [{"permission": "accounts:read", "reach": "team"}, {"permission": "orders:*", "reach": "own"}],
            "field_rules": [{"fields": "financial", "access": "read_only"}],
        })
    }

    fn example_change() -> Value {
        json!({"description": "Looks after customers of the own team, and writes their orders."})
    }
}
