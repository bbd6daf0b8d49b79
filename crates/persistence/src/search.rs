//! The search index: tokens made by `samphan_resource::text`, so that both databases find the same.

mod windows;

pub use windows::SearchWindow;

use crate::{
    dialect::Dialect,
    error::Result,
    sql::Sql,
    sqlite::TokenChange,
    store::{Reader, Work},
    visibility,
};
use samphan_resource::{
    scalar::{Kind, Scalar},
    shape::Shape,
    text::{self, Term},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The most tokens one condition asks for, whole ones first: what has them all is read and compared, so that more would only cost.
const MAX_TERMS: usize = 16;

/// Text of one source (a record, or a child that speaks for it) about one record.
#[derive(Debug)]
pub struct Entry {
    /// The resource found.
    pub resource: &'static str,
    /// The record found.
    pub record_id: Uuid,
    /// The record the text is of.
    pub source_id: Uuid,
    /// The record's owner.
    pub owner_id: Option<Uuid>,
    /// The record's team.
    pub team_id: Option<Uuid>,
    /// What it is found by.
    pub text: Text,
}

/// A text as the index holds it.
#[derive(Clone, Debug)]
pub struct Text {
    /// The text itself, folded.
    folded: String,
    /// Its tokens, a space between them.
    tokens: String,
}

impl Text {
    /// Of a folded text.
    #[must_use]
    pub fn of(folded: String) -> Self {
        Self { tokens: text::index_tokens(&folded).join(" "), folded }
    }
}

/// The text a record is found by, folded: its searched fields, tags and names in other systems; numbers also without the signs in them, and Thai also
/// without spaces.
#[must_use]
pub fn folded(shape: &Shape, record: &Map<String, Value>) -> String {
    fn gather(value: &Value, out: &mut String) {
        match value {
            Value::String(s) => {
                out.push_str(s);
                out.push(' ');
                if let Some(joined) = text::joined(&text::fold(s)) {
                    out.push_str(&joined);
                    out.push(' ');
                }
                if let Some(bare) = text::bare_number(s) {
                    out.push_str(&bare);
                    out.push(' ');
                }
            }
            Value::Array(all) => all.iter().for_each(|v| gather(v, out)),
            Value::Object(map) => map.values().for_each(|v| gather(v, out)),
            _ => {}
        }
    }
    let mut out = String::new();
    for field in shape.fields.iter().filter(|f| f.searched) {
        gather(record.get(field.name).unwrap_or(&Value::Null), &mut out);
    }
    if !out.is_empty() {
        gather(record.get("tags").unwrap_or(&Value::Null), &mut out);
        for reference in record.get("external_refs").and_then(Value::as_array).into_iter().flatten() {
            gather(&reference["external_id"], &mut out);
        }
    }
    text::fold(&out)
}

/// Replaces the entries of sources.
pub async fn write(work: &Work, replaced: &[Uuid], entries: Vec<Entry>) -> Result<()> {
    if !replaced.is_empty() {
        if work.store.dialect() == Dialect::Sqlite {
            let mut sql = work.sql();
            sql.push("SELECT seq FROM search_entries WHERE source_id").one_of_ids(replaced.iter().copied());
            let gone = work.fetch(sql, |row| row.int(0)).await?;
            gone.into_iter().for_each(|row| work.queue_token_change(TokenChange::Removed(row)));
        }
        let mut sql = work.sql();
        sql.push("DELETE FROM search_entries WHERE source_id").one_of_ids(replaced.iter().copied());
        work.execute(sql).await?;
    }
    let columns = [
        ("resource", Kind::Text),
        ("record_id", Kind::Id),
        ("source_id", Kind::Id),
        ("owner_id", Kind::Id),
        ("team_id", Kind::Id),
        ("folded", Kind::Text),
    ];
    let id = |id: Option<Uuid>| id.map_or(Scalar::Null, Scalar::Id);
    let row = |e: &Entry| {
        vec![
            Scalar::Text(e.resource.to_owned()),
            Scalar::Id(e.record_id),
            Scalar::Id(e.source_id),
            id(e.owner_id),
            id(e.team_id),
            Scalar::Text(e.text.folded.clone()),
        ]
    };
    match work.store.dialect() {
        Dialect::Sqlite => {
            for entry in entries {
                work.insert("search_entries", &columns, vec![row(&entry)], "").await?;
                work.queue_token_change(TokenChange::Added(work.last_row()?, entry.text.tokens));
            }
            Ok(())
        }
        Dialect::Postgres => {
            // One statement for all: the tokens travel as text and become a vector there.
            let mut sql = work.sql();
            if let [entry] = entries.as_slice() {
                sql.push("INSERT INTO search_entries (").names(columns.iter().map(|c| c.0)).push(", tokens) VALUES (");
                for (value, (_, kind)) in row(entry).into_iter().zip(columns) {
                    sql.bind(kind, value).push(", ");
                }
                sql.push("array_to_tsvector(string_to_array(").text(entry.text.tokens.clone()).push(", ' ')))");
                return work.send_unseen(sql).await;
            }
            let mut turned: Vec<Vec<Scalar>> = vec![vec![]; columns.len() + 1];
            for entry in &entries {
                for (column, value) in turned.iter_mut().zip(row(entry).into_iter().chain([Scalar::Text(entry.text.tokens.clone())])) {
                    column.push(value);
                }
            }
            if entries.is_empty() {
                return Ok(());
            }
            sql.push("INSERT INTO search_entries (").names(columns.iter().map(|c| c.0)).push(", tokens) SELECT ");
            sql.names(columns.iter().map(|c| c.0)).push(", array_to_tsvector(string_to_array(w, ' ')) FROM unnest(");
            let kinds = columns.iter().map(|c| c.1).chain([Kind::Text]);
            for (i, (values, kind)) in turned.into_iter().zip(kinds).enumerate() {
                sql.push(if i == 0 { "" } else { ", " }).bind_column(kind, values);
            }
            sql.push(") AS u (").names(columns.iter().map(|c| c.0)).push(", w)");
            work.send_unseen(sql).await
        }
    }
}

/// Moves the owner and team of records' entries along with the records.
pub async fn move_owner(work: &Work, ids: &[Uuid], (owner_id, team_id): (Option<Uuid>, Option<Uuid>)) -> Result<()> {
    let id = |id: Option<Uuid>| id.map_or(Scalar::Null, Scalar::Id);
    let mut sql = work.sql();
    sql.push("UPDATE search_entries SET owner_id = ").bind(Kind::Id, id(owner_id)).push(", team_id = ").bind(Kind::Id, id(team_id));
    sql.push(" WHERE record_id").one_of_ids(ids.iter().copied());
    work.execute(sql).await.map(|_| ())
}

/// Adds a condition: `alias.id` is of a record of this resource in which every word of `q` stands.
pub fn within(sql: &mut Sql, shape: &'static Shape, alias: &'static str, q: &str) {
    sql.column(alias, "id").push(" IN (SELECT e.record_id FROM ");
    entries(sql, q);
    sql.push(" AND e.resource = ").text(shape.plural).push(")");
}

/// Adds a condition that leaves out most records of this resource whose texts do not hold a folded `part`, and none that do; says whether
/// it did: there is none on a part without letters and digits.
pub fn narrow(sql: &mut Sql, shape: &'static Shape, alias: &'static str, part: &str) -> bool {
    let terms = terms(part);
    if terms.is_empty() {
        return false;
    }
    sql.column(alias, "id").push(" IN (SELECT e.record_id FROM ");
    candidates(sql, terms);
    sql.push(" AND e.resource = ").text(shape.plural).push(")");
    true
}

/// The conditions on tokens that are asked for.
fn terms(q: &str) -> Vec<Term> {
    let mut terms = text::query_terms(q);
    terms.sort_by_key(|t| t.prefix);
    terms.truncate(MAX_TERMS);
    terms
}

/// Adds `search_entries e … WHERE` and the conditions that every word of `q` stands in the entry.
fn entries(sql: &mut Sql, q: &str) {
    let terms = terms(q);
    if terms.is_empty() {
        sql.push("search_entries e WHERE 1 = 0");
        return;
    }
    candidates(sql, terms);
    // Tokens are pieces of words: the words themselves must stand there too.
    for word in text::fold(q).split(' ').collect::<BTreeSet<_>>() {
        sql.push(" AND ").contains("e", "folded", word.to_owned());
    }
}

/// Adds `search_entries e … WHERE` and the conditions on the tokens of the entry.
fn candidates(sql: &mut Sql, terms: Vec<Term>) {
    if terms.iter().any(|term| term.prefix) {
        sql.beginning();
    }
    match sql.dialect {
        Dialect::Sqlite => {
            let query: Vec<String> = terms.into_iter().map(|t| if t.prefix { format!("{}*", t.token) } else { t.token }).collect();
            sql.push("search_tokens i CROSS JOIN search_entries e ON e.seq = i.rowid WHERE i.search_tokens MATCH ")
                .text(query.join(" AND "));
        }
        Dialect::Postgres => {
            sql.push("search_entries e WHERE 1 = 1");
            // Each by itself is taken for rare, whatever it is: one plan does for all, and none is made for each page.
            for term in terms {
                sql.push(" AND e.tokens @@ CAST(")
                    .text(if term.prefix { format!("{}:*", term.token) } else { term.token })
                    .push(" AS tsquery)");
            }
        }
    }
}

/// A record found.
#[derive(Debug)]
pub struct Hit {
    /// Its resource.
    pub resource: String,
    /// Its id.
    pub id: Uuid,
    /// Where it stands in the index, for the cursor.
    pub seq: i64,
}

/// Records of any of the shapes in which every word of `q` stands, newest entries first, from before `seq` on.
pub async fn find(reader: &Reader, shapes: &[&'static Shape], q: &str, before: Option<i64>, limit: i64) -> Result<Vec<Hit>> {
    let mut hits: Vec<Hit> = vec![];
    if text::query_terms(q).is_empty() {
        return Ok(hits);
    }
    let mut place = Some(first_window(reader, before).await?);
    while let Some(looked) = place {
        let found = i64::try_from(hits.len()).unwrap_or(limit);
        let sql = find_statement(reader, shapes, q, looked, limit - found)?;
        hits.extend(reader.fetch(sql, |row| Ok(Hit { resource: row.text(0)?, id: row.id(1)?, seq: row.int(2)? })).await?);
        place = looked.next(i64::try_from(hits.len()).unwrap_or(limit), limit);
    }
    Ok(hits)
}

/// Where to look first.
pub async fn first_window(reader: &Reader, before: Option<i64>) -> Result<SearchWindow> {
    if reader.store.dialect() == Dialect::Sqlite {
        return Ok(SearchWindow::all(before.unwrap_or(i64::MAX)));
    }
    Ok(SearchWindow::newest(match before {
        Some(seq) => seq,
        None => {
            let mut sql = reader.sql();
            sql.push("SELECT COALESCE(max(seq), 0) FROM search_entries");
            reader.count(sql).await? + 1
        }
    }))
}

/// The statement of `find`.
pub fn find_statement(reader: &Reader, shapes: &[&'static Shape], q: &str, window: SearchWindow, limit: i64) -> Result<Sql> {
    let mut sql = reader.sql();
    sql.push("SELECT e.resource, e.record_id, e.seq FROM ");
    entries(&mut sql, q);
    window.push_condition(&mut sql);
    sql.push(" AND (1 = 0");
    for shape in shapes.iter().filter(|shape| visibility::may_read(reader, shape)) {
        sql.push(" OR (e.resource = ").text(shape.plural);
        visibility::restrict_entries_to_visible(&mut sql, reader, shape, "e")?;
        sql.push(")");
    }
    sql.push(")").push(match reader.store.dialect() {
        Dialect::Sqlite => " ORDER BY i.rowid DESC LIMIT ",
        Dialect::Postgres => " ORDER BY e.seq + 0 DESC LIMIT ",
    });
    sql.int(limit);
    Ok(sql)
}
