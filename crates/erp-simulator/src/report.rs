//! What happened, in numbers.

use std::fmt;

/// What happened since it was opened, restarts of its own included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Changes of the CRM taken in.
    pub changes: usize,
    /// Customers taken over.
    pub customers: usize,
    /// Items taken over.
    pub items: usize,
    /// Documents posted.
    pub documents: usize,
    /// Messages answered.
    pub messages: usize,
    /// Items of messages that did what they said, or found it done.
    pub applied: usize,
    /// Items of messages that came late.
    pub stale: usize,
    /// Items of messages that failed, each named.
    pub failed: Vec<String>,
    /// Messages sent again long after they were answered.
    pub repeated: usize,
    /// Items of those that did something again: none, ever.
    pub twice: usize,
    /// Times it forgot everything but its file.
    pub restarts: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changes, customers, items, documents, messages, applied, stale, failed, repeated, twice, restarts } = self;
        writeln!(f, "{changes} changes taken in, {customers} customers and {items} items taken over, {documents} documents posted")?;
        writeln!(f, "{messages} messages answered: {applied} items applied, {stale} late, {} failed", failed.len())?;
        if repeated + restarts > 0 {
            writeln!(f, "{repeated} messages repeated, {twice} of their items applied twice, {restarts} restarts")?;
        }
        failed.iter().take(20).try_for_each(|why| writeln!(f, "failed: {why}"))
    }
}
