//! Addresses of accounts and contacts: one of each purpose is the default.

use crate::rest::collection::Collection;
use samphan_domain::{customers::address::Address, error::Result, resource::Resource, scalar::Scalar};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};

/// Addresses of one kind of parent.
#[must_use]
pub fn routes<P: Resource>(tag: &'static str, field: &'static str) -> Collection<Address> {
    Collection::under::<P>(tag, field, "addresses").create(create).update(update).writes()
}

/// Makes an address; the first of its purpose becomes the default.
pub(crate) async fn create(work: &Work, mut draft: Stored<Address>) -> Result<Stored<Address>> {
    let others = siblings(work, &draft).await?;
    draft.data.is_default |= others.is_empty();
    yield_default(work, &draft, others).await?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<Address>, after: Stored<Address>) -> Result<Stored<Address>> {
    let others = siblings(work, &after).await?.into_iter().filter(|a| a.id() != before.id()).collect();
    yield_default(work, &after, others).await?;
    stored::save(work, before, after, "updated", None).await
}

/// The other addresses of the same parent and purpose.
async fn siblings(work: &Work, address: &Stored<Address>) -> Result<Vec<Stored<Address>>> {
    let account = address.data.account_id.map(|id| ("account_id", id.0));
    let Some((field, id)) = account.or(address.data.contact_id.map(|id| ("contact_id", id.0))) else { return Ok(vec![]) };
    let all = stored::all_with::<Address>(work, field, Scalar::Id(id)).await?;
    Ok(all.into_iter().filter(|a| a.data.purpose == address.data.purpose).collect())
}

async fn yield_default(work: &Work, address: &Stored<Address>, others: Vec<Stored<Address>>) -> Result<()> {
    for other in others.into_iter().filter(|a| address.data.is_default && a.data.is_default) {
        let mut after = other.clone();
        after.data.is_default = false;
        stored::save(work, &other, after, "updated", None).await?;
    }
    Ok(())
}
