//! Which rights a caller may delegate, on resources of the CRM.

use samphan_domain::{
    customers::{account::Account, contact::Contact},
    integration::credit_balance::CreditBalance,
    platform::role::Role,
};
use samphan_resource::{
    caller::{Caller, CallerKind, FieldAccess, FieldRules, FieldScope, Reach, RoleRights},
    rights::*,
    shape::{Class, Shape},
    timestamp::Timestamp,
};
use std::{collections::HashMap, sync::LazyLock};
use uuid::Uuid;

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let all = [Shape::of::<Account>(), Shape::of::<Contact>(), Shape::of::<Role>(), Shape::of::<CreditBalance>()];
    all.into_iter().map(|shape| (shape.plural, shape)).collect()
});

fn caller(id: u128, grants: &[(&str, Reach)], rules: &[(Class, FieldAccess)]) -> Caller {
    let grants: HashMap<String, Reach> = grants.iter().map(|(permission, reach)| ((*permission).to_owned(), *reach)).collect();
    let rules: FieldRules = rules.iter().map(|(class, access)| (FieldScope::Class(*class), *access)).collect();
    let roles = vec![RoleRights { grants: grants.clone(), rules }];
    Caller { kind: CallerKind::User, id: Uuid::from_u128(id), grants, roles, ..Caller::system() }
}

fn asked(grantor: &Caller, after: &Caller, delegation: Delegation) -> Vec<ExcessRight> {
    excess_rights(grantor, None, after, delegation, &SHAPES)
}

#[test]
fn a_wildcard_takes_a_wildcard() {
    let grantor = caller(1, &[("accounts:read", Reach::All), ("accounts:update", Reach::All)], &[]);
    assert_eq!(
        asked(&grantor, &caller(2, &[("accounts:*", Reach::Own)], &[]), Delegation::Rights),
        [ExcessRight::Permission("accounts:*".into())]
    );
    assert_eq!(asked(&grantor, &caller(2, &[("accounts:read", Reach::Own)], &[]), Delegation::Rights), []);
}

#[test]
fn a_reach_over_teams_takes_those_teams() {
    let (north, south) = (Uuid::from_u128(11), Uuid::from_u128(12));
    let with = |id, reach, teams: &[Uuid]| Caller {
        teams: teams.to_vec(),
        subtree: teams.to_vec(),
        ..caller(id, &[("accounts:read", reach)], &[])
    };
    let records = [ExcessRight::Records("accounts:read".into())];
    assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Team, &[north]), Delegation::Rights), []);
    assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Team, &[south]), Delegation::Rights), records);
    assert_eq!(asked(&with(1, Reach::All, &[]), &with(2, Reach::Team, &[south]), Delegation::Identity), []);
    // What another user owns is reached as that user only.
    assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Own, &[north]), Delegation::Rights), []);
    assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Own, &[north]), Delegation::Identity), records);
    assert_eq!(
        asked(&caller(1, &[("roles:read", Reach::Own)], &[]), &caller(2, &[("roles:read", Reach::Own)], &[]), Delegation::Identity),
        []
    );
}

#[test]
fn what_the_holder_had_before_is_no_gain() {
    let grantor = caller(1, &[("accounts:read", Reach::All)], &[]);
    let before = caller(2, &[("*:*", Reach::All)], &[]);
    assert_eq!(excess_rights(&grantor, Some(&before), &before, Delegation::Rights, &SHAPES), []);
}

#[test]
fn fields_that_the_giver_does_not_see_stay_hidden() {
    let balances = [("credit-balances:read", Reach::All)];
    let grantor = caller(1, &balances, &[(Class::Financial, FieldAccess::Hidden)]);
    let shows = |found: Vec<ExcessRight>| found.contains(&ExcessRight::Field("credit_balances", "receivable"));
    assert!(shows(asked(&grantor, &caller(2, &balances, &[]), Delegation::Rights)));
    assert!(shows(asked(&grantor, &caller(2, &balances, &[(Class::Financial, FieldAccess::Masked)]), Delegation::Rights)));
    assert_eq!(asked(&grantor, &caller(2, &balances, &[(Class::Financial, FieldAccess::Hidden)]), Delegation::Rights), []);
    // A right to something else shows nothing of it.
    let grantor =
        caller(1, &[("credit-balances:read", Reach::All), ("roles:read", Reach::All)], &[(Class::Financial, FieldAccess::Hidden)]);
    assert_eq!(asked(&grantor, &caller(2, &[("roles:read", Reach::All)], &[]), Delegation::Rights), []);
}

#[test]
fn a_limited_key_makes_no_wider_one() {
    let end = Timestamp::parse("2030-01-01T00:00:00Z").unwrap();
    let key = |systems: &[&str], addresses: &[&str], expires_at| Caller {
        kind: CallerKind::ApiKey,
        systems: systems.iter().map(|s| (*s).to_owned()).collect(),
        addresses: addresses.iter().map(|s| (*s).to_owned()).collect(),
        expires_at,
        ..caller(1, &[("*:*", Reach::All)], &[])
    };
    let parent = key(&["express"], &["10.0.0.0/8"], Some(end));
    assert_eq!(asked(&parent, &key(&["express"], &["10.1.2.3"], Some(end)), Delegation::Rights), []);
    assert_eq!(
        asked(&parent, &key(&[], &[], None), Delegation::Rights),
        [ExcessRight::Systems, ExcessRight::Addresses, ExcessRight::Expiry]
    );
    assert_eq!(asked(&parent, &key(&["express"], &[], None), Delegation::None), []);
    let wider = key(&["express", "hub"], &["10.0.0.0/7"], Some(end.plus_seconds(1)));
    assert_eq!(asked(&parent, &wider, Delegation::Rights), [ExcessRight::Systems, ExcessRight::Addresses, ExcessRight::Expiry]);
    // A user works on when the key does not: only rights for other systems are more than the key's.
    let user = caller(2, &[("accounts:read", Reach::All)], &[]);
    assert_eq!(asked(&parent, &user, Delegation::Rights), [ExcessRight::Systems]);
    assert_eq!(asked(&parent, &user, Delegation::Identity), [ExcessRight::Systems, ExcessRight::Addresses, ExcessRight::Expiry]);
}
