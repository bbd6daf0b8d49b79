//! The permissions that operations of a collection need beside their own. They follow from what an operation is about, so no operation
//! has to name them, and one that is added later cannot forget them:
//!
//! - an operation on a record (`…/{id}/…`) finds it first, as the caller sees it: it needs the permission to read the resource;
//! - what is seen with a parent takes the permission to read the parent;
//! - a record that is named in a body must be visible, where visibility depends on the caller.
//!
//! Without these the answer would be 404 or `unknown_reference` whatever is named, or a list that is always empty.

use super::{
    external::BINDING,
    operation::{Access, Operation},
};
use actix_web::http::Method;
use samphan_resource::{
    reference::AnyReference,
    shape::{Field, Shape},
};
use std::collections::HashMap;

type Shapes = HashMap<&'static str, &'static Shape>;

/// Adds to an operation what it needs beside its own permission.
pub fn add(operation: &mut Operation, shapes: &Shapes) {
    let Some(subject) = operation.subject else { return };
    let shape = subject.shape;
    if let Some((_, parent)) = subject.parent {
        operation.add_permission(parent.permission("read"), None);
        return;
    }
    let mut parents: Vec<&'static Shape> = shape.parents.iter().filter_map(|name| other(shape, name, shapes)).collect();
    parents.dedup_by_key(|parent| parent.plural);
    for parent in &parents {
        // Of what belongs to one of several, as a consent to an account or a contact, the caller sees what belongs to those it may read.
        let about = format!("the record belongs to one of the {}", parent.plural.replace('_', " "));
        operation.add_permission(parent.permission("read"), (parents.len() > 1).then_some(about));
    }
    let read = shape.permission("read");
    // A record there is only one of is found without an id.
    if operation.path.contains("/{id}") || operation.method == Method::PATCH {
        operation.add_permission(read.clone(), None);
    }
    if matches!(operation.access, Access::ByMode(_)) {
        operation.add_permission(shape.permission("create"), Some("`mode` is `create` or `upsert`".to_owned()));
        operation.add_permission(shape.permission("delete"), Some("`mode` is `delete`".to_owned()));
        operation.add_permission(read, Some("`mode` is `update`, `upsert` or `delete`".to_owned()));
        if shape.extensible {
            operation.add_permission(BINDING.to_owned(), Some("a record is made by another system's id".to_owned()));
        }
    } else if operation.method == Method::PUT && operation.path.contains("{external_id}") {
        operation.add_permission(shape.permission("create"), Some("there is no such record yet".to_owned()));
        operation.add_permission(BINDING.to_owned(), Some("there is no such record yet".to_owned()));
        operation.add_permission(read, Some("there is one already".to_owned()));
    }
    if shape.subject().is_some() {
        let about = format!(
            "\n\nOf {} about records the caller may read, by the permission to read their resource.",
            shape.plural.replace('_', " ")
        );
        operation.description.push_str(&about);
    }
    references(operation, shape, shapes);
}

/// Adds what the records take that a body of the resource names.
fn references(operation: &mut Operation, shape: &Shape, shapes: &Shapes) {
    let input = operation.body.as_ref().map(|b| b.schema.clone()).unwrap_or_default();
    let takes_record = ["Input", "Patch", "Batch"].iter().any(|end| input.strip_suffix(end) == Some(shape.type_name));
    if !takes_record {
        return;
    }
    if shape.owned {
        operation.add_permission(shape.permission("assign"), Some("the body gives the record another owner or team".to_owned()));
    }
    let is_own = |any: &&AnyReference| shape.subject() != Some(*any) && shape.field(any.id).is_some_and(|f| !f.read_only);
    for any in shape.any_references.iter().filter(is_own) {
        let about = format!(
            "\n\nThe record that `{}` and `{}` name must be visible: that takes the permission to read its resource.",
            any.resource, any.id
        );
        operation.description.push_str(&about);
    }
    let creates = operation.method == Method::POST && input.ends_with("Input");
    for field in shape.fields.iter().filter(|f| !f.read_only && !Shape::is_system_field(f.name)) {
        let Some(named) = other(shape, field.name, shapes).filter(|s| s.owned || !s.parents.is_empty()) else { continue };
        let (when, member) = when(field, creates).unzip();
        operation.add_permission_with(named.permission("read"), when, member);
    }
}

/// When a field of a body names a record, and the member that does; always when none.
fn when(field: &Field, creates: bool) -> Option<(String, &'static str)> {
    (!(creates && field.required)).then(|| (format!("the body names a record in `{}`", field.name), field.name))
}

fn other(shape: &Shape, field: &str, shapes: &Shapes) -> Option<&'static Shape> {
    shape.field(field).and_then(|f| f.reference).and_then(|many| shapes.get(many).copied())
}
