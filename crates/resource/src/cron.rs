//! When something is done again and again: five fields, as cron has them, in a time zone.

use crate::{
    calendar::{self, Zone},
    timestamp::Timestamp,
};
use chrono::{Datelike, NaiveDate, NaiveDateTime};

/// Days looked ahead: 29 February may be eight years away.
const MAX_DAYS: u64 = 9 * 366;

/// The local times at which something is done: `minute hour day-of-month month day-of-week`.
///
/// A field is `*`, a number, a range `1-5`, or a list of them `1,3,5-7`; `*` and ranges may have a step, `*/15`. Sunday is 0 or 7. Where both
/// days are given, a day that fits one of them counts. A local time that a change of clocks skips is the first moment after the gap;
/// several in one gap are one. A local time that comes twice is the earlier one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day of either kind will do.
    is_either_day: bool,
}

impl Cron {
    /// Reads five fields; none when they cannot be read or name no value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.try_into().ok()?;
        let is_either_day = !days.starts_with('*') && !weekdays.starts_with('*');
        let weekdays = field(weekdays, 0, 7)?;
        Some(Self {
            minutes: field(minutes, 0, 59)?,
            hours: field(hours, 0, 23)?,
            days: field(days, 1, 31)?,
            months: field(months, 1, 12)?,
            weekdays: weekdays | weekdays >> 7,
            is_either_day,
        })
    }

    /// The first time after a moment: its local time, and the moment it is. None where there is none within nine years, such as on 30 February.
    #[must_use]
    pub fn next_after(&self, zone: Zone, after: Timestamp) -> Option<(NaiveDateTime, Timestamp)> {
        // Whatever clocks do, a time of a day before this one is not after this moment.
        let first = calendar::today(zone, after);
        (0..MAX_DAYS).map(|days| calendar::days_after(first, days)).filter(|day| self.is_on(*day)).find_map(|day| {
            let times = bits(self.hours).flat_map(|hour| bits(self.minutes).map(move |minute| (hour, minute)));
            times
                .filter_map(|(hour, minute)| day.and_hms_opt(hour, minute, 0))
                .map(|local| (local, calendar::moment_of(zone, local)))
                .find(|(_, moment)| *moment > after)
        })
    }

    fn is_on(&self, day: NaiveDate) -> bool {
        let month_day = has(self.days, day.day());
        let weekday = has(self.weekdays, day.weekday().num_days_from_sunday());
        has(self.months, day.month()) && if self.is_either_day { month_day || weekday } else { month_day && weekday }
    }
}

const fn has(set: u64, number: u32) -> bool {
    set >> number & 1 == 1
}

fn bits(set: u64) -> impl Iterator<Item = u32> + Clone {
    (0..60).filter(move |number| has(set, *number))
}

/// The numbers of a field as bits.
fn field(text: &str, least: u32, most: u32) -> Option<u64> {
    let mut set = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(number(step).filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*", _) => (least, most),
            (_, Some((from, to))) => (number(from)?, number(to)?),
            // `5/15` means different things to different crons.
            _ if step.is_some() => return None,
            (one, None) => (number(one)?, number(one)?),
        };
        if from < least || to > most || from > to {
            return None;
        }
        set |= (from..=to).step_by(usize::try_from(step.unwrap_or(1)).ok()?).fold(0, |set, number| set | 1 << number);
    }
    Some(set)
}

fn number(text: &str) -> Option<u32> {
    if text.is_empty() || text.len() > 2 || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn zone(name: &str) -> Zone {
        calendar::zone(name).unwrap()
    }

    /// The next so many times.
    fn times(cron: &str, zone_name: &str, after: &str, many: usize) -> Vec<String> {
        let cron = Cron::parse(cron).unwrap();
        let mut last = at(after);
        let next = |_| {
            last = cron.next_after(zone(zone_name), last).unwrap().1;
            last.to_string()
        };
        (0..many).map(next).collect()
    }

    #[test]
    fn five_fields_are_read_and_anything_else_is_not() {
        for good in ["* * * * *", "0 3 * * *", "*/15 8-18 * * 1-5", "5,35 0 1,15 */3 0,7", "59 23 31 12 7", "0-30/10 0 * * *"] {
            assert!(Cron::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "*/0 * * * *",
            "5/15 * * * *",
            "+5 * * * *",
            "a * * * *",
            ", * * * *",
            "1- * * * *",
        ] {
            assert_eq!(Cron::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_those_of_the_zone() {
        assert_eq!(times("30 7 * * *", "Asia/Bangkok", "2026-11-30T00:30:00Z", 2), ["2026-12-01T00:30:00Z", "2026-12-02T00:30:00Z"]);
        assert_eq!(times("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 2), ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
        // The 13th or a Friday.
        assert_eq!(
            times("0 0 13 * 5", "UTC", "2026-11-10T00:00:00Z", 3),
            ["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"]
        );
        assert_eq!(times("0 0 * * 7", "UTC", "2026-11-10T00:00:00Z", 1), ["2026-11-15T00:00:00Z"]);
        assert_eq!(Cron::parse("0 0 30 2 *").unwrap().next_after(Zone::UTC, at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn a_time_that_clocks_skip_is_the_first_moment_after_the_gap_once() {
        // On 2026-03-29 clocks in Berlin go from 02:00 to 03:00, which is 01:00Z.
        assert_eq!(times("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        assert_eq!(
            times("*/20 2-3 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
            ["2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z"]
        );
        // There was no 30 December 2011 in Apia: its noon is the first moment of the 31st.
        assert_eq!(times("0 12 30 12 *", "Pacific/Apia", "2011-12-29T00:00:00Z", 1), ["2011-12-30T10:00:00Z"]);
    }

    #[test]
    fn a_time_that_comes_twice_is_the_earlier_one_only() {
        // On 2026-10-25 clocks in Berlin go from 03:00 back to 02:00, which is 01:00Z.
        assert_eq!(times("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        assert_eq!(
            times("0,30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z"],
            "02:00 and 02:30 were there already"
        );
        // Half an hour only.
        assert_eq!(times("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2), ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, ..Default::default() })]
        #[test]
        fn each_local_time_has_one_moment_and_none_is_left_out(
            start in 1_600_000_000_i64..1_900_000_000,
            every in 1..60_u32,
            hour in 0..24_u32,
            name in proptest::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Bangkok"]),
        ) {
            let (zone, after) = (zone(name), Timestamp::from_micros(start * 1_000_000).unwrap());
            let cron = Cron::parse(&format!("*/{every} {hour},{} * * *", (hour + 1) % 24)).unwrap();
            let (local, next) = cron.next_after(zone, after).unwrap();
            proptest::prop_assert!(next > after);
            proptest::prop_assert_eq!(calendar::moment_of(zone, local), next);
            // Minute by minute, what lies between is none of its times, or one that came before.
            let mut minute = after.micros().div_euclid(60_000_000) * 60_000_000 + 60_000_000;
            while minute < next.micros() {
                let moment = Timestamp::from_micros(minute).unwrap();
                let there = calendar::local_time(zone, moment);
                let is_its = has(cron.hours, chrono::Timelike::hour(&there)) && has(cron.minutes, chrono::Timelike::minute(&there));
                proptest::prop_assert!(!is_its || calendar::moment_of(zone, there) < moment, "{there} was left out");
                minute += 60_000_000;
            }
        }
    }
}
