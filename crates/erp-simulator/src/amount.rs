//! Amounts and quantities: decimal strings outside, ten-thousandths inside.

use std::{fmt, iter::Sum, ops, str::FromStr};

/// An amount of money or a quantity, in ten-thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub i64);

/// Ten-thousandths in one.
const ONE: i64 = 10_000;

impl Amount {
    /// So many whole ones.
    #[must_use]
    pub const fn whole(ones: i64) -> Self {
        Self(ones * ONE)
    }

    /// So many hundredths: satang, cents.
    #[must_use]
    pub const fn cents(cents: i64) -> Self {
        Self(cents * (ONE / 100))
    }

    /// Whether it is more than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ones, rest) = (self.0.unsigned_abs() / ONE.unsigned_abs(), self.0.unsigned_abs() % ONE.unsigned_abs());
        let sign = if self.0 < 0 { "-" } else { "" };
        if rest % 100 == 0 { write!(f, "{sign}{ones}.{:02}", rest / 100) } else { write!(f, "{sign}{ones}.{rest:04}") }
    }
}

/// What is no plain decimal number with at most four decimals.
#[derive(Debug, thiserror::Error)]
#[error("not an amount")]
pub struct NotAnAmount;

impl FromStr for Amount {
    type Err = NotAnAmount;

    fn from_str(text: &str) -> Result<Self, NotAnAmount> {
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (ones, rest) = digits.split_once('.').unwrap_or((digits, "0"));
        if rest.len() > 4 || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(NotAnAmount);
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| NotAnAmount);
        let all = number(ones)?.checked_mul(ONE).ok_or(NotAnAmount)? + number(&format!("{rest:0<4}"))?;
        Ok(Self(if negative { -all } else { all }))
    }
}

impl ops::Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl ops::Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl ops::Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), ops::Add::add)
    }
}

impl rusqlite::ToSql for Amount {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}

impl rusqlite::types::FromSql for Amount {
    fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, kept) in [("0.00", 0), ("1.50", 15_000), ("-0.01", -100), ("12.3456", 123_456), ("-7.00", -70_000)] {
            assert_eq!(Amount(kept).to_string(), text);
            assert_eq!(text.parse::<Amount>().unwrap(), Amount(kept));
        }
        assert_eq!("70".parse::<Amount>().unwrap(), Amount::whole(70));
        for text in ["", "-", "1.23456", "1e3", "+1", "1.-1", "."] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
