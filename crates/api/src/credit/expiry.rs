//! Authorisations that were neither captured nor released in time: they count no more by themselves; here that is written down and told.

use samphan_background::task::Task;
use samphan_domain::integration::credit_check::{AuthorisationStatus, CreditCheck, GRACE};
use samphan_persistence::{
    dialect::Dialect,
    sql::Sql,
    store::{Reader, Work},
};
use samphan_resource::{
    error::Result,
    event::Event,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How often it is looked for: a list is behind by no more than this.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The task that writes down which are over.
#[must_use]
pub fn task() -> Task {
    Task::sweep("credit.expire_authorisations", SWEEP_INTERVAL, is_anything_overdue, expire)
}

/// Whether any authorisation is overdue: one look into an index.
pub async fn is_anything_overdue(reader: &Reader) -> Result<bool> {
    let mut sql = reader.sql();
    sql.push("SELECT 1 FROM credit_checks t WHERE ");
    overdue(&mut sql, reader);
    sql.push(" LIMIT 1");
    Ok(reader.count(sql).await? > 0)
}

/// No longer counted: the grace is over, too.
fn overdue(sql: &mut Sql, reader: &Reader) {
    sql.push("t.deleted_at IS NULL AND t.status = 'pending' AND t.expires_at <= ");
    sql.bind(Kind::Time, Scalar::Time(reader.now.plus_seconds(-GRACE)));
}

/// Ends overdue authorisations, those overdue longest first; says whether there were as many as it takes at once.
pub async fn expire(work: &Work, most: usize) -> Result<bool> {
    let mut sql = work.sql();
    sql.push("UPDATE credit_checks SET status = 'expired', version = version + 1, updated_by_id = NULL, updated_at = ");
    sql.bind(Kind::Time, Scalar::Time(work.now)).push(", settled_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE id IN (SELECT t.id FROM credit_checks t WHERE ");
    overdue(&mut sql, work);
    sql.push(" ORDER BY t.expires_at, t.id LIMIT ").int(i64::try_from(most).unwrap_or(i64::MAX));
    // Whoever has one locked is about to settle it.
    sql.push(if work.store.dialect() == Dialect::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" });
    sql.push(") RETURNING id, version");
    let ended = work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?))).await?;
    let full = ended.len() >= most;
    let values = |status: AuthorisationStatus, settled: Value| {
        Some(Map::from_iter([("status".to_owned(), json!(status)), ("settled_at".to_owned(), settled)]))
    };
    for (id, version) in ended {
        work.emit(Event {
            kind: "credit_check.expired".to_owned(),
            resource: CreditCheck::MANY,
            resource_id: id,
            version,
            changed_fields: vec!["status", "settled_at"],
            before: values(AuthorisationStatus::Pending, Value::Null),
            after: values(AuthorisationStatus::Expired, json!(work.now)),
            reason: None,
        });
    }
    Ok(full)
}
