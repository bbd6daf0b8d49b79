//! Money: whose books an invoice is in, what credit notes give back beyond what was invoiced, and exchange rates.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0012_money", tables: TABLES, indexes: INDEXES, postgres: INDEX, sqlite: INDEX, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE order_invoices ADD COLUMN entity :text NULL;
ALTER TABLE order_invoices ADD COLUMN balance_currency :text NULL;
ALTER TABLE order_invoices ADD COLUMN over_credited_amount :int NOT NULL DEFAULT 0;
ALTER TABLE credit_check_components ADD COLUMN currency :text NULL;
CREATE TABLE exchange_rates (
    {record}, from_currency :text NOT NULL, to_currency :text NOT NULL, valid_from :date NOT NULL, rate :int NOT NULL, per :int NOT NULL,
    {tail});
";

const INDEXES: &str = "
    exchange_rates: created_at
    exchange_rates: updated_at
    exchange_rates: from_currency
    exchange_rates: to_currency
    exchange_rates: valid_from
    unique exchange_rates: from_currency, to_currency, valid_from
";

/// Few credit notes give back too much: the reconciliation reads those alone.
const INDEX: &str = "
CREATE INDEX order_invoices_over_credited_idx ON order_invoices (id) WHERE over_credited_amount > 0 AND deleted_at IS NULL
";
