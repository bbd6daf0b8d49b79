//! The program killed in the middle of a job.

use crate::support::*;
use std::time::Duration;

crate::on_both_alone![hand_over_of_a_program_that_is_killed_is_done_once];

/// A killed process holds a job for seconds.
const LONG: Duration = Duration::from_secs(90);
const RECORDS: usize = 2000;

async fn hand_over_of_a_program_that_is_killed_is_done_once(app: App) {
    let mut program = app.program(&[]);
    let admin = program.app.clone();
    let before = admin.person(&["accounts:*/all"], &[], &[]).await.id;
    let after = admin.person(&["accounts:*/all"], &[], &[]).await.id;
    let accounts: Vec<Value> = (0..RECORDS).map(|n| json!({"name": format!("Account {n}"), "owner_id": before})).collect();
    admin.make_many("/v1/accounts", &accounts).await;
    admin.post(&format!("/v1/users/{before}/deactivate"), json!({"hand_over_to": after})).await.is(200);
    let owned = async |app: &App, owner: &str| {
        app.get(&format!("/v1/accounts?owner_id={owner}&count=exact&limit=1")).await.is(200)["total"].as_u64().unwrap()
    };
    until_within(LONG, "some are handed over", async || owned(&admin, &after).await > 0).await;
    program.kill();
    let program = app.program(&[]);
    let admin = &program.app;
    until_within(LONG, "all are handed over", async || owned(admin, &after).await == RECORDS as u64).await;
    assert_eq!(owned(admin, &before).await, 0);
    let mut handed: Vec<String> =
        admin.feed().await.iter().filter(|c| c["reason"] == "The owner was deactivated.").map(|c| c["resource_id"].to_string()).collect();
    let events = handed.len();
    handed.sort();
    handed.dedup();
    assert_eq!((events, handed.len()), (RECORDS, RECORDS), "each once");
}
