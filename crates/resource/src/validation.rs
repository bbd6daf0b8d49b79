//! How rules across the fields of a resource complain.

use crate::{calendar, error::FieldCode};
use std::borrow::Cow;
use validator::ValidationError;

/// A rule's complaint about one field.
#[must_use]
pub fn fault(field: &'static str, code: FieldCode, about: impl Into<Cow<'static, str>>) -> ValidationError {
    let mut error = ValidationError::new(code.as_str()).with_message(about.into());
    error.add_param("field".into(), &field);
    error
}

/// Refuses a name that is no time zone's.
pub fn expect_time_zone(name: &str) -> Result<(), ValidationError> {
    match calendar::zone(name) {
        Some(_) => Ok(()),
        None => Err(fault("time_zone", FieldCode::UnknownTimeZone, "an IANA time zone such as Asia/Bangkok")),
    }
}
