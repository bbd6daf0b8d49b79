//! Accounting's credit feed: what is pushed, what becomes of it, and the answer a seller gets.

pub mod changes;
mod changes_stream;
mod connector;
mod credit_checks;
mod credit_convergence;
mod credit_feed;
mod credit_position;
mod credit_profile;
mod reconciliation;
mod snapshots;
mod unmatched;
mod webhooks;

use crate::support::*;
use samphan_resource::timestamp::Timestamp;
use std::time::SystemTime;

/// Registers `express`, an accounting system, with more of its fields in `rest`.
async fn express(app: &App, rest: Value) -> Value {
    let mut body = json!({"code": "express", "name": "Express", "kind": "accounting"});
    body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    app.make("/v1/external-systems", body).await
}

/// An account that `express` calls by that name.
async fn customer(app: &App, external_id: &str) -> String {
    app.put(&format!("/v1/accounts/by-external-id/express/{external_id}"), json!({"name": external_id})).await.is(201).id()
}

/// Maps a name of `express` to an account.
async fn map(app: &App, external_id: &str, account: &str) -> Answer {
    let reference = json!({"system": "express", "resource": "accounts", "external_id": external_id, "record_id": account});
    app.post("/v1/external-references", reference).await
}

fn batch(items: &Value) -> Value {
    json!({"system": "express", "entity": "TH01", "currency": "THB", "items": items})
}

/// Pushes a batch of `express` for TH01 in THB.
async fn push(app: &App, items: Value) -> Answer {
    app.post("/v1/credit-balances/batch", batch(&items)).await.is(200)
}

fn statuses(answer: &Answer) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    assert!(results.iter().enumerate().all(|(i, r)| r["index"] == i), "{}", answer.text);
    results.iter().map(|r| r["status"].as_str().unwrap()).collect()
}

/// The code of the fault of each result, empty where there is none.
fn faults(answer: &Answer) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|r| r["error"]["errors"][0]["code"].as_str().unwrap_or_default()).collect()
}

/// The balances of an account as they are kept, without what is ours: ids, versions and when they came in.
async fn kept(app: &App, account: &str) -> Vec<Value> {
    let mut found = app.all(&format!("/v1/credit-balances?account_id={account}"), 50).await;
    for balance in &mut found {
        let ours = ["id", "version", "account_id", "received_at", "created_at", "updated_at", "created_by_id", "updated_by_id"];
        balance.as_object_mut().unwrap().retain(|name, _| !ours.contains(&name.as_str()));
    }
    found
}

/// The one balance of an account, whole.
async fn balance(app: &App, account: &str) -> Value {
    let found = app.all(&format!("/v1/credit-balances?account_id={account}"), 50).await;
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

async fn credit(app: &App, account: &str) -> Answer {
    app.get(&format!("/v1/accounts/{account}/credit")).await.is(200)
}

/// So many seconds from now.
fn from_now(seconds: i64) -> Value {
    let micros = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    json!(Timestamp::from_micros(i64::try_from(micros).unwrap()).unwrap().plus_seconds(seconds))
}
