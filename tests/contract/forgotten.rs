//! What the author of a new resource may forget: whose the free text in it is, and which role may use it.

use crate::support::{contract::operations, *};
use samphan_api::{areas, openapi};
use samphan_resource::{scalar::Kind, shape::Field};
use samphan_rest::router::Router;
use std::collections::BTreeSet;

crate::on_both![every_resource_is_read_by_a_shipped_role, shipped_roles_are_what_the_areas_say];

/// Free texts that say nothing of a person: about goods, places and settings, or in another system's words. Those of events are erased with
/// the events.
const NOBODYS: [&str; 19] = [
    "account_grade_history.from_grade",
    "account_grade_history.to_grade",
    "audit_events.reason",
    "consent_purposes.description",
    "custom_fields.description",
    "jobs.last_error",
    "product_categories.description",
    "products.description",
    "products.name",
    "roles.description",
    "settings.name",
    "stock_movements.reason",
    "suppressions.note",
    "tags.description",
    "teams.description",
    "warehouses.line1",
    "warehouses.line2",
    "webhook_deliveries.last_response",
    "webhook_endpoints.description",
];

/// What only administrators read: the organisation's machines, its rights, what goes on in the background, and what persons may ask of it.
const ADMINISTRATORS: [&str; 6] =
    ["api-keys:read", "audit-events:read", "jobs:read", "privacy-requests:read", "roles:read", "webhook-endpoints:read"];

/// Permissions that operations ask for within, of what they show or take beside the rest.
const WITHIN: [&str; 2] = ["credit:see-ledger", "orders:set-price"];

/// Whether anybody may write anything into a field.
fn is_free_text(field: &Field) -> bool {
    let is_bounded = field.schema.get("pattern").is_some() || field.schema.get("format").is_some() || !field.options.is_empty();
    field.kind == Kind::Text
        && field.reference.is_none()
        && !is_bounded
        && field.schema["maxLength"].as_u64().is_none_or(|most| most >= 200)
}

#[test]
fn free_text_is_erased_with_the_person_it_may_be_about() {
    let api = openapi::api();
    let texts = api.shapes.values().flat_map(|shape| shape.fields.iter().map(move |field| (shape, field)));
    let unmarked = texts.filter(|(_, field)| is_free_text(field) && field.privacy_category.is_none());
    let unmarked: BTreeSet<String> = unmarked.map(|(shape, field)| format!("{}.{}", shape.plural, field.name)).collect();
    assert_eq!(unmarked, NOBODYS.map(str::to_owned).into(), "name it in PRIVACY_CATEGORIES, or here when it is about nobody");
}

async fn every_resource_is_read_by_a_shipped_role(app: App) {
    let roles = app.all("/v1/roles", 200).await;
    let grants = roles.iter().filter(|role| role["name"] != "Administrator").flat_map(|role| role["permissions"].as_array().unwrap());
    let granted: BTreeSet<&str> = grants.map(|grant| grant["permission"].as_str().unwrap()).collect();
    let needed = operations().filter_map(|(_, _, operation)| operation["x-permission"].as_str()).filter(|p| p.ends_with(":read"));
    let missing: BTreeSet<&str> = needed.filter(|permission| !granted.contains(permission)).collect();
    assert_eq!(missing, ADMINISTRATORS.into(), "grant it to a shipped role (`presets` beside the area's routes), or name it here");
}

/// Nothing is granted that no operation asks for, nothing twice, and nothing to a role that is not shipped.
async fn shipped_roles_are_what_the_areas_say(app: App) {
    let roles = app.all("/v1/roles", 200).await;
    let routes = Router::of(openapi::api().operations).unwrap();
    let needed = routes.permissions();
    let presets = areas::all().presets;
    let mut seen = BTreeSet::new();
    for preset in presets.iter() {
        let (role, permission) = (preset.role, preset.permission.as_str());
        assert!(needed.contains(permission) || WITHIN.contains(&permission), "{role}: no operation asks for {permission}");
        assert!(seen.insert((role, permission)), "{role}: {permission} twice");
        let made = roles.iter().find(|made| made["name"] == role).unwrap_or_else(|| panic!("{role} is shipped"));
        let grants = made["permissions"].as_array().unwrap();
        let found: Vec<&Value> = grants.iter().filter(|grant| grant["permission"] == permission).collect();
        let reach = match (preset.is_over_all, role) {
            (false, "Seller") => "team",
            (false, "Sales manager") => "subtree",
            _ => "all",
        };
        assert_eq!(found.iter().map(|grant| &grant["reach"]).collect::<Vec<_>>(), [reach], "{role}: {permission}");
    }
    let granted: usize = roles.iter().filter(|r| r["name"] != "Administrator").map(|r| r["permissions"].as_array().unwrap().len()).sum();
    assert_eq!(granted, seen.len());
}
