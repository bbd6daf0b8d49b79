//! How teams are reached: a tree, never a circle.

use crate::rest::collection::Collection;
use samphan_domain::{
    error::{Code, Error, FieldError, Result},
    platform::team::Team,
    scalar::Scalar,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};

/// Deepest tree.
const DEEPEST: usize = 20;

/// Teams.
#[must_use]
pub fn routes() -> Collection<Team> {
    Collection::new("users").update(update).delete(delete).writes()
}

async fn update(work: &Work, before: &Stored<Team>, after: Stored<Team>) -> Result<Stored<Team>> {
    let mut next = after.data.parent_id;
    for step in 0.. {
        let Some(parent) = next else { break };
        if parent.0 == before.id() || step > DEEPEST {
            return Err(Error::invalid(FieldError::new("/parent_id", "circular", "a team that is not beneath this one")));
        }
        next = stored::one_with::<Team>(work, "id", Scalar::Id(parent.0)).await?.and_then(|t| t.data.parent_id);
    }
    stored::save(work, before, after, "updated", None).await
}

async fn delete(work: &Work, found: &Stored<Team>) -> Result<()> {
    if let Some(child) = stored::one_with::<Team>(work, "parent_id", Scalar::Id(found.id())).await? {
        return Err(Error::from(Code::InUse).against("teams", child.id(), "parent_id"));
    }
    stored::delete(work, found).await
}
