//! Leads: states with their guards, and one conversion whatever the number of requests.

use super::*;
use futures_util::future::join_all;

crate::on_both![
    a_lead_of_an_existing_contact_becomes_an_opportunity_of_theirs,
    one_lead_is_converted_once_by_eight_at_a_time,
    two_leads_of_one_tax_id_become_one_account,
    a_new_customer_has_all_that_the_lead_had,
    a_likely_match_is_asked_about,
    a_certain_match_out_of_sight_is_not_named,
    empty_fields_are_filled_and_others_kept,
    a_target_is_named_in_one_way,
    states_have_their_guards,
    a_lead_merged_into_another_fills_it,
    a_converted_lead_is_final,
    a_fault_of_the_opportunity_leaves_nothing_behind,
    a_lead_is_valid_or_refused_with_its_place,
    what_is_about_a_lead_is_about_its_contact_afterwards,
];

async fn lead(app: &App, body: Value) -> Answer {
    app.post("/v1/leads", body).await.is(201)
}

async fn convert(app: &App, lead: &str, body: Value) -> Answer {
    app.post(&format!("/v1/leads/{lead}/convert"), body).await
}

fn deal() -> Value {
    json!({"expected_close_on": "2027-01-31", "currency": "THB"})
}

/// How many records there are of each kind.
async fn counts(app: &App) -> [i64; 3] {
    let mut all = [0; 3];
    for (count, resource) in all.iter_mut().zip(["accounts", "contacts", "opportunities"]) {
        *count = app.get(&format!("/v1/{resource}?count=exact&limit=1")).await.is(200)["total"].as_i64().unwrap();
    }
    all
}

/// A company with a contact who has an e-mail address; their ids.
async fn known(app: &App, company: &str, email: &str) -> (String, String) {
    let account = id(&app.make("/v1/accounts", json!({"name": company, "currency": "THB"})).await);
    let contact = id(&app.make("/v1/contacts", json!({"first_name": "Somchai", "last_name": "Jaidee"})).await);
    app.make(&format!("/v1/contacts/{contact}/contact-points"), json!({"kind": "email", "raw": email})).await;
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact, "role": "purchaser"})).await;
    (account, contact)
}

async fn a_lead_of_an_existing_contact_becomes_an_opportunity_of_theirs(app: App) {
    Funnel::open(&app).await;
    let (account, contact) = known(&app, "Rimnam Hotel", "somchai@rimnam.example").await;
    let before = counts(&app).await;
    let body = json!({"name": "Somchai J.", "company": "Rimnam Hotel Co., Ltd.", "email": "Somchai@Rimnam.example"});
    let lead = lead(&app, body).await.id();
    let asked = json!({"account": {"match": true}, "contact": {"match": true}, "opportunity": deal()});
    let made = convert(&app, &lead, asked).await.is(200);
    assert_eq!((&made["account"]["id"], &made["contact"]["id"]), (&json!(account), &json!(contact)));
    assert_eq!((&made["account"]["score"], &made["contact"]["score"]), (&json!(90), &json!(90)));
    assert_eq!(made["contact"]["matched"], json!(["email", "company"]));
    let after = counts(&app).await;
    assert_eq!([after[0] - before[0], after[1] - before[1], after[2] - before[2]], [0, 0, 1]);
    let links = app.get(&format!("/v1/account-contacts?contact_id={contact}&count=exact")).await.is(200);
    assert_eq!(links["total"], 1, "linked once");
    let deal = read(&app, made["opportunity_id"].as_str().unwrap()).await;
    assert_eq!((&deal["lead_id"], &deal["account_id"], &deal["contact_id"]), (&json!(lead), &json!(account), &json!(contact)));
    assert_eq!(deal["probability"], "20", "its stage's");
}

async fn one_lead_is_converted_once_by_eight_at_a_time(app: App) {
    Funnel::open(&app).await;
    let before = counts(&app).await;
    let body = json!({"name": "Orathai Sukjai", "company": "Rimnam", "email": "orathai@rimnam.example", "tax_id": "0105536000003"});
    let lead = lead(&app, body).await.id();
    let answers = join_all((0..8).map(|_| convert(&app, &lead, json!({"opportunity": deal()})))).await;
    let (done, refused): (Vec<Answer>, Vec<Answer>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), refused.len()), (1, 7));
    for answer in refused {
        let answer = answer.refused(409, "already_converted");
        let named = |field: &str| answer["conflicts"].as_array().unwrap().iter().find(|c| c["field"] == field).unwrap()["id"].clone();
        assert_eq!(named("converted_account_id"), done[0]["account"]["id"]);
        assert_eq!(named("converted_contact_id"), done[0]["contact"]["id"]);
        assert_eq!(named("converted_opportunity_id"), done[0]["opportunity_id"]);
    }
    let after = counts(&app).await;
    assert_eq!([after[0] - before[0], after[1] - before[1], after[2] - before[2]], [1, 1, 1]);
    boards_add_up(&app).await;
}

async fn two_leads_of_one_tax_id_become_one_account(app: App) {
    Funnel::open(&app).await;
    let before = counts(&app).await;
    let mut leads = vec![];
    for (name, email) in [("Orathai Sukjai", "orathai@rimnam.example"), ("Niran Dee", "niran@other.example")] {
        leads.push(lead(&app, json!({"name": name, "company": "Rimnam", "email": email, "tax_id": "0-1055-36000-00-3"})).await.id());
    }
    let answers = join_all(leads.iter().map(|lead| convert(&app, lead, json!({"opportunity": deal()})))).await;
    let accounts: Vec<Value> = answers.into_iter().map(|answer| answer.is(200)["account"].clone()).collect();
    assert_eq!(accounts[0]["id"], accounts[1]["id"]);
    let made = accounts.iter().filter(|account| account["is_new"] == true).count();
    assert_eq!(made, 1);
    let after = counts(&app).await;
    assert_eq!([after[0] - before[0], after[1] - before[1], after[2] - before[2]], [1, 2, 2], "one account, two deals");
}

async fn a_new_customer_has_all_that_the_lead_had(app: App) {
    Funnel::open(&app).await;
    app.make("/v1/custom-fields", json!({"resource": "leads", "key": "rooms", "label": "Rooms", "type": "number"})).await;
    app.make("/v1/custom-fields", json!({"resource": "accounts", "key": "rooms", "label": "Rooms", "type": "number"})).await;
    let body = json!({
        "name": "อรทัย สุขใจ", "company": "บริษัท ริมน้ำโฮเทล จำกัด", "job_title": "Purchasing", "email": "orathai@rimnam.example",
        "phone": "081-555 0142", "line_id": "orathai", "tax_id": "0105536000003", "budget_amount": "180000.00", "currency": "THB",
        "decides_on": "2027-03-01", "source": "trade_fair", "custom": {"rooms": "120"},
        "address": {"line1": "99 ถนนเจริญกรุง", "region": "Bangkok", "postal_code": "10500", "country": "TH"},
    });
    let lead = lead(&app, body).await;
    assert_eq!(lead["e164"], "+66815550142");
    let made = convert(&app, &lead.id(), json!({"opportunity": {}})).await.is(200);
    assert_eq!(
        (&made["lead"]["status"], &made["account"]["is_new"], &made["contact"]["is_new"]),
        (&json!("converted"), &json!(true), &json!(true))
    );
    let (account, contact) = (made["account"]["id"].as_str().unwrap(), made["contact"]["id"].as_str().unwrap());
    let customer = app.get(&format!("/v1/accounts/{account}")).await.is(200);
    assert_eq!((&customer["name"], &customer["tax_id"]), (&json!("บริษัท ริมน้ำโฮเทล จำกัด"), &json!("0105536000003")));
    assert_eq!((&customer["custom"]["rooms"], &customer["owner_id"]), (&json!("120"), &lead["owner_id"]));
    let place = app.all(&format!("/v1/accounts/{account}/addresses"), 10).await;
    assert_eq!((&place[0]["line1"], &place[0]["purpose"]), (&json!("99 ถนนเจริญกรุง"), &json!("registered")));
    let person = app.get(&format!("/v1/contacts/{contact}")).await.is(200);
    assert_eq!((&person["first_name"], &person["last_name"], &person["job_title"]), (&json!("อรทัย"), &json!("สุขใจ"), &json!("Purchasing")));
    let points = app.all(&format!("/v1/contacts/{contact}/contact-points"), 10).await;
    assert_eq!(texts(&points, "normalized"), ["orathai@rimnam.example", "+66815550142", "orathai"]);
    let links = app.get(&format!("/v1/account-contacts?account_id={account}")).await.is(200);
    assert_eq!((&links["data"][0]["contact_id"], &links["data"][0]["is_primary"]), (&json!(contact), &json!(true)));
    let deal = read(&app, made["opportunity_id"].as_str().unwrap()).await;
    assert_eq!(
        (&deal["amount"], &deal["expected_close_on"], &deal["source"]),
        (&json!("180000.00"), &json!("2027-03-01"), &json!("trade_fair"))
    );
}

async fn a_likely_match_is_asked_about(app: App) {
    Funnel::open(&app).await;
    let (_, contact) = known(&app, "Chiang Mai Coffee", "somchai@mail.example").await;
    let first = lead(&app, json!({"name": "Somchai", "company": "Rimnam", "email": "somchai@mail.example"})).await.id();
    // The address alone is 60: the account is as likely as the contact.
    let refused = convert(&app, &first, json!({"account": {"create": true}})).await.refused(409, "likely_match");
    assert_eq!(refused["conflicts"], json!([{"resource": "contacts", "id": contact, "field": "email"}]));
    let used = convert(&app, &first, json!({"account": {"create": true}, "on_likely": "use"})).await.is(200);
    assert_eq!((&used["contact"]["id"], &used["contact"]["score"]), (&json!(contact), &json!(60)));
    let second = lead(&app, json!({"name": "Somchai", "company": "Doi Tea", "email": "somchai@mail.example"})).await.id();
    let made = convert(&app, &second, json!({"on_likely": "create"})).await.is(200);
    assert_eq!((&made["account"]["is_new"], &made["contact"]["is_new"]), (&json!(true), &json!(true)));
}

async fn a_certain_match_out_of_sight_is_not_named(app: App) {
    Funnel::open(&app).await;
    let (account, _) = known(&app, "Rimnam Hotel", "somchai@rimnam.example").await;
    app.patch(&format!("/v1/accounts/{account}"), json!({"tax_id": "0105536000003", "country": "TH"})).await.is(200);
    let grants = [
        "leads:read/own",
        "leads:create/own",
        "leads:convert/own",
        "accounts:read/own",
        "contacts:read/own",
        "accounts:create/own",
        "contacts:create/own",
        "account-contacts:create/own",
        "opportunities:create/own",
    ];
    let seller = app.person(&grants, &[], &[]).await.app;
    let lead = lead(&seller, json!({"name": "Niran", "company": "Other", "tax_id": "0105536000003"})).await.id();
    let refused = convert(&seller, &lead, json!({})).await.refused(409, "duplicate_hidden");
    assert!(!refused.text.contains(&account) && refused["conflicts"] == json!([]), "{}", refused.text);
    let chosen = json!({"account": {"id": account}});
    convert(&seller, &lead, chosen).await.refused(422, "unknown_reference").fault("/account/id", "unknown_reference");
    convert(&app, &lead, json!({})).await.is(200);
}

async fn empty_fields_are_filled_and_others_kept(app: App) {
    Funnel::open(&app).await;
    let (account, contact) = known(&app, "Rimnam Hotel", "somchai@rimnam.example").await;
    app.patch(&format!("/v1/contacts/{contact}"), json!({"job_title": "Director"})).await.is(200);
    let body = json!({"name": "Somchai Jaidee", "company": "Rimnam Hotel", "email": "somchai@rimnam.example", "phone": "081-555 0142",
        "tax_id": "0105536000003", "job_title": "Purchaser"});
    let lead = lead(&app, body).await.id();
    let made = convert(&app, &lead, json!({})).await.is(200);
    assert_eq!(made["account"]["filled"], json!(["tax_id"]));
    assert_eq!((&made["contact"]["filled"], &made["contact"]["kept"]), (&json!(["phone"]), &json!(["job_title"])));
    assert_eq!(app.get(&format!("/v1/accounts/{account}")).await.is(200)["tax_id"], "0105536000003");
    assert_eq!(app.get(&format!("/v1/contacts/{contact}")).await.is(200)["job_title"], "Director");
}

async fn a_target_is_named_in_one_way(app: App) {
    Funnel::open(&app).await;
    let lead = lead(&app, json!({"name": "Somchai"})).await.id();
    for target in [json!({}), json!({"create": true, "match": true}), json!({"id": random_id(), "create": true})] {
        convert(&app, &lead, json!({"account": target})).await.refused(422, "validation_failed").fault("/account", "ambiguous_key");
    }
}

async fn states_have_their_guards(app: App) {
    let made = lead(&app, json!({"name": "Somchai"})).await;
    let path = format!("/v1/leads/{}", made.id());
    let act = async |verb: &str, body: Value| app.post(&format!("{path}/{verb}"), body).await;
    act("qualify", json!({})).await.refused(422, "validation_failed").fault("/email", "required");
    act("disqualify", json!({})).await.refused(422, "validation_failed").fault("/reason", "required");
    let owner = app.person(&[], &[], &[]).await.id;
    let assigned = act("assign", json!({"owner_id": owner})).await.is(200);
    assert_eq!((&assigned["status"], &assigned["owner_id"]), (&json!("assigned"), &json!(owner)));
    assert!(assigned["assigned_at"].is_string());
    assert_eq!(act("start", json!({})).await.is(200)["status"], "working");
    assert_eq!(act("nurture", json!({"recycle_on": "2027-02-01"})).await.is(200)["recycle_on"], "2027-02-01");
    assert_eq!(act("start", json!({})).await.is(200)["status"], "working");
    app.patch(&path, json!({"phone": "02-123 4567"})).await.is(200);
    assert_eq!(act("qualify", json!({})).await.is(200)["status"], "qualified");
    let out = act("disqualify", json!({"reason": "No budget"})).await.is(200);
    assert_eq!((&out["status"], &out["disqualify_reason"]), (&json!("disqualified"), &json!("No budget")));
    let refused = act("convert", json!({})).await.refused(409, "illegal_transition");
    assert_eq!(refused["allowed"], json!(["recycle"]));
    let back = act("recycle", json!({})).await.is(200);
    assert_eq!((&back["status"], &back["disqualify_reason"]), (&json!("working"), &json!(null)));
}

async fn a_lead_merged_into_another_fills_it(app: App) {
    let kept = lead(&app, json!({"name": "Somchai", "email": "somchai@rimnam.example"})).await.id();
    let gone =
        lead(&app, json!({"name": "Somchai J.", "email": "other@rimnam.example", "phone": "081-555 0142", "tags": ["fair"]})).await.id();
    let merge = format!("/v1/leads/{gone}/merge");
    app.post(&merge, json!({"into_id": gone})).await.refused(422, "validation_failed").fault("/into_id", "refers_to_itself");
    let merged = app.post(&merge, json!({"into_id": kept})).await.is(200);
    assert_eq!((&merged["status"], &merged["duplicate_of_id"]), (&json!("merged"), &json!(kept)));
    let kept = app.get(&format!("/v1/leads/{kept}")).await.is(200);
    assert_eq!(
        (&kept["email"], &kept["e164"], &kept["tags"]),
        (&json!("somchai@rimnam.example"), &json!("+66815550142"), &json!(["fair"]))
    );
    let into_gone = app.post(&format!("/v1/leads/{}/merge", kept.id()), json!({"into_id": gone})).await;
    into_gone.refused(422, "validation_failed").fault("/into_id", "not_active");
}

async fn a_converted_lead_is_final(app: App) {
    Funnel::open(&app).await;
    let lead = lead(&app, json!({"name": "Somchai"})).await.id();
    convert(&app, &lead, json!({})).await.is(200);
    let path = format!("/v1/leads/{lead}");
    app.patch(&path, json!({"name": "Other"})).await.refused(409, "illegal_transition");
    app.post(&format!("{path}/disqualify"), json!({"reason": "no"})).await.refused(409, "illegal_transition");
    let read = app.get(&path).await.is(200);
    assert_eq!((&read["available_actions"], &read["converted_opportunity_id"]), (&json!([]), &json!(null)));
}

async fn a_fault_of_the_opportunity_leaves_nothing_behind(app: App) {
    Funnel::open(&app).await;
    let before = counts(&app).await;
    let lead = lead(&app, json!({"name": "Somchai", "company": "Rimnam"})).await.id();
    let wrong = json!({"opportunity": {"stage_id": random_id(), "currency": "THB"}});
    convert(&app, &lead, wrong).await.refused(422, "validation_failed").fault("/opportunity/stage_id", "not_in_pipeline");
    let tried = app.post(&format!("/v1/leads/{lead}/convert?dry_run=true"), json!({"opportunity": {"currency": "THB"}})).await.is(200);
    assert_eq!(tried["account"]["is_new"], true);
    assert_eq!(counts(&app).await, before);
    assert_eq!(app.get(&format!("/v1/leads/{lead}")).await.is(200)["status"], "new");
}

async fn a_lead_is_valid_or_refused_with_its_place(app: App) {
    for (sent, pointer, code) in [
        (json!({"email": "somchai"}), "/email", "invalid_email"),
        (json!({"phone": "12"}), "/phone", "invalid_phone"),
        (json!({"tax_id": "0105536000004"}), "/tax_id", "invalid_tax_id"),
        (json!({"budget_amount": "10.00"}), "/currency", "required"),
        (json!({"currency": "XYZ"}), "/currency", "unknown_currency"),
        (json!({"status": "converted"}), "/status", "unknown_field"),
        (json!({"source": "Trade Fair"}), "/source", "invalid_format"),
    ] {
        let mut body = json!({"name": "Somchai"});
        body.as_object_mut().unwrap().extend(sent.as_object().unwrap().clone());
        app.post("/v1/leads", body).await.refused(422, "validation_failed").fault(pointer, code);
    }
}

/// By any reference to any of several resources; here goods that are kept for a lead.
async fn what_is_about_a_lead_is_about_its_contact_afterwards(app: App) {
    Funnel::open(&app).await;
    let lead = lead(&app, json!({"name": "Somchai"})).await.id();
    app.make("/v1/external-systems", json!({"code": "fair", "name": "Fair", "kind": "ecommerce"})).await;
    let named = json!({"system": "fair", "resource": "leads", "external_id": "L-1", "record_id": lead});
    let named = id(&app.make("/v1/external-references", named).await);
    let warehouse = id(&app.make("/v1/warehouses", json!({"code": "BKK1", "name": "Bangkok"})).await);
    let tea = id(&app.make("/v1/products", json!({"sku": "TEA", "name": "Tea"})).await);
    app.post("/v1/stock-receipts", json!({"warehouse_code": "BKK1", "lines": [{"product_id": tea, "quantity": "10"}]})).await.is(201);
    let kept = json!({"product_id": tea, "warehouse_id": warehouse, "quantity": "1", "source_resource": "leads", "source_id": lead});
    let kept = id(&app.make("/v1/stock-reservations", kept).await);
    let note = id(&app.make("/v1/notes", json!({"body": "Asked for samples.", "related_resource": "leads", "related_id": lead})).await);
    let made = convert(&app, &lead, json!({})).await.is(200);
    let note = app.get(&format!("/v1/notes/{note}")).await.is(200);
    assert_eq!((&note["related_resource"], &note["related_id"]), (&json!("contacts"), &made["contact"]["id"]));
    let kept = app.get(&format!("/v1/stock-reservations/{kept}")).await.is(200);
    assert_eq!((&kept["source_resource"], &kept["source_id"]), (&json!("contacts"), &made["contact"]["id"]));
    let named = app.get(&format!("/v1/external-references/{named}")).await.is(200);
    assert_eq!((&named["resource"], &named["record_id"]), (&json!("leads"), &json!(lead)), "what the lead is called stays the lead's");
}
