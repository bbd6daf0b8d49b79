//! Customers: how they are reached, found and followed.

mod accounts;
mod custom_fields;
mod finding;
mod handover;
mod relationships;
