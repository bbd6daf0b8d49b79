//! Amounts and quantities: fixed point, four decimals in an `i64`. Never a float.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use utoipa::openapi::{ObjectBuilder, RefOr, Type, extensions::Extensions, schema::Schema};

/// What a decimal string looks like: up to 15 digits before the point and 4 after it.
pub const PATTERN: &str = r"^-?[0-9]{1,15}(\.[0-9]{1,4})?$";
/// The same without a sign, for what cannot be negative.
pub const PATTERN_UNSIGNED: &str = r"^[0-9]{1,15}(\.[0-9]{1,4})?$";

/// Units in one: four decimals.
pub const SCALE: i64 = 10_000;

/// Why a text is not a decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// More than four digits after the point.
    #[error("at most 4 decimals")]
    TooManyDecimals,
    /// Beyond ±922337203685477.5807.
    #[error("beyond 922337203685477.5807")]
    OutOfRange,
    /// Not a plain decimal.
    #[error("not a decimal such as \"1234.50\"")]
    Malformed,
}

/// Reads a plain decimal into ten-thousandths.
pub fn parse(text: &str) -> Result<i64, DecimalError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(DecimalError::Malformed);
    }
    if fraction.len() > 4 {
        return Err(DecimalError::TooManyDecimals);
    }
    if whole.len() > 15 {
        return Err(DecimalError::OutOfRange);
    }
    let whole: i128 = whole.parse().map_err(|_| DecimalError::OutOfRange)?;
    let fraction: i128 = format!("{fraction:0<4}").parse().map_err(|_| DecimalError::Malformed)?;
    let units = whole.saturating_mul(SCALE.into()).saturating_add(fraction);
    i64::try_from(if negative { -units } else { units }).map_err(|_| DecimalError::OutOfRange)
}

/// Writes ten-thousandths with at least `least` decimals and no needless zeros.
pub fn write(units: i64, least: usize, out: &mut impl fmt::Write) -> fmt::Result {
    let (whole, mut fraction) = (units.unsigned_abs() / 10_000, units.unsigned_abs() % 10_000);
    let mut places = 4;
    while places > least && fraction.is_multiple_of(10) {
        fraction /= 10;
        places -= 1;
    }
    let sign = if units < 0 { "-" } else { "" };
    match places {
        0 => write!(out, "{sign}{whole}"),
        _ => write!(out, "{sign}{whole}.{fraction:0places$}"),
    }
}

macro_rules! decimal {
    ($name:ident, $least:literal, $kind:literal, $pattern:expr, $about:literal) => {
        #[doc = $about]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(self.0, $least, f)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                parse(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
        impl utoipa::PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(Some($pattern))
                    .max_length(Some(21))
                    .description(Some($about))
                    .extensions(Some(Extensions::builder().add("x-decimal", $kind).build()))
                    .into()
            }
        }
        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
        }
    };
}
decimal!(Amount, 2, "amount", PATTERN, "An amount of money as a plain decimal string, up to 4 decimals; its currency stands beside it.");
decimal!(
    Price,
    2,
    "amount",
    PATTERN_UNSIGNED,
    "A price as a plain decimal string that is not negative, up to 4 decimals; its currency stands beside it."
);
decimal!(Quantity, 0, "quantity", PATTERN_UNSIGNED, "A quantity as a plain decimal string that is not negative, up to 4 decimals.");
decimal!(SignedQuantity, 0, "quantity", PATTERN, "A quantity as a plain decimal string that may be below zero, up to 4 decimals.");
decimal!(
    Percent,
    0,
    "quantity",
    PATTERN_UNSIGNED,
    "A percentage as a plain decimal string that is not negative, up to 4 decimals: `7` is 7 %."
);

impl Percent {
    /// All of it.
    pub const WHOLE: Self = Self(100 * SCALE);
}

impl Amount {
    /// The units a sum is taken apart by, so that an integer of the database holds each part whatever is added up.
    pub const PART: i64 = 1_000_000_000;

    /// A sum put together again, held at the ends of the range instead of wrapping.
    #[must_use]
    pub fn of_parts(high: i64, low: i64) -> Self {
        let units = i128::from(high) * i128::from(Self::PART) + i128::from(low);
        Self(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Adds, held at the ends of the range instead of wrapping.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Subtracts, held at the ends of the range instead of wrapping.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// `units × factor`, both in ten-thousandths, rounded half away from zero to `decimals` places; none beyond the range.
#[must_use]
pub fn times(units: i64, factor: i64, decimals: u32) -> Option<i64> {
    let step = 10_i128.checked_pow(4_u32.checked_sub(decimals)?)?;
    let divisor = i128::from(SCALE) * step;
    let product = i128::from(units) * i128::from(factor);
    let half = if product < 0 { -(divisor / 2) } else { divisor / 2 };
    i64::try_from((product + half) / divisor * step).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_written_as_people_write_it() {
        for (text, out) in [("1234.5", "1234.50"), ("-0.0001", "-0.0001"), ("7", "7.00"), ("0.100", "0.10")] {
            assert_eq!(parse(text).map(|u| Amount(u).to_string()), Ok(out.to_owned()));
        }
        assert_eq!(parse("1.23456"), Err(DecimalError::TooManyDecimals));
        assert_eq!(parse("999999999999999"), Err(DecimalError::OutOfRange));
        assert_eq!(parse("1e5"), Err(DecimalError::Malformed));
        assert_eq!(parse("."), Err(DecimalError::Malformed));
    }

    #[test]
    fn a_line_is_rounded_half_up() {
        assert_eq!(times(10_050, 15_000, 2), Some(15_100)); // 1.005 × 1.5 = 1.5075 → 1.51
        assert_eq!(times(-10_050, 10_000, 2), Some(-10_100));
    }

    /// Half as far from the exact product as the step it is rounded to, at most.
    fn is_rounded(product: i128, units: i64, step: i128) -> bool {
        let off = (i128::from(units) * i128::from(SCALE) - product).abs() * 2;
        i128::from(units) % step == 0 && off <= step * i128::from(SCALE)
    }

    proptest::proptest! {
        #[test]
        fn every_amount_survives_writing_and_reading(units: i64) {
            let survives = |text: String| parse(&text) == Ok(units);
            proptest::prop_assert!(survives(Amount(units).to_string()) && survives(Price(units).to_string()));
            proptest::prop_assert!(survives(Quantity(units).to_string()) && survives(SignedQuantity(units).to_string()));
            proptest::prop_assert!(survives(Percent(units).to_string()));
        }

        #[test]
        fn what_the_pattern_takes_is_read_if_it_is_in_range_and_nothing_else(text in proptest::prop_oneof![".{0,12}", "-?[0-9]{0,17}[.,]?[0-9]{0,6}", "-?[0-9]{1,15}(\\.[0-9]{1,4})?"]) {
            let digits = text.strip_prefix('-').unwrap_or(&text);
            let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
            let all_digits = |part: &str, most| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            let fits = all_digits(whole, 15) && all_digits(fraction, 4);
            let units = format!("{whole}{fraction:0<4}").parse::<i128>().ok().map(|n| if text.starts_with('-') { -n } else { n });
            let expected = units.filter(|_| fits).and_then(|n| i64::try_from(n).ok());
            proptest::prop_assert_eq!(parse(&text).ok(), expected);
        }

        #[test]
        fn a_product_is_rounded_half_away_from_zero_and_the_same_for_both_signs(units: i32, factor: i32, large: i64, decimals in 0..5_u32) {
            let step = 10_i128.pow(4 - decimals);
            for (a, b) in [(units.into(), factor.into()), (large, i64::from(factor)), (large, large)] {
                let product = i128::from(a) * i128::from(b);
                match times(a, b, decimals) {
                    Some(made) => {
                        proptest::prop_assert!(is_rounded(product, made, step));
                        // Of the two as near as each other it is the one farther from zero.
                        let halfway = (product * 2) % (step * i128::from(SCALE)) == 0 && product % (step * i128::from(SCALE)) != 0;
                        proptest::prop_assert!(!halfway || i128::from(made).abs() * i128::from(SCALE) > product.abs());
                        proptest::prop_assert!(a == i64::MIN || times(-a, b, decimals) == Some(-made));
                    }
                    None => proptest::prop_assert!(product.abs() / i128::from(SCALE) + step > i128::from(i64::MAX)),
                }
            }
        }

        #[test]
        fn sums_are_held_at_the_ends_and_right_between(a: i64, b: i64) {
            let held = |n: i128| n.clamp(i64::MIN.into(), i64::MAX.into());
            let (x, y) = (i128::from(a), i128::from(b));
            proptest::prop_assert_eq!(i128::from(Amount(a).plus(Amount(b)).0), held(x + y));
            proptest::prop_assert_eq!(i128::from(Amount(a).minus(Amount(b)).0), held(x - y));
            proptest::prop_assert_eq!(i128::from(Amount::of_parts(a, b).0), held(x * i128::from(Amount::PART) + y));
        }
    }
}
