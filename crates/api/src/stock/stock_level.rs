//! How stock levels are reached: read, and given a minimum. What they say changes with movements and reservations only.

use super::levels::BELOW_MINIMUM;
use samphan_domain::stock::stock_level::{MOST, SetMinimum, StockLevel};
use samphan_persistence::{
    record,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    event::Event,
    resource::Resource,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::{Map, json};
use uuid::Uuid;

/// Stock levels.
#[must_use]
pub fn routes() -> Collection<StockLevel> {
    Collection::new("stock")
        .action("set-minimum", "Set a stock level's minimum. A warning is sent when less is available.", set_minimum)
        .example(Example::body(json!({"minimum": "50"})).answers(json!({"minimum": "50"})))
}

async fn set_minimum(work: &Work, before: Stored<StockLevel>, asked: SetMinimum) -> Result<Stored<StockLevel>> {
    if asked.minimum.is_some_and(|m| m.0 > MOST) {
        return Err(Error::invalid(FieldError::new("/minimum", FieldCode::OutOfRange, "at most 100000000000")));
    }
    let mut after = before.clone();
    after.data.minimum = asked.minimum;
    let saved = stored::save(work, &before, after, "minimum_set", None).await?;
    // Whether it is below that, the database says.
    let made: Stored<StockLevel> = Stored::of(record::find(work, work.shape(StockLevel::PLURAL)?, saved.id(), None, "read").await?)?;
    if made.data.is_below_minimum && !before.data.is_below_minimum {
        let said = [("available", json!(made.data.available)), ("minimum", json!(made.data.minimum))];
        work.emit(Event {
            kind: BELOW_MINIMUM.to_owned(),
            resource: StockLevel::PLURAL,
            resource_id: made.id(),
            version: made.version(),
            changed_fields: vec!["minimum"],
            before: Some(Map::from_iter([("minimum".to_owned(), json!(before.data.minimum))])),
            after: Some(said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            reason: None,
        });
    }
    Ok(made)
}

/// What must not be there when a product or a warehouse goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Goods that are put aside.
    Promised,
    /// Goods at all.
    Kept,
}

/// Refuses when there are goods of a product or in a warehouse, whichever `field` says.
pub async fn expect_unused(work: &Work, field: &'static str, id: Uuid, used: Use) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM stock_levels t WHERE t.deleted_at IS NULL AND ").column("t", field).push(" = ").id(id);
    sql.push(if used == Use::Promised { " AND t.reserved <> 0" } else { " AND (t.reserved <> 0 OR t.on_hand <> 0)" });
    sql.push(" ORDER BY t.id LIMIT 1");
    match work.fetch_one(sql, |row| row.id(0)).await? {
        Some(level) => Err(Error::from(Code::InUse).with_conflict(StockLevel::PLURAL, level, field)),
        None => Ok(()),
    }
}
