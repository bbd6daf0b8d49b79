//! How external systems are reached.

use crate::rest::collection::Collection;
use samphan_domain::{
    error::{Code, Error, FieldError, Result},
    integration::external_system::{ExternalSystem, SystemStatus},
    resource::Resource,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};

/// External systems.
#[must_use]
pub fn routes() -> Collection<ExternalSystem> {
    Collection::new("external-systems")
        .update(update)
        .writes()
        .plain_action("pause", "Refuse a system's pushes", async |work: &Work, s: Stored<ExternalSystem>| {
            turn(work, s, SystemStatus::Paused).await
        })
        .plain_action("activate", "Take a system's pushes again", async |work: &Work, s: Stored<ExternalSystem>| {
            turn(work, s, SystemStatus::Active).await
        })
}

async fn update(work: &Work, before: &Stored<ExternalSystem>, after: Stored<ExternalSystem>) -> Result<Stored<ExternalSystem>> {
    if before.data.code != after.data.code {
        return Err(Error::invalid(FieldError::new("/code", "not_allowed", "the code it was made with: references and balances name it")));
    }
    stored::save(work, before, after, "updated", None).await
}

async fn turn(work: &Work, before: Stored<ExternalSystem>, to: SystemStatus) -> Result<Stored<ExternalSystem>> {
    if before.data.status == to {
        let status = if to == SystemStatus::Active { "active" } else { "paused" };
        return Err(Error::from(Code::IllegalTransition).allowing(ExternalSystem::actions(status).iter().copied()));
    }
    let mut after = before.clone();
    after.data.status = to;
    stored::save(work, &before, after, if to == SystemStatus::Active { "activated" } else { "paused" }, None).await
}
