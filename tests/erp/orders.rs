//! From what was shipped to what was invoiced, paid and owed: counted once, whatever comes first and how often.

use super::*;

crate::on_both![
    what_was_shipped_is_invoiced_and_paid,
    parts_of_an_order_add_up_to_the_whole,
    misfortunes_invoice_nothing_twice,
    a_balance_that_tells_what_it_includes_counts_nothing_twice,
    what_was_shipped_before_it_came_is_invoiced_once,
];

/// A company with prices.
pub async fn prices(app: &App) {
    company(app, 4, 0..3).await;
    app.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT 7 %", "rate": "7"})).await;
    app.make("/v1/price-books", json!({"name": "Retail", "currency": "THB", "is_default": true})).await;
    for product in app.all("/v1/products", 50).await {
        app.patch(&format!("/v1/products/{}", product["id"].as_str().unwrap()), json!({"tax_code": "VAT7"})).await.is(200);
    }
}

/// The same, with goods on its accounting system's shelves and customers who may owe a lot.
async fn shop(app: &App) -> (Erp, Vec<String>) {
    shop_of(app, Some("TH01")).await
}

/// The same for the books of one legal entity, or of several.
pub async fn shop_of(app: &App, entity: Option<&str>) -> (Erp, Vec<String>) {
    prices(app).await;
    let erp = Erp::of_entity(app, entity).await;
    let mut first = erp.with("--opening-stock 0 --opening-invoices 0 --credit-limit 1000000");
    first.run().await.unwrap();
    for n in 0..3 {
        assert!(first.receive(&format!("S{n}"), Amount::whole(1000)).unwrap());
    }
    first.run().await.unwrap();
    let baht = first.customers().unwrap().into_iter().filter(|c| c.currency == "THB");
    (erp, baht.map(|c| c.account_id.to_string()).collect())
}

/// What the books say that a customer owes.
fn owed(erp: &Simulator, account: &str) -> Amount {
    erp.customers().unwrap().into_iter().find(|c| c.account_id.to_string() == account).unwrap().receivable
}

/// An order of so many of S0 and S1 at 33.33, confirmed.
pub async fn order(app: &App, account: &str, pieces: [&str; 2]) -> Answer {
    let line = |n: usize| json!({"sku": format!("S{n}"), "quantity": pieces[n], "unit_price": "33.33", "discount_percent": "2.5"});
    let order = app.post("/v1/orders", json!({"account_id": account, "currency": "THB", "lines": [line(0), line(1)]})).await.is(201);
    app.post(&format!("/v1/orders/{}/submit", order.id()), json!({})).await.is(200);
    let order = app.post(&format!("/v1/orders/{}/confirm", order.id()), json!({})).await.is(200);
    assert_eq!(order["status"], "confirmed", "{}", order.text);
    order
}

/// Ships all of an order, or so many of its first line.
pub async fn ship(app: &App, order: &Answer, pieces: Option<&str>) -> String {
    let lines = pieces.map(|pieces| json!({"lines": [{"order_line_id": order["lines"][0]["id"], "quantity": pieces}]}));
    let planned = app.post(&format!("/v1/orders/{}/create-shipment", order.id()), lines.unwrap_or(json!({}))).await.is(201);
    app.post(&format!("/v1/shipments/{}/ship", planned.id()), json!({})).await.is(200);
    planned.id()
}

pub async fn of_order(app: &App, order: &Answer) -> Answer {
    app.get(&format!("/v1/orders/{}", order.id())).await.is(200)
}

async fn what_was_shipped_is_invoiced_and_paid(app: App) {
    let (setting, accounts) = shop(&app).await;
    let order = order(&app, &accounts[0], ["10", "3"]).await;
    let mut erp = setting.with("--pay 0");
    erp.run().await.unwrap();
    assert_eq!(erp.journal().unwrap(), Vec::<String>::new(), "nothing has left");
    ship(&app, &order, None).await;
    erp.run().await.unwrap();
    let total = amount(&order["total_amount"]);
    assert_eq!(owed(&erp, &accounts[0]), total);
    let now = of_order(&app, &order).await;
    assert_eq!((&now["invoice_status"], &now["payment_status"], &now["open_amount"]), (&json!("fully"), &json!("none"), &json!("0.00")));
    let lines = app.all(&format!("/v1/order-invoices?order_id={}", order.id()), 50).await;
    assert_eq!(lines.iter().map(|l| &l["document_no"]).collect::<Vec<_>>(), ["IV-000001", "IV-000001"]);
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
    // A year later everything is paid.
    let mut erp = setting.with("--pay 0.9 --today 2027-11-20");
    while owed(&erp, &accounts[0]).is_positive() {
        erp = setting.with(&format!("--pay 0.9 --today {}", erp.today().unwrap().succ_opt().unwrap()));
        erp.run().await.unwrap();
    }
    let now = of_order(&app, &order).await;
    assert_eq!((&now["payment_status"], amount(&now["paid_amount"])), (&json!("fully"), total));
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
}

async fn parts_of_an_order_add_up_to_the_whole(app: App) {
    let (setting, accounts) = shop(&app).await;
    let order = order(&app, &accounts[1], ["7", "1"]).await;
    let mut erp = setting.with("--pay 0");
    for pieces in [Some("1"), Some("2"), Some("1"), None] {
        ship(&app, &order, pieces).await;
        erp.run().await.unwrap();
        let (now, owed) = (of_order(&app, &order).await, owed(&erp, &accounts[1]));
        assert_eq!(amount(&now["invoiced_amount"]), owed, "{}", now.text);
        assert_eq!(amount(&now["open_amount"]) + owed, amount(&order["total_amount"]));
        agree(&app, &erp).await;
    }
    assert_eq!(owed(&erp, &accounts[1]), amount(&order["total_amount"]));
    assert_eq!(erp.journal().unwrap().len(), 4);
    owe_what_the_books_say(&app, &erp).await;
    adds_up(&app).await;
}

async fn misfortunes_invoice_nothing_twice(app: App) {
    in_trouble(&app, "apart").await;
}

async fn a_balance_that_tells_what_it_includes_counts_nothing_twice(app: App) {
    in_trouble(&app, "with-balances").await;
}

async fn in_trouble(app: &App, telling: &str) {
    let (setting, accounts) = shop(app).await;
    let mut total = Amount::default();
    for round in 0..3 {
        for n in 0..4 {
            let order = order(app, &accounts[n % accounts.len()], ["2", "3"]).await;
            total = total + amount(&order["total_amount"]);
            ship(app, &order, (n == 2).then_some("1")).await;
            if n == 2 {
                ship(app, &order, None).await;
            }
        }
        let words = "--batch 3 --slow 1 --repeat 0.3 --reorder 0.6 --drop 0.3 --restart 0.05 --pay 0.4";
        let mut erp = setting.with(&format!("{words} --seed {round} --invoices {telling} --today 202{}-01-01", 7 + round));
        erp.run().await.unwrap();
        agree(app, &erp).await;
        owe_what_the_books_say(app, &erp).await;
        let orders = app.all("/v1/orders", 50).await;
        let paid: Amount = orders.iter().map(|o| amount(&o["paid_amount"])).sum();
        assert_eq!(erp.customers().unwrap().iter().map(|c| c.receivable).sum::<Amount>(), total - paid);
        let invoices = erp.journal().unwrap().iter().filter(|line| line.contains(" invoice ")).count();
        assert_eq!(invoices, 5 * (round + 1), "an invoice for each shipment");
    }
    adds_up(app).await;
}

async fn what_was_shipped_before_it_came_is_invoiced_once(app: App) {
    prices(&app).await;
    app.make("/v1/warehouses", json!({"code": "BKK1", "name": "Bangkok"})).await;
    let lines = json!([{"sku": "S0", "quantity": "10"}, {"sku": "S1", "quantity": "10"}]);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": lines})).await.is(201);
    let account = app.all("/v1/accounts", 50).await.iter().find(|a| a["currency"] == "THB").unwrap()["id"].as_str().unwrap().to_owned();
    let before = order(&app, &account, ["1", "1"]).await;
    ship(&app, &before, None).await;
    let setting = Erp::of(&app).await;
    let words = "--pay 0 --opening-invoices 0 --opening-stock 0";
    setting.with(words).run().await.unwrap();
    let after = order(&app, &account, ["1", "2"]).await;
    ship(&app, &after, None).await;
    let mut erp = setting.with(words);
    erp.run().await.unwrap();
    assert_eq!(erp.journal().unwrap().len(), 2);
    for one in [&before, &after] {
        assert_eq!(of_order(&app, one).await["invoiced_amount"], one["total_amount"]);
    }
    assert!(erp.items().unwrap().iter().all(|i| i.on_hand == Amount::default()), "what left another warehouse is no business of ours");
    owe_what_the_books_say(&app, &erp).await;
}
