//! Stock: where goods are kept, how much there is, what moved it, and what is put aside.

mod guards;
mod held;
mod identities;
pub mod ledger;
mod levels;
pub mod rebuild;
mod rebuild_identities;
pub mod stock_level;
pub mod stock_movement;
pub mod stock_reservation;
pub mod stock_sync;
pub mod warehouse;

use samphan_rest::{collection::Api, module::Module};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).guards(guards::register).timer("expire", ledger::expire)
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    let api = api.collection(warehouse::routes()).collection(stock_level::routes()).collection(stock_reservation::routes());
    stock_sync::routes(stock_movement::routes(api))
}
