//! Whether a caller may hand over rights: the one comparison behind roles, users, teams, API keys and webhook endpoints.

use crate::{
    caller::{Caller, CallerKind, FieldAccess, Reach},
    network::Network,
    shape::{Field, Shape},
};
use std::collections::HashMap;

/// Every resource by its plural.
pub type Shapes = HashMap<&'static str, &'static Shape>;

/// What changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handing {
    /// Rights that another user or key uses or loses: what it owns stays out of the giver's sight.
    Rights,
    /// The identity: a password, a secret, an address that receives what it may read. What it owns counts, too.
    Identity,
    /// Nothing: a user, a key or a role is acted on, which takes its permissions and fields, however long and from wherever it works.
    Nothing,
}

/// A right that the giver does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// The permission, or its reach.
    Permission(String),
    /// The permission over the records that the reach covers: those of another team or owner.
    Records(String),
    /// Reading or writing a field, by resource and name.
    Field(&'static str, &'static str),
    /// Writing for other external systems.
    Systems,
    /// Calling from other addresses.
    Addresses,
    /// Working longer.
    Expiry,
}

/// What of the rights `after` the giver does not have, nor its holder had `before`. Nothing means that they may be handed over.
#[must_use]
pub fn beyond(giver: &Caller, before: Option<&Caller>, after: &Caller, how: Handing, shapes: &Shapes) -> Vec<Beyond> {
    if is_unlimited(giver) {
        return vec![];
    }
    let mut found = vec![];
    let mut gains = false;
    let same = how != Handing::Identity || giver.id == after.id;
    let mut grants: Vec<(&String, Reach)> = after.grants.iter().map(|(permission, reach)| (permission, *reach)).collect();
    grants.sort();
    for (permission, reach) in grants {
        if before.is_some_and(|before| lacking(before, after, permission, reach, true, shapes).is_none()) {
            continue;
        }
        gains = true;
        found.extend(lacking(giver, after, permission, reach, same, shapes));
    }
    found.extend(fields(giver, before, after, shapes));
    let is_identity = how == Handing::Identity || how == Handing::Rights && after.kind == CallerKind::ApiKey;
    let mut limit = |within: &dyn Fn(&Caller) -> bool, always: bool, what: Beyond| {
        let asked = gains || before.map_or(always, |before| !within(before));
        if asked && !within(giver) {
            found.push(what);
        }
    };
    limit(&|holder| within(&after.systems, &holder.systems, |a, b| a == b), is_identity, Beyond::Systems);
    if is_identity {
        limit(&|holder| within(&after.addresses, &holder.addresses, is_in_network), true, Beyond::Addresses);
        limit(&|holder| holder.expires_at.is_none_or(|end| after.expires_at.is_some_and(|t| t <= end)), true, Beyond::Expiry);
    }
    found
}

/// Whether there is nothing the caller may not hand over.
#[must_use]
pub fn is_unlimited(caller: &Caller) -> bool {
    let has_limits = !caller.systems.is_empty() || !caller.addresses.is_empty() || caller.expires_at.is_some();
    caller.grants.get("*:*") == Some(&Reach::All) && !caller.has_field_rules() && !has_limits
}

/// What of a permission the holder lacks that the subject has with this reach; `same` where what the subject owns does not count.
fn lacking(holder: &Caller, subject: &Caller, permission: &str, reach: Reach, same: bool, shapes: &Shapes) -> Option<Beyond> {
    let Some(held) = holder.reach(permission).filter(|held| *held >= reach) else {
        return Some(Beyond::Permission(permission.to_owned()));
    };
    if held == Reach::All || !is_by_owner(permission, shapes) {
        return None;
    }
    let teams = |of: &Caller, reach| match reach {
        Reach::Team => of.teams.clone(),
        Reach::Subtree => of.subtree.clone(),
        Reach::Own | Reach::All => vec![],
    };
    let own = teams(holder, held);
    let covered = same && teams(subject, reach).iter().all(|team| own.contains(team));
    (!covered).then(|| Beyond::Records(permission.to_owned()))
}

/// Whether the reach of a permission depends on owners and teams. What is no resource stands for several.
fn is_by_owner(permission: &str, shapes: &Shapes) -> bool {
    let path = permission.split(':').next().unwrap_or_default();
    shapes.values().find(|shape| shape.path == path).is_none_or(|shape| shape.owned)
}

/// The fields that would be shown or written beyond the giver's own field rules.
fn fields(giver: &Caller, before: Option<&Caller>, after: &Caller, shapes: &Shapes) -> Vec<Beyond> {
    if !giver.has_field_rules() {
        return vec![];
    }
    let mut touched: Vec<&'static Shape> = shapes.values().copied().filter(|shape| touches(after, shape, shapes)).collect();
    touched.sort_by_key(|shape| shape.many);
    let mut found = vec![];
    for shape in touched {
        let before = before.filter(|before| touches(before, shape, shapes));
        let beyond = |field: &&'static Field| {
            let next = effective(after, shape, field);
            next > giver.access(shape, field) && before.is_none_or(|before| next > effective(before, shape, field))
        };
        found.extend(shape.fields.iter().filter(beyond).map(|field| Beyond::Field(shape.many, field.name)));
    }
    found
}

/// What a caller may do with a field: not write it where nothing of the resource may be written.
fn effective(caller: &Caller, shape: &Shape, field: &Field) -> FieldAccess {
    let access = caller.access(shape, field);
    if caller.roles.iter().any(|role| role.writes(shape)) { access } else { access.min(FieldAccess::ReadOnly) }
}

/// Whether fields of a resource may come to a caller's sight: by a permission on it, on its parents, or on what is no resource, such as
/// `credit:read`, which shows several.
fn touches(caller: &Caller, shape: &Shape, shapes: &Shapes) -> bool {
    let parents = shape.parents.iter().filter_map(|name| shape.field(name)?.reference);
    let paths: Vec<String> = shape.permitting().into_iter().chain(parents.map(|many| many.replace('_', "-"))).collect();
    caller
        .grants
        .keys()
        .filter_map(|permission| permission.split(':').next())
        .any(|of| of == "*" || paths.iter().any(|path| path == of) || !shapes.values().any(|shape| shape.path == of))
}

/// Whether a list of limits is at least as narrow as another; an empty one sets none.
fn within(inner: &[String], outer: &[String], fits: impl Fn(&str, &str) -> bool) -> bool {
    outer.is_empty() || !inner.is_empty() && inner.iter().all(|a| outer.iter().any(|b| fits(a, b)))
}

/// Whether an address or network such as `10.0.0.0/8` lies within another.
fn is_in_network(inner: &str, outer: &str) -> bool {
    match (inner.parse::<Network>(), outer.parse::<Network>()) {
        (Ok(inner), Ok(outer)) => outer.covers(&inner),
        _ => inner == outer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        caller::{FieldRules, FieldScope, RoleRights},
        customers::{account::Account, contact::Contact},
        instant::Instant,
        integration::credit_balance::CreditBalance,
        platform::role::Role,
        shape::Class,
    };
    use std::sync::LazyLock;
    use uuid::Uuid;

    static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
        let all = [Shape::of::<Account>(), Shape::of::<Contact>(), Shape::of::<Role>(), Shape::of::<CreditBalance>()];
        all.into_iter().map(|shape| (shape.many, shape)).collect()
    });

    fn caller(id: u128, grants: &[(&str, Reach)], rules: &[(Class, FieldAccess)]) -> Caller {
        let grants: HashMap<String, Reach> = grants.iter().map(|(permission, reach)| ((*permission).to_owned(), *reach)).collect();
        let rules: FieldRules = rules.iter().map(|(class, access)| (FieldScope::Class(*class), *access)).collect();
        let roles = vec![RoleRights { grants: grants.clone(), rules }];
        Caller { kind: CallerKind::User, id: Uuid::from_u128(id), grants, roles, ..Caller::system() }
    }

    fn asked(giver: &Caller, after: &Caller, how: Handing) -> Vec<Beyond> {
        beyond(giver, None, after, how, &SHAPES)
    }

    #[test]
    fn a_wildcard_takes_a_wildcard() {
        let giver = caller(1, &[("accounts:read", Reach::All), ("accounts:update", Reach::All)], &[]);
        assert_eq!(
            asked(&giver, &caller(2, &[("accounts:*", Reach::Own)], &[]), Handing::Rights),
            [Beyond::Permission("accounts:*".into())]
        );
        assert_eq!(asked(&giver, &caller(2, &[("accounts:read", Reach::Own)], &[]), Handing::Rights), []);
    }

    #[test]
    fn a_reach_over_teams_takes_those_teams() {
        let (north, south) = (Uuid::from_u128(11), Uuid::from_u128(12));
        let with = |id, reach, teams: &[Uuid]| Caller {
            teams: teams.to_vec(),
            subtree: teams.to_vec(),
            ..caller(id, &[("accounts:read", reach)], &[])
        };
        let records = [Beyond::Records("accounts:read".into())];
        assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Team, &[north]), Handing::Rights), []);
        assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Team, &[south]), Handing::Rights), records);
        assert_eq!(asked(&with(1, Reach::All, &[]), &with(2, Reach::Team, &[south]), Handing::Identity), []);
        // What another user owns is reached as that user only.
        assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Own, &[north]), Handing::Rights), []);
        assert_eq!(asked(&with(1, Reach::Team, &[north]), &with(2, Reach::Own, &[north]), Handing::Identity), records);
        assert_eq!(
            asked(&caller(1, &[("roles:read", Reach::Own)], &[]), &caller(2, &[("roles:read", Reach::Own)], &[]), Handing::Identity),
            []
        );
    }

    #[test]
    fn what_the_holder_had_before_is_no_gain() {
        let giver = caller(1, &[("accounts:read", Reach::All)], &[]);
        let before = caller(2, &[("*:*", Reach::All)], &[]);
        assert_eq!(beyond(&giver, Some(&before), &before, Handing::Rights, &SHAPES), []);
    }

    #[test]
    fn fields_that_the_giver_does_not_see_stay_hidden() {
        let balances = [("credit-balances:read", Reach::All)];
        let giver = caller(1, &balances, &[(Class::Financial, FieldAccess::Hidden)]);
        let shows = |found: Vec<Beyond>| found.contains(&Beyond::Field("credit_balances", "receivable"));
        assert!(shows(asked(&giver, &caller(2, &balances, &[]), Handing::Rights)));
        assert!(shows(asked(&giver, &caller(2, &balances, &[(Class::Financial, FieldAccess::Masked)]), Handing::Rights)));
        assert_eq!(asked(&giver, &caller(2, &balances, &[(Class::Financial, FieldAccess::Hidden)]), Handing::Rights), []);
        // A right to something else shows nothing of it.
        let giver =
            caller(1, &[("credit-balances:read", Reach::All), ("roles:read", Reach::All)], &[(Class::Financial, FieldAccess::Hidden)]);
        assert_eq!(asked(&giver, &caller(2, &[("roles:read", Reach::All)], &[]), Handing::Rights), []);
    }

    #[test]
    fn a_limited_key_makes_no_wider_one() {
        let end = Instant::parse("2030-01-01T00:00:00Z").unwrap();
        let key = |systems: &[&str], addresses: &[&str], expires_at| Caller {
            kind: CallerKind::ApiKey,
            systems: systems.iter().map(|s| (*s).to_owned()).collect(),
            addresses: addresses.iter().map(|s| (*s).to_owned()).collect(),
            expires_at,
            ..caller(1, &[("*:*", Reach::All)], &[])
        };
        let parent = key(&["express"], &["10.0.0.0/8"], Some(end));
        assert_eq!(asked(&parent, &key(&["express"], &["10.1.2.3"], Some(end)), Handing::Rights), []);
        assert_eq!(asked(&parent, &key(&[], &[], None), Handing::Rights), [Beyond::Systems, Beyond::Addresses, Beyond::Expiry]);
        assert_eq!(asked(&parent, &key(&["express"], &[], None), Handing::Nothing), []);
        let wider = key(&["express", "hub"], &["10.0.0.0/7"], Some(end.plus_seconds(1)));
        assert_eq!(asked(&parent, &wider, Handing::Rights), [Beyond::Systems, Beyond::Addresses, Beyond::Expiry]);
        // A user works on when the key does not: only rights for other systems are more than the key's.
        let user = caller(2, &[("accounts:read", Reach::All)], &[]);
        assert_eq!(asked(&parent, &user, Handing::Rights), [Beyond::Systems]);
        assert_eq!(asked(&parent, &user, Handing::Identity), [Beyond::Systems, Beyond::Addresses, Beyond::Expiry]);
    }

    #[test]
    fn networks_contain_their_addresses() {
        for (inner, outer, is_in) in [
            ("10.1.2.3", "10.0.0.0/8", true),
            ("::ffff:10.1.2.3", "10.0.0.0/8", true),
            ("10.0.0.0/7", "10.0.0.0/8", false),
            ("11.0.0.1", "10.0.0.0/8", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db8::1", "0.0.0.0/0", false),
            ("0:0:0:0:0:0:0:1", "::1", true),
        ] {
            assert_eq!(is_in_network(inner, outer), is_in, "{inner} in {outer}");
        }
    }
}
