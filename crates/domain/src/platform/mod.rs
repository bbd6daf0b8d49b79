//! The platform: people, machines, what they may do, and what the organisation adds to the model.

pub mod api_key;
pub mod password;
pub mod privacy_request;
pub mod role;
pub mod team;
pub mod user;
