//! Levels follow from the ledger: what was spoilt is found, and put right.

use super::*;
use crate::support::program::output;

crate::on_both![levels_are_made_anew_from_the_ledger, lots_and_serial_numbers_are_made_anew_from_the_ledger];

async fn levels_are_made_anew_from_the_ledger(app: App) {
    let (tea, bkk) = tea(&app, "10").await;
    product(&app, "RICE", json!({})).await;
    receive(&app, "BKK1", json!([{"sku": "RICE", "quantity": "4"}])).await.is(201);
    reserve(&app, (&tea, &bkk), "3").await.is(201);
    let words = ["stock", "rebuild", "--database-url", app.database_url()];
    let (rebuild, check) = (|| output(&words), || output(&[&words[..], &["--check"]].concat()));
    assert_eq!(check().status.code(), Some(0));
    let good = app.all("/v1/stock-levels", 50).await;
    let spoil = work(&store(&app, 1).await, now()).await;
    let mut sql = spoil.sql();
    sql.push("UPDATE stock_levels SET on_hand = on_hand + 20000, reserved = 10000 WHERE reserved > 0");
    assert_eq!(spoil.execute(sql).await.unwrap(), 1);
    spoil.commit().await.unwrap();
    let found = check();
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found.status.code(), Some(1), "{said}");
    assert_eq!(said.trim(), format!("product {tea} warehouse {bkk}: on_hand 12 is 10, reserved 1 is 3"));
    assert_eq!(standing(&app, &tea, &bkk).await, ["12", "1", "11"], "a check changes nothing");
    assert_eq!(rebuild().status.code(), Some(0));
    assert_eq!((standing(&app, &tea, &bkk).await, check().status.code()), (["10", "3", "7"].map(str::to_owned), Some(0)));
    let bare = |levels: Vec<Value>| -> Vec<Value> {
        let ours = ["version", "updated_at", "updated_by_id"];
        let bare = |mut level: Value| {
            level.as_object_mut().unwrap().retain(|name, _| !ours.contains(&name.as_str()));
            level
        };
        levels.into_iter().map(bare).collect()
    };
    assert_eq!(bare(app.all("/v1/stock-levels", 50).await), bare(good));
    // A level that is lost altogether comes back.
    let spoil = work(&store(&app, 1).await, now()).await;
    let mut sql = spoil.sql();
    sql.push("DELETE FROM stock_levels");
    assert_eq!(spoil.execute(sql).await.unwrap(), 2);
    spoil.commit().await.unwrap();
    assert_eq!(rebuild().status.code(), Some(0));
    assert_eq!(standing(&app, &tea, &bkk).await, ["10", "3", "7"]);
    assert_eq!(app.all("/v1/stock-levels", 50).await.len(), 2);
}

async fn lots_and_serial_numbers_are_made_anew_from_the_ledger(app: App) {
    let phone = product(&app, "PHONE", json!({"tracked": "serial"})).await;
    let milk = product(&app, "MILK", json!({"tracked": "lot"})).await;
    let (a, b) = (warehouse(&app, "A").await, warehouse(&app, "B").await);
    let piece = |serial: &str| json!({"sku": "PHONE", "quantity": "1", "serial_no": serial});
    let lot = |lot: &str, quantity: &str| json!({"sku": "MILK", "quantity": quantity, "lot_no": lot});
    receive(&app, "A", json!([piece("S1"), piece("S2"), lot("L1", "5"), lot("L2", "3")])).await.is(201);
    receive(&app, "B", json!([piece("S3")])).await.is(201);
    // What had numbers before it was tracked: the ledger cannot tell them, and says nothing of them.
    let old = product(&app, "OLD", json!({})).await;
    receive(&app, "A", json!([{"sku": "OLD", "quantity": "1", "serial_no": "O1"}])).await.is(201);
    let out = json!({"warehouse_code": "A", "reason": "sold", "lines": [{"sku": "OLD", "quantity": "-1"}]});
    app.post("/v1/stock-adjustments", out).await.is(201);
    app.patch(&format!("/v1/products/{old}"), json!({"tracked": "serial"})).await.is(200);
    let words = ["stock", "rebuild", "--database-url", app.database_url()];
    let (rebuild, check) = (|| output(&words), || output(&[&words[..], &["--check"]].concat()));
    let said = check();
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stdout));
    let id = |text: &str| text.parse().unwrap();
    let spoil = app.work().await;
    for statement in [
        "DELETE FROM stock_serials WHERE serial_no = 'S1'",
        "DELETE FROM stock_lots WHERE lot_no = 'L2'",
        "UPDATE stock_lots SET quantity = quantity + 20000 WHERE lot_no = 'L1'",
    ] {
        let mut sql = spoil.sql();
        sql.push(statement);
        assert_eq!(spoil.execute(sql).await.unwrap(), 1, "{statement}");
    }
    let mut sql = spoil.sql();
    sql.push("UPDATE stock_serials SET warehouse_id = ").id(id(&b)).push(" WHERE serial_no = 'S2'");
    assert_eq!(spoil.execute(sql).await.unwrap(), 1);
    let mut sql = spoil.sql();
    sql.push("INSERT INTO stock_serials (product_id, serial_no, warehouse_id) VALUES (")
        .id(id(&phone))
        .push(", 'S9', ")
        .id(id(&a))
        .push(")");
    spoil.execute(sql).await.unwrap();
    spoil.commit().await.unwrap();
    let found = check();
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found.status.code(), Some(1), "{said}");
    let mut lines: Vec<&str> = said.lines().collect();
    lines.sort_unstable();
    let mut wanted = [
        format!("product {phone} serial number S1: warehouse none is {a}"),
        format!("product {phone} serial number S2: warehouse {b} is {a}"),
        format!("product {phone} serial number S9: warehouse {a} is none"),
        format!("product {milk} warehouse {a} lot L1: 7 is 5"),
        format!("product {milk} warehouse {a} lot L2: 0 is 3"),
    ];
    wanted.sort_unstable();
    assert_eq!(lines, wanted);
    assert_eq!(rebuild().status.code(), Some(0));
    assert_eq!(check().status.code(), Some(0));
    let leaves = async |line: Value| {
        let lines = json!([line]);
        app.post("/v1/stock-adjustments", json!({"warehouse_code": "A", "reason": "sold", "lines": lines})).await.status
    };
    let gone = |serial: &str| json!({"sku": "PHONE", "quantity": "-1", "serial_no": serial});
    assert_eq!([leaves(gone("S1")).await, leaves(gone("S2")).await, leaves(gone("S9")).await], [201, 201, 409]);
    assert_eq!([leaves(lot("L2", "-3")).await, leaves(lot("L1", "-6")).await, leaves(lot("L1", "-5")).await], [201, 409, 201]);
    adds_up(&app).await;
}
