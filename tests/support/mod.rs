//! A server for each test, and short words for asking it things.

pub mod app;
pub mod clock;
pub mod cluster;
pub mod contract;
pub mod database;
pub mod dump;
pub mod events;
pub mod generated;
pub mod lists;
pub mod people;
pub mod program;
pub mod receiver;
pub mod request;
pub mod timing;
pub mod waiting;

pub use app::App;
pub use request::{Answer, same_but_request_id};
pub use serde_json::{Value, json};
pub use waiting::{until, until_within};

pub use samphan_persistence::clock::{machine as machine_now, now};

use samphan_api::{openapi, stock::rebuild};
use samphan_persistence::store::{DatabaseOptions, Store};

/// Makes two tests of each function, `sqlite::…` and `postgres::…`, each run by the function named first.
#[macro_export]
macro_rules! on_both_by {
    ($run:path; $($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $run($crate::support::database::Kind::Sqlite, super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { $run($crate::support::database::Kind::Postgres, super::$name); })*
        }
    };
}

/// The same, each with a server and a database of its own.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => { $crate::on_both_by![$crate::support::app::run; $($name),*]; };
}

/// The same for tests that start programs of their own: each with a database that nobody else has open.
#[macro_export]
macro_rules! on_both_alone {
    ($($name:ident),* $(,)?) => { $crate::on_both_by![$crate::support::app::run_alone; $($name),*]; };
}

/// Insists that every stock level is what its movements and reservations add up to.
pub async fn adds_up(app: &App) {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap();
    let found = rebuild::check(&store).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}

/// The ids of the records of a page, in order.
pub fn ids(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

/// A field of the records of a page, in order.
pub fn column(page: &Value, field: &str) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|r| r[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// Percent-encodes all but letters and digits.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// An id that no record has.
pub fn random_id() -> String {
    let mut id = uuid::Uuid::from_u128(rand::random()).to_string();
    id.replace_range(14..15, "7");
    id.replace_range(19..20, "8");
    id
}
