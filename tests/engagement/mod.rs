//! Engagement: what is done with customers is related to any record, visible with it, and told in one order of time.

mod calls;
mod notes;
mod related;
mod tasks;
mod timelines;

use crate::support::*;

fn id(record: &Value) -> String {
    record["id"].as_str().unwrap().to_owned()
}

/// A contact of an account.
async fn contact_of(app: &App, account: &str, name: &str) -> String {
    let contact = id(&app.make("/v1/contacts", json!({"first_name": name})).await);
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact, "role": "purchaser"})).await;
    contact
}
