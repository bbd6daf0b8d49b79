//! What becomes of pushed balances: each item is taken as if it had been sent alone, and all are written in a handful of statements.

use super::{
    included::Included,
    ledger::{Accounts, Ledger, accounts, expect_ledger, lock_system},
};
use crate::external_systems::external_system::seen;
use samphan_domain::{
    id::AccountId,
    integration::{
        credit_balance::{CreditBalance, Outcome as Taken},
        credit_item::CreditItem,
    },
};
use samphan_persistence::{
    pending_update::{self, PendingUpdate},
    record,
    store::Work,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use samphan_rest::batch::{ItemResult, ItemStatus, MAX_ITEMS};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A balance being changed by a batch, and what of it was applied.
struct Held {
    balance: PendingUpdate<CreditBalance>,
    applied: Vec<(Timestamp, Value)>,
}

/// Takes what a system pushed for one of its ledgers, but for the customers of whose invoices one was refused.
pub async fn apply(
    work: &Work,
    ledger: &Ledger,
    snapshot: Option<Uuid>,
    items: Vec<Result<CreditItem>>,
    refused: &HashMap<Uuid, usize>,
) -> Result<Vec<ItemResult>> {
    if items.len() > MAX_ITEMS {
        return Err(Error::invalid(FieldError::new("/items", FieldCode::TooManyItems, MAX_ITEMS.to_string())));
    }
    open_ledger(work, ledger, snapshot).await?;
    let items: Vec<Result<CreditItem>> = items
        .into_iter()
        .map(|item| {
            let item = item?;
            let fault = |(pointer, code, about): (&str, _, &str)| Error::invalid(FieldError::new(pointer, code, about));
            item.check(work.now).map_err(fault).map(|()| item)
        })
        .collect();
    let accounts = accounts(work, ledger, &items).await?;
    let included = Included::of(work, ledger, &items).await?;
    let may_be_taken = |item: CreditItem| match accounts.of(&item).and_then(|account| refused.get(&account)) {
        Some(place) => {
            let fault = FieldError::new("", FieldCode::InvoiceRefused, format!("/invoices/{place}"));
            Err(Error::from(Code::Conflict).with_field_errors(vec![fault]))
        }
        None => included.fault(&accounts, &item).map_or(Ok(item), Err),
    };
    let items: Vec<Result<CreditItem>> = items.into_iter().map(|item| item.and_then(may_be_taken)).collect();
    if let Some(snapshot) = snapshot {
        super::snapshot::count(work, snapshot, items.iter().flatten().map(|i| (i, accounts.of(i)))).await?;
    }
    let outcomes = take(work, ledger, &accounts, &included, &items).await?;
    seen(work, &ledger.system).await?;
    Ok(outcomes)
}

/// Takes items one after the other, as if each had been sent alone, and writes what came of them all at once.
pub async fn take(
    work: &Work,
    ledger: &Ledger,
    accounts: &Accounts,
    included: &Included,
    items: &[Result<CreditItem>],
) -> Result<Vec<ItemResult>> {
    let mut held = balances(work, ledger, accounts).await?;
    let mut unmatched: BTreeMap<String, Vec<CreditItem>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(items.len());
    // What each outcome is about, to put ids and versions in when they are known.
    let mut about: Vec<Option<Uuid>> = Vec::with_capacity(items.len());
    for item in items {
        let (outcome, account) = match item {
            Err(error) => (ItemResult::failed(None, error.clone()), None),
            Ok(item) => match accounts.of(item) {
                None => (accounts.missing(item, &mut unmatched), None),
                Some(account) => {
                    let fresh = || {
                        let Ledger { system, entity, currency } = ledger.clone();
                        let balance = CreditBalance::unknown(AccountId(account), system, entity, currency, work.now);
                        Held { balance: PendingUpdate::new(work.new_id(), balance), applied: vec![] }
                    };
                    let entry = held.entry(account).or_insert_with(fresh);
                    (entry.take(item, included.amount(item, account).0, work.now), Some(account))
                }
            },
        };
        outcomes.push(outcome);
        about.push(account);
    }
    let written = write(work, held).await?;
    keep_unmatched(work, ledger, unmatched).await?;
    for (outcome, account) in outcomes.iter_mut().zip(about) {
        if let Some((id, version)) = account.and_then(|a| written.get(&a)) {
            outcome.id = Some(*id);
            outcome.version = Some(*version);
        }
    }
    Ok(outcomes)
}

/// Opens a ledger for a push, and refuses a snapshot that is not this ledger's or not open.
async fn open_ledger(work: &Work, ledger: &Ledger, snapshot: Option<Uuid>) -> Result<()> {
    expect_ledger(work, ledger).await?;
    lock_system(work, &ledger.system).await?;
    match snapshot {
        Some(id) => super::snapshot::expect_open(work, id, ledger).await,
        None => Ok(()),
    }
}

/// The balances the ledger has of the accounts.
async fn balances(work: &Work, ledger: &Ledger, accounts: &Accounts) -> Result<BTreeMap<Uuid, Held>> {
    let shape = work.shape(CreditBalance::PLURAL)?;
    let mut sql = record::select_each(work, shape, "account_id", accounts.seen.iter().copied());
    sql.push(" AND t.system = ").text(ledger.system.clone()).push(" AND t.entity = ").text(ledger.entity.clone());
    sql.push(" AND t.currency = ").text(ledger.currency.clone());
    let found = work.fetch(sql, |row| PendingUpdate::<CreditBalance>::read(shape, row)).await?;
    Ok(found.into_iter().map(|balance| (balance.data.account_id.0, Held { balance, applied: vec![] })).collect())
}

impl Held {
    fn take(&mut self, item: &CreditItem, included: Amount, now: Timestamp) -> ItemResult {
        let conflicts = |b: &CreditBalance| (b.exposure_has_conflict, b.limit_has_conflict);
        let had = conflicts(&self.balance.data);
        let taken = self.balance.data.take(item, included, now);
        if taken == Taken::Applied {
            self.applied.push((item.as_of, json!(item)));
        }
        if taken == Taken::Applied || conflicts(&self.balance.data) != had {
            self.balance.event = Some("updated");
        }
        let (status, error) = match taken {
            Taken::Applied => (ItemStatus::Applied, None),
            Taken::Unchanged => (ItemStatus::Unchanged, None),
            Taken::Stale => {
                let fault = FieldError::new("/as_of", FieldCode::Superseded, self.balance.data.newer_than(item));
                (ItemStatus::Stale, Some(Error::from(Code::Conflict).with_field_errors(vec![fault])))
            }
            Taken::Conflicting => {
                let fault = FieldError::new(
                    "/as_of",
                    FieldCode::SameAsOfDifferentValues,
                    "the more prudent of the two is kept; see the reconciliation",
                );
                (ItemStatus::Stale, Some(Error::from(Code::Conflict).with_field_errors(vec![fault])))
            }
        };
        ItemResult { status, id: None, external_id: item.external_id.clone(), version: None, error }
    }
}

/// Writes the balances that changed, their history and events; answers every balance's id and version.
async fn write(work: &Work, held: BTreeMap<Uuid, Held>) -> Result<HashMap<Uuid, (Uuid, i64)>> {
    let mut known = HashMap::new();
    let (mut changed, mut history) = (vec![], vec![]);
    for (account, Held { balance, applied }) in held {
        let version = if balance.event.is_some() { balance.version + 1 } else { balance.version };
        known.insert(account, (balance.id, version));
        history.extend(applied.into_iter().map(|(as_of, item)| {
            vec![
                Scalar::Id(work.new_id()),
                Scalar::Time(work.now),
                work.caller.author().map_or(Scalar::Null, Scalar::Id),
                Scalar::Id(balance.id),
                Scalar::Id(account),
                Scalar::Text(balance.data.system.clone()),
                Scalar::Text(balance.data.entity.clone()),
                Scalar::Text(balance.data.currency.clone()),
                Scalar::Time(as_of),
                Scalar::Text(item.to_string()),
            ]
        }));
        changed.push(balance);
    }
    pending_update::save_many(work, changed, UPSERT).await?;
    work.insert("credit_balance_history", HISTORY, history, "").await?;
    Ok(known)
}

const HISTORY: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("created_at", Kind::Time),
    ("created_by_id", Kind::Id),
    ("balance_id", Kind::Id),
    ("account_id", Kind::Id),
    ("system", Kind::Text),
    ("entity", Kind::Text),
    ("currency", Kind::Text),
    ("as_of", Kind::Time),
    ("item", Kind::Json),
];

const UPSERT: &str = "ON CONFLICT (account_id, system, entity, currency) WHERE deleted_at IS NULL DO UPDATE SET \
    version = excluded.version, updated_at = excluded.updated_at, updated_by_id = excluded.updated_by_id, \
    exposure_as_of = excluded.exposure_as_of, exposure_revision = excluded.exposure_revision, receivable = excluded.receivable, \
    overdue_days_1_30 = excluded.overdue_days_1_30, overdue_days_31_60 = excluded.overdue_days_31_60, \
    overdue_days_61_90 = excluded.overdue_days_61_90, overdue_days_over_90 = excluded.overdue_days_over_90, \
    unbilled_deliveries = excluded.unbilled_deliveries, open_orders = excluded.open_orders, included_orders = excluded.included_orders, \
    included_open_orders = excluded.included_open_orders, included_unbilled_deliveries = excluded.included_unbilled_deliveries, limit_as_of = excluded.limit_as_of, \
    limit_revision = excluded.limit_revision, limit_kind = excluded.limit_kind, limit_amount = excluded.limit_amount, \
    on_hold = excluded.on_hold, status = excluded.status, exposure_has_conflict = excluded.exposure_has_conflict, \
    limit_has_conflict = excluded.limit_has_conflict, has_conflict = excluded.has_conflict, received_at = excluded.received_at";

/// Keeps the pushes that decide of each customer without a mapping.
async fn keep_unmatched(work: &Work, ledger: &Ledger, mut unmatched: BTreeMap<String, Vec<CreditItem>>) -> Result<()> {
    if unmatched.is_empty() {
        return Ok(());
    }
    let attempts: BTreeMap<String, usize> = unmatched.iter().map(|(name, items)| (name.clone(), items.len())).collect();
    let mut sql = work.sql();
    let names = unmatched.keys().cloned().map(Scalar::Text);
    sql.push("SELECT t.external_id, t.items").from_each("unmatched_credits", "t", "external_id", Kind::Text, names);
    sql.push(" AND t.system = ").text(ledger.system.clone()).push(" AND t.entity = ").text(ledger.entity.clone());
    sql.push(" AND t.currency = ").text(ledger.currency.clone());
    for (name, kept) in work.fetch(sql, |row| Ok((row.text(0)?, row.text(1)?))).await? {
        let kept: Vec<CreditItem> = serde_json::from_str(&kept).map_err(|_| Error::from(Code::Internal))?;
        unmatched.entry(name).or_default().extend(kept);
    }
    let author = work.caller.author().map_or(Scalar::Null, Scalar::Id);
    let row = |(name, items): (String, Vec<CreditItem>)| {
        let attempts = attempts.get(&name).copied().unwrap_or_default();
        let kept = CreditItem::deciding(items);
        vec![
            Scalar::Id(work.new_id()),
            Scalar::Int(1),
            Scalar::Time(work.now),
            author.clone(),
            Scalar::Time(work.now),
            author.clone(),
            Scalar::Text(ledger.system.clone()),
            Scalar::Text(ledger.entity.clone()),
            Scalar::Text(ledger.currency.clone()),
            Scalar::Text(name),
            Scalar::Time(kept.iter().map(|i| i.as_of).max().unwrap_or(work.now)),
            Scalar::Text(json!(kept).to_string()),
            Scalar::Int(i64::try_from(attempts).unwrap_or(i64::MAX)),
        ]
    };
    let columns = record::names_of(work.shape("unmatched_credits")?);
    let ending = "ON CONFLICT (system, entity, currency, external_id) WHERE deleted_at IS NULL DO UPDATE SET \
        version = unmatched_credits.version + 1, updated_at = excluded.updated_at, updated_by_id = excluded.updated_by_id, \
        attempts = unmatched_credits.attempts + excluded.attempts, items = excluded.items, as_of = excluded.as_of";
    work.insert("unmatched_credits", &columns, unmatched.into_iter().map(row).collect(), ending).await.map(|_| ())
}
