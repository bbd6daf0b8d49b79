//! Notes: Markdown without HTML, few pinned, and gone with the person they are about.

use super::{contact_of, id};
use crate::{platform::privacy::erase, support::*};
use futures_util::future::join_all;

crate::on_both![
    note_with_html_or_a_running_link_is_refused,
    title_of_a_note_is_its_first_line,
    fourth_pinned_note_of_a_record_is_refused,
    of_64_notes_pinned_at_once_three_are,
    erasure_of_a_person_empties_notes_and_calls,
];

async fn note_with_html_or_a_running_link_is_refused(app: App) {
    let account = app.account("Siam").await;
    for body in ["<b>bold</b>", "a <script>alert(1)</script>", "[a](javascript:alert(1))", "<javascript:alert(1)>"] {
        let refused = app.post("/v1/notes", json!({"account_id": account, "body": body})).await;
        refused.refused(422, "validation_failed").fault("/body", "invalid_format");
    }
    let body = "# Visit\n\nif **price < 90** and > 80: see <https://example.com>\n\n| a | b |\n|---|---|\n| 1 | 2 |";
    let made = app.make("/v1/notes", json!({"account_id": account, "body": body})).await;
    assert_eq!(made["body"], json!(body));
    app.post("/v1/notes", json!({"account_id": account, "body": ""})).await.refused(422, "validation_failed").fault("/body", "too_short");
    app.post("/v1/notes", json!({"body": "x".repeat(20_001)})).await.refused(422, "validation_failed").fault("/body", "too_long");
}

async fn title_of_a_note_is_its_first_line(app: App) {
    let made = app.make("/v1/notes", json!({"body": "## Visit of **Monday**\n\nMore"})).await;
    assert_eq!(made["title"], "Visit of Monday");
    let patched = app.patch(&format!("/v1/notes/{}", id(&made)), json!({"body": "ไม่ว่างวันจันทร์"})).await.is(200);
    assert_eq!(patched["title"], "ไม่ว่างวันจันทร์");
}

async fn fourth_pinned_note_of_a_record_is_refused(app: App) {
    let account = app.account("Siam").await;
    let contact = contact_of(&app, &account, "Malee").await;
    let pinned = |more: Value| {
        let mut body = json!({"body": "x", "is_pinned": true, "account_id": account});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        app.post("/v1/notes", body)
    };
    for _ in 0..3 {
        pinned(json!({})).await.is(201);
        pinned(json!({"contact_id": contact})).await.is(201);
    }
    for more in [json!({}), json!({"contact_id": contact})] {
        let fault = pinned(more).await.refused(422, "validation_failed").fault("/is_pinned", "too_many_items");
        assert!(fault["message"].as_str().unwrap().contains('3'), "{fault}");
    }
    let fourth = app.make("/v1/notes", json!({"body": "x", "account_id": account})).await;
    let path = format!("/v1/notes/{}", id(&fourth));
    app.patch(&path, json!({"is_pinned": true})).await.refused(422, "validation_failed").fault("/is_pinned", "too_many_items");
    let other = app.account("Another").await;
    app.patch(&path, json!({"is_pinned": true, "account_id": other})).await.is(200);
    app.patch(&path, json!({"account_id": account})).await.refused(422, "validation_failed").fault("/is_pinned", "too_many_items");
}

async fn of_64_notes_pinned_at_once_three_are(app: App) {
    let account = app.account("Siam").await;
    let pin = async || loop {
        let answer = app.post("/v1/notes", json!({"account_id": account, "body": "x", "is_pinned": true})).await;
        // What was too busy is asked again, as a client would.
        if answer.status != 503 {
            return answer.status;
        }
    };
    let answers = join_all((0..64).map(|_| pin())).await;
    assert_eq!(answers.iter().filter(|status| **status == 201).count(), 3, "{answers:?}");
    assert_eq!(ids(&app.get("/v1/notes?is_pinned=true").await.is(200)).len(), 3);
}

/// Example 31, as far as notes and calls go.
async fn erasure_of_a_person_empties_notes_and_calls(app: App) {
    let account = app.account("Siam").await;
    let contact = contact_of(&app, &account, "Malee").await;
    let kept = app.make("/v1/notes", json!({"account_id": account, "body": "Papaya of the account"})).await;
    let note = json!({"account_id": account, "contact_id": contact, "body": "Durian for Malee, 081 999 8888", "tags": ["durian"]});
    let note = app.make("/v1/notes", note).await;
    app.patch(&format!("/v1/notes/{}", id(&note)), json!({"body": "Rambutan for Malee, 081 999 8888"})).await.is(200);
    let deleted = app.make("/v1/notes", json!({"contact_id": contact, "body": "Mangosteen for Malee"})).await;
    app.delete(&format!("/v1/notes/{}", id(&deleted))).await.is(204);
    let call = json!({"contact_id": contact, "direction": "inbound", "from_number": "081 999 8888", "started_at": "2026-11-20T09:30:00Z",
        "notes": "Longan, says Malee"});
    let call = app.make("/v1/calls", call).await;
    assert_eq!(call["customer_number"], "+66819998888");
    erase(&app, "contacts", &contact).await;
    let dump = app.dump().await;
    for value in ["Durian", "durian", "Rambutan", "Mangosteen", "Longan", "Malee", "081 999 8888", "+66819998888"] {
        assert!(dump.tables_with(value).is_empty(), "{value} in {:?}", dump.tables_with(value));
    }
    let left = app.get(&format!("/v1/notes/{}", id(&note))).await.is(200);
    assert_eq!((&left["account_id"], &left["contact_id"]), (&json!(account), &json!(contact)), "who it was about stays an id");
    assert_eq!(app.get(&format!("/v1/notes/{}", id(&kept))).await.is(200)["body"], "Papaya of the account");
}
