//! Who takes over the records of a user who is deactivated. The records are counted when the user is deactivated, and handed over by a job, a
//! few at a time, until the user has none.

use samphan_background::jobs::{Job, JobContext};
use samphan_domain::{
    id::UserId,
    platform::user::{User, UserStatus},
};
use samphan_persistence::{
    jobs::Progress,
    record,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::job as kept,
    caller::Reach,
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::Scalar,
    shape::Shape,
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use uuid::Uuid;

/// Records handed over in one work.
const AT_ONCE: usize = 500;
/// Most records counted of each resource.
const MAX_COUNTED: i64 = 10_000;
/// Seconds after which no session of a deactivated user makes records any more, with room to spare.
const SETTLED_AFTER_SECONDS: i64 = 60;
/// The reason in the events of the records.
const REASON: &str = "The owner was deactivated.";

/// The resources whose records have an owner that can change, in a steady order. Records that only the server writes, such as operations, say
/// who asked for them, and stay with that user.
fn owned(reader: &Reader) -> Vec<&'static Shape> {
    let is_written = |shape: &Shape| shape.writable().any(|field| !matches!(field.name, "owner_id" | "team_id"));
    let mut all: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(|s| s.owned && is_written(s)).collect();
    all.sort_by_key(|s| s.plural);
    all
}

/// Refuses with how many living records of each resource a user owns, if any.
pub async fn require_no_records(work: &Work, user: Uuid) -> Result<()> {
    let mut found = String::new();
    for shape in owned(work) {
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM (SELECT 1 FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ");
        sql.id(user).push(" LIMIT ").int(MAX_COUNTED).push(") s");
        let count = work.count(sql).await?;
        if count > 0 {
            let more = if count < MAX_COUNTED { "" } else { " or more" };
            // Writing into a String cannot fail.
            let _ = write!(found, "{}{count}{more} {}", if found.is_empty() { "" } else { ", " }, shape.plural);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::from(Code::InUse).with_detail(format!("the user owns {found}; name who takes over in `hand_over_to`, or send `keep`")))
}

/// Refuses to hand over records of a user without the permission to assign all of their resource: the successor may be the caller.
pub async fn require_assign(work: &Work, user: Uuid) -> Result<()> {
    for shape in owned(work) {
        let permission = shape.permission("assign");
        if work.caller.reach(&permission) == Some(Reach::All) {
            continue;
        }
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM (SELECT 1 FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ");
        sql.id(user).push(" LIMIT 1) s");
        if work.count(sql).await? > 0 {
            return Err(Error::from(Code::Forbidden).with_allowed([permission]));
        }
    }
    Ok(())
}

/// Refuses a user who cannot take over.
pub async fn expect_active(work: &Work, user: Uuid, successor: Uuid) -> Result<()> {
    let fault = |code, about: &str| Err(Error::invalid(FieldError::new("/hand_over_to", code, about)));
    if user == successor {
        return fault(FieldCode::RefersToItself, "another user");
    }
    if stored::find_one_by::<User>(work, "id", Scalar::Id(successor)).await?.is_none() {
        return fault(FieldCode::UnknownReference, User::PLURAL);
    }
    if record::active(work, &[successor]).await?.is_empty() {
        return fault(FieldCode::InactiveUser, "a user who is active");
    }
    Ok(())
}

/// Hands over the records of a deactivated user to the successor, a few at a time.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct HandOverRecords {
    /// The user who was deactivated.
    pub user_id: Uuid,
    /// Who takes over, for the job to be tried again after it was cancelled.
    #[serde(default)]
    pub successor_id: Option<Uuid>,
}

/// How many records a user owns.
pub async fn count(work: &Work, user: Uuid) -> Result<i64> {
    let mut total = 0;
    for shape in owned(work) {
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ").id(user);
        total += work.count(sql).await?;
    }
    Ok(total)
}

/// Notes that the rest of a user's records stay: the hand-over was cancelled.
async fn forget_successor(work: &Work, user: Uuid) -> Result<()> {
    let Some(user) = record::locked(work, work.shape(User::PLURAL)?, [user]).await?.pop() else { return Ok(()) };
    settle(work, &Stored::of(user)?).await
}

/// The hand-over that a job is; none where it is something else.
async fn hand_over_of(work: &Work, job: &Stored<kept::Job>) -> Result<Option<HandOverRecords>> {
    if job.data.kind != HandOverRecords::KIND {
        return Ok(None);
    }
    let mut sql = work.sql();
    sql.push("SELECT t.payload FROM jobs t WHERE t.id = ").id(job.id());
    Ok(work.fetch_one(sql, |row| row.text(0)).await?.and_then(|payload| serde_json::from_str(&payload).ok()))
}

/// What else is done when a job that waits is cancelled. One that runs does it itself.
pub async fn cancelled(work: &Work, job: &Stored<kept::Job>) -> Result<()> {
    match hand_over_of(work, job).await? {
        Some(hand_over) => forget_successor(work, hand_over.user_id).await,
        None => Ok(()),
    }
}

/// What else is done when a job is tried again: who was to take over does so again, if that can be.
pub async fn retried(work: &Work, job: &Stored<kept::Job>) -> Result<()> {
    let Some(HandOverRecords { user_id, successor_id: Some(successor) }) = hand_over_of(work, job).await? else { return Ok(()) };
    let Some(user) = record::locked(work, work.shape(User::PLURAL)?, [user_id]).await?.pop() else { return Ok(()) };
    let before = Stored::<User>::of(user)?;
    if before.data.status == UserStatus::Active || before.data.successor_id.is_some() {
        return Ok(());
    }
    expect_active(work, user_id, successor).await?;
    let mut after = before.clone();
    after.data.successor_id = Some(UserId(successor));
    stored::save(work, &before, after, "updated", None).await.map(|_| ())
}

impl Job for HandOverRecords {
    const KIND: &'static str = "users.hand_over_records";

    async fn run(self, context: &JobContext) -> Result<()> {
        while !context.is_cancelled() {
            let work = context.work().await?;
            let step = hand_over_some(&work, self.user_id, AT_ONCE).await?;
            let Progress { done, total } = context.progress();
            let moved = match step {
                Step::Moved(records) => records,
                Step::NothingLeft => 0,
                Step::NothingYet(again_at) => {
                    let again = self.enqueued()?.at(again_at).on_behalf_of(context.principal_id);
                    work.enqueue(again.unique(format!("{}/{}@{again_at}", Self::KIND, self.user_id))).await?;
                    0
                }
            };
            context.commit(work, Progress { done: done + moved, total: total.map(|total| total.max(done + moved)) }).await?;
            if moved == 0 {
                return Ok(());
            }
        }
        let work = context.work().await?;
        forget_successor(&work, self.user_id).await?;
        context.commit(work, context.progress()).await
    }
}

/// What a step of a hand-over did.
enum Step {
    /// So many records were handed over; there may be more.
    Moved(i64),
    /// There are none now. A session that ends only now may still make some, until this moment.
    NothingYet(Timestamp),
    /// There is nothing to be done any more.
    NothingLeft,
}

/// Hands over some records of a user.
async fn hand_over_some(work: &Work, user: Uuid, most: usize) -> Result<Step> {
    // Locked: of several processes one hands over, and the user is not activated meanwhile.
    let Some(user) = record::locked(work, work.shape(User::PLURAL)?, [user]).await?.pop() else { return Ok(Step::NothingLeft) };
    let user = Stored::<User>::of(user)?;
    let Some(successor) = user.data.successor_id else { return Ok(Step::NothingLeft) };
    if record::active(work, &[successor.0]).await?.is_empty() {
        // The successor was deactivated, too: that user's own successor is named there.
        settle(work, &user).await?;
        return Ok(Step::NothingLeft);
    }
    let mut left = most;
    for shape in owned(work) {
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ").id(user.id());
        sql.push(" ORDER BY t.id LIMIT ").int(i64::try_from(left).unwrap_or(i64::MAX));
        let ids = work.fetch(sql, |row| row.id(0)).await?;
        left = left.saturating_sub(ids.len());
        let records = record::locked(work, shape, ids).await?;
        record::hand_over(work, shape, records, Some(successor.0), None, Some(REASON)).await?;
        if left == 0 {
            break;
        }
    }
    if left < most {
        return Ok(Step::Moved(i64::try_from(most - left).unwrap_or(i64::MAX)));
    }
    match record::timestamp_in(&user.record, "updated_at") {
        Some(at) if at.is_within(SETTLED_AFTER_SECONDS, work.now) => Ok(Step::NothingYet(at.plus_seconds(SETTLED_AFTER_SECONDS))),
        _ => {
            settle(work, &user).await?;
            Ok(Step::NothingLeft)
        }
    }
}

/// Notes that there is nothing left to hand over.
async fn settle(work: &Work, before: &Stored<User>) -> Result<()> {
    if before.data.successor_id.is_none() {
        return Ok(());
    }
    let mut after = before.clone();
    after.data.successor_id = None;
    stored::save(work, before, after, "updated", None).await.map(|_| ())
}
