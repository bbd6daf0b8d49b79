//! Many at once: never a piece oversold, never a satang over the limit, nobody waits for ever.

use super::*;
use crate::support::{app::run, database::Kind, program::Program};
use futures_util::future::join_all;

crate::on_both![sixty_four_order_the_last_of_stock_and_credit_at_once, everything_at_once_adds_up];

#[test]
fn over_four_processes_sixty_four_order_the_last_of_stock_and_credit_at_once() {
    run(Kind::Postgres, async |app| over_processes(app, the_last_of_stock_and_credit).await);
}

#[test]
fn over_four_processes_everything_at_once_adds_up() {
    run(Kind::Postgres, async |app| over_processes(app, everything).await);
}

/// With four programs on one database, each of which is asked in its turn.
async fn over_processes(app: App, test: impl AsyncFnOnce(&App, &[App])) {
    let programs: Vec<Program> = (0..4).map(|_| app.program(&[])).collect();
    let all: Vec<App> = programs.iter().map(|p| p.app.clone()).collect();
    test(&app, &all).await;
}

async fn sixty_four_order_the_last_of_stock_and_credit_at_once(app: App) {
    the_last_of_stock_and_credit(&app, std::slice::from_ref(&app)).await;
}

async fn everything_at_once_adds_up(app: App) {
    everything(&app, std::slice::from_ref(&app)).await;
}

/// Asks again what was too busy, as a client would.
async fn insist(ask: impl AsyncFn() -> Answer) -> Answer {
    loop {
        let answer = ask().await;
        if answer.status != 503 {
            return answer;
        }
        assert!(!answer.header("retry-after").is_empty());
    }
}

/// An order of so much tea, submitted by somebody who asks again; its id.
async fn submitted(shop: &Shop, app: &App, pieces: &str) -> String {
    let body = json!({"account_id": shop.account, "lines": [{"product_id": shop.tea, "quantity": pieces}]});
    let order = insist(async || app.post("/v1/orders", body.clone()).await).await.is(201).id();
    insist(async || act(app, &order, "submit", json!({})).await).await.is(200);
    order
}

fn satang(amount: &Value) -> i64 {
    amount.as_str().unwrap().replace('.', "").parse().unwrap()
}

async fn the_last_of_stock_and_credit(app: &App, all: &[App]) {
    let at = |n: usize| &all[n % all.len()];
    let shop = Shop::open(app).await;
    // A hundred pieces, and credit for ninety of them.
    shop.limit(app, "9630.00", "0.00").await;
    let pieces = |n: usize| (n % 4 + 1).to_string();
    let orders = join_all((0..64).map(async |n| submitted(&shop, at(n), &pieces(n)).await)).await;
    let pushes = async {
        // Accounting goes on telling the same, out of order and twice.
        for n in 0..20 {
            let item = json!({"external_id": "C-1", "as_of": from_now(30 - (n * 7) % 20), "receivable": "0.00",
                "credit_limit": {"kind": "limited", "amount": "9630.00"}});
            let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item.clone(), item]});
            insist(async || app.post("/v1/credit-balances/batch", batch.clone()).await).await.is(200);
        }
    };
    let confirms = join_all(
        orders.iter().enumerate().map(async |(n, order)| insist(async || act(at(n), order, "confirm", json!({})).await).await.is(200)),
    );
    let (answers, ()) = futures_util::future::join(confirms, pushes).await;
    let confirmed: Vec<&Answer> = answers.iter().filter(|a| a["status"] == "confirmed").collect();
    assert!(answers.iter().all(|a| a["status"] == "confirmed" || a["status"] == "on_hold"));
    let promised: i64 = confirmed.iter().map(|a| a["lines"][0]["quantity"].as_str().unwrap().parse::<i64>().unwrap()).sum();
    let committed: i64 = confirmed.iter().map(|a| satang(&a["committed_amount"])).sum();
    assert!(promised <= 90 && promised > 86, "{promised} pieces of ninety");
    assert_eq!(committed, promised * 10_700);
    assert_eq!(shop.standing(app).await, ["100".to_owned(), promised.to_string(), (100 - promised).to_string()]);
    assert_eq!(satang(&shop.available(app).await), 963_000 - committed);
    adds_up(app).await;
}

async fn everything(app: &App, all: &[App]) {
    let shop = Shop::open(app).await;
    // What goes on by itself would go on between the looks at what has become of it.
    app.patch(&format!("/v1/products/{}", shop.tea), json!({"releases_holds": false})).await.is(200);
    shop.limit(app, "100000.00", "0.00").await;
    let one = async |n: usize| {
        // Each step of it is another's.
        let turn = std::cell::Cell::new(n);
        let next = || &all[turn.replace(turn.get() + 1) % all.len()];
        let order = submitted(&shop, next(), "3").await;
        let confirmed = insist(async || act(next(), &order, "confirm", json!({})).await).await.is(200);
        if confirmed["status"] != "confirmed" {
            return;
        }
        let line = confirmed["lines"][0]["id"].clone();
        let amended = json!({"lines": [{"id": line, "quantity": (n % 5 + 1).to_string()}]});
        let after = insist(async || act(next(), &order, "amend", amended.clone()).await).await.is(200);
        match n % 4 {
            0 => {
                insist(async || act(next(), &order, "cancel", json!({})).await).await.is(200);
            }
            1 if after["status"] == "confirmed" => {
                let shipment = insist(async || plan(next(), &order, json!({})).await).await.is(201).id();
                insist(async || step(next(), &shipment, "ship", json!({})).await).await.is(200);
                if n % 8 == 1 {
                    insist(async || step(next(), &shipment, "fail", json!({})).await).await.is(200);
                }
            }
            2 => {
                insist(async || act(next(), &order, "close", json!({})).await).await.is(200);
            }
            _ => {
                let body = json!({"account_id": shop.account, "lines": [{"sku": "TEA", "quantity": "1"}]});
                let promise = insist(async || next().post("/v1/order-promises", body.clone()).await).await.is(201);
                if promise["status"] == "active" {
                    let body = json!({"account_id": shop.account, "promise_id": promise["id"]});
                    let order = insist(async || next().post("/v1/orders", body.clone()).await).await.is(201).id();
                    insist(async || act(next(), &order, "submit", json!({})).await).await.is(200);
                    let confirmed = insist(async || act(next(), &order, "confirm", json!({})).await).await.is(200);
                    assert_eq!(confirmed["status"], "confirmed", "{}", confirmed.text);
                }
            }
        }
    };
    join_all((0..48).map(one)).await;
    adds_up(app).await;
    let orders = app.all("/v1/orders", 200).await;
    let reserved: i64 = orders.iter().map(|o| o["lines"][0]["reserved_quantity"].as_str().unwrap().parse::<i64>().unwrap()).sum();
    let shipped: i64 = orders.iter().map(|o| o["lines"][0]["shipped_quantity"].as_str().unwrap().parse::<i64>().unwrap()).sum();
    assert_eq!(shop.standing(app).await, [(100 - shipped).to_string(), reserved.to_string(), (100 - shipped - reserved).to_string()]);
    let open: i64 = orders.iter().map(|o| satang(&o["open_amount"])).sum();
    assert_eq!(satang(&shop.available(app).await), 10_000_000 - open);
}
