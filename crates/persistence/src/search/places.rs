//! Where PostgreSQL looks for a page of what is found. Its index answers all entries of a word, in no order, and only then the newest of
//! them can be told: of a word that many have, a page is found sooner among the newest, and then among those before. SQLite's index is read
//! from the newest on by itself.

use crate::{dialect::Dialect, sql::Sql};
use samphan_domain::scalar::{Kind, Scalar};

/// A stretch of entries after which, towards the older ones, nothing was looked at yet.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Entries before this one.
    before: i64,
    /// The stretches they are in, as many as there are of them; all there are without.
    stretches: Option<(&'static Stretch, i64)>,
    /// How many entries were looked through before.
    looked: i64,
}

/// So many entries, one after the other, that stand in the index under one key.
#[derive(Debug)]
struct Stretch {
    /// An entry's place in the order of entries, shifted by so many bits, tells its stretch.
    shift: u32,
    /// The key from what is shifted: keys of one length are not those of another.
    key: fn(i64) -> i64,
}

/// Of 4,096, of 65,536 and of 1,048,576 entries.
const STRETCHES: [Stretch; 3] = [
    Stretch { shift: 12, key: |shifted| shifted },
    Stretch { shift: 16, key: |shifted| !shifted },
    Stretch { shift: 20, key: |shifted| shifted + (1 << 62) },
];

/// As many of the shortest are looked through first, and as many of any at the most: of a word of which it takes more of the longest, there
/// are few in all.
const MOST: i64 = 8;

/// The keys of the entry `e`, as PostgreSQL's index has them (`search_entries_tokens_idx`).
const KEYS: &str = "ARRAY[e.seq >> 12, ~(e.seq >> 16), (e.seq >> 20) + 4611686018427387904]";

impl Place {
    /// All entries before this one.
    #[must_use]
    pub const fn all(before: i64) -> Self {
        Self { before, stretches: None, looked: 0 }
    }

    /// The newest entries before this one.
    #[must_use]
    pub fn newest(before: i64) -> Self {
        Self { before, stretches: Some((&STRETCHES[0], MOST)), looked: 0 }.or_all()
    }

    /// Where to look on when so many were found up to here and so many are wanted; none when that is enough, or all there are. As a word is
    /// among the newest, so it is among those before: as far as half as many again as are missing may be expected, and at
    /// least as far as up to here. A handful says little, and to look too far costs more than to look once more: a few more are taken as found.
    #[must_use]
    pub fn next(self, found: i64, wanted: i64) -> Option<Self> {
        let oldest = self.oldest()?;
        if found >= wanted {
            return None;
        }
        let looked = self.looked + self.before - oldest;
        let entries = looked.max(looked * (wanted - found) * 3 / 2 / (found + 3));
        let mut stretches = STRETCHES.iter().map(|s| (s, (entries >> s.shift) + 1));
        Some(Self { before: oldest, stretches: stretches.find(|(_, many)| *many <= MOST), looked }.or_all())
    }

    /// Says it in a statement about the entry `e`.
    pub fn say(self, sql: &mut Sql) {
        sql.push(" AND e.seq < ").int(self.before);
        if sql.dialect == Dialect::Sqlite {
            sql.push(" AND i.rowid < ").int(self.before);
        }
        if let Some((stretch, many)) = self.stretches {
            let last = (self.before - 1) >> stretch.shift;
            let keys = (last - many + 1..=last).map(|shifted| Scalar::Int((stretch.key)(shifted))).collect();
            sql.push(" AND ").push(KEYS).push(" && ").bind_column(Kind::Int, keys);
        }
    }

    /// The oldest entry in it; none where it has all there are.
    fn oldest(self) -> Option<i64> {
        self.stretches.map(|(stretch, many)| (((self.before - 1) >> stretch.shift) - many + 1) << stretch.shift)
    }

    /// This place, or all there are where nothing comes before it.
    fn or_all(self) -> Self {
        Self { stretches: self.stretches.filter(|_| self.oldest() > Some(0)), ..self }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail loudly")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However few are found, the places follow each other without a gap down to the oldest entry, each of a few whole stretches.
        #[test]
        fn places_follow_each_other(before in 1_i64..50_000_000, found in prop::collection::vec(0_i64..60, 40)) {
            let (mut place, mut all) = (Place::newest(before), 0);
            prop_assert_eq!(place.before, before);
            for more in found {
                if let Some((stretch, many)) = place.stretches {
                    prop_assert!((1..=MOST).contains(&many) && place.oldest().unwrap() % (1 << stretch.shift) == 0);
                }
                all += more;
                let Some(next) = place.next(all, 51) else { break };
                prop_assert!(all < 51);
                prop_assert_eq!(Some(next.before), place.oldest());
                prop_assert_eq!(next.looked, before - next.before);
                place = next;
            }
            prop_assert!(all >= 51 || place.stretches.is_none());
        }
    }
}
