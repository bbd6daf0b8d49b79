//! References between records: which field names which record, and what deleting the named record does.
//!
//! Read once from each resource's schema (`x-reference`), from its [`ANY_REFERENCES`](crate::resource::Resource::ANY_REFERENCES) and from [`Resource::ON_DELETE`](crate::resource::Resource::ON_DELETE). The
//! kernel checks references when they change, refuses to delete what is in use, and refuses to restore a record without its parent.

use crate::shape::{Shape, inline};
use serde_json::{Map, Value};

/// What deleting a record does to the records that name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// Deleting is refused while a living record names it. The rule of every reference that declares none.
    Refuse,
    /// Deleting is refused while a living record in one of these states names it.
    RefuseIn(&'static [&'static str]),
    /// Deleting is refused while one of these numbers of a record that names it is not zero.
    RefuseUnlessZero(&'static [&'static str]),
    /// The record belongs to it: it is hidden with it, and is not restored without it. The rule of `PARENTS`.
    Follow,
    /// The reference stays as history. The rule of logs and of fields that only operations set.
    Keep,
}

impl OnDelete {
    /// The rule as it is published.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Refuse => "refuse".to_owned(),
            Self::RefuseIn(states) => format!("refuse while {}", states.join(", ")),
            Self::RefuseUnlessZero(fields) => format!("refuse unless {} are 0", fields.join(" and ")),
            Self::Follow => "follow".to_owned(),
            Self::Keep => "keep".to_owned(),
        }
    }
}

/// A reference to a record of any of several resources, by two fields: the plural of its resource and its id.
///
/// Both are there, or neither. The kernel refuses what is not there or not visible as it refuses any reference, publishes which resources
/// may be named, and answers the record by `expand`, under the name of the id's field without `_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnyReference {
    /// The field of the resource: `related_resource`.
    pub resource: &'static str,
    /// The field of the id: `related_id`.
    pub id: &'static str,
    /// The resources whose records it may name.
    pub targets: Targets,
    /// Whether it may be given the id of a deleted record.
    pub is_deleted_allowed: bool,
}

/// Resources whose records a reference may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// All there are, but for logs.
    All,
    /// Those whose records have tags, custom fields and external references.
    Extensible,
    /// Those of `Extensible` that stand by themselves, are visible by owner, and are about no other record in turn: customers and the business
    /// with them, which activities are about.
    Business,
    /// Those whose records are persons, by [`DATA_SUBJECT`](crate::resource::Resource::DATA_SUBJECT).
    Persons,
    /// These, by their plurals.
    Of(&'static [&'static str]),
}

impl Targets {
    /// Whether records of a resource may be named.
    #[must_use]
    pub fn include(self, shape: &Shape) -> bool {
        match self {
            Self::All => !shape.append_only,
            Self::Extensible => shape.extensible,
            Self::Business => shape.extensible && !shape.nested && !shape.visible_through.is_empty() && !shape.is_about_others(),
            Self::Persons => shape.data_subject.contains(&"id"),
            Self::Of(these) => these.contains(&shape.plural),
        }
    }

    /// The plurals of those of all resources, sorted.
    #[must_use]
    pub fn names<'a>(self, all: impl IntoIterator<Item = &'a &'static Shape>) -> Vec<&'static str> {
        let mut names: Vec<_> = all.into_iter().filter(|shape| self.include(shape)).map(|shape| shape.plural).collect();
        names.sort_unstable();
        names
    }
}

impl AnyReference {
    /// A reference by these two fields to a living record.
    #[must_use]
    pub const fn new(resource: &'static str, id: &'static str, targets: Targets) -> Self {
        Self { resource, id, targets, is_deleted_allowed: false }
    }

    /// The same, which may name a deleted record, too.
    #[must_use]
    pub const fn or_deleted(self) -> Self {
        Self { is_deleted_allowed: true, ..self }
    }

    /// Its name in `expand`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.id.strip_suffix("_id").unwrap_or(self.id)
    }
}

/// What a reference names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Records of this resource.
    One(&'static str),
    /// Records of the resource that another field of the record says.
    Any(AnyReference),
}

impl Target {
    /// Whether it names records of a resource, as far as can be said of all records.
    #[must_use]
    pub fn includes(self, shape: &Shape) -> bool {
        match self {
            Self::One(many) => many == shape.plural,
            Self::Any(any) => any.targets.include(shape),
        }
    }

    /// The resource it names in a record.
    #[must_use]
    pub fn of<'a>(&'a self, record: &'a Map<String, Value>) -> Option<&'a str> {
        match self {
            Self::One(many) => Some(many),
            Self::Any(any) => record.get(any.resource).and_then(Value::as_str),
        }
    }
}

/// A field that names another record.
#[derive(Clone, Debug)]
pub struct Reference {
    /// Where it stands: `price_book_id`, or `lines.product_id` for a field of each line.
    pub path: &'static str,
    /// What it names.
    pub target: Target,
    /// What it holds of the named record: `id`, or a code that people know it by.
    pub key: &'static str,
    /// Whether clients write it. What operations set is not checked again.
    pub is_written: bool,
    /// Whether the field is a column of its own.
    pub is_column: bool,
    /// What deleting the named record does.
    pub on_delete: OnDelete,
}

impl Reference {
    /// Whether its values are kept beside the record for look-ups: those within lists and lines, and those that count in some states
    /// only, which are kept while the record is in one of them. Of the records that name one in two fields there are few: those are asked
    /// for their state.
    #[must_use]
    pub const fn is_indexed_apart(&self) -> bool {
        match self.on_delete {
            OnDelete::RefuseIn(_) => matches!(self.target, Target::One(_)),
            OnDelete::Refuse => !self.is_column,
            OnDelete::RefuseUnlessZero(_) | OnDelete::Follow | OnDelete::Keep => false,
        }
    }

    /// The ids or codes a record holds here, in order, without repetitions.
    #[must_use]
    pub fn values<'a>(&self, record: &'a Map<String, Value>) -> Vec<&'a str> {
        let (first, rest) = self.path.split_once('.').unwrap_or((self.path, ""));
        let mut found = vec![];
        if let Some(value) = record.get(first) {
            collect(value, rest, &mut found);
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn collect<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Array(all) => all.iter().for_each(|one| collect(one, path, found)),
        Value::String(text) if path.is_empty() => found.push(text),
        Value::Object(map) => {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            if let Some(inner) = map.get(first) {
                collect(inner, rest, found);
            }
        }
        _ => {}
    }
}

/// The references within a field's schema: path, target, and whether clients write it.
pub(crate) fn within(
    schema: &Value,
    components: &[(String, Value)],
    path: &str,
    is_written: bool,
    depth: usize,
    found: &mut Vec<(String, String, bool)>,
) {
    // Components that hold themselves, such as filters, hold no references.
    if depth > 8 {
        return;
    }
    let is_written = is_written && schema["readOnly"] != true;
    if let Some(target) = schema["x-reference"].as_str() {
        found.push((path.to_owned(), target.to_owned(), is_written));
        return;
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        if let Some((_, part)) = components.iter().find(|(n, _)| n == name) {
            within(&inline(part, components), components, path, is_written, depth + 1, found);
        }
        return;
    }
    if schema["items"].is_object() {
        within(&schema["items"], components, path, is_written, depth + 1, found);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        within(inner, components, &format!("{path}.{name}"), is_written, depth + 1, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reference(path: &'static str) -> Reference {
        Reference { path, target: Target::One("products"), key: "id", is_written: true, is_column: false, on_delete: OnDelete::Refuse }
    }

    #[test]
    fn values_of_a_path_through_lists_are_found_once() {
        let record = json!({"lines": [{"product_id": "b", "allocations": [{"warehouse_id": "w"}]}, {"product_id": "a"}, {"product_id": "b"}],
            "role_ids": ["y", "x"], "parent_id": null});
        let Value::Object(record) = record else { panic!("an object") };
        assert_eq!(reference("lines.product_id").values(&record), ["a", "b"]);
        assert_eq!(reference("lines.allocations.warehouse_id").values(&record), ["w"]);
        assert_eq!(reference("role_ids").values(&record), ["x", "y"]);
        assert!(reference("parent_id").values(&record).is_empty() && reference("missing.id").values(&record).is_empty());
    }

    #[test]
    fn references_are_found_in_parts_and_lists() {
        let components = vec![(
            "Line".to_owned(),
            json!({"type": "object", "properties": {"product_id": {"x-reference": "products"}, "seen_id": {"x-reference": "users", "readOnly": true}}}),
        )];
        let mut found = vec![];
        let schema = json!({"type": "array", "items": {"$ref": "#/components/schemas/Line"}});
        within(&schema, &components, "lines", true, 0, &mut found);
        let wanted = [("lines.product_id", "products", true), ("lines.seen_id", "users", false)];
        assert_eq!(found, wanted.map(|(path, target, written)| (path.to_owned(), target.to_owned(), written)));
    }
}
