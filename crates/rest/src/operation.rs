//! An operation: one method at one address. The route, the checks and the document all come from this one value.

use super::{
    example::{Example, Subject},
    kernel::Kernel,
    response::Response,
};
use actix_web::http::Method;
use futures_util::future::LocalBoxFuture;
use samphan_persistence::store::{Reader, Work};
use samphan_resource::{caller::Caller, error::Result, timestamp::Timestamp};
use serde_json::{Map, Value};
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use uuid::Uuid;

/// The callers that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Every caller that is signed in.
    SignedIn,
    /// Callers with this permission.
    Needs(String),
    /// A batch: the permission its mode asks for, this one or `create` or `delete` in its place; the operation checks it.
    ByMode(String),
}

/// A permission that an operation needs beside its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdditionalPermission {
    /// The permission, such as `orders:read`.
    pub permission: String,
    /// When it is needed, as the end of a sentence; always when none. The operation itself checks what is needed under a condition.
    pub when: Option<String>,
    /// The member of the body that makes it needed where it is neither null nor empty, such as `contact_id` or `items.included_orders`;
    /// none where the body alone does not decide.
    pub member: Option<&'static str>,
}

/// Whether a body has a member that is neither null nor empty; below an array, whether one of its items has.
fn has_member(body: &Map<String, Value>, path: &str) -> bool {
    let (name, below) = path.split_once('.').map_or((path, None), |(name, below)| (name, Some(below)));
    match (body.get(name), below) {
        (None | Some(Value::Null), _) => false,
        (Some(Value::Array(all)), None) => !all.is_empty(),
        (Some(_), None) => true,
        (Some(Value::Array(all)), Some(below)) => all.iter().filter_map(Value::as_object).any(|one| has_member(one, below)),
        (Some(value), Some(below)) => value.as_object().is_some_and(|one| has_member(one, below)),
    }
}

/// A query parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its schema.
    pub schema: Value,
    /// What it does.
    pub about: String,
    /// Whether a request must have it.
    pub required: bool,
}

impl Parameter {
    /// A parameter that may be left out.
    pub fn new(name: impl Into<String>, schema: Value, about: impl Into<String>) -> Self {
        Self { name: name.into(), schema, about: about.into(), required: false }
    }

    /// The same, which may not be left out.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

/// The body an operation takes.
#[derive(Clone, Debug)]
pub struct Body {
    /// The name of its published schema.
    pub schema: String,
    /// Whether it may be left out.
    pub optional: bool,
    /// Most bytes.
    pub limit: usize,
    /// Whether it is a merge patch.
    pub patch: bool,
    /// Whether it may also come as a form (OAuth2 asks for that).
    pub form: bool,
    /// Whether only the envelope is checked here, its items one by one later, so that one bad item fails alone.
    pub items_later: bool,
}

/// The query parameter of a one-time ticket.
pub const TICKET: &str = "ticket";
/// Largest body of most operations.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Largest body of a batch.
pub const BATCH_LIMIT: usize = 8 * 1024 * 1024;

impl Body {
    /// A body of that schema.
    pub fn of(schema: impl Into<String>) -> Self {
        Self { schema: schema.into(), optional: false, limit: BODY_LIMIT, patch: false, form: false, items_later: false }
    }

    /// A batch of that schema.
    pub fn batch(schema: impl Into<String>) -> Self {
        Self { limit: BATCH_LIMIT, items_later: true, ..Self::of(schema) }
    }
}

/// A request after authentication, rate limiting and validation, as operations get it.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The process: the database, the services of the areas, limits.
    pub kernel: Kernel,
    /// The ids and names in the path, in order.
    pub path: Vec<String>,
    /// The query parameters.
    pub query: HashMap<String, String>,
    /// The body; empty where there is none.
    pub body: Map<String, Value>,
    /// The version named by If-Match.
    pub if_match: Option<i64>,
    /// Whether If-None-Match: * was sent.
    pub only_if_new: bool,
    /// Whether nothing is to be kept.
    pub dry_run: bool,
    /// The caller; an anonymous one for a public operation.
    pub caller: Arc<Caller>,
    /// The moment of the request.
    pub now: Timestamp,
    /// The request's id.
    pub request_id: String,
    /// The Authorization header, for the operations that read it themselves.
    pub authorization: Option<String>,
    /// The address of the client, by [`super::client_address::client_address`].
    pub client_address: IpAddr,
    /// The language of messages.
    pub language: super::messages::Language,
    /// The event a stream goes on after.
    pub last_event_id: Option<String>,
}

impl RequestContext {
    /// The id at a place in the path; whatever is not an id is of no record.
    pub fn id(&self, place: usize) -> Result<Uuid> {
        self.path.get(place).and_then(|s| Uuid::parse_str(s).ok()).ok_or_else(|| samphan_resource::error::Code::NotFound.into())
    }

    /// A way to read, for an operation that opens what it needs.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.kernel.store().reader(Arc::clone(&self.caller), self.now).limited(self.kernel.charging())
    }

    /// A work of the caller's, for an operation that opens what it needs.
    pub async fn work(&self) -> Result<Work> {
        Ok(self.kernel.store().work(Arc::clone(&self.caller), self.now).await?.for_request(&self.request_id))
    }

    /// A work of Samphan's own, for an operation whose caller is not known yet.
    pub async fn system_work(&self) -> Result<Work> {
        Ok(self.kernel.store().work(Arc::new(Caller::system()), self.now).await?.for_request(&self.request_id))
    }

    /// The service of an area.
    pub fn service<T: std::any::Any + Send + Sync>(&self) -> Result<Arc<T>> {
        self.kernel.process.service()
    }

    /// The body as a type; it fits the published schema already.
    pub fn input<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        super::body::typed(&self.body)
    }
}

type ReadFn = Arc<dyn for<'a> Fn(&'a Reader, RequestContext) -> LocalBoxFuture<'a, Result<Response>> + Send + Sync>;
/// What a write does, in its work.
pub type WriteFn = Arc<dyn for<'a> Fn(&'a Work, RequestContext) -> LocalBoxFuture<'a, Result<Response>> + Send + Sync>;

/// What kind of text is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// JSON.
    Json,
    /// Server-sent events, for as long as the client listens.
    EventStream,
    /// Comma-separated values: a file.
    Csv,
}

impl Media {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::EventStream => "text/event-stream",
            Self::Csv => "text/csv",
        }
    }

    /// What `Content-Type` says.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            other => other.name(),
        }
    }

    /// What a client may say it accepts.
    #[must_use]
    pub const fn accepted_as(self) -> &'static [&'static str] {
        match self {
            Self::Json => &["*/*", "application/*", "application/json", "application/problem+json"],
            Self::EventStream => &["*/*", "text/*", "text/event-stream"],
            Self::Csv => &["*/*", "text/*", "text/csv"],
        }
    }
}

/// How an operation is run.
#[derive(Clone)]
pub enum Run {
    /// Reads, without a transaction.
    Read(ReadFn),
    /// Works, in a transaction.
    Write(WriteFn),
    /// Runs by itself and opens what it needs, for work that must not hold a transaction (hashing a password).
    Unmanaged(Arc<dyn Fn(RequestContext) -> LocalBoxFuture<'static, Result<Response>> + Send + Sync>),
}

/// One method at one address.
#[derive(Clone)]
pub struct Operation {
    /// Name in every client: `listAccounts`.
    pub id: String,
    /// Method.
    pub method: Method,
    /// Address, such as `/v1/accounts/{id}`.
    pub path: String,
    /// Group in the document.
    pub tag: &'static str,
    /// First line.
    pub summary: String,
    /// The rest.
    pub description: String,
    /// The callers that are allowed.
    pub access: Access,
    /// Permissions needed beside that of `access`; published as `x-also-needs`.
    pub additional_permissions: Vec<AdditionalPermission>,
    /// Query parameters.
    pub query: Vec<Parameter>,
    /// Body.
    pub body: Option<Body>,
    /// Status of success.
    pub status: u16,
    /// Schema of the answer; none for no content.
    pub answer: Option<String>,
    /// Whether the answer carries an ETag.
    pub etag: bool,
    /// Whether If-Match is honoured.
    pub if_match: bool,
    /// Whether If-Match is required.
    pub if_match_required: bool,
    /// Whether Idempotency-Key is honoured.
    pub idempotent: bool,
    /// Whether the answer shows a secret, once: a request repeated with its idempotency key is refused instead of answered again.
    pub returns_secret: bool,
    /// What kind of text it answers with.
    pub media: Media,
    /// Whether a browser may authenticate with a one-time ticket in the query instead of a header.
    pub accepts_ticket: bool,
    /// The record its examples are about.
    pub subject: Option<Subject>,
    /// What its examples have of their own; one that is composed when there are none.
    pub examples: Vec<Example>,
    /// What it does.
    pub run: Run,
}

impl std::fmt::Debug for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.id, self.method, self.path)
    }
}

impl Operation {
    /// An operation that reads.
    pub fn read<F>(id: impl Into<String>, path: impl Into<String>, run: F) -> Self
    where
        F: AsyncFn(&Reader, RequestContext) -> Result<Response> + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        let boxed: ReadFn = Arc::new(move |reader, call| {
            let run = Arc::clone(&run);
            Box::pin(async move { run(reader, call).await })
        });
        Self::new(id.into(), Method::GET, path.into(), Run::Read(boxed))
    }

    /// An operation that works.
    pub fn write<F>(id: impl Into<String>, method: Method, path: impl Into<String>, run: F) -> Self
    where
        F: AsyncFn(&Work, RequestContext) -> Result<Response> + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        let boxed: WriteFn = Arc::new(move |work, call| {
            let run = Arc::clone(&run);
            Box::pin(async move { run(work, call).await })
        });
        let idempotent = method == Method::POST || method == Method::PATCH;
        Self { idempotent, ..Self::new(id.into(), method, path.into(), Run::Write(boxed)) }
    }

    /// An operation that opens what it needs.
    pub fn unmanaged<F>(id: impl Into<String>, method: Method, path: impl Into<String>, run: F) -> Self
    where
        F: AsyncFn(RequestContext) -> Result<Response> + Send + Sync + 'static,
    {
        let run = Arc::new(run);
        let boxed = Arc::new(move |call| -> LocalBoxFuture<'static, Result<Response>> {
            let run = Arc::clone(&run);
            Box::pin(async move { run(call).await })
        });
        Self::new(id.into(), method, path.into(), Run::Unmanaged(boxed))
    }

    const fn new(id: String, method: Method, path: String, run: Run) -> Self {
        Self {
            id,
            method,
            path,
            tag: "",
            summary: String::new(),
            description: String::new(),
            access: Access::SignedIn,
            additional_permissions: vec![],
            query: vec![],
            body: None,
            status: 200,
            answer: None,
            etag: false,
            if_match: false,
            if_match_required: false,
            idempotent: false,
            returns_secret: false,
            media: Media::Json,
            accepts_ticket: false,
            subject: None,
            examples: vec![],
            run,
        }
    }

    /// With its tag, summary and description in the document. What follows the first sentence of the summary begins the description.
    #[must_use]
    pub fn describe(mut self, tag: &'static str, summary: impl Into<String>, description: impl Into<String>) -> Self {
        let (summary, description) = (summary.into(), description.into());
        self.tag = tag;
        (self.summary, self.description) = match summary.split_once(". ") {
            Some((summary, effect)) => (summary.to_owned(), format!("{effect} {description}").trim_end().to_owned()),
            None => (summary, description),
        };
        self
    }

    /// Sets the callers that are allowed.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// With the permission it needs.
    #[must_use]
    pub fn requires(self, permission: impl Into<String>) -> Self {
        self.access(Access::Needs(permission.into()))
    }

    /// With a permission it always needs beside its own.
    #[must_use]
    pub fn also_requires(mut self, permission: impl Into<String>) -> Self {
        self.add_permission(permission.into(), None);
        self
    }

    /// With a permission it needs beside its own under a condition, said as the end of a sentence. The operation checks it.
    #[must_use]
    pub fn also_requires_when(mut self, permission: impl Into<String>, when: impl Into<String>) -> Self {
        self.add_permission(permission.into(), Some(when.into()));
        self
    }

    /// With permissions it needs beside its own when the body has a member that is neither null nor empty; see [`AlsoNeeds::member`].
    #[must_use]
    pub fn also_requires_with<const N: usize>(mut self, permissions: [&str; N], member: &'static str, when: &str) -> Self {
        for permission in permissions {
            self.add_permission_with(permission.to_owned(), Some(when.to_owned()), Some(member));
        }
        self
    }

    /// Adds a permission, unless the operation needs it already.
    pub(super) fn add_permission(&mut self, permission: String, when: Option<String>) {
        self.add_permission_with(permission, when, None);
    }

    /// The same, with the member of the body that makes it needed.
    pub(super) fn add_permission_with(&mut self, permission: String, when: Option<String>, member: Option<&'static str>) {
        let is_own = matches!(&self.access, Access::Needs(own) if *own == permission);
        if !is_own && !self.additional_permissions.iter().any(|a| a.permission == permission && (a.when.is_none() || a.when == when)) {
            self.additional_permissions.push(AdditionalPermission { permission, when, member });
        }
    }

    /// Every permission it may ask for: its own, and those beside it.
    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        let own = match &self.access {
            Access::Needs(permission) | Access::ByMode(permission) => Some(permission),
            Access::Public | Access::SignedIn => None,
        };
        own.into_iter().chain(self.additional_permissions.iter().map(|a| &a.permission)).map(String::as_str)
    }

    /// The permissions that a caller lacks: the operation's own, those it always needs beside it, and those that members of the body make
    /// needed. What a batch needs follows from its mode: it checks that itself.
    #[must_use]
    pub fn missing_permissions(&self, caller: &Caller, body: &Map<String, Value>) -> Vec<String> {
        let own = match &self.access {
            Access::Needs(permission) => Some(permission),
            Access::Public | Access::SignedIn => None,
            Access::ByMode(_) => return vec![],
        };
        let is_needed = |a: &&AdditionalPermission| a.when.is_none() || a.member.is_some_and(|member| has_member(body, member));
        caller.missing(own.into_iter().chain(self.additional_permissions.iter().filter(is_needed).map(|a| &a.permission)))
    }

    /// Whether a member of the body may make a permission needed that the caller lacks.
    #[must_use]
    pub fn body_may_need_more(&self, caller: &Caller) -> bool {
        self.additional_permissions.iter().any(|a| a.member.is_some() && caller.reach(&a.permission).is_none())
    }

    /// With a body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = Some(body);
        self
    }

    /// With query parameters, but for those the path names already: generated clients take the one for the other.
    #[must_use]
    pub fn query(mut self, parameters: Vec<Parameter>) -> Self {
        self.query = parameters;
        self.query.retain(|p| !self.path.split('/').any(|part| part.strip_prefix('{').and_then(|s| s.strip_suffix('}')) == Some(&p.name)));
        self
    }

    /// With the status and schema of its answer.
    #[must_use]
    pub fn responds(mut self, status: u16, schema: impl Into<String>) -> Self {
        self.status = status;
        self.answer = Some(schema.into());
        self
    }

    /// Answers with another kind of text than JSON.
    #[must_use]
    pub const fn media_type(mut self, media: Media) -> Self {
        self.media = media;
        self
    }

    /// Answers nothing.
    #[must_use]
    pub fn no_content(mut self) -> Self {
        self.status = 204;
        self.answer = None;
        self
    }

    /// With an example; one more when there is one already.
    #[must_use]
    pub fn example(mut self, example: Example) -> Self {
        self.examples.push(example);
        self
    }

    /// With an ETag on its answer.
    #[must_use]
    pub fn etag(mut self) -> Self {
        self.etag = true;
        self
    }

    /// Takes a one-time ticket instead of an `Authorization` header, in the query parameter [`TICKET`].
    #[must_use]
    pub fn accepts_ticket(mut self) -> Self {
        let about =
            "A ticket of `createStreamTicket`, for an EventSource, which cannot send an Authorization header. Good once, for 60 seconds.";
        self.query.push(Parameter::new(TICKET, serde_json::json!({"type": "string", "minLength": 1, "maxLength": 100}), about));
        self.accepts_ticket = true;
        self
    }

    /// Shows a secret, once.
    #[must_use]
    pub fn returns_secret(mut self) -> Self {
        self.returns_secret = true;
        self
    }

    /// Honours If-Match, or insists on it.
    #[must_use]
    pub fn if_match(mut self, required: bool) -> Self {
        self.if_match = true;
        self.if_match_required = required;
        self
    }
}
