//! The feed: every event once, in the order of commits, each at a position of its own. A position expires
//! only where old events are deleted (`SAMPHAN_KEEP_EVENTS_DAYS`).
//!
//! On PostgreSQL positions are given after the commit. The process that gives them holds a lock, takes the events that are visible and have none,
//! and numbers them on in the order in which the outbox wrote them. So a transaction that commits late comes late, and is never
//! skipped; and of two writes to one record the later follows the earlier, because an event is written when its transaction has all its
//! locks. No write waits for any of this.

use crate::{
    dialect::Dialect,
    error::Result,
    row::Row,
    sql::Sql,
    store::{Reader, Store, Work},
    visibility,
};
use samphan_resource::{
    builtin::change::{Actor, ActorKind, Change},
    caller::Caller,
    error::{Code, Error},
    page::Position,
    scalar::{Kind, Scalar},
    shape::Shape,
    timestamp::Timestamp,
};
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

/// The lock of the process that gives positions.
const LOCK: i64 = 0x5341_4d50_4845_4544;
/// Most events that get their positions in one transaction.
const MAX_ASSIGNED: i64 = 5_000;
/// Most positions one read looks at, whatever it finds there that the caller may see.
pub const MAX_SCANNED: i64 = 5_000;

/// What of the feed is wanted; everything when nothing is named.
#[derive(Clone, Debug, Default)]
pub struct FeedFilter {
    /// Event types.
    pub types: Option<Vec<&'static str>>,
    /// Resources, by their plurals.
    pub resources: Option<Vec<&'static str>>,
    /// The account that records must belong to.
    pub account: Option<Uuid>,
}

/// A stretch of the feed.
#[derive(Debug)]
pub struct FeedPage {
    /// The changes in it that are wanted and may be seen.
    pub changes: Vec<Change>,
    /// The last position looked at: go on after it.
    pub until: i64,
    /// The newest position there is.
    pub newest: i64,
}

/// What every cursor of the feed is bound to: not to types or resources, so that one cursor serves them all.
const BINDING: &str = "changes";

impl Store {
    /// The cursor that goes on after a position.
    #[must_use]
    pub fn feed_cursor(&self, position: i64) -> String {
        self.write_cursor(BINDING, &Position { keys: vec![Scalar::Int(position)], id: Uuid::nil() })
    }

    /// The position a cursor goes on after.
    pub fn feed_position(&self, cursor: &str) -> Result<i64> {
        match self.read_cursor(BINDING, cursor)?.keys.as_slice() {
            [Scalar::Int(position)] => Ok(*position),
            _ => Err(Error::from(Code::InvalidCursor)),
        }
    }
}

/// The newest position, after everything that is committed has one.
pub async fn newest(store: &Store, now: Timestamp) -> Result<i64> {
    let caller = Arc::new(Caller::system());
    let reader = store.reader(Arc::clone(&caller), now);
    let mut sql = reader.sql();
    sql.push("SELECT coalesce((SELECT max(position) FROM event_positions), 0)");
    if store.dialect() == Dialect::Sqlite {
        return reader.count(sql).await;
    }
    // Counted for each event: a join would be free to read all positions there are.
    sql.push(", (SELECT count(*) FROM (SELECT 1 FROM audit_events e WHERE e.seq > (SELECT settled_seq FROM feed_state) ");
    sql.push("AND (SELECT count(*) FROM event_positions p WHERE p.event_id = e.id) = 0 ORDER BY e.seq LIMIT 1) x) + ");
    // Or what was given could be settled: what is not is looked at again each time.
    sql.push("(SELECT count(*) FROM feed_state WHERE settled_seq < fence_seq AND fence_xid <= pg_snapshot_xmin(pg_current_snapshot()))");
    loop {
        let work = store.work(Arc::clone(&caller), now).await?;
        force_index_plans(&work).await?;
        let (newest, to_do) = work.fetch_one(sql.clone(), |row| Ok((row.int(0)?, row.int(1)?))).await?.unwrap_or_default();
        work.commit().await?;
        if to_do == 0 {
            return Ok(newest);
        }
        assign_positions(store, now).await?;
    }
}

/// The oldest position there is; 1 when there is none yet.
pub async fn oldest(store: &Store, now: Timestamp) -> Result<i64> {
    let reader = store.reader(Arc::new(Caller::system()), now);
    let mut sql = reader.sql();
    sql.push("SELECT coalesce((SELECT min(position) FROM event_positions), 1)");
    reader.count(sql).await
}

/// Has this work's statements find events in the order of their index, and each event's position by its own. A plan is made once and
/// used as long as the connection lives: made while there are a few positions it would read all of them for each event, and once there
/// are thousands it would not end within the time a statement has. Nothing is to be gathered and sorted for the first few, either.
async fn force_index_plans(work: &Work) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT set_config(name, 'off', true) FROM unnest(ARRAY['enable_seqscan', 'enable_sort', 'enable_bitmapscan']) name");
    work.fetch(sql, |_| Ok(())).await.map(|_| ())
}

/// Gives positions to the events that have none.
async fn assign_positions(store: &Store, now: Timestamp) -> Result<()> {
    let work = store.work(Arc::new(Caller::system()), now).await?;
    force_index_plans(&work).await?;
    // A statement of its own: the next one sees what was committed before this lock was had.
    let mut sql = work.sql();
    sql.push("SELECT settled_seq, pg_advisory_xact_lock(").int(LOCK).push(") FROM feed_state");
    let settled = work.count(sql).await?;
    // All parts of the statement see the same. Up to the last of `upto` everything visible has its position then; what is not visible
    // there yet is of a transaction that runs, so once all that have begun by now are over, nothing can come any more. Those are all with
    // lower numbers than this one, which gets its own here; the end of its snapshot says only up to where the first is not over.
    let mut sql = work.sql();
    sql.push("WITH state AS (SELECT f.settled_seq, f.fence_seq, f.fence_xid, pg_snapshot_xmin(pg_current_snapshot()) AS running, ");
    sql.push("pg_current_xact_id() AS begun FROM feed_state f), ");
    sql.push("fresh AS (SELECT e.id, e.seq FROM audit_events e WHERE e.seq > ").int(settled);
    sql.push(" AND (SELECT count(*) FROM event_positions p WHERE p.event_id = e.id) = 0 ORDER BY e.seq LIMIT ").int(MAX_ASSIGNED);
    sql.push("), upto AS (SELECT CASE WHEN count(*) < ").int(MAX_ASSIGNED);
    sql.push(" THEN (SELECT coalesce(max(seq), 0) FROM audit_events) ELSE max(seq) END AS seq FROM fresh), ");
    sql.push(
        "placed AS (INSERT INTO event_positions (position, event_id) SELECT (SELECT coalesce(max(position), 0) FROM event_positions) ",
    );
    sql.push("+ row_number() OVER (ORDER BY f.seq), f.id FROM fresh f) ");
    // Transactions are numbered anew when a database is restored elsewhere: a fence that none here has reached yet is set again.
    sql.push("UPDATE feed_state SET settled_seq = CASE WHEN s.running >= s.fence_xid THEN s.fence_seq ELSE s.settled_seq END, ");
    sql.push("fence_seq = u.seq, fence_xid = s.begun FROM state s, upto u ");
    sql.push("WHERE s.running >= s.fence_xid AND s.fence_seq <= u.seq OR s.fence_xid > s.begun");
    work.execute(sql).await?;
    work.commit().await
}

/// Reads what comes after a position, at most `limit` changes and `MOST_SCANNED` positions, as the reader's caller may see it.
pub async fn read(reader: &Reader, filter: &FeedFilter, after: i64, newest: i64, limit: usize) -> Result<FeedPage> {
    let until = newest.min(after.saturating_add(MAX_SCANNED));
    if until <= after {
        return Ok(FeedPage { changes: vec![], until: after, newest });
    }
    let mut sql = select(reader);
    sql.push(" AND p.position > ").int(after).push(" AND p.position <= ").int(until);
    for (column, names) in [("kind", &filter.types), ("resource", &filter.resources)] {
        if let Some(names) = names {
            sql.push(" AND ").column("t", column).one_of(Kind::Text, names.iter().map(|n| Scalar::Text((*n).to_owned())));
        }
    }
    if let Some(account) = filter.account {
        of_account(&mut sql, reader, account)?;
    }
    visibility::restrict_to_visible(&mut sql, reader, reader.shape("audit_events")?, "t", "read")?;
    sql.push(" ORDER BY p.position LIMIT ").int(i64::try_from(limit).unwrap_or(i64::MAX));
    let changes = reader.fetch(sql, |row| change(&reader.store, row)).await?;
    let until = changes.last().filter(|_| changes.len() >= limit).map_or(until, |last| last.position);
    Ok(FeedPage { changes, until, newest })
}

/// The field that says to which account a record belongs, and the resource it names.
const ACCOUNT_FIELD: &str = "account_id";
const ACCOUNTS: &str = "accounts";

/// Leaves the events of records that belong to an account: the account, what names it in `account_id`, what has such a record for a
/// parent, and what is about the account. Each is one look by primary key, and only for an event of that resource.
fn of_account(sql: &mut Sql, reader: &Reader, account: Uuid) -> Result<()> {
    let is_of_account = |shape: &Shape| shape.field(ACCOUNT_FIELD).is_some_and(|f| f.reference == Some(ACCOUNTS));
    let mut shapes: Vec<&'static Shape> =
        reader.store.shapes.values().copied().filter(|s| !s.append_only && s.plural != ACCOUNTS).collect();
    shapes.sort_by_key(|s| s.plural);
    let is_account = reader.store.shapes.get(ACCOUNTS).copied();
    sql.push(" AND (t.resource = 'accounts' AND t.resource_id = ").id(account);
    for shape in shapes {
        let begin = |sql: &mut Sql| {
            sql.push(" OR t.resource = ").text(shape.plural).push(" AND EXISTS (SELECT 1 FROM ").push(shape.plural).push(" r");
        };
        if is_of_account(shape) {
            begin(sql);
            sql.push(" WHERE r.id = t.resource_id AND r.account_id = ").id(account).push(")");
        }
        for name in shape.parents {
            let Some(field) = shape.field(name) else { continue };
            let Some(parent) = field.reference.and_then(|many| reader.store.shapes.get(many)).filter(|p| is_of_account(p)) else {
                continue;
            };
            begin(sql);
            sql.push(" JOIN ").push(parent.plural).push(" p2 ON p2.id = ").column("r", field.name);
            sql.push(" WHERE r.id = t.resource_id AND p2.account_id = ").id(account).push(")");
        }
        for any in shape.any_references.iter().filter(|any| is_account.is_some_and(|accounts| any.targets.include(accounts))) {
            begin(sql);
            sql.push(" WHERE r.id = t.resource_id AND ")
                .column("r", any.resource)
                .push(" = 'accounts' AND ")
                .column("r", any.id)
                .push(" = ");
            sql.id(account).push(")");
        }
    }
    sql.push(")");
    Ok(())
}

/// Changes by the ids of their events, in no order; those that the reader's caller may not see are left out.
pub async fn by_ids(reader: &Reader, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Change>> {
    let mut sql = select(reader);
    sql.push(" AND p.event_id").one_of_ids(ids);
    visibility::restrict_to_visible(&mut sql, reader, reader.shape("audit_events")?, "t", "read")?;
    reader.fetch(sql, |row| change(&reader.store, row)).await
}

fn select(reader: &Reader) -> Sql {
    let mut sql = reader.sql();
    sql.push("SELECT p.position, t.id, t.kind, t.created_at, t.created_by_id, ");
    sql.push(
        "CASE WHEN t.created_by_id IS NULL THEN 0 WHEN EXISTS (SELECT 1 FROM users u WHERE u.id = t.created_by_id) THEN 1 ELSE 2 END, ",
    );
    sql.push("t.resource, t.resource_id, t.resource_version, t.changed_fields, t.before, t.after, t.reason, t.request_id ");
    // From positions to their events, one by one, whatever else there is an index of: how many events of a type there are, the database
    // only guesses.
    sql.push(match reader.store.dialect() {
        Dialect::Sqlite => "FROM event_positions p CROSS JOIN audit_events t WHERE t.position = p.position",
        Dialect::Postgres => {
            "FROM event_positions p CROSS JOIN LATERAL (SELECT * FROM audit_events e WHERE e.id = p.event_id OFFSET 0) t WHERE true"
        }
    });
    sql
}

fn change(store: &Store, row: &Row<'_>) -> Result<Change> {
    let json = |index| -> Result<Option<Box<RawValue>>> {
        row.optional_text(index)?.map(RawValue::from_string).transpose().map_err(|_| Error::from(Code::Internal))
    };
    let position = row.int(0)?;
    let kind = match row.int(5)? {
        0 => ActorKind::System,
        1 => ActorKind::User,
        _ => ActorKind::ApiKey,
    };
    Ok(Change {
        id: row.id(1)?,
        position,
        cursor: store.feed_cursor(position),
        kind: row.text(2)?,
        time: row.time(3)?.ok_or(Code::Internal)?,
        actor: Actor { kind, id: row.optional_id(4)? },
        resource: row.text(6)?,
        resource_id: row.id(7)?,
        version: row.int(8)?,
        changed_fields: serde_json::from_str(&row.text(9)?).unwrap_or_default(),
        before: json(10)?,
        after: json(11)?,
        reason: row.optional_text(12)?,
        request_id: row.optional_text(13)?.filter(|id| !id.is_empty()),
    })
}
