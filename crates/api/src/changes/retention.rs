//! How long events are kept: the audit and the feed at once.

use samphan_background::retention::{Deleted, MAX_ROWS, Rule};
use samphan_persistence::{dialect::Dialect, store::Work};
use samphan_resource::{error::Result, timestamp::Timestamp};
use uuid::Uuid;

/// Events, for so many days; for ever with 0.
#[must_use]
pub fn rule(days: i64) -> Rule {
    Rule::new("events", (days > 0).then_some(days), |work, before| Box::pin(events(work, before)))
}

/// Deletes the oldest events, in the order of the feed. The newest stays whatever its age: positions go on from it.
async fn events(work: &Work, before: Timestamp) -> Result<Deleted> {
    let mut sql = work.sql();
    sql.push("SELECT p.position, p.event_id, e.created_at FROM (SELECT position, event_id FROM event_positions ORDER BY position LIMIT ");
    sql.int(MAX_ROWS.cast_signed() + 1).push(") p JOIN audit_events e ON e.id = p.event_id ORDER BY p.position");
    let found = work.fetch(sql, |row| Ok((row.id(1)?, row.time(2)?))).await?;
    let oldest = found.len().saturating_sub(1);
    let old: Vec<Uuid> = found.iter().take(oldest).take_while(|(_, at)| at.is_some_and(|at| at < before)).map(|(id, _)| *id).collect();
    if old.is_empty() {
        return Ok(Deleted { rows: 0, has_more: false });
    }
    if work.store.dialect() == Dialect::Postgres {
        let mut sql = work.sql();
        sql.push("DELETE FROM event_positions WHERE event_id").one_of_ids(old.iter().copied());
        work.execute(sql).await?;
    }
    let mut sql = work.sql();
    sql.push("DELETE FROM audit_events WHERE id").one_of_ids(old);
    Ok(Deleted::of(work.execute(sql).await?))
}
