//! How warehouses are reached.

use super::stock_level::{Use, expect_unused};
use samphan_domain::stock::warehouse::{Warehouse, WarehouseStatus};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    example,
    resource::Resource,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Warehouses.
#[must_use]
pub fn routes() -> Collection<Warehouse> {
    Collection::new("stock")
        .writes()
        .example_of(
            "batchWarehouses",
            Example::body(json!({"mode": "upsert", "items": [{"id": example::id("other_warehouses"), "code": "CNX1", "name": "Chiang Mai", "country": "TH"}]}))
                .answers(json!({"results": [{"index": 0, "status": "created", "id": example::id("other_warehouses"), "version": 1}], "summary": {"updated": 0, "created": 1}})),
        )
        .plain_action("close", "Close a warehouse", async |work: &Work, w: Stored<Warehouse>| {
            turn(work, w, WarehouseStatus::Active, WarehouseStatus::Closed, "closed").await
        })
        .example(Example::default().about("other_warehouses").answers(json!({"status": "closed"})).kept())
        .plain_action("reopen", "Use a warehouse again", async |work: &Work, w: Stored<Warehouse>| {
            turn(work, w, WarehouseStatus::Closed, WarehouseStatus::Active, "reopened").await
        })
        .example(Example::default().about("other_warehouses").after(&["closeWarehouse"]).kept())
}

async fn turn(work: &Work, before: Stored<Warehouse>, from: WarehouseStatus, to: WarehouseStatus, what: &str) -> Result<Stored<Warehouse>> {
    if before.data.status != from {
        let status = if before.data.status == WarehouseStatus::Active { "active" } else { "closed" };
        return Err(Error::from(Code::IllegalTransition).allowing(Warehouse::actions(status).iter().copied()));
    }
    if to == WarehouseStatus::Closed {
        expect_unused(work, "warehouse_id", before.id(), Use::Promised).await?;
    }
    let mut after = before.clone();
    after.data.status = to;
    stored::save(work, &before, after, what, None).await
}
