//! Do our books agree with theirs? Counts and totals of every ledger, and the history of every push that counted.

use super::*;

crate::on_both![
    every_ledger_has_its_counts_and_totals,
    what_is_stale_missing_in_conflict_or_unmatched_is_counted,
    it_tells_only_of_accounts_one_may_see,
    the_greatest_amounts_add_up,
    the_history_is_as_it_was_sent_and_read_page_by_page,
    balances_are_filtered_and_read_page_by_page,
];

fn item(external_id: &str, hour: u32, receivable: &str) -> Value {
    json!({"external_id": external_id, "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "receivable": receivable})
}

async fn reconcile(app: &App, query: &str) -> Vec<Value> {
    app.get(&format!("/v1/credit-balances/reconciliation{query}")).await.is(200)["ledgers"].as_array().unwrap().clone()
}

async fn every_ledger_has_its_counts_and_totals(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp"})).await;
    assert!(reconcile(&app, "").await.is_empty());
    for name in ["A", "B"] {
        customer(&app, name).await;
    }
    let mut b = item("B", 11, "-2.50");
    b["overdue"] = json!({"days_1_30": "1.00", "days_31_60": "2.00", "days_61_90": "3.00", "days_over_90": "4.00"});
    push(&app, json!([item("A", 10, "10.00"), b])).await;
    let mut other = batch(&json!([item("A", 9, "1.00")]));
    other["currency"] = json!("USD");
    app.post("/v1/credit-balances/batch", other).await.is(200);
    let unknown = json!({"system": "sap", "entity": "TH01", "currency": "THB", "items": [item("X", 9, "1.00")]});
    app.post("/v1/credit-balances/batch", unknown).await.is(200);
    let ledgers = reconcile(&app, "").await;
    let names: Vec<_> = ledgers.iter().map(|l| (l["system"].as_str().unwrap(), l["currency"].as_str().unwrap())).collect();
    assert_eq!(names, [("express", "THB"), ("express", "USD"), ("sap", "THB")]);
    let whole = json!({
        "system": "express", "entity": "TH01", "currency": "THB", "items": 2, "receivable_total": "7.50", "overdue_total": "10.00", "stale": 0,
        "oldest_as_of": "2026-01-02T10:00:00Z", "newest_as_of": "2026-01-02T11:00:00Z", "missing": 0, "conflicts": 0, "unmatched": 0,
    });
    assert_eq!(ledgers[0], whole);
    assert_eq!((&ledgers[2]["items"], &ledgers[2]["unmatched"], &ledgers[2]["oldest_as_of"]), (&json!(0), &json!(1), &json!(null)));
    assert_eq!(reconcile(&app, "?system=sap").await, ledgers[2..]);
    assert!(reconcile(&app, "?system=nobody").await.is_empty());
    app.get("/v1/credit-balances/reconciliation?sistem=sap").await.refused(400, "invalid_query");
}

async fn what_is_stale_missing_in_conflict_or_unmatched_is_counted(app: App) {
    express(&app, json!({"stale_after": "P1D"})).await;
    for name in ["old", "new", "gone", "twice"] {
        customer(&app, name).await;
    }
    let now = |name: &str, receivable: &str| json!({"external_id": name, "as_of": "NOW", "receivable": receivable});
    let at = from_now(0);
    let stamped = |mut item: Value| {
        item["as_of"] = at.clone();
        item
    };
    push(&app, json!([item("old", 10, "1.00"), stamped(now("new", "1.00")), stamped(now("gone", "1.00")), stamped(now("?", "1.00"))]))
        .await;
    push(&app, json!([stamped(now("twice", "1.00")), stamped(now("twice", "2.00"))])).await;
    let snapshot = json!({"system": "express", "entity": "TH01", "currency": "THB", "expected_items": 3});
    let snapshot = app.post("/v1/credit-balances/snapshots", snapshot).await.is(201).id();
    let mut body = batch(&json!([item("old", 10, "1.00"), stamped(now("new", "1.00")), stamped(now("twice", "2.00"))]));
    body["snapshot_id"] = json!(snapshot);
    app.post("/v1/credit-balances/batch", body).await.is(200);
    let totals = json!({"items": 3, "receivable_total": "4.00"});
    app.post(&format!("/v1/credit-balances/snapshots/{snapshot}/complete"), totals).await.is(200);
    let ledger = &reconcile(&app, "").await[0];
    let counts = ["items", "stale", "missing", "conflicts", "unmatched"].map(|n| ledger[n].as_i64().unwrap());
    assert_eq!(counts, [4, 1, 1, 1, 1], "{ledger}");
    assert_eq!(ledger["receivable_total"], "5.00");
}

async fn it_tells_only_of_accounts_one_may_see(app: App) {
    express(&app, json!({})).await;
    let own = app.person(&["accounts:read/own", "credit-balances:read/all"], &[], &[]).await;
    let mine = customer(&app, "A").await;
    customer(&app, "B").await;
    app.post(&format!("/v1/accounts/{mine}/assign"), json!({"owner_id": own.id})).await.is(200);
    push(&app, json!([item("A", 10, "1.00"), item("B", 10, "2.00")])).await;
    let ledger = &reconcile(&own.app, "").await[0];
    assert_eq!((&ledger["items"], &ledger["receivable_total"]), (&json!(1), &json!("1.00")));
    assert_eq!(reconcile(&app, "").await[0]["receivable_total"], "3.00");
}

async fn the_greatest_amounts_add_up(app: App) {
    express(&app, json!({})).await;
    let greatest = "922337203685477.5807";
    let account = customer(&app, "A").await;
    customer(&app, "B").await;
    let item = |name: &str| json!({"external_id": name, "as_of": "2026-01-02T10:00:00Z", "receivable": greatest, "open_orders": greatest});
    let snapshot = json!({"system": "express", "entity": "TH01", "currency": "THB", "expected_items": 2});
    let snapshot = app.post("/v1/credit-balances/snapshots", snapshot).await.is(201).id();
    let mut body = batch(&json!([item("A"), item("B")]));
    body["snapshot_id"] = json!(snapshot);
    assert_eq!(statuses(&app.post("/v1/credit-balances/batch", body).await.is(200)), ["applied", "applied"]);
    // What is beyond what an amount can hold is held at its end: no failure, and no wrapping round.
    assert_eq!(reconcile(&app, "").await[0]["receivable_total"], greatest);
    assert_eq!(credit(&app, &account).await["exposure"], greatest);
    let totals = json!({"items": 2, "receivable_total": greatest});
    app.post(&format!("/v1/credit-balances/snapshots/{snapshot}/complete"), totals).await.is(200);
}

async fn the_history_is_as_it_was_sent_and_read_page_by_page(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    customer(&app, "B").await;
    for hour in 10..15 {
        push(&app, json!([item("A", hour, "1.00"), item("B", hour, "2.00")])).await;
    }
    push(&app, json!([item("A", 9, "1.00"), item("A", 14, "1.00")])).await;
    let all = app.all(&format!("/v1/credit-balances/history?account_id={account}&sort=created_at"), 2).await;
    let hours: Vec<&str> = all.iter().map(|h| h["as_of"].as_str().unwrap()).collect();
    assert_eq!(hours, [10, 11, 12, 13, 14].map(|h| format!("2026-01-02T{h}:00:00Z")), "each that counted, and no other");
    assert_eq!(all[0]["item"], item("A", 10, "1.00"));
    let kept = balance(&app, &account).await;
    assert!(all.iter().all(|h| h["balance_id"] == kept["id"] && h["account_id"] == json!(account)));
    let one = format!("/v1/credit-balances/history/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(app.get(&one).await.is(200)["as_of"], "2026-01-02T10:00:00Z");
    app.delete(&one).await.refused(405, "method_not_allowed");
    app.get("/v1/credit-balances/history?limit=201").await.refused(400, "invalid_query");
    let clerk = app
        .person(&["accounts:read/all", "credit-balances:read/all", "credit-balance-history:read/all"], &["financial=hidden"], &[])
        .await
        .app;
    for path in ["/v1/credit-balances", "/v1/credit-balances/history"] {
        let seen = clerk.get(path).await.is(200);
        assert!(!seen["data"].as_array().unwrap().is_empty() && !seen.text.contains("\"1.00\""), "{}", seen.text);
    }
}

async fn balances_are_filtered_and_read_page_by_page(app: App) {
    express(&app, json!({})).await;
    let names: Vec<String> = (0..5).map(|n| format!("C-{n}")).collect();
    for name in &names {
        customer(&app, name).await;
    }
    push(&app, json!(names.iter().map(|n| item(n, 10, "1.00")).collect::<Vec<_>>())).await;
    assert_eq!(app.all("/v1/credit-balances?system=express&status=current", 2).await.len(), 5);
    assert!(app.all("/v1/credit-balances?system=sap", 2).await.is_empty());
    let counted = app.get("/v1/credit-balances?count=exact&limit=1").await.is(200);
    assert_eq!(counted["total"], 5);
    let expanded = app.get("/v1/credit-balances?expand=account&limit=1").await.is(200);
    assert!(expanded["data"][0]["expanded"]["account"]["name"].as_str().unwrap().starts_with("C-"));
    let found = json!({"filter": {"field": "has_conflict", "op": "eq", "value": false}, "limit": 3});
    assert_eq!(app.post("/v1/credit-balances/search", found).await.is(200)["data"].as_array().unwrap().len(), 3);
    let one = format!("/v1/credit-balances/{}", expanded["data"][0]["id"].as_str().unwrap());
    app.get(&one).await.is(200);
    app.patch(&one, json!({"receivable": "0.00"})).await.refused(405, "method_not_allowed");
    app.delete(&one).await.refused(405, "method_not_allowed");
}
