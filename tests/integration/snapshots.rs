//! Full pushes, closed by control totals.

use super::*;

crate::on_both![
    a_snapshot_is_opened_filled_and_completed,
    wrong_totals_are_told_and_nothing_is_marked,
    what_a_snapshot_did_not_have_is_missing_and_never_zero,
    batches_sent_again_and_in_any_order_count_once,
    numbers_nobody_has_mapped_count_too,
    a_snapshot_takes_only_its_own_ledger,
    a_snapshot_is_completed_by_who_may_push_for_its_system,
];

async fn open(app: &App, expected: u32) -> String {
    let body = json!({"system": "express", "entity": "TH01", "currency": "THB", "expected_items": expected});
    app.post("/v1/credit-balances/snapshots", body).await.is(201).id()
}

async fn fill(app: &App, snapshot: &str, items: Value) -> Answer {
    let mut body = batch(&items);
    body["snapshot_id"] = json!(snapshot);
    app.post("/v1/credit-balances/batch", body).await
}

async fn complete(app: &App, snapshot: &str, items: u32, total: &str) -> Answer {
    app.post(&format!("/v1/credit-balances/snapshots/{snapshot}/complete"), json!({"items": items, "receivable_total": total})).await
}

fn item(external_id: &str, hour: u32, receivable: &str) -> Value {
    json!({"external_id": external_id, "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "receivable": receivable})
}

async fn a_snapshot_is_opened_filled_and_completed(app: App) {
    express(&app, json!({"legal_entity": "TH01", "currency": "THB"})).await;
    for name in ["A", "B", "C"] {
        customer(&app, name).await;
    }
    let id = open(&app, 3).await;
    let path = format!("/v1/credit-balances/snapshots/{id}");
    let opened = app.get(&path).await.is(200);
    assert_eq!((&opened["status"], &opened["available_actions"]), (&json!("open"), &json!(["complete"])));
    fill(&app, &id, json!([item("A", 10, "1.25"), item("B", 10, "-2.00")])).await.is(200);
    fill(&app, &id, json!([item("C", 10, "10.00")])).await.is(200);
    let done = complete(&app, &id, 3, "9.25").await.is(200);
    let said = json!({"status": "complete", "received_items": 3, "receivable_total": "9.25", "marked_missing": 0, "expected_items": 3, "available_actions": []});
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&done[name], value, "{name}");
    }
    assert!(done["completed_at"].is_string());
    assert_eq!(app.get(&path).await.is(200).body, done.body);
    complete(&app, &id, 3, "9.25").await.refused(409, "illegal_transition");
    fill(&app, &id, json!([item("A", 11, "1.00")])).await.refused(409, "illegal_transition");
    assert_eq!(ids(&app.get("/v1/credit-balances/snapshots?status=complete&system=express").await.is(200)), [id.as_str()]);
    let kinds = column(&app.get("/v1/audit-events?resource=credit_snapshots&sort=created_at").await.is(200), "kind");
    assert_eq!(kinds, ["credit_snapshot.created", "credit_snapshot.completed"]);
}

async fn wrong_totals_are_told_and_nothing_is_marked(app: App) {
    express(&app, json!({})).await;
    for name in ["A", "B", "C"] {
        customer(&app, name).await;
    }
    push(&app, json!([item("C", 9, "3.00")])).await;
    let id = open(&app, 2).await;
    fill(&app, &id, json!([item("A", 10, "1.00")])).await.is(200);
    complete(&app, &id, 2, "3.00").await.refused(422, "control_total_mismatch").fault("/items", "control_total_mismatch");
    complete(&app, &id, 1, "1.00").await.refused(422, "control_total_mismatch").fault("/items", "control_total_mismatch");
    fill(&app, &id, json!([item("B", 10, "2.00")])).await.is(200);
    let refused = complete(&app, &id, 2, "3.01").await.refused(422, "control_total_mismatch");
    let fault = refused.fault("/receivable_total", "control_total_mismatch");
    assert!(fault["message"].as_str().unwrap().contains("3.00"), "{fault}");
    complete(&app, &id, 2, "3.00001").await.is(422);
    let still = app.get(&format!("/v1/credit-balances/snapshots/{id}")).await.is(200);
    assert_eq!((&still["status"], &still["version"]), (&json!("open"), &json!(1)));
    assert_eq!(app.get("/v1/credit-balances?status=missing").await.is(200)["data"], json!([]));
    // The way out is to send what is right.
    assert_eq!(complete(&app, &id, 2, "3.00").await.is(200)["marked_missing"], 1);
}

async fn what_a_snapshot_did_not_have_is_missing_and_never_zero(app: App) {
    express(&app, json!({})).await;
    let mut accounts = vec![];
    for name in ["A", "B", "C"] {
        accounts.push(customer(&app, name).await);
    }
    push(&app, json!([item("A", 9, "1.00"), item("B", 9, "2.00")])).await;
    let elsewhere = json!({"system": "express", "entity": "TH02", "currency": "THB", "items": [item("B", 9, "7.00")]});
    app.post("/v1/credit-balances/batch", elsewhere).await.is(200);
    let id = open(&app, 1).await;
    fill(&app, &id, json!([item("A", 10, "1.00")])).await.is(200);
    // C becomes a customer while the snapshot is being sent.
    push(&app, json!([item("C", 10, "5.00")])).await;
    assert_eq!(complete(&app, &id, 1, "1.00").await.is(200)["marked_missing"], 1);
    let missing = app.get("/v1/credit-balances?status=missing").await.is(200);
    let missing = missing["data"].as_array().unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(
        (&missing[0]["account_id"], &missing[0]["entity"], &missing[0]["receivable"]),
        (&json!(accounts[1]), &json!("TH01"), &json!("2.00"))
    );
    assert_eq!(missing[0]["version"], 2);
    let kinds = column(&app.get("/v1/audit-events?resource=credit_balances").await.is(200), "kind");
    assert_eq!(kinds.iter().filter(|k| *k == "credit_balance.missing").count(), 1);
    let position = credit(&app, &accounts[1]).await;
    assert_eq!((&position["status"], &position["reasons"]), (&json!("warn"), &json!(["missing", "limit_not_managed"])));
    // A late push does not bring it back, a newer one does.
    assert_eq!(statuses(&push(&app, json!([item("B", 8, "2.00")])).await), ["stale"]);
    assert_eq!(app.get("/v1/credit-balances?status=missing").await.is(200)["data"].as_array().unwrap().len(), 1);
    assert_eq!(statuses(&push(&app, json!([item("B", 11, "2.00")])).await), ["applied"]);
    assert_eq!(app.get("/v1/credit-balances?status=missing").await.is(200)["data"], json!([]));
}

async fn batches_sent_again_and_in_any_order_count_once(app: App) {
    express(&app, json!({})).await;
    let a = customer(&app, "A").await;
    customer(&app, "B").await;
    let limit = |name: &str| json!({"external_id": name, "as_of": "2026-01-02T12:00:00Z", "credit_limit": {"kind": "unlimited"}});
    let batches = [json!([item("A", 11, "5.00"), limit("B")]), json!([item("A", 10, "4.00"), item("B", 10, "2.00")]), json!([limit("A")])];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let id = open(&app, 2).await;
        for n in order {
            // Sent, not known to have come in, and sent again.
            fill(&app, &id, batches[n].clone()).await.is(200);
            fill(&app, &id, batches[n].clone()).await.is(200);
        }
        assert_eq!(complete(&app, &id, 2, "7.00").await.is(200)["marked_missing"], 0, "{order:?}");
    }
    // A snapshot that was broken off is no harm: another is begun.
    let broken = open(&app, 9).await;
    fill(&app, &broken, json!([item("A", 13, "6.00")])).await.is(200);
    let whole = open(&app, 1).await;
    fill(&app, &whole, json!([{"account_id": a, "as_of": "2026-01-02T13:00:00Z", "receivable": "6.00"}])).await.is(200);
    assert_eq!(complete(&app, &whole, 1, "6.00").await.is(200)["marked_missing"], 1);
    assert_eq!(ids(&app.get("/v1/credit-balances/snapshots?status=open").await.is(200)), [broken]);
}

async fn numbers_nobody_has_mapped_count_too(app: App) {
    express(&app, json!({})).await;
    customer(&app, "A").await;
    let late = app.account("Late").await;
    let id = open(&app, 3).await;
    let done = fill(&app, &id, json!([item("A", 10, "1.00"), item("late", 10, "2.00"), item("never", 10, "4.00")])).await.is(200);
    assert_eq!(statuses(&done), ["applied", "failed", "failed"]);
    map(&app, "late", &late).await.is(201);
    assert_eq!(complete(&app, &id, 3, "7.00").await.is(200)["marked_missing"], 0);
    assert_eq!(balance(&app, &late).await["status"], "current");
    // What is wrong in itself does not count.
    let id = open(&app, 1).await;
    fill(&app, &id, json!([item("A", 11, "1.00001")])).await.is(200);
    complete(&app, &id, 1, "1.00").await.refused(422, "control_total_mismatch");
}

async fn a_snapshot_takes_only_its_own_ledger(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp", "legal_entity": "TH01"})).await;
    customer(&app, "A").await;
    let id = open(&app, 1).await;
    for (name, value) in [("system", "sap"), ("entity", "TH02"), ("currency", "USD")] {
        let mut body = batch(&json!([item("A", 10, "1.00")]));
        body["snapshot_id"] = json!(id);
        body[name] = json!(value);
        if name == "system" {
            body["entity"] = json!("TH01");
        }
        app.post("/v1/credit-balances/batch", body).await.refused(422, "validation_failed").fault("/snapshot_id", "other_ledger");
    }
    let open = |system: &str, entity: &str, expected: i64| {
        let body = json!({"system": system, "entity": entity, "currency": "THB", "expected_items": expected});
        app.post("/v1/credit-balances/snapshots", body)
    };
    open("nobody", "TH01", 1).await.refused(422, "unknown_reference");
    open("sap", "TH02", 1).await.refused(422, "validation_failed").fault("/entity", "unknown_value");
    open("sap", "TH01", -1).await.refused(422, "validation_failed");
    assert_eq!(app.get("/v1/credit-balances").await.is(200)["data"], json!([]));
}

async fn a_snapshot_is_completed_by_who_may_push_for_its_system(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp"})).await;
    let id = open(&app, 0).await;
    let key = |system: &'static str| {
        app.api_key(
            &["credit-snapshots:create/all", "credit-snapshots:complete/all", "credit-snapshots:read/all"],
            json!({"systems": [system]}),
        )
    };
    let other = app.as_(&key("sap").await.is(201).text_of("token"));
    complete(&other, &id, 0, "0.00").await.refused(403, "forbidden");
    let own = app.as_(&key("express").await.is(201).text_of("token"));
    complete(&own, &id, 0, "0.00").await.is(200);
    let reader = app.person(&["credit-snapshots:read/all"], &[], &[]).await.app;
    complete(&reader, &id, 0, "0.00").await.refused(403, "forbidden");
}
