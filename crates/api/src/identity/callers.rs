//! From a token to a caller: read from the database at most every few seconds, so that revocation is felt within five.

use super::{
    limits::BAD_CREDENTIALS,
    tickets,
    tokens::{EXPIRED, hash},
};
use crate::server::State;
use samphan_domain::{
    calendar,
    caller::{Caller, CallerKind, FieldRules, FieldScope, Reach},
    error::{Code, Error, Result},
    instant::Instant,
    network::{Network, limited_as},
    platform::role::{FieldRule, Grant},
    scalar::{Kind, Scalar},
    shape::Class,
};
use samphan_persistence::store::Reader;
use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};
use uuid::Uuid;

/// Seconds a caller is taken as read.
const FRESH: i64 = 4;
/// Callers remembered.
const REMEMBERED: usize = 10_000;

/// Callers by session or key, and when they were read; none for an ended session or revoked key.
#[derive(Debug, Default)]
pub struct Callers(RwLock<HashMap<Uuid, (Instant, Option<Known>)>>);

#[derive(Clone, Debug)]
struct Known {
    caller: Arc<Caller>,
    secret_hash: Vec<u8>,
    /// The networks it may call from; any when there are none.
    addresses: Option<Arc<[Network]>>,
    expires_at: Option<Instant>,
}

impl Callers {
    /// Forgets one, so that this process feels a change at once.
    pub fn forget(&self, session: Uuid) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(&session);
    }

    /// Whether a key was good when it was read last, however long ago.
    fn is_known(&self, key: Uuid, secret_hash: &[u8]) -> bool {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.get(&key).and_then(|(_, known)| known.as_ref()).is_some_and(|known| known.secret_hash == secret_hash)
    }

    /// Forgets all.
    pub fn forget_all(&self) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The caller of an `Authorization` header.
///
/// Credentials that are not valid are counted for each address. From an address that sent too many, keys are not looked up unless they are
/// known to be good; a signature needs no looking up.
pub async fn of_header(state: &State, header: Option<&str>, address: IpAddr, now: Instant) -> Result<Arc<Caller>> {
    let header = header.ok_or_else(|| Error::from(Code::Unauthenticated))?;
    let found = authenticated(state, header, address, now).await;
    match found {
        Err(error) if error.code == Code::Unauthenticated && error.about != EXPIRED => {
            // Beyond the limit it hears that instead.
            state.take(&failures(address), 1, BAD_CREDENTIALS, now)?;
            Err(error)
        }
        other => other,
    }
}

/// The `Authorization` header that a one-time ticket stands for. Tickets that are not valid are counted as other credentials are.
pub async fn of_ticket(state: &State, ticket: &str, address: IpAddr, now: Instant) -> Result<String> {
    state.has_any(&failures(address), BAD_CREDENTIALS, now)?;
    let redeemed = tickets::redeem(state, ticket, now).await;
    if redeemed.as_ref().is_err_and(|error| error.code == Code::Unauthenticated) {
        state.take(&failures(address), 1, BAD_CREDENTIALS, now)?;
    }
    redeemed
}

fn failures(address: IpAddr) -> String {
    format!("bad credentials from {}", limited_as(address))
}

async fn authenticated(state: &State, header: &str, address: IpAddr, now: Instant) -> Result<Arc<Caller>> {
    let unauthenticated = || Error::from(Code::Unauthenticated);
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, t)| t.trim())
        .ok_or_else(unauthenticated)?;
    if let Some(key) = token.strip_prefix("smp_") {
        let (id, secret) = parts(key)?;
        if !state.callers.is_known(id, &hash(secret.as_bytes())) {
            state.has_any(&failures(address), BAD_CREDENTIALS, now)?;
        }
        return of_key(state, key, address, now).await;
    }
    let claims = state.keys.verify(token, now)?;
    let known =
        if claims.kind == "api_key" { known_key(state, claims.sid, now).await? } else { known_user(state, claims.sid, now).await? };
    from(known, address, now)
}

/// The id and secret of an API key's text after `smp_`: 32 hexadecimal digits, then the secret.
fn parts(key: &str) -> Result<(Uuid, &str)> {
    let (id, secret) = key.split_at_checked(32).ok_or_else(|| Error::from(Code::Unauthenticated))?;
    Ok((Uuid::try_parse(id).map_err(|_| Error::from(Code::Unauthenticated))?, secret))
}

/// The caller of an API key's text after `smp_`.
pub async fn of_key(state: &State, key: &str, address: IpAddr, now: Instant) -> Result<Arc<Caller>> {
    let (id, secret) = parts(key)?;
    let known = known_key(state, id, now).await?;
    if known.as_ref().is_none_or(|k| k.secret_hash != hash(secret.as_bytes())) {
        return Err(Code::Unauthenticated.into());
    }
    from(known, address, now)
}

fn from(known: Option<Known>, address: IpAddr, now: Instant) -> Result<Arc<Caller>> {
    let known = known
        .filter(|k| k.expires_at.is_none_or(|t| t > now))
        .filter(|k| k.addresses.as_ref().is_none_or(|networks| networks.iter().any(|n| n.contains(address))));
    known.map(|k| k.caller).ok_or_else(|| Code::Unauthenticated.into())
}

async fn remembered(
    state: &State,
    id: Uuid,
    now: Instant,
    read: impl AsyncFnOnce(Reader) -> Result<Option<Known>>,
) -> Result<Option<Known>> {
    let kept = state.callers.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
    if let Some((at, known)) = kept
        && at.is_within(FRESH, now)
    {
        return Ok(known);
    }
    let known = read(state.store.reader(Arc::new(Caller::system()), now)).await?;
    let mut all = state.callers.0.write().unwrap_or_else(PoisonError::into_inner);
    if all.len() >= REMEMBERED {
        all.retain(|_, (at, _)| at.is_within(FRESH, now));
    }
    all.insert(id, (now, known.clone()));
    Ok(known)
}

async fn known_user(state: &State, session: Uuid, now: Instant) -> Result<Option<Known>> {
    remembered(state, session, now, async |reader| {
        let mut sql = reader.sql();
        sql.push("SELECT u.id, u.name, u.locale, u.role_ids, u.team_ids, s.expires_at, u.time_zone FROM sessions s JOIN users u ON u.id = s.user_id ");
        sql.push("WHERE u.deleted_at IS NULL AND u.status = 'active' AND s.ended_at IS NULL AND s.id = ").id(session);
        let found = reader
            .fetch_one(sql, |row| {
                let zone = row.optional_text(6)?.as_deref().and_then(calendar::zone);
                Ok((row.id(0)?, row.text(1)?, row.optional_text(2)?, row.text(3)?, row.text(4)?, row.time(5)?, zone))
            })
            .await?;
        let Some((id, name, locale, roles, teams, expires_at, time_zone)) = found else { return Ok(None) };
        let teams: Vec<Uuid> = serde_json::from_str(&teams).unwrap_or_default();
        let (grants, field_rules) = rights(&reader, &roles).await?;
        let subtree = subtree(&reader, &teams).await?;
        let locale = match locale {
            Some(own) => own,
            None => reader.settings().await?.locale.as_str().to_owned(),
        };
        let caller = Caller {
            kind: CallerKind::User,
            id,
            session_id: session,
            name,
            grants,
            teams,
            subtree,
            field_rules,
            systems: vec![],
            locale,
            time_zone,
        };
        Ok(Some(Known { caller: Arc::new(caller), secret_hash: vec![], addresses: None, expires_at }))
    })
    .await
}

/// The caller somebody is, for what is done in his name while he is away; none when he may not sign in any more.
pub async fn of_principal(state: &State, id: Uuid, now: Instant) -> Result<Option<Arc<Caller>>> {
    let user = remembered(state, id, now, async |reader| {
        let mut sql = reader.sql();
        sql.push("SELECT name, role_ids, team_ids FROM users WHERE deleted_at IS NULL AND status = 'active' AND id = ").id(id);
        let Some((name, roles, teams)) = reader.fetch_one(sql, |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?))).await? else {
            return Ok(None);
        };
        let teams: Vec<Uuid> = serde_json::from_str(&teams).unwrap_or_default();
        let (grants, field_rules) = rights(&reader, &roles).await?;
        let subtree = subtree(&reader, &teams).await?;
        let (kind, locale) = (CallerKind::User, "en".to_owned());
        let (systems, time_zone) = (vec![], None);
        let caller = Caller { kind, id, session_id: id, name, grants, teams, subtree, field_rules, systems, locale, time_zone };
        Ok(Some(Known { caller: Arc::new(caller), secret_hash: vec![], addresses: None, expires_at: None }))
    });
    match user.await? {
        Some(user) => Ok(Some(user.caller)),
        None => {
            // A key is remembered by the same id as a user would be.
            state.callers.forget(id);
            Ok(known_key(state, id, now).await?.filter(|k| k.expires_at.is_none_or(|t| t > now)).map(|k| k.caller))
        }
    }
}

async fn known_key(state: &State, key: Uuid, now: Instant) -> Result<Option<Known>> {
    let known = remembered(state, key, now, async |reader| {
        let mut sql = reader.sql();
        sql.push("SELECT name, role_ids, scopes, expires_at, allowed_addresses, secret_hash, systems FROM api_keys ");
        sql.push("WHERE deleted_at IS NULL AND status = 'active' AND id = ").id(key);
        let found = reader
            .fetch_one(sql, |row| Ok((row.text(0)?, row.text(1)?, row.text(2)?, row.time(3)?, row.text(4)?, row.bytes(5)?, row.text(6)?)))
            .await?;
        let Some((name, roles, scopes, expires_at, addresses, secret_hash, systems)) = found else { return Ok(None) };
        let (granted, field_rules) = rights(&reader, &roles).await?;
        let scopes: Vec<String> = serde_json::from_str(&scopes).unwrap_or_default();
        let full = Caller {
            kind: CallerKind::ApiKey,
            id: key,
            session_id: key,
            name,
            grants: granted,
            teams: vec![],
            subtree: vec![],
            field_rules,
            systems: serde_json::from_str(&systems).unwrap_or_default(),
            locale: reader.settings().await?.locale.as_str().to_owned(),
            time_zone: None,
        };
        // A scope never grants what the roles do not.
        let cut: HashMap<String, Reach> = scopes.iter().filter_map(|s| full.reach(s).map(|r| (s.clone(), r))).collect();
        let grants = if scopes.is_empty() { full.grants.clone() } else { cut };
        let addresses: Vec<String> = serde_json::from_str(&addresses).unwrap_or_default();
        // One that cannot be read matches nobody, which is not the same as none.
        let networks = (!addresses.is_empty()).then(|| addresses.iter().filter_map(|a| a.parse().ok()).collect());
        Ok(Some(Known { caller: Arc::new(Caller { grants, ..full }), secret_hash, addresses: networks, expires_at }))
    })
    .await?;
    if known.is_none() {
        // Anyone can make up ids: remembered, they would push out those who call.
        state.callers.forget(key);
    }
    Ok(known)
}

type Rights = (HashMap<String, Reach>, Vec<FieldRules>);

/// What roles add up to: the widest grants, the most generous field rules.
async fn rights(reader: &Reader, role_ids: &str) -> Result<Rights> {
    let ids: Vec<Uuid> = serde_json::from_str(role_ids).unwrap_or_default();
    if ids.is_empty() {
        return Ok(Rights::default());
    }
    let mut sql = reader.sql();
    sql.push("SELECT permissions, field_rules FROM roles WHERE deleted_at IS NULL AND id")
        .one_of(Kind::Id, ids.into_iter().map(Scalar::Id));
    let rows = reader.fetch(sql, |row| Ok((row.text(0)?, row.text(1)?))).await?;
    let mut grants: HashMap<String, Reach> = HashMap::new();
    let mut rules: Vec<FieldRules> = vec![];
    for (permissions, field_rules) in rows {
        for Grant { permission, reach } in serde_json::from_str::<Vec<Grant>>(&permissions).unwrap_or_default() {
            let held = grants.entry(permission).or_insert(reach);
            *held = (*held).max(reach);
        }
        let mut of_role = FieldRules::new();
        for FieldRule { fields, access } in serde_json::from_str::<Vec<FieldRule>>(&field_rules).unwrap_or_default() {
            let scope = match fields.as_str() {
                "personal" => FieldScope::Class(Class::Personal),
                "financial" => FieldScope::Class(Class::Financial),
                named => match named.split_once('.') {
                    Some((resource, field)) => FieldScope::Field(resource.to_owned(), field.to_owned()),
                    None => continue,
                },
            };
            let held = of_role.entry(scope).or_insert(access);
            *held = (*held).max(access);
        }
        rules.push(of_role);
    }
    // A role without a rule for a field leaves it open, and the most generous role holds.
    if rules.iter().any(FieldRules::is_empty) {
        rules.clear();
    }
    Ok((grants, rules))
}

/// Teams and all beneath them.
async fn subtree(reader: &Reader, teams: &[Uuid]) -> Result<Vec<Uuid>> {
    if teams.is_empty() {
        return Ok(vec![]);
    }
    let mut sql = reader.sql();
    sql.push("SELECT id, parent_id FROM teams WHERE deleted_at IS NULL");
    let tree = reader.fetch(sql, |row| Ok((row.id(0)?, row.optional_id(1)?))).await?;
    let mut found: HashSet<Uuid> = teams.iter().copied().collect();
    let mut grown = true;
    while grown {
        let next: Vec<Uuid> = tree
            .iter()
            .filter(|(id, parent)| !found.contains(id) && parent.is_some_and(|p| found.contains(&p)))
            .map(|(id, _)| *id)
            .collect();
        grown = !next.is_empty();
        found.extend(next);
    }
    Ok(found.into_iter().collect())
}
