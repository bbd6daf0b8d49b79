//! The service of this area: keys and callers, as long as the process lives.

use super::{
    callers::Callers,
    keyring::Keyring,
    refused_sign_ins::RefusedSignIns,
    server_keys::{self, KeyKind, ServerKey},
    tokens::Keys,
};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::store::{Store, Work};
use samphan_resource::{error::Result, timestamp::Timestamp};
use std::{
    fmt::{Debug, Formatter},
    sync::{Arc, PoisonError, RwLock},
};

/// Encrypts what an area keeps secret with the present key, where it is encrypted with another one.
pub type Reseal = for<'a> fn(&'a Work, &'a Keyring) -> LocalBoxFuture<'a, Result<()>>;

/// Keys and callers.
pub struct Identity {
    /// The keys access tokens are signed with.
    pub keys: Keys,
    /// Callers that were read lately.
    pub callers: Callers,
    /// Refused sign-ins that are to be written to the audit.
    pub refused_sign_ins: RefusedSignIns,
    /// The keys of the settings, which server keys are encrypted with.
    pub configured_keys: Keyring,
    configured: Vec<Vec<u8>>,
    /// All keys that processes share, as they were read last.
    server_keys: RwLock<Arc<[ServerKey]>>,
    keyring: RwLock<Arc<Keyring>>,
    reseals: Vec<Reseal>,
}

impl Debug for Identity {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("server_keys", &self.server_keys()).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the server keys, or makes them, encrypted under the configured keys; the areas whose secrets they protect encrypt them anew
    /// where that is needed.
    pub async fn prepare(work: &Work, configured: Vec<Vec<u8>>, reseals: Vec<Reseal>) -> Result<Self> {
        let configured_keys = Keyring::of(configured.iter().map(Vec::as_slice))?;
        let server_keys = server_keys::prepare(work, &configured_keys).await?;
        let keyring = keyring_of(&configured, &server_keys, work.now)?;
        let identity = Self {
            keys: Keys::default(),
            callers: Callers::default(),
            refused_sign_ins: RefusedSignIns::default(),
            configured_keys,
            configured,
            server_keys: RwLock::default(),
            keyring: RwLock::new(Arc::new(keyring)),
            reseals,
        };
        identity.reseal(work).await?;
        identity.use_server_keys(&work.store, server_keys, work.now)?;
        Ok(identity)
    }

    /// All keys that processes share.
    #[must_use]
    pub fn server_keys(&self) -> Arc<[ServerKey]> {
        Arc::clone(&self.server_keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What secrets are encrypted with.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What successors of refresh tokens are derived with, the present key first.
    #[must_use]
    pub fn refresh_secrets(&self, now: Timestamp) -> Vec<Vec<u8>> {
        secrets_of(&self.server_keys(), KeyKind::RefreshTokens, now)
    }

    /// Has the areas encrypt their secrets with the present key.
    pub async fn reseal(&self, work: &Work) -> Result<()> {
        let keyring = self.keyring();
        for reseal in &self.reseals {
            reseal(work, &keyring).await?;
        }
        Ok(())
    }

    /// Takes these keys from now on, for all workers of the process. Says whether secrets are encrypted with another one than before.
    pub fn use_server_keys(&self, store: &Store, keys: Vec<ServerKey>, now: Timestamp) -> Result<bool> {
        let signing = secrets_of(&keys, KeyKind::AccessTokens, now);
        if self.keys.is_empty() || secrets_of(&self.server_keys(), KeyKind::AccessTokens, now) != signing {
            self.keys.replace(signing.iter().map(Vec::as_slice))?;
        }
        for kind in [KeyKind::Cursors, KeyKind::PreferenceLinks] {
            store.use_keys(kind.as_str(), secrets_of(&keys, kind, now));
        }
        let keyring = keyring_of(&self.configured, &keys, now)?;
        let is_new_secret = keyring.current() != self.keyring().current();
        *self.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
        *self.server_keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(keys);
        Ok(is_new_secret)
    }
}

/// The secrets of the keys of a kind that are good now, the present one first.
fn secrets_of(keys: &[ServerKey], kind: KeyKind, now: Timestamp) -> Vec<Vec<u8>> {
    server_keys::in_order(keys, kind, now).into_iter().map(|key| key.secret.clone()).collect()
}

/// What secrets are encrypted with: the keys of the settings before those of the database.
fn keyring_of(configured: &[Vec<u8>], keys: &[ServerKey], now: Timestamp) -> Result<Keyring> {
    let own = server_keys::in_order(keys, KeyKind::Secrets, now);
    Keyring::of(configured.iter().map(Vec::as_slice).chain(own.into_iter().map(|key| key.secret.as_slice())))
}
