//! A clock that is put back: what was true goes on being true, and nobody waits until it is that late again.

use crate::{
    integration::changes::end,
    support::{
        app::{ADMIN, PASSWORD},
        clock::Clock,
        receiver::{Receiver, endpoint, local},
        *,
    },
};
use std::time::Duration;

crate::on_both_alone![a_clock_put_back_by_an_hour_stops_nothing];

async fn a_clock_put_back_by_an_hour_stops_nothing(app: App) {
    local(async {
        let clock = Clock::new();
        clock.ahead(3_600);
        let mut program = clock.program(&app);
        let before = program.app.admin().await;
        let mut receiver = Receiver::start().await;
        endpoint(&before.app, &receiver, json!({"event_types": ["account.*"]})).await;
        let account = before.app.account("Before").await;
        let told = before.app.get(&format!("/v1/accounts/{account}")).await.is(200);
        assert_eq!(receiver.next().await.body["resource_id"], account);
        let key = before.app.api_key(&["accounts:read/all"], json!({})).await.is(201);
        let machine = before.app.as_(&key.text_of("token"));
        machine.get("/v1/accounts").await.is(200);
        let cursor = end(&before.app).await;
        // Another process, whose clock was put back already, ends the key: what is known of it here was read at a moment that is still to come.
        clock.ahead(0);
        let other = clock.program(&app);
        let after = other.app.admin().await.app;
        let id = key["api_key"]["id"].as_str().unwrap_or_default().to_owned();
        after.post(&format!("/v1/api-keys/{id}/revoke"), json!({})).await.is(200);
        machine.get("/v1/accounts").await.refused(401, "unauthenticated");
        // Who is signed in signs on, or is told to refresh, which he may.
        let refreshed = before.app.nobody().post("/v1/auth/refresh", json!({"refresh_token": before.refresh_token})).await.is(200);
        let now = before.app.as_(&refreshed.text_of("access_token"));
        assert!([200, 401].contains(&before.app.get("/v1/me").await.status));
        // Records go on, though the moment of their change is before that of their making.
        let changed = now.patch(&format!("/v1/accounts/{account}"), json!({"name": "After"})).if_match(told.version()).await.is(200);
        assert_eq!(changed.version(), told.version() + 1);
        let made = now.account("Later").await;
        let (feed, _) = now.changes(&cursor, "&types=account.*").await;
        let of: Vec<(&str, &str)> = feed.iter().map(|c| (c["resource_id"].as_str().unwrap(), c["type"].as_str().unwrap())).collect();
        assert_eq!(of, [(account.as_str(), "account.updated"), (made.as_str(), "account.created")]);
        for _ in 0..2 {
            assert!([&account, &made].contains(&&receiver.next().await.body["resource_id"].as_str().unwrap().to_owned()));
        }
        // A process that dies has left its lease of the endpoint until an hour from now, which nobody waits for.
        drop(other);
        clock.ahead(3_600);
        receiver.gate.forget_permits(1_000_000);
        before.app.patch(&format!("/v1/accounts/{account}"), json!({"name": "Leased"})).await.is(200);
        receiver.next().await;
        program.kill();
        receiver.gate.add_permits(1_000_000);
        clock.ahead(0);
        let program = clock.program(&app);
        let last = program.app.sign_in(ADMIN, PASSWORD).await.is(200).text_of("access_token");
        let last = program.app.as_(&last).account("Last").await;
        // A lease taken just before the clock went ahead lasts its thirty seconds.
        let told = async { while receiver.got.recv().await.expect("it listens").body["resource_id"] != *last {} };
        tokio::time::timeout(Duration::from_secs(60), told).await.expect("it is told");
    })
    .await;
}
