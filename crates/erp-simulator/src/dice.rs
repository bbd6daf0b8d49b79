//! Chance that can be repeated: the same seed, the same misfortunes and the same business.

use clap::Args;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// How badly it behaves. A share is a number from 0 to 0.9.
#[derive(Clone, Debug, Default, Args)]
pub struct Misbehaviour {
    /// Waits so many milliseconds before every request.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub slow: u64,
    /// Sends so large a share of its requests again, at once or much later.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub repeat: f64,
    /// Sends so large a share of its messages out of their order.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub reorder: f64,
    /// Drops the connection of so large a share of its requests before it has read the answer, and sends them again.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub drop: f64,
    /// Forgets everything but its file so often, at each moment that matters.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub restart: f64,
}

/// A share of the whole, small enough that work comes to an end.
pub fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=0.9).contains(share)).ok_or_else(|| "a share is a number from 0 to 0.9".to_owned())
}

/// Dice that are kept between restarts.
#[derive(Clone, Debug)]
pub struct Dice(Arc<AtomicU64>);

/// The golden ratio, as SplitMix64 steps by it.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Dice {
    /// Dice of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    fn roll(&self) -> u64 {
        mixed(self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP))
    }

    /// Whether a thing happens that happens to so large a share.
    #[must_use]
    pub fn happens(&self, share: f64) -> bool {
        share > 0.0 && is_within(self.roll(), share)
    }

    /// A number below `many`; 0 when there is none.
    #[must_use]
    pub fn below(&self, many: usize) -> usize {
        below(self.roll(), many)
    }
}

/// A number that follows from the seed and what it is about, whenever it is asked for.
#[must_use]
pub fn fate(seed: u64, about: &str) -> u64 {
    about.bytes().fold(mixed(seed ^ STEP), |so_far, byte| mixed(so_far ^ u64::from(byte)))
}

/// Whether a rolled number falls within a share.
#[must_use]
pub fn is_within(rolled: u64, share: f64) -> bool {
    // A million steps are fine enough, and exact.
    f64::from(u32::try_from(rolled % 1_000_000).unwrap_or_default()) < share * 1_000_000.0
}

/// A rolled number as one below `many`; 0 when there is none.
#[must_use]
pub fn below(rolled: u64, many: usize) -> usize {
    usize::try_from(rolled % (many.max(1) as u64)).unwrap_or_default()
}

/// SplitMix64: small, fast, and the same everywhere.
fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
