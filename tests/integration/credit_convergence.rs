//! Any order, doubling and batching of the same pushes ends in the same rows, however they are sent and whenever a number is mapped.

use super::*;
use futures_util::future::join_all;
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestCaseError, TestRunner},
};
use samphan::config::RateLimit;
use std::future::{Ready, ready};

crate::on_both![any_order_doubling_and_batching_ends_in_the_same_rows, eight_senders_at_once_end_as_one_does];

const ACCOUNTS: usize = 2;

/// A push, before it is about an account of a certain sending.
#[derive(Clone, Debug)]
struct Push {
    account: usize,
    body: Value,
}

/// How a push is sent.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// Begins another batch.
    apart: bool,
    /// By the account's path, in no batch at all.
    by_path: bool,
    /// By our id instead of theirs.
    by_our_id: bool,
}

/// One way of sending all pushes.
#[derive(Clone, Debug)]
struct Sending {
    order: Vec<(usize, Way)>,
    /// Before which place in the order each account is mapped.
    mapped_at: Vec<usize>,
}

fn a_push() -> impl Strategy<Value = Push> {
    // Few values, so that pushes of one moment that say the same and that do not are both common.
    let amount = || proptest::option::of((0..3_u32).prop_map(|n| format!("{n}.50")));
    let limit = prop_oneof![
        Just(json!({"kind": "unlimited"})),
        Just(json!({"kind": "not_managed"})),
        (0..3_u32).prop_map(|n| json!({"kind": "limited", "amount": format!("{n}.00")})),
    ];
    let exposure = (amount(), amount(), amount(), amount());
    let limits = (proptest::option::of(limit), proptest::option::of(any::<bool>()));
    let revision = proptest::option::of(proptest::sample::select(vec!["1", "2", "02", "10", "99999999999999999999"]));
    (0..ACCOUNTS, 0..3_u32, revision, exposure, limits, 0..3_u8)
        .prop_map(|(account, hour, revision, (receivable, overdue, unbilled, orders), (limit, on_hold), groups)| {
            let mut body = json!({"as_of": format!("2026-01-02T{hour:02}:00:00Z")});
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value {
                    body[name] = value;
                }
            };
            put("source_revision", revision.map(|r| json!(r)));
            if groups != 1 {
                put("receivable", receivable.map(|a| json!(a)));
                put("overdue", overdue.map(|a| json!({"days_1_30": a})));
                put("unbilled_deliveries", unbilled.map(|a| json!(a)));
                put("open_orders", orders.map(|a| json!(a)));
            }
            if groups != 2 {
                put("credit_limit", limit);
                put("on_hold", on_hold.map(|h| json!(h)));
            }
            Push { account, body }
        })
        .prop_filter("names a group", |p| p.body.as_object().unwrap().keys().any(|k| k != "as_of" && k != "source_revision"))
}

/// Every push once at least, some twice, in any order.
fn a_sending(pushes: usize) -> impl Strategy<Value = Sending> {
    let way = (any::<bool>(), proptest::bool::weighted(0.2), any::<bool>());
    let way = way.prop_map(|(apart, by_path, by_our_id)| Way { apart, by_path, by_our_id });
    let again = proptest::collection::vec(0..pushes, 0..=pushes);
    let order = again.prop_flat_map(move |again| Just((0..pushes).chain(again).collect::<Vec<_>>()).prop_shuffle());
    let order = order.prop_flat_map(move |order| {
        let ways = proptest::collection::vec(way.clone(), order.len());
        ways.prop_map(move |ways| order.iter().copied().zip(ways).collect::<Vec<_>>())
    });
    (order, proptest::collection::vec(0..2 * pushes, ACCOUNTS)).prop_map(|(order, mapped_at)| Sending { order, mapped_at })
}

fn cases(sendings: usize, most: usize) -> impl Strategy<Value = (Vec<Push>, Vec<Sending>)> {
    proptest::collection::vec(a_push(), 1..most)
        .prop_flat_map(move |pushes| (Just(pushes.clone()), proptest::collection::vec(a_sending(pushes.len()), sendings)))
}

/// Accounts of one sending, and what `express` calls them.
async fn accounts(app: &App) -> Vec<(String, String)> {
    let mut made = vec![];
    for _ in 0..ACCOUNTS {
        made.push((app.account("A").await, random_id()));
    }
    made
}

fn item(push: &Push, (id, name): &(String, String), by_our_id: bool) -> Value {
    let mut item = push.body.clone();
    if by_our_id {
        item["account_id"] = json!(id);
    } else {
        item["external_id"] = json!(name);
    }
    item
}

async fn send_batch(app: &App, items: &mut Vec<Value>) {
    if !items.is_empty() {
        let done = push(app, json!(std::mem::take(items))).await;
        let told = |r: &Value| match r["status"].as_str().unwrap() {
            "failed" => r["error"]["errors"][0]["code"] == "unknown_external_id",
            status => ["applied", "unchanged", "stale"].contains(&status),
        };
        assert!(done["results"].as_array().unwrap().iter().all(told), "{}", done.text);
    }
}

/// Sends all pushes one way to accounts of its own, and answers what is then known of each.
async fn send(app: &App, pushes: &[Push], sending: &Sending) -> Vec<(Vec<Value>, Value)> {
    let accounts = accounts(app).await;
    let mut waiting = vec![];
    for (place, (n, way)) in sending.order.iter().enumerate() {
        for (account, _) in accounts.iter().zip(&sending.mapped_at).filter(|(_, at)| **at == place) {
            send_batch(app, &mut waiting).await;
            map(app, &account.1, &account.0).await.is(201);
        }
        let push = &pushes[*n];
        if way.apart || way.by_path {
            send_batch(app, &mut waiting).await;
        }
        if way.by_path {
            let mut body = push.body.clone();
            body.as_object_mut().unwrap().extend([
                ("system".to_owned(), json!("express")),
                ("entity".to_owned(), json!("TH01")),
                ("currency".to_owned(), json!("THB")),
            ]);
            app.put(&format!("/v1/accounts/{}/credit-balance", accounts[push.account].0), body).await.is(200);
        } else {
            waiting.push(item(push, &accounts[push.account], way.by_our_id));
        }
    }
    send_batch(app, &mut waiting).await;
    for (account, _) in accounts.iter().zip(&sending.mapped_at).filter(|(_, at)| **at >= sending.order.len()) {
        map(app, &account.1, &account.0).await.is(201);
    }
    end(app, &accounts).await
}

/// The rows and the position of each account.
async fn end(app: &App, accounts: &[(String, String)]) -> Vec<(Vec<Value>, Value)> {
    let mut end = vec![];
    for (id, name) in accounts {
        let left = app.get(&format!("/v1/credit-balances/unmatched?external_id={name}")).await.is(200);
        assert_eq!(left["data"], json!([]), "a mapped number is unmatched no more");
        let mut position = credit(app, id).await.body;
        position["account_id"] = json!(null);
        end.push((kept(app, id).await, position));
    }
    end
}

/// One by one, as they come, to accounts that are mapped from the first.
fn plainly(pushes: usize) -> Sending {
    let way = Way { apart: true, by_path: false, by_our_id: false };
    Sending { order: (0..pushes).map(|n| (n, way)).collect(), mapped_at: vec![0; ACCOUNTS] }
}

// Not async: each case is awaited apart, so that a failing one can be made smaller.
fn any_order_doubling_and_batching_ends_in_the_same_rows(app: App) -> Ready<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(express(&app, json!({})));
    let config = Config { cases: 24, max_shrink_iters: 100, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&cases(3, 9), |(pushes, sendings)| {
        runtime.block_on(async {
            let plain = send(&app, &pushes, &plainly(pushes.len())).await;
            for sending in &sendings {
                let end = send(&app, &pushes, sending).await;
                if end != plain {
                    return Err(TestCaseError::fail(format!("{} and plainly {}", json!(end), json!(plain))));
                }
            }
            Ok(())
        })
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
    ready(())
}

async fn eight_senders_at_once_end_as_one_does(app: App) {
    express(&app, json!({})).await;
    let second = app.another(RateLimit::Off);
    let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
    for _ in 0..4 {
        let (pushes, sendings): (Vec<Push>, Vec<Sending>) = cases(8, 16).new_tree(&mut runner).unwrap().current();
        let plain = send(&app, &pushes, &plainly(pushes.len())).await;
        let shared = accounts(&app).await;
        for account in &shared[1..] {
            map(&app, &account.1, &account.0).await.is(201);
        }
        // Eight at once, through two servers, while the first account is being mapped.
        let one = async |n: usize, sending: &Sending| {
            let app = if n.is_multiple_of(2) { &app } else { &second };
            let mut waiting = vec![];
            for (n, way) in &sending.order {
                if way.apart {
                    send_batch(app, &mut waiting).await;
                }
                waiting.push(item(&pushes[*n], &shared[pushes[*n].account], way.by_our_id));
            }
            send_batch(app, &mut waiting).await;
        };
        let mapping = async { assert_eq!(map(&app, &shared[0].1, &shared[0].0).await.status, 201) };
        futures_util::future::join(join_all(sendings.iter().enumerate().map(|(n, s)| one(n, s))), mapping).await;
        assert_eq!(end(&app, &shared).await, plain, "{pushes:?}");
    }
}
