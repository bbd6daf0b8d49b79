//! Idempotency-Key: the answer is kept in the write's own transaction, so a retry is neither lost nor done twice.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{
    operation::Operation,
    response::{Actions, Response, redact},
};
use samphan_background::retention::Rule;
use samphan_persistence::{
    dialect::Dialect,
    record::{Record, find_visible_or_deleted, owner_of, uuid_in},
    store::Work,
    visibility,
};
use samphan_resource::{
    caller::{Caller, RoleRights},
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
    shape::Shape,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Days an answer is kept.
pub const KEPT_DAYS: i64 = 7;

/// What is kept in place of a status where the answer is not kept: it was done.
const DONE: i64 = 0;

/// Answers that are too old to be repeated.
#[must_use]
pub fn retention() -> Rule {
    let delete = "DELETE FROM idempotency_keys WHERE (principal, key) IN (SELECT principal, key FROM idempotency_keys WHERE created_at < ";
    Rule::statement("idempotent_answers", KEPT_DAYS, delete, " ORDER BY created_at")
}

/// A key being used.
#[derive(Debug)]
pub struct IdempotencyKey {
    key: String,
    fingerprint: Vec<u8>,
}

impl IdempotencyKey {
    /// The key of a request: bound to operation, path, query and body.
    #[must_use]
    pub fn new(key: String, operation: &str, path: &str, body: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [operation.as_bytes(), path.as_bytes(), body] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { key, fingerprint: hash.finalize().to_vec() }
    }

    /// Takes the key, or finds the answer it got before.
    pub async fn claim(&self, work: &Work) -> Result<Option<StoredResponse>> {
        if work.store.dialect() == Dialect::Postgres {
            // The first request with the key holds this lock until it ends.
            let mut sql = work.sql();
            sql.push("SELECT CAST(pg_try_advisory_xact_lock(hashtextextended(")
                .text(format!("{}:{}", work.caller.id, self.key))
                .push(", 0)) AS int)");
            if work.count(sql).await? == 0 {
                return Err(Error::from(Code::IdempotencyInProgress).retry_after(1));
            }
        }
        let mut sql = work.sql();
        sql.push("SELECT fingerprint, status, headers, body FROM idempotency_keys WHERE principal = ").id(work.caller.id);
        sql.push(" AND key = ").text(self.key.clone());
        sql.push(" AND created_at > ").bind(Kind::Time, Scalar::Time(work.now.plus_seconds(-KEPT_DAYS * 86_400)));
        let kept = work.fetch_one(sql, |row| Ok((row.bytes(0)?, row.int(1)?, row.text(2)?, row.bytes(3)?))).await?;
        let Some((fingerprint, status, headers, body)) = kept else { return Ok(None) };
        if fingerprint != self.fingerprint {
            return Err(Code::IdempotencyKeyReused.into());
        }
        let headers: Value = serde_json::from_str(&headers).unwrap_or_default();
        if status == DONE {
            // It was done, and must not be done twice; but the answer is not there any more.
            return Err(Error::from(Code::Conflict).with_detail(match headers["location"].as_str() {
                Some(location) => {
                    format!("this was done before; its answer showed a secret, which is not shown again: give {location} a new one")
                }
                None => "this was done before; its answer held personal data that was erased since".to_owned(),
            }));
        }
        let answer = Response {
            status: u16::try_from(status).ok(),
            body: (!body.is_empty()).then_some(body),
            version: headers["version"].as_i64(),
            location: headers["location"].as_str().map(str::to_owned),
            replayed: true,
            ..Response::default()
        };
        Ok(Some(StoredResponse { answer, rights: headers["rights"].as_str().unwrap_or_default().to_owned() }))
    }

    /// Keeps the answer with the work.
    pub async fn store_response(&self, work: &Work, status: u16, answer: &Response) -> Result<()> {
        self.store(work, status.into(), answer, answer.body.clone().unwrap_or_default()).await
    }

    /// Keeps with the work that it was done and where, without the answer: it shows a secret.
    pub async fn store_completion(&self, work: &Work, answer: &Response) -> Result<()> {
        self.store(work, DONE, answer, vec![]).await
    }

    async fn store(&self, work: &Work, status: i64, answer: &Response, body: Vec<u8>) -> Result<()> {
        let mut sql = work.sql();
        sql.push("DELETE FROM idempotency_keys WHERE principal = ").id(work.caller.id).push(" AND key = ").text(self.key.clone());
        work.execute(sql).await?;
        let columns = [
            ("principal", Kind::Id),
            ("key", Kind::Text),
            ("fingerprint", Kind::Bytes),
            ("created_at", Kind::Time),
            ("status", Kind::Int),
            ("headers", Kind::Json),
            ("body", Kind::Bytes),
        ];
        let row = vec![
            Scalar::Id(work.caller.id),
            Scalar::Text(self.key.clone()),
            Scalar::Bytes(self.fingerprint.clone()),
            Scalar::Time(work.now),
            Scalar::Int(status),
            Scalar::Text(json!({"version": answer.version, "location": answer.location, "rights": mark(&work.caller)}).to_string()),
            Scalar::Bytes(body),
        ];
        work.insert_unseen("idempotency_keys", &columns, vec![row]).await
    }
}

/// An answer that was kept, and what marks the rights it was given for.
#[derive(Debug)]
pub struct StoredResponse {
    answer: Response,
    rights: String,
}

impl StoredResponse {
    /// The answer as the caller may see it now. A record is shown while the caller sees it, with the fields that are not hidden now; what is
    /// no record, or one of a resource that the caller does not read, only while the caller's rights are the same.
    pub async fn again(self, work: &Work, operation: &Operation, path: &[String]) -> Result<Response> {
        let Self { mut answer, rights } = self;
        let Some(body) = &answer.body else { return Ok(answer) };
        let shapes = work.store.shapes;
        let shape = operation.answer.as_ref().and_then(|name| shapes.values().copied().find(|shape| shape.type_name == name));
        if let Some(shape) = shape.filter(|shape| visibility::may_read(work, shape)) {
            let mut shown: Record = serde_json::from_slice(body).map_err(|_| Error::from(Code::Internal))?;
            expect_seen(work, shape, uuid_in(&shown, "id")).await?;
            redact(work, Some(shape.plural), &mut shown);
            if shown.contains_key("available_actions") {
                let status = shape.status.and_then(|field| shown.get(field)).and_then(Value::as_str);
                let actions = Actions::new(work, shape).of(status, owner_of(&shown));
                shown.insert("available_actions".to_owned(), json!(actions));
            }
            answer.body = Some(serde_json::to_vec(&shown).map_err(|_| Error::from(Code::Internal))?);
            return Ok(answer);
        }
        if rights != mark(&work.caller) {
            return Err(withheld());
        }
        if let Some(subject) = operation.subject
            && let Some(id) = path.first().and_then(|part| Uuid::parse_str(part).ok())
        {
            expect_seen(work, subject.parent.map_or(subject.shape, |(_, parent)| parent), Some(id)).await?;
        }
        Ok(answer)
    }
}

async fn expect_seen(work: &Work, shape: &'static Shape, id: Option<Uuid>) -> Result<()> {
    let seen = match id {
        Some(id) if visibility::may_read(work, shape) => find_visible_or_deleted(work, shape, id).await?.is_some(),
        _ => true,
    };
    if seen { Ok(()) } else { Err(withheld()) }
}

/// It was done, and must not be done twice; but what was answered is not for the caller any more.
fn withheld() -> Error {
    Error::from(Code::Conflict).with_detail("this was done before; its answer is not shown again, because your rights have changed since")
}

/// What tells the rights of a caller at one moment from those at another.
fn mark(caller: &Caller) -> String {
    let role = |role: &RoleRights| {
        let grants = role.grants.iter().map(|grant| format!("{grant:?}"));
        let mut all: Vec<String> = grants.chain(role.rules.iter().map(|rule| format!("{rule:?}"))).collect();
        all.sort();
        all
    };
    let sorted = |ids: &[Uuid]| {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids
    };
    let mut grants: Vec<String> = caller.grants.iter().map(|grant| format!("{grant:?}")).collect();
    grants.sort();
    let mut roles: Vec<Vec<String>> = caller.roles.iter().map(role).collect();
    roles.sort();
    let all = format!("{grants:?} {roles:?} {:?} {:?} {:?}", sorted(&caller.teams), sorted(&caller.subtree), caller.systems);
    Sha256::digest(all).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// A key as a header may say it: 1 to 255 visible ASCII characters.
pub fn read(header: Option<&actix_web::http::header::HeaderValue>) -> Result<Option<String>> {
    let Some(value) = header else { return Ok(None) };
    let fits = |k: &&str| (1..=255).contains(&k.len()) && k.bytes().all(|b| (0x21..0x7f).contains(&b));
    let key = value.to_str().ok().filter(fits).map(str::to_owned);
    key.map(Some).ok_or_else(|| Error::from(Code::InvalidHeader).with_detail("Idempotency-Key: 1 to 255 visible ASCII characters"))
}
