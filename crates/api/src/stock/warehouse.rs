//! How warehouses are reached.

use super::stock_level::{Use, expect_unused};
use samphan_domain::stock::warehouse::Warehouse;
use samphan_persistence::{store::Work, stored::Stored};
use samphan_resource::example;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Warehouses.
#[must_use]
pub fn routes() -> Collection<Warehouse> {
    Collection::new("stock")
        .with_crud()
        .example_of(
            "batchWarehouses",
            Example::body(json!({"mode": "upsert", "items": [{"id": example::id("other_warehouses"), "code": "CNX1", "name": "Chiang Mai", "country": "TH"}]}))
                .answers(json!({"results": [{"index": 0, "status": "created", "id": example::id("other_warehouses"), "version": 1}], "summary": {"updated": 0, "created": 1}})),
        )
        .transition_with("close", "Close a warehouse", async |work: &Work, w: &Stored<Warehouse>, _: &mut Warehouse| {
            expect_unused(work, "warehouse_id", w.id(), Use::Promised).await
        })
        .example(Example::default().for_record("other_warehouses").answers(json!({"status": "closed"})).persists())
        .transition("reopen", "Reopen a warehouse")
        .example(Example::default().for_record("other_warehouses").depends_on(&["closeWarehouse"]).persists())
}
