//! How it is reached: the REST kernel, the areas' collections, and the one binary `samphan`.

pub mod areas;
pub mod background;
pub mod catalog;
pub mod commands;
pub mod config;
pub mod customers;
pub mod identity;
pub mod integration;
pub mod openapi;
pub mod platform;
pub mod rest;
pub mod retention;
pub mod run;
pub mod sales;
pub mod server;
pub mod stock;
pub mod telemetry;
