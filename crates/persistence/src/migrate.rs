//! Brings a database to the newest step.

use crate::{deferred_indexes, error::DatabaseError, postgres, sqlite::Writer, store::Store};
use rusqlite::types::Value;
use samphan_migrations::Migrator;
use sea_orm::{Database, DatabaseConnection, DbBackend, DbErr, ProxyDatabaseTrait, ProxyExecResult, ProxyRow, Statement};
use sea_orm_migration::MigratorTrait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// Runs the steps that are missing, and logs what takes long. Safe to run from several processes at once.
pub async fn migrate(store: &Store) -> Result<(), DatabaseError> {
    migrate_with_progress(store, &deferred_indexes::log).await
}

/// The same for a command, which has no log: it hears of each index that is built.
pub async fn migrate_with_progress(store: &Store, on_progress: deferred_indexes::OnProgress<'_>) -> Result<(), DatabaseError> {
    if let Some(connection) = connection(store).await? {
        Migrator::up(&connection, None).await?;
    }
    deferred_indexes::restore(store, on_progress).await
}

/// A connection that changes the schema; on SQLite nothing else is written while it is held.
pub(crate) async fn connection(store: &Store) -> Result<Option<DatabaseConnection>, DatabaseError> {
    if let Some(pool) = store.postgres() {
        return Ok(Some(postgres::for_schema(pool).await?));
    }
    let Some(writer) = store.sqlite_writer().await else { return Ok(None) };
    let bridge = Bridge(Mutex::new(writer));
    Ok(Some(Database::connect_proxy(DbBackend::Sqlite, Arc::new(Box::new(bridge))).await?))
}

/// sea-orm's migrator over rusqlite: text and numbers are all it needs.
struct Bridge(Mutex<OwnedMutexGuard<Writer>>);

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bridge")
    }
}

impl Bridge {
    fn run<T>(
        &self,
        statement: &Statement,
        with: impl FnOnce(&mut rusqlite::Statement<'_>, Vec<Value>) -> rusqlite::Result<T>,
    ) -> Result<T, DbErr> {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let values = statement.values.iter().flat_map(|v| v.0.iter()).map(bind).collect();
        let mut prepared = writer.connection.prepare(&statement.sql).map_err(|e| DbErr::Custom(e.to_string()))?;
        with(&mut prepared, values).map_err(|e| DbErr::Custom(e.to_string()))
    }

    fn control(&self, verb: &str) {
        let writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writer.connection.execute_batch(verb) {
            tracing::error!(%error, verb, "migration");
        }
    }
}

fn bind(value: &sea_orm::Value) -> Value {
    match value {
        sea_orm::Value::BigInt(Some(n)) => Value::Integer(*n),
        sea_orm::Value::Int(Some(n)) => Value::Integer(i64::from(*n)),
        sea_orm::Value::BigUnsigned(Some(n)) => Value::Integer(i64::try_from(*n).unwrap_or(i64::MAX)),
        sea_orm::Value::String(Some(s)) => Value::Text(s.clone()),
        _ => Value::Null,
    }
}

#[async_trait::async_trait]
impl ProxyDatabaseTrait for Bridge {
    async fn query(&self, statement: Statement) -> Result<Vec<ProxyRow>, DbErr> {
        self.run(&statement, |prepared, values| {
            let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
            let rows = prepared.query_map(rusqlite::params_from_iter(values), |row| {
                let mut made = BTreeMap::new();
                for (i, name) in names.iter().enumerate() {
                    let value = match row.get::<_, Value>(i)? {
                        Value::Integer(n) => sea_orm::Value::BigInt(Some(n)),
                        Value::Text(t) => sea_orm::Value::from(t),
                        _ => sea_orm::Value::String(None),
                    };
                    made.insert(name.clone(), value);
                }
                Ok(ProxyRow::new(made))
            })?;
            rows.collect()
        })
    }

    async fn execute(&self, statement: Statement) -> Result<ProxyExecResult, DbErr> {
        self.run(&statement, |prepared, values| {
            let touched = prepared.execute(rusqlite::params_from_iter(values))?;
            Ok(ProxyExecResult::new(0, touched as u64))
        })
    }

    async fn begin(&self) {
        self.control("BEGIN IMMEDIATE");
    }

    async fn commit(&self) {
        self.control("COMMIT");
    }

    async fn rollback(&self) {
        self.control("ROLLBACK");
    }

    fn start_rollback(&self) {
        self.control("ROLLBACK");
    }
}
