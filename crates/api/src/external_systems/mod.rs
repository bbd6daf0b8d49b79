//! External systems: which there are, and what they call our records.

pub mod external_reference;
pub mod external_system;

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR, SELLING};
use samphan_resource::builtin::external_reference::ExternalRef;
use samphan_rest::{collection::Api, module::Module, presets::Presets};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant_over_all(SELLING, "external-references", &["read"])
        .grant(&[ACCOUNTING], "external-references", &["read", "create", "update"])
        .grant(&[ACCOUNTING], "external-systems", &["read", "create", "update", "activate"])
        .grant(&[CONNECTOR], "external-references", &["read", "create"])
        .grant(&[CONNECTOR], "external-systems", &["read"])
}

fn routes(api: Api) -> Api {
    api.collection(external_system::routes()).collection(external_reference::routes()).schema::<ExternalRef>()
}
