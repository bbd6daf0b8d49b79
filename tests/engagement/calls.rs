//! Calls: logged by people, reported by telephone systems, and matched by the number of the other side.

use super::{contact_of, id};
use crate::support::*;

crate::on_both![
    call_without_a_customer_is_matched_by_its_number,
    call_of_several_customers_is_ambiguous_until_it_is_linked,
    call_is_matched_among_what_its_logger_sees,
    telephone_system_reports_one_call_several_times,
    times_of_a_call_are_in_order,
];

fn inbound(number: &str) -> Value {
    json!({"direction": "inbound", "from_number": number, "to_number": "02 100 2000", "started_at": "2026-11-20T09:30:00Z"})
}

async fn number(app: &App, owner: &str, raw: &str) {
    app.make(&format!("{owner}/contact-points"), json!({"kind": "phone", "raw": raw})).await;
}

async fn call_without_a_customer_is_matched_by_its_number(app: App) {
    let account = app.account("Siam").await;
    let contact = contact_of(&app, &account, "Malee").await;
    number(&app, &format!("/v1/contacts/{contact}"), "081-234 5678").await;
    number(&app, &format!("/v1/accounts/{account}"), "02-123-4567").await;
    let call = app.make("/v1/calls", inbound("+66 81 234 5678")).await;
    assert_eq!([&call["contact_id"], &call["account_id"], &call["match_status"]], [&json!(contact), &json!(account), &json!("matched")]);
    assert_eq!([&call["customer_number"], &call["to_e164"]], ["+66812345678", "+6621002000"]);
    let me = app.get("/v1/me").await.is(200).id();
    assert_eq!([&call["user_id"], &call["owner_id"]], [&json!(me), &json!(me)]);
    let outbound = json!({"direction": "outbound", "to_number": "(02) 123 4567", "started_at": "2026-11-20T09:30:00Z"});
    let call = app.make("/v1/calls", outbound).await;
    assert_eq!([&call["contact_id"], &call["account_id"]], [&json!(null), &json!(account)]);
    // Somebody's number, but nobody's we know; and what is said beats what is looked up.
    let unknown = app.make("/v1/calls", inbound("+44 20 7946 0018")).await;
    assert_eq!([&unknown["match_status"], &unknown["account_id"]], [&json!("unmatched"), &json!(null)]);
    let other = app.account("Another").await;
    let mut said = inbound("081 234 5678");
    said["account_id"] = json!(other);
    let call = app.make("/v1/calls", said).await;
    assert_eq!([&call["account_id"], &call["contact_id"], &call["match_status"]], [&json!(other), &json!(null), &json!("matched")]);
    let internal = json!({"direction": "internal", "from_number": "081 234 5678", "started_at": "2026-11-20T09:30:00Z"});
    assert_eq!(app.make("/v1/calls", internal).await["match_status"], "unmatched");
}

async fn call_of_several_customers_is_ambiguous_until_it_is_linked(app: App) {
    let accounts = [app.account("A").await, app.account("B").await];
    for account in &accounts {
        number(&app, &format!("/v1/accounts/{account}"), "02-123-4567").await;
    }
    let call = app.make("/v1/calls", inbound("02 123 4567")).await;
    assert_eq!([&call["match_status"], &call["account_id"]], [&json!("ambiguous"), &json!(null)], "never the first of several");
    let path = format!("/v1/calls/{}", id(&call));
    assert_eq!(app.patch(&path, json!({"notes": "Asked for the price."})).await.is(200)["match_status"], "ambiguous");
    app.post(&format!("{path}/link"), json!({})).await.refused(422, "validation_failed").fault("/account_id", "required");
    app.post(&format!("{path}/link"), json!({"account_id": random_id()})).await.is(422).fault("/account_id", "unknown_reference");
    let linked = app.post(&format!("{path}/link"), json!({"account_id": accounts[1]})).await.is(200);
    assert_eq!([&linked["match_status"], &linked["account_id"]], [&json!("matched"), &json!(accounts[1])]);
    let events = app.feed().await;
    assert!(events.iter().any(|e| e["type"] == "call.linked" && e["resource_id"] == call["id"]));
}

async fn call_is_matched_among_what_its_logger_sees(app: App) {
    let account = app.account("A colleague's").await;
    number(&app, &format!("/v1/accounts/{account}"), "02-123-4567").await;
    let seller = app.person(&["calls:*/own", "accounts:read/own", "contacts:read/own"], &[], &[]).await;
    let call = seller.app.make("/v1/calls", inbound("02 123 4567")).await;
    assert_eq!([&call["match_status"], &call["account_id"]], [&json!("unmatched"), &json!(null)]);
    let telephone = app.person(&["calls:create/all"], &[], &[]).await.app;
    telephone.post("/v1/calls", inbound("02 123 4567")).await.is(201);
}

async fn telephone_system_reports_one_call_several_times(app: App) {
    app.make("/v1/external-systems", json!({"code": "pbx", "name": "PBX", "kind": "other"})).await;
    let path = "/v1/calls/by-external-id/pbx/3f2a-77";
    let mut call = inbound("081 234 5678");
    let made = app.put(path, call.clone()).await.is(201);
    call["answered_at"] = json!("2026-11-20T09:30:12Z");
    assert_eq!(app.put(path, call.clone()).await.is(200)["duration_seconds"], json!(null));
    call["ended_at"] = json!("2026-11-20T09:34:12Z");
    call["disposition"] = json!("answered");
    let ended = app.put(path, call.clone()).await.is(200);
    assert_eq!([&ended["id"], &ended["duration_seconds"], &ended["version"]], [&made["id"], &json!(240), &json!(3)]);
    assert_eq!(app.put(path, call).await.is(200)["version"], 3, "the same once more changes nothing");
    assert_eq!(ids(&app.get("/v1/calls?customer_number=%2B66812345678").await.is(200)).len(), 1);
}

async fn times_of_a_call_are_in_order(app: App) {
    for (field, before) in [("answered_at", "2026-11-20T09:29:59Z"), ("ended_at", "2026-11-20T09:29:59Z")] {
        let mut call = inbound("081 234 5678");
        call[field] = json!(before);
        app.post("/v1/calls", call).await.refused(422, "validation_failed").fault(&format!("/{field}"), "before_start");
    }
    let mut long = inbound("081 234 5678");
    long["duration_seconds"] = json!(86_401);
    app.post("/v1/calls", long).await.refused(422, "validation_failed").fault("/duration_seconds", "too_large");
}
