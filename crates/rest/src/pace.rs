//! The pace of answers that are made piece by piece, such as exports: no more than half of the processors work for them at a time, and while
//! others ask for something, each rests three times as long as it has worked.

use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, time::sleep};

/// How many times as long as it took to make a piece an answer rests after it, while others ask.
const REST_FACTOR: u32 = 3;
/// Longest rest between two pieces.
const MAX_REST: Duration = Duration::from_millis(200);

/// The turns of pieces in this process.
#[derive(Debug)]
pub struct Turns {
    turns: Semaphore,
    /// Requests that have come.
    requests: AtomicU64,
}

impl Default for Turns {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self { turns: Semaphore::new((processors / 2).max(1)), requests: AtomicU64::new(0) }
    }
}

impl Turns {
    /// Counts a request that has come.
    pub fn count_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// How one answer goes on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Requests that had come when its last piece was done.
    seen: u64,
    /// How long that piece took.
    worked: Duration,
}

impl Pace {
    /// The pace of an answer that begins.
    #[must_use]
    pub fn new(turns: &Turns) -> Self {
        Self { seen: turns.requests(), worked: Duration::ZERO }
    }

    /// How long it rests before the next piece: some times as long as it has worked, where others have asked for something since.
    fn rest(&self, turns: &Turns) -> Duration {
        if turns.requests() == self.seen { Duration::ZERO } else { (self.worked * REST_FACTOR).min(MAX_REST) }
    }

    /// Makes the next piece, when it is its turn.
    pub async fn next<T>(&mut self, turns: &Turns, make: impl Future<Output = T>) -> T {
        let rest = self.rest(turns);
        if !rest.is_zero() {
            sleep(rest).await;
        }
        // The semaphore is never closed; if it were, pieces would be made without turns.
        let turn = turns.turns.acquire().await.ok();
        let begun = Instant::now();
        let piece = make.await;
        drop(turn);
        self.worked = begun.elapsed();
        self.seen = turns.requests();
        piece
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_rests_while_others_ask() {
        let turns = Turns::default();
        let mut pace = Pace { seen: 0, worked: Duration::from_millis(20) };
        assert_eq!(pace.rest(&turns), Duration::ZERO);
        turns.count_request();
        assert_eq!(pace.rest(&turns), Duration::from_millis(60));
        pace.worked = Duration::from_secs(9);
        assert_eq!(pace.rest(&turns), MAX_REST);
    }

    #[tokio::test]
    async fn pieces_wait_for_their_turns() {
        let turns = Turns::default();
        let all = u32::try_from(turns.turns.available_permits()).unwrap();
        let taken = turns.turns.acquire_many(all).await.unwrap();
        let (mut pace, mut done) = (Pace::new(&turns), false);
        {
            let mut piece = std::pin::pin!(pace.next(&turns, async { done = true }));
            tokio::select! {
                biased;
                () = &mut piece => unreachable!("it had no turn"),
                () = tokio::task::yield_now() => {}
            }
            drop(taken);
            piece.await;
        }
        assert!(done);
    }
}
