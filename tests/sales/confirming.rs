//! Confirming in one call, what its answer says, and what goes on by itself.

use super::*;

crate::on_both![
    order_is_placed_in_one_call,
    placing_needs_the_rights_to_submit_and_confirm,
    placed_order_answers_its_holds,
    every_write_that_ends_in_a_hold_answers_it,
    holds_are_expanded,
    hold_of_stock_ends_when_goods_arrive_oldest_first,
    product_that_is_allotted_by_hand_holds_on,
    record_is_found_by_its_number,
    order_sent_twice_by_external_id_is_unchanged,
    draft_is_not_invoiced,
    invoiced_order_is_not_cancelled,
];

async fn place(app: &App, shop: &Shop, pieces: &str) -> Answer {
    let lines = json!([{"product_id": shop.tea, "quantity": pieces}]);
    app.post("/v1/orders", json!({"account_id": shop.account, "lines": lines, "confirm": true})).await
}

async fn order_is_placed_in_one_call(app: App) {
    let shop = Shop::open(&app).await;
    let order = place(&app, &shop, "2").await.is(201);
    assert_eq!((&order["status"], &order["lines"][0]["reserved_quantity"]), (&json!("confirmed"), &json!("2")));
    assert!(order["expanded"].is_null() && order["confirm"].is_null(), "{}", order.text);
    assert_eq!(told(&app, &order.id()).await, ["order.created", "order.submitted", "order.confirmed"]);
    let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
    let draft = app.post("/v1/orders", json!({"account_id": shop.account, "lines": lines, "confirm": false})).await.is(201);
    assert_eq!(draft["status"], "draft");
    app.post("/v1/orders", json!({"account_id": shop.account, "lines": [], "confirm": true})).await.is(422).fault("/lines", "required");
    let body = json!({"account_id": shop.account, "lines": lines, "confirm": true});
    app.post("/v1/orders?dry_run=true", body.clone()).await.is(201);
    // By another system's id as well; said again it changes nothing.
    app.make("/v1/external-systems", json!({"code": "shop", "name": "Shop", "kind": "ecommerce"})).await;
    let path = "/v1/orders/by-external-id/shop/1";
    let made = app.put(path, body.clone()).await.is(201);
    assert_eq!(made["status"], "confirmed");
    app.patch(&format!("/v1/orders/{}", made.id()), json!({"confirm": true})).await.is(422).fault("/confirm", "unknown_field");
    assert_eq!(app.all("/v1/orders", 50).await.len(), 3);
    adds_up(&app).await;
}

async fn placing_needs_the_rights_to_submit_and_confirm(app: App) {
    let shop = Shop::open(&app).await;
    let rights = ["orders:create/all", "orders:read/all", "orders:submit/all", "accounts:read/all"];
    let clerk = app.person(&rights, &[], &[]).await.app;
    let refused = place(&clerk, &shop, "1").await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["orders:confirm"]));
    assert!(app.all("/v1/orders", 50).await.is_empty());
}

async fn placed_order_answers_its_holds(app: App) {
    let shop = Shop::open(&app).await;
    let order = place(&app, &shop, "101").await.is(201);
    assert_eq!(order["status"], "on_hold");
    let hold = &order["expanded"]["holds"][0];
    assert_eq!((&hold["kind"], &hold["reasons"]), (&json!("stock"), &json!(["insufficient_stock"])), "{}", order.text);
}

async fn every_write_that_ends_in_a_hold_answers_it(app: App) {
    let shop = Shop::open(&app).await;
    let reasons = |answer: &Answer| answer["expanded"]["holds"][0]["reasons"][0].clone();
    let order = shop.submitted(&app, "101").await;
    let held = act(&app, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!(reasons(&held), "insufficient_stock");
    let by_hand = shop.confirmed(&app, "5").await;
    assert_eq!(reasons(&act(&app, &by_hand.id(), "hold", json!({})).await.is(200)), "manual");
    let released = act(&app, &by_hand.id(), "release", json!({})).await.is(200);
    assert!(released["expanded"].is_null(), "what is confirmed has no holds: {}", released.text);
    let lines = json!([{"id": by_hand["lines"][0]["id"], "quantity": "101"}]);
    assert_eq!(reasons(&act(&app, &by_hand.id(), "amend", json!({"lines": lines})).await.is(200)), "insufficient_stock");
}

async fn holds_are_expanded(app: App) {
    let shop = Shop::open(&app).await;
    let held = place(&app, &shop, "101").await.is(201);
    let confirmed = shop.confirmed(&app, "1").await;
    let one = app.get(&format!("/v1/orders/{}?expand=holds,account", held.id())).await.is(200);
    assert_eq!((&one["expanded"]["holds"][0]["kind"], &one["expanded"]["account"]["id"]), (&json!("stock"), &json!(shop.account)));
    let all = app.get("/v1/orders?expand=account,holds&sort=number").await.is(200);
    assert_eq!(all["data"][0]["expanded"]["holds"].as_array().unwrap().len(), 1);
    assert_eq!((&all["data"][1]["id"], &all["data"][1]["expanded"]["holds"]), (&json!(confirmed.id()), &json!([])));
    let clerk = app.person(&["orders:read/all"], &[], &[]).await.app;
    let hidden = clerk.get(&format!("/v1/orders/{}?expand=holds", held.id())).await;
    assert!(hidden.status == 400 || hidden["expanded"]["holds"] == json!([]), "{}", hidden.text);
}

async fn hold_of_stock_ends_when_goods_arrive_oldest_first(app: App) {
    let shop = Shop::open(&app).await;
    let (first, second) = (place(&app, &shop, "110").await.is(201), place(&app, &shop, "120").await.is(201));
    assert_eq!(first["expanded"]["holds"][0]["releases_itself"], true);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": [{"sku": "TEA", "quantity": "25"}]})).await.is(201);
    until("the order is confirmed", async || read(&app, &first.id()).await["status"] == "confirmed").await;
    assert_eq!(told(&app, &first.id()).await.last().unwrap(), "order.released");
    assert_eq!(read(&app, &second.id()).await["status"], "on_hold", "what is left is not enough for it");
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": [{"sku": "TEA", "quantity": "105"}]})).await.is(201);
    until("the order is confirmed", async || read(&app, &second.id()).await["status"] == "confirmed").await;
    assert_eq!(shop.standing(&app).await, ["230", "230", "0"]);
    adds_up(&app).await;
}

async fn product_that_is_allotted_by_hand_holds_on(app: App) {
    let shop = Shop::open(&app).await;
    let first = place(&app, &shop, "110").await.is(201);
    app.patch(&format!("/v1/products/{}", shop.tea), json!({"releases_holds": false})).await.is(200);
    let second = place(&app, &shop, "105").await.is(201);
    assert_eq!(second["expanded"]["holds"][0]["releases_itself"], false);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": [{"sku": "TEA", "quantity": "200"}]})).await.is(201);
    until("the order is confirmed", async || read(&app, &first.id()).await["status"] == "confirmed").await;
    assert_eq!(read(&app, &second.id()).await["status"], "on_hold");
    assert_eq!(act(&app, &second.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
}

async fn record_is_found_by_its_number(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "1").await;
    let path = format!("/v1/orders/by-number/{}", order.text_of("number"));
    let found = app.get(&path).await.is(200);
    assert_eq!((&found["id"], found.header("etag")), (&order["id"], order.header("etag")));
    assert_eq!(app.get(&format!("{path}?expand=account")).await.is(200)["expanded"]["account"]["id"], json!(shop.account));
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    assert_eq!(app.get(&format!("/v1/shipments/by-number/{}", shipment.text_of("number"))).await.is(200)["id"], shipment["id"]);
    // What is not seen is as what is not there.
    let stranger = app.person(&["orders:read/own"], &[], &[]).await.app;
    let (unseen, none) = (stranger.get(&path).await.is(404), stranger.get("/v1/orders/by-number/SO-999999").await.is(404));
    let without_id = |mut body: Value| {
        body.as_object_mut().unwrap().remove("request_id");
        body
    };
    assert_eq!(without_id(unseen.body.clone()), without_id(none.body.clone()));
}

async fn order_sent_twice_by_external_id_is_unchanged(app: App) {
    let shop = Shop::open(&app).await;
    app.make("/v1/external-systems", json!({"code": "shop", "name": "Shop", "kind": "ecommerce"})).await;
    let lines = json!([{"sku": "TEA", "quantity": "2"}, {"product_id": shop.tea, "quantity": "1", "unit_price": "90.00"}]);
    for (name, confirm) in [("draft", false), ("confirmed", true)] {
        let body = json!({"account_id": shop.account, "lines": lines, "confirm": confirm});
        let path = format!("/v1/orders/by-external-id/shop/{name}");
        let made = app.put(&path, body.clone()).await.is(201);
        assert_eq!((&made["status"], &made["total_amount"]), (&json!(name), &json!("310.30")));
        let again = app.put(&path, body.clone()).await.is(200);
        assert_eq!((again.version(), &again["lines"]), (made.version(), &made["lines"]));
        let item = json!({"external_id": name, "account_id": shop.account, "lines": lines});
        let batch = json!({"mode": "upsert", "match_on": "external_id:shop", "items": [item]});
        assert_eq!(app.post("/v1/orders/batch", batch).await.is(200)["results"][0]["status"], "unchanged");
    }
    // A price of one's own that is left out is the book's again.
    let lines = json!([{"sku": "TEA", "quantity": "2"}, {"product_id": shop.tea, "quantity": "1"}]);
    let body = json!({"account_id": shop.account, "lines": lines});
    assert_eq!(app.put("/v1/orders/by-external-id/shop/draft", body).await.is(200)["total_amount"], "321.00");
}

async fn system(app: &App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "Billing", "kind": "other"})).await;
}

fn invoice(order: &Answer, document: &str, kind: &str) -> Value {
    json!({"system": "erp", "document_no": document, "kind": kind, "order_id": order["id"], "order_line_id": order["lines"][0]["id"],
        "quantity": "2", "amount": "214.00", "posted_at": from_now(0)})
}

async fn draft_is_not_invoiced(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let draft = shop.draft(&app, json!([{"product_id": shop.tea, "quantity": "2"}])).await;
    let submitted = shop.submitted(&app, "2").await;
    let held = place(&app, &shop, "101").await.is(201);
    let cancelled = act(&app, &shop.confirmed(&app, "2").await.id(), "cancel", json!({})).await.is(200);
    for order in [&draft, &submitted, &held, &cancelled] {
        let refused = app.post("/v1/order-invoices", invoice(order, "I", "invoice")).await.refused(409, "conflict");
        refused.fault("/order_id", "not_confirmed");
        // With its balance, and by another system's id.
        let posted = json!({"document_no": "I", "order_id": order["id"], "order_line_id": order["lines"][0]["id"], "quantity": "2",
            "amount": "214.00", "posted_at": from_now(0)});
        let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [{"external_id": "C-1", "as_of": from_now(0),
            "receivable": "0.00", "credit_limit": {"kind": "limited", "amount": "1000.00"}}], "invoices": [posted]});
        app.post("/v1/credit-balances/batch", batch).await;
        app.put("/v1/order-invoices/by-external-id/erp/I", invoice(order, "I", "invoice")).await.refused(409, "conflict");
        assert_eq!(read(&app, &text(&order["id"])).await["invoiced_amount"], "0.00");
    }
    app.patch(&format!("/v1/orders/{}", draft.id()), json!({"lines": [{"sku": "TEA", "quantity": "1"}]})).await.is(200);
    app.delete(&format!("/v1/orders/{}", draft.id())).await.is(204);
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

async fn invoiced_order_is_not_cancelled(app: App) {
    let shop = Shop::open(&app).await;
    system(&app).await;
    let order = shop.confirmed(&app, "2").await;
    app.make("/v1/order-invoices", invoice(&order, "I", "invoice")).await;
    act(&app, &order.id(), "cancel", json!({})).await.refused(409, "conflict");
    // What is credited is owed by nobody; then it may be cancelled.
    app.make("/v1/order-invoices", invoice(&order, "C", "credit_note")).await;
    assert_eq!(act(&app, &order.id(), "cancel", json!({})).await.is(200)["status"], "cancelled");
}
