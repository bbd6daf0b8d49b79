//! How many opportunities there are in each stage and what they would bring, by owner, team and currency: kept in the transaction of each
//! write, so that a board reads a few hundred rows instead of all opportunities.
//!
//! Sums are kept in two parts ([`Amount::PART`]), so that no integer of the database is too small.

use samphan_persistence::{
    guard::{Check, WrittenPair},
    record::{Record, owner_of, uuid_in},
    store::Work,
};
use samphan_resource::{
    error::Result,
    money::{self, Amount},
    scalar::{Kind, Scalar},
};
use serde_json::Value;
use std::collections::BTreeMap;
use uuid::Uuid;

/// The table.
pub const TABLE: &str = "board_totals";

/// What is counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    pipeline_id: Uuid,
    stage_id: Uuid,
    /// The owner; nil where there is none, since a key has no nulls.
    owner_id: Uuid,
    /// The team; nil likewise.
    team_id: Uuid,
    currency: String,
}

/// How many, and their sums in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    number: i64,
    amount: (i64, i64),
    weighted: (i64, i64),
}

impl Sums {
    fn add(&mut self, other: Self, sign: i64) {
        self.number += sign * other.number;
        for (sum, one) in [(&mut self.amount, other.amount), (&mut self.weighted, other.weighted)] {
            sum.0 += sign * one.0;
            sum.1 += sign * one.1;
        }
    }
}

/// Where a record counts, and as what.
fn counted(record: &Record) -> Option<(Key, Sums)> {
    let (owner, team) = owner_of(record);
    let key = Key {
        pipeline_id: uuid_in(record, "pipeline_id")?,
        stage_id: uuid_in(record, "stage_id")?,
        owner_id: owner.unwrap_or_default(),
        team_id: team.unwrap_or_default(),
        currency: record.get("currency")?.as_str()?.to_owned(),
    };
    let parts = |field: &str| {
        let units = record.get(field).and_then(Value::as_str).and_then(|text| money::parse(text).ok()).unwrap_or_default();
        (units / Amount::PART, units % Amount::PART)
    };
    Some((key, Sums { number: 1, amount: parts("amount"), weighted: parts("weighted_amount") }))
}

/// What writes change of the sums.
fn changes(written: &[WrittenPair<'_>]) -> BTreeMap<Key, Sums> {
    let mut changes: BTreeMap<Key, Sums> = BTreeMap::new();
    for (before, after) in written {
        let both = (before.and_then(counted), after.and_then(counted));
        if both.0 == both.1 {
            continue;
        }
        for (counted, sign) in [(both.0, -1), (both.1, 1)] {
            if let Some((key, sums)) = counted {
                changes.entry(key).or_default().add(sums, sign);
            }
        }
    }
    changes.retain(|_, sums| *sums != Sums::default());
    changes
}

/// Follows writes of opportunities. The rows are written in the order of their keys, so that two works wait for each other one way only.
pub fn follow<'a>(work: &'a Work, written: &'a [WrittenPair<'a>]) -> Check<'a> {
    Box::pin(write(work, changes(written)))
}

async fn write(work: &Work, changes: BTreeMap<Key, Sums>) -> Result<()> {
    const COLUMNS: [(&str, Kind); 10] = [
        ("pipeline_id", Kind::Id),
        ("stage_id", Kind::Id),
        ("owner_id", Kind::Id),
        ("team_id", Kind::Id),
        ("currency", Kind::Text),
        ("number", Kind::Int),
        ("amount_high", Kind::Int),
        ("amount_low", Kind::Int),
        ("weighted_high", Kind::Int),
        ("weighted_low", Kind::Int),
    ];
    const ADD: &str = "ON CONFLICT (pipeline_id, stage_id, owner_id, team_id, currency) DO UPDATE SET \
        number = board_totals.number + excluded.number, amount_high = board_totals.amount_high + excluded.amount_high, \
        amount_low = board_totals.amount_low + excluded.amount_low, weighted_high = board_totals.weighted_high + excluded.weighted_high, \
        weighted_low = board_totals.weighted_low + excluded.weighted_low";
    let row = |(key, sums): (Key, Sums)| {
        let ids = [key.pipeline_id, key.stage_id, key.owner_id, key.team_id].map(Scalar::Id);
        let parts = [sums.number, sums.amount.0, sums.amount.1, sums.weighted.0, sums.weighted.1].map(Scalar::Int);
        ids.into_iter().chain([Scalar::Text(key.currency)]).chain(parts).collect()
    };
    work.insert(TABLE, &COLUMNS, changes.into_iter().map(row).collect(), ADD).await.map(|_| ())
}
