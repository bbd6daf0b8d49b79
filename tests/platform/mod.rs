//! People and machines, and what they may do.

mod access;
mod administrators;
mod audit;
mod machines;
pub mod privacy;
pub mod sessions;
