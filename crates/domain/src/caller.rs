//! Who is asking, what they may do, and which rows they see.

use crate::shape::{Class, Field, Shape};
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

/// A rule of a role about fields: by class, or by resource and name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldScope {
    /// All fields of a class.
    Class(Class),
    /// One field of one resource.
    Field(String, String),
}

/// Who is asking: resolved from a token at most five seconds ago.
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
    /// Field rules; where roles differ the most generous holds.
    pub field_rules: HashMap<FieldScope, FieldAccess>,
    /// Codes of the external systems a machine may write for; any when empty.
    pub systems: Vec<String>,
    /// Language for messages when the request does not say.
    pub locale: String,
}

/// Which rows of an owned resource a caller sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// None at all.
    Nothing,
    /// Those of this owner and of these teams.
    Some {
        /// The owner.
        owner: Uuid,
        /// The teams.
        teams: Vec<Uuid>,
    },
    /// All of them.
    Everything,
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
            field_rules: HashMap::new(),
            systems: vec![],
            locale: "en".to_owned(),
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
        let (resource, verb) = permission.split_once(':')?;
        let wide = [format!("{resource}:*"), format!("*:{verb}"), "*:*".to_owned()];
        wide.iter().map(String::as_str).chain([permission]).filter_map(|p| self.grants.get(p)).max().copied()
    }

    /// Which rows a permission shows.
    #[must_use]
    pub fn sight(&self, permission: &str) -> Sight {
        match self.reach(permission) {
            None => Sight::Nothing,
            Some(Reach::All) => Sight::Everything,
            Some(Reach::Own) => Sight::Some { owner: self.id, teams: vec![] },
            Some(Reach::Team) => Sight::Some { owner: self.id, teams: self.teams.clone() },
            Some(Reach::Subtree) => Sight::Some { owner: self.id, teams: self.subtree.clone() },
        }
    }

    /// What the field rules leave of a field.
    #[must_use]
    pub fn access(&self, shape: &Shape, field: &Field) -> FieldAccess {
        if self.field_rules.is_empty() {
            return FieldAccess::Full;
        }
        let named = self.field_rules.get(&FieldScope::Field(shape.many.to_owned(), field.name.to_owned()));
        let class = (field.class != Class::Open).then(|| self.field_rules.get(&FieldScope::Class(field.class))).flatten();
        named.or(class).copied().unwrap_or(FieldAccess::Full)
    }
}

impl Sight {
    /// Whether a row of this owner and team is seen.
    #[must_use]
    pub fn covers(&self, owner_id: Option<Uuid>, team_id: Option<Uuid>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Some { owner, teams } => owner_id == Some(*owner) || team_id.is_some_and(|t| teams.contains(&t)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_grant_holds_and_nothing_is_granted_by_silence() {
        let mut caller = Caller { grants: HashMap::new(), ..Caller::system() };
        assert_eq!(caller.sight("accounts:read"), Sight::Nothing);
        caller.grants.insert("accounts:read".into(), Reach::Own);
        caller.grants.insert("*:read".into(), Reach::Team);
        assert_eq!(caller.reach("accounts:read"), Some(Reach::Team));
        assert_eq!(caller.reach("accounts:update"), None);
    }
}
