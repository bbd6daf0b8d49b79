//! Writing once, or not at all: idempotency keys, dry runs, external ids.

use crate::support::*;
use futures_util::future::join_all;

crate::on_both![
    a_repeat_with_the_same_key_answers_the_same_bytes,
    a_key_with_another_body_is_refused,
    a_secret_is_made_once_and_shown_once,
    a_failed_request_stores_nothing_under_its_key,
    twenty_posts_at_once_with_one_key_make_one_record,
    writers_at_once_keep_all_that_was_acknowledged_and_nothing_else,
    a_key_belongs_to_its_caller,
    a_dry_run_answers_as_the_write_would_and_keeps_nothing,
    an_upsert_by_external_id_makes_then_updates,
];

async fn total(app: &App) -> i64 {
    app.get("/v1/accounts?count=exact&limit=1").await.is(200)["total"].as_i64().unwrap()
}

async fn a_repeat_with_the_same_key_answers_the_same_bytes(app: App) {
    let ask = || app.post("/v1/accounts", json!({"name": "A"})).key("k-1");
    let (first, again) = (ask().await.is(201), ask().await.is(201));
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_eq!(
        (&first.text, first.header("location"), first.header("etag")),
        (&again.text, again.header("location"), again.header("etag"))
    );
    assert_eq!(total(&app).await, 1);
    let path = format!("/v1/accounts/{}", first.id());
    let patch = || app.patch(&path, json!({"grade": "B"})).key("k-2");
    let first = patch().await.is(200);
    app.patch(&path, json!({"grade": "C"})).await.is(200);
    let again = patch().await.is(200);
    assert_eq!((first.text, "true"), (again.text.clone(), again.header("idempotency-replayed")));
    assert_eq!(app.get(&path).await["grade"], "C");
}

async fn a_key_with_another_body_is_refused(app: App) {
    app.post("/v1/accounts", json!({"name": "A"})).key("k").await.is(201);
    app.post("/v1/accounts", json!({"name": "B"})).key("k").await.refused(422, "idempotency_key_reused");
    app.post("/v1/contacts", json!({"first_name": "A"})).key("k").await.refused(422, "idempotency_key_reused");
    assert_eq!(total(&app).await, 1);
    app.post("/v1/accounts", json!({"name": "A"})).key(&"x".repeat(256)).await.refused(400, "invalid_header");
}

async fn a_secret_is_made_once_and_shown_once(app: App) {
    let role = app.role(&["accounts:read/all"], &[]).await;
    let key = |name: &str| json!({"name": name, "role_ids": [role]});
    let endpoint = |name: &str| json!({"url": format!("https://example.com/{name}")});
    for (path, body, other, rotate) in [
        ("/v1/api-keys", key("Express"), key("Other"), "rotate"),
        ("/v1/webhook-endpoints", endpoint("express"), endpoint("other"), "rotate-secret"),
    ] {
        app.post(&format!("{path}?dry_run=true"), body.clone()).key(path).await.is(201);
        let make = || app.post(path, body.clone()).key(path);
        let made = make().await.is(201);
        let location = made.header("location").to_owned();
        let again = make().await.refused(409, "conflict");
        assert!(again["detail"].as_str().unwrap().contains(&location), "{}", again.text);
        app.post(path, other).key(path).await.refused(422, "idempotency_key_reused");
        assert_eq!(app.all(path, 200).await.len(), 1, "{path}");
        let rotate = || app.post(&format!("{location}/{rotate}"), json!(null)).key(&location);
        let version = rotate().await.is(200).header("etag").to_owned();
        assert!(rotate().await.refused(409, "conflict")["detail"].as_str().unwrap().contains(&location));
        assert_eq!(app.get(&location).await.header("etag"), version);
        for secret in ["token", "client_secret", "secret"].iter().filter_map(|name| made[*name].as_str()) {
            assert!(!again.text.contains(secret));
        }
    }
}

async fn a_failed_request_stores_nothing_under_its_key(app: App) {
    app.post("/v1/accounts", json!({"name": ""})).key("k").await.refused(422, "validation_failed");
    let product = json!({"sku": "T", "name": "Tea"});
    let first = app.post("/v1/products", product.clone()).await.is(201).id();
    app.post("/v1/products", product.clone()).key("p").await.refused(409, "already_exists");
    app.delete(&format!("/v1/products/{first}")).await.is(204);
    assert_eq!(app.post("/v1/products", product).key("p").await.is(201).header("idempotency-replayed"), "");
    app.post("/v1/accounts", json!({"name": "A"})).key("k").await.is(201);
}

async fn twenty_posts_at_once_with_one_key_make_one_record(app: App) {
    let all = join_all((0..20).map(|_| app.post("/v1/accounts", json!({"name": "Once"})).key("once").into_future())).await;
    let (made, waiting): (Vec<_>, Vec<_>) = all.into_iter().partition(|a| a.status == 201);
    assert!(!made.is_empty() && made.iter().all(|a| a.text == made[0].text));
    for answer in waiting {
        assert!(!answer.refused(409, "idempotency_in_progress").header("retry-after").is_empty());
    }
    assert_eq!(total(&app).await, 1);
}

async fn writers_at_once_keep_all_that_was_acknowledged_and_nothing_else(app: App) {
    let write = async |n: usize| {
        let product = |sku: &str| json!({"sku": sku, "name": format!("Product {n}")});
        match n % 4 {
            // Refused while others write, tried in vain, and kept: each must leave the others as they are.
            0 => app.post("/v1/products", product("same")).await,
            1 => app.post("/v1/products?dry_run=true", product(&format!("dry-{n}"))).await,
            _ => {
                let made = app.post("/v1/products", product(&format!("kept-{n}"))).await.is(201);
                let path = format!("/v1/products/{}", made.id());
                assert_eq!(app.get(&path).await.is(200)["name"], format!("Product {n}"), "what was acknowledged is there at once");
                let found = app.get(&format!("/v1/search?q=Product%20{n}")).await.is(200);
                assert!(column(&found, "path").contains(&path), "and found");
                made
            }
        }
    };
    let all = join_all((0..60).map(write)).await;
    let same = all.iter().step_by(4).filter(|a| a.status == 201).count();
    assert_eq!((same, all.iter().step_by(4).filter(|a| a.status == 409).count()), (1, 14));
    let kept = app.get("/v1/products?limit=200&sort=sku").await.is(200);
    let skus = column(&kept, "sku");
    assert_eq!((skus.len(), skus.iter().filter(|s| s.starts_with("kept-")).count()), (31, 30));
}

async fn a_key_belongs_to_its_caller(app: App) {
    let other = app.person(&["accounts:create/all", "accounts:read/all"], &[], &[]).await.app;
    let mine = app.post("/v1/accounts", json!({"name": "A"})).key("k").await.is(201);
    let theirs = other.post("/v1/accounts", json!({"name": "A"})).key("k").await.is(201);
    assert_ne!(mine.id(), theirs.id());
}

async fn a_dry_run_answers_as_the_write_would_and_keeps_nothing(app: App) {
    let made = app.post("/v1/accounts?dry_run=true", json!({"name": "A"})).key("k").await.is(201);
    app.get(&format!("/v1/accounts/{}", made.id())).await.refused(404, "not_found");
    app.post("/v1/accounts?dry_run=true", json!({"name": "A", "grad": 1})).await.refused(422, "validation_failed");
    let path = format!("/v1/accounts/{}", app.account("Real").await);
    let before = app.get(&path).await;
    let patched = app.patch(&format!("{path}?dry_run=true"), json!({"grade": "A"})).await.is(200);
    assert_eq!((&patched["grade"], patched.version()), (&json!("A"), 2));
    let moved = app.post(&format!("{path}/change-lifecycle?dry_run=true"), json!({"to": "active"})).await.is(200);
    assert_eq!(moved["lifecycle_stage"], "active");
    app.delete(&format!("{path}?dry_run=true")).await.is(204);
    let batch = json!({"mode": "create", "items": [{"name": "B"}, {"name": ""}]});
    let done = app.post("/v1/accounts/batch?dry_run=true", batch).await.is(200);
    assert_eq!((&done["summary"]["created"], &done["summary"]["failed"]), (&json!(1), &json!(1)));
    assert_eq!(app.get(&path).await.body, before.body);
    assert_eq!(total(&app).await, 1);
    let kinds = column(&app.get("/v1/audit-events?resource=accounts").await.is(200), "kind");
    assert_eq!(kinds, ["account.created"]);
    // The key of a dry run is still free.
    app.post("/v1/accounts", json!({"name": "A"})).key("k").await.is(201);
    app.post("/v1/accounts?dry_run=maybe", json!({"name": "A"})).await.refused(400, "invalid_query");
}

async fn an_upsert_by_external_id_makes_then_updates(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let path = "/v1/accounts/by-external-id/express/C-001";
    app.get(path).await.refused(404, "not_found");
    let made = app.put(path, json!({"name": "Siam", "grade": "A"})).await.is(201);
    assert_eq!(made.header("location"), format!("/v1/accounts/{}", made.id()));
    assert_eq!(made["external_refs"], json!([{"system": "express", "external_type": "account", "external_id": "C-001"}]));
    let same = app.put(path, json!({"name": "Siam"})).await.is(200);
    assert_eq!((same.id(), same.version(), &same["grade"]), (made.id(), 1, &json!("A")));
    assert_eq!(app.put(path, json!({"name": "Siam Tea"})).await.is(200).version(), 2);
    app.put(path, json!({"name": "Siam"})).if_match(1).await.refused(412, "version_conflict");
    app.put(path, json!({"name": "Siam"})).header("if-none-match", "*").await.refused(412, "precondition_failed");
    assert_eq!(app.get(path).await.is(200)["name"], "Siam Tea");
    assert_eq!(app.put("/v1/accounts/by-external-id/express/c-001", json!({"name": "Other"})).await.is(201)["name"], "Other");
    app.put("/v1/accounts/by-external-id/nobody/1", json!({"name": "X"})).await.refused(422, "unknown_reference");
    assert_eq!(app.get("/v1/accounts?q=C-001").await.is(200)["data"].as_array().unwrap().len(), 2);
}
