//! Fields that stay as they were made.

use super::plans;
use crate::support::{contract::document, *};
use samphan_persistence::{record, stored};
use samphan_resource::{builtin::custom_field::CustomField, resource::Resource};
use uuid::Uuid;

crate::on_both![fixed_fields_are_taken_by_a_create_only, rules_cannot_change_a_fixed_field_either];

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// Each resource with fixed fields: its path, a body that makes one, another value for each fixed field, and a change of something else.
async fn cases(app: &App) -> Vec<(&'static str, Value, Value, Value)> {
    let (account, other) = (app.account("A").await, app.account("B").await);
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    vec![
        (
            "custom-fields",
            json!({"resource": "accounts", "key": "a", "label": "A", "type": "text"}),
            json!({"resource": "contacts", "key": "b", "type": "number"}),
            json!({"label": "B"}),
        ),
        ("external-systems", json!({"code": "crm", "name": "CRM", "kind": "erp"}), json!({"code": "crm2"}), json!({"name": "Other"})),
        (
            "external-references",
            json!({"system": "erp", "resource": "accounts", "record_id": account, "external_id": "C-1"}),
            json!({"resource": "contacts"}),
            json!({"external_id": "C-2"}),
        ),
        ("consent-purposes", json!({"key": "news", "name": "News"}), json!({"key": "offers"}), json!({"name": "Newsletter"})),
        (
            "account-relationships",
            json!({"from_account_id": account, "to_account_id": other, "kind": "supplier"}),
            json!({"from_account_id": app.account("C").await, "to_account_id": app.account("D").await}),
            json!({"note": "Tins"}),
        ),
    ]
}

async fn fixed_fields_are_taken_by_a_create_only(app: App) {
    let mut walked = vec![];
    for (path, body, others, change) in cases(&app).await {
        let path = format!("/v1/{path}");
        let made = app.make(&path, body.clone()).await;
        let one = format!("{path}/{}", id(&made));
        let batch = async |item: Value| {
            let mut item = item;
            item["id"] = made["id"].clone();
            app.post(&format!("{path}/batch"), json!({"mode": "update", "items": [item]})).await.is(200)["results"][0].clone()
        };
        let patch = &document()["paths"][format!("{path}/{{id}}")]["patch"]["requestBody"]["content"]["application/merge-patch+json"];
        let patch = patch["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let schema = |name: &str| &document()["components"]["schemas"][name]["properties"];
        let kind = patch.strip_suffix("Patch").unwrap();
        for (field, other) in others.as_object().unwrap() {
            let pointer = format!("/{field}");
            app.patch(&one, json!({field: other})).await.refused(422, "validation_failed").fault(&pointer, "unknown_field");
            let refused = batch(json!({field: other})).await;
            let faults = refused["error"]["errors"].as_array().unwrap();
            assert!(faults.iter().any(|fault| fault["pointer"] == pointer && fault["code"] == "not_allowed"), "{refused}");
            // The same again is no change.
            assert_eq!(batch(json!({field: made[field]})).await["status"], "unchanged");
            assert!(schema(patch)[field].is_null(), "{patch}.{field}");
            for form in ["Input", "BatchItem"] {
                let words = schema(&format!("{kind}{form}"))[field]["description"].as_str().unwrap().to_owned();
                assert!(words.ends_with(" It stays as it was made."), "{kind}{form}.{field}: {words}");
            }
            walked.push(format!("{kind}.{field}"));
        }
        assert_eq!(app.patch(&one, change).await.is(200)["version"], 2);
    }
    let shapes = samphan_api::openapi::api().shapes;
    let all = shapes.values().flat_map(|s| s.fields.iter().filter(|f| f.fixed).map(|f| format!("{}.{}", s.type_name, f.name)));
    assert_eq!(std::collections::BTreeSet::from_iter(walked), all.collect(), "every fixed field is tried");
}

/// A hook or a job that would change it is refused as a client is.
async fn rules_cannot_change_a_fixed_field_either(app: App) {
    let field = app.make("/v1/custom-fields", json!({"resource": "accounts", "key": "a", "label": "A", "type": "text"})).await;
    let work = plans::work(&app).await;
    let shape = work.shape(CustomField::PLURAL).unwrap();
    let before = record::find(&work, shape, Uuid::parse_str(&id(&field)).unwrap(), None, "update").await.unwrap();
    let before = stored::Stored::<CustomField>::of(before).unwrap();
    let mut after = before.clone();
    after.data.key = "b".to_owned();
    let refused = stored::save(&work, &before, after, "updated", None).await.unwrap_err();
    assert_eq!(refused.errors[0].pointer, "/key");
}
