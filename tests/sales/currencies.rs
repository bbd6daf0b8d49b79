//! Orders in other currencies: what counts against a limit is brought to the limit's currency by dated rates.

use super::*;

crate::on_both![
    order_in_another_currency_counts_against_the_limit,
    order_without_a_rate_is_held_for_that,
    newest_rate_that_has_begun_decides_and_the_reverse_serves,
    limit_of_its_own_covers_its_own_currency,
    shared_limit_covers_every_currency,
    rate_that_says_nothing_is_refused,
];

/// A shop that also sells in dollars: tea at 10 dollars, with the tax 10.70.
async fn dollars(app: &App) -> (Shop, String) {
    let shop = Shop::open(app).await;
    let book = id(&app.make("/v1/price-books", json!({"name": "Export", "currency": "USD"})).await);
    app.make(&format!("/v1/price-books/{book}/entries"), json!({"product_id": shop.tea, "price": "10.00"})).await;
    (shop, book)
}

async fn rate(app: &App, from: &str, to: &str, rate: &str, valid_from: &str) -> Answer {
    let body = json!({"from_currency": from, "to_currency": to, "rate": rate, "valid_from": valid_from});
    app.post("/v1/exchange-rates", body).await
}

async fn confirm_in_dollars(app: &App, shop: &Shop, book: &str, pieces: &str) -> Answer {
    let lines = json!([{"product_id": shop.tea, "quantity": pieces}]);
    let order = json!({"account_id": shop.account, "price_book_id": book, "lines": lines});
    let order = app.post("/v1/orders", order).await.is(201);
    assert_eq!(order["currency"], "USD");
    act(app, &order.id(), "submit", json!({})).await.is(200);
    act(app, &order.id(), "confirm", json!({})).await.is(200)
}

async fn order_in_another_currency_counts_against_the_limit(app: App) {
    let (shop, book) = dollars(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    rate(&app, "USD", "THB", "35.00", "2026-01-01").await.is(201);
    // 10.70 dollars are 374.50 baht.
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "confirmed");
    let position = app.get(&format!("/v1/accounts/{}/credit", shop.account)).await.is(200);
    let told = ["currency", "exposure", "available", "status"].map(|field| position[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["THB", "374.50", "225.50", "ok"]);
    let held = confirm_in_dollars(&app, &shop, &book, "1").await;
    assert_eq!((&held["status"], &held["credit_status"]), (&json!("on_hold"), &json!("held")));
    let hold = app.all(&format!("/v1/order-holds?order_id={}", held.id()), 50).await;
    // 225.50 baht are 6.44 dollars.
    assert_eq!((&hold[0]["reasons"], &hold[0]["amount_over"]), (&json!(["over_limit"]), &json!("4.26")));
    // Baht orders see the dollars, too.
    let baht = shop.submitted(&app, "3").await;
    assert_eq!(act(&app, &baht.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    let question = json!({"account_id": shop.account, "amount": "6.44", "currency": "USD", "authorise": false});
    let answer = app.post("/v1/credit-checks", question.clone()).await.is(201);
    let told = ["decision", "currency", "available_before", "limit_currency", "limit_amount", "exposure"];
    let told = told.map(|field| answer[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["allow", "USD", "6.44", "THB", "600.00", "374.50"]);
    assert_eq!(answer["components"][0]["currency"], "THB");
    let promise = json!({"account_id": shop.account, "price_book_id": book, "lines": [{"product_id": shop.tea, "quantity": "1"}]});
    let promise = app.post("/v1/order-promises", promise).await.is(201);
    assert_eq!((&promise["status"], &promise["refused_for"]), (&json!("refused"), &json!(["credit"])));
    // What is authorised in dollars counts in baht.
    let mut kept = question;
    kept["authorise"] = json!(true);
    app.post("/v1/credit-checks", kept).await.is(201);
    assert_eq!(shop.available(&app).await, "0.10");
}

async fn order_without_a_rate_is_held_for_that(app: App) {
    let (shop, book) = dollars(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let held = confirm_in_dollars(&app, &shop, &book, "1").await;
    assert_eq!(held["status"], "on_hold");
    let hold = app.all(&format!("/v1/order-holds?order_id={}", held.id()), 50).await;
    assert_eq!((&hold[0]["kind"], &hold[0]["reasons"]), (&json!("credit"), &json!(["no_exchange_rate"])));
    let position = app.get(&format!("/v1/accounts/{}/credit?currency=USD", shop.account)).await.is(200);
    assert_eq!((&position["status"], &position["reasons"]), (&json!("hold"), &json!(["no_exchange_rate"])));
    rate(&app, "USD", "THB", "35.00", "2026-01-01").await.is(201);
    assert_eq!(act(&app, &held.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
}

async fn newest_rate_that_has_begun_decides_and_the_reverse_serves(app: App) {
    let (shop, _) = dollars(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let available = async || {
        let question = json!({"account_id": shop.account, "amount": "1.00", "currency": "USD", "authorise": false});
        app.post("/v1/credit-checks", question).await.is(201)["available_before"].clone()
    };
    rate(&app, "THB", "USD", "0.05", "2026-01-01").await.is(201);
    assert_eq!(available().await, "30.00");
    rate(&app, "USD", "THB", "30.00", "2026-01-02").await.is(201);
    rate(&app, "USD", "THB", "60.00", "2099-01-01").await.is(201);
    rate(&app, "USD", "THB", "30.00", "2026-01-02").await.refused(409, "already_exists");
    let question = json!({"account_id": shop.account, "amount": "20.01", "currency": "USD", "authorise": false});
    assert_eq!(app.post("/v1/credit-checks", question).await.is(201)["decision"], "hold");
    let yen = json!({"from_currency": "JPY", "to_currency": "THB", "rate": "20.00", "per": "100", "valid_from": "2026-01-01"});
    // As accounting pushes them: by its own name, as often as it likes.
    let path = "/v1/exchange-rates/by-external-id/erp/JPY-2026-01-01";
    app.put(path, yen.clone()).await.is(201);
    assert_eq!(app.put(path, yen).await.is(200)["version"], 1);
    let question = json!({"account_id": shop.account, "amount": "3000", "currency": "JPY", "authorise": false});
    let answer = app.post("/v1/credit-checks", question).await.is(201);
    assert_eq!((&answer["decision"], &answer["available_before"]), (&json!("allow"), &json!("3000.00")));
}

async fn limit_of_its_own_covers_its_own_currency(app: App) {
    let (shop, book) = dollars(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let limit = json!({"kind": "limited", "amount": "20.00"});
    let body =
        json!({"system": "erp", "entity": "TH01", "currency": "USD", "as_of": from_now(0), "receivable": "0.00", "credit_limit": limit});
    app.put(&format!("/v1/accounts/{}/credit-balance", shop.account), body).await.is(200);
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "confirmed");
    assert_eq!(shop.available(&app).await, "600.00");
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "on_hold");
}

async fn shared_limit_covers_every_currency(app: App) {
    let (shop, book) = dollars(&app).await;
    let profile = json!({"group_limit_amount": "600.00", "currency": "THB"});
    app.put(&format!("/v1/accounts/{}/credit-profile", shop.account), profile).await.is(201);
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "on_hold", "no rate");
    rate(&app, "USD", "THB", "35.00", "2026-01-01").await.is(201);
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "confirmed");
    assert_eq!(confirm_in_dollars(&app, &shop, &book, "1").await["status"], "on_hold");
    let baht = shop.submitted(&app, "3").await;
    assert_eq!(act(&app, &baht.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
}

async fn rate_that_says_nothing_is_refused(app: App) {
    let refused = async |from: &str, to: &str, amount: &str, pointer: &str, code: &str| {
        rate(&app, from, to, amount, "2026-01-01").await.refused(422, "validation_failed").fault(pointer, code);
    };
    refused("USD", "USD", "1.00", "/to_currency", "refers_to_itself").await;
    refused("USD", "THB", "0.00", "/rate", "out_of_range").await;
    refused("USX", "THB", "1.00", "/from_currency", "unknown_value").await;
    let made = rate(&app, "USD", "THB", "35.00", "2026-01-01").await.is(201);
    let path = format!("/v1/exchange-rates/{}", made.id());
    app.patch(&path, json!({"per": "0"})).await.refused(422, "validation_failed").fault("/per", "out_of_range");
}
