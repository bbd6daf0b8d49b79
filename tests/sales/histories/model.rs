//! What a customer's exposure should be, as simply as it can be said: sums over everything that is known, made anew each time.

use std::collections::{BTreeMap, BTreeSet};

/// Money in satang, or in cents.
pub type Satang = i64;

/// What customers buy in: the currency of the limit, and one that is brought to it at a fixed rate.
pub const CURRENCIES: [&str; 2] = ["THB", "USD"];

/// Baht for a dollar. A whole number, so that nothing is rounded on the way.
pub const RATE: i64 = 35;

/// An amount of a currency in satang.
pub fn in_baht(currency: &str, amount: Satang) -> Satang {
    if currency == CURRENCIES[0] { amount } else { amount * RATE }
}

/// A moment of accounting's: the seconds since the history began.
pub type Moment = i64;

/// `amount × part ÷ whole`, rounded half up to the satang.
pub fn share(amount: Satang, part: i64, whole: i64) -> Satang {
    if whole == 0 { 0 } else { (amount * part * 2 + whole) / (whole * 2) }
}

/// Pieces at a price in ten-thousandths of a baht, with a VAT of 7 %, each rounded half up.
pub fn with_tax(price: i64, pieces: i64) -> Satang {
    let net = (price * pieces + 50) / 100;
    net + (net * 7 + 50) / 100
}

/// A line of an order.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub price: i64,
    pub pieces: i64,
    pub shipped: i64,
    /// What is promised of it, and for how much.
    pub promised: (i64, Satang),
}

/// An order as it was answered.
#[derive(Clone, Debug)]
pub struct Order {
    pub id: String,
    pub currency: &'static str,
    pub lines: Vec<Line>,
    pub is_closed: bool,
}

impl Order {
    /// All of it is promised.
    pub fn promise(&mut self) {
        self.is_closed = false;
        for line in &mut self.lines {
            line.promised = (line.pieces, with_tax(line.price, line.pieces));
        }
    }

    /// It is held: what is promised stays, but for what is not ordered any more.
    pub fn keep(&mut self) {
        self.is_closed = false;
        for line in self.lines.iter_mut().filter(|l| l.promised.0 > l.pieces) {
            line.promised = (line.pieces, share(line.promised.1, line.pieces, line.promised.0));
        }
    }

    /// It ends: no more is promised than has left.
    pub fn close(&mut self) {
        self.is_closed = true;
        for line in &mut self.lines {
            line.promised = (line.shipped, share(with_tax(line.price, line.pieces), line.shipped, line.pieces));
        }
    }

    /// Nothing of it is promised.
    pub fn withdraw(&mut self) {
        for line in &mut self.lines {
            line.promised = (0, 0);
        }
    }
}

/// What accounting says of a line of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub number: String,
    pub entity: &'static str,
    pub currency: &'static str,
    pub is_credit: bool,
    pub order: usize,
    pub line: usize,
    pub pieces: i64,
    pub amount: Satang,
    pub paid: Satang,
    pub posted_at: Moment,
    pub as_of: Moment,
}

impl Document {
    /// What it adds to the books' receivable.
    pub fn owed(&self) -> Satang {
        if self.is_credit { self.paid - self.amount } else { self.amount - self.paid }
    }
}

/// What was told to the CRM, in whatever order.
#[derive(Clone, Debug, Default)]
pub struct Told {
    pub orders: Vec<Order>,
    documents: BTreeMap<String, Document>,
    /// By legal entity and currency.
    balances: BTreeMap<(&'static str, &'static str), (Moment, Satang)>,
}

impl Told {
    pub fn document(&mut self, told: &Document) {
        if self.documents.get(&told.number).is_none_or(|known| known.as_of <= told.as_of) {
            self.documents.insert(told.number.clone(), told.clone());
        }
    }

    pub fn balance(&mut self, books: (&'static str, &'static str), as_of: Moment, receivable: Satang) {
        if self.balances.get(&books).is_none_or(|known| known.0 <= as_of) {
            self.balances.insert(books, (as_of, receivable));
        }
    }

    fn of_line(&self, order: usize, line: usize, is_credit: bool) -> Vec<&Document> {
        let of = |d: &&Document| (d.order, d.line, d.is_credit) == (order, line, is_credit);
        let mut found: Vec<&Document> = self.documents.values().filter(of).collect();
        found.sort_by_key(|d| (d.posted_at, d.number.clone()));
        found
    }

    /// What of a line is promised and not invoiced, in pieces.
    pub fn open_pieces(&self, order: usize, line: usize) -> i64 {
        let pieces = |is_credit| self.of_line(order, line, is_credit).iter().map(|d| d.pieces).sum::<i64>();
        let invoiced = pieces(false);
        let credited = if self.orders[order].is_closed { 0 } else { pieces(true).min(invoiced) };
        (self.orders[order].lines[line].promised.0 - (invoiced - credited)).max(0)
    }

    /// What of an order is promised and not invoiced.
    pub fn open_amount(&self, order: usize) -> Satang {
        let lines = self.orders[order].lines.iter().enumerate();
        lines.map(|(n, line)| share(line.promised.1, self.open_pieces(order, n), line.promised.0)).sum()
    }

    /// What of credit notes has no effect: nothing is given back that was not invoiced, the oldest note first.
    fn beyond(&self) -> BTreeMap<String, Satang> {
        let mut beyond = BTreeMap::new();
        let lines: BTreeSet<(usize, usize)> = self.documents.values().map(|d| (d.order, d.line)).collect();
        for (order, line) in lines {
            let mut left: Satang = self.of_line(order, line, false).iter().map(|d| d.amount).sum();
            for note in self.of_line(order, line, true) {
                let effective = note.amount.min(left);
                left -= effective;
                beyond.insert(note.number.clone(), note.amount - effective);
            }
        }
        beyond
    }

    /// Receivable as reported, what was invoiced since, and what is promised and not invoiced; in baht, whatever it is owed in.
    pub fn exposure(&self) -> Satang {
        let reported: Satang = self.balances.iter().map(|((_, currency), (_, receivable))| in_baht(currency, *receivable)).sum();
        let beyond = self.beyond();
        let is_since = |d: &&Document| self.balances.get(&(d.entity, d.currency)).is_none_or(|(as_of, _)| *as_of < d.posted_at);
        let since = self.documents.values().filter(is_since).map(|d| match beyond.get(&d.number) {
            None => in_baht(d.currency, d.owed()),
            Some(beyond) => -in_baht(d.currency, (d.amount - d.paid).min(d.amount - beyond)),
        });
        let promised = (0..self.orders.len()).map(|n| in_baht(self.orders[n].currency, self.open_amount(n)));
        reported + since.sum::<Satang>() + promised.sum::<Satang>()
    }
}
