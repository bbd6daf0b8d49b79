//! The whole API: every area's collections and operations, and the document they add up to.

use crate::{areas, customers::search, external_systems::external_reference};
use samphan_persistence::store::Shapes;
use samphan_rest::{
    collection::Api,
    document::{self, About},
};
use serde_json::Value;
use std::sync::LazyLock;

/// Every area's collections and operations.
#[must_use]
pub fn api() -> Api {
    complete(areas::all().api)
}

/// What the areas registered, with what follows from all of it together.
#[must_use]
pub fn complete(api: Api) -> Api {
    search::described(external_reference::examples(api)).with_permissions()
}

/// Every resource, read once a process.
#[must_use]
pub fn shapes() -> &'static Shapes {
    static SHAPES: LazyLock<Shapes> = LazyLock::new(|| areas::all().api.shapes);
    &SHAPES
}

/// The published document, OpenAPI 3.1.0; or why it is not sound.
pub fn document(api: &Api) -> Result<Value, Vec<String>> {
    document::write(api, &ABOUT)
}

/// The same of the whole API, made once a process.
pub fn published() -> Result<&'static Value, Vec<String>> {
    static PUBLISHED: LazyLock<Result<Value, Vec<String>>> = LazyLock::new(|| document(&api()));
    PUBLISHED.as_ref().map_err(Clone::clone)
}

const ABOUT: About = About {
    title: "Samphan",
    description: "The CRM that front ends and back offices share.\n\n\
        Sign in with `POST /v1/auth/sign-in`, or send an API key; then `Authorization: Bearer …` on every request.\n\n\
        Lists are pages with opaque cursors. Unknown parameters, fields, operators and values are refused with the nearest valid name, never ignored. \
        Whatever writes records by POST or PATCH honours `Idempotency-Key` and `dry_run=true`, every write to a record `If-Match`. \
        Amounts are decimal strings with the currency beside them; times are RFC 3339 with an offset. \
        A text with `x-visible` has no control characters and no invisible or blank ones, and is kept in Unicode NFKC without spaces around it. \
        A text without `x-multiline` is one line, without control characters or direction overrides. `x-on-delete` of a record says what deleting the records it refers to does. Whatever is not a success is a `Problem`.",
    tags: &[
        ("accounts", "Customers: the organisations we deal with, and how they came to be where they stand."),
        ("contacts", "The people through whom accounts are reached."),
        ("consents", "What persons allow us to send them, and the addresses that nothing is sent to."),
        ("activities", "What is done with customers and said about them: related to any record, and visible with it."),
        ("timelines", "What happened with a customer, whatever the resource, the newest first."),
        ("tags", "The vocabulary of labels."),
        ("search", "Finding anything: by words in any language, or by a number on the telephone's display."),
        ("products", "What we sell."),
        ("prices", "For how much, to whom."),
        ("leads", "Persons and companies that may become customers, and what becomes of them."),
        ("pipelines", "Sales processes as data, with their boards."),
        ("opportunities", "What may be sold to customers, from the first talk to the order or the loss."),
        ("business-hours", "When the organisation works, and how much working time lies between two moments."),
        ("orders", "What customers want: promised in one answer, confirmed in one step, or held for a reason."),
        ("shipments", "Goods on their way."),
        ("stock", "How much there is of it, where, and who is promised it."),
        ("external-systems", "The other systems, and what they call our records."),
        ("credit", "What accounting says customers owe and may owe."),
        ("changes", "What happened, in the order it did: as a feed, and as a stream."),
        ("webhooks", "Addresses that receive changes, and what was sent to them."),
        ("events", "The requests that your endpoints receive, by type of change. This service sends them; it does not answer them."),
        ("auth", "Signing in and out, for people and machines."),
        ("users", "The people who sign in, their teams and roles."),
        ("api-keys", "How machines sign in."),
        ("settings", "What the organisation adds to the model."),
        ("privacy", "What persons may ask of the data that is held about them."),
        ("audit", "Who changed what."),
        ("operations", "One change to many records: how far it is, what became of each, and how to take it back."),
        ("jobs", "Work in the background that outlives the process: how far it is, and what failed."),
        ("service", "The service itself."),
    ],
};

/// One line for each operation: tag, id, method, path, permission. Reviewed like code.
#[must_use]
pub fn operations(api: &Api) -> String {
    let mut lines: Vec<String> = api
        .operations
        .iter()
        .map(|o| {
            let access = match &o.access {
                samphan_rest::operation::Access::Public => "public",
                samphan_rest::operation::Access::SignedIn => "signed in",
                samphan_rest::operation::Access::Needs(permission) | samphan_rest::operation::Access::ByMode(permission) => permission,
            };
            format!("{} {} {} {} {access}\n", o.tag, o.id, o.method, o.path)
        })
        .collect();
    lines.sort();
    lines.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;
    use samphan_rest::{
        document::soundness::faults,
        router::{RouteMatch, Router},
    };
    use serde_json::json;

    fn routes() -> Router {
        Router::of(api().operations).unwrap_or_default()
    }

    fn meant(method: &Method, path: &str) -> String {
        match routes().find(method, path) {
            RouteMatch::Operation(operation, parts) => format!("{} {}", operation.id, parts.join(" ")),
            RouteMatch::MethodNotAllowed(path, methods) => format!("{path} {}", methods.join(" ")),
            RouteMatch::NotFound => "nothing".to_owned(),
        }
    }

    #[test]
    fn every_operation_is_found_at_its_own_address() {
        let routes = routes();
        for operation in api().operations {
            let found = routes.find(&operation.method, &operation.path.replace(['{', '}'], ""));
            assert!(matches!(found, RouteMatch::Operation(o, _) if o.id == operation.id), "{} {}", operation.method, operation.path);
        }
    }

    #[test]
    fn fixed_words_come_before_parameters_and_parameters_are_decoded() {
        assert_eq!(meant(&Method::POST, "/v1/accounts/batch"), "batchAccounts ");
        assert_eq!(meant(&Method::GET, "/v1/accounts/x"), "getAccount x");
        assert_eq!(meant(&Method::PUT, "/v1/accounts/by-external-id/express/C%2F1%20%E0%B8%81"), "upsertAccountByExternalId express C/1 ก");
        assert_eq!(meant(&Method::GET, "/v1/accounts/%FF"), "nothing", "what is not UTF-8 is no name of anything");
    }

    #[test]
    fn a_wrong_method_is_told_the_right_ones() {
        assert_eq!(meant(&Method::PUT, "/v1/accounts"), "/v1/accounts GET POST");
        assert_eq!(meant(&Method::GET, "/v1/account"), "nothing");
    }

    /// The whole document with a value put at a place, or what is there taken out.
    fn with(place: &str, value: Option<Value>) -> Vec<String> {
        let mut document = published().cloned().unwrap_or_default();
        let (parent, key) = place.rsplit_once('/').unwrap_or_default();
        if let Some(map) = document.pointer_mut(parent).and_then(Value::as_object_mut) {
            match value {
                Some(value) => map.insert(key.to_owned(), value),
                None => map.remove(key),
            };
        }
        faults(&document)
    }

    #[test]
    fn a_sound_document_has_no_faults_and_each_fault_is_found() {
        let create = "/paths/~1v1~1accounts/post";
        let account = "/components/schemas/Account/properties";
        let tag = || published().map(|d| d["components"]["schemas"]["TagInput"].clone()).unwrap_or_default();
        let nullable = json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Tag"}]});
        let table = [
            (format!("{create}/summary"), None, "createAccount has no summary"),
            (format!("{create}/description"), Some(json!("")), "createAccount has no description"),
            (format!("{create}/tags"), Some(json!(["accounts", "contacts"])), "createAccount has no one known tag"),
            (format!("{create}/tags"), Some(json!(["nothing"])), "createAccount has no one known tag"),
            (format!("{create}/security"), None, "createAccount has no permission, nor is it public"),
            (format!("{create}/security"), Some(json!([])), "createAccount has no permission, nor is it public"),
            (format!("{create}/operationId"), Some(json!("listAccounts")), "operation listAccounts twice"),
            (format!("{create}/responses/429"), None, "createAccount has no problem of status 429"),
            (format!("{create}/responses/201"), None, "createAccount has no success"),
            (format!("{create}/responses/201/content/application~1json/examples"), None, "createAccount has no example of its answer"),
            (format!("{create}/requestBody/content/application~1json/examples"), None, "createAccount has no example of its body"),
            ("/paths/~1v1~1accounts~1{id}/get/parameters".to_owned(), None, "getAccount has no example of id"),
            (format!("{account}/name"), Some(json!({"$ref": "#/components/schemas/Nothing"})), "nothing at #/components/schemas/Nothing"),
            (format!("{account}/name"), Some(nullable), "a reference that may be null"),
            (format!("{account}/name"), Some(json!({"$ref": "#/components/schemas/Tag", "nullable": true})), "more than a reference to"),
            (format!("{account}/tags/items/readOnly"), Some(json!(true)), "readOnly is left"),
            (format!("{account}/name"), Some(tag()), "Account.name writes TagInput out"),
        ];
        assert_eq!(with("/openapi", Some(json!("3.1.0"))), Vec::<String>::new());
        for (place, value, expected) in table {
            let found = with(&place, value);
            assert!(found.iter().any(|f| f.contains(expected)), "{place}: {found:?}");
        }
    }
}
