//! Criteria in the filter language that a record must meet, held against the record in memory.
//!
//! They are read as Samphan itself reads them: what they ask does not depend on who moves the record.

use samphan_persistence::{
    record::{self, Record, uuid_in},
    store::{Reader, Work},
};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, FieldError, Result},
    filter::{Filter, Target},
    shape::Shape,
};
use samphan_rest::query::FilterContext;
use serde_json::Value;
use std::{collections::HashMap, sync::Arc};
use uuid::Uuid;

/// Reads criteria as its caller may write them. Faults are at `pointer`.
pub async fn check(reader: &Reader, shape: &'static Shape, criteria: &Value, pointer: &str) -> Result<()> {
    match FilterContext::of(reader).await?.parse(criteria, shape).await {
        Ok(_) => Ok(()),
        Err(error) if error.code == Code::InvalidFilter => {
            let at = |fault: FieldError| FieldError { pointer: fault.pointer.replacen("/filter", pointer, 1), ..fault };
            Err(Error::from(Code::ValidationFailed).with_field_errors(error.errors.into_iter().map(at).collect()))
        }
        Err(error) => Err(error),
    }
}

/// The conditions that a record does not meet; none where it meets the criteria.
pub async fn unmet(work: &Work, shape: &'static Shape, criteria: &Value, found: &Record) -> Result<Vec<FieldError>> {
    let reader = work.store.reader(Arc::new(Caller::system()), work.now);
    let filter = FilterContext::of(&reader).await?.parse(criteria, shape).await?;
    let mut others: HashMap<(&'static str, Uuid), Value> = HashMap::new();
    for (field, other) in through(&filter) {
        let Some(id) = uuid_in(found, field) else { continue };
        if others.contains_key(&(other.plural, id)) {
            continue;
        }
        let mut sql = record::select(work, other);
        sql.push(" AND t.id = ").id(id);
        if let Some(named) = work.fetch_one(sql, |row| record::read(other, row)).await? {
            others.insert((other.plural, id), Value::Object(named));
        }
    }
    let look_up = |plural: &str, id: &Value| {
        let id = Uuid::parse_str(id.as_str()?).ok()?;
        others.iter().find(|((of, named), _)| *of == plural && *named == id).map(|(_, record)| record.clone())
    };
    Ok(filter.unmet(&Value::Object(found.clone()), &look_up))
}

/// The references that a filter looks through, by their fields and the resources they name.
fn through(filter: &Filter) -> Vec<(&'static str, &'static Shape)> {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().flat_map(through).collect(),
        Filter::Leaf { target: Target::Through { reference, shape, .. }, .. } => vec![(reference.name, shape)],
        Filter::Leaf { .. } => vec![],
    }
}
