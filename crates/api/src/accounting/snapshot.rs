//! Snapshots: a full push, closed by control totals, after which what it did not have is marked missing.

use super::ledger::{Ledger, expect_ledger, lock_system};
use samphan_domain::integration::{
    credit_item::CreditItem,
    credit_snapshot::{ControlTotals, CreditSnapshot, SnapshotStatus},
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::external_reference::ExternalReference,
    error::{Code, Error, FieldCode, FieldError, Result},
    event::Event,
    example,
    money::Amount,
    scalar::{Kind, Scalar},
};
use samphan_rest::{collection::Collection, example::Example, external::known_system};
use serde_json::{Map, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Snapshots.
#[must_use]
pub fn routes() -> Collection<CreditSnapshot> {
    Collection::at_path("credit", "/v1/credit-balances/snapshots")
        .create(create)
        .with_create()
        .action("complete", "Complete a credit snapshot. Its control totals are checked.", complete)
        .example(
            Example::body(json!({"items": 2, "receivable_total": "126200.00"})).depends_on(&["batchCreditBalances"]).answers(
                json!({"status": "complete", "received_items": 2, "receivable_total": "126200.00", "completed_at": example::MOMENT}),
            ),
        )
}

/// Opens a snapshot.
pub async fn create(work: &Work, draft: Stored<CreditSnapshot>) -> Result<Stored<CreditSnapshot>> {
    let CreditSnapshot { system, entity, currency, .. } = draft.data.clone();
    expect_ledger(work, &Ledger { system, entity, currency }).await?;
    stored::insert(work, draft).await
}

/// Refuses a batch that names a snapshot of another ledger, or one that is complete.
pub async fn expect_open(work: &Work, id: Uuid, ledger: &Ledger) -> Result<()> {
    let wrong = |code, about| Error::invalid(FieldError::new("/snapshot_id", code, about));
    let found = stored::find_one_by::<CreditSnapshot>(work, "id", Scalar::Id(id)).await?;
    let snapshot = found.ok_or_else(|| wrong(FieldCode::UnknownReference, "credit_snapshots"))?.data;
    if (snapshot.system, snapshot.entity, snapshot.currency) != (ledger.system.clone(), ledger.entity.clone(), ledger.currency.clone()) {
        return Err(wrong(FieldCode::OtherLedger, "a snapshot of the same system, entity and currency"));
    }
    if snapshot.status == SnapshotStatus::Complete {
        return Err(Error::from(Code::IllegalTransition).with_detail("the snapshot is complete"));
    }
    Ok(())
}

/// Notes which customers a batch had, mapped or not: each once, by the name it was sent under, with its newest receivable.
pub async fn count<'a>(work: &Work, snapshot: Uuid, items: impl Iterator<Item = (&'a CreditItem, Option<Uuid>)>) -> Result<()> {
    let mut newest = BTreeMap::new();
    for (item, account) in items {
        let name = item.external_id.clone().or_else(|| Some(item.account_id?.0.to_string())).unwrap_or_default();
        let told = (item.names_exposure().then_some(item.as_of), item.receivable.unwrap_or_default());
        let kept = newest.entry(name).or_insert((account, told));
        kept.1 = kept.1.max(told);
    }
    let columns = [
        ("snapshot_id", Kind::Id),
        ("external_key", Kind::Text),
        ("account_id", Kind::Id),
        ("as_of", Kind::Time),
        ("receivable", Kind::Int),
    ];
    let rows = newest.into_iter().map(|(name, (account, (as_of, receivable)))| {
        let receivable = as_of.map_or(Scalar::Null, |_| Scalar::Int(receivable.0));
        let account = account.map_or(Scalar::Null, Scalar::Id);
        vec![Scalar::Id(snapshot), Scalar::Text(name), account, Scalar::Time(as_of.unwrap_or(work.now)), receivable]
    });
    let ending = "ON CONFLICT (snapshot_id, external_key) DO UPDATE SET as_of = excluded.as_of, receivable = excluded.receivable \
        WHERE excluded.receivable IS NOT NULL AND (credit_snapshot_items.receivable IS NULL \
        OR (excluded.as_of, excluded.receivable) > (credit_snapshot_items.as_of, credit_snapshot_items.receivable))";
    work.insert("credit_snapshot_items", &columns, rows.collect(), ending).await.map(|_| ())
}

/// Customers that came in before they were mapped are not missing.
pub async fn matched(work: &Work, system: &str, mapped: &[ExternalReference]) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM credit_snapshots t WHERE t.deleted_at IS NULL AND t.status = 'open' AND t.system = ")
        .text(system)
        .push(" LIMIT 1");
    if work.count(sql).await? == 0 {
        return Ok(());
    }
    for one in mapped {
        mark_matched(work, one).await?;
    }
    Ok(())
}

async fn mark_matched(work: &Work, mapped: &ExternalReference) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE credit_snapshot_items SET account_id = ").id(mapped.record_id).push(" WHERE account_id IS NULL AND external_key = ");
    sql.text(mapped.external_id.clone()).push(" AND snapshot_id IN (SELECT id FROM credit_snapshots WHERE status = 'open' AND system = ");
    sql.text(mapped.system.clone()).push(")");
    work.execute(sql).await.map(|_| ())
}

/// Closes a snapshot whose control totals match, and marks missing what it did not have.
pub async fn complete(work: &Work, before: Stored<CreditSnapshot>, totals: ControlTotals) -> Result<Stored<CreditSnapshot>> {
    known_system(work, &before.data.system).await?;
    lock_system(work, &before.data.system).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*), ");
    sql.amount_sum(&["receivable"]);
    sql.push(" FROM credit_snapshot_items t WHERE t.snapshot_id = ").id(before.id());
    let (items, receivable) =
        work.fetch_one(sql, |row| Ok((row.int(0)?, Amount::of_parts(row.int(1)?, row.int(2)?)))).await?.unwrap_or_default();
    let mut faults = vec![];
    if totals.items != items || before.data.expected_items != items {
        faults.push(FieldError::new(
            "/items",
            FieldCode::ControlTotalMismatch,
            format!("{items} came in, {} were expected", before.data.expected_items),
        ));
    }
    if totals.receivable_total != receivable {
        faults.push(FieldError::new("/receivable_total", FieldCode::ControlTotalMismatch, format!("{receivable} came in")));
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ControlTotalMismatch).with_field_errors(faults));
    }
    let missing = mark_missing(work, &before).await?;
    let mut after = before.clone();
    after.data.status = SnapshotStatus::Complete;
    after.data.received_items = items;
    after.data.receivable_total = receivable;
    after.data.completed_at = Some(work.now);
    after.data.marked_missing = missing;
    stored::save(work, &before, after, "completed", None).await
}

/// Marks the ledger's balances that the snapshot did not have, nor any push since it was opened: missing, never zero.
async fn mark_missing(work: &Work, snapshot: &Stored<CreditSnapshot>) -> Result<i64> {
    let mut sql = work.sql();
    sql.push("UPDATE credit_balances SET status = 'missing', version = version + 1, updated_at = ")
        .bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE deleted_at IS NULL AND status = 'current' AND system = ").text(snapshot.data.system.clone());
    sql.push(" AND entity = ").text(snapshot.data.entity.clone()).push(" AND currency = ").text(snapshot.data.currency.clone());
    sql.push(" AND account_id NOT IN (SELECT account_id FROM credit_snapshot_items WHERE account_id IS NOT NULL AND snapshot_id = ");
    sql.id(snapshot.id()).push(") AND received_at < (SELECT created_at FROM credit_snapshots WHERE id = ").id(snapshot.id());
    sql.push(") RETURNING id, version");
    let marked = work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?))).await?;
    let count = i64::try_from(marked.len()).unwrap_or(i64::MAX);
    for (id, version) in marked {
        let status = |s: &str| Map::from_iter([("status".to_owned(), json!(s))]);
        work.emit(Event {
            kind: "credit_balance.missing".to_owned(),
            resource: "credit_balances",
            resource_id: id,
            version,
            changed_fields: vec!["status"],
            before: Some(status("current")),
            after: Some(status("missing")),
            reason: Some(format!("not in snapshot {}", snapshot.id())),
        });
    }
    Ok(count)
}
