//! How users are reached, and `GET /v1/me`.

use super::succession::{self, HandOverRecords};
use crate::identity::{
    limits, passwords,
    rights::{self, Book, Holder},
    service::Identity,
};
use actix_web::http::Method;
use samphan_background::jobs::Job;
use samphan_domain::{
    id::UserId,
    platform::{
        password::weakness,
        user::{User, UserStatus},
    },
};
use samphan_persistence::{
    record::expect_action,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::{CallerKind, Reach},
    error::{Code, Error, FieldCode, FieldError, Result},
    event::CLIENT_ADDRESS,
    example,
    resource::Resource,
    rights::{Delegation, ExcessRight},
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::{Api, Collection},
    example::Example,
    operation::{Access, Body, Operation, RequestContext},
    response::Response,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, net::IpAddr};
use utoipa::ToSchema;
use uuid::Uuid;

/// Users.
#[must_use]
pub fn routes() -> Collection<User> {
    Collection::new("users")
        .create(create)
        .update(update)
        .delete(delete)
        .after_restore(restored)
        .with_crud()
        .transition_with("activate", "Activate a user. The user can sign in again.", activate)
        .example(Example::default().depends_on(&["deactivateUser"]).persists())
        .transition_with_input(
            "deactivate",
            "Deactivate a user. The user cannot sign in any more; sessions and API keys of the user end.",
            deactivate,
        )
        .example(Example::body(json!({"keep": true})).answers(json!({"status": "inactive"})).persists())
        .schema::<SetPassword>()
        .operation("/{id}/set-password", |path| {
            Operation::unmanaged("setUserPassword", Method::POST, path, set_password)
                .describe(
                    "users",
                    "Set a user's password",
                    "Ends the user's sessions. The user is active: one who is not gets a password after `activate`.",
                )
                .example(Example::body(json!({"password": "correct horse battery"})).depends_on(&["activateUser"]).persists())
                .body(Body::of("SetPassword"))
                .requires("users:set-password")
                .no_content()
        })
}

/// What is about the caller alone.
#[must_use]
pub fn own_routes() -> Vec<Operation> {
    vec![
        Operation::read("getMe", "/v1/me", me)
            .describe("auth", "Get the caller", "The caller: a person or a machine, with its permissions and their reach.")
            .example(Example::default().answers(json!({"id": example::id("users"), "team_ids": [example::id("teams")], "permissions": {"accounts:read": "team", "orders:*": "own"}})))
            .access(Access::SignedIn)
            .responds(200, "Me"),
        Operation::unmanaged("changeMyPassword", Method::POST, "/v1/me/password", change_password)
            .describe("auth", "Change the caller's password", "Ends all other sessions.")
            .example(
                Example::body(json!({"current_password": "correct horse battery", "new_password": "tea at nine in Lampang"}))
                    .depends_on(&["refreshTokens", "signOut", "signOutEverywhere"]),
            )
            .body(Body::of("ChangePassword"))
            .access(Access::SignedIn)
            .no_content(),
    ]
}

/// The schemas of what is about the caller alone.
#[must_use]
pub fn schemas(api: Api) -> Api {
    api.schema::<Me>().schema::<ChangePassword>()
}

/// Makes a user, who cannot sign in before a password is set.
pub async fn create(work: &Work, draft: Stored<User>) -> Result<Stored<User>> {
    check(work, &draft.data).await?;
    check_grantable(work, None, &Holder::user(&draft)).await?;
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<User>, after: Stored<User>) -> Result<Stored<User>> {
    check(work, &after.data).await?;
    let of_rights = |user: &User| (user.email.clone(), user.role_ids.clone(), user.team_ids.clone(), user.manager_id);
    if of_rights(&before.data) != of_rights(&after.data) {
        rights::require_rights_of(work, Some(before.id()), Delegation::None).await?;
        check_grantable(work, Some(&Holder::user(before)), &Holder::user(&after)).await?;
    }
    stored::save(work, before, after, "updated", None).await
}

async fn delete(work: &Work, found: &Stored<User>) -> Result<()> {
    rights::require_rights_of(work, Some(found.id()), Delegation::None).await?;
    succession::require_no_records(work, found.id()).await?;
    end_sessions(work, found.id(), "deleted").await?;
    stored::delete(work, found).await
}

async fn restored(work: &Work, made: &Stored<User>) -> Result<()> {
    rights::require_rights_of(work, Some(made.id()), Delegation::None).await
}

/// Roles and teams are named in lists, so their existence is checked here.
async fn check(work: &Work, user: &User) -> Result<()> {
    exist(work, "roles", "/role_ids", user.role_ids.iter().map(|id| id.0).collect()).await?;
    exist(work, "teams", "/team_ids", user.team_ids.iter().map(|id| id.0).collect()).await
}

/// Refuses roles and teams by which a user would have rights that neither the user had before nor the caller has.
async fn check_grantable(work: &Work, before: Option<&Holder>, after: &Holder) -> Result<()> {
    let book = Book::read(work).await?;
    let before = before.map(|holder| book.caller(holder));
    let found = rights::excess_rights(work, before.as_ref(), &book.caller(after), Delegation::Rights);
    rights::check_grantable(&found, |excess| match excess {
        ExcessRight::Permission(permission) => role_place(&book, after, permission),
        ExcessRight::Records(_) => "/team_ids".to_owned(),
        _ => "/role_ids".to_owned(),
    })
}

/// Where a body names the role that grants a permission.
pub(super) fn role_place(book: &Book, holder: &Holder, permission: &str) -> String {
    book.granted_by(&holder.role_ids, permission).map_or_else(|| "/role_ids".to_owned(), |i| format!("/role_ids/{i}"))
}

/// Refuses a list that names a record that does not exist.
pub async fn exist(work: &Work, many: &'static str, pointer: &str, ids: Vec<Uuid>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = work.sql();
    sql.push("SELECT id FROM ").push(many).push(" WHERE deleted_at IS NULL AND id").one_of_ids(ids.iter().copied());
    let found = work.fetch(sql, |row| row.id(0)).await?;
    let missing = ids.iter().enumerate().filter(|(_, id)| !found.contains(id));
    let faults: Vec<FieldError> =
        missing.map(|(i, _)| FieldError::new(format!("{pointer}/{i}"), FieldCode::UnknownReference, many)).collect();
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// Who takes over from a user who is deactivated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeactivateUser {
    /// The active user who gets the living records that the user owns: within seconds, some at a time. Without it, and without `keep`, the
    /// user must own none: 409 `in_use` says how many of each resource there are.
    #[serde(default)]
    #[schema(nullable = false)]
    pub hand_over_to: Option<Uuid>,
    /// Whether the user stays the owner of the records.
    #[serde(default)]
    pub keep: bool,
}

async fn activate(work: &Work, before: &Stored<User>, after: &mut User) -> Result<()> {
    rights::require_rights_of(work, Some(before.id()), Delegation::None).await?;
    after.successor_id = None;
    Ok(())
}

async fn deactivate(work: &Work, before: &Stored<User>, after: &mut User, input: DeactivateUser) -> Result<()> {
    match input.hand_over_to {
        Some(_) if input.keep => {
            return Err(Error::invalid(FieldError::new("/keep", FieldCode::Ambiguous, "either keep or hand_over_to")));
        }
        Some(successor) => {
            succession::expect_active(work, before.id(), successor).await?;
            succession::require_assign(work, before.id()).await?;
        }
        None if !input.keep => succession::require_no_records(work, before.id()).await?,
        None => {}
    }
    rights::require_rights_of(work, Some(before.id()), Delegation::None).await?;
    end_sessions(work, before.id(), "deactivated").await?;
    after.successor_id = input.hand_over_to.map(UserId);
    if input.hand_over_to.is_some() {
        let job = HandOverRecords { user_id: before.id(), successor_id: input.hand_over_to };
        work.enqueue(job.enqueued()?.of(succession::count(work, before.id()).await?)).await?;
    }
    Ok(())
}

/// Shuts a user out for good: no password, no session. Of one who was deleted there is nothing more to do.
pub async fn shut_out(work: &Work, id: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("DELETE FROM user_passwords WHERE user_id = ").id(id);
    work.execute(sql).await?;
    end_sessions(work, id, "erased").await?;
    match stored::find_one_by::<User>(work, "id", Scalar::Id(id)).await?.filter(|user| user.data.status == UserStatus::Active) {
        Some(user) => {
            rights::require_rights_of(work, Some(id), Delegation::None).await?;
            let (mut after, what) = stored::after_transition(&user, "deactivate")?;
            after.data.successor_id = None;
            stored::save(work, &user, after, what, None).await.map(|_| ())
        }
        None => Ok(()),
    }
}

/// Ends a user's sessions. Other processes feel it within seconds.
pub async fn end_sessions(work: &Work, user: Uuid, why: &str) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE sessions SET ended_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(", ended_why = ").text(why);
    sql.push(" WHERE ended_at IS NULL AND user_id = ").id(user);
    work.execute(sql).await.map(|_| ())
}

/// A new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPassword {
    /// 12 characters or more, and not easy to guess: neither the user's e-mail address or name, nor a few characters repeated, nor one
    /// that many people use (`weak_password`).
    #[schema(min_length = 12, max_length = 200)]
    pub password: String,
}

async fn set_password(call: RequestContext) -> Result<Response> {
    let input: SetPassword = call.input()?;
    let id = call.id(0)?;
    if let Some(user) = stored::find_visible::<User>(&call.reader(), id).await? {
        require_strong("/password", &input.password, &user.data)?;
    }
    let hash = passwords::hash(input.password).await?;
    let work = call.work().await?;
    let user = stored::find::<User>(&work, id, "set-password").await?;
    expect_action(work.shape(User::PLURAL)?, &user.record, "set-password")?;
    // Who sets a password can sign in with it.
    rights::require_rights_of(&work, Some(user.id()), Delegation::Identity).await?;
    keep_password(&work, user.id(), hash).await?;
    end_sessions(&work, user.id(), "password_set").await?;
    emit_password_event(&work, "user.password_set", (user.id(), user.version()), Some(call.client_address), None);
    work.commit().await?;
    call.service::<Identity>()?.callers.forget_all();
    Ok(Response::no_content())
}

/// Refuses a password that is too easy to guess.
fn require_strong(pointer: &str, password: &str, user: &User) -> Result<()> {
    match weakness(password, &user.email, &user.name) {
        Some(about) => Err(Error::invalid(FieldError::new(pointer, FieldCode::WeakPassword, about))),
        None => Ok(()),
    }
}

/// Emits an event about a user's password, which never holds the password.
pub fn emit_password_event(work: &Work, kind: &str, (user, version): (Uuid, i64), client: Option<IpAddr>, reason: Option<&str>) {
    work.emit(samphan_resource::event::Event {
        kind: kind.to_owned(),
        resource: User::PLURAL,
        resource_id: user,
        version,
        changed_fields: vec![],
        before: None,
        after: client.map(|address| serde_json::Map::from_iter([(CLIENT_ADDRESS.to_owned(), json!(address))])),
        reason: reason.map(str::to_owned),
    });
}

/// Keeps a password's hash.
pub async fn keep_password(work: &Work, user: Uuid, hash: String) -> Result<()> {
    let columns = [("user_id", Kind::Id), ("hash", Kind::Text), ("changed_at", Kind::Time)];
    let row = vec![Scalar::Id(user), Scalar::Text(hash), Scalar::Time(work.now)];
    work.insert(
        "user_passwords",
        &columns,
        vec![row],
        "ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at",
    )
    .await?;
    Ok(())
}

/// One's own new password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// The present one.
    #[schema(max_length = 200)]
    pub current_password: String,
    /// 12 characters or more, and not easy to guess: neither the user's e-mail address or name, nor a few characters repeated, nor one
    /// that many people use (`weak_password`).
    #[schema(min_length = 12, max_length = 200)]
    pub new_password: String,
}

async fn change_password(call: RequestContext) -> Result<Response> {
    let input: ChangePassword = call.input()?;
    // A stolen access token must not be used to try out passwords.
    call.kernel.limits.try_acquire(&format!("password of {}", call.caller.id), 1, limits::SIGN_INS, call.now)?;
    let reader = call.reader();
    let mut sql = reader.sql();
    sql.push("SELECT hash FROM user_passwords WHERE user_id = ").id(call.caller.id);
    let hash = reader.fetch_one(sql, |row| row.text(0)).await?;
    if !passwords::verify(input.current_password, hash).await? {
        return Err(Error::invalid(FieldError::new("/current_password", FieldCode::WrongPassword, "your present password")));
    }
    if let Some(user) = stored::find_one_by::<User>(&reader, "id", Scalar::Id(call.caller.id)).await? {
        require_strong("/new_password", &input.new_password, &user.data)?;
    }
    let hash = passwords::hash(input.new_password).await?;
    let work = call.work().await?;
    keep_password(&work, call.caller.id, hash).await?;
    let mut sql = work.sql();
    sql.push("UPDATE sessions SET ended_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(", ended_why = 'password_changed'");
    sql.push(" WHERE ended_at IS NULL AND user_id = ").id(call.caller.id).push(" AND id <> ").id(call.caller.session_id);
    work.execute(sql).await?;
    emit_password_event(&work, "user.password_changed", (call.caller.id, 0), Some(call.client_address), None);
    work.commit().await?;
    call.service::<Identity>()?.callers.forget_all();
    Ok(Response::no_content())
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// `user` or `api_key`.
    #[schema(max_length = 100, example = "user")]
    pub kind: String,
    /// The user's or API key's id.
    pub id: Uuid,
    /// For people to read.
    #[schema(max_length = 200, example = "Somying Rakdee")]
    pub name: String,
    /// Language of messages.
    #[schema(max_length = 35, example = "th")]
    pub locale: String,
    /// IANA time zone the caller's filters go by: the user's own, or else the organisation's.
    #[schema(max_length = 50, example = "Asia/Bangkok")]
    pub time_zone: String,
    /// The caller's teams.
    #[schema(max_items = 50)]
    pub team_ids: Vec<Uuid>,
    /// Permissions and how far each reaches.
    pub permissions: BTreeMap<String, Reach>,
}

async fn me(reader: &Reader, _: RequestContext) -> Result<Response> {
    let caller = &reader.caller;
    Ok(Response::json(&Me {
        kind: if caller.kind == CallerKind::User { "user" } else { "api_key" }.to_owned(),
        id: caller.id,
        name: caller.name.clone(),
        locale: caller.locale.clone(),
        time_zone: reader.caller_zone().await?.name().to_owned(),
        team_ids: caller.teams.clone(),
        permissions: caller.grants.iter().map(|(k, v)| (k.clone(), *v)).collect(),
    }))
}
