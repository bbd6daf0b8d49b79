//! Leases: a row that one process holds for a while, by its columns `leased_by` and `leased_until`. Jobs are held so, and endpoints of webhooks.

use crate::sql::Sql;
use samphan_resource::{
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};

/// Seconds by which the clock of another process may be ahead.
pub const CLOCKS_DIFFER_SECONDS: i64 = 60;

/// Adds that the lease of a row, for at most so many seconds, has expired. One that ends later than any lease given now would is of a clock
/// that was put back since.
pub fn is_expired(sql: &mut Sql, alias: &'static str, now: Timestamp, seconds: i64) {
    let latest = now.plus_seconds(seconds + CLOCKS_DIFFER_SECONDS);
    sql.push("(").column(alias, "leased_until").push(" < ").bind(Kind::Time, Scalar::Time(now));
    sql.push(" OR ").column(alias, "leased_until").push(" > ").bind(Kind::Time, Scalar::Time(latest)).push(")");
}
