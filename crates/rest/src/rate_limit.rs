//! Limits: buckets of tokens by name, one for each caller and others as operations need them; and how many of a kind a caller may have open
//! at a time.

use samphan_resource::{
    error::{Code, Error, Result},
    timestamp::Timestamp,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// How many in how long.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitPolicy {
    /// Tokens of a full bucket.
    pub burst: i64,
    /// Seconds in which an empty bucket fills.
    pub seconds: i64,
}

/// Requests of a caller.
pub const REQUESTS: RateLimitPolicy = RateLimitPolicy { burst: 6_000, seconds: 60 };

/// Buckets kept before full ones are thrown away.
const MAX_BUCKETS: usize = 50_000;

/// Buckets by name.
#[derive(Debug)]
pub struct RateLimiter {
    is_on: bool,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// In them millionths of tokens, and when that was so.
    by_name: HashMap<String, (i64, Timestamp)>,
    /// When full ones were thrown away last.
    swept_at: Option<Timestamp>,
}

/// What is left.
#[derive(Clone, Copy, Debug)]
pub struct RateLimitStatus {
    /// The policy.
    pub policy: RateLimitPolicy,
    /// Tokens left.
    pub remaining: i64,
    /// Seconds until the bucket is full.
    pub reset: i64,
}

impl RateLimitStatus {
    /// Of what was refused: nothing, until there is enough again.
    #[must_use]
    pub fn nothing(policy: RateLimitPolicy, refused: &Error) -> Self {
        Self { policy, remaining: 0, reset: refused.retry_after.and_then(|wait| i64::try_from(wait).ok()).unwrap_or(policy.seconds) }
    }
}

impl RateLimitPolicy {
    const fn full(self) -> i64 {
        self.burst * 1_000_000
    }

    /// Seconds until that many millionths of tokens have come in.
    const fn wait(self, lacking: i64) -> i64 {
        (lacking * self.seconds / self.burst).div_euclid(1_000_000) + 1
    }
}

impl Buckets {
    /// What a bucket holds at a moment.
    fn held(&mut self, name: &str, policy: RateLimitPolicy, now: Timestamp) -> i64 {
        // At most once a second: where there are more names than that, looking through all of them at each would be the heavier load.
        if self.by_name.len() > MAX_BUCKETS && self.swept_at.is_none_or(|at| !at.is_within(1, now)) {
            self.by_name.retain(|_, (_, at)| at.plus_seconds(2 * policy.seconds) > now);
            self.swept_at = Some(now);
        }
        match self.by_name.get(name).copied() {
            // The clock was put back: what is held is held now, and fills from here on.
            Some((held, at)) if at > now => {
                self.by_name.insert(name.to_owned(), (held, now));
                held
            }
            Some((held, at)) => {
                let micros = now.micros() - at.micros();
                held.saturating_add(micros.saturating_mul(policy.burst) / policy.seconds).min(policy.full())
            }
            None => policy.full(),
        }
    }
}

impl RateLimiter {
    /// Limits that are kept, or for benches and tests none.
    #[must_use]
    pub fn new(is_on: bool) -> Self {
        Self { is_on, buckets: Mutex::default() }
    }

    fn buckets(&self) -> std::sync::MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes tokens, or says when there will be enough. Answers what is left, where limits are kept.
    pub fn try_acquire(&self, name: &str, cost: i64, policy: RateLimitPolicy, now: Timestamp) -> Result<Option<RateLimitStatus>> {
        if !self.is_on {
            return Ok(None);
        }
        let mut buckets = self.buckets();
        let left = buckets.held(name, policy, now) - cost * 1_000_000;
        if left < 0 {
            return Err(Error::from(Code::RateLimited).retry_after(u64::try_from(policy.wait(-left)).unwrap_or(1)));
        }
        buckets.by_name.insert(name.to_owned(), (left, now));
        Ok(Some(RateLimitStatus {
            policy,
            remaining: left / 1_000_000,
            reset: (policy.full() - left) * policy.seconds / policy.burst / 1_000_000,
        }))
    }

    /// Takes tokens for what has been done already, whether there are enough or not: one full bucket may be owed. Answers for how many
    /// seconds there are none.
    pub fn charge(&self, name: &str, cost: i64, policy: RateLimitPolicy, now: Timestamp) -> i64 {
        if !self.is_on {
            return 0;
        }
        let mut buckets = self.buckets();
        let left = buckets.held(name, policy, now).saturating_sub(cost.saturating_mul(1_000_000)).max(-policy.full());
        buckets.by_name.insert(name.to_owned(), (left, now));
        if left < 0 { policy.wait(-left) } else { 0 }
    }

    /// Gives back what was taken for something that shall not count.
    pub fn give_back(&self, name: &str, cost: i64, policy: RateLimitPolicy, now: Timestamp) {
        if !self.is_on {
            return;
        }
        let mut buckets = self.buckets();
        let left = (buckets.held(name, policy, now) + cost * 1_000_000).min(policy.full());
        buckets.by_name.insert(name.to_owned(), (left, now));
    }

    /// Whether there is a token.
    pub fn has_any(&self, name: &str, policy: RateLimitPolicy, now: Timestamp) -> Result<()> {
        if !self.is_on {
            return Ok(());
        }
        match self.buckets().held(name, policy, now) {
            held if held >= 1_000_000 => Ok(()),
            held => Err(Error::from(Code::RateLimited).retry_after(u64::try_from(policy.wait(1_000_000 - held)).unwrap_or(1))),
        }
    }
}

/// How many of a kind are open, by name.
#[derive(Clone, Debug, Default)]
pub struct Slots(Arc<Mutex<HashMap<String, usize>>>);

/// One that is open, until dropped.
#[derive(Debug)]
pub struct Slot {
    slots: Slots,
    name: String,
}

impl Slots {
    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens one more, where there are not as many as there may be.
    pub fn take(&self, name: String, most: usize, about: &str) -> Result<Slot> {
        let mut all = self.all();
        let open = all.entry(name.clone()).or_default();
        if *open >= most {
            return Err(Error::from(Code::RateLimited)
                .with_detail(format!("{about}: at most {most} of one caller at a time"))
                .retry_after(5));
        }
        *open += 1;
        drop(all);
        Ok(Slot { slots: self.clone(), name })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut all = self.slots.all();
        if let Some(open) = all.get_mut(&self.name) {
            *open -= 1;
            if *open == 0 {
                all.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGN_INS: RateLimitPolicy = RateLimitPolicy { burst: 5, seconds: 60 };

    #[test]
    fn the_sixth_sign_in_within_a_minute_waits_and_then_may_go_on() {
        let limits = RateLimiter::new(true);
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        for _ in 0..5 {
            limits.try_acquire("a", 1, SIGN_INS, now).unwrap();
        }
        let refused = limits.try_acquire("a", 1, SIGN_INS, now).unwrap_err();
        let wait = i64::try_from(refused.retry_after.unwrap()).unwrap();
        assert!((1..=13).contains(&wait));
        limits.try_acquire("b", 1, SIGN_INS, now).unwrap();
        limits.try_acquire("a", 1, SIGN_INS, now.plus_seconds(wait)).unwrap();
    }

    #[test]
    fn who_has_used_up_his_share_waits_no_longer_because_the_clock_was_put_back() {
        let limits = RateLimiter::new(true);
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        for _ in 0..5 {
            limits.try_acquire("a", 1, SIGN_INS, now).unwrap();
        }
        let back = now.plus_seconds(-3_600);
        let refused = limits.try_acquire("a", 1, SIGN_INS, back).unwrap_err();
        limits.try_acquire("a", 1, SIGN_INS, back.plus_seconds(i64::try_from(refused.retry_after.unwrap()).unwrap())).unwrap();
    }

    #[test]
    fn what_was_charged_afterwards_is_owed_up_to_one_full_bucket() {
        let limits = RateLimiter::new(true);
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        assert_eq!(limits.charge("a", 3, SIGN_INS, now), 0);
        assert!(limits.charge("a", 1_000_000, SIGN_INS, now) <= 61);
        let refused = limits.try_acquire("a", 1, SIGN_INS, now).unwrap_err();
        assert!((60..=74).contains(&refused.retry_after.unwrap()), "{refused:?}");
        limits.try_acquire("a", 1, SIGN_INS, now.plus_seconds(74)).unwrap();
    }

    #[test]
    fn success_given_back_does_not_count() {
        let limits = RateLimiter::new(true);
        let now = Timestamp::parse("2026-11-21T10:00:00Z").unwrap();
        for _ in 0..50 {
            limits.try_acquire("a", 1, SIGN_INS, now).unwrap();
            limits.give_back("a", 1, SIGN_INS, now);
        }
        assert_eq!(limits.try_acquire("a", 1, SIGN_INS, now).unwrap().unwrap().remaining, 4);
    }

    #[test]
    fn slot_is_free_again_when_dropped() {
        let slots = Slots::default();
        let first = slots.take("a".to_owned(), 1, "exports").unwrap();
        assert_eq!(slots.take("a".to_owned(), 1, "exports").unwrap_err().code, Code::RateLimited);
        let _other = slots.take("b".to_owned(), 1, "exports").unwrap();
        drop(first);
        slots.take("a".to_owned(), 1, "exports").unwrap();
    }
}
