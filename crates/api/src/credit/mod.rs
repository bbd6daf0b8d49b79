//! Credit: what is known of what a customer owes and may owe, and the answer a seller gets.

pub mod check;
mod currencies;
pub mod expiry;
pub mod known;
pub mod policy;
pub mod position;
pub mod profile;

use crate::platform::shipped_roles::{ACCOUNTING, SELLING};
use samphan_background::retention::Rule;
use samphan_domain::{
    customers::account::Account,
    integration::{
        credit_balance::CreditBalance,
        credit_check::{AskCredit, CreditCheckComponent, CreditDecision},
        credit_position::CreditPosition,
        credit_profile::CreditProfile,
    },
};
use samphan_persistence::{store::Reader, stored::Stored};
use samphan_resource::{
    caller::FieldAccess,
    error::Result,
    resource::Resource,
    shape::{Class, Shape},
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};

/// Components of credit checks, for so many days. The checks stay.
#[must_use]
pub fn retention(days: i64) -> Rule {
    let delete = "DELETE FROM credit_check_components WHERE id IN (SELECT id FROM credit_check_components WHERE created_at < ";
    Rule::statement("credit_check_components", days, delete, " ORDER BY created_at")
}

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).timer("expire", expiry::expire)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(SELLING, "credit", &["read", "check"])
        .grant(&[ACCOUNTING], "credit", &["read", "check", "see-ledger"])
        .grant(&[ACCOUNTING], "credit-checks", &["read", "release"])
        .grant(&[ACCOUNTING], "credit-check-components", &["read"])
        .grant(&[ACCOUNTING], "credit-profiles", &["read", "update"])
        .grant(&[ACCOUNTING], "credit-policies", &["read", "create", "update", "activate", "retire"])
}

fn routes(api: Api) -> Api {
    let mut api = api
        .collection(policy::routes())
        .collection(check::routes())
        .collection(Collection::<CreditCheckComponent>::new("credit"))
        .operations(check::operations())
        .operations(position::routes())
        .operations(profile::routes())
        .schema::<CreditPosition>()
        .schema::<AskCredit>()
        .schema::<CreditDecision>();
    // The profile is a singleton below its account, so it has routes of its own; the kernel still knows its shape.
    let profile = Shape::of::<CreditProfile>();
    api.shapes.insert(profile.plural, profile);
    api
}

/// Whether the caller may see the ledger behind an account's credit.
pub fn sees_ledger(reader: &Reader, account: &Stored<Account>) -> Result<bool> {
    let (owner, team) = account.owner();
    Ok(reader.caller.visibility("credit:see-ledger").includes(owner, team) && sees_amounts(reader)?)
}

/// Whether no field rule hides what balances and profiles say of money.
pub fn sees_amounts(reader: &Reader) -> Result<bool> {
    let seen = |shape: &Shape| {
        let amounts = shape.fields.iter().filter(|f| f.class == Class::Financial);
        amounts.into_iter().all(|f| reader.caller.access(shape, f) >= FieldAccess::ReadOnly)
    };
    Ok(seen(reader.shape(CreditBalance::PLURAL)?) && seen(reader.shape(CreditProfile::PLURAL)?))
}
