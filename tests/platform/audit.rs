//! Who reads which events: an event is seen by whoever may read the record it is about.

use crate::support::*;
use std::collections::HashSet;

crate::on_both![
    an_event_is_seen_with_its_record,
    events_of_resources_that_may_not_be_read_are_not_there,
    events_of_a_child_are_seen_with_its_parent,
    events_go_where_their_record_goes_and_stay_when_it_is_deleted,
    references_to_records_out_of_reach_are_not_there,
];

const AUDITOR: [&str; 5] =
    ["audit-events:read/all", "accounts:read/own", "contacts:read/own", "account-contacts:read/own", "external-references:read/all"];

/// Every event a caller lists, by id.
async fn events(app: &App) -> HashSet<String> {
    app.all("/v1/audit-events", 50).await.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect()
}

/// The events about these records, as the administrator sees them.
async fn about(app: &App, records: &[&str]) -> HashSet<String> {
    let mut found = HashSet::new();
    for id in records {
        let some = ids(&app.get(&format!("/v1/audit-events?resource_id={id}")).await.is(200));
        assert!(!some.is_empty(), "events about {id}");
        found.extend(some);
    }
    found
}

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

async fn an_event_is_seen_with_its_record(app: App) {
    let (above, aside) = (app.team(None).await, app.team(None).await);
    let below = app.team(Some(&above)).await;
    let mut accounts = vec![];
    for (name, team) in [("above", &above), ("below", &below), ("aside", &aside)] {
        let made = app.make("/v1/accounts", json!({"name": name, "team_id": team})).await;
        app.patch(&format!("/v1/accounts/{}", id(&made)), json!({"grade": "A"})).await.is(200);
        accounts.push(id(&made));
    }
    let everything = events(&app).await;
    for (reach, seen) in [("own", vec![]), ("team", vec![0]), ("subtree", vec![0, 1]), ("all", vec![0, 1, 2])] {
        let person = app.person(&["audit-events:read/all", &format!("accounts:read/{reach}")], &[], &[&above]).await.app;
        let records: Vec<&str> = seen.iter().map(|n| accounts[*n].as_str()).collect();
        let wanted = about(&app, &records).await;
        assert_eq!(wanted.len(), seen.len() * 2);
        assert_eq!(events(&person).await, wanted, "{reach}");
        let never = person.get(&format!("/v1/audit-events/{}", random_id())).await.refused(404, "not_found");
        for event in &everything {
            let read = person.get(&format!("/v1/audit-events/{event}")).await;
            if wanted.contains(event) { assert_eq!(read.is(200).id(), *event) } else { same_but_request_id(&read, &never) }
        }
        for (n, account) in accounts.iter().enumerate() {
            let found = if seen.contains(&n) { 2 } else { 0 };
            let list = person.get(&format!("/v1/audit-events?resource_id={account}&count=exact")).await.is(200);
            assert_eq!((ids(&list).len(), &list["total"]), (found, &json!(found)), "{reach} {n}");
            let filter = json!({"filter": {"field": "resource_id", "op": "eq", "value": account}, "count": "exact"});
            assert_eq!(person.post("/v1/audit-events/search", filter).await.is(200)["total"], json!(found), "{reach} {n}");
        }
        for filter in ["resource=accounts", "kind=account.updated,account.created", "resource=accounts&sort=-created_at"] {
            let list = person.get(&format!("/v1/audit-events?{filter}&count=exact")).await.is(200);
            assert_eq!(list["total"], json!(wanted.len()), "{reach} {filter}");
        }
    }
}

async fn events_of_resources_that_may_not_be_read_are_not_there(app: App) {
    let product = id(&app.make("/v1/products", json!({"sku": "T", "name": "Tea"})).await);
    let book = id(&app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB"})).await);
    let entry = id(&app.make(&format!("/v1/price-books/{book}/entries"), json!({"product_id": product, "price": "1"})).await);
    let account = app.account("A").await;
    let address = id(&app.make(&format!("/v1/accounts/{account}/addresses"), json!({"purpose": "billing", "line1": "1"})).await);
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "A"})).await);
    let link = id(&app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact})).await);
    let cases: [(&[&str], &[&str]); 6] = [
        (&[], &[]),
        (&["products:read/all"], &[&product]),
        (&["price-books:read/all"], &[&book, &entry]),
        (&["accounts:read/all"], &[&account, &address]),
        (&["account-contacts:read/all"], &[]),
        (&["accounts:read/all", "account-contacts:read/all"], &[&account, &address, &link]),
    ];
    for (grants, records) in cases {
        let grants: Vec<&str> = grants.iter().copied().chain(["audit-events:read/all"]).collect();
        let person = app.person(&grants, &[], &[]).await.app;
        assert_eq!(events(&person).await, about(&app, records).await, "{grants:?}");
    }
    let admin = events(&app).await;
    assert!(about(&app, &[&product, &entry, &address, &contact, &link]).await.is_subset(&admin), "who may read everything sees everything");
}

async fn events_of_a_child_are_seen_with_its_parent(app: App) {
    let person = app.person(&AUDITOR, &[], &[]).await;
    let admin = app.get("/v1/me").await.is(200).id();
    let (mut seen, mut all) = (vec![], vec![]);
    for mine in [true, false] {
        let owner = if mine { &person.id } else { &admin };
        let account = id(&app.make("/v1/accounts", json!({"name": "A", "owner_id": owner})).await);
        let contact = id(&app.make("/v1/contacts", json!({"first_name": "A", "owner_id": owner})).await);
        let mut records = vec![];
        for parent in [format!("accounts/{account}"), format!("contacts/{contact}")] {
            let address = json!({"purpose": "billing", "line1": "1"});
            records.push(id(&app.make(&format!("/v1/{parent}/addresses"), address).await));
            let phone = json!({"kind": "phone", "raw": "02 123 4567"});
            records.push(id(&app.make(&format!("/v1/{parent}/contact-points"), phone).await));
        }
        records.push(id(&app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact})).await));
        records.extend([account, contact]);
        if mine {
            seen.clone_from(&records);
        }
        all.extend(records);
    }
    let borrowed: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(events(&person.app).await, about(&app, &borrowed).await);
    for record in &all {
        let found = person.app.get(&format!("/v1/audit-events?resource_id={record}")).await.is(200);
        assert_eq!(ids(&found).is_empty(), !seen.contains(record));
    }
}

async fn events_go_where_their_record_goes_and_stay_when_it_is_deleted(app: App) {
    let (one, two) = (app.person(&AUDITOR, &[], &[]).await, app.person(&AUDITOR, &[], &[]).await);
    let account = id(&app.make("/v1/accounts", json!({"name": "A", "owner_id": one.id})).await);
    let address = id(&app.make(&format!("/v1/accounts/{account}/addresses"), json!({"purpose": "billing", "line1": "1"})).await);
    app.post(&format!("/v1/accounts/{account}/assign"), json!({"owner_id": two.id})).await.is(200);
    assert_eq!(events(&one.app).await, HashSet::new());
    assert_eq!(events(&two.app).await, about(&app, &[&account, &address]).await);
    app.delete(&format!("/v1/accounts/{account}/addresses/{address}")).await.is(204);
    app.delete(&format!("/v1/accounts/{account}")).await.is(204);
    assert_eq!(events(&two.app).await, about(&app, &[&account, &address]).await);
    assert_eq!(events(&one.app).await, HashSet::new());
    let last = two.app.get("/v1/audit-events?kind=account.deleted").await.is(200);
    assert_eq!(column(&last, "resource_id"), [account]);
}

async fn references_to_records_out_of_reach_are_not_there(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let person = app.person(&AUDITOR, &[], &[]).await;
    let mine = json!({"name": "Mine", "owner_id": person.id});
    let mine = app.put("/v1/accounts/by-external-id/express/C-1", mine).await.is(201).id();
    app.put("/v1/accounts/by-external-id/express/C-2", json!({"name": "Other"})).await.is(201);
    let all = app.get("/v1/external-references?count=exact").await.is(200);
    assert_eq!(all["total"], 2);
    let seen = person.app.get("/v1/external-references?count=exact").await.is(200);
    assert_eq!((column(&seen, "record_id"), &seen["total"]), (vec![mine.clone()], &json!(1)));
    for reference in all["data"].as_array().unwrap() {
        let read = person.app.get(&format!("/v1/external-references/{}", id(reference))).await;
        assert_eq!(read.status, if reference["record_id"] == json!(mine) { 200 } else { 404 });
    }
    assert_eq!(person.app.get("/v1/external-references?external_id=C-2").await.is(200)["data"], json!([]));
    assert!(!person.app.get("/v1/audit-events?limit=200").await.is(200).text.contains("C-2"));
}
