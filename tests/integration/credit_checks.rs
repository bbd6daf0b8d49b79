//! `POST /v1/credit-checks`: what policies decide, and what an authorisation keeps back.

use super::*;
use futures_util::future::join_all;
use samphan_resource::scalar::{Kind as Scale, Scalar};

crate::on_both![
    the_standard_policy_allows_what_fits_and_holds_the_rest,
    each_rule_is_told_with_what_follows_from_it,
    what_is_authorised_is_not_there_for_the_next,
    what_is_captured_counts_until_the_books_are_newer,
    an_authorisation_ends_by_itself,
    the_policy_that_fits_and_comes_first_decides,
    a_policy_says_what_counts_and_what_is_let_pass,
    a_policy_is_tried_before_it_decides,
    a_group_shares_its_limit,
    sixty_four_sellers_get_the_last_of_a_limit_once,
    sixty_four_sellers_get_the_last_of_a_shared_limit_once,
    sellers_who_stand_in_line_leave_room_for_everybody_else,
    sellers_see_the_decision_and_the_ledger_only_with_the_right,
    bad_questions_are_refused,
];

/// An account of which `express` said something a minute ago.
async fn told(app: &App, name: &str, said: Value) -> String {
    let account = customer(app, name).await;
    let mut item = json!({"external_id": name, "as_of": from_now(-60)});
    item.as_object_mut().unwrap().extend(said.as_object().cloned().unwrap());
    assert_eq!(statuses(&push(app, json!([item])).await), ["applied"]);
    account
}

/// What is said of a customer who owes so much and may owe so much.
fn owes(receivable: &str, limit: &str) -> Value {
    json!({"receivable": receivable, "credit_limit": {"kind": "limited", "amount": limit}})
}

async fn ask(app: &App, account: &str, amount: &str) -> Answer {
    ask_with(app, account, amount, json!({})).await
}

async fn ask_with(app: &App, account: &str, amount: &str, rest: Value) -> Answer {
    let mut body = json!({"account_id": account, "amount": amount});
    body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    app.post("/v1/credit-checks", body).await.is(201)
}

#[track_caller]
fn says(decision: &Answer, what: &str, rules: &[&str]) {
    let found: Vec<&str> = decision["findings"].as_array().unwrap().iter().map(|f| f["rule"].as_str().unwrap()).collect();
    assert_eq!((decision["decision"].as_str().unwrap(), found), (what, rules.to_vec()), "{}", decision.text);
    assert_eq!(decision["rule"].as_str(), rules.first().copied());
}

async fn available(app: &App, account: &str) -> Value {
    credit(app, account).await["available"].clone()
}

async fn act(app: &App, decision: &Answer, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/credit-checks/{}/{verb}", decision.text_of("check_id")), body).await
}

async fn policy(app: &App, body: Value) -> String {
    let made = app.make("/v1/credit-policies", body).await;
    assert_eq!(made["status"], "draft");
    let path = format!("/v1/credit-policies/{}", made["id"].as_str().unwrap());
    assert_eq!(app.post(&format!("{path}/activate"), json!({})).await.is(200)["status"], "active");
    path
}

async fn the_standard_policy_allows_what_fits_and_holds_the_rest(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("60.00", "100.00")).await;
    let fits = ask_with(&app, &account, "40.00", json!({"authorise": false})).await;
    says(&fits, "allow", &[]);
    assert_eq!((&fits["policy_id"], &fits["policy"], &fits["currency"]), (&json!(null), &json!("standard"), &json!("THB")));
    assert_eq!((&fits["available_before"], &fits["available_after"]), (&json!("40.00"), &json!("40.00")));
    assert_eq!((&fits["limit_kind"], &fits["limit_amount"], &fits["exposure"]), (&json!("limited"), &json!("100.00"), &json!("60.00")));
    assert_eq!(fits["components"][0]["component"], "receivable");
    assert_eq!((&fits["components"][0]["system"], &fits["components"][0]["amount"]), (&json!("express"), &json!("60.00")));
    assert_eq!(fits["as_of"], balance(&app, &account).await["exposure_as_of"]);
    says(&ask(&app, &account, "40.0001").await, "hold", &["over_limit"]);
    assert_eq!(available(&app, &account).await, "40.00", "what is held keeps nothing back");
    // The question and its answer are kept.
    let kept = app.get(fits.header("location")).await.is(200);
    assert_eq!((&kept["decision"], &kept["status"], &kept["authorised_amount"]), (&json!("allow"), &json!("none"), &json!(null)));
    let lines = app.get(&format!("/v1/credit-check-components?check_id={}", fits.text_of("check_id"))).await.is(200);
    let mut named = column(&lines, "component");
    named.sort();
    assert_eq!(named, ["open_orders", "receivable", "unbilled_deliveries"], "what was named as one is zero, not unknown");
    let dry = app.post("/v1/credit-checks?dry_run=true", json!({"account_id": account, "amount": "40.00"})).await.is(201);
    assert_eq!(dry["authorised_amount"], "40.00");
    assert_eq!(available(&app, &account).await, "40.00");
}

async fn each_rule_is_told_with_what_follows_from_it(app: App) {
    express(&app, json!({"stale_after": "PT2H", "on_stale": "block"})).await;
    let unlimited = |rest: Value| {
        let mut said = json!({"receivable": "10.00", "credit_limit": {"kind": "unlimited"}});
        said.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
        said
    };
    let cases = [
        (unlimited(json!({})), "allow", vec![]),
        (unlimited(json!({"on_hold": true})), "hold", vec!["accounting_hold"]),
        (unlimited(json!({"overdue": {"days_over_90": "0.01"}})), "warn", vec!["overdue"]),
        (unlimited(json!({"as_of": from_now(-7300)})), "hold", vec!["stale"]),
        (json!({"receivable": "1.00", "credit_limit": {"kind": "not_managed"}}), "allow", vec!["limit_not_managed"]),
        (json!({"on_hold": false}), "hold", vec!["no_balance"]),
        (
            json!({"receivable": "10.00", "overdue": {"days_1_30": "1.00"}, "credit_limit": {"kind": "limited", "amount": "5.00"}, "on_hold": true}),
            "hold",
            vec!["accounting_hold", "over_limit", "overdue"],
        ),
    ];
    for (n, (said, decision, rules)) in cases.into_iter().enumerate() {
        let account = told(&app, &format!("C-{n}"), said).await;
        says(&ask(&app, &account, "1.00").await, decision, &rules);
    }
    let account = told(&app, "held by us", owes("1.00", "10.00")).await;
    app.put(&format!("/v1/accounts/{account}/credit-profile"), json!({"is_on_hold": true})).await.is(201);
    says(&ask(&app, &account, "1.00").await, "hold", &["profile_hold"]);
}

async fn what_is_authorised_is_not_there_for_the_next(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("60.00", "100.00")).await;
    let first = ask(&app, &account, "30.00").await;
    says(&first, "allow", &[]);
    assert_eq!((&first["authorised_amount"], &first["available_after"]), (&json!("30.00"), &json!("10.00")));
    assert!(first["expires_at"].as_str().unwrap() > from_now(1700).as_str().unwrap());
    assert_eq!(available(&app, &account).await, "10.00");
    assert_eq!(credit(&app, &account).await["authorised"], "30.00");
    let second = ask(&app, &account, "30.00").await;
    says(&second, "hold", &["over_limit"]);
    assert_eq!((&second["available_before"], &second["authorised_amount"]), (&json!("10.00"), &json!(null)));
    let authorised = second["components"].as_array().unwrap().iter().find(|c| c["component"] == "authorisations").unwrap();
    assert_eq!((&authorised["amount"], &authorised["system"]), (&json!("30.00"), &json!(null)));
    act(&app, &second, "capture", json!({})).await.refused(409, "illegal_transition");
    let released = act(&app, &first, "release", json!({})).await.is(200);
    assert_eq!((&released["status"], &released["available_actions"]), (&json!("released"), &json!([])));
    act(&app, &first, "release", json!({})).await.refused(409, "illegal_transition");
    act(&app, &first, "capture", json!({})).await.refused(409, "illegal_transition");
    assert_eq!(available(&app, &account).await, "40.00");
    says(&ask(&app, &account, "40.00").await, "allow", &[]);
}

async fn what_is_captured_counts_until_the_books_are_newer(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("60.00", "100.00")).await;
    let decision = ask(&app, &account, "30.00").await;
    act(&app, &decision, "capture", json!({"amount": "30.01"})).await.refused(422, "validation_failed").fault("/amount", "too_much");
    let captured = act(&app, &decision, "capture", json!({"amount": "25.00"})).await.is(200);
    assert_eq!((&captured["status"], &captured["authorised_amount"]), (&json!("captured"), &json!("25.00")));
    assert_eq!(available(&app, &account).await, "15.00");
    // What accounting says of a moment before the sale does not know it.
    push(&app, json!([{"external_id": "A", "as_of": from_now(-30), "receivable": "61.00"}])).await;
    assert_eq!(available(&app, &account).await, "14.00");
    // What it says of a later one does.
    push(&app, json!([{"external_id": "A", "as_of": from_now(30), "receivable": "61.00", "open_orders": "25.00"}])).await;
    assert_eq!(available(&app, &account).await, "14.00");
    assert_eq!(credit(&app, &account).await["authorised"], "0.00");
}

async fn an_authorisation_ends_by_itself(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("60.00", "100.00")).await;
    let decision = ask(&app, &account, "30.00").await;
    // The clock is the server's; so the end is moved instead.
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("UPDATE credit_checks SET expires_at = ").bind(Scale::Time, Scalar::Time(work.now.plus_seconds(-11)));
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    assert_eq!(available(&app, &account).await, "40.00");
    act(&app, &decision, "capture", json!({})).await.refused(409, "illegal_transition");
    act(&app, &decision, "release", json!({})).await.refused(409, "illegal_transition");
    // It is noted without anybody's asking, and told once.
    let path = format!("/v1/credit-checks/{}", decision.text_of("check_id"));
    let expired = app.get_until(&path, |check| check["status"] == "expired").await;
    assert!(expired["settled_at"].is_string() && expired["updated_by_id"].is_null() && expired["version"] == 2, "{expired}");
    let events = app.get("/v1/audit-events?kind=credit_check.expired").await.is(200);
    assert_eq!(column(&events, "resource_id"), [decision.text_of("check_id")]);
    let event = &events["data"][0];
    assert_eq!(
        (&event["before"]["status"], &event["after"]["status"], &event["resource_version"]),
        (&json!("pending"), &json!("expired"), &json!(2))
    );
    says(&ask(&app, &account, "40.00").await, "allow", &[]);
}

async fn the_policy_that_fits_and_comes_first_decides(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("100.00", "100.00")).await;
    let over = async |checkpoint: &str| {
        let answer = ask_with(&app, &account, "1.00", json!({"checkpoint": checkpoint})).await;
        (answer["decision"].as_str().unwrap().to_owned(), answer["policy"].as_str().unwrap().to_owned())
    };
    let is = |decision: &str, policy: &str| (decision.to_owned(), policy.to_owned());
    policy(&app, json!({"name": "Every sale", "over_limit": "decline"})).await;
    assert_eq!(over("confirm").await, is("decline", "Every sale"));
    let quotes = policy(&app, json!({"name": "Quotes", "priority": 10, "checkpoints": ["quote"], "over_limit": "warn"})).await;
    assert_eq!(over("quote").await, is("warn", "Quotes"));
    assert_eq!(over("ship").await, is("decline", "Every sale"));
    policy(&app, json!({"name": "The best", "priority": 1, "grades": ["A"], "over_limit": "allow"})).await;
    assert_eq!(over("quote").await, is("warn", "Quotes"));
    app.patch(&format!("/v1/accounts/{account}"), json!({"grade": "A"})).await.is(200);
    assert_eq!(over("quote").await, is("allow", "The best"));
    policy(&app, json!({"name": "Dollars", "priority": 0, "currency": "USD"})).await;
    assert_eq!(over("confirm").await, is("allow", "The best"));
    app.patch(&format!("/v1/accounts/{account}"), json!({"grade": "B"})).await.is(200);
    app.post(&format!("{quotes}/activate"), json!({})).await.refused(409, "illegal_transition");
    assert_eq!(app.post(&format!("{quotes}/retire"), json!({})).await.is(200)["available_actions"], json!(["activate"]));
    assert_eq!(over("quote").await, is("decline", "Every sale"));
    let kept = app.get("/v1/credit-checks?decision=decline").await.is(200);
    assert!(kept["data"].as_array().unwrap().iter().all(|c| c["policy_version"] == 2), "{}", kept.text);
}

async fn a_policy_says_what_counts_and_what_is_let_pass(app: App) {
    express(&app, json!({})).await;
    let said = json!({"receivable": "50.00", "unbilled_deliveries": "20.00", "open_orders": "25.00", "overdue": {"days_1_30": "8.00", "days_31_60": "4.00"},
        "credit_limit": {"kind": "limited", "amount": "100.00"}});
    let account = told(&app, "A", said).await;
    let path = policy(&app, json!({"name": "Trade", "overdue": "hold", "authorisation_minutes": 5})).await;
    let asked = async |rest: Value, amount: &str| {
        app.patch(&path, rest).await.is(200);
        ask_with(&app, &account, amount, json!({"authorise": false})).await
    };
    says(&asked(json!({"components": ["receivable"]}), "50.00").await, "allow", &[]);
    says(&asked(json!({"components": ["receivable", "open_orders"]}), "25.01").await, "hold", &["over_limit"]);
    let stretched = asked(json!({"tolerance_percent": 10}), "35.00").await;
    says(&stretched, "allow", &[]);
    assert_eq!((&stretched["available_before"], &stretched["limit_amount"]), (&json!("35.00"), &json!("100.00")));
    assert_eq!(stretched["components"].as_array().unwrap().iter().filter(|c| c["is_counted"] == true).count(), 2);
    says(&asked(json!({"overdue_from": "days_1"}), "1.00").await, "hold", &["overdue"]);
    says(&asked(json!({"overdue_amount": "12.00"}), "1.00").await, "allow", &[]);
    says(&asked(json!({"overdue_from": "days_31", "overdue_amount": "3.99"}), "1.00").await, "hold", &["overdue"]);
    says(&asked(json!({"overdue_from": "days_61", "overdue_amount": null}), "1.00").await, "allow", &[]);
    let shorter = ask(&app, &account, "1.00").await;
    assert!(shorter["expires_at"].as_str().unwrap() < from_now(310).as_str().unwrap());
    app.patch(&path, json!({"components": ["goodwill"]})).await.refused(422, "validation_failed");
    app.patch(&path, json!({"over_limit": "explode"})).await.refused(422, "validation_failed");
}

async fn a_policy_is_tried_before_it_decides(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("100.00", "100.00")).await;
    let draft = app.make("/v1/credit-policies", json!({"name": "Mild", "over_limit": "warn"})).await;
    says(&ask(&app, &account, "1.00").await, "hold", &["over_limit"]);
    let tried = ask_with(&app, &account, "1.00", json!({"policy_id": draft["id"]})).await;
    says(&tried, "warn", &["over_limit"]);
    assert_eq!((&tried["authorised_amount"], &tried["policy"]), (&json!(null), &json!("Mild")));
    let body = json!({"account_id": account, "amount": "1.00", "policy_id": random_id()});
    app.post("/v1/credit-checks", body).await.refused(422, "unknown_reference").fault("/policy_id", "unknown_reference");
}

/// A company with two branches, one of which has a shop; the company's limit is shared by all four.
async fn family(app: &App, shared: &str) -> [String; 4] {
    let mut made = vec![];
    for (name, parent) in [("Company", None), ("North", Some(0)), ("South", Some(0)), ("Shop", Some(1))] {
        let account = told(app, name, json!({"receivable": "10.00", "credit_limit": {"kind": "unlimited"}})).await;
        if let Some(parent) = parent {
            let parent: &String = &made[parent];
            app.patch(&format!("/v1/accounts/{account}"), json!({"parent_id": parent})).await.is(200);
        }
        made.push(account);
    }
    let profile = json!({"group_limit_amount": shared, "currency": "THB"});
    app.put(&format!("/v1/accounts/{}/credit-profile", made[0]), profile).await.is(201);
    made.try_into().unwrap()
}

async fn a_group_shares_its_limit(app: App) {
    express(&app, json!({})).await;
    let [company, north, south, shop] = family(&app, "100.00").await;
    let first = ask(&app, &shop, "40.00").await;
    says(&first, "allow", &[]);
    assert_eq!((&first["available_before"], &first["available_after"]), (&json!("60.00"), &json!("20.00")));
    says(&ask(&app, &south, "20.01").await, "hold", &["over_group_limit"]);
    says(&ask_with(&app, &company, "20.00", json!({"authorise": false})).await, "allow", &[]);
    says(&ask(&app, &north, "20.00").await, "allow", &[]);
    says(&ask(&app, &company, "0.01").await, "hold", &["over_group_limit"]);
    act(&app, &first, "release", json!({})).await.is(200);
    says(&ask(&app, &south, "40.00").await, "allow", &[]);
    // The position says what is left of it, and so what may be ordered.
    let position = credit(&app, &shop).await;
    assert_eq!((&position["group_available"], &position["available"], &position["status"]), (&json!("0.00"), &json!("0.00"), &json!("ok")));
    // A limit within the limit.
    app.put(&format!("/v1/accounts/{north}/credit-profile"), json!({"group_limit_amount": "30.00"})).await.is(201);
    says(&ask(&app, &shop, "0.01").await, "hold", &["over_group_limit"]);
    let position = credit(&app, &shop).await;
    assert_eq!((&position["group_available"], &position["available"]), (&json!("-10.00"), &json!("-10.00")), "{}", position.text);
    assert_eq!((&position["status"], &position["reasons"]), (&json!("over_limit"), &json!(["over_group_limit"])));
    // Of another branch's limit nothing is said.
    assert_eq!(credit(&app, &south).await["group_available"], "0.00");
}

/// Sixty-four ask for 10 each through two servers of four connections each, and nobody is sent away; answers how many were allowed.
async fn rush(app: &App, accounts: &[String]) -> usize {
    let other = app.another(samphan::config::RateLimit::Off);
    let asked = async |n: usize| {
        let server = if n.is_multiple_of(2) { app } else { &other };
        let body = json!({"account_id": accounts[n % accounts.len()], "amount": "10.00"});
        server.post("/v1/credit-checks", body).await.is(201)
    };
    let answers = join_all((0..64).map(asked)).await;
    assert!(answers.iter().all(|a| a["decision"] == "allow" || a["decision"] == "hold"));
    answers.iter().filter(|a| a["decision"] == "allow").count()
}

async fn sixty_four_sellers_get_the_last_of_a_limit_once(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("0.00", "105.00")).await;
    assert_eq!(rush(&app, std::slice::from_ref(&account)).await, 10);
    assert_eq!(available(&app, &account).await, "5.00");
    let pending = app.all("/v1/credit-checks?status=pending", 100).await;
    assert_eq!(pending.len(), 10);
}

async fn sixty_four_sellers_get_the_last_of_a_shared_limit_once(app: App) {
    express(&app, json!({})).await;
    let family = family(&app, "145.00").await;
    assert_eq!(rush(&app, &family).await, 10);
    let pending = app.all("/v1/credit-checks?status=pending", 100).await;
    assert_eq!(pending.len(), 10);
}

async fn sellers_who_stand_in_line_leave_room_for_everybody_else(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("0.00", "1000.00")).await;
    // Another process has the line; here there are four connections. SQLite is one process's alone.
    let other = if app.database_url().starts_with("postgres") { Some(app.work().await) } else { None };
    if let Some(other) = &other {
        other.lock_named(&format!("credit of {account}")).await.unwrap();
    }
    let sellers = join_all((0..16).map(async |_| ask(&app, &account, "10.00").await));
    let others = async {
        for _ in 0..20 {
            app.get(&format!("/v1/accounts/{account}")).await.is(200);
        }
        if let Some(other) = other {
            other.commit().await.unwrap();
        }
    };
    let (answers, ()) = futures_util::future::join(sellers, others).await;
    answers.iter().for_each(|answer| says(answer, "allow", &[]));
    assert_eq!(available(&app, &account).await, "840.00");
}

async fn sellers_see_the_decision_and_the_ledger_only_with_the_right(app: App) {
    express(&app, json!({})).await;
    let account = told(&app, "A", owes("60.00", "100.00")).await;
    let seller = app.person(&["accounts:read/all", "credit:check/all"], &[], &[]).await.app;
    let seen = ask(&seller, &account, "10.00").await;
    says(&seen, "allow", &[]);
    assert_eq!((&seen["available_after"], &seen["authorised_amount"]), (&json!("30.00"), &json!("10.00")));
    for hidden in ["limit_kind", "limit_amount", "exposure"] {
        assert_eq!(seen[hidden], json!(null), "{hidden}");
    }
    assert_eq!(seen["components"], json!([]));
    seller.get("/v1/credit-check-components").await.refused(403, "forbidden");
    seller.get("/v1/credit-checks").await.refused(403, "forbidden");
    act(&seller, &seen, "release", json!({})).await.refused(403, "forbidden");
    let stranger = app.person(&["accounts:read/own", "credit:check/all"], &[], &[]).await.app;
    let body = json!({"account_id": account, "amount": "1.00"});
    stranger.post("/v1/credit-checks", body.clone()).await.refused(422, "unknown_reference");
    app.person(&["accounts:read/all"], &[], &[]).await.app.post("/v1/credit-checks", body).await.refused(403, "forbidden");
}

async fn bad_questions_are_refused(app: App) {
    express(&app, json!({})).await;
    let account = app.account("A").await;
    let asked = async |body: Value| app.post("/v1/credit-checks", body).await;
    asked(json!({"account_id": random_id(), "amount": "1.00"}))
        .await
        .refused(422, "unknown_reference")
        .fault("/account_id", "unknown_reference");
    asked(json!({"account_id": account, "amount": "1.00"})).await.refused(422, "validation_failed").fault("/currency", "required");
    for (wrong, pointer) in [
        (json!({"amount": "-1.00"}), "/amount"),
        (json!({"amount": 5}), "/amount"),
        (json!({"checkpoint": "lunch"}), "/checkpoint"),
        (json!({"currency": "baht"}), "/currency"),
    ] {
        let mut body = json!({"account_id": account, "amount": "1.00", "currency": "THB"});
        body.as_object_mut().unwrap().extend(wrong.as_object().cloned().unwrap());
        let refused = asked(body).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["pointer"], pointer);
    }
    says(&asked(json!({"account_id": account, "amount": "1.00", "currency": "THB"})).await.is(201), "hold", &["no_balance"]);
}
