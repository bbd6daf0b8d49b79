//! A call: a telephone call that took place or was tried.

use super::{DATA_SUBJECT, FILLED, RELATED, VISIBLE_THROUGH};
use crate::{
    customers::contact_point::DEFAULT_REGION,
    id::{AccountId, ContactId, UserId},
    phone,
};
use samphan_resource::{
    error::FieldCode,
    example,
    privacy::PersonalData,
    reference::{AnyReference, OnDelete},
    resource::{Filled, Resource, Timeline, VisibleThrough},
    timestamp::Timestamp,
    transition::Transition,
    validation::fault,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// Seconds of a day, which no call is longer than.
const MAX_SECONDS: i64 = 86_400;

/// A telephone call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "times_in_order"))]
pub struct Call {
    /// The account it was with. Filled from the related record where that has one; another value is refused with `not_of_account`.
    pub account_id: Option<AccountId>,
    /// The contact it was with, filled likewise.
    pub contact_id: Option<ContactId>,
    /// The resource of the record it was about.
    #[schema(max_length = 100)]
    pub related_resource: Option<String>,
    /// The record it was about.
    pub related_id: Option<Uuid>,
    /// Who called whom.
    pub direction: CallDirection,
    /// The calling number, as it was signalled or dialled.
    #[schema(max_length = 50, example = "081-234 5678")]
    pub from_number: Option<String>,
    /// The called number, as it was signalled or dialled.
    #[schema(max_length = 50, example = "02 123 4567")]
    pub to_number: Option<String>,
    /// The calling number in E.164, where it is a valid one; a national number is read as one of Thailand.
    #[schema(read_only, max_length = 20)]
    pub from_e164: Option<String>,
    /// The called number in E.164, where it is a valid one.
    #[schema(read_only, max_length = 20)]
    pub to_e164: Option<String>,
    /// The number of the other side, in E.164 where it is a valid one; empty where it is not known.
    #[schema(read_only, max_length = 50)]
    #[serde(default)]
    pub customer_number: String,
    /// How sure it is whom it was with. An inbound or outbound call without account, contact and related record is matched by the other side's number when it is
    /// created.
    #[schema(read_only)]
    #[serde(default)]
    pub match_status: CallMatch,
    /// When it began to ring.
    #[schema(example = "2026-11-20T09:30:00Z")]
    pub started_at: Timestamp,
    /// When it was answered; null when it was not.
    pub answered_at: Option<Timestamp>,
    /// When it ended; null while it goes on.
    pub ended_at: Option<Timestamp>,
    /// How long was spoken, in seconds: from `answered_at` to `ended_at` where it is left out.
    #[schema(minimum = 0, maximum = 86400)]
    pub duration_seconds: Option<i32>,
    /// How it ended; null while it goes on.
    pub disposition: Option<CallDisposition>,
    /// The user who called or was called; the caller when left out on create.
    pub user_id: Option<UserId>,
    /// The queue of the telephone system it came through.
    #[schema(max_length = 100)]
    pub queue: Option<String>,
    /// What was said.
    #[schema(max_length = 10000)]
    pub notes: Option<String>,
}

/// Who called whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallDirection {
    /// The other side called.
    Inbound,
    /// One of our users called.
    Outbound,
    /// Both are ours.
    Internal,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallDisposition {
    /// It was answered.
    Answered,
    /// It rang, and was not answered.
    NoAnswer,
    /// The line was busy.
    Busy,
    /// A mailbox took it.
    Voicemail,
    /// It could not be connected.
    Failed,
    /// The calling side hung up before it was answered.
    Abandoned,
    /// It reached somebody else.
    WrongNumber,
}

/// How sure it is whom a call was with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallMatch {
    /// It has an account, a contact or a related record.
    Matched,
    /// Several customers have the number. `link` says which.
    Ambiguous,
    /// No visible customer has the number.
    #[default]
    Unmatched,
}

impl Call {
    /// Whether it says whom or what it was about.
    #[must_use]
    pub const fn is_linked(&self) -> bool {
        self.account_id.is_some() || self.contact_id.is_some() || self.related_id.is_some()
    }

    /// The number of the other side as it was signalled or dialled; none of a call among ourselves.
    #[must_use]
    pub fn other_side(&self) -> Option<&str> {
        match self.direction {
            CallDirection::Inbound => self.from_number.as_deref(),
            CallDirection::Outbound => self.to_number.as_deref(),
            CallDirection::Internal => None,
        }
    }
}

impl Resource for Call {
    const PLURAL: &'static str = "calls";
    const SINGULAR: &'static str = "call";
    const DESCRIPTION: &'static str = "Telephone calls with customers, as people log them or telephone systems report them.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Contact, &["from_number", "to_number", "from_e164", "to_e164", "customer_number"]),
        (PersonalData::FreeText, &["notes", "tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = DATA_SUBJECT;
    const FILTERS: &'static [&'static str] =
        &["account_id", "contact_id", "direction", "customer_number", "match_status", "disposition", "user_id", "queue"];
    const SORTS: &'static [&'static str] = &["started_at"];
    const SEARCHED: &'static [&'static str] = &["customer_number", "notes"];
    const TITLE: &'static str = "customer_number";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["customer_number", "from_number", "to_number", "from_e164", "to_e164"]];
    const ON_DELETE: &'static [(&'static str, OnDelete)] =
        &[("account_id", OnDelete::Keep), ("contact_id", OnDelete::Keep), ("related_id", OnDelete::Keep), ("user_id", OnDelete::Keep)];
    const ANY_REFERENCES: &'static [AnyReference] = RELATED;
    const FILLED: &'static [Filled] = FILLED;
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = VISIBLE_THROUGH;
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "started_at", summary: Some("notes"), actor: "user_id" });
    const TRANSITIONS: &'static [Transition] =
        &[Transition::within("link", &[], Some("linked")), Transition::within("follow-up", &[], None)];

    fn normalise(&mut self) {
        let e164 = |raw: &Option<String>| raw.as_deref().and_then(|raw| phone::parse(raw, DEFAULT_REGION)).map(|phone| phone.e164);
        self.from_e164 = e164(&self.from_number);
        self.to_e164 = e164(&self.to_number);
        let known = if self.direction == CallDirection::Inbound { &self.from_e164 } else { &self.to_e164 };
        self.customer_number = self.other_side().map(|raw| known.clone().unwrap_or_else(|| raw.to_owned())).unwrap_or_default();
        self.match_status = match (self.is_linked(), self.match_status) {
            (true, _) => CallMatch::Matched,
            (false, CallMatch::Matched) => CallMatch::Unmatched,
            (false, other) => other,
        };
        if let (None, Some(answered), Some(ended)) = (self.duration_seconds, self.answered_at, self.ended_at) {
            let seconds = (ended.micros() - answered.micros()) / 1_000_000;
            self.duration_seconds = i32::try_from(seconds.clamp(0, MAX_SECONDS)).ok();
        }
    }

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"), "contact_id": example::id("contacts"), "direction": "inbound", "match_status": "matched",
            "from_e164": "+66812345678", "to_e164": "+6621234567", "customer_number": "+66812345678", "started_at": "2026-11-20T09:30:00Z",
            "answered_at": "2026-11-20T09:30:12Z", "ended_at": "2026-11-20T09:34:12Z", "duration_seconds": 240, "disposition": "answered",
            "queue": "orders", "notes": "Asked when the tea arrives.",
        })
    }

    fn example_change() -> Value {
        json!({"notes": "Asked when the tea arrives; called back with the date."})
    }
}

fn times_in_order(call: &Call) -> Result<(), ValidationError> {
    let is_before =
        |earlier: Option<Timestamp>, later: Option<Timestamp>| earlier.zip(later).is_some_and(|(earlier, later)| later < earlier);
    if is_before(Some(call.started_at), call.answered_at) {
        return Err(fault("answered_at", FieldCode::BeforeStart, "at or after started_at"));
    }
    if is_before(call.answered_at.or(Some(call.started_at)), call.ended_at) {
        return Err(fault("ended_at", FieldCode::BeforeStart, "at or after started_at and answered_at"));
    }
    Ok(())
}

/// Whom and what a call was about.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkCall {
    /// The account; null for the one the related record says.
    #[serde(default)]
    pub account_id: Option<AccountId>,
    /// The contact; null for the one the related record says.
    #[serde(default)]
    pub contact_id: Option<ContactId>,
    /// The resource of the record it was about.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub related_resource: Option<String>,
    /// The record it was about.
    #[serde(default)]
    pub related_id: Option<Uuid>,
}
