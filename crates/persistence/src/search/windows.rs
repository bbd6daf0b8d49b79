//! The range of entries that PostgreSQL reads for a page of search results. Its index returns all entries of a word in no order. A page of a
//! common word is found sooner among the newest entries, and then among earlier ones. SQLite's index is read from the newest on by itself.

use crate::{dialect::Dialect, sql::Sql};
use samphan_resource::scalar::{Kind, Scalar};

/// Entries one after the other, up to one before which nothing was looked at yet.
#[derive(Clone, Copy, Debug)]
pub struct SearchWindow {
    /// Entries before this one.
    before: i64,
    /// The stretches they are in; all there are without.
    ranges: Option<EntryRanges>,
    /// How many entries were looked through before.
    scanned: i64,
}

/// Some stretches of entries, one after the other. Each has a key that its entries stand under in the index.
#[derive(Clone, Copy, Debug)]
struct EntryRanges {
    /// An entry's number, shifted by so many bits, tells its stretch.
    shift: u32,
    /// How many there are.
    many: i64,
}

/// How long stretches are: of 16,384, 65,536, 262,144 and 1,048,576 entries.
const SHIFTS: [u32; 4] = [14, 16, 18, 20];

/// The keys of the entry `e`, as PostgreSQL's index has them (`search_entries_tokens_idx`): a stretch of one length is not one of another.
const KEYS: &str = "ARRAY[(e.seq >> 14) + (14::bigint << 48), (e.seq >> 16) + (16::bigint << 48), (e.seq >> 18) + (18::bigint << 48), (e.seq >> 20) + (20::bigint << 48)]";

/// What is looked through first.
const FIRST: EntryRanges = EntryRanges { shift: SHIFTS[0], many: 3 };

/// What is looked through first is fewer than twice this power of two of entries.
const LOOKED_FEW: u32 = 15;

/// As many stretches are looked through at once: of a word of which it takes more of the longest, there are few in all.
const MAX_RANGES: i64 = 4;

impl SearchWindow {
    /// All entries before this one.
    #[must_use]
    pub const fn all(before: i64) -> Self {
        Self { before, ranges: None, scanned: 0 }
    }

    /// The newest entries before this one.
    #[must_use]
    pub fn newest(before: i64) -> Self {
        Self { before, ranges: Some(FIRST), scanned: 0 }.or_all()
    }

    /// Where to look on when so many were found up to here and so many are wanted; none when that is enough, or all there are. As a word is
    /// among the newest, so it is among those before: as far as half as many again as are missing may be expected. That tells little where
    /// few were found, or all at once, and to look too far costs more than to look once more: once to eight times as far as up to here. Where
    /// none was found it begins with once: what the newest entries lack may be common before them.
    #[must_use]
    pub fn next(self, found: i64, wanted: i64) -> Option<Self> {
        let oldest = self.oldest()?;
        if found >= wanted {
            return None;
        }
        let looked = self.scanned + self.before - oldest;
        let most = if found == 0 { looked * (looked >> LOOKED_FEW).clamp(1, 8) } else { looked * 8 };
        let entries = (looked * (wanted - found) * 3 / 2 / (found + 1)).clamp(looked, most);
        let mut stretches = SHIFTS.into_iter().map(|shift| EntryRanges { shift, many: (entries >> shift) + 1 });
        Some(Self { before: oldest, ranges: stretches.find(|s| s.many <= MAX_RANGES), scanned: looked }.or_all())
    }

    /// Says it in a statement about the entry `e`, of SQLite also about its tokens `i`. PostgreSQL must not see the number as it is: it would
    /// read entries from the newest on in the hope of a common word.
    pub fn push_condition(self, sql: &mut Sql) {
        match sql.dialect {
            Dialect::Sqlite => sql.push(" AND i.rowid < ").int(self.before),
            Dialect::Postgres => sql.push(" AND e.seq + 0 < ").int(self.before),
        };
        if let Some(EntryRanges { shift, many }) = self.ranges {
            let last = ((self.before - 1) >> shift) + (i64::from(shift) << 48);
            let keys = (last - many + 1..=last).map(Scalar::Int).collect();
            sql.push(" AND ").push(KEYS).push(" && ").bind_column(Kind::Int, keys);
        }
    }

    /// The oldest entry in it; none where it has all there are.
    fn oldest(self) -> Option<i64> {
        self.ranges.map(|EntryRanges { shift, many }| (((self.before - 1) >> shift) - many + 1) << shift)
    }

    /// This place, or all there are where nothing comes before it.
    fn or_all(self) -> Self {
        Self { ranges: self.ranges.filter(|_| self.oldest() > Some(0)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// However few are found, the places follow each other without a gap down to the oldest entry, each of a few whole stretches.
        #[test]
        fn places_follow_each_other(before in 1_i64..50_000_000, found in prop::collection::vec(0_i64..60, 40)) {
            let (mut place, mut all) = (SearchWindow::newest(before), 0);
            prop_assert_eq!(place.before, before);
            for more in found {
                if let Some(EntryRanges { shift, many }) = place.ranges {
                    prop_assert!((1..=MAX_RANGES).contains(&many) && SHIFTS.contains(&shift));
                }
                all += more;
                let Some(next) = place.next(all, 51) else { break };
                prop_assert!(all < 51);
                prop_assert_eq!(Some(next.before), place.oldest());
                prop_assert_eq!(next.scanned, before - next.before);
                place = next;
            }
            prop_assert!(all >= 51 || place.ranges.is_none());
        }
    }
}
