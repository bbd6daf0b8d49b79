//! Which rows a caller sees: one predicate for list, get, search, export and events.

use crate::{error::Result, sql::Sql, store::Reader};
use samphan_domain::{caller::Sight, shape::Shape};

/// Adds ` AND …` that leaves only the rows of `alias` that the caller may see with the verb.
pub fn only_seen(sql: &mut Sql, reader: &Reader, shape: &'static Shape, alias: &'static str, verb: &str) -> Result<()> {
    if shape.parents.is_empty() {
        by_owner(sql, shape, alias, &reader.caller.sight(&shape.permission(verb)));
        return Ok(());
    }
    // A child is seen by whoever sees one of its parents; its own verb was checked as a permission.
    let blind = |many: &str| -> Result<bool> {
        let parent = reader.shape(many)?;
        Ok(parent.parents.is_empty() && (!parent.owned || reader.caller.sight(&parent.permission("read")) == Sight::Everything))
    };
    let parents: Vec<(&'static str, &'static Shape)> = shape
        .parents
        .iter()
        .filter_map(|name| shape.field(name).and_then(|f| f.reference).map(|many| (*name, many)))
        .map(|(name, many)| Ok((name, reader.shape(many)?)))
        .collect::<Result<_>>()?;
    if parents.iter().map(|(_, p)| blind(p.many)).collect::<Result<Vec<_>>>()?.into_iter().all(|all| all) {
        return Ok(());
    }
    sql.push(" AND (");
    for (i, (field, parent)) in parents.into_iter().enumerate() {
        sql.push(if i == 0 { "EXISTS (SELECT 1 FROM " } else { " OR EXISTS (SELECT 1 FROM " });
        sql.push(parent.many).push(" p WHERE p.id = ").column(alias, field).push(" AND p.deleted_at IS NULL");
        by_owner(sql, parent, "p", &reader.caller.sight(&parent.permission("read")));
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
