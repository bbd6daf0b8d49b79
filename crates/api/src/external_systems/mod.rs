//! External systems: which there are, and what they call our records.

pub mod external_reference;
pub mod external_system;

use samphan_resource::builtin::external_reference::ExternalRef;
use samphan_rest::{collection::Api, module::Module};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes)
}

fn routes(api: Api) -> Api {
    api.collection(external_system::routes()).collection(external_reference::routes()).schema::<ExternalRef>()
}
