//! A contact: a real person through whom an organisation is reached.

use crate::customers::account::Channel;
use samphan_resource::{
    privacy::PersonalData,
    resource::{Items, Link, Resource, VisibleThrough},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// A person. Which accounts the person acts for, and as what, stands in `account-contacts`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct Contact {
    /// How the person is addressed, such as `คุณ` or `Dr.`
    #[schema(max_length = 50)]
    pub salutation: Option<String>,
    /// Given name, or the only name.
    #[schema(min_length = 1, max_length = 100, example = "สมชาย")]
    pub first_name: String,
    /// Middle name.
    #[schema(max_length = 100)]
    pub middle_name: Option<String>,
    /// Family name.
    #[schema(max_length = 100, example = "ใจดี")]
    pub last_name: Option<String>,
    /// First, middle and last name, as sorted and shown.
    #[schema(read_only, max_length = 310)]
    #[serde(default)]
    pub name: String,
    /// The name in the person's own script, where the fields above are in another.
    #[schema(max_length = 200)]
    pub local_name: Option<String>,
    /// Position.
    #[schema(max_length = 100)]
    pub job_title: Option<String>,
    /// Department.
    #[schema(max_length = 100)]
    pub department: Option<String>,
    /// Date of birth.
    #[schema(value_type = Option<String>, format = Date)]
    pub birth_date: Option<String>,
    /// Marital status.
    pub marital_status: Option<MaritalStatus>,
    /// Name of the spouse.
    #[schema(max_length = 200)]
    pub spouse_name: Option<String>,
    /// Number of children.
    #[schema(minimum = 0, maximum = 50)]
    pub children_count: Option<i32>,
    /// What the person likes to talk about.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub interests: Vec<String>,
    /// The channel the person answers best.
    pub preferred_channel: Option<Channel>,
    /// BCP 47 language tag.
    #[schema(max_length = 35, example = "th")]
    pub preferred_language: Option<String>,
    /// When to call, in the person's words.
    #[schema(max_length = 100)]
    pub best_time: Option<String>,
    /// The person asked not to be called.
    #[serde(default)]
    pub do_not_call: bool,
    /// Anything worth knowing.
    #[schema(max_length = 5000)]
    pub description: Option<String>,
}

/// Marital status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum MaritalStatus {
    Single,
    Married,
    Partnered,
    Divorced,
    Widowed,
}

impl Resource for Contact {
    const PLURAL: &'static str = "contacts";
    const SINGULAR: &'static str = "contact";
    const DESCRIPTION: &'static str = "Persons through whom accounts are reached.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (
            PersonalData::Identity,
            &["salutation", "first_name", "middle_name", "last_name", "name", "local_name", "job_title", "department", "external_refs"],
        ),
        (PersonalData::Contact, &["preferred_channel", "preferred_language", "best_time"]),
        (PersonalData::Sensitive, &["birth_date", "marital_status", "spouse_name", "children_count", "interests"]),
        (PersonalData::FreeText, &["description", "tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = &["id"];
    const FILTERS: &'static [&'static str] =
        &["name", "last_name", "job_title", "department", "do_not_call", "birth_date", "preferred_channel"];
    const ITEMS: &'static [Items] = &[Items { name: "interests", field: "interests", member: None }];
    const LINKS: &'static [Link] = &[Link { name: "account_id", resource: "account_contacts", own: "contact_id", other: "account_id" }];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["name", "local_name", "job_title"];
    const PERSONAL_FIELDS: &'static [&'static str] = &["birth_date", "marital_status", "spouse_name", "children_count", "interests"];
    const LINKED_FIELDS: &'static [&'static [&'static str]] =
        &[&["name", "first_name"], &["name", "middle_name"], &["name", "last_name"], &["name", "local_name"]];
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Owner, VisibleThrough::Linked("account_contacts", "contact_id")];

    fn normalise(&mut self) {
        let parts = [Some(self.first_name.as_str()), self.middle_name.as_deref(), self.last_name.as_deref()];
        self.name = parts.into_iter().flatten().map(str::trim).filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" ");
    }

    fn example() -> Value {
        json!({"job_title": "ผู้จัดการฝ่ายจัดซื้อ", "name": "สมชาย ใจดี", "preferred_channel": "line"})
    }

    fn example_change() -> Value {
        json!({"best_time": "09:00-11:00"})
    }
}
