//! A user: a person who signs in.

use crate::{
    email,
    id::{RoleId, TeamId, UserId},
};
use samphan_resource::{example, privacy::PersonalData, resource::Resource, transition::Transition, validation::expect_time_zone};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// A person who signs in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "known_time_zone"))]
pub struct User {
    /// Full name.
    #[schema(min_length = 1, max_length = 200, example = "Somying Rakdee")]
    pub name: String,
    /// E-mail address, in lower case; what one signs in with.
    #[schema(min_length = 3, max_length = 254, pattern = "^[^@\\s]+@[^@\\s]+$", format = "visible", example = "somying@example.com")]
    pub email: String,
    /// Position.
    #[schema(max_length = 100)]
    pub job_title: Option<String>,
    /// Language for messages: `en`, `th` or `fa`, or any BCP 47 tag.
    #[schema(max_length = 35, example = "th")]
    pub locale: Option<String>,
    /// IANA time zone for filters such as `within_last`; null for that of the organisation (`/v1/settings`).
    #[schema(max_length = 50, example = "Asia/Bangkok")]
    pub time_zone: Option<String>,
    /// Who this user reports to.
    pub manager_id: Option<UserId>,
    /// What the user may do.
    #[schema(max_items = 20)]
    #[serde(default)]
    pub role_ids: Vec<RoleId>,
    /// The user's teams; the first one is the team of what the user makes.
    #[schema(max_items = 50)]
    #[serde(default)]
    pub team_ids: Vec<TeamId>,
    /// Who takes over the records of an inactive user, until the last is handed over; set by `deactivate`.
    #[schema(read_only)]
    #[serde(default)]
    pub successor_id: Option<UserId>,
    /// Whether the user may sign in; moved by `activate` and `deactivate`.
    #[schema(read_only)]
    #[serde(default)]
    pub status: UserStatus,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// May sign in.
    #[default]
    Active,
    /// May not; sessions ended.
    Inactive,
}

impl Resource for User {
    const PLURAL: &'static str = "users";
    const SINGULAR: &'static str = "user";
    const DESCRIPTION: &'static str = "People who sign in.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Identity, &["name", "email", "job_title", "external_refs"]),
        (PersonalData::Contact, &["locale", "time_zone"]),
        (PersonalData::FreeText, &["tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = &["id"];
    const EVENTS: &'static [&'static str] = &[
        "user.password_changed",
        "user.export_started",
        "user.export_finished",
        "session.started",
        "session.refused",
        "session.ended",
        "session.all_ended",
        "session.reuse_detected",
    ];
    const FILTERS: &'static [&'static str] = &["name", "email", "status", "manager_id"];
    const SORTS: &'static [&'static str] = &["name", "email"];
    const COLLATED: &'static [&'static str] = &["name"];
    const SEARCHED: &'static [&'static str] = &["name", "email"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["email"]];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("activate", &["inactive"], "active", "activated"),
        Transition::new("deactivate", &["active"], "inactive", "deactivated"),
        Transition::within("set-password", &["active"], Some("password_set")),
    ];

    fn normalise(&mut self) {
        self.email = email::normal_form(&self.email);
    }

    fn example() -> Value {
        json!({"role_ids": [example::id("roles")], "team_ids": [example::id("teams")]})
    }

    fn example_change() -> Value {
        json!({"job_title": "Key account manager"})
    }
}

fn known_time_zone(user: &User) -> Result<(), ValidationError> {
    user.time_zone.as_deref().map_or(Ok(()), expect_time_zone)
}
