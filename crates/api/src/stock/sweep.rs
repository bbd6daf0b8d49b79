//! The sweep: what is overdue ends by itself. Whoever reserves ends it first where he reserves; this is for everything else.

use super::ledger;
use crate::server::now;
use samphan_domain::{caller::Caller, error::Result};
use samphan_persistence::store::Store;
use std::{sync::Arc, time::Duration};

/// How often it looks: a list is behind by no more than this.
const EVERY: Duration = Duration::from_secs(1);
/// Reservations ended in one work.
const AT_ONCE: usize = 500;

/// Looks for the life of the process. Several processes do no harm to each other: the second finds nothing to do.
pub async fn run(store: Store) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        // A database that is away is logged where it fails, and may be back by the next time.
        if once(&store).await.is_err() {
            tracing::warn!("overdue reservations could not be ended");
        }
    }
}

async fn once(store: &Store) -> Result<()> {
    let caller = Arc::new(Caller::system());
    while ledger::is_anything_overdue(&store.reader(Arc::clone(&caller), now())).await? {
        let work = store.work(Arc::clone(&caller), now()).await?;
        let full = ledger::expire(&work, AT_ONCE).await?;
        work.commit().await?;
        if !full {
            break;
        }
    }
    Ok(())
}
