//! What the organisation adds to its records.

use crate::support::*;

crate::on_both![
    a_custom_field_is_typed,
    a_required_custom_field_is_asked_for,
    a_picklist_says_what_may_be_picked,
    custom_fields_are_patched_one_by_one_and_filtered_by,
    what_a_field_was_made_with_stays,
    changed_definitions_leave_stored_records_writable,
    a_field_can_be_used_as_soon_as_its_maker_is_answered,
];

async fn field(app: &App, key: &str, kind: &str, more: Value) -> String {
    let mut body = json!({"resource": "accounts", "key": key, "label": key, "type": kind});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    app.make("/v1/custom-fields", body).await["id"].as_str().unwrap().to_owned()
}

async fn a_custom_field_is_typed(app: App) {
    for (key, kind) in [("t", "text"), ("n", "number"), ("b", "boolean"), ("d", "date"), ("m", "time")] {
        field(&app, key, kind, json!({})).await;
    }
    field(&app, "short", "text", json!({"max_length": 3})).await;
    let account = |custom: Value| app.post("/v1/accounts", json!({"name": "A", "custom": custom}));
    let good = json!({"t": "ชา", "n": "12.5", "b": true, "d": "2026-01-31", "m": "2026-01-31T00:00:00Z", "short": "ชาๆ"});
    assert_eq!(account(good.clone()).await.is(201)["custom"], good);
    for (key, wrong) in [
        ("t", json!(7)),
        ("n", json!("x")),
        ("n", json!(7)),
        ("b", json!("true")),
        ("d", json!("2026-02-30")),
        ("m", json!("2026-01-31T00:00:00")),
        ("short", json!("four")),
    ] {
        let refused = account(json!({key: wrong})).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["pointer"], json!(format!("/custom/{key}")), "{}", refused.text);
    }
    let refused = account(json!({"shirt": "x"})).await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/custom/shirt", "unknown_field")["did_you_mean"], "short");
}

async fn a_required_custom_field_is_asked_for(app: App) {
    let before = app.account("Before").await;
    field(&app, "route", "text", json!({"required": true})).await;
    app.post("/v1/accounts", json!({"name": "A"})).await.refused(422, "validation_failed").fault("/custom/route", "required");
    app.post("/v1/accounts", json!({"name": "A", "custom": {"route": null}})).await.refused(422, "validation_failed");
    let made = app.post("/v1/accounts", json!({"name": "A", "custom": {"route": "north"}})).await.is(201);
    app.patch(made.header("location"), json!({"custom": {"route": null}})).await.refused(422, "validation_failed");
    app.get(&format!("/v1/accounts/{before}")).await.is(200);
    app.post("/v1/contacts", json!({"first_name": "A"})).await.is(201);
}

async fn a_picklist_says_what_may_be_picked(app: App) {
    let list = json!({"key": "routes", "name": "Routes", "values": [{"code": "north", "label": "North"}, {"code": "old", "label": "Old", "is_active": false}]});
    app.make("/v1/picklists", list).await;
    field(&app, "route", "picklist", json!({"picklist": "routes"})).await;
    let account = |code: &str| app.post("/v1/accounts", json!({"name": "A", "custom": {"route": code}}));
    account("north").await.is(201);
    let refused = account("nort").await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/custom/route", "unknown_value")["did_you_mean"], "north");
    account("old").await.refused(422, "validation_failed");
    let bare = json!({"resource": "accounts", "key": "x", "label": "x", "type": "picklist"});
    app.post("/v1/custom-fields", bare).await.refused(422, "validation_failed").fault("/picklist", "required");
}

async fn custom_fields_are_patched_one_by_one_and_filtered_by(app: App) {
    field(&app, "a", "text", json!({})).await;
    field(&app, "n", "number", json!({})).await;
    let made = app.post("/v1/accounts", json!({"name": "A", "custom": {"a": "x", "n": "9"}})).await.is(201);
    app.make("/v1/accounts", json!({"name": "B", "custom": {"n": "10"}})).await;
    let patched = app.patch(made.header("location"), json!({"custom": {"a": "y"}})).await.is(200);
    assert_eq!(patched["custom"], json!({"a": "y", "n": "9"}));
    let cleared = app.patch(made.header("location"), json!({"custom": {"a": null}})).await.is(200);
    assert_eq!(cleared["custom"], json!({"n": "9"}));
    // As numbers, not as text.
    let found = app.post("/v1/accounts/search", json!({"filter": {"field": "custom.n", "op": "gt", "value": "9"}})).await.is(200);
    assert_eq!(column(&found, "name"), ["B"]);
    let found = app.post("/v1/accounts/search", json!({"filter": {"field": "custom.a", "op": "is_null", "value": true}})).await.is(200);
    assert_eq!(ids(&found).len(), 2);
}

async fn what_a_field_was_made_with_stays(app: App) {
    let path = format!("/v1/custom-fields/{}", field(&app, "a", "text", json!({})).await);
    app.patch(&path, json!({"label": "Another"})).await.is(200);
    let stray = json!({"resource": "acounts", "key": "a", "label": "a", "type": "text"});
    let refused = app.post("/v1/custom-fields", stray).await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/resource", "unknown_value")["did_you_mean"], "accounts");
    app.post("/v1/custom-fields", json!({"resource": "accounts", "key": "a", "label": "a", "type": "text"}))
        .await
        .refused(409, "already_exists");
}

/// Every way to write a record that holds values the definitions would not take any more: what stands is not asked of again.
async fn changed_definitions_leave_stored_records_writable(app: App) {
    let list = json!({"key": "routes", "name": "Routes", "values": [{"code": "A", "label": "A"}, {"code": "B", "label": "B"}, {"code": "C", "label": "C"}]});
    let list = format!("/v1/picklists/{}", app.make("/v1/picklists", list).await["id"].as_str().unwrap());
    field(&app, "retired", "picklist", json!({"picklist": "routes"})).await;
    field(&app, "left_out", "picklist", json!({"picklist": "routes"})).await;
    let short = field(&app, "short", "text", json!({})).await;
    let dropped = field(&app, "dropped", "text", json!({})).await;
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    let held = json!({"retired": "B", "left_out": "C", "short": "a long text", "dropped": "x"});
    let put = |more: Value| {
        let mut body = json!({"name": "A", "custom": held});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        app.put("/v1/accounts/by-external-id/erp/C-1", body)
    };
    let made = put(json!({})).await.is(201);
    let path = format!("/v1/accounts/{}", made.id());
    app.patch(&list, json!({"values": [{"code": "A", "label": "A"}, {"code": "B", "label": "B", "is_active": false}]})).await.is(200);
    app.patch(&format!("/v1/custom-fields/{short}"), json!({"max_length": 3})).await.is(200);
    app.delete(&format!("/v1/custom-fields/{dropped}")).await.is(204);
    field(&app, "needed", "text", json!({"required": true})).await;
    assert_eq!(app.patch(&path, json!({"description": "moved"})).await.is(200)["custom"], held);
    put(json!({"grade": "B"})).await.is(200);
    let item = json!({"external_id": "C-1", "grade": "C", "custom": held});
    let batch = json!({"mode": "upsert", "match_on": "external_id:erp", "items": [item]});
    assert_eq!(app.post("/v1/accounts/batch", batch).await.is(200)["results"][0]["status"], "updated");
    app.post(&format!("{path}/change-lifecycle"), json!({"to": "active"})).await.is(200);
    app.post(&format!("{path}/assign"), json!({"reason": "x"})).await.is(200);
    app.delete(&path).await.is(204);
    app.ask(reqwest::Method::POST, &format!("{path}/restore")).await.is(200);
    // What is changed is held against the definitions as they are now.
    assert_eq!(app.patch(&path, json!({"custom": {"retired": "A"}})).await.is(200)["custom"]["retired"], "A");
    for (key, value, code) in [("retired", "B", "unknown_value"), ("short", "other", "too_long"), ("dropped", "y", "unknown_field")] {
        app.patch(&path, json!({"custom": {key: value}})).await.refused(422, "validation_failed").fault(&format!("/custom/{key}"), code);
    }
    app.patch(&path, json!({"custom": {"dropped": null, "needed": "n"}})).await.is(200);
    app.patch(&path, json!({"custom": {"needed": null}})).await.refused(422, "validation_failed").fault("/custom/needed", "required");
}

/// Over two processes, each with what it remembers of definitions.
async fn a_field_can_be_used_as_soon_as_its_maker_is_answered(app: App) {
    let other = app.another(samphan::config::RateLimit::Off);
    for n in 0..4 {
        // Both have just read them.
        app.account("A").await;
        other.account("A").await;
        let keys = [format!("a{n}"), format!("b{n}")];
        let (a, b) =
            futures_util::future::join(field(&app, &keys[0], "text", json!({})), field(&other, &keys[1], "number", json!({}))).await;
        assert_ne!(a, b);
        for process in [&app, &other] {
            let body = json!({"name": "A", "custom": {&keys[0]: "x", &keys[1]: "7"}});
            let made = process.post("/v1/accounts", body).await.is(201);
            for (key, value) in [(&keys[0], "x"), (&keys[1], "7")] {
                let filter = json!({"filter": {"field": format!("custom.{key}"), "op": "eq", "value": value}});
                let found = process.post("/v1/accounts/search", filter).await.is(200);
                assert!(ids(&found).contains(&made.id()), "{}", found.text);
            }
        }
    }
}
