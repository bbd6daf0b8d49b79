//! Customers: the organisations we deal with, their people, and how to reach both.

pub mod account;
pub mod account_contact;
pub mod account_history;
pub mod account_relationship;
pub mod address;
pub mod contact;
pub mod contact_point;
pub mod preference;
pub mod tag;
