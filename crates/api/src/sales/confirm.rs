//! Confirming: price, approval, credit and stock, in one transaction. What stands in the way is kept as holds; nothing is promised
//! by halves.
//!
//! Everything that makes a promise or raises one comes through here: confirm, release, amend, reopen.

use super::{
    goods::{self, Hold},
    hold, pricing,
    promise::give_back_promised,
};
use crate::{
    credit::check::{Assessment, AuthorisationMode, CheckRequest, capture_for, decide, lock_group, record_check},
    stock::ledger::Source,
};
use samphan_domain::{
    customers::account::Account,
    id::OrderId,
    integration::credit_policy::{Checkpoint, CreditAction},
    sales::{
        order::{CreditStanding, Order, OrderStatus},
        order_hold::{HoldKind, HoldStatus, OrderHold},
        order_line::OrderLine,
        order_promise::OrderPromise,
    },
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    caller::Visibility,
    error::{Code, Error, Result},
    money::Amount,
    resource::Resource,
    scalar::Scalar,
};
use serde_json::Value;
use uuid::Uuid;

/// The right to sell at prices that are not the price book's, and to let them pass.
pub const SET_PRICE: &str = "orders:set-price";

/// What is being done to an order.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    /// The moment of the sale, by which credit policies differ.
    pub checkpoint: Checkpoint,
    /// The order's event when nothing stands in the way.
    pub what: &'static str,
}

/// Something that stands in the way.
struct Obstacle {
    kind: HoldKind,
    reasons: Vec<String>,
    line_ids: Vec<Uuid>,
    amount_over: Option<Amount>,
}

impl Obstacle {
    fn new(kind: HoldKind, reason: &str, line_ids: Vec<Uuid>) -> Self {
        Self { kind, reasons: vec![reason.to_owned()], line_ids, amount_over: None }
    }
}

/// Commits an order as it is to be, or puts it on hold. `after` has everything but what follows from the checks.
pub async fn commit_or_hold(
    work: &Work,
    before: &Stored<Order>,
    after: Stored<Order>,
    doing: Doing,
    reason: Option<String>,
) -> Result<Stored<Order>> {
    let mut commitment = Commitment::begin(work, before, after).await?;
    if commitment.is_held_by_hand() {
        // A hold placed by a user comes first: other obstacles are checked when it is released.
        return commitment.save_on_hold(reason).await;
    }
    commitment.check_customer()?;
    commitment.check_prices().await?;
    commitment.check_approval();
    let credit = commitment.check_credit(doing.checkpoint).await?;
    commitment.waive_obstacles();
    commitment.check_stock().await?;
    if let Some(credit) = credit {
        commitment.keep_credit(credit).await?;
    }
    if commitment.obstacles.is_empty() { commitment.commit(doing.what, reason).await } else { commitment.hold(reason).await }
}

/// An order on its way to be committed, and what is known of it.
struct Commitment<'a> {
    work: &'a Work,
    before: &'a Stored<Order>,
    after: Stored<Order>,
    account: Stored<Account>,
    /// The promise it was made from, while that holds.
    promised: Option<Stored<OrderPromise>>,
    /// Its open holds.
    holds: Vec<Stored<OrderHold>>,
    /// What it adds to what is counted against the customer's credit.
    asked: Amount,
    /// The reasons why it cannot be committed.
    obstacles: Vec<Obstacle>,
    /// Whether what a promise put aside is the order's from now on.
    takes_over: bool,
    /// Whether the credit policy lets a hold go by itself.
    policy_releases: bool,
}

impl<'a> Commitment<'a> {
    async fn begin(work: &'a Work, before: &'a Stored<Order>, after: Stored<Order>) -> Result<Self> {
        // Deleting or blocking the customer takes the same lock.
        lock_group(work, after.data.account_id.0).await?;
        let account = stored::find_one_by::<Account>(work, "id", Scalar::Id(after.data.account_id.0)).await?;
        let account = account.ok_or_else(|| Error::from(Code::InUse).with_detail("the customer was deleted"))?;
        let promised = of_promise(work, &after.data).await?;
        let holds = hold::open(work, before.id()).await?;
        let asked = asked_amount(&before.data, &after.data);
        Ok(Self { work, before, after, account, promised, holds, asked, obstacles: vec![], takes_over: false, policy_releases: false })
    }

    fn is_held_by_hand(&self) -> bool {
        self.holds.iter().any(|h| h.data.kind == HoldKind::Manual)
    }

    fn is_waived(&self, kind: HoldKind) -> bool {
        self.after.data.waived_holds.contains(&kind)
    }

    /// Refuses a blocked customer more than was promised already.
    fn check_customer(&self) -> Result<()> {
        if self.asked.0 > 0 || self.before.data.committed_amount == Amount(0) { self.account.data.check_not_blocked() } else { Ok(()) }
    }

    async fn check_prices(&mut self) -> Result<()> {
        if self.promised.is_none() {
            self.obstacles.extend(prices(self.work, &self.after.data, &self.account).await?);
        }
        Ok(())
    }

    fn check_approval(&mut self) {
        self.obstacles.extend(approval(self.work, &self.after.data, self.promised.is_some()));
    }

    /// Takes over the credit that the promise held, or asks for it; answers what was decided then.
    async fn check_credit(&mut self, checkpoint: Checkpoint) -> Result<Option<Assessment>> {
        let (work, order) = (self.work, &mut self.after.data);
        // What the promise held is there; nothing new is asked.
        if let Some(promised) = &self.promised
            && takes_credit(work, self.before.id(), order, &promised.data).await?
        {
            return Ok(None);
        }
        give_back_promised(work, order).await?;
        let decided = ask_credit(work, order, self.asked, checkpoint).await?;
        if decided.verdict.decision > CreditAction::Warn {
            self.obstacles.push(credit_obstacle(&decided, self.asked));
        }
        self.policy_releases = decided.policy.releases_holds;
        Ok(Some(decided))
    }

    /// Drops the obstacles that were waived by users with the permission to do so.
    fn waive_obstacles(&mut self) {
        let waived = self.after.data.waived_holds.clone();
        self.obstacles.retain(|obstacle| !waived.contains(&obstacle.kind));
    }

    /// Reserves the goods; where there are other obstacles already, only finds which are lacking.
    async fn check_stock(&mut self) -> Result<()> {
        let may_lack = self.is_waived(HoldKind::Stock);
        let is_free = self.obstacles.is_empty();
        let (work, order) = (self.work, &mut self.after.data);
        self.takes_over = order.promise_id.is_some() && order.committed_amount == Amount(0) && is_free;
        let lacking = if is_free {
            let source = Source { resource: Order::PLURAL.to_owned(), id: self.before.id() };
            if self.takes_over {
                goods::keep(work, &mut order.lines, &source).await?;
            }
            goods::reserve(work, &mut order.lines, order.warehouse_id, &Hold { source, until: None }, may_lack).await?
        } else {
            goods::lacking(work, &order.lines, order.warehouse_id).await?
        };
        if !lacking.is_empty() && !may_lack {
            self.obstacles.push(Obstacle::new(HoldKind::Stock, "insufficient_stock", lacking));
        }
        Ok(())
    }

    /// Saves the credit decision, and captures the credit for the order where there are no obstacles.
    async fn keep_credit(&mut self, decided: Assessment) -> Result<()> {
        let kept =
            if self.obstacles.is_empty() { AuthorisationMode::Captured(OrderId(self.before.id())) } else { AuthorisationMode::Nothing };
        let (made, _) = record_check(self.work, decided, kept).await?;
        self.after.data.credit_check_id = Some(made.id());
        Ok(())
    }

    /// Commits the order; all its holds are resolved.
    async fn commit(mut self, event: &'static str, reason: Option<String>) -> Result<Stored<Order>> {
        self.resolve_holds().await?;
        let order = &mut self.after.data;
        order.status = OrderStatus::Confirmed;
        order.mark_confirmed();
        order.commit();
        order.confirmed_at = order.confirmed_at.or(Some(self.work.now));
        order.follow_up();
        stored::save(self.work, self.before, self.after, event, reason).await
    }

    /// Puts the order on hold: a hold for each obstacle; those of obstacles that are gone are resolved.
    async fn hold(mut self, reason: Option<String>) -> Result<Stored<Order>> {
        if self.takes_over {
            goods::release(self.work, self.after.data.lines.iter_mut(), None).await?;
        }
        let of_stock = self.obstacles.iter().filter(|o| o.kind == HoldKind::Stock).flat_map(|o| &o.line_ids);
        let lacking: Vec<&OrderLine> = of_stock.filter_map(|id| self.after.data.line(*id)).collect();
        let goods_release = hold::release_themselves(self.work, &lacking).await?;
        for obstacle in &self.obstacles {
            let draft = self.hold_for(obstacle, goods_release);
            let id = hold::put(self.work, &mut self.holds, draft).await?;
            if obstacle.kind == HoldKind::Stock {
                hold::wait_for(self.work, id, &lacking, self.after.data.warehouse_id).await?;
            }
        }
        self.resolve_holds().await?;
        self.save_on_hold(reason).await
    }

    fn hold_for(&self, obstacle: &Obstacle, goods_release: bool) -> OrderHold {
        let order = &self.after.data;
        let is_credit = obstacle.kind == HoldKind::Credit;
        let decision = if order.credit_status == CreditStanding::Declined { CreditAction::Decline } else { CreditAction::Hold };
        OrderHold {
            order_id: OrderId(self.before.id()),
            account_id: order.account_id,
            kind: obstacle.kind,
            reasons: obstacle.reasons.clone(),
            line_ids: obstacle.line_ids.clone(),
            decision: is_credit.then_some(decision),
            amount_over: obstacle.amount_over,
            credit_check_id: order.credit_check_id.filter(|_| is_credit),
            releases_itself: match obstacle.kind {
                HoldKind::Credit => self.policy_releases,
                HoldKind::Stock => goods_release,
                _ => false,
            },
            note: None,
            escalated_to_id: None,
            status: HoldStatus::Open,
            checked_at: Some(self.work.now),
            settled_at: None,
        }
    }

    /// Resolves the holds that are left.
    async fn resolve_holds(&mut self) -> Result<()> {
        for hold in std::mem::take(&mut self.holds) {
            hold::settle(self.work, &hold, HoldStatus::Resolved, "resolved", None).await?;
        }
        Ok(())
    }

    async fn save_on_hold(mut self, reason: Option<String>) -> Result<Stored<Order>> {
        self.after.data.status = OrderStatus::OnHold;
        self.after.data.follow_up();
        stored::save(self.work, self.before, self.after, "held", reason).await
    }
}

/// The promise an order was made from, while it holds.
async fn of_promise(work: &Work, order: &Order) -> Result<Option<Stored<OrderPromise>>> {
    // Once promised, the order stands on its own feet.
    let Some(id) = order.promise_id.filter(|_| order.committed_amount == Amount(0)) else { return Ok(None) };
    let found = stored::find_one_by::<OrderPromise>(work, "id", Scalar::Id(id.0)).await?;
    // An order that was amended before it was confirmed is not what was promised.
    let same = |p: &OrderPromise| p.lines.iter().map(OrderLine::asked).eq(order.lines.iter().map(OrderLine::asked));
    Ok(found.filter(|p| p.data.expires_at.is_some_and(|at| at > work.now) && same(&p.data)))
}

/// Has an order take over the credit its promise held, while that holds; says whether it did.
async fn takes_credit(work: &Work, id: Uuid, order: &mut Order, promise: &OrderPromise) -> Result<bool> {
    let Some(check) = promise.credit_check_id else { return Ok(false) };
    if !capture_for(work, order.account_id, check, OrderId(id), order.total_amount).await? {
        return Ok(false);
    }
    order.credit_check_id = Some(check);
    order.credit_status = match promise.credit_decision {
        Some(CreditAction::Warn) => CreditStanding::Warned,
        _ => CreditStanding::Approved,
    };
    Ok(true)
}

/// What the price book says today, against what the order says. The price of what is confirmed was settled then.
async fn prices(work: &Work, order: &Order, account: &Stored<Account>) -> Result<Option<Obstacle>> {
    let is_open = |l: &OrderLine| !l.is_confirmed && !l.is_rendered();
    if !order.lines.iter().any(is_open) {
        return Ok(None);
    }
    let mut today = order.clone();
    today.ordered_on = pricing::day_of_sale(work, order).await?;
    let priced = match pricing::price(work, &mut today, account, Some(order)).await {
        Ok(priced) => priced,
        // A price, a rate or a product that is gone is a reason to look at the order, not an error of the caller that confirms it.
        Err(Error { code: Code::ValidationFailed | Code::UnknownReference, .. }) => {
            return Ok(Some(Obstacle::new(HoldKind::Price, "no_price", vec![])));
        }
        Err(other) => return Err(other),
    };
    let lines = order.lines.iter().zip(&today.lines).zip(priced.book_prices).filter(|((line, _), _)| is_open(line));
    let changed = lines.filter(|((line, now), book)| (!line.is_price_manual && line.unit_price != *book) || line.tax_rate != now.tax_rate);
    let mut ids: Vec<Uuid> = changed.filter_map(|((line, _), _)| line.id).collect();
    if ids.is_empty() && today.tax_amount != order.tax_amount {
        ids = order.lines.iter().filter_map(|l| l.id).collect();
    }
    Ok(if ids.is_empty() { None } else { Some(Obstacle::new(HoldKind::Price, "price_changed", ids)) })
}

/// Prices and discounts that were given by a caller without the permission to approve them. What was confirmed so stays so.
fn approval(work: &Work, order: &Order, of_promise: bool) -> Option<Obstacle> {
    if of_promise || work.caller.visibility(SET_PRICE) != Visibility::None {
        return None;
    }
    let given = |l: &&OrderLine| !l.is_confirmed && (l.is_price_manual || l.discount_percent.is_some_and(|d| d.0 > 0));
    let ids: Vec<Uuid> = order.lines.iter().filter(given).filter_map(|l| l.id).collect();
    if ids.is_empty() { None } else { Some(Obstacle::new(HoldKind::Approval, "price_manual", ids)) }
}

/// What an order adds to what is counted already: what is invoiced of it counts as owed, what was promised of it as open.
fn asked_amount(before: &Order, after: &Order) -> Amount {
    after.open_amount_when_confirmed().minus(before.open_amount)
}

async fn ask_credit(work: &Work, order: &mut Order, amount: Amount, checkpoint: Checkpoint) -> Result<Assessment> {
    let question = CheckRequest { account_id: order.account_id, amount, currency: order.currency.clone(), checkpoint, policy_id: None };
    let decided = decide(work, question).await?;
    order.credit_status = match decided.verdict.decision {
        CreditAction::Allow => CreditStanding::Approved,
        CreditAction::Warn => CreditStanding::Warned,
        _ if order.waived_holds.contains(&HoldKind::Credit) => CreditStanding::Released,
        CreditAction::Hold => CreditStanding::Held,
        CreditAction::Decline => CreditStanding::Declined,
    };
    Ok(decided)
}

fn credit_obstacle(decided: &Assessment, asked: Amount) -> Obstacle {
    let rule = |rule| serde_json::to_value(rule).ok().as_ref().and_then(Value::as_str).map(str::to_owned);
    Obstacle {
        kind: HoldKind::Credit,
        reasons: decided.verdict.findings.iter().filter_map(|f| rule(f.rule)).collect(),
        line_ids: vec![],
        amount_over: decided.available.map(|a| asked.minus(a)).filter(|over| over.0 > 0),
    }
}
