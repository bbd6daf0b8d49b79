//! What is known of an account's credit: what accounting said, what we decided, and what is authorised here.

use super::reconciliation::sum_of;
use samphan_domain::{
    customers::account::Account,
    error::Result,
    filter::duration_seconds,
    id::AccountId,
    instant::Instant,
    integration::{
        credit_balance::CreditBalance,
        credit_check::GRACE,
        credit_policy::{Exposure, Group},
        credit_position::Told,
        credit_profile::CreditProfile,
        external_system::{ExternalSystem, OnStale},
    },
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_persistence::{
    sql::Sql,
    store::Reader,
    stored::{self, Stored},
};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// What is known of an account's credit in one currency.
pub struct Known {
    /// The currency; none when nothing tells one.
    pub currency: Option<String>,
    /// What we decided.
    pub profile: Option<CreditProfile>,
    /// Authorised here and not yet in accounting's books.
    pub authorised: Amount,
    balances: Vec<CreditBalance>,
    systems: HashMap<String, (Option<i64>, OnStale)>,
}

impl Known {
    /// Reads it, in the currency asked for, else the account's own, else one there is a balance in.
    pub async fn of(reader: &Reader, account: &Stored<Account>, asked: Option<String>) -> Result<Self> {
        let id = account.id();
        let currency = match asked {
            Some(asked) => Some(asked),
            None => own_currency(account, &balances(reader, id).await?),
        };
        // What is promised before what is owed: an amount that moves from the one to the other meanwhile is counted twice, not missed.
        let authorised = match &currency {
            Some(currency) => authorised(reader, id, currency).await?,
            None => Amount(0),
        };
        let mut balances = balances(reader, id).await?;
        balances.retain(|b| Some(&b.currency) == currency.as_ref());
        let profile = stored::one_with::<CreditProfile>(reader, "account_id", Scalar::Id(id)).await?.map(|p| p.data);
        let systems = systems(reader, balances.iter().map(|b| b.system.clone())).await?;
        Ok(Self { currency, profile, authorised, balances, systems })
    }

    /// The balances, each with what its system says about age.
    #[must_use]
    pub fn told(&self) -> Vec<Told<'_>> {
        let told = |balance| {
            let CreditBalance { system, .. }: &CreditBalance = balance;
            let (stale_after, on_stale) = self.systems.get(system).copied().unwrap_or((None, OnStale::Warn));
            Told { balance, stale_after, on_stale }
        };
        self.balances.iter().map(told).collect()
    }

    /// The oldest moment any of the exposure was true.
    #[must_use]
    pub fn as_of(&self) -> Option<Instant> {
        self.balances.iter().filter_map(|b| b.exposure_as_of).min()
    }
}

async fn balances(reader: &Reader, account: Uuid) -> Result<Vec<CreditBalance>> {
    Ok(stored::all_with::<CreditBalance>(reader, "account_id", Scalar::Id(account)).await?.into_iter().map(|b| b.data).collect())
}

/// The account's own currency where nothing or something is owed in it, else one there is a balance in.
fn own_currency(account: &Stored<Account>, balances: &[CreditBalance]) -> Option<String> {
    let own = account.data.currency.clone().filter(|own| balances.is_empty() || balances.iter().any(|b| b.currency == *own));
    own.or_else(|| balances.first().map(|b| b.currency.clone()))
}

/// How long what each system says holds, and what then.
async fn systems(reader: &Reader, codes: impl Iterator<Item = String>) -> Result<HashMap<String, (Option<i64>, OnStale)>> {
    let mut sql = reader.sql();
    sql.push("SELECT code, stale_after, on_stale FROM ").push(ExternalSystem::MANY);
    sql.push(" WHERE deleted_at IS NULL AND code").one_of(Kind::Text, codes.map(Scalar::Text));
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.optional_text(1)?, row.text(2)?))).await?;
    let on_stale = |text: String| serde_json::from_value(Value::String(text)).unwrap_or_default();
    Ok(rows.into_iter().map(|(code, after, on)| (code, (after.as_deref().and_then(duration_seconds), on_stale(on)))).collect())
}

/// What is promised to an account and not yet in accounting's books.
async fn authorised(reader: &Reader, account: Uuid, currency: &str) -> Result<Amount> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    promised(&mut sql, reader, currency, |sql| {
        sql.push(" = ").id(account);
    });
    one_sum(reader, sql).await
}

/// Begins the sum of what is promised here and not in accounting's books, of accounts of which `which` says the rest of a condition:
///
/// - what is authorised and has not expired, or was captured since the books were last told;
/// - what of confirmed orders accounting has not invoiced;
/// - what it has invoiced since the balance of that system was true.
///
/// An order's amount is in exactly one of the last two and the balance, whichever of invoice and balance comes first.
fn promised(sql: &mut Sql, reader: &Reader, currency: &str, which: impl Fn(&mut Sql)) {
    sum_of(sql, &["amount"]);
    sql.push(" FROM (SELECT c.authorised_amount AS amount FROM credit_checks c WHERE c.deleted_at IS NULL AND c.currency = ")
        .text(currency);
    sql.push(" AND c.account_id");
    which(sql);
    sql.push(" AND (c.status = 'pending' AND c.expires_at > ").bind(Kind::Time, Scalar::Time(reader.now.plus_seconds(-GRACE)));
    sql.push(" OR c.status = 'captured' AND c.order_id IS NULL AND NOT coalesce((SELECT min(b.exposure_as_of) >= c.settled_at ");
    sql.push("FROM credit_balances b WHERE b.deleted_at IS NULL AND b.account_id = c.account_id AND b.currency = c.currency), 1 = 0))");
    sql.push(" UNION ALL SELECT o.open_amount FROM orders o WHERE o.deleted_at IS NULL AND o.open_amount > 0 AND o.currency = ")
        .text(currency);
    sql.push(" AND o.account_id");
    which(sql);
    sql.push(" UNION ALL SELECT i.owed_amount FROM order_invoices i WHERE i.deleted_at IS NULL AND i.owed_amount <> 0 AND i.currency = ")
        .text(currency);
    sql.push(" AND i.account_id");
    which(sql);
    sql.push(" AND NOT coalesce((SELECT min(b.exposure_as_of) >= i.posted_at FROM credit_balances b WHERE b.deleted_at IS NULL ");
    // The books it is in; where nothing says which of a system's, all of them.
    sql.push("AND b.account_id = i.account_id AND b.currency = coalesce(i.balance_currency, i.currency) AND b.system = i.system ");
    sql.push("AND (i.entity IS NULL OR b.entity = i.entity)), 1 = 0)) t");
}

async fn one_sum(reader: &Reader, sql: Sql) -> Result<Amount> {
    Ok(reader.fetch_one(sql, |row| Ok(Amount::of_parts(row.int(0)?, row.int(1)?))).await?.unwrap_or_default())
}

/// An account above another, or itself: its shared limit and the limit's currency, where it has one.
pub struct Above {
    /// The account.
    pub id: Uuid,
    limit: Option<i64>,
    currency: Option<String>,
}

/// An account and all above it, the top last.
pub async fn above(reader: &Reader, account: Uuid) -> Result<Vec<Above>> {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE up (id, parent_id, depth) AS (SELECT id, parent_id, 0 FROM accounts WHERE id = ").id(account);
    // A chain that long is a mistake; it must not be one that never ends.
    sql.push(" UNION ALL SELECT a.id, a.parent_id, up.depth + 1 FROM accounts a JOIN up ON a.id = up.parent_id WHERE up.depth < 50) ");
    sql.push("SELECT up.id, p.group_limit_amount, p.currency FROM up ");
    sql.push("LEFT JOIN credit_profiles p ON p.account_id = up.id AND p.deleted_at IS NULL ORDER BY up.depth");
    let optional = |n: Scalar| if let Scalar::Int(n) = n { Some(n) } else { None };
    reader.fetch(sql, |row| Ok(Above { id: row.id(0)?, limit: optional(row.scalar(1, Kind::Int)?), currency: row.optional_text(2)? })).await
}

/// The limits among those that hold in a currency, with what counts against each.
pub async fn groups(reader: &Reader, above: &[Above], currency: &str) -> Result<Vec<Group>> {
    let mut groups = vec![];
    for a in above {
        let Some(limit) = a.limit.filter(|_| a.currency.as_deref().is_none_or(|c| c == currency)) else { continue };
        let mut sql = down(reader, a.id);
        promised(&mut sql, reader, currency, |sql| {
            sql.push(" IN (SELECT id FROM down)");
        });
        // As for one account: what is promised before what is owed.
        let authorisations = one_sum(reader, sql).await?;
        let mut sql = down(reader, a.id);
        for (n, column) in ["receivable", "unbilled_deliveries", "open_orders"].into_iter().enumerate() {
            sql.push(if n == 0 { "" } else { ", " });
            sum_of(&mut sql, &[column]);
        }
        sql.push(" FROM credit_balances t WHERE t.deleted_at IS NULL AND t.currency = ").text(currency);
        sql.push(" AND t.account_id IN (SELECT id FROM down)");
        let sums = reader
            .fetch_one(sql, |row| {
                let sum = |n| -> Result<Amount> { Ok(Amount::of_parts(row.int(n)?, row.int(n + 1)?)) };
                Ok((sum(0)?, sum(2)?, sum(4)?))
            })
            .await?;
        let (receivable, unbilled_deliveries, open_orders) = sums.unwrap_or_default();
        let exposure = Exposure { receivable, unbilled_deliveries, open_orders, authorisations };
        groups.push(Group { account_id: AccountId(a.id), limit: Amount(limit), exposure });
    }
    Ok(groups)
}

/// Begins a statement that knows an account and all beneath it as `down`.
fn down(reader: &Reader, top: Uuid) -> Sql {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE down (id) AS (SELECT id FROM accounts WHERE id = ").id(top);
    sql.push(" UNION SELECT a.id FROM accounts a JOIN down ON a.parent_id = down.id WHERE a.deleted_at IS NULL) SELECT ");
    sql
}
