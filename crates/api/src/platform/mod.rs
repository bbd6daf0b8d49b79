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
pub mod shipped_roles;
pub mod succession;
pub mod team;
pub mod user;

use samphan_resource::builtin::{audit_event::AuditEvent, picklist::Picklist};
use samphan_rest::{
    bulk::RunOperation,
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};
use shipped_roles::{ACCOUNTING, SALES_MANAGER, SELLER, SELLING, WAREHOUSE};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).guards(administrators::register).job::<succession::HandOverRecords>().job::<RunOperation>()
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant_over_all(SELLING, "users", &["read"])
        .grant_over_all(SELLING, "teams", &["read"])
        .grant_over_all(&[SELLER, SALES_MANAGER, WAREHOUSE, ACCOUNTING], "settings", &["read"])
        // What forms are built of.
        .grant_over_all(&[SELLER, SALES_MANAGER, WAREHOUSE, ACCOUNTING], "custom-fields", &["read"])
        .grant_over_all(&[SELLER, SALES_MANAGER, WAREHOUSE, ACCOUNTING], "picklists", &["read"])
        // What they change at once they may change one by one: each record is asked for.
        .grant_over_all(&[SALES_MANAGER], "operations", &["read", "create", "cancel", "revert"])
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
        .collection(Collection::<Picklist>::new("settings").with_crud())
        .collection(Collection::<AuditEvent>::new("audit"))
        .collection(job::routes())
        .operations(auth::routes())
        .operations(user::own_routes())
        .operations(pages::routes());
    let api = operation::routes(api);
    auth::schemas(pages::schemas(user::schemas(privacy::routes(api))))
}
