//! Sales: orders from being written to having arrived, the promises before them, and what accounting invoices of them.

mod account_tree;
mod address;
mod amend;
pub mod confirm;
mod goods;
mod guards;
mod hold;
pub mod order;
mod pricing;
pub mod promise;
pub mod release;
pub mod retention;
pub mod shipment;

use crate::credit::{check, known::not_in_balance};
use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR, SALES_MANAGER, SELLING, WAREHOUSE};
use samphan_domain::sales::tax_rate::TaxRate;
use samphan_persistence::{store::Work, visibility};
use samphan_resource::{
    error::{Code, Error, Result},
    example,
};
use samphan_rest::{
    collection::{Api, Collection},
    example::Example,
    module::Module,
    presets::Presets,
};
use serde_json::json;
use uuid::Uuid;

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).guards(guards::register).timer("expire", release::expire).task(release::task())
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(
            SELLING,
            "orders",
            &["read", "create", "update", "submit", "confirm", "hold", "amend", "cancel", "close", "reopen", "allocate-stock"],
        )
        .grant(SELLING, "order-promises", &["read", "create", "release"])
        .grant(SELLING, "order-holds", &["read"])
        .grant(SELLING, "shipments", &["read"])
        .grant_over_all(SELLING, "tax-rates", &["read"])
        .grant(&[SALES_MANAGER], "orders", &["assign", "set-price", "release", "delete"])
        .grant(&[SALES_MANAGER], "order-promises", &["assign"])
        .grant(&[SALES_MANAGER], "order-holds", &["release", "reject", "escalate"])
        .grant(&[WAREHOUSE], "orders", &["read", "create-shipment", "allocate-stock"])
        .grant(&[WAREHOUSE], "shipments", &["read", "update", "pick", "pack", "ship", "deliver", "fail", "cancel"])
        .grant(&[ACCOUNTING], "orders", &["read", "release"])
        .grant(&[ACCOUNTING], "order-holds", &["read", "release", "release-credit", "reject", "escalate"])
        .grant(&[ACCOUNTING], "shipments", &["read"])
        .grant(&[ACCOUNTING], "tax-rates", &["read", "create", "update"])
        .grant(&[CONNECTOR], "orders", &["read"])
        .grant(&[CONNECTOR], "shipments", &["read"])
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(tax_rates())
        .collection(order::routes())
        .collection(hold::routes())
        .collection(promise::routes())
        .collection(shipment::routes())
        .operations(vec![account_tree::operation()])
        .schema::<account_tree::AccountTree>()
}

fn tax_rates() -> Collection<TaxRate> {
    // The first one is in use by the product of the examples.
    let other = || Example::default().for_record("other_tax_rates").persists();
    let rate = json!({"id": example::id("other_tax_rates"), "code": "VAT0", "name": "VAT 0 %", "rate": "0"});
    Collection::new("prices")
        .with_crud()
        .example_of("batchTaxRates", Example::body(json!({"mode": "upsert", "items": [rate]})).answers(
            json!({"results": [{"index": 0, "status": "created", "id": example::id("other_tax_rates"), "version": 1}], "summary": {"updated": 0, "created": 1}}),
        ))
        .example_of("deleteTaxRate", other())
        .example_of("restoreTaxRate", other().depends_on(&["deleteTaxRate"]))
}

/// What is to become of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person behind it is forgotten. The record stays, with what is owed and what accounting calls it.
    Erasure,
    /// It is deleted.
    Deletion,
}

/// Refuses while business is open with a customer: promises that hold and orders that are not done; before a deletion, also what is delivered and
/// not invoiced, and what is owed either way. Promises to the customer stand in the same line, so none comes in between.
pub async fn refuse_while_open(work: &Work, account: Uuid, ending: Ending) -> Result<()> {
    check::lock_group(work, account).await?;
    let mut sql = work.sql();
    sql.push("SELECT 'orders', t.id FROM orders t WHERE t.deleted_at IS NULL AND (t.status NOT IN ('fulfilled', 'closed', 'cancelled')");
    if ending == Ending::Deletion {
        sql.push(" OR t.open_amount > 0");
    }
    sql.push(") AND t.account_id = ").id(account);
    sql.push(" UNION ALL SELECT 'order_promises', t.id FROM order_promises t WHERE t.deleted_at IS NULL AND t.status = 'active' ");
    sql.push("AND t.account_id = ").id(account);
    if ending == Ending::Deletion {
        sql.push(" UNION ALL SELECT 'credit_balances', t.id FROM credit_balances t WHERE t.deleted_at IS NULL ");
        sql.push("AND (t.receivable <> 0 OR t.unbilled_deliveries <> 0 OR t.open_orders <> 0) AND t.account_id = ").id(account);
        sql.push(" UNION ALL SELECT 'order_invoices', i.id FROM order_invoices i WHERE i.deleted_at IS NULL AND i.owed_amount <> 0 ");
        sql.push("AND i.account_id = ").id(account);
        not_in_balance(&mut sql);
    }
    sql.push(" LIMIT 100");
    let open = work.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await?;
    if open.is_empty() {
        return Ok(());
    }
    let mut refusal = Error::from(Code::InUse).with_detail("business is under way");
    for many in ["orders", "order_promises", "credit_balances", "order_invoices"] {
        let ids = open.iter().filter(|(of, _)| of == many).map(|(_, id)| *id);
        for id in visible(work, many, ids).await?.into_iter().take(20) {
            refusal = refusal.with_conflict(many, id, "account_id");
        }
    }
    Err(refusal)
}

/// Those of some records that the caller sees: others are not named.
async fn visible(work: &Work, many: &'static str, ids: impl Iterator<Item = Uuid>) -> Result<Vec<Uuid>> {
    let shape = work.shape(many)?;
    if !visibility::may_read(work, shape) {
        return Ok(vec![]);
    }
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM ").push(many).push(" t WHERE t.id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    sql.push(" ORDER BY t.id");
    work.fetch(sql, |row| row.id(0)).await
}
