//! How products are reached.

use samphan_domain::catalog::product::{Product, ProductStatus};
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    resource::Resource,
};
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Products.
#[must_use]
pub fn routes() -> Collection<Product> {
    Collection::new("products")
        .writes()
        .plain_action("discontinue", "Stop selling a product", discontinue)
        .example(Example::default().answers(json!({"status": "discontinued"})).kept())
        .plain_action("reactivate", "Sell a product again", async |work: &Work, p: Stored<Product>| {
            turn(work, p, ProductStatus::Discontinued, ProductStatus::Active, "reactivated").await
        })
        .example(Example::default().after(&["discontinueProduct"]).kept())
}

/// Ends the sale of a product.
pub async fn discontinue(work: &Work, product: Stored<Product>) -> Result<Stored<Product>> {
    turn(work, product, ProductStatus::Active, ProductStatus::Discontinued, "discontinued").await
}

async fn turn(work: &Work, before: Stored<Product>, from: ProductStatus, to: ProductStatus, what: &str) -> Result<Stored<Product>> {
    if before.data.status != from {
        let status = if before.data.status == ProductStatus::Active { "active" } else { "discontinued" };
        return Err(Error::from(Code::IllegalTransition).allowing(Product::actions(status).iter().copied()));
    }
    let mut after = before.clone();
    after.data.status = to;
    stored::save(work, &before, after, what, None).await
}
