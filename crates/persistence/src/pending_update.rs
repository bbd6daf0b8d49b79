//! Many records of one resource that are locked, changed in memory as their own types, and written together: rows, versions and events in
//! one statement each. Used by stock, credit and orders. The records are not checked one by one: the caller guarantees that they are valid.

use crate::{
    error::Result,
    record::{self, Record, event},
    row::Row,
    store::Work,
};
use samphan_resource::{
    error::{Code, Error},
    event::Event,
    resource::Resource,
    shape::Shape,
};
use serde::de::value::SeqDeserializer;
use serde_json::{Value, json};
use uuid::Uuid;

/// A record as it was read, or one to be made, and its own fields as they stand now.
#[derive(Clone, Debug)]
pub struct PendingUpdate<T> {
    /// Its id.
    pub id: Uuid,
    /// Its version as it was read; 0 when it is to be made.
    pub version: i64,
    /// The resource's own fields, as they stand now.
    pub data: T,
    /// The name of its event, without the resource; nothing is written of a record while it is none. A new record emits `created`.
    pub event: Option<&'static str>,
    /// Why.
    pub reason: Option<String>,
    /// Its values as they were, in the order of the shape's fields.
    before: Option<Vec<Value>>,
}

impl<T: Resource> PendingUpdate<T> {
    /// A record to be made.
    #[must_use]
    pub const fn new(id: Uuid, data: T) -> Self {
        Self { id, version: 0, data, event: None, reason: None, before: None }
    }

    /// A row of `record::select`.
    pub fn read(shape: &Shape, row: &Row<'_>) -> Result<Self> {
        let before = record::read_values(shape, row)?;
        let own = SeqDeserializer::<_, serde_json::Error>::new(before.iter().skip(shape.first_own_field));
        let data = T::deserialize(own).map_err(|_| Error::from(Code::Internal))?;
        Ok(Self { id: row.id(0)?, version: row.int(1)?, data, event: None, reason: None, before: Some(before) })
    }
}

/// Writes changed records and emits their events. `ending` says what becomes of a row that is there: `ON CONFLICT … DO UPDATE SET …`.
pub async fn save_many<T: Resource>(work: &Work, all: impl IntoIterator<Item = PendingUpdate<T>>, ending: &'static str) -> Result<()> {
    let shape = work.shape(T::PLURAL)?;
    let mut rows = vec![];
    for PendingUpdate { id, version, data, event: done, reason, before } in all {
        let Some(done) = done else { continue };
        let Value::Object(own) = json!(data) else { return Err(Code::Internal.into()) };
        let after = current_values(work, shape, (id, version + 1), before.as_deref(), own);
        rows.push(record::row_of_values(shape, &after)?);
        emit_event(work, shape, (id, version + 1), before, after, done, reason);
    }
    work.insert(shape.plural, &record::names_of(shape), rows, ending).await.map(|_| ())
}

/// A record's values as they stand now, in the order of the shape's fields.
fn current_values(work: &Work, shape: &Shape, (id, version): (Uuid, i64), before: Option<&[Value]>, own: Record) -> Vec<Value> {
    let (author, now) = (json!(work.caller.author()), json!(work.now));
    let kept = |place: usize, new: &Value| before.map_or_else(|| new.clone(), |b| b.get(place).cloned().unwrap_or_default());
    let made = [kept(2, &now), kept(3, &author)];
    let meta = [json!(id), json!(version)].into_iter().chain(made).chain([now, author]);
    debug_assert!(shape.first_own_field == 6 && own.len() + 6 == shape.fields.len(), "{} has fields that are not its own", shape.plural);
    meta.chain(own.into_iter().map(|(_, value)| value)).collect()
}

fn emit_event(
    work: &Work,
    shape: &'static Shape,
    (id, version): (Uuid, i64),
    before: Option<Vec<Value>>,
    after: Vec<Value>,
    done: &str,
    reason: Option<String>,
) {
    let named = shape.fields.iter().map(|f| f.name).zip(after);
    let Some(before) = before else {
        let after = Some(named.map(|(name, value)| (name.to_owned(), value)).collect());
        work.emit(Event { after, reason, ..event(shape, format!("{}.created", shape.singular), id, version) });
        return;
    };
    let (mut was, mut is, mut names) = (Record::new(), Record::new(), vec![]);
    for ((name, after), before) in named.zip(before).skip(shape.first_own_field).filter(|((_, after), before)| after != before) {
        names.push(name);
        was.insert(name.to_owned(), before);
        is.insert(name.to_owned(), after);
    }
    work.emit(Event {
        changed_fields: names,
        before: Some(was),
        after: Some(is),
        reason,
        ..event(shape, format!("{}.{done}", shape.singular), id, version)
    });
}
