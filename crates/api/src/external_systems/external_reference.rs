//! How external references are reached; the record they name shows them too.

use samphan_domain::customers::account::Account;
use samphan_persistence::{
    guard, record, relations,
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{builtin::external_reference::ExternalReference, error::Result, example, resource::Resource, shape::Shape};
use samphan_rest::{
    collection::{Api, Collection},
    example::{Example, external_id},
    external::{BINDING, known_system},
    operation::Operation,
};
use serde_json::json;

/// External references.
#[must_use]
pub fn routes() -> Collection<ExternalReference> {
    // A restored reference binds its record to the other system's id again.
    Collection::new("external-systems")
        .create(create)
        .update(update)
        .delete(delete)
        .after_restore(restored)
        .restore_also_requires(BINDING)
        .with_crud()
}

/// An example for every resource whose records are reached by external ids: what the other examples go by.
pub fn examples(mut api: Api) -> Api {
    let named = |o: &Operation| o.path.contains("/by-external-id/").then_some(o.subject).flatten().map(|s| s.shape);
    let mut shapes: Vec<&Shape> = api.operations.iter().filter_map(named).collect();
    shapes.sort_by_key(|s| (s.plural != Account::PLURAL, s.plural));
    shapes.dedup_by_key(|s| s.plural);
    let examples = shapes.into_iter().map(|s| {
        // Nameless is the story's own, the customer's.
        let is_own = s.plural == Account::PLURAL;
        let id =
            if is_own { example::id(ExternalReference::PLURAL) } else { example::id(&format!("{}/{}", s.plural, ExternalReference::PLURAL)) };
        let body =
            json!({"id": id, "resource": s.plural, "record_id": example::id(s.plural), "external_type": s.singular, "external_id": external_id(s)});
        Example { name: (!is_own).then_some(s.plural), ..Example::body(body.clone()).answers(body) }
    });
    if let Some(create) = api.operations.iter_mut().find(|o| o.id == "createExternalReference") {
        create.examples = examples.collect();
    }
    api
}

/// Names a record for a system, and shows it on the record.
pub async fn create(work: &Work, mut draft: Stored<ExternalReference>) -> Result<Stored<ExternalReference>> {
    known_system(work, &draft.data.system).await?;
    if let (true, Some(shape)) = (draft.data.external_type.is_empty(), work.store.shapes.get(draft.data.resource.as_str())) {
        shape.singular.clone_into(&mut draft.data.external_type);
    }
    let made = stored::insert(work, draft).await?;
    told(work, &made).await?;
    Ok(made)
}

async fn update(work: &Work, before: &Stored<ExternalReference>, after: Stored<ExternalReference>) -> Result<Stored<ExternalReference>> {
    known_system(work, &before.data.system).await?;
    known_system(work, &after.data.system).await?;
    let made = stored::save(work, before, after, "updated", None).await?;
    // Whatever changed, the record is bound anew: it must be there.
    relations::require_any_references(work, work.shape(ExternalReference::PLURAL)?, &made.record).await?;
    if made.data.record_id != before.data.record_id {
        record::refresh_references(work, work.shape(&made.data.resource)?, before.data.record_id).await?;
    }
    told(work, &made).await?;
    Ok(made)
}

/// Shows a reference on its record, and applies what was pushed for it before anybody knew it.
async fn told(work: &Work, made: &Stored<ExternalReference>) -> Result<()> {
    record::refresh_references(work, work.shape(&made.data.resource)?, made.data.record_id).await?;
    guard::bound(work, std::slice::from_ref(&made.data)).await
}

async fn restored(work: &Work, made: &Stored<ExternalReference>) -> Result<()> {
    known_system(work, &made.data.system).await?;
    relations::require_any_references(work, work.shape(ExternalReference::PLURAL)?, &made.record).await?;
    told(work, made).await
}

async fn delete(work: &Work, found: &Stored<ExternalReference>) -> Result<()> {
    known_system(work, &found.data.system).await?;
    stored::delete(work, found).await?;
    record::refresh_references(work, work.shape(&found.data.resource)?, found.data.record_id).await
}
