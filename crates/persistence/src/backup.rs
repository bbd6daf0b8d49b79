//! The embedded database copied into a file while it is used, and a copy put back in its place.
//!
//! Both go through SQLite's backup, page by page. `VACUUM INTO` would write a smaller file, but every page of it anew, and may number rows
//! anew that the search index knows by their number.

use crate::private;
use rusqlite::{
    Connection, ErrorCode, OpenFlags,
    backup::{Backup, StepResult},
};
use samphan_migrations::Migrator;
use sea_orm_migration::MigratorTrait;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// Pages copied at a time, some 16 MB: so much is held in memory at most.
const PAGES_PER_STEP: i32 = 4_096;
/// Most faults of a damaged file that are reported.
const MAX_REPORTED_DAMAGE: usize = 5;

/// What a database file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSummary {
    /// The newest schema step it has.
    pub step: String,
    /// Its bytes.
    pub bytes: u64,
    /// The newest position of the feed.
    pub position: i64,
}

impl std::fmt::Display for BackupSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, schema {}, changes up to position {}", self.bytes, self.step, self.position)
    }
}

/// Why nothing was copied. Whatever was in the place of the copy is there as it was.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is a file of that name.
    #[error("{} is there already, and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// There is no such file.
    #[error("{} is not there", .0.display())]
    Missing(PathBuf),
    /// A file without our tables.
    #[error("{} is no database of Samphan's", .0.display())]
    Foreign(PathBuf),
    /// A later version made it.
    #[error("{} has the schema step {step}, which this version does not know: use the version that made it, or a later one", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The step.
        step: String,
    },
    /// SQLite finds faults in it.
    #[error("{} is damaged: {faults}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        faults: String,
    },
    /// Another process has the database open.
    #[error("{} is open elsewhere: stop the service, and whatever else has it open, first", .0.display())]
    InUse(PathBuf),
    /// What is in the place of the copy is ours, but cannot be read.
    #[error("{} cannot be replaced, move it away first: {why}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file system refuses.
    #[error("{}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// SQLite refuses.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Copies a database into a file of that name, made by this: what was committed when it began, and nothing later. Writers are
/// not held up meanwhile; only the write-ahead log grows until the copy is done. The copy is checked before it gets its
/// name, and is one file: it has no write-ahead log.
pub fn back_up(path: &Path, to: &Path) -> Result<BackupSummary, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let source = reading(path)?;
    summary(&source, path)?;
    let folder = to.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = |error| BackupError::File { path: to.to_owned(), error };
    // Readable by its owner only: it holds keys and hashes of passwords.
    let unfinished = tempfile::Builder::new().prefix(".samphan-backup-").tempfile_in(folder).map_err(file)?;
    {
        let mut copy = Connection::open(unfinished.path())?;
        // What breaks off is thrown away, so nothing is to be undone.
        copy.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")?;
        // Pages of one moment: without a transaction every write in between would have the copy begin anew.
        source.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        copy_pages(&source, &mut copy, path)?;
    }
    let copy = Connection::open(unfinished.path())?;
    copy.execute_batch("PRAGMA journal_mode = DELETE")?;
    check_integrity(&copy, unfinished.path())?;
    let held = summary(&copy, unfinished.path())?;
    drop(copy);
    unfinished.as_file().sync_all().map_err(file)?;
    unfinished.persist_noclobber(to).map_err(|e| match e.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => file(e.error),
    })?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(file)?;
    Ok(held)
}

/// Puts a copy in the place of a database that is not open, or where there is none. It is one transaction on the file that is there, so the file, its
/// owner and its rights stay, and what it held is in SQLite's journal beside it until all is done: broken off, it is as it was.
pub fn restore(from: &Path, path: &Path) -> Result<BackupSummary, BackupError> {
    let source = reading(from)?;
    let held = summary(&source, from)?;
    check_integrity(&source, from)?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| BackupError::File { path: folder.to_owned(), error })?;
    }
    private::narrow(path);
    private::create(path).map_err(|error| BackupError::File { path: path.to_owned(), error })?;
    let mut target = Connection::open(path)?;
    lock_exclusively(&target, path)?;
    copy_pages(&source, &mut target, path)?;
    let after = summary(&target, path)?;
    if (&after.step, after.position) != (&held.step, held.position) {
        return Err(BackupError::Damaged { path: path.to_owned(), faults: format!("{after} in place of {held}") });
    }
    Ok(held)
}

/// Has the database for this connection alone, until it is closed. Every process that has a database in WAL mode open holds a lock on it.
/// The mode can be left only when there is no such lock; SQLite copies the log into the database then.
fn lock_exclusively(target: &Connection, path: &Path) -> Result<(), BackupError> {
    target.busy_timeout(Duration::ZERO)?;
    let taken = target
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .and_then(|_| target.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE; COMMIT"));
    match taken {
        Ok(()) => {}
        Err(error) if matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => {
            return Err(BackupError::InUse(path.to_owned()));
        }
        Err(error) => return Err(BackupError::Unreadable { path: path.to_owned(), why: error.to_string() }),
    }
    let empty: i64 = target.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match summary(target, path) {
        Err(BackupError::Foreign(path)) if empty > 0 => Err(BackupError::Foreign(path)),
        _ => Ok(()),
    }
}

fn reading(path: &Path) -> Result<Connection, BackupError> {
    if !path.is_file() {
        return Err(BackupError::Missing(path.to_owned()));
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

fn copy_pages(source: &Connection, target: &mut Connection, path: &Path) -> Result<(), BackupError> {
    let backup = Backup::new(source, target)?;
    loop {
        match backup.step(PAGES_PER_STEP)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(BackupError::InUse(path.to_owned())),
        }
    }
}

/// Whether SQLite finds the file whole, the search index too.
fn check_integrity(connection: &Connection, path: &Path) -> Result<(), BackupError> {
    let told = connection
        .prepare("PRAGMA integrity_check(100)")
        .and_then(|mut asked| asked.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>())
        .map_err(|error| corruption(error, path))?;
    match told.as_slice() {
        [one] if one == "ok" => Ok(()),
        faults => {
            let faults = faults.iter().take(MAX_REPORTED_DAMAGE).cloned().collect::<Vec<_>>().join("; ");
            Err(BackupError::Damaged { path: path.to_owned(), faults })
        }
    }
}

/// A file so damaged that SQLite cannot even say where.
fn corruption(error: rusqlite::Error, path: &Path) -> BackupError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt) => BackupError::Damaged { path: path.to_owned(), faults: error.to_string() },
        _ => error.into(),
    }
}

/// What a database of Samphan's holds; refused where it is none, or of a later version.
fn summary(connection: &Connection, path: &Path) -> Result<BackupSummary, BackupError> {
    let foreign = || BackupError::Foreign(path.to_owned());
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('seaql_migrations', 'server_keys', 'audit_events')";
    match connection.query_row(tables, [], |row| row.get::<_, i64>(0)) {
        Ok(3) => {}
        Ok(_) => return Err(foreign()),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => return Err(foreign()),
        Err(error) => return Err(corruption(error, path)),
    }
    let mut asked = connection.prepare("SELECT version FROM seaql_migrations ORDER BY version")?;
    let steps = asked.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let ours: Vec<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    if let Some(step) = steps.iter().find(|step| !ours.contains(step)) {
        return Err(BackupError::Newer { path: path.to_owned(), step: step.clone() });
    }
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let bytes = count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?;
    Ok(BackupSummary {
        step: steps.last().ok_or_else(foreign)?.clone(),
        bytes: bytes.unsigned_abs(),
        position: count("SELECT coalesce(max(position), 0) FROM audit_events")?,
    })
}
