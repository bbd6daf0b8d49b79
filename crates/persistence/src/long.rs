//! Reads that take long: how long, how many at a time, and on whose account.
//!
//! A read begins where it is asked for. What is not done after some milliseconds (SQLite: after so many steps; PostgreSQL: after
//! [`crate::postgres::BRIEF_MS`]) is ended, and begun again here: one at a time for each caller, a few for the process, on connections that
//! brief reads do not use, up to the time limit. Its time is charged to the caller, and it ends when its client is gone.
//!
//! What took long once is not tried as a brief read again: a caller's statement is remembered, without its values, until it ends early once
//! or is not asked for any more. So a caller that repeats a costly question takes none of the connections and threads that others need.

use crate::error::Result;
use samphan_resource::error::{Code, Error};
use std::{
    collections::HashMap,
    fmt::{Debug, Formatter},
    hash::{DefaultHasher, Hash, Hasher},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use uuid::Uuid;

/// How long a caller's read waits for another long read of the same caller.
const OWN_WAIT: Duration = Duration::from_secs(2);
/// How long it waits for those of others.
const SHARED_WAIT: Duration = Duration::from_secs(5);
/// Callers remembered before those without a read are forgotten.
const FORGET_AT: usize = 256;
/// How long a statement is remembered as long after it last was.
const LEARNED_FOR: Duration = Duration::from_secs(60);
/// A long read that ended so early is tried as a brief one the next time.
const BRIEF_AGAIN: Duration = Duration::from_millis(5);
/// Most statements remembered.
const MAX_LEARNED: usize = 4_096;

/// Where the time that long reads took is charged.
pub trait Charge: Send + Sync {
    /// Charges a caller.
    fn charge_time(&self, caller: Uuid, spent: Duration);
}

/// The time that the long reads of a request may take, together, and have taken.
pub(crate) struct Budget {
    limit: Duration,
    spent_micros: AtomicU64,
    charge: Arc<dyn Charge>,
    caller: Uuid,
}

impl Debug for Budget {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Budget").field("limit", &self.limit).field("spent_micros", &self.spent_micros).finish_non_exhaustive()
    }
}

impl Budget {
    pub(crate) fn new(limit: Duration, caller: Uuid, charge: Arc<dyn Charge>) -> Self {
        Self { limit, spent_micros: AtomicU64::new(0), charge, caller }
    }

    /// What is left of it; too costly when nothing is.
    pub(crate) fn left(&self) -> Result<Duration> {
        let left = self.limit.saturating_sub(Duration::from_micros(self.spent_micros.load(Ordering::Relaxed)));
        if left.is_zero() { Err(Code::TooCostly.into()) } else { Ok(left) }
    }

    /// Begins anew: for the next piece of an answer in pieces.
    pub(crate) fn renew(&self) {
        self.spent_micros.store(0, Ordering::Relaxed);
    }

    /// Charges time.
    pub(crate) fn spend(&self, time: Duration) {
        self.spent_micros.fetch_add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.charge.charge_time(self.caller, time);
    }

    /// Charges the time until it is dropped: also that of a read whose client goes away.
    pub(crate) fn running(&self) -> Running<'_> {
        Running { budget: self, since: Instant::now() }
    }
}

/// A long read that runs.
pub(crate) struct Running<'a> {
    budget: &'a Budget,
    since: Instant,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.budget.spend(self.since.elapsed());
    }
}

/// The turns of long reads in this process.
#[derive(Debug)]
pub struct LongReads {
    turns: Arc<Semaphore>,
    callers: Mutex<HashMap<Uuid, Weak<Semaphore>>>,
    /// Statements that took long, by caller and text, and until when they count as such.
    learned: Mutex<HashMap<(Uuid, u64), Instant>>,
    /// Whether there are any: nearly always there are none, and then no text is looked at.
    has_learned: AtomicBool,
}

/// A long statement that runs, until dropped.
pub(crate) struct Learning<'a> {
    reads: &'a LongReads,
    key: (Uuid, u64),
    since: Instant,
}

impl Drop for Learning<'_> {
    fn drop(&mut self) {
        self.reads.learn(self.key, self.since.elapsed());
    }
}

/// A turn, until dropped.
#[derive(Debug)]
pub struct LongTurn {
    _shared: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Default for LongReads {
    /// Half of the processors: the others are for brief reads.
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Self {
            turns: Arc::new(Semaphore::new((processors / 2).max(1))),
            callers: Mutex::default(),
            learned: Mutex::default(),
            has_learned: AtomicBool::new(false),
        }
    }
}

impl LongReads {
    /// Whether this caller's statement took long a short time ago.
    pub(crate) fn is_known(&self, caller: Uuid, text: &str) -> bool {
        self.has_learned.load(Ordering::Relaxed)
            && self.learned().get(&(caller, fingerprint(text))).is_some_and(|until| Instant::now() < *until)
    }

    /// Remembers what a caller's long statement takes, when dropped: also that of a read whose client goes away.
    pub(crate) fn learning(&self, caller: Uuid, text: &str) -> Learning<'_> {
        Learning { reads: self, key: (caller, fingerprint(text)), since: Instant::now() }
    }

    fn learn(&self, key: (Uuid, u64), took: Duration) {
        let (mut learned, now) = (self.learned(), Instant::now());
        if took < BRIEF_AGAIN {
            learned.remove(&key);
        } else {
            if learned.len() >= MAX_LEARNED {
                learned.retain(|_, until| now < *until);
            }
            if learned.len() < MAX_LEARNED || learned.contains_key(&key) {
                learned.insert(key, now + LEARNED_FOR);
            }
        }
        self.has_learned.store(!learned.is_empty(), Ordering::Relaxed);
    }

    fn learned(&self) -> std::sync::MutexGuard<'_, HashMap<(Uuid, u64), Instant>> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn for a caller. Waits a little for the one that the caller has, and for those of others.
    pub async fn turn(&self, caller: Uuid) -> Result<LongTurn> {
        let busy = |code: Code, about: &str| Error::from(code).with_detail(about).retry_after(2);
        let own = timeout(OWN_WAIT, self.of(caller).acquire_owned()).await;
        let own = own.ok().and_then(std::result::Result::ok);
        let own = own.ok_or_else(|| busy(Code::RateLimited, "costly reads of one caller run one after the other"))?;
        let shared = timeout(SHARED_WAIT, Arc::clone(&self.turns).acquire_owned()).await;
        let shared = shared.ok().and_then(std::result::Result::ok);
        let shared = shared.ok_or_else(|| busy(Code::Unavailable, "too many costly reads of others are waiting"))?;
        Ok(LongTurn { _shared: shared, _own: own })
    }

    fn of(&self, caller: Uuid) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= FORGET_AT {
            callers.retain(|_, own| own.strong_count() > 0);
        }
        let known = callers.get(&caller).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let own = Arc::new(Semaphore::new(1));
            callers.insert(caller, Arc::downgrade(&own));
            own
        })
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statement_is_known_as_long_for_its_caller_until_it_ends_early() {
        let (reads, caller, took) = (LongReads::default(), Uuid::from_u128(1), Duration::from_millis(700));
        assert!(!reads.is_known(caller, "SELECT 1"));
        reads.learn((caller, fingerprint("SELECT 1")), took);
        assert!(reads.is_known(caller, "SELECT 1"));
        assert!(!reads.is_known(Uuid::from_u128(2), "SELECT 1"), "of another caller");
        assert!(!reads.is_known(caller, "SELECT 2"), "another statement");
        reads.learn((caller, fingerprint("SELECT 1")), Duration::from_millis(1));
        assert!(!reads.is_known(caller, "SELECT 1"));
    }

    #[test]
    fn remembered_statements_are_bounded() {
        let (reads, caller) = (LongReads::default(), Uuid::from_u128(1));
        for n in 0..MAX_LEARNED as u64 + 10 {
            reads.learn((caller, n), LEARNED_FOR);
        }
        assert_eq!(reads.learned().len(), MAX_LEARNED);
    }
}
