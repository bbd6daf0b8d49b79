//! A privacy request: what a person asks of the data that is held about him, and what came of it (PDPA sections 30 to 36, GDPR
//! articles 15 to 21).

use samphan_resource::{
    example,
    privacy::PersonalData,
    reference::{AnyReference, OnDelete, Targets},
    resource::{Resource, VisibleThrough},
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// Days in which a request is to be answered: PDPA section 30. GDPR allows a month.
pub const DAYS_TO_ANSWER: u64 = 30;

/// What a person asks of the data that is held about him.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct PrivacyRequest {
    /// What is asked for.
    pub kind: PrivacyRequestKind,
    /// What the person is here: `contacts`, `users`, or `accounts` where the account's legal form is `individual`.
    #[schema(min_length = 1, max_length = 100, pattern = "^[a-z_]+$", example = "contacts")]
    pub resource: String,
    /// The record of the person. It may be a deleted one.
    pub record_id: Uuid,
    /// The day it came in; today when left out.
    #[schema(value_type = Option<String>, format = Date)]
    pub received_on: Option<String>,
    /// The day it is to be answered by: 30 days after it came in.
    #[schema(value_type = Option<String>, format = Date, read_only)]
    pub due_on: Option<String>,
    /// What was said. It goes when the person is erased.
    #[schema(max_length = 5000)]
    pub note: Option<String>,
    /// How it was made sure that it is the person who asks, without numbers of papers; set by `verify`. It stays, as the proof.
    #[schema(read_only, max_length = 500)]
    pub evidence: Option<String>,
    /// What was done about it, or why it was rejected, without personal data; it stays, as the proof.
    #[schema(read_only, max_length = 2000)]
    pub outcome: Option<String>,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: PrivacyRequestStatus,
    /// When it was fulfilled or rejected.
    #[schema(read_only)]
    pub settled_at: Option<Timestamp>,
}

/// What a person may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyRequestKind {
    /// To see all that is held about him; `export` answers it.
    Access,
    /// To take with him what he gave; `export` answers it, without the history.
    Portability,
    /// To be forgotten; `fulfil` does it, for good: what says something of the person is taken out of the record, what belongs to it,
    /// their history and events. Money documents stay, with the addresses the law wants on them. While business is under way with the
    /// person it is refused.
    Erasure,
    /// To have something put right.
    Rectification,
    /// To have it left unused.
    Restriction,
    /// To have it used no longer for a purpose, such as marketing.
    Objection,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyRequestStatus {
    /// It came in; who asks is not certain yet.
    #[default]
    Received,
    /// It is the person who asks.
    Verified,
    /// It is done.
    Fulfilled,
    /// It is not done, and `outcome` says why.
    Rejected,
}

impl PrivacyRequestStatus {
    /// As it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Verified => "verified",
            Self::Fulfilled => "fulfilled",
            Self::Rejected => "rejected",
        }
    }
}

impl Resource for PrivacyRequest {
    const PLURAL: &'static str = "privacy_requests";
    const SINGULAR: &'static str = "privacy_request";
    const DESCRIPTION: &'static str = "What persons ask of the data that is held about them, and what came of it.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] =
        &[(PersonalData::FreeText, &["note", "evidence", "outcome"])];
    const RETAINED_AFTER_ERASURE: &'static [&'static str] = &["evidence", "outcome"];
    const DATA_SUBJECT: &'static [&'static str] = &["record_id"];
    const FILTERS: &'static [&'static str] = &["kind", "status", "resource", "record_id", "due_on"];
    const SORTS: &'static [&'static str] = &["due_on"];
    const TITLE: &'static str = "kind";
    const ANY_REFERENCES: &'static [AnyReference] = &[AnyReference::new("resource", "record_id", Targets::Persons).or_deleted()];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[("record_id", OnDelete::Keep)];
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[VisibleThrough::Subject("record_id")];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("verify", &["received"], "verified", "verified"),
        Transition::within("export", &["verified", "fulfilled"], Some("exported")),
        Transition::new("fulfil", &["verified"], "fulfilled", "fulfilled"),
        Transition::new("reject", &["received", "verified"], "rejected", "rejected"),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"kind": "access", "resource": "contacts", "record_id": example::id("contacts"), "received_on": example::DATE})
    }

    fn example_change() -> Value {
        json!({"note": "Asked on the telephone."})
    }
}

/// How it was made sure who asks.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyPrivacyRequest {
    /// What was looked at, such as `passport seen at the counter`; not its number.
    #[schema(min_length = 1, max_length = 500)]
    pub evidence: String,
}

/// What was done about a request.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilPrivacyRequest {
    /// What was done, beyond what `fulfil` does itself.
    #[serde(default)]
    #[schema(nullable = false, max_length = 2000)]
    pub outcome: Option<String>,
}

/// Why a request is not to be fulfilled.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectPrivacyRequest {
    /// Why; the person has a right to know.
    #[schema(min_length = 1, max_length = 2000)]
    pub outcome: String,
}
