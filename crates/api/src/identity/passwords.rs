//! Passwords: argon2id, hashed by a few threads at most so that sign-ins never starve the rest.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use samphan_resource::error::{Code, Error, Result};
use std::sync::LazyLock;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Hashes at once.
const MAX_RUNNING: usize = 2;
/// Hashes that wait for their turn: about a second's worth. One more is refused, with a time to come back.
const MAX_WAITING: usize = 32;
const RETRY_AFTER_SECONDS: u64 = 2;

/// The queue of hashes of this process.
static QUEUE: HashQueue = HashQueue::new();

/// Who may hash, and who may wait for it: a queue without a bound would hold the memory and connections of everybody in it.
struct HashQueue {
    running: Semaphore,
    waiting: Semaphore,
}

impl HashQueue {
    const fn new() -> Self {
        Self { running: Semaphore::const_new(MAX_RUNNING), waiting: Semaphore::const_new(MAX_WAITING) }
    }

    /// Waits for a turn to hash, which lasts until it is dropped; refuses where as many wait already as may.
    async fn turn(&self) -> Result<SemaphorePermit<'_>> {
        let busy = || Error::from(Code::Unavailable).with_detail("too many passwords are being checked").retry_after(RETRY_AFTER_SECONDS);
        let _place = self.waiting.try_acquire().map_err(|_| busy())?;
        self.running.acquire().await.map_err(|_| busy())
    }
}

/// What the password of someone who does not exist is compared with, so that both take as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody has this password").unwrap_or_default());

/// Hashes a password.
pub async fn hash(password: String) -> Result<String> {
    let _turn = QUEUE.turn().await?;
    tokio::task::spawn_blocking(move || hash_now(&password)).await.ok().flatten().ok_or_else(|| Code::Internal.into())
}

fn hash_now(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|h| h.to_string())
}

/// Whether a password is the one that was hashed; as slow without a hash as with one.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    let _turn = QUEUE.turn().await?;
    let matched = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.clone());
        let parsed = PasswordHash::new(&hash).ok()?;
        Some(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known)
    });
    Ok(matched.await.ok().flatten().unwrap_or(false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt, future::join_all};

    #[actix_web::test]
    async fn queue_refuses_one_more_than_may_wait_and_lets_the_others_pass() {
        let queue = HashQueue::new();
        let running = [queue.turn().await.unwrap(), queue.turn().await.unwrap()];
        let mut waiting: Vec<_> = (0..MAX_WAITING).map(|_| Box::pin(queue.turn())).collect();
        assert!(waiting.iter_mut().all(|turn| turn.now_or_never().is_none()), "they wait");
        let refused = queue.turn().await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::Unavailable, Some(RETRY_AFTER_SECONDS)));
        // A client that goes away makes room for another.
        waiting.pop();
        waiting.push(Box::pin(queue.turn()));
        assert!(waiting.last_mut().unwrap().now_or_never().is_none());
        drop(running);
        let passed = join_all(waiting.into_iter().map(async |turn| turn.await.map(drop))).await;
        assert!(passed.iter().all(Result::is_ok));
        assert!(queue.turn().now_or_never().is_some_and(|turn| turn.is_ok()), "the queue is empty again");
    }
}
