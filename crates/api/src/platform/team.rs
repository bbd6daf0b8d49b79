//! How teams are reached: a tree, which the kernel keeps.

use crate::identity::rights::{self, Book};
use samphan_domain::platform::team::Team;
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    scalar::Scalar,
};
use samphan_rest::collection::Collection;

/// Deepest tree.
const DEEPEST: usize = 20;

/// Teams.
#[must_use]
pub fn routes() -> Collection<Team> {
    Collection::new("users").update(update).after_restore(restored).with_crud()
}

async fn update(work: &Work, before: &Stored<Team>, after: Stored<Team>) -> Result<Stored<Team>> {
    let mut next = after.data.parent_id;
    for step in 0.. {
        let Some(parent) = next else { break };
        if parent.0 == before.id() || step > DEEPEST {
            return Err(Error::invalid(FieldError::new("/parent_id", FieldCode::Circular, "a team that is not beneath this one")));
        }
        next = stored::find_one_by::<Team>(work, "id", Scalar::Id(parent.0)).await?.and_then(|t| t.data.parent_id);
    }
    if after.data.parent_id != before.data.parent_id {
        // Members of the teams above see what is beneath them.
        let book = Book::read(work).await?;
        rights::check_no_gain(work, &book, &book.with_team(before.id(), Some(after.data.parent_id.map(|id| id.0)))).await?;
    }
    stored::save(work, before, after, "updated", None).await
}

async fn restored(work: &Work, made: &Stored<Team>) -> Result<()> {
    let book = Book::read(work).await?;
    rights::check_no_gain(work, &book.with_team(made.id(), None), &book).await
}
