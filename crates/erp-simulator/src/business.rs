//! Business that has nothing to do with the CRM: sales over the counter, credit notes, goods received, payments.

use crate::{
    amount::Amount,
    books::{Customer, Draft, Item, Kind, days_after},
    dice::{below, fate, is_within},
    simulator::{Done, Simulator},
};
use chrono::NaiveDate;

/// Of ten pieces of business, how many are sales; the others but one are goods received, that one is a credit note.
const SALES: usize = 6;

impl Simulator {
    /// Does business until so many pieces of it are done in all; how many now. The same for the same seed.
    pub fn trade(&mut self, goal: i64) -> Done<usize> {
        let mut done = 0;
        while self.books.number("trades")? < goal {
            let work = self.books.work()?;
            let number = self.books.next("trades")?;
            let fate = |about: &str, many: usize| below(fate(self.options.seed, &format!("{about} of trade {number}")), many);
            let about = format!("trade {number}");
            let (customers, items) = (self.books.customers(self.today()?)?, self.books.items()?);
            let customer = customers.get(fate("customer", customers.len()));
            let item = items.get(fate("item", items.len()));
            let posted = match (fate("kind", 10), customer, item) {
                (0, Some(customer), _) => self.credit(customer, &about, fate("share", 100))?,
                (1..=SALES, Some(customer), _) => {
                    let ledger = self.books.ledger(&customer.number, self.entity(&about), self.currency(customer, &about))?;
                    self.sell(customer, &ledger, item, fate("quantity", 5) + 1, fate("price", 100_000) + 1)?
                }
                (_, _, Some(item)) => {
                    let quantity = Amount::whole(i64::try_from(fate("quantity", 40) + 10).unwrap_or_default());
                    self.books.move_stock(&item.code, quantity, "received", None)?;
                    false
                }
                _ => false,
            };
            self.mishap()?;
            work.commit()?;
            self.report.documents += usize::from(posted);
            done += 1;
        }
        Ok(done)
    }

    /// The legal entity whose business something is.
    pub(crate) fn entity(&self, about: &str) -> &str {
        let is_other = fate(self.options.seed, &format!("entity of {about}")).is_multiple_of(2);
        self.options.second_entity.as_deref().filter(|_| is_other).unwrap_or(&self.options.entity)
    }

    /// The currency that something is sold in over the counter.
    fn currency<'a>(&'a self, customer: &'a Customer, about: &str) -> &'a str {
        let is_other = fate(self.options.seed, &format!("currency of {about}")).is_multiple_of(4);
        self.options.second_currency.as_deref().filter(|_| is_other).unwrap_or(&customer.currency)
    }

    /// Credits part of what a customer owes to one entity in one currency.
    fn credit(&self, customer: &Customer, about: &str, percent: usize) -> Done<bool> {
        let today = self.today()?;
        let mut ledgers = self.books.ledgers(today)?;
        ledgers.retain(|ledger| ledger.customer == customer.number);
        let Some(ledger) = ledgers.get(below(fate(self.options.seed, &format!("ledger of {about}")), ledgers.len())) else {
            return Ok(false);
        };
        // A hundredth of a hundredth is what amounts are kept in.
        let amount = Amount::cents(ledger.receivable.0 / 10_000 * i64::try_from(percent).unwrap_or_default());
        if !amount.is_positive() {
            return Ok(false);
        }
        let draft =
            Draft { kind: Kind::CreditNote, ledger: &ledger.name, amount, issued_on: today, due_on: today, settles: None, source: None };
        Ok(self.books.post(draft)?.is_some())
    }

    /// Sells over the counter; goods leave when there are enough.
    fn sell(&self, customer: &Customer, ledger: &str, item: Option<&Item>, quantity: usize, cents: usize) -> Done<bool> {
        let many = i64::try_from(quantity).unwrap_or_default();
        if let Some(item) = item.filter(|item| item.on_hand >= Amount::whole(many)) {
            self.books.move_stock(&item.code, -Amount::whole(many), "sold", None)?;
        }
        let (today, amount) = (self.today()?, Amount::cents(i64::try_from(cents).unwrap_or_default() * many));
        let due_on = days_after(today, customer.terms);
        let draft = Draft { kind: Kind::Invoice, ledger, amount, issued_on: today, due_on, settles: None, source: None };
        Ok(self.books.post(draft)?.is_some())
    }

    /// Books the payments of a day: a share of the due invoices is paid, now and then only half of one. How many.
    pub fn book_payments(&mut self, on: NaiveDate) -> Done<usize> {
        let work = self.books.work()?;
        let mut paid = 0;
        for open in self.books.unpaid(None)?.iter().filter(|open| open.due_on <= on) {
            let fate = fate(self.options.seed, &format!("payment of {} on {on}", open.invoice));
            if !self.books.judge(&open.invoice, on)? || !is_within(fate, self.options.pay) {
                continue;
            }
            let half = Amount::cents(open.amount.0 / 200);
            let amount = if fate.is_multiple_of(4) && half.is_positive() { half } else { open.amount };
            self.books.post(Draft {
                kind: Kind::Receipt,
                ledger: &open.ledger,
                amount,
                issued_on: on,
                due_on: on,
                settles: Some(&open.invoice),
                source: None,
            })?;
            paid += 1;
        }
        self.mishap()?;
        work.commit()?;
        self.report.documents += paid;
        Ok(paid)
    }

    /// Goods arrive, by the CRM's code of the item; whether there is such an item.
    pub fn receive(&mut self, sku: &str, quantity: Amount) -> Done<bool> {
        let items = self.books.items()?;
        let Some(item) = items.iter().find(|item| item.sku == sku) else { return Ok(false) };
        Ok(self.books.move_stock(&item.code, quantity, "received", None)?)
    }

    /// Gives a customer another credit limit; none is without limit.
    pub fn set_credit_limit(&mut self, number: &str, limit: Option<Amount>) -> Done<()> {
        Ok(self.books.set_credit_limit(number, limit)?)
    }
}
