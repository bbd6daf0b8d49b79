//! `samphan stock rebuild`: levels made anew from the ledger and the reservations that hold, or only held against them.

use super::{
    ledger::Key,
    levels::{Facts, Level, Levels},
};
use crate::{config::Database, openapi, server::now};
use clap::{Args, Subcommand};
use samphan_domain::{caller::Caller, error::Result, money::SignedQuantity};
use samphan_persistence::{
    dialect::Dialect,
    migrate,
    store::{Opening, Store, Work},
};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Levels put right in one work.
const AT_ONCE: usize = 500;

/// What to do with stock.
#[derive(Clone, Debug, Subcommand)]
pub enum StockCommand {
    /// Make stock levels anew from the ledger of movements and the reservations that hold; safe while the service runs.
    Rebuild(Options),
}

/// How to rebuild.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Where the data is.
    #[command(flatten)]
    pub database: Database,
    /// Only report levels that differ, and end with status 1 when there are any.
    #[arg(long)]
    pub check: bool,
}

/// A level that is not what the ledger says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The product.
    pub product_id: Uuid,
    /// The warehouse.
    pub warehouse_id: Uuid,
    /// On hand as kept, and as the movements add up.
    pub on_hand: (SignedQuantity, SignedQuantity),
    /// Reserved as kept, and as the reservations add up.
    pub reserved: (SignedQuantity, SignedQuantity),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { product_id, warehouse_id, on_hand, reserved } = self;
        write!(f, "product {product_id} warehouse {warehouse_id}: ")?;
        write!(f, "on_hand {} is {}, reserved {} is {}", on_hand.0, on_hand.1, reserved.0, reserved.1)
    }
}

/// Reports or puts right what differs, saying each; answers how many did.
pub async fn run(options: &Options, say: impl Fn(&str)) -> Result<usize, String> {
    options.database.check()?;
    let opening = Opening { url: options.database.database_url.clone(), connections: 1, full_sync: true };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.map_err(|e| e.to_string())?;
    migrate::migrate(&store).await.map_err(|e| e.to_string())?;
    let found = if options.check { check(&store).await } else { rebuild(&store).await }.map_err(|e| e.to_string())?;
    found.iter().for_each(|difference| say(&difference.to_string()));
    Ok(found.len())
}

/// The levels that differ.
pub async fn check(store: &Store) -> Result<Vec<Difference>> {
    let work = begin(store).await?;
    let found = differences(&work).await?;
    work.roll_back().await?;
    Ok(found)
}

/// Puts right the levels that differ, and answers them.
pub async fn rebuild(store: &Store) -> Result<Vec<Difference>> {
    let all = check(store).await?;
    for some in all.chunks(AT_ONCE) {
        let work = begin(store).await?;
        let keys: BTreeSet<Key> = some.iter().map(|d| (d.product_id, d.warehouse_id)).collect();
        let mut levels = Levels::open(&work, keys, Facts::may_be_kept).await?;
        // Levels are held against the ledger as they are kept, what is overdue having ended meanwhile.
        levels.by_key.values_mut().for_each(Level::forget);
        // Read again, now that nobody else changes these.
        for difference in differences(&work).await? {
            let Some(level) = levels.by_key.get_mut(&(difference.product_id, difference.warehouse_id)) else { continue };
            level.on_hand = difference.on_hand.1.0;
            level.reserved = difference.reserved.1.0;
            level.settle(true);
            level.reason = Some("rebuilt from the ledger".to_owned());
        }
        levels.close().await?;
        work.commit().await?;
    }
    Ok(all)
}

async fn begin(store: &Store) -> Result<Work> {
    let work = store.work(Arc::new(Caller::system()), now()).await?;
    if store.dialect() == Dialect::Postgres {
        // Adding up a ledger of years may take longer than a request is given.
        let mut sql = work.sql();
        sql.push("SELECT set_config('statement_timeout', '0', true)");
        work.fetch(sql, |_| Ok(())).await?;
    }
    Ok(work)
}

/// One statement, so that it sees one moment: what moves stock changes ledger and level together.
async fn differences(work: &Work) -> Result<Vec<Difference>> {
    let mut sql = work.sql();
    sql.push(
        "WITH m AS (SELECT product_id, warehouse_id, CAST(sum(quantity) AS bigint) AS total FROM stock_movements \
         GROUP BY product_id, warehouse_id), \
         r AS (SELECT product_id, warehouse_id, CAST(sum(quantity - consumed) AS bigint) AS total FROM stock_reservations \
         WHERE deleted_at IS NULL AND status = 'active' GROUP BY product_id, warehouse_id), \
         t AS (SELECT product_id, warehouse_id, on_hand, reserved FROM stock_levels WHERE deleted_at IS NULL), \
         k AS (SELECT product_id, warehouse_id FROM t UNION SELECT product_id, warehouse_id FROM m \
         UNION SELECT product_id, warehouse_id FROM r) \
         SELECT k.product_id, k.warehouse_id, COALESCE(t.on_hand, 0), COALESCE(m.total, 0), COALESCE(t.reserved, 0), COALESCE(r.total, 0) \
         FROM k LEFT JOIN t ON t.product_id = k.product_id AND t.warehouse_id = k.warehouse_id \
         LEFT JOIN m ON m.product_id = k.product_id AND m.warehouse_id = k.warehouse_id \
         LEFT JOIN r ON r.product_id = k.product_id AND r.warehouse_id = k.warehouse_id \
         WHERE COALESCE(t.on_hand, 0) <> COALESCE(m.total, 0) OR COALESCE(t.reserved, 0) <> COALESCE(r.total, 0) \
         ORDER BY k.product_id, k.warehouse_id",
    );
    work.fetch(sql, |row| {
        let pair =
            |place: usize| Ok::<_, samphan_domain::error::Error>((SignedQuantity(row.int(place)?), SignedQuantity(row.int(place + 1)?)));
        Ok(Difference { product_id: row.id(0)?, warehouse_id: row.id(1)?, on_hand: pair(2)?, reserved: pair(4)? })
    })
    .await
}
