//! What we ourselves decide about a customer's credit: written only by who has seen it.

use super::*;

crate::on_both![
    it_is_put_once_then_replaced_by_who_has_seen_it,
    what_is_left_out_is_cleared,
    its_rules_are_kept,
    it_belongs_to_its_account,
    two_first_writes_at_once_make_one,
];

fn path(account: &str) -> String {
    format!("/v1/accounts/{account}/credit-profile")
}

async fn it_is_put_once_then_replaced_by_who_has_seen_it(app: App) {
    let account = app.account("A").await;
    let path = path(&account);
    app.get(&path).await.refused(404, "not_found");
    app.put(&path, json!({"limit_amount": "5.00"})).if_match(1).await.refused(412, "precondition_failed");
    let first = app.put(&path, json!({"limit_amount": "5.00", "currency": "THB", "review_on": "2026-12-01"})).await.is(201);
    assert_eq!((first.header("etag"), first.header("location"), &first["account_id"]), ("\"1\"", path.as_str(), &json!(account)));
    let found = app.get(&path).await.is(200);
    assert_eq!((&found.body, found.header("etag")), (&first.body, "\"1\""));
    app.put(&path, json!({"limit_amount": "6.00"})).await.refused(428, "precondition_required");
    app.put(&path, json!({"limit_amount": "6.00"})).header("if-none-match", "*").await.refused(412, "precondition_failed");
    let second = app.put(&path, json!({"limit_amount": "6.00"})).if_match(1).await.is(200);
    assert_eq!((second.version(), &second["limit_amount"]), (2, &json!("6.00")));
    app.put(&path, json!({"limit_amount": "7.00"})).if_match(1).await.refused(412, "version_conflict");
    let same = app.put(&path, json!({"limit_amount": "6.00"})).if_match(2).await.is(200);
    assert_eq!(same.version(), 2, "the same again is no change");
    let events = app.get("/v1/audit-events?resource=credit_profiles&sort=created_at").await.is(200);
    assert_eq!(column(&events, "kind"), ["credit_profile.created", "credit_profile.updated"]);
    let dry = app.put(&format!("{path}?dry_run=true"), json!({"limit_amount": "8.00"})).if_match(2).await.is(200);
    assert_eq!((&dry["limit_amount"], app.get(&path).await.version()), (&json!("8.00"), 2));
}

async fn what_is_left_out_is_cleared(app: App) {
    let path = path(&app.account("A").await);
    let whole = json!({"is_on_hold": true, "hold_reason": "Court", "limit_amount": "5.00", "currency": "THB", "payment_terms_days": 30,
        "insured_amount": "4.00", "review_on": "2026-12-01", "warn_at_percent": 80});
    let put = app.put(&path, whole.clone()).await.is(201);
    assert!(whole.as_object().unwrap().iter().all(|(name, value)| &put[name.as_str()] == value), "{}", put.text);
    let cleared = app.put(&path, json!({"warn_at_percent": 90})).if_match(1).await.is(200);
    assert_eq!((&cleared["is_on_hold"], &cleared["warn_at_percent"], cleared.id()), (&json!(false), &json!(90), put.id()));
    for name in ["hold_reason", "limit_amount", "currency", "payment_terms_days", "insured_amount", "review_on"] {
        assert_eq!(cleared[name], json!(null), "{name}");
    }
}

async fn its_rules_are_kept(app: App) {
    let account = app.account("A").await;
    let bad = [
        ("limit_amount", json!("-1.00")),
        ("limit_amount", json!("1.00001")),
        ("limit_amount", json!(1)),
        ("currency", json!("baht")),
        ("payment_terms_days", json!(-1)),
        ("warn_at_percent", json!(0)),
        ("warn_at_percent", json!(101)),
        ("review_on", json!("2026-02-30")),
        ("limit", json!("1.00")),
        ("account_id", json!(account)),
    ];
    for (name, value) in bad {
        let refused = app.put(&path(&account), json!({name: value})).await.refused(422, "validation_failed");
        assert_eq!(refused["errors"][0]["pointer"], format!("/{name}"), "{}", refused.text);
    }
    app.get(&path(&account)).await.refused(404, "not_found");
}

async fn it_belongs_to_its_account(app: App) {
    let (account, other) = (app.account("A").await, app.account("B").await);
    app.put(&path(&account), json!({"is_on_hold": true})).await.is(201);
    app.get(&path(&other)).await.refused(404, "not_found");
    app.put(&path(&random_id()), json!({})).await.refused(404, "not_found");
    let own = app.person(&["accounts:read/own", "credit-profiles:*/all"], &[], &[]).await.app;
    own.get(&path(&account)).await.refused(404, "not_found");
    own.put(&path(&account), json!({"is_on_hold": false})).if_match(1).await.refused(404, "not_found");
    let reader = app.person(&["accounts:read/all", "credit-profiles:read/all"], &[], &[]).await.app;
    reader.get(&path(&account)).await.is(200);
    reader.put(&path(&account), json!({"is_on_hold": false})).if_match(1).await.refused(403, "forbidden");
    let masked = app.person(&["accounts:read/all", "credit-profiles:read/all"], &["financial=hidden"], &[]).await.app;
    app.put(&path(&account), json!({"limit_amount": "77.00"})).if_match(1).await.is(200);
    assert!(!masked.get(&path(&account)).await.is(200).text.contains("77.00"));
    app.delete(&format!("/v1/accounts/{account}")).await.is(204);
    app.get(&path(&account)).await.refused(404, "not_found");
}

async fn two_first_writes_at_once_make_one(app: App) {
    let path = path(&app.account("A").await);
    let puts = (0..8).map(|n| app.put(&path, json!({"payment_terms_days": n})).into_future());
    let answers = futures_util::future::join_all(puts).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|a| a.status == 201);
    assert_eq!(made.len(), 1);
    assert!(refused.iter().all(|a| [409, 428].contains(&a.status)), "{refused:?}");
    assert_eq!(app.get(&path).await.is(200).body, made[0].body);
}
