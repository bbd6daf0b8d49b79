//! What is known of an account's credit: what accounting said, what we decided, and what is authorised here.

use super::currencies::{Limits, Rates, converted};
use samphan_domain::{
    catalog::exchange_rate::Conversion,
    customers::account::Account,
    id::AccountId,
    integration::{
        credit_balance::CreditBalance,
        credit_check::GRACE,
        credit_policy::{self, Exposure, Group},
        credit_position::Told,
        credit_profile::CreditProfile,
        external_system::{ExternalSystem, OnStale},
    },
};
use samphan_persistence::{
    sql::Sql,
    store::Reader,
    stored::{self, Stored},
};
use samphan_resource::{
    error::Result,
    filter::duration_seconds,
    money::Amount,
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// What is known of an account's credit, brought to the currency of the limit it counts against.
pub struct Known {
    /// The currency asked for; none when nothing tells one.
    pub currency: Option<String>,
    /// The currency of the limit, and of every amount here.
    pub limit_currency: Option<String>,
    /// How amounts asked for are brought to the limit's currency; none without a rate.
    pub conversion: Option<Conversion>,
    /// What we decided.
    pub profile: Option<CreditProfile>,
    /// Authorised here and not yet in accounting's books.
    pub authorised: Amount,
    /// Whether accounting has said what the customer owes, in any currency.
    pub has_balance: bool,
    /// Whether something that counts is in a currency without a rate.
    pub lacks_rate: bool,
    balances: Vec<CreditBalance>,
    systems: HashMap<String, (Option<i64>, OnStale)>,
}

impl Known {
    /// Reads it, in the currency asked for, else the account's own, else one there is a balance in.
    pub async fn of(reader: &Reader, account: &Stored<Account>, asked: Option<String>) -> Result<Self> {
        let id = account.id();
        // What is promised before what is owed: an amount that moves from the one to the other meanwhile is counted twice, not missed.
        let promised = promised_to(reader, id).await?;
        let all = balances(reader, id).await?;
        let currency = asked.or_else(|| own_currency(account, &all));
        let profile = stored::find_one_by::<CreditProfile>(reader, "account_id", Scalar::Id(id)).await?.map(|p| p.data);
        let has_balance = all.iter().any(|b| b.exposure_as_of.is_some());
        let mut known = Self {
            limit_currency: None,
            conversion: None,
            authorised: Amount(0),
            has_balance,
            lacks_rate: false,
            balances: vec![],
            systems: systems(reader, all.iter().map(|b| b.system.clone())).await?,
            currency,
            profile,
        };
        if let Some(currency) = known.currency.clone() {
            let limits = Limits::of(&account.data, known.profile.as_ref(), &all);
            known.bring(reader, &limits, &currency, promised, all).await?;
        }
        Ok(known)
    }

    /// Brings what counts against the limit that holds in a currency to that limit's currency.
    async fn bring(
        &mut self,
        reader: &Reader,
        limits: &Limits,
        currency: &str,
        mut promised: BTreeMap<String, Amount>,
        balances: Vec<CreditBalance>,
    ) -> Result<()> {
        let limit_currency = limits.governing(currency);
        let mut rates = Rates::to(reader, &limit_currency);
        self.conversion = rates.from(currency).await?;
        promised.retain(|currency, _| limits.governing(currency) == limit_currency);
        let (authorised, lacks_rate) = rates.sum(&promised).await?;
        self.authorised = authorised;
        self.lacks_rate = lacks_rate || self.conversion.is_none();
        for balance in balances.into_iter().filter(|b| limits.governing(&b.currency) == limit_currency) {
            if balance.currency == limit_currency {
                self.balances.push(balance);
                continue;
            }
            match rates.from(&balance.currency).await? {
                Some(conversion) => self.balances.push(converted(balance, conversion)),
                None => self.lacks_rate |= balance.exposure_total().0 != 0,
            }
        }
        self.limit_currency = Some(limit_currency);
        Ok(())
    }

    /// As a policy and the position look at it.
    #[must_use]
    pub fn facts<'a>(&'a self, told: &'a [Told<'a>], groups: &'a [Group]) -> credit_policy::Known<'a> {
        credit_policy::Known {
            told,
            has_balance: self.has_balance,
            lacks_rate: self.lacks_rate,
            profile: self.profile.as_ref(),
            authorised: self.authorised,
            groups,
        }
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
    pub fn as_of(&self) -> Option<Timestamp> {
        self.balances.iter().filter_map(|b| b.exposure_as_of).min()
    }
}

async fn balances(reader: &Reader, account: Uuid) -> Result<Vec<CreditBalance>> {
    Ok(stored::find_by::<CreditBalance>(reader, "account_id", Scalar::Id(account)).await?.into_iter().map(|b| b.data).collect())
}

/// The account's own currency where nothing or something is owed in it, else one there is a balance in.
fn own_currency(account: &Stored<Account>, balances: &[CreditBalance]) -> Option<String> {
    let own = account.data.currency.clone().filter(|own| balances.is_empty() || balances.iter().any(|b| b.currency == *own));
    own.or_else(|| balances.first().map(|b| b.currency.clone()))
}

/// How long what each system says holds, and what then.
async fn systems(reader: &Reader, codes: impl Iterator<Item = String>) -> Result<HashMap<String, (Option<i64>, OnStale)>> {
    let mut sql = reader.sql();
    sql.push("SELECT code, stale_after, on_stale FROM ").push(ExternalSystem::PLURAL);
    sql.push(" WHERE deleted_at IS NULL AND code").one_of(Kind::Text, codes.map(Scalar::Text));
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.optional_text(1)?, row.text(2)?))).await?;
    let on_stale = |text: String| serde_json::from_value(Value::String(text)).unwrap_or_default();
    Ok(rows.into_iter().map(|(code, after, on)| (code, (after.as_deref().and_then(duration_seconds), on_stale(on)))).collect())
}

/// What is promised to an account and not yet in accounting's books, by currency.
async fn promised_to(reader: &Reader, account: Uuid) -> Result<BTreeMap<String, Amount>> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    promised(&mut sql, reader, |sql| {
        sql.push(" = ").id(account);
    });
    sums(reader, sql).await
}

/// Begins the sums by currency of what is promised here and not in accounting's books, of accounts of which `which` says the rest of a
/// condition:
///
/// - what is authorised and has not expired, or was captured since the books were last told;
/// - what of confirmed orders accounting has not invoiced;
/// - what it has invoiced since the balance of that system was true.
///
/// An order's amount is in exactly one of the last two and the balance, whichever of invoice and balance comes first.
fn promised(sql: &mut Sql, reader: &Reader, which: impl Fn(&mut Sql)) {
    sql.push("t.currency, ");
    sql.amount_sum(&["amount"]);
    sql.push(" FROM (SELECT c.currency, c.authorised_amount AS amount FROM credit_checks c WHERE c.deleted_at IS NULL AND c.account_id");
    which(sql);
    sql.push(" AND (c.status = 'pending' AND c.expires_at > ").bind(Kind::Time, Scalar::Time(reader.now.plus_seconds(-GRACE)));
    sql.push(" OR c.status = 'captured' AND c.order_id IS NULL AND NOT coalesce((SELECT min(b.exposure_as_of) >= c.settled_at ");
    sql.push("FROM credit_balances b WHERE b.deleted_at IS NULL AND b.account_id = c.account_id AND b.currency = c.currency), 1 = 0))");
    sql.push(" UNION ALL SELECT o.currency, o.open_amount FROM orders o WHERE o.deleted_at IS NULL AND o.open_amount > 0 AND o.account_id");
    which(sql);
    sql.push(" UNION ALL SELECT i.currency, i.owed_amount FROM order_invoices i WHERE i.deleted_at IS NULL AND i.owed_amount <> 0 ");
    sql.push("AND i.account_id");
    which(sql);
    not_in_balance(sql);
    sql.push(") t GROUP BY t.currency");
}

async fn sums(reader: &Reader, sql: Sql) -> Result<BTreeMap<String, Amount>> {
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, Amount::of_parts(row.int(1)?, row.int(2)?)))).await?;
    Ok(rows.into_iter().collect())
}

/// Adds ` AND …` for the invoices `i` that no balance includes yet: those posted after the balance of their books was true. Where nothing says
/// which of a system's books they are in, all of them count.
pub fn not_in_balance(sql: &mut Sql) {
    sql.push(" AND NOT coalesce((SELECT min(b.exposure_as_of) >= i.posted_at FROM credit_balances b WHERE b.deleted_at IS NULL ");
    sql.push("AND b.account_id = i.account_id AND b.currency = coalesce(i.balance_currency, i.currency) AND b.system = i.system ");
    sql.push("AND (i.entity IS NULL OR b.entity = i.entity)), 1 = 0)");
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
    reader.fetch(sql, |row| Ok(Above { id: row.id(0)?, limit: row.optional_int(1)?, currency: row.optional_text(2)? })).await
}

/// The shared limits among those above, with what counts against each, brought to a currency.
pub async fn groups(reader: &Reader, above: &[Above], currency: &str) -> Result<Vec<Group>> {
    let mut rates = Rates::to(reader, currency);
    let mut groups = vec![];
    for a in above {
        let Some(limit) = a.limit else { continue };
        let mut sql = down(reader, a.id);
        promised(&mut sql, reader, |sql| {
            sql.push(" IN (SELECT id FROM down)");
        });
        // As for one account: what is promised before what is owed.
        let (authorisations, mut lacks_rate) = rates.sum(&sums(reader, sql).await?).await?;
        let mut parts = [Amount(0); 3];
        for (currency, amounts) in owed(reader, a.id).await? {
            match rates.from(&currency).await? {
                Some(conversion) => {
                    for (part, amount) in parts.iter_mut().zip(amounts) {
                        *part = part.plus(conversion.convert(amount));
                    }
                }
                None => lacks_rate |= amounts.iter().any(|a| a.0 != 0),
            }
        }
        let limit = match a.currency.as_deref().map(|own| (own, own == currency)) {
            None | Some((_, true)) => Some(Amount(limit)),
            Some((own, false)) => rates.from(own).await?.map(|conversion| conversion.convert(Amount(limit))),
        };
        let [receivable, unbilled_deliveries, open_orders] = parts;
        let exposure = Exposure { receivable, unbilled_deliveries, open_orders, authorisations };
        let lacks_rate = lacks_rate || limit.is_none();
        groups.push(Group { account_id: AccountId(a.id), limit: limit.unwrap_or(Amount(i64::MAX)), exposure, lacks_rate });
    }
    Ok(groups)
}

/// What accounting said of an account and all beneath it, by currency: receivable, unbilled deliveries, open orders.
async fn owed(reader: &Reader, top: Uuid) -> Result<Vec<(String, [Amount; 3])>> {
    let mut sql = down(reader, top);
    sql.push("t.currency");
    for column in ["receivable", "unbilled_deliveries", "open_orders"] {
        sql.push(", ");
        sql.amount_sum(&[column]);
    }
    sql.push(" FROM credit_balances t WHERE t.deleted_at IS NULL AND t.account_id IN (SELECT id FROM down) GROUP BY t.currency");
    reader
        .fetch(sql, |row| {
            let sum = |n| -> Result<Amount> { Ok(Amount::of_parts(row.int(n)?, row.int(n + 1)?)) };
            Ok((row.text(0)?, [sum(1)?, sum(3)?, sum(5)?]))
        })
        .await
}

/// Begins a statement that knows an account and all beneath it as `down`.
fn down(reader: &Reader, top: Uuid) -> Sql {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE down (id) AS (SELECT id FROM accounts WHERE id = ").id(top);
    sql.push(" UNION SELECT a.id FROM accounts a JOIN down ON a.parent_id = down.id WHERE a.deleted_at IS NULL) SELECT ");
    sql
}
