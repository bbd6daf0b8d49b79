//! Reservations that are there: let go, put off, issued. They are changed only while their level is locked, and need no lock of
//! their own.

use super::{
    identities::{Identities, Move},
    ledger::{AllOrNothing, IssueRequest, MovementRequest, Source, StockError, collect_all},
    levels::{Levels, movement},
};
use samphan_domain::stock::{
    stock_movement::MovementKind,
    stock_reservation::{ReservationStatus, StockReservation},
};
use samphan_persistence::{
    pending_update::{self, PendingUpdate},
    record::{self, Record},
    store::Work,
};
use samphan_resource::{
    error::Result,
    money::{Quantity, SignedQuantity},
    resource::Resource,
    timestamp::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Reservations and their levels, locked.
pub(super) struct Held<'w> {
    levels: Levels<'w>,
    reservations: BTreeMap<Uuid, PendingUpdate<StockReservation>>,
}

impl<'w> Held<'w> {
    /// Locks the levels of reservations, and reads these as they are then. Those that are not there are left out.
    pub(super) async fn open(work: &'w Work, ids: &[Uuid]) -> Result<Self> {
        let found = Self::read(work, ids).await?;
        let keys = found.values().map(|r| (r.data.product_id.0, r.data.warehouse_id.0)).collect();
        let levels = Levels::open(work, keys, |_| false).await?;
        Ok(Self { levels, reservations: Self::read(work, ids).await? })
    }

    async fn read(work: &Work, ids: &[Uuid]) -> Result<BTreeMap<Uuid, PendingUpdate<StockReservation>>> {
        let shape = work.shape(StockReservation::PLURAL)?;
        let unique: BTreeSet<Uuid> = ids.iter().copied().collect();
        let mut sql = record::select(work, shape);
        sql.push(" AND t.id").one_of_ids(unique);
        let found = work.fetch(sql, |row| PendingUpdate::read(shape, row)).await?;
        Ok(found.into_iter().map(|r: PendingUpdate<StockReservation>| (r.id, r)).collect())
    }

    /// A reservation.
    pub(super) fn get(&self, id: Uuid) -> Option<&PendingUpdate<StockReservation>> {
        self.reservations.get(&id)
    }

    /// Ends a reservation that holds; says whether it did.
    pub(super) fn end(&mut self, id: Uuid, status: ReservationStatus, reason: Option<String>) -> bool {
        let Some(found) = self.reservations.get_mut(&id).filter(|r| r.data.status == ReservationStatus::Active) else { return false };
        let left = found.data.quantity.0 - found.data.consumed.0;
        if let Some(level) = self.levels.by_key.get_mut(&(found.data.product_id.0, found.data.warehouse_id.0)) {
            level.reserved = (level.reserved - left).max(0);
            level.settle(false);
        }
        found.data.status = status;
        found.event = Some(status.as_str());
        found.reason = reason;
        true
    }

    /// Lets go of part of a reservation that holds.
    pub(super) fn reduce(&mut self, id: Uuid, by: Quantity, reason: Option<String>) {
        let Some(found) = self.reservations.get_mut(&id).filter(|r| r.data.status == ReservationStatus::Active) else { return };
        if by.0 >= found.data.quantity.0 - found.data.consumed.0 {
            self.end(id, ReservationStatus::Released, reason);
            return;
        }
        found.data.quantity.0 -= by.0;
        found.event = Some("reduced");
        found.reason = reason;
        let key = (found.data.product_id.0, found.data.warehouse_id.0);
        if let Some(level) = self.levels.by_key.get_mut(&key) {
            level.reserved = (level.reserved - by.0).max(0);
            level.settle(false);
        }
    }

    /// Puts off the end of a reservation that holds; says whether it did.
    pub(super) fn extend(&mut self, id: Uuid, expires_at: Option<Timestamp>) -> bool {
        let Some(found) = self.reservations.get_mut(&id).filter(|r| r.data.status == ReservationStatus::Active) else { return false };
        found.data.expires_at = expires_at;
        found.event = Some("extended");
        true
    }

    /// Has a reservation that holds do so for a record, without an end; says whether it held.
    pub(super) fn keep_for(&mut self, id: Uuid, source: &Source) -> bool {
        if !self.extend(id, None) {
            return false;
        }
        if let Some(found) = self.reservations.get_mut(&id) {
            found.data.source_resource = Some(source.resource.clone());
            found.data.source_id = Some(source.id);
        }
        true
    }

    /// The movements that issues make; nothing of a reservation that is not there.
    fn moves(&self, issues: &[IssueRequest]) -> Vec<Move> {
        let one = |issue: &IssueRequest| {
            let found = self.reservations.get(&issue.reservation_id).map(|r| &r.data);
            let left = found.map_or(0, |r| r.quantity.0 - r.consumed.0);
            let quantity = issue.quantity.map_or(left, |q| q.0);
            let key = found.map(|r| (r.product_id.0, r.warehouse_id.0)).unwrap_or_default();
            Move { key, quantity: -quantity, lot_no: issue.lot_no.clone(), serial_no: issue.serial_no.clone() }
        };
        issues.iter().map(one).collect()
    }

    /// Issues goods of a reservation.
    fn issue(&mut self, issue: &IssueRequest) -> std::result::Result<(), StockError> {
        let found = self.reservations.get_mut(&issue.reservation_id).ok_or(StockError::UnknownReservation)?;
        if found.data.status != ReservationStatus::Active {
            return Err(StockError::NotActive(found.data.status));
        }
        let key = (found.data.product_id.0, found.data.warehouse_id.0);
        let level = self.levels.by_key.get_mut(&key).ok_or(StockError::Short { level_id: None, available: Quantity(0) })?;
        let left = found.data.quantity.0 - found.data.consumed.0;
        let quantity = issue.quantity.map_or(left, |q| q.0);
        if !(1..=left).contains(&quantity) {
            return Err(StockError::OutOfRange);
        }
        // What is put aside is not always there: a count may have been lower, or it was promised before it came.
        let most = level.on_hand + self.levels.facts.get(&key).map_or(0, |f| f.may_lack);
        if quantity > most {
            return Err(StockError::Short { level_id: Some(level.id), available: Quantity(most.max(0)) });
        }
        level.on_hand -= quantity;
        level.reserved = (level.reserved - quantity).max(0);
        level.settle(false);
        found.data.consumed = Quantity(found.data.consumed.0 + quantity);
        if quantity == left {
            found.data.status = ReservationStatus::Consumed;
        }
        found.event = Some("consumed");
        let own = Source { resource: StockReservation::PLURAL.to_owned(), id: issue.reservation_id };
        let entry = MovementRequest {
            product_id: found.data.product_id,
            warehouse_id: found.data.warehouse_id,
            quantity: SignedQuantity(-quantity),
            kind: MovementKind::Issue,
            reason: None,
            source: Some(issue.source.clone().unwrap_or(own)),
            lot_no: issue.lot_no.clone(),
            serial_no: issue.serial_no.clone(),
        };
        let after = level.on_hand;
        self.levels.movements.push(movement(&entry, after));
        Ok(())
    }

    /// Issues goods of many reservations, or of none.
    pub(super) async fn issue_all(&mut self, issues: &[IssueRequest]) -> Result<AllOrNothing<()>> {
        let (named, refused) = Identities::open(self.levels.work, &self.levels.facts, &self.moves(issues)).await?;
        if !refused.is_empty() {
            return Ok(Err(refused));
        }
        let before = (self.reservations.clone(), self.levels.by_key.clone());
        let done = collect_all(issues.iter().map(|issue| self.issue(issue)).collect());
        if done.is_err() {
            (self.reservations, self.levels.by_key) = before;
            self.levels.movements.clear();
            return Ok(done.map(|_| ()));
        }
        named.close().await?;
        Ok(Ok(()))
    }

    /// Writes everything, and answers the movements.
    pub(super) async fn close(self) -> Result<Vec<Record>> {
        let ending = "ON CONFLICT (id) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at, \
            updated_by_id = excluded.updated_by_id, quantity = excluded.quantity, \
            consumed = excluded.consumed, status = excluded.status, expires_at = excluded.expires_at, \
            source_resource = excluded.source_resource, source_id = excluded.source_id";
        pending_update::save_many(self.levels.work, self.reservations.into_values(), ending).await?;
        self.levels.close().await
    }
}
