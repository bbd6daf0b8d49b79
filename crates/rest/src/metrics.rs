//! Counters, in the text format of Prometheus: by operation and status, never by what was sent.

use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
use samphan_persistence::jobs::Counts;

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
    jobs: IntGaugeVec,
    oldest_job: IntGauge,
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
            let jobs = IntGaugeVec::new(Opts::new("samphan_jobs", "Jobs that are not done, by kind and status."), &["kind", "status"])?;
            let oldest_job = IntGauge::new("samphan_job_oldest_queued_seconds", "Seconds since the oldest queued job was due.")?;
            registry.register(Box::new(jobs.clone()))?;
            registry.register(Box::new(oldest_job.clone()))?;
            Ok(Self { registry: Registry::clone(&registry), requests, seconds, running, deleted, jobs, oldest_job })
        };
        match made() {
            Ok(metrics) => metrics,
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

    /// Notes how many jobs are not done.
    pub fn jobs(&self, counts: &Counts) {
        self.jobs.reset();
        for (kind, status, count) in &counts.jobs {
            self.jobs.with_label_values(&[kind, status]).set(*count);
        }
        self.oldest_job.set(counts.oldest_queued_seconds);
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
