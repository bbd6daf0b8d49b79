//! Unmatched pushes: mapping a customer number applies what was kept for it.

use super::push::{Ledger, apply as push};
use samphan_domain::{
    error::{Code, Error, Result},
    id::AccountId,
    integration::{credit_balance::CreditItem, external_reference::ExternalReference},
    scalar::{Kind, Scalar},
};
use samphan_persistence::store::Work;

/// Applies the pushes kept for a customer number that has just been mapped to an account.
pub async fn apply(work: &Work, mapped: &ExternalReference) -> Result<()> {
    if mapped.resource != "accounts" {
        return Ok(());
    }
    let mut sql = work.sql();
    sql.push("SELECT id, entity, currency, item FROM unmatched_credits WHERE deleted_at IS NULL AND system = ").text(mapped.system.clone());
    sql.push(" AND external_id = ").text(mapped.external_id.clone()).push(" ORDER BY id");
    let kept = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?, row.text(3)?))).await?;
    for (id, entity, currency, item) in kept {
        let item: CreditItem = serde_json::from_str(&item).map_err(|_| Error::from(Code::Internal))?;
        let item = CreditItem { external_id: None, account_id: Some(AccountId(mapped.record_id)), ..item };
        push(work, &Ledger { system: mapped.system.clone(), entity, currency }, None, vec![Ok(item)]).await?;
        let mut sql = work.sql();
        sql.push("UPDATE unmatched_credits SET deleted_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE id = ").id(id);
        work.execute(sql).await?;
    }
    Ok(())
}
