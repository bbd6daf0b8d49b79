//! The tables of transitions: what they name is there, and no resource says anything of it twice.

use samphan_domain::{
    catalog::product::Product,
    customers::{account::Account, account_contact::AccountContact},
    integration::{
        credit_check::CreditCheck, credit_policy::CreditPolicy, credit_snapshot::CreditSnapshot, external_system::ExternalSystem,
        webhook_endpoint::WebhookEndpoint,
    },
    platform::{api_key::ApiKey, privacy_request::PrivacyRequest, user::User},
    sales::{order::Order, order_hold::OrderHold, order_promise::OrderPromise, shipment::Shipment},
    stock::{stock_level::StockLevel, stock_reservation::StockReservation, warehouse::Warehouse},
};
use samphan_resource::{resource::Resource, shape::Shape};

/// The shape of a resource whose table is as it should be.
fn checked<T: Resource>() -> &'static Shape {
    let shape = Shape::of::<T>();
    let states = T::STATUS.and_then(|field| shape.field(field)).map(|field| field.options.clone()).unwrap_or_default();
    assert!(!T::TRANSITIONS.is_empty(), "{}", T::PLURAL);
    for t in T::TRANSITIONS {
        let what = format!("{} {}", T::PLURAL, t.verb);
        for state in t.from.iter().chain(&t.to) {
            assert!(states.iter().any(|known| known == state), "{what}: {state} is none of {states:?}");
        }
        assert!(t.to.is_none_or(|to| !t.from.contains(&to)), "{what}: it leads to where it begins");
        assert!(t.verb.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{what}");
        if let Some(event) = t.event {
            let event = format!("{}.{event}", T::SINGULAR);
            assert!(!T::EVENTS.contains(&event.as_str()) && shape.events.contains(&event.as_str()), "{what}: {event}");
        }
    }
    shape
}

#[test]
fn every_table_names_states_that_are_there() {
    for (shape, states) in [
        (checked::<Product>(), 2),
        (checked::<Account>(), 6),
        (checked::<AccountContact>(), 0),
        (checked::<CreditCheck>(), 5),
        (checked::<CreditPolicy>(), 3),
        (checked::<CreditSnapshot>(), 2),
        (checked::<ExternalSystem>(), 2),
        (checked::<WebhookEndpoint>(), 3),
        (checked::<ApiKey>(), 2),
        (checked::<PrivacyRequest>(), 4),
        (checked::<User>(), 2),
        (checked::<Order>(), 8),
        (checked::<OrderHold>(), 4),
        (checked::<OrderPromise>(), 5),
        (checked::<Shipment>(), 7),
        (checked::<StockLevel>(), 0),
        (checked::<StockReservation>(), 4),
        (checked::<Warehouse>(), 2),
    ] {
        let options = shape.status.and_then(|field| shape.field(field)).map_or(0, |field| field.options.len());
        assert_eq!(options, states, "{}", shape.plural);
    }
}

#[test]
fn a_state_offers_its_actions_in_the_order_of_the_table() {
    let of = |state: &'static str| Order::actions(state).collect::<Vec<_>>();
    assert_eq!(of("draft"), ["submit", "cancel", "clone"]);
    assert_eq!(of("on_hold"), ["confirm", "release", "amend", "cancel", "close", "clone"]);
    assert_eq!(of("confirmed"), ["hold", "amend", "allocate-stock", "create-shipment", "cancel", "close", "clone"]);
    assert_eq!(of("cancelled"), ["reopen", "clone"]);
    assert_eq!(PrivacyRequest::actions("verified").collect::<Vec<_>>(), ["export", "fulfil", "reject"]);
}
