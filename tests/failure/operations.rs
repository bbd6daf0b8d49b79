//! The program killed or ended in the middle of a bulk operation.

use crate::support::*;
use std::time::Duration;

crate::on_both_alone![bulk_update_of_a_program_that_is_killed_is_done_once, bulk_update_of_a_program_that_ends_in_order_is_given_back,];

/// A killed process holds a job for seconds.
const LONG: Duration = Duration::from_secs(90);
const RECORDS: usize = 3000;

/// Makes accounts and begins to change all of them; answers the path of the operation.
async fn begin_bulk_update(admin: &App) -> String {
    let accounts: Vec<Value> = (0..RECORDS).map(|n| json!({"name": format!("Account {n}"), "grade": "A"})).collect();
    admin.make_many("/v1/accounts", &accounts).await;
    let asked = json!({"filter": {"field": "grade", "op": "eq", "value": "A"}, "patch": {"grade": "B"}});
    let begun = admin.post("/v1/accounts/bulk-update", asked).await.is(202);
    format!("/v1/operations/{}", begun.id())
}

async fn bulk_update_of_a_program_that_is_killed_is_done_once(app: App) {
    let mut program = app.program(&[]);
    let admin = program.app.clone();
    let path = begin_bulk_update(&admin).await;
    let changed = async |app: &App| app.get(&path).await.is(200)["changed_count"].as_u64().unwrap();
    until_within(LONG, "some are changed", async || changed(&admin).await > 0).await;
    program.kill();
    let program = app.program(&[]);
    let admin = &program.app;
    until_within(LONG, "all are changed", async || admin.get(&path).await.is(200)["status"] == "completed").await;
    let done = admin.get(&path).await.is(200);
    assert_eq!((&done["total_count"], &done["changed_count"], &done["failed_count"]), (&json!(RECORDS), &json!(RECORDS), &json!(0)));
    let items = admin.get(&format!("{path}/items?count=exact&limit=1")).await.is(200);
    assert_eq!(items["total"], RECORDS);
    let mut updated: Vec<String> =
        admin.feed().await.iter().filter(|c| c["type"] == "account.updated").map(|c| c["resource_id"].to_string()).collect();
    let events = updated.len();
    updated.sort();
    updated.dedup();
    assert_eq!((events, updated.len()), (RECORDS, RECORDS), "each once");
}

async fn bulk_update_of_a_program_that_ends_in_order_is_given_back(app: App) {
    let mut program = app.program(&[]);
    let admin = program.app.clone();
    let path = begin_bulk_update(&admin).await;
    until_within(LONG, "some are changed", async || admin.get(&path).await.is(200)["changed_count"] != json!(0)).await;
    program.terminate();
    assert_eq!(program.ended(), Some(0));
    let reader = app.reader().await;
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM jobs WHERE leased_by IS NOT NULL OR status = 'running'");
    assert_eq!(reader.count(sql).await.unwrap(), 0, "no job is held");
    let program = app.program(&[]);
    let admin = &program.app;
    until_within(LONG, "all are changed", async || admin.get(&path).await.is(200)["status"] == "completed").await;
    let done = admin.get(&path).await.is(200);
    assert_eq!((&done["changed_count"], &done["failed_count"]), (&json!(RECORDS), &json!(0)));
    let job = admin.get(&format!("/v1/jobs/{}", done.text_of("job_id"))).await.is(200);
    assert_eq!((&job["progress_done"], &job["last_error"]), (&json!(RECORDS), &json!(null)));
}
