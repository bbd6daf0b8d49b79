//! The keys that all processes of a service share: loaded, encrypted at rest, rotated, and followed while the process runs.
//!
//! They are rows of `server_keys`. Under `SAMPHAN_SECRET_KEYS` their secrets are encrypted (AES-256-GCM), each as the secret of its
//! row only; rows that are not, or that another key encrypts, are encrypted anew at start. Of each kind the newest active key signs
//! or encrypts, and every key that has not expired verifies or decrypts. Every process reads the table every few seconds, and a new
//! key becomes active only after that, so no process meets a signature whose key it does not know.

use super::{
    keyring::{Keyring, Sealed},
    service::Identity,
    tokens,
};
use clap::ValueEnum;
use samphan_background::{process::Process, task::Task};
use samphan_persistence::{
    clock,
    cursor::CURSOR_KEYS,
    store::{Reader, Work},
};
use samphan_resource::{
    caller::Caller,
    error::Result,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::{sync::Arc, time::Duration};

/// How often each process reads the table.
const POLL_INTERVAL: Duration = Duration::from_secs(4);
/// Seconds from the making of a key until it is used: every process knows it by then.
const ACTIVATION_SECONDS: i64 = 15;
/// The lock of what writes keys.
const LOCK: &str = "server keys";
const DAY_SECONDS: i64 = 86_400;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub enum KeyKind {
    /// Signs access tokens (Ed25519).
    AccessTokens,
    /// Derives the successor of a refresh token.
    RefreshTokens,
    /// Signs cursors of lists and of the feed.
    Cursors,
    /// Signs links to preference pages.
    PreferenceLinks,
    /// Encrypts secrets where `SAMPHAN_SECRET_KEYS` is not set.
    Secrets,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::AccessTokens, Self::RefreshTokens, Self::Cursors, Self::PreferenceLinks, Self::Secrets];

    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessTokens => "access_tokens",
            Self::RefreshTokens => "refresh_tokens",
            Self::Cursors => CURSOR_KEYS,
            Self::PreferenceLinks => "preference_links",
            Self::Secrets => "secrets",
        }
    }

    /// Seconds for which a key is good after the next one became active.
    #[must_use]
    pub const fn overlap_seconds(self) -> i64 {
        match self {
            // As long as the last token it signed, on the clock of any process.
            Self::AccessTokens => tokens::ACCESS_SECONDS + tokens::CLOCKS_DIFFER,
            // It is asked again for seconds only: refresh tokens themselves are stored, not signed.
            Self::RefreshTokens => 3_600,
            Self::Cursors => 30 * DAY_SECONDS,
            // As long as the last link it signed.
            Self::PreferenceLinks => 2 * 366 * DAY_SECONDS,
            // Secrets are encrypted anew within seconds.
            Self::Secrets => DAY_SECONDS,
        }
    }
}

/// A key, decrypted.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// The row's name.
    name: String,
    /// What it is for.
    pub kind: KeyKind,
    /// The secret: 32 bytes.
    pub secret: Vec<u8>,
    /// From when on it signs.
    pub active_from: Timestamp,
    /// When it is good no more; null while no other took its place.
    pub expires_at: Option<Timestamp>,
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerKey").field("name", &self.name).field("active_from", &self.active_from).finish_non_exhaustive()
    }
}

/// A row, as it is stored.
struct Stored {
    name: String,
    kind: KeyKind,
    key_id: Option<String>,
    bytes: Vec<u8>,
    active_from: Timestamp,
    expires_at: Option<Timestamp>,
}

impl Stored {
    fn open(self, configured: &Keyring) -> Option<ServerKey> {
        let Self { name, kind, key_id, bytes, active_from, expires_at } = self;
        let secret = match key_id {
            None => bytes,
            Some(key_id) => configured.open(&bound_to(&name), &Sealed { key_id, bytes })?,
        };
        Some(ServerKey { name, kind, secret, active_from, expires_at })
    }
}

/// What a sealed key is bound to, so that one row's secret cannot stand in another.
fn bound_to(name: &str) -> Vec<u8> {
    format!("server_keys/{name}").into_bytes()
}

async fn rows(reader: &Reader) -> Result<Vec<Stored>> {
    let mut sql = reader.sql();
    sql.push("SELECT name, kind, key_id, secret, coalesce(active_from, created_at), expires_at FROM server_keys ");
    sql.push("ORDER BY coalesce(active_from, created_at), name");
    let found = reader
        .fetch(sql, |row| Ok((row.text(0)?, row.optional_text(1)?, row.optional_text(2)?, row.bytes(3)?, row.time(4)?, row.time(5)?)))
        .await?;
    // A kind of a later version is none of this one's business.
    let stored = found.into_iter().filter_map(|(name, kind, key_id, bytes, active_from, expires_at)| {
        let kind = KeyKind::ALL.into_iter().find(|k| Some(k.as_str()) == kind.as_deref())?;
        Some(Stored { name, kind, key_id, bytes, active_from: active_from?, expires_at })
    });
    Ok(stored.collect())
}

/// The keys of a kind that are good now, the one that signs first.
#[must_use]
pub fn in_order(keys: &[ServerKey], kind: KeyKind, now: Timestamp) -> Vec<&ServerKey> {
    let mut good: Vec<&ServerKey> = keys.iter().filter(|key| key.kind == kind && key.expires_at.is_none_or(|until| until > now)).collect();
    // Newest first, and what is not active yet last.
    good.sort_by_key(|key| (key.active_from > now, std::cmp::Reverse(key.active_from)));
    good
}

/// Makes the keys that are missing, encrypts what is not encrypted with the first configured key, deletes what has expired, and
/// answers all that can be read.
pub async fn prepare(work: &Work, configured: &Keyring) -> Result<Vec<ServerKey>> {
    work.lock_named(LOCK).await?;
    let mut sql = work.sql();
    sql.push("DELETE FROM server_keys WHERE expires_at < ").bind(Kind::Time, Scalar::Time(work.now.plus_seconds(-DAY_SECONDS)));
    work.execute(sql).await?;
    let mut keys = vec![];
    for row in rows(work).await? {
        let (name, is_current) = (row.name.clone(), row.key_id.as_deref().unwrap_or_default() == configured.current());
        match row.open(configured) {
            Some(key) => {
                if !is_current {
                    seal_anew(work, configured, &key).await?;
                }
                keys.push(key);
            }
            None => tracing::warn!(name, "a server key is encrypted with a key that is not configured (SAMPHAN_SECRET_KEYS)"),
        }
    }
    for kind in KeyKind::ALL {
        if in_order(&keys, kind, work.now).is_empty() {
            keys.push(insert(work, configured, kind, work.now).await?);
        }
    }
    Ok(keys)
}

async fn seal_anew(work: &Work, configured: &Keyring, key: &ServerKey) -> Result<()> {
    let sealed = configured.seal(&bound_to(&key.name), &key.secret)?;
    let mut sql = work.sql();
    sql.push("UPDATE server_keys SET key_id = ").text(sealed.key_id).push(", secret = ").bind(Kind::Bytes, Scalar::Bytes(sealed.bytes));
    sql.push(" WHERE name = ").text(key.name.clone());
    work.execute(sql).await.map(|_| ())
}

async fn insert(work: &Work, configured: &Keyring, kind: KeyKind, active_from: Timestamp) -> Result<ServerKey> {
    let name = format!("{}/{}", kind.as_str(), work.new_id().simple());
    let secret = tokens::random().to_vec();
    let (key_id, bytes) = if configured.current().is_empty() {
        (Scalar::Null, secret.clone())
    } else {
        let sealed = configured.seal(&bound_to(&name), &secret)?;
        (Scalar::Text(sealed.key_id), sealed.bytes)
    };
    let columns = [
        ("name", Kind::Text),
        ("kind", Kind::Text),
        ("key_id", Kind::Text),
        ("secret", Kind::Bytes),
        ("created_at", Kind::Time),
        ("active_from", Kind::Time),
    ];
    let row = vec![
        Scalar::Text(name.clone()),
        Scalar::Text(kind.as_str().to_owned()),
        key_id,
        Scalar::Bytes(bytes),
        Scalar::Time(work.now),
        Scalar::Time(active_from),
    ];
    work.insert("server_keys", &columns, vec![row], "").await?;
    Ok(ServerKey { name, kind, secret, active_from, expires_at: None })
}

/// A rotation that was done.
#[derive(Clone, Copy, Debug)]
pub struct Rotated {
    /// The kind.
    pub kind: KeyKind,
    /// When the new key begins to sign.
    pub active_from: Timestamp,
    /// When the keys before it are good no more.
    pub old_until: Timestamp,
}

/// Makes new keys of these kinds; none when a key is encrypted with one that is not configured. With `at_once` the old keys end now,
/// but for the one that secrets in the database are encrypted with.
pub async fn rotate(work: &Work, configured: &Keyring, kinds: &[KeyKind], at_once: bool) -> Result<Option<Vec<Rotated>>> {
    work.lock_named(LOCK).await?;
    let mut keys = vec![];
    for row in rows(work).await? {
        match row.open(configured) {
            Some(key) => keys.push(key),
            None => return Ok(None),
        }
    }
    let mut done = vec![];
    for kind in kinds.iter().copied() {
        let ends_now = at_once && kind != KeyKind::Secrets;
        let active_from = if ends_now { work.now } else { work.now.plus_seconds(ACTIVATION_SECONDS) };
        let old_until = if ends_now { work.now } else { active_from.plus_seconds(kind.overlap_seconds()) };
        for old in keys.iter().filter(|key| key.kind == kind && key.expires_at.is_none_or(|until| until > old_until)) {
            let mut sql = work.sql();
            sql.push("UPDATE server_keys SET expires_at = ").bind(Kind::Time, Scalar::Time(old_until));
            sql.push(" WHERE name = ").text(old.name.clone());
            work.execute(sql).await?;
        }
        insert(work, configured, kind, active_from).await?;
        done.push(Rotated { kind, active_from, old_until });
    }
    Ok(Some(done))
}

/// A key as `samphan keys list` shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// What it is for.
    pub kind: KeyKind,
    /// The id of the key it is encrypted with.
    pub key_id: Option<String>,
    /// When it began, or begins, to sign.
    pub active_from: Timestamp,
    /// When it is good no more.
    pub expires_at: Option<Timestamp>,
}

/// All keys, without their secrets.
pub async fn list(reader: &Reader) -> Result<Vec<Listed>> {
    let listed = |row: Stored| Listed { kind: row.kind, key_id: row.key_id, active_from: row.active_from, expires_at: row.expires_at };
    Ok(rows(reader).await?.into_iter().map(listed).collect())
}

/// Follows the table: what another process or a command made is used within seconds.
#[must_use]
pub fn task() -> Task {
    Task::every("identity.reload_server_keys", POLL_INTERVAL, reload)
}

/// Reads the table and takes over what changed in it.
async fn reload(process: &Process) -> Result<()> {
    let identity = process.service::<Identity>()?;
    let reader = process.store.reader(Arc::new(Caller::system()), clock::now());
    let known = identity.server_keys();
    let mut keys = vec![];
    for row in rows(&reader).await? {
        let (name, expires_at) = (row.name.clone(), row.expires_at);
        // What was encrypted anew under a key that this process does not have is known here all the same.
        let remembered = || known.iter().find(|key| key.name == name).map(|key| ServerKey { expires_at, ..key.clone() });
        keys.extend(row.open(&identity.configured_keys).or_else(remembered));
    }
    let is_new_secret = identity.use_server_keys(&process.store, keys, reader.now)?;
    if is_new_secret {
        let work = process.work().await?;
        identity.reseal(&work).await?;
        work.commit().await?;
    }
    Ok(())
}
