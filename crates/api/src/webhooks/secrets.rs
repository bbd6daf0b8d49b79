//! What deliveries are signed with: kept encrypted, each as its endpoint's only.

use crate::identity::keyring::{Keyring, Sealed};
use futures_util::future::LocalBoxFuture;
use samphan_persistence::{
    row::Row,
    store::{Reader, Work},
};
use samphan_resource::{
    error::Result,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use uuid::Uuid;

/// A secret as it is kept; of before secrets were encrypted when it has no key.
struct Kept {
    id: Uuid,
    endpoint: Uuid,
    key_id: Option<String>,
    bytes: Vec<u8>,
}

impl Kept {
    const COLUMNS: &'static str = "SELECT id, endpoint_id, key_id, secret FROM webhook_secrets ";

    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: row.id(0)?, endpoint: row.id(1)?, key_id: row.optional_text(2)?, bytes: row.bytes(3)? })
    }

    /// None when it is encrypted with a key that is not here.
    fn open(self, keyring: &Keyring) -> Option<Vec<u8>> {
        match self.key_id {
            None => Some(self.bytes),
            Some(key_id) => keyring.open(self.endpoint.as_bytes(), &Sealed { key_id, bytes: self.bytes }),
        }
    }
}

/// Keeps a new secret of an endpoint.
pub(super) async fn keep(work: &Work, keyring: &Keyring, endpoint: Uuid, secret: &[u8]) -> Result<()> {
    let sealed = keyring.seal(endpoint.as_bytes(), secret)?;
    let columns = [("id", Kind::Id), ("endpoint_id", Kind::Id), ("key_id", Kind::Text), ("secret", Kind::Bytes)];
    let row = vec![Scalar::Id(work.new_id()), Scalar::Id(endpoint), Scalar::Text(sealed.key_id), Scalar::Bytes(sealed.bytes)];
    work.insert("webhook_secrets", &columns, vec![row], "").await.map(|_| ())
}

/// Has an endpoint's secret end at a moment, and those before it now.
pub(super) async fn end(work: &Work, endpoint: Uuid, at: Timestamp) -> Result<()> {
    let mut sql = work.sql();
    sql.push("DELETE FROM webhook_secrets WHERE expires_at IS NOT NULL AND endpoint_id = ").id(endpoint);
    work.execute(sql).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_secrets SET expires_at = ").bind(Kind::Time, Scalar::Time(at)).push(" WHERE endpoint_id = ").id(endpoint);
    work.execute(sql).await.map(|_| ())
}

/// The secrets an endpoint's deliveries are signed with now, the newest first: none when they cannot be decrypted.
pub async fn secrets(reader: &Reader, keyring: &Keyring, endpoint: Uuid) -> Result<Vec<Vec<u8>>> {
    let mut sql = reader.sql();
    sql.push(Kept::COLUMNS).push("WHERE endpoint_id = ").id(endpoint).push(" AND (expires_at IS NULL OR expires_at > ");
    sql.bind(Kind::Time, Scalar::Time(reader.now)).push(") ORDER BY id DESC");
    let kept = reader.fetch(sql, Kept::read).await?;
    Ok(kept.into_iter().filter_map(|kept| kept.open(keyring)).collect())
}

/// Encrypts with the present key whatever is not, and says what cannot be: its endpoints need a new secret.
pub fn reseal<'a>(work: &'a Work, keyring: &'a Keyring) -> LocalBoxFuture<'a, Result<()>> {
    Box::pin(encrypt_anew(work, keyring))
}

async fn encrypt_anew(work: &Work, keyring: &Keyring) -> Result<()> {
    let mut sql = work.sql();
    sql.push(Kept::COLUMNS).push("WHERE key_id IS NULL OR key_id <> ").text(keyring.current()).push(" ORDER BY id");
    for kept in work.fetch(sql, Kept::read).await? {
        let (id, endpoint) = (kept.id, kept.endpoint);
        let Some(secret) = kept.open(keyring) else {
            tracing::warn!(%endpoint, "a webhook secret is encrypted with a key that is not configured");
            continue;
        };
        let sealed = keyring.seal(endpoint.as_bytes(), &secret)?;
        let mut sql = work.sql();
        sql.push("UPDATE webhook_secrets SET key_id = ").text(sealed.key_id).push(", secret = ");
        sql.bind(Kind::Bytes, Scalar::Bytes(sealed.bytes)).push(" WHERE id = ").id(id);
        work.execute(sql).await?;
    }
    Ok(())
}
