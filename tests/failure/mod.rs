//! What happens when things break: CONTRIBUTING says it ("What happens when…"), and it is tried here.

mod backups;
mod books;
pub mod clock;
mod disk;
mod killed;
mod load;
mod long_reads;
mod outage;
mod pool;
mod receivers;

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Waits until it is so.
async fn until(what: &str, within: Duration, so: impl AsyncFn() -> bool) {
    let late = Instant::now() + within;
    while !so().await {
        assert!(Instant::now() < late, "{what}: not within {within:?}");
        sleep(Duration::from_millis(10)).await;
    }
}
