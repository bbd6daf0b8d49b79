//! Credit: what accounting pushes, what becomes of it, and the answer a seller gets.

pub mod check;
mod currencies;
pub mod expiry;
pub mod included;
pub mod known;
pub mod policy;
pub mod position;
pub mod profile;
pub mod push;
pub mod reconciliation;
pub mod snapshot;
pub mod unmatched;

use crate::{
    background::retention::Rule,
    rest::collection::{Api, Collection},
};
use samphan_domain::{
    caller::FieldAccess,
    customers::account::Account,
    error::Result,
    integration::{
        credit_balance::CreditBalance,
        credit_balance_change::CreditBalanceChange,
        credit_check::{AskCredit, CreditCheckComponent, CreditDecision},
        credit_position::CreditPosition,
        credit_profile::CreditProfile,
        unmatched_credit::UnmatchedCredit,
    },
    resource::Resource,
    shape::{Class, Shape},
};
use samphan_persistence::{store::Reader, stored::Stored};

/// Components of credit checks, for so many days. The checks stay.
#[must_use]
pub fn retention(days: i64) -> Rule {
    let delete = "DELETE FROM credit_check_components WHERE id IN (SELECT id FROM credit_check_components WHERE created_at < ";
    Rule::statement("credit_check_components", days, delete, " ORDER BY created_at")
}

/// The routes.
#[must_use]
pub fn routes(api: Api) -> Api {
    let api = api
        .collection(Collection::<CreditBalance>::new("credit"))
        .collection(Collection::<CreditBalanceChange>::at("credit", "/v1/credit-balances/history"))
        .collection(Collection::<UnmatchedCredit>::at("credit", "/v1/credit-balances/unmatched"))
        .collection(snapshot::routes())
        .collection(policy::routes())
        .collection(check::routes())
        .collection(Collection::<CreditCheckComponent>::new("credit"))
        .operations(check::operations())
        .operations(push::routes())
        .operations(position::routes())
        .operations(profile::routes())
        .operations(reconciliation::routes())
        .schema::<push::CreditBatch>()
        .schema::<CreditPosition>()
        .schema::<AskCredit>()
        .schema::<CreditDecision>()
        .schema::<reconciliation::Reconciliation>();
    let mut api = push::schemas(api);
    // The profile is a singleton below its account, so it has routes of its own; the kernel still knows its shape.
    let profile = Shape::of::<CreditProfile>();
    api.shapes.insert(profile.many, profile);
    api
}

/// Whether the caller may see the ledger behind an account's credit.
fn sees_ledger(reader: &Reader, account: &Stored<Account>) -> Result<bool> {
    let (owner, team) = account.owner();
    Ok(reader.caller.sight("credit:see-ledger").covers(owner, team) && sees_amounts(reader)?)
}

/// Whether no field rule hides what balances and profiles say of money.
fn sees_amounts(reader: &Reader) -> Result<bool> {
    let seen = |shape: &Shape| {
        let amounts = shape.fields.iter().filter(|f| f.class == Class::Financial);
        amounts.into_iter().all(|f| reader.caller.access(shape, f) >= FieldAccess::ReadOnly)
    };
    Ok(seen(reader.shape(CreditBalance::MANY)?) && seen(reader.shape(CreditProfile::MANY)?))
}
