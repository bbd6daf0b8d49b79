//! Databases: one of each kind is migrated and signed in to once; every test gets a copy.

use super::app::{self, PASSWORD, Running};
use samphan::config::RateLimit;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicU32, Ordering},
};
use tempfile::TempDir;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one test's own.
pub struct Database {
    pub url: String,
    pub token: String,
    name: Option<String>,
    _folder: Option<TempDir>,
}

struct Template {
    url: String,
    token: String,
    folder: Option<TempDir>,
}

static SQLITE: OnceLock<Template> = OnceLock::new();
static POSTGRES: OnceLock<Template> = OnceLock::new();
/// PostgreSQL copies a database only while nobody else does.
static COPYING: Mutex<()> = Mutex::new(());
static COUNT: AtomicU32 = AtomicU32::new(0);

const TEMPLATE: &str = "samphan_template";

#[expect(clippy::disallowed_methods, reason = "the one thing the tests are told from outside")]
fn cluster() -> String {
    std::env::var("SAMPHAN_TEST_POSTGRES")
        .expect("SAMPHAN_TEST_POSTGRES is not set: run the tests with `make test`, which starts a PostgreSQL of their own")
}

impl Database {
    /// A fresh copy of the database after its first start.
    pub fn fresh(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => {
                let template = SQLITE.get_or_init(|| {
                    let folder = tempfile::tempdir().unwrap();
                    let url = format!("sqlite://{}", folder.path().join("samphan.db").display());
                    Template { token: first_start(&url), url, folder: Some(folder) }
                });
                let folder = tempfile::tempdir().unwrap();
                for file in std::fs::read_dir(template.folder.as_ref().unwrap().path()).unwrap().map(Result::unwrap) {
                    std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
                }
                let url = format!("sqlite://{}", folder.path().join("samphan.db").display());
                Self { url, token: template.token.clone(), name: None, _folder: Some(folder) }
            }
            Kind::Postgres => {
                let cluster = cluster();
                let copying = COPYING.lock().unwrap_or_else(PoisonError::into_inner);
                let template = POSTGRES.get_or_init(|| {
                    statements(&cluster, &[format!("CREATE DATABASE {TEMPLATE}")]);
                    let url = format!("{cluster}/{TEMPLATE}");
                    let token = first_start(&url);
                    nobody_in(&cluster, TEMPLATE);
                    Template { token, url, folder: None }
                });
                let name = format!("samphan_{}", COUNT.fetch_add(1, Ordering::Relaxed));
                statements(&cluster, &[format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")]);
                drop(copying);
                debug_assert!(template.url.ends_with(TEMPLATE));
                Self { url: format!("{cluster}/{name}"), token: template.token.clone(), name: Some(name), _folder: None }
            }
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(name) = self.name.take().filter(|_| !std::thread::panicking()) {
            statements(&cluster(), &[format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")]);
        }
    }
}

/// Migrates an empty database, makes its administrator, and signs in.
fn first_start(url: &str) -> String {
    let running = Running::start(url, RateLimit::Off);
    let answer: Value = app::wait(async {
        let body = json!({"email": app::ADMIN, "password": PASSWORD}).to_string();
        let sent = app::client().post(format!("{}/v1/auth/sign-in", running.url)).header("content-type", "application/json").body(body);
        sent.send().await.unwrap().json().await.unwrap()
    });
    answer["access_token"].as_str().expect("a token").to_owned()
}

fn statements(cluster: &str, all: &[String]) {
    let (address, all) = (format!("{cluster}/postgres"), all.to_vec());
    app::wait_apart(async move {
        let mut connection = PgConnection::connect(&address).await.expect("the PostgreSQL named by SAMPHAN_TEST_POSTGRES does not answer");
        for statement in all {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    });
}

/// Waits until no connection to a database is left, so that it can be copied.
fn nobody_in(cluster: &str, name: &'static str) {
    let address = format!("{cluster}/postgres");
    app::wait_apart(async move {
        let mut connection = PgConnection::connect(&address).await.unwrap();
        loop {
            let left = sqlx::query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1")
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .unwrap();
            if left.get::<i64, _>(0) == 0 {
                break;
            }
        }
        connection.close().await.unwrap();
    });
}
