//! Waiting for what happens by itself: one loop, with a limit, for all tests.

use super::App;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What happens by itself has happened within this, on a machine that is busy with other tests too.
const WITHIN: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Waits until a condition is true.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    Box::pin(until_within(WITHIN, what, condition)).await;
}

/// The same, within a time of the test's own.
pub async fn until_within(within: Duration, what: &str, condition: impl AsyncFn() -> bool) {
    // Boxed: the futures of long tests fill most of a test thread's stack.
    Box::pin(found_within(within, async || condition().await.then_some(()).ok_or_else(|| what.to_owned()))).await;
}

/// Looks until there is a value; an error says what there was instead.
async fn found_within<T>(within: Duration, look: impl AsyncFn() -> Result<T, String>) -> T {
    let late = Instant::now() + within;
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(Instant::now() < late, "not within {within:?}: {instead}"),
        }
        sleep(POLL_INTERVAL).await;
    }
}

impl App {
    /// Reads an address until its answer meets a condition, and answers it.
    pub async fn get_until(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let look = async || {
            let answer = self.get(path).await.is(200);
            if condition(&answer.body) { Ok(answer.body) } else { Err(format!("{path}: {}", answer.text)) }
        };
        Box::pin(found_within(WITHIN, look)).await
    }
}
