//! Handover: what belongs to an account is visible with it, goes along when the account is assigned, and no record is left with a user who
//! was deactivated.

use crate::{
    sales::Shop,
    support::{people::Person, *},
};

crate::on_both![
    records_of_an_account_are_visible_to_its_new_owner,
    records_that_a_colleague_enters_for_an_account_are_visible_to_its_owner,
    reach_over_documents_limits_what_an_account_shows,
    assign_takes_contacts_and_open_documents_along,
    assign_without_the_permission_for_what_goes_along_changes_nothing,
    inactive_user_gets_no_records,
    deactivating_a_user_with_records_is_refused_with_their_number,
    records_of_a_deactivated_user_are_handed_over,
    cancelled_hand_over_leaves_nothing_half_said,
];

const SELLING: [&str; 14] = [
    "accounts:read/own",
    "accounts:update/own",
    "contacts:read/own",
    "contacts:create/own",
    "account-contacts:read/own",
    "account-contacts:create/own",
    "orders:read/own",
    "orders:create/own",
    "order-holds:read/own",
    "order-promises:read/own",
    "order-promises:create/own",
    "products:read/all",
    "price-books:read/all",
    "changes:read/all",
];

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// A seller, with an account that another seller has entered everything for.
struct Case {
    shop: Shop,
    before: Person,
    after: Person,
    account: String,
    contact: String,
    order: String,
}

impl Case {
    async fn of(app: &App) -> Self {
        let shop = Shop::open(app).await;
        let (before, after) = (app.person(&SELLING, &[], &[]).await, app.person(&SELLING, &[], &[]).await);
        let account = app.make("/v1/accounts", json!({"name": "Chiang Mai Tea House", "owner_id": before.id})).await;
        let account = id(&account);
        let contact = id(&before.app.make("/v1/contacts", json!({"first_name": "Malee", "last_name": "Srisuk"})).await);
        before.app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact, "role": "purchaser"})).await;
        let order = Self::ordered(&before.app, &shop, &account, &contact).await;
        Self { shop, before, after, account, contact, order: order.is(201).id() }
    }

    async fn ordered(app: &App, shop: &Shop, account: &str, contact: &str) -> Answer {
        let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
        app.post("/v1/orders", json!({"account_id": account, "contact_id": contact, "lines": lines})).await
    }

    /// Insists that a caller sees all of it, or nothing, wherever it could be.
    async fn is_seen(&self, app: &App, seen: bool) {
        for (path, record) in [("/v1/accounts", &self.account), ("/v1/contacts", &self.contact), ("/v1/orders", &self.order)] {
            assert_eq!(app.get(&format!("{path}/{record}")).await.status, if seen { 200 } else { 404 }, "{path}");
            for sort in ["id", "-created_at", "updated_at"] {
                let page = app.get(&format!("{path}?count=exact&sort={sort}")).await.is(200);
                assert_eq!((ids(&page).contains(record), page["total"] == ids(&page).len()), (seen, true), "{path} by {sort}");
            }
        }
        let found = app.get("/v1/search?q=Malee").await.is(200);
        assert_eq!(ids(&found).contains(&self.contact), seen);
        let links = app.get(&format!("/v1/account-contacts?contact_id={}", self.contact)).await.is(200);
        assert_eq!(ids(&links).len(), usize::from(seen));
        let feed = app.feed().await;
        for record in [&self.contact, &self.order] {
            assert_eq!(feed.iter().any(|e| e["resource_id"] == **record), seen, "the feed");
        }
    }
}

async fn assign(app: &App, account: &str, body: Value) -> Answer {
    app.post(&format!("/v1/accounts/{account}/assign"), body).await
}

async fn records_of_an_account_are_visible_to_its_new_owner(app: App) {
    let case = Case::of(&app).await;
    case.is_seen(&case.before.app, true).await;
    case.is_seen(&case.after.app, false).await;
    Case::ordered(&case.after.app, &case.shop, &case.account, &case.contact).await.is(422);
    assign(&app, &case.account, json!({"owner_id": case.after.id})).await.is(200);
    case.is_seen(&case.after.app, true).await;
    let made = Case::ordered(&case.after.app, &case.shop, &case.account, &case.contact).await.is(201);
    assert_eq!((&made["contact_id"], &made["owner_id"]), (&json!(case.contact), &json!(case.after.id)));
    // The former owner keeps what he owns himself, and sees no more of the account.
    case.before.app.get(&format!("/v1/accounts/{}", case.account)).await.refused(404, "not_found");
    case.before.app.get(&format!("/v1/orders/{}", case.order)).await.is(200);
    case.before.app.get(&format!("/v1/orders/{}", made.id())).await.refused(404, "not_found");
    // To see is not to change: that is for who owns the record.
    case.after.app.patch(&format!("/v1/orders/{}", case.order), json!({"note": "x"})).await.refused(403, "forbidden");
}

async fn records_that_a_colleague_enters_for_an_account_are_visible_to_its_owner(app: App) {
    let case = Case::of(&app).await;
    // The administrator is the colleague: owner of what he enters.
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Wongthai"})).await);
    let seller = &case.before.app;
    seller.get(&format!("/v1/contacts/{contact}")).await.refused(404, "not_found");
    let link = app.make("/v1/account-contacts", json!({"account_id": case.account, "contact_id": contact, "role": "billing"})).await;
    seller.get(&format!("/v1/contacts/{contact}")).await.is(200);
    let point = app.make(&format!("/v1/contacts/{contact}/contact-points"), json!({"kind": "email", "raw": "w@example.com"})).await;
    seller.get(&format!("/v1/contacts/{contact}/contact-points/{}", id(&point))).await.is(200);
    let order = Case::ordered(&app, &case.shop, &case.account, &contact).await.is(201).id();
    seller.get(&format!("/v1/orders/{order}?expand=contact")).await.is(200);
    app.delete(&format!("/v1/account-contacts/{}", id(&link))).await.is(204);
    seller.get(&format!("/v1/contacts/{contact}")).await.refused(404, "not_found");
}

async fn reach_over_documents_limits_what_an_account_shows(app: App) {
    let case = Case::of(&app).await;
    let grants = ["accounts:read/all", "contacts:read/own", "account-contacts:read/own", "orders:read/own"];
    let reader = app.person(&grants, &[], &[]).await.app;
    reader.get(&format!("/v1/accounts/{}", case.account)).await.is(200);
    reader.get(&format!("/v1/orders/{}", case.order)).await.refused(404, "not_found");
    reader.get(&format!("/v1/contacts/{}", case.contact)).await.refused(404, "not_found");
    assert_eq!(reader.get("/v1/orders?count=exact").await.is(200)["total"], 0);
    // Without the permission to read orders at all, an account shows none.
    let none = app.person(&["accounts:read/all", "changes:read/all"], &[], &[]).await.app;
    none.get(&format!("/v1/orders/{}", case.order)).await.refused(403, "forbidden");
    assert!(none.feed().await.iter().all(|e| e["resource"] != "orders" && e["resource"] != "contacts"));
}

async fn assign_takes_contacts_and_open_documents_along(app: App) {
    let case = Case::of(&app).await;
    let theirs = id(&app.make("/v1/contacts", json!({"first_name": "Of another"})).await);
    app.make("/v1/account-contacts", json!({"account_id": case.account, "contact_id": theirs, "role": "user"})).await;
    let ended = Case::ordered(&case.before.app, &case.shop, &case.account, &case.contact).await.is(201).id();
    app.post(&format!("/v1/orders/{ended}/cancel"), json!({})).await.is(200);
    let body = json!({"owner_id": case.after.id, "reason": "New territory", "include": ["contacts", "open_orders", "open_promises"]});
    assign(&app, &case.account, body).await.is(200);
    let owner = async |path: &str, record: &str| app.get(&format!("{path}/{record}")).await.is(200)["owner_id"].clone();
    assert_eq!(owner("/v1/contacts", &case.contact).await, case.after.id);
    assert_eq!(owner("/v1/orders", &case.order).await, case.after.id);
    assert_eq!(owner("/v1/orders", &ended).await, case.before.id, "it is not open");
    assert_ne!(owner("/v1/contacts", &theirs).await, case.after.id, "it belongs to another user");
    let events = app.all(&format!("/v1/audit-events?resource_id={}", case.order), 50).await;
    let last = events.iter().find(|e| e["reason"] == "New territory").unwrap();
    assert_eq!(last["changed_fields"], json!(["owner_id"]));
    case.after.app.get(&format!("/v1/orders/{}", case.order)).await.is(200);
    case.before.app.get(&format!("/v1/orders/{}", case.order)).await.refused(404, "not_found");
    assign(&app, &case.account, json!({"owner_id": case.after.id, "include": ["everything"]})).await.is(422);
}

async fn assign_without_the_permission_for_what_goes_along_changes_nothing(app: App) {
    let case = Case::of(&app).await;
    let manager = app.person(&["accounts:read/all", "accounts:assign/all", "contacts:read/all"], &[], &[]).await.app;
    let refused = assign(&manager, &case.account, json!({"owner_id": case.after.id, "include": ["contacts"]})).await;
    assert_eq!(refused.refused(403, "forbidden")["allowed"], json!(["contacts:assign"]));
    assert_eq!(app.get(&format!("/v1/accounts/{}", case.account)).await.is(200)["owner_id"], case.before.id);
    assign(&manager, &case.account, json!({"owner_id": case.after.id})).await.is(200);
}

async fn inactive_user_gets_no_records(app: App) {
    let gone = app.person(&SELLING, &[], &[]).await.id;
    app.post(&format!("/v1/users/{gone}/deactivate"), json!({})).await.is(200);
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
    let account = app.account("Siam").await;
    let body = json!({"name": "Lanna", "owner_id": gone});
    app.post("/v1/accounts", body.clone()).await.is(422).fault("/owner_id", "inactive_user");
    app.patch(&format!("/v1/accounts/{account}"), json!({"owner_id": gone})).await.is(422).fault("/owner_id", "inactive_user");
    app.put("/v1/accounts/by-external-id/erp/C-1", body.clone()).await.is(422).fault("/owner_id", "inactive_user");
    assign(&app, &account, json!({"owner_id": gone})).await.is(422).fault("/owner_id", "inactive_user");
    for atomic in [false, true] {
        let good = json!({"name": "Good"});
        let batch = app.post("/v1/accounts/batch", json!({"mode": "create", "atomic": atomic, "items": [good, body]})).await;
        assert!(batch.text.contains("inactive_user"), "{}", batch.text);
    }
    let update = json!({"mode": "update", "items": [{"id": account, "owner_id": gone}]});
    let batch = app.post("/v1/accounts/batch", update).await.is(200);
    assert_eq!(batch["results"][0]["error"]["errors"][0]["code"], "inactive_user", "{}", batch.text);
    let owned = app.get(&format!("/v1/accounts?owner_id={gone}&count=exact")).await.is(200);
    assert_eq!(owned["total"], 0);
}

async fn deactivating_a_user_with_records_is_refused_with_their_number(app: App) {
    let case = Case::of(&app).await;
    let path = format!("/v1/users/{}/deactivate", case.before.id);
    let refused = app.post(&path, json!({})).await.refused(409, "in_use");
    assert!(refused.text.contains("1 accounts, 1 contacts, 1 orders"), "{}", refused.text);
    case.before.app.get("/v1/me").await.is(200);
    app.delete(&format!("/v1/users/{}", case.before.id)).await.refused(409, "in_use");
    app.post(&path, json!({"keep": true, "hand_over_to": case.after.id})).await.is(422).fault("/keep", "ambiguous");
    app.post(&path, json!({"hand_over_to": case.before.id})).await.is(422).fault("/hand_over_to", "refers_to_itself");
    app.post(&path, json!({"hand_over_to": random_id()})).await.is(422).fault("/hand_over_to", "unknown_reference");
    let idle = app.person(&[], &[], &[]).await.id;
    app.post(&format!("/v1/users/{idle}/deactivate"), json!({})).await.is(200);
    app.post(&path, json!({"hand_over_to": idle})).await.is(422).fault("/hand_over_to", "inactive_user");
    let kept = app.post(&path, json!({"keep": true})).await.is(200);
    assert_eq!((&kept["status"], &kept["successor_id"]), (&json!("inactive"), &json!(null)));
    assert_eq!(app.get(&format!("/v1/orders/{}", case.order)).await.is(200)["owner_id"], case.before.id);
}

async fn records_of_a_deactivated_user_are_handed_over(app: App) {
    let case = Case::of(&app).await;
    let body = json!({"hand_over_to": case.after.id});
    let done = app.post(&format!("/v1/users/{}/deactivate", case.before.id), body).await.is(200);
    assert_eq!((&done["status"], &done["successor_id"]), (&json!("inactive"), &json!(case.after.id)));
    for path in ["accounts", "contacts", "orders"] {
        app.get_until(&format!("/v1/{path}?owner_id={}&count=exact", case.before.id), |left| left["total"] == 0).await;
    }
    case.is_seen(&case.after.app, true).await;
    // Whoever comes back gets back nothing by itself.
    let back = app.post(&format!("/v1/users/{}/activate", case.before.id), json!({})).await.is(200);
    assert_eq!(back["successor_id"], json!(null));
    assert_eq!(app.get(&format!("/v1/orders/{}", case.order)).await.is(200)["owner_id"], case.after.id);
}

async fn cancelled_hand_over_leaves_nothing_half_said(app: App) {
    let case = Case::of(&app).await;
    let path = format!("/v1/users/{}", case.before.id);
    app.post(&format!("{path}/deactivate"), json!({"hand_over_to": case.after.id})).await.is(200);
    // What a session that ends only now may still make is handed over by a second job, a minute later.
    let queued = "/v1/jobs?kind=users.hand_over_records&status=queued";
    let is_one = |jobs: &Value| jobs["data"].as_array().is_some_and(|all| all.len() == 1);
    let done = app.get_until("/v1/jobs?kind=users.hand_over_records&status=succeeded", is_one).await;
    let waiting = app.get_until(queued, is_one).await;
    assert_eq!((&done["data"][0]["progress_done"], &done["data"][0]["progress_total"]), (&json!(3), &json!(3)));
    let job = format!("/v1/jobs/{}", waiting["data"][0]["id"].as_str().unwrap());
    app.post(&format!("{job}/cancel"), json!({})).await.is(200);
    assert_eq!(app.get(&path).await.is(200)["successor_id"], json!(null));
    app.post(&format!("{job}/retry"), json!({})).await.is(200);
    assert_eq!(app.get(&path).await.is(200)["successor_id"], json!(case.after.id));
}
