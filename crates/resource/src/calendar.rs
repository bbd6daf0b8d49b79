//! Calendar days in a time zone: the only place that turns a moment into a day, and a day into a moment.
//!
//! Documents (orders, promises, prices, tax rates, due days) use the organisation's zone. Filters use the zone of the caller.

use crate::timestamp::Timestamp;
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, offset::MappedLocalTime};

pub use chrono_tz::Tz as Zone;

/// Seconds that a local time differs from UTC at most, with room to spare.
const WIDEST_OFFSET_SECONDS: i64 = 36 * 3600;

/// The zone of an IANA name such as `Asia/Bangkok`; none for a name that is not one.
#[must_use]
pub fn zone(name: &str) -> Option<Zone> {
    name.parse().ok()
}

/// The calendar day in a zone at a moment.
#[must_use]
pub fn today(zone: Zone, now: Timestamp) -> NaiveDate {
    now.utc().with_timezone(&zone).date_naive()
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
    now.utc().with_timezone(&zone).naive_local()
}

/// The moment of a local time.
///
/// Where a change of clocks doubles it, it is the earlier one. Where it skips it, it is the first moment after the gap.
#[must_use]
pub fn moment_of(zone: Zone, local: NaiveDateTime) -> Timestamp {
    match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => Timestamp::from(time.to_utc()),
        MappedLocalTime::None => {
            let near = Timestamp::from(local.and_utc());
            // The local time is before `local` at the lower end and not before it at the upper end.
            let (mut low, mut high) = (-WIDEST_OFFSET_SECONDS, WIDEST_OFFSET_SECONDS);
            while high - low > 1 {
                let middle = (low + high) / 2;
                if local_time(zone, near.plus_seconds(middle)) < local { low = middle } else { high = middle }
            }
            near.plus_seconds(high)
        }
    }
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
        assert_eq!(zone("Asia/Bangkok").map(|z| z.name()), Some("Asia/Bangkok"));
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
