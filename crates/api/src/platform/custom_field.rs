//! How custom fields are reached: a field's resource, key and type are for good.

use samphan_persistence::{
    store::Work,
    stored::{self, Stored},
};
use samphan_resource::{
    builtin::custom_field::CustomField,
    error::{Error, FieldCode, FieldError, Result},
};
use samphan_rest::collection::Collection;

/// Custom fields.
#[must_use]
pub fn routes() -> Collection<CustomField> {
    Collection::new("settings").create(create).update(update).writes()
}

/// Adds a field to a resource.
pub async fn create(work: &Work, draft: Stored<CustomField>) -> Result<Stored<CustomField>> {
    let known: Vec<&str> = work.store.shapes.values().filter(|s| s.extensible).map(|s| s.many).collect();
    if !known.contains(&draft.data.resource.as_str()) {
        let fault = FieldError::new("/resource", FieldCode::UnknownValue, "").instead_of(&draft.data.resource, known);
        return Err(Error::invalid(fault));
    }
    stored::insert(work, draft).await
}

async fn update(work: &Work, before: &Stored<CustomField>, after: Stored<CustomField>) -> Result<Stored<CustomField>> {
    let (then, now) = (&before.data, &after.data);
    for (pointer, moved) in [("/resource", then.resource != now.resource), ("/key", then.key != now.key), ("/type", then.kind != now.kind)]
    {
        if moved {
            return Err(Error::invalid(FieldError::new(
                pointer,
                FieldCode::NotAllowed,
                "what it was made with; make another field instead",
            )));
        }
    }
    stored::save(work, before, after, "updated", None).await
}
