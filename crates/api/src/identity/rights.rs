//! The rights that roles and teams add up to, and the checks before rights are delegated.

use samphan_domain::platform::{
    api_key::ApiKey,
    role::{FieldRule, Grant, Role},
    user::User,
};
use samphan_persistence::{
    store::{Reader, Work},
    stored::Stored,
};
use samphan_resource::{
    caller::{Caller, CallerKind, FieldRules, FieldScope, Reach, RoleRights},
    error::{Code, Error, FieldCode, FieldError, Result},
    rights::{self, Delegation, ExcessRight},
    scalar::{Kind, Scalar},
    shape::Class,
    timestamp::Timestamp,
};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// A user or an API key, by what its rights follow from.
#[derive(Clone, Debug)]
pub struct Holder {
    /// A person or a machine.
    pub kind: CallerKind,
    /// The id; nil of one that is not made yet.
    pub id: Uuid,
    /// For people to read.
    pub name: String,
    /// Language for messages.
    pub locale: Option<String>,
    /// The roles.
    pub role_ids: Vec<Uuid>,
    /// The teams of a user.
    pub team_ids: Vec<Uuid>,
    /// Permissions that a key is cut down to; all that its roles grant when empty.
    pub scopes: Vec<String>,
    /// External systems that a key may write for; any when empty.
    pub systems: Vec<String>,
    /// Addresses that a key may call from; any when empty.
    pub addresses: Vec<String>,
    /// When a key stops working.
    pub expires_at: Option<Timestamp>,
}

impl Holder {
    /// A holder without roles.
    #[must_use]
    pub const fn new(kind: CallerKind, id: Uuid, name: String) -> Self {
        Self {
            kind,
            id,
            name,
            locale: None,
            role_ids: vec![],
            team_ids: vec![],
            scopes: vec![],
            systems: vec![],
            addresses: vec![],
            expires_at: None,
        }
    }

    /// A user.
    #[must_use]
    pub fn user(user: &Stored<User>) -> Self {
        let User { name, role_ids, team_ids, .. } = &user.data;
        Self {
            role_ids: role_ids.iter().map(|id| id.0).collect(),
            team_ids: team_ids.iter().map(|id| id.0).collect(),
            ..Self::new(CallerKind::User, user.id(), name.clone())
        }
    }

    /// An API key.
    #[must_use]
    pub fn key(key: &Stored<ApiKey>) -> Self {
        let ApiKey { name, role_ids, scopes, systems, allowed_addresses, expires_at, .. } = &key.data;
        Self {
            role_ids: role_ids.iter().map(|id| id.0).collect(),
            scopes: scopes.clone(),
            systems: systems.clone(),
            addresses: allowed_addresses.clone(),
            expires_at: *expires_at,
            ..Self::new(CallerKind::ApiKey, key.id(), name.clone())
        }
    }
}

/// Roles and teams: the rights of their holders follow from them.
#[derive(Clone, Debug, Default)]
pub struct Book {
    roles: HashMap<Uuid, RoleRights>,
    teams: HashMap<Uuid, Option<Uuid>>,
}

impl Book {
    /// All roles and teams there are.
    pub async fn read(reader: &Reader) -> Result<Self> {
        Ok(Self { roles: roles(reader, None).await?, teams: teams(reader).await? })
    }

    /// Those that the rights of one holder follow from.
    pub async fn read_for(reader: &Reader, holder: &Holder) -> Result<Self> {
        let roles = if holder.role_ids.is_empty() { HashMap::new() } else { roles(reader, Some(&holder.role_ids)).await? };
        let teams = if holder.team_ids.is_empty() { HashMap::new() } else { teams(reader).await? };
        Ok(Self { roles, teams })
    }

    /// With a role as it is to be; without it when none.
    #[must_use]
    pub fn with_role(&self, id: Uuid, role: Option<RoleRights>) -> Self {
        let mut other = self.clone();
        match role {
            Some(role) => other.roles.insert(id, role),
            None => other.roles.remove(&id),
        };
        other
    }

    /// With a team beneath another, or beneath none; without it when it is not there.
    #[must_use]
    pub fn with_team(&self, id: Uuid, parent: Option<Option<Uuid>>) -> Self {
        let mut other = self.clone();
        match parent {
            Some(parent) => other.teams.insert(id, parent),
            None => other.teams.remove(&id),
        };
        other
    }

    /// The caller that a holder is.
    #[must_use]
    pub fn caller(&self, holder: &Holder) -> Caller {
        let roles: Vec<RoleRights> = holder.role_ids.iter().filter_map(|id| self.roles.get(id)).cloned().collect();
        let full = Caller {
            kind: holder.kind,
            id: holder.id,
            session_id: holder.id,
            name: holder.name.clone(),
            grants: widest(&roles),
            teams: holder.team_ids.clone(),
            subtree: self.subtree(&holder.team_ids),
            roles,
            systems: holder.systems.clone(),
            addresses: holder.addresses.clone(),
            expires_at: holder.expires_at,
            locale: holder.locale.clone().unwrap_or_else(|| "en".to_owned()),
            time_zone: None,
        };
        if holder.scopes.is_empty() {
            return full;
        }
        // A scope never grants what the roles do not.
        let grants = holder.scopes.iter().filter_map(|scope| full.reach(scope).map(|reach| (scope.clone(), reach))).collect();
        Caller { grants, ..full }
    }

    /// Teams and all beneath them.
    fn subtree(&self, teams: &[Uuid]) -> Vec<Uuid> {
        let mut found: HashSet<Uuid> = teams.iter().copied().collect();
        let mut grown = !found.is_empty();
        while grown {
            let is_next = |(id, parent): &(&Uuid, &Option<Uuid>)| !found.contains(*id) && parent.is_some_and(|p| found.contains(&p));
            let next: Vec<Uuid> = self.teams.iter().filter(is_next).map(|(id, _)| *id).collect();
            grown = !next.is_empty();
            found.extend(next);
        }
        found.into_iter().collect()
    }

    /// The place of the first of these roles that grants a permission.
    #[must_use]
    pub fn granted_by(&self, role_ids: &[Uuid], permission: &str) -> Option<usize> {
        role_ids.iter().position(|id| self.roles.get(id).is_some_and(|role| role.reach(permission).is_some()))
    }
}

/// What a role grants and withholds.
#[must_use]
pub fn of_role(role: &Role) -> RoleRights {
    role_rights(role.permissions.clone(), role.field_rules.clone())
}

fn role_rights(permissions: Vec<Grant>, field_rules: Vec<FieldRule>) -> RoleRights {
    let mut grants: HashMap<String, Reach> = HashMap::new();
    for Grant { permission, reach } in permissions {
        let held = grants.entry(permission).or_insert(reach);
        *held = (*held).max(reach);
    }
    let mut rules = FieldRules::new();
    for FieldRule { fields, access } in field_rules {
        let scope = match fields.as_str() {
            "personal" => FieldScope::Class(Class::Personal),
            "financial" => FieldScope::Class(Class::Financial),
            named => match named.split_once('.') {
                Some((resource, field)) => FieldScope::Field(resource.to_owned(), field.to_owned()),
                None => continue,
            },
        };
        let held = rules.entry(scope).or_insert(access);
        *held = (*held).max(access);
    }
    RoleRights { grants, rules }
}

fn widest(roles: &[RoleRights]) -> HashMap<String, Reach> {
    let mut grants: HashMap<String, Reach> = HashMap::new();
    for (permission, reach) in roles.iter().flat_map(|role| &role.grants) {
        let held = grants.entry(permission.clone()).or_insert(*reach);
        *held = (*held).max(*reach);
    }
    grants
}

async fn roles(reader: &Reader, of: Option<&[Uuid]>) -> Result<HashMap<Uuid, RoleRights>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, permissions, field_rules FROM roles WHERE deleted_at IS NULL");
    if let Some(ids) = of {
        sql.push(" AND id").one_of(Kind::Id, ids.iter().copied().map(Scalar::Id));
    }
    let rows = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?))).await?;
    let read = |(id, permissions, rules): (Uuid, String, String)| {
        (id, role_rights(serde_json::from_str(&permissions).unwrap_or_default(), serde_json::from_str(&rules).unwrap_or_default()))
    };
    Ok(rows.into_iter().map(read).collect())
}

async fn teams(reader: &Reader) -> Result<HashMap<Uuid, Option<Uuid>>> {
    let mut sql = reader.sql();
    sql.push("SELECT id, parent_id FROM teams WHERE deleted_at IS NULL");
    Ok(reader.fetch(sql, |row| Ok((row.id(0)?, row.optional_id(1)?))).await?.into_iter().collect())
}

/// The caller that a holder is now.
pub async fn resolve(reader: &Reader, holder: &Holder) -> Result<Caller> {
    let caller = Book::read_for(reader, holder).await?.caller(holder);
    if holder.locale.is_some() {
        return Ok(caller);
    }
    Ok(Caller { locale: reader.settings().await?.locale.as_str().to_owned(), ..caller })
}

/// A list of ids or words as a column holds it.
pub fn listed<T: serde::de::DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The rights `after` that the caller may not delegate.
#[must_use]
pub fn excess_rights(work: &Work, before: Option<&Caller>, after: &Caller, delegation: Delegation) -> Vec<ExcessRight> {
    rights::excess_rights(&work.caller, before, after, delegation, work.store.shapes)
}

/// Refuses rights in a body that exceed the caller's, each at its place.
pub fn check_grantable(found: &[ExcessRight], place: impl Fn(&ExcessRight) -> String) -> Result<()> {
    let fault = |excess: &ExcessRight| {
        let about = match excess {
            ExcessRight::Permission(permission) | ExcessRight::Records(permission) => permission.clone(),
            ExcessRight::Field(resource, field) => format!("{resource}.{field}"),
            ExcessRight::Systems | ExcessRight::Addresses | ExcessRight::Expiry => String::new(),
        };
        FieldError::new(place(excess), FieldCode::BeyondOwnRights, about)
    };
    if found.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(found.iter().map(fault).collect())) }
}

/// Refuses to act on rights that the caller does not have.
pub fn require_rights(work: &Work, held: &Caller, delegation: Delegation) -> Result<()> {
    if excess_rights(work, None, held, delegation).is_empty() { Ok(()) } else { Err(refusal("it has rights that you do not have")) }
}

fn refusal(about: &str) -> Error {
    Error::from(Code::Forbidden).with_detail(about)
}

/// Refuses to act on a user or a key, or on what acts in its name, without its rights. What Samphan itself made takes all rights.
pub async fn require_rights_of(work: &Work, principal: Option<Uuid>, delegation: Delegation) -> Result<()> {
    if principal == Some(work.caller.id) {
        return Ok(());
    }
    let found = match principal {
        None => None,
        Some(id) => holder(work, id).await?,
    };
    let Some((holder, maker)) = found else { return require_rights(work, &Caller::system(), delegation) };
    // The maker of a key has seen its secret, so it knows already what the key owns.
    let delegation = if delegation == Delegation::Identity && maker == Some(work.caller.id) { Delegation::Rights } else { delegation };
    require_rights(work, &resolve(work, &holder).await?, delegation)
}

/// A user, or a key with its maker, whether or not it can sign in.
async fn holder(reader: &Reader, id: Uuid) -> Result<Option<(Holder, Option<Uuid>)>> {
    let mut sql = reader.sql();
    sql.push("SELECT name, role_ids, team_ids FROM users WHERE id = ").id(id);
    let read = |(name, roles, teams): (String, String, String)| Holder {
        role_ids: listed(&roles),
        team_ids: listed(&teams),
        ..Holder::new(CallerKind::User, id, name)
    };
    let user = reader.fetch_one(sql, |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).await?;
    if let Some(user) = user {
        return Ok(Some((read(user), None)));
    }
    let mut sql = reader.sql();
    sql.push("SELECT created_by_id, id, name, role_ids, scopes, systems, allowed_addresses, expires_at FROM api_keys WHERE id = ").id(id);
    reader.fetch_one(sql, |row| Ok((key_of(row, 1)?, row.optional_id(0)?))).await
}

/// A key, from the columns id, name, role_ids, scopes, systems, allowed_addresses and expires_at of a row.
pub fn key_of(row: &samphan_persistence::row::Row<'_>, at: usize) -> Result<Holder> {
    Ok(Holder {
        role_ids: listed(&row.text(at + 2)?),
        scopes: listed(&row.text(at + 3)?),
        systems: listed(&row.text(at + 4)?),
        addresses: listed(&row.text(at + 5)?),
        expires_at: row.time(at + 6)?,
        ..Holder::new(CallerKind::ApiKey, row.id(at)?, row.text(at + 1)?)
    })
}

/// Refuses a change of roles or teams by which a user or a key would gain rights that the caller does not have.
pub async fn check_no_gain(work: &Work, before: &Book, after: &Book) -> Result<()> {
    if rights::is_unlimited(&work.caller) {
        return Ok(());
    }
    for holder in holders(work).await? {
        let (then, next) = (before.caller(&holder), after.caller(&holder));
        let is_less = next.roles == then.roles && next.subtree.iter().all(|team| then.subtree.contains(team));
        if !is_less && !excess_rights(work, Some(&then), &next, Delegation::Rights).is_empty() {
            return Err(refusal("a user or key would gain rights that you do not have"));
        }
    }
    Ok(())
}

/// Living users and keys; of users with the same roles and teams, one.
async fn holders(work: &Work) -> Result<Vec<Holder>> {
    let mut sql = work.sql();
    sql.push("SELECT id, name, role_ids, team_ids FROM users WHERE deleted_at IS NULL");
    let users = work.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?, row.text(3)?))).await?;
    let mut known = HashSet::new();
    let users = users.into_iter().filter(|(_, _, roles, teams)| known.insert((roles.clone(), teams.clone())));
    let user = |(id, name, roles, teams): (Uuid, String, String, String)| Holder {
        role_ids: listed(&roles),
        team_ids: listed(&teams),
        ..Holder::new(CallerKind::User, id, name)
    };
    let mut found: Vec<Holder> = users.map(user).collect();
    let mut sql = work.sql();
    sql.push("SELECT id, name, role_ids, scopes, systems, allowed_addresses, expires_at FROM api_keys WHERE deleted_at IS NULL AND status = 'active'");
    found.extend(work.fetch(sql, |row| key_of(row, 0)).await?);
    Ok(found)
}
