//! What the binary does beside serving: loading, making a demo company, generating data for benches.

pub mod demo;
pub mod generate;
pub mod load;
mod names;
