//! Pushes for numbers nobody has mapped: kept, listed, and applied as soon as somebody maps them.

use super::*;

crate::on_both![
    unknown_numbers_are_kept_and_listed,
    late_and_doubled_pushes_change_nothing_of_what_is_kept,
    every_way_of_mapping_a_number_applies_what_was_kept,
    what_is_kept_ends_as_if_it_had_been_mapped_before,
    only_the_number_that_was_meant_is_applied,
    a_number_that_is_unmapped_again_is_kept_again,
    a_machine_maps_for_its_own_system_only,
];

async fn unmatched(app: &App) -> Vec<Value> {
    app.all("/v1/credit-balances/unmatched?sort=created_at", 2).await
}

fn item(external_id: &str, hour: u32, receivable: &str) -> Value {
    json!({"external_id": external_id, "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "receivable": receivable})
}

async fn unknown_numbers_are_kept_and_listed(app: App) {
    express(&app, json!({})).await;
    let done = push(&app, json!([item("0007", 10, "7.00"), item("7", 10, "8.00"), item("C-1", 10, "9.00")])).await;
    assert_eq!(faults(&done), ["unknown_external_id"; 3]);
    let kept = unmatched(&app).await;
    assert_eq!(kept.iter().map(|k| k["external_id"].as_str().unwrap()).collect::<Vec<_>>().len(), 3, "leading zeros count");
    let seven = kept.iter().find(|k| k["external_id"] == "0007").unwrap();
    let said = json!({"system": "express", "entity": "TH01", "currency": "THB", "as_of": "2026-01-02T10:00:00Z", "attempts": 1});
    assert!(said.as_object().unwrap().iter().all(|(name, value)| &seven[name] == value), "{seven}");
    assert_eq!(seven["items"], json!([item("0007", 10, "7.00")]), "as it was sent");
    let one = app.get(&format!("/v1/credit-balances/unmatched/{}", seven["id"].as_str().unwrap())).await.is(200);
    assert_eq!(one["external_id"], "0007");
    assert_eq!(app.get("/v1/credit-balances/unmatched?external_id=7").await.is(200)["data"].as_array().unwrap().len(), 1);
    assert_eq!(app.get("/v1/credit-balances/unmatched?system=sap").await.is(200)["data"], json!([]));
    assert_eq!(app.get("/v1/credit-balances").await.is(200)["data"], json!([]));
    let seller = app.person(&["accounts:read/all", "credit:read/all"], &[], &[]).await.app;
    seller.get("/v1/credit-balances/unmatched").await.refused(403, "forbidden");
    let clerk = app.person(&["unmatched-credits:read/all"], &["financial=hidden"], &[]).await.app;
    let seen = clerk.get("/v1/credit-balances/unmatched").await.is(200);
    assert!(!seen.text.contains("7.00"), "amounts are hidden from whom they are hidden everywhere: {}", seen.text);
}

async fn late_and_doubled_pushes_change_nothing_of_what_is_kept(app: App) {
    express(&app, json!({})).await;
    push(&app, json!([item("A", 12, "12.00")])).await;
    for items in [json!([item("A", 12, "12.00")]), json!([item("A", 11, "11.00"), item("A", 12, "12.00"), item("A", 9, "9.00")])] {
        assert!(faults(&push(&app, items).await).iter().all(|f| *f == "unknown_external_id"));
    }
    let kept = unmatched(&app).await;
    assert_eq!((kept.len(), &kept[0]["attempts"], &kept[0]["as_of"]), (1, &json!(5), &json!("2026-01-02T12:00:00Z")));
    assert_eq!(kept[0]["items"], json!([item("A", 12, "12.00")]));
    push(&app, json!([item("A", 13, "13.00")])).await;
    assert_eq!(unmatched(&app).await[0]["items"], json!([item("A", 13, "13.00")]));
    let account = app.account("A").await;
    map(&app, "A", &account).await.is(201);
    assert_eq!(balance(&app, &account).await["receivable"], "13.00");
    assert_eq!(statuses(&push(&app, json!([item("A", 12, "12.00"), item("A", 13, "13.00")])).await), ["stale", "unchanged"]);
}

async fn every_way_of_mapping_a_number_applies_what_was_kept(app: App) {
    express(&app, json!({})).await;
    let names = ["reference", "upsert", "batch", "renamed", "restored"];
    push(&app, json!(names.map(|n| item(n, 10, "5.00")))).await;
    // The one who maps needs no right to push.
    let mapper = &app.person(&["accounts:*/all", "external-references:*/all"], &[], &[]).await.app;
    let id = app.account("A").await;
    map(mapper, "reference", &id).await.is(201);
    let mut accounts = vec![id];
    accounts.push(mapper.put("/v1/accounts/by-external-id/express/upsert", json!({"name": "B"})).await.is(201).id());
    let body = json!({"mode": "upsert", "match_on": "external_id:express", "items": [{"external_id": "batch", "name": "C"}]});
    accounts.push(mapper.post("/v1/accounts/batch", body).await.is(200)["results"][0]["id"].as_str().unwrap().to_owned());
    let id = app.account("D").await;
    let reference = map(mapper, "rename", &id).await.is(201);
    mapper.patch(&format!("/v1/external-references/{}", reference.id()), json!({"external_id": "renamed"})).await.is(200);
    accounts.push(id);
    let id = app.account("E").await;
    let reference = format!("/v1/external-references/{}", map(mapper, "restored-later", &id).await.is(201).id());
    mapper.delete(&reference).await.is(204);
    push(&app, json!([item("restored-later", 10, "5.00")])).await;
    mapper.post(&format!("{reference}/restore"), json!({})).await.is(200);
    let shown = app.get(&format!("/v1/accounts/{id}")).await.is(200);
    assert_eq!(shown["external_refs"][0]["external_id"], "restored-later", "{}", shown.text);
    accounts.push(id);
    for account in &accounts {
        assert_eq!(balance(&app, account).await["receivable"], "5.00");
    }
    let left = unmatched(&app).await;
    assert_eq!(left.iter().map(|k| k["external_id"].as_str().unwrap()).collect::<Vec<_>>(), ["restored"]);
}

async fn what_is_kept_ends_as_if_it_had_been_mapped_before(app: App) {
    express(&app, json!({})).await;
    let groups = |name: &str| {
        json!([
            {"external_id": name, "as_of": "2026-01-02T12:00:00Z", "credit_limit": {"kind": "limited", "amount": "100.00"}},
            {"external_id": name, "as_of": "2026-01-02T11:00:00Z", "receivable": "60.00", "on_hold": true},
            {"external_id": name, "as_of": "2026-01-02T11:00:00Z", "receivable": "50.00"},
            {"external_id": name, "as_of": "2026-01-02T10:00:00Z", "receivable": "99.00", "credit_limit": {"kind": "unlimited"}},
        ])
    };
    let (before, after) = (customer(&app, "before").await, app.account("B").await);
    push(&app, groups("before")).await;
    push(&app, groups("after")).await;
    map(&app, "after", &after).await.is(201);
    let (before, after) = (balance(&app, &before).await, balance(&app, &after).await);
    for name in ["receivable", "exposure_as_of", "limit_amount", "limit_as_of", "on_hold", "exposure_has_conflict", "limit_has_conflict"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    assert_eq!(
        (&after["receivable"], &after["limit_amount"], &after["exposure_has_conflict"]),
        (&json!("60.00"), &json!("100.00"), &json!(true))
    );
}

async fn only_the_number_that_was_meant_is_applied(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp"})).await;
    push(&app, json!([item("A", 10, "5.00"), item("a", 10, "6.00")])).await;
    let other = json!({"system": "express", "entity": "TH02", "currency": "THB", "items": [item("A", 10, "7.00")]});
    app.post("/v1/credit-balances/batch", other).await.is(200);
    let account = app.account("A").await;
    let contact = app.make("/v1/contacts", json!({"first_name": "A"})).await;
    let reference = |system: &str, resource: &str, record: &Value| {
        let body = json!({"system": system, "resource": resource, "external_id": "A", "record_id": record});
        app.post("/v1/external-references", body)
    };
    reference("sap", "accounts", &json!(account)).await.is(201);
    reference("express", "contacts", &contact["id"]).await.is(201);
    reference("express", "accounts", &json!(random_id())).await.refused(422, "validation_failed").fault("/record_id", "unknown_reference");
    assert_eq!(unmatched(&app).await.len(), 3);
    // One number may owe in several ledgers.
    map(&app, "A", &account).await.is(201);
    let all = kept(&app, &account).await;
    let mut owed: Vec<(&str, &str)> = all.iter().map(|b| (b["entity"].as_str().unwrap(), b["receivable"].as_str().unwrap())).collect();
    owed.sort_unstable();
    assert_eq!(owed, [("TH01", "5.00"), ("TH02", "7.00")]);
    assert_eq!(unmatched(&app).await.iter().map(|k| k["external_id"].as_str().unwrap()).collect::<Vec<_>>(), ["a"]);
    let taken = map(&app, "A", &app.account("B").await).await.refused(409, "already_exists");
    assert_eq!(taken["conflicts"][0]["resource"], "external_references");
}

async fn a_number_that_is_unmapped_again_is_kept_again(app: App) {
    express(&app, json!({})).await;
    let account = app.account("A").await;
    let reference = map(&app, "A", &account).await.is(201).id();
    push(&app, json!([item("A", 10, "5.00")])).await;
    app.delete(&format!("/v1/external-references/{reference}")).await.is(204);
    assert_eq!(faults(&push(&app, json!([item("A", 11, "6.00")])).await), ["unknown_external_id"]);
    assert_eq!(balance(&app, &account).await["receivable"], "5.00");
    let other = app.account("B").await;
    map(&app, "A", &other).await.is(201);
    assert_eq!(
        (&balance(&app, &account).await["receivable"], &balance(&app, &other).await["receivable"]),
        (&json!("5.00"), &json!("6.00"))
    );
    assert!(unmatched(&app).await.is_empty());
}

async fn a_machine_maps_for_its_own_system_only(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp"})).await;
    push(&app, json!([item("A", 10, "5.00")])).await;
    let (account, other) = (app.account("A").await, app.account("B").await);
    let rights = ["accounts:read/all", "external-references:*/all"];
    let machine = app.as_(&app.api_key(&rights, json!({"systems": ["sap"]})).await.is(201).text_of("token"));
    map(&machine, "A", &account).await.refused(403, "forbidden");
    let reference = format!("/v1/external-references/{}", map(&app, "B", &account).await.is(201).id());
    machine.patch(&reference, json!({"external_id": "A"})).await.refused(403, "forbidden");
    machine.delete(&reference).await.refused(403, "forbidden");
    app.patch(&reference, json!({"record_id": random_id()}))
        .await
        .refused(422, "validation_failed")
        .fault("/record_id", "unknown_reference");
    app.patch(&reference, json!({"system": "nobody"})).await.refused(422, "unknown_reference");
    // A reference that moves to another account takes what was kept with it, and is shown where it is.
    app.patch(&reference, json!({"record_id": other, "external_id": "A"})).await.is(200);
    assert_eq!(balance(&app, &other).await["receivable"], "5.00");
    assert!(kept(&app, &account).await.is_empty());
    assert_eq!(app.get(&format!("/v1/accounts/{account}")).await.is(200)["external_refs"], json!([]));
    app.delete(&reference).await.is(204);
    machine.post(&format!("{reference}/restore"), json!({})).await.refused(403, "forbidden");
}
