//! Integration: the other systems, what they call our records, what accounting says about credit, and what is told of changes.

pub mod credit_balance;
pub mod credit_balance_change;
pub mod credit_check;
mod credit_group;
pub mod credit_item;
pub mod credit_policy;
pub mod credit_position;
pub mod credit_profile;
pub mod credit_snapshot;
pub mod external_system;
pub mod unmatched_credit;
pub mod webhook_delivery;
pub mod webhook_endpoint;
