//! Consent: what persons allow us to send them, and the addresses that nothing is sent to.

pub mod consent;
pub mod consent_purpose;
pub mod effective_consent;
pub mod suppression;
