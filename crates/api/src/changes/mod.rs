//! Changes: every event, in the order of commits, for callers that may read its record.

pub mod follower;
mod list;
pub mod retention;
pub mod selection;
mod stream;
mod ticket;

use crate::platform::shipped_roles::{ACCOUNTING, CONNECTOR};
use actix_web::http::Method;
use samphan_resource::{builtin::change::Change, example};
use samphan_rest::{
    collection::Api,
    example::Example,
    module::Module,
    operation::{Media, Operation, Parameter},
    presets::Presets,
};
use serde_json::{Value, json};

/// What following the feed needs.
pub const PERMISSION: &str = "changes:read";

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).presets(presets).task(follower::end_task()).task(follower::task())
}

/// What shipped roles may do here.
fn presets(presets: Presets) -> Presets {
    presets.grant(&[ACCOUNTING, CONNECTOR], "changes", &["read"])
}

fn routes(api: Api) -> Api {
    api.operations(vec![
        Operation::unmanaged("listChanges", Method::GET, "/v1/changes", list::run)
            .describe(
                "changes",
                "List changes",
                "Every write to every record the caller may read, in the order of commits: what, who, when, from what to what. Deletes are tombstones. \
                 Go on with `after=<next_cursor>`, which is always there, also on an empty page; nothing is left out, whatever commits late, and nothing \
                 comes twice. Events are kept for ever, unless the settings say otherwise: a cursor from before what is kept is refused with `invalid_cursor`. A cursor works for 30 days after the service's keys were rotated. With `wait=30s` the answer comes as soon as there is something.\n\n\
                 To copy everything and stay current: take the present end with `after=now`, read the lists, then follow from that cursor. What changed \
                 while the lists were read comes again in the feed, so keep of each record the highest `version`.\n\n\
                 A page looks at no more than 5,000 changes, seen or not: it may be empty though `has_more` is true. What the caller may see is decided \
                 when it is read: an event goes where its record goes.\n\n\
                 A resource that is named, by `resources` or by a type such as `order.confirmed` or `order.*`, must be readable: without its permission to \
                 read (and that of its parent, as `orders:read` for `order_invoices`) the answer is 403, and `allowed` names every permission that is \
                 missing, of all resources that are named. So a cursor never passes events that were asked for and could not be seen. Without a name, or with \
                 the type `*`, the feed is of whatever the caller may read. Events of records beyond the reach of a permission (`own`, `team`, `subtree`) \
                 are left out; a record that comes within reach later is to be read from its list.",
            )
            .query(vec![
                after("`beginning`"),
                types(),
                resources(),
                account(),
                Parameter::new(
                    "limit",
                    json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 1000, "default": 100}),
                    "Most changes to answer.",
                ),
                Parameter::new(
                    "wait",
                    json!({"type": "string", "pattern": "^([0-9]|[12][0-9]|30)s$", "maxLength": 3, "default": "0s"}),
                    "How long to wait for a change when there is none yet, `0s` to `30s`.",
                ),
            ])
            .example(Example::query(&[("types", "account.*"), ("wait", "0s")]).depends_on(&["createAccount"]).answers(json!({"data": [change()]})))
            .requires(PERMISSION)
            .responds(200, "Changes"),
        Operation::unmanaged("streamChanges", Method::GET, "/v1/changes/stream", stream::run)
            .describe(
                "changes",
                "Stream changes",
                "The same changes as server-sent events: `id` is the cursor to go on after, `event` the type, `data` the change (schema `Change`) as JSON. \
                 After a break, ask again with the last `id` as `Last-Event-ID`. Every 15 seconds without a change a comment is sent, with an `id` past \
                 what was looked at. The stream ends when the access token does, within 5 seconds of a revocation, and when the service ends. 429 with \
                 Retry-After when too many streams are open, of this caller (20 when nothing else is set) or of all. What is named must be readable, as \
                 with the feed: 403 when the stream is opened; a stream ends when the permission is taken away.",
            )
            .query(vec![
                after("`now`"),
                types(),
                resources(),
                account(),
            ])
            .accepts_ticket()
            .requires(PERMISSION)
            .media_type(Media::EventStream),
        Operation::write("createStreamTicket", Method::POST, "/v1/changes/stream-tickets", ticket::create)
            .describe(
                "changes",
                "Create a stream ticket",
                "Answers a ticket that stands for the caller's access token or API key in one request for the stream: \
                 `new EventSource(\"/v1/changes/stream?ticket=\" + ticket)`. A browser's EventSource cannot send an Authorization header, and a token in \
                 an address would be kept in histories and logs. A ticket is good once and for 60 seconds; the stream ends when the session or key \
                 does, and after 10 minutes. To go on, create another ticket and give the last `id` as `after`.",
            )
            .returns_secret()
            .requires(PERMISSION)
            .responds(201, "StreamTicket"),
    ])
    .schema::<ticket::StreamTicket>()
    .schema::<list::Changes>()
    .schema::<Change>()
}

/// What an example of a change says.
pub fn change() -> Value {
    json!({
        "id": example::id("events"), "resource_id": example::id("accounts"), "version": 2, "changed_fields": ["grade"],
        "before": {"grade": "A"}, "after": {"grade": "B"},
    })
}

/// The same words for the feed and the stream, which differ in what they do without it.
fn after(default: &str) -> Parameter {
    Parameter::new(
        "after",
        json!({"type": "string", "minLength": 1, "maxLength": 400}),
        format!(
            "Where to start: after the change with this cursor (`next_cursor` of a page, `cursor` of a change, `id` of a streamed event), at the \
             `beginning` of the feed, or `now`, after its newest change. {default} when left out."
        ),
    )
}

fn types() -> Parameter {
    let about = "Only changes of these types, separated by commas, such as `account.created` or `account.*`; unknown ones are refused, and \
                 those of resources the caller may not read (403).";
    Parameter::new("types", json!({"type": "string", "minLength": 1, "maxLength": 4000}), about)
}

fn resources() -> Parameter {
    let about = "Only changes of records of these resources, separated by commas, such as `accounts`; unknown ones are refused, and those the \
                 caller may not read (403).";
    Parameter::new("resources", json!({"type": "string", "minLength": 1, "maxLength": 4000}), about)
}

fn account() -> Parameter {
    let about = "Only changes of what belongs to this account: the account itself, every record with its `account_id`, what is beneath such a record \
                 (as the shipments of its orders), and what other systems call it. An account that is not visible is refused; one that was deleted is not.";
    Parameter::new("account_id", json!({"type": "string", "format": "uuid"}), about)
}
