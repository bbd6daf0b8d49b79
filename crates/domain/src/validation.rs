//! How rules across the fields of a resource complain.

use std::borrow::Cow;
use validator::ValidationError;

/// A rule's complaint about one field.
#[must_use]
pub fn fault(field: &'static str, code: &'static str, about: impl Into<Cow<'static, str>>) -> ValidationError {
    let mut error = ValidationError::new(code).with_message(about.into());
    error.add_param("field".into(), &field);
    error
}
