//! An activity is related to any record: that says whose account and contact it is of, and who sees it.

use super::id;
use crate::{sales::Shop, support::*};

crate::on_both![
    account_and_contact_come_from_the_related_record,
    value_that_disagrees_with_the_related_record_is_refused,
    unseen_related_record_is_refused_as_one_that_never_was,
    activity_follows_the_related_record_to_another_account,
    owner_of_an_order_reads_its_notes_and_not_those_of_its_account,
    private_note_is_nowhere_for_others,
    reach_over_notes_limits_what_accounts_and_orders_show,
];

/// An order for a contact of the shop's account.
async fn ordered(app: &App, shop: &Shop) -> (String, String) {
    let contact = super::contact_of(app, shop.account(), "Somying").await;
    let body = json!({"account_id": shop.account(), "contact_id": contact, "lines": [{"product_id": shop.tea(), "quantity": "1"}]});
    (id(&app.make("/v1/orders", body).await), contact)
}

fn about(order: &str, body: &str) -> Value {
    json!({"related_resource": "orders", "related_id": order, "body": body})
}

async fn account_and_contact_come_from_the_related_record(app: App) {
    let shop = Shop::open(&app).await;
    let (order, contact) = ordered(&app, &shop).await;
    let note = app.make("/v1/notes", about(&order, "Call first.")).await;
    assert_eq!((&note["account_id"], &note["contact_id"]), (&json!(shop.account()), &json!(contact)));
    // What says it itself may say the same.
    let mut same = about(&order, "Call first.");
    same["account_id"] = json!(shop.account());
    assert_eq!(app.make("/v1/notes", same).await["contact_id"], json!(contact));
    let of_account = json!({"related_resource": "accounts", "related_id": shop.account(), "body": "x"});
    assert_eq!(app.make("/v1/notes", of_account).await["account_id"], json!(shop.account()));
    let of_contact = json!({"related_resource": "contacts", "related_id": contact, "account_id": shop.account(), "body": "x"});
    let note = app.make("/v1/notes", of_contact).await;
    assert_eq!((&note["account_id"], &note["contact_id"]), (&json!(shop.account()), &json!(contact)));
    // Another order is another account, whatever the way in.
    let other = app.account("Another").await;
    let lines = json!([{"product_id": shop.tea(), "quantity": "1"}]);
    let second = id(&app.make("/v1/orders", json!({"account_id": other, "lines": lines})).await);
    let path = format!("/v1/notes/{}", id(&note));
    let moved = app.patch(&path, json!({"related_resource": "orders", "related_id": second, "contact_id": null})).await.is(200);
    assert_eq!((&moved["account_id"], &moved["contact_id"]), (&json!(other), &json!(null)));
    let items = json!([about(&order, "a"), about(&second, "b"), about(&random_id(), "c")]);
    let batch = app.post("/v1/notes/batch", json!({"mode": "create", "items": items})).await.is(200);
    assert_eq!(batch["summary"]["created"], 2, "{}", batch.text);
    for (n, account) in [(0, shop.account()), (1, other.as_str())] {
        let made = app.get(&format!("/v1/notes/{}", batch["results"][n]["id"].as_str().unwrap())).await.is(200);
        assert_eq!(made["account_id"], json!(account));
    }
    // Cut from the order, the note stays the account's.
    let cut = app.patch(&path, json!({"related_resource": null, "related_id": null})).await.is(200);
    assert_eq!(cut["account_id"], json!(other));
}

async fn value_that_disagrees_with_the_related_record_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    let (order, _) = ordered(&app, &shop).await;
    let other = app.account("Another").await;
    let mut wrong = about(&order, "x");
    wrong["account_id"] = json!(other);
    app.post("/v1/notes", wrong).await.refused(422, "validation_failed").fault("/account_id", "not_of_account");
    let note = app.make("/v1/notes", about(&order, "x")).await;
    let path = format!("/v1/notes/{}", id(&note));
    app.patch(&path, json!({"account_id": other})).await.refused(422, "validation_failed").fault("/account_id", "not_of_account");
    // What the order says is not taken away, either.
    assert_eq!(app.patch(&path, json!({"account_id": null})).await.is(200)["account_id"], json!(shop.account()));
    app.post("/v1/notes", json!({"related_id": order, "body": "x"}))
        .await
        .refused(422, "validation_failed")
        .fault("/related_id", "ambiguous_key");
    let tag = id(&app.make("/v1/tags", json!({"name": "vip"})).await);
    let tagged = json!({"related_resource": "tags", "related_id": tag, "body": "x"});
    let fault = app.post("/v1/notes", tagged).await.refused(422, "validation_failed").fault("/related_resource", "unknown_value");
    let allowed = fault["allowed"].as_array().unwrap();
    assert!(["accounts", "contacts", "orders", "shipments"].iter().all(|name| allowed.contains(&json!(name))), "{fault}");
    assert!(!allowed.contains(&json!("notes")) && !allowed.contains(&json!("users")), "{fault}");
}

async fn unseen_related_record_is_refused_as_one_that_never_was(app: App) {
    let shop = Shop::open(&app).await;
    let (order, _) = ordered(&app, &shop).await;
    let seller = app.person(&["notes:*/own", "orders:read/own", "accounts:read/own", "contacts:read/own"], &[], &[]).await.app;
    let ask = async |id: &str| seller.post("/v1/notes", about(id, "x")).await.refused(422, "validation_failed");
    let (unseen, unknown) = (ask(&order).await, ask(&random_id()).await);
    assert_eq!(unseen["errors"], unknown["errors"], "nothing more is said of the one than of the other");
    unseen.fault("/related_id", "unknown_reference");
    app.delete(&format!("/v1/orders/{order}")).await.is(204);
    app.post("/v1/notes", about(&order, "x")).await.refused(422, "validation_failed").fault("/related_id", "unknown_reference");
    // Without the permission no order is found, whichever is named: that is said.
    let narrow = app.person(&["notes:*/all"], &[], &[]).await.app;
    assert_eq!(narrow.post("/v1/notes", about(&order, "x")).await.refused(403, "forbidden")["allowed"], json!(["orders:read"]));
}

async fn activity_follows_the_related_record_to_another_account(app: App) {
    let shop = Shop::open(&app).await;
    let order = json!({"account_id": shop.account(), "lines": [{"product_id": shop.tea(), "quantity": "1"}]});
    let order = id(&app.make("/v1/orders", order).await);
    let (kept, deleted) = (app.make("/v1/notes", about(&order, "a")).await, app.make("/v1/notes", about(&order, "b")).await);
    app.delete(&format!("/v1/notes/{}", id(&deleted))).await.is(204);
    let other = app.account("Another").await;
    app.patch(&format!("/v1/orders/{order}"), json!({"account_id": other})).await.is(200);
    assert_eq!(app.get(&format!("/v1/notes/{}", id(&kept))).await.is(200)["account_id"], json!(other));
    let restored = app.post(&format!("/v1/notes/{}/restore", id(&deleted)), json!({})).await.is(200);
    assert_eq!(restored["account_id"], json!(other));
}

const READING: [&str; 9] = [
    "notes:*/own",
    "calls:*/own",
    "orders:read/own",
    "accounts:read/own",
    "contacts:read/own",
    "account-contacts:read/own",
    "changes:read/all",
    "shipments:read/own",
    "order-invoices:read/own",
];

/// Example 30.
async fn owner_of_an_order_reads_its_notes_and_not_those_of_its_account(app: App) {
    let shop = Shop::open(&app).await;
    let seller = app.person(&READING, &[], &[]).await;
    let (order, _) = ordered(&app, &shop).await;
    app.patch(&format!("/v1/orders/{order}"), json!({"owner_id": seller.id})).await.is(200);
    let of_order = id(&app.make("/v1/notes", about(&order, "Tangerine of the order")).await);
    let of_account = id(&app.make("/v1/notes", json!({"account_id": shop.account(), "body": "Tangerine of the account"})).await);
    let own = id(&seller.app.make("/v1/notes", about(&order, "Tangerine of the seller")).await);
    seller.app.get(&format!("/v1/notes/{of_order}")).await.is(200);
    seller.app.get(&format!("/v1/notes/{of_account}")).await.refused(404, "not_found");
    let mut seen = vec![of_order.clone(), own.clone()];
    seen.sort();
    for sort in ["id", "-created_at", "updated_at"] {
        let page = seller.app.get(&format!("/v1/notes?count=exact&sort={sort}")).await.is(200);
        let mut found = ids(&page);
        found.sort();
        assert_eq!((found, &page["total"]), (seen.clone(), &json!(2)), "{sort}");
    }
    let page = seller.app.get(&format!("/v1/notes?related_id={order}")).await.is(200);
    assert_eq!(ids(&page).len(), 2);
    let found = seller.app.get("/v1/search?q=Tangerine&resources=notes").await.is(200);
    let mut found = ids(&found);
    found.sort();
    assert_eq!(found, seen);
    let mut exported: Vec<String> = seller.app.get("/v1/notes/export").await.is(200).rows().iter().map(|row| row["id"].clone()).collect();
    exported.sort();
    assert_eq!(exported, seen);
    let feed = seller.app.feed().await;
    let told: Vec<&str> = feed.iter().filter(|e| e["resource"] == "notes").map(|e| e["resource_id"].as_str().unwrap()).collect();
    assert!(told.contains(&of_order.as_str()) && told.contains(&own.as_str()) && !told.contains(&of_account.as_str()), "{told:?}");
    // To see is not to change.
    seller.app.patch(&format!("/v1/notes/{of_order}"), json!({"body": "x"})).await.refused(403, "forbidden");
    // The owner of the account reads both, whoever wrote them.
    let manager = app.person(&READING, &[], &[]).await;
    app.patch(&format!("/v1/accounts/{}", shop.account()), json!({"owner_id": manager.id})).await.is(200);
    assert_eq!(ids(&manager.app.get("/v1/notes").await.is(200)).len(), 3);
    // An order that is deleted shows its notes no more.
    app.delete(&format!("/v1/orders/{order}")).await.is(204);
    assert_eq!(ids(&seller.app.get("/v1/notes").await.is(200)), [own]);
    seller.app.get(&format!("/v1/notes/{of_order}")).await.refused(404, "not_found");
}

/// Example 30, too.
async fn private_note_is_nowhere_for_others(app: App) {
    let account = app.account("Siam").await;
    let manager = app.admin().await;
    let seller = app.person(&["*:*/all"], &[], &[]).await;
    let mut note = json!({"account_id": account, "body": "Persimmon", "visibility": "private"});
    let private = id(&seller.app.make("/v1/notes", note.clone()).await);
    note["visibility"] = json!("internal");
    let open = id(&seller.app.make("/v1/notes", note).await);
    let team = app.team(None).await;
    app.patch(&format!("/v1/notes/{open}"), json!({"team_id": team})).await.is(200);
    for (reader, expected) in [(&seller.app, vec![private.clone(), open.clone()]), (&manager.app, vec![open.clone()])] {
        let sees = expected.contains(&private);
        for query in [
            "",
            "sort=-created_at&",
            "visibility=private,internal&",
            &format!("owner_id={}&", seller.id),
            &format!("account_id={account}&"),
        ] {
            let page = reader.get(&format!("/v1/notes?{query}count=exact")).await.is(200);
            assert_eq!((ids(&page).contains(&private), &page["total"]), (sees, &json!(expected.len())), "{query}");
        }
        assert_eq!(reader.get(&format!("/v1/notes/{private}")).await.status, if sees { 200 } else { 404 });
        assert_eq!(ids(&reader.get("/v1/search?q=Persimmon").await.is(200)).contains(&private), sees);
        assert_eq!(ids(&reader.get("/v1/notes?q=Persimmon").await.is(200)).contains(&private), sees);
        let rows = reader.get("/v1/notes/export").await.is(200).rows();
        assert_eq!(rows.iter().any(|row| row["id"] == private), sees);
        assert_eq!(reader.feed().await.iter().any(|e| e["resource_id"] == json!(private)), sees);
        let audit = reader.get("/v1/audit-events?resource=notes&count=exact").await.is(200);
        assert_eq!(audit["data"].as_array().unwrap().iter().any(|e| e["resource_id"] == json!(private)), sees);
        let timeline = reader.get(&format!("/v1/accounts/{account}/timeline")).await.is(200);
        assert_eq!(ids(&timeline).contains(&private), sees);
    }
    same_but_request_id(
        &manager.app.get(&format!("/v1/notes/{private}")).await,
        &manager.app.get(&format!("/v1/notes/{}", random_id())).await,
    );
    manager.app.patch(&format!("/v1/notes/{private}"), json!({"visibility": "internal"})).await.refused(404, "not_found");
    manager.app.delete(&format!("/v1/notes/{private}")).await.refused(404, "not_found");
    // Another user's note is made private by that user.
    let refused = manager.app.patch(&format!("/v1/notes/{open}"), json!({"visibility": "private"})).await;
    refused.refused(422, "validation_failed").fault("/visibility", "not_allowed");
    seller.app.patch(&format!("/v1/notes/{private}"), json!({"visibility": "shared"})).await.is(200);
    assert_eq!(manager.app.get(&format!("/v1/notes/{private}")).await.is(200)["body"], "Persimmon");
}

/// With every account readable and `own` over notes, an account that is a colleague's lends nothing.
async fn reach_over_notes_limits_what_accounts_and_orders_show(app: App) {
    let account = app.account("A colleague's").await;
    app.make("/v1/notes", json!({"account_id": account, "body": "x"})).await;
    let reader = app.person(&["notes:read/own", "accounts:read/all", "contacts:read/all", "orders:read/all"], &[], &[]).await.app;
    assert!(ids(&reader.get("/v1/notes").await.is(200)).is_empty());
    assert!(ids(&reader.get(&format!("/v1/accounts/{account}/timeline")).await.is(200)).is_empty());
}
