//! Consent: what persons allow us to send them, the page on which they choose, and the addresses that nothing is sent to.

mod consent;
mod guards;
mod preference_page;
mod suppression;

use crate::platform::shipped_roles::{CONNECTOR, SALES_MANAGER, SELLING};
use samphan_domain::consents::consent_purpose::ConsentPurpose;
use samphan_rest::{
    collection::{Api, Collection},
    module::Module,
    presets::Presets,
};

pub use consent::create;
pub use suppression::{Suppress, suppress};

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).guards(guards::register).presets(presets)
}

fn routes(api: Api) -> Api {
    api.collection(Collection::<ConsentPurpose>::new("consents").with_crud())
        .collection(consent::routes())
        .operations(consent::effective_operations())
        .schema::<consent::EffectiveConsents>()
        .operations(preference_page::operations())
        .schema::<preference_page::PreferenceLink>()
        .schema::<preference_page::PreferenceLinkRequest>()
        .schema::<preference_page::CommunicationPreferences>()
        .schema::<preference_page::PreferenceChoices>()
        .schema::<preference_page::OneClick>()
        .schema::<preference_page::Unsubscription>()
        .collection(suppression::routes())
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets
        .grant(SELLING, "consents", &["read", "create", "withdraw"])
        .grant(SELLING, "contacts", &["create-preference-link"])
        .grant_over_all(SELLING, "consent-purposes", &["read"])
        .grant_over_all(SELLING, "suppressions", &["read", "add"])
        .grant(&[SALES_MANAGER], "consents", &["export"])
        .grant_over_all(&[SALES_MANAGER], "suppressions", &["lift"])
        .grant_over_all(&[CONNECTOR], "suppressions", &["read", "add"])
}
