-- What was written here is never forgotten, whatever ends the program; entries and moves are never changed.
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS customers (
  number TEXT PRIMARY KEY, account_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, name TEXT NOT NULL, currency TEXT NOT NULL,
  terms INTEGER NOT NULL, credit_limit INTEGER, closed INTEGER NOT NULL DEFAULT 0,
  -- Whether our number was sent.
  named INTEGER NOT NULL DEFAULT 0) STRICT;

-- What a customer owes to one legal entity in one currency, and what we last sent about it.
CREATE TABLE IF NOT EXISTS ledgers (
  name TEXT PRIMARY KEY, customer TEXT NOT NULL REFERENCES customers, entity TEXT NOT NULL, currency TEXT NOT NULL, told TEXT,
  told_revision INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS ledgers_customer ON ledgers (customer);

CREATE TABLE IF NOT EXISTS items (
  code TEXT PRIMARY KEY, product_id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, sku TEXT NOT NULL, name TEXT NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0, named INTEGER NOT NULL DEFAULT 0, told TEXT, told_revision INTEGER NOT NULL DEFAULT 0) STRICT;

CREATE TABLE IF NOT EXISTS moves (
  id INTEGER PRIMARY KEY, item TEXT NOT NULL REFERENCES items, quantity INTEGER NOT NULL, reason TEXT NOT NULL, source TEXT UNIQUE) STRICT;
CREATE INDEX IF NOT EXISTS moves_item ON moves (item);

-- Invoices, credit notes and receipts, each numbered without gaps within its kind.
CREATE TABLE IF NOT EXISTS documents (
  number TEXT PRIMARY KEY, kind TEXT NOT NULL, ledger TEXT NOT NULL REFERENCES ledgers, amount INTEGER NOT NULL CHECK (amount > 0),
  issued_on TEXT NOT NULL, due_on TEXT NOT NULL, posted_at TEXT NOT NULL, source TEXT UNIQUE) STRICT;
CREATE INDEX IF NOT EXISTS documents_ledger ON documents (ledger, kind, due_on);

-- Double entry: the entries of a document add up to nothing.
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES documents, account TEXT NOT NULL, ledger TEXT NOT NULL REFERENCES ledgers,
  amount INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS entries_ledger ON entries (ledger, account);

-- Which receipts and credit notes settle which invoices.
CREATE TABLE IF NOT EXISTS allocations (
  id INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES documents, invoice TEXT NOT NULL REFERENCES documents,
  amount INTEGER NOT NULL CHECK (amount > 0)) STRICT;
CREATE INDEX IF NOT EXISTS allocations_invoice ON allocations (invoice);

-- What left the CRM's shelves for an order, the invoice it became, and whether it came back and was credited.
CREATE TABLE IF NOT EXISTS deliveries (
  shipment TEXT PRIMARY KEY, ledger TEXT NOT NULL REFERENCES ledgers, terms INTEGER NOT NULL, is_invoiced INTEGER NOT NULL DEFAULT 0,
  is_returned INTEGER NOT NULL DEFAULT 0, is_credited INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (is_invoiced);
CREATE TABLE IF NOT EXISTS delivery_lines (
  id INTEGER PRIMARY KEY, shipment TEXT NOT NULL REFERENCES deliveries, order_line_id TEXT NOT NULL REFERENCES order_lines,
  quantity INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS delivery_lines_shipment ON delivery_lines (shipment);
-- What was ordered, and how much of it is invoiced, rebates aside: each invoice is for its part of the whole, and all parts are the whole.
CREATE TABLE IF NOT EXISTS order_lines (
  id TEXT PRIMARY KEY, order_id TEXT NOT NULL, is_service INTEGER NOT NULL, quantity INTEGER NOT NULL, total INTEGER NOT NULL,
  invoiced_quantity INTEGER NOT NULL DEFAULT 0, invoiced_amount INTEGER NOT NULL DEFAULT 0) STRICT;

-- What of an order a document is about, line by line, and what we last sent about it: the amount, what it would be without a rebate, and
-- for a credit note the invoice that it credits.
CREATE TABLE IF NOT EXISTS document_lines (
  name TEXT PRIMARY KEY, document TEXT NOT NULL REFERENCES documents, order_id TEXT NOT NULL,
  order_line_id TEXT NOT NULL REFERENCES order_lines, quantity INTEGER NOT NULL, amount INTEGER NOT NULL, full INTEGER NOT NULL,
  credits TEXT REFERENCES documents, told TEXT, told_revision INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS document_lines_document ON document_lines (document);
CREATE INDEX IF NOT EXISTS document_lines_credits ON document_lines (credits);

-- On which day it was last decided whether an invoice is paid.
CREATE TABLE IF NOT EXISTS judged (invoice TEXT PRIMARY KEY REFERENCES documents, judged_on TEXT NOT NULL) STRICT;

-- Messages, word for word, until they are answered; afterwards a record of what was said.
CREATE TABLE IF NOT EXISTS outbox (
  id INTEGER PRIMARY KEY, message TEXT NOT NULL, answered INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX IF NOT EXISTS outbox_answered ON outbox (answered, id);

CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TRIGGER IF NOT EXISTS entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS moves_stay BEFORE UPDATE ON moves BEGIN SELECT RAISE(ABORT, 'moves are never changed'); END;
CREATE TRIGGER IF NOT EXISTS moves_remain BEFORE DELETE ON moves BEGIN SELECT RAISE(ABORT, 'moves are never deleted'); END;
