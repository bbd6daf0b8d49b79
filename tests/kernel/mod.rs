//! What every resource promises.

mod any_references;
mod bad_input;
mod batches;
mod derived;
mod exports;
mod filters;
mod fixed;
mod generated;
mod hostile;
mod jobs;
mod numbers;
mod once;
mod operations;
mod ordered;
mod pages;
pub mod plans;
mod records;
mod relations;
mod strings;
mod timers;
