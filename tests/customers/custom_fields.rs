//! What the organisation adds to its records.

use crate::support::*;

crate::on_both![
    a_custom_field_is_typed,
    a_required_custom_field_is_asked_for,
    a_picklist_says_what_may_be_picked,
    custom_fields_are_patched_one_by_one_and_filtered_by,
    what_a_field_was_made_with_stays,
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
    app.patch(&path, json!({"type": "number"})).await.refused(422, "validation_failed").fault("/type", "not_allowed");
    app.patch(&path, json!({"key": "b"})).await.refused(422, "validation_failed").fault("/key", "not_allowed");
    app.patch(&path, json!({"label": "Another"})).await.is(200);
    let stray = json!({"resource": "acounts", "key": "a", "label": "a", "type": "text"});
    let refused = app.post("/v1/custom-fields", stray).await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/resource", "unknown_value")["did_you_mean"], "accounts");
    app.post("/v1/custom-fields", json!({"resource": "accounts", "key": "a", "label": "a", "type": "text"}))
        .await
        .refused(409, "already_exists");
}
