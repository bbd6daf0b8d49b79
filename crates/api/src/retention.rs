//! Retention: deletes what has been kept as long as the settings say, a few rows at a time.
//!
//! A task of each process does it once a minute. Several processes do no harm to each other: the second finds nothing to do. Each
//! step is one short transaction of at most [`MAX_ROWS`] rows, with a pause after it, so that no writer waits for long.

use crate::{
    rest::idempotency,
    server::{State, now},
};
use clap::Args;
use samphan_domain::{
    caller::Caller,
    error::{Code, Error, Result},
    instant::Instant,
    scalar::{Kind, Scalar},
};
use samphan_persistence::{
    dialect::Dialect,
    feed,
    sql::Sql,
    store::{Store, Work},
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How often it looks.
const INTERVAL: Duration = Duration::from_secs(60);
/// Rows deleted in one transaction.
const MAX_ROWS: u64 = 500;
/// Sessions ended in one transaction; each may have thousands of refresh tokens.
const MAX_SESSIONS: usize = 50;
/// The pause between two transactions.
const PAUSE: Duration = Duration::from_millis(20);
const DAY_SECONDS: i64 = 86_400;
/// Days a used refresh token is known, so that using it again ends the session.
const USED_TOKEN_DAYS: i64 = 30;

/// How long things are kept.
#[derive(Clone, Copy, Debug, Args)]
pub struct Retention {
    /// Days that sessions and their refresh tokens are kept after their end, 1 to 3650. Who signed in and out is in the audit, which
    /// stays.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_SESSIONS_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_sessions_days: u16,
    /// Days that webhook deliveries are kept, 1 to 3650, once they were delivered or have failed. Those still to be tried stay.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_DELIVERIES_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_deliveries_days: u16,
    /// Days that the working data of credit checks and of ended order promises is kept, 1 to 3650: the components a check counted, and
    /// the price steps and stock a promise looked at. The checks and promises themselves stay.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_WORKING_DATA_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub keep_working_data_days: u16,
    /// Days that events are kept, 30 to 36500, which are the audit and the feed at once; 0 keeps them for ever. A reader of the feed who
    /// is further behind than that must begin anew.
    #[arg(long, value_name = "DAYS", env = "SAMPHAN_KEEP_EVENTS_DAYS", default_value_t = 0, value_parser = event_days)]
    pub keep_events_days: u16,
}

fn event_days(text: &str) -> Result<u16, String> {
    let days = text.parse().map_err(|_| "a number of days".to_owned())?;
    if days == 0 || (30..=36_500).contains(&days) { Ok(days) } else { Err(format!("{days} is not 0 or in 30..=36500")) }
}

impl Default for Retention {
    fn default() -> Self {
        Self { keep_sessions_days: 30, keep_deliveries_days: 30, keep_working_data_days: 90, keep_events_days: 0 }
    }
}

/// What is deleted in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// Answers kept for repeats (`Idempotency-Key`).
    IdempotentAnswers,
    /// Refresh tokens that were used long ago, of sessions that go on.
    RefreshTokens,
    /// Sessions, with their refresh tokens.
    Sessions,
    /// Tickets of event streams that were not used in time.
    StreamTickets,
    /// Webhook deliveries.
    WebhookDeliveries,
    /// Components of credit checks.
    CreditCheckComponents,
    /// Price steps and stock of ended promises.
    PromiseDetails,
    /// Events.
    Events,
}

impl Deleted {
    /// All of it.
    pub const ALL: [Self; 8] = [
        Self::IdempotentAnswers,
        Self::RefreshTokens,
        Self::Sessions,
        Self::StreamTickets,
        Self::WebhookDeliveries,
        Self::CreditCheckComponents,
        Self::PromiseDetails,
        Self::Events,
    ];

    /// As the metric calls it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdempotentAnswers => "idempotent_answers",
            Self::RefreshTokens => "refresh_tokens",
            Self::Sessions => "sessions",
            Self::StreamTickets => "stream_tickets",
            Self::WebhookDeliveries => "webhook_deliveries",
            Self::CreditCheckComponents => "credit_check_components",
            Self::PromiseDetails => "promise_details",
            Self::Events => "events",
        }
    }

    /// Seconds it is kept, of tickets after they have expired; none where it is kept for ever.
    fn seconds(self, settings: &Retention) -> Option<i64> {
        let days = match self {
            Self::StreamTickets => return Some(0),
            Self::IdempotentAnswers => idempotency::KEPT_DAYS,
            Self::RefreshTokens => USED_TOKEN_DAYS,
            Self::Sessions => settings.keep_sessions_days.into(),
            Self::WebhookDeliveries => settings.keep_deliveries_days.into(),
            Self::CreditCheckComponents | Self::PromiseDetails => settings.keep_working_data_days.into(),
            Self::Events => settings.keep_events_days.into(),
        };
        (days > 0).then_some(days * DAY_SECONDS)
    }
}

/// Up to where ended promises were looked at: what was emptied is not found by its values.
type Mark = Option<(Instant, Uuid)>;

/// Deletes for the life of the process.
pub async fn run(state: State) {
    let mut clock = tokio::time::interval(INTERVAL);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut mark = None;
    loop {
        clock.tick().await;
        for what in Deleted::ALL {
            let Some(seconds) = what.seconds(&state.retention) else { continue };
            // A database that is away is logged where it fails, and may be back by the next time.
            if let Err(error) = delete_old(&state, what, seconds, &mut mark).await {
                tracing::warn!(what = what.as_str(), code = error.code.as_str(), "what is too old could not be deleted");
            }
        }
    }
}

async fn delete_old(state: &State, what: Deleted, seconds: i64, mark: &mut Mark) -> Result<()> {
    loop {
        let work = state.store.work(Arc::new(Caller::system()), now()).await?;
        let before = work.now.plus_seconds(-seconds);
        let (rows, has_more) = step(&work, what, before, mark).await?;
        work.commit().await?;
        state.metrics.deleted(what.as_str(), rows);
        if !has_more {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Deletes some; answers how many rows, and whether there may be more.
async fn step(work: &Work, what: Deleted, before: Instant, mark: &mut Mark) -> Result<(u64, bool)> {
    let mut sql = work.sql();
    match what {
        Deleted::IdempotentAnswers => {
            sql.push(
                "DELETE FROM idempotency_keys WHERE (principal, key) IN (SELECT principal, key FROM idempotency_keys WHERE created_at < ",
            );
            limited(&mut sql, before, " ORDER BY created_at");
        }
        Deleted::RefreshTokens => {
            sql.push("DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE used_at < ");
            limited(&mut sql, before, " ORDER BY used_at");
        }
        Deleted::Sessions => return sessions(work, before).await,
        Deleted::StreamTickets => {
            sql.push("DELETE FROM stream_tickets WHERE secret_hash IN (SELECT secret_hash FROM stream_tickets WHERE expires_at < ");
            limited(&mut sql, before, " ORDER BY expires_at");
        }
        Deleted::WebhookDeliveries => {
            sql.push(
                "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE status <> 'pending' AND created_at < ",
            );
            limited(&mut sql, before, " ORDER BY created_at");
        }
        Deleted::CreditCheckComponents => {
            sql.push("DELETE FROM credit_check_components WHERE id IN (SELECT id FROM credit_check_components WHERE created_at < ");
            limited(&mut sql, before, " ORDER BY created_at");
        }
        Deleted::PromiseDetails => return promise_details(work, before, mark).await,
        Deleted::Events => return events(work, before).await,
    }
    let rows = work.execute(sql).await?;
    Ok((rows, rows >= MAX_ROWS))
}

fn limited(sql: &mut Sql, before: Instant, order: &'static str) {
    sql.bind(Kind::Time, Scalar::Time(before)).push(order).push(" LIMIT ").int(MAX_ROWS.cast_signed()).push(")");
}

async fn sessions(work: &Work, before: Instant) -> Result<(u64, bool)> {
    let mut sql = work.sql();
    // Each by its own index.
    sql.push("SELECT id FROM (SELECT id FROM sessions WHERE ended_at < ").bind(Kind::Time, Scalar::Time(before));
    sql.push(" ORDER BY ended_at LIMIT 50) a UNION SELECT id FROM (SELECT id FROM sessions WHERE expires_at < ");
    sql.bind(Kind::Time, Scalar::Time(before)).push(" ORDER BY expires_at LIMIT 50) b");
    let mut over = work.fetch(sql, |row| row.id(0)).await?;
    over.truncate(MAX_SESSIONS);
    if over.is_empty() {
        return Ok((0, false));
    }
    let mut sql = work.sql();
    sql.push("DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE session_id").one_of_ids(over.iter().copied());
    sql.push(" LIMIT ").int(MAX_ROWS.cast_signed()).push(")");
    let tokens = work.execute(sql).await?;
    if tokens >= MAX_ROWS {
        return Ok((tokens, true));
    }
    let is_full = over.len() >= MAX_SESSIONS;
    let mut sql = work.sql();
    sql.push("DELETE FROM sessions WHERE id").one_of_ids(over);
    let sessions = work.execute(sql).await?;
    Ok((tokens + sessions, is_full))
}

/// Empties what ended promises looked at. The promises stay, and so does their version: nothing that was promised changes.
async fn promise_details(work: &Work, before: Instant, mark: &mut Mark) -> Result<(u64, bool)> {
    let mut sql = work.sql();
    sql.push("SELECT id, updated_at FROM order_promises WHERE deleted_at IS NULL AND updated_at < ");
    sql.bind(Kind::Time, Scalar::Time(before));
    if let Some((at, id)) = *mark {
        sql.push(" AND (updated_at, id) > (").bind(Kind::Time, Scalar::Time(at)).push(", ").id(id).push(")");
    }
    sql.push(" ORDER BY updated_at, id LIMIT ").int(MAX_ROWS.cast_signed());
    let found = work.fetch(sql, |row| Ok((row.id(0)?, row.time(1)?))).await?;
    let Some((last, at)) = found.last().copied() else { return Ok((0, false)) };
    let has_more = found.len() as u64 >= MAX_ROWS;
    let mut sql = work.sql();
    sql.push("UPDATE order_promises SET waterfall = '[]', stock = '[]' WHERE status <> 'active' AND (CAST(waterfall AS text) <> '[]' OR ");
    sql.push("CAST(stock AS text) <> '[]') AND id").one_of_ids(found.into_iter().map(|(id, _)| id));
    let rows = work.execute(sql).await?;
    *mark = at.map(|at| (at, last));
    Ok((rows, has_more))
}

/// Deletes the oldest events, in the order of the feed. The newest stays whatever its age: positions go on from it.
async fn events(work: &Work, before: Instant) -> Result<(u64, bool)> {
    let mut sql = work.sql();
    sql.push("SELECT p.position, p.event_id, e.created_at FROM (SELECT position, event_id FROM event_positions ORDER BY position LIMIT ");
    sql.int(MAX_ROWS.cast_signed() + 1).push(") p JOIN audit_events e ON e.id = p.event_id ORDER BY p.position");
    let found = work.fetch(sql, |row| Ok((row.id(1)?, row.time(2)?))).await?;
    let oldest = found.len().saturating_sub(1);
    let old: Vec<Uuid> = found.iter().take(oldest).take_while(|(_, at)| at.is_some_and(|at| at < before)).map(|(id, _)| *id).collect();
    if old.is_empty() {
        return Ok((0, false));
    }
    if work.store.dialect() == Dialect::Postgres {
        let mut sql = work.sql();
        sql.push("DELETE FROM event_positions WHERE event_id").one_of_ids(old.iter().copied());
        work.execute(sql).await?;
    }
    let mut sql = work.sql();
    sql.push("DELETE FROM audit_events WHERE id").one_of_ids(old);
    let rows = work.execute(sql).await?;
    Ok((rows, rows >= MAX_ROWS))
}

/// The position to read the feed on from: refused where events after it were deleted, since a reader would miss them unawares. From the
/// beginning is from the oldest event there is.
pub async fn first_kept(store: &Store, settings: &Retention, after: i64, now: Instant) -> Result<i64> {
    if settings.keep_events_days == 0 {
        return Ok(after);
    }
    let before_oldest = feed::oldest(store, now).await? - 1;
    if after > 0 && after < before_oldest {
        let about = format!("events up to position {before_oldest} were deleted: begin anew, without the cursor");
        return Err(Error::from(Code::InvalidCursor).about(about));
    }
    Ok(after.max(before_oldest))
}
