//! Background work of sales: retries orders held for credit when a new balance makes room and orders held for stock when goods come in. Ends
//! expired promises. Safe to run in several processes.

use super::{
    confirm::{Doing, commit_or_hold},
    hold,
    promise::end,
};
use samphan_background::{process::Process, task::Task};
use samphan_domain::{
    customers::account::Account,
    integration::{credit_check::AuthorisationStatus, credit_policy::Checkpoint},
    sales::{
        order::{Order, OrderStatus},
        order_promise::{OrderPromise, PromiseStatus},
    },
};
use samphan_persistence::{
    clock,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Result},
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// How often it looks, when nothing wakes it.
const EVERY: Duration = Duration::from_secs(1);
/// Seconds for which an order is looked at again after it was, whatever the levels' own times say.
const OVERLAP: i64 = 5;
/// Records looked at in one go.
const AT_ONCE: i64 = 100;

/// The task.
#[must_use]
pub fn task() -> Task {
    Task::every("sales.release_holds", EVERY, once)
}

async fn once(process: &Process) -> Result<()> {
    let reader = process.store.reader(Arc::new(Caller::system()), clock::now());
    let with_room = with_room(&reader).await?.into_iter().map(|id| (id, "a new balance made room"));
    let with_goods = with_goods(&reader).await?.into_iter().map(|id| (id, "goods came in"));
    for (id, why) in with_room.chain(with_goods) {
        let work = process.work().await?;
        match go_on(&work, id, why).await {
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

/// Ends promises that were not used in time.
pub async fn expire(work: &Work, overdue: Vec<Stored<OrderPromise>>) -> Result<()> {
    for promise in overdue {
        end(work, promise, PromiseStatus::Expired, AuthorisationStatus::Expired, "expired").await?;
    }
    Ok(())
}

/// Orders held for credit whose customer's books or limits, or whose exchange rates, were told of since.
async fn with_room(reader: &Reader) -> Result<Vec<Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT h.order_id FROM order_holds h WHERE h.deleted_at IS NULL AND h.status = 'open' AND h.releases_itself = ");
    sql.bind(Kind::Bool, Scalar::Bool(true)).push(" AND (");
    for (n, table) in ["credit_balances", "credit_profiles"].into_iter().enumerate() {
        sql.push(if n == 0 { "EXISTS (SELECT 1 FROM " } else { " OR EXISTS (SELECT 1 FROM " }).push(table);
        sql.push(" b WHERE b.deleted_at IS NULL AND b.account_id = h.account_id AND b.updated_at > h.checked_at)");
    }
    sql.push(" OR EXISTS (SELECT 1 FROM exchange_rates r WHERE r.deleted_at IS NULL AND r.updated_at > h.checked_at)");
    sql.push(") ORDER BY h.checked_at, h.id LIMIT ").int(AT_ONCE);
    reader.fetch(sql, |row| row.id(0)).await
}

/// Orders held for stock of which there is enough now for every line, those that wait longest first. Only where a level has changed since
/// the order was looked at, or shortly before: a receipt of goods may have begun before and committed after.
async fn with_goods(reader: &Reader) -> Result<Vec<Uuid>> {
    let mut sql = reader.sql();
    sql.push("SELECT h.order_id, h.checked_at, (SELECT max(l.updated_at) FROM order_hold_lines n JOIN stock_levels l ");
    sql.push("ON l.product_id = n.product_id AND l.deleted_at IS NULL WHERE n.hold_id = h.id) FROM order_holds h ");
    sql.push("WHERE h.deleted_at IS NULL AND h.status = 'open' AND h.kind = 'stock' AND h.releases_itself = ");
    sql.bind(Kind::Bool, Scalar::Bool(true))
        .push(" AND NOT EXISTS (SELECT 1 FROM order_hold_lines n WHERE n.hold_id = h.id AND n.quantity > ");
    sql.push(
        "(SELECT coalesce(sum(l.available), 0) FROM stock_levels l JOIN warehouses w ON w.id = l.warehouse_id AND w.deleted_at IS NULL ",
    );
    sql.push("AND w.status = 'active' AND w.available_for_sale = ").bind(Kind::Bool, Scalar::Bool(true));
    sql.push(" WHERE l.product_id = n.product_id AND l.deleted_at IS NULL AND l.available > 0 ");
    sql.push("AND (n.warehouse_id IS NULL OR l.warehouse_id = n.warehouse_id))) ORDER BY h.created_at, h.id");
    let found = reader.fetch(sql, |row| Ok((row.id(0)?, row.time(1)?, row.time(2)?))).await?;
    let is_news = |checked: Option<Timestamp>, changed: Option<Timestamp>| {
        changed.is_some_and(|at| checked.is_none_or(|c| at.plus_seconds(OVERLAP) > c))
    };
    let news = found.into_iter().filter(|(_, checked, changed)| is_news(*checked, *changed)).map(|(id, ..)| id);
    Ok(news.take(usize::try_from(AT_ONCE).unwrap_or_default()).collect())
}

/// Has an order go on that only its credit or its goods hold up.
async fn go_on(work: &Work, id: Uuid, why: &str) -> Result<()> {
    let order = stored::find::<Order>(work, id, "read").await?;
    let open = hold::open(work, id).await?;
    if order.data.status != OrderStatus::OnHold {
        return Ok(());
    }
    let account = stored::find_one_by::<Account>(work, "id", Scalar::Id(order.data.account_id.0)).await?;
    let is_blocked = account.is_none_or(|a| a.data.check_not_blocked().is_err());
    if is_blocked || open.iter().any(|h| !h.data.releases_itself) {
        // A user has to look at it anyway, and then everything is checked again.
        for waiting in open.into_iter().filter(|h| h.data.releases_itself) {
            let mut after = waiting.clone();
            after.data.checked_at = Some(work.now);
            stored::save(work, &waiting, after, "checked", None).await?;
        }
        return Ok(());
    }
    let doing = Doing { checkpoint: Checkpoint::Confirm, what: "released" };
    commit_or_hold(work, &order, order.clone(), doing, Some(why.to_owned())).await.map(|_| ())
}
