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
    account_relationship::AccountRelationship,
    contact::Contact,
    preference::Preference,
    tag::Tag,
};
use samphan_resource::{example, resource::Resource};
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

/// Preferences of one kind of parent.
fn preferences<P: Resource>(tag: &'static str, field: &'static str) -> Collection<Preference> {
    Collection::nested_under::<P>(tag, field, "preferences").with_crud()
}

fn account_relationships() -> Collection<AccountRelationship> {
    Collection::new("accounts")
        .with_crud()
        .example_of("createAccountRelationship", Example::default().depends_on(&["batchAccounts"]).persists())
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(SELLING, "accounts", &["read", "create", "update"])
        .grant(SELLING, "contacts", &["read", "create", "update"])
        .grant(SELLING, "account-contacts", &["read", "create", "update"])
        .grant(SELLING, "account-relationships", &["read", "create", "update"])
        .grant(SELLING, "accounts", &["change-lifecycle"])
        .grant_over_all(SELLING, "tags", &["read"])
        .grant(&[SALES_MANAGER], "accounts", &["delete", "assign"])
        .grant(&[SALES_MANAGER], "contacts", &["delete", "assign"])
        .grant(&[SALES_MANAGER], "account-contacts", &["delete", "set-primary"])
        .grant(&[SALES_MANAGER], "account-relationships", &["delete"])
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
        .collection(preferences::<Account>("accounts", "account_id"))
        .collection(preferences::<Contact>("contacts", "contact_id"))
        .collection(account_contact::routes())
        .collection(account_relationships())
        .collection(Collection::<Tag>::new("tags").with_crud())
        .operations(search::routes())
        .operations(lookup::routes())
        .schema::<search::SearchPage>()
        .schema::<lookup::LookupAnswer>()
}
