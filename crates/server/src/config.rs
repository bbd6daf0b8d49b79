//! Settings: flags and environment variables, read once and refused clearly when they are wrong.

use crate::{
    commands::{
        admin::AdminCommand, backup, generate, health, keys::KeysCommand, load, rebuild_pipelines::PipelineCommand,
        rebuild_stock::StockCommand,
    },
    retention::Retention,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::{Args, Parser, Subcommand, ValueEnum};
use samphan_api::platform::organisation_settings::known_zone;
use samphan_domain::platform::password::{MIN_CHARACTERS, weakness};
use samphan_resource::network::Network;
use std::path::PathBuf;

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
    /// Copy the embedded database into a file, while the service serves and writes: everything that was answered before it began is in it.
    /// The copy is checked, and says what it holds. PostgreSQL has its own: pg_dump.
    Backup(backup::To),
    /// Put a backup in the place of the embedded database, while no service has it open. What is there is checked before, and stays as it was if
    /// this breaks off. PostgreSQL has its own: pg_restore.
    Restore(backup::From),
    /// Let an administrator in again, on the machine itself: when the password is lost, or there is no administrator any more.
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Look after the keys of the service: those that tokens and cursors are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Ask a running server whether it is ready, and exit with 0 if it is and 1 if not: for health checks of containers.
    Health(health::Health),
    /// Print the OpenAPI document.
    Openapi(Openapi),
    /// Print docs/operations/configuration.md, generated from the options of all commands.
    #[command(hide = true)]
    Configuration,
    /// Load another system's files into a running service, through its public API; a second run changes nothing.
    #[command(subcommand)]
    Load(Box<load::Source>),
    /// Look after stock.
    #[command(subcommand)]
    Stock(StockCommand),
    /// Look after pipelines.
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// Play an accounting system that is a client of a running service: customers, ledger, credit limits and stock of its own, in a file
    /// of its own. Does what there is to do, says what it did, and ends.
    SimulateErp(Box<samphan_erp_simulator::Options>),
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
    /// Where the data is: `sqlite://PATH` for the embedded database (made when missing, with its folder), such as
    /// `sqlite:///var/lib/samphan/samphan.db`, or `postgres://USER:PASSWORD@HOST/DATABASE`.
    #[arg(long, value_name = "URL", env = "SAMPHAN_DATABASE_URL", default_value = "sqlite://data/samphan.db", hide_env_values = true)]
    pub database_url: String,
    /// PostgreSQL: connections of each worker for reads, 1 to 64, and as many for writes; two more are for long reads and for health.
    /// The work behind the workers has as many as one of them. All of them must fit the server's `max_connections`.
    #[arg(long, value_name = "COUNT", env = "SAMPHAN_DATABASE_CONNECTIONS", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub database_connections: u32,
    /// SQLite: wait for the disk at every commit, so that a power cut loses nothing that was acknowledged. Without it a power
    /// cut may lose the last moments, a crash of the program still loses nothing; writes are several times faster.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_SQLITE_FULL_SYNC", default_value_t = false, action = clap::ArgAction::Set)]
    pub sqlite_full_sync: bool,
}

/// Whether requests are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RateLimit {
    /// As the document says: 6,000 requests a minute for each caller; from each address 20 failed sign-ins (5 to one account), 20 failed
    /// requests for machine tokens and 60 bad tokens or keys.
    On,
    /// Without limits: for benches and tests.
    Off,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for collectors.
    Json,
    /// Lines for people.
    Text,
}

/// Everything `serve` can be told.
#[derive(Clone, Debug, Args)]
pub struct Settings {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Address and port to listen on, such as `0.0.0.0:8080` for all networks; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", env = "SAMPHAN_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// Threads that serve requests, 1 to 256; 0 for as many as there are cores.
    #[arg(long, value_name = "COUNT", env = "SAMPHAN_WORKERS", default_value_t = 0, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub workers: u16,
    /// E-mail address of the first administrator. Used once, when the database is empty.
    #[arg(long, value_name = "EMAIL", env = "SAMPHAN_ADMIN_EMAIL", default_value = "admin@example.com")]
    pub admin_email: String,
    /// Password of the first administrator, 12 characters or more. Used once, when the database is empty; when left out a random
    /// one is printed. Better set in the environment than on the command line, which others on the machine can see. Later
    /// `samphan admin reset-password` sets another.
    #[arg(long, value_name = "PASSWORD", env = "SAMPHAN_ADMIN_PASSWORD", hide_env_values = true)]
    pub admin_password: Option<String>,
    /// IANA time zone of the organisation, such as `Asia/Bangkok`: its calendar decides what today is. Used once, when the database is empty;
    /// changed later by `PATCH /v1/settings`.
    #[arg(long, value_name = "ZONE", env = "SAMPHAN_TIME_ZONE", default_value = "UTC", value_parser = known_zone)]
    pub time_zone: String,
    /// Load a demo company with its accounts, contacts and prices, when the database is empty.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_DEMO", default_value_t = false, action = clap::ArgAction::Set)]
    pub demo: bool,
    /// Whether requests are limited for each caller, and failed sign-ins, tokens and keys for each address.
    #[arg(long, value_name = "SWITCH", env = "SAMPHAN_RATE_LIMIT", value_enum, default_value_t = RateLimit::On)]
    pub rate_limit: RateLimit,
    /// Proxies before the service, as addresses and networks separated by commas, such as `127.0.0.1,10.0.0.0/8`. Of requests that come
    /// from them, `X-Forwarded-For` or `Forwarded` says which client they are of, read from the right past these addresses: the client's
    /// address is what limits, `allowed_addresses` of API keys and the log go by. From anyone else those headers are ignored; when left out,
    /// from everyone.
    #[arg(long, value_name = "NETWORKS", env = "SAMPHAN_TRUSTED_PROXIES", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<Network>,
    /// How the log is written, which goes to standard error: one line for each request.
    #[arg(long, value_name = "FORMAT", env = "SAMPHAN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: `off`, `error`, `warn`, `info` (each request), `debug`, or a filter such as `warn,crate::request=info`.
    #[arg(long, value_name = "FILTER", env = "SAMPHAN_LOG", default_value = "info")]
    pub log: String,
    /// Origins that browsers may call from, separated by commas, such as `https://crm.example.com,https://shop.example.com`; none when
    /// left out.
    #[arg(long, value_name = "ORIGINS", env = "SAMPHAN_CORS_ORIGINS", value_delimiter = ',')]
    pub cors_origins: Vec<String>,
    /// Seconds for which browsers are told to come by TLS only (`Strict-Transport-Security`), 0 to 63072000; 0 tells them nothing. For
    /// services that are reached through TLS alone: a proxy before them ends it.
    #[arg(long, value_name = "SECONDS", env = "SAMPHAN_HSTS_SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=63_072_000))]
    pub hsts_seconds: u32,
    /// Whether the docs page (`/docs/`) is served. It shows the document, so it is not where that is not public.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_DOCS", default_value_t = true, action = clap::ArgAction::Set)]
    pub docs: bool,
    /// Whether the document (`/openapi.json`) is served to everyone. When it is not, an access token or API key is needed to read it.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_PUBLIC_DOCUMENT", default_value_t = true, action = clap::ArgAction::Set)]
    pub public_document: bool,
    /// Whether `/metrics` is served: counts and times by operation, without personal data. To everyone, unless there is a token.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_METRICS", default_value_t = true, action = clap::ArgAction::Set)]
    pub metrics: bool,
    /// Token that `/metrics` is served for only, 16 characters or more; Prometheus sends it as `authorization: {credentials: TOKEN}`.
    #[arg(long, value_name = "TOKEN", env = "SAMPHAN_METRICS_TOKEN", hide_env_values = true)]
    pub metrics_token: Option<String>,
    /// Milliseconds in which the head of a request (its first line and headers) must arrive, 1000 to 600000; else the connection is
    /// closed with 408.
    // The web server's clock for this ticks twice a second, so less than a second would refuse prompt requests too.
    #[arg(long, value_name = "MILLISECONDS", env = "SAMPHAN_HEAD_TIMEOUT_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1_000..=600_000))]
    pub head_timeout_ms: u64,
    /// Milliseconds in which the body of a request must arrive, 100 to 600000; else it is answered with 408 and the connection closed.
    #[arg(long, value_name = "MILLISECONDS", env = "SAMPHAN_BODY_TIMEOUT_MS", default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(100..=600_000))]
    pub body_timeout_ms: u64,
    /// Milliseconds that the reads of one request may take, 100 to 60000; beyond it is answered with 422 `too_costly`, or without a total
    /// where only counting took long. What takes more than some milliseconds counts against the caller's share of requests.
    #[arg(long, value_name = "MILLISECONDS", env = "SAMPHAN_READ_TIMEOUT_MS", default_value_t = 3_000, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    pub read_timeout_ms: u64,
    /// Most event streams (`GET /v1/changes/stream`) open at a time, 1 to 10000; one more is answered with 429.
    #[arg(long, value_name = "COUNT", env = "SAMPHAN_EVENT_STREAMS", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub event_streams: u16,
    /// Most event streams of one caller, and most of its requests that wait for a change (`GET /v1/changes?wait=`), open at a time, 1 to
    /// 10000; one more is answered with 429.
    #[arg(long, value_name = "COUNT", env = "SAMPHAN_EVENT_STREAMS_PER_CALLER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub event_streams_per_caller: u16,
    /// Webhooks: send also to private addresses (this machine, its networks) and by `http`. For tests, and where the receivers are
    /// neighbours and everybody who may make endpoints is trusted to reach them.
    #[arg(long, value_name = "BOOL", env = "SAMPHAN_WEBHOOK_ALLOW_PRIVATE", default_value_t = false, action = clap::ArgAction::Set)]
    pub webhook_allow_private: bool,
    /// Webhooks: most deliveries under way to one endpoint, 1 to 64. One that is slow holds up none of the others; with 1 they go one after
    /// the other, and so in order unless one fails.
    #[arg(long, value_name = "COUNT", env = "SAMPHAN_WEBHOOK_DELIVERIES", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub webhook_deliveries: u8,
    /// Keys that secrets in the database are encrypted with: those of webhooks, and the keys that tokens and cursors are signed with. 32
    /// bytes each in Base64, separated by commas. The first encrypts, all decrypt; what is not encrypted with the first is encrypted anew
    /// at start. To change the key of several processes, add the new one at the end everywhere, then put it first, then take the old one
    /// away. When left out, these keys lie in the database as they are: a copy of the database is enough to sign in as anyone then. After
    /// it was set for the first time run `samphan keys rotate --at-once`: older copies hold the keys as they were.
    #[arg(long, value_name = "KEYS", env = "SAMPHAN_SECRET_KEYS", value_delimiter = ',', hide_env_values = true)]
    pub secret_keys: Vec<String>,
    /// File in which erasures of persons are noted, apart from the database: should a backup of before be put back, whom it names is erased
    /// again before anything is served. It holds ids and times, and goes where the database goes. When left out it lies beside the
    /// embedded database (`samphan.db.erasures`); for PostgreSQL there is none then.
    #[arg(long, value_name = "FILE", env = "SAMPHAN_ERASURE_JOURNAL")]
    pub erasure_journal: Option<PathBuf>,
    /// How long things are kept.
    #[command(flatten)]
    pub retention: Retention,
    /// Seconds that running requests get to end after SIGTERM or SIGINT, 1 to 300; new ones are refused meanwhile.
    #[arg(long, value_name = "SECONDS", env = "SAMPHAN_SHUTDOWN_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub shutdown_seconds: u64,
}

fn network(text: &str) -> Result<Network, String> {
    text.trim().parse().map_err(|_| "SAMPHAN_TRUSTED_PROXIES must be addresses and networks such as 127.0.0.1,10.0.0.0/8".to_owned())
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

    /// Where the data is and how to start over, for people; without the password of a database server.
    #[must_use]
    pub fn described(&self) -> String {
        match self.database_url.strip_prefix("sqlite://") {
            Some(path) => {
                let full = std::path::absolute(path).unwrap_or_else(|_| path.into());
                let full = full.display();
                format!("{full}   to start over: stop the service and delete {full}*")
            }
            None => {
                let server = self
                    .database_url
                    .rsplit_once('@')
                    .map_or_else(|| self.database_url.split_once("://").map_or("", |(_, rest)| rest), |(_, server)| server);
                format!("PostgreSQL at {server}   to start over: stop the service and drop the database")
            }
        }
    }
}

/// Refuses a password that may not be one, with the end of a sentence.
pub fn check_password(password: &str, email: &str, name: &str) -> Result<(), String> {
    if password.chars().count() < MIN_CHARACTERS {
        return Err(format!("must have {MIN_CHARACTERS} characters or more"));
    }
    match weakness(password, email, name) {
        Some(about) => Err(format!("is too easy to guess: use {about}")),
        None => Ok(()),
    }
}

/// The keys of `SAMPHAN_SECRET_KEYS`.
pub fn secret_keys(texts: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let read = |text: &String| STANDARD.decode(text.trim()).ok().filter(|key| key.len() == 32);
    let keys = texts.iter().filter(|text| !text.is_empty()).map(read).collect::<Option<_>>();
    keys.ok_or_else(|| "SAMPHAN_SECRET_KEYS must be keys of 32 bytes in Base64 (openssl rand -base64 32), separated by commas".to_owned())
}

impl Settings {
    /// The keys that secrets are encrypted with.
    pub fn secret_keys(&self) -> Result<Vec<Vec<u8>>, String> {
        secret_keys(&self.secret_keys)
    }

    /// Where erasures are noted.
    #[must_use]
    pub fn erasure_journal(&self) -> Option<PathBuf> {
        let beside = || self.database.database_url.strip_prefix("sqlite://").map(|path| format!("{path}.erasures").into());
        self.erasure_journal.clone().or_else(beside)
    }

    /// Refuses settings that cannot work, naming the setting.
    pub fn check(&self) -> Result<(), String> {
        self.database.check()?;
        self.secret_keys()?;
        if !self.admin_email.contains('@') {
            return Err("SAMPHAN_ADMIN_EMAIL must be an e-mail address, such as admin@example.com".to_owned());
        }
        if let Some(password) = &self.admin_password {
            check_password(password, &self.admin_email, "Administrator").map_err(|why| format!("SAMPHAN_ADMIN_PASSWORD {why}"))?;
        }
        if self.metrics_token.as_ref().is_some_and(|token| token.len() < 16 || !token.bytes().all(|b| b.is_ascii_graphic())) {
            return Err("SAMPHAN_METRICS_TOKEN must have 16 characters or more, of ASCII and without blanks".to_owned());
        }
        let folder = |path: &PathBuf| path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir());
        if self.erasure_journal.as_ref().is_some_and(|path| path.is_dir() || !folder(path)) {
            return Err("SAMPHAN_ERASURE_JOURNAL must be a file in a folder that is there, such as /var/lib/samphan/erasures".to_owned());
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
