//! What leaves for orders and what becomes of it: deliveries, their invoices, and the credit notes for what came back or was let off.

use crate::{
    amount::Amount,
    books::{Books, Delivery, DocumentLine, Draft, Kept, Kind, day, id, read},
};
use chrono::NaiveDate;
use rusqlite::{OptionalExtension, Row, params};
use uuid::Uuid;

/// The part of a document that is about a line of an order.
#[derive(Clone, Debug)]
struct Part {
    order: String,
    line: String,
    quantity: Amount,
    amount: Amount,
    /// The amount without a rebate.
    full: Amount,
}

impl Books {
    /// Writes a delivery down, once; whether it is a new one.
    pub fn deliver(&self, delivery: &Delivery) -> Kept<bool> {
        let Delivery { shipment, ledger, terms, lines } = delivery;
        let shipment = shipment.to_string();
        let sql = "INSERT INTO deliveries (shipment, ledger, terms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
        if self.db.prepare_cached(sql)?.execute(params![shipment, ledger, terms])? == 0 {
            return Ok(false);
        }
        let mut order = self.db.prepare_cached(
            "INSERT INTO order_lines (id, order_id, is_service, quantity, total) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET quantity = excluded.quantity, total = excluded.total",
        )?;
        let mut left = self.db.prepare_cached("INSERT INTO delivery_lines (shipment, order_line_id, quantity) VALUES (?, ?, ?)")?;
        for line in lines {
            let id = line.order_line_id.to_string();
            order.execute(params![id, line.order_id.to_string(), line.is_service, line.ordered, line.total])?;
            left.execute(params![shipment, id, line.quantity])?;
        }
        Ok(true)
    }

    /// Deliveries that are not invoiced: shipment, ledger and terms.
    pub fn uninvoiced(&self) -> Kept<Vec<(String, String, u32)>> {
        let sql = "SELECT shipment, ledger, terms FROM deliveries WHERE is_invoiced = 0 ORDER BY rowid";
        self.db.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
    }

    /// Invoices a delivery, so many hundredths of what it comes to; the invoice's number, unless it comes to nothing.
    pub fn invoice(&self, delivery: (&str, &str), percent: i64, issued_on: NaiveDate, due_on: NaiveDate) -> Kept<Option<String>> {
        let (shipment, ledger) = delivery;
        let sql = "SELECT l.id, l.order_id, l.quantity, l.total, l.invoiced_quantity, l.invoiced_amount, d.quantity
                   FROM delivery_lines d JOIN order_lines l ON l.id = d.order_line_id WHERE d.shipment = ? ORDER BY d.id";
        let part = |row: &Row<'_>| {
            let (ordered, total, before, invoiced): (Amount, Amount, Amount, Amount) = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            let quantity: Amount = row.get(6)?;
            let full = share(total, before + quantity, ordered) - invoiced;
            let amount = if percent == 100 { full } else { Amount::cents((full.0 / 100 * percent + 50) / 100) };
            Ok(Part { order: row.get(1)?, line: row.get(0)?, quantity, amount, full })
        };
        let parts = self.db.prepare_cached(sql)?.query_map([shipment], part)?.collect::<Kept<Vec<_>>>()?;
        self.db.prepare_cached("UPDATE deliveries SET is_invoiced = 1 WHERE shipment = ?")?.execute([shipment])?;
        let amount: Amount = parts.iter().map(|part| part.amount).sum();
        if !amount.is_positive() {
            return Ok(None);
        }
        let draft = Draft { kind: Kind::Invoice, ledger, amount, issued_on, due_on, settles: None, source: Some(shipment) };
        let Some(number) = self.post(draft)? else { return Ok(None) };
        self.add_lines(&number, &parts, None)?;
        Ok(Some(number))
    }

    /// Writes down what of orders a document is about; what it credits is invoiced no more.
    fn add_lines(&self, number: &str, parts: &[Part], credits: Option<&str>) -> Kept<()> {
        let mut add = self.db.prepare_cached(
            "INSERT INTO document_lines (name, document, order_id, order_line_id, quantity, amount, full, credits) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut count = self.db.prepare_cached(
            "UPDATE order_lines SET invoiced_quantity = invoiced_quantity + ?2, invoiced_amount = invoiced_amount + ?3 WHERE id = ?1",
        )?;
        for (n, Part { order, line, quantity, amount, full }) in parts.iter().enumerate() {
            add.execute(params![format!("{number}/{}", n + 1), number, order, line, quantity, amount, full, credits])?;
            let (quantity, full) = if credits.is_some() { (-*quantity, -*full) } else { (*quantity, *full) };
            count.execute(params![line, quantity, full])?;
        }
        Ok(())
    }

    /// Notes that a shipment came back; whether that is news.
    pub fn take_back(&self, shipment: &str) -> Kept<bool> {
        let sql = "UPDATE deliveries SET is_returned = 1 WHERE shipment = ? AND is_returned = 0";
        Ok(self.db.prepare_cached(sql)?.execute([shipment])? > 0)
    }

    /// Shipments that came back, are invoiced and not credited.
    pub fn uncredited(&self) -> Kept<Vec<String>> {
        let sql = "SELECT shipment FROM deliveries WHERE is_returned = 1 AND is_invoiced = 1 AND is_credited = 0 ORDER BY rowid";
        self.db.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    /// Credits the goods of a shipment that came back, but for what was credited of its invoice before; the credit note's number, unless
    /// nothing is left.
    pub fn credit_return(&self, shipment: &str, on: NaiveDate) -> Kept<Option<String>> {
        self.db.prepare_cached("UPDATE deliveries SET is_credited = 1 WHERE shipment = ?")?.execute([shipment])?;
        let sql = "SELECT i.order_id, i.order_line_id, i.quantity, i.full, i.document,
                     i.amount - coalesce((SELECT sum(c.amount) FROM document_lines c
                       WHERE c.credits = i.document AND c.order_line_id = i.order_line_id), 0)
                   FROM document_lines i JOIN documents d ON d.number = i.document JOIN order_lines l ON l.id = i.order_line_id
                   WHERE d.source = ? AND d.kind = 'invoice' AND l.is_service = 0 ORDER BY i.rowid";
        let part = |row: &Row<'_>| {
            let part = Part { order: row.get(0)?, line: row.get(1)?, quantity: row.get(2)?, amount: row.get(5)?, full: row.get(3)? };
            Ok((row.get::<_, String>(4)?, part))
        };
        let found = self.db.prepare_cached(sql)?.query_map([shipment], part)?.collect::<Kept<Vec<_>>>()?;
        let Some((invoice, _)) = found.first().cloned() else { return Ok(None) };
        let parts: Vec<Part> = found.into_iter().map(|(_, part)| part).collect();
        self.credit(&invoice, &parts, &format!("return of {shipment}"), on)
    }

    /// Gives so many hundredths of the first line of an invoice back, without goods; the credit note's number, unless it comes to nothing.
    pub fn allow(&self, invoice: &str, percent: i64, on: NaiveDate) -> Kept<Option<String>> {
        let sql = "SELECT order_id, order_line_id, amount FROM document_lines WHERE document = ? ORDER BY rowid LIMIT 1";
        let first = |row: &Row<'_>| {
            let amount: Amount = row.get(2)?;
            let amount = Amount::cents((amount.0 / 100 * percent + 50) / 100);
            Ok(Part { order: row.get(0)?, line: row.get(1)?, quantity: Amount::default(), amount, full: Amount::default() })
        };
        match self.db.prepare_cached(sql)?.query_row([invoice], first).optional()? {
            Some(part) => self.credit(invoice, &[part], &format!("allowance of {invoice}"), on),
            None => Ok(None),
        }
    }

    fn credit(&self, invoice: &str, parts: &[Part], source: &str, on: NaiveDate) -> Kept<Option<String>> {
        let ledger: String =
            self.db.prepare_cached("SELECT ledger FROM documents WHERE number = ?")?.query_row([invoice], |row| row.get(0))?;
        let amount: Amount = parts.iter().map(|part| part.amount).sum();
        if !amount.is_positive() {
            return Ok(None);
        }
        let (kind, settles) = (Kind::CreditNote, Some(invoice));
        let draft = Draft { kind, ledger: &ledger, amount, issued_on: on, due_on: on, settles, source: Some(source) };
        let Some(number) = self.post(draft)? else { return Ok(None) };
        self.add_lines(&number, parts, Some(invoice))?;
        Ok(Some(number))
    }

    /// Our name of the line of a document that is about a line of an order.
    pub fn line_name(&self, document: &str, order_line: Uuid) -> Kept<Option<String>> {
        let sql = "SELECT name FROM document_lines WHERE document = ? AND order_line_id = ?";
        self.db.prepare_cached(sql)?.query_row([document, &order_line.to_string()], |row| row.get(0)).optional()
    }

    /// Every line of a document that is about an order, and how much of it is paid: what settles a document settles its first lines first.
    /// What a credit note with lines of its own settles is told as that, not as paid.
    pub fn document_lines(&self) -> Kept<Vec<DocumentLine>> {
        let sql = "SELECT l.name, l.document, l.order_id, l.order_line_id, l.quantity, l.amount, d.issued_on, d.posted_at, l.told,
                     coalesce((SELECT sum(a.amount) FROM allocations a WHERE a.invoice = l.document
                       AND NOT EXISTS (SELECT 1 FROM document_lines c WHERE c.document = a.document)), 0), d.ledger, d.kind,
                     (SELECT entity FROM ledgers WHERE name = d.ledger)
                   FROM document_lines l JOIN documents d ON d.number = l.document ORDER BY l.rowid";
        let line = |row: &Row<'_>| {
            Ok(DocumentLine {
                name: row.get(0)?,
                document: row.get(1)?,
                kind: if row.get::<_, String>(11)? == Kind::CreditNote.name() { Kind::CreditNote } else { Kind::Invoice },
                ledger: row.get(10)?,
                entity: row.get(12)?,
                order_id: id(row, 2)?,
                order_line_id: id(row, 3)?,
                quantity: row.get(4)?,
                amount: row.get(5)?,
                paid: row.get(9)?,
                issued_on: day(row, 6)?,
                posted_at: read(7, row.get::<_, String>(7)?.parse())?,
                told: row.get(8)?,
            })
        };
        let mut all = self.db.prepare_cached(sql)?.query_map([], line)?.collect::<Kept<Vec<_>>>()?;
        let (mut document, mut left) = (String::new(), Amount::default());
        for line in &mut all {
            if document != line.document {
                (document, left) = (line.document.clone(), line.paid);
            }
            line.paid = left.min(line.amount);
            left = left - line.paid;
        }
        Ok(all)
    }
}

/// `total × part ÷ whole`, rounded half up to hundredths; all of it when the part is the whole.
fn share(total: Amount, part: Amount, whole: Amount) -> Amount {
    if part >= whole {
        return total;
    }
    let (product, divisor) = (i128::from(total.0) * i128::from(part.0), i128::from(whole.0) * 100);
    Amount::cents(i64::try_from((product + divisor / 2) / divisor).unwrap_or(i64::MAX / 100))
}
