//! Refused sign-ins of users who exist, for the audit: counted in memory and written every few seconds, one event for each user and
//! address. An attacker who guesses passwords can therefore neither flood the audit nor learn from the time of an answer that a user exists.
//! Sign-ins with unknown e-mail addresses are in the log only: what was sent is never kept.

use super::service::Identity;
use samphan_background::{process::Process, task::Task};
use samphan_domain::platform::user::User;
use samphan_resource::{error::Result, event::CLIENT_ADDRESS, resource::Resource};
use serde_json::{Map, json};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
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

/// Writes them to the audit. What cannot be written is in the log, which has each of them already.
#[must_use]
pub fn task() -> Task {
    Task::every("identity.write_refused_sign_ins", INTERVAL, async |process: &Process| {
        let counted = process.service::<Identity>()?.refused_sign_ins.take();
        if counted.is_empty() { Ok(()) } else { write(process, counted).await }
    })
}

async fn write(process: &Process, counted: HashMap<(Uuid, IpAddr), u64>) -> Result<()> {
    let work = process.work().await?;
    for ((user, address), attempts) in counted {
        let facts = Map::from_iter([(CLIENT_ADDRESS.to_owned(), json!(address)), ("attempts".to_owned(), json!(attempts))]);
        work.emit_activity("session.refused", (User::PLURAL, user), facts);
    }
    work.commit().await
}
