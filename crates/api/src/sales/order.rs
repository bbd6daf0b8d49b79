//! How orders are reached: written, submitted, confirmed, changed, and ended. What makes or raises a promise is `confirm`'s.

use super::{
    address::Addresses,
    amend::amend,
    confirm::{Doing, commit_or_hold},
    goods::{self, Hold},
    hold, pricing,
    promise::{give_back_promised, take_over, used},
    shipment,
};
use crate::stock::ledger::Source;
use actix_web::http::Method;
use samphan_domain::{
    customers::{account::Account, address::AddressPurpose},
    integration::credit_policy::Checkpoint,
    sales::{
        order::{CreditStanding, Order, OrderAddress, OrderReason, OrderStatus},
        order_hold::HoldStatus,
        order_line::OrderLine,
        shipment::{CreateShipment, Shipment, ShipmentStatus},
    },
};
use samphan_persistence::{
    record::{expect_action, expect_version},
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    money::Amount,
    resource::Resource,
    scalar::Scalar,
    transition,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::Response,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Orders.
#[must_use]
pub fn routes() -> Collection<Order> {
    let allowed = "409 `illegal_transition` when the state does not allow it; see `available_actions` of the order.";
    Collection::new("orders")
        .create(create)
        .update(update)
        .delete(delete)
        .with_crud()
        .example_of("createOrder", written().depends_on(&["createTaxRate", "createPriceBookEntry"]))
        .example_of("upsertOrderByExternalId", written().depends_on(&["createOrder"]))
        .action_without_input("submit", "Submit an order", submit)
        .example(Example::default().depends_on(&["receiveStock"]).answers(json!({"status": "submitted"})).persists())
        .action_without_input(
            "confirm",
            "Confirm an order. Price, approval, credit and stock are checked in one step; each obstacle puts the order on hold (`on_hold`).",
            confirm,
        )
        .example(Example::default().depends_on(&["submitOrder"]).answers(json!({"status": "confirmed"})))
        .action("hold", "Place an order on hold", by_hand)
        .example(
            Example::body(json!({"reason": "The buyer is to call back."}))
                .depends_on(&["submitOrder"])
                .answers(json!({"status": "on_hold"}))
                .persists(),
        )
        .action("release", "Release an order's holds", release)
        .also_requires_when(hold::RELEASE_CREDIT, "one of the holds is of credit")
        .example(Example::body(json!({"reason": "The buyer called."})).depends_on(&["holdOrder"]).answers(json!({"status": "confirmed"})).persists())
        .action("amend", "Amend a confirmed order. Changed lines are priced and checked again.", amend)
        .example(
            Example::body(json!({"requested_on": "2027-01-15", "reason": "Later, please."}))
                .depends_on(&["releaseOrder"])
                .answers(json!({"status": "confirmed", "requested_on": "2027-01-15"})),
        )
        .action("cancel", "Cancel an order. Nothing of it may have been shipped.", cancel)
        .example(
            Example::body(json!({"reason": "Ordered twice."}))
                .for_record("cloned_orders")
                .depends_on(&["cloneOrder"])
                .answers(json!({"status": "cancelled"}))
                .persists(),
        )
        .action("close", "Close an order. Stock and credit of what was not shipped are released.", close)
        .example(
            Example::body(json!({"reason": "The rest is not wanted any more."}))
                .depends_on(&["releaseOrder"])
                .answers(json!({"status": "closed"})),
        )
        .action("reopen", "Reopen an order. Everything is checked again.", reopen)
        .example(
            Example::body(json!({"reason": "Wanted after all."}))
                .for_record("cloned_orders")
                .depends_on(&["cancelOrder"])
                .answers(json!({"status": "confirmed"})),
        )
        .action_without_input("allocate-stock", "Allocate stock to an order. Reserves what is available now of the missing quantities.", allocate_stock)
        .example(Example::default().depends_on(&["releaseOrder"]).answers(json!({"status": "confirmed"})))
        .operation("/{id}/clone", |path| {
            Operation::write("cloneOrder", Method::POST, path, clone)
                .describe(
                    "orders",
                    "Clone an order",
                    "A draft with the same lines at today's prices, but for those that were given.",
                )
                .example(Example::default().answers(json!({"id": example::id("cloned_orders"), "cloned_from_id": example::id("orders")})))
                .requires("orders:create")
                .also_requires("accounts:read")
                .also_requires_when("contacts:read", "the order names a contact")
                .responds(201, "Order")
                .etag()
        })
        .operation("/{id}/create-shipment", |path| {
            Operation::write("createOrderShipment", Method::POST, path, create_shipment)
                .describe("orders", "Create a shipment of an order", format!("Of what is put aside in a warehouse, all of it or part. {allowed}"))
                .example(Example::body(json!({"carrier": "Kerry", "promised_on": "2027-01-15"})).depends_on(&["releaseOrder"]))
                .body(Body { optional: true, ..Body::of("CreateShipment") })
                .requires("orders:create-shipment")
                .responds(201, "Shipment")
                .etag()
        })
        .schema::<CreateShipment>()
}

/// What is sent to order: lines are priced here.
fn written() -> Example {
    Example::body(json!({"lines": [{"id": example::id("order_lines"), "sku": "TEA-001", "quantity": "10"}]}))
}

/// The problem of what the state does not allow.
fn illegal(order: &Order) -> Error {
    transition::illegal(Order::TRANSITIONS, order.status.as_str())
}

/// Makes an order, and confirms it where that was asked for.
pub async fn create(work: &Work, mut draft: Stored<Order>) -> Result<Stored<Order>> {
    let is_to_confirm = draft.record.remove("confirm") == Some(Value::Bool(true));
    let made = write(work, draft).await?;
    if !is_to_confirm {
        return Ok(made);
    }
    let found = stored::find::<Order>(work, made.id(), "submit").await?;
    submit(work, found).await?;
    let submitted = stored::find::<Order>(work, made.id(), "confirm").await?;
    confirm(work, submitted).await
}

/// Writes an order: a draft.
async fn write(work: &Work, mut draft: Stored<Order>) -> Result<Stored<Order>> {
    let unknown = || Error::unknown_reference("/account_id", Account::PLURAL);
    let account = stored::find_visible::<Account>(work, draft.data.account_id.0).await?.ok_or_else(unknown)?;
    let today = work.today().await?;
    draft.data.ordered_on = draft.data.ordered_on.or_else(|| Some(today.to_string()));
    draft.data.payment_terms_days = draft.data.payment_terms_days.or(account.data.payment_terms_days);
    let promise = match draft.data.promise_id {
        Some(promise) => Some(take_over(work, promise.0, &mut draft.data).await?),
        None => {
            name_lines(work, &mut draft.data.lines);
            pricing::price(work, &mut draft.data, &account, None).await?;
            None
        }
    };
    copy_addresses(work, &mut draft.data, &account).await?;
    draft.data.follow_up();
    let made = stored::insert(work, draft).await?;
    if let Some(promise) = promise {
        used(work, promise, made.id()).await?;
    }
    Ok(made)
}

/// Gives the lines that have none an id.
pub(super) fn name_lines(work: &Work, lines: &mut [OrderLine]) {
    for line in lines {
        line.id = line.id.or_else(|| Some(work.new_id()));
    }
}

async fn copy_addresses(work: &Work, order: &mut Order, account: &Stored<Account>) -> Result<()> {
    if order.billing_address.is_some() && order.shipping_address.is_some() && order.tax_invoice_address.is_some() {
        return Ok(());
    }
    let day = order.ordered_on.clone().unwrap_or_default();
    let addresses = Addresses::of(work, account, &day).await?;
    order.billing_address = order.billing_address.take().or_else(|| addresses.copy(AddressPurpose::Billing));
    order.shipping_address = order.shipping_address.take().or_else(|| addresses.copy(AddressPurpose::Shipping));
    order.tax_invoice_address = order.tax_invoice_address.take().or_else(|| addresses.copy(AddressPurpose::TaxInvoice));
    Ok(())
}

/// Of another customer's order, the addresses that were not sent are not the first customer's.
fn forget_addresses(before: &Order, after: &mut Order) {
    let forget = |was: &Option<OrderAddress>, is: &mut Option<OrderAddress>| {
        if was == is {
            *is = None;
        }
    };
    forget(&before.billing_address, &mut after.billing_address);
    forget(&before.shipping_address, &mut after.shipping_address);
    forget(&before.tax_invoice_address, &mut after.tax_invoice_address);
}

/// Recognises lines that are sent again without what the server filled in, by id or by place: what is sent twice is the same order.
fn recognise_lines(before: &Order, after: &mut Order) {
    let named: Vec<Uuid> = after.lines.iter().filter_map(|l| l.id).collect();
    for (place, line) in after.lines.iter_mut().enumerate() {
        let was = match line.id {
            Some(id) => before.line(id),
            None => before.lines.get(place).filter(|was| was.id.is_some_and(|id| !named.contains(&id))),
        };
        let is_same = |was: &&OrderLine| match line.product_id {
            Some(_) => line.product_id == was.product_id,
            None => line.sku.is_some() && line.sku == was.sku,
        };
        let Some(was) = was.filter(is_same) else { continue };
        line.id = was.id;
        line.product_id = was.product_id;
        line.description = line.description.take().or_else(|| was.description.clone());
        line.unit_price = line.unit_price.or(was.unit_price.filter(|_| !was.is_price_manual));
    }
}

async fn update(work: &Work, before: &Stored<Order>, mut after: Stored<Order>) -> Result<Stored<Order>> {
    recognise_lines(&before.data, &mut after.data);
    if is_correction(&before.data, &after.data) {
        expect_not_invoiced(work, before).await?;
        after.data.lines.clone_from(&before.data.lines);
    } else if after.data.terms() != before.data.terms() {
        if !matches!(before.data.status, OrderStatus::Draft | OrderStatus::Submitted) {
            return Err(illegal(&before.data));
        }
        if before.data.promise_id.is_some() || after.data.promise_id.is_some() {
            return Err(
                Error::from(Code::Conflict).with_detail("an order made from a promise is what was promised; amend it once it is confirmed")
            );
        }
        let unknown = || Error::unknown_reference("/account_id", Account::PLURAL);
        let account = stored::find_visible::<Account>(work, after.data.account_id.0).await?.ok_or_else(unknown)?;
        let today = work.today().await?;
        after.data.ordered_on = after.data.ordered_on.or_else(|| Some(today.to_string()));
        if after.data.account_id != before.data.account_id {
            forget_addresses(&before.data, &mut after.data);
        }
        copy_addresses(work, &mut after.data, &account).await?;
        name_lines(work, &mut after.data.lines);
        pricing::price(work, &mut after.data, &account, Some(&before.data)).await?;
        after.data.waived_holds.clear();
        after.data.follow_up();
    } else {
        // Lines that were sent again as they are have lost what follows from them.
        after.data.lines.clone_from(&before.data.lines);
    }
    stored::save(work, before, after, "updated", None).await
}

/// Whether nothing but the addresses on bill and tax invoice of an order that was confirmed once is to be put right.
fn is_correction(before: &Order, after: &Order) -> bool {
    let mut corrected = before.clone();
    corrected.billing_address.clone_from(&after.billing_address);
    corrected.tax_invoice_address.clone_from(&after.tax_invoice_address);
    let is_open = matches!(before.status, OrderStatus::Draft | OrderStatus::Submitted | OrderStatus::Cancelled);
    !is_open && after.terms() != before.terms() && after.terms() == corrected.terms()
}

/// Refuses while an invoice of an order stands: it says what the order said.
pub(super) async fn expect_not_invoiced(work: &Work, order: &Stored<Order>) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM order_invoices t WHERE t.deleted_at IS NULL AND t.kind = 'invoice' AND t.order_id = ").id(order.id());
    sql.push(" LIMIT 1");
    match work.count(sql).await? {
        0 => Ok(()),
        _ => Err(Error::from(Code::Conflict).with_detail("something of the order is invoiced")),
    }
}

async fn delete(work: &Work, found: &Stored<Order>) -> Result<()> {
    if !matches!(found.data.status, OrderStatus::Draft | OrderStatus::Cancelled) {
        return Err(illegal(&found.data));
    }
    give_back_promised(work, &found.data).await?;
    goods::release(work, found.data.lines.clone().iter_mut(), None).await?;
    stored::delete(work, found).await
}

/// Hands a draft over for approval and confirmation.
pub async fn submit(work: &Work, before: Stored<Order>) -> Result<Stored<Order>> {
    if before.data.lines.is_empty() {
        return Err(Error::invalid(FieldError::new("/lines", FieldCode::Required, "at least one line")));
    }
    let mut after = before.clone();
    after.data.status = OrderStatus::Submitted;
    stored::save(work, &before, after, "submitted", None).await
}

/// Confirms an order: promises it, or holds it for a reason.
pub async fn confirm(work: &Work, before: Stored<Order>) -> Result<Stored<Order>> {
    commit_or_hold(work, &before, before.clone(), Doing { checkpoint: Checkpoint::Confirm, what: "confirmed" }, None).await
}

/// Holds an order by hand, for a reason.
pub async fn by_hand(work: &Work, before: Stored<Order>, input: OrderReason) -> Result<Stored<Order>> {
    hold::by_hand(work, before, input.reason).await
}

async fn release(work: &Work, before: Stored<Order>, input: OrderReason) -> Result<Stored<Order>> {
    hold::release(work, before, |_| true, input.reason).await
}

/// Cancels an order, of which nothing has left.
pub async fn cancel(work: &Work, before: Stored<Order>, input: OrderReason) -> Result<Stored<Order>> {
    if before.data.lines.iter().any(|l| l.shipped_quantity.0 > 0) {
        return Err(Error::from(Code::IllegalTransition).with_allowed(["close"]));
    }
    if before.data.lines.iter().any(|l| l.billed_quantity().0 > 0) {
        let about = "something of the order is invoiced: have it credited first, or close the order";
        return Err(Error::from(Code::Conflict).with_detail(about));
    }
    expect_no_shipment(work, &before).await?;
    let mut after = before.clone();
    give_back_promised(work, &before.data).await?;
    goods::release(work, after.data.lines.iter_mut(), input.reason.clone()).await?;
    for open in hold::open(work, before.id()).await? {
        hold::settle(work, &open, HoldStatus::Rejected, "rejected", input.reason.clone()).await?;
    }
    after.data.status = OrderStatus::Cancelled;
    after.data.withdraw();
    after.data.follow_up();
    stored::save(work, &before, after, "cancelled", input.reason).await
}

/// Refuses while a shipment has not left and not been cancelled.
pub(super) async fn expect_no_shipment(work: &Work, order: &Stored<Order>) -> Result<()> {
    let all = stored::find_by::<Shipment>(work, "order_id", Scalar::Id(order.id())).await?;
    let open = |s: &&Stored<Shipment>| matches!(s.data.status, ShipmentStatus::Planned | ShipmentStatus::Picked | ShipmentStatus::Packed);
    match all.iter().find(open) {
        Some(open) => Err(Error::from(Code::InUse).with_conflict(Shipment::PLURAL, open.id(), "status")),
        None => Ok(()),
    }
}

async fn close(work: &Work, before: Stored<Order>, input: OrderReason) -> Result<Stored<Order>> {
    expect_no_shipment(work, &before).await?;
    give_back_promised(work, &before.data).await?;
    let mut after = before.clone();
    goods::release(work, after.data.lines.iter_mut(), input.reason.clone()).await?;
    for open in hold::open(work, before.id()).await? {
        hold::settle(work, &open, HoldStatus::Rejected, "rejected", input.reason.clone()).await?;
    }
    if before.data.committed_amount != Amount(0) {
        after.data.commit_rendered();
    }
    after.data.status = OrderStatus::Closed;
    after.data.follow_up();
    stored::save(work, &before, after, "closed", input.reason).await
}

async fn reopen(work: &Work, before: Stored<Order>, input: OrderReason) -> Result<Stored<Order>> {
    let mut after = before.clone();
    // What was let pass then is not let pass now.
    after.data.waived_holds.clear();
    after.data.lines.iter_mut().for_each(|l| l.is_confirmed = false);
    if before.data.status == OrderStatus::Cancelled {
        after.data.confirmed_at = None;
    }
    after.data.credit_status = CreditStanding::NotChecked;
    commit_or_hold(work, &before, after, Doing { checkpoint: Checkpoint::Reopen, what: "reopened" }, input.reason).await
}

async fn allocate_stock(work: &Work, before: Stored<Order>) -> Result<Stored<Order>> {
    let mut after = before.clone();
    let hold = Hold { source: Source { resource: Order::PLURAL.to_owned(), id: before.id() }, until: None };
    goods::reserve(work, &mut after.data.lines, before.data.warehouse_id, &hold, true).await?;
    after.data.follow_up();
    stored::save(work, &before, after, "allocated", None).await
}

async fn clone(work: &Work, call: RequestContext) -> Result<Response> {
    let found = stored::find_visible::<Order>(work, call.id(0)?).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    let cloned_from_id = found.id();
    let old = found.data;
    let fresh = Order {
        promise_id: None,
        ordered_on: None,
        requested_on: None,
        customer_reference: None,
        billing_address: None,
        shipping_address: None,
        tax_invoice_address: None,
        lines: old.lines.iter().map(OrderLine::afresh).collect(),
        status: OrderStatus::Draft,
        credit_status: CreditStanding::NotChecked,
        waived_holds: vec![],
        committed_amount: Amount(0),
        invoiced_amount: Amount(0),
        credited_amount: Amount(0),
        paid_amount: Amount(0),
        credit_check_id: None,
        cloned_from_id: Some(cloned_from_id),
        confirmed_at: None,
        ..old
    };
    let made = write(work, Stored::draft(fresh)).await?;
    Ok(Response::record(work, work.shape(Order::PLURAL)?, &made.record).with_location(format!("/v1/orders/{}", made.id())))
}

async fn create_shipment(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: CreateShipment = call.input()?;
    let order = stored::find::<Order>(work, call.id(0)?, "create-shipment").await?;
    expect_version(call.if_match, order.version())?;
    expect_action(work.shape(Order::PLURAL)?, &order.record, "create-shipment")?;
    let made = shipment::plan(work, &order, asked).await?;
    Ok(Response::record(work, work.shape(Shipment::PLURAL)?, &made.record).with_location(format!("/v1/shipments/{}", made.id())))
}
