//! Limits: a bucket of tokens for each caller, and for sign-ins one for each account and address.

use samphan_domain::{
    error::{Code, Error, Result},
    instant::Instant,
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How many in how long.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Tokens of a full bucket.
    pub burst: i64,
    /// Seconds in which an empty bucket fills.
    pub seconds: i64,
}

/// Requests of a caller.
pub const REQUESTS: Policy = Policy { burst: 6_000, seconds: 60 };
/// Sign-ins to an account.
pub const SIGN_INS: Policy = Policy { burst: 5, seconds: 60 };
/// Sign-ins from an address.
pub const SIGN_INS_FROM: Policy = Policy { burst: 20, seconds: 60 };

/// Buckets kept before full ones are thrown away.
const MOST_BUCKETS: usize = 50_000;

/// Buckets by name; in them millionths of tokens, and when that was so.
#[derive(Debug, Default)]
pub struct Limits(Mutex<HashMap<String, (i64, Instant)>>);

/// What is left.
#[derive(Clone, Copy, Debug)]
pub struct Left {
    /// The policy.
    pub policy: Policy,
    /// Tokens left.
    pub remaining: i64,
    /// Seconds until the bucket is full.
    pub reset: i64,
}

impl Left {
    /// Of what was refused: nothing, until there is enough again.
    #[must_use]
    pub fn nothing(policy: Policy, refused: &Error) -> Self {
        Self { policy, remaining: 0, reset: refused.retry_after.and_then(|wait| i64::try_from(wait).ok()).unwrap_or(policy.seconds) }
    }
}

impl Limits {
    /// Takes tokens, or says when there will be enough.
    pub fn take(&self, name: &str, cost: i64, policy: Policy, now: Instant) -> Result<Left> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() > MOST_BUCKETS {
            buckets.retain(|_, (_, at)| at.plus_seconds(policy.seconds) > now);
        }
        let full = policy.burst * 1_000_000;
        let (held, at) = match buckets.get(name).copied() {
            // The clock was put back: what is held is held now, and fills from here on.
            Some((held, at)) if at > now => {
                buckets.insert(name.to_owned(), (held, now));
                (held, now)
            }
            known => known.unwrap_or((full, now)),
        };
        let micros = now.micros() - at.micros();
        let held = held.saturating_add(micros.saturating_mul(policy.burst) / policy.seconds).min(full);
        let left = held - cost * 1_000_000;
        if left < 0 {
            let wait = (-left * policy.seconds / policy.burst).div_euclid(1_000_000) + 1;
            return Err(Error::from(Code::RateLimited).retry_after(u64::try_from(wait).unwrap_or(1)));
        }
        buckets.insert(name.to_owned(), (left, now));
        Ok(Left { policy, remaining: left / 1_000_000, reset: (full - left) * policy.seconds / policy.burst / 1_000_000 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixth_sign_in_within_a_minute_waits_and_then_may_go_on() {
        let limits = Limits::default();
        let now = Instant::parse("2026-11-21T10:00:00Z").unwrap();
        for _ in 0..5 {
            limits.take("a", 1, SIGN_INS, now).unwrap();
        }
        let refused = limits.take("a", 1, SIGN_INS, now).unwrap_err();
        let wait = i64::try_from(refused.retry_after.unwrap()).unwrap();
        assert!((1..=13).contains(&wait));
        limits.take("b", 1, SIGN_INS, now).unwrap();
        limits.take("a", 1, SIGN_INS, now.plus_seconds(wait)).unwrap();
    }

    #[test]
    fn who_has_used_up_his_share_waits_no_longer_because_the_clock_was_put_back() {
        let limits = Limits::default();
        let now = Instant::parse("2026-11-21T10:00:00Z").unwrap();
        for _ in 0..5 {
            limits.take("a", 1, SIGN_INS, now).unwrap();
        }
        let back = now.plus_seconds(-3_600);
        let refused = limits.take("a", 1, SIGN_INS, back).unwrap_err();
        limits.take("a", 1, SIGN_INS, back.plus_seconds(i64::try_from(refused.retry_after.unwrap()).unwrap())).unwrap();
    }
}
