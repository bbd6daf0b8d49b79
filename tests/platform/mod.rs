//! People and machines, and what they may do.

mod access;
mod machines;
mod sessions;
