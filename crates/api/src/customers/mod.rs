//! Customers: accounts, contacts, how to reach them, and how to find them.

pub mod account;
pub mod account_contact;
pub mod address;
pub mod contact_point;
pub mod handover;
pub mod lookup;
pub mod search;

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR, SALES_MANAGER, SELLING};
use samphan_domain::customers::{
    account::Account,
    account_history::{AccountGradeChange, AccountLifecycleChange},
    contact::Contact,
    tag::Tag,
};
use samphan_resource::example;
use samphan_rest::{
    collection::{Api, Collection},
    example::Example,
    module::Module,
    presets::Presets,
};
use serde_json::{Value, json};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets)
}

fn contacts() -> Collection<Contact> {
    let matches_none = json!({"field": "last_name", "op": "eq", "value": "Nobody"});
    let answered = |what: &str, more: Value| {
        let mut answer = json!({"id": example::id(what), "resource": "contacts"});
        answer.as_object_mut().into_iter().for_each(|answer| answer.extend(more.as_object().cloned().unwrap_or_default()));
        answer
    };
    Collection::<Contact>::new("contacts")
        .with_crud()
        .with_bulk_update()
        .example(
            Example::body(json!({"filter": matches_none, "patch": {"department": "Purchasing"}}))
                .answers(answered("bulk updates of contacts", json!({"changed_fields": ["department"]}))),
        )
        .with_bulk_assign()
        .example(
            Example::body(json!({"filter": matches_none, "owner_id": example::id("users")}))
                .answers(answered("bulk assignments of contacts", json!({"kind": "bulk_assign", "changed_fields": ["owner_id"]}))),
        )
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(SELLING, "accounts", &["read", "create", "update"])
        .grant(SELLING, "contacts", &["read", "create", "update"])
        .grant(SELLING, "account-contacts", &["read", "create", "update"])
        .grant(SELLING, "accounts", &["change-lifecycle"])
        .grant_over_all(SELLING, "tags", &["read"])
        .grant(&[SALES_MANAGER], "accounts", &["delete", "assign"])
        .grant(&[SALES_MANAGER], "contacts", &["delete", "assign"])
        .grant(&[SALES_MANAGER], "account-contacts", &["delete", "set-primary"])
        .grant(&[ACCOUNTING], "accounts", &["read", "create", "update"])
        .grant(&[CONNECTOR], "accounts", &["read"])
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(account::routes())
        .collection(Collection::<AccountLifecycleChange>::nested_under::<Account>("accounts", "account_id", "lifecycle-history"))
        .collection(Collection::<AccountGradeChange>::nested_under::<Account>("accounts", "account_id", "grade-history"))
        .collection(address::routes::<Account>("accounts", "account_id"))
        .collection(contact_point::routes::<Account>("accounts", "account_id"))
        .collection(contacts())
        .collection(address::routes::<Contact>("contacts", "contact_id"))
        .collection(contact_point::routes::<Contact>("contacts", "contact_id"))
        .collection(account_contact::routes())
        .collection(Collection::<Tag>::new("tags").with_crud())
        .operations(search::routes())
        .operations(lookup::routes())
        .schema::<search::SearchPage>()
        .schema::<lookup::LookupAnswer>()
}
