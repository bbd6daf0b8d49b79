//! Bulk operations: one change to many records, done in the background with the rights of its principal, and reverted.

use crate::support::*;
use futures_util::future::join_all;
use samphan_api::openapi;
use samphan_background::jobs::Job;
use samphan_persistence::{
    jobs::NewJob,
    operations::{self, NewOperation, Plan},
    store::{DatabaseOptions, Store},
};
use samphan_resource::{
    builtin::operation::OperationKind,
    caller::{Caller, CallerKind},
    error::{Code, Result},
};
use samphan_rest::bulk::RunOperation;
use std::sync::Arc;
use uuid::Uuid;

crate::on_both![
    bulk_update_changes_every_record_of_a_filter_once,
    dry_run_tells_how_many_and_keeps_nothing,
    each_record_is_changed_with_the_rights_of_who_asked,
    who_may_not_sign_in_any_more_changes_nothing,
    reverting_puts_back_what_was_not_changed_since,
    records_are_given_to_another_owner_and_back,
    erased_values_are_not_put_back,
    what_an_operation_is_about_is_named_once_and_in_one_way,
    of_many_records_with_one_tax_number_one_gets_it,
    cancelled_operation_changes_nothing_more_until_its_job_is_tried_again,
    operations_are_seen_and_cancelled_as_far_as_reach_goes,
    caller_has_few_operations_open_whatever_the_crowd,
];

async fn finished(app: &App, operation: &Answer) -> Value {
    let path = format!("/v1/operations/{}", operation.id());
    until("the operation is finished", async || !["queued", "running"].contains(&app.get(&path).await.is(200).text_of("status").as_str()))
        .await;
    app.get(&path).await.is(200).body
}

fn counts(operation: &Value) -> [i64; 5] {
    ["total_count", "changed_count", "unchanged_count", "skipped_count", "failed_count"].map(|name| operation[name].as_i64().unwrap())
}

async fn items(app: &App, operation: &Value, outcome: &str) -> Vec<Value> {
    app.all(&format!("/v1/operations/{}/items?outcome={outcome}", operation["id"].as_str().unwrap()), 100).await
}

fn of_grade(grade: &str) -> Value {
    json!({"field": "grade", "op": "eq", "value": grade})
}

async fn customers(app: &App, number: usize, fields: Value) -> Vec<String> {
    let mut ids = vec![];
    for n in 0..number {
        let mut body = json!({"name": format!("Customer {n}")});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        ids.push(app.make("/v1/accounts", body).await["id"].as_str().unwrap().to_owned());
    }
    ids
}

async fn grades(app: &App, grade: &str) -> i64 {
    app.get(&format!("/v1/accounts?grade={grade}&count=exact&limit=1")).await.is(200)["total"].as_i64().unwrap()
}

async fn bulk_update_changes_every_record_of_a_filter_once(app: App) {
    let items_of = |n: usize| json!({"name": format!("Customer {n}"), "grade": if n.is_multiple_of(5) { "B" } else { "A" }});
    let all: Vec<Value> = (0..250).map(items_of).collect();
    app.make_many("/v1/accounts", &all).await;
    let asked = json!({"filter": {"field": "grade", "op": "in", "value": ["A", "B"]}, "patch": {"grade": "B", "tags": ["checked"]}});
    let asked = app.post("/v1/accounts/bulk-update", asked).await.is(202);
    assert_eq!((&asked["kind"], &asked["resource"], &asked["status"]), (&json!("bulk_update"), &json!("accounts"), &json!("queued")));
    assert_eq!(asked["changed_fields"], json!(["grade", "tags"]));
    let done = finished(&app, &asked).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("completed"), [250, 250, 0, 0, 0]));
    assert_eq!(grades(&app, "B").await, 250);
    let updated: Vec<Value> = app.feed().await.into_iter().filter(|c| c["type"] == "account.updated").collect();
    assert_eq!(updated.len(), 250, "each once");
    assert!(updated.iter().all(|c| c["actor"]["kind"] == "user" && c["request_id"] == updated[0]["request_id"]));
    assert_eq!(items(&app, &done, "changed").await.len(), 250);
    let job = app.get(&format!("/v1/jobs/{}", done["job_id"].as_str().unwrap())).await.is(200);
    assert_eq!((&job["progress_done"], &job["progress_total"]), (&json!(250), &json!(250)));
    // What is so already is not written again.
    let again = app.post("/v1/accounts/bulk-update", json!({"filter": of_grade("B"), "patch": {"grade": "B"}})).await.is(202);
    assert_eq!(counts(&finished(&app, &again).await), [250, 0, 250, 0, 0]);
    let told: Vec<Value> = app.feed().await.into_iter().filter(|c| c["type"] == "operation.completed").collect();
    assert_eq!(told.len(), 2);
}

async fn dry_run_tells_how_many_and_keeps_nothing(app: App) {
    customers(&app, 3, json!({"grade": "A"})).await;
    let asked = json!({"filter": of_grade("A"), "patch": {"grade": "B"}});
    assert_eq!(app.post("/v1/accounts/bulk-update?dry_run=true", asked).await.is(202)["total_count"], 3);
    assert_eq!(app.get("/v1/operations").await.is(200)["data"], json!([]));
    assert_eq!(grades(&app, "A").await, 3);
}

async fn each_record_is_changed_with_the_rights_of_who_asked(app: App) {
    let grants = ["accounts:read/all", "accounts:update/own", "operations:create/all", "operations:read/all"];
    let seller = app.person(&grants, &["accounts.payment_terms_days=read_only"], &[]).await;
    let theirs = customers(&app, 2, json!({"grade": "A"})).await;
    customers(&app, 3, json!({"grade": "A", "owner_id": seller.id})).await;
    let update = |filter: Value, patch: Value| seller.app.post("/v1/accounts/bulk-update", json!({"filter": filter, "patch": patch}));
    update(of_grade("A"), json!({"payment_terms_days": 90}))
        .await
        .refused(422, "validation_failed")
        .fault("/patch/payment_terms_days", "protected_field");
    update(of_grade("A"), json!({"owner_id": seller.id})).await.refused(403, "forbidden");
    seller.app.post("/v1/accounts/bulk-assign", json!({"ids": theirs, "owner_id": seller.id})).await.refused(403, "forbidden");
    let done = finished(&seller.app, &update(of_grade("A"), json!({"grade": "B"})).await.is(202)).await;
    assert_eq!(counts(&done), [5, 3, 0, 0, 2]);
    let failed = items(&app, &done, "failed").await;
    assert!(failed.iter().all(|item| item["code"] == "forbidden" && theirs.iter().any(|id| item["record_id"] == **id)), "{failed:?}");
    assert_eq!(grades(&app, "A").await, 2);
    // A rule of the resource that a record breaks fails that record, and says where.
    let ids = json!([theirs[0], random_id()]);
    let done = app.post("/v1/accounts/bulk-update", json!({"ids": ids, "patch": {"parent_id": theirs[0]}})).await.is(202);
    let done = finished(&app, &done).await;
    assert_eq!(counts(&done), [2, 0, 0, 0, 2]);
    let failed = items(&app, &done, "failed").await;
    let circular = failed.iter().find(|item| item["record_id"] == *theirs[0]).unwrap();
    assert_eq!(
        (&circular["code"], &circular["errors"]),
        (&json!("validation_failed"), &json!([{"pointer": "/parent_id", "code": "circular"}]))
    );
    assert!(failed.iter().any(|item| item["code"] == "not_found"));
}

/// Begins an operation that makes the grade of accounts `B`, in Samphan's own name unless its job says otherwise.
async fn begun(app: &App, ids: &[String], of_job: impl FnOnce(NewJob) -> NewJob) -> Answer {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    let id = begin_as(&store, Caller::system(), ids, of_job).await.unwrap();
    app.get(&format!("/v1/operations/{id}")).await.is(200)
}

async fn begin_as(store: &Store, caller: Caller, ids: &[String], of_job: impl FnOnce(NewJob) -> NewJob) -> Result<Uuid> {
    let work = store.work(Arc::new(caller), now()).await?;
    let patch = json!({"grade": "B"}).as_object().unwrap().clone();
    let plan = Plan { ids: ids.iter().map(|id| id.parse().unwrap()).collect(), patch, is_assignment: false, reason: None };
    let (kind, shape, changed_fields) = (OperationKind::BulkUpdate, work.shape("accounts").unwrap(), vec!["grade".to_owned()]);
    let new = NewOperation { kind, shape, plan, changed_fields, reverts_id: None };
    let job = |operation_id| Ok(of_job(RunOperation { operation_id }.enqueued()?));
    match operations::begin(&work, new, job).await {
        Ok(made) => work.commit().await.map(|()| made.id()),
        Err(error) => work.roll_back().await.and(Err(error)),
    }
}

async fn operations_are_seen_and_cancelled_as_far_as_reach_goes(app: App) {
    let grants = ["accounts:*/all", "operations:*/own", "changes:read/all"];
    let (first, second) = (app.person(&grants, &[], &[]).await, app.person(&grants, &[], &[]).await);
    let ids = customers(&app, 1, json!({"grade": "A"})).await;
    let asked = first.app.post("/v1/accounts/bulk-update", json!({"ids": ids, "patch": {"grade": "B"}})).await.is(202);
    assert_eq!(asked["owner_id"], *first.id);
    let done = finished(&first.app, &asked).await;
    let path = format!("/v1/operations/{}", asked.id());
    assert_eq!(second.app.get("/v1/operations").await.is(200)["data"], json!([]));
    for of_it in ["", "/items"] {
        second.app.get(&format!("{path}{of_it}")).await.refused(404, "not_found");
    }
    for action in ["cancel", "revert"] {
        second.app.post(&format!("{path}/{action}"), json!({})).await.refused(404, "not_found");
    }
    assert!(second.app.feed().await.iter().all(|change| change["resource_id"] != done["id"]));
    assert_eq!(items(&first.app, &done, "changed").await.len(), 1);
    // It keeps its owner: nobody has to take it over when the user leaves.
    app.post(&format!("/v1/users/{}/deactivate", first.id), json!({})).await.is(200);
    assert_eq!(app.get(&path).await.is(200)["owner_id"], *first.id);
}

async fn caller_has_few_operations_open_whatever_the_crowd(app: App) {
    let seller = app.person(&["accounts:*/all", "operations:*/own"], &[], &[]).await;
    let caller = || Caller { id: seller.id.parse().unwrap(), kind: CallerKind::User, ..Caller::system() };
    let ids = customers(&app, 1, json!({"grade": "A"})).await;
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 8, full_sync: false };
    let (store, tomorrow) = (Store::open(&opening, openapi::shapes()).await.unwrap(), now().plus_seconds(86_400));
    let begin = async || loop {
        match begin_as(&store, caller(), &ids, |job| job.at(tomorrow)).await {
            Err(error) if error.code == Code::Unavailable => {}
            done => return done,
        }
    };
    let begun = join_all((0..64).map(|_| begin())).await;
    let open: Vec<Uuid> = begun.iter().filter_map(|done| done.as_ref().ok().copied()).collect();
    assert_eq!(i64::try_from(open.len()).unwrap(), operations::MAX_OPEN);
    assert!(begun.iter().filter_map(|done| done.as_ref().err()).all(|error| error.code == Code::RateLimited));
    let ask = || seller.app.post("/v1/accounts/bulk-update", json!({"ids": ids, "patch": {"grade": "B"}}));
    let refused = ask().await.refused(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "10");
    // Others may, and so may the caller once one has ended.
    app.post("/v1/accounts/bulk-update", json!({"ids": ids, "patch": {"grade": "C"}})).await.is(202);
    seller.app.post(&format!("/v1/operations/{}/cancel", open[0]), json!({})).await.is(200);
    ask().await.is(202);
}

async fn who_may_not_sign_in_any_more_changes_nothing(app: App) {
    let seller = app.person(&["accounts:*/all", "operations:*/all"], &[], &[]).await;
    let ids = customers(&app, 2, json!({"grade": "A"})).await;
    app.post(&format!("/v1/users/{}/deactivate", seller.id), json!({})).await.is(200);
    let principal = Some(seller.id.parse().unwrap());
    let asked = begun(&app, &ids, |job| job.on_behalf_of(principal)).await;
    let done = finished(&app, &asked).await;
    assert_eq!(counts(&done), [2, 0, 0, 0, 2]);
    assert_eq!(items(&app, &done, "failed").await[0]["code"], "unauthenticated");
    assert_eq!(grades(&app, "A").await, 2);
}

async fn reverting_puts_back_what_was_not_changed_since(app: App) {
    let ids = customers(&app, 4, json!({"grade": "A", "tags": ["old"], "description": "As it was."})).await;
    let asked = json!({"ids": ids, "patch": {"grade": "B", "tags": ["new"], "description": null}});
    let done = finished(&app, &app.post("/v1/accounts/bulk-update", asked).await.is(202)).await;
    assert_eq!(counts(&done), [4, 4, 0, 0, 0]);
    let path = |id: &str| format!("/v1/accounts/{id}");
    // Changed since: the same field, another field, and gone.
    app.patch(&path(&ids[0]), json!({"grade": "C"})).await.is(200);
    app.patch(&path(&ids[1]), json!({"name": "Another name"})).await.is(200);
    app.delete(&path(&ids[2])).await.is(204);
    let reverting = app.post(&format!("/v1/operations/{}/revert", done["id"].as_str().unwrap()), json!({})).await.is(200);
    assert_eq!((&reverting["kind"], &reverting["reverts_id"]), (&json!("revert"), &done["id"]));
    let reverted = finished(&app, &reverting).await;
    assert_eq!(counts(&reverted), [4, 2, 0, 1, 1]);
    assert_eq!(items(&app, &reverted, "skipped").await[0]["code"], "changed_since");
    assert_eq!(items(&app, &reverted, "failed").await[0]["code"], "not_found");
    let first = app.get(&path(&ids[0])).await.is(200);
    assert_eq!((&first["grade"], &first["tags"], &first["description"]), (&json!("C"), &json!(["new"]), &json!(null)));
    for id in [&ids[1], &ids[3]] {
        let back = app.get(&path(id)).await.is(200);
        assert_eq!((&back["grade"], &back["tags"], &back["description"]), (&json!("A"), &json!(["old"]), &json!("As it was.")));
    }
    assert_eq!(app.get(&path(&ids[1])).await.is(200)["name"], "Another name");
    // Again, there is nothing left to put back; and what put it back can be reverted itself.
    let again = app.post(&format!("/v1/operations/{}/revert", done["id"].as_str().unwrap()), json!({})).await.is(200);
    assert_eq!(counts(&finished(&app, &again).await), [4, 0, 2, 1, 1]);
    let redone = app.post(&format!("/v1/operations/{}/revert", reverted["id"].as_str().unwrap()), json!({})).await.is(200);
    assert_eq!(counts(&finished(&app, &redone).await), [2, 2, 0, 0, 0]);
    assert_eq!(app.get(&path(&ids[3])).await.is(200)["grade"], "B");
}

async fn records_are_given_to_another_owner_and_back(app: App) {
    let (before, after) = (app.person(&["contacts:*/own"], &[], &[]).await, app.person(&["contacts:*/own"], &[], &[]).await);
    let mut ids = vec![];
    for name in ["Malee", "Niran"] {
        let body = json!({"first_name": name, "last_name": "Srisuk", "owner_id": before.id});
        ids.push(app.make("/v1/contacts", body).await["id"].as_str().unwrap().to_owned());
    }
    let asked = json!({"ids": ids, "owner_id": after.id, "reason": "New territory"});
    let done = finished(&app, &app.post("/v1/contacts/bulk-assign", asked).await.is(202)).await;
    assert_eq!((&done["kind"], counts(&done)), (&json!("bulk_assign"), [2, 2, 0, 0, 0]));
    let seen = async |app: &App| app.get("/v1/search?q=srisuk").await.is(200)["data"].as_array().unwrap().len();
    assert_eq!((seen(&before.app).await, seen(&after.app).await), (0, 2));
    assert!(app.feed().await.iter().filter(|c| c["reason"] == "New territory").count() == 2);
    let reverting = app.post(&format!("/v1/operations/{}/revert", done["id"].as_str().unwrap()), json!({})).await.is(200);
    assert_eq!(counts(&finished(&app, &reverting).await), [2, 2, 0, 0, 0]);
    assert_eq!((seen(&before.app).await, seen(&after.app).await), (2, 0));
    // Accounts have an event of their own for it.
    let account = app.account("A").await;
    let asked = json!({"ids": [account], "owner_id": after.id});
    finished(&app, &app.post("/v1/accounts/bulk-assign", asked).await.is(202)).await;
    assert!(app.feed().await.iter().any(|c| c["type"] == "account.assigned" && c["resource_id"] == *account));
}

async fn erased_values_are_not_put_back(app: App) {
    let person = json!({"first_name": "Malee", "last_name": "Srisuk", "job_title": "Buyer"});
    let id = app.post("/v1/contacts", person).await.is(201).id();
    let asked = json!({"ids": [id], "patch": {"first_name": "Mali", "job_title": "Manager"}});
    let done = finished(&app, &app.post("/v1/contacts/bulk-update", asked).await.is(202)).await;
    let request = json!({"kind": "erasure", "resource": "contacts", "record_id": id});
    let request = app.post("/v1/privacy-requests", request).await.is(201).id();
    app.post(&format!("/v1/privacy-requests/{request}/verify"), json!({"evidence": "passport"})).await.is(200);
    app.post(&format!("/v1/privacy-requests/{request}/fulfil"), json!({})).await.is(200);
    let reverting = app.post(&format!("/v1/operations/{}/revert", done["id"].as_str().unwrap()), json!({})).await.is(200);
    finished(&app, &reverting).await;
    let left = app.get(&format!("/v1/contacts/{id}")).await.is(200);
    assert!(!left.text.contains("Malee") && !left.text.contains("Mali"), "{}", left.text);
    let work = app.work().await;
    let (id, records) = (done["id"].as_str().unwrap().parse().unwrap(), [id.parse().unwrap()]);
    let images = operations::before_images(&work, id, &records).await.unwrap();
    assert!(images.values().all(|image| !image.before.contains_key("first_name")), "{images:?}");
}

async fn what_an_operation_is_about_is_named_once_and_in_one_way(app: App) {
    let id = app.account("A").await;
    let update = |body: Value| app.post("/v1/accounts/bulk-update", body);
    update(json!({"patch": {"grade": "A"}})).await.refused(422, "validation_failed").fault("/filter", "required");
    let both = json!({"ids": [id], "filter": of_grade("A"), "patch": {"grade": "A"}});
    update(both).await.refused(422, "validation_failed").fault("/filter", "required");
    update(json!({"ids": [id], "patch": {}})).await.refused(422, "validation_failed").fault("/patch", "required");
    update(json!({"ids": [id], "patch": {"grad": "A"}})).await.refused(422, "validation_failed").fault("/patch/grad", "unknown_field");
    update(json!({"filter": {"field": "grad", "op": "eq", "value": "A"}, "patch": {"grade": "A"}})).await.refused(400, "invalid_filter");
    update(json!({"ids": [id], "patch": {"parent_id": random_id()}}))
        .await
        .refused(422, "validation_failed")
        .fault("/patch/parent_id", "unknown_reference");
    let assigned = json!({"ids": [id], "owner_id": random_id()});
    app.post("/v1/accounts/bulk-assign", assigned).await.refused(422, "validation_failed").fault("/owner_id", "unknown_reference");
    let done = finished(&app, &update(json!({"ids": [id, id], "patch": {"grade": "A"}})).await.is(202)).await;
    assert_eq!(counts(&done), [1, 1, 0, 0, 0]);
    app.post("/v1/accounts/bulk-assign", json!({"ids": [id]})).await.refused(422, "validation_failed").fault("/owner_id", "required");
}

async fn of_many_records_with_one_tax_number_one_gets_it(app: App) {
    let ids = customers(&app, 3, json!({"country": "TH"})).await;
    let asked = json!({"ids": ids, "patch": {"tax_id": "0105536000003", "branch_code": "00000"}});
    let done = finished(&app, &app.post("/v1/accounts/bulk-update", asked).await.is(202)).await;
    assert_eq!(counts(&done), [3, 1, 0, 0, 2]);
    assert!(items(&app, &done, "failed").await.iter().all(|item| item["code"] == "possible_duplicate"));
}

async fn cancelled_operation_changes_nothing_more_until_its_job_is_tried_again(app: App) {
    let ids = customers(&app, 3, json!({"grade": "A"})).await;
    let admin = app.get("/v1/me").await.is(200)["id"].as_str().unwrap().parse().unwrap();
    let tomorrow = now().plus_seconds(86_400);
    let waiting = begun(&app, &ids, |job| job.at(tomorrow).on_behalf_of(Some(admin))).await;
    let path = format!("/v1/operations/{}", waiting.id());
    assert_eq!(waiting["available_actions"], json!(["cancel"]));
    let cancelled = app.post(&format!("{path}/cancel"), json!({})).await.is(200);
    assert_eq!((&cancelled["status"], cancelled["finished_at"].is_string()), (&json!("cancelled"), true));
    let job = format!("/v1/jobs/{}", waiting.text_of("job_id"));
    assert_eq!(app.get(&job).await.is(200)["status"], "cancelled");
    app.post(&format!("{path}/cancel"), json!({})).await.refused(409, "illegal_transition");
    let reverted = app.post(&format!("{path}/revert"), json!({})).await.is(200);
    assert_eq!(counts(&finished(&app, &reverted).await), [0, 0, 0, 0, 0], "it had changed nothing");
    assert_eq!(grades(&app, "A").await, 3);
    // What the job says holds for the operation.
    app.post(&format!("{job}/retry"), json!({})).await.is(200);
    let done = finished(&app, &waiting).await;
    assert_eq!((&done["status"], counts(&done)), (&json!("completed"), [3, 3, 0, 0, 0]));
    let told: Vec<Value> = app.feed().await.into_iter().filter(|c| c["resource_id"] == waiting["id"]).map(|c| c["type"].clone()).collect();
    assert_eq!(told, [json!("operation.created"), json!("operation.cancelled"), json!("operation.completed")]);
}
