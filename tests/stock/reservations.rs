//! Reservations: what is put aside, until when, and what becomes of it.

use super::*;
use crate::support::{app::wait, receiver::local};
use samphan_api::stock::ledger::{self, IssueRequest, ReservationRequest, Source, StockError};
use samphan_background::{
    process::{Process, Services},
    tasks::Tasks,
    timer::Timers,
};
use samphan_domain::id::{ProductId, WarehouseId};
use samphan_resource::money::{Quantity, SCALE};

crate::on_both![
    what_is_put_aside_is_available_to_nobody_else,
    goods_are_issued_of_a_reservation,
    what_is_overdue_ends_where_others_reserve,
    what_is_overdue_ends_by_itself,
    of_two_processes_one_ends_a_reservation,
    an_end_is_put_off,
    more_is_promised_than_is_there_where_the_product_allows,
    a_reservation_is_asked_for_rightly,
    all_lines_or_none_are_put_aside,
    goods_of_many_reservations_leave_together,
];

async fn what_is_put_aside_is_available_to_nobody_else(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let customer = app.account("Customer").await;
    let body = json!({"product_id": tea, "warehouse_id": bkk, "quantity": "7", "source_resource": "accounts", "source_id": customer});
    let made = app.post("/v1/stock-reservations", body).await.is(201);
    assert_eq!(app.get(made.header("location")).await.is(200).body, made.body);
    // Offline, whoever puts goods aside has an id for it already.
    let own = json!({"id": random_id(), "product_id": tea, "warehouse_id": bkk, "quantity": "1"});
    let chosen = app.post("/v1/stock-reservations", own.clone()).await.is(201);
    assert_eq!(chosen["id"], own["id"]);
    app.post("/v1/stock-reservations", own).await.refused(409, "already_exists");
    app.ask(reqwest::Method::POST, &format!("/v1/stock-reservations/{}/release", chosen.id())).await.is(200);
    assert_eq!((&made["status"], &made["consumed"], &made["expires_at"]), (&json!("active"), &json!("0"), &json!(null)));
    assert_eq!(made["available_actions"], json!(["release", "extend", "consume"]));
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "7", "3"]);
    let refused = reserve(&app, (&tea, &bkk), "4").await.refused(409, "insufficient_stock");
    assert!(refused.fault("/quantity", "insufficient_stock")["message"].as_str().unwrap().ends_with(" 3"));
    assert_eq!(ids(&app.get(&format!("/v1/stock-reservations?source_id={customer}")).await.is(200)), [made.id()]);
    let release = format!("/v1/stock-reservations/{}/release", made.id());
    app.ask(reqwest::Method::POST, &release).header("if-match", "\"7\"").await.refused(412, "version_conflict");
    let released = app.ask(reqwest::Method::POST, &release).header("if-match", "\"1\"").await.is(200);
    assert_eq!((&released["status"], &released["version"], &released["available_actions"]), (&json!("released"), &json!(2), &json!([])));
    app.ask(reqwest::Method::POST, &release).await.refused(409, "illegal_transition");
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "0", "10"]);
    assert_eq!(told(&app, "stock_reservations").await, ["stock_reservation.released", "stock_reservation.released"]);
    app.ask(reqwest::Method::POST, &format!("/v1/stock-reservations/{}/release", random_id())).await.refused(404, "not_found");
    adds_up(&app).await;
}

async fn goods_are_issued_of_a_reservation(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let held = reserve(&app, (&tea, &bkk), "7").await.is(201).id();
    let consume = |body: Value| app.post(&format!("/v1/stock-reservations/{held}/consume"), body);
    let part = consume(json!({"quantity": "2.5", "lot_no": "L1"})).await.is(200);
    assert_eq!((&part["status"], &part["consumed"]), (&json!("active"), &json!("2.5")));
    assert_eq!(standing(&app, &tea, &bkk).await, ["7.5", "4.5", "3"]);
    for quantity in ["4.6", "0"] {
        consume(json!({"quantity": quantity})).await.refused(422, "validation_failed").fault("/quantity", "out_of_range");
    }
    assert_eq!(consume(json!({})).await.is(200)["status"], "consumed");
    assert_eq!(standing(&app, &tea, &bkk).await, ["3", "0", "3"]);
    consume(json!({})).await.refused(409, "illegal_transition");
    let issued = app.all(&format!("/v1/stock-movements?source_id={held}"), 50).await;
    let said: Vec<_> = issued.iter().map(|m| (m["kind"].as_str().unwrap(), m["quantity"].as_str().unwrap())).collect();
    assert_eq!(said, [("issue", "-2.5"), ("issue", "-4.5")]);
    assert_eq!(told(&app, "stock_reservations").await, ["stock_reservation.consumed"; 2]);
    adds_up(&app).await;
}

fn want(key: (&str, &str), pieces: i64, expires_at: Option<Timestamp>) -> ReservationRequest {
    ReservationRequest {
        id: None,
        product_id: ProductId(uuid(key.0)),
        warehouse_id: WarehouseId(uuid(key.1)),
        quantity: Quantity(pieces * SCALE),
        expires_at,
        source: None,
    }
}

async fn what_is_overdue_ends_where_others_reserve(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let store = store(&app, 2).await;
    let body = json!({"product_id": tea, "warehouse_id": bkk, "quantity": "10", "expires_at": from_now(3600)});
    let held = app.post("/v1/stock-reservations", body).await.is(201).id();
    let work = work(&store, from_now(3500)).await;
    let early = ledger::reserve(&work, &[want((&tea, &bkk), 1, None)]).await.unwrap();
    assert!(matches!(early[..], [Err(StockError::Short { available: Quantity(0), .. })]), "{early:?}");
    work.roll_back().await.unwrap();
    let work = super::work(&store, from_now(3700)).await;
    let late = ledger::reserve(&work, &[want((&tea, &bkk), 4, None)]).await.unwrap();
    assert!(matches!(late[..], [Ok(Some(_))]), "{late:?}");
    work.commit().await.unwrap();
    assert_eq!(app.get(&format!("/v1/stock-reservations/{held}")).await.is(200)["status"], "expired");
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "4", "6"]);
    assert_eq!(told(&app, "stock_reservations").await, ["stock_reservation.expired"]);
    adds_up(&app).await;
}

async fn what_is_overdue_ends_by_itself(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    // Made an hour ago for a minute, so it is overdue when the service next looks.
    let work = work(&store(&app, 1).await, from_now(-3600)).await;
    let done = ledger::reserve(&work, &[want((&tea, &bkk), 4, Some(from_now(-3540)))]).await.unwrap();
    work.commit().await.unwrap();
    let Ok(Some(id)) = done[0] else { panic!("{done:?}") };
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while app.get(&format!("/v1/stock-reservations/{id}")).await.is(200)["status"] != "expired" {
        assert!(std::time::Instant::now() < until, "the service did not look");
    }
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "0", "10"]);
    adds_up(&app).await;
}

async fn of_two_processes_one_ends_a_reservation(app: App) {
    let (tea, bkk) = tea(&app, "100").await;
    let (url, (stop, stopped)) = (app.database_url().to_owned(), tokio::sync::oneshot::channel::<()>());
    let other = std::thread::spawn(move || {
        wait(local(async {
            let opening = DatabaseOptions { url, connections: 4, full_sync: false };
            let process = Process::new(Store::open(&opening, openapi::shapes()).await.unwrap(), Services::default());
            let tasks = Tasks::default();
            Timers::default().with("expire", ledger::expire).task().start(process, &tasks);
            let _ = stopped.await;
            tasks.end().await;
        }));
    });
    // All of them end while both look.
    let soon = from_now(3);
    let work = work(&store(&app, 1).await, from_now(0)).await;
    let wants: Vec<ReservationRequest> = (0..60).map(|_| want((&tea, &bkk), 1, Some(soon))).collect();
    assert!(ledger::reserve(&work, &wants).await.unwrap().iter().all(|one| matches!(one, Ok(Some(_)))));
    work.commit().await.unwrap();
    app.get_until("/v1/stock-reservations?status=expired&count=exact&limit=1", |all| all["total"] == 60).await;
    assert_eq!(told(&app, "stock_reservations").await.iter().filter(|kind| *kind == "stock_reservation.expired").count(), 60);
    assert_eq!(standing(&app, &tea, &bkk).await, ["100", "0", "100"]);
    adds_up(&app).await;
    drop(stop);
    other.join().unwrap();
}

async fn an_end_is_put_off(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let body = json!({"product_id": tea, "warehouse_id": bkk, "quantity": "10", "expires_at": from_now(60)});
    let held = app.post("/v1/stock-reservations", body).await.is(201).id();
    let extend = |until: Value| app.post(&format!("/v1/stock-reservations/{held}/extend"), json!({"expires_at": until}));
    extend(json!(from_now(-1))).await.refused(422, "validation_failed").fault("/expires_at", "in_past");
    app.post(&format!("/v1/stock-reservations/{held}/extend"), json!({})).await.is(422).fault("/expires_at", "required");
    let later = extend(json!(from_now(7200))).await.is(200);
    let work = work(&store(&app, 1).await, from_now(3600)).await;
    let shape = work.shape("stock_reservations").unwrap();
    assert!(!samphan_persistence::timers::is_any_due(&work, shape, &shape.timers[0]).await.unwrap());
    work.roll_back().await.unwrap();
    assert_eq!(extend(json!(null)).await.is(200)["expires_at"], json!(null));
    assert_eq!(later["version"], 2);
    assert_eq!(told(&app, "stock_reservations").await, ["stock_reservation.extended"; 2]);
}

async fn more_is_promised_than_is_there_where_the_product_allows(app: App) {
    let tea = product(&app, "TEA", json!({"backorder": "allow", "backorder_limit": "5"})).await;
    let bkk = warehouse(&app, "BKK1").await;
    let held = reserve(&app, (&tea, &bkk), "4").await.is(201).id();
    assert_eq!(standing(&app, &tea, &bkk).await, ["0", "4", "-4"]);
    let refused = reserve(&app, (&tea, &bkk), "2").await.refused(409, "insufficient_stock");
    assert!(refused.fault("/quantity", "insufficient_stock")["message"].as_str().unwrap().ends_with(" 1"));
    receive(&app, "BKK1", json!([{"sku": "TEA", "quantity": "3"}])).await.is(201);
    assert_eq!(level(&app, &tea, &bkk).await["backordered"], "1");
    reserve(&app, (&tea, &bkk), "4").await.is(201);
    app.post(&format!("/v1/stock-reservations/{held}/release"), json!(null)).await.is(200);
    assert_eq!(
        (standing(&app, &tea, &bkk).await, level(&app, &tea, &bkk).await["backordered"].clone()),
        (["3", "4", "-1"].map(str::to_owned), json!("1"))
    );
    // Without a limit as much as anybody likes, but no longer once the policy is another.
    app.patch(&format!("/v1/products/{tea}"), json!({"backorder_limit": null})).await.is(200);
    reserve(&app, (&tea, &bkk), "1000000").await.is(201);
    app.patch(&format!("/v1/products/{tea}"), json!({"backorder": "refuse"})).await.is(200);
    reserve(&app, (&tea, &bkk), "1").await.refused(409, "insufficient_stock");
    adds_up(&app).await;
}

async fn a_reservation_is_asked_for_rightly(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let advice = product(&app, "ADVICE", json!({"kind": "service"})).await;
    let never = product(&app, "NEVER", json!({})).await;
    let ask = |more: Value| {
        let mut body = json!({"product_id": tea, "warehouse_id": bkk, "quantity": "1"});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        app.post("/v1/stock-reservations", body)
    };
    for (more, status, code, pointer, fault) in [
        (json!({"quantity": "0"}), 422, "validation_failed", "/quantity", "out_of_range"),
        (json!({"product_id": random_id()}), 422, "unknown_reference", "/product_id", "unknown_reference"),
        (json!({"warehouse_id": random_id()}), 422, "unknown_reference", "/warehouse_id", "unknown_reference"),
        (json!({"product_id": advice}), 422, "validation_failed", "/product_id", "not_stocked"),
        (json!({"product_id": never}), 409, "insufficient_stock", "/quantity", "insufficient_stock"),
        (json!({"expires_at": from_now(-1)}), 422, "validation_failed", "/expires_at", "in_past"),
        (json!({"source_id": random_id()}), 422, "validation_failed", "/source_id", "ambiguous_key"),
        (json!({"source_resource": "accounts"}), 422, "validation_failed", "/source_id", "ambiguous_key"),
        (json!({"source_resource": "carts", "source_id": random_id()}), 422, "validation_failed", "/source_resource", "unknown_value"),
        (json!({"source_resource": "orders", "source_id": random_id()}), 422, "validation_failed", "/source_id", "unknown_reference"),
        (json!({"status": "consumed"}), 422, "validation_failed", "/status", "unknown_field"),
        (json!({"consumed": "1"}), 422, "validation_failed", "/consumed", "unknown_field"),
    ] {
        ask(more).await.refused(status, code).fault(pointer, fault);
    }
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "0", "10"]);
    let dry = app.post("/v1/stock-reservations?dry_run=true", json!({"product_id": tea, "warehouse_id": bkk, "quantity": "1"}));
    dry.await.is(201);
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "0", "10"]);
}

async fn all_lines_or_none_are_put_aside(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let rice = product(&app, "RICE", json!({})).await;
    let advice = product(&app, "ADVICE", json!({"kind": "service"})).await;
    receive(&app, "BKK1", json!([{"sku": "RICE", "quantity": "3"}])).await.is(201);
    let store = store(&app, 1).await;
    let wants = [want((&tea, &bkk), 6, None), want((&rice, &bkk), 4, None), want((&advice, &bkk), 1, None), want((&tea, &bkk), 5, None)];
    let work = work(&store, now()).await;
    let refused = ledger::reserve_all(&work, &wants).await.unwrap().unwrap_err();
    assert_eq!(refused.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3], "lines of one product are one demand: {refused:?}");
    work.commit().await.unwrap();
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "0", "10"]);
    let work = super::work(&store, now()).await;
    let done = ledger::reserve_all(&work, &[wants[0].clone(), wants[2].clone()]).await.unwrap().unwrap();
    assert!(matches!(done[..], [Some(_), None]), "services need no stock: {done:?}");
    // Each for itself: what there is, is put aside.
    let done = ledger::reserve(&work, &wants).await.unwrap();
    assert!(matches!(done[..], [Err(_), Err(_), Ok(None), Err(_)]), "{done:?}");
    work.commit().await.unwrap();
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "6", "4"]);
    adds_up(&app).await;
}

async fn goods_of_many_reservations_leave_together(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    let store = store(&app, 1).await;
    let work = work(&store, now()).await;
    let held = ledger::reserve_all(&work, &[want((&tea, &bkk), 6, None), want((&tea, &bkk), 4, None)]).await.unwrap().unwrap();
    let (first, second) = (held[0].unwrap(), held[1].unwrap());
    let shipment = Source { resource: "shipments".to_owned(), id: uuid(&random_id()) };
    let issue = |id, pieces: Option<i64>| IssueRequest {
        reservation_id: id,
        quantity: pieces.map(|p| Quantity(p * SCALE)),
        source: Some(shipment.clone()),
        lot_no: None,
        serial_no: None,
    };
    let refused = ledger::consume(&work, &[issue(first, None), issue(second, Some(5))]).await.unwrap().unwrap_err();
    assert_eq!(refused, [(1, StockError::OutOfRange)]);
    let made = ledger::consume(&work, &[issue(first, Some(2)), issue(second, None), issue(first, Some(1))]).await.unwrap().unwrap();
    let after: Vec<_> = made.iter().map(|m| m["on_hand_after"].as_str().unwrap()).collect();
    assert_eq!(after, ["8", "4", "3"]);
    assert_eq!(ledger::release(&work, &[first, second], Some("cancelled".to_owned())).await.unwrap(), [first], "the other is used up");
    work.commit().await.unwrap();
    assert_eq!(standing(&app, &tea, &bkk).await, ["3", "0", "3"]);
    assert_eq!(app.all(&format!("/v1/stock-movements?source_id={}", shipment.id), 50).await.len(), 3);
    adds_up(&app).await;
}
