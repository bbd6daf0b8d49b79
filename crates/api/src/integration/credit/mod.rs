//! Credit: what accounting pushes, what becomes of it, and the answer a seller gets.

pub mod position;
pub mod profile;
pub mod push;
pub mod reconciliation;
pub mod snapshot;
pub mod unmatched;

use crate::rest::collection::{Api, Collection};
use samphan_domain::{
    integration::{
        credit_balance::{CreditBalance, CreditBalanceChange},
        credit_position::CreditPosition,
        credit_profile::CreditProfile,
        unmatched_credit::UnmatchedCredit,
    },
    shape::Shape,
};

/// The routes.
#[must_use]
pub fn routes(api: Api) -> Api {
    let api = api
        .collection(Collection::<CreditBalance>::new("credit"))
        .collection(Collection::<CreditBalanceChange>::at("credit", "/v1/credit-balances/history"))
        .collection(Collection::<UnmatchedCredit>::at("credit", "/v1/credit-balances/unmatched"))
        .collection(snapshot::routes())
        .operations(push::routes())
        .operations(position::routes())
        .operations(profile::routes())
        .operations(reconciliation::routes())
        .schema::<push::CreditBatch>()
        .schema::<CreditPosition>()
        .schema::<reconciliation::Reconciliation>();
    let mut api = push::schemas(api);
    // The profile is a singleton below its account, so it has routes of its own; the kernel still knows its shape.
    let profile = Shape::of::<CreditProfile>();
    api.shapes.insert(profile.many, profile);
    api
}
