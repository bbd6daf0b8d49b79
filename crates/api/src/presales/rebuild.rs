//! The totals of boards counted anew from the opportunities, or only held against them.

use samphan_persistence::{
    clock,
    dialect::Dialect,
    store::{Store, Work},
};
use samphan_resource::{caller::Caller, error::Result, money::Amount};
use std::sync::Arc;
use uuid::Uuid;

/// What is not kept as the opportunities say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The stage.
    pub stage_id: Uuid,
    /// The owner; nil for none.
    pub owner_id: Uuid,
    /// The currency.
    pub currency: String,
    /// How many as kept, and as counted.
    pub number: (i64, i64),
    /// The sum of amounts as kept, and as counted.
    pub amount: (Amount, Amount),
    /// The sum of weighted amounts as kept, and as counted.
    pub weighted: (Amount, Amount),
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "stage {} owner {} {}: ", self.stage_id, self.owner_id, self.currency)?;
        write!(f, "{} opportunities are {}, amount {} is {}", self.number.0, self.number.1, self.amount.0, self.amount.1)?;
        write!(f, ", weighted {} is {}", self.weighted.0, self.weighted.1)
    }
}

/// The totals that differ.
pub async fn check(store: &Store) -> Result<Vec<Difference>> {
    let work = begin(store).await?;
    let found = differences(&work).await?;
    work.roll_back().await?;
    Ok(found)
}

/// Counts all totals anew, and answers those that differed. Writes of opportunities wait meanwhile.
pub async fn rebuild(store: &Store) -> Result<Vec<Difference>> {
    let work = begin(store).await?;
    if store.dialect() == Dialect::Postgres {
        // A write changes totals in its own transaction: once this lock is given, opportunities and totals are of one moment.
        let mut sql = work.sql();
        sql.push("LOCK TABLE board_totals IN SHARE ROW EXCLUSIVE MODE");
        work.execute(sql).await?;
    }
    let found = differences(&work).await?;
    if !found.is_empty() {
        let mut sql = work.sql();
        sql.push("DELETE FROM board_totals");
        work.execute(sql).await?;
        let mut sql = work.sql();
        sql.push("INSERT INTO board_totals (pipeline_id, stage_id, owner_id, team_id, currency, number, ");
        sql.push("amount_high, amount_low, weighted_high, weighted_low) ");
        push_counted(&mut sql);
        work.execute(sql).await?;
    }
    work.commit().await?;
    Ok(found)
}

async fn begin(store: &Store) -> Result<Work> {
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    if store.dialect() == Dialect::Postgres {
        // Counting a million opportunities may take longer than a request is given.
        let mut sql = work.sql();
        sql.push("SELECT set_config('statement_timeout', '0', true)");
        work.fetch(sql, |_| Ok(())).await?;
    }
    Ok(work)
}

/// The totals as the opportunities say.
fn push_counted(sql: &mut samphan_persistence::sql::Sql) {
    let none = Uuid::nil();
    sql.push("SELECT t.pipeline_id, t.stage_id, coalesce(t.owner_id, ").id(none).push(") AS owner_id, coalesce(t.team_id, ").id(none);
    sql.push(") AS team_id, t.currency, count(*) AS number");
    for (column, name) in [("amount", "amount_"), ("weighted_amount", "weighted_")] {
        for (operator, end) in [(" / ", "high"), (" % ", "low")] {
            sql.push(", CAST(sum(coalesce(").column("t", column).push(", 0)").push(operator).int(Amount::PART);
            sql.push(") AS bigint) AS ").push(name).push(end);
        }
    }
    sql.push(" FROM opportunities t WHERE t.deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5");
}

/// One statement, so that it sees one moment.
async fn differences(work: &Work) -> Result<Vec<Difference>> {
    let mut sql = work.sql();
    sql.push("WITH c AS (");
    push_counted(&mut sql);
    sql.push(
        "), k AS (SELECT pipeline_id, stage_id, owner_id, team_id, currency FROM c \
         UNION SELECT pipeline_id, stage_id, owner_id, team_id, currency FROM board_totals), \
         d AS (SELECT k.stage_id, k.owner_id, k.currency, coalesce(b.number, 0) AS kept, coalesce(c.number, 0) AS counted, \
         coalesce(b.amount_high, 0) AS ah, coalesce(b.amount_low, 0) AS al, coalesce(c.amount_high, 0) AS ch, \
         coalesce(c.amount_low, 0) AS cl, coalesce(b.weighted_high, 0) AS wh, coalesce(b.weighted_low, 0) AS wl, \
         coalesce(c.weighted_high, 0) AS vh, coalesce(c.weighted_low, 0) AS vl \
         FROM k LEFT JOIN board_totals b ON b.pipeline_id = k.pipeline_id AND b.stage_id = k.stage_id AND b.owner_id = k.owner_id \
         AND b.team_id = k.team_id AND b.currency = k.currency \
         LEFT JOIN c ON c.pipeline_id = k.pipeline_id AND c.stage_id = k.stage_id AND c.owner_id = k.owner_id \
         AND c.team_id = k.team_id AND c.currency = k.currency) \
         SELECT stage_id, owner_id, currency, kept, counted, ah, al, ch, cl, wh, wl, vh, vl FROM d \
         WHERE kept <> counted OR ah <> ch OR al <> cl OR wh <> vh OR wl <> vl ORDER BY 1, 2, 3",
    );
    work.fetch(sql, |row| {
        let amount = |at: usize| Ok::<_, samphan_resource::error::Error>(Amount::of_parts(row.int(at)?, row.int(at + 1)?));
        Ok(Difference {
            stage_id: row.id(0)?,
            owner_id: row.id(1)?,
            currency: row.text(2)?,
            number: (row.int(3)?, row.int(4)?),
            amount: (amount(5)?, amount(7)?),
            weighted: (amount(9)?, amount(11)?),
        })
    })
    .await
}
