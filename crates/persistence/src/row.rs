//! A row of either database, read by position: into JSON text for answers, into scalars for rules.

use crate::error::{DatabaseError, Result};
use chrono::{Days, NaiveDate};
use rusqlite::types::{Value, ValueRef};
use samphan_resource::{
    money,
    scalar::{self, Kind, Scalar},
    timestamp::Timestamp,
};
use sqlx::{Row as _, ValueRef as _, postgres::PgRow};
use std::io::Write;
use uuid::Uuid;

/// A row of either database.
pub enum Row<'r> {
    /// PostgreSQL's.
    Postgres(&'r PgRow),
    /// SQLite's.
    Sqlite(&'r rusqlite::Row<'r>),
    /// SQLite's, read by another thread.
    Values(&'r [Value]),
}

/// One value as the database holds it.
enum Cell<'r> {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'r str),
    Bytes(&'r [u8]),
    Date(NaiveDate),
}

/// PostgreSQL counts microseconds from 2000-01-01.
const PG_EPOCH_MICROS: i64 = 946_684_800_000_000;

impl Row<'_> {
    fn cell(&self, index: usize, kind: Kind) -> Result<Cell<'_>> {
        match self {
            Self::Sqlite(row) => of_sqlite(row.get_ref(index).map_err(DatabaseError::from)?, kind),
            Self::Values(row) => of_sqlite(row.get(index).ok_or(DatabaseError::Unreadable)?.into(), kind),
            Self::Postgres(row) => {
                let raw = row.try_get_raw(index).map_err(DatabaseError::from)?;
                if raw.is_null() {
                    return Ok(Cell::Null);
                }
                let bytes = raw.as_bytes().map_err(|_| DatabaseError::Unreadable)?;
                Ok(match kind {
                    Kind::Bool => Cell::Bool(bytes == [1]),
                    Kind::Int | Kind::Decimal { .. } => Cell::Int(integer(bytes)?),
                    Kind::Time => Cell::Int(integer(bytes)? + PG_EPOCH_MICROS),
                    Kind::Date => {
                        let epoch = NaiveDate::from_ymd_opt(2000, 1, 1).ok_or(DatabaseError::Unreadable)?;
                        let days = integer(bytes)?;
                        let step = Days::new(days.unsigned_abs());
                        let day = if days < 0 { epoch.checked_sub_days(step) } else { epoch.checked_add_days(step) };
                        Cell::Date(day.ok_or(DatabaseError::Unreadable)?)
                    }
                    Kind::Id | Kind::Bytes => Cell::Bytes(bytes),
                    Kind::Text | Kind::Json => Cell::Text(std::str::from_utf8(bytes).map_err(|_| DatabaseError::Unreadable)?),
                })
            }
        }
    }

    /// The value in a column.
    pub fn scalar(&self, index: usize, kind: Kind) -> Result<Scalar> {
        Ok(match self.cell(index, kind)? {
            Cell::Null => Scalar::Null,
            Cell::Bool(b) => Scalar::Bool(b),
            Cell::Int(n) if kind == Kind::Time => Scalar::Time(Timestamp::from_micros(n).ok_or(DatabaseError::Unreadable)?),
            Cell::Int(n) => Scalar::Int(n),
            Cell::Text(t) => Scalar::Text(t.to_owned()),
            Cell::Bytes(b) if kind == Kind::Id => Scalar::Id(Uuid::from_slice(b).map_err(|_| DatabaseError::Unreadable)?),
            Cell::Bytes(b) => Scalar::Bytes(b.to_vec()),
            Cell::Date(d) => Scalar::Date(d),
        })
    }

    /// Bytes in a column, such as a sort key.
    pub fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        match self.cell(index, Kind::Bytes)? {
            Cell::Bytes(b) => Ok(b.to_vec()),
            _ => Ok(vec![]),
        }
    }

    /// The text in a column; empty for null.
    pub fn text(&self, index: usize) -> Result<String> {
        Ok(self.optional_text(index)?.unwrap_or_default())
    }

    /// The text in a column.
    pub fn optional_text(&self, index: usize) -> Result<Option<String>> {
        Ok(match self.cell(index, Kind::Text)? {
            Cell::Text(t) => Some(t.to_owned()),
            _ => None,
        })
    }

    /// The whole number in a column; 0 for null.
    pub fn int(&self, index: usize) -> Result<i64> {
        Ok(self.optional_int(index)?.unwrap_or_default())
    }

    /// The whole number in a column, if any.
    pub fn optional_int(&self, index: usize) -> Result<Option<i64>> {
        Ok(match self.cell(index, Kind::Int)? {
            Cell::Int(n) => Some(n),
            _ => None,
        })
    }

    /// The day in a column, as answers write it, if any.
    pub fn day(&self, index: usize) -> Result<Option<String>> {
        Ok(match self.cell(index, Kind::Date)? {
            Cell::Date(day) => Some(day.to_string()),
            _ => None,
        })
    }

    /// The id in a column.
    pub fn id(&self, index: usize) -> Result<Uuid> {
        self.optional_id(index)?.ok_or_else(|| DatabaseError::Unreadable.into())
    }

    /// The id in a column, if any.
    pub fn optional_id(&self, index: usize) -> Result<Option<Uuid>> {
        match self.cell(index, Kind::Id)? {
            Cell::Bytes(b) => Ok(Some(Uuid::from_slice(b).map_err(|_| DatabaseError::Unreadable)?)),
            _ => Ok(None),
        }
    }

    /// The moment in a column, if any.
    pub fn time(&self, index: usize) -> Result<Option<Timestamp>> {
        Ok(match self.scalar(index, Kind::Time)? {
            Scalar::Time(t) => Some(t),
            _ => None,
        })
    }

    /// Writes the value in a column as JSON.
    pub fn write_json(&self, index: usize, kind: Kind, out: &mut Vec<u8>) -> Result<()> {
        match self.cell(index, kind)? {
            Cell::Null => out.extend_from_slice(b"null"),
            Cell::Bool(b) => out.extend_from_slice(if b { b"true" } else { b"false" }),
            Cell::Int(n) => match kind {
                Kind::Decimal { least } => {
                    out.push(b'"');
                    money::write(n, least, &mut Ascii(out)).map_err(|_| DatabaseError::Unreadable)?;
                    out.push(b'"');
                }
                Kind::Time => {
                    out.push(b'"');
                    Timestamp::from_micros(n).ok_or(DatabaseError::Unreadable)?.written(|text| out.extend_from_slice(text.as_bytes()));
                    out.push(b'"');
                }
                _ => serde_json::to_writer(out, &n).map_err(|_| DatabaseError::Unreadable)?,
            },
            Cell::Text(t) if kind == Kind::Json => out.extend_from_slice(t.as_bytes()),
            Cell::Text(t) => serde_json::to_writer(out, t).map_err(|_| DatabaseError::Unreadable)?,
            Cell::Bytes(b) => {
                let id = Uuid::from_slice(b).map_err(|_| DatabaseError::Unreadable)?;
                let mut buffer = Uuid::encode_buffer();
                out.push(b'"');
                out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
                out.push(b'"');
            }
            Cell::Date(d) => write!(out, "\"{d}\"").map_err(|_| DatabaseError::Unreadable)?,
        }
        Ok(())
    }
}

fn of_sqlite(value: ValueRef<'_>, kind: Kind) -> Result<Cell<'_>> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(n) if kind == Kind::Bool => Cell::Bool(n != 0),
        ValueRef::Integer(n) => Cell::Int(n),
        ValueRef::Text(t) if kind == Kind::Date => std::str::from_utf8(t).ok().and_then(scalar::date).map_or(Cell::Null, Cell::Date),
        ValueRef::Text(t) => Cell::Text(std::str::from_utf8(t).map_err(|_| DatabaseError::Unreadable)?),
        ValueRef::Blob(b) => Cell::Bytes(b),
        ValueRef::Real(_) => return Err(DatabaseError::Unreadable.into()),
    })
}

struct Ascii<'a>(&'a mut Vec<u8>);

impl std::fmt::Write for Ascii<'_> {
    fn write_str(&mut self, s: &str) -> std::fmt::Result {
        self.0.extend_from_slice(s.as_bytes());
        Ok(())
    }
}

fn integer(bytes: &[u8]) -> Result<i64> {
    match bytes.len() {
        8 => bytes.try_into().map(i64::from_be_bytes).map_err(|_| DatabaseError::Unreadable.into()),
        4 => bytes.try_into().map(i32::from_be_bytes).map(i64::from).map_err(|_| DatabaseError::Unreadable.into()),
        2 => bytes.try_into().map(i16::from_be_bytes).map(i64::from).map_err(|_| DatabaseError::Unreadable.into()),
        _ => Err(DatabaseError::Unreadable.into()),
    }
}
