//! How products are reached.

use samphan_domain::catalog::product::Product;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Products.
#[must_use]
pub fn routes() -> Collection<Product> {
    Collection::new("products")
        .writes()
        .transition("discontinue", "Stop selling a product")
        .example(Example::default().answers(json!({"status": "discontinued"})).kept())
        .transition("reactivate", "Sell a product again")
        .example(Example::default().after(&["discontinueProduct"]).kept())
}
