//! Sales: tax rates, orders and what holds them up, promises, shipments, and what accounting invoiced.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0005_sales", tables: TABLES, indexes: INDEXES, postgres: POSTGRES, sqlite: SQLITE, ..Step::NONE };

/// A document and its lines are one row: it is read, changed, told and locked as one.
const TABLES: &str = "
CREATE TABLE tax_rates (
    {record}, code :text NOT NULL, name :text NOT NULL, rate :int NOT NULL, valid_from :date, valid_to :date);
CREATE TABLE orders (
    {record}, {owned}, number :text NOT NULL, account_id :id NOT NULL REFERENCES accounts (id), contact_id :id REFERENCES contacts (id),
    promise_id :id, channel :text NOT NULL, customer_reference :text, ordered_on :date NOT NULL, requested_on :date, currency :text NOT NULL,
    price_book_id :id, warehouse_id :id, payment_terms_days :int, billing_address :json, shipping_address :json, tax_invoice_address :json,
    note :text, lines :json NOT NULL, tax_inclusive :bool NOT NULL, tax_rounding :text NOT NULL, gross_amount :int NOT NULL,
    discount_amount :int NOT NULL, net_amount :int NOT NULL, tax_amount :int NOT NULL, total_amount :int NOT NULL, taxes :json NOT NULL,
    status :text NOT NULL, credit_status :text NOT NULL, fulfilment_status :text NOT NULL, invoice_status :text NOT NULL,
    payment_status :text NOT NULL, waived_holds :json NOT NULL, committed_amount :int NOT NULL, invoiced_amount :int NOT NULL,
    credited_amount :int NOT NULL, paid_amount :int NOT NULL, open_amount :int NOT NULL, credit_check_id :id, cloned_from_id :id,
    confirmed_at :time, {tail});
CREATE TABLE order_holds (
    {record}, order_id :id NOT NULL REFERENCES orders (id), account_id :id NOT NULL REFERENCES accounts (id), kind :text NOT NULL,
    reasons :json NOT NULL, line_ids :json NOT NULL, decision :text, amount_over :int, credit_check_id :id, releases_itself :bool NOT NULL,
    note :text, escalated_to_id :id, status :text NOT NULL, checked_at :time, settled_at :time);
CREATE TABLE order_promises (
    {record}, {owned}, account_id :id NOT NULL REFERENCES accounts (id), contact_id :id, channel :text NOT NULL, requested_on :date,
    currency :text, price_book_id :id, warehouse_id :id, shipping_address :json, lines :json NOT NULL, expires_at :time, priced_on :date,
    waterfall :json NOT NULL, stock :json NOT NULL, available_on :date, tax_inclusive :bool NOT NULL, tax_rounding :text NOT NULL,
    gross_amount :int NOT NULL, discount_amount :int NOT NULL, net_amount :int NOT NULL, tax_amount :int NOT NULL, total_amount :int NOT NULL,
    taxes :json NOT NULL, credit_decision :text, credit_findings :json NOT NULL, credit_check_id :id, refused_for :json NOT NULL, order_id :id,
    status :text NOT NULL);
CREATE TABLE shipments (
    {record}, number :text NOT NULL, order_id :id NOT NULL REFERENCES orders (id), account_id :id NOT NULL REFERENCES accounts (id),
    warehouse_id :id NOT NULL REFERENCES warehouses (id), address :json, lines :json NOT NULL, carrier :text, tracking_no :text,
    promised_on :date, note :text, status :text NOT NULL, shipped_at :time, delivered_at :time, {tail});
CREATE TABLE order_invoices (
    {record}, system :text NOT NULL, document_no :text NOT NULL, kind :text NOT NULL, order_id :id NOT NULL REFERENCES orders (id),
    order_line_id :id NOT NULL, quantity :int NOT NULL, amount :int NOT NULL, paid_amount :int NOT NULL, issued_on :date,
    posted_at :time NOT NULL, as_of :time NOT NULL, account_id :id NOT NULL REFERENCES accounts (id), currency :text NOT NULL,
    owed_amount :int NOT NULL, {tail});
";

const INDEXES: &str = "
    tax_rates: created_at
    tax_rates: updated_at
    tax_rates: code
    orders: created_at
    orders: updated_at
    orders: owner_id | team_id | status
    orders: owner_id | team_id | status, created_at | updated_at | number | ordered_on
    orders: owner_id | team_id, status
    orders: account_id
    orders: account_id, ordered_on
    orders: contact_id
    orders: promise_id
    orders: channel
    orders: customer_reference
    orders: ordered_on
    orders: requested_on
    orders: credit_status
    orders: fulfilment_status
    orders: invoice_status
    orders: payment_status
    unique orders: number
    order_holds: created_at
    order_holds: updated_at
    order_holds: order_id
    order_holds: account_id
    order_holds: kind
    order_holds: status
    order_holds: status, releases_itself, checked_at
    order_holds: escalated_to_id
    order_promises: created_at
    order_promises: updated_at
    order_promises: owner_id | team_id | status
    order_promises: owner_id | team_id | status, created_at | updated_at
    order_promises: owner_id | team_id, status
    order_promises: account_id
    order_promises: expires_at
    order_promises: status, expires_at
    shipments: created_at
    shipments: updated_at
    shipments: order_id
    shipments: account_id
    shipments: warehouse_id
    shipments: status
    shipments: tracking_no
    shipments: promised_on
    unique shipments: number
    order_invoices: created_at
    order_invoices: updated_at
    order_invoices: system
    order_invoices: document_no
    order_invoices: order_id
    order_invoices: order_line_id
    order_invoices: account_id
    order_invoices: kind
    order_invoices: issued_on
    order_invoices: posted_at
    unique order_invoices: system, document_no, order_line_id
";

/// Numbers of documents rise and may have gaps: no work waits for another's.
const POSTGRES: &str = "
CREATE SEQUENCE order_numbers;
CREATE SEQUENCE shipment_numbers;
CREATE INDEX orders_open_idx ON orders (account_id, currency) WHERE open_amount > 0 AND deleted_at IS NULL;
CREATE INDEX order_invoices_owed_idx ON order_invoices (account_id, currency) WHERE owed_amount <> 0 AND deleted_at IS NULL
";

const SQLITE: &str = "
CREATE TABLE number_series (name TEXT NOT NULL PRIMARY KEY, last INTEGER NOT NULL);
INSERT INTO number_series VALUES ('order_numbers', 0), ('shipment_numbers', 0);
CREATE INDEX orders_open_idx ON orders (account_id, currency) WHERE open_amount > 0 AND deleted_at IS NULL;
CREATE INDEX order_invoices_owed_idx ON order_invoices (account_id, currency) WHERE owed_amount <> 0 AND deleted_at IS NULL
";
