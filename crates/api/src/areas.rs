//! The areas: the one list of them. What each registers is in its `module`.

use crate::{catalog, customers, identity, integration, platform, rest::module::Module, sales, stock};

/// What all areas register.
#[must_use]
pub fn all() -> Module {
    let areas = [identity::module, platform::module, customers::module, catalog::module, stock::module, sales::module, integration::module];
    areas.into_iter().fold(Module::default(), |module, register| register(module))
}
