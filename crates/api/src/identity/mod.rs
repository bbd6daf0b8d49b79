//! Who is calling: passwords, tokens, keys, and the callers they stand for.

pub mod callers;
pub mod limits;
pub mod passwords;
pub mod tokens;
