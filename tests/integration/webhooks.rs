//! Webhooks: what changes is sent, signed, again until it is taken, and nowhere it must not go.

use super::changes::end;
use crate::support::{
    receiver::{Got, NEVER, Receiver, endpoint, local},
    *,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use samphan::{
    commands::load::{self, Service as Loaded},
    config::{RateLimit, Settings},
    server::{self, Service},
};
use samphan_api::{identity::service::Identity, webhooks};
use samphan_persistence::{
    feed,
    store::{DatabaseOptions, Store},
};
use samphan_resource::{
    caller::Caller,
    scalar::{Kind, Scalar},
};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::sleep;

crate::on_both![
    a_change_is_sent_signed_as_standard_webhooks_says_and_is_the_change_of_the_feed,
    what_fails_is_tried_again_with_the_same_id_signed_afresh_and_holds_up_nothing,
    after_a_rotation_both_secrets_are_good,
    gone_disables_at_once_and_says_so,
    three_days_of_failures_disable,
    what_came_after_a_cursor_is_sent_again_with_the_same_ids,
    an_endpoint_is_told_what_it_asked_for_and_its_maker_may_read,
    private_addresses_and_wrong_endpoints_are_refused,
    two_processes_tell_an_endpoint_each_change_once,
    several_are_under_way_at_a_time_but_no_more_than_allowed,
    whoever_is_slow_to_take_one_is_sent_the_others_meanwhile,
    secrets_are_kept_encrypted_and_their_key_can_be_changed,
    the_receiver_of_the_bench_counts_what_comes,
];

async fn deliveries(app: &App, endpoint: &str) -> Vec<Value> {
    app.all(&format!("/v1/webhook-endpoints/{endpoint}/deliveries"), 50).await
}

/// Moves a moment of a table's rows, as if time had passed.
async fn pass(app: &App, table: &'static str, field: &'static str, seconds: i64) {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::default())).await.unwrap();
    let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
    let mut sql = work.sql();
    sql.push("UPDATE ").push(table).push(" SET ").push(field).push(" = ");
    sql.bind(Kind::Time, Scalar::Time(now().plus_seconds(-seconds)));
    sql.push(" WHERE ").push(field).push(" IS NOT NULL");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
}

/// What a process that keeps secrets under these keys knows.
async fn prepared(app: &App, keys: &[[u8; 32]]) -> Service {
    let secret_keys = keys.iter().map(|key| STANDARD.encode(key)).collect();
    let settings = Settings { secret_keys, ..app::settings(app.database_url(), RateLimit::Off) };
    settings.check().unwrap();
    server::build(&settings).await.unwrap()
}

async fn a_change_is_sent_signed_as_standard_webhooks_says_and_is_the_change_of_the_feed(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        let cursor = end(&app).await;
        let (id, secret) = endpoint(&app, &receiver, json!({"event_types": ["account.*"]})).await;
        app.make("/v1/contacts", json!({"first_name": "A"})).await;
        for name in ["ช้าง", "B"] {
            let account = app.account(name).await;
            let got = receiver.next().await;
            assert_eq!(
                (&got.body["type"], &got.body["resource_id"], &got.body["after"]["name"]),
                (&json!("account.created"), &json!(account), &json!(name))
            );
            assert!(got.is_signed_with(&secret) && !got.is_signed_with("whsec_AAAA"), "{got:?}");
            assert_eq!((json!(got.id()), got.headers["content-type"].as_str()), (got.body["id"].clone(), "application/json"));
            let sent: i64 = got.headers["webhook-timestamp"].parse().unwrap();
            assert!((now().micros() / 1_000_000 - sent).abs() < 30);
            let (feed, _) = app.changes(&cursor, "&types=account.*").await;
            assert_eq!(feed.last(), Some(&got.body));
        }
        let list = app.get_until(&format!("/v1/webhook-endpoints/{id}/deliveries?status=delivered"), |d| ids(d).len() == 2).await;
        assert_eq!(
            (&list["data"][0]["attempts"], &list["data"][0]["last_status"], &list["data"][0]["last_response"]),
            (&json!(1), &json!(200), &json!("heard"))
        );
        // The secret is nowhere but in the answer that showed it.
        let key = secret.trim_start_matches("whsec_");
        for path in [
            format!("/v1/webhook-endpoints/{id}"),
            "/v1/webhook-endpoints".to_owned(),
            "/v1/audit-events?limit=200".to_owned(),
            "/v1/changes?limit=1000".to_owned(),
        ] {
            let text = app.get(&path).await.is(200).text;
            assert!(!text.contains(key) && !text.contains("whsec_"), "{path}");
        }
    })
    .await;
}

async fn what_fails_is_tried_again_with_the_same_id_signed_afresh_and_holds_up_nothing(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        receiver.answers(&[500]);
        let (id, old) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        app.account("A").await;
        let first = receiver.next().await;
        let failed = app.get_until(&format!("{path}/deliveries"), |d| d["data"][0]["attempts"] == 1).await["data"][0].clone();
        assert_eq!((&failed["status"], &failed["last_status"], &failed["last_error"]), (&json!("pending"), &json!(500), &json!("status")));
        assert!(failed["next_attempt_at"].as_str() > failed["last_attempt_at"].as_str());
        assert!(app.get(&path).await.is(200)["failing_since"].is_string());
        app.account("B").await;
        let other = receiver.next().await;
        assert_ne!(other.id(), first.id());
        app.get_until(&path, |e| e["failing_since"].is_null()).await;
        // Meanwhile the secret changes, and the one before has ended: a signature of the first attempt would be wrong.
        let secret = app.post(&format!("{path}/rotate-secret"), json!({})).await.is(200).text_of("secret");
        pass(&app, "webhook_secrets", "expires_at", 1).await;
        pass(&app, "webhook_deliveries", "next_attempt_at", 1).await;
        let again = receiver.next().await;
        assert_eq!((again.id(), &again.text), (first.id(), &first.text));
        assert!(first.is_signed_with(&old) && again.is_signed_with(&secret) && !again.is_signed_with(&old));
        let done = app.get_until(&format!("{path}/deliveries"), |d| d["data"][0]["attempts"] == 2).await["data"][0].clone();
        assert_eq!((&done["status"], &done["next_attempt_at"], &done["id"]), (&json!("delivered"), &json!(null), &failed["id"]));
        // Whatever became of it, it can be sent once more.
        let delivery = format!("{path}/deliveries/{}/redeliver", done["id"].as_str().unwrap());
        assert_eq!(app.post(&delivery, json!({})).await.is(200)["status"], "pending");
        assert_eq!(receiver.next().await.id(), first.id());
        app.post(&format!("{path}/deliveries/{}/redeliver", random_id()), json!({})).await.refused(404, "not_found");
    })
    .await;
}

async fn after_a_rotation_both_secrets_are_good(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        let (id, old) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let rotated = app.post(&format!("/v1/webhook-endpoints/{id}/rotate-secret"), json!({})).await.is(200);
        let new = rotated.text_of("secret");
        assert!(new != old && rotated["webhook_endpoint"]["previous_secret_expires_at"].is_string());
        app.account("A").await;
        let got = receiver.next().await;
        assert!(got.is_signed_with(&old) && got.is_signed_with(&new));
        pass(&app, "webhook_secrets", "expires_at", 1).await;
        app.account("B").await;
        let got = receiver.next().await;
        assert!(!got.is_signed_with(&old) && got.is_signed_with(&new));
        // Another rotation ends the one before the last.
        let third = app.post(&format!("/v1/webhook-endpoints/{id}/rotate-secret"), json!({})).await.is(200).text_of("secret");
        app.account("C").await;
        let got = receiver.next().await;
        assert!(!got.is_signed_with(&old) && got.is_signed_with(&new) && got.is_signed_with(&third));
    })
    .await;
}

async fn gone_disables_at_once_and_says_so(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        receiver.answers(&[410]);
        let cursor = end(&app).await;
        let (id, _) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        app.account("A").await;
        let first = receiver.next().await;
        let disabled = app.get_until(&path, |e| e["status"] == "disabled").await;
        assert_eq!((&disabled["disabled_reason"], &disabled["available_actions"][0]), (&json!("gone"), &json!("resume")));
        let (notice, _) = app.changes(&cursor, "&types=webhook_endpoint.disabled").await;
        assert_eq!((&notice[0]["resource_id"], &notice[0]["actor"]["kind"]), (&json!(id), &json!("system")));
        app.post(&format!("{path}/test"), json!({})).await.refused(409, "illegal_transition");
        // What happened meanwhile is told when it is resumed.
        let account = app.account("B").await;
        app.post(&format!("{path}/resume"), json!({})).await.is(200);
        let got = receiver.next_in_order(2).await;
        assert_eq!(got[1].body["resource_id"], json!(account));
        assert_eq!(got[0].id(), first.id());
        app.post(&format!("{path}/pause"), json!({})).await.is(200);
        app.post(&format!("{path}/pause"), json!({})).await.refused(409, "illegal_transition");
        app.delete(&path).await.is(204);
        app.get(&path).await.refused(404, "not_found");
    })
    .await;
}

async fn three_days_of_failures_disable(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        receiver.answers(&[500, 500, 503]);
        let (id, _) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        app.account("A").await;
        receiver.next().await;
        app.get_until(&path, |e| e["failing_since"].is_string()).await;
        pass(&app, "webhook_endpoints", "failing_since", 3 * 86_400 - 60).await;
        app.account("B").await;
        receiver.next().await;
        app.get_until(&format!("{path}/deliveries"), |d| d["data"][1]["attempts"] == 1).await;
        assert_eq!(app.get(&path).await.is(200)["status"], "active");
        pass(&app, "webhook_endpoints", "failing_since", 3 * 86_400).await;
        app.account("C").await;
        receiver.next().await;
        let disabled = app.get_until(&path, |e| e["status"] == "disabled").await;
        assert_eq!(disabled["disabled_reason"], "failing");
        let resumed = app.post(&format!("{path}/resume"), json!({})).await.is(200);
        assert_eq!((&resumed["failing_since"], &resumed["disabled_reason"]), (&json!(null), &json!(null)));
    })
    .await;
}

async fn what_came_after_a_cursor_is_sent_again_with_the_same_ids(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        let (id, _) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        let mut sent = vec![];
        for name in ["A", "B", "C"] {
            app.account(name).await;
            sent.push(receiver.next().await);
        }
        app.post(&format!("{path}/replay"), json!({"after": sent[0].body["cursor"]})).await.is(200);
        for (before, again) in sent[1..].iter().zip(receiver.next_in_order(2).await) {
            assert_eq!((again.id(), &again.text), (before.id(), &before.text));
        }
        assert_eq!(deliveries(&app, &id).await.len(), 3, "one delivery for each change, however often it is sent");
        app.post(&format!("{path}/replay"), json!({"after": "x"}))
            .await
            .refused(422, "validation_failed")
            .fault("/after", "invalid_format");
        // Of a feed that was longer, before a restore.
        let service = prepared(&app, &[]).await;
        let newest = feed::newest(service.store(), now()).await.unwrap();
        let ahead = json!({"after": service.store().feed_cursor(newest + 1)});
        app.post(&format!("{path}/replay"), ahead).await.refused(422, "validation_failed").fault("/after", "ahead_of_feed");
        app.post(&format!("{path}/replay"), json!({"after": service.store().feed_cursor(newest)})).await.is(200);
    })
    .await;
}

async fn an_endpoint_is_told_what_it_asked_for_and_its_maker_may_read(app: App) {
    local(async {
        let mut all = Receiver::start().await;
        let mut chosen = Receiver::start().await;
        let mut poor = Receiver::start().await;
        let filter = json!({"all": [{"field": "resource", "op": "eq", "value": "accounts"}, {"field": "changed_fields", "op": "contains", "value": "grade"}]});
        let (id, _) = endpoint(&app, &chosen, json!({"filter": filter})).await;
        endpoint(&app, &all, json!({"event_types": ["account.*"]})).await;
        let team = app.team(None).await;
        let grants = ["webhook-endpoints:*/all", "changes:read/all", "accounts:read/team"];
        let person = app.person(&grants, &["accounts.grade=hidden"], &[&team]).await;
        endpoint(&person.app, &poor, json!({"event_types": ["account.*"]})).await;
        let other = app.account("Other").await;
        let mine = app.make("/v1/accounts", json!({"name": "Mine", "team_id": team})).await["id"].as_str().unwrap().to_owned();
        app.patch(&format!("/v1/accounts/{other}"), json!({"name": "Renamed"})).await.is(200);
        app.patch(&format!("/v1/accounts/{mine}"), json!({"grade": "A"})).await.is(200);
        let expected = [("created", &other), ("created", &mine), ("updated", &other), ("updated", &mine)];
        for ((kind, of), Got { body: got, .. }) in expected.into_iter().zip(all.next_in_order(4).await) {
            assert_eq!((&got["type"], &got["resource_id"]), (&json!(format!("account.{kind}")), &json!(of)));
        }
        let got = chosen.next().await.body;
        assert_eq!((&got["type"], &got["resource_id"], &got["after"]), (&json!("account.updated"), &json!(mine), &json!({"grade": "A"})));
        for (kind, Got { body: got, .. }) in ["created", "updated"].into_iter().zip(poor.next_in_order(2).await) {
            assert_eq!((&got["type"], &got["resource_id"], &got["after"]["grade"]), (&json!(format!("account.{kind}")), &json!(mine), &json!(null)));
        }
        // A test is sent whatever was asked for, and to the one endpoint only.
        app.post(&format!("/v1/webhook-endpoints/{id}/test"), json!({})).await.is(200);
        let got = chosen.next().await.body;
        assert_eq!((&got["type"], &got["resource_id"]), (&json!("webhook_endpoint.tested"), &json!(id)));
        // Who may not sign in any more is told nothing.
        app.post(&format!("/v1/users/{}/deactivate", person.id), json!({})).await.is(200);
        // Within five seconds, as everywhere; when there is something to tell.
        let disabled = "/v1/webhook-endpoints?status=disabled";
        for n in 0.. {
            assert!(n < 40, "it is never disabled");
            app.make("/v1/accounts", json!({"name": "Later", "team_id": team})).await;
            sleep(Duration::from_millis(250)).await;
            if let [one] = app.get(disabled).await.is(200)["data"].as_array().unwrap().as_slice() {
                assert_eq!(one["disabled_reason"], "maker_not_allowed");
                break;
            }
        }
    })
    .await;
}

async fn private_addresses_and_wrong_endpoints_are_refused(app: App) {
    let strict = app.program(&[]);
    let path = "/v1/webhook-endpoints";
    for url in [
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://[::1]/x",
        "https://169.254.169.254/latest",
        "https://localhost/x",
        "https://10.0.0.1",
    ] {
        strict.app.post(path, json!({"url": url})).await.refused(422, "validation_failed").fault("/url", "address_not_allowed");
    }
    for url in ["http://example.com/x", "https://a:b@example.com/x"] {
        strict.app.post(path, json!({"url": url})).await.refused(422, "validation_failed").fault("/url", "invalid_format");
    }
    let made = strict.app.post(path, json!({"url": "https://example.com/x", "event_types": ["tag.*"]})).await.is(201);
    let own = format!("{path}/{}", made["webhook_endpoint"]["id"].as_str().unwrap());
    strict
        .app
        .patch(&own, json!({"url": "https://192.168.0.1/"}))
        .await
        .refused(422, "validation_failed")
        .fault("/url", "address_not_allowed");
    let fault = app.patch(&own, json!({"event_types": ["tag.created", "acount.*"]})).await.refused(422, "validation_failed");
    assert_eq!(fault.fault("/event_types/1", "unknown_value")["did_you_mean"], "account.*");
    let filter = json!({"field": "resorce", "op": "eq", "value": "accounts"});
    let fault = app.patch(&own, json!({"filter": filter})).await.refused(422, "validation_failed");
    assert_eq!(fault.fault("/filter/field", "unknown_field")["did_you_mean"], "resource");
    app.patch(&own, json!({"filter": null, "event_types": ["*"]})).await.is(200);
}

async fn two_processes_tell_an_endpoint_each_change_once(app: App) {
    local(async {
        let other = app.another(RateLimit::Off);
        let mut receiver = Receiver::start().await;
        let (id, _) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let mut made = vec![];
        for n in 0..20 {
            made.push(if n % 2 == 0 { &app } else { &other }.account("A").await);
        }
        let got = receiver.next_in_order(20).await;
        assert_eq!(got.iter().map(|g| g.body["resource_id"].clone()).collect::<Vec<_>>(), made, "each once");
        app.get_until(&format!("/v1/webhook-endpoints/{id}/deliveries?status=delivered"), |d| ids(d).len() == 20).await;
        assert!(receiver.got.try_recv().is_err());
    })
    .await;
}

async fn several_are_under_way_at_a_time_but_no_more_than_allowed(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        receiver.gate.forget_permits(usize::MAX);
        endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        for _ in 0..20 {
            app.account("A").await;
        }
        let mut got = HashSet::new();
        for n in 0..20 {
            // Nothing is answered until as many came as come without an answer.
            if n >= 8 {
                receiver.gate.add_permits(1);
            }
            assert!(got.insert(receiver.next().await.id().to_owned()), "each once");
        }
        assert_eq!(receiver.waiting.get().1, 8);
        receiver.gate.add_permits(20);
    })
    .await;
}

async fn whoever_is_slow_to_take_one_is_sent_the_others_meanwhile(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        receiver.answers(&[NEVER]);
        let (id, _) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}/deliveries?status");
        app.account("A").await;
        let slow = receiver.next().await;
        for name in ["B", "C", "D"] {
            app.account(name).await;
            assert_eq!(receiver.next().await.body["after"]["name"], name);
        }
        app.get_until(&format!("{path}=delivered"), |d| ids(d).len() == 3).await;
        let left = app.get(&format!("{path}=pending")).await.is(200);
        assert_eq!((column(&left, "event_id"), &left["data"][0]["attempts"]), (vec![slow.id().to_owned()], &json!(0)));
    })
    .await;
}

async fn secrets_are_kept_encrypted_and_their_key_can_be_changed(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        let (id, shown) = endpoint(&app, &receiver, json!({"event_types": ["account.created"]})).await;
        let path = format!("/v1/webhook-endpoints/{id}");
        let (secret, uuid) = (STANDARD.decode(&shown[6..]).unwrap(), uuid::Uuid::parse_str(&id).unwrap());
        let kept = async || {
            let work = app.work().await;
            let mut sql = work.sql();
            sql.push("SELECT key_id, secret FROM webhook_secrets ORDER BY id");
            work.fetch(sql, |row| Ok((row.optional_text(0)?, row.bytes(1)?))).await.unwrap().pop().unwrap()
        };
        let read = async |service: &Service| {
            let reader = service.store().reader(Arc::new(Caller::system()), now());
            webhooks::secrets(&reader, &service.kernel.process.service::<Identity>().unwrap().keyring(), uuid).await.unwrap()
        };
        let (own_key, bytes) = kept().await;
        assert!(own_key.is_some() && !bytes.windows(secret.len()).any(|w| w == secret));
        // One of before they were encrypted is encrypted at the next start.
        let work = app.work().await;
        let mut sql = work.sql();
        sql.push("UPDATE webhook_secrets SET key_id = NULL, secret = ").bind(Kind::Bytes, Scalar::Bytes(secret.clone()));
        work.execute(sql).await.unwrap();
        work.commit().await.unwrap();
        let own = prepared(&app, &[]).await;
        assert_eq!((kept().await.0, read(&own).await), (own_key.clone(), vec![secret.clone()]));
        // A key of the settings takes over, and another one takes over from that.
        let (first, second) = ([1; 32], [2; 32]);
        let one = prepared(&app, &[first]).await;
        let first_key = kept().await.0;
        assert_eq!((first_key != own_key, read(&one).await, read(&own).await), (true, vec![secret.clone()], vec![]));
        let two = prepared(&app, &[second, first]).await;
        assert_eq!((kept().await.0 != first_key, read(&two).await, read(&one).await), (true, vec![secret], vec![]));
        // Who has lost the key signs with nothing, and says so; a new secret puts it right.
        app.account("A").await;
        let failed = app.get_until(&format!("{path}/deliveries"), |d| d["data"][0]["attempts"] == 1).await;
        assert_eq!((&failed["data"][0]["last_error"], &failed["data"][0]["status"]), (&json!("secret_unreadable"), &json!("pending")));
        let rotated = app.post(&format!("{path}/rotate-secret"), json!({})).await.is(200).text_of("secret");
        app.account("B").await;
        assert!(receiver.next().await.is_signed_with(&rotated));
        let wrong = Settings { secret_keys: vec!["c2hvcnQ=".to_owned()], ..app::settings(app.database_url(), RateLimit::Off) };
        assert!(wrong.check().unwrap_err().contains("SAMPHAN_SECRET_KEYS"));
    })
    .await;
}

async fn the_receiver_of_the_bench_counts_what_comes(app: App) {
    local(async {
        for name in ["A", "B", "C"] {
            app.account(name).await;
        }
        let service = Loaded { url: app.url.to_string(), email: String::new(), password: None, token: Some(app.token()) };
        let measured = load::webhooks::measure(&load::webhooks::Options { deliveries: 3, changes: 2, service }).await.unwrap();
        assert!(measured.deliveries == 3 && measured.deliveries_per_second > 0.0, "{measured:?}");
        assert!(0.0 < measured.delay_p50_ms && measured.delay_p50_ms <= measured.delay_p99_ms, "{measured:?}");
        assert_eq!(ids(&app.get("/v1/webhook-endpoints").await.is(200)), Vec::<String>::new(), "nothing is left");
    })
    .await;
}
