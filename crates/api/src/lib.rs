//! The areas of the CRM, as they are reached: their collections, operations and tasks, and the document they add up to.

pub mod accounting;
pub mod areas;
pub mod catalog;
pub mod changes;
pub mod consents;
pub mod credit;
pub mod customers;
pub mod engagement;
pub mod external_systems;
pub mod identity;
pub mod openapi;
pub mod platform;
pub mod presales;
pub mod sales;
pub mod service;
pub mod stock;
pub mod webhooks;
