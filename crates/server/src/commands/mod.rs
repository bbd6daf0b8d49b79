//! What the binary does beside serving: backups, loading, making a demo company, generating data for benches.

pub mod admin;
pub mod backup;
pub mod configuration;
pub mod demo;
pub mod generate;
pub mod health;
pub mod keys;
pub mod load;
mod names;
pub mod rebuild_pipelines;
pub mod rebuild_stock;
