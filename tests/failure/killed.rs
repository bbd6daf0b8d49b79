//! The service killed again and again in the middle of everything: nothing acknowledged is lost, nothing is done twice.

use super::{books, load::Load};
use crate::support::{
    receiver::{Receiver, endpoint, local},
    *,
};
use futures_util::future::join;
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

crate::on_both_alone![a_service_that_is_killed_loses_nothing_and_does_nothing_twice];

/// How often it is killed: a few times with all tests, fifty times by `make chaos`.
#[expect(clippy::disallowed_methods, reason = "the tests are told from outside how long they may take")]
pub fn kills() -> usize {
    std::env::var("SAMPHAN_TEST_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

/// Nothing here takes longer. A killed process may have a webhook endpoint to itself for half a minute.
const LONG: Duration = Duration::from_secs(90);
const WORDS: [&str; 2] = ["--webhook-allow-private", "true"];
/// What the endpoint is told.
const TOLD: [&str; 2] = ["accounts", "orders"];

async fn a_service_that_is_killed_loses_nothing_and_does_nothing_twice(app: App) {
    local(async {
        let mut receiver = Receiver::start().await;
        let mut program = app.program(&WORDS);
        let load = Load::begin(program.app.clone(), true).await;
        endpoint(&program.app, &receiver, json!({"event_types": ["account.*", "order.*"]})).await;
        let since = program.app.get("/v1/changes?after=now").await.is(200).text_of("next_cursor");
        let mut chance = StdRng::seed_from_u64(42);
        let mut ready = vec![];
        let misfortune = async {
            for _ in 0..kills() {
                let enough = load.answered() + chance.random_range(30..120);
                until_within(LONG, "the load goes on", async || load.answered() >= enough).await;
                program.kill();
                assert!(!program.log().contains("panicked"), "{}", program.log());
                let begun = Instant::now();
                program = app.program(&WORDS);
                program.app = program.app.admin().await.app;
                program.app.get("/health/ready").await.is(200);
                ready.push(begun.elapsed());
                load.moved(program.app.clone());
            }
            let enough = load.answered() + 30;
            until_within(LONG, "the load goes on", async || load.answered() >= enough).await;
            load.end();
        };
        join(load.run(8), misfortune).await;
        let app = program.app.admin().await.app;
        books::agree(&app, &load, |_| true).await;
        books::replayed(&app, &load).await;
        let feed = books::agree(&app, &load, |_| true).await;
        ready.sort();
        println!("ready again after {:?}, at worst {:?}", ready[ready.len() / 2], ready[ready.len() - 1]);
        assert!(ready[ready.len() - 1] < Duration::from_secs(10));
        let told = app.changes(&since, "&limit=1000").await.0;
        let mut wanted: HashSet<&str> =
            told.iter().filter(|c| TOLD.contains(&c["resource"].as_str().unwrap())).map(|c| c["id"].as_str().unwrap()).collect();
        assert!(wanted.len() > 30 && feed.len() > wanted.len());
        let begun = Instant::now();
        let mut got = 0;
        while !wanted.is_empty() {
            let next = tokio::time::timeout(LONG, receiver.got.recv()).await;
            let next = next.unwrap_or_else(|_| panic!("{} changes were never sent", wanted.len())).unwrap();
            wanted.remove(next.id());
            got += 1;
        }
        println!("the webhooks were told after another {:?}, {got} deliveries", begun.elapsed());
    })
    .await;
}
