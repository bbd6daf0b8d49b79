//! How credit policies are reached.

use samphan_domain::integration::credit_policy::{CreditPolicy, PolicyStatus};
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

/// Credit policies.
#[must_use]
pub fn routes() -> Collection<CreditPolicy> {
    Collection::new("credit")
        .writes()
        .plain_action("activate", "Have a credit policy decide", activate)
        .example(Example::default().answers(json!({"status": "active"})).kept())
        .plain_action("retire", "Have a credit policy decide no longer", async |work: &Work, p: Stored<CreditPolicy>| {
            turn(work, p, PolicyStatus::Retired, "retired").await
        })
        .example(Example::default().after(&["activateCreditPolicy"]).answers(json!({"status": "retired"})))
}

/// Has a policy decide.
pub async fn activate(work: &Work, policy: Stored<CreditPolicy>) -> Result<Stored<CreditPolicy>> {
    turn(work, policy, PolicyStatus::Active, "activated").await
}

async fn turn(work: &Work, before: Stored<CreditPolicy>, to: PolicyStatus, what: &str) -> Result<Stored<CreditPolicy>> {
    let status = if before.data.status == PolicyStatus::Active { "active" } else { "inactive" };
    if (before.data.status == PolicyStatus::Active) == (to == PolicyStatus::Active) {
        return Err(Error::from(Code::IllegalTransition).allowing(CreditPolicy::actions(status).iter().copied()));
    }
    let mut after = before.clone();
    after.data.status = to;
    stored::save(work, &before, after, what, None).await
}
