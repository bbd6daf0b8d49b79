//! What customers like, what accounts are to one another, and what a group of accounts ordered.

use crate::{sales::Shop, support::*};

crate::on_both![
    preferences_are_of_a_customer_and_stand_once,
    two_accounts_are_related_once_in_each_way,
    a_tree_sums_what_each_account_and_all_below_it_ordered,
    a_tree_passes_accounts_that_are_not_seen,
];

async fn contact(app: &App) -> String {
    app.make("/v1/contacts", json!({"first_name": "Somchai"})).await["id"].as_str().unwrap().to_owned()
}

async fn preferences_are_of_a_customer_and_stand_once(app: App) {
    let path = format!("/v1/contacts/{}/preferences", contact(&app).await);
    let body = json!({"kind": "interest", "value": "Jasmine tea", "source": "stated", "confidence": 80});
    let made = app.make(&path, body.clone()).await;
    app.post(&path, body.clone()).await.refused(409, "already_exists");
    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        app.post(&path, body)
    };
    with("confidence", json!(101)).await.is(422).fault("/confidence", "too_large");
    with("kind", json!("mood")).await.is(422).fault("/kind", "unknown_value");
    let listed = app.get(&format!("{path}?kind=interest")).await.is(200);
    assert_eq!(ids(&listed), [made["id"].as_str().unwrap()]);
    let account = format!("/v1/accounts/{}/preferences", app.account("A").await);
    app.make(&account, body).await;
}

async fn two_accounts_are_related_once_in_each_way(app: App) {
    let (tea, tins) = (app.account("Tea").await, app.account("Tins").await);
    let relate = |from: &str, to: &str, kind: &str| {
        app.post("/v1/account-relationships", json!({"from_account_id": from, "to_account_id": to, "kind": kind}))
    };
    relate(&tins, &tea, "supplier").await.is(201);
    relate(&tins, &tea, "supplier").await.refused(409, "already_exists");
    relate(&tins, &tea, "partner").await.is(201);
    relate(&tea, &tins, "supplier").await.is(201);
    relate(&tea, &tea, "supplier").await.is(422).fault("/to_account_id", "refers_to_itself");
    relate(&tea, &tins, "parent").await.is(422).fault("/kind", "unknown_value");
    let suppliers = app.get(&format!("/v1/account-relationships?to_account_id={tea}&kind=supplier&expand=from_account")).await.is(200);
    assert_eq!(suppliers["data"][0]["expanded"]["from_account"]["name"], "Tins");
    app.delete(&format!("/v1/accounts/{tins}")).await.is(204);
}

async fn below(app: &App, name: &str, parent: Option<&str>) -> String {
    let mut body = json!({"name": name});
    if let Some(parent) = parent {
        body["parent_id"] = json!(parent);
    }
    app.make("/v1/accounts", body).await["id"].as_str().unwrap().to_owned()
}

/// An order of so much tea at 107.00 with tax, submitted.
async fn order(app: &App, account: &str, tea: &str, pieces: &str) {
    let order = app.make("/v1/orders", json!({"account_id": account, "lines": [{"product_id": tea, "quantity": pieces}]})).await;
    app.post(&format!("/v1/orders/{}/submit", order["id"].as_str().unwrap()), json!({})).await.is(200);
}

fn sums(node: &Value, which: &str) -> Vec<(String, i64, String)> {
    let all = node[which].as_array().unwrap().iter();
    all.map(|sum| {
        let text = |field: &str| sum[field].as_str().unwrap().to_owned();
        (text("currency"), sum["orders"].as_i64().unwrap(), text("total_amount"))
    })
    .collect()
}

async fn a_tree_sums_what_each_account_and_all_below_it_ordered(app: App) {
    let shop = Shop::open(&app).await;
    let head = below(&app, "Head", None).await;
    let north = below(&app, "North", Some(&head)).await;
    let south = below(&app, "South", Some(&head)).await;
    let farm = below(&app, "Farm", Some(&north)).await;
    for (account, pieces) in [(&head, "1"), (&farm, "2"), (&farm, "3"), (&south, "10")] {
        order(&app, account, shop.tea(), pieces).await;
    }
    app.make("/v1/orders", json!({"account_id": north, "lines": [{"product_id": shop.tea(), "quantity": "99"}]})).await;
    let tree = app.get(&format!("/v1/accounts/{head}/tree")).await.is(200);
    let nodes = tree["nodes"].as_array().unwrap();
    let node = |id: &str| nodes.iter().find(|node| node["id"] == id).unwrap();
    let thb = |orders: i64, amount: &str| ("THB".to_owned(), orders, amount.to_owned());
    assert_eq!((nodes.len(), &nodes[0]["id"], tree["has_more"].as_bool()), (4, &json!(head), Some(false)));
    assert_eq!(sums(node(&head), "own"), [thb(1, "107.00")]);
    assert_eq!(sums(node(&head), "total"), [thb(4, "1712.00")]);
    assert_eq!(sums(node(&north), "own"), []);
    assert_eq!(sums(node(&north), "total"), [thb(2, "535.00")]);
    assert_eq!((&node(&farm)["parent_id"], node(&farm)["depth"].as_i64()), (&json!(north), Some(2)));
    let of_north = app.get(&format!("/v1/accounts/{north}/tree")).await.is(200);
    assert_eq!((of_north["nodes"].as_array().unwrap().len(), &of_north["nodes"][0]["parent_id"]), (2, &Value::Null));
}

async fn a_tree_passes_accounts_that_are_not_seen(app: App) {
    let head = below(&app, "Head", None).await;
    let hidden = below(&app, "Hidden", Some(&head)).await;
    let farm = below(&app, "Farm", Some(&hidden)).await;
    let seller = app.person(&["accounts:read/own", "orders:read/own"], &[], &[]).await;
    for account in [&head, &farm] {
        app.patch(&format!("/v1/accounts/{account}"), json!({"owner_id": seller.id})).await.is(200);
    }
    let tree = seller.app.get(&format!("/v1/accounts/{head}/tree")).await.is(200);
    let nodes = tree["nodes"].as_array().unwrap();
    assert_eq!(nodes.iter().map(|node| node["id"].as_str().unwrap()).collect::<Vec<_>>(), [head.as_str(), farm.as_str()]);
    assert_eq!((&nodes[1]["parent_id"], nodes[1]["depth"].as_i64()), (&json!(head), Some(1)));
    seller.app.get(&format!("/v1/accounts/{hidden}/tree")).await.is(404);
    let rules = app.person(&["accounts:read/all", "orders:read/all"], &["accounts.parent_id=hidden"], &[]).await;
    rules.app.get(&format!("/v1/accounts/{head}/tree")).await.refused(403, "forbidden");
    let without_orders = app.person(&["accounts:read/all"], &[], &[]).await;
    without_orders.app.get(&format!("/v1/accounts/{head}/tree")).await.refused(403, "forbidden");
}
