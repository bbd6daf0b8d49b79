//! `POST /v1/order-promises`: price, tax, stock, date and credit in one answer, held until the order is made.

use super::{
    address::Addresses,
    confirm::SET_PRICE,
    goods::{self, Goods, Hold},
    order::name_lines,
    pricing,
};
use crate::{
    credit::check::{AuthorisationMode, CheckRequest, decide, record_check, release_authorisation},
    stock::ledger::Source,
};
use chrono::NaiveDate;
use samphan_domain::{
    customers::{account::Account, address::AddressPurpose},
    integration::{
        credit_check::AuthorisationStatus,
        credit_policy::{Checkpoint, CreditAction},
    },
    sales::{
        order::{Completion, CreditStanding, FulfilmentStatus, Order, OrderStatus, PaymentStatus},
        order_hold::HoldKind,
        order_promise::{LinePrice, LineStock, OrderPromise, PromiseStatus},
    },
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    calendar,
    caller::Visibility,
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    money::{Amount, Quantity},
    resource::Resource,
    scalar::Scalar,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;
use uuid::Uuid;

/// Seconds a promise holds when nothing else is asked.
const USUAL: i64 = 15 * 60;
/// Seconds a promise holds at most.
const LONGEST: i64 = 24 * 3600;

/// Promises.
#[must_use]
pub fn routes() -> Collection<OrderPromise> {
    Collection::new("orders")
        .create(create)
        .with_create()
        .example_of(
            "createOrderPromise",
            Example::body(json!({"lines": [{"id": example::id("promise_lines"), "sku": "TEA-001", "quantity": "5"}]})).depends_on(&[
                "receiveStock",
                "createTaxRate",
                "createPriceBookEntry",
                // Credit policies are examples, too: a customer without a credit decision gets no promise.
                "putAccountCreditBalance",
            ]),
        )
        .action_without_input("release", "Release an order promise. Its reserved stock and authorised credit are released.", release)
        .example(Example::default().answers(json!({"status": "released"})))
}

/// Makes a promise: price, credit and stock in one answer.
pub async fn create(work: &Work, mut draft: Stored<OrderPromise>) -> Result<Stored<OrderPromise>> {
    let unknown = || Error::unknown_reference("/account_id", Account::PLURAL);
    let account = stored::find_visible::<Account>(work, draft.data.account_id.0).await?.ok_or_else(unknown)?;
    let until = draft.data.expires_at.unwrap_or_else(|| work.now.plus_seconds(USUAL));
    if until <= work.now || until > work.now.plus_seconds(LONGEST) {
        return Err(Error::invalid(FieldError::new("/expires_at", FieldCode::OutOfRange, "a time to come, at most a day ahead")));
    }
    let id = match draft.id() {
        id if id.is_nil() => work.new_id(),
        id => id,
    };
    draft.record.insert("id".to_owned(), id.to_string().into());
    let mut order = as_order(&draft.data);
    let today = work.today().await?;
    order.ordered_on = Some(today.to_string());
    name_lines(work, &mut order.lines);
    let priced = pricing::price(work, &mut order, &account, None).await?;
    let mut refused = vec![];
    let given = order.lines.iter().any(|l| l.is_price_manual || l.discount_percent.is_some_and(|d| d.0 > 0));
    if given && work.caller.visibility(SET_PRICE) == Visibility::None {
        refused.push(HoldKind::Approval);
    }
    // Credit before stock, as everywhere: one order of locks, so no deadlock.
    let question = CheckRequest {
        account_id: order.account_id,
        amount: order.total_amount,
        currency: order.currency.clone(),
        checkpoint: Checkpoint::Confirm,
        policy_id: None,
    };
    let decided = decide(work, question).await?;
    decided.account.data.check_not_blocked()?;
    if decided.verdict.decision > CreditAction::Warn {
        refused.push(HoldKind::Credit);
    }
    let before = Goods::of(work, &order.lines).await?;
    let lacking = if refused.is_empty() {
        let hold = Hold { source: Source { resource: OrderPromise::PLURAL.to_owned(), id }, until: Some(until) };
        goods::reserve(work, &mut order.lines, order.warehouse_id, &hold, false).await?
    } else {
        goods::lacking(work, &order.lines, order.warehouse_id).await?
    };
    if !lacking.is_empty() {
        refused.push(HoldKind::Stock);
    }
    refused.sort();
    let promise = &mut draft.data;
    promise.credit_decision = Some(decided.verdict.decision);
    promise.credit_findings.clone_from(&decided.verdict.findings);
    let (check, _) =
        record_check(work, decided, if refused.is_empty() { AuthorisationMode::Pending(Some(until)) } else { AuthorisationMode::Nothing })
            .await?;
    promise.credit_check_id = Some(check.id());
    promise.stock = stock(&before, &order);
    promise.available_on = available_on(today, &before, &order, &priced.lead_times);
    let steps = order.lines.iter().zip(priced.waterfall);
    promise.waterfall = steps.filter_map(|(line, steps)| Some(LinePrice { line_id: line.id?, steps })).collect();
    promise.status = if refused.is_empty() { PromiseStatus::Active } else { PromiseStatus::Refused };
    promise.refused_for = refused;
    promise.expires_at = Some(until);
    promise.priced_on.clone_from(&order.ordered_on);
    if promise.shipping_address.is_none() {
        let addresses = Addresses::of(work, &account, &today.to_string()).await?;
        promise.shipping_address = addresses.copy(AddressPurpose::Shipping);
    }
    takes(promise, order);
    stored::insert(work, draft).await
}

/// The order a promise is about.
fn as_order(promise: &OrderPromise) -> Order {
    Order {
        number: String::new(),
        account_id: promise.account_id,
        contact_id: promise.contact_id,
        promise_id: None,
        channel: promise.channel,
        customer_reference: None,
        ordered_on: promise.priced_on.clone(),
        requested_on: promise.requested_on.clone(),
        currency: promise.currency.clone(),
        price_book_id: promise.price_book_id,
        warehouse_id: promise.warehouse_id,
        payment_terms_days: None,
        billing_address: None,
        shipping_address: promise.shipping_address.clone(),
        tax_invoice_address: None,
        note: None,
        lines: promise.lines.clone(),
        tax_inclusive: promise.tax_inclusive,
        tax_rounding: promise.tax_rounding,
        gross_amount: promise.gross_amount,
        discount_amount: promise.discount_amount,
        net_amount: promise.net_amount,
        tax_amount: promise.tax_amount,
        total_amount: promise.total_amount,
        taxes: promise.taxes.clone(),
        status: OrderStatus::Draft,
        credit_status: CreditStanding::NotChecked,
        fulfilment_status: FulfilmentStatus::Unallocated,
        invoice_status: Completion::None,
        payment_status: PaymentStatus::None,
        waived_holds: vec![],
        committed_amount: Amount(0),
        invoiced_amount: Amount(0),
        credited_amount: Amount(0),
        paid_amount: Amount(0),
        open_amount: Amount(0),
        credit_check_id: None,
        cloned_from_id: None,
        confirmed_at: None,
    }
}

/// What the order's pricing came to.
fn takes(promise: &mut OrderPromise, order: Order) {
    promise.currency = order.currency;
    promise.price_book_id = order.price_book_id;
    promise.lines = order.lines;
    promise.tax_inclusive = order.tax_inclusive;
    promise.tax_rounding = order.tax_rounding;
    promise.gross_amount = order.gross_amount;
    promise.discount_amount = order.discount_amount;
    promise.net_amount = order.net_amount;
    promise.tax_amount = order.tax_amount;
    promise.total_amount = order.total_amount;
    promise.taxes = order.taxes;
}

/// What there is of each line, where.
fn stock(before: &Goods, order: &Order) -> Vec<LineStock> {
    let mut all = vec![];
    for line in order.lines.iter().filter(|l| !l.is_service) {
        let (Some(line_id), Some(product)) = (line.id, line.product_id) else { continue };
        for supply in before.there.iter().filter(|s| s.product == product.0) {
            let held = line.allocations.iter().filter(|a| a.warehouse_id.0 == supply.warehouse).map(|a| a.quantity.0).sum();
            if supply.quantity.0 > 0 || held > 0 {
                all.push(LineStock { line_id, warehouse_id: supply.warehouse.into(), available: supply.quantity, held: Quantity(held) });
            }
        }
    }
    all
}

/// The first day everything can leave: today where it is there, else when more can be had; none where that is unknown.
fn available_on(today: NaiveDate, before: &Goods, order: &Order, lead_times: &[Option<i32>]) -> Option<String> {
    let mut lines = order.lines.clone();
    for line in &mut lines {
        line.allocations.clear();
        line.count();
    }
    let there = Goods { there: before.there.clone(), beyond: vec![] };
    let shares = there.shared(&lines, order.warehouse_id);
    let mut days = 0;
    for (i, line) in lines.iter().enumerate() {
        let given: i64 = shares.iter().filter(|s| s.line == i).map(|s| s.quantity.0).sum();
        if given < line.unallocated().0 {
            days = days.max(lead_times.get(i).copied().flatten()?);
        }
    }
    Some(calendar::days_after(today, days.unsigned_abs().into()).to_string())
}

async fn release(work: &Work, before: Stored<OrderPromise>) -> Result<Stored<OrderPromise>> {
    end(work, before, PromiseStatus::Released, AuthorisationStatus::Released, "released").await
}

/// Ends a promise: what is held for it is let go.
pub(super) async fn end(
    work: &Work,
    before: Stored<OrderPromise>,
    status: PromiseStatus,
    authorisation: AuthorisationStatus,
    what: &str,
) -> Result<Stored<OrderPromise>> {
    if let Some(check) = before.data.credit_check_id {
        release_authorisation(work, before.data.account_id, check, authorisation, what).await?;
    }
    let mut lines = before.data.lines.clone();
    goods::release(work, lines.iter_mut(), None).await?;
    let mut after = before.clone();
    after.data.status = status;
    stored::save(work, &before, after, what, None).await
}

/// Notes the order that was made from a promise.
pub(super) async fn used(work: &Work, before: Stored<OrderPromise>, order: Uuid) -> Result<()> {
    let mut after = before.clone();
    after.data.status = PromiseStatus::Used;
    after.data.order_id = Some(order.into());
    stored::save(work, &before, after, "used", None).await.map(|_| ())
}

/// Has an order begin with what was promised; answers the promise, locked.
pub(super) async fn take_over(work: &Work, promise: Uuid, order: &mut Order) -> Result<Stored<OrderPromise>> {
    let fault = |code, about: &str| Error::invalid(FieldError::new("/promise_id", code, about));
    let before = stored::find::<OrderPromise>(work, promise, "read").await.map_err(|e| match e.code {
        Code::NotFound => Error::unknown_reference("/promise_id", OrderPromise::PLURAL),
        _ => e,
    })?;
    if before.data.status != PromiseStatus::Active || before.data.expires_at.is_none_or(|at| at <= work.now) {
        return Err(Error::from(Code::Conflict).with_detail("the promise no longer holds").with_conflict(
            OrderPromise::PLURAL,
            promise,
            "status",
        ));
    }
    if before.data.account_id != order.account_id {
        return Err(fault(FieldCode::NotOfAccount, "a promise to this customer"));
    }
    if !order.lines.is_empty() || order.currency.is_some() || order.price_book_id.is_some() || order.warehouse_id.is_some() {
        return Err(fault(FieldCode::Ambiguous, "a promise alone: lines, currency, price book and warehouse are the promise's"));
    }
    let made = as_order(&before.data);
    *order = Order {
        promise_id: order.promise_id,
        contact_id: order.contact_id.or(made.contact_id),
        customer_reference: order.customer_reference.take(),
        requested_on: order.requested_on.take().or_else(|| made.requested_on.clone()),
        payment_terms_days: order.payment_terms_days,
        billing_address: order.billing_address.take(),
        shipping_address: order.shipping_address.take().or_else(|| made.shipping_address.clone()),
        tax_invoice_address: order.tax_invoice_address.take(),
        note: order.note.take(),
        ..made
    };
    Ok(before)
}

/// Gives back the credit that the promise of an order still holds, when the order was never confirmed: a call that ends such an order, or
/// asks for its credit anew, does not want it any more.
pub(super) async fn give_back_promised(work: &Work, order: &Order) -> Result<()> {
    let Some(id) = order.promise_id.filter(|_| order.committed_amount == Amount(0)) else { return Ok(()) };
    let promise = stored::find_one_by::<OrderPromise>(work, "id", Scalar::Id(id.0)).await?;
    match promise.and_then(|p| p.data.credit_check_id) {
        Some(check) => release_authorisation(work, order.account_id, check, AuthorisationStatus::Released, "released").await,
        None => Ok(()),
    }
}
