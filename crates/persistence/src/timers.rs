//! Records whose moment has come: found along the index of their state and the field with the moment.

use crate::{
    dialect::Dialect,
    error::Result,
    record::{self, Record},
    sql::Sql,
    store::{Reader, Work},
};
use samphan_resource::{
    error::{Code, Error},
    scalar::{Kind, Scalar},
    shape::Shape,
    timer::Timer,
};
use uuid::Uuid;

/// Adds that the moment of a record of `t` has come.
fn is_due(sql: &mut Sql, reader: &Reader, shape: &'static Shape, timer: &Timer) -> Result<()> {
    let status = shape.status.ok_or_else(|| Error::from(Code::Internal))?;
    sql.push(" AND ").column("t", status).push(" = ").text(timer.state).push(" AND ").column("t", timer.at).push(" <= ");
    sql.bind(Kind::Time, Scalar::Time(reader.now.plus_seconds(-timer.grace_seconds)));
    Ok(())
}

/// The statement that tells whether the moment of any record has come.
pub fn any_statement(reader: &Reader, shape: &'static Shape, timer: &Timer) -> Result<Sql> {
    let mut sql = reader.sql();
    sql.push("SELECT 1 FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL");
    is_due(&mut sql, reader, shape, timer)?;
    // Ordered, so that it goes along the index whatever the planner takes the rows for.
    sql.push(" ORDER BY ").column("t", timer.at).push(", t.id LIMIT 1");
    Ok(sql)
}

/// Whether the moment of any record has come: one look into an index.
pub async fn is_any_due(reader: &Reader, shape: &'static Shape, timer: &Timer) -> Result<bool> {
    Ok(reader.count(any_statement(reader, shape, timer)?).await? > 0)
}

/// The statement that finds so many records whose moment has come, but for some.
pub fn due_statement(reader: &Reader, shape: &'static Shape, timer: &Timer, most: usize, but: &[Uuid]) -> Result<Sql> {
    let mut sql = record::select(reader, shape);
    is_due(&mut sql, reader, shape, timer)?;
    if !but.is_empty() {
        sql.push(" AND t.id NOT").one_of_ids(but.iter().copied());
    }
    sql.push(" ORDER BY ").column("t", timer.at).push(", t.id LIMIT ").int(i64::try_from(most).unwrap_or(i64::MAX));
    if timer.is_locked {
        sql.for_update("t");
        // A record that is locked is about to be changed.
        sql.push(if reader.store.dialect() == Dialect::Postgres { " SKIP LOCKED" } else { "" });
    }
    Ok(sql)
}

/// So many records whose moment has come, but for some, those due longest first; locked where the timer says so.
pub async fn due(work: &Work, shape: &'static Shape, timer: &Timer, most: usize, but: &[Uuid]) -> Result<Vec<Record>> {
    work.fetch(due_statement(work, shape, timer, most, but)?, |row| record::read(shape, row)).await
}
