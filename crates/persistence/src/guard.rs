//! Rules that areas register for records of other areas: checks of changes and deletions, checks before an erasure, and hooks that run when
//! an external id is mapped to a record or when records were written.
//!
//! Each area registers its own, so an area whose records are changed knows none of those above it. The kernel asks in the work that writes:
//! `many::write` and `record::delete` ask before they write, so no operation can forget to.

use crate::{error::Result, record::Record, store::Work};
use samphan_resource::{builtin::external_reference::ExternalReference, shape::Shape};
use std::{collections::HashMap, fmt::Debug, future::Future, pin::Pin, sync::Arc};
use uuid::Uuid;

/// What a check runs as.
pub type Check<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A rule about changes and deletions of a resource's records, whichever operation makes them.
pub trait Guard: Debug + Send + Sync {
    /// Refuses a change of a record, or its deletion where `after` is none. Runs before it is written.
    fn check<'a>(&'a self, work: &'a Work, shape: &'static Shape, before: &'a Record, after: Option<&'a Record>) -> Check<'a>;

    /// Whether the rule is about one record and asks nothing of others of its resource. Then many changes are checked before any of them is
    /// written; otherwise each is written before the next one is checked.
    fn is_about_one(&self) -> bool {
        false
    }
}

/// Refuses to erase the person behind a record, for example while orders are open.
pub type ErasureCheck = for<'a> fn(&'a Work, Uuid) -> Check<'a>;
/// Runs before the person behind a record is erased, while what reaches the person is still known.
pub type ErasureHook = for<'a> fn(&'a Work, Uuid) -> Check<'a>;
/// Runs when external ids have been mapped to records of a resource: many at once, where they came at once.
pub type BindingHook = for<'a> fn(&'a Work, &'a [ExternalReference]) -> Check<'a>;

/// A record before and after a write: nothing before one that is created or restored, nothing after one that is deleted.
pub type WrittenPair<'a> = (Option<&'a Record>, Option<&'a Record>);
/// Runs when records of a resource have been written, in the work that wrote them: keeps a projection equal to them.
pub type WrittenHook = for<'a> fn(&'a Work, &'a [WrittenPair<'a>]) -> Check<'a>;

/// What areas registered, by the plural of the resource it is about.
#[derive(Clone, Debug, Default)]
pub struct Guards {
    changes: HashMap<&'static str, Vec<Arc<dyn Guard>>>,
    erasures: HashMap<&'static str, Vec<ErasureCheck>>,
    before_erasures: HashMap<&'static str, Vec<ErasureHook>>,
    bindings: HashMap<&'static str, Vec<BindingHook>>,
    projections: HashMap<&'static str, Vec<WrittenHook>>,
}

impl Guards {
    /// With a rule about changes and deletions.
    #[must_use]
    pub fn on_change(mut self, many: &'static str, guard: impl Guard + 'static) -> Self {
        self.changes.entry(many).or_default().push(Arc::new(guard));
        self
    }

    /// With a rule about erasures.
    #[must_use]
    pub fn on_erasure(mut self, many: &'static str, check: ErasureCheck) -> Self {
        self.erasures.entry(many).or_default().push(check);
        self
    }

    /// With a hook that runs before a person is erased, also where the erasure is done again after a backup was restored.
    #[must_use]
    pub fn before_erasure(mut self, many: &'static str, hook: ErasureHook) -> Self {
        self.before_erasures.entry(many).or_default().push(hook);
        self
    }

    /// With a hook that runs when an external id is mapped to a record of the resource.
    #[must_use]
    pub fn on_binding(mut self, many: &'static str, hook: BindingHook) -> Self {
        self.bindings.entry(many).or_default().push(hook);
        self
    }

    /// With a hook that runs whenever records of a resource have been created, changed, deleted or restored, whichever operation does it.
    #[must_use]
    pub fn on_written(mut self, many: &'static str, hook: WrittenHook) -> Self {
        self.projections.entry(many).or_default().push(hook);
        self
    }
}

/// Whether changes of a resource may be checked before others of it are written.
pub(crate) fn is_about_one(work: &Work, shape: &'static Shape) -> bool {
    work.store.guards.changes.get(shape.plural).into_iter().flatten().all(|guard| guard.is_about_one())
}

/// Asks what is registered about changes of a resource.
pub(crate) async fn check(work: &Work, shape: &'static Shape, before: &Record, after: Option<&Record>) -> Result<()> {
    for guard in work.store.guards.changes.get(shape.plural).into_iter().flatten() {
        guard.check(work, shape, before, after).await?;
    }
    Ok(())
}

/// Runs what is registered for records that were written.
pub(crate) async fn written(work: &Work, shape: &'static Shape, pairs: impl Iterator<Item = WrittenPair<'_>>) -> Result<()> {
    let Some(hooks) = work.store.guards.projections.get(shape.plural) else { return Ok(()) };
    let pairs: Vec<WrittenPair<'_>> = pairs.collect();
    for hook in hooks.iter().filter(|_| !pairs.is_empty()) {
        hook(work, &pairs).await?;
    }
    Ok(())
}

/// Asks what is registered about erasures, before the person behind a record is erased.
pub async fn check_erasure(work: &Work, many: &str, id: Uuid) -> Result<()> {
    for check in work.store.guards.erasures.get(many).into_iter().flatten() {
        check(work, id).await?;
    }
    Ok(())
}

/// Runs the hooks that come before the erasure of the person behind a record.
pub(crate) async fn before_erasure(work: &Work, many: &str, id: Uuid) -> Result<()> {
    for hook in work.store.guards.before_erasures.get(many).into_iter().flatten() {
        hook(work, id).await?;
    }
    Ok(())
}

/// Runs the hooks for records of one resource that external ids of one system have been mapped to.
pub async fn bound(work: &Work, references: &[ExternalReference]) -> Result<()> {
    let Some(first) = references.first() else { return Ok(()) };
    for hook in work.store.guards.bindings.get(first.resource.as_str()).into_iter().flatten() {
        hook(work, references).await?;
    }
    Ok(())
}
