//! Batches: many writes in one transaction, each item with a result of its own.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    answer::Answer,
    body,
    external::{LONGEST_EXTERNAL_ID, find_references, make_as},
    operation::Call,
    problem,
    rules::Table,
    schemas::input,
};
use samphan_persistence::{
    record::{self, Record, expect_version, id_of, version_of},
    sight,
    store::Work,
};
use samphan_resource::{
    builtin::external_reference::ExternalRef,
    error::{Code, Error, FieldCode, FieldError, Result},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// Most items in a batch.
pub const MOST_ITEMS: usize = 1_000;

/// Reads the items of a batch, each checked against its published schema: one that does not fit fails alone.
pub fn read_items<T: DeserializeOwned>(call: &Call, schema: &str, items: &[Value]) -> Result<Vec<Result<T>>> {
    let read = |item: &Value| {
        let mut item = item.clone();
        let faults = call.kernel.validators.faults(schema, &mut item, "")?;
        Ok(if faults.is_empty() { body::from_value(item) } else { Err(Error::from(Code::ValidationFailed).with(faults)) })
    };
    items.iter().map(read).collect()
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

/// What became of an item.
#[derive(Debug)]
pub struct Outcome {
    /// `created`, `updated`, `unchanged`, `applied`, `stale`, `deleted` or `failed`.
    pub status: &'static str,
    /// The record.
    pub id: Option<Uuid>,
    /// What the sender calls it.
    pub external_id: Option<String>,
    /// The record's version.
    pub version: Option<i64>,
    /// Why it failed.
    pub error: Option<Error>,
}

impl Outcome {
    /// A failure.
    #[must_use]
    pub const fn failed(external_id: Option<String>, error: Error) -> Self {
        Self { status: "failed", id: None, external_id, version: None, error: Some(error) }
    }
}

/// The statuses a summary counts, in its order.
const STATUSES: [&str; 7] = ["created", "updated", "unchanged", "applied", "stale", "deleted", "failed"];

/// The answer to a batch: a result for each item in the order of the request, and how many of each status.
#[must_use]
pub fn answer(call: &Call, request_id: &str, outcomes: &[Outcome]) -> Answer {
    Answer::json(&json!({"results": results(call, request_id, outcomes), "summary": summary(outcomes)}))
}

/// A result for each item, in the order of the request.
#[must_use]
pub fn results(call: &Call, request_id: &str, outcomes: &[Outcome]) -> Vec<Value> {
    outcomes.iter().enumerate().map(|(index, o)| result(call, request_id, index, o)).collect()
}

/// How many items came to each status.
#[must_use]
pub fn summary(outcomes: &[Outcome]) -> Map<String, Value> {
    let mut summary = Map::from_iter([("received".to_owned(), json!(outcomes.len()))]);
    for status in STATUSES {
        summary.insert(status.to_owned(), json!(outcomes.iter().filter(|o| o.status == status).count()));
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
    if let Some(done) = each_trusting(work, items, &run).await? {
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
async fn each_trusting<I, O>(work: &Work, items: &[I], run: &impl AsyncFn(&I) -> Result<O>) -> Result<Option<Vec<Result<O>>>> {
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        let tried = work.writes_tried();
        let outcome = run(item).await;
        match &outcome {
            Err(error) if is_of_server(error) => return outcome.map(|_| None),
            Err(_) if work.writes_tried() != tried => return Ok(None),
            _ => done.push(outcome),
        }
    }
    Ok(Some(done))
}

/// The answer about one item.
#[must_use]
pub fn result(call: &Call, request_id: &str, index: usize, o: &Outcome) -> Value {
    // An item that failed may call its record by what is no name at all.
    let external_id = o.external_id.as_ref().filter(|id| id.chars().count() <= LONGEST_EXTERNAL_ID);
    let mut result = json!({"index": index, "status": o.status, "id": o.id, "external_id": external_id, "version": o.version});
    if let Some(error) = &o.error {
        result["error"] = problem::body(error, call.language, request_id);
    }
    result
}

/// Runs a batch of a collection.
pub async fn run(work: &Work, table: &Table, call: Call) -> Result<Answer> {
    let parent = table.enter(work, &call, "update").await?;
    let envelope: Envelope = call.input()?;
    let verbs: &[&str] = match envelope.mode {
        Mode::Create => &["create"],
        Mode::Update => &["update", "read"],
        Mode::Upsert => &["create", "update", "read"],
        Mode::Delete => &["delete", "read"],
    };
    if table.parent.is_none() {
        let own = verbs.iter().map(|verb| table.shape.permission(verb));
        work.caller.require(own.chain(sight::parents_to_read(work, table.shape)?))?;
    }
    let system = match envelope.match_on.split_once(':') {
        None if envelope.match_on == "id" => None,
        Some(("external_id", system)) if table.shape.extensible && table.parent.is_none() => Some(system.to_owned()),
        _ => {
            return Err(Error::invalid(
                FieldError::new("/match_on", FieldCode::UnknownValue, "").instead_of(&envelope.match_on, ["id", "external_id:<system>"]),
            ));
        }
    };
    let batch = Batch { envelope: &envelope, system: system.as_deref(), parent, call: &call };
    let start = work.savepoint().await?;
    let outcomes = match batch.pass(work, table, Care::Trusting).await? {
        Some(outcomes) => {
            work.release(start).await?;
            outcomes
        }
        None => {
            work.roll_back_to(start).await?;
            batch.pass(work, table, Care::Careful).await?.ok_or(Code::Internal)?
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
enum Care {
    Trusting,
    Careful,
}

struct Batch<'a> {
    envelope: &'a Envelope,
    system: Option<&'a str>,
    parent: Option<(&'static str, Uuid)>,
    call: &'a Call,
}

impl Batch<'_> {
    /// Runs every item; `None` when one failed with something written and no savepoint before it.
    async fn pass(&self, work: &Work, table: &Table, care: Care) -> Result<Option<Vec<Outcome>>> {
        let items = &self.envelope.items;
        let mut known = match self.system {
            Some(system) => {
                let named: Vec<String> = items.iter().filter_map(|i| i["external_id"].as_str()).map(str::to_owned).collect();
                find_references(work, table.shape, system, &named).await?
            }
            None => HashMap::new(),
        };
        let mut outcomes = Vec::with_capacity(items.len());
        for item in items {
            let place = if care == Care::Careful { Some(work.savepoint().await?) } else { None };
            let tried = work.writes_tried();
            match (self.run(work, table, item, &mut known).await, place) {
                (Err(error), _) if is_of_server(&error) => return Err(error),
                (Ok(outcome), place) => {
                    if let Some(place) = place {
                        work.release(place).await?;
                    }
                    outcomes.push(outcome);
                }
                (Err(_), None) if work.writes_tried() != tried && !self.envelope.atomic => return Ok(None),
                (Err(error), place) => {
                    if let Some(place) = place {
                        work.roll_back_to(place).await?;
                    }
                    outcomes.push(Outcome::failed(item["external_id"].as_str().map(str::to_owned), error));
                    if self.envelope.atomic {
                        break;
                    }
                }
            }
        }
        Ok(Some(outcomes))
    }

    async fn run(&self, work: &Work, table: &Table, item: &Value, known: &mut HashMap<String, Uuid>) -> Result<Outcome> {
        let schema = table.shape.type_name;
        let mut item = item.clone();
        let faults = self.call.kernel.validators.faults(&format!("{schema}BatchItem"), &mut item, "")?;
        if !faults.is_empty() {
            return Err(Error::from(Code::ValidationFailed).with(faults));
        }
        let Value::Object(mut fields) = item else { return Err(Code::Internal.into()) };
        // A resource may have a field of that name itself.
        let own = table.shape.field("external_id").is_some();
        let external_id = if own { fields.get("external_id").cloned() } else { fields.remove("external_id") };
        let external_id = external_id.and_then(|v| v.as_str().map(str::to_owned));
        let version = fields.remove("version").and_then(|v| v.as_i64());
        let id = fields.get("id").and_then(Value::as_str).and_then(|s| Uuid::parse_str(s).ok());
        let target = match (self.system, &external_id) {
            (Some(_), Some(external_id)) => known.get(external_id).copied(),
            (Some(_), None) => return Err(missing("/external_id")),
            (None, _) => id,
        };
        let done = |status, made: &Record| Outcome {
            status,
            id: Some(id_of(made)),
            external_id: external_id.clone(),
            version: Some(version_of(made)),
            error: None,
        };
        let existing = match (self.envelope.mode, target) {
            (Mode::Create, _) => None,
            (_, Some(id)) => {
                let verb = if self.envelope.mode == Mode::Delete { "delete" } else { "update" };
                match table.find(work, id, self.parent, verb).await {
                    Err(e) if e.code == Code::NotFound && self.envelope.mode == Mode::Upsert && self.system.is_none() => None,
                    found => Some(found?),
                }
            }
            (Mode::Upsert, None) => None,
            (_, None) if self.system.is_some() => return Err(Code::NotFound.into()),
            (_, None) => return Err(missing("/id")),
        };
        match existing {
            Some(before) => {
                let known = version_of(&before);
                expect_version(version, known)?;
                if self.envelope.mode == Mode::Delete {
                    let deleted = Outcome { version: None, ..done("deleted", &before) };
                    table.delete(work, before).await?;
                    return Ok(deleted);
                }
                fields.remove("id");
                let after = table.patch(work, before, fields).await?;
                Ok(done(if version_of(&after) == known { "unchanged" } else { "updated" }, &after))
            }
            None => {
                let faults = self.call.kernel.validators.faults(&input(schema), &mut Value::Object(fields.clone()), "")?;
                if !faults.is_empty() {
                    return Err(Error::from(Code::ValidationFailed).with(faults));
                }
                let made = match (self.system, &external_id) {
                    (Some(system), Some(external_id)) => {
                        let reference = ExternalRef {
                            system: system.to_owned(),
                            external_type: table.shape.one.to_owned(),
                            external_id: external_id.clone(),
                        };
                        let made = make_as(work, table, fields, reference).await?;
                        known.insert(external_id.clone(), id_of(&made));
                        made
                    }
                    _ => table.create(work, record::of_body(table.shape, fields, self.parent)).await?,
                };
                Ok(done("created", &made))
            }
        }
    }
}

fn missing(pointer: &str) -> Error {
    Error::invalid(FieldError::new(pointer, FieldCode::Required, ""))
}
