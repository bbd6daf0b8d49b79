//! Answers to reading: one record, one page.

use super::{
    operation::RequestContext,
    query::{self, Count, Expand, ExpandBy, FilterContext, ListRequest},
    response::{Actions, Response, finish_record, visible_fields},
};
use samphan_persistence::{
    list::{self, FIRST_COUNT_LIMIT, RecordJson, Total, View},
    record::{Record, id_of, version_of},
    store::{Reader, Work},
};
use samphan_resource::{
    error::{Code, Error, Result},
    page::Position,
    resource::Details,
    shape::Shape,
};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// Answers one record.
pub async fn one_of(
    reader: &Reader,
    shape: &'static Shape,
    call: &RequestContext,
    id: Uuid,
    parent: Option<(&'static str, Uuid)>,
) -> Result<Response> {
    let mut faults = vec![];
    let chosen = query::fields(shape, call.query.get("fields").map(String::as_str), &mut faults);
    let expand = match call.query.get("expand") {
        Some(text) => query::expand(shape, Some(text), &FilterContext::of(reader).await?, &mut faults),
        None => vec![],
    };
    if !faults.is_empty() {
        return Err(Error::from(Code::InvalidQuery).with_field_errors(faults));
    }
    let view = View::new(reader, shape, chosen.as_deref(), expand.iter().flat_map(Expand::fields).collect());
    let line = list::one(reader, &view, id, parent, "read").await?;
    let mut lines = vec![line];
    finish_records(reader, shape, &mut lines, &expand).await?;
    let line = lines.pop().ok_or_else(|| Error::from(Code::Internal))?;
    Ok(Response { version: Some(line.version), body: Some(line.json), ..Response::default() })
}

/// Answers one page.
pub async fn page_of(reader: &Reader, shape: &'static Shape, asked: &ListRequest) -> Result<Response> {
    let view = View::new(reader, shape, asked.fields.as_deref(), asked.expand.iter().flat_map(Expand::fields).collect());
    let mut lines = list::page(reader, &view, &asked.query, "read").await?;
    let has_more = lines.len() > asked.query.limit;
    lines.truncate(asked.query.limit);
    let next = has_more.then(|| lines.last()).flatten().map(|l| {
        let at = Position { keys: l.keys.clone(), id: l.id };
        reader.store.write_cursor(&asked.binding, &at)
    });
    let (mut total, mut total_at_least) = (None, None);
    if asked.count != Count::None {
        let known = i64::try_from(lines.len()).unwrap_or_default() + i64::from(has_more);
        match list::total(reader, shape, &asked.query, "read", FIRST_COUNT_LIMIT, known).await? {
            Total::Exact(counted) => total = Some(counted),
            Total::AtLeast(counted) => total_at_least = Some(counted),
        }
    }
    finish_records(reader, shape, &mut lines, &asked.expand).await?;
    let mut body = Vec::with_capacity(lines.iter().map(|l| l.json.len() + 1).sum::<usize>() + 200);
    body.extend_from_slice(b"{\"data\":[");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&line.json);
    }
    let rest = json!({"has_more": has_more, "next_cursor": next, "total": total, "total_at_least": total_at_least}).to_string();
    body.extend_from_slice(b"],");
    body.extend(rest.bytes().skip(1));
    Ok(Response { body: Some(body), next, ..Response::default() })
}

/// Closes the lines' JSON, with the records their references point at and those that belong to them: one query for each, not for each row.
pub(super) async fn finish_records(reader: &Reader, shape: &'static Shape, lines: &mut [RecordJson], expand: &[Expand]) -> Result<()> {
    let mut found: Vec<HashMap<Uuid, Vec<u8>>> = vec![];
    let (mut reference, mut resource) = (0, 0);
    for e in expand {
        found.push(match e.by {
            ExpandBy::Reference(_, other) => {
                let of = |l: &RecordJson| l.references.get(reference).copied().flatten();
                let named: Vec<(Uuid, Uuid)> = lines.iter().filter_map(|l| Some((l.id, of(l)?))).collect();
                reference += 1;
                expanded(reader, other, named).await?
            }
            ExpandBy::Any(..) => {
                let mut named: BTreeMap<&str, Vec<(Uuid, Uuid)>> = BTreeMap::new();
                for line in lines.iter() {
                    let many = line.resources.get(resource).and_then(Option::as_deref);
                    if let Some((many, other)) = many.zip(line.references.get(reference).copied().flatten()) {
                        named.entry(many).or_default().push((line.id, other));
                    }
                }
                (reference, resource) = (reference + 1, resource + 1);
                let mut all = HashMap::new();
                for (many, named) in named {
                    // What is not of this API any more, such as a resource that was withdrawn, is not answered.
                    if let Ok(other) = reader.shape(many) {
                        all.extend(expanded(reader, other, named).await?);
                    }
                }
                all
            }
            ExpandBy::Details(details, other) => belonging(reader, other, details, lines.iter().map(|l| l.id).collect()).await?,
        });
    }
    let mut actions = Actions::new(reader, shape);
    for line in lines {
        let answered: Vec<(String, &[u8])> = expand
            .iter()
            .zip(&found)
            .map(|(e, records)| {
                let nothing: &[u8] = if matches!(e.by, ExpandBy::Details(..)) { b"[]" } else { b"null" };
                (e.name.clone(), records.get(&line.id).map_or(nothing, Vec::as_slice))
            })
            .collect();
        finish_record(&mut actions, line, &answered);
    }
    Ok(())
}

/// The records of a resource that others name, as JSON, by the id of the record that names them.
async fn expanded(reader: &Reader, shape: &'static Shape, named: Vec<(Uuid, Uuid)>) -> Result<HashMap<Uuid, Vec<u8>>> {
    let others = followed(reader, shape, named.iter().map(|(_, other)| *other).collect()).await?;
    Ok(named.into_iter().filter_map(|(id, other)| Some((id, others.get(&other)?.clone()))).collect())
}

/// Records by id, as JSON.
async fn followed(reader: &Reader, shape: &'static Shape, mut ids: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<u8>>> {
    ids.sort_unstable();
    ids.dedup();
    let mut others = list::by_ids(reader, &View::new(reader, shape, None, vec![]), ids).await?;
    let mut actions = Actions::new(reader, shape);
    others.iter_mut().for_each(|l| finish_record(&mut actions, l, &[]));
    Ok(others.into_iter().map(|l| (l.id, l.json)).collect())
}

/// The records that belong to others, as a JSON list for each of these.
async fn belonging(reader: &Reader, shape: &'static Shape, details: &'static Details, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<u8>>> {
    let (Some(owner), Some(status)) = (shape.field(details.field), shape.status) else { return Err(Code::Internal.into()) };
    let view = View::new(reader, shape, None, vec![owner]);
    let mut others = list::belonging(reader, &view, (owner.name, status), details.status, ids).await?;
    let mut actions = Actions::new(reader, shape);
    let mut all: HashMap<Uuid, Vec<u8>> = HashMap::new();
    for other in &mut others {
        let Some(id) = other.references.first().copied().flatten() else { continue };
        finish_record(&mut actions, other, &[]);
        let list = all.entry(id).or_default();
        list.push(if list.is_empty() { b'[' } else { b',' });
        list.extend_from_slice(&other.json);
    }
    all.values_mut().for_each(|list| list.push(b']'));
    Ok(all)
}

/// Answers a record that was written, with what belongs to it where its state asks for that: an order on hold comes with its holds.
pub async fn written(work: &Work, shape: &'static Shape, record: &Record) -> Result<Response> {
    let status = shape.status.and_then(|field| record.get(field)).and_then(Value::as_str);
    let mut expanded = Map::new();
    for details in shape.details.iter().filter(|d| Some(d.unasked_in) == status) {
        let found = belonging(work, work.shape(details.resource)?, details, vec![id_of(record)]).await?;
        let list = found.into_values().next().and_then(|list| serde_json::from_slice(&list).ok());
        expanded.insert(details.name.to_owned(), list.unwrap_or_else(|| json!([])));
    }
    if expanded.is_empty() {
        return Ok(Response::record(work, shape, record));
    }
    let mut shown = visible_fields(work, shape, record);
    shown.insert("expanded".to_owned(), Value::Object(expanded));
    Ok(Response { version: Some(version_of(record)), ..Response::json(&shown) })
}

/// The record of a number, as people call it.
pub async fn by_number(reader: &Reader, shape: &'static Shape, call: &RequestContext) -> Result<Response> {
    let number = call.path.first().cloned().unwrap_or_default();
    let mut sql = reader.sql();
    sql.push("SELECT t.id FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.number = ").text(number);
    let id = reader.fetch_one(sql, |row| row.id(0)).await?.ok_or_else(|| Error::from(Code::NotFound))?;
    one_of(reader, shape, call, id, None).await
}
