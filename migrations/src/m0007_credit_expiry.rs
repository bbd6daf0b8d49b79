//! Authorisations that are overdue, found without those that were settled long ago.

use crate::Step;

/// The step.
pub const STEP: Step = Step { name: "m0007_credit_expiry", indexes: "credit_checks: status, expires_at", ..Step::NONE };
