//! External ids: routes by external id, and the check of the systems that a caller may write for.

use super::{hooks::ResourceHandler, operation::RequestContext};
use samphan_persistence::{
    guard,
    record::{self, Record, id_of},
    store::{Reader, Work},
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::external_reference::{ExternalRef, ExternalReference},
    error::{Code, Error, FieldCode, FieldError, Result},
    scalar::{Kind, Scalar},
    shape::Shape,
    text,
};
use serde_json::json;
use std::collections::HashMap;
use uuid::Uuid;

/// Characters of what a system may call a record.
pub const LONGEST_EXTERNAL_ID: usize = 128;

/// Refuses a system that is not registered, or that this caller may not write for.
pub async fn known_system(reader: &Reader, code: &str) -> Result<()> {
    if !reader.caller.systems.is_empty() && !reader.caller.systems.iter().any(|s| s == code) {
        return Err(Error::from(Code::Forbidden)
            .with_detail("this key writes for other systems only")
            .with_allowed(reader.caller.systems.clone()));
    }
    let mut sql = reader.sql();
    sql.push("SELECT 1 FROM external_systems WHERE deleted_at IS NULL AND code = ").text(code);
    if reader.count(sql).await? == 0 {
        let fault = FieldError::new("/system", FieldCode::UnknownReference, "external_systems");
        return Err(Error::from(Code::UnknownReference).with_field_errors(vec![fault]));
    }
    Ok(())
}

/// The system and id a path names.
pub(super) fn external_ref(shape: &Shape, call: &RequestContext) -> ExternalRef {
    let part = |n: usize| call.path.get(n).cloned().unwrap_or_default();
    ExternalRef { system: part(0), external_type: shape.singular.to_owned(), external_id: part(1) }
}

/// The record the path names by another system's id.
pub(super) async fn by_external_id(reader: &Reader, shape: &'static Shape, call: &RequestContext) -> Result<Option<Uuid>> {
    let reference = external_ref(shape, call);
    Ok(find_references(reader, shape, &reference.system, &[reference.external_id]).await?.into_values().next())
}

/// Our records by what a system calls them. The whole list in one query.
pub async fn find_references(
    reader: &Reader,
    shape: &'static Shape,
    system: &str,
    external_ids: &[String],
) -> Result<HashMap<String, Uuid>> {
    let mut sql = reader.sql();
    let names = external_ids.iter().map(|id| Scalar::Text(id.clone()));
    sql.push("SELECT r.external_id, r.record_id").from_each("external_references", "r", "external_id", Kind::Text, names);
    sql.push(" AND r.system = ").text(system).push(" AND r.resource = ").text(shape.plural);
    // Not EXISTS: PostgreSQL makes a join of it, and begins that with the records where it takes them for few.
    sql.push(" AND (SELECT t.deleted_at IS NULL FROM ").push(shape.plural).push(" t WHERE t.id = r.record_id)");
    sql.push(" ORDER BY r.external_type, r.id DESC");
    Ok(reader.fetch(sql, |row| Ok((row.text(0)?, row.id(1)?))).await?.into_iter().collect())
}

/// What it takes to bind another system's name to a record, besides what it takes to write the record.
pub const BINDING: &str = "external-references:create";

/// Refuses an external id that no body may hold, whichever way it comes: an id in a path is checked by no schema.
fn check_external_id(external_id: &str) -> Result<()> {
    let fault = |code, about: String| Err(Error::invalid(FieldError::new("/external_id", code, about)));
    match external_id {
        "" => fault(FieldCode::TooShort, "1".to_owned()),
        id if id.chars().count() > LONGEST_EXTERNAL_ID => fault(FieldCode::TooLong, LONGEST_EXTERNAL_ID.to_string()),
        id if !text::is_line(id) => fault(FieldCode::NotOneLine, String::new()),
        _ => Ok(()),
    }
}

/// Makes a record that another system calls by a name.
pub(super) async fn make_as(work: &Work, table: &ResourceHandler, body: Record, reference: ExternalRef) -> Result<Record> {
    may_bind(work, table, &reference.system).await?;
    let draft = named_draft(table, body, &reference)?;
    let made = table.create(work, draft).await?;
    let row = stored::insert(work, Stored::draft(row(table, reference, &made))).await?;
    guard::bound(work, &[row.data]).await?;
    Ok(made)
}

/// Checks that the caller may create records with an external id of this system.
pub(super) async fn may_bind(work: &Work, table: &ResourceHandler, system: &str) -> Result<()> {
    // What a system calls a record decides whose balances and documents it gets.
    work.caller.require([table.shape.permission("create"), BINDING.to_owned()])?;
    known_system(work, system).await
}

/// The record that another system calls by a name, as it is to be made.
pub(super) fn named_draft(table: &ResourceHandler, mut body: Record, reference: &ExternalRef) -> Result<Record> {
    check_external_id(&reference.external_id)?;
    body.remove("external_refs");
    let mut draft = record::from_body(table.shape, body, None);
    draft.insert("external_refs".into(), json!([reference]));
    Ok(draft)
}

fn row(table: &ResourceHandler, reference: ExternalRef, made: &Record) -> ExternalReference {
    ExternalReference {
        system: reference.system,
        resource: table.shape.plural.to_owned(),
        external_type: reference.external_type,
        external_id: reference.external_id,
        record_id: id_of(made),
    }
}

/// Notes what another system calls records that were made so. The first that cannot be noted fails them all.
pub(super) async fn bind_many(work: &Work, table: &ResourceHandler, made: Vec<(ExternalRef, &Record)>) -> Result<()> {
    let rows = made.into_iter().map(|(reference, made)| Stored::draft(row(table, reference, made)));
    let bound = stored::create_many(work, rows.collect()).await?.into_iter().map(|row| Ok(row?.data));
    guard::bound(work, &bound.collect::<Result<Vec<ExternalReference>>>()?).await
}
