//! Rules over several records that every change and deletion of a resource's records must keep, whichever operation makes it.
//!
//! `record::save` and `record::delete` ask the guard of the resource before they write, so an operation cannot forget to.

use crate::{error::Result, record::Record, store::Work};
use samphan_domain::shape::Shape;
use std::{collections::HashMap, fmt::Debug, future::Future, pin::Pin, sync::Arc};

/// What a guard's check runs as.
pub type Check<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// A rule over several records.
pub trait Guard: Debug + Send + Sync {
    /// Refuses a change of a record, or its deletion where `after` is none. Runs in the work that writes, before it writes.
    fn check<'a>(&'a self, work: &'a Work, shape: &'static Shape, before: &'a Record, after: Option<&'a Record>) -> Check<'a>;
}

/// Guards by the plural of the resource they watch.
pub type Guards = HashMap<&'static str, Arc<dyn Guard>>;

/// Asks the guard of a resource, if there is one.
pub(crate) async fn check(work: &Work, shape: &'static Shape, before: &Record, after: Option<&Record>) -> Result<()> {
    match work.store.guards.get(shape.many) {
        Some(guard) => guard.check(work, shape, before, after).await,
        None => Ok(()),
    }
}
