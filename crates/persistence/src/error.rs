//! How a database's refusal becomes one of ours.

use samphan_resource::error::{Code, Error};
use sea_orm::{DbErr, RuntimeErr};

/// What every function here answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A database's refusal.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// From SQLite.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// From PostgreSQL, through sea-orm.
    #[error("postgres: {0}")]
    Orm(#[from] DbErr),
    /// From PostgreSQL's driver.
    #[error("postgres: {0}")]
    Driver(#[from] sqlx::Error),
    /// A database that can be read and not written.
    #[error("{0} can only be read: this user may not write the file, or its disk is mounted read-only")]
    ReadOnly(String),
    /// SQLite gave the transaction up, as it does when the disk is full.
    #[error("the transaction was given up")]
    GivenUp,
    /// A stored value that does not fit its column's kind.
    #[error("a stored value cannot be read")]
    Unreadable,
    /// A value that does not fit its column's kind.
    #[error("a value cannot be stored: {0}")]
    Unwritable(String),
}

impl From<DatabaseError> for Error {
    fn from(failure: DatabaseError) -> Self {
        match failure.meaning() {
            Code::Internal => {
                // The text holds SQL but never bound values.
                tracing::error!(error = %failure, "database");
                Code::Internal.into()
            }
            Code::Unavailable => {
                tracing::warn!(error = %failure, "database");
                Self::from(Code::Unavailable).retry_after(1)
            }
            code => Self::from(code),
        }
    }
}

impl DatabaseError {
    fn meaning(&self) -> Code {
        match self {
            Self::GivenUp | Self::ReadOnly(_) => Code::Unavailable,
            Self::Sqlite(rusqlite::Error::SqliteFailure(e, _)) => match (e.code, e.extended_code) {
                (_, rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE | rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY) => Code::AlreadyExists,
                (_, rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Code::UnknownReference,
                (
                    rusqlite::ErrorCode::DatabaseBusy
                    | rusqlite::ErrorCode::DatabaseLocked
                    | rusqlite::ErrorCode::DiskFull
                    | rusqlite::ErrorCode::ReadOnly
                    // The disk refuses otherwise: a quota, a mount gone read-only, no file descriptors left.
                    | rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::CannotOpen,
                    _,
                ) => Code::Unavailable,
                // By the limit of a read: nothing else interrupts.
                (rusqlite::ErrorCode::OperationInterrupted, _) => Code::TooCostly,
                _ => Code::Internal,
            },
            Self::Orm(DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) => Code::Unavailable,
            Self::Orm(DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e))) => of_driver(e),
            Self::Driver(e) => of_driver(e),
            _ => Code::Internal,
        }
    }
}

impl DatabaseError {
    /// Whether PostgreSQL ended a statement because it took too long, or because it was asked to.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.of_statement().and_then(sqlx::Error::as_database_error).and_then(|e| e.code()).as_deref() == Some("57014")
    }

    /// Whether the connection to PostgreSQL was lost before the statement was answered: the other end is gone, or says that it goes. A
    /// connection that could not be opened in the first place is not one that was lost.
    pub(crate) fn is_connection_lost(&self) -> bool {
        match self.of_statement() {
            Some(sqlx::Error::Io(_)) => true,
            Some(sqlx::Error::Database(e)) => {
                e.code().is_some_and(|code| code.starts_with("08") || ["57P01", "57P02", "57P03"].contains(&code.as_ref()))
            }
            _ => false,
        }
    }

    /// The error of PostgreSQL's driver about a statement.
    fn of_statement(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Orm(DbErr::Exec(RuntimeErr::SqlxError(e)) | DbErr::Query(RuntimeErr::SqlxError(e))) => Some(e),
            Self::Driver(e) => Some(e),
            _ => None,
        }
    }
}

fn of_driver(error: &sqlx::Error) -> Code {
    match error {
        sqlx::Error::Database(e) => match e.code().as_deref() {
            Some("23505") => Code::AlreadyExists,
            Some("23503") => Code::UnknownReference,
            // Deadlock, serialization, lock time-outs, read-only.
            Some("40P01" | "40001" | "55P03" | "25006") => Code::Unavailable,
            // Connection lost; no disk, memory or connections left; ended or shutting down, statement time-outs; the disk fails.
            Some(code) if ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class)) => Code::Unavailable,
            _ => Code::Internal,
        },
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => Code::Unavailable,
        _ => Code::Internal,
    }
}
