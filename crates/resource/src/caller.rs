//! Callers: their permissions, field rules and visibility. Resolved by authentication, used by every read and write.

use crate::{
    calendar::Zone,
    error::{Code, Error, Result},
    shape::{Class, Field, Shape},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// How far a permission reaches over records that have an owner and a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Records the caller owns.
    Own,
    /// Also records of the caller's teams.
    Team,
    /// Also records of the teams beneath them.
    Subtree,
    /// Every record.
    All,
}

/// What a field rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FieldAccess {
    /// Answered as null; no filter or sort by it.
    Hidden,
    /// Text is answered as `***`, everything else as null; no filter or sort by it.
    Masked,
    /// Answered, but not written.
    ReadOnly,
    /// As the permission says.
    Full,
}

/// What the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallerKind {
    /// A person.
    User,
    /// A machine with an API key or client credentials.
    ApiKey,
    /// Samphan itself: migration, demo data, background work.
    System,
}

impl CallerKind {
    /// The plural and the singular of the resource whose record the caller is; none of Samphan itself.
    #[must_use]
    pub const fn resource(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::User => Some(("users", "user")),
            Self::ApiKey => Some(("api_keys", "api_key")),
            Self::System => None,
        }
    }
}

/// A rule of a role about fields: by class, or by resource and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldScope {
    /// All fields of a class.
    Class(Class),
    /// One field of one resource.
    Field(String, String),
}

/// The field rules of one role.
pub type FieldRules = HashMap<FieldScope, FieldAccess>;

/// One role of a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleRights {
    /// Its permissions with their reach.
    pub grants: HashMap<String, Reach>,
    /// Its field rules.
    pub rules: FieldRules,
}

/// The authenticated caller, resolved from its token at most five seconds ago.
#[derive(Clone, Debug)]
pub struct Caller {
    /// A person, a machine, or Samphan.
    pub kind: CallerKind,
    /// The user's or API key's id.
    pub id: Uuid,
    /// The session or API key that revocation names.
    pub session_id: Uuid,
    /// For people to read.
    pub name: String,
    /// Permissions with their reach; `*` stands for any resource or verb.
    pub grants: HashMap<String, Reach>,
    /// The caller's teams.
    pub teams: Vec<Uuid>,
    /// Those and all beneath them.
    pub subtree: Vec<Uuid>,
    /// The caller's roles: what each says about fields; see `access`.
    pub roles: Vec<RoleRights>,
    /// Codes of the external systems a machine may write for; any when empty.
    pub systems: Vec<String>,
    /// Addresses and networks a machine may call from; any when empty.
    pub addresses: Vec<String>,
    /// When a machine's key stops working.
    pub expires_at: Option<Timestamp>,
    /// Language for messages when the request does not say.
    pub locale: String,
    /// The user's own time zone; the organisation's when there is none.
    pub time_zone: Option<Zone>,
}

/// Which rows of an owned resource a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// None at all.
    None,
    /// Those of this owner and of these teams.
    Owned {
        /// The owner.
        owner: Uuid,
        /// The teams.
        teams: Vec<Uuid>,
    },
    /// All of them.
    All,
}

impl Caller {
    /// Samphan itself, which may do everything.
    #[must_use]
    pub fn system() -> Self {
        Self {
            kind: CallerKind::System,
            id: Uuid::nil(),
            session_id: Uuid::nil(),
            name: "samphan".to_owned(),
            grants: HashMap::from([("*:*".to_owned(), Reach::All)]),
            teams: vec![],
            subtree: vec![],
            roles: vec![],
            systems: vec![],
            addresses: vec![],
            expires_at: None,
            locale: "en".to_owned(),
            time_zone: None,
        }
    }

    /// The user or key to name as author; none for Samphan itself.
    #[must_use]
    pub fn author(&self) -> Option<Uuid> {
        (self.kind != CallerKind::System).then_some(self.id)
    }

    /// The widest reach granted for `accounts:read`, also through `accounts:*`, `*:read` and `*:*`.
    #[must_use]
    pub fn reach(&self, permission: &str) -> Option<Reach> {
        reach(&self.grants, permission)
    }

    /// Those of the permissions that the caller has at no reach at all, each once, in the order given.
    #[must_use]
    pub fn missing<S: AsRef<str>>(&self, permissions: impl IntoIterator<Item = S>) -> Vec<String> {
        let mut missing: Vec<String> = vec![];
        for permission in permissions {
            let permission = permission.as_ref();
            if self.reach(permission).is_none() && !missing.iter().any(|m| m == permission) {
                missing.push(permission.to_owned());
            }
        }
        missing
    }

    /// Refuses a caller that lacks any of the permissions. The refusal names all that are missing, so that one look at it is enough.
    pub fn require<S: AsRef<str>>(&self, permissions: impl IntoIterator<Item = S>) -> Result<()> {
        let missing = self.missing(permissions);
        if missing.is_empty() { Ok(()) } else { Err(Error::from(Code::Forbidden).with_allowed(missing)) }
    }

    /// Which rows a permission shows.
    #[must_use]
    pub fn visibility(&self, permission: &str) -> Visibility {
        self.reach(permission).map_or(Visibility::None, |reach| self.visibility_of(reach))
    }

    /// Which rows a reach covers.
    #[must_use]
    pub fn visibility_of(&self, reach: Reach) -> Visibility {
        match reach {
            Reach::All => Visibility::All,
            Reach::Own => Visibility::Owned { owner: self.id, teams: vec![] },
            Reach::Team => Visibility::Owned { owner: self.id, teams: self.teams.clone() },
            Reach::Subtree => Visibility::Owned { owner: self.id, teams: self.subtree.clone() },
        }
    }

    /// What the field rules leave of a field: its own, and those of the fields it tells.
    ///
    /// A role decides about fields of resources that it grants something on: about reading them where it grants `read`, about writing
    /// them where it grants anything else. Of the roles that decide, the most generous holds. Where none does, as when a
    /// permission of another resource shows or writes the field, the strictest of all roles holds.
    #[must_use]
    pub fn access(&self, shape: &Shape, field: &Field) -> FieldAccess {
        if let [only] = self.roles.as_slice() {
            return only.says(shape, field);
        }
        let says: Vec<FieldAccess> = self.roles.iter().map(|role| role.says(shape, field)).collect();
        let (Some(strictest), Some(widest)) = (says.iter().min().copied(), says.iter().max().copied()) else { return FieldAccess::Full };
        if strictest == widest {
            return strictest;
        }
        let of_those = |decide: fn(&RoleRights, &Shape) -> bool| {
            let deciding = self.roles.iter().zip(&says).filter(|(role, _)| decide(role, shape));
            deciding.map(|(_, says)| *says).max().unwrap_or(strictest)
        };
        match of_those(RoleRights::reads) {
            hidden @ (FieldAccess::Hidden | FieldAccess::Masked) => hidden,
            _ if of_those(RoleRights::writes) == FieldAccess::Full => FieldAccess::Full,
            _ => FieldAccess::ReadOnly,
        }
    }

    /// Whether a field rule may hold for the caller at all.
    #[must_use]
    pub fn has_field_rules(&self) -> bool {
        self.roles.iter().any(|role| !role.rules.is_empty())
    }
}

/// The widest reach that grants give a permission.
fn reach(grants: &HashMap<String, Reach>, permission: &str) -> Option<Reach> {
    // An administrator's right to everything needs no further look.
    if grants.get("*:*") == Some(&Reach::All) {
        return Some(Reach::All);
    }
    let (resource, verb) = permission.split_once(':')?;
    let wide = [format!("{resource}:*"), format!("*:{verb}"), "*:*".to_owned()];
    wide.iter().map(String::as_str).chain([permission]).filter_map(|p| grants.get(p)).max().copied()
}

impl RoleRights {
    /// The widest reach that the role gives a permission.
    #[must_use]
    pub fn reach(&self, permission: &str) -> Option<Reach> {
        reach(&self.grants, permission)
    }

    /// What the role's rules say of a field: its own, and those of the fields it tells.
    #[must_use]
    pub fn says(&self, shape: &Shape, field: &Field) -> FieldAccess {
        if self.rules.is_empty() {
            return FieldAccess::Full;
        }
        let own = (shape.plural, field.name, field.class);
        field.linked_fields.iter().copied().chain([own]).map(|f| said(&self.rules, f)).min().unwrap_or(FieldAccess::Full)
    }

    /// Whether the role grants reading records of a resource; of a nested one, reading its parent.
    #[must_use]
    pub fn reads(&self, shape: &Shape) -> bool {
        shape.permitting().iter().any(|path| reach(&self.grants, &format!("{path}:read")).is_some())
    }

    /// Whether the role grants anything else on a resource, or on the parent of a nested one.
    #[must_use]
    pub fn writes(&self, shape: &Shape) -> bool {
        let paths = shape.permitting();
        self.grants
            .keys()
            .filter_map(|p| p.split_once(':'))
            .any(|(of, verb)| verb != "read" && (of == "*" || paths.iter().any(|p| p == of)))
    }
}

/// What the rules of one role say of a field: the rule that names it, or that of its class.
fn said(rules: &FieldRules, (many, name, class): (&str, &str, Class)) -> FieldAccess {
    let named = rules.get(&FieldScope::Field(many.to_owned(), name.to_owned()));
    let classed = || (class != Class::Open).then(|| rules.get(&FieldScope::Class(class))).flatten();
    named.or_else(classed).copied().unwrap_or(FieldAccess::Full)
}

impl Visibility {
    /// Whether a row of this owner and team is seen.
    #[must_use]
    pub fn includes(&self, owner_id: Option<Uuid>, team_id: Option<Uuid>) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Owned { owner, teams } => owner_id == Some(*owner) || team_id.is_some_and(|t| teams.contains(&t)),
        }
    }
}
