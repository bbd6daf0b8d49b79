//! Tasks: done once, or again and again with one occurrence open.

use super::{contact_of, id};
use crate::support::{clock::Clock, *};
use samphan_resource::timestamp::Timestamp;

crate::on_both![
    completed_task_answers_its_follow_up,
    completed_occurrence_answers_the_next_one,
    one_occurrence_is_open_whatever_becomes_of_the_last,
    reopening_takes_an_untouched_successor_back,
    series_goes_on_at_the_wall_clock,
    series_goes_on_without_sight_of_the_account,
    task_is_snoozed_and_its_series_goes_on_from_where_it_was,
    task_is_due_at_one_time_and_by_one_rule,
    new_owner_sees_the_task_and_not_the_account,
    call_is_followed_up_by_a_task,
    of_sixteen_who_complete_an_occurrence_one_makes_the_next,
];

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

async fn act(app: &App, task: &Value, verb: &str, body: Value) -> Answer {
    app.post(&format!("/v1/tasks/{}/{verb}", id(task)), body).await
}

async fn weekly(app: &App, due: &str) -> Value {
    let body =
        json!({"subject": "Call", "due_at": due, "time_zone": "Asia/Bangkok", "recurrence": {"rule": "FREQ=WEEKLY"}, "tags": ["route"]});
    app.make("/v1/tasks", body).await
}

fn next(answer: &Answer) -> Value {
    answer["expanded"]["next"][0].clone()
}

async fn completed_task_answers_its_follow_up(app: App) {
    let account = app.account("Siam").await;
    let task = app.make("/v1/tasks", json!({"subject": "Call", "account_id": account, "priority": "high"})).await;
    assert_eq!(
        [&task["status"], &task["kind"], &task["time_zone"], &task["occurrence_no"]],
        [&json!("open"), &json!("todo"), &json!("UTC"), &json!(0)]
    );
    let body = json!({"outcome": "Busy until April.", "follow_up": {"subject": "Call again", "due_on": "2199-04-01"}});
    let done = act(&app, &task, "complete", body).await.is(200);
    assert_eq!([&done["status"], &done["outcome"]], ["completed", "Busy until April."]);
    assert_eq!(done["activity_at"], done["completed_at"]);
    let followed = next(&done);
    assert_eq!([&followed["subject"], &followed["kind"], &followed["due_on"]], ["Call again", "follow_up", "2199-04-01"]);
    assert_eq!([&followed["account_id"], &followed["previous_id"]], [&json!(account), &task["id"]]);
    act(&app, &task, "complete", json!({})).await.refused(409, "illegal_transition");
    act(&app, &task, "skip", json!({})).await.refused(409, "illegal_transition");
    act(&app, &followed, "skip", json!({})).await.refused(409, "conflict");
    assert_eq!(next(&act(&app, &followed, "complete", json!({})).await.is(200)), json!(null));
}

async fn completed_occurrence_answers_the_next_one(app: App) {
    // Example 16: weekly, due on 2027-03-01, completed on 03-23.
    let clock = Clock::new();
    clock.at(at("2027-02-20T02:00:00Z"));
    let program = clock.program(&app);
    let there = &program.app.admin().await.app;
    let task = weekly(there, "2027-03-01T02:00:00Z").await;
    assert_eq!([&task["occurrence_no"], &task["occurrence_at"]], [&json!(1), &json!("2027-03-01T09:00:00")]);
    clock.at(at("2027-03-23T03:00:00Z"));
    // The first token has expired by then.
    let there = &there.admin().await.app;
    let answer = act(there, &task, "complete", json!({})).await.is(200);
    let second = next(&answer);
    assert_eq!([&second["due_at"], &second["missed"], &second["occurrence_no"]], [&json!("2027-03-29T02:00:00Z"), &json!(3), &json!(2)]);
    assert_eq!([&second["series_id"], &second["tags"], &second["owner_id"]], [&task["series_id"], &json!(["route"]), &task["owner_id"]]);
    // After completion the days are counted from the one it was done on.
    let body =
        json!({"subject": "Water", "due_on": "2027-03-01", "recurrence": {"rule": "FREQ=DAILY;INTERVAL=3", "mode": "after_completion"}});
    let daily = there.make("/v1/tasks", body).await;
    assert_eq!(next(&act(there, &daily, "complete", json!({})).await.is(200))["due_on"], "2027-03-26");
}

async fn one_occurrence_is_open_whatever_becomes_of_the_last(app: App) {
    let mut task = weekly(&app, "2190-03-01T02:00:00Z").await;
    let series = task["series_id"].as_str().unwrap().to_owned();
    for verb in ["complete", "cancel", "skip", "complete"] {
        act(&app, &task, verb, json!({})).await.is(200);
        let open = app.get(&format!("/v1/tasks?series_id={series}&status=open")).await.is(200);
        assert_eq!(ids(&open).len(), 1, "after {verb}");
        task = open["data"][0].clone();
    }
    assert_eq!([&task["occurrence_no"], &task["due_at"]], [&json!(5), &json!("2190-03-29T02:00:00Z")]);
    // A series ends where its rule is taken away.
    let last = app.patch(&format!("/v1/tasks/{}", id(&task)), json!({"recurrence": null})).await.is(200);
    assert_eq!(last["series_start"], json!(null));
    act(&app, &task, "complete", json!({})).await.is(200);
    assert!(ids(&app.get(&format!("/v1/tasks?series_id={series}&status=open")).await.is(200)).is_empty());
}

async fn reopening_takes_an_untouched_successor_back(app: App) {
    let task = weekly(&app, "2190-03-01T02:00:00Z").await;
    let second = next(&act(&app, &task, "complete", json!({"outcome": "Done."})).await.is(200));
    let open = act(&app, &task, "reopen", json!({})).await.is(200);
    assert_eq!([&open["status"], &open["outcome"], &open["completed_at"]], [&json!("open"), &json!(null), &json!(null)]);
    app.get(&format!("/v1/tasks/{}", id(&second))).await.refused(404, "not_found");
    let second = next(&act(&app, &task, "complete", json!({})).await.is(200));
    app.patch(&format!("/v1/tasks/{}", id(&second)), json!({"priority": "urgent"})).await.is(200);
    let refused = act(&app, &task, "reopen", json!({})).await.refused(409, "next_in_progress");
    assert_eq!(refused["conflicts"][0]["id"], second["id"]);
    // A follow-up is no occurrence: it stays.
    let plain = app.make("/v1/tasks", json!({"subject": "Once"})).await;
    let followed = next(&act(&app, &plain, "complete", json!({"follow_up": {"subject": "Then"}})).await.is(200));
    act(&app, &plain, "reopen", json!({})).await.is(200);
    app.get(&format!("/v1/tasks/{}", id(&followed))).await.is(200);
}

/// Example 15.
async fn series_goes_on_at_the_wall_clock(app: App) {
    for (zone, first, following) in [
        ("America/New_York", "2027-03-13T07:30:00Z", ["2027-03-14T07:30:00Z", "2027-03-15T06:30:00Z"]),
        ("Europe/London", "2027-03-27T01:30:00Z", ["2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z"]),
        ("Europe/London", "2027-10-30T00:30:00Z", ["2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"]),
        ("Asia/Bangkok", "2027-03-13T02:00:00Z", ["2027-03-14T02:00:00Z", "2027-03-15T02:00:00Z"]),
    ] {
        let body = json!({"subject": "Call", "due_at": first, "time_zone": zone, "recurrence": {"rule": "FREQ=DAILY"}});
        let mut task = app.make("/v1/tasks", body).await;
        for due in following {
            task = next(&act(&app, &task, "complete", json!({})).await.is(200));
            assert_eq!(task["due_at"], due, "{zone}");
        }
    }
    let monthly = |month_end: &str| json!({"subject": "Report", "due_on": "2027-01-31", "recurrence": {"rule": "FREQ=MONTHLY", "month_end": month_end}});
    for (month_end, following) in [("clamp", vec!["2027-02-28", "2027-03-31", "2027-04-30"]), ("skip", vec!["2027-03-31", "2027-05-31"])] {
        let mut task = app.make("/v1/tasks", monthly(month_end)).await;
        for due in following {
            task = next(&act(&app, &task, "complete", json!({})).await.is(200));
            assert_eq!(task["due_on"], due, "{month_end}");
        }
    }
}

/// Whoever was given the task of an account out of sight completes it, and the next occurrence is of the account, too.
async fn series_goes_on_without_sight_of_the_account(app: App) {
    let account = app.account("Siam").await;
    let seller = app.person(&["tasks:read/own", "tasks:complete/own"], &[], &[]).await;
    let body = json!({"subject": "Call", "account_id": account, "due_on": "2190-03-01", "recurrence": {"rule": "FREQ=DAILY"}, "owner_id": seller.id});
    let task = app.make("/v1/tasks", body).await;
    let answer = act(&seller.app, &task, "complete", json!({})).await.is(200);
    assert_eq!([&next(&answer)["account_id"], &next(&answer)["owner_id"]], [&json!(account), &json!(seller.id)]);
    let follow_up = json!({"follow_up": {"subject": "Then"}});
    let refused = act(&seller.app, &next(&answer), "complete", follow_up).await.refused(403, "forbidden");
    assert_eq!(refused["allowed"], json!(["tasks:create"]));
}

async fn task_is_snoozed_and_its_series_goes_on_from_where_it_was(app: App) {
    let task = weekly(&app, "2190-03-01T02:00:00Z").await;
    for (body, code) in [
        (json!({"until": "2020-01-01T00:00:00Z"}), "in_past"),
        (json!({}), "ambiguous_key"),
        (json!({"until": "2190-03-02T02:00:00Z", "minutes": 5}), "ambiguous_key"),
    ] {
        act(&app, &task, "snooze", body).await.refused(422, "validation_failed").fault("/until", code);
    }
    act(&app, &task, "snooze", json!({"minutes": 4})).await.refused(422, "validation_failed").fault("/minutes", "too_small");
    act(&app, &task, "snooze", json!({"minutes": 525_601})).await.refused(422, "validation_failed").fault("/minutes", "too_large");
    let snoozed = act(&app, &task, "snooze", json!({"until": "2190-03-03T05:00:00Z"})).await.is(200);
    assert_eq!([&snoozed["due_at"], &snoozed["occurrence_at"]], ["2190-03-03T05:00:00Z", "2190-03-01T09:00:00"]);
    assert_eq!(next(&act(&app, &task, "complete", json!({})).await.is(200))["due_at"], "2190-03-08T02:00:00Z");
    let daily = json!({"subject": "Call", "due_on": "2190-03-01", "recurrence": {"rule": "FREQ=DAILY"}});
    let daily = app.make("/v1/tasks", daily).await;
    act(&app, &daily, "snooze", json!({"until": "2190-03-01T05:00:00Z"})).await.is(200);
    assert_eq!(next(&act(&app, &daily, "complete", json!({})).await.is(200))["due_on"], "2190-03-02", "a day's task stays a day's");
    let kinds: Vec<String> = app.feed().await.iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    assert!(["task.created", "task.snoozed", "task.completed"].iter().all(|kind| kinds.iter().any(|k| k == kind)));
}

async fn task_is_due_at_one_time_and_by_one_rule(app: App) {
    let refused = async |body: Value, pointer: &str, code: &str| {
        app.post("/v1/tasks", body).await.refused(422, "validation_failed").fault(pointer, code)
    };
    refused(json!({"subject": "x", "due_at": "2190-03-01T02:00:00Z", "due_on": "2190-03-01"}), "/due_on", "ambiguous").await;
    refused(json!({"subject": "x", "time_zone": "Asia/Atlantis"}), "/time_zone", "unknown_time_zone").await;
    refused(json!({"subject": "x", "recurrence": {"rule": "FREQ=DAILY"}}), "/due_at", "required").await;
    for rule in ["FREQ=SECONDLY", "FREQ=DAILY;BYHOUR=3", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] {
        let recurrence = json!({"rule": rule, "month_end": "skip"});
        let fault =
            refused(json!({"subject": "x", "due_on": "2190-03-01", "recurrence": recurrence}), "/recurrence/rule", "invalid_format").await;
        assert!(!fault["message"].as_str().unwrap().is_empty(), "{fault}");
    }
    let callback = app.make("/v1/tasks", json!({"subject": "x", "kind": "callback", "callback_number": "081-234 5678"})).await;
    assert_eq!(callback["callback_e164"], "+66812345678");
}

async fn new_owner_sees_the_task_and_not_the_account(app: App) {
    let account = app.account("Siam").await;
    let seller = app.person(&["tasks:*/own", "accounts:read/own", "contacts:read/own"], &[], &[]).await;
    let task = app.make("/v1/tasks", json!({"subject": "Call", "account_id": account})).await;
    seller.app.get(&format!("/v1/tasks/{}", id(&task))).await.refused(404, "not_found");
    let assigned = act(&app, &task, "assign", json!({"owner_id": seller.id, "reason": "On holiday"})).await.is(200);
    assert_eq!(assigned["owner_id"], json!(seller.id));
    assert_eq!(seller.app.get(&format!("/v1/tasks/{}", id(&task))).await.is(200)["account_id"], json!(account));
    seller.app.get(&format!("/v1/accounts/{account}")).await.refused(404, "not_found");
    assert!(app.feed().await.iter().any(|e| e["type"] == "task.assigned" && e["reason"] == "On holiday"));
    act(&app, &task, "assign", json!({"owner_id": random_id()}))
        .await
        .refused(422, "validation_failed")
        .fault("/owner_id", "unknown_reference");
    let timeline = app.get(&format!("/v1/accounts/{account}/timeline?kinds=task")).await.is(200);
    assert_eq!([&timeline["data"][0]["title"], &timeline["data"][0]["actor_id"]], [&json!("Call"), &json!(seller.id)]);
}

async fn call_is_followed_up_by_a_task(app: App) {
    let account = app.account("Siam").await;
    let contact = contact_of(&app, &account, "Malee").await;
    let call = json!({"account_id": account, "contact_id": contact, "direction": "inbound", "from_number": "081 234 5678",
        "started_at": "2026-11-20T09:30:00Z", "disposition": "abandoned"});
    let call = app.make("/v1/calls", call).await;
    let body = json!({"subject": "Call back", "due_at": "2190-03-01T02:00:00Z"});
    let task = app.post(&format!("/v1/calls/{}/follow-up", id(&call)), body).await.is(201);
    assert_eq!([&task["account_id"], &task["contact_id"], &task["kind"]], [&json!(account), &json!(contact), &json!("callback")]);
    assert_eq!([&task["callback_e164"], &task["owner_id"]], [&json!("+66812345678"), &call["owner_id"]]);
    assert_eq!(task.header("location"), format!("/v1/tasks/{}", task.id()));
}

async fn of_sixteen_who_complete_an_occurrence_one_makes_the_next(app: App) {
    let task = weekly(&app, "2190-03-01T02:00:00Z").await;
    let complete = async || loop {
        let answer = act(&app, &task, "complete", json!({})).await;
        if answer.status != 503 {
            return answer.status;
        }
    };
    let answers = futures_util::future::join_all((0..16).map(|_| complete())).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    let series = task["series_id"].as_str().unwrap();
    assert_eq!(ids(&app.get(&format!("/v1/tasks?series_id={series}")).await.is(200)).len(), 2);
}
