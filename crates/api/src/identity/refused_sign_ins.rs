//! Refused sign-ins of users who exist, for the audit: counted in memory and written every few seconds, one event for each user and
//! address. Whoever guesses passwords can therefore neither flood the audit nor learn from the time of an answer that a user exists.
//! Sign-ins with unknown e-mail addresses are in the log only: what was sent is never kept.

use crate::server::{State, now};
use samphan_domain::{caller::Caller, error::Result, event::CLIENT_ADDRESS, platform::user::User, resource::Resource};
use serde_json::{Map, json};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// How often they are written.
const INTERVAL: Duration = Duration::from_secs(5);
/// Most pairs of user and address that are counted between two writes; of more only the log tells.
const MAX_PAIRS: usize = 1_000;

/// Refusals since they were written last, by user and address.
#[derive(Debug, Default)]
pub struct RefusedSignIns(Mutex<HashMap<(Uuid, IpAddr), u64>>);

impl RefusedSignIns {
    /// Counts one.
    pub fn count(&self, user: Uuid, address: IpAddr) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.len() < MAX_PAIRS || counted.contains_key(&(user, address)) {
            *counted.entry((user, address)).or_default() += 1;
        }
    }

    fn take(&self) -> HashMap<(Uuid, IpAddr), u64> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes them for the life of the process.
pub async fn run(state: State) {
    let mut clock = tokio::time::interval(INTERVAL);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let counted = state.refused_sign_ins.take();
        if counted.is_empty() {
            continue;
        }
        let pairs = counted.len();
        // The log has each of them already.
        if let Err(error) = write(&state, counted).await {
            tracing::warn!(pairs, code = error.code.as_str(), "refused sign-ins could not be written to the audit");
        }
    }
}

async fn write(state: &State, counted: HashMap<(Uuid, IpAddr), u64>) -> Result<()> {
    let work = state.store.work(Arc::new(Caller::system()), now()).await?;
    for ((user, address), attempts) in counted {
        let facts = Map::from_iter([(CLIENT_ADDRESS.to_owned(), json!(address)), ("attempts".to_owned(), json!(attempts))]);
        work.emit_activity("session.refused", (User::MANY, user), facts);
    }
    work.commit().await
}
