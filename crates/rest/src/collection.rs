//! A collection: a resource declared once, as a table of plain functions, and everything it promises from that.

use super::{
    bulk,
    endpoints::{Endpoints, allow_duplicates},
    example::{Example, Subject},
    hooks::{Parent, ResourceHandler},
    operation::{Body, Operation, Parameter, RequestContext},
    permissions,
};
use samphan_persistence::{
    record::Record,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{error::Result, resource::Resource, shape::Shape};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{collections::HashMap, marker::PhantomData, sync::Arc};
use utoipa::ToSchema;
use uuid::Uuid;

/// A resource's routes. Reads are always there; writes are added by `with_crud` or one by one.
pub struct Collection<T> {
    endpoints: Endpoints,
    of: PhantomData<T>,
}

/// All operations, shapes and schemas of the service.
#[derive(Default)]
pub struct Api {
    /// Every operation.
    pub operations: Vec<Operation>,
    /// Every resource's shape.
    pub shapes: HashMap<&'static str, &'static Shape>,
    /// Schemas of inputs and answers beside the resources' own.
    pub schemas: Vec<(String, Value)>,
    /// How events are sent to others.
    pub webhook: Option<Webhook>,
    /// Collections that offer bulk operations, by the plural of their resource.
    pub bulk: HashMap<&'static str, ResourceHandler>,
}

/// How every event of every resource is sent to others.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The group it is documented in.
    pub tag: &'static str,
    /// The schema of what is sent.
    pub schema: &'static str,
    /// What is sent, and how to answer it.
    pub about: &'static str,
    /// What an example of it says, over its schema.
    pub example: Value,
    /// The headers it is sent with.
    pub headers: Vec<Parameter>,
}

impl Api {
    /// With a collection.
    #[must_use]
    pub fn collection<T: Resource>(mut self, collection: Collection<T>) -> Self {
        let Endpoints { handler: table, schemas, operations, is_bulk, .. } = collection.endpoints;
        if is_bulk {
            self.bulk.insert(table.shape.plural, table.clone());
        }
        let subject = Subject { shape: table.shape, parent: table.parent.map(|p| (p.field, p.shape)) };
        self.shapes.insert(table.shape.plural, table.shape);
        self.schemas.extend(schemas);
        self.operations.extend(operations.into_iter().map(|mut o| {
            allow_duplicates(table.shape, &mut o);
            Operation { subject: Some(subject), ..o }
        }));
        self
    }

    /// With operations that are no collection's.
    #[must_use]
    pub fn operations(mut self, operations: Vec<Operation>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// With webhooks.
    #[must_use]
    pub fn webhook(mut self, webhook: Webhook) -> Self {
        self.webhook = Some(webhook);
        self
    }

    /// With the schema of a type.
    #[must_use]
    pub fn schema<S: ToSchema>(mut self) -> Self {
        add_schema::<S>(&mut self.schemas);
        self
    }

    /// With the permissions that every operation of a collection needs beside its own, which follow from what it is about: see
    /// `permissions`. Done last, when every resource is known.
    #[must_use]
    pub fn with_permissions(mut self) -> Self {
        for operation in &mut self.operations {
            permissions::add(operation, &self.shapes);
        }
        self
    }
}

fn add_schema<S: ToSchema>(to: &mut Vec<(String, Value)>) {
    let mut found = vec![];
    S::schemas(&mut found);
    to.push((S::name().into_owned(), json!(S::schema())));
    to.extend(found.into_iter().map(|(name, schema)| (name, json!(schema))));
}

impl<T: Resource> Collection<T> {
    /// A collection that can be listed, searched and read.
    #[must_use]
    pub fn new(tag: &'static str) -> Self {
        Self::made(tag, None, format!("/v1/{}", T::PLURAL.replace('_', "-")))
    }

    /// The same, at an address of its own.
    #[must_use]
    pub fn at_path(tag: &'static str, base: &str) -> Self {
        Self::made(tag, None, base.to_owned())
    }

    /// A collection below a record of `P`, as `segment` of its path. The parent's permissions hold for it: reading it
    /// is reading the parent, every write is an update of the parent.
    #[must_use]
    pub fn nested_under<P: Resource>(tag: &'static str, field: &'static str, segment: &str) -> Self {
        let parent = Shape::of::<P>();
        Self::made(tag, Some(Parent { shape: parent, field }), format!("/v1/{}/{{{field}}}/{segment}", parent.path))
    }

    /// A resource that has only one record, which `record` offers at the resource's own address.
    #[must_use]
    pub fn singleton(tag: &'static str) -> Self {
        let base = format!("/v1/{}", T::PLURAL.replace('_', "-"));
        Self { endpoints: Endpoints::of(ResourceHandler::of::<T>(None), tag, base), of: PhantomData }
    }

    /// Get and update of the one record there is.
    #[must_use]
    pub fn record(mut self, id: Uuid) -> Self {
        self.endpoints.singleton(id);
        self
    }

    fn made(tag: &'static str, parent: Option<Parent>, base: String) -> Self {
        let mut endpoints = Endpoints::of(ResourceHandler::of::<T>(parent), tag, base);
        endpoints.add_reads();
        Self { endpoints, of: PhantomData }
    }

    /// Replaces how a record is created, in batches and upserts as well.
    #[must_use]
    pub fn create(mut self, create: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.on_create(create);
        self
    }

    /// Adds a hook that runs after records were created, one or many.
    #[must_use]
    pub fn after_create(mut self, then: impl AsyncFn(&Work, &[&Stored<T>]) -> Result<()> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.after_create(then);
        self
    }

    /// Adds a hook that runs after records were updated, one or many, with each record before and after.
    #[must_use]
    pub fn after_update(mut self, then: impl AsyncFn(&Work, &[(&Stored<T>, &Stored<T>)]) -> Result<()> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.after_update(then);
        self
    }

    /// Replaces how a record is updated; the hook gets the record before and after.
    #[must_use]
    pub fn update(mut self, update: impl AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.on_update(update);
        self
    }

    /// Adds a hook that runs after a record was restored.
    #[must_use]
    pub fn after_restore(mut self, restored: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.after_restore(restored);
        self
    }

    /// Says of restoring a record that it also needs another permission; before `with_crud`.
    #[must_use]
    pub const fn restore_also_requires(mut self, permission: &'static str) -> Self {
        self.endpoints.restore_also_requires = Some(permission);
        self
    }

    /// Replaces how a record is deleted.
    #[must_use]
    pub fn delete(mut self, delete: impl AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static) -> Self {
        self.endpoints.handler.on_delete(delete);
        self
    }

    /// Insists on If-Match for every write to a record.
    #[must_use]
    pub const fn if_match_required(mut self) -> Self {
        self.endpoints.if_match_required = true;
        self
    }

    /// Adds an operation as it is, at a path below the collection's.
    #[must_use]
    pub fn operation(mut self, below: &str, make: impl FnOnce(String) -> Operation) -> Self {
        let mut operation = make(format!("{}{below}", self.endpoints.base));
        operation.tag = self.endpoints.tag;
        self.endpoints.operations.push(operation);
        self
    }

    /// Says of what was declared last that it always needs another permission beside its own.
    #[must_use]
    pub fn also_requires(mut self, permission: &str) -> Self {
        if let Some(last) = self.endpoints.operations.last_mut() {
            last.add_permission(permission.to_owned(), None);
        }
        self
    }

    /// Says of what was declared last that it needs another permission under a condition; see `Operation::also_requires_when`.
    #[must_use]
    pub fn also_requires_when(mut self, permission: &str, when: &str) -> Self {
        if let Some(last) = self.endpoints.operations.last_mut() {
            last.add_permission(permission.to_owned(), Some(when.to_owned()));
        }
        self
    }

    /// Adds an example of what was declared last.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        if let Some(last) = self.endpoints.operations.last_mut() {
            last.examples.push(example);
        }
        self
    }

    /// Says what the example of one of the operations every collection has shows, by its name.
    #[must_use]
    pub fn example_of(mut self, id: &str, example: Example) -> Self {
        if let Some(found) = self.endpoints.operations.iter_mut().find(|o| o.id == id) {
            found.examples = vec![example];
        }
        self
    }

    /// Adds the schema of a type an operation takes or answers.
    #[must_use]
    pub fn schema<S: ToSchema>(mut self) -> Self {
        add_schema::<S>(&mut self.endpoints.schemas);
        self
    }

    /// Create, update, delete, restore, batch, and upsert by external id.
    #[must_use]
    pub fn with_crud(self) -> Self {
        self.with_create().with_modify()
    }

    /// Create only.
    #[must_use]
    pub fn with_create(mut self) -> Self {
        self.endpoints.add_create();
        self
    }

    /// Update only.
    #[must_use]
    pub fn with_update(mut self) -> Self {
        self.endpoints.add_update();
        self
    }

    /// Update, delete, restore, batch, and upsert by external id.
    #[must_use]
    pub fn with_modify(mut self) -> Self {
        self.endpoints.add_modify();
        self
    }

    /// One change to many records at once, as a bulk operation: `POST …/bulk-update`. After the words that say how records are changed.
    #[must_use]
    pub fn with_bulk_update(mut self) -> Self {
        self.endpoints.is_bulk = true;
        let operation = bulk::update_operation(self.endpoints.handler.shape, self.endpoints.tag, &self.endpoints.base);
        self.endpoints.operations.push(operation);
        self
    }

    /// Another owner or team for many records at once, as a bulk operation: `POST …/bulk-assign`.
    #[must_use]
    pub fn with_bulk_assign(mut self) -> Self {
        self.endpoints.is_bulk = true;
        let operation = bulk::assign_operation(self.endpoints.handler.shape, self.endpoints.tag, &self.endpoints.base);
        self.endpoints.operations.push(operation);
        self
    }

    /// An action: `POST …/{id}/<verb>` with an input.
    #[must_use]
    pub fn action<In>(
        mut self,
        verb: &'static str,
        summary: &str,
        action: impl AsyncFn(&Work, Stored<T>, In) -> Result<Stored<T>> + Send + Sync + 'static,
    ) -> Self
    where
        In: DeserializeOwned + ToSchema + 'static,
    {
        add_schema::<In>(&mut self.endpoints.schemas);
        // An input without required members may be left out.
        let optional = json!(In::schema()).get("required").and_then(Value::as_array).is_none_or(Vec::is_empty);
        self.endpoints.action(
            verb,
            summary,
            Some(Body { optional, ..Body::of(In::name().into_owned()) }),
            Arc::new(async move |work: &Work, (found, call): (Record, RequestContext)| {
                Ok(action(work, Stored::of(found)?, call.input()?).await?.record)
            }),
        );
        self
    }

    /// An action without input.
    #[must_use]
    pub fn action_without_input(
        mut self,
        verb: &'static str,
        summary: &str,
        action: impl AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    ) -> Self {
        self.endpoints.action(
            verb,
            summary,
            None,
            Arc::new(async move |work: &Work, (found, _): (Record, RequestContext)| Ok(action(work, Stored::of(found)?).await?.record)),
        );
        self
    }

    /// An action that takes a record from one state to another, as the resource's table of transitions has it, and does nothing else.
    #[must_use]
    pub fn transition(self, verb: &'static str, summary: &str) -> Self {
        self.action_without_input(verb, summary, async move |work: &Work, before: Stored<T>| stored::transition(work, &before, verb).await)
    }

    /// The same, where something else has to be done or to hold: `hook` gets the record as it is and, to change more of it, as it is to be.
    #[must_use]
    pub fn transition_with(
        self,
        verb: &'static str,
        summary: &str,
        hook: impl AsyncFn(&Work, &Stored<T>, &mut T) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.action_without_input(verb, summary, async move |work: &Work, before: Stored<T>| {
            let (mut after, what) = stored::after_transition(&before, verb)?;
            hook(work, &before, &mut after.data).await?;
            stored::save(work, &before, after, what, None).await
        })
    }

    /// The same with an input.
    #[must_use]
    pub fn transition_with_input<In>(
        self,
        verb: &'static str,
        summary: &str,
        hook: impl AsyncFn(&Work, &Stored<T>, &mut T, In) -> Result<()> + Send + Sync + 'static,
    ) -> Self
    where
        In: DeserializeOwned + ToSchema + 'static,
    {
        self.action(verb, summary, async move |work: &Work, before: Stored<T>, input: In| {
            let (mut after, what) = stored::after_transition(&before, verb)?;
            hook(work, &before, &mut after.data, input).await?;
            stored::save(work, &before, after, what, None).await
        })
    }
}
