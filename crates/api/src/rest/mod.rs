//! The REST kernel: how an operation is declared, run, answered and documented. It knows no resource by name.

pub mod answer;
pub mod batch;
pub mod body;
pub mod collection;
pub mod document;
pub mod endpoints;
pub mod example;
pub mod export;
pub mod external;
pub mod headers;
pub mod idempotency;
pub mod lasting;
pub mod messages;
pub mod operation;
mod permissions;
pub mod pipeline;
pub mod problem;
pub mod query;
pub mod reading;
pub mod routes;
pub mod rules;
pub mod schemas;
mod strict;
