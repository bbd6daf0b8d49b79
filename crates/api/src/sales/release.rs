//! What goes on by itself: orders held for credit when a new balance makes room, and promises that are too late.

use super::{
    confirm::{Doing, promise},
    hold,
    promise::end,
};
use crate::server::now;
use samphan_domain::{
    caller::Caller,
    error::{Code, Result},
    integration::{credit_check::AuthorisationStatus, credit_policy::Checkpoint},
    sales::{
        order::{Order, OrderStatus},
        order_hold::HoldKind,
        order_promise::{OrderPromise, PromiseStatus},
    },
    scalar::{Kind, Scalar},
};
use samphan_persistence::{
    store::{Reader, Store, Work},
    stored,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How often it looks, when nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Records looked at in one go.
const AT_ONCE: i64 = 100;

/// Looks for the life of the process. Several processes do no harm to each other: the second finds nothing to do.
pub async fn run(store: Store) {
    let mut clock = tokio::time::interval(EVERY);
    clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        // A database that is away is logged where it fails, and may be back by the next time.
        if once(&store).await.is_err() {
            tracing::warn!("held orders and promises could not be looked at");
        }
    }
}

async fn once(store: &Store) -> Result<()> {
    let caller = Arc::new(Caller::system());
    let reader = store.reader(Arc::clone(&caller), now());
    for id in overdue(&reader).await? {
        let work = store.work(Arc::clone(&caller), now()).await?;
        if expire(&work, id).await? {
            work.commit().await?;
        }
    }
    for id in with_room(&reader).await? {
        let work = store.work(Arc::clone(&caller), now()).await?;
        match go_on(&work, id).await {
            Ok(()) => work.commit().await?,
            // One order that cannot go on must not keep the others from it.
            Err(error) if error.code != Code::Unavailable => {
                tracing::warn!(order = %id, code = error.code.as_str(), "a held order could not go on")
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn overdue(reader: &Reader) -> Result<Vec<Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT id FROM order_promises WHERE deleted_at IS NULL AND status = 'active' AND expires_at <= ");
    sql.bind(Kind::Time, Scalar::Time(reader.now)).push(" ORDER BY expires_at, id LIMIT ").int(AT_ONCE);
    reader.fetch(sql, |row| row.id(0)).await
}

async fn expire(work: &Work, id: Uuid) -> Result<bool> {
    let found = stored::find::<OrderPromise>(work, id, "read").await?;
    if found.data.status != PromiseStatus::Active {
        return Ok(false);
    }
    end(work, found, PromiseStatus::Expired, AuthorisationStatus::Expired, "expired").await?;
    Ok(true)
}

/// Orders held for credit whose customer's books or limits were told of since.
async fn with_room(reader: &Reader) -> Result<Vec<Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT h.order_id FROM order_holds h WHERE h.deleted_at IS NULL AND h.status = 'open' AND h.releases_itself = ");
    sql.bind(Kind::Bool, Scalar::Bool(true)).push(" AND (");
    for (n, table) in ["credit_balances", "credit_profiles"].into_iter().enumerate() {
        sql.push(if n == 0 { "EXISTS (SELECT 1 FROM " } else { " OR EXISTS (SELECT 1 FROM " }).push(table);
        sql.push(" b WHERE b.deleted_at IS NULL AND b.account_id = h.account_id AND b.updated_at > h.checked_at)");
    }
    sql.push(") ORDER BY h.checked_at, h.id LIMIT ").int(AT_ONCE);
    reader.fetch(sql, |row| row.id(0)).await
}

/// Has an order go on that only its credit holds up.
async fn go_on(work: &Work, id: Uuid) -> Result<()> {
    let order = stored::find::<Order>(work, id, "read").await?;
    let open = hold::open(work, id).await?;
    if order.data.status != OrderStatus::OnHold {
        return Ok(());
    }
    if open.iter().any(|h| h.data.kind != HoldKind::Credit) {
        // Somebody has to look at it anyway, and will be told anew of its credit then.
        for credit in open.into_iter().filter(|h| h.data.kind == HoldKind::Credit) {
            let mut after = credit.clone();
            after.data.checked_at = Some(work.now);
            stored::save(work, &credit, after, "checked", None).await?;
        }
        return Ok(());
    }
    let doing = Doing { checkpoint: Checkpoint::Confirm, what: "released" };
    promise(work, &order, order.clone(), doing, Some("a new balance made room".to_owned())).await.map(|_| ())
}
