//! The operations of a collection: the same for every resource, so made and compiled once.

use super::{
    batch,
    example::Example,
    export,
    external::{by_external_id, external_ref, make_as},
    hooks::{Hook, ResourceHandler},
    operation::{Access, Body, Media, Operation, Parameter, RequestContext},
    query,
    reading::{by_number, one_of, page_of, written},
    response::Response,
    schemas::input,
};
use actix_web::http::Method;
use samphan_persistence::{
    ordering,
    record::{self, Record, expect_action, expect_version, id_of, version_of},
    store::{Reader, Work},
};
use samphan_resource::{
    error::{Code, Error},
    shape::{Shape, camel},
    transition,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use uuid::Uuid;

/// What a collection offers.
pub struct Endpoints {
    /// The resource.
    pub handler: ResourceHandler,
    /// Group in the document.
    pub tag: &'static str,
    /// Whether every write to a record needs If-Match.
    pub if_match_required: bool,
    /// A permission that restoring a record needs beside that of the operation.
    pub restore_also_requires: Option<&'static str>,
    /// The collection's address.
    pub base: String,
    /// The operations so far.
    pub operations: Vec<Operation>,
    /// Schemas of their inputs and answers beside the resource's own.
    pub schemas: Vec<(String, Value)>,
    /// Whether its records have external ids.
    external: bool,
    /// Whether it offers bulk operations.
    pub is_bulk: bool,
}

impl Endpoints {
    /// Nothing yet, at an address.
    pub fn of(table: ResourceHandler, tag: &'static str, base: String) -> Self {
        let external = table.shape.extensible && table.parent.is_none();
        Self {
            handler: table,
            tag,
            if_match_required: false,
            restore_also_requires: None,
            external,
            is_bulk: false,
            base,
            operations: vec![],
            schemas: vec![],
        }
    }

    fn permission(&self, verb: &str) -> String {
        match self.handler.parent {
            Some(p) => p.shape.permission(if verb == "read" { "read" } else { "update" }),
            None => self.handler.shape.permission(verb),
        }
    }

    /// `Account`, or `AccountAddress` for a nested collection: the noun of operation ids.
    fn noun(&self) -> String {
        let own = self.handler.shape.type_name;
        self.handler.parent.map_or_else(|| own.to_owned(), |parent| nested_noun(parent.shape.type_name, own))
    }

    fn nouns(&self) -> String {
        let own = camel(self.handler.shape.plural);
        self.handler.parent.map_or_else(|| own.clone(), |parent| nested_noun(parent.shape.type_name, &own))
    }

    /// What a record and many are called in sentences: `account address`, `account addresses`.
    fn words(&self) -> (String, String) {
        (spaced(&self.noun()), spaced(&self.nouns()))
    }

    /// List, get, search, export, and get by external id.
    pub(super) fn add_reads(&mut self) {
        let (one, many) = self.words();
        let (shape, tag, read) = (self.handler.shape, self.tag, self.permission("read"));
        let page = format!("{}Page", shape.type_name);
        let article = |rest: &str| format!("{rest} {}", shape.description);
        let table = self.handler.clone();
        self.operations.push(
            Operation::read(format!("list{}", self.nouns()), &self.base, async move |reader: &Reader, call: RequestContext| {
                let parent = table.resolve_parent(reader, &call, "read").await?;
                page_of(reader, table.shape, &query::parse_list_request(reader, table.shape, &call, parent).await?).await
            })
            .describe(tag, format!("List {many}"), article("One page, filtered, sorted and searched; the next page by `next_cursor`."))
            .query(query::list_parameters(shape))
            .requires(&read)
            .responds(200, &page),
        );
        let table = self.handler.clone();
        self.operations.push(
            Operation::read(
                format!("get{}", self.noun()),
                format!("{}/{{id}}", self.base),
                async move |reader: &Reader, call: RequestContext| {
                    let parent = table.resolve_parent(reader, &call, "read").await?;
                    let id = call.id(usize::from(parent.is_some()))?;
                    one_of(reader, table.shape, &call, id, parent).await
                },
            )
            .describe(tag, format!("Get {}", with_article(&one)), article("The record, with its ETag."))
            .query(query::read_parameters(shape))
            .requires(&read)
            .responds(200, shape.type_name)
            .etag(),
        );
        if self.handler.parent.is_some() {
            return;
        }
        let table = self.handler.clone();
        let mut search = Operation::read(
            format!("search{}", self.nouns()),
            format!("{}/search", self.base),
            async move |reader: &Reader, call: RequestContext| {
                page_of(reader, table.shape, &query::parse_list_request(reader, table.shape, &call, None).await?).await
            },
        )
        .describe(tag, format!("Search {many}"), "The same as the list, with the filter as JSON in the body and no limit on its length.")
        .body(Body { optional: true, ..Body::of("SearchRequest") })
        .requires(&read)
        .responds(200, page);
        search.method = Method::POST;
        self.operations.push(search);
        let export = self.permission("export");
        let held = export.clone();
        self.operations.push(
            Operation::unmanaged(
                format!("export{}", self.nouns()),
                Method::GET,
                format!("{}/export", self.base),
                async move |call: RequestContext| export::run(call, shape, &held).await,
            )
            .describe(tag, format!("Export {many} as CSV"), export::ABOUT)
            .query(export::parameters(shape))
            .requires(export)
            .media_type(Media::Csv),
        );
        if shape.field("number").is_some_and(|f| f.filter) {
            self.operations.push(
                Operation::read(
                    format!("get{}ByNumber", self.noun()),
                    format!("{}/by-number/{{number}}", self.base),
                    async move |reader: &Reader, call: RequestContext| by_number(reader, shape, &call).await,
                )
                .describe(tag, format!("Get {one} by number"), format!("The {one} with that document number."))
                .query(query::read_parameters(shape))
                .requires(&read)
                .responds(200, shape.type_name)
                .etag(),
            );
        }
        if self.external {
            let table = self.handler.clone();
            self.operations.push(
                Operation::read(
                    format!("get{}ByExternalId", self.noun()),
                    format!("{}/by-external-id/{{system}}/{{external_id}}", self.base),
                    async move |reader: &Reader, call: RequestContext| {
                        let id = by_external_id(reader, table.shape, &call).await?.ok_or_else(|| Error::from(Code::NotFound))?;
                        one_of(reader, table.shape, &call, id, None).await
                    },
                )
                .describe(tag, format!("Get {one} by external id"), format!("The {one} that this external id is mapped to."))
                .query(query::read_parameters(shape))
                .requires(read)
                .responds(200, shape.type_name)
                .etag(),
            );
        }
    }

    /// Get and update of the one record there is.
    pub(super) fn singleton(&mut self, id: Uuid) {
        let (shape, tag, required) = (self.handler.shape, self.tag, self.if_match_required);
        let (_, many) = self.words();
        let table = self.handler.clone();
        self.operations.push(
            Operation::read(format!("get{}", self.noun()), &self.base, async move |reader: &Reader, call: RequestContext| {
                one_of(reader, table.shape, &call, id, None).await
            })
            .describe(tag, format!("Get the {many}"), format!("The record, with its ETag. {}", shape.description))
            .query(query::read_parameters(shape))
            .requires(self.permission("read"))
            .responds(200, shape.type_name)
            .etag(),
        );
        let table = self.handler.clone();
        self.operations.push(
            Operation::write(format!("update{}", self.noun()), Method::PATCH, &self.base, async move |work: &Work, call: RequestContext| {
                let before = table.find(work, id, None, "update").await?;
                expect_version(call.if_match, version_of(&before))?;
                let after = table.patch(work, before, call.body).await?;
                Ok(Response::record(work, table.shape, &after))
            })
            .describe(tag, format!("Update the {many}"), "A JSON merge patch (RFC 7396): fields that are left out stay, null clears. A patch that changes nothing leaves the version as it is.")
            .body(Body { patch: true, ..Body::of(format!("{}Patch", shape.type_name)) })
            .requires(self.permission("update"))
            .responds(200, shape.type_name)
            .etag()
            .if_match(required),
        );
    }

    /// Create only.
    pub(super) fn add_create(&mut self) {
        let (one, _) = self.words();
        let (shape, tag) = (self.handler.shape, self.tag);
        let (table, base) = (self.handler.clone(), self.base.clone());
        self.operations.push(
            Operation::write(format!("create{}", self.noun()), Method::POST, &self.base, async move |work: &Work, call: RequestContext| {
                let parent = table.resolve_parent(work, &call, "create").await?;
                let made = table.create(work, record::from_body(table.shape, call.body.clone(), parent)).await?;
                Ok(written(work, table.shape, &made).await?.with_location(format!("{}/{}", filled(&base, &call), id_of(&made))))
            })
            .describe(
                tag,
                format!("Create {}", with_article(&one)),
                format!("Creates a record and returns it as stored. {}", shape.description),
            )
            .body(Body::of(input(shape.type_name)))
            .requires(self.permission("create"))
            .responds(201, shape.type_name)
            .etag(),
        );
    }

    /// Update only.
    pub(super) fn add_update(&mut self) {
        let (one, _) = self.words();
        let (shape, tag, required) = (self.handler.shape, self.tag, self.if_match_required);
        let name = shape.type_name;
        let nested = usize::from(self.handler.parent.is_some());
        let record = format!("{}/{{id}}", self.base);

        let table = self.handler.clone();
        self.operations.push(
            Operation::write(format!("update{}", self.noun()), Method::PATCH, &record, async move |work: &Work, call: RequestContext| {
                let parent = table.resolve_parent(work, &call, "update").await?;
                let before = table.find(work, call.id(nested)?, parent, "update").await?;
                expect_version(call.if_match, version_of(&before))?;
                let after = table.patch(work, before, call.body).await?;
                written(work, table.shape, &after).await
            })
            .describe(tag, format!("Update {}", with_article(&one)), "A JSON merge patch (RFC 7396): fields that are left out stay, null clears. A patch that changes nothing leaves the version as it is.")
            .body(Body { patch: true, ..Body::of(format!("{name}Patch")) })
            .requires(self.permission("update"))
            .responds(200, name)
            .etag()
            .if_match(required),
        );
    }

    /// Update, delete, restore, batch, and upsert by external id.
    pub(super) fn add_modify(&mut self) {
        self.add_update();
        let (one, many) = self.words();
        let (shape, tag, required) = (self.handler.shape, self.tag, self.if_match_required);
        let name = shape.type_name;
        let nested = usize::from(self.handler.parent.is_some());
        let record = format!("{}/{{id}}", self.base);

        let table = self.handler.clone();
        self.operations.push(
            Operation::write(format!("delete{}", self.noun()), Method::DELETE, &record, async move |work: &Work, call: RequestContext| {
                let parent = table.resolve_parent(work, &call, "delete").await?;
                let found = table.find(work, call.id(nested)?, parent, "delete").await?;
                expect_version(call.if_match, version_of(&found))?;
                table.delete(work, found).await?;
                Ok(Response::no_content())
            })
            .describe(
                tag,
                format!("Delete {}", with_article(&one)),
                "A soft deletion: the record is in no list or read until it is restored, and its unique values are free.",
            )
            .example(Example::default().persists())
            .requires(self.permission("delete"))
            .no_content()
            .if_match(required),
        );
        let table = self.handler.clone();
        let mut restore = Operation::write(
            format!("restore{}", self.noun()),
            Method::POST,
            format!("{record}/restore"),
            async move |work: &Work, call: RequestContext| {
                let parent = table.resolve_parent(work, &call, "delete").await?;
                let made = table.restore(work, call.id(nested)?, parent).await?;
                written(work, table.shape, &made).await
            },
        )
        .describe(
            tag,
            format!("Restore {}", with_article(&one)),
            "Undoes the deletion. Refused with 409 if another record has one of its unique values now.",
        )
        .example(Example::default().depends_on(&[&format!("delete{}", self.noun())]).persists())
        .requires(self.permission("delete"))
        .responds(200, name)
        .etag();
        if let Some(permission) = self.restore_also_requires {
            restore = restore.also_requires(permission);
        }
        self.operations.push(restore);
        let table = self.handler.clone();
        self.operations.push(
            Operation::write(format!("batch{}", self.nouns()), Method::POST, format!("{}/batch", self.base), async move |work: &Work, call: RequestContext| {
                batch::run(work, &table, call).await
            })
            .describe(tag, format!("Batch {many}"), "Writes up to 1,000 items, each with its own result in the order of the request. An item that fails does not fail the others unless `atomic` is true.")
            .body(Body::batch(format!("{name}Batch")))
            .access(if nested == 0 { Access::ByMode(self.permission("update")) } else { Access::Needs(self.permission("update")) })
            .responds(200, "BatchResults"),
        );
        if shape.ordered.is_some() {
            self.add_move(&record, nested);
        }
        if self.external {
            let (table, base) = (self.handler.clone(), self.base.clone());
            let mut upsert = Operation::write(
                format!("upsert{}ByExternalId", self.noun()),
                Method::PUT,
                format!("{}/by-external-id/{{system}}/{{external_id}}", self.base),
                async move |work: &Work, call: RequestContext| {
                    let reference = external_ref(table.shape, &call);
                    match by_external_id(work, table.shape, &call).await? {
                        Some(id) => {
                            work.caller.require([table.shape.permission("read")])?;
                            let before = table.find(work, id, None, "update").await?;
                            if call.only_if_new {
                                return Err(Code::PreconditionFailed.into());
                            }
                            expect_version(call.if_match, version_of(&before))?;
                            let mut body = call.body;
                            body.retain(|name, _| !table.shape.create_options.iter().any(|(option, _)| option == name));
                            let after = table.patch(work, before, body).await?;
                            written(work, table.shape, &after).await
                        }
                        None => {
                            let made = make_as(work, &table, call.body, reference).await?;
                            Ok(written(work, table.shape, &made).await?.with_status(201).with_location(format!("{base}/{}", id_of(&made))))
                        }
                    }
                },
            )
            .describe(tag, format!("Upsert {one} by external id"), format!("Creates the {one} of this external id (201), or updates it (200). Fields that are left out stay: a system does not clear what it does not know. With `If-None-Match: *` it only creates."))
            .example(Example::default().depends_on(&[&format!("create{}", self.noun())]))
            .body(Body::of(input(name)))
            .requires(self.permission("update"))
            .responds(200, name)
            .etag()
            .if_match(required);
            upsert.idempotent = false;
            self.operations.push(upsert);
        }
    }

    /// Move, of records that are in an order of their own.
    fn add_move(&mut self, record: &str, nested: usize) {
        let (one, many) = self.words();
        let table = self.handler.clone();
        let about = format!(
            "Puts it at a position among the {many} beside it; those between move up or down by one, each with a version and an event of its \
             own. A position behind the last is refused."
        );
        self.operations.push(
            Operation::write(
                format!("move{}", self.noun()),
                Method::POST,
                format!("{record}/move"),
                async move |work: &Work, call: RequestContext| {
                    let parent = table.resolve_parent(work, &call, "update").await?;
                    let id = call.id(nested)?;
                    let asked: MoveRequest = call.input()?;
                    // The order is locked before the record: a move locks other records as well.
                    let found = table.find_unlocked(work, id, parent).await?;
                    ordering::hold(work, table.shape, &found).await?;
                    let before = table.find(work, id, parent, "update").await?;
                    expect_version(call.if_match, version_of(&before))?;
                    let moved = ordering::move_to(work, table.shape, &before, asked.position).await?;
                    written(work, table.shape, &moved).await
                },
            )
            .describe(self.tag, format!("Move {}", with_article(&one)), about)
            .example(Example::body(json!({"position": 1})).answers(json!({"position": 1})))
            .body(Body::of("MoveRequest"))
            .requires(self.permission("update"))
            .responds(200, self.handler.shape.type_name)
            .etag()
            .if_match(self.if_match_required),
        );
    }

    /// An action on a record.
    pub(super) fn action(
        &mut self,
        verb: &'static str,
        summary: &str,
        body: Option<Body>,
        action: Arc<dyn Hook<(Record, RequestContext), Record>>,
    ) {
        let table = self.handler.clone();
        let nested = usize::from(table.parent.is_some());
        let id = action_id(verb, &self.noun());
        let about = about_action(table.shape, verb);
        let mut operation =
            Operation::write(id, Method::POST, format!("{}/{{id}}/{verb}", self.base), async move |work: &Work, call: RequestContext| {
                let parent = table.resolve_parent(work, &call, verb).await?;
                let found = table.find(work, call.id(nested)?, parent, verb).await?;
                expect_version(call.if_match, version_of(&found))?;
                expect_action(table.shape, &found, verb)?;
                let made = action.run(work, (found, call)).await?;
                written(work, table.shape, &made).await
            })
            .describe(self.tag, summary, about)
            .requires(self.permission(verb))
            .responds(200, self.handler.shape.type_name)
            .etag()
            .if_match(self.if_match_required);
        operation.body = body;
        self.operations.push(operation);
    }
}

/// Where a record is moved to.
#[derive(Deserialize)]
struct MoveRequest {
    position: i64,
}

/// What an action needs and does, as the table of transitions has it.
///
/// # Panics
/// When the table has no such action: a mistake in the resource, found by every test.
fn about_action(shape: &Shape, verb: &str) -> String {
    let found = transition::find(shape.transitions, verb);
    assert!(found.is_some(), "{}: no transition {verb}", shape.plural);
    let mut about =
        "An action: 409 `illegal_transition` when the state does not allow it; see `available_actions` of the record.".to_owned();
    let (Some(t), Some(field)) = (found, shape.status) else { return about };
    if !t.from.is_empty() {
        let states: Vec<String> = t.from.iter().map(|state| format!("`{state}`")).collect();
        about.push_str(&format!(" Allowed while `{field}` is {}.", states.join(" or ")));
    }
    if let Some(to) = t.to {
        about.push_str(&format!(" Afterwards it is `{to}`."));
    }
    about
}

/// `an order`, `a user`.
pub(crate) fn with_article(one: &str) -> String {
    let sounds_as_y = ["user", "unit", "usage"].iter().any(|word| one.starts_with(word));
    let article = if one.starts_with(['a', 'e', 'i', 'o', 'u', 'A']) && !sounds_as_y { "an" } else { "a" };
    format!("{article} {one}")
}

/// `AccountAddresses` as words: `account addresses`.
pub(crate) fn spaced(camel: &str) -> String {
    let mut words = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words.replace("api key", "API key")
}

/// The operation id of an action: verb, resource, object. `change-lifecycle` of an `Account` is `changeAccountLifecycle`.
fn action_id(verb: &str, noun: &str) -> String {
    let (verb, object) = verb.split_once('-').unwrap_or((verb, ""));
    format!("{verb}{noun}{}", camel(object))
}

/// The noun of a nested resource. The words that both type names begin with stand once: `WebhookEndpoint` and `WebhookDelivery` are
/// `WebhookEndpointDelivery`.
fn nested_noun(parent: &str, own: &str) -> String {
    let words = own.char_indices().filter(|(_, letter)| letter.is_ascii_uppercase()).map(|(at, _)| at);
    let is_shared = |at: &usize| own.get(..*at).is_some_and(|first| parent.starts_with(first));
    let rest = words.chain([own.len()]).filter(is_shared).max().and_then(|at| own.get(at..));
    format!("{parent}{}", rest.unwrap_or(own))
}

fn filled(base: &str, call: &RequestContext) -> String {
    let mut parts = call.path.iter();
    base.split('/')
        .map(|s| if s.starts_with('{') { parts.next().cloned().unwrap_or_default() } else { s.to_owned() })
        .collect::<Vec<_>>()
        .join("/")
}

/// The parameter by which a request says that it means a possible duplicate.
pub const ALLOW_DUPLICATE: &str = "allow_duplicate";

/// The verbs of the operations that write a record's own fields.
const WRITING: [&str; 5] = ["create", "update", "restore", "batch", "upsert"];

/// Adds `allow_duplicate` to the operations that may make a possible duplicate.
pub fn allow_duplicates(shape: &Shape, operation: &mut Operation) {
    let is_nested = operation.path.matches('{').count() > 2;
    if !shape.possible_duplicates.is_empty() && !is_nested && WRITING.iter().any(|verb| operation.id.starts_with(verb)) {
        let about = format!(
            "Whether the record may have the same {} as another one, which is refused with `possible_duplicate` otherwise.",
            shape.possible_duplicates.iter().map(|set| set.join(" and ")).collect::<Vec<_>>().join(", or the same ")
        );
        operation.query.push(Parameter::new(ALLOW_DUPLICATE, json!({"type": "boolean", "default": false}), about));
    }
}

/// The parameter every write honours.
pub static DRY_RUN: LazyLock<Parameter> = LazyLock::new(|| {
    Parameter::new("dry_run", json!({"type": "boolean", "default": false}), "Checks and answers everything, and keeps nothing.")
});
