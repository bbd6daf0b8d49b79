//! Stock: warehouses, levels, the ledger of movements, and reservations.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0002_stock", tables: TABLES, indexes: INDEXES, ..Step::NONE };

/// What may be promised follows from what is there and what is put aside, so the database works it out. More may be put aside than
/// is there only where that is written down beside it: a mistake in the program cannot oversell.
const TABLES: &str = "
CREATE TABLE warehouses (
    {record}, code :text NOT NULL, name :text NOT NULL, name_key :bytes NOT NULL, line1 :text, line2 :text, subdistrict :text, district :text,
    city :text, region :text, postal_code :text, country :text, available_for_sale :bool NOT NULL, status :text NOT NULL, {tail});
CREATE TABLE stock_levels (
    {record}, product_id :id NOT NULL REFERENCES products (id), warehouse_id :id NOT NULL REFERENCES warehouses (id), on_hand :int NOT NULL,
    reserved :int NOT NULL, available :int GENERATED ALWAYS AS (on_hand - reserved) STORED, backordered :int NOT NULL, minimum :int,
    is_below_minimum :bool GENERATED ALWAYS AS (COALESCE(on_hand - reserved < minimum, :false)) STORED,
    system :text, as_of :time, source_sequence :int, counted :int,
    CHECK (reserved >= 0), CHECK (backordered >= 0), CHECK (reserved <= on_hand + backordered));
CREATE TABLE stock_movements (
    {log}, product_id :id NOT NULL REFERENCES products (id), warehouse_id :id NOT NULL REFERENCES warehouses (id), quantity :int NOT NULL,
    on_hand_after :int NOT NULL, kind :text NOT NULL, reason :text, source_resource :text, source_id :id, lot_no :text, serial_no :text,
    system :text, as_of :time, source_sequence :int);
CREATE TABLE stock_reservations (
    {record}, product_id :id NOT NULL REFERENCES products (id), warehouse_id :id NOT NULL REFERENCES warehouses (id), quantity :int NOT NULL,
    consumed :int NOT NULL, status :text NOT NULL, expires_at :time, source_resource :text, source_id :id,
    CHECK (consumed BETWEEN 0 AND quantity));
";

const INDEXES: &str = "
    warehouses: created_at
    warehouses: updated_at
    warehouses: name
    warehouses: name_key
    warehouses: status
    warehouses: available_for_sale
    unique warehouses: code
    stock_levels: created_at
    stock_levels: updated_at
    stock_levels: product_id
    stock_levels: warehouse_id
    stock_levels: available
    stock_levels: is_below_minimum
    stock_levels: system
    unique stock_levels: product_id, warehouse_id
    log stock_movements: created_at
    log stock_movements: product_id
    log stock_movements: warehouse_id
    log stock_movements: kind
    log stock_movements: source_id
    log stock_movements: lot_no
    log stock_movements: serial_no
    log stock_movements: product_id, warehouse_id, created_at
    stock_reservations: created_at
    stock_reservations: updated_at
    stock_reservations: product_id
    stock_reservations: warehouse_id
    stock_reservations: status
    stock_reservations: expires_at
    stock_reservations: source_id
    stock_reservations: status, expires_at
    stock_reservations: product_id, warehouse_id, status, expires_at
";
