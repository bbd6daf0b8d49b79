//! Customers: accounts, contacts, how to reach them, and how to find them.

pub mod account;
pub mod account_contact;
pub mod address;
pub mod contact_point;
pub mod handover;
pub mod lookup;
pub mod search;

use samphan_domain::customers::{
    account::Account,
    account_history::{AccountGradeChange, AccountLifecycleChange},
    contact::Contact,
    tag::Tag,
};
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes)
}

/// The area's routes.
#[must_use]
fn routes(api: Api) -> Api {
    api.collection(account::routes())
        .collection(Collection::<AccountLifecycleChange>::under::<Account>("accounts", "account_id", "lifecycle-history"))
        .collection(Collection::<AccountGradeChange>::under::<Account>("accounts", "account_id", "grade-history"))
        .collection(address::routes::<Account>("accounts", "account_id"))
        .collection(contact_point::routes::<Account>("accounts", "account_id"))
        .collection(Collection::<Contact>::new("contacts").writes())
        .collection(address::routes::<Contact>("contacts", "contact_id"))
        .collection(contact_point::routes::<Contact>("contacts", "contact_id"))
        .collection(account_contact::routes())
        .collection(Collection::<Tag>::new("tags").writes())
        .operations(search::routes())
        .operations(lookup::routes())
        .schema::<search::SearchPage>()
        .schema::<lookup::LookupAnswer>()
}
