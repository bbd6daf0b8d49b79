//! Who is asking, what they may do, and which rows they see.

use crate::{
    calendar::Zone,
    error::{Code, Error, Result},
    shape::{Class, Field, Shape},
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
    /// Field rules of each role; the most generous role holds. None at all when a role has none.
    pub field_rules: Vec<FieldRules>,
    /// Codes of the external systems a machine may write for; any when empty.
    pub systems: Vec<String>,
    /// Language for messages when the request does not say.
    pub locale: String,
    /// The user's own time zone; the organisation's when there is none.
    pub time_zone: Option<Zone>,
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
            field_rules: vec![],
            systems: vec![],
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
        // An administrator's right to everything needs no further look.
        if self.grants.get("*:*") == Some(&Reach::All) {
            return Some(Reach::All);
        }
        let (resource, verb) = permission.split_once(':')?;
        let wide = [format!("{resource}:*"), format!("*:{verb}"), "*:*".to_owned()];
        wide.iter().map(String::as_str).chain([permission]).filter_map(|p| self.grants.get(p)).max().copied()
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
        if missing.is_empty() { Ok(()) } else { Err(Error::from(Code::Forbidden).allowing(missing)) }
    }

    /// Which rows a permission shows.
    #[must_use]
    pub fn sight(&self, permission: &str) -> Sight {
        self.reach(permission).map_or(Sight::Nothing, |reach| self.sight_of(reach))
    }

    /// Which rows a reach covers.
    #[must_use]
    pub fn sight_of(&self, reach: Reach) -> Sight {
        match reach {
            Reach::All => Sight::Everything,
            Reach::Own => Sight::Some { owner: self.id, teams: vec![] },
            Reach::Team => Sight::Some { owner: self.id, teams: self.teams.clone() },
            Reach::Subtree => Sight::Some { owner: self.id, teams: self.subtree.clone() },
        }
    }

    /// What the field rules leave of a field: its own, and those of the fields it tells.
    #[must_use]
    pub fn access(&self, shape: &Shape, field: &Field) -> FieldAccess {
        let own = (shape.many, field.name, field.class);
        let left = |rules: &FieldRules| field.tells.iter().copied().chain([own]).map(|f| said(rules, f)).min();
        self.field_rules.iter().filter_map(left).max().unwrap_or(FieldAccess::Full)
    }
}

/// What the rules of one role say of a field: the rule that names it, or that of its class.
fn said(rules: &FieldRules, (many, name, class): (&str, &str, Class)) -> FieldAccess {
    let named = rules.get(&FieldScope::Field(many.to_owned(), name.to_owned()));
    let classed = || (class != Class::Open).then(|| rules.get(&FieldScope::Class(class))).flatten();
    named.or_else(classed).copied().unwrap_or(FieldAccess::Full)
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
    use crate::customers::contact::Contact;

    #[test]
    fn the_widest_grant_holds_and_nothing_is_granted_by_silence() {
        let mut caller = Caller { grants: HashMap::new(), ..Caller::system() };
        assert_eq!(caller.sight("accounts:read"), Sight::Nothing);
        caller.grants.insert("accounts:read".into(), Reach::Own);
        caller.grants.insert("*:read".into(), Reach::Team);
        assert_eq!(caller.reach("accounts:read"), Some(Reach::Team));
        assert_eq!(caller.reach("accounts:update"), None);
    }

    #[test]
    fn a_rule_of_a_field_holds_for_the_fields_that_tell_it_and_the_most_generous_role_holds() {
        let shape = Shape::of::<Contact>();
        let rule = |name: &str, access| FieldRules::from([(FieldScope::Field("contacts".to_owned(), name.to_owned()), access)]);
        let seen = |rules: &[FieldRules], name: &str| {
            let caller = Caller { field_rules: rules.to_vec(), ..Caller::system() };
            shape.field(name).map(|field| caller.access(shape, field))
        };
        let hidden = |name: &str| [rule(name, FieldAccess::Hidden)];
        for part in ["first_name", "middle_name", "last_name", "local_name", "name"] {
            assert_eq!(seen(&hidden("name"), part), Some(FieldAccess::Hidden), "{part} tells the name");
        }
        assert_eq!(seen(&hidden("last_name"), "name"), Some(FieldAccess::Hidden));
        assert_eq!(seen(&hidden("last_name"), "first_name"), Some(FieldAccess::Full));
        let [hides, masks] = [rule("name", FieldAccess::Hidden), rule("first_name", FieldAccess::Masked)];
        assert_eq!(seen(&[hides.clone(), masks.clone()], "first_name"), Some(FieldAccess::Masked), "one role masks what the other hides");
        assert_eq!(seen(&[hides.clone(), masks], "last_name"), Some(FieldAccess::Full), "one role says nothing of it");
        assert_eq!(seen(&[hides, FieldRules::new()], "name"), Some(FieldAccess::Full), "a role without rules shows all");
    }
}
