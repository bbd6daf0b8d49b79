//! How credit policies are reached.

use samphan_domain::integration::credit_policy::CreditPolicy;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Credit policies.
#[must_use]
pub fn routes() -> Collection<CreditPolicy> {
    Collection::new("credit")
        .with_crud()
        .transition("activate", "Activate a credit policy. It decides from now on.")
        .example(Example::default().answers(json!({"status": "active"})).persists())
        .transition("retire", "Retire a credit policy. It does not decide any more.")
        .example(Example::default().depends_on(&["activateCreditPolicy"]).answers(json!({"status": "retired"})))
}
