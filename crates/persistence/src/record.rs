//! Records as the database keeps them, whatever their resource: JSON by field, found, inserted, saved, deleted and restored.
//!
//! Nothing here knows a resource's type: it is compiled once, for all of them. `stored` puts the types around it.

use crate::{
    checks::{self, Checked},
    derived,
    error::Result,
    filled, guard,
    list::key_column,
    many::{self, Write},
    ordering, relations,
    row::Row,
    search,
    sql::Sql,
    store::{Reader, Work},
    visibility,
};
use samphan_resource::{
    builtin::external_reference::ExternalRef,
    caller::FieldAccess,
    error::{Code, Error, FieldCode, FieldError},
    event::Event,
    resource::POSITION,
    scalar::{Kind, Scalar},
    shape::{Field, Shape, Sorting},
    text,
    timestamp::Timestamp,
    transition,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use uuid::Uuid;

/// A record: its fields as JSON, in the order of its shape.
pub type Record = Map<String, Value>;

/// The id in a field.
#[must_use]
pub fn uuid_in(record: &Record, field: &str) -> Option<Uuid> {
    record.get(field).and_then(Value::as_str).and_then(|s| Uuid::parse_str(s).ok())
}

/// The moment in a field.
#[must_use]
pub fn timestamp_in(record: &Record, field: &str) -> Option<Timestamp> {
    record.get(field).and_then(Value::as_str).and_then(|text| Timestamp::parse(text).ok())
}

/// A record's id; nil until it is made.
#[must_use]
pub fn id_of(record: &Record) -> Uuid {
    uuid_in(record, "id").unwrap_or_default()
}

/// A record's version; 0 until it is made.
#[must_use]
pub fn version_of(record: &Record) -> i64 {
    record.get("version").and_then(Value::as_i64).unwrap_or_default()
}

/// A record's owner and team.
#[must_use]
pub fn owner_of(record: &Record) -> (Option<Uuid>, Option<Uuid>) {
    (uuid_in(record, "owner_id"), uuid_in(record, "team_id"))
}

/// A record to be made, from a body that fits the published schema, within the parent the path names.
#[must_use]
pub fn from_body(shape: &Shape, mut body: Record, parent: Option<(&'static str, Uuid)>) -> Record {
    let read_only = |name: &str| shape.field(name).is_some_and(|f| f.read_only) && !Shape::is_system_field(name);
    body.retain(|name, _| !read_only(name));
    if let Some((field, id)) = parent {
        body.insert(field.to_owned(), json!(id));
    }
    body
}

/// RFC 7396.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    if let Value::Object(map) = target {
        for (name, change) in changes {
            match (change, map.get_mut(name)) {
                (Value::Null, _) => {
                    map.insert(name.clone(), Value::Null);
                }
                (Value::Object(_), Some(inner)) => {
                    merge(inner, change);
                    // Within an object null removes; at the top it clears a declared field.
                    if let Value::Object(inner) = inner {
                        inner.retain(|_, v| !v.is_null());
                    }
                }
                _ => {
                    map.insert(name.clone(), change.clone());
                }
            }
        }
    }
}

/// Finds a record the caller may see, within a parent where there is one, and locks it within a work. Seen but not
/// allowed `verb` is 403.
pub async fn find(reader: &Reader, shape: &'static Shape, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<Record> {
    let found = find_visible(reader, shape, id, parent, reader.is_work()).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    check_permission(reader, shape, &found, verb)?;
    Ok(found)
}

/// The same of many records, by their ids, locked in the order of the ids. Those the caller does not see are left out; what the caller may
/// do with each is to be asked of `check_permission`.
pub async fn find_many(
    work: &Work,
    shape: &'static Shape,
    ids: impl IntoIterator<Item = Uuid>,
    parent: Option<(&'static str, Uuid)>,
) -> Result<HashMap<Uuid, Record>> {
    let mut sql = select(work, shape);
    sql.push(" AND t.id").one_of_ids(ids);
    if let Some((field, id)) = parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
    visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    sql.push(" ORDER BY t.id").for_update("t");
    let found = work.fetch(sql, |row| read(shape, row)).await?;
    Ok(found.into_iter().map(|record| (id_of(&record), record)).collect())
}

/// A record the caller may see, within a parent where there is one; locked if asked for.
pub async fn find_visible(
    reader: &Reader,
    shape: &'static Shape,
    id: Uuid,
    parent: Option<(&'static str, Uuid)>,
    locked: bool,
) -> Result<Option<Record>> {
    let mut sql = select(reader, shape);
    only(&mut sql, id, parent);
    visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
    if locked {
        sql.for_update("t");
    }
    reader.fetch_one(sql, |row| read(shape, row)).await
}

/// A record the caller may see, deleted or not.
pub async fn find_visible_or_deleted(reader: &Reader, shape: &'static Shape, id: Uuid) -> Result<Option<Record>> {
    let mut sql = select_where(reader, shape, "1 = 1");
    only(&mut sql, id, None);
    visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
    reader.fetch_one(sql, |row| read(shape, row)).await
}

fn only(sql: &mut Sql, id: Uuid, parent: Option<(&'static str, Uuid)>) {
    sql.push(" AND t.id = ").id(id);
    if let Some((field, id)) = parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
}

/// Living records of any owner by a field: for the kernel's own rules, which see everything.
pub(crate) async fn find_by(reader: &Reader, shape: &'static Shape, field: &'static str, value: Scalar) -> Result<Vec<Record>> {
    let kind = shape.field(field).map_or(Kind::Text, |f| f.kind);
    let mut sql = select(reader, shape);
    sql.push(" AND ").column("t", field).push(" = ").bind(kind, value).push(" ORDER BY t.id LIMIT 1000");
    reader.fetch(sql, |row| read(shape, row)).await
}

/// Refuses what the caller's reach does not cover.
pub fn check_permission(reader: &Reader, shape: &Shape, found: &Record, verb: &str) -> Result<()> {
    let (owner, team) = owner_of(found);
    let permission = shape.permission(verb);
    if !shape.owned || reader.caller.visibility(&permission).includes(owner, team) {
        return Ok(());
    }
    Err(Error::from(Code::Forbidden).with_allowed([permission]))
}

/// Begins `SELECT <every field> FROM <table> t WHERE <living>`, read by `read`.
#[must_use]
pub fn select(reader: &Reader, shape: &'static Shape) -> Sql {
    select_where(reader, shape, if shape.append_only { "1 = 1" } else { "t.deleted_at IS NULL" })
}

/// The same of the rows of which this is true.
#[must_use]
pub(crate) fn select_where(reader: &Reader, shape: &'static Shape, is_true: &'static str) -> Sql {
    let mut sql = select_fields(reader, shape);
    sql.push(" FROM ").push(shape.plural).push(" t WHERE ").push(is_true);
    sql
}

/// The same of living records by many ids of what they are about, whatever else is asked of them; see `Sql::from_each`.
#[must_use]
pub fn select_each(reader: &Reader, shape: &'static Shape, reference: &'static str, ids: impl IntoIterator<Item = Uuid>) -> Sql {
    let mut sql = select_fields(reader, shape);
    sql.from_each(shape.plural, "t", reference, Kind::Id, ids.into_iter().map(Scalar::Id));
    sql
}

fn select_fields(reader: &Reader, shape: &Shape) -> Sql {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    for (i, field) in shape.fields.iter().enumerate() {
        sql.push(if i == 0 { "" } else { ", " }).column("t", field.name);
    }
    sql
}

/// A row of `select`, as JSON.
pub fn read(shape: &Shape, row: &Row<'_>) -> Result<Record> {
    let values = read_values(shape, row)?;
    Ok(shape.fields.iter().map(|f| f.name.to_owned()).zip(values).collect())
}

/// The same without the names, in the order of the shape's fields: for a thousand rows of one resource.
pub fn read_values(shape: &Shape, row: &Row<'_>) -> Result<Vec<Value>> {
    shape.fields.iter().enumerate().map(|(i, f)| Ok(row.scalar(i, f.kind)?.to_json(f.kind))).collect()
}

/// Refuses what a caller may not change and so may not say at the beginning, either.
pub fn check_field_access(reader: &Reader, shape: &'static Shape, sent: &Record) -> Result<()> {
    let sent = |f: &&Field| !f.read_only && sent.get(f.name).is_some_and(|v| !v.is_null());
    let shut = shape.fields.iter().filter(sent).filter(|f| reader.caller.access(shape, f) != FieldAccess::Full);
    let shut: Vec<FieldError> = shut.map(|f| FieldError::new(format!("/{}", f.name), FieldCode::ProtectedField, f.name)).collect();
    if shut.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(shut)) }
}

/// Refuses values that name records which are not there, or which the caller does not see.
pub async fn check_named(work: &Work, shape: &'static Shape, values: &Record) -> Result<()> {
    let mut faults = [vec![]];
    let unreadable = relations::check(work, shape, &[(None, values)], &[], &mut faults).await?;
    work.caller.require(unreadable.into_iter().flatten())?;
    let [faults] = faults;
    if faults.is_empty() { Ok(()) } else { Err(Error::from(Code::ValidationFailed).with_field_errors(faults)) }
}

/// The record a draft becomes: with its id, author and owner, and its fields in order.
pub(crate) fn prepare_insert(reader: &Reader, shape: &'static Shape, mut record: Record) -> Record {
    let id = uuid_in(&record, "id").unwrap_or_else(|| reader.new_id());
    let author = json!(reader.caller.author());
    let meta = [
        ("id", json!(id)),
        ("version", json!(1)),
        ("created_at", json!(reader.now)),
        ("created_by_id", author.clone()),
        ("updated_at", json!(reader.now)),
        ("updated_by_id", author.clone()),
    ];
    record.extend(meta.map(|(name, value)| (name.to_owned(), value)));
    if shape.owned {
        record.entry("owner_id").or_insert(author);
        record.entry("team_id").or_insert(json!(reader.caller.teams.first()));
    }
    in_order(shape, record)
}

/// Makes a record of what `prepare_insert` answered; `chosen` where the caller chose its id.
pub(crate) async fn insert(work: &Work, shape: &'static Shape, record: Record, chosen: bool) -> Result<Record> {
    many::write_one(work, shape, Write::new(record, chosen), "created", None).await
}

/// Saves what changed of a record, under the event `<resource>.<what>`. Nothing changed is nothing written.
pub(crate) async fn save(
    work: &Work,
    shape: &'static Shape,
    before: &Record,
    after: Record,
    what: &str,
    reason: Option<String>,
) -> Result<Record> {
    many::write_one(work, shape, Write::change(before.clone(), in_order(shape, after)), what, reason.as_deref()).await
}

/// Begins an `UPDATE` that sets the version, the author and the time.
pub(crate) fn begin_update(work: &Work, shape: &'static Shape, version: i64) -> Sql {
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.plural).push(" SET version = ").int(version);
    sql.push(", updated_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", updated_by_id = ").bind(Kind::Id, work.caller.author().map_or(Scalar::Null, Scalar::Id));
    sql
}

/// Deletes a record, softly: it can be restored, and what it was called may be used again.
pub async fn delete(work: &Work, shape: &'static Shape, before: &Record) -> Result<()> {
    guard::check(work, shape, before, None).await?;
    relations::check_deleted(work, shape, before).await?;
    let (id, version) = (id_of(before), version_of(before) + 1);
    let mut sql = begin_update(work, shape, version);
    sql.push(", deleted_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE deleted_at IS NULL AND id = ").id(id);
    work.execute(sql).await?;
    search::write(work, &[id], vec![]).await?;
    work.emit(Event { before: Some(before.clone()), ..event(shape, format!("{}.deleted", shape.singular), id, version) });
    guard::written(work, shape, std::iter::once((Some(before), None))).await?;
    ordering::close(work, shape, before).await
}

/// Brings a deleted record back, if its unique values are free and its parent is there. Restoring what lives is no change.
pub async fn restore(work: &Work, shape: &'static Shape, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Record> {
    let mut sql = select_where(work, shape, "t.deleted_at IS NOT NULL");
    only(&mut sql, id, parent);
    visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    sql.for_update("t");
    let Some(mut found) = work.fetch_one(sql, |row| read(shape, row)).await? else {
        return find(work, shape, id, parent, "delete").await;
    };
    check_permission(work, shape, &found, "delete")?;
    let mut checked = [Checked { before: None, after: &found, refusal: None }];
    checks::check_unique(work, shape, &mut checked).await?;
    if let [Checked { refusal: Some(refusal), .. }] = checked {
        return Err(refusal);
    }
    relations::check_restored(work, shape, &found).await?;
    let lost = relations::drop_lost_flags(work, shape, &mut found).await?;
    let position = ordering::reopen(work, shape, &found).await?;
    let mut written = [Write::new(found, false)];
    derived::fill(work, shape, &mut written).await?;
    filled::fill(work, shape, &mut written).await?;
    let [Write { after: mut found, settled, .. }] = written;
    found.extend(settled.into_iter().map(|(field, value)| (field.to_owned(), value)));
    let version = version_of(&found) + 1;
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.plural).push(" SET deleted_at = NULL, version = ").int(version);
    for flag in lost {
        sql.push(", \"").push(flag).push("\" = ").bind(Kind::Bool, Scalar::Bool(false));
    }
    let followed = shape.derived.iter().map(|derived| derived.field).chain(shape.filled.iter().map(|filled| filled.field));
    for field in followed.filter_map(|name| shape.field(name)) {
        sql.push(", \"").push(field.name).push("\" = ").bind(field.kind, cell(field, field.kind, &found)?);
    }
    if let Some(position) = position {
        sql.push(", position = ").int(position);
        found.insert(POSITION.to_owned(), json!(position));
    }
    sql.push(", updated_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    found.insert("version".into(), json!(version));
    found.insert("updated_at".into(), json!(work.now));
    index(work, shape, None, &found).await?;
    work.emit(Event { after: Some(found.clone()), ..event(shape, format!("{}.restored", shape.singular), id, version) });
    guard::written(work, shape, std::iter::once((None, Some(&found)))).await?;
    Ok(found)
}

/// Refuses unless the record is of the version the caller meant.
pub fn expect_version(meant: Option<i64>, version: i64) -> Result<()> {
    match meant {
        Some(meant) if meant != version => Err(version_conflict(version)),
        _ => Ok(()),
    }
}

/// Refuses an action that the record's state does not allow: 409 `illegal_transition`, with what it does.
pub fn expect_action(shape: &'static Shape, record: &Record, verb: &str) -> Result<()> {
    transition::expect(shape.transitions, shape.state_of(record), verb)
}

fn version_conflict(current: i64) -> Error {
    Error::from(Code::VersionConflict).with_detail(current.to_string())
}

pub(crate) fn event(shape: &'static Shape, kind: String, id: Uuid, version: i64) -> Event {
    Event { kind, resource: shape.plural, resource_id: id, version, changed_fields: vec![], before: None, after: None, reason: None }
}

/// The fields in the order they are answered; what is not a field is dropped, what is missing is null.
pub(crate) fn in_order(shape: &Shape, mut record: Record) -> Record {
    shape.fields.iter().map(|f| (f.name.to_owned(), record.remove(f.name).unwrap_or_default())).collect()
}

/// The columns of a record: field, name, kind; sort keys included.
pub(crate) fn columns(shape: &'static Shape) -> Vec<(&'static Field, &'static str, Kind)> {
    let keys = shape.fields.iter().filter(|f| f.sorting == Sorting::Collated);
    let keys = keys.map(|f| (f, key_column(f).0, Kind::Bytes));
    shape.fields.iter().map(|f| (f, f.name, f.kind)).chain(keys).collect()
}

/// The columns of a record by name and kind, for `Work::insert`.
#[must_use]
pub fn names_of(shape: &'static Shape) -> Vec<(&'static str, Kind)> {
    columns(shape).into_iter().map(|(_, name, kind)| (name, kind)).collect()
}

/// A record as a row of those columns.
pub fn row_of(shape: &'static Shape, record: &Record) -> Result<Vec<Scalar>> {
    columns(shape).into_iter().map(|(field, _, kind)| cell(field, kind, record)).collect()
}

/// Values in the order of the shape's fields, of a resource without sort keys, as a row of those columns.
pub fn row_of_values(shape: &'static Shape, values: &[Value]) -> Result<Vec<Scalar>> {
    shape.fields.iter().zip(values).map(|(field, value)| scalar(field, field.kind, value)).collect()
}

pub(crate) fn cell(field: &Field, kind: Kind, record: &Record) -> Result<Scalar> {
    scalar(field, kind, record.get(field.name).unwrap_or(&Value::Null))
}

fn scalar(field: &Field, kind: Kind, value: &Value) -> Result<Scalar> {
    match kind {
        Kind::Bytes => Ok(Scalar::Bytes(text::sort_key(value.as_str().unwrap_or_default()))),
        kind => kind.from_json(value).map_err(|(code, about)| Error::invalid(FieldError::new(format!("/{}", field.name), code, about))),
    }
}

/// The expectation in the error for an owner that was deactivated.
pub(crate) const INACTIVE_OWNER: &str = "a user who is active";

/// Whether a field says whose a record is.
pub(crate) fn owns(shape: &Shape, field: &Field) -> bool {
    shape.owned && field.name == "owner_id"
}

/// The active ones among these users, locked until the work ends: a deactivation waits, and then counts the records given to the user.
pub async fn active(work: &Work, users: &[Uuid]) -> Result<Vec<Uuid>> {
    let mut sql = work.sql();
    sql.push("SELECT t.id FROM users t WHERE t.deleted_at IS NULL AND t.status = 'active' AND t.id").one_of_ids(users.iter().copied());
    sql.for_share("t");
    work.fetch(sql, |row| row.id(0)).await
}

/// Gives records to another owner or team, without a check of visibility: the caller has made it and has them locked. Their stored values are kept
/// as they are. The first that cannot be given fails them all.
pub async fn hand_over(
    work: &Work,
    shape: &'static Shape,
    records: Vec<Record>,
    owner: Option<Uuid>,
    team: Option<Uuid>,
    reason: Option<&str>,
) -> Result<Vec<Record>> {
    let given = records.into_iter().map(|before| {
        let mut after = before.clone();
        for (field, id) in [("owner_id", owner), ("team_id", team)] {
            if let Some(id) = id {
                after.insert(field.to_owned(), json!(id));
            }
        }
        Write::change(before, after)
    });
    many::write(work, shape, given.collect(), "updated", reason).await?.into_iter().collect()
}

/// Gives records to other owners or teams, each with its own result in their order: those that are named beside it. They are locked, and the
/// caller may assign them. Emits `<resource>.assigned` where the resource has that event.
///
/// # Errors
/// Where one fails after something of it was written. The work is to be rolled back to where it was, or given up.
pub async fn assign_many(
    work: &Work,
    shape: &'static Shape,
    pairs: Vec<(Record, Record)>,
    reason: Option<&str>,
) -> Result<Vec<Result<Record>>> {
    let assigned = format!("{}.assigned", shape.singular);
    let what = if shape.events.contains(&assigned.as_str()) { "assigned" } else { "updated" };
    let given = pairs.into_iter().map(|(before, owners)| {
        let mut after = before.clone();
        after.extend(owners.into_iter().filter(|(field, _)| matches!(field.as_str(), "owner_id" | "team_id")));
        Write::change(before, after)
    });
    many::write(work, shape, given.collect(), what, reason).await
}

/// Living records of any owner by their ids, locked: for the kernel's own work. Those that are gone are left out.
pub async fn locked(work: &Work, shape: &'static Shape, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<Record>> {
    let mut sql = select(work, shape);
    sql.push(" AND t.id").one_of_ids(ids).push(" ORDER BY t.id").for_update("t");
    work.fetch(sql, |row| read(shape, row)).await
}

/// Adds ` AND …` for the rows of `t` with the same values as a record in a set of fields.
pub(crate) fn equal_in(sql: &mut Sql, shape: &'static Shape, set: &[&str], record: &Record) -> Result<()> {
    for name in set {
        let Some(field) = shape.field(name) else { continue };
        match cell(field, field.kind, record)? {
            Scalar::Null => sql.push(" AND ").column("t", field.name).push(" IS NULL"),
            // Both databases know the case of A to Z alike, and of no other letters.
            Scalar::Text(code) if shape.caseless.contains(&field.name) => {
                sql.push(" AND lower(").column("t", field.name).push(") = ").text(code.to_ascii_lowercase())
            }
            value => sql.push(" AND ").column("t", field.name).push(" = ").bind(field.kind, value),
        };
    }
    Ok(())
}

/// Whether the caller may read a record.
pub(crate) async fn is_visible(work: &Work, shape: &'static Shape, id: Uuid) -> Result<bool> {
    if !visibility::may_read(work, shape) {
        return Ok(false);
    }
    let mut sql = work.sql();
    sql.push("SELECT 1 FROM ").push(shape.plural).push(" t WHERE t.id = ").id(id);
    visibility::restrict_to_visible(&mut sql, work, shape, "t", "read")?;
    Ok(work.count(sql).await? > 0)
}

/// The refusal of a value that another record holds: it names that record to callers that see it.
pub(crate) async fn already_exists(work: &Work, shape: &'static Shape, by: Uuid, field: &str) -> Result<Error> {
    let error = Error::from(Code::AlreadyExists);
    Ok(if is_visible(work, shape, by).await? { error.with_conflict(shape.plural, by, field) } else { error })
}

/// Brings the search index and the indexed values up to date.
pub(crate) async fn index(work: &Work, shape: &'static Shape, before: Option<&Record>, after: &Record) -> Result<()> {
    many::index(work, shape, &[(before, after)], None).await
}

/// Writes what other systems call a record onto the record itself.
pub async fn refresh_references(work: &Work, shape: &'static Shape, id: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT system, external_type, external_id FROM external_references WHERE deleted_at IS NULL AND record_id = ").id(id);
    sql.push(" AND resource = ").text(shape.plural).push(" ORDER BY id");
    let refs =
        work.fetch(sql, |row| Ok(ExternalRef { system: row.text(0)?, external_type: row.text(1)?, external_id: row.text(2)? })).await?;
    let mut sql = select(work, shape);
    sql.push(" AND t.id = ").id(id).for_update("t");
    let Some(before) = work.fetch_one(sql, |row| read(shape, row)).await? else { return Ok(()) };
    let mut after = before.clone();
    after.insert("external_refs".into(), json!(refs));
    if after == before {
        return Ok(());
    }
    let version = version_of(&before) + 1;
    let mut sql = begin_update(work, shape, version);
    sql.push(", external_refs = ").bind(Kind::Json, Scalar::Text(json!(refs).to_string())).push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    index(work, shape, Some(&before), &after).await?;
    let pick = |from: &Record| from.iter().filter(|(k, _)| *k == "external_refs").map(|(k, v)| (k.clone(), v.clone())).collect();
    work.emit(Event {
        changed_fields: vec!["external_refs"],
        before: Some(pick(&before)),
        after: Some(pick(&after)),
        ..event(shape, format!("{}.updated", shape.singular), id, version)
    });
    Ok(())
}
