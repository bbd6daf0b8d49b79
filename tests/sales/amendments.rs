//! Amending: what does not change stays as it was confirmed, with its price, its goods and what was shipped and invoiced of it.

use super::*;

crate::on_both![
    amendment_of_one_line_does_not_reprice_others,
    amendment_of_a_reference_after_a_price_change_stays_confirmed,
    tax_change_does_not_hold_a_confirmed_order,
    hold_and_release_by_hand_keep_the_confirmed_price,
    changed_line_takes_the_price_of_the_day,
    shipped_line_keeps_its_price_and_asks_for_the_rest,
    invoiced_line_keeps_price_and_discount,
    reopened_order_is_priced_anew,
    goods_follow_the_warehouse,
    warehouse_without_the_goods_is_refused,
    warehouse_of_planned_goods_is_refused,
    lower_quantity_is_bound_by_what_is_shipped_or_planned,
    lower_quantity_on_hold_keeps_its_goods,
    address_is_merged,
    tax_invoice_address_is_corrected_until_an_invoice_stands,
];

async fn amend(app: &App, order: &str, body: Value) -> Answer {
    act(app, order, "amend", body).await
}

/// An order of two pieces of tea and a cup, confirmed.
async fn two_lines(app: &App, shop: &Shop) -> (String, Value, Value) {
    let cup = shop.product(app, "CUP", "10.00", "100").await;
    let order = shop.draft(app, json!([{"product_id": shop.tea, "quantity": "2"}, {"product_id": cup, "quantity": "1"}])).await.id();
    act(app, &order, "submit", json!({})).await.is(200);
    let confirmed = act(app, &order, "confirm", json!({})).await.is(200);
    assert_eq!(confirmed["status"], "confirmed");
    (order, confirmed["lines"][0]["id"].clone(), confirmed["lines"][1]["id"].clone())
}

async fn invoice(app: &App, order: &str, line: &Value, quantity: &str, amount: &str) -> Answer {
    if app.get("/v1/external-systems?code=erp").await.is(200)["data"].as_array().unwrap().is_empty() {
        app.make("/v1/external-systems", json!({"code": "erp", "name": "Billing", "kind": "other"})).await;
    }
    let body = json!({"system": "erp", "document_no": "INV-1", "order_id": order, "order_line_id": line, "quantity": quantity,
        "amount": amount, "posted_at": from_now(0)});
    app.post("/v1/order-invoices", body).await
}

async fn amendment_of_one_line_does_not_reprice_others(app: App) {
    let shop = Shop::open(&app).await;
    let (order, tea, cup) = two_lines(&app, &shop).await;
    ship(&app, &order, json!({"lines": [{"order_line_id": tea}]})).await;
    invoice(&app, &order, &tea, "2", "214.00").await.is(201);
    reprice(&app, &shop, "500.00").await;
    let amended = amend(&app, &order, json!({"lines": [{"id": tea, "quantity": "2"}, {"id": cup, "quantity": "3"}]})).await.is(200);
    let line = &amended["lines"][0];
    assert_eq!(
        (&line["unit_price"], &line["shipped_quantity"], &line["invoiced_amount"], &line["total_amount"]),
        (&json!("100.00"), &json!("2"), &json!("214.00"), &json!("214.00"))
    );
    let order = read(&app, &order).await;
    assert_eq!(
        (&order["status"], &order["total_amount"], &order["committed_amount"], &order["open_amount"]),
        (&json!("in_fulfilment"), &json!("246.10"), &json!("246.10"), &json!("32.10"))
    );
}

async fn amendment_of_a_reference_after_a_price_change_stays_confirmed(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "2").await.id();
    reprice(&app, &shop, "120.00").await;
    for body in [json!({"customer_reference": "PO-1"}), json!({"requested_on": "2030-01-15"})] {
        let amended = amend(&app, &order, body).await.is(200);
        assert_eq!((&amended["status"], &amended["lines"][0]["unit_price"]), (&json!("confirmed"), &json!("100.00")));
    }
    assert!(holds(&app, &order).await.is_empty());
}

async fn tax_change_does_not_hold_a_confirmed_order(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "2").await.id();
    let rate = app.all("/v1/tax-rates", 50).await[0].clone();
    app.patch(&format!("/v1/tax-rates/{}", id(&rate)), json!({"rate": "10"})).await.is(200);
    let amended = amend(&app, &order, json!({"customer_reference": "PO-1"})).await.is(200);
    assert_eq!((&amended["status"], &amended["total_amount"]), (&json!("confirmed"), &json!("214.00")));
    let line = amended["lines"][0]["id"].clone();
    let more = amend(&app, &order, json!({"lines": [{"id": line, "quantity": "3"}]})).await.is(200);
    assert_eq!((&more["status"], &more["total_amount"]), (&json!("confirmed"), &json!("330.00")), "what changes has the tax of the day");
}

async fn hold_and_release_by_hand_keep_the_confirmed_price(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "2").await.id();
    act(&app, &order, "hold", json!({})).await.is(200);
    reprice(&app, &shop, "120.00").await;
    let amended = amend(&app, &order, json!({"customer_reference": "PO-1"})).await.is(200);
    assert_eq!((&amended["status"], holds(&app, &order).await), (&json!("on_hold"), vec!["manual".to_owned()]));
    let released = act(&app, &order, "release", json!({})).await.is(200);
    assert_eq!((&released["status"], &released["total_amount"]), (&json!("confirmed"), &json!("214.00")));
}

async fn changed_line_takes_the_price_of_the_day(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "2").await;
    reprice(&app, &shop, "120.00").await;
    let lines = json!([{"id": order["lines"][0]["id"], "quantity": "3"}]);
    let amended = amend(&app, &order.id(), json!({"lines": lines})).await.is(200);
    assert_eq!((&amended["status"], &amended["lines"][0]["unit_price"]), (&json!("confirmed"), &json!("120.00")));
}

async fn shipped_line_keeps_its_price_and_asks_for_the_rest(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "3").await;
    let line = order["lines"][0]["id"].clone();
    ship(&app, &order.id(), json!({"lines": [{"order_line_id": line, "quantity": "1"}]})).await;
    reprice(&app, &shop, "120.00").await;
    let less = amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "2"}]})).await.is(200);
    assert_eq!((&less["status"], &less["lines"][0]["unit_price"]), (&json!("in_fulfilment"), &json!("100.00")));
    let more = amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "9"}]})).await.is(200);
    assert_eq!((&more["status"], &more["lines"][0]["unit_price"]), (&json!("on_hold"), &json!("100.00")));
    assert_eq!(more["expanded"]["holds"][0]["reasons"], json!(["price_changed"]), "{}", more.text);
}

async fn invoiced_line_keeps_price_and_discount(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "3").await;
    let line = order["lines"][0]["id"].clone();
    invoice(&app, &order.id(), &line, "1", "107.00").await.is(201);
    for change in [json!({"unit_price": "50.00"}), json!({"discount_percent": "10"})] {
        let mut changed = json!({"id": line, "quantity": "3"});
        changed.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        amend(&app, &order.id(), json!({"lines": [changed]})).await.is(422).fault("/lines/0/unit_price", "invoiced");
    }
}

async fn reopened_order_is_priced_anew(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "2").await.id();
    act(&app, &order, "cancel", json!({})).await.is(200);
    reprice(&app, &shop, "120.00").await;
    let reopened = act(&app, &order, "reopen", json!({})).await.is(200);
    assert_eq!((&reopened["status"], holds(&app, &order).await), (&json!("on_hold"), vec!["price".to_owned()]));
}

async fn warehouse(app: &App, pieces: &str) -> String {
    let other = id(&app.make("/v1/warehouses", json!({"code": "CNX1", "name": "Chiang Mai"})).await);
    if pieces != "0" {
        let lines = json!([{"sku": "TEA", "quantity": pieces}]);
        app.post("/v1/stock-receipts", json!({"warehouse_code": "CNX1", "lines": lines})).await.is(201);
    }
    other
}

async fn confirmed_in(app: &App, shop: &Shop, pieces: &str) -> String {
    let lines = json!([{"product_id": shop.tea, "quantity": pieces}]);
    let body = json!({"account_id": shop.account, "warehouse_id": shop.warehouse, "lines": lines, "confirm": true});
    let order = app.post("/v1/orders", body).await.is(201);
    assert_eq!(order["status"], "confirmed", "{}", order.text);
    order.id()
}

async fn goods_follow_the_warehouse(app: App) {
    let shop = Shop::open(&app).await;
    let other = warehouse(&app, "100").await;
    let order = confirmed_in(&app, &shop, "4").await;
    let amended = amend(&app, &order, json!({"warehouse_id": other})).await.is(200);
    let allocations = amended["lines"][0]["allocations"].as_array().unwrap();
    assert_eq!(
        (&amended["status"], &amended["warehouse_id"], &allocations[0]["warehouse_id"], allocations.len()),
        (&json!("confirmed"), &json!(other), &json!(other), 1)
    );
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    let shipment = plan(&app, &order, json!({})).await.is(201);
    assert_eq!((&shipment["warehouse_id"], &shipment["lines"][0]["quantity"]), (&json!(other), &json!("4")));
    adds_up(&app).await;
    // The same of one line, and of an order that is held by hand.
    let order = confirmed_in(&app, &shop, "4").await;
    act(&app, &order, "hold", json!({})).await.is(200);
    let line = read(&app, &order).await["lines"][0]["id"].clone();
    let amended = amend(&app, &order, json!({"lines": [{"id": line, "quantity": "3", "warehouse_id": other}]})).await.is(200);
    let line = &amended["lines"][0];
    assert_eq!((&line["reserved_quantity"], &line["allocations"][0]["warehouse_id"]), (&json!("3"), &json!(other)));
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
    adds_up(&app).await;
}

async fn warehouse_without_the_goods_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    let other = warehouse(&app, "3").await;
    let order = confirmed_in(&app, &shop, "4").await;
    let refused = amend(&app, &order, json!({"warehouse_id": other})).await.refused(409, "insufficient_stock");
    refused.fault("/warehouse_id", "insufficient_stock");
    let stays = read(&app, &order).await;
    assert_eq!((&stays["warehouse_id"], &stays["lines"][0]["reserved_quantity"]), (&json!(shop.warehouse), &json!("4")));
    assert_eq!(shop.standing(&app).await, ["100", "4", "96"]);
}

async fn warehouse_of_planned_goods_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    let other = warehouse(&app, "100").await;
    let order = confirmed_in(&app, &shop, "4").await;
    let shipment = plan(&app, &order, json!({})).await.is(201).id();
    let refused = amend(&app, &order, json!({"warehouse_id": other})).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"][0]["id"], shipment);
    step(&app, &shipment, "cancel", json!({})).await.is(200);
    assert_eq!(amend(&app, &order, json!({"warehouse_id": other})).await.is(200)["status"], "confirmed");
}

async fn lower_quantity_is_bound_by_what_is_shipped_or_planned(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "8").await;
    let line = order["lines"][0]["id"].clone();
    ship(&app, &order.id(), json!({"lines": [{"order_line_id": line, "quantity": "3"}]})).await;
    let part = json!({"lines": [{"order_line_id": line, "quantity": "2"}]});
    let planned = plan(&app, &order.id(), part).await.is(201).id();
    let less = amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "6"}]})).await.is(200);
    assert_eq!(
        (&less["lines"][0]["reserved_quantity"], &less["lines"][0]["planned_quantity"]),
        (&json!("3"), &json!("2")),
        "of what is put aside only the rest is let go"
    );
    assert_eq!(shop.standing(&app).await, ["97", "3", "94"]);
    amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "4"}]})).await.is(422).fault("/lines/0/quantity", "shipped");
    amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "5"}]})).await.is(200);
    step(&app, &planned, "ship", json!({})).await.is(200);
    assert_eq!(read(&app, &order.id()).await["fulfilment_status"], "shipped");
    assert_eq!(shop.standing(&app).await, ["95", "0", "95"]);
    adds_up(&app).await;
}

async fn lower_quantity_on_hold_keeps_its_goods(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "100").await;
    let line = order["lines"][0]["id"].clone();
    act(&app, &order.id(), "hold", json!({"reason": "call back"})).await.is(200);
    let less = amend(&app, &order.id(), json!({"lines": [{"id": line, "quantity": "95"}]})).await.is(200);
    assert_eq!((&less["status"], &less["lines"][0]["reserved_quantity"]), (&json!("on_hold"), &json!("95")));
    let next = shop.submitted(&app, "6").await;
    assert_eq!(act(&app, &next.id(), "confirm", json!({})).await.is(200)["status"], "on_hold", "the goods are the first order's");
    assert_eq!(act(&app, &order.id(), "release", json!({})).await.is(200)["status"], "confirmed");
    assert_eq!(shop.standing(&app).await[1], "95");
    adds_up(&app).await;
}

async fn address_is_merged(app: App) {
    let shop = Shop::open(&app).await;
    let address = json!({"name": "N", "line1": "1 Road", "line2": "Floor 2", "city": "C"});
    let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
    let body = json!({"account_id": shop.account, "lines": lines, "shipping_address": address, "confirm": true});
    let order = app.post("/v1/orders", body).await.is(201).id();
    let amended = amend(&app, &order, json!({"shipping_address": {"city": "D", "line2": null}})).await.is(200);
    let address = &amended["shipping_address"];
    assert_eq!(
        (&address["name"], &address["line1"], &address["line2"], &address["city"]),
        (&json!("N"), &json!("1 Road"), &json!(null), &json!("D"))
    );
    amend(&app, &order, json!({"shipping_address": {"town": "D"}})).await.is(422).fault("/shipping_address/town", "unknown_field");
}

async fn tax_invoice_address_is_corrected_until_an_invoice_stands(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "1").await;
    let (path, line) = (format!("/v1/orders/{}", order.id()), order["lines"][0]["id"].clone());
    let corrected = app.patch(&path, json!({"tax_invoice_address": {"branch_code": "00001"}})).await.is(200);
    let address = &corrected["tax_invoice_address"];
    assert_eq!((&address["branch_code"], &address["name"]), (&json!("00001"), &json!("Siam Trading Co., Ltd.")));
    assert_eq!(corrected["lines"], order["lines"]);
    let amended = amend(&app, &order.id(), json!({"tax_invoice_address": {"branch_code": "00002"}})).await.is(200);
    assert_eq!((&amended["status"], &amended["tax_invoice_address"]["branch_code"]), (&json!("confirmed"), &json!("00002")));
    app.patch(&path, json!({"requested_on": "2030-01-01", "tax_invoice_address": {"branch_code": "00003"}})).await.is(409);
    invoice(&app, &order.id(), &line, "1", "107.00").await.is(201);
    app.patch(&path, json!({"tax_invoice_address": {"branch_code": "00004"}})).await.refused(409, "conflict");
    amend(&app, &order.id(), json!({"tax_invoice_address": {"branch_code": "00004"}})).await.refused(409, "conflict");
    app.patch(&path, json!({"note": "Gate 2"})).await.is(200);
}
