//! How products are reached.

use samphan_domain::catalog::product::Product;
use samphan_resource::example;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Products.
#[must_use]
pub fn routes() -> Collection<Product> {
    Collection::new("products")
        .with_crud()
        .with_bulk_update()
        .example(
            Example::body(json!({"filter": {"field": "sku", "op": "starts_with", "value": "OLD-"}, "patch": {"releases_holds": false}}))
                .answers(
                    json!({"id": example::id("bulk updates of products"), "resource": "products", "changed_fields": ["releases_holds"]}),
                ),
        )
        .transition("discontinue", "Discontinue a product. It is not sold any more.")
        .example(Example::default().answers(json!({"status": "discontinued"})).persists())
        .transition("reactivate", "Reactivate a product. It is sold again.")
        .example(Example::default().depends_on(&["discontinueProduct"]).persists())
}
