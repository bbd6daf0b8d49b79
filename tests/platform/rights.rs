//! No caller gains rights: who has less is refused on every way that hands rights over.

use super::sessions::felt;
use crate::support::{
    app::PASSWORD,
    receiver::{Receiver, endpoint, local},
    *,
};

crate::on_both![
    a_role_without_field_rules_is_not_made_by_who_has_field_rules,
    an_empty_role_lifts_no_field_rule,
    a_password_is_not_set_for_who_sees_more,
    a_user_joins_no_team_whose_records_the_caller_does_not_reach,
    a_team_is_not_moved_into_the_callers_reach,
    a_role_gains_nothing_for_holders_in_other_teams,
    an_endpoint_of_another_teams_member_is_not_taken_over,
    a_deleted_role_is_restored_only_with_its_rights,
    a_role_that_is_held_is_not_deleted,
    a_number_is_bound_only_with_the_right_to_bind,
    an_owner_or_team_is_given_only_with_the_right_to_assign,
    a_default_seller_sets_no_prices_or_terms,
    who_has_more_rights_is_not_acted_on,
    an_erasure_of_who_has_more_rights_is_refused,
    a_limited_key_makes_no_wider_key,
    a_key_stops_with_the_user_who_answers_for_it,
    a_rotated_key_is_answered_for_by_who_rotated_it,
    a_rotation_ends_access_tokens_of_the_old_secret,
    an_endpoint_of_an_expired_key_receives_nothing,
    a_kept_answer_is_shown_as_the_caller_may_see_it_now,
];

const BLIND: [&str; 2] = ["financial=hidden", "personal=hidden"];

/// A new session of a person, by which changed rights are felt at once.
async fn again(app: &App, person: &people::Person) -> App {
    let tokens = app.sign_in(&person.email, PASSWORD).await.is(200);
    app.as_(&tokens.text_of("access_token"))
}

/// The id of the only role of a user.
async fn role_of(app: &App, user: &str) -> String {
    app.get(&format!("/v1/users/{user}")).await.is(200)["role_ids"][0].as_str().unwrap().to_owned()
}

/// An account with a balance of accounting; its id.
async fn owing(app: &App) -> String {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let account = app.put("/v1/accounts/by-external-id/express/C-1", json!({"name": "A", "currency": "THB"})).await.is(201).id();
    let item = json!({"external_id": "C-1", "as_of": "2026-01-01T00:00:00Z", "receivable": "159700"});
    app.post("/v1/credit-balances/batch", json!({"system": "express", "entity": "main", "currency": "THB", "items": [item]})).await.is(200);
    account
}

async fn a_role_without_field_rules_is_not_made_by_who_has_field_rules(app: App) {
    owing(&app).await;
    let rights =
        ["accounts:read/all", "credit-balances:read/all", "roles:create/all", "roles:read/all", "roles:update/all", "tags:read/all"];
    let desk = app.person(&rights, &BLIND, &[]).await;
    let path = "/v1/credit-balances?limit=1";
    let balance = desk.app.get(path).await.is(200)["data"][0].clone();
    assert_eq!((&balance["receivable"], &balance["currency"]), (&Value::Null, &json!("THB")));
    let own = format!("/v1/roles/{}", role_of(&app, &desk.id).await);
    for rules in [json!([]), json!([{"fields": "financial", "access": "masked"}, {"fields": "personal", "access": "hidden"}])] {
        let refused = desk.app.patch(&own, json!({"field_rules": rules})).await.refused(422, "validation_failed");
        refused.fault("/field_rules", "beyond_own_rights");
    }
    let reading = json!([{"permission": "credit-balances:read", "reach": "all"}]);
    let bare = json!({"name": "bare", "permissions": reading});
    desk.app.post("/v1/roles", bare.clone()).await.refused(422, "validation_failed").fault("/field_rules", "beyond_own_rights");
    let batch = desk.app.post("/v1/roles/batch", json!({"mode": "create", "items": [bare]})).await.is(200);
    assert_eq!(batch["results"][0]["error"]["errors"][0]["code"], "beyond_own_rights");
    // With the same rules it is made, and so is one that shows none of it.
    let rules = json!([{"fields": "financial", "access": "hidden"}, {"fields": "personal", "access": "hidden"}]);
    desk.app.post("/v1/roles", json!({"name": "same", "permissions": reading, "field_rules": rules})).await.is(201);
    desk.app.post("/v1/roles", json!({"name": "other", "permissions": [{"permission": "tags:read", "reach": "all"}]})).await.is(201);
    assert_eq!(again(&app, &desk).await.get(path).await.is(200)["data"][0]["receivable"], Value::Null);
}

async fn an_empty_role_lifts_no_field_rule(app: App) {
    owing(&app).await;
    let reads = ["accounts:read/all", "credit-balances:read/all", "users:read/all", "roles:read/all"];
    let rights: Vec<&str> = reads.into_iter().chain(["roles:create/all", "api-keys:create/all", "users:update/all"]).collect();
    let desk = app.person(&rights, &BLIND, &[]).await;
    let own = role_of(&app, &desk.id).await;
    let empty = desk.app.post("/v1/roles", json!({"name": "empty", "permissions": []})).await.is(201).id();
    let path = "/v1/credit-balances?limit=1";
    let key = desk.app.post("/v1/api-keys", json!({"name": "K", "role_ids": [own, empty]})).await.is(201);
    assert_eq!(app.as_(&key.text_of("token")).get(path).await.is(200)["data"][0]["receivable"], Value::Null);
    desk.app.patch(&format!("/v1/users/{}", desk.id), json!({"role_ids": [own, empty]})).await.is(200);
    assert_eq!(again(&app, &desk).await.get(path).await.is(200)["data"][0]["receivable"], Value::Null);
    // A role that grants reading and hides nothing does show it: that takes someone who sees it.
    let shows = app.role(&["credit-balances:read/all"], &[]).await;
    let both = json!({"role_ids": [own, shows]});
    let path_of = format!("/v1/users/{}", desk.id);
    desk.app.patch(&path_of, both.clone()).await.refused(422, "validation_failed").fault("/role_ids", "beyond_own_rights");
    let key = json!({"name": "K", "role_ids": [shows]});
    desk.app.post("/v1/api-keys", key).await.refused(422, "validation_failed").fault("/role_ids", "beyond_own_rights");
    app.patch(&path_of, both).await.is(200);
    assert_eq!(again(&app, &desk).await.get(path).await.is(200)["data"][0]["receivable"], "159700.00");
}

async fn a_password_is_not_set_for_who_sees_more(app: App) {
    let rights = ["credit-balances:read/all", "users:set-password/all", "users:read/all"];
    let desk = app.person(&rights, &BLIND, &[]).await.app;
    let (auditor, equal) = (app.person(&rights, &[], &[]).await, app.person(&rights, &BLIND, &[]).await);
    let set = |user: &str| desk.post(&format!("/v1/users/{user}/set-password"), json!({"password": "another horse battery"}));
    set(&auditor.id).await.refused(403, "forbidden");
    set(&equal.id).await.is(204);
    // What a colleague owns is the colleague's: who reaches only what is one's own does not become another.
    let clerk = app.person(&["accounts:read/own", "users:set-password/all", "users:read/all"], &[], &[]).await.app;
    let other = app.person(&["accounts:read/own"], &[], &[]).await;
    let path = format!("/v1/users/{}/set-password", other.id);
    clerk.post(&path, json!({"password": "another horse battery"})).await.refused(403, "forbidden");
}

async fn a_user_joins_no_team_whose_records_the_caller_does_not_reach(app: App) {
    let (north, south) = (app.team(None).await, app.team(None).await);
    for team in [&north, &south] {
        app.make("/v1/accounts", json!({"name": "A", "team_id": team})).await;
    }
    let rights = ["accounts:read/team", "users:update/all", "users:read/all", "users:create/all"];
    let lead = app.person(&rights, &[], &[&north]).await;
    let own = format!("/v1/users/{}", lead.id);
    let both = json!({"team_ids": [north, south]});
    lead.app.patch(&own, both.clone()).await.refused(422, "validation_failed").fault("/team_ids", "beyond_own_rights");
    let batch = json!({"mode": "update", "items": [{"id": lead.id, "team_ids": [south]}]});
    assert_eq!(lead.app.post("/v1/users/batch", batch).await.is(200)["results"][0]["status"], "failed");
    let role = role_of(&app, &lead.id).await;
    let made = json!({"name": "X", "email": "x@example.com", "role_ids": [role], "team_ids": [south]});
    lead.app.post("/v1/users", made).await.refused(422, "validation_failed").fault("/team_ids", "beyond_own_rights");
    assert_eq!(lead.app.get("/v1/accounts?count=exact").await.is(200)["total"], 1);
    // A colleague of the own team is made, and who sees the other team may add it.
    lead.app.post("/v1/users", json!({"name": "Y", "email": "y@example.com", "role_ids": [role], "team_ids": [north]})).await.is(201);
    app.patch(&own, both).await.is(200);
}

async fn a_team_is_not_moved_into_the_callers_reach(app: App) {
    let (own, other) = (app.team(None).await, app.team(None).await);
    app.make("/v1/accounts", json!({"name": "A", "team_id": other})).await;
    let lead = app.person(&["accounts:read/subtree", "teams:*/all"], &[], &[&own]).await;
    let path = format!("/v1/teams/{other}");
    let beneath = json!({"parent_id": own});
    lead.app.patch(&path, beneath.clone()).await.refused(403, "forbidden");
    lead.app.post("/v1/teams/batch", json!({"mode": "update", "items": [{"id": other, "parent_id": own}]})).await.is(200);
    assert_eq!(lead.app.get("/v1/accounts").await.is(200)["data"], json!([]));
    // What is beneath the own team already may be moved about there.
    let below = app.team(Some(&own)).await;
    let deeper = lead.app.post("/v1/teams", json!({"name": "deeper", "parent_id": below})).await.is(201).id();
    let lead = again(&app, &lead).await;
    lead.patch(&format!("/v1/teams/{deeper}"), beneath.clone()).await.is(200);
    // A team that was deleted beneath the own one comes back only with who sees its records.
    app.patch(&path, beneath).await.is(200);
    app.delete(&path).await.refused(409, "in_use");
    let account = format!("/v1/accounts/{}", app.all("/v1/accounts", 50).await[0]["id"].as_str().unwrap());
    app.delete(&account).await.is(204);
    app.delete(&path).await.is(204);
    app.ask(reqwest::Method::POST, &format!("{account}/restore")).await.is(200);
    lead.post(&format!("{path}/restore"), json!({})).await.refused(403, "forbidden");
    app.post(&format!("{path}/restore"), json!({})).await.is(200);
}

async fn a_role_gains_nothing_for_holders_in_other_teams(app: App) {
    let (north, south) = (app.team(None).await, app.team(None).await);
    let role = app.role(&["accounts:read/own"], &[]).await;
    let user = json!({"name": "S", "email": "s@example.com", "role_ids": [role], "team_ids": [south]});
    app.post("/v1/users", user).await.is(201);
    let lead = app.person(&["accounts:read/team", "roles:*/all"], &[], &[&north]).await.app;
    let wider = json!({"permissions": [{"permission": "accounts:read", "reach": "team"}]});
    lead.patch(&format!("/v1/roles/{role}"), wider.clone()).await.refused(403, "forbidden");
    let free = app.role(&["accounts:read/own"], &[]).await;
    lead.patch(&format!("/v1/roles/{free}"), wider).await.is(200);
}

async fn an_endpoint_of_another_teams_member_is_not_taken_over(app: App) {
    let (bangkok, north) = (app.team(None).await, app.team(None).await);
    let rights = ["accounts:read/team", "webhook-endpoints:*/all", "changes:read/all", "tags:read/all"];
    let theirs = app.person(&rights, &[], &[&bangkok]).await.app;
    let made = theirs.post("/v1/webhook-endpoints", json!({"url": "http://127.0.0.1:9/a", "event_types": ["tag.created"]})).await.is(201);
    let path = format!("/v1/webhook-endpoints/{}", made["webhook_endpoint"]["id"].as_str().unwrap());
    let blind = app.person(&rights, &["financial=hidden"], &[&bangkok]).await.app;
    for other in [app.person(&rights, &[], &[&north]).await.app, blind] {
        for (verb, body) in [("rotate-secret", Value::Null), ("pause", Value::Null), ("replay", json!({"after": "x"}))] {
            let refused = other.post(&format!("{path}/{verb}"), body).await.refused(403, "forbidden");
            assert!(!refused.text.contains("whsec_"), "{verb}");
        }
        for change in
            [json!({"url": "http://127.0.0.1:9/stolen"}), json!({"event_types": ["*"]}), json!({"filter": null, "description": "B"})]
        {
            other.patch(&path, change).await.refused(403, "forbidden");
        }
        other.delete(&path).await.refused(403, "forbidden");
    }
    theirs.post(&format!("{path}/pause"), json!(null)).await.is(200);
    app.person(&rights, &[], &[&north]).await.app.post(&format!("{path}/resume"), json!(null)).await.refused(403, "forbidden");
    app.post(&format!("{path}/resume"), json!(null)).await.is(200);
}

async fn a_deleted_role_is_restored_only_with_its_rights(app: App) {
    let power = app.role(&["*:*/all"], &[]).await;
    let low = app.person(&["roles:*/all", "accounts:read/own"], &[], &[]).await;
    let path = format!("/v1/roles/{power}");
    low.app.delete(&path).await.refused(403, "forbidden");
    low.app.patch(&path, json!({"permissions": []})).await.refused(403, "forbidden");
    low.app.patch(&path, json!({"description": "mine"})).await.refused(403, "forbidden");
    app.delete(&path).await.is(204);
    low.app.post(&format!("{path}/restore"), json!({})).await.refused(403, "forbidden");
    app.get(&path).await.refused(404, "not_found");
    app.post(&format!("{path}/restore"), json!({})).await.is(200);
}

async fn a_role_that_is_held_is_not_deleted(app: App) {
    let held = app.person(&["accounts:read/own"], &[], &[]).await;
    let role = role_of(&app, &held.id).await;
    let path = format!("/v1/roles/{role}");
    let refused = app.delete(&path).await.refused(409, "in_use");
    assert_eq!(refused["conflicts"][0]["id"], json!(held.id));
    let batch = app.post("/v1/roles/batch", json!({"mode": "delete", "items": [{"id": role}]})).await.is(200);
    assert_eq!(batch["results"][0]["error"]["code"], "in_use");
    app.patch(&format!("/v1/users/{}", held.id), json!({"role_ids": []})).await.is(200);
    let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201).text_of("client_id");
    app.delete(&path).await.refused(409, "in_use");
    app.post(&format!("/v1/api-keys/{key}/revoke"), json!({})).await.is(200);
    app.delete(&path).await.is(204);
}

async fn a_number_is_bound_only_with_the_right_to_bind(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let item = json!({"external_id": "N", "as_of": "2026-01-01T00:00:00Z", "receivable": "0", "credit_limit": {"kind": "limited", "amount": "5000000"}});
    app.post("/v1/credit-balances/batch", json!({"system": "express", "entity": "main", "currency": "THB", "items": [item]})).await.is(200);
    let rights = ["accounts:read/all", "accounts:create/all", "accounts:update/all", "credit:read/all", "external-references:read/all"];
    let seller = app.person(&rights, &[], &[]).await.app;
    let shell = json!({"name": "Shell company", "currency": "THB"});
    let path = "/v1/accounts/by-external-id/express/N";
    let missing = json!(["external-references:create"]);
    assert_eq!(seller.put(path, shell.clone()).await.refused(403, "forbidden")["allowed"], missing);
    for mode in ["create", "upsert"] {
        let item = json!({"external_id": "N", "name": "Shell company", "currency": "THB"});
        let batch = json!({"mode": mode, "match_on": "external_id:express", "items": [item]});
        assert_eq!(seller.post("/v1/accounts/batch", batch).await.is(200)["results"][0]["error"]["allowed"], missing, "{mode}");
    }
    let account = seller.make("/v1/accounts", shell.clone()).await["id"].as_str().unwrap().to_owned();
    let name = json!({"system": "express", "resource": "accounts", "external_id": "N", "record_id": account});
    seller.post("/v1/external-references", name.clone()).await.refused(403, "forbidden");
    // A reference that was deleted comes back only with the right to make one.
    let reference = app.post("/v1/external-references", name).await.is(201).id();
    app.delete(&format!("/v1/external-references/{reference}")).await.is(204);
    let cleaner = app.person(&["accounts:read/all", "external-references:read/all", "external-references:delete/all"], &[], &[]).await.app;
    let restored = cleaner.post(&format!("/v1/external-references/{reference}/restore"), json!({})).await;
    assert_eq!(restored.refused(403, "forbidden")["allowed"], missing);
    app.get(path).await.refused(404, "not_found");
    // What is bound already is updated as any account is.
    app.put(path, shell).await.is(201);
    seller.put(path, json!({"name": "Renamed"})).await.is(200);
}

async fn an_owner_or_team_is_given_only_with_the_right_to_assign(app: App) {
    let (own, other) = (app.team(None).await, app.team(None).await);
    let admin = app.admin().await.id;
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let rights = ["read", "create", "update"].map(|verb| format!("accounts:{verb}/team"));
    let mut rights: Vec<&str> = rights.iter().map(String::as_str).collect();
    rights.extend(["external-references:create/all", "external-references:read/all"]);
    let seller = app.person(&rights, &[], &[&own]).await;
    let mine = seller.app.put("/v1/accounts/by-external-id/express/C-1", json!({"name": "Mine"})).await.is(201).id();
    let path = format!("/v1/accounts/{mine}");
    let assign = json!(["accounts:assign"]);
    assert_eq!(seller.app.patch(&path, json!({"owner_id": null})).await.refused(403, "forbidden")["allowed"], assign);
    for gift in [json!({"owner_id": admin}), json!({"team_id": other}), json!({"owner_id": admin, "team_id": other})] {
        assert_eq!(seller.app.patch(&path, gift.clone()).await.refused(403, "forbidden")["allowed"], assign, "{gift}");
        let upsert = seller.app.put("/v1/accounts/by-external-id/express/C-1", with(json!({"name": "Mine"}), &gift)).await;
        assert_eq!(upsert.refused(403, "forbidden")["allowed"], assign, "{gift}");
        for (mode, item) in [("update", with(json!({"id": mine}), &gift)), ("create", with(json!({"name": "B"}), &gift))] {
            let batch = seller.app.post("/v1/accounts/batch", json!({"mode": mode, "items": [item]})).await.is(200);
            assert_eq!(batch["results"][0]["error"]["allowed"], assign, "{mode} {gift}");
        }
        assert_eq!(seller.app.post("/v1/accounts", with(json!({"name": "C"}), &gift)).await.refused(403, "forbidden")["allowed"], assign);
    }
    // A colleague's record is not taken either: who deletes only what is one's own would delete it.
    let theirs =
        app.make("/v1/accounts", json!({"name": "Theirs", "owner_id": admin, "team_id": own})).await["id"].as_str().unwrap().to_owned();
    let taken = seller.app.patch(&format!("/v1/accounts/{theirs}"), json!({"owner_id": seller.id})).await;
    assert_eq!(taken.refused(403, "forbidden")["allowed"], assign);
    // What stays as it is may be said, and what is one's own may be made.
    seller.app.patch(&path, json!({"owner_id": seller.id, "team_id": own, "grade": "A"})).await.is(200);
    seller.app.post("/v1/accounts", json!({"name": "D", "owner_id": seller.id, "team_id": own})).await.is(201);
    rights.push("accounts:assign/own");
    let lead = app.person(&rights, &[], &[&own]).await;
    lead.app.patch(&path, json!({"owner_id": lead.id})).await.refused(403, "forbidden");
    lead.app.post("/v1/accounts", json!({"name": "E", "team_id": other})).await.is(201);
}

/// One object over another.
fn with(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn a_default_seller_sets_no_prices_or_terms(app: App) {
    let seller = app.get("/v1/roles?name=Seller").await.is(200)["data"][0]["id"].clone();
    let person = app.person(&[], &[], &[&app.team(None).await]).await;
    app.patch(&format!("/v1/users/{}", person.id), json!({"role_ids": [seller]})).await.is(200);
    let person = again(&app, &person).await;
    let account = person.make("/v1/accounts", json!({"name": "A"})).await;
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    person
        .patch(&path, json!({"payment_terms_days": 999}))
        .await
        .refused(422, "validation_failed")
        .fault("/payment_terms_days", "protected_field");
    let book = app.make("/v1/price-books", json!({"name": "Cheap", "currency": "THB"})).await["id"].clone();
    person.patch(&path, json!({"price_book_id": book})).await.refused(422, "validation_failed").fault("/price_book_id", "protected_field");
    person.post("/v1/accounts", json!({"name": "B", "payment_terms_days": 1})).await.refused(422, "validation_failed");
}

async fn who_has_more_rights_is_not_acted_on(app: App) {
    let admin = app.admin().await.id;
    let path = format!("/v1/users/{admin}");
    let desk = app.person(&["users:*/all", "roles:read/all"], &[], &[]).await;
    for change in [
        json!({"role_ids": []}),
        json!({"email": "mine@example.com"}),
        json!({"team_ids": [app.team(None).await]}),
        json!({"manager_id": desk.id}),
    ] {
        desk.app.patch(&path, change.clone()).await.refused(403, "forbidden");
        let batch = json!({"mode": "update", "items": [with(json!({"id": admin}), &change)]});
        assert_eq!(desk.app.post("/v1/users/batch", batch).await.is(200)["results"][0]["error"]["code"], "forbidden", "{change}");
    }
    desk.app.post(&format!("{path}/deactivate"), json!({})).await.refused(403, "forbidden");
    desk.app.post(&format!("{path}/set-password"), json!({"password": "another horse battery"})).await.refused(403, "forbidden");
    desk.app.delete(&path).await.refused(403, "forbidden");
    // Records of a user go to another, such as the caller, only with the right to assign them.
    let owner = app.person(&["users:read/all"], &[], &[]).await.id;
    app.make("/v1/accounts", json!({"name": "A", "owner_id": owner})).await;
    let taking = desk.app.post(&format!("/v1/users/{owner}/deactivate"), json!({"hand_over_to": desk.id})).await;
    assert_eq!(taking.refused(403, "forbidden")["allowed"], json!(["accounts:assign"]));
    // Names and the like are no rights.
    desk.app.patch(&path, json!({"job_title": "Director"})).await.is(200);
    let other = app.person(&["accounts:read/own"], &[], &[]).await;
    let theirs = format!("/v1/users/{}", other.id);
    app.post(&format!("{theirs}/deactivate"), json!({})).await.is(200);
    desk.app.post(&format!("{theirs}/activate"), json!({})).await.refused(403, "forbidden");
    app.delete(&theirs).await.is(204);
    desk.app.post(&format!("{theirs}/restore"), json!({})).await.refused(403, "forbidden");
    // Who has no more than oneself may be acted on.
    let equal = app.person(&["users:read/all"], &[], &[]).await;
    let theirs = format!("/v1/users/{}", equal.id);
    for verb in ["deactivate", "activate"] {
        desk.app.post(&format!("{theirs}/{verb}"), json!({})).await.is(200);
    }
    desk.app.patch(&theirs, json!({"email": "moved@example.com"})).await.is(200);
    desk.app.delete(&theirs).await.is(204);
    desk.app.post(&format!("{theirs}/restore"), json!({})).await.is(200);
}

async fn an_erasure_of_who_has_more_rights_is_refused(app: App) {
    let admin = app.admin().await.id;
    let officer = app.person(&["privacy-requests:*/all", "users:read/all"], &[], &[]).await.app;
    let asked = json!({"kind": "erasure", "resource": "users", "record_id": admin});
    let request = format!("/v1/privacy-requests/{}", officer.post("/v1/privacy-requests", asked).await.is(201).id());
    officer.post(&format!("{request}/verify"), json!({"evidence": "seen"})).await.is(200);
    officer.post(&format!("{request}/fulfil"), json!({})).await.refused(403, "forbidden");
    app.get("/v1/me").await.is(200);
}

async fn a_limited_key_makes_no_wider_key(app: App) {
    for code in ["express", "hub"] {
        app.make("/v1/external-systems", json!({"code": code, "name": code, "kind": "accounting"})).await;
    }
    let end = now().plus_seconds(60);
    let limits = json!({"systems": ["express"], "allowed_addresses": ["127.0.0.1"], "expires_at": end});
    let rights = ["api-keys:*/all", "external-references:*/all", "users:*/all", "roles:*/all"];
    let parent = app.api_key(&rights, limits.clone()).await.is(201);
    let (parent, machine) = (parent.text_of("client_id"), app.as_(&parent.text_of("token")));
    let role = app.get(&format!("/v1/api-keys/{parent}")).await.is(200)["role_ids"].clone();
    let child = |more: &Value| with(with(json!({"name": "child", "role_ids": role}), &limits), more);
    let wider = [
        ("/systems", json!({"systems": []})),
        ("/systems", json!({"systems": ["express", "hub"]})),
        ("/allowed_addresses", json!({"allowed_addresses": []})),
        ("/allowed_addresses", json!({"allowed_addresses": ["127.0.0.1", "10.0.0.1"]})),
        ("/expires_at", json!({"expires_at": "2046-01-01T00:00:00Z"})),
    ];
    for (place, more) in &wider {
        machine.post("/v1/api-keys", child(more)).await.refused(422, "validation_failed").fault(place, "beyond_own_rights");
        let own = machine.patch(&format!("/v1/api-keys/{parent}"), more.clone()).await;
        own.refused(422, "validation_failed").fault(place, "beyond_own_rights");
    }
    // Left out, the end is the parent's.
    let mut body = child(&json!({}));
    body.as_object_mut().unwrap().remove("expires_at");
    let made = machine.post("/v1/api-keys", body).await.is(201);
    assert_eq!(made["api_key"]["expires_at"], json!(end));
    // Nor does it become what has no such limits, or give its rights to what has none.
    let unlimited = app.post("/v1/api-keys", json!({"name": "free", "role_ids": role})).await.is(201).text_of("client_id");
    machine.post(&format!("/v1/api-keys/{unlimited}/rotate"), json!({})).await.refused(403, "forbidden");
    let user = app.person(&[], &[], &[]).await.id;
    let given = machine.patch(&format!("/v1/users/{user}"), json!({"role_ids": role})).await;
    given.refused(422, "validation_failed").fault("/role_ids", "beyond_own_rights");
    machine.post(&format!("/v1/users/{user}/set-password"), json!({"password": "another horse battery"})).await.refused(403, "forbidden");
}

async fn a_key_stops_with_the_user_who_answers_for_it(app: App) {
    let person = app.person(&["api-keys:*/all", "accounts:read/all", "changes:read/all", "webhook-endpoints:*/all"], &[], &[]).await;
    let role = role_of(&app, &person.id).await;
    let key = person.app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
    let child = app.as_(&key.text_of("token")).post("/v1/api-keys", json!({"name": "child", "role_ids": [role]})).await.is(201);
    assert_eq!((&key["api_key"]["responsible_id"], &child["api_key"]["responsible_id"]), (&json!(person.id), &json!(person.id)));
    for (filter, count) in [("created_by_id", 1), ("responsible_id", 2)] {
        assert_eq!(ids(&app.get(&format!("/v1/api-keys?{filter}={}", person.id)).await.is(200)).len(), count, "{filter}");
    }
    let machines = [app.as_(&key.text_of("token")), app.as_(&child.text_of("token"))];
    for machine in &machines {
        machine.get("/v1/accounts").await.is(200);
    }
    let user = format!("/v1/users/{}", person.id);
    app.post(&format!("{user}/deactivate"), json!({})).await.is(200);
    for machine in &machines {
        felt(machine).await;
    }
    app.post(&format!("{user}/activate"), json!({})).await.is(200);
    until("the key works again", async || machines[0].get("/v1/me").await.status == 200).await;
    let asked = json!({"kind": "erasure", "resource": "users", "record_id": person.id});
    let request = format!("/v1/privacy-requests/{}", app.post("/v1/privacy-requests", asked).await.is(201).id());
    app.post(&format!("{request}/verify"), json!({"evidence": "seen"})).await.is(200);
    app.post(&format!("{request}/fulfil"), json!({})).await.is(200);
    felt(&machines[0]).await;
}

async fn a_rotated_key_is_answered_for_by_who_rotated_it(app: App) {
    let leaver = app.person(&["api-keys:*/all", "accounts:read/all"], &[], &[]).await;
    let role = role_of(&app, &leaver.id).await;
    let key = leaver.app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201).text_of("client_id");
    app.post(&format!("/v1/users/{}/deactivate", leaver.id), json!({})).await.is(200);
    let rotated = app.post(&format!("/v1/api-keys/{key}/rotate"), json!({})).await.is(200);
    assert_eq!(rotated["api_key"]["responsible_id"], json!(app.admin().await.id));
    app.as_(&rotated.text_of("token")).get("/v1/accounts").await.is(200);
}

async fn a_rotation_ends_access_tokens_of_the_old_secret(app: App) {
    let key = app.api_key(&["accounts:read/all"], json!({})).await.is(201);
    let token = async |key: &Answer| {
        let asked = json!({"grant_type": "client_credentials", "client_id": key["client_id"], "client_secret": key["client_secret"]});
        app.as_(&app.nobody().post("/v1/oauth/token", asked).await.is(200).text_of("access_token"))
    };
    let old = token(&key).await;
    let there = app.another(samphan::config::RateLimit::Off).as_(&old.token());
    for machine in [&old, &there] {
        machine.get("/v1/me").await.is(200);
    }
    let rotated = app.post(&format!("/v1/api-keys/{}/rotate", key.text_of("client_id")), json!({})).await.is(200);
    felt(&old).await;
    felt(&there).await;
    token(&rotated).await.get("/v1/me").await.is(200);
}

async fn an_endpoint_of_an_expired_key_receives_nothing(app: App) {
    local(async {
        let end_of_key = now().plus_seconds(3);
        let rights = ["accounts:read/all", "changes:read/all", "webhook-endpoints:*/all"];
        let key = app.api_key(&rights, json!({"expires_at": end_of_key})).await.is(201);
        let machine = app.as_(&key.text_of("token"));
        let mut receiver = Receiver::start().await;
        let (one, _) = endpoint(&machine, &receiver, json!({"event_types": ["account.*"]})).await;
        let (two, _) = endpoint(&machine, &receiver, json!({"event_types": ["account.*"]})).await;
        app.account("before").await;
        receiver.next().await;
        // The key itself is used until it expires, so that it is remembered.
        until("the key expires", async || machine.get("/v1/me").await.status != 200).await;
        app.account("after").await;
        for id in [one, two] {
            app.get_until(&format!("/v1/webhook-endpoints/{id}"), |found| found["disabled_reason"] == "maker_not_allowed").await;
        }
        while let Ok(got) = receiver.got.try_recv() {
            assert_eq!(got.body["after"]["name"], "before");
        }
    })
    .await;
}

async fn a_kept_answer_is_shown_as_the_caller_may_see_it_now(app: App) {
    let rights = ["accounts:read/own", "accounts:create/own", "accounts:update/own"];
    let person = app.person(&rights, &[], &[]).await;
    let role = format!("/v1/roles/{}", role_of(&app, &person.id).await);
    let body = json!({"name": "A", "grade": "S3cret"});
    let make = |app: &App| app.post("/v1/accounts", body.clone()).key("k").into_future();
    let made = make(&person.app).await.is(201);
    let batch = |app: &App| app.post("/v1/accounts/batch", json!({"mode": "create", "items": [{"name": "B"}]})).key("b").into_future();
    let many = batch(&person.app).await.is(200);
    assert_eq!(make(&person.app).await.is(201).text, made.text);
    assert_eq!(batch(&person.app).await.is(200).text, many.text);
    // A field that is hidden now is hidden.
    app.patch(&role, json!({"field_rules": [{"fields": "accounts.grade", "access": "hidden"}]})).await.is(200);
    let hidden = make(&again(&app, &person).await).await.is(201);
    assert_eq!((hidden.id(), &hidden["grade"], hidden.header("idempotency-replayed")), (made.id(), &Value::Null, "true"));
    // What is no record is not shown to other rights than it was given for.
    assert!(!batch(&again(&app, &person).await).await.refused(409, "conflict").text.contains("results"));
    // A record that went out of sight is not shown.
    let other = app.person(&[], &[], &[]).await.id;
    app.post(&format!("/v1/accounts/{}/assign", made.id()), json!({"owner_id": other})).await.is(200);
    assert!(!make(&again(&app, &person).await).await.refused(409, "conflict").text.contains("S3cret"));
    // Nor is anything without the permission.
    app.patch(&role, json!({"permissions": []})).await.is(200);
    make(&again(&app, &person).await).await.refused(403, "forbidden");
    assert_eq!(app.all("/v1/accounts", 50).await.len(), 2);
}
