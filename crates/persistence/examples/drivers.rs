//! How SQLite is read: rusqlite by position, as `sqlite.rs` does, beside sea-orm's `proxy` over rusqlite (docs/decisions/storage-and-sql.md, decision 2).
//!
//!     drivers PATH    a database with accounts in it; prints reads and lists of 50 a second of each, on one thread

#![expect(clippy::unwrap_used, reason = "a bench, not the product")]

use rusqlite::{Connection, types::Value};
use sea_orm::{ConnectionTrait, Database, DbBackend, DbErr, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const LIST: &str = "SELECT * FROM accounts WHERE deleted_at IS NULL ORDER BY name_key, id LIMIT 50";
const READ: &str = "SELECT * FROM accounts WHERE deleted_at IS NULL AND id = (SELECT min(id) FROM accounts)";
const SECONDS: u64 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let path = std::env::args().nth(1).unwrap();
    let direct = Connection::open(&path).unwrap();
    let proxy = Proxy(Mutex::new(Connection::open(&path).unwrap()));
    let proxy = Database::connect_proxy(DbBackend::Sqlite, Arc::new(Box::new(proxy))).await.unwrap();
    for (what, text) in [("read", READ), ("list of 50", LIST)] {
        for _ in 0..2 {
            let (mut straight, mut through) = (0_u64, 0_u64);
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(SECONDS) {
                let mut prepared = direct.prepare_cached(text).unwrap();
                let columns = prepared.column_count();
                let mut rows = prepared.query([]).unwrap();
                while let Some(row) = rows.next().unwrap() {
                    std::hint::black_box((0..columns).map(|i| row.get::<_, Value>(i).unwrap()).collect::<Vec<_>>());
                }
                straight += 1;
            }
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(SECONDS) {
                std::hint::black_box(proxy.query_all_raw(Statement::from_string(DbBackend::Sqlite, text)).await.unwrap());
                through += 1;
            }
            println!("{what}: rusqlite {}/s, sea-orm proxy {}/s", straight / SECONDS, through / SECONDS);
        }
    }
}

struct Proxy(Mutex<Connection>);

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proxy")
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Proxy {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        let connection = self.0.lock().unwrap();
        let mut prepared = connection.prepare_cached(&statement.sql).unwrap();
        let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
        let rows = prepared.query_map([], |row| {
            let value = |i: usize| match row.get_unwrap(i) {
                Value::Integer(n) => sea_orm::Value::BigInt(Some(n)),
                Value::Text(t) => sea_orm::Value::from(t),
                Value::Blob(b) => sea_orm::Value::from(b),
                _ => sea_orm::Value::String(None),
            };
            Ok(ProxyRow::new(names.iter().enumerate().map(|(i, name)| (name.clone(), value(i))).collect::<BTreeMap<_, _>>()))
        });
        Ok(rows.unwrap().map(Result::unwrap).collect())
    }

    async fn execute(&self, _: Statement) -> Result<ProxyExecResult, DbErr> {
        Ok(ProxyExecResult::default())
    }
}
