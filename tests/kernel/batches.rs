//! Many writes at once, each item with a result of its own.

use crate::support::*;
use samphan_api::openapi;
use samphan_domain::customers::account::Account;
use samphan_persistence::{
    dialect::Dialect,
    store::{DatabaseOptions, Store},
    stored::{self, Stored},
};
use samphan_resource::caller::Caller;
use std::sync::Arc;

crate::on_both![
    results_come_in_the_order_of_the_items_and_one_bad_item_fails_alone,
    an_atomic_batch_keeps_all_or_nothing,
    items_are_updated_deleted_and_upserted_by_id,
    items_are_matched_by_external_id,
    an_item_that_fails_after_it_wrote_leaves_nothing,
    a_version_in_an_item_guards_it,
    a_batch_needs_the_permission_of_its_mode,
    names_are_given_in_a_batch,
    items_are_done_as_if_one_after_the_other,
    what_goes_with_each_record_goes_with_those_of_a_batch,
    records_written_together_take_a_handful_of_statements,
];

fn statuses(answer: &Answer) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap();
    assert!(results.iter().enumerate().all(|(i, r)| r["index"] == i));
    results.iter().map(|r| r["status"].as_str().unwrap()).collect()
}

async fn batch(app: &App, mode: &str, match_on: &str, items: Value) -> Answer {
    app.post("/v1/accounts/batch", json!({"mode": mode, "match_on": match_on, "items": items})).await.is(200)
}

async fn results_come_in_the_order_of_the_items_and_one_bad_item_fails_alone(app: App) {
    let items = json!([{"name": "A"}, {"name": ""}, {"grad": "B", "name": "C"}, 7, {"name": "D", "parent_id": random_id()}, {"name": "E"}]);
    let done = batch(&app, "create", "id", items).await;
    assert_eq!(statuses(&done), ["created", "failed", "failed", "failed", "failed", "created"]);
    let results = &done["results"];
    assert_eq!(results[1]["error"]["errors"][0]["pointer"], "/name");
    assert_eq!(results[2]["error"]["errors"][0]["did_you_mean"], "grade");
    assert_eq!(results[4]["error"]["errors"][0]["pointer"], "/parent_id");
    assert_eq!((&done["summary"]["received"], &done["summary"]["created"], &done["summary"]["failed"]), (&json!(6), &json!(2), &json!(4)));
    assert_eq!(column(&app.get("/v1/accounts?sort=name").await.is(200), "name"), ["A", "E"]);
    let events = app.get("/v1/audit-events?resource=accounts").await.is(200);
    assert_eq!(events["data"].as_array().unwrap().len(), 2);
}

async fn an_atomic_batch_keeps_all_or_nothing(app: App) {
    let items = json!([{"sku": "A", "name": "A"}, {"sku": "B", "name": "B"}, {"sku": "A", "name": "Again"}]);
    let refused = app.post("/v1/products/batch", json!({"mode": "create", "atomic": true, "items": items})).await;
    let refused = refused.refused(409, "already_exists");
    assert!(refused["errors"][0]["pointer"].as_str().unwrap().starts_with("/items/2"), "{}", refused.text);
    assert_eq!(app.get("/v1/products").await.is(200)["data"], json!([]));
    app.post("/v1/products/batch", json!({"mode": "create", "atomic": true, "items": [{"sku": "A", "name": "A"}]})).await.is(200);
}

async fn items_are_updated_deleted_and_upserted_by_id(app: App) {
    let made = batch(&app, "create", "id", json!([{"name": "A"}, {"name": "B"}])).await;
    let (a, b, new) = (&made["results"][0]["id"], &made["results"][1]["id"], random_id());
    let items = json!([{"id": b, "grade": "A"}, {"id": a, "name": "A"}, {"id": random_id(), "grade": "A"}, {"grade": "A"}]);
    assert_eq!(statuses(&batch(&app, "update", "id", items).await), ["updated", "unchanged", "failed", "failed"]);
    let items = json!([{"id": new, "name": "C"}, {"id": a, "grade": "B"}, {"id": new, "grade": "C"}, {"id": random_id()}]);
    let done = batch(&app, "upsert", "id", items).await;
    assert_eq!(statuses(&done), ["created", "updated", "updated", "failed"]);
    assert_eq!(done["results"][2]["version"], 2);
    assert_eq!(app.get(&format!("/v1/accounts/{new}")).await.is(200)["grade"], "C");
    assert_eq!(statuses(&batch(&app, "delete", "id", json!([{"id": a}, {"id": a}, {"id": b}])).await), ["deleted", "failed", "deleted"]);
    assert_eq!(column(&app.get("/v1/accounts").await.is(200), "name"), ["C"]);
}

async fn items_are_matched_by_external_id(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let on = "external_id:express";
    let items = json!([{"external_id": "2", "name": "Two"}, {"external_id": "1", "name": "One"}, {"external_id": "2", "grade": "A"}, {"name": "?"}]);
    let done = batch(&app, "upsert", on, items).await;
    assert_eq!(statuses(&done), ["created", "created", "updated", "failed"]);
    assert_eq!((&done["results"][0]["id"], &done["results"][0]["external_id"]), (&done["results"][2]["id"], &json!("2")));
    assert_eq!(statuses(&batch(&app, "upsert", on, json!([{"external_id": "1", "name": "One"}])).await), ["unchanged"]);
    let items = json!([{"external_id": "1", "grade": "Z"}, {"external_id": "9", "grade": "Z"}]);
    assert_eq!(statuses(&batch(&app, "update", on, items).await), ["updated", "failed"]);
    assert_eq!(statuses(&batch(&app, "delete", on, json!([{"external_id": "1"}])).await), ["deleted"]);
    app.get("/v1/accounts/by-external-id/express/1").await.refused(404, "not_found");
    let odd = json!({"mode": "upsert", "match_on": "name", "items": [{"name": "A"}]});
    app.post("/v1/accounts/batch", odd).await.refused(422, "validation_failed").fault("/match_on", "unknown_value");
}

async fn an_item_that_fails_after_it_wrote_leaves_nothing(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let on = "external_id:express";
    batch(&app, "create", on, json!([{"external_id": "1", "name": "One"}])).await;
    // The second of these is made before its number turns out to be taken.
    let items = json!([{"external_id": "2", "name": "Two"}, {"external_id": "1", "name": "Again"}, {"external_id": "3", "name": "Three"}]);
    let done = batch(&app, "create", on, items).await;
    assert_eq!(statuses(&done), ["created", "failed", "created"]);
    assert_eq!(done["results"][1]["error"]["code"], "already_exists");
    assert_eq!(column(&app.get("/v1/accounts?sort=name").await.is(200), "name"), ["One", "Three", "Two"]);
    assert_eq!(app.get("/v1/search?q=again").await.is(200)["data"], json!([]));
    let kinds = column(&app.get("/v1/audit-events?resource=accounts").await.is(200), "kind");
    assert_eq!(kinds.iter().filter(|kind| *kind == "account.created").count(), 3);
}

async fn a_version_in_an_item_guards_it(app: App) {
    let id = app.account("A").await;
    let items = json!([{"id": id, "version": 7, "grade": "A"}, {"id": id, "version": 1, "grade": "B"}]);
    let done = batch(&app, "update", "id", items).await;
    assert_eq!(statuses(&done), ["failed", "updated"]);
    assert_eq!(done["results"][0]["error"]["code"], "version_conflict");
}

async fn a_batch_needs_the_permission_of_its_mode(app: App) {
    let id = app.account("A").await;
    let maker = app.person(&["accounts:read/all", "accounts:create/all"], &[], &[]).await.app;
    let send = |mode: &str, item: Value| maker.post("/v1/accounts/batch", json!({"mode": mode, "items": [item]}));
    send("create", json!({"name": "B"})).await.is(200);
    for mode in ["update", "upsert", "delete"] {
        send(mode, json!({"id": id})).await.refused(403, "forbidden");
    }
}

async fn names_are_given_in_a_batch(app: App) {
    // External references have a field that is called as the key of other batches is.
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let (a, b) = (app.account("A").await, app.account("B").await);
    let item = |id: &str, name: Value| json!({"system": "express", "resource": "accounts", "external_id": name, "record_id": id});
    let items = json!([item(&a, json!("C-1")), item(&b, json!("C-1")), item(&b, json!("C-2")), item(&b, json!(null))]);
    let done = app.post("/v1/external-references/batch", json!({"mode": "create", "items": items})).await.is(200);
    assert_eq!(statuses(&done), ["created", "failed", "created", "failed"]);
    assert_eq!((&done["results"][0]["external_id"], &done["results"][1]["error"]["code"]), (&json!("C-1"), &json!("already_exists")));
    assert_eq!(app.get("/v1/accounts/by-external-id/express/C-2").await.is(200).id(), b);
}

async fn items_are_done_as_if_one_after_the_other(app: App) {
    let products = async |mode: &str, items: Value| app.post("/v1/products/batch", json!({"mode": mode, "items": items})).await.is(200);
    // What an item takes or gives up holds for those after it.
    let made = products("create", json!([{"sku": "A", "name": "A"}, {"sku": "a", "name": "Again"}, {"sku": "B", "name": "B"}])).await;
    assert_eq!(statuses(&made), ["created", "failed", "created"]);
    assert_eq!(made["results"][1]["error"]["code"], "already_exists");
    let (a, b) = (&made["results"][0]["id"], &made["results"][2]["id"]);
    let moves = json!([{"id": b, "sku": "A"}, {"id": a, "sku": "C"}, {"id": b, "sku": "A"}, {"id": a, "sku": "B"}]);
    assert_eq!(statuses(&products("update", moves).await), ["failed", "updated", "updated", "updated"]);
    let skus = column(&app.get("/v1/products?sort=sku").await.is(200), "sku");
    assert_eq!(skus, ["A", "B"]);
    let both = json!([{"id": a, "sku": "D"}, {"id": random_id(), "sku": "B", "name": "New"}]);
    assert_eq!(statuses(&products("upsert", both).await), ["updated", "created"]);
    let (parent, child) = (random_id(), random_id());
    // A record may name one before it.
    let items =
        json!([{"id": parent, "name": "P"}, {"id": child, "name": "C", "parent_id": parent}, {"name": "X", "parent_id": random_id()}]);
    assert_eq!(statuses(&batch(&app, "create", "id", items).await), ["created", "created", "failed"]);
    let ring = json!([{"id": parent, "parent_id": child}, {"id": child, "parent_id": null}, {"id": parent, "parent_id": child}]);
    assert_eq!(statuses(&batch(&app, "update", "id", ring).await), ["failed", "updated", "updated"]);
}

async fn what_goes_with_each_record_goes_with_those_of_a_batch(app: App) {
    let items: Vec<Value> = (0..30).map(|n| json!({"name": format!("Customer {n}"), "grade": "A", "tags": ["new"]})).collect();
    let made = batch(&app, "create", "id", json!(items)).await;
    let ids: Vec<&Value> = made["results"].as_array().unwrap().iter().map(|r| &r["id"]).collect();
    let other = app.person(&["accounts:*/own"], &[], &[]).await;
    let items: Vec<Value> =
        ids.iter().enumerate().map(|(n, id)| json!({"id": id, "grade": "B", "owner_id": other.id, "name": format!("Shop {n}")})).collect();
    batch(&app, "update", "id", json!(items)).await;
    for path in ["/v1/accounts?tags=new", "/v1/accounts?grade=B", "/v1/accounts?q=shop"] {
        assert_eq!(app.get(&format!("{path}&count=exact")).await.is(200)["total"], 30, "{path}");
    }
    assert_eq!(app.get("/v1/accounts?q=customer&count=exact").await.is(200)["total"], 0);
    assert_eq!(other.app.get("/v1/search?q=shop&limit=100").await.is(200)["data"].as_array().unwrap().len(), 30, "the owner finds them");
    let first = ids[0].as_str().unwrap();
    let grades = app.get(&format!("/v1/accounts/{first}/grade-history?sort=created_at")).await.is(200);
    assert_eq!(column(&grades, "to_grade"), ["A", "B"]);
    assert_eq!(app.get(&format!("/v1/accounts/{first}/lifecycle-history")).await.is(200)["data"].as_array().unwrap().len(), 1);
    let events = app.get("/v1/audit-events?resource=accounts&kind=account.updated&count=exact").await.is(200);
    assert_eq!((&events["total"], &events["data"][0]["changed_fields"]), (&json!(30), &json!(["owner_id", "name", "grade"])));
}

async fn records_written_together_take_a_handful_of_statements(app: App) {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
    let shape = work.shape("accounts").unwrap();
    let body = |n: usize| json!({"name": format!("Customer {n}"), "tags": ["new"]}).as_object().unwrap().clone();
    let drafts = (0..300).map(|n| Stored::<Account>::from_body(shape, body(n), None).unwrap()).collect();
    let made: Vec<Stored<Account>> = stored::create_many(&work, drafts).await.unwrap().into_iter().map(Result::unwrap).collect();
    // The rows, search entries and tags of each group. SQLite's search entries are inserted one by one, each with its number.
    let (groups, for_search) = if work.store.dialect() == Dialect::Sqlite { (15, 300) } else { (3, 3) };
    assert_eq!(work.write_attempts(), 2 * groups + for_search);
    let graded = made.into_iter().map(|before| {
        let mut after = before.clone();
        after.data.grade = Some("A".to_owned());
        (before, after)
    });
    let before = work.write_attempts();
    let changed = stored::update_many(&work, graded.collect(), "updated", None).await.unwrap();
    assert!(changed.iter().all(|one| one.as_ref().is_ok_and(|one| one.version() == 2)));
    assert_eq!(work.write_attempts() - before, groups);
    work.roll_back().await.unwrap();
}
