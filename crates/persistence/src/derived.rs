//! Fields that repeat a field of another record ([`Resource::DERIVED`](samphan_resource::resource::Resource::DERIVED)), such as the account
//! of an order on its shipments.
//!
//! `many` calls [`fill`] before records are checked and [`follow`] after records were changed, `record` calls [`fill`] when one is restored.
//! So a derived field is never another than that of the record it is derived from, whichever of the two records is written.

use crate::{
    error::Result,
    many::{self, Write},
    record::{self, Record, id_of, uuid_in},
    store::Work,
};
use samphan_resource::{error::Code, resource::Derived, shape::Shape};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// Most records that follow in one statement.
const MAX_FOLLOWERS: i64 = 200;

/// Sets the derived fields of records that are created, restored, or changed to name another record.
pub(crate) async fn fill(work: &Work, shape: &'static Shape, writes: &mut [Write]) -> Result<()> {
    for derived in shape.derived {
        let is_new =
            |write: &Write| write.before.as_ref().is_none_or(|before| before.get(derived.reference) != write.after.get(derived.reference));
        let mut filled: Vec<&mut Record> = writes.iter_mut().filter(|write| is_new(write)).map(|write| &mut write.after).collect();
        let named: BTreeSet<Uuid> = filled.iter().filter_map(|record| uuid_in(record, derived.reference)).collect();
        let values = values(work, shape, derived, named).await?;
        for record in &mut filled {
            let value = match uuid_in(record, derived.reference).map(|id| values.get(&id)) {
                None => Value::Null,
                Some(Some(value)) => value.clone(),
                // The check of references refuses a record that names one which does not exist.
                Some(None) => continue,
            };
            record.insert(derived.field.to_owned(), value);
        }
    }
    Ok(())
}

/// The values to repeat, by the id of the record they are of. Its row is locked (`FOR SHARE`) until the work ends, so they cannot change.
async fn values(work: &Work, shape: &'static Shape, derived: &Derived, ids: BTreeSet<Uuid>) -> Result<HashMap<Uuid, Value>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let source = source(work, shape, derived)?;
    let kind = source.field(derived.from).ok_or(Code::Internal)?.kind;
    let mut sql = work.sql();
    sql.push("SELECT t.id, ").column("t", derived.from).push(" FROM ").push(source.plural).push(" t WHERE t.id").one_of_ids(ids);
    sql.for_share("t");
    Ok(work.fetch(sql, |row| Ok((row.id(0)?, row.scalar(1, kind)?.to_json(kind)))).await?.into_iter().collect())
}

fn source(work: &Work, shape: &'static Shape, derived: &Derived) -> Result<&'static Shape> {
    let many = shape.field(derived.reference).and_then(|field| field.reference).ok_or(Code::Internal)?;
    work.shape(many)
}

/// Updates the records that derive a field which was changed. Each update has an event of its own.
pub(crate) async fn follow(work: &Work, shape: &'static Shape, pairs: &[(&Record, &Record)]) -> Result<()> {
    let shapes = work.store.shapes.values().filter(|follower| !follower.derived.is_empty());
    let mut followers: Vec<(&'static Shape, &'static Derived)> = shapes
        .flat_map(|follower| follower.derived.iter().map(|derived| (*follower, derived)))
        .filter(|(follower, derived)| follower.field(derived.reference).is_some_and(|field| field.reference == Some(shape.plural)))
        .collect();
    followers.sort_by_key(|(follower, derived)| (follower.plural, derived.field));
    for (follower, derived) in followers {
        for (before, after) in pairs.iter().filter(|(before, after)| before.get(derived.from) != after.get(derived.from)) {
            let value = after.get(derived.from).cloned().unwrap_or_default();
            let followed = Followed { field: derived.field, reference: derived.reference, resource: None };
            while change_some(work, follower, followed, id_of(before), &value).await? {}
        }
    }
    Ok(())
}

/// A field that follows another record, and how it names that record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Followed {
    /// The field.
    pub field: &'static str,
    /// The field with the id of the other record.
    pub reference: &'static str,
    /// The field with the resource of the other record and that resource, where a reference may name a record of any of several.
    pub resource: Option<(&'static str, &'static str)>,
}

/// Updates some of the records that still have another value. Answers whether there were any.
pub(crate) async fn change_some(work: &Work, shape: &'static Shape, followed: Followed, source: Uuid, value: &Value) -> Result<bool> {
    let field = shape.field(followed.field).ok_or(Code::Internal)?;
    let scalar = field.kind.from_json(value).map_err(|_| Code::Internal)?;
    let mut sql = record::select(work, shape);
    sql.push(" AND ").column("t", followed.reference).push(" = ").id(source);
    if let Some((column, plural)) = followed.resource {
        sql.push(" AND ").column("t", column).push(" = ").text(plural);
    }
    sql.push(" AND ").column("t", followed.field).push(" IS DISTINCT FROM ").bind(field.kind, scalar);
    sql.push(" ORDER BY t.id LIMIT ").int(MAX_FOLLOWERS).for_update("t");
    let found = work.fetch(sql, |row| record::read(shape, row)).await?;
    let is_any = !found.is_empty();
    let changed = |before: Record| {
        let mut after = before.clone();
        after.insert(followed.field.to_owned(), value.clone());
        Write::change(before, after)
    };
    for written in Box::pin(many::write(work, shape, found.into_iter().map(changed).collect(), "updated", None)).await? {
        written?;
    }
    Ok(is_any)
}
