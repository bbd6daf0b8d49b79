//! The catalog: what something costs this customer, and why.

use crate::support::*;

crate::on_both![
    the_highest_break_reached_decides,
    a_price_holds_on_its_days,
    what_a_book_does_not_have_is_looked_for_in_its_parents,
    the_book_is_the_named_the_accounts_or_the_default_one,
    books_form_no_circle_and_share_their_currency,
    a_quote_is_asked_for_rightly,
    translations_are_taken_away_by_a_merge_patch,
];

async fn product(app: &App, sku: &str) -> String {
    app.make("/v1/products", json!({"sku": sku, "name": sku})).await["id"].as_str().unwrap().to_owned()
}

async fn book(app: &App, name: &str, more: Value) -> String {
    let mut body = json!({"name": name, "currency": "THB"});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    app.make("/v1/price-books", body).await["id"].as_str().unwrap().to_owned()
}

async fn entry(app: &App, book: &str, product: &str, price: &str, more: Value) {
    let mut body = json!({"product_id": product, "price": price});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    app.make(&format!("/v1/price-books/{book}/entries"), body).await;
}

async fn quote(app: &App, book: &str, sku: &str, quantity: &str, date: &str) -> Value {
    let body = json!({"price_book_id": book, "date": date, "lines": [{"sku": sku, "quantity": quantity}]});
    app.post("/v1/price-quotes", body).await.is(200)["lines"][0].clone()
}

async fn the_highest_break_reached_decides(app: App) {
    let (tea, retail) = (product(&app, "TEA").await, book(&app, "Retail", json!({})).await);
    for (price, from) in [("10.00", "1"), ("9.125", "10"), ("8", "100")] {
        entry(&app, &retail, &tea, price, json!({"min_quantity": from})).await;
    }
    for (quantity, unit, amount) in [
        ("1", "10.00", "10.00"),
        ("9.9999", "10.00", "100.00"),
        ("10", "9.125", "91.25"),
        ("11", "9.125", "100.38"),
        ("100", "8.00", "800.00"),
    ] {
        let line = quote(&app, &retail, "TEA", quantity, "2026-01-01").await;
        assert_eq!((&line["unit_price"], &line["amount"]), (&json!(unit), &json!(amount)), "{quantity}");
        assert_eq!(line["explain"][0]["result"], "applied");
    }
    let line = quote(&app, &retail, "TEA", "0.5", "2026-01-01").await;
    assert_eq!(
        (&line["unit_price"], &line["explain"][0]["result"], &line["explain"][0]["min_quantity"]),
        (&Value::Null, &json!("quantity_below_break"), &json!("1"))
    );
    let again = json!({"product_id": tea, "price": "7", "min_quantity": "10.0"});
    app.post(&format!("/v1/price-books/{retail}/entries"), again).await.refused(409, "already_exists");
}

async fn a_price_holds_on_its_days(app: App) {
    let (tea, retail) =
        (product(&app, "TEA").await, book(&app, "Retail", json!({"valid_from": "2026-01-01", "valid_to": "2026-12-31"})).await);
    entry(&app, &retail, &tea, "10", json!({})).await;
    entry(&app, &retail, &tea, "8", json!({"valid_from": "2026-06-01", "valid_to": "2026-06-30"})).await;
    for (date, price, why) in [
        ("2025-12-31", Value::Null, "book_outside_dates"),
        ("2026-01-01", json!("10.00"), "applied"),
        ("2026-05-31", json!("10.00"), "applied"),
        ("2026-06-01", json!("8.00"), "applied"),
        ("2026-06-30", json!("8.00"), "applied"),
        ("2026-07-01", json!("10.00"), "applied"),
        ("2026-12-31", json!("10.00"), "applied"),
        ("2027-01-01", Value::Null, "book_outside_dates"),
    ] {
        let line = quote(&app, &retail, "TEA", "1", date).await;
        assert_eq!((&line["unit_price"], &line["explain"][0]["result"]), (&price, &json!(why)), "{date}");
    }
}

async fn what_a_book_does_not_have_is_looked_for_in_its_parents(app: App) {
    let (tea, rice) = (product(&app, "TEA").await, product(&app, "RICE").await);
    product(&app, "AIR").await;
    let base = book(&app, "Base", json!({})).await;
    let middle = book(&app, "Middle", json!({"parent_id": base})).await;
    let special = book(&app, "Special", json!({"parent_id": middle})).await;
    entry(&app, &base, &tea, "10", json!({})).await;
    entry(&app, &base, &rice, "5", json!({})).await;
    entry(&app, &special, &tea, "9", json!({"min_quantity": "10"})).await;
    let steps = |line: &Value| -> Vec<(String, String)> {
        let text = |s: &Value, f: &str| s[f].as_str().unwrap().to_owned();
        line["explain"].as_array().unwrap().iter().map(|s| (text(s, "price_book"), text(s, "result"))).collect()
    };
    let step = |book: &str, result: &str| (book.to_owned(), result.to_owned());
    let line = quote(&app, &special, "TEA", "1", "2026-01-01").await;
    assert_eq!((&line["unit_price"], &line["price_book_id"]), (&json!("10.00"), &json!(base)));
    assert_eq!(steps(&line), [step("Special", "quantity_below_break"), step("Middle", "no_entry"), step("Base", "applied")]);
    assert_eq!(quote(&app, &special, "TEA", "10", "2026-01-01").await["price_book_id"], json!(special));
    assert_eq!(quote(&app, &special, "RICE", "1", "2026-01-01").await["unit_price"], "5.00");
    let nothing = quote(&app, &special, "AIR", "1", "2026-01-01").await;
    assert_eq!((&nothing["amount"], steps(&nothing).len()), (&Value::Null, 3));
    let both = json!({"price_book_id": special, "lines": [{"product_id": tea, "quantity": "10"}, {"sku": "AIR", "quantity": "1"}, {"sku": "RICE", "quantity": "2"}]});
    assert_eq!(app.post("/v1/price-quotes", both).await.is(200)["total"], "100.00");
}

async fn the_book_is_the_named_the_accounts_or_the_default_one(app: App) {
    let tea = product(&app, "TEA").await;
    let (own, named) = (book(&app, "Own", json!({})).await, book(&app, "Named", json!({})).await);
    let standard = book(&app, "Default", json!({"is_default": true})).await;
    let dollars = book(&app, "Dollars", json!({"currency": "USD", "is_default": true})).await;
    for (book, price) in [(&own, "1"), (&named, "2"), (&standard, "3"), (&dollars, "4")] {
        entry(&app, book, &tea, price, json!({})).await;
    }
    let with = app.make("/v1/accounts", json!({"name": "A", "price_book_id": own})).await;
    let without = app.make("/v1/accounts", json!({"name": "B", "currency": "USD"})).await;
    for (asked, price) in [
        (json!({"account_id": with["id"]}), "1.00"),
        (json!({"account_id": with["id"], "price_book_id": named}), "2.00"),
        (json!({"currency": "THB"}), "3.00"),
        (json!({"account_id": without["id"]}), "4.00"),
    ] {
        let mut body = json!({"lines": [{"sku": "TEA", "quantity": "1"}]});
        body.as_object_mut().unwrap().extend(asked.as_object().cloned().unwrap());
        assert_eq!(app.post("/v1/price-quotes", body).await.is(200)["total"], price, "{asked}");
    }
    // A new default takes the place of the old one of its currency.
    let newer = book(&app, "Newer", json!({"is_default": true})).await;
    let defaults = app.get("/v1/price-books?is_default=true&sort=name").await.is(200);
    assert_eq!(ids(&defaults), [dollars, newer]);
}

async fn books_form_no_circle_and_share_their_currency(app: App) {
    let base = book(&app, "Base", json!({})).await;
    let child = book(&app, "Child", json!({"parent_id": base})).await;
    app.patch(&format!("/v1/price-books/{base}"), json!({"parent_id": child}))
        .await
        .refused(422, "validation_failed")
        .fault("/parent_id", "circular");
    app.patch(&format!("/v1/price-books/{base}"), json!({"parent_id": base}))
        .await
        .refused(422, "validation_failed")
        .fault("/parent_id", "circular");
    let other = json!({"name": "Other", "currency": "USD", "parent_id": base});
    app.post("/v1/price-books", other).await.refused(422, "validation_failed").fault("/parent_id", "other_currency");
}

async fn a_quote_is_asked_for_rightly(app: App) {
    let (tea, retail) = (product(&app, "TEA").await, book(&app, "Retail", json!({})).await);
    let ask = |lines: Value| app.post("/v1/price-quotes", json!({"price_book_id": retail, "lines": lines}));
    ask(json!([])).await.refused(422, "validation_failed").fault("/lines", "too_few_items");
    ask(json!([{"sku": "NONE", "quantity": "1"}])).await.refused(422, "unknown_reference").fault("/lines/0", "unknown_reference");
    ask(json!([{"quantity": "1"}])).await.refused(422, "unknown_reference").fault("/lines/0", "ambiguous_key");
    ask(json!([{"sku": "TEA", "product_id": tea, "quantity": "1"}])).await.is(422);
    ask(json!([{"sku": "TEA", "quantity": 1}])).await.refused(422, "validation_failed").fault("/lines/0/quantity", "wrong_type");
    let lost = json!({"price_book_id": random_id(), "lines": [{"sku": "TEA", "quantity": "1"}]});
    app.post("/v1/price-quotes", lost).await.refused(422, "unknown_reference").fault("/price_book_id", "unknown_reference");
}

async fn translations_are_taken_away_by_a_merge_patch(app: App) {
    let made = app.make("/v1/products", json!({"sku": "TEA", "name": "Tea", "name_translations": {"th": "ชา", "fa": "چای"}})).await;
    let path = format!("/v1/products/{}", made["id"].as_str().unwrap());
    let patched =
        async |translations: Value| app.patch(&path, json!({"name_translations": translations})).await.is(200)["name_translations"].clone();
    assert_eq!(patched(json!({})).await, json!({"th": "ชา", "fa": "چای"}), "an empty patch changes nothing");
    assert_eq!(patched(json!({"th": null})).await, json!({"fa": "چای"}));
    assert_eq!(patched(json!({"de": "Tee", "th": null})).await, json!({"fa": "چای", "de": "Tee"}));
    let batch = json!({"mode": "update", "items": [{"id": made["id"], "name_translations": {"de": null}}]});
    assert_eq!(app.post("/v1/products/batch", batch).await.is(200)["results"][0]["status"], "updated");
    assert_eq!(app.get(&path).await.is(200)["name_translations"], json!({"fa": "چای"}));
    assert_eq!(patched(Value::Null).await, json!({}));
    app.patch(&path, json!({"name_translations": {"th": 7}})).await.refused(422, "validation_failed");
    let field = json!({"resource": "accounts", "key": "x", "label": "X", "type": "text", "label_translations": {"th": "ก"}});
    let field = format!("/v1/custom-fields/{}", app.make("/v1/custom-fields", field).await["id"].as_str().unwrap());
    assert_eq!(app.patch(&field, json!({"label_translations": {"th": null}})).await.is(200)["label_translations"], json!({}));
}
