//! What a resource does when its records are made, changed, deleted and restored, its type put out of sight: the operations
//! are compiled once for all resources.

use super::operation::Call;
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    list::{self, View},
    record::{self, Record, uuid_in},
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, Result},
    resource::Resource,
    shape::Shape,
};
use std::sync::Arc;
use uuid::Uuid;

/// Something done within a work.
pub trait Rule<In, Out>: Send + Sync {
    /// Does it.
    fn run<'a>(&'a self, work: &'a Work, input: In) -> LocalBoxFuture<'a, Result<Out>>
    where
        In: 'a;
}

impl<In, Out, F: AsyncFn(&Work, In) -> Result<Out> + Send + Sync> Rule<In, Out> for F {
    fn run<'a>(&'a self, work: &'a Work, input: In) -> LocalBoxFuture<'a, Result<Out>>
    where
        In: 'a,
    {
        Box::pin(self(work, input))
    }
}

/// The record a nested collection belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Its resource.
    pub shape: &'static Shape,
    /// The field of the child that points at it.
    pub field: &'static str,
}

/// A resource as its operations know it.
#[derive(Clone)]
pub struct Table {
    /// The resource.
    pub shape: &'static Shape,
    /// The record it belongs to, for a nested one.
    pub parent: Option<Parent>,
    create: Arc<dyn Rule<Record, Record>>,
    /// From the record before, and the patch.
    update: Arc<dyn Rule<(Record, Record), Record>>,
    delete: Arc<dyn Rule<Record, ()>>,
    restored: Option<Arc<dyn Rule<Record, ()>>>,
}

impl Table {
    /// A resource that is made, changed and deleted as any is.
    #[must_use]
    pub fn of<T: Resource>(parent: Option<Parent>) -> Self {
        let shape = if parent.is_some() { Shape::nested::<T>() } else { Shape::of::<T>() };
        Self {
            shape,
            parent,
            create: created(stored::insert::<T>),
            update: updated(async |work: &Work, before: &Stored<T>, after: Stored<T>| {
                stored::save(work, before, after, "updated", None).await
            }),
            delete: Arc::new(async move |work: &Work, found: Record| record::delete(work, shape, &found).await),
            restored: None,
        }
    }

    /// With another way to make a record.
    pub fn on_create<T: Resource>(&mut self, create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static) {
        self.create = created(create);
    }

    /// With another way to change a record.
    pub fn on_update<T: Resource>(
        &mut self,
        update: impl AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    ) {
        self.update = updated(update);
    }

    /// With another way to delete a record.
    pub fn on_delete<T: Resource>(&mut self, delete: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) {
        self.delete = Arc::new(async move |work: &Work, found: Record| delete(work, &Stored::of(found)?).await);
    }

    /// With what else is done when a record is restored.
    pub fn on_restored<T: Resource>(&mut self, restored: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) {
        self.restored = Some(Arc::new(async move |work: &Work, found: Record| restored(work, &Stored::of(found)?).await));
    }

    /// Makes a record.
    pub(super) async fn create(&self, work: &Work, draft: Record) -> Result<Record> {
        let caller = &work.caller;
        let given = |field: &str| draft.get(field).map(|_| uuid_in(&draft, field));
        let is_own = given("owner_id").is_none_or(|owner| owner == caller.author())
            && given("team_id").flatten().is_none_or(|team| caller.teams.contains(&team));
        let assign = self.shape.permission("assign");
        if self.shape.owned && !is_own && caller.reach(&assign).is_none() {
            return Err(Error::from(Code::Forbidden).allowing([assign]));
        }
        self.create.run(work, draft).await
    }

    /// Changes a record by a merge patch.
    pub(super) async fn patch(&self, work: &Work, before: Record, patch: Record) -> Result<Record> {
        let moves = |field: &str| patch.contains_key(field) && uuid_in(&patch, field) != uuid_in(&before, field);
        if self.shape.owned && (moves("owner_id") || moves("team_id")) {
            // Another owner or team is another set of people who may do something with it.
            record::allowed(work, self.shape, &before, "assign")?;
        }
        self.update.run(work, (before, patch)).await
    }

    /// Deletes a record.
    pub(super) async fn delete(&self, work: &Work, found: Record) -> Result<()> {
        self.delete.run(work, found).await
    }

    /// Restores a record.
    pub(super) async fn restore(&self, work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Record> {
        let made = record::restore(work, self.shape, id, parent).await?;
        if let Some(restored) = &self.restored {
            restored.run(work, made.clone()).await?;
        }
        Ok(made)
    }

    /// Finds a record to change.
    pub(super) async fn find(&self, work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<Record> {
        record::find(work, self.shape, id, parent, verb).await
    }

    /// Steps into the parent the path names, if any: it must be seen, and reached for a write.
    pub(super) async fn enter(&self, reader: &Reader, call: &Call, verb: &str) -> Result<Option<(&'static str, Uuid)>> {
        let Some(parent) = self.parent else { return Ok(None) };
        let id = call.id(0)?;
        let line = list::one(reader, &View::new(reader, parent.shape, Some(&["id"]), vec![]), id, None, "read").await?;
        let permission = parent.shape.permission("update");
        if verb != "read" && parent.shape.owned && !reader.caller.sight(&permission).covers(line.owner.0, line.owner.1) {
            return Err(Error::from(Code::Forbidden).allowing([permission]));
        }
        Ok(Some((parent.field, id)))
    }
}

fn created<T: Resource>(
    create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
) -> Arc<dyn Rule<Record, Record>> {
    Arc::new(async move |work: &Work, draft: Record| Ok(create(work, Stored::of(draft)?).await?.record))
}

fn updated<T: Resource>(
    update: impl AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
) -> Arc<dyn Rule<(Record, Record), Record>> {
    Arc::new(async move |work: &Work, (before, patch): (Record, Record)| {
        let before = Stored::of(before)?;
        let after = before.patched(work.shape(T::MANY)?, &patch)?;
        Ok(update(work, &before, after).await?.record)
    })
}
