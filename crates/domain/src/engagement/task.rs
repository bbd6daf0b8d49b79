//! A task: what is to be done for a customer, by whom and until when.

use super::{
    DATA_SUBJECT, FILLED, RELATED, VISIBLE_THROUGH,
    recurrence::{Next, Recurrence},
};
use crate::{
    customers::contact_point::DEFAULT_REGION,
    id::{AccountId, ContactId, TaskId},
    phone,
};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use samphan_resource::{
    calendar::{self, Zone},
    error::FieldCode,
    example,
    privacy::PersonalData,
    reference::{AnyReference, OnDelete},
    resource::{Details, Filled, Resource, Timeline, VisibleThrough},
    timestamp::Timestamp,
    transition::Transition,
    validation::{expect_time_zone, fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

/// How local times are written, and local days.
const LOCAL: [&str; 2] = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"];

/// Writes a local time, of a task that is due on a day as the day alone.
fn write_local(at: NaiveDateTime, is_of_day: bool) -> String {
    at.format(LOCAL.get(usize::from(is_of_day)).copied().unwrap_or_default()).to_string()
}

/// A local time, and whether it is a day alone.
fn read_local(text: &str) -> Option<(NaiveDateTime, bool)> {
    let [time, day] = LOCAL;
    let of_day = || Some((NaiveDate::parse_from_str(text, day).ok()?.and_time(NaiveTime::MIN), true));
    NaiveDateTime::parse_from_str(text, time).ok().map(|at| (at, false)).or_else(of_day)
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "is_consistent"))]
pub struct Task {
    /// The account it is for. Filled from the related record where that has one; another value is refused with `not_of_account`.
    pub account_id: Option<AccountId>,
    /// The contact it is for, filled likewise.
    pub contact_id: Option<ContactId>,
    /// The resource of the record it is about.
    #[schema(max_length = 100)]
    pub related_resource: Option<String>,
    /// The record it is about.
    pub related_id: Option<Uuid>,
    /// What is to be done.
    #[schema(min_length = 1, max_length = 200, example = "Call about the autumn order")]
    pub subject: String,
    /// What there is to know.
    #[schema(max_length = 10000)]
    pub body: Option<String>,
    /// What kind of task it is.
    #[serde(default)]
    pub kind: TaskKind,
    /// How much it matters.
    #[serde(default)]
    pub priority: TaskPriority,
    /// Where it stands.
    #[schema(read_only)]
    #[serde(default)]
    pub status: TaskStatus,
    /// The moment it is due; either this or `due_on`.
    #[schema(example = "2027-03-01T02:00:00Z")]
    pub due_at: Option<Timestamp>,
    /// The day it is due, in `time_zone`; either this or `due_at`.
    #[schema(value_type = Option<String>, format = Date)]
    pub due_on: Option<String>,
    /// The IANA time zone of `due_on` and of the recurrence. Defaults to the caller's, or else the organisation's.
    #[schema(max_length = 50, example = "Asia/Bangkok")]
    pub time_zone: Option<String>,
    /// The number to call, as it was typed.
    #[schema(max_length = 50)]
    pub callback_number: Option<String>,
    /// That number in E.164, where it is a valid one.
    #[schema(read_only, max_length = 20)]
    pub callback_e164: Option<String>,
    /// What came of it; said by `complete`.
    #[schema(read_only, max_length = 500)]
    pub outcome: Option<String>,
    /// How it recurs. One occurrence is open; the next is made when that is completed, cancelled or skipped. Null ends the series with this occurrence.
    pub recurrence: Option<Recurrence>,
    /// The series it is an occurrence of.
    #[schema(read_only)]
    pub series_id: Option<Uuid>,
    /// Which occurrence of its series it is, from 1; 0 for a task that never recurred.
    #[schema(read_only, minimum = 0)]
    #[serde(default)]
    pub occurrence_no: i32,
    /// How many occurrences of the series passed between the one before and this one.
    #[schema(read_only, minimum = 0)]
    #[serde(default)]
    pub missed: i32,
    /// The local time in `time_zone` at which the series began, or the day for one of days: its rule counts from there.
    #[schema(read_only, max_length = 19, example = "2027-03-01T09:00:00")]
    pub series_start: Option<String>,
    /// The local time in `time_zone`, or the day, that this occurrence stands for, however it was snoozed.
    #[schema(read_only, max_length = 19, example = "2027-03-01T09:00:00")]
    pub occurrence_at: Option<String>,
    /// The task it follows: the occurrence before, or the task it is a follow-up of.
    #[schema(read_only)]
    pub previous_id: Option<TaskId>,
    /// The workflow that made it.
    #[schema(read_only)]
    pub workflow_id: Option<Uuid>,
    /// When it was completed.
    #[schema(read_only)]
    pub completed_at: Option<Timestamp>,
    /// When it stands on timelines: when it was completed, else when it is due, else when it was made or last changed.
    #[schema(read_only)]
    #[serde(default = "earliest")]
    pub activity_at: Timestamp,
}

const fn earliest() -> Timestamp {
    Timestamp::EARLIEST
}

/// Kinds of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Anything to be done.
    #[default]
    Todo,
    /// To come back to something.
    FollowUp,
    /// To call back.
    Callback,
}

/// How much a task matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum TaskPriority {
    Low,
    #[default]
    Normal,
    High,
    Urgent,
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It is to be done.
    #[default]
    Open,
    /// It was done.
    Completed,
    /// It is not to be done any more, or this occurrence was skipped.
    Cancelled,
}

impl Task {
    /// The zone of its local times.
    #[must_use]
    pub fn zone(&self) -> Zone {
        self.time_zone.as_deref().and_then(calendar::zone).unwrap_or(Zone::UTC)
    }

    /// The local time it is due: the beginning of the day where it is due on one.
    #[must_use]
    pub fn due(&self) -> Option<NaiveDateTime> {
        let day = || self.due_on.as_deref().and_then(|day| day.parse::<NaiveDate>().ok());
        self.due_at.map(|at| calendar::local_time(self.zone(), at)).or_else(|| Some(day()?.and_time(NaiveTime::MIN)))
    }

    /// Begins its series anew from when it is due, or ends it where it does not recur any more. `new_id` is the id of a series that begins.
    pub fn restart_series(&mut self, new_id: Uuid) {
        if self.recurrence.is_none() {
            self.series_start = None;
            return;
        }
        self.series_start = self.due().map(|due| write_local(due, self.due_at.is_none()));
        self.occurrence_at.clone_from(&self.series_start);
        self.series_id.get_or_insert(new_id);
        self.occurrence_no = self.occurrence_no.max(1);
    }

    /// Puts it where it stands on timelines.
    pub fn place(&mut self, now: Timestamp) {
        let due_on = || Some(calendar::start_of_day(self.zone(), self.due_on.as_deref()?.parse().ok()?));
        self.activity_at = self.completed_at.or(self.due_at).or_else(due_on).unwrap_or(now);
    }

    /// The next occurrence of its series, once this one is done; none where there is none.
    #[must_use]
    pub fn next_occurrence(&self, this: TaskId, now: Timestamp) -> Option<Self> {
        let (start, is_of_day) = read_local(self.series_start.as_deref()?)?;
        let (occurrence, _) = read_local(self.occurrence_at.as_deref()?)?;
        let local_now = calendar::local_time(self.zone(), now);
        let Next { at, missed } = self.recurrence.as_ref()?.next(start, occurrence, self.occurrence_no, local_now)?;
        let mut next = Self {
            status: TaskStatus::Open,
            due_at: (!is_of_day).then(|| calendar::promised_moment(self.zone(), at)),
            due_on: is_of_day.then(|| at.date().to_string()),
            outcome: None,
            occurrence_no: self.occurrence_no.saturating_add(1),
            missed,
            occurrence_at: Some(write_local(at, is_of_day)),
            previous_id: Some(this),
            completed_at: None,
            ..self.clone()
        };
        next.place(now);
        Some(next)
    }
}

impl Resource for Task {
    const PLURAL: &'static str = "tasks";
    const SINGULAR: &'static str = "task";
    const DESCRIPTION: &'static str = "What is to be done for customers, once or again and again.";
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[
        (PersonalData::Contact, &["callback_number", "callback_e164"]),
        (PersonalData::FreeText, &["subject", "body", "outcome", "tags", "custom"]),
    ];
    const DATA_SUBJECT: &'static [&'static str] = DATA_SUBJECT;
    const FILTERS: &'static [&'static str] = &[
        "account_id",
        "contact_id",
        "kind",
        "priority",
        "status",
        "due_at",
        "due_on",
        "series_id",
        "previous_id",
        "workflow_id",
        "callback_e164",
    ];
    const SORTS: &'static [&'static str] = &["due_at", "activity_at"];
    const SEARCHED: &'static [&'static str] = &["subject", "body"];
    const TITLE: &'static str = "subject";
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[&["callback_number", "callback_e164"]];
    const ON_DELETE: &'static [(&'static str, OnDelete)] = super::ON_DELETE;
    const ANY_REFERENCES: &'static [AnyReference] = RELATED;
    const FILLED: &'static [Filled] = FILLED;
    const OWNED: bool = true;
    const VISIBLE_THROUGH: &'static [VisibleThrough] = VISIBLE_THROUGH;
    const TIMELINE: Option<Timeline> = Some(Timeline { at: "activity_at", summary: Some("outcome"), actor: "owner_id" });
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("complete", &["open"], "completed", "completed"),
        Transition::new("reopen", &["completed", "cancelled"], "open", "reopened"),
        Transition::new("cancel", &["open"], "cancelled", "cancelled"),
        Transition::within("snooze", &["open"], Some("snoozed")),
        Transition::new("skip", &["open"], "cancelled", "skipped"),
        Transition::within("assign", &[], Some("assigned")),
    ];
    const DETAILS: &'static [Details] =
        &[Details { name: "next", resource: "tasks", field: "previous_id", status: "open", unasked_in: "completed" }];

    fn normalise(&mut self) {
        self.callback_e164 = self.callback_number.as_deref().and_then(|raw| phone::parse(raw, DEFAULT_REGION)).map(|phone| phone.e164);
    }

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"), "contact_id": example::id("contacts"), "kind": "follow_up", "priority": "normal",
            "due_at": "2027-03-01T02:00:00Z", "time_zone": "Asia/Bangkok", "activity_at": "2027-03-01T02:00:00Z", "occurrence_no": 1,
            "series_id": example::id("series of tasks"), "series_start": "2027-03-01T09:00:00", "occurrence_at": "2027-03-01T09:00:00",
            "recurrence": {"rule": "FREQ=WEEKLY;BYDAY=MO", "mode": "schedule", "month_end": "clamp"},
        })
    }

    fn example_change() -> Value {
        json!({"priority": "high"})
    }
}

fn is_consistent(task: &Task) -> Result<(), ValidationError> {
    if let Some(zone) = &task.time_zone {
        expect_time_zone(zone)?;
    }
    if task.due_at.is_some() && task.due_on.is_some() {
        return Err(fault("due_on", FieldCode::Ambiguous, "due_at or due_on"));
    }
    let Some(recurrence) = &task.recurrence else { return Ok(()) };
    let Some(due) = task.due() else { return Err(fault("due_at", FieldCode::Required, "due_at or due_on of the first occurrence")) };
    recurrence.expected(due).map_or(Ok(()), |expected| Err(fault("recurrence/rule", FieldCode::InvalidFormat, expected)))
}

/// What came of a task.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteTask {
    /// What came of it.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub outcome: Option<String>,
    /// A task that follows it, for the same account, contact and related record.
    #[serde(default)]
    #[schema(nullable = false)]
    pub follow_up: Option<FollowUp>,
}

/// A task that follows another one.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FollowUp {
    /// What is to be done.
    #[schema(min_length = 1, max_length = 200, example = "Send the price list")]
    pub subject: String,
    /// What there is to know.
    #[serde(default)]
    #[schema(max_length = 10000, nullable = false)]
    pub body: Option<String>,
    /// How much it matters.
    #[serde(default)]
    pub priority: TaskPriority,
    /// The moment it is due; either this or `due_on`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub due_at: Option<Timestamp>,
    /// The day it is due; either this or `due_at`.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, nullable = false)]
    pub due_on: Option<String>,
}

/// Until when a task is put off.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeTask {
    /// The moment it is due from now on; either this or `minutes`.
    #[serde(default)]
    #[schema(nullable = false)]
    pub until: Option<Timestamp>,
    /// Minutes from now; either this or `until`.
    #[serde(default)]
    #[schema(minimum = 5, maximum = 525600, nullable = false)]
    pub minutes: Option<i64>,
}

/// Why a task is not to be done.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelTask {
    /// Why; kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}

/// To whom a task is given.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignTask {
    /// The new owner; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub owner_id: Option<Uuid>,
    /// The new team; as it is when left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub team_id: Option<Uuid>,
    /// Why; kept in the audit.
    #[serde(default)]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
}
