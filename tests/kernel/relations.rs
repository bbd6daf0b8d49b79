//! What holds between records, whatever the way a write comes in: references, hierarchies, what is in use, flags that one record has.

use crate::support::*;
use futures_util::future::join_all;
use reqwest::Method;

crate::on_both![
    a_record_in_use_is_not_deleted,
    a_code_in_use_is_neither_deleted_nor_renamed,
    a_record_is_not_restored_without_what_it_belongs_to,
    deleting_and_referring_at_once_leaves_no_reference_to_a_deleted_record,
    a_hierarchy_cannot_become_a_ring,
    a_crowd_cannot_close_a_ring,
    a_hierarchy_has_a_limit_of_levels,
    fields_that_others_rely_on_do_not_change_in_use,
    a_crowd_leaves_one_default,
    a_restored_record_does_not_take_its_flag_back,
    a_refusal_names_users_of_a_record_only_to_those_who_see_them,
];

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// Insists that a record is in use by a record of that resource, by that field.
async fn in_use(app: &App, path: &str, resource: &str, field: &str) {
    let version = app.get(path).await.is(200).version();
    let refused = app.delete(path).if_match(version).await.refused(409, "in_use");
    let named = refused["conflicts"].as_array().unwrap().iter().any(|c| c["resource"] == resource && c["field"] == field);
    assert!(named, "{}", refused.text);
    let batch = json!({"mode": "delete", "items": [{"id": path.rsplit('/').next().unwrap()}]});
    let answer = app.post(&format!("{}/batch", path.rsplit_once('/').unwrap().0), batch).await;
    if answer.status != 404 && answer.status != 405 {
        assert_eq!(answer.is(200)["results"][0]["error"]["code"], "in_use");
    }
}

async fn a_record_in_use_is_not_deleted(app: App) {
    let shop = crate::sales::Shop::open(&app).await;
    let book = id(&app.all("/v1/price-books", 50).await[0]);
    let warehouse = id(&app.all("/v1/warehouses", 50).await[0]);
    let account = shop.account().to_owned();
    let child = app.make("/v1/accounts", json!({"name": "Child", "parent_id": account, "price_book_id": book})).await;
    app.make("/v1/price-books", json!({"name": "Special", "currency": "THB", "parent_id": book})).await;
    let category = id(&app.make("/v1/product-categories", json!({"name": "Tea"})).await);
    let sub = id(&app.make("/v1/product-categories", json!({"name": "Green tea", "parent_id": category})).await);
    app.patch(&format!("/v1/products/{}", shop.tea()), json!({"category_id": sub})).await.is(200);
    in_use(&app, &format!("/v1/accounts/{account}"), "accounts", "parent_id").await;
    let order =
        app.make("/v1/orders", json!({"account_id": account, "warehouse_id": warehouse, "lines": [{"sku": "TEA", "quantity": "1"}]})).await;
    in_use(&app, &format!("/v1/accounts/{account}"), "orders", "account_id").await;
    in_use(&app, &format!("/v1/price-books/{book}"), "accounts", "price_book_id").await;
    in_use(&app, &format!("/v1/price-books/{book}"), "price_books", "parent_id").await;
    in_use(&app, &format!("/v1/price-books/{book}"), "orders", "price_book_id").await;
    in_use(&app, &format!("/v1/product-categories/{category}"), "product_categories", "parent_id").await;
    in_use(&app, &format!("/v1/product-categories/{sub}"), "products", "category_id").await;
    in_use(&app, &format!("/v1/products/{}", shop.tea()), "orders", "lines.product_id").await;
    in_use(&app, &format!("/v1/products/{}", shop.tea()), "stock_levels", "product_id").await;
    in_use(&app, &format!("/v1/products/{}", shop.tea()), "price_book_entries", "product_id").await;
    in_use(&app, &format!("/v1/warehouses/{warehouse}"), "orders", "warehouse_id").await;
    in_use(&app, &format!("/v1/warehouses/{warehouse}"), "stock_levels", "warehouse_id").await;
    // People: roles, teams, managers, owners, and the roles of keys.
    let team = app.team(None).await;
    let role = app.role(&["accounts:read/all"], &[]).await;
    let somebody = app.person(&["*:*/all"], &[], &[&team]).await;
    app.post("/v1/users", json!({"name": "U", "email": "u@example.com", "role_ids": [role], "manager_id": somebody.id})).await.is(201);
    let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
    app.make("/v1/accounts", json!({"name": "Of the team", "team_id": team})).await;
    in_use(&app, &format!("/v1/teams/{team}"), "users", "team_ids").await;
    in_use(&app, &format!("/v1/teams/{team}"), "accounts", "team_id").await;
    in_use(&app, &format!("/v1/roles/{role}"), "users", "role_ids").await;
    in_use(&app, &format!("/v1/roles/{role}"), "api_keys", "role_ids").await;
    in_use(&app, &format!("/v1/users/{}", somebody.id), "users", "manager_id").await;
    drop(key);
    // What is used no longer is deleted.
    app.post(&format!("/v1/orders/{}/cancel", id(&order)), json!({"reason": "x"})).await.is(200);
    app.patch(&format!("/v1/products/{}", shop.tea()), json!({"category_id": null})).await.is(200);
    app.delete(&format!("/v1/product-categories/{sub}")).await.is(204);
    app.delete(&format!("/v1/product-categories/{category}")).await.is(204);
    app.delete(&format!("/v1/accounts/{}", id(&child))).await.is(204);
    app.delete(&format!("/v1/accounts/{account}")).await.is(204);
    // The order was its customer's: it does not come back without.
    app.delete(&format!("/v1/orders/{}", id(&order))).await.is(204);
    app.ask(Method::POST, &format!("/v1/orders/{}/restore", id(&order))).await.refused(409, "conflict");
}

async fn a_code_in_use_is_neither_deleted_nor_renamed(app: App) {
    let vat = id(&app.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT", "rate": "7", "valid_to": "2026-06-30"})).await);
    let product = id(&app.make("/v1/products", json!({"sku": "TEA", "name": "Tea", "tax_code": "VAT7"})).await);
    let (rate, tea) = (format!("/v1/tax-rates/{vat}"), format!("/v1/products/{product}"));
    in_use(&app, &rate, "products", "tax_code").await;
    app.patch(&rate, json!({"code": "VAT10"})).await.refused(409, "in_use");
    app.patch(&rate, json!({"name": "Value added tax"})).await.is(200);
    // One of two rates of a code is not the code.
    let later = app.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT", "rate": "10", "valid_from": "2026-07-01"})).await;
    app.delete(&rate).await.is(204);
    in_use(&app, &format!("/v1/tax-rates/{}", id(&later)), "products", "tax_code").await;
    app.patch(&tea, json!({"tax_code": null})).await.is(200);
    app.delete(&format!("/v1/tax-rates/{}", id(&later))).await.is(204);

    let list = json!({"key": "routes", "name": "Routes", "values": [{"code": "north", "label": "North"}]});
    let list = format!("/v1/picklists/{}", id(&app.make("/v1/picklists", list).await));
    let field = json!({"resource": "accounts", "key": "route", "label": "Route", "type": "picklist", "picklist": "routes"});
    let field = id(&app.make("/v1/custom-fields", field).await);
    in_use(&app, &list, "custom_fields", "picklist").await;
    app.patch(&list, json!({"key": "ways"})).await.refused(409, "in_use");
    app.delete(&format!("/v1/custom-fields/{field}")).await.is(204);
    app.delete(&list).await.is(204);

    let system = format!(
        "/v1/external-systems/{}",
        id(&app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await)
    );
    let account = app.account("A").await;
    let reference = json!({"system": "erp", "resource": "accounts", "external_id": "C-1", "record_id": account});
    let reference = format!("/v1/external-references/{}", id(&app.make("/v1/external-references", reference).await));
    in_use(&app, &system, "external_references", "system").await;
    app.delete(&reference).await.is(204);
    app.delete(&system).await.is(204);
}

async fn a_record_is_not_restored_without_what_it_belongs_to(app: App) {
    let parent = app.account("Parent").await;
    let child = id(&app.make("/v1/accounts", json!({"name": "Child", "parent_id": parent})).await);
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somying"})).await);
    let link = id(&app.make("/v1/account-contacts", json!({"account_id": child, "contact_id": contact})).await);
    for path in [format!("/v1/account-contacts/{link}"), format!("/v1/accounts/{child}"), format!("/v1/accounts/{parent}")] {
        app.delete(&path).await.is(204);
    }
    let restore = |what: &str, id: &str| app.ask(Method::POST, &format!("/v1/{what}/{id}/restore"));
    restore("accounts", &child).await.refused(409, "conflict");
    restore("accounts", &parent).await.is(200);
    restore("accounts", &child).await.is(200);
    restore("account-contacts", &link).await.is(200);
}

async fn deleting_and_referring_at_once_leaves_no_reference_to_a_deleted_record(app: App) {
    for _ in 0..8 {
        let category = id(&app.make("/v1/product-categories", json!({"name": random_id()})).await);
        let refer = async |n: usize| {
            let product = json!({"sku": format!("P{n}-{category}"), "name": "P", "category_id": category});
            app.post("/v1/products", product).await.status
        };
        let delete = async { app.delete(&format!("/v1/product-categories/{category}")).await.status };
        let (deleted, made) = futures_util::future::join(delete, join_all((0..4).map(refer))).await;
        match deleted {
            204 => assert!(made.iter().all(|status| *status != 201), "{made:?}"),
            409 => assert!(made.contains(&201), "{made:?}"),
            other => assert_eq!(other, 503, "{made:?}"),
        }
    }
}

/// Two of a kind, and the field by which one comes below the other.
async fn pairs(app: &App) -> Vec<(&'static str, &'static str, [String; 2])> {
    let two = async |path: &str, body: &dyn Fn() -> Value| [id(&app.make(path, body()).await), id(&app.make(path, body()).await)];
    let email = || json!({"name": "U", "email": format!("{}@example.com", random_id())});
    let book = || json!({"name": random_id(), "currency": "THB"});
    let named = || json!({"name": random_id()});
    vec![
        ("/v1/accounts", "parent_id", two("/v1/accounts", &named).await),
        ("/v1/product-categories", "parent_id", two("/v1/product-categories", &named).await),
        ("/v1/users", "manager_id", two("/v1/users", &email).await),
        ("/v1/teams", "parent_id", two("/v1/teams", &named).await),
        ("/v1/price-books", "parent_id", two("/v1/price-books", &book).await),
    ]
}

async fn a_hierarchy_cannot_become_a_ring(app: App) {
    for (path, field, [a, b]) in pairs(&app).await {
        let pointer = format!("/{field}");
        app.patch(&format!("{path}/{a}"), json!({field: a})).await.refused(422, "validation_failed").fault(&pointer, "circular");
        app.patch(&format!("{path}/{a}"), json!({field: b})).await.is(200);
        app.patch(&format!("{path}/{b}"), json!({field: a})).await.refused(422, "validation_failed").fault(&pointer, "circular");
        let items = json!({"mode": "update", "items": [{"id": b, field: a}]});
        let answer = app.post(&format!("{path}/batch"), items).await.is(200);
        assert_eq!(answer["results"][0]["status"], "failed", "{}", answer.text);
        // What is above no longer may come below.
        app.patch(&format!("{path}/{a}"), json!({field: null})).await.is(200);
        app.patch(&format!("{path}/{b}"), json!({field: a})).await.is(200);
    }
}

async fn a_crowd_cannot_close_a_ring(app: App) {
    for (path, field) in [("/v1/accounts", "parent_id"), ("/v1/product-categories", "parent_id")] {
        for _ in 0..4 {
            let mut ring = vec![];
            for _ in 0..5 {
                ring.push(id(&app.make(path, json!({"name": random_id()})).await));
            }
            let below = async |n: usize| {
                let change = json!({field: ring[(n + 1) % ring.len()]});
                loop {
                    let status = app.patch(&format!("{path}/{}", ring[n]), change.clone()).await.status;
                    if status != 503 {
                        return status;
                    }
                }
            };
            let mut answers = join_all((0..ring.len()).map(below)).await;
            answers.sort_unstable();
            assert_eq!(answers, [200, 200, 200, 200, 422]);
        }
    }
}

async fn a_hierarchy_has_a_limit_of_levels(app: App) {
    let mut chain = vec![app.account("A").await];
    while chain.len() < 20 {
        let next = json!({"name": "A", "parent_id": chain.last()});
        chain.push(id(&app.make("/v1/accounts", next).await));
    }
    let deeper = json!({"name": "A", "parent_id": chain.last()});
    app.post("/v1/accounts", deeper).await.refused(422, "validation_failed").fault("/parent_id", "too_many_levels");
    // With what is below it.
    let [top, below] = [app.account("Top").await, app.account("Below").await];
    app.patch(&format!("/v1/accounts/{below}"), json!({"parent_id": top})).await.is(200);
    let under = json!({"parent_id": chain[18]});
    app.patch(&format!("/v1/accounts/{top}"), under).await.refused(422, "validation_failed").fault("/parent_id", "too_many_levels");
    app.patch(&format!("/v1/accounts/{top}"), json!({"parent_id": chain[17]})).await.is(200);
}

async fn fields_that_others_rely_on_do_not_change_in_use(app: App) {
    let shop = crate::sales::Shop::open(&app).await;
    let book = format!("/v1/price-books/{}", id(&app.all("/v1/price-books", 50).await[0]));
    let tea = format!("/v1/products/{}", shop.tea());
    for (path, change) in [(&book, json!({"currency": "USD"})), (&tea, json!({"unit": "bag"})), (&tea, json!({"tracked": "lot"}))] {
        app.patch(path, change.clone()).await.refused(409, "in_use");
        let mut item = change;
        item["id"] = json!(path.rsplit('/').next().unwrap());
        let batch = json!({"mode": "update", "items": [item]});
        let answer = app.post(&format!("{}/batch", path.rsplit_once('/').unwrap().0), batch).await.is(200);
        assert_eq!(answer["results"][0]["error"]["code"], "in_use");
    }
    app.patch(&book, json!({"name": "Retail 2027"})).await.is(200);
    app.patch(&tea, json!({"name": "Tea"})).await.is(200);
    // Of a book that only another one falls back on, and of a product without anything, too; and not of those of which there is nothing.
    let base = app.make("/v1/price-books", json!({"name": "Base", "currency": "THB"})).await;
    let path = format!("/v1/price-books/{}", id(&base));
    app.patch(&path, json!({"currency": "USD"})).await.is(200);
    app.make("/v1/price-books", json!({"name": "Child", "currency": "USD", "parent_id": base["id"]})).await;
    app.patch(&path, json!({"currency": "THB"})).await.refused(409, "in_use");
    let fresh = app.make("/v1/products", json!({"sku": "FRESH", "name": "Fresh", "unit": "box"})).await;
    app.patch(&format!("/v1/products/{}", id(&fresh)), json!({"unit": "bag", "tracked": "lot"})).await.is(200);
    // A quote in another currency than the book's is no quote.
    let ask = json!({"account_id": shop.account(), "currency": "USD", "lines": [{"sku": "TEA", "quantity": "1"}]});
    app.post("/v1/price-quotes", ask).await.is(422);
    let named = json!({"price_book_id": path.rsplit('/').next().unwrap(), "currency": "THB", "lines": [{"sku": "TEA", "quantity": "1"}]});
    app.post("/v1/price-quotes", named).await.refused(422, "validation_failed").fault("/currency", "not_of_price_book");
}

async fn a_crowd_leaves_one_default(app: App) {
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somying"})).await);
    let path = format!("/v1/contacts/{contact}/contact-points");
    let add = async |n: usize| {
        let point = json!({"kind": "email", "raw": format!("a{n}@example.com"), "is_primary": true});
        loop {
            let answer = app.post(&path, point.clone()).await;
            if answer.status != 503 {
                return answer.is(201).id();
            }
        }
    };
    let all = join_all((0..8).map(add)).await;
    let primary = async || {
        let all = app.all(&path, 50).await;
        all.iter().filter(|p| p["is_primary"] == true && p["kind"] == "email").map(id).collect::<Vec<_>>()
    };
    assert_eq!(primary().await.len(), 1);
    // Of another kind there is another one.
    app.make(&path, json!({"kind": "phone", "raw": "081 234 5678", "is_primary": true})).await;
    assert_eq!(primary().await.len(), 1);
    app.patch(&format!("{path}/{}", all[3]), json!({"is_primary": true})).await.is(200);
    assert_eq!(primary().await, [all[3].clone()]);
    // The same address twice is one too many, in any spelling; of a crowd of the same one is made.
    app.post(&path, json!({"kind": "email", "raw": "A3@Example.com"})).await.refused(409, "already_exists");
    let same = async |_| app.post(&path, json!({"kind": "line", "raw": "somying"})).await.status;
    let made = join_all((0..6).map(same)).await;
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    // Verified is the address, not the row.
    let point = app.make(&path, json!({"kind": "email", "raw": "old@example.com", "is_verified": true})).await;
    let path = format!("{path}/{}", id(&point));
    assert_eq!(app.patch(&path, json!({"label": "desk"})).await.is(200)["is_verified"], true);
    assert_eq!(app.patch(&path, json!({"raw": "OLD@example.com"})).await.is(200)["is_verified"], true, "the same address");
    assert_eq!(app.patch(&path, json!({"raw": "new@example.com"})).await.is(200)["is_verified"], false);
    assert_eq!(app.patch(&path, json!({"raw": "newer@example.com", "is_verified": true})).await.is(200)["is_verified"], true);
}

async fn a_restored_record_does_not_take_its_flag_back(app: App) {
    let first = id(&app.make("/v1/price-books", json!({"name": "First", "currency": "THB", "is_default": true})).await);
    app.delete(&format!("/v1/price-books/{first}")).await.is(204);
    let second = app.make("/v1/price-books", json!({"name": "Second", "currency": "THB", "is_default": true})).await;
    let restored = app.ask(Method::POST, &format!("/v1/price-books/{first}/restore")).await.is(200);
    assert_eq!(restored["is_default"], false);
    assert_eq!(ids(&app.get("/v1/price-books?is_default=true").await.is(200)), [id(&second)]);
}

async fn a_refusal_names_users_of_a_record_only_to_those_who_see_them(app: App) {
    let book = id(&app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB"})).await);
    app.make("/v1/accounts", json!({"name": "Unseen", "price_book_id": book})).await;
    let caller = app.person(&["price-books:*/all", "accounts:read/own"], &[], &[]).await.app;
    let refused = caller.delete(&format!("/v1/price-books/{book}")).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"], json!([]));
}
