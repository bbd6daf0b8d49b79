//! What fields say of private persons. Access, erasure and the register of processing go by it, so a resource that marks its fields
//! is covered the moment it exists.

/// What a field says of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PersonalData {
    /// The identity: names, numbers of papers, what other systems call the person.
    Identity,
    /// How and where the person is reached.
    Contact,
    /// Private life: birth, family, interests.
    Sensitive,
    /// Free text.
    FreeText,
}

impl PersonalData {
    /// As the document and the register say it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Contact => "contact",
            Self::Sensitive => "sensitive",
            Self::FreeText => "free_text",
        }
    }
}
