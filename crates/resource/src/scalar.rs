//! One value of one field, as filters, cursors and columns hold it.

use crate::{
    error::FieldCode,
    money::{self, DecimalError},
    timestamp::{Timestamp, TimestampError},
};
use chrono::NaiveDate;
use serde_json::Value;
use uuid::Uuid;

/// What a field holds; it decides its column type, its filters and how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A UUID.
    Id,
    /// A string.
    Text,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Fixed point with four decimals; `least` decimals are always written.
    Decimal {
        /// How many decimals are always written: 2 for money, 0 for quantities.
        least: usize,
    },
    /// A moment.
    Time,
    /// A calendar day.
    Date,
    /// An array or object.
    Json,
    /// A sort key; stored, never answered.
    Bytes,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number, or a decimal in ten-thousandths.
    Int(i64),
    /// A string or JSON text.
    Text(String),
    /// An id.
    Id(Uuid),
    /// A moment.
    Time(Timestamp),
    /// A day.
    Date(NaiveDate),
    /// A sort key.
    Bytes(Vec<u8>),
}

/// Why a value does not fit a kind: a stable code and what was expected.
pub type ParseError = (FieldCode, &'static str);

impl Kind {
    /// What JSON may say for it, for messages.
    #[must_use]
    pub const fn expects(self) -> &'static str {
        match self {
            Self::Id => "a UUID",
            Self::Text => "a string",
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Decimal { .. } => "a decimal string such as \"1234.50\"",
            Self::Time => "an RFC 3339 time with offset",
            Self::Date => "a date YYYY-MM-DD",
            Self::Json => "an array or object",
            Self::Bytes => "nothing",
        }
    }

    /// Reads a query parameter or path segment.
    pub fn parse(self, text: &str) -> Result<Scalar, ParseError> {
        let wrong = (FieldCode::WrongType, self.expects());
        if text.contains('\0') {
            return Err((FieldCode::NulCharacter, "text without NUL"));
        }
        match self {
            Self::Id => Uuid::parse_str(text).map(Scalar::Id).map_err(|_| wrong),
            Self::Text | Self::Json | Self::Bytes => Ok(Scalar::Text(text.to_owned())),
            Self::Bool => text.parse().map(Scalar::Bool).map_err(|_| wrong),
            Self::Int => text.parse().map(Scalar::Int).map_err(|_| wrong),
            Self::Decimal { .. } => money::parse(text).map(Scalar::Int).map_err(|e| match e {
                DecimalError::TooManyDecimals => (FieldCode::TooManyDecimals, "at most 4 decimals"),
                DecimalError::OutOfRange => (FieldCode::OutOfRange, "at most 922337203685477.5807"),
                DecimalError::Malformed => wrong,
            }),
            Self::Time => Timestamp::parse(text).map(Scalar::Time).map_err(|e| match e {
                TimestampError::NoOffset => (FieldCode::TimeWithoutOffset, "a time with Z or an offset such as +07:00"),
                TimestampError::OutOfRange => (FieldCode::OutOfRange, "1900 to 2200"),
                TimestampError::Malformed => (FieldCode::InvalidTime, self.expects()),
            }),
            Self::Date => date(text).map(Scalar::Date).ok_or((FieldCode::InvalidDate, self.expects())),
        }
    }

    /// Reads a JSON value.
    pub fn from_json(self, value: &Value) -> Result<Scalar, ParseError> {
        let wrong = (FieldCode::WrongType, self.expects());
        match (self, value) {
            (_, Value::Null) => Ok(Scalar::Null),
            (Self::Bool, Value::Bool(b)) => Ok(Scalar::Bool(*b)),
            (Self::Int, Value::Number(n)) => n.as_i64().map(Scalar::Int).ok_or(wrong),
            (Self::Json, v) => Ok(Scalar::Text(v.to_string())),
            (Self::Bool | Self::Int, _) => Err(wrong),
            (_, Value::String(s)) => self.parse(s),
            _ => Err(wrong),
        }
    }
}

/// A day `YYYY-MM-DD` between 1900 and 2200.
#[must_use]
pub fn date(text: &str) -> Option<NaiveDate> {
    use chrono::Datelike;
    (text.len() == 10).then(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok())?.filter(|d| (1900..2200).contains(&d.year()))
}

impl Scalar {
    /// As JSON says it.
    #[must_use]
    pub fn to_json(&self, kind: Kind) -> Value {
        match (self, kind) {
            (Self::Null, _) => Value::Null,
            (Self::Bool(b), _) => Value::Bool(*b),
            (Self::Int(n), Kind::Decimal { least }) => {
                let mut out = String::new();
                // Writing into a String cannot fail.
                let _ = money::write(*n, least, &mut out);
                Value::String(out)
            }
            (Self::Int(n), _) => Value::from(*n),
            (Self::Text(s), Kind::Json) => serde_json::from_str(s).unwrap_or(Value::Null),
            (Self::Text(s), _) => Value::String(s.clone()),
            (Self::Id(id), _) => Value::String(id.to_string()),
            (Self::Time(t), _) => Value::String(t.to_string()),
            (Self::Date(d), _) => Value::String(d.to_string()),
            (Self::Bytes(_), _) => Value::Null,
        }
    }
}
