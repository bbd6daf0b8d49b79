//! The API's promises, kept on SQLite and on PostgreSQL alike: every test here runs on both.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on shall stop")]

mod catalog;
mod consents;
mod contract;
mod customer_service;
mod customers;
mod docs;
mod engagement;
mod erp;
mod failure;
mod integration;
mod kernel;
mod platform;
mod presales;
mod sales;
mod security;
mod service;
mod stock;
mod support;
mod walks;
