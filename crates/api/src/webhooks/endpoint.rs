//! How webhook endpoints are reached: a secret is shown once, when it is made or rotated.

use super::{address, secrets, sender::Sender};
use crate::{
    changes::selection::{event_types, require_read, resources_of},
    identity::{rights, service::Identity, tokens},
};
use actix_web::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use samphan_domain::integration::webhook_endpoint::{ChangeCondition, WebhookEndpoint};
use samphan_persistence::{
    record::{expect_version, uuid_in},
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    event::Event,
    example,
    filter::{self, Filter},
    resource::Resource,
    rights::Delegation,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    query::FilterContext,
    response::{Response, visible_fields},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use utoipa::ToSchema;

/// Seconds the secret before a rotation stays good: a day.
const GRACE: i64 = 86_400;

/// Webhook endpoints.
#[must_use]
pub fn routes() -> Collection<WebhookEndpoint> {
    Collection::new("webhooks")
        .transition_with("pause", "Pause a webhook endpoint. Nothing is delivered until it is resumed.", pause)
        .example(Example::default().answers(json!({"status": "paused"})).persists())
        .transition_with("resume", "Resume a webhook endpoint. Delivery goes on where it was paused.", resume)
        .example(Example::default().depends_on(&["pauseWebhookEndpoint"]).persists())
        .action_without_input("test", "Test a webhook endpoint. Sends the change `webhook_endpoint.tested`, whatever its types and filter.", test)
        .example(Example::default().depends_on(&["resumeWebhookEndpoint"]).persists())
        .action("replay", "Replay changes to a webhook endpoint. Sends the changes after a cursor again, with the same ids.", replay)
        .example(Example::body(json!({"after": "example-cursor"})))
        .schema::<IssuedWebhookEndpoint>()
        .operation("", |path| {
            Operation::write("createWebhookEndpoint", Method::POST, path, create)
                .describe(
                    "webhooks",
                    "Create a webhook endpoint",
                    "It receives the changes from now on that its creator may read: each change (schema `Change`) as a POST, \
                     signed as Standard Webhooks says, with the headers `webhook-id` (the event's id), `webhook-timestamp` and `webhook-signature`. \
                     Several are under way at a time, and one may come twice: `position` says in which order they happened, `version` whether it is news of \
                     its record, `id` whether it came before. Whatever is not answered with a status from 200 to 299 within 15 seconds is tried again, ten times in \
                     some three days; later changes do not wait for it. 410 disables the endpoint at once, three days of nothing but failures do so too; the \
                     change `webhook_endpoint.disabled` says so. The answer shows the secret, once.",
                )
                .example(Example::default().answers(json!({"webhook_endpoint": {"id": example::id("webhook_endpoints"), "url": "https://accounting.example.com/hooks/samphan", "status": "active"}, "secret": "example-webhook-secret"})))
                .body(Body::of("WebhookEndpointInput"))
                .requires("webhook-endpoints:create")
                .responds(201, "IssuedWebhookEndpoint")
                .returns_secret()
                .etag()
        })
        .operation("/{id}", |path| {
            Operation::write("updateWebhookEndpoint", Method::PATCH, path, update)
                .describe("webhooks", "Update a webhook endpoint", "A JSON merge patch (RFC 7396). It applies to changes that have not been sent yet.")
                .body(Body { patch: true, ..Body::of("WebhookEndpointPatch") })
                .requires("webhook-endpoints:update")
                .responds(200, "WebhookEndpoint")
                .etag()
                .if_match(false)
        })
        .operation("/{id}", |path| {
            Operation::write("deleteWebhookEndpoint", Method::DELETE, path, delete)
                .describe("webhooks", "Delete a webhook endpoint", "Nothing is sent to it any more.")
                .requires("webhook-endpoints:delete")
                .no_content()
                .if_match(false)
        })
        .operation("/{id}/rotate-secret", |path| {
            Operation::write("rotateWebhookEndpointSecret", Method::POST, path, rotate)
                .describe(
                    "webhooks",
                    "Rotate a webhook endpoint's secret",
                    "For 24 hours deliveries are signed with the secret before, too. The answer shows the new one, once.",
                )
                .example(Example::default().answers(json!({"webhook_endpoint": {"id": example::id("webhook_endpoints"), "url": "https://accounting.example.com/hooks/samphan", "status": "active"}, "secret": "example-webhook-secret"})))
                .requires("webhook-endpoints:rotate-secret")
                .responds(200, "IssuedWebhookEndpoint")
                .returns_secret()
                .etag()
                .if_match(false)
        })
}

/// An endpoint with its secret, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedWebhookEndpoint {
    /// The endpoint.
    #[schema(value_type = Object)]
    pub webhook_endpoint: Map<String, Value>,
    /// What deliveries are signed with: `whsec_` and the key in Base64.
    #[schema(max_length = 200, example = "example-webhook-secret")]
    pub secret: String,
}

/// From where changes are sent again.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The cursor of a change or of a page of the feed: what came after it is sent, again or for the first time. Nothing between is sent
    /// when it is ahead of what was sent; one that is ahead of the feed, as after a restore, is refused.
    #[schema(min_length = 1, max_length = 400)]
    pub after: String,
}

async fn create(work: &Work, call: RequestContext) -> Result<Response> {
    let draft = Stored::<WebhookEndpoint>::from_body(work.shape("webhook_endpoints")?, call.body.clone(), None)?;
    check(work, &call, &draft.data, None).await?;
    let made = make(work, draft).await?;
    Ok(issue(work, &call, &made).await?.with_status(201))
}

/// Makes an endpoint, which is told of what changes from now on. It has no secret yet.
pub async fn make(work: &Work, draft: Stored<WebhookEndpoint>) -> Result<Stored<WebhookEndpoint>> {
    let made = stored::insert(work, draft).await?;
    let mut sql = work.sql();
    sql.push("INSERT INTO webhook_cursors (endpoint_id, position) SELECT ").bind(Kind::Id, Scalar::Id(made.id()));
    sql.push(", coalesce(max(position), 0) FROM event_positions");
    work.execute(sql).await?;
    Ok(made)
}

async fn update(work: &Work, call: RequestContext) -> Result<Response> {
    let before = stored::find::<WebhookEndpoint>(work, call.id(0)?, "update").await?;
    expect_version(call.if_match, before.version())?;
    // It is told what its maker may read, wherever it is.
    require_rights_of_maker(work, &before, Delegation::Identity).await?;
    let after = before.patched(work.shape(WebhookEndpoint::PLURAL)?, &call.body)?;
    check(work, &call, &after.data, Some(&before.data)).await?;
    let made = stored::save(work, &before, after, "updated", None).await?;
    Ok(Response::record(work, work.shape("webhook_endpoints")?, &made.record))
}

/// Refuses to act on an endpoint without the rights of the user or key that made it.
async fn require_rights_of_maker(work: &Work, endpoint: &Stored<WebhookEndpoint>, delegation: Delegation) -> Result<()> {
    rights::require_rights_of(work, uuid_in(&endpoint.record, "created_by_id"), delegation).await
}

async fn delete(work: &Work, call: RequestContext) -> Result<Response> {
    let found = stored::find::<WebhookEndpoint>(work, call.id(0)?, "delete").await?;
    expect_version(call.if_match, found.version())?;
    require_rights_of_maker(work, &found, Delegation::None).await?;
    stored::delete(work, &found).await?;
    Ok(Response::no_content())
}

/// Its address may be sent to, its types are known, and its filter is one.
///
/// What it names its maker must be allowed to read, or it would never be sent; `*` stands for whatever that is. `before` is the endpoint
/// as it was: types it was made with need not be readable to a caller that changes something else.
async fn check(work: &Work, call: &RequestContext, endpoint: &WebhookEndpoint, before: Option<&WebhookEndpoint>) -> Result<()> {
    let mut faults: Vec<FieldError> = address::check(&endpoint.url, call.service::<Sender>()?.allow_private).err().into_iter().collect();
    event_types(work.store.shapes, endpoint.event_types.iter().map(String::as_str), |i| format!("/event_types/{i}"), &mut faults);
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    if before.is_none_or(|b| b.event_types != endpoint.event_types) {
        require_read(work, &resources_of(work.store.shapes, endpoint.event_types.iter().map(String::as_str)))?;
    }
    match condition(work, endpoint).await {
        // Here the filter is a field of a body, not a query.
        Err(e) if e.code == Code::InvalidFilter => Err(Error::from(Code::ValidationFailed).with_field_errors(e.errors)),
        other => other.map(|_| ()),
    }
}

/// An endpoint's filter.
pub async fn condition(reader: &Reader, endpoint: &WebhookEndpoint) -> Result<Option<Filter>> {
    static SHAPE: LazyLock<&'static Shape> = LazyLock::new(Shape::of::<ChangeCondition>);
    match &endpoint.filter {
        None => Ok(None),
        Some(filter) => filter::parse(filter, &SHAPE, &FilterContext::of(reader).await?).map(Some),
    }
}

async fn rotate(work: &Work, call: RequestContext) -> Result<Response> {
    let before = stored::find::<WebhookEndpoint>(work, call.id(0)?, "rotate-secret").await?;
    expect_version(call.if_match, before.version())?;
    require_rights_of_maker(work, &before, Delegation::Identity).await?;
    let until = work.now.plus_seconds(GRACE);
    secrets::end(work, before.id(), until).await?;
    let mut after = before.clone();
    after.data.previous_secret_expires_at = Some(until);
    let made = stored::save(work, &before, after, "secret_rotated", None).await?;
    issue(work, &call, &made).await
}

async fn issue(work: &Work, call: &RequestContext, endpoint: &Stored<WebhookEndpoint>) -> Result<Response> {
    let secret = tokens::random();
    secrets::keep(work, &call.service::<Identity>()?.keyring(), endpoint.id(), &secret).await?;
    let shown = visible_fields(work, work.shape("webhook_endpoints")?, &endpoint.record);
    let issued = IssuedWebhookEndpoint { webhook_endpoint: shown, secret: format!("whsec_{}", STANDARD.encode(secret)) };
    let location = Some(format!("/v1/webhook-endpoints/{}", endpoint.id()));
    Ok(Response { version: Some(endpoint.version()), location, ..Response::json(&issued) })
}

async fn pause(work: &Work, before: &Stored<WebhookEndpoint>, _: &mut WebhookEndpoint) -> Result<()> {
    require_rights_of_maker(work, before, Delegation::None).await
}

async fn resume(work: &Work, before: &Stored<WebhookEndpoint>, after: &mut WebhookEndpoint) -> Result<()> {
    require_rights_of_maker(work, before, Delegation::Identity).await?;
    after.disabled_reason = None;
    after.failing_since = None;
    Ok(())
}

async fn test(work: &Work, endpoint: Stored<WebhookEndpoint>) -> Result<Stored<WebhookEndpoint>> {
    note(work, &endpoint, TESTED);
    Ok(endpoint)
}

/// The type of a change that only the endpoint it is about is told, always.
pub const TESTED: &str = "webhook_endpoint.tested";

fn note(work: &Work, endpoint: &Stored<WebhookEndpoint>, kind: &str) {
    work.emit(Event {
        kind: kind.to_owned(),
        resource: WebhookEndpoint::PLURAL,
        resource_id: endpoint.id(),
        version: endpoint.version(),
        changed_fields: vec![],
        before: None,
        after: None,
        reason: None,
    });
}

async fn replay(work: &Work, endpoint: Stored<WebhookEndpoint>, input: Replay) -> Result<Stored<WebhookEndpoint>> {
    require_rights_of_maker(work, &endpoint, Delegation::Identity).await?;
    let wrong = |code, about| Error::invalid(FieldError::new("/after", code, about));
    let position = work.store.feed_position(&input.after).map_err(|_| wrong(FieldCode::InvalidFormat, "a cursor of the feed"))?;
    let mut sql = work.sql();
    sql.push("SELECT coalesce(max(position), 0) FROM event_positions");
    // Of a time that a restore undid: nothing would be told until the feed is as long again.
    if position > work.count(sql).await? {
        return Err(wrong(FieldCode::AheadOfFeed, ""));
    }
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET position = ").int(position).push(" WHERE endpoint_id = ").id(endpoint.id());
    work.execute(sql).await?;
    note(work, &endpoint, "webhook_endpoint.replayed");
    Ok(endpoint)
}
