//! A business calendar: the hours of an organisation or a team, and the days on which they are different.

use super::business_time::{Hours, Span};
use crate::id::BusinessCalendarId;
use samphan_resource::{
    calendar::{self, Zone},
    error::FieldCode,
    resource::Resource,
    scalar::date,
    transition::Transition,
    validation::{expect_time_zone, fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

/// Most days with other hours of a calendar.
pub const MAX_EXCEPTIONS: i64 = 2_000;

/// The hours of an organisation or a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "in_a_time_zone"), schema(function = "weekly_fits"))]
pub struct BusinessCalendar {
    /// The name.
    #[schema(min_length = 1, max_length = 100, example = "Office Bangkok")]
    pub name: String,
    /// The IANA time zone of its hours.
    #[schema(min_length = 1, max_length = 64, example = "Asia/Bangkok")]
    pub time_zone: String,
    /// The hours of each day of the week. A day without hours is closed.
    #[serde(default)]
    pub weekly: WeeklyHours,
    /// Whether it counts where no other calendar is named. Setting it takes it from the calendar before.
    #[serde(default)]
    pub is_default: bool,
}

/// The hours of each day of the week.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WeeklyHours {
    /// Monday.
    #[schema(max_items = 8)]
    pub monday: Vec<OpeningHours>,
    /// Tuesday.
    #[schema(max_items = 8)]
    pub tuesday: Vec<OpeningHours>,
    /// Wednesday.
    #[schema(max_items = 8)]
    pub wednesday: Vec<OpeningHours>,
    /// Thursday.
    #[schema(max_items = 8)]
    pub thursday: Vec<OpeningHours>,
    /// Friday.
    #[schema(max_items = 8)]
    pub friday: Vec<OpeningHours>,
    /// Saturday.
    #[schema(max_items = 8)]
    pub saturday: Vec<OpeningHours>,
    /// Sunday.
    #[schema(max_items = 8)]
    pub sunday: Vec<OpeningHours>,
}

/// Hours of a day, from a time to a time that is no longer part of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpeningHours {
    /// When they begin.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length = 5, example = "08:30")]
    pub from: String,
    /// When they end, at the latest 24:00.
    #[schema(pattern = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$", max_length = 5, example = "17:30")]
    pub to: String,
}

/// A day on which the hours of a calendar are different, such as a holiday.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
#[validate(schema(function = "hours_fit"))]
pub struct CalendarException {
    /// The calendar.
    #[schema(read_only)]
    pub business_calendar_id: BusinessCalendarId,
    /// The day.
    #[schema(value_type = String, format = Date, example = "2026-12-31")]
    pub date: String,
    /// What the day is.
    #[schema(min_length = 1, max_length = 100, example = "New Year's Eve")]
    pub name: String,
    /// Its hours; none where it is closed.
    #[schema(max_items = 8)]
    #[serde(default)]
    pub hours: Vec<OpeningHours>,
    /// Where it was taken from.
    #[schema(max_length = 100, example = "Bank of Thailand")]
    pub source: Option<String>,
}

impl Resource for BusinessCalendar {
    const PLURAL: &'static str = "business_calendars";
    const SINGULAR: &'static str = "business_calendar";
    const DESCRIPTION: &'static str = "The hours of the organisation or of teams, with their holidays.";
    const FILTERS: &'static [&'static str] = &["name", "time_zone", "is_default"];
    const SORTS: &'static [&'static str] = &["name"];
    const COLLATED: &'static [&'static str] = &["name"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["name"]];
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[("is_default", &[])];
    const TRANSITIONS: &'static [Transition] = &[Transition::within("compute", &[], None)];

    fn normalise(&mut self) {
        self.weekly.days_mut().into_iter().for_each(join);
    }

    fn example() -> Value {
        let office = json!([{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "17:30"}]);
        json!({"is_default": true, "weekly": {
            "monday": office, "tuesday": office, "wednesday": office, "thursday": office, "friday": office, "saturday": [], "sunday": [],
        }})
    }

    fn example_change() -> Value {
        json!({"name": "Office Silom"})
    }
}

impl Resource for CalendarException {
    const PLURAL: &'static str = "calendar_exceptions";
    const SINGULAR: &'static str = "calendar_exception";
    const DESCRIPTION: &'static str = "Days on which the hours of a business calendar are different, such as holidays.";
    const FILTERS: &'static [&'static str] = &["business_calendar_id", "date"];
    const SORTS: &'static [&'static str] = &["date"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["business_calendar_id", "date"]];
    const PARENTS: &'static [&'static str] = &["business_calendar_id"];
    const EXTENSIBLE: bool = false;

    fn normalise(&mut self) {
        join(&mut self.hours);
    }

    fn example() -> Value {
        json!({"hours": []})
    }

    fn example_change() -> Value {
        json!({"hours": [{"from": "08:30", "to": "12:00"}]})
    }
}

impl WeeklyHours {
    /// The days, Monday first, with the names of their fields.
    #[must_use]
    pub const fn days(&self) -> [(&'static str, &Vec<OpeningHours>); 7] {
        [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ]
    }

    const fn days_mut(&mut self) -> [&mut Vec<OpeningHours>; 7] {
        [
            &mut self.monday,
            &mut self.tuesday,
            &mut self.wednesday,
            &mut self.thursday,
            &mut self.friday,
            &mut self.saturday,
            &mut self.sunday,
        ]
    }
}

impl BusinessCalendar {
    /// Its hours, with the days on which they are different, for counting.
    #[must_use]
    pub fn hours(&self, exceptions: &[CalendarException]) -> Hours {
        let spans = |hours: &[OpeningHours]| hours.iter().map(OpeningHours::span).collect::<Vec<_>>();
        Hours {
            zone: calendar::zone(&self.time_zone).unwrap_or(Zone::UTC),
            weekly: self.weekly.days().map(|(_, hours)| spans(hours)),
            exceptions: exceptions.iter().filter_map(|day| Some((date(&day.date)?, spans(&day.hours)))).collect(),
        }
    }
}

impl OpeningHours {
    fn span(&self) -> Span {
        Span { from: minutes(&self.from), to: minutes(&self.to) }
    }
}

/// Minutes from midnight of a time that fits the pattern.
fn minutes(time: &str) -> u32 {
    let number = |text: &str| text.parse::<u32>().unwrap_or_default();
    time.split_once(':').map_or(0, |(hours, minutes)| number(hours) * 60 + number(minutes))
}

/// Brings hours in order, and joins those that touch.
fn join(hours: &mut Vec<OpeningHours>) {
    hours.sort_by(|a, b| a.from.cmp(&b.from));
    hours.dedup_by(|next, last| {
        let touches = next.from == last.to;
        if touches {
            last.to.clone_from(&next.to);
        }
        touches
    });
}

fn in_a_time_zone(calendar: &BusinessCalendar) -> Result<(), ValidationError> {
    expect_time_zone(&calendar.time_zone)
}

fn weekly_fits(calendar: &BusinessCalendar) -> Result<(), ValidationError> {
    calendar.weekly.days().into_iter().try_for_each(|(_, hours)| fits("weekly", hours))
}

fn hours_fit(day: &CalendarException) -> Result<(), ValidationError> {
    fits("hours", &day.hours)
}

/// Refuses hours that end before they begin, and those that overlap. They are in order.
fn fits(field: &'static str, hours: &[OpeningHours]) -> Result<(), ValidationError> {
    if hours.iter().any(|hours| hours.to <= hours.from) {
        return Err(fault(field, FieldCode::BeforeStart, "hours that end after they begin, on the same day"));
    }
    let overlap = hours.iter().zip(hours.iter().skip(1)).any(|(hours, next)| next.from < hours.to);
    if overlap { Err(fault(field, FieldCode::Repeated, "hours of a day that do not overlap")) } else { Ok(()) }
}
