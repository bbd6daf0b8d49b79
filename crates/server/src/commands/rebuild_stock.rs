//! `samphan stock rebuild`.

use crate::config::Database;
use clap::{Args, Subcommand};
use samphan_api::{
    openapi,
    stock::rebuild::{check, rebuild},
};
use samphan_persistence::{
    migrate,
    store::{DatabaseOptions, Store},
};

/// What to do with stock.
#[derive(Clone, Debug, Subcommand)]
pub enum StockCommand {
    /// Make stock levels, lots and serial numbers anew from the ledger of movements and the reservations that hold; safe while the
    /// service runs.
    Rebuild(Options),
}

/// How to rebuild.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Only report what differs, and end with status 1 when anything does.
    #[arg(long)]
    pub check: bool,
}

/// Reports or puts right what differs, saying each; answers how many did.
pub async fn run(options: &Options, say: impl Fn(&str) + Sync) -> Result<usize, String> {
    options.database.check()?;
    let opening = DatabaseOptions { url: options.database.database_url.clone(), connections: 1, full_sync: true };
    let store = Store::open(&opening, openapi::shapes()).await.map_err(|e| e.to_string())?;
    migrate::migrate_with_progress(&store, &|building| say(&building.to_string())).await.map_err(|e| e.to_string())?;
    let found = if options.check { check(&store).await } else { rebuild(&store).await }.map_err(|e| e.to_string())?;
    found.iter().for_each(|difference| say(&difference.to_string()));
    Ok(found.len())
}
