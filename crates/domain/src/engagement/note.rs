//! A note: what people write down about a customer or any record.

use super::{DATA_SUBJECT, FILLED, ON_DELETE, RELATED, VISIBLE_THROUGH, markdown};
use crate::id::{AccountId, ContactId};
use samphan_resource::{
    error::FieldCode,
    example,
    privacy::PersonalData,
    reference::{AnyReference, OnDelete},
    resource::{Filled, Resource, Timeline, VisibleThrough},
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// Characters of a title.
const MAX_TITLE: usize = 200;

/// A note about a customer or any record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "is_markdown"))]
pub struct Note {
    /// The account it is about. Filled from the related record where that has one; another value is refused with `not_of_account`.
    pub account_id: Option<AccountId>,
    /// The contact it is about, filled likewise.
    pub contact_id: Option<ContactId>,
    /// The resource of the record it is about.
    #[schema(max_length = 100)]
    pub related_resource: Option<String>,
    /// The record it is about.
    pub related_id: Option<Uuid>,
    /// Its text: Markdown (CommonMark, tables, task lists) without HTML; links begin with http:, https:, mailto: or tel:.
    #[schema(min_length = 1, max_length = 20000, example = "Wants **500 boxes** before Songkran.")]
    pub body: String,
    /// The first line of its text, without Markdown.
    #[schema(read_only, max_length = 200, example = "Wants 500 boxes before Songkran.")]
    #[serde(default)]
    pub title: String,
    /// Whether it is to be seen first. At most 3 notes of a related record, or else of a contact or account, are pinned.
    #[serde(default)]
    pub is_pinned: bool,
    /// Who may see it. Only its owner makes a note private.
    #[serde(default)]
    pub visibility: NoteVisibility,
}

/// Who may see a note.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteVisibility {
    /// Colleagues who see it as its owner or team, or who see the account, contact or record it is about.
    #[default]
    Internal,
    /// The same colleagues; it may be shown to the customer.
    Shared,
    /// Its owner alone, whatever the rights of others.
    Private,
}

impl Resource for Note {
    const PLURAL: &'static str = "notes";
    const SINGULAR: &'static str = "note";
    const DESCRIPTION: &'static str = "Notes about customers and any other records.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::FreeText, &["body", "title", "tags", "custom"])];
    const DATA_SUBJECT: &'static [&'static str] = DATA_SUBJECT;
    const FILTERS: &'static [&'static str] = &["account_id", "contact_id", "is_pinned", "visibility"];
    const SEARCHED: &'static [&'static str] = &["body"];
    const TITLE: &'static str = "title";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["body", "title"]];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = ON_DELETE;
    const ANY_REFERENCES: &'static [AnyReference] = RELATED;
    const FILLED: &'static [Filled] = FILLED;
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = VISIBLE_THROUGH;
    const PRIVATE: Option<(&'static str, &'static str)> = Some(("visibility", "private"));
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "created_at", summary: Some("body"), actor: "created_by_id" });

    fn normalise(&mut self) {
        self.title = markdown::first_line(&self.body, MAX_TITLE);
    }

    fn example() -> Value {
        json!({"account_id": example::id("accounts"), "contact_id": example::id("contacts")})
    }

    fn example_change() -> Value {
        json!({"is_pinned": true})
    }
}

fn is_markdown(note: &Note) -> Result<(), ValidationError> {
    markdown::expected_of(&note.body).map_or(Ok(()), |expected| Err(fault("body", FieldCode::InvalidFormat, expected)))
}
