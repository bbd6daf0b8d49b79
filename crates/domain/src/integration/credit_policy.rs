//! A credit policy: which moments of a sale ask for credit, what counts against the limit, and what follows from what is found.
//!
//! Trades differ in all of it (a brick maker takes orders for many months, a shop none), so it is data.

use crate::{
    id::AccountId,
    integration::{
        credit_balance::{BalanceStatus, LimitKind},
        credit_position::{Told, limit},
        credit_profile::CreditProfile,
        external_system::OnStale,
    },
};
use samphan_resource::{
    money::{Amount, Price},
    resource::Resource,
    timestamp::Timestamp,
    transition::Transition,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What a credit check looks at and decides. Of the active policies that fit, the one with the lowest `priority` decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditPolicy {
    /// Its name.
    #[schema(min_length = 1, max_length = 100, example = "Wholesale")]
    pub name: String,
    /// The order in which policies are tried, the lowest first.
    #[serde(default = "hundred")]
    #[schema(minimum = 0, maximum = 10000)]
    pub priority: i32,
    /// The moments it is for; all of them when empty.
    #[serde(default)]
    #[schema(max_items = 6)]
    pub checkpoints: Vec<Checkpoint>,
    /// The grades of the accounts it is for; every account when empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub grades: Vec<String>,
    /// ISO 4217 currency of the amounts here; with it, the policy is for checks in that currency only.
    #[schema(pattern = "^[A-Z]{3}$", example = "THB")]
    pub currency: Option<String>,
    /// What counts against the limit.
    #[serde(default = "all_components")]
    #[schema(max_items = 4)]
    pub components: Vec<CreditComponent>,
    /// Percent of the limit by which it may be exceeded.
    #[schema(minimum = 0, maximum = 1000)]
    pub tolerance_percent: Option<i32>,
    /// What follows when the amount does not fit into the limit, the account's own or one it shares.
    #[serde(default = "hold")]
    pub over_limit: CreditAction,
    /// The youngest overdue that counts; none does when null.
    pub overdue_from: Option<OverdueAge>,
    /// How much of that is let pass; nothing when null.
    pub overdue_amount: Option<Price>,
    /// What follows when more is overdue.
    #[serde(default = "warn")]
    pub overdue: CreditAction,
    /// What follows when what accounting said is stale or missing; as its system's `on_stale` says when null.
    pub stale: Option<CreditAction>,
    /// What follows when accounting has said nothing of the customer.
    #[serde(default = "warn")]
    pub unknown: CreditAction,
    /// How long an authorisation holds, in minutes.
    #[serde(default = "half_an_hour")]
    #[schema(minimum = 1, maximum = 43200)]
    pub authorisation_minutes: i32,
    /// Whether an order held for its credit goes on by itself when a new balance makes room.
    #[serde(default)]
    pub releases_holds: bool,
    /// `draft` until `activate`; only active policies decide.
    #[schema(read_only)]
    #[serde(default)]
    pub status: PolicyStatus,
}

const fn hundred() -> i32 {
    100
}
const fn half_an_hour() -> i32 {
    30
}
const fn hold() -> CreditAction {
    CreditAction::Hold
}
const fn warn() -> CreditAction {
    CreditAction::Warn
}
fn all_components() -> Vec<CreditComponent> {
    use CreditComponent::{Authorisations, OpenOrders, Receivable, UnbilledDeliveries};
    vec![Receivable, UnbilledDeliveries, OpenOrders, Authorisations]
}

/// The moments of a sale that ask for credit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own terms")]
pub enum Checkpoint {
    Quote,
    Submit,
    Confirm,
    Amend,
    Reopen,
    Ship,
}

/// What may count against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditComponent {
    /// Invoiced and unpaid.
    Receivable,
    /// Delivered and not invoiced.
    UnbilledDeliveries,
    /// Ordered and not delivered, as accounting knows it.
    OpenOrders,
    /// Promised here and not yet in accounting's books: authorisations that are pending, or captured since.
    Authorisations,
}

/// What a check decides, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditAction {
    /// Sell.
    Allow,
    /// Sell, and look at the reasons.
    Warn,
    /// Wait until somebody with the right releases it.
    Hold,
    /// Do not sell.
    Decline,
}

/// How long something is overdue at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverdueAge {
    /// One day.
    #[serde(rename = "days_1")]
    Days1,
    /// 31 days.
    #[serde(rename = "days_31")]
    Days31,
    /// 61 days.
    #[serde(rename = "days_61")]
    Days61,
    /// 91 days.
    #[serde(rename = "days_91")]
    Days91,
}

/// Whether a policy decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyStatus {
    /// Not yet.
    #[default]
    Draft,
    /// It does.
    Active,
    /// No longer.
    Retired,
}

impl Resource for CreditPolicy {
    const PLURAL: &'static str = "credit_policies";
    const SINGULAR: &'static str = "credit_policy";
    const DESCRIPTION: &'static str = "What credit checks look at and decide. Where none fits, the standard policy does: every component counts, without tolerance; over \
        the limit is `hold`; anything overdue is `warn`; a customer accounting has said nothing of is `hold` where an external system of the kind `accounting` or `erp` is \
        there, else `warn`; an authorisation lasts 30 minutes.";
    const FILTERS: &'static [&'static str] = &["status", "priority"];
    const SORTS: &'static [&'static str] = &["name", "priority"];
    const COLLATED: &'static [&'static str] = &["name"];
    const STATUS: Option<&'static str> = Some("status");
    const TRANSITIONS: &'static [Transition] = &[
        Transition::new("activate", &["draft", "retired"], "active", "activated"),
        Transition::new("retire", &["active"], "retired", "retired"),
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({"priority": 100, "unknown": "warn", "stale": "warn", "authorisation_minutes": 30, "grades": ["B", "C"], "overdue_from": "days_31", "overdue": "hold", "over_limit": "hold"})
    }

    fn example_change() -> Value {
        json!({"tolerance_percent": 5})
    }
}

/// What a check is about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The moment of the sale.
    pub checkpoint: Checkpoint,
    /// The account's grade.
    pub grade: Option<&'a str>,
    /// ISO 4217 currency of what is to be sold.
    pub currency: &'a str,
    /// ISO 4217 currency of the limit, and of every amount that is compared with it.
    pub limit_currency: &'a str,
    /// How much is to be sold, in the limit's currency.
    pub amount: Amount,
}

/// What is known of a customer when a check is made.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What accounting said, in the limit's currency.
    pub told: &'a [Told<'a>],
    /// Whether accounting has said what the customer owes, in any currency.
    pub has_balance: bool,
    /// Whether something that counts is in a currency without a rate to the limit's.
    pub lacks_rate: bool,
    /// What we decided.
    pub profile: Option<&'a CreditProfile>,
    /// Authorised here and not yet in accounting's books.
    pub authorised: Amount,
    /// The limits the account shares with others above and beside it.
    pub groups: &'a [Group],
}

/// A limit that an account shares with all beneath it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The account on top.
    pub account_id: AccountId,
    /// The limit.
    pub limit: Amount,
    /// What counts against it, of the whole group, by component.
    pub exposure: Exposure,
    /// Whether something that counts against it, or the limit itself, is in a currency without a rate.
    pub lacks_rate: bool,
}

/// Exposure by component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    /// Invoiced and unpaid.
    pub receivable: Amount,
    /// Delivered and not invoiced.
    pub unbilled_deliveries: Amount,
    /// Ordered and not delivered.
    pub open_orders: Amount,
    /// Authorised here and not yet in accounting's books.
    pub authorisations: Amount,
}

impl Exposure {
    /// A component of it.
    #[must_use]
    pub const fn of(&self, component: CreditComponent) -> Amount {
        match component {
            CreditComponent::Receivable => self.receivable,
            CreditComponent::UnbilledDeliveries => self.unbilled_deliveries,
            CreditComponent::OpenOrders => self.open_orders,
            CreditComponent::Authorisations => self.authorisations,
        }
    }

    /// The sum of the components that count.
    #[must_use]
    pub fn counted(&self, components: &[CreditComponent]) -> Amount {
        all_components().into_iter().filter(|c| components.contains(c)).map(|c| self.of(c)).fold(Amount(0), Amount::plus)
    }
}

/// A rule that had something to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreditFinding {
    /// The rule.
    pub rule: CreditRule,
    /// What follows from it.
    pub action: CreditAction,
}

/// The rules of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditRule {
    /// We hold every order of the customer.
    ProfileHold,
    /// Accounting holds every order of the customer.
    AccountingHold,
    /// The amount does not fit into the customer's limit.
    OverLimit,
    /// The amount does not fit into a limit shared with others.
    OverGroupLimit,
    /// Too much is overdue.
    Overdue,
    /// What accounting said is too old.
    Stale,
    /// The last complete snapshot did not have the customer.
    Missing,
    /// Accounting has said nothing of the customer.
    NoBalance,
    /// Something that counts against the limit is in another currency, and there is no rate to the limit's.
    NoExchangeRate,
    /// Accounting manages no limit for the customer, and we have none.
    LimitNotManaged,
}

/// What a check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The strictest of the findings.
    pub decision: CreditAction,
    /// Every rule that had something to say, the strictest first.
    pub findings: Vec<CreditFinding>,
    /// Whether there is a limit.
    pub limit_kind: LimitKind,
    /// The customer's own limit, without tolerance.
    pub limit: Option<Amount>,
    /// The customer's exposure.
    pub exposure: Exposure,
    /// The part of it that counts.
    pub counted: Amount,
    /// What may still be sold before this, of the customer's own limit and of every shared one the least, tolerance included.
    pub available: Option<Amount>,
}

impl CreditPolicy {
    /// The policy that holds where no other does: every component, no tolerance; over the limit is held, everything else warns. What
    /// accounting has said nothing of is held where an accounting system is connected, and warned of where none is.
    #[must_use]
    pub fn standard(has_accounting: bool) -> Self {
        Self {
            name: "standard".to_owned(),
            priority: hundred(),
            checkpoints: vec![],
            grades: vec![],
            currency: None,
            components: all_components(),
            tolerance_percent: None,
            over_limit: CreditAction::Hold,
            overdue_from: Some(OverdueAge::Days1),
            overdue_amount: None,
            overdue: CreditAction::Warn,
            stale: None,
            unknown: if has_accounting { CreditAction::Hold } else { CreditAction::Warn },
            authorisation_minutes: half_an_hour(),
            releases_holds: false,
            status: PolicyStatus::Active,
        }
    }

    /// Whether it is for a check.
    #[must_use]
    pub fn fits(&self, asked: &Asked<'_>) -> bool {
        (self.checkpoints.is_empty() || self.checkpoints.contains(&asked.checkpoint))
            && (self.grades.is_empty() || asked.grade.is_some_and(|grade| self.grades.iter().any(|g| g == grade)))
            && self.currency.as_deref().is_none_or(|c| c == asked.currency)
    }

    /// The limit with what it may be exceeded by.
    fn stretched(&self, limit: Amount) -> Amount {
        let percent = i128::from(self.tolerance_percent.unwrap_or_default());
        let more = i128::from(limit.0.max(0)) * percent / 100;
        limit.plus(Amount(i64::try_from(more).unwrap_or(i64::MAX)))
    }

    /// What is left of shared limits, tolerance included: of several the least.
    #[must_use]
    pub fn left_of(&self, groups: &[Group]) -> Option<Amount> {
        groups.iter().map(|g| self.stretched(g.limit).minus(g.exposure.counted(&self.components))).min()
    }

    /// Decides.
    #[must_use]
    pub fn decide(&self, asked: &Asked<'_>, known: &Known<'_>, now: Timestamp) -> Verdict {
        let mut findings: Vec<CreditFinding> = vec![];
        let mut find = |rule, action| {
            if action > CreditAction::Allow || matches!(rule, CreditRule::LimitNotManaged | CreditRule::Stale) {
                findings.push(CreditFinding { rule, action });
            }
        };
        let balances = || known.told.iter().map(|t| t.balance);
        let sum = |read: fn(&crate::integration::credit_balance::CreditBalance) -> Option<Amount>| {
            balances().filter_map(read).fold(Amount(0), Amount::plus)
        };
        let exposure = Exposure {
            receivable: sum(|b| b.receivable),
            unbilled_deliveries: sum(|b| b.unbilled_deliveries),
            open_orders: sum(|b| b.open_orders),
            authorisations: known.authorised,
        };
        let counted = exposure.counted(&self.components);
        let profile = known.profile.filter(|p| p.currency.as_deref().is_none_or(|c| c == asked.limit_currency));
        let (limit_kind, limit) = limit(known.told, profile);

        if known.profile.is_some_and(|p| p.is_on_hold) {
            find(CreditRule::ProfileHold, CreditAction::Hold);
        }
        if balances().any(|b| b.on_hold == Some(true)) {
            find(CreditRule::AccountingHold, CreditAction::Hold);
        }
        if !known.has_balance {
            find(CreditRule::NoBalance, self.unknown);
        } else if limit.is_none() && limit_kind == LimitKind::NotManaged {
            find(CreditRule::LimitNotManaged, CreditAction::Allow);
        }
        let own = limit.map(|l| self.stretched(l).minus(counted));
        // What lowers the exposure is let pass however much is owed.
        let is_over = |room: Amount| asked.amount >= Amount(0) && asked.amount > room;
        if limit.is_some() && known.lacks_rate || known.groups.iter().any(|g| g.lacks_rate) {
            find(CreditRule::NoExchangeRate, CreditAction::Hold);
        }
        if own.is_some_and(is_over) {
            find(CreditRule::OverLimit, self.over_limit);
        }
        let shared = self.left_of(known.groups);
        if shared.is_some_and(is_over) {
            find(CreditRule::OverGroupLimit, self.over_limit);
        }
        if let Some(from) = self.overdue_from
            && self.overdue_sum(known, from) > Amount(self.overdue_amount.map_or(0, |a| a.0))
        {
            find(CreditRule::Overdue, self.overdue);
        }
        let aged = |on_stale| {
            self.stale.unwrap_or(match on_stale {
                OnStale::Allow => CreditAction::Allow,
                OnStale::Warn => CreditAction::Warn,
                OnStale::Block => CreditAction::Hold,
            })
        };
        let strictest = |fits: &dyn Fn(&Told<'_>) -> bool| known.told.iter().filter(|t| fits(t)).map(|t| aged(t.on_stale)).max();
        if let Some(action) = strictest(&|t| t.is_stale(now)) {
            find(CreditRule::Stale, action);
        }
        if let Some(action) = strictest(&|t| t.balance.status == BalanceStatus::Missing) {
            find(CreditRule::Missing, action);
        }
        findings.sort_by_key(|f| std::cmp::Reverse(f.action));
        Verdict {
            decision: findings.first().map_or(CreditAction::Allow, |f| f.action),
            findings,
            limit_kind,
            limit,
            exposure,
            counted,
            available: own.into_iter().chain(shared).min(),
        }
    }

    fn overdue_sum(&self, known: &Known<'_>, from: OverdueAge) -> Amount {
        let of = |b: &crate::integration::credit_balance::CreditBalance| {
            [b.overdue_days_1_30, b.overdue_days_31_60, b.overdue_days_61_90, b.overdue_days_over_90]
        };
        let old_enough = known.told.iter().flat_map(|t| of(t.balance).into_iter().skip(from as usize).flatten());
        old_enough.fold(Amount(0), Amount::plus)
    }
}

/// The policy of those given that decides: of those that fit, the lowest priority, and of equals the older. None is none of them.
#[must_use]
pub fn choose<'a>(policies: &'a [(Uuid, i64, CreditPolicy)], asked: &Asked<'_>) -> Option<&'a (Uuid, i64, CreditPolicy)> {
    policies.iter().filter(|(_, _, p)| p.status == PolicyStatus::Active && p.fits(asked)).min_by_key(|(id, _, p)| (p.priority, *id))
}
