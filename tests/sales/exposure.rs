//! What counts against a customer's credit: what is owed and what is promised, each once, by quantity.

use super::*;

crate::on_both![
    returned_and_credited_goods_are_promised_again,
    price_allowance_opens_nothing,
    rebate_on_every_piece_leaves_nothing_open,
    credited_and_paid_order_is_settled,
    credit_note_beyond_its_invoice_has_no_effect,
    credit_note_before_its_invoice_waits_for_it,
    invoice_counts_against_the_balance_of_its_entity,
    invoice_counts_against_the_balance_of_its_currency,
    repeated_row_in_a_batch_is_refused,
    row_that_contradicts_the_last_one_is_refused,
];

/// A document of accounting's about the first line of an order.
fn document(order: &Answer, kind: &str, number: &str, quantity: &str, amount: &str) -> Value {
    json!({"system": "erp", "document_no": number, "kind": kind, "order_id": order["id"], "order_line_id": order["lines"][0]["id"],
        "quantity": quantity, "amount": amount, "posted_at": from_now(0)})
}

async fn post(app: &App, order: &Answer, kind: &str, number: &str, quantity: &str, amount: &str) -> Value {
    app.make("/v1/order-invoices", document(order, kind, number, quantity, amount)).await
}

/// Pushes the balance of an entity with what it includes.
async fn push(app: &App, entity: &str, receivable: &str, as_of: Timestamp, mut invoices: Vec<Value>) -> Answer {
    for one in &mut invoices {
        one.as_object_mut().unwrap().remove("system");
    }
    let item = json!({"external_id": "C-1", "as_of": as_of, "receivable": receivable});
    let batch = json!({"system": "erp", "entity": entity, "currency": "THB", "items": [item], "invoices": invoices});
    app.post("/v1/credit-balances/batch", batch).await
}

async fn exposure(app: &App, shop: &Shop) -> String {
    app.get(&format!("/v1/accounts/{}/credit", shop.account)).await.is(200).text_of("exposure")
}

async fn returned_and_credited_goods_are_promised_again(app: App) {
    let shop = Shop::open(&app).await;
    shop.limit(&app, "600.00", "0.00").await;
    let order = shop.confirmed(&app, "5").await;
    let shipment = ship(&app, &order.id(), json!({})).await;
    let invoice = document(&order, "invoice", "INV-1", "5", "535.00");
    push(&app, "TH01", "535.00", from_now(1), vec![invoice]).await.is(200);
    assert_eq!(exposure(&app, &shop).await, "535.00");
    step(&app, &shipment, "fail", json!({})).await.is(200);
    let note = document(&order, "credit_note", "CN-1", "5", "535.00");
    push(&app, "TH01", "0.00", from_now(2), vec![note]).await.is(200);
    let now = read(&app, &order.id()).await;
    let told = ["status", "open_amount", "invoice_status", "payment_status"].map(|field| now[field].as_str().unwrap().to_owned());
    assert_eq!(told, ["confirmed", "535.00", "none", "settled"]);
    assert_eq!((&now["lines"][0]["credited_quantity"], exposure(&app, &shop).await), (&json!("5"), "535.00".to_owned()));
    let second = shop.submitted(&app, "5").await;
    assert_eq!(act(&app, &second.id(), "confirm", json!({})).await.is(200)["status"], "on_hold");
    // Closed, nothing of it is promised any more.
    act(&app, &order.id(), "close", json!({})).await.is(200);
    assert_eq!(exposure(&app, &shop).await, "0.00");
    assert_eq!(act(&app, &second.id(), "confirm", json!({})).await.is(200)["status"], "confirmed");
}

async fn price_allowance_opens_nothing(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    post(&app, &order, "invoice", "INV-1", "5", "535.00").await;
    post(&app, &order, "credit_note", "CN-1", "0", "107.00").await;
    let now = read(&app, &order.id()).await;
    assert_eq!((&now["open_amount"], &now["invoice_status"]), (&json!("0.00"), &json!("fully")));
    assert_eq!(exposure(&app, &shop).await, "428.00");
}

async fn rebate_on_every_piece_leaves_nothing_open(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    post(&app, &order, "invoice", "INV-1", "2", "192.60").await;
    let now = read(&app, &order.id()).await;
    assert_eq!((&now["open_amount"], &now["invoice_status"]), (&json!("321.00"), &json!("partly")));
    post(&app, &order, "invoice", "INV-2", "3", "288.90").await;
    let now = read(&app, &order.id()).await;
    assert_eq!((&now["open_amount"], &now["invoice_status"]), (&json!("0.00"), &json!("fully")));
    assert_eq!(exposure(&app, &shop).await, "481.50");
}

async fn credited_and_paid_order_is_settled(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "2").await;
    let mut invoice = document(&order, "invoice", "INV-1", "2", "214.00");
    invoice["paid_amount"] = json!("107.00");
    app.make("/v1/order-invoices", invoice).await;
    assert_eq!(read(&app, &order.id()).await["payment_status"], "partly");
    post(&app, &order, "credit_note", "CN-1", "0", "107.00").await;
    assert_eq!(read(&app, &order.id()).await["payment_status"], "settled");
    assert_eq!(app.get("/v1/orders?payment_status=settled").await.is(200)["data"].as_array().unwrap().len(), 1);
}

async fn credit_note_beyond_its_invoice_has_no_effect(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    post(&app, &order, "invoice", "INV-1", "1", "107.00").await;
    let note = post(&app, &order, "credit_note", "CN-1", "99", "128400.00").await;
    assert_eq!((&note["owed_amount"], &note["over_credited_amount"]), (&json!("-107.00"), &json!("128293.00")));
    assert_eq!(exposure(&app, &shop).await, "535.00", "all five are promised, nothing is owed");
    let found = app.get("/v1/credit-balances/reconciliation").await.is(200)["over_credited"].clone();
    let told = json!([{"order_invoice_id": note["id"], "system": "erp", "entity": null, "document_no": "CN-1", "order_id": order["id"],
        "order_line_id": order["lines"][0]["id"], "currency": "THB", "amount": "128293.00"}]);
    assert_eq!(found, told);
    let path = format!("/v1/order-invoices/{}", id(&note));
    let right = app.patch(&path, json!({"quantity": "0", "amount": "7.00", "as_of": from_now(5)})).await.is(200);
    assert_eq!((&right["owed_amount"], &right["over_credited_amount"]), (&json!("-7.00"), &json!("0.00")));
    assert_eq!(exposure(&app, &shop).await, "528.00");
}

async fn credit_note_before_its_invoice_waits_for_it(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let note = post(&app, &order, "credit_note", "CN-1", "0", "100.00").await;
    assert_eq!((&note["owed_amount"], exposure(&app, &shop).await), (&json!("0.00"), "535.00".to_owned()));
    let invoice = post(&app, &order, "invoice", "INV-1", "1", "60.00").await;
    assert_eq!(exposure(&app, &shop).await, "428.00");
    post(&app, &order, "invoice", "INV-2", "4", "428.00").await;
    assert_eq!(exposure(&app, &shop).await, "388.00");
    let path = format!("/v1/order-invoices/{}", id(&note));
    assert_eq!(app.get(&path).await.is(200)["over_credited_amount"], "0.00");
    // An invoice that is taken back takes back what could be given back of it.
    app.delete(&format!("/v1/order-invoices/{}", id(&invoice))).await.is(204);
    post(&app, &order, "credit_note", "CN-2", "0", "400.00").await;
    assert_eq!(read(&app, &order.id()).await["credited_amount"], "428.00");
    assert_eq!(exposure(&app, &shop).await, "107.00");
}

async fn invoice_counts_against_the_balance_of_its_entity(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    push(&app, "TH02", "50.00", from_now(-86_400), vec![]).await.is(200);
    let order = shop.confirmed(&app, "5").await;
    let posted = document(&order, "invoice", "INV-1", "5", "535.00");
    let as_of = from_now(1);
    push(&app, "TH01", "535.00", as_of, vec![posted.clone()]).await.is(200);
    assert_eq!(exposure(&app, &shop).await, "585.00");
    let kept = app.all("/v1/order-invoices?document_no=INV-1", 50).await;
    assert_eq!((&kept[0]["entity"], &kept[0]["balance_currency"]), (&json!("TH01"), &json!("THB")));
    // The same, the invoice alone and first.
    let mut alone = document(&order, "invoice", "INV-2", "1", "1.00");
    alone["entity"] = json!("TH02");
    app.make("/v1/order-invoices", alone).await;
    assert_eq!(exposure(&app, &shop).await, "586.00");
    push(&app, "TH02", "51.00", from_now(2), vec![]).await.is(200);
    assert_eq!(exposure(&app, &shop).await, "586.00");
}

async fn invoice_counts_against_the_balance_of_its_currency(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "5").await;
    let mut alone = document(&order, "invoice", "INV-1", "5", "535.00");
    alone["balance_currency"] = json!("USD");
    app.make("/v1/order-invoices", alone).await;
    push(&app, "TH01", "0.00", from_now(10), vec![]).await.is(200);
    assert_eq!(exposure(&app, &shop).await, "535.00", "the balance in baht does not include it");
}

async fn repeated_row_in_a_batch_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "3").await;
    let rows = vec![document(&order, "invoice", "INV-1", "2", "214.00"), document(&order, "invoice", "INV-1", "1", "107.00")];
    let answer = push(&app, "TH01", "321.00", from_now(1), rows).await.is(200);
    for result in answer["invoices"].as_array().unwrap() {
        assert_eq!(result["error"]["errors"][0]["code"], "repeated", "{}", answer.text);
    }
    assert_eq!(exposure(&app, &shop).await, "321.00");
    assert!(app.all("/v1/order-invoices", 50).await.is_empty());
}

async fn row_that_contradicts_the_last_one_is_refused(app: App) {
    let shop = Shop::open(&app).await;
    shop.say_first(&app).await;
    let order = shop.confirmed(&app, "3").await;
    let mut first = document(&order, "invoice", "INV-1", "2", "214.00");
    let path = "/v1/order-invoices/by-external-id/erp/INV-1-1";
    app.put(path, first.clone()).await.is(201);
    app.put(path, first.clone()).await.is(200);
    let mut second = first.clone();
    second["quantity"] = json!("1");
    app.put(path, second.clone()).await.is(409).fault("/as_of", "same_as_of_different_values");
    // What is paid of it changes without another word of the document.
    first["paid_amount"] = json!("214.00");
    app.put(path, first).await.is(200);
    second["as_of"] = json!(from_now(5));
    second["amount"] = json!("250.00");
    let now = app.put(path, second).await.is(200);
    assert_eq!((&now["quantity"], &now["amount"]), (&json!("1"), &json!("250.00")));
}
