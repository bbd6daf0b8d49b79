//! Passwords: argon2id, hashed by a few threads at most so that sign-ins never starve the rest.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use samphan_domain::error::{Code, Error, Result};
use std::sync::LazyLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Hashes at once.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Most that wait for their turn: about a second's worth. One more is told to come back, sooner than it would have been its turn.
const MAX_WAITING: usize = 32;
static WAITING: Semaphore = Semaphore::const_new(MAX_WAITING);
/// What the password of someone who does not exist is compared with, so that both take as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// A turn to hash.
async fn turn() -> Result<SemaphorePermit<'static>> {
    let busy = || Error::from(Code::Unavailable).about("too many passwords are being checked").retry_after(2);
    let _place = WAITING.try_acquire().map_err(|_| busy())?;
    TURNS.acquire().await.map_err(|_| busy())
}

/// Hashes a password.
pub async fn hash(password: String) -> Result<String> {
    let _turn = turn().await?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await.ok().flatten().ok_or_else(|| Code::Internal.into())
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|h| h.to_string())
}

/// Whether a password is the one that was hashed; as slow without a hash as with one.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    let _turn = turn().await?;
    let matched = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let parsed = PasswordHash::new(&hash).ok()?;
        Some(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    });
    Ok(matched.await.ok().flatten().unwrap_or(false))
}
