//! How API keys are reached: a secret is shown once, when the key is made or rotated.

use super::user::role_place;
use crate::identity::{
    rights::{self, Book, Holder},
    service::Identity,
    tokens,
};
use actix_web::http::Method;
use samphan_domain::{id::UserId, platform::api_key::ApiKey};
use samphan_persistence::{
    record::{expect_action, expect_version},
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    caller::CallerKind,
    error::{Code, Error, FieldCode, FieldError, MAX_FIELD_ERRORS, Result, nearest},
    event::Event,
    example,
    network::Network,
    resource::Resource,
    rights::{Delegation, ExcessRight},
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Collection,
    example::Example,
    operation::{Body, Operation, RequestContext},
    response::{Response, visible_fields},
    router::Router,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use utoipa::ToSchema;
use uuid::Uuid;

/// Seconds a key works when nothing else is said: a year.
const YEAR: i64 = 365 * 86_400;

/// API keys.
#[must_use]
pub fn routes() -> Collection<ApiKey> {
    Collection::new("api-keys")
        .transition_with("revoke", "Revoke an API key. It stops working for good, within 5 s in every process.", revoke)
        .example(Example::default().answers(json!({"status": "revoked"})))
        .schema::<IssuedApiKey>()
        .operation("", |path| {
            Operation::write("createApiKey", Method::POST, path, create)
                .describe(
                    "api-keys",
                    "Create an API key",
                    "The answer shows the secret, once. The key works while the user who made it may sign in, or the one who rotated it since. \
                     Made by a key, it is at most as wide: for the same systems and addresses, and it ends no later. \
                     A scope that is no permission, or that its roles do not grant, is 422.",
                )
                .example(Example::default().answers(json!({"api_key": {"id": example::id("api_keys"), "name": "Express accounting", "prefix": "smp_01a2", "status": "active"}})))
                .body(Body::of("ApiKeyInput"))
                .requires("api-keys:create")
                .responds(201, "IssuedApiKey")
                .returns_secret()
                .etag()
        })
        .operation("/{id}", |path| {
            Operation::write("updateApiKey", Method::PATCH, path, update)
                .describe(
                    "api-keys",
                    "Update an API key",
                    "A JSON merge patch (RFC 7396). Scopes and roles are checked as when a key is made; scopes that stand and that its roles \
                     did not grant before stay as they are.",
                )
                .body(Body { patch: true, ..Body::of("ApiKeyPatch") })
                .requires("api-keys:update")
                .responds(200, "ApiKey")
                .etag()
                .if_match(false)
        })
        .operation("/{id}/rotate", |path| {
            Operation::write("rotateApiKey", Method::POST, path, rotate)
                .describe(
                    "api-keys",
                    "Rotate an API key",
                    "The old secret, and access tokens that were got with it, stop working within five seconds; the answer shows the new one, once. \
                     Who rotates a key answers for it from then on: see `responsible_id`.",
                )
                .example(Example::default().answers(json!({"api_key": {"id": example::id("api_keys"), "name": "Express accounting", "prefix": "smp_01a2", "status": "active"}})))
                .requires("api-keys:rotate")
                .responds(200, "IssuedApiKey")
                .returns_secret()
                .etag()
                .if_match(false)
        })
}

/// A key with its secret, shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct IssuedApiKey {
    /// The key.
    #[schema(value_type = Object)]
    pub api_key: Map<String, Value>,
    /// What to send: `Authorization: Bearer smp_…`.
    #[schema(max_length = 200, example = "example-api-key")]
    pub token: String,
    /// For OAuth2 client credentials: the `client_id`.
    #[schema(max_length = 100, example = "example-client-id")]
    pub client_id: String,
    /// For OAuth2 client credentials: the `client_secret`.
    #[schema(max_length = 200, example = "example-client-secret")]
    pub client_secret: String,
}

async fn create(work: &Work, call: RequestContext) -> Result<Response> {
    let shape = work.shape("api_keys")?;
    let mut draft = Stored::<ApiKey>::from_body(shape, call.body.clone(), None)?;
    let year = work.now.plus_seconds(YEAR);
    // A key that a key makes ends with it at the latest.
    let end = work.caller.expires_at.map_or(year, |end| end.min(year));
    draft.data.expires_at = draft.data.expires_at.or(Some(end));
    check(work, &*call.service::<Router>()?, None, &mut draft).await?;
    draft.data.responsible_id = responsible(work).await?;
    let (key, secret) = insert(work, draft).await?;
    Ok(issued(work, &key, secret)?.with_status(201))
}

/// Makes a key with its first secret, and answers both.
pub async fn insert(work: &Work, mut draft: Stored<ApiKey>) -> Result<(Stored<ApiKey>, String)> {
    let secret = tokens::secret();
    draft.data.prefix = beginning(&secret);
    let key = stored::insert(work, draft).await?;
    keep_secret(work, key.id(), &secret).await?;
    work.emit(Event {
        kind: "api_key.issued".to_owned(),
        resource: ApiKey::PLURAL,
        resource_id: key.id(),
        version: key.version(),
        changed_fields: vec![],
        before: None,
        after: None,
        reason: None,
    });
    Ok((key, secret))
}

async fn update(work: &Work, call: RequestContext) -> Result<Response> {
    let before = stored::find::<ApiKey>(work, call.id(0)?, "update").await?;
    expect_version(call.if_match, before.version())?;
    rights::require_rights_of(work, Some(before.id()), Delegation::None).await?;
    let mut after = before.patched(work.shape("api_keys")?, &call.body)?;
    check(work, &*call.service::<Router>()?, Some(&before), &mut after).await?;
    let made = stored::save(work, &before, after, "updated", None).await?;
    call.service::<Identity>()?.callers.forget(made.id());
    Ok(Response::record(work, work.shape("api_keys")?, &made.record))
}

async fn rotate(work: &Work, call: RequestContext) -> Result<Response> {
    let mut key = stored::find::<ApiKey>(work, call.id(0)?, "rotate").await?;
    expect_version(call.if_match, key.version())?;
    expect_action(work.shape(ApiKey::PLURAL)?, &key.record, "rotate")?;
    // Who is shown a secret can use it.
    rights::require_rights_of(work, Some(key.id()), Delegation::Identity).await?;
    call.service::<Identity>()?.callers.forget(key.id());
    if work.caller.id != key.id() {
        key.data.responsible_id = responsible(work).await?;
    }
    let secret = tokens::secret();
    let mut after = key.clone();
    after.data.prefix = beginning(&secret);
    let key = stored::save(work, &key, after, "rotated", None).await?;
    keep_secret(work, key.id(), &secret).await?;
    issued(work, &key, secret)
}

/// The user who answers for what the caller makes: the user itself, or the one who answers for a key.
async fn responsible(work: &Work) -> Result<Option<UserId>> {
    match work.caller.kind {
        CallerKind::User => Ok(Some(UserId(work.caller.id))),
        CallerKind::System => Ok(None),
        CallerKind::ApiKey => {
            let parent = stored::find_one_by::<ApiKey>(work, "id", Scalar::Id(work.caller.id)).await?;
            Ok(parent.and_then(|key| key.data.responsible_id))
        }
    }
}

async fn revoke(work: &Work, before: &Stored<ApiKey>, _: &mut ApiKey) -> Result<()> {
    rights::require_rights_of(work, Some(before.id()), Delegation::None).await
}

/// The beginning of a secret, which tells this one from the one before.
fn beginning(secret: &str) -> String {
    format!("smp_…{}", secret.get(..4).unwrap_or_default())
}

/// Keeps a key's secret, hashed.
async fn keep_secret(work: &Work, key: Uuid, secret: &str) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE api_keys SET secret_hash = ").bind(Kind::Bytes, Scalar::Bytes(tokens::hash(secret.as_bytes()).to_vec()));
    sql.push(" WHERE id = ").id(key);
    work.execute(sql).await.map(|_| ())
}

/// The answer that shows a key's secret.
fn issued(work: &Work, key: &Stored<ApiKey>, secret: String) -> Result<Response> {
    let issued = IssuedApiKey {
        api_key: visible_fields(work, work.shape("api_keys")?, &key.record),
        token: format!("smp_{}{secret}", key.id().simple()),
        client_id: key.id().to_string(),
        client_secret: secret,
    };
    Ok(Response { version: Some(key.version()), location: Some(format!("/v1/api-keys/{}", key.id())), ..Response::json(&issued) })
}

/// Its roles exist; its addresses are such that a client can call from, each written in one way; its scopes are permissions its roles
/// grant; and it has no right that neither it had before nor the caller has.
async fn check(work: &Work, routes: &Router, before: Option<&Stored<ApiKey>>, key: &mut Stored<ApiKey>) -> Result<()> {
    super::user::exist(work, "roles", "/role_ids", key.data.role_ids.iter().map(|id| id.0).collect()).await?;
    let mut faults = vec![];
    for (i, address) in key.data.allowed_addresses.iter_mut().enumerate() {
        match address.parse::<Network>() {
            Ok(network) => *address = network.to_string(),
            Err(not) => faults.push(FieldError::new(format!("/allowed_addresses/{i}"), FieldCode::InvalidFormat, not.to_string())),
        }
    }
    let book = Book::read(work).await?;
    let (was, next) = (before.map(Holder::key), Holder::key(key));
    faults.extend(scope_faults(&book, routes, was.as_ref(), &next));
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    let before = was.map(|was| book.caller(&was));
    let found = rights::excess_rights(work, before.as_ref(), &book.caller(&next), Delegation::Rights);
    rights::check_grantable(&found, |excess| match excess {
        ExcessRight::Permission(permission) | ExcessRight::Records(permission) => {
            match next.scopes.iter().position(|scope| scope == permission) {
                Some(n) => format!("/scopes/{n}"),
                None => role_place(&book, &next, permission),
            }
        }
        ExcessRight::Field(..) => "/role_ids".to_owned(),
        ExcessRight::Systems => "/systems".to_owned(),
        ExcessRight::Addresses => "/allowed_addresses".to_owned(),
        ExcessRight::Expiry => "/expires_at".to_owned(),
    })
}

/// The scopes that would grant nothing: no permission, or none that the roles grant. A scope that stood and granted nothing before stays,
/// so that the other fields of the key can be written.
fn scope_faults(book: &Book, routes: &Router, was: Option<&Holder>, next: &Holder) -> Vec<FieldError> {
    let is_changed = was.is_none_or(|was| was.scopes != next.scopes || was.role_ids != next.role_ids);
    if next.scopes.is_empty() || !is_changed {
        return vec![];
    }
    let permissions = routes.permissions();
    let granted = |holder: &Holder, scope: &str| book.granted_by(&holder.role_ids, scope).is_some();
    let mut faults = vec![];
    for (n, scope) in next.scopes.iter().enumerate() {
        if faults.len() >= MAX_FIELD_ERRORS {
            break;
        }
        if was.is_some_and(|was| was.scopes.contains(scope) && !(is_permission(&permissions, scope) && granted(was, scope))) {
            continue;
        }
        let at = format!("/scopes/{n}");
        if !is_permission(&permissions, scope) {
            // Of its resource all there are; of a resource that is none, the nearest.
            let of = |permission: &str| permission.split(':').next().map(str::to_owned);
            let same = permissions.iter().filter(|p| of(p) == of(scope)).copied();
            let names: Vec<String> = permissions.iter().map(|p| (*p).to_owned()).collect();
            let fault = FieldError::new(at, FieldCode::UnknownValue, "").with_suggestion(scope, same);
            faults.push(FieldError { did_you_mean: nearest(scope, &names), ..fault });
        } else if !granted(next, scope) {
            faults.push(FieldError::new(at, FieldCode::BeyondOwnRights, format!("the key's roles do not grant {scope}")));
        }
    }
    faults
}

/// Whether an operation asks for a permission, or for one that a `*` in it stands for.
fn is_permission(permissions: &BTreeSet<&str>, scope: &str) -> bool {
    let fits = |wanted: &str, part: &str| wanted == "*" || wanted == part;
    scope.split_once(':').is_some_and(|(resource, verb)| {
        permissions.iter().filter_map(|p| p.split_once(':')).any(|(r, v)| fits(resource, r) && fits(verb, v))
    })
}
