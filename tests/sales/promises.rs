//! `POST /v1/order-promises`: one answer, held until the order is made from it.

use super::*;
use samphan_resource::calendar::{self, Zone};

crate::on_both![
    a_promise_says_everything_and_holds_it,
    an_order_made_from_it_meets_no_surprise,
    what_cannot_be_promised_holds_nothing,
    a_promise_is_let_go,
    a_promise_is_too_late_by_itself,
    an_order_of_an_expired_promise_is_checked_anew,
    what_does_not_fit_a_promise_is_refused,
    a_promise_knows_when_more_can_be_had,
    a_hold_by_hand_loses_nothing_of_the_promise,
    an_order_that_is_not_to_be_gives_back_what_was_promised,
];

async fn promise(app: &App, shop: &Shop, lines: Value) -> Answer {
    app.post("/v1/order-promises", json!({"account_id": shop.account, "lines": lines})).await
}

async fn a_promise_says_everything_and_holds_it(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "1000.00", "0.00").await;
    let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "5"}])).await.is(201);
    assert_eq!((&made["status"], &made["total_amount"], &made["refused_for"]), (&json!("active"), &json!("535.00"), &json!([])));
    assert_eq!((&made["credit_decision"], &made["credit_findings"]), (&json!("allow"), &json!([])));
    let line = &made["lines"][0];
    assert_eq!(made["waterfall"][0]["steps"][0]["result"], "applied");
    assert_eq!(made["waterfall"][0]["line_id"], line["id"]);
    assert_eq!(made["stock"], json!([{"line_id": line["id"], "warehouse_id": shop.warehouse, "available": "100", "held": "5"}]));
    assert_eq!(made["available_on"], made["priced_on"]);
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    assert_eq!(shop.available(&app).await, "465.00");
    let dry =
        app.post("/v1/order-promises?dry_run=true", json!({"account_id": shop.account, "lines": [{"sku": "TEA", "quantity": "1"}]})).await;
    assert_eq!(dry.is(201)["status"], "active");
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
}

async fn an_order_made_from_it_meets_no_surprise(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "5"}])).await.is(201);
    // Everything changes meanwhile: the price, the stock, the credit.
    let entry = app.all(&format!("/v1/price-books/{}/entries", shop.book), 50).await[0].clone();
    app.patch(&format!("/v1/price-books/{}/entries/{}", shop.book, id(&entry)), json!({"price": "999.00"})).await.is(200);
    shop.confirmed_without_limit(&app, "95").await;
    shop.say(&app, "1.00", "0.00", from_now(1)).await;
    let order =
        app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": made["id"], "customer_reference": "PO-1"})).await.is(201);
    assert_eq!((&order["total_amount"], &order["lines"]), (&json!("535.00"), &made["lines"]));
    act(&app, &order.id(), "submit", json!({})).await.is(200);
    let confirmed = act(&app, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!(
        (&confirmed["status"], &confirmed["credit_check_id"]),
        (&json!("confirmed"), &made["credit_check_id"]),
        "{}",
        confirmed.text
    );
    let used = app.get(&format!("/v1/order-promises/{}", made.id())).await.is(200);
    assert_eq!((&used["status"], &used["order_id"]), (&json!("used"), &order["id"]));
    let reservation = confirmed["lines"][0]["allocations"][0]["reservation_id"].as_str().unwrap().to_owned();
    let reservation = app.get(&format!("/v1/stock-reservations/{reservation}")).await.is(200);
    assert_eq!((&reservation["expires_at"], &reservation["source_id"]), (&json!(null), &order["id"]));
    let twice = app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": made["id"]})).await;
    twice.refused(409, "conflict");
    adds_up(&app).await;
}

async fn what_cannot_be_promised_holds_nothing(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let over = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "101"}])).await.is(201);
    assert_eq!((&over["status"], &over["refused_for"]), (&json!("refused"), &json!(["stock", "credit"])));
    assert_eq!(over["credit_findings"][0]["rule"], "over_limit");
    assert_eq!(over["available_on"], json!(null));
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    assert_eq!(shop.available(&app).await, "600.00");
    let order = app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": over["id"]})).await;
    order.refused(409, "conflict");
}

async fn a_promise_is_let_go(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "5"}])).await.is(201);
    let path = format!("/v1/order-promises/{}/release", made.id());
    assert_eq!(app.post(&path, json!({})).await.is(200)["status"], "released");
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    assert_eq!(shop.available(&app).await, "600.00");
    app.post(&path, json!({})).await.refused(409, "illegal_transition");
}

async fn a_promise_is_too_late_by_itself(app: App) {
    let shop = Shop::open(&app).await;
    let body = json!({"account_id": shop.account, "lines": [{"sku": "TEA", "quantity": "5"}], "expires_at": from_now(2)});
    let made = app.post("/v1/order-promises", body).await.is(201);
    until("the promise expires", async || app.get(&format!("/v1/order-promises/{}", made.id())).await.is(200)["status"] == "expired").await;
    until("the goods are free again", async || shop.standing(&app).await == ["100", "0", "100"]).await;
    adds_up(&app).await;
}

async fn an_order_of_an_expired_promise_is_checked_anew(app: App) {
    let shop = Shop::open(&app).await;
    let body = json!({"account_id": shop.account, "lines": [{"sku": "TEA", "quantity": "5"}], "expires_at": from_now(2)});
    let made = app.post("/v1/order-promises", body).await.is(201);
    let order = app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": made["id"]})).await.is(201);
    act(&app, &order.id(), "submit", json!({})).await.is(200);
    until("the goods are free again", async || shop.standing(&app).await == ["100", "0", "100"]).await;
    let confirmed = act(&app, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!(confirmed["status"], "confirmed", "{}", confirmed.text);
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    adds_up(&app).await;
}

async fn what_does_not_fit_a_promise_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
    let ask = async |expires_at: Timestamp| {
        app.post("/v1/order-promises", json!({"account_id": shop.account, "lines": lines, "expires_at": expires_at})).await
    };
    ask(from_now(-1)).await.is(422).fault("/expires_at", "out_of_range");
    ask(from_now(25 * 3600)).await.is(422).fault("/expires_at", "out_of_range");
    app.post("/v1/order-promises", json!({"account_id": shop.account, "lines": []})).await.is(422).fault("/lines", "too_few_items");
    let made = promise(&app, &shop, lines.clone()).await.is(201);
    let both = json!({"account_id": shop.account, "promise_id": made["id"], "lines": lines});
    app.post("/v1/orders", both).await.is(422).fault("/promise_id", "ambiguous");
    let other = app.account("Another").await;
    app.post("/v1/orders", json!({"account_id": other, "promise_id": made["id"]})).await.is(422).fault("/promise_id", "not_of_account");
    app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": random_id()}))
        .await
        .is(422)
        .fault("/promise_id", "unknown_reference");
}

async fn a_promise_knows_when_more_can_be_had(app: App) {
    let shop = Shop::open(&app).await;
    app.patch(&format!("/v1/products/{}", shop.tea), json!({"backorder": "allow", "lead_time_days": 10})).await.is(200);
    let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "120"}])).await.is(201);
    assert_eq!(
        (&made["status"], &made["available_on"]),
        (&json!("active"), &json!(calendar::today(Zone::UTC, from_now(10 * 24 * 3600)).to_string()))
    );
    assert_eq!(shop.standing(&app).await, ["100", "120", "-20"]);
}

async fn a_hold_by_hand_loses_nothing_of_the_promise(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "5"}])).await.is(201);
    let order = app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": made["id"]})).await.is(201);
    act(&app, &order.id(), "submit", json!({})).await.is(200);
    act(&app, &order.id(), "hold", json!({})).await.is(200);
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    assert_eq!(shop.available(&app).await, "65.00");
    let confirmed = act(&app, &order.id(), "release", json!({})).await.is(200);
    assert_eq!((&confirmed["status"], &confirmed["credit_check_id"]), (&json!("confirmed"), &made["credit_check_id"]));
}

async fn an_order_that_is_not_to_be_gives_back_what_was_promised(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    for end in ["cancel", "delete"] {
        let made = promise(&app, &shop, json!([{"product_id": shop.tea, "quantity": "5"}])).await.is(201);
        assert_eq!(made["status"], "active", "{end}: {}", made.text);
        let order = app.post("/v1/orders", json!({"account_id": shop.account, "promise_id": made["id"]})).await.is(201);
        match end {
            "cancel" => act(&app, &order.id(), "cancel", json!({})).await.is(200),
            _ => app.delete(&format!("/v1/orders/{}", order.id())).await.is(204),
        };
        assert_eq!(shop.available(&app).await, "600.00", "{end}");
        assert_eq!(shop.standing(&app).await, ["100", "0", "100"], "{end}");
    }
}
