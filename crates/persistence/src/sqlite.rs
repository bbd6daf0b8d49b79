//! SQLite through rusqlite: one writing connection, several reading ones, statements run where they are asked for.

use crate::{
    error::{DatabaseError, Result},
    long::LongTurn,
    private,
    row::Row,
    sql::{Bind, Sql},
};
use rusqlite::{Connection, OpenFlags, config::DbConfig, types::Value};
use samphan_resource::scalar::Scalar;
use std::{
    cell::{Cell, RefCell},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering},
    },
    thread::Builder,
    time::{Duration, Instant},
};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard, oneshot};

/// An open SQLite database.
pub struct Sqlite {
    writer: Arc<Queue<Writer>>,
    log: Arc<Log>,
    readers: Mutex<Vec<Connection>>,
    path: String,
    /// How much the writer had changed when nothing of the search index was left to merge; more than ever while that is not known.
    tidied: AtomicU64,
}

impl std::fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Sqlite").field(&self.path).finish()
    }
}

/// Frames the write-ahead log holds before they are copied into the database, 32 MB: of a page that was written over and over only the
/// last is copied, so the fewer the copies, the less there is to be copied.
const COPIED_AT: i32 = 8_000;
/// Frames that are added before another copy is tried, where a reader kept the log from beginning anew.
const COPIED_AGAIN_AFTER: i32 = 2_000;
/// Frames that are left to be copied while nothing is written: milliseconds.
const FRAMES_LEFT: i32 = 400;
/// Most copies beside the writer: each leaves what was written meanwhile, which is less and less where the disk is faster than the writer.
const COPIES_BESIDE: usize = 4;
/// Bytes that the log's file keeps when the log begins anew; more than that it only has where a reader held it up.
const LOG_BYTES: i64 = 64 * 1024 * 1024;

thread_local! {
    /// How long the log was at this thread's last commit.
    static FRAMES: Cell<i32> = const { Cell::new(0) };
}

/// Steps of SQLite's machine between two looks at the limit of a read.
const STEPS: i32 = 1_000;
/// Looks that a brief read has: 200,000 steps are some 5 ms, and always the same number for the same read, however busy the machine is.
const BRIEF_LOOKS: u32 = 200;

/// Up to where a read may go.
enum Limit {
    /// To its end.
    None,
    /// So many looks more.
    Looks(u32),
    /// Up to a moment, or until its client is gone.
    Until(Instant, Arc<AtomicBool>),
}

thread_local! {
    /// The limit of the read that this thread runs.
    static LIMIT: RefCell<Limit> = const { RefCell::new(Limit::None) };
}

/// Whether the read that this thread runs is to end.
fn is_over() -> bool {
    LIMIT.with_borrow_mut(|limit| match limit {
        Limit::None => false,
        Limit::Looks(0) => true,
        Limit::Looks(left) => {
            *left -= 1;
            false
        }
        Limit::Until(end, gone) => gone.load(Ordering::Relaxed) || Instant::now() >= *end,
    })
}

/// Takes the limit away again, whatever becomes of the read.
struct Limited;

impl Limited {
    fn to(limit: Limit) -> Self {
        LIMIT.set(limit);
        Self
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        LIMIT.set(Limit::None);
    }
}

/// Tells a read on another thread when its client is gone.
struct Waiting(Arc<AtomicBool>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Pages of the search index that are merged at once: some milliseconds in which nothing else is written.
const MERGED_AT_ONCE: i64 = 400;

/// Changes of the search index that are written on the thread that commits; more of them are written on another.
const MAX_INDEXED_AT_COMMIT: usize = 40;

/// Statements each connection keeps prepared.
const STATEMENTS: usize = 512;

impl Sqlite {
    /// Opens the file, made when missing. The writer comes first, so that readers find a database in WAL mode.
    pub fn open(path: &str, full_sync: bool) -> Result<Self, DatabaseError> {
        if let Some(folder) = Path::new(path).parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| DatabaseError::Unwritable(format!("{}: {e}", folder.display())))?;
        }
        for part in [path.to_owned(), format!("{path}-wal"), format!("{path}-shm")] {
            private::narrow(Path::new(&part));
        }
        // SQLite gives its logs the rights of the database. Where the file cannot be made SQLite says why.
        let _ = private::create(Path::new(path));
        let connection = Connection::open(path)?;
        if connection.is_readonly(rusqlite::MAIN_DB)? {
            return Err(DatabaseError::ReadOnly(path.to_owned()));
        }
        prepare(&connection)?;
        connection.pragma_update(None, "synchronous", if full_sync { "FULL" } else { "NORMAL" })?;
        // In place of SQLite's own checkpoint, which runs within the commit, so that everything that waits for the commit waits for it, too.
        connection.wal_hook(Some(|_, frames| {
            FRAMES.set(frames);
            Ok(())
        }));
        connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        let log = Arc::new(Log::new(path));
        let writer = Writer { connection, waiting: vec![], tokens: RefCell::default(), log: Arc::clone(&log) };
        Ok(Self {
            writer: Arc::new(Queue::new(writer)),
            log,
            readers: Mutex::default(),
            path: path.to_owned(),
            tidied: AtomicU64::new(u64::MAX),
        })
    }

    /// The writing connection alone, when it is this caller's turn: for migrations.
    pub async fn writer(&self) -> OwnedMutexGuard<Writer> {
        Arc::clone(&self.writer).lock_owned().await
    }

    /// A turn to write, when it is this caller's.
    pub async fn turn(&self) -> Result<Turn, DatabaseError> {
        let mut writer = self.writer().await;
        writer.join()?;
        let tokens = writer.tokens.borrow().len();
        Ok(Turn { writer: Some(writer), home: Arc::clone(&self.writer), tokens })
    }

    /// Merges some of the segments the search index has grown, unless nothing was written since there was nothing to merge: each word
    /// of a search is looked up in every one of them. Then copies the log into the database, where each page is looked for first.
    pub async fn run_maintenance(&self) -> Result<(), DatabaseError> {
        if self.writer().await.connection.total_changes() == self.tidied.load(Ordering::Relaxed) {
            if self.log.begin_copy(1) {
                let (log, home) = (Arc::clone(&self.log), Arc::clone(&self.writer));
                tokio::task::spawn_blocking(move || log.copy(&home));
            }
            return Ok(());
        }
        let turn = self.turn().await?;
        let connection = turn.connection()?;
        let before = connection.total_changes();
        connection.prepare_cached("INSERT INTO search_tokens (search_tokens, rank) VALUES ('merge', ?1)")?.execute([MERGED_AT_ONCE])?;
        let after = connection.total_changes();
        // One change is the statement itself.
        if after < before + 2 {
            self.tidied.store(after, Ordering::Relaxed);
        }
        turn.commit().await
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

    /// The same, but no further than a brief read goes: refused as too costly beyond.
    pub fn read_briefly<T>(&self, run: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _limited = Limited::to(Limit::Looks(BRIEF_LOOKS));
        self.read(run)
    }

    /// Reads all rows of a query on a thread of its own with low priority: for so long at most, and no longer
    /// than its client waits.
    pub async fn read_long(self: Arc<Self>, sql: Sql, time: Duration, turn: LongTurn) -> Result<Vec<Vec<Value>>> {
        let gone = Arc::new(AtomicBool::new(false));
        let _waiting = Waiting(Arc::clone(&gone));
        let (answer, rows) = oneshot::channel();
        // A thread of its own: one whose priority was lowered once cannot have it back.
        let read = move || {
            lower_priority();
            let limited = Limited::to(Limit::Until(Instant::now() + time, gone));
            let rows = self.read(|connection| values(connection, &sql));
            drop((limited, turn));
            // A client that went away does not listen.
            let _ = answer.send(rows);
        };
        Builder::new().name("long-read".to_owned()).spawn(read).map_err(|_| DatabaseError::GivenUp)?;
        rows.await.map_err(|_| DatabaseError::GivenUp)?
    }

    fn reader(&self) -> Result<Connection, DatabaseError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        prepare(&connection)?;
        connection.progress_handler(STEPS, Some(is_over))?;
        Ok(connection)
    }
}

/// How far a long read stands back for other threads: the kernel's "nice", 0 to 19, each step some 20 % less of a processor that is shared.
const NICE: i32 = 10;

/// Lets this thread stand back for others, where the system can.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    // On Linux it is that of the thread, not of the process. What cannot be lowered runs like the others.
    let _ = rustix::process::setpriority_process(None, NICE);
}

fn prepare(connection: &Connection) -> Result<(), DatabaseError> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // Without it a statement is prepared anew whenever a bound value changes, lest another index suit that value better.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -12000")?;
    Ok(())
}

/// The write-ahead log, and how it gets into the database.
///
/// A connection of its own copies it while the writer goes on. What was written meanwhile, which is little, is copied under the writer's lock:
/// only then does the copy come to its end, so that the log begins anew.
struct Log {
    path: String,
    connection: Mutex<Option<Connection>>,
    /// Whether a thread copies it.
    is_copying: AtomicBool,
    /// Frames at the last commit.
    frames: AtomicI32,
    /// Frames at which the next copy begins.
    due: AtomicI32,
}

impl Log {
    fn new(path: &str) -> Self {
        let (frames, due) = (AtomicI32::new(0), AtomicI32::new(COPIED_AT));
        Self { path: path.to_owned(), connection: Mutex::default(), is_copying: AtomicBool::new(false), frames, due }
    }

    /// Records the frames after a commit. If it answers true, the caller has to copy the log.
    fn grew(&self, frames: i32) -> bool {
        if frames == 0 {
            // Nothing was written.
            return false;
        }
        self.frames.store(frames, Ordering::Relaxed);
        if frames < COPIED_AT {
            self.due.store(COPIED_AT, Ordering::Relaxed);
        }
        self.begin_copy(self.due.load(Ordering::Relaxed))
    }

    /// Whether there are so many frames and no copy is running. If so, the caller has to copy them.
    fn begin_copy(&self, from: i32) -> bool {
        self.frames.load(Ordering::Relaxed) >= from && !self.is_copying.swap(true, Ordering::Relaxed)
    }

    /// Copies the log into the database.
    fn copy(&self, home: &Arc<Queue<Writer>>) {
        let mut kept = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match self.copy_with(&mut kept, home) {
            Ok(frames) => {
                self.frames.store(0, Ordering::Relaxed);
                self.due.store(frames.max(COPIED_AT - COPIED_AGAIN_AFTER) + COPIED_AGAIN_AFTER, Ordering::Relaxed);
            }
            // Nothing is lost; the log is longer until the next one.
            Err(error) => tracing::warn!(%error, "checkpoint"),
        }
        self.is_copying.store(false, Ordering::Relaxed);
    }

    /// Copies with the connection that is kept, or with a new one; answers the frames of the log.
    fn copy_with(&self, kept: &mut Option<Connection>, home: &Arc<Queue<Writer>>) -> Result<i32, DatabaseError> {
        let connection = match kept.take() {
            Some(connection) => connection,
            None => {
                let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
                let connection = Connection::open_with_flags(&self.path, flags)?;
                connection.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200; SELECT count(*) FROM sqlite_schema")?;
                connection
            }
        };
        let copy = || connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| Ok((row.get::<_, i32>(1)?, row.get::<_, i32>(2)?)));
        for _ in 0..COPIES_BESIDE {
            let (_, copied) = copy()?;
            if self.frames.load(Ordering::Relaxed) - copied <= FRAMES_LEFT {
                break;
            }
        }
        let writer = home.blocking_lock();
        let (frames, _) = copy()?;
        drop(writer);
        *kept = Some(connection);
        Ok(frames)
    }
}

/// The writing connection, and the transaction that writers who come at the same time share (group commit).
///
/// Each writer's work is a savepoint in it. A work that is done waits. The first work to get a turn again, after all waiting writers,
/// commits for all of them, and only then are they answered. A writer that is alone commits at once.
pub struct Writer {
    /// The connection.
    pub connection: Connection,
    /// Those whose work is done in the open transaction, waiting for its commit.
    waiting: Vec<oneshot::Sender<()>>,
    /// Changes of the search index, written before the commit: FTS5 writes one segment for all of them.
    tokens: RefCell<Vec<TokenChange>>,
    log: Arc<Log>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("waiting", &self.waiting.len()).finish_non_exhaustive()
    }
}

/// A change of the search index, by the row number of its entry.
#[derive(Debug)]
pub enum TokenChange {
    /// These tokens are of a new entry.
    Added(i64, String),
    /// An entry is gone.
    Removed(i64),
}

impl Writer {
    /// Opens the transaction, or joins the one that is open, and marks where this work begins. It begins IMMEDIATE:
    /// a deferred one that reads first fails when it comes to write.
    fn join(&mut self) -> Result<(), DatabaseError> {
        if self.connection.is_autocommit() {
            // A full disk makes SQLite give up a transaction by itself: the waiting works get an error.
            self.forget();
            self.connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(self.connection.execute_batch("SAVEPOINT work")?)
    }

    /// Keeps a work within the transaction.
    fn keep(&mut self) -> Result<oneshot::Receiver<()>, DatabaseError> {
        if self.connection.is_autocommit() {
            self.forget();
            return Err(DatabaseError::GivenUp);
        }
        self.connection.execute_batch("RELEASE work")?;
        let (kept, answer) = oneshot::channel();
        self.waiting.push(kept);
        Ok(answer)
    }

    /// Undoes a work, and the transaction with it when no other work is in it.
    fn undo(&mut self, tokens: usize) {
        self.tokens.borrow_mut().truncate(tokens);
        let undone = match (self.connection.is_autocommit(), self.waiting.is_empty()) {
            (true, _) => {
                self.forget();
                Ok(())
            }
            (false, true) => self.connection.execute_batch("ROLLBACK"),
            (false, false) => self.connection.execute_batch("ROLLBACK TO work; RELEASE work"),
        };
        if let Err(error) = undone {
            tracing::error!(%error, "rollback");
        }
    }

    /// Commits for all that wait, unless that was done. Says whether the log is to be copied into the database now.
    #[must_use]
    fn commit(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        match self.write_token_changes().and_then(|()| Ok(self.connection.execute_batch("COMMIT")?)) {
            Ok(()) => {
                for waiting in self.waiting.drain(..) {
                    // A client that went away meanwhile does not listen.
                    let _ = waiting.send(());
                }
                self.log.grew(FRAMES.take())
            }
            Err(error) => {
                tracing::error!(%error, "commit");
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    tracing::error!(%error, "rollback");
                }
                self.forget();
                false
            }
        }
    }

    /// Lets the waiting works know that nothing was committed.
    fn forget(&mut self) {
        self.waiting.clear();
        self.tokens.borrow_mut().clear();
    }

    fn write_token_changes(&self) -> Result<(), DatabaseError> {
        for change in self.tokens.borrow_mut().drain(..) {
            match change {
                TokenChange::Added(row, tokens) => self
                    .connection
                    .prepare_cached("INSERT INTO search_tokens (rowid, tokens) VALUES (?1, ?2)")?
                    .execute(rusqlite::params![row, tokens])?,
                TokenChange::Removed(row) => {
                    self.connection.prepare_cached("DELETE FROM search_tokens WHERE rowid = ?1")?.execute([row])?
                }
            };
        }
        Ok(())
    }
}

/// A turn to write: one work within the shared transaction, undone unless it is kept.
#[derive(Debug)]
pub struct Turn {
    writer: Option<OwnedMutexGuard<Writer>>,
    home: Arc<Queue<Writer>>,
    /// Changes of the search index that were queued before this work.
    tokens: usize,
}

impl Turn {
    /// The connection.
    pub fn connection(&self) -> Result<&Connection, DatabaseError> {
        self.writer.as_ref().map(|w| &w.connection).ok_or(DatabaseError::GivenUp)
    }

    /// Queues a change of the search index, written before the commit.
    pub fn queue_token_change(&self, change: TokenChange) {
        if let Some(writer) = &self.writer {
            writer.tokens.borrow_mut().push(change);
        }
    }

    /// The number of queued changes of the search index.
    pub fn token_change_count(&self) -> usize {
        self.writer.as_ref().map_or(0, |w| w.tokens.borrow().len())
    }

    /// Drops the changes of the search index that were queued later than that number.
    pub fn discard_token_changes(&self, count: usize) {
        if let Some(writer) = &self.writer {
            writer.tokens.borrow_mut().truncate(count);
        }
    }

    /// Keeps the work: back when it is committed.
    pub async fn commit(mut self) -> Result<(), DatabaseError> {
        let Some(mut writer) = self.writer.take() else { return Err(DatabaseError::GivenUp) };
        let kept = writer.keep();
        if kept.is_err() {
            writer.undo(self.tokens);
        }
        drop(writer);
        let kept = kept?;
        match Arc::clone(&self.home).try_lock_owned() {
            Ok(writer) => commit(writer),
            // Behind all writers that wait now; a task of its own, since the client may go away.
            Err(_) => {
                let home = Arc::clone(&self.home);
                tokio::spawn(async move { commit(home.lock_owned().await) });
            }
        }
        kept.await.map_err(|_| DatabaseError::GivenUp)
    }
}

/// Commits for all waiting works. The log is copied afterwards on another thread, without the writer's lock. Writing the search index of a
/// batch takes so long that it runs outside this thread.
fn commit(mut writer: OwnedMutexGuard<Writer>) {
    let home = Arc::clone(OwnedMutexGuard::mutex(&writer));
    let log = Arc::clone(&writer.log);
    if writer.tokens.borrow().len() > MAX_INDEXED_AT_COMMIT {
        tokio::task::spawn_blocking(move || {
            let is_due = writer.commit();
            drop(writer);
            if is_due {
                log.copy(&home);
            }
        });
    } else if writer.commit() {
        drop(writer);
        tokio::task::spawn_blocking(move || log.copy(&home));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            writer.undo(self.tokens);
        }
    }
}

/// Runs a query and reads each row.
pub fn fetch<T>(connection: &Connection, sql: &Sql, mut read: impl FnMut(&Row<'_>) -> Result<T>) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(DatabaseError::from)?;
    let mut rows = statement.query(rusqlite::params_from_iter(sql.binds.iter().map(value))).map_err(DatabaseError::from)?;
    let mut all = vec![];
    while let Some(row) = rows.next().map_err(DatabaseError::from)? {
        all.push(read(&Row::Sqlite(row))?);
    }
    Ok(all)
}

/// Runs a query and takes its rows as they are.
fn values(connection: &Connection, sql: &Sql) -> Result<Vec<Vec<Value>>> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(DatabaseError::from)?;
    let columns = statement.column_count();
    let rows =
        statement.query_map(rusqlite::params_from_iter(sql.binds.iter().map(value)), |row| (0..columns).map(|i| row.get(i)).collect());
    Ok(rows.and_then(Iterator::collect).map_err(DatabaseError::from)?)
}

/// Runs a statement and counts the rows it touched.
pub fn execute(connection: &Connection, sql: &Sql) -> Result<u64> {
    let mut statement = connection.prepare_cached(&sql.text).map_err(DatabaseError::from)?;
    let touched = statement.execute(rusqlite::params_from_iter(sql.binds.iter().map(value))).map_err(DatabaseError::from)?;
    Ok(touched as u64)
}

/// Runs one statement for each row of values.
pub fn execute_each(connection: &Connection, text: &str, rows: &[Vec<Scalar>]) -> Result<u64> {
    let mut statement = connection.prepare_cached(text).map_err(DatabaseError::from)?;
    let mut touched = 0;
    for row in rows {
        touched += statement.execute(rusqlite::params_from_iter(row.iter().map(scalar))).map_err(DatabaseError::from)? as u64;
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
