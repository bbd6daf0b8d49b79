//! Has what names one record name another instead: what is about a lead is about the contact that the lead becomes.
//!
//! It goes by the references to any of several resources that the shapes declare, so it covers resources that do not exist yet. A reference that
//! is fixed, or that may name a deleted record, is about the one record whatever becomes of it, and stays.

use crate::{
    error::Result,
    many::{self, Write},
    record,
    store::Work,
};
use samphan_resource::{reference::AnyReference, shape::Shape};
use serde_json::json;
use uuid::Uuid;

/// Records changed in one statement.
const MAX_RECORDS: i64 = 200;

/// Whether a reference of a resource moves from records of one resource to those of another.
fn moves(shape: &Shape, any: &AnyReference, from: &Shape, to: &Shape) -> bool {
    let is_fixed = [any.resource, any.id].iter().any(|name| shape.field(name).is_none_or(|field| field.fixed));
    !shape.append_only && !any.is_deleted_allowed && !is_fixed && any.targets.include(from) && any.targets.include(to)
}

/// Has all living records that name `from` in a reference to any of several resources name `to`, each by an update with an event of its own;
/// whether the caller sees them or not. Answers how many.
pub async fn repoint(work: &Work, from: (&'static Shape, Uuid), to: (&'static Shape, Uuid)) -> Result<usize> {
    let mut shapes: Vec<&'static Shape> = work.store.shapes.values().copied().collect();
    shapes.sort_by_key(|shape| shape.plural);
    let mut moved = 0;
    for shape in shapes {
        for any in shape.any_references.iter().filter(|any| moves(shape, any, from.0, to.0)) {
            loop {
                let mut sql = record::select(work, shape);
                sql.push(" AND ").column("t", any.id).push(" = ").id(from.1);
                sql.push(" AND ").column("t", any.resource).push(" = ").text(from.0.plural);
                sql.push(" ORDER BY t.id LIMIT ").int(MAX_RECORDS).for_update("t");
                let found = work.fetch(sql, |row| record::read(shape, row)).await?;
                if found.is_empty() {
                    break;
                }
                moved += found.len();
                let changed = found.into_iter().map(|before| {
                    let mut after = before.clone();
                    after.insert(any.resource.to_owned(), json!(to.0.plural));
                    after.insert(any.id.to_owned(), json!(to.1));
                    Write::change(before, after)
                });
                for written in many::write(work, shape, changed.collect(), "updated", None).await? {
                    written?;
                }
            }
        }
    }
    Ok(moved)
}
