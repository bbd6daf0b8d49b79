//! `GET /v1/processing-register`: what personal data is kept, where, and what becomes of it, from what the fields say of themselves.

use samphan_persistence::store::{Reader, Shapes};
use samphan_resource::{
    error::Result,
    shape::{Class, Field, Shape},
};
use samphan_rest::{
    operation::{Operation, RequestContext},
    response::Response,
};
use serde::Serialize;
use utoipa::ToSchema;

/// Where personal data is kept: a part of the records of processing (PDPA section 39, GDPR article 30).
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessingRegister {
    /// Every field that says something of a person, by resource.
    #[schema(max_items = 10_000)]
    pub fields: Vec<ProcessedField>,
}

/// A field that says something of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcessedField {
    /// Its resource, such as `contacts`.
    #[schema(max_length = 100)]
    pub resource: String,
    /// Its name.
    #[schema(max_length = 100)]
    pub field: String,
    /// What it says: `identity`, `contact`, `sensitive`, `financial` or `free_text`.
    #[schema(max_length = 100)]
    pub personal_data: String,
    /// What becomes of it when the person is erased: `erased`, or `retained` with the document the law wants kept.
    #[schema(max_length = 100)]
    pub on_erasure: String,
}

/// The operation.
pub fn operation() -> Operation {
    Operation::read("getProcessingRegister", "/v1/processing-register", run)
        .describe(
            "privacy",
            "List personal data fields",
            "Every field of every resource that holds personal data, and what an erasure does to it.",
        )
        .requires("privacy-requests:read")
        .responds(200, "ProcessingRegister")
}

async fn run(reader: &Reader, _: RequestContext) -> Result<Response> {
    Ok(Response::json(&ProcessingRegister { fields: fields(reader.store.shapes) }))
}

fn fields(shapes: &Shapes) -> Vec<ProcessedField> {
    let mut shapes: Vec<&Shape> = shapes.values().copied().filter(|shape| !shape.data_subject.is_empty()).collect();
    shapes.sort_by_key(|shape| shape.plural);
    let row = |shape: &Shape, field: &Field| {
        let personal_data = said(field)?;
        let on_erasure = if field.is_erased() { "erased" } else { "retained" };
        Some(ProcessedField {
            resource: shape.plural.to_owned(),
            field: field.name.to_owned(),
            personal_data: personal_data.to_owned(),
            on_erasure: on_erasure.to_owned(),
        })
    };
    shapes.into_iter().flat_map(|shape| shape.fields.iter().filter_map(move |field| row(shape, field))).collect()
}

/// What a field says of the person its record belongs to.
fn said(field: &Field) -> Option<&'static str> {
    match (field.privacy_category, field.class) {
        (Some(what), _) => Some(what.as_str()),
        (None, Class::Financial) => Some("financial"),
        (None, _) => None,
    }
}
