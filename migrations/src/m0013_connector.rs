//! Orders taken here that a pushed balance includes, and what was taken out of its amounts for them.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0013_connector", tables: TABLES, ..Step::NONE };

const TABLES: &str = "
ALTER TABLE credit_balances ADD COLUMN included_orders :json NOT NULL DEFAULT '[]';
ALTER TABLE credit_balances ADD COLUMN included_open_orders :int;
ALTER TABLE credit_balances ADD COLUMN included_unbilled_deliveries :int;
";
