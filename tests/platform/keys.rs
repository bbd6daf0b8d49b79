//! The keys that tokens and cursors are signed with: unreadable in a copy of the database, and rotated without anybody being signed out.

use crate::support::{
    app::{ADMIN, PASSWORD, settings},
    program::command,
    *,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use samphan::{
    config::{RateLimit, Settings},
    server,
};
use samphan_api::identity::service::Identity;
use std::{collections::BTreeSet, sync::Arc};

crate::on_both![
    server_keys_are_encrypted_under_the_configured_key,
    rotated_keys_overlap_in_every_process,
    keys_rotated_at_once_end_what_they_signed,
    rotation_without_the_configured_key_is_refused,
];

/// What a process with these secret keys knows.
async fn prepared(app: &App, keys: &[[u8; 32]]) -> Arc<Identity> {
    let secret_keys = keys.iter().map(|key| STANDARD.encode(key)).collect();
    let service = server::build(&Settings { secret_keys, ..settings(app.database_url(), RateLimit::Off) }).await.unwrap();
    service.kernel.process.service().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

async fn server_keys_are_encrypted_under_the_configured_key(app: App) {
    let plain = prepared(&app, &[]).await;
    let secrets: Vec<String> = plain.server_keys().iter().map(|key| hex(&key.secret)).collect();
    assert_eq!(secrets.len(), 5);
    let found = async |secret: &str| {
        let dump = app.dump().await;
        !dump.tables_with(secret).is_empty() || !dump.tables_with(&secret.to_uppercase()).is_empty()
    };
    for secret in &secrets {
        assert!(found(secret).await, "without a configured key they are plain");
    }
    let (first, second) = ([1; 32], [2; 32]);
    let one = prepared(&app, &[first]).await;
    assert_eq!(one.server_keys(), plain.server_keys(), "the same keys, encrypted");
    for secret in &secrets {
        assert!(!found(secret).await, "{secret} is in the database");
    }
    let two = prepared(&app, &[second, first]).await;
    assert_eq!(two.server_keys(), plain.server_keys());
    let listed = command(&["keys", "list", "--database-url", app.database_url()]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert_eq!(listed.matches("encrypted with ").count(), 5, "{listed}");
    assert!(app.dump().await.tables_with(two.keyring().current()).contains(&"server_keys"), "encrypted anew by the first key");
    // Whoever has lost the key starts all the same, with other keys: people sign in again, and cursors are fetched anew.
    let lost = prepared(&app, &[[3; 32]]).await;
    let known: Vec<Vec<u8>> = lost.server_keys().iter().map(|key| key.secret.clone()).collect();
    assert!(known.len() == 5 && plain.server_keys().iter().all(|key| !known.contains(&key.secret)));
    // The process that runs on has its keys still.
    app.get("/v1/me").await.is(200);
}

/// The ids of the keys a server shows.
async fn kids(app: &App) -> BTreeSet<String> {
    let set = app.get("/.well-known/jwks.json").await.is(200);
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// Rotates keys, by a clock that is `behind` by so many seconds: what is new is active by now then.
fn rotate(app: &App, behind: i64, words: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    std::fs::write(&clock, (-behind).to_string()).unwrap();
    let words = [&["keys", "rotate", "--database-url", app.database_url()], words].concat();
    let done = command(&words).env("SAMPHAN_TEST_CLOCK", &clock).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

async fn rotated_keys_overlap_in_every_process(app: App) {
    let other = app.another(RateLimit::Off);
    let before = app.admin().await;
    let old = kids(&app).await;
    assert_eq!(old.len(), 1);
    app.make_many("/v1/tags", &["a", "b", "c"].map(|name| json!({"name": name}))).await;
    let page = app.get("/v1/tags?limit=1").await.is(200);
    let (cursor, feed) = (page.text_of("next_cursor"), app.get("/v1/changes?limit=1").await.is(200).text_of("next_cursor"));
    let used = app.nobody().post("/v1/auth/refresh", json!({"refresh_token": before.refresh_token})).await.is(200);
    let said = rotate(&app, 15, &[]);
    assert_eq!(said.lines().count(), 5, "{said}");
    for server in [&app, &other] {
        until("both keys are shown", async || kids(server).await.len() == 2).await;
        let sign_in = async || server.sign_in(ADMIN, PASSWORD).await.is(200).text_of("access_token");
        until("the new key signs", async || !old.contains(&kid_of(&sign_in().await))).await;
        let token = sign_in().await;
        for at in [&app, &other] {
            until("each process takes what the other signed", async || at.as_(&token).get("/v1/me").await.status == 200).await;
            at.as_(&before.app.token()).get("/v1/me").await.is(200);
        }
        server.get(&format!("/v1/tags?limit=1&cursor={cursor}")).await.is(200);
        server.get(&format!("/v1/changes?limit=1&after={feed}")).await.is(200);
        assert_ne!(server.get("/v1/tags?limit=1").await.is(200).text_of("next_cursor"), cursor, "the new key signs");
        // The successor given under the old key is given again within its grace.
        let again = server.nobody().post("/v1/auth/refresh", json!({"refresh_token": before.refresh_token})).await;
        assert!(again.status == 401 || again["refresh_token"] == used["refresh_token"], "{}", again.text);
    }
    let person = app.admin().await;
    let refreshed = other.nobody().post("/v1/auth/refresh", json!({"refresh_token": person.refresh_token})).await.is(200);
    app.as_(&refreshed.text_of("access_token")).get("/v1/me").await.is(200);
    let said = rotate(&app, 0, &["--kind", "access-tokens"]);
    assert!(said.lines().count() == 1 && said.starts_with("access-tokens"), "{said}");
    // What is to come is shown before it signs.
    until("the next key is shown", async || kids(&app).await.len() == 3).await;
}

async fn keys_rotated_at_once_end_what_they_signed(app: App) {
    let person = app.admin().await;
    app.make_many("/v1/tags", &["a", "b"].map(|name| json!({"name": name}))).await;
    let cursor = app.get("/v1/tags?limit=1").await.is(200).text_of("next_cursor");
    rotate(&app, 0, &["--at-once"]);
    until("the old key is good no more", async || person.app.get("/v1/me").await.status == 401).await;
    let refreshed = app.nobody().post("/v1/auth/refresh", json!({"refresh_token": person.refresh_token})).await.is(200);
    let app = app.as_(&refreshed.text_of("access_token"));
    app.get(&format!("/v1/tags?limit=1&cursor={cursor}")).await.refused(400, "invalid_cursor");
    assert_eq!(kids(&app).await.len(), 1);
}

async fn rotation_without_the_configured_key_is_refused(app: App) {
    let kept = prepared(&app, &[[1; 32]]).await;
    let done = command(&["keys", "rotate", "--database-url", app.database_url()]).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success() && said.contains("set SAMPHAN_SECRET_KEYS"), "{said}");
    let mut right = command(&["keys", "rotate", "--database-url", app.database_url()]);
    let done = right.env("SAMPHAN_SECRET_KEYS", STANDARD.encode([1; 32])).output().unwrap();
    assert!(done.status.success(), "{done:?}");
    let after = prepared(&app, &[[1; 32]]).await;
    assert_eq!((kept.server_keys().len(), after.server_keys().len()), (5, 10));
}
