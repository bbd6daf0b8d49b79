//! A resource's shape: its fields as the kernel needs them, read once from the struct's own schema.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use crate::{
    error::FieldCode,
    error::nearest,
    privacy::PersonalData,
    reference::{self, AnyReference, OnDelete, Reference, Target},
    resource::{Derived, Details, Filled, Items, Link, Numbering, POSITION, Resource, Timeline, VisibleThrough},
    scalar::{Kind, ParseError, Scalar},
    text,
    timer::Timer,
    transition::Transition,
};
use serde_json::{Map, Value, json};

/// How protected a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// For every caller that sees the record.
    Open,
    /// About a private person.
    Personal,
    /// About money owed.
    Financial,
}

/// How a field sorts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sorting {
    /// It does not.
    No,
    /// By its value.
    Plain,
    /// By the sort key kept in the column `<name>_key`.
    Collated,
}

/// One field of a resource.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its one name: in JSON, in the table, in filters.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether only operations set it.
    pub read_only: bool,
    /// Whether it stays as it was made: see [`Resource::FIXED`].
    pub fixed: bool,
    /// The resource it points at.
    pub reference: Option<&'static str>,
    /// How protected it is.
    pub class: Class,
    /// What it says of the person the record belongs to.
    pub privacy_category: Option<PersonalData>,
    /// Whether that stays when the person is erased.
    pub is_retained: bool,
    /// The other fields it tells, by resource, name and class: their rules hold for it too.
    pub linked_fields: Vec<(&'static str, &'static str, Class)>,
    /// Whether lists can be filtered by it.
    pub filter: bool,
    /// Whether and how lists can be sorted by it.
    pub sorting: Sorting,
    /// Whether the search finds its text.
    pub searched: bool,
    /// The values it may have, for a closed set.
    pub options: Vec<String>,
    /// Its schema in requests, nothing referenced but objects.
    pub schema: Value,
    /// Whether a create must give it.
    pub required: bool,
}

impl Field {
    /// Whether it goes when the person the record belongs to is erased.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.privacy_category.is_some() && !self.is_retained
    }

    /// Whether it holds values by names of the client's choice, such as translations by language.
    #[must_use]
    pub fn is_map(&self) -> bool {
        self.schema["type"] == "object" && self.schema["additionalProperties"].is_object()
    }

    /// Whether it holds a list of names, such as the fields a change is of.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.schema["type"] == "array" && self.schema["items"]["type"] == "string"
    }

    /// Text that is compared with this field's, in the form the field is kept in.
    #[must_use]
    pub fn normal_form(&self, sought: String) -> String {
        if self.schema["format"] == text::VISIBLE { text::identifier(&sought).into_owned() } else { sought }
    }

    /// Reads a value of this field from a query parameter.
    pub fn parse(&self, text: &str) -> Result<Scalar, ParseError> {
        let value = match self.kind.parse(text)? {
            Scalar::Text(sought) => Scalar::Text(self.normal_form(sought)),
            other => other,
        };
        match &value {
            Scalar::Text(t) if !self.options.is_empty() && !self.options.contains(t) => {
                Err((FieldCode::UnknownValue, "one of the allowed values"))
            }
            _ => Ok(value),
        }
    }
}

/// A resource, described.
#[derive(Debug)]
pub struct Shape {
    /// Table and filter name: `price_books`.
    pub plural: &'static str,
    /// Singular: `price_book`.
    pub singular: &'static str,
    /// In paths and permissions: `price-books`.
    pub path: &'static str,
    /// In the document and in clients: `PriceBook`.
    pub type_name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Every stored field in the order of the answer.
    pub fields: Vec<Field>,
    /// The field people call the record by.
    pub title: &'static str,
    /// Seen by owner and team.
    pub owned: bool,
    /// Filters by the items of a list of the record.
    pub items: &'static [Items],
    /// Filters by linked records.
    pub links: &'static [Link],
    /// The ways in which its records are visible; to every caller with the permission to read it when there is none.
    pub visible_through: Vec<VisibleThrough>,
    /// Reference fields that lend visibility.
    pub parents: &'static [&'static str],
    /// References to a record of any of several resources.
    pub any_references: &'static [AnyReference],
    /// The fields that name the person the record belongs to; `id` where it is the person.
    pub data_subject: &'static [&'static str],
    /// Reached below its parents only, with their permissions.
    pub nested: bool,
    /// Has tags, custom fields and external references.
    pub extensible: bool,
    /// Where the resource's own fields begin: after id, version, times, authors and owner.
    pub first_own_field: usize,
    /// Append-only: no version, no change, no delete.
    pub append_only: bool,
    /// The field that holds the state.
    pub status: Option<&'static str>,
    /// Sets of fields no two living records share.
    pub unique: &'static [&'static [&'static str]],
    /// Fields whose text is the same whatever its case, where it must be unique.
    pub caseless: &'static [&'static str],
    /// Sets of fields no two living records share from now on.
    pub distinct: &'static [&'static [&'static str]],
    /// Sets of fields by which two records are probably of the same thing.
    pub possible_duplicates: &'static [&'static [&'static str]],
    /// The fields within which its records are in an order of their own.
    pub ordered: Option<&'static [&'static str]>,
    /// See [`Resource::DERIVED`].
    pub derived: &'static [Derived],
    /// See [`Resource::FILLED`].
    pub filled: &'static [Filled],
    /// How its records stand on timelines.
    pub timeline: Option<Timeline>,
    /// The field and its value by which records are their owner's alone.
    pub private: Option<(&'static str, &'static str)>,
    /// How its records are numbered, and the name of the series.
    pub number: Option<(Numbering, &'static str)>,
    /// Flags that only one record of a set has, and the fields that make the set.
    pub one_of: &'static [(&'static str, &'static [&'static str])],
    /// The fields that name other records, also those within lists and lines.
    pub references: Vec<Reference>,
    /// Fields that stay as they are while other records rely on this one.
    pub fixed_in_use: &'static [&'static str],
    /// The most levels of its hierarchies.
    pub max_levels: usize,
    /// The actions on its records, with the states that allow each.
    pub transitions: &'static [Transition],
    /// What is done to its records by itself when a moment of theirs has come.
    pub timers: &'static [Timer],
    /// Records that belong to one and may be answered with it.
    pub details: &'static [Details],
    /// What a create may ask for beside the fields.
    pub create_options: &'static [(&'static str, &'static str)],
    /// The types of the events about it.
    pub events: Vec<&'static str>,
    /// Object schemas its fields point at, by name.
    pub components: Vec<(String, Value)>,
    /// An example, over what the fields' own examples say.
    pub example: Value,
    /// What an example of an update changes of it.
    pub example_change: Value,
}

/// The fields every record begins with.
const SYSTEM_FIELDS: &[&str] = &["id", "version", "created_at", "created_by_id", "updated_at", "updated_by_id"];
/// The fields every extensible record ends with.
pub const EXTENSION_FIELDS: &[&str] = &["tags", "custom", "external_refs"];

impl Shape {
    /// Reads the shape of `T`. Made once for each resource and kept for the life of the process.
    ///
    /// # Panics
    /// When a list of the resource names a field it does not have: a mistake in the resource, found by every test.
    #[must_use]
    pub fn of<T: Resource>() -> &'static Self {
        Box::leak(Box::new(Self::read::<T>()))
    }

    /// The same for a resource that is reached below its parents only.
    ///
    /// # Panics
    /// As `of`.
    #[must_use]
    pub fn nested<T: Resource>() -> &'static Self {
        assert!(!T::PARENTS.is_empty(), "{}: no parents", T::PLURAL);
        Box::leak(Box::new(Self { nested: true, ..Self::read::<T>() }))
    }

    fn read<T: Resource>() -> Self {
        let mut components = vec![];
        T::schemas(&mut components);
        let components: Vec<(String, Value)> = components.into_iter().map(|(n, s)| (n, json!(s))).collect();
        let own = json!(T::schema());
        let mut fields: Vec<Field> =
            system_field_schemas(T::OWNED, T::APPEND_ONLY).into_iter().map(|(n, s)| field(n, &s, &[], Self::is_system_field(n))).collect();
        let begin = fields.len();
        let required: Vec<&str> = own["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for (name, schema) in own["properties"].as_object().into_iter().flatten() {
            let mut made = field(leak(name), schema, &components, false);
            made.required = required.contains(&name.as_str()) && !made.nullable && !made.read_only;
            fields.push(made);
        }
        if T::EXTENSIBLE {
            fields.extend(extension_schemas().into_iter().map(|(n, s)| field(n, &s, &[], n == "external_refs")));
        }
        if let Some(numbering) = T::NUMBER {
            let mut number = fields.iter_mut().find(|f| f.name == Numbering::FIELD && f.read_only && !f.nullable);
            assert!(number.is_some(), "{}: a read-only `number`", T::PLURAL);
            if let Some(field) = number.as_mut() {
                let words = field.schema["description"].as_str().unwrap_or_default();
                field.schema["description"] = json!(format!("{words} {}", numbering.describe()));
            }
        }
        let lists = [T::FILTERS, T::SORTS, T::COLLATED, T::SEARCHED, T::PERSONAL_FIELDS, T::FINANCIAL_FIELDS, T::PARENTS];
        let personal = || T::PRIVACY_CATEGORIES.iter().flat_map(|(what, names)| names.iter().map(|name| (*what, *name)));
        for name in lists
            .into_iter()
            .flatten()
            .chain(T::LINKED_FIELDS.iter().copied().flatten().filter(|name| !name.contains('.')))
            .chain(T::UNIQUE.iter().chain(T::DISTINCT).chain(T::POSSIBLE_DUPLICATES).copied().flatten())
            .chain(T::ONE_OF.iter().flat_map(|(flag, within)| within.iter().chain([flag])))
            .chain(T::FIXED.iter().chain(T::FIXED_IN_USE).chain(T::CASELESS).chain(T::ORDERED.into_iter().flatten()))
            .chain(T::DATA_SUBJECT.iter().map(|name| name.split_once('.').map_or(*name, |(field, _)| field)).collect::<Vec<_>>().iter())
            .chain(personal().map(|(_, name)| name).collect::<Vec<_>>().iter())
            .chain(T::STATUS.iter())
            .chain(T::ITEMS.iter().map(|items| &items.field))
            .chain(T::ANY_REFERENCES.iter().flat_map(|any| [&any.resource, &any.id]))
        {
            assert!(fields.iter().any(|f| f.name == *name), "{}: no field {name}", T::PLURAL);
        }
        assert!(!T::APPEND_ONLY || T::EVENTS.is_empty(), "{}: a log has no events", T::PLURAL);
        for timer in T::TIMERS {
            let is_moment = fields.iter().any(|f| f.name == timer.at && f.kind == Kind::Time);
            let states = T::STATUS.and_then(|status| fields.iter().find(|f| f.name == status)).map(|f| f.options.as_slice());
            let is_state = states.is_some_and(|states| states.iter().any(|state| state == timer.state));
            assert!(is_moment && is_state, "{}: the timer {} has no moment or no state", T::PLURAL, timer.verb);
        }
        assert!(T::PRIVACY_CATEGORIES.is_empty() || !T::DATA_SUBJECT.is_empty(), "{}: whose personal data", T::PLURAL);
        assert!(
            T::RETAINED_AFTER_ERASURE.iter().all(|name| personal().any(|(_, p)| p == *name)),
            "{}: what stays is personal data",
            T::PLURAL
        );
        let (example, example_change) = (T::example(), T::example_change());
        for name in [&example, &example_change].into_iter().filter_map(Value::as_object).flat_map(Map::keys) {
            assert!(fields.iter().any(|f| f.name == name), "{}: no field {name}", T::PLURAL);
        }
        if let Some(within) = T::ORDERED {
            let of = |name: &str| fields.iter().find(|f| f.name == name);
            assert!(
                of(POSITION).is_some_and(|f| f.read_only && !f.nullable && f.kind == Kind::Int),
                "{}: a read-only `position`",
                T::PLURAL
            );
            let stays = |name: &&&str| of(name).is_some_and(|f| f.read_only) || T::FIXED.contains(*name);
            assert!(within.iter().all(|name| stays(&name)), "{}: what an order is within does not change", T::PLURAL);
        }
        for derived in T::DERIVED {
            let of = |name: &str| fields.iter().find(|f| f.name == name);
            let is_filled = of(derived.field).is_some_and(|f| f.read_only) && of(derived.reference).is_some_and(|f| f.reference.is_some());
            assert!(is_filled, "{}: {} is read-only and {} a reference", T::PLURAL, derived.field, derived.reference);
        }
        for filled in T::FILLED {
            let is_reference = fields.iter().any(|f| f.name == filled.field && f.nullable && f.reference.is_some());
            let is_named = T::ANY_REFERENCES.iter().any(|any| any.id == filled.reference);
            assert!(is_reference && is_named, "{}: {} is a reference that {} fills", T::PLURAL, filled.field, filled.reference);
        }
        if let Some(timeline) = T::TIMELINE {
            let is_moment = fields.iter().any(|f| f.name == timeline.at && f.kind == Kind::Time && !f.nullable);
            let is_user = fields.iter().any(|f| f.name == timeline.actor && f.kind == Kind::Id);
            let is_text = timeline.summary.is_none_or(|name| fields.iter().any(|f| f.name == name && f.kind == Kind::Text));
            assert!(is_moment && is_user && is_text, "{}: its timeline names fields there are not", T::PLURAL);
        }
        if let Some((name, value)) = T::PRIVATE {
            let is_option = fields.iter().any(|f| f.name == name && !f.nullable && f.options.iter().any(|option| option == value));
            assert!(is_option && T::OWNED, "{}: {name} has no value {value}, or nobody owns a record", T::PLURAL);
        }
        for any in T::ANY_REFERENCES {
            let of = |name: &str| fields.iter().find(|f| f.name == name).map(|f| (f.nullable, f.read_only));
            assert!(of(any.resource) == of(any.id), "{}: {} and {} are there together", T::PLURAL, any.resource, any.id);
        }
        for f in &mut fields {
            f.filter = T::FILTERS.contains(&f.name)
                || matches!(f.name, "id" | "created_at" | "updated_at" | "owner_id" | "team_id")
                || T::ANY_REFERENCES.iter().any(|any| any.id == f.name);
            f.searched = T::SEARCHED.contains(&f.name);
            f.fixed = T::FIXED.contains(&f.name);
            assert!(!f.fixed || !f.read_only, "{}: {} is written by operations only", T::PLURAL, f.name);
            f.sorting = match f.name {
                n if T::COLLATED.contains(&n) => Sorting::Collated,
                n if T::SORTS.contains(&n) || matches!(n, "id" | "created_at" | "updated_at") => Sorting::Plain,
                POSITION if T::ORDERED.is_some() => Sorting::Plain,
                _ => Sorting::No,
            };
            f.privacy_category = personal().find(|(_, name)| *name == f.name).map(|(what, _)| what);
            f.is_retained = T::RETAINED_AFTER_ERASURE.contains(&f.name);
            f.class = match f.name {
                n if T::PERSONAL_FIELDS.contains(&n) => Class::Personal,
                n if T::FINANCIAL_FIELDS.contains(&n) => Class::Financial,
                _ => Class::Open,
            };
        }
        for set in T::LINKED_FIELDS {
            let named = |name: &'static str| match name.split_once('.') {
                Some((many, field)) if many != T::PLURAL => (many, field, Class::Open),
                own => {
                    let name = own.map_or(name, |(_, field)| field);
                    (T::PLURAL, name, fields.iter().find(|f| f.name == name).map_or(Class::Open, |f| f.class))
                }
            };
            let all: Vec<_> = set.iter().map(|name| named(name)).collect();
            for f in fields.iter_mut().filter(|f| all.iter().any(|(many, name, _)| (*many, *name) == (T::PLURAL, f.name))) {
                f.linked_fields.extend(all.iter().copied().filter(|(many, name, _)| (*many, *name) != (T::PLURAL, f.name)));
            }
        }
        let states = T::STATUS.and_then(|status| fields.iter().find(|f| f.name == status)).map_or(&[][..], |f| &f.options);
        for (i, t) in T::TRANSITIONS.iter().enumerate() {
            let is_state = |state: &str| states.iter().any(|known| known == state);
            assert!(t.from.iter().chain(&t.to).all(|state| is_state(state)), "{}: {} names a state there is not", T::PLURAL, t.verb);
            assert!(T::TRANSITIONS.iter().skip(i + 1).all(|other| other.verb != t.verb), "{}: {} twice", T::PLURAL, t.verb);
        }
        let references = references::<T>(&fields, &components);
        let erased = fields.iter().any(Field::is_erased).then_some("erased");
        Self {
            plural: T::PLURAL,
            singular: T::SINGULAR,
            path: leak(&T::PLURAL.replace('_', "-")),
            type_name: leak(&camel(T::SINGULAR)),
            description: T::DESCRIPTION,
            title: T::TITLE,
            owned: T::OWNED,
            items: T::ITEMS,
            links: T::LINKS,
            visible_through: ways::<T>(&fields),
            fields,
            parents: T::PARENTS,
            any_references: T::ANY_REFERENCES,
            data_subject: T::DATA_SUBJECT,
            nested: false,
            extensible: T::EXTENSIBLE,
            first_own_field: begin,
            append_only: T::APPEND_ONLY,
            status: T::STATUS,
            unique: T::UNIQUE,
            caseless: T::CASELESS,
            distinct: T::DISTINCT,
            possible_duplicates: T::POSSIBLE_DUPLICATES,
            ordered: T::ORDERED,
            derived: T::DERIVED,
            filled: T::FILLED,
            timeline: T::TIMELINE,
            private: T::PRIVATE,
            number: T::NUMBER.map(|numbering| (numbering, leak(&format!("{}_numbers", T::SINGULAR)))),
            one_of: T::ONE_OF,
            references,
            fixed_in_use: T::FIXED_IN_USE,
            max_levels: T::MAX_LEVELS,
            transitions: T::TRANSITIONS,
            timers: T::TIMERS,
            details: T::DETAILS,
            create_options: T::CREATE_OPTIONS,
            example,
            example_change,
            events: if T::APPEND_ONLY { vec![] } else { events_of(T::SINGULAR, erased, T::EVENTS, T::TRANSITIONS) },
            components: components
                .iter()
                .map(|(n, s)| (n.clone(), inline(s, &components)))
                .filter(|(_, s)| s["type"] == "object")
                .collect(),
        }
    }

    /// The state of a record; empty where the resource has none.
    #[must_use]
    pub fn state_of<'a>(&self, record: &'a Map<String, Value>) -> &'a str {
        self.status.and_then(|field| record.get(field)).and_then(Value::as_str).unwrap_or_default()
    }

    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The reference to a record of any of several resources whose id is in that field.
    #[must_use]
    pub fn any_reference(&self, id: &str) -> Option<&'static AnyReference> {
        self.any_references.iter().find(|any| any.id == id)
    }

    /// The reference to the record that alone lends its visibility, where that may be of any of several resources.
    #[must_use]
    pub fn subject(&self) -> Option<&'static AnyReference> {
        match self.visible_through.as_slice() {
            [VisibleThrough::Subject(id)] => self.any_reference(id),
            _ => None,
        }
    }

    /// Whether its records may be visible with a record of any of several resources.
    #[must_use]
    pub fn is_about_others(&self) -> bool {
        self.visible_through.iter().any(|way| matches!(way, VisibleThrough::Subject(_)))
    }

    /// The field of that name, or the nearest name.
    pub fn find(&self, name: &str) -> Result<&Field, Option<String>> {
        self.field(name).ok_or_else(|| nearest(name, &self.fields.iter().map(|f| f.name.to_owned()).collect::<Vec<_>>()))
    }

    /// Whether the record begins with this field whatever it is.
    #[must_use]
    pub fn is_system_field(name: &str) -> bool {
        SYSTEM_FIELDS.contains(&name)
    }

    /// The fields a create may send; a patch those of them that are not fixed.
    pub fn writable(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|f| !f.read_only)
    }

    /// The fields of whose values each has an index of its own with every order of a list: whose a record is, and its state.
    pub fn leading(&self) -> impl Iterator<Item = &Field> {
        let of = ["owner_id", "team_id"].into_iter().filter(|_| self.owned).chain(self.status);
        of.filter_map(|name| self.field(name))
    }

    /// The resources, as paths and permissions call them, whose permissions hold for it: its own, or those of its parents where it is nested.
    #[must_use]
    pub fn permitting(&self) -> Vec<String> {
        if !self.nested {
            return vec![self.path.to_owned()];
        }
        self.parents.iter().filter_map(|name| self.field(name)?.reference).map(|many| many.replace('_', "-")).collect()
    }

    /// The fields by which its records form a tree: those a client writes that name a record of the resource itself.
    pub fn hierarchies(&self) -> impl Iterator<Item = &Reference> {
        self.references.iter().filter(|r| r.is_column && r.is_written && r.key == "id" && r.target == Target::One(self.plural))
    }

    /// Whether lists have a parameter of this name that filters them.
    #[must_use]
    pub fn is_filtered_by(&self, name: &str) -> bool {
        self.fields.iter().any(|f| f.filter && f.name == name)
            || self.items.iter().any(|items| items.name == name)
            || self.links.iter().any(|link| link.name == name)
            || self.extensible && name == "tags"
    }

    /// Whether it has values that are kept beside its records: tags, custom fields, items of lists, references within lists and lines.
    #[must_use]
    pub fn has_indexed_values(&self) -> bool {
        self.extensible || !self.items.is_empty() || self.references.iter().any(Reference::is_indexed_apart)
    }

    /// The permission for a verb: `price-books:read`.
    #[must_use]
    pub fn permission(&self, verb: &str) -> String {
        format!("{}:{verb}", self.path)
    }
}

/// The references of a resource, with what deleting does.
fn references<T: Resource>(fields: &[Field], components: &[(String, Value)]) -> Vec<Reference> {
    let mut all = vec![];
    for field in fields.iter().filter(|f| !Shape::is_system_field(f.name)) {
        let mut found = vec![];
        reference::within(&field.schema, components, field.name, !field.read_only && !T::APPEND_ONLY, 0, &mut found);
        for (path, target, is_written) in found {
            let declared = T::ON_DELETE.iter().find(|(name, _)| *name == path).map(|(_, rule)| *rule);
            let on_delete = match declared {
                Some(rule) => rule,
                None if T::PARENTS.contains(&path.as_str()) && !T::APPEND_ONLY => OnDelete::Follow,
                None if is_written => OnDelete::Refuse,
                None => OnDelete::Keep,
            };
            let is_column = path == field.name && field.kind == Kind::Id;
            all.push(Reference { path: leak(&path), target: Target::One(leak(&target)), key: "id", is_written, is_column, on_delete });
        }
    }
    for any in T::ANY_REFERENCES {
        let is_written = !T::APPEND_ONLY && fields.iter().any(|f| f.name == any.id && !f.read_only);
        let declared = T::ON_DELETE.iter().find(|(name, _)| *name == any.id).map(|(_, rule)| *rule);
        let on_delete = declared.unwrap_or(if is_written { OnDelete::Refuse } else { OnDelete::Keep });
        all.push(Reference { path: any.id, target: Target::Any(*any), key: "id", is_written, is_column: true, on_delete });
    }
    for (field, named, on_delete) in T::NAMES {
        let (target, key) = named.split_once('.').unwrap_or((named, "id"));
        assert!(fields.iter().any(|f| f.name == *field), "{}: no field {field}", T::PLURAL);
        all.push(Reference { path: field, target: Target::One(target), key, is_written: true, is_column: true, on_delete: *on_delete });
    }
    for (path, _) in T::ON_DELETE {
        assert!(all.iter().any(|r| r.path == *path), "{}: {path} refers to nothing", T::PLURAL);
    }
    all
}

/// `price_book` as `PriceBook`.
#[must_use]
pub fn camel(snake: &str) -> String {
    snake
        .split(['_', '-'])
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
        })
        .collect()
}

/// The ways in which records of `T` are visible.
///
/// # Panics
/// When they are said twice, or name what the resource does not have: a mistake in the resource, found by every test.
fn ways<T: Resource>(fields: &[Field]) -> Vec<VisibleThrough> {
    if T::VISIBLE_THROUGH.is_empty() {
        assert!(!T::OWNED || T::PARENTS.is_empty(), "{}: visible in several ways, so VISIBLE_THROUGH lists them", T::PLURAL);
        let owner = T::OWNED.then_some(VisibleThrough::Owner);
        return owner.into_iter().chain(T::PARENTS.iter().map(|field| VisibleThrough::Parent(field))).collect();
    }
    for (i, way) in T::VISIBLE_THROUGH.iter().enumerate() {
        assert!(T::VISIBLE_THROUGH.iter().skip(i + 1).all(|other| other != way), "{}: {way:?} twice", T::PLURAL);
        let sound = match way {
            VisibleThrough::Owner => T::OWNED,
            VisibleThrough::Parent(field) => fields.iter().any(|f| f.name == *field && f.reference.is_some()),
            VisibleThrough::Subject(id) => T::ANY_REFERENCES.iter().any(|any| any.id == *id),
            VisibleThrough::Linked(..) => true,
        };
        assert!(sound, "{}: {way:?} is not there", T::PLURAL);
    }
    assert!(!T::OWNED || T::VISIBLE_THROUGH.contains(&VisibleThrough::Owner), "{}: its owner sees it", T::PLURAL);
    assert!(
        T::PARENTS.iter().all(|field| T::VISIBLE_THROUGH.contains(&VisibleThrough::Parent(field))),
        "{}: its parents lend it their visibility",
        T::PLURAL
    );
    T::VISIBLE_THROUGH.to_vec()
}

fn events_of(one: &str, erased: Option<&str>, own: &[&'static str], transitions: &[Transition]) -> Vec<&'static str> {
    let all = ["created", "updated", "deleted", "restored"].into_iter().chain(erased).chain(transitions.iter().filter_map(|t| t.event));
    let mut events: Vec<&'static str> = vec![];
    for event in all.map(|what| leak(&format!("{one}.{what}"))).chain(own.iter().copied()) {
        if !events.contains(&event) {
            events.push(event);
        }
    }
    events
}

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn field(name: &'static str, schema: &Value, components: &[(String, Value)], read_only: bool) -> Field {
    let schema = inline(schema, components);
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let kind = match types.iter().copied().find(|t| *t != "null") {
        Some("boolean") => Kind::Bool,
        Some("integer") => Kind::Int,
        Some("string") => match (schema["format"].as_str(), schema["x-decimal"].as_str()) {
            (Some("uuid"), _) => Kind::Id,
            (Some("date-time"), _) => Kind::Time,
            (Some("date"), _) => Kind::Date,
            (_, Some("quantity")) => Kind::Decimal { least: 0 },
            (_, Some(_)) => Kind::Decimal { least: 2 },
            _ => Kind::Text,
        },
        _ => Kind::Json,
    };
    Field {
        name,
        kind,
        nullable: types.contains(&"null"),
        read_only: read_only || schema["readOnly"] == true,
        fixed: false,
        reference: schema["x-reference"].as_str().map(leak),
        class: Class::Open,
        privacy_category: None,
        is_retained: false,
        linked_fields: vec![],
        filter: false,
        sorting: Sorting::No,
        searched: false,
        options: schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        required: false,
        schema,
    }
}

/// Replaces references to scalars by what they mean, and `oneOf [null, X]` by a nullable X: clients are generated
/// wrongly from either. References to objects stay.
#[must_use]
pub fn inline(schema: &Value, components: &[(String, Value)]) -> Value {
    let mut out = match schema {
        Value::Object(m) => m.clone(),
        other => return other.clone(),
    };
    if let Some(target) = out.get("$ref").and_then(Value::as_str).and_then(|r| r.rsplit('/').next()) {
        if let Some((_, found)) = components.iter().find(|(n, _)| n == target).filter(|(_, s)| s["type"] != "object") {
            return merge(inline(found, components), &out);
        }
        return schema.clone();
    }
    if let Some(Value::Array(branches)) = out.get("oneOf").cloned() {
        let (nulls, rest): (Vec<_>, Vec<_>) = branches.iter().partition(|b| b["type"] == "null");
        if let ([_], [only]) = (nulls.as_slice(), rest.as_slice()) {
            let resolved = match only["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
                Some(name) => components.iter().find(|(n, _)| n == name).map_or_else(|| (*only).clone(), |(_, s)| s.clone()),
                None => (*only).clone(),
            };
            out.remove("oneOf");
            // The words of the use site may stand on either side of the `oneOf`.
            let words = only.as_object().cloned().unwrap_or_default();
            let mut made = merge(merge(inline(&resolved, components), &words), &out);
            let base = made["type"].take();
            made["type"] = json!([base, "null"]);
            if let Some(Value::Array(options)) = made.get_mut("enum") {
                options.push(Value::Null);
            }
            return made;
        }
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = out.get(key).filter(|v| v.is_object()).map(|v| inline(v, components)) {
            out.insert(key.into(), inner);
        }
    }
    // What is said of a list stands at its items: utoipa writes `read_only` of a `Vec` there.
    let ours = out.get_mut("items").and_then(Value::as_object_mut).and_then(|items| items.remove("readOnly"));
    out.extend(ours.map(|ours| ("readOnly".to_owned(), ours)));
    if let Some(Value::Object(properties)) = out.get("properties") {
        let properties: Map<String, Value> = properties.iter().map(|(n, s)| (n.clone(), inline(s, components))).collect();
        out.insert("properties".into(), Value::Object(properties));
    }
    Value::Object(out)
}

/// The words of the use site (description, readOnly, default) win over those of the type.
fn merge(mut base: Value, over: &Map<String, Value>) -> Value {
    if let Value::Object(m) = &mut base {
        m.extend(over.iter().filter(|(k, _)| !matches!(k.as_str(), "$ref" | "oneOf")).map(|(k, v)| (k.clone(), v.clone())));
    }
    base
}

fn system_field_schemas(owned: bool, log: bool) -> Vec<(&'static str, Value)> {
    let mut all = vec![
        ("id", json!({"type": "string", "format": "uuid", "description": "UUIDv7. A client may supply it on create."})),
        (
            "version",
            json!({"type": "integer", "format": "int64", "minimum": 1, "description": "Counts the writes to the record; also its ETag."}),
        ),
        ("created_at", json!({"type": "string", "format": "date-time", "description": "When it was made, RFC 3339 in UTC."})),
        ("created_by_id", json!({"type": ["string", "null"], "format": "uuid", "description": "The user or API key that made it."})),
        ("updated_at", json!({"type": "string", "format": "date-time", "description": "When it last changed, RFC 3339 in UTC."})),
        (
            "updated_by_id",
            json!({"type": ["string", "null"], "format": "uuid", "description": "The user or API key that changed it last."}),
        ),
    ];
    if log {
        all.retain(|(name, _)| matches!(*name, "id" | "created_at" | "created_by_id"));
    }
    if owned {
        all.push(("owner_id", json!({"type": ["string", "null"], "format": "uuid", "x-reference": "users", "description": "The user responsible; the caller when left out on create."})));
        all.push(("team_id", json!({"type": ["string", "null"], "format": "uuid", "x-reference": "teams", "description": "The team responsible; the caller's first team when left out on create."})));
    }
    all
}

fn extension_schemas() -> Vec<(&'static str, Value)> {
    vec![
        (
            "tags",
            json!({"type": "array", "maxItems": 50, "items": {"type": "string", "minLength": 1, "maxLength": 50}, "description": "Free labels, kept in lower case and sorted."}),
        ),
        (
            "custom",
            json!({"type": "object", "maxProperties": 100, "additionalProperties": {}, "description": "Custom fields by key, as defined under /v1/custom-fields for this resource."}),
        ),
        (
            "external_refs",
            json!({"type": "array", "maxItems": 100, "items": {"$ref": "#/components/schemas/ExternalRef"}, "readOnly": true, "description": "What other systems call this record."}),
        ),
    ]
}
