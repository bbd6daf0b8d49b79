//! A moment: microseconds since 1970 in UTC, the precision both databases keep.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A moment in UTC between 1900 and 2200, cut to microseconds. Written as RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MICROS: i64 = 1_000_000;
/// 1900-01-01T00:00:00Z and 2200-01-01T00:00:00Z in seconds: outside of these a time is taken for a mistake.
const RANGE: std::ops::Range<i64> = -2_208_988_800..7_258_118_400;

/// Why a text is not a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// `2019-06-02T15:02:00`: which hour that was is unknown.
    #[error("a time needs an offset, such as Z or +07:00")]
    NoOffset,
    /// Not RFC 3339 at all.
    #[error("not an RFC 3339 time")]
    Malformed,
    /// Before 1900 or from 2200 on.
    #[error("a time lies between 1900 and 2200")]
    OutOfRange,
}

impl Timestamp {
    /// The beginning of 1900.
    pub const EARLIEST: Self = Self(RANGE.start * MICROS);

    /// From microseconds since 1970; none outside of 1900 to 2200.
    #[must_use]
    pub fn from_micros(micros: i64) -> Option<Self> {
        RANGE.contains(&micros.div_euclid(MICROS)).then_some(Self(micros))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with any offset; digits past the microsecond are cut.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        match DateTime::parse_from_rfc3339(text) {
            Ok(t) => Self::from_micros(t.timestamp_micros()).ok_or(TimestampError::OutOfRange),
            Err(_) if DateTime::parse_from_rfc3339(&format!("{text}Z")).is_ok() => Err(TimestampError::NoOffset),
            Err(_) => Err(TimestampError::Malformed),
        }
    }

    /// The moment `seconds` later (earlier when negative), held within 1900 to 2200.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        let micros = self.0.saturating_add(seconds.saturating_mul(MICROS));
        Self(micros.clamp(RANGE.start * MICROS, RANGE.end * MICROS - 1))
    }

    /// As a chrono time.
    #[must_use]
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl Timestamp {
    /// Whether less than so many seconds lie between two moments, whichever comes first: clocks are put back, too.
    #[must_use]
    pub const fn is_within(self, seconds: i64, of: Self) -> bool {
        self.micros().abs_diff(of.micros()) < seconds.unsigned_abs() * 1_000_000
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(t: DateTime<Utc>) -> Self {
        Self(0).plus_seconds(t.timestamp()).plus_micros(t.timestamp_subsec_micros())
    }
}

impl Timestamp {
    const fn plus_micros(self, micros: u32) -> Self {
        Self(self.0 + micros as i64)
    }
}

impl Timestamp {
    /// Hands its text to `take`. Written by hand: every record has two, and a calendar crate's formatter takes longer for
    /// them than for all else in the row.
    pub fn written<T>(self, take: impl FnOnce(&str) -> T) -> T {
        let t = self.utc();
        let micros = t.timestamp_subsec_micros();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let year = u32::try_from(t.year()).unwrap_or_default();
        let parts = [
            (0..4, year),
            (5..7, t.month()),
            (8..10, t.day()),
            (11..13, t.hour()),
            (14..16, t.minute()),
            (17..19, t.second()),
            (20..26, micros),
        ];
        for (place, mut number) in parts {
            for digit in text.get_mut(place).into_iter().flatten().rev() {
                *digit += u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        }
        // As many decimals as say something: none, three or six.
        let end = match micros {
            0 => 20,
            n if n % 1_000 == 0 => 24,
            _ => 27,
        };
        if let Some(last) = text.get_mut(end - 1) {
            *last = b'Z';
        }
        take(text.get(..end).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or_default())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written(|text| f.write_str(text))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        self.written(|text| s.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
    }
}
impl utoipa::ToSchema for Timestamp {
    fn name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_an_offset_is_refused_and_said_so() {
        assert_eq!(Timestamp::parse("2019-06-02T15:02:00"), Err(TimestampError::NoOffset));
        assert_eq!(Timestamp::parse("yesterday"), Err(TimestampError::Malformed));
        assert_eq!(Timestamp::parse("2999-01-01T00:00:00Z"), Err(TimestampError::OutOfRange));
    }

    proptest::proptest! {
        #[test]
        fn a_moment_is_the_same_in_every_offset_and_cut_to_microseconds(
            seconds in RANGE.start + 100_000..RANGE.end - 100_000,
            nanos in 0..1_000_000_000_u32,
            minutes in -1439..1440_i32,
        ) {
            let t = DateTime::from_timestamp(seconds, nanos).unwrap();
            let there = t.with_timezone(&chrono::FixedOffset::east_opt(minutes * 60).unwrap());
            let expected = Timestamp::from_micros(seconds * MICROS + i64::from(nanos / 1000)).unwrap();
            proptest::prop_assert_eq!(Timestamp::parse(&there.to_rfc3339()), Ok(expected));
            proptest::prop_assert_eq!(Timestamp::parse(&t.to_rfc3339()), Ok(expected));
            let without: String = t.to_rfc3339().split('+').next().unwrap_or_default().to_owned();
            proptest::prop_assert_eq!(Timestamp::parse(&without), Err(TimestampError::NoOffset));
        }

        #[test]
        fn any_text_is_a_moment_within_its_years_or_none(text in proptest::prop_oneof![".{0,40}", "[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?([Zz]|[+-][0-9]{2}:[0-9]{2})?"]) {
            if let Ok(t) = Timestamp::parse(&text) {
                proptest::prop_assert!(RANGE.contains(&t.micros().div_euclid(MICROS)));
                proptest::prop_assert_eq!(Timestamp::parse(&t.to_string()), Ok(t));
            }
        }

        #[test]
        fn moments_stay_within_their_years_whatever_is_added(micros in RANGE.start * MICROS..RANGE.end * MICROS, seconds: i64) {
            let t = Timestamp::from_micros(micros).unwrap();
            let later = t.plus_seconds(seconds);
            proptest::prop_assert!(RANGE.contains(&later.micros().div_euclid(MICROS)));
            proptest::prop_assert!(later == t || (later > t) == (seconds > 0));
        }

        #[test]
        fn what_is_written_is_read_back(micros in RANGE.start * MICROS..RANGE.end * MICROS) {
            let t = Timestamp::from_micros(micros).ok_or("in range");
            let by_chrono = |t: Timestamp| t.utc().to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
            proptest::prop_assert_eq!(t.map(|t| t.to_string()), t.map(by_chrono));
            proptest::prop_assert_eq!(t.map(|t| Timestamp::parse(&t.to_string())), Ok(t.map_err(|_| TimestampError::Malformed)));
        }
    }
}
