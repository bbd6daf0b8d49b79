//! How price books are reached: one default for each currency, parents of the same currency, and no circles.

use crate::rest::collection::Collection;
use samphan_domain::{
    catalog::price_book::PriceBook,
    error::{Error, FieldError, Result},
    scalar::Scalar,
};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};

/// Most books on the way from a book to its last ancestor.
pub const MOST_PARENTS: usize = 10;

/// Price books.
#[must_use]
pub fn routes() -> Collection<PriceBook> {
    Collection::new("prices").create(create).update(update).writes()
}

/// Makes a price book.
pub(crate) async fn create(work: &Work, draft: Stored<PriceBook>) -> Result<Stored<PriceBook>> {
    check(work, &draft).await?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<PriceBook>, after: Stored<PriceBook>) -> Result<Stored<PriceBook>> {
    check(work, &after).await?;
    stored::save(work, before, after, "updated", None).await
}

async fn check(work: &Work, book: &Stored<PriceBook>) -> Result<()> {
    let mut next = book.data.parent_id;
    for step in 0.. {
        let Some(parent) = next else { break };
        if parent.0 == book.id() || step >= MOST_PARENTS {
            return Err(Error::invalid(FieldError::new("/parent_id", "circular", "a book that does not fall back on this one")));
        }
        let Some(found) = stored::one_with::<PriceBook>(work, "id", Scalar::Id(parent.0)).await? else { break };
        if found.data.currency != book.data.currency {
            return Err(Error::invalid(FieldError::new("/parent_id", "other_currency", "a book of the same currency")));
        }
        next = found.data.parent_id;
    }
    if book.data.is_default {
        for other in stored::all_with::<PriceBook>(work, "currency", Scalar::Text(book.data.currency.clone())).await? {
            if other.data.is_default && other.id() != book.id() {
                let mut after = other.clone();
                after.data.is_default = false;
                stored::save(work, &other, after, "updated", None).await?;
            }
        }
    }
    Ok(())
}
