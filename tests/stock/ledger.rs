//! Receipts, adjustments and transfers: each books its movements with the levels, or nothing at all.

use super::*;

crate::on_both![
    goods_come_go_and_are_put_right,
    a_transfer_is_two_movements,
    one_bad_line_undoes_all,
    what_is_reserved_stays,
    lots_and_serial_numbers_are_named,
    below_minimum_is_told_once_at_the_crossing,
    a_warehouse_with_goods_stays,
    a_product_with_goods_stays,
    a_repeat_with_the_same_key_books_once_and_a_dry_run_never,
    each_operation_has_a_right_of_its_own,
    quantities_stay_in_range,
];

async fn goods_come_go_and_are_put_right(app: App) {
    let (tea, bkk) = (product(&app, "TEA", json!({})).await, warehouse(&app, "BKK1").await);
    let made = receive(&app, "BKK1", json!([{"sku": "TEA", "quantity": "10"}, {"product_id": tea, "quantity": "2.5"}])).await.is(201);
    let after: Vec<_> = made["data"].as_array().unwrap().iter().map(|m| (m["quantity"].as_str(), m["on_hand_after"].as_str())).collect();
    assert_eq!(after, [(Some("10"), Some("10")), (Some("2.5"), Some("12.5"))], "each movement says what is there after it");
    let lines = json!([{"sku": "TEA", "quantity": "-0.5"}]);
    let put_right = json!({"warehouse_id": bkk, "reason": "Spilt", "lines": lines});
    let adjusted = app.post("/v1/stock-adjustments", put_right).await.is(201);
    assert_eq!((&adjusted["data"][0]["kind"], &adjusted["data"][0]["reason"]), (&json!("adjust"), &json!("Spilt")));
    let back = json!({"warehouse_code": "BKK1", "kind": "return", "lines": [{"sku": "TEA", "quantity": "1"}]});
    assert_eq!(app.post("/v1/stock-receipts", back).await.is(201)["data"][0]["kind"], "return");
    assert_eq!(standing(&app, &tea, &bkk).await, ["13", "0", "13"]);
    let ledger = app.all(&format!("/v1/stock-movements?product_id={tea}"), 2).await;
    let said: Vec<_> = ledger.iter().map(|m| m["on_hand_after"].as_str().unwrap()).collect();
    assert_eq!(said, ["10", "12.5", "12", "13"], "the ledger reads as it was written");
    assert_eq!(told(&app, "stock_levels").await, ["stock_level.changed"; 3]);
    let events = app.get("/v1/audit-events?resource=stock_levels&sort=-id").await.is(200);
    let put_right = events["data"].as_array().unwrap().iter().find(|e| e["reason"] == "Spilt").unwrap();
    assert_eq!((&put_right["before"]["on_hand"], &put_right["after"]["on_hand"]), (&json!("12.5"), &json!("12")));
    adds_up(&app).await;
}

async fn a_transfer_is_two_movements(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let cnx = warehouse(&app, "CNX1").await;
    let body =
        json!({"from_warehouse_code": "BKK1", "to_warehouse_id": cnx, "reason": "Festival", "lines": [{"sku": "TEA", "quantity": "4"}]});
    let made = app.post("/v1/stock-transfers", body.clone()).await.is(201);
    let said: Vec<_> =
        made["data"].as_array().unwrap().iter().map(|m| (m["warehouse_id"].as_str().unwrap(), m["quantity"].as_str().unwrap())).collect();
    assert_eq!(said, [(bkk.as_str(), "-4"), (cnx.as_str(), "4")]);
    assert_eq!((standing(&app, &tea, &bkk).await[0].as_str(), standing(&app, &tea, &cnx).await[0].as_str()), ("6", "4"));
    let mut far = body.clone();
    far["lines"][0]["quantity"] = json!("7");
    app.post("/v1/stock-transfers", far).await.refused(409, "insufficient_stock").fault("/lines/0/quantity", "insufficient_stock");
    let mut same = body;
    same["to_warehouse_id"] = json!(bkk);
    app.post("/v1/stock-transfers", same).await.refused(422, "validation_failed").fault("/to_warehouse_id", "refers_to_itself");
    assert_eq!((standing(&app, &tea, &bkk).await[0].as_str(), standing(&app, &tea, &cnx).await[0].as_str()), ("6", "4"));
    adds_up(&app).await;
}

async fn one_bad_line_undoes_all(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    product(&app, "ADVICE", json!({"kind": "service"})).await;
    let before = app.get("/v1/stock-movements").await.is(200).body;
    let good = json!({"sku": "TEA", "quantity": "1"});
    for (bad, status, code, pointer, fault) in [
        (json!({"sku": "NONE", "quantity": "1"}), 422, "unknown_reference", "/lines/1/sku", "unknown_reference"),
        (json!({"product_id": random_id(), "quantity": "1"}), 422, "unknown_reference", "/lines/1/product_id", "unknown_reference"),
        (json!({"quantity": "1"}), 422, "validation_failed", "/lines/1", "ambiguous_key"),
        (json!({"sku": "TEA", "product_id": tea, "quantity": "1"}), 422, "validation_failed", "/lines/1", "ambiguous_key"),
        (json!({"sku": "TEA", "quantity": "0"}), 422, "validation_failed", "/lines/1/quantity", "out_of_range"),
        (json!({"sku": "TEA", "quantity": "-1"}), 422, "validation_failed", "/lines/1/quantity", "too_small"),
        (json!({"sku": "TEA", "quantity": 1}), 422, "validation_failed", "/lines/1/quantity", "wrong_type"),
        (json!({"sku": "ADVICE", "quantity": "1"}), 422, "validation_failed", "/lines/1/product_id", "not_stocked"),
    ] {
        receive(&app, "BKK1", json!([good, bad])).await.refused(status, code).fault(pointer, fault);
    }
    for (pointer, code, body) in [
        ("/warehouse_code", "unknown_reference", json!({"warehouse_code": "NONE", "lines": [good]})),
        ("/warehouse_id", "unknown_reference", json!({"warehouse_id": random_id(), "lines": [good]})),
        ("/warehouse_id", "ambiguous_key", json!({"lines": [good]})),
        ("/lines", "too_few_items", json!({"warehouse_code": "BKK1", "lines": []})),
        ("/lines", "too_many_items", json!({"warehouse_code": "BKK1", "lines": vec![&good; 1001]})),
    ] {
        app.post("/v1/stock-receipts", body).await.is(422).fault(pointer, code);
    }
    let unexplained = json!({"warehouse_code": "BKK1", "lines": [good]});
    app.post("/v1/stock-adjustments", unexplained).await.refused(422, "validation_failed").fault("/reason", "required");
    assert_eq!(app.get("/v1/stock-movements").await.is(200).body, before);
    receive(&app, "BKK1", json!(vec![&good; 1000])).await.is(201);
    assert_eq!(standing(&app, &tea, &bkk).await[0], "1010");
    adds_up(&app).await;
}

async fn what_is_reserved_stays(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    reserve(&app, (&tea, &bkk), "8").await.is(201);
    let take = |quantity: &str| {
        let lines = json!([{"sku": "TEA", "quantity": quantity}]);
        app.post("/v1/stock-adjustments", json!({"warehouse_code": "BKK1", "reason": "Broken", "lines": lines}))
    };
    let refused = take("-3").await.refused(409, "insufficient_stock");
    let fault = refused.fault("/lines/0/quantity", "insufficient_stock");
    assert!(fault["message"].as_str().unwrap().ends_with(" 2"), "{fault}");
    assert_eq!(refused["conflicts"][0]["id"], level(&app, &tea, &bkk).await["id"]);
    take("-2").await.is(201);
    assert_eq!(standing(&app, &tea, &bkk).await, ["8", "8", "0"]);
    // Unless the product may be promised before it is there.
    app.patch(&format!("/v1/products/{tea}"), json!({"backorder": "allow", "backorder_limit": "5"})).await.is(200);
    take("-6").await.refused(409, "insufficient_stock");
    take("-5").await.is(201);
    let level = level(&app, &tea, &bkk).await;
    assert_eq!((&level["available"], &level["backordered"]), (&json!("-5"), &json!("5")));
    let limit = json!({"backorder": "refuse"});
    app.patch(&format!("/v1/products/{tea}"), limit).await.refused(422, "validation_failed").fault("/backorder_limit", "not_allowed");
    adds_up(&app).await;
}

async fn lots_and_serial_numbers_are_named(app: App) {
    product(&app, "MILK", json!({"tracked": "lot"})).await;
    product(&app, "PHONE", json!({"tracked": "serial"})).await;
    warehouse(&app, "BKK1").await;
    for (line, pointer, code) in [
        (json!({"sku": "MILK", "quantity": "5"}), "/lines/0/lot_no", "required"),
        (json!({"sku": "PHONE", "quantity": "1"}), "/lines/0/serial_no", "required"),
        (json!({"sku": "PHONE", "quantity": "2", "serial_no": "A"}), "/lines/0/quantity", "not_allowed"),
    ] {
        receive(&app, "BKK1", json!([line])).await.refused(422, "validation_failed").fault(pointer, code);
    }
    let lines = json!([{"sku": "MILK", "quantity": "5", "lot_no": "L1"}, {"sku": "PHONE", "quantity": "1", "serial_no": "A"}]);
    receive(&app, "BKK1", lines).await.is(201);
    assert_eq!(app.get("/v1/stock-movements?lot_no=L1").await.is(200)["data"][0]["quantity"], "5");
    assert_eq!(app.get("/v1/stock-movements?serial_no=A").await.is(200)["data"][0]["quantity"], "1");
}

async fn below_minimum_is_told_once_at_the_crossing(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let id = level(&app, &tea, &bkk).await["id"].as_str().unwrap().to_owned();
    let minimum = |least: Value| app.post(&format!("/v1/stock-levels/{id}/set-minimum"), json!({"minimum": least}));
    let below = async || told(&app, "stock_levels").await.iter().filter(|kind| *kind == "stock_level.below_minimum").count();
    assert_eq!(minimum(json!("5")).await.is(200)["is_below_minimum"], false);
    let held = reserve(&app, (&tea, &bkk), "5").await.is(201).id();
    assert_eq!(below().await, 0, "five are five");
    reserve(&app, (&tea, &bkk), "1").await.is(201);
    reserve(&app, (&tea, &bkk), "1").await.is(201);
    assert_eq!(below().await, 1);
    assert_eq!(ids(&app.get("/v1/stock-levels?is_below_minimum=true").await.is(200)), std::slice::from_ref(&id));
    app.post(&format!("/v1/stock-reservations/{held}/release"), json!(null)).await.is(200);
    assert_eq!((below().await, level(&app, &tea, &bkk).await["is_below_minimum"].clone()), (1, json!(false)));
    assert_eq!(minimum(json!("9")).await.is(200)["is_below_minimum"], true);
    assert_eq!(below().await, 2);
    assert_eq!(minimum(json!(null)).await.is(200)["is_below_minimum"], false);
    minimum(json!("-1")).await.refused(422, "validation_failed").fault("/minimum", "too_small");
}

async fn a_warehouse_with_goods_stays(app: App) {
    let (tea, bkk) = tea(&app, "1").await;
    let at = format!("/v1/warehouses/{bkk}");
    app.delete(&at).await.refused(409, "in_use");
    let held = reserve(&app, (&tea, &bkk), "1").await.is(201).id();
    app.post(&format!("{at}/close"), json!(null)).await.refused(409, "in_use");
    app.post(&format!("/v1/stock-reservations/{held}/release"), json!(null)).await.is(200);
    app.post(&format!("{at}/close"), json!(null)).await.is(200);
    receive(&app, "BKK1", json!([{"sku": "TEA", "quantity": "1"}])).await.refused(409, "conflict").fault("/warehouse_code", "closed");
    reserve(&app, (&tea, &bkk), "1").await.refused(422, "validation_failed").fault("/warehouse_id", "closed");
    app.post(&format!("{at}/close"), json!(null)).await.refused(409, "illegal_transition");
    app.post(&format!("{at}/reopen"), json!(null)).await.is(200);
    app.patch(&at, json!({"available_for_sale": false})).await.is(200);
    reserve(&app, (&tea, &bkk), "1").await.refused(422, "validation_failed").fault("/warehouse_id", "not_for_sale");
    app.patch(&at, json!({"available_for_sale": true})).await.is(200);
    reserve(&app, (&tea, &bkk), "1").await.is(201);
}

async fn a_product_with_goods_stays(app: App) {
    let (tea, _) = tea(&app, "1").await;
    let at = format!("/v1/products/{tea}");
    app.delete(&at).await.refused(409, "in_use");
    app.patch(&at, json!({"kind": "service"})).await.refused(409, "in_use");
    app.patch(&at, json!({"kind": "bundle"})).await.is(200);
    let gone = json!({"warehouse_code": "BKK1", "reason": "Given away", "lines": [{"sku": "TEA", "quantity": "-1"}]});
    app.post("/v1/stock-adjustments", gone).await.is(201);
    app.patch(&at, json!({"kind": "service"})).await.is(200);
    app.delete(&at).await.is(204);
    receive(&app, "BKK1", json!([{"product_id": tea, "quantity": "1"}])).await.refused(422, "unknown_reference");
}

async fn a_repeat_with_the_same_key_books_once_and_a_dry_run_never(app: App) {
    let (tea, bkk) = tea(&app, "1").await;
    let body = json!({"warehouse_code": "BKK1", "lines": [{"sku": "TEA", "quantity": "2"}]});
    let send = || app.post("/v1/stock-receipts", body.clone()).header("idempotency-key", "delivery-note-7");
    let first = send().await.is(201);
    assert_eq!(send().await.is(201).body, first.body);
    assert_eq!(app.post("/v1/stock-receipts?dry_run=true", body.clone()).await.is(201)["data"][0]["on_hand_after"], "5");
    assert_eq!(standing(&app, &tea, &bkk).await[0], "3");
    adds_up(&app).await;
}

async fn each_operation_has_a_right_of_its_own(app: App) {
    tea(&app, "10").await;
    warehouse(&app, "CNX1").await;
    let line = json!([{"sku": "TEA", "quantity": "1"}]);
    let operations = [
        ("receive", "/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": line})),
        ("adjust", "/v1/stock-adjustments", json!({"warehouse_code": "BKK1", "reason": "Count", "lines": line})),
        ("transfer", "/v1/stock-transfers", json!({"from_warehouse_code": "BKK1", "to_warehouse_code": "CNX1", "lines": line})),
    ];
    for (verb, _, _) in &operations {
        let person = app.person(&[&format!("stock-levels:{verb}/all")], &[], &[]).await.app;
        for (other, path, body) in &operations {
            let answer = person.post(path, body.clone()).await;
            assert_eq!(answer.status, if verb == other { 201 } else { 403 }, "{verb} {other}: {}", answer.text);
        }
        person.get("/v1/stock-levels").await.refused(403, "forbidden");
    }
}

async fn quantities_stay_in_range(app: App) {
    let (tea, bkk) = tea(&app, "100000000000").await;
    for quantity in ["1", "100000000000", "922337203685477.5807"] {
        let line = json!([{"sku": "TEA", "quantity": quantity}]);
        receive(&app, "BKK1", line).await.refused(422, "validation_failed").fault("/lines/0/quantity", "out_of_range");
        let more = reserve(&app, (&tea, &bkk), "100000000000.0001").await;
        more.refused(422, "validation_failed").fault("/quantity", "out_of_range");
    }
    for quantity in ["-922337203685477.5808", "-922337203685477.5807", "0", "-100000000000.0001"] {
        let body = json!({"warehouse_code": "BKK1", "reason": "x", "lines": [{"sku": "TEA", "quantity": quantity}]});
        app.post("/v1/stock-adjustments", body).await.refused(422, "validation_failed").fault("/lines/0/quantity", "out_of_range");
    }
    assert_eq!(standing(&app, &tea, &bkk).await[0], "100000000000");
}
