//! What stands between an order and its promise: said, kept, released by whoever may, or gone by itself.

use super::*;

crate::on_both![
    credit_holds_an_order_and_its_release_needs_the_right,
    nobody_waives_a_hold_by_sending_that_it_is,
    every_obstacle_is_told_at_once,
    a_changed_price_holds_and_a_release_accepts_it,
    a_price_of_ones_own_needs_approval,
    a_hold_by_hand_keeps_the_goods,
    a_hold_is_escalated_and_rejected,
    a_new_balance_makes_room_by_itself_where_the_policy_says_so,
    what_was_released_comes_back_when_the_order_changes,
    a_seller_gives_no_price_by_amending,
    a_seller_asks_again_when_the_books_have_moved,
];

async fn credit_holds_an_order_and_its_release_needs_the_right(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "500.00", "100.00").await;
    let order = shop.submitted(&app, "5").await;
    let held = act(&app, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!((&held["status"], &held["credit_status"], &held["open_amount"]), (&json!("on_hold"), &json!("held"), &json!("0.00")));
    let hold = app.get(&format!("/v1/order-holds?order_id={}", order.id())).await.is(200)["data"][0].clone();
    assert_eq!((&hold["kind"], &hold["reasons"], &hold["amount_over"]), (&json!("credit"), &json!(["over_limit"]), &json!("135.00")));
    assert_eq!(hold["available_actions"], json!(["release", "reject", "escalate"]));
    assert_eq!(shop.available(&app).await, "400.00");
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    let path = format!("/v1/order-holds/{}/release", id(&hold));
    let clerk =
        app.person(&["orders:read/all", "orders:release/all", "order-holds:read/all", "order-holds:release/all"], &[], &[]).await.app;
    let refused = clerk.post(&path, json!({"reason": "a good customer"})).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["order-holds:release-credit"]));
    let released = app.post(&path, json!({"reason": "a good customer"})).await.is(200);
    assert_eq!((&released["status"], &released["note"]), (&json!("released"), &json!("a good customer")));
    let order = read(&app, &order.id()).await;
    assert_eq!(
        (&order["status"], &order["credit_status"], &order["waived_holds"]),
        (&json!("confirmed"), &json!("released"), &json!(["credit"]))
    );
    assert_eq!(shop.available(&app).await, "-135.00", "what was let go counts all the same");
    app.post(&path, json!({})).await.refused(409, "illegal_transition");
}

async fn nobody_waives_a_hold_by_sending_that_it_is(app: App) {
    let shop = Shop::open(&app).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
    let body = json!({"account_id": shop.account, "lines": lines, "waived_holds": ["credit"]});
    app.post("/v1/orders", body.clone()).await.refused(422, "validation_failed").fault("/waived_holds", "unknown_field");
    let order = shop.submitted(&app, "1").await;
    let path = format!("/v1/orders/{}", order.id());
    let refused = app.patch(&path, json!({"waived_holds": ["credit"]})).await.refused(422, "validation_failed");
    refused.fault("/waived_holds", "unknown_field");
    let batch = json!({"mode": "update", "items": [{"id": order.id(), "waived_holds": ["credit"]}]});
    let results = app.post("/v1/orders/batch", batch).await.is(200)["results"].clone();
    assert_eq!((&results[0]["status"], &results[0]["error"]["code"]), (&json!("failed"), &json!("validation_failed")));
    let promise = json!({"account_id": shop.account, "lines": lines, "refused_for": []});
    app.post("/v1/order-promises", promise).await.refused(422, "validation_failed").fault("/refused_for", "unknown_field");
    assert_eq!(read(&app, &order.id()).await["waived_holds"], json!([]));
}

async fn every_obstacle_is_told_at_once(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "10.00", "0.00").await;
    let seller = somebody(&app, "Seller").await;
    let account = app.patch(&format!("/v1/accounts/{}", shop.account), json!({"owner_id": seller.get("/v1/me").await.is(200)["id"]}));
    account.await.is(200);
    let lines = json!([{"product_id": shop.tea, "quantity": "200", "unit_price": "1.00"}]);
    let order = seller.post("/v1/orders", json!({"account_id": shop.account, "lines": lines})).await.is(201);
    act(&seller, &order.id(), "submit", json!({})).await.is(200);
    assert_eq!(act(&seller, &order.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    assert_eq!(holds(&app, &order.id()).await, ["approval", "credit", "stock"]);
    // Once more is no second set of holds.
    act(&seller, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!(holds(&app, &order.id()).await, ["approval", "credit", "stock"]);
    act(&seller, &order.id(), "release", json!({})).await.refused(403, "forbidden");
    let released = act(&app, &order.id(), "release", json!({"reason": "all of it"})).await.is(200);
    assert_eq!((&released["status"], &released["waived_holds"]), (&json!("confirmed"), &json!(["approval", "stock", "credit"])));
    assert!(holds(&app, &order.id()).await.is_empty());
}

async fn a_changed_price_holds_and_a_release_accepts_it(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.submitted(&app, "2").await;
    let entry = app.all(&format!("/v1/price-books/{}/entries", shop.book), 50).await[0].clone();
    app.patch(&format!("/v1/price-books/{}/entries/{}", shop.book, id(&entry)), json!({"price": "110.00"})).await.is(200);
    act(&app, &order.id(), "confirm", json!({})).await.is(200);
    let hold = app.get(&format!("/v1/order-holds?order_id={}", order.id())).await.is(200)["data"][0].clone();
    assert_eq!(
        (&hold["kind"], &hold["reasons"], &hold["line_ids"]),
        (&json!("price"), &json!(["price_changed"]), &json!([order["lines"][0]["id"]]))
    );
    let released = act(&app, &order.id(), "release", json!({})).await.is(200);
    assert_eq!((&released["status"], &released["total_amount"]), (&json!("confirmed"), &json!("214.00")));
    // Or the new price is taken.
    let other = shop.submitted(&app, "2").await;
    app.patch(&format!("/v1/price-books/{}/entries/{}", shop.book, id(&entry)), json!({"price": "120.00"})).await.is(200);
    act(&app, &other.id(), "confirm", json!({})).await.is(200);
    let line = json!({"id": other["lines"][0]["id"], "quantity": "2"});
    let amended = act(&app, &other.id(), "amend", json!({"lines": [line]})).await.is(200);
    assert_eq!((&amended["status"], &amended["total_amount"]), (&json!("confirmed"), &json!("256.80")));
}

async fn a_price_of_ones_own_needs_approval(app: App) {
    let shop = Shop::open(&app).await;
    let seller = somebody(&app, "Seller").await;
    let account = seller.make("/v1/accounts", json!({"name": "Mine"})).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "1", "discount_percent": "5"}]);
    let order = seller.post("/v1/orders", json!({"account_id": account["id"], "lines": lines})).await.is(201);
    act(&seller, &order.id(), "submit", json!({})).await.is(200);
    act(&seller, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!(holds(&app, &order.id()).await, ["approval"]);
    // Whoever has the right confirms it as it is.
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
    let all = app.all(&format!("/v1/order-holds?order_id={}", order.id()), 50).await;
    assert_eq!(column_of(&all, "status"), ["resolved"]);
}

fn column_of<'a>(all: &'a [Value], field: &str) -> Vec<&'a str> {
    all.iter().map(|r| r[field].as_str().unwrap()).collect()
}

async fn a_hold_by_hand_keeps_the_goods(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let held = act(&app, &order.id(), "hold", json!({"reason": "the customer moves"})).await.is(200);
    assert_eq!(held["status"], "on_hold");
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    plan(&app, &order.id(), json!({})).await.refused(409, "illegal_transition");
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "on_hold", "the hold is somebody's");
    let released = act(&app, &order.id(), "release", json!({})).await.is(200);
    assert_eq!((&released["status"], &released["waived_holds"]), (&json!("confirmed"), &json!([])));
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
}

async fn a_hold_is_escalated_and_rejected(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "10.00", "0.00").await;
    let order = shop.submitted(&app, "1").await;
    act(&app, &order.id(), "confirm", json!({})).await.is(200);
    let hold = id(&app.get(&format!("/v1/order-holds?order_id={}", order.id())).await.is(200)["data"][0]);
    let boss = app.admin().await;
    let given = app.post(&format!("/v1/order-holds/{hold}/escalate"), json!({"to_user_id": boss.id, "note": "your call"})).await.is(200);
    assert_eq!((&given["escalated_to_id"], &given["note"]), (&json!(boss.id), &json!("your call")));
    let work = boss.app.get(&format!("/v1/order-holds?escalated_to_id={}&status=open", boss.id)).await.is(200);
    assert_eq!(work["data"][0]["id"], hold);
    let rejected = app.post(&format!("/v1/order-holds/{hold}/reject"), json!({"reason": "no"})).await.is(200);
    assert_eq!(rejected["status"], "rejected");
    assert_eq!(read(&app, &order.id()).await["status"], "cancelled");
}

async fn a_new_balance_makes_room_by_itself_where_the_policy_says_so(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "500.00", "400.00").await;
    let still = shop.submitted(&app, "2").await;
    act(&app, &still.id(), "confirm", json!({})).await.is(200);
    let policy = app.make("/v1/credit-policies", json!({"name": "Goes on", "releases_holds": true})).await;
    app.post(&format!("/v1/credit-policies/{}/activate", id(&policy)), json!({})).await.is(200);
    let order = shop.submitted(&app, "2").await;
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    // A balance that makes too little room is looked at, and the order waits on.
    shop.say(&app, "500.00", "399.00", from_now(1)).await;
    until("the order is looked at", async || {
        told(&app, &hold_of(&app, &order.id()).await).await.contains(&"order_hold.checked".to_owned())
    })
    .await;
    assert_eq!(read(&app, &order.id()).await["status"], "on_hold");
    shop.say(&app, "500.00", "0.00", from_now(2)).await;
    until("the order is confirmed", async || read(&app, &order.id()).await["status"] == "confirmed").await;
    assert_eq!(told(&app, &order.id()).await.last().unwrap(), "order.released");
    assert_eq!(read(&app, &still.id()).await["status"], "on_hold", "it was held by a policy that lets nothing go");
}

async fn hold_of(app: &App, order: &str) -> String {
    id(&app.get(&format!("/v1/order-holds?order_id={order}")).await.is(200)["data"][0])
}

async fn what_was_released_comes_back_when_the_order_changes(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "100.00", "0.00").await;
    let order = shop.submitted(&app, "2").await;
    act(&app, &order.id(), "confirm", json!({})).await.is(200);
    let released = act(&app, &order.id(), "release", json!({})).await.is(200);
    assert_eq!(released["status"], "confirmed");
    let line = json!({"id": order["lines"][0]["id"], "quantity": "9"});
    let amended = act(&app, &order.id(), "amend", json!({"lines": [line]})).await.is(200);
    assert_eq!((&amended["status"], &amended["waived_holds"]), (&json!("on_hold"), &json!([])));
    assert_eq!(holds(&app, &order.id()).await, ["credit"]);
}

async fn a_seller_gives_no_price_by_amending(app: App) {
    let shop = Shop::open(&app).await;
    let seller = somebody(&app, "Seller").await;
    let account = seller.make("/v1/accounts", json!({"name": "Mine"})).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "5"}]);
    let order = seller.post("/v1/orders", json!({"account_id": account["id"], "lines": lines})).await.is(201);
    act(&seller, &order.id(), "submit", json!({})).await.is(200);
    assert_eq!(act(&seller, &order.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
    let line = order["lines"][0]["id"].clone();
    let cheap = json!({"lines": [{"id": line, "quantity": "5", "unit_price": "0.01"}]});
    let held = act(&seller, &order.id(), "amend", cheap).await.is(200);
    assert_eq!((&held["status"], &held["committed_amount"]), (&json!("on_hold"), &json!("535.00")));
    assert_eq!(holds(&app, &order.id()).await, ["approval"]);
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"], "what was promised stays put aside");
    // Whoever has the right lets it pass; from then on it is what was promised.
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["total_amount"], "0.05");
    let less = json!({"lines": [{"id": line, "quantity": "4"}]});
    assert_eq!(act(&seller, &order.id(), "amend", less).await.is(200)["status"], "confirmed");
    // The same through a promise.
    let promise =
        seller.post("/v1/order-promises", json!({"account_id": account["id"], "lines": [{"sku": "TEA", "quantity": "1"}]})).await.is(201);
    let order = seller.post("/v1/orders", json!({"account_id": account["id"], "promise_id": promise["id"]})).await.is(201);
    act(&seller, &order.id(), "submit", json!({})).await.is(200);
    act(&seller, &order.id(), "hold", json!({})).await.is(200);
    let cheap = json!({"lines": [{"id": order["lines"][0]["id"], "quantity": "1", "unit_price": "0.01"}]});
    act(&seller, &order.id(), "amend", cheap).await.is(200);
    let hold = id(&app.get(&format!("/v1/order-holds?order_id={}", order.id())).await.is(200)["data"][0]);
    let manager =
        app.person(&["orders:read/all", "orders:release/all", "order-holds:read/all", "order-holds:release/all"], &[], &[]).await.app;
    manager.post(&format!("/v1/order-holds/{hold}/release"), json!({})).await.is(200);
    assert_eq!(holds(&app, &order.id()).await, ["approval"]);
}

async fn a_seller_asks_again_when_the_books_have_moved(app: App) {
    let shop = Shop::open(&app).await;
    let seller = somebody(&app, "Seller").await;
    app.patch(&format!("/v1/accounts/{}", shop.account), json!({"owner_id": seller.get("/v1/me").await.is(200)["id"]})).await.is(200);
    shop.limit(&app, "100.00", "0.00").await;
    let lines = json!([{"product_id": shop.tea, "quantity": "2"}]);
    let order = seller.post("/v1/orders", json!({"account_id": shop.account, "lines": lines})).await.is(201);
    act(&seller, &order.id(), "submit", json!({})).await.is(200);
    act(&seller, &order.id(), "confirm", json!({})).await.is(200);
    shop.say(&app, "100.00", "50.00", from_now(1)).await;
    assert_eq!(act(&seller, &order.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    let hold = app.get(&format!("/v1/order-holds?order_id={}", order.id())).await.is(200)["data"][0].clone();
    assert_eq!(hold["amount_over"], "164.00");
    let seen = seller.get(&format!("/v1/order-holds/{}", id(&hold))).await.is(200);
    assert_eq!((&seen["reasons"], &seen["amount_over"]), (&json!(["over_limit"]), &json!(null)));
}
