//! Lots and serial numbers held against the ledger, for `samphan stock rebuild`.
//!
//! A product's movements tell its numbers only where each piece that moved had one. Where pieces without a number, or numbers that do not
//! add up, are left over from before the product was tracked, the ledger cannot tell which are there, and what is kept stays.

use super::{ledger::Key, levels::Levels, rebuild::Difference};
use samphan_persistence::store::Work;
use samphan_resource::{
    error::Result,
    money::SignedQuantity,
    scalar::{Kind, Scalar},
};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The lots and serial numbers that differ.
pub(super) async fn differences(work: &Work) -> Result<Vec<Difference>> {
    let mut found = serials(work).await?;
    found.extend(lots(work).await?);
    Ok(found)
}

/// Puts right those of the differences that are of lots or serial numbers.
pub(super) async fn put_right(work: &Work, some: &[Difference]) -> Result<()> {
    let named: Vec<_> = some.iter().filter_map(number).collect();
    let keys: BTreeSet<Key> = some.iter().flat_map(keys).collect();
    if named.is_empty() {
        return Ok(());
    }
    // What moves these numbers holds a lock on one of the levels.
    let levels = Levels::open(work, keys, |_| false).await?;
    let mut rows = (vec![], vec![]);
    // Read again, now that they are locked.
    for difference in differences(work).await?.into_iter().filter(|d| number(d).is_some_and(|n| named.contains(&n))) {
        match difference {
            Difference::Level { .. } => {}
            Difference::Serial { product_id, serial_no, warehouse } => {
                if warehouse.0.is_some() {
                    let mut sql = work.sql();
                    sql.push("DELETE FROM stock_serials WHERE product_id = ").id(product_id);
                    sql.push(" AND serial_no = ").text(serial_no.clone());
                    work.execute(sql).await?;
                }
                let place = warehouse.1.map(|warehouse| vec![Scalar::Id(product_id), Scalar::Text(serial_no), Scalar::Id(warehouse)]);
                rows.0.extend(place);
            }
            Difference::Lot { key: (product, warehouse), lot_no, quantity } => {
                rows.1.push(vec![Scalar::Id(product), Scalar::Id(warehouse), Scalar::Text(lot_no), Scalar::Int(quantity.1.0)]);
            }
        }
    }
    let (product, warehouse) = (("product_id", Kind::Id), ("warehouse_id", Kind::Id));
    if !rows.0.is_empty() {
        work.insert("stock_serials", &[product, ("serial_no", Kind::Text), warehouse], rows.0, "ON CONFLICT DO NOTHING").await?;
    }
    if !rows.1.is_empty() {
        let columns = [product, warehouse, ("lot_no", Kind::Text), ("quantity", Kind::Int)];
        let ending = "ON CONFLICT (product_id, warehouse_id, lot_no) DO UPDATE SET quantity = excluded.quantity";
        work.insert("stock_lots", &columns, rows.1, ending).await?;
    }
    levels.close().await.map(|_| ())
}

/// What a difference of a lot or serial number is of.
fn number(difference: &Difference) -> Option<(Uuid, Option<Uuid>, &str)> {
    match difference {
        Difference::Level { .. } => None,
        Difference::Serial { product_id, serial_no, .. } => Some((*product_id, None, serial_no)),
        Difference::Lot { key, lot_no, .. } => Some((key.0, Some(key.1), lot_no)),
    }
}

/// The levels a difference of a lot or serial number touches.
fn keys(difference: &Difference) -> Vec<Key> {
    match difference {
        Difference::Level { .. } => vec![],
        Difference::Serial { product_id, warehouse: (kept, ledger), .. } => {
            [kept, ledger].into_iter().flatten().map(|warehouse| (*product_id, *warehouse)).collect()
        }
        Difference::Lot { key, .. } => vec![*key],
    }
}

/// Numbers that are kept where the ledger does not have them, and those the ledger has and that are kept nowhere it has them. One
/// statement, so that it sees one moment.
async fn serials(work: &Work) -> Result<Vec<Difference>> {
    let mut sql = work.sql();
    // `n` is what each number adds up to, `x` where that cannot be told, `m` where each number is.
    sql.push(
        "WITH n AS (SELECT m.product_id, m.warehouse_id, m.serial_no, CAST(sum(m.quantity) AS bigint) AS total FROM stock_movements m \
         JOIN products p ON p.id = m.product_id AND p.tracked = 'serial' GROUP BY m.product_id, m.warehouse_id, m.serial_no), \
         x AS (SELECT DISTINCT product_id, warehouse_id FROM n WHERE total <> 0 AND (serial_no IS NULL OR total <> 10000)), \
         m AS (SELECT n.product_id, n.warehouse_id, n.serial_no FROM n LEFT JOIN x ON x.product_id = n.product_id \
         AND x.warehouse_id = n.warehouse_id WHERE n.total > 0 AND n.serial_no IS NOT NULL AND x.product_id IS NULL) \
         SELECT CAST(0 AS bigint), s.product_id, s.serial_no, s.warehouse_id FROM stock_serials s \
         LEFT JOIN m ON m.product_id = s.product_id AND m.serial_no = s.serial_no AND m.warehouse_id = s.warehouse_id \
         LEFT JOIN x ON x.product_id = s.product_id AND x.warehouse_id = s.warehouse_id \
         WHERE m.product_id IS NULL AND x.product_id IS NULL \
         UNION ALL SELECT CAST(1 AS bigint), m.product_id, m.serial_no, m.warehouse_id FROM m \
         LEFT JOIN stock_serials s ON s.product_id = m.product_id AND s.serial_no = m.serial_no \
         LEFT JOIN m o ON o.product_id = s.product_id AND o.serial_no = s.serial_no AND o.warehouse_id = s.warehouse_id \
         LEFT JOIN x ON x.product_id = s.product_id AND x.warehouse_id = s.warehouse_id \
         WHERE o.product_id IS NULL AND x.product_id IS NULL ORDER BY 2, 3, 1, 4",
    );
    let rows = work.fetch(sql, |row| Ok((row.int(0)?, (row.id(1)?, row.text(2)?), row.id(3)?))).await?;
    let mut found: BTreeMap<(Uuid, String), (Option<Uuid>, Option<Uuid>)> = BTreeMap::new();
    for (is_ledger, serial, warehouse) in rows {
        let places = found.entry(serial).or_default();
        // Of a number that came to two warehouses, as it could once, the first place counts.
        let place = if is_ledger == 1 { &mut places.1 } else { &mut places.0 };
        place.get_or_insert(warehouse);
    }
    let serial = |((product_id, serial_no), warehouse)| Difference::Serial { product_id, serial_no, warehouse };
    Ok(found.into_iter().map(serial).collect())
}

/// Lots whose quantity is not what the ledger says, in one statement, likewise.
async fn lots(work: &Work) -> Result<Vec<Difference>> {
    let mut sql = work.sql();
    sql.push(
        "WITH n AS (SELECT m.product_id, m.warehouse_id, m.lot_no, CAST(sum(m.quantity) AS bigint) AS total FROM stock_movements m \
         JOIN products p ON p.id = m.product_id AND p.tracked = 'lot' GROUP BY m.product_id, m.warehouse_id, m.lot_no), \
         x AS (SELECT DISTINCT product_id, warehouse_id FROM n WHERE total <> 0 AND (lot_no IS NULL OR total < 0)), \
         k AS (SELECT product_id, warehouse_id, lot_no FROM stock_lots UNION SELECT product_id, warehouse_id, lot_no FROM n WHERE lot_no IS NOT NULL) \
         SELECT k.product_id, k.warehouse_id, k.lot_no, COALESCE(t.quantity, 0), COALESCE(n.total, 0) FROM k \
         LEFT JOIN stock_lots t ON t.product_id = k.product_id AND t.warehouse_id = k.warehouse_id AND t.lot_no = k.lot_no \
         LEFT JOIN n ON n.product_id = k.product_id AND n.warehouse_id = k.warehouse_id AND n.lot_no = k.lot_no \
         LEFT JOIN x ON x.product_id = k.product_id AND x.warehouse_id = k.warehouse_id \
         WHERE x.product_id IS NULL AND COALESCE(t.quantity, 0) <> COALESCE(n.total, 0) ORDER BY 1, 2, 3",
    );
    work.fetch(sql, |row| {
        let quantity = (SignedQuantity(row.int(3)?), SignedQuantity(row.int(4)?));
        Ok(Difference::Lot { key: (row.id(0)?, row.id(1)?), lot_no: row.text(2)?, quantity })
    })
    .await
}
