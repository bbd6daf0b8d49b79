//! `GET /v1/search`: one box for everything, in Thai, Persian and English.

use samphan_persistence::{
    cursor, list,
    search::{self, Hit},
    store::Reader,
};
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    example,
    page::Position,
    scalar::Scalar,
    shape::Shape,
};
use samphan_rest::{
    collection::Api,
    example::Example,
    operation::{Operation, Parameter, RequestContext},
    query,
    response::Response,
};
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, HashSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// One page of what was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchPage {
    /// What was found, the newest entries first.
    #[schema(max_items = 200)]
    pub data: Vec<SearchHit>,
    /// Whether there is another page.
    pub has_more: bool,
    /// Asks for the next page; null on the last.
    #[schema(required = true, max_length = 4000)]
    pub next_cursor: Option<String>,
}

/// Something found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchHit {
    /// Its resource, such as `accounts`.
    #[schema(max_length = 100)]
    pub resource: String,
    /// Its id.
    pub id: Uuid,
    /// What people call it.
    #[schema(max_length = 500)]
    pub title: String,
    /// Where it is read.
    #[schema(max_length = 200)]
    pub path: String,
}

/// Whether a resource's records are found by themselves.
fn is_searched(shape: &Shape) -> bool {
    shape.parents.is_empty() && shape.fields.iter().any(|field| field.searched)
}

/// Says in the description which resources are searched, once all are known.
#[must_use]
pub fn described(mut api: Api) -> Api {
    let mut names: Vec<String> =
        api.shapes.values().filter(|shape| is_searched(shape)).map(|shape| shape.plural.replace('_', " ")).collect();
    names.sort();
    if let Some(operation) = api.operations.iter_mut().find(|operation| operation.id == "search") {
        operation.description = operation.description.replace("{searched}", &names.join(", "));
    }
    api
}

/// The operation.
#[must_use]
pub fn routes() -> Vec<Operation> {
    let about = "Records in which every word stands, anywhere within words: no spaces needed between Thai words, Arabic and Persian letters and all digits \
                 taken as the same, accents and case ignored. All words stand in one text: the record's own, or that of a child of it, such as a phone number, an e-mail address, an address, a shipment or an \
                 invoice. Spaces between Thai words make no difference. \
                 Searches {searched}, also by their tags and their names in other systems, as far as the caller may see \
                 them. A record found by several texts may come once on each of several pages.";
    vec![
        Operation::read("search", "/v1/search", run)
            .describe("search", "Search everything", about)
            .example(Example::query(&[("q", "Siam"), ("resources", "accounts")]).answers(json!({"data": [{
                "resource": "accounts", "id": example::id("accounts"), "title": "Siam Trading", "path": format!("/v1/accounts/{}", example::id("accounts")),
            }]})))
            .query(vec![
                Parameter::new("q", json!({"type": "string", "minLength": 1, "maxLength": 200}), "The words.").required(),
                Parameter::new(
                    "resources",
                    json!({"type": "string", "maxLength": 200}),
                    "Only these resources, separated by commas, such as `accounts,contacts`; another is refused with those there are.",
                ),
                Parameter::new(
                    "limit",
                    json!({"type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "default": 50}),
                    "Hits a page.",
                ),
                Parameter::new("cursor", json!({"type": "string", "maxLength": 4000}), "`next_cursor` of the page before."),
            ])
            .responds(200, "SearchPage"),
    ]
}

async fn run(reader: &Reader, call: RequestContext) -> Result<Response> {
    let invalid = |fault: FieldError| Error::from(Code::InvalidQuery).with_field_errors(vec![fault]);
    let q = call.query.get("q").map(String::as_str).unwrap_or_default();
    let mut searched: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(|s| is_searched(s)).collect();
    searched.retain(|s| query::may_search(reader, s));
    searched.sort_by_key(|s| s.plural);
    if let Some(names) = call.query.get("resources") {
        let known: Vec<&str> = searched.iter().map(|s| s.plural).collect();
        if let Some(stray) = names.split(',').find(|n| !known.contains(n)) {
            return Err(invalid(FieldError::new("?resources", FieldCode::UnknownValue, "").with_suggestion(stray, known)));
        }
        searched.retain(|s| names.split(',').any(|n| n == s.plural));
    }
    let limit: usize = call.query.get("limit").and_then(|l| l.parse().ok()).unwrap_or(50);
    let binding = cursor::binding(&["search", q, call.query.get("resources").map(String::as_str).unwrap_or_default()]);
    let after = call.query.get("cursor").map(|c| reader.store.read_cursor(&binding, c)).transpose()?;
    let before = after.and_then(|p| match p.keys.first() {
        Some(Scalar::Int(seq)) => Some(*seq),
        _ => None,
    });
    let mut hits = search::find(reader, &searched, q, before, i64::try_from(limit).unwrap_or(50) + 1).await?;
    let has_more = hits.len() > limit;
    hits.truncate(limit);
    let next_cursor = hits
        .last()
        .filter(|_| has_more)
        .map(|h| reader.store.write_cursor(&binding, &Position { keys: vec![Scalar::Int(h.seq)], id: h.id }));
    Ok(Response::json(&SearchPage { data: titled(reader, &searched, hits).await?, has_more, next_cursor }))
}

/// Puts titles to hits: one query for each resource. A record found by several of its entries stands there once.
async fn titled(reader: &Reader, shapes: &[&'static Shape], hits: Vec<Hit>) -> Result<Vec<SearchHit>> {
    let mut titles: HashMap<Uuid, String> = HashMap::new();
    for shape in shapes {
        let ids: Vec<Uuid> = hits.iter().filter(|h| h.resource == shape.plural).map(|h| h.id).collect();
        if ids.is_empty() {
            continue;
        }
        titles.extend(list::titles(reader, shape, ids).await?);
    }
    let mut seen = HashSet::new();
    let hits = hits.into_iter().filter(|h| seen.insert(h.id));
    Ok(hits
        .filter_map(|h| {
            let title = titles.remove(&h.id)?;
            Some(SearchHit { path: format!("/v1/{}/{}", h.resource.replace('_', "-"), h.id), resource: h.resource, id: h.id, title })
        })
        .collect())
}
