//! What looks like chance and follows from a seed.

/// SplitMix64: small, fast, and the same everywhere.
pub(super) struct Chance(u64);

impl Chance {
    /// The chance of one of many things of a kind: the same in every run and thread.
    pub(super) fn of(seed: u64, kind: &str, one: usize) -> Self {
        let mut chance = Self(seed);
        for byte in kind.bytes() {
            chance.0 = chance.next() ^ u64::from(byte);
        }
        Self(chance.next() ^ one as u64)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `most`.
    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.next() % most.max(1)
    }

    /// A place below `most`, the first far more often than the last: the n-th hundredth is met by the cube root of n.
    pub(super) fn skewed(&mut self, most: usize) -> usize {
        const STEPS: u64 = 1 << 20;
        let u = u128::from(self.below(STEPS));
        let cube = u * u * u;
        let place = cube * most as u128 / (u128::from(STEPS) * u128::from(STEPS) * u128::from(STEPS));
        usize::try_from(place).unwrap_or_default()
    }

    /// One of these; the default when there are none.
    pub(super) fn one_of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        let n = self.below(all.len() as u64);
        usize::try_from(n).ok().and_then(|n| all.get(n)).copied().unwrap_or_default()
    }
}
