//! How shipments are reached: planned of an order's goods, picked, packed, shipped, delivered, or not.
//!
//! A shipment is locked before its order, and the order before stock.

use super::goods::{self, Hold};
use crate::{
    credit::check::{CheckRequest, decide},
    stock::ledger::{self, IssueRequest, MovementRequest, Source},
};
use samphan_domain::{
    id::WarehouseId,
    integration::credit_policy::{Checkpoint, CreditAction, CreditPolicy},
    sales::{
        order::{Order, OrderReason, OrderStatus},
        order_line::LineAllocation,
        shipment::{
            CreateShipment, CreateShipmentLine, DeliverShipment, PickedGoods, ShipShipment, Shipment, ShipmentLine, ShipmentStatus,
        },
    },
    stock::stock_movement::MovementKind,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    calendar,
    error::{Code, Error, FieldCode, FieldError, Result},
    money::{Amount, Quantity, SignedQuantity},
    resource::Resource,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Shipments.
#[must_use]
pub fn routes() -> Collection<Shipment> {
    Collection::new("shipments")
        .with_update()
        .transition("pick", "Pick a shipment. Its goods are taken from the shelves.")
        .example(Example::default().answers(json!({"status": "picked"})).persists())
        .transition("pack", "Pack a shipment")
        .example(Example::default().depends_on(&["pickShipment"]).answers(json!({"status": "packed"})).persists())
        .action("ship", "Ship a shipment. Its goods leave the stock.", ship)
        .example(
            Example::body(json!({"carrier": "Kerry", "tracking_no": "KEX0012345"}))
                .depends_on(&["packShipment"])
                .answers(json!({"status": "shipped", "tracking_no": "KEX0012345"}))
                .persists(),
        )
        .action("deliver", "Mark a shipment as delivered", deliver)
        .example(Example::default().depends_on(&["shipShipment"]).answers(json!({"status": "delivered"})))
        .action("fail", "Mark a shipment as failed. It did not arrive and came back; its goods are in the stock again.", fail)
        .example(Example::body(json!({"reason": "Nobody was there."})).depends_on(&["shipShipment"]).answers(json!({"status": "failed"})))
        .action("cancel", "Cancel a shipment. It has not left; its goods stay reserved for the order.", cancel)
        .example(Example::body(json!({"reason": "The lorry is full."})).answers(json!({"status": "cancelled"})))
}

/// Plans a shipment of an order that is locked.
pub async fn plan(work: &Work, before: &Stored<Order>, asked: CreateShipment) -> Result<Stored<Shipment>> {
    let mut order = before.clone();
    let warehouse = warehouse(&order.data, asked.warehouse_id)?;
    let lines = taken(&mut order.data, warehouse, asked.lines.as_deref())?;
    let shipment = Shipment {
        number: String::new(),
        order_id: before.id().into(),
        account_id: order.data.account_id,
        warehouse_id: warehouse,
        address: order.data.shipping_address.clone(),
        lines,
        carrier: asked.carrier,
        tracking_no: asked.tracking_no,
        promised_on: asked.promised_on.or_else(|| order.data.requested_on.clone()),
        note: None,
        status: ShipmentStatus::Planned,
        shipped_at: None,
        delivered_at: None,
    };
    order.data.follow_up();
    stored::save(work, before, order, "planned", None).await?;
    stored::insert(work, Stored::draft(shipment)).await
}

/// What of an allocation is in no shipment yet.
const fn free(a: &LineAllocation) -> i64 {
    a.quantity.0 - a.planned.0
}

/// The warehouse asked for, or the only one with goods for the order.
fn warehouse(order: &Order, asked: Option<WarehouseId>) -> Result<WarehouseId> {
    let with_goods = order.lines.iter().flat_map(|l| &l.allocations).filter(|a| free(a) > 0).map(|a| a.warehouse_id);
    let all: BTreeSet<WarehouseId> = with_goods.collect();
    let fault = |code, about: &str| Err(Error::invalid(FieldError::new("/warehouse_id", code, about)));
    match (asked, all.first()) {
        (_, None) => Err(Error::from(Code::Conflict).with_detail("nothing is put aside for the order that is in no shipment yet")),
        (Some(one), _) if all.contains(&one) => Ok(one),
        (Some(_), _) => fault(FieldCode::NothingThere, "a warehouse where goods are put aside for the order"),
        (None, Some(one)) if all.len() == 1 => Ok(*one),
        (None, Some(_)) => fault(FieldCode::Required, "one of the warehouses where goods are put aside for the order"),
    }
}

/// Takes goods out of what is put aside in a warehouse, as lines of a shipment.
fn taken(order: &mut Order, warehouse: WarehouseId, asked: Option<&[CreateShipmentLine]>) -> Result<Vec<ShipmentLine>> {
    let everything: Vec<CreateShipmentLine>;
    let asked = match asked {
        Some(asked) => asked,
        None => {
            let here = |a: &LineAllocation| a.warehouse_id == warehouse && free(a) > 0;
            let with_goods = order.lines.iter().filter(|l| l.allocations.iter().any(here));
            everything = with_goods.filter_map(|l| Some(CreateShipmentLine { order_line_id: l.id?, quantity: None })).collect();
            &everything
        }
    };
    let (mut made, mut faults) = (vec![], vec![]);
    for (i, one) in asked.iter().enumerate() {
        let Some(line) = order.line_mut(one.order_line_id) else {
            faults.push(FieldError::new(format!("/lines/{i}/order_line_id"), FieldCode::UnknownReference, "a line of the order"));
            continue;
        };
        let there: i64 = line.allocations.iter().filter(|a| a.warehouse_id == warehouse).map(free).sum();
        let there = there.min(line.quantity.0 - line.shipped_quantity.0 - line.planned_quantity.0);
        let mut wanted = one.quantity.map_or(there, |q| q.0);
        if !(1..=there).contains(&wanted) {
            faults.push(FieldError::new(
                format!("/lines/{i}/quantity"),
                FieldCode::OutOfRange,
                format!("more than 0, at most {}", Quantity(there)),
            ));
            continue;
        }
        let (sku, product) = (line.sku.clone(), line.product_id);
        for allocation in line.allocations.iter_mut().filter(|a| a.warehouse_id == warehouse) {
            let take = wanted.min(free(allocation));
            let (true, Some(product_id)) = (take > 0, product) else { continue };
            allocation.planned.0 += take;
            wanted -= take;
            made.push(ShipmentLine {
                order_line_id: one.order_line_id,
                product_id,
                sku: sku.clone(),
                quantity: Quantity(take),
                reservation_id: allocation.reservation_id,
                lot_no: None,
                serial_no: None,
            });
        }
    }
    if faults.is_empty() { Ok(made) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

async fn order_of(work: &Work, shipment: &Stored<Shipment>) -> Result<Stored<Order>> {
    stored::find::<Order>(work, shipment.data.order_id.0, "read").await
}

/// Sends a planned shipment on its way.
pub async fn ship(work: &Work, before: Stored<Shipment>, input: ShipShipment) -> Result<Stored<Shipment>> {
    let order = order_of(work, &before).await?;
    if order.data.status == OrderStatus::OnHold {
        return Err(Error::from(Code::Conflict).with_detail("the order is on hold").with_conflict(Order::PLURAL, order.id(), "status"));
    }
    let shipped_at = happened(work, input.shipped_at, "/shipped_at")?;
    let shipped_on = calendar::today(work.zone().await?, shipped_at).to_string();
    if order.data.ordered_on.as_ref().is_some_and(|day| shipped_on < *day) {
        return Err(Error::invalid(FieldError::new("/shipped_at", FieldCode::OutOfRange, "not before the day of the order")));
    }
    expect_credit(work, &order.data).await?;
    let mut after = before.clone();
    let (lines, picked): (Vec<ShipmentLine>, Vec<Option<usize>>) =
        split_by_identity(work, &before.data.lines, &input.picked).await?.into_iter().unzip();
    after.data.lines = lines;
    let source = Source { resource: Shipment::PLURAL.to_owned(), id: before.id() };
    let issue = |line: &ShipmentLine| IssueRequest {
        reservation_id: line.reservation_id,
        quantity: Some(line.quantity),
        source: Some(source.clone()),
        lot_no: line.lot_no.clone(),
        serial_no: line.serial_no.clone(),
    };
    let issues: Vec<IssueRequest> = after.data.lines.iter().map(issue).collect();
    if let Err(refusals) = ledger::consume(work, &issues).await? {
        let at = |place: usize| match picked.get(place) {
            Some(Some(picked)) => format!("/picked/{picked}"),
            _ => format!("/lines/{place}"),
        };
        let placed: Vec<_> = refusals.into_iter().map(|(place, refusal)| (at(place), refusal)).collect();
        return Err(ledger::refused(&placed));
    }
    change(work, &order, &before.data.lines, "shipped", |line, allocation, quantity| {
        line.0 += quantity;
        if let Some(allocation) = allocation {
            allocation.quantity.0 -= quantity;
            allocation.planned.0 -= quantity;
        }
    })
    .await?;
    after.data.carrier = input.carrier.or(after.data.carrier);
    after.data.tracking_no = input.tracking_no.or(after.data.tracking_no);
    after.data.status = ShipmentStatus::Shipped;
    after.data.shipped_at = Some(shipped_at);
    stored::save(work, &before, after, "shipped", None).await
}

/// The moment at which something is said to have happened; now when nothing is said.
fn happened(work: &Work, said: Option<Timestamp>, at: &str) -> Result<Timestamp> {
    match said {
        Some(moment) if moment > work.now => Err(Error::invalid(FieldError::new(at, FieldCode::InTheFuture, "now or before"))),
        said => Ok(said.unwrap_or(work.now)),
    }
}

/// Changes an order by the lines of its shipment: what has left of each line, and what is put aside for it.
async fn change(
    work: &Work,
    before: &Stored<Order>,
    lines: &[ShipmentLine],
    what: &str,
    each: impl Fn(&mut Quantity, Option<&mut LineAllocation>, i64),
) -> Result<Stored<Order>> {
    let mut order = before.clone();
    for gone in lines {
        let Some(line) = order.data.line_mut(gone.order_line_id) else { continue };
        let allocation = line.allocations.iter_mut().find(|a| a.reservation_id == gone.reservation_id);
        each(&mut line.shipped_quantity, allocation, gone.quantity.0);
    }
    order.data.follow_up();
    stored::save(work, before, order, what, None).await
}

/// The lines of a shipment, told apart by lot and serial number where they were named, with the place where each was; products that are
/// kept so must be.
async fn split_by_identity(work: &Work, lines: &[ShipmentLine], picked: &[PickedGoods]) -> Result<Vec<(ShipmentLine, Option<usize>)>> {
    let tracked = tracked(work, lines).await?;
    let (mut made, mut faults) = (vec![], vec![]);
    let unknown = |p: &PickedGoods| !lines.iter().any(|l| l.order_line_id == p.order_line_id);
    for (i, _) in picked.iter().enumerate().filter(|(_, p)| unknown(p)) {
        faults.push(FieldError::new(format!("/picked/{i}/order_line_id"), FieldCode::UnknownReference, "a line of the shipment"));
    }
    let mut left: Vec<(usize, &PickedGoods, Option<i64>)> =
        picked.iter().enumerate().map(|(i, p)| (i, p, p.quantity.map(|q| q.0))).collect();
    for line in lines {
        let mut wanted = line.quantity.0;
        for (place, goods, quantity) in left.iter_mut().filter(|(_, p, _)| p.order_line_id == line.order_line_id) {
            let take = quantity.unwrap_or(wanted).min(wanted);
            if take <= 0 {
                continue;
            }
            if let Some(left) = quantity {
                *left -= take;
            }
            wanted -= take;
            let (lot_no, serial_no) = (goods.lot_no.clone(), goods.serial_no.clone());
            made.push((ShipmentLine { quantity: Quantity(take), lot_no, serial_no, ..line.clone() }, Some(*place)));
        }
        if wanted > 0 {
            made.push((ShipmentLine { quantity: Quantity(wanted), ..line.clone() }, None));
        }
    }
    for (line, _) in &made {
        match tracked.get(&line.product_id.0).map(String::as_str) {
            Some("lot") if line.lot_no.is_none() => {
                faults.push(FieldError::new("/picked", FieldCode::Required, format!("a lot_no for all of line {}", line.order_line_id)));
            }
            Some("serial") if line.serial_no.is_none() || line.quantity.0 != samphan_resource::money::SCALE => {
                faults.push(FieldError::new(
                    "/picked",
                    FieldCode::Required,
                    format!("a serial_no for each piece of line {}", line.order_line_id),
                ));
            }
            _ => {}
        }
    }
    if left.iter().any(|(.., quantity)| quantity.is_some_and(|q| q > 0)) {
        faults.push(FieldError::new("/picked", FieldCode::OutOfRange, "no more than the shipment's quantities"));
    }
    if faults.is_empty() { Ok(made) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// How the products of lines are told apart, where they are.
async fn tracked(work: &Work, lines: &[ShipmentLine]) -> Result<HashMap<Uuid, String>> {
    let products: BTreeSet<Uuid> = lines.iter().map(|l| l.product_id.0).collect();
    let mut sql = work.sql();
    sql.push("SELECT id, tracked FROM products WHERE tracked <> 'none' AND id").one_of(Kind::Id, products.into_iter().map(Scalar::Id));
    Ok(work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?))).await?.into_iter().collect())
}

/// Refuses what a credit policy that is there for shipping does not let leave.
async fn expect_credit(work: &Work, order: &Order) -> Result<()> {
    let active = stored::find_by::<CreditPolicy>(work, "status", Scalar::Text("active".to_owned())).await?;
    if !active.iter().any(|p| p.data.checkpoints.contains(&Checkpoint::Ship)) {
        return Ok(());
    }
    let question = CheckRequest {
        account_id: order.account_id,
        // What is shipped is counted already.
        amount: Amount(0),
        currency: order.currency.clone(),
        checkpoint: Checkpoint::Ship,
        policy_id: None,
    };
    let decided = decide(work, question).await?;
    if decided.policy.checkpoints.contains(&Checkpoint::Ship) && decided.verdict.decision > CreditAction::Warn {
        return Err(Error::from(Code::Conflict).with_detail("the customer's credit does not let goods leave"));
    }
    Ok(())
}

/// Records that a shipment has arrived.
pub async fn deliver(work: &Work, before: Stored<Shipment>, input: DeliverShipment) -> Result<Stored<Shipment>> {
    let delivered_at = happened(work, input.delivered_at, "/delivered_at")?;
    if before.data.shipped_at.is_some_and(|shipped_at| delivered_at < shipped_at) {
        return Err(Error::invalid(FieldError::new("/delivered_at", FieldCode::OutOfRange, "not before it left")));
    }
    let order = order_of(work, &before).await?;
    let mut after_order = order.clone();
    for gone in &before.data.lines {
        if let Some(line) = after_order.data.line_mut(gone.order_line_id) {
            line.delivered_quantity.0 += gone.quantity.0;
        }
    }
    after_order.data.follow_up();
    stored::save(work, &order, after_order, "delivered", None).await?;
    let mut after = before.clone();
    after.data.status = ShipmentStatus::Delivered;
    after.data.delivered_at = Some(delivered_at);
    stored::save(work, &before, after, "delivered", None).await
}

async fn fail(work: &Work, before: Stored<Shipment>, input: OrderReason) -> Result<Stored<Shipment>> {
    let order = order_of(work, &before).await?;
    let entry = |line: &ShipmentLine| MovementRequest {
        product_id: line.product_id,
        warehouse_id: before.data.warehouse_id,
        quantity: SignedQuantity(line.quantity.0),
        kind: MovementKind::Return,
        reason: input.reason.clone(),
        source: Some(Source { resource: Shipment::PLURAL.to_owned(), id: before.id() }),
        lot_no: line.lot_no.clone(),
        serial_no: line.serial_no.clone(),
    };
    let back_to = before.data.lines.iter().map(|l| (l.product_id.0, before.data.warehouse_id.0));
    goods::lock_with(work, back_to.collect(), &order.data.lines).await?;
    let entries: Vec<MovementRequest> = before.data.lines.iter().map(entry).collect();
    if let Err(refusals) = ledger::book(work, &entries).await? {
        let placed: Vec<_> = refusals.into_iter().map(|(place, refusal)| (format!("/lines/{place}"), refusal)).collect();
        return Err(ledger::refused(&placed));
    }
    let mut back = order.clone();
    for gone in &before.data.lines {
        if let Some(line) = back.data.line_mut(gone.order_line_id) {
            line.shipped_quantity.0 -= gone.quantity.0;
        }
    }
    // What came back is put aside for the order again, to be sent once more.
    if back.data.is_promised() {
        let hold = Hold { source: Source { resource: Order::PLURAL.to_owned(), id: order.id() }, until: None };
        goods::reserve(work, &mut back.data.lines, back.data.warehouse_id, &hold, true).await?;
    }
    if back.data.status == OrderStatus::Closed {
        back.data.commit_rendered();
    }
    back.data.follow_up();
    stored::save(work, &order, back, "returned", input.reason.clone()).await?;
    let mut after = before.clone();
    after.data.status = ShipmentStatus::Failed;
    stored::save(work, &before, after, "failed", input.reason).await
}

async fn cancel(work: &Work, before: Stored<Shipment>, input: OrderReason) -> Result<Stored<Shipment>> {
    let order = order_of(work, &before).await?;
    change(work, &order, &before.data.lines, "planned", |_, allocation, quantity| {
        if let Some(allocation) = allocation {
            allocation.planned.0 -= quantity;
        }
    })
    .await?;
    let mut after = before.clone();
    after.data.status = ShipmentStatus::Cancelled;
    stored::save(work, &before, after, "cancelled", input.reason).await
}
