//! Customer service: business calendars.

use crate::support::*;

crate::on_both![
    open_time_is_counted_by_the_hours_of_a_calendar,
    a_holiday_is_closed_and_named_in_the_ledger,
    hours_are_kept_in_order_and_those_that_touch_are_one,
    hours_that_overlap_or_end_before_they_begin_are_refused,
    one_calendar_is_the_default,
    a_calendar_that_is_never_open_says_so,
];

fn office(days: &[&str]) -> Value {
    let hours = json!([{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "17:30"}]);
    days.iter().map(|day| ((*day).to_owned(), hours.clone())).collect::<serde_json::Map<_, _>>().into()
}

const WORKDAYS: [&str; 5] = ["monday", "tuesday", "wednesday", "thursday", "friday"];

async fn calendar(app: &App, name: &str, weekly: Value) -> String {
    let made = app.make("/v1/business-calendars", json!({"name": name, "time_zone": "Asia/Bangkok", "weekly": weekly})).await;
    format!("/v1/business-calendars/{}", made["id"].as_str().unwrap())
}

async fn compute(app: &App, calendar: &str, body: Value) -> Answer {
    app.post(&format!("{calendar}/compute"), body).await
}

async fn open_time_is_counted_by_the_hours_of_a_calendar(app: App) {
    let office = calendar(&app, "Office", office(&WORKDAYS)).await;
    // Friday 16:30 and four hours: Monday 11:30.
    let due = compute(&app, &office, json!({"op": "add", "from": "2026-11-27T09:30:00Z", "seconds": 4 * 3600})).await.is(200);
    assert_eq!(due["at"], "2026-11-30T04:30:00Z");
    let ledger: Vec<(&str, i64)> =
        due["ledger"].as_array().unwrap().iter().map(|day| (day["date"].as_str().unwrap(), day["seconds"].as_i64().unwrap())).collect();
    assert_eq!(ledger, [("2026-11-27", 3_600), ("2026-11-30", 10_800)]);
    let open = compute(&app, &office, json!({"op": "diff", "from": "2026-11-28T15:00:00Z", "to": "2026-11-30T01:45:00Z"})).await.is(200);
    assert_eq!(open["seconds"], 15 * 60);
    for (at, is_open, next) in [
        ("2026-11-30T01:30:00Z", true, "2026-11-30T01:30:00Z"),
        ("2026-11-30T05:00:00Z", false, "2026-11-30T06:00:00Z"),
        ("2026-11-28T03:00:00Z", false, "2026-11-30T01:30:00Z"),
    ] {
        assert_eq!(compute(&app, &office, json!({"op": "is_open", "from": at})).await.is(200)["is_open"], is_open, "{at}");
        assert_eq!(compute(&app, &office, json!({"op": "next_open", "from": at})).await.is(200)["at"], next, "{at}");
    }
    compute(&app, &office, json!({"op": "add", "from": "2026-11-27T09:30:00Z"})).await.is(422).fault("/seconds", "required");
    compute(&app, &office, json!({"op": "diff", "from": "2026-11-27T09:30:00Z", "to": "2026-11-26T09:30:00Z"}))
        .await
        .is(422)
        .fault("/to", "out_of_range");
}

async fn a_holiday_is_closed_and_named_in_the_ledger(app: App) {
    let office = calendar(&app, "Office", office(&WORKDAYS)).await;
    let exceptions = format!("{office}/exceptions");
    for date in ["2026-12-31", "2027-01-01"] {
        app.make(&exceptions, json!({"date": date, "name": "New Year"})).await;
    }
    app.post(&exceptions, json!({"date": "2026-12-31", "name": "Again"})).await.refused(409, "already_exists");
    app.make(&exceptions, json!({"date": "2026-12-24", "name": "Christmas Eve", "hours": [{"from": "08:30", "to": "12:00"}]})).await;
    // Wednesday 2026-12-30 15:30 and eight hours: Monday 2027-01-04 15:30.
    let due = compute(&app, &office, json!({"op": "add", "from": "2026-12-30T08:30:00Z", "seconds": 8 * 3600})).await.is(200);
    assert_eq!(due["at"], "2027-01-04T08:30:00Z");
    // Thursday 2026-12-24 11:00 and three hours: Friday 10:30.
    let due = compute(&app, &office, json!({"op": "add", "from": "2026-12-24T04:00:00Z", "seconds": 3 * 3600})).await.is(200);
    assert_eq!(due["at"], "2026-12-25T03:30:00Z");
    assert_eq!(due["ledger"][0], json!({"date": "2026-12-24", "seconds": 3600, "name": "Christmas Eve"}));
}

async fn hours_are_kept_in_order_and_those_that_touch_are_one(app: App) {
    let weekly = json!({"monday": [
        {"from": "13:00", "to": "17:30"}, {"from": "08:30", "to": "10:00"}, {"from": "10:00", "to": "12:00"}, {"from": "20:00", "to": "24:00"},
    ]});
    let path = calendar(&app, "Office", weekly).await;
    let kept = app.get(&path).await.is(200);
    let expected = json!([{"from": "08:30", "to": "12:00"}, {"from": "13:00", "to": "17:30"}, {"from": "20:00", "to": "24:00"}]);
    assert_eq!((&kept["weekly"]["monday"], &kept["weekly"]["sunday"]), (&expected, &json!([])));
}

async fn hours_that_overlap_or_end_before_they_begin_are_refused(app: App) {
    let add = |hours: Value| {
        app.post("/v1/business-calendars", json!({"name": "Office", "time_zone": "Asia/Bangkok", "weekly": {"monday": hours}}))
    };
    add(json!([{"from": "08:00", "to": "12:00"}, {"from": "11:00", "to": "13:00"}])).await.is(422).fault("/weekly", "repeated");
    add(json!([{"from": "12:00", "to": "08:00"}])).await.is(422).fault("/weekly", "before_start");
    add(json!([{"from": "8:00", "to": "12:00"}])).await.is(422).fault("/weekly/monday/0/from", "invalid_format");
    add(json!([{"from": "24:00", "to": "24:00"}])).await.is(422).fault("/weekly/monday/0/from", "invalid_format");
    let body = json!({"name": "Office", "time_zone": "Asia/Atlantis"});
    app.post("/v1/business-calendars", body).await.is(422).fault("/time_zone", "unknown_time_zone");
}

async fn one_calendar_is_the_default(app: App) {
    let first = app.make("/v1/business-calendars", json!({"name": "A", "time_zone": "Asia/Bangkok", "is_default": true})).await;
    let second = app.make("/v1/business-calendars", json!({"name": "B", "time_zone": "Asia/Tehran", "is_default": true})).await;
    let defaults = app.get("/v1/business-calendars?is_default=true").await.is(200);
    assert_eq!(ids(&defaults), [second["id"].as_str().unwrap()]);
    assert_ne!(first["id"], second["id"]);
}

async fn a_calendar_that_is_never_open_says_so(app: App) {
    let closed = calendar(&app, "Closed", json!({})).await;
    for body in
        [json!({"op": "add", "from": "2026-01-01T00:00:00Z", "seconds": 1}), json!({"op": "next_open", "from": "2026-01-01T00:00:00Z"})]
    {
        compute(&app, &closed, body).await.is(422).fault("/from", "never_open");
    }
    let now = compute(&app, &closed, json!({"op": "add", "from": "2026-01-01T00:00:00Z", "seconds": 0})).await.is(200);
    assert_eq!(now["at"], "2026-01-01T00:00:00Z");
}
