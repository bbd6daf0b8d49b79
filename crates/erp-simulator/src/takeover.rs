//! Customers and items: taken over from the lists, then kept current by the feed.

use crate::{
    amount::Amount,
    api::{
        Account, Change, ExternalReference, ExternalSystemInput, ExternalSystemInputKind, GetAccountQuery, GetProductQuery,
        GetWarehouseByExternalIdQuery, ListAccountsQuery, ListChangesQuery, ListExternalReferencesQuery, ListExternalSystemsQuery,
        ListProductsQuery, Product, WarehouseInput,
    },
    books::{Draft, Kin, Kind, days_after},
    client::ClientError,
    dice::{below, fate},
    options::Options,
    report::Report,
    simulator::{Done, Simulator},
};
use chrono::{DateTime, Days, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use uuid::Uuid;

/// What of the feed an accounting system asks for.
const TYPES: &str = "account.*,product.*,shipment.shipped,shipment.failed";
/// Changes, and records of a list, in one page.
const CHANGES: &str = "500";
const RECORDS: &str = "200";
/// Longest wait for a change.
const WAIT: &str = "30s";

/// Fields of a record.
type Fields = Map<String, Value>;
/// What the CRM's records are called by us already.
type Names = HashMap<Uuid, String>;

/// What became of a record of the CRM.
struct News {
    kin: Kin,
    id: Uuid,
    version: i64,
    /// What is known now; none when it is gone.
    fields: Option<Fields>,
}

impl Simulator {
    /// Sees to it that the CRM knows this system and its warehouse.
    pub async fn prepare(&mut self) -> Done<()> {
        if self.books.setting("prepared")?.is_some() {
            return Ok(());
        }
        let Options { system, entity, second_entity, warehouse, .. } = &self.options;
        let asked = ListExternalSystemsQuery { code: Some(system.clone()), ..ListExternalSystemsQuery::default() };
        if self.client.list_external_systems(&asked).await?.data.is_empty() {
            let new = ExternalSystemInput {
                code: system.clone(),
                name: format!("Simulated accounting ({system})"),
                kind: ExternalSystemInputKind::Erp,
                legal_entity: Some(entity.clone()).filter(|_| second_entity.is_none()),
                currency: None,
                id: None,
                on_stale: None,
                stale_after: Some("PT26H".to_owned()),
            };
            self.client.create_external_system(&new, &self.key("system")?).await?;
        }
        let known = self.client.get_warehouse_by_external_id(system, warehouse, &GetWarehouseByExternalIdQuery::default()).await;
        let ours = match known {
            Err(ClientError::Refused { problem, .. }) if problem.status == 404 => {
                let new = WarehouseInput { code: warehouse.clone(), name: format!("Warehouse {warehouse}"), ..WarehouseInput::default() };
                self.client.upsert_warehouse_by_external_id(system, warehouse, &new).await?
            }
            known => known?,
        };
        self.books.set("warehouse", &ours.id.to_string())?;
        self.books.set("prepared", "yes")?;
        self.mishap()
    }

    /// Takes in what changed in the CRM since it last looked; everything the first time. How many changes.
    pub async fn pull(&mut self) -> Done<usize> {
        let Some(mut cursor) = self.books.setting("cursor")? else { return self.take_over().await };
        let mut taken = 0;
        loop {
            let asked = self.asked(cursor, None);
            let page = self.client.list_changes(&asked).await?;
            let mut news = vec![];
            for change in &page.data {
                news.extend(self.news(change).await?);
            }
            let shipped = page.data.iter().filter(|change| change.resource == "shipments").map(|change| change.resource_id);
            let shipped = self.shipped(&shipped.collect::<Vec<_>>()).await?;
            self.mishap()?;
            let work = self.books.work()?;
            let mut report = self.report.clone();
            for one in &news {
                self.take(one, &Names::new(), &mut report)?;
            }
            for one in &shipped {
                self.deliver(one, true, &mut report)?;
                self.take_back(one)?;
            }
            self.books.set("cursor", &page.next_cursor)?;
            self.counted_until(page.data.iter().filter(|change| change.resource == "shipments").map(|change| change.time).max())?;
            self.mishap()?;
            work.commit()?;
            report.changes += page.data.len();
            self.report = report;
            taken += page.data.len();
            if !page.has_more {
                return Ok(taken);
            }
            cursor = page.next_cursor;
        }
    }

    /// Waits until something has changed in the CRM.
    pub(crate) async fn wait(&self) -> Done<()> {
        let cursor = self.books.setting("cursor")?.unwrap_or_default();
        while self.client.list_changes(&self.asked(cursor.clone(), Some(WAIT.to_owned()))).await?.data.is_empty() {}
        Ok(())
    }

    fn asked(&self, after: String, wait: Option<String>) -> ListChangesQuery {
        ListChangesQuery {
            after: Some(after),
            types: Some(TYPES.to_owned()),
            limit: Some(CHANGES.to_owned()),
            wait,
            resources: None,
            account_id: None,
        }
    }

    /// Everything: first the end of the feed, then the lists. What changes meanwhile comes again after that end.
    async fn take_over(&mut self) -> Done<usize> {
        let counted = self.books.now()?;
        let start = self.client.list_changes(&ListChangesQuery { after: Some("now".to_owned()), ..ListChangesQuery::default() }).await?;
        let mut names = Names::new();
        for reference in self.references().await? {
            names.insert(reference.record_id, reference.external_id);
        }
        let accounts = self.accounts().await?.iter().map(|a| news(Kin::Customer, a.id, a.version, a)).collect::<Done<Vec<_>>>()?;
        let products = self.products().await?.iter().map(|p| news(Kin::Item, p.id, p.version, p)).collect::<Done<Vec<_>>>()?;
        let shipped = self.shipped_before().await?;
        self.mishap()?;
        let work = self.books.work()?;
        let mut report = self.report.clone();
        for one in accounts.iter().chain(&products) {
            if let Some(name) = names.get(&one.id) {
                self.books.remember_name(one.kin, name)?;
            }
        }
        for one in accounts.iter().chain(&products) {
            self.take(one, &names, &mut report)?;
        }
        for one in &shipped {
            // What is on hand was counted after it left.
            self.deliver(one, false, &mut report)?;
        }
        self.books.set("cursor", &start.next_cursor)?;
        self.counted_until(Some(counted))?;
        self.mishap()?;
        work.commit()?;
        self.report = report;
        Ok(accounts.len() + products.len())
    }

    /// Our stock is counted up to a moment of the CRM's, that of the last shipment in it: what left later is not in the count, and the CRM
    /// takes it off itself. A clock of our own could not tell the two apart.
    fn counted_until(&self, moment: Option<DateTime<Utc>>) -> Done<()> {
        let moment = moment.map_or(0, |moment| moment.timestamp_micros());
        if moment > self.books.number("counted")? {
            self.books.set("counted", &moment.to_string())?;
        }
        Ok(())
    }

    async fn references(&self) -> Done<Vec<ExternalReference>> {
        let mut all = vec![];
        let mut asked = ListExternalReferencesQuery { system: Some(self.options.system.clone()), limit: limit(), ..Default::default() };
        loop {
            let page = self.client.list_external_references(&asked).await?;
            all.extend(page.data);
            match page.next_cursor {
                Some(next) => asked.cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn accounts(&self) -> Done<Vec<Account>> {
        let mut all = vec![];
        let mut asked = ListAccountsQuery { limit: limit(), ..Default::default() };
        loop {
            let page = self.client.list_accounts(&asked).await?;
            all.extend(page.data);
            match page.next_cursor {
                Some(next) => asked.cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    async fn products(&self) -> Done<Vec<Product>> {
        let mut all = vec![];
        let mut asked = ListProductsQuery { limit: limit(), ..Default::default() };
        loop {
            let page = self.client.list_products(&asked).await?;
            all.extend(page.data);
            match page.next_cursor {
                Some(next) => asked.cursor = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// What a change says of a customer or an item. A record we have not heard of is asked for, unless the change says all of it.
    async fn news(&self, change: &Change) -> Done<Option<News>> {
        let kin = match change.resource.as_str() {
            "accounts" => Kin::Customer,
            "products" => Kin::Item,
            _ => return Ok(None),
        };
        let (id, version) = (change.resource_id, change.version);
        let says_all = change.changed_fields.is_empty() && change.after.is_some();
        if says_all || change.type_.ends_with(".deleted") || self.books.known(kin, id)?.is_some() {
            return Ok(Some(News { kin, id, version, fields: change.after.clone() }));
        }
        let found = match kin {
            Kin::Customer => self.client.get_account(id, &GetAccountQuery::default()).await.map(|a| news(kin, id, a.version, &a)),
            Kin::Item => self.client.get_product(id, &GetProductQuery::default()).await.map(|p| news(kin, id, p.version, &p)),
        };
        match found {
            Ok(found) => found.map(Some),
            // Gone since; its tombstone is on its way.
            Err(ClientError::Refused { problem, .. }) if problem.status == 404 => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Writes news down, unless something newer is known.
    fn take(&self, news: &News, names: &Names, report: &mut Report) -> Done<()> {
        let known = self.books.known(news.kin, news.id)?;
        if known.as_ref().is_some_and(|(_, version)| *version >= news.version) {
            return Ok(());
        }
        let Some(fields) = &news.fields else {
            if let Some((name, _)) = known {
                self.write(news.kin, &name, news.version, &Fields::new())?;
                self.books.close(news.kin, &name, true)?;
            }
            return Ok(());
        };
        let name = match known {
            Some((name, _)) => name,
            // Only goods are counted.
            None if news.kin == Kin::Item && fields.get("kind").is_some_and(|kind| kind != "goods") => return Ok(()),
            None => self.welcome(news, fields, names.get(&news.id), report)?,
        };
        self.write(news.kin, &name, news.version, fields)?;
        Ok(self.books.close(news.kin, &name, false)?)
    }

    fn write(&self, kin: Kin, name: &str, version: i64, fields: &Fields) -> Done<()> {
        let text = |field: &str| fields.get(field).and_then(Value::as_str);
        match kin {
            Kin::Customer => {
                let terms = fields.get("payment_terms_days").and_then(Value::as_i64);
                self.books.set_customer(name, version, text("name"), text("currency"), terms)?;
            }
            Kin::Item => self.books.set_item(name, version, text("sku"), text("name"))?,
        }
        Ok(())
    }

    /// A new customer or item gets our name, and what there is of it from before.
    fn welcome(&self, news: &News, fields: &Fields, name: Option<&String>, report: &mut Report) -> Done<String> {
        let (kin, id) = (news.kin, news.id);
        let (named, name) = (name.is_some(), name.map_or_else(|| self.books.next_name(kin), |name| Ok(name.clone()))?);
        match kin {
            Kin::Customer => {
                report.customers += 1;
                let currency = fields.get("currency").and_then(Value::as_str).unwrap_or(&self.options.currency);
                self.books.add_customer(&name, named, id, currency, self.credit_limit(&name))?;
                report.documents += self.open_account(&name, currency)?;
            }
            Kin::Item => {
                report.items += 1;
                self.books.add_item(&name, named, id)?;
                let opening = below(fate(self.options.seed, &format!("stock of {name}")), usize::from(self.options.opening_stock) + 1);
                let opening = Amount::whole(i64::try_from(opening).unwrap_or_default());
                if opening.is_positive() {
                    self.books.move_stock(&name, opening, "opening", Some(&format!("opening {name}")))?;
                }
            }
        }
        Ok(name)
    }

    /// The rule by which credit limits are given.
    fn credit_limit(&self, number: &str) -> Amount {
        let steps = below(fate(self.options.seed, &format!("limit of {number}")), 10);
        self.options.credit_limit.unwrap_or_else(|| Amount::whole((1 + i64::try_from(steps).unwrap_or_default()) * 50_000))
    }

    /// Invoices from before, some of them long due.
    fn open_account(&self, number: &str, currency: &str) -> Done<usize> {
        let seed = self.options.seed;
        let many = below(fate(seed, &format!("invoices of {number}")), usize::from(self.options.opening_invoices) + 1);
        let today = self.today()?;
        for n in 0..many {
            let source = format!("opening {number} {n}");
            let issued_on = today.checked_sub_days(Days::new(below(fate(seed, &format!("age of {source}")), 150) as u64)).unwrap_or(today);
            let cents = 10_000 + below(fate(seed, &format!("amount of {source}")), 5_000_000);
            self.books.post(Draft {
                kind: Kind::Invoice,
                ledger: &self.books.ledger(number, self.entity(&source), currency)?,
                amount: Amount::cents(i64::try_from(cents).unwrap_or_default()),
                issued_on,
                due_on: days_after(issued_on, 30),
                settles: None,
                source: Some(&source),
            })?;
        }
        Ok(many)
    }
}

pub(crate) fn limit() -> Option<String> {
    Some(RECORDS.to_owned())
}

fn news(kin: Kin, id: Uuid, version: i64, record: &impl Serialize) -> Done<News> {
    let fields = serde_json::to_value(record)?.as_object().cloned();
    Ok(News { kin, id, version, fields })
}
