//! What a resource is: one struct of fields, and the few facts about it that every floor of the house uses.

use crate::{
    privacy::PersonalData,
    reference::{AnyReference, OnDelete},
    scalar::Kind,
    timer::Timer,
    transition::{self, Transition},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

/// Records of another resource that belong to a record, and are answered with it by `expand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Details {
    /// The name by which they are asked for; they are a list of that name under `expanded`.
    pub name: &'static str,
    /// Their resource.
    pub resource: &'static str,
    /// Their field that names the record.
    pub field: &'static str,
    /// The state of those that are answered.
    pub status: &'static str,
    /// The state of the record in which the answer to a write has them unasked.
    pub unasked_in: &'static str,
}

/// A way in which a record of a resource is visible. A resource's records are visible in any of its ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisibleThrough {
    /// To callers whose reach covers its `owner_id` or `team_id`.
    Owner,
    /// To callers who see the record that this reference field names.
    Parent(&'static str),
    /// To callers who see a living record of another resource that names it: the resource and its field.
    Linked(&'static str, &'static str),
    /// To callers who see the record that one of its `ANY_REFERENCES` names, said by the field of the id; be that record deleted or not.
    Subject(&'static str),
}

/// A filter by the items of a list of a record, such as the products of an order's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items {
    /// The name of the filter: `product_id`.
    pub name: &'static str,
    /// The field that holds the list: `lines`.
    pub field: &'static str,
    /// The member of each item, or the item itself: `product_id`.
    pub member: Option<&'static str>,
}

/// A filter by the records that links name beside a record, such as the accounts of a contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The name of the filter: `account_id`.
    pub name: &'static str,
    /// The resource of the links: `account_contacts`.
    pub resource: &'static str,
    /// Its field that names the record: `contact_id`.
    pub own: &'static str,
    /// Its field that names the other: `account_id`.
    pub other: &'static str,
}

impl Items {
    /// The kind of the items: ids, or text.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if self.member.is_some_and(|member| member.ends_with("_id")) { Kind::Id } else { Kind::Text }
    }

    /// The key the values are indexed under.
    #[must_use]
    pub fn key(&self) -> String {
        format!("items.{}", self.name)
    }

    /// The items of a record, as they are indexed.
    pub fn of<'a>(&'a self, field: &'a Value) -> impl Iterator<Item = &'a str> {
        let item = |item: &'a Value| self.member.map_or(item, |member| &item[member]).as_str();
        field.as_array().into_iter().flatten().filter_map(item)
    }
}

/// The field that holds a record's place in its order; see [`Resource::ORDERED`].
pub const POSITION: &str = "position";

/// How the numbers of a resource's records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    /// What each begins with: `SO-`.
    pub prefix: &'static str,
    /// Digits, at least: 6 for `SO-000042`.
    pub width: usize,
}

impl Numbering {
    /// The field that holds the number.
    pub const FIELD: &'static str = "number";

    /// A number of the series, as it is written.
    #[must_use]
    pub fn write(self, number: i64) -> String {
        format!("{}{number:0width$}", self.prefix, width = self.width)
    }

    /// What the document says of the field.
    #[must_use]
    pub fn describe(self) -> String {
        format!(
            "Given by the server: `{}` and at least {} digits. Numbers rise and are never given twice; some may be missing.",
            self.prefix, self.width
        )
    }
}

/// A field that repeats a field of another record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The field that is kept equal: `account_id`.
    pub field: &'static str,
    /// The field that names the other record: `order_id`.
    pub reference: &'static str,
    /// The field of the other record, of the same type.
    pub from: &'static str,
}

impl Derived {
    /// What the document says of the field: `order_id.account_id`.
    #[must_use]
    pub fn describe(self) -> String {
        format!("{}.{}", self.reference, self.from)
    }
}

/// A field that the record named by a reference to any of several resources says, where that record has one: an activity about an order is of
/// the order's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The field, a reference: `account_id`.
    pub field: &'static str,
    /// One of `ANY_REFERENCES`, by its field of the id: `related_id`.
    pub reference: &'static str,
}

/// How a record stands on the timelines of the records it belongs to, under the field people call it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The field with its moment: a time that is never null. For each reference that timelines are read by there is an index of the reference
    /// and this field.
    pub at: &'static str,
    /// The field with its text, of which timelines show the beginning.
    pub summary: Option<&'static str>,
    /// The field that names the user who did it.
    pub actor: &'static str,
}

/// A kind of record. Its struct is declared once: the table's columns, the published `Thing`, `ThingInput` and
/// `ThingPatch`, its filters and its sorts all come from the struct's schema.
///
/// Fields marked `#[schema(read_only)]` are set by operations only. Every field a client may leave out is an
/// `Option` or has `#[serde(default)]`.
pub trait Resource: Serialize + DeserializeOwned + ToSchema + Validate + Clone + 'static {
    /// Table name and filter name, plural snake case: `price_books`. Paths and permissions use kebab case.
    const PLURAL: &'static str;
    /// Singular, snake case: `price_book`.
    const SINGULAR: &'static str;
    /// One sentence for the document.
    const DESCRIPTION: &'static str;
    /// Fields a list can be filtered by; each has an index.
    const FILTERS: &'static [&'static str] = &[];
    /// Filters by the items of a list of the record; indexed beside the record, as tags are. A migration fills them in for the records of before.
    const ITEMS: &'static [Items] = &[];
    /// Filters by the records that links name beside one.
    const LINKS: &'static [Link] = &[];
    /// Fields a list can be sorted by; each has an index.
    const SORTS: &'static [&'static str] = &[];
    /// Those of `SORTS` that are names: sorted as Thai, Persian and English readers expect, by a stored sort key.
    const COLLATED: &'static [&'static str] = &[];
    /// Fields whose text `q=` and `/v1/search` find.
    const SEARCHED: &'static [&'static str] = &[];
    /// Keeps records in an order of their own, among those with the same values of these fields: the children of a parent, or where none are
    /// named all records. Their field `position` (read-only) counts from 1 without holes: a new record comes last, those behind one that is
    /// deleted move up, one that is restored gets its place back, and `POST …/{id}/move` moves one. Lists of a parent's children, and of a
    /// resource with one order, are in it unless they are asked for otherwise.
    ///
    /// Each record that moves is an update, with a version and an event of its own: meant for orders that people make, of some hundred
    /// records at most. The fields never change, so they are read-only or `FIXED`.
    const ORDERED: Option<&'static [&'static str]> = None;
    /// How the server numbers its records: each gets the next number of a series of its own as it is made, in the field `number`. The
    /// series is `<singular>_numbers`, which a migration begins (`CREATE SERIES order_numbers`), with a unique index of the field.
    ///
    /// A number is never given twice, also when its record is deleted; some may be missing. It sorts as text, so the width is to be chosen
    /// with room. What is prepared apart (`bulk::prepare`) brings its numbers along.
    const NUMBER: Option<Numbering> = None;
    /// The field by which people call the record.
    const TITLE: &'static str = "name";
    /// Sets of fields no two living records share.
    const UNIQUE: &'static [&'static [&'static str]] = &[];
    /// Those of `UNIQUE` whose text is the same whatever the case of its letters A to Z, such as codes.
    const CASELESS: &'static [&'static str] = &[];
    /// Sets of fields no two living records share from now on: like `UNIQUE`, where records of before may. Not asked of what holds a null in
    /// all of the set.
    const DISTINCT: &'static [&'static [&'static str]] = &[];
    /// Sets of fields by which two records are probably of the same thing: the second is refused unless the request allows it. Not asked of
    /// what has no value in the first of the set; no value in another one may be any.
    const POSSIBLE_DUPLICATES: &'static [&'static [&'static str]] = &[];
    /// Flags that only one record of those with the same values of the other fields has: setting it takes it from the one before.
    const ONE_OF: &'static [(&'static str, &'static [&'static str])] = &[];
    /// What deleting a record does to this resource's records that name it, by the field that names it (`lines.product_id` for a field of
    /// each line). [`OnDelete::Refuse`] where none is declared.
    const ON_DELETE: &'static [(&'static str, OnDelete)] = &[];
    /// References to a record of any of several resources, each by two fields: the resource and the id. Lists are filtered by the id, which
    /// so needs an index; what deleting the record does is said in `ON_DELETE` by the field of the id.
    const ANY_REFERENCES: &'static [AnyReference] = &[];
    /// Fields that name another resource's records by a code, as `tax_code` names `tax_rates.code`, and what deleting those does.
    const NAMES: &'static [(&'static str, &'static str, OnDelete)] = &[];
    /// Fields that stay as they were made: a create takes them, an update does not. `PATCH` has no such fields; an upsert, or an item of a
    /// batch, may say the same again, and is refused with `not_allowed` when it says anything else.
    const FIXED: &'static [&'static str] = &[];
    /// Fields that stay as they are while other records rely on this one.
    const FIXED_IN_USE: &'static [&'static str] = &[];
    /// Fields that repeat a field of the record that a reference names, kept equal to it by the kernel. They are read-only, and give a record
    /// of a record the filters, the data subject and the visibility of the record above: a shipment has the account of its order.
    ///
    /// Each record that follows a change is an update with an event of its own: meant for fields that seldom change.
    const DERIVED: &'static [Derived] = &[];
    /// Reference fields that the record named by one of `ANY_REFERENCES` says: where it is a record of the resource that the field names, the
    /// field is its id; where it has a field of that name, the field is equal to that. The kernel fills in what a client leaves out, refuses
    /// another value (`not_of_account`) and keeps both equal.
    ///
    /// Clients write the field where the named record says nothing, or where none is named. A caller may name a record whose account it does not
    /// see: the field is not checked by itself then.
    const FILLED: &'static [Filled] = &[];
    /// How its records stand on timelines; none where they do not.
    const TIMELINE: Option<Timeline> = None;
    /// The most levels of a hierarchy: of records that name one another as parents.
    const MAX_LEVELS: usize = 20;
    /// Fields about a private person (hidden by field rules of class `personal`).
    const PERSONAL_FIELDS: &'static [&'static str] = &[];
    /// Fields about money owed (hidden by field rules of class `financial`).
    const FINANCIAL_FIELDS: &'static [&'static str] = &[];
    /// What its fields say of persons (`privacy.rs`): erased when the person is, listed in the register of processing.
    const PRIVACY_CATEGORIES: &'static [(PersonalData, &'static [&'static str])] = &[];
    /// Those of `PRIVACY_CATEGORIES` that stay when the person is erased, because the law wants the document they are on.
    const RETAINED_AFTER_ERASURE: &'static [&'static str] = &[];
    /// The fields that name the persons it says something of; `id` where the record is the person, and `order_id.contact_id` where the
    /// person is named by the record that a field points at. Whichever of them names a person who is erased, all of it is erased.
    const DATA_SUBJECT: &'static [&'static str] = &[];
    /// Sets of fields of which each tells the others, here or (`accounts.grade`) elsewhere: a field rule of one holds for all.
    const LINKED_FIELDS: &'static [&'static [&'static str]] = &[];
    /// Whether records have `owner_id` and `team_id`, and are seen by reach.
    const OWNED: bool = false;
    /// Reference fields whose record lends its visibility: this record is visible to callers that see one of them.
    const PARENTS: &'static [&'static str] = &[];
    /// The ways in which its records are visible, where it is more than what `OWNED` or `PARENTS` say by themselves; then all of them are
    /// listed here. A resource that says none of these is visible to every caller with the permission to read it.
    const VISIBLE_THROUGH: &'static [VisibleThrough] = &[];
    /// A field and its value: records with it are visible to the user in `owner_id` only, whatever the reach of other callers. Tasks
    /// of the server see them.
    const PRIVATE: Option<(&'static str, &'static str)> = None;
    /// Whether records carry `tags`, `custom` and `external_refs`.
    const EXTENSIBLE: bool = true;
    /// Whether it is an append-only log: no version, no change, no delete.
    const APPEND_ONLY: bool = false;
    /// What happens to its records besides being created, updated, deleted and restored, and besides what its `TRANSITIONS` tell: the
    /// types of those events, whole.
    const EVENTS: &'static [&'static str] = &[];
    /// The field that holds the state, if there is one.
    const STATUS: Option<&'static str> = None;
    /// The actions on its records, with the states that allow each and what it makes of the state. Their order is that of
    /// `available_actions`.
    const TRANSITIONS: &'static [Transition] = &[];
    /// What is done to its records by itself when a moment of theirs has come.
    const TIMERS: &'static [Timer] = &[];
    /// Records that belong to one and may be answered with it.
    const DETAILS: &'static [Details] = &[];
    /// What a create may ask for beside the fields, as true or false: the name and what it does. The create hook finds it in the record that
    /// was sent and takes it out; batches do not offer it.
    const CREATE_OPTIONS: &'static [(&'static str, &'static str)] = &[];

    /// Brings values to their one form (digits of a tax id, lower case of an e-mail) before rules and storing.
    fn normalise(&mut self) {}

    /// An example for the document, as a merge patch over what the fields' own examples say: what a create is sent, and with the
    /// fields that operations set what is answered. It is executed by the tests, so what it names must be another example's
    /// ([`crate::example::id`]).
    #[must_use]
    fn example() -> Value {
        json!({})
    }

    /// What an example of an update changes of it.
    #[must_use]
    fn example_change() -> Value {
        json!({})
    }

    /// The actions a state allows, by their verbs in the path.
    fn actions(state: &str) -> impl Iterator<Item = &'static str> {
        transition::verbs(Self::TRANSITIONS, state)
    }
}
