//! 401 without a good token, 403 without the permission: every operation, users, API keys and OAuth clients alike.

use super::step::Step;
use crate::support::*;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use std::collections::{BTreeMap, BTreeSet};

crate::on_both![
    without_a_good_token_every_operation_is_401,
    without_its_permission_every_operation_is_403,
    a_key_without_just_the_permission_is_refused_and_one_with_it_is_not,
    without_a_permission_it_always_needs_beside_its_own_every_operation_is_403,
];

/// A token's three parts, signed by this key.
fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = format!("{}.{}", part(header), part(claims));
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(key.sign(body.as_bytes()).to_bytes()))
}

/// Authorization headers that are worth nothing, by what is wrong with them.
async fn worthless(app: &App) -> Vec<(&'static str, String)> {
    let token = app.token();
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("three parts") };
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (head, said) = (read(header), read(claims));
    let seed: [u8; 32] = app.signing_seed().await.try_into().unwrap();
    let (ours, theirs) = (SigningKey::from_bytes(&seed), SigningKey::from_bytes(&[7; 32]));
    let with = |value: &Value, name: &str, new: Value| {
        let mut changed = value.clone();
        changed[name] = new;
        changed
    };
    let without = |value: &Value, name: &str| {
        let mut changed = value.clone();
        changed.as_object_mut().unwrap().remove(name);
        changed
    };
    // Our own key signs what the document says we sign: the forgeries below differ by just what is named.
    let same = signed(&ours, &head, &said);
    app.as_(&same).get("/v1/me").await.is(200);
    let now = said["iat"].as_i64().unwrap();
    let claim = |name: &str, new: Value| signed(&ours, &head, &with(&said, name, new));
    let headed = |name: &str, new: Value| signed(&ours, &with(&head, name, new), &said);
    let mut all = vec![
        ("expired", signed(&ours, &head, &with(&with(&said, "iat", json!(now - 2000)), "exp", json!(now - 1400)))),
        ("without an end", signed(&ours, &head, &without(&said, "exp"))),
        ("that lives longer than tokens do", claim("exp", json!(now + 601))),
        ("that lives for ever", claim("exp", json!(i64::MAX))),
        ("of no beginning", signed(&ours, &head, &without(&said, "iat"))),
        ("of a beginning before time", claim("iat", json!(i64::MIN))),
        ("not yet good", claim("nbf", json!(now + 3600))),
        ("issued in the future", signed(&ours, &head, &with(&with(&said, "iat", json!(now + 3600)), "exp", json!(now + 4200)))),
        ("of another issuer", claim("iss", json!("https://issuer.example"))),
        ("of no issuer", signed(&ours, &head, &without(&said, "iss"))),
        ("for another audience", claim("aud", json!("another"))),
        ("for no audience", signed(&ours, &head, &without(&said, "aud"))),
        ("of an unknown session", claim("sid", json!(random_id()))),
        ("of an unknown key id", headed("kid", json!("0000000000000000"))),
        ("of a key id that is a path", headed("kid", json!("../../../../dev/null"))),
        ("of a key id that is SQL", headed("kid", json!("x' UNION SELECT 'x' --"))),
        ("of no key id", signed(&ours, &without(&head, "kid"), &said)),
        ("signed by another key", signed(&theirs, &head, &said)),
        ("cut in its signature", token[..token.len() - 8].to_owned()),
        ("cut before its signature", format!("{header}.{claims}")),
        ("without a signature", format!("{header}.{claims}.")),
        ("with another signature", format!("{header}.{claims}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..])),
        ("with other claims", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(with(&said, "exp", json!(now + 601)).to_string()))),
        ("no token", "x".to_owned()),
        ("three dots", "a.b.c".to_owned()),
        ("nothing", String::new()),
        ("an unknown API key", format!("smp_{}", "0".repeat(75))),
        ("a short API key", "smp_".to_owned()),
    ];
    let public = URL_SAFE_NO_PAD.encode(theirs.verifying_key().to_bytes());
    let own = json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": head["kid"], "x": public});
    for (name, value) in [("jwk", own), ("jku", json!("https://keys.example/jwks.json")), ("x5u", json!("https://keys.example/x5u"))] {
        all.push(("bringing its own key", signed(&theirs, &with(&head, name, value), &said)));
    }
    for alg in ["none", "None", "nOnE"] {
        let header = with(&head, "alg", json!(alg));
        all.push(("of no algorithm", format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header.to_string()))));
    }
    let keys = app.nobody().get("/.well-known/jwks.json").await.is(200);
    let public = keys["keys"][0]["x"].as_str().unwrap();
    assert_eq!(keys["keys"][0]["kid"], head["kid"]);
    for secret in [public.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(public).unwrap(), keys.text.clone().into_bytes(), vec![]] {
        let header = URL_SAFE_NO_PAD.encode(with(&head, "alg", json!("HS256")).to_string());
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
        mac.update(format!("{header}.{claims}").as_bytes());
        all.push(("signed with the public key", format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))));
    }
    let mut all: Vec<_> = all.into_iter().map(|(name, token)| (name, format!("Bearer {token}"))).collect();
    all.extend([
        ("without a scheme", token.clone()),
        ("of another scheme", format!("Basic {token}")),
        ("a scheme alone", "Bearer".to_owned()),
    ]);
    all
}

async fn without_a_good_token_every_operation_is_401(app: App) {
    let worthless = worthless(&app).await;
    let nobody = app.nobody();
    for step in Step::all().into_iter().filter(|s| !s.is_public()) {
        let refused = step.ask(&nobody, None).await.refused(401, "unauthenticated");
        assert!(refused.header("www-authenticate").starts_with("Bearer"), "{}", step.id);
        for (name, header) in &worthless {
            let answer = step.ask(&nobody, None).header("authorization", header).await;
            assert_eq!((answer.status, answer["code"].as_str()), (401, Some("unauthenticated")), "{name}: {} {}", step.id, answer.text);
        }
    }
    app.get("/v1/me").await.is(200);
}

async fn without_its_permission_every_operation_is_403(app: App) {
    let person = app.person(&[], &[], &[]).await.app;
    let key = app.api_key(&[], json!({})).await.is(201);
    let machine = app.as_(&key.text_of("token"));
    let credentials =
        json!({"grant_type": "client_credentials", "client_id": key.text_of("client_id"), "client_secret": key.text_of("client_secret")});
    let client = app.as_(&app.nobody().post("/v1/oauth/token", credentials).await.is(200).text_of("access_token"));
    for step in Step::all() {
        let Some(permission) = step.permission() else { continue };
        for caller in [&person, &machine, &client] {
            let refused = step.ask(caller, None).await.refused(403, "forbidden");
            // A batch asks for what its mode does.
            let creates = permission.replace(":update", ":create");
            let named = refused["allowed"][0].as_str().unwrap();
            assert!(named == permission || step.id.starts_with("batch") && named == creates, "{}: {}", step.id, refused.text);
        }
    }
}

async fn a_key_without_just_the_permission_is_refused_and_one_with_it_is_not(app: App) {
    let mut by_permission: BTreeMap<&str, Vec<Step>> = BTreeMap::new();
    for step in Step::all() {
        if let Some(permission) = step.permission() {
            by_permission.entry(permission).or_default().push(step);
        }
    }
    assert!(by_permission.len() > 50);
    let all: BTreeSet<&str> = by_permission.keys().copied().chain(Step::all().iter().flat_map(Step::also_needs)).collect();
    let role = app.role(&["*:*/all"], &[]).await;
    let key = async |scopes: Vec<&str>| {
        let made = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "scopes": scopes})).await.is(201);
        app.as_(&made.text_of("token"))
    };
    for (permission, steps) in &by_permission {
        let others = all.iter().copied().filter(|p| p != permission).collect();
        let without = key(others).await;
        let mut keys: BTreeMap<Vec<&str>, App> = BTreeMap::new();
        for step in steps {
            let mut scopes: Vec<&str> = step.also_needs().chain([*permission]).collect();
            scopes.sort_unstable();
            scopes.dedup();
            if !keys.contains_key(&scopes) {
                keys.insert(scopes.clone(), key(scopes.clone()).await);
            }
            let with = &keys[&scopes];
            let update = json!({"mode": "update", "items": [{"id": random_id()}]});
            let refused = step.ask(&without, Some(&update)).await.refused(403, "forbidden");
            assert_eq!(refused["allowed"], json!([permission]), "{}", step.id);
            let body = if step.id.starts_with("batch") { update } else { json!({}) };
            let answer = step.ask(with, Some(&body)).await;
            assert_ne!(answer.status, 403, "{} with {permission}: {}", step.id, answer.text);
        }
    }
}

async fn without_a_permission_it_always_needs_beside_its_own_every_operation_is_403(app: App) {
    let role = app.role(&["*:*/all"], &[]).await;
    let mut keys: BTreeMap<&str, App> = BTreeMap::new();
    let mut walked = 0;
    for step in Step::all() {
        let always = step.operation["x-also-needs"].as_array().into_iter().flatten().filter(|a| a["when"].is_null());
        for missing in always.filter_map(|a| a["permission"].as_str()) {
            let own = step.permission().unwrap();
            if !keys.contains_key(own) {
                let made = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "scopes": [own]})).await.is(201);
                keys.insert(own, app.as_(&made.text_of("token")));
            }
            let refused = step.ask(&keys[own], None).await.refused(403, "forbidden");
            let named = refused["allowed"].as_array().unwrap();
            assert!(named.contains(&json!(missing)) && !named.contains(&json!(own)), "{} without {missing}: {}", step.id, refused.text);
            assert!(step.operation["description"].as_str().unwrap().contains(&format!("`{missing}`")), "{}", step.id);
            walked += 1;
        }
    }
    assert!(walked > 100, "{walked}");
}
