//! A credit position: the answer a seller needs, from what accounting said and what we decided.

use crate::{
    id::AccountId,
    integration::{
        credit_balance::{BalanceStatus, CreditBalance, LimitKind},
        credit_policy::{CreditPolicy, Known},
        credit_profile::CreditProfile,
        external_system::OnStale,
    },
};
use samphan_resource::{money::Amount, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where an account stands, in one currency.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CreditPosition {
    /// The account.
    pub account_id: AccountId,
    /// ISO 4217 currency of every amount here, the limit's: another than the one asked for when the customer's only limit is in that. Null
    /// when nothing is known.
    #[schema(required = true, max_length = 3)]
    pub currency: Option<String>,
    /// The answer: `ok`, `warn`, `hold`, `over_limit` or `unknown`.
    pub status: CreditStatus,
    /// Why, as codes: `no_balance`, `profile_hold`, `accounting_hold`, `over_limit`, `over_group_limit`, `near_limit`, `overdue`, `stale`, `missing`, `limit_not_managed`, `no_exchange_rate`.
    #[schema(max_items = 20)]
    pub reasons: Vec<CreditReason>,
    /// What may still be ordered: of what is left of the account's own limit and of those it shares the least; null when there is no limit
    /// or it is not known.
    #[schema(required = true)]
    pub available: Option<Amount>,
    /// What is left of the limits the account shares with others of its group (`group_limit_amount` of its credit profile, or of an
    /// account above it), by what the whole group owes and is authorised: of several the least; null when there is none. As a check by the
    /// standard policy counts it, which has no tolerance.
    #[schema(required = true)]
    pub group_available: Option<Amount>,
    /// The oldest moment any of the exposure was true.
    #[schema(required = true)]
    pub as_of: Option<Timestamp>,
    /// Whether any of it is older than its system's `stale_after`.
    pub stale: bool,
    /// Whether there is a limit: `limited`, `unlimited` or `not_managed`. Ledger: null without the right to see it.
    #[schema(required = true)]
    pub limit_kind: Option<LimitKind>,
    /// The limit that holds. Ledger.
    #[schema(required = true)]
    pub limit_amount: Option<Amount>,
    /// All that counts against the limit. Ledger.
    #[schema(required = true)]
    pub exposure: Option<Amount>,
    /// Of the exposure: invoiced and unpaid. Ledger.
    #[schema(required = true)]
    pub receivable: Option<Amount>,
    /// Of the exposure: delivered and not invoiced. Ledger.
    #[schema(required = true)]
    pub unbilled_deliveries: Option<Amount>,
    /// Of the exposure: ordered and not delivered. Ledger.
    #[schema(required = true)]
    pub open_orders: Option<Amount>,
    /// Of the exposure: authorised here and not yet in accounting's books. Ledger.
    #[schema(required = true)]
    pub authorised: Option<Amount>,
    /// Overdue, of any age. Ledger.
    #[schema(required = true)]
    pub overdue: Option<Amount>,
    /// What each system and legal entity said. Ledger: empty without the right to see it.
    #[schema(max_items = 200)]
    pub balances: Vec<PositionBalance>,
}

/// The part of one system and legal entity in a position.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PositionBalance {
    /// Code of the system.
    #[schema(max_length = 50, example = "express")]
    pub system: String,
    /// The legal entity.
    #[schema(max_length = 50, example = "TH01")]
    pub entity: String,
    /// All that counts against the limit there.
    pub exposure: Amount,
    /// Overdue there.
    pub overdue: Amount,
    /// When its exposure was true.
    #[schema(required = true)]
    pub as_of: Option<Timestamp>,
    /// Whether it is stale.
    pub stale: bool,
}

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditStatus {
    /// Sell.
    Ok,
    /// Sell, and look at the reasons.
    Warn,
    /// Accounting has said nothing.
    Unknown,
    /// Do not sell more.
    OverLimit,
    /// Do not sell.
    Hold,
}

/// Why a status is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "documented where they are published")]
pub enum CreditReason {
    NoBalance,
    ProfileHold,
    AccountingHold,
    OverLimit,
    OverGroupLimit,
    NearLimit,
    Overdue,
    Stale,
    Missing,
    LimitNotManaged,
    NoExchangeRate,
}

impl CreditReason {
    /// The least status this reason makes.
    const fn makes(self, on_stale: OnStale) -> CreditStatus {
        match (self, on_stale) {
            (Self::NoBalance, _) => CreditStatus::Unknown,
            (Self::ProfileHold | Self::AccountingHold | Self::NoExchangeRate, _) | (Self::Stale | Self::Missing, OnStale::Block) => {
                CreditStatus::Hold
            }
            (Self::OverLimit | Self::OverGroupLimit, _) => CreditStatus::OverLimit,
            (Self::NearLimit | Self::Overdue, _) | (Self::Stale | Self::Missing, OnStale::Warn) => CreditStatus::Warn,
            (Self::LimitNotManaged, _) | (Self::Stale | Self::Missing, OnStale::Allow) => CreditStatus::Ok,
        }
    }
}

/// A balance with what its system says about age.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The balance.
    pub balance: &'a CreditBalance,
    /// Seconds after which it is stale.
    pub stale_after: Option<i64>,
    /// What that does.
    pub on_stale: OnStale,
}

impl Told<'_> {
    /// Whether what it says is owed is older than its system lets stand. A limit holds until another is told, so only what is
    /// owed grows old.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        matches!((self.balance.exposure_as_of, self.stale_after), (Some(at), Some(seconds)) if at.plus_seconds(seconds) < now)
    }
}

/// The position of an account in the limit's currency, from what is known of it.
#[must_use]
pub fn position(account_id: AccountId, currency: Option<String>, facts: &Known<'_>, now: Timestamp) -> CreditPosition {
    let Known { told, profile, authorised, groups, .. } = *facts;
    let mut reasons: Vec<(CreditReason, OnStale)> = vec![];
    let mut add = |reason, on_stale| {
        if !reasons.iter().any(|(r, o)| *r == reason && *o == on_stale) {
            reasons.push((reason, on_stale));
        }
    };
    let sum = |read: fn(&CreditBalance) -> Option<Amount>| told.iter().filter_map(|t| read(t.balance)).fold(Amount(0), Amount::plus);
    let exposure = told.iter().map(|t| t.balance.exposure_total()).fold(authorised, Amount::plus);
    let overdue = told.iter().map(|t| t.balance.overdue_total()).fold(Amount(0), Amount::plus);
    let balances: Vec<PositionBalance> = told
        .iter()
        .map(|t| PositionBalance {
            system: t.balance.system.clone(),
            entity: t.balance.entity.clone(),
            exposure: t.balance.exposure_total(),
            overdue: t.balance.overdue_total(),
            as_of: t.balance.exposure_as_of,
            stale: t.is_stale(now),
        })
        .collect();

    let (kind, limit) = limit(told, profile.filter(|p| p.currency.is_none() || p.currency == currency));
    let known = facts.has_balance;
    if !known {
        add(CreditReason::NoBalance, OnStale::Warn);
    }
    if profile.is_some_and(|p| p.is_on_hold) {
        add(CreditReason::ProfileHold, OnStale::Warn);
    }
    for (t, b) in told.iter().zip(&balances) {
        if t.balance.on_hold == Some(true) {
            add(CreditReason::AccountingHold, OnStale::Warn);
        }
        if t.balance.status == BalanceStatus::Missing {
            add(CreditReason::Missing, t.on_stale);
        }
        if b.stale {
            add(CreditReason::Stale, t.on_stale);
        }
    }
    match limit {
        Some(limit) if exposure > limit => add(CreditReason::OverLimit, OnStale::Warn),
        Some(limit) if near(exposure, limit, profile.and_then(|p| p.warn_at_percent)) => add(CreditReason::NearLimit, OnStale::Warn),
        None if kind == LimitKind::NotManaged && (known || !told.is_empty()) => add(CreditReason::LimitNotManaged, OnStale::Warn),
        _ => {}
    }
    if limit.is_some() && facts.lacks_rate || groups.iter().any(|g| g.lacks_rate) {
        add(CreditReason::NoExchangeRate, OnStale::Warn);
    }
    let group_available = CreditPolicy::standard(true).left_of(groups);
    if group_available.is_some_and(|left| left < Amount(0)) {
        add(CreditReason::OverGroupLimit, OnStale::Warn);
    }
    if overdue > Amount(0) {
        add(CreditReason::Overdue, OnStale::Warn);
    }
    let mut codes: Vec<CreditReason> = vec![];
    for (reason, _) in &reasons {
        if !codes.contains(reason) {
            codes.push(*reason);
        }
    }
    CreditPosition {
        account_id,
        status: reasons.iter().map(|(r, o)| r.makes(*o)).max().unwrap_or(CreditStatus::Ok),
        reasons: codes,
        available: limit.map(|l| l.minus(exposure)).into_iter().chain(group_available).min().filter(|_| known),
        group_available,
        as_of: balances.iter().filter_map(|b| b.as_of).min(),
        stale: balances.iter().any(|b| b.stale),
        limit_kind: (!told.is_empty() || limit.is_some()).then_some(kind),
        limit_amount: limit,
        exposure: known.then_some(exposure),
        receivable: known.then(|| sum(|b| b.receivable)),
        unbilled_deliveries: known.then(|| sum(|b| b.unbilled_deliveries)),
        open_orders: known.then(|| sum(|b| b.open_orders)),
        authorised: known.then_some(authorised),
        overdue: known.then_some(overdue),
        balances,
        currency,
    }
}

/// The limit that holds: the sum of accounting's, or ours where it is lower or there is no other.
pub(crate) fn limit(told: &[Told<'_>], profile: Option<&CreditProfile>) -> (LimitKind, Option<Amount>) {
    let kinds: Vec<LimitKind> = told.iter().filter_map(|t| t.balance.limit_kind).collect();
    let theirs = match () {
        () if kinds.contains(&LimitKind::Unlimited) => (LimitKind::Unlimited, None),
        () if kinds.contains(&LimitKind::Limited) => {
            (LimitKind::Limited, Some(told.iter().filter_map(|t| t.balance.limit_amount).fold(Amount(0), Amount::plus)))
        }
        () => (LimitKind::NotManaged, None),
    };
    match (profile.and_then(|p| p.limit_amount).map(|p| Amount(p.0)), theirs) {
        (None, theirs) => theirs,
        (Some(ours), (_, theirs)) => (LimitKind::Limited, Some(theirs.map_or(ours, |t| t.min(ours)))),
    }
}

fn near(exposure: Amount, limit: Amount, percent: Option<i32>) -> bool {
    percent.is_some_and(|p| i128::from(exposure.0) * 100 >= i128::from(limit.0) * i128::from(p))
}

impl CreditPosition {
    /// What a seller without the right to the ledger sees.
    #[must_use]
    pub fn without_ledger(self) -> Self {
        Self {
            limit_kind: None,
            limit_amount: None,
            exposure: None,
            receivable: None,
            unbilled_deliveries: None,
            open_orders: None,
            authorised: None,
            overdue: None,
            balances: vec![],
            ..self
        }
    }
}
