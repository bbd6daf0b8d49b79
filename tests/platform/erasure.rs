//! What the register of processing says of a field is what an erasure does to it: for every resource, whichever reference names the
//! person, those to come included.

use super::privacy::{act, erase, verified};
use crate::support::*;
use samphan_api::openapi;
use samphan_persistence::store::{Shapes, Work};
use samphan_resource::{
    scalar::{Kind, Scalar, date},
    shape::{Field, Shape},
};
use std::collections::BTreeMap;
use uuid::Uuid;

crate::on_both![erased_contact_is_nowhere_in_orders_and_promises, register_is_what_an_erasure_does];

async fn erased_contact_is_nowhere_in_orders_and_promises(app: App) {
    let shop = crate::sales::Shop::open(&app).await;
    drop(shop);
    let account = app.all("/v1/accounts", 50).await[0]["id"].clone();
    let contact = app.make("/v1/contacts", json!({"first_name": "Wilawan"})).await["id"].as_str().unwrap().to_owned();
    let home = json!({"name": "Wilawan", "line1": "9 Wilawan Road"});
    let lines = json!([{"sku": "TEA", "quantity": "1"}]);
    let order = json!({"account_id": account, "contact_id": contact, "note": "for Wilawan", "shipping_address": home, "lines": lines});
    let order = app.post("/v1/orders", order).key("order").await.is(201).id();
    let promise = json!({"account_id": account, "contact_id": contact, "shipping_address": home, "lines": lines});
    let promise = app.post("/v1/order-promises", promise).key("promise").await.is(201).id();
    let shipped = json!({"account_id": account, "contact_id": contact, "note": "for Wilawan", "shipping_address": home, "lines": lines});
    let shipped = app.post("/v1/orders", shipped).await.is(201).id();
    for verb in ["submit", "confirm"] {
        app.post(&format!("/v1/orders/{shipped}/{verb}"), json!({})).await.is(200);
    }
    let shipment = app.post(&format!("/v1/orders/{shipped}/create-shipment"), json!({})).await.is(201);
    let note = json!({"note": "ring for Wilawan"});
    app.patch(&format!("/v1/shipments/{}", shipment.id()), note).if_match(shipment.version()).await.is(200);
    app.post(&format!("/v1/orders/{order}/cancel"), json!({"reason": "Wilawan moved"})).await.is(200);
    // Access shows what an erasure takes.
    let request = verified(&app, "access", "contacts", &contact).await.id();
    let export = act(&app, &request, "export", json!({})).await.is(200);
    let mut of: BTreeMap<&str, usize> = BTreeMap::new();
    for item in export["items"].as_array().unwrap() {
        *of.entry(item["resource"].as_str().unwrap()).or_default() += 1;
    }
    for (resource, many) in [("orders", 2), ("order_promises", 1), ("shipments", 1)] {
        assert_eq!(of.get(resource), Some(&many), "{of:?}");
    }
    erase(&app, "contacts", &contact).await;
    let found = app.dump().await;
    assert!(found.tables_with("Wilawan").is_empty(), "{:?}", found.tables_with("Wilawan"));
    let after = app.get(&format!("/v1/orders/{order}")).await.is(200);
    assert_eq!((&after["note"], &after["shipping_address"], &after["contact_id"]), (&Value::Null, &Value::Null, &json!(contact)));
    assert_eq!(app.get(&format!("/v1/order-promises/{promise}")).await.is(200)["shipping_address"], Value::Null);
    let body = json!({"account_id": account, "contact_id": contact, "note": "for Wilawan", "shipping_address": home, "lines": lines});
    app.post("/v1/orders", body).key("order").await.refused(409, "conflict");
}

/// The field of a resource, and where it points at through another one, the field of that.
fn way(shapes: &Shapes, shape: &'static Shape, name: &'static str) -> (&'static Shape, &'static str, Option<&'static str>) {
    match name.split_once('.') {
        None => (shape, name, None),
        Some((field, beyond)) => (shapes[shape.field(field).unwrap().reference.unwrap()], beyond, Some(field)),
    }
}

/// Whether a field names persons of a resource.
fn names(shapes: &Shapes, shape: &Shape, field: &str, person: &str) -> bool {
    match shape.field(field).and_then(|f| f.reference) {
        _ if field == "id" => shape.plural == person,
        Some(many) => many == person,
        None => shape.any_reference(field).is_some_and(|any| any.targets.names(shapes.values()).contains(&person)),
    }
}

/// What stands in a field that must be found no more.
fn mark(field: &Field, mark: &str) -> Scalar {
    let text = Scalar::Text;
    match field.kind {
        Kind::Text if field.schema["pattern"].as_str().is_some_and(|p| p.contains('@')) => text(format!("{mark}@mark.example")),
        Kind::Text if field.name == "time_zone" => text("Asia/Bangkok".to_owned()),
        Kind::Text if field.options.is_empty() => text(mark.to_owned()),
        Kind::Text => text(field.options[0].clone()),
        Kind::Json => match (field.schema["type"].to_string().contains("array"), field.schema["items"]["type"] == "string") {
            (true, true) => text(json!([mark]).to_string()),
            (true, false) => text("[]".to_owned()),
            _ if field.name == "custom" => text(json!({ mark: mark }).to_string()),
            _ => text(json!({"name": mark, "line1": mark}).to_string()),
        },
        Kind::Int => Scalar::Int(3),
        Kind::Date => Scalar::Date(date("1971-03-05").unwrap()),
        _ => Scalar::Null,
    }
}

async fn set(work: &Work, shape: &'static Shape, field: &'static str, value: (Kind, Scalar), id: Uuid) {
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.plural).push(" SET \"").push(field).push("\" = ").bind(value.0, value.1).push(" WHERE id = ").id(id);
    let changed = work.execute(sql).await.unwrap_or_else(|error| panic!("{}.{field}: {error:?}", shape.plural));
    assert_eq!(changed, 1);
}

/// The first record that names another in a field.
async fn naming(work: &Work, from: &'static str, field: &'static str, id: Uuid) -> Option<Uuid> {
    let mut sql = work.sql();
    sql.push("SELECT id FROM ").push(from).push(" WHERE \"").push(field).push("\" = ").id(id).push(" ORDER BY id LIMIT 1");
    work.fetch_one(sql, |row| row.id(0)).await.unwrap()
}

async fn one_id(work: &Work, from: &'static str, and: &'static str) -> Uuid {
    let mut sql = work.sql();
    sql.push("SELECT id FROM ").push(from).push(" ").push(and).push(" ORDER BY id LIMIT 1");
    work.fetch_one(sql, |row| row.id(0)).await.unwrap().unwrap_or_else(|| panic!("the demo company has one of {from}"))
}

async fn register_is_what_an_erasure_does(app: App) {
    app.demo_company().await;
    let register = app.get("/v1/processing-register").await.is(200);
    let register = register["fields"].as_array().unwrap();
    let shapes: &'static Shapes = Box::leak(Box::new(openapi::api().shapes));
    let mut walked = 0;
    for (person, and) in [
        ("contacts", "WHERE deleted_at IS NULL"),
        ("accounts", "WHERE deleted_at IS NULL"),
        ("users", "WHERE deleted_at IS NULL AND email NOT LIKE 'admin%'"),
    ] {
        let work = app.work().await;
        let id = one_id(&work, person, and).await;
        if person == "accounts" {
            let mut sql = work.sql();
            sql.push("UPDATE orders SET status = 'closed'");
            work.execute(sql).await.unwrap();
            let mut sql = work.sql();
            sql.push("UPDATE order_promises SET status = 'released'");
            work.execute(sql).await.unwrap();
            set(&work, shapes["accounts"], "legal_form", (Kind::Text, Scalar::Text("individual".to_owned())), id).await;
        }
        // Each resource that can name such a person has a record that does, in each way, with a mark in each field.
        let mut marked: Vec<(&'static Shape, Uuid)> = vec![];
        for shape in shapes.values().copied().filter(|shape| shape.plural != "privacy_requests") {
            for name in shape.data_subject.iter().copied() {
                let (other, field, through) = way(shapes, shape, name);
                if !names(shapes, other, field, person) || !shape.fields.iter().any(Field::is_erased) {
                    continue;
                }
                // Where a person has only one of its kind, that one.
                let is_only = through.is_none() && shape.unique.iter().any(|set| set.contains(&field));
                let own = if is_only { naming(&work, shape.plural, field, id).await } else { None };
                let record = match (name, own) {
                    ("id", _) => id,
                    (_, Some(own)) => own,
                    _ => one_id(&work, shape.plural, "").await,
                };
                if let Some(reference) = through {
                    let mut sql = work.sql();
                    sql.push("SELECT ").push(reference).push(" FROM ").push(shape.plural).push(" WHERE id = ").id(record);
                    let parent = work.fetch_one(sql, |row| row.id(0)).await.unwrap().unwrap();
                    set(&work, other, field, (Kind::Id, Scalar::Id(id)), parent).await;
                } else if field != "id" {
                    set(&work, shape, field, (Kind::Id, Scalar::Id(id)), record).await;
                    if let Some(any) = shape.any_reference(field) {
                        set(&work, shape, any.resource, (Kind::Text, Scalar::Text(person.to_owned())), record).await;
                    }
                }
                for f in shape.fields.iter().filter(|f| f.privacy_category.is_some()) {
                    let value = mark(f, &format!("mark-{}-{}", shape.plural, f.name));
                    set(&work, shape, f.name, (f.kind, value), record).await;
                }
                marked.push((shape, record));
            }
        }
        work.commit().await.unwrap();
        erase(&app, person, &id.to_string()).await;
        let dump = app.dump().await;
        for (shape, record) in marked {
            for f in shape.fields.iter().filter(|f| f.privacy_category.is_some()) {
                let row = register.iter().find(|row| row["resource"] == shape.plural && row["field"] == f.name);
                let row = row.unwrap_or_else(|| panic!("{}.{} is in the register", shape.plural, f.name));
                let mark = format!("mark-{}-{}", shape.plural, f.name);
                let found = dump.tables_with(&mark);
                // What a customer is called elsewhere stays with the customer's own record.
                if row["on_erasure"] == "erased" && !(person == "accounts" && shape.plural == "external_references") {
                    assert!(found.is_empty(), "{person}: {mark} in {found:?} ({record})");
                } else if f.kind == Kind::Text && f.options.is_empty() {
                    assert!(found.contains(&shape.plural), "{person}: {mark} is retained");
                }
                walked += 1;
            }
        }
    }
    assert!(walked > 60, "{walked}");
}
