//! How custom fields are reached.

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
    Collection::new("settings").create(create).with_crud()
}

/// Adds a field to a resource.
pub async fn create(work: &Work, draft: Stored<CustomField>) -> Result<Stored<CustomField>> {
    let known: Vec<&str> = work.store.shapes.values().filter(|s| s.extensible).map(|s| s.plural).collect();
    if !known.contains(&draft.data.resource.as_str()) {
        let fault = FieldError::new("/resource", FieldCode::UnknownValue, "").with_suggestion(&draft.data.resource, known);
        return Err(Error::invalid(fault));
    }
    stored::insert(work, draft).await
}
