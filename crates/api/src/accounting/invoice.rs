//! What accounting invoiced of orders: posted line by line, in any order and as often as it likes.

use crate::{accounting::ledger::Ledger, external_systems::external_system::legal_entity};
use samphan_domain::sales::{
    order::Order,
    order_invoice::{InvoiceKind, OrderInvoice, PostedInvoice},
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
    visibility,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    money::{Amount, Quantity},
    resource::Resource,
    scalar::Scalar,
    timestamp::Timestamp,
};
use samphan_rest::{
    batch::{self, ItemResult, ItemStatus},
    collection::Collection,
    example::Example,
    external::known_system,
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
        .after_restore(restored)
        .with_crud()
        .example_of("createOrderInvoice", Example::default().depends_on(&["shipShipment"]))
}

fn unknown(pointer: &str, what: &str) -> Error {
    Error::unknown_reference(pointer, what)
}

/// An order, or an invoice of one, that is not seen is not there.
fn unseen(error: Error) -> Error {
    if error.code == Code::NotFound { unknown("/order_id", Order::PLURAL) } else { error }
}

/// Posts an invoice of an order.
pub async fn create(work: &Work, mut draft: Stored<OrderInvoice>) -> Result<Stored<OrderInvoice>> {
    known_system(work, &draft.data.system).await?;
    let order = stored::find::<Order>(work, draft.data.order_id.0, "read").await.map_err(unseen)?;
    if order.data.line(draft.data.order_line_id).is_none() {
        return Err(unknown("/order_line_id", "a line of the order"));
    }
    expect_amounts(&draft.data)?;
    expect_confirmed(&draft.data, &order)?;
    draft.data.account_id = Some(order.data.account_id);
    draft.data.currency.clone_from(&order.data.currency);
    place(work, &mut draft.data).await?;
    balance_credit(work, &mut draft.data, None).await?;
    let made = stored::insert(work, draft).await?;
    add_up(work, &order).await?;
    Ok(made)
}

/// The books it is in, where it does not say: those of the system's only entity.
async fn place(work: &Work, invoice: &mut OrderInvoice) -> Result<()> {
    if invoice.entity.is_none() {
        invoice.entity = legal_entity(work, &invoice.system).await?;
    }
    Ok(())
}

/// Refuses to invoice what was never promised, or is no more: its lines may change, and are not owed. A cancellation finds what
/// is invoiced of it under the same lock. Credit notes take back what stands.
fn expect_confirmed(invoice: &OrderInvoice, order: &Stored<Order>) -> Result<()> {
    if invoice.kind == InvoiceKind::CreditNote || order.data.is_confirmed() {
        return Ok(());
    }
    let fault = FieldError::new("/order_id", FieldCode::NotConfirmed, "an order that was confirmed and is not cancelled");
    Err(Error::from(Code::Conflict).with_field_errors(vec![fault]).with_conflict(Order::PLURAL, order.id(), "status"))
}

fn expect_amounts(invoice: &OrderInvoice) -> Result<()> {
    if invoice.paid_amount > invoice.amount {
        return Err(Error::invalid(FieldError::new("/paid_amount", FieldCode::OutOfRange, "at most the amount")));
    }
    Ok(())
}

async fn update(work: &Work, before: &Stored<OrderInvoice>, mut after: Stored<OrderInvoice>) -> Result<Stored<OrderInvoice>> {
    let key = |i: &OrderInvoice| (i.system.clone(), i.document_no.clone(), i.order_id, i.order_line_id);
    if key(&after.data) != key(&before.data) {
        let about = "system, document_no, order_id and order_line_id stay; delete it and make another";
        return Err(Error::from(Code::Conflict).with_detail(about));
    }
    // What was true earlier is no news.
    if after.data.as_of < before.data.as_of {
        return Ok(before.clone());
    }
    known_system(work, &before.data.system).await?;
    expect_amounts(&after.data)?;
    let says = |i: &OrderInvoice| (i.kind, i.quantity, i.amount);
    if after.data.as_of == before.data.as_of && says(&after.data) != says(&before.data) {
        let about = "a later as_of: the books said something else at that moment, or the document has two rows for one order line";
        return Err(Error::from(Code::Conflict).with_field_errors(vec![FieldError::new(
            "/as_of",
            FieldCode::SameAsOfDifferentValues,
            about,
        )]));
    }
    let order = stored::find::<Order>(work, before.data.order_id.0, "read").await?;
    if says(&after.data) != says(&before.data) {
        expect_confirmed(&after.data, &order)?;
    }
    place(work, &mut after.data).await?;
    balance_credit(work, &mut after.data, Some(before.id())).await?;
    let saved = stored::save(work, before, after, "updated", None).await?;
    add_up(work, &order).await?;
    Ok(saved)
}

/// The permissions it takes to post invoices with balances.
pub const POSTING: [&str; 4] = ["order-invoices:create", "order-invoices:update", "order-invoices:read", "orders:read"];

/// Takes what a system posted with its balances of that entity and currency: makes what is new, changes what is newer. Each has a result of
/// its own, in the order of the request; one that is refused changes nothing. The orders are always locked in one order.
///
/// There is one row for each document and line of an order: a list that names the same twice does not say which of them holds, so all that
/// do are refused.
pub async fn post(work: &Work, ledger: &Ledger, posted: Vec<Result<PostedInvoice>>) -> Result<Vec<ItemResult>> {
    if posted.is_empty() {
        return Ok(vec![]);
    }
    work.caller.require(POSTING)?;
    let mut times: HashMap<(String, Uuid), usize> = HashMap::new();
    for one in posted.iter().flatten() {
        *times.entry((one.document_no.clone(), one.order_line_id)).or_default() += 1;
    }
    let mut placed: Vec<(usize, OrderInvoice)> = vec![];
    let mut outcomes: Vec<Option<ItemResult>> = Vec::with_capacity(posted.len());
    for (place, one) in posted.into_iter().enumerate() {
        let is_repeated = |one: &PostedInvoice| times.get(&(one.document_no.clone(), one.order_line_id)).is_some_and(|n| *n > 1);
        outcomes.push(match one {
            Err(error) => Some(ItemResult::failed(None, error)),
            Ok(one) if is_repeated(&one) => {
                let fault = FieldError::new(
                    "/order_line_id",
                    FieldCode::Repeated,
                    "one row for each document and order line: add up what the document has in several",
                );
                Some(ItemResult::failed(None, Error::invalid(fault)))
            }
            Ok(one) => {
                placed.push((place, one.of(&ledger.system, &ledger.entity, &ledger.currency)));
                None
            }
        });
    }
    placed.sort_by_key(|(_, one)| one.order_id);
    let done = batch::each(work, &placed, async |(_, said): &(usize, OrderInvoice)| take(work, said.clone()).await).await?;
    for ((place, _), outcome) in placed.iter().zip(done) {
        if let Some(slot) = outcomes.get_mut(*place) {
            *slot = Some(outcome.unwrap_or_else(|error| ItemResult::failed(None, error)));
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

async fn take(work: &Work, said: OrderInvoice) -> Result<ItemResult> {
    let done = |status, made: &Stored<OrderInvoice>, error| ItemResult {
        status,
        id: Some(made.id()),
        external_id: None,
        version: Some(made.version()),
        error,
    };
    let mut sql = work.sql();
    sql.push("SELECT id FROM order_invoices WHERE deleted_at IS NULL AND system = ").text(said.system.clone());
    sql.push(" AND document_no = ").text(said.document_no.clone()).push(" AND order_line_id = ").id(said.order_line_id);
    let Some(id) = work.fetch_one(sql, |row| row.id(0)).await? else {
        return Ok(done(ItemStatus::Created, &create(work, Stored::draft(said)).await?, None));
    };
    // The order before its invoices, as when one is made.
    stored::find::<Order>(work, said.order_id.0, "read").await.map_err(unseen)?;
    let before = stored::find::<OrderInvoice>(work, id, "update").await.map_err(unseen)?;
    let mut after = before.clone();
    after.data = OrderInvoice { account_id: before.data.account_id, currency: before.data.currency.clone(), ..said };
    if after.data.as_of < before.data.as_of {
        let known = before.data.as_of.map(|at| format!("as of {at}")).unwrap_or_default();
        let fault = FieldError::new("/as_of", FieldCode::Superseded, known);
        return Ok(done(ItemStatus::Stale, &before, Some(Error::from(Code::Conflict).with_field_errors(vec![fault]))));
    }
    let made = update(work, &before, after).await?;
    Ok(done(if made.version() == before.version() { ItemStatus::Unchanged } else { ItemStatus::Updated }, &made, None))
}

/// The customers of orders, deleted ones too, as far as the caller sees them.
pub async fn customers(work: &Work, orders: impl Iterator<Item = Uuid>) -> Result<HashMap<Uuid, Uuid>> {
    let mut orders: Vec<Uuid> = orders.collect();
    orders.sort_unstable();
    orders.dedup();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = work.sql();
    sql.push("SELECT t.id, t.account_id FROM orders t WHERE t.id").one_of_ids(orders);
    visibility::restrict_to_visible(&mut sql, work, work.shape(Order::PLURAL)?, "t", "read")?;
    Ok(work.fetch(sql, |row| Ok((row.id(0)?, row.id(1)?))).await?.into_iter().collect())
}

async fn delete(work: &Work, found: &Stored<OrderInvoice>) -> Result<()> {
    known_system(work, &found.data.system).await?;
    let order = stored::find::<Order>(work, found.data.order_id.0, "read").await?;
    stored::delete(work, found).await?;
    balance_credits(work, &found.data, None, None).await?;
    add_up(work, &order).await
}

async fn restored(work: &Work, made: &Stored<OrderInvoice>) -> Result<()> {
    known_system(work, &made.data.system).await?;
    let order = stored::find::<Order>(work, made.data.order_id.0, "read").await?;
    expect_confirmed(&made.data, &order)?;
    balance_credits(work, &made.data, None, None).await?;
    add_up(work, &order).await
}

/// A document of a line, as far as credit notes are concerned.
struct Document {
    id: Option<Uuid>,
    key: (Timestamp, String, String),
    amount: Amount,
    over_credited: Amount,
}

impl Document {
    /// The order in which credit notes use up what was invoiced: the same, in whatever order they came in.
    fn key(invoice: &OrderInvoice) -> (Timestamp, String, String) {
        (invoice.posted_at, invoice.system.clone(), invoice.document_no.clone())
    }
}

/// Brings what a document that is about to be kept adds to what is owed up to date, and what the credit notes of its line do.
async fn balance_credit(work: &Work, own: &mut OrderInvoice, id: Option<Uuid>) -> Result<()> {
    let creditable = balance_credits(work, own, Some(own), id).await?;
    own.settle(creditable);
    Ok(())
}

/// Has the credit notes of a line give back no more than was invoiced of it: beyond that they are kept without effect. `own` is a
/// document that is about to be kept in place of the one of that id; answers what it may give back itself.
async fn balance_credits(work: &Work, of: &OrderInvoice, own: Option<&OrderInvoice>, id: Option<Uuid>) -> Result<Amount> {
    let mut sql = work.sql();
    sql.push("SELECT id, kind, amount, over_credited_amount, posted_at, system, document_no FROM order_invoices ");
    sql.push("WHERE deleted_at IS NULL AND order_id = ").id(of.order_id.0).push(" AND order_line_id = ").id(of.order_line_id);
    let rows = work
        .fetch(sql, |row| {
            let posted_at = row.time(4)?.ok_or_else(|| Error::from(Code::Internal))?;
            let key = (posted_at, row.text(5)?, row.text(6)?);
            let document = Document { id: Some(row.id(0)?), key, amount: Amount(row.int(2)?), over_credited: Amount(row.int(3)?) };
            Ok((row.text(1)? == "invoice", document))
        })
        .await?;
    let others = rows.into_iter().filter(|(_, document)| document.id != id || id.is_none());
    let (invoices, mut notes): (Vec<_>, Vec<_>) = others.partition(|(is_invoice, _)| *is_invoice);
    let mut left = invoices.iter().map(|(_, i)| i.amount).fold(Amount(0), Amount::plus);
    match own {
        Some(own) if own.kind == InvoiceKind::Invoice => left = left.plus(Amount(own.amount.0)),
        Some(own) => {
            let document = Document { id: None, key: Document::key(own), amount: Amount(own.amount.0), over_credited: Amount(0) };
            notes.push((false, document));
        }
        None => {}
    }
    notes.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
    let mut creditable = Amount(0);
    for (_, note) in notes {
        let effective = note.amount.min(left);
        match note.id {
            None => creditable = left,
            Some(other) if note.over_credited != note.amount.minus(effective) => {
                let before = stored::find_one_by::<OrderInvoice>(work, "id", Scalar::Id(other)).await?.ok_or(Code::Internal)?;
                let mut after = before.clone();
                after.data.settle(left);
                stored::save(work, &before, after, "updated", None).await?;
            }
            Some(_) => {}
        }
        left = left.minus(effective);
    }
    Ok(creditable)
}

/// Brings an order up to date with everything invoiced of it.
async fn add_up(work: &Work, before: &Stored<Order>) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.order_line_id, t.kind");
    for column in ["quantity", "amount", "paid_amount", "over_credited_amount"] {
        sql.push(", ");
        sql.amount_sum(&[column]);
    }
    sql.push(" FROM order_invoices t WHERE t.deleted_at IS NULL AND t.order_id = ")
        .id(before.id())
        .push(" GROUP BY t.order_line_id, t.kind");
    let rows = work
        .fetch(sql, |row| {
            let sum = |n| -> Result<i64> { Ok(Amount::of_parts(row.int(n)?, row.int(n + 1)?).0) };
            Ok((row.id(0)?, row.text(1)? == "invoice", [sum(2)?, sum(4)?, sum(6)?, sum(8)?]))
        })
        .await?;
    let mut after = before.clone();
    let order = &mut after.data;
    let mut invoiced: HashMap<Uuid, [i64; 2]> = HashMap::new();
    (order.invoiced_amount, order.credited_amount, order.paid_amount) = (Amount(0), Amount(0), Amount(0));
    let mut credited: HashMap<Uuid, i64> = HashMap::new();
    for (line, is_invoice, [quantity, amount, paid, beyond]) in rows {
        if is_invoice {
            invoiced.insert(line, [quantity, amount]);
            order.invoiced_amount = order.invoiced_amount.plus(Amount(amount));
            order.paid_amount = order.paid_amount.plus(Amount(paid));
        } else {
            credited.insert(line, quantity);
            order.credited_amount = order.credited_amount.plus(Amount(amount)).minus(Amount(beyond));
        }
    }
    for line in &mut order.lines {
        let [quantity, amount] = line.id.and_then(|id| invoiced.get(&id)).copied().unwrap_or_default();
        line.invoiced_quantity = Quantity(quantity);
        line.invoiced_amount = Amount(amount);
        let credited = line.id.and_then(|id| credited.get(&id)).copied().unwrap_or_default();
        line.credited_quantity = Quantity(credited.min(quantity));
    }
    order.follow_up();
    stored::save(work, before, after, "invoiced", None).await.map(|_| ())
}
