//! Databases: one of each kind is migrated and signed in to once; every test gets a copy.

use super::app::{self, PASSWORD, Running};
use samphan::config::RateLimit;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
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

/// A database after its first start, and the administrator's token, which does not last.
struct Template {
    made: Instant,
    name: String,
    token: String,
    folder: Option<TempDir>,
}

impl Template {
    /// Half as long as a token lasts: a test that begins with it has the other half.
    const LASTS: Duration = Duration::from_mins(5);

    /// The template of a kind, made when there is none or it is too old.
    fn fresh(kept: &mut Option<Self>, make: impl FnOnce() -> Self) -> &Self {
        if kept.as_ref().is_some_and(|t| t.made.elapsed() > Self::LASTS) {
            *kept = None;
        }
        kept.get_or_insert_with(make)
    }
}

/// Copied only while nobody else does.
static SQLITE: Mutex<Option<Template>> = Mutex::new(None);
static POSTGRES: Mutex<Option<Template>> = Mutex::new(None);
static COUNT: AtomicU32 = AtomicU32::new(0);

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
                let path = |folder: &TempDir| format!("sqlite://{}", folder.path().join("samphan.db").display());
                let mut kept = SQLITE.lock().unwrap_or_else(PoisonError::into_inner);
                let template = Template::fresh(&mut kept, || {
                    let folder = tempfile::tempdir().unwrap();
                    Template { made: Instant::now(), token: first_start(&path(&folder)), name: String::new(), folder: Some(folder) }
                });
                let folder = tempfile::tempdir().unwrap();
                for file in std::fs::read_dir(template.folder.as_ref().unwrap().path()).unwrap().map(Result::unwrap) {
                    std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
                }
                Self { url: path(&folder), token: template.token.clone(), name: None, _folder: Some(folder) }
            }
            Kind::Postgres => {
                let cluster = cluster();
                let named = |what: &str| format!("samphan_{what}{}", COUNT.fetch_add(1, Ordering::Relaxed));
                let mut kept = POSTGRES.lock().unwrap_or_else(PoisonError::into_inner);
                let template = Template::fresh(&mut kept, || {
                    let name = named("template_");
                    statements(&cluster, &[format!("CREATE DATABASE {name}")]);
                    let token = first_start(&format!("{cluster}/{name}"));
                    nobody_in(&cluster, name.clone());
                    Template { made: Instant::now(), token, name, folder: None }
                });
                let name = named("");
                statements(&cluster, &[format!("CREATE DATABASE {name} TEMPLATE {} STRATEGY FILE_COPY", template.name)]);
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
fn nobody_in(cluster: &str, name: String) {
    let address = format!("{cluster}/postgres");
    app::wait_apart(async move {
        let mut connection = PgConnection::connect(&address).await.unwrap();
        loop {
            let left = sqlx::query("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1")
                .bind(&name)
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
