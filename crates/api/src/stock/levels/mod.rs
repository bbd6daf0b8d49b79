//! Stock levels, locked: looked at, made where they are missing, changed in memory, and written with their movements and events.

mod write;

pub(super) use write::{BELOW_MINIMUM, movement};

use super::ledger::{AllOrNothing, Key, MovementRequest, ReservationRequest, StockError, collect_all};
use samphan_domain::{
    catalog::product::Tracking,
    id::{ProductId, WarehouseId},
    stock::{
        stock_count::Stamp,
        stock_level::{MOST, StockLevel},
        stock_movement::{MovementKind, StockMovement},
        stock_reservation::{ReservationStatus, StockReservation},
    },
};
use samphan_persistence::{pending_update::PendingUpdate, sql::Sql, store::Work};
use samphan_resource::{
    error::Result,
    event::Event,
    money::{Quantity, SignedQuantity},
    resource::Resource,
    scalar::{Kind, Scalar},
};
use serde_json::{Map, json};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use uuid::Uuid;
use write::{LEVEL, event};

/// What is known of a product in a warehouse beside its level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    has_product: bool,
    has_warehouse: bool,
    stocked: bool,
    closed: bool,
    for_sale: bool,
    /// How far beyond what is there more may be promised or issued.
    pub may_lack: i64,
    /// How its pieces are told apart.
    pub tracking: Tracking,
}

impl Facts {
    /// Whether a level may be made.
    pub(super) const fn is_stocked(&self) -> bool {
        self.has_product && self.has_warehouse && self.stocked && !self.closed
    }

    /// Whether a level of the ledger's may be made again, whatever became of product and warehouse meanwhile.
    pub(super) const fn may_be_kept(&self) -> bool {
        true
    }

    /// Whether something may be put aside where nothing ever was.
    pub(super) const fn may_begin_below(&self) -> bool {
        self.is_stocked() && self.for_sale && self.may_lack > 0
    }

    /// What stands in the way of any movement.
    pub(super) const fn refusal(&self) -> Option<StockError> {
        match self {
            Self { has_product: false, .. } => Some(StockError::UnknownProduct),
            Self { has_warehouse: false, .. } => Some(StockError::UnknownWarehouse),
            Self { stocked: false, .. } => Some(StockError::NotStocked),
            Self { closed: true, .. } => Some(StockError::Closed),
            _ => None,
        }
    }
}

/// A level, locked.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub id: Uuid,
    pub version: i64,
    /// Whether this work made it.
    made: bool,
    /// On hand and reserved as they were.
    was: (i64, i64),
    pub on_hand: i64,
    pub reserved: i64,
    backordered: i64,
    minimum: Option<i64>,
    /// The count that holds, and the system that told it.
    pub count: Option<(String, Stamp)>,
    /// Whether another count holds than before.
    pub counted: bool,
    /// Why it changed, for its event.
    pub reason: Option<String>,
}

impl Level {
    const fn available(&self) -> i64 {
        self.on_hand - self.reserved
    }

    /// Takes back what was changed since it was locked.
    pub(super) const fn forget(&mut self) {
        (self.on_hand, self.reserved) = self.was;
    }

    /// Notes what is promised beyond what is there. Only what is allowed to raises it: else the database refuses the row.
    pub(super) fn settle(&mut self, allowed: bool) {
        let beyond = (self.reserved - self.on_hand).max(0);
        self.backordered = if allowed { beyond } else { beyond.min(self.backordered) };
    }

    const fn next_version(&self) -> i64 {
        if self.made || !self.is_changed() { self.version } else { self.version + 1 }
    }

    const fn is_changed(&self) -> bool {
        self.counted || self.was.0 != self.on_hand || self.was.1 != self.reserved
    }
}

/// Levels, locked, and what is to be written of them.
pub(super) struct Levels<'w> {
    pub work: &'w Work,
    pub facts: BTreeMap<Key, Facts>,
    pub by_key: BTreeMap<Key, Level>,
    pub movements: Vec<StockMovement>,
    reservations: Vec<PendingUpdate<StockReservation>>,
}

/// Adds `(VALUES (…, …), …)`.
fn pairs(sql: &mut Sql, keys: impl Iterator<Item = Key>) {
    for (n, (product, warehouse)) in keys.enumerate() {
        sql.push(if n == 0 { "(VALUES (" } else { ", (" }).id(product).push(", ").id(warehouse).push(")");
    }
    sql.push(")");
}

impl<'w> Levels<'w> {
    /// Locks the levels, makes those that are missing and `make` says, and ends what is overdue of them.
    pub(super) async fn open(work: &'w Work, keys: BTreeSet<Key>, make: fn(&Facts) -> bool) -> Result<Self> {
        let mut levels = Self { work, facts: BTreeMap::new(), by_key: BTreeMap::new(), movements: vec![], reservations: vec![] };
        if keys.is_empty() {
            return Ok(levels);
        }
        let missing = levels.look(&keys, make).await?;
        let made = levels.make(missing).await?;
        levels.lock(&keys, &made).await?;
        levels.end_overdue().await?;
        Ok(levels)
    }

    /// Reads what is known of the keys, without a lock; answers those without a level that are to get one.
    async fn look(&mut self, keys: &BTreeSet<Key>, make: fn(&Facts) -> bool) -> Result<Vec<Key>> {
        let mut sql = self.work.sql();
        sql.push("WITH v (product_id, warehouse_id) AS ");
        pairs(&mut sql, keys.iter().copied());
        sql.push(
            " SELECT v.product_id, v.warehouse_id, p.kind, p.backorder, p.backorder_limit, w.status, w.available_for_sale, t.id, p.tracked FROM v \
             LEFT JOIN products p ON p.id = v.product_id AND p.deleted_at IS NULL \
             LEFT JOIN warehouses w ON w.id = v.warehouse_id AND w.deleted_at IS NULL \
             LEFT JOIN stock_levels t ON t.product_id = v.product_id AND t.warehouse_id = v.warehouse_id AND t.deleted_at IS NULL",
        );
        let rows = self
            .work
            .fetch(sql, |row| {
                let (kind, status) = (row.optional_text(2)?, row.optional_text(5)?);
                let may_lack = match row.optional_text(3)?.as_deref() {
                    Some("allow") => row.optional_int(4)?.unwrap_or(MOST),
                    _ => 0,
                };
                let facts = Facts {
                    has_product: kind.is_some(),
                    has_warehouse: status.is_some(),
                    stocked: kind.as_deref() != Some("service"),
                    closed: status.as_deref() != Some("active"),
                    for_sale: row.scalar(6, Kind::Bool)? == Scalar::Bool(true),
                    may_lack,
                    tracking: Tracking::named(row.optional_text(8)?.as_deref()),
                };
                Ok(((row.id(0)?, row.id(1)?), facts, row.optional_id(7)?.is_some()))
            })
            .await?;
        let missing = rows.iter().filter(|(_, facts, has_level)| !has_level && make(facts)).map(|(key, ..)| *key);
        let missing: BTreeSet<Key> = missing.collect();
        self.facts = rows.into_iter().map(|(key, facts, _)| (key, facts)).collect();
        Ok(missing.into_iter().collect())
    }

    /// Makes empty levels, unless somebody else does so at the same moment; answers their ids.
    async fn make(&self, missing: Vec<Key>) -> Result<BTreeSet<Uuid>> {
        let mut ids = BTreeSet::new();
        let author = self.work.caller.author().map_or(Scalar::Null, Scalar::Id);
        let now = Scalar::Time(self.work.now);
        let rows = missing.into_iter().map(|(product, warehouse)| {
            let id = self.work.new_id();
            ids.insert(id);
            let meta = [Scalar::Id(id), Scalar::Int(1), now.clone(), author.clone(), now.clone(), author.clone()];
            let own = [Scalar::Id(product), Scalar::Id(warehouse), Scalar::Int(0), Scalar::Int(0), Scalar::Int(0)];
            meta.into_iter().chain(own).collect::<Vec<_>>()
        });
        let rows: Vec<_> = rows.collect();
        let columns: Vec<_> = LEVEL.iter().copied().take(11).collect();
        let ending = "ON CONFLICT (product_id, warehouse_id) WHERE deleted_at IS NULL DO NOTHING";
        self.work.insert(StockLevel::PLURAL, &columns, rows, ending).await?;
        Ok(ids)
    }

    /// Locks the levels in the order of their keys.
    async fn lock(&mut self, keys: &BTreeSet<Key>, made: &BTreeSet<Uuid>) -> Result<()> {
        let mut sql = self.work.sql();
        // Written so that either database goes from the keys to the levels, and never through all levels in their order.
        sql.push("WITH v (product_id, warehouse_id) AS ");
        pairs(&mut sql, keys.iter().copied());
        sql.push(
            " SELECT t.id, t.version, t.product_id, t.warehouse_id, t.on_hand, t.reserved, t.backordered, t.minimum, t.system, t.as_of, \
             t.source_sequence, t.counted FROM v CROSS JOIN stock_levels t WHERE t.deleted_at IS NULL \
             AND t.product_id = v.product_id AND t.warehouse_id = v.warehouse_id",
        );
        sql.push(" ORDER BY t.product_id, t.warehouse_id").for_update("t");
        let rows = self
            .work
            .fetch(sql, |row| {
                let (id, on_hand, reserved) = (row.id(0)?, row.int(4)?, row.int(5)?);
                let count = match (row.optional_text(8)?, row.time(9)?, row.optional_int(11)?) {
                    (Some(system), Some(as_of), Some(counted)) => {
                        Some((system, Stamp { as_of, sequence: row.optional_int(10)?, counted: Reverse(counted) }))
                    }
                    _ => None,
                };
                let level = Level {
                    id,
                    version: row.int(1)?,
                    made: made.contains(&id),
                    was: (on_hand, reserved),
                    on_hand,
                    reserved,
                    backordered: row.int(6)?,
                    minimum: row.optional_int(7)?,
                    count,
                    counted: false,
                    reason: None,
                };
                Ok(((row.id(2)?, row.id(3)?), level))
            })
            .await?;
        self.by_key = rows.into_iter().collect();
        for ((product, warehouse), level) in self.by_key.iter().filter(|(_, level)| level.made) {
            let own = [("product_id", json!(product)), ("warehouse_id", json!(warehouse))];
            let after = own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            self.work.emit(Event { after: Some(after), ..event(StockLevel::PLURAL, "stock_level.created", level.id, 1) });
        }
        Ok(())
    }

    /// Ends the overdue reservations of the locked levels.
    async fn end_overdue(&mut self) -> Result<()> {
        if self.by_key.is_empty() {
            return Ok(());
        }
        let mut sql = self.work.sql();
        sql.push("UPDATE stock_reservations SET status = 'expired', version = version + 1, updated_by_id = NULL, updated_at = ");
        sql.bind(Kind::Time, Scalar::Time(self.work.now));
        sql.push(" WHERE deleted_at IS NULL AND status = 'active' AND expires_at <= ").bind(Kind::Time, Scalar::Time(self.work.now));
        sql.push(" AND (product_id, warehouse_id) IN ");
        pairs(&mut sql, self.by_key.keys().copied());
        sql.push(" RETURNING id, version, product_id, warehouse_id, quantity - consumed");
        let ended = self.work.fetch(sql, |row| Ok((row.id(0)?, row.int(1)?, (row.id(2)?, row.id(3)?), row.int(4)?))).await?;
        for (id, version, key, left) in ended {
            if let Some(level) = self.by_key.get_mut(&key) {
                level.reserved = (level.reserved - left).max(0);
                level.settle(false);
            }
            let status = |s: ReservationStatus| Some(Map::from_iter([("status".to_owned(), json!(s))]));
            self.work.emit(Event {
                changed_fields: vec!["status"],
                before: status(ReservationStatus::Active),
                after: status(ReservationStatus::Expired),
                ..event(StockReservation::PLURAL, "stock_reservation.expired", id, version)
            });
        }
        Ok(())
    }

    /// The id of each level, and its version once it is written.
    pub(super) fn versions(&self) -> impl Iterator<Item = (Key, (Uuid, i64))> {
        self.by_key.iter().map(|(key, level)| (*key, (level.id, level.next_version())))
    }

    /// Does something for each line, or nothing at all.
    pub(super) fn all_or_none<L, T>(
        &mut self,
        lines: &[L],
        each: fn(&mut Self, &L) -> std::result::Result<T, StockError>,
    ) -> AllOrNothing<Vec<T>> {
        let before = self.by_key.clone();
        let done = collect_all(lines.iter().map(|line| each(self, line)).collect());
        if done.is_err() {
            self.by_key = before;
            self.movements.clear();
            self.reservations.clear();
        }
        done
    }

    pub(super) fn reserve(&mut self, want: &ReservationRequest) -> std::result::Result<Option<Uuid>, StockError> {
        let facts = *self.facts.get(&want.key()).ok_or(StockError::UnknownProduct)?;
        match facts.refusal() {
            Some(StockError::NotStocked) => return Ok(None),
            Some(refusal) => return Err(refusal),
            None if !facts.for_sale => return Err(StockError::NotForSale),
            None => {}
        }
        let quantity = want.quantity.0;
        if !(1..=MOST).contains(&quantity) {
            return Err(StockError::OutOfRange);
        }
        let level = self.by_key.get_mut(&want.key()).ok_or(StockError::Short { level_id: None, available: Quantity(0) })?;
        let most = level.available() + facts.may_lack;
        if quantity > most {
            return Err(StockError::Short { level_id: Some(level.id), available: Quantity(most.max(0)) });
        }
        if level.reserved + quantity > MOST {
            return Err(StockError::OutOfRange);
        }
        level.reserved += quantity;
        level.settle(facts.may_lack > 0);
        let id = want.id.unwrap_or_else(|| self.work.new_id());
        let reservation = StockReservation {
            product_id: want.product_id,
            warehouse_id: want.warehouse_id,
            quantity: want.quantity,
            consumed: Quantity(0),
            status: ReservationStatus::Active,
            expires_at: want.expires_at,
            source_resource: want.source.as_ref().map(|s| s.resource.clone()),
            source_id: want.source.as_ref().map(|s| s.id),
        };
        let mut made = PendingUpdate::new(id, reservation);
        made.event = Some("created");
        self.reservations.push(made);
        Ok(Some(id))
    }

    pub(super) fn book(&mut self, entry: &MovementRequest) -> std::result::Result<(), StockError> {
        let facts = *self.facts.get(&entry.key()).ok_or(StockError::UnknownProduct)?;
        if let Some(refusal) = facts.refusal() {
            return Err(refusal);
        }
        let quantity = entry.quantity.0;
        if quantity == 0 || !(-MOST..=MOST).contains(&quantity) {
            return Err(StockError::OutOfRange);
        }
        let level = self.by_key.get_mut(&entry.key()).ok_or(StockError::Short { level_id: None, available: Quantity(0) })?;
        let most = level.available() + facts.may_lack;
        if quantity < 0 && -quantity > most {
            return Err(StockError::Short { level_id: Some(level.id), available: Quantity(most.max(0)) });
        }
        if !(-MOST..=MOST).contains(&(level.on_hand + quantity)) {
            return Err(StockError::OutOfRange);
        }
        level.on_hand += quantity;
        level.settle(facts.may_lack > 0);
        level.reason.clone_from(&entry.reason);
        let after = level.on_hand;
        self.movements.push(movement(entry, after));
        Ok(())
    }

    /// Sets a level to what a system counted, whatever is promised of it: the count is the truth.
    pub(super) fn count(&mut self, key: Key, on_hand: i64) {
        let Some(level) = self.by_key.get_mut(&key) else { return };
        let difference = on_hand - level.on_hand;
        level.on_hand = on_hand;
        level.settle(true);
        let Some((system, stamp)) = level.count.clone().filter(|_| difference != 0) else { return };
        let entry = MovementRequest {
            product_id: ProductId(key.0),
            warehouse_id: WarehouseId(key.1),
            quantity: SignedQuantity(difference),
            kind: MovementKind::Sync,
            reason: None,
            source: None,
            lot_no: None,
            serial_no: None,
        };
        let told = movement(&entry, on_hand);
        let told = StockMovement { system: Some(system), as_of: Some(stamp.as_of), source_sequence: stamp.sequence, ..told };
        self.movements.push(told);
    }
}
