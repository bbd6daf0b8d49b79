//! Goods that come back, rebates, allowances, two legal entities and a second currency: the books still agree, whatever goes wrong.

use super::{
    orders::{of_order, order, ship, shop_of},
    *,
};

crate::on_both![
    goods_that_come_back_are_credited_and_promised_again,
    rebate_leaves_nothing_open_and_allowance_reopens_nothing,
    two_entities_and_two_currencies_agree_ledger_by_ledger,
    books_agree_after_returns_rebates_and_allowances_told_apart_in_disorder,
    books_agree_after_returns_rebates_and_allowances_told_with_balances_in_disorder,
];

async fn goods_that_come_back_are_credited_and_promised_again(app: App) {
    let (setting, accounts) = shop_of(&app, Some("TH01")).await;
    let order = order(&app, &accounts[0], ["2", "3"]).await;
    let total = amount(&order["total_amount"]);
    let mut erp = setting.with("--pay 0");
    let on_hand = |erp: &Simulator| erp.items().unwrap().iter().map(|i| i.on_hand).sum::<Amount>();
    let before = on_hand(&erp);
    let shipment = ship(&app, &order, None).await;
    erp.run().await.unwrap();
    assert_eq!(on_hand(&erp), before - Amount::whole(5));
    app.post(&format!("/v1/shipments/{shipment}/fail"), json!({"reason": "Nobody was there."})).await.is(200);
    erp.run().await.unwrap();
    let now = of_order(&app, &order).await;
    assert_eq!((amount(&now["open_amount"]), amount(&now["credited_amount"])), (total, total), "{}", now.text);
    assert_eq!((on_hand(&erp), erp.journal().unwrap().len()), (before, 2), "an invoice and a credit note");
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
    ship(&app, &order, None).await;
    erp.run().await.unwrap();
    assert_eq!(of_order(&app, &order).await["open_amount"], "0.00");
    assert_eq!(erp.journal().unwrap().len(), 3);
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
}

async fn rebate_leaves_nothing_open_and_allowance_reopens_nothing(app: App) {
    let (setting, accounts) = shop_of(&app, Some("TH01")).await;
    let mut total = Amount::default();
    let mut orders = vec![];
    for account in &accounts {
        let order = order(&app, account, ["7", "2"]).await;
        ship(&app, &order, Some("3")).await;
        ship(&app, &order, None).await;
        total = total + amount(&order["total_amount"]);
        orders.push(order);
    }
    let mut erp = setting.with("--pay 0 --rebate 0.6 --allowance 0.6");
    erp.run().await.unwrap();
    let owed: Amount = erp.customers().unwrap().iter().map(|c| c.receivable).sum();
    assert!(owed < total, "nothing was let off");
    for order in &orders {
        let now = of_order(&app, order).await;
        assert_eq!((&now["open_amount"], &now["invoice_status"]), (&json!("0.00"), &json!("fully")), "{}", now.text);
    }
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
}

async fn two_entities_and_two_currencies_agree_ledger_by_ledger(app: App) {
    company(&app, 8, 0..4).await;
    exchange_rate(&app).await;
    let words = "--second-entity TH02 --second-currency USD --trade 60 --pay 0.3";
    let mut erp = Erp::of_entity(&app, None).await.with(words);
    erp.run().await.unwrap();
    let ledgers = erp.ledgers().unwrap();
    let kinds: std::collections::BTreeSet<_> = ledgers.iter().map(|l| (l.entity.clone(), l.currency.clone())).collect();
    assert_eq!(kinds.len(), 4, "{kinds:?}");
    assert!(ledgers.iter().filter(|l| l.receivable.is_positive()).count() > 8);
    agree(&app, &erp).await;
    owe_what_the_books_say(&app, &erp).await;
}

async fn books_agree_after_returns_rebates_and_allowances_told_apart_in_disorder(app: App) {
    in_disorder(&app, "apart").await;
}

async fn books_agree_after_returns_rebates_and_allowances_told_with_balances_in_disorder(app: App) {
    in_disorder(&app, "with-balances").await;
}

async fn in_disorder(app: &App, telling: &str) {
    let (setting, mut accounts) = shop_of(app, None).await;
    exchange_rate(app).await;
    // A customer with an account in baht orders in dollars, too.
    app.make("/v1/price-books", json!({"name": "Export", "currency": "USD", "is_default": true})).await;
    accounts.truncate(3);
    let mut back: Vec<String> = vec![];
    for round in 0..3 {
        // What left in the round before comes back while this one's is on its way.
        for shipment in back.drain(..) {
            app.post(&format!("/v1/shipments/{shipment}/fail"), json!({})).await.is(200);
        }
        for n in 0..4 {
            let order = if n == 3 { abroad(app, &accounts[0]).await } else { order(app, &accounts[n % accounts.len()], ["2", "3"]).await };
            let shipment = ship(app, &order, (n == 2).then_some("1")).await;
            if n % 2 == 0 {
                back.push(shipment);
            }
        }
        // One comes back before accounting has heard of it.
        app.post(&format!("/v1/shipments/{}/fail", back.pop().unwrap()), json!({})).await.is(200);
        let words = "--batch 3 --slow 1 --repeat 0.3 --reorder 0.6 --drop 0.3 --restart 0.05 --pay 0.4 --rebate 0.4 --allowance 0.4";
        let more = format!("--second-entity TH02 --second-currency USD --trade {} --seed {round}", 5 * (round + 1));
        let mut erp = setting.with(&format!("{words} {more} --invoices {telling} --today 202{}-01-01", 7 + round));
        erp.run().await.unwrap();
        assert_eq!(erp.report().failed, Vec::<String>::new());
        agree(app, &erp).await;
        owe_what_the_books_say(app, &erp).await;
    }
    adds_up(app).await;
}

/// An order in dollars, confirmed.
async fn abroad(app: &App, account: &str) -> Answer {
    let line = json!({"sku": "S0", "quantity": "2", "unit_price": "10.00"});
    let order = app.post("/v1/orders", json!({"account_id": account, "currency": "USD", "lines": [line]})).await.is(201);
    app.post(&format!("/v1/orders/{}/submit", order.id()), json!({})).await.is(200);
    let order = app.post(&format!("/v1/orders/{}/confirm", order.id()), json!({})).await.is(200);
    if order["status"] == "confirmed" {
        return order;
    }
    // Without a rate the limit in baht says nothing of dollars: a person lets it pass.
    let order = app.post(&format!("/v1/orders/{}/release", order.id()), json!({"reason": "Paid in advance."})).await.is(200);
    assert_eq!(order["status"], "confirmed", "{}", order.text);
    order
}
