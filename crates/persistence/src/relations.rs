//! What holds between records: references point at living records, what is in use is not deleted, hierarchies are trees, and a flag
//! that only one of a set may have is had by one.
//!
//! Called by `many` for every write, whatever its way in. On PostgreSQL each rule is checked under the lock that makes it
//! true: a reference shares a lock on the record it names (`FOR KEY SHARE`), which deleting that record takes for itself (`FOR UPDATE`);
//! hierarchies and flags are checked in a line of their own. On SQLite there is one writer.

use crate::{
    checks::Pair,
    error::Result,
    filled::Settled,
    record::{self, Record, id_of, uuid_in},
    row::Row,
    sql::Sql,
    store::{Reader, Work},
    visibility,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError},
    reference::{AnyReference, OnDelete, Reference, Target},
    scalar::{Kind, Scalar},
    shape::Shape,
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Records in use that are named in one refusal.
const MAX_CONFLICTS: usize = 20;
/// Levels followed before a hierarchy counts as endless.
const MAX_FOLLOWED: i64 = 100;

/// Adds the faults of the references that writes change, one query for each reference field whatever the number of records, and answers the
/// permissions each write lacks for what it names. References that stand are not checked: the record they name may have been deleted since. Nor are
/// those that the record a write is about says (`settled`).
pub(crate) async fn check(
    work: &Work,
    shape: &'static Shape,
    pairs: &[Pair<'_>],
    settled: &[&[Settled]],
    faults: &mut [Vec<FieldError>],
) -> Result<Vec<Vec<String>>> {
    let mut unreadable = vec![vec![]; pairs.len()];
    for reference in shape.references.iter().filter(|r| r.is_written && r.key == "id") {
        let pointer = || format!("/{}", reference.path.split('.').next().unwrap_or_default());
        let many = match &reference.target {
            Target::One(many) => *many,
            Target::Any(any) => {
                check_any(work, any, pairs, settled, faults, &mut unreadable).await?;
                continue;
            }
        };
        let is_hierarchy = reference.is_column && many == shape.plural;
        let mut named: Vec<BTreeSet<Uuid>> = pairs.iter().map(|pair| newly_named(work, reference, *pair)).collect();
        for (ids, settled) in named.iter_mut().zip(settled) {
            if settled.iter().any(|(field, _)| *field == reference.path) {
                ids.clear();
            }
        }
        for (((_, after), ids), faults) in pairs.iter().zip(&mut named).zip(faults.iter_mut()) {
            if is_hierarchy && uuid_in(after, "id").is_some_and(|id| ids.contains(&id)) {
                faults.push(FieldError::new(pointer(), FieldCode::Circular, "another record"));
                ids.clear();
            }
        }
        let all: BTreeSet<Uuid> = named.iter().flatten().copied().collect();
        if all.is_empty() {
            continue;
        }
        let target = work.shape(many)?;
        // Without the permission nothing is found, whatever is named: that is said, instead of calling each record unknown.
        let missing = if target.owned || !target.parents.is_empty() { visibility::missing_to_read(work, target) } else { vec![] };
        let living = lock_living(work, target, all, true).await?;
        let active: Option<BTreeSet<Uuid>> = match shape.field(reference.path).is_some_and(|f| record::owns(shape, f)) {
            true => Some(record::active(work, &living).await?.into_iter().collect()),
            false => None,
        };
        let living: BTreeSet<Uuid> = living.into_iter().collect();
        for (i, (ids, (before, _))) in named.iter().zip(pairs).enumerate().filter(|(_, (ids, _))| !ids.is_empty()) {
            let (Some(faults), Some(unreadable)) = (faults.get_mut(i), unreadable.get_mut(i)) else { continue };
            unreadable.extend(missing.iter().cloned());
            if !ids.is_subset(&living) {
                faults.push(FieldError::new(pointer(), FieldCode::UnknownReference, many));
            } else if active.as_ref().is_some_and(|active| !ids.is_subset(active)) {
                faults.push(FieldError::new(pointer(), FieldCode::InactiveUser, record::INACTIVE_OWNER));
            } else if is_hierarchy {
                for parent in ids {
                    faults.extend(hierarchy_error(work, shape, reference, before.map(id_of), *parent).await?);
                }
            }
        }
    }
    Ok(unreadable)
}

/// The records a write names here that it did not name before. The caller and the caller's teams are known to be there.
fn newly_named(work: &Work, reference: &Reference, (before, after): Pair<'_>) -> BTreeSet<Uuid> {
    let then = before.map(|b| reference.values(b)).unwrap_or_default();
    let named = reference.values(after).into_iter().filter(|id| !then.contains(id));
    let is_known = |id: &Uuid| reference.target == Target::One("users") && *id == work.caller.id || work.caller.teams.contains(id);
    named.filter_map(|id| Uuid::parse_str(id).ok()).filter(|id| !is_known(id)).collect()
}

/// Those of the ids that name living records, which stay so until the work ends. `seen` leaves out what the caller does not see.
pub(crate) async fn lock_living(work: &Work, shape: &'static Shape, ids: impl IntoIterator<Item = Uuid>, seen: bool) -> Result<Vec<Uuid>> {
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.id").one_of_ids(ids);
    if seen && (shape.owned || !shape.parents.is_empty()) {
        visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    }
    sql.for_key_share("t");
    work.fetch(sql, |row| row.id(0)).await
}

/// Adds the faults of references by resource and id that writes change: one query for each resource that is named.
pub(crate) async fn check_any(
    work: &Work,
    any: &AnyReference,
    pairs: &[Pair<'_>],
    settled: &[&[Settled]],
    faults: &mut [Vec<FieldError>],
    unreadable: &mut [Vec<String>],
) -> Result<()> {
    let mut named: BTreeMap<&str, Vec<(usize, Uuid)>> = BTreeMap::new();
    let is_changed = |before: &Record, after: &Record| [any.resource, any.id].into_iter().any(|name| before.get(name) != after.get(name));
    let is_settled = |place: usize| settled.get(place).is_some_and(|settled| settled.iter().any(|(field, _)| *field == any.id));
    let asked = pairs.iter().enumerate().filter(|(_, (before, after))| before.is_none_or(|b| is_changed(b, after)));
    let asked = asked.filter(|(place, _)| !is_settled(*place));
    for (place, (_, after)) in asked {
        match (after.get(any.resource).and_then(|v| v.as_str()), uuid_in(after, any.id)) {
            // What this work has made is there, whether or not its caller sees it.
            (Some(many), Some(id)) if work.has_created(many, id) => {}
            (Some(many), Some(id)) => named.entry(many).or_default().push((place, id)),
            (None, None) => {}
            _ => {
                let about = format!("{} and {}, or neither", any.resource, any.id);
                add(faults, place, FieldError::new(format!("/{}", any.id), FieldCode::AmbiguousKey, about));
            }
        }
    }
    for (many, ids) in named {
        let Some(target) = work.store.shapes.get(many).copied().filter(|shape| any.targets.include(shape)) else {
            let known = any.targets.names(work.store.shapes.values());
            let fault = FieldError::new(format!("/{}", any.resource), FieldCode::UnknownValue, "").with_suggestion(many, known);
            ids.into_iter().for_each(|(place, _)| add(faults, place, fault.clone()));
            continue;
        };
        // Without the permission no record is found, whichever is named: that is said.
        let missing = visibility::missing_to_read(work, target);
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM ").push(target.plural).push(" t WHERE t.id").one_of_ids(ids.iter().map(|(_, id)| *id));
        if !any.is_deleted_allowed {
            sql.push(" AND t.deleted_at IS NULL");
        }
        visibility::restrict_to_visible(&mut sql, work, target, "t", "read")?;
        sql.for_key_share("t");
        let found: BTreeSet<Uuid> = work.fetch(sql, |row| row.id(0)).await?.into_iter().collect();
        for (place, id) in ids {
            unreadable.get_mut(place).into_iter().for_each(|all| all.extend(missing.iter().cloned()));
            if !found.contains(&id) {
                add(faults, place, FieldError::new(format!("/{}", any.id), FieldCode::UnknownReference, many));
            }
        }
    }
    Ok(())
}

fn add(faults: &mut [Vec<FieldError>], place: usize, fault: FieldError) {
    faults.get_mut(place).into_iter().for_each(|all| all.push(fault.clone()));
}

/// Refuses a record whose references by resource and id name what is not there or not visible: for operations that write it otherwise than
/// the kernel does, or on which more depends than the record itself.
pub async fn require_any_references(work: &Work, shape: &'static Shape, record: &Record) -> Result<()> {
    let (mut faults, mut missing) = ([vec![]], [vec![]]);
    for any in shape.any_references {
        check_any(work, any, &[(None, record)], &[], &mut faults, &mut missing).await?;
    }
    work.caller.require(missing.concat())?;
    let faults = faults.concat();
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// Holds records another one is about to rely on, so that what is read of them next is what they say when this work ends.
pub async fn hold(work: &Work, many: &str, ids: impl IntoIterator<Item = Uuid>) -> Result<()> {
    lock_living(work, work.shape(many)?, ids, false).await.map(|_| ())
}

/// Why a record cannot come below `parent`: it would be above itself, or there would be too many levels. Changes of one resource's
/// hierarchies stand in line, so that two of them cannot close a ring together.
async fn hierarchy_error(
    work: &Work,
    shape: &'static Shape,
    reference: &Reference,
    id: Option<Uuid>,
    parent: Uuid,
) -> Result<Option<FieldError>> {
    work.lock_named(&format!("hierarchy of {}", shape.plural)).await?;
    let above = work.fetch(above_statement(work, shape, reference, parent), |row| row.id(0)).await?;
    let pointer = format!("/{}", reference.path);
    if id.is_some_and(|id| above.contains(&id)) {
        return Ok(Some(FieldError::new(pointer, FieldCode::Circular, "a record that is not below this one")));
    }
    let below = match id {
        Some(id) => work.count(levels_below_statement(work, shape, reference, id)).await?,
        None => 0,
    };
    let levels = above.len() + 1 + usize::try_from(below).unwrap_or_default();
    let too_deep = || FieldError::new(pointer, FieldCode::TooManyLevels, shape.max_levels.to_string());
    Ok((levels > shape.max_levels).then(too_deep))
}

/// A record and all above it.
fn above_statement(reader: &Reader, shape: &'static Shape, reference: &Reference, id: Uuid) -> Sql {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE up (id, parent, level) AS (SELECT t.id, ").column("t", reference.path).push(", 1 FROM ").push(shape.plural);
    sql.push(" t WHERE t.id = ").id(id).push(" UNION ALL SELECT t.id, ").column("t", reference.path).push(", up.level + 1 FROM up JOIN ");
    sql.push(shape.plural).push(" t ON t.id = up.parent WHERE up.level < ").int(MAX_FOLLOWED).push(") SELECT id FROM up");
    sql
}

/// How many levels there are below a record.
fn levels_below_statement(reader: &Reader, shape: &'static Shape, reference: &Reference, id: Uuid) -> Sql {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE down (id, level) AS (SELECT t.id, 0 FROM ").push(shape.plural).push(" t WHERE t.id = ").id(id);
    sql.push(" UNION ALL SELECT t.id, down.level + 1 FROM down JOIN ").push(shape.plural).push(" t ON ").column("t", reference.path);
    sql.push(" = down.id WHERE t.deleted_at IS NULL AND down.level < ").int(MAX_FOLLOWED).push(") SELECT max(level) FROM down");
    sql
}

/// Why a restored record may not come back: a record it belongs to or relies on is deleted, or its place in a hierarchy is.
pub(crate) async fn check_restored(work: &Work, shape: &'static Shape, record: &Record) -> Result<()> {
    // An owner may be a machine, which is no user.
    let binds = |r: &&Reference| r.is_column && r.key == "id" && r.on_delete != OnDelete::Keep && !matches!(r.path, "owner_id" | "team_id");
    for reference in shape.references.iter().filter(binds) {
        let Some((many, id)) = reference.target.of(record).zip(uuid_in(record, reference.path)) else { continue };
        if lock_living(work, work.shape(many)?, [id], false).await?.is_empty() {
            let about = "a record it belongs to was deleted; restore that one first";
            return Err(Error::from(Code::Conflict).with_detail(about).with_conflict(many, id, reference.path));
        }
        if reference.is_written
            && reference.target == Target::One(shape.plural)
            && let Some(fault) = hierarchy_error(work, shape, reference, Some(id_of(record)), id).await?
        {
            return Err(Error::invalid(fault));
        }
    }
    Ok(())
}

/// Refuses to delete what living records rely on. The record is locked first: what names it from now on waits, and finds it deleted.
pub async fn check_deleted(work: &Work, shape: &'static Shape, record: &Record) -> Result<()> {
    check_unused(work, shape, record, |r| !matches!(r.on_delete, OnDelete::Keep | OnDelete::Follow)).await
}

/// Refuses to change what living records rely on: fields that are fixed then, and codes the record is named by.
pub(crate) async fn check_changed(work: &Work, shape: &'static Shape, before: &Record, changed: &[&'static str]) -> Result<()> {
    if changed.iter().any(|field| shape.fixed_in_use.contains(field)) {
        let relies = |r: &Reference| r.on_delete != OnDelete::Keep;
        return check_unused(work, shape, before, relies)
            .await
            .map_err(|e| e.with_detail(format!("{} cannot change", list(shape.fixed_in_use))));
    }
    check_unused(work, shape, before, |r| r.on_delete != OnDelete::Keep && changed.contains(&r.key)).await
}

fn list(names: &[&str]) -> String {
    names.join(" and ")
}

async fn check_unused(work: &Work, shape: &'static Shape, record: &Record, relies: impl Fn(&Reference) -> bool) -> Result<()> {
    let mut referrers: Vec<(&'static Shape, &'static Reference)> = vec![];
    for other in work.store.shapes.values() {
        referrers.extend(other.references.iter().filter(|r| r.target.includes(shape) && relies(r)).map(|r| (*other, r)));
    }
    if referrers.is_empty() {
        return Ok(());
    }
    referrers.sort_by_key(|(other, r)| (other.plural, r.path));
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.id = ").id(id_of(record)).for_deletion("t");
    work.fetch(sql, |_| Ok(())).await?;
    let mut uses = vec![];
    for (statement, places) in use_statements(work, shape, record, &referrers) {
        let found = work.fetch(statement, |row: &Row<'_>| Ok((row.int(0)?, row.id(1)?))).await?;
        let place = |n: i64| usize::try_from(n).ok().and_then(|n| places.get(n)).copied();
        uses.extend(found.into_iter().filter_map(|(n, id)| place(n).map(|(other, r)| (other, r, id))));
    }
    // A code that another living record has, too, still names something.
    let mut left = vec![];
    for (other, reference, id) in uses {
        if reference.key == "id" || !has_namesake(work, shape, record, reference).await? {
            left.push((other, reference, id));
        }
    }
    if left.is_empty() {
        return Ok(());
    }
    let mut refusal = Error::from(Code::InUse);
    for (other, reference, id) in left {
        // Only to callers who may read it.
        if record::is_visible(work, other, id).await? {
            refusal = refusal.with_conflict(other.plural, id, reference.path);
        }
    }
    Err(refusal)
}

/// One statement for all resources whose records may name this one: the place of the referrer in the list, and the id of the record.
#[must_use]
pub fn use_statements(
    reader: &Reader,
    shape: &'static Shape,
    record: &Record,
    referrers: &[(&'static Shape, &'static Reference)],
) -> Vec<(Sql, Vec<(&'static Shape, &'static Reference)>)> {
    let mut all = vec![];
    for chunk in referrers.chunks(MAX_CONFLICTS) {
        let mut sql = reader.sql();
        for (n, (other, reference)) in chunk.iter().enumerate() {
            sql.push(if n == 0 { "SELECT n, id FROM (SELECT " } else { " UNION ALL SELECT n, id FROM (SELECT " });
            sql.int(i64::try_from(n).unwrap_or_default()).push(match reader.store.dialect() {
                crate::dialect::Dialect::Postgres => "::bigint AS n, t.id FROM ",
                crate::dialect::Dialect::Sqlite => " AS n, t.id FROM ",
            });
            if reference.is_indexed_apart() {
                sql.push("record_values v JOIN ")
                    .push(other.plural)
                    .push(" t ON t.id = v.record_id WHERE v.resource = ")
                    .text(other.plural);
                sql.push(" AND v.key = ").text(reference.path).push(" AND v.text_value = ").text(held(record, reference));
            } else {
                sql.push(other.plural).push(" t WHERE ").column("t", reference.path).push(" = ");
                match reference.key {
                    "id" => sql.id(id_of(record)),
                    _ => sql.text(held(record, reference)),
                };
            }
            if let Target::Any(any) = reference.target {
                sql.push(" AND ").column("t", any.resource).push(" = ").text(shape.plural);
                if let (OnDelete::RefuseIn(states), Some(status)) = (reference.on_delete, other.status) {
                    sql.push(" AND ").column("t", status).one_of(Kind::Text, states.iter().map(|state| Scalar::Text((*state).to_owned())));
                }
            }
            if !other.append_only {
                sql.push(" AND t.deleted_at IS NULL");
            }
            if other.plural == shape.plural {
                sql.push(" AND t.id <> ").id(id_of(record));
            }
            if let OnDelete::RefuseUnlessZero(fields) = reference.on_delete {
                for (i, field) in fields.iter().enumerate() {
                    sql.push(if i == 0 { " AND (" } else { " OR " }).column("t", field).push(" <> 0");
                }
                sql.push(")");
            }
            sql.push(" LIMIT 1) u");
        }
        all.push((sql, chunk.to_vec()));
    }
    all
}

/// What a reference to this record holds: its id, or its code.
fn held(record: &Record, reference: &Reference) -> String {
    record.get(reference.key).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
}

async fn has_namesake(work: &Work, shape: &'static Shape, record: &Record, reference: &Reference) -> Result<bool> {
    let Some(field) = shape.field(reference.key) else { return Ok(false) };
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND ").column("t", field.name).push(" = ");
    sql.text(held(record, reference)).push(" AND t.id <> ").id(id_of(record)).push(" LIMIT 1");
    Ok(work.count(sql).await? > 0)
}

/// Takes a flag that only one record of a set has from the one that had it, before this record is written with it.
pub(crate) async fn yield_flags(work: &Work, shape: &'static Shape, before: Option<&Record>, after: &Record) -> Result<()> {
    for (flag, within) in shape.one_of {
        let stands = |b: &Record| b.get(*flag) == Some(&json!(true)) && within.iter().all(|f| b.get(*f) == after.get(*f));
        if after.get(*flag) != Some(&json!(true)) || before.is_some_and(stands) {
            continue;
        }
        for other in holders(work, shape, flag, within, after).await? {
            let mut yielded = other.clone();
            yielded.insert((*flag).to_owned(), json!(false));
            Box::pin(record::save(work, shape, &other, yielded, "updated", None)).await?;
        }
    }
    Ok(())
}

/// A restored record does not take a flag back that another one has by now.
pub(crate) async fn drop_lost_flags(work: &Work, shape: &'static Shape, record: &mut Record) -> Result<Vec<&'static str>> {
    let mut lost = vec![];
    for (flag, within) in shape.one_of {
        if record.get(*flag) == Some(&json!(true)) && !holders(work, shape, flag, within, record).await?.is_empty() {
            record.insert((*flag).to_owned(), json!(false));
            lost.push(*flag);
        }
    }
    Ok(lost)
}

/// The other living records of a set that have its flag. The set's named lock is taken first.
async fn holders(
    work: &Work,
    shape: &'static Shape,
    flag: &'static str,
    within: &'static [&'static str],
    record: &Record,
) -> Result<Vec<Record>> {
    let set: Vec<String> = within.iter().map(|f| record.get(*f).map(ToString::to_string).unwrap_or_default()).collect();
    work.lock_named(&format!("{flag} of {} {}", shape.plural, set.join(" "))).await?;
    let mut sql = record::select(work, shape);
    sql.push(" AND ").column("t", flag).push(" = ").bind(Kind::Bool, Scalar::Bool(true)).push(" AND t.id <> ").id(id_of(record));
    record::equal_in(&mut sql, shape, within, record)?;
    sql.push(" ORDER BY t.id").for_update("t");
    work.fetch(sql, |row| record::read(shape, row)).await
}
