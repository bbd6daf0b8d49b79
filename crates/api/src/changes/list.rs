//! `GET /v1/changes`: a page of the feed, now or as soon as there is one.

use super::{
    PERMISSION,
    follower::{ChangeFollower, Subscriber},
    selection::{parse_selection, redact_changes, start},
};
use samphan_persistence::feed;
use samphan_resource::{
    builtin::change::Change,
    error::{Code, Error, FieldCode, FieldError, Result},
};
use samphan_rest::{
    operation::RequestContext,
    rate_limit::Slot,
    response::Response,
    revalidated_caller::{CHECK_INTERVAL, RevalidatedCaller},
};
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

/// Changes of a page when the request does not say.
const PAGE: usize = 100;
/// Longest wait, in seconds.
const LONGEST: u64 = 30;
/// How long a follower that was woken for nothing waits before it reads again: changes it may not see can come often.
const PACE: Duration = Duration::from_millis(50);

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Changes {
    /// The changes, in the order of commits.
    #[schema(max_items = 1000)]
    pub data: Vec<Change>,
    /// Goes on after this page; always there. It expires only where the settings have old events deleted; `invalid_cursor` says so.
    #[schema(max_length = 400, example = "example-cursor")]
    pub next_cursor: String,
    /// Whether there is more already; else there will be when something changes.
    pub has_more: bool,
}

/// Answers a page.
pub async fn run(call: RequestContext) -> Result<Response> {
    let asked = parse_selection(&call).await?;
    let limit = call.query.get("limit").and_then(|l| l.parse().ok()).unwrap_or(PAGE);
    let until = Instant::now() + wait(&call)?;
    let (changes, store) = (call.service::<ChangeFollower>()?, call.kernel.store());
    let mut newest = feed::newest(store, call.now).await?;
    let after = start(store, call.query.get("after").map_or("beginning", String::as_str), newest)?;
    let mut after = changes.first_kept(store, after, call.now).await?;
    let mut caller = RevalidatedCaller::new(&call, PERMISSION);
    let mut waiting: Option<(Subscriber, Slot)> = None;
    loop {
        let reader = caller.reader().await?;
        asked.check_permissions(&reader)?;
        let mut found = feed::read(&reader, &asked.wanted, after, newest, limit).await?;
        let over = Instant::now() >= until || waiting.as_ref().is_some_and(|(listener, _)| listener.ending());
        if !found.changes.is_empty() || over {
            redact_changes(&reader, &mut found.changes);
            let (next_cursor, has_more) = (store.feed_cursor(found.until), found.until < found.newest);
            return Ok(Response::json(&Changes { data: found.changes, next_cursor, has_more }));
        }
        let moved = found.until > after;
        after = found.until;
        if after < newest {
            tokio::task::yield_now().await;
            continue;
        }
        if moved && waiting.is_some() {
            sleep(PACE).await;
        }
        let (listener, _) = match &mut waiting {
            Some(waiting) => waiting,
            none => {
                let name = format!("waits for changes of {}", call.caller.id);
                let slot = call.kernel.slots.take(name, changes.streams_per_caller, "requests that wait for changes")?;
                none.insert((Subscriber::new(&changes), slot))
            }
        };
        listener.changed(after, until.min(Instant::now() + CHECK_INTERVAL)).await;
        newest = newest.max(listener.newest());
    }
}

fn wait(call: &RequestContext) -> Result<Duration> {
    let Some(text) = call.query.get("wait") else { return Ok(Duration::ZERO) };
    let seconds = text.strip_suffix('s').filter(|n| n.bytes().all(|b| b.is_ascii_digit())).and_then(|n| n.parse().ok());
    match seconds.filter(|n| *n <= LONGEST) {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => {
            Err(Error::from(Code::InvalidQuery).with_field_errors(vec![FieldError::new("?wait", FieldCode::InvalidFormat, "0s to 30s")]))
        }
    }
}
