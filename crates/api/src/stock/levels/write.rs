//! Writing levels that have changed, with their movements and events.

use super::{Level, Levels};
use crate::stock::ledger::MovementRequest;
use samphan_domain::stock::{stock_level::StockLevel, stock_movement::StockMovement};
use samphan_persistence::{
    pending_update,
    record::{self, Record},
    store::Work,
};
use samphan_resource::{
    error::Result,
    event::Event,
    money::SignedQuantity,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

impl Levels<'_> {
    /// Writes everything, and answers the movements.
    pub(in crate::stock) async fn close(self) -> Result<Vec<Record>> {
        self.write_levels().await?;
        let movements = self.write_movements().await?;
        pending_update::save_many(self.work, self.reservations, "").await?;
        Ok(movements)
    }

    async fn write_levels(&self) -> Result<()> {
        let author = self.work.caller.author().map_or(Scalar::Null, Scalar::Id);
        let now = Scalar::Time(self.work.now);
        let mut rows = vec![];
        for (key, level) in self.by_key.iter().filter(|(_, level)| level.is_changed()) {
            let version = level.next_version();
            let count = level.count.as_ref();
            let optional = |n: Option<i64>| n.map_or(Scalar::Null, Scalar::Int);
            rows.push(vec![
                Scalar::Id(level.id),
                Scalar::Int(version),
                now.clone(),
                author.clone(),
                now.clone(),
                author.clone(),
                Scalar::Id(key.0),
                Scalar::Id(key.1),
                Scalar::Int(level.on_hand),
                Scalar::Int(level.reserved),
                Scalar::Int(level.backordered),
                optional(level.minimum),
                count.map_or(Scalar::Null, |(system, _)| Scalar::Text(system.clone())),
                count.map_or(Scalar::Null, |(_, stamp)| Scalar::Time(stamp.as_of)),
                optional(count.and_then(|(_, stamp)| stamp.sequence)),
                optional(count.map(|(_, stamp)| stamp.counted.0)),
            ]);
            let may_lack = self.facts.get(key).map_or(0, |f| f.may_lack);
            tell(self.work, level, version, may_lack);
        }
        self.work.insert(StockLevel::PLURAL, LEVEL, rows, LEVEL_ENDING).await.map(|_| ())
    }

    async fn write_movements(&self) -> Result<Vec<Record>> {
        let shape = self.work.shape(StockMovement::PLURAL)?;
        // Ids of one moment are in no order; these are, so that the ledger reads as it was written.
        let mut ids: Vec<Uuid> = self.movements.iter().map(|_| self.work.new_id()).collect();
        ids.sort_unstable();
        let records: Vec<Record> = ids.into_iter().zip(&self.movements).map(|(id, m)| recorded(self.work, shape, id, m)).collect();
        let rows = records.iter().map(|record| record::row_of(shape, record)).collect::<Result<Vec<_>>>()?;
        self.work.insert(shape.plural, &record::names_of(shape), rows, "").await?;
        Ok(records)
    }
}

pub(in crate::stock) fn movement(entry: &MovementRequest, on_hand_after: i64) -> StockMovement {
    StockMovement {
        product_id: entry.product_id,
        warehouse_id: entry.warehouse_id,
        quantity: entry.quantity,
        on_hand_after: SignedQuantity(on_hand_after),
        kind: entry.kind,
        reason: entry.reason.clone(),
        source_resource: entry.source.as_ref().map(|s| s.resource.clone()),
        source_id: entry.source.as_ref().map(|s| s.id),
        lot_no: entry.lot_no.clone(),
        serial_no: entry.serial_no.clone(),
        system: None,
        as_of: None,
        source_sequence: None,
    }
}

/// A new line of the ledger.
fn recorded(work: &Work, shape: &'static Shape, id: Uuid, line: &StockMovement) -> Record {
    let Value::Object(mut own) = json!(line) else { return Record::new() };
    let meta = |name: &str| match name {
        "id" => json!(id),
        "created_at" => json!(work.now),
        "created_by_id" => json!(work.caller.author()),
        _ => Value::Null,
    };
    shape.fields.iter().map(|f| (f.name.to_owned(), own.remove(f.name).unwrap_or_else(|| meta(f.name)))).collect()
}

/// The columns of a level that are written; the others follow from them.
pub(super) const LEVEL: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("version", Kind::Int),
    ("created_at", Kind::Time),
    ("created_by_id", Kind::Id),
    ("updated_at", Kind::Time),
    ("updated_by_id", Kind::Id),
    ("product_id", Kind::Id),
    ("warehouse_id", Kind::Id),
    ("on_hand", Kind::Int),
    ("reserved", Kind::Int),
    ("backordered", Kind::Int),
    ("minimum", Kind::Int),
    ("system", Kind::Text),
    ("as_of", Kind::Time),
    ("source_sequence", Kind::Int),
    ("counted", Kind::Int),
];

const LEVEL_ENDING: &str = "ON CONFLICT (product_id, warehouse_id) WHERE deleted_at IS NULL DO UPDATE SET version = excluded.version, \
    updated_at = excluded.updated_at, updated_by_id = excluded.updated_by_id, on_hand = excluded.on_hand, reserved = excluded.reserved, \
    backordered = excluded.backordered, system = excluded.system, as_of = excluded.as_of, source_sequence = excluded.source_sequence, \
    counted = excluded.counted";

pub(super) fn event(resource: &'static str, kind: &str, resource_id: Uuid, version: i64) -> Event {
    Event { kind: kind.to_owned(), resource, resource_id, version, changed_fields: vec![], before: None, after: None, reason: None }
}

/// Tells what became of a level. A newer count that says what is known is no news.
fn tell(work: &Work, level: &Level, version: i64, may_lack: i64) {
    let (was, available) = (level.was.0 - level.was.1, level.available());
    let said = |n: i64| json!(SignedQuantity(n));
    let all = [("on_hand", level.was.0, level.on_hand), ("reserved", level.was.1, level.reserved), ("available", was, available)];
    let changed = || all.into_iter().filter(|(_, before, after)| before != after);
    let told = |kind: &str| event(StockLevel::PLURAL, kind, level.id, version);
    if changed().next().is_none() {
        return;
    }
    work.emit(Event {
        changed_fields: changed().map(|(name, ..)| name).collect(),
        before: Some(changed().map(|(name, before, _)| (name.to_owned(), said(before))).collect()),
        after: Some(changed().map(|(name, _, after)| (name.to_owned(), said(after))).collect()),
        reason: level.reason.clone(),
        ..told("stock_level.changed")
    });
    let crossed = |kind: &str| {
        let mut after = Map::from_iter([("available".to_owned(), said(available))]);
        after.extend(level.minimum.map(|m| ("minimum".to_owned(), said(m))));
        work.emit(Event {
            changed_fields: vec!["available"],
            before: Some(Map::from_iter([("available".to_owned(), said(was))])),
            after: Some(after),
            ..told(kind)
        });
    };
    if level.minimum.is_some_and(|minimum| was >= minimum && available < minimum) {
        crossed(BELOW_MINIMUM);
    }
    // No promise exceeds what the policy allows, but a count may turn out lower than what is promised.
    if was >= -may_lack && available < -may_lack {
        crossed("stock_level.oversold");
    }
}

/// The event of a level that falls below its minimum.
pub(in crate::stock) const BELOW_MINIMUM: &str = "stock_level.below_minimum";
