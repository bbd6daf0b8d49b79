//! Consents stand on the timelines of their accounts and contacts, at the moment they were entered.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0027_consents_on_timelines", indexes: INDEXES, ..Step::NONE };

const INDEXES: &str = "
    sparse consents: account_id | contact_id, created_at
";
