//! The hooks of a resource, with its type erased: the operations
//! are compiled once for all resources.

use super::operation::RequestContext;
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
pub trait Hook<In, Out>: Send + Sync {
    /// Does it.
    fn run<'a>(&'a self, work: &'a Work, input: In) -> LocalBoxFuture<'a, Result<Out>>
    where
        In: 'a;
}

impl<In, Out, F: AsyncFn(&Work, In) -> Result<Out> + Send + Sync> Hook<In, Out> for F {
    fn run<'a>(&'a self, work: &'a Work, input: In) -> LocalBoxFuture<'a, Result<Out>>
    where
        In: 'a,
    {
        Box::pin(self(work, input))
    }
}

/// Something done for many, each with its own result.
type ManyHook<In> = Arc<dyn Hook<Vec<In>, Vec<Result<Record>>>>;

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
pub struct ResourceHandler {
    /// The resource.
    pub shape: &'static Shape,
    /// The record it belongs to, for a nested one.
    pub parent: Option<Parent>,
    create: Arc<dyn Hook<Record, Record>>,
    /// Of many drafts; none where a resource makes its records one by one.
    create_many: Option<ManyHook<Record>>,
    /// From the record before, and the patch.
    update: Arc<dyn Hook<(Record, Record), Record>>,
    /// Of many records and their patches; none where a resource changes its records one by one.
    update_many: Option<ManyHook<(Record, Record)>>,
    delete: Arc<dyn Hook<Record, ()>>,
    after_restore: Option<Arc<dyn Hook<Record, ()>>>,
}

impl ResourceHandler {
    /// A resource that is made, changed and deleted as any is.
    #[must_use]
    pub fn of<T: Resource>(parent: Option<Parent>) -> Self {
        let shape = if parent.is_some() { Shape::nested::<T>() } else { Shape::of::<T>() };
        Self {
            shape,
            parent,
            create: create_hook(stored::insert::<T>),
            create_many: Some(create_many_hook::<T>(async |_: &Work, _: &[&Stored<T>]| Ok(()))),
            update: update_hook(async |work: &Work, before: &Stored<T>, after: Stored<T>| {
                stored::save(work, before, after, "updated", None).await
            }),
            update_many: Some(update_many_hook::<T>(async |_: &Work, _: &[(&Stored<T>, &Stored<T>)]| Ok(()))),
            delete: Arc::new(async move |work: &Work, found: Record| record::delete(work, shape, &found).await),
            after_restore: None,
        }
    }

    /// With another way to make a record.
    pub fn on_create<T: Resource>(&mut self, create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static) {
        self.create = create_hook(create);
        self.create_many = None;
    }

    /// With what else is done when records are made, whatever their number.
    pub fn after_create<T: Resource>(&mut self, then: impl AsyncFn(&Work, &[&Stored<T>]) -> Result<()> + Send + Sync + 'static) {
        let then = Arc::new(then);
        let also = Arc::clone(&then);
        self.create = create_hook(async move |work: &Work, draft: Stored<T>| {
            let made = stored::insert(work, draft).await?;
            then(work, &[&made]).await?;
            Ok(made)
        });
        self.create_many = Some(create_many_hook::<T>(async move |work: &Work, made: &[&Stored<T>]| also(work, made).await));
    }

    /// With another way to change a record.
    pub fn on_update<T: Resource>(
        &mut self,
        update: impl AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    ) {
        self.update = update_hook(update);
        self.update_many = None;
    }

    /// With what else is done when records are changed, whatever their number: as they were, and as they are.
    pub fn after_update<T: Resource>(
        &mut self,
        then: impl AsyncFn(&Work, &[(&Stored<T>, &Stored<T>)]) -> Result<()> + Send + Sync + 'static,
    ) {
        let then = Arc::new(then);
        let also = Arc::clone(&then);
        self.update = update_hook(async move |work: &Work, before: &Stored<T>, after: Stored<T>| {
            let after = stored::save(work, before, after, "updated", None).await?;
            then(work, &[(before, &after)]).await?;
            Ok(after)
        });
        self.update_many =
            Some(update_many_hook::<T>(async move |work: &Work, changed: &[(&Stored<T>, &Stored<T>)]| also(work, changed).await));
    }

    /// With another way to delete a record.
    pub fn on_delete<T: Resource>(&mut self, delete: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) {
        self.delete = Arc::new(async move |work: &Work, found: Record| delete(work, &Stored::of(found)?).await);
    }

    /// With what else is done when a record is restored.
    pub fn after_restore<T: Resource>(&mut self, restored: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) {
        self.after_restore = Some(Arc::new(async move |work: &Work, found: Record| restored(work, &Stored::of(found)?).await));
    }

    /// Makes a record.
    pub(super) async fn create(&self, work: &Work, draft: Record) -> Result<Record> {
        self.may_create(work, &draft)?;
        self.create.run(work, draft).await
    }

    /// Refuses a caller that may not give a record to another owner or team.
    fn may_create(&self, work: &Work, draft: &Record) -> Result<()> {
        let caller = &work.caller;
        let given = |field: &str| draft.get(field).map(|_| uuid_in(draft, field));
        let is_own = given("owner_id").is_none_or(|owner| owner == caller.author())
            && given("team_id").flatten().is_none_or(|team| caller.teams.contains(&team));
        let assign = self.shape.permission("assign");
        if self.shape.owned && !is_own && caller.reach(&assign).is_none() {
            return Err(Error::from(Code::Forbidden).with_allowed([assign]));
        }
        Ok(())
    }

    /// Makes many records, each with its own result in their order. An error where one failed after something of it was written.
    pub(super) async fn create_each(&self, work: &Work, drafts: Vec<Record>) -> Result<Vec<Result<Record>>> {
        let Some(create_many) = &self.create_many else {
            return one_by_one(work, drafts, async |draft| self.create(work, draft).await).await;
        };
        run_on_successes(drafts, |draft| self.may_create(work, draft), async |drafts| create_many.run(work, drafts).await).await
    }

    /// Changes a record by a merge patch.
    pub(super) async fn patch(&self, work: &Work, before: Record, patch: Record) -> Result<Record> {
        self.may_patch(work, &before, &patch)?;
        self.update.run(work, (before, patch)).await
    }

    fn may_patch(&self, work: &Work, before: &Record, patch: &Record) -> Result<()> {
        let moves = |field: &str| patch.contains_key(field) && uuid_in(patch, field) != uuid_in(before, field);
        if self.shape.owned && (moves("owner_id") || moves("team_id")) {
            // Another owner or team is another set of people who may do something with it.
            record::check_permission(work, self.shape, before, "assign")?;
        }
        Ok(())
    }

    /// Changes many different records by merge patches; see `create_each`.
    pub(super) async fn patch_each(&self, work: &Work, patches: Vec<(Record, Record)>) -> Result<Vec<Result<Record>>> {
        let Some(update_many) = &self.update_many else {
            return one_by_one(work, patches, async |(before, patch)| self.patch(work, before, patch).await).await;
        };
        let may = |(before, patch): &(Record, Record)| self.may_patch(work, before, patch);
        run_on_successes(patches, may, async |patches| update_many.run(work, patches).await).await
    }

    /// Whether many records are made together.
    pub(super) const fn creates_many(&self) -> bool {
        self.create_many.is_some()
    }

    /// Whether many records are made and changed together. Otherwise each is looked at anew before it is changed.
    pub(super) const fn writes_many(&self) -> bool {
        self.create_many.is_some() && self.update_many.is_some() && self.shape.one_of.is_empty()
    }

    /// Deletes a record.
    pub(super) async fn delete(&self, work: &Work, found: Record) -> Result<()> {
        self.delete.run(work, found).await
    }

    /// Restores a record.
    pub(super) async fn restore(&self, work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Record> {
        let made = record::restore(work, self.shape, id, parent).await?;
        if let Some(restored) = &self.after_restore {
            restored.run(work, made.clone()).await?;
        }
        Ok(made)
    }

    /// Finds a record to change.
    pub(super) async fn find(&self, work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<Record> {
        record::find(work, self.shape, id, parent, verb).await
    }

    /// Finds a record to look at, without a lock.
    pub(super) async fn find_unlocked(&self, work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Record> {
        record::find_visible(work, self.shape, id, parent, false).await?.ok_or_else(|| Code::NotFound.into())
    }

    /// Steps into the parent the path names, if any: it must be seen, and reached for a write.
    pub(super) async fn resolve_parent(&self, reader: &Reader, call: &RequestContext, verb: &str) -> Result<Option<(&'static str, Uuid)>> {
        let Some(parent) = self.parent else { return Ok(None) };
        let id = call.id(0)?;
        let line = list::one(reader, &View::new(reader, parent.shape, Some(&["id"]), vec![]), id, None, "read").await?;
        let permission = parent.shape.permission("update");
        if verb != "read" && parent.shape.owned && !reader.caller.visibility(&permission).includes(line.owner.0, line.owner.1) {
            return Err(Error::from(Code::Forbidden).with_allowed([permission]));
        }
        Ok(Some((parent.field, id)))
    }
}

fn create_hook<T: Resource>(
    create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
) -> Arc<dyn Hook<Record, Record>> {
    Arc::new(async move |work: &Work, draft: Record| Ok(create(work, Stored::of(draft)?).await?.record))
}

fn update_hook<T: Resource>(
    update: impl AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
) -> Arc<dyn Hook<(Record, Record), Record>> {
    Arc::new(async move |work: &Work, (before, patch): (Record, Record)| {
        let before = Stored::of(before)?;
        let after = before.patched(work.shape(T::PLURAL)?, &patch)?;
        Ok(update(work, &before, after).await?.record)
    })
}

/// Does what is asked for each, as far as it may: what may not be done has its refusal in its place.
async fn run_on_successes<In>(
    all: Vec<In>,
    may: impl Fn(&In) -> Result<()>,
    run: impl AsyncFnOnce(Vec<In>) -> Result<Vec<Result<Record>>>,
) -> Result<Vec<Result<Record>>> {
    let asked: Vec<Result<()>> = all.iter().map(may).collect();
    let allowed = all.into_iter().zip(&asked).filter(|(_, may)| may.is_ok()).map(|(one, _)| one);
    let mut done = run(allowed.collect()).await?.into_iter();
    Ok(asked.into_iter().map(|may| may.and_then(|()| done.next().ok_or(Code::Internal)?)).collect())
}

/// Does each in turn. An error where one failed after something of it was written.
async fn one_by_one<In>(work: &Work, all: Vec<In>, run: impl AsyncFn(In) -> Result<Record>) -> Result<Vec<Result<Record>>> {
    let mut done = Vec::with_capacity(all.len());
    for one in all {
        let tried = work.write_attempts();
        match run(one).await {
            Err(error) if work.write_attempts() != tried => return Err(error),
            outcome => done.push(outcome),
        }
    }
    Ok(done)
}

fn create_many_hook<T: Resource>(then: impl AsyncFn(&Work, &[&Stored<T>]) -> Result<()> + Send + Sync + 'static) -> ManyHook<Record> {
    Arc::new(async move |work: &Work, drafts: Vec<Record>| {
        let drafts: Vec<Result<Stored<T>>> = drafts.into_iter().map(Stored::of).collect();
        let (mut readable, mut rest) = (vec![], vec![]);
        for draft in drafts {
            rest.push(draft.map(|draft| readable.push(draft)));
        }
        let made = stored::create_many(work, readable).await?;
        let new: Vec<&Stored<T>> = made.iter().filter_map(|made| made.as_ref().ok()).collect();
        if !new.is_empty() {
            then(work, &new).await?;
        }
        let mut made = made.into_iter();
        Ok(rest.into_iter().map(|draft| draft.and_then(|()| made.next().ok_or(Code::Internal)?.map(|made| made.record))).collect())
    })
}

fn update_many_hook<T: Resource>(
    then: impl AsyncFn(&Work, &[(&Stored<T>, &Stored<T>)]) -> Result<()> + Send + Sync + 'static,
) -> ManyHook<(Record, Record)> {
    Arc::new(async move |work: &Work, patches: Vec<(Record, Record)>| {
        let shape = work.shape(T::PLURAL)?;
        let (mut changes, mut rest) = (vec![], vec![]);
        for (before, patch) in patches {
            let change = Stored::<T>::of(before).and_then(|before| {
                let after = before.patched(shape, &patch)?;
                Ok((before, after))
            });
            rest.push(change.map(|change| changes.push(change)));
        }
        let before: Vec<Stored<T>> = changes.iter().map(|(before, _)| before.clone()).collect();
        let saved = stored::update_many(work, changes, "updated", None).await?;
        let is_changed = |(before, after): &(&Stored<T>, &Stored<T>)| before.version() != after.version();
        let both = before.iter().zip(&saved).filter_map(|(before, after)| Some((before, after.as_ref().ok()?)));
        let changed: Vec<(&Stored<T>, &Stored<T>)> = both.filter(is_changed).collect();
        if !changed.is_empty() {
            then(work, &changed).await?;
        }
        let mut saved = saved.into_iter();
        Ok(rest.into_iter().map(|one| one.and_then(|()| saved.next().ok_or(Code::Internal)?.map(|after| after.record))).collect())
    })
}
