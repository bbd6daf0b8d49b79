//! Records that are kept in an order of their own: contact points of an account or contact.

use crate::support::{request::Request, *};
use futures_util::future::join_all;
use reqwest::Method;

crate::on_both![
    records_are_listed_in_their_order_and_moved,
    order_has_no_holes_after_deletions_and_restores,
    orders_of_parents_are_apart,
    crowd_leaves_no_position_twice,
];

/// The contact points of a parent: what they are and where they stand, in the order of the list.
async fn order(app: &App, path: &str) -> Vec<(String, i64)> {
    let page = app.get(&format!("{path}?limit=200")).await.is(200);
    let all = page["data"].as_array().unwrap().iter();
    all.map(|p| (p["raw"].as_str().unwrap().to_owned(), p["position"].as_i64().unwrap())).collect()
}

/// Insists on an order.
async fn expect_order(app: &App, path: &str, wanted: &str) {
    let numbered: Vec<(String, i64)> = wanted.chars().map(String::from).zip(1..).collect();
    assert_eq!(order(app, path).await, numbered);
}

async fn add(app: &App, path: &str, name: &str) -> String {
    app.make(path, json!({"kind": "line", "raw": name})).await["id"].as_str().unwrap().to_owned()
}

fn moved(app: &App, path: &str, id: &str, position: i64) -> Request {
    app.post(&format!("{path}/{id}/move"), json!({"position": position}))
}

async fn four(app: &App) -> (String, Vec<String>) {
    let path = format!("/v1/accounts/{}/contact-points", app.account("A").await);
    let mut made = vec![];
    for name in ["a", "b", "c", "d"] {
        made.push(add(app, &path, name).await);
    }
    (path, made)
}

async fn records_are_listed_in_their_order_and_moved(app: App) {
    let (path, ids) = four(&app).await;
    expect_order(&app, &path, "abcd").await;
    let first = moved(&app, &path, &ids[3], 1).await.is(200);
    assert_eq!((&first["position"], &first["version"]), (&json!(1), &json!(2)));
    expect_order(&app, &path, "dabc").await;
    moved(&app, &path, &ids[3], 3).await.is(200);
    expect_order(&app, &path, "abdc").await;
    let same = moved(&app, &path, &ids[3], 3).await.is(200);
    assert_eq!(same["version"], 3, "no move is no change");
    for (position, fault) in [(0, "too_small"), (5, "out_of_range")] {
        moved(&app, &path, &ids[3], position).await.refused(422, "validation_failed").fault("/position", fault);
    }
    moved(&app, &path, &random_id(), 1).await.refused(404, "not_found");
    app.post(&format!("{path}/{}/move", ids[0]), json!({"position": 2})).header("if-match", "\"1\"").await.refused(412, "version_conflict");
    app.patch(&format!("{path}/{}", ids[0]), json!({"position": 2}))
        .await
        .refused(422, "validation_failed")
        .fault("/position", "unknown_field");
    let newest_first = app.get(&format!("{path}?sort=-position")).await.is(200);
    assert_eq!(column(&newest_first.body, "raw"), ["c", "d", "b", "a"]);
    // Pages go on in the order.
    let page = app.get(&format!("{path}?limit=2")).await.is(200);
    let rest = app.get(&format!("{path}?limit=2&cursor={}", page["next_cursor"].as_str().unwrap())).await.is(200);
    assert_eq!([column(&page.body, "raw"), column(&rest.body, "raw")].concat(), ["a", "b", "d", "c"]);
    // Whoever follows changes finds the order: each record that moved tells of it.
    let feed = app.feed().await;
    let mut told: std::collections::BTreeMap<String, i64> = Default::default();
    for event in feed.iter().filter(|e| e["resource"] == "contact_points") {
        told.insert(event["resource_id"].as_str().unwrap().to_owned(), event["after"]["position"].as_i64().unwrap());
    }
    assert_eq!([3, 0, 1, 2].map(|i| told[&ids[i]]), [3, 1, 2, 4]);
    // The permission is that of an update.
    let reader = app.person(&["accounts:read/all"], &[], &[]).await.app;
    moved(&reader, &path, &ids[0], 2).await.refused(403, "forbidden");
}

async fn order_has_no_holes_after_deletions_and_restores(app: App) {
    let (path, ids) = four(&app).await;
    app.delete(&format!("{path}/{}", ids[1])).await.is(204);
    expect_order(&app, &path, "acd").await;
    app.ask(Method::POST, &format!("{path}/{}/restore", ids[1])).await.is(200);
    expect_order(&app, &path, "abcd").await;
    let items: Vec<Value> = [0, 2, 3].iter().map(|i| json!({"id": ids[*i]})).collect();
    app.post(&format!("{path}/batch"), json!({"mode": "delete", "items": items})).await.is(200);
    expect_order(&app, &path, "b").await;
    // What comes back where there is no such place any more comes last.
    app.ask(Method::POST, &format!("{path}/{}/restore", ids[3])).await.is(200);
    expect_order(&app, &path, "bd").await;
    let new: Vec<Value> = ["e", "f"].iter().map(|name| json!({"kind": "line", "raw": name})).collect();
    app.post(&format!("{path}/batch"), json!({"mode": "create", "items": new})).await.is(200);
    expect_order(&app, &path, "bdef").await;
}

async fn orders_of_parents_are_apart(app: App) {
    let (path, ids) = four(&app).await;
    let contact = app.make("/v1/contacts", json!({"first_name": "Somying"})).await;
    let other = format!("/v1/contacts/{}/contact-points", contact["id"].as_str().unwrap());
    add(&app, &other, "x").await;
    let y = add(&app, &other, "y").await;
    moved(&app, &other, &y, 1).await.is(200);
    app.delete(&format!("{path}/{}", ids[0])).await.is(204);
    expect_order(&app, &path, "bcd").await;
    expect_order(&app, &other, "yx").await;
    moved(&app, &other, &ids[1], 1).await.refused(404, "not_found");
}

async fn crowd_leaves_no_position_twice(app: App) {
    let (path, ids) = four(&app).await;
    // A write that meets others for too long is told to try again.
    let until_done = async |ask: &dyn Fn() -> Request, done: u16| {
        loop {
            let answer = ask().await;
            if answer.status != 503 {
                return assert_eq!(answer.status, done, "{}", answer.text);
            }
        }
    };
    let add = async |n: usize| {
        let point = json!({"kind": "line", "raw": format!("new{n}")});
        until_done(&|| app.post(&path, point.clone()), 201).await;
    };
    let shuffle = async |n: usize| {
        for position in [1, 3, 2] {
            until_done(&|| moved(&app, &path, &ids[n], position), 200).await;
        }
    };
    let remove = async {
        until_done(&|| app.delete(&format!("{path}/{}", ids[3])), 204).await;
        until_done(&|| app.ask(Method::POST, &format!("{path}/{}/restore", ids[3])), 200).await;
    };
    let all = futures_util::future::join3(join_all((0..6).map(add)), join_all((0..3).map(shuffle)), remove);
    all.await;
    let positions: Vec<i64> = order(&app, &path).await.into_iter().map(|(_, position)| position).collect();
    assert_eq!(positions, (1..=10).collect::<Vec<_>>());
}
