//! Which rows a caller sees: one predicate for list, get, search, export and events.
//!
//! A resource says in which ways its records are visible (`Shape::visible_through`). `visible` resolves these for a caller, through parents, links and
//! subjects, and leaves out what the caller's permissions decide already: a caller with reach `all` adds no condition. What is left is
//! written into the statement, by the row (`restrict_to_visible`) or by the set of records seen (`restrict_list_to_visible`, `push_related_rows`).

use crate::{dialect::Dialect, error::Result, sql::Sql, store::Reader};
use samphan_resource::{
    caller::{CallerKind, Reach, Visibility},
    error::{Code, Error},
    reference::AnyReference,
    resource::VisibleThrough,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use uuid::Uuid;

/// Names of the tables looked into, from the outside in.
const ALIASES: [&str; 10] = ["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10"];
/// Most teams whose records a list walks one after the other.
const MAX_TEAM_WALKS: usize = 8;

/// What of a resource a caller sees.
#[derive(Clone, Debug)]
pub enum Visible {
    /// No record.
    None,
    /// Every record.
    All,
    /// The records visible in any of these ways.
    Any(Vec<Way>),
}

/// A way in which a caller sees a part of the records of a resource.
#[derive(Clone, Debug)]
pub enum Way {
    /// As their owner, or as a member of their team.
    Owner {
        /// The owner.
        owner: Uuid,
        /// The teams.
        teams: Vec<Uuid>,
    },
    /// With a visible record of another resource whose `inner` is their `outer`.
    Related {
        /// The field of the record itself.
        outer: &'static str,
        /// The other resource.
        shape: &'static Shape,
        /// The field of the other record.
        inner: &'static str,
        /// Whether the other record is a link, which lends nothing once it is deleted.
        is_link: bool,
        /// What of the other resource the caller sees.
        visible: Box<Visible>,
    },
    /// With the visible record that two fields name, by resource and id.
    Subject {
        /// The two fields.
        about: &'static AnyReference,
        /// How far the caller's reach goes.
        reach: Reach,
    },
}

/// How a condition is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// For a row that was found otherwise: by primary keys.
    Row,
    /// The same, and related records may be deleted: for what happened to a record.
    RowOfHistory,
    /// For all rows of a list: by the sets of records seen.
    Set,
}

/// Whether the caller may read any record of a resource. A resource that is reached below its parents only has no permission of its own.
#[must_use]
pub fn may_read(reader: &Reader, shape: &Shape) -> bool {
    shape.nested || reader.caller.reach(&shape.permission("read")).is_some()
}

/// The permissions a caller lacks to see any record of a resource: its own, and those of its parents when there is none of them.
#[must_use]
pub fn missing_to_read(reader: &Reader, shape: &'static Shape) -> Vec<String> {
    let own = (!shape.nested).then(|| shape.permission("read"));
    let parents = parents_to_read(reader, shape).unwrap_or_default();
    let mut missing = reader.caller.missing(own);
    if parents.iter().all(|p| reader.caller.reach(p).is_none()) {
        missing.extend(reader.caller.missing(parents));
    }
    missing
}

/// The permissions to read the parents of a resource's records, of which a caller needs one to see any.
pub fn parents_to_read(reader: &Reader, shape: &'static Shape) -> Result<Vec<String>> {
    let named = shape.parents.iter().filter_map(|name| shape.field(name).and_then(|f| f.reference));
    named.map(|many| Ok(reader.shape(many)?.permission("read"))).collect()
}

/// Adds ` AND …` that leaves only the rows of `alias` that the caller may see with the verb, for rows that are found otherwise.
pub fn restrict_to_visible(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, verb: &str) -> Result<()> {
    restrict(sql, reader, shape, alias, verb, Form::Row)
}

/// The same for all rows of a resource, such as when they are counted.
pub fn restrict_list_to_visible(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, verb: &str) -> Result<()> {
    // What is not owned is not counted by its owner's index, either.
    restrict(sql, reader, shape, alias, verb, if shape.owned { Form::Set } else { Form::Row })
}

fn restrict(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, verb: &str, form: Form) -> Result<()> {
    if let Some(about) = shape.subject() {
        return restrict_by_subject(sql, reader, alias, about, Reach::All, (0, Form::RowOfHistory), true);
    }
    restrict_private(sql, reader, shape, alias);
    match visible_to_caller(reader, shape, verb)? {
        Visible::All => Ok(()),
        Visible::None => {
            sql.push(" AND 1 = 0");
            Ok(())
        }
        Visible::Any(ways) => {
            sql.push(" AND ");
            any_of(sql, reader, &ways, alias, 0, form)
        }
    }
}

/// Adds ` AND …` that leaves out the rows of `alias` that are another user's alone.
pub fn restrict_private(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str) {
    let is_server = reader.caller.kind == CallerKind::System;
    if let Some((field, value)) = shape.private.filter(|_| !is_server) {
        sql.push(" AND (").column(alias, field).push(" <> ").text(value).push(" OR ").column(alias, "owner_id").push(" = ");
        sql.id(reader.caller.id).push(")");
    }
}

/// What a caller sees of a resource with a verb. The verb of a child was checked as a permission: a caller that sees a parent sees the child.
fn visible_to_caller(reader: &Reader, shape: &'static Shape, verb: &str) -> Result<Visible> {
    let own = if shape.parents.is_empty() { reader.caller.reach(&shape.permission(verb)) } else { Some(Reach::All) };
    own.map_or(Ok(Visible::None), |own| resolve_ways(reader, shape, own))
}

/// What a caller sees of a resource that is not the one asked for, at most as far as a reach goes: its own permission counts.
fn visible(reader: &Reader, shape: &'static Shape, most: Reach) -> Result<Visible> {
    let own = if shape.nested { Some(Reach::All) } else { reader.caller.reach(&shape.permission("read")) };
    let own = if shape.owned { own.map(|own| own.min(most)) } else { own.map(|_| most) };
    own.map_or(Ok(Visible::None), |own| resolve_ways(reader, shape, own))
}

/// The ways of a resource as a reach leaves them. The reach over documents holds for the records that lend them their visibility, too: a
/// caller with reach `own` over orders reads those of the accounts it owns, and not those of every account it may read.
fn resolve_ways(reader: &Reader, shape: &'static Shape, reach: Reach) -> Result<Visible> {
    if shape.visible_through.is_empty() {
        return Ok(Visible::All);
    }
    let (mut ways, mut is_whole) = (vec![], true);
    for way in &shape.visible_through {
        let (outer, other, inner) = match *way {
            VisibleThrough::Owner => match reader.caller.visibility_of(reach) {
                Visibility::All => return Ok(Visible::All),
                Visibility::Owned { owner, teams } => {
                    is_whole = false;
                    ways.push(Way::Owner { owner, teams });
                    continue;
                }
                Visibility::None => continue,
            },
            VisibleThrough::Subject(id) => {
                is_whole = false;
                ways.extend(shape.any_reference(id).map(|about| Way::Subject { about, reach }));
                continue;
            }
            VisibleThrough::Parent(field) => {
                let Some(many) = shape.field(field).and_then(|f| f.reference) else { continue };
                (field, reader.shape(many)?, "id")
            }
            VisibleThrough::Linked(many, field) => ("id", reader.shape(many)?, field),
        };
        let is_link = outer == "id";
        match visible(reader, other, reach)? {
            Visible::None => is_whole = false,
            seen => {
                is_whole &= matches!(seen, Visible::All) && !is_link;
                ways.push(Way::Related { outer, shape: other, inner, is_link, visible: Box::new(seen) });
            }
        }
    }
    Ok(match ways.len() {
        0 => Visible::None,
        _ if is_whole => Visible::All,
        _ => Visible::Any(ways),
    })
}

fn alias_at(depth: usize) -> Result<&'static str> {
    ALIASES.get(depth).copied().ok_or_else(|| Error::from(Code::Internal))
}

/// Adds the condition that a row of `alias` is visible in one of the ways.
fn any_of(sql: &mut Sql, reader: &Reader, ways: &[Way], alias: &'static str, depth: usize, form: Form) -> Result<()> {
    for (i, way) in ways.iter().enumerate() {
        sql.push(if i == 0 { "(" } else { " OR " });
        match way {
            Way::Owner { owner, teams } => owned_by(sql, alias, *owner, teams),
            Way::Related { outer, shape, inner, is_link, visible } if form != Form::Set => {
                let other = alias_at(depth)?;
                sql.push("EXISTS (SELECT 1 FROM ").push(shape.plural).push(" ").push(other).push(" WHERE ").column(other, inner);
                sql.push(" = ").column(alias, outer);
                if *is_link || form == Form::Row {
                    sql.push(" AND ").push(other).push(".deleted_at IS NULL");
                }
                restrict_private(sql, reader, shape, other);
                if let Visible::Any(ways) = &**visible {
                    sql.push(" AND ");
                    any_of(sql, reader, ways, other, depth + 1, form)?;
                }
                sql.push(")");
            }
            Way::Related { outer, .. } => {
                // PostgreSQL uses an index for an array beside other alternatives, and none for a subquery.
                let is_postgres = reader.store.dialect() == Dialect::Postgres;
                sql.column(alias, outer).push(if is_postgres { " = ANY (ARRAY(" } else { " IN (" });
                set_of(sql, reader, way, depth)?;
                sql.push(if is_postgres { "))" } else { ")" });
            }
            Way::Subject { about, reach } => {
                let form = if form == Form::RowOfHistory { form } else { Form::Row };
                sql.push("(1 = 1");
                restrict_by_subject(sql, reader, alias, about, *reach, (depth, form), false)?;
                sql.push(")");
            }
        }
    }
    sql.push(if ways.is_empty() { "1 = 0" } else { ")" });
    Ok(())
}

/// Adds `SELECT …` of the values that a related way leaves for the field of the record itself.
fn set_of(sql: &mut Sql, reader: &Reader, way: &Way, depth: usize) -> Result<()> {
    let Way::Related { shape, inner, visible, .. } = way else { return Err(Code::Internal.into()) };
    let other = alias_at(depth)?;
    let begin = |sql: &mut Sql, is_first: bool| {
        sql.push(if is_first { "SELECT " } else { " UNION SELECT " }).column(other, inner).push(" FROM ").push(shape.plural);
        sql.push(" ").push(other).push(" WHERE ").push(other).push(".deleted_at IS NULL");
        restrict_private(sql, reader, shape, other);
    };
    let Visible::Any(ways) = &**visible else {
        begin(sql, true);
        return Ok(());
    };
    // Each way by its own index: of alternatives SQLite would rather read all there is.
    for (i, way) in ways.iter().enumerate() {
        begin(sql, i == 0);
        match way {
            Way::Owner { owner, teams } => {
                sql.push(" AND ").column(other, "owner_id").push(" = ").id(*owner);
                if !teams.is_empty() {
                    begin(sql, false);
                    sql.push(" AND ").column(other, "team_id").one_of_ids(teams.iter().copied());
                }
            }
            related => {
                sql.push(" AND ");
                any_of(sql, reader, std::slice::from_ref(related), other, depth + 1, Form::Set)?;
            }
        }
    }
    Ok(())
}

/// The ways of a list that is found by going each of them along its own index: none where there is only one, or where no owner lends the
/// first of them.
pub fn ways(reader: &Reader, shape: &'static Shape, verb: &str) -> Result<Vec<Way>> {
    let Visible::Any(ways) = (if shape.owned { visible_to_caller(reader, shape, verb)? } else { Visible::All }) else { return Ok(vec![]) };
    let walked = |way: &Way| match way {
        Way::Owner { teams, .. } => teams.len() <= MAX_TEAM_WALKS,
        Way::Related { .. } | Way::Subject { .. } => true,
    };
    Ok(if ways.len() > 1 && ways.iter().all(walked) { ways } else { vec![] })
}

/// Adds `FROM … WHERE …` of the living rows of `t` that are visible in a related way, found from the related records on, whatever the
/// database guesses of their number.
pub fn push_related_rows(sql: &mut Sql, reader: &Reader, shape: &'static Shape, way: &Way) -> Result<()> {
    let outer = match way {
        Way::Related { outer, .. } => outer,
        Way::Subject { about, reach } => return push_rows_by_subject(sql, reader, shape, about, *reach),
        Way::Owner { .. } => return Err(Code::Internal.into()),
    };
    match reader.store.dialect() {
        Dialect::Sqlite => {
            sql.push(" FROM ").push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND ").column("t", outer).push(" IN (");
            set_of(sql, reader, way, 0)?;
            sql.push(")");
        }
        Dialect::Postgres => {
            sql.push(" FROM (SELECT DISTINCT value FROM (");
            set_of(sql, reader, way, 0)?;
            sql.push(") s (value) OFFSET 0) each CROSS JOIN LATERAL (SELECT * FROM ").push(shape.plural);
            sql.push(" o WHERE o.deleted_at IS NULL AND ").column("o", outer).push(" = each.value OFFSET 0) t WHERE 1 = 1");
        }
    }
    Ok(())
}

/// The same of the rows that are about a living record the caller sees: by one resource after the other that they may be about.
fn push_rows_by_subject(sql: &mut Sql, reader: &Reader, shape: &'static Shape, by: &'static AnyReference, most: Reach) -> Result<()> {
    let mut ways = vec![];
    for other in subjects(reader, by) {
        // Their own subjects are no way here: `restrict_by_subject` follows one, and not two.
        let visible = match visible(reader, other, most)? {
            Visible::None => continue,
            Visible::All => Visible::All,
            Visible::Any(ways) => Visible::Any(ways.into_iter().filter(|way| !matches!(way, Way::Subject { .. })).collect()),
        };
        ways.push((other.plural, Way::Related { outer: by.id, shape: other, inner: "id", is_link: false, visible: Box::new(visible) }));
    }
    let is_postgres = reader.store.dialect() == Dialect::Postgres;
    sql.push(if is_postgres { " FROM (" } else { " FROM " });
    if !is_postgres {
        sql.push(shape.plural).push(" t WHERE t.deleted_at IS NULL AND t.id IN (");
    }
    for (i, (plural, way)) in ways.iter().enumerate() {
        sql.push(if i == 0 { "" } else { " UNION ALL " });
        if is_postgres {
            sql.push("SELECT ").text(*plural).push("::text AS resource, value FROM (");
            set_of(sql, reader, way, 0)?;
            sql.push(") s (value)");
        } else {
            sql.push("SELECT n.id FROM ").push(shape.plural).push(" n WHERE n.deleted_at IS NULL AND ").column("n", by.resource);
            sql.push(" = ").text(*plural).push(" AND ").column("n", by.id).push(" IN (");
            set_of(sql, reader, way, 0)?;
            sql.push(")");
        }
    }
    if ways.is_empty() {
        sql.push(if is_postgres { "SELECT NULL::text AS resource, NULL::uuid AS value WHERE false" } else { "NULL" });
    }
    if is_postgres {
        sql.push(" OFFSET 0) each CROSS JOIN LATERAL (SELECT * FROM ").push(shape.plural).push(" o WHERE o.deleted_at IS NULL AND ");
        sql.column("o", by.resource).push(" = each.resource AND ").column("o", by.id).push(" = each.value OFFSET 0) t WHERE 1 = 1");
    } else {
        sql.push(")");
    }
    Ok(())
}

/// The resources whose records a reference may name, in a steady order.
fn subjects(reader: &Reader, by: &AnyReference) -> Vec<&'static Shape> {
    let mut shapes: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(|shape| by.targets.include(shape)).collect();
    shapes.sort_by_key(|s| s.plural);
    shapes
}

/// Adds ` AND …` that leaves the search entries `alias` of the records of a resource that the caller sees.
pub fn restrict_entries_to_visible(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str) -> Result<()> {
    if shape.private.is_some() && reader.caller.kind != CallerKind::System {
        sql.push(" AND EXISTS (SELECT 1 FROM ").push(shape.plural).push(" p1 WHERE p1.id = ").push(alias).push(".record_id");
        restrict_private(sql, reader, shape, "p1");
        sql.push(")");
    }
    let ways = match visible_to_caller(reader, shape, "read")? {
        Visible::All => return Ok(()),
        Visible::None => vec![],
        Visible::Any(ways) => ways,
    };
    if ways.is_empty() {
        sql.push(" AND 1 = 0");
        return Ok(());
    }
    for (i, way) in ways.iter().enumerate() {
        sql.push(if i == 0 { " AND (" } else { " OR " });
        match way {
            // An entry has the owner of its record beside it.
            Way::Owner { owner, teams } => owned_by(sql, alias, *owner, teams),
            related => {
                sql.push("EXISTS (SELECT 1 FROM ").push(shape.plural).push(" p1 WHERE p1.id = ").push(alias).push(".record_id AND ");
                any_of(sql, reader, std::slice::from_ref(related), "p1", 1, Form::Row)?;
                sql.push(")");
            }
        }
    }
    sql.push(")");
    Ok(())
}

/// Leaves the rows that are about a record the caller may read, be it deleted or not. The record's present owner counts, so
/// its whole history goes where the record goes, and nothing is written for it.
///
/// Each resource of which the caller sees a part is looked into once for what the rows are about, and `follows` once more for what that is
/// about in turn, such as an event of a reference to an account, and again where that is an activity: three times as many conditions as there are
/// resources, not their square.
fn restrict_by_subject(
    sql: &mut Sql,
    reader: &Reader,
    alias: &'static str,
    by: &'static AnyReference,
    most: Reach,
    (depth, form): (usize, Form),
    follows: bool,
) -> Result<()> {
    let (resource, id) = (by.resource, by.id);
    let (mut whole, mut partly, mut about, mut is_all) = (vec![], vec![], vec![], true);
    let is_server = reader.caller.kind == CallerKind::System;
    for shape in subjects(reader, by) {
        match visible(reader, shape, most)? {
            Visible::None => is_all = false,
            Visible::All if shape.private.is_some() && !is_server => {
                is_all = false;
                partly.push((shape, None));
            }
            Visible::All => whole.push(shape),
            Visible::Any(ways) => {
                let (subjects, others): (Vec<Way>, Vec<Way>) = ways.into_iter().partition(|way| matches!(way, Way::Subject { .. }));
                is_all &= others.is_empty() && follows;
                about.extend(subjects.into_iter().map(|way| (shape, way)));
                if !others.is_empty() {
                    partly.push((shape, Some(others)));
                }
            }
        }
    }
    if is_all {
        return Ok(());
    }
    let resources = VisibleResources { whole, partly, form };
    sql.push(" AND (");
    resources.push_condition(sql, reader, alias, (resource, id), depth)?;
    if follows && !about.is_empty() {
        resources.push_condition_of_subjects(sql, reader, alias, (resource, id), depth, &about)?;
    }
    sql.push(")");
    Ok(())
}

/// What a caller sees of each resource.
struct VisibleResources {
    whole: Vec<&'static Shape>,
    /// With the ways in which it sees some; none where it sees all but what is others' alone.
    partly: Vec<(&'static Shape, Option<Vec<Way>>)>,
    form: Form,
}

impl VisibleResources {
    /// Adds ` OR …` that a row of `alias` names a record of one of these resources which is about a record the caller sees. Such a record may be
    /// about an activity that is about another record in turn, such as an external reference of a note of an order.
    fn push_condition_of_subjects(
        &self,
        sql: &mut Sql,
        reader: &Reader,
        alias: &'static str,
        (resource, id): (&'static str, &'static str),
        depth: usize,
        about: &[(&'static Shape, Way)],
    ) -> Result<()> {
        let (row, named) = (alias_at(depth)?, alias_at(depth + 1)?);
        sql.push(" OR ").column(alias, resource).one_of(Kind::Text, about.iter().map(|(s, _)| Scalar::Text(s.plural.to_owned())));
        sql.push(" AND EXISTS (SELECT 1 FROM (");
        for (i, (shape, way)) in about.iter().enumerate() {
            let Way::Subject { about: AnyReference { resource: of, id: which, .. }, .. } = way else { continue };
            sql.push(if i == 0 { "SELECT " } else { " UNION ALL SELECT " }).column(row, of).push(" AS resource, ").column(row, which);
            sql.push(" AS id FROM ").push(shape.plural).push(" ").push(row).push(" WHERE ").column(alias, resource).push(" = ");
            sql.text(shape.plural).push(" AND ").column(row, "id").push(" = ").column(alias, id);
            restrict_private(sql, reader, shape, row);
        }
        sql.push(") ").push(named).push(" WHERE (");
        self.push_condition(sql, reader, named, ("resource", "id"), depth + 2)?;
        let activities: Vec<(&'static Shape, Way)> = about.iter().filter(|(shape, _)| shape.subject().is_none()).cloned().collect();
        if !activities.is_empty() && activities.len() < about.len() {
            self.push_condition_of_subjects(sql, reader, named, ("resource", "id"), depth + 2, &activities)?;
        }
        sql.push("))");
        Ok(())
    }

    /// Adds the condition that a row of `alias` names, by resource and id, a record the caller sees.
    fn push_condition(
        &self,
        sql: &mut Sql,
        reader: &Reader,
        alias: &'static str,
        (resource, id): (&'static str, &'static str),
        depth: usize,
    ) -> Result<()> {
        let row = alias_at(depth)?;
        sql.push("(").column(alias, resource).one_of(Kind::Text, self.whole.iter().map(|s| Scalar::Text(s.plural.to_owned())));
        for (shape, ways) in &self.partly {
            sql.push(" OR ").column(alias, resource).push(" = ").text(shape.plural);
            sql.push(" AND EXISTS (SELECT 1 FROM ").push(shape.plural).push(" ").push(row).push(" WHERE ").column(row, "id");
            sql.push(" = ").column(alias, id);
            if self.form == Form::Row {
                sql.push(" AND ").push(row).push(".deleted_at IS NULL");
            }
            restrict_private(sql, reader, shape, row);
            if let Some(ways) = ways {
                sql.push(" AND ");
                any_of(sql, reader, ways, row, depth + 1, self.form)?;
            }
            sql.push(")");
        }
        sql.push(")");
        Ok(())
    }
}

/// Adds the condition that a row of `alias` is of the owner or of one of the teams.
fn owned_by(sql: &mut Sql, alias: &'static str, owner: Uuid, teams: &[Uuid]) {
    sql.push("(").column(alias, "owner_id").push(" = ").id(owner);
    if !teams.is_empty() {
        sql.push(" OR ").column(alias, "team_id").one_of_ids(teams.iter().copied());
    }
    sql.push(")");
}

/// Adds ` AND …` for the owner and team columns of `alias`.
pub fn restrict_by_owner(sql: &mut Sql, shape: &Shape, alias: &'static str, visibility: &Visibility) {
    match visibility {
        Visibility::All => {}
        Visibility::None => {
            sql.push(" AND 1 = 0");
        }
        Visibility::Owned { .. } if !shape.owned => {}
        Visibility::Owned { owner, teams } => {
            sql.push(" AND ");
            owned_by(sql, alias, *owner, teams);
        }
    }
}
