//! Pushes of credit balances: what each item comes to, and what is refused.

use super::*;

crate::on_both![
    the_batch_as_it_was_agreed,
    every_item_has_a_result_of_its_own,
    odd_text_fails_alone_and_never_the_server,
    late_doubled_and_reordered_pushes_change_nothing,
    what_is_left_out_of_a_group_is_zero_and_the_other_group_stays,
    a_key_sent_twice_in_a_batch_is_taken_one_after_the_other,
    of_two_that_say_different_things_of_one_moment_the_more_prudent_stays,
    one_account_is_pushed_by_its_path,
    what_is_no_batch_is_refused_as_a_whole,
    a_system_says_only_what_it_keeps_books_of,
    a_thousand_items_are_taken_and_one_more_is_not,
    a_repeat_with_the_same_key_answers_the_same_bytes,
    a_dry_run_keeps_nothing,
    a_paused_system_is_refused,
    a_machine_pushes_for_its_system_and_within_its_reach,
];

async fn the_batch_as_it_was_agreed(app: App) {
    express(&app, json!({"legal_entity": "TH01", "currency": "THB"})).await;
    let account = customer(&app, "C-0010023").await;
    let text = r#"{"system":"express","entity":"TH01","currency":"THB","items":[{"external_id":"C-0010023","as_of":"2026-11-21T10:00:00Z","source_revision":"88123","receivable":"125000.00","overdue":{"days_1_30":"5000.00"},"unbilled_deliveries":"0.00","open_orders":"20000.00","credit_limit":{"kind":"limited","amount":"200000.00"},"on_hold":false}]}"#;
    let send = || app.ask(reqwest::Method::POST, "/v1/credit-balances/batch").raw("application/json", text);
    let done = send().await.is(200);
    let kept = balance(&app, &account).await;
    assert_eq!(done["results"], json!([{"index": 0, "status": "applied", "id": kept["id"], "external_id": "C-0010023", "version": 1}]));
    assert_eq!((&done["summary"]["received"], &done["summary"]["applied"]), (&json!(1), &json!(1)));
    let said = json!({
        "account_id": account, "system": "express", "entity": "TH01", "currency": "THB", "status": "current", "version": 1,
        "exposure_as_of": "2026-11-21T10:00:00Z", "exposure_revision": "88123", "receivable": "125000.00", "overdue_days_1_30": "5000.00",
        "overdue_days_31_60": "0.00", "overdue_days_61_90": "0.00", "overdue_days_over_90": "0.00", "unbilled_deliveries": "0.00",
        "open_orders": "20000.00", "limit_as_of": "2026-11-21T10:00:00Z", "limit_revision": "88123", "limit_kind": "limited",
        "limit_amount": "200000.00", "on_hold": false, "has_conflict": false,
    });
    for (name, value) in said.as_object().unwrap() {
        assert_eq!(&kept[name], value, "{name}");
    }
    assert_eq!(statuses(&send().await.is(200)), ["unchanged"]);
    assert_eq!(balance(&app, &account).await, kept);
    let position = credit(&app, &account).await;
    assert_eq!(
        (&position["available"], &position["exposure"], &position["overdue"]),
        (&json!("55000.00"), &json!("145000.00"), &json!("5000.00"))
    );
    let system = app.get("/v1/external-systems?code=express").await.is(200);
    assert!(system["data"][0]["last_seen_at"].is_string(), "{}", system.text);
}

async fn every_item_has_a_result_of_its_own(app: App) {
    express(&app, json!({})).await;
    let (a, b, gone) = (customer(&app, "A").await, customer(&app, "B").await, customer(&app, "Gone").await);
    app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
    let at = "2026-01-02T03:04:05Z";
    let done = push(
        &app,
        json!([
            {"external_id": "A", "as_of": at, "receivable": "1.00"},
            {"account_id": b, "as_of": at, "on_hold": true},
            {"external_id": "a", "as_of": at, "receivable": "1.00"},
            {"account_id": random_id(), "as_of": at, "receivable": "1.00"},
            {"account_id": gone, "as_of": at, "receivable": "1.00"},
            {"external_id": "A", "account_id": a, "as_of": at, "receivable": "1.00"},
            {"as_of": at, "receivable": "1.00"},
            {"external_id": "A", "as_of": at},
            {"external_id": "A", "as_of": from_now(3600), "receivable": "1.00"},
            {"external_id": "A", "as_of": "2026-01-02T03:04:05", "receivable": "1.00"},
            {"external_id": "A", "as_of": at, "receivable": "1.00001"},
            {"external_id": "A", "as_of": at, "receivable": 1},
            {"external_id": "A", "as_of": at, "overdue": {"days_1_31": "1.00"}},
            {"external_id": "A", "as_of": at, "credit_limit": {"kind": "limited"}},
            {"external_id": "A", "as_of": at, "credit_limit": {"kind": "unlimited", "amount": "1.00"}},
            {"external_id": "A", "as_of": at, "credit_limit": {"kind": "limited", "amount": "-1.00"}},
            {"external_id": "A", "as_of": at, "credit_limit": {"kind": "none"}},
            7,
            {"external_id": "A", "as_of": from_now(240), "receivable": "2.00"},
        ]),
    )
    .await;
    let mut expected = vec!["failed"; 19];
    for applied in [0, 1, 18] {
        expected[applied] = "applied";
    }
    assert_eq!(statuses(&done), expected, "{}", done.text);
    let of = |n: usize| (done["results"][n]["error"]["errors"][0]["pointer"].as_str().unwrap(), faults(&done)[n]);
    assert_eq!(of(2), ("/external_id", "unknown_external_id"));
    assert_eq!(of(3), ("/account_id", "unknown_reference"));
    assert_eq!(of(4), ("/account_id", "unknown_reference"));
    assert_eq!((of(5), of(6)), (("/external_id", "ambiguous_key"), ("/external_id", "ambiguous_key")));
    assert_eq!((of(7).1, of(8)), ("nothing_named", ("/as_of", "as_of_in_future")));
    assert_eq!((of(9).0, of(10).0, of(11).0), ("/as_of", "/receivable", "/receivable"));
    assert!(of(12).0.starts_with("/overdue"), "{}", done.text);
    assert_eq!((of(13), of(14)), (("/credit_limit/amount", "ambiguous_limit"), ("/credit_limit/amount", "ambiguous_limit")));
    assert!(of(16).0.starts_with("/credit_limit"), "{}", done.text);
    assert_eq!(of(15), ("/credit_limit/amount", "too_small"));
    assert_eq!(done["results"][2]["external_id"], "a", "what was sent is named, letter for letter");
    assert_eq!(
        (&done["summary"]["received"], &done["summary"]["applied"], &done["summary"]["failed"]),
        (&json!(19), &json!(3), &json!(16))
    );
    assert_eq!(balance(&app, &a).await["receivable"], "2.00");
    let b = balance(&app, &b).await;
    assert_eq!(
        (&b["on_hold"], &b["limit_kind"], &b["receivable"], &b["exposure_as_of"]),
        (&json!(true), &json!("not_managed"), &json!(null), &json!(null))
    );
}

async fn odd_text_fails_alone_and_never_the_server(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let at = "2026-01-02T03:04:05Z";
    let long = "x".repeat(129);
    let done = push(
        &app,
        json!([
            {"external_id": "", "as_of": at, "receivable": "1.00"},
            {"external_id": long, "as_of": at, "receivable": "1.00"},
            {"account_id": "A", "as_of": at, "receivable": "1.00"},
            {"account_id": null, "external_id": "A", "as_of": at, "receivable": "1.00"},
            {"external_id": "A", "as_of": "0001-01-01T00:00:00Z", "receivable": "1.00"},
            {"external_id": "A", "as_of": at, "receivable": "922337203685477.5808"},
            null,
            [],
            {"external_id": "A", "as_of": at, "receivable": "1.00", "source_revision": "99999999999999999999"},
            {"external_id": "ลูกค้า 'A'; --", "as_of": at, "receivable": "1.00"},
        ]),
    )
    .await;
    let mut expected = vec!["failed"; 10];
    expected[8] = "applied";
    assert_eq!(statuses(&done), expected, "{}", done.text);
    assert_eq!(faults(&done)[9], "unknown_external_id");
    assert_eq!(app.all("/v1/credit-balances/unmatched", 50).await.len(), 1);
    let nul = batch(&json!([{"external_id": "A\u{0}B", "as_of": at, "receivable": "1.00"}]));
    app.post("/v1/credit-balances/batch", nul).await.is(422).fault("/items/0/external_id", "nul_character");
    for name in ["system", "entity"] {
        let mut body = batch(&json!([{"external_id": "A", "as_of": at, "receivable": "1.00"}]));
        body[name] = json!("TH\u{0}01");
        app.post("/v1/credit-balances/batch", body.clone()).await.is(422);
        body.as_object_mut().unwrap().remove("items");
        body["as_of"] = json!(at);
        body["receivable"] = json!("1.00");
        app.put(&format!("/v1/accounts/{account}/credit-balance"), body).await.is(422);
    }
}

async fn late_doubled_and_reordered_pushes_change_nothing(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let item = |hour: u32, revision: &str, receivable: &str| json!([{"external_id": "A", "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "source_revision": revision, "receivable": receivable}]);
    assert_eq!(statuses(&push(&app, item(10, "7", "10.00")).await), ["applied"]);
    let before = (balance(&app, &account).await, app.get("/v1/credit-balances/history").await.is(200).body);
    let events = app.get("/v1/audit-events?resource=credit_balances").await.is(200);
    assert_eq!(column(&events, "kind"), ["credit_balance.created"]);
    for (late, told) in [(item(10, "7", "10.00"), "unchanged"), (item(9, "8", "5.00"), "stale"), (item(10, "6", "5.00"), "stale")] {
        let done = push(&app, late).await;
        assert_eq!((statuses(&done)[0], &done["results"][0]["version"]), (told, &json!(1)));
    }
    assert_eq!((balance(&app, &account).await, app.get("/v1/credit-balances/history").await.is(200).body), before);
    assert_eq!(
        app.get("/v1/audit-events?resource=credit_balances").await.is(200)["data"],
        events["data"],
        "and nothing is told to anybody"
    );
    // The same moment in another zone is the same moment; numbers are compared as numbers.
    let zoned = json!([{"external_id": "A", "as_of": "2026-01-02T17:00:00+07:00", "source_revision": "10", "receivable": "11.00"}]);
    assert_eq!(statuses(&push(&app, zoned).await), ["applied"]);
    assert_eq!(statuses(&push(&app, item(11, "1", "10.00")).await), ["applied"]);
    let history = app.all(&format!("/v1/credit-balances/history?account_id={account}"), 2).await;
    assert_eq!(history.iter().map(|h| h["item"]["receivable"].as_str().unwrap()).collect::<Vec<_>>(), ["10.00", "11.00", "10.00"]);
    assert_eq!(balance(&app, &account).await["version"], 3);
}

async fn what_is_left_out_of_a_group_is_zero_and_the_other_group_stays(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let at = |hour: u32| format!("2026-01-02T{hour:02}:00:00Z");
    let full = json!([{"external_id": "A", "as_of": at(10), "receivable": "10.00", "overdue": {"days_over_90": "3.00"}, "open_orders": "5.00",
        "credit_limit": {"kind": "limited", "amount": "100.00"}, "on_hold": true}]);
    push(&app, full).await;
    assert_eq!(statuses(&push(&app, json!([{"external_id": "A", "as_of": at(12), "unbilled_deliveries": "7.00"}])).await), ["applied"]);
    let now = balance(&app, &account).await;
    let exposure = ["receivable", "overdue_days_over_90", "unbilled_deliveries", "open_orders"].map(|f| now[f].as_str().unwrap());
    assert_eq!(exposure, ["0.00", "0.00", "7.00", "0.00"]);
    assert_eq!((&now["limit_amount"], &now["on_hold"], &now["limit_as_of"]), (&json!("100.00"), &json!(true), &json!(at(10))));
    // Between the two: too late for the exposure, in time for the limit.
    let both = json!([{"external_id": "A", "as_of": at(11), "receivable": "99.00", "credit_limit": {"kind": "unlimited"}}]);
    assert_eq!(statuses(&push(&app, both).await), ["applied"]);
    let now = balance(&app, &account).await;
    assert_eq!((&now["receivable"], &now["exposure_as_of"]), (&json!("0.00"), &json!(at(12))));
    assert_eq!(
        (&now["limit_kind"], &now["limit_amount"], &now["on_hold"], &now["limit_as_of"]),
        (&json!("unlimited"), &json!(null), &json!(false), &json!(at(11)))
    );
}

async fn a_key_sent_twice_in_a_batch_is_taken_one_after_the_other(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let item = |hour: u32, receivable: &str| json!({"external_id": "A", "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "receivable": receivable});
    let mut by_id = item(12, "3.00");
    by_id.as_object_mut().unwrap().remove("external_id");
    by_id["account_id"] = json!(account);
    let done = push(&app, json!([item(10, "1.00"), item(11, "2.00"), item(10, "1.00"), item(11, "2.00"), by_id])).await;
    assert_eq!(statuses(&done), ["applied", "applied", "stale", "unchanged", "applied"]);
    assert!(done["results"].as_array().unwrap().iter().all(|r| r["version"] == 1), "one write: {}", done.text);
    assert_eq!(balance(&app, &account).await["receivable"], "3.00");
    assert_eq!(app.all("/v1/credit-balances/history", 50).await.len(), 3, "each that counted is kept");
}

async fn of_two_that_say_different_things_of_one_moment_the_more_prudent_stays(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let say = |rest: Value| {
        let mut item = json!({"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "source_revision": "7"});
        item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        json!([item])
    };
    push(&app, say(json!({"receivable": "10.00", "credit_limit": {"kind": "limited", "amount": "100.00"}}))).await;
    let less = push(&app, say(json!({"receivable": "9.00"}))).await;
    assert_eq!((statuses(&less)[0], faults(&less)[0]), ("stale", "same_as_of_different_values"));
    let now = balance(&app, &account).await;
    assert_eq!((&now["receivable"], &now["has_conflict"], &now["limit_has_conflict"]), (&json!("10.00"), &json!(true), &json!(false)));
    assert_eq!(statuses(&push(&app, say(json!({"credit_limit": {"kind": "limited", "amount": "90.00"}}))).await), ["applied"]);
    let now = balance(&app, &account).await;
    assert_eq!((&now["limit_amount"], &now["limit_has_conflict"]), (&json!("90.00"), &json!(true)));
    assert_eq!(app.get("/v1/credit-balances?has_conflict=true").await.is(200)["data"].as_array().unwrap().len(), 1);
    // What is newer settles it, each group for itself.
    push(&app, json!([{"external_id": "A", "as_of": "2026-01-02T11:00:00Z", "receivable": "8.00"}])).await;
    let now = balance(&app, &account).await;
    assert_eq!(
        (&now["exposure_has_conflict"], &now["limit_has_conflict"], &now["has_conflict"]),
        (&json!(false), &json!(true), &json!(true))
    );
}

async fn one_account_is_pushed_by_its_path(app: App) {
    express(&app, json!({})).await;
    let account = app.account("A").await;
    let path = format!("/v1/accounts/{account}/credit-balance");
    let body = |rest: Value| {
        let mut body = json!({"system": "express", "entity": "TH01", "currency": "THB", "as_of": "2026-01-02T10:00:00Z"});
        body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        body
    };
    let first = app.put(&path, body(json!({"receivable": "5.00", "on_hold": false}))).await.is(200);
    let now = balance(&app, &account).await;
    assert_eq!((&first["status"], &first["id"], &first["version"]), (&json!("applied"), &now["id"], &json!(1)));
    assert_eq!(app.put(&path, body(json!({"receivable": "5.00"}))).await.is(200)["status"], "unchanged");
    let late = json!({"receivable": "6.00", "as_of": "2026-01-01T10:00:00Z"});
    assert_eq!(app.put(&path, body(late)).await.is(200)["status"], "stale");
    assert_eq!(balance(&app, &account).await, now);
    let future = json!({"receivable": "6.00", "as_of": from_now(3600)});
    app.put(&path, body(future)).await.refused(422, "validation_failed").fault("/as_of", "as_of_in_future");
    app.put(&path, body(json!({"receivable": "5.00001"}))).await.is(422);
    app.put(&path, body(json!({"external_id": "A", "receivable": "5.00"}))).await.is(422).fault("/external_id", "unknown_field");
    app.put(&path, body(json!({}))).await.is(422).fault("", "nothing_named");
    app.put(&path, body(json!({"system": "nobody", "receivable": "5.00"}))).await.refused(422, "unknown_reference");
    let nowhere = format!("/v1/accounts/{}/credit-balance", random_id());
    app.put(&nowhere, body(json!({"receivable": "5.00"}))).await.refused(404, "not_found");
    // Another ledger of the same account is another balance.
    app.put(&path, body(json!({"entity": "TH02", "receivable": "1.00"}))).await.is(200);
    app.put(&path, body(json!({"currency": "USD", "receivable": "1.00"}))).await.is(200);
    assert_eq!(kept(&app, &account).await.len(), 3);
}

async fn what_is_no_batch_is_refused_as_a_whole(app: App) {
    express(&app, json!({})).await;
    customer(&app, "A").await;
    let items = json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}]);
    let with = |name: &str, value: Value| {
        let mut body = batch(&items);
        body[name] = value;
        app.post("/v1/credit-balances/batch", body)
    };
    with("system", json!("nobody")).await.refused(422, "unknown_reference").fault("/system", "unknown_reference");
    with("system", json!("Express")).await.refused(422, "unknown_reference");
    for (name, wrong) in [("entity", ""), ("currency", "baht"), ("currency", "thb"), ("items", "all")] {
        let refused = with(name, json!(wrong)).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{name}"), "{}", refused.text);
    }
    with("items", json!([])).await.refused(422, "validation_failed");
    with("snapshot_id", json!(random_id())).await.refused(422, "validation_failed").fault("/snapshot_id", "unknown_reference");
    with("as_of", json!("2026-01-02T10:00:00Z")).await.refused(422, "validation_failed").fault("/as_of", "unknown_field");
    assert_eq!(app.get("/v1/credit-balances").await.is(200)["data"], json!([]));
}

async fn a_system_says_only_what_it_keeps_books_of(app: App) {
    express(&app, json!({"legal_entity": "TH01", "currency": "THB"})).await;
    customer(&app, "A").await;
    let items = json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}]);
    let of = |entity: &str, currency: &str| {
        app.post("/v1/credit-balances/batch", json!({"system": "express", "entity": entity, "currency": currency, "items": items}))
    };
    let refused = of("TH10", "USD").await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/entity", "unknown_value")["allowed"], json!(["TH01"]));
    assert_eq!(refused.fault("/currency", "unknown_value")["allowed"], json!(["THB"]));
    of("TH01", "THB").await.is(200);
    let bad = json!({"code": "sap", "name": "SAP", "kind": "erp", "stale_after": "26 hours"});
    app.post("/v1/external-systems", bad).await.refused(422, "validation_failed").fault("/stale_after", "invalid_duration");
}

async fn a_thousand_items_are_taken_and_one_more_is_not(app: App) {
    express(&app, json!({})).await;
    let items: Vec<Value> = (0..1001).map(|n| json!({"name": format!("{n}"), "external_id": format!("C-{n:04}")})).collect();
    let made = json!({"mode": "upsert", "match_on": "external_id:express", "items": items[..1000]});
    app.post("/v1/accounts/batch", made).await.is(200);
    let pushes = |many: usize| {
        let all = (0..many).map(|n| json!({"external_id": format!("C-{n:04}"), "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}));
        batch(&json!(all.collect::<Vec<_>>()))
    };
    app.post("/v1/credit-balances/batch", pushes(1001)).await.refused(422, "validation_failed");
    assert_eq!(app.get("/v1/credit-balances").await.is(200)["data"], json!([]));
    let done = app.post("/v1/credit-balances/batch", pushes(1000)).await.is(200);
    assert_eq!(done["summary"]["applied"], 1000);
    assert_eq!(app.post("/v1/credit-balances/batch", pushes(1000)).await.is(200)["summary"]["unchanged"], 1000);
    assert_eq!(app.all("/v1/credit-balances", 200).await.len(), 1000);
}

async fn a_repeat_with_the_same_key_answers_the_same_bytes(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let body = batch(
        &json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}, {"external_id": "?", "as_of": "2026-01-02T10:00:00Z", "on_hold": true}]),
    );
    let send = || app.post("/v1/credit-balances/batch", body.clone()).key("2026-01-02T10:00/7");
    let (first, again) = (send().await.is(200), send().await.is(200));
    assert_eq!((statuses(&first), again.header("idempotency-replayed")), (vec!["applied", "failed"], "true"));
    assert_eq!(first.text, again.text, "not `unchanged`: the answer the sender missed");
    assert_eq!(balance(&app, &account).await["version"], 1);
    assert_eq!(app.get("/v1/credit-balances/unmatched").await.is(200)["data"][0]["attempts"], 1);
    let other = batch(&json!([{"external_id": "A", "as_of": "2026-01-02T12:00:00Z", "receivable": "5.00"}]));
    app.post("/v1/credit-balances/batch", other).key("2026-01-02T10:00/7").await.refused(422, "idempotency_key_reused");
}

async fn a_dry_run_keeps_nothing(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let items = json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}, {"external_id": "?", "as_of": "2026-01-02T10:00:00Z", "on_hold": true}]);
    let done = app.post("/v1/credit-balances/batch?dry_run=true", batch(&items)).await.is(200);
    assert_eq!(statuses(&done), ["applied", "failed"]);
    let one = json!({"system": "express", "entity": "TH01", "currency": "THB", "as_of": "2026-01-02T11:00:00Z", "receivable": "6.00"});
    assert_eq!(app.put(&format!("/v1/accounts/{account}/credit-balance?dry_run=true"), one).await.is(200)["status"], "applied");
    for path in ["/v1/credit-balances", "/v1/credit-balances/history", "/v1/credit-balances/unmatched"] {
        assert_eq!(app.get(path).await.is(200)["data"], json!([]), "{path}");
    }
    assert_eq!(app.get("/v1/external-systems?code=express").await.is(200)["data"][0]["last_seen_at"], json!(null));
}

async fn a_paused_system_is_refused(app: App) {
    let system = express(&app, json!({})).await;
    let account = app.account("A").await;
    let items = json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}]);
    assert_eq!(statuses(&push(&app, items.clone()).await), ["failed"]);
    let turn = |verb: &str| app.post(&format!("/v1/external-systems/{}/{verb}", system["id"].as_str().unwrap()), json!({}));
    turn("pause").await.is(200);
    turn("pause").await.refused(409, "illegal_transition");
    let refused = app.post("/v1/credit-balances/batch", batch(&items)).await.refused(409, "conflict");
    assert_eq!(refused["allowed"], json!(["activate"]));
    // What came in before is still there to be mapped.
    map(&app, "A", &account).await.is(201);
    assert_eq!(balance(&app, &account).await["receivable"], "5.00");
    turn("activate").await.is(200);
    assert_eq!(statuses(&push(&app, items).await), ["unchanged"]);
}

async fn a_machine_pushes_for_its_system_and_within_its_reach(app: App) {
    express(&app, json!({})).await;
    app.make("/v1/external-systems", json!({"code": "sap", "name": "SAP", "kind": "erp"})).await;
    let account = customer(&app, "A").await;
    let items = json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"}]);
    let send = |app: &App, items: &Value| app.post("/v1/credit-balances/batch", batch(items));
    // The right to push is enough: a machine need not read customers.
    let pusher = app.person(&["credit-balances:push/all"], &[], &[]).await.app;
    assert_eq!(statuses(&send(&pusher, &items).await.is(200)), ["applied"]);
    pusher.get(&format!("/v1/accounts/{account}/credit")).await.refused(403, "forbidden");
    let own = app.person(&["credit-balances:push/own", "accounts:read/all"], &[], &[]).await;
    let refused = send(&own.app, &items).await.is(200);
    // As if nobody had mapped it.
    assert_eq!((statuses(&refused)[0], faults(&refused)[0]), ("failed", "unknown_external_id"));
    assert_eq!(app.get("/v1/credit-balances/unmatched").await.is(200)["data"], json!([]), "it is mapped, only not for everyone");
    let one = json!({"system": "express", "entity": "TH01", "currency": "THB", "as_of": "2026-01-02T10:00:00Z", "receivable": "5.00"});
    let path = format!("/v1/accounts/{account}/credit-balance");
    own.app.put(&path, one).await.refused(404, "not_found");
    app.post(&format!("/v1/accounts/{account}/assign"), json!({"owner_id": own.id})).await.is(200);
    assert_eq!(statuses(&send(&own.app, &items).await.is(200)), ["unchanged"]);
    let reader = app.person(&["credit-balances:read/all", "accounts:read/all"], &[], &[]).await.app;
    send(&reader, &items).await.refused(403, "forbidden");
    let key = app.api_key(&["credit-balances:push/all"], json!({"systems": ["sap"]})).await.is(201);
    send(&app.as_(&key.text_of("token")), &items).await.refused(403, "forbidden");
    let key = app.api_key(&["credit-balances:push/all"], json!({"systems": ["sap", "express"]})).await.is(201);
    assert_eq!(statuses(&send(&app.as_(&key.text_of("token")), &items).await.is(200)), ["unchanged"]);
}
