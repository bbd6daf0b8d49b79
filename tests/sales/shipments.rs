//! Goods on their way: out of what is put aside, into what has left.

use super::*;

crate::on_both![
    an_order_is_shipped_in_parts_and_arrives,
    goods_come_from_the_warehouse_that_has_them,
    what_did_not_arrive_is_put_aside_again,
    a_cancelled_shipment_leaves_the_goods_to_the_order,
    lots_and_serial_numbers_are_named_where_they_are_kept,
    an_order_on_hold_does_not_leave,
    what_is_shipped_is_not_amended_away,
    a_policy_for_shipping_keeps_goods_back,
    what_is_planned_is_not_amended_away,
    what_comes_back_to_a_closed_order_is_owed_by_nobody,
    the_warehouse_ships_for_customers_it_does_not_see,
    shipping_and_delivery_take_the_time_they_happened,
];

async fn an_order_is_shipped_in_parts_and_arrives(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let line = order["lines"][0]["id"].clone();
    let first = plan(&app, &order.id(), json!({"lines": [{"order_line_id": line, "quantity": "2"}], "carrier": "Kerry"})).await.is(201);
    assert_eq!((&first["status"], &first["lines"][0]["quantity"]), (&json!("planned"), &json!("2")));
    assert_eq!(first.header("location"), format!("/v1/shipments/{}", first.id()));
    assert_eq!(ids(&app.get(&format!("/v1/shipments?q={}", first.text_of("number"))).await.is(200)), [first.id()]);
    let planned = read(&app, &order.id()).await;
    assert_eq!((&planned["status"], &planned["lines"][0]["planned_quantity"]), (&json!("confirmed"), &json!("2")));
    for verb in ["pick", "pack"] {
        step(&app, &first.id(), verb, json!({})).await.is(200);
    }
    let gone = step(&app, &first.id(), "ship", json!({"tracking_no": "TH123"})).await.is(200);
    assert_eq!((&gone["status"], &gone["carrier"], &gone["tracking_no"]), (&json!("shipped"), &json!("Kerry"), &json!("TH123")));
    assert_eq!(shop.standing(&app).await, ["98", "3", "95"]);
    let part = read(&app, &order.id()).await;
    assert_eq!((&part["status"], &part["fulfilment_status"]), (&json!("in_fulfilment"), &json!("partly_shipped")));
    assert_eq!((&part["lines"][0]["shipped_quantity"], &part["lines"][0]["planned_quantity"]), (&json!("2"), &json!("0")));
    let second = plan(&app, &order.id(), json!({})).await.is(201);
    assert_eq!(second["lines"][0]["quantity"], "3");
    step(&app, &second.id(), "ship", json!({})).await.is(200);
    assert_eq!(read(&app, &order.id()).await["fulfilment_status"], "shipped");
    step(&app, &first.id(), "deliver", json!({})).await.is(200);
    assert_eq!(read(&app, &order.id()).await["fulfilment_status"], "partly_delivered");
    step(&app, &second.id(), "deliver", json!({})).await.is(200);
    let done = read(&app, &order.id()).await;
    assert_eq!((&done["status"], &done["fulfilment_status"]), (&json!("fulfilled"), &json!("delivered")));
    plan(&app, &order.id(), json!({})).await.refused(409, "illegal_transition");
    step(&app, &second.id(), "cancel", json!({})).await.refused(409, "illegal_transition");
    let moved = app.all(&format!("/v1/stock-movements?source_id={}", first.id()), 50).await;
    assert_eq!((&moved[0]["kind"], &moved[0]["quantity"]), (&json!("issue"), &json!("-2")));
    adds_up(&app).await;
}

async fn goods_come_from_the_warehouse_that_has_them(app: App) {
    let shop = Shop::open(&app).await;
    let other = id(&app.make("/v1/warehouses", json!({"code": "CNX1", "name": "Chiang Mai"})).await);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "CNX1", "lines": [{"sku": "TEA", "quantity": "150"}]})).await.is(201);
    let whole = shop.confirmed(&app, "120").await;
    assert_eq!(whole["lines"][0]["allocations"][0]["warehouse_id"], other);
    let split = shop.confirmed(&app, "130").await;
    let allocations = split["lines"][0]["allocations"].as_array().unwrap().clone();
    assert_eq!(allocations.iter().map(|a| a["quantity"].as_str().unwrap()).collect::<Vec<_>>(), ["100", "30"]);
    plan(&app, &split.id(), json!({})).await.is(422).fault("/warehouse_id", "required");
    let north = plan(&app, &split.id(), json!({"warehouse_id": other})).await.is(201);
    assert_eq!(north["lines"][0]["quantity"], "30");
    step(&app, &north.id(), "ship", json!({})).await.is(200);
    let south = plan(&app, &split.id(), json!({})).await.is(201);
    assert_eq!((&south["warehouse_id"], &south["lines"][0]["quantity"]), (&json!(shop.warehouse), &json!("100")));
    // A line says itself where it is to come from.
    let only = shop.draft(&app, json!([{"product_id": shop.tea, "quantity": "1", "warehouse_id": other}])).await;
    act(&app, &only.id(), "submit", json!({})).await.is(200);
    act(&app, &only.id(), "confirm", json!({})).await.is(200);
    assert_eq!(holds(&app, &only.id()).await, ["stock"]);
    adds_up(&app).await;
}

async fn what_did_not_arrive_is_put_aside_again(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    step(&app, &shipment.id(), "ship", json!({})).await.is(200);
    let failed = step(&app, &shipment.id(), "fail", json!({"reason": "nobody there"})).await.is(200);
    assert_eq!(failed["status"], "failed");
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    let back = read(&app, &order.id()).await;
    assert_eq!((&back["status"], &back["fulfilment_status"]), (&json!("confirmed"), &json!("allocated")));
    let again = plan(&app, &order.id(), json!({})).await.is(201);
    step(&app, &again.id(), "ship", json!({})).await.is(200);
    adds_up(&app).await;
}

async fn a_cancelled_shipment_leaves_the_goods_to_the_order(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    plan(&app, &order.id(), json!({})).await.refused(409, "conflict");
    let refused = act(&app, &order.id(), "cancel", json!({})).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"][0]["id"], shipment["id"]);
    step(&app, &shipment.id(), "cancel", json!({})).await.is(200);
    assert_eq!(shop.standing(&app).await, ["100", "5", "95"]);
    plan(&app, &order.id(), json!({})).await.is(201);
    let asked = json!({"lines": [{"order_line_id": random_id()}]});
    let other = shop.confirmed(&app, "1").await;
    plan(&app, &other.id(), asked).await.is(422).fault("/lines/0/order_line_id", "unknown_reference");
    let more = json!({"lines": [{"order_line_id": other["lines"][0]["id"], "quantity": "2"}]});
    plan(&app, &other.id(), more).await.is(422).fault("/lines/0/quantity", "out_of_range");
}

async fn lots_and_serial_numbers_are_named_where_they_are_kept(app: App) {
    let shop = Shop::open(&app).await;
    let tracked = async |by: &str| {
        let product = id(&app.make("/v1/products", json!({"sku": by, "name": by, "tax_code": "VAT7", "tracked": by})).await);
        app.make(&format!("/v1/price-books/{}/entries", shop.book), json!({"product_id": product, "price": "10.00"})).await;
        product
    };
    let (lot, serial) = (tracked("lot").await, tracked("serial").await);
    let lines = json!([{"product_id": lot, "quantity": "2", "lot_no": "L1"}, {"product_id": lot, "quantity": "1", "lot_no": "L2"},
        {"product_id": serial, "quantity": "1", "serial_no": "S1"},
        {"product_id": serial, "quantity": "1", "serial_no": "S2"}]);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": lines})).await.is(201);
    let order = shop.draft(&app, json!([{"product_id": lot, "quantity": "3"}, {"product_id": serial, "quantity": "2"}])).await;
    act(&app, &order.id(), "submit", json!({})).await.is(200);
    act(&app, &order.id(), "confirm", json!({})).await.is(200);
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    step(&app, &shipment.id(), "ship", json!({})).await.is(422).fault("/picked", "required");
    let (lots, serials) = (order["lines"][0]["id"].clone(), order["lines"][1]["id"].clone());
    let picked = json!([{"order_line_id": lots, "quantity": "2", "lot_no": "L1"}, {"order_line_id": lots, "quantity": "1", "lot_no": "L2"},
        {"order_line_id": serials, "quantity": "1", "serial_no": "S1"}, {"order_line_id": serials, "quantity": "1", "serial_no": "S2"}]);
    for (place, field, other, code) in
        [(1, "lot_no", "L3", "insufficient_stock"), (2, "serial_no", "NEVER", "not_on_hand"), (3, "serial_no", "S1", "not_on_hand")]
    {
        let mut wrong = picked.clone();
        wrong[place][field] = json!(other);
        let refused = step(&app, &shipment.id(), "ship", json!({"picked": wrong})).await.is(409);
        refused.fault(&format!("/picked/{place}/{field}"), code);
    }
    let gone = step(&app, &shipment.id(), "ship", json!({"picked": picked})).await.is(200);
    assert_eq!(gone["lines"].as_array().unwrap().len(), 4);
    let moved = app.all("/v1/stock-movements?lot_no=L2&kind=issue", 50).await;
    assert_eq!(moved[0]["quantity"], "-1");
    // What came back is on hand again, and may leave once more.
    step(&app, &shipment.id(), "fail", json!({})).await.is(200);
    let again = plan(&app, &order.id(), json!({})).await.is(201);
    step(&app, &again.id(), "ship", json!({"picked": picked})).await.is(200);
    adds_up(&app).await;
}

async fn an_order_on_hold_does_not_leave(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "1").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    act(&app, &order.id(), "hold", json!({})).await.is(200);
    step(&app, &shipment.id(), "ship", json!({})).await.refused(409, "conflict");
    assert_eq!(shop.standing(&app).await, ["100", "1", "99"]);
    act(&app, &order.id(), "release", json!({})).await.is(200);
    step(&app, &shipment.id(), "ship", json!({})).await.is(200);
}

async fn what_is_shipped_is_not_amended_away(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let line = order["lines"][0]["id"].clone();
    let part = plan(&app, &order.id(), json!({"lines": [{"order_line_id": line, "quantity": "2"}]})).await.is(201);
    step(&app, &part.id(), "ship", json!({})).await.is(200);
    let less = act(&app, &order.id(), "amend", json!({"lines": [{"id": line, "quantity": "1"}]})).await;
    less.is(422).fault("/lines/0/quantity", "shipped");
    let gone = act(&app, &order.id(), "amend", json!({"lines": [{"product_id": shop.tea, "quantity": "9"}]})).await;
    gone.is(422).fault("/lines", "shipped");
    let exact = act(&app, &order.id(), "amend", json!({"lines": [{"id": line, "quantity": "2"}]})).await.is(200);
    assert_eq!((&exact["status"], &exact["fulfilment_status"]), (&json!("in_fulfilment"), &json!("shipped")));
    assert_eq!(shop.standing(&app).await, ["98", "0", "98"]);
    act(&app, &order.id(), "cancel", json!({})).await.refused(409, "illegal_transition");
    let closed = act(&app, &order.id(), "close", json!({})).await.is(200);
    assert_eq!(closed["committed_amount"], "214.00");
    adds_up(&app).await;
}

async fn a_policy_for_shipping_keeps_goods_back(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "1000.00", "0.00").await;
    let order = shop.confirmed(&app, "1").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    let policy = json!({"name": "At the gate", "checkpoints": ["ship"], "over_limit": "hold"});
    let policy = id(&app.make("/v1/credit-policies", policy).await);
    app.post(&format!("/v1/credit-policies/{policy}/activate"), json!({})).await.is(200);
    shop.say(&app, "1000.00", "5000.00", from_now(1)).await;
    step(&app, &shipment.id(), "ship", json!({})).await.refused(409, "conflict");
    shop.say(&app, "1000.00", "0.00", from_now(2)).await;
    step(&app, &shipment.id(), "ship", json!({})).await.is(200);
}

async fn what_is_planned_is_not_amended_away(app: App) {
    let shop = Shop::open(&app).await;
    let cup = shop.product(&app, "CUP", "10.00", "5").await;
    let order = shop.confirmed(&app, "10").await;
    let line = order["lines"][0]["id"].clone();
    let shipment = plan(&app, &order.id(), json!({"lines": [{"order_line_id": line, "quantity": "2"}]})).await.is(201);
    for (lines, pointer) in [
        (json!([{"id": line, "quantity": "1"}]), "/lines/0/quantity"),
        (json!([{"id": line, "sku": "CUP", "quantity": "10"}]), "/lines/0/product_id"),
        (json!([{"id": line, "product_id": cup, "quantity": "10"}]), "/lines/0/product_id"),
    ] {
        act(&app, &order.id(), "amend", json!({"lines": lines})).await.is(422).fault(pointer, "shipped");
    }
    let more = act(&app, &order.id(), "amend", json!({"lines": [{"id": line, "quantity": "12"}]})).await.is(200);
    assert_eq!((&more["status"], &more["lines"][0]["reserved_quantity"]), (&json!("confirmed"), &json!("12")));
    step(&app, &shipment.id(), "ship", json!({})).await.is(200);
    let other = json!([{"id": line, "sku": "CUP", "quantity": "12"}]);
    act(&app, &order.id(), "amend", json!({"lines": other})).await.is(422).fault("/lines/0/product_id", "shipped");
    let less = act(&app, &order.id(), "amend", json!({"lines": [{"id": line, "quantity": "3"}]})).await.is(200);
    assert_eq!((&less["lines"][0]["reserved_quantity"], &less["lines"][0]["shipped_quantity"]), (&json!("1"), &json!("2")));
    assert_eq!(plan(&app, &order.id(), json!({})).await.is(201)["lines"][0]["quantity"], "1");
    adds_up(&app).await;
}

async fn what_comes_back_to_a_closed_order_is_owed_by_nobody(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201);
    step(&app, &shipment.id(), "ship", json!({})).await.is(200);
    assert_eq!(act(&app, &order.id(), "close", json!({})).await.is(200)["open_amount"], "535.00");
    step(&app, &shipment.id(), "fail", json!({})).await.is(200);
    let order = read(&app, &order.id()).await;
    assert_eq!((&order["status"], &order["open_amount"]), (&json!("closed"), &json!("0.00")));
    assert_eq!(shop.standing(&app).await, ["100", "0", "100"]);
}

async fn the_warehouse_ships_for_customers_it_does_not_see(app: App) {
    let shop = Shop::open(&app).await;
    let (order, warehouse) = (shop.confirmed(&app, "5").await, somebody(&app, "Warehouse").await);
    let policy = id(&app.make("/v1/credit-policies", json!({"name": "At the gate", "checkpoints": ["ship"]})).await);
    app.post(&format!("/v1/credit-policies/{policy}/activate"), json!({})).await.is(200);
    warehouse.get(&format!("/v1/accounts/{}", shop.account)).await.refused(403, "forbidden");
    let shipment = plan(&warehouse, &order.id(), json!({})).await.is(201);
    for verb in ["pick", "pack", "ship", "deliver"] {
        step(&warehouse, &shipment.id(), verb, json!({})).await.is(200);
    }
    assert_eq!(read(&app, &order.id()).await["status"], "fulfilled");
}

async fn shipping_and_delivery_take_the_time_they_happened(app: App) {
    let shop = Shop::open(&app).await;
    let order = shop.confirmed(&app, "1").await;
    let shipment = plan(&app, &order.id(), json!({})).await.is(201).id();
    let (late, early) = (from_now(60), from_now(-3 * 24 * 3600));
    step(&app, &shipment, "ship", json!({"shipped_at": late})).await.is(422).fault("/shipped_at", "in_the_future");
    step(&app, &shipment, "ship", json!({"shipped_at": early})).await.is(422).fault("/shipped_at", "out_of_range");
    let gone = step(&app, &shipment, "ship", json!({"shipped_at": from_now(-120)})).await.is(200);
    assert!(gone["shipped_at"].as_str().unwrap() < from_now(-60).to_string().as_str());
    step(&app, &shipment, "deliver", json!({"delivered_at": late})).await.is(422).fault("/delivered_at", "in_the_future");
    step(&app, &shipment, "deliver", json!({"delivered_at": from_now(-600)})).await.is(422).fault("/delivered_at", "out_of_range");
    let moment = from_now(-1);
    let there = step(&app, &shipment, "deliver", json!({"delivered_at": moment})).await.is(200);
    assert_eq!(there["delivered_at"], json!(moment));
}
