//! The sweep: what is overdue ends by itself, and the database is tidied. Whoever is in the way of what is overdue ends it first; this
//! is for everything else.

use crate::{integration::credit, platform::succession, server::now, stock::ledger};
use samphan_domain::{caller::Caller, error::Result};
use samphan_persistence::store::{Reader, Store, Work};
use std::{sync::Arc, time::Duration};

/// How often it looks: a list is behind by no more than this.
const EVERY: Duration = Duration::from_secs(1);
/// Records ended in one work.
const AT_ONCE: usize = 500;

/// Looks for the life of the process. Several processes do no harm to each other: the second finds nothing to do.
pub async fn run(store: Store) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        // A database that is away is logged where it fails, and may be back by the next time.
        if sweep(&store, ledger::is_anything_overdue, ledger::expire).await.is_err() {
            tracing::warn!("overdue reservations could not be ended");
        }
        if sweep(&store, credit::expiry::is_anything_overdue, credit::expiry::expire).await.is_err() {
            tracing::warn!("overdue authorisations could not be ended");
        }
        if sweep(&store, succession::is_any_due, succession::hand_over_some).await.is_err() {
            tracing::warn!("records of a deactivated user could not be handed over");
        }
        if let Err(error) = store.tidy().await {
            tracing::warn!(%error, "the search index could not be tidied");
        }
    }
}

/// Ends what is overdue of one kind: `is_any` is one look into an index, `end` ends some and says whether there may be more.
async fn sweep(
    store: &Store,
    is_any: impl AsyncFn(&Reader) -> Result<bool>,
    end: impl AsyncFn(&Work, usize) -> Result<bool>,
) -> Result<()> {
    let caller = Arc::new(Caller::system());
    while is_any(&store.reader(Arc::clone(&caller), now())).await? {
        let work = store.work(Arc::clone(&caller), now()).await?;
        let more = end(&work, AT_ONCE).await?;
        work.commit().await?;
        if !more {
            break;
        }
    }
    Ok(())
}
