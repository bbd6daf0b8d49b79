//! Unmatched pushes: mapping a customer number applies what was kept for it.

use super::{
    balances::take,
    included::Included,
    ledger::{Accounts, Ledger, lock_system},
};
use samphan_domain::{customers::account::Account, integration::credit_item::CreditItem};
use samphan_persistence::{guard::Guards, store::Work};
use samphan_resource::{
    builtin::external_reference::ExternalReference,
    error::{Code, Error, Result},
    resource::Resource,
    scalar::{Kind, Scalar},
};

/// Registers that mapping a customer number applies what was pushed for it.
#[must_use]
pub fn register(guards: Guards) -> Guards {
    guards.on_binding(Account::PLURAL, |work, mapped| Box::pin(apply(work, mapped)))
}

/// Applies the pushes kept for customer numbers of one system that have just been mapped to accounts.
async fn apply(work: &Work, mapped: &[ExternalReference]) -> Result<()> {
    let Some(system) = mapped.first().map(|one| one.system.clone()) else { return Ok(()) };
    lock_system(work, &system).await?;
    let mut sql = work.sql();
    let numbers = mapped.iter().map(|one| Scalar::Text(one.external_id.clone()));
    sql.push("SELECT t.id, t.entity, t.currency, t.items, t.external_id");
    sql.from_each("unmatched_credits", "t", "external_id", Kind::Text, numbers).push(" AND t.system = ").text(system.clone());
    sql.push(" ORDER BY t.id");
    let kept = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?))).await?;
    for (id, entity, currency, items, external_id) in kept {
        let Some(record) = mapped.iter().find(|one| one.external_id == external_id).map(|one| one.record_id) else { continue };
        let account = Accounts::just(external_id, record);
        let items: Vec<CreditItem> = serde_json::from_str(&items).map_err(|_| Error::from(Code::Internal))?;
        let items: Vec<Result<CreditItem>> = items.into_iter().map(Ok).collect();
        let ledger = Ledger { system: system.clone(), entity, currency };
        let included = Included::of_kept(work, &ledger, &items).await?;
        take(work, &ledger, &account, &included, &items).await?;
        let mut sql = work.sql();
        sql.push("UPDATE unmatched_credits SET deleted_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE id = ").id(id);
        work.execute(sql).await?;
    }
    super::snapshot::matched(work, &system, mapped).await
}
