//! What a person may ask of the data that is held about him: he is shown all of it, and when he is erased he is nowhere but in the
//! money documents.

use crate::support::{dump::Dump, *};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

crate::on_both![
    an_erased_customer_is_nowhere_but_in_money_documents,
    an_erased_contact_is_nowhere,
    an_erased_user_is_nowhere_and_out,
    what_receivers_of_webhooks_answered_goes_too,
    an_erasure_is_dry_run_guarded_and_done_once,
    business_under_way_is_finished_first,
    an_export_holds_everything_and_says_who_asked,
    only_persons_ask_and_only_for_what_there_is,
    the_register_is_what_the_document_says,
];

/// A request about a record, verified.
pub async fn verified(app: &App, kind: &str, resource: &str, id: &str) -> Answer {
    let asked = json!({"kind": kind, "resource": resource, "record_id": id});
    let made = app.post("/v1/privacy-requests", asked).await.is(201);
    act(app, &made.id(), "verify", json!({"evidence": "passport seen"})).await.is(200)
}

pub async fn act(app: &App, request: &str, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/privacy-requests/{request}/{verb}"), body).await
}

/// Erases a person; answers what the request came to.
pub async fn erase(app: &App, resource: &str, id: &str) -> Answer {
    let request = verified(app, "erasure", resource, id).await;
    act(app, &request.id(), "fulfil", json!({})).await.is(200)
}

/// Everything a caller may be told: lists of every resource, audit, feed.
async fn told(app: &App) -> String {
    let mut all = String::new();
    for (method, path, operation) in contract::operations() {
        let is_list =
            operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().is_some_and(|r| r.ends_with("Page"));
        if method == reqwest::Method::GET && is_list && !path.contains('{') && path != "/v1/search" {
            all.push_str(&json!(app.all(path, 200).await).to_string());
        }
    }
    all.push_str(&json!(app.feed().await).to_string());
    all
}

/// Insists that none of the values stands in any table but these, nor in anything that is told but of those.
#[track_caller]
fn nowhere(dump: &Dump, values: &[&str], but: &[&str]) {
    for value in values {
        let found: Vec<&str> = dump.tables_with(value).into_iter().filter(|table| !but.contains(table)).collect();
        assert!(found.is_empty(), "{value} in {found:?}");
    }
}

/// A person who is a customer, with an order that is done.
struct Customer {
    account: String,
    order: Answer,
    shipment: String,
}

const CUSTOMER: [&str; 14] = [
    "Malee Sukjai",
    "มาลี สุขใจ",
    "1101700230708",
    "malee-page",
    "Knows the boss",
    "Soi Malee 7",
    "Malee Mansion",
    "0815550101",
    "+66815550101",
    "malee@mail.example",
    "likes-orchids",
    "Ring twice for Malee",
    "owes Malee a favour",
    "moved to Malee street",
];

impl Customer {
    async fn served(app: &App) -> Self {
        app.make("/v1/custom-fields", json!({"resource": "accounts", "key": "hobby", "label": "Hobby", "type": "text"})).await;
        app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
        let book = app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB", "is_default": true})).await;
        app.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT 7 %", "rate": "7"})).await;
        let product = app.make("/v1/products", json!({"sku": "TEA", "name": "Tea", "tax_code": "VAT7"})).await;
        let entry = json!({"product_id": product["id"], "price": "100.00"});
        app.make(&format!("/v1/price-books/{}/entries", book["id"].as_str().unwrap()), entry).await;
        app.make("/v1/warehouses", json!({"code": "BKK1", "name": "Bangkok"})).await;
        let lines = json!([{"product_id": product["id"], "quantity": "10"}]);
        app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": lines})).await.is(201);
        let account = json!({"name": "Malee Sukjai", "legal_name": "มาลี สุขใจ", "legal_form": "individual", "tax_id": "1101700230708",
            "currency": "THB", "website": "https://malee-page.example", "description": "Knows the boss", "tags": ["likes-orchids"],
            "custom": {"hobby": "likes-orchids"}});
        let account = app.put("/v1/accounts/by-external-id/erp/C-77", account).await.is(201).id();
        let below = |what: &str| format!("/v1/accounts/{account}/{what}");
        for purpose in ["billing", "shipping", "tax_invoice"] {
            let address = json!({"purpose": purpose, "line1": format!("{purpose} Soi Malee 7"), "line2": "Malee Mansion", "country": "TH"});
            app.post(&below("addresses"), address).key(purpose).await.is(201);
        }
        let gone = app.post(&below("contact-points"), json!({"kind": "mobile", "raw": "0815550101"})).key("phone").await.is(201).id();
        app.delete(&format!("{}/{gone}", below("contact-points"))).await.is(204);
        app.post(&below("contact-points"), json!({"kind": "email", "raw": "malee@mail.example"})).await.is(201);
        app.post(&below("change-lifecycle"), json!({"to": "active", "reason": "owes Malee a favour"})).await.is(200);
        app.post(&below("assign"), json!({"team_id": app.team(None).await, "reason": "moved to Malee street"})).await.is(200);
        let item = json!({"external_id": "C-77", "as_of": "2026-01-01T00:00:00Z", "receivable": "700.00",
            "credit_limit": {"kind": "limited", "amount": "90000.00"}});
        let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item]});
        assert_eq!(app.post("/v1/credit-balances/batch", batch).await.is(200)["summary"]["applied"], 1);
        let lines = json!([{"product_id": product["id"], "quantity": "2"}]);
        let order = json!({"account_id": account, "lines": lines, "note": "Ring twice for Malee"});
        let order = app.post("/v1/orders", order).key("order").await.is(201).id();
        let step = async |verb: &str| app.post(&format!("/v1/orders/{order}/{verb}"), json!({})).await.is(200);
        step("submit").await;
        assert_eq!(step("confirm").await["status"], "confirmed");
        let shipment = app.post(&format!("/v1/orders/{order}/create-shipment"), json!({})).await.is(201).id();
        for verb in ["ship", "deliver"] {
            app.post(&format!("/v1/shipments/{shipment}/{verb}"), json!({})).await.is(200);
        }
        let order = app.get(&format!("/v1/orders/{order}")).await.is(200);
        assert_eq!(order["status"], "fulfilled", "{}", order.text);
        Self { account, order, shipment }
    }
}

async fn an_erased_customer_is_nowhere_but_in_money_documents(app: App) {
    let customer = Customer::served(&app).await;
    let before = app.dump().await;
    for value in CUSTOMER {
        assert!(!before.tables_with(value).is_empty(), "{value} is there to be erased");
    }
    let history = app.all(&format!("/v1/credit-balances/history?account_id={}", customer.account), 50).await;
    erase(&app, "accounts", &customer.account).await;

    let kept = ["Soi Malee 7", "Malee Mansion", "Malee Sukjai", "มาลี สุขใจ", "1101700230708"];
    let dump = app.dump().await;
    for value in CUSTOMER {
        let but: &[&str] = if kept.contains(&value) { &["orders", "audit_events"] } else { &[] };
        nowhere(&dump, &[value], but);
    }
    let told = told(&app).await;
    for value in CUSTOMER.iter().filter(|value| !kept.contains(value)) {
        assert!(!told.contains(value), "{value} is told");
    }
    // Of events only those of the order tell what the law wants on it.
    for event in app.all("/v1/audit-events", 200).await {
        let text = event.to_string();
        assert!(event["resource"] == "orders" || !kept.iter().any(|value| text.contains(value)), "{text}");
    }
    for query in ["q=Malee", "q=%E0%B8%A1%E0%B8%B2%E0%B8%A5%E0%B8%B5", "q=1101700230708"] {
        assert_eq!(app.get(&format!("/v1/search?{query}")).await.is(200)["data"], json!([]), "{query}");
    }
    for query in ["phone=0815550101", "email=malee@mail.example", "tax_id=1101700230708"] {
        assert_eq!(app.get(&format!("/v1/lookup?{query}")).await.is(200)["matches"], json!([]), "{query}");
    }

    // Money is as it was, and under the same numbers.
    let after = app.get(&format!("/v1/orders/{}", customer.order.id())).await.is(200);
    let spared = ["note", "shipping_address", "version", "updated_at", "updated_by_id"];
    for (field, value) in customer.order.body.as_object().unwrap().iter().filter(|(field, _)| !spared.contains(&field.as_str())) {
        assert_eq!(&after[field.as_str()], value, "{field}");
    }
    assert_eq!((&after["note"], &after["shipping_address"]), (&Value::Null, &Value::Null));
    assert!(
        after["tax_invoice_address"]["name"] == "มาลี สุขใจ" && after["tax_invoice_address"]["tax_id"] == "1101700230708",
        "{}",
        after.text
    );
    assert_eq!(app.get(&format!("/v1/shipments/{}", customer.shipment)).await.is(200)["address"], Value::Null);
    assert_eq!(app.all(&format!("/v1/credit-balances/history?account_id={}", customer.account), 50).await, history);
    assert_eq!(app.get("/v1/accounts/by-external-id/erp/C-77").await.is(200).id(), customer.account);

    // Whoever follows is told, with what to put in place.
    let erased = app.get("/v1/changes?types=account.erased").await.is(200);
    let change = &erased["data"][0];
    assert_eq!((&change["resource_id"], &change["before"]), (&json!(customer.account), &Value::Null));
    assert_eq!(change["after"]["name"], json!(format!("erased-{}", customer.account)));
    assert!(change["changed_fields"].as_array().unwrap().contains(&json!("tax_id")), "{change}");
    // What was answered before is not answered again, and not done again.
    let again = json!({"kind": "mobile", "raw": "0815550101"});
    app.post(&format!("/v1/accounts/{}/contact-points", customer.account), again).key("phone").await.refused(409, "conflict");
}

const CONTACT: [&str; 12] = [
    "Somchai",
    "Jaidee-Roongrot",
    "สมชาย ใจดี",
    "Head of tea",
    "1971-03-05",
    "Wilai",
    "bonsai-club",
    "after the third coffee",
    "Met at the fair",
    "somchai@mail.example",
    "Baan Somchai",
    "P-4711",
];

async fn an_erased_contact_is_nowhere(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
    let account = app.account("Siam Trading").await;
    let contact = json!({"first_name": "Somchai", "last_name": "Jaidee-Roongrot", "local_name": "สมชาย ใจดี", "job_title": "Head of tea",
        "birth_date": "1971-03-05", "spouse_name": "Wilai", "children_count": 3, "interests": ["bonsai-club"],
        "best_time": "after the third coffee", "description": "Met at the fair", "tags": ["bonsai-club"]});
    let contact = app.put("/v1/contacts/by-external-id/erp/P-4711", contact).await.is(201).id();
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact, "topics": ["bonsai-club"]})).await;
    app.make(&format!("/v1/contacts/{contact}/contact-points"), json!({"kind": "email", "raw": "Somchai@mail.example"})).await;
    app.make(&format!("/v1/contacts/{contact}/addresses"), json!({"purpose": "shipping", "line1": "Baan Somchai"})).await;
    app.patch(&format!("/v1/contacts/{contact}"), json!({"first_name": "Somchai Narong"})).await.is(200);
    // He left, and was deleted; he asks all the same.
    app.delete(&format!("/v1/contacts/{contact}")).await.is(204);
    let note =
        json!({"kind": "erasure", "resource": "contacts", "record_id": contact, "note": "Somchai called", "received_on": "2026-01-31"});
    let request = app.post("/v1/privacy-requests", note).await.is(201);
    assert_eq!((&request["due_on"], &request["status"]), (&json!("2026-03-02"), &json!("received")));
    act(&app, &request.id(), "verify", json!({"evidence": "called back"})).await.is(200);
    let done = act(&app, &request.id(), "fulfil", json!({"outcome": "by telephone"})).await.is(200);
    assert_eq!((&done["status"], &done["note"], &done["evidence"]), (&json!("fulfilled"), &Value::Null, &json!("called back")));
    nowhere(&app.dump().await, &CONTACT, &[]);
    let told = told(&app).await;
    assert!(CONTACT.iter().all(|value| !told.contains(value)));
    // Restored he is nobody.
    let restored = app.post(&format!("/v1/contacts/{contact}/restore"), json!({})).await.is(200);
    assert_eq!((restored["name"].clone(), &restored["children_count"]), (json!(format!("erased-{contact}")), &Value::Null));
    assert_eq!(app.get("/v1/accounts?q=Siam").await.is(200)["data"][0]["id"], json!(account), "others are as they were");
    app.patch(&format!("/v1/contacts/{contact}"), json!({"do_not_call": true})).await.is(200);
}

async fn an_erased_user_is_nowhere_and_out(app: App) {
    let person = app.person(&["accounts:read/all", "accounts:create/all"], &[], &[]).await;
    app.patch(&format!("/v1/users/{}", person.id), json!({"name": "Pimchanok", "job_title": "Night shift"})).await.is(200);
    let made = person.app.account("Siam").await;
    erase(&app, "users", &person.id).await;
    nowhere(&app.dump().await, &["Pimchanok", "Night shift", &person.email, "Somying Rakdee"], &[]);
    crate::platform::sessions::felt(&person.app).await;
    app.sign_in(&person.email, app::PASSWORD).await.refused(401, "invalid_grant");
    app.nobody().post("/v1/auth/refresh", json!({"refresh_token": person.refresh_token})).await.refused(401, "invalid_grant");
    let user = app.get(&format!("/v1/users/{}", person.id)).await.is(200);
    assert_eq!(user["status"], "inactive");
    assert_eq!(app.get(&format!("/v1/accounts/{made}")).await.is(200)["created_by_id"], json!(person.id), "his work stays his");
}

/// A receiver of webhooks that says what it was sent.
async fn parrot() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut read = vec![0; 64 * 1024];
            let mut sent = String::new();
            // The body ends the message: it is an object.
            while !sent.ends_with("}") {
                let Ok(length @ 1..) = connection.read(&mut read).await else { break };
                sent.push_str(&String::from_utf8_lossy(&read[..length]));
            }
            let said = sent.split_once("first_name\":\"").map_or("", |(_, rest)| rest.split('"').next().unwrap());
            let answer = format!("HTTP/1.1 200 Heard\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{said}", said.len());
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    url
}

async fn what_receivers_of_webhooks_answered_goes_too(app: App) {
    app.make("/v1/webhook-endpoints", json!({"url": parrot().await, "event_types": ["contact.*"]})).await;
    let contact = app.make("/v1/contacts", json!({"first_name": "Somchai-Narong"})).await["id"].as_str().unwrap().to_owned();
    let is_answered = async || app.dump().await.tables_with("Somchai-Narong").contains(&"webhook_deliveries");
    until("the delivery is answered", is_answered).await;
    erase(&app, "contacts", &contact).await;
    nowhere(&app.dump().await, &["Somchai-Narong"], &[]);
}

async fn an_erasure_is_dry_run_guarded_and_done_once(app: App) {
    let contact = app.make("/v1/contacts", json!({"first_name": "Somchai"})).await["id"].as_str().unwrap().to_owned();
    let read = async || app.get(&format!("/v1/contacts/{contact}")).await.is(200);
    let request = verified(&app, "erasure", "contacts", &contact).await;
    let (path, version) = (format!("/v1/privacy-requests/{}/fulfil", request.id()), request.version());
    let tried = app.post(&format!("{path}?dry_run=true"), json!({})).await.is(200);
    assert_eq!((&tried["status"], &read().await["first_name"]), (&json!("fulfilled"), &json!("Somchai")));
    app.post(&path, json!({})).if_match(version - 1).await.refused(412, "version_conflict");
    let may_not = app.person(&["privacy-requests:read/all", "contacts:*/all"], &[], &[]).await.app;
    may_not.post(&path, json!({})).await.refused(403, "forbidden");
    assert_eq!(read().await["first_name"], "Somchai");

    let first = app.post(&path, json!({})).if_match(version).key("once").await.is(200);
    let again = app.post(&path, json!({})).if_match(version).key("once").await.is(200);
    assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &first.text));
    app.post(&path, json!({})).await.refused(409, "illegal_transition");
    let erased = read().await;
    assert_eq!(erased.version(), 2);
    // Asked a second time, there is nothing left to do.
    erase(&app, "contacts", &contact).await;
    assert_eq!(read().await.text, erased.text);
    // Who did it to whom is there; what was erased is not.
    let me = app.get("/v1/me").await.is(200).id();
    let event = app.get(&format!("/v1/audit-events?resource_id={}&kind=privacy_request.fulfilled", request.id())).await.is(200);
    assert_eq!(event["data"][0]["created_by_id"], json!(me));
    let event = app.get(&format!("/v1/audit-events?resource_id={contact}&kind=contact.erased")).await.is(200);
    assert_eq!(
        (event["data"].as_array().unwrap().len(), &event["data"][0]["reason"]),
        (1, &json!(format!("privacy request {}", request.id())))
    );
}

async fn business_under_way_is_finished_first(app: App) {
    app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB", "is_default": true})).await;
    let account = app.make("/v1/accounts", json!({"name": "Malee", "legal_form": "individual", "currency": "THB"})).await;
    let account = account["id"].as_str().unwrap();
    let order = app.make("/v1/orders", json!({"account_id": account, "lines": []})).await["id"].clone();
    let request = verified(&app, "erasure", "accounts", account).await.id();
    let refused = act(&app, &request, "fulfil", json!({})).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"][0], json!({"resource": "orders", "id": order, "field": "account_id"}));
    assert_eq!(app.get(&format!("/v1/accounts/{account}")).await.is(200)["name"], "Malee");
    app.post(&format!("/v1/orders/{}/cancel", order.as_str().unwrap()), json!({})).await.is(200);
    act(&app, &request, "fulfil", json!({})).await.is(200);
}

async fn an_export_holds_everything_and_says_who_asked(app: App) {
    let customer = Customer::served(&app).await;
    let request = app.make("/v1/privacy-requests", json!({"kind": "access", "resource": "accounts", "record_id": customer.account})).await;
    let request = request["id"].as_str().unwrap();
    act(&app, request, "export", json!({})).await.refused(409, "illegal_transition");
    act(&app, request, "verify", json!({"evidence": "passport seen"})).await.is(200);
    let export = act(&app, request, "export", json!({})).await.is(200);
    let items = export["items"].as_array().unwrap();
    for value in CUSTOMER {
        assert!(export.text.contains(value), "{value} is held and not told");
    }
    let of = |resource: &str| items.iter().filter(|i| i["resource"] == resource).collect::<Vec<_>>();
    for (resource, many) in [
        ("accounts", 1),
        ("addresses", 3),
        ("contact_points", 2),
        ("external_references", 1),
        ("orders", 1),
        ("shipments", 1),
        ("account_lifecycle_history", 2),
        ("credit_balances", 1),
        ("credit_balance_history", 1),
        ("privacy_requests", 1),
    ] {
        assert_eq!(of(resource).len(), many, "{resource}");
    }
    assert_eq!(of("contact_points").iter().filter(|i| i["is_deleted"] == true).count(), 1);
    let kinds: Vec<&str> = of("accounts")[0]["history"].as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert!(kinds.starts_with(&["account.created"]) && kinds.contains(&"account.lifecycle_changed"), "{kinds:?}");
    let noted = app.get(&format!("/v1/audit-events?resource_id={request}&kind=privacy_request.exported")).await.is(200);
    assert_eq!(noted["data"].as_array().unwrap().len(), 1, "once for each that was given out");

    let taken = verified(&app, "portability", "accounts", &customer.account).await.id();
    let taken = act(&app, &taken, "export", json!({})).await.is(200);
    assert!(taken["items"].as_array().unwrap().iter().all(|i| i["history"] == json!([])) && taken.text.contains("Malee Sukjai"));
    let other = verified(&app, "objection", "accounts", &customer.account).await.id();
    act(&app, &other, "export", json!({})).await.refused(409, "conflict");
    act(&app, &other, "reject", json!({"outcome": "the law wants the invoice"})).await.is(200);
    act(&app, &other, "fulfil", json!({})).await.refused(409, "illegal_transition");

    // More than is read at a time is there as well, each once; and whoever sees half of it is told nothing.
    let contact = app.make("/v1/contacts", json!({"first_name": "Somchai"})).await["id"].as_str().unwrap().to_owned();
    let points: Vec<Value> = (0..250).map(|n| json!({"kind": "email", "raw": format!("s{n}@mail.example")})).collect();
    app.make_many(&format!("/v1/contacts/{contact}/contact-points"), &points).await;
    let request = verified(&app, "access", "contacts", &contact).await.id();
    let export = act(&app, &request, "export", json!({})).await.is(200);
    let ids: std::collections::BTreeSet<&str> =
        export["items"].as_array().unwrap().iter().filter_map(|i| i["record"]["raw"].as_str()).collect();
    assert_eq!(ids.len(), 250);
    let all = ["privacy-requests:*/all", "contacts:*/all"];
    let half = app.person(&all, &["contacts.birth_date=hidden"], &[]).await.app;
    act(&half, &request, "export", json!({})).await.refused(403, "forbidden");
    let whole = app.person(&all, &[], &[]).await.app;
    assert_eq!(act(&whole, &request, "export", json!({})).await.is(200)["items"].as_array().unwrap().len(), 252);
}

async fn only_persons_ask_and_only_for_what_there_is(app: App) {
    let company = app.account("Siam Trading").await;
    let post = |body: Value| app.post("/v1/privacy-requests", body);
    let asked = |resource: &str, id: &str| json!({"kind": "access", "resource": resource, "record_id": id});
    let refused = async |body: Value, pointer: &str, code: &str| post(body).await.refused(422, "validation_failed").fault(pointer, code);
    refused(asked("accounts", &company), "/record_id", "not_a_person").await;
    refused(asked("contacts", &random_id()), "/record_id", "unknown_reference").await;
    assert_eq!(refused(asked("contact", &random_id()), "/resource", "unknown_value").await["did_you_mean"], "contacts");
    refused(asked("products", &random_id()), "/resource", "unknown_value").await;
    let contact = app.make("/v1/contacts", json!({"first_name": "Somchai"})).await["id"].as_str().unwrap().to_owned();
    let mut future = asked("contacts", &contact);
    future["received_on"] = json!("2199-01-01");
    refused(future, "/received_on", "in_the_future").await;
    // A person one may not see is nobody, and what he asked is not there.
    let request = post(asked("contacts", &contact)).await.is(201).id();
    let other = app.person(&["privacy-requests:*/all", "contacts:*/own"], &[], &[]).await.app;
    other.post("/v1/privacy-requests", asked("contacts", &contact)).await.refused(422, "validation_failed");
    other.get(&format!("/v1/privacy-requests/{request}")).await.refused(404, "not_found");
    act(&other, &request, "verify", json!({"evidence": "x"})).await.refused(404, "not_found");
    assert_eq!(other.get("/v1/privacy-requests").await.is(200)["data"], json!([]));
}

async fn the_register_is_what_the_document_says(app: App) {
    let register = app.get("/v1/processing-register").await.is(200);
    let fields = register["fields"].as_array().unwrap();
    let row =
        |resource: &str, field: &str| fields.iter().find(|f| f["resource"] == resource && f["field"] == field).cloned().unwrap_or_default();
    assert_eq!(row("contacts", "birth_date")["personal_data"], "sensitive");
    assert_eq!(row("contacts", "birth_date")["on_erasure"], "erased");
    assert_eq!(row("orders", "tax_invoice_address")["on_erasure"], "retained");
    assert_eq!(row("credit_profiles", "limit_amount")["personal_data"], "financial");
    assert_eq!(row("products", "name"), Value::Null);
    let schemas = &contract::document()["components"]["schemas"];
    let api = samphan_api::openapi::api();
    for shape in api.shapes.values() {
        for (name, schema) in schemas[shape.type_name]["properties"].as_object().unwrap() {
            let types = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
            let is_text = types.contains(&json!("string")) && schema.get("format").is_none() && schema.get("x-decimal").is_none();
            let said = schema["x-personal-data"].as_str();
            assert!(!is_text || said.is_some(), "{}.{name} says what it is of a person, or none", shape.plural);
            if let Some(what) = said.filter(|what| *what != "none" && !shape.data_subject.is_empty()) {
                assert_eq!(row(shape.plural, name)["personal_data"], what, "{}.{name}", shape.plural);
            }
        }
    }
}
