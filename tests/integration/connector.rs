//! What an accounting connector runs into: permissions that are missing, invoices that are refused, revisions that are no numbers, and
//! orders that both sides count.

use super::{changes::end, *};
use crate::sales::Shop;

crate::on_both![
    feed_that_names_an_unreadable_resource_is_refused_with_every_missing_permission,
    feed_that_names_nothing_is_of_what_may_be_read,
    feed_that_waits_is_refused_when_the_permission_is_taken_away,
    webhook_endpoint_that_names_an_unreadable_resource_is_refused,
    feed_of_an_account_is_of_what_belongs_to_it,
    snapshot_without_the_permission_to_read_it_is_refused_by_name,
    batch_with_invoices_names_every_missing_permission_at_once,
    refused_invoice_refuses_itself_and_its_customer_alone,
    invoice_named_twice_in_a_batch_is_refused_each_time,
    revision_that_is_no_number_is_refused_and_the_greater_number_wins,
    stale_push_says_what_is_known,
    included_orders_are_taken_out_of_what_the_ledger_says,
];

async fn feed_that_names_an_unreadable_resource_is_refused_with_every_missing_permission(app: App) {
    let start = end(&app).await;
    app.make("/v1/products", json!({"sku": "S1", "name": "Seen by few"})).await;
    let person = app.person(&["changes:read/all", "accounts:read/own", "order-invoices:read/all"], &[], &[]).await.app;
    for (asked, missing) in [
        ("resources=products", vec!["products:read"]),
        ("types=product.created", vec!["products:read"]),
        ("types=product.*,account.*", vec!["products:read"]),
        ("types=*,product.*", vec!["products:read"]),
        ("resources=accounts,products,warehouses", vec!["products:read", "warehouses:read"]),
        ("resources=accounts&types=order.confirmed,shipment.shipped", vec!["orders:read", "shipments:read"]),
        ("resources=order_invoices", vec!["orders:read"]),
        ("resources=contact_points", vec![]),
    ] {
        for path in ["/v1/changes", "/v1/changes/stream"] {
            let request = person.ask(reqwest::Method::GET, &format!("{path}?after={start}&{asked}"));
            if missing.is_empty() && path.ends_with("stream") {
                assert_eq!(request.open().await.status(), 200);
                continue;
            }
            let answer = request.await;
            if missing.is_empty() {
                answer.is(200);
                continue;
            }
            let mut named = strings(&answer.refused(403, "forbidden")["allowed"]);
            named.sort();
            assert_eq!(named, missing, "{asked}");
        }
    }
    // The cursor was passed by none of it.
    let reader = app.person(&["changes:read/all", "products:read/all"], &[], &[]).await.app;
    assert_eq!(reader.changes(&start, "&resources=products").await.0.len(), 1);
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
}

async fn feed_that_names_nothing_is_of_what_may_be_read(app: App) {
    let start = end(&app).await;
    app.make("/v1/products", json!({"sku": "S1", "name": "Seen by few"})).await;
    app.account("Seen").await;
    let person = app.person(&["changes:read/all", "accounts:read/all"], &[], &[]).await.app;
    for asked in ["", "&types=*", "&resources=accounts"] {
        let (found, _) = person.changes(&start, asked).await;
        assert_eq!(column(&json!({"data": found}), "type"), ["account.created"], "{asked}");
    }
}

async fn feed_that_waits_is_refused_when_the_permission_is_taken_away(app: App) {
    let start = end(&app).await;
    let role = app.role(&["changes:read/all", "products:read/all"], &[]).await;
    let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
    let machine = app.as_(&key.text_of("token"));
    let path = format!("/v1/changes?after={start}&resources=products&wait=30s");
    let less = json!({"permissions": [{"permission": "changes:read", "reach": "all"}]});
    let take_away = async { app.patch(&format!("/v1/roles/{role}"), less).await.is(200) };
    let (answer, _) = futures_util::future::join(async { machine.get(&path).await }, take_away).await;
    assert_eq!(answer.refused(403, "forbidden")["allowed"], json!(["products:read"]));
}

async fn webhook_endpoint_that_names_an_unreadable_resource_is_refused(app: App) {
    let grants = ["webhook-endpoints:*/all", "changes:read/all", "accounts:read/all"];
    let person = app.person(&grants, &[], &[]).await.app;
    let endpoint = |types: Value| json!({"url": "https://127.0.0.1:9/hook", "event_types": types});
    let refused = person.post("/v1/webhook-endpoints", endpoint(json!(["account.*", "product.created"]))).await;
    assert_eq!(refused.refused(403, "forbidden")["allowed"], json!(["products:read"]));
    let made = person.post("/v1/webhook-endpoints", endpoint(json!(["account.*"]))).await.is(201);
    let path = format!("/v1/webhook-endpoints/{}", made["webhook_endpoint"]["id"].as_str().unwrap());
    person.patch(&path, json!({"event_types": ["product.*"]})).await.refused(403, "forbidden");
    person.patch(&path, json!({"description": "Accounts"})).await.is(200);
    person.patch(&path, json!({"event_types": ["*"]})).await.is(200);
}

async fn feed_of_an_account_is_of_what_belongs_to_it(app: App) {
    let shop = Shop::open(&app).await;
    let other = app.account("Another").await;
    let start = end(&app).await;
    let order = shop.confirmed(&app, "2").await;
    app.post(&format!("/v1/orders/{}/create-shipment", order.id()), json!({})).await.is(201);
    app.make(
        &format!("/v1/accounts/{}/addresses", shop.account),
        json!({"purpose": "shipping", "line1": "1 Rama IV", "city": "Bangkok", "country": "TH"}),
    )
    .await;
    app.make("/v1/external-systems", json!({"code": "crm", "name": "CRM", "kind": "crm"})).await;
    let reference = |id: &str| json!({"system": "crm", "resource": "accounts", "external_id": id, "record_id": id});
    app.make("/v1/external-references", reference(&shop.account)).await;
    app.make("/v1/external-references", reference(&other)).await;
    app.patch(&format!("/v1/accounts/{other}"), json!({"grade": "B"})).await.is(200);
    let of = async |account: &str| {
        let (found, _) = app.changes(&start, &format!("&account_id={account}&limit=500")).await;
        let mut resources = column(&json!({"data": found}), "resource");
        resources.sort();
        resources.dedup();
        resources
    };
    let mut found = of(&shop.account).await;
    found.retain(|many| many != "credit_checks");
    assert_eq!(found, ["accounts", "addresses", "external_references", "orders", "shipments"].map(str::to_owned));
    assert_eq!(of(&other).await, ["accounts", "external_references"].map(str::to_owned));
    let (found, _) = app.changes(&start, &format!("&account_id={}&types=order.confirmed", shop.account)).await;
    assert_eq!(found.len(), 1);
    let stream = app.ask(reqwest::Method::GET, &format!("/v1/changes/stream?after=beginning&account_id={other}")).open().await;
    assert_eq!(stream.status(), 200);
    // One that is not seen is as one that never was; one that was deleted has its history.
    let blind = app.person(&["changes:read/all", "accounts:read/own"], &[], &[]).await.app;
    for id in [&other, &random_id()] {
        blind.get(&format!("/v1/changes?account_id={id}")).await.refused(400, "invalid_query").fault("?account_id", "unknown_reference");
    }
    app.delete(&format!("/v1/accounts/{other}")).await.is(204);
    assert!(of(&other).await.contains(&"accounts".to_owned()));
}

async fn snapshot_without_the_permission_to_read_it_is_refused_by_name(app: App) {
    express(&app, json!({})).await;
    let grants = ["credit-snapshots:create/all", "credit-snapshots:complete/all", "credit-balances:push/all"];
    let key = app.as_(&app.api_key(&grants, json!({"systems": ["express"]})).await.is(201).text_of("token"));
    let opened =
        key.post("/v1/credit-balances/snapshots", json!({"system": "express", "entity": "TH01", "currency": "THB", "expected_items": 0}));
    let path = format!("/v1/credit-balances/snapshots/{}", opened.await.is(201).id());
    let complete = |by: &App| by.post(&format!("{path}/complete"), json!({"items": 0, "receivable_total": "0.00"}));
    for refused in [complete(&key).await, key.get(&path).await] {
        assert_eq!(refused.refused(403, "forbidden")["allowed"], json!(["credit-snapshots:read"]));
    }
    let without = app.person(&["credit-balances:push/all"], &[], &[]).await.app;
    let all = json!(["credit-snapshots:complete", "credit-snapshots:read"]);
    assert_eq!(complete(&without).await.refused(403, "forbidden")["allowed"], all);
    let more = [&grants[..], &["credit-snapshots:read/all"]].concat();
    complete(&app.as_(&app.api_key(&more, json!({"systems": ["express"]})).await.is(201).text_of("token"))).await.is(200);
}

/// A line of an invoice of all of an order, as it comes with a balance.
fn posted(order: &Answer, document: &str) -> Value {
    json!({"document_no": document, "order_id": order["id"], "order_line_id": order["lines"][0]["id"],
        "quantity": order["lines"][0]["quantity"], "amount": order["total_amount"], "posted_at": from_now(-1)})
}

/// Three customers of the shop, each with an order of one piece of tea.
async fn customers(app: &App, shop: &Shop) -> Vec<(String, Answer)> {
    express(app, json!({})).await;
    let mut all = vec![];
    for name in ["A", "B", "C"] {
        let account =
            app.put(&format!("/v1/accounts/by-external-id/express/{name}"), json!({"name": name, "currency": "THB"})).await.is(201).id();
        let lines = json!([{"product_id": shop.tea, "quantity": "1"}]);
        let order = app.post("/v1/orders", json!({"account_id": account, "lines": lines})).await.is(201);
        app.post(&format!("/v1/orders/{}/submit", order.id()), json!({})).await.is(200);
        push(app, json!([{"external_id": name, "as_of": from_now(-100), "credit_limit": {"kind": "unlimited"}, "receivable": "0"}])).await;
        let order = app.post(&format!("/v1/orders/{}/confirm", order.id()), json!({})).await.is(200);
        assert_eq!(order["status"], "confirmed", "{}", order.text);
        all.push((account, order));
    }
    all
}

fn with_invoices(items: Value, invoices: &[Value]) -> Value {
    let mut body = batch(&items);
    body["invoices"] = json!(invoices);
    body
}

fn owed(name: &str) -> Value {
    json!({"external_id": name, "as_of": from_now(0), "receivable": "107.00"})
}

async fn batch_with_invoices_names_every_missing_permission_at_once(app: App) {
    let shop = Shop::open(&app).await;
    let all = customers(&app, &shop).await;
    let body = with_invoices(json!([owed("A")]), &[posted(&all[0].1, "IV-1")]);
    let sender = app.person(&["credit-balances:push/all", "orders:read/all"], &[], &[]).await.app;
    let refused = sender.post("/v1/credit-balances/batch", body.clone()).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["order-invoices:create", "order-invoices:update", "order-invoices:read"]));
    let nobody = app.person(&[], &[], &[]).await.app;
    let refused = nobody.post("/v1/credit-balances/batch", body.clone()).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"].as_array().unwrap().len(), 5, "{}", refused.text);
    let grants = [
        "credit-balances:push/all",
        "orders:read/all",
        "order-invoices:create/all",
        "order-invoices:update/all",
        "order-invoices:read/all",
    ];
    let done = app.person(&grants, &[], &[]).await.app.post("/v1/credit-balances/batch", body).await.is(200);
    assert_eq!((statuses(&done), &done["invoices"][0]["status"]), (vec!["applied"], &json!("created")), "{}", done.text);
}

async fn refused_invoice_refuses_itself_and_its_customer_alone(app: App) {
    let shop = Shop::open(&app).await;
    let all = customers(&app, &shop).await;
    let [a, b, c] = [&all[0].1, &all[1].1, &all[2].1];
    let mut too_much = posted(b, "IV-2");
    too_much["paid_amount"] = json!("107.01");
    let mut no_amount = posted(c, "IV-4");
    no_amount["amount"] = json!(1);
    let mut unknown = posted(c, "IV-5");
    unknown["order_id"] = json!(random_id());
    let items = json!([owed("A"), owed("B"), owed("C"), {"external_id": "nobody's", "as_of": from_now(0), "receivable": "1.00"}]);
    let first = posted(a, "IV-1");
    let invoices = [first.clone(), too_much, posted(b, "IV-3"), unknown];
    let body = with_invoices(items.clone(), &invoices);
    let dry = app.post("/v1/credit-balances/batch?dry_run=true", body.clone()).await.is(200);
    let done = app.post("/v1/credit-balances/batch", body.clone()).await.is(200);
    let of = |answer: &Answer, part: &str| -> Vec<(String, String)> {
        let one =
            |r: &Value| (r["status"].as_str().unwrap().to_owned(), r["error"]["errors"][0]["pointer"].as_str().unwrap_or("-").to_owned());
        answer[part].as_array().unwrap().iter().map(one).collect()
    };
    let said = |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    for answer in [&dry, &done] {
        assert_eq!(
            of(answer, "invoices"),
            said(&[("created", "-"), ("failed", "/paid_amount"), ("created", "-"), ("failed", "/order_id")]),
            "{}",
            answer.text
        );
        assert_eq!(
            of(answer, "results"),
            said(&[("applied", "-"), ("failed", ""), ("applied", "-"), ("failed", "/external_id")]),
            "{}",
            answer.text
        );
    }
    assert_eq!((&done["results"][1]["external_id"], faults(&done)[1]), (&json!("B"), "invoice_refused"));
    assert_eq!((&done["results"][3]["error"]["code"], &done["summary"]["applied"]), (&json!("unknown_external_id"), &json!(2)));
    assert_eq!(balance(&app, &all[0].0).await["receivable"], "107.00");
    assert_eq!(balance(&app, &all[1].0).await["receivable"], "0.00", "the balance may include what was refused");
    assert_eq!(app.all("/v1/order-invoices", 50).await.len(), 2);
    // What breaks a schema is refused alone, too.
    let done = app.post("/v1/credit-balances/batch", with_invoices(json!([owed("A"), owed("C")]), &[no_amount])).await.is(200);
    assert_eq!((of(&done, "invoices"), statuses(&done)), (said(&[("failed", "/amount")]), vec!["applied", "failed"]));
    // Mended and sent again, it is all there.
    let mended = [first, posted(b, "IV-2"), posted(c, "IV-4")];
    let done = app.post("/v1/credit-balances/batch", with_invoices(json!([owed("B"), owed("C")]), &mended)).await.is(200);
    assert_eq!((of(&done, "invoices")[0].0.as_str(), statuses(&done)), ("unchanged", vec!["applied"; 2]), "{}", done.text);
    assert_eq!(balance(&app, &all[1].0).await["receivable"], "107.00");
}

async fn invoice_named_twice_in_a_batch_is_refused_each_time(app: App) {
    let shop = Shop::open(&app).await;
    let all = customers(&app, &shop).await;
    let mut half = posted(&all[0].1, "IV-1");
    half["amount"] = json!("50.00");
    let invoices = [half, posted(&all[0].1, "IV-1"), posted(&all[1].1, "IV-1")];
    let done = app.post("/v1/credit-balances/batch", with_invoices(json!([owed("A"), owed("B")]), &invoices)).await.is(200);
    let fault = |n: usize| (&done["invoices"][n]["status"], &done["invoices"][n]["error"]["errors"][0]["code"]);
    assert_eq!((fault(0), fault(1)), ((&json!("failed"), &json!("repeated")), (&json!("failed"), &json!("repeated"))));
    assert_eq!((&done["invoices"][2]["status"], statuses(&done)), (&json!("created"), vec!["failed", "applied"]), "{}", done.text);
    assert_eq!(app.all("/v1/order-invoices", 50).await.len(), 1);
}

async fn revision_that_is_no_number_is_refused_and_the_greater_number_wins(app: App) {
    express(&app, json!({})).await;
    let account = customer(&app, "A").await;
    let item = |revision: &str, receivable: &str| json!([{"external_id": "A", "as_of": "2026-01-02T10:00:00Z", "source_revision": revision, "receivable": receivable}]);
    assert_eq!(statuses(&push(&app, item("11", "1.00")).await), ["applied"]);
    assert_eq!(statuses(&push(&app, item("18446744073709551615", "2.00")).await), ["applied"]);
    assert_eq!(statuses(&push(&app, item("99999999999999999999", "3.00")).await), ["applied"]);
    for odd in ["rev-12", "1e3", "", "-1", "+1", "1.0", " 1", "๑๒"] {
        let done = push(&app, item(odd, "9.00")).await;
        assert_eq!((statuses(&done)[0], faults(&done)[0]), ("failed", "invalid_format"), "{odd:?}");
        assert_eq!(done["results"][0]["error"]["errors"][0]["pointer"], "/source_revision");
    }
    assert_eq!(statuses(&push(&app, item("000011", "9.00")).await), ["stale"]);
    assert_eq!(balance(&app, &account).await["receivable"], "3.00");
}

async fn stale_push_says_what_is_known(app: App) {
    express(&app, json!({})).await;
    customer(&app, "A").await;
    let item = |hour: u32, revision: &str| json!([{"external_id": "A", "as_of": format!("2026-01-02T{hour:02}:00:00Z"), "source_revision": revision, "receivable": "1.00"}]);
    push(&app, item(10, "7")).await;
    for late in [item(9, "8"), item(10, "6")] {
        let done = push(&app, late).await;
        assert_eq!((statuses(&done)[0], faults(&done)[0]), ("stale", "superseded"));
        let message = done["results"][0]["error"]["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("2026-01-02T10:00:00Z") && message.contains("revision 7"), "{message}");
    }
}

async fn included_orders_are_taken_out_of_what_the_ledger_says(app: App) {
    let shop = Shop::open(&app).await;
    let all = customers(&app, &shop).await;
    let (account, order) = &all[0];
    let exposure = async || {
        let found = credit(&app, account).await;
        ["receivable", "open_orders", "unbilled_deliveries", "authorised", "exposure"].map(|f| found[f].as_str().unwrap().to_owned())
    };
    let say = async |seconds: i64, more: Value| {
        let mut item = json!({"external_id": "A", "as_of": from_now(seconds), "receivable": "10.00"});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        push(&app, json!([item])).await
    };
    // The ledger has the order too, beside one of its own.
    say(-50, json!({"open_orders": "150.00"})).await;
    assert_eq!(exposure().await, ["10.00", "150.00", "0.00", "107.00", "267.00"], "counted twice, unless the sender says so");
    for name in [&order["number"], &order["id"]] {
        let done = say(0, json!({"open_orders": "150.00", "included_orders": [name]})).await;
        assert_eq!(statuses(&done), ["applied"], "{}", done.text);
        assert_eq!(exposure().await, ["10.00", "43.00", "0.00", "107.00", "160.00"]);
    }
    let said = json!({"open_orders": "100.00", "unbilled_deliveries": "50.00", "included_orders": [order["number"], order["id"]]});
    say(0, said.clone()).await;
    assert_eq!(exposure().await, ["10.00", "0.00", "43.00", "107.00", "160.00"], "each once, and never below zero");
    let kept = balance(&app, account).await;
    assert_eq!((&kept["included_open_orders"], &kept["included_unbilled_deliveries"]), (&json!("100.00"), &json!("7.00")));
    // Invoiced after the balance was true: it is owed now and was open then.
    let mut invoice = posted(order, "IV-1");
    invoice["system"] = json!("express");
    invoice["posted_at"] = json!(from_now(60));
    app.make("/v1/order-invoices", invoice).await;
    assert_eq!(exposure().await[4], "160.00");
    say(30, said).await;
    assert_eq!(exposure().await[4], "160.00", "as of before the invoice");
    say(90, json!({"receivable": "117.00", "open_orders": "43.00"})).await;
    assert_eq!(exposure().await, ["117.00", "43.00", "0.00", "0.00", "160.00"]);
    // What is not the customer's is refused, and so is who may not read orders.
    for other in [json!(all[1].1["number"]), json!("SO-999999"), json!(random_id())] {
        let done = say(100, json!({"open_orders": "1.00", "included_orders": [other]})).await;
        assert_eq!((statuses(&done)[0], faults(&done)[0]), ("failed", "unknown_reference"), "{}", done.text);
    }
    let sender = app.person(&["credit-balances:push/all"], &[], &[]).await.app;
    let item = json!({"external_id": "A", "as_of": from_now(110), "open_orders": "1.00", "included_orders": [order["number"]]});
    let refused = sender.post("/v1/credit-balances/batch", batch(&json!([item]))).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["orders:read"]));
    // Kept for an unmapped number, it is taken as if it had come in then.
    let late = json!({"external_id": "late", "as_of": from_now(120), "open_orders": "100.00", "included_orders": [all[1].1["number"]]});
    push(&app, json!([late])).await;
    map(&app, "late", &all[1].0).await.is(201);
    let found = credit(&app, &all[1].0).await;
    assert_eq!((&found["open_orders"], &found["authorised"]), (&json!("0.00"), &json!("107.00")), "{}", found.text);
}
