//! How price books are reached: a parent is of the same currency. That there is one default for each currency, and that parents form no
//! ring, the kernel sees to.

use samphan_domain::catalog::price_book::PriceBook;
use samphan_persistence::{
    relations,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::Scalar,
};
use samphan_rest::collection::Collection;

/// Most books on the way from a book to its last ancestor.
pub const MOST_PARENTS: usize = PriceBook::MAX_LEVELS;

/// Price books.
#[must_use]
pub fn routes() -> Collection<PriceBook> {
    Collection::new("prices").create(create).update(update).with_crud()
}

/// Makes a price book.
pub async fn create(work: &Work, draft: Stored<PriceBook>) -> Result<Stored<PriceBook>> {
    check(work, &draft).await?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<PriceBook>, after: Stored<PriceBook>) -> Result<Stored<PriceBook>> {
    if (before.data.parent_id, &before.data.currency) != (after.data.parent_id, &after.data.currency) {
        check(work, &after).await?;
    }
    stored::save(work, before, after, "updated", None).await
}

async fn check(work: &Work, book: &Stored<PriceBook>) -> Result<()> {
    let Some(parent) = book.data.parent_id else { return Ok(()) };
    // Its currency cannot change from here on: that takes the record for itself.
    relations::hold(work, PriceBook::PLURAL, [parent.0]).await?;
    match stored::find_one_by::<PriceBook>(work, "id", Scalar::Id(parent.0)).await? {
        Some(parent) if parent.data.currency != book.data.currency => {
            Err(Error::invalid(FieldError::new("/parent_id", FieldCode::OtherCurrency, "a book of the same currency")))
        }
        _ => Ok(()),
    }
}
