//! `POST /v1/privacy-requests/{id}/export`: everything that is held about a person, in one document, written as it is read: however much
//! there is, nothing is left out, and a document that breaks off is no JSON.

use super::person;
use actix_web::http::Method;
use samphan_domain::platform::privacy_request::{PrivacyRequest, PrivacyRequestKind};
use samphan_persistence::{
    data_subject::{self, DataSubject, DeletionState},
    record::{Record, expect_action, id_of, uuid_in},
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::audit_event::AuditEvent,
    caller::FieldAccess,
    error::{Code, Error, Result},
    event::Event,
    example,
    resource::Resource,
    shape::Shape,
};
use samphan_rest::{
    example::Example,
    export,
    operation::{Operation, RequestContext},
    rate_limit::Slot,
    response::{BodyStream, Response},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};
use utoipa::ToSchema;
use uuid::Uuid;

/// Records read at a time.
const AT_ONCE: i64 = 100;
/// Events read at a time.
const EVENTS_AT_ONCE: i64 = 1_000;

/// Everything that is held about a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivacyExport {
    /// The request it answers.
    pub privacy_request_id: Uuid,
    /// What the person is here.
    #[schema(max_length = 100)]
    pub resource: String,
    /// The record of the person.
    pub record_id: Uuid,
    /// When it was read.
    pub exported_at: samphan_resource::timestamp::Timestamp,
    /// Every record that is the person's, belongs to the person, or concerns the person.
    #[schema(max_items = 2_147_483_647)]
    pub items: Vec<PrivacyExportItem>,
}

/// A record about a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PrivacyExportItem {
    /// Its resource, such as `addresses`.
    #[schema(max_length = 100)]
    pub resource: String,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// The record, whole.
    #[schema(value_type = Object)]
    pub record: Map<String, Value>,
    /// What happened to it, when, by whom, from what to what; empty where the request is one of portability.
    #[schema(max_items = 2_147_483_647)]
    pub history: Vec<AuditEvent>,
}

/// The operation, at a path.
pub fn operation(path: String) -> Operation {
    Operation::unmanaged("exportPrivacyRequest", Method::POST, path, run)
        .describe(
            "privacy",
            "Export a person's data",
            "Answers a verified request of access or portability: the person's record, what belongs to it, deleted or not, records that concern the \
             person, and the history of all that. The permission reaches as far as the caller's others; a caller whose field rules hide any of \
             it may not export. That it was exported, and by whom, is noted (`privacy_request.exported`).",
        )
        .example(
            Example::default()
                .answers(json!({
                    "privacy_request_id": example::id(PrivacyRequest::PLURAL), "resource": "contacts", "record_id": example::id("contacts"),
                    "items": [{"resource": "contacts", "is_deleted": false, "record": {"id": example::id("contacts"), "name": "สมชาย ใจดี"}, "history": []}],
                }))
                .depends_on(&["verifyPrivacyRequest"]),
        )
        .requires("privacy-requests:export")
        .responds(200, "PrivacyExport")
}

async fn run(call: RequestContext) -> Result<Response> {
    let slot = export::slot(&call)?;
    let work = call.work().await?;
    let request = stored::find::<PrivacyRequest>(&work, call.id(0)?, "export").await?;
    expect_action(work.shape(PrivacyRequest::PLURAL)?, &request.record, "export")?;
    let has_history = match request.data.kind {
        PrivacyRequestKind::Access => true,
        PrivacyRequestKind::Portability => false,
        _ => return Err(Error::from(Code::Conflict).with_detail("a request of another kind: access and portability are exported")),
    };
    let person = person(&work, &request)?;
    let left = person.resources(&work);
    refuse_half_sight(&work, &left)?;
    work.emit(exported(&request));
    work.commit().await?;
    let begin = json!({
        "privacy_request_id": request.id(), "resource": person.shape.plural, "record_id": person.id, "exported_at": call.now,
    });
    let begin = begin.to_string().trim_end_matches('}').to_owned() + ",\"items\":[";
    let reading = Reading {
        reader: call.reader(),
        person,
        left: left.into(),
        life: DeletionState::Living,
        after: Uuid::nil(),
        has_history,
        begin: Some(begin),
        end: Some("]}"),
        first: true,
        _slot: slot,
    };
    Ok(Response { stream: Some(BodyStream::of(reading, async |reading: &mut Reading| reading.next().await)), ..Response::default() })
}

/// Who may not see all of it, may not export it: it would say it is all there is.
fn refuse_half_sight(work: &Work, shapes: &[&'static Shape]) -> Result<()> {
    let hides = |shape: &&&'static Shape| shape.fields.iter().any(|field| work.caller.access(shape, field) < FieldAccess::ReadOnly);
    match shapes.iter().find(hides) {
        Some(shape) => Err(Error::from(Code::Forbidden).with_detail(format!("field rules hide something of {}", shape.plural))),
        None => Ok(()),
    }
}

fn exported(request: &Stored<PrivacyRequest>) -> Event {
    Event {
        kind: "privacy_request.exported".to_owned(),
        resource: PrivacyRequest::PLURAL,
        resource_id: request.id(),
        version: request.version(),
        changed_fields: vec![],
        before: None,
        after: None,
        reason: None,
    }
}

/// An export under way.
struct Reading {
    reader: Reader,
    person: DataSubject,
    left: VecDeque<&'static Shape>,
    life: DeletionState,
    after: Uuid,
    has_history: bool,
    begin: Option<String>,
    end: Option<&'static str>,
    first: bool,
    _slot: Slot,
}

impl Reading {
    /// The next piece of the document; none when there is no more.
    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        self.reader.renew_limit();
        if let Some(begin) = self.begin.take() {
            return Ok(Some(begin.into()));
        }
        while let Some(shape) = self.left.front().copied() {
            let found = self.person.records(&self.reader, shape, self.life, self.after, AT_ONCE).await?;
            if let Some(last) = found.last() {
                self.after = id_of(last);
                return self.written(shape, found).await.map(|piece| Some(piece.into()));
            }
            self.after = Uuid::nil();
            if self.life == DeletionState::Living {
                self.life = DeletionState::Deleted;
            } else {
                self.life = DeletionState::Living;
                self.left.pop_front();
            }
        }
        Ok(self.end.take().map(Into::into))
    }

    async fn written(&mut self, shape: &'static Shape, found: Vec<Record>) -> Result<String> {
        let mut history = if self.has_history { self.history(found.iter().map(id_of).collect()).await? } else { HashMap::new() };
        let mut piece = String::new();
        for record in found {
            if !std::mem::take(&mut self.first) {
                piece.push(',');
            }
            let history = history.remove(&id_of(&record)).unwrap_or_default();
            let item =
                json!({"resource": shape.plural, "is_deleted": self.life == DeletionState::Deleted, "record": record, "history": history});
            piece.push_str(&item.to_string());
        }
        Ok(piece)
    }

    /// The events of records, by record.
    async fn history(&self, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<Record>>> {
        let mut of: HashMap<Uuid, Vec<Record>> = HashMap::new();
        let mut after = Uuid::nil();
        loop {
            let events = data_subject::events(&self.reader, &ids, after, EVENTS_AT_ONCE).await?;
            let Some(last) = events.last() else { return Ok(of) };
            after = id_of(last);
            for event in events {
                of.entry(uuid_in(&event, "resource_id").unwrap_or_default()).or_default().push(event);
            }
        }
    }
}
