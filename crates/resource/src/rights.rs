//! Whether a caller may delegate rights: the one comparison behind roles, users, teams, API keys and webhook endpoints.

use crate::{
    caller::{Caller, CallerKind, FieldAccess, Reach},
    network::Network,
    shape::{Field, Shape},
};
use std::collections::HashMap;

/// Every resource by its plural.
pub type Shapes = HashMap<&'static str, &'static Shape>;

/// What a caller delegates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delegation {
    /// Rights that another user or key uses or loses. What the other owns stays invisible to the grantor.
    Rights,
    /// The identity: a password, a secret, an address that receives what it may read. The records it owns count, too.
    Identity,
    /// Nothing: a user, a key or a role is acted on. That takes its permissions and fields; its expiry and addresses do not matter.
    None,
}

/// A right that exceeds those of the grantor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExcessRight {
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

/// The rights `after` that neither the grantor has nor the holder had `before`. None means that they may be delegated.
#[must_use]
pub fn excess_rights(
    grantor: &Caller,
    before: Option<&Caller>,
    after: &Caller,
    delegation: Delegation,
    shapes: &Shapes,
) -> Vec<ExcessRight> {
    if is_unlimited(grantor) {
        return vec![];
    }
    let mut found = vec![];
    let mut gains = false;
    let same = delegation != Delegation::Identity || grantor.id == after.id;
    let mut grants: Vec<(&String, Reach)> = after.grants.iter().map(|(permission, reach)| (permission, *reach)).collect();
    grants.sort();
    for (permission, reach) in grants {
        if before.is_some_and(|before| lacking(before, after, permission, reach, true, shapes).is_none()) {
            continue;
        }
        gains = true;
        found.extend(lacking(grantor, after, permission, reach, same, shapes));
    }
    found.extend(fields(grantor, before, after, shapes));
    let is_identity = delegation == Delegation::Identity || delegation == Delegation::Rights && after.kind == CallerKind::ApiKey;
    let mut limit = |within: &dyn Fn(&Caller) -> bool, always: bool, what: ExcessRight| {
        let asked = gains || before.map_or(always, |before| !within(before));
        if asked && !within(grantor) {
            found.push(what);
        }
    };
    limit(&|holder| within(&after.systems, &holder.systems, |a, b| a == b), is_identity, ExcessRight::Systems);
    if is_identity {
        limit(&|holder| within(&after.addresses, &holder.addresses, is_in_network), true, ExcessRight::Addresses);
        limit(&|holder| holder.expires_at.is_none_or(|end| after.expires_at.is_some_and(|t| t <= end)), true, ExcessRight::Expiry);
    }
    found
}

/// Whether the caller may delegate every right.
#[must_use]
pub fn is_unlimited(caller: &Caller) -> bool {
    let has_limits = !caller.systems.is_empty() || !caller.addresses.is_empty() || caller.expires_at.is_some();
    caller.grants.get("*:*") == Some(&Reach::All) && !caller.has_field_rules() && !has_limits
}

/// What of a permission the holder lacks that the subject has with this reach; `same` where what the subject owns does not count.
fn lacking(holder: &Caller, subject: &Caller, permission: &str, reach: Reach, same: bool, shapes: &Shapes) -> Option<ExcessRight> {
    let Some(held) = holder.reach(permission).filter(|held| *held >= reach) else {
        return Some(ExcessRight::Permission(permission.to_owned()));
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
    (!covered).then(|| ExcessRight::Records(permission.to_owned()))
}

/// Whether the reach of a permission depends on owners and teams. What is no resource stands for several.
fn is_by_owner(permission: &str, shapes: &Shapes) -> bool {
    let path = permission.split(':').next().unwrap_or_default();
    shapes.values().find(|shape| shape.path == path).is_none_or(|shape| shape.owned)
}

/// The fields that would be shown or written although the grantor's own field rules forbid it.
fn fields(grantor: &Caller, before: Option<&Caller>, after: &Caller, shapes: &Shapes) -> Vec<ExcessRight> {
    if !grantor.has_field_rules() {
        return vec![];
    }
    let mut touched: Vec<&'static Shape> = shapes.values().copied().filter(|shape| touches(after, shape, shapes)).collect();
    touched.sort_by_key(|shape| shape.plural);
    let mut found = vec![];
    for shape in touched {
        let before = before.filter(|before| touches(before, shape, shapes));
        let exceeds = |field: &&'static Field| {
            let next = effective(after, shape, field);
            next > grantor.access(shape, field) && before.is_none_or(|before| next > effective(before, shape, field))
        };
        found.extend(shape.fields.iter().filter(exceeds).map(|field| ExcessRight::Field(shape.plural, field.name)));
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
