//! Levels, lots and serial numbers made anew from the ledger and the reservations that hold, or only held against
//! them.

use super::{
    ledger::Key,
    levels::{Facts, Level, Levels},
    rebuild_identities,
};
use samphan_persistence::{
    clock,
    dialect::Dialect,
    store::{Store, Work},
};
use samphan_resource::{caller::Caller, error::Result, money::SignedQuantity};
use std::{collections::BTreeSet, sync::Arc};
use uuid::Uuid;

/// Levels, lots or serial numbers put right in one work.
const AT_ONCE: usize = 500;

/// What is not kept as the ledger says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A level.
    Level {
        /// Its product and warehouse.
        key: Key,
        /// On hand as kept, and as the movements add up.
        on_hand: (SignedQuantity, SignedQuantity),
        /// Reserved as kept, and as the reservations add up.
        reserved: (SignedQuantity, SignedQuantity),
    },
    /// A serial number.
    Serial {
        /// Its product.
        product_id: Uuid,
        /// The number.
        serial_no: String,
        /// The warehouse it is kept in, and the one the movements leave it in; none where it is not on hand.
        warehouse: (Option<Uuid>, Option<Uuid>),
    },
    /// A lot.
    Lot {
        /// Its product and warehouse.
        key: Key,
        /// The number.
        lot_no: String,
        /// How much there is as kept, and as the movements add up.
        quantity: (SignedQuantity, SignedQuantity),
    },
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Level { key: (product, warehouse), on_hand, reserved } => {
                write!(f, "product {product} warehouse {warehouse}: ")?;
                write!(f, "on_hand {} is {}, reserved {} is {}", on_hand.0, on_hand.1, reserved.0, reserved.1)
            }
            Self::Serial { product_id, serial_no, warehouse: (kept, ledger) } => {
                let place = |at: &Option<Uuid>| at.map_or_else(|| "none".to_owned(), |id| id.to_string());
                write!(f, "product {product_id} serial number {serial_no}: warehouse {} is {}", place(kept), place(ledger))
            }
            Self::Lot { key: (product, warehouse), lot_no, quantity: (kept, ledger) } => {
                write!(f, "product {product} warehouse {warehouse} lot {lot_no}: {kept} is {ledger}")
            }
        }
    }
}

/// The levels, lots and serial numbers that differ.
pub async fn check(store: &Store) -> Result<Vec<Difference>> {
    let work = begin(store).await?;
    let mut found = differences(&work).await?;
    found.extend(rebuild_identities::differences(&work).await?);
    work.roll_back().await?;
    Ok(found)
}

/// Puts right the levels, lots and serial numbers that differ, and answers them.
pub async fn rebuild(store: &Store) -> Result<Vec<Difference>> {
    let all = check(store).await?;
    for some in all.chunks(AT_ONCE) {
        let work = begin(store).await?;
        let keys: BTreeSet<Key> = some.iter().filter_map(level).collect();
        let mut levels = Levels::open(&work, keys, Facts::may_be_kept).await?;
        // Levels are held against the ledger as they are kept, what is overdue having ended meanwhile.
        levels.by_key.values_mut().for_each(Level::forget);
        // Read again, now that they are locked.
        for difference in differences(&work).await? {
            let Difference::Level { key, on_hand, reserved } = difference else { continue };
            let Some(level) = levels.by_key.get_mut(&key) else { continue };
            level.on_hand = on_hand.1.0;
            level.reserved = reserved.1.0;
            level.settle(true);
            level.reason = Some("rebuilt from the ledger".to_owned());
        }
        levels.close().await?;
        work.commit().await?;
    }
    for some in all.chunks(AT_ONCE) {
        let work = begin(store).await?;
        rebuild_identities::put_right(&work, some).await?;
        work.commit().await?;
    }
    Ok(all)
}

const fn level(difference: &Difference) -> Option<Key> {
    match difference {
        Difference::Level { key, .. } => Some(*key),
        _ => None,
    }
}

async fn begin(store: &Store) -> Result<Work> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
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
            |place: usize| Ok::<_, samphan_resource::error::Error>((SignedQuantity(row.int(place)?), SignedQuantity(row.int(place + 1)?)));
        Ok(Difference::Level { key: (row.id(0)?, row.id(1)?), on_hand: pair(2)?, reserved: pair(4)? })
    })
    .await
}
