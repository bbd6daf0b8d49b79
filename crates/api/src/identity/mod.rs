//! Who is calling: passwords, tokens, keys, and the callers they stand for; and the keys that secrets are kept under.

pub mod address;
pub mod callers;
pub mod keyring;
pub mod limits;
pub mod passwords;
pub mod refused_sign_ins;
pub mod rights;
pub mod server_keys;
pub mod tickets;
pub mod tokens;
