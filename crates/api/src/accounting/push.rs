//! Pushing balances: up to 1,000 customers in a handful of statements, whatever order and however often they come.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::included::{self, Included};
use crate::{
    accounting::invoice,
    external_systems::external_system::{expect_active, seen},
};
use actix_web::http::Method;
use samphan_domain::{
    id::AccountId,
    integration::{
        credit_balance::{CreditBalance, Outcome as Taken},
        credit_item::CreditItem,
    },
    sales::order_invoice::PostedInvoice,
};
use samphan_persistence::{
    record, sight,
    standing::{self, Standing},
    store::Work,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    instant::Instant,
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    answer::Answer,
    batch::{self, MOST_ITEMS, Outcome},
    body,
    collection::Api,
    example::Example,
    external::find_references,
    operation::{Body, Call, Operation},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

/// Many pushes of one system, legal entity and currency.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditBatch {
    /// Code of the system that pushes.
    #[schema(min_length = 1, max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity the customers owe to.
    #[schema(min_length = 1, max_length = 50, example = "TH01")]
    pub entity: String,
    /// ISO 4217 currency of every amount.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: String,
    /// The open snapshot the batch is part of.
    #[serde(default)]
    #[schema(nullable = false)]
    pub snapshot_id: Option<Uuid>,
    /// The customers.
    #[schema(min_items = 1, max_items = 1000, value_type = Vec<CreditItem>)]
    pub items: Vec<Value>,
    /// Invoices and credit notes of orders that the balances include and that may not have been sent yet: taken first, in the same
    /// transaction, as if they had been sent to `/v1/order-invoices` with the batch's entity, and its currency as the balance's: one row for
    /// each document and order line. So an order is never counted as open and as owed, whatever comes first. Each has a result of its own in
    /// `invoices` of the answer; one that is refused, or named twice (`repeated`), changes nothing, and the balance of its customer is not
    /// applied (`invoice_refused`). All others are.
    #[serde(default)]
    #[schema(max_items = 1000, value_type = Vec<PostedInvoice>)]
    pub invoices: Vec<Value>,
}

/// The ledger a push is for.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Code of the system.
    pub system: String,
    /// Legal entity.
    pub entity: String,
    /// Currency.
    pub currency: String,
}

/// The right to push.
const PUSH: &str = "credit-balances:push";
/// When it takes another right.
const INCLUDING: &str = "`included_orders` is not empty";

/// The operations.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let rules = "Each item is an absolute snapshot of the groups it names: the exposure (receivable, overdue, unbilled_deliveries, open_orders; those left out are then zero) \
                 and the limit (credit_limit, on_hold). A group is `applied` only when its `as_of` is later than what is known (`source_revision` decides between equal times); \
                 late, doubled and reordered pushes come out `stale`, with what is known, or `unchanged`, and change nothing. With equal `as_of` and no revision the \
                 larger exposure and the lower limit win, and the balance is marked `has_conflict`.\n\n\
                 Take `as_of` before the books are read. `open_orders` and `unbilled_deliveries` leave out orders taken here, which count here until they are \
                 invoiced, or name them in `included_orders`.";
    let batch = format!(
        "{rules} Invoices come one row for each document and order line, in `invoices` or at `/v1/order-invoices`. Not there yet: invoices that belong to no \
         order, due dates, payments with dates of their own, a credit note that names its invoice, reconciliation for each customer.\n\nCustomers nobody has mapped are `failed` with `unknown_external_id`, kept under `/v1/credit-balances/unmatched`, and applied when they are mapped."
    );
    vec![
        Operation::write("batchCreditBalances", Method::POST, "/v1/credit-balances/batch", push)
            .says("credit", "Push many credit balances", batch)
            .example(
                Example::body(json!({"snapshot_id": example::id("credit_snapshots"), "items": [
                    {
                        "external_id": "ACC-1001", "as_of": example::MOMENT, "source_revision": "88123", "receivable": "125000.00",
                        "overdue": {"days_1_30": "5000.00"}, "open_orders": "20000.00", "credit_limit": {"kind": "limited", "amount": "200000.00"},
                        "on_hold": false,
                    },
                    {"external_id": "ACC-9999", "as_of": example::MOMENT, "source_revision": null, "receivable": "1200.00"},
                ]}))
                .after(&["createExternalReference"])
                .answers(json!({
                    "results": [
                        {"index": 0, "status": "applied", "id": example::id("credit_balances"), "external_id": "ACC-1001", "version": 1},
                        {"index": 1, "status": "failed", "external_id": "ACC-9999"},
                    ],
                    "summary": {"received": 2, "applied": 1, "failed": 1},
                    "invoices": [],
                })),
            )
            .takes(Body::batch("CreditBatch"))
            .needs(PUSH)
            .also_needs_with([included::PERMISSION], "items.included_orders", INCLUDING)
            .also_needs_with(invoice::POSTING, "invoices", "`invoices` is not empty")
            .answers(200, "CreditBatchResults"),
        Operation::write("putAccountCreditBalance", Method::PUT, "/v1/accounts/{account_id}/credit-balance", push_one)
            .says("credit", "Push one credit balance", rules)
            .example(
                Example::body(json!({
                    "as_of": "2026-11-21T11:00:00Z", "source_revision": "88124", "receivable": "118000.00",
                    "credit_limit": {"kind": "limited", "amount": "200000.00"},
                }))
                .after(&["completeCreditSnapshot"])
                .answers(json!({"status": "applied", "id": example::id("credit_balances"), "version": 2})),
            )
            .takes(Body::of("CreditPush"))
            .needs(PUSH)
            .also_needs_with([included::PERMISSION], "included_orders", INCLUDING)
            .answers(200, "BatchResult"),
    ]
}

/// The schema of a single push: an item with its ledger, the account being in the path.
#[must_use]
pub fn schemas(mut api: Api) -> Api {
    let mut push = json!(CreditItem::schema());
    let batch = json!(CreditBatch::schema());
    if let Some(properties) = push["properties"].as_object_mut() {
        properties.retain(|name, _| name != "account_id" && name != "external_id");
        for name in ["system", "entity", "currency"] {
            properties.insert(name.to_owned(), batch["properties"][name].clone());
        }
    }
    push["required"] = json!(["system", "entity", "currency", "as_of"]);
    push["description"] = json!("One push about one customer.");
    api.schemas.push(("CreditPush".to_owned(), push));
    let one = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let list = |about: &str| json!({"type": "array", "maxItems": MOST_ITEMS, "items": one("BatchResult"), "description": about});
    let results = json!({
        "type": "object",
        "description": "What became of a batch of balances.",
        "required": ["results", "summary", "invoices"],
        "properties": {
            "results": list("A result for each balance, in the order of the request."),
            "summary": one("BatchSummary"),
            "invoices": list("A result for each of `invoices`, in the order of the request."),
        },
    });
    api.schemas.push(("CreditBatchResults".to_owned(), results));
    api
}

async fn push(work: &Work, call: Call) -> Result<Answer> {
    let batch: CreditBatch = call.input()?;
    let ledger = Ledger { system: batch.system, entity: batch.entity, currency: batch.currency };
    let read = batch::read_items(&call, "CreditItem", &batch.items)?;
    let posted = batch::read_items(&call, "PostedInvoice", &batch.invoices)?;
    if !batch.invoices.is_empty() {
        expect_ledger(work, &ledger).await?;
    }
    let invoices = invoice::post(work, &ledger, posted).await?;
    let refused = refused_customers(work, &batch.invoices, &invoices).await?;
    let mut outcomes = apply(work, &ledger, batch.snapshot_id, read, &refused).await?;
    for (outcome, item) in outcomes.iter_mut().zip(&batch.items) {
        outcome.external_id = outcome.external_id.take().or_else(|| item["external_id"].as_str().map(str::to_owned));
    }
    Ok(Answer::json(&json!({
        "results": batch::results(&call, &work.request_id, &outcomes),
        "summary": batch::summary(&outcomes),
        "invoices": batch::results(&call, &work.request_id, &invoices),
    })))
}

/// The customers of whose invoices one was refused, and its place. Their balances may include it, so they are not applied.
async fn refused_customers(work: &Work, posted: &[Value], outcomes: &[Outcome]) -> Result<HashMap<Uuid, usize>> {
    let failed = || posted.iter().zip(outcomes).enumerate().filter(|(_, (_, outcome))| outcome.status == "failed");
    let order = |one: &Value| one["order_id"].as_str().and_then(|id| Uuid::parse_str(id).ok());
    let customers = invoice::customers(work, failed().filter_map(|(_, (one, _))| order(one))).await?;
    Ok(failed().filter_map(|(place, (one, _))| Some((*customers.get(&order(one)?)?, place))).collect())
}

async fn push_one(work: &Work, call: Call) -> Result<Answer> {
    let mut body = call.body.clone();
    let mut take = |name: &str| body.remove(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    let ledger = Ledger { system: take("system"), entity: take("entity"), currency: take("currency") };
    body.insert("account_id".into(), json!(call.id(0)?));
    let item = body::from_value(Value::Object(body))?;
    let outcomes = apply(work, &ledger, None, vec![Ok(item)], &HashMap::new()).await?;
    match outcomes.into_iter().next() {
        Some(Outcome { error: Some(error), status: "failed", .. })
            if error.errors.iter().any(|e| e.code == FieldCode::UnknownReference) =>
        {
            Err(Code::NotFound.into())
        }
        Some(Outcome { error: Some(error), status: "failed", .. }) => Err(error),
        Some(outcome) => Ok(Answer::json(&batch::result(&call, &work.request_id, 0, &outcome))),
        None => Err(Code::Internal.into()),
    }
}

/// A balance being changed by a batch, and what of it was applied.
struct Held {
    balance: Standing<CreditBalance>,
    applied: Vec<(Instant, Value)>,
}

/// Takes what a system pushed for one of its ledgers, but for the customers of whose invoices one was refused.
pub async fn apply(
    work: &Work,
    ledger: &Ledger,
    snapshot: Option<Uuid>,
    items: Vec<Result<CreditItem>>,
    refused: &HashMap<Uuid, usize>,
) -> Result<Vec<Outcome>> {
    if items.len() > MOST_ITEMS {
        return Err(Error::invalid(FieldError::new("/items", FieldCode::TooManyItems, MOST_ITEMS.to_string())));
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
            Err(Error::from(Code::Conflict).with(vec![fault]))
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
) -> Result<Vec<Outcome>> {
    let mut held = balances(work, ledger, accounts).await?;
    let mut unmatched: BTreeMap<String, Vec<CreditItem>> = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(items.len());
    // What each outcome is about, to put ids and versions in when they are known.
    let mut about: Vec<Option<Uuid>> = Vec::with_capacity(items.len());
    for item in items {
        let (outcome, account) = match item {
            Err(error) => (Outcome::failed(None, error.clone()), None),
            Ok(item) => match accounts.of(item) {
                None => (accounts.missing(item, &mut unmatched), None),
                Some(account) => {
                    let fresh = || {
                        let Ledger { system, entity, currency } = ledger.clone();
                        let balance = CreditBalance::unknown(AccountId(account), system, entity, currency, work.now);
                        Held { balance: Standing::new(work.new_id(), balance), applied: vec![] }
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
    stand_in_line(work, &ledger.system).await?;
    match snapshot {
        Some(id) => super::snapshot::expect_open(work, id, ledger).await,
        None => Ok(()),
    }
}

/// Refuses a system that is unknown or paused, and an entity or a currency it says it keeps no books of.
pub async fn expect_ledger(work: &Work, ledger: &Ledger) -> Result<()> {
    let books = expect_active(work, &ledger.system).await?;
    let faults: Vec<FieldError> = [("/entity", books.entity, &ledger.entity), ("/currency", books.currency, &ledger.currency)]
        .into_iter()
        .filter_map(|(pointer, kept, sent)| Some((pointer, kept.filter(|kept| kept != sent)?, sent)))
        .map(|(pointer, kept, sent)| FieldError::new(pointer, FieldCode::UnknownValue, "").instead_of(sent, [kept]))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with(faults)) }
}

/// A system's feed is this work's alone until it ends: its pushes and mappings stand in line, so that none overtakes another
/// and no push is kept for a number that is just being mapped.
pub async fn stand_in_line(work: &Work, system: &str) -> Result<()> {
    work.stand_in_line(&format!("credit {system}")).await
}

/// The accounts the items are about.
pub struct Accounts {
    by_external_id: HashMap<String, Uuid>,
    seen: HashSet<Uuid>,
}

impl Accounts {
    /// One account, called by one name.
    pub fn just(external_id: String, id: Uuid) -> Self {
        Self { by_external_id: HashMap::from([(external_id, id)]), seen: HashSet::from([id]) }
    }

    /// The account an item is about.
    pub fn of(&self, item: &CreditItem) -> Option<Uuid> {
        let id = match &item.external_id {
            Some(external_id) => self.by_external_id.get(external_id).copied(),
            None => item.account_id.map(|id| id.0),
        };
        id.filter(|id| self.seen.contains(id))
    }

    /// The outcome of an item whose account is not there, and keeps it where it may still be mapped.
    fn missing(&self, item: &CreditItem, unmatched: &mut BTreeMap<String, Vec<CreditItem>>) -> Outcome {
        let (code, fault) = match &item.external_id {
            None => (Code::UnknownReference, FieldError::new("/account_id", FieldCode::UnknownReference, "accounts")),
            Some(name) => {
                // What is mapped out of the sender's reach is answered alike, but has nothing to wait for.
                if !self.by_external_id.contains_key(name) {
                    unmatched.entry(name.clone()).or_default().push(item.clone());
                }
                let fault =
                    FieldError::new("/external_id", FieldCode::UnknownExternalId, "kept until it is mapped by an external reference");
                (Code::UnknownExternalId, fault)
            }
        };
        Outcome::failed(item.external_id.clone(), Error::from(code).with(vec![fault]))
    }
}

/// The accounts within the reach of the right to push.
async fn accounts(work: &Work, ledger: &Ledger, items: &[Result<CreditItem>]) -> Result<Accounts> {
    let shape = work.shape("accounts")?;
    let items = || items.iter().flatten();
    let mut names: Vec<String> = items().filter_map(|i| i.external_id.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let by_external_id = if names.is_empty() { HashMap::new() } else { find_references(work, shape, &ledger.system, &names).await? };
    let mut ids: Vec<Uuid> = by_external_id.values().copied().chain(items().filter_map(|i| i.account_id.map(|id| id.0))).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM accounts t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    sight::by_owner(&mut sql, shape, "t", &work.caller.sight(PUSH));
    let seen = work.fetch(sql, |row| row.id(0)).await?.into_iter().collect();
    Ok(Accounts { by_external_id, seen })
}

/// The balances the ledger has of the accounts.
async fn balances(work: &Work, ledger: &Ledger, accounts: &Accounts) -> Result<BTreeMap<Uuid, Held>> {
    let shape = work.shape(CreditBalance::MANY)?;
    let mut sql = record::select_each(work, shape, "account_id", accounts.seen.iter().copied());
    sql.push(" AND t.system = ").text(ledger.system.clone()).push(" AND t.entity = ").text(ledger.entity.clone());
    sql.push(" AND t.currency = ").text(ledger.currency.clone());
    let found = work.fetch(sql, |row| Standing::<CreditBalance>::read(shape, row)).await?;
    Ok(found.into_iter().map(|balance| (balance.data.account_id.0, Held { balance, applied: vec![] })).collect())
}

impl Held {
    fn take(&mut self, item: &CreditItem, included: Amount, now: Instant) -> Outcome {
        let conflicts = |b: &CreditBalance| (b.exposure_has_conflict, b.limit_has_conflict);
        let had = conflicts(&self.balance.data);
        let taken = self.balance.data.take(item, included, now);
        if taken == Taken::Applied {
            self.applied.push((item.as_of, json!(item)));
        }
        if taken == Taken::Applied || conflicts(&self.balance.data) != had {
            self.balance.done = Some("updated");
        }
        let (status, error) = match taken {
            Taken::Applied => ("applied", None),
            Taken::Unchanged => ("unchanged", None),
            Taken::Stale => {
                let fault = FieldError::new("/as_of", FieldCode::Superseded, self.balance.data.newer_than(item));
                ("stale", Some(Error::from(Code::Conflict).with(vec![fault])))
            }
            Taken::Conflicting => {
                let fault = FieldError::new(
                    "/as_of",
                    FieldCode::SameAsOfDifferentValues,
                    "the more prudent of the two is kept; see the reconciliation",
                );
                ("stale", Some(Error::from(Code::Conflict).with(vec![fault])))
            }
        };
        Outcome { status, id: None, external_id: item.external_id.clone(), version: None, error }
    }
}

/// Writes the balances that changed, their history and events; answers every balance's id and version.
async fn write(work: &Work, held: BTreeMap<Uuid, Held>) -> Result<HashMap<Uuid, (Uuid, i64)>> {
    let mut known = HashMap::new();
    let (mut changed, mut history) = (vec![], vec![]);
    for (account, Held { balance, applied }) in held {
        let version = if balance.done.is_some() { balance.version + 1 } else { balance.version };
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
    standing::save_many(work, changed, UPSERT).await?;
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

/// Keeps the pushes that decide of each customer nobody has mapped.
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
