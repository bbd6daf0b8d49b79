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

/// A database of one test's own, and the token of its administrator, which does not last.
pub struct Database {
    pub url: String,
    pub token: String,
    pub kind: Kind,
    name: Option<String>,
    folder: Option<TempDir>,
}

/// What is made once for many tests, and anew when the tokens in it are half as old as they get: a test that begins with one has the
/// other half.
pub struct Kept<T>(Mutex<Option<(Instant, T)>>);

impl<T> Kept<T> {
    const LASTS: Duration = Duration::from_mins(5);

    pub const fn none() -> Self {
        Self(Mutex::new(None))
    }

    /// What is taken of it, by one test after the other.
    pub fn take<R>(&self, make: impl FnOnce() -> T, take: impl FnOnce(&T) -> R) -> R {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|(made, _)| made.elapsed() > Self::LASTS) {
            *kept = None;
        }
        take(&kept.get_or_insert_with(|| (Instant::now(), make())).1)
    }
}

/// A database after its first start, of each kind.
static FIRST: [Kept<Database>; 2] = [const { Kept::none() }; 2];
static COUNT: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "the one thing the tests are told from outside")]
fn cluster() -> String {
    std::env::var("SAMPHAN_TEST_POSTGRES")
        .expect("SAMPHAN_TEST_POSTGRES is not set: run the tests with `make test`, which starts a PostgreSQL of their own")
}

impl Database {
    /// A copy of the database after its first start.
    pub fn fresh(kind: Kind) -> Self {
        let started = || {
            let mut first = Self::of(kind, "TEMPLATE template1", String::new());
            first.token = first_start(&first.url);
            first.left()
        };
        FIRST[kind as usize].take(started, Self::copy)
    }

    /// When nobody is connected to it any more.
    pub fn left(self) -> Self {
        if let Some(name) = &self.name {
            nobody_in(&cluster(), name.clone());
        }
        self
    }

    /// A copy of it as it is, when it was left.
    pub fn copy(&self) -> Self {
        let template = self.name.as_ref().map(|name| format!("TEMPLATE {name} STRATEGY FILE_COPY")).unwrap_or_default();
        let copied = Self::of(self.kind, &template, self.token.clone());
        if let (Some(from), Some(to)) = (&self.folder, &copied.folder) {
            for file in std::fs::read_dir(from.path()).unwrap().map(Result::unwrap) {
                std::fs::copy(file.path(), to.path().join(file.file_name())).unwrap();
            }
        }
        copied
    }

    /// One that nobody has had; PostgreSQL makes it from a template.
    fn of(kind: Kind, template: &str, token: String) -> Self {
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                Self {
                    url: format!("sqlite://{}", folder.path().join("samphan.db").display()),
                    token,
                    kind,
                    name: None,
                    folder: Some(folder),
                }
            }
            Kind::Postgres => {
                let (cluster, name) = (cluster(), format!("samphan_{}", COUNT.fetch_add(1, Ordering::Relaxed)));
                statements(&cluster, &[format!("CREATE DATABASE {name} {template}")]);
                Self { url: format!("{cluster}/{name}"), token, kind, name: Some(name), folder: None }
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
    let running = Running::start(app::settings(url, RateLimit::Off));
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
