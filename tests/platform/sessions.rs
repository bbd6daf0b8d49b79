//! How people sign in, stay so, and leave.

use crate::support::{
    app::{ADMIN, PASSWORD},
    *,
};
use futures_util::future::join_all;
use samphan::config::RateLimit;
use std::time::Duration;

crate::on_both![
    an_unknown_user_and_a_wrong_password_are_answered_alike,
    a_refresh_token_is_used_up_and_the_last_one_has_a_grace,
    a_token_two_generations_old_ends_the_family,
    twenty_refreshes_at_once_leave_one_family_with_one_successor,
    signing_out_is_felt_everywhere,
    signing_out_everywhere_ends_every_session,
    who_is_deactivated_is_out,
    a_new_password_ends_the_other_sessions,
    the_sixth_sign_in_within_a_minute_waits,
];

/// Waits until a server does not know a token any more: five seconds at most.
pub async fn felt(app: &App) {
    until_within(Duration::from_secs(5), "the token is refused", async || app.get("/v1/me").await.status == 401).await;
}

async fn refresh(app: &App, token: &str) -> Answer {
    app.nobody().post("/v1/auth/refresh", json!({"refresh_token": token})).await
}

async fn an_unknown_user_and_a_wrong_password_are_answered_alike(app: App) {
    let wrong = app.sign_in(ADMIN, "not the password").await.refused(401, "invalid_grant");
    let unknown = app.sign_in("nobody@example.com", "not the password").await.refused(401, "invalid_grant");
    same_but_request_id(&wrong, &unknown);
    app.sign_in(" ADMIN@Example.com ", PASSWORD).await.is(200);
    app.sign_in(ADMIN, "").await.refused(401, "invalid_grant");
    app.sign_in("' OR 1=1 --", "x").await.refused(401, "invalid_grant");
}

async fn a_refresh_token_is_used_up_and_the_last_one_has_a_grace(app: App) {
    let first = app.admin().await;
    let second = refresh(&app, &first.refresh_token).await.is(200);
    assert_ne!(second.text_of("refresh_token"), first.refresh_token);
    let again = refresh(&app, &first.refresh_token).await.is(200);
    assert_eq!(again["refresh_token"], second["refresh_token"]);
    app.as_(&second.text_of("access_token")).get("/v1/me").await.is(200);
    refresh(&app, &second.text_of("refresh_token")).await.is(200);
    refresh(&app, "nonsense").await.refused(401, "invalid_grant");
}

async fn a_token_two_generations_old_ends_the_family(app: App) {
    let first = app.admin().await;
    let other = app.admin().await;
    let second = refresh(&app, &first.refresh_token).await.is(200);
    let third = refresh(&app, &second.text_of("refresh_token")).await.is(200);
    refresh(&app, &first.refresh_token).await.refused(401, "invalid_grant");
    refresh(&app, &third.text_of("refresh_token")).await.refused(401, "invalid_grant");
    refresh(&app, &second.text_of("refresh_token")).await.refused(401, "invalid_grant");
    felt(&app.as_(&third.text_of("access_token"))).await;
    felt(&first.app).await;
    other.app.get("/v1/me").await.is(200);
    let events = app.get("/v1/audit-events?kind=session.reuse_detected").await.is(200);
    assert_eq!(ids(&events).len(), 1);
}

async fn twenty_refreshes_at_once_leave_one_family_with_one_successor(app: App) {
    let (first, second) = (app.admin().await, app.another(RateLimit::Off));
    let all = join_all((0..20).map(|n| refresh(if n % 2 == 0 { &app } else { &second }, &first.refresh_token))).await;
    let successors: Vec<String> = all.into_iter().map(|a| a.is(200).text_of("refresh_token")).collect();
    assert!(successors.iter().all(|s| *s == successors[0]));
    refresh(&app, &successors[0]).await.is(200);
}

async fn signing_out_is_felt_everywhere(app: App) {
    let (person, other) = (app.admin().await, app.another(RateLimit::Off));
    let there = other.as_(&person.app.token());
    there.get("/v1/me").await.is(200);
    person.app.post("/v1/auth/sign-out", json!({})).await.is(204);
    person.app.get("/v1/me").await.refused(401, "unauthenticated");
    felt(&there).await;
    refresh(&app, &person.refresh_token).await.refused(401, "invalid_grant");
    app.get("/v1/me").await.is(200);
}

async fn signing_out_everywhere_ends_every_session(app: App) {
    let (one, two) = (app.admin().await, app.admin().await);
    two.app.get("/v1/me").await.is(200);
    one.app.post("/v1/auth/sign-out-everywhere", json!({})).await.is(204);
    felt(&one.app).await;
    felt(&two.app).await;
    refresh(&app, &two.refresh_token).await.refused(401, "invalid_grant");
    app.sign_in(ADMIN, PASSWORD).await.is(200);
}

async fn who_is_deactivated_is_out(app: App) {
    let person = app.person(&["accounts:read/all"], &[], &[]).await;
    person.app.get("/v1/accounts").await.is(200);
    app.post(&format!("/v1/users/{}/deactivate", person.id), json!({})).await.is(200);
    felt(&person.app).await;
    refresh(&app, &person.refresh_token).await.refused(401, "invalid_grant");
    app.sign_in(&person.email, PASSWORD).await.refused(401, "invalid_grant");
    app.post(&format!("/v1/users/{}/activate", person.id), json!({})).await.is(200);
    app.sign_in(&person.email, PASSWORD).await.is(200);
}

async fn a_new_password_ends_the_other_sessions(app: App) {
    let person = app.person(&[], &[], &[]).await;
    let other = app.as_(&app.sign_in(&person.email, PASSWORD).await.is(200).text_of("access_token"));
    let change =
        |current: &str| person.app.post("/v1/me/password", json!({"current_password": current, "new_password": "another long password"}));
    change("wrong").await.refused(422, "validation_failed").fault("/current_password", "wrong_password");
    change(PASSWORD).await.is(204);
    felt(&other).await;
    person.app.get("/v1/me").await.is(200);
    app.sign_in(&person.email, PASSWORD).await.refused(401, "invalid_grant");
    app.sign_in(&person.email, "another long password").await.is(200);
    let events = app.get(&format!("/v1/audit-events?resource_id={}", person.id)).await.is(200);
    assert!(!events.text.contains("another long") && !events.text.contains("argon2"));
}

async fn the_sixth_sign_in_within_a_minute_waits(app: App) {
    let limited = app.another(RateLimit::On);
    for _ in 0..5 {
        limited.sign_in("a@example.com", "wrong").await.refused(401, "invalid_grant");
    }
    let refused = limited.sign_in("a@example.com", "wrong").await.refused(429, "rate_limited");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    limited.sign_in(" A@example.com", "wrong").await.refused(429, "rate_limited");
    limited.sign_in(ADMIN, PASSWORD).await.is(200);
    let mine = limited.get("/v1/me").await.is(200);
    assert_eq!(mine.header("ratelimit-policy"), "\"default\";q=6000;w=60");
    assert!(mine.header("ratelimit").starts_with("\"default\";r=59"));
    for n in 0..20 {
        limited.sign_in(&format!("{n}@example.com"), "wrong").await;
    }
    limited.sign_in("yet@example.com", "wrong").await.refused(429, "rate_limited");
}
