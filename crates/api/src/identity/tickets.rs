//! One-time tickets for event streams: a browser's `EventSource` cannot send an `Authorization` header, and a token in an address would end in
//! histories and logs.
//!
//! A ticket is 256 random bits, stored hashed, bound to the caller's session, or to the API key and its present secret. It is good once and
//! for [`TTL_SECONDS`]. Using it deletes its row, so two processes cannot both accept it; the retention task deletes those that expired unused.

use super::{
    callers::mark,
    tokens::{Keys, hash, secret},
};
use samphan_background::process::Process;
use samphan_persistence::store::Work;
use samphan_resource::{
    caller::{Caller, CallerKind},
    error::{Code, Error, Result},
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::sync::Arc;
use uuid::Uuid;

/// Seconds a ticket is good for.
pub const TTL_SECONDS: i64 = 60;

/// Makes a ticket for the caller of a work. Answers it and when it expires.
pub async fn issue(work: &Work) -> Result<(String, Timestamp)> {
    let (caller, ticket, expires_at) = (&work.caller, secret(), work.now.plus_seconds(TTL_SECONDS));
    let key_secret = if caller.kind == CallerKind::ApiKey { Scalar::Bytes(key_secret(work, caller.id).await?) } else { Scalar::Null };
    let columns = [
        ("secret_hash", Kind::Bytes),
        ("principal_id", Kind::Id),
        ("session_id", Kind::Id),
        ("key_secret", Kind::Bytes),
        ("expires_at", Kind::Time),
    ];
    let row = vec![hashed(&ticket), Scalar::Id(caller.id), Scalar::Id(caller.session_id), key_secret, Scalar::Time(expires_at)];
    work.insert("stream_tickets", &columns, vec![row], "").await?;
    Ok((ticket, expires_at))
}

fn hashed(ticket: &str) -> Scalar {
    Scalar::Bytes(hash(ticket.as_bytes()).to_vec())
}

/// The hash of an API key's present secret.
async fn key_secret(work: &Work, key: Uuid) -> Result<Vec<u8>> {
    let mut sql = work.sql();
    sql.push("SELECT secret_hash FROM api_keys WHERE deleted_at IS NULL AND id = ").id(key);
    work.fetch_one(sql, |row| row.bytes(0)).await?.ok_or_else(|| Code::Unauthenticated.into())
}

/// Uses a ticket up. Answers the `Authorization` header that stands for it: an access token of the session or key that made it, which ends
/// with that.
pub async fn redeem(process: &Process, keys: &Keys, ticket: &str, now: Timestamp) -> Result<String> {
    let work = process.store.work(Arc::new(Caller::system()), now).await?;
    let mut sql = work.sql();
    sql.push("DELETE FROM stream_tickets WHERE secret_hash = ").bind(Kind::Bytes, hashed(ticket)).push(" AND expires_at > ");
    sql.bind(Kind::Time, Scalar::Time(now)).push(" RETURNING principal_id, session_id, key_secret");
    let found = work.fetch_one(sql, |row| Ok((row.id(0)?, row.id(1)?, row.bytes(2)?))).await?;
    let Some((principal, session, made_with)) = found else {
        work.roll_back().await?;
        return Err(Error::from(Code::Unauthenticated));
    };
    let is_key = !made_with.is_empty();
    let mark = is_key.then(|| mark(&made_with));
    // A key's secret that was replaced opens nothing any more, by a ticket as little as by itself.
    let is_replaced = is_key && key_secret(&work, principal).await.ok() != Some(made_with);
    work.commit().await?;
    if is_replaced {
        return Err(Error::from(Code::Unauthenticated));
    }
    let token = keys.issue(principal, session, mark, Uuid::from_u128(rand::random()), now)?;
    Ok(format!("Bearer {token}"))
}
