//! Access tokens: short-lived, signed with EdDSA, verified once and then remembered.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use rand::RngCore;
use samphan_resource::{
    error::{Code, Error, Result},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};
use uuid::Uuid;

/// Seconds an access token lives.
pub const ACCESS_SECONDS: i64 = 600;
/// Who issues tokens, and for whom.
const ISSUER: &str = "samphan";
/// Seconds by which the clock of another process may be ahead.
pub const CLOCKS_DIFFER: i64 = 60;
/// Verified tokens remembered.
const REMEMBERED: usize = 20_000;

/// What an access token says: who and which session, never what they may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user or API key.
    pub sub: Uuid,
    /// The session, or the API key.
    pub sid: Uuid,
    /// `user` or `api_key`.
    pub kind: String,
    /// Of an API key, which secret it was got with; see `callers::mark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// The keys tokens are signed with: the first signs, all verify.
#[derive(Debug, Default)]
pub struct Keys {
    all: RwLock<Arc<[Key]>>,
    verified: RwLock<HashMap<[u8; 32], Arc<Claims>>>,
}

/// A key.
struct Key {
    encoding: EncodingKey,
    decoding: DecodingKey,
    kid: String,
    public: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Key {
    /// From 32 bytes.
    fn of(seed: &[u8]) -> Result<Self> {
        let seed: [u8; 32] = seed.try_into().map_err(|_| Error::from(Code::Internal))?;
        let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
        // PKCS #8 for Ed25519 (RFC 8410) is a fixed beginning and the seed.
        let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        der.extend(seed);
        let public = URL_SAFE_NO_PAD.encode(public);
        Ok(Self {
            encoding: EncodingKey::from_ed_der(&der),
            decoding: DecodingKey::from_ed_components(&public).map_err(|_| Error::from(Code::Internal))?,
            kid: hash(public.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect(),
            public,
        })
    }
}

impl Keys {
    /// Takes these seeds from now on, the one that signs first. Tokens of others are good no more.
    pub fn replace<'a>(&self, seeds: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        let keys: Arc<[Key]> = seeds.into_iter().map(Key::of).collect::<Result<_>>()?;
        *self.all.write().unwrap_or_else(PoisonError::into_inner) = keys;
        self.verified.write().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Whether there are none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all().is_empty()
    }

    fn all(&self) -> Arc<[Key]> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The public halves, as a JWK set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let jwk = |key: &Key| json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.kid, "x": key.public});
        json!({"keys": self.all().iter().map(jwk).collect::<Vec<_>>()})
    }

    /// Signs a token: of a user's session, or of an API key with the mark of the secret it was got with.
    pub fn issue(&self, sub: Uuid, sid: Uuid, secret: Option<String>, jti: Uuid, now: Timestamp) -> Result<String> {
        let kind = if secret.is_some() { "api_key" } else { "user" };
        let iat = now.micros() / 1_000_000;
        let claims =
            Claims { sub, sid, kind: kind.to_owned(), secret, iss: ISSUER.into(), aud: ISSUER.into(), iat, exp: iat + ACCESS_SECONDS, jti };
        let all = self.all();
        let key = all.first().ok_or(Code::Internal)?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, &claims, &key.encoding).map_err(|_| Code::Internal.into())
    }

    /// Reads a token that we signed, that has not expired, and that lives no longer than tokens do: a stolen key cannot make
    /// one that outlives the key's rotation.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>> {
        let fingerprint = hash(token.as_bytes());
        let seconds = now.micros() / 1_000_000;
        if let Some(claims) = self.verified.read().unwrap_or_else(PoisonError::into_inner).get(&fingerprint) {
            return if claims.exp > seconds { Ok(Arc::clone(claims)) } else { Err(expired()) };
        }
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[ISSUER]);
        rules.leeway = 0;
        // Held against the one clock of the process, below.
        rules.validate_exp = false;
        rules.validate_nbf = true;
        let refused = || Error::from(Code::Unauthenticated);
        let kid = jsonwebtoken::decode_header(token).map_err(|_| refused())?.kid;
        let all = self.all();
        let key = all.iter().find(|key| Some(&key.kid) == kid.as_ref()).ok_or_else(refused)?;
        let read = jsonwebtoken::decode::<Claims>(token, &key.decoding, &rules).map_err(|_| refused())?;
        let (iat, exp) = (read.claims.iat, read.claims.exp);
        let lives = exp.checked_sub(iat).is_some_and(|lives| (0..=ACCESS_SECONDS).contains(&lives));
        if !lives || iat > seconds.saturating_add(CLOCKS_DIFFER) {
            return Err(refused());
        }
        if exp <= seconds {
            return Err(expired());
        }
        let claims = Arc::new(read.claims);
        let mut verified = self.verified.write().unwrap_or_else(PoisonError::into_inner);
        if verified.len() >= REMEMBERED {
            verified.retain(|_, claims| claims.exp > seconds);
        }
        if verified.len() < REMEMBERED {
            verified.insert(fingerprint, Arc::clone(&claims));
        }
        Ok(claims)
    }
}

/// What is said of a token that was good: it is no guess, so it does not count as one.
pub const EXPIRED: &str = "the access token has expired";

fn expired() -> Error {
    Error::from(Code::Unauthenticated).with_detail(EXPIRED)
}

/// SHA-256.
#[must_use]
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// 256 random bits, as text.
#[must_use]
pub fn secret() -> String {
    URL_SAFE_NO_PAD.encode(random())
}

/// 256 random bits.
#[must_use]
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}
