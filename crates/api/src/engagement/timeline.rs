//! `GET /v1/accounts/{id}/timeline` and the like: what happened with a customer, whatever the resource, the newest first.

use samphan_domain::customers::{account::Account, contact::Contact};
use samphan_persistence::{
    cursor,
    list::{self, View},
    store::Reader,
    timeline::{self, TimelineEntry, TimelineQuery},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    resource::Resource,
    timestamp::Timestamp,
};
use samphan_rest::{
    example::Example,
    operation::{Operation, Parameter, RequestContext},
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

/// Entries of a page when the request does not say, and at most.
const PAGE_SIZES: (usize, usize) = (50, 200);

/// A page of a timeline.
#[derive(Debug, Serialize, ToSchema)]
pub struct TimelinePage {
    /// What happened, the newest first.
    #[schema(max_items = 200)]
    pub data: Vec<Happening>,
    /// Whether something older follows.
    pub has_more: bool,
    /// Goes on after this page; null at the end.
    #[schema(required = true, max_length = 4000)]
    pub next_cursor: Option<String>,
    /// The kinds that the caller may not read: there may be entries of them.
    #[schema(max_items = 100)]
    pub hidden_kinds: Vec<String>,
}

/// Something that happened: a record of any resource.
#[derive(Debug, Serialize, ToSchema)]
pub struct Happening {
    /// What it is: the singular of its resource, such as `note`, `call` or `order`. More kinds come with each version.
    #[schema(max_length = 100, example = "note")]
    pub kind: String,
    /// When it happened.
    pub at: Timestamp,
    /// The resource of its record.
    #[schema(max_length = 100, example = "notes")]
    pub resource: String,
    /// Its record.
    pub id: Uuid,
    /// What people call the record.
    #[schema(required = true, max_length = 500)]
    pub title: Option<String>,
    /// The first 300 characters of its text.
    #[schema(required = true, max_length = 300)]
    pub summary: Option<String>,
    /// The user or API key who did it.
    #[schema(required = true)]
    pub actor_id: Option<Uuid>,
}

/// The timelines.
pub fn routes() -> Vec<Operation> {
    vec![timeline_of::<Account>("getAccountTimeline"), timeline_of::<Contact>("getContactTimeline")]
}

fn timeline_of<T: Resource>(id: &str) -> Operation {
    let path = T::PLURAL.replace('_', "-");
    let one = T::SINGULAR;
    let moment = || json!({"type": "string", "format": "date-time"});
    Operation::read(id, format!("/v1/{path}/{{{one}_id}}/timeline"), async |reader: &Reader, call: RequestContext| page::<T>(reader, call).await)
        .describe(
            "timelines",
            format!("Get the timeline of {} {one}", if one.starts_with('a') { "an" } else { "a" }),
            "Records of every resource that names it, the newest first, each as far as the caller may read that resource: rows and fields. \
             Kinds the caller may not read at all are named in `hidden_kinds`. Entries that are made meanwhile cause no repeats and no gaps.",
        )
        .query(vec![
            Parameter::new("kinds", json!({"type": "string", "maxLength": 1000}), "Only these kinds, separated by commas."),
            Parameter::new("from", moment(), "Only what happened at or after this moment."),
            Parameter::new("to", moment(), "Only what happened before this moment."),
            Parameter::new(
                "limit",
                json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": PAGE_SIZES.1, "default": PAGE_SIZES.0}),
                "Entries a page.",
            ),
            Parameter::new("cursor", json!({"type": "string", "maxLength": 4000}), "`next_cursor` of the page before. It belongs to the same parameters."),
        ])
        .requires(format!("{path}:read"))
        .responds(200, "TimelinePage")
        .example(Example::query(&[("kinds", "note")]).depends_on(&["createNote"]).answers(json!({"data": [{
            "kind": "note", "resource": "notes", "id": example::id("notes"), "title": "Wants 500 boxes before Songkran.",
            "summary": "Wants **500 boxes** before Songkran.",
        }], "hidden_kinds": []})))
}

async fn page<T: Resource>(reader: &Reader, call: RequestContext) -> Result<Response> {
    let subject = reader.shape(T::PLURAL)?;
    let id = call.id(0)?;
    // A record the caller does not see has no timeline.
    list::one(reader, &View::new(reader, subject, Some(&["id"]), vec![]), id, None, "read").await?;
    let get = |name: &str| call.query.get(name).map(String::as_str);
    let moment = |name: &str| {
        let parsed = get(name).map(|text| Timestamp::parse(text).map_err(|_| invalid(name, FieldCode::InvalidTime, vec![])));
        parsed.transpose()
    };
    let known = timeline::sources(reader.store.shapes, subject);
    let kinds: Option<Vec<String>> = get("kinds").map(|kinds| kinds.split(',').map(|kind| kind.trim().to_owned()).collect());
    if kinds.iter().flatten().any(|kind| known.iter().all(|source| source.shape.singular != *kind)) {
        return Err(invalid("kinds", FieldCode::UnknownValue, known.iter().map(|source| source.shape.singular.to_owned()).collect()));
    }
    let (from, to) = (moment("from")?, moment("to")?);
    let said = format!("{kinds:?} {from:?} {to:?}");
    let binding = cursor::binding(&["timeline", subject.plural, &id.to_string(), &said]);
    let after = get("cursor").map(|cursor| reader.store.read_cursor(&binding, cursor)).transpose()?;
    let limit = get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE_SIZES.0).clamp(1, PAGE_SIZES.1);
    let asked = |singular: &str| kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == singular));
    let hidden = known.iter().filter(|source| asked(source.shape.singular) && !timeline::may_read(reader, source));
    let hidden_kinds = hidden.map(|source| source.shape.singular.to_owned()).collect();
    let query = TimelineQuery { subject, id, kinds: kinds.clone(), from, to, after, limit };
    let mut found = timeline::read(reader, &query).await?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| has_more).map(|last| reader.store.write_cursor(&binding, &timeline::position(last)));
    let data = found.into_iter().map(happening).collect();
    let page = TimelinePage { data, has_more, next_cursor: next_cursor.clone(), hidden_kinds };
    Ok(Response { next: next_cursor, ..Response::json(&page) })
}

fn happening(entry: TimelineEntry) -> Happening {
    Happening {
        kind: entry.shape.singular.to_owned(),
        at: entry.at,
        resource: entry.shape.plural.to_owned(),
        id: entry.id,
        title: entry.title,
        summary: entry.summary,
        actor_id: entry.actor_id,
    }
}

fn invalid(parameter: &str, code: FieldCode, allowed: Vec<String>) -> Error {
    let about = if code == FieldCode::InvalidTime { "an RFC 3339 time with an offset" } else { "" };
    let fault = FieldError { allowed, ..FieldError::new(format!("?{parameter}"), code, about) };
    Error::from(Code::InvalidQuery).with_field_errors(vec![fault])
}
