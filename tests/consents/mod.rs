//! Consents, the preference page, and suppressed addresses.

use crate::support::*;
use futures_util::future::join_all;
use samphan::config::RateLimit;
use std::collections::BTreeSet;

crate::on_both![
    a_consent_is_of_one_person_and_of_a_known_purpose,
    the_newest_consent_counts_in_whatever_order_they_are_entered,
    of_two_consents_of_one_moment_the_stricter_counts,
    a_withdrawn_consent_stays_as_proof,
    a_purpose_that_requires_no_consent_is_permitted_until_it_is_refused,
    reading_the_preference_page_changes_nothing_and_unsubscribing_twice_leaves_one_consent,
    a_forged_token_unsubscribes_no_one_and_has_no_page,
    choices_on_the_page_are_consents_and_what_counts_already_is_not_entered,
    unknown_tokens_are_limited_by_address,
    an_address_is_suppressed_however_it_is_typed,
    a_suppression_ends_by_itself_and_is_renewed_after_it_was_lifted,
    a_crowd_that_suppresses_one_address_makes_one_suppression,
    an_erased_person_stays_suppressed_when_the_address_is_entered_again,
];

async fn purpose(app: &App, key: &str, requires_consent: bool) {
    app.make("/v1/consent-purposes", json!({"key": key, "name": key, "requires_consent": requires_consent})).await;
}

async fn contact(app: &App) -> String {
    app.make("/v1/contacts", json!({"first_name": "Somchai"})).await["id"].as_str().unwrap().to_owned()
}

/// What a create is sent: a field without a value is left out.
fn without_nulls(mut body: Value) -> Value {
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

/// A consent as a form would send it, with what is given; null takes a field out.
fn consent(contact: &str, more: Value) -> Value {
    let mut body = json!({"contact_id": contact, "purpose": "news", "channel": "email", "status": "granted", "source": "form"});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    without_nulls(body)
}

/// What counts for a purpose and channel.
async fn effective(app: &App, contact: &str, purpose: &str, channel: Value) -> (String, bool) {
    let all = app.get(&format!("/v1/contacts/{contact}/effective-consents")).await.is(200);
    let mut of_purpose = all["consents"].as_array().unwrap().iter().filter(|one| one["purpose"] == purpose);
    let own = of_purpose.clone().find(|one| one["channel"] == channel);
    let one = own.or_else(|| of_purpose.find(|one| one["channel"].is_null())).expect("a purpose has an entry for every channel");
    (one["status"].as_str().unwrap().to_owned(), one["is_permitted"].as_bool().unwrap())
}

async fn a_consent_is_of_one_person_and_of_a_known_purpose(app: App) {
    purpose(&app, "news", true).await;
    let (contact, account) = (contact(&app).await, app.account("A").await);
    let add = |more: Value| app.post("/v1/consents", consent(&contact, more));
    add(json!({"contact_id": null})).await.is(422).fault("/contact_id", "required");
    add(json!({"account_id": account})).await.is(422).fault("/contact_id", "ambiguous");
    add(json!({"purpose": "nothing"})).await.is(422).fault("/purpose", "unknown_reference");
    add(json!({"captured_at": "2199-01-01T00:00:00Z"})).await.is(422).fault("/captured_at", "in_the_future");
    add(json!({"status": "denied", "expires_at": "2199-01-01T00:00:00Z"})).await.is(422).fault("/expires_at", "not_allowed");
    add(json!({"captured_at": "2026-01-02T00:00:00Z", "expires_at": "2026-01-01T00:00:00Z"}))
        .await
        .is(422)
        .fault("/expires_at", "before_start");
    let made = add(json!({})).await.is(201);
    let path = format!("/v1/consents/{}", made.id());
    app.patch(&path, json!({"status": "denied"})).await.is(405);
    app.delete(&path).await.is(405);
    // A purpose stays while consents name it.
    let purposes = app.get("/v1/consent-purposes?key=news").await.is(200);
    let purpose = format!("/v1/consent-purposes/{}", ids(&purposes)[0]);
    app.delete(&purpose).await.refused(409, "in_use");
    app.patch(&purpose, json!({"key": "other"})).await.is(422).fault("/key", "unknown_field");
}

async fn the_newest_consent_counts_in_whatever_order_they_are_entered(app: App) {
    purpose(&app, "news", true).await;
    let said = [
        ("2026-01-01T00:00:00Z", "granted", "email", ("granted", true)),
        ("2026-02-01T00:00:00Z", "denied", "sms", ("granted", true)),
        ("2026-03-01T00:00:00Z", "withdrawn", "any", ("withdrawn", false)),
        ("2026-04-01T00:00:00Z", "granted", "email", ("granted", true)),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let contact = contact(&app).await;
        for n in order {
            let (at, status, channel, _) = said[n];
            let channel = if channel == "any" { Value::Null } else { json!(channel) };
            app.post("/v1/consents", consent(&contact, json!({"captured_at": at, "status": status, "channel": channel}))).await.is(201);
        }
        assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("granted".to_owned(), true));
        assert_eq!(effective(&app, &contact, "news", json!("sms")).await, ("withdrawn".to_owned(), false));
        assert_eq!(effective(&app, &contact, "news", json!("line")).await, ("withdrawn".to_owned(), false));
    }
    // One after the other, as they were said.
    let contact = contact(&app).await;
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("none".to_owned(), false));
    for (at, status, channel, (expected, permitted)) in said {
        let channel = if channel == "any" { Value::Null } else { json!(channel) };
        app.post("/v1/consents", consent(&contact, json!({"captured_at": at, "status": status, "channel": channel}))).await.is(201);
        assert_eq!(effective(&app, &contact, "news", json!("email")).await, (expected.to_owned(), permitted), "{at}");
    }
    // A grant that has ended counts no more, and what was said before it counts again.
    let ended = json!({"captured_at": "2026-05-01T00:00:00Z", "expires_at": "2026-05-02T00:00:00Z", "channel": "line"});
    app.post("/v1/consents", consent(&contact, ended)).await.is(201);
    assert_eq!(effective(&app, &contact, "news", json!("line")).await, ("withdrawn".to_owned(), false));
}

async fn of_two_consents_of_one_moment_the_stricter_counts(app: App) {
    purpose(&app, "news", true).await;
    for order in [["granted", "withdrawn"], ["withdrawn", "granted"]] {
        let contact = contact(&app).await;
        for status in order {
            let body = consent(&contact, json!({"status": status, "captured_at": "2026-01-01T00:00:00Z"}));
            app.post("/v1/consents", body).await.is(201);
        }
        assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("withdrawn".to_owned(), false));
    }
}

async fn a_withdrawn_consent_stays_as_proof(app: App) {
    purpose(&app, "news", true).await;
    let contact = contact(&app).await;
    let given = app.post("/v1/consents", consent(&contact, json!({"text_version": "2026-03"}))).await.is(201);
    let path = format!("/v1/consents/{}", given.id());
    let withdrawn = app.post(&format!("{path}/withdraw"), json!({"source": "call", "wording": "Nothing more."})).await.is(201);
    assert_eq!(
        (&withdrawn["status"], &withdrawn["channel"], &withdrawn["purpose"]),
        (&json!("withdrawn"), &json!("email"), &json!("news"))
    );
    assert_eq!(app.get(&path).await.is(200)["status"], "granted");
    assert_eq!(app.all(&format!("/v1/consents?contact_id={contact}"), 10).await.len(), 2);
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("withdrawn".to_owned(), false));
    // A clock that is ahead makes no grant newer than the withdrawal after it.
    let ahead = json!({"captured_at": now().plus_seconds(200).to_string(), "channel": "sms"});
    let given = app.post("/v1/consents", consent(&contact, ahead)).await.is(201);
    app.post(&format!("/v1/consents/{}/withdraw", given.id()), json!({"source": "call"})).await.is(201);
    assert_eq!(effective(&app, &contact, "news", json!("sms")).await, ("withdrawn".to_owned(), false));
    let rules = app.person(&["consents:read/all", "contacts:read/all"], &["consents.status=hidden"], &[]).await;
    rules.app.get(&format!("/v1/contacts/{contact}/effective-consents")).await.refused(403, "forbidden");
    let timeline = app.get(&format!("/v1/contacts/{contact}/timeline?kinds=consent")).await.is(200);
    assert_eq!(
        (column(&timeline, "title"), column(&timeline, "summary")),
        (vec!["news".to_owned(); 4], ["", "", "Nothing more.", ""].map(str::to_owned).to_vec())
    );
}

async fn a_purpose_that_requires_no_consent_is_permitted_until_it_is_refused(app: App) {
    purpose(&app, "news", false).await;
    let contact = contact(&app).await;
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("none".to_owned(), true));
    app.post("/v1/consents", consent(&contact, json!({"status": "denied", "channel": null}))).await.is(201);
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("denied".to_owned(), false));
}

async fn link(app: &App, contact: &str, body: Value) -> String {
    let link = app.post(&format!("/v1/contacts/{contact}/preference-link"), body).await.is(201);
    link["token"].as_str().unwrap().to_owned()
}

async fn reading_the_preference_page_changes_nothing_and_unsubscribing_twice_leaves_one_consent(app: App) {
    purpose(&app, "news", true).await;
    purpose(&app, "offers", true).await;
    let contact = contact(&app).await;
    app.post("/v1/consents", consent(&contact, json!({}))).await.is(201);
    let token = link(&app, &contact, json!({"purpose": "news"})).await;
    let anyone = app.nobody();
    for _ in 0..100 {
        let page = anyone.get(&format!("/v1/public/preferences/{token}")).await.is(200);
        assert!(!page.text.contains(&contact) && !page.text.contains("Somchai"), "the page does not say whose it is");
    }
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("granted".to_owned(), true));
    anyone.get(&format!("/v1/public/unsubscribe/{token}")).await.is(405);
    for _ in 0..2 {
        let answer = anyone.post(&format!("/v1/public/unsubscribe/{token}"), json!({"List-Unsubscribe": "One-Click"})).await.is(200);
        assert_eq!(answer["status"], "received");
    }
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("withdrawn".to_owned(), false));
    let withdrawn = app.all(&format!("/v1/consents?contact_id={contact}&status=withdrawn"), 10).await;
    assert_eq!(withdrawn.len(), 1);
    assert_eq!((&withdrawn[0]["source"], &withdrawn[0]["channel"]), (&json!("unsubscribe"), &Value::Null));
    // The other purpose is as it was.
    assert_eq!(effective(&app, &contact, "offers", json!("email")).await, ("none".to_owned(), false));
}

async fn a_forged_token_unsubscribes_no_one_and_has_no_page(app: App) {
    purpose(&app, "news", true).await;
    let contact = contact(&app).await;
    app.post("/v1/consents", consent(&contact, json!({}))).await.is(201);
    let token = link(&app, &contact, json!({})).await;
    let mut forged = token.clone().into_bytes();
    forged[10] = if forged[10] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(forged).unwrap();
    let anyone = app.nobody();
    for token in [forged.as_str(), &token[..20], "x"] {
        let page = anyone.get(&format!("/v1/public/preferences/{token}")).await;
        page.refused(404, "not_found");
        assert_eq!(anyone.post(&format!("/v1/public/unsubscribe/{token}"), json!({})).await.is(200)["status"], "received");
    }
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("granted".to_owned(), true));
    // A contact that is deleted has no page any more.
    app.delete(&format!("/v1/contacts/{contact}")).await.is(204);
    anyone.get(&format!("/v1/public/preferences/{token}")).await.refused(404, "not_found");
}

async fn choices_on_the_page_are_consents_and_what_counts_already_is_not_entered(app: App) {
    purpose(&app, "news", true).await;
    let contact = contact(&app).await;
    let token = link(&app, &contact, json!({})).await;
    let anyone = app.nobody();
    let path = format!("/v1/public/preferences/{token}");
    let choose = |channel: Value, is_permitted: bool| {
        let choice = json!({"purpose": "news", "channel": channel, "is_permitted": is_permitted});
        anyone.post(&path, json!({"choices": [choice]}))
    };
    for _ in 0..2 {
        choose(json!("email"), true).await.is(200);
    }
    assert_eq!(effective(&app, &contact, "news", json!("email")).await, ("granted".to_owned(), true));
    let page = choose(json!("line"), false).await.is(200);
    assert_eq!(page["purposes"][0]["choices"].as_array().unwrap().len(), 3, "every channel, email and line");
    assert_eq!(app.all(&format!("/v1/consents?contact_id={contact}"), 10).await.len(), 2);
    anyone
        .post(&path, json!({"choices": [{"purpose": "new", "is_permitted": true}]}))
        .await
        .is(422)
        .fault("/choices/0/purpose", "unknown_reference");
    app.post(&format!("/v1/contacts/{contact}/preference-link"), json!({"purpose": "new"}))
        .await
        .is(422)
        .fault("/purpose", "unknown_reference");
}

async fn unknown_tokens_are_limited_by_address(app: App) {
    let limited = app.another(RateLimit::On).nobody();
    for _ in 0..20 {
        limited.get("/v1/public/preferences/unknown").await.is(404);
    }
    limited.get("/v1/public/preferences/unknown").await.refused(429, "rate_limited");
    limited.post("/v1/public/unsubscribe/unknown", json!({})).await.refused(429, "rate_limited");
}

async fn suppress(app: &App, channel: &str, address: &str) -> Answer {
    app.post("/v1/suppressions", json!({"channel": channel, "address": address, "reason": "complaint"})).await.is(200)
}

async fn is_suppressed(app: &App, channel: &str, address: &str) -> bool {
    let answer = app.post("/v1/suppressions/check", json!({"channel": channel, "addresses": ["x@example.com", address]})).await.is(200);
    assert!(!answer.text.contains("example.com"), "addresses are not repeated");
    answer["results"][1]["is_suppressed"].as_bool().unwrap()
}

async fn an_address_is_suppressed_however_it_is_typed(app: App) {
    let made = suppress(&app, "email", "Somchai@Example.com").await;
    assert!(!made.text.contains("xample"), "the address is not kept");
    assert_eq!(suppress(&app, "email", " somchai@example.com.").await.id(), made.id());
    suppress(&app, "sms", "081-234 5678").await;
    for (channel, address, expected) in [
        ("email", "somchai@example.com", true),
        ("email", "mailto:SOMCHAI@example.com", true),
        ("email", "malee@example.com", false),
        ("sms", "+66 81 234 5678", true),
        ("phone", "+66 81 234 5678", false),
    ] {
        assert_eq!(is_suppressed(&app, channel, address).await, expected, "{channel} {address}");
    }
    let refused = json!({"channel": "email", "address": "nobody", "reason": "manual"});
    app.post("/v1/suppressions", refused).await.is(422).fault("/address", "invalid_format");
    let dump = app.get("/v1/suppressions").await.is(200);
    assert!(!dump.text.contains("somchai"));
}

async fn a_suppression_ends_by_itself_and_is_renewed_after_it_was_lifted(app: App) {
    let add = |until: Value| {
        let body = json!({"channel": "email", "address": "a@example.com", "reason": "soft_bounces", "until": until});
        app.post("/v1/suppressions", body)
    };
    add(json!("2020-01-01T00:00:00Z")).await.is(422).fault("/until", "in_past");
    let made = suppress(&app, "email", "a@example.com").await;
    let path = format!("/v1/suppressions/{}", made.id());
    assert!(is_suppressed(&app, "email", "a@example.com").await);
    assert_eq!(app.post(&format!("{path}/lift"), json!({})).await.is(200)["status"], "lifted");
    assert!(!is_suppressed(&app, "email", "a@example.com").await);
    app.post(&format!("{path}/lift"), json!({})).await.refused(409, "illegal_transition");
    let renewed = add(json!("2199-01-01T00:00:00Z")).await.is(200);
    assert_eq!((&renewed["id"], &renewed["status"], &renewed["reason"]), (&made["id"], &json!("active"), &json!("soft_bounces")));
    assert!(is_suppressed(&app, "email", "a@example.com").await);
}

async fn a_crowd_that_suppresses_one_address_makes_one_suppression(app: App) {
    let body = json!({"channel": "email", "address": "a@example.com", "reason": "unsubscribed"});
    let answers = join_all((0..64).map(async |_| app.post("/v1/suppressions", body.clone()).await)).await;
    let made: BTreeSet<String> = answers.into_iter().map(|answer| answer.is(200).id()).collect();
    assert_eq!((made.len(), app.all("/v1/suppressions", 100).await.len()), (1, 1));
}

async fn an_erased_person_stays_suppressed_when_the_address_is_entered_again(app: App) {
    purpose(&app, "news", true).await;
    let person = contact(&app).await;
    let points = format!("/v1/contacts/{person}/contact-points");
    app.make(&points, json!({"kind": "email", "raw": "somchai@example.com"})).await;
    app.make(&points, json!({"kind": "mobile", "raw": "081 234 5678"})).await;
    let more = json!({"wording": "Somchai says yes", "ip_address": "203.0.113.7", "user_agent": "Firefox"});
    let given = app.post("/v1/consents", consent(&person, more)).await.is(201);
    let request = json!({"kind": "erasure", "resource": "contacts", "record_id": person});
    let request = app.make("/v1/privacy-requests", request).await;
    let request = format!("/v1/privacy-requests/{}", request["id"].as_str().unwrap());
    app.post(&format!("{request}/verify"), json!({"evidence": "passport seen"})).await.is(200);
    app.post(&format!("{request}/fulfil"), json!({})).await.is(200);
    let kept = app.get(&format!("/v1/consents/{}", given.id())).await.is(200);
    assert_eq!((&kept["wording"], &kept["ip_address"], &kept["user_agent"]), (&Value::Null, &Value::Null, &Value::Null));
    assert_eq!(kept["status"], "granted", "that there was a consent stays, as proof");
    let again = contact(&app).await;
    app.make(&format!("/v1/contacts/{again}/contact-points"), json!({"kind": "email", "raw": "SOMCHAI@example.com"})).await;
    assert!(is_suppressed(&app, "email", "somchai@example.com").await);
    for channel in ["phone", "sms", "whatsapp"] {
        assert!(is_suppressed(&app, channel, "+66812345678").await, "{channel}");
    }
    let reasons = app.all("/v1/suppressions?reason=erased", 10).await;
    assert_eq!(reasons.len(), 4);
}
