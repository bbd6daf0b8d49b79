//! API keys: how machines sign in.

use super::sessions::felt;
use crate::support::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use samphan::config::RateLimit;

crate::on_both![
    a_key_works_as_bearer_and_shows_its_secret_once,
    client_credentials_give_a_token,
    scopes_cut_down_and_never_add,
    scope_that_would_grant_nothing_is_refused,
    new_key_has_version_1_and_the_events_of_its_making,
    a_revoked_key_is_felt_within_five_seconds,
    a_rotated_key_has_a_new_secret,
    what_acts_for_somebody_who_may_do_more_is_not_taken_over,
    an_expired_key_is_refused,
    a_key_calls_from_its_addresses_only,
    connector_role_is_made_at_start_once_and_stays_as_it_was_left,
];

async fn a_key_works_as_bearer_and_shows_its_secret_once(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let (secret, id) = (key.text_of("client_secret"), key.text_of("client_id"));
    let machine = app.as_(&key.text_of("token"));
    machine.get("/v1/accounts").await.is(200);
    let me = machine.get("/v1/me").await.is(200);
    assert_eq!((&me["kind"], &me["id"]), (&json!("api_key"), &json!(id)));
    machine.post("/v1/accounts", json!({"name": "A"})).await.refused(403, "forbidden");
    for path in [format!("/v1/api-keys/{id}"), "/v1/api-keys".to_owned(), "/v1/audit-events?limit=200".to_owned()] {
        assert!(!app.get(&path).await.is(200).text.contains(&secret), "{path}");
    }
    app.as_(&format!("{}x", key.text_of("token"))).get("/v1/me").await.refused(401, "unauthenticated");
}

async fn client_credentials_give_a_token(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let (id, secret) = (key.text_of("client_id"), key.text_of("client_secret"));
    let token = |request: Value| app.nobody().post("/v1/oauth/token", request);
    let given = token(json!({"grant_type": "client_credentials", "client_id": id, "client_secret": secret})).await.is(200);
    assert_eq!((&given["token_type"], &given["expires_in"]), (&json!("Bearer"), &json!(600)));
    app.as_(&given.text_of("access_token")).get("/v1/accounts").await.is(200);
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    app.nobody().ask(Method::POST, "/v1/oauth/token").raw("application/x-www-form-urlencoded", form).await.is(200);
    let basic = app
        .nobody()
        .ask(Method::POST, "/v1/oauth/token")
        .header("authorization", &format!("Basic {}", STANDARD.encode(format!("{id}:{secret}"))));
    basic.raw("application/x-www-form-urlencoded", "grant_type=client_credentials").await.is(200);
    token(json!({"grant_type": "client_credentials", "client_id": id, "client_secret": "wrong"})).await.refused(401, "invalid_grant");
    token(json!({"grant_type": "client_credentials"})).await.refused(401, "invalid_grant");
    token(json!({"grant_type": "password", "client_id": id, "client_secret": secret})).await.refused(422, "validation_failed");
    app.post(&format!("/v1/api-keys/{id}/revoke"), json!({})).await.is(200);
    felt(&app.as_(&given.text_of("access_token"))).await;
}

async fn scopes_cut_down_and_never_add(app: App) {
    let scopes = json!({"scopes": ["accounts:read"]});
    let machine = app.as_(&app.api_key(&["accounts:*/all"], scopes).await.is(201).text_of("token"));
    machine.get("/v1/accounts").await.is(200);
    machine.post("/v1/accounts", json!({"name": "A"})).await.refused(403, "forbidden");
    machine.get("/v1/contacts").await.refused(403, "forbidden");
    assert_eq!(machine.get("/v1/me").await.is(200)["permissions"], json!({"accounts:read": "all"}));
}

async fn scope_that_would_grant_nothing_is_refused(app: App) {
    let role = app.role(&["accounts:*/all", "orders:read/all"], &[]).await;
    let make = |by: &App, scopes: Value| by.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "scopes": scopes}));
    let scopes = json!(["accounts:read", "acounts:read", "accounts:fly", "contacts:read", "*:*", "accounts", "*:fly"]);
    let odd = make(&app, scopes).await.refused(422, "validation_failed");
    assert_eq!(odd.fault("/scopes/1", "unknown_value")["did_you_mean"], "accounts:read");
    assert!(odd.fault("/scopes/2", "unknown_value")["allowed"].as_array().unwrap().contains(&json!("accounts:assign")), "{}", odd.text);
    for (n, code) in [(3, "beyond_own_rights"), (4, "beyond_own_rights"), (5, "unknown_value"), (6, "unknown_value")] {
        odd.fault(&format!("/scopes/{n}"), code);
    }
    assert_eq!(odd["errors"].as_array().unwrap().len(), 6, "{}", odd.text);
    // What the roles grant and the maker may not hand over stands at its scope, too.
    let clerk = app.person(&["accounts:read/all", "api-keys:*/all"], &[], &[]).await.app;
    make(&clerk, json!(["accounts:read", "accounts:delete"]))
        .await
        .refused(422, "validation_failed")
        .fault("/scopes/1", "beyond_own_rights");
    make(&clerk, json!(["accounts:read"])).await.is(201);

    let key = format!("/v1/api-keys/{}", make(&app, json!(["accounts:*", "orders:read"])).await.is(201).text_of("client_id"));
    app.patch(&key, json!({"scopes": ["contacts:read"]})).await.refused(422, "validation_failed").fault("/scopes/0", "beyond_own_rights");
    let narrow = app.role(&["accounts:read/all"], &[]).await;
    let narrowed = app.patch(&key, json!({"role_ids": [narrow]})).await.refused(422, "validation_failed");
    narrowed.fault("/scopes/0", "beyond_own_rights");
    narrowed.fault("/scopes/1", "beyond_own_rights");
    app.patch(&key, json!({"role_ids": [narrow], "scopes": ["accounts:read"]})).await.is(200);

    // Scopes of before, and those whose permission the role has lost, are no reason to refuse another field.
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("UPDATE api_keys SET scopes = '[\"accounts:read\", \"nonsense\"]' WHERE id = ").id(key
        .rsplit('/')
        .next()
        .unwrap()
        .parse()
        .unwrap());
    assert_eq!(work.execute(sql).await.unwrap(), 1);
    work.commit().await.unwrap();
    app.patch(&format!("/v1/roles/{narrow}"), json!({"permissions": [{"permission": "orders:read", "reach": "all"}]})).await.is(200);
    assert_eq!(app.patch(&key, json!({"name": "Still"})).await.is(200)["scopes"], json!(["accounts:read", "nonsense"]));
    let grown = json!({"scopes": ["nonsense", "orders:read", "accounts:read", "more"]});
    let refused = app.patch(&key, grown).await.refused(422, "validation_failed");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{}", refused.text);
    refused.fault("/scopes/3", "unknown_value");
    app.patch(&key, json!({"scopes": ["nonsense", "orders:read"]})).await.is(200);
}

async fn new_key_has_version_1_and_the_events_of_its_making(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    assert_eq!((&key["api_key"]["version"], key.header("etag")), (&json!(1), "\"1\""));
    let id = key.text_of("client_id");
    let read = app.get(&format!("/v1/api-keys/{id}")).await.is(200);
    assert_eq!((&read["version"], &read["prefix"]), (&json!(1), &key["api_key"]["prefix"]));
    let beginning = key.text_of("client_secret").chars().take(4).collect::<String>();
    assert!(read.text_of("prefix").ends_with(&beginning));
    let events = app.get(&format!("/v1/audit-events?resource_id={id}&limit=10")).await.is(200);
    let mut kinds = column(&events, "kind");
    kinds.sort();
    assert_eq!(kinds, ["api_key.created", "api_key.issued"], "{}", events.text);
    let rotated = app.post(&format!("/v1/api-keys/{id}/rotate"), json!({})).await.is(200);
    assert_eq!(rotated["api_key"]["version"], 2);
}

async fn a_revoked_key_is_felt_within_five_seconds(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let there = app.another(RateLimit::Off).as_(&key.text_of("token"));
    there.get("/v1/me").await.is(200);
    let path = format!("/v1/api-keys/{}", key.text_of("client_id"));
    assert_eq!(app.post(&format!("{path}/revoke"), json!({})).await.is(200)["status"], "revoked");
    felt(&there).await;
    felt(&app.as_(&key.text_of("token"))).await;
    app.post(&format!("{path}/revoke"), json!({})).await.refused(409, "illegal_transition");
    app.post(&format!("{path}/rotate"), json!({})).await.refused(409, "illegal_transition");
}

async fn a_rotated_key_has_a_new_secret(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let old = app.as_(&key.text_of("token"));
    old.get("/v1/me").await.is(200);
    let new = app.post(&format!("/v1/api-keys/{}/rotate", key.text_of("client_id")), json!({})).await.is(200);
    felt(&old).await;
    app.as_(&new.text_of("token")).get("/v1/me").await.is(200);
}

async fn what_acts_for_somebody_who_may_do_more_is_not_taken_over(app: App) {
    let rights = ["accounts:read/own", "api-keys:*/all", "webhook-endpoints:*/all", "changes:read/all"];
    let clerk = app.person(&rights, &[], &[]).await.app;
    let higher = app.api_key(&["accounts:read/all"], json!({})).await.is(201).text_of("client_id");
    let lower = app.api_key(&["changes:read/own"], json!({})).await.is(201).text_of("client_id");
    // What the key itself owns is reached with its secret.
    let owning = app.api_key(&["accounts:read/own"], json!({})).await.is(201).text_of("client_id");
    let role = app.get(&format!("/v1/api-keys/{owning}")).await.is(200)["role_ids"].clone();
    let made = clerk.post("/v1/api-keys", json!({"name": "Made", "role_ids": role})).await.is(201).text_of("client_id");
    let rotate = |key: &str| clerk.post(&format!("/v1/api-keys/{key}/rotate"), json!({}));
    assert!(!rotate(&higher).await.refused(403, "forbidden").text.contains("smp_"));
    rotate(&owning).await.refused(403, "forbidden");
    rotate(&lower).await.is(200);
    rotate(&made).await.is(200);
    // An endpoint is told what its maker may read: whoever moves it would be told that, too.
    let make = async |app: &App| {
        let made =
            app.post("/v1/webhook-endpoints", json!({"url": "http://127.0.0.1:9/hooks", "event_types": ["account.created"]})).await.is(201);
        format!("/v1/webhook-endpoints/{}", made["webhook_endpoint"]["id"].as_str().unwrap())
    };
    let (theirs, own) = (make(&app).await, make(&clerk).await);
    let url = json!({"url": "http://127.0.0.1:9/clerk"});
    clerk.patch(&theirs, url.clone()).await.refused(403, "forbidden");
    assert!(!clerk.post(&format!("{theirs}/rotate-secret"), json!({})).await.refused(403, "forbidden").text.contains("whsec_"));
    clerk.patch(&own, url.clone()).await.is(200);
    clerk.post(&format!("{own}/rotate-secret"), json!({})).await.is(200);
    app.patch(&own, url).await.is(200);
    assert_eq!(app.get(&theirs).await.is(200)["url"], "http://127.0.0.1:9/hooks");
}

async fn an_expired_key_is_refused(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({"expires_at": "2020-01-01T00:00:00Z"})).await;
    let key = key.is(201);
    app.as_(&key.text_of("token")).get("/v1/me").await.refused(401, "unauthenticated");
}

async fn a_key_calls_from_its_addresses_only(app: App) {
    let here = app.api_key(&["accounts:read/all"], json!({"allowed_addresses": ["127.0.0.1"]})).await.is(201);
    app.as_(&here.text_of("token")).get("/v1/accounts").await.is(200);
    let elsewhere = app.api_key(&["accounts:read/all"], json!({"allowed_addresses": ["10.0.0.1"]})).await.is(201);
    app.as_(&elsewhere.text_of("token")).get("/v1/accounts").await.refused(401, "unauthenticated");
    let odd = app.api_key(&["accounts:read/all"], json!({"allowed_addresses": ["here"]})).await;
    odd.refused(422, "validation_failed").fault("/allowed_addresses/0", "invalid_format");
}

async fn connector_role_is_made_at_start_once_and_stays_as_it_was_left(app: App) {
    let find = async || app.get("/v1/roles?name=Accounting%20connector").await.is(200)["data"].as_array().unwrap().clone();
    let found = find().await;
    let path = format!("/v1/roles/{}", found[0]["id"].as_str().unwrap());
    let known: Vec<&str> = crate::support::contract::operations().filter_map(|(.., o)| o["x-permission"].as_str()).collect();
    for grant in found[0]["permissions"].as_array().unwrap() {
        assert!(known.contains(&grant["permission"].as_str().unwrap()), "{grant} is of no operation");
    }
    // Renamed and deleted it is not made again, whatever starts.
    app.patch(&path, json!({"name": "Books"})).await.is(200);
    drop(app.another(RateLimit::Off));
    assert_eq!(find().await.len(), 0);
    app.delete(&path).await.is(204);
    drop(app.another(RateLimit::Off));
    assert_eq!(find().await.len(), 0);
    // A deployment of before has none, and gets it.
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("DELETE FROM roles WHERE name = ").text("Books");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    for _ in 0..2 {
        drop(app.another(RateLimit::Off));
        assert_eq!(find().await.len(), 1);
    }
}
