//! People and machines, and what they may do.

mod access;
mod administrators;
mod audit;
mod days;
mod erasure;
mod gains;
mod keys;
mod machines;
pub mod privacy;
mod rights;
mod security_events;
pub mod sessions;
