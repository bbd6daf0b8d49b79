//! References within lists and lines, and those that count in some states only, are kept beside the records, so that what is in use is
//! found by index.

use crate::Step;

/// The step.
pub const STEP: Step =
    Step { name: "m0015_references", tables: TABLES, indexes: INDEXES, postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

/// Codes are unique whatever their case; older ones may not be, so the indexes are not.
const TABLES: &str = "
CREATE INDEX products_sku_lower_idx ON products (lower(sku)) WHERE deleted_at IS NULL;
CREATE INDEX warehouses_code_lower_idx ON warehouses (lower(code)) WHERE deleted_at IS NULL;
";

const INDEXES: &str = "
    custom_fields: picklist
";

const POSTGRES: &str = "
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'account_id', id, account_id::text FROM orders
    WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment');
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'users', 'role_ids', r.id, v.value FROM users r, json_array_elements_text(r.role_ids) v (value);
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'users', 'team_ids', r.id, v.value FROM users r, json_array_elements_text(r.team_ids) v (value);
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'api_keys', 'role_ids', r.id, v.value FROM api_keys r, json_array_elements_text(r.role_ids) v (value) WHERE r.status = 'active';
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'lines.product_id', r.id, v.value ->> 'product_id' FROM orders r, json_array_elements(r.lines) v (value)
    WHERE r.status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND v.value ->> 'product_id' IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'lines.warehouse_id', r.id, v.value ->> 'warehouse_id' FROM orders r, json_array_elements(r.lines) v (value)
    WHERE r.status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND v.value ->> 'warehouse_id' IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'price_book_id', id, price_book_id::text FROM orders
    WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND price_book_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'warehouse_id', id, warehouse_id::text FROM orders
    WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND warehouse_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'order_promises', 'lines.product_id', r.id, v.value ->> 'product_id' FROM order_promises r, json_array_elements(r.lines) v (value)
    WHERE r.status = 'active' AND v.value ->> 'product_id' IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'order_promises', 'lines.warehouse_id', r.id, v.value ->> 'warehouse_id' FROM order_promises r, json_array_elements(r.lines) v (value)
    WHERE r.status = 'active' AND v.value ->> 'warehouse_id' IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'account_id', id, account_id::text FROM order_promises WHERE status = 'active';
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'price_book_id', id, price_book_id::text FROM order_promises WHERE status = 'active' AND price_book_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'warehouse_id', id, warehouse_id::text FROM order_promises WHERE status = 'active' AND warehouse_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'shipments', 'warehouse_id', id, warehouse_id::text FROM shipments WHERE status IN ('planned', 'picked', 'packed', 'shipped')
";

const SQLITE: &str = "
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'account_id', id,
        lower(substr(hex(account_id), 1, 8) || '-' || substr(hex(account_id), 9, 4) || '-' || substr(hex(account_id), 13, 4) || '-' || substr(hex(account_id), 17, 4) || '-' || substr(hex(account_id), 21))
        FROM orders WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment');
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'users', 'role_ids', r.id, v.value FROM users r, json_each(r.role_ids) v;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'users', 'team_ids', r.id, v.value FROM users r, json_each(r.team_ids) v;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'api_keys', 'role_ids', r.id, v.value FROM api_keys r, json_each(r.role_ids) v WHERE r.status = 'active';
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'lines.product_id', r.id, json_extract(v.value, '$.product_id') FROM orders r, json_each(r.lines) v
    WHERE r.status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND json_extract(v.value, '$.product_id') IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'orders', 'lines.warehouse_id', r.id, json_extract(v.value, '$.warehouse_id') FROM orders r, json_each(r.lines) v
    WHERE r.status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND json_extract(v.value, '$.warehouse_id') IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'price_book_id', id, 
        lower(substr(hex(price_book_id), 1, 8) || '-' || substr(hex(price_book_id), 9, 4) || '-' || substr(hex(price_book_id), 13, 4) || '-' || substr(hex(price_book_id), 17, 4) || '-' || substr(hex(price_book_id), 21))
        FROM orders
    WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND price_book_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'orders', 'warehouse_id', id, 
        lower(substr(hex(warehouse_id), 1, 8) || '-' || substr(hex(warehouse_id), 9, 4) || '-' || substr(hex(warehouse_id), 13, 4) || '-' || substr(hex(warehouse_id), 17, 4) || '-' || substr(hex(warehouse_id), 21))
        FROM orders
    WHERE status IN ('draft', 'submitted', 'on_hold', 'confirmed', 'in_fulfilment') AND warehouse_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'order_promises', 'lines.product_id', r.id, json_extract(v.value, '$.product_id') FROM order_promises r, json_each(r.lines) v
    WHERE r.status = 'active' AND json_extract(v.value, '$.product_id') IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT DISTINCT 'order_promises', 'lines.warehouse_id', r.id, json_extract(v.value, '$.warehouse_id') FROM order_promises r, json_each(r.lines) v
    WHERE r.status = 'active' AND json_extract(v.value, '$.warehouse_id') IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'account_id', id, 
        lower(substr(hex(account_id), 1, 8) || '-' || substr(hex(account_id), 9, 4) || '-' || substr(hex(account_id), 13, 4) || '-' || substr(hex(account_id), 17, 4) || '-' || substr(hex(account_id), 21))
        FROM order_promises WHERE status = 'active';
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'price_book_id', id, 
        lower(substr(hex(price_book_id), 1, 8) || '-' || substr(hex(price_book_id), 9, 4) || '-' || substr(hex(price_book_id), 13, 4) || '-' || substr(hex(price_book_id), 17, 4) || '-' || substr(hex(price_book_id), 21))
        FROM order_promises WHERE status = 'active' AND price_book_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'order_promises', 'warehouse_id', id, 
        lower(substr(hex(warehouse_id), 1, 8) || '-' || substr(hex(warehouse_id), 9, 4) || '-' || substr(hex(warehouse_id), 13, 4) || '-' || substr(hex(warehouse_id), 17, 4) || '-' || substr(hex(warehouse_id), 21))
        FROM order_promises WHERE status = 'active' AND warehouse_id IS NOT NULL;
INSERT INTO record_values (resource, key, record_id, text_value)
    SELECT 'shipments', 'warehouse_id', id, 
        lower(substr(hex(warehouse_id), 1, 8) || '-' || substr(hex(warehouse_id), 9, 4) || '-' || substr(hex(warehouse_id), 13, 4) || '-' || substr(hex(warehouse_id), 17, 4) || '-' || substr(hex(warehouse_id), 21))
        FROM shipments WHERE status IN ('planned', 'picked', 'packed', 'shipped')
";
