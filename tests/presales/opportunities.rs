//! Opportunities: the state is `status`, and probability, category and history follow from the stage.

use super::*;
use samphan_api::presales::opportunity;
use samphan_domain::presales::opportunity::Opportunity;
use samphan_persistence::{stored, timers};
use samphan_resource::{caller::Caller, resource::Resource, scalar::Scalar};
use std::sync::Arc;

crate::on_both![
    stage_decides_probability_and_category_until_another_is_sent,
    what_an_action_changes_is_not_patched,
    a_batch_moved_to_a_stage_has_its_probability,
    a_won_opportunity_is_reopened_and_a_lost_one_stays_lost,
    exit_criteria_keep_an_opportunity_back_and_are_named,
    exit_criteria_look_at_the_account,
    passing_exit_criteria_by_force_needs_the_permission,
    shares_add_up_to_a_hundred,
    another_currency_takes_another_amount,
    bad_input_is_refused_with_its_place,
    history_keeps_stages_amounts_and_days,
    an_opportunity_rots_in_its_stage_and_not_in_the_next,
    a_clone_is_open_and_new,
    a_blocked_customer_gets_no_opportunity,
    an_opportunity_changes_its_pipeline,
    sellers_see_and_move_what_is_theirs,
];

async fn stage_decides_probability_and_category_until_another_is_sent(app: App) {
    let funnel = Funnel::open(&app).await;
    let deal = funnel.deal(&app, "250000.00").await;
    assert_eq!((&deal["status"], &deal["stage_key"], &deal["currency"]), (&json!("open"), &json!("qualified"), &json!("THB")));
    assert_eq!((&deal["probability"], &deal["forecast_category"]), (&json!("20"), &json!("pipeline")));
    assert_eq!((&deal["weighted_amount"], &deal["is_probability_manual"]), (&json!("50000.00"), &json!(false)));
    let path = format!("/v1/opportunities/{}", deal.id());
    let own = app.patch(&path, json!({"probability": "35.5", "forecast_category": "commit"})).await.is(200);
    assert_eq!((&own["is_probability_manual"], &own["is_forecast_category_manual"]), (&json!(true), &json!(true)));
    assert_eq!(own["weighted_amount"], "88750.00");
    let back = app.patch(&path, json!({"probability": null, "forecast_category": null})).await.is(200);
    assert_eq!((&back["probability"], &back["is_probability_manual"]), (&json!("20"), &json!(false)));
    assert_eq!((&back["forecast_category"], &back["is_forecast_category_manual"]), (&json!("pipeline"), &json!(false)));
    app.patch(&path, json!({"probability": "90"})).await.is(200);
    let moved = act(&app, &deal.id(), "move-stage", json!({"stage_id": funnel.stage("proposal")})).await.is(200);
    assert_eq!((&moved["probability"], &moved["is_probability_manual"]), (&json!("60"), &json!(false)), "a stage ends what was sent");
    assert_eq!(moved["forecast_category"], "best_case");
    let again = act(&app, &deal.id(), "move-stage", json!({"stage_id": funnel.stage("proposal")})).await.is(200);
    assert_eq!(again["version"], moved["version"], "where it is already");
    boards_add_up(&app).await;
}

async fn what_an_action_changes_is_not_patched(app: App) {
    let funnel = Funnel::open(&app).await;
    let deal = funnel.deal(&app, "1.00").await;
    let path = format!("/v1/opportunities/{}", deal.id());
    let refused = app.patch(&path, json!({"stage_id": funnel.stage("won")})).await.refused(422, "validation_failed");
    assert!(refused.fault("/stage_id", "use_action")["message"].as_str().unwrap().ends_with("move-stage"), "{}", refused.text);
    app.patch(&path, json!({"pipeline_id": random_id()})).await.refused(422, "validation_failed").fault("/pipeline_id", "use_action");
    app.patch(&path, json!({"status": "won"})).await.refused(422, "validation_failed").fault("/status", "unknown_field");
    app.patch(&path, json!({"forecast_category": "closed"}))
        .await
        .refused(422, "validation_failed")
        .fault("/forecast_category", "use_action");
    let won = act(&app, &deal.id(), "move-stage", json!({"stage_id": funnel.stage("won")})).await.refused(422, "validation_failed");
    assert_eq!(won.fault("/stage_id", "use_action")["allowed"], json!([funnel.stage("qualified"), funnel.stage("proposal")]));
    act(&app, &deal.id(), "win", json!({})).await.is(200);
    app.patch(&path, json!({"probability": "50"})).await.refused(422, "validation_failed").fault("/probability", "use_action");
    let (_, others) = pipeline(&app, json!({"name": "Retail", "stages": stages()})).await;
    let open = funnel.deal(&app, "1.00").await;
    let other = json!({"stage_id": others["proposal"]});
    act(&app, &open.id(), "move-stage", other).await.refused(422, "validation_failed").fault("/stage_id", "not_in_pipeline");
}

async fn a_batch_moved_to_a_stage_has_its_probability(app: App) {
    let funnel = Funnel::open(&app).await;
    let mut deals = vec![];
    for n in 0..50 {
        deals.push(funnel.deal(&app, &format!("{}.00", n + 1)).await.id());
    }
    act(&app, &deals[7], "win", json!({})).await.is(200);
    let mut sent = deals.clone();
    sent.push(random_id());
    let body = json!({"opportunity_ids": sent, "stage_id": funnel.stage("proposal"), "reason": "After the fair"});
    let done = app.post("/v1/opportunities/move-stage", body.clone()).await.is(200);
    assert_eq!((&done["summary"]["updated"], &done["summary"]["failed"]), (&json!(49), &json!(2)));
    assert_eq!(done["results"][7]["error"]["code"], "illegal_transition");
    assert_eq!(done["results"][50]["error"]["code"], "not_found");
    for (n, deal) in deals.iter().enumerate().filter(|(n, _)| *n != 7) {
        let moved = read(&app, deal).await;
        assert_eq!((&moved["probability"], &moved["stage_key"]), (&json!("60"), &json!("proposal")), "{n}");
    }
    let line = history(&app, &deals[0]).await;
    assert_eq!((texts(&line, "kind"), &line[1]["reason"]), (vec!["created", "moved"], &json!("After the fair")));
    assert_eq!(app.post("/v1/opportunities/move-stage", body).await.is(200)["summary"]["unchanged"], 49);
    assert_eq!(funnel.column(&app, "proposal").await["count"], 49);
    boards_add_up(&app).await;
}

async fn a_won_opportunity_is_reopened_and_a_lost_one_stays_lost(app: App) {
    let funnel = Funnel::open(&app).await;
    let (won, lost) = (funnel.deal(&app, "100.00").await.id(), funnel.deal(&app, "100.00").await.id());
    let closed = act(&app, &won, "win", json!({})).await.is(200);
    assert_eq!((&closed["status"], &closed["stage_key"], &closed["probability"]), (&json!("won"), &json!("won"), &json!("100")));
    assert_eq!((&closed["forecast_category"], &closed["weighted_amount"]), (&json!("closed"), &json!("100.00")));
    assert!(closed["closed_on"].is_string());
    assert_eq!(closed["available_actions"], json!(["reopen", "clone"]));
    act(&app, &won, "lose", json!({"reason": "no"})).await.refused(409, "illegal_transition");
    assert_eq!(funnel.column(&app, "won").await["totals"][0]["amount"], "100.00");
    let open = act(&app, &won, "reopen", json!({"stage_id": funnel.stage("proposal")})).await.is(200);
    assert_eq!((&open["status"], &open["closed_on"], &open["probability"]), (&json!("open"), &json!(null), &json!("60")));
    let column = funnel.column(&app, "won").await;
    assert_eq!((&column["count"], &column["totals"]), (&json!(0), &json!([])));

    act(&app, &lost, "lose", json!({})).await.refused(422, "validation_failed").fault("/reason", "required");
    let closed = act(&app, &lost, "lose", json!({"reason": "Too dear"})).await.is(200);
    assert_eq!((&closed["status"], &closed["loss_reason"], &closed["probability"]), (&json!("lost"), &json!("Too dear"), &json!("0")));
    let tagged = app.patch(&format!("/v1/opportunities/{lost}"), json!({"tags": ["price"]})).await.is(200);
    assert_eq!((&tagged["status"], &tagged["probability"], &tagged["forecast_category"]), (&json!("lost"), &json!("0"), &json!("omitted")));
    let tomorrow = json!({"reason": "no", "closed_on": "2199-01-01"});
    let other = funnel.deal(&app, "1.00").await.id();
    act(&app, &other, "lose", tomorrow).await.refused(422, "validation_failed").fault("/closed_on", "in_the_future");
    boards_add_up(&app).await;
}

/// A pipeline whose first stage asks for something.
async fn asking(app: &App, filter: Value) -> Funnel {
    let funnel = Funnel::open(app).await;
    let mut all = stages();
    all[0]["exit_criteria"] = filter;
    app.patch(&format!("/v1/pipelines/{}", funnel.pipeline), json!({"stages": all})).await.is(200);
    funnel
}

async fn exit_criteria_keep_an_opportunity_back_and_are_named(app: App) {
    let amount = json!({"field": "amount", "op": "ge", "value": "1000"});
    let step = json!({"field": "next_step", "op": "is_null", "value": false});
    let funnel =
        asking(&app, json!({"all": [amount, {"any": [step, {"field": "source", "op": "in", "value": ["referral", "fair"]}]}]})).await;
    let deal = funnel.deal(&app, "999.99").await.id();
    let forward = json!({"stage_id": funnel.stage("proposal")});
    let refused = act(&app, &deal, "move-stage", forward.clone()).await.refused(409, "exit_criteria");
    let about = |pointer: &str| refused.fault(pointer, "unmet")["message"].as_str().unwrap().to_owned();
    assert!(about("/amount").ends_with("amount ge 1000.00"), "{}", refused.text);
    assert!(about("/next_step").ends_with("next_step is_null false"), "{}", refused.text);
    assert!(about("/source").ends_with("source in referral, fair"), "{}", refused.text);
    act(&app, &deal, "win", json!({})).await.refused(409, "exit_criteria");
    assert_eq!(texts(&history(&app, &deal).await, "kind"), ["created"], "nothing happened");
    app.patch(&format!("/v1/opportunities/{deal}"), json!({"amount": "1000.00", "source": "fair"})).await.is(200);
    act(&app, &deal, "move-stage", forward).await.is(200);
    // Back, and lost, whatever the criteria say.
    app.patch(&format!("/v1/opportunities/{deal}"), json!({"amount": "1.00"})).await.is(200);
    act(&app, &deal, "move-stage", json!({"stage_id": funnel.stage("qualified")})).await.is(200);
    act(&app, &deal, "lose", json!({"reason": "Too small"})).await.is(200);
}

async fn exit_criteria_look_at_the_account(app: App) {
    let funnel = asking(&app, json!({"field": "account.grade", "op": "in", "value": ["A", "B"]})).await;
    let deal = funnel.deal(&app, "1.00").await.id();
    let forward = json!({"stage_id": funnel.stage("proposal")});
    let refused = act(&app, &deal, "move-stage", forward.clone()).await.refused(409, "exit_criteria");
    assert!(refused.fault("/account_id", "unmet")["message"].as_str().unwrap().ends_with("account.grade in A, B"), "{}", refused.text);
    app.patch(&format!("/v1/accounts/{}", funnel.account), json!({"grade": "B"})).await.is(200);
    act(&app, &deal, "move-stage", forward).await.is(200);
}

async fn passing_exit_criteria_by_force_needs_the_permission(app: App) {
    let funnel = asking(&app, json!({"field": "amount", "op": "gt", "value": "1000"})).await;
    let deal = funnel.deal(&app, "1.00").await.id();
    let seller = app.person(&["opportunities:read/all", "opportunities:move-stage/all", "opportunities:win/all"], &[], &[]).await.app;
    let forced = json!({"stage_id": funnel.stage("proposal"), "force": true});
    let refused = act(&seller, &deal, "move-stage", forced.clone()).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["opportunities:force-stage"]));
    act(&seller, &deal, "win", json!({"force": true})).await.refused(403, "forbidden");
    act(&app, &deal, "move-stage", forced).await.is(200);
}

async fn shares_add_up_to_a_hundred(app: App) {
    let funnel = Funnel::open(&app).await;
    let (one, two) = (app.person(&[], &[], &[]).await.id, app.person(&[], &[], &[]).await.id);
    let credits = |a: &str, b: &str| json!({"credits": [{"user_id": one, "percent": a}, {"user_id": two, "percent": b}]});
    let deal = funnel.deal(&app, "1.00").await.id();
    let path = format!("/v1/opportunities/{deal}");
    app.patch(&path, credits("50", "40")).await.refused(422, "validation_failed").fault("/credits", "must_sum_to_100");
    app.patch(&path, credits("100", "0")).await.refused(422, "validation_failed").fault("/credits", "out_of_range");
    let twice = json!({"credits": [{"user_id": one, "percent": "50"}, {"user_id": one, "percent": "50"}]});
    app.patch(&path, twice).await.refused(422, "validation_failed").fault("/credits", "repeated");
    app.patch(&path, credits("33.3333", "66.6667")).await.is(200);
    let of_two = app.get(&format!("/v1/opportunities?credited_user_id={two}")).await.is(200);
    assert_eq!(ids(&of_two), [deal]);
}

async fn another_currency_takes_another_amount(app: App) {
    let funnel = Funnel::open(&app).await;
    let path = format!("/v1/opportunities/{}", funnel.deal(&app, "35250.00").await.id());
    app.patch(&path, json!({"currency": "USD"})).await.refused(422, "validation_failed").fault("/amount", "required");
    let changed = app.patch(&path, json!({"currency": "USD", "amount": "1000.00"})).await.is(200);
    assert_eq!((&changed["currency"], &changed["weighted_amount"]), (&json!("USD"), &json!("200.00")));
    app.patch(&path, json!({"currency": "JPY", "amount": "1000.50"}))
        .await
        .refused(422, "validation_failed")
        .fault("/amount", "too_many_decimals");
    app.patch(&path, json!({"currency": "JPY", "amount": "35000"})).await.is(200);
    let totals = funnel.column(&app, "qualified").await["totals"].clone();
    assert_eq!(totals, json!([{"currency": "JPY", "count": 1, "amount": "35000.00", "weighted_amount": "7000.00"}]));
    boards_add_up(&app).await;
}

async fn bad_input_is_refused_with_its_place(app: App) {
    let funnel = Funnel::open(&app).await;
    for (sent, pointer, code) in [
        (json!({"expected_close_on": "2026-02-30"}), "/expected_close_on", "invalid_date"),
        (json!({"amount": "-1.00"}), "/amount", "too_small"),
        (json!({"amount": 10}), "/amount", "wrong_type"),
        (json!({"probability": "100.0001"}), "/probability", "out_of_range"),
        (json!({"currency": "XYZ"}), "/currency", "unknown_currency"),
        (json!({"stage_id": funnel.stage("won")}), "/stage_id", "use_action"),
        (json!({"status": "won"}), "/status", "unknown_field"),
    ] {
        let mut body = json!({"name": "Tea", "account_id": funnel.account, "expected_close_on": "2027-01-31"});
        body.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        app.post("/v1/opportunities", body).await.refused(422, "validation_failed").fault(pointer, code);
    }
    let contact =
        json!({"name": "Tea", "account_id": funnel.account, "expected_close_on": "2027-01-31", "contacts": [{"contact_id": random_id()}]});
    app.post("/v1/opportunities", contact).await.refused(422, "validation_failed").fault("/contacts", "unknown_reference");
}

async fn history_keeps_stages_amounts_and_days(app: App) {
    let funnel = Funnel::open(&app).await;
    let deal = funnel.deal(&app, "100.00").await.id();
    let path = format!("/v1/opportunities/{deal}");
    app.patch(&path, json!({"amount": "120.00", "expected_close_on": "2027-02-28"})).await.is(200);
    app.patch(&path, json!({"next_step": "Call"})).await.is(200);
    app.patch(&path, json!({"expected_close_on": "2027-03-31"})).await.is(200);
    act(&app, &deal, "move-stage", json!({"stage_id": funnel.stage("proposal")})).await.is(200);
    act(&app, &deal, "lose", json!({"reason": "Too dear"})).await.is(200);
    let lines = history(&app, &deal).await;
    assert_eq!(texts(&lines, "kind"), ["created", "changed", "changed", "moved", "lost"]);
    assert_eq!((&lines[1]["from_amount"], &lines[1]["to_amount"]), (&json!("100.00"), &json!("120.00")));
    assert_eq!((&lines[2]["from_expected_close_on"], &lines[2]["to_expected_close_on"]), (&json!("2027-02-28"), &json!("2027-03-31")));
    assert_eq!((&lines[3]["from_stage_key"], &lines[3]["to_stage_key"]), (&json!("qualified"), &json!("proposal")));
    assert_eq!((&lines[3]["from_probability"], &lines[3]["to_probability"]), (&json!("20"), &json!("60")));
    assert!(lines[2]["seconds"].is_null() && lines[3]["seconds"].as_i64().unwrap() >= 0);
    assert_eq!(lines[4]["reason"], "Too dear");
    let events = app.all(&format!("/v1/audit-events?resource_id={deal}"), 200).await;
    assert_eq!(
        texts(&events, "kind"),
        [
            "opportunity.created",
            "opportunity.amount_changed",
            "opportunity.updated",
            "opportunity.close_date_changed",
            "opportunity.stage_moved",
            "opportunity.lost"
        ]
    );
}

async fn an_opportunity_rots_in_its_stage_and_not_in_the_next(app: App) {
    let funnel = Funnel::open(&app).await;
    let mut all = stages();
    all[0]["rot_days"] = json!(30);
    app.patch(&format!("/v1/pipelines/{}", funnel.pipeline), json!({"stages": all})).await.is(200);
    let deal = funnel.deal(&app, "1.00").await;
    assert!(deal["rots_at"].is_string() && deal["is_rotten"] == false);
    let timer = &Opportunity::TIMERS[0];
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, openapi::shapes()).await.unwrap();
    for (days, due) in [(29, 0), (31, 1)] {
        let work = store.work(Arc::new(Caller::system()), now().plus_seconds(days * 86_400)).await.unwrap();
        let shape = work.shape("opportunities").unwrap();
        let found = work.fetch(timers::due_statement(&work, shape, timer, 10, &[]).unwrap(), |row| row.id(0)).await.unwrap();
        assert_eq!(found.len(), due, "after {days} days");
        for id in found {
            let found = stored::find_by::<Opportunity>(&work, "id", Scalar::Id(id)).await.unwrap();
            opportunity::rot(&work, found).await.unwrap();
        }
        work.commit().await.unwrap();
    }
    let rotten = read(&app, &deal.id()).await;
    assert_eq!((&rotten["is_rotten"], &rotten["rots_at"]), (&json!(true), &json!(null)));
    assert_eq!(funnel.column(&app, "qualified").await["cards"][0]["is_rotten"], true);
    let moved = act(&app, &deal.id(), "move-stage", json!({"stage_id": funnel.stage("proposal")})).await.is(200);
    assert_eq!((&moved["is_rotten"], &moved["rots_at"]), (&json!(false), &json!(null)));
}

async fn a_clone_is_open_and_new(app: App) {
    let funnel = Funnel::open(&app).await;
    let deal = funnel.deal_with(&app, json!({"amount": "10.00", "competitors": [{"name": "Doi Tea"}], "probability": "55"})).await.id();
    act(&app, &deal, "lose", json!({"reason": "Too dear"})).await.is(200);
    let clone = act(&app, &deal, "clone", json!({})).await.is(201);
    assert_eq!((&clone["status"], &clone["stage_key"], &clone["probability"]), (&json!("open"), &json!("qualified"), &json!("20")));
    assert_eq!((&clone["loss_reason"], &clone["closed_on"], &clone["cloned_from_id"]), (&json!(null), &json!(null), &json!(deal)));
    assert_eq!(clone["competitors"][0]["name"], "Doi Tea");
    let against = app.get("/v1/opportunities?competitor=Doi%20Tea&count=exact").await.is(200);
    assert_eq!(against["total"], 2);
    boards_add_up(&app).await;
}

async fn a_blocked_customer_gets_no_opportunity(app: App) {
    let funnel = Funnel::open(&app).await;
    app.post(&format!("/v1/accounts/{}/change-lifecycle", funnel.account), json!({"to": "blocked"})).await.is(200);
    let body = json!({"name": "Tea", "account_id": funnel.account, "expected_close_on": "2027-01-31"});
    app.post("/v1/opportunities", body).await.refused(409, "customer_blocked");
}

async fn an_opportunity_changes_its_pipeline(app: App) {
    let funnel = Funnel::open(&app).await;
    let (other, others) = pipeline(&app, json!({"name": "Retail", "stages": stages()})).await;
    let deal = funnel.deal(&app, "10.00").await.id();
    let to = json!({"pipeline_id": other, "stage_id": others["proposal"], "reason": "A shop after all"});
    let moved = act(&app, &deal, "change-pipeline", to).await.is(200);
    assert_eq!((&moved["pipeline_id"], &moved["stage_key"]), (&json!(other), &json!("proposal")));
    assert_eq!(history(&app, &deal).await[1]["reason"], "A shop after all");
    boards_add_up(&app).await;
}

async fn sellers_see_and_move_what_is_theirs(app: App) {
    let funnel = Funnel::open(&app).await;
    let team = app.team(None).await;
    let grants =
        ["opportunities:read/own", "opportunities:create/own", "opportunities:move-stage/own", "pipelines:read/all", "accounts:read/all"];
    let seller = app.person(&grants, &[], &[&team]).await;
    let hers = funnel.deal(&seller.app, "10.00").await.id();
    let other = funnel.deal(&app, "1000.00").await.id();
    assert_eq!(ids(&seller.app.get("/v1/opportunities").await.is(200).body), std::slice::from_ref(&hers));
    act(&seller.app, &other, "move-stage", json!({"stage_id": funnel.stage("proposal")})).await.refused(404, "not_found");
    let column = funnel.column(&seller.app, "qualified").await;
    assert_eq!((&column["count"], &column["totals"][0]["amount"]), (&json!(1), &json!("10.00")));
    assert_eq!(column["cards"].as_array().unwrap().len(), 1);
    assert_eq!(funnel.column(&app, "qualified").await["count"], 2);
    // Handed over, it counts as its new owner's.
    app.patch(&format!("/v1/opportunities/{other}"), json!({"owner_id": seller.id})).await.is(200);
    assert_eq!(funnel.column(&seller.app, "qualified").await["totals"][0]["amount"], "1010.00");
    boards_add_up(&app).await;
}
