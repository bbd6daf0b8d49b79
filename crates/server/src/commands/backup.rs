//! `samphan backup` and `samphan restore`: the embedded database into a file, and back.

use crate::config::Database;
use clap::Args;
use samphan_persistence::backup;
use std::path::{Path, PathBuf};

/// What to copy, and where to.
#[derive(Clone, Debug, Args)]
pub struct To {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// The file to make, such as `/var/backups/samphan-2026-11-22.db`. One that is there is not overwritten. Only its owner may read it: it
    /// holds keys.
    #[arg(long, value_name = "FILE")]
    pub to: PathBuf,
}

/// What to put back, and where.
#[derive(Clone, Debug, Args)]
pub struct From {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// The file `samphan backup` made.
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
}

/// Makes a backup and says what it holds.
pub fn back_up(options: &To) -> Result<String, String> {
    let path = embedded(&options.database, "pg_dump --format=custom --file=FILE URL")?;
    let held = backup::back_up(path, &options.to).map_err(|e| e.to_string())?;
    Ok(format!("{}: {held}", options.to.display()))
}

/// Puts a backup back and says what the database holds now.
pub fn restore(options: &From) -> Result<String, String> {
    let path = embedded(&options.database, "pg_restore --clean --if-exists --dbname=URL FILE")?;
    let held = backup::restore(&options.from, path).map_err(|e| e.to_string())?;
    Ok(format!("{}: {held}", path.display()))
}

fn embedded<'a>(database: &'a Database, instead: &str) -> Result<&'a Path, String> {
    database.check()?;
    let path = database.database_url.strip_prefix("sqlite://").map(Path::new);
    path.ok_or_else(|| format!("this is for the embedded database; for PostgreSQL use its own: {instead}"))
}
