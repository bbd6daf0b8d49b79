//! Integration: the other systems, what they call our records, and what accounting says about credit.

pub mod credit_balance;
pub mod credit_check;
pub mod credit_policy;
pub mod credit_position;
pub mod credit_profile;
pub mod credit_snapshot;
pub mod external_reference;
pub mod external_system;
pub mod unmatched_credit;
