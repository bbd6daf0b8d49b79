//! Calendar days in a time zone: the only place that turns a moment into a day, and a day into a moment.
//!
//! Documents (orders, promises, prices, tax rates, due days) use the organisation's zone. Filters use the zone of the caller.

use crate::timestamp::Timestamp;
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use std::{
    collections::HashMap,
    fmt::{Debug, Formatter},
    sync::{LazyLock, Mutex, PoisonError},
};

/// Seconds that a local time differs from UTC at most, with room to spare.
const WIDEST_OFFSET_SECONDS: i64 = 36 * 3600;

/// An IANA time zone. A value is a reference to data that the process keeps to its end.
#[derive(Clone, Copy)]
pub struct Zone(&'static TimeZone);

static UTC: TimeZone = TimeZone::UTC;
/// The time zones in the program.
static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);
/// The zones that were asked for, by name: some hundred at most, kept for ever.
static KNOWN: LazyLock<Mutex<HashMap<String, Zone>>> = LazyLock::new(Mutex::default);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(&UTC);

    /// Its name, such as `Asia/Bangkok`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// Seconds that its clocks are ahead of UTC at a moment.
    #[must_use]
    pub fn offset_seconds(self, at: Timestamp) -> i64 {
        self.0.to_offset(instant(at)).seconds().into()
    }

    /// The moments after the first and before the second at which its clocks change.
    pub fn changes(self, after: Timestamp, before: Timestamp) -> impl Iterator<Item = Timestamp> {
        let all = self.0.following(instant(after)).map(|change| change.timestamp().as_microsecond());
        let all = all.take_while(move |micros| *micros < before.micros());
        let mut last = self.offset_seconds(after);
        // The data also note changes of names and laws that leave the clocks as they are.
        all.filter_map(Timestamp::from_micros).filter(move |at| {
            let offset = self.offset_seconds(*at);
            std::mem::replace(&mut last, offset) != offset
        })
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl Debug for Zone {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The zone of an IANA name such as `Asia/Bangkok`; none for a name that is not one, letter for letter.
#[must_use]
pub fn zone(name: &str) -> Option<Zone> {
    if name == "UTC" {
        return Some(Zone::UTC);
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(zone) = known.get(name) {
        return Some(*zone);
    }
    let zone = DATABASE.get(name).ok().filter(|zone| zone.iana_name() == Some(name))?;
    let zone = Zone(Box::leak(Box::new(zone)));
    known.insert(name.to_owned(), zone);
    Some(zone)
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    // Ours lie between 1900 and 2200, all of which there are.
    jiff::Timestamp::from_microsecond(at.micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn civil(local: NaiveDateTime) -> Option<jiff::civil::DateTime> {
    use chrono::{Datelike, Timelike};
    let narrow = |number: u32| i8::try_from(number).ok();
    let (date, time) = (local.date(), local.time());
    let date = jiff::civil::Date::new(i16::try_from(date.year()).ok()?, narrow(date.month())?, narrow(date.day())?).ok()?;
    let nanos = i32::try_from(time.nanosecond()).ok()?.min(999_999_999);
    let time = jiff::civil::Time::new(narrow(time.hour())?, narrow(time.minute())?, narrow(time.second())?, nanos).ok()?;
    Some(date.to_datetime(time))
}

/// The calendar day in a zone at a moment.
#[must_use]
pub fn today(zone: Zone, now: Timestamp) -> NaiveDate {
    local_time(zone, now).date()
}

/// The first moment of a day in a zone.
///
/// Where a change of clocks doubles midnight, it is the earlier one. Where it skips midnight, or the whole day, it is the first moment after
/// the gap.
#[must_use]
pub fn start_of_day(zone: Zone, day: NaiveDate) -> Timestamp {
    moment_of(zone, day.and_time(NaiveTime::MIN))
}

/// The calendar day and time of day in a zone at a moment.
#[must_use]
pub fn local_time(zone: Zone, now: Timestamp) -> NaiveDateTime {
    now.utc().naive_utc() + TimeDelta::seconds(zone.offset_seconds(now))
}

/// The moment of a local time.
///
/// Where a change of clocks doubles it, it is the earlier one. Where it skips it, it is the first moment after the gap.
#[must_use]
pub fn moment_of(zone: Zone, local: NaiveDateTime) -> Timestamp {
    let utc = Timestamp::from(local.and_utc());
    match civil(local).map(|local| zone.0.to_ambiguous_timestamp(local).offset()) {
        Some(AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. }) => {
            utc.plus_seconds(-i64::from(offset.seconds()))
        }
        Some(AmbiguousOffset::Gap { .. }) | None => {
            // The local time is before `local` at the lower end and not before it at the upper end.
            let (mut low, mut high) = (-WIDEST_OFFSET_SECONDS, WIDEST_OFFSET_SECONDS);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if local_time(zone, utc.plus_seconds(middle)) < local { low = middle } else { high = middle }
            }
            utc.plus_seconds(high)
        }
    }
}

/// The moment of a local time that something was promised for.
///
/// Where a change of clocks doubles it, it is the earlier one. Where it skips it, it has the offset before the gap: 02:30 becomes 03:30.
#[must_use]
pub fn promised_moment(zone: Zone, local: NaiveDateTime) -> Timestamp {
    let moment = moment_of(zone, local);
    if local_time(zone, moment) == local {
        return moment;
    }
    // It is skipped: the moment is the end of the gap.
    Timestamp::from(local.and_utc()).plus_seconds(-zone.offset_seconds(moment.plus_seconds(-1)))
}

/// The day so many days later; the last day of the calendar where there is none.
#[must_use]
pub fn days_after(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
}

/// The day so many days earlier, 1900-01-01 at the earliest: no record is older.
#[must_use]
pub fn days_before(day: NaiveDate, days: u64) -> NaiveDate {
    let first = today(Zone::UTC, Timestamp::EARLIEST);
    day.checked_sub_days(Days::new(days)).map_or(first, |day| day.max(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn in_zone(name: &str) -> Zone {
        zone(name).unwrap()
    }

    #[test]
    fn zone_of_an_unknown_name_is_none() {
        assert_eq!(zone("Asia/Bangkok").map(Zone::name), Some("Asia/Bangkok"));
        assert_eq!(zone("Asia/Calcutta").map(Zone::name), Some("Asia/Calcutta"), "an older name is one");
        assert_eq!(zone("asia/bangkok"), None);
        assert_eq!(zone("Asia/Atlantis"), None);
        assert_eq!(zone(""), None);
    }

    #[test]
    fn today_after_midnight_in_bangkok_is_not_the_day_of_utc() {
        let twelve_past_midnight = at("2026-11-20T17:12:00Z");
        assert_eq!(today(in_zone("Asia/Bangkok"), twelve_past_midnight), day("2026-11-21"));
        assert_eq!(today(Zone::UTC, twelve_past_midnight), day("2026-11-20"));
    }

    #[test]
    fn start_of_day_that_clocks_skip_or_double_is_its_first_moment() {
        for (zone, date, start) in [
            ("Asia/Bangkok", "2026-11-21", "2026-11-20T17:00:00Z"),
            // Clocks went from 00:00 to 01:00.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
            // Clocks went from 00:00 back to 23:00 of the day before.
            ("America/Sao_Paulo", "2018-02-18", "2018-02-18T03:00:00Z"),
            // 00:00 to 01:00 came twice.
            ("America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"),
            // There was no such day.
            ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"),
            ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"),
        ] {
            assert_eq!(start_of_day(in_zone(zone), day(date)), at(start), "{date} in {zone}");
        }
    }

    #[test]
    fn time_zone_data_are_of_this_year() {
        // Manitoba stays on daylight time from 2026 on (tz database 2026f): 09:00 in Winnipeg on a winter day is 14:00Z.
        let nine = day("2026-11-30").and_hms_opt(9, 0, 0).unwrap();
        assert_eq!(moment_of(in_zone("America/Winnipeg"), nine), at("2026-11-30T14:00:00Z"));
    }

    #[test]
    fn changes_of_clocks_are_found_between_two_moments() {
        let of_year = |zone: &str| in_zone(zone).changes(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z")).collect::<Vec<_>>();
        assert_eq!(of_year("Europe/Berlin"), [at("2026-03-29T01:00:00Z"), at("2026-10-25T01:00:00Z")]);
        assert_eq!(of_year("Asia/Bangkok"), []);
    }

    #[test]
    fn promised_moment_that_clocks_skip_has_the_offset_before_the_gap() {
        for (zone, local, moment) in [
            ("America/New_York", "2027-03-13T02:30:00", "2027-03-13T07:30:00Z"),
            ("America/New_York", "2027-03-14T02:30:00", "2027-03-14T07:30:00Z"),
            ("America/New_York", "2027-03-15T02:30:00", "2027-03-15T06:30:00Z"),
            ("Europe/London", "2027-03-28T01:30:00", "2027-03-28T01:30:00Z"),
            ("Europe/London", "2027-10-31T01:30:00", "2027-10-31T00:30:00Z"),
            ("Asia/Bangkok", "2027-03-14T09:00:00", "2027-03-14T02:00:00Z"),
        ] {
            assert_eq!(promised_moment(in_zone(zone), local.parse().unwrap()), at(moment), "{local} in {zone}");
        }
    }

    #[test]
    fn days_are_counted_by_the_calendar_whatever_clocks_do() {
        assert_eq!(days_after(day("2026-10-24"), 2), day("2026-10-26"));
        assert_eq!(days_before(day("2026-03-01"), 1), day("2026-02-28"));
        assert_eq!(days_before(day("2026-03-01"), u64::MAX), day("1900-01-01"));
    }

    proptest::proptest! {
        #[test]
        fn start_of_day_is_on_that_day_and_the_moment_before_is_not(days in 0..73_000_u64, name in proptest::sample::select(vec!["Asia/Bangkok", "Asia/Tehran", "America/St_Johns", "Pacific/Chatham", "UTC"])) {
            let (zone, day) = (in_zone(name), days_after(day("1950-01-01"), days));
            let start = start_of_day(zone, day);
            proptest::prop_assert_eq!(today(zone, start), day);
            proptest::prop_assert!(today(zone, start.plus_seconds(-1)) < day);
        }
    }
}
