//! Holds: opened by the checks of a promise or by hand; released, rejected or escalated by callers with the permission.
//!
//! The order is always locked before its holds: actions on a hold lock its order first.

use super::confirm::{Doing, commit_or_hold};
use actix_web::http::Method;
use samphan_domain::{
    id::WarehouseId,
    integration::credit_policy::Checkpoint,
    sales::{
        order::{Order, OrderReason, OrderStatus},
        order_hold::{EscalateHold, HoldKind, HoldStatus, OrderHold},
        order_line::OrderLine,
    },
};
use samphan_persistence::{
    record::{expect_action, expect_version},
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    example,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde_json::json;
use uuid::Uuid;

/// The right to release holds of credit.
pub(super) const RELEASE_CREDIT: &str = "order-holds:release-credit";

/// Holds.
#[must_use]
pub fn routes() -> Collection<OrderHold> {
    let about = "409 `illegal_transition` when it is no longer open; see `available_actions` of the record.";
    let action = |operation: Operation, verb: &str| {
        operation.requires(format!("order-holds:{verb}")).also_requires("orders:release").responds(200, "OrderHold").etag().if_match(false)
    };
    Collection::new("orders")
        .operation("/{id}/release", |path| {
            let about = format!(
                "The order goes on when nothing else stands in its way: it is confirmed, or held for what is left. A hold of credit needs \
                 the permission `{RELEASE_CREDIT}` too. {about}"
            );
            action(Operation::write("releaseOrderHold", Method::POST, path, release_one), "release")
                .also_requires_when(RELEASE_CREDIT, "the hold is one of credit")
                .describe("orders", "Release an order hold", about)
                .example(Example::body(json!({"reason": "The buyer called."})).answers(json!({"status": "released"})))
                .body(Body { optional: true, ..Body::of("OrderReason") })
        })
        .operation("/{id}/reject", |path| {
            let about = format!("The order is cancelled, when nothing of it has left. {about}");
            action(Operation::write("rejectOrderHold", Method::POST, path, reject), "reject")
                .describe("orders", "Reject an order hold", about)
                .example(Example::body(json!({"reason": "Nobody answers."})).answers(json!({"status": "rejected"})))
                .body(Body { optional: true, ..Body::of("OrderReason") })
        })
        .operation("/{id}/escalate", |path| {
            action(Operation::write("escalateOrderHold", Method::POST, path, escalate), "escalate")
                .describe("orders", "Escalate an order hold", about)
                .example(
                    Example::body(json!({"to_user_id": example::id("users"), "note": "They know the buyer."}))
                        .answers(json!({"escalated_to_id": example::id("users")})),
                )
                .body(Body::of("EscalateHold"))
        })
        .schema::<OrderReason>()
        .schema::<EscalateHold>()
}

/// The open holds of an order, locked by its lock.
pub(super) async fn open(work: &Work, order: Uuid) -> Result<Vec<Stored<OrderHold>>> {
    let all = stored::find_by::<OrderHold>(work, "order_id", Scalar::Id(order)).await?;
    Ok(all.into_iter().filter(|h| h.data.status == HoldStatus::Open).collect())
}

/// Opens a hold, or brings the open one of its kind up to date and takes it out of `open`; answers its id.
pub(super) async fn put(work: &Work, open: &mut Vec<Stored<OrderHold>>, draft: OrderHold) -> Result<Uuid> {
    let Some(place) = open.iter().position(|h| h.data.kind == draft.kind) else {
        return Ok(stored::insert(work, Stored::draft(draft)).await?.id());
    };
    let before = open.swap_remove(place);
    let mut after = before.clone();
    after.data = OrderHold { note: before.data.note.clone(), escalated_to_id: before.data.escalated_to_id, ..draft };
    Ok(stored::save(work, &before, after, "checked", None).await?.id())
}

/// Notes what a hold waits for: the quantities of lines that there are not enough goods of, and where they have to be.
pub(super) async fn wait_for(work: &Work, hold: Uuid, lacking: &[&OrderLine], warehouse: Option<WarehouseId>) -> Result<()> {
    forget(work, hold).await?;
    let optional = |id: Option<WarehouseId>| id.map_or(Scalar::Null, |id| Scalar::Id(id.0));
    let row = |line: &&OrderLine| {
        let (id, product) = (line.id?, line.product_id?.0);
        let place = optional(line.warehouse_id.or(warehouse));
        Some(vec![Scalar::Id(hold), Scalar::Id(id), Scalar::Id(product), place, Scalar::Int(line.unallocated().0)])
    };
    let rows: Vec<Vec<Scalar>> = lacking.iter().filter_map(row).collect();
    let columns =
        [("hold_id", Kind::Id), ("line_id", Kind::Id), ("product_id", Kind::Id), ("warehouse_id", Kind::Id), ("quantity", Kind::Int)];
    if rows.is_empty() { Ok(()) } else { work.insert_unseen("order_hold_lines", &columns, rows).await }
}

/// Whether orders held for want of these products go on by themselves.
pub(super) async fn release_themselves(work: &Work, lacking: &[&OrderLine]) -> Result<bool> {
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM products WHERE releases_holds = ").bind(Kind::Bool, Scalar::Bool(false)).push(" AND id");
    sql.one_of_ids(lacking.iter().filter_map(|l| l.product_id).map(|id| id.0)).push(" LIMIT 1");
    Ok(work.count(sql).await? == 0)
}

async fn forget(work: &Work, hold: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("DELETE FROM order_hold_lines WHERE hold_id = ").id(hold);
    work.execute(sql).await.map(|_| ())
}

/// Ends a hold.
pub(super) async fn settle(
    work: &Work,
    hold: &Stored<OrderHold>,
    status: HoldStatus,
    what: &str,
    reason: Option<String>,
) -> Result<Stored<OrderHold>> {
    let mut after = hold.clone();
    after.data.status = status;
    after.data.settled_at = Some(work.now);
    if hold.data.kind == HoldKind::Stock {
        forget(work, hold.id()).await?;
    }
    if reason.is_some() {
        after.data.note.clone_from(&reason);
    }
    stored::save(work, hold, after, what, reason).await
}

/// Lets go of the open holds of an order that `which` chooses, and has the order go on.
pub(super) async fn release(
    work: &Work,
    order: Stored<Order>,
    which: impl Fn(&Stored<OrderHold>) -> bool,
    reason: Option<String>,
) -> Result<Stored<Order>> {
    let open = open(work, order.id()).await?;
    let mut after = order.clone();
    for hold in open.iter().filter(|h| which(h)) {
        if hold.data.kind == HoldKind::Credit {
            work.caller.require([RELEASE_CREDIT])?;
        }
        settle(work, hold, HoldStatus::Released, "released", reason.clone()).await?;
        if hold.data.kind != HoldKind::Manual && !after.data.waived_holds.contains(&hold.data.kind) {
            after.data.waived_holds.push(hold.data.kind);
        }
    }
    after.data.waived_holds.sort();
    commit_or_hold(work, &order, after, Doing { checkpoint: Checkpoint::Confirm, what: "released" }, reason).await
}

/// The hold of a call, still open, with its order, locked.
async fn found(work: &Work, call: &RequestContext, verb: &str) -> Result<(Stored<OrderHold>, Stored<Order>)> {
    let id = call.id(0)?;
    let seen = stored::find_visible::<OrderHold>(work, id).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    let order = stored::find::<Order>(work, seen.data.order_id.0, "release").await?;
    let hold = stored::find::<OrderHold>(work, id, verb).await?;
    expect_version(call.if_match, hold.version())?;
    expect_action(work.shape(OrderHold::PLURAL)?, &hold.record, verb)?;
    Ok((hold, order))
}

async fn answer(work: &Work, id: Uuid) -> Result<Response> {
    let now = stored::find_one_by::<OrderHold>(work, "id", Scalar::Id(id)).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    Ok(Response::record(work, work.shape(OrderHold::PLURAL)?, &now.record))
}

fn reason(call: &RequestContext) -> Result<Option<String>> {
    Ok(call.input::<OrderReason>()?.reason)
}

async fn release_one(work: &Work, call: RequestContext) -> Result<Response> {
    let reason = reason(&call)?;
    let (hold, order) = found(work, &call, "release").await?;
    release(work, order, |h| h.id() == hold.id(), reason).await?;
    answer(work, hold.id()).await
}

async fn reject(work: &Work, call: RequestContext) -> Result<Response> {
    let reason = reason(&call)?;
    let (hold, order) = found(work, &call, "reject").await?;
    expect_action(work.shape(Order::PLURAL)?, &order.record, "cancel")?;
    super::order::cancel(work, order, OrderReason { reason }).await?;
    answer(work, hold.id()).await
}

async fn escalate(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: EscalateHold = call.input()?;
    let (hold, _) = found(work, &call, "escalate").await?;
    let mut after = hold.clone();
    after.data.escalated_to_id = Some(asked.to_user_id);
    after.data.note = asked.note.or(after.data.note);
    let saved = stored::save(work, &hold, after, "escalated", None).await?;
    answer(work, saved.id()).await
}

/// Holds an order by hand.
pub(super) async fn by_hand(work: &Work, order: Stored<Order>, reason: Option<String>) -> Result<Stored<Order>> {
    let draft = OrderHold {
        order_id: order.id().into(),
        account_id: order.data.account_id,
        kind: HoldKind::Manual,
        reasons: vec!["manual".to_owned()],
        line_ids: vec![],
        decision: None,
        amount_over: None,
        credit_check_id: None,
        releases_itself: false,
        note: reason.clone(),
        escalated_to_id: None,
        status: HoldStatus::Open,
        checked_at: Some(work.now),
        settled_at: None,
    };
    stored::insert(work, Stored::draft(draft)).await?;
    let mut after = order.clone();
    after.data.mark_confirmed();
    after.data.status = OrderStatus::OnHold;
    stored::save(work, &order, after, "held", reason).await
}
