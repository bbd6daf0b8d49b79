//! Which rows a caller sees: one predicate for list, get, search, export and events.

use crate::{error::Result, sql::Sql, store::Reader};
use samphan_domain::{
    caller::Sight,
    scalar::{Kind, Scalar},
    shape::Shape,
};

/// Whether the caller may read records of a resource at all, whichever he then sees. What is reached below its parents only has no
/// permission of its own.
#[must_use]
pub fn readable(reader: &Reader, shape: &Shape) -> bool {
    shape.nested || reader.caller.reach(&shape.permission("read")).is_some()
}

/// Adds ` AND …` that leaves only the rows of `alias` that the caller may see with the verb.
pub fn only_seen(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, verb: &str) -> Result<()> {
    if let Some((resource, id)) = shape.subject {
        return by_subject(sql, reader, alias, resource, id);
    }
    if shape.parents.is_empty() {
        by_owner(sql, shape, alias, &reader.caller.sight(&shape.permission(verb)));
        return Ok(());
    }
    // A child is seen by whoever sees one of its parents; its own verb was checked as a permission.
    if parents(reader, shape)?.iter().all(|(_, parent)| sees(reader, parent) == Sight::Everything) {
        return Ok(());
    }
    by_parents(sql, reader, shape, alias, " AND p.deleted_at IS NULL")
}

/// The fields that name a child's parents, and what those are.
fn parents(reader: &Reader, shape: &'static Shape) -> Result<Vec<(&'static str, &'static Shape)>> {
    let named = shape.parents.iter().filter_map(|name| shape.field(name).and_then(|f| f.reference).map(|many| (*name, many)));
    named.map(|(name, many)| Ok((name, reader.shape(many)?))).collect()
}

fn sees(reader: &Reader, shape: &Shape) -> Sight {
    let sight = reader.caller.sight(&shape.permission("read"));
    if shape.owned || sight == Sight::Nothing { sight } else { Sight::Everything }
}

fn by_parents(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, living: &'static str) -> Result<()> {
    for (i, (field, parent)) in parents(reader, shape)?.into_iter().enumerate() {
        sql.push(if i == 0 { " AND (EXISTS (SELECT 1 FROM " } else { " OR EXISTS (SELECT 1 FROM " });
        sql.push(parent.many).push(" p WHERE p.id = ").column(alias, field).push(living);
        by_owner(sql, parent, "p", &sees(reader, parent));
        sql.push(")");
    }
    sql.push(")");
    Ok(())
}

/// Leaves the rows that are about a record the caller may read, be it deleted or not. The record's present owner counts, so
/// its whole history goes where the record goes, and nothing is written for it.
fn by_subject(sql: &mut Sql, reader: &Reader, alias: &'static str, resource: &'static str, id: &'static str) -> Result<()> {
    let inner = if alias == "r" { "s" } else { "r" };
    // Logs have no events, and nothing is about what is about something else, but for events of that.
    let fits = |s: &&Shape| !s.log && (inner == "r" || s.subject.is_none());
    let mut shapes: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(fits).collect();
    shapes.sort_by_key(|s| s.many);
    let (mut whole, mut partly) = (vec![], vec![]);
    for shape in &shapes {
        let own = if shape.nested { Sight::Everything } else { sees(reader, shape) };
        let above: Vec<Sight> = parents(reader, shape)?.iter().map(|(_, parent)| sees(reader, parent)).collect();
        if own == Sight::Nothing || !above.is_empty() && above.iter().all(|s| *s == Sight::Nothing) {
            continue;
        }
        let all = own == Sight::Everything && above.iter().all(|s| *s == Sight::Everything) && shape.subject.is_none();
        if all { &mut whole } else { &mut partly }.push(*shape);
    }
    if whole.len() + partly.len() == shapes.len() && partly.iter().all(|s| s.subject.is_some()) {
        return Ok(());
    }
    sql.push(" AND (").column(alias, resource).one_of(Kind::Text, whole.iter().map(|s| Scalar::Text(s.many.to_owned())));
    for shape in partly {
        sql.push(" OR ").column(alias, resource).push(" = ").text(shape.many);
        sql.push(" AND EXISTS (SELECT 1 FROM ").push(shape.many).push(" ").push(inner).push(" WHERE ").column(inner, "id");
        sql.push(" = ").column(alias, id);
        match shape.subject {
            Some((resource, id)) => by_subject(sql, reader, inner, resource, id)?,
            None if shape.parents.is_empty() => by_owner(sql, shape, inner, &sees(reader, shape)),
            None => by_parents(sql, reader, shape, inner, "")?,
        }
        sql.push(")");
    }
    sql.push(")");
    Ok(())
}

/// Adds ` AND …` for the owner and team columns of `alias`.
pub fn by_owner(sql: &mut Sql, shape: &Shape, alias: &'static str, sight: &Sight) {
    match sight {
        Sight::Everything => {}
        Sight::Nothing => {
            sql.push(" AND 1 = 0");
        }
        Sight::Some { .. } if !shape.owned => {}
        Sight::Some { owner, teams } => {
            sql.push(" AND (").column(alias, "owner_id").push(" = ").id(*owner);
            if !teams.is_empty() {
                sql.push(" OR ").column(alias, "team_id").one_of_ids(teams.iter().copied());
            }
            sql.push(")");
        }
    }
}
