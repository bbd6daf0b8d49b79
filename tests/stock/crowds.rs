//! Many at once: never a piece oversold, nobody waits for ever, and nobody is told anything but yes or no.

use super::*;
use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use samphan::stock::ledger::{self, Entry, Want};
use samphan_domain::{
    id::{ProductId, WarehouseId},
    money::{Quantity, SCALE, SignedQuantity},
    stock::stock_movement::MovementKind,
};

crate::on_both![
    sixty_four_want_the_last_hundred_pieces_at_once,
    orders_of_many_lines_in_any_order_do_not_wait_in_a_circle,
    a_level_is_made_once_by_many_at_once,
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
        let want = |(product, warehouse): (uuid::Uuid, uuid::Uuid), pieces: i64| Want {
            product_id: ProductId(product),
            warehouse_id: WarehouseId(warehouse),
            quantity: Quantity(pieces * SCALE),
            expires_at: Some(from_now(3600)),
            source: None,
        };
        let wants: Vec<Want> = lines.into_iter().map(|key| want(key, chance.random_range(1..4))).collect();
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
        let entry = |product: &String| Entry {
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
