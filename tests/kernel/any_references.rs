//! References to a record of any of several resources: checked on every way in, answered by `expand`, and known to the rules on deletion.

use crate::support::*;
use reqwest::Method;
use samphan_persistence::{
    record,
    relations::{self, use_statements},
};
use samphan_resource::reference::{OnDelete, Reference, Target};
use uuid::Uuid;

crate::on_both![
    named_record_must_be_there_on_every_way_in,
    unseen_record_is_refused_as_one_that_never_was,
    deleted_record_is_named_where_that_is_said_only,
    record_is_answered_by_expand,
    record_that_is_named_is_kept_as_the_rule_says,
];

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

async fn named_record_must_be_there_on_every_way_in(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    let account = app.account("A").await;
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somying"})).await);
    let body = |resource: &str, id: &str, name: &str| json!({"system": "erp", "resource": resource, "record_id": id, "external_id": name});
    let path = "/v1/external-references";
    let gone = app.account("Gone").await;
    app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
    for (resource, record, place, code) in [
        ("accounts", random_id(), "/record_id", "unknown_reference"),
        ("accounts", gone.clone(), "/record_id", "unknown_reference"),
        // The id of another kind of record is none of this.
        ("accounts", contact.clone(), "/record_id", "unknown_reference"),
        ("carts", account.clone(), "/resource", "unknown_value"),
        ("tags", account.clone(), "/resource", "unknown_value"),
    ] {
        let wrong = body(resource, &record, "X");
        let refused = app.post(path, wrong.clone()).await.refused(422, "validation_failed");
        let fault = refused.fault(place, code);
        if code == "unknown_value" {
            assert!(fault["allowed"].as_array().unwrap().contains(&json!("accounts")), "{fault}");
        }
        let batch = app.post(&format!("{path}/batch"), json!({"mode": "create", "items": [wrong]})).await.is(200);
        let fault = &batch["results"][0]["error"]["errors"][0];
        assert_eq!((&fault["pointer"], &fault["code"]), (&json!(place), &json!(code)), "{}", batch.text);
    }
    let made = app.make(path, body("accounts", &account, "C-1")).await;
    let one = format!("{path}/{}", id(&made));
    app.patch(&one, json!({"record_id": contact})).await.refused(422, "validation_failed").fault("/record_id", "unknown_reference");
    let update = json!({"mode": "update", "items": [{"id": made["id"], "record_id": gone}]});
    let batch = app.post(&format!("{path}/batch"), update).await.is(200);
    assert_eq!(batch["results"][0]["error"]["errors"][0]["code"], "unknown_reference", "{}", batch.text);
    let other = app.account("B").await;
    app.patch(&one, json!({"record_id": other})).await.is(200);
    // What a record is called elsewhere comes back with it, and not without it.
    app.delete(&one).await.is(204);
    app.delete(&format!("/v1/accounts/{other}")).await.is(204);
    let restore = || app.ask(Method::POST, &format!("{one}/restore"));
    restore().await.refused(422, "validation_failed").fault("/record_id", "unknown_reference");
    app.ask(Method::POST, &format!("/v1/accounts/{other}/restore")).await.is(200);
    assert_eq!(restore().await.is(200)["record_id"], json!(other));
    // A caller may name what it makes in the same request, be it seen afterwards or not.
    let maker = app.person(&["accounts:create/all", "accounts:update/all", "external-references:create/all"], &[], &[]).await.app;
    maker.put("/v1/accounts/by-external-id/erp/C-2", json!({"name": "C"})).await.is(201);
}

async fn unseen_record_is_refused_as_one_that_never_was(app: App) {
    let account = app.account("Unseen").await;
    let stock = ["stock-reservations:*/all", "stock-levels:read/all"];
    let seller = app.person(&[&stock[..], &["accounts:read/own"]].concat(), &[], &[]).await.app;
    let product = id(&app.make("/v1/products", json!({"sku": "TEA", "name": "Tea"})).await);
    let warehouse = id(&app.make("/v1/warehouses", json!({"code": "W", "name": "W"})).await);
    let ask = |by: &App, id: &str| {
        let body =
            json!({"product_id": product, "warehouse_id": warehouse, "quantity": "1", "source_resource": "accounts", "source_id": id});
        by.post("/v1/stock-reservations", body)
    };
    let mut faults = vec![];
    for id in [account.clone(), random_id()] {
        faults.push(ask(&seller, &id).await.refused(422, "validation_failed").fault("/source_id", "unknown_reference").clone());
    }
    assert_eq!(faults[0], faults[1]);
    // Without the permission no record is found, whichever is named: that is said.
    let keeper = app.person(&stock, &[], &[]).await.app;
    assert_eq!(ask(&keeper, &account).await.refused(403, "forbidden")["allowed"], json!(["accounts:read"]));
}

async fn deleted_record_is_named_where_that_is_said_only(app: App) {
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somying"})).await);
    app.delete(&format!("/v1/contacts/{contact}")).await.is(204);
    let ask = |resource: &str, id: &str| app.post("/v1/privacy-requests", json!({"kind": "access", "resource": resource, "record_id": id}));
    ask("contacts", &contact).await.is(201);
    ask("contacts", &random_id()).await.refused(422, "validation_failed").fault("/record_id", "unknown_reference");
    ask("orders", &contact).await.refused(422, "validation_failed").fault("/resource", "unknown_value");
}

async fn record_is_answered_by_expand(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    let account = app.account("A").await;
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somying"})).await);
    let mut made = vec![];
    for (resource, record) in [("accounts", &account), ("contacts", &contact)] {
        let body = json!({"system": "erp", "resource": resource, "record_id": record, "external_id": resource});
        made.push(id(&app.make("/v1/external-references", body).await));
    }
    let page = app.get("/v1/external-references?expand=record&sort=id").await.is(200);
    let names = |record: &Value| (record["expanded"]["record"]["id"].clone(), record["expanded"]["record"]["version"].is_number());
    assert_eq!(page["data"].as_array().unwrap().iter().map(names).collect::<Vec<_>>(), [(json!(account), true), (json!(contact), true)]);
    let chosen = app.get(&format!("/v1/external-references/{}?expand=record", made[1])).await.is(200);
    assert_eq!(chosen["expanded"]["record"]["first_name"], "Somying");
    assert_eq!(ids(&app.get(&format!("/v1/external-references?record_id={contact}")).await.is(200)), [made[1].clone()]);
    // Of a record that is gone, or of a resource the caller may not read, there is nothing to answer.
    app.delete(&format!("/v1/contacts/{contact}")).await.is(204);
    let gone = app.get(&format!("/v1/external-references/{}?expand=record", made[1])).await.is(200);
    assert_eq!(gone["expanded"], json!({"record": null}));
    app.get("/v1/external-references?expand=recrod").await.refused(400, "invalid_query").fault("?expand", "unknown_field");
    let hidden = app.person(&["*:*/all"], &["external_references.record_id=hidden"], &[]).await.app;
    hidden.get("/v1/external-references?expand=record").await.refused(400, "invalid_query").fault("?expand", "hidden_field");
    // Of the ledger, too, which names reservations and shipments.
    app.get("/v1/stock-movements?expand=source").await.is(200);
}

async fn record_that_is_named_is_kept_as_the_rule_says(app: App) {
    let tea = id(&app.make("/v1/products", json!({"sku": "TEA", "name": "Tea"})).await);
    let warehouse = id(&app.make("/v1/warehouses", json!({"code": "W", "name": "W"})).await);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "W", "lines": [{"sku": "TEA", "quantity": "9"}]})).await.is(201);
    let [account, other] = [app.account("A").await, app.account("B").await];
    let body = json!({"product_id": tea, "warehouse_id": warehouse, "quantity": "1", "source_resource": "accounts", "source_id": account});
    let made = id(&app.make("/v1/stock-reservations", body).await);
    let work = super::plans::work(&app).await;
    let [accounts, reservations] = ["accounts", "stock_reservations"].map(|many| work.shape(many).unwrap());
    let found = async |named: &str, many: &'static str, on_delete: OnDelete| {
        let any = reservations.any_references[0];
        let rule = Reference { path: any.id, target: Target::Any(any), key: "id", is_written: true, is_column: true, on_delete };
        let rule: &'static Reference = Box::leak(Box::new(rule));
        let target = work.shape(many).unwrap();
        assert!(rule.target.includes(target));
        let record = record::Record::from_iter([("id".to_owned(), json!(named))]);
        let mut all: Vec<Uuid> = vec![];
        for (statement, _) in use_statements(&work, target, &record, &[(reservations, rule)]) {
            all.extend(work.fetch(statement, |row| row.id(1)).await.unwrap());
        }
        all.iter().map(Uuid::to_string).collect::<Vec<_>>()
    };
    assert_eq!(found(&account, "accounts", OnDelete::Refuse).await, std::slice::from_ref(&made));
    assert_eq!(found(&account, "accounts", OnDelete::RefuseIn(&["active", "expired"])).await, [made]);
    assert!(found(&account, "accounts", OnDelete::RefuseIn(&["released"])).await.is_empty());
    assert!(found(&account, "orders", OnDelete::Refuse).await.is_empty(), "the id of an account is no order's");
    assert!(found(&other, "accounts", OnDelete::Refuse).await.is_empty());
    // The rule of reservations: the reference stays as history.
    let account = Uuid::parse_str(&account).unwrap();
    let account = record::find(&work, accounts, account, None, "delete").await.unwrap();
    relations::check_deleted(&work, accounts, &account).await.unwrap();
}
