//! The ledger: the one place where stock is put aside and moved. Orders, shipments and the stock operations all go through here.
//!
//! Whoever comes first locks the levels he touches, all of them at once and always in the same order, so that nobody overtakes
//! anybody and nobody waits in a circle. A work therefore asks once, with all its lines; asking twice in one work may meet another
//! work that asks the other way round. Everything is a handful of statements, however many lines.

use super::{
    held::Held,
    identities::{Identities, Move},
    levels::{Facts, Levels},
};
use samphan_domain::{
    id::{ProductId, WarehouseId},
    stock::{
        stock_level::StockLevel,
        stock_movement::MovementKind,
        stock_reservation::{ReservationStatus, StockReservation},
    },
};
use samphan_persistence::{record::Record, store::Work, stored::Stored};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    money::{Quantity, SignedQuantity},
    resource::Resource,
    timestamp::Timestamp,
};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A product in a warehouse.
pub type Key = (Uuid, Uuid);

/// What is done for all lines or for none: else each line that stands in the way, by its place, and why.
pub type AllOrNothing<T> = std::result::Result<T, Vec<(usize, StockError)>>;

/// The record something is done for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its resource, such as `orders`.
    pub resource: String,
    /// Its id.
    pub id: Uuid,
}

/// Something to be put aside.
#[derive(Clone, Debug)]
pub struct ReservationRequest {
    /// The reservation's id, where somebody chose it.
    pub id: Option<Uuid>,
    /// The product.
    pub product_id: ProductId,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// How much.
    pub quantity: Quantity,
    /// Until when; until it is released when none.
    pub expires_at: Option<Timestamp>,
    /// What for.
    pub source: Option<Source>,
}

/// Something that comes or goes.
#[derive(Clone, Debug)]
pub struct MovementRequest {
    /// The product.
    pub product_id: ProductId,
    /// The warehouse.
    pub warehouse_id: WarehouseId,
    /// What comes, or below zero what goes.
    pub quantity: SignedQuantity,
    /// What it is.
    pub kind: MovementKind,
    /// Why.
    pub reason: Option<String>,
    /// What for.
    pub source: Option<Source>,
    /// The lot.
    pub lot_no: Option<String>,
    /// The serial number.
    pub serial_no: Option<String>,
}

/// Something issued of what was put aside.
#[derive(Clone, Debug)]
pub struct IssueRequest {
    /// The reservation.
    pub reservation_id: Uuid,
    /// How much; all that is left of it when none.
    pub quantity: Option<Quantity>,
    /// What for; the reservation when none.
    pub source: Option<Source>,
    /// The lot.
    pub lot_no: Option<String>,
    /// The serial number.
    pub serial_no: Option<String>,
}

/// Why a line cannot be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockError {
    /// There is less than that.
    Short {
        /// The level, where there is one.
        level_id: Option<Uuid>,
        /// What there is for this: what is available, and what more the product's backorder policy allows.
        available: Quantity,
    },
    /// There is no such product.
    UnknownProduct,
    /// There is no such warehouse.
    UnknownWarehouse,
    /// There is no stock of services.
    NotStocked,
    /// What is kept in this warehouse is not for sale.
    NotForSale,
    /// The warehouse is closed.
    Closed,
    /// Nothing, or more than can be kept.
    OutOfRange,
    /// There is no such reservation.
    UnknownReservation,
    /// The reservation no longer holds.
    NotActive(ReservationStatus),
    /// The product is tracked by serial number, and none is named.
    SerialRequired,
    /// A serial number is of one piece.
    OnePiece,
    /// A piece with that serial number is on hand already.
    SerialOnHand,
    /// No piece with that serial number is on hand in that warehouse.
    SerialNotThere,
    /// The product is tracked by lot, and none is named.
    LotRequired,
    /// There is only so much of that lot in that warehouse.
    LotShort(Quantity),
    /// What is tracked by lot or serial number is not counted as a whole.
    Tracked,
}

impl StockError {
    /// As a fault of the line at that place, such as `/lines/3`.
    #[must_use]
    pub fn fault(&self, at: &str) -> FieldError {
        let new = |field: &str, code, about: &str| FieldError::new(format!("{at}/{field}"), code, about);
        match self {
            Self::Short { available, .. } => new("quantity", FieldCode::InsufficientStock, &available.to_string()),
            Self::UnknownProduct => new("product_id", FieldCode::UnknownReference, "products"),
            Self::UnknownWarehouse => new("warehouse_id", FieldCode::UnknownReference, "warehouses"),
            Self::NotStocked => new("product_id", FieldCode::NotStocked, "a product that is no service"),
            Self::NotForSale => new("warehouse_id", FieldCode::NotForSale, "a warehouse whose goods are available for sale"),
            Self::Closed => new("warehouse_id", FieldCode::Closed, "a warehouse in use"),
            Self::OutOfRange => new("quantity", FieldCode::OutOfRange, "0.0001 to 100000000000, and no more than that in one place"),
            Self::UnknownReservation => new("reservation_id", FieldCode::UnknownReference, "stock_reservations"),
            Self::NotActive(status) => new("reservation_id", FieldCode::NotActive, status.as_str()),
            Self::SerialRequired => new("serial_no", FieldCode::Required, ""),
            Self::OnePiece => new("quantity", FieldCode::NotAllowed, "one piece for each serial number"),
            Self::SerialOnHand => new("serial_no", FieldCode::OnHand, "a number that is not on hand already"),
            Self::SerialNotThere => new("serial_no", FieldCode::NotOnHand, "a number that is on hand in the warehouse"),
            Self::LotRequired => new("lot_no", FieldCode::Required, ""),
            Self::LotShort(left) => new("lot_no", FieldCode::InsufficientStock, &left.to_string()),
            Self::Tracked => new(
                "on_hand",
                FieldCode::Tracked,
                "no count of a product tracked by lot or serial number that differs; receive or adjust by number",
            ),
        }
    }
}

/// The problem of the lines that stand in the way, by the place of each, such as `/lines/3`.
#[must_use]
pub fn refused(refusals: &[(String, StockError)]) -> Error {
    let any = |what: fn(&StockError) -> bool| refusals.iter().any(|(_, r)| what(r));
    let code = if any(|r| matches!(r, StockError::Short { .. } | StockError::LotShort(_))) {
        Code::InsufficientStock
    } else if any(|r| matches!(r, StockError::SerialOnHand | StockError::SerialNotThere)) {
        Code::Conflict
    } else if any(|r| matches!(r, StockError::NotActive(_))) {
        Code::IllegalTransition
    } else if any(|r| matches!(r, StockError::UnknownProduct | StockError::UnknownWarehouse | StockError::UnknownReservation)) {
        Code::UnknownReference
    } else {
        Code::ValidationFailed
    };
    let mut error = Error::from(code).with_field_errors(refusals.iter().map(|(at, refusal)| refusal.fault(at)).collect());
    // A problem has room for a hundred records in the way; every line has its fault.
    let levels: BTreeSet<Uuid> =
        refusals.iter().filter_map(|(_, r)| if let StockError::Short { level_id, .. } = r { *level_id } else { None }).collect();
    for level in levels.into_iter().take(100) {
        error = error.with_conflict(StockLevel::PLURAL, level, "available");
    }
    error
}

/// Puts aside what there is: each want is answered with its reservation, with none where the product needs no stock, or with why not.
pub async fn reserve(work: &Work, wants: &[ReservationRequest]) -> Result<Vec<std::result::Result<Option<Uuid>, StockError>>> {
    let mut levels = Levels::open(work, wants.iter().map(ReservationRequest::key).collect(), Facts::may_begin_below).await?;
    let done = wants.iter().map(|want| levels.reserve(want)).collect();
    levels.close().await?;
    Ok(done)
}

/// The same, for all of them or none: nothing is put aside when anything stands in the way, and the work may go on.
pub async fn reserve_all(work: &Work, wants: &[ReservationRequest]) -> Result<AllOrNothing<Vec<Option<Uuid>>>> {
    let mut levels = Levels::open(work, wants.iter().map(ReservationRequest::key).collect(), Facts::may_begin_below).await?;
    let done = levels.all_or_none(wants, Levels::reserve);
    levels.close().await?;
    Ok(done)
}

/// Lets go of what is left of reservations, and answers which of them held until now: others are left as they are.
pub async fn release(work: &Work, ids: &[Uuid], reason: Option<String>) -> Result<Vec<Uuid>> {
    let mut open = Held::open(work, ids).await?;
    let mut released = vec![];
    for id in ids {
        if open.end(*id, ReservationStatus::Released, reason.clone()) {
            released.push(*id);
        }
    }
    open.close().await?;
    Ok(released)
}

/// Lets go of part of reservations that hold: of each so much, all of it where no more is left.
pub async fn reduce(work: &Work, parts: &[(Uuid, Quantity)], reason: Option<String>) -> Result<()> {
    let ids: Vec<Uuid> = parts.iter().map(|(id, _)| *id).collect();
    let mut open = Held::open(work, &ids).await?;
    for (id, by) in parts {
        open.reduce(*id, *by, reason.clone());
    }
    open.close().await.map(|_| ())
}

/// Has reservations hold for a record until they are released, and answers which of them held until now.
pub async fn reassign(work: &Work, ids: &[Uuid], source: &Source) -> Result<Vec<Uuid>> {
    let mut open = Held::open(work, ids).await?;
    let kept = ids.iter().copied().filter(|id| open.keep_for(*id, source)).collect();
    open.close().await?;
    Ok(kept)
}

/// Locks levels that are there, all at once, for a work that is going to touch some of them more than once.
pub async fn lock(work: &Work, keys: BTreeSet<Key>) -> Result<()> {
    Levels::open(work, keys, |_| false).await?.close().await.map(|_| ())
}

/// Issues goods of reservations and answers the movements, in order; none of them when anything stands in the way.
pub async fn consume(work: &Work, issues: &[IssueRequest]) -> Result<AllOrNothing<Vec<Record>>> {
    let ids: Vec<Uuid> = issues.iter().map(|i| i.reservation_id).collect();
    let mut open = Held::open(work, &ids).await?;
    let done = open.issue_all(issues).await?;
    let made = open.close().await?;
    Ok(done.map(|()| made))
}

/// Books movements of any kind and answers them, in order; none of them when anything stands in the way.
pub async fn book(work: &Work, entries: &[MovementRequest]) -> Result<AllOrNothing<Vec<Record>>> {
    let mut levels = Levels::open(work, entries.iter().map(MovementRequest::key).collect(), Facts::is_stocked).await?;
    let moves: Vec<Move> = entries.iter().map(MovementRequest::as_move).collect();
    let (named, refused) = Identities::open(work, &levels.facts, &moves).await?;
    let done = if refused.is_empty() { levels.all_or_none(entries, Levels::book) } else { Err(refused) };
    if done.is_ok() {
        named.close().await?;
    }
    let made = levels.close().await?;
    Ok(done.map(|_| made))
}

/// Ends overdue reservations. A request in whose way they are ends them first; this is for all others.
pub async fn expire(work: &Work, overdue: Vec<Stored<StockReservation>>) -> Result<()> {
    let keys = overdue.iter().map(|one| (one.data.product_id.0, one.data.warehouse_id.0));
    Levels::open(work, keys.collect(), Facts::may_be_kept).await?.close().await.map(|_| ())
}

pub(super) fn collect_all<T>(results: Vec<std::result::Result<T, StockError>>) -> AllOrNothing<Vec<T>> {
    let (mut done, mut refusals) = (vec![], vec![]);
    for (place, result) in results.into_iter().enumerate() {
        match result {
            Ok(one) => done.push(one),
            Err(refusal) => refusals.push((place, refusal)),
        }
    }
    if refusals.is_empty() { Ok(done) } else { Err(refusals) }
}

impl ReservationRequest {
    pub(super) const fn key(&self) -> Key {
        (self.product_id.0, self.warehouse_id.0)
    }
}

impl MovementRequest {
    fn as_move(&self) -> Move {
        Move { key: self.key(), quantity: self.quantity.0, lot_no: self.lot_no.clone(), serial_no: self.serial_no.clone() }
    }

    pub(super) const fn key(&self) -> Key {
        (self.product_id.0, self.warehouse_id.0)
    }
}
