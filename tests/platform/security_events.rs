//! Who came, who was refused, who left, and what was taken out: in the audit, with the client's address.

use super::privacy::erase;
use crate::support::{
    app::{ADMIN, PASSWORD},
    *,
};

crate::on_both![
    signing_in_and_out_is_audited_with_the_address,
    refused_sign_ins_are_audited_together_and_unknown_addresses_not_at_all,
    own_password_change_is_audited,
    exports_are_audited_with_rows_and_parameters_but_without_values,
];

/// The events of a kind about a record, oldest first.
async fn events(app: &App, kind: &str, about: &str) -> Vec<Value> {
    app.all(&format!("/v1/audit-events?kind={kind}&resource_id={about}"), 50).await
}

async fn signing_in_and_out_is_audited_with_the_address(app: App) {
    let person = app.person(&["accounts:read/all"], &[], &[]).await;
    person.app.post("/v1/auth/sign-out", json!({})).await.is(204);
    let again = app.as_(&app.sign_in(&person.email, PASSWORD).await.is(200).text_of("access_token"));
    again.post("/v1/auth/sign-out-everywhere", json!({})).await.is(204);
    for (kind, many) in [("session.started", 2), ("session.ended", 1), ("session.all_ended", 1)] {
        let found = events(&app, kind, &person.id).await;
        assert_eq!(found.len(), many, "{kind}");
        assert!(found.iter().all(|e| e["after"]["client_address"] == "127.0.0.1" && e["after"]["session_id"].is_string()), "{found:?}");
    }
    // From where a person came goes with the person.
    erase(&app, "users", &person.id).await;
    for kind in ["session.started", "session.ended", "user.password_set"] {
        let found = events(&app, kind, &person.id).await;
        assert!(!found.is_empty() && found.iter().all(|e| e["after"].get("client_address").is_none()), "{found:?}");
    }
}

async fn refused_sign_ins_are_audited_together_and_unknown_addresses_not_at_all(app: App) {
    let admin = app.get("/v1/me").await.is(200).id();
    for _ in 0..4 {
        app.sign_in(ADMIN, "not the password").await.refused(401, "invalid_grant");
        app.sign_in("unknown-person@example.com", "not the password").await.refused(401, "invalid_grant");
    }
    let attempts =
        async || -> i64 { events(&app, "session.refused", &admin).await.iter().map(|e| e["after"]["attempts"].as_i64().unwrap()).sum() };
    until("the attempts are in the audit", async || attempts().await == 4).await;
    let found = events(&app, "session.refused", &admin).await;
    assert!(found.len() <= 2, "few events, whatever the number of attempts: {found:?}");
    assert!(found.iter().all(|e| e["after"]["client_address"] == "127.0.0.1" && e["created_by_id"] == Value::Null), "{found:?}");
    let dump = app.dump().await;
    assert!(dump.tables_with("unknown-person").is_empty() && dump.tables_with("not the password").is_empty());
}

async fn own_password_change_is_audited(app: App) {
    let person = app.person(&[], &[], &[]).await;
    let change = json!({"current_password": PASSWORD, "new_password": "another long password"});
    person.app.post("/v1/me/password", change).await.is(204);
    let found = events(&app, "user.password_changed", &person.id).await;
    assert_eq!((found.len(), &found[0]["created_by_id"]), (1, &json!(person.id)));
    assert_eq!(found[0]["after"], json!({"client_address": "127.0.0.1"}));
}

async fn exports_are_audited_with_rows_and_parameters_but_without_values(app: App) {
    let admin = app.get("/v1/me").await.is(200).id();
    app.make_many("/v1/contacts", &["Wilawan", "Somchai", "Malee"].map(|name| json!({"first_name": name}))).await;
    let file = app.get("/v1/contacts/export?name=Wilawan&fields=name").await.is(200);
    assert_eq!(file.rows().len(), 1);
    app.get("/v1/contacts/export").await.is(200);
    let said = |rows: Value, parameters: Value| json!({"resource": "contacts", "parameters": parameters, "client_address": "127.0.0.1", "rows": rows});
    let finished = events(&app, "user.export_finished", &admin).await;
    let after: Vec<&Value> = finished.iter().map(|e| &e["after"]).collect();
    assert_eq!(after[0], &said(json!(1), json!(["fields", "name"])));
    assert_eq!(
        (&after[1]["rows"], after[1].get("parameters"), after.len()),
        (&json!(3), None, 2),
        "without parameters nothing is said of them"
    );
    let started = events(&app, "user.export_started", &admin).await;
    assert!(started.len() == 2 && started[0]["after"].get("rows").is_none(), "{started:?}");
    let key = app.api_key(&["contacts:*/all"], json!({})).await.is(201);
    app.as_(&key.text_of("token")).get("/v1/contacts/export").await.is(200);
    let machine = key["api_key"]["id"].as_str().unwrap();
    assert_eq!(events(&app, "api_key.export_finished", machine).await.len(), 1);
}
