//! Settings: flags and environment variables, read once and refused clearly when they are wrong.

use crate::commands::{generate, load};
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Samphan: the CRM as an API.
#[derive(Debug, Parser)]
#[command(name = "samphan", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Migrate the database and serve the API.
    Serve(Box<Settings>),
    /// Bring the database to the newest schema and stop.
    Migrate(Database),
    /// Print the OpenAPI document.
    Openapi(Openapi),
    /// Load another system's files into a running service, through its public API; a second run changes nothing.
    #[command(subcommand)]
    Load(Box<load::Source>),
    /// Fill a database with generated accounts and contacts, the same for the same seed: for benches.
    Generate(generate::Options),
}

/// Which form of the document to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// OpenAPI 3.1.0, the published one.
    Current,
    /// OpenAPI 3.0.3, for tools that need it.
    Older,
    /// One line for each operation: tag, id, method, path, permission.
    Operations,
}

/// How to print the document.
#[derive(Debug, Args)]
pub struct Openapi {
    /// Which form.
    #[arg(long, value_enum, default_value_t = Form::Current)]
    pub form: Form,
}

/// Where the data is.
#[derive(Clone, Debug, Args)]
pub struct Database {
    /// `sqlite://path` (embedded) or `postgres://user:password@host/database`.
    #[arg(long, env = "SAMPHAN_DATABASE_URL", default_value = "sqlite://data/samphan.db", hide_env_values = true)]
    pub database_url: String,
    /// PostgreSQL connections of each worker (1 to 64).
    #[arg(long, env = "SAMPHAN_DATABASE_CONNECTIONS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub database_connections: u32,
    /// SQLite: wait for the disk at every commit, so that even a power cut loses nothing that was acknowledged.
    #[arg(long, env = "SAMPHAN_SQLITE_FULL_SYNC", default_value_t = false, action = clap::ArgAction::Set)]
    pub sqlite_full_sync: bool,
}

/// Whether requests are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RateLimit {
    /// They are.
    On,
    /// They are not: for benches.
    Off,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Everything `serve` can be told.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Address and port to listen on.
    #[arg(long, env = "SAMPHAN_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// Workers; as many as there are cores when 0.
    #[arg(long, env = "SAMPHAN_WORKERS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub workers: u16,
    /// E-mail address of the first administrator, made in an empty database.
    #[arg(long, env = "SAMPHAN_ADMIN_EMAIL", default_value = "admin@example.com")]
    pub admin_email: String,
    /// Password of the first administrator (12 characters or more); a random one is printed once when left out.
    #[arg(long, env = "SAMPHAN_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,
    /// Load the demo company into an empty database.
    #[arg(long, env = "SAMPHAN_DEMO", default_value_t = false, action = clap::ArgAction::Set)]
    pub demo: bool,
    /// Limit requests by caller and sign-ins by account and address.
    #[arg(long, env = "SAMPHAN_RATE_LIMIT", value_enum, default_value_t = RateLimit::On)]
    pub rate_limit: RateLimit,
    /// How logs are written.
    #[arg(long, env = "SAMPHAN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, or a filter such as `info,samphan=debug`.
    #[arg(long, env = "SAMPHAN_LOG", default_value = "info")]
    pub log: String,
    /// Origins that browsers may call from, separated by commas, such as `https://crm.example.com`; none by default.
    #[arg(long, env = "SAMPHAN_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Milliseconds the head of a request (its first line and headers) may take to arrive, else the connection is closed with 408; 1000 to 600000.
    // The web server's clock for this ticks twice a second, so less than a second would refuse prompt requests too.
    #[arg(long, env = "SAMPHAN_HEAD_TIMEOUT_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=600_000))]
    pub head_timeout_ms: u64,
    /// Milliseconds the body of a request may take to arrive, else it is answered with 408; 100 to 600000.
    #[arg(long, env = "SAMPHAN_BODY_TIMEOUT_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub body_timeout_ms: u64,
    /// Seconds that running requests get to end on shutdown (1 to 300).
    #[arg(long, env = "SAMPHAN_SHUTDOWN_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub shutdown_seconds: u64,
}

impl Database {
    /// Refuses an address of no database we know.
    pub fn check(&self) -> Result<(), String> {
        match self.database_url.split_once("://") {
            Some(("sqlite", path)) if !path.is_empty() => Ok(()),
            Some(("postgres" | "postgresql", rest)) if !rest.is_empty() => Ok(()),
            _ => Err("SAMPHAN_DATABASE_URL must begin with sqlite:// or postgres://, such as sqlite://data/samphan.db".to_owned()),
        }
    }
}

impl Settings {
    /// Refuses settings that cannot work, naming the setting.
    pub fn check(&self) -> Result<(), String> {
        self.database.check()?;
        if !self.admin_email.contains('@') {
            return Err("SAMPHAN_ADMIN_EMAIL must be an e-mail address".to_owned());
        }
        if self.admin_password.as_ref().is_some_and(|p| p.chars().count() < 12) {
            return Err("SAMPHAN_ADMIN_PASSWORD must have 12 characters or more".to_owned());
        }
        for origin in self.cors_origins.iter().filter(|o| !o.is_empty()) {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|h| h.is_empty() || h.contains(['/', '*'])) {
                return Err("SAMPHAN_CORS_ORIGINS must be exact origins such as https://crm.example.com, without path or *".to_owned());
            }
        }
        Ok(())
    }
}
