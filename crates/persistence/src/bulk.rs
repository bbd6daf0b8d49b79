//! Many records of a trusted source at once, prepared while others are written: rows, index entries, values and events in a handful of
//! statements. Values that must be one's own are left to the indexes; requests go through `stored::create_many`.

use crate::{
    checks::Pair,
    error::Result,
    many,
    record::{self, Record, id_of, names_of, row_of, uuid_in},
    relations,
    search::{self, Text},
    store::{Reader, Work},
    stored::{self, Stored},
    visibility,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError},
    event::Event,
    reference::Target,
    resource::Resource,
    scalar::Scalar,
    shape::Shape,
};
use serde_json::Value;
use std::collections::HashSet;
use uuid::Uuid;

/// Records of one resource that are made and not written: whatever needs no database is done, so that it can be done while others write.
#[derive(Debug)]
pub struct Prepared<T> {
    made: Vec<Stored<T>>,
    rows: Vec<Vec<Scalar>>,
    /// What each is found by, where there is anything.
    texts: Vec<Option<Text>>,
}

/// Makes many records of one resource; one bad draft fails them all.
pub fn prepare<T: Resource>(reader: &Reader, drafts: Vec<Stored<T>>) -> Result<Prepared<T>> {
    let shape = reader.shape(T::PLURAL)?;
    let made = drafts.into_iter().map(|d| Ok(stored::prepare_insert(reader, shape, d)?.0)).collect::<Result<Vec<Stored<T>>>>()?;
    for one in &made {
        record::check_permission(reader, shape, &one.record, "create")?;
    }
    let rows = made.iter().map(|m| row_of(shape, &m.record)).collect::<Result<_>>()?;
    let found = made.iter().map(|m| search::folded(shape, &m.record));
    let texts = found.map(|folded| (!folded.is_empty()).then(|| Text::of(folded))).collect();
    Ok(Prepared { made, rows, texts })
}

/// Writes them; faults point at `/<index>/<field>`.
///
/// Ids the caller chose and values that must be one's own are left to the unique indexes: asking for each row first
/// is what makes one by one slow. A thousand records at a time suit both databases.
pub async fn insert<T: Resource>(work: &Work, prepared: Prepared<T>) -> Result<Vec<Stored<T>>> {
    let Prepared { made, rows, texts } = prepared;
    let records: Vec<&Record> = made.iter().map(|m| &m.record).collect();
    insert_records(work, work.shape(T::PLURAL)?, &records, rows, texts).await?;
    Ok(made)
}

/// Makes and writes many records of one resource, numbered and in their order where it has that: what is prepared apart brings its numbers
/// and positions along.
pub async fn insert_many<T: Resource>(work: &Work, drafts: Vec<Stored<T>>) -> Result<Vec<Stored<T>>> {
    let drafts = stored::with_positions(work, stored::with_numbers(work, drafts).await?).await?;
    insert(work, prepare(work, drafts)?).await
}

async fn insert_records(
    work: &Work,
    shape: &'static Shape,
    made: &[&Record],
    rows: Vec<Vec<Scalar>>,
    texts: Vec<Option<Text>>,
) -> Result<()> {
    let faults = check(work, shape, made).await?;
    if !faults.is_empty() {
        return Err(Error::from(Code::ValidationFailed).with_field_errors(faults));
    }
    work.insert(shape.plural, &names_of(shape), rows, "").await?;
    let pairs: Vec<Pair<'_>> = made.iter().map(|record| (None, *record)).collect();
    many::index(work, shape, &pairs, Some(texts)).await?;
    if !shape.append_only {
        for record in made {
            let after = Some(Record::clone(record));
            work.emit(Event { after, ..record::event(shape, format!("{}.created", shape.singular), id_of(record), 1) });
        }
    }
    Ok(())
}

/// Custom fields of each record, and references: one query for each field, whatever the number of records.
async fn check(work: &Work, shape: &'static Shape, made: &[&Record]) -> Result<Vec<FieldError>> {
    let mut faults = vec![];
    if shape.extensible {
        for (i, record) in made.iter().enumerate() {
            let custom = record.get("custom").and_then(Value::as_object).cloned().unwrap_or_default();
            for mut fault in work.check_custom(shape, &custom, None).await? {
                fault.pointer = format!("/{i}{}", fault.pointer);
                faults.push(fault);
            }
        }
    }
    for field in shape.fields.iter().filter(|f| !Shape::is_system_field(f.name)) {
        let Some(other) = field.reference.filter(|_| !field.read_only) else { continue };
        let named: HashSet<Uuid> = made.iter().filter_map(|m| uuid_in(m, field.name)).collect();
        if named.is_empty() {
            continue;
        }
        let other_shape = work.shape(other)?;
        let mut sql = work.sql();
        sql.push("SELECT t.id FROM ")
            .push(other_shape.plural)
            .push(" t WHERE t.deleted_at IS NULL AND t.id")
            .one_of_ids(named.iter().copied());
        if other_shape.owned || !other_shape.parents.is_empty() {
            visibility::restrict_to_visible(&mut sql, work, other_shape, "t", "read")?;
        }
        sql.for_key_share("t");
        let inactive = match record::owns(shape, field) {
            true => {
                let others: Vec<Uuid> = named.iter().copied().filter(|id| *id != work.caller.id).collect();
                let active = record::active(work, &others).await?;
                others.into_iter().filter(|id| !active.contains(id)).collect()
            }
            false => vec![],
        };
        let mut known: HashSet<Uuid> = work.fetch(sql, |row| row.id(0)).await?.into_iter().collect();
        if other == shape.plural {
            known.extend(made.iter().map(|m| id_of(m)));
        }
        let unknown = made.iter().enumerate().filter(|(_, m)| uuid_in(m, field.name).is_some_and(|id| !known.contains(&id)));
        let idle =
            made.iter().enumerate().filter(|(_, m)| uuid_in(m, field.name).is_some_and(|id| known.contains(&id) && inactive.contains(&id)));
        faults.extend(idle.map(|(i, _)| FieldError::new(format!("/{i}/{}", field.name), FieldCode::InactiveUser, record::INACTIVE_OWNER)));
        faults.extend(unknown.map(|(i, _)| FieldError::new(format!("/{i}/{}", field.name), FieldCode::UnknownReference, other)));
    }
    for reference in shape.references.iter().filter(|r| r.is_written) {
        let Target::Any(any) = &reference.target else { continue };
        let (mut found, mut missing) = (vec![vec![]; made.len()], vec![vec![]; made.len()]);
        let pairs: Vec<Pair<'_>> = made.iter().map(|record| (None, *record)).collect();
        relations::check_any(work, any, &pairs, &[], &mut found, &mut missing).await?;
        work.caller.require(missing.into_iter().flatten())?;
        let placed = found.into_iter().enumerate().flat_map(|(i, faults)| faults.into_iter().map(move |fault| (i, fault)));
        faults.extend(placed.map(|(i, fault)| FieldError { pointer: format!("/{i}{}", fault.pointer), ..fault }));
    }
    Ok(faults)
}
