//! What a CRM knows: its resources and their rules. No I/O, no clock, no SQL, no HTTP.

pub mod catalog;
pub mod consents;
pub mod customers;
pub mod email;
pub mod engagement;
pub mod id;
pub mod integration;
pub mod phone;
pub mod platform;
pub mod presales;
pub mod sales;
pub mod service;
pub mod stock;
pub mod tax_id;
