//! Retention: deletes what has been kept long enough, a few rows at a time.
//!
//! Each area says what it keeps for how long as a rule. A job of one process goes through all of them every night. Each step is one short
//! transaction of at most [`MAX_ROWS`] rows, with a pause after it, so that no writer waits for long.

use super::jobs::{Job, JobContext};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{jobs::Progress, sql::Sql, store::Work};
use samphan_resource::{
    error::Result,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt::{Debug, Formatter},
    time::Duration,
};
use tokio::sync::Mutex;

/// When it is done, in the time zone of the organisation, as cron has it.
pub const SCHEDULE: &str = "17 3 * * *";
/// Rows deleted in one transaction.
pub const MAX_ROWS: u64 = 500;
/// The pause between two transactions.
const PAUSE: Duration = Duration::from_millis(20);
const DAY_SECONDS: i64 = 86_400;

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Rows that were deleted.
    pub rows: u64,
    /// Whether there may be more.
    pub has_more: bool,
}

impl Deleted {
    /// Of one statement that deletes at most [`MAX_ROWS`].
    #[must_use]
    pub const fn of(rows: u64) -> Self {
        Self { rows, has_more: rows >= MAX_ROWS }
    }
}

type Step = Box<dyn for<'a> FnMut(&'a Work, Timestamp) -> LocalBoxFuture<'a, Result<Deleted>> + Send>;

/// What is deleted after how many days.
pub struct Rule {
    /// What it is, as the metric `samphan_deleted_rows_total` calls it.
    pub kind: &'static str,
    /// Days it is kept; for ever where there are none.
    days: Option<i64>,
    step: Step,
}

impl Debug for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rule").field("kind", &self.kind).field("days", &self.days).finish_non_exhaustive()
    }
}

impl Rule {
    /// A rule whose step deletes some of what is from before a moment, so many days ago. What has an end of its own is kept 0 days after it.
    pub fn new(
        kind: &'static str,
        days: impl Into<Option<i64>>,
        step: impl for<'a> FnMut(&'a Work, Timestamp) -> LocalBoxFuture<'a, Result<Deleted>> + Send + 'static,
    ) -> Self {
        Self { kind, days: days.into(), step: Box::new(step) }
    }

    /// A rule of one statement: `delete` up to the moment, `order` after it.
    #[must_use]
    pub fn statement(kind: &'static str, days: impl Into<Option<i64>>, delete: &'static str, order: &'static str) -> Self {
        Self::new(kind, days, move |work, before| {
            Box::pin(async move {
                let mut sql = work.sql();
                sql.push(delete);
                limited(&mut sql, before, order);
                Ok(Deleted::of(work.execute(sql).await?))
            })
        })
    }
}

/// Ends a statement that deletes the oldest rows from before a moment.
pub fn limited(sql: &mut Sql, before: Timestamp, order: &'static str) {
    sql.bind(Kind::Time, Scalar::Time(before)).push(order).push(" LIMIT ").int(MAX_ROWS.cast_signed()).push(")");
}

/// The rules of the areas, as the process that runs [`DeleteOld`] finds them.
pub struct Rules {
    all: Mutex<Vec<Rule>>,
    count: Box<dyn Fn(&'static str, u64) + Send + Sync>,
}

impl Debug for Rules {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Rules").field(&self.all).finish()
    }
}

impl Rules {
    /// `count` gets the kind and the number of rows that were deleted.
    #[must_use]
    pub fn new(all: Vec<Rule>, count: impl Fn(&'static str, u64) + Send + Sync + 'static) -> Self {
        Self { all: Mutex::new(all), count: Box::new(count) }
    }
}

/// Deletes what has been kept long enough.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct DeleteOld {}

impl Job for DeleteOld {
    const KIND: &'static str = "retention.delete_old";

    async fn run(self, context: &JobContext) -> Result<()> {
        let rules = context.process.service::<Rules>()?;
        let mut failed = Ok(());
        for rule in rules.all.lock().await.iter_mut() {
            let Some(days) = rule.days else { continue };
            if context.is_cancelled() {
                break;
            }
            // One that fails keeps none of the others from being followed; it is tried again with all of them.
            if let Err(error) = follow(context, rule, days, &rules.count).await {
                tracing::warn!(kind = rule.kind, %error, "what is too old could not be deleted");
                failed = Err(error);
            }
        }
        failed
    }
}

async fn follow(context: &JobContext, rule: &mut Rule, days: i64, count: &impl Fn(&'static str, u64)) -> Result<()> {
    while !context.is_cancelled() {
        let work = context.work().await?;
        let before = work.now.plus_seconds(-days * DAY_SECONDS);
        let deleted = (rule.step)(&work, before).await?;
        if deleted.rows == 0 {
            return work.commit().await;
        }
        let Progress { done, total } = context.progress();
        context.commit(work, Progress { done: done + i64::try_from(deleted.rows).unwrap_or_default(), total }).await?;
        count(rule.kind, deleted.rows);
        if !deleted.has_more {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}
