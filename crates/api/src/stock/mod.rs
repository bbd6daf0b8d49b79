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

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR, SELLING, WAREHOUSE};
use samphan_rest::{collection::Api, module::Module, presets::Presets};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).guards(guards::register).timer("expire", ledger::expire)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant_over_all(SELLING, "warehouses", &["read"])
        .grant_over_all(SELLING, "stock-levels", &["read"])
        .grant(&[WAREHOUSE, ACCOUNTING, CONNECTOR], "warehouses", &["read"])
        .grant(&[WAREHOUSE], "stock-movements", &["read"])
        .grant(&[WAREHOUSE], "stock-reservations", &["read"])
        .grant(&[WAREHOUSE], "stock-levels", &["read", "receive", "transfer", "adjust"])
        .grant(&[ACCOUNTING], "stock-levels", &["read", "sync"])
        .grant(&[CONNECTOR], "stock-levels", &["sync"])
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    let api = api.collection(warehouse::routes()).collection(stock_level::routes()).collection(stock_reservation::routes());
    stock_sync::routes(stock_movement::routes(api))
}
