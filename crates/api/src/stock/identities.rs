//! Lots and serial numbers: which are on hand, where. Every movement of a product that is tracked goes through here, whatever makes it.
//!
//! A serial number is on hand once, in one warehouse, whatever warehouse it is received in; a lot is counted in each warehouse. Rows are
//! locked after the levels, in the order of product and number, so that works that meet wait for one another in one direction.

use super::{
    ledger::{Key, StockError},
    levels::Facts,
};
use samphan_domain::catalog::product::Tracking;
use samphan_persistence::store::Work;
use samphan_resource::{
    error::{Code, Error, Result},
    money::{Quantity, SCALE},
    scalar::{Kind, Scalar},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Something that comes or goes, by lot or serial number.
#[derive(Clone, Debug)]
pub(super) struct Move {
    pub key: Key,
    /// What comes, or below zero what goes.
    pub quantity: i64,
    pub lot_no: Option<String>,
    pub serial_no: Option<String>,
}

/// A serial number of a product.
type Serial = (Uuid, String);
/// A lot of a product in a warehouse.
type Lot = (Key, String);

/// What is on hand of the lots and serial numbers that movements name, locked.
pub(super) struct Identities<'w> {
    work: &'w Work,
    /// The warehouse of each, as it was and as it is to be.
    serials: BTreeMap<Serial, [Option<Uuid>; 2]>,
    /// How much there is, as it was and as it is to be.
    lots: BTreeMap<Lot, [i64; 2]>,
}

impl<'w> Identities<'w> {
    /// Locks what movements name of tracked products, and makes the movements; answers what stands in the way, by the movement's place.
    pub(super) async fn open(work: &'w Work, facts: &BTreeMap<Key, Facts>, moves: &[Move]) -> Result<(Self, Vec<(usize, StockError)>)> {
        let tracking = |m: &Move| facts.get(&m.key).map_or(Tracking::None, |f| f.tracking);
        let serials: BTreeSet<Serial> =
            moves.iter().filter(|m| tracking(m) == Tracking::Serial).filter_map(|m| Some((m.key.0, m.serial_no.clone()?))).collect();
        let lots: BTreeSet<Lot> =
            moves.iter().filter(|m| tracking(m) == Tracking::Lot).filter_map(|m| Some((m.key, m.lot_no.clone()?))).collect();
        let mut all = Self { work, serials: BTreeMap::new(), lots: BTreeMap::new() };
        all.lock_serials(serials).await?;
        all.read_lots(lots).await?;
        let refused = moves.iter().enumerate().filter_map(|(place, m)| Some((place, all.make(m, tracking(m)).err()?))).collect();
        Ok((all, refused))
    }

    async fn lock_serials(&mut self, serials: BTreeSet<Serial>) -> Result<()> {
        if serials.is_empty() {
            return Ok(());
        }
        let mut sql = self.work.sql();
        sql.push("SELECT t.product_id, t.serial_no, t.warehouse_id FROM stock_serials t WHERE (t.product_id, t.serial_no) IN (VALUES ");
        for (n, (product, serial)) in serials.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" }).id(*product).push(", ").text(serial.clone()).push(")");
        }
        sql.push(") ORDER BY t.product_id, t.serial_no").for_update("t");
        let found = self.work.fetch(sql, |row| Ok(((row.id(0)?, row.text(1)?), row.id(2)?))).await?;
        self.serials = serials.into_iter().map(|serial| (serial, [None; 2])).collect();
        self.serials.extend(found.into_iter().map(|(serial, warehouse)| (serial, [Some(warehouse); 2])));
        Ok(())
    }

    /// Lots are of one warehouse, whose level is locked: they need no lock of their own.
    async fn read_lots(&mut self, lots: BTreeSet<Lot>) -> Result<()> {
        if lots.is_empty() {
            return Ok(());
        }
        let mut sql = self.work.sql();
        sql.push("SELECT product_id, warehouse_id, lot_no, quantity FROM stock_lots WHERE (product_id, warehouse_id, lot_no) IN (VALUES ");
        for (n, ((product, warehouse), lot)) in lots.iter().enumerate() {
            sql.push(if n == 0 { "(" } else { ", (" }).id(*product).push(", ").id(*warehouse).push(", ").text(lot.clone()).push(")");
        }
        sql.push(")");
        let found = self.work.fetch(sql, |row| Ok((((row.id(0)?, row.id(1)?), row.text(2)?), row.int(3)?))).await?;
        self.lots = lots.into_iter().map(|lot| (lot, [0; 2])).collect();
        self.lots.extend(found.into_iter().map(|(lot, quantity)| (lot, [quantity; 2])));
        Ok(())
    }

    /// Makes one movement.
    fn make(&mut self, m: &Move, tracking: Tracking) -> std::result::Result<(), StockError> {
        match tracking {
            Tracking::None => Ok(()),
            Tracking::Serial => {
                let serial = m.serial_no.clone().ok_or(StockError::SerialRequired)?;
                if m.quantity.abs() != SCALE {
                    return Err(StockError::OnePiece);
                }
                let [_, now] = self.serials.entry((m.key.0, serial)).or_default();
                match (m.quantity > 0, *now) {
                    (true, None) => *now = Some(m.key.1),
                    (true, Some(_)) => return Err(StockError::SerialOnHand),
                    (false, Some(warehouse)) if warehouse == m.key.1 => *now = None,
                    (false, _) => return Err(StockError::SerialNotThere),
                }
                Ok(())
            }
            Tracking::Lot => {
                let lot = m.lot_no.clone().ok_or(StockError::LotRequired)?;
                let [_, now] = self.lots.entry((m.key, lot)).or_default();
                let left = now.saturating_add(m.quantity);
                if left < 0 {
                    return Err(StockError::LotShort(Quantity(*now)));
                }
                *now = left;
                Ok(())
            }
        }
    }

    /// Writes what has changed.
    pub(super) async fn close(self) -> Result<()> {
        let changed = || self.serials.iter().filter(|(_, [was, now])| was != now);
        for ((product, serial), _) in changed().filter(|(_, [was, _])| was.is_some()) {
            let mut sql = self.work.sql();
            sql.push("DELETE FROM stock_serials WHERE product_id = ").id(*product).push(" AND serial_no = ").text(serial.clone());
            self.work.execute(sql).await?;
        }
        let come = changed().filter_map(|((product, serial), [_, now])| Some((product, serial, (*now)?)));
        let rows: Vec<Vec<Scalar>> = come
            .map(|(product, serial, warehouse)| vec![Scalar::Id(*product), Scalar::Text(serial.clone()), Scalar::Id(warehouse)])
            .collect();
        let wanted = rows.len() as u64;
        let columns = [("product_id", Kind::Id), ("serial_no", Kind::Text), ("warehouse_id", Kind::Id)];
        if wanted > 0 && self.work.insert("stock_serials", &columns, rows, "ON CONFLICT DO NOTHING").await? < wanted {
            // Somebody received one of them at the same moment, in another warehouse.
            return Err(Error::from(Code::Conflict).with_detail("a serial number was received meanwhile"));
        }
        let changed = self.lots.iter().filter(|(_, [was, now])| was != now);
        let rows: Vec<Vec<Scalar>> = changed
            .map(|(((product, warehouse), lot), [_, now])| {
                vec![Scalar::Id(*product), Scalar::Id(*warehouse), Scalar::Text(lot.clone()), Scalar::Int(*now)]
            })
            .collect();
        if rows.is_empty() {
            return Ok(());
        }
        let columns = [("product_id", Kind::Id), ("warehouse_id", Kind::Id), ("lot_no", Kind::Text), ("quantity", Kind::Int)];
        let ending = "ON CONFLICT (product_id, warehouse_id, lot_no) DO UPDATE SET quantity = excluded.quantity";
        self.work.insert("stock_lots", &columns, rows, ending).await.map(|_| ())
    }
}
