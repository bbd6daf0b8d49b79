//! Logs and metrics: one line and one count for each request, labelled by operation, never holding what was sent.

use crate::{
    config::{LogFormat, Settings},
    identity::address::client_address,
    rest::pipeline::Operated,
};
use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use std::io::IsTerminal;
use tracing::field::display;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging.
pub fn start(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|e| format!("SAMPHAN_LOG must be a level such as info, or a filter such as warn,samphan::request=info: {e}"))?;
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
    let done = held.as_ref().and_then(|held| held.get::<Operated>());
    let (operation, principal, route) = match done {
        Some(Operated::Operation(operation, principal)) => (Some(operation.id.as_str()), *principal, Some(operation.path.as_str())),
        Some(Operated::Nothing { route }) => (None, None, Some(route.as_str())),
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
            tracing::$level!(target: "samphan::request", request_id = id, method, route, operation, status, duration_ms, principal, client_address, "request")
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

/// A request that is being worked on.
#[derive(Debug)]
pub struct Running(IntGauge);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    running: IntGauge,
    deleted: IntCounterVec,
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        let requests = Opts::new("samphan_requests_total", "Requests answered, by operation and status.");
        let seconds = HistogramOpts::new("samphan_request_seconds", "Seconds from a request's head to its answer, by operation.")
            .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]);
        // The names and labels are constant and valid; a metric that failed to register would only be missing.
        let made = || -> prometheus::Result<_> {
            let requests = IntCounterVec::new(requests, &["operation", "status"])?;
            let seconds = HistogramVec::new(seconds, &["operation"])?;
            let running = IntGauge::new("samphan_requests_running", "Requests being worked on.")?;
            registry.register(Box::new(requests.clone()))?;
            registry.register(Box::new(seconds.clone()))?;
            registry.register(Box::new(running.clone()))?;
            let deleted = Opts::new("samphan_deleted_rows_total", "Rows deleted because they were kept long enough, by kind.");
            let deleted = IntCounterVec::new(deleted, &["kind"])?;
            registry.register(Box::new(deleted.clone()))?;
            Ok((requests, seconds, running, deleted))
        };
        match made() {
            Ok((requests, seconds, running, deleted)) => Self { registry, requests, seconds, running, deleted },
            Err(error) => unreachable!("constant metrics: {error}"),
        }
    }
}

impl Metrics {
    /// Counts a request as being worked on, until dropped: also where its client goes away first.
    #[must_use]
    pub fn begin(&self) -> Running {
        self.running.inc();
        Running(self.running.clone())
    }

    /// Counts a request that has been answered.
    pub fn end(&self, operation: &str, status: u16, seconds: f64) {
        self.requests.with_label_values(&[operation, &status.to_string()]).inc();
        self.seconds.with_label_values(&[operation]).observe(seconds);
    }

    /// Counts rows that were deleted because they were kept long enough.
    pub fn deleted(&self, kind: &str, rows: u64) {
        self.deleted.with_label_values(&[kind]).inc_by(rows);
    }

    /// Everything, in the text format of Prometheus.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = vec![];
        // Writing into memory cannot fail.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}
