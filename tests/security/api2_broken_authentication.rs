//! Signing in tells nothing, costs whoever tries it his turn, and nobody else his.

use crate::support::{
    app::{ADMIN, PASSWORD, client},
    timing::median,
    *,
};
use futures_util::future::join_all;
use samphan::config::RateLimit;
use std::{
    future::IntoFuture,
    pin::pin,
    time::{Duration, Instant},
};

crate::on_both![
    an_unknown_user_takes_as_long_as_a_wrong_password,
    whoever_tries_too_often_waits_before_anything_is_hashed,
    sign_ins_hold_up_nobody_else,
    a_caller_has_a_limit_of_his_own,
    a_token_tries_out_no_passwords,
    nothing_is_a_cookie_and_no_cookie_is_a_key,
];

/// How long a sign-in takes.
async fn timed(app: &App, email: &str) -> Duration {
    let begun = Instant::now();
    app.sign_in(email, "a wrong password").await.refused(401, "invalid_grant");
    begun.elapsed()
}

async fn an_unknown_user_takes_as_long_as_a_wrong_password(app: App) {
    let inactive = app.person(&[], &[], &[]).await;
    app.post(&format!("/v1/users/{}/deactivate", inactive.id), json!({})).await.is(200);
    let emails = [ADMIN, "nobody@example.com", &inactive.email];
    timing::all_take_as_long(3, 30, 0.1, async |which, n| {
        // Each time somebody else nobody knows.
        let email = if which == 1 { format!("{n}{}", emails[1]) } else { emails[which].to_owned() };
        timed(&app, &email).await;
    })
    .await;
}

async fn whoever_tries_too_often_waits_before_anything_is_hashed(app: App) {
    let limited = app.another(RateLimit::On);
    let mut hashed = vec![];
    for _ in 0..5 {
        hashed.push(timed(&limited, ADMIN).await);
    }
    let mut refused = vec![];
    for _ in 0..20 {
        let begun = Instant::now();
        // The right password, too: who guesses is not told that he has.
        let answer = limited.sign_in(ADMIN, PASSWORD).await.refused(429, "rate_limited");
        refused.push(begun.elapsed());
        assert!((1..=60).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    }
    assert!(median(refused.clone()) < median(hashed.clone()) / 2, "{refused:?} against {hashed:?}");
}

async fn sign_ins_hold_up_nobody_else(app: App) {
    let emails: Vec<String> = (0..10).map(|n| format!("nobody{n}@example.com")).collect();
    let mut crowd = pin!(join_all(emails.iter().map(|email| timed(&app, email))));
    let mut answered = 0;
    loop {
        tokio::select! {
            _ = &mut crowd => break,
            answer = app.get("/v1/me").into_future() => {
                answer.is(200);
                answered += 1;
            }
        }
    }
    assert!(answered >= 10, "while ten signed in, only {answered} requests of another were answered");
}

async fn a_caller_has_a_limit_of_his_own(app: App) {
    let limited = app.another(RateLimit::On);
    let key = limited.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let other = limited.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let machine = limited.as_(&key.text_of("token"));
    let first = machine.get("/v1/accounts").await.is(200);
    assert_eq!((first.header("ratelimit-policy"), first.header("ratelimit")), ("\"default\";q=6000;w=60", "\"default\";r=5999;t=0"));
    // A batch costs what twenty requests do, refused or not.
    let mut last = None;
    for _ in 0..2_000 {
        let answer = machine.post("/v1/tags/batch", json!({"mode": "create", "items": [{}]})).await;
        if answer.status == 429 {
            last = Some(answer);
            break;
        }
        answer.refused(403, "forbidden");
    }
    let refused = last.expect("the limit is reached").refused(429, "rate_limited");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(refused.header("ratelimit"), format!("\"default\";r=0;t={}", refused.header("retry-after")));
    limited.as_(&other.text_of("token")).get("/v1/accounts").await.is(200);
    limited.nobody().get("/health/live").await.is(200);
}

async fn a_token_tries_out_no_passwords(app: App) {
    let limited = app.another(RateLimit::On);
    let person = limited.person(&[], &[], &[]).await.app;
    let tried =
        |current: &str| person.post("/v1/me/password", json!({"current_password": current, "new_password": "another long password"}));
    for _ in 0..5 {
        tried("a guess").await.refused(422, "validation_failed");
    }
    tried("a guess").await.refused(429, "rate_limited");
    tried(PASSWORD).await.refused(429, "rate_limited");
    person.get("/v1/me").await.is(200);
}

/// There is nothing for another site to ride on: a browser sends no token by itself.
async fn nothing_is_a_cookie_and_no_cookie_is_a_key(app: App) {
    let signed = app.sign_in(ADMIN, PASSWORD).await.is(200);
    let (access, refresh) = (signed.text_of("access_token"), signed.text_of("refresh_token"));
    let refreshed = app.nobody().post("/v1/auth/refresh", json!({"refresh_token": refresh})).await.is(200);
    for answer in [&signed, &refreshed, &app.get("/v1/me").await.is(200)] {
        assert!(answer.headers.get("set-cookie").is_none(), "{}", answer.what);
    }
    for name in ["access_token", "token", "session", "authorization"] {
        let cookie = format!("{name}={access}");
        app.nobody().get("/v1/me").header("cookie", &cookie).await.refused(401, "unauthenticated");
    }
    let cookie = format!("refresh_token={}", refreshed.text_of("refresh_token"));
    let empty = app.nobody().post("/v1/auth/refresh", json!({})).header("cookie", &cookie).header("origin", "https://evil.example");
    empty.await.refused(422, "validation_failed");
    // Nor does a token in an address work, which logs would keep.
    let asked = client().get(format!("{}/v1/me?access_token={access}", app.url)).send().await.unwrap();
    assert_eq!(asked.status().as_u16(), 401);
}
