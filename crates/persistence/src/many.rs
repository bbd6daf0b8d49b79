//! Writing records of one resource: one or many, in a handful of statements whatever their number. Every write of a record goes through here.
//!
//! The result is that of writing them one after the other. Records that do not depend on each other are checked together and written
//! together. One that depends on another of them waits until that is written: the same record, a value that only one may have, a reference to
//! it, a place in a hierarchy, or a rule that looks at other records.

use crate::{
    checks::{self, Checked, Pair},
    custom_values, derived,
    dialect::Dialect,
    error::Result,
    filled::{self, Settled},
    guard,
    record::{self, Record, event, id_of, names_of, owner_of, row_of, uuid_in, version_of},
    relations,
    search::{self, Text},
    store::Work,
};
use samphan_resource::{
    caller::FieldAccess,
    error::{Code, Error, FieldCode, FieldError},
    event::Event,
    reference::{Reference, Target},
    scalar::{Kind, Scalar},
    shape::{Field, Shape},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use uuid::Uuid;

/// Most records written together: few statements for many records, and others on the thread still have their turn within milliseconds. On
/// SQLite a statement more is no round trip, and the work of each is done on the thread itself.
const fn max_group(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Sqlite => 20,
        Dialect::Postgres => 100,
    }
}

/// Owner and team.
type Owner = (Option<Uuid>, Option<Uuid>);

/// A record to be written.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    /// As it is kept, locked; none where it is to be made.
    pub before: Option<Record>,
    /// As it is to be.
    pub after: Record,
    /// Whether the caller chose the id of a record that is to be made.
    pub is_id_chosen: bool,
    /// What the record it is about says of its fields.
    pub settled: Vec<Settled>,
}

impl Write {
    /// A record to be made.
    pub(crate) const fn new(after: Record, is_id_chosen: bool) -> Self {
        Self { before: None, after, is_id_chosen, settled: vec![] }
    }

    /// A record to be changed.
    pub(crate) const fn change(before: Record, after: Record) -> Self {
        Self { before: Some(before), after, is_id_chosen: false, settled: vec![] }
    }

    const fn pair(&self) -> Pair<'_> {
        (self.before.as_ref(), &self.after)
    }
}

/// What records of a group say that another one may depend on.
#[derive(Debug, Default)]
struct Group {
    writes: Vec<Write>,
    ids: BTreeSet<Uuid>,
    names: BTreeSet<String>,
    /// Whether the only record in it is to be written before any other is checked.
    is_alone: bool,
}

impl Group {
    /// Whether a record can be checked and written with those of the group.
    fn takes(&self, work: &Work, shape: &'static Shape, one: &Write, names: &[String], is_alone: bool) -> bool {
        let refers = shape.references.iter().filter(|r| r.target.includes(shape) && r.key == "id");
        let mut named = refers.flat_map(|r| r.values(&one.after)).filter_map(|id| Uuid::parse_str(id).ok());
        self.writes.is_empty()
            || !self.is_alone
                && !is_alone
                && self.writes.len() < max_group(work.store.dialect())
                && !self.ids.contains(&id_of(&one.after))
                && !names.iter().any(|name| self.names.contains(name))
                && !named.any(|id| self.ids.contains(&id))
    }

    fn add(&mut self, one: Write, names: Vec<String>, is_alone: bool) {
        self.ids.insert(id_of(&one.after));
        self.names.extend(names);
        self.is_alone |= is_alone;
        self.writes.push(one);
    }
}

/// Whether a write is done by itself: it takes a flag from another record, or its rules look at other records of its resource.
fn is_alone(work: &Work, shape: &'static Shape, (before, after): Pair<'_>) -> bool {
    let changes = |field: &str| before.is_none_or(|b| b.get(field) != after.get(field));
    let flagged = shape
        .one_of
        .iter()
        .any(|(flag, within)| after.get(*flag) == Some(&json!(true)) && (changes(flag) || within.iter().any(|field| changes(field))));
    let is_above = |r: &Reference| r.is_column && r.target == Target::One(shape.plural) && r.is_written;
    let is_moved = shape.references.iter().filter(|r| is_above(r)).any(|r| uuid_in(after, r.path).is_some() && changes(r.path));
    flagged || is_moved || before.is_some() && !guard::is_about_one(work, shape)
}

/// Writes records, each with its own result in their order: the record as it is kept, or why it was refused. Changes emit
/// `<resource>.<what>`; a record that does not change is not written.
///
/// # Errors
/// Where one fails after something of it was written. The work is to be rolled back to where it was, or given up.
pub(crate) async fn write(
    work: &Work,
    shape: &'static Shape,
    mut writes: Vec<Write>,
    what: &str,
    reason: Option<&str>,
) -> Result<Vec<Result<Record>>> {
    derived::fill(work, shape, &mut writes).await?;
    filled::fill(work, shape, &mut writes).await?;
    let mut outcomes = Vec::with_capacity(writes.len());
    let mut group = Group::default();
    for one in writes {
        let names = checks::exclusive_names(shape, one.pair());
        let is_alone = is_alone(work, shape, one.pair());
        if !group.takes(work, shape, &one, &names, is_alone) {
            let full = std::mem::take(&mut group);
            outcomes.extend(write_group(work, shape, full.writes, what, reason).await?);
        }
        group.add(one, names, is_alone);
    }
    outcomes.extend(write_group(work, shape, group.writes, what, reason).await?);
    Ok(outcomes)
}

/// The same of one record.
pub(crate) async fn write_one(work: &Work, shape: &'static Shape, one: Write, what: &str, reason: Option<&str>) -> Result<Record> {
    let mut writes = vec![one];
    derived::fill(work, shape, &mut writes).await?;
    filled::fill(work, shape, &mut writes).await?;
    write_group(work, shape, writes, what, reason).await?.pop().ok_or(Code::Internal)?
}

/// A record that is being written.
#[derive(Debug)]
struct Written {
    write: Write,
    changed: Vec<&'static Field>,
    /// The new values of the columns that change; of a new record, all of them.
    row: Vec<Scalar>,
}

/// Writes records that do not depend on each other.
async fn write_group(
    work: &Work,
    shape: &'static Shape,
    writes: Vec<Write>,
    what: &str,
    reason: Option<&str>,
) -> Result<Vec<Result<Record>>> {
    let refusals = check(work, shape, &writes).await?;
    let mut outcomes = Vec::with_capacity(writes.len());
    let mut written = vec![];
    for (write, refusal) in writes.into_iter().zip(refusals) {
        // None: as it is written below.
        outcomes.push(match (refusal, write.before) {
            (Err(refusal), _) => Err(refusal),
            (Ok(changed), Some(before)) if changed.is_empty() => Ok(Some(before)),
            (Ok(changed), before) => prepared(work, shape, Write { before, ..write }, changed).map(|one| {
                written.push(one);
                None
            }),
        });
    }
    for one in &written {
        relations::yield_flags(work, shape, one.write.before.as_ref(), &one.write.after).await?;
    }
    write_rows(work, shape, &mut written).await?;
    let pairs: Vec<Pair<'_>> = written.iter().map(|one| one.write.pair()).collect();
    index(work, shape, &pairs, None).await?;
    emit_events(work, shape, &written, what, reason);
    move_owners(work, shape, &pairs).await?;
    let changed: Vec<(&Record, &Record)> = pairs.iter().filter_map(|(before, after)| Some(((*before)?, *after))).collect();
    derived::follow(work, shape, &changed).await?;
    guard::written(work, shape, pairs.iter().map(|(before, after)| (*before, Some(*after)))).await?;
    filled::follow(work, shape, &changed).await?;
    let mut written = written.into_iter().map(|one| one.write.after);
    let each = outcomes.into_iter().map(|outcome| match outcome? {
        Some(unchanged) => Ok(unchanged),
        None => written.next().ok_or_else(|| Code::Internal.into()),
    });
    Ok(each.collect())
}

/// What of each record changes, or why it is refused.
async fn check(work: &Work, shape: &'static Shape, writes: &[Write]) -> Result<Vec<Result<Vec<&'static Field>>>> {
    let changed: Vec<Vec<&'static Field>> = writes.iter().map(|one| changed(shape, one)).collect();
    // What does not change is not checked.
    let asked: Vec<usize> = (0..writes.len()).filter(|i| changed.get(*i).is_some_and(|changed| !changed.is_empty())).collect();
    let of = |i: &usize| writes.get(*i).map(Write::pair);
    let pairs: Vec<Pair<'_>> = asked.iter().filter_map(of).collect();
    let settled: Vec<&[Settled]> = asked.iter().filter_map(|i| Some(writes.get(*i)?.settled.as_slice())).collect();
    let mut all: Vec<Checked<'_>> = vec![];
    for ((faults, (before, after)), i) in checks::field_errors(work, shape, &pairs, &settled).await?.into_iter().zip(&pairs).zip(&asked) {
        let fields = changed.get(*i).map(Vec::as_slice).unwrap_or_default();
        let is_owner_settled = writes.get(*i).is_some_and(|one| one.settled.iter().any(|(field, _)| *field == "owner_id"));
        let refusal = faults.and_then(|faults| refuse(work, shape, (*before, after), fields, is_owner_settled, faults)).err();
        all.push(Checked { before: *before, after, refusal });
    }
    check_ids_unused(work, shape, writes, &asked, &mut all).await?;
    checks::check_unique(work, shape, &mut all).await?;
    for (one, i) in all.iter_mut().zip(&asked).filter(|(one, _)| one.refusal.is_none()) {
        let Some(before) = one.before else { continue };
        let names: Vec<&'static str> = changed.get(*i).into_iter().flatten().map(|f| f.name).collect();
        let kept = async {
            guard::check(work, shape, before, Some(one.after)).await?;
            relations::check_changed(work, shape, before, &names).await
        };
        one.refusal = kept.await.err();
    }
    let mut outcomes: Vec<Result<Vec<&'static Field>>> = changed.into_iter().map(Ok).collect();
    for (one, i) in all.into_iter().zip(asked) {
        if let (Some(refusal), Some(outcome)) = (one.refusal, outcomes.get_mut(i)) {
            *outcome = Err(refusal);
        }
    }
    Ok(outcomes)
}

/// The fields that a write changes; all of a record that is to be made.
fn changed(shape: &'static Shape, one: &Write) -> Vec<&'static Field> {
    match &one.before {
        None => shape.fields.iter().collect(),
        Some(before) => {
            shape.fields.iter().filter(|f| !Shape::is_system_field(f.name) && one.after.get(f.name) != before.get(f.name)).collect()
        }
    }
}

/// Refuses a record with faults, and what the caller's reach or field rules do not cover.
fn refuse(
    work: &Work,
    shape: &'static Shape,
    (before, after): Pair<'_>,
    changed: &[&'static Field],
    is_owner_settled: bool,
    mut faults: Vec<FieldError>,
) -> Result<()> {
    if before.is_some() {
        for field in changed.iter().filter(|f| f.fixed) {
            faults.push(FieldError::new(format!("/{}", field.name), FieldCode::NotAllowed, "the value it was made with"));
        }
        for field in changed.iter().filter(|f| !f.read_only && work.caller.access(shape, f) != FieldAccess::Full) {
            faults.push(FieldError::new(format!("/{}", field.name), FieldCode::ProtectedField, field.name));
        }
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    if before.is_none() && !is_owner_settled { record::check_permission(work, shape, after, "create") } else { Ok(()) }
}

/// Refuses ids of the callers' choice that are in use.
async fn check_ids_unused(work: &Work, shape: &'static Shape, writes: &[Write], asked: &[usize], all: &mut [Checked<'_>]) -> Result<()> {
    let is_chosen = |i: &usize| writes.get(*i).is_some_and(|one| one.is_id_chosen);
    let mut chosen: Vec<&mut Checked<'_>> =
        all.iter_mut().zip(asked).filter(|(one, i)| one.refusal.is_none() && is_chosen(i)).map(|(one, _)| one).collect();
    if chosen.is_empty() {
        return Ok(());
    }
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.id").one_of_ids(chosen.iter().map(|one| id_of(one.after)));
    let in_use: BTreeSet<Uuid> = work.fetch(sql, |row| row.id(0)).await?.into_iter().collect();
    for one in chosen.iter_mut().filter(|one| in_use.contains(&id_of(one.after))) {
        one.refusal = Some(record::already_exists(work, shape, id_of(one.after), "id").await?);
    }
    Ok(())
}

/// A record as it will be kept, and its values.
fn prepared(work: &Work, shape: &'static Shape, mut write: Write, changed: Vec<&'static Field>) -> Result<Written> {
    let Some(before) = &write.before else {
        let row = row_of(shape, &write.after)?;
        return Ok(Written { write, changed: vec![], row });
    };
    let after = &mut write.after;
    after.insert("version".into(), json!(version_of(before) + 1));
    after.insert("updated_at".into(), json!(work.now));
    after.insert("updated_by_id".into(), json!(work.caller.author()));
    let columns = columns_of(shape, &changed);
    let row = columns.into_iter().map(|(field, _, kind)| record::cell(field, kind, &write.after)).collect::<Result<_>>()?;
    Ok(Written { write, changed, row })
}

/// A row that changes: its id, its version as it was read, and the new values.
pub(crate) type ChangedRow = (Uuid, i64, Vec<Scalar>);

/// The columns of some fields.
fn columns_of(shape: &'static Shape, fields: &[&'static Field]) -> Vec<(&'static Field, &'static str, Kind)> {
    record::columns(shape).into_iter().filter(|(field, ..)| fields.iter().any(|f| f.name == field.name)).collect()
}

/// Writes the rows: new ones in one statement, changes in one for each set of columns.
async fn write_rows(work: &Work, shape: &'static Shape, written: &mut [Written]) -> Result<()> {
    let mut made = vec![];
    let mut changes: BTreeMap<Vec<&'static str>, (Vec<&'static Field>, Vec<ChangedRow>)> = BTreeMap::new();
    for one in written {
        let row = std::mem::take(&mut one.row);
        let Some(before) = &one.write.before else {
            made.push(row);
            continue;
        };
        let names = one.changed.iter().map(|f| f.name).collect();
        let (_, rows) = changes.entry(names).or_insert_with(|| (one.changed.clone(), vec![]));
        rows.push((id_of(before), version_of(before), row));
    }
    work.insert_unseen(shape.plural, &names_of(shape), made).await?;
    for (fields, rows) in changes.into_values() {
        let columns: Vec<(&'static str, Kind)> = columns_of(shape, &fields).into_iter().map(|(_, name, kind)| (name, kind)).collect();
        let (number, version) = (rows.len() as u64, rows.first().map_or(0, |(_, version, _)| *version));
        if work.update_each(shape.plural, &columns, rows).await? < number {
            return Err(Error::from(Code::VersionConflict).with_detail(version.to_string()));
        }
    }
    Ok(())
}

/// Brings the search index and the indexed values up to date: of records as they were and as they are. What is found by them is `texts` where
/// that was made before.
pub(crate) async fn index(work: &Work, shape: &'static Shape, pairs: &[Pair<'_>], texts: Option<Vec<Option<Text>>>) -> Result<()> {
    let found: Vec<(Pair<'_>, Text)> = match texts {
        Some(texts) => pairs.iter().zip(texts).filter_map(|(pair, text)| Some((*pair, text?))).collect(),
        None => {
            let folded = pairs.iter().map(|(before, after)| (*before, *after, search::folded(shape, after)));
            let differs = |before: Option<&Record>, folded: &str| match before {
                Some(before) => search::folded(shape, before) != folded,
                None => !folded.is_empty(),
            };
            folded.filter(|(before, _, folded)| differs(*before, folded)).map(|(b, after, folded)| ((b, after), Text::of(folded))).collect()
        }
    };
    let replaced: Vec<Uuid> = found.iter().filter_map(|((before, _), _)| before.map(id_of)).collect();
    let entry = |after: &Record, text: &Text, resource, record_id, (owner_id, team_id): Owner| search::Entry {
        resource,
        record_id,
        source_id: id_of(after),
        owner_id,
        team_id,
        text: text.clone(),
    };
    let own = found.iter().map(|((_, after), text)| entry(after, text, shape.plural, id_of(after), owner_of(after)));
    let mut entries: Vec<search::Entry> = own.collect();
    for name in shape.parents {
        // A child is found as its parent: a search for a phone number finds the customer.
        let Some(many) = shape.field(name).and_then(|f| f.reference) else { continue };
        let parents: BTreeSet<Uuid> = found.iter().filter_map(|((_, after), _)| uuid_in(after, name)).collect();
        if parents.is_empty() {
            continue;
        }
        let parent_shape = work.shape(many)?;
        let mut sql = work.sql();
        sql.push("SELECT id, owner_id, team_id FROM ").push(parent_shape.plural).push(" WHERE id").one_of_ids(parents);
        let owners = work.fetch(sql, |row| Ok((row.id(0)?, (row.optional_id(1)?, row.optional_id(2)?)))).await?;
        let owners: HashMap<Uuid, Owner> = owners.into_iter().collect();
        for ((_, after), text) in &found {
            let Some(parent) = uuid_in(after, name) else { continue };
            entries.push(entry(after, text, parent_shape.plural, parent, owners.get(&parent).copied().unwrap_or_default()));
        }
    }
    if !found.is_empty() {
        search::write(work, &replaced, entries).await?;
    }
    if shape.has_indexed_values() {
        let differ = |(before, after): &&Pair<'_>| before.is_none_or(|b| custom_values::differ(shape, b, after));
        let differing: Vec<&Pair<'_>> = pairs.iter().filter(differ).collect();
        if !differing.is_empty() {
            let fields = work.custom_fields().await?;
            let replaced: Vec<Uuid> = differing.iter().filter_map(|(before, _)| before.map(id_of)).collect();
            let rows = differing.iter().flat_map(|(_, after)| custom_values::of_record(shape, id_of(after), after, &fields)).collect();
            custom_values::write(work, shape, &replaced, rows).await?;
        }
    }
    Ok(())
}

/// Tells what happened to each.
fn emit_events(work: &Work, shape: &'static Shape, written: &[Written], what: &str, reason: Option<&str>) {
    for Written { write, changed, .. } in written {
        let id = id_of(&write.after);
        let Some(before) = &write.before else {
            if !shape.append_only {
                work.emit(Event { after: Some(write.after.clone()), ..event(shape, format!("{}.created", shape.singular), id, 1) });
            }
            continue;
        };
        let pick = |from: &Record| changed.iter().map(|f| (f.name.to_owned(), from.get(f.name).cloned().unwrap_or_default())).collect();
        work.emit(Event {
            changed_fields: changed.iter().map(|f| f.name).collect(),
            before: Some(pick(before)),
            after: Some(pick(&write.after)),
            reason: reason.map(str::to_owned),
            ..event(shape, format!("{}.{what}", shape.singular), id, version_of(&write.after))
        });
    }
}

/// Moves what is found of records along with them, to their new owners and teams.
async fn move_owners(work: &Work, shape: &'static Shape, pairs: &[Pair<'_>]) -> Result<()> {
    let mut moved: BTreeMap<Owner, Vec<Uuid>> = BTreeMap::new();
    for (before, after) in pairs.iter().filter(|_| shape.owned) {
        if before.is_some_and(|before| owner_of(before) != owner_of(after)) {
            moved.entry(owner_of(after)).or_default().push(id_of(after));
        }
    }
    for (owner, ids) in moved {
        search::move_owner(work, &ids, owner).await?;
    }
    Ok(())
}
