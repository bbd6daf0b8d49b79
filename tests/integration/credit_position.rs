//! `GET /v1/accounts/{id}/credit`: may I sell to this customer?

use super::*;

crate::on_both![
    available_is_the_limit_less_the_whole_exposure,
    each_status_has_its_reasons,
    a_stale_balance_does_what_its_system_says,
    nothing_is_known_until_accounting_tells,
    several_legal_entities_add_up_and_currencies_do_not,
    our_own_profile_counts_beside_accounting,
    sellers_see_status_and_available_and_the_ledger_only_with_the_right,
    what_one_may_not_see_is_not_there,
];

/// An account with its name at `express`, and a balance told now.
async fn told(app: &App, name: &str, rest: Value) -> String {
    let account = customer(app, name).await;
    tell(app, name, 0, rest).await;
    account
}

async fn tell(app: &App, name: &str, seconds: i64, rest: Value) {
    let mut item = json!({"external_id": name, "as_of": from_now(seconds)});
    item.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    assert_eq!(statuses(&push(app, json!([item])).await), ["applied"]);
}

fn limited(amount: &str) -> Value {
    json!({"kind": "limited", "amount": amount})
}

#[track_caller]
fn says(position: &Value, status: &str, reasons: &[&str], available: Value) {
    assert_eq!(
        (&position["status"], &position["reasons"], &position["available"]),
        (&json!(status), &json!(reasons), &available),
        "{position}"
    );
}

async fn available_is_the_limit_less_the_whole_exposure(app: App) {
    express(&app, json!({})).await;
    let parts = json!({"receivable": "100.10", "unbilled_deliveries": "20.02", "open_orders": "3.003", "credit_limit": limited("200.00"), "on_hold": false});
    let account = told(&app, "A", parts).await;
    let position = credit(&app, &account).await;
    says(&position, "ok", &[], json!("76.877"));
    let ledger = json!({
        "account_id": account, "currency": "THB", "limit_kind": "limited", "limit_amount": "200.00", "exposure": "123.123", "receivable": "100.10",
        "unbilled_deliveries": "20.02", "open_orders": "3.003", "overdue": "0.00", "stale": false,
    });
    for (name, value) in ledger.as_object().unwrap() {
        assert_eq!(&position[name], value, "{name}");
    }
    assert_eq!(position["as_of"], balance(&app, &account).await["exposure_as_of"]);
    let part = &position["balances"][0];
    assert_eq!((&part["system"], &part["entity"], &part["exposure"]), (&json!("express"), &json!("TH01"), &json!("123.123")));
    // A credit note makes room.
    tell(&app, "A", 1, json!({"receivable": "-50.00"})).await;
    says(&*credit(&app, &account).await, "ok", &[], json!("250.00"));
    // The very limit is not over it.
    tell(&app, "A", 2, json!({"receivable": "200.00"})).await;
    says(&*credit(&app, &account).await, "ok", &[], json!("0.00"));
    tell(&app, "A", 3, json!({"receivable": "200.0001"})).await;
    says(&*credit(&app, &account).await, "over_limit", &["over_limit"], json!("-0.0001"));
}

async fn each_status_has_its_reasons(app: App) {
    express(&app, json!({})).await;
    let cases = [
        ("ok", json!({"receivable": "1.00", "credit_limit": {"kind": "unlimited"}}), vec![], json!(null)),
        ("ok", json!({"receivable": "1.00", "credit_limit": {"kind": "not_managed"}}), vec!["limit_not_managed"], json!(null)),
        ("ok", json!({"receivable": "1.00"}), vec!["limit_not_managed"], json!(null)),
        (
            "warn",
            json!({"receivable": "9.00", "overdue": {"days_1_30": "1.00"}, "credit_limit": limited("10.00")}),
            vec!["overdue"],
            json!("1.00"),
        ),
        ("over_limit", json!({"receivable": "11.00", "credit_limit": limited("10.00")}), vec!["over_limit"], json!("-1.00")),
        ("over_limit", json!({"open_orders": "0.01", "credit_limit": limited("0.00")}), vec!["over_limit"], json!("-0.01")),
        ("hold", json!({"receivable": "1.00", "credit_limit": limited("10.00"), "on_hold": true}), vec!["accounting_hold"], json!("9.00")),
        (
            "hold",
            json!({"receivable": "11.00", "overdue": {"days_over_90": "11.00"}, "credit_limit": limited("10.00"), "on_hold": true}),
            vec!["accounting_hold", "over_limit", "overdue"],
            json!("-1.00"),
        ),
        ("unknown", json!({"credit_limit": limited("10.00")}), vec!["no_balance"], json!(null)),
        ("hold", json!({"on_hold": true}), vec!["no_balance", "accounting_hold", "limit_not_managed"], json!(null)),
    ];
    for (n, (status, said, reasons, available)) in cases.into_iter().enumerate() {
        let account = told(&app, &format!("C-{n}"), said).await;
        says(&*credit(&app, &account).await, status, &reasons, available);
    }
}

async fn a_stale_balance_does_what_its_system_says(app: App) {
    let system = express(&app, json!({"stale_after": "PT2H"})).await;
    let path = format!("/v1/external-systems/{}", system["id"].as_str().unwrap());
    let account = customer(&app, "A").await;
    tell(&app, "A", -7300, json!({"receivable": "1.00", "credit_limit": limited("10.00")})).await;
    for (on_stale, status) in [("warn", "warn"), ("allow", "ok"), ("block", "hold")] {
        app.patch(&path, json!({"on_stale": on_stale})).await.is(200);
        let position = credit(&app, &account).await;
        says(&position, status, &["stale"], json!("9.00"));
        assert_eq!((&position["stale"], &position["balances"][0]["stale"]), (&json!(true), &json!(true)));
    }
    app.patch(&path, json!({"stale_after": null})).await.is(200);
    says(&*credit(&app, &account).await, "ok", &[], json!("9.00"));
    app.patch(&path, json!({"stale_after": "PT2H"})).await.is(200);
    // A limit holds until another is told; it is what is owed that grows old.
    tell(&app, "A", -7000, json!({"receivable": "2.00"})).await;
    let position = credit(&app, &account).await;
    says(&position, "ok", &[], json!("8.00"));
    assert_eq!(position["stale"], false);
    let bad = json!({"stale_after": "yesterday"});
    app.patch(&path, bad).await.refused(422, "validation_failed").fault("/stale_after", "invalid_duration");
}

async fn nothing_is_known_until_accounting_tells(app: App) {
    let account = app.make("/v1/accounts", json!({"name": "A", "currency": "THB"})).await["id"].as_str().unwrap().to_owned();
    let position = credit(&app, &account).await;
    says(&position, "unknown", &["no_balance"], json!(null));
    for name in ["as_of", "limit_kind", "limit_amount", "exposure", "receivable", "overdue"] {
        assert_eq!(position[name], json!(null), "{name}");
    }
    assert_eq!((&position["currency"], &position["stale"], &position["balances"]), (&json!("THB"), &json!(false), &json!([])));
}

async fn several_legal_entities_add_up_and_currencies_do_not(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", json!({"receivable": "10.00", "credit_limit": limited("100.00")})).await;
    let of = |entity: &str, currency: &str, receivable: &str, limit: &str| {
        let body = json!({"system": "express", "entity": entity, "currency": currency, "as_of": from_now(-60), "receivable": receivable, "credit_limit": limited(limit)});
        app.put(&format!("/v1/accounts/{account}/credit-balance"), body)
    };
    of("TH02", "THB", "20.00", "50.00").await.is(200);
    of("TH01", "USD", "7.00", "5.00").await.is(200);
    let position = credit(&app, &account).await;
    assert_eq!(
        (&position["currency"], &position["exposure"], &position["limit_amount"]),
        (&json!("THB"), &json!("30.00"), &json!("150.00"))
    );
    says(&position, "ok", &[], json!("120.00"));
    assert_eq!(position["balances"].as_array().unwrap().len(), 2);
    let oldest = kept(&app, &account).await.into_iter().find(|b| b["entity"] == "TH02").unwrap();
    assert_eq!(position["as_of"], oldest["exposure_as_of"]);
    let dollars = app.get(&format!("/v1/accounts/{account}/credit?currency=USD")).await.is(200);
    says(&dollars, "over_limit", &["over_limit"], json!("-2.00"));
    // What is sold in euros counts against the limit in baht.
    let euros = app.get(&format!("/v1/accounts/{account}/credit?currency=EUR")).await.is(200);
    says(&euros, "hold", &["no_exchange_rate"], json!("120.00"));
    assert_eq!(euros["currency"], "THB");
    let rate = json!({"from_currency": "EUR", "to_currency": "THB", "rate": "40.00", "valid_from": "2026-01-01"});
    app.make("/v1/exchange-rates", rate).await;
    says(&app.get(&format!("/v1/accounts/{account}/credit?currency=EUR")).await.is(200), "ok", &[], json!("120.00"));
    app.get(&format!("/v1/accounts/{account}/credit?currency=baht")).await.refused(400, "invalid_query");
    // The account's own currency is what is asked for when nothing is said.
    app.patch(&format!("/v1/accounts/{account}"), json!({"currency": "USD"})).await.is(200);
    assert_eq!(credit(&app, &account).await["currency"], "USD");
}

async fn our_own_profile_counts_beside_accounting(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", json!({"receivable": "80.00", "credit_limit": limited("100.00")})).await;
    let mut version = 0;
    let mut put = async |body: Value| {
        let mut request = app.put(&format!("/v1/accounts/{account}/credit-profile"), body);
        if version > 0 {
            request = request.if_match(version);
        }
        version = request.await.version();
        credit(&app, &account).await
    };
    says(&*put(json!({"warn_at_percent": 80})).await, "warn", &["near_limit"], json!("20.00"));
    says(&*put(json!({"warn_at_percent": 81})).await, "ok", &[], json!("20.00"));
    says(&*put(json!({"limit_amount": "90.00", "currency": "THB"})).await, "ok", &[], json!("10.00"));
    says(&*put(json!({"limit_amount": "70.00", "currency": "THB"})).await, "over_limit", &["over_limit"], json!("-10.00"));
    says(&*put(json!({"limit_amount": "500.00", "currency": "THB"})).await, "ok", &[], json!("20.00"));
    says(&*put(json!({"limit_amount": "1.00", "currency": "USD"})).await, "ok", &[], json!("20.00"));
    says(&*put(json!({"is_on_hold": true, "hold_reason": "Court"})).await, "hold", &["profile_hold"], json!("20.00"));
    // A limit of ours holds where accounting has none.
    tell(&app, "A", 1, json!({"credit_limit": {"kind": "not_managed"}})).await;
    says(&*put(json!({"limit_amount": "81.00"})).await, "ok", &[], json!("1.00"));
}

async fn sellers_see_status_and_available_and_the_ledger_only_with_the_right(app: App) {
    express(&app, json!({})).await;
    let account =
        told(&app, "A", json!({"receivable": "60.00", "overdue": {"days_1_30": "5.00"}, "credit_limit": limited("100.00")})).await;
    let seller = app.person(&["accounts:read/all", "credit:read/all"], &["financial=hidden"], &[]).await.app;
    let seen = credit(&seller, &account).await;
    says(&seen, "warn", &["overdue"], json!("40.00"));
    for name in ["limit_kind", "limit_amount", "exposure", "receivable", "unbilled_deliveries", "open_orders", "overdue"] {
        assert_eq!(seen[name], json!(null), "{name}");
    }
    assert_eq!(seen["balances"], json!([]));
    assert!(seen["as_of"].is_string());
    let bookkeeper = app.person(&["accounts:read/all", "credit:read/all", "credit:see-ledger/all"], &[], &[]).await.app;
    assert_eq!(credit(&bookkeeper, &account).await.body, credit(&app, &account).await.body);
    // The right reaches as far as it was given.
    let own = app.person(&["accounts:read/all", "credit:read/all", "credit:see-ledger/own"], &[], &[]).await;
    assert_eq!(credit(&own.app, &account).await["exposure"], json!(null));
    app.post(&format!("/v1/accounts/{account}/assign"), json!({"owner_id": own.id})).await.is(200);
    assert_eq!(credit(&own.app, &account).await["exposure"], "60.00");
    for path in
        ["/v1/credit-balances", "/v1/credit-balances/history", "/v1/credit-balances/reconciliation", "/v1/credit-balances/snapshots"]
    {
        seller.get(path).await.refused(403, "forbidden");
    }
    seller.get(&format!("/v1/accounts/{account}/credit-profile")).await.refused(403, "forbidden");
}

async fn what_one_may_not_see_is_not_there(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", json!({"receivable": "60.00"})).await;
    let own =
        app.person(&["accounts:read/own", "credit:*/all", "credit-balances:*/all", "credit-balance-history:read/all"], &[], &[]).await.app;
    own.get(&format!("/v1/accounts/{account}/credit")).await.refused(404, "not_found");
    own.get(&format!("/v1/accounts/{account}/credit-profile")).await.refused(403, "forbidden");
    assert_eq!(own.get("/v1/credit-balances").await.is(200)["data"], json!([]));
    assert_eq!(own.get("/v1/credit-balances/history").await.is(200)["data"], json!([]));
    app.get(&format!("/v1/accounts/{}/credit", random_id())).await.refused(404, "not_found");
    app.get("/v1/accounts/7/credit").await.refused(404, "not_found");
    let nobody = app.person(&["accounts:read/all"], &[], &[]).await.app;
    nobody.get(&format!("/v1/accounts/{account}/credit")).await.refused(403, "forbidden");
    app.nobody().get(&format!("/v1/accounts/{account}/credit")).await.refused(401, "unauthenticated");
}
