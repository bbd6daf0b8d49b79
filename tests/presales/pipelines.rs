//! Pipelines: stages change as a list, and nothing is taken away from under an opportunity.

use super::*;

crate::on_both![
    a_pipeline_has_open_stages_one_won_and_some_lost,
    a_renamed_stage_leaves_totals_and_opportunities_as_they_are,
    a_stage_keeps_its_key_and_kind_and_is_recognised_by_its_key,
    a_used_stage_is_removed_only_with_a_place_for_its_opportunities,
    stages_are_reordered_as_a_whole,
    a_retired_pipeline_hands_over_its_open_opportunities,
    exit_criteria_are_filters_of_opportunities,
    an_opportunity_goes_through_the_pipeline_of_its_team_or_the_default_one,
];

async fn a_pipeline_has_open_stages_one_won_and_some_lost(app: App) {
    let path = "/v1/pipelines";
    let only = |kinds: &[&str]| -> Value {
        kinds.iter().enumerate().map(|(n, kind)| json!({"key": format!("s{n}"), "name": "S", "kind": kind})).collect()
    };
    for kinds in [&["open", "won"][..], &["open", "won", "won", "lost"], &["won", "lost"]] {
        let body = json!({"name": "P", "stages": only(kinds)});
        app.post(path, body).await.refused(422, "validation_failed").fault("/stages", "invalid_value");
    }
    let twice = json!({"name": "P", "stages": [{"key": "a", "name": "A"}, {"key": "a", "name": "B"}]});
    app.post(path, twice).await.refused(422, "validation_failed").fault("/stages", "repeated");
    let draft = app.make(path, json!({"name": "P"})).await;
    app.post(&format!("{path}/{}/activate", id(&draft)), json!({})).await.refused(422, "validation_failed").fault("/stages", "required");
    let made = app.patch(&format!("{path}/{}", id(&draft)), json!({"stages": only(&["open", "won", "lost"])})).await.is(200);
    let said = |field: &str| made["stages"].as_array().unwrap().iter().map(|s| s[field].clone()).collect::<Vec<_>>();
    assert_eq!(said("probability"), ["0", "100", "0"]);
    assert_eq!(said("forecast_category"), ["pipeline", "closed", "omitted"]);
    assert_eq!(app.post(&format!("{path}/{}/activate", id(&draft)), json!({})).await.is(200)["status"], "active");
}

async fn a_renamed_stage_leaves_totals_and_opportunities_as_they_are(app: App) {
    let funnel = Funnel::open(&app).await;
    let deal = funnel.deal(&app, "100.00").await;
    let before = funnel.column(&app, "qualified").await;
    let mut renamed = stages();
    renamed[0]["name"] = json!("Really qualified");
    renamed[0]["probability"] = json!("30");
    app.patch(&format!("/v1/pipelines/{}", funnel.pipeline), json!({"stages": renamed})).await.is(200);
    let after = funnel.column(&app, "qualified").await;
    assert_eq!((&after["name"], &after["stage_id"]), (&json!("Really qualified"), &before["stage_id"]));
    assert_eq!((&after["totals"], &after["cards"]), (&before["totals"], &before["cards"]));
    assert_eq!(read(&app, &deal.id()).await["probability"], "20", "a new probability is of those that enter from now on");
    assert_eq!(funnel.deal(&app, "1.00").await["probability"], "30");
    boards_add_up(&app).await;
}

async fn a_stage_keeps_its_key_and_kind_and_is_recognised_by_its_key(app: App) {
    let funnel = Funnel::open(&app).await;
    let path = format!("/v1/pipelines/{}", funnel.pipeline);
    let mut sent = stages();
    sent[0]["id"] = json!(funnel.stage("qualified"));
    sent[0]["key"] = json!("other");
    app.patch(&path, json!({"stages": sent})).await.refused(422, "validation_failed").fault("/stages/0/key", "not_allowed");
    let mut sent = stages();
    sent[3]["id"] = json!(funnel.stage("lost"));
    sent[3]["kind"] = json!("open");
    sent.as_array_mut().unwrap().push(json!({"key": "gone", "name": "Gone", "kind": "lost"}));
    app.patch(&path, json!({"stages": sent})).await.refused(422, "validation_failed").fault("/stages/3/kind", "not_allowed");
    let same = app.patch(&path, json!({"stages": stages()})).await.is(200);
    assert_eq!(same["stages"][0]["id"], funnel.stage("qualified"));
    assert_eq!(same["version"], 2, "nothing changed");
}

async fn a_used_stage_is_removed_only_with_a_place_for_its_opportunities(app: App) {
    let funnel = Funnel::open(&app).await;
    let mut deals = vec![];
    for n in 1..=12 {
        deals.push(funnel.deal(&app, &format!("{n}.00")).await.id());
    }
    let path = format!("/v1/pipelines/{}", funnel.pipeline);
    let left: Vec<Value> = stages().as_array().unwrap()[1..].to_vec();
    let refused = app.patch(&path, json!({"stages": left})).await.refused(409, "stage_in_use");
    assert!(refused.text_of("detail").contains("12"), "{}", refused.text);
    let remove = format!("{path}/remove-stage");
    let stage = funnel.stage("qualified");
    let refused = app.post(&remove, json!({"stage_id": stage})).await.refused(409, "stage_in_use");
    assert!(refused.text_of("detail").contains("12"), "{}", refused.text);
    let elsewhere = json!({"stage_id": stage, "move_to": funnel.stage("lost")});
    app.post(&remove, elsewhere).await.refused(422, "validation_failed").fault("/move_to", "use_action");
    let removed = app.post(&remove, json!({"stage_id": stage, "move_to": funnel.stage("proposal")})).await.is(200);
    assert_eq!(removed["stages"].as_array().unwrap().len(), 3);
    for deal in &deals {
        let moved = read(&app, deal).await;
        assert_eq!((&moved["stage_key"], &moved["probability"]), (&json!("proposal"), &json!("60")));
        assert_eq!(texts(&history(&app, deal).await, "kind"), ["created", "remapped"]);
    }
    let column = funnel.column(&app, "proposal").await;
    assert_eq!((&column["count"], &column["totals"][0]["amount"]), (&json!(12), &json!("78.00")));
    boards_add_up(&app).await;
    // A stage that nothing is in goes without more.
    let more = json!([{"key": "new", "name": "New"}]);
    let mut all = removed["stages"].as_array().unwrap().clone();
    all.extend(more.as_array().unwrap().clone());
    app.patch(&path, json!({"stages": all})).await.is(200);
    app.patch(&path, json!({"stages": removed["stages"]})).await.is(200);
}

async fn stages_are_reordered_as_a_whole(app: App) {
    let funnel = Funnel::open(&app).await;
    let path = format!("/v1/pipelines/{}/reorder-stages", funnel.pipeline);
    let order = |keys: &[&str]| json!({"stage_ids": keys.iter().map(|key| funnel.stage(key)).collect::<Vec<_>>()});
    app.post(&path, order(&["proposal", "qualified", "won"])).await.refused(422, "validation_failed").fault("/stage_ids", "invalid_value");
    let twice = order(&["proposal", "proposal", "won", "lost"]);
    app.post(&path, twice).await.refused(422, "validation_failed").fault("/stage_ids", "invalid_value");
    let made = app.post(&path, order(&["proposal", "qualified", "won", "lost"])).await.is(200);
    assert_eq!(made["stages"][0]["key"], "proposal");
    assert_eq!(funnel.deal(&app, "1.00").await["stage_key"], "proposal", "a new one begins at the first");
}

async fn a_retired_pipeline_hands_over_its_open_opportunities(app: App) {
    let funnel = Funnel::open(&app).await;
    let (other, others) = pipeline(&app, json!({"name": "Retail", "stages": stages()})).await;
    let (open, won) = (funnel.deal(&app, "10.00").await.id(), funnel.deal(&app, "20.00").await.id());
    act(&app, &won, "win", json!({})).await.is(200);
    let retire = format!("/v1/pipelines/{}/retire", funnel.pipeline);
    app.post(&retire, json!({})).await.refused(409, "stage_in_use");
    let map = |to: &str| json!([{"from_stage_id": funnel.stage("qualified"), "to_stage_id": others[to]}]);
    app.post(&retire, json!({"stage_map": map("proposal")})).await.refused(422, "validation_failed").fault("/to_pipeline_id", "required");
    let to_won = json!({"to_pipeline_id": other, "stage_map": map("won")});
    app.post(&retire, to_won).await.refused(422, "validation_failed").fault("/stage_map", "use_action");
    let retired = app.post(&retire, json!({"to_pipeline_id": other, "stage_map": map("proposal")})).await.is(200);
    assert_eq!(retired["status"], "retired");
    let (open, won) = (read(&app, &open).await, read(&app, &won).await);
    assert_eq!((&open["pipeline_id"], &open["stage_key"], &open["probability"]), (&json!(other), &json!("proposal"), &json!("60")));
    assert_eq!((&won["pipeline_id"], &won["status"]), (&json!(funnel.pipeline), &json!("won")));
    let body = json!({"name": "Late", "account_id": funnel.account, "pipeline_id": funnel.pipeline, "expected_close_on": "2027-01-31"});
    app.post("/v1/opportunities", body).await.refused(422, "validation_failed").fault("/pipeline_id", "not_active");
    boards_add_up(&app).await;
}

async fn exit_criteria_are_filters_of_opportunities(app: App) {
    let with = |filter: Value| {
        let mut all = stages();
        all[1]["exit_criteria"] = filter;
        json!({"name": random_id(), "stages": all})
    };
    let wrong = with(json!({"all": [{"field": "amout", "op": "gt", "value": "1"}]}));
    let fault = app.post("/v1/pipelines", wrong).await.refused(422, "validation_failed");
    assert_eq!(fault.fault("/stages/1/exit_criteria/all/0/field", "unknown_field")["did_you_mean"], "amount");
    app.make("/v1/pipelines", with(json!({"field": "account.grade", "op": "in", "value": ["A", "B"]}))).await;
}

async fn an_opportunity_goes_through_the_pipeline_of_its_team_or_the_default_one(app: App) {
    let account = app.account("Siam Trading").await;
    let body = |more: Value| {
        let mut body = json!({"name": "Tea", "account_id": account, "currency": "THB", "expected_close_on": "2027-01-31"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    app.post("/v1/opportunities", body(json!({}))).await.refused(422, "validation_failed").fault("/pipeline_id", "required");
    let team = app.team(None).await;
    let (of_team, _) = pipeline(&app, json!({"name": "North", "team_ids": [team], "stages": stages()})).await;
    let (default, found) = pipeline(&app, json!({"name": "All", "is_default": true, "stages": stages()})).await;
    let made = app.make("/v1/opportunities", body(json!({"team_id": team}))).await;
    assert_eq!(made["pipeline_id"], of_team);
    assert_eq!(app.make("/v1/opportunities", body(json!({}))).await["pipeline_id"], default);
    let other = body(json!({"pipeline_id": of_team, "stage_id": found["qualified"]}));
    let refused = app.post("/v1/opportunities", other).await.refused(422, "validation_failed");
    assert_eq!(refused.fault("/stage_id", "not_in_pipeline")["allowed"].as_array().unwrap().len(), 2);
}
