//! A stock count: what another system says a warehouse has, and which of two counts holds.
//!
//! A count is absolute. The greater stamp holds whatever the order of arrival, so that any order, doubling and batching of the
//! same counts ends in the same levels.

use crate::{id::ProductId, stock::stock_level::MOST};
use samphan_resource::{error::FieldCode, money::SignedQuantity, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use utoipa::ToSchema;

/// What a system counted of one product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StockCount {
    /// What the system calls the product. Exactly one of this, `sku` and `product_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 128, example = "I-00417")]
    pub external_id: Option<String>,
    /// Our SKU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 64, format = "visible", example = "TEA-001")]
    pub sku: Option<String>,
    /// Our product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub product_id: Option<ProductId>,
    /// How much there is, in the product's unit, at most 100000000000; below zero where the system lets its stock go below zero.
    #[schema(example = "120")]
    pub on_hand: SignedQuantity,
    /// When the system's books said so; not more than five minutes ahead of now.
    pub as_of: Timestamp,
    /// A number that grows with each change at the system; decides between counts with the same `as_of`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, example = 88123)]
    pub source_sequence: Option<i64>,
}

/// A count's stamp: the greatest holds. Of two of one moment and number the smaller count is the more prudent, and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// When it was true.
    pub as_of: Timestamp,
    /// The number the system gave it.
    pub sequence: Option<i64>,
    /// What was counted.
    pub counted: Reverse<i64>,
}

/// What a count comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It holds now.
    Applied,
    /// It says what is known.
    Unchanged,
    /// A newer one is known.
    Stale,
    /// It says more than what is known for the same moment and number.
    Conflicting,
}

impl StockCount {
    /// What is wrong with the count in itself: a pointer within it, a code, and what would do.
    pub fn check(&self, now: Timestamp) -> Result<(), (&'static str, FieldCode, &'static str)> {
        if self.as_of > now.plus_seconds(300) {
            return Err(("/as_of", FieldCode::AsOfInFuture, "at most five minutes ahead of now"));
        }
        let keys = [self.external_id.is_some(), self.sku.is_some(), self.product_id.is_some()];
        if keys.into_iter().filter(|given| *given).count() != 1 {
            return Err(("/external_id", FieldCode::AmbiguousKey, "exactly one of external_id, sku and product_id"));
        }
        if self.on_hand.0.unsigned_abs() > MOST.unsigned_abs() {
            return Err(("/on_hand", FieldCode::OutOfRange, "at most 100000000000"));
        }
        Ok(())
    }

    /// Its stamp.
    #[must_use]
    pub const fn stamp(&self) -> Stamp {
        Stamp { as_of: self.as_of, sequence: self.source_sequence, counted: Reverse(self.on_hand.0) }
    }
}

impl Stamp {
    /// What a count comes to, where this one is known, if any.
    #[must_use]
    pub fn takes(known: Option<&Self>, told: &Self) -> Taken {
        match known {
            None => Taken::Applied,
            Some(known) if told > known => Taken::Applied,
            Some(known) if told == known => Taken::Unchanged,
            Some(known) if (told.as_of, told.sequence) == (known.as_of, known.sequence) => Taken::Conflicting,
            Some(_) => Taken::Stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(second: i64, sequence: Option<i64>, counted: i64) -> Stamp {
        let start = Timestamp::from_micros(0).map_or_else(|| unreachable!(), |t| t.plus_seconds(second));
        Stamp { as_of: start, sequence, counted: Reverse(counted) }
    }

    #[test]
    fn the_later_count_holds_then_the_higher_number_then_the_smaller_count() {
        let known = stamp(10, Some(7), 50);
        for (told, taken) in [
            (stamp(11, None, 90), Taken::Applied),
            (stamp(9, Some(8), 40), Taken::Stale),
            (stamp(10, Some(8), 90), Taken::Applied),
            (stamp(10, Some(6), 40), Taken::Stale),
            (stamp(10, None, 40), Taken::Stale),
            (stamp(10, Some(7), 50), Taken::Unchanged),
            (stamp(10, Some(7), 40), Taken::Applied),
            (stamp(10, Some(7), 60), Taken::Conflicting),
        ] {
            assert_eq!(Stamp::takes(Some(&known), &told), taken, "{told:?}");
        }
        assert_eq!(Stamp::takes(None, &known), Taken::Applied);
    }
}
