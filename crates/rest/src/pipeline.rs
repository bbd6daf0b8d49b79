//! A request's way: from bytes through every check to the operation, and back to bytes. The only way in.

use super::{
    body,
    client_address::client_address,
    endpoints::{ALLOW_DUPLICATE, DRY_RUN},
    idempotency::{self, IdempotencyKey},
    kernel::Kernel,
    messages::Language,
    operation::{Access, BODY_LIMIT, Operation, RequestContext, Run, TICKET, WriteFn},
    problem, query, rate_limit,
    response::{BodyStream, Response},
    router::{RouteMatch, Router},
};
use actix_cors::Cors;
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web,
};
use futures_util::StreamExt;
use samphan_persistence::{clock, dialect::Dialect, store::Work};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, FieldCode, FieldError, MAX_FIELD_ERRORS, Result, step},
    network::limited_as,
    text,
    timestamp::Timestamp,
};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Characters of a header that is read leniently: proxies write ids of their own, browsers all the languages they know.
pub const MAX_HEADER_CHARACTERS: usize = 1000;

/// How long a request stands in line behind others of this process.
const MAX_LOCK_WAIT: Duration = Duration::from_secs(10);

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a worker serves: the operations and what answers them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct App {
    /// What operations are answered with.
    pub kernel: Kernel,
    /// Every operation by its address.
    pub routes: Arc<Router>,
    /// What tells browsers to come by TLS only.
    pub hsts: Option<HeaderValue>,
}

/// The operations, behind every address that nothing else is mounted at.
pub fn mount(config: &mut web::ServiceConfig) {
    config.default_service(web::to(dispatch));
}

async fn dispatch(request: HttpRequest, app: web::Data<App>, payload: web::Payload) -> HttpResponse {
    match app.routes.find(request.method(), request.uri().path()) {
        RouteMatch::Operation(operation, path) => handle(operation, path, &app.kernel, request, payload).await,
        RouteMatch::MethodNotAllowed(route, methods) => {
            request.extensions_mut().insert(RequestLogEntry::Unrouted { route });
            refused(&request, &Error::from(Code::MethodNotAllowed).with_allowed(methods))
        }
        RouteMatch::NotFound => refused(&request, &Code::UnknownPath.into()),
    }
}

/// Which browsers may call, by exact origin.
pub fn cors(origins: &[String]) -> Cors {
    let expose = ["etag", "location", "link", "retry-after", "x-request-id", "idempotency-replayed", "ratelimit", "ratelimit-policy"];
    let cors = Cors::default().allow_any_method().allow_any_header().expose_headers(expose).max_age(600);
    origins.iter().filter(|o| !o.is_empty()).fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// The answer to what is refused outside of any operation.
pub fn refused(request: &HttpRequest, error: &Error) -> HttpResponse {
    let (id, language) = (request_id(request), language(request));
    let mut response = problem::response(error, language, &id);
    with_id(&mut response, &id);
    response
}

fn request_id(request: &HttpRequest) -> String {
    let fits = |id: &&str| (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let given = header_text(request, "x-request-id").filter(fits).map(str::to_owned);
    given.unwrap_or_else(|| Uuid::from_u128(rand::random()).to_string())
}

fn header_text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|v| v.to_str().ok())
}

fn language(request: &HttpRequest) -> Language {
    Language::accepted(header_text(request, "accept-language"))
}

fn with_id(response: &mut HttpResponse, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
}

/// The facts of a request that the access log writes.
pub enum RequestLogEntry {
    /// An operation, and the user or API key that called, where one is known.
    Operation(Arc<Operation>, Option<Uuid>),
    /// An address whose methods the request's is none of.
    Unrouted {
        /// The address, its parameters by name.
        route: String,
    },
}

/// Facts of a request that are needed for every response, also when it fails.
#[derive(Default)]
struct RequestFacts {
    rate_limit: Option<rate_limit::RateLimitStatus>,
    principal: Option<Uuid>,
}

async fn handle(
    operation: Arc<Operation>,
    path: Vec<String>,
    kernel: &Kernel,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let begun = Instant::now();
    let _running = kernel.metrics.begin();
    kernel.turns.count_request();
    let (id, language) = (request_id(&request), language(&request));
    let mut facts = RequestFacts::default();
    let incoming = Incoming { operation: &operation, kernel, request: &request, id: &id, language, now: clock::now() };
    let result = execute(incoming, path, payload, &mut facts).await;
    let mut response = match result {
        Ok(answer) => to_http(&operation, &request, answer),
        Err(error) => problem::response(&error, language, &id),
    };
    with_id(&mut response, &id);
    if let Some(rate_limit::RateLimitStatus { policy, remaining, reset }) = facts.rate_limit {
        let headers = response.headers_mut();
        for (name, value) in [
            ("ratelimit-policy", format!("\"default\";q={};w={}", policy.burst, policy.seconds)),
            ("ratelimit", format!("\"default\";r={remaining};t={reset}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
    let (status, seconds) = (response.status().as_u16(), begun.elapsed().as_secs_f64());
    kernel.metrics.end(&operation.id, status, seconds);
    request.extensions_mut().insert(RequestLogEntry::Operation(operation, facts.principal));
    response
}

fn to_http(operation: &Operation, request: &HttpRequest, answer: Response) -> HttpResponse {
    let status = answer.status.unwrap_or(operation.status);
    let tag = answer.version.filter(|_| operation.etag).map(|v| format!("\"{v}\""));
    let same = |sent: &str| tag.as_deref().is_some_and(|t| sent.split(',').any(|s| s.trim().trim_start_matches("W/") == t));
    let unchanged = operation.method == Method::GET && header_text(request, "if-none-match").is_some_and(same);
    let mut response =
        HttpResponse::build(if unchanged { StatusCode::NOT_MODIFIED } else { StatusCode::from_u16(status).unwrap_or(StatusCode::OK) });
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    if let Some(tag) = tag {
        response.insert_header((header::ETAG, tag));
    }
    if let Some(location) = answer.location {
        response.insert_header((header::LOCATION, location));
    }
    if let Some(file) = answer.file {
        response.insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")));
    }
    if answer.replayed {
        response.insert_header(("idempotency-replayed", "true"));
    }
    if let Some(next) = answer.next
        && operation.method == Method::GET
    {
        let others = request.query_string().split('&').filter(|p| !p.is_empty() && !p.starts_with("cursor="));
        let query = others.map(str::to_owned).chain([format!("cursor={next}")]).collect::<Vec<_>>().join("&");
        response.insert_header((header::LINK, format!("<{}?{query}>; rel=\"next\"", request.path())));
    }
    if let Some(BodyStream(pieces)) = answer.stream {
        return response.content_type(operation.media.content_type()).streaming(pieces);
    }
    match answer.body {
        Some(body) if !unchanged => response.content_type("application/json").body(body),
        _ => response.finish(),
    }
}

/// A request on its way to its operation.
struct Incoming<'a> {
    operation: &'a Operation,
    kernel: &'a Kernel,
    request: &'a HttpRequest,
    id: &'a str,
    language: Language,
    now: Timestamp,
}

/// The caller of a request, and the client's address.
struct Sender {
    caller: Arc<Caller>,
    authorization: Option<String>,
    address: IpAddr,
}

async fn execute(incoming: Incoming<'_>, path: Vec<String>, payload: web::Payload, facts: &mut RequestFacts) -> Result<Response> {
    let Incoming { operation, kernel, request, id, now, .. } = incoming;
    let sender = incoming.authenticate().await?;
    facts.principal = Some(sender.caller.id).filter(|_| operation.access != Access::Public);
    incoming.take_share(&sender, facts)?;
    let mut missing = operation.missing_permissions(&sender.caller, &Map::new());
    if !missing.is_empty() {
        // One refusal names everything that this request lacks, and nothing that it does not need.
        if operation.body_may_need_more(&sender.caller)
            && let Ok((_, body)) = read_body(operation, kernel, request, payload).await
        {
            missing = operation.missing_permissions(&sender.caller, &body);
        }
        return Err(Error::from(Code::Forbidden).with_allowed(missing));
    }
    let (raw, call) = incoming.read(path, payload, sender).await?;
    match &operation.run {
        Run::Read(run) => {
            let mut reader = kernel.store().reader(Arc::clone(&call.caller), now);
            if operation.access != Access::Public {
                reader = reader.limited(kernel.charging());
            }
            id.clone_into(&mut reader.request_id);
            run(&reader, call).await
        }
        Run::Unmanaged(run) => run(call).await,
        Run::Write(run) => {
            let key = if operation.idempotent { idempotency::read(request.headers().get("idempotency-key"))? } else { None };
            let key =
                key.map(|key| IdempotencyKey::new(key, &operation.id, &format!("{}?{}", request.path(), request.query_string()), &raw));
            write(operation, run, key.as_ref(), call).await
        }
    }
}

impl Incoming<'_> {
    /// Authenticates by the `Authorization` header, or by a one-time ticket.
    async fn authenticate(&self) -> Result<Sender> {
        let (operation, kernel, request) = (self.operation, self.kernel, self.request);
        let address = client_address(request)?;
        if request.headers().get_all(header::AUTHORIZATION).count() > 1 {
            return Err(Error::from(Code::InvalidHeader).with_detail("Authorization: once"));
        }
        let authorization = match (header_text(request, "authorization"), ticket(operation, request)) {
            (None, Some(ticket)) => Some(kernel.authenticator.redeem(kernel, &ticket, address, self.now).await?),
            (header, _) => header.map(str::to_owned),
        };
        let caller = match &operation.access {
            Access::Public => Arc::new(Caller { grants: HashMap::new(), name: "anonymous".to_owned(), ..Caller::system() }),
            _ => kernel.caller(authorization.as_deref(), address, self.now).await?,
        };
        Ok(Sender { caller, authorization, address })
    }

    /// Takes what it costs from its sender's share.
    fn take_share(&self, sender: &Sender, facts: &mut RequestFacts) -> Result<()> {
        let operation = self.operation;
        let cost = if operation.body.as_ref().is_some_and(|b| b.items_later) { 20 } else { 1 };
        // Each public operation has a share of its own: a client that is limited for one of them may still sign in.
        let bucket = match operation.access {
            Access::Public => format!("{} from {}", operation.id, limited_as(sender.address)),
            _ => sender.caller.id.to_string(),
        };
        let taken = self.kernel.limits.try_acquire(&bucket, cost, rate_limit::REQUESTS, self.now);
        facts.rate_limit =
            taken.as_ref().map_or_else(|refused| Some(rate_limit::RateLimitStatus::nothing(rate_limit::REQUESTS, refused)), |left| *left);
        taken.map(|_| ())
    }

    /// The bytes of its body, and what it asks for, checked.
    async fn read(&self, path: Vec<String>, payload: web::Payload, sender: Sender) -> Result<(Vec<u8>, RequestContext)> {
        let (operation, request) = (self.operation, self.request);
        check_accept(operation, request)?;
        check_header_lengths(request)?;
        let query = read_query(operation, request)?;
        let (raw, body) = read_body(operation, self.kernel, request, payload).await?;
        let if_match = if_match(request)?;
        if operation.if_match_required && if_match.is_none() && operation.method != Method::PUT {
            return Err(Code::PreconditionRequired.into());
        }
        if path.iter().any(|part| part.contains('\0')) {
            return Err(Code::NotFound.into());
        }
        let call = RequestContext {
            kernel: self.kernel.clone(),
            // Names in paths are sought as names in bodies are kept: composed.
            path: path.into_iter().map(|part| text::nfc(&part).into_owned()).collect(),
            dry_run: query.get("dry_run").is_some_and(|v| v == "true"),
            query,
            body,
            if_match,
            only_if_new: only_if_new(operation, request)?,
            caller: sender.caller,
            now: self.now,
            request_id: self.id.to_owned(),
            authorization: sender.authorization,
            client_address: sender.address,
            language: self.language,
            last_event_id: header_text(request, "last-event-id").map(str::to_owned),
        };
        Ok((raw, call))
    }
}

/// Runs a write in a work. An idempotency key makes it run once. A work that has to wait for a named lock is rolled back and run again.
async fn write(operation: &Operation, run: &WriteFn, key: Option<&IdempotencyKey>, mut call: RequestContext) -> Result<Response> {
    let store = call.kernel.store().clone();
    let until = tokio::time::Instant::now() + MAX_LOCK_WAIT;
    let duplicates = call.query.get(ALLOW_DUPLICATE).is_some_and(|v| v == "true");
    let (dry_run, mut places) = (call.dry_run, vec![]);
    loop {
        let work = store.retryable_work(Arc::clone(&call.caller), call.now, places).await?;
        let work = work.for_request(&call.request_id).allowing_duplicates(duplicates);
        if let Some(key) = key {
            match stored_response(key, &work, operation, &call.path).await {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    // What was kept may be of a write that is not committed yet: the answer waits for it.
                    work.commit().await?;
                    return Ok(answer);
                }
                Err(refused) => return roll_back(work, refused).await,
            }
        }
        // SQLite's writers wait before they begin.
        let again = (store.dialect() == Dialect::Postgres).then(|| call.clone());
        let answered = run(&work, call).await;
        if let Some((lines, again)) = work.contended_locks().zip(again) {
            // Rolled back, so that a waiting request holds no connection, and run again when it is its turn.
            work.roll_back().await?;
            let turn = tokio::time::timeout_at(until, store.named_locks.wait(lines)).await;
            places = turn.map_err(|_| Error::from(Code::Unavailable).retry_after(1))?;
            call = again;
            continue;
        }
        return match answered {
            Ok(answer) => commit(operation, work, key, answer, dry_run).await,
            Err(refused) => roll_back(work, refused).await,
        };
    }
}

/// Takes a key, or the answer that it got before, as the caller may see it now.
async fn stored_response(key: &IdempotencyKey, work: &Work, operation: &Operation, path: &[String]) -> Result<Option<Response>> {
    match key.claim(work).await? {
        Some(kept) => kept.again(work, operation, path).await.map(Some),
        None => Ok(None),
    }
}

/// Rolls a work back before its refusal is answered: a request that repeats it at once must not meet its locks, above all that of its key.
async fn roll_back(work: Work, refused: Error) -> Result<Response> {
    if work.roll_back().await.is_err() {
        // The connection is gone, and with it the transaction.
        tracing::warn!("a refused write could not be rolled back");
    }
    Err(refused)
}

/// Commits a write; rolls it back for a dry run.
async fn commit(operation: &Operation, work: Work, key: Option<&IdempotencyKey>, answer: Response, dry_run: bool) -> Result<Response> {
    if dry_run {
        work.flush().await?;
        work.roll_back().await?;
        return Ok(answer);
    }
    if let Some(key) = key {
        let status = answer.status.unwrap_or(operation.status);
        match operation.returns_secret {
            true => key.store_completion(&work, &answer).await?,
            false => key.store_response(&work, status, &answer).await?,
        }
    }
    // What is sent last may be refused as what was sent before.
    if let Err(refused) = work.flush().await {
        return roll_back(work, refused).await;
    }
    work.commit().await?;
    Ok(answer)
}

/// The one-time ticket a request authenticates with, where the operation takes one.
fn ticket(operation: &Operation, request: &HttpRequest) -> Option<String> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string()).ok().filter(|_| operation.accepts_ticket)?;
    pairs.into_inner().into_iter().find(|(name, _)| name == TICKET).map(|(_, ticket)| ticket)
}

fn check_accept(operation: &Operation, request: &HttpRequest) -> Result<()> {
    let Some(accept) = header_text(request, "accept") else { return Ok(()) };
    let fits = |part: &str| {
        let kind = part.split(';').next().unwrap_or_default().trim();
        kind.is_empty() || operation.media.accepted_as().iter().any(|ours| kind.eq_ignore_ascii_case(ours))
    };
    if accept.split(',').any(fits) { Ok(()) } else { Err(Error::from(Code::NotAcceptable).with_allowed([operation.media.name()])) }
}

fn check_header_lengths(request: &HttpRequest) -> Result<()> {
    match ["X-Request-Id", "Accept-Language", "If-None-Match"]
        .iter()
        .find(|name| header_text(request, name).is_some_and(|v| v.len() > MAX_HEADER_CHARACTERS))
    {
        Some(name) => Err(Error::from(Code::InvalidHeader).with_detail(format!("{name}: at most {MAX_HEADER_CHARACTERS} characters"))),
        None => Ok(()),
    }
}

fn read_query(operation: &Operation, request: &HttpRequest) -> Result<HashMap<String, String>> {
    let text = request.query_string();
    if text.is_empty() && operation.query.iter().all(|p| !p.required) {
        return Ok(HashMap::new());
    }
    let decoded = web::Query::<Vec<(String, String)>>::from_query(text);
    let pairs = decoded
        .map_err(|_| {
            Error::from(Code::InvalidQuery).with_field_errors(vec![FieldError::new("?", FieldCode::InvalidFormat, "URL-encoded UTF-8")])
        })?
        .into_inner();
    let of_writes = if matches!(operation.run, Run::Write(_)) { std::slice::from_ref(&*DRY_RUN) } else { &[] };
    query::check([&operation.query, of_writes], pairs)
}

/// Whether a record may only be made, not changed: of a PUT that is all `If-None-Match` can say.
fn only_if_new(operation: &Operation, request: &HttpRequest) -> Result<bool> {
    match request.headers().get(header::IF_NONE_MATCH).map(HeaderValue::to_str) {
        Some(Ok("*")) => Ok(true),
        Some(_) if operation.method == Method::PUT => Err(Error::from(Code::InvalidHeader).with_detail("If-None-Match: * or nothing")),
        _ => Ok(false),
    }
}

fn if_match(request: &HttpRequest) -> Result<Option<i64>> {
    match header_text(request, "if-match").map(str::trim) {
        None | Some("*") => Ok(None),
        Some(tag) => {
            let version = tag.trim_start_matches("W/").strip_prefix('"').and_then(|t| t.strip_suffix('"')).and_then(|v| v.parse().ok());
            version.map(Some).ok_or_else(|| Error::from(Code::InvalidHeader).with_detail("If-Match: an ETag such as \"3\""))
        }
    }
}

async fn read_body(
    operation: &Operation,
    kernel: &Kernel,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<(Vec<u8>, Map<String, Value>)> {
    let Some(declared) = &operation.body else {
        expect_nothing(operation, kernel, request, payload).await?;
        return Ok((vec![], Map::new()));
    };
    let mut content_type = header_text(request, "content-type").unwrap_or_default().split(';');
    let kind = content_type.next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_utf_8 = |charset: &str| ["utf-8", "utf8"].iter().any(|ours| charset.trim().trim_matches('"').eq_ignore_ascii_case(ours));
    let mut charsets = content_type.filter_map(|p| p.split_once('=')).filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if !charsets.all(|(_, charset)| is_utf_8(charset)) {
        return Err(Code::UnsupportedMediaType.into());
    }
    let bytes = read_bytes(declared.limit, kernel, request, payload).await?;
    if bytes.is_empty() && declared.optional {
        return Ok((bytes, Map::new()));
    }
    let mut value = match kind.as_str() {
        "application/json" => body::parse(&bytes)?,
        "application/merge-patch+json" if declared.patch => body::parse(&bytes)?,
        "application/x-www-form-urlencoded" if declared.form => form(&bytes)?,
        _ => return Err(Code::UnsupportedMediaType.into()),
    };
    let mut faults = vec![];
    body::clean(&mut value, "", &mut faults);
    if faults.is_empty() {
        let schema = if declared.items_later { body::envelope(&declared.schema) } else { declared.schema.clone() };
        faults = kernel.validators.faults(&schema, &mut value, "")?;
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    match value {
        Value::Object(map) => Ok((bytes, map)),
        _ => Err(Error::invalid(FieldError::new("", FieldCode::WrongType, "an object"))),
    }
}

/// Reads a body of at most so many bytes.
async fn read_bytes(limit: usize, kernel: &Kernel, request: &HttpRequest, mut payload: web::Payload) -> Result<Vec<u8>> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Code::UnsupportedMediaType.into());
    }
    let length = header_text(request, "content-length").and_then(|l| l.parse::<usize>().ok());
    if length.is_some_and(|l| l > limit) {
        return Err(Error::from(Code::TooLarge).with_detail(format!("{limit} bytes")));
    }
    let read = async {
        let mut bytes: Vec<u8> = vec![];
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| Error::from(Code::MalformedJson).with_detail("the body broke off"))?;
            if bytes.len() + chunk.len() > limit {
                return Err(Error::from(Code::TooLarge).with_detail(format!("{limit} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(kernel.body_timeout, read).await.map_err(|_| Error::from(Code::Timeout))?
}

/// Refuses what is sent to a write that takes no body: nothing is silently dropped. No body, null and an empty object say nothing.
async fn expect_nothing(operation: &Operation, kernel: &Kernel, request: &HttpRequest, payload: web::Payload) -> Result<()> {
    if operation.method == Method::GET {
        return Ok(());
    }
    let bytes = read_bytes(BODY_LIMIT, kernel, request, payload).await?;
    if bytes.is_empty() {
        return Ok(());
    }
    let faults: Vec<FieldError> = match body::parse(&bytes)? {
        Value::Object(map) => {
            map.keys().take(MAX_FIELD_ERRORS).map(|name| FieldError::new(format!("/{}", step(name)), FieldCode::UnknownField, "")).collect()
        }
        Value::Null => vec![],
        _ => vec![FieldError::new("", FieldCode::WrongType, "an object")],
    };
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

fn form(bytes: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::from(Code::MalformedJson).with_detail("not UTF-8"))?;
    let pairs =
        web::Query::<Vec<(String, String)>>::from_query(text).map_err(|_| Error::from(Code::MalformedJson).with_detail("not a form"))?;
    Ok(Value::Object(pairs.into_inner().into_iter().map(|(k, v)| (k, Value::String(v))).collect()))
}
