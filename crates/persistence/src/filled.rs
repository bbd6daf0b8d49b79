//! Fields that the record named by resource and id says: see `Resource::FILLED`.
//!
//! Filled in before a record is checked, whatever its way in, and followed when the named record changes. The named record is read under a lock
//! that keeps its values, so a field never has another value than the record it is filled from, whichever of the two is written.

use crate::{
    derived,
    error::Result,
    many::Write,
    record::{Record, id_of, uuid_in},
    row::Row,
    store::Work,
    visibility,
};
use samphan_resource::{reference::AnyReference, resource::Filled, shape::Shape};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// A field and the value the named record says it has.
pub(crate) type Settled = (&'static str, Value);

/// Fills in what records that are created, restored or changed leave out, and notes what each field is to be.
pub(crate) async fn fill(work: &Work, shape: &'static Shape, writes: &mut [Write]) -> Result<()> {
    for any in shape.any_references {
        let filled: Vec<&'static Filled> = shape.filled.iter().filter(|filled| filled.reference == any.id).collect();
        if !filled.is_empty() {
            fill_by(work, shape, any, &filled, writes).await?;
        }
    }
    Ok(())
}

async fn fill_by(
    work: &Work,
    shape: &'static Shape,
    any: &'static AnyReference,
    filled: &[&'static Filled],
    writes: &mut [Write],
) -> Result<()> {
    let mut named: BTreeMap<&'static str, BTreeSet<Uuid>> = BTreeMap::new();
    for write in &*writes {
        if let Some((target, id)) = named_by(work, any, write, filled) {
            named.entry(target.plural).or_default().insert(id);
        }
    }
    let mut values: HashMap<(&'static str, Uuid), Vec<Value>> = HashMap::new();
    for (many, ids) in named {
        // What this work has made is there, whether or not its caller sees it.
        let (made, others): (Vec<Uuid>, Vec<Uuid>) = ids.into_iter().partition(|id| work.has_created(many, *id));
        for (ids, is_seen) in [(made, true), (others, false)] {
            let found = said(work, shape, work.shape(many)?, filled, ids, is_seen).await?;
            values.extend(found.into_iter().map(|(id, said)| ((many, id), said)));
        }
    }
    for write in writes {
        let Some((target, id)) = named_by(work, any, write, filled) else { continue };
        // The check of references refuses a record that names one which is not there or not visible.
        let Some(said) = values.get(&(target.plural, id)) else { continue };
        for (filled, value) in filled.iter().zip(said).filter(|(_, value)| !value.is_null()) {
            let own = write.after.get(filled.field).unwrap_or(&Value::Null);
            let is_left = write.before.as_ref().is_some_and(|before| before.get(filled.field) == Some(own));
            if own.is_null() || is_left {
                write.after.insert(filled.field.to_owned(), value.clone());
            }
            write.settled.push((filled.field, value.clone()));
        }
    }
    Ok(())
}

/// The record a write names, where the write changes that, or a field the record fills.
fn named_by(work: &Work, any: &AnyReference, write: &Write, filled: &[&Filled]) -> Option<(&'static Shape, Uuid)> {
    let fields = || [any.resource, any.id].into_iter().chain(filled.iter().map(|filled| filled.field));
    if write.before.as_ref().is_some_and(|before| fields().all(|field| before.get(field) == write.after.get(field))) {
        return None;
    }
    let target = write.after.get(any.resource).and_then(Value::as_str).and_then(|many| work.store.shapes.get(many)).copied();
    target.filter(|target| any.targets.include(target)).zip(uuid_in(&write.after, any.id))
}

/// What records say of the fields, in their order; null where they say nothing. Those the caller does not see are left out, unless
/// `is_seen`.
async fn said(
    work: &Work,
    shape: &'static Shape,
    target: &'static Shape,
    filled: &[&'static Filled],
    ids: Vec<Uuid>,
    is_seen: bool,
) -> Result<Vec<(Uuid, Vec<Value>)>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let sources: Vec<Source> = filled.iter().map(|filled| source(shape, target, filled)).collect();
    let mut sql = work.sql();
    sql.push("SELECT t.id");
    for name in sources.iter().filter_map(|source| if let Source::Field(name) = source { Some(*name) } else { None }) {
        sql.push(", ").column("t", name);
    }
    sql.push(" FROM ").push(target.plural).push(" t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    if !is_seen {
        visibility::restrict_to_visible(&mut sql, work, target, "t", "read")?;
    }
    sql.push(" ORDER BY t.id").for_share("t");
    let read = |row: &Row<'_>| {
        let id = row.id(0)?;
        let mut index = 0;
        let mut value = |source: &Source| {
            Ok(match source {
                Source::Itself => json!(id),
                Source::Nothing => Value::Null,
                Source::Field(_) => {
                    index += 1;
                    json!(row.optional_id(index)?)
                }
            })
        };
        Ok((id, sources.iter().map(&mut value).collect::<Result<Vec<Value>>>()?))
    };
    work.fetch(sql, read).await
}

/// Where a resource says a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// Its records are what the field names.
    Itself,
    /// In a field of the same name.
    Field(&'static str),
    /// Nowhere.
    Nothing,
}

fn source(shape: &Shape, target: &'static Shape, filled: &Filled) -> Source {
    let named = shape.field(filled.field).and_then(|field| field.reference);
    match target.field(filled.field) {
        _ if named == Some(target.plural) => Source::Itself,
        Some(field) if field.reference == named => Source::Field(field.name),
        _ => Source::Nothing,
    }
}

/// Updates the records whose fields are filled by records that were changed. Each update has an event of its own.
pub(crate) async fn follow(work: &Work, shape: &'static Shape, pairs: &[(&Record, &Record)]) -> Result<()> {
    let followers = work.store.shapes.values().copied().filter(|follower| !follower.filled.is_empty());
    let mut fields: Vec<(&'static Shape, &'static Filled, &'static AnyReference, &'static str)> = followers
        .flat_map(|follower| follower.filled.iter().map(move |filled| (follower, filled)))
        .filter_map(|(follower, filled)| {
            let any = follower.any_reference(filled.reference).filter(|any| any.targets.include(shape))?;
            let Source::Field(name) = source(follower, shape, filled) else { return None };
            Some((follower, filled, any, name))
        })
        .collect();
    fields.sort_by_key(|(follower, filled, ..)| (follower.plural, filled.field));
    for (follower, filled, any, name) in fields {
        for (before, after) in pairs.iter().filter(|(before, after)| before.get(name) != after.get(name)) {
            let value = after.get(name).cloned().unwrap_or_default();
            let followed = derived::Followed { field: filled.field, reference: any.id, resource: Some((any.resource, shape.plural)) };
            // What the record says no more is the client's to say from now on.
            if !value.is_null() {
                while derived::change_some(work, follower, followed, id_of(before), &value).await? {}
            }
        }
    }
    Ok(())
}
