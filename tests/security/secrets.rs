//! What is secret is in no row that can be read back, and what is personal in no log.

use crate::support::{
    app::{ADMIN, PASSWORD},
    *,
};
use base64::{Engine, engine::general_purpose::STANDARD};

crate::on_both![no_secret_can_be_read_from_the_database, no_personal_value_stands_in_a_log];

async fn no_secret_can_be_read_from_the_database(app: App) {
    let mut secrets = vec![PASSWORD.to_owned(), app.token()];
    let signed = app.sign_in(ADMIN, PASSWORD).await.is(200);
    secrets.extend([signed.text_of("access_token"), signed.text_of("refresh_token")]);
    let refreshed = app.nobody().post("/v1/auth/refresh", json!({"refresh_token": signed.text_of("refresh_token")})).await.is(200);
    secrets.extend([refreshed.text_of("access_token"), refreshed.text_of("refresh_token")]);
    let person = app.person(&["accounts:read/all"], &[], &[]).await;
    secrets.push(person.refresh_token.clone());
    let change = json!({"current_password": PASSWORD, "new_password": "a quite new password"});
    person.app.post("/v1/me/password", change).await.is(204);
    secrets.push("a quite new password".to_owned());
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let rotated = app.post(&format!("/v1/api-keys/{}/rotate", key.text_of("client_id")), json!({})).await.is(200);
    secrets.extend([&key, &rotated].iter().flat_map(|k| [k.text_of("token"), k.text_of("client_secret")]));
    let credentials = json!({"grant_type": "client_credentials", "client_id": key.text_of("client_id"), "client_secret": rotated.text_of("client_secret")});
    secrets.push(app.nobody().post("/v1/oauth/token", credentials).await.is(200).text_of("access_token"));
    let endpoint = json!({"url": "https://example.com/hooks", "event_types": ["tag.created"]});
    let endpoint = app.post("/v1/webhook-endpoints", endpoint).key("endpoint").await.is(201);
    let own = format!("/v1/webhook-endpoints/{}/rotate-secret", endpoint["webhook_endpoint"]["id"].as_str().unwrap());
    for made in [&endpoint, &app.post(&own, json!({})).await.is(200)] {
        let secret = made.text_of("secret");
        let bytes = STANDARD.decode(secret.trim_start_matches("whsec_")).unwrap();
        secrets.push(bytes.iter().map(|b| format!("{b:02x}")).collect());
        secrets.push(secret);
    }
    let dump = app.dump().await;
    assert!(dump.tables_with(ADMIN).contains(&"users"), "what is there is found");
    assert!(secrets.len() > 15);
    for secret in secrets {
        assert!(
            dump.tables_with(&secret).is_empty() && dump.tables_with(&secret.to_uppercase()).is_empty(),
            "{secret} in {:?}",
            dump.tables_with(&secret)
        );
    }
}

/// The people of the test, by everything that is known of them.
const PERSONAL: [&str; 10] = [
    "Wipawan",
    "วิภาวรรณ",
    "1984-06-07",
    "Anurak",
    "keeps-bees",
    "0819990123",
    "+66819990123",
    "wipawan@mail.example",
    "Soi Wipawan 3",
    "1101700230708",
];

async fn no_personal_value_stands_in_a_log(app: App) {
    let mut program = app.program(&["--log-format", "json", "--log", "debug"]);
    let there = program.app.clone();
    let contact = json!({"first_name": "Wipawan", "local_name": "วิภาวรรณ", "birth_date": "1984-06-07", "spouse_name": "Anurak",
        "interests": ["keeps-bees"]});
    let id = there.post("/v1/contacts", contact.clone()).key("once").await.is(201).id();
    there.post("/v1/contacts", contact).key("once").await.is(201);
    let below = |what: &str| format!("/v1/contacts/{id}/{what}");
    there.make(&below("contact-points"), json!({"kind": "mobile", "raw": "0819990123"})).await;
    there.make(&below("contact-points"), json!({"kind": "email", "raw": "wipawan@mail.example"})).await;
    there.make(&below("addresses"), json!({"purpose": "shipping", "line1": "Soi Wipawan 3"})).await;
    let customer = json!({"name": "Wipawan", "legal_form": "individual", "tax_id": "1101700230708"});
    let customer = there.make("/v1/accounts", customer).await["id"].as_str().unwrap().to_owned();
    there.patch(&format!("/v1/contacts/{id}"), json!({"birth_date": "Wipawan", "spouse_name": 7})).await.is(422);
    there.post("/v1/contacts", json!({"first_nme": "Wipawan"})).await.is(422);
    for path in ["q=Wipawan", "name=Wipawan", "filter=Wipawan", "last_name=Anurak&sort=Wipawan"] {
        there.get(&format!("/v1/contacts?{path}")).await;
    }
    for path in ["/v1/lookup?phone=0819990123", "/v1/lookup?email=wipawan@mail.example", "/v1/search?q=wipawan", "/v1/changes?limit=100"] {
        there.get(path).await.is(200);
    }
    there.get("/v1/contacts/by-external-id/Wipawan/wipawan@mail.example").await.is(404);
    for (resource, record) in [("contacts", &id), ("accounts", &customer)] {
        for kind in ["access", "erasure"] {
            let asked = json!({"kind": kind, "resource": resource, "record_id": record, "note": "Wipawan called"});
            let request = there.post("/v1/privacy-requests", asked).await.is(201).id();
            let act = |verb: &str, body: Value| there.post(&format!("/v1/privacy-requests/{request}/{verb}"), body);
            act("verify", json!({"evidence": "seen"})).await.is(200);
            act(if kind == "access" { "export" } else { "fulfil" }, json!({})).await.is(200);
        }
    }
    program.terminate();
    assert_eq!(program.ended(), Some(0));
    let log = program.log();
    assert!(log.lines().count() > 25, "{log}");
    for value in PERSONAL {
        let found = log.lines().find(|line| line.contains(value) || line.contains(&encoded(value)));
        assert!(found.is_none(), "{value} in the log: {found:?}");
    }
}
