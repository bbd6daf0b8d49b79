//! Levels follow from the ledger: what was spoilt is found, and put right.

use super::*;
use crate::support::program::output;

crate::on_both![levels_are_made_anew_from_the_ledger];

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
