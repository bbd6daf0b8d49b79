//! When a task comes again: a rule of RFC 5545 over wall-clock time, of which one occurrence is open at a time.
//!
//! Rules are evaluated without a time zone, and each occurrence is put into the zone by `calendar::promised_moment`: a time that a change of clocks
//! skips is not dropped, as RFC 5545 has it.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeZone};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What a rule may be.
pub const EXPECTED: &str = "FREQ=DAILY, WEEKLY, MONTHLY or YEARLY, with INTERVAL 1 to 366, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST, \
                            and COUNT to 1000 or UNTIL";
/// What a rule must have.
const A_HIT: &str = "a rule with an occurrence in the 10 years after the first";
/// What the end of months needs.
const ONE_MONTH: &str = "one month in BYMONTH, INTERVAL=1, or `skip` for month_end";

/// Most occurrences of a rule.
const MAX_COUNT: u32 = 1_000;
/// Largest interval.
const MAX_INTERVAL: u32 = 366;
/// Days a rule may go without an occurrence.
const MAX_DAYS: u64 = 10 * 366;
/// The last day that every month has.
const SAFE_DAY: i64 = 28;

/// How a task recurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recurrence {
    /// The rule, as RFC 5545 has it: FREQ (daily to yearly), INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS, WKST, and COUNT or UNTIL.
    #[schema(min_length = 10, max_length = 200, example = "FREQ=WEEKLY;BYDAY=MO")]
    pub rule: String,
    /// What the next occurrence is counted from.
    #[serde(default)]
    pub mode: RecurrenceMode,
    /// What becomes of days that a month does not have.
    #[serde(default)]
    pub month_end: MonthEnd,
}

/// What the next occurrence is counted from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecurrenceMode {
    /// The first occurrence: the calendar goes on, whenever one is done.
    #[default]
    Schedule,
    /// The day this occurrence is done.
    AfterCompletion,
}

/// What becomes of days that a month does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MonthEnd {
    /// The last day of the month stands for them.
    #[default]
    Clamp,
    /// The month has no occurrence.
    Skip,
}

/// The next occurrence of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its local time.
    pub at: NaiveDateTime,
    /// Occurrences between the last one and this one that nobody was asked to do.
    pub missed: i32,
}

/// A rule, read.
#[derive(Clone, Debug)]
struct Parts {
    /// All but COUNT and UNTIL, by name.
    named: BTreeMap<String, String>,
    count: Option<u32>,
    until: Option<NaiveDateTime>,
}

impl Recurrence {
    /// What the rule must be for a series that begins at a local time; none where it is that.
    #[must_use]
    pub fn expected(&self, start: NaiveDateTime) -> Option<&'static str> {
        let Some(parts) = Parts::read(&self.rule) else { return Some(EXPECTED) };
        let endless = Parts { count: None, until: None, ..parts };
        let Ok(effective) = endless.effective(self.month_end, start) else { return Some(ONE_MONTH) };
        let Some(all) = effective.occurrences(start) else { return Some(EXPECTED) };
        let last = start.checked_add_days(Days::new(MAX_DAYS)).unwrap_or(NaiveDateTime::MAX);
        let second = all.into_iter().map(|at| at.naive_utc()).find(|at| *at > start);
        if second.is_some_and(|at| at <= last) { None } else { Some(A_HIT) }
    }

    /// The occurrence after `this` one of a series that began at `start`, once it is done `now`; all are local times. None where the series ends.
    #[must_use]
    pub fn next(&self, start: NaiveDateTime, this: NaiveDateTime, occurrence_no: i32, now: NaiveDateTime) -> Option<Next> {
        let parts = Parts::read(&self.rule)?;
        let until = parts.until;
        let next = match self.mode {
            RecurrenceMode::Schedule => {
                let (mut missed, last) = (0, this.max(now));
                let all = parts.effective(self.month_end, start).ok()?.occurrences(start)?;
                let at = all.into_iter().map(|at| at.naive_utc()).find(|at| {
                    missed += i32::from(*at > this && *at <= last);
                    *at > last
                })?;
                Next { at, missed }
            }
            RecurrenceMode::AfterCompletion => {
                if parts.count.is_some_and(|count| i64::from(occurrence_no) >= i64::from(count)) {
                    return None;
                }
                // The time of day stays, the days are counted from this one.
                let done = now.date().and_time(this.time());
                let endless = Parts { count: None, until: None, ..parts };
                let all = endless.effective(self.month_end, done).ok()?.occurrences(done)?;
                let at = all.into_iter().map(|at| at.naive_utc()).find(|at| *at > done)?;
                Next { at, missed: 0 }
            }
        };
        Some(next).filter(|next| until.is_none_or(|until| next.at <= until))
    }
}

impl Parts {
    fn read(rule: &str) -> Option<Self> {
        let (mut named, mut count, mut until) = (BTreeMap::new(), None, None);
        for part in rule.to_ascii_uppercase().split(';') {
            let (name, value) = part.split_once('=')?;
            match name {
                "FREQ" => ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"].contains(&value).then_some(())?,
                "INTERVAL" => (1..=MAX_INTERVAL).contains(&value.parse().ok()?).then_some(())?,
                "COUNT" => count = Some(value.parse().ok().filter(|n| (1..=MAX_COUNT).contains(n))?),
                "UNTIL" => until = Some(local_end(value)?),
                "BYDAY" | "BYMONTHDAY" | "BYMONTH" | "BYSETPOS" | "WKST" => {}
                _ => return None,
            }
            let is_new = !matches!(name, "COUNT" | "UNTIL") && named.insert(name.to_owned(), value.to_owned()).is_none();
            if !is_new && !matches!(name, "COUNT" | "UNTIL") {
                return None;
            }
        }
        let freq = named.get("FREQ")?;
        // Days of a month, and places among them, say nothing of days and weeks; the crate reads `1MO` of a week as every day.
        let is_by_month = matches!(freq.as_str(), "MONTHLY" | "YEARLY");
        let is_numbered = named.get("BYDAY").is_some_and(|days| days.contains(|c: char| c.is_ascii_digit()));
        let says_month = is_numbered || named.contains_key("BYMONTHDAY") || named.contains_key("BYSETPOS");
        ((is_by_month || !says_month) && (count.is_none() || until.is_none())).then_some(Self { named, count, until })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.named.get(name).map(String::as_str)
    }

    /// The rule with the days at the end of months as they are meant. An error where that cannot be said as one rule.
    fn effective(mut self, month_end: MonthEnd, start: NaiveDateTime) -> Result<Self, ()> {
        let freq = self.get("FREQ").unwrap_or_default();
        let is_by_month = matches!(freq, "MONTHLY" | "YEARLY");
        if month_end == MonthEnd::Skip || !is_by_month || self.get("BYDAY").is_some() || self.get("BYSETPOS").is_some() {
            return Ok(self);
        }
        let day = match self.get("BYMONTHDAY") {
            Some(days) => days.parse().ok().filter(|day| *day > SAFE_DAY),
            None => Some(i64::from(start.day())).filter(|day| *day > SAFE_DAY),
        };
        let Some(day) = day else { return Ok(self) };
        if freq == "YEARLY" {
            let own = start.month().to_string();
            let months = match (self.get("BYMONTH"), self.get("BYMONTHDAY")) {
                (Some(months), _) => Some(months.to_owned()),
                (None, None) => Some(own),
                (None, Some(_)) => None,
            };
            match months {
                Some(month) if !month.contains(',') => drop(self.named.insert("BYMONTH".to_owned(), month)),
                _ if self.get("INTERVAL").is_none_or(|n| n == "1") => drop(self.named.insert("FREQ".to_owned(), "MONTHLY".to_owned())),
                _ => return Err(()),
            }
        }
        let days: Vec<String> = (SAFE_DAY..=day).map(|day| day.to_string()).collect();
        self.named.insert("BYMONTHDAY".to_owned(), days.join(","));
        self.named.insert("BYSETPOS".to_owned(), "-1".to_owned());
        Ok(self)
    }

    /// The local times of the rule, in order; none where the parts do not fit together.
    fn occurrences(&self, start: NaiveDateTime) -> Option<RRuleSet> {
        let mut text: Vec<String> = self.named.iter().map(|(name, value)| format!("{name}={value}")).collect();
        text.extend(self.count.map(|count| format!("COUNT={count}")));
        let rule: RRule<Unvalidated> = text.join(";").parse().ok()?;
        // As if all of it were in UTC: that zone has no gaps. The crate ends a rule that never has an occurrence.
        Some(rule.build(Tz::UTC.from_utc_datetime(&start)).ok()?.limit())
    }
}

/// The last local time of `UNTIL`: a day, or a time.
fn local_end(value: &str) -> Option<NaiveDateTime> {
    let bare = value.strip_suffix('Z').unwrap_or(value);
    let day = NaiveDate::parse_from_str(bare, "%Y%m%d").ok().and_then(|day| day.and_hms_opt(23, 59, 59));
    day.or_else(|| NaiveDateTime::parse_from_str(bare, "%Y%m%dT%H%M%S").ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> NaiveDateTime {
        text.parse().unwrap()
    }

    fn rule(rule: &str) -> Recurrence {
        Recurrence { rule: rule.to_owned(), mode: RecurrenceMode::Schedule, month_end: MonthEnd::Clamp }
    }

    /// The days of the next occurrences, each done on its own day.
    fn days(recurrence: &Recurrence, start: &str, most: usize) -> Vec<String> {
        let (start, mut found) = (at(start), vec![]);
        let mut this = start;
        while let Some(next) = recurrence.next(start, this, i32::try_from(found.len() + 1).unwrap(), this).filter(|_| found.len() < most) {
            found.push(next.at.date().to_string());
            this = next.at;
        }
        found
    }

    #[test]
    fn end_of_months_is_clamped_or_skipped() {
        // Example 16.
        let monthly = rule("FREQ=MONTHLY");
        assert_eq!(days(&monthly, "2027-01-31T09:00:00", 3), ["2027-02-28", "2027-03-31", "2027-04-30"]);
        assert_eq!(days(&rule("FREQ=MONTHLY;BYMONTHDAY=31"), "2027-01-31T09:00:00", 3), ["2027-02-28", "2027-03-31", "2027-04-30"]);
        let skip = Recurrence { month_end: MonthEnd::Skip, ..monthly };
        assert_eq!(days(&skip, "2027-01-31T09:00:00", 2), ["2027-03-31", "2027-05-31"]);
        assert_eq!(days(&rule("FREQ=MONTHLY;INTERVAL=3"), "2026-11-30T09:00:00", 3), ["2027-02-28", "2027-05-30", "2027-08-30"]);
        assert_eq!(days(&rule("FREQ=YEARLY"), "2028-02-29T09:00:00", 4), ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]);
        assert_eq!(days(&rule("FREQ=YEARLY;BYMONTH=1,2"), "2027-01-31T09:00:00", 3), ["2027-02-28", "2028-01-31", "2028-02-29"]);
        assert_eq!(rule("FREQ=YEARLY;INTERVAL=2;BYMONTH=1,2;BYMONTHDAY=31").expected(at("2027-01-31T09:00:00")), Some(ONE_MONTH));
        assert_eq!(days(&rule("FREQ=MONTHLY;BYDAY=-1FR"), "2027-01-29T09:00:00", 2), ["2027-02-26", "2027-03-26"]);
    }

    #[test]
    fn passed_over_occurrences_are_counted() {
        // Example 16: weekly, due 2027-03-01, completed 03-23.
        let next = rule("FREQ=WEEKLY").next(at("2027-03-01T09:00:00"), at("2027-03-01T09:00:00"), 1, at("2027-03-23T10:00:00"));
        assert_eq!(next, Some(Next { at: at("2027-03-29T09:00:00"), missed: 3 }));
        // Done before it is due, the next one is the one after.
        let early = rule("FREQ=WEEKLY").next(at("2027-03-01T09:00:00"), at("2027-03-01T09:00:00"), 1, at("2027-02-01T10:00:00"));
        assert_eq!(early, Some(Next { at: at("2027-03-08T09:00:00"), missed: 0 }));
    }

    #[test]
    fn after_completion_counts_from_the_day_it_was_done() {
        let recurrence = Recurrence { mode: RecurrenceMode::AfterCompletion, ..rule("FREQ=DAILY;INTERVAL=3;COUNT=2") };
        let done = |no| recurrence.next(at("2027-03-01T09:00:00"), at("2027-03-01T09:00:00"), no, at("2027-03-23T22:00:00"));
        assert_eq!(done(1), Some(Next { at: at("2027-03-26T09:00:00"), missed: 0 }));
        assert_eq!(done(2), None);
    }

    #[test]
    fn series_ends_with_its_count_or_until() {
        assert_eq!(days(&rule("FREQ=DAILY;COUNT=3"), "2027-03-01T09:00:00", 9), ["2027-03-02", "2027-03-03"]);
        assert_eq!(days(&rule("FREQ=DAILY;UNTIL=20270302"), "2027-03-01T09:00:00", 9), ["2027-03-02"]);
        assert!(days(&rule("FREQ=DAILY;UNTIL=20270302T085959"), "2027-03-01T09:00:00", 9).is_empty());
    }

    #[test]
    fn rule_that_is_none_is_refused_with_what_is_allowed() {
        let start = at("2027-01-31T09:00:00");
        for text in [
            "FREQ=SECONDLY",
            "FREQ=HOURLY",
            "INTERVAL=2",
            "FREQ=DAILY;INTERVAL=0",
            "FREQ=DAILY;INTERVAL=367",
            "FREQ=DAILY;COUNT=1001",
            "FREQ=DAILY;COUNT=2;UNTIL=20270401",
            "FREQ=DAILY;FREQ=WEEKLY",
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=WEEKLY;BYMONTHDAY=3",
            "FREQ=DAILY;BYHOUR=3",
            "FREQ=MONTHLY;BYMONTHDAY=99",
            "FREQ=DAILY;UNTIL=tomorrow",
            "every monday",
        ] {
            assert_eq!(rule(text).expected(start), Some(EXPECTED), "{text}");
        }
        for text in ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=YEARLY;INTERVAL=20"] {
            let never = Recurrence { month_end: MonthEnd::Skip, ..rule(text) };
            assert_eq!(never.expected(start), Some(A_HIT), "{text}");
        }
        for text in ["freq=weekly;byday=mo,we", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=DAILY;WKST=SU;INTERVAL=366"] {
            assert_eq!(rule(text).expected(start), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn next_is_after_now_and_after_this(freq in proptest::sample::select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), interval in 1..60_u32, days in 0..2_000_u64, late in 0..4_000_u64) {
            let start = at("2020-02-29T23:30:00").checked_add_days(Days::new(days)).unwrap();
            let now = start.checked_add_days(Days::new(late)).unwrap();
            let recurrence = rule(&format!("FREQ={freq};INTERVAL={interval}"));
            proptest::prop_assume!(recurrence.expected(start).is_none());
            let next = recurrence.next(start, start, 1, now).unwrap();
            proptest::prop_assert!(next.at > now && next.at > start && next.at.time() == start.time() && next.missed >= 0);
            // Done at once, nothing was missed; and one that follows another misses none between.
            let second = recurrence.next(start, start, 1, start).unwrap();
            proptest::prop_assert_eq!(second.missed, 0);
            proptest::prop_assert!(second.at <= next.at);
        }
    }
}
