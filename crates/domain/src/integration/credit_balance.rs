//! A credit balance: what accounting last said a customer owes and may owe.
//!
//! A push is an absolute snapshot of the groups it names: the exposure group (receivable, overdue, unbilled
//! deliveries, open orders) and the limit group (credit limit, hold). Each group keeps its own stamp, and the
//! greater stamp wins whatever the order of arrival: any order, doubling and batching of the same pushes ends in
//! the same rows.

use crate::{
    example,
    id::AccountId,
    instant::Instant,
    money::{Amount, Price},
    reference::OnDelete,
    resource::Resource,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::cmp::{Ordering, Reverse};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

/// What accounting last said, by account, system, legal entity and currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditBalance {
    /// The account.
    pub account_id: AccountId,
    /// Code of the system that said it.
    #[schema(max_length = 50)]
    pub system: String,
    /// The legal entity the customer owes to.
    #[schema(max_length = 50)]
    pub entity: String,
    /// ISO 4217 currency of every amount here.
    #[schema(max_length = 3)]
    pub currency: String,
    /// When the exposure was true; null until it is told.
    pub exposure_as_of: Option<Instant>,
    /// The sender's revision of the exposure.
    #[schema(max_length = 50)]
    pub exposure_revision: Option<String>,
    /// Invoiced and unpaid.
    pub receivable: Option<Amount>,
    /// Of that, overdue for 1 to 30 days.
    pub overdue_days_1_30: Option<Amount>,
    /// Of that, overdue for 31 to 60 days.
    pub overdue_days_31_60: Option<Amount>,
    /// Of that, overdue for 61 to 90 days.
    pub overdue_days_61_90: Option<Amount>,
    /// Of that, overdue for more than 90 days.
    pub overdue_days_over_90: Option<Amount>,
    /// Delivered and not invoiced, without `included_unbilled_deliveries`.
    pub unbilled_deliveries: Option<Amount>,
    /// Ordered and not delivered, without `included_open_orders`.
    pub open_orders: Option<Amount>,
    /// The orders taken here that the sender named as included in its amounts.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub included_orders: Vec<String>,
    /// What was taken out of the sender's `open_orders` for those orders, because they count here already.
    pub included_open_orders: Option<Amount>,
    /// What was taken out of the sender's `unbilled_deliveries` for those orders.
    pub included_unbilled_deliveries: Option<Amount>,
    /// When the limit was true; null until it is told.
    pub limit_as_of: Option<Instant>,
    /// The sender's revision of the limit.
    #[schema(max_length = 50)]
    pub limit_revision: Option<String>,
    /// Whether there is a limit.
    pub limit_kind: Option<LimitKind>,
    /// The limit, when `limit_kind` is `limited`.
    pub limit_amount: Option<Amount>,
    /// Whether accounting has put the customer on hold.
    pub on_hold: Option<bool>,
    /// `current`, or `missing` when a complete snapshot did not have it.
    #[serde(default)]
    pub status: BalanceStatus,
    /// Whether two pushes about the exposure with the same time said different things.
    #[serde(default)]
    pub exposure_has_conflict: bool,
    /// Whether two pushes about the limit with the same time said different things.
    #[serde(default)]
    pub limit_has_conflict: bool,
    /// Either of the two.
    #[serde(default)]
    pub has_conflict: bool,
    /// When the last push that counted came in.
    pub received_at: Instant,
}

/// A push that counted, kept for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate)]
pub struct CreditBalanceChange {
    /// The balance.
    pub balance_id: Uuid,
    /// The account.
    pub account_id: AccountId,
    /// Code of the system that pushed.
    #[schema(max_length = 50)]
    pub system: String,
    /// The legal entity.
    #[schema(max_length = 50)]
    pub entity: String,
    /// ISO 4217 currency.
    #[schema(max_length = 3)]
    pub currency: String,
    /// When the push was true.
    pub as_of: Instant,
    /// The push itself.
    #[schema(value_type = Object)]
    pub item: Map<String, Value>,
}

/// What a push as it was sent tells of the balance.
pub(crate) const TOLD_BY_ITEM: &[&str] = &[
    "credit_balance_history.item",
    "unmatched_credits.items",
    "credit_balances.receivable",
    "credit_balances.overdue_days_1_30",
    "credit_balances.overdue_days_31_60",
    "credit_balances.overdue_days_61_90",
    "credit_balances.overdue_days_over_90",
    "credit_balances.unbilled_deliveries",
    "credit_balances.open_orders",
    "credit_balances.included_open_orders",
    "credit_balances.included_unbilled_deliveries",
    "credit_balances.limit_kind",
    "credit_balances.limit_amount",
    "credit_balances.on_hold",
];

impl Resource for CreditBalanceChange {
    const MANY: &'static str = "credit_balance_history";
    const ONE: &'static str = "credit_balance_change";
    const ABOUT: &'static str = "Every push that counted, as it was sent.";
    const PERSON: &'static [&'static str] = &["account_id"];
    const FILTERS: &'static [&'static str] = &["account_id"];
    const TITLE: &'static str = "system";
    const FINANCIAL: &'static [&'static str] = &["item"];
    const TELLS: &'static [&'static [&'static str]] = &[TOLD_BY_ITEM];
    const PARENTS: &'static [&'static str] = &["account_id"];
    const EXTENSIBLE: bool = false;
    const LOG: bool = true;

    fn example() -> Value {
        json!({
            "balance_id": example::id("credit_balances"),
            "account_id": example::id("accounts"),
            "system": example::SYSTEM,
            "entity": "TH01",
            "currency": "THB",
            "item": {"external_id": "ACC-1001", "as_of": example::MOMENT, "receivable": "125000.00"},
        })
    }
}

/// Whether a limit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// Up to `amount`.
    Limited,
    /// The sender does not manage limits for this customer.
    NotManaged,
    /// Without limit.
    Unlimited,
}

/// Whether the last complete snapshot had the balance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceStatus {
    /// It did, or there was none.
    #[default]
    Current,
    /// It did not: never taken for zero.
    Missing,
}

/// A credit limit as it is pushed: no magic zero.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditLimit {
    /// Whether there is a limit.
    pub kind: LimitKind,
    /// The limit; required with `limited`, otherwise left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub amount: Option<Price>,
}

/// Overdue amounts by age; those left out are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverdueBuckets {
    /// 1 to 30 days.
    #[serde(default)]
    pub days_1_30: Amount,
    /// 31 to 60 days.
    #[serde(default)]
    pub days_31_60: Amount,
    /// 61 to 90 days.
    #[serde(default)]
    pub days_61_90: Amount,
    /// More than 90 days.
    #[serde(default)]
    pub days_over_90: Amount,
}

/// One push about one customer.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditItem {
    /// What the system calls the customer. Either this or `account_id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, min_length = 1, max_length = 128, example = "C-0010023")]
    pub external_id: Option<String>,
    /// Our account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub account_id: Option<AccountId>,
    /// The moment the amounts are true of, taken before the sender reads its books: an entry posted while they are read is then newer
    /// than the balance, never missing from it. Not more than five minutes ahead of now.
    pub as_of: Instant,
    /// A whole number, in digits, that grows with each change at the sender; decides between pushes with the same `as_of`. One that is no
    /// number is refused. With equal `as_of` and without a revision, or with equal ones, the larger exposure and the lower limit win, and
    /// the balance is marked `has_conflict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 50, example = "88123")]
    pub source_revision: Option<String>,
    /// Invoiced and unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub receivable: Option<Amount>,
    /// Of that, overdue, by age.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub overdue: Option<OverdueBuckets>,
    /// Delivered and not invoiced. Leave out orders taken here, or name them in `included_orders`: they count here until they are invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unbilled_deliveries: Option<Amount>,
    /// Ordered and not delivered. Leave out orders taken here, or name them in `included_orders`: they count here until they are invoiced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub open_orders: Option<Amount>,
    /// The orders taken here that `open_orders` and `unbilled_deliveries` include, by number or id. What was open of them at `as_of` is
    /// taken out of `open_orders`, then of `unbilled_deliveries`, so that it counts once. An order that is not one of the customer's in
    /// this currency fails the item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000, example = json!(["SO-000042"]))]
    pub included_orders: Vec<String>,
    /// The credit limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub credit_limit: Option<CreditLimit>,
    /// Whether accounting has put the customer on hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub on_hold: Option<bool>,
}

/// A group as it was told: when, at which revision of the sender's, and what. The greatest holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told<T> {
    as_of: Instant,
    /// The revision where it is a number; another word tells nothing of before and after.
    number: Option<Revision>,
    says: T,
    /// The revision as it was written: of two that say the same, one must be the kept one, whichever comes first.
    revision: Option<String>,
}

/// A whole number of any length: how many digits without leading zeros, and those.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Revision(usize, String);

impl Revision {
    fn parse(text: &str) -> Option<Self> {
        let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let digits = text.trim_start_matches('0');
        is_number.then(|| Self(digits.len(), digits.to_owned()))
    }
}

impl<T: Ord> Told<T> {
    fn new(as_of: Instant, revision: Option<&String>, says: T) -> Self {
        Self { as_of, number: revision.and_then(|r| Revision::parse(r)), says, revision: revision.cloned() }
    }

    fn is_of_one_moment_with(&self, other: &Self) -> bool {
        self.as_of == other.as_of && self.number == other.number
    }

    /// Pushes of one moment and revision that differ are a mistake at the sender.
    fn contradicts(&self, other: &Self) -> bool {
        self.is_of_one_moment_with(other) && self.says != other.says
    }
}

/// The exposure group, ordered so that of two that claim the same moment the more prudent is the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Exposure {
    total: Amount,
    parts: [Amount; 3],
    overdue: [Amount; 4],
    /// Orders taken here that the amounts include: of two pushes that differ in nothing else, the one with fewer takes out less.
    included: Reverse<Vec<String>>,
}

/// The limit group, ordered likewise: on hold, then the lower limit, is the greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Limit {
    on_hold: bool,
    kind: Reverse<LimitKind>,
    amount: Reverse<Option<Amount>>,
}

/// What a push came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It said what was known.
    Unchanged,
    /// Something newer was known; nothing changed.
    Stale,
    /// It says other than what is known for the same moment, and is the less prudent; nothing changed but the mark.
    Conflicting,
    /// It changed the balance.
    Applied,
}

impl CreditItem {
    /// Whether the item names anything of the exposure group.
    #[must_use]
    pub const fn names_exposure(&self) -> bool {
        self.receivable.is_some() || self.overdue.is_some() || self.unbilled_deliveries.is_some() || self.open_orders.is_some()
    }

    /// Whether the item names anything of the limit group.
    #[must_use]
    pub const fn names_limit(&self) -> bool {
        self.credit_limit.is_some() || self.on_hold.is_some()
    }

    /// What is wrong with the item in itself: a pointer within it, a code, and what would do.
    pub fn check(&self, now: Instant) -> Result<(), (&'static str, &'static str, &'static str)> {
        if self.as_of > now.plus_seconds(300) {
            return Err(("/as_of", "as_of_in_future", "at most five minutes ahead of now"));
        }
        if self.external_id.is_some() == self.account_id.is_some() {
            return Err(("/external_id", "ambiguous_key", "exactly one of external_id and account_id"));
        }
        if self.source_revision.as_deref().is_some_and(|r| Revision::parse(r).is_none()) {
            return Err(("/source_revision", "invalid_format", "a whole number in digits, such as 88123"));
        }
        if !self.included_orders.is_empty() && !self.names_exposure() {
            return Err(("/included_orders", "nothing_named", "the open_orders or unbilled_deliveries that include them"));
        }
        if !self.names_exposure() && !self.names_limit() {
            return Err((
                "",
                "nothing_named",
                "at least one of receivable, overdue, unbilled_deliveries, open_orders, credit_limit, on_hold",
            ));
        }
        match &self.credit_limit {
            Some(l) if (l.kind == LimitKind::Limited) != l.amount.is_some() => {
                Err(("/credit_limit/amount", "ambiguous_limit", "an amount with `limited` and only then"))
            }
            _ => Ok(()),
        }
    }

    fn exposure(&self) -> Option<Told<Exposure>> {
        let o = self.overdue.clone().unwrap_or_default();
        let part = Option::unwrap_or_default;
        let says = exposure(
            [part(self.receivable), part(self.unbilled_deliveries), part(self.open_orders)],
            [o.days_1_30, o.days_31_60, o.days_61_90, o.days_over_90],
            self.included(),
        );
        self.names_exposure().then(|| Told::new(self.as_of, self.source_revision.as_ref(), says))
    }

    /// The orders named as included, each once, in one order.
    fn included(&self) -> Vec<String> {
        let mut names = self.included_orders.clone();
        names.sort();
        names.dedup();
        names
    }

    fn limit(&self) -> Option<Told<Limit>> {
        let says = Limit {
            on_hold: self.on_hold.unwrap_or_default(),
            kind: Reverse(self.credit_limit.as_ref().map_or(LimitKind::NotManaged, |l| l.kind)),
            amount: Reverse(self.credit_limit.as_ref().and_then(|l| l.amount).map(|p| Amount(p.0))),
        };
        self.names_limit().then(|| Told::new(self.as_of, self.source_revision.as_ref(), says))
    }

    /// Of pushes about one customer, the few that decide: of each group the greatest, and the least of its moment.
    /// Taking these ends as taking all of them would, and they are the same few in whatever order the pushes came.
    #[must_use]
    pub fn deciding(mut items: Vec<Self>) -> Vec<Self> {
        items.sort_by_cached_key(|item| serde_json::to_string(item).unwrap_or_default());
        items.dedup();
        let kept = [extremes(&items, Self::exposure), extremes(&items, Self::limit)].concat();
        items.into_iter().enumerate().filter(|(n, _)| kept.contains(n)).map(|(_, item)| item).collect()
    }
}

/// The places of the greatest of a group, and of the least of its moment.
fn extremes<T: Ord>(items: &[CreditItem], group: fn(&CreditItem) -> Option<Told<T>>) -> Vec<usize> {
    let told: Vec<(Told<T>, usize)> = items.iter().enumerate().filter_map(|(n, item)| group(item).map(|t| (t, n))).collect();
    let greatest = told.iter().max();
    let least = greatest.and_then(|(g, _)| told.iter().filter(|(t, _)| t.is_of_one_moment_with(g)).min());
    greatest.into_iter().chain(least).map(|(_, n)| *n).collect()
}

fn exposure(parts: [Amount; 3], overdue: [Amount; 4], included: Vec<String>) -> Exposure {
    Exposure { total: parts.into_iter().fold(Amount(0), Amount::plus), parts, overdue, included: Reverse(included) }
}

/// Takes as much of an amount as there is, nothing of one below zero: what is left, and what was taken.
fn taken_out(of: Amount, wanted: Amount) -> (Amount, Amount) {
    let taken = wanted.min(of).max(Amount(0));
    (of.minus(taken), taken)
}

impl CreditBalance {
    /// A balance nothing is known of yet.
    #[must_use]
    pub const fn unknown(account_id: AccountId, system: String, entity: String, currency: String, received_at: Instant) -> Self {
        Self {
            account_id,
            system,
            entity,
            currency,
            exposure_as_of: None,
            exposure_revision: None,
            receivable: None,
            overdue_days_1_30: None,
            overdue_days_31_60: None,
            overdue_days_61_90: None,
            overdue_days_over_90: None,
            unbilled_deliveries: None,
            open_orders: None,
            included_orders: vec![],
            included_open_orders: None,
            included_unbilled_deliveries: None,
            limit_as_of: None,
            limit_revision: None,
            limit_kind: None,
            limit_amount: None,
            on_hold: None,
            status: BalanceStatus::Current,
            exposure_has_conflict: false,
            limit_has_conflict: false,
            has_conflict: false,
            received_at,
        }
    }

    /// Takes a push. Each group is replaced only by one with a greater stamp; with equal stamps the more prudent stays. `included` is what
    /// was open at that moment of the orders that the push names as included.
    pub fn take(&mut self, item: &CreditItem, included: Amount, now: Instant) -> Outcome {
        let mut outcomes = vec![];
        if let Some(pushed) = item.exposure() {
            let outcome = decide(self.exposure().as_ref(), &pushed, &mut self.exposure_has_conflict);
            if outcome == Outcome::Applied {
                self.exposure_as_of = Some(pushed.as_of);
                self.exposure_revision = pushed.revision;
                let [receivable, unbilled_deliveries, open_orders] = pushed.says.parts;
                let (open_orders, of_orders) = taken_out(open_orders, included);
                let (unbilled_deliveries, of_deliveries) = taken_out(unbilled_deliveries, included.minus(of_orders));
                [self.receivable, self.unbilled_deliveries, self.open_orders] = [receivable, unbilled_deliveries, open_orders].map(Some);
                self.included_orders = pushed.says.included.0;
                let is_named = !self.included_orders.is_empty();
                self.included_open_orders = is_named.then_some(of_orders);
                self.included_unbilled_deliveries = is_named.then_some(of_deliveries);
                [self.overdue_days_1_30, self.overdue_days_31_60, self.overdue_days_61_90, self.overdue_days_over_90] =
                    pushed.says.overdue.map(Some);
            }
            outcomes.push(outcome);
        }
        if let Some(pushed) = item.limit() {
            let outcome = decide(self.limit().as_ref(), &pushed, &mut self.limit_has_conflict);
            if outcome == Outcome::Applied {
                self.limit_as_of = Some(pushed.as_of);
                self.limit_revision = pushed.revision;
                self.limit_kind = Some(pushed.says.kind.0);
                self.limit_amount = pushed.says.amount.0;
                self.on_hold = Some(pushed.says.on_hold);
            }
            outcomes.push(outcome);
        }
        self.has_conflict = self.exposure_has_conflict || self.limit_has_conflict;
        let outcome = outcomes.into_iter().max().unwrap_or(Outcome::Unchanged);
        if outcome == Outcome::Applied {
            self.status = BalanceStatus::Current;
            self.received_at = now;
        }
        outcome
    }

    fn exposure(&self) -> Option<Told<Exposure>> {
        let part = Option::unwrap_or_default;
        let mut says = self.exposed();
        let [receivable, unbilled_deliveries, open_orders] = says.parts;
        // As it was sent: what was taken out is put back.
        let sent = [
            receivable,
            unbilled_deliveries.plus(part(self.included_unbilled_deliveries)),
            open_orders.plus(part(self.included_open_orders)),
        ];
        says = exposure(sent, says.overdue, self.included_orders.clone());
        self.exposure_as_of.map(|as_of| Told::new(as_of, self.exposure_revision.as_ref(), says))
    }

    fn exposed(&self) -> Exposure {
        let part = Option::unwrap_or_default;
        exposure(
            [part(self.receivable), part(self.unbilled_deliveries), part(self.open_orders)],
            [part(self.overdue_days_1_30), part(self.overdue_days_31_60), part(self.overdue_days_61_90), part(self.overdue_days_over_90)],
            vec![],
        )
    }

    /// Why a push is stale: the moment and the revision of what is known.
    #[must_use]
    pub fn newer_than(&self, item: &CreditItem) -> String {
        let (as_of, revision) = match item.names_exposure() {
            true => (self.exposure_as_of, &self.exposure_revision),
            false => (self.limit_as_of, &self.limit_revision),
        };
        let as_of = as_of.map(|at| at.to_string()).unwrap_or_default();
        revision.as_ref().map_or_else(|| format!("as of {as_of}"), |revision| format!("as of {as_of}, revision {revision}"))
    }

    fn limit(&self) -> Option<Told<Limit>> {
        let says = Limit {
            on_hold: self.on_hold.unwrap_or_default(),
            kind: Reverse(self.limit_kind.unwrap_or(LimitKind::NotManaged)),
            amount: Reverse(self.limit_amount),
        };
        self.limit_as_of.map(|as_of| Told::new(as_of, self.limit_revision.as_ref(), says))
    }

    /// What counts against the limit: receivable, unbilled deliveries and open orders.
    #[must_use]
    pub fn exposure_total(&self) -> Amount {
        self.exposed().total
    }

    /// What is overdue, of any age.
    #[must_use]
    pub fn overdue_total(&self) -> Amount {
        self.exposed().overdue.into_iter().fold(Amount(0), Amount::plus)
    }
}

/// What a pushed group comes to beside the held one. Whether it is contradicted is marked whichever of the two came first.
fn decide<T: Ord>(held: Option<&Told<T>>, pushed: &Told<T>, has_conflict: &mut bool) -> Outcome {
    let Some(held) = held else { return Outcome::Applied };
    let contradicts = pushed.contradicts(held);
    *has_conflict |= contradicts;
    match pushed.cmp(held) {
        Ordering::Greater => {
            *has_conflict &= pushed.is_of_one_moment_with(held);
            Outcome::Applied
        }
        Ordering::Less if contradicts => Outcome::Conflicting,
        Ordering::Less if !pushed.is_of_one_moment_with(held) => Outcome::Stale,
        Ordering::Less | Ordering::Equal => Outcome::Unchanged,
    }
}

impl Resource for CreditBalance {
    const MANY: &'static str = "credit_balances";
    const ONE: &'static str = "credit_balance";
    const ABOUT: &'static str = "What accounting last said each customer owes and may owe. Written by pushes only.";
    const PERSON: &'static [&'static str] = &["account_id"];
    const EVENTS: &'static [&'static str] = &["credit_balance.missing"];
    const FILTERS: &'static [&'static str] = &["account_id", "system", "status", "has_conflict", "receivable"];
    const TITLE: &'static str = "entity";
    const PARENTS: &'static [&'static str] = &["account_id"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["account_id", "system", "entity", "currency"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("system", "external_systems.code", OnDelete::Refuse)];
    const FINANCIAL: &'static [&'static str] = &[
        "receivable",
        "overdue_days_1_30",
        "overdue_days_31_60",
        "overdue_days_61_90",
        "overdue_days_over_90",
        "unbilled_deliveries",
        "open_orders",
        "included_open_orders",
        "included_unbilled_deliveries",
        "limit_amount",
    ];
    const EXTENSIBLE: bool = false;

    fn example() -> Value {
        json!({
            "account_id": example::id("accounts"),
            "system": example::SYSTEM,
            "entity": "TH01",
            "currency": "THB",
            "exposure_as_of": example::MOMENT,
            "exposure_revision": "88123",
            "receivable": "125000.00",
            "overdue_days_1_30": "5000.00",
            "open_orders": "20000.00",
            "limit_as_of": example::MOMENT,
            "limit_kind": "limited",
            "limit_amount": "200000.00",
            "on_hold": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn balance() -> CreditBalance {
        let zero = Instant::parse("2026-01-01T00:00:00Z").unwrap_or_else(|_| unreachable!());
        CreditBalance::unknown(AccountId(uuid::Uuid::nil()), "s".into(), "e".into(), "THB".into(), zero)
    }

    fn items() -> impl Strategy<Value = Vec<CreditItem>> {
        let amount = || proptest::option::of((0..3_i64).prop_map(Amount));
        let limit = proptest::option::of(prop_oneof![
            Just(CreditLimit { kind: LimitKind::Unlimited, amount: None }),
            Just(CreditLimit { kind: LimitKind::NotManaged, amount: None }),
            (0..3_i64).prop_map(|n| CreditLimit { kind: LimitKind::Limited, amount: Some(Price(n)) }),
        ]);
        let revision =
            proptest::option::of(prop_oneof![Just("1"), Just("2"), Just("02"), Just("99999999999999999999"), Just("a"), Just("b")]);
        let included = proptest::collection::vec(prop_oneof![Just("SO-1"), Just("SO-2")], 0..3);
        let item = (0..3_i64, revision, amount(), amount(), limit, proptest::option::of(any::<bool>()), included).prop_map(
            |(minute, revision, receivable, open_orders, credit_limit, on_hold, included)| CreditItem {
                external_id: None,
                account_id: Some(AccountId(uuid::Uuid::nil())),
                as_of: balance().received_at.plus_seconds(minute * 60),
                source_revision: revision.map(str::to_owned),
                receivable,
                overdue: None,
                unbilled_deliveries: None,
                open_orders,
                included_orders: included.into_iter().map(str::to_owned).collect(),
                credit_limit,
                on_hold,
            },
        );
        let item = item.prop_filter("names a group", |i| i.names_exposure() || i.names_limit());
        proptest::collection::vec(item, 1..8)
    }

    /// What is open of the orders an item includes: of SO-1 one, of SO-2 nothing.
    fn open_of(item: &CreditItem) -> Amount {
        Amount(i64::from(item.included_orders.iter().any(|name| name == "SO-1")))
    }

    #[test]
    fn included_orders_are_taken_out_of_open_orders_then_of_deliveries_and_never_beyond() {
        let mut balance = balance();
        let item = CreditItem {
            unbilled_deliveries: Some(Amount(40)),
            open_orders: Some(Amount(100)),
            included_orders: vec!["SO-1".into()],
            ..CreditItem::deserialize(json!({"as_of": "2026-01-02T00:00:00Z", "receivable": "1"})).unwrap()
        };
        for (open, left) in [(0, (100, 40)), (30, (70, 40)), (120, (0, 20)), (500, (0, 0))] {
            balance.exposure_as_of = None;
            assert_eq!(balance.take(&item, Amount(open), item.as_of), Outcome::Applied);
            assert_eq!((balance.open_orders, balance.unbilled_deliveries), (Some(Amount(left.0)), Some(Amount(left.1))), "{open}");
            assert_eq!(balance.take(&item, Amount(0), item.as_of), Outcome::Unchanged, "what is compared is what was sent");
        }
    }

    fn after(items: &[CreditItem]) -> CreditBalance {
        let mut balance = balance();
        for item in items {
            balance.take(item, open_of(item), item.as_of);
        }
        // When a push came in depends on the order, of course; nothing else may.
        CreditBalance { received_at: self::balance().received_at, ..balance }
    }

    proptest! {
        #[test]
        fn any_order_and_any_doubling_of_the_same_pushes_ends_in_the_same_balance((items, shuffled) in items().prop_flat_map(|v| {
            let doubled: Vec<CreditItem> = v.iter().chain(v.iter()).cloned().collect();
            (Just(v), Just(doubled).prop_shuffle())
        })) {
            prop_assert_eq!(after(&items), after(&shuffled));
        }

        #[test]
        fn the_pushes_that_decide_are_the_same_in_any_order_and_end_as_all_would((items, shuffled) in items().prop_flat_map(|v| {
            let doubled: Vec<CreditItem> = v.iter().chain(v.iter()).cloned().collect();
            (Just(v), Just(doubled).prop_shuffle())
        })) {
            let kept = |items: &[CreditItem]| {
                items.iter().fold(vec![], |kept, item| CreditItem::deciding([kept, vec![item.clone()]].concat()))
            };
            prop_assert!(kept(&items).len() <= 4);
            prop_assert_eq!(kept(&shuffled), kept(&items));
            prop_assert_eq!(after(&kept(&items)), after(&items));
        }

        #[test]
        fn a_push_said_twice_is_unchanged_the_second_time(items in items()) {
            let mut balance = balance();
            for item in &items {
                if balance.take(item, open_of(item), item.as_of) == Outcome::Applied {
                    let before = balance.clone();
                    prop_assert_ne!(balance.take(item, open_of(item), item.as_of), Outcome::Applied);
                    prop_assert_eq!(&balance, &before);
                }
            }
        }
    }
}
