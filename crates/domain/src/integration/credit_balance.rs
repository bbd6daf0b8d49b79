//! A credit balance: what accounting last said a customer owes and may owe.
//!
//! A push is an absolute snapshot of the groups it names: the exposure group (receivable, overdue, unbilled
//! deliveries, open orders) and the limit group (credit limit, hold). Each group keeps its own stamp, and the
//! greater stamp wins whatever the order of arrival: any order, doubling and batching of the same pushes ends in
//! the same rows. What is pushed is a `CreditItem`; how two stamps compare is `credit_group`.

use super::{
    credit_group::{Exposure, Limit, Stamped},
    credit_item::CreditItem,
};
use crate::id::AccountId;
use samphan_resource::{example, money::Amount, reference::OnDelete, resource::Resource, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::cmp::{Ordering, Reverse};
use utoipa::ToSchema;
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
    /// When the exposure was true; null until a system has pushed it.
    pub exposure_as_of: Option<Timestamp>,
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
    /// When the limit was true; null until a system has pushed it.
    pub limit_as_of: Option<Timestamp>,
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
    pub received_at: Timestamp,
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

/// Takes as much of an amount as there is, nothing of one below zero: what is left, and what was taken.
fn taken_out(of: Amount, wanted: Amount) -> (Amount, Amount) {
    let taken = wanted.min(of).max(Amount(0));
    (of.minus(taken), taken)
}

impl CreditBalance {
    /// A balance nothing is known of yet.
    #[must_use]
    pub const fn unknown(account_id: AccountId, system: String, entity: String, currency: String, received_at: Timestamp) -> Self {
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
    pub fn take(&mut self, item: &CreditItem, included: Amount, now: Timestamp) -> Outcome {
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

    fn exposure(&self) -> Option<Stamped<Exposure>> {
        let part = Option::unwrap_or_default;
        let mut says = self.exposed();
        let [receivable, unbilled_deliveries, open_orders] = says.parts;
        // As it was sent: what was taken out is put back.
        let sent = [
            receivable,
            unbilled_deliveries.plus(part(self.included_unbilled_deliveries)),
            open_orders.plus(part(self.included_open_orders)),
        ];
        says = Exposure::new(sent, says.overdue, self.included_orders.clone());
        self.exposure_as_of.map(|as_of| Stamped::new(as_of, self.exposure_revision.as_ref(), says))
    }

    fn exposed(&self) -> Exposure {
        let part = Option::unwrap_or_default;
        Exposure::new(
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

    fn limit(&self) -> Option<Stamped<Limit>> {
        let says = Limit {
            on_hold: self.on_hold.unwrap_or_default(),
            kind: Reverse(self.limit_kind.unwrap_or(LimitKind::NotManaged)),
            amount: Reverse(self.limit_amount),
        };
        self.limit_as_of.map(|as_of| Stamped::new(as_of, self.limit_revision.as_ref(), says))
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
fn decide<T: Ord>(held: Option<&Stamped<T>>, pushed: &Stamped<T>, has_conflict: &mut bool) -> Outcome {
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
    const PLURAL: &'static str = "credit_balances";
    const SINGULAR: &'static str = "credit_balance";
    const DESCRIPTION: &'static str = "What accounting last said each customer owes and may owe. Written by pushes only.";
    const DATA_SUBJECT: &'static [&'static str] = &["account_id"];
    const EVENTS: &'static [&'static str] = &["credit_balance.missing"];
    const FILTERS: &'static [&'static str] = &["account_id", "system", "status", "has_conflict", "receivable"];
    const TITLE: &'static str = "entity";
    const PARENTS: &'static [&'static str] = &["account_id"];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["account_id", "system", "entity", "currency"]];
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[("system", "external_systems.code", OnDelete::Refuse)];
    const FINANCIAL_FIELDS: &'static [&'static str] = &[
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
mod tests;
