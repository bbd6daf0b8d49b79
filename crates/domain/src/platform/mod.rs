//! The platform: people, machines, what they may do, and what the organisation adds to the model.

pub mod api_key;
pub mod audit_event;
pub mod custom_field;
pub mod organisation_settings;
pub mod password;
pub mod picklist;
pub mod privacy_request;
pub mod role;
pub mod team;
pub mod user;
