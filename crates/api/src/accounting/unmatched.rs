//! Unmatched pushes: mapping a customer number applies what was kept for it.

use super::{
    included::Included,
    push::{Accounts, Ledger, stand_in_line, take},
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
    guards.on_binding(Account::MANY, |work, mapped| Box::pin(apply(work, mapped)))
}

/// Applies the pushes kept for a customer number that has just been mapped to an account.
async fn apply(work: &Work, mapped: &ExternalReference) -> Result<()> {
    stand_in_line(work, &mapped.system).await?;
    let mut sql = work.sql();
    sql.push("SELECT id, entity, currency, items FROM unmatched_credits WHERE deleted_at IS NULL AND system = ")
        .text(mapped.system.clone());
    sql.push(" AND external_id = ").text(mapped.external_id.clone()).push(" ORDER BY id");
    let kept = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?, row.text(3)?))).await?;
    let account = Accounts::just(mapped.external_id.clone(), mapped.record_id);
    for (id, entity, currency, items) in kept {
        let items: Vec<CreditItem> = serde_json::from_str(&items).map_err(|_| Error::from(Code::Internal))?;
        let items: Vec<Result<CreditItem>> = items.into_iter().map(Ok).collect();
        let ledger = Ledger { system: mapped.system.clone(), entity, currency };
        let included = Included::of_kept(work, &ledger, &items).await?;
        take(work, &ledger, &account, &included, &items).await?;
        let mut sql = work.sql();
        sql.push("UPDATE unmatched_credits SET deleted_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE id = ").id(id);
        work.execute(sql).await?;
    }
    super::snapshot::matched(work, mapped).await
}
