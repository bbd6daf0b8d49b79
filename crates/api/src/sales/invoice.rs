//! What accounting invoiced of orders: posted line by line, in any order and as often as it likes.

use crate::{
    integration::credit::reconciliation::sum_of,
    rest::{collection::Collection, example::Example, external::known_system},
};
use samphan_domain::{
    caller::Sight,
    error::{Code, Error, FieldError, Result},
    money::{Amount, Quantity},
    resource::Resource,
    sales::{
        order::Order,
        order_invoice::{OrderInvoice, PostedInvoice},
    },
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use std::collections::HashMap;
use uuid::Uuid;

/// What was invoiced.
#[must_use]
pub fn routes() -> Collection<OrderInvoice> {
    Collection::new("orders")
        .create(create)
        .update(update)
        .delete(delete)
        .restored(restored)
        .writes()
        .example_of("createOrderInvoice", Example::default().after(&["shipShipment"]))
}

fn unknown(pointer: &str, what: &str) -> Error {
    Error::from(Code::UnknownReference).with(vec![FieldError::new(pointer, "unknown_reference", what)])
}

/// An order, or an invoice of one, that is not seen is not there.
fn unseen(error: Error) -> Error {
    if error.code == Code::NotFound { unknown("/order_id", Order::MANY) } else { error }
}

pub(crate) async fn create(work: &Work, mut draft: Stored<OrderInvoice>) -> Result<Stored<OrderInvoice>> {
    known_system(work, &draft.data.system).await?;
    let order = stored::find::<Order>(work, draft.data.order_id.0, "read").await.map_err(unseen)?;
    if order.data.line(draft.data.order_line_id).is_none() {
        return Err(unknown("/order_line_id", "a line of the order"));
    }
    expect_amounts(&draft.data)?;
    draft.data.account_id = Some(order.data.account_id);
    draft.data.currency.clone_from(&order.data.currency);
    draft.data.settle();
    let made = stored::insert(work, draft).await?;
    add_up(work, &order).await?;
    Ok(made)
}

fn expect_amounts(invoice: &OrderInvoice) -> Result<()> {
    if invoice.paid_amount > invoice.amount {
        return Err(Error::invalid(FieldError::new("/paid_amount", "out_of_range", "at most the amount")));
    }
    Ok(())
}

async fn update(work: &Work, before: &Stored<OrderInvoice>, mut after: Stored<OrderInvoice>) -> Result<Stored<OrderInvoice>> {
    let key = |i: &OrderInvoice| (i.system.clone(), i.document_no.clone(), i.order_id, i.order_line_id);
    if key(&after.data) != key(&before.data) {
        let about = "system, document_no, order_id and order_line_id stay; delete it and make another";
        return Err(Error::from(Code::Conflict).about(about));
    }
    // What was true earlier is no news.
    if after.data.as_of < before.data.as_of {
        return Ok(before.clone());
    }
    known_system(work, &before.data.system).await?;
    expect_amounts(&after.data)?;
    after.data.settle();
    let order = stored::find::<Order>(work, before.data.order_id.0, "read").await?;
    let saved = stored::save(work, before, after, "updated", None).await?;
    add_up(work, &order).await?;
    Ok(saved)
}

/// Takes what a system posted with its balances: makes what is new, changes what is newer. The orders are locked in one order,
/// whoever posts.
pub async fn post(work: &Work, system: &str, mut posted: Vec<PostedInvoice>) -> Result<()> {
    if posted.is_empty() {
        return Ok(());
    }
    for right in ["order-invoices:create", "order-invoices:update"] {
        if work.caller.sight(right) == Sight::Nothing {
            return Err(Error::from(Code::Forbidden).allowing([right]));
        }
    }
    let mut placed: Vec<(usize, PostedInvoice)> = posted.drain(..).enumerate().collect();
    placed.sort_by_key(|(_, p)| p.order_id);
    for (place, one) in placed {
        let said = one.of(system);
        take(work, said).await.map_err(|mut error| {
            for fault in &mut error.errors {
                fault.pointer = format!("/invoices/{place}{}", fault.pointer);
            }
            error
        })?;
    }
    Ok(())
}

async fn take(work: &Work, said: OrderInvoice) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT id FROM order_invoices WHERE deleted_at IS NULL AND system = ").text(said.system.clone());
    sql.push(" AND document_no = ").text(said.document_no.clone()).push(" AND order_line_id = ").id(said.order_line_id);
    let Some(id) = work.fetch_one(sql, |row| row.id(0)).await? else {
        return create(work, Stored::draft(said)).await.map(|_| ());
    };
    let before = stored::find::<OrderInvoice>(work, id, "read").await.map_err(unseen)?;
    let mut after = before.clone();
    after.data = OrderInvoice { account_id: before.data.account_id, currency: before.data.currency.clone(), ..said };
    update(work, &before, after).await.map(|_| ())
}

async fn delete(work: &Work, found: &Stored<OrderInvoice>) -> Result<()> {
    known_system(work, &found.data.system).await?;
    let order = stored::find::<Order>(work, found.data.order_id.0, "read").await?;
    stored::delete(work, found).await?;
    add_up(work, &order).await
}

async fn restored(work: &Work, made: &Stored<OrderInvoice>) -> Result<()> {
    known_system(work, &made.data.system).await?;
    let order = stored::find::<Order>(work, made.data.order_id.0, "read").await?;
    add_up(work, &order).await
}

/// Brings an order up to date with everything invoiced of it.
async fn add_up(work: &Work, before: &Stored<Order>) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.order_line_id, t.kind");
    for column in ["quantity", "amount", "paid_amount"] {
        sql.push(", ");
        sum_of(&mut sql, &[column]);
    }
    sql.push(" FROM order_invoices t WHERE t.deleted_at IS NULL AND t.order_id = ")
        .id(before.id())
        .push(" GROUP BY t.order_line_id, t.kind");
    let rows = work
        .fetch(sql, |row| {
            let sum = |n| -> Result<i64> { Ok(Amount::of_parts(row.int(n)?, row.int(n + 1)?).0) };
            Ok((row.id(0)?, row.text(1)? == "invoice", [sum(2)?, sum(4)?, sum(6)?]))
        })
        .await?;
    let mut after = before.clone();
    let order = &mut after.data;
    let mut invoiced: HashMap<Uuid, [i64; 2]> = HashMap::new();
    (order.invoiced_amount, order.credited_amount, order.paid_amount) = (Amount(0), Amount(0), Amount(0));
    for (line, is_invoice, [quantity, amount, paid]) in rows {
        if is_invoice {
            invoiced.insert(line, [quantity, amount]);
            order.invoiced_amount = order.invoiced_amount.plus(Amount(amount));
            order.paid_amount = order.paid_amount.plus(Amount(paid));
        } else {
            order.credited_amount = order.credited_amount.plus(Amount(amount));
        }
    }
    for line in &mut order.lines {
        let [quantity, amount] = line.id.and_then(|id| invoiced.get(&id)).copied().unwrap_or_default();
        line.invoiced_quantity = Quantity(quantity);
        line.invoiced_amount = Amount(amount);
    }
    order.follow_up();
    stored::save(work, before, after, "invoiced", None).await.map(|_| ())
}
