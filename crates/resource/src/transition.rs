//! The states of a record and what leads from one to another: said once, by the resource ([`Resource::TRANSITIONS`]). From the table come
//! what an action of the kernel refuses, `available_actions`, the `allowed` of the refusal, types of events, and words of the document.
//!
//! [`Resource::TRANSITIONS`]: crate::resource::Resource::TRANSITIONS

use crate::error::{Code, Error, Result};

/// An action on a record: the states that allow it, and what it makes of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The action, as it stands in the path: `discontinue`.
    pub verb: &'static str,
    /// The values of [`Resource::STATUS`](crate::resource::Resource::STATUS) that allow it; none for an action that every state allows.
    pub from: &'static [&'static str],
    /// The state it leads to; none where the state stays as it is, or what the action finds decides.
    pub to: Option<&'static str>,
    /// What happened then, as the type of the event says it after the resource: `discontinued`. None where the action has no event of its own.
    pub event: Option<&'static str>,
}

impl Transition {
    /// From some states to another.
    #[must_use]
    pub const fn new(verb: &'static str, from: &'static [&'static str], to: &'static str, event: &'static str) -> Self {
        Self { verb, from, to: Some(to), event: Some(event) }
    }

    /// An action after which the state is the same, or whichever follows from what it found.
    #[must_use]
    pub const fn within(verb: &'static str, from: &'static [&'static str], event: Option<&'static str>) -> Self {
        Self { verb, from, to: None, event }
    }

    /// Whether a record in that state allows it.
    #[must_use]
    pub fn is_allowed_in(&self, state: &str) -> bool {
        self.from.is_empty() || self.from.contains(&state)
    }
}

/// The verbs of the actions that a state allows, in the order of the table.
pub fn verbs<'a>(table: &'static [Transition], state: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    table.iter().filter(move |transition| transition.is_allowed_in(state)).map(|transition| transition.verb)
}

/// The action of that verb.
#[must_use]
pub fn find(table: &'static [Transition], verb: &str) -> Option<&'static Transition> {
    table.iter().find(|transition| transition.verb == verb)
}

/// Refuses an action that the state does not allow, naming those that it does: 409 `illegal_transition`.
pub fn expect(table: &'static [Transition], state: &str, verb: &str) -> Result<()> {
    match find(table, verb) {
        Some(transition) if transition.is_allowed_in(state) => Ok(()),
        _ => Err(illegal(table, state)),
    }
}

/// The refusal of what a state does not allow.
#[must_use]
pub fn illegal(table: &'static [Transition], state: &str) -> Error {
    Error::from(Code::IllegalTransition).with_allowed(verbs(table, state))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Transition] = &[
        Transition::new("close", &["active"], "closed", "closed"),
        Transition::new("reopen", &["closed"], "active", "reopened"),
        Transition::within("clone", &[], None),
    ];

    #[test]
    fn a_state_allows_what_the_table_says_and_a_refusal_names_it() {
        assert_eq!(verbs(TABLE, "active").collect::<Vec<_>>(), ["close", "clone"]);
        assert!(expect(TABLE, "active", "close").is_ok() && expect(TABLE, "closed", "clone").is_ok());
        let refused = expect(TABLE, "closed", "close").unwrap_err();
        assert_eq!((refused.code, refused.allowed), (Code::IllegalTransition, vec!["reopen".to_owned(), "clone".to_owned()]));
        assert!(expect(TABLE, "active", "burn").is_err());
    }
}
