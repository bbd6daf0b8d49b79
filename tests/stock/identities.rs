//! Lots and serial numbers: on hand once, and nothing leaves that never came.

use super::*;
use futures_util::future::join_all;

crate::on_both![
    serial_number_is_on_hand_once,
    serial_number_that_never_came_does_not_leave,
    serial_number_moves_with_a_transfer,
    serial_number_of_a_reservation_is_one_that_is_there,
    refused_line_leaves_all_numbers_as_they_were,
    lot_gives_no_more_than_it_has,
    count_of_a_tracked_product_changes_nothing,
    tracking_stays_while_there_is_stock,
    one_of_sixty_four_receives_a_serial_number,
    crowd_with_many_numbers_does_not_wait_in_a_circle,
];

/// A phone tracked by serial number, and two warehouses.
async fn phones(app: &App) -> (String, String, String) {
    (product(app, "PHONE", json!({"tracked": "serial"})).await, warehouse(app, "A").await, warehouse(app, "B").await)
}

fn piece(serial: &str) -> Value {
    json!({"sku": "PHONE", "quantity": "1", "serial_no": serial})
}

async fn adjust(app: &App, code: &str, lines: Value) -> Answer {
    app.post("/v1/stock-adjustments", json!({"warehouse_code": code, "reason": "count", "lines": lines})).await
}

fn out(serial: &str) -> Value {
    json!({"sku": "PHONE", "quantity": "-1", "serial_no": serial})
}

async fn transfer(app: &App, from: &str, to: &str, lines: Value) -> Answer {
    app.post("/v1/stock-transfers", json!({"from_warehouse_code": from, "to_warehouse_code": to, "lines": lines})).await
}

async fn serial_number_is_on_hand_once(app: App) {
    let (phone, a, _) = phones(&app).await;
    receive(&app, "A", json!([piece("A1"), piece("A1")])).await.refused(409, "conflict").fault("/lines/1/serial_no", "on_hand");
    receive(&app, "A", json!([piece("A1")])).await.is(201);
    for code in ["A", "B"] {
        receive(&app, code, json!([piece("A1")])).await.refused(409, "conflict").fault("/lines/0/serial_no", "on_hand");
        let more = json!([{"sku": "PHONE", "quantity": "1", "serial_no": "A1"}]);
        adjust(&app, code, more).await.refused(409, "conflict").fault("/lines/0/serial_no", "on_hand");
    }
    assert_eq!(standing(&app, &phone, &a).await, ["1", "0", "1"]);
    // The same number of another product is another piece.
    product(&app, "RADIO", json!({"tracked": "serial"})).await;
    receive(&app, "A", json!([{"sku": "RADIO", "quantity": "1", "serial_no": "A1"}])).await.is(201);
    // Once it has left it may come back.
    adjust(&app, "A", json!([out("A1")])).await.is(201);
    let back = json!({"warehouse_code": "B", "kind": "return", "lines": [piece("A1")]});
    app.post("/v1/stock-receipts", back).await.is(201);
    adds_up(&app).await;
}

async fn serial_number_that_never_came_does_not_leave(app: App) {
    let (phone, a, _) = phones(&app).await;
    app.patch(&format!("/v1/products/{phone}"), json!({"backorder": "allow"})).await.is(200);
    receive(&app, "A", json!([piece("A1")])).await.is(201);
    adjust(&app, "A", json!([out("NEVER")])).await.refused(409, "conflict").fault("/lines/0/serial_no", "not_on_hand");
    adjust(&app, "B", json!([out("A1")])).await.refused(409, "conflict").fault("/lines/0/serial_no", "not_on_hand");
    adjust(&app, "A", json!([out("A1"), out("A1")])).await.refused(409, "conflict").fault("/lines/1/serial_no", "not_on_hand");
    assert_eq!(standing(&app, &phone, &a).await, ["1", "0", "1"]);
    adjust(&app, "A", json!([out("A1")])).await.is(201);
}

async fn serial_number_moves_with_a_transfer(app: App) {
    phones(&app).await;
    receive(&app, "A", json!([piece("A1"), piece("A2")])).await.is(201);
    transfer(&app, "A", "B", json!([piece("NEVER")])).await.refused(409, "conflict").fault("/lines/0/serial_no", "not_on_hand");
    transfer(&app, "A", "B", json!([piece("A2"), piece("A1")])).await.is(201);
    transfer(&app, "A", "B", json!([piece("A1")])).await.is(409);
    adjust(&app, "A", json!([out("A1")])).await.is(409);
    adjust(&app, "B", json!([out("A1")])).await.is(201);
    adds_up(&app).await;
}

async fn serial_number_of_a_reservation_is_one_that_is_there(app: App) {
    let (phone, a, _) = phones(&app).await;
    receive(&app, "A", json!([piece("A1"), piece("A2")])).await.is(201);
    let path = format!("/v1/stock-reservations/{}/consume", reserve(&app, (&phone, &a), "2").await.is(201).id());
    app.post(&path, json!({})).await.is(422).fault("/serial_no", "required");
    app.post(&path, json!({"serial_no": "A1"})).await.is(422).fault("/quantity", "not_allowed");
    app.post(&path, json!({"quantity": "1", "serial_no": "NEVER"})).await.is(409).fault("/serial_no", "not_on_hand");
    app.post(&path, json!({"quantity": "1", "serial_no": "A1"})).await.is(200);
    app.post(&path, json!({"quantity": "1", "serial_no": "A1"})).await.is(409);
    assert_eq!(standing(&app, &phone, &a).await, ["1", "1", "0"]);
    adds_up(&app).await;
}

async fn refused_line_leaves_all_numbers_as_they_were(app: App) {
    phones(&app).await;
    receive(&app, "A", json!([piece("A1")])).await.is(201);
    receive(&app, "A", json!([piece("A2"), piece("A1")])).await.is(409);
    receive(&app, "B", json!([piece("A2")])).await.is(201);
    adjust(&app, "A", json!([out("A1"), out("A2")])).await.is(409);
    adjust(&app, "A", json!([out("A1")])).await.is(201);
}

async fn lot_gives_no_more_than_it_has(app: App) {
    let milk = product(&app, "MILK", json!({"tracked": "lot"})).await;
    let (a, _) = (warehouse(&app, "A").await, warehouse(&app, "B").await);
    let of = |lot: &str, quantity: &str| json!({"sku": "MILK", "quantity": quantity, "lot_no": lot});
    receive(&app, "A", json!([of("L1", "5"), of("L2", "3")])).await.is(201);
    let refused = adjust(&app, "A", json!([of("L1", "-6")])).await.refused(409, "insufficient_stock");
    refused.fault("/lines/0/lot_no", "insufficient_stock");
    adjust(&app, "A", json!([of("L3", "-1")])).await.refused(409, "insufficient_stock");
    adjust(&app, "A", json!([of("L1", "-3"), of("L1", "-3")])).await.is(409).fault("/lines/1/lot_no", "insufficient_stock");
    transfer(&app, "A", "B", json!([of("L1", "4")])).await.is(201);
    adjust(&app, "A", json!([of("L1", "-2")])).await.is(409);
    adjust(&app, "B", json!([of("L1", "-4")])).await.is(201);
    adjust(&app, "A", json!([of("L1", "-1"), of("L2", "-3")])).await.is(201);
    assert_eq!(standing(&app, &milk, &a).await, ["0", "0", "0"]);
    adds_up(&app).await;
}

async fn count_of_a_tracked_product_changes_nothing(app: App) {
    let (phone, a, _) = phones(&app).await;
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "erp"})).await;
    receive(&app, "A", json!([piece("A1")])).await.is(201);
    let count = async |on_hand: &str| {
        let items = json!([{"sku": "PHONE", "on_hand": on_hand, "as_of": from_now(0)}]);
        let body = json!({"system": "express", "warehouse_code": "A", "items": items});
        app.post("/v1/stock-syncs", body).await.is(200)["results"][0].clone()
    };
    let refused = count("2").await;
    assert_eq!((&refused["status"], &refused["error"]["errors"][0]["code"]), (&json!("failed"), &json!("tracked")), "{refused}");
    assert_eq!(count("1").await["status"], "applied");
    assert_eq!(standing(&app, &phone, &a).await, ["1", "0", "1"]);
    adds_up(&app).await;
}

async fn tracking_stays_while_there_is_stock(app: App) {
    let (phone, ..) = phones(&app).await;
    let path = format!("/v1/products/{phone}");
    receive(&app, "A", json!([piece("A1")])).await.is(201);
    app.patch(&path, json!({"tracked": "none"})).await.refused(409, "in_use");
    app.patch(&path, json!({"name": "Telephone"})).await.is(200);
    adjust(&app, "A", json!([out("A1")])).await.is(201);
    app.patch(&path, json!({"tracked": "none"})).await.is(200);
}

async fn one_of_sixty_four_receives_a_serial_number(app: App) {
    let (phone, a, b) = phones(&app).await;
    let sent = join_all((0..64).map(async |n: usize| {
        loop {
            let answer = receive(&app, if n.is_multiple_of(2) { "A" } else { "B" }, json!([piece("A1")])).await;
            if answer.status != 503 {
                return answer;
            }
        }
    }))
    .await;
    assert_eq!(sent.iter().filter(|a| a.status == 201).count(), 1);
    assert!(sent.iter().all(|a| a.status == 201 || (a.status == 409 && a["code"] == "conflict")));
    let found = app.all(&format!("/v1/stock-levels?product_id={phone}"), 50).await;
    let there: Vec<&Value> = found.iter().filter(|l| l["on_hand"] == "1").collect();
    assert!(there.len() == 1 && (there[0]["warehouse_id"] == json!(a) || there[0]["warehouse_id"] == json!(b)));
    adds_up(&app).await;
}

async fn crowd_with_many_numbers_does_not_wait_in_a_circle(app: App) {
    phones(&app).await;
    let numbers: Vec<String> = (0..8).map(|n| format!("N{n}")).collect();
    let codes = ["A", "B"];
    let one = async |n: usize| {
        for round in 0..4 {
            let mut mine: Vec<&String> = numbers.iter().skip(n % 3).step_by(1 + n % 2).collect();
            if n % 4 < 2 {
                mine.reverse();
            }
            let (here, there) = (codes[n % 2], codes[(n + 1) % 2]);
            let pieces: Vec<Value> = mine.iter().map(|s| piece(s)).collect();
            let answer = match (n + round) % 3 {
                0 => receive(&app, here, json!(pieces)).await,
                1 => adjust(&app, here, json!(mine.iter().map(|s| out(s)).collect::<Vec<_>>())).await,
                _ => transfer(&app, here, there, json!(pieces)).await,
            };
            assert!(matches!(answer.status, 201 | 409 | 503), "{}", answer.text);
        }
    };
    join_all((0..64).map(one)).await;
    adds_up(&app).await;
    // What the ledger says is on hand is what can be taken out, number by number.
    let moved = app.all("/v1/stock-movements", 200).await;
    for number in &numbers {
        for code in codes {
            let place = app.all(&format!("/v1/warehouses?code={code}"), 50).await[0]["id"].clone();
            let of = moved.iter().filter(|m| m["serial_no"] == json!(number) && m["warehouse_id"] == place);
            let there: i64 = of.map(|m| m["quantity"].as_str().unwrap().parse::<i64>().unwrap()).sum();
            assert!((0..=1).contains(&there), "{number} in {code}: {there}");
            assert_eq!(adjust(&app, code, json!([out(number)])).await.status, if there == 1 { 201 } else { 409 });
        }
    }
    adds_up(&app).await;
}
