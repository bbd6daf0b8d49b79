//! Rules of stock for products: a product with stock does not become a service, and its tracking by lot or serial number does not change.

use super::stock_level::{Use, expect_unused};
use samphan_domain::catalog::product::Product;
use samphan_persistence::{
    guard::{Check, Guard, Guards},
    record::Record,
    store::Work,
    stored::Stored,
};
use samphan_resource::{error::Result, resource::Resource, shape::Shape};

/// Registers the rules.
#[must_use]
pub fn register(guards: Guards) -> Guards {
    guards.on_change(Product::PLURAL, StockedProduct)
}

#[derive(Debug)]
struct StockedProduct;

impl Guard for StockedProduct {
    fn is_about_one(&self) -> bool {
        true
    }

    fn check<'a>(&'a self, work: &'a Work, _: &'static Shape, before: &'a Record, after: Option<&'a Record>) -> Check<'a> {
        Box::pin(async move {
            match after {
                Some(after) if ["kind", "tracked"].iter().any(|field| before.get(*field) != after.get(*field)) => {
                    check_change(work, before, after).await
                }
                _ => Ok(()),
            }
        })
    }
}

async fn check_change(work: &Work, before: &Record, after: &Record) -> Result<()> {
    let (was, is) = (Stored::<Product>::of(before.clone())?, Stored::<Product>::of(after.clone())?);
    let becomes_service = was.data.kind.is_stocked() && !is.data.kind.is_stocked();
    if becomes_service || was.data.tracked != is.data.tracked {
        expect_unused(work, "product_id", was.id(), Use::Kept).await?;
    }
    Ok(())
}
