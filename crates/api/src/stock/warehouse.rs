//! How warehouses are reached.

use crate::rest::collection::Collection;
use samphan_domain::{
    error::{Code, Error, Result},
    resource::Resource,
    stock::warehouse::{Warehouse, WarehouseStatus},
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use uuid::Uuid;

/// Warehouses.
#[must_use]
pub fn routes() -> Collection<Warehouse> {
    Collection::new("stock")
        .delete(delete)
        .writes()
        .plain_action("close", "Close a warehouse", async |work: &Work, w: Stored<Warehouse>| {
            turn(work, w, WarehouseStatus::Active, WarehouseStatus::Closed, "closed").await
        })
        .plain_action("reopen", "Use a warehouse again", async |work: &Work, w: Stored<Warehouse>| {
            turn(work, w, WarehouseStatus::Closed, WarehouseStatus::Active, "reopened").await
        })
}

async fn turn(work: &Work, before: Stored<Warehouse>, from: WarehouseStatus, to: WarehouseStatus, what: &str) -> Result<Stored<Warehouse>> {
    if before.data.status != from {
        let status = if before.data.status == WarehouseStatus::Active { "active" } else { "closed" };
        return Err(Error::from(Code::IllegalTransition).allowing(Warehouse::actions(status).iter().copied()));
    }
    if to == WarehouseStatus::Closed {
        expect_unused(work, before.id(), Use::Promised).await?;
    }
    let mut after = before.clone();
    after.data.status = to;
    stored::save(work, &before, after, what, None).await
}

async fn delete(work: &Work, found: &Stored<Warehouse>) -> Result<()> {
    expect_unused(work, found.id(), Use::Kept).await?;
    stored::delete(work, found).await
}

/// What a warehouse must not have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Goods that are put aside.
    Promised,
    /// Goods at all.
    Kept,
}

/// Refuses when the warehouse has goods that are put aside, or goods at all.
async fn expect_unused(work: &Work, id: Uuid, used: Use) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM stock_levels t WHERE t.deleted_at IS NULL AND t.warehouse_id = ").id(id);
    sql.push(if used == Use::Promised { " AND t.reserved <> 0" } else { " AND (t.reserved <> 0 OR t.on_hand <> 0)" });
    sql.push(" ORDER BY t.id LIMIT 1");
    match work.fetch_one(sql, |row| row.id(0)).await? {
        Some(level) => Err(Error::from(Code::InUse).against("stock_levels", level, "warehouse_id")),
        None => Ok(()),
    }
}
