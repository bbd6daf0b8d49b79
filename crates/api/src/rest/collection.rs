//! A collection: a resource declared once, as a table of plain functions, and everything it promises from that.

use super::{
    answer::{Actions, Answer, finish},
    batch,
    operation::{Access, Body, Call, Operation, Parameter},
    query::{self, Asked, Count, Expand, Words},
};
use actix_web::http::Method;
use futures_util::future::LocalBoxFuture;
use samphan_domain::{
    error::{Code, Error, FieldError, Result},
    integration::external_reference::{ExternalRef, ExternalReference},
    resource::Resource,
    scalar::Kind,
    shape::{Shape, camel},
};
use samphan_persistence::{
    list::{self, Line, View},
    store::{Reader, Work},
    stored::{self, Stored, expect_version},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};
use utoipa::ToSchema;
use uuid::Uuid;

type CreateFn<T> = Arc<dyn for<'a> Fn(&'a Work, Stored<T>) -> LocalBoxFuture<'a, Result<Stored<T>>> + Send + Sync>;
type UpdateFn<T> = Arc<dyn for<'a> Fn(&'a Work, &'a Stored<T>, Stored<T>) -> LocalBoxFuture<'a, Result<Stored<T>>> + Send + Sync>;
type DeleteFn<T> = Arc<dyn for<'a> Fn(&'a Work, &'a Stored<T>) -> LocalBoxFuture<'a, Result<()>> + Send + Sync>;

/// The record a nested collection belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    /// Its resource.
    pub shape: &'static Shape,
    /// The field of the child that points at it.
    pub field: &'static str,
}

/// What a collection's operations share.
pub struct Table<T> {
    /// The resource.
    pub shape: &'static Shape,
    /// The record it belongs to, for a nested one.
    pub parent: Option<Parent>,
    pub(super) create: CreateFn<T>,
    pub(super) update: UpdateFn<T>,
    pub(super) delete: DeleteFn<T>,
    restored: DeleteFn<T>,
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self {
            shape: self.shape,
            parent: self.parent,
            create: Arc::clone(&self.create),
            update: Arc::clone(&self.update),
            delete: Arc::clone(&self.delete),
            restored: Arc::clone(&self.restored),
        }
    }
}

/// A resource's routes. Reading is always there; what else it offers is said by `writes` or one by one.
pub struct Collection<T> {
    table: Table<T>,
    tag: &'static str,
    if_match_required: bool,
    external: bool,
    base: String,
    operations: Vec<Operation>,
    schemas: Vec<(String, Value)>,
}

/// What the collections add up to.
#[derive(Default)]
pub struct Api {
    /// Every operation.
    pub operations: Vec<Operation>,
    /// Every resource's shape.
    pub shapes: HashMap<&'static str, &'static Shape>,
    /// Schemas of inputs and answers beside the resources' own.
    pub schemas: Vec<(String, Value)>,
}

impl Api {
    /// With a collection.
    #[must_use]
    pub fn collection<T: Resource>(mut self, collection: Collection<T>) -> Self {
        self.shapes.insert(collection.table.shape.many, collection.table.shape);
        self.schemas.extend(collection.schemas);
        self.operations.extend(collection.operations);
        self
    }

    /// With operations that are no collection's.
    #[must_use]
    pub fn operations(mut self, operations: Vec<Operation>) -> Self {
        self.operations.extend(operations);
        self
    }

    /// With the schema of a type.
    #[must_use]
    pub fn schema<S: ToSchema>(mut self) -> Self {
        add_schema::<S>(&mut self.schemas);
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
        Self::made(tag, None, format!("/v1/{}", T::MANY.replace('_', "-")))
    }

    /// The same, at an address of its own.
    #[must_use]
    pub fn at(tag: &'static str, base: &str) -> Self {
        Self::made(tag, None, base.to_owned())
    }

    /// A collection below a record of `P`, as `segment` of its path. The parent's permissions hold for it: reading it
    /// is reading the parent, every write is an update of the parent.
    #[must_use]
    pub fn under<P: Resource>(tag: &'static str, field: &'static str, segment: &str) -> Self {
        let parent = Shape::of::<P>();
        Self::made(tag, Some(Parent { shape: parent, field }), format!("/v1/{}/{{{field}}}/{segment}", parent.path))
    }

    fn made(tag: &'static str, parent: Option<Parent>, base: String) -> Self {
        let shape = if parent.is_some() { Shape::nested::<T>() } else { Shape::of::<T>() };
        let table = Table {
            shape,
            parent,
            create: Arc::new(|work, draft| Box::pin(stored::insert(work, draft))),
            update: Arc::new(|work, before, after| Box::pin(stored::save(work, before, after, "updated", None))),
            delete: Arc::new(|work, found| Box::pin(stored::delete(work, found))),
            restored: Arc::new(|_, _| Box::pin(async { Ok(()) })),
        };
        let external = shape.extensible && parent.is_none();
        Self { table, tag, if_match_required: false, external, base, operations: vec![], schemas: vec![] }.reads()
    }

    /// Another way to make a record; batch and upsert make it so too.
    #[must_use]
    pub fn create<F>(mut self, create: F) -> Self
    where
        F: AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    {
        let create = Arc::new(create);
        self.table.create = Arc::new(move |work, draft| {
            let create = Arc::clone(&create);
            Box::pin(async move { create(work, draft).await })
        });
        self
    }

    /// Another way to change a record: with the record before and as it is to be.
    #[must_use]
    pub fn update<F>(mut self, update: F) -> Self
    where
        F: AsyncFn(&Work, &Stored<T>, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    {
        let update = Arc::new(update);
        self.table.update = Arc::new(move |work, before, after| {
            let update = Arc::clone(&update);
            Box::pin(async move { update(work, before, after).await })
        });
        self
    }

    /// What else is done when a record is restored.
    #[must_use]
    pub fn restored<F>(mut self, restored: F) -> Self
    where
        F: AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static,
    {
        let restored = Arc::new(restored);
        self.table.restored = Arc::new(move |work, found| {
            let restored = Arc::clone(&restored);
            Box::pin(async move { restored(work, found).await })
        });
        self
    }

    /// Another way to delete a record.
    #[must_use]
    pub fn delete<F>(mut self, delete: F) -> Self
    where
        F: AsyncFn(&Work, &Stored<T>) -> Result<()> + Send + Sync + 'static,
    {
        let delete = Arc::new(delete);
        self.table.delete = Arc::new(move |work, found| {
            let delete = Arc::clone(&delete);
            Box::pin(async move { delete(work, found).await })
        });
        self
    }

    /// Insists on If-Match for every write to a record.
    #[must_use]
    pub const fn if_match_required(mut self) -> Self {
        self.if_match_required = true;
        self
    }

    fn permission(&self, verb: &str) -> String {
        match self.table.parent {
            Some(p) => p.shape.permission(if verb == "read" { "read" } else { "update" }),
            None => self.table.shape.permission(verb),
        }
    }

    /// `Account`, or `AccountAddress` for a nested collection: the noun of operation ids.
    fn noun(&self) -> String {
        self.table.parent.map_or_else(
            || self.table.shape.type_name.to_owned(),
            |p| {
                let own = self.table.shape.type_name;
                format!("{}{}", p.shape.type_name, own.strip_prefix(p.shape.type_name).unwrap_or(own))
            },
        )
    }

    fn nouns(&self) -> String {
        match self.table.parent {
            Some(p) => {
                let own = camel(self.table.shape.many);
                format!("{}{}", p.shape.type_name, own.strip_prefix(p.shape.type_name).unwrap_or(&own))
            }
            None => camel(self.table.shape.many),
        }
    }

    fn says(&self) -> (String, String) {
        (self.table.shape.one.replace('_', " "), self.table.shape.many.replace('_', " "))
    }

    /// Adds an operation as it is, at a path below the collection's.
    #[must_use]
    pub fn operation(mut self, below: &str, make: impl FnOnce(String) -> Operation) -> Self {
        let mut operation = make(format!("{}{below}", self.base));
        operation.tag = self.tag;
        self.operations.push(operation);
        self
    }

    /// Adds the schema of a type an operation takes or answers.
    #[must_use]
    pub fn schema<S: ToSchema>(mut self) -> Self {
        add_schema::<S>(&mut self.schemas);
        self
    }

    fn reads(mut self) -> Self {
        let (one, many) = self.says();
        let (shape, tag, read) = (self.table.shape, self.tag, self.permission("read"));
        let page = format!("{}Page", shape.type_name);
        let article = |rest: &str| format!("{rest} {}", shape.about);
        let table = self.table.clone();
        self.operations.push(
            Operation::read(format!("list{}", self.nouns()), &self.base, async move |reader: &Reader, call: Call| {
                let parent = table.enter(reader, &call, "read").await?;
                page_of(reader, table.shape, &query::asked(reader, table.shape, &call, parent).await?).await
            })
            .says(tag, format!("List {many}"), article("One page, filtered, sorted and searched; the next page by `next_cursor`."))
            .query(query::list_parameters(shape))
            .needs(&read)
            .answers(200, &page),
        );
        let table = self.table.clone();
        self.operations.push(
            Operation::read(format!("get{}", self.noun()), format!("{}/{{id}}", self.base), async move |reader: &Reader, call: Call| {
                let parent = table.enter(reader, &call, "read").await?;
                let id = call.id(usize::from(parent.is_some()))?;
                one_of(reader, table.shape, &call, id, parent).await
            })
            .says(tag, format!("Get one of the {many}"), article("The record, with its ETag."))
            .query(query::read_parameters(shape))
            .needs(&read)
            .answers(200, shape.type_name)
            .etag(),
        );
        if self.table.parent.is_some() {
            return self;
        }
        let table = self.table.clone();
        let mut search = Operation::read(
            format!("search{}", self.nouns()),
            format!("{}/search", self.base),
            async move |reader: &Reader, call: Call| {
                page_of(reader, table.shape, &query::asked(reader, table.shape, &call, None).await?).await
            },
        )
        .says(tag, format!("Search {many}"), "The same as the list, with the filter as JSON in the body and no limit on its length.")
        .takes(Body { optional: true, ..Body::of("SearchRequest") })
        .needs(&read)
        .answers(200, page);
        search.method = Method::POST;
        self.operations.push(search);
        if self.external {
            let table = self.table.clone();
            self.operations.push(
                Operation::read(
                    format!("get{}ByExternalId", self.noun()),
                    format!("{}/by-external-id/{{system}}/{{external_id}}", self.base),
                    async move |reader: &Reader, call: Call| {
                        let id = by_external_id(reader, table.shape, &call).await?.ok_or_else(|| Error::from(Code::NotFound))?;
                        one_of(reader, table.shape, &call, id, None).await
                    },
                )
                .says(tag, format!("Get one of the {many} by another system's id"), format!("The {one} that the system calls so."))
                .query(query::read_parameters(shape))
                .needs(read)
                .answers(200, shape.type_name)
                .etag(),
            );
        }
        self
    }

    /// Create, update, delete, restore, batch, and upsert by external id.
    #[must_use]
    pub fn writes(self) -> Self {
        self.creates().changes()
    }

    /// Create only.
    #[must_use]
    pub fn creates(mut self) -> Self {
        let (one, _) = self.says();
        let (shape, tag) = (self.table.shape, self.tag);
        let (table, base) = (self.table.clone(), self.base.clone());
        self.operations.push(
            Operation::write(format!("create{}", self.noun()), Method::POST, &self.base, async move |work: &Work, call: Call| {
                let parent = table.enter(work, &call, "create").await?;
                let draft = Stored::from_body(table.shape, call.body.clone(), parent.as_slice())?;
                let made = (table.create)(work, draft).await?;
                Ok(Answer::record(work, table.shape, &made).at(format!("{}/{}", filled(&base, &call), made.id())))
            })
            .says(tag, format!("Create a {one}"), format!("Makes a record and answers it as kept. {}", shape.about))
            .takes(Body::of(format!("New{}", shape.type_name)))
            .needs(self.permission("create"))
            .answers(201, shape.type_name)
            .etag(),
        );
        self
    }

    /// Update, delete, restore, batch, and upsert by external id.
    #[must_use]
    pub fn changes(mut self) -> Self {
        let (one, many) = self.says();
        let (shape, tag, required) = (self.table.shape, self.tag, self.if_match_required);
        let name = shape.type_name;
        let nested = usize::from(self.table.parent.is_some());
        let record = format!("{}/{{id}}", self.base);

        let table = self.table.clone();
        self.operations.push(
            Operation::write(format!("update{}", self.noun()), Method::PATCH, &record, async move |work: &Work, call: Call| {
                let parent = table.enter(work, &call, "update").await?;
                let before = stored::find_in::<T>(work, call.id(nested)?, parent, "update").await?;
                expect_version(call.if_match, before.version())?;
                let after = table.patch(work, &before, &call.body).await?;
                Ok(Answer::record(work, table.shape, &after))
            })
            .says(tag, format!("Update a {one}"), "A JSON merge patch (RFC 7396): what is left out stays, null clears. A patch that changes nothing leaves the version as it is.")
            .takes(Body { patch: true, ..Body::of(format!("{name}Patch")) })
            .needs(self.permission("update"))
            .answers(200, name)
            .etag()
            .if_match(required),
        );
        let table = self.table.clone();
        self.operations.push(
            Operation::write(format!("delete{}", self.noun()), Method::DELETE, &record, async move |work: &Work, call: Call| {
                let parent = table.enter(work, &call, "delete").await?;
                let found = stored::find_in::<T>(work, call.id(nested)?, parent, "delete").await?;
                expect_version(call.if_match, found.version())?;
                (table.delete)(work, &found).await?;
                Ok(Answer::nothing())
            })
            .says(
                tag,
                format!("Delete a {one}"),
                "Softly: it is gone from every list and read until it is restored, and its unique values are free.",
            )
            .needs(self.permission("delete"))
            .answers_nothing()
            .if_match(required),
        );
        let table = self.table.clone();
        self.operations.push(
            Operation::write(
                format!("restore{}", self.noun()),
                Method::POST,
                format!("{record}/restore"),
                async move |work: &Work, call: Call| {
                    let parent = table.enter(work, &call, "delete").await?;
                    let made = stored::restore::<T>(work, call.id(nested)?, parent).await?;
                    (table.restored)(work, &made).await?;
                    Ok(Answer::record(work, table.shape, &made))
                },
            )
            .says(tag, format!("Restore a deleted {one}"), "Refused with 409 when another record took one of its unique values meanwhile.")
            .needs(self.permission("delete"))
            .answers(200, name)
            .etag(),
        );
        let table = self.table.clone();
        self.operations.push(
            Operation::write(format!("batch{}", self.nouns()), Method::POST, format!("{}/batch", self.base), async move |work: &Work, call: Call| {
                batch::run(work, &table, call).await
            })
            .says(tag, format!("Write many {many}"), "Up to 1,000 items, each with its own result in the order of the request. One bad item never fails the others unless `atomic`.")
            .takes(Body::batch(format!("{name}Batch")))
            .access(if nested == 0 { Access::ByMode(self.permission("update")) } else { Access::Needs(self.permission("update")) })
            .answers(200, "BatchResults"),
        );
        if self.external {
            let (table, base) = (self.table.clone(), self.base.clone());
            let mut upsert = Operation::write(
                format!("upsert{}ByExternalId", self.noun()),
                Method::PUT,
                format!("{}/by-external-id/{{system}}/{{external_id}}", self.base),
                async move |work: &Work, call: Call| {
                    let reference = external_ref(table.shape, &call);
                    match by_external_id(work, table.shape, &call).await? {
                        Some(_) if call.only_if_new => Err(Code::PreconditionFailed.into()),
                        Some(id) => {
                            let before = stored::find::<T>(work, id, "update").await?;
                            expect_version(call.if_match, before.version())?;
                            let after = table.patch(work, &before, &call.body).await?;
                            Ok(Answer::record(work, table.shape, &after))
                        }
                        None => {
                            let made = table.make_as(work, call.body.clone(), reference).await?;
                            Ok(Answer::record(work, table.shape, &made).status(201).at(format!("{base}/{}", made.id())))
                        }
                    }
                },
            )
            .says(tag, format!("Create or update a {one} by another system's id"), format!("Makes the {one} the system calls so (201), or updates it (200): what is left out stays, so a system never wipes what it does not know. `If-None-Match: *` makes only."))
            .takes(Body::of(format!("New{name}")))
            .needs(self.permission("update"))
            .answers(200, name)
            .etag()
            .if_match(required);
            upsert.idempotent = false;
            self.operations.push(upsert);
        }
        self
    }

    /// An action: `POST …/{id}/<verb>` with an input.
    #[must_use]
    pub fn action<In, F>(mut self, verb: &'static str, summary: &str, action: F) -> Self
    where
        In: DeserializeOwned + ToSchema + 'static,
        F: AsyncFn(&Work, Stored<T>, In) -> Result<Stored<T>> + Send + Sync + 'static,
    {
        add_schema::<In>(&mut self.schemas);
        self.add_action(verb, summary, Some(Body::of(In::name().into_owned())), async move |work: &Work, found: Stored<T>, call: &Call| {
            action(work, found, call.input()?).await
        })
    }

    /// An action without input.
    #[must_use]
    pub fn plain_action<F>(self, verb: &'static str, summary: &str, action: F) -> Self
    where
        F: AsyncFn(&Work, Stored<T>) -> Result<Stored<T>> + Send + Sync + 'static,
    {
        self.add_action(verb, summary, None, async move |work: &Work, found: Stored<T>, _: &Call| action(work, found).await)
    }

    fn add_action<F>(mut self, verb: &'static str, summary: &str, body: Option<Body>, action: F) -> Self
    where
        F: AsyncFn(&Work, Stored<T>, &Call) -> Result<Stored<T>> + Send + Sync + 'static,
    {
        let table = self.table.clone();
        let nested = usize::from(table.parent.is_some());
        let id = format!("{}{}", lower_first(&camel(verb)), self.noun());
        let mut operation =
            Operation::write(id, Method::POST, format!("{}/{{id}}/{verb}", self.base), async move |work: &Work, call: Call| {
                let parent = table.enter(work, &call, verb).await?;
                let found = stored::find_in::<T>(work, call.id(nested)?, parent, verb).await?;
                expect_version(call.if_match, found.version())?;
                let made = action(work, found, &call).await?;
                Ok(Answer::record(work, table.shape, &made))
            })
            .says(
                self.tag,
                summary,
                "An action: 409 `illegal_transition` when the state does not allow it; see `available_actions` of the record.",
            )
            .needs(self.permission(verb))
            .answers(200, self.table.shape.type_name)
            .etag()
            .if_match(self.if_match_required);
        operation.body = body;
        self.operations.push(operation);
        self
    }
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|c| c.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

impl<T: Resource> Table<T> {
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

    /// Changes a record by a merge patch.
    pub(super) async fn patch(&self, work: &Work, before: &Stored<T>, patch: &Map<String, Value>) -> Result<Stored<T>> {
        (self.update)(work, before, before.patched(patch)?).await
    }

    /// Makes a record that another system calls by a name.
    pub(super) async fn make_as(&self, work: &Work, mut body: Map<String, Value>, reference: ExternalRef) -> Result<Stored<T>> {
        let permission = self.shape.permission("create");
        if work.caller.reach(&permission).is_none() {
            return Err(Error::from(Code::Forbidden).allowing([permission]));
        }
        known_system(work, &reference.system).await?;
        body.remove("external_refs");
        let mut draft = Stored::<T>::from_body(self.shape, body, &[])?;
        draft.record.insert("external_refs".into(), json!([reference]));
        let made = (self.create)(work, draft).await?;
        let row = ExternalReference {
            system: reference.system,
            resource: self.shape.many.to_owned(),
            external_type: reference.external_type,
            external_id: reference.external_id,
            record_id: made.id(),
        };
        stored::insert(work, Stored::draft(row)).await?;
        Ok(made)
    }
}

/// Refuses a system that is not registered, or that this caller may not write for.
pub async fn known_system(reader: &Reader, code: &str) -> Result<()> {
    if !reader.caller.systems.is_empty() && !reader.caller.systems.iter().any(|s| s == code) {
        return Err(Error::from(Code::Forbidden).about("this key writes for other systems only").allowing(reader.caller.systems.clone()));
    }
    let mut sql = reader.sql();
    sql.push("SELECT 1 FROM external_systems WHERE deleted_at IS NULL AND code = ").text(code);
    if reader.count(sql).await? == 0 {
        let fault = FieldError::new("/system", "unknown_reference", "external_systems");
        return Err(Error::from(Code::UnknownReference).with(vec![fault]));
    }
    Ok(())
}

fn external_ref(shape: &Shape, call: &Call) -> ExternalRef {
    let part = |n: usize| call.path.get(n).cloned().unwrap_or_default();
    ExternalRef { system: part(0), external_type: shape.one.to_owned(), external_id: part(1) }
}

async fn by_external_id(reader: &Reader, shape: &'static Shape, call: &Call) -> Result<Option<Uuid>> {
    let reference = external_ref(shape, call);
    if reference.external_id.chars().count() > 128 || reference.external_id.contains('\0') || reference.system.contains('\0') {
        return Err(Code::NotFound.into());
    }
    Ok(find_references(reader, shape, &reference.system, &[reference.external_id]).await?.into_values().next())
}

/// Our records by what a system calls them. The whole list in one query.
pub async fn find_references(
    reader: &Reader,
    shape: &'static Shape,
    system: &str,
    external_ids: &[String],
) -> Result<HashMap<String, Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT r.external_id, r.record_id FROM external_references r JOIN ").push(shape.many);
    sql.push(" t ON t.id = r.record_id AND t.deleted_at IS NULL WHERE r.deleted_at IS NULL AND r.system = ").text(system);
    sql.push(" AND r.resource = ").text(shape.many).push(" AND r.external_id");
    sql.one_of(Kind::Text, external_ids.iter().map(|id| samphan_domain::scalar::Scalar::Text(id.clone())));
    sql.push(" ORDER BY r.external_type, r.id DESC");
    Ok(reader.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await?.into_iter().collect())
}

fn filled(base: &str, call: &Call) -> String {
    let mut parts = call.path.iter();
    base.split('/')
        .map(|s| if s.starts_with('{') { parts.next().cloned().unwrap_or_default() } else { s.to_owned() })
        .collect::<Vec<_>>()
        .join("/")
}

/// Answers one record.
pub async fn one_of(reader: &Reader, shape: &'static Shape, call: &Call, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Answer> {
    let mut faults = vec![];
    let chosen = query::fields(shape, call.query.get("fields").map(String::as_str), &mut faults);
    let expand = match call.query.get("expand") {
        Some(text) => query::expand(shape, Some(text), &Words::of(reader).await?, &mut faults),
        None => vec![],
    };
    if !faults.is_empty() {
        return Err(Error::from(Code::InvalidQuery).with(faults));
    }
    let view = View::new(reader, shape, chosen.as_deref(), expand.iter().map(|e| e.field).collect());
    let line = list::one(reader, &view, id, parent, "read").await?;
    let mut lines = vec![line];
    close(reader, shape, &mut lines, &expand).await?;
    let line = lines.pop().ok_or_else(|| Error::from(Code::Internal))?;
    Ok(Answer { version: Some(line.version), body: Some(line.json), ..Answer::default() })
}

/// Answers one page.
pub async fn page_of(reader: &Reader, shape: &'static Shape, asked: &Asked) -> Result<Answer> {
    let view = View::new(reader, shape, asked.fields.as_deref(), asked.expand.iter().map(|e| e.field).collect());
    let mut lines = list::page(reader, &view, &asked.query, "read").await?;
    let has_more = lines.len() > asked.query.limit;
    lines.truncate(asked.query.limit);
    let next = has_more.then(|| lines.last()).flatten().map(|l| {
        let at = samphan_domain::page::Position { keys: l.keys.clone(), id: l.id };
        reader.store.write_cursor(&asked.binding, &at)
    });
    let total = match asked.count {
        Count::None => None,
        Count::Estimated | Count::Exact => Some(list::total(reader, shape, &asked.query, "read").await?),
    };
    close(reader, shape, &mut lines, &asked.expand).await?;
    let mut body = Vec::with_capacity(lines.iter().map(|l| l.json.len() + 1).sum::<usize>() + 200);
    body.extend_from_slice(b"{\"data\":[");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&line.json);
    }
    let rest = json!({"has_more": has_more, "next_cursor": next, "total": total}).to_string();
    body.extend_from_slice(b"],");
    body.extend(rest.bytes().skip(1));
    Ok(Answer { body: Some(body), next, ..Answer::default() })
}

/// Closes the lines' JSON, with the records their references point at: one query for each reference, not for each row.
async fn close(reader: &Reader, shape: &'static Shape, lines: &mut [Line], expand: &[Expand]) -> Result<()> {
    let mut found: Vec<HashMap<Uuid, Vec<u8>>> = vec![];
    for (n, e) in expand.iter().enumerate() {
        let mut ids: Vec<Uuid> = lines.iter().filter_map(|l| l.references.get(n).copied().flatten()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut others = list::by_ids(reader, &View::new(reader, e.shape, None, vec![]), ids).await?;
        let mut actions = Actions::new(reader, e.shape);
        others.iter_mut().for_each(|l| finish(&mut actions, l, &[]));
        found.push(others.into_iter().map(|l| (l.id, l.json)).collect());
    }
    let mut actions = Actions::new(reader, shape);
    for line in lines {
        let expanded: Vec<(String, &[u8])> = expand
            .iter()
            .zip(&found)
            .enumerate()
            .map(|(n, (e, records))| {
                let id = line.references.get(n).copied().flatten();
                (e.name.clone(), id.and_then(|id| records.get(&id)).map_or(b"null".as_slice(), Vec::as_slice))
            })
            .collect();
        finish(&mut actions, line, &expanded);
    }
    Ok(())
}

/// The parameter every write honours.
pub static DRY_RUN: LazyLock<Parameter> = LazyLock::new(|| {
    Parameter::new("dry_run", json!({"type": "boolean", "default": false}), "Checks and answers everything, and keeps nothing.")
});
