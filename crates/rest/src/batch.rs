//! Batches: many writes in one transaction, each item with a result of its own.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    body,
    external::{LONGEST_EXTERNAL_ID, bind_many, find_references, may_bind, named_draft},
    hooks::ResourceHandler,
    operation::RequestContext,
    problem,
    response::Response,
    schemas::input,
};
use samphan_persistence::{
    record::{self, Record, expect_version, id_of, uuid_in, version_of},
    store::Work,
    visibility,
};
use samphan_resource::{
    builtin::external_reference::ExternalRef,
    error::{Code, Error, FieldCode, FieldError, Result},
    shape::Shape,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Most items in a batch.
pub const MAX_ITEMS: usize = 1_000;

/// Reads the items of a batch, each checked against its published schema: one that does not fit fails alone.
pub async fn read_items<T: DeserializeOwned>(work: &Work, call: &RequestContext, schema: &str, items: &[Value]) -> Result<Vec<Result<T>>> {
    let mut read = Vec::with_capacity(items.len());
    for item in items {
        work.yield_when_due().await;
        let mut item = item.clone();
        let faults = call.kernel.validators.faults(schema, &mut item, "")?;
        read.push(if faults.is_empty() {
            body::from_value(item)
        } else {
            Err(Error::from(Code::ValidationFailed).with_field_errors(faults))
        });
    }
    Ok(read)
}

#[derive(Debug, Deserialize)]
struct Envelope {
    mode: Mode,
    #[serde(default = "by_id")]
    match_on: String,
    #[serde(default)]
    atomic: bool,
    items: Vec<Value>,
}

fn by_id() -> String {
    "id".to_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Create,
    Update,
    Upsert,
    Delete,
}

/// How an item of a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    /// A record was made.
    Created,
    /// A record was changed.
    Updated,
    /// The record was so already.
    Unchanged,
    /// What another system says was taken over.
    Applied,
    /// Something newer is known.
    Stale,
    /// The record was deleted.
    Deleted,
    /// Nothing was done.
    Failed,
}

/// What became of an item.
#[derive(Debug)]
pub struct ItemResult {
    /// How it ended.
    pub status: ItemStatus,
    /// The record.
    pub id: Option<Uuid>,
    /// What the sender calls it.
    pub external_id: Option<String>,
    /// The record's version.
    pub version: Option<i64>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl ItemResult {
    /// A failure.
    #[must_use]
    pub const fn failed(external_id: Option<String>, error: Error) -> Self {
        Self { status: ItemStatus::Failed, id: None, external_id, version: None, error: Some(error) }
    }
}

/// What a summary counts, in its order.
const STATUSES: [(&str, ItemStatus); 7] = [
    ("created", ItemStatus::Created),
    ("updated", ItemStatus::Updated),
    ("unchanged", ItemStatus::Unchanged),
    ("applied", ItemStatus::Applied),
    ("stale", ItemStatus::Stale),
    ("deleted", ItemStatus::Deleted),
    ("failed", ItemStatus::Failed),
];

/// The answer to a batch: a result for each item in the order of the request, and how many of each status.
#[must_use]
pub fn answer(call: &RequestContext, request_id: &str, outcomes: &[ItemResult]) -> Response {
    Response::json(&json!({"results": results(call, request_id, outcomes), "summary": summary(outcomes)}))
}

/// A result for each item, in the order of the request.
#[must_use]
pub fn results(call: &RequestContext, request_id: &str, outcomes: &[ItemResult]) -> Vec<Value> {
    outcomes.iter().enumerate().map(|(index, o)| result(call, request_id, index, o)).collect()
}

/// How many items came to each status.
#[must_use]
pub fn summary(outcomes: &[ItemResult]) -> Map<String, Value> {
    let mut summary = Map::from_iter([("received".to_owned(), json!(outcomes.len()))]);
    for (name, status) in STATUSES {
        summary.insert(name.to_owned(), json!(outcomes.iter().filter(|o| o.status == status).count()));
    }
    summary
}

/// Whether an error is the server's and ends the whole batch, instead of failing one item.
const fn is_of_server(error: &Error) -> bool {
    matches!(error.code, Code::Internal | Code::Unavailable)
}

/// Runs each item of a list, in turn: one that fails is undone alone. See `Care`.
pub async fn each<I, O>(work: &Work, items: &[I], run: impl AsyncFn(&I) -> Result<O>) -> Result<Vec<Result<O>>> {
    let start = work.savepoint().await?;
    if let Some(done) = each_without_savepoints(work, items, &run).await? {
        work.release(start).await?;
        return Ok(done);
    }
    work.roll_back_to(start).await?;
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        let place = work.savepoint().await?;
        let outcome = run(item).await;
        match &outcome {
            Err(error) if is_of_server(error) => return outcome.map(|_| vec![]),
            Err(_) => work.roll_back_to(place).await?,
            Ok(_) => work.release(place).await?,
        }
        done.push(outcome);
    }
    Ok(done)
}

/// The same without savepoints; none when an item failed that had written something.
async fn each_without_savepoints<I, O>(work: &Work, items: &[I], run: &impl AsyncFn(&I) -> Result<O>) -> Result<Option<Vec<Result<O>>>> {
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        let tried = work.write_attempts();
        let outcome = run(item).await;
        match &outcome {
            Err(error) if is_of_server(error) => return outcome.map(|_| None),
            Err(_) if work.write_attempts() != tried => return Ok(None),
            _ => done.push(outcome),
        }
    }
    Ok(Some(done))
}

/// The answer about one item.
#[must_use]
pub fn result(call: &RequestContext, request_id: &str, index: usize, o: &ItemResult) -> Value {
    // An item that failed may call its record by what is no name at all.
    let external_id = o.external_id.as_ref().filter(|id| id.chars().count() <= LONGEST_EXTERNAL_ID);
    let mut result = json!({"index": index, "status": o.status, "id": o.id, "external_id": external_id, "version": o.version});
    if let Some(error) = &o.error {
        result["error"] = problem::body(error, call.language, request_id);
    }
    result
}

/// Runs a batch of a collection.
pub async fn run(work: &Work, table: &ResourceHandler, call: RequestContext) -> Result<Response> {
    let parent = table.resolve_parent(work, &call, "update").await?;
    let envelope: Envelope = call.input()?;
    let verbs: &[&str] = match envelope.mode {
        Mode::Create => &["create"],
        Mode::Update => &["update", "read"],
        Mode::Upsert => &["create", "update", "read"],
        Mode::Delete => &["delete", "read"],
    };
    if table.parent.is_none() {
        let own = verbs.iter().map(|verb| table.shape.permission(verb));
        work.caller.require(own.chain(visibility::parents_to_read(work, table.shape)?))?;
    }
    let system = match envelope.match_on.split_once(':') {
        None if envelope.match_on == "id" => None,
        Some(("external_id", system)) if table.shape.extensible && table.parent.is_none() => Some(system.to_owned()),
        _ => {
            return Err(Error::invalid(
                FieldError::new("/match_on", FieldCode::UnknownValue, "")
                    .with_suggestion(&envelope.match_on, ["id", "external_id:<system>"]),
            ));
        }
    };
    let batch = Batch { envelope: &envelope, system: system.as_deref(), parent, call: &call };
    let start = work.savepoint().await?;
    let outcomes = match batch.run_items(work, table, SavepointMode::Batch).await? {
        Some(outcomes) => {
            work.release(start).await?;
            outcomes
        }
        None => {
            work.roll_back_to(start).await?;
            batch.run_items(work, table, SavepointMode::Item).await?.ok_or(Code::Internal)?
        }
    };
    if envelope.atomic
        && let Some((index, failed)) = outcomes.iter().enumerate().find_map(|(i, o)| o.error.as_ref().map(|e| (i, e)))
    {
        let mut error = failed.clone();
        for fault in &mut error.errors {
            fault.pointer = format!("/items/{index}{}", fault.pointer);
        }
        if error.errors.is_empty() {
            error.errors.push(FieldError::new(format!("/items/{index}"), FieldCode::Item(failed.code), ""));
        }
        return Err(error);
    }
    Ok(answer(&call, &work.request_id, &outcomes))
}

/// Whether items are trusted to write all or nothing. Nearly always one fails before it writes, if at all; so they are
/// trusted first, and only when one broke that trust is the batch run again with a savepoint around each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SavepointMode {
    Batch,
    Item,
}

struct Batch<'a> {
    envelope: &'a Envelope,
    system: Option<&'a str>,
    parent: Option<(&'static str, Uuid)>,
    call: &'a RequestContext,
}

/// An item as it is read.
struct Item {
    external_id: Option<String>,
    /// The version it is meant for.
    version: Option<i64>,
    /// The record it names, where it is known to be there or named by its id.
    target: Option<Uuid>,
    fields: Record,
}

/// What an item comes to.
enum Step {
    Create(Record),
    Update(Record, Record),
    Delete(Record),
}

/// Items that are done together: their places, and what is done.
#[derive(Default)]
struct Together {
    creates: Vec<(usize, Option<String>, Record)>,
    updates: Vec<(usize, Option<String>, Record, Record)>,
    /// The ids of both, and what other systems call those that are made.
    ids: HashSet<Uuid>,
    external_ids: HashSet<String>,
    /// Whether a change takes or gives up a value that may keep a record from being made, or the other way round.
    is_exclusive: bool,
}

/// What is kept of items that are done: their outcomes, what the system of the batch calls records, and the records as they are.
type Progress<'a> = (&'a mut [Option<ItemResult>], &'a mut HashMap<String, Uuid>, &'a mut HashMap<Uuid, Record>);

impl Together {
    fn is_empty(&self) -> bool {
        self.creates.is_empty() && self.updates.is_empty()
    }
}

impl Batch<'_> {
    /// Runs every item; `None` when one failed with something written and no savepoint before it.
    async fn run_items(&self, work: &Work, table: &ResourceHandler, mode: SavepointMode) -> Result<Option<Vec<ItemResult>>> {
        let mut known = self.known(work, table).await?;
        let is_possible = match self.envelope.mode {
            Mode::Create => table.creates_many(),
            Mode::Update | Mode::Upsert => table.writes_many(),
            Mode::Delete => false,
        };
        if mode == SavepointMode::Batch && is_possible {
            return match self.run_together(work, table, &mut known).await {
                Err(error) if is_of_server(&error) => Err(error),
                done => Ok(done.ok()),
            };
        }
        let items = &self.envelope.items;
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let place = if mode == SavepointMode::Item { Some(work.savepoint().await?) } else { None };
            let tried = work.write_attempts();
            match (self.run(work, table, item, &mut known).await, place) {
                (Err(error), _) if is_of_server(&error) => return Err(error),
                (Ok(outcome), place) => {
                    if let Some(place) = place {
                        work.release(place).await?;
                    }
                    outcomes.push(outcome);
                }
                (Err(_), None) if work.write_attempts() != tried && !self.envelope.atomic => return Ok(None),
                (Err(error), place) => {
                    if let Some(place) = place {
                        work.roll_back_to(place).await?;
                    }
                    outcomes.push(ItemResult::failed(item["external_id"].as_str().map(str::to_owned), error));
                    if self.envelope.atomic {
                        break;
                    }
                }
            }
        }
        Ok(Some(outcomes))
    }

    /// The records that the system of the batch calls by the names of its items.
    async fn known(&self, work: &Work, table: &ResourceHandler) -> Result<HashMap<String, Uuid>> {
        let Some(system) = self.system else { return Ok(HashMap::new()) };
        let named = self.envelope.items.iter().filter_map(|i| i["external_id"].as_str()).map(str::to_owned);
        find_references(work, table.shape, system, &named.collect::<Vec<String>>()).await
    }

    /// Reads an item; one that does not fit its published schema fails alone.
    fn read(&self, table: &ResourceHandler, item: &Value, known: &HashMap<String, Uuid>) -> Result<Item> {
        let mut item = item.clone();
        let faults = self.call.kernel.validators.faults(&format!("{}BatchItem", table.shape.type_name), &mut item, "")?;
        if !faults.is_empty() {
            return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
        }
        let Value::Object(mut fields) = item else { return Err(Code::Internal.into()) };
        // A resource may have a field of that name itself.
        let own = table.shape.field("external_id").is_some();
        let external_id = if own { fields.get("external_id").cloned() } else { fields.remove("external_id") };
        let external_id = external_id.and_then(|v| v.as_str().map(str::to_owned));
        let version = fields.remove("version").and_then(|v| v.as_i64());
        let target = match (self.system, &external_id) {
            (Some(_), Some(external_id)) => known.get(external_id).copied(),
            (Some(_), None) => return Err(missing("/external_id")),
            (None, _) => uuid_in(&fields, "id"),
        };
        Ok(Item { external_id, version, target, fields })
    }

    /// What an item comes to; `find` finds the record it names.
    async fn step(
        &self,
        work: &Work,
        table: &ResourceHandler,
        item: &Item,
        find: impl AsyncFnOnce(Uuid, &str) -> Result<Record>,
    ) -> Result<Step> {
        let existing = match (self.envelope.mode, item.target) {
            (Mode::Create, _) | (Mode::Upsert, None) => None,
            (mode, Some(id)) => match find(id, if mode == Mode::Delete { "delete" } else { "update" }).await {
                Err(e) if e.code == Code::NotFound && mode == Mode::Upsert && self.system.is_none() => None,
                found => Some(found?),
            },
            (_, None) if self.system.is_some() => return Err(Code::NotFound.into()),
            (_, None) => return Err(missing("/id")),
        };
        let mut fields = item.fields.clone();
        let Some(before) = existing else {
            let faults = self.call.kernel.validators.faults(&input(table.shape.type_name), &mut Value::Object(fields.clone()), "")?;
            if !faults.is_empty() {
                return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
            }
            return match self.reference(table, item) {
                Some(reference) => Ok(Step::Create(named_draft(table, fields, &reference)?)),
                None => Ok(Step::Create(record::from_body(table.shape, fields, self.parent))),
            };
        };
        expect_version(item.version, version_of(&before))?;
        if self.envelope.mode == Mode::Delete {
            return Ok(Step::Delete(before));
        }
        fields.remove("id");
        debug_assert!(work.is_work(), "what is found is locked");
        Ok(Step::Update(before, fields))
    }

    /// What the system of the batch calls the record of an item.
    fn reference(&self, table: &ResourceHandler, item: &Item) -> Option<ExternalRef> {
        let (system, external_id) = (self.system?.to_owned(), item.external_id.clone()?);
        Some(ExternalRef { system, external_type: table.shape.singular.to_owned(), external_id })
    }

    /// Runs one item by itself.
    async fn run(&self, work: &Work, table: &ResourceHandler, item: &Value, known: &mut HashMap<String, Uuid>) -> Result<ItemResult> {
        let item = self.read(table, item, known)?;
        let find = async |id: Uuid, verb: &str| table.find(work, id, self.parent, verb).await;
        match self.step(work, table, &item, find).await? {
            Step::Create(draft) => match self.reference(table, &item) {
                Some(reference) => {
                    may_bind(work, table, &reference.system).await?;
                    let made = table.create(work, draft).await?;
                    known.insert(reference.external_id.clone(), id_of(&made));
                    bind_many(work, table, vec![(reference, &made)]).await?;
                    Ok(succeeded(ItemStatus::Created, item.external_id, &made))
                }
                None => Ok(succeeded(ItemStatus::Created, item.external_id, &table.create(work, draft).await?)),
            },
            Step::Update(before, patch) => {
                let version = version_of(&before);
                let after = table.patch(work, before, patch).await?;
                Ok(succeeded(
                    if version_of(&after) == version { ItemStatus::Unchanged } else { ItemStatus::Updated },
                    item.external_id,
                    &after,
                ))
            }
            Step::Delete(before) => {
                let deleted = ItemResult { version: None, ..succeeded(ItemStatus::Deleted, item.external_id, &before) };
                table.delete(work, before).await?;
                Ok(deleted)
            }
        }
    }

    /// Runs the items up to a hundred at a time, in a handful of statements for all of them. The result is that of one after the other: an item
    /// that depends on one before it waits until that is written.
    ///
    /// # Errors
    /// Where an item failed after something was written: then the batch is run again, one after the other.
    async fn run_together(&self, work: &Work, table: &ResourceHandler, known: &mut HashMap<String, Uuid>) -> Result<Vec<ItemResult>> {
        let items = &self.envelope.items;
        let mut outcomes: Vec<Option<ItemResult>> = items.iter().map(|_| None).collect();
        let mut found = match self.envelope.mode {
            Mode::Create => HashMap::new(),
            _ => {
                let named = |item: &Value| match self.system {
                    Some(_) => known.get(item["external_id"].as_str()?).copied(),
                    None => item["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()),
                };
                let targets = items.iter().filter_map(named);
                record::find_many(work, table.shape, targets.collect::<HashSet<Uuid>>(), self.parent).await?
            }
        };
        if let Some(system) = self.system.filter(|_| self.envelope.mode != Mode::Update) {
            self.expect_binding(work, table, system, known).await?;
        }
        let mut together = Together::default();
        for (index, item) in items.iter().enumerate() {
            work.yield_when_due().await;
            let named = item["external_id"].as_str().is_some_and(|id| together.external_ids.contains(id));
            let id = item["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()).filter(|_| self.system.is_none());
            if named || id.is_some_and(|id| together.ids.contains(&id)) {
                self.write(work, table, &mut together, (&mut outcomes, known, &mut found)).await?;
            }
            let read = self.read(table, item, known);
            let failed = |external_id: Option<String>, error| match is_of_server(&error) {
                true => Err(error),
                false => Ok(Some(ItemResult::failed(external_id, error))),
            };
            let item = match read {
                Ok(item) => item,
                Err(error) => {
                    if let Some(outcome) = outcomes.get_mut(index) {
                        *outcome = failed(item["external_id"].as_str().map(str::to_owned), error)?;
                    }
                    continue;
                }
            };
            if item.target.is_some_and(|id| together.ids.contains(&id)) {
                self.write(work, table, &mut together, (&mut outcomes, known, &mut found)).await?;
            }
            let find = async |id: Uuid, verb: &str| {
                let record = found.get(&id).cloned().ok_or_else(|| Error::from(Code::NotFound))?;
                record::check_permission(work, table.shape, &record, verb)?;
                Ok(record)
            };
            let step = self.step(work, table, &item, find).await;
            let exclusive = match &step {
                Ok(Step::Update(before, patch)) => is_exclusive(table.shape, before, patch),
                _ => false,
            };
            // A record that is to be made may take what a change gives up, or take before what a change wants.
            let other_kind = match &step {
                Ok(Step::Create(_)) => !together.updates.is_empty() && together.is_exclusive,
                Ok(Step::Update(..)) => !together.creates.is_empty() && exclusive,
                _ => false,
            };
            if other_kind {
                self.write(work, table, &mut together, (&mut outcomes, known, &mut found)).await?;
            }
            match step {
                Ok(Step::Create(draft)) => {
                    together.ids.extend(uuid_in(&draft, "id"));
                    together.external_ids.extend(item.external_id.clone().filter(|_| self.system.is_some()));
                    together.creates.push((index, item.external_id, draft));
                }
                Ok(Step::Update(before, patch)) => {
                    together.ids.insert(id_of(&before));
                    together.is_exclusive |= exclusive;
                    together.updates.push((index, item.external_id, before, patch));
                }
                Ok(Step::Delete(_)) => return Err(Code::Internal.into()),
                Err(error) => {
                    if let Some(outcome) = outcomes.get_mut(index) {
                        *outcome = failed(item.external_id, error)?;
                    }
                }
            }
        }
        self.write(work, table, &mut together, (&mut outcomes, known, &mut found)).await?;
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(|| Code::Internal.into())).collect()
    }

    /// Asks once what every record needs that the system calls by a name. Where that fails it fails item by item.
    async fn expect_binding(&self, work: &Work, table: &ResourceHandler, system: &str, known: &HashMap<String, Uuid>) -> Result<()> {
        let is_new = |item: &Value| item["external_id"].as_str().is_some_and(|id| !known.contains_key(id));
        if self.envelope.mode == Mode::Create || self.envelope.items.iter().any(is_new) {
            may_bind(work, table, system).await?;
        }
        Ok(())
    }

    /// Writes what is to be done together.
    async fn write(
        &self,
        work: &Work,
        table: &ResourceHandler,
        together: &mut Together,
        (outcomes, known, found): Progress<'_>,
    ) -> Result<()> {
        if together.is_empty() {
            return Ok(());
        }
        let Together { creates, updates, .. } = std::mem::take(together);
        let mut note = |index: usize, outcome: ItemResult| {
            if let Some(place) = outcomes.get_mut(index) {
                *place = Some(outcome);
            }
        };
        let (places, patches): (Vec<_>, Vec<_>) = updates
            .into_iter()
            .map(|(index, external_id, before, patch)| ((index, external_id, version_of(&before)), (before, patch)))
            .unzip();
        for ((index, external_id, version), after) in places.into_iter().zip(table.patch_each(work, patches).await?) {
            note(
                index,
                match after {
                    Ok(after) => {
                        let status = if version_of(&after) == version { ItemStatus::Unchanged } else { ItemStatus::Updated };
                        let outcome = succeeded(status, external_id, &after);
                        found.insert(id_of(&after), after);
                        outcome
                    }
                    Err(error) => ItemResult::failed(external_id, error),
                },
            );
        }
        let (places, drafts): (Vec<_>, Vec<_>) =
            creates.into_iter().map(|(index, external_id, draft)| ((index, external_id), draft)).unzip();
        let made = table.create_each(work, drafts).await?;
        let mut bound = vec![];
        for ((_, external_id), made) in places.iter().zip(&made) {
            if let (Some(system), Some(external_id), Ok(made)) = (self.system, external_id, made) {
                let external_type = table.shape.singular.to_owned();
                bound.push((ExternalRef { system: system.to_owned(), external_type, external_id: external_id.clone() }, made));
                known.insert(external_id.clone(), id_of(made));
            }
        }
        bind_many(work, table, bound).await?;
        for ((index, external_id), made) in places.into_iter().zip(made) {
            note(
                index,
                match made {
                    Ok(made) => {
                        let outcome = succeeded(ItemStatus::Created, external_id, &made);
                        found.insert(id_of(&made), made);
                        outcome
                    }
                    Err(error) => ItemResult::failed(external_id, error),
                },
            );
        }
        Ok(())
    }
}

/// Whether a patch changes a value that only one record may have, or names another record of the resource.
fn is_exclusive(shape: &Shape, before: &Record, patch: &Record) -> bool {
    let sets = shape.unique.iter().chain(shape.distinct).chain(shape.possible_duplicates);
    let own = shape.references.iter().filter(|r| r.target.includes(shape)).map(|r| r.path.split('.').next().unwrap_or_default());
    let mut named = sets.flat_map(|set| set.iter().copied()).chain(own);
    named.any(|field| patch.get(field).is_some_and(|value| before.get(field) != Some(value)))
}

fn succeeded(status: ItemStatus, external_id: Option<String>, record: &Record) -> ItemResult {
    ItemResult { status, id: Some(id_of(record)), external_id, version: Some(version_of(record)), error: None }
}

fn missing(pointer: &str) -> Error {
    Error::invalid(FieldError::new(pointer, FieldCode::Required, ""))
}
