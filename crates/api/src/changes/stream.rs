//! `GET /v1/changes/stream`: the feed as server-sent events.

use super::{
    PERMISSION,
    follower::{ChangeFollower, Subscriber},
    selection::{Selection, parse_selection, redact_changes, start},
};
use actix_web::web::Bytes;
use futures_util::{StreamExt, stream::unfold};
use samphan_persistence::feed;
use samphan_resource::{
    builtin::change::Change,
    error::{Code, Error, Result},
};
use samphan_rest::{
    operation::RequestContext,
    rate_limit::Slot,
    response::{BodyStream, Response},
    revalidated_caller::{CHECK_INTERVAL, RevalidatedCaller},
};
use std::{fmt::Write, sync::Arc, time::Duration};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep},
};

/// How often something is sent, so that proxies do not take the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes read at a time.
const AT_ONCE: usize = 100;
/// How long a stream that was woken for nothing waits before it looks again.
const PACE: Duration = Duration::from_millis(50);

/// Answers a stream.
pub async fn run(call: RequestContext) -> Result<Response> {
    let asked = parse_selection(&call).await?;
    let (changes, store) = (call.service::<ChangeFollower>()?, call.kernel.store());
    let newest = feed::newest(store, call.now).await?;
    let from = call.last_event_id.as_deref().or(call.query.get("after").map(String::as_str));
    let after = start(store, from.unwrap_or("now"), newest)?;
    let slot = call.kernel.slots.take(format!("event streams of {}", call.caller.id), changes.streams_per_caller, "event streams")?;
    let after = changes.first_kept(store, after, call.now).await?;
    let place = Arc::clone(&changes.streams).try_acquire_owned();
    let place = place.map_err(|_| Error::from(Code::RateLimited).with_detail("too many streams are open").retry_after(5))?;
    let listener = Subscriber::new(&changes);
    let flow = ChangeStream {
        asked,
        caller: RevalidatedCaller::new(&call, PERMISSION),
        listener,
        after,
        newest,
        spoke: None,
        _slot: slot,
        _place: place,
    };
    let events = unfold(flow, |mut flow| async move {
        // What comes from the beginning never waits: others on the thread have their turn between two pieces.
        tokio::task::yield_now().await;
        flow.next().await.map(|piece| (Ok(piece), flow))
    });
    Ok(Response { stream: Some(BodyStream(events.boxed_local())), ..Response::default() })
}

/// A stream that is open.
struct ChangeStream {
    asked: Selection,
    caller: RevalidatedCaller,
    listener: Subscriber,
    after: i64,
    newest: i64,
    /// When something was sent last.
    spoke: Option<Instant>,
    _slot: Slot,
    _place: OwnedSemaphorePermit,
}

impl ChangeStream {
    /// The next piece; none at the end. A client that wants to go on asks again, and gets the problem then.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if self.listener.ending() {
                return None;
            }
            let reader = self.caller.reader().await.ok()?;
            self.asked.check_permissions(&reader).ok()?;
            let Some(spoke) = self.spoke else {
                // At once, so that the client has a cursor before anything happens.
                self.spoke = Some(Instant::now());
                return Some(Bytes::from(format!("retry: 2000\nid: {}\n\n", reader.store.feed_cursor(self.after))));
            };
            let mut found = match feed::read(&reader, &self.asked.wanted, self.after, self.newest, AT_ONCE).await {
                Ok(found) => found,
                // The caller has other long reads: after a while this one has its turn.
                Err(error) if error.code == Code::RateLimited => {
                    sleep(CHECK_INTERVAL).await;
                    continue;
                }
                Err(_) => return None,
            };
            let moved = found.until > self.after;
            self.after = found.until;
            if !found.changes.is_empty() {
                redact_changes(&reader, &mut found.changes);
                self.spoke = Some(Instant::now());
                return Some(Bytes::from(written(&found.changes)));
            }
            let due = spoke + HEARTBEAT;
            if Instant::now() >= due {
                self.spoke = Some(Instant::now());
                return Some(Bytes::from(format!(": \nid: {}\n\n", reader.store.feed_cursor(self.after))));
            }
            if self.after < self.newest {
                tokio::task::yield_now().await;
                continue;
            }
            if moved {
                sleep(PACE).await;
            }
            self.listener.changed(self.after, due.min(Instant::now() + CHECK_INTERVAL)).await;
            self.newest = self.newest.max(self.listener.newest());
        }
    }
}

/// Changes as events; JSON has no line breaks of its own.
fn written(changes: &[Change]) -> String {
    let mut out = String::with_capacity(changes.len() * 1024);
    for change in changes {
        let data = serde_json::to_string(change).unwrap_or_default();
        // Writing into a String cannot fail.
        let _ = write!(out, "id: {}\nevent: {}\ndata: {data}\n\n", change.cursor, change.kind);
    }
    out
}
