//! What is checked with the database before records are written, whatever their number: custom fields, references, and values that must be
//! one's own. A handful of statements for all records of a group; each record has its own result.

use crate::{
    error::Result,
    filled::Settled,
    record::{self, Record, already_exists, cell, id_of},
    relations,
    store::Work,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError},
    scalar::Scalar,
    shape::{Field, Shape},
};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// A record as it was, where it was, and as it is to be.
pub(crate) type Pair<'a> = (Option<&'a Record>, &'a Record);

/// Faults of custom fields and references: what needs the database to be checked. The refusal where the caller may not read what a record
/// names. `settled` is what the record that each is about says of its fields.
pub(crate) async fn field_errors(
    work: &Work,
    shape: &'static Shape,
    pairs: &[Pair<'_>],
    settled: &[&[Settled]],
) -> Result<Vec<Result<Vec<FieldError>>>> {
    let mut faults = Vec::with_capacity(pairs.len());
    for (before, after) in pairs {
        faults.push(if shape.extensible { custom_field_errors(work, shape, *before, after).await? } else { vec![] });
    }
    for (((_, after), settled), faults) in pairs.iter().zip(settled).zip(&mut faults) {
        let differs = |(field, value): &&Settled| after.get(*field) != Some(value);
        let other = settled.iter().filter(differs);
        faults
            .extend(other.map(|(field, _)| FieldError::new(format!("/{field}"), FieldCode::NotOfAccount, "the one of the related record")));
    }
    let unreadable = relations::check(work, shape, pairs, settled, &mut faults).await?;
    let each = faults.into_iter().zip(unreadable);
    Ok(each.map(|(faults, unreadable)| work.caller.require(unreadable).map(|()| faults)).collect())
}

async fn custom_field_errors(work: &Work, shape: &'static Shape, before: Option<&Record>, after: &Record) -> Result<Vec<FieldError>> {
    let none = Map::new();
    let custom = |record: &'_ Record| record.get("custom").and_then(Value::as_object).cloned().unwrap_or_default();
    let (then, now) = (before.map(custom), custom(after));
    if now.is_empty() && then.as_ref().is_some_and(Map::is_empty) {
        return Ok(vec![]);
    }
    work.check_custom(shape, if now.is_empty() { &none } else { &now }, then.as_ref()).await
}

/// Whether a record's values of a set of fields are those it had.
fn is_unchanged(set: &[&str], before: Option<&Record>, after: &Record) -> bool {
    before.is_some_and(|b| set.iter().all(|f| b.get(*f) == after.get(*f)))
}

fn is_null(record: &Record, field: &str) -> bool {
    record.get(field).is_none_or(Value::is_null)
}

/// The sets of fields that no two living records share, each with whether an index sees to it.
fn sets(shape: &'static Shape) -> impl Iterator<Item = (&'static [&'static str], bool)> {
    let is_indexed = |set: &[&str]| !set.iter().any(|f| shape.caseless.contains(f));
    let unique = shape.unique.iter().map(move |set| (*set, is_indexed(set)));
    unique.chain(shape.distinct.iter().map(|set| (*set, false)))
}

/// Names for what a write takes or gives up that only one record may have: of two writes with a name in common the second is checked when
/// the first is written.
pub(crate) fn exclusive_names(shape: &'static Shape, (before, after): Pair<'_>) -> Vec<String> {
    let mut names = vec![];
    let values = |set: &[&str], record: &Record| {
        let values: Vec<String> = set.iter().map(|f| record.get(*f).map(ToString::to_string).unwrap_or_default()).collect();
        format!("{} {}", set.join(" "), values.join(" ").to_lowercase())
    };
    let records = || before.into_iter().chain([after]);
    for (set, _) in sets(shape).filter(|(set, _)| !is_unchanged(set, before, after)) {
        names.extend(records().map(|record| values(set, record)));
    }
    for set in shape.possible_duplicates.iter().filter(|set| !is_unchanged(set, before, after)) {
        // What has no value in the first of the set is like nothing.
        let Some(first) = set.get(..1) else { continue };
        let named = records().filter(|record| !first.iter().any(|field| is_null(record, field)));
        names.extend(named.map(|record| values(first, record)));
    }
    names
}

/// A record that is checked: as it was, as it is to be, and why it is refused.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    pub before: Option<&'a Record>,
    pub after: &'a Record,
    pub refusal: Option<Error>,
}

/// Refuses records whose values another living record holds, and names that record.
pub(crate) async fn check_unique(work: &Work, shape: &'static Shape, all: &mut [Checked<'_>]) -> Result<()> {
    check_possible_duplicates(work, shape, all).await?;
    for (set, is_indexed) in sets(shape) {
        let mut asked: Vec<&mut Checked<'_>> =
            all.iter_mut().filter(|c| c.refusal.is_none() && !is_unchanged(set, c.before, c.after)).collect();
        if asked.is_empty() {
            continue;
        }
        if !is_indexed {
            // No index refuses the second of two at once: older records may share these values.
            let name = |record: &Record| {
                let values: Vec<String> = set.iter().map(|f| record.get(*f).map(ToString::to_string).unwrap_or_default()).collect();
                format!("{} {}", shape.plural, values.join(" ").to_lowercase())
            };
            work.lock_all_named(asked.iter().map(|c| name(c.after)).collect()).await?;
        }
        let records: Vec<&Record> = asked.iter().map(|c| c.after).collect();
        let found = rows(work, shape, set, set, &records).await?;
        for checked in &mut asked {
            let others = found.get(&values_of(shape, set, checked.after)?).into_iter().flatten().map(|(id, _)| *id);
            if let Some(other) = others.filter(|id| *id != id_of(checked.after)).min() {
                checked.refusal = Some(already_exists(work, shape, other, set.last().copied().unwrap_or_default()).await?);
            }
        }
    }
    Ok(())
}

/// Refuses what is probably of the same thing as another record, unless the request allows it.
async fn check_possible_duplicates(work: &Work, shape: &'static Shape, all: &mut [Checked<'_>]) -> Result<()> {
    for set in shape.possible_duplicates.iter().filter(|_| !work.allows_duplicates()) {
        let Some((first, rest)) = set.split_first() else { continue };
        let is_asked = |c: &&mut Checked<'_>| c.refusal.is_none() && !is_null(c.after, first) && !is_unchanged(set, c.before, c.after);
        let mut asked: Vec<&mut Checked<'_>> = all.iter_mut().filter(is_asked).collect();
        if asked.is_empty() {
            continue;
        }
        let name =
            |record: &Record| format!("{} {first} {}", shape.plural, record.get(*first).map(ToString::to_string).unwrap_or_default());
        work.lock_all_named(asked.iter().map(|c| name(c.after)).collect()).await?;
        let records: Vec<&Record> = asked.iter().map(|c| c.after).collect();
        let found = rows(work, shape, set, &[first], &records).await?;
        for checked in &mut asked {
            let mut others = vec![];
            for (id, values) in found.get(&values_of(shape, &[first], checked.after)?).into_iter().flatten() {
                let mut is_alike = *id != id_of(checked.after);
                for (field, theirs) in rest.iter().zip(values.iter().skip(1)) {
                    let own = value_of(shape, field, checked.after)?;
                    is_alike &= own == Scalar::Null || *theirs == Scalar::Null || own == *theirs;
                }
                others.extend(is_alike.then_some(*id));
            }
            if let Some(other) = others.into_iter().min() {
                let refusal = Error::from(Code::PossibleDuplicate);
                let is_visible = record::is_visible(work, shape, other).await?;
                checked.refusal = Some(if is_visible { refusal.with_conflict(shape.plural, other, first) } else { refusal });
            }
        }
    }
    Ok(())
}

/// The value of a field as it is compared with others'.
fn value_of(shape: &'static Shape, name: &str, record: &Record) -> Result<Scalar> {
    let Some(field) = shape.field(name) else { return Ok(Scalar::Null) };
    Ok(compared(shape, field, cell(field, field.kind, record)?))
}

/// Both databases know the case of A to Z alike, and of no other letters.
fn compared(shape: &Shape, field: &Field, value: Scalar) -> Scalar {
    match value {
        Scalar::Text(code) if shape.caseless.contains(&field.name) => Scalar::Text(code.to_ascii_lowercase()),
        value => value,
    }
}

fn values_of(shape: &'static Shape, set: &[&str], record: &Record) -> Result<Vec<Scalar>> {
    set.iter().map(|name| value_of(shape, name, record)).collect()
}

/// Rows by their values of some fields: the id, and the values of a whole set.
type Rows = BTreeMap<Vec<Scalar>, Vec<(Uuid, Vec<Scalar>)>>;

/// The living rows with the same values of `by` as those asked for: one statement, where a field with an index tells them apart.
async fn rows(work: &Work, shape: &'static Shape, set: &[&'static str], by: &[&'static str], records: &[&Record]) -> Result<Rows> {
    let fields: Vec<&'static Field> = set.iter().filter_map(|name| shape.field(name)).collect();
    let mut all = Rows::new();
    let mut statements = vec![];
    match telling(shape, by, records)? {
        Some((field, values)) => {
            let mut sql = select(work, &fields);
            let is_caseless = shape.caseless.contains(&field.name);
            sql.push_from_each(shape.plural, "t", field.name, is_caseless, field.kind, values);
            // What all of them have in common is asked for, too: an index may begin with it.
            for name in by.iter().filter(|name| **name != field.name) {
                let Some(other) = shape.field(name).filter(|f| !shape.caseless.contains(&f.name)) else { continue };
                let mut common: BTreeSet<Scalar> = records.iter().map(|r| value_of(shape, name, r)).collect::<Result<_>>()?;
                match common.pop_first().filter(|_| common.is_empty()) {
                    None => {}
                    Some(Scalar::Null) => {
                        sql.push(" AND ").column("t", other.name).push(" IS NULL");
                    }
                    Some(value) => {
                        sql.push(" AND ").column("t", other.name).push(" = ").bind(other.kind, value);
                    }
                }
            }
            statements.push(sql);
        }
        None => {
            for record in records {
                let mut sql = select(work, &fields);
                sql.push(" FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.id <> ").id(id_of(record));
                record::equal_in(&mut sql, shape, by, record)?;
                sql.push(" LIMIT 1");
                statements.push(sql);
            }
        }
    }
    for sql in statements {
        let found = work
            .fetch(sql, |row| {
                let values = fields.iter().enumerate().map(|(i, field)| Ok(compared(shape, field, row.scalar(i + 1, field.kind)?)));
                Ok((row.id(0)?, values.collect::<Result<Vec<Scalar>>>()?))
            })
            .await?;
        for (id, values) in found {
            let key = by.iter().filter_map(|name| set.iter().position(|n| n == name)).filter_map(|i| values.get(i).cloned()).collect();
            all.entry(key).or_default().push((id, values));
        }
    }
    Ok(all)
}

fn select(work: &Work, fields: &[&'static Field]) -> crate::sql::Sql {
    let mut sql = work.sql();
    sql.push("SELECT t.id");
    for field in fields {
        sql.push(", ").column("t", field.name);
    }
    sql
}

/// The field of a set with an index that tells records apart best, and its values; none where a record has no value in it.
fn telling(shape: &'static Shape, set: &[&'static str], records: &[&Record]) -> Result<Option<(&'static Field, BTreeSet<Scalar>)>> {
    let mut best: Option<(&'static Field, BTreeSet<Scalar>)> = None;
    for (place, name) in set.iter().enumerate() {
        let Some(field) = shape.field(name).filter(|f| f.filter || place == 0) else { continue };
        let values: BTreeSet<Scalar> = records.iter().map(|r| value_of(shape, name, r)).collect::<Result<_>>()?;
        if !values.contains(&Scalar::Null) && best.as_ref().is_none_or(|(_, b)| values.len() > b.len()) {
            best = Some((field, values));
        }
    }
    Ok(best)
}
