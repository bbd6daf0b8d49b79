//! `samphan pipeline rebuild`.

use super::rebuild_stock::Options;
use clap::Subcommand;
use samphan_api::{
    openapi,
    presales::rebuild::{check, rebuild},
};
use samphan_persistence::{
    migrate,
    store::{DatabaseOptions, Store},
};

/// What to do with pipelines.
#[derive(Clone, Debug, Subcommand)]
pub enum PipelineCommand {
    /// Count the totals of boards anew from the opportunities; safe while the service runs.
    Rebuild(Options),
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
