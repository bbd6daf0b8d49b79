//! The books: customers, items, stock and a receivables ledger by double entry, in one SQLite file.

use crate::amount::Amount;
use chrono::{DateTime, Days, NaiveDate, Utc};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::{path::Path, time::SystemTime};
use uuid::Uuid;

/// Results of the books.
pub type Kept<T> = rusqlite::Result<T>;

/// Value added tax within an amount: so many of so many parts.
const TAX: (i64, i64) = (7, 107);

/// What kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The customer owes more.
    Invoice,
    /// The customer owes less.
    CreditNote,
    /// The customer has paid.
    Receipt,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote => "credit_note",
            Self::Receipt => "receipt",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Invoice => "IV",
            Self::CreditNote => "CN",
            Self::Receipt => "RV",
        }
    }
}

/// A document to be posted.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// What kind.
    pub kind: Kind,
    /// The ledger it is posted to.
    pub ledger: &'a str,
    /// How much, tax included.
    pub amount: Amount,
    /// Its date.
    pub issued_on: NaiveDate,
    /// When it is to be paid.
    pub due_on: NaiveDate,
    /// The invoice it settles; the oldest ones when left out.
    pub settles: Option<&'a str>,
    /// What it was made from: the same is never posted twice.
    pub source: Option<&'a str>,
}

/// A customer, and what the books say of it in its own currency, whichever entity it owes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Our number.
    pub number: String,
    /// The CRM's account.
    pub account_id: Uuid,
    /// ISO 4217 currency of its balance.
    pub currency: String,
    /// Days until an invoice is due.
    pub terms: u32,
    /// The credit limit; none is without limit.
    pub credit_limit: Option<Amount>,
    /// Invoiced and unpaid.
    pub receivable: Amount,
    /// Of that, overdue: 1 to 30, 31 to 60, 61 to 90, more than 90 days.
    pub overdue: [Amount; 4],
}

/// An item, and how much of it there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Our code.
    pub code: String,
    /// The CRM's product.
    pub product_id: Uuid,
    /// The CRM's code.
    pub sku: String,
    /// How much there is.
    pub on_hand: Amount,
    /// What was last sent about it.
    pub(crate) told: Option<String>,
}

/// An invoice that is not paid.
#[derive(Clone, Debug)]
pub struct Open {
    /// Its number.
    pub invoice: String,
    /// The ledger it is in.
    pub ledger: String,
    /// When it is to be paid.
    pub due_on: NaiveDate,
    /// What is left to be paid.
    pub amount: Amount,
}

/// A record of the CRM that we keep a record of our own of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kin {
    /// Accounts are customers.
    Customer,
    /// Products are items.
    Item,
}

impl Kin {
    /// The CRM's name of the resource.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Customer => "accounts",
            Self::Item => "products",
        }
    }

    const fn next_number(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Item => "item",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Customer => "C-",
            Self::Item => "I-",
        }
    }
}

/// What left the CRM's shelves for an order.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The CRM's shipment.
    pub shipment: Uuid,
    /// The ledger it is invoiced in.
    pub ledger: String,
    /// Days until its invoice is due.
    pub terms: u32,
    /// How much of which lines.
    pub lines: Vec<Delivered>,
}

/// How much of a line of an order left.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    /// The order.
    pub order_id: Uuid,
    /// The line.
    pub order_line_id: Uuid,
    /// Whether it is a service, which does not come back with a shipment.
    pub is_service: bool,
    /// How much of it is ordered.
    pub ordered: Amount,
    /// For how much, tax included.
    pub total: Amount,
    /// How much of it left.
    pub quantity: Amount,
}

/// A line of a document that is about a line of an order.
#[derive(Clone, Debug)]
pub struct DocumentLine {
    /// Our name of it.
    pub name: String,
    /// The document.
    pub document: String,
    /// What it is.
    pub kind: Kind,
    /// The ledger it is in.
    pub ledger: String,
    /// The legal entity whose ledger that is.
    pub entity: String,
    /// The order.
    pub order_id: Uuid,
    /// Its line.
    pub order_line_id: Uuid,
    /// How much of it.
    pub quantity: Amount,
    /// For how much, tax included.
    pub amount: Amount,
    /// How much of that is paid.
    pub paid: Amount,
    /// The document's date.
    pub issued_on: NaiveDate,
    /// When it was posted.
    pub posted_at: DateTime<Utc>,
    /// What was last sent about it.
    pub told: Option<String>,
}

/// What we tell the CRM about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A ledger.
    Ledger,
    /// An item.
    Item,
    /// A line of a document.
    Line,
}

/// The file.
#[derive(Debug)]
pub struct Books {
    pub(crate) db: Connection,
}

impl Books {
    /// Opens the file, made when missing.
    pub fn open(path: &Path) -> Kept<Self> {
        let db = Connection::open(path)?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        db.pragma_update(None, "journal_mode", "wal")?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.execute_batch(include_str!("schema.sql"))?;
        let books = Self { db };
        if books.setting("file")?.is_none() {
            // Keys of messages are told apart from those of another file by the moment it was made.
            books.set("file", &books.now()?.timestamp_micros().to_string())?;
        }
        Ok(books)
    }

    /// Everything within is kept, or nothing.
    pub fn work(&self) -> Kept<Transaction<'_>> {
        self.db.unchecked_transaction()
    }

    /// A value kept by name.
    pub fn setting(&self, name: &str) -> Kept<Option<String>> {
        self.db.prepare_cached("SELECT value FROM settings WHERE name = ?")?.query_row([name], |row| row.get(0)).optional()
    }

    /// Keeps a value by name.
    pub fn set(&self, name: &str, value: &str) -> Kept<()> {
        let mut keep = self.db.prepare_cached("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")?;
        keep.execute([name, value]).map(|_| ())
    }

    /// A number kept by name; 0 at first.
    pub fn number(&self, name: &str) -> Kept<i64> {
        Ok(self.setting(name)?.and_then(|n| n.parse().ok()).unwrap_or_default())
    }

    /// The next number of that name: 1, 2, 3 and so on.
    pub fn next(&self, name: &str) -> Kept<i64> {
        let next = self.number(name)? + 1;
        self.set(name, &next.to_string())?;
        Ok(next)
    }

    /// This moment, later than any moment before, whatever the machine's clock does.
    pub fn now(&self) -> Kept<DateTime<Utc>> {
        let clock = DateTime::<Utc>::from(SystemTime::now()).timestamp_micros();
        let now = clock.max(self.number("moment")? + 1);
        self.set("moment", &now.to_string())?;
        Ok(DateTime::from_timestamp_micros(now).unwrap_or_default())
    }

    /// Of a record of the CRM: our name of it and the version we know.
    pub fn known(&self, kin: Kin, id: Uuid) -> Kept<Option<(String, i64)>> {
        let sql = match kin {
            Kin::Customer => "SELECT number, version FROM customers WHERE account_id = ?",
            Kin::Item => "SELECT code, version FROM items WHERE product_id = ?",
        };
        self.db.prepare_cached(sql)?.query_row([id.to_string()], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// Our next name for a record of the CRM.
    pub fn next_name(&self, kin: Kin) -> Kept<String> {
        Ok(format!("{}{:06}", kin.prefix(), self.next(kin.next_number())?))
    }

    /// Goes on after a name that was given before our memory began.
    pub fn remember_name(&self, kin: Kin, name: &str) -> Kept<()> {
        let number: i64 = name.strip_prefix(kin.prefix()).and_then(|digits| digits.parse().ok()).unwrap_or_default();
        if number > self.number(kin.next_number())? { self.set(kin.next_number(), &number.to_string()) } else { Ok(()) }
    }

    /// Takes a customer over.
    pub fn add_customer(&self, number: &str, named: bool, id: Uuid, currency: &str, limit: Amount) -> Kept<()> {
        let mut add = self.db.prepare_cached(
            "INSERT INTO customers (number, account_id, version, name, currency, terms, credit_limit, named) VALUES (?, ?, 0, '', ?, 0, ?, ?)",
        )?;
        add.execute(params![number, id.to_string(), currency, limit, named]).map(|_| ())
    }

    /// Writes what the CRM says of a customer; what it does not say stays.
    pub fn set_customer(&self, number: &str, version: i64, name: Option<&str>, currency: Option<&str>, terms: Option<i64>) -> Kept<()> {
        let mut set = self.db.prepare_cached(
            "UPDATE customers SET version = ?2, name = coalesce(?3, name), currency = coalesce(?4, currency), terms = coalesce(?5, terms)
             WHERE number = ?1",
        )?;
        set.execute(params![number, version, name, currency, terms]).map(|_| ())
    }

    /// The currency a customer's account is in.
    pub fn currency(&self, number: &str) -> Kept<String> {
        self.db.prepare_cached("SELECT currency FROM customers WHERE number = ?")?.query_row([number], |row| row.get(0))
    }

    /// Whether a line of an order was delivered before.
    pub fn knows_order_line(&self, id: Uuid) -> Kept<bool> {
        self.db.prepare_cached("SELECT 1 FROM order_lines WHERE id = ?")?.exists([id.to_string()])
    }

    /// Takes an item over.
    pub fn add_item(&self, code: &str, named: bool, id: Uuid) -> Kept<()> {
        let sql = "INSERT INTO items (code, product_id, version, sku, name, named) VALUES (?, ?, 0, '', '', ?)";
        self.db.prepare_cached(sql)?.execute(params![code, id.to_string(), named]).map(|_| ())
    }

    /// Writes what the CRM says of an item; what it does not say stays.
    pub fn set_item(&self, code: &str, version: i64, sku: Option<&str>, name: Option<&str>) -> Kept<()> {
        let sql = "UPDATE items SET version = ?2, sku = coalesce(?3, sku), name = coalesce(?4, name) WHERE code = ?1";
        self.db.prepare_cached(sql)?.execute(params![code, version, sku, name]).map(|_| ())
    }

    /// The record is gone from the CRM, or is there again.
    pub fn close(&self, kin: Kin, name: &str, closed: bool) -> Kept<()> {
        let sql = match kin {
            Kin::Customer => "UPDATE customers SET closed = ?2 WHERE number = ?1",
            Kin::Item => "UPDATE items SET closed = ?2 WHERE code = ?1",
        };
        self.db.prepare_cached(sql)?.execute(params![name, closed]).map(|_| ())
    }

    /// Sets a customer's credit limit; none is without limit.
    pub fn set_credit_limit(&self, number: &str, limit: Option<Amount>) -> Kept<()> {
        self.db.prepare_cached("UPDATE customers SET credit_limit = ?2 WHERE number = ?1")?.execute(params![number, limit]).map(|_| ())
    }

    /// Records whose names were not sent yet: ours, and the CRM's.
    pub fn nameless(&self, kin: Kin) -> Kept<Vec<(String, Uuid)>> {
        let sql = match kin {
            Kin::Customer => "SELECT number, account_id FROM customers WHERE named = 0 AND closed = 0 ORDER BY number",
            Kin::Item => "SELECT code, product_id FROM items WHERE named = 0 AND closed = 0 ORDER BY code",
        };
        self.db.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, id(row, 1)?)))?.collect()
    }

    /// Whether a record's name was sent.
    pub fn set_named(&self, kin: Kin, name: &str, named: bool) -> Kept<()> {
        let sql = match kin {
            Kin::Customer => "UPDATE customers SET named = ?2 WHERE number = ?1",
            Kin::Item => "UPDATE items SET named = ?2 WHERE code = ?1",
        };
        self.db.prepare_cached(sql)?.execute(params![name, named]).map(|_| ())
    }

    /// What was sent about something, in which revision.
    pub fn set_told(&self, subject: Subject, name: &str, said: &str, revision: i64) -> Kept<()> {
        let sql = match subject {
            Subject::Ledger => "UPDATE ledgers SET told = ?2, told_revision = ?3 WHERE name = ?1",
            Subject::Item => "UPDATE items SET told = ?2, told_revision = ?3 WHERE code = ?1",
            Subject::Line => "UPDATE document_lines SET told = ?2, told_revision = ?3 WHERE name = ?1",
        };
        self.db.prepare_cached(sql)?.execute(params![name, said, revision]).map(|_| ())
    }

    /// What was sent about something in that revision was refused: it is to be sent again, unless something newer was.
    pub fn unsay(&self, subject: Subject, name: &str, revision: i64) -> Kept<()> {
        let sql = match subject {
            Subject::Ledger => "UPDATE ledgers SET told = NULL WHERE name = ?1 AND told_revision = ?2",
            Subject::Item => "UPDATE items SET told = NULL WHERE code = ?1 AND told_revision = ?2",
            Subject::Line => "UPDATE document_lines SET told = NULL WHERE name = ?1 AND told_revision = ?2",
        };
        self.db.prepare_cached(sql)?.execute(params![name, revision]).map(|_| ())
    }

    /// Goods come or go, once for each source.
    pub fn move_stock(&self, code: &str, quantity: Amount, reason: &str, source: Option<&str>) -> Kept<bool> {
        let sql = "INSERT INTO moves (item, quantity, reason, source) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING";
        Ok(self.db.prepare_cached(sql)?.execute(params![code, quantity, reason, source])? > 0)
    }

    /// Posts a document, with its entries and what it settles; its number, or none when its source was posted before.
    pub fn post(&self, draft: Draft<'_>) -> Kept<Option<String>> {
        let Draft { kind, ledger, amount, .. } = draft;
        let mut posted = self.db.prepare_cached("SELECT 1 FROM documents WHERE source = ?")?;
        if draft.source.is_some() && posted.exists([draft.source])? {
            return Ok(None);
        }
        let number = format!("{}-{:06}", kind.prefix(), self.next(kind.name())?);
        let (issued, due, posted) = (draft.issued_on.to_string(), draft.due_on.to_string(), self.now()?.to_rfc3339());
        self.db.prepare_cached("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
            number,
            kind.name(),
            ledger,
            amount,
            issued,
            due,
            posted,
            draft.source
        ])?;
        let tax = Amount((amount.0 * TAX.0 + TAX.1 / 2) / TAX.1);
        let entries = match kind {
            Kind::Invoice => vec![("receivable", amount), ("revenue", tax - amount), ("tax", -tax)],
            Kind::CreditNote => vec![("receivable", -amount), ("revenue", amount - tax), ("tax", tax)],
            Kind::Receipt => vec![("receivable", -amount), ("bank", amount)],
        };
        let mut add = self.db.prepare_cached("INSERT INTO entries (document, account, ledger, amount) VALUES (?, ?, ?, ?)")?;
        for (account, amount) in entries {
            add.execute(params![number, account, ledger, amount])?;
        }
        if kind != Kind::Invoice {
            self.settle(&number, draft)?;
        }
        Ok(Some(number))
    }

    /// What a document pays goes to one invoice, or to the oldest ones.
    fn settle(&self, number: &str, draft: Draft<'_>) -> Kept<()> {
        let mut left = draft.amount;
        let mut add = self.db.prepare_cached("INSERT INTO allocations (document, invoice, amount) VALUES (?, ?, ?)")?;
        for open in self.unpaid(Some(draft.ledger))?.iter().filter(|open| draft.settles.is_none_or(|one| one == open.invoice)) {
            let part = left.min(open.amount);
            if part.is_positive() {
                add.execute(params![number, open.invoice, part])?;
                left = left - part;
            }
        }
        Ok(())
    }

    /// Invoices that are not paid, of one ledger or of all; the oldest first.
    pub fn unpaid(&self, ledger: Option<&str>) -> Kept<Vec<Open>> {
        let sql = "SELECT number, ledger, due_on, open FROM (
                     SELECT number, ledger, due_on,
                       amount - coalesce((SELECT sum(a.amount) FROM allocations a WHERE a.invoice = d.number), 0) AS open
                     FROM documents d WHERE kind = 'invoice' AND (?1 IS NULL OR ledger = ?1))
                   WHERE open > 0 ORDER BY due_on, number";
        let open = |row: &Row<'_>| Ok(Open { invoice: row.get(0)?, ledger: row.get(1)?, due_on: day(row, 2)?, amount: row.get(3)? });
        self.db.prepare_cached(sql)?.query_map([ledger], open)?.collect()
    }

    /// Whether it is still to be decided on that day whether an invoice is paid; it is decided now.
    pub fn judge(&self, invoice: &str, on: NaiveDate) -> Kept<bool> {
        let sql = "INSERT INTO judged VALUES (?1, ?2) ON CONFLICT DO UPDATE SET judged_on = ?2 WHERE judged_on < ?2";
        Ok(self.db.prepare_cached(sql)?.execute([invoice, &on.to_string()])? > 0)
    }

    /// Every item that is not closed, and how much of it there is.
    pub fn items(&self) -> Kept<Vec<Item>> {
        let sql =
            "SELECT i.code, i.product_id, i.sku, coalesce(sum(m.quantity), 0), i.told FROM items i LEFT JOIN moves m ON m.item = i.code
                   WHERE i.closed = 0 GROUP BY i.code ORDER BY i.code";
        let item = |row: &Row<'_>| {
            Ok(Item { code: row.get(0)?, product_id: id(row, 1)?, sku: row.get(2)?, on_hand: row.get(3)?, told: row.get(4)? })
        };
        self.db.prepare_cached(sql)?.query_map([], item)?.collect()
    }

    /// Every document, one line each, for people and for comparing two sets of books.
    pub fn journal(&self) -> Kept<Vec<String>> {
        let sql =
            "SELECT d.number || ' ' || d.kind || ' ' || d.ledger || ' ' || d.amount || ' ' || d.issued_on || ' ' || d.due_on || ' ' ||
                     coalesce((SELECT group_concat(a.invoice || ':' || a.amount) FROM allocations a WHERE a.document = d.number), '')
                   FROM documents d ORDER BY d.kind, d.number";
        self.db.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// What is wrong with the books: nothing, ever.
    pub fn faults(&self) -> Kept<Vec<String>> {
        let sql = "SELECT 'entries of ' || document || ' add up to ' || sum(amount) FROM entries GROUP BY document HAVING sum(amount) <> 0
             UNION ALL SELECT kind || ': ' || count(*) || ' documents up to ' || max(number) FROM documents GROUP BY kind
                       HAVING max(number) NOT LIKE '%-' || printf('%06d', count(*))
             UNION ALL SELECT d.number || ' is settled by more than it says' FROM documents d JOIN allocations a ON a.invoice = d.number
                       GROUP BY d.number HAVING sum(a.amount) > d.amount
             UNION ALL SELECT l.document || ' credits more of ' || l.credits || ' than it says' FROM document_lines l
                       WHERE l.credits IS NOT NULL GROUP BY l.credits, l.order_line_id
                       HAVING sum(l.amount) > (SELECT sum(i.amount) FROM document_lines i
                         WHERE i.document = l.credits AND i.order_line_id = l.order_line_id)
             UNION ALL SELECT d.ledger || ': the ledger is not the open invoices' FROM documents d GROUP BY d.ledger
                       HAVING (SELECT sum(amount) FROM entries e WHERE e.ledger = d.ledger AND e.account = 'receivable') <>
                         sum(CASE kind WHEN 'invoice' THEN amount ELSE -amount END)";
        self.db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Puts a message into the outbox.
    pub fn put(&self, message: &str) -> Kept<()> {
        self.db.prepare_cached("INSERT INTO outbox (message) VALUES (?)")?.execute([message]).map(|_| ())
    }

    /// Messages nobody answered yet, or such as were answered well.
    pub fn messages(&self, answered: bool) -> Kept<Vec<i64>> {
        let sql = "SELECT id FROM outbox WHERE answered = ? AND failed = 0 ORDER BY id";
        self.db.prepare_cached(sql)?.query_map([answered], |row| row.get(0))?.collect()
    }

    /// A message, word for word.
    pub fn message(&self, id: i64) -> Kept<String> {
        self.db.prepare_cached("SELECT message FROM outbox WHERE id = ?")?.query_row([id], |row| row.get(0))
    }

    /// A message was answered, and so many of its items failed.
    pub fn answered(&self, id: i64, failed: usize) -> Kept<()> {
        let sql = "UPDATE outbox SET answered = 1, failed = ?2 WHERE id = ?1";
        self.db.prepare_cached(sql)?.execute(params![id, i64::try_from(failed).unwrap_or(i64::MAX)]).map(|_| ())
    }
}

/// The day so many days after another.
#[must_use]
pub fn days_after(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_add_days(Days::new(days.into())).unwrap_or(day)
}

pub(crate) fn id(row: &Row<'_>, at: usize) -> Kept<Uuid> {
    read(at, row.get::<_, String>(at)?.parse())
}

pub(crate) fn day(row: &Row<'_>, at: usize) -> Kept<NaiveDate> {
    read(at, row.get::<_, String>(at)?.parse())
}

pub(crate) fn read<T, E: std::error::Error + Send + Sync + 'static>(at: usize, value: Result<T, E>) -> Kept<T> {
    value.map_err(|e| rusqlite::Error::FromSqlConversionFailure(at, rusqlite::types::Type::Text, Box::new(e)))
}
