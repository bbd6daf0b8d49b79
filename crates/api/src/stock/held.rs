//! Reservations that are there: let go, put off, issued. They are changed only while their level is locked, and need no lock of
//! their own.

use super::{
    ledger::{AllOrNone, Entry, Issue, Refusal, Source, gathered},
    levels::{Levels, event, movement},
};
use samphan_domain::{
    error::{Code, Error, Result},
    event::Event,
    instant::Instant,
    money::{Quantity, SignedQuantity},
    resource::Resource,
    stock::{
        stock_movement::MovementKind,
        stock_reservation::{ReservationStatus, StockReservation},
    },
};
use samphan_persistence::{
    record::{self, Record},
    store::Work,
};
use serde::{Deserialize, de::value::SeqDeserializer};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A reservation whose level is locked.
#[derive(Clone, Debug)]
pub(super) struct Reservation {
    /// Its values as they were, in the order of the shape's fields.
    before: Vec<Value>,
    pub version: i64,
    pub data: StockReservation,
    /// What was done, as its event says.
    done: Option<&'static str>,
    reason: Option<String>,
}

/// Reservations and their levels, locked.
pub(super) struct Held<'w> {
    levels: Levels<'w>,
    reservations: BTreeMap<Uuid, Reservation>,
}

impl<'w> Held<'w> {
    /// Locks the levels of reservations, and reads these as they are then. Those that are not there are left out.
    pub(super) async fn open(work: &'w Work, ids: &[Uuid]) -> Result<Self> {
        let found = Self::read(work, ids).await?;
        let keys = found.values().map(|r| (r.data.product_id.0, r.data.warehouse_id.0)).collect();
        let levels = Levels::open(work, keys, |_| false).await?;
        Ok(Self { levels, reservations: Self::read(work, ids).await? })
    }

    async fn read(work: &Work, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Reservation>> {
        let shape = work.shape(StockReservation::MANY)?;
        let unique: BTreeSet<Uuid> = ids.iter().copied().collect();
        let mut sql = record::select(work, shape);
        sql.push(" AND t.id").one_of_ids(unique);
        let rows = work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?, record::read_values(shape, row)?))).await?;
        rows.into_iter()
            .map(|(id, version, before)| {
                let own = SeqDeserializer::<_, serde_json::Error>::new(before.iter().skip(shape.own));
                let data = StockReservation::deserialize(own).map_err(|_| Error::from(Code::Internal))?;
                Ok((id, Reservation { before, version, data, done: None, reason: None }))
            })
            .collect()
    }

    /// A reservation.
    pub(super) fn get(&self, id: Uuid) -> Option<&Reservation> {
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
        found.done = Some(status.as_str());
        found.reason = reason;
        true
    }

    /// Puts off the end of a reservation that holds; says whether it did.
    pub(super) fn extend(&mut self, id: Uuid, expires_at: Option<Instant>) -> bool {
        let Some(found) = self.reservations.get_mut(&id).filter(|r| r.data.status == ReservationStatus::Active) else { return false };
        found.data.expires_at = expires_at;
        found.done = Some("extended");
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

    /// Issues goods of a reservation.
    pub(super) fn issue(&mut self, issue: &Issue) -> std::result::Result<(), Refusal> {
        let found = self.reservations.get_mut(&issue.reservation_id).ok_or(Refusal::UnknownReservation)?;
        if found.data.status != ReservationStatus::Active {
            return Err(Refusal::NotActive(found.data.status));
        }
        let key = (found.data.product_id.0, found.data.warehouse_id.0);
        let level = self.levels.by_key.get_mut(&key).ok_or(Refusal::Short { level_id: None, available: Quantity(0) })?;
        let left = found.data.quantity.0 - found.data.consumed.0;
        let quantity = issue.quantity.map_or(left, |q| q.0);
        if !(1..=left).contains(&quantity) {
            return Err(Refusal::OutOfRange);
        }
        // What is put aside is not always there: a count may have been lower, or it was promised before it came.
        let most = level.on_hand + self.levels.facts.get(&key).map_or(0, |f| f.may_lack);
        if quantity > most {
            return Err(Refusal::Short { level_id: Some(level.id), available: Quantity(most.max(0)) });
        }
        level.on_hand -= quantity;
        level.reserved = (level.reserved - quantity).max(0);
        level.settle(false);
        found.data.consumed = Quantity(found.data.consumed.0 + quantity);
        if quantity == left {
            found.data.status = ReservationStatus::Consumed;
        }
        found.done = Some("consumed");
        let own = Source { resource: StockReservation::MANY.to_owned(), id: issue.reservation_id };
        let entry = Entry {
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
    pub(super) fn issue_all(&mut self, issues: &[Issue]) -> AllOrNone<()> {
        let before = (self.reservations.clone(), self.levels.by_key.clone());
        let done = gathered(issues.iter().map(|issue| self.issue(issue)).collect());
        if done.is_err() {
            (self.reservations, self.levels.by_key) = before;
            self.levels.movements.clear();
        }
        done.map(|_| ())
    }

    /// Writes everything, and answers the movements.
    pub(super) async fn close(self) -> Result<Vec<Record>> {
        let work = self.levels.work;
        let shape = work.shape(StockReservation::MANY)?;
        let (now, author) = (json!(work.now), json!(work.caller.author()));
        let mut rows = vec![];
        for (id, found) in self.reservations {
            let Some(done) = found.done else { continue };
            let version = found.version + 1;
            let Value::Object(own) = json!(found.data) else { return Err(Code::Internal.into()) };
            let kept = |place: usize| found.before.get(place).cloned().unwrap_or_default();
            let meta = [json!(id), json!(version), kept(2), kept(3), now.clone(), author.clone()];
            let after: Vec<Value> = meta.into_iter().chain(own.into_iter().map(|(_, value)| value)).collect();
            rows.push(record::row_of_values(shape, &after)?);
            let (mut was, mut is, mut names) = (Map::new(), Map::new(), vec![]);
            let each = shape.fields.iter().map(|f| f.name).zip(found.before.into_iter().zip(after)).skip(shape.own);
            for (name, (before, after)) in each.filter(|(_, (before, after))| before != after) {
                names.push(name);
                was.insert(name.to_owned(), before);
                is.insert(name.to_owned(), after);
            }
            work.emit(Event {
                changed_fields: names,
                before: Some(was),
                after: Some(is),
                reason: found.reason,
                ..event(shape.many, &format!("stock_reservation.{done}"), id, version)
            });
        }
        let ending = "ON CONFLICT (id) DO UPDATE SET version = excluded.version, updated_at = excluded.updated_at, \
            updated_by_id = excluded.updated_by_id, consumed = excluded.consumed, status = excluded.status, expires_at = excluded.expires_at, \
            source_resource = excluded.source_resource, source_id = excluded.source_id";
        work.insert(shape.many, &record::names_of(shape), rows, ending).await?;
        self.levels.close().await
    }
}
