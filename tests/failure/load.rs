//! Mixed load: accounts, orders, stock and credit through the API, every write with a key and a mark of its own, and what was answered
//! kept beside what was meant.

use crate::{sales::Shop, support::*};
use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::Method;
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// Customers with a credit limit that orders are for.
const CUSTOMERS: usize = 3;
/// Nobody waits longer for the service to come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a write is, and so where its mark is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account of that name.
    Account,
    /// An account's description.
    Description,
    /// An order with that reference.
    Order,
    /// An action on an order; the mark is its id and the event.
    Action,
    /// Movements for that reason.
    Stock,
    /// Balances of that revision.
    Credit,
}

/// A write that was meant, and what is known of it.
#[derive(Clone, Debug)]
pub struct Write {
    pub kind: Kind,
    pub mark: String,
    pub key: String,
    pub method: Method,
    pub path: String,
    pub body: Value,
    /// How often it was sent.
    pub sent: usize,
    /// What was answered, if anything ever was.
    pub answer: Option<Answer>,
}

/// Where the service is, and whether it is over.
#[derive(Clone)]
struct Service {
    app: App,
    over: bool,
}

/// A company under load.
pub struct Load {
    service: watch::Sender<Service>,
    writes: RefCell<Vec<Write>>,
    answered: Cell<usize>,
    /// How often the service said that it cannot now.
    pub busy: Cell<usize>,
    /// Whether a request may end without an answer.
    may_break_off: bool,
    /// The customers, by the number accounting gives them.
    pub customers: HashMap<String, String>,
}

impl Load {
    /// Opens the shop.
    pub async fn begin(app: App, may_break_off: bool) -> Self {
        let shop = Shop::open(&app).await;
        for sku in ["RICE", "SALT"] {
            shop.product(&app, sku, "20.00", "500").await;
        }
        app.make("/v1/warehouses", json!({"code": "CNX1", "name": "Chiang Mai"})).await;
        app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
        let mut customers = HashMap::new();
        for n in 0..CUSTOMERS {
            let number = format!("C-{n}");
            let path = format!("/v1/accounts/by-external-id/erp/{number}");
            customers.insert(number, app.put(&path, json!({"name": format!("Customer {n}"), "currency": "THB"})).await.is(201).id());
        }
        let (service, _) = watch::channel(Service { app, over: false });
        let load = Self { service, writes: RefCell::default(), answered: Cell::new(0), busy: Cell::new(0), may_break_off, customers };
        let mut chance = StdRng::seed_from_u64(0);
        for _ in 0..3 {
            load.push(&mut chance).await.expect("nothing is disturbed yet");
        }
        load
    }

    /// So many clients at once, until it is over.
    pub async fn run(&self, clients: u64) {
        let client = async |n: u64| {
            let mut chance = StdRng::seed_from_u64(n);
            while !self.service.borrow().over {
                // Whoever gave a write up goes on with something else.
                let _: Option<()> = match chance.random_range(0..10) {
                    0..3 => self.account(&mut chance).await,
                    3..6 => self.order(&mut chance).await,
                    6..8 => self.stock(&mut chance).await,
                    _ => self.push(&mut chance).await,
                };
            }
        };
        join_all((1..=clients).map(client)).await;
    }

    /// How many writes were answered.
    pub fn answered(&self) -> usize {
        self.answered.get()
    }

    /// Every write so far.
    pub fn writes(&self) -> Vec<Write> {
        self.writes.borrow().clone()
    }

    /// The service is elsewhere now.
    pub fn moved(&self, app: App) {
        self.service.send_modify(|service| service.app = app);
    }

    /// Has the clients come to their end.
    pub fn end(&self) {
        self.service.send_modify(|service| service.over = true);
    }

    async fn account(&self, chance: &mut StdRng) -> Option<()> {
        let made = self.write(chance, Kind::Account, Method::POST, "/v1/accounts", |mark| json!({"name": mark})).await?.is(201);
        let path = format!("/v1/accounts/{}", made.id());
        for _ in 0..chance.random_range(0..3) {
            self.write(chance, Kind::Description, Method::PATCH, &path, |mark| json!({"description": mark})).await?.is(200);
        }
        Some(())
    }

    async fn order(&self, chance: &mut StdRng) -> Option<()> {
        let number = format!("C-{}", chance.random_range(0..CUSTOMERS));
        let line = |(n, sku): (usize, &str)| (n > 0).then(|| json!({"sku": sku, "quantity": n.to_string()}));
        let lines: Vec<Value> = ["TEA", "RICE", "SALT"].into_iter().filter_map(|sku| line((chance.random_range(0..4), sku))).collect();
        if lines.is_empty() {
            return Some(());
        }
        let body = |mark: &str| json!({"account_id": self.customers[&number], "customer_reference": mark, "lines": lines});
        let order = self.write(chance, Kind::Order, Method::POST, "/v1/orders", body).await?.is(201).id();
        self.act(chance, &order, "submit").await?;
        self.act(chance, &order, "confirm").await?;
        if chance.random_bool(0.4) {
            self.act(chance, &order, "cancel").await?;
        }
        Some(())
    }

    async fn act(&self, chance: &mut StdRng, order: &str, verb: &str) -> Option<Answer> {
        let path = format!("/v1/orders/{order}/{verb}");
        Some(self.write(chance, Kind::Action, Method::POST, &path, |_| json!({})).await?.is(200))
    }

    async fn stock(&self, chance: &mut StdRng) -> Option<()> {
        let (from, to) = if chance.random_bool(0.7) { ("BKK1", "CNX1") } else { ("CNX1", "BKK1") };
        let pieces = chance.random_range(1..4);
        let lines = |many: i32| json!([{"sku": "TEA", "quantity": many.to_string()}, {"sku": "RICE", "quantity": many.to_string()}]);
        let answer = match chance.random_range(0..3) {
            0 => {
                let body = |mark: &str| json!({"warehouse_code": from, "reason": mark, "lines": lines(pieces)});
                self.write(chance, Kind::Stock, Method::POST, "/v1/stock-receipts", body).await?
            }
            1 => {
                let body = |mark: &str| json!({"warehouse_code": from, "reason": mark, "lines": lines(-pieces)});
                self.write(chance, Kind::Stock, Method::POST, "/v1/stock-adjustments", body).await?
            }
            _ => {
                let body =
                    |mark: &str| json!({"from_warehouse_code": from, "to_warehouse_code": to, "reason": mark, "lines": lines(pieces)});
                self.write(chance, Kind::Stock, Method::POST, "/v1/stock-transfers", body).await?
            }
        };
        if answer.status != 201 {
            answer.refused(409, "insufficient_stock");
        }
        Some(())
    }

    async fn push(&self, chance: &mut StdRng) -> Option<()> {
        let mut numbers: Vec<&String> = self.customers.keys().collect();
        numbers.sort();
        let as_of = now();
        let amounts: Vec<u32> = numbers.iter().map(|_| chance.random_range(0..5_000)).collect();
        let body = |mark: &str| {
            let item = |(number, amount): (&&String, &u32)| {
                json!({"external_id": number, "as_of": as_of, "source_revision": mark.trim_start_matches("mark "), "receivable": format!("{amount}.00"),
                    "credit_limit": {"kind": "limited", "amount": "60000.00"}})
            };
            let items: Vec<Value> = numbers.iter().zip(&amounts).map(item).collect();
            json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": items})
        };
        let answer = self.write(chance, Kind::Credit, Method::POST, "/v1/credit-balances/batch", body).await?.is(200);
        assert_eq!(answer["summary"]["failed"], 0, "{}", answer.text);
        Some(())
    }

    /// Writes, and writes again with the same key what was not answered, until it is; now and then it is given up instead.
    async fn write(&self, chance: &mut StdRng, kind: Kind, method: Method, path: &str, body: impl Fn(&str) -> Value) -> Option<Answer> {
        let place = self.writes.borrow().len();
        let mark = if kind == Kind::Action { path.to_owned() } else { format!("mark {place}") };
        let body = body(&mark);
        let (key, path) = (format!("key-{place}"), path.to_owned());
        self.writes.borrow_mut().push(Write { kind, mark, key: key.clone(), method, path, body, sent: 0, answer: None });
        let mut changes = self.service.subscribe();
        let late = tokio::time::Instant::now() + PATIENCE;
        loop {
            let app = self.service.borrow().app.clone();
            let request = {
                let write = &mut self.writes.borrow_mut()[place];
                write.sent += 1;
                app.ask(write.method.clone(), &write.path).json(&write.body).key(&key)
            };
            assert!(tokio::time::Instant::now() < late, "no end of {:?}", self.writes.borrow()[place]);
            match request.attempt().await {
                Ok(answer) if answer.status == 503 || answer["code"] == "idempotency_in_progress" => {
                    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
                    self.busy.set(self.busy.get() + 1);
                    sleep(Duration::from_millis(50)).await;
                }
                Ok(answer) => {
                    self.writes.borrow_mut()[place].answer = Some(answer.clone());
                    self.answered.set(self.answered.get() + 1);
                    return Some(answer);
                }
                Err(error) => {
                    assert!(self.may_break_off && !error.is_timeout(), "{error:?}");
                    if chance.random_bool(0.25) {
                        return None;
                    }
                    let elsewhere = changes.wait_for(|service| service.app.url != app.url);
                    drop(timeout(PATIENCE, elsewhere).await.expect("it comes back"));
                }
            }
        }
    }
}
