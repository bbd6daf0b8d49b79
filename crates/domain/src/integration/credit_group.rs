//! The two groups of a credit balance, and which of two pushes of one counts: the one with the greater stamp, of equal stamps the more
//! prudent. The order is total, so the result does not depend on the order of arrival.

use super::credit_balance::LimitKind;
use samphan_resource::{money::Amount, timestamp::Timestamp};
use std::cmp::Reverse;

/// A group with the moment and the sender's revision it is of. The greatest one counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamped<T> {
    pub(super) as_of: Timestamp,
    /// The revision where it is a number; another word tells nothing of before and after.
    number: Option<Revision>,
    pub(super) says: T,
    /// The revision as it was written: of two that say the same, one must be the kept one, whichever comes first.
    pub(super) revision: Option<String>,
}

/// A whole number of any length: how many digits without leading zeros, and those.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Revision(usize, String);

impl Revision {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let digits = text.trim_start_matches('0');
        is_number.then(|| Self(digits.len(), digits.to_owned()))
    }
}

impl<T: Ord> Stamped<T> {
    pub(super) fn new(as_of: Timestamp, revision: Option<&String>, says: T) -> Self {
        Self { as_of, number: revision.and_then(|r| Revision::parse(r)), says, revision: revision.cloned() }
    }

    pub(super) fn is_of_one_moment_with(&self, other: &Self) -> bool {
        self.as_of == other.as_of && self.number == other.number
    }

    /// Pushes of one moment and revision that differ are a mistake at the sender.
    pub(super) fn contradicts(&self, other: &Self) -> bool {
        self.is_of_one_moment_with(other) && self.says != other.says
    }
}

/// The exposure group, ordered so that of two that claim the same moment the more prudent is the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exposure {
    pub(super) total: Amount,
    pub(super) parts: [Amount; 3],
    pub(super) overdue: [Amount; 4],
    /// Orders taken here that the amounts include: of two pushes that differ in nothing else, the one with fewer takes out less.
    pub(super) included: Reverse<Vec<String>>,
}

/// The limit group, ordered likewise: on hold, then the lower limit, is the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Limit {
    pub(super) on_hold: bool,
    pub(super) kind: Reverse<LimitKind>,
    pub(super) amount: Reverse<Option<Amount>>,
}

impl Exposure {
    pub(super) fn new(parts: [Amount; 3], overdue: [Amount; 4], included: Vec<String>) -> Self {
        Self { total: parts.into_iter().fold(Amount(0), Amount::plus), parts, overdue, included: Reverse(included) }
    }
}
