//! Records as rules see them: found, inserted, saved, deleted and restored, written once for every resource.

use crate::{
    error::Result,
    list::key_column,
    search, sight,
    sql::Sql,
    store::{Reader, Work},
    values,
};
use samphan_domain::{
    caller::FieldAccess,
    error::{Code, Error, FieldError},
    event::Event,
    integration::external_reference::ExternalRef,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::{Field, Shape, Sorting, TAIL},
    text,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// A record: the resource's own fields typed, everything else beside them.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// All fields as JSON, as last read or sent.
    pub record: Map<String, Value>,
    /// The resource's own fields.
    pub data: T,
}

impl<T: Resource> Stored<T> {
    /// A record to be made, from its own fields.
    #[must_use]
    pub fn draft(data: T) -> Self {
        Self { record: Map::new(), data }
    }

    /// A record to be made, from a body that fits the published schema. `fixed` are fields the path decides.
    pub fn from_body(shape: &Shape, mut body: Map<String, Value>, fixed: &[(&'static str, Uuid)]) -> Result<Self> {
        let read_only = |name: &str| shape.field(name).is_some_and(|f| f.read_only) && !Shape::is_meta(name);
        body.retain(|name, _| !read_only(name));
        for (field, id) in fixed {
            body.insert((*field).to_owned(), json!(id));
        }
        Self::from_record(body)
    }

    fn from_record(record: Map<String, Value>) -> Result<Self> {
        let data = T::deserialize(&record).map_err(|e| unreadable(&e))?;
        Ok(Self { record, data })
    }

    /// The record after a JSON merge patch (RFC 7396).
    pub fn patched(&self, patch: &Map<String, Value>) -> Result<Self> {
        let mut record = Value::Object(self.full_record()?);
        merge(&mut record, &Value::Object(patch.clone()));
        match record {
            Value::Object(record) => Self::from_record(record),
            _ => Err(Code::Internal.into()),
        }
    }

    /// All fields as JSON, the typed ones as they stand now.
    fn full_record(&self) -> Result<Map<String, Value>> {
        let mut record = self.record.clone();
        if let Ok(Value::Object(own)) = serde_json::to_value(&self.data) {
            record.extend(own);
            return Ok(record);
        }
        Err(Code::Internal.into())
    }

    /// Its id; nil until it is made.
    #[must_use]
    pub fn id(&self) -> Uuid {
        uuid_in(&self.record, "id").unwrap_or_default()
    }

    /// Its version; 0 until it is made.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.record.get("version").and_then(Value::as_i64).unwrap_or_default()
    }

    /// Its owner and team.
    #[must_use]
    pub fn owner(&self) -> (Option<Uuid>, Option<Uuid>) {
        (uuid_in(&self.record, "owner_id"), uuid_in(&self.record, "team_id"))
    }
}

/// The id in a field.
#[must_use]
pub fn uuid_in(record: &Map<String, Value>, field: &str) -> Option<Uuid> {
    record.get(field).and_then(Value::as_str).and_then(|s| Uuid::parse_str(s).ok())
}

fn unreadable(error: &serde_json::Error) -> Error {
    // The schema was checked before, so this is a rule only the type knows; its text names no values.
    let about = error.to_string();
    Error::invalid(FieldError::new("", "invalid_value", about.split(" at line").next().unwrap_or_default()))
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

/// Finds a record the caller may see, and locks it within a work. Seen but not allowed `verb` is 403.
pub async fn find<T: Resource>(reader: &Reader, id: Uuid, verb: &str) -> Result<Stored<T>> {
    find_in(reader, id, None, verb).await
}

/// The same, within a parent.
pub async fn find_in<T: Resource>(reader: &Reader, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<Stored<T>> {
    let shape = reader.shape(T::MANY)?;
    let mut sql = select(reader, shape);
    sql.push(" AND t.id = ").id(id);
    if let Some((field, id)) = parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
    sight::only_seen(&mut sql, reader, shape, "t", "read")?;
    if reader.writes() {
        sql.for_update("t");
    }
    let found = read_one::<T>(reader, shape, sql).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    allowed(reader, shape, &found, verb)?;
    Ok(found)
}

/// Finds living records of any owner by a field: for the kernel's own rules, which see everything.
pub async fn all_with<T: Resource>(reader: &Reader, field: &'static str, value: Scalar) -> Result<Vec<Stored<T>>> {
    let shape = reader.shape(T::MANY)?;
    let kind = shape.field(field).map_or(Kind::Text, |f| f.kind);
    let mut sql = select(reader, shape);
    sql.push(" AND ").column("t", field).push(" = ").bind(kind, value).push(" ORDER BY t.id LIMIT 1000");
    let rows = reader.fetch(sql, |row| record(shape, row)).await?;
    rows.into_iter().map(Stored::from_record).collect()
}

/// The same, for one record.
pub async fn one_with<T: Resource>(reader: &Reader, field: &'static str, value: Scalar) -> Result<Option<Stored<T>>> {
    Ok(all_with(reader, field, value).await?.into_iter().next())
}

pub(crate) fn allowed<T: Resource>(reader: &Reader, shape: &Shape, found: &Stored<T>, verb: &str) -> Result<()> {
    let (owner, team) = found.owner();
    let permission = shape.permission(verb);
    if !shape.owned || reader.caller.sight(&permission).covers(owner, team) {
        return Ok(());
    }
    Err(Error::from(Code::Forbidden).allowing([permission]))
}

/// Begins `SELECT <every field> FROM <table> t WHERE <living>`, read by `record`.
#[must_use]
pub fn select(reader: &Reader, shape: &'static Shape) -> Sql {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    for (i, field) in shape.fields.iter().enumerate() {
        sql.push(if i == 0 { "" } else { ", " }).column("t", field.name);
    }
    sql.push(" FROM ").push(shape.many).push(" t WHERE ").push(if shape.log { "1 = 1" } else { "t.deleted_at IS NULL" });
    sql
}

async fn read_one<T: Resource>(reader: &Reader, shape: &'static Shape, sql: Sql) -> Result<Option<Stored<T>>> {
    reader.fetch_one(sql, |row| record(shape, row)).await?.map(Stored::from_record).transpose()
}

/// A row of `select`, as JSON.
pub fn record(shape: &Shape, row: &crate::row::Row<'_>) -> Result<Map<String, Value>> {
    shape.fields.iter().enumerate().map(|(i, f)| Ok((f.name.to_owned(), row.scalar(i, f.kind)?.to_json(f.kind)))).collect()
}

/// The record a draft becomes, and whether the caller chose its id.
pub(crate) fn begun<T: Resource>(work: &Work, shape: &'static Shape, draft: Stored<T>) -> Result<(Stored<T>, bool)> {
    // What a caller may not change he may not say at the beginning, either.
    let sent = |f: &&Field| !f.read_only && draft.record.get(f.name).is_some_and(|v| !v.is_null());
    let shut = shape.fields.iter().filter(sent).filter(|f| work.caller.access(shape, f) != FieldAccess::Full);
    let shut: Vec<FieldError> = shut.map(|f| FieldError::new(format!("/{}", f.name), "protected_field", f.name)).collect();
    if !shut.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with(shut));
    }
    let settled = settle(draft, shape)?;
    let mut record = settled.full_record()?;
    let given = uuid_in(&record, "id");
    let id = given.unwrap_or_else(|| work.new_id());
    let author = json!(work.caller.author());
    let meta =
        json!({"id": id, "version": 1, "created_at": work.now, "created_by_id": author, "updated_at": work.now, "updated_by_id": author});
    record.extend(meta.as_object().cloned().unwrap_or_default());
    if shape.owned {
        record.entry("owner_id").or_insert(author);
        record.entry("team_id").or_insert(json!(work.caller.teams.first()));
    }
    let record = in_order(shape, record);
    Ok((Stored { record, data: settled.data }, given.is_some()))
}

/// Makes a record.
pub async fn insert<T: Resource>(work: &Work, draft: Stored<T>) -> Result<Stored<T>> {
    let shape = work.shape(T::MANY)?;
    let (made, chosen) = begun(work, shape, draft)?;
    let id = made.id();
    let faults = check(work, shape, None, &made.record).await?;
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with(faults));
    }
    allowed(work, shape, &made, "create")?;
    if chosen {
        let mut sql = work.sql();
        sql.push("SELECT 1 FROM ").push(shape.many).push(" WHERE id = ").id(id);
        if work.count(sql).await? > 0 {
            return Err(Error::from(Code::AlreadyExists).against(shape.many, id, "id"));
        }
    }
    unique(work, shape, id, None, &made.record).await?;
    work.insert(shape.many, &names_of(shape), vec![row_of(shape, &made.record)?], "").await?;
    index(work, shape, None, &made.record).await?;
    if !shape.log {
        let kind = format!("{}.created", shape.one);
        work.emit(Event { after: Some(made.record.clone()), ..event(shape, kind, id, 1) });
    }
    Ok(made)
}

/// Saves what changed of a record, under the event `<resource>.<what>`. Nothing changed is nothing written.
pub async fn save<T: Resource>(work: &Work, before: &Stored<T>, after: Stored<T>, what: &str, reason: Option<String>) -> Result<Stored<T>> {
    let shape = work.shape(T::MANY)?;
    let settled = settle(after, shape)?;
    let mut record = in_order(shape, settled.full_record()?);
    let id = before.id();
    let changed: Vec<&'static Field> =
        shape.fields.iter().filter(|f| !Shape::is_meta(f.name) && record.get(f.name) != before.record.get(f.name)).collect();
    if changed.is_empty() {
        return Ok(Stored { record: before.record.clone(), data: settled.data });
    }
    let mut faults = check(work, shape, Some(&before.record), &record).await?;
    for field in changed.iter().filter(|f| !f.read_only && work.caller.access(shape, f) != FieldAccess::Full) {
        faults.push(FieldError::new(format!("/{}", field.name), "protected_field", field.name));
    }
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with(faults));
    }
    unique(work, shape, id, Some(&before.record), &record).await?;
    let version = before.version() + 1;
    record.insert("version".into(), json!(version));
    record.insert("updated_at".into(), json!(work.now));
    record.insert("updated_by_id".into(), json!(work.caller.author()));
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.many).push(" SET version = ").int(version);
    sql.push(", updated_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", updated_by_id = ").bind(Kind::Id, work.caller.author().map_or(Scalar::Null, Scalar::Id));
    for (field, name, kind) in columns(shape) {
        if changed.iter().any(|c| c.name == field.name) {
            let value = cell(field, kind, &record)?;
            sql.push(", \"").push(name).push("\" = ").bind(kind, value);
        }
    }
    sql.push(" WHERE deleted_at IS NULL AND id = ").id(id).push(" AND version = ").int(before.version());
    if work.execute(sql).await? == 0 {
        return Err(version_conflict(before.version()));
    }
    index(work, shape, Some(&before.record), &record).await?;
    let pick =
        |from: &Map<String, Value>| changed.iter().map(|f| (f.name.to_owned(), from.get(f.name).cloned().unwrap_or_default())).collect();
    work.emit(Event {
        changed_fields: changed.iter().map(|f| f.name).collect(),
        before: Some(pick(&before.record)),
        after: Some(pick(&record)),
        reason,
        ..event(shape, format!("{}.{what}", shape.one), id, version)
    });
    let made = Stored { record, data: settled.data };
    if shape.owned {
        let (owner, team) = made.owner();
        if (owner, team) != before.owner() {
            search::move_owner(work, id, owner, team).await?;
        }
    }
    Ok(made)
}

/// Deletes a record, softly: it can be restored, and what it was called may be used again.
pub async fn delete<T: Resource>(work: &Work, before: &Stored<T>) -> Result<()> {
    let shape = work.shape(T::MANY)?;
    let version = before.version() + 1;
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.many).push(" SET version = ").int(version);
    sql.push(", updated_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", updated_by_id = ").bind(Kind::Id, work.caller.author().map_or(Scalar::Null, Scalar::Id));
    sql.push(", deleted_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE deleted_at IS NULL AND id = ").id(before.id());
    work.execute(sql).await?;
    search::write(work, &[before.id()], vec![]).await?;
    work.emit(Event { before: Some(before.record.clone()), ..event(shape, format!("{}.deleted", shape.one), before.id(), version) });
    Ok(())
}

/// Brings a deleted record back, if nobody took its name meanwhile.
pub async fn restore<T: Resource>(work: &Work, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Stored<T>> {
    let shape = work.shape(T::MANY)?;
    let mut sql = select(work, shape);
    sql.text = sql.text.replace("t.deleted_at IS NULL", "t.deleted_at IS NOT NULL");
    sql.push(" AND t.id = ").id(id);
    if let Some((field, id)) = parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
    sight::only_seen(&mut sql, work, shape, "t", "read")?;
    sql.for_update("t");
    let Some(mut found) = read_one::<T>(work, shape, sql).await? else {
        // Restoring what lives is no change.
        return find_in(work, id, parent, "delete").await;
    };
    allowed(work, shape, &found, "delete")?;
    unique(work, shape, id, None, &found.record).await?;
    let version = found.version() + 1;
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.many).push(" SET deleted_at = NULL, version = ").int(version);
    sql.push(", updated_at = ").bind(Kind::Time, Scalar::Time(work.now)).push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    found.record.insert("version".into(), json!(version));
    found.record.insert("updated_at".into(), json!(work.now));
    index(work, shape, None, &found.record).await?;
    work.emit(Event { after: Some(found.record.clone()), ..event(shape, format!("{}.restored", shape.one), id, version) });
    Ok(found)
}

/// Refuses unless the record is of the version the caller meant.
pub fn expect_version(meant: Option<i64>, version: i64) -> Result<()> {
    match meant {
        Some(meant) if meant != version => Err(version_conflict(version)),
        _ => Ok(()),
    }
}

fn version_conflict(current: i64) -> Error {
    Error::from(Code::VersionConflict).about(current.to_string())
}

pub(crate) fn event(shape: &'static Shape, kind: String, id: Uuid, version: i64) -> Event {
    Event { kind, resource: shape.many, resource_id: id, version, changed_fields: vec![], before: None, after: None, reason: None }
}

/// Brings values to their one form and holds them against the rules across fields.
fn settle<T: Resource>(mut stored: Stored<T>, shape: &Shape) -> Result<Stored<T>> {
    stored.data.normalise();
    if let Err(errors) = stored.data.validate() {
        let faults = errors.into_errors().into_values().flat_map(|kind| match kind {
            validator::ValidationErrorsKind::Field(all) => all,
            _ => vec![],
        });
        let faults = faults.map(|e| {
            let field = e.params.get("field").and_then(Value::as_str).map(|f| format!("/{f}")).unwrap_or_default();
            let code: &'static str = Box::leak(e.code.into_owned().into_boxed_str());
            FieldError::new(field, code, e.message.unwrap_or_default())
        });
        return Err(Error::from(Code::ValidationFailed).with(faults.collect()));
    }
    if shape.extensible {
        let tags = stored.record.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut tags: Vec<String> = tags.map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty()).collect();
        tags.sort();
        tags.dedup();
        stored.record.insert("tags".into(), json!(tags));
        for (name, empty) in TAIL.iter().zip([json!([]), json!({}), json!([])]) {
            let value = stored.record.entry(*name).or_insert(empty.clone());
            if value.is_null() {
                *value = empty;
            }
        }
    }
    Ok(stored)
}

/// The fields in the order they are answered; what is not a field is dropped, what is missing is null.
fn in_order(shape: &Shape, mut record: Map<String, Value>) -> Map<String, Value> {
    shape.fields.iter().map(|f| (f.name.to_owned(), record.remove(f.name).unwrap_or_default())).collect()
}

/// The columns of a record: field, name, kind; sort keys included.
fn columns(shape: &'static Shape) -> Vec<(&'static Field, &'static str, Kind)> {
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
pub fn row_of(shape: &'static Shape, record: &Map<String, Value>) -> Result<Vec<Scalar>> {
    columns(shape).into_iter().map(|(field, _, kind)| cell(field, kind, record)).collect()
}

fn cell(field: &Field, kind: Kind, record: &Map<String, Value>) -> Result<Scalar> {
    let value = record.get(field.name).unwrap_or(&Value::Null);
    match kind {
        Kind::Bytes => Ok(Scalar::Bytes(text::sort_key(value.as_str().unwrap_or_default()))),
        kind => kind.from_json(value).map_err(|(code, about)| Error::invalid(FieldError::new(format!("/{}", field.name), code, about))),
    }
}

/// Custom fields and references: what needs the database to be checked.
async fn check(
    work: &Work,
    shape: &'static Shape,
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Result<Vec<FieldError>> {
    let mut faults = vec![];
    if shape.extensible {
        let none = Map::new();
        let custom = |m: &'_ Map<String, Value>| m.get("custom").and_then(Value::as_object).cloned().unwrap_or_default();
        let now = custom(after);
        if !now.is_empty() || before.is_none() || before.map(custom) != Some(now.clone()) {
            let then = before.map(custom);
            faults.extend(work.check_custom(shape, if now.is_empty() { &none } else { &now }, then.as_ref()).await?);
        }
    }
    for field in shape.fields.iter().filter(|f| !Shape::is_meta(f.name)) {
        let Some(other) = field.reference else { continue };
        let Some(id) = uuid_in(after, field.name) else { continue };
        let is_own = (other == "users" && id == work.caller.id) || work.caller.teams.contains(&id);
        if before.is_some_and(|b| uuid_in(b, field.name) == Some(id)) || is_own {
            continue;
        }
        if other == shape.many && Some(id) == uuid_in(after, "id") {
            faults.push(FieldError::new(format!("/{}", field.name), "refers_to_itself", ""));
            continue;
        }
        let shape = work.shape(other)?;
        let mut sql = work.sql();
        sql.push("SELECT 1 FROM ").push(other).push(" t WHERE t.deleted_at IS NULL AND t.id = ").id(id);
        if shape.owned || !shape.parents.is_empty() {
            sight::only_seen(&mut sql, work, shape, "t", "read")?;
        }
        if work.count(sql).await? == 0 {
            faults.push(FieldError::new(format!("/{}", field.name), "unknown_reference", other));
        }
    }
    Ok(faults)
}

/// Refuses when a living record holds a value that must be one's own, and names that record.
async fn unique(
    work: &Work,
    shape: &'static Shape,
    id: Uuid,
    before: Option<&Map<String, Value>>,
    after: &Map<String, Value>,
) -> Result<()> {
    for set in shape.unique {
        if before.is_some_and(|b| set.iter().all(|f| b.get(*f) == after.get(*f))) {
            continue;
        }
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM ").push(shape.many).push(" t WHERE t.deleted_at IS NULL AND t.id <> ").id(id);
        for name in *set {
            let Some(field) = shape.field(name) else { continue };
            sql.push(" AND ").column("t", field.name);
            match cell(field, field.kind, after)? {
                Scalar::Null => sql.push(" IS NULL"),
                value => sql.push(" = ").bind(field.kind, value),
            };
        }
        sql.push(" LIMIT 1");
        if let Some(other) = work.fetch_one(sql, |row| row.id(0)).await? {
            return Err(Error::from(Code::AlreadyExists).against(shape.many, other, set.last().copied().unwrap_or_default()));
        }
    }
    Ok(())
}

/// Brings the search index and the indexed values up to date.
async fn index(work: &Work, shape: &'static Shape, before: Option<&Map<String, Value>>, after: &Map<String, Value>) -> Result<()> {
    let Some(id) = uuid_in(after, "id") else { return Ok(()) };
    let replaced: &[Uuid] = if before.is_some() { &[id] } else { &[] };
    let folded = search::text_of(shape, after);
    if before.map_or(!folded.is_empty(), |b| search::text_of(shape, b) != folded) {
        let about = |resource, record_id| search::Entry {
            resource,
            record_id,
            source_id: id,
            owner_id: uuid_in(after, "owner_id"),
            team_id: uuid_in(after, "team_id"),
            folded: folded.clone(),
        };
        let mut entries = vec![];
        if shape.parents.is_empty() {
            entries.push(about(shape.many, id));
        }
        for name in shape.parents {
            // A child speaks for its parent: whoever looks for a phone number finds the customer.
            let Some((many, parent)) = shape.field(name).and_then(|f| f.reference).zip(uuid_in(after, name)) else { continue };
            let mut sql = work.sql();
            sql.push("SELECT owner_id, team_id FROM ").push(work.shape(many)?.many).push(" WHERE id = ").id(parent);
            let owner = work.fetch_one(sql, |row| Ok((row.optional_id(0)?, row.optional_id(1)?))).await?.unwrap_or_default();
            entries.push(search::Entry { owner_id: owner.0, team_id: owner.1, ..about(many, parent) });
        }
        search::write(work, replaced, entries).await?;
    }
    if shape.extensible && before.is_none_or(|b| b.get("tags") != after.get("tags") || b.get("custom") != after.get("custom")) {
        let fields = work.custom_fields().await?;
        values::write(work, shape, replaced, values::of_record(shape, id, after, &fields)).await?;
    }
    Ok(())
}

/// Writes what other systems call a record onto the record itself.
pub async fn refresh_references(work: &Work, shape: &'static Shape, id: Uuid) -> Result<()> {
    let mut sql = work.sql();
    sql.push("SELECT system, external_type, external_id FROM external_references WHERE deleted_at IS NULL AND record_id = ").id(id);
    sql.push(" AND resource = ").text(shape.many).push(" ORDER BY id");
    let refs =
        work.fetch(sql, |row| Ok(ExternalRef { system: row.text(0)?, external_type: row.text(1)?, external_id: row.text(2)? })).await?;
    let mut sql = select(work, shape);
    sql.push(" AND t.id = ").id(id).for_update("t");
    let Some(before) = work.fetch_one(sql, |row| record(shape, row)).await? else { return Ok(()) };
    let mut after = before.clone();
    after.insert("external_refs".into(), json!(refs));
    if after == before {
        return Ok(());
    }
    let version = before.get("version").and_then(Value::as_i64).unwrap_or_default() + 1;
    let mut sql = work.sql();
    sql.push("UPDATE ")
        .push(shape.many)
        .push(" SET version = ")
        .int(version)
        .push(", updated_at = ")
        .bind(Kind::Time, Scalar::Time(work.now));
    sql.push(", updated_by_id = ").bind(Kind::Id, work.caller.author().map_or(Scalar::Null, Scalar::Id));
    sql.push(", external_refs = ").bind(Kind::Json, Scalar::Text(json!(refs).to_string())).push(" WHERE id = ").id(id);
    work.execute(sql).await?;
    index(work, shape, Some(&before), &after).await?;
    let pick =
        |from: &Map<String, Value>| from.iter().filter(|(k, _)| *k == "external_refs").map(|(k, v)| (k.clone(), v.clone())).collect();
    work.emit(Event {
        changed_fields: vec!["external_refs"],
        before: Some(pick(&before)),
        after: Some(pick(&after)),
        ..event(shape, format!("{}.updated", shape.one), id, version)
    });
    Ok(())
}
