//! `samphan load`: brings another system's files in through the public API, as any integrator would.

mod client;
mod countries;
mod northwind;
mod rows;
pub mod webhooks;

pub use client::Client;

use clap::{Args, Subcommand};
use northwind::Load;
use serde_json::Value;
use std::{fmt, path::PathBuf};

/// What to load.
#[derive(Clone, Debug, Subcommand)]
pub enum Source {
    /// The Northwind sample data: a folder with customers.csv, employees.csv, categories.csv and products.csv.
    Northwind(Options),
    /// Nothing: have the service send webhooks here, and measure how many come and how late. For benches; the service must run with
    /// SAMPHAN_WEBHOOK_ALLOW_PRIVATE.
    Webhooks(webhooks::Options),
}

/// What to load, where to, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Folder of the CSV files.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The service.
    #[command(flatten)]
    pub service: Service,
}

/// A running service, and who signs in.
#[derive(Clone, Debug, Args)]
pub struct Service {
    /// Address of the running service.
    #[arg(long, env = "SAMPHAN_URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// E-mail address to sign in with.
    #[arg(long, env = "SAMPHAN_ADMIN_EMAIL", default_value = "admin@example.com")]
    pub email: String,
    /// Password to sign in with.
    #[arg(long, env = "SAMPHAN_ADMIN_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// An API key or access token, instead of signing in.
    #[arg(long, env = "SAMPHAN_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

/// Why nothing, or no more, was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Neither password nor token was given.
    #[error("give SAMPHAN_ADMIN_PASSWORD (--password) or SAMPHAN_TOKEN (--token)")]
    NobodyToBe,
    /// A file could not be read.
    #[error("{0}: {1}")]
    File(String, csv::Error),
    /// The service was not reached.
    #[error("{0}")]
    Unreachable(#[from] reqwest::Error),
    /// The service refused.
    #[error("{operation}: {status} {problem}")]
    Refused {
        /// Method and path.
        operation: String,
        /// The HTTP status.
        status: u16,
        /// The problem's code and faults.
        problem: String,
    },
    /// Webhooks cannot be taken in.
    #[error("cannot listen on this machine: {0}")]
    Listen(#[from] std::io::Error),
    /// The service answered something else than the document says.
    #[error("{0}: an answer without {1}")]
    Unexpected(String, &'static str),
}

/// What became of the records of one resource.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Made.
    pub created: usize,
    /// Changed.
    pub updated: usize,
    /// As they should be already.
    pub unchanged: usize,
    /// Not made and not changed.
    pub failed: usize,
}

/// What became of everything.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// By resource, in the order they were loaded.
    pub resources: Vec<(&'static str, Counts)>,
    /// What failed, each named.
    pub failures: Vec<String>,
}

impl Summary {
    /// The counts of a resource.
    #[must_use]
    pub fn of(&self, resource: &str) -> Counts {
        self.resources.iter().find(|(name, _)| *name == resource).map(|(_, counts)| *counts).unwrap_or_default()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.resources.iter().all(|(_, c)| c.created + c.updated + c.failed == 0)
    }

    fn note(&mut self, resource: &'static str, what: Outcome) {
        if !self.resources.iter().any(|(name, _)| *name == resource) {
            self.resources.push((resource, Counts::default()));
        }
        let Some((_, counts)) = self.resources.iter_mut().find(|(name, _)| *name == resource) else { return };
        match what {
            Outcome::Created => counts.created += 1,
            Outcome::Updated => counts.updated += 1,
            Outcome::Unchanged => counts.unchanged += 1,
            Outcome::Failed(why) => {
                counts.failed += 1;
                self.failures.push(format!("{resource} {why}"));
            }
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20}{:>9}{:>9}{:>11}{:>8}", "", "created", "updated", "unchanged", "failed")?;
        for (name, c) in &self.resources {
            writeln!(f, "{name:<20}{:>9}{:>9}{:>11}{:>8}", c.created, c.updated, c.unchanged, c.failed)?;
        }
        self.failures.iter().try_for_each(|why| writeln!(f, "failed: {why}"))
    }
}

/// What became of one record.
#[derive(Debug)]
enum Outcome {
    Created,
    Updated,
    Unchanged,
    Failed(String),
}

/// A problem in one line: its code and what is wrong where, never the values sent.
fn problem(body: &Value) -> String {
    let faults = body["errors"].as_array().into_iter().flatten();
    let faults = faults.map(|e| format!("{} {}", e["pointer"].as_str().unwrap_or_default(), e["code"].as_str().unwrap_or_default()));
    let about: Vec<String> = [body["code"].as_str().unwrap_or("problem").to_owned()].into_iter().chain(faults).collect();
    about.join(", ")
}

/// Loads the Northwind sample data. Running it again changes nothing: everything is found by the ids it has there.
pub async fn northwind(options: &Options) -> Result<Summary, LoadError> {
    Load::begin(Client::sign_in(&options.service).await?, options.folder.clone()).run().await
}
