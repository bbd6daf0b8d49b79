//! Customer service: the hours in which it works.

mod business_calendar;

use crate::platform::shipped_roles::{SALES_MANAGER, SELLING};
use samphan_rest::{collection::Api, module::Module, presets::Presets};

pub use business_calendar::create_exception;

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets)
}

fn routes(api: Api) -> Api {
    api.collection(business_calendar::routes()).collection(business_calendar::exceptions())
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets.grant_over_all(SELLING, "business-calendars", &["read"]).grant_over_all(
        &[SALES_MANAGER],
        "business-calendars",
        &["create", "update"],
    )
}
