//! Boards: totals are what a recount says, whatever was done and by however many at once.

use super::*;
use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};

crate::on_both![
    a_board_has_twenty_cards_of_each_stage_in_the_order_of_their_days,
    totals_are_the_recount_after_anything,
    sixty_four_at_once_leave_totals_that_add_up,
    lost_totals_are_found_and_counted_anew,
    hidden_amounts_are_hidden_on_the_board,
    a_stage_tells_when_there_is_too_much_in_it,
];

async fn a_board_has_twenty_cards_of_each_stage_in_the_order_of_their_days(app: App) {
    let funnel = Funnel::open(&app).await;
    let items: Vec<Value> = (0..25)
        .map(|n| json!({"name": format!("D{n:02}"), "account_id": funnel.account, "amount": "1.00", "expected_close_on": format!("2027-01-{:02}", 28 - n % 28)}))
        .collect();
    app.make_many("/v1/opportunities", &items).await;
    let column = funnel.column(&app, "qualified").await;
    assert_eq!((&column["count"], &column["has_more"], &column["totals"][0]["count"]), (&json!(25), &json!(true), &json!(25)));
    let cards = column["cards"].as_array().unwrap();
    let days = texts(cards, "expected_close_on");
    assert_eq!(cards.len(), 20);
    assert!(days.is_sorted() && days[0] == "2027-01-04", "{days:?}");
    let empty = funnel.column(&app, "proposal").await;
    assert_eq!((&empty["count"], &empty["cards"], &empty["totals"]), (&json!(0), &json!([]), &json!([])));
    app.get(&format!("/v1/pipelines/{}/board", random_id())).await.refused(404, "not_found");
}

/// Anything that can be done to opportunities, by a die that is cast the same way each time.
async fn totals_are_the_recount_after_anything(app: App) {
    let funnel = Funnel::open(&app).await;
    let (other, others) = pipeline(&app, json!({"name": "Retail", "stages": stages()})).await;
    let (team, owner) = (app.team(None).await, app.person(&[], &[], &[]).await.id);
    let mut die = StdRng::seed_from_u64(7);
    let mut deals: Vec<String> = vec![];
    for n in 0..150 {
        if deals.len() < 5 || die.random_ratio(1, 6) {
            let currency = ["THB", "USD", "JPY"][die.random_range(0..3)];
            let amount = die.random_ratio(4, 5).then(|| format!("{}", die.random_range(0..900_000_000_000_000_i64)));
            deals.push(funnel.deal_with(&app, json!({"currency": currency, "amount": amount})).await.id());
            continue;
        }
        let deal = deals[die.random_range(0..deals.len())].clone();
        let path = format!("/v1/opportunities/{deal}");
        let stage = funnel.stage(["qualified", "proposal"][die.random_range(0..2)]).to_owned();
        // What its state does not allow is refused, and changes nothing.
        match die.random_range(0..12) {
            0 => drop(app.patch(&path, json!({"amount": format!("{}", die.random_range(0..1_000_000))})).await),
            1 => drop(app.patch(&path, json!({"probability": format!("{}.{}", die.random_range(0..100), n)})).await),
            2 => drop(app.patch(&path, json!({"owner_id": owner, "team_id": null})).await),
            3 => drop(app.patch(&path, json!({"team_id": team})).await),
            4 | 5 => drop(act(&app, &deal, "move-stage", json!({"stage_id": stage})).await),
            6 => drop(act(&app, &deal, "win", json!({})).await),
            7 => drop(act(&app, &deal, "lose", json!({"reason": "no"})).await),
            8 => drop(act(&app, &deal, "reopen", json!({"stage_id": stage})).await),
            9 => drop(act(&app, &deal, "change-pipeline", json!({"pipeline_id": other, "stage_id": others["proposal"]})).await),
            10 => drop(app.delete(&path).await),
            _ => drop(app.post(&format!("{path}/restore"), json!({})).await),
        }
        if n % 30 == 29 {
            boards_add_up(&app).await;
        }
    }
    let some: Vec<Value> = deals.iter().take(20).map(|id| json!({"id": id, "amount": "12.00", "currency": "THB"})).collect();
    app.post("/v1/opportunities/batch", json!({"mode": "update", "items": some})).await.is(200);
    // A try leaves nothing behind.
    app.post("/v1/opportunities?dry_run=true", json!({"name": "T", "account_id": funnel.account, "expected_close_on": "2027-01-31"}))
        .await
        .is(201);
    boards_add_up(&app).await;
    let column = funnel.column(&app, "qualified").await;
    let listed = app.get(&format!("/v1/opportunities?stage_id={}&count=exact&limit=1", funnel.stage("qualified"))).await.is(200);
    assert_eq!(column["count"], listed["total"]);
}

async fn sixty_four_at_once_leave_totals_that_add_up(app: App) {
    let funnel = Funnel::open(&app).await;
    let mut deals = vec![];
    for n in 0..64 {
        deals.push(funnel.deal(&app, &format!("{}.00", n + 1)).await.id());
    }
    let stages = ["proposal", "qualified"];
    join_all(deals.iter().enumerate().map(async |(n, deal)| {
        for k in 0..3 {
            let to = json!({"stage_id": funnel.stage(stages[(n + k) % 2])});
            let answer = loop {
                let answer = act(&app, deal, "move-stage", to.clone()).await;
                if answer.status != 503 {
                    break answer;
                }
            };
            answer.is(200);
        }
    }))
    .await;
    boards_add_up(&app).await;
    let counts = [funnel.column(&app, "qualified").await["count"].clone(), funnel.column(&app, "proposal").await["count"].clone()];
    assert_eq!(counts, [32, 32]);
}

async fn lost_totals_are_found_and_counted_anew(app: App) {
    let funnel = Funnel::open(&app).await;
    funnel.deal(&app, "10.00").await;
    funnel.deal(&app, "20.00").await;
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("UPDATE board_totals SET number = 7, amount_low = 1");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    let found = rebuild::check(&store).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].number, found[0].amount.1.to_string()), ((7, 2), "30.00".to_owned()));
    assert_eq!(rebuild::rebuild(&store).await.unwrap(), found);
    boards_add_up(&app).await;
    assert_eq!(funnel.column(&app, "qualified").await["totals"][0]["amount"], "30.00");
}

async fn hidden_amounts_are_hidden_on_the_board(app: App) {
    let funnel = Funnel::open(&app).await;
    funnel.deal(&app, "10.00").await;
    let rules = ["opportunities.amount=hidden"];
    let person = app.person(&["opportunities:read/all", "pipelines:read/all"], &rules, &[]).await.app;
    let column = funnel.column(&person, "qualified").await;
    assert_eq!((&column["count"], &column["totals"][0]["amount"]), (&json!(1), &json!(null)));
    assert_eq!((&column["totals"][0]["weighted_amount"], &column["cards"][0]["amount"]), (&json!(null), &json!(null)));
}

async fn a_stage_tells_when_there_is_too_much_in_it(app: App) {
    let funnel = Funnel::open(&app).await;
    let mut all = stages();
    all[0]["wip_limit"] = json!(1);
    app.patch(&format!("/v1/pipelines/{}", funnel.pipeline), json!({"stages": all})).await.is(200);
    funnel.deal(&app, "1.00").await;
    assert_eq!(funnel.column(&app, "qualified").await["is_over_wip_limit"], false);
    funnel.deal(&app, "1.00").await;
    assert_eq!(funnel.column(&app, "qualified").await["is_over_wip_limit"], true);
}
