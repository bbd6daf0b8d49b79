//! Engagement: what is done with customers and said about them, and the timelines of it. Everything here is related to any record and visible with
//! it; what that means stands once, in `samphan_domain::engagement`.

mod call;
mod note;
mod task;
mod timeline;

use crate::platform::shipped_roles::{ACCOUNTING, SALES_MANAGER, SELLING, WAREHOUSE};
use samphan_rest::{collection::Api, module::Module, presets::Presets};

pub use call::log as log_call;
pub use task::{cancel as cancel_task, complete as complete_task, create as create_task};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(SELLING, "notes", &["read", "create", "update", "delete"])
        .grant(SELLING, "calls", &["read", "create", "update", "link", "follow-up"])
        .grant(SELLING, "tasks", &["read", "create", "update", "complete", "reopen", "cancel", "snooze", "skip", "assign"])
        .grant(&[SALES_MANAGER], "tasks", &["delete"])
        .grant(&[ACCOUNTING], "tasks", &["read", "create", "update", "complete", "reopen", "cancel", "snooze", "skip"])
        .grant(&[WAREHOUSE], "tasks", &["read", "complete"])
        .grant(&[SALES_MANAGER], "notes", &["assign"])
        .grant(&[SALES_MANAGER], "calls", &["assign", "delete"])
        .grant(&[ACCOUNTING], "notes", &["read", "create", "update"])
        .grant(&[ACCOUNTING], "calls", &["read", "create", "update", "link"])
        .grant(&[WAREHOUSE], "notes", &["read", "create"])
}

/// The area's routes.
fn routes(api: Api) -> Api {
    api.collection(note::routes())
        .collection(call::routes())
        .collection(task::routes())
        .operations(timeline::routes())
        .schema::<timeline::TimelinePage>()
}
