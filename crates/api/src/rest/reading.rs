//! Answers to reading: one record, one page.

use super::{
    answer::{Actions, Answer, finish},
    operation::Call,
    query::{self, Asked, Count, Expand, Words},
};
use samphan_domain::{
    error::{Code, Error, Result},
    page::Position,
    shape::Shape,
};
use samphan_persistence::{
    list::{self, Line, View},
    store::Reader,
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// Answers one record.
pub async fn one_of(reader: &Reader, shape: &'static Shape, call: &Call, id: Uuid, parent: Option<(&'static str, Uuid)>) -> Result<Answer> {
    let mut faults = vec![];
    let chosen = query::fields(shape, call.query.get("fields").map(String::as_str), &mut faults);
    let expand = match call.query.get("expand") {
        Some(text) => query::expand(shape, Some(text), &Words::of(reader).await?, &mut faults),
        None => vec![],
    };
    if !faults.is_empty() {
        return Err(Error::from(Code::InvalidQuery).with(faults));
    }
    let view = View::new(reader, shape, chosen.as_deref(), expand.iter().map(|e| e.field).collect());
    let line = list::one(reader, &view, id, parent, "read").await?;
    let mut lines = vec![line];
    close(reader, shape, &mut lines, &expand).await?;
    let line = lines.pop().ok_or_else(|| Error::from(Code::Internal))?;
    Ok(Answer { version: Some(line.version), body: Some(line.json), ..Answer::default() })
}

/// Answers one page.
pub async fn page_of(reader: &Reader, shape: &'static Shape, asked: &Asked) -> Result<Answer> {
    let view = View::new(reader, shape, asked.fields.as_deref(), asked.expand.iter().map(|e| e.field).collect());
    let mut lines = list::page(reader, &view, &asked.query, "read").await?;
    let has_more = lines.len() > asked.query.limit;
    lines.truncate(asked.query.limit);
    let next = has_more.then(|| lines.last()).flatten().map(|l| {
        let at = Position { keys: l.keys.clone(), id: l.id };
        reader.store.write_cursor(&asked.binding, &at)
    });
    let total = match asked.count {
        Count::None => None,
        Count::Estimated | Count::Exact => Some(list::total(reader, shape, &asked.query, "read").await?),
    };
    close(reader, shape, &mut lines, &asked.expand).await?;
    let mut body = Vec::with_capacity(lines.iter().map(|l| l.json.len() + 1).sum::<usize>() + 200);
    body.extend_from_slice(b"{\"data\":[");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&line.json);
    }
    let rest = json!({"has_more": has_more, "next_cursor": next, "total": total}).to_string();
    body.extend_from_slice(b"],");
    body.extend(rest.bytes().skip(1));
    Ok(Answer { body: Some(body), next, ..Answer::default() })
}

/// Closes the lines' JSON, with the records their references point at: one query for each reference, not for each row.
pub(super) async fn close(reader: &Reader, shape: &'static Shape, lines: &mut [Line], expand: &[Expand]) -> Result<()> {
    let mut found: Vec<HashMap<Uuid, Vec<u8>>> = vec![];
    for (n, e) in expand.iter().enumerate() {
        let mut ids: Vec<Uuid> = lines.iter().filter_map(|l| l.references.get(n).copied().flatten()).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut others = list::by_ids(reader, &View::new(reader, e.shape, None, vec![]), ids).await?;
        let mut actions = Actions::new(reader, e.shape);
        others.iter_mut().for_each(|l| finish(&mut actions, l, &[]));
        found.push(others.into_iter().map(|l| (l.id, l.json)).collect());
    }
    let mut actions = Actions::new(reader, shape);
    for line in lines {
        let expanded: Vec<(String, &[u8])> = expand
            .iter()
            .zip(&found)
            .enumerate()
            .map(|(n, (e, records))| {
                let id = line.references.get(n).copied().flatten();
                (e.name.clone(), id.and_then(|id| records.get(&id)).map_or(b"null".as_slice(), Vec::as_slice))
            })
            .collect();
        finish(&mut actions, line, &expanded);
    }
    Ok(())
}
