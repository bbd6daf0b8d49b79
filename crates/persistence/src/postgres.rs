//! PostgreSQL through sea-orm: how a pool is set up and how values are bound.

use crate::{
    dialect::Dialect,
    error::{DatabaseError, Result},
    long::LongTurn,
    row::Row,
    sql::{Bind, Sql},
};
use samphan_resource::scalar::{Kind, Scalar};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, DbBackend, QueryResult, SqlxPostgresConnector,
    Statement, TransactionTrait, Value,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use std::{
    cell::{Cell, RefCell},
    fmt::Write,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Milliseconds that a brief read has.
pub const BRIEF_MS: u64 = 500;
/// One statement is one process of the database server: a costly one does not take the processors that others need.
const PARALLEL: (&str, &str) = ("max_parallel_workers_per_gather", "0");
/// Milliseconds that a statement of a write has.
const WRITE_MS: u64 = 5_000;
/// Milliseconds that a look at the database's health has, or the end of another statement.
const CONTROL_MS: u64 = 2_000;

/// The connections of a worker, none of which can be held by what the others are for.
#[derive(Clone, Debug)]
pub struct Pools {
    /// For works, and for what of Samphan's own reads takes longer than a brief read.
    pub writes: DatabaseConnection,
    /// For brief reads.
    pub reads: DatabaseConnection,
    /// For one long read.
    pub long: DatabaseConnection,
    /// For health, and for ending statements whose client is gone.
    pub control: DatabaseConnection,
    /// When a connection of any of them was lost last.
    lost: LastLoss,
}

/// When a connection was lost last; none yet where it is empty. Where one is lost, most often all are: PostgreSQL ended or was
/// restarted, or a network between. So the connections that were opened before are not used again.
#[derive(Clone, Debug, Default)]
struct LastLoss(Arc<Mutex<Option<Instant>>>);

impl LastLoss {
    fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection of that age was opened before the last loss.
    fn is_before(&self, age: Duration) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|lost| lost.elapsed() < age)
    }
}

impl Pools {
    /// Opens all; a connection is made when it is first needed. Few serve best: four for each worker.
    pub async fn open(url: &str, connections: u32) -> Result<Self, DatabaseError> {
        let lost = LastLoss::default();
        Ok(Self {
            // The first one is made at once: a start is to fail where there is no database.
            writes: open(url, connections, WRITE_MS, false, &lost).await?,
            reads: open(url, connections, BRIEF_MS, true, &lost).await?,
            long: open(url, 1, WRITE_MS, true, &lost).await?,
            control: open(url, 1, CONTROL_MS, true, &lost).await?,
            lost,
        })
    }

    /// Runs a query of a read on one of the pools. Where the connection is lost before the answer, it is run once more on a new one: a read
    /// changes nothing, and none of its rows was used yet.
    pub async fn rows(&self, pool: &DatabaseConnection, sql: Sql) -> Result<Vec<QueryResult>, DatabaseError> {
        match rows(pool, sql.clone()).await {
            Err(failure) if failure.is_connection_lost() => {
                self.lost.note();
                rows(pool, sql).await
            }
            rows => rows,
        }
    }

    /// Begins a transaction on one of the pools; once more where the connection is lost, since nothing was done in it.
    #[expect(clippy::disallowed_methods, reason = "this is the one place where transactions on PostgreSQL begin")]
    pub async fn begin(&self, pool: &DatabaseConnection) -> Result<DatabaseTransaction, DatabaseError> {
        match pool.begin().await.map_err(DatabaseError::from) {
            Err(failure) if failure.is_connection_lost() => {
                self.lost.note();
                Ok(pool.begin().await?)
            }
            begun => begun,
        }
    }

    /// Reads the rows of a query for so long at most, and no longer than its client waits.
    pub async fn read_long(&self, sql: Sql, time: Duration, turn: LongTurn) -> Result<Vec<QueryResult>, DatabaseError> {
        let (pools, (mut waiting, rows)) = (self.clone(), oneshot::channel());
        // A task of its own, since the client may go away: the connection stays here until the statement has ended.
        tokio::spawn(async move {
            let read = pools.long_rows(sql, time, &mut waiting).await;
            drop(turn);
            // A client that went away does not listen.
            let _ = waiting.send(read);
        });
        rows.await.unwrap_or(Err(DatabaseError::GivenUp))
    }

    /// The rows of a query in a transaction of its own, with which its time limit ends; it writes nothing.
    async fn long_rows(
        &self,
        sql: Sql,
        time: Duration,
        waiting: &mut oneshot::Sender<Result<Vec<QueryResult>, DatabaseError>>,
    ) -> Result<Vec<QueryResult>, DatabaseError> {
        let tx = self.begin(&self.long).await?;
        let mut limit = Sql::new(sql.dialect);
        let milliseconds = i64::try_from(time.as_millis()).unwrap_or(i64::MAX).max(1);
        limit.push("SELECT pg_backend_pid()::bigint, set_config('statement_timeout', ").text(milliseconds.to_string()).push(", true)");
        let set = tx.query_one_raw(statement(limit)).await?;
        let process: i64 = set.ok_or(DatabaseError::Unreadable)?.try_get_by_index(0)?;
        let read = {
            let mut query = pin!(tx.query_all_raw(statement(sql)));
            tokio::select! {
                rows = &mut query => rows,
                () = waiting.closed() => {
                    let mut cancel = Sql::new(Dialect::Postgres);
                    cancel.push("SELECT pg_cancel_backend(").int(process).push("::int)");
                    if let Err(error) = self.rows(&self.control, cancel).await {
                        // It ends by its own limit then.
                        tracing::warn!(%error, "a read whose client is gone could not be ended");
                    }
                    query.await
                }
            }
        };
        // There is nothing to keep, and after a failure nothing to tell either.
        let ended = tx.rollback().await;
        let rows = read?;
        ended?;
        Ok(rows)
    }
}

/// A transaction, with rows that are to be inserted and are not sent yet.
///
/// What a work inserts it seldom looks at: so rows are gathered, and sent as one statement before the next that is not an insert and before
/// the commit. A record with its histories, search entry and event is one round trip instead of one for each.
#[derive(Debug)]
pub struct Transaction {
    tx: DatabaseTransaction,
    gathered: RefCell<Vec<Sql>>,
    gathers: Cell<bool>,
}

impl Transaction {
    /// One that sends each statement at once.
    pub const fn new(tx: DatabaseTransaction) -> Self {
        Self { tx, gathered: RefCell::new(vec![]), gathers: Cell::new(false) }
    }

    /// Gathers inserts from now on, or no longer.
    pub fn gather(&self, gathers: bool) {
        self.gathers.set(gathers);
    }

    /// Sends what was gathered.
    pub async fn send(&self) -> Result<()> {
        let gathered = self.gathered.take();
        match together(gathered) {
            Some(sql) => execute(&self.tx, sql).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Runs a query and reads each row.
    pub async fn fetch<T>(&self, sql: Sql, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
        self.send().await?;
        fetch(&self.tx, sql, read).await
    }

    /// Runs a statement and counts the rows it touched.
    pub async fn execute(&self, sql: Sql) -> Result<u64> {
        self.send().await?;
        execute(&self.tx, sql).await
    }

    /// Runs an insert whose rows need not be counted, now or later.
    pub async fn insert(&self, sql: Sql) -> Result<()> {
        if self.gathers.get() {
            self.gathered.borrow_mut().push(sql);
            return Ok(());
        }
        self.execute(sql).await.map(|_| ())
    }

    /// Keeps everything.
    pub async fn commit(self) -> Result<()> {
        self.send().await?;
        Ok(self.tx.commit().await.map_err(DatabaseError::from)?)
    }

    /// Keeps nothing.
    pub async fn roll_back(self) -> Result<()> {
        Ok(self.tx.rollback().await.map_err(DatabaseError::from)?)
    }
}

/// Inserts as one statement. Each sees the database as it was before all of them; rules between their rows are checked when all is done.
fn together(mut all: Vec<Sql>) -> Option<Sql> {
    let last = all.pop()?;
    if all.is_empty() {
        return Some(last);
    }
    let mut sql = Sql::new(last.dialect);
    for (n, one) in all.into_iter().enumerate() {
        sql.push(if n == 0 { "WITH i" } else { ", i" });
        // Writing into a String cannot fail.
        let _ = write!(sql.text, "{n}");
        sql.push(" AS (").append(one).push(")");
    }
    sql.push(" ").append(last);
    Some(sql)
}

async fn open(url: &str, connections: u32, statement_ms: u64, is_lazy: bool, lost: &LastLoss) -> Result<DatabaseConnection, DatabaseError> {
    let lost = lost.clone();
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(0)
        .connect_lazy(is_lazy)
        .acquire_timeout(Duration::from_secs(2))
        .connect_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_postgres_before_acquire(move |_, about| {
            let is_usable = !lost.is_before(about.age);
            Box::pin(async move { Ok(is_usable) })
        })
        .map_sqlx_postgres_opts(move |o| {
            let timeout = statement_ms.to_string();
            o.statement_cache_capacity(512).options([
                ("statement_timeout", timeout.as_str()),
                ("timezone", "UTC"),
                ("jit", "off"),
                PARALLEL,
            ])
        });
    Ok(Database::connect(options).await?)
}

/// The same database for changes of its schema: a connection of its own, without the limit that statements of requests have. An
/// index of many rows takes longer.
pub async fn for_schema(pool: &DatabaseConnection) -> Result<DatabaseConnection, DatabaseError> {
    let options = PgConnectOptions::clone(&pool.get_postgres_connection_pool().connect_options()).options([("statement_timeout", "0")]);
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5)).connect_with(options).await?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(one))
}

/// Runs a query.
pub async fn rows(on: &impl ConnectionTrait, sql: Sql) -> Result<Vec<QueryResult>, DatabaseError> {
    Ok(on.query_all_raw(statement(sql)).await?)
}

/// Runs a query and reads each row.
pub async fn fetch<T>(on: &impl ConnectionTrait, sql: Sql, read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    read_each(&rows(on, sql).await?, read)
}

/// Reads each row.
pub fn read_each<T>(rows: &[QueryResult], mut read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(|row| read(&Row::Postgres(row.try_as_pg_row().ok_or(DatabaseError::Unreadable)?))).collect()
}

/// Runs a statement and counts the rows it touched.
pub async fn execute(on: &impl ConnectionTrait, sql: Sql) -> Result<u64> {
    Ok(on.execute_raw(statement(sql)).await.map_err(DatabaseError::from)?.rows_affected())
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
