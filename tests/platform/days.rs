//! Days are the organisation's: what today is follows from its time zone, and for filters from the caller's.

use crate::{
    sales::Shop,
    support::{clock::Clock, *},
};
use chrono::NaiveDate;
use samphan_resource::{
    calendar::{self, Zone},
    timestamp::Timestamp,
};
use std::time::Duration;

mod running {
    use super::*;
    crate::on_both![settings_are_one_record_that_is_read_and_changed, clients_without_the_permission_cannot_change_the_settings];
}

mod at_night {
    use super::*;
    crate::on_both_alone![
        documents_after_midnight_in_bangkok_have_the_new_day,
        filters_by_days_use_the_zone_of_the_caller,
        another_process_uses_a_changed_zone_within_seconds,
        first_start_takes_the_zone_of_its_settings,
    ];
}

const SETTINGS: &str = "/v1/settings";

async fn settings_are_one_record_that_is_read_and_changed(app: App) {
    let settings = app.get(SETTINGS).await.is(200);
    assert_eq!((&settings["time_zone"], &settings["locale"], &settings["currency"]), (&json!("UTC"), &json!("en"), &json!(null)));
    assert_eq!(app.get("/v1/me").await.is(200)["time_zone"], "UTC");
    let change = |body: Value| app.patch(SETTINGS, body);
    change(json!({"time_zone": "Asia/Atlantis"})).await.refused(422, "validation_failed").fault("/time_zone", "unknown_time_zone");
    change(json!({"currency": "XYZ"})).await.refused(422, "validation_failed").fault("/currency", "unknown_currency");
    change(json!({"locale": "xx"})).await.is(422);
    change(json!({"time_zone": null})).await.is(422);
    change(json!({"name": "X"})).if_match(settings.version() + 7).await.refused(412, "version_conflict");
    let body = json!({"name": "Siam Tea", "time_zone": "Asia/Bangkok", "currency": "THB", "locale": "th"});
    let changed = change(body).if_match(settings.version()).await.is(200);
    assert_eq!((&changed["name"], &changed["time_zone"]), (&json!("Siam Tea"), &json!("Asia/Bangkok")));
    assert_eq!(app.get(SETTINGS).await.is(200)["version"], settings.version() + 1);
    let me = app.get("/v1/me").await.is(200);
    assert_eq!(me["time_zone"], "Asia/Bangkok", "the process that changed the zone uses it at once");
    let events = app.all("/v1/audit-events?kind=settings.updated", 50).await;
    assert_eq!((events.len(), &events[0]["after"]["time_zone"]), (1, &json!("Asia/Bangkok")));
    let own = app.person(&["accounts:read/own"], &[], &[]).await;
    assert_eq!(own.app.get("/v1/me").await.is(200)["locale"], "th");
    app.patch(&format!("/v1/users/{}", own.id), json!({"time_zone": "America/New_York", "locale": "en"})).await.is(200);
    let own = app.as_(&app.sign_in(&own.email, app::PASSWORD).await.is(200).text_of("access_token"));
    let me = own.get("/v1/me").await.is(200);
    assert_eq!((&me["time_zone"], &me["locale"]), (&json!("America/New_York"), &json!("en")));
}

async fn clients_without_the_permission_cannot_change_the_settings(app: App) {
    let reader = app.person(&["settings:read/all"], &[], &[]).await.app;
    reader.get(SETTINGS).await.is(200);
    reader.patch(SETTINGS, json!({"name": "X"})).await.refused(403, "forbidden");
    app.person(&["accounts:read/all"], &[], &[]).await.app.get(SETTINGS).await.refused(403, "forbidden");
}

/// 00:12 in Bangkok on a day to come, and that day; in UTC it is 17:12 of the day before.
fn night() -> (Timestamp, NaiveDate) {
    let day = calendar::days_after(calendar::today(Zone::UTC, machine_now()), 2);
    (calendar::start_of_day(calendar::zone("Asia/Bangkok").unwrap(), day).plus_seconds(12 * 60), day)
}

/// The administrator of a program that goes by a clock, with the zone of the organisation in Bangkok.
async fn in_bangkok(app: &App) -> App {
    let admin = app.admin().await.app;
    admin.patch(SETTINGS, json!({"time_zone": "Asia/Bangkok"})).await.is(200);
    admin
}

async fn documents_after_midnight_in_bangkok_have_the_new_day(app: App) {
    let (moment, day) = night();
    let yesterday = calendar::days_before(day, 1);
    let clock = Clock::new();
    clock.at(moment);
    let program = clock.program(&app);
    let admin = program.app.admin().await.app;
    let shop = Shop::open(&admin).await;
    let order = async || {
        admin.post("/v1/orders", json!({"account_id": shop.account, "lines": [{"product_id": shop.tea, "quantity": "1"}]})).await.is(201)
    };
    assert_eq!(order().await["ordered_on"], yesterday.to_string(), "in UTC");
    // What costs and is taxed one way until yesterday, and another from today on.
    let entries = format!("/v1/price-books/{}/entries", shop.book);
    let old = admin.get(&entries).await.is(200)["data"][0]["id"].as_str().unwrap().to_owned();
    admin.patch(&format!("{entries}/{old}"), json!({"valid_to": yesterday.to_string()})).await.is(200);
    admin.make(&entries, json!({"product_id": shop.tea, "price": "200.00", "valid_from": day.to_string()})).await;
    let rate = admin.get("/v1/tax-rates").await.is(200)["data"][0]["id"].as_str().unwrap().to_owned();
    admin.patch(&format!("/v1/tax-rates/{rate}"), json!({"valid_to": yesterday.to_string()})).await.is(200);
    admin.make("/v1/tax-rates", json!({"code": "VAT7", "name": "VAT 10 %", "rate": "10", "valid_from": day.to_string()})).await;
    assert_eq!(order().await["total_amount"], "107.00", "in UTC it is yesterday still");

    admin.patch(SETTINGS, json!({"time_zone": "Asia/Bangkok"})).await.is(200);
    let made = order().await;
    assert_eq!((&made["ordered_on"], &made["total_amount"]), (&json!(day.to_string()), &json!("220.00")));
    let ask = json!({"account_id": shop.account, "lines": [{"product_id": shop.tea, "quantity": "1"}]});
    let quote = admin.post("/v1/price-quotes", ask.clone()).await.is(200);
    assert_eq!((&quote["date"], &quote["total"]), (&json!(day.to_string()), &json!("200.00")));
    let promise = admin.post("/v1/order-promises", ask).await.is(201);
    assert_eq!((&promise["priced_on"], &promise["available_on"]), (&json!(day.to_string()), &json!(day.to_string())));
    // The order of yesterday costs what it cost: it is looked at again when it is confirmed, by today's prices.
    let draft = admin
        .post(
            "/v1/orders",
            json!({"account_id": shop.account, "ordered_on": yesterday.to_string(), "lines": [{"product_id": shop.tea, "quantity": "1"}]}),
        )
        .await
        .is(201);
    assert_eq!(draft["total_amount"], "107.00");
    admin.post(&format!("/v1/orders/{}/submit", draft.id()), json!({})).await.is(200);
    admin.post(&format!("/v1/orders/{}/confirm", draft.id()), json!({})).await.is(200);
    let holds = admin.all(&format!("/v1/order-holds?order_id={}&kind=price", draft.id()), 50).await;
    assert_eq!(holds.len(), 1, "{holds:?}");
    let contact = admin.make("/v1/contacts", json!({"first_name": "Malee"})).await["id"].clone();
    let request =
        |received: NaiveDate| json!({"kind": "access", "resource": "contacts", "record_id": contact, "received_on": received.to_string()});
    let received = admin.post("/v1/privacy-requests", request(day)).await.is(201);
    assert_eq!(received["due_on"], calendar::days_after(day, 30).to_string());
    let tomorrow = calendar::days_after(day, 1);
    admin.post("/v1/privacy-requests", request(tomorrow)).await.is(422).fault("/received_on", "in_the_future");
}

async fn filters_by_days_use_the_zone_of_the_caller(app: App) {
    let (moment, day) = night();
    let clock = Clock::new();
    clock.at(moment.plus_seconds(-3_600));
    let program = clock.program(&app);
    let admin = in_bangkok(&program.app).await;
    let before = admin.account("Before midnight").await;
    clock.at(moment);
    let admin = program.app.admin().await;
    let shop = Shop::open(&admin.app).await;
    let of_day = async |n: i64| {
        let on = if n < 0 { calendar::days_after(day, n.unsigned_abs()) } else { calendar::days_before(day, n.unsigned_abs()) };
        admin
            .app
            .make(
                "/v1/orders",
                json!({"account_id": shop.account, "ordered_on": on.to_string(), "lines": [{"product_id": shop.tea, "quantity": "1"}]}),
            )
            .await;
    };
    for n in [-1, 0, 1, 2] {
        of_day(n).await;
    }
    let days = async |app: &App, op: &str, period: &str| -> Vec<i64> {
        let leaf = json!({"field": "ordered_on", "op": "within_last", "value": period});
        let filter = json!({op: [leaf]}).to_string();
        let found = app.all(&format!("/v1/orders?filter={}", encoded(&filter)), 50).await;
        let mut days: Vec<i64> =
            found.iter().map(|o| (day - o["ordered_on"].as_str().unwrap().parse::<NaiveDate>().unwrap()).num_days()).collect();
        days.sort_unstable();
        days
    };
    let names = async |app: &App, period: &str| {
        let leaf = json!({"field": "created_at", "op": "within_last", "value": period});
        ids(&app.get(&format!("/v1/accounts?filter={}", encoded(&leaf.to_string()))).await.is(200))
    };
    assert_eq!(days(&admin.app, "all", "P1D").await, [0]);
    assert_eq!(days(&admin.app, "all", "P2D").await, [0, 1]);
    assert_eq!(days(&admin.app, "none", "P2D").await, [-1, 2]);
    assert_eq!(names(&admin.app, "P1D").await, std::slice::from_ref(&shop.account), "since midnight in Bangkok");
    assert_eq!(names(&admin.app, "P2D").await.len(), 2);
    assert_eq!(names(&admin.app, "PT2H").await.len(), 2, "hours end now, whatever the zone");
    // In New York it is noon of the day before.
    admin.app.patch(&format!("/v1/users/{}", admin.id), json!({"time_zone": "America/New_York"})).await.is(200);
    let there = program.app.admin().await.app;
    assert_eq!(days(&there, "all", "P1D").await, [1]);
    assert_eq!(days(&there, "all", "P1W").await, [1, 2]);
    assert_eq!(names(&there, "P1D").await, [before, shop.account.clone()]);
}

async fn another_process_uses_a_changed_zone_within_seconds(app: App) {
    let (moment, day) = night();
    let clock = Clock::new();
    clock.at(moment);
    let (one, other) = (clock.program(&app), clock.program(&app));
    let elsewhere = other.app.admin().await.app;
    assert_eq!(elsewhere.get("/v1/me").await.is(200)["time_zone"], "UTC");
    in_bangkok(&one.app).await;
    until_within(Duration::from_secs(10), "the other process uses the new zone", async || {
        elsewhere.get("/v1/me").await.is(200)["time_zone"] == "Asia/Bangkok"
    })
    .await;
    let shop = Shop::open(&elsewhere).await;
    let order = json!({"account_id": shop.account, "lines": [{"product_id": shop.tea, "quantity": "1"}]});
    assert_eq!(elsewhere.post("/v1/orders", order).await.is(201)["ordered_on"], day.to_string());
}

async fn first_start_takes_the_zone_of_its_settings(app: App) {
    // A database from before there were settings.
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("DELETE FROM settings");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    let program = app.program(&["--time-zone", "Asia/Tehran"]);
    assert_eq!(program.app.get(SETTINGS).await.is(200)["time_zone"], "Asia/Tehran");
    drop(program);
    let again = app.program(&["--time-zone", "Asia/Bangkok"]);
    assert_eq!(again.app.get(SETTINGS).await.is(200)["time_zone"], "Asia/Tehran", "used once");
}
