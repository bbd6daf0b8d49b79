//! How long sessions and their refresh tokens are kept.

use samphan_background::retention::{Deleted, MAX_ROWS, Rule};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::Result,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};

/// Sessions ended in one transaction; each may have thousands of refresh tokens.
const MAX_SESSIONS: usize = 50;
/// Days a used refresh token is known, so that using it again ends the session.
const USED_TOKEN_DAYS: i64 = 30;

/// Refresh tokens that were used long ago, of sessions that go on; sessions with their refresh tokens, so many days after their end; and
/// tickets of event streams that expired unused.
#[must_use]
pub fn rules(session_days: i64) -> Vec<Rule> {
    vec![
        Rule::statement(
            "refresh_tokens",
            USED_TOKEN_DAYS,
            "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE used_at < ",
            " ORDER BY used_at",
        ),
        Rule::new("sessions", session_days, |work, before| Box::pin(sessions(work, before))),
        Rule::statement(
            "stream_tickets",
            0,
            "DELETE FROM stream_tickets WHERE secret_hash IN (SELECT secret_hash FROM stream_tickets WHERE expires_at < ",
            " ORDER BY expires_at",
        ),
    ]
}

async fn sessions(work: &Work, before: Timestamp) -> Result<Deleted> {
    let mut sql = work.sql();
    // Each by its own index.
    sql.push("SELECT id FROM (SELECT id FROM sessions WHERE ended_at < ").bind(Kind::Time, Scalar::Time(before));
    sql.push(" ORDER BY ended_at LIMIT 50) a UNION SELECT id FROM (SELECT id FROM sessions WHERE expires_at < ");
    sql.bind(Kind::Time, Scalar::Time(before)).push(" ORDER BY expires_at LIMIT 50) b");
    let mut over = work.fetch(sql, |row| row.id(0)).await?;
    over.truncate(MAX_SESSIONS);
    if over.is_empty() {
        return Ok(Deleted { rows: 0, has_more: false });
    }
    let mut sql = work.sql();
    sql.push("DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE session_id").one_of_ids(over.iter().copied());
    sql.push(" LIMIT ").int(MAX_ROWS.cast_signed()).push(")");
    let tokens = work.execute(sql).await?;
    if tokens >= MAX_ROWS {
        return Ok(Deleted { rows: tokens, has_more: true });
    }
    let has_more = over.len() >= MAX_SESSIONS;
    let mut sql = work.sql();
    sql.push("DELETE FROM sessions WHERE id").one_of_ids(over);
    Ok(Deleted { rows: tokens + work.execute(sql).await?, has_more })
}
