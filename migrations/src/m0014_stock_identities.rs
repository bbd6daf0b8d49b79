//! What is there of lots and serial numbers, from the ledger so far; what orders on hold wait for.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0014_stock_identities", tables: TABLES, indexes: "", postgres: "", sqlite: "", ..Step::NONE };

/// A serial number is on hand in one place at most; a lot is where its movements add up to something. Of numbers that came twice the first
/// place is kept.
const TABLES: &str = "
ALTER TABLE products ADD COLUMN releases_holds :bool NOT NULL DEFAULT :true ;
CREATE TABLE order_hold_lines (
    hold_id :id NOT NULL REFERENCES order_holds (id), line_id :id NOT NULL, product_id :id NOT NULL, warehouse_id :id,
    quantity :int NOT NULL, PRIMARY KEY (hold_id, line_id));
CREATE TABLE stock_serials (
    product_id :id NOT NULL, serial_no :text NOT NULL, warehouse_id :id NOT NULL, PRIMARY KEY (product_id, serial_no));
CREATE TABLE stock_lots (
    product_id :id NOT NULL, warehouse_id :id NOT NULL, lot_no :text NOT NULL, quantity :int NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (product_id, warehouse_id, lot_no));
INSERT INTO stock_serials (product_id, serial_no, warehouse_id)
    SELECT m.product_id, m.serial_no, m.warehouse_id FROM stock_movements m JOIN products p ON p.id = m.product_id AND p.tracked = 'serial'
    WHERE m.serial_no IS NOT NULL GROUP BY m.product_id, m.serial_no, m.warehouse_id HAVING sum(m.quantity) > 0
    ORDER BY m.product_id, m.serial_no, m.warehouse_id ON CONFLICT DO NOTHING;
INSERT INTO stock_lots (product_id, warehouse_id, lot_no, quantity)
    SELECT m.product_id, m.warehouse_id, m.lot_no, CAST(sum(m.quantity) AS bigint) FROM stock_movements m
    JOIN products p ON p.id = m.product_id AND p.tracked = 'lot'
    WHERE m.lot_no IS NOT NULL GROUP BY m.product_id, m.warehouse_id, m.lot_no HAVING sum(m.quantity) > 0;
";
