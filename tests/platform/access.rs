//! Who sees what: what is not seen is not there.

use crate::support::*;

crate::on_both![
    each_reach_shows_just_its_records,
    the_unseen_is_answered_as_what_never_was,
    the_unseen_takes_as_long_as_what_never_was,
    the_seen_but_forbidden_is_403,
    a_child_is_seen_with_its_parent,
    a_record_moves_out_of_sight_when_it_is_assigned_away,
    hidden_fields_are_hidden_everywhere,
    what_tells_a_hidden_name_is_hidden_too,
    what_tells_a_hidden_number_is_hidden_too,
    the_history_of_a_hidden_field_is_hidden_too,
    what_accounting_sent_is_hidden_with_what_it_says,
    totals_are_of_what_is_seen_and_for_whoever_may_see_amounts,
    the_lookup_answers_no_hidden_field,
    masked_text_is_stars,
    a_read_only_field_is_answered_and_not_written,
    the_most_generous_role_holds,
    nobody_grants_what_he_does_not_have,
    a_search_without_rights_finds_nothing,
    the_unseen_does_not_crowd_out_the_seen_in_the_lookup,
];

const READ: [&str; 3] = ["accounts:read", "contacts:read", "account-contacts:read"];

fn reaching(reach: &str, more: &[&str]) -> Vec<String> {
    READ.iter().chain(more).map(|p| format!("{p}/{reach}")).collect()
}

fn borrowed(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

async fn each_reach_shows_just_its_records(app: App) {
    let (above, below) = {
        let above = app.team(None).await;
        let below = app.team(Some(&above)).await;
        (above, below)
    };
    let deeper = app.team(Some(&below)).await;
    let aside = app.team(None).await;
    for (name, team) in [("above", &above), ("below", &below), ("deeper", &deeper), ("aside", &aside)] {
        app.make("/v1/accounts", json!({"name": name, "team_id": team})).await;
    }
    app.account("no team").await;
    for (reach, wanted) in [
        ("own", vec!["mine"]),
        ("team", vec!["above", "mine"]),
        ("subtree", vec!["above", "below", "deeper", "mine"]),
        ("all", vec!["above", "aside", "below", "deeper", "mine", "no team"]),
    ] {
        let grants = reaching(reach, &["accounts:create", "accounts:delete"]);
        let person = app.person(&borrowed(&grants), &[], &[&above]).await;
        let mine = person.app.make("/v1/accounts", json!({"name": "mine"})).await;
        assert_eq!((&mine["owner_id"], &mine["team_id"]), (&json!(person.id), &json!(above)));
        let list = person.app.get("/v1/accounts?sort=name&count=exact").await.is(200);
        assert_eq!(column(&list, "name"), wanted, "{reach}");
        assert_eq!(list["total"], wanted.len());
        for name in ["above", "below", "deeper", "aside", "mine"] {
            let seen = usize::from(wanted.contains(&name));
            for path in [format!("/v1/accounts?q={name}"), format!("/v1/search?q={name}"), format!("/v1/accounts?name={name}")] {
                assert_eq!(person.app.get(&path).await.is(200)["data"].as_array().unwrap().len(), seen, "{reach} {path}");
            }
        }
        person.app.delete(&format!("/v1/accounts/{}", mine["id"].as_str().unwrap())).await.is(204);
    }
}

async fn the_unseen_is_answered_as_what_never_was(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let hidden = app
        .put("/v1/accounts/by-external-id/express/C-1", json!({"name": "Hidden", "tax_id": "0105536000013", "country": "US"}))
        .await
        .is(201)
        .id();
    let contact = app.make("/v1/contacts", json!({"first_name": "Hidden"})).await["id"].as_str().unwrap().to_owned();
    app.make(&format!("/v1/accounts/{hidden}/contact-points"), json!({"kind": "phone", "raw": "02 123 4567"})).await;
    let address = app.make(&format!("/v1/accounts/{hidden}/addresses"), json!({"purpose": "billing", "line1": "1"})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let grants = reaching(
        "own",
        &[
            "accounts:create",
            "accounts:update",
            "accounts:delete",
            "accounts:change-lifecycle",
            "accounts:assign",
            "contacts:update",
            "contacts:delete",
        ],
    );
    let person = app.person(&borrowed(&grants), &[], &[]).await.app;
    let (nothing, nobody) = (random_id(), random_id());
    let both = [(&hidden, &contact, &address), (&nothing, &nobody, &nothing)];
    let mut answers: Vec<Vec<Answer>> = vec![];
    for (account, contact, address) in both {
        let path = format!("/v1/accounts/{account}");
        answers.push(vec![
            person.get(&path).await,
            person.get(&format!("{path}?expand=owner&fields=name")).await,
            person.patch(&path, json!({"grade": "A"})).await,
            person.patch(&path, json!({"grade": "A"})).if_match(9).await,
            person.patch(&path, json!({"name": ""})).await,
            person.delete(&path).await,
            person.post(&format!("{path}/change-lifecycle"), json!({"to": "active"})).await,
            person.post(&format!("{path}/assign"), json!({})).await,
            person.post(&format!("{path}/restore"), json!({})).await,
            person.get(&format!("{path}/addresses")).await,
            person.get(&format!("{path}/addresses/{address}")).await,
            person.post(&format!("{path}/addresses"), json!({"purpose": "billing", "line1": "1"})).await,
            person.get(&format!("{path}/contact-points")).await,
            person.get(&format!("{path}/lifecycle-history")).await,
            person.get(&format!("{path}/grade-history")).await,
            person.get(&format!("/v1/contacts/{contact}")).await,
            person.delete(&format!("/v1/contacts/{contact}")).await,
            person.get(&format!("/v1/contacts/{contact}/addresses")).await,
            person.post("/v1/accounts", json!({"name": "A", "parent_id": account})).await,
            person.get(&format!("/v1/accounts?parent_id={account}")).await,
        ]);
        let batch = person.post("/v1/accounts/batch", json!({"mode": "update", "items": [{"id": account, "grade": "A"}]})).await.is(200);
        assert_eq!(batch["results"][0]["error"]["code"], "not_found");
        assert_eq!(batch["results"][0]["id"], Value::Null);
    }
    for (seen, never) in answers[0].iter().zip(&answers[1]) {
        same_but_request_id(seen, never);
    }
    same_but_request_id(
        &person.get("/v1/accounts/by-external-id/express/C-1").await,
        &person.get("/v1/accounts/by-external-id/express/C-2").await,
    );
    for lookup in ["phone=021234567", "tax_id=0105536000013", "external_id=C-1"] {
        assert_eq!(person.get(&format!("/v1/lookup?{lookup}")).await.is(200)["matches"], json!([]), "{lookup}");
        assert_eq!(app.get(&format!("/v1/lookup?{lookup}")).await.is(200)["matches"][0]["id"], json!(hidden), "{lookup}");
    }
    // Nor is it seen through a record that points at it.
    let mine = person.make("/v1/accounts", json!({"name": "Mine"})).await["id"].as_str().unwrap().to_owned();
    app.patch(&format!("/v1/accounts/{mine}"), json!({"parent_id": hidden})).await.is(200);
    let mine = person.get(&format!("/v1/accounts/{mine}?expand=parent")).await.is(200);
    assert_eq!(mine["expanded"]["parent"], Value::Null);
    let through = json!({"filter": {"field": "parent.name", "op": "eq", "value": "Hidden"}});
    assert_eq!(person.post("/v1/accounts/search", through).await.is(200)["data"], json!([]));
}

async fn the_unseen_takes_as_long_as_what_never_was(app: App) {
    let person = app.person(&["accounts:*/own"], &[], &[]).await;
    let gone = app.account("Gone").await;
    app.delete(&format!("/v1/accounts/{gone}")).await.is(204);
    let records = [random_id(), app.account("Unseen").await, gone];
    let path = |which: usize| format!("/v1/accounts/{}", records[which]);
    timing::all_take_as_long(3, 200, 0.2, async |which, _| {
        person.app.get(&path(which)).await.is(404);
    })
    .await;
    timing::all_take_as_long(3, 200, 0.2, async |which, _| {
        person.app.get(&format!("{}/addresses", path(which))).await.is(404);
    })
    .await;
    timing::all_take_as_long(3, 200, 0.2, async |which, n| {
        person.app.patch(&path(which), json!({"name": format!("Renamed {n}")})).await.is(404);
    })
    .await;
}

async fn the_seen_but_forbidden_is_403(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    let reader = app.person(&["accounts:read/all"], &[], &[]).await.app;
    reader.get(&path).await.is(200);
    for (refused, permission) in [
        (reader.patch(&path, json!({"grade": "A"})).await, "accounts:update"),
        (reader.delete(&path).await, "accounts:delete"),
        (reader.post("/v1/accounts", json!({"name": "B"})).await, "accounts:create"),
        (reader.post(&format!("{path}/assign"), json!({})).await, "accounts:assign"),
        (reader.post(&format!("{path}/addresses"), json!({"purpose": "billing", "line1": "1"})).await, "accounts:update"),
    ] {
        assert_eq!(refused.refused(403, "forbidden")["allowed"], json!([permission]));
    }
    // What the body makes needed is named with it, and only that.
    let order = format!("/v1/orders/{}", random_id());
    for (body, missing) in [
        (json!({"customer_reference": "PO-1"}), json!(["orders:update", "orders:read"])),
        (json!({"contact_id": null}), json!(["orders:update", "orders:read"])),
        (json!({"contact_id": random_id()}), json!(["orders:update", "orders:read", "contacts:read"])),
        (json!({"contact_id": "no id"}), json!(["orders:update", "orders:read"])),
    ] {
        assert_eq!(reader.patch(&order, body.clone()).await.refused(403, "forbidden")["allowed"], missing, "{body}");
    }
    // All are seen, but only one's own may be changed.
    let writer = app.person(&["accounts:read/all", "accounts:update/own", "accounts:create/own"], &[], &[]).await.app;
    writer.patch(&path, json!({"grade": "A"})).await.refused(403, "forbidden");
    writer.post(&format!("{path}/addresses"), json!({"purpose": "billing", "line1": "1"})).await.refused(403, "forbidden");
    let mine = writer.make("/v1/accounts", json!({"name": "Mine"})).await;
    writer.patch(&format!("/v1/accounts/{}", mine["id"].as_str().unwrap()), json!({"grade": "A"})).await.is(200);
    assert_eq!(app.get(&path).await.version(), 1);
}

async fn a_child_is_seen_with_its_parent(app: App) {
    let person = app.person(&["accounts:read/own", "contacts:read/own", "account-contacts:read/own"], &[], &[]).await;
    let mine = app.make("/v1/accounts", json!({"name": "Mine", "owner_id": person.id})).await["id"].as_str().unwrap().to_owned();
    let other = app.account("Other").await;
    let contact = app.make("/v1/contacts", json!({"first_name": "A"})).await;
    for account in [&mine, &other] {
        app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact["id"]})).await;
        app.make(&format!("/v1/accounts/{account}/addresses"), json!({"purpose": "billing", "line1": "1"})).await;
    }
    let links = person.app.get("/v1/account-contacts?count=exact").await.is(200);
    assert_eq!((column(&links, "account_id"), &links["total"]), (vec![mine.clone()], &json!(1)));
    assert_eq!(ids(&person.app.get(&format!("/v1/accounts/{mine}/addresses")).await.is(200)).len(), 1);
    person.app.get(&format!("/v1/accounts/{other}/addresses")).await.refused(404, "not_found");
    // An address of one account is not one of another.
    let address = ids(&app.get(&format!("/v1/accounts/{other}/addresses")).await.is(200)).remove(0);
    person.app.get(&format!("/v1/accounts/{mine}/addresses/{address}")).await.refused(404, "not_found");
    app.delete(&format!("/v1/accounts/{mine}/addresses/{address}")).await.refused(404, "not_found");
    app.delete(&format!("/v1/accounts/{mine}")).await.is(204);
    assert_eq!(person.app.get("/v1/account-contacts").await.is(200)["data"], json!([]));
}

async fn a_record_moves_out_of_sight_when_it_is_assigned_away(app: App) {
    let (one, two) = (app.person(&["accounts:read/own"], &[], &[]).await, app.person(&["accounts:read/own"], &[], &[]).await);
    let id = app.make("/v1/accounts", json!({"name": "Wandering", "owner_id": one.id})).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/accounts/{id}");
    assert_eq!(one.app.get("/v1/search?q=wander").await["data"][0]["id"], json!(id));
    app.post(&format!("{path}/assign"), json!({"owner_id": two.id, "reason": "holiday"})).await.is(200);
    one.app.get(&path).await.refused(404, "not_found");
    two.app.get(&path).await.is(200);
    assert_eq!(one.app.get("/v1/search?q=wander").await["data"], json!([]));
    assert_eq!(two.app.get("/v1/search?q=wander").await["data"][0]["id"], json!(id));
    let event = app.get(&format!("/v1/audit-events?resource_id={id}&kind=account.assigned")).await.is(200);
    assert_eq!((&event["data"][0]["reason"], &event["data"][0]["before"]["owner_id"]), (&json!("holiday"), &json!(one.id)));
    app.post(&format!("{path}/assign"), json!({"owner_id": random_id()})).await.is(422);
}

async fn hidden_fields_are_hidden_everywhere(app: App) {
    let contact = app
        .make(
            "/v1/contacts",
            json!({"first_name": "A", "birth_date": "1980-01-02", "spouse_name": "B", "interests": ["golf"], "children_count": 2}),
        )
        .await;
    let id = contact["id"].as_str().unwrap();
    let path = format!("/v1/contacts/{id}");
    let rights = ["contacts:read/all", "contacts:update/all", "audit-events:read/all"];
    let person = app.person(&rights, &["personal=hidden", "contacts.department=hidden"], &[]).await.app;
    app.patch(&path, json!({"birth_date": "1980-01-03", "job_title": "Buyer", "department": "S3cret"})).await.is(200);
    for record in [
        person.get(&path).await.body.clone(),
        person.get("/v1/contacts").await["data"][0].clone(),
        person.post("/v1/contacts/search", json!({})).await["data"][0].clone(),
    ] {
        assert_eq!(
            (&record["birth_date"], &record["spouse_name"], &record["children_count"], &record["department"]),
            (&Value::Null, &Value::Null, &Value::Null, &Value::Null)
        );
        assert_eq!((&record["interests"], &record["job_title"]), (&json!([]), &json!("Buyer")));
    }
    for query in ["birth_date=1980-01-03", "birth_date_lt=2000-01-01", "department=S3cret"] {
        let name = query.split(['_', '=']).next().unwrap();
        let refused = person.get(&format!("/v1/contacts?{query}")).await.refused(400, "invalid_query");
        assert!(refused["errors"][0]["code"] == "hidden_field" && refused.text.contains(name), "{}", refused.text);
    }
    let filter = json!({"filter": {"field": "birth_date", "op": "is_null", "value": false}});
    person.post("/v1/contacts/search", filter).await.refused(400, "invalid_filter").fault("/filter/field", "hidden_field");
    let events = person.get(&format!("/v1/audit-events?resource_id={id}")).await.is(200);
    for secret in ["1980-01-0", "golf", "S3cret"] {
        assert!(!events.text.contains(secret), "{secret}: {}", events.text);
    }
    assert!(events.text.contains("Buyer"));
    assert!(app.get(&format!("/v1/audit-events?resource_id={id}")).await.text.contains("golf"));
    person
        .patch(&path, json!({"birth_date": "1990-01-01"}))
        .await
        .refused(422, "validation_failed")
        .fault("/birth_date", "protected_field");
    // Writing the rest leaves what is hidden as it is, and the answer hides it too.
    let patched = person.patch(&path, json!({"job_title": "Boss"})).await.is(200);
    assert_eq!(patched["birth_date"], Value::Null);
    assert_eq!(app.get(&path).await["birth_date"], "1980-01-03");
    let blind = app.person(&rights, &["contacts.name=hidden"], &[]).await.app;
    blind.get("/v1/contacts?sort=name").await.refused(400, "invalid_query").fault("?sort", "hidden_field");
}

const CONTACTS: [&str; 7] = [
    "contacts:read/all",
    "contacts:update/all",
    "contacts:create/all",
    "accounts:read/all",
    "accounts:update/all",
    "account-contacts:read/all",
    "audit-events:read/all",
];

/// Insists that no answer says any of the words.
#[track_caller]
fn none_says(answers: &[Answer], words: &[&str]) {
    for answer in answers {
        for word in words {
            assert!(!answer.text.contains(word), "{word} in {}: {}", answer.what, answer.text);
        }
    }
}

async fn what_tells_a_hidden_name_is_hidden_too(app: App) {
    let names =
        json!({"first_name": "Xavier", "middle_name": "Yngwe", "last_name": "Zoltan", "local_name": "ซาเวียร์", "job_title": "Buyer"});
    let id = app.make("/v1/contacts", names).await["id"].as_str().unwrap().to_owned();
    let account = app.account("A").await;
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": id})).await;
    app.patch(&format!("/v1/contacts/{id}"), json!({"last_name": "Zoltans"})).await.is(200);
    let all = ["Xavier", "Yngwe", "Zoltan", "ซาเวียร์"];
    let parts = ["first_name", "middle_name", "last_name", "local_name"];
    // The whole name tells each part, and each part tells some of the whole.
    let cases: [(&str, &[&str], &[&str]); 4] = [
        ("contacts.name=hidden", &all, &["name", "first_name", "middle_name", "last_name", "local_name"]),
        ("contacts.name=masked", &all, &["name", "first_name", "middle_name", "last_name", "local_name"]),
        ("contacts.last_name=hidden", &["Zoltan"], &["name", "last_name"]),
        ("contacts.first_name=masked", &["Xavier"], &["name", "first_name"]),
    ];
    for (rule, hidden, fields) in cases {
        let person = app.person(&CONTACTS, &[rule], &[]).await.app;
        let path = format!("/v1/contacts/{id}");
        let batch = json!({"mode": "update", "items": [{"id": id, "department": rule}]});
        let answers = [
            person.get(&path).await.is(200),
            person.get("/v1/contacts").await.is(200),
            person.post("/v1/contacts/search", json!({})).await.is(200),
            person.patch(&path, json!({"job_title": rule})).await.is(200),
            person.post("/v1/contacts/batch", batch).await.is(200),
            person.get("/v1/account-contacts?expand=contact").await.is(200),
            person.get("/v1/audit-events?limit=200").await.is(200),
            person.get("/v1/search?q=buyer").await.is(200),
        ];
        none_says(&answers, hidden);
        assert!(answers[3].text.contains(rule), "the rest is there");
        for part in parts.iter().filter(|part| !fields.contains(part)) {
            assert!(names_open(&answers[0], part), "{rule} leaves {part}");
        }
        // Nor is it learnt by asking.
        for word in hidden {
            let word = encoded(word);
            person.get(&format!("/v1/contacts?q={word}")).await.refused(400, "invalid_query").fault("?q", "hidden_field");
            assert_eq!(person.get(&format!("/v1/search?q={word}")).await.is(200)["data"], json!([]), "{rule}");
        }
        person.get("/v1/contacts?sort=-name").await.refused(400, "invalid_query").fault("?sort", "hidden_field");
        person.get("/v1/contacts?name=A").await.refused(400, "invalid_query").fault("?name", "hidden_field");
        for field in fields {
            let filter = json!({"filter": {"field": field, "op": "starts_with", "value": "X"}});
            let refused = person.post("/v1/contacts/search", filter).await;
            assert_eq!(refused.status, 400, "{rule} {field}: {}", refused.text);
            if *field != "name" {
                let sent = person.patch(&path, json!({*field: "Changed"})).await.refused(422, "validation_failed");
                sent.fault(&format!("/{field}"), "protected_field");
            }
        }
    }
}

fn names_open(record: &Answer, field: &str) -> bool {
    record[field].as_str().is_some_and(|v| v != "***")
}

async fn what_tells_a_hidden_number_is_hidden_too(app: App) {
    let account = app.account("Siam").await;
    let path = format!("/v1/accounts/{account}/contact-points");
    app.make(&path, json!({"kind": "mobile", "raw": "081-234 5678"})).await;
    for field in ["raw", "e164", "normalized"] {
        let person = app.person(&CONTACTS, &[&format!("contact_points.{field}=hidden")], &[]).await.app;
        let (list, events) = (person.get(&path).await.is(200), person.get("/v1/audit-events?limit=200").await.is(200));
        assert_eq!(ids(&list).len(), 1);
        none_says(&[list, events], &["234 5678", "2345678"]);
        for filter in ["e164=%2B66812345678", "normalized=%2B66812345678"] {
            let name = filter.split('=').next().unwrap();
            person.get(&format!("{path}?{filter}")).await.refused(400, "invalid_query").fault(&format!("?{name}"), "hidden_field");
        }
        person.get("/v1/accounts?q=2345").await.refused(400, "invalid_query").fault("?q", "hidden_field");
        assert_eq!(person.get("/v1/search?q=2345").await.is(200)["data"], json!([]), "{field}");
        person.get("/v1/lookup?phone=0812345678").await.refused(400, "invalid_query").fault("?phone", "hidden_field");
    }
    assert_eq!(app.get("/v1/search?q=2345").await.is(200)["data"][0]["id"], json!(account));
}

async fn the_history_of_a_hidden_field_is_hidden_too(app: App) {
    let account = app.make("/v1/accounts", json!({"name": "A", "grade": "S3cret"})).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/accounts/{account}");
    app.patch(&path, json!({"grade": "S3crets"})).await.is(200);
    app.post(&format!("{path}/change-lifecycle"), json!({"to": "blocked"})).await.is(200);
    let person = app.person(&CONTACTS, &["accounts.grade=hidden", "accounts.lifecycle_stage=hidden"], &[]).await.app;
    let mut answers = vec![];
    for path in ["/v1/accounts", &path, &format!("{path}/grade-history"), "/v1/audit-events?limit=200", "/v1/lookup?tax_id=1"] {
        answers.push(person.get(path).await.is(200));
    }
    none_says(&answers, &["S3cret"]);
    let grades = &answers[2]["data"];
    assert_eq!(grades.as_array().unwrap().len(), 2, "that it changed is not hidden");
    let stages = person.get(&format!("{path}/lifecycle-history")).await;
    assert!(!stages.text.contains("blocked") && !stages.text.contains("prospect"), "{}", stages.text);
}

async fn what_accounting_sent_is_hidden_with_what_it_says(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    app.put("/v1/accounts/by-external-id/express/C-1", json!({"name": "A"})).await.is(201);
    let item = |customer: &str| {
        json!({"external_id": customer, "as_of": "2026-11-20T10:00:00Z", "receivable": "98765.43",
            "credit_limit": {"kind": "limited", "amount": "76543.21"}})
    };
    let pushed = json!({"system": "express", "entity": "main", "currency": "THB", "items": [item("C-1"), item("C-2")]});
    let pushed = app.post("/v1/credit-balances/batch", pushed).await.is(200);
    let rights = [
        "accounts:read/all",
        "credit-balances:read/all",
        "credit-balance-history:read/all",
        "unmatched-credits:read/all",
        "audit-events:read/all",
    ];
    let person = app.person(&rights, &["financial=hidden"], &[]).await.app;
    for path in ["/v1/credit-balances", "/v1/credit-balances/history", "/v1/credit-balances/unmatched", "/v1/audit-events?limit=200"] {
        let all = app.get(path).await.is(200);
        assert!(all.text.contains("98765.43"), "{path}: {} after {}", all.text, pushed.text);
        none_says(&[person.get(path).await.is(200)], &["98765.43", "76543.21"]);
    }
    let person = app.person(&rights, &["credit_balances.receivable=hidden"], &[]).await.app;
    for path in ["/v1/credit-balances", "/v1/credit-balances/history", "/v1/credit-balances/unmatched", "/v1/audit-events?limit=200"] {
        none_says(&[person.get(path).await.is(200)], &["98765.43"]);
    }
}

async fn totals_are_of_what_is_seen_and_for_whoever_may_see_amounts(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let rights = ["accounts:read/own", "credit-balances:read/own", "credit:read/own", "credit:see-ledger/own"];
    let person = app.person(&rights, &[], &[]).await;
    let mine = json!({"name": "Mine", "owner_id": person.id});
    let mine = app.put("/v1/accounts/by-external-id/express/C-1", mine).await.is(201).id();
    app.put("/v1/accounts/by-external-id/express/C-2", json!({"name": "Other"})).await.is(201);
    let item = |customer: &str, amount: &str| json!({"external_id": customer, "as_of": "2026-11-20T10:00:00Z", "receivable": amount});
    let items = [item("C-1", "100"), item("C-2", "98765.43")];
    app.post("/v1/credit-balances/batch", json!({"system": "express", "entity": "main", "currency": "THB", "items": items})).await.is(200);
    let path = "/v1/credit-balances/reconciliation";
    let whole = app.get(path).await.is(200)["ledgers"][0].clone();
    assert_eq!((&whole["items"], &whole["receivable_total"]), (&json!(2), &json!("98865.43")));
    let part = person.app.get(path).await.is(200)["ledgers"][0].clone();
    assert_eq!((&part["items"], &part["receivable_total"]), (&json!(1), &json!("100.00")));
    let credit = format!("/v1/accounts/{mine}/credit");
    assert_eq!(person.app.get(&credit).await.is(200)["receivable"], "100.00");
    let everywhere: Vec<String> = rights.iter().map(|r| r.replace("/own", "/all")).collect();
    for rule in ["financial=hidden", "credit_balances.receivable=masked"] {
        let blind = app.person(&borrowed(&everywhere), &[rule], &[]).await.app;
        blind.get(path).await.refused(403, "forbidden");
        assert_eq!(blind.get(&credit).await.is(200)["receivable"], Value::Null, "{rule}");
    }
}

async fn the_lookup_answers_no_hidden_field(app: App) {
    app.make("/v1/external-systems", json!({"code": "express", "name": "Express", "kind": "accounting"})).await;
    let account = json!({"name": "S3cret Trading", "grade": "S3cret", "is_vip": true, "tax_id": "0105536000013", "country": "US"});
    let id = app.put("/v1/accounts/by-external-id/express/C-1", account).await.is(201).id();
    app.make(&format!("/v1/accounts/{id}/contact-points"), json!({"kind": "phone", "raw": "02 123 4567"})).await;
    let rules = ["accounts.name=hidden", "accounts.grade=hidden", "accounts.is_vip=hidden", "accounts.lifecycle_stage=masked"];
    let person = app.person(&CONTACTS, &rules, &[]).await.app;
    for key in ["phone=021234567", "tax_id=0105536000013", "external_id=C-1"] {
        let found = person.get(&format!("/v1/lookup?{key}")).await.is(200);
        none_says(std::slice::from_ref(&found), &["S3cret", "prospect"]);
        let found = &found["matches"][0];
        assert_eq!((&found["id"], &found["is_vip"], &found["name"]), (&json!(id), &json!(false), &json!("***")), "{key}");
    }
    for (rule, key) in [("accounts.tax_id", "tax_id=0105536000013"), ("accounts.external_refs", "external_id=C-1")] {
        let person = app.person(&CONTACTS, &[&format!("{rule}=hidden")], &[]).await.app;
        let name = format!("?{}", key.split('=').next().unwrap());
        person.get(&format!("/v1/lookup?{key}")).await.refused(400, "invalid_query").fault(&name, "hidden_field");
    }
}

async fn masked_text_is_stars(app: App) {
    app.make("/v1/contacts", json!({"first_name": "A", "birth_date": "1980-01-02", "spouse_name": "B"})).await;
    let person = app.person(&["contacts:read/all"], &["personal=masked"], &[]).await.app;
    let record = person.get("/v1/contacts").await.is(200)["data"][0].clone();
    assert_eq!((&record["spouse_name"], &record["birth_date"]), (&json!("***"), &Value::Null));
    person.get("/v1/contacts?birth_date=1980-01-02").await.refused(400, "invalid_query");
}

async fn a_read_only_field_is_answered_and_not_written(app: App) {
    let path = format!("/v1/accounts/{}", app.account("A").await);
    app.patch(&path, json!({"grade": "A"})).await.is(200);
    let grants = ["accounts:read/all", "accounts:update/all", "accounts:create/all"];
    let person = app.person(&grants, &["accounts.grade=read_only"], &[]).await.app;
    assert_eq!(person.get(&path).await.is(200)["grade"], "A");
    assert_eq!(ids(&person.get("/v1/accounts?grade=A").await.is(200)).len(), 1);
    person.patch(&path, json!({"grade": "B"})).await.refused(422, "validation_failed").fault("/grade", "protected_field");
    person.patch(&path, json!({"grade": "A", "industry": "tea"})).await.is(200);
    person
        .post("/v1/accounts", json!({"name": "B", "grade": "A"}))
        .await
        .refused(422, "validation_failed")
        .fault("/grade", "protected_field");
}

async fn the_most_generous_role_holds(app: App) {
    app.make("/v1/contacts", json!({"first_name": "A", "spouse_name": "B"})).await;
    let roles =
        [app.role(&["contacts:read/own"], &["personal=hidden"]).await, app.role(&["contacts:read/all"], &["personal=masked"]).await];
    let person = app.person(&[], &[], &[]).await;
    let list = async |n: usize| {
        app.patch(&format!("/v1/users/{}", person.id), json!({"role_ids": roles[..n]})).await.is(200);
        // Rights are felt within five seconds; a new session feels them at once.
        let tokens = app.sign_in(&person.email, support_password()).await.is(200);
        app.as_(&tokens.text_of("access_token")).get("/v1/contacts").await
    };
    assert_eq!(list(1).await.is(200)["data"], json!([]));
    assert_eq!(list(2).await.is(200)["data"][0]["spouse_name"], "***");
    list(0).await.refused(403, "forbidden");
}

fn support_password() -> &'static str {
    crate::support::app::PASSWORD
}

async fn nobody_grants_what_he_does_not_have(app: App) {
    let rights = [
        "roles:create/all",
        "roles:read/all",
        "api-keys:create/all",
        "users:create/all",
        "users:update/all",
        "users:read/all",
        "accounts:read/team",
    ];
    let person = app.person(&rights, &[], &[]).await;
    let role = |permission: &str, reach: &str| json!({"name": random_id(), "permissions": [{"permission": permission, "reach": reach}]});
    for (permission, reach) in [("accounts:read", "all"), ("accounts:update", "own"), ("*:*", "own"), ("accounts:*", "own")] {
        person
            .app
            .post("/v1/roles", role(permission, reach))
            .await
            .refused(422, "validation_failed")
            .fault("/permissions/0", "beyond_own_rights");
    }
    person.app.post("/v1/roles", role("accounts:read", "own")).await.is(201);
    let all = app.role(&["*:*/all"], &[]).await;
    let key = json!({"name": "K", "role_ids": [all]});
    person.app.post("/v1/api-keys", key).await.refused(422, "validation_failed").fault("/role_ids/0", "beyond_own_rights");
    let user = json!({"name": "X", "email": "x@example.com", "role_ids": [all]});
    person.app.post("/v1/users", user).await.refused(422, "validation_failed").fault("/role_ids/0", "beyond_own_rights");
    let own = format!("/v1/users/{}", person.id);
    person.app.patch(&own, json!({"role_ids": [all]})).await.refused(422, "validation_failed").fault("/role_ids/0", "beyond_own_rights");
}

async fn a_search_without_rights_finds_nothing(app: App) {
    app.account("Siam").await;
    let person = app.person(&[], &[], &[]).await.app;
    assert_eq!(person.get("/v1/search?q=siam").await.is(200)["data"], json!([]));
}

async fn the_unseen_does_not_crowd_out_the_seen_in_the_lookup(app: App) {
    let person = app.person(&["accounts:read/own", "contacts:read/own", "account-contacts:read/own"], &[], &[]).await;
    let hidden: Vec<Value> = (0..30)
        .map(|n| json!({"name": format!("Hidden {n}"), "tax_id": "0105536000013", "branch_code": n.to_string(), "country": "US"}))
        .collect();
    let hidden = app.make_many("/v1/accounts", &hidden).await;
    let seen = app
        .make(
            "/v1/accounts",
            json!({"name": "Seen", "tax_id": "0105536000013", "branch_code": "seen", "country": "US", "owner_id": person.id}),
        )
        .await;
    let contact = app.make("/v1/contacts", json!({"first_name": "Seen", "owner_id": person.id})).await;
    for parent in hidden.iter().map(|id| format!("accounts/{id}")).chain([format!("contacts/{}", contact["id"].as_str().unwrap())]) {
        app.make(&format!("/v1/{parent}/contact-points"), json!({"kind": "phone", "raw": "02 123 4567"})).await;
    }
    for account in [json!(hidden[0]), seen["id"].clone()] {
        app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact["id"]})).await;
    }
    let found = person.app.get("/v1/lookup?tax_id=0105536000013").await.is(200);
    assert_eq!(found["matches"].as_array().unwrap().iter().map(|m| &m["id"]).collect::<Vec<_>>(), [&seen["id"]]);
    let found = person.app.get("/v1/lookup?phone=021234567").await.is(200);
    let of = |field: &str| found["matches"].as_array().unwrap().iter().map(|m| m[field].clone()).collect::<Vec<_>>();
    // Its first account that is seen, whichever came before.
    assert_eq!((of("id"), of("account_id")), (vec![contact["id"].clone()], vec![seen["id"].clone()]));
    // Who may not see who acts for whom is not told it here.
    let blind = app.person(&["accounts:read/all", "contacts:read/all"], &[], &[]).await.app;
    app.make(&format!("/v1/contacts/{}/contact-points", contact["id"].as_str().unwrap()), json!({"kind": "mobile", "raw": "081 234 5678"}))
        .await;
    let found = blind.get("/v1/lookup?phone=0812345678").await.is(200);
    let contact = found["matches"].as_array().unwrap().iter().find(|m| m["resource"] == "contacts").unwrap().clone();
    assert_eq!((&contact["account_id"], &contact["account_name"]), (&Value::Null, &Value::Null));
}
