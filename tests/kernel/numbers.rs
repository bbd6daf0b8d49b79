//! Numbers that the server gives.

use super::plans;
use crate::support::{contract::document, *};
use samphan_domain::sales::order::Order;
use samphan_persistence::{
    bulk,
    stored::{self, Stored},
};
use samphan_resource::{resource::Resource, shape::Shape};

crate::on_both![
    every_series_is_begun_and_its_numbers_are_unique,
    number_of_a_deleted_record_is_not_given_again,
    drafts_are_numbered_one_by_one_and_many_at_once,
];

fn numbered(shapes: &samphan_persistence::store::Shapes) -> Vec<&'static Shape> {
    shapes.values().copied().filter(|shape| shape.number.is_some()).collect()
}

async fn every_series_is_begun_and_its_numbers_are_unique(app: App) {
    let work = plans::work(&app).await;
    let all = numbered(work.store.shapes);
    assert!(all.len() >= 2);
    for shape in all {
        let (numbering, series) = shape.number.unwrap();
        let numbers = work.next_numbers(series, 3).await.unwrap();
        assert_eq!(numbers, [1, 2, 3], "{series}");
        let written = numbering.write(numbers[2]);
        assert!(written.starts_with(numbering.prefix) && written.len() == numbering.prefix.len() + numbering.width, "{written}");
        // What is given twice by mistake fails.
        let mut sql = work.sql();
        match work.store.dialect() {
            samphan_persistence::dialect::Dialect::Postgres => {
                sql.push("SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%UNIQUE%(number)%' AND tablename = ").text(shape.plural)
            }
            samphan_persistence::dialect::Dialect::Sqlite => {
                sql.push("SELECT count(*) FROM sqlite_master WHERE sql LIKE '%UNIQUE%(number)%' AND tbl_name = ").text(shape.plural)
            }
        };
        assert_eq!(work.count(sql).await.unwrap(), 1, "{} has a unique index of its number", shape.plural);
        let said = &document()["components"]["schemas"][shape.type_name]["properties"]["number"]["description"];
        assert!(said.as_str().unwrap().ends_with(&numbering.describe()), "{said}");
    }
    assert!(work.next_numbers("no_numbers", 1).await.is_err(), "a series that no migration began");
}

async fn number_of_a_deleted_record_is_not_given_again(app: App) {
    let account = app.account("A").await;
    let make = async || app.make("/v1/orders", json!({"account_id": account, "currency": "THB", "lines": []})).await;
    let [first, second] = [make().await, make().await];
    assert_eq!([&first["number"], &second["number"]], [&json!("SO-000001"), &json!("SO-000002")]);
    app.delete(&format!("/v1/orders/{}", second["id"].as_str().unwrap())).await.is(204);
    assert_eq!(make().await["number"], "SO-000003");
    let sent = json!({"account_id": account, "currency": "THB", "number": "SO-000009", "lines": []});
    app.post("/v1/orders", sent).await.refused(422, "validation_failed").fault("/number", "unknown_field");
    // What is refused may leave a hole, and takes no number from another.
    app.post("/v1/orders?dry_run=true", json!({"account_id": account, "currency": "THB", "lines": []})).await.is(201);
    let next = make().await;
    assert!(next["number"].as_str().unwrap() > "SO-000003", "{next}");
    let found = app.get(&format!("/v1/orders/by-number/{}", next["number"].as_str().unwrap())).await.is(200);
    assert_eq!(found["id"], next["id"]);
}

async fn drafts_are_numbered_one_by_one_and_many_at_once(app: App) {
    let account = app.account("A").await;
    let work = plans::work(&app).await;
    let draft = |number: &str| {
        let mut order: Order =
            serde_json::from_value(json!({"account_id": account, "currency": "THB", "ordered_on": "2026-01-05", "lines": []})).unwrap();
        order.number = number.to_owned();
        Stored::draft(order)
    };
    let one = stored::insert(&work, draft("")).await.unwrap();
    assert_eq!((one.data.number.as_str(), &one.record["number"]), ("SO-000001", &json!("SO-000001")));
    // A copy gets a number of its own.
    let many = bulk::insert_many(&work, vec![draft(""), draft("SO-000001"), draft("")]).await.unwrap();
    let numbers: Vec<&str> = many.iter().map(|made| made.data.number.as_str()).collect();
    assert_eq!(numbers, ["SO-000002", "SO-000003", "SO-000004"]);
    assert_eq!(Order::NUMBER.unwrap().write(1_234_567), "SO-1234567");
}
