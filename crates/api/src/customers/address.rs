//! Addresses of accounts and contacts: one of each purpose is the default.

use samphan_domain::customers::address::Address;
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{error::Result, resource::Resource, scalar::Scalar};
use samphan_rest::collection::Collection;

/// Addresses of one kind of parent.
#[must_use]
pub fn routes<P: Resource>(tag: &'static str, field: &'static str) -> Collection<Address> {
    Collection::nested_under::<P>(tag, field, "addresses").create(create).with_crud()
}

/// Makes an address; the first of its purpose becomes the default.
pub async fn create(work: &Work, mut draft: Stored<Address>) -> Result<Stored<Address>> {
    draft.data.is_default |= !has_siblings(work, &draft).await?;
    stored::insert(work, draft).await
}

/// Whether the same parent has another address of the purpose.
async fn has_siblings(work: &Work, address: &Stored<Address>) -> Result<bool> {
    let account = address.data.account_id.map(|id| ("account_id", id.0));
    let Some((field, id)) = account.or(address.data.contact_id.map(|id| ("contact_id", id.0))) else { return Ok(true) };
    let all = stored::find_by::<Address>(work, field, Scalar::Id(id)).await?;
    Ok(all.iter().any(|a| a.data.purpose == address.data.purpose))
}
