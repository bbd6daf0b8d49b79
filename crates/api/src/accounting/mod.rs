//! Accounting: the balances it pushes and what becomes of them, and what it invoiced of orders.

pub mod balances;
mod included;
pub mod invoice;
pub mod ledger;
pub mod push;
pub mod reconciliation;
pub mod snapshot;
pub mod unmatched;

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR};
use samphan_domain::integration::{
    credit_balance::CreditBalance, credit_balance_change::CreditBalanceChange, unmatched_credit::UnmatchedCredit,
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).guards(unmatched::register)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(&[ACCOUNTING], "credit-balances", &["read", "push"])
        .grant(&[ACCOUNTING], "credit-balance-history", &["read"])
        .grant(&[ACCOUNTING], "credit-snapshots", &["read", "create", "complete"])
        .grant(&[ACCOUNTING], "unmatched-credits", &["read"])
        .grant(&[ACCOUNTING], "order-invoices", &["read", "create", "update"])
        .grant(&[CONNECTOR], "credit-balances", &["read", "push"])
        .grant(&[CONNECTOR], "credit-snapshots", &["read", "create", "complete"])
        .grant(&[CONNECTOR], "unmatched-credits", &["read"])
        .grant(&[CONNECTOR], "order-invoices", &["read", "create", "update"])
}

fn routes(api: Api) -> Api {
    let api = api
        .collection(invoice::routes())
        .collection(Collection::<CreditBalance>::new("credit"))
        .collection(Collection::<CreditBalanceChange>::at_path("credit", "/v1/credit-balances/history"))
        .collection(Collection::<UnmatchedCredit>::at_path("credit", "/v1/credit-balances/unmatched"))
        .collection(snapshot::routes())
        .operations(push::routes())
        .operations(reconciliation::routes())
        .schema::<push::CreditBatch>()
        .schema::<reconciliation::Reconciliation>();
    push::schemas(api)
}
