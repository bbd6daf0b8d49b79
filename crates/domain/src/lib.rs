//! What a CRM knows: types and rules. No I/O, no clock, no SQL, no HTTP.

pub mod calendar;
pub mod caller;
pub mod catalog;
pub mod currency;
pub mod customers;
pub mod error;
pub mod event;
pub mod example;
pub mod filter;
pub mod id;
pub mod instant;
pub mod integration;
pub mod money;
pub mod network;
pub mod page;
pub mod phone;
pub mod platform;
pub mod privacy;
pub mod resource;
pub mod rights;
pub mod sales;
pub mod scalar;
pub mod shape;
pub mod stock;
pub mod tax_id;
pub mod text;
