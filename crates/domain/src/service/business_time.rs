//! Business time: which moments are working time, how much of it lies between two moments, and when so much of it has passed.
//!
//! A moment is open if its local time of day lies in a span of its local day. So there is nothing to decide where clocks change: hours that
//! are skipped hold no time, hours that come twice count twice, and a day that does not exist is empty. All of it is exact to the microsecond.

use chrono::{Datelike, NaiveDate, NaiveTime};
use samphan_resource::{
    calendar::{self, Zone},
    timestamp::Timestamp,
};
use std::collections::BTreeMap;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
/// Days that are looked through for an open moment.
pub const MAX_DAYS: u64 = 3_660;
/// Days that are compiled at a time.
const DAYS_AT_A_TIME: u64 = 120;
/// Seconds before and after a day, in UTC, within which all its moments lie in any zone.
const MARGIN_SECONDS: i64 = 36 * 3_600;

/// A span of a local day, in minutes from midnight; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First minute.
    pub from: u32,
    /// The minute after the last, at most 1,440.
    pub to: u32,
}

/// The hours of an organisation or a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whose clocks.
    pub zone: Zone,
    /// The spans of each day of the week, Monday first.
    pub weekly: [Vec<Span>; 7],
    /// The spans of days that are different, such as holidays; none of a day that is closed.
    pub exceptions: BTreeMap<NaiveDate, Vec<Span>>,
}

/// Why there is no answer: no moment is open within [`MAX_DAYS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no open time within ten years")]
pub struct NeverOpen;

/// A period of open time, in microseconds since 1970; the end is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first moment.
    pub start: i64,
    /// The moment after the last.
    pub end: i64,
}

/// The open time of a local day within two moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerDay {
    /// The day.
    pub date: NaiveDate,
    /// Its open time, in microseconds.
    pub micros: i64,
}

impl Hours {
    /// The open periods of a local day, in order: they neither overlap nor touch.
    #[must_use]
    pub fn periods_of(&self, day: NaiveDate) -> Vec<Period> {
        let spans = self.exceptions.get(&day).map_or_else(|| self.weekday(day), Vec::as_slice);
        if spans.is_empty() {
            return vec![];
        }
        let midnight = Timestamp::from(day.and_time(NaiveTime::MIN).and_utc());
        let (from, to) = (midnight.plus_seconds(-MARGIN_SECONDS), midnight.plus_seconds(86_400 + MARGIN_SECONDS));
        let mut found = vec![];
        let mut piece = from;
        // Between two changes of clocks the offset is one.
        for end in self.zone.changes(from, to).chain([to]) {
            let shift = self.zone.offset_seconds(piece) * SECOND;
            for span in spans {
                let start = midnight.micros() + i64::from(span.from) * MINUTE - shift;
                let stop = midnight.micros() + i64::from(span.to) * MINUTE - shift;
                let (start, stop) = (start.max(piece.micros()), stop.min(end.micros()));
                if start < stop {
                    found.push(Period { start, end: stop });
                }
            }
            piece = end;
        }
        merged(found)
    }

    fn weekday(&self, day: NaiveDate) -> &[Span] {
        let index = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or_default();
        self.weekly.get(index).map_or(&[], Vec::as_slice)
    }

    /// The open periods from a moment on, in order, for so many days.
    fn periods_from(&self, from: Timestamp, days: u64) -> impl Iterator<Item = Period> {
        // A day before: where clocks go back, moments of a day may come after moments of the next.
        let first = calendar::days_before(calendar::today(self.zone, from), 1);
        let chunks = (0..=days.div_ceil(DAYS_AT_A_TIME)).map(move |chunk| calendar::days_after(first, chunk * DAYS_AT_A_TIME));
        let periods = chunks.flat_map(move |first| {
            let days = (0..DAYS_AT_A_TIME).map(move |n| calendar::days_after(first, n));
            merged(days.flat_map(|day| self.periods_of(day)).collect())
        });
        periods.filter_map(move |period| {
            let start = period.start.max(from.micros());
            (start < period.end).then_some(Period { start, end: period.end })
        })
    }

    /// The open time between two moments, in microseconds; 0 where the second is not after the first.
    #[must_use]
    pub fn between(&self, from: Timestamp, to: Timestamp) -> i64 {
        self.ledger(from, to).iter().map(|day| day.micros).sum()
    }

    /// The open time between two moments by local day, without days that have none.
    #[must_use]
    pub fn ledger(&self, from: Timestamp, to: Timestamp) -> Vec<LedgerDay> {
        if to <= from {
            return vec![];
        }
        let (first, last) = (calendar::today(self.zone, from), calendar::today(self.zone, to));
        let first = calendar::days_before(first, 1);
        let days = first.iter_days().take_while(|day| *day <= calendar::days_after(last, 1));
        let open = days.map(|date| {
            let within = self.periods_of(date).into_iter().map(|period| period.end.min(to.micros()) - period.start.max(from.micros()));
            LedgerDay { date, micros: within.filter(|micros| *micros > 0).sum() }
        });
        open.filter(|day| day.micros > 0).collect()
    }

    /// The earliest moment at or after another at which so many microseconds of open time have passed since. That is the end of a day, not
    /// the next morning; the moment itself where there are none.
    pub fn after(&self, from: Timestamp, micros: i64) -> Result<Timestamp, NeverOpen> {
        if micros <= 0 {
            return Ok(from);
        }
        let mut left = micros;
        for period in self.periods_from(from, MAX_DAYS) {
            let length = period.end - period.start;
            if left <= length {
                return Timestamp::from_micros(period.start + left).ok_or(NeverOpen);
            }
            left -= length;
        }
        Err(NeverOpen)
    }

    /// Whether a moment is open.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let day = calendar::today(self.zone, at);
        self.periods_of(day).iter().any(|period| (period.start..period.end).contains(&at.micros()))
    }

    /// The first open moment at or after another.
    pub fn next_open(&self, from: Timestamp) -> Result<Timestamp, NeverOpen> {
        self.periods_from(from, MAX_DAYS).next().and_then(|period| Timestamp::from_micros(period.start)).ok_or(NeverOpen)
    }
}

/// Periods in order, those that overlap or touch as one.
fn merged(mut periods: Vec<Period>) -> Vec<Period> {
    periods.sort_unstable_by_key(|period| period.start);
    let mut merged: Vec<Period> = Vec::with_capacity(periods.len());
    for period in periods {
        match merged.last_mut() {
            Some(last) if period.start <= last.end => last.end = last.end.max(period.end),
            _ => merged.push(period),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: i64 = 60 * MINUTE;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// A moment of a local time.
    fn local(hours: &Hours, text: &str) -> Timestamp {
        calendar::moment_of(hours.zone, chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap())
    }

    /// Spans written `08:30-12:00 13:00-17:30`.
    fn spans(text: &str) -> Vec<Span> {
        let minutes = |text: &str| {
            let (hour, minute) = text.split_once(':').unwrap();
            hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
        };
        text.split_whitespace().map(|span| span.split_once('-').map(|(a, b)| Span { from: minutes(a), to: minutes(b) }).unwrap()).collect()
    }

    /// Hours of a zone: the spans of Monday to Friday, of Saturday, and of Sunday.
    fn hours(zone: &str, workdays: &str, saturday: &str, sunday: &str) -> Hours {
        let mut weekly: [Vec<Span>; 7] = std::array::from_fn(|_| spans(workdays));
        (weekly[5], weekly[6]) = (spans(saturday), spans(sunday));
        Hours { zone: calendar::zone(zone).unwrap(), weekly, exceptions: BTreeMap::new() }
    }

    /// An office in Bangkok with a lunch hour and its holidays.
    fn bangkok() -> Hours {
        let mut hours = hours("Asia/Bangkok", "08:30-12:00 13:00-17:30", "", "");
        for closed in ["2026-04-13", "2026-04-14", "2026-04-15", "2026-12-31", "2027-01-01"] {
            hours.exceptions.insert(day(closed), vec![]);
        }
        hours
    }

    fn always(zone: &str) -> Hours {
        hours(zone, "00:00-24:00", "00:00-24:00", "00:00-24:00")
    }

    #[track_caller]
    fn due(hours: &Hours, from: &str, micros: i64, expected: &str) {
        assert_eq!(hours.after(local(hours, from), micros), Ok(local(hours, expected)), "{from}");
    }

    #[test]
    fn working_hours_skip_lunch_nights_and_weekends() {
        let office = bangkok();
        due(&office, "2026-11-30 09:00:00", 4 * HOUR, "2026-11-30 14:00:00");
        assert_eq!(local(&office, "2026-11-30 14:00:00"), at("2026-11-30T07:00:00Z"));
        due(&office, "2026-11-27 16:30:00", 4 * HOUR, "2026-11-30 11:30:00");
        due(&office, "2026-11-30 12:15:00", HOUR, "2026-11-30 14:00:00");
        // The end of the day, not the next morning.
        due(&office, "2026-11-30 08:30:00", 8 * HOUR, "2026-11-30 17:30:00");
        due(&office, "2026-11-28 22:00:00", 30 * MINUTE, "2026-11-30 09:00:00");
        assert_eq!(office.between(local(&office, "2026-11-28 22:00:00"), local(&office, "2026-11-30 08:45:00")), 15 * MINUTE);
    }

    #[test]
    fn holidays_are_closed_and_days_with_other_hours_have_those() {
        let mut office = bangkok();
        due(&office, "2026-04-10 16:30:00", 4 * HOUR, "2026-04-16 11:30:00");
        due(&office, "2026-12-30 15:30:00", 8 * HOUR, "2027-01-04 15:30:00");
        office.exceptions.insert(day("2026-12-24"), spans("08:30-12:00"));
        due(&office, "2026-12-24 11:00:00", 3 * HOUR, "2026-12-25 10:30:00");
        office.exceptions.insert(day("2026-12-05"), spans("09:00-12:00"));
        due(&office, "2026-12-04 16:30:00", 3 * HOUR, "2026-12-05 11:00:00");
    }

    #[test]
    fn around_the_clock_hours_pass_as_they_do_whatever_clocks_do() {
        due(&always("Asia/Bangkok"), "2026-11-29 23:30:00", HOUR, "2026-11-30 00:30:00");
        let berlin = always("Europe/Berlin");
        assert_eq!(berlin.after(local(&berlin, "2026-03-28 22:00:00"), 8 * HOUR), Ok(at("2026-03-29T05:00:00Z")));
        assert_eq!(berlin.after(local(&berlin, "2026-10-24 22:00:00"), 8 * HOUR), Ok(at("2026-10-25T04:00:00Z")));
    }

    #[test]
    fn night_shifts_lose_and_gain_the_hour_that_clocks_skip_and_double() {
        let night = hours("America/New_York", "00:00-06:00 22:00-24:00", "00:00-06:00 22:00-24:00", "00:00-06:00 22:00-24:00");
        let open = |from: &str, to: &str| night.between(local(&night, from), local(&night, to));
        assert_eq!(open("2026-03-07 12:00:00", "2026-03-08 12:00:00"), 7 * HOUR);
        assert_eq!(open("2026-10-31 12:00:00", "2026-11-01 12:00:00"), 9 * HOUR);
        let office = hours("America/New_York", "09:00-17:00", "", "");
        assert_eq!(office.after(local(&office, "2026-03-06 16:00:00"), 2 * HOUR), Ok(at("2026-03-09T14:00:00Z")));
        assert_eq!(office.after(local(&office, "2026-10-30 16:00:00"), 2 * HOUR), Ok(at("2026-11-02T15:00:00Z")));
    }

    #[test]
    fn spans_that_a_change_of_clocks_cuts_are_what_is_left_of_them() {
        let lengths =
            |hours: &Hours, date: &str| hours.periods_of(day(date)).iter().map(|p| (p.end - p.start) / MINUTE).collect::<Vec<_>>();
        let early = hours("Europe/Berlin", "", "", "01:30-02:30");
        // 01:30 to 02:30 and, after the clocks went back from 03:00 to 02:00, 02:00 to 02:30 once more.
        assert_eq!(lengths(&early, "2026-10-25"), [60, 30]);
        let gap = hours("Europe/Berlin", "", "", "02:15-03:30");
        assert_eq!(lengths(&gap, "2026-03-29"), [30]);
        for (zone, date, minutes) in [
            ("Australia/Lord_Howe", "2026-04-05", 24 * 60 + 30),
            ("Australia/Lord_Howe", "2026-10-04", 23 * 60 + 30),
            ("Africa/Cairo", "2026-04-24", 23 * 60),
            ("Africa/Cairo", "2026-10-29", 25 * 60),
            ("Pacific/Apia", "2011-12-30", 0),
        ] {
            assert_eq!(lengths(&always(zone), date).iter().sum::<i64>(), minutes, "{date} in {zone}");
        }
    }

    #[test]
    fn zones_are_those_of_the_calendar() {
        let amsterdam = hours("Europe/Amsterdam", "00:00-10:00", "00:00-10:00", "00:00-10:00");
        assert_eq!(amsterdam.after(at("2022-10-30T00:00:00Z"), HOUR), Ok(at("2022-10-30T01:00:00Z")));
        let afternoon = hours("America/New_York", "", "", "13:00-18:00");
        let [Period { start, end }] = afternoon.periods_of(day("2026-03-08"))[..] else { panic!("one period") };
        assert_eq!((start, end), (at("2026-03-08T17:00:00Z").micros(), at("2026-03-08T22:00:00Z").micros()));
        let mut tehran = hours("Asia/Tehran", "08:00-16:00", "08:00-16:00", "08:00-16:00");
        (tehran.weekly[3], tehran.weekly[4]) = (spans("08:00-12:00"), vec![]);
        due(&tehran, "2026-11-26 11:00:00", 4 * HOUR, "2026-11-28 11:00:00");
        for closed in 20..=24 {
            tehran.exceptions.insert(day(&format!("2026-03-{closed}")), vec![]);
        }
        due(&tehran, "2026-03-19 11:00:00", 4 * HOUR, "2026-03-25 11:00:00");
        let winnipeg = hours("America/Winnipeg", "09:00-17:00", "", "");
        assert_eq!(winnipeg.after(at("2026-11-30T14:00:00Z"), HOUR), Ok(at("2026-11-30T15:00:00Z")));
    }

    #[test]
    fn hours_that_are_never_open_have_no_moment() {
        let never = hours("UTC", "", "", "");
        assert_eq!(never.after(at("2026-01-01T00:00:00Z"), 1), Err(NeverOpen));
        assert_eq!(never.next_open(at("2026-01-01T00:00:00Z")), Err(NeverOpen));
        assert_eq!(never.after(at("2026-01-01T00:00:00Z"), 0), Ok(at("2026-01-01T00:00:00Z")));
    }

    fn any_hours() -> impl Strategy<Value = Hours> {
        let zone = proptest::sample::select(vec![
            "Asia/Bangkok",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Tehran",
            "Pacific/Apia",
        ]);
        let spans = proptest::collection::vec((0..24_u32, 1..8_u32), 0..3).prop_map(|all| {
            let mut spans: Vec<Span> =
                all.into_iter().map(|(from, long)| Span { from: from * 60, to: ((from + long) * 60).min(1440) }).collect();
            spans.sort_unstable();
            spans.dedup_by(|next, last| next.from < last.to);
            spans
        });
        (zone, proptest::collection::vec(spans, 7)).prop_filter_map("one day is open", |(zone, weekly)| {
            let weekly: [Vec<Span>; 7] = weekly.try_into().ok()?;
            let is_open = weekly.iter().any(|spans| !spans.is_empty());
            is_open.then(|| Hours { zone: calendar::zone(zone).unwrap(), weekly, exceptions: BTreeMap::new() })
        })
    }

    /// A moment of 2026, when clocks change in most of these zones.
    fn any_moment() -> impl Strategy<Value = Timestamp> {
        (1_767_225_600_000_000..1_798_761_600_000_000_i64).prop_map(|micros| Timestamp::from_micros(micros).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..Default::default() })]

        #[test]
        fn so_much_open_time_passes_until_the_moment_it_has_passed(hours in any_hours(), from in any_moment(), micros in 0..200 * HOUR) {
            let then = hours.after(from, micros).unwrap();
            prop_assert_eq!(hours.between(from, then), micros);
            prop_assert!(then >= from);
            if micros > 0 {
                let before = Timestamp::from_micros(then.micros() - 1).unwrap();
                prop_assert_eq!(hours.between(from, before), micros - 1, "it is the earliest");
            }
        }

        #[test]
        fn open_time_adds_up(hours in any_hours(), mut moments in proptest::array::uniform3(any_moment())) {
            moments.sort();
            let [a, b, c] = moments;
            prop_assert_eq!(hours.between(a, b) + hours.between(b, c), hours.between(a, c));
        }

        #[test]
        fn pauses_anywhere_leave_the_rest(hours in any_hours(), from in any_moment(), target in HOUR..40 * HOUR, pauses in proptest::collection::vec(0..10 * HOUR, 0..4)) {
            let (mut at, mut elapsed) = (from, 0);
            for pause in pauses {
                let work = Timestamp::from_micros(at.micros() + pause).unwrap();
                if elapsed + hours.between(at, work) > target {
                    break;
                }
                elapsed += hours.between(at, work);
                at = Timestamp::from_micros(work.micros() + pause / 2).unwrap();
            }
            let due = hours.after(at, target - elapsed).unwrap();
            prop_assert_eq!(elapsed + hours.between(at, due), target);
        }

        #[test]
        fn a_new_holiday_makes_nothing_earlier(hours in any_hours(), from in any_moment(), micros in 0..80 * HOUR, days in 0..60_u64) {
            let mut with = hours.clone();
            with.exceptions.insert(calendar::days_after(calendar::today(hours.zone, from), days), vec![]);
            prop_assert!(with.after(from, micros).unwrap() >= hours.after(from, micros).unwrap());
        }

        #[test]
        fn a_moment_is_open_as_its_local_time_is(hours in any_hours(), at in any_moment()) {
            use chrono::Timelike;
            let there = calendar::local_time(hours.zone, at);
            let minute = there.hour() * 60 + there.minute();
            let open = hours.weekday(there.date()).iter().any(|span| (span.from..span.to).contains(&minute));
            prop_assert_eq!(hours.is_open(at), open);
            prop_assert_eq!(hours.next_open(at) == Ok(at), open);
        }
    }
}
