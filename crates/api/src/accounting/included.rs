//! Orders taken here that a pushed balance includes: what was open of them at its moment is taken out of the sender's amounts, because
//! it counts here until it is invoiced.
//!
//! Used by pushes and by mappings. What was open then is what is open now and what was invoiced since, so the result does not depend on
//! when the push arrives, provided the documents of before have arrived: they are taken first when they come in the same batch.

use super::ledger::{Accounts, Ledger};
use samphan_domain::{integration::credit_item::CreditItem, sales::order::Order};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// The permission it takes to name orders as included.
pub const PERMISSION: &str = "orders:read";

/// The orders that items name as included.
#[derive(Default)]
pub struct Included {
    by_name: HashMap<String, Uuid>,
    orders: HashMap<Uuid, OpenOrder>,
}

/// An order of the ledger's currency, and what is open of it.
struct OpenOrder {
    account: Uuid,
    open: Amount,
    /// What was invoiced of it, and when each document was posted.
    invoiced: Vec<(Timestamp, Amount)>,
}

impl Included {
    /// Reads the orders that pushed items name, for a caller that may read orders.
    pub async fn of(work: &Work, ledger: &Ledger, items: &[Result<CreditItem>]) -> Result<Self> {
        if items.iter().flatten().any(|item| !item.included_orders.is_empty()) {
            work.caller.require([PERMISSION])?;
        }
        Self::of_kept(work, ledger, items).await
    }

    /// The same of pushes that were kept until their customer was mapped: mapping needs none of the permissions of a push.
    pub async fn of_kept(work: &Work, ledger: &Ledger, items: &[Result<CreditItem>]) -> Result<Self> {
        let names: HashSet<&String> = items.iter().flatten().flat_map(|item| &item.included_orders).collect();
        if names.is_empty() {
            return Ok(Self::default());
        }
        let (mut ids, mut numbers) = (vec![], vec![]);
        for name in names {
            match Uuid::parse_str(name) {
                Ok(id) => ids.push(Scalar::Id(id)),
                Err(_) => numbers.push(Scalar::Text(name.clone())),
            }
        }
        let mut included = Self::default();
        for (column, kind, values) in [("id", Kind::Id, ids), ("number", Kind::Text, numbers)] {
            if !values.is_empty() {
                included.read(work, ledger, column, kind, values).await?;
            }
        }
        included.read_invoices(work).await?;
        Ok(included)
    }

    async fn read(&mut self, work: &Work, ledger: &Ledger, column: &'static str, kind: Kind, values: Vec<Scalar>) -> Result<()> {
        let mut sql = work.sql();
        sql.push("SELECT t.id, t.number, t.account_id, t.open_amount").from_each(Order::PLURAL, "t", column, kind, values);
        sql.push(" AND t.currency = ").text(ledger.currency.clone());
        for (id, number, account, open) in work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.id(2)?, row.int(3)?))).await? {
            self.by_name.extend([(number, id), (id.to_string(), id)]);
            self.orders.insert(id, OpenOrder { account, open: Amount(open), invoiced: vec![] });
        }
        Ok(())
    }

    async fn read_invoices(&mut self, work: &Work) -> Result<()> {
        if self.orders.is_empty() {
            return Ok(());
        }
        let mut sql = work.sql();
        let ids = self.orders.keys().copied().map(Scalar::Id);
        sql.push("SELECT t.order_id, t.posted_at, t.amount").from_each("order_invoices", "t", "order_id", Kind::Id, ids);
        sql.push(" AND t.kind = 'invoice'");
        for (order, posted_at, amount) in work.fetch(sql, |row| Ok((row.id(0)?, row.time(1)?, row.int(2)?))).await? {
            if let (Some(order), Some(posted_at)) = (self.orders.get_mut(&order), posted_at) {
                order.invoiced.push((posted_at, Amount(amount)));
            }
        }
        Ok(())
    }

    /// What was open, at the moment of an item, of the orders it names, each once; and the fault of those that are not its customer's.
    pub fn amount(&self, item: &CreditItem, account: Uuid) -> (Amount, Option<Error>) {
        let (mut amount, mut faults, mut counted) = (Amount(0), vec![], HashSet::new());
        for (n, name) in item.included_orders.iter().enumerate() {
            let key = Uuid::parse_str(name).map_or_else(|_| name.clone(), |id| id.to_string());
            let found = self.by_name.get(&key).and_then(|id| Some((*id, self.orders.get(id)?)));
            match found.filter(|(_, order)| order.account == account) {
                Some((id, order)) if counted.insert(id) => {
                    let since = order.invoiced.iter().filter(|(posted_at, _)| *posted_at > item.as_of);
                    amount = since.fold(amount.plus(order.open), |sum, (_, invoiced)| sum.plus(*invoiced));
                }
                Some(_) => {}
                None => faults.push(FieldError::new(format!("/included_orders/{n}"), FieldCode::UnknownReference, Order::PLURAL)),
            }
        }
        (amount, (!faults.is_empty()).then(|| Error::from(samphan_resource::error::Code::UnknownReference).with_field_errors(faults)))
    }

    /// Whether a customer's item names what is not an order of that customer: it is refused then.
    pub fn fault(&self, accounts: &Accounts, item: &CreditItem) -> Option<Error> {
        accounts.of(item).and_then(|account| self.amount(item, account).1)
    }
}
