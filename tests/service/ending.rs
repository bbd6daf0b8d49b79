//! The end: what was accepted is answered, what was acknowledged is there.

use crate::support::{self, *};
use futures_util::future::join_all;
use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

crate::on_both![an_end_under_load_loses_nothing_that_was_acknowledged, an_idle_program_ends_at_once];

async fn an_end_under_load_loses_nothing_that_was_acknowledged(app: App) {
    let mut program = app.program(&["--shutdown-seconds", "20"]);
    let (done, ending) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Plain clients without the checks of others: a refused connection is an answer here.
    let client = support::app::client();
    let send = async |n: usize| -> Result<String, reqwest::Error> {
        let request = client.post(format!("{}/v1/accounts", program.app.url)).bearer_auth(program.app.token());
        let body = json!({"name": format!("Account {n}")}).to_string();
        let response = request.header("content-type", "application/json").body(body).send().await?;
        assert_eq!(response.status(), 201);
        Ok(serde_json::from_str::<Value>(&response.text().await?).unwrap()["id"].as_str().unwrap().to_owned())
    };
    let sender = async |sender: usize| {
        let (mut kept, mut lost) = (vec![], vec![]);
        for n in 0..100_000 {
            match send(sender * 100_000 + n).await {
                Ok(id) => {
                    kept.push(id);
                    done.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => {
                    assert!(ending.load(Ordering::Relaxed), "{error:?}");
                    lost.push(error);
                    break;
                }
            }
        }
        (kept, lost)
    };
    let stop = async {
        while done.load(Ordering::Relaxed) < 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        ending.store(true, Ordering::Relaxed);
        program.terminate();
    };
    let begun = Instant::now();
    let (sent, ()) = futures_util::future::join(join_all((0..16).map(sender)), stop).await;
    let status = program.ended();
    assert_eq!(status, Some(0), "{}", program.log());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // Whoever was not answered was not accepted: refused, or closed before the request was read.
    for error in sent.iter().flat_map(|(_, lost)| lost) {
        assert!(error.is_connect() || error.is_request() && !error.is_timeout(), "{error:?}");
    }
    let kept: HashSet<String> = sent.into_iter().flat_map(|(kept, _)| kept).collect();
    assert!(kept.len() >= 100);
    let again = app.program(&[]);
    let found: HashSet<String> = again.app.all("/v1/accounts", 200).await.iter().map(|a| a["id"].as_str().unwrap().to_owned()).collect();
    let lost: Vec<&String> = kept.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and gone: {lost:?}");
    let more: Vec<&String> = found.difference(&kept).collect();
    assert!(more.is_empty(), "done and not answered: {more:?}");
}

async fn an_idle_program_ends_at_once(app: App) {
    let mut program = app.program(&["--shutdown-seconds", "20"]);
    // A connection kept alive does not hold it up.
    program.app.get("/v1/me").await.is(200);
    let begun = Instant::now();
    program.terminate();
    assert_eq!(program.ended(), Some(0));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
