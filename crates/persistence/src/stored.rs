//! Records as rules see them: the resource's own fields typed. Everything that does not need the type is `record`'s.

use crate::{
    error::Result,
    many::{self, Write},
    ordering,
    record::{self, Record, id_of, merge, owner_of, version_of},
    store::{Reader, Work},
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError},
    resource::{Numbering, POSITION, Resource},
    scalar::Scalar,
    shape::{EXTENSION_FIELDS, Shape},
    transition,
};
use serde_json::{Value, json};
use uuid::Uuid;

/// A record: the resource's own fields typed, everything else beside them.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// All fields as JSON, as last read or sent.
    pub record: Record,
    /// The resource's own fields.
    pub data: T,
}

impl<T: Resource> Stored<T> {
    /// A record to be made, from its own fields.
    #[must_use]
    pub fn draft(data: T) -> Self {
        Self { record: Record::new(), data }
    }

    /// A record to be made, from a body that fits the published schema, within the parent the path names.
    pub fn from_body(shape: &Shape, body: Record, parent: Option<(&'static str, Uuid)>) -> Result<Self> {
        Self::of(record::from_body(shape, body, parent))
    }

    /// A record as it was read.
    pub fn of(record: Record) -> Result<Self> {
        let data = T::deserialize(&record).map_err(|e| unreadable(&e))?;
        Ok(Self { record, data })
    }

    /// The record after a JSON merge patch (RFC 7396). A map that is removed, such as translations, is empty from then on.
    pub fn patched(&self, shape: &Shape, patch: &Record) -> Result<Self> {
        let mut record = Value::Object(self.full_record()?);
        merge(&mut record, &Value::Object(patch.clone()));
        let Value::Object(mut record) = record else { return Err(Code::Internal.into()) };
        for field in shape.fields.iter().filter(|f| f.is_map()) {
            if let Some(value) = record.get_mut(field.name).filter(|v| v.is_null()) {
                *value = json!({});
            }
        }
        Self::of(record)
    }

    /// All fields as JSON, the typed ones as they stand now.
    fn full_record(&self) -> Result<Record> {
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
        id_of(&self.record)
    }

    /// Its version; 0 until it is made.
    #[must_use]
    pub fn version(&self) -> i64 {
        version_of(&self.record)
    }

    /// Its owner and team.
    #[must_use]
    pub fn owner(&self) -> (Option<Uuid>, Option<Uuid>) {
        owner_of(&self.record)
    }
}

fn unreadable(error: &serde_json::Error) -> Error {
    // The schema was checked before, so this is a rule only the type knows; its text names no values.
    let about = error.to_string();
    Error::invalid(FieldError::new("", FieldCode::InvalidValue, about.split(" at line").next().unwrap_or_default()))
}

/// Finds a record the caller may see, and locks it within a work. Seen but not allowed `verb` is 403.
pub async fn find<T: Resource>(reader: &Reader, id: Uuid, verb: &str) -> Result<Stored<T>> {
    Stored::of(record::find(reader, reader.shape(T::PLURAL)?, id, None, verb).await?)
}

/// A record the caller may see, read without a lock: for what is looked up and not written.
pub async fn find_visible<T: Resource>(reader: &Reader, id: Uuid) -> Result<Option<Stored<T>>> {
    record::find_visible(reader, reader.shape(T::PLURAL)?, id, None, false).await?.map(Stored::of).transpose()
}

/// Finds living records of any owner by a field: for the kernel's own rules, which see everything.
pub async fn find_by<T: Resource>(reader: &Reader, field: &'static str, value: Scalar) -> Result<Vec<Stored<T>>> {
    record::find_by(reader, reader.shape(T::PLURAL)?, field, value).await?.into_iter().map(Stored::of).collect()
}

/// The same, for one record.
pub async fn find_one_by<T: Resource>(reader: &Reader, field: &'static str, value: Scalar) -> Result<Option<Stored<T>>> {
    Ok(find_by(reader, field, value).await?.into_iter().next())
}

/// The record a draft becomes, and whether the caller chose its id.
pub(crate) fn prepare_insert<T: Resource>(reader: &Reader, shape: &'static Shape, draft: Stored<T>) -> Result<(Stored<T>, bool)> {
    record::check_field_access(reader, shape, &draft.record)?;
    let settled = normalise_and_validate(draft, shape)?;
    let record = settled.full_record()?;
    let chosen = record::uuid_in(&record, "id").is_some();
    Ok((Stored { record: record::prepare_insert(reader, shape, record), data: settled.data }, chosen))
}

/// Gives drafts the next numbers of their resource's series, where it numbers its records.
pub(crate) async fn with_numbers<T: Resource>(work: &Work, drafts: Vec<Stored<T>>) -> Result<Vec<Stored<T>>> {
    let Some((numbering, series)) = work.shape(T::PLURAL)?.number else { return Ok(drafts) };
    let numbers = work.next_numbers(series, drafts.len()).await?;
    let number = |(draft, number): (Stored<T>, i64)| {
        let mut record = draft.full_record()?;
        record.insert(Numbering::FIELD.to_owned(), json!(numbering.write(number)));
        Stored::of(record)
    };
    drafts.into_iter().zip(numbers).map(number).collect()
}

/// Puts drafts behind the last of their order, where their resource keeps one.
pub(crate) async fn with_positions<T: Resource>(work: &Work, drafts: Vec<Stored<T>>) -> Result<Vec<Stored<T>>> {
    let shape = work.shape(T::PLURAL)?;
    if shape.ordered.is_none() {
        return Ok(drafts);
    }
    let mut records = drafts.iter().map(Stored::full_record).collect::<Result<Vec<Record>>>()?;
    if let Some(positions) = ordering::appended(work, shape, &records).await? {
        for (record, position) in records.iter_mut().zip(positions) {
            record.insert(POSITION.to_owned(), json!(position));
        }
    }
    records.into_iter().map(Stored::of).collect()
}

/// Makes a record.
pub async fn insert<T: Resource>(work: &Work, draft: Stored<T>) -> Result<Stored<T>> {
    let shape = work.shape(T::PLURAL)?;
    let drafts = with_positions(work, with_numbers(work, vec![draft]).await?).await?;
    let draft = drafts.into_iter().next().ok_or(Code::Internal)?;
    let (made, chosen) = prepare_insert(work, shape, draft)?;
    let record = record::insert(work, shape, made.record, chosen).await?;
    as_written(shape, record, made.data)
}

/// Makes a record that goes on from another one, on which the caller is allowed the action that makes it: what it names as the other does, its
/// owner included, is not checked again.
pub async fn insert_next<T: Resource>(work: &Work, of: &Record, draft: Stored<T>) -> Result<Stored<T>> {
    let shape = work.shape(T::PLURAL)?;
    let drafts = with_positions(work, with_numbers(work, vec![draft]).await?).await?;
    let draft = normalise_and_validate(drafts.into_iter().next().ok_or(Code::Internal)?, shape)?;
    let record = record::prepare_insert(work, shape, draft.full_record()?);
    let same = shape.references.iter().filter(|r| r.is_column && of.contains_key(r.path) && record.get(r.path) == of.get(r.path));
    let settled = same.map(|r| (r.path, record.get(r.path).cloned().unwrap_or_default())).collect();
    let record = many::write_one(work, shape, Write { settled, ..Write::new(record, false) }, "created", None).await?;
    as_written(shape, record, draft.data)
}

/// Makes many records, each with its own result in their order, as if they were made one after the other: a handful of statements for all.
///
/// # Errors
/// Where one fails after something of it was written. The work is to be rolled back to where it was, or given up.
pub async fn create_many<T: Resource>(work: &Work, drafts: Vec<Stored<T>>) -> Result<Vec<Result<Stored<T>>>> {
    let shape = work.shape(T::PLURAL)?;
    let drafts = with_positions(work, with_numbers(work, drafts).await?).await?;
    let begun = drafts.into_iter().map(|draft| {
        let (made, is_id_chosen) = prepare_insert(work, shape, draft)?;
        Ok((Write::new(made.record, is_id_chosen), made.data))
    });
    write_many(work, shape, begun.collect(), "created", None).await
}

/// Saves what changed of many different records that are locked, as `save` does of one; see `create_many`.
pub async fn update_many<T: Resource>(
    work: &Work,
    changes: Vec<(Stored<T>, Stored<T>)>,
    what: &str,
    reason: Option<&str>,
) -> Result<Vec<Result<Stored<T>>>> {
    let shape = work.shape(T::PLURAL)?;
    let settled = changes.into_iter().map(|(before, after)| {
        let settled = normalise_and_validate(after, shape)?;
        let after = record::in_order(shape, settled.full_record()?);
        Ok((Write::change(before.record, after), settled.data))
    });
    write_many(work, shape, settled.collect(), what, reason).await
}

async fn write_many<T: Resource>(
    work: &Work,
    shape: &'static Shape,
    all: Vec<Result<(Write, T)>>,
    what: &str,
    reason: Option<&str>,
) -> Result<Vec<Result<Stored<T>>>> {
    let (mut writes, mut rest) = (vec![], vec![]);
    for one in all {
        rest.push(one.map(|(write, data)| {
            writes.push(write);
            data
        }));
    }
    let mut written = many::write(work, shape, writes, what, reason).await?.into_iter();
    let each = rest.into_iter().map(|data| {
        let data = data?;
        let record = written.next().ok_or(Code::Internal)??;
        as_written(shape, record, data)
    });
    Ok(each.collect())
}

/// Saves what changed of a record, under the event `<resource>.<what>`. Nothing changed is nothing written.
pub async fn save<T: Resource>(work: &Work, before: &Stored<T>, after: Stored<T>, what: &str, reason: Option<String>) -> Result<Stored<T>> {
    let shape = work.shape(T::PLURAL)?;
    let settled = normalise_and_validate(after, shape)?;
    let record = record::save(work, shape, &before.record, settled.full_record()?, what, reason).await?;
    as_written(shape, record, settled.data)
}

/// A record as it was written, which may differ from what was asked for in the fields that follow another record.
fn as_written<T: Resource>(shape: &Shape, record: Record, data: T) -> Result<Stored<T>> {
    if shape.derived.is_empty() && shape.filled.is_empty() { Ok(Stored { record, data }) } else { Stored::of(record) }
}

/// Takes a record through a transition of its resource: to the state it leads to, under its event, and nothing else. 409
/// `illegal_transition` where its state does not allow that.
pub async fn transition<T: Resource>(work: &Work, before: &Stored<T>, verb: &str) -> Result<Stored<T>> {
    let (after, what) = after_transition(before, verb)?;
    save(work, before, after, what, None).await
}

/// A record as a transition leaves it, not saved yet, with what happened by that.
pub fn after_transition<T: Resource>(before: &Stored<T>, verb: &str) -> Result<(Stored<T>, &'static str)> {
    let mut record = before.full_record()?;
    let state = T::STATUS.and_then(|field| record.get(field)).and_then(Value::as_str).unwrap_or_default();
    transition::expect(T::TRANSITIONS, state, verb)?;
    let known = transition::find(T::TRANSITIONS, verb).ok_or(Code::Internal)?;
    if let (Some(field), Some(to)) = (T::STATUS, known.to) {
        record.insert(field.to_owned(), json!(to));
    }
    Ok((Stored::of(record)?, known.event.unwrap_or("updated")))
}

/// Deletes a record, softly: it can be restored, and what it was called may be used again.
pub async fn delete<T: Resource>(work: &Work, before: &Stored<T>) -> Result<()> {
    record::delete(work, work.shape(T::PLURAL)?, &before.record).await
}

/// Brings values to their one form and holds them against the rules across fields.
fn normalise_and_validate<T: Resource>(mut stored: Stored<T>, shape: &Shape) -> Result<Stored<T>> {
    stored.data.normalise();
    stored.data.validate().map_err(validation_error)?;
    if shape.extensible {
        normalise_extension_fields(&mut stored.record);
    }
    Ok(stored)
}

fn validation_error(rules: validator::ValidationErrors) -> Error {
    let faults = rules.into_errors().into_values().flat_map(|kind| match kind {
        validator::ValidationErrorsKind::Field(all) => all,
        _ => vec![],
    });
    let faults = faults.map(|e| {
        let field = e.params.get("field").and_then(Value::as_str).map(|f| format!("/{f}")).unwrap_or_default();
        let code = FieldCode::named(&e.code).unwrap_or(FieldCode::InvalidValue);
        FieldError::new(field, code, e.message.unwrap_or_default())
    });
    Error::from(Code::ValidationFailed).with_field_errors(faults.collect())
}

/// Tags, custom fields and external references: trimmed, sorted, and there.
fn normalise_extension_fields(record: &mut Record) {
    let tags = record.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut tags: Vec<String> = tags.map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty()).collect();
    tags.sort();
    tags.dedup();
    record.insert("tags".into(), json!(tags));
    for (name, empty) in EXTENSION_FIELDS.iter().zip([json!([]), json!({}), json!([])]) {
        let value = record.entry(*name).or_insert(empty.clone());
        if value.is_null() {
            *value = empty;
        }
    }
}
