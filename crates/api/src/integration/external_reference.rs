//! How external references are reached; the record they name shows them too.

use crate::rest::collection::{Collection, known_system};
use samphan_domain::{
    error::{Error, FieldError, Result},
    integration::external_reference::ExternalReference,
};
use samphan_persistence::{
    list::{self, View},
    store::Work,
    stored::{self, Stored},
};

/// External references.
#[must_use]
pub fn routes() -> Collection<ExternalReference> {
    Collection::new("external-systems").create(create).update(update).delete(delete).writes()
}

/// Names a record for a system, and shows it on the record.
pub async fn create(work: &Work, mut draft: Stored<ExternalReference>) -> Result<Stored<ExternalReference>> {
    let named = &draft.data;
    let known: Vec<&str> = work.store.shapes.values().filter(|s| s.extensible).map(|s| s.many).collect();
    let Some(shape) = work.store.shapes.get(named.resource.as_str()).copied().filter(|s| s.extensible) else {
        return Err(Error::invalid(FieldError::new("/resource", "unknown_value", "").instead_of(&named.resource, known)));
    };
    known_system(work, &named.system).await?;
    let view = View::new(work, shape, Some(&["id"]), vec![]);
    let missing = |_| Error::invalid(FieldError::new("/record_id", "unknown_reference", shape.many));
    list::one(work, &view, named.record_id, None, "read").await.map_err(missing)?;
    if draft.data.external_type.is_empty() {
        shape.one.clone_into(&mut draft.data.external_type);
    }
    let made = stored::insert(work, draft).await?;
    stored::refresh_references(work, shape, made.data.record_id).await?;
    super::credit::unmatched::apply(work, &made.data).await?;
    Ok(made)
}

async fn update(work: &Work, before: &Stored<ExternalReference>, after: Stored<ExternalReference>) -> Result<Stored<ExternalReference>> {
    if before.data.resource != after.data.resource {
        return Err(Error::invalid(FieldError::new("/resource", "not_allowed", "the resource it was made with")));
    }
    let made = stored::save(work, before, after, "updated", None).await?;
    let shape = work.shape(&made.data.resource)?;
    stored::refresh_references(work, shape, before.data.record_id).await?;
    if made.data.record_id != before.data.record_id {
        stored::refresh_references(work, shape, made.data.record_id).await?;
    }
    Ok(made)
}

async fn delete(work: &Work, found: &Stored<ExternalReference>) -> Result<()> {
    stored::delete(work, found).await?;
    stored::refresh_references(work, work.shape(&found.data.resource)?, found.data.record_id).await
}
