//! Sends changes to webhook endpoints: each endpoint is told by one process at a time, as far as its maker may read. What it is to be
//! sent is noted in the order of positions, and sent in that order too, but several at a time: a receiver that is slow to take one, or
//! refuses it, does not hold up what comes after.

use super::{
    endpoint::{TESTED, condition},
    secrets::secrets,
    sender::{Outcome, Sender},
};
use crate::{
    changes::{
        PERMISSION,
        follower::{ChangeFollower, Subscriber},
        selection::{event_types, redact_changes},
    },
    identity::service::Identity,
};
use samphan_background::{process::Process, task::Task, tasks::Tasks};
use samphan_domain::integration::{
    webhook_delivery::RETRIES,
    webhook_endpoint::{DisabledReason, EndpointStatus, WebhookEndpoint},
};
use samphan_persistence::{
    clock,
    feed::{self, FeedFilter},
    lease,
    record::uuid_in,
    row::Row,
    store::{Reader, Store, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::change::{ActorKind, Change},
    caller::Caller,
    error::{Code, Error, Result},
    filter::Filter,
    scalar::{Kind, Scalar},
    timestamp::Timestamp,
};
use serde_json::json;
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet, VecDeque},
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};
use uuid::Uuid;

/// How often it is asked which endpoints there is something to send to, changes apart, which are heard of at once.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// How long changes are gathered before endpoints are looked at again.
const GATHERED: Duration = Duration::from_millis(20);
/// How long to leave an endpoint alone after the database failed.
const ERROR_BACKOFF: Duration = Duration::from_secs(1);
/// Seconds an endpoint is one process's own; longer than an attempt takes.
const LEASE_SECONDS: i64 = 30;
/// How long what is known of an endpoint, and of what it is to be told, is gone by: then it is read again, and the lease renewed.
const RENEW_INTERVAL: Duration = Duration::from_secs(5);
/// Changes looked for, and deliveries taken up, at a time.
const AT_ONCE: usize = 50;
/// Seconds of nothing but failures after which an endpoint is disabled: three days.
const DISABLE_AFTER_SECONDS: i64 = 3 * 86_400;

const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::Id),
    ("created_at", Kind::Time),
    ("created_by_id", Kind::Id),
    ("webhook_endpoint_id", Kind::Id),
    ("event_id", Kind::Id),
    ("event_type", Kind::Text),
    ("position", Kind::Int),
    ("status", Kind::Text),
    ("attempts", Kind::Int),
    ("next_attempt_at", Kind::Time),
];

/// A replay sends the same delivery again.
const AGAIN: &str = "ON CONFLICT (webhook_endpoint_id, event_id) DO UPDATE SET status = 'pending', attempts = 0, \
                     next_attempt_at = excluded.next_attempt_at";

/// The task of this area.
#[must_use]
pub fn task() -> Task {
    Task::worker("webhooks.dispatch", run)
}

/// Tells all endpoints, as long as the process serves.
async fn run(process: Process, tasks: Tasks) {
    let Ok(follower) = process.service::<ChangeFollower>() else { return };
    let me = process.id;
    let busy: Rc<RefCell<HashSet<Uuid>>> = Rc::default();
    let mut listener: Option<Subscriber> = None;
    let mut known = 0;
    loop {
        let Ok((active, waiting)) = due(&process.store, me, clock::now()).await else {
            sleep(ERROR_BACKOFF).await;
            continue;
        };
        for endpoint in waiting {
            if busy.borrow_mut().insert(endpoint) {
                let (process, busy) = (process.clone(), Rc::clone(&busy));
                tasks.spawn(async move {
                    if deliver(&process, me, endpoint).await.is_err() {
                        // The database said why.
                        sleep(ERROR_BACKOFF).await;
                    }
                    busy.borrow_mut().remove(&endpoint);
                });
            }
        }
        if !active {
            listener = None;
            sleep(POLL_INTERVAL).await;
            continue;
        }
        let listener = listener.get_or_insert_with(|| Subscriber::new(&follower));
        listener.changed(known, Instant::now() + POLL_INTERVAL).await;
        if listener.ending() {
            return;
        }
        known = listener.newest();
        sleep(GATHERED).await;
    }
}

fn system(store: &Store, now: Timestamp) -> Reader {
    store.reader(Arc::new(Caller::system()), now)
}

/// Whether there are active endpoints, and those there is something to send to that no other process sends to.
async fn due(store: &Store, me: Uuid, now: Timestamp) -> Result<(bool, Vec<Uuid>)> {
    let reader = system(store, now);
    let newest = feed::newest(store, now).await?;
    let mut sql = reader.sql();
    sql.push("SELECT e.id, CASE WHEN (c.leased_until IS NULL OR c.leased_by = ").id(me).push(" OR ");
    lease::is_expired(&mut sql, "c", now, LEASE_SECONDS);
    sql.push(") AND (c.position < ").int(newest);
    sql.push(" OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= ");
    sql.bind(Kind::Time, Scalar::Time(now)).push(")) THEN 1 ELSE 0 END ");
    sql.push("FROM webhook_endpoints e JOIN webhook_cursors c ON c.endpoint_id = e.id WHERE e.deleted_at IS NULL AND e.status = 'active'");
    let all = reader.fetch(sql, |row| Ok((row.id(0)?, row.int(1)? == 1))).await?;
    Ok((!all.is_empty(), all.into_iter().filter(|(_, due)| *due).map(|(id, _)| id).collect()))
}

/// Gives back the endpoints of a process that ends in order, once its tasks have ended: others go on with them at once.
pub async fn give_back(process: &Process) -> Result<()> {
    let work = process.work().await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET leased_by = NULL, leased_until = NULL WHERE leased_by = ").id(process.id);
    work.execute(sql).await?;
    work.commit().await
}

/// Tells one endpoint until there is nothing left to tell now.
async fn deliver(process: &Process, me: Uuid, endpoint: Uuid) -> Result<()> {
    let told = delivery_loop(process, me, endpoint).await;
    let work = process.work().await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET leased_by = NULL, leased_until = NULL WHERE endpoint_id = ").id(endpoint);
    sql.push(" AND leased_by = ").id(me);
    work.execute(sql).await?;
    work.commit().await?;
    told
}

async fn delivery_loop(process: &Process, me: Uuid, endpoint: Uuid) -> Result<()> {
    let most = process.service::<Sender>()?.at_once;
    let mut listener = Subscriber::new(&process.service::<ChangeFollower>()?);
    let mut flights: JoinSet<(Due, Outcome)> = JoinSet::new();
    let mut under_way: HashSet<Uuid> = HashSet::new();
    let mut ready: VecDeque<Ready> = VecDeque::new();
    let (mut open, mut looked, mut position) = (true, None::<Instant>, 0);
    loop {
        let mut more = false;
        let has_room = ready.is_empty() && flights.len() < most;
        if open && (has_room || looked.is_none_or(|at| at.elapsed() > RENEW_INTERVAL)) {
            looked = Some(Instant::now());
            let found = if listener.ending() { None } else { poll(process, me, endpoint, &under_way).await? };
            open = found.is_some();
            let found = found.unwrap_or_default();
            (ready, position, more) = (found.ready, found.position, found.more);
        }
        while flights.len() < most
            && let Some(one) = ready.pop_front()
        {
            under_way.insert(one.due.id);
            flights.spawn_local(attempt(process.clone(), one));
        }
        if flights.is_empty() && !more {
            return Ok(());
        }
        let mut done = vec![];
        if !more {
            let has_room = open && ready.is_empty() && flights.len() < most;
            tokio::select! {
                Some(one) = flights.join_next() => done.push(one),
                // Where there is room, what happens meanwhile is sent meanwhile.
                () = async { listener.changed(position, Instant::now() + POLL_INTERVAL).await; sleep(GATHERED).await }, if has_room => {}
                () = sleep(RENEW_INTERVAL) => {}
            }
        }
        while let Some(one) = flights.try_join_next() {
            done.push(one);
        }
        let done = done.into_iter().collect::<std::result::Result<Vec<_>, _>>().map_err(|_| Error::from(Code::Internal))?;
        if !done.is_empty() && !record_results(process, endpoint, &done).await? {
            open = false;
            ready.clear();
        }
        done.iter().for_each(|(due, _)| {
            under_way.remove(&due.id);
        });
    }
}

/// What an endpoint is to be told next.
#[derive(Default)]
struct PendingWork {
    /// What is due and not under way.
    ready: VecDeque<Ready>,
    /// How far the feed was looked through.
    position: i64,
    /// Whether there is more of it.
    more: bool,
}

/// Looks what an endpoint is to be told next; none when it is not this process's to tell, or not to be told.
async fn poll(process: &Process, me: Uuid, id: Uuid, under_way: &HashSet<Uuid>) -> Result<Option<PendingWork>> {
    let Some(position) = lease(process, me, id).await? else { return Ok(None) };
    let reader = system(&process.store, clock::now());
    let Some(endpoint) = stored::find_by::<WebhookEndpoint>(&reader, "id", Scalar::Id(id)).await?.into_iter().next() else {
        return Ok(None);
    };
    if endpoint.data.status != EndpointStatus::Active {
        return Ok(None);
    }
    let Some(maker) = maker(process, &endpoint).await? else {
        disable(process, id, DisabledReason::MakerNotAllowed).await?;
        return Ok(None);
    };
    let (position, more) = enqueue_from_feed(process, me, &endpoint, &maker, position).await?;
    let secrets = secrets(&reader, &process.service::<Identity>()?.keyring(), id).await?;
    let ready = load_due(process, id, &maker, under_way, &Arc::new(Target { url: endpoint.data.url, secrets })).await?;
    Ok(Some(PendingWork { ready, position, more }))
}

/// Makes an endpoint this process's own for a while, and answers how far it was told; none when it is another's.
async fn lease(process: &Process, me: Uuid, endpoint: Uuid) -> Result<Option<i64>> {
    let now = clock::now();
    let work = process.store.work(Arc::new(Caller::system()), now).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors AS c SET leased_by = ").id(me).push(", leased_until = ");
    sql.bind(Kind::Time, Scalar::Time(now.plus_seconds(LEASE_SECONDS))).push(" WHERE c.endpoint_id = ").id(endpoint);
    sql.push(" AND (c.leased_until IS NULL OR c.leased_by = ").id(me).push(" OR ");
    lease::is_expired(&mut sql, "c", now, LEASE_SECONDS);
    sql.push(")");
    if work.execute(sql).await? == 0 {
        return Ok(None);
    }
    let mut sql = work.sql();
    sql.push("SELECT position FROM webhook_cursors WHERE endpoint_id = ").id(endpoint);
    let position = work.count(sql).await?;
    work.commit().await?;
    Ok(Some(position))
}

/// Who made an endpoint, if he may still follow changes: it is told what he may read.
async fn maker(process: &Process, endpoint: &Stored<WebhookEndpoint>) -> Result<Option<Arc<Caller>>> {
    let caller = match uuid_in(&endpoint.record, "created_by_id") {
        None => Some(Arc::new(Caller::system())),
        Some(id) => process.service::<Identity>()?.callers.load_principal(&process.store, id, clock::now()).await?,
    };
    Ok(caller.filter(|c| c.reach(PERMISSION).is_some()))
}

/// Notes what an endpoint is to be told next, and how far that goes, in one transaction: nothing is left out by whatever breaks. Answers
/// how far it looked, and whether there is more.
async fn enqueue_from_feed(
    process: &Process,
    me: Uuid,
    endpoint: &Stored<WebhookEndpoint>,
    maker: &Arc<Caller>,
    position: i64,
) -> Result<(i64, bool)> {
    let now = clock::now();
    let newest = feed::newest(&process.store, now).await?;
    if newest <= position {
        return Ok((position, false));
    }
    let reader = process.store.reader(Arc::clone(maker), now);
    let names = || endpoint.data.event_types.iter().map(String::as_str);
    let types = (!names().any(|name| name == "*")).then(|| {
        let asked = event_types(process.store.shapes, names(), |_| String::new(), &mut vec![]);
        asked.into_iter().chain([TESTED]).collect()
    });
    let wanted = FeedFilter { types, ..FeedFilter::default() };
    let found = feed::read(&reader, &wanted, position, newest, AT_ONCE).await?;
    // What an earlier version took for a filter may be none any more; then nothing passes.
    let filter = condition(&system(&process.store, now), &endpoint.data).await;
    let passes = |c: &Change| match (&filter, c.kind == TESTED) {
        (_, true) => c.resource_id == endpoint.id(),
        (Ok(filter), false) => filter.as_ref().is_none_or(|f| fits(f, c)),
        (Err(_), false) => false,
    };
    let work = process.store.work(Arc::new(Caller::system()), now).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET position = ").int(found.until).push(" WHERE endpoint_id = ").id(endpoint.id());
    sql.push(" AND leased_by = ").id(me).push(" AND position = ").int(position);
    if work.execute(sql).await? == 0 {
        // A replay came in between, or another process: it is looked at anew.
        return Ok((position, true));
    }
    enqueue(&work, endpoint.id(), found.changes.iter().filter(|c| passes(c))).await?;
    work.commit().await?;
    Ok((found.until, found.until < newest))
}

/// Notes changes that an endpoint is to be told, each as a delivery.
pub async fn enqueue<'a>(work: &Work, endpoint: Uuid, changes: impl Iterator<Item = &'a Change>) -> Result<()> {
    let row = |c: &Change| {
        vec![
            Scalar::Id(work.new_id()),
            Scalar::Time(work.now),
            Scalar::Null,
            Scalar::Id(endpoint),
            Scalar::Id(c.id),
            Scalar::Text(c.kind.clone()),
            Scalar::Int(c.position),
            Scalar::Text("pending".to_owned()),
            Scalar::Int(0),
            Scalar::Time(work.now),
        ]
    };
    work.insert("webhook_deliveries", COLUMNS, changes.map(row).collect(), AGAIN).await.map(|_| ())
}

fn fits(filter: &Filter, change: &Change) -> bool {
    let actor = match change.actor.kind {
        ActorKind::User => "user",
        ActorKind::ApiKey => "api_key",
        ActorKind::System => "system",
    };
    let flat = json!({
        "id": change.id, "created_at": change.time, "created_by_id": change.actor.id,
        "type": change.kind, "resource": change.resource, "resource_id": change.resource_id, "version": change.version, "time": change.time,
        "actor_kind": actor, "actor_id": change.actor.id, "changed_fields": change.changed_fields, "reason": change.reason,
    });
    filter.passes(&flat, &|_, _| None)
}

/// Where to, and what it is signed with.
struct Target {
    url: String,
    secrets: Vec<Vec<u8>>,
}

/// A delivery that is due.
struct Due {
    id: Uuid,
    event: Uuid,
    attempts: i64,
    since: Timestamp,
}

/// A delivery that is due, with all it takes; without a body where its maker may read the record no more.
struct Ready {
    due: Due,
    body: Option<String>,
    target: Arc<Target>,
}

/// What is due and not under way, in order.
async fn load_due(
    process: &Process,
    endpoint: Uuid,
    maker: &Arc<Caller>,
    under_way: &HashSet<Uuid>,
    target: &Arc<Target>,
) -> Result<VecDeque<Ready>> {
    let now = clock::now();
    let reader = process.store.reader(Arc::clone(maker), now);
    let mut sql = reader.sql();
    sql.push("SELECT id, event_id, attempts, next_attempt_at FROM webhook_deliveries WHERE webhook_endpoint_id = ").id(endpoint);
    sql.push(" AND status = 'pending' AND next_attempt_at <= ").bind(Kind::Time, Scalar::Time(now));
    sql.push(" ORDER BY next_attempt_at, position LIMIT ").int(i64::try_from(AT_ONCE + under_way.len()).unwrap_or(i64::MAX));
    let read = |row: &Row<'_>| {
        let since = row.time(3)?.ok_or(Code::Internal)?;
        Ok(Due { id: row.id(0)?, event: row.id(1)?, attempts: row.int(2)?, since })
    };
    let mut due = reader.fetch(sql, read).await?;
    due.retain(|due| !under_way.contains(&due.id));
    if due.is_empty() {
        return Ok(VecDeque::new());
    }
    let mut changes = feed::by_ids(&reader, due.iter().map(|d| d.event)).await?;
    redact_changes(&reader, &mut changes);
    let mut bodies: HashMap<Uuid, String> = changes.iter().filter_map(|c| Some((c.id, serde_json::to_string(c).ok()?))).collect();
    Ok(due.into_iter().map(|due| Ready { body: bodies.remove(&due.event), due, target: Arc::clone(target) }).collect())
}

/// One attempt, and what became of it.
async fn attempt(process: Process, Ready { due, body, target }: Ready) -> (Due, Outcome) {
    let failed = |error| Outcome { error: Some(error), ..Outcome::default() };
    let outcome = match body {
        // The record is its maker's to read no more.
        None => failed("not_visible"),
        // Unsigned, it could be anyone's.
        Some(_) if target.secrets.is_empty() => failed("secret_unreadable"),
        Some(body) => match process.service::<Sender>() {
            Ok(sender) => sender.send(&target.url, due.event, body, &target.secrets, clock::now()).await,
            Err(_) => failed("connection"),
        },
    };
    (due, outcome)
}

/// Keeps what became of attempts, in one transaction; says whether the endpoint is still to be told.
async fn record_results(process: &Process, endpoint: Uuid, done: &[(Due, Outcome)]) -> Result<bool> {
    let now = clock::now();
    let work = process.store.work(Arc::new(Caller::system()), now).await?;
    let (mut succeeded, mut failed) = (false, false);
    for (delivery, outcome) in done {
        let hidden = outcome.error == Some("not_visible");
        succeeded |= outcome.error.is_none();
        failed |= outcome.error.is_some() && !hidden;
        keep_one(&work, delivery, outcome, hidden).await?;
    }
    let failing = match (succeeded, failed) {
        (true, _) => succeeding(&work, endpoint).await.map(|()| None)?,
        (false, true) => failing_since(&work, endpoint).await?,
        (false, false) => None,
    };
    work.commit().await?;
    let reason = match failing {
        _ if done.iter().any(|(_, outcome)| outcome.status == Some(410)) => Some(DisabledReason::Gone),
        Some(since) if since.plus_seconds(DISABLE_AFTER_SECONDS) <= now => Some(DisabledReason::Failing),
        _ => None,
    };
    match reason {
        Some(reason) => disable(process, endpoint, reason).await.map(|()| false),
        None => Ok(true),
    }
}

async fn keep_one(work: &Work, delivery: &Due, outcome: &Outcome, hidden: bool) -> Result<()> {
    let failed = outcome.error.is_some();
    let next = usize::try_from(delivery.attempts).ok().and_then(|n| RETRIES.get(n)).filter(|_| failed && !hidden);
    let status = match (failed, next) {
        (false, _) => "delivered",
        (true, Some(_)) => "pending",
        (true, None) => "failed",
    };
    let text = |t: Option<String>| t.map_or(Scalar::Null, Scalar::Text);
    let mut sql = work.sql();
    sql.push("UPDATE webhook_deliveries SET status = ").text(status).push(", attempts = ").int(delivery.attempts + 1);
    sql.push(", next_attempt_at = ")
        .bind(Kind::Time, next.map_or(Scalar::Null, |seconds| Scalar::Time(work.now.plus_seconds(jitter(*seconds)))));
    sql.push(", last_attempt_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", last_status = ").bind(Kind::Int, outcome.status.map_or(Scalar::Null, |s| Scalar::Int(s.into())));
    sql.push(", last_error = ").bind(Kind::Text, text(outcome.error.map(str::to_owned)));
    sql.push(", last_response = ").bind(Kind::Text, text(outcome.response.clone()));
    sql.push(", last_duration_ms = ").int(outcome.duration_ms).push(" WHERE id = ").id(delivery.id);
    // A redelivery that was asked for meanwhile is to happen.
    sql.push(" AND status = 'pending' AND next_attempt_at = ").bind(Kind::Time, Scalar::Time(delivery.since));
    work.execute(sql).await.map(|_| ())
}

/// Some seconds more or less, so that what failed together is not tried again together.
fn jitter(seconds: i64) -> i64 {
    let tenth = seconds / 10;
    seconds + if tenth == 0 { 0 } else { i64::from(rand::random::<u32>()) % (2 * tenth + 1) - tenth }
}

/// Since when every attempt has failed, these included. No change of the record.
async fn failing_since(work: &Work, endpoint: Uuid) -> Result<Option<Timestamp>> {
    let mut sql = work.sql();
    sql.push("UPDATE webhook_endpoints SET failing_since = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE failing_since IS NULL AND id = ").id(endpoint);
    work.execute(sql).await?;
    let mut sql = work.sql();
    sql.push("SELECT failing_since FROM webhook_endpoints WHERE id = ").id(endpoint);
    Ok(work.fetch_one(sql, |row| row.time(0)).await?.flatten())
}

async fn succeeding(work: &Work, endpoint: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("UPDATE webhook_endpoints SET failing_since = NULL WHERE failing_since IS NOT NULL AND id = ").id(endpoint);
    work.execute(sql).await.map(|_| ())
}

/// Disables an endpoint; the event is the notice.
async fn disable(process: &Process, endpoint: Uuid, reason: DisabledReason) -> Result<()> {
    let work = process.work().await?;
    let before = stored::find::<WebhookEndpoint>(&work, endpoint, "read").await?;
    if before.data.status == EndpointStatus::Active {
        let mut after = before.clone();
        after.data.status = EndpointStatus::Disabled;
        after.data.disabled_reason = Some(reason);
        stored::save(&work, &before, after, "disabled", None).await?;
    }
    work.commit().await
}
