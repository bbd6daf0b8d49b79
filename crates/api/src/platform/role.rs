//! How roles are reached: nobody grants what he does not have himself.

use crate::rest::collection::Collection;
use samphan_domain::{
    error::{Code, Error, FieldError, Result},
    platform::role::Role,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};

/// Roles.
#[must_use]
pub fn routes() -> Collection<Role> {
    Collection::new("users").create(create).update(update).writes()
}

async fn create(work: &Work, draft: Stored<Role>) -> Result<Stored<Role>> {
    within_own(work, &draft.data)?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<Role>, after: Stored<Role>) -> Result<Stored<Role>> {
    within_own(work, &after.data)?;
    stored::save(work, before, after, "updated", None).await
}

fn within_own(work: &Work, role: &Role) -> Result<()> {
    let beyond = role.permissions.iter().enumerate().filter(|(_, g)| work.caller.reach(&g.permission).is_none_or(|own| own < g.reach));
    let faults: Vec<FieldError> =
        beyond.map(|(i, _)| FieldError::new(format!("/permissions/{i}"), "beyond_own_rights", "what you may do yourself")).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with(faults)) }
}
