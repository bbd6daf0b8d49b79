//! The log: one line for each request, labelled by operation, never holding what was sent.

use crate::config::{LogFormat, Settings};
use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use samphan_rest::{client_address::client_address, pipeline::RequestLogEntry};
use std::io::IsTerminal;
use tracing::field::display;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging.
pub fn start(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|e| format!("SAMPHAN_LOG must be a level such as info, or a filter such as warn,crate::request=info: {e}"))?;
    // Where the log cannot be written, as on a full disk, saying so would fail the same way and end the request.
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match settings.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        // Colours are for a terminal, not for a file.
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).try_init(),
    };
    started.map_err(|e| e.to_string())
}

/// Writes one line for each request that was answered: what it was, never what was sent with it. The route stands for the path,
/// because a path holds names and a query holds values.
pub async fn line<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let begun = std::time::Instant::now();
    let method = request.method().clone();
    let answered = next.call(request).await;
    let duration_ms = (begun.elapsed().as_secs_f64() * 1e6).round() / 1e3;
    let request = answered.as_ref().ok().map(ServiceResponse::request);
    let held = request.map(HttpMessage::extensions);
    let done = held.as_ref().and_then(|held| held.get::<RequestLogEntry>());
    let (operation, principal, route) = match done {
        Some(RequestLogEntry::Operation(operation, principal)) => (Some(operation.id.as_str()), *principal, Some(operation.path.as_str())),
        Some(RequestLogEntry::Unrouted { route }) => (None, None, Some(route.as_str())),
        None => (None, None, None),
    };
    // A page is no operation; the framework knows its route.
    let page = if route.is_none() { request.and_then(HttpRequest::match_pattern) } else { None };
    let address = request.and_then(|request| client_address(request).ok());
    let client_address = address.map(display);
    let (route, principal) = (route.or(page.as_deref()), principal.map(display));
    let (id, status) = match &answered {
        Ok(response) => (response.headers().get("x-request-id").and_then(|v| v.to_str().ok()), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    let (method, status) = (method.as_str(), status.as_u16());
    macro_rules! say {
        ($level:ident) => {
            tracing::$level!(target: "crate::request", request_id = id, method, route, operation, status, duration_ms, principal, client_address, "request")
        };
    }
    if status >= 500 {
        say!(warn)
    } else {
        say!(info)
    }
    drop(held);
    answered
}
