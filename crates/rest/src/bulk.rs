//! Bulk operations: one change to many records of a collection, asked for in one request and done by a job, a few at a time.
//!
//! Each record is changed as its own PATCH would change it, with the rights that its principal has at that moment: the permission, the
//! reach, field rules, and the rules of the resource. There is no second way to change a record. The records are chosen when it is asked
//! for; what becomes of each is in the operation's items.

use super::{
    hooks::ResourceHandler,
    kernel::Authenticator,
    operation::{Body, Operation, RequestContext},
    query,
    response::Response,
};
use actix_web::http::Method;
use samphan_background::{
    jobs::{Job, JobContext},
    retention::Rule,
};
use samphan_persistence::{
    clock,
    jobs::{NewJob, Progress},
    list::{self, View},
    operations::{self, BEFORE_IMAGE_DELETED, BeforeImage, CHANGED_SINCE, KEEP_DAYS, MAX_RECORDS, NewOperation, Outcome, Plan},
    record::{self, Record, version_of},
    store::Work,
    stored::Stored,
};
use samphan_resource::{
    builtin::operation::{self as kept, OperationKind},
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    shape::{Shape, camel},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeSet, HashMap},
    fmt::{Debug, Formatter},
    sync::Arc,
};
use uuid::Uuid;

/// Records changed in one work.
const AT_ONCE: usize = 200;
/// The permission to ask for a bulk operation, beside that to change each record.
pub const PERMISSION: &str = "operations:create";
/// The fields that say whose a record is.
const OWNING: [&str; 2] = ["owner_id", "team_id"];

/// The collections that offer bulk operations, by the plural of their resource, and the authenticator that finds the operation's owner.
pub struct BulkOperations {
    tables: HashMap<&'static str, ResourceHandler>,
    authenticator: Arc<dyn Authenticator>,
}

impl Debug for BulkOperations {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.tables.keys()).finish()
    }
}

impl BulkOperations {
    /// Of these collections.
    #[must_use]
    pub const fn new(tables: HashMap<&'static str, ResourceHandler>, authenticator: Arc<dyn Authenticator>) -> Self {
        Self { tables, authenticator }
    }
}

/// The records that a bulk operation is about: one of both.
#[derive(Debug, Deserialize)]
struct Selection {
    filter: Option<Value>,
    ids: Option<Vec<Uuid>>,
}

#[derive(Debug, Deserialize)]
struct BulkUpdate {
    #[serde(flatten)]
    selection: Selection,
    patch: Record,
}

#[derive(Debug, Deserialize)]
struct BulkAssign {
    #[serde(flatten)]
    selection: Selection,
    owner_id: Option<Uuid>,
    team_id: Option<Uuid>,
    reason: Option<String>,
}

/// The schema of the body of a bulk update.
#[must_use]
pub fn update_schema(shape: &Shape) -> String {
    format!("{}BulkUpdate", shape.type_name)
}

/// The schema of the body of a bulk assignment.
pub const ASSIGN_SCHEMA: &str = "BulkAssign";

const ABOUT: &str = "The records are chosen now, at most 10,000, and changed by a job, a few hundred in each step; `dry_run=true` answers how many \
    there are. Each is changed as if by itself, with the rights you have then. The answer is the operation: `GET /v1/operations/{id}` tells how \
    far it is, its items what became of each record, and `revert` puts back what has not been changed since.";

/// The operation that changes fields of many records.
pub(super) fn update_operation(shape: &'static Shape, tag: &'static str, base: &str) -> Operation {
    let many = shape.plural.replace('_', " ");
    let id = format!("bulkUpdate{}", camel(shape.plural));
    Operation::write(id, Method::POST, format!("{base}/bulk-update"), async move |work: &Work, call: RequestContext| {
        update(work, shape, call).await
    })
    .describe(tag, format!("Bulk update {many}"), format!("One JSON merge patch (RFC 7396) for all of them. {ABOUT}"))
    .body(Body::of(update_schema(shape)))
    .requires(shape.permission("update"))
    .also_requires(shape.permission("read"))
    .also_requires(PERMISSION)
    .responds(202, "Operation")
    .etag()
}

/// The operation that gives many records to another owner or team.
pub(super) fn assign_operation(shape: &'static Shape, tag: &'static str, base: &str) -> Operation {
    let many = shape.plural.replace('_', " ");
    let id = format!("bulkAssign{}", camel(shape.plural));
    Operation::write(id, Method::POST, format!("{base}/bulk-assign"), async move |work: &Work, call: RequestContext| {
        assign(work, shape, call).await
    })
    .describe(tag, format!("Bulk assign {many}"), ABOUT)
    .body(Body::of(ASSIGN_SCHEMA))
    .requires(shape.permission("assign"))
    .also_requires(shape.permission("read"))
    .also_requires(PERMISSION)
    .responds(202, "Operation")
    .etag()
}

async fn update(work: &Work, shape: &'static Shape, call: RequestContext) -> Result<Response> {
    let BulkUpdate { selection, patch } = call.input()?;
    if patch.is_empty() {
        return Err(Error::invalid(FieldError::new("/patch", FieldCode::Required, "")));
    }
    if OWNING.iter().any(|field| patch.contains_key(*field)) {
        work.caller.require([shape.permission("assign")])?;
    }
    record::check_field_access(work, shape, &patch).map_err(|error| within(error, "/patch"))?;
    record::check_named(work, shape, &patch).await.map_err(|error| within(error, "/patch"))?;
    let plan = Plan { ids: selected(work, shape, &call, selection).await?, patch, is_assignment: false, reason: None };
    begin(work, OperationKind::BulkUpdate, shape, plan).await
}

async fn assign(work: &Work, shape: &'static Shape, call: RequestContext) -> Result<Response> {
    let BulkAssign { selection, owner_id, team_id, reason } = call.input()?;
    let given = OWNING.into_iter().zip([owner_id, team_id]).filter_map(|(field, id)| Some((field.to_owned(), json!(id?))));
    let patch: Record = given.collect();
    if patch.is_empty() {
        return Err(Error::invalid(FieldError::new("/owner_id", FieldCode::Required, "")));
    }
    record::check_named(work, shape, &patch).await?;
    let plan = Plan { ids: selected(work, shape, &call, selection).await?, patch, is_assignment: true, reason };
    begin(work, OperationKind::BulkAssign, shape, plan).await
}

/// An error of what stands at a place of the body.
fn within(mut error: Error, place: &str) -> Error {
    for fault in &mut error.errors {
        fault.pointer = format!("{place}{}", fault.pointer);
    }
    error
}

/// The ids of the records that are chosen.
async fn selected(work: &Work, shape: &'static Shape, call: &RequestContext, selection: Selection) -> Result<Vec<Uuid>> {
    match (selection.filter, selection.ids) {
        (Some(filter), None) => {
            let body = Map::from_iter([("filter".to_owned(), filter)]);
            let mut asked =
                query::parse_list_request(work, shape, &RequestContext { body, query: HashMap::new(), ..call.clone() }, None).await?;
            asked.query.limit = MAX_RECORDS;
            let lines = list::page(work, &View::new(work, shape, Some(&["id"]), vec![]), &asked.query, "read").await?;
            if lines.len() > MAX_RECORDS {
                return Err(Error::invalid(FieldError::new("/filter", FieldCode::TooManyItems, MAX_RECORDS.to_string())));
            }
            Ok(lines.into_iter().map(|line| line.id).collect())
        }
        (None, Some(ids)) => {
            let mut seen = BTreeSet::new();
            Ok(ids.into_iter().filter(|id| seen.insert(*id)).collect())
        }
        _ => Err(Error::invalid(FieldError::new("/filter", FieldCode::Required, "either `filter` or `ids`"))),
    }
}

async fn begin(work: &Work, kind: OperationKind, shape: &'static Shape, plan: Plan) -> Result<Response> {
    let changed_fields = plan.patch.keys().cloned().collect();
    let new = NewOperation { kind, shape, plan, changed_fields, reverts_id: None };
    let made = operations::begin(work, new, job).await?;
    Ok(Response::record(work, work.shape(kept::Operation::PLURAL)?, &made.record).with_location(format!("/v1/operations/{}", made.id())))
}

/// What is deleted of operations, and when: their items first.
#[must_use]
pub fn retention() -> [Rule; 2] {
    let items = "DELETE FROM operation_items WHERE id IN (SELECT id FROM operation_items WHERE created_at < ";
    let own = "DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE finished_at < ";
    [
        Rule::statement("operation_items", KEEP_DAYS, items, " ORDER BY created_at"),
        Rule::statement("operations", KEEP_DAYS, own, " ORDER BY finished_at"),
    ]
}

fn job(operation_id: Uuid) -> Result<NewJob> {
    RunOperation { operation_id }.enqueued()
}

/// Begins to put back what an operation changed; answers the operation that does.
pub async fn revert(work: &Work, found: Stored<kept::Operation>) -> Result<Stored<kept::Operation>> {
    let (id, data) = (found.id(), found.data);
    if data.revertible_until.is_none_or(|until| until <= work.now) {
        return Err(Error::from(Code::Conflict).with_detail("what was before is not kept any more"));
    }
    // The record is locked: of two requests at a time one finds the other's.
    if operations::is_being_reverted(work, id).await? {
        return Err(Error::from(Code::Conflict).with_detail("it is being reverted already"));
    }
    let shape = work.shape(&data.resource)?;
    let is_assignment = match data.kind {
        OperationKind::BulkUpdate => false,
        OperationKind::BulkAssign => true,
        OperationKind::Revert => data.changed_fields.iter().all(|field| OWNING.contains(&field.as_str())),
    };
    let plan = Plan { ids: operations::changed_records(work, id).await?, patch: Record::new(), is_assignment, reason: None };
    let changed_fields = data.changed_fields;
    let new = NewOperation { kind: OperationKind::Revert, shape, plan, changed_fields, reverts_id: Some(id) };
    operations::begin(work, new, job).await
}

/// Changes the records of an operation, a few at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct RunOperation {
    /// The operation.
    pub operation_id: Uuid,
}

impl Job for RunOperation {
    const KIND: &'static str = "operations.run";

    async fn run(self, context: &JobContext) -> Result<()> {
        let service = context.process.service::<BulkOperations>()?;
        let reader = context.reader();
        let Some(plan) = operations::plan(&reader, self.operation_id).await? else { return Ok(()) };
        let Some(operation) = operations::find(&reader, self.operation_id).await? else { return Ok(()) };
        let table = service.tables.get(operation.data.resource.as_str()).ok_or(Code::Internal)?;
        let step = Step { context, service: &service, table, plan: &plan, operation: &operation };
        loop {
            let Progress { done, total } = context.progress();
            let rest = plan.ids.iter().skip(usize::try_from(done).unwrap_or(usize::MAX));
            let ids: Vec<Uuid> = rest.take(AT_ONCE).copied().collect();
            if ids.is_empty() {
                break;
            }
            if context.is_cancelled() {
                return Ok(());
            }
            let next = Progress { done: done + i64::try_from(ids.len()).unwrap_or_default(), total };
            step.run(&ids, next).await?;
        }
        let work = context.work().await?;
        operations::complete(&work, self.operation_id).await?;
        context.commit(work, context.progress()).await
    }
}

/// A change of one record.
struct Change {
    id: Uuid,
    before: Record,
    patch: Record,
}

/// What each step of an operation needs.
struct Step<'a> {
    context: &'a JobContext,
    service: &'a BulkOperations,
    table: &'a ResourceHandler,
    plan: &'a Plan,
    operation: &'a Stored<kept::Operation>,
}

impl Step<'_> {
    /// Changes some records, and commits that with what became of them.
    async fn run(&self, ids: &[Uuid], next: Progress) -> Result<()> {
        let store = &self.context.process.store;
        let principal = match self.context.principal_id {
            Some(id) => self.service.authenticator.principal(store, id, clock::now()).await?,
            None => None,
        };
        let (work, outcomes) = match principal {
            Some(caller) => {
                let work = self.context.work_as(caller).await?;
                let outcomes = self.outcomes(&work, ids).await?;
                (work, outcomes)
            }
            // Its principal may not sign in any more.
            None => (self.context.work().await?, refused(ids, Code::Unauthenticated)),
        };
        operations::note(&work, self.operation.id(), &outcomes).await?;
        self.context.commit(work, next).await
    }

    /// What becomes of some records.
    async fn outcomes(&self, work: &Work, ids: &[Uuid]) -> Result<Vec<(Uuid, Outcome)>> {
        let shape = self.table.shape;
        let verb = if self.plan.is_assignment { "assign" } else { "update" };
        if let Err(refusal) = work.caller.require([shape.permission(verb), shape.permission("read")]) {
            return Ok(ids.iter().map(|id| (*id, Outcome::Failed(refusal.clone()))).collect());
        }
        let mut found = record::find_many(work, shape, ids.iter().copied(), None).await?;
        let images = match self.operation.data.reverts_id {
            Some(reverted) => Some(operations::before_images(work, reverted, ids).await?),
            None => None,
        };
        let (mut outcomes, mut changes) = (vec![], vec![]);
        for id in ids.iter().copied() {
            let patch = match found.get(&id) {
                None => Err(Outcome::Failed(Code::NotFound.into())),
                Some(record) => match (record::check_permission(work, shape, record, verb), &images) {
                    (Err(refusal), _) => Err(Outcome::Failed(refusal)),
                    (Ok(()), None) => Ok(self.plan.patch.clone()),
                    (Ok(()), Some(images)) => put_back(shape, record, images.get(&id)),
                },
            };
            match (patch, found.remove(&id)) {
                (Ok(patch), Some(before)) => changes.push(Change { id, before, patch }),
                (Ok(_), None) => {}
                (Err(outcome), _) => outcomes.push((id, outcome)),
            }
        }
        outcomes.extend(self.changed(work, changes).await?);
        Ok(outcomes)
    }

    /// Changes records: together, and one by one where one of them fails after something was written.
    async fn changed(&self, work: &Work, changes: Vec<Change>) -> Result<Vec<(Uuid, Outcome)>> {
        let versions: Vec<(Uuid, i64)> = changes.iter().map(|change| (change.id, version_of(&change.before))).collect();
        let pairs: Vec<(Record, Record)> = changes.into_iter().map(|change| (change.before, change.patch)).collect();
        let start = work.savepoint().await?;
        let results = match self.write(work, pairs.clone()).await {
            Ok(results) => {
                work.release(start).await?;
                results
            }
            Err(error) if is_of_server(&error) => return Err(error),
            Err(_) => {
                work.roll_back_to(start).await?;
                let mut results = vec![];
                for pair in pairs {
                    let place = work.savepoint().await?;
                    let result = self.write(work, vec![pair]).await.and_then(|mut one| one.pop().ok_or(Code::Internal)?);
                    match &result {
                        Err(error) if is_of_server(error) => return result.map(|_| vec![]),
                        Err(_) => work.roll_back_to(place).await?,
                        Ok(_) => work.release(place).await?,
                    }
                    results.push(result);
                }
                results
            }
        };
        let mut outcomes = vec![];
        for ((id, version), result) in versions.into_iter().zip(results) {
            outcomes.push((
                id,
                match result {
                    Err(error) if is_of_server(&error) => return Err(error),
                    Err(error) => Outcome::Failed(error),
                    Ok(after) if version_of(&after) == version => Outcome::Unchanged,
                    Ok(after) => Outcome::Changed(version_of(&after)),
                },
            ));
        }
        Ok(outcomes)
    }

    async fn write(&self, work: &Work, pairs: Vec<(Record, Record)>) -> Result<Vec<Result<Record>>> {
        if !self.plan.is_assignment {
            return self.table.patch_each(work, pairs).await;
        }
        record::assign_many(work, self.table.shape, pairs, self.plan.reason.as_deref()).await
    }
}

const fn is_of_server(error: &Error) -> bool {
    matches!(error.code, Code::Internal | Code::Unavailable)
}

fn refused(ids: &[Uuid], code: Code) -> Vec<(Uuid, Outcome)> {
    ids.iter().map(|id| (*id, Outcome::Failed(code.into()))).collect()
}

/// The patch that puts back what an operation changed of a record; or why it is left as it is. A record is put back as a whole: where one of
/// the fields was changed since, none is.
fn put_back(shape: &Shape, record: &Record, image: Option<&BeforeImage>) -> std::result::Result<Record, Outcome> {
    let image = image.ok_or(Outcome::Skipped(BEFORE_IMAGE_DELETED))?;
    let is = |field: &str| record.get(field).unwrap_or(&Value::Null);
    let fields: Vec<&str> = shape.writable().map(|f| f.name).filter(|name| image.before.contains_key(*name)).collect();
    if fields.iter().all(|field| image.before.get(*field) == Some(is(field))) {
        return Err(Outcome::Unchanged);
    }
    if fields.iter().any(|field| image.after.get(*field) != Some(is(field))) {
        return Err(Outcome::Skipped(CHANGED_SINCE));
    }
    let of = |part: &Record| fields.iter().filter_map(|field| Some(((*field).to_owned(), part.get(*field)?.clone()))).collect();
    let (before, after): (Record, Record) = (of(&image.before), of(&image.after));
    Ok(operations::reversed(&before, &after))
}
