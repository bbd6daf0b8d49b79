//! Many at once: never a piece oversold, nobody waits for ever, and nobody is told anything but yes or no.

use super::*;
use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use samphan_api::stock::ledger::{self, MovementRequest, ReservationRequest};
use samphan_domain::{
    id::{ProductId, WarehouseId},
    stock::stock_movement::MovementKind,
};
use samphan_resource::money::{Quantity, SCALE, SignedQuantity};

crate::on_both![
    sixty_four_want_the_last_hundred_pieces_at_once,
    orders_of_many_lines_in_any_order_do_not_wait_in_a_circle,
    a_level_is_made_once_by_many_at_once,
    everything_at_once_adds_up,
];

async fn sixty_four_want_the_last_hundred_pieces_at_once(app: App) {
    let (tea, bkk) = tea(&app, "100").await;
    let sent = join_all((0..64).map(async |n: usize| (n % 4 + 1, reserve(&app, (&tea, &bkk), &(n % 4 + 1).to_string()).await))).await;
    let mut promised = 0;
    let mut smallest_refused = usize::MAX;
    for (pieces, answer) in sent {
        match answer.status {
            201 => promised += pieces,
            _ => {
                answer.refused(409, "insufficient_stock");
                smallest_refused = smallest_refused.min(pieces);
            }
        }
    }
    // A hundred and sixty were wanted. Whoever was refused did not fit then, so no more than that is left.
    assert!(promised <= 100 && 100 - promised < smallest_refused, "{promised} promised, one that wanted {smallest_refused} refused");
    assert_eq!(standing(&app, &tea, &bkk).await, ["100".to_owned(), promised.to_string(), (100 - promised).to_string()]);
    let held = app.all("/v1/stock-reservations?status=active", 200).await;
    assert_eq!(held.iter().map(|r| r["quantity"].as_str().unwrap().parse::<usize>().unwrap()).sum::<usize>(), promised);
    let gone = join_all(held.iter().map(async |r| {
        let path = format!("/v1/stock-reservations/{}/consume", r["id"].as_str().unwrap());
        app.post(&path, json!({})).await.status
    }));
    assert!(gone.await.iter().all(|status| *status == 200));
    assert_eq!(standing(&app, &tea, &bkk).await, [(100 - promised).to_string(), "0".to_owned(), (100 - promised).to_string()]);
    adds_up(&app).await;
}

async fn orders_of_many_lines_in_any_order_do_not_wait_in_a_circle(app: App) {
    let mut keys = vec![];
    let warehouses = [warehouse(&app, "A").await, warehouse(&app, "B").await];
    for n in 0..6 {
        let id = product(&app, &format!("P{n}"), json!({})).await;
        for (code, warehouse) in ["A", "B"].iter().zip(&warehouses) {
            receive(&app, code, json!([{"product_id": id, "quantity": "30"}])).await.is(201);
            keys.push((uuid(&id), uuid(warehouse)));
        }
    }
    let store = store(&app, 8).await;
    let order = async |n: u64| {
        let mut chance = StdRng::seed_from_u64(n);
        let mut lines = keys.clone();
        lines.shuffle(&mut chance);
        lines.truncate(chance.random_range(2..9));
        let want = |(product, warehouse): (uuid::Uuid, uuid::Uuid), pieces: i64| ReservationRequest {
            id: None,
            product_id: ProductId(product),
            warehouse_id: WarehouseId(warehouse),
            quantity: Quantity(pieces * SCALE),
            expires_at: Some(from_now(3600)),
            source: None,
        };
        let wants: Vec<ReservationRequest> = lines.into_iter().map(|key| want(key, chance.random_range(1..4))).collect();
        let work = work(&store, now()).await;
        let done = ledger::reserve_all(&work, &wants).await.unwrap();
        work.commit().await.unwrap();
        // Every third thinks better of it.
        if let (Ok(held), 0) = (&done, n % 3) {
            let mut ids: Vec<_> = held.iter().flatten().copied().collect();
            ids.reverse();
            let work = super::work(&store, now()).await;
            assert_eq!(ledger::release(&work, &ids, None).await.unwrap().len(), ids.len());
            work.commit().await.unwrap();
        }
        done.is_ok()
    };
    let done = join_all((0..64).map(order)).await;
    assert!(done.contains(&true), "{done:?}");
    for level in app.all("/v1/stock-levels", 50).await {
        assert!(!level["available"].as_str().unwrap().starts_with('-'), "{level}");
    }
    adds_up(&app).await;
}

async fn a_level_is_made_once_by_many_at_once(app: App) {
    let mut keys = vec![];
    let bkk = warehouse(&app, "BKK1").await;
    for n in 0..8 {
        keys.push(product(&app, &format!("P{n}"), json!({})).await);
    }
    let store = store(&app, 8).await;
    let receipt = async |n: u64| {
        let mut lines = keys.clone();
        lines.shuffle(&mut StdRng::seed_from_u64(n));
        let entry = |product: &String| MovementRequest {
            product_id: ProductId(uuid(product)),
            warehouse_id: WarehouseId(uuid(&bkk)),
            quantity: SignedQuantity(SCALE),
            kind: MovementKind::Receipt,
            reason: None,
            source: None,
            lot_no: None,
            serial_no: None,
        };
        let work = work(&store, now()).await;
        ledger::book(&work, &lines.iter().take(5).map(entry).collect::<Vec<_>>()).await.unwrap().unwrap();
        work.commit().await.unwrap();
    };
    join_all((0..32).map(receipt)).await;
    let levels = app.all("/v1/stock-levels", 50).await;
    assert_eq!(levels.len(), 8);
    assert_eq!(levels.iter().map(|l| l["on_hand"].as_str().unwrap().parse::<i64>().unwrap()).sum::<i64>(), 32 * 5);
    adds_up(&app).await;
}

async fn everything_at_once_adds_up(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "erp"})).await;
    let warehouses = [warehouse(&app, "A").await, warehouse(&app, "B").await];
    let mut products = vec![];
    for n in 0..3 {
        products.push(product(&app, &format!("P{n}"), json!({})).await);
        let line = json!([{"sku": format!("P{n}"), "quantity": "20"}]);
        for code in ["A", "B"] {
            receive(&app, code, line.clone()).await.is(201);
        }
    }
    let one = async |n: u64| {
        let mut chance = StdRng::seed_from_u64(n);
        for _ in 0..3 {
            let (from, to) = if chance.random_bool(0.5) { ("A", "B") } else { ("B", "A") };
            let here = &warehouses[usize::from(from == "B")];
            let mut chosen = products.clone();
            chosen.shuffle(&mut chance);
            let mut line = |sign: &str| {
                let lines = chosen.iter().take(2);
                lines.map(|p| json!({"product_id": p, "quantity": format!("{sign}{}", chance.random_range(1..5))})).collect::<Vec<_>>()
            };
            let (more, less) = (line(""), line("-"));
            let answer = match chance.random_range(0..6) {
                0 => app.post("/v1/stock-receipts", json!({"warehouse_code": from, "lines": more})).await,
                1 => app.post("/v1/stock-adjustments", json!({"warehouse_code": from, "reason": "Count", "lines": less})).await,
                2 => app.post("/v1/stock-transfers", json!({"from_warehouse_code": from, "to_warehouse_code": to, "lines": more})).await,
                3 => {
                    let as_of = from_now(chance.random_range(-60..60));
                    let items: Vec<Value> = chosen
                        .iter()
                        .map(|p| json!({"product_id": p, "on_hand": chance.random_range(5..30).to_string(), "as_of": as_of}))
                        .collect();
                    let done = app.post("/v1/stock-syncs", json!({"system": "express", "warehouse_code": from, "items": items})).await;
                    assert_eq!(done["summary"]["failed"], 0, "{}", done.text);
                    done
                }
                _ => {
                    let held = reserve(&app, (&chosen[0], here), &chance.random_range(1..5).to_string()).await;
                    if held.status == 201 {
                        let verb = ["consume", "release", "extend"][chance.random_range(0..3)];
                        let body = if verb == "extend" { json!({"expires_at": from_now(600)}) } else { json!({}) };
                        app.post(&format!("/v1/stock-reservations/{}/{verb}", held.id()), body).await
                    } else {
                        held
                    }
                }
            };
            if !matches!(answer.status, 200 | 201) {
                answer.refused(409, "insufficient_stock");
            }
        }
    };
    join_all((0..32).map(one)).await;
    adds_up(&app).await;
}
