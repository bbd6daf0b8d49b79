//! What accounting invoices: it moves from what is ordered to what is owed, and is counted once whatever comes first.

use super::*;

crate::on_both![
    an_invoice_moves_the_order_from_open_to_owed_once,
    payments_and_credit_notes_follow,
    late_messages_change_nothing_and_the_same_is_nothing_new,
    what_does_not_fit_an_order_is_refused,
    a_batch_by_the_documents_own_numbers,
    a_balance_that_comes_first_says_what_it_includes,
    what_is_credited_and_invoiced_anew_hides_no_other_line,
    a_system_posts_its_own_documents_only,
    amounts_beyond_reason_add_up_or_are_refused,
    an_invoice_of_an_order_out_of_sight_is_refused_as_of_none,
    numbers_of_documents_are_found_by_the_search,
    an_order_with_a_retired_value_is_worked_on,
];

fn invoice(order: &Answer, document: &str, quantity: &str, amount: &str, posted_at: Timestamp) -> Value {
    json!({"system": "erp", "document_no": document, "order_id": order["id"], "order_line_id": order["lines"][0]["id"],
        "quantity": quantity, "amount": amount, "posted_at": posted_at})
}

async fn numbers_of_documents_are_found_by_the_search(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "2").await;
    app.make("/v1/order-invoices", invoice(&order, "IV2611-00042", "2", "214.00", from_now(0))).await;
    for q in [order["number"].as_str().unwrap(), "IV2611-00042", "00042"] {
        let found = app.get(&format!("/v1/search?q={}", encoded(q))).await.is(200);
        assert_eq!(ids(&found), [order.id()], "{q}");
    }
    let owed = |query: &str| format!("/v1/order-invoices?count=exact&{query}");
    for (query, count) in [("owed_amount=214", 1), ("owed_amount_gt=200", 1), ("owed_amount_gte=214.01", 0)] {
        assert_eq!(app.get(&owed(query)).await.is(200)["total"], count, "{query}");
    }
    let total = |query: &str| format!("/v1/orders?count=exact&{query}");
    for (query, count) in [("total_amount=214.00", 1), ("total_amount_lt=214", 0)] {
        assert_eq!(app.get(&total(query)).await.is(200)["total"], count, "{query}");
    }
}

async fn an_invoice_moves_the_order_from_open_to_owed_once(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    assert_eq!(shop.available(&app).await, "465.00");
    // The invoice first, then the balance that includes it.
    app.make("/v1/order-invoices", invoice(&order, "INV-1", "2", "214.00", from_now(0))).await;
    assert_eq!(shop.available(&app).await, "465.00", "invoiced and not yet in the books we know");
    let part = read(&app, &order.id()).await;
    assert_eq!(
        (&part["invoice_status"], &part["open_amount"], &part["invoiced_amount"]),
        (&json!("partly"), &json!("321.00"), &json!("214.00"))
    );
    assert_eq!((&part["lines"][0]["invoiced_quantity"], &part["lines"][0]["invoiced_amount"]), (&json!("2"), &json!("214.00")));
    shop.say(&app, "1000.00", "214.00", from_now(10)).await;
    assert_eq!(shop.available(&app).await, "465.00");
    // The rest, posted before that balance was true and told after it.
    shop.say(&app, "1000.00", "535.00", from_now(20)).await;
    app.make("/v1/order-invoices", invoice(&order, "INV-2", "3", "321.00", from_now(15))).await;
    assert_eq!(shop.available(&app).await, "465.00");
    let whole = read(&app, &order.id()).await;
    assert_eq!((&whole["invoice_status"], &whole["open_amount"]), (&json!("fully"), &json!("0.00")));
}

async fn payments_and_credit_notes_follow(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let made = app.make("/v1/order-invoices", invoice(&order, "INV-1", "5", "535.00", from_now(0))).await;
    let path = format!("/v1/order-invoices/{}", id(&made));
    let paid = app.patch(&path, json!({"paid_amount": "535.00", "as_of": from_now(5)})).await.is(200);
    assert_eq!(paid["owed_amount"], "0.00");
    assert_eq!(read(&app, &order.id()).await["payment_status"], "fully");
    assert_eq!(shop.available(&app).await, "1000.00", "paid, and accounting has not said so otherwise");
    let mut note = invoice(&order, "CN-1", "0", "107.00", from_now(0));
    note["kind"] = json!("credit_note");
    let note = app.make("/v1/order-invoices", note).await;
    assert_eq!(note["owed_amount"], "-107.00");
    let order = read(&app, &order.id()).await;
    assert_eq!((&order["credited_amount"], &order["open_amount"]), (&json!("107.00"), &json!("0.00")));
    app.delete(&format!("/v1/order-invoices/{}", id(&note))).await.is(204);
    assert_eq!(read(&app, &order.id()).await["credited_amount"], "0.00");
}

async fn late_messages_change_nothing_and_the_same_is_nothing_new(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let path = "/v1/order-invoices/by-external-id/erp/INV-1-1";
    let mut body = invoice(&order, "INV-1", "5", "535.00", from_now(0));
    body["as_of"] = json!(from_now(100));
    body["paid_amount"] = json!("500.00");
    let first = app.put(path, body.clone()).await.is(201);
    assert_eq!(app.put(path, body.clone()).await.is(200).version(), first.version());
    body["as_of"] = json!(from_now(50));
    body["paid_amount"] = json!("0.00");
    let late = app.put(path, body).await.is(200);
    assert_eq!((late.version(), &late["paid_amount"]), (first.version(), &json!("500.00")));
    assert_eq!(read(&app, &order.id()).await["paid_amount"], "500.00");
}

async fn what_does_not_fit_an_order_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let ask = async |body: Value| app.post("/v1/order-invoices", body).await;
    ask(invoice(&order, "INV-1", "5", "535.00", from_now(0))).await.is(422).fault("/system", "unknown_reference");
    shop.say_first(&app).await;
    let mut body = invoice(&order, "INV-1", "5", "535.00", from_now(0));
    body["order_line_id"] = json!(random_id());
    ask(body.clone()).await.is(422).fault("/order_line_id", "unknown_reference");
    body["order_id"] = json!(random_id());
    ask(body).await.is(422).fault("/order_id", "unknown_reference");
    let mut body = invoice(&order, "INV-1", "5", "535.00", from_now(0));
    body["paid_amount"] = json!("535.01");
    ask(body).await.is(422).fault("/paid_amount", "out_of_range");
    let made = ask(invoice(&order, "INV-1", "5", "535.00", from_now(0))).await.is(201);
    ask(invoice(&order, "INV-1", "1", "1.00", from_now(0))).await.refused(409, "already_exists");
    app.patch(&format!("/v1/order-invoices/{}", made.id()), json!({"document_no": "INV-2"})).await.refused(409, "conflict");
}

async fn a_batch_by_the_documents_own_numbers(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let orders = [shop.confirmed(&app, "1").await, shop.confirmed(&app, "2").await];
    let item = |n: usize, order: &Answer, amount: &str| {
        let mut body = invoice(order, &format!("INV-{n}"), &n.to_string(), amount, from_now(0));
        body["external_id"] = json!(format!("INV-{n}-1"));
        body
    };
    let mut wrong = item(3, &orders[0], "1.00");
    wrong["order_line_id"] = json!(random_id());
    let items = json!([item(1, &orders[0], "107.00"), item(2, &orders[1], "214.00"), wrong]);
    let batch = json!({"mode": "upsert", "match_on": "external_id:erp", "items": items});
    let answer = app.post("/v1/order-invoices/batch", batch.clone()).await.is(200);
    assert_eq!((&answer["summary"]["created"], &answer["summary"]["failed"]), (&json!(2), &json!(1)), "{}", answer.text);
    let again = app.post("/v1/order-invoices/batch", batch).await.is(200);
    assert_eq!(again["summary"]["unchanged"], 2, "{}", again.text);
    for order in &orders {
        assert_eq!(read(&app, &order.id()).await["invoice_status"], "fully");
    }
}

async fn a_balance_that_comes_first_says_what_it_includes(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let posted = json!({"document_no": "INV-1", "order_id": order["id"], "order_line_id": order["lines"][0]["id"], "quantity": "5",
        "amount": "535.00", "posted_at": from_now(5)});
    let push = async |invoices: Value, seconds: i64| {
        let item = json!({"external_id": "C-1", "as_of": from_now(seconds), "receivable": "535.00", "credit_limit": {"kind": "limited", "amount": "1000.00"}});
        app.post(
            "/v1/credit-balances/batch",
            json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item], "invoices": invoices}),
        )
        .await
    };
    let mut wrong = posted.clone();
    wrong["order_line_id"] = json!(random_id());
    let refused = push(json!([wrong]), 10).await.is(200);
    assert_eq!(refused["invoices"][0]["error"]["errors"][0]["pointer"], "/order_line_id");
    assert_eq!(refused["results"][0]["error"]["errors"][0]["code"], "invoice_refused");
    assert_eq!(read(&app, &order.id()).await["invoice_status"], "none");
    push(json!([posted]), 10).await.is(200);
    assert_eq!(shop.available(&app).await, "465.00");
    assert_eq!(read(&app, &order.id()).await["open_amount"], "0.00");
    // The same told again, alone and with the next balance, is nothing new.
    push(json!([posted]), 11).await.is(200);
    let kept = app.all("/v1/order-invoices", 50).await;
    assert_eq!((kept.len(), &kept[0]["version"]), (1, &json!(1)));
    assert_eq!(shop.available(&app).await, "465.00");
}

async fn what_is_credited_and_invoiced_anew_hides_no_other_line(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "2"}, {"product_id": shop.tea, "quantity": "3"}]);
    let order = shop.draft(&app, lines).await;
    act(&app, &order.id(), "submit", json!({})).await.is(200);
    act(&app, &order.id(), "confirm", json!({})).await.is(200);
    for (document, kind) in [("INV-1", "invoice"), ("CN-1", "credit_note"), ("INV-2", "invoice")] {
        let mut body = invoice(&order, document, "2", "214.00", from_now(0));
        body["kind"] = json!(kind);
        app.make("/v1/order-invoices", body).await;
    }
    let order = read(&app, &order.id()).await;
    assert_eq!((&order["open_amount"], &order["invoice_status"]), (&json!("321.00"), &json!("partly")));
    assert_eq!(shop.available(&app).await, "465.00");
}

async fn a_system_posts_its_own_documents_only(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    app.make("/v1/external-systems", json!({"code": "pos", "name": "Tills", "kind": "pos"})).await;
    let order = shop.confirmed(&app, "5").await;
    let grants = [
        "orders:read/all",
        "order-invoices:read/all",
        "order-invoices:create/all",
        "order-invoices:update/all",
        "order-invoices:delete/all",
    ];
    let key = app.api_key(&grants, json!({"systems": ["pos"]})).await.is(201).text_of("token");
    let pos = app.as_(&key);
    pos.post("/v1/order-invoices", invoice(&order, "INV-1", "5", "535.00", from_now(0))).await.refused(403, "forbidden");
    let made = app.make("/v1/order-invoices", invoice(&order, "INV-1", "1", "107.00", from_now(0))).await;
    let path = format!("/v1/order-invoices/{}", id(&made));
    pos.patch(&path, json!({"amount": "535.00", "as_of": from_now(1)})).await.refused(403, "forbidden");
    pos.delete(&path).await.refused(403, "forbidden");
    let mut own = invoice(&order, "T-1", "1", "107.00", from_now(0));
    own["system"] = json!("pos");
    pos.post("/v1/order-invoices", own).await.is(201);
}

async fn amounts_beyond_reason_add_up_or_are_refused(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    for n in 0..3 {
        let body = invoice(&order, &format!("INV-{n}"), "500000000000000", "900000000000000.00", from_now(0));
        let answer = app.post("/v1/order-invoices", body).await;
        assert!(answer.status == 201 || answer.status == 422, "{}", answer.text);
    }
    assert_eq!(read(&app, &order.id()).await["open_amount"], "0.00");
}

async fn an_invoice_of_an_order_out_of_sight_is_refused_as_of_none(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let known = invoice(&order, "INV-1", "5", "535.00", from_now(0));
    app.make("/v1/order-invoices", known.clone()).await;
    let rights = ["credit-balances:push/all", "order-invoices:*/all", "orders:read/own"];
    let sender = app.person(&rights, &[], &[]).await.app;
    let send = |mut posted: Value| {
        posted.as_object_mut().unwrap().remove("system");
        let item = json!({"external_id": "X", "as_of": from_now(0), "receivable": "1.00"});
        let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item], "invoices": [posted]});
        sender.post("/v1/credit-balances/batch", batch)
    };
    let mut nothing = known.clone();
    nothing["order_id"] = json!(random_id());
    nothing["order_line_id"] = json!(random_id());
    let (unseen, never) = (send(known).await.is(200), send(nothing).await.is(200));
    assert_eq!(unseen["invoices"][0]["error"]["errors"][0]["pointer"], "/order_id");
    let said = |answer: &Answer| answer.text.replace(answer["invoices"][0]["error"]["request_id"].as_str().unwrap(), "");
    assert_eq!(said(&unseen), said(&never));
}

/// A picklist value on the order is retired: it is submitted, confirmed, amended, shipped, invoiced and cancelled all the same.
async fn an_order_with_a_retired_value_is_worked_on(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let list = json!({"key": "routes", "name": "Routes", "values": [{"code": "A", "label": "A"}, {"code": "B", "label": "B"}]});
    let list = format!("/v1/picklists/{}", id(&app.make("/v1/picklists", list).await));
    let field = json!({"resource": "orders", "key": "route", "label": "Route", "type": "picklist", "picklist": "routes"});
    app.make("/v1/custom-fields", field).await;
    let lines = json!([{"product_id": shop.tea, "quantity": "2"}]);
    let body = json!({"account_id": shop.account, "lines": lines, "custom": {"route": "B"}});
    let (order, other) = (app.make("/v1/orders", body.clone()).await, app.make("/v1/orders", body).await);
    app.patch(&list, json!({"values": [{"code": "A", "label": "A"}]})).await.is(200);
    act(&app, &id(&order), "submit", json!({})).await.is(200);
    let order = act(&app, &id(&order), "confirm", json!({})).await.is(200);
    assert_eq!((&order["status"], &order["custom"]), (&json!("confirmed"), &json!({"route": "B"})), "{}", order.text);
    act(&app, &order.id(), "amend", json!({"customer_reference": "PO-2"})).await.is(200);
    ship(&app, &order.id(), json!({})).await;
    app.make("/v1/order-invoices", invoice(&order, "INV-1", "1", "107.00", from_now(0))).await;
    let mut second = invoice(&order, "INV-2", "1", "107.00", from_now(1));
    second.as_object_mut().unwrap().remove("system");
    let item = json!({"external_id": "C-1", "as_of": from_now(2), "receivable": "214.00"});
    let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item], "invoices": [second]});
    app.post("/v1/credit-balances/batch", batch).await.is(200);
    assert_eq!(read(&app, &order.id()).await["invoice_status"], "fully");
    act(&app, &id(&other), "cancel", json!({"reason": "x"})).await.is(200);
}
