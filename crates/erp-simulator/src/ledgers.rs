//! Ledgers: what each customer owes to each legal entity in each currency.
//!
//! The balances that are pushed are ledgers; a customer as a whole is what they add up to in its own currency.

use crate::{
    amount::Amount,
    books::{Books, Customer, Kept, id},
};
use chrono::NaiveDate;
use rusqlite::Row;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A ledger, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Its name in the books.
    pub name: String,
    /// Our number of the customer.
    pub customer: String,
    /// The CRM's account.
    pub account_id: Uuid,
    /// The legal entity the customer owes to.
    pub entity: String,
    /// ISO 4217 currency of its amounts.
    pub currency: String,
    /// Invoiced and unpaid; below zero where more was credited than is owed.
    pub receivable: Amount,
    /// Overdue: 1 to 30, 31 to 60, 61 to 90, more than 90 days.
    pub overdue: [Amount; 4],
    /// The last entry in it: a balance as of before says nothing of it.
    pub(crate) last_entry: i64,
    /// What was last sent about it.
    pub(crate) told: Option<String>,
}

/// The name of a ledger.
pub fn ledger_name(customer: &str, entity: &str, currency: &str) -> String {
    format!("{customer} {entity} {currency}")
}

impl Books {
    /// The name of a ledger, which is opened if there is none.
    pub fn ledger(&self, customer: &str, entity: &str, currency: &str) -> Kept<String> {
        let name = ledger_name(customer, entity, currency);
        let sql = "INSERT INTO ledgers (name, customer, entity, currency) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
        self.db.prepare_cached(sql)?.execute([&name, customer, entity, currency])?;
        Ok(name)
    }

    /// Every ledger of the customers that are not closed, by name, and what it says on that day.
    pub fn ledgers(&self, on: NaiveDate) -> Kept<Vec<Ledger>> {
        let sql =
            "SELECT l.name, l.customer, c.account_id, l.entity, l.currency, l.told, coalesce(sum(e.amount), 0), coalesce(max(e.id), 0)
                   FROM ledgers l JOIN customers c ON c.number = l.customer
                   LEFT JOIN entries e ON e.ledger = l.name AND e.account = 'receivable'
                   WHERE c.closed = 0 GROUP BY l.name ORDER BY l.name";
        let ledger = |row: &Row<'_>| {
            Ok(Ledger {
                name: row.get(0)?,
                customer: row.get(1)?,
                account_id: id(row, 2)?,
                entity: row.get(3)?,
                currency: row.get(4)?,
                told: row.get(5)?,
                receivable: row.get(6)?,
                overdue: [Amount::default(); 4],
                last_entry: row.get(7)?,
            })
        };
        let mut all = self.db.prepare_cached(sql)?.query_map([], ledger)?.collect::<Kept<Vec<_>>>()?;
        for open in self.unpaid(None)? {
            let days = on.signed_duration_since(open.due_on).num_days();
            let Ok(at) = all.binary_search_by(|l| l.name.cmp(&open.ledger)) else { continue };
            if let Some(ledger) = all.get_mut(at).filter(|_| days > 0) {
                let [one, two, three, more] = &mut ledger.overdue;
                let bucket = match days {
                    ..=30 => one,
                    31..=60 => two,
                    61..=90 => three,
                    _ => more,
                };
                *bucket = *bucket + open.amount;
            }
        }
        Ok(all)
    }

    /// Every customer that is not closed, and what the books say of it on that day.
    pub fn customers(&self, on: NaiveDate) -> Kept<Vec<Customer>> {
        let sql = "SELECT number, account_id, currency, terms, credit_limit FROM customers WHERE closed = 0 ORDER BY number";
        let customer = |row: &Row<'_>| {
            Ok(Customer {
                number: row.get(0)?,
                account_id: id(row, 1)?,
                currency: row.get(2)?,
                terms: row.get(3)?,
                credit_limit: row.get(4)?,
                receivable: Amount::default(),
                overdue: [Amount::default(); 4],
            })
        };
        let mut all = self.db.prepare_cached(sql)?.query_map([], customer)?.collect::<Kept<Vec<_>>>()?;
        let mut ledgers: BTreeMap<String, Vec<Ledger>> = BTreeMap::new();
        for ledger in self.ledgers(on)? {
            ledgers.entry(ledger.customer.clone()).or_default().push(ledger);
        }
        for customer in &mut all {
            let own = ledgers.get(&customer.number).into_iter().flatten().filter(|l| l.currency == customer.currency);
            for ledger in own {
                customer.receivable = customer.receivable + ledger.receivable;
                for (sum, part) in customer.overdue.iter_mut().zip(ledger.overdue) {
                    *sum = *sum + part;
                }
            }
        }
        Ok(all)
    }
}
