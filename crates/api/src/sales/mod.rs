//! Sales: orders from being written to having arrived, the promises before them, and what accounting invoices of them.

mod address;
mod amend;
pub mod confirm;
mod goods;
mod hold;
pub mod invoice;
pub mod order;
mod pricing;
pub mod promise;
pub mod release;
pub mod shipment;

use crate::rest::collection::{Api, Collection};
use samphan_domain::{
    error::{Code, Error, Result},
    sales::tax_rate::TaxRate,
};
use samphan_persistence::store::Work;
use uuid::Uuid;

/// The area's routes.
#[must_use]
pub fn routes(api: Api) -> Api {
    api.collection(Collection::<TaxRate>::new("prices").writes())
        .collection(order::routes())
        .collection(hold::routes())
        .collection(promise::routes())
        .collection(shipment::routes())
        .collection(invoice::routes())
}

/// Refuses while business is under way with a customer: a promise that holds, an order that is not done.
pub async fn refuse_while_open(work: &Work, account: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push(
        "SELECT 'orders', id FROM orders WHERE deleted_at IS NULL AND status NOT IN ('fulfilled', 'closed', 'cancelled') AND account_id = ",
    );
    sql.id(account);
    sql.push(" UNION ALL SELECT 'order_promises', id FROM order_promises WHERE deleted_at IS NULL AND status = 'active' AND account_id = ");
    sql.id(account).push(" LIMIT 20");
    let open = work.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await?;
    let refusal = Error::from(Code::InUse).about("business is under way");
    match open.is_empty() {
        true => Ok(()),
        false => Err(open.into_iter().fold(refusal, |refusal, (many, id)| refusal.against(&many, id, "account_id"))),
    }
}
