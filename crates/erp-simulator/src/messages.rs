//! What is sent to the CRM: written down word for word before it is sent, and sent with the same key until it is answered.

use crate::{
    api::{
        BatchResult, BatchResults, CreditBatch, CreditItem, CreditLimit, CreditLimitKind, ExternalReferenceBatch,
        ExternalReferenceBatchItem, ExternalReferenceBatchMode, OrderInvoiceBatch, OrderInvoiceBatchItem, OrderInvoiceBatchItemKind,
        OrderInvoiceBatchMode, OverdueBuckets, PostedInvoice, PostedInvoiceKind, StockCount, StockSync,
    },
    books::{Customer, DocumentLine, Kin, Subject},
    client::ClientError,
    options::{Options, Telling},
    simulator::{Done, Simulator},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most invoices told with a batch of balances.
const MOST_INVOICES: usize = 1_000;

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

/// What an item of a message is about, and in which revision; a name has none.
struct About {
    subject: Subject,
    name: String,
    revision: Option<i64>,
}

impl Message {
    /// What each item is about. What is said of invoices has no revision; its moment does for one.
    fn about(&self) -> Vec<About> {
        let about = |subject, name: &Option<String>, revision| About { subject, name: name.clone().unwrap_or_default(), revision };
        match self {
            Self::Names(batch) => batch
                .items
                .iter()
                .map(|item| {
                    let is_customer = item.resource.as_deref() == Some(Kin::Customer.resource());
                    about(Subject::Record(if is_customer { Kin::Customer } else { Kin::Item }), &item.external_id, None)
                })
                .collect(),
            Self::Invoices(batch) => {
                batch.items.iter().map(|item| about(Subject::Line, &item.external_id, item.as_of.map(|at| at.timestamp_micros()))).collect()
            }
            Self::Balances(batch) => {
                let revision = |item: &CreditItem| item.source_revision.as_ref().and_then(|r| r.parse().ok());
                batch.items.iter().map(|item| about(Subject::Record(Kin::Customer), &item.external_id, revision(item))).collect()
            }
            Self::Stock(sync) => {
                sync.items.iter().map(|item| about(Subject::Record(Kin::Item), &item.external_id, item.source_sequence)).collect()
            }
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
                document_no: Some(line.document),
                kind: Some(OrderInvoiceBatchItemKind::Invoice),
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
                invoices.entry(line.customer.clone()).or_default().push(posted(line, as_of));
            }
        }
        let mut batches: BTreeMap<String, Vec<(CreditItem, Vec<PostedInvoice>)>> = BTreeMap::new();
        for customer in self.books.customers(self.today()?)? {
            let mut item = credit_item(&customer);
            // The same amount after an invoice and a payment is news: only a balance as of after an invoice includes it.
            let says = format!("{} {}", customer.last_entry, serde_json::to_string(&item)?);
            let included = invoices.remove(&customer.number).unwrap_or_default();
            if customer.told.as_ref() == Some(&says) && included.is_empty() {
                continue;
            }
            let revision = self.books.next("revision")?;
            self.books.set_told(Subject::Record(Kin::Customer), &customer.number, &says, revision)?;
            item.as_of = self.books.now()?;
            item.source_revision = Some(revision.to_string());
            batches.entry(customer.currency).or_default().push((item, included));
        }
        for (currency, all) in batches {
            let empty = || CreditBatch {
                system: self.options.system.clone(),
                entity: self.options.entity.clone(),
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
            self.books.set_told(Subject::Record(Kin::Item), &item.code, &says, revision)?;
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
            // Answered, and nobody has written it down yet.
            self.mishap()?;
            applied += self.take_answer(id, &message, &answer)?;
            self.mishap()?;
            if self.dice.happens(self.options.misbehaviour.repeat) {
                self.send_an_old_one().await?;
            }
        }
    }

    async fn send(&self, message: &Message, key: &str) -> Result<BatchResults, ClientError> {
        match message {
            Message::Names(batch) => self.client.batch_external_references(batch, key).await,
            Message::Invoices(batch) => self.client.batch_order_invoices(batch, key).await,
            Message::Balances(batch) => self.client.batch_credit_balances(batch, key).await,
            Message::Stock(sync) => self.client.sync_stock(sync, key).await,
        }
    }

    /// Writes down what became of a message. What failed is to be sent again.
    fn take_answer(&mut self, id: i64, message: &Message, answer: &BatchResults) -> Done<usize> {
        let work = self.books.work()?;
        let (mut applied, mut stale, mut failed) = (0, 0, vec![]);
        for (about, result) in message.about().iter().zip(&answer.results) {
            match result.status.as_str() {
                "failed" => {
                    match (about.subject, about.revision) {
                        (Subject::Record(kin), None) => self.books.set_named(kin, &about.name, false)?,
                        (subject, revision) => self.books.unsay(subject, &about.name, revision.unwrap_or_default())?,
                    }
                    failed.push(format!("{}: {}", about.name, why(result)));
                }
                "stale" => stale += 1,
                _ => applied += 1,
            }
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
        self.report.twice += answer.results.iter().filter(|r| ["applied", "created", "updated"].contains(&r.status.as_str())).count();
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
        kind: Some(PostedInvoiceKind::Invoice),
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

/// What is said of a customer, but for when and in which revision.
fn credit_item(customer: &Customer) -> CreditItem {
    let [one, two, three, more] = customer.overdue.map(|amount| Some(amount.to_string()));
    CreditItem {
        external_id: Some(customer.number.clone()),
        account_id: None,
        as_of: DateTime::<Utc>::UNIX_EPOCH,
        source_revision: None,
        receivable: Some(customer.receivable.to_string()),
        overdue: Some(OverdueBuckets { days_1_30: one, days_31_60: two, days_61_90: three, days_over_90: more }),
        unbilled_deliveries: None,
        open_orders: None,
        credit_limit: Some(CreditLimit {
            kind: customer.credit_limit.map_or(CreditLimitKind::Unlimited, |_| CreditLimitKind::Limited),
            amount: customer.credit_limit.map(|limit| limit.to_string()),
        }),
        on_hold: Some(false),
    }
}
