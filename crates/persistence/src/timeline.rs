//! Timelines: what happened with a record, whatever the resource, the newest first.
//!
//! Every resource that declares how it stands on timelines (`Resource::TIMELINE`) and refers to the record takes part: one statement reads an
//! index range of each, under the predicate and the field rules of that resource. Nothing is written for it.

use crate::{
    dialect::Dialect,
    error::Result,
    list::redacted_value,
    row::Row,
    sql::Sql,
    store::{Reader, Shapes},
    visibility,
};
use samphan_resource::{
    caller::FieldAccess,
    error::Code,
    page::Position,
    reference::AnyReference,
    resource::Timeline,
    scalar::{Kind, Scalar},
    shape::{Field, Shape},
    timestamp::Timestamp,
};
use uuid::Uuid;

/// Characters of the text of an entry.
const MAX_SUMMARY: i64 = 300;

/// What of a timeline is asked for.
#[derive(Debug)]
pub struct TimelineQuery {
    /// The resource of the record.
    pub subject: &'static Shape,
    /// The record.
    pub id: Uuid,
    /// The resources that take part, by their singulars; all when none are named.
    pub kinds: Option<Vec<String>>,
    /// The first moment.
    pub from: Option<Timestamp>,
    /// The moment after the last one.
    pub to: Option<Timestamp>,
    /// Where the last page stopped.
    pub after: Option<Position>,
    /// Most entries.
    pub limit: usize,
}

/// What happened.
#[derive(Debug)]
pub struct TimelineEntry {
    /// The resource of its record.
    pub shape: &'static Shape,
    /// When.
    pub at: Timestamp,
    /// The id of its record.
    pub id: Uuid,
    /// What people call the record.
    pub title: Option<String>,
    /// The beginning of its text.
    pub summary: Option<String>,
    /// The user who did it.
    pub actor_id: Option<Uuid>,
}

/// A resource on a timeline, and how its records name the record that the timeline is of.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The resource.
    pub shape: &'static Shape,
    /// How it stands there.
    timeline: Timeline,
    /// The field with the id.
    reference: &'static str,
    /// The reference, where that may name a record of any of several resources.
    any: Option<&'static AnyReference>,
}

/// The resources on the timelines of a resource's records, in a steady order.
#[must_use]
pub fn sources(shapes: &Shapes, subject: &Shape) -> Vec<Source> {
    let own = format!("{}_id", subject.singular);
    let mut all: Vec<Source> = shapes
        .values()
        .filter_map(|shape| {
            let timeline = shape.timeline?;
            let field = shape.field(&own).filter(|field| field.reference == Some(subject.plural));
            let any = || shape.any_references.iter().find(|any| any.targets.include(subject));
            let (reference, any) = match field {
                Some(field) => (field.name, None),
                None => any().map(|any| (any.id, Some(any)))?,
            };
            Some(Source { shape, timeline, reference, any })
        })
        .collect();
    all.sort_by_key(|source| source.shape.plural);
    all
}

/// Whether a caller may read a resource's entries: its records, whose they are, and when.
#[must_use]
pub fn may_read(reader: &Reader, source: &Source) -> bool {
    let named = [source.reference, source.timeline.at];
    let fields = named.iter().filter_map(|name| source.shape.field(name));
    visibility::missing_to_read(reader, source.shape).is_empty() && fields.into_iter().all(|field| is_shown(reader, source.shape, field))
}

fn is_shown(reader: &Reader, shape: &Shape, field: &Field) -> bool {
    reader.caller.access(shape, field) >= FieldAccess::ReadOnly
}

/// A page, and up to one entry more, which says that there is another page.
pub async fn read(reader: &Reader, query: &TimelineQuery) -> Result<Vec<TimelineEntry>> {
    let sources = read_sources(reader, query);
    if sources.is_empty() {
        return Ok(vec![]);
    }
    let entry = |row: &Row<'_>| {
        let source = usize::try_from(row.int(0)?).ok().and_then(|n| sources.get(n)).ok_or(Code::Internal)?;
        let at = row.time(2)?.ok_or(Code::Internal)?;
        Ok(TimelineEntry {
            shape: source.shape,
            id: row.id(1)?,
            at,
            title: row.optional_text(3)?,
            summary: row.optional_text(4)?,
            actor_id: row.optional_id(5)?,
        })
    };
    reader.fetch(statement(reader, query, &sources)?, entry).await
}

/// The resources a page is read from: those that are asked for, as far as the caller may read them.
#[must_use]
pub fn read_sources(reader: &Reader, query: &TimelineQuery) -> Vec<Source> {
    let is_asked = |source: &Source| query.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind == source.shape.singular));
    let all = sources(reader.store.shapes, query.subject).into_iter();
    all.filter(|source| is_asked(source) && may_read(reader, source)).collect()
}

/// The statement of a page of these resources: the place of the resource in the list, id, moment, title, summary and actor.
pub fn statement(reader: &Reader, query: &TimelineQuery, sources: &[Source]) -> Result<Sql> {
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut sql = reader.sql();
    sql.push("SELECT n, id, moment, title, summary, actor FROM (");
    for (n, source) in sources.iter().enumerate() {
        let (shape, timeline) = (source.shape, source.timeline);
        sql.push(if n == 0 { "SELECT * FROM (SELECT " } else { " UNION ALL SELECT * FROM (SELECT " });
        sql.int(i64::try_from(n).unwrap_or_default());
        let is_postgres = reader.store.dialect() == Dialect::Postgres;
        sql.push(if is_postgres { "::bigint AS n, t.id, " } else { " AS n, t.id, " }).column("t", timeline.at).push(" AS moment, ");
        text(&mut sql, reader, shape, Some(shape.title), None);
        sql.push(" AS title, ");
        text(&mut sql, reader, shape, timeline.summary, Some(MAX_SUMMARY));
        sql.push(" AS summary, ");
        match shape.field(timeline.actor).filter(|field| is_shown(reader, shape, field)) {
            Some(field) => sql.column("t", field.name),
            None => sql.push(if is_postgres { "NULL::uuid" } else { "NULL" }),
        };
        sql.push(" AS actor FROM ").push(shape.plural).push(" t WHERE ").column("t", source.reference).push(" = ").id(query.id);
        if let Some(any) = source.any {
            sql.push(" AND ").column("t", any.resource).push(" = ").text(query.subject.plural);
        }
        if !shape.append_only {
            sql.push(" AND t.deleted_at IS NULL");
        }
        for (compare, moment) in [(" >= ", query.from), (" < ", query.to)] {
            if let Some(moment) = moment {
                sql.push(" AND ").column("t", timeline.at).push(compare).bind(Kind::Time, Scalar::Time(moment));
            }
        }
        if let Some(position) = &query.after {
            let moment = position.keys.first().cloned().unwrap_or(Scalar::Null);
            sql.push(" AND (").column("t", timeline.at).push(", t.id) < (").bind(Kind::Time, moment).push(", ").id(position.id).push(")");
        }
        visibility::restrict_to_visible(&mut sql, reader, shape, "t", "read")?;
        sql.push(" ORDER BY ").column("t", timeline.at).push(" DESC, t.id DESC LIMIT ").int(limit).push(") k");
    }
    sql.push(") entries ORDER BY moment DESC, id DESC LIMIT ").int(limit);
    Ok(sql)
}

/// Adds a text of the record, or what stands in for it where a field rule hides it.
fn text(sql: &mut Sql, reader: &Reader, shape: &Shape, name: Option<&'static str>, most: Option<i64>) {
    let null = if reader.store.dialect() == Dialect::Postgres { "NULL::text" } else { "NULL" };
    let Some(field) = name.and_then(|name| shape.field(name)).filter(|field| field.kind == Kind::Text) else {
        sql.push(null);
        return;
    };
    match (reader.caller.access(shape, field), most) {
        (FieldAccess::Full | FieldAccess::ReadOnly, None) => sql.column("t", field.name),
        (FieldAccess::Full | FieldAccess::ReadOnly, Some(most)) => {
            sql.push("substr(").column("t", field.name).push(", 1, ").int(most);
            sql.push(if reader.store.dialect() == Dialect::Postgres { "::int)" } else { ")" })
        }
        (hidden, _) if redacted_value(field, hidden) == "null" => sql.push(null),
        _ => sql.push("'***'"),
    };
}

/// The position after an entry.
#[must_use]
pub fn position(entry: &TimelineEntry) -> Position {
    Position { keys: vec![Scalar::Time(entry.at)], id: entry.id }
}
