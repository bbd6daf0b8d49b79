//! Which contacts act for which accounts; one of them is the first.

use samphan_domain::customers::account_contact::AccountContact;
use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::error::Result;
use samphan_rest::{collection::Collection, example::Example};
use serde_json::json;

/// Account contacts.
#[must_use]
pub fn routes() -> Collection<AccountContact> {
    Collection::new("contacts")
        .with_crud()
        .action_without_input("set-primary", "Make an account contact primary", set_primary)
        .example(Example::default().answers(json!({"is_primary": true})))
}

/// Makes a contact the account's first, in place of the one before.
pub async fn set_primary(work: &Work, before: Stored<AccountContact>) -> Result<Stored<AccountContact>> {
    let mut after = before.clone();
    after.data.is_primary = true;
    stored::save(work, &before, after, "primary_set", None).await
}
