//! How it is kept: one transaction a write, no transaction a read, the same code on SQLite and PostgreSQL.

pub mod bulk;
pub mod copy;
pub mod cursor;
pub mod dialect;
pub mod erasure;
pub mod error;
pub mod feed;
pub mod filter;
pub mod guard;
pub mod line;
pub mod list;
pub mod migrate;
pub mod outbox;
pub mod person;
mod postgres;
pub mod private;
pub mod record;
pub mod row;
pub mod search;
pub mod sight;
pub mod sql;
mod sqlite;
pub mod standing;
pub mod store;
pub mod stored;
pub mod unindexed;
pub mod values;
