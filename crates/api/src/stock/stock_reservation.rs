//! How reservations are reached. Their level is locked before they are, as everywhere, so their actions are not the kernel's.

use super::{
    held::Held,
    ledger::{self, IssueRequest, ReservationRequest, Source},
};
use actix_web::http::Method;
use samphan_domain::stock::stock_reservation::{ConsumeReservation, ExtendReservation, ReservationStatus, StockReservation};
use samphan_persistence::{
    record::expect_version,
    relations,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
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

/// Reservations.
#[must_use]
pub fn routes() -> Collection<StockReservation> {
    let about = "409 `illegal_transition` when it no longer holds; see `available_actions` of the record.";
    let action = |operation: Operation, verb: &str| {
        operation.requires(format!("stock-reservations:{verb}")).responds(200, "StockReservation").etag().if_match(false)
    };
    Collection::new("stock")
        .create(create)
        .with_create()
        .operation("/{id}/release", |path| {
            action(Operation::write("releaseStockReservation", Method::POST, path, release), "release")
                .describe("stock", "Release a stock reservation", about)
                .example(Example::default().answers(json!({"status": "released"})))
        })
        .operation("/{id}/extend", |path| {
            action(Operation::write("extendStockReservation", Method::POST, path, extend), "extend")
                .describe("stock", "Extend a stock reservation", about)
                .example(Example::body(json!({"expires_at": null})))
                .body(Body::of("ExtendReservation"))
        })
        .operation("/{id}/consume", |path| {
            let about = format!("Books the issue in the ledger. 409 `insufficient_stock` when less than that is there. {about}");
            action(Operation::write("consumeStockReservation", Method::POST, path, consume), "consume")
                .describe("stock", "Consume a stock reservation", about)
                .example(Example::body(json!({"quantity": "4"})).answers(json!({"consumed": "4"})))
                .body(Body::of("ConsumeReservation"))
        })
        .schema::<ExtendReservation>()
        .schema::<ConsumeReservation>()
}

async fn create(work: &Work, draft: Stored<StockReservation>) -> Result<Stored<StockReservation>> {
    let chosen = draft.record.get("id").and_then(Value::as_str).and_then(|id| Uuid::parse_str(id).ok());
    if let Some(id) = chosen {
        let mut sql = work.sql();
        sql.push("SELECT 1 FROM stock_reservations WHERE id = ").id(id);
        if work.count(sql).await? > 0 {
            return Err(Error::from(Code::AlreadyExists).with_conflict(StockReservation::PLURAL, id, "id"));
        }
    }
    relations::require_any_references(work, work.shape(StockReservation::PLURAL)?, &draft.record).await?;
    let asked = draft.data;
    if asked.expires_at.is_some_and(|t| t <= work.now) {
        return Err(in_past());
    }
    let source = asked.source_resource.zip(asked.source_id).map(|(resource, id)| Source { resource, id });
    let want = ReservationRequest {
        id: chosen,
        product_id: asked.product_id,
        warehouse_id: asked.warehouse_id,
        quantity: asked.quantity,
        expires_at: asked.expires_at,
        source,
    };
    let done = ledger::reserve(work, &[want]).await?;
    let id = match done.into_iter().next() {
        Some(Ok(Some(id))) => id,
        Some(Ok(None)) => return Err(ledger::refused(&[(String::new(), ledger::StockError::NotStocked)])),
        Some(Err(refusal)) => return Err(ledger::refused(&[(String::new(), refusal)])),
        None => return Err(Code::Internal.into()),
    };
    read(work, id).await
}

async fn read(work: &Work, id: Uuid) -> Result<Stored<StockReservation>> {
    stored::find_one_by(work, "id", Scalar::Id(id)).await?.ok_or_else(|| Code::NotFound.into())
}

fn in_past() -> Error {
    Error::invalid(FieldError::new("/expires_at", FieldCode::InPast, "a time to come, or null"))
}

/// Locks a reservation that holds, of the version the caller means.
async fn open<'w>(work: &'w Work, call: &RequestContext, verb: &str) -> Result<(Uuid, Held<'w>)> {
    let id = call.id(0)?;
    let held = Held::open(work, &[id]).await?;
    let found = held.get(id).ok_or_else(|| Error::from(Code::NotFound))?;
    expect_version(call.if_match, found.version)?;
    // What an order or a promise has put aside is theirs to move: they know how much it is.
    let owner = found.data.source_resource.as_deref().zip(found.data.source_id);
    if let Some((resource, id)) = owner.filter(|(resource, _)| matches!(*resource, "orders" | "order_promises")) {
        return Err(Error::from(Code::InUse).with_conflict(resource, id, "lines"));
    }
    transition::expect(StockReservation::TRANSITIONS, found.data.status.as_str(), verb)?;
    Ok((id, held))
}

async fn answer(work: &Work, id: Uuid) -> Result<Response> {
    Ok(Response::record(work, work.shape(StockReservation::PLURAL)?, &read(work, id).await?.record))
}

async fn release(work: &Work, call: RequestContext) -> Result<Response> {
    let (id, mut held) = open(work, &call, "release").await?;
    held.end(id, ReservationStatus::Released, None);
    held.close().await?;
    answer(work, id).await
}

async fn extend(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: ExtendReservation = call.input()?;
    if asked.expires_at.is_some_and(|t| t <= work.now) {
        return Err(in_past());
    }
    let (id, mut held) = open(work, &call, "extend").await?;
    held.extend(id, asked.expires_at);
    held.close().await?;
    answer(work, id).await
}

async fn consume(work: &Work, call: RequestContext) -> Result<Response> {
    let asked: ConsumeReservation = call.input()?;
    let (id, mut held) = open(work, &call, "consume").await?;
    let issue =
        IssueRequest { reservation_id: id, quantity: asked.quantity, source: None, lot_no: asked.lot_no, serial_no: asked.serial_no };
    let done = held.issue_all(&[issue]).await?;
    done.map_err(|refusals| ledger::refused(&refusals.into_iter().map(|(_, refusal)| (String::new(), refusal)).collect::<Vec<_>>()))?;
    held.close().await?;
    answer(work, id).await
}
