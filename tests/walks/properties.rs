//! No write takes what is not its own to set.

use super::step::{Step, schema};
use crate::support::*;
use std::collections::BTreeSet;

crate::on_both![every_write_refuses_what_is_not_its_own_to_set];

fn properties(schema: &'static Value) -> BTreeSet<&'static str> {
    schema["properties"].as_object().into_iter().flat_map(|p| p.keys()).map(String::as_str).collect()
}

/// What an operation answers, and whoever knows the program may try, but may not send.
fn foreign(step: &Step) -> BTreeSet<&'static str> {
    let taken = schema(&step.operation["requestBody"]["content"]["application/json"]["schema"]);
    let answers = step.operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'));
    let answered = answers.flat_map(|(_, r)| properties(schema(&r["content"]["application/json"]["schema"])));
    let guessed = [
        "version",
        "created_at",
        "created_by_id",
        "updated_at",
        "updated_by_id",
        "deleted_at",
        "name_key",
        "secret_hash",
        "password_hash",
        "org_id",
        "is_admin",
        "permissions_",
        "available_actions",
        "expanded",
        "__proto__",
        "constructor",
        "$where",
    ];
    let own = properties(taken);
    answered.chain(guessed).filter(|name| !own.contains(name)).collect()
}

async fn every_write_refuses_what_is_not_its_own_to_set(app: App) {
    let before = app.get("/v1/audit-events?count=exact").await.is(200)["total"].clone();
    let (mut walked, mut batches) = (0, 0);
    let steps = Step::all();
    for step in steps.iter().filter(|s| s.operation.get("requestBody").is_some()) {
        let names = foreign(step);
        assert!(names.len() > 10, "{}", step.id);
        for value in [json!(null), json!(1), json!("x")] {
            let body: Value = names.iter().map(|name| ((*name).to_owned(), value.clone())).collect();
            let refused = step.ask(&app, Some(&body)).await.refused(422, "validation_failed");
            for name in &names {
                refused.fault(&format!("/{}", name.replace('~', "~0").replace('/', "~1")), "unknown_field");
            }
        }
        walked += 1;
        // The items of a batch are held to the same: what a create refuses, it refuses.
        let create = step.path.strip_suffix("/batch").and_then(|base| steps.iter().find(|s| s.path == base && s.method == "post"));
        let Some(create) = create.filter(|_| !step.path.contains('{')) else { continue };
        let item: Value = foreign(create).iter().map(|name| ((*name).to_owned(), json!(1))).collect();
        for mode in ["create", "update", "upsert"] {
            let mut item = item.clone();
            if mode != "create" {
                item["id"] = json!(random_id());
            }
            // An item may say which version it means.
            item.as_object_mut().unwrap().remove("version");
            let answer = step.ask(&app, Some(&json!({"mode": mode, "items": [item]}))).await.is(200);
            let error = &answer["results"][0]["error"];
            assert_eq!(error["code"], "validation_failed", "{} {mode}: {}", step.id, answer.text);
            for name in foreign(create).iter().filter(|n| **n != "version") {
                let found = error["errors"].as_array().unwrap().iter().any(|e| e["pointer"] == format!("/{name}"));
                assert!(found, "{} {mode} {name}: {}", step.id, answer.text);
            }
        }
        batches += 1;
    }
    assert!(walked > 80 && batches > 8, "{walked} {batches}");
    assert_eq!(app.get("/v1/audit-events?count=exact").await.is(200)["total"], before);
}
