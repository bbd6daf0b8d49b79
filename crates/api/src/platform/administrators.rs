//! Administrators: users who can do everything, and the rule that there is always one.
//!
//! The rule is a guard of the resources `users` and `roles`, so it holds for every operation that changes or deletes their
//! records. Samphan itself (`CallerKind::System`) is free of it: an erasure that is repeated after a restore must go on.

use samphan_domain::platform::{
    role::{FieldRule, Grant, Role},
    user::User,
};
use samphan_persistence::{
    guard::{Check, Guard, Guards},
    record::{Record, id_of},
    store::{Reader, Work},
};
use samphan_resource::{
    caller::{CallerKind, FieldAccess, Reach},
    error::{Code, Error, Result},
    resource::Resource,
    shape::Shape,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// The lock that changes to administrators take one after the other.
const LOCK: &str = "administrators";

/// Registers the rule.
#[must_use]
pub fn register(guards: Guards) -> Guards {
    guards.on_change(User::PLURAL, LastAdministrator).on_change(Role::PLURAL, LastAdministrator)
}

/// Refuses a write after which no user would be an administrator.
#[derive(Debug)]
struct LastAdministrator;

impl Guard for LastAdministrator {
    fn check<'a>(&'a self, work: &'a Work, shape: &'static Shape, before: &'a Record, after: Option<&'a Record>) -> Check<'a> {
        Box::pin(require_administrator_left(work, shape, before, after))
    }
}

async fn require_administrator_left(work: &Work, shape: &'static Shape, before: &Record, after: Option<&Record>) -> Result<()> {
    let relevant: [&str; 2] = if shape.plural == User::PLURAL { ["status", "role_ids"] } else { ["permissions", "field_rules"] };
    let is_unchanged = |after: &Record| relevant.iter().all(|field| after.get(*field) == before.get(*field));
    if work.caller.kind == CallerKind::System || after.is_some_and(is_unchanged) {
        return Ok(());
    }
    let (id, mut roles) = (id_of(before), Roles::load(work).await?);
    // Most changes touch no administrator, and take no lock.
    let concerns = match shape.plural {
        User::PLURAL => is_active(before) && roles.grant_everything(&ids_in(before)),
        _ => true,
    };
    if !concerns {
        return Ok(());
    }
    work.lock_named(LOCK).await?;
    // Another request may have changed roles while this one waited for the lock.
    roles = Roles::load(work).await?;
    let users = sign_ins(work).await?;
    let others = users.iter().filter(|(user, _)| shape.plural != User::PLURAL || *user != id);
    let had_one = users.iter().any(|(_, held)| roles.grant_everything(held));
    if shape.plural == Role::PLURAL {
        roles.0.remove(&id);
        roles.0.extend(after.map(|after| (id, RoleRights::of(after))));
    }
    let stays = shape.plural == User::PLURAL && after.is_some_and(|after| is_active(after) && roles.grant_everything(&ids_in(after)));
    let has_one = stays || others.into_iter().any(|(_, held)| roles.grant_everything(held));
    let had_one = had_one || shape.plural == User::PLURAL;
    if had_one && !has_one { Err(Error::from(Code::LastAdministrator)) } else { Ok(()) }
}

fn is_active(user: &Record) -> bool {
    user.get("status").and_then(Value::as_str) == Some("active")
}

fn ids_in(user: &Record) -> Vec<Uuid> {
    parsed(user, "role_ids")
}

fn parsed<T: DeserializeOwned>(record: &Record, field: &str) -> Vec<T> {
    record.get(field).and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

/// Whether a user who holds these roles is an administrator: they grant everything, and none of them hides or protects a field.
/// Users restricted by a field rule could not lift it again.
#[derive(Debug)]
pub struct Roles(HashMap<Uuid, RoleRights>);

#[derive(Debug)]
struct RoleRights {
    grants_everything: bool,
    restricts_fields: bool,
}

impl RoleRights {
    fn of(role: &Record) -> Self {
        Self::new(&parsed(role, "permissions"), &parsed(role, "field_rules"))
    }

    fn new(grants: &[Grant], rules: &[FieldRule]) -> Self {
        Self {
            grants_everything: grants.iter().any(|grant| grant.permission == "*:*" && grant.reach == Reach::All),
            restricts_fields: rules.iter().any(|rule| rule.access != FieldAccess::Full),
        }
    }
}

impl Roles {
    /// The roles that are not deleted.
    pub async fn load(reader: &Reader) -> Result<Self> {
        let mut sql = reader.sql();
        sql.push("SELECT id, permissions, field_rules FROM roles WHERE deleted_at IS NULL");
        let rows = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?, row.text(2)?))).await?;
        let rights = |(id, grants, rules): (Uuid, String, String)| {
            let rights = RoleRights::new(
                &serde_json::from_str::<Vec<Grant>>(&grants).unwrap_or_default(),
                &serde_json::from_str::<Vec<FieldRule>>(&rules).unwrap_or_default(),
            );
            (id, rights)
        };
        Ok(Self(rows.into_iter().map(rights).collect()))
    }

    /// Whether these make an administrator together.
    #[must_use]
    pub fn grant_everything(&self, held: &[Uuid]) -> bool {
        let held = || held.iter().filter_map(|id| self.0.get(id));
        held().any(|role| role.grants_everything) && !held().any(|role| role.restricts_fields)
    }

    /// A role that alone makes an administrator.
    #[must_use]
    pub fn administrator(&self) -> Option<Uuid> {
        self.0.keys().copied().filter(|id| self.grant_everything(&[*id])).min()
    }
}

/// The users who can sign in, and the roles they hold.
async fn sign_ins(reader: &Reader) -> Result<Vec<(Uuid, Vec<Uuid>)>> {
    let mut sql = reader.sql();
    sql.push("SELECT u.id, u.role_ids FROM users u JOIN user_passwords p ON p.user_id = u.id ");
    sql.push("WHERE u.deleted_at IS NULL AND u.status = 'active'");
    let rows = reader.fetch(sql, |row| Ok((row.id(0)?, row.text(1)?))).await?;
    Ok(rows.into_iter().map(|(id, roles)| (id, serde_json::from_str(&roles).unwrap_or_default())).collect())
}
