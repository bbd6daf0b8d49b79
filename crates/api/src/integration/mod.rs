//! Integration: the other systems, what they call our records, accounting's credit feed, and what is told of changes.

pub mod changes;
pub mod credit;
pub mod external_reference;
pub mod external_system;
pub mod webhooks;

use crate::rest::{collection::Api, module::Module};
use samphan_domain::integration::external_reference::ExternalRef;

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module
        .routes(routes)
        .guards(credit::unmatched::register)
        .task(credit::expiry::task())
        .task(changes::follower::end_task())
        .task(changes::follower::task())
        .task(webhooks::dispatcher::task())
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    let api = api.collection(external_system::routes()).collection(external_reference::routes()).schema::<ExternalRef>();
    external_reference::examples(webhooks::routes(changes::routes(credit::routes(api))))
}
