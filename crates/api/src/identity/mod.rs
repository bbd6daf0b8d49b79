//! Who is calling: passwords, tokens, keys, and the callers they stand for; and the keys that secrets are kept under.

pub mod callers;
pub mod keyring;
pub mod limits;
pub mod passwords;
pub mod refused_sign_ins;
pub mod retention;
pub mod rights;
pub mod server_keys;
pub mod service;
pub mod tickets;
pub mod tokens;

use samphan_rest::module::Module;

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.task(server_keys::task()).task(refused_sign_ins::task())
}
