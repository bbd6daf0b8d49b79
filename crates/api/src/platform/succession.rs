//! Who takes over the records of a user who is deactivated. The records are counted when the user is deactivated, and handed over a few at a
//! time by the sweep, safe in several processes, until the user has none.

use samphan_background::task::Task;
use samphan_domain::platform::user::User;
use samphan_persistence::{
    record,
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    caller::Reach,
    error::{Code, Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::Scalar,
    shape::Shape,
};
use std::{fmt::Write, time::Duration};
use uuid::Uuid;

/// How often it is looked for: a list is behind by no more than this.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// Most records counted of each resource.
const MAX_COUNTED: i64 = 10_000;
/// Seconds after which no session of a deactivated user makes records any more, with room to spare.
const SETTLED_AFTER_SECONDS: i64 = 60;
/// The reason in the events of the records.
const REASON: &str = "The owner was deactivated.";

/// The resources whose records have an owner, in a steady order.
fn owned(reader: &Reader) -> Vec<&'static Shape> {
    let mut all: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(|s| s.owned).collect();
    all.sort_by_key(|s| s.many);
    all
}

/// Refuses with how many living records of each resource a user owns, if any.
pub async fn require_no_records(work: &Work, user: Uuid) -> Result<()> {
    let mut found = String::new();
    for shape in owned(work) {
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM (SELECT 1 FROM ").push(shape.many).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ");
        sql.id(user).push(" LIMIT ").int(MAX_COUNTED).push(") s");
        let count = work.count(sql).await?;
        if count > 0 {
            let more = if count < MAX_COUNTED { "" } else { " or more" };
            // Writing into a String cannot fail.
            let _ = write!(found, "{}{count}{more} {}", if found.is_empty() { "" } else { ", " }, shape.many);
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(Error::from(Code::InUse).about(format!("the user owns {found}; name who takes over in `hand_over_to`, or send `keep`")))
}

/// Refuses to hand over records of a user without the permission to assign all of their resource: the successor may be the caller.
pub async fn require_assign(work: &Work, user: Uuid) -> Result<()> {
    for shape in owned(work) {
        let permission = shape.permission("assign");
        if work.caller.reach(&permission) == Some(Reach::All) {
            continue;
        }
        let mut sql = work.sql();
        sql.push("SELECT count(*) FROM (SELECT 1 FROM ").push(shape.many).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ");
        sql.id(user).push(" LIMIT 1) s");
        if work.count(sql).await? > 0 {
            return Err(Error::from(Code::Forbidden).allowing([permission]));
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
    if stored::one_with::<User>(work, "id", Scalar::Id(successor)).await?.is_none() {
        return fault(FieldCode::UnknownReference, User::MANY);
    }
    if record::active(work, &[successor]).await?.is_empty() {
        return fault(FieldCode::InactiveUser, "a user who is active");
    }
    Ok(())
}

/// The task that hands records over.
#[must_use]
pub fn task() -> Task {
    Task::sweep("users.hand_over_records", SWEEP_INTERVAL, is_any_due, hand_over_some)
}

/// Whether the records of any user are still to be handed over.
pub async fn is_any_due(reader: &Reader) -> Result<bool> {
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM users WHERE successor_id IS NOT NULL AND deleted_at IS NULL");
    Ok(reader.count(sql).await? > 0)
}

/// Hands over some records; says whether there may be more.
pub async fn hand_over_some(work: &Work, most: usize) -> Result<bool> {
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM users t WHERE t.successor_id IS NOT NULL AND t.deleted_at IS NULL ORDER BY t.id");
    for id in work.fetch(sql, |row| row.id(0)).await? {
        // Locked: of several processes one hands over, and the user is not activated meanwhile.
        let Some(user) = record::locked(work, work.shape(User::MANY)?, [id]).await?.pop() else { continue };
        let user = Stored::<User>::of(user)?;
        let Some(successor) = user.data.successor_id else { continue };
        if record::active(work, &[successor.0]).await?.is_empty() {
            // The successor was deactivated, too: whoever takes over that user's records is named there.
            settle(work, &user).await?;
            continue;
        }
        let mut left = most;
        for shape in owned(work) {
            let mut sql = work.sql();
            sql.push("SELECT t.id FROM ").push(shape.many).push(" t WHERE t.deleted_at IS NULL AND t.owner_id = ").id(id);
            sql.push(" ORDER BY t.id LIMIT ").int(i64::try_from(left).unwrap_or(i64::MAX));
            let ids = work.fetch(sql, |row| row.id(0)).await?;
            left = left.saturating_sub(ids.len());
            for before in record::locked(work, shape, ids).await? {
                record::hand_over(work, shape, &before, Some(successor.0), None, Some(REASON.to_owned())).await?;
            }
            if left == 0 {
                return Ok(true);
            }
        }
        let deactivated_at = record::instant_in(&user.record, "updated_at");
        if left == most && deactivated_at.is_some_and(|at| !at.is_within(SETTLED_AFTER_SECONDS, work.now)) {
            settle(work, &user).await?;
        }
    }
    Ok(false)
}

/// Notes that there is nothing left to hand over.
async fn settle(work: &Work, before: &Stored<User>) -> Result<()> {
    let mut after = before.clone();
    after.data.successor_id = None;
    stored::save(work, before, after, "updated", None).await.map(|_| ())
}
