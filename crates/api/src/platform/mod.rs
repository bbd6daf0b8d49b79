//! The platform: people and machines, what they may do, what the organisation adds, and the service itself.

pub mod administrators;
pub mod api_key;
pub mod auth;
pub mod custom_field;
pub mod document;
pub mod first_start;
pub mod job;
pub mod operation;
pub mod organisation_settings;
pub mod pages;
pub mod privacy;
pub mod role;
pub mod succession;
pub mod team;
pub mod user;

use samphan_resource::builtin::{audit_event::AuditEvent, picklist::Picklist};
use samphan_rest::{
    bulk::RunOperation,
    collection::{Api, Collection},
    module::Module,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).guards(administrators::register).job::<succession::HandOverRecords>().job::<RunOperation>()
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    let api = api
        .collection(user::routes())
        .collection(team::routes())
        .collection(role::routes())
        .collection(api_key::routes())
        .collection(organisation_settings::routes())
        .collection(custom_field::routes())
        .collection(Collection::<Picklist>::new("settings").writes())
        .collection(Collection::<AuditEvent>::new("audit"))
        .collection(job::routes())
        .operations(auth::routes())
        .operations(user::own_routes())
        .operations(pages::routes());
    let api = operation::routes(api);
    auth::schemas(pages::schemas(user::schemas(privacy::routes(api))))
}
