//! How notes are kept: few are pinned, and only their owner makes them private.

use samphan_domain::engagement::note::{Note, NoteVisibility};
use samphan_persistence::{store::Work, stored::Stored};
use samphan_resource::{
    error::{Error, FieldCode, FieldError, Result},
    resource::Resource,
    scalar::{Kind, Scalar},
};
use samphan_rest::collection::Collection;
use uuid::Uuid;

/// Most pinned notes of a record.
const MAX_PINNED: i64 = 3;

/// Notes.
pub fn routes() -> Collection<Note> {
    Collection::new("activities").after_create(after_create).after_update(after_update).with_crud()
}

async fn after_create(work: &Work, made: &[&Stored<Note>]) -> Result<()> {
    for note in made {
        check_private(work, note)?;
        if note.data.is_pinned {
            check_pinned(work, note).await?;
        }
    }
    Ok(())
}

async fn after_update(work: &Work, changed: &[(&Stored<Note>, &Stored<Note>)]) -> Result<()> {
    for (before, after) in changed {
        if before.data.visibility != after.data.visibility {
            check_private(work, after)?;
        }
        if after.data.is_pinned && (!before.data.is_pinned || place(&before.data) != place(&after.data)) {
            check_pinned(work, after).await?;
        }
    }
    Ok(())
}

/// Refuses to make a note private for another user: whoever does it would see it no more, and its owner could not know.
fn check_private(work: &Work, note: &Stored<Note>) -> Result<()> {
    let author = work.caller.author();
    if note.data.visibility == NoteVisibility::Private && author.is_some() && note.owner().0 != author {
        let about = "`internal` or `shared`: only its owner makes a note private";
        return Err(Error::invalid(FieldError::new("/visibility", FieldCode::NotAllowed, about)));
    }
    Ok(())
}

/// The record a note is pinned to, by the field that names it: the related one, or else the contact or the account.
fn place(note: &Note) -> Option<(&'static str, Uuid)> {
    let contact = || note.contact_id.map(|id| ("contact_id", id.0));
    let account = || note.account_id.map(|id| ("account_id", id.0));
    note.related_id.map(|id| ("related_id", id)).or_else(contact).or_else(account)
}

/// Refuses one pinned note too many. Notes of others that are private do not count: nobody else is told of them.
async fn check_pinned(work: &Work, note: &Stored<Note>) -> Result<()> {
    let Some((field, id)) = place(&note.data) else { return Ok(()) };
    work.lock_named(&format!("pinned notes of {id}")).await?;
    let mut sql = work.sql();
    sql.push("SELECT count(*) FROM ").push(Note::PLURAL).push(" t WHERE t.deleted_at IS NULL AND ").column("t", field).push(" = ").id(id);
    sql.push(" AND t.is_pinned = ").bind(Kind::Bool, Scalar::Bool(true));
    for field in ["related_id", "contact_id"].into_iter().take_while(|other| *other != field) {
        sql.push(" AND ").column("t", field).push(" IS NULL");
    }
    let owner = note.owner().0.map_or(Scalar::Null, Scalar::Id);
    sql.push(" AND (t.visibility <> 'private' OR t.owner_id = ").bind(Kind::Id, owner).push(")");
    if work.count(sql).await? > MAX_PINNED {
        return Err(Error::invalid(FieldError::new("/is_pinned", FieldCode::TooManyItems, MAX_PINNED.to_string())));
    }
    Ok(())
}
