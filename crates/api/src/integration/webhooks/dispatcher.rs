//! Sends changes to webhook endpoints: each endpoint is told by one process at a time, in the order of positions, as far as its maker
//! may read, and whatever fails is tried again later without holding up what comes after.

use super::{
    endpoint::{TESTED, condition, secrets},
    sender::Outcome,
};
use crate::{
    identity::callers,
    integration::changes::{
        PERMISSION,
        asked::{event_types, shield},
        follower::Listener,
    },
    server::{self, State},
};
use samphan_domain::{
    caller::Caller,
    error::Result,
    filter::Filter,
    instant::Instant,
    integration::{
        change::{ActorKind, Change},
        webhook_delivery::RETRIES,
        webhook_endpoint::{DisabledReason, EndpointStatus, WebhookEndpoint},
    },
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_persistence::{
    feed::{self, Wanted},
    record::uuid_in,
    store::{Reader, Store, Work},
    stored::{self, Stored},
};
use serde_json::json;
use std::{cell::RefCell, collections::HashSet, rc::Rc, sync::Arc, time::Duration};
use tokio::time::{Instant as Clock, sleep};
use uuid::Uuid;

/// How often it is asked which endpoints there is something to send to, changes apart, which are heard of at once.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// How long changes are gathered before endpoints are looked at again.
const GATHERED: Duration = Duration::from_millis(20);
/// How long to leave an endpoint alone after the database failed.
const BREATH: Duration = Duration::from_secs(1);
/// Seconds an endpoint is one process's own; longer than an attempt takes.
const LEASE: i64 = 30;
/// Changes looked for, and deliveries sent, before the lease is renewed.
const AT_ONCE: usize = 50;
/// Seconds of nothing but failures after which an endpoint is disabled: three days.
const PATIENCE: i64 = 3 * 86_400;

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

/// Whoever is told once more, by a replay, is told by the same delivery.
const AGAIN: &str = "ON CONFLICT (webhook_endpoint_id, event_id) DO UPDATE SET status = 'pending', attempts = 0, \
                     next_attempt_at = excluded.next_attempt_at";

/// Tells all endpoints, as long as the process serves.
pub async fn run(state: State) {
    let me = Uuid::from_u128(rand::random());
    let busy: Rc<RefCell<HashSet<Uuid>>> = Rc::default();
    let mut listener: Option<Listener> = None;
    let mut known = 0;
    loop {
        let Ok((active, waiting)) = due(&state.store, me, server::now()).await else {
            sleep(BREATH).await;
            continue;
        };
        for endpoint in waiting {
            if busy.borrow_mut().insert(endpoint) {
                let (state, busy) = (state.clone(), Rc::clone(&busy));
                actix_web::rt::spawn(async move {
                    if tell(&state, me, endpoint).await.is_err() {
                        // The database said why.
                        sleep(BREATH).await;
                    }
                    busy.borrow_mut().remove(&endpoint);
                });
            }
        }
        if !active {
            listener = None;
            sleep(ASKED_EVERY).await;
            continue;
        }
        let listener = listener.get_or_insert_with(|| Listener::new(&state.shared));
        listener.changed(known, Clock::now() + ASKED_EVERY).await;
        if listener.ending() {
            return;
        }
        known = listener.newest();
        sleep(GATHERED).await;
    }
}

fn system(store: &Store, now: Instant) -> Reader {
    store.reader(Arc::new(Caller::system()), now)
}

/// Whether there are active endpoints, and those there is something to send to that no other process sends to.
async fn due(store: &Store, me: Uuid, now: Instant) -> Result<(bool, Vec<Uuid>)> {
    let reader = system(store, now);
    let newest = feed::newest(store, now).await?;
    let mut sql = reader.sql();
    sql.push("SELECT e.id, CASE WHEN (c.leased_until IS NULL OR c.leased_by = ").id(me).push(" OR c.leased_until < ");
    sql.bind(Kind::Time, Scalar::Time(now)).push(") AND (c.position < ").int(newest);
    sql.push(" OR EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.webhook_endpoint_id = e.id AND d.status = 'pending' AND d.next_attempt_at <= ");
    sql.bind(Kind::Time, Scalar::Time(now)).push(")) THEN 1 ELSE 0 END ");
    sql.push("FROM webhook_endpoints e JOIN webhook_cursors c ON c.endpoint_id = e.id WHERE e.deleted_at IS NULL AND e.status = 'active'");
    let all = reader.fetch(sql, |row| Ok((row.id(0)?, row.int(1)? == 1))).await?;
    Ok((!all.is_empty(), all.into_iter().filter(|(_, due)| *due).map(|(id, _)| id).collect()))
}

/// Tells one endpoint until there is nothing left to tell now.
async fn tell(state: &State, me: Uuid, endpoint: Uuid) -> Result<()> {
    while let Some(position) = lease(state, me, endpoint).await? {
        let reader = system(&state.store, server::now());
        let Some(found) = stored::all_with::<WebhookEndpoint>(&reader, "id", Scalar::Id(endpoint)).await?.into_iter().next() else { break };
        if found.data.status != EndpointStatus::Active {
            break;
        }
        let Some(maker) = maker(state, &found).await? else {
            disable(state, endpoint, DisabledReason::MakerNotAllowed).await?;
            break;
        };
        let moved = note(state, me, &found, &maker, position).await?;
        let sent = send(state, &found, &maker).await?;
        if !moved && !sent {
            break;
        }
    }
    let work = state.store.work(Arc::new(Caller::system()), server::now()).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET leased_by = NULL, leased_until = NULL WHERE endpoint_id = ").id(endpoint);
    sql.push(" AND leased_by = ").id(me);
    work.execute(sql).await?;
    work.commit().await
}

/// Makes an endpoint this process's own for a while, and answers how far it was told; none when it is another's.
async fn lease(state: &State, me: Uuid, endpoint: Uuid) -> Result<Option<i64>> {
    let now = server::now();
    let work = state.store.work(Arc::new(Caller::system()), now).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET leased_by = ").id(me).push(", leased_until = ");
    sql.bind(Kind::Time, Scalar::Time(now.plus_seconds(LEASE))).push(" WHERE endpoint_id = ").id(endpoint);
    sql.push(" AND (leased_until IS NULL OR leased_by = ").id(me).push(" OR leased_until < ").bind(Kind::Time, Scalar::Time(now)).push(")");
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
async fn maker(state: &State, endpoint: &Stored<WebhookEndpoint>) -> Result<Option<Arc<Caller>>> {
    let caller = match uuid_in(&endpoint.record, "created_by_id") {
        None => Some(Arc::new(Caller::system())),
        Some(id) => callers::of_principal(state, id, server::now()).await?,
    };
    Ok(caller.filter(|c| c.reach(PERMISSION).is_some()))
}

/// Notes what an endpoint is to be told next, and how far that goes, in one transaction: nothing is left out by whatever breaks.
async fn note(state: &State, me: Uuid, endpoint: &Stored<WebhookEndpoint>, maker: &Arc<Caller>, position: i64) -> Result<bool> {
    let now = server::now();
    let newest = feed::newest(&state.store, now).await?;
    if newest <= position {
        return Ok(false);
    }
    let reader = state.store.reader(Arc::clone(maker), now);
    let names = || endpoint.data.event_types.iter().map(String::as_str);
    let types = (!names().any(|name| name == "*")).then(|| {
        let asked = event_types(state.store.shapes, names(), |_| String::new(), &mut vec![]);
        asked.into_iter().chain([TESTED]).collect()
    });
    let wanted = Wanted { types, resources: None };
    let found = feed::read(&reader, &wanted, position, newest, AT_ONCE).await?;
    // What an earlier version took for a filter may be none any more; then nothing passes.
    let filter = condition(&system(&state.store, now), &endpoint.data).await;
    let passes = |c: &Change| match (&filter, c.kind == TESTED) {
        (_, true) => c.resource_id == endpoint.id(),
        (Ok(filter), false) => filter.as_ref().is_none_or(|f| fits(f, c)),
        (Err(_), false) => false,
    };
    let work = state.store.work(Arc::new(Caller::system()), now).await?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_cursors SET position = ").int(found.until).push(" WHERE endpoint_id = ").id(endpoint.id());
    sql.push(" AND leased_by = ").id(me).push(" AND position = ").int(position);
    if work.execute(sql).await? == 0 {
        // A replay came in between, or another process: it is looked at anew.
        return Ok(true);
    }
    let row = |c: &Change| {
        vec![
            Scalar::Id(work.new_id()),
            Scalar::Time(now),
            Scalar::Null,
            Scalar::Id(endpoint.id()),
            Scalar::Id(c.id),
            Scalar::Text(c.kind.clone()),
            Scalar::Int(c.position),
            Scalar::Text("pending".to_owned()),
            Scalar::Int(0),
            Scalar::Time(now),
        ]
    };
    let rows = found.changes.iter().filter(|c| passes(c)).map(row).collect();
    work.insert("webhook_deliveries", COLUMNS, rows, AGAIN).await?;
    work.commit().await?;
    Ok(true)
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
        "actor_kind": actor, "actor_id": change.actor.id, "changed_fields": change.changed_fields.join(","), "reason": change.reason,
    });
    filter.passes(&flat, &|_, _| None)
}

/// A delivery that is due.
struct Due {
    id: Uuid,
    event: Uuid,
    attempts: i64,
}

/// Sends what is due, one after the other; says whether anything was.
async fn send(state: &State, endpoint: &Stored<WebhookEndpoint>, maker: &Arc<Caller>) -> Result<bool> {
    let now = server::now();
    let reader = state.store.reader(Arc::clone(maker), now);
    let mut sql = reader.sql();
    sql.push("SELECT id, event_id, attempts FROM webhook_deliveries WHERE webhook_endpoint_id = ").id(endpoint.id());
    sql.push(" AND status = 'pending' AND next_attempt_at <= ").bind(Kind::Time, Scalar::Time(now));
    sql.push(" ORDER BY next_attempt_at, position LIMIT ").int(i64::try_from(AT_ONCE).unwrap_or(i64::MAX));
    let due = reader.fetch(sql, |row| Ok(Due { id: row.id(0)?, event: row.id(1)?, attempts: row.int(2)? })).await?;
    let mut changes = feed::by_ids(&reader, due.iter().map(|d| d.event)).await?;
    shield(&reader, &mut changes);
    let secrets = secrets(&reader, endpoint.id()).await?;
    let begun = Clock::now();
    let any = !due.is_empty();
    for delivery in due {
        let body = changes.iter().find(|c| c.id == delivery.event).and_then(|c| serde_json::to_string(c).ok());
        let outcome = match body {
            Some(body) => state.webhooks.send(&endpoint.data.url, delivery.event, body, &secrets, server::now()).await,
            // The record is its maker's to read no more.
            None => Outcome { error: Some("not_visible"), ..Outcome::default() },
        };
        let on = keep(state, endpoint, &delivery, outcome).await?;
        // The lease is renewed, and the endpoint read again, before it ends.
        if !on || begun.elapsed() > Duration::from_secs(10) {
            break;
        }
    }
    Ok(any)
}

/// Keeps what became of an attempt; says whether the endpoint is still to be told.
async fn keep(state: &State, endpoint: &Stored<WebhookEndpoint>, delivery: &Due, outcome: Outcome) -> Result<bool> {
    let now = server::now();
    let work = state.store.work(Arc::new(Caller::system()), now).await?;
    let failed = outcome.error.is_some();
    let hidden = outcome.error == Some("not_visible");
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
        .bind(Kind::Time, next.map_or(Scalar::Null, |seconds| Scalar::Time(now.plus_seconds(spread(*seconds)))));
    sql.push(", last_attempt_at = ").bind(Kind::Time, Scalar::Time(now));
    sql.push(", last_status = ").bind(Kind::Int, outcome.status.map_or(Scalar::Null, |s| Scalar::Int(s.into())));
    sql.push(", last_error = ").bind(Kind::Text, text(outcome.error.map(str::to_owned)));
    sql.push(", last_response = ").bind(Kind::Text, text(outcome.response));
    sql.push(", last_duration_ms = ").int(outcome.duration_ms).push(" WHERE id = ").id(delivery.id);
    work.execute(sql).await?;
    let failing = if failed && !hidden { failing_since(&work, endpoint).await? } else { succeeded(&work, endpoint, failed).await? };
    work.commit().await?;
    let reason = match (outcome.status, failing) {
        (Some(410), _) => Some(DisabledReason::Gone),
        (_, Some(since)) if since.plus_seconds(PATIENCE) <= now => Some(DisabledReason::Failing),
        _ => None,
    };
    match reason {
        Some(reason) => disable(state, endpoint.id(), reason).await.map(|()| false),
        None => Ok(true),
    }
}

/// Some seconds more or less, so that what failed together is not tried again together.
fn spread(seconds: i64) -> i64 {
    let tenth = seconds / 10;
    seconds + if tenth == 0 { 0 } else { i64::from(rand::random::<u32>()) % (2 * tenth + 1) - tenth }
}

/// Since when every attempt has failed, this one included. No change of the record: nobody made it.
async fn failing_since(work: &Work, endpoint: &Stored<WebhookEndpoint>) -> Result<Option<Instant>> {
    let mut sql = work.sql();
    sql.push("UPDATE webhook_endpoints SET failing_since = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE failing_since IS NULL AND id = ").id(endpoint.id());
    work.execute(sql).await?;
    let mut sql = work.sql();
    sql.push("SELECT failing_since FROM webhook_endpoints WHERE id = ").id(endpoint.id());
    Ok(work.fetch_one(sql, |row| row.time(0)).await?.flatten())
}

async fn succeeded(work: &Work, endpoint: &Stored<WebhookEndpoint>, failed: bool) -> Result<Option<Instant>> {
    if !failed {
        let mut sql = work.sql();
        sql.push("UPDATE ")
            .push(WebhookEndpoint::MANY)
            .push(" SET failing_since = NULL WHERE failing_since IS NOT NULL AND id = ")
            .id(endpoint.id());
        work.execute(sql).await?;
    }
    Ok(None)
}

/// Disables an endpoint; the event is the notice.
async fn disable(state: &State, endpoint: Uuid, reason: DisabledReason) -> Result<()> {
    let work = state.store.work(Arc::new(Caller::system()), server::now()).await?;
    let before = stored::find::<WebhookEndpoint>(&work, endpoint, "read").await?;
    if before.data.status == EndpointStatus::Active {
        let mut after = before.clone();
        after.data.status = EndpointStatus::Disabled;
        after.data.disabled_reason = Some(reason);
        stored::save(&work, &before, after, "disabled", None).await?;
    }
    work.commit().await
}
