//! Records that are kept in an order of their own ([`Resource::ORDERED`](samphan_resource::resource::Resource::ORDERED)): each has a
//! position from 1 on among those of its set, without holes and without doubles.
//!
//! Called by `stored` and `bulk` when records are made, by `record` when they are deleted and restored, and by the operation `move`.
//! A work that changes an order holds its named lock until it ends, so the second of two finds the result of the first.

use crate::{
    error::Result,
    many::{self, Write},
    record::{self, Record},
    sql::Sql,
    store::Work,
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError},
    resource::POSITION,
    shape::Shape,
};
use serde_json::{Value, json};
use std::{cmp::Ordering, collections::HashMap};

/// The set of records that a record's position is of: all with the same values of these fields.
#[derive(Clone, Copy)]
struct Set<'a> {
    work: &'a Work,
    shape: &'static Shape,
    within: &'static [&'static str],
    record: &'a Record,
}

/// A record's position; 0 where it has none yet.
fn position_of(record: &Record) -> i64 {
    record.get(POSITION).and_then(Value::as_i64).unwrap_or_default()
}

impl<'a> Set<'a> {
    /// The set of a record, held until the work ends; none where the resource keeps no order.
    async fn open(work: &'a Work, shape: &'static Shape, record: &'a Record) -> Result<Option<Self>> {
        let Some(within) = shape.ordered else { return Ok(None) };
        let set = Self { work, shape, within, record };
        work.lock_named(&format!("order of {} {}", shape.plural, set.name())).await?;
        Ok(Some(set))
    }

    fn name(&self) -> String {
        let values = self.within.iter().map(|field| self.record.get(*field).map(ToString::to_string).unwrap_or_default());
        values.collect::<Vec<_>>().join(" ")
    }

    fn living(&self, mut sql: Sql) -> Result<Sql> {
        record::equal_in(&mut sql, self.shape, self.within, self.record)?;
        Ok(sql)
    }

    /// The number of living records in it.
    async fn count(&self) -> Result<i64> {
        let mut sql = self.work.sql();
        sql.push("SELECT count(*) FROM ").push(self.shape.plural).push(" t WHERE t.deleted_at IS NULL");
        self.work.count(self.living(sql)?).await
    }

    /// Moves the records from one position to another, both included, up or down by one.
    async fn shift(&self, from: i64, to: i64, by: i64) -> Result<()> {
        let mut sql = self.living(record::select(self.work, self.shape))?;
        sql.push(" AND ").column("t", POSITION).push(" BETWEEN ").int(from).push(" AND ").int(to);
        sql.push(" AND t.id <> ").id(record::id_of(self.record));
        sql.push(" ORDER BY ").column("t", POSITION).push(", t.id").for_update("t");
        let moved = |before: Record| {
            let mut after = before.clone();
            after.insert(POSITION.to_owned(), json!(position_of(&before) + by));
            Write::change(before, after)
        };
        let found = self.work.fetch(sql, |row| record::read(self.shape, row)).await?;
        for written in many::write(self.work, self.shape, found.into_iter().map(moved).collect(), "updated", None).await? {
            written?;
        }
        Ok(())
    }
}

/// The positions of records that are about to be made, in turn: each comes last in its set. None where the resource keeps no order.
pub(crate) async fn appended(work: &Work, shape: &'static Shape, records: &[Record]) -> Result<Option<Vec<i64>>> {
    let mut next: HashMap<String, i64> = HashMap::new();
    let mut positions = vec![];
    for record in records {
        let Some(set) = Set::open(work, shape, record).await? else { return Ok(None) };
        let last = match next.get(&set.name()) {
            Some(last) => *last,
            None => set.count().await?,
        };
        next.insert(set.name(), last + 1);
        positions.push(last + 1);
    }
    Ok(Some(positions))
}

/// Closes the gap a record has left that was deleted.
pub(crate) async fn close(work: &Work, shape: &'static Shape, deleted: &Record) -> Result<()> {
    let Some(set) = Set::open(work, shape, deleted).await? else { return Ok(()) };
    set.shift(position_of(deleted) + 1, i64::MAX, -1).await
}

/// Makes room for a record that is restored, at the position it had or else behind the last, and answers its position.
pub(crate) async fn reopen(work: &Work, shape: &'static Shape, deleted: &Record) -> Result<Option<i64>> {
    let Some(set) = Set::open(work, shape, deleted).await? else { return Ok(None) };
    let last = set.count().await? + 1;
    let position = match position_of(deleted) {
        had if (1..=last).contains(&had) => had,
        _ => last,
    };
    set.shift(position, i64::MAX, 1).await?;
    Ok(Some(position))
}

/// Holds the order that a record is in before the record is locked: moving a record locks its neighbours as well.
pub async fn hold(work: &Work, shape: &'static Shape, record: &Record) -> Result<()> {
    Set::open(work, shape, record).await.map(|_| ())
}

/// Moves a record to a position of its set; those between move up or down by one. Each of them is an update with an event of its own.
pub async fn move_to(work: &Work, shape: &'static Shape, before: &Record, position: i64) -> Result<Record> {
    let Some(set) = Set::open(work, shape, before).await? else { return Ok(before.clone()) };
    let (was, last) = (position_of(before), set.count().await?);
    if !(1..=last).contains(&position) {
        return Err(Error::invalid(FieldError::new(format!("/{POSITION}"), FieldCode::OutOfRange, format!("1 to {last}"))));
    }
    match position.cmp(&was) {
        Ordering::Less => set.shift(position, was - 1, 1).await?,
        Ordering::Greater => set.shift(was + 1, position, -1).await?,
        Ordering::Equal => {}
    }
    let mut after = before.clone();
    after.insert(POSITION.to_owned(), json!(position));
    record::save(work, shape, before, after, "updated", None).await
}
