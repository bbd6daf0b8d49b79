//! From a token to a caller: read from the database at most every few seconds, so that revocation is felt within five.

use super::{
    limits::BAD_CREDENTIALS,
    rights::{self, Holder},
    service::Identity,
    tickets,
    tokens::{EXPIRED, hash},
};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    row::Row,
    store::{Reader, Store},
};
use samphan_resource::{
    calendar,
    caller::{Caller, CallerKind},
    error::{Code, Error, Result},
    network::{Network, limited_as},
    timestamp::Timestamp,
};
use samphan_rest::kernel::{Authenticator, Kernel};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};
use uuid::Uuid;

/// Seconds a caller is taken as read.
const CACHE_TTL_SECONDS: i64 = 4;
/// Callers remembered.
const REMEMBERED: usize = 10_000;

/// Callers by session, key or principal, and when they were read; none for an ended session or revoked key.
#[derive(Debug, Default)]
pub struct Callers(RwLock<Remembered>);

type Remembered = HashMap<(Way, Uuid), (Timestamp, Option<CachedCaller>)>;

/// By what a caller was looked for: of each, an id that is none is remembered as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    Session,
    Key,
    Principal,
}

#[derive(Clone, Debug)]
struct CachedCaller {
    caller: Arc<Caller>,
    secret_hash: Vec<u8>,
    /// The networks it may call from; any when there are none.
    addresses: Option<Arc<[Network]>>,
    expires_at: Option<Timestamp>,
}

impl Callers {
    /// Forgets one, so that this process feels a change at once.
    pub fn forget(&self, id: Uuid) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for way in [Way::Session, Way::Key, Way::Principal] {
            all.remove(&(way, id));
        }
    }

    /// Whether a key was good when it was read last, however long ago.
    fn is_known(&self, key: Uuid, secret_hash: &[u8]) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&(Way::Key, key)).and_then(|(_, known)| known.as_ref()).is_some_and(|known| known.secret_hash == secret_hash)
    }

    /// Forgets all.
    pub fn forget_all(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Authenticates by access tokens, API keys and one-time tickets.
///
/// Credentials that are not valid are counted for each address. From an address that sent too many, keys are not looked up unless they are
/// known to be good; a signature needs no looking up.
#[derive(Debug)]
pub struct Credentials(pub Arc<Identity>);

impl Authenticator for Credentials {
    fn caller<'a>(
        &'a self,
        kernel: &'a Kernel,
        authorization: Option<&'a str>,
        address: IpAddr,
        now: Timestamp,
    ) -> LocalBoxFuture<'a, Result<Arc<Caller>>> {
        Box::pin(async move {
            let header = authorization.ok_or_else(|| Error::from(Code::Unauthenticated))?;
            match self.authenticated(kernel, header, address, now).await {
                Err(error) if error.code == Code::Unauthenticated && error.detail != EXPIRED => {
                    // Above the limit the answer is 429 instead.
                    kernel.limits.try_acquire(&failures(address), 1, BAD_CREDENTIALS, now)?;
                    Err(error)
                }
                other => other,
            }
        })
    }

    fn principal<'a>(&'a self, store: &'a Store, id: Uuid, now: Timestamp) -> LocalBoxFuture<'a, Result<Option<Arc<Caller>>>> {
        Box::pin(self.0.callers.load_principal(store, id, now))
    }

    fn redeem<'a>(&'a self, kernel: &'a Kernel, ticket: &'a str, address: IpAddr, now: Timestamp) -> LocalBoxFuture<'a, Result<String>> {
        Box::pin(async move {
            kernel.limits.has_any(&failures(address), BAD_CREDENTIALS, now)?;
            let redeemed = tickets::redeem(&kernel.process, &self.0.keys, ticket, now).await;
            if redeemed.as_ref().is_err_and(|error| error.code == Code::Unauthenticated) {
                kernel.limits.try_acquire(&failures(address), 1, BAD_CREDENTIALS, now)?;
            }
            redeemed
        })
    }
}

fn failures(address: IpAddr) -> String {
    format!("bad credentials from {}", limited_as(address))
}

impl Credentials {
    async fn authenticated(&self, kernel: &Kernel, header: &str, address: IpAddr, now: Timestamp) -> Result<Arc<Caller>> {
        let unauthenticated = || Error::from(Code::Unauthenticated);
        let token = header
            .split_once(' ')
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, t)| t.trim())
            .ok_or_else(unauthenticated)?;
        let (callers, store) = (&self.0.callers, kernel.store());
        if let Some(key) = token.strip_prefix("smp_") {
            let (id, secret) = parts(key)?;
            if !callers.is_known(id, &hash(secret.as_bytes())) {
                kernel.limits.has_any(&failures(address), BAD_CREDENTIALS, now)?;
            }
            return callers.authenticate_key(store, key, address, now).await;
        }
        let claims = self.0.keys.verify(token, now)?;
        let known = match claims.kind.as_str() {
            // A token got with a secret that was replaced since is as good as that secret.
            "api_key" => callers.key(store, claims.sid, now).await?.filter(|key| claims.secret == Some(mark(&key.secret_hash))),
            _ => callers.user(store, claims.sid, now).await?,
        };
        from(known, address, now)
    }
}

/// What tells a key's secrets apart, for its access tokens: a hash of what is stored, which itself is a hash.
#[must_use]
pub fn mark(secret_hash: &[u8]) -> String {
    hash(secret_hash).iter().take(8).map(|b| format!("{b:02x}")).collect()
}

/// The id and secret of an API key's text after `smp_`: 32 hexadecimal digits, then the secret.
fn parts(key: &str) -> Result<(Uuid, &str)> {
    let (id, secret) = key.split_at_checked(32).ok_or_else(|| Error::from(Code::Unauthenticated))?;
    Ok((Uuid::try_parse(id).map_err(|_| Error::from(Code::Unauthenticated))?, secret))
}

fn from(known: Option<CachedCaller>, address: IpAddr, now: Timestamp) -> Result<Arc<Caller>> {
    let known = known
        .filter(|k| k.expires_at.is_none_or(|t| t > now))
        .filter(|k| k.addresses.as_ref().is_none_or(|networks| networks.iter().any(|n| n.contains(address))));
    known.map(|k| k.caller).ok_or_else(|| Code::Unauthenticated.into())
}

impl Callers {
    /// The caller of an API key's text after `smp_`.
    pub async fn authenticate_key(&self, store: &Store, key: &str, address: IpAddr, now: Timestamp) -> Result<Arc<Caller>> {
        let (id, secret) = parts(key)?;
        let known = self.key(store, id, now).await?;
        if known.as_ref().is_none_or(|k| k.secret_hash != hash(secret.as_bytes())) {
            return Err(Code::Unauthenticated.into());
        }
        from(known, address, now)
    }

    /// The caller a user or key is, for what is done in its name while it is away; none when it may not sign in any more.
    pub async fn load_principal(&self, store: &Store, id: Uuid, now: Timestamp) -> Result<Option<Arc<Caller>>> {
        let known = self.cached(store, (Way::Principal, id), now, async |reader| {
            let mut sql = reader.sql();
            sql.push("SELECT id, name, locale, role_ids, team_ids FROM users WHERE deleted_at IS NULL AND status = 'active' AND id = ")
                .id(id);
            let Some(holder) = reader.fetch_one(sql, user_of).await? else { return read_key(&reader, id).await };
            let caller = Arc::new(rights::resolve(&reader, &holder).await?);
            Ok(Some(CachedCaller { caller, secret_hash: vec![], addresses: None, expires_at: None }))
        });
        Ok(known.await?.filter(|k| k.expires_at.is_none_or(|t| t > now)).map(|k| k.caller))
    }

    async fn cached(
        &self,
        store: &Store,
        (way, id): (Way, Uuid),
        now: Timestamp,
        read: impl AsyncFnOnce(Reader) -> Result<Option<CachedCaller>>,
    ) -> Result<Option<CachedCaller>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).get(&(way, id)).cloned();
        if let Some((at, known)) = kept
            && at.is_within(CACHE_TTL_SECONDS, now)
        {
            return Ok(known);
        }
        let known = read(store.reader(Arc::new(Caller::system()), now)).await?;
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.retain(|_, (at, _)| at.is_within(CACHE_TTL_SECONDS, now));
        }
        all.insert((way, id), (now, known.clone()));
        Ok(known)
    }

    async fn user(&self, store: &Store, session: Uuid, now: Timestamp) -> Result<Option<CachedCaller>> {
        self.cached(store, (Way::Session, session), now, async |reader| {
            let mut sql = reader.sql();
            sql.push("SELECT u.id, u.name, u.locale, u.role_ids, u.team_ids, s.expires_at, u.time_zone FROM sessions s JOIN users u ON u.id = s.user_id ");
            sql.push("WHERE u.deleted_at IS NULL AND u.status = 'active' AND s.ended_at IS NULL AND s.id = ").id(session);
            let read = |row: &Row<'_>| Ok((user_of(row)?, row.time(5)?, row.optional_text(6)?));
            let Some((holder, expires_at, time_zone)) = reader.fetch_one(sql, read).await? else { return Ok(None) };
            let time_zone = time_zone.as_deref().and_then(calendar::zone);
            let caller = Caller { session_id: session, time_zone, ..rights::resolve(&reader, &holder).await? };
            Ok(Some(CachedCaller { caller: Arc::new(caller), secret_hash: vec![], addresses: None, expires_at }))
        })
        .await
    }

    async fn key(&self, store: &Store, id: Uuid, now: Timestamp) -> Result<Option<CachedCaller>> {
        let known = self.cached(store, (Way::Key, id), now, async |reader| read_key(&reader, id).await).await?;
        if known.is_none() {
            // Anyone can make up ids: remembered, they would push out those who call.
            self.forget(id);
        }
        Ok(known)
    }
}

/// A user, from the columns id, name, locale, role_ids and team_ids of a row.
fn user_of(row: &Row<'_>) -> Result<Holder> {
    Ok(Holder {
        locale: row.optional_text(2)?,
        role_ids: rights::listed(&row.text(3)?),
        team_ids: rights::listed(&row.text(4)?),
        ..Holder::new(CallerKind::User, row.id(0)?, row.text(1)?)
    })
}

/// An active key, as long as the user who answers for it may sign in.
async fn read_key(reader: &Reader, id: Uuid) -> Result<Option<CachedCaller>> {
    let mut sql = reader.sql();
    sql.push("SELECT k.secret_hash, k.id, k.name, k.role_ids, k.scopes, k.systems, k.allowed_addresses, k.expires_at FROM api_keys k ");
    sql.push("WHERE k.deleted_at IS NULL AND k.status = 'active' AND (k.responsible_id IS NULL OR EXISTS (SELECT 1 FROM users u ");
    sql.push("WHERE u.id = k.responsible_id AND u.deleted_at IS NULL AND u.status = 'active')) AND k.id = ").id(id);
    let found = reader.fetch_one(sql, |row| Ok((row.bytes(0)?, rights::key_of(row, 1)?))).await?;
    let Some((secret_hash, holder)) = found else { return Ok(None) };
    let caller = Arc::new(rights::resolve(reader, &holder).await?);
    // One that cannot be read matches no address, which is not the same as having none.
    let addresses = (!holder.addresses.is_empty()).then(|| holder.addresses.iter().filter_map(|a| a.parse().ok()).collect());
    Ok(Some(CachedCaller { caller, secret_hash, addresses, expires_at: holder.expires_at }))
}
