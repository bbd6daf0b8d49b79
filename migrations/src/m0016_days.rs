//! The organisation's settings: one record, made at the first start that finds none. Who takes over the records of a deactivated
//! user. Indexes of filters that lists lacked.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0016_days", tables: TABLES, indexes: INDEXES, ..Step::NONE };

const TABLES: &str = "
CREATE TABLE settings (
    {record}, name :text NOT NULL, time_zone :text NOT NULL, currency :text, locale :text NOT NULL);
ALTER TABLE users ADD COLUMN successor_id :id REFERENCES users (id);
";

const INDEXES: &str = "
    settings: created_at
    settings: updated_at
    users: successor_id
    accounts: health
    contacts: preferred_channel
    orders: total_amount
    order_invoices: owed_amount
    credit_balances: receivable
";
