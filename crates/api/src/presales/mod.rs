//! Sales before the order: leads and what becomes of them, pipelines with their stages and boards, and the opportunities that go through them.
//!
//! An opportunity is locked before its pipeline, which is kept from changing (`FOR SHARE`) while opportunities move. What removes a stage locks the
//! pipeline first: where both meet, PostgreSQL ends one of them, which is answered 503 and tried again.

pub mod board;
mod board_totals;
mod candidates;
pub mod convert;
mod criteria;
pub mod lead;
pub mod opportunity;
pub mod pipeline;
pub mod rebuild;
mod stages;

use crate::platform::shipped_roles::{SALES_MANAGER, SELLING};
use samphan_domain::presales::{opportunity::Opportunity, stage_history::OpportunityStageChange};
use samphan_persistence::guard::Guards;
use samphan_resource::resource::Resource;
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).guards(guards).timer("rot", opportunity::rot)
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant_over_all(SELLING, "pipelines", &["read"])
        .grant(SELLING, "leads", &["read", "create", "update", "start", "nurture", "qualify", "disqualify", "recycle", "merge", "convert"])
        .grant(&[SALES_MANAGER], "leads", &["delete", "assign"])
        .grant(SELLING, "opportunities", &["read", "create", "update", "move-stage", "win", "lose", "reopen", "change-pipeline"])
        .grant(&[SALES_MANAGER], "opportunities", &["delete", "assign", "force-stage"])
        .grant_over_all(
            &[SALES_MANAGER],
            "pipelines",
            &["create", "update", "delete", "activate", "retire", "reorder-stages", "remove-stage"],
        )
}

/// Projections that are kept with each write.
fn guards(guards: Guards) -> Guards {
    guards.on_written(Opportunity::PLURAL, board_totals::follow)
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(lead::routes()).collection(pipeline::routes()).collection(opportunity::routes()).collection(Collection::<
        OpportunityStageChange,
    >::nested_under::<Opportunity>(
        "opportunities",
        "opportunity_id",
        "stage-history",
    ))
}
