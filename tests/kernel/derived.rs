//! Fields that repeat a field of another record.

use crate::support::{contract::document, *};
use samphan_api::openapi;
use samphan_domain::{
    id::AccountId,
    sales::{order::Order, order_hold::OrderHold, shipment::Shipment},
};
use samphan_persistence::{
    record,
    store::{DatabaseOptions, Store, Work},
    stored,
};
use samphan_resource::{caller::Caller, resource::Resource, scalar::Scalar};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use uuid::Uuid;

crate::on_both![derived_fields_are_those_of_the_record_named, derived_field_follows_and_is_restored_as_it_is_by_then];

/// A work that knows every resource.
async fn work(app: &App) -> Work {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    store.work(Arc::new(Caller::system()), now()).await.unwrap()
}

/// Every field derived, in the demo company.
async fn derived_fields_are_those_of_the_record_named(app: App) {
    app.demo_company().await;
    let work = work(&app).await;
    let (mut compared, mut declared) = (BTreeSet::new(), BTreeSet::new());
    for shape in openapi::shapes().values() {
        for derived in shape.derived {
            let source = work.shape(shape.field(derived.reference).unwrap().reference.unwrap()).unwrap();
            assert_eq!(
                shape.field(derived.field).unwrap().kind,
                source.field(derived.from).unwrap().kind,
                "{}.{}",
                shape.plural,
                derived.field
            );
            let published = &document()["components"]["schemas"][shape.type_name]["properties"][derived.field];
            assert_eq!(published["x-derived-from"], derived.describe());
            declared.insert((shape.plural, derived.field));
            let records = work.fetch(record::select(&work, shape), |row| record::read(shape, row)).await.unwrap();
            let sources = work.fetch(record::select(&work, source), |row| record::read(source, row)).await.unwrap();
            let by_id: BTreeMap<&str, &Value> = sources.iter().map(|r| (r["id"].as_str().unwrap(), &r[derived.from])).collect();
            for record in &records {
                let Some(named) = record[derived.reference].as_str() else { continue };
                assert_eq!(record[derived.field], *by_id[named], "{}.{}", shape.plural, derived.field);
                compared.insert((shape.plural, derived.field));
            }
        }
    }
    assert!(compared == declared && !declared.is_empty(), "{compared:?} of {declared:?}");
}

async fn derived_field_follows_and_is_restored_as_it_is_by_then(app: App) {
    app.demo_company().await;
    let work = work(&app).await;
    let hold = work.fetch(record::select(&work, work.shape(OrderHold::PLURAL).unwrap()), |row| row.id(0)).await.unwrap()[0];
    let find = async |id: Uuid| stored::find_one_by::<OrderHold>(&work, "id", Scalar::Id(id)).await.unwrap().unwrap();
    let before = find(hold).await;
    let order = stored::find_one_by::<Order>(&work, "id", Scalar::Id(before.data.order_id.0)).await.unwrap().unwrap();
    let others = work.fetch(record::select(&work, work.shape("accounts").unwrap()), |row| row.id(0)).await.unwrap();
    let other = others.into_iter().map(AccountId).find(|id| *id != order.data.account_id).unwrap();
    // What is made says another account than its order's: it is not believed.
    let mut draft = before.data.clone();
    draft.account_id = other;
    let second = stored::insert(&work, stored::Stored::draft(draft)).await.unwrap();
    assert_eq!(second.data.account_id, order.data.account_id);
    record::delete(&work, work.shape(OrderHold::PLURAL).unwrap(), &second.record).await.unwrap();
    let mut moved = order.clone();
    moved.data.account_id = other;
    stored::save(&work, &order, moved, "updated", None).await.unwrap();
    let after = find(hold).await;
    assert_eq!((after.data.account_id, after.version()), (other, before.version() + 1));
    let restored = record::restore(&work, work.shape(OrderHold::PLURAL).unwrap(), second.id(), None).await.unwrap();
    assert_eq!(restored["account_id"], json!(other));
    assert_eq!(find(second.id()).await.data.account_id, other);
    work.commit().await.unwrap();
    let told: Vec<Value> = app.feed().await.into_iter().filter(|change| change["resource_id"] == json!(hold)).collect();
    let last = told.last().unwrap();
    assert_eq!((&last["type"], &last["changed_fields"]), (&json!("order_hold.updated"), &json!(["account_id"])));
    assert!(openapi::shapes()[Shipment::PLURAL].derived.iter().any(|derived| derived.field == "account_id"));
}
