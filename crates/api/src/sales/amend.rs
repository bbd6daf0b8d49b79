//! Amending: what is ordered changes after it was promised. Lines go on from where they stand, with their price, their goods and what was
//! shipped and invoiced of them; only what changes is priced anew.

use super::{
    confirm::{Doing, commit_or_hold},
    goods,
    order::{expect_no_shipment, expect_not_invoiced, name_lines},
    pricing,
};
use crate::{credit::check, stock::ledger::Source};
use samphan_domain::{
    customers::account::Account,
    integration::credit_policy::Checkpoint,
    sales::{
        order::{AmendOrder, Order, OrderAddress},
        order_line::OrderLine,
    },
};
use samphan_persistence::{
    record::merge,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    money::Quantity,
    resource::Resource,
    scalar::Scalar,
};
use serde_json::{Map, Value, json};

pub(super) async fn amend(work: &Work, before: Stored<Order>, input: AmendOrder) -> Result<Stored<Order>> {
    let account = stored::find_one_by::<Account>(work, "id", Scalar::Id(before.data.account_id.0)).await?;
    let account = account.ok_or_else(|| Error::from(Code::InUse).with_detail("the customer was deleted"))?;
    let mut was = before.data.clone();
    was.mark_confirmed();
    let mut after = Stored { data: was.clone(), ..before.clone() };
    after.data.requested_on = input.requested_on.or(after.data.requested_on);
    after.data.warehouse_id = input.warehouse_id.or(after.data.warehouse_id);
    after.data.customer_reference = input.customer_reference.or(after.data.customer_reference);
    if input.billing_address.is_some() || input.tax_invoice_address.is_some() {
        expect_not_invoiced(work, &before).await?;
    }
    merge_address(&mut after.data.shipping_address, input.shipping_address)?;
    merge_address(&mut after.data.billing_address, input.billing_address)?;
    merge_address(&mut after.data.tax_invoice_address, input.tax_invoice_address)?;
    if let Some(lines) = input.lines {
        amend_lines(work, &was, &mut after.data, lines)?;
        let ordered_on = after.data.ordered_on.clone();
        after.data.ordered_on = pricing::day_of_sale(work, &after.data).await?;
        pricing::price(work, &mut after.data, &account, Some(&was)).await?;
        after.data.ordered_on = ordered_on;
    }
    if ordered(&after.data) != ordered(&was) {
        after.data.waived_holds.clear();
        check::lock_group(work, before.data.account_id.0).await?;
        goods::lock(work, &was.lines, &after.data.lines).await?;
        if goods::are_in_the_way(&was, &after.data) {
            expect_no_shipment(work, &before).await?;
        }
        let source = Source { resource: Order::PLURAL.to_owned(), id: before.id() };
        goods::carry_over(work, &was, &mut after.data, &source, input.reason.clone()).await?;
    }
    commit_or_hold(work, &before, after, Doing { checkpoint: Checkpoint::Amend, what: "amended" }, input.reason).await
}

/// What is ordered, from where.
fn ordered(order: &Order) -> Value {
    json!([order.warehouse_id, order.lines.iter().map(OrderLine::asked).collect::<Vec<_>>()])
}

/// An address after a merge patch: what is left out stays, null clears.
fn merge_address(address: &mut Option<OrderAddress>, change: Option<Map<String, Value>>) -> Result<()> {
    let Some(change) = change else { return Ok(()) };
    let mut merged = json!(address.clone().unwrap_or_default());
    merge(&mut merged, &Value::Object(change));
    let read = serde_json::from_value(merged).map_err(|_| Error::from(Code::Internal))?;
    *address = Some(read);
    Ok(())
}

/// The lines as they are to be, each going on from where it stood.
fn amend_lines(work: &Work, before: &Order, after: &mut Order, lines: Vec<OrderLine>) -> Result<()> {
    let mut faults = vec![];
    after.lines = lines;
    name_lines(work, &mut after.lines);
    for (i, line) in after.lines.iter_mut().enumerate() {
        let Some(was) = line.id.and_then(|id| before.line(id)) else { continue };
        line.follow(was);
        // What is left out of a line stays as it was.
        if line.product_id.is_none() && (line.sku.is_none() || line.sku == was.sku) {
            line.product_id = was.product_id;
        }
        let is_other = line.product_id != was.product_id;
        line.unit_price = line.unit_price.or(was.unit_price.filter(|_| !is_other));
        line.description = line.description.take().or_else(|| was.description.clone().filter(|_| !is_other));
        line.discount_percent = line.discount_percent.or(was.discount_percent);
        line.warehouse_id = line.warehouse_id.or(was.warehouse_id);
        let at = |field: &str| format!("/lines/{i}/{field}");
        let bound = (was.shipped_quantity.0 + was.planned_quantity.0).max(was.billed_quantity().0);
        if is_other && bound > 0 {
            faults.push(FieldError::new(
                at("product_id"),
                FieldCode::Shipped,
                "the product of what is shipped, in a shipment, or invoiced",
            ));
        }
        if line.quantity.0 < bound {
            let about = format!("at least {}, which is shipped, in a shipment, or invoiced", Quantity(bound));
            faults.push(FieldError::new(at("quantity"), FieldCode::Shipped, about));
        }
        if was.billed_quantity().0 > 0 && !is_other && line.terms() != was.terms() {
            faults.push(FieldError::new(
                at("unit_price"),
                FieldCode::Invoiced,
                "the price and discount of what is invoiced; add a line for the rest",
            ));
        }
    }
    for was in &before.lines {
        let kept = was.id.is_some_and(|id| after.line(id).is_some());
        if !kept && (was.shipped_quantity.0 > 0 || was.planned_quantity.0 > 0 || was.invoiced_quantity.0 > 0) {
            faults.push(FieldError::new("/lines", FieldCode::Shipped, "every line of which something is shipped or invoiced"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}
