//! What shipped roles may do. Each area says beside its routes which role gets which of its permissions; what the roles are called and how
//! far they reach is said where the first ones are made.

use samphan_resource::caller::Reach;

/// A permission of a shipped role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The role's name.
    pub role: &'static str,
    /// The permission: `orders:read`.
    pub permission: String,
    /// Whether it is over all records, however far the role reaches.
    pub is_over_all: bool,
}

/// The permissions of all shipped roles.
#[derive(Clone, Debug, Default)]
pub struct Presets(Vec<Preset>);

impl Presets {
    /// Gives roles the permissions for these verbs of a resource, as far as each role reaches.
    #[must_use]
    pub fn grant(self, roles: &[&'static str], resource: &str, verbs: &[&str]) -> Self {
        self.with(roles, resource, verbs, false)
    }

    /// The same over all records: of resources without owners, such as products.
    #[must_use]
    pub fn grant_over_all(self, roles: &[&'static str], resource: &str, verbs: &[&str]) -> Self {
        self.with(roles, resource, verbs, true)
    }

    fn with(mut self, roles: &[&'static str], resource: &str, verbs: &[&str], is_over_all: bool) -> Self {
        for role in roles {
            self.0.extend(verbs.iter().map(|verb| Preset { role, permission: format!("{resource}:{verb}"), is_over_all }));
        }
        self
    }

    /// All of them, in the order of the areas.
    pub fn iter(&self) -> impl Iterator<Item = &Preset> {
        self.0.iter()
    }

    /// The permissions of a role that reaches so far, with the reach of each.
    pub fn of(&self, role: &str, reach: Reach) -> impl Iterator<Item = (&str, Reach)> {
        let own = self.0.iter().filter(move |preset| preset.role == role);
        own.map(move |preset| (preset.permission.as_str(), if preset.is_over_all { Reach::All } else { reach }))
    }
}
