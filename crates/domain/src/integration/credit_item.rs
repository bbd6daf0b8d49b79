//! A push about one customer, as accounting sends it.

use super::{
    credit_balance::LimitKind,
    credit_group::{Exposure, Limit, Revision, Stamped},
};
use crate::id::AccountId;
use samphan_resource::{
    error::FieldCode,
    money::{Amount, Price},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use utoipa::ToSchema;

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
    pub as_of: Timestamp,
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
    pub fn check(&self, now: Timestamp) -> Result<(), (&'static str, FieldCode, &'static str)> {
        if self.as_of > now.plus_seconds(300) {
            return Err(("/as_of", FieldCode::AsOfInFuture, "at most five minutes ahead of now"));
        }
        if self.external_id.is_some() == self.account_id.is_some() {
            return Err(("/external_id", FieldCode::AmbiguousKey, "exactly one of external_id and account_id"));
        }
        if self.source_revision.as_deref().is_some_and(|r| Revision::parse(r).is_none()) {
            return Err(("/source_revision", FieldCode::InvalidFormat, "a whole number in digits, such as 88123"));
        }
        if !self.included_orders.is_empty() && !self.names_exposure() {
            return Err(("/included_orders", FieldCode::NothingNamed, "the open_orders or unbilled_deliveries that include them"));
        }
        if !self.names_exposure() && !self.names_limit() {
            return Err((
                "",
                FieldCode::NothingNamed,
                "at least one of receivable, overdue, unbilled_deliveries, open_orders, credit_limit, on_hold",
            ));
        }
        match &self.credit_limit {
            Some(l) if (l.kind == LimitKind::Limited) != l.amount.is_some() => {
                Err(("/credit_limit/amount", FieldCode::AmbiguousLimit, "an amount with `limited` and only then"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn exposure(&self) -> Option<Stamped<Exposure>> {
        let o = self.overdue.clone().unwrap_or_default();
        let part = Option::unwrap_or_default;
        let says = Exposure::new(
            [part(self.receivable), part(self.unbilled_deliveries), part(self.open_orders)],
            [o.days_1_30, o.days_31_60, o.days_61_90, o.days_over_90],
            self.included(),
        );
        self.names_exposure().then(|| Stamped::new(self.as_of, self.source_revision.as_ref(), says))
    }

    /// The orders named as included, each once, in one order.
    fn included(&self) -> Vec<String> {
        let mut names = self.included_orders.clone();
        names.sort();
        names.dedup();
        names
    }

    pub(super) fn limit(&self) -> Option<Stamped<Limit>> {
        let says = Limit {
            on_hold: self.on_hold.unwrap_or_default(),
            kind: Reverse(self.credit_limit.as_ref().map_or(LimitKind::NotManaged, |l| l.kind)),
            amount: Reverse(self.credit_limit.as_ref().and_then(|l| l.amount).map(|p| Amount(p.0))),
        };
        self.names_limit().then(|| Stamped::new(self.as_of, self.source_revision.as_ref(), says))
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
fn extremes<T: Ord>(items: &[CreditItem], group: fn(&CreditItem) -> Option<Stamped<T>>) -> Vec<usize> {
    let stamped: Vec<(Stamped<T>, usize)> = items.iter().enumerate().filter_map(|(n, item)| group(item).map(|t| (t, n))).collect();
    let greatest = stamped.iter().max();
    let least = greatest.and_then(|(g, _)| stamped.iter().filter(|(t, _)| t.is_of_one_moment_with(g)).min());
    greatest.into_iter().chain(least).map(|(_, n)| *n).collect()
}
