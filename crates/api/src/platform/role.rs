//! How roles are reached: a role is made, changed, deleted and restored only by who has all its rights.

use crate::identity::rights::{self, Book};
use samphan_domain::platform::role::Role;
use samphan_persistence::{
    relations,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    caller::{Caller, CallerKind},
    error::Result,
    resource::Resource,
    rights::{Delegation, ExcessRight},
};
use samphan_rest::collection::Collection;

/// Roles.
#[must_use]
pub fn routes() -> Collection<Role> {
    Collection::new("users").create(create).update(update).delete(delete).after_restore(restored).with_crud()
}

async fn create(work: &Work, draft: Stored<Role>) -> Result<Stored<Role>> {
    check_grantable(work, &draft.data)?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<Role>, after: Stored<Role>) -> Result<Stored<Role>> {
    rights::require_rights(work, &alone(work, &before.data), Delegation::None)?;
    check_grantable(work, &after.data)?;
    let (was, next) = (rights::of_role(&before.data), rights::of_role(&after.data));
    if was != next {
        // A reach over teams is one over the teams of each holder.
        let book = Book::read(work).await?;
        rights::check_no_gain(work, &book, &book.with_role(before.id(), Some(next))).await?;
    }
    stored::save(work, before, after, "updated", None).await
}

async fn delete(work: &Work, found: &Stored<Role>) -> Result<()> {
    rights::require_rights(work, &alone(work, &found.data), Delegation::None)?;
    // What is in use is not compared: without its holders a role takes nothing from anybody.
    relations::check_deleted(work, work.shape(Role::PLURAL)?, &found.record).await?;
    // Without a role, the rules of those that are left may show more.
    let book = Book::read(work).await?;
    rights::check_no_gain(work, &book, &book.with_role(found.id(), None)).await?;
    stored::delete(work, found).await
}

async fn restored(work: &Work, made: &Stored<Role>) -> Result<()> {
    rights::require_rights(work, &alone(work, &made.data), Delegation::None)?;
    let book = Book::read(work).await?;
    rights::check_no_gain(work, &book.with_role(made.id(), None), &book).await
}

/// The rights of a role as those of who has just that one, for the systems that the caller may write for.
fn alone(work: &Work, role: &Role) -> Caller {
    let rights = rights::of_role(role);
    let systems = work.caller.systems.clone();
    Caller { kind: CallerKind::User, grants: rights.grants.clone(), roles: vec![rights], systems, ..Caller::system() }
}

/// Refuses what a role grants or shows beyond the caller's own rights.
fn check_grantable(work: &Work, role: &Role) -> Result<()> {
    let found = rights::excess_rights(work, None, &alone(work, role), Delegation::Rights);
    rights::check_grantable(&found, |excess| match excess {
        ExcessRight::Permission(permission) | ExcessRight::Records(permission) => {
            let place = role.permissions.iter().position(|grant| grant.permission == *permission);
            place.map_or_else(|| "/permissions".to_owned(), |i| format!("/permissions/{i}"))
        }
        _ => "/field_rules".to_owned(),
    })
}
