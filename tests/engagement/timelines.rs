//! Timelines: what happened with a customer, whatever the resource, the newest first.

use super::{contact_of, id};
use crate::{sales::Shop, support::*};
use samphan_api::openapi;
use samphan_persistence::{
    dialect::Dialect,
    timeline::{self, TimelineQuery},
};

crate::on_both![
    timeline_has_records_of_every_resource_in_the_order_of_time,
    pages_of_a_timeline_have_no_repeats_and_no_gaps,
    timeline_is_of_what_its_reader_may_read,
    timeline_parameters_are_never_ignored,
    timelines_are_read_along_their_indexes,
];

async fn call_at(app: &App, account: &str, at: &str) -> String {
    let body =
        json!({"account_id": account, "direction": "outbound", "to_number": "02 123 4567", "started_at": at, "notes": "Offered tea."});
    id(&app.make("/v1/calls", body).await)
}

async fn timeline_has_records_of_every_resource_in_the_order_of_time(app: App) {
    let shop = Shop::open(&app).await;
    let contact = contact_of(&app, shop.account(), "Malee").await;
    let later = call_at(&app, shop.account(), "2199-01-02T00:00:00Z").await;
    let earlier = call_at(&app, shop.account(), "2020-01-02T00:00:00Z").await;
    let order = json!({"account_id": shop.account(), "contact_id": contact, "customer_reference": "PO-7",
        "lines": [{"product_id": shop.tea(), "quantity": "1"}]});
    let order = app.make("/v1/orders", order).await;
    let text = format!("# Wants more\n\n{}", "tea ".repeat(200));
    let note = app.make("/v1/notes", json!({"related_resource": "orders", "related_id": order["id"], "body": text})).await;
    let other = app.account("Another").await;
    app.make("/v1/notes", json!({"account_id": other, "body": "Elsewhere"})).await;
    let page = app.get(&format!("/v1/accounts/{}/timeline", shop.account())).await.is(200);
    assert_eq!(ids(&page), [later, id(&note), id(&order), earlier.clone()]);
    assert_eq!(column(&page, "kind"), ["call", "note", "order", "call"]);
    assert_eq!([&page["has_more"], &page["next_cursor"], &page["hidden_kinds"]], [&json!(false), &json!(null), &json!([])]);
    let [call, note, order_entry] = [&page["data"][0], &page["data"][1], &page["data"][2]];
    assert_eq!([&call["at"], &call["resource"], &call["summary"]], ["2199-01-02T00:00:00Z", "calls", "Offered tea."]);
    assert_eq!((&note["title"], note["summary"].as_str().unwrap().chars().count()), (&json!("Wants more"), 300));
    assert_eq!(
        [&order_entry["title"], &order_entry["summary"], &order_entry["at"]],
        [&order["number"], &json!("PO-7"), &order["created_at"]]
    );
    let page = app.get(&format!("/v1/contacts/{contact}/timeline")).await.is(200);
    assert_eq!(column(&page, "kind"), ["note", "order"]);
    let from_to = "from=2020-01-02T00:00:00Z&to=2020-01-03T00:00:00Z";
    let page = app.get(&format!("/v1/accounts/{}/timeline?{from_to}", shop.account())).await.is(200);
    assert_eq!(ids(&page), [earlier]);
    let page = app.get(&format!("/v1/accounts/{}/timeline?kinds=order,note", shop.account())).await.is(200);
    assert_eq!(column(&page, "kind"), ["note", "order"]);
}

async fn pages_of_a_timeline_have_no_repeats_and_no_gaps(app: App) {
    let account = app.account("Siam").await;
    let mut made = vec![];
    for n in 0..25 {
        made.push(id(&app.make("/v1/notes", json!({"account_id": account, "body": format!("{n}")})).await));
        // Of one moment the ids decide.
        made.push(call_at(&app, &account, "2020-01-02T00:00:00Z").await);
    }
    let path = format!("/v1/accounts/{account}/timeline");
    let (mut found, mut cursor) = (vec![], String::new());
    loop {
        let page = app.get(&format!("{path}?limit=7{cursor}")).await.is(200);
        found.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
        // What comes in meanwhile comes before, and shifts nothing.
        app.make("/v1/notes", json!({"account_id": account, "body": "meanwhile"})).await;
    }
    let mut unique = found.clone();
    unique.sort();
    unique.dedup();
    made.sort();
    assert_eq!((unique.clone(), found.len()), (made, unique.len()));
    let first = app.get(&format!("{path}?limit=7")).await.is(200).text_of("next_cursor");
    app.get(&format!("{path}?limit=7&kinds=note&cursor={first}")).await.refused(400, "invalid_cursor");
}

async fn timeline_is_of_what_its_reader_may_read(app: App) {
    let shop = Shop::open(&app).await;
    let account = shop.account();
    app.make("/v1/orders", json!({"account_id": account, "lines": [{"product_id": shop.tea(), "quantity": "1"}]})).await;
    app.make("/v1/notes", json!({"account_id": account, "body": "Quince"})).await;
    call_at(&app, account, "2020-01-02T00:00:00Z").await;
    let path = format!("/v1/accounts/{account}/timeline");
    let narrow = app.person(&["accounts:read/all", "notes:read/all"], &["notes.body=hidden", "notes.created_by_id=hidden"], &[]).await.app;
    let page = narrow.get(&path).await.is(200);
    assert_eq!(column(&page, "kind"), ["note"]);
    assert_eq!([&page["data"][0]["title"], &page["data"][0]["actor_id"]], [&json!("***"), &json!(null)]);
    assert!(!page.text.contains("Quince"), "{}", page.text);
    let hidden: Vec<&str> = page["hidden_kinds"].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap()).collect();
    assert!(["call", "order", "shipment"].iter().all(|kind| hidden.contains(kind)) && !hidden.contains(&"note"), "{hidden:?}");
    // When a note was written is hidden, so notes are.
    let blind = app.person(&["accounts:read/all", "notes:read/all"], &["notes.created_at=hidden"], &[]).await.app;
    let page = blind.get(&path).await.is(200);
    assert!(ids(&page).is_empty() && page["hidden_kinds"].as_array().unwrap().contains(&json!("note")), "{}", page.text);
    let own = app.person(&["*:*/own"], &[], &[]).await.app;
    own.get(&path).await.refused(404, "not_found");
    same_but_request_id(&own.get(&path).await, &own.get(&format!("/v1/accounts/{}/timeline", random_id())).await);
}

async fn timeline_parameters_are_never_ignored(app: App) {
    let account = app.account("Siam").await;
    let ask = async |query: &str| app.get(&format!("/v1/accounts/{account}/timeline?{query}")).await.refused(400, "invalid_query");
    let fault = ask("kinds=note,nots").await.fault("?kinds", "unknown_value");
    assert!(fault["allowed"].as_array().unwrap().contains(&json!("note")), "{fault}");
    ask("kind=note").await.fault("?kind", "unknown_parameter");
    ask("from=2026-11-20").await;
    ask("limit=201").await;
}

/// One index range for each resource, whatever else there is, in the order of time.
async fn timelines_are_read_along_their_indexes(app: App) {
    let work = crate::kernel::plans::work(&app).await;
    let mut walked = 0;
    for subject in ["accounts", "contacts"] {
        let subject = openapi::shapes()[subject];
        let query =
            TimelineQuery { subject, id: uuid::Uuid::from_u128(7), kinds: None, from: Some(now()), to: None, after: None, limit: 50 };
        let sources = timeline::read_sources(&work, &query);
        assert!(sources.len() >= 3, "{}", subject.plural);
        for source in &sources {
            let statement = timeline::statement(&work, &query, std::slice::from_ref(source)).unwrap();
            let plan = crate::kernel::plans::plan(&work, statement).await;
            let along = plan.iter().any(|step| match work.store.dialect() {
                Dialect::Sqlite => step.contains("SEARCH t USING INDEX") && step.contains(">?)"),
                Dialect::Postgres => step.contains("Index") && step.contains(source.shape.plural),
            });
            let through = plan.iter().any(|step| step.contains("Seq Scan") || step.contains("SCAN t") || step.contains("TEMP B-TREE"));
            assert!(along && !through, "{} of {}: {plan:#?}", source.shape.plural, subject.plural);
            walked += 1;
        }
    }
    assert!(walked >= 8, "{walked}");
}
