//! Accounting: the balances it pushes and what becomes of them, and what it invoiced of orders.

mod included;
pub mod invoice;
pub mod push;
pub mod reconciliation;
pub mod snapshot;
pub mod unmatched;

use samphan_domain::integration::{
    credit_balance::CreditBalance, credit_balance_change::CreditBalanceChange, unmatched_credit::UnmatchedCredit,
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).guards(unmatched::register)
}

fn routes(api: Api) -> Api {
    let api = api
        .collection(invoice::routes())
        .collection(Collection::<CreditBalance>::new("credit"))
        .collection(Collection::<CreditBalanceChange>::at("credit", "/v1/credit-balances/history"))
        .collection(Collection::<UnmatchedCredit>::at("credit", "/v1/credit-balances/unmatched"))
        .collection(snapshot::routes())
        .operations(push::routes())
        .operations(reconciliation::routes())
        .schema::<push::CreditBatch>()
        .schema::<reconciliation::Reconciliation>();
    push::schemas(api)
}
