//! One record: made, read, changed, deleted, restored.

use crate::support::*;

crate::on_both![
    a_record_is_made_with_location_and_etag,
    an_id_of_the_clients_own_is_kept_and_refused_the_second_time,
    an_etag_that_still_holds_answers_304,
    a_patch_clears_with_null_and_leaves_what_is_left_out,
    a_patch_that_changes_nothing_keeps_the_version,
    a_stale_if_match_is_412_and_names_the_current_version,
    a_deleted_record_is_gone_everywhere_until_restored,
    a_unique_value_is_refused_by_name_and_free_after_delete,
    a_restore_is_refused_while_another_holds_the_name,
    fields_and_expand_choose_what_is_answered,
    count_adds_the_total,
    available_actions_follow_state_and_rights,
    tags_are_kept_in_lower_case_sorted_and_once,
];

async fn a_record_is_made_with_location_and_etag(app: App) {
    let made = app.post("/v1/accounts", json!({"name": "Siam Trading", "grade": "A"})).await.is(201);
    assert_eq!(made.header("location"), format!("/v1/accounts/{}", made.id()));
    assert_eq!(made.header("etag"), "\"1\"");
    assert_eq!(made.version(), 1);
    let id: uuid::Uuid = made.id().parse().unwrap();
    assert_eq!(id.get_version_num(), 7);
    let me = app.get("/v1/me").await.is(200).id();
    assert_eq!((&made["created_by_id"], &made["owner_id"]), (&json!(me), &json!(me)));
    assert!(made.text_of("created_at").ends_with('Z'));
    let read = app.get(made.header("location")).await.is(200);
    assert_eq!(read.body, made.body);
    assert_eq!(read.header("etag"), "\"1\"");
}

async fn an_id_of_the_clients_own_is_kept_and_refused_the_second_time(app: App) {
    let id = random_id();
    assert_eq!(app.post("/v1/accounts", json!({"id": id, "name": "Offline"})).await.is(201).id(), id);
    let again = app.post("/v1/accounts", json!({"id": id, "name": "Offline"})).await.refused(409, "already_exists");
    assert_eq!(again["conflicts"], json!([{"resource": "accounts", "id": id, "field": "id"}]));
    app.delete(&format!("/v1/accounts/{id}")).await.is(204);
    app.post("/v1/accounts", json!({"id": id, "name": "Offline"})).await.refused(409, "already_exists");
}

async fn an_etag_that_still_holds_answers_304(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    let unchanged = app.get(&path).header("if-none-match", "\"1\"").await.is(304);
    assert_eq!((unchanged.text.as_str(), unchanged.header("etag")), ("", "\"1\""));
    app.patch(&path, json!({"grade": "B"})).await.is(200);
    app.get(&path).header("if-none-match", "\"1\"").await.is(200);
    app.get(&path).header("if-none-match", "\"7\", W/\"2\"").await.is(304);
}

async fn a_patch_clears_with_null_and_leaves_what_is_left_out(app: App) {
    let made = app.make("/v1/accounts", json!({"name": "A", "grade": "B", "industry": "tea", "tags": ["x"]})).await;
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    let patch =
        app.ask(reqwest::Method::PATCH, &path).raw("application/merge-patch+json", r#"{"grade":null,"website":"https://a.example"}"#);
    let after = patch.await.is(200);
    assert_eq!((&after["grade"], &after["industry"], &after["website"]), (&Value::Null, &json!("tea"), &json!("https://a.example")));
    assert_eq!((&after["tags"], after.version(), after.header("etag")), (&json!(["x"]), 2, "\"2\""));
    app.patch(&path, json!({"name": null})).await.refused(422, "validation_failed").fault("/name", "null_not_allowed");
    assert_eq!(app.get(&path).await.body, after.body);
}

async fn a_patch_that_changes_nothing_keeps_the_version(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    let before = app.get(&path).await;
    let after = app.patch(&path, json!({"name": "A", "grade": null})).await.is(200);
    assert_eq!(after.body, before.body);
    let events = app.get(&format!("/v1/audit-events?resource_id={}", before.id())).await.is(200);
    assert_eq!(column(&events, "kind"), ["account.created"]);
}

async fn a_stale_if_match_is_412_and_names_the_current_version(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    app.patch(&path, json!({"grade": "B"})).if_match(1).await.is(200);
    for refused in [
        app.patch(&path, json!({"grade": "C"})).if_match(1).await,
        app.delete(&path).if_match(1).await,
        app.post(&format!("{path}/change-lifecycle"), json!({"to": "active"})).if_match(1).await,
    ] {
        let refused = refused.refused(412, "version_conflict");
        assert_eq!((refused.header("etag"), &refused["current_version"]), ("\"2\"", &json!(2)));
    }
    assert_eq!(app.post("/v1/accounts", json!({})).await.refused(422, "validation_failed")["current_version"], Value::Null);
    assert_eq!(app.get(&path).await["grade"], "B");
    app.patch(&path, json!({"grade": "D"})).header("if-match", "*").await.is(200);
    app.delete(&path).if_match(3).await.is(204);
}

async fn a_deleted_record_is_gone_everywhere_until_restored(app: App) {
    let path = format!("/v1/accounts/{}", app.account("Vanishing Tea").await);
    let address = app.make(&format!("{path}/addresses"), json!({"purpose": "billing", "line1": "1"})).await;
    let address = format!("{path}/addresses/{}", address["id"].as_str().unwrap());
    app.delete(&path).await.is(204);
    for gone in [
        app.get(&path).await,
        app.get(&address).await,
        app.get(&format!("{path}/addresses")).await,
        app.patch(&path, json!({"grade": "A"})).await,
        app.delete(&path).await,
        app.post(&format!("{path}/assign"), json!({})).await,
    ] {
        gone.refused(404, "not_found");
    }
    for list in ["/v1/accounts?count=exact", "/v1/accounts?q=vanishing", "/v1/accounts?name=Vanishing%20Tea", "/v1/search?q=vanishing"] {
        assert_eq!(app.get(list).await.is(200)["data"], json!([]), "{list}");
    }
    let back = app.post(&format!("{path}/restore"), json!({})).await.is(200);
    assert_eq!(back.version(), 3);
    assert_eq!(app.get(&path).await.is(200).body, back.body);
    app.get(&address).await.is(200);
    assert_eq!(app.get("/v1/search?q=vanishing").await["data"].as_array().unwrap().len(), 1);
}

async fn a_unique_value_is_refused_by_name_and_free_after_delete(app: App) {
    let first = app.post("/v1/products", json!({"sku": "TEA-1", "name": "Tea"})).await.is(201);
    let refused = app.post("/v1/products", json!({"sku": "TEA-1", "name": "Other"})).await.refused(409, "already_exists");
    assert_eq!(refused["conflicts"], json!([{"resource": "products", "id": first.id(), "field": "sku"}]));
    let other = app.post("/v1/products", json!({"sku": "TEA-2", "name": "Other"})).await.is(201);
    app.patch(&format!("/v1/products/{}", other.id()), json!({"sku": "TEA-1"})).await.refused(409, "already_exists");
    app.delete(&format!("/v1/products/{}", first.id())).await.is(204);
    app.patch(&format!("/v1/products/{}", other.id()), json!({"sku": "TEA-1"})).await.is(200);
}

async fn a_restore_is_refused_while_another_holds_the_name(app: App) {
    let first = app.post("/v1/products", json!({"sku": "TEA-1", "name": "Tea"})).await.is(201).id();
    app.delete(&format!("/v1/products/{first}")).await.is(204);
    let second = app.post("/v1/products", json!({"sku": "TEA-1", "name": "Tea"})).await.is(201).id();
    let refused = app.post(&format!("/v1/products/{first}/restore"), json!({})).await.refused(409, "already_exists");
    assert_eq!(refused["conflicts"][0]["id"], json!(second));
    app.delete(&format!("/v1/products/{second}")).await.is(204);
    app.post(&format!("/v1/products/{first}/restore"), json!({})).await.is(200);
}

async fn fields_and_expand_choose_what_is_answered(app: App) {
    let parent = app.account("Mother").await;
    let child = app.make("/v1/accounts", json!({"name": "Daughter", "parent_id": parent})).await;
    let path = format!("/v1/accounts/{}", child["id"].as_str().unwrap());
    let all = app.get(&format!("{path}?expand=parent,owner,price_book")).await.is(200);
    assert_eq!(all["expanded"]["parent"]["name"], "Mother");
    assert_eq!(all["expanded"]["owner"]["name"], "Administrator");
    assert_eq!((&all["expanded"]["price_book"], &all["parent_id"]), (&Value::Null, &json!(parent)));
    let page = app.get("/v1/accounts?expand=parent&sort=-name").await.is(200);
    assert_eq!(page["data"][0]["expanded"], json!({"parent": null}));
    assert_eq!(page["data"][1]["expanded"]["parent"]["id"], json!(parent));
    let body = json!({"expand": ["parent"], "filter": {"field": "name", "op": "eq", "value": "Daughter"}});
    assert_eq!(app.post("/v1/accounts/search", body).await.is(200)["data"][0]["expanded"]["parent"]["id"], json!(parent));
    app.get(&format!("{path}?expand=onwer")).await.refused(400, "invalid_query").fault("?expand", "unknown_field");
}

async fn count_adds_the_total(app: App) {
    app.make_many("/v1/accounts", &(0..7).map(|n| json!({"name": format!("A {n}"), "is_vip": n < 3})).collect::<Vec<_>>()).await;
    assert_eq!(app.get("/v1/accounts?limit=2").await.is(200)["total"], Value::Null);
    let page = app.get("/v1/accounts?limit=2&count=exact").await.is(200);
    assert_eq!((&page["total"], &page["has_more"]), (&json!(7), &json!(true)));
    assert_eq!(page.header("link"), format!("</v1/accounts?limit=2&count=exact&cursor={}>; rel=\"next\"", page.text_of("next_cursor")));
    assert_eq!(app.get("/v1/accounts?is_vip=true&count=exact").await.is(200)["total"], 3);
    assert!(app.get("/v1/accounts?count=estimated").await.is(200)["total"].is_i64());
}

async fn available_actions_follow_state_and_rights(app: App) {
    let made = app.post("/v1/products", json!({"sku": "T", "name": "Tea"})).await.is(201);
    assert_eq!(made["available_actions"], json!(["discontinue"]));
    let path = format!("/v1/products/{}", made.id());
    let stopped = app.post(&format!("{path}/discontinue"), json!({})).await.is(200);
    assert_eq!((&stopped["status"], &stopped["available_actions"]), (&json!("discontinued"), &json!(["reactivate"])));
    let refused = app.post(&format!("{path}/discontinue"), json!({})).await.refused(409, "illegal_transition");
    assert_eq!(refused["allowed"], json!(["reactivate"]));
    let reader = app.person(&["products:read/all"], &[], &[]).await.app;
    assert_eq!(reader.get(&path).await.is(200)["available_actions"], json!([]));
    assert_eq!(reader.get("/v1/products").await.is(200)["data"][0]["available_actions"], json!([]));
}

async fn tags_are_kept_in_lower_case_sorted_and_once(app: App) {
    let made = app.make("/v1/accounts", json!({"name": "A", "tags": ["VIP", "tea", "vip ", "ชา"]})).await;
    assert_eq!(made["tags"], json!(["tea", "vip", "ชา"]));
    assert_eq!(ids(&app.get("/v1/accounts?tags=tea,nothing").await.is(200)).len(), 1);
    assert_eq!(ids(&app.get("/v1/accounts?tags=Vip").await.is(200)).len(), 1);
    assert_eq!(ids(&app.get("/v1/accounts?tags=te").await.is(200)).len(), 0);
}
