//! What the service has, held against what was written and what was answered.

use super::load::{Kind, Load, Write};
use crate::{integration::changes::end, support::*};
use samphan_resource::money::Amount;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};
use tokio::time::sleep;

/// Insists that every acknowledged write is there once, every other one once or not at all, and that what is there is whole. Answers the
/// feed.
pub async fn agree(app: &App, load: &Load, acknowledged: impl Fn(&Write) -> bool) -> Vec<Value> {
    // Held orders go on by themselves where there is room: looked at is what nobody changes any more.
    let mut last = end(app).await;
    loop {
        sleep(Duration::from_millis(1_500)).await;
        let now = end(app).await;
        if now == last {
            break;
        }
        last = now;
    }
    let feed = app.feed().await;
    gapless(app, &feed).await;
    once(app, load, &feed, acknowledged).await;
    whole(app, load, &feed).await;
    adds_up(app).await;
    feed
}

fn text<'a>(record: &'a Value, field: &str) -> &'a str {
    record[field].as_str().unwrap_or_default()
}

fn amount(record: &Value, field: &str) -> i64 {
    serde_json::from_value::<Amount>(record[field].clone()).unwrap_or_else(|_| panic!("{field} of {record}")).0
}

fn count<'a>(of: impl IntoIterator<Item = &'a Value>, field: &str) -> HashMap<String, usize> {
    let mut counted = HashMap::new();
    for record in of {
        *counted.entry(text(record, field).to_owned()).or_default() += 1;
    }
    counted
}

/// Every event at a position of its own, none left out and none twice, and of each record each version once.
async fn gapless(app: &App, feed: &[Value]) {
    let (mut ids, mut told) = (HashSet::new(), HashSet::new());
    let mut versions = BTreeMap::<(&str, &str), Vec<i64>>::new();
    for (change, position) in feed.iter().zip(1..) {
        assert_eq!(change["position"], position, "{change}");
        assert!(ids.insert(text(change, "id")), "twice: {change}");
        let (record, version) = ((text(change, "resource"), text(change, "resource_id")), change["version"].as_i64().unwrap());
        // Of a session there is no record that changes.
        if version > 0 {
            // One change may be told as several things, such as a level that changed and is below its minimum.
            assert!(told.insert((record, version, text(change, "type"))), "told twice: {change}");
            versions.entry(record).or_default().push(version);
        }
    }
    for (record, versions) in &mut versions {
        assert!(versions.is_sorted(), "{record:?}: {versions:?}");
        versions.dedup();
    }
    for resource in ["accounts", "orders"] {
        for record in app.all(&format!("/v1/{resource}"), 200).await {
            let told = versions.get(&(resource, text(&record, "id"))).map(Vec::as_slice);
            let all: Vec<i64> = (1..=record["version"].as_i64().unwrap()).collect();
            assert_eq!(told, Some(&all[..]), "{resource} {record}");
        }
    }
    let audit = app.all("/v1/audit-events", 200).await;
    let lost: Vec<&Value> = audit.iter().filter(|event| !ids.contains(text(event, "id"))).collect();
    assert!(lost.is_empty() && audit.len() == feed.len(), "never told: {lost:?}");
}

/// How often each write is there: once, or for what was not acknowledged not at all.
async fn once(app: &App, load: &Load, feed: &[Value], acknowledged: impl Fn(&Write) -> bool) {
    let accounts = count(&app.all("/v1/accounts", 200).await, "name");
    let orders = count(&app.all("/v1/orders", 200).await, "customer_reference");
    let movements = count(&app.all("/v1/stock-movements", 200).await, "reason");
    let mut pushed: HashMap<String, HashMap<String, usize>> = HashMap::new();
    for kept in app.all("/v1/credit-balances/history", 200).await {
        *pushed
            .entry(format!("mark {}", text(&kept["item"], "source_revision")))
            .or_default()
            .entry(text(&kept, "account_id").to_owned())
            .or_default() += 1;
    }
    let descriptions = count(feed.iter().map(|change| &change["after"]), "description");
    let mut actions: HashMap<(&str, &str), usize> = HashMap::new();
    for change in feed {
        *actions.entry((text(change, "resource_id"), text(change, "type"))).or_default() += 1;
    }
    let (mut kept, mut lost) = (0, 0);
    for write in load.writes() {
        let found = |all: &HashMap<String, usize>| all.get(&write.mark).copied().unwrap_or_default();
        let (found, whole) = match write.kind {
            Kind::Account => (found(&accounts), 1),
            Kind::Description => (found(&descriptions), 1),
            Kind::Order => (found(&orders), 1),
            Kind::Action => {
                let (order, verb) = write.path.strip_prefix("/v1/orders/").and_then(|rest| rest.split_once('/')).unwrap();
                let told = |event| actions.get(&(order, event)).copied().unwrap_or_default();
                match verb {
                    "submit" => (told("order.submitted"), 1),
                    "cancel" => (told("order.cancelled"), 1),
                    // Confirmed or held, and what was held may be confirmed by itself when there is room.
                    _ => ((told("order.confirmed") + told("order.held")).min(1), 1),
                }
            }
            Kind::Stock => {
                (found(&movements), write.body["lines"].as_array().unwrap().len() * if write.path.ends_with("transfers") { 2 } else { 1 })
            }
            Kind::Credit => {
                let applied = pushed.get(&write.mark);
                assert!(applied.is_none_or(|each| each.values().all(|n| *n == 1)), "applied twice: {write:?} {applied:?}");
                let whole = write.answer.as_ref().map_or(load.customers.len(), |a| a["summary"]["applied"].as_u64().unwrap() as usize);
                let found = applied.map_or(0, HashMap::len);
                // What came late was stale for some, and nobody was told for how many.
                (found, if write.answer.is_some() { whole } else { found.max(1) })
            }
        };
        let done = write.answer.as_ref().is_none_or(|answer| answer.status < 300);
        let must = acknowledged(&write) && write.answer.is_some();
        let right = match (done, must) {
            (true, true) => found == whole,
            (true, false) => found == whole || found == 0,
            (false, _) => found == 0,
        };
        assert!(right, "{found} of {whole}: {write:?}");
        if found == 0 { lost += 1 } else { kept += 1 }
    }
    println!("{kept} writes are there, {lost} are not and were not acknowledged or refused");
}

/// No order by halves: lines, totals, reservations, holds and credit agree.
async fn whole(app: &App, load: &Load, feed: &[Value]) {
    let mut reserved: HashMap<String, i64> = HashMap::new();
    for held in app.all("/v1/stock-reservations?status=active", 200).await {
        *reserved.entry(text(&held, "id").to_owned()).or_default() += amount(&held, "quantity");
    }
    let holds = count(&app.all("/v1/order-holds?status=open", 200).await, "order_id");
    let mut open: HashMap<String, i64> = HashMap::new();
    let mut promised = 0;
    for order in app.all("/v1/orders", 200).await {
        let lines = order["lines"].as_array().unwrap();
        for field in ["gross_amount", "discount_amount", "net_amount", "tax_amount", "total_amount"] {
            assert_eq!(amount(&order, field), lines.iter().map(|line| amount(line, field)).sum::<i64>(), "{field} of {order}");
        }
        let status = text(&order, "status");
        assert_eq!(status == "on_hold", holds.contains_key(text(&order, "id")), "{order}");
        for line in lines {
            let allocations = line["allocations"].as_array().unwrap();
            let there: i64 = allocations.iter().map(|a| reserved.remove(text(a, "reservation_id")).unwrap_or_default()).sum();
            assert_eq!(amount(line, "reserved_quantity"), there, "{order}");
            assert!(there == if status == "confirmed" { amount(line, "quantity") } else { 0 }, "{order}");
        }
        let committed = if status == "confirmed" { amount(&order, "total_amount") } else { 0 };
        assert_eq!(amount(&order, "open_amount"), committed, "{order}");
        *open.entry(text(&order, "account_id").to_owned()).or_default() += committed;
        promised += usize::from(status == "confirmed");
    }
    assert!(reserved.is_empty(), "reserved for no order: {reserved:?}");
    for account in load.customers.values() {
        let balance = &app.all(&format!("/v1/credit-balances?account_id={account}"), 10).await[0];
        let position = app.get(&format!("/v1/accounts/{account}/credit")).await.is(200);
        let left = amount(balance, "limit_amount") - amount(balance, "receivable") - open.get(account).copied().unwrap_or_default();
        assert_eq!(amount(&position, "available"), left, "{} {balance}", position.text);
    }
    println!("{promised} orders promised, {} changes told", feed.len());
}

/// Sends every tenth answered write once more: the answer is the one that was given, and nothing is done.
pub async fn replayed(app: &App, load: &Load) {
    let answered = load.writes().into_iter().filter_map(|write| Some((write.answer.clone().filter(|a| a.status < 300)?, write)));
    for (before, write) in answered.step_by(10) {
        let again = app.ask(write.method.clone(), &write.path).json(&write.body).key(&write.key).await;
        assert_eq!(again.header("idempotency-replayed"), "true", "{write:?}");
        assert_eq!((again.status, &again.text), (before.status, &before.text), "{write:?}");
    }
}
