//! What callers may do and see, on resources of the CRM.

use samphan_domain::customers::contact::Contact;
use samphan_resource::{
    caller::*,
    shape::{Class, Shape},
};
use std::collections::HashMap;

#[test]
fn the_widest_grant_holds_and_nothing_is_granted_by_silence() {
    let mut caller = Caller { grants: HashMap::new(), ..Caller::system() };
    assert_eq!(caller.visibility("accounts:read"), Visibility::None);
    caller.grants.insert("accounts:read".into(), Reach::Own);
    caller.grants.insert("*:read".into(), Reach::Team);
    assert_eq!(caller.reach("accounts:read"), Some(Reach::Team));
    assert_eq!(caller.reach("accounts:update"), None);
}

fn role(grants: &[&str], rules: &[(&str, FieldAccess)]) -> RoleRights {
    let scope = |name: &str| match name {
        "personal" => FieldScope::Class(Class::Personal),
        "financial" => FieldScope::Class(Class::Financial),
        field => FieldScope::Field("contacts".to_owned(), field.to_owned()),
    };
    RoleRights {
        grants: grants.iter().map(|g| ((*g).to_owned(), Reach::All)).collect(),
        rules: rules.iter().map(|(name, access)| (scope(name), *access)).collect(),
    }
}

fn access(roles: &[RoleRights], field: &str) -> FieldAccess {
    let shape = Shape::of::<Contact>();
    let caller = Caller { roles: roles.to_vec(), ..Caller::system() };
    shape.field(field).map(|field| caller.access(shape, field)).unwrap()
}

#[test]
fn a_rule_of_a_field_holds_for_the_fields_that_tell_it() {
    let hidden = |name: &str| [role(&["contacts:read"], &[(name, FieldAccess::Hidden)])];
    for part in ["first_name", "middle_name", "last_name", "local_name", "name"] {
        assert_eq!(access(&hidden("name"), part), FieldAccess::Hidden, "{part} tells the name");
    }
    assert_eq!(access(&hidden("last_name"), "name"), FieldAccess::Hidden);
    assert_eq!(access(&hidden("last_name"), "first_name"), FieldAccess::Full);
}

#[test]
fn of_the_roles_that_grant_reading_the_most_generous_shows_the_field() {
    let hides = role(&["contacts:*"], &[("name", FieldAccess::Hidden)]);
    let masks = role(&["contacts:read"], &[("first_name", FieldAccess::Masked)]);
    assert_eq!(access(&[hides.clone(), masks.clone()], "first_name"), FieldAccess::Masked);
    // The other role shows it, but grants no writing; the one that does hides it.
    assert_eq!(access(&[hides.clone(), masks], "last_name"), FieldAccess::ReadOnly);
    assert_eq!(access(&[hides, role(&["*:*"], &[])], "name"), FieldAccess::Full);
}

#[test]
fn a_role_that_grants_nothing_on_a_resource_lifts_no_rule_of_its_fields() {
    let hides = role(&["contacts:read", "contacts:update"], &[("personal", FieldAccess::Hidden)]);
    for silent in
        [role(&[], &[]), role(&["accounts:*"], &[]), role(&["contacts:update"], &[]), role(&[], &[("personal", FieldAccess::Full)])]
    {
        assert_eq!(access(&[hides.clone(), silent.clone()], "birth_date"), FieldAccess::Hidden, "{silent:?}");
    }
    assert_eq!(access(&[hides, role(&["contacts:read"], &[])], "birth_date"), FieldAccess::ReadOnly);
}

#[test]
fn a_role_that_grants_reading_only_lifts_no_rule_about_writing() {
    let writes = role(&["contacts:*"], &[("department", FieldAccess::ReadOnly)]);
    assert_eq!(access(&[writes.clone(), role(&["contacts:read"], &[])], "department"), FieldAccess::ReadOnly);
    assert_eq!(access(&[writes, role(&["contacts:update"], &[])], "department"), FieldAccess::Full);
}

#[test]
fn the_strictest_role_holds_where_none_grants_anything_on_the_resource() {
    let strict = role(&["accounts:read"], &[("personal", FieldAccess::Hidden)]);
    assert_eq!(access(&[strict, role(&["credit:read"], &[])], "birth_date"), FieldAccess::Hidden);
}
