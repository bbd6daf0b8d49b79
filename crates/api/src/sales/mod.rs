//! Sales: orders from being written to having arrived, the promises before them, and what accounting invoices of them.

mod address;
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
use samphan_domain::sales::tax_rate::TaxRate;

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
