//! How contact points are reached: what was verified is the address, so another address is not.

use samphan_domain::customers::contact_point::ContactPoint;
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{error::Result, resource::Resource};
use samphan_rest::collection::Collection;

/// Contact points of one kind of parent.
#[must_use]
pub fn routes<P: Resource>(tag: &'static str, field: &'static str) -> Collection<ContactPoint> {
    Collection::nested_under::<P>(tag, field, "contact-points").update(update).with_crud()
}

async fn update(work: &Work, before: &Stored<ContactPoint>, mut after: Stored<ContactPoint>) -> Result<Stored<ContactPoint>> {
    after.data.normalise();
    let is_another = (after.data.kind, &after.data.normalized) != (before.data.kind, &before.data.normalized);
    // An address that is verified as it is entered says so itself.
    if is_another && before.data.is_verified {
        after.data.is_verified = false;
    }
    stored::save(work, before, after, "updated", None).await
}
