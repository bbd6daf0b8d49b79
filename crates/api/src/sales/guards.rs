//! Rules of sales for customers: a customer with open orders, promises or balances is not deleted or erased, and blocking a customer waits
//! for orders that are being confirmed.

use super::{Ending, refuse_while_open};
use crate::credit::check;
use samphan_domain::customers::account::{Account, LifecycleStage};
use samphan_persistence::{
    guard::{Check, Guard, Guards},
    record::{Record, id_of},
    store::Work,
};
use samphan_resource::{error::Result, resource::Resource, shape::Shape};
use serde_json::Value;
use uuid::Uuid;

/// Registers the rules.
#[must_use]
pub fn register(guards: Guards) -> Guards {
    guards.on_change(Account::PLURAL, OpenBusiness).on_erasure(Account::PLURAL, check_erasure)
}

/// Refuses to delete a customer with open business. A change to `blocked` takes the lock that confirming takes, so an order is confirmed
/// before it or refused after it.
#[derive(Debug)]
struct OpenBusiness;

impl Guard for OpenBusiness {
    fn is_about_one(&self) -> bool {
        true
    }

    fn check<'a>(&'a self, work: &'a Work, _: &'static Shape, before: &'a Record, after: Option<&'a Record>) -> Check<'a> {
        Box::pin(check_change(work, before, after))
    }
}

async fn check_change(work: &Work, before: &Record, after: Option<&Record>) -> Result<()> {
    let is_blocked = |account: &Record| account.get("lifecycle_stage").and_then(Value::as_str) == Some(LifecycleStage::Blocked.as_str());
    match after {
        None => refuse_while_open(work, id_of(before), Ending::Deletion).await,
        Some(after) if is_blocked(after) && !is_blocked(before) => check::lock_group(work, id_of(before)).await.map(|_| ()),
        Some(_) => Ok(()),
    }
}

fn check_erasure(work: &Work, account: Uuid) -> Check<'_> {
    Box::pin(refuse_while_open(work, account, Ending::Erasure))
}
