//! How long the price steps and stock that ended promises looked at are kept.

use samphan_background::retention::{Deleted, MAX_ROWS, Rule};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::Result,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// Up to where ended promises were looked at: what was emptied is not found by its values.
type Mark = Option<(Timestamp, Uuid)>;

/// What ended promises looked at, for so many days.
#[must_use]
pub fn rule(days: i64) -> Rule {
    let mark: Arc<Mutex<Mark>> = Arc::default();
    Rule::new("promise_details", days, move |work, before| {
        let mark = Arc::clone(&mark);
        Box::pin(async move {
            let held = *mark.lock().unwrap_or_else(PoisonError::into_inner);
            let (deleted, reached) = promise_details(work, before, held).await?;
            *mark.lock().unwrap_or_else(PoisonError::into_inner) = reached;
            Ok(deleted)
        })
    })
}

/// Empties what ended promises looked at. The promises stay, and so does their version: nothing that was promised changes.
async fn promise_details(work: &Work, before: Timestamp, mark: Mark) -> Result<(Deleted, Mark)> {
    let mut sql = work.sql();
    sql.push("SELECT id, updated_at FROM order_promises WHERE deleted_at IS NULL AND updated_at < ");
    sql.bind(Kind::Time, Scalar::Time(before));
    if let Some((at, id)) = mark {
        sql.push(" AND (updated_at, id) > (").bind(Kind::Time, Scalar::Time(at)).push(", ").id(id).push(")");
    }
    sql.push(" ORDER BY updated_at, id LIMIT ").int(MAX_ROWS.cast_signed());
    let found = work.fetch(sql, |row| Ok((row.id(0)?, row.time(1)?))).await?;
    let Some((last, at)) = found.last().copied() else { return Ok((Deleted { rows: 0, has_more: false }, mark)) };
    let has_more = found.len() as u64 >= MAX_ROWS;
    let mut sql = work.sql();
    sql.push("UPDATE order_promises SET waterfall = '[]', stock = '[]' WHERE status <> 'active' AND (CAST(waterfall AS text) <> '[]' OR ");
    sql.push("CAST(stock AS text) <> '[]') AND id").one_of_ids(found.into_iter().map(|(id, _)| id));
    let rows = work.execute(sql).await?;
    Ok((Deleted { rows, has_more }, at.map(|at| (at, last))))
}
