//! Accounts: their addresses, stages, grades and tax identity.

use crate::support::*;

crate::on_both![
    one_address_of_each_purpose_is_the_default,
    a_thai_tax_id_is_checked_and_kept_as_digits,
    an_account_moves_through_its_life_and_every_move_is_kept,
    the_history_of_the_grade_is_kept,
    one_contact_of_an_account_is_the_first,
    a_reference_to_nothing_is_refused,
    a_contact_is_called_by_its_whole_name,
    a_second_account_of_a_tax_id_is_meant_or_refused,
];

async fn one_address_of_each_purpose_is_the_default(app: App) {
    let path = format!("/v1/accounts/{}/addresses", app.account("A").await);
    let add = |purpose: &str, default: bool| app.post(&path, json!({"purpose": purpose, "line1": "1", "is_default": default}));
    let first = add("billing", false).await.is(201);
    assert_eq!(first["is_default"], true);
    let second = add("billing", false).await.is(201);
    assert_eq!(second["is_default"], false);
    assert_eq!(add("shipping", false).await.is(201)["is_default"], true);
    let third = add("billing", true).await.is(201);
    let defaults = async || {
        let all = app.all(&path, 50).await;
        all.iter()
            .filter(|a| a["purpose"] == "billing" && a["is_default"] == true)
            .map(|a| a["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(defaults().await, [third.id()]);
    app.patch(&format!("{path}/{}", second.id()), json!({"is_default": true})).await.is(200);
    assert_eq!(defaults().await, [second.id()]);
    app.post(&path, json!({"purpose": "billing", "line1": "1", "valid_from": "2026-02-01", "valid_to": "2026-01-01"}))
        .await
        .is(422)
        .fault("/valid_to", "before_start");
}

async fn a_thai_tax_id_is_checked_and_kept_as_digits(app: App) {
    let digits = "010553600001";
    let sum: u32 = digits.chars().enumerate().map(|(i, c)| c.to_digit(10).unwrap() * (13 - u32::try_from(i).unwrap())).sum();
    let good = format!("{digits}{}", (11 - sum % 11) % 10);
    let bad = format!("{digits}{}", (12 - sum % 11) % 10);
    let account = |tax_id: &str, more: Value| {
        let mut body = json!({"name": "A", "tax_id": tax_id});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        app.post("/v1/accounts?allow_duplicate=true", body)
    };
    for typed in [good.clone(), format!("{}-{} {}", &good[..1], &good[1..5], &good[5..])] {
        assert_eq!(account(&typed, json!({"country": "TH"})).await.is(201)["tax_id"], json!(good));
    }
    for wrong in [bad.as_str(), "123", "", "abcdefghijklm"] {
        account(wrong, json!({"country": "TH"})).await.refused(422, "validation_failed").fault("/tax_id", "invalid_tax_id");
    }
    account(&bad, json!({"country": "US"})).await.is(201);
    account(&bad, json!({"legal_form": "foreign"})).await.is(201);
    account(&bad, json!({})).await.refused(422, "validation_failed");
    let found = app.get(&format!("/v1/lookup?tax_id={}", encoded(&format!("{} {}", &good[..4], &good[4..])))).await.is(200);
    assert_eq!(found["matches"].as_array().unwrap().len(), 2);
}

async fn an_account_moves_through_its_life_and_every_move_is_kept(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    let to = |stage: &str| app.post(&format!("{path}/change-lifecycle"), json!({"to": stage, "reason": format!("to {stage}")}));
    let refused = to("churned").await.refused(409, "illegal_transition");
    assert_eq!(refused["allowed"], json!(["active", "blocked"]));
    to("asleep").await.refused(422, "validation_failed").fault("/to", "unknown_value");
    app.patch(&path, json!({"lifecycle_stage": "active"}))
        .await
        .refused(422, "validation_failed")
        .fault("/lifecycle_stage", "unknown_field");
    for stage in ["active", "at_risk", "churned", "won_back", "blocked", "prospect"] {
        assert_eq!(to(stage).await.is(200)["lifecycle_stage"], stage);
    }
    let history = app.get(&format!("{path}/lifecycle-history?sort=created_at")).await.is(200);
    assert_eq!(column(&history, "from_stage"), ["", "prospect", "active", "at_risk", "churned", "won_back", "blocked"]);
    assert_eq!(column(&history, "to_stage"), ["prospect", "active", "at_risk", "churned", "won_back", "blocked", "prospect"]);
    assert_eq!(history["data"][1]["reason"], "to active");
    assert_eq!(app.all(&format!("{path}/lifecycle-history"), 2).await.len(), 7);
    let entry = history["data"][1]["id"].as_str().unwrap();
    app.get(&format!("{path}/lifecycle-history/{entry}")).await.is(200);
    app.delete(&format!("{path}/lifecycle-history/{entry}")).await.refused(405, "method_not_allowed");
}

async fn the_history_of_the_grade_is_kept(app: App) {
    let made = app.make("/v1/accounts", json!({"name": "A", "grade": "C"})).await;
    let path = format!("/v1/accounts/{}", made["id"].as_str().unwrap());
    for patch in [json!({"grade": "B"}), json!({"grade": "B", "industry": "tea"}), json!({"grade": null})] {
        app.patch(&path, patch).await.is(200);
    }
    let history = app.get(&format!("{path}/grade-history?sort=created_at")).await.is(200);
    assert_eq!(column(&history, "from_grade"), ["", "C", "B"]);
    assert_eq!(column(&history, "to_grade"), ["C", "B", ""]);
}

async fn one_contact_of_an_account_is_the_first(app: App) {
    let account = app.account("A").await;
    let mut links = vec![];
    for name in ["B", "C"] {
        let contact = app.make("/v1/contacts", json!({"first_name": name})).await;
        let link = app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact["id"], "role": "billing"})).await;
        links.push(link["id"].as_str().unwrap().to_owned());
    }
    for first in [&links[0], &links[1], &links[1]] {
        app.post(&format!("/v1/account-contacts/{first}/set-primary"), json!({})).await.is(200);
        let all = app.get(&format!("/v1/account-contacts?account_id={account}&is_primary=true")).await.is(200);
        assert_eq!(ids(&all), [first.as_str()]);
    }
    let found = app.get(&format!("/v1/account-contacts/{}?expand=account,contact", links[0])).await.is(200);
    assert_eq!((&found["expanded"]["account"]["name"], &found["expanded"]["contact"]["name"]), (&json!("A"), &json!("B")));
}

async fn a_reference_to_nothing_is_refused(app: App) {
    let refused = app.post("/v1/accounts", json!({"name": "A", "parent_id": random_id()})).await.is(422);
    assert_eq!(refused["errors"][0]["pointer"], "/parent_id");
    let gone = app.account("Gone").await;
    app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
    app.post("/v1/accounts", json!({"name": "A", "parent_id": gone})).await.is(422);
    app.post("/v1/accounts", json!({"name": "A", "owner_id": random_id()})).await.is(422);
}

async fn a_contact_is_called_by_its_whole_name(app: App) {
    let made = app.post("/v1/contacts", json!({"first_name": " สมชาย", "last_name": "ใจดี"})).await.is(201);
    assert_eq!(made["name"], "สมชาย ใจดี");
    let patched = app.patch(made.header("location"), json!({"last_name": null, "middle_name": "J."})).await.is(200);
    assert_eq!(patched["name"], "สมชาย J.");
}

async fn a_second_account_of_a_tax_id_is_meant_or_refused(app: App) {
    app.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "erp"})).await;
    let body = |branch: Value| json!({"name": "A", "country": "TH", "tax_id": "0105536000003", "branch_code": branch});
    let first = app.post("/v1/accounts", body(json!("00000"))).await.is(201);
    let refused = app.post("/v1/accounts", body(json!("00000"))).await.refused(409, "possible_duplicate");
    assert_eq!(refused["conflicts"][0]["id"], json!(first.id()));
    app.post("/v1/accounts", json!({"name": "A", "tax_id": "0-1055-36000-00-3"})).await.refused(409, "possible_duplicate");
    app.post("/v1/accounts", body(json!("00001"))).await.is(201);
    app.post("/v1/accounts", json!({"name": "No tax id"})).await.is(201);
    app.post("/v1/accounts", json!({"name": "No tax id"})).await.is(201);
    // By every way in.
    let other = app.account("B").await;
    let path = format!("/v1/accounts/{other}");
    let change = json!({"tax_id": "0105536000003", "branch_code": "00000"});
    app.patch(&path, change.clone()).await.refused(409, "possible_duplicate");
    app.put("/v1/accounts/by-external-id/erp/C-1", body(json!("00000"))).await.refused(409, "possible_duplicate");
    let mut item = body(json!("00000"));
    item["external_id"] = json!("C-2");
    let batch = json!({"mode": "upsert", "match_on": "external_id:erp", "items": [item]});
    let answer = app.post("/v1/accounts/batch", batch.clone()).await.is(200);
    assert_eq!(answer["results"][0]["error"]["code"], "possible_duplicate");
    let crowd = async |_| app.post("/v1/accounts", json!({"name": "C", "country": "US", "tax_id": "12-3456789"})).await.status;
    let made = futures_util::future::join_all((0..6).map(crowd)).await;
    assert_eq!(made.iter().filter(|status| **status == 201).count(), 1, "{made:?}");
    // Who means it says so.
    app.patch(&format!("{path}?allow_duplicate=true"), change).await.is(200);
    assert_eq!(app.patch(&path, json!({"grade": "A"})).await.is(200)["grade"], "A", "what stands is not asked of again");
    app.put("/v1/accounts/by-external-id/erp/C-1?allow_duplicate=true", body(json!("00000"))).await.is(201);
    let answer = app.post("/v1/accounts/batch?allow_duplicate=true", batch).await.is(200);
    assert_eq!(answer["results"][0]["status"], "created");
    app.delete(&path).await.is(204);
    app.ask(reqwest::Method::POST, &format!("{path}/restore")).await.refused(409, "possible_duplicate");
    app.ask(reqwest::Method::POST, &format!("{path}/restore?allow_duplicate=true")).await.is(200);
}
