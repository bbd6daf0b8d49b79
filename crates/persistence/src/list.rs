//! Reading: pages of a list and single records, straight from rows into JSON text.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use crate::{
    dialect::Dialect,
    error::Result,
    filter,
    row::Row,
    search,
    sql::Sql,
    store::Reader,
    visibility::{self, Way},
};
use samphan_resource::{
    caller::{FieldAccess, Visibility},
    error::{Code, Error},
    filter::{Filter, Op, Target},
    page::{Position, Sort},
    resource::VisibleThrough,
    scalar::{Kind, Scalar},
    shape::{Field, Shape, Sorting},
};
use uuid::Uuid;

/// Most rows that are gathered from the records that lend them their visibility: a caller who sees more finds a page along the order of the
/// list soon enough.
const MAX_RELATED_ROWS: i64 = 5_000;

/// What a list is asked for.
#[derive(Debug, Default)]
pub struct Query {
    /// Conditions.
    pub filter: Option<Filter>,
    /// The record the list belongs to: its field and id.
    pub parent: Option<(&'static str, Uuid)>,
    /// Words to be found.
    pub q: Option<String>,
    /// The order.
    pub sort: Sort,
    /// Where the last page stopped.
    pub after: Option<Position>,
    /// Most rows.
    pub limit: usize,
}

/// Which fields are answered, and how.
#[derive(Debug)]
pub struct View {
    shape: &'static Shape,
    fields: Vec<(&'static Field, FieldAccess)>,
    /// Reference fields whose ids the reader wants besides, and fields that name the resource of one.
    wanted: Vec<&'static Field>,
    status: Option<&'static Field>,
}

/// A record on its way out.
#[derive(Debug)]
pub struct RecordJson {
    /// Its id.
    pub id: Uuid,
    /// Its JSON object, the closing brace not yet written.
    pub json: Vec<u8>,
    /// The version.
    pub version: i64,
    /// The values of the sort keys.
    pub keys: Vec<Scalar>,
    /// The ids of the wanted references, in the order they were named.
    pub references: Vec<Option<Uuid>>,
    /// The resources that fields wanted beside them name, in the order they were named.
    pub resources: Vec<Option<String>>,
    /// The state, for the actions it allows.
    pub status: Option<String>,
    /// The record's owner and team, where it has them.
    pub owner: (Option<Uuid>, Option<Uuid>),
}

impl View {
    /// All fields, or those chosen, as the caller may see them; with the ids of `wanted` references.
    #[must_use]
    pub fn new(reader: &Reader, shape: &'static Shape, chosen: Option<&[&'static str]>, wanted: Vec<&'static Field>) -> Self {
        let fields = shape.fields.iter().filter(|f| chosen.is_none_or(|c| c.contains(&f.name) || f.name == "id"));
        let fields = fields.map(|f| (f, reader.caller.access(shape, f))).collect();
        Self { shape, fields, wanted, status: shape.status.and_then(|s| shape.field(s)) }
    }

    /// Adds `id, version, owner, team, state, wanted…, fields…` as columns of `t`.
    fn columns(&self, sql: &mut Sql) {
        sql.push("t.id, ").push(if self.shape.append_only { "1" } else { "t.version" });
        sql.push(if self.shape.owned { ", t.owner_id, t.team_id" } else { ", NULL, NULL" });
        match self.status {
            Some(status) => sql.push(", ").column("t", status.name),
            None => sql.push(", NULL"),
        };
        for field in &self.wanted {
            sql.push(", ").column("t", field.name);
        }
        for (field, _) in &self.fields {
            sql.push(", ").column("t", field.name);
        }
    }

    fn record_json(&self, row: &Row<'_>, sort: &Sort) -> Result<RecordJson> {
        const FIXED: usize = 5;
        let mut json = Vec::with_capacity(64 * self.fields.len() + 256);
        let mut index = FIXED;
        let (mut references, mut resources) = (Vec::with_capacity(self.wanted.len()), vec![]);
        for field in &self.wanted {
            match field.kind {
                Kind::Text => resources.push(row.optional_text(index)?),
                _ => references.push(row.optional_id(index)?),
            }
            index += 1;
        }
        for (n, (field, access)) in self.fields.iter().enumerate() {
            json.extend_from_slice(if n == 0 { b"{\"" } else { b",\"" });
            json.extend_from_slice(field.name.as_bytes());
            json.extend_from_slice(b"\":");
            match access {
                FieldAccess::Full | FieldAccess::ReadOnly => row.write_json(index, field.kind, &mut json)?,
                hidden => json.extend_from_slice(redacted_value(field, *hidden).as_bytes()),
            }
            index += 1;
        }
        let mut keys = Vec::with_capacity(sort.keys.len());
        for key in &sort.keys {
            let (_, kind) = key_column(key.field);
            keys.push(row.scalar(index, kind)?);
            index += 1;
        }
        Ok(RecordJson {
            id: row.id(0)?,
            version: row.int(1)?,
            owner: if self.shape.owned { (row.optional_id(2)?, row.optional_id(3)?) } else { (None, None) },
            status: row.optional_text(4)?,
            json,
            keys,
            references,
            resources,
        })
    }
}

/// What stands in for a value the caller may not see, as JSON.
#[must_use]
pub fn redacted_value(field: &Field, access: FieldAccess) -> &'static str {
    match (access, field.kind, field.nullable) {
        (FieldAccess::Masked, Kind::Text, _) => "\"***\"",
        (_, _, true) => "null",
        (_, Kind::Text, _) => "\"***\"",
        (_, Kind::Bool, _) => "false",
        (_, Kind::Int, _) => "0",
        (_, Kind::Decimal { .. }, _) => "\"0\"",
        (_, Kind::Json, _) if field.schema["type"] == "array" => "[]",
        (_, Kind::Json, _) => "{}",
        _ => "null",
    }
}

/// The column a field is sorted by.
#[must_use]
pub const fn key_column(field: &Field) -> (&'static str, Kind) {
    match field.sorting {
        // The one collated field of every resource is its name.
        Sorting::Collated => ("name_key", Kind::Bytes),
        _ => (field.name, field.kind),
    }
}

/// Adds the table, and the condition that a row is there.
fn from(sql: &mut Sql, shape: &'static Shape) {
    sql.push(" FROM ").push(shape.plural).push(" t WHERE ").push(if shape.append_only { "1 = 1" } else { "t.deleted_at IS NULL" });
}

/// The same, and that the caller sees it: of rows that are found by their ids.
fn from_visible(sql: &mut Sql, reader: &Reader, shape: &'static Shape, verb: &str) -> Result<()> {
    from(sql, shape);
    visibility::restrict_to_visible(sql, reader, shape, "t", verb)
}

fn conditions(sql: &mut Sql, reader: &Reader, shape: &'static Shape, query: &Query) -> Result<()> {
    if let Some((field, id)) = query.parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
    if let Some(filter) = &query.filter {
        sql.push(" AND ");
        filter::compile(sql, reader, shape, filter)?;
    }
    if let Some(q) = &query.q {
        sql.push(" AND ");
        search::within(sql, shape, "t", q);
    }
    Ok(())
}

/// One page, and up to one row more, which says that there is another page.
///
/// A first sort key that may be null is read in two strides, each along its index: the values, then the nulls.
pub async fn page(reader: &Reader, view: &View, query: &Query, verb: &str) -> Result<Vec<RecordJson>> {
    let first = query.sort.keys.first().filter(|k| k.field.nullable);
    let ways = ways(reader, view.shape, query, verb).await?;
    let Some(first) = first else { return page_segment(reader, view, query, verb, &ways, None, query.limit + 1).await };
    let in_nulls = query.after.as_ref().is_some_and(|p| p.keys.first() == Some(&Scalar::Null));
    let mut lines =
        if in_nulls { vec![] } else { page_segment(reader, view, query, verb, &ways, Some((first.field, false)), query.limit + 1).await? };
    if lines.len() <= query.limit {
        let rest = query.limit + 1 - lines.len();
        let fresh = if in_nulls { None } else { Some(()) };
        lines.extend(match fresh {
            None => page_segment(reader, view, query, verb, &ways, Some((first.field, true)), rest).await?,
            // The nulls begin after the last value: no position holds there yet.
            Some(()) => {
                let start = Query { after: None, filter: query.filter.clone(), q: query.q.clone(), sort: query.sort.clone(), ..*query };
                page_segment(reader, view, &start, verb, &ways, Some((first.field, true)), rest).await?
            }
        });
    }
    Ok(lines)
}

/// The ways by which a page is found, where the caller sees records in several and not too many by the records that lend them: each of
/// them is an index. One index with the order of the list does for a caller who sees much; one who sees little would read all of it.
async fn ways(reader: &Reader, shape: &'static Shape, query: &Query, verb: &str) -> Result<Vec<Way>> {
    if query.parent.is_some() || query.q.is_some() {
        return Ok(vec![]);
    }
    let ways = visibility::ways(reader, shape, verb)?;
    for way in ways.iter().filter(|way| !matches!(way, Way::Owner { .. })) {
        let mut sql = reader.sql();
        sql.push("SELECT count(*) FROM (SELECT 1");
        visibility::push_related_rows(&mut sql, reader, shape, way)?;
        sql.push(" LIMIT ").int(MAX_RELATED_ROWS + 1).push(") s");
        if reader.count(sql).await? > MAX_RELATED_ROWS {
            return Ok(vec![]);
        }
    }
    Ok(ways)
}

async fn page_segment(
    reader: &Reader,
    view: &View,
    query: &Query,
    verb: &str,
    ways: &[Way],
    nulls: Option<(&'static Field, bool)>,
    limit: usize,
) -> Result<Vec<RecordJson>> {
    let sql = page_statement(reader, view, query, verb, ways, nulls, limit)?;
    reader.fetch(sql, |row| view.record_json(row, &query.sort)).await
}

/// The statement of a page, or of one stride of it: of the rows whose first sort key is, or is not, null.
pub fn page_statement(
    reader: &Reader,
    view: &View,
    query: &Query,
    verb: &str,
    ways: &[Way],
    nulls: Option<(&'static Field, bool)>,
    limit: usize,
) -> Result<Sql> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    view.columns(&mut sql);
    for key in &query.sort.keys {
        sql.push(", ").column("t", key_column(key.field).0);
    }
    if !ways.is_empty() {
        let is_postgres = reader.store.dialect() == Dialect::Postgres;
        from(&mut sql, view.shape);
        sql.push(if is_postgres { " AND t.id = ANY(ARRAY(" } else { " AND t.id IN (" });
        let mut is_first = true;
        for way in ways {
            for owned in owners(view.shape, way) {
                sql.push(if is_first { "" } else { " UNION " });
                is_first = false;
                walk(&mut sql, reader, view.shape, query, way, owned, nulls, limit)?;
            }
        }
        sql.push(if is_postgres { "))" } else { ")" });
        in_order(&mut sql, query, None, true, limit);
        return Ok(sql);
    }
    let lead = leading_index(reader, view.shape, query, verb);
    match &lead {
        Some((field, value)) => {
            from(&mut sql, view.shape);
            sql.push(" AND ").column("t", field.name).push(" = ANY(ARRAY[").bind(field.kind, value.clone()).push("])");
            visibility::restrict_private(&mut sql, reader, view.shape, "t");
        }
        None => {
            from_visible(&mut sql, reader, view.shape, verb)?;
            conditions(&mut sql, reader, view.shape, query)?;
        }
    }
    from_there(&mut sql, query, nulls);
    in_order(&mut sql, query, lead.map(|(field, _)| field), false, limit);
    Ok(sql)
}

/// The fields and values whose indexes a way goes along one after the other: the owner and each of the teams. One empty place for a way
/// that has none.
fn owners(shape: &'static Shape, way: &Way) -> Vec<Option<(&'static Field, Uuid)>> {
    let Way::Owner { owner, teams } = way else { return vec![None] };
    let named = [("owner_id", *owner)].into_iter().chain(teams.iter().map(|team| ("team_id", *team)));
    named.filter_map(|(name, id)| Some(Some((shape.field(name)?, id)))).collect()
}

/// Adds the ids of the first rows that are visible in one way, in the order of the list.
#[expect(clippy::too_many_arguments, reason = "what a page is asked for, and the way of it")]
fn walk(
    sql: &mut Sql,
    reader: &Reader,
    shape: &'static Shape,
    query: &Query,
    way: &Way,
    owned: Option<(&'static Field, Uuid)>,
    nulls: Option<(&'static Field, bool)>,
    limit: usize,
) -> Result<()> {
    sql.push("SELECT w.id FROM (SELECT t.id");
    let mut lead = None;
    match owned {
        Some((field, id)) => {
            from(sql, shape);
            sql.push(" AND ").column("t", field.name);
            // As the only condition of a list is said, see `lead`.
            if reader.store.dialect() == Dialect::Postgres && query.sort.keys.len() <= 1 {
                sql.push(" = ANY(ARRAY[").id(id).push("])");
                lead = Some(field);
            } else {
                sql.push(" = ").id(id);
            }
        }
        None => visibility::push_related_rows(sql, reader, shape, way)?,
    }
    visibility::restrict_private(sql, reader, shape, "t");
    conditions(sql, reader, shape, query)?;
    from_there(sql, query, nulls);
    in_order(sql, query, lead, owned.is_none(), limit);
    sql.push(") w");
    Ok(())
}

/// Adds the conditions that a row is in this stride, and after the last page.
fn from_there(sql: &mut Sql, query: &Query, nulls: Option<(&'static Field, bool)>) {
    if let Some((field, null)) = nulls {
        sql.push(" AND ").column("t", field.name).push(if null { " IS NULL" } else { " IS NOT NULL" });
    }
    if let Some(position) = &query.after {
        after(sql, &query.sort, position, usize::from(nulls.is_some_and(|(_, null)| null)));
    }
}

/// Adds the order and the limit. Rows that were `found` already are sorted: SQLite would rather go along the index of the order, through
/// all rows there are.
fn in_order(sql: &mut Sql, query: &Query, lead: Option<&'static Field>, found: bool, limit: usize) {
    let sorted = if found && sql.dialect == Dialect::Sqlite { "+" } else { "" };
    sql.push(" ORDER BY ");
    if let Some(field) = lead {
        sql.column("t", field.name).push(if query.sort.id_descending { " DESC, " } else { ", " });
    }
    // The nulls, too, are ordered by their key: then PostgreSQL sees that its index has them in this order.
    for key in &query.sort.keys {
        sql.push(sorted).column("t", key_column(key.field).0).push(if key.descending { " DESC, " } else { ", " });
    }
    sql.push(sorted).push(if query.sort.id_descending { "t.id DESC" } else { "t.id" });
    sql.push(" LIMIT ").int(i64::try_from(limit).unwrap_or(i64::MAX));
}

/// The one condition of a list of records of one owner, of one team or in one state, which PostgreSQL is to go along the index of with the
/// order of the list (there is one of each with each order). Left to itself it may go along the order alone and leave out what does not
/// fit, where many records do: it knows how many, but not that the newest million do not. So the condition is said in a way that tells it
/// nothing of the order, and the order begins with the field.
fn leading_index(reader: &Reader, shape: &'static Shape, query: &Query, verb: &str) -> Option<(&'static Field, Scalar)> {
    if reader.store.dialect() != Dialect::Postgres
        || !shape.owned
        || query.parent.is_some()
        || query.q.is_some()
        || query.sort.keys.len() > 1
    {
        return None;
    }
    let filters = match &query.filter {
        None => &[],
        Some(Filter::All(parts)) => parts.as_slice(),
        Some(one) => std::slice::from_ref(one),
    };
    let (field, value) = match (reader.caller.visibility(&shape.permission(verb)), filters) {
        (Visibility::Owned { owner, teams }, []) if teams.is_empty() && shape.visible_through == [VisibleThrough::Owner] => {
            (shape.field("owner_id")?, Scalar::Id(owner))
        }
        (Visibility::All, [Filter::Leaf { target: Target::Field(field), op: Op::In, values, negated: false }]) => {
            let [value] = values.as_slice() else { return None };
            (*field, value.clone())
        }
        _ => return None,
    };
    (shape.leading().any(|leading| leading.name == field.name) && query.sort.keys.iter().all(|key| key.field.name != field.name))
        .then_some((field, value))
}

/// Adds the condition that a row comes after a position. Keys of one direction compare as a row, which walks the index;
/// mixed directions are spelt out behind a bound on the first key.
fn after(sql: &mut Sql, sort: &Sort, position: &Position, skip: usize) {
    let keys: Vec<_> = sort.keys.iter().zip(&position.keys).skip(skip).map(|(k, v)| (key_column(k.field), k.descending, v)).collect();
    let id_descending = sort.id_descending;
    if keys.iter().all(|(_, descending, _)| *descending == id_descending) {
        sql.push(" AND (");
        for ((column, _), _, _) in &keys {
            sql.column("t", column).push(", ");
        }
        sql.push(if id_descending { "t.id) < (" } else { "t.id) > (" });
        for ((_, kind), _, value) in &keys {
            sql.bind(*kind, (*value).clone()).push(", ");
        }
        sql.id(position.id).push(")");
        return;
    }
    if let Some(((column, kind), descending, value)) = keys.first() {
        sql.push(" AND ").column("t", column).push(if *descending { " <= " } else { " >= " }).bind(*kind, (*value).clone());
    }
    sql.push(" AND (");
    for n in 0..=keys.len() {
        sql.push(if n == 0 { "(" } else { " OR (" });
        for ((column, kind), _, value) in keys.iter().take(n) {
            sql.column("t", column).push(" = ").bind(*kind, (*value).clone()).push(" AND ");
        }
        match keys.get(n) {
            Some(((column, kind), descending, value)) => {
                sql.column("t", column).push(if *descending { " < " } else { " > " }).bind(*kind, (*value).clone());
            }
            None => {
                sql.push(if id_descending { "t.id < " } else { "t.id > " }).id(position.id);
            }
        }
        sql.push(")");
    }
    sql.push(")");
}

/// Rows that are counted in any case, before all are.
pub const FIRST_COUNT_LIMIT: i64 = 10_000;

/// How many rows there are in all pages together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// So many.
    Exact(i64),
    /// So many at least: to count all takes longer than a read may.
    AtLeast(i64),
}

/// Counts the rows of all pages together: the first of them, and if there are more, all; as far as there is time. `known` are those that
/// are known without counting.
pub async fn total(reader: &Reader, shape: &'static Shape, query: &Query, verb: &str, first: i64, known: i64) -> Result<Total> {
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM (SELECT 1");
    from_visible(&mut sql, reader, shape, verb)?;
    conditions(&mut sql, reader, shape, query)?;
    sql.push(" LIMIT ").int(first + 1).push(") first");
    let counted = match as_far_as_time_allows(reader.count(sql).await)? {
        None => return Ok(Total::AtLeast(known)),
        Some(counted) if counted <= first => return Ok(Total::Exact(counted)),
        Some(counted) => counted,
    };
    let mut sql = reader.sql();
    sql.push("SELECT count(*)");
    from(&mut sql, shape);
    visibility::restrict_list_to_visible(&mut sql, reader, shape, "t", verb)?;
    conditions(&mut sql, reader, shape, query)?;
    sql.takes_long();
    Ok(as_far_as_time_allows(reader.count(sql).await)?.map_or(Total::AtLeast(counted.max(known)), Total::Exact))
}

fn as_far_as_time_allows(counted: Result<i64>) -> Result<Option<i64>> {
    match counted {
        Ok(counted) => Ok(Some(counted)),
        // A page is worth having without its total.
        Err(error) if matches!(error.code, Code::TooCostly | Code::RateLimited) => Ok(None),
        Err(error) => Err(error),
    }
}

/// One record.
pub async fn one(reader: &Reader, view: &View, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<RecordJson> {
    let sql = one_statement(reader, view, id, parent, verb)?;
    reader.fetch_one(sql, |row| view.record_json(row, &Sort::default())).await?.ok_or_else(|| Error::from(Code::NotFound))
}

/// The statement of one record.
pub fn one_statement(reader: &Reader, view: &View, id: Uuid, parent: Option<(&'static str, Uuid)>, verb: &str) -> Result<Sql> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    view.columns(&mut sql);
    from_visible(&mut sql, reader, view.shape, verb)?;
    if let Some((field, id)) = parent {
        sql.push(" AND ").column("t", field).push(" = ").id(id);
    }
    sql.push(" AND t.id = ").id(id);
    Ok(sql)
}

/// Records by id, in no order; those that are not there or not seen are left out.
pub async fn by_ids(reader: &Reader, view: &View, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<RecordJson>> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    view.columns(&mut sql);
    from_visible(&mut sql, reader, view.shape, "read")?;
    sql.push(" AND t.id").one_of_ids(ids);
    reader.fetch(sql, |row| view.record_json(row, &Sort::default())).await
}

/// Records in a state that belong to others by a field, the oldest first; those that are not seen are left out.
pub async fn belonging(
    reader: &Reader,
    view: &View,
    (owner, status): (&'static str, &'static str),
    state: &'static str,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<RecordJson>> {
    let mut sql = reader.sql();
    sql.push("SELECT ");
    view.columns(&mut sql);
    from_visible(&mut sql, reader, view.shape, "read")?;
    sql.push(" AND ").column("t", status).push(" = ").text(state.to_owned()).push(" AND ").column("t", owner).one_of_ids(ids);
    sql.push(" ORDER BY t.id");
    reader.fetch(sql, |row| view.record_json(row, &Sort::default())).await
}

/// What people call records, by id and in no order; those that are not there or not seen are left out.
pub async fn titles(reader: &Reader, shape: &'static Shape, ids: impl IntoIterator<Item = Uuid>) -> Result<Vec<(Uuid, String)>> {
    let field = shape.field(shape.title).ok_or_else(|| Error::from(Code::Internal))?;
    let hidden = match reader.caller.access(shape, field) {
        FieldAccess::Full | FieldAccess::ReadOnly => None,
        hidden => Some(if redacted_value(field, hidden) == "null" { "" } else { "***" }),
    };
    let title = |row: &Row<'_>| hidden.map_or_else(|| row.text(1), |hidden| Ok(hidden.to_owned()));
    reader.fetch(titles_statement(reader, shape, ids)?, |row| Ok((row.id(0)?, title(row)?))).await
}

/// The statement of `titles`.
pub fn titles_statement(reader: &Reader, shape: &'static Shape, ids: impl IntoIterator<Item = Uuid>) -> Result<Sql> {
    let mut sql = reader.sql();
    sql.push("SELECT t.id, ").column("t", shape.title);
    from_visible(&mut sql, reader, shape, "read")?;
    sql.push(" AND t.id").one_of_ids(ids);
    Ok(sql)
}
