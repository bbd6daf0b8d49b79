//! SQLite through rusqlite: one writing connection, several reading ones, statements run where they are asked for.

use crate::{
    error::{Failure, Result},
    row::Row,
    sql::{Bind, Sql},
};
use rusqlite::{Connection, OpenFlags, types::Value};
use samphan_domain::scalar::Scalar;
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// An open SQLite database.
pub struct Sqlite {
    writer: Arc<Turn<Connection>>,
    readers: Mutex<Vec<Connection>>,
    path: String,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sqlite").field(&self.path).finish()
    }
}

/// Statements each connection keeps prepared.
const STATEMENTS: usize = 512;

impl Sqlite {
    /// Opens the file, made when missing. The writer comes first, so that readers find a database in WAL mode.
    pub fn open(path: &str, full_sync: bool) -> Result<Self, Failure> {
        if let Some(folder) = Path::new(path).parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| Failure::Unwritable(format!("{}: {e}", folder.display())))?;
        }
        let writer = Connection::open(path)?;
        prepare(&writer)?;
        writer.pragma_update(None, "synchronous", if full_sync { "FULL" } else { "NORMAL" })?;
        Ok(Self { writer: Arc::new(Turn::new(writer)), readers: Mutex::default(), path: path.to_owned() })
    }

    /// The writing connection, when it is this caller's turn.
    pub async fn writer(&self) -> OwnedMutexGuard<Connection> {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// Runs a read on a connection of its own. There are as many as threads ever read at once.
    pub fn read<T>(&self, run: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let kept = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => self.reader()?,
        };
        let result = run(&connection);
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn reader(&self) -> Result<Connection, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        Ok(connection)
    }
}

fn prepare(connection: &Connection) -> Result<(), Failure> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000; PRAGMA mmap_size = 268435456;")?;
    Ok(())
}

/// Runs a query and reads each row.
pub fn fetch<T>(connection: &Connection, sql: &Sql, mut read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(Failure::from)?;
    let mut rows = statement.query(rusqlite::params_from_iter(sql.binds.iter().map(value))).map_err(Failure::from)?;
    let mut all = vec![];
    while let Some(row) = rows.next().map_err(Failure::from)? {
        all.push(read(&Row::Sqlite(row))?);
    }
    Ok(all)
}

/// Runs a statement and counts the rows it touched.
pub fn execute(connection: &Connection, sql: &Sql) -> Result<u64> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(Failure::from)?;
    let touched = statement.execute(rusqlite::params_from_iter(sql.binds.iter().map(value))).map_err(Failure::from)?;
    Ok(touched as u64)
}

/// Runs one statement for each row of values.
pub fn execute_each(connection: &Connection, text: &str, rows: &[Vec<Scalar>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(text).map_err(Failure::from)?;
    let mut touched = 0;
    for row in rows {
        touched += statement.execute(rusqlite::params_from_iter(row.iter().map(scalar))).map_err(Failure::from)? as u64;
    }
    Ok(touched)
}

fn value(bind: &Bind) -> Value {
    match bind {
        Bind::One(_, one) => scalar(one),
        Bind::Column(..) => Value::Null,
    }
}

fn scalar(value: &Scalar) -> Value {
    match value {
        Scalar::Null => Value::Null,
        Scalar::Bool(b) => Value::Integer(i64::from(*b)),
        Scalar::Int(n) => Value::Integer(*n),
        Scalar::Text(t) => Value::Text(t.clone()),
        Scalar::Id(id) => Value::Blob(id.as_bytes().to_vec()),
        Scalar::Time(t) => Value::Integer(t.micros()),
        Scalar::Date(d) => Value::Text(d.to_string()),
        Scalar::Bytes(b) => Value::Blob(b.clone()),
    }
}
