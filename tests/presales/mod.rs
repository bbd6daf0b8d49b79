//! Sales before the order: pipelines as data, opportunities that go through them, and boards that are what a recount says.

mod boards;
mod leads;
mod opportunities;
mod pipelines;

use crate::support::*;
use samphan_api::{openapi, presales::rebuild};
use samphan_persistence::store::{DatabaseOptions, Store};
use std::collections::HashMap;

/// A company with a customer and a pipeline.
pub struct Funnel {
    pub account: String,
    pub pipeline: String,
    /// The stages by their keys.
    pub stages: HashMap<String, String>,
}

/// Two open stages of 20 and 60 percent, won, and lost.
pub fn stages() -> Value {
    json!([
        {"key": "qualified", "name": "Qualified", "probability": "20"},
        {"key": "proposal", "name": "Proposal", "probability": "60", "forecast_category": "best_case"},
        {"key": "won", "name": "Won", "kind": "won"},
        {"key": "lost", "name": "Lost", "kind": "lost"},
    ])
}

impl Funnel {
    pub async fn open(app: &App) -> Self {
        let account = id(&app.make("/v1/accounts", json!({"name": "Siam Trading", "currency": "THB"})).await);
        let (pipeline, stages) = pipeline(app, json!({"name": "Wholesale", "is_default": true, "stages": stages()})).await;
        Self { account, pipeline, stages }
    }

    pub fn stage(&self, key: &str) -> &str {
        &self.stages[key]
    }

    /// An opportunity of that amount.
    pub async fn deal(&self, app: &App, amount: &str) -> Answer {
        self.deal_with(app, json!({"amount": amount})).await
    }

    /// An opportunity that says more.
    pub async fn deal_with(&self, app: &App, more: Value) -> Answer {
        let mut body = json!({"name": "Tea", "account_id": self.account, "expected_close_on": "2027-01-31"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone().into_iter().filter(|(_, value)| !value.is_null()));
        app.post("/v1/opportunities", body).await.is(201)
    }

    /// The stage of the board.
    pub async fn column(&self, app: &App, key: &str) -> Value {
        let board = app.get(&format!("/v1/pipelines/{}/board", self.pipeline)).await.is(200);
        board["stages"].as_array().unwrap().iter().find(|stage| stage["key"] == key).unwrap().clone()
    }
}

/// An active pipeline, and its stages by their keys.
pub async fn pipeline(app: &App, body: Value) -> (String, HashMap<String, String>) {
    let made = app.make("/v1/pipelines", body).await;
    app.post(&format!("/v1/pipelines/{}/activate", id(&made)), json!({})).await.is(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let stages = made["stages"].as_array().unwrap().iter().map(|stage| (text(&stage["key"]), text(&stage["id"]))).collect();
    (id(&made), stages)
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

async fn act(app: &App, deal: &str, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/opportunities/{deal}/{verb}"), body).await
}

async fn read(app: &App, deal: &str) -> Answer {
    app.get(&format!("/v1/opportunities/{deal}")).await.is(200)
}

/// The kinds of the history of an opportunity, the oldest first.
async fn history(app: &App, deal: &str) -> Vec<Value> {
    app.all(&format!("/v1/opportunities/{deal}/stage-history"), 200).await
}

fn texts<'a>(all: &'a [Value], field: &str) -> Vec<&'a str> {
    all.iter().map(|one| one[field].as_str().unwrap()).collect()
}

/// Insists that the totals of boards are what the opportunities add up to.
async fn boards_add_up(app: &App) {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    let found = rebuild::check(&store).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}
