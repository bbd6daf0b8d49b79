//! No request costs the service more than it costs whoever sends it.

use crate::support::{contract::document, *};
use reqwest::Method;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

crate::on_both![a_megabyte_for_any_text_is_refused_at_once, names_nobody_knows_are_refused_at_once_in_few_words, a_bomb_is_never_unpacked,];

/// As long as a body may be, and a little less for what is around it.
const LONG: usize = 1_000_000;
/// In a release build it is some milliseconds; here the program is not optimised and shares the machine with the other tests.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Operations that take a body, with a text field of it for each kind of text there is: what differs is the pattern.
fn texts() -> BTreeMap<String, (String, &'static str)> {
    let mut found = BTreeMap::new();
    for (method, path, operation) in contract::operations() {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let Some(name) = body.as_str().and_then(|r| r.rsplit('/').next()).filter(|_| method == Method::POST && !path.contains('{')) else {
            continue;
        };
        for (field, schema) in document()["components"]["schemas"][name]["properties"].as_object().into_iter().flatten() {
            let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
            if types.contains(&json!("string")) {
                let kind = format!("{} {} {}", schema["pattern"], schema["format"], schema.get("enum").is_some());
                found.entry(kind).or_insert((path.to_owned(), field.as_str()));
            }
        }
    }
    found
}

async fn quickly(request: request::Request) -> Answer {
    let begun = Instant::now();
    let answer = request.await;
    assert!(begun.elapsed() < AT_ONCE, "{} took {:?}", answer.what, begun.elapsed());
    answer
}

async fn a_megabyte_for_any_text_is_refused_at_once(app: App) {
    let texts = texts();
    assert!(texts.len() > 8, "{texts:?}");
    for letter in ["a", "0", "@", " ", "\u{301}", "ก"] {
        let long = letter.repeat(LONG / letter.len());
        for (kind, (path, field)) in &texts {
            let answer = quickly(app.post(path, json!({*field: long}))).await;
            assert_eq!(answer.status, 422, "{kind} {path} {field}: {}", &answer.text[..answer.text.len().min(500)]);
            assert!(answer.text.len() < 100_000 && !answer.text.contains(&letter.repeat(2_000)), "{path} {field}");
        }
    }
}

async fn names_nobody_knows_are_refused_at_once_in_few_words(app: App) {
    let long = "a".repeat(LONG);
    let answer = quickly(app.post("/v1/accounts", json!({long.as_str(): 1}))).await.refused(422, "validation_failed");
    assert!(answer.text.len() < 10_000, "{}", answer.text.len());
    // As many names as a body holds.
    let body: String = (0..90_000).map(|n| format!(",\"{n}\":0")).collect();
    let many = app.ask(Method::POST, "/v1/accounts").raw("application/json", format!("{{\"name\":\"A\"{body}}}"));
    let answer = quickly(many).await.refused(422, "validation_failed");
    assert!(answer["errors"].as_array().unwrap().len() <= 200 && answer.text.len() < 500_000, "{}", answer.text.len());
    // As many texts with NUL, each a fault.
    let nul: String = (0..100_000).map(|_| ",\"\\u0000\"").collect();
    let many = app.ask(Method::POST, "/v1/accounts").raw("application/json", format!("{{\"tags\":[\"a\"{nul}]}}"));
    let answer = quickly(many).await.refused(422, "validation_failed");
    assert!(answer.text.len() < 500_000, "{}", answer.text.len());
    for field in ["legal_form", "size"] {
        quickly(app.post("/v1/accounts", json!({"name": "A", field: long}))).await.refused(422, "validation_failed");
    }
    let filter = json!({"field": long, "op": "eq", "value": 1});
    quickly(app.post("/v1/accounts/search", json!({"filter": filter}))).await.refused(400, "invalid_filter");
    app.get("/v1/me").await.is(200);
}

/// Ten megabytes of zeros and more, in some ten kilobytes: whatever its header says it is, it stays as it came.
async fn a_bomb_is_never_unpacked(app: App) {
    // The end of a gzip stream of zeros, again and again: a decoder would not come to its end.
    let gzip = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xec, 0xc1, 0x01, 0x01], &vec![0; 10_000]].concat();
    for coding in ["gzip", "x-gzip", "br", "deflate", "zstd", "compress", "gzip, br", "identity"] {
        let sent = app.ask(Method::POST, "/v1/accounts").raw("application/json", gzip.clone()).header("content-encoding", coding);
        quickly(sent).await.refused(415, "unsupported_media_type");
    }
    quickly(app.ask(Method::POST, "/v1/accounts").raw("application/json", gzip)).await.refused(400, "malformed_json");
}
