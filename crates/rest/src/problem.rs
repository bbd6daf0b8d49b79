//! Problems (RFC 9457): one shape for everything that is not a success.

use super::messages::{self, Language};
use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use samphan_resource::error::{Code, Error, FieldError};
use serde_json::{Value, json};

/// Characters of a pointer, which may hold a name of any length that was sent.
const LONGEST_POINTER: usize = 1000;

/// The problem as JSON.
#[must_use]
pub fn body(error: &Error, language: Language, request_id: &str) -> Value {
    let code = error.code.as_str();
    let errors: Vec<Value> = error.errors.iter().map(|e| fault(e, language)).collect();
    json!({
        "type": format!("/problems/{code}"),
        "title": messages::title(error.code, language),
        "status": error.code.status(),
        "detail": messages::detail(error, language),
        "code": code,
        "request_id": request_id,
        "errors": errors,
        "conflicts": error.conflicts,
        "allowed": error.allowed,
        "current_version": current_version(error),
    })
}

/// The version the record has now, where If-Match named another one.
fn current_version(error: &Error) -> Option<i64> {
    error.detail.parse().ok().filter(|_| error.code == Code::VersionConflict)
}

fn fault(e: &FieldError, language: Language) -> Value {
    json!({
        "pointer": e.pointer.chars().take(LONGEST_POINTER).collect::<String>(),
        "code": e.code.as_str(),
        "message": messages::fault(e, language),
        "allowed": e.allowed,
        "did_you_mean": e.did_you_mean,
    })
}

/// The problem as an answer.
#[must_use]
pub fn response(error: &Error, language: Language, request_id: &str) -> HttpResponse {
    let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type("application/problem+json");
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(seconds) = error.retry_after {
        response.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    match error.code {
        Code::Unauthenticated => {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"samphan\""));
        }
        Code::InvalidGrant => {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"samphan\", error=\"invalid_grant\""));
        }
        Code::MethodNotAllowed => {
            response.insert_header((header::ALLOW, error.allowed.join(", ")));
        }
        _ => {}
    }
    if let Some(version) = current_version(error) {
        response.insert_header((header::ETAG, format!("\"{version}\"")));
    }
    response.body(body(error, language, request_id).to_string())
}
