//! Customers we do not deal with, customers nobody has judged, and customers who cannot be deleted.

use super::*;

crate::on_both![
    blocked_customer_gets_no_promise_and_no_price,
    blocked_customer_may_still_order_less,
    customer_nobody_has_judged_is_held_where_accounting_is_connected,
    customer_with_open_business_is_not_deleted,
    deletion_names_only_what_the_caller_sees,
    deletion_and_promise_at_once_do_not_both_happen,
];

async fn block(app: &App, account: &str) {
    app.post(&format!("/v1/accounts/{account}/change-lifecycle"), json!({"to": "blocked"})).await.is(200);
}

async fn blocked_customer_gets_no_promise_and_no_price(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.submitted(&app, "1").await;
    let cancelled = shop.submitted(&app, "1").await.id();
    act(&app, &cancelled, "cancel", json!({})).await.is(200);
    let held = shop.submitted(&app, "1").await.id();
    act(&app, &held, "hold", json!({})).await.is(200);
    block(&app, &shop.account).await;
    act(&app, &order.id(), "confirm", json!({})).await.refused(409, "customer_blocked");
    act(&app, &cancelled, "reopen", json!({})).await.refused(409, "customer_blocked");
    act(&app, &held, "release", json!({})).await.refused(409, "customer_blocked");
    let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
    let body = json!({"account_id": shop.account, "lines": lines});
    app.post("/v1/order-promises", body.clone()).await.refused(409, "customer_blocked");
    app.post("/v1/price-quotes", body).await.refused(409, "customer_blocked");
    assert_eq!(read(&app, &order.id()).await["status"], "submitted");
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    app.post(&format!("/v1/accounts/{}/change-lifecycle", shop.account), json!({"to": "active"})).await.is(200);
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
}

async fn blocked_customer_may_still_order_less(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    block(&app, &shop.account).await;
    let line = |pieces: &str| json!({"lines": [{"id": order["lines"][0]["id"], "quantity": pieces}]});
    act(&app, &order.id(), "amend", line("6")).await.refused(409, "customer_blocked");
    let less = act(&app, &order.id(), "amend", line("2")).await.is(200);
    assert_eq!((&less["status"], &less["open_amount"]), (&json!("confirmed"), &json!("214.00")));
}

async fn customer_nobody_has_judged_is_held_where_accounting_is_connected(app: App) {
    let shop = Shop::open(&app).await;
    let ask = async || {
        let question = json!({"account_id": shop.account, "amount": "99999999.00", "currency": "THB", "authorise": false});
        let answer = app.post("/v1/credit-checks", question).await.is(201);
        (answer.text_of("decision"), answer.text_of("rule"))
    };
    let told = |decision: &str| (decision.to_owned(), "no_balance".to_owned());
    assert_eq!(ask().await, told("warn"), "nobody keeps books");
    app.make("/v1/external-systems", json!({"code": "pos", "name": "Tills", "kind": "pos"})).await;
    assert_eq!(ask().await, told("warn"), "tills judge nobody");
    for kind in ["accounting", "erp"] {
        let system = app.make("/v1/external-systems", json!({"code": kind, "name": kind, "kind": kind})).await;
        assert_eq!(ask().await, told("hold"), "{kind}");
        app.post(&format!("/v1/external-systems/{}/pause", id(&system)), json!({})).await.is(200);
        assert_eq!(ask().await, told("hold"), "{kind}, paused");
        app.delete(&format!("/v1/external-systems/{}", id(&system))).await.is(204);
        assert_eq!(ask().await, told("warn"), "{kind}, gone");
    }
    // A policy of our own says otherwise.
    app.make("/v1/external-systems", json!({"code": "erp2", "name": "ERP", "kind": "erp"})).await;
    let order = shop.submitted(&app, "1").await;
    let held = act(&app, &order.id(), "confirm", json!({})).await.is(200);
    assert_eq!((&held["status"], holds(&app, &order.id()).await), (&json!("on_hold"), vec!["credit".to_owned()]));
    let policy = app.make("/v1/credit-policies", json!({"name": "Cash trade", "unknown": "allow"})).await;
    app.post(&format!("/v1/credit-policies/{}/activate", id(&policy)), json!({})).await.is(200);
    assert_eq!(act(&app, &order.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
}

async fn customer_with_open_business_is_not_deleted(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let path = format!("/v1/accounts/{}", shop.account);
    let refused_for = async |resource: &str| {
        let refused = app.delete(&path).await.refused(409, "in_use");
        assert!(refused["conflicts"].as_array().unwrap().iter().any(|c| c["resource"] == resource), "{resource}: {}", refused.text);
        let batch = json!({"mode": "delete", "items": [{"id": shop.account}]});
        let batch = app.post("/v1/accounts/batch", batch).await.is(200);
        assert_eq!(batch["results"][0]["error"]["code"], "in_use", "{}", batch.text);
    };
    let promise = json!({"account_id": shop.account, "lines": [{"product_id": shop.tea, "quantity": "1"}]});
    let promise = app.make("/v1/order-promises", promise).await;
    refused_for("order_promises").await;
    app.post(&format!("/v1/order-promises/{}/release", id(&promise)), json!({})).await.is(200);
    let order = shop.confirmed(&app, "5").await;
    refused_for("orders").await;
    let shipment = ship(&app, &order.id(), json!({})).await;
    step(&app, &shipment, "deliver", json!({})).await.is(200);
    assert_eq!(read(&app, &order.id()).await["status"], "fulfilled");
    refused_for("orders").await;
    let line = order["lines"][0]["id"].clone();
    let invoice = json!({"system": "erp", "document_no": "INV-1", "entity": "TH01", "order_id": order["id"], "order_line_id": line, "quantity": "5",
        "amount": "535.00", "posted_at": from_now(1)});
    let invoice = app.make("/v1/order-invoices", invoice).await;
    refused_for("order_invoices").await;
    shop.say(&app, "1000.00", "535.00", from_now(2)).await;
    refused_for("credit_balances").await;
    let paid = json!({"paid_amount": "535.00", "as_of": from_now(3)});
    app.patch(&format!("/v1/order-invoices/{}", id(&invoice)), paid).await.is(200);
    shop.say(&app, "1000.00", "0.00", from_now(4)).await;
    app.delete(&path).await.is(204);
}

async fn deletion_names_only_what_the_caller_sees(app: App) {
    let shop = Shop::open(&app).await;
    shop.confirmed(&app, "1").await;
    let clerk = app.person(&["accounts:*/all"], &[], &[]).await.app;
    let refused = clerk.delete(&format!("/v1/accounts/{}", shop.account)).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"], json!([]));
}

async fn deletion_and_promise_at_once_do_not_both_happen(app: App) {
    let shop = Shop::open(&app).await;
    for n in 0..6 {
        let account = app.make("/v1/accounts", json!({"name": format!("A{n}"), "currency": "THB", "price_book_id": shop.book})).await;
        let promise = json!({"account_id": account["id"], "lines": [{"product_id": shop.tea, "quantity": "1"}]});
        let path = format!("/v1/accounts/{}", id(&account));
        let (promised, deleted) = tokio::join!(async { app.post("/v1/order-promises", promise).await }, async { app.delete(&path).await },);
        assert!((promised.status == 201) != (deleted.status == 204), "{} {}", promised.text, deleted.text);
    }
}
