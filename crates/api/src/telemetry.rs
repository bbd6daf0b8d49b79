//! Logs and metrics: one line and one count for each request, labelled by operation, never holding what was sent.

use crate::config::{LogFormat, Settings};
use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};
use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging.
pub fn start(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|e| format!("SAMPHAN_LOG is not a log filter: {e}"))?;
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
        LogFormat::Text => builder.try_init(),
    };
    started.map_err(|e| e.to_string())
}

/// What is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    seconds: HistogramVec,
    running: IntGauge,
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
            Ok((requests, seconds, running))
        };
        match made() {
            Ok((requests, seconds, running)) => Self { registry, requests, seconds, running },
            Err(error) => unreachable!("constant metrics: {error}"),
        }
    }
}

impl Metrics {
    /// Counts a request that has begun.
    pub fn begin(&self) {
        self.running.inc();
    }

    /// Counts a request that has been answered.
    pub fn end(&self, operation: &str, status: u16, seconds: f64) {
        self.running.dec();
        self.requests.with_label_values(&[operation, &status.to_string()]).inc();
        self.seconds.with_label_values(&[operation]).observe(seconds);
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
