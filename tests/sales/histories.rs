//! Exposure after any history: of orders and of what accounting makes of them, told late, twice, in any order, in two entities and
//! two currencies.

mod model;

use super::*;
use crate::support::generated::{cases, for_all};
use model::{CURRENCIES, Document, Line, Moment, Order, RATE, Satang, Told, share, with_tax};
use proptest::{collection::vec, prelude::*, sample::select};
use std::cell::Cell;

crate::on_both![exposure_is_what_is_owed_and_what_is_promised];

const ENTITIES: [&str; 2] = ["TH01", "TH02"];
/// Prices in ten-thousandths: one that is not rounded, one that is.
const PRICES: [i64; 2] = [1_000_000, 333_333];
/// Pieces of a line at most: few, so that what is ordered, shipped, invoiced and given back meets.
const MOST_PIECES: i64 = 4;

/// A step of a history. Numbers choose among what there is by then.
#[derive(Clone, Debug)]
enum Step {
    Order { lines: Vec<(usize, i64)>, currency: usize },
    Amend { order: usize, line: usize, pieces: i64 },
    Act { order: usize, verb: &'static str },
    Ship { order: usize, line: usize, pieces: i64 },
    Arrive { shipment: usize, verb: &'static str },
    Invoice { order: usize, line: usize, pieces: i64, percent: i64, entity: usize },
    Credit { order: usize, line: usize, pieces: i64, percent: i64, entity: usize },
    Pay { document: usize, percent: i64 },
    Balance { entity: usize, currency: usize, with_documents: bool },
    Send { message: usize },
    SendAgain { message: usize },
}

/// What accounting sends.
#[derive(Clone, Debug)]
enum Message {
    Document(Document),
    Balance { entity: &'static str, currency: &'static str, as_of: Moment, receivable: Satang, includes: Vec<Document> },
}

fn a_step() -> impl Strategy<Value = Step> {
    let (n, pieces) = (|| 0..8_usize, || 1..=MOST_PIECES);
    let percent = || select(vec![0_i64, 10, 50, 90, 100, 100, 100, 150]);
    prop_oneof![
        3 => (vec((0..PRICES.len(), pieces()), 1..3), 0..CURRENCIES.len()).prop_map(|(lines, currency)| Step::Order { lines, currency }),
        2 => (n(), n(), pieces()).prop_map(|(order, line, pieces)| Step::Amend { order, line, pieces }),
        3 => (n(), select(vec!["hold", "release", "close", "reopen", "cancel"])).prop_map(|(order, verb)| Step::Act { order, verb }),
        4 => (n(), n(), pieces()).prop_map(|(order, line, pieces)| Step::Ship { order, line, pieces }),
        3 => (n(), select(vec!["deliver", "fail"])).prop_map(|(shipment, verb)| Step::Arrive { shipment, verb }),
        5 => (n(), n(), pieces(), percent(), 0..2_usize)
            .prop_map(|(order, line, pieces, percent, entity)| Step::Invoice { order, line, pieces, percent, entity }),
        4 => (n(), n(), 0..=MOST_PIECES, percent(), 0..2_usize)
            .prop_map(|(order, line, pieces, percent, entity)| Step::Credit { order, line, pieces, percent, entity }),
        3 => (n(), percent()).prop_map(|(document, percent)| Step::Pay { document, percent }),
        3 => (0..2_usize, 0..CURRENCIES.len(), any::<bool>())
            .prop_map(|(entity, currency, with_documents)| Step::Balance { entity, currency, with_documents }),
        8 => n().prop_map(|message| Step::Send { message }),
        2 => n().prop_map(|message| Step::SendAgain { message }),
    ]
}

async fn exposure_is_what_is_owed_and_what_is_promised(app: App) {
    let shop = Shop::open(&app).await;
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
    let rate = json!({"from_currency": "USD", "to_currency": "THB", "rate": format!("{RATE}.00"), "valid_from": "2026-01-01"});
    app.make("/v1/exchange-rates", rate).await;
    let export = id(&app.make("/v1/price-books", json!({"name": "Export", "currency": "USD"})).await);
    let mut products = vec![];
    for (n, price) in PRICES.iter().enumerate() {
        let price = format!("{}.{:04}", price / 10_000, price % 10_000);
        let product = shop.product(&app, &format!("P{n}"), &price, "1000000").await;
        // As many dollars as baht.
        app.make(&format!("/v1/price-books/{export}/entries"), json!({"product_id": product, "price": price})).await;
        products.push(product);
    }
    let catalog = Catalog { books: [shop.book.clone(), export], products };
    let next = Cell::new(0);
    for_all(cases(32), vec(a_step(), 1..20), async |steps| {
        next.set(next.get() + 1);
        let mut history = History::begin(&app, &catalog, next.get()).await;
        for (n, step) in steps.iter().enumerate() {
            history.take(step).await;
            history.agrees().await.map_err(|why| format!("after step {n}, {step:?}: {why}"))?;
        }
        history.end().await
    })
    .await;
}

/// What is sold, and the price book of each currency.
struct Catalog {
    books: [String; 2],
    products: Vec<String>,
}

/// A customer's history: what was told of it, and accounting's own books.
struct History<'a> {
    app: &'a App,
    catalog: &'a Catalog,
    account: String,
    name: String,
    began: Timestamp,
    now: Moment,
    told: Told,
    /// The shipments that have left: order, line, pieces.
    shipments: Vec<(String, usize, usize, i64)>,
    books: Vec<Document>,
    waiting: Vec<Message>,
    sent: Vec<Message>,
}

fn baht(amount: Satang) -> String {
    format!("{}{}.{:02}", if amount < 0 { "-" } else { "" }, amount.abs() / 100, amount.abs() % 100)
}

impl<'a> History<'a> {
    async fn begin(app: &'a App, catalog: &'a Catalog, number: usize) -> Self {
        let name = format!("C-{number}");
        let account = json!({"name": name, "currency": "THB"});
        let account = app.put(&format!("/v1/accounts/by-external-id/erp/{name}"), account).await.is(201).id();
        // What is sold in dollars counts against the limit in baht.
        let limit = json!({"limit_amount": "900000000.00", "currency": "THB"});
        app.put(&format!("/v1/accounts/{account}/credit-profile"), limit).await.is(201);
        let (told, began) = (Told::default(), from_now(-86_400));
        let none = (vec![], vec![], vec![], vec![]);
        let mut history =
            Self { app, catalog, account, name, began, now: 0, told, shipments: none.0, books: none.1, waiting: none.2, sent: none.3 };
        history.balance(0, 0, false);
        history.send_all().await;
        history
    }

    fn order(&self, n: usize) -> Option<usize> {
        n.checked_rem(self.told.orders.len())
    }

    fn line(&self, order: usize, line: usize) -> Option<(usize, usize)> {
        let order = self.order(order)?;
        Some((order, line % self.told.orders[order].lines.len()))
    }

    async fn take(&mut self, step: &Step) {
        self.now += 1;
        // What chooses among nothing is no step.
        let _: Option<()> = match step {
            Step::Order { lines, currency } => {
                self.place(lines, *currency).await;
                Some(())
            }
            Step::Amend { order, line, pieces } => self.amend(*order, *line, *pieces).await,
            Step::Act { order, verb } => self.act(*order, verb).await,
            Step::Ship { order, line, pieces } => self.ship(*order, *line, *pieces).await,
            Step::Arrive { shipment, verb } => self.arrive(*shipment, verb).await,
            Step::Invoice { order, line, pieces, percent, entity } => self.line(*order, *line).map(|(order, line)| {
                let amount = share(with_tax(self.told.orders[order].lines[line].price, *pieces), *percent, 100);
                self.post(false, order, line, *pieces, amount, ENTITIES[*entity]);
            }),
            Step::Credit { order, line, pieces, percent, entity } => self.line(*order, *line).map(|(order, line)| {
                let invoiced = self.books.iter().filter(|d| (d.order, d.line, d.is_credit) == (order, line, false));
                let amount = share(invoiced.map(|d| d.amount).sum(), *percent, 100);
                self.post(true, order, line, *pieces, amount, ENTITIES[*entity]);
            }),
            Step::Pay { document, percent } => document.checked_rem(self.books.len()).map(|n| {
                let paid = share(self.books[n].amount, (*percent).min(100), 100);
                self.pay(n, paid);
            }),
            Step::Balance { entity, currency, with_documents } => {
                self.balance(*entity, *currency, *with_documents);
                Some(())
            }
            Step::Send { message } => match message.checked_rem(self.waiting.len()) {
                Some(n) => {
                    let message = self.waiting.remove(n);
                    self.send(message).await;
                    Some(())
                }
                None => None,
            },
            Step::SendAgain { message } => match message.checked_rem(self.sent.len()) {
                Some(n) => {
                    self.send(self.sent[n].clone()).await;
                    Some(())
                }
                None => None,
            },
        };
    }

    async fn place(&mut self, lines: &[(usize, i64)], currency: usize) {
        let asked: Vec<Value> = lines
            .iter()
            .map(|(product, pieces)| json!({"product_id": self.catalog.products[*product], "quantity": pieces.to_string()}))
            .collect();
        let order = self
            .app
            .post("/v1/orders", json!({"account_id": self.account, "price_book_id": self.catalog.books[currency], "lines": asked}))
            .await
            .is(201);
        assert_eq!(order["currency"], CURRENCIES[currency]);
        let id = order.id();
        act(self.app, &id, "submit", json!({})).await.is(200);
        assert_eq!(act(self.app, &id, "confirm", json!({})).await.is(200)["status"], "confirmed");
        let line = |(n, (product, pieces)): (usize, &(usize, i64))| Line {
            id: order["lines"][n]["id"].as_str().unwrap().to_owned(),
            price: PRICES[*product],
            pieces: *pieces,
            shipped: 0,
            promised: (0, 0),
        };
        let mut order = Order { id, currency: CURRENCIES[currency], lines: lines.iter().enumerate().map(line).collect(), is_closed: false };
        order.promise();
        self.told.orders.push(order);
    }

    async fn amend(&mut self, order: usize, line: usize, pieces: i64) -> Option<()> {
        let (order, line) = self.line(order, line)?;
        let known = &self.told.orders[order];
        let wanted = |n: usize| if n == line { pieces } else { known.lines[n].pieces };
        let lines: Vec<Value> =
            known.lines.iter().enumerate().map(|(n, l)| json!({"id": l.id, "quantity": wanted(n).to_string()})).collect();
        let answer = act(self.app, &known.id, "amend", json!({"lines": lines})).await;
        assert!([200, 409, 422].contains(&answer.status), "{}", answer.text);
        if answer.status == 200 {
            let order = &mut self.told.orders[order];
            order.lines[line].pieces = pieces;
            if answer["status"] == "on_hold" { order.keep() } else { order.promise() }
        }
        Some(())
    }

    async fn act(&mut self, order: usize, verb: &str) -> Option<()> {
        let n = self.order(order)?;
        if verb == "cancel" && self.books.iter().any(|d| d.order == n) {
            // Accounting invoices no order that is being cancelled.
            return None;
        }
        let order = &mut self.told.orders[n];
        let answer = act(self.app, &order.id, verb, json!({})).await;
        assert!([200, 409].contains(&answer.status), "{}", answer.text);
        if answer.status == 200 {
            match verb {
                "close" => order.close(),
                "cancel" => order.withdraw(),
                "hold" => order.keep(),
                _ if answer["status"] == "on_hold" => order.keep(),
                _ => order.promise(),
            }
        }
        Some(())
    }

    async fn ship(&mut self, order: usize, line: usize, pieces: i64) -> Option<()> {
        let (order, line) = self.line(order, line)?;
        let known = &self.told.orders[order];
        let pieces = pieces.min(known.lines[line].pieces - known.lines[line].shipped);
        let asked = json!({"lines": [{"order_line_id": known.lines[line].id, "quantity": pieces.to_string()}]});
        let planned = plan(self.app, &known.id, asked).await;
        if planned.status != 201 {
            return None;
        }
        step(self.app, &planned.id(), "ship", json!({})).await.is(200);
        self.told.orders[order].lines[line].shipped += pieces;
        self.shipments.push((planned.id(), order, line, pieces));
        Some(())
    }

    async fn arrive(&mut self, shipment: usize, verb: &str) -> Option<()> {
        let n = shipment.checked_rem(self.shipments.len())?;
        let (id, order, line, pieces) = self.shipments.remove(n);
        step(self.app, &id, verb, json!({})).await.is(200);
        if verb == "fail" {
            let order = &mut self.told.orders[order];
            order.lines[line].shipped -= pieces;
            if order.is_closed {
                order.close();
            }
        }
        Some(())
    }

    fn post(&mut self, is_credit: bool, order: usize, line: usize, pieces: i64, amount: Satang, entity: &'static str) {
        let promised = self.told.orders[order].lines.iter().any(|l| l.promised.0 > 0);
        let invoiced = self.books.iter().any(|d| (d.order, d.line, d.is_credit) == (order, line, false));
        if !(if is_credit { invoiced } else { promised }) {
            return;
        }
        let number = format!("{}-{}-{}", if is_credit { "CN" } else { "IV" }, self.name, self.books.len());
        let (posted_at, as_of) = (self.now, self.now);
        let currency = self.told.orders[order].currency;
        let document = Document { number, entity, currency, is_credit, order, line, pieces, amount, paid: 0, posted_at, as_of };
        self.waiting.push(Message::Document(document.clone()));
        self.books.push(document);
    }

    fn pay(&mut self, n: usize, paid: Satang) {
        self.now += 1;
        let document = &mut self.books[n];
        (document.paid, document.as_of) = (paid, self.now);
        self.waiting.push(Message::Document(document.clone()));
    }

    fn balance(&mut self, entity: usize, currency: usize, with_documents: bool) {
        let (entity, currency) = (ENTITIES[entity], CURRENCIES[currency]);
        let own: Vec<Document> = self.books.iter().filter(|d| (d.entity, d.currency) == (entity, currency)).cloned().collect();
        let receivable = own.iter().map(Document::owed).sum();
        let includes = if with_documents { own } else { vec![] };
        self.waiting.push(Message::Balance { entity, currency, as_of: self.now, receivable, includes });
    }

    async fn send(&mut self, message: Message) {
        match &message {
            Message::Document(document) => {
                let mut body = self.row(document);
                body["system"] = json!("erp");
                body["entity"] = json!(document.entity);
                let mut answer = self.app.put(&format!("/v1/order-invoices/by-external-id/erp/{}", document.number), body).await;
                if answer.status == 409 {
                    // It came with a balance first, by its own number.
                    let known = format!("/v1/order-invoices/{}", answer["conflicts"][0]["id"].as_str().unwrap());
                    answer = self.app.patch(&known, json!({"paid_amount": baht(document.paid), "as_of": self.at(document.as_of)})).await;
                }
                assert!([200, 201].contains(&answer.status), "{}", answer.text);
                self.told.document(document);
            }
            Message::Balance { entity, currency, as_of, receivable, includes } => {
                let item = json!({"external_id": self.name, "as_of": self.at(*as_of), "receivable": baht(*receivable)});
                let rows: Vec<Value> = includes.iter().map(|d| self.row(d)).collect();
                let batch = json!({"system": "erp", "entity": entity, "currency": currency, "items": [item], "invoices": rows});
                let answer = self.app.post("/v1/credit-balances/batch", batch).await.is(200);
                assert_eq!(answer["summary"]["failed"], 0, "{}", answer.text);
                for document in includes {
                    self.told.document(document);
                }
                self.told.balance((*entity, *currency), *as_of, *receivable);
            }
        }
        self.sent.push(message);
    }

    async fn send_all(&mut self) {
        while let Some(message) = self.waiting.pop() {
            self.send(message).await;
        }
    }

    fn at(&self, moment: Moment) -> Timestamp {
        self.began.plus_seconds(moment)
    }

    fn row(&self, d: &Document) -> Value {
        let order = &self.told.orders[d.order];
        json!({"document_no": d.number, "kind": if d.is_credit { "credit_note" } else { "invoice" }, "order_id": order.id,
            "order_line_id": order.lines[d.line].id, "quantity": d.pieces.to_string(), "amount": baht(d.amount), "paid_amount": baht(d.paid),
            "posted_at": self.at(d.posted_at), "as_of": self.at(d.as_of)})
    }

    /// Whether the CRM says what the model does.
    async fn agrees(&self) -> Result<(), String> {
        for (n, order) in self.told.orders.iter().enumerate() {
            let found = read(self.app, &order.id).await;
            let expected = baht(self.told.open_amount(n));
            if found["open_amount"] != json!(expected) {
                return Err(format!("open of order {n} should be {expected}: {}", found.text));
            }
        }
        let found = self.app.get(&format!("/v1/accounts/{}/credit", self.account)).await.is(200);
        let expected = baht(self.told.exposure());
        if found["exposure"] == json!(expected) {
            Ok(())
        } else {
            Err(format!("exposure should be {expected}: {}\n{:#?}", found.text, self.told))
        }
    }

    /// Everything is delivered, invoiced, paid and booked: nothing is owed and nothing is promised.
    async fn end(mut self) -> Result<(), String> {
        self.send_all().await;
        self.agrees().await.map_err(|why| format!("when all was told: {why}"))?;
        self.now += 1;
        for order in 0..self.told.orders.len() {
            self.act(order, "release").await;
            for line in 0..self.told.orders[order].lines.len() {
                self.ship(order, line, MOST_PIECES).await;
            }
        }
        while !self.shipments.is_empty() {
            self.arrive(0, "deliver").await;
        }
        for order in 0..self.told.orders.len() {
            for line in 0..self.told.orders[order].lines.len() {
                // A credit note may have given back more pieces than there were, and takes those that are invoiced now.
                loop {
                    let pieces = self.told.open_pieces(order, line);
                    if pieces == 0 {
                        break;
                    }
                    self.now += 1;
                    let amount = with_tax(self.told.orders[order].lines[line].price, pieces);
                    self.post(false, order, line, pieces, amount, ENTITIES[1]);
                    self.send_all().await;
                }
                self.settle(order, line);
            }
        }
        self.send_all().await;
        self.agrees().await.map_err(|why| format!("when all was paid: {why}"))?;
        self.now += 1;
        for currency in 0..CURRENCIES.len() {
            self.balance(0, currency, false);
            self.balance(1, currency, true);
        }
        self.send_all().await;
        self.agrees().await.map_err(|why| format!("when all was booked: {why}"))?;
        if self.told.exposure() == 0 { Ok(()) } else { Err(format!("{} is left at the end", baht(self.told.exposure()))) }
    }

    /// Pays what is owed of a line, or pays back what was paid too much.
    fn settle(&mut self, order: usize, line: usize) {
        let of: Vec<usize> = (0..self.books.len()).filter(|n| (self.books[*n].order, self.books[*n].line) == (order, line)).collect();
        let mut owed: Satang = of.iter().map(|n| self.books[*n].owed()).sum();
        for n in of {
            let document = &self.books[n];
            let left = document.amount - document.paid;
            let part = if document.is_credit { (-owed).clamp(0, left) } else { owed.clamp(0, left) };
            if part > 0 {
                owed += if document.is_credit { part } else { -part };
                let paid = document.paid + part;
                self.pay(n, paid);
            }
        }
    }
}
