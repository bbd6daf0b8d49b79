//! What another system counts: absolute, in any order, never refused for what is promised.

use super::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

crate::on_both![
    counts_come_by_the_systems_own_names,
    every_item_has_a_result_of_its_own,
    late_doubled_and_reordered_counts_change_nothing,
    any_order_doubling_and_batching_ends_in_the_same_stock,
    what_moved_here_since_the_count_is_on_top,
    a_count_below_what_is_promised_is_taken_and_told,
    who_may_not_count_is_refused,
    a_thousand_items_are_taken_and_one_more_is_not,
];

/// Registers `express`, and warehouse `BKK1`, which it calls `01`.
async fn express(app: &App) -> String {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "erp"})).await;
    app.put("/v1/warehouses/by-external-id/express/01", json!({"code": "BKK1", "name": "Bangkok"})).await.is(201).id()
}

/// A product that `express` calls by that name.
async fn item(app: &App, external_id: &str) -> String {
    let body = json!({"sku": format!("SKU-{external_id}"), "name": external_id});
    app.put(&format!("/v1/products/by-external-id/express/{external_id}"), body).await.is(201).id()
}

async fn sync(app: &App, items: Value) -> Answer {
    app.post("/v1/stock-syncs", json!({"system": "express", "warehouse_external_id": "01", "items": items})).await.is(200)
}

fn statuses(answer: &Answer) -> Vec<&str> {
    answer["results"].as_array().unwrap().iter().map(|r| r["status"].as_str().unwrap()).collect()
}

async fn counts_come_by_the_systems_own_names(app: App) {
    let (bkk, tea, rice) = (express(&app).await, item(&app, "I-1").await, item(&app, "I-2").await);
    let at = "2026-11-21T10:00:00Z";
    let done = sync(
        &app,
        json!([
            {"external_id": "I-1", "on_hand": "120", "as_of": at, "source_sequence": 7},
            {"sku": "SKU-I-2", "on_hand": "0", "as_of": at},
        ]),
    )
    .await;
    assert_eq!(statuses(&done), ["applied", "applied"], "{}", done.text);
    let kept = level(&app, &tea, &bkk).await;
    assert_eq!((&done["results"][0]["id"], &done["results"][0]["version"]), (&kept["id"], &kept["version"]));
    let said = json!({"on_hand": "120", "available": "120", "system": "express", "as_of": at, "source_sequence": 7, "counted": "120"});
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&kept[name], value, "{name}");
    }
    assert_eq!(standing(&app, &rice, &bkk).await, ["0", "0", "0"]);
    let ledger = app.all("/v1/stock-movements", 50).await;
    assert_eq!(ledger.len(), 1, "nothing is booked where nothing differs");
    assert_eq!((&ledger[0]["kind"], &ledger[0]["quantity"], &ledger[0]["system"]), (&json!("sync"), &json!("120"), &json!("express")));
    let again = json!({"system": "express", "warehouse_code": "BKK1", "items": [{"product_id": tea, "on_hand": "100", "as_of": "2026-11-21T11:00:00Z"}]});
    assert_eq!(statuses(&app.post("/v1/stock-syncs", again).await.is(200)), ["applied"]);
    assert_eq!(app.all("/v1/stock-movements", 50).await[1]["quantity"], "-20");
    assert!(app.get("/v1/external-systems?code=express").await.is(200)["data"][0]["last_seen_at"].is_string());
    adds_up(&app).await;
}

async fn every_item_has_a_result_of_its_own(app: App) {
    let (bkk, tea) = (express(&app).await, item(&app, "A").await);
    product(&app, "ADVICE", json!({"kind": "service"})).await;
    let at = "2026-01-02T03:04:05Z";
    let items = json!([
        {"external_id": "A", "on_hand": "5", "as_of": at},
        {"external_id": "a", "on_hand": "5", "as_of": at},
        {"sku": "NONE", "on_hand": "5", "as_of": at},
        {"product_id": random_id(), "on_hand": "5", "as_of": at},
        {"on_hand": "5", "as_of": at},
        {"external_id": "A", "sku": "SKU-A", "on_hand": "5", "as_of": at},
        {"external_id": "A", "on_hand": "6", "as_of": from_now(3600)},
        {"external_id": "A", "on_hand": "6", "as_of": "2026-01-02T03:04:05"},
        {"external_id": "A", "on_hand": 6, "as_of": at},
        {"external_id": "A", "on_hand": "922337203685477.5807", "as_of": at},
        {"external_id": "A", "as_of": at},
        {"external_id": "A", "on_hand": "6", "as_of": at, "source_sequence": "7"},
        {"sku": "ADVICE", "on_hand": "6", "as_of": at},
        7,
        {"external_id": "A", "on_hand": "-2", "as_of": from_now(240)},
    ]);
    let done = sync(&app, items).await;
    let mut expected = vec!["failed"; 15];
    (expected[0], expected[14]) = ("applied", "applied");
    assert_eq!(statuses(&done), expected, "{}", done.text);
    let fault = |n: usize| {
        let fault = &done["results"][n]["error"]["errors"][0];
        (fault["pointer"].as_str().unwrap(), fault["code"].as_str().unwrap())
    };
    assert_eq!(fault(1), ("/external_id", "unknown_external_id"));
    assert_eq!((fault(2), fault(3)), (("/sku", "unknown_reference"), ("/product_id", "unknown_reference")));
    assert_eq!((fault(4).1, fault(5).1, fault(6).1), ("ambiguous_key", "ambiguous_key", "as_of_in_future"));
    assert_eq!((fault(7).0, fault(8).0, fault(9)), ("/as_of", "/on_hand", ("/on_hand", "out_of_range")));
    assert_eq!((fault(10).1, fault(11).0, fault(12).1), ("required", "/source_sequence", "not_stocked"));
    assert_eq!(done["results"][1]["external_id"], "a");
    assert_eq!((&done["summary"]["applied"], &done["summary"]["failed"]), (&json!(2), &json!(13)));
    assert_eq!(standing(&app, &tea, &bkk).await, ["-2", "0", "-2"], "a system that lets its stock go below zero says so");
    adds_up(&app).await;
}

async fn late_doubled_and_reordered_counts_change_nothing(app: App) {
    let (bkk, tea) = (express(&app).await, item(&app, "A").await);
    let count = |hour: u32, sequence: i64, on_hand: &str| json!([{"external_id": "A", "on_hand": on_hand, "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "source_sequence": sequence}]);
    assert_eq!(statuses(&sync(&app, count(10, 9, "50")).await), ["applied"]);
    let before = (level(&app, &tea, &bkk).await, told(&app, "stock_levels").await);
    for (late, status) in
        [(count(10, 9, "50"), "unchanged"), (count(9, 10, "40"), "stale"), (count(10, 8, "40"), "stale"), (count(10, 9, "60"), "stale")]
    {
        let done = sync(&app, late).await;
        assert_eq!((statuses(&done)[0], &done["results"][0]["version"]), (status, &before.0["version"]), "{}", done.text);
    }
    assert_eq!((level(&app, &tea, &bkk).await, told(&app, "stock_levels").await), before, "and nothing is told to anybody");
    // Of two that say different things of one moment the smaller holds; numbers are compared as numbers.
    assert_eq!(statuses(&sync(&app, count(10, 9, "45")).await), ["applied"]);
    assert_eq!(statuses(&sync(&app, count(10, 10, "70")).await), ["applied"]);
    assert_eq!(standing(&app, &tea, &bkk).await[0], "70");
    // A newer count of the same is noted, but it is no news.
    let events = told(&app, "stock_levels").await;
    assert_eq!(statuses(&sync(&app, count(11, 1, "70")).await), ["applied"]);
    assert_eq!(told(&app, "stock_levels").await, events);
    assert_eq!(level(&app, &tea, &bkk).await["as_of"], "2026-01-02T11:00:00Z");
    adds_up(&app).await;
}

async fn any_order_doubling_and_batching_ends_in_the_same_stock(app: App) {
    let bkk = express(&app).await;
    let mut chance = StdRng::seed_from_u64(7);
    let counts: Vec<Value> = (0..12)
        .map(|_| {
            let mut count = json!({"on_hand": chance.random_range(-3_i32..40).to_string(), "as_of": format!("2026-01-02T1{}:00:00Z", chance.random_range(0..4))});
            if chance.random_bool(0.7) {
                count["source_sequence"] = json!(chance.random_range(1..4));
            }
            count
        })
        .collect();
    let mut ends = vec![];
    for n in 0..8 {
        let (name, product) = (format!("P{n}"), item(&app, &format!("P{n}")).await);
        let mut order: Vec<&Value> = counts.iter().chain(counts.iter().filter(|_| n % 2 == 1)).collect();
        order.shuffle(&mut chance);
        while !order.is_empty() {
            let some = order.split_off(order.len() - chance.random_range(1..=order.len()));
            let items: Vec<Value> = some
                .into_iter()
                .map(|count| {
                    let mut item = count.clone();
                    item["external_id"] = json!(name);
                    item
                })
                .collect();
            assert!(!statuses(&sync(&app, json!(items)).await).contains(&"failed"));
        }
        let kept = level(&app, &product, &bkk).await;
        ends.push(["on_hand", "counted", "as_of", "source_sequence"].map(|field| kept[field].clone()));
    }
    assert!(ends.windows(2).all(|two| two[0] == two[1]), "{ends:?}");
    adds_up(&app).await;
}

async fn what_moved_here_since_the_count_is_on_top(app: App) {
    let (bkk, tea) = (express(&app).await, item(&app, "A").await);
    let count = |seconds: i64, on_hand: &str| json!([{"external_id": "A", "on_hand": on_hand, "as_of": from_now(seconds)}]);
    sync(&app, count(-3600, "100")).await;
    let held = reserve(&app, (&tea, &bkk), "30").await.is(201).id();
    app.post(&format!("/v1/stock-reservations/{held}/consume"), json!({})).await.is(200);
    assert_eq!(standing(&app, &tea, &bkk).await, ["70", "0", "70"]);
    // Counted before those left: they do not come back.
    assert_eq!(statuses(&sync(&app, count(-60, "100")).await), ["applied"]);
    assert_eq!(standing(&app, &tea, &bkk).await, ["70", "0", "70"]);
    // Counted after they left.
    assert_eq!(statuses(&sync(&app, count(120, "68")).await), ["applied"]);
    assert_eq!(standing(&app, &tea, &bkk).await, ["68", "0", "68"]);
    adds_up(&app).await;
}

async fn a_count_below_what_is_promised_is_taken_and_told(app: App) {
    let (bkk, tea) = (express(&app).await, item(&app, "A").await);
    let count = |seconds: i64, on_hand: &str| json!([{"external_id": "A", "on_hand": on_hand, "as_of": from_now(seconds)}]);
    sync(&app, count(-600, "10")).await;
    let held = reserve(&app, (&tea, &bkk), "8").await.is(201).id();
    let oversold = async || told(&app, "stock_levels").await.iter().filter(|kind| *kind == "stock_level.oversold").count();
    assert_eq!(statuses(&sync(&app, count(-500, "5")).await), ["applied"]);
    let kept = level(&app, &tea, &bkk).await;
    assert_eq!((&kept["available"], &kept["backordered"]), (&json!("-3"), &json!("3")));
    assert_eq!(oversold().await, 1);
    sync(&app, count(-400, "4")).await;
    assert_eq!(oversold().await, 1, "at the crossing only");
    reserve(&app, (&tea, &bkk), "1").await.refused(409, "insufficient_stock");
    // What is not there cannot be issued, whatever was promised.
    app.post(&format!("/v1/stock-reservations/{held}/consume"), json!({})).await.refused(409, "insufficient_stock");
    app.post(&format!("/v1/stock-reservations/{held}/consume"), json!({"quantity": "4"})).await.is(200);
    app.post(&format!("/v1/stock-reservations/{held}/release"), json!(null)).await.is(200);
    let kept = level(&app, &tea, &bkk).await;
    assert_eq!((&kept["on_hand"], &kept["available"], &kept["backordered"]), (&json!("0"), &json!("0"), &json!("0")));
    adds_up(&app).await;
}

async fn who_may_not_count_is_refused(app: App) {
    express(&app).await;
    item(&app, "A").await;
    let body = |system: &str, place: Value| {
        let mut body = json!({"system": system, "items": [{"external_id": "A", "on_hand": "5", "as_of": "2026-01-02T03:04:05Z"}]});
        body.as_object_mut().unwrap().extend(place.as_object().cloned().unwrap());
        body
    };
    let here = || json!({"warehouse_code": "BKK1"});
    let send = |app: &App, body: Value| app.post("/v1/stock-syncs", body);
    send(&app, body("sap", here())).await.refused(422, "unknown_reference").fault("/system", "unknown_reference");
    send(&app, body("express", json!({}))).await.refused(422, "validation_failed").fault("/warehouse_external_id", "ambiguous_key");
    let unknown = json!({"warehouse_external_id": "99"});
    send(&app, body("express", unknown)).await.refused(422, "unknown_external_id").fault("/warehouse_external_id", "unknown_external_id");
    let key = app.api_key(&["stock-levels:sync/all"], json!({"systems": ["sap"]})).await.is(201);
    send(&app.as_(&key.text_of("token")), body("express", here())).await.refused(403, "forbidden");
    let key = app.api_key(&["stock-levels:sync/all"], json!({"systems": ["express"]})).await.is(201);
    assert_eq!(statuses(&send(&app.as_(&key.text_of("token")), body("express", here())).await.is(200)), ["applied"]);
    let id = ids(&app.get("/v1/external-systems").await.is(200)).remove(0);
    app.post(&format!("/v1/external-systems/{id}/pause"), json!(null)).await.is(200);
    send(&app, body("express", here())).await.refused(409, "conflict");
}

async fn a_thousand_items_are_taken_and_one_more_is_not(app: App) {
    let bkk = express(&app).await;
    let products: Vec<Value> =
        (0..1000).map(|n| json!({"sku": format!("S{n}"), "name": format!("S{n}"), "external_id": format!("X{n}")})).collect();
    let made = json!({"mode": "upsert", "match_on": "external_id:express", "atomic": true, "items": products});
    app.post("/v1/products/batch", made).await.is(200);
    let items = |hour: u32, many: usize| -> Value {
        (0..many).map(|n| json!({"external_id": format!("X{}", n % 1000), "on_hand": n.to_string(), "as_of": format!("2026-01-02T{hour:02}:00:00Z")})).collect()
    };
    for hour in 1..3 {
        let done = sync(&app, items(hour, 1000)).await;
        assert_eq!(done["summary"]["applied"], 1000, "{}", done.text);
    }
    let sum: i64 =
        app.all("/v1/stock-levels?sort=-available", 200).await.iter().map(|l| l["on_hand"].as_str().unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(sum, (0..1000).sum::<i64>());
    let more = json!({"system": "express", "warehouse_code": "BKK1", "items": items(3, 1001)});
    app.post("/v1/stock-syncs", more).await.refused(422, "validation_failed").fault("/items", "too_many_items");
    assert_eq!(app.all(&format!("/v1/stock-movements?warehouse_id={bkk}"), 200).await.len(), 999, "one of them is none");
    adds_up(&app).await;
}
