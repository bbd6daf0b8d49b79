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
    credit::check::{Decided, Keep, Question, capture_for, decide, keep, stand_in_line},
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
    caller::Sight,
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

/// Promises an order as it is to be, or holds it. `after` has everything but what follows from the checks.
pub async fn promise(
    work: &Work,
    before: &Stored<Order>,
    mut after: Stored<Order>,
    doing: Doing,
    reason: Option<String>,
) -> Result<Stored<Order>> {
    let id = before.id();
    let source = Source { resource: Order::MANY.to_owned(), id };
    // Whoever deletes or blocks the customer stands in the same line.
    stand_in_line(work, after.data.account_id.0).await?;
    let account = stored::one_with::<Account>(work, "id", Scalar::Id(after.data.account_id.0)).await?;
    let account = account.ok_or_else(|| Error::from(Code::InUse).about("the customer was deleted"))?;
    let promised = of_promise(work, &after.data).await?;
    let mut holds = hold::open(work, id).await?;
    if holds.iter().any(|h| h.data.kind == HoldKind::Manual) {
        // Somebody's hold comes first: what else is in the way is asked when it is let go.
        after.data.status = OrderStatus::OnHold;
        after.data.follow_up();
        return stored::save(work, before, after, "held", reason).await;
    }
    let asked = asked_amount(&before.data, &after.data);
    if asked.0 > 0 || before.data.committed_amount == Amount(0) {
        account.data.check_not_blocked()?;
    }
    let mut obstacles = vec![];
    let is_of_promise = promised.is_some();
    if !is_of_promise {
        obstacles.extend(prices(work, &after.data, &account).await?);
    }
    obstacles.extend(approval(work, &after.data, is_of_promise));
    // What the promise held is there; nothing new is asked.
    let decided = match promised {
        Some(promised) if takes_credit(work, id, &mut after.data, &promised.data).await? => None,
        _ => {
            give_back_promised(work, &after.data).await?;
            Some(ask_credit(work, &mut after.data, asked, doing.checkpoint).await?)
        }
    };
    if let Some(decided) = decided.as_ref().filter(|d| d.verdict.decision > CreditAction::Warn) {
        obstacles.push(credit_obstacle(decided, asked));
    }
    let waived = |kind: HoldKind| after.data.waived_holds.contains(&kind);
    obstacles.retain(|o| !waived(o.kind));
    let may_lack = waived(HoldKind::Stock);
    // What a promise put aside is the order's from now on, or nobody's.
    let takes_over = after.data.promise_id.is_some() && after.data.committed_amount == Amount(0) && obstacles.is_empty();
    let lacking = if obstacles.is_empty() {
        if takes_over {
            goods::keep(work, &mut after.data.lines, &source).await?;
        }
        let hold = Hold { source, until: None };
        goods::reserve(work, &mut after.data.lines, after.data.warehouse_id, &hold, may_lack).await?
    } else {
        goods::lacking(work, &after.data.lines, after.data.warehouse_id).await?
    };
    if !lacking.is_empty() && !may_lack {
        obstacles.push(Obstacle::new(HoldKind::Stock, "insufficient_stock", lacking));
    }
    let free = obstacles.is_empty();
    let policy_releases = decided.as_ref().is_some_and(|d| d.policy.releases_holds);
    if let Some(decided) = decided {
        let (made, _) = keep(work, decided, if free { Keep::Captured(OrderId(id)) } else { Keep::Nothing }).await?;
        after.data.credit_check_id = Some(made.id());
    }
    if free {
        for open in holds {
            hold::settle(work, &open, HoldStatus::Resolved, "resolved", None).await?;
        }
        after.data.status = OrderStatus::Confirmed;
        after.data.mark_confirmed();
        after.data.commit();
        after.data.confirmed_at = after.data.confirmed_at.or(Some(work.now));
        after.data.follow_up();
        return stored::save(work, before, after, doing.what, reason).await;
    }
    if takes_over {
        goods::release(work, after.data.lines.iter_mut(), None).await?;
    }
    let lacking: Vec<&OrderLine> =
        obstacles.iter().filter(|o| o.kind == HoldKind::Stock).flat_map(|o| &o.line_ids).filter_map(|id| after.data.line(*id)).collect();
    let goods_release = hold::release_themselves(work, &lacking).await?;
    for obstacle in &obstacles {
        let draft = OrderHold {
            order_id: OrderId(id),
            account_id: after.data.account_id,
            kind: obstacle.kind,
            reasons: obstacle.reasons.clone(),
            line_ids: obstacle.line_ids.clone(),
            decision: (obstacle.kind == HoldKind::Credit).then_some(match after.data.credit_status {
                CreditStanding::Declined => CreditAction::Decline,
                _ => CreditAction::Hold,
            }),
            amount_over: obstacle.amount_over,
            credit_check_id: after.data.credit_check_id.filter(|_| obstacle.kind == HoldKind::Credit),
            releases_itself: match obstacle.kind {
                HoldKind::Credit => policy_releases,
                HoldKind::Stock => goods_release,
                _ => false,
            },
            note: None,
            escalated_to_id: None,
            status: HoldStatus::Open,
            checked_at: Some(work.now),
            settled_at: None,
        };
        let id = hold::put(work, &mut holds, draft).await?;
        if obstacle.kind == HoldKind::Stock {
            hold::wait_for(work, id, &lacking, after.data.warehouse_id).await?;
        }
    }
    for gone in holds {
        hold::settle(work, &gone, HoldStatus::Resolved, "resolved", None).await?;
    }
    after.data.status = OrderStatus::OnHold;
    after.data.follow_up();
    stored::save(work, before, after, "held", reason).await
}

/// The promise an order was made from, while it holds.
async fn of_promise(work: &Work, order: &Order) -> Result<Option<Stored<OrderPromise>>> {
    // Once promised, the order stands on its own feet.
    let Some(id) = order.promise_id.filter(|_| order.committed_amount == Amount(0)) else { return Ok(None) };
    let found = stored::one_with::<OrderPromise>(work, "id", Scalar::Id(id.0)).await?;
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
        // A price, a rate or a product that is gone is a reason to look at the order, not a fault of whoever confirms it.
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

/// Prices and discounts that were given, by somebody who may not let them pass. What was confirmed so stays so.
fn approval(work: &Work, order: &Order, of_promise: bool) -> Option<Obstacle> {
    if of_promise || work.caller.sight(SET_PRICE) != Sight::Nothing {
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

async fn ask_credit(work: &Work, order: &mut Order, amount: Amount, checkpoint: Checkpoint) -> Result<Decided> {
    let question = Question { account_id: order.account_id, amount, currency: order.currency.clone(), checkpoint, policy_id: None };
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

fn credit_obstacle(decided: &Decided, asked: Amount) -> Obstacle {
    let rule = |rule| serde_json::to_value(rule).ok().as_ref().and_then(Value::as_str).map(str::to_owned);
    Obstacle {
        kind: HoldKind::Credit,
        reasons: decided.verdict.findings.iter().filter_map(|f| rule(f.rule)).collect(),
        line_ids: vec![],
        amount_over: decided.available.map(|a| asked.minus(a)).filter(|over| over.0 > 0),
    }
}
