//! PostgreSQL through sea-orm: how a pool is set up and how values are bound.

use crate::{
    error::{Failure, Result},
    row::Row,
    sql::{Bind, Sql},
};
use samphan_domain::scalar::{Kind, Scalar};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, SqlxPostgresConnector, Statement, Value};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::{fmt::Write, time::Duration};

/// Opens a pool. Few connections serve best: four for each worker.
pub async fn open(url: &str, connections: u32) -> Result<DatabaseConnection, Failure> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .acquire_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|o| {
            o.statement_cache_capacity(512).options([("statement_timeout", "5000"), ("timezone", "UTC"), ("jit", "off")])
        });
    Ok(Database::connect(options).await?)
}

/// The same database for whoever changes its schema: a connection of its own, without the limit that statements of requests have. An
/// index of many rows takes longer.
pub async fn for_schema(pool: &DatabaseConnection) -> Result<DatabaseConnection, Failure> {
    let options = PgConnectOptions::clone(&pool.get_postgres_connection_pool().connect_options()).options([("statement_timeout", "0")]);
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5)).connect_with(options).await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(one))
}

/// Runs a query and reads each row.
pub async fn fetch<T>(on: &impl ConnectionTrait, sql: Sql, mut read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    let rows = on.query_all_raw(statement(sql)).await.map_err(Failure::from)?;
    rows.iter().map(|row| read(&Row::Postgres(row.try_as_pg_row().ok_or(Failure::Unreadable)?))).collect()
}

/// Runs a statement and counts the rows it touched.
pub async fn execute(on: &impl ConnectionTrait, sql: Sql) -> Result<u64> {
    Ok(on.execute_raw(statement(sql)).await.map_err(Failure::from)?.rows_affected())
}

fn statement(sql: Sql) -> Statement {
    let values: Vec<Value> = sql
        .binds
        .into_iter()
        .map(|bind| match bind {
            Bind::One(kind, one) => value(kind, one),
            Bind::Column(_, many) => Value::from(array(&many)),
        })
        .collect();
    Statement::from_sql_and_values(DbBackend::Postgres, sql.text, values)
}

fn value(kind: Kind, value: Scalar) -> Value {
    match value {
        Scalar::Null => match kind {
            Kind::Id => Value::Uuid(None),
            Kind::Text | Kind::Json => Value::String(None),
            Kind::Bool => Value::Bool(None),
            Kind::Int | Kind::Decimal { .. } => Value::BigInt(None),
            Kind::Time => Value::ChronoDateTimeUtc(None),
            Kind::Date => Value::ChronoDate(None),
            Kind::Bytes => Value::Bytes(None),
        },
        Scalar::Bool(b) => Value::Bool(Some(b)),
        Scalar::Int(n) => Value::BigInt(Some(n)),
        Scalar::Text(t) => Value::from(t),
        Scalar::Id(id) => Value::from(id),
        Scalar::Time(t) => Value::from(t.utc()),
        Scalar::Date(d) => Value::from(d),
        Scalar::Bytes(b) => Value::from(b),
    }
}

/// A column of values as PostgreSQL's array literal, which takes nulls; sea-query's arrays of ids and times do not.
pub(crate) fn array(values: &[Scalar]) -> String {
    let mut out = String::with_capacity(values.len() * 24);
    for (i, value) in values.iter().enumerate() {
        out.push(if i == 0 { '{' } else { ',' });
        // Writing into a String cannot fail.
        let _ = match value {
            Scalar::Null => write!(out, "NULL"),
            Scalar::Bool(b) => write!(out, "{b}"),
            Scalar::Int(n) => write!(out, "{n}"),
            Scalar::Id(id) => write!(out, "{id}"),
            Scalar::Time(t) => write!(out, "\"{t}\""),
            Scalar::Date(d) => write!(out, "{d}"),
            Scalar::Bytes(bytes) => {
                out.push_str("\"\\\\x");
                let written = bytes.iter().try_for_each(|b| write!(out, "{b:02x}"));
                out.push('"');
                written
            }
            Scalar::Text(text) => {
                out.push('"');
                for c in text.chars() {
                    if matches!(c, '"' | '\\') {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
                Ok(())
            }
        };
    }
    out.push_str(if values.is_empty() { "{}" } else { "}" });
    out
}
