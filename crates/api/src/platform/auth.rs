//! Signing in and out: people with a password, machines with client credentials.

use crate::identity::{callers, limits, passwords, service::Identity, tokens};
use actix_web::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use samphan_domain::{email, platform::user::User};
use samphan_persistence::store::Work;
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
    event::CLIENT_ADDRESS,
    network::limited_as,
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Api,
    example::Example,
    operation::{Access, Body, Operation, RequestContext},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use std::{sync::Arc, time::Duration};
use utoipa::ToSchema;
use uuid::Uuid;

/// Seconds a session lives without being refreshed: 30 days.
const SESSION_SECONDS: i64 = 30 * 86_400;
/// Seconds in which the token just used gets the same successor again: two tabs, one refresh.
const GRACE_SECONDS: i64 = 10;

/// Longest that an answer is put off where an account is tried from many addresses.
const MAX_DELAY_SECONDS: i64 = 4;

/// The operations.
#[must_use]
pub fn routes() -> Vec<Operation> {
    vec![
        Operation::unmanaged("signIn", Method::POST, "/v1/auth/sign-in", sign_in)
            .describe("auth", "Sign in", "With e-mail address and password. At most 5 failed tries a minute for an account from one address, and 20 from one address; where an account is tried from many addresses, each answer takes some seconds.")
            .example(Example::body(json!({"password": "correct horse battery"})).depends_on(&["setUserPassword"]))
            .body(Body::of("SignIn"))
            .access(Access::Public)
            .responds(200, "Tokens"),
        Operation::unmanaged("refreshTokens", Method::POST, "/v1/auth/refresh", refresh)
            .describe("auth", "Refresh the tokens", "Gives a new pair for a refresh token, which is used up. Using one twice ends the session, except that the last one used gets the same answer again for 10 seconds.")
            .example(Example::body(json!({"refresh_token": "example-refresh-token"})).answers(json!({"refresh_token": "example-next-refresh-token"})))
            .body(Body::of("Refresh"))
            .access(Access::Public)
            .responds(200, "Tokens"),
        Operation::unmanaged("signOut", Method::POST, "/v1/auth/sign-out", sign_out)
            .describe("auth", "End the session", "Ends this session; its access token stops working within 5 seconds everywhere.")
            .example(Example::default().depends_on(&["signIn"]))
            .access(Access::SignedIn)
            .no_content(),
        Operation::unmanaged("signOutEverywhere", Method::POST, "/v1/auth/sign-out-everywhere", sign_out_everywhere)
            .describe("auth", "End all sessions", "Ends all sessions of the caller.")
            .example(Example::default().depends_on(&["signIn"]))
            .access(Access::SignedIn)
            .no_content(),
        Operation::unmanaged("createOauthToken", Method::POST, "/v1/oauth/token", token)
            .describe("auth", "Create a machine access token", "OAuth 2.0 client credentials (RFC 6749, 4.4): the id and secret of an API key, in the body or by HTTP Basic.")
            .example(Example::body(json!({"client_id": "example-client-id", "client_secret": "example-client-secret"})))
            .body(Body { form: true, ..Body::of("TokenRequest") })
            .access(Access::Public)
            .responds(200, "AccessToken"),
    ]
}

/// Their schemas.
#[must_use]
pub fn schemas(api: Api) -> Api {
    api.schema::<SignIn>().schema::<Tokens>().schema::<Refresh>().schema::<TokenRequest>().schema::<AccessToken>()
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// E-mail address.
    #[schema(max_length = 254, example = "somying@example.com")]
    pub email: String,
    /// Password.
    #[schema(max_length = 200)]
    pub password: String,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// As the last sign-in or refresh gave it.
    #[schema(max_length = 200)]
    pub refresh_token: String,
}

/// A pair of tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Tokens {
    /// For `Authorization: Bearer …`.
    #[schema(max_length = 4000, example = "example-access-token")]
    pub access_token: String,
    /// `Bearer`.
    #[schema(max_length = 20, example = "Bearer")]
    pub token_type: String,
    /// Seconds the access token lives.
    #[schema(minimum = 1, maximum = 86400, example = 600)]
    pub expires_in: i32,
    /// Gives the next pair, once.
    #[schema(max_length = 200, example = "example-refresh-token")]
    pub refresh_token: String,
}

/// A machine's request for a token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenRequest {
    /// `client_credentials`.
    #[schema(max_length = 50, pattern = "^client_credentials$", example = "client_credentials")]
    pub grant_type: String,
    /// The API key's id.
    #[serde(default)]
    #[schema(nullable = false, max_length = 100)]
    pub client_id: Option<String>,
    /// The API key's secret.
    #[serde(default)]
    #[schema(nullable = false, max_length = 200)]
    pub client_secret: Option<String>,
    /// Not used: a key's scopes are set where it is made.
    #[serde(default)]
    #[schema(nullable = false, max_length = 1000)]
    pub scope: Option<String>,
}

/// A machine's token.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessToken {
    /// For `Authorization: Bearer …`.
    #[schema(max_length = 4000, example = "example-access-token")]
    pub access_token: String,
    /// `Bearer`.
    #[schema(max_length = 20, example = "Bearer")]
    pub token_type: String,
    /// Seconds it lives.
    #[schema(minimum = 1, maximum = 86400, example = 600)]
    pub expires_in: i32,
}

async fn sign_in(call: RequestContext) -> Result<Response> {
    let input: SignIn = call.input()?;
    let email = email::normal_form(&input.email);
    let from = limited_as(call.client_address);
    let (from, to, both) = (format!("sign-ins from {from}"), format!("sign-ins to {email}"), format!("sign-ins from {from} to {email}"));
    call.kernel.limits.try_acquire(&from, 1, limits::SIGN_INS_FROM, call.now)?;
    call.kernel.limits.try_acquire(&both, 1, limits::SIGN_INS, call.now)?;
    // Of tries from many addresses none can be refused, or anyone could lock anyone out: they become slow.
    let late = call.kernel.limits.charge(&to, 1, limits::SIGN_INS_TO, call.now).clamp(0, MAX_DELAY_SECONDS);
    if late > 0 {
        tokio::time::sleep(Duration::from_secs(late.unsigned_abs())).await;
    }
    let reader = call.kernel.store().reader(Arc::new(Caller::system()), call.now);
    let mut sql = reader.sql();
    sql.push("SELECT u.id, p.hash FROM users u JOIN user_passwords p ON p.user_id = u.id WHERE u.deleted_at IS NULL AND u.status = 'active' AND u.email = ").text(email);
    let found = reader.fetch_one(sql, |row| Ok((row.id(0)?, row.text(1)?))).await?;
    let hash = found.as_ref().map(|(_, hash)| hash.clone());
    if !passwords::verify(input.password, hash).await? {
        if let Some((user, _)) = found {
            call.service::<Identity>()?.refused_sign_ins.count(user, call.client_address);
        }
        return Err(Code::InvalidGrant.into());
    }
    let Some((user, _)) = found else { return Err(Code::InvalidGrant.into()) };
    for (name, policy) in [(&from, limits::SIGN_INS_FROM), (&to, limits::SIGN_INS_TO), (&both, limits::SIGN_INS)] {
        call.kernel.limits.give_back(name, 1, policy, call.now);
    }
    let work = call.system_work().await?;
    let session = work.new_id();
    let columns = [("id", Kind::Id), ("user_id", Kind::Id), ("created_at", Kind::Time), ("expires_at", Kind::Time)];
    let row = vec![Scalar::Id(session), Scalar::Id(user), Scalar::Time(work.now), Scalar::Time(work.now.plus_seconds(SESSION_SECONDS))];
    work.insert("sessions", &columns, vec![row], "").await?;
    let refresh_token = tokens::secret();
    keep(&work, session, &refresh_token).await?;
    emit_session_event(&work, &call, "session.started", (user, session));
    work.commit().await?;
    pair(&call, user, session, refresh_token)
}

/// Emits an event about a user's session.
fn emit_session_event(work: &Work, call: &RequestContext, kind: &str, (user, session): (Uuid, Uuid)) {
    let facts = Map::from_iter([("session_id".to_owned(), json!(session)), (CLIENT_ADDRESS.to_owned(), json!(call.client_address))]);
    work.emit_activity(kind, (User::PLURAL, user), facts);
}

fn pair(call: &RequestContext, user: Uuid, session: Uuid, refresh_token: String) -> Result<Response> {
    let access_token = call.service::<Identity>()?.keys.issue(user, session, None, Uuid::from_u128(rand::random()), call.now)?;
    Ok(Response::json(&Tokens {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: i32::try_from(tokens::ACCESS_SECONDS).unwrap_or(600),
        refresh_token,
    }))
}

async fn keep(work: &Work, session: Uuid, refresh_token: &str) -> Result<()> {
    let columns = [("hash", Kind::Bytes), ("session_id", Kind::Id), ("created_at", Kind::Time), ("is_live", Kind::Bool)];
    let row = vec![
        Scalar::Bytes(tokens::hash(refresh_token.as_bytes()).to_vec()),
        Scalar::Id(session),
        Scalar::Time(work.now),
        Scalar::Bool(true),
    ];
    work.insert("refresh_tokens", &columns, vec![row], "").await.map(|_| ())
}

/// What may be a used token's successor, so that two tabs that refresh at once get the same pair: the token and a server key hashed
/// together, so nothing that could be stolen needs to be stored. The first is of the present key.
fn successors(call: &RequestContext, refresh_token: &str) -> Result<Vec<String>> {
    let successor = |secret: Vec<u8>| {
        let mixed = [secret.as_slice(), refresh_token.as_bytes()].concat();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tokens::hash(&mixed))
    };
    Ok(call.service::<Identity>()?.refresh_secrets(call.now).into_iter().map(successor).collect())
}

/// The successor that was handed out: the key may have been rotated since.
async fn successor_given(work: &Work, session: Uuid, successors: Vec<String>) -> Result<String> {
    for successor in successors {
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM refresh_tokens WHERE session_id = ").id(session).push(" AND hash = ");
        sql.bind(Kind::Bytes, Scalar::Bytes(tokens::hash(successor.as_bytes()).to_vec()));
        if work.count(sql).await? > 0 {
            return Ok(successor);
        }
    }
    Err(Code::InvalidGrant.into())
}

async fn refresh(call: RequestContext) -> Result<Response> {
    let input: Refresh = call.input()?;
    let hash = Scalar::Bytes(tokens::hash(input.refresh_token.as_bytes()).to_vec());
    let work = call.system_work().await?;
    // The session is locked first: all uses of its tokens stand in one line.
    let mut sql = work.sql();
    sql.push("SELECT s.id, s.user_id FROM sessions s JOIN users u ON u.id = s.user_id WHERE u.deleted_at IS NULL AND u.status = 'active' AND s.ended_at IS NULL AND s.expires_at > ");
    sql.bind(Kind::Time, Scalar::Time(work.now))
        .push(" AND s.id = (SELECT session_id FROM refresh_tokens WHERE hash = ")
        .bind(Kind::Bytes, hash.clone())
        .push(")");
    sql.for_update("s");
    let Some((session, user)) = work.fetch_one(sql, |row| Ok((row.id(0)?, row.id(1)?))).await? else {
        return Err(Code::InvalidGrant.into());
    };
    let mut sql = work.sql();
    sql.push("SELECT used_at, is_live FROM refresh_tokens WHERE hash = ").bind(Kind::Bytes, hash.clone());
    let Some((used_at, live)) = work.fetch_one(sql, |row| Ok((row.time(0)?, row.scalar(1, Kind::Bool)? == Scalar::Bool(true)))).await?
    else {
        return Err(Code::InvalidGrant.into());
    };
    let successors = successors(&call, &input.refresh_token)?;
    match used_at {
        None if live => {
            let mut sql = work.sql();
            // Only the token used last has a grace; the one before it has none any more.
            sql.push("UPDATE refresh_tokens SET is_live = ")
                .bind(Kind::Bool, Scalar::Bool(false))
                .push(" WHERE used_at IS NOT NULL AND session_id = ")
                .id(session);
            work.execute(sql).await?;
            let mut sql = work.sql();
            sql.push("UPDATE refresh_tokens SET used_at = ")
                .bind(Kind::Time, Scalar::Time(work.now))
                .push(" WHERE hash = ")
                .bind(Kind::Bytes, hash);
            work.execute(sql).await?;
            let next = successors.into_iter().next().ok_or(Code::Internal)?;
            keep(&work, session, &next).await?;
            let mut sql = work.sql();
            sql.push("UPDATE sessions SET expires_at = ")
                .bind(Kind::Time, Scalar::Time(work.now.plus_seconds(SESSION_SECONDS)))
                .push(" WHERE id = ")
                .id(session);
            work.execute(sql).await?;
            work.commit().await?;
            pair(&call, user, session, next)
        }
        Some(at) if live && at.plus_seconds(GRACE_SECONDS) >= work.now => {
            let next = successor_given(&work, session, successors).await?;
            // The use before may not be committed yet: the same successor is handed out when it is.
            work.commit().await?;
            pair(&call, user, session, next)
        }
        _ => {
            // Used before: there is a copy of it. All tokens of the session end.
            end(&work, session, "refresh_token_reused").await?;
            emit_session_event(&work, &call, "session.reuse_detected", (user, session));
            work.commit().await?;
            call.service::<Identity>()?.callers.forget(session);
            Err(Code::InvalidGrant.into())
        }
    }
}

async fn end(work: &Work, session: Uuid, why: &str) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE sessions SET ended_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(", ended_why = ").text(why);
    sql.push(" WHERE ended_at IS NULL AND id = ").id(session);
    work.execute(sql).await.map(|_| ())
}

async fn sign_out(call: RequestContext) -> Result<Response> {
    let work = call.work().await?;
    end(&work, call.caller.session_id, "signed_out").await?;
    emit_session_event(&work, &call, "session.ended", (call.caller.id, call.caller.session_id));
    work.commit().await?;
    call.service::<Identity>()?.callers.forget(call.caller.session_id);
    Ok(Response::no_content())
}

async fn sign_out_everywhere(call: RequestContext) -> Result<Response> {
    let work = call.work().await?;
    super::user::end_sessions(&work, call.caller.id, "signed_out_everywhere").await?;
    emit_session_event(&work, &call, "session.all_ended", (call.caller.id, call.caller.session_id));
    work.commit().await?;
    call.service::<Identity>()?.callers.forget_all();
    Ok(Response::no_content())
}

async fn token(call: RequestContext) -> Result<Response> {
    let input: TokenRequest = call.input()?;
    let from = format!("machine tokens from {}", limited_as(call.client_address));
    call.kernel.limits.try_acquire(&from, 1, limits::TOKENS_FROM, call.now)?;
    let basic = call.authorization.as_deref().and_then(|h| h.strip_prefix("Basic ")).and_then(|b| STANDARD.decode(b.trim()).ok());
    let basic = basic
        .and_then(|b| String::from_utf8(b).ok())
        .and_then(|b| b.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned())));
    let refused = || Error::from(Code::InvalidGrant);
    let (id, secret) = input.client_id.zip(input.client_secret).or(basic).ok_or_else(refused)?;
    let id = Uuid::parse_str(&id).map_err(|_| refused())?;
    let (identity, key) = (call.service::<Identity>()?, format!("{}{secret}", id.simple()));
    let caller =
        identity.callers.authenticate_key(call.kernel.store(), &key, call.client_address, call.now).await.map_err(|_| refused())?;
    call.kernel.limits.give_back(&from, 1, limits::TOKENS_FROM, call.now);
    let mark = callers::mark(&tokens::hash(secret.as_bytes()));
    let access_token =
        call.service::<Identity>()?.keys.issue(caller.id, caller.id, Some(mark), Uuid::from_u128(rand::random()), call.now)?;
    Ok(Response::json(&AccessToken {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: i32::try_from(tokens::ACCESS_SECONDS).unwrap_or(600),
    }))
}
