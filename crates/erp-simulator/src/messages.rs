//! What is sent to the CRM: written down word for word before it is sent, and sent with the same key until it is answered.

use crate::{
    api::{
        BatchResult, CreditBatch, CreditItem, CreditLimit, CreditLimitKind, ExternalReferenceBatch, ExternalReferenceBatchItem,
        ExternalReferenceBatchMode, OrderInvoiceBatch, OrderInvoiceBatchItem, OrderInvoiceBatchItemKind, OrderInvoiceBatchMode,
        OverdueBuckets, PostedInvoice, PostedInvoiceKind, StockCount, StockSync,
    },
    books::{Customer, DocumentLine, Kin, Kind, Subject},
    client::ClientError,
    ledgers::{Ledger, ledger_name},
    options::{Options, Telling},
    simulator::{Done, Simulator},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most invoices told with a batch of balances.
const MOST_INVOICES: usize = 1_000;

/// What is said of a ledger, and the invoices that it includes.
type Said = (CreditItem, Vec<PostedInvoice>);

/// A message.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    /// What we call the CRM's records.
    Names(ExternalReferenceBatch),
    /// What was invoiced of orders, and what of that is paid.
    Invoices(OrderInvoiceBatch),
    /// What customers owe, and may owe.
    Balances(CreditBatch),
    /// What there is of items.
    Stock(StockSync),
}

/// What an item of a message is about.
enum About {
    /// Our name of a record of the CRM's.
    Name(Kin, String),
    /// What was said of something by its name in the books, in which revision.
    Said(Subject, String, i64),
}

impl About {
    fn name(&self) -> &str {
        match self {
            Self::Name(_, name) | Self::Said(_, name, _) => name,
        }
    }
}

/// What became of a message: of each item, and of each invoice that came with balances.
struct Answered {
    results: Vec<BatchResult>,
    invoices: Vec<BatchResult>,
}

impl Message {
    /// What each item is about. What is said of invoices has no revision; its moment does for one.
    fn about(&self) -> Vec<About> {
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        match self {
            Self::Names(batch) => batch
                .items
                .iter()
                .map(|item| {
                    let is_customer = item.resource.as_deref() == Some(Kin::Customer.resource());
                    About::Name(if is_customer { Kin::Customer } else { Kin::Item }, name(&item.external_id))
                })
                .collect(),
            Self::Invoices(batch) => {
                let moment = |at: Option<DateTime<Utc>>| at.map(|at| at.timestamp_micros()).unwrap_or_default();
                batch.items.iter().map(|item| About::Said(Subject::Line, name(&item.external_id), moment(item.as_of))).collect()
            }
            Self::Balances(batch) => {
                let revision = |item: &CreditItem| item.source_revision.as_ref().and_then(|r| r.parse().ok()).unwrap_or_default();
                let ledger = |item: &CreditItem| ledger_name(&name(&item.external_id), &batch.entity, &batch.currency);
                batch.items.iter().map(|item| About::Said(Subject::Ledger, ledger(item), revision(item))).collect()
            }
            Self::Stock(sync) => {
                let revision = |item: &StockCount| item.source_sequence.unwrap_or_default();
                sync.items.iter().map(|item| About::Said(Subject::Item, name(&item.external_id), revision(item))).collect()
            }
        }
    }

    /// The invoices that come with it.
    fn invoices(&self) -> &[PostedInvoice] {
        match self {
            Self::Balances(batch) => &batch.invoices,
            _ => &[],
        }
    }
}

impl Simulator {
    /// Tells the CRM what we call its records. How many took it.
    pub async fn push_names(&mut self) -> Done<usize> {
        self.write_names()?;
        self.send_all().await
    }

    pub(crate) fn write_names(&self) -> Done<()> {
        let work = self.books.work()?;
        let mut items = vec![];
        for kin in [Kin::Customer, Kin::Item] {
            for (name, id) in self.books.nameless(kin)? {
                self.books.set_named(kin, &name, true)?;
                items.push(ExternalReferenceBatchItem {
                    system: Some(self.options.system.clone()),
                    resource: Some(kin.resource().to_owned()),
                    external_type: None,
                    external_id: Some(name),
                    record_id: Some(id),
                    id: None,
                    version: None,
                });
            }
        }
        for some in items.chunks(self.options.batch.into()) {
            let mode = ExternalReferenceBatchMode::Create;
            self.put(&Message::Names(ExternalReferenceBatch { mode, match_on: None, atomic: None, items: some.to_vec() }))?;
        }
        self.mishap()?;
        Ok(work.commit()?)
    }

    /// Tells the CRM what was invoiced of orders and what of that is paid, where it is not what was told before. How many were applied.
    pub async fn push_invoices(&mut self) -> Done<usize> {
        self.write_invoices()?;
        self.send_all().await
    }

    pub(crate) fn write_invoices(&self) -> Done<()> {
        if self.options.invoices == Telling::WithBalances {
            return Ok(());
        }
        let work = self.books.work()?;
        let mut items = vec![];
        for (line, as_of) in self.news_of_invoices()? {
            items.push(OrderInvoiceBatchItem {
                external_id: Some(line.name),
                system: Some(self.options.system.clone()),
                entity: Some(line.entity),
                document_no: Some(line.document),
                kind: Some(match line.kind {
                    Kind::CreditNote => OrderInvoiceBatchItemKind::CreditNote,
                    Kind::Invoice | Kind::Receipt => OrderInvoiceBatchItemKind::Invoice,
                }),
                order_id: Some(line.order_id),
                order_line_id: Some(line.order_line_id),
                quantity: Some(line.quantity.to_string()),
                amount: Some(line.amount.to_string()),
                paid_amount: Some(line.paid.to_string()),
                issued_on: Some(line.issued_on),
                posted_at: Some(line.posted_at),
                as_of: Some(as_of),
                ..OrderInvoiceBatchItem::default()
            });
        }
        for some in items.chunks(self.options.batch.into()) {
            let match_on = Some(format!("external_id:{}", self.options.system));
            let mode = OrderInvoiceBatchMode::Upsert;
            self.put(&Message::Invoices(OrderInvoiceBatch { mode, match_on, atomic: None, items: some.to_vec() }))?;
        }
        self.mishap()?;
        Ok(work.commit()?)
    }

    /// Lines of invoices that are not told as they are, and the moment; they are told now.
    fn news_of_invoices(&self) -> Done<Vec<(DocumentLine, DateTime<Utc>)>> {
        let mut news = vec![];
        for line in self.books.document_lines()? {
            let says = line.paid.to_string();
            if line.told.as_ref() != Some(&says) {
                let as_of = self.books.now()?;
                self.books.set_told(Subject::Line, &line.name, &says, as_of.timestamp_micros())?;
                news.push((line, as_of));
            }
        }
        Ok(news)
    }

    /// Tells the CRM what customers owe, where it is not what was told before. How many were applied.
    pub async fn push_balances(&mut self) -> Done<usize> {
        self.write_balances()?;
        self.send_all().await
    }

    pub(crate) fn write_balances(&self) -> Done<()> {
        let work = self.books.work()?;
        let mut invoices: BTreeMap<String, Vec<PostedInvoice>> = BTreeMap::new();
        if self.options.invoices == Telling::WithBalances {
            for (line, as_of) in self.news_of_invoices()? {
                invoices.entry(line.ledger.clone()).or_default().push(posted(line, as_of));
            }
        }
        let customers = self.books.customers(self.today()?)?;
        // A customer who owes nothing has a limit all the same.
        for customer in &customers {
            self.books.ledger(&customer.number, &self.options.entity, &customer.currency)?;
        }
        let mut batches: BTreeMap<(String, String), Vec<Said>> = BTreeMap::new();
        for ledger in self.books.ledgers(self.today()?)? {
            let Ok(at) = customers.binary_search_by(|c| c.number.cmp(&ledger.customer)) else { continue };
            let home = customers.get(at).filter(|c| c.currency == ledger.currency && ledger.entity == self.options.entity);
            let mut item = credit_item(&ledger, home);
            // The same amount after an invoice and a payment is news: only a balance as of after an invoice includes it.
            let says = format!("{} {}", ledger.last_entry, serde_json::to_string(&item)?);
            let included = invoices.remove(&ledger.name).unwrap_or_default();
            if ledger.told.as_ref() == Some(&says) && included.is_empty() {
                continue;
            }
            let revision = self.books.next("revision")?;
            self.books.set_told(Subject::Ledger, &ledger.name, &says, revision)?;
            item.as_of = self.books.now()?;
            item.source_revision = Some(revision.to_string());
            batches.entry((ledger.entity, ledger.currency)).or_default().push((item, included));
        }
        for ((entity, currency), all) in batches {
            let empty = || CreditBatch {
                system: self.options.system.clone(),
                entity: entity.clone(),
                currency: currency.clone(),
                snapshot_id: None,
                items: vec![],
                invoices: vec![],
            };
            let mut batch = empty();
            for (item, included) in all {
                let is_full = batch.items.len() >= self.options.batch.into() || batch.invoices.len() + included.len() > MOST_INVOICES;
                if is_full && !batch.items.is_empty() {
                    self.put(&Message::Balances(std::mem::replace(&mut batch, empty())))?;
                }
                batch.items.push(item);
                batch.invoices.extend(included);
            }
            self.put(&Message::Balances(batch))?;
        }
        self.mishap()?;
        Ok(work.commit()?)
    }

    /// Tells the CRM how much there is of items, where it is not what was told before. How many were applied.
    ///
    /// A count is as of the last shipment in it: what left the CRM's shelves later is not in it.
    pub async fn push_stock(&mut self) -> Done<usize> {
        self.write_stock()?;
        self.send_all().await
    }

    pub(crate) fn write_stock(&self) -> Done<()> {
        let work = self.books.work()?;
        let as_of = DateTime::from_timestamp_micros(self.books.number("counted")?).unwrap_or_default();
        let mut items = vec![];
        for item in self.books.items()? {
            let says = item.on_hand.to_string();
            if item.told.as_ref() == Some(&says) {
                continue;
            }
            let revision = self.books.next("revision")?;
            self.books.set_told(Subject::Item, &item.code, &says, revision)?;
            items.push(StockCount {
                external_id: Some(item.code),
                product_id: None,
                sku: None,
                on_hand: says,
                as_of,
                source_sequence: Some(revision),
            });
        }
        for some in items.chunks(self.options.batch.into()) {
            let warehouse_external_id = Some(self.options.warehouse.clone());
            let system = self.options.system.clone();
            self.put(&Message::Stock(StockSync { system, warehouse_code: None, warehouse_external_id, items: some.to_vec() }))?;
        }
        self.mishap()?;
        Ok(work.commit()?)
    }

    fn put(&self, message: &Message) -> Done<()> {
        Ok(self.books.put(&serde_json::to_string(message)?)?)
    }

    /// The Idempotency-Key of a message: of this file, and the same whenever it is sent.
    pub(crate) fn key(&self, about: &str) -> Done<String> {
        let Options { system, .. } = &self.options;
        Ok(format!("{system}/{}/{about}", self.books.setting("file")?.unwrap_or_default()))
    }

    /// Sends what is in the outbox until all of it is answered. How many items were applied.
    pub(crate) async fn send_all(&mut self) -> Done<usize> {
        let mut applied = 0;
        loop {
            let waiting = self.books.messages(false)?;
            let at = if self.dice.happens(self.options.misbehaviour.reorder) { self.dice.below(waiting.len()) } else { 0 };
            let Some(id) = waiting.get(at).copied() else { return Ok(applied) };
            self.mishap()?;
            let message: Message = serde_json::from_str(&self.books.message(id)?)?;
            let answer = self.send(&message, &self.key(&id.to_string())?).await?;
            // Answered, and not written down yet.
            self.mishap()?;
            applied += self.take_answer(id, &message, &answer)?;
            self.mishap()?;
            if self.dice.happens(self.options.misbehaviour.repeat) {
                self.send_an_old_one().await?;
            }
        }
    }

    async fn send(&self, message: &Message, key: &str) -> Result<Answered, ClientError> {
        let results = match message {
            Message::Names(batch) => self.client.batch_external_references(batch, key).await?.results,
            Message::Invoices(batch) => self.client.batch_order_invoices(batch, key).await?.results,
            Message::Stock(sync) => self.client.sync_stock(sync, key).await?.results,
            Message::Balances(batch) => {
                let answer = self.client.batch_credit_balances(batch, key).await?;
                return Ok(Answered { results: answer.results, invoices: answer.invoices });
            }
        };
        Ok(Answered { results, invoices: vec![] })
    }

    /// Writes down what became of a message. What failed is to be sent again.
    fn take_answer(&mut self, id: i64, message: &Message, answer: &Answered) -> Done<usize> {
        let work = self.books.work()?;
        let (mut applied, mut stale, mut failed) = (0, 0, vec![]);
        for (about, result) in message.about().iter().zip(&answer.results) {
            match result.status.as_str() {
                "failed" => {
                    match about {
                        About::Name(kin, name) => self.books.set_named(*kin, name, false)?,
                        About::Said(subject, name, revision) => self.books.unsay(*subject, name, *revision)?,
                    }
                    failed.push(format!("{}: {}", about.name(), why(result)));
                }
                "stale" => stale += 1,
                _ => applied += 1,
            }
        }
        for (one, result) in message.invoices().iter().zip(&answer.invoices).filter(|(_, result)| result.status == "failed") {
            if let Some(name) = self.books.line_name(&one.document_no, one.order_line_id)? {
                self.books.unsay(Subject::Line, &name, one.as_of.map(|at| at.timestamp_micros()).unwrap_or_default())?;
            }
            failed.push(format!("{}: {}", one.document_no, why(result)));
        }
        self.books.answered(id, failed.len())?;
        work.commit()?;
        (self.say)(&format!("message {id}: {applied} applied, {stale} late, {} failed", failed.len()));
        self.report.messages += 1;
        self.report.applied += applied;
        self.report.stale += stale;
        self.report.failed.extend(failed);
        Ok(applied)
    }

    /// Sends a message that was answered long ago again, as if it were new.
    async fn send_an_old_one(&mut self) -> Done<()> {
        let old = self.books.messages(true)?;
        let Some(id) = old.get(self.dice.below(old.len())).copied() else { return Ok(()) };
        let message: Message = serde_json::from_str(&self.books.message(id)?)?;
        let again = self.books.next("again")?;
        let answer = self.send(&message, &self.key(&format!("{id}/again/{again}"))?).await?;
        self.report.repeated += 1;
        self.report.twice += answer
            .results
            .iter()
            .chain(&answer.invoices)
            .filter(|r| ["applied", "created", "updated"].contains(&r.status.as_str()))
            .count();
        Ok(())
    }
}

fn why(result: &BatchResult) -> String {
    let Some(problem) = &result.error else { return "no reason given".to_owned() };
    problem.errors.first().map_or_else(|| problem.code.clone(), |fault| fault.code.clone())
}

/// What is said of a line of an invoice with the balance that includes it.
fn posted(line: DocumentLine, as_of: DateTime<Utc>) -> PostedInvoice {
    PostedInvoice {
        document_no: line.document,
        kind: Some(match line.kind {
            Kind::CreditNote => PostedInvoiceKind::CreditNote,
            Kind::Invoice | Kind::Receipt => PostedInvoiceKind::Invoice,
        }),
        order_id: line.order_id,
        order_line_id: line.order_line_id,
        quantity: line.quantity.to_string(),
        amount: line.amount.to_string(),
        paid_amount: Some(line.paid.to_string()),
        issued_on: Some(line.issued_on),
        posted_at: line.posted_at,
        as_of: Some(as_of),
    }
}

/// What is said of a ledger, but for when and in which revision: what is owed, and in the customer's own one the limit.
fn credit_item(ledger: &Ledger, home: Option<&Customer>) -> CreditItem {
    let [one, two, three, more] = ledger.overdue.map(|amount| Some(amount.to_string()));
    CreditItem {
        external_id: Some(ledger.customer.clone()),
        account_id: None,
        as_of: DateTime::<Utc>::UNIX_EPOCH,
        source_revision: None,
        receivable: Some(ledger.receivable.to_string()),
        overdue: Some(OverdueBuckets { days_1_30: one, days_31_60: two, days_61_90: three, days_over_90: more }),
        unbilled_deliveries: None,
        open_orders: None,
        included_orders: vec![],
        credit_limit: home.map(|customer| CreditLimit {
            kind: customer.credit_limit.map_or(CreditLimitKind::Unlimited, |_| CreditLimitKind::Limited),
            amount: customer.credit_limit.map(|limit| limit.to_string()),
        }),
        on_hold: home.map(|_| false),
    }
}
