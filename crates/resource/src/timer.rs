//! Timers: what is done to a record by itself when a moment that it names has come. Said once, by the resource
//! ([`Resource::TIMERS`](crate::resource::Resource::TIMERS)); the area that registers the timer says what is done.

/// What is done to records of one state when a moment of theirs has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// What is done: `expire`.
    pub verb: &'static str,
    /// The value of [`Resource::STATUS`](crate::resource::Resource::STATUS) of the records it is done to.
    pub state: &'static str,
    /// The field with the moment; nothing is done while that is null. There is an index of the state and this field.
    pub at: &'static str,
    /// Seconds after that moment.
    pub grace_seconds: i64,
    /// Most records in one transaction.
    pub max_records: usize,
    /// Whether the records are locked before they are passed on. Otherwise the timer's function locks what is to be locked before them, and
    /// looks at them again.
    pub is_locked: bool,
}

impl Timer {
    /// Of records of a state, at the moment of a field; at most 500 in one transaction.
    #[must_use]
    pub const fn new(verb: &'static str, state: &'static str, at: &'static str) -> Self {
        Self { verb, state, at, grace_seconds: 0, max_records: 500, is_locked: true }
    }

    /// So many seconds later.
    #[must_use]
    pub const fn after_seconds(self, grace_seconds: i64) -> Self {
        Self { grace_seconds, ..self }
    }

    /// Each record in a transaction of its own: for what locks much besides the record.
    #[must_use]
    pub const fn one_by_one(self) -> Self {
        Self { max_records: 1, ..self }
    }

    /// Passed on without a lock.
    #[must_use]
    pub const fn unlocked(self) -> Self {
        Self { is_locked: false, ..self }
    }
}
