//! The program `samphan`: its settings, how the service is put together, and its commands.

pub mod commands;
pub mod config;
pub mod retention;
pub mod run;
pub mod server;
pub mod telemetry;
