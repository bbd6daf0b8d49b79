//! Stock: what is there, what is promised, and that the two are never confused.

mod counts;
mod crowds;
mod identities;
mod ledger;
mod rebuild;
mod reservations;

use crate::support::*;
use samphan_api::openapi;
use samphan_persistence::store::{DatabaseOptions, Store, Work};
use samphan_resource::{caller::Caller, timestamp::Timestamp};
use std::{sync::Arc, time::SystemTime};

async fn product(app: &App, sku: &str, more: Value) -> String {
    let mut body = json!({"sku": sku, "name": sku});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    app.make("/v1/products", body).await["id"].as_str().unwrap().to_owned()
}

async fn warehouse(app: &App, code: &str) -> String {
    app.make("/v1/warehouses", json!({"code": code, "name": code})).await["id"].as_str().unwrap().to_owned()
}

async fn receive(app: &App, code: &str, lines: Value) -> Answer {
    app.post("/v1/stock-receipts", json!({"warehouse_code": code, "lines": lines})).await
}

/// Tea in warehouse `BKK1`, so much of it; the ids of both.
async fn tea(app: &App, quantity: &str) -> (String, String) {
    let (tea, bkk) = (product(app, "TEA", json!({})).await, warehouse(app, "BKK1").await);
    receive(app, "BKK1", json!([{"sku": "TEA", "quantity": quantity}])).await.is(201);
    (tea, bkk)
}

fn reserve(app: &App, (product, warehouse): (&str, &str), quantity: &str) -> request::Request {
    app.post("/v1/stock-reservations", json!({"product_id": product, "warehouse_id": warehouse, "quantity": quantity}))
}

/// The one level of a product in a warehouse.
async fn level(app: &App, product: &str, warehouse: &str) -> Value {
    let found = app.all(&format!("/v1/stock-levels?product_id={product}&warehouse_id={warehouse}"), 50).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// On hand, reserved and available.
async fn standing(app: &App, product: &str, warehouse: &str) -> [String; 3] {
    let level = level(app, product, warehouse).await;
    ["on_hand", "reserved", "available"].map(|field| level[field].as_str().unwrap().to_owned())
}

/// The kinds of events about a resource, in order, but for those of its making.
async fn told(app: &App, resource: &str) -> Vec<String> {
    let events = app.all(&format!("/v1/audit-events?resource={resource}"), 200).await;
    events.iter().map(|e| e["kind"].as_str().unwrap().to_owned()).filter(|kind| !kind.ends_with(".created")).collect()
}

/// So many seconds from now.
fn from_now(seconds: i64) -> Timestamp {
    let micros = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap().plus_seconds(seconds)
}

/// The database, as the program uses it.
async fn store(app: &App, connections: u32) -> Store {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections, full_sync: false };
    Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap()
}

/// A work of Samphan's own, at that moment.
async fn work(store: &Store, now: Timestamp) -> Work {
    store.work(Arc::new(Caller::system()), now).await.unwrap()
}

fn uuid(id: &str) -> uuid::Uuid {
    uuid::Uuid::parse_str(id).unwrap()
}
