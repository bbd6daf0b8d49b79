//! Sales: an order is promised whole or held for a reason, and what was promised is what is shipped, invoiced and owed.

mod amendments;
mod confirming;
mod crowds;
mod currencies;
mod customers;
mod exposure;
mod histories;
mod holds;
mod invoices;
mod orders;
mod promises;
mod shipments;

use crate::support::*;
use samphan_resource::timestamp::Timestamp;
use std::time::SystemTime;

/// A company that sells tea: VAT of 7 %, a price book in baht, a warehouse with tea, and a customer.
pub struct Shop {
    pub account: String,
    pub tea: String,
    pub book: String,
    warehouse: String,
}

impl Shop {
    pub async fn open(app: &App) -> Self {
        app.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT 7 %", "rate": "7"})).await;
        let book = id(&app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB", "is_default": true})).await);
        let warehouse = id(&app.make("/v1/warehouses", json!({"code": "BKK1", "name": "Bangkok"})).await);
        let account = json!({"name": "Siam Trading", "legal_name": "Siam Trading Co., Ltd.", "currency": "THB", "country": "TH",
            "tax_id": "0105536000003", "branch_code": "00000", "payment_terms_days": 30});
        let account = id(&app.make("/v1/accounts", account).await);
        let shop = Self { account, tea: String::new(), book, warehouse };
        let tea = shop.product(app, "TEA", "100.00", "100").await;
        Self { tea, ..shop }
    }

    /// Its customer.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// What it sells.
    pub fn tea(&self) -> &str {
        &self.tea
    }

    /// A product at a price, so many of it in the warehouse.
    pub async fn product(&self, app: &App, sku: &str, price: &str, pieces: &str) -> String {
        let product = id(&app.make("/v1/products", json!({"sku": sku, "name": sku, "tax_code": "VAT7"})).await);
        app.make(&format!("/v1/price-books/{}/entries", self.book), json!({"product_id": product, "price": price})).await;
        if pieces != "0" {
            let lines = json!([{"product_id": product, "quantity": pieces}]);
            app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": lines})).await.is(201);
        }
        product
    }

    /// An order of those lines, as a draft.
    async fn draft(&self, app: &App, lines: Value) -> Answer {
        app.post("/v1/orders", json!({"account_id": self.account, "lines": lines})).await.is(201)
    }

    /// An order of so much tea, submitted.
    async fn submitted(&self, app: &App, pieces: &str) -> Answer {
        let order = self.draft(app, json!([{"product_id": self.tea, "quantity": pieces}])).await;
        act(app, &order.id(), "submit", json!({})).await.is(200)
    }

    /// An order of so much tea, confirmed.
    pub async fn confirmed(&self, app: &App, pieces: &str) -> Answer {
        let order = self.submitted(app, pieces).await;
        let order = act(app, &order.id(), "confirm", json!({})).await.is(200);
        assert_eq!(order["status"], "confirmed", "{}", order.text);
        order
    }

    /// An order of so much tea for another customer, confirmed.
    async fn confirmed_without_limit(&self, app: &App, pieces: &str) {
        let account = app.account("Another").await;
        if !app.get("/v1/external-systems?code=erp").await.is(200)["data"].as_array().unwrap().is_empty() {
            let unlimited = json!({"kind": "unlimited"});
            let body = json!({"system": "erp", "entity": "TH01", "currency": "THB", "as_of": from_now(0), "receivable": "0.00", "credit_limit": unlimited});
            app.put(&format!("/v1/accounts/{account}/credit-balance"), body).await.is(200);
        }
        let lines = json!([{"product_id": self.tea, "quantity": pieces}]);
        let order = app.post("/v1/orders", json!({"account_id": account, "lines": lines})).await.is(201);
        act(app, &order.id(), "submit", json!({})).await.is(200);
        assert_eq!(act(app, &order.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
    }

    /// On hand, reserved and available of tea.
    async fn standing(&self, app: &App) -> [String; 3] {
        let found = app.all(&format!("/v1/stock-levels?product_id={}&warehouse_id={}", self.tea, self.warehouse), 50).await;
        ["on_hand", "reserved", "available"].map(|field| found[0][field].as_str().unwrap().to_owned())
    }

    /// Has accounting say that the customer may owe so much, and owes so much.
    async fn limit(&self, app: &App, limit: &str, receivable: &str) {
        if app.get("/v1/external-systems?code=erp").await.is(200)["data"].as_array().unwrap().is_empty() {
            app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
            let reference = json!({"system": "erp", "resource": "accounts", "external_id": "C-1", "record_id": self.account});
            app.make("/v1/external-references", reference).await;
        }
        self.say(app, limit, receivable, from_now(0)).await;
    }

    /// The same, as of a moment.
    async fn say(&self, app: &App, limit: &str, receivable: &str, as_of: Timestamp) {
        let item =
            json!({"external_id": "C-1", "as_of": as_of, "receivable": receivable, "credit_limit": {"kind": "limited", "amount": limit}});
        let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item]});
        let answer = app.post("/v1/credit-balances/batch", batch).await.is(200);
        assert_eq!(answer["summary"]["applied"], 1, "{}", answer.text);
    }

    /// A limit of a thousand and nothing owed, a minute ago.
    async fn say_first(&self, app: &App) {
        self.limit(app, "1000.00", "0.00").await;
    }

    /// What the customer may still order.
    async fn available(&self, app: &App) -> Value {
        app.get(&format!("/v1/accounts/{}/credit", self.account)).await.is(200)["available"].clone()
    }
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

async fn act(app: &App, order: &str, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/orders/{order}/{verb}"), body).await
}

/// Plans a shipment of an order.
async fn plan(app: &App, order: &str, body: Value) -> Answer {
    act(app, order, "create-shipment", body).await
}

/// Takes a shipment a step further.
async fn step(app: &App, shipment: &str, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/shipments/{shipment}/{verb}"), body).await
}

/// Plans a shipment of an order and ships it; answers its id.
async fn ship(app: &App, order: &str, what: Value) -> String {
    let shipment = plan(app, order, what).await.is(201).id();
    step(app, &shipment, "ship", json!({})).await.is(200);
    shipment
}

async fn read(app: &App, order: &str) -> Answer {
    app.get(&format!("/v1/orders/{order}")).await.is(200)
}

/// Somebody of that role of the first start, in a team of his own.
async fn somebody(app: &App, role: &str) -> App {
    let roles = app.all("/v1/roles", 50).await;
    let role = roles.iter().find(|r| r["name"] == role).unwrap()["id"].clone();
    let (email, team) = (format!("{}@example.com", random_id()), app.team(None).await);
    let user = json!({"name": "Somying", "email": email, "role_ids": [role], "team_ids": [team]});
    let id = app.post("/v1/users", user).await.is(201).id();
    app.post(&format!("/v1/users/{id}/set-password"), json!({"password": app::PASSWORD})).await.is(204);
    app.as_(&app.sign_in(&email, app::PASSWORD).await.is(200).text_of("access_token"))
}

/// Sets the price of the first entry of the book.
async fn reprice(app: &App, shop: &Shop, price: &str) {
    let entry = app.all(&format!("/v1/price-books/{}/entries", shop.book), 50).await[0].clone();
    app.patch(&format!("/v1/price-books/{}/entries/{}", shop.book, id(&entry)), json!({"price": price})).await.is(200);
}

/// The kinds of the open holds of an order.
async fn holds(app: &App, order: &str) -> Vec<String> {
    let all = app.all(&format!("/v1/order-holds?order_id={order}&status=open"), 50).await;
    let mut kinds: Vec<String> = all.iter().map(|h| h["kind"].as_str().unwrap().to_owned()).collect();
    kinds.sort();
    kinds
}

/// The kinds of events about a record, in order.
async fn told(app: &App, record: &str) -> Vec<String> {
    let events = app.all(&format!("/v1/audit-events?resource_id={record}"), 200).await;
    events.iter().map(|e| e["kind"].as_str().unwrap().to_owned()).collect()
}

/// So many seconds from now.
fn from_now(seconds: i64) -> Timestamp {
    let micros = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap().plus_seconds(seconds)
}
