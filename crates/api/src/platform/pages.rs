//! The service itself: health, metrics, the document, the docs page, and what each problem means.

use super::document::{self, Documents, Version};
use crate::identity::{service::Identity, tokens};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};
use samphan_persistence::store::Reader;
use samphan_resource::error::{Code, Error, Result};
use samphan_rest::{
    collection::Api,
    metrics::Metrics,
    operation::{Access, Operation, RequestContext},
    pipeline,
    response::Response,
};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The operations.
#[must_use]
pub fn routes() -> Vec<Operation> {
    vec![
        Operation::read("getLiveness", "/health/live", live)
            .describe("service", "Get the liveness", "Asks nothing of the database.")
            .access(Access::Public)
            .responds(200, "Health"),
        Operation::read("getReadiness", "/health/ready", ready)
            .describe("service", "Get the readiness", "Asks the database; 503 while it does not answer.")
            .access(Access::Public)
            .responds(200, "Health"),
        Operation::read("getProblem", "/problems/{code}", problem)
            .describe("service", "Get a problem's description", "The description of a problem's code, found at its `type`.")
            .access(Access::Public)
            .responds(200, "ProblemDescription"),
        Operation::read("listSigningKeys", "/.well-known/jwks.json", jwks)
            .describe("service", "List token signing keys", "A JWK set (RFC 7517).")
            .access(Access::Public)
            .responds(200, "SigningKeys"),
    ]
}

/// Their schemas.
#[must_use]
pub fn schemas(api: Api) -> Api {
    api.schema::<Health>().schema::<ProblemDescription>().schema::<SigningKeys>()
}

/// Health.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    #[schema(max_length = 20, example = "ok")]
    pub status: String,
}

/// What a problem's code means.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemDescription {
    /// The code.
    #[schema(max_length = 100, example = "version_conflict")]
    pub code: String,
    /// The status it is answered with.
    #[schema(minimum = 400, maximum = 599, example = 412)]
    pub status: i32,
    /// What it means and what to do.
    #[schema(max_length = 2000, example = "The record has changed since the version named by If-Match.")]
    pub description: String,
}

/// A JWK set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKeys {
    /// The keys.
    #[schema(max_items = 10)]
    pub keys: Vec<SigningKey>,
}

/// A public key for Ed25519 (RFC 8037).
#[derive(Debug, Serialize, ToSchema)]
pub struct SigningKey {
    /// `OKP`.
    #[schema(max_length = 20, example = "OKP")]
    pub kty: String,
    /// `Ed25519`.
    #[schema(max_length = 20, example = "Ed25519")]
    pub crv: String,
    /// `EdDSA`.
    #[schema(max_length = 20, example = "EdDSA")]
    pub alg: String,
    /// Its id, as in a token's header.
    #[schema(max_length = 100, example = "3f6c1a9b7d2e4850")]
    pub kid: String,
    /// The public key, base64url.
    #[schema(max_length = 100, example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    pub x: String,
}

async fn live(_: &Reader, _: RequestContext) -> Result<Response> {
    Ok(Response::json(&Health { status: "ok".to_owned() }))
}

async fn ready(reader: &Reader, _: RequestContext) -> Result<Response> {
    reader.store.ping().await.map_err(|_| Error::from(Code::Unavailable).retry_after(1))?;
    Ok(Response::json(&Health { status: "ok".to_owned() }))
}

async fn problem(_: &Reader, call: RequestContext) -> Result<Response> {
    let sought = call.path.first().map(String::as_str).unwrap_or_default();
    let code = Code::ALL.iter().find(|c| c.as_str() == sought).ok_or(Code::NotFound)?;
    Ok(Response::json(&ProblemDescription {
        code: code.as_str().to_owned(),
        status: code.status().into(),
        description: code.about().to_owned(),
    }))
}

async fn jwks(_: &Reader, call: RequestContext) -> Result<Response> {
    Ok(Response::json(&call.service::<Identity>()?.keys.jwks()))
}

/// The files of the docs page: name, media type, content. The page is our own, because none of the usual ones shows a thousand operations
/// within seconds (docs/decisions/api-and-document.md, decision 126).
const DOCS_PAGE: [(&str, &str, &str); 4] = [
    ("index.html", "text/html; charset=utf-8", include_str!("docs_page/index.html")),
    ("docs.js", "text/javascript; charset=utf-8", include_str!("docs_page/docs.js")),
    ("docs.css", "text/css; charset=utf-8", include_str!("docs_page/docs.css")),
    ("favicon.svg", "image/svg+xml", include_str!("docs_page/favicon.svg")),
];

/// What is not an operation: which pages are served, and to whom.
#[derive(Clone, Debug)]
pub struct Pages {
    /// Whether the docs page is served.
    pub docs: bool,
    /// Whether the metrics are.
    pub metrics: bool,
    /// The hash of the token that metrics are served for.
    pub metrics_token: Option<[u8; 32]>,
    /// What is counted.
    pub counters: Arc<Metrics>,
    /// The published document.
    pub documents: Arc<Documents>,
}

impl Pages {
    /// Mounts them.
    pub fn mount(&self, config: &mut ServiceConfig) {
        config.app_data(web::Data::new(self.clone()));
        for (path, version) in [("/openapi.json", Version::Current), ("/openapi-3.0.json", Version::Older)] {
            config.route(path, web::get().to(move |request, app, pages| document::serve(request, app, pages, version)));
        }
        if self.metrics {
            config.route("/metrics", web::get().to(metrics));
        }
        if self.docs {
            for path in ["/", "/docs"] {
                config.route(path, web::get().to(|| async { HttpResponse::Found().insert_header((header::LOCATION, "/docs/")).finish() }));
            }
            config.route("/docs/{file:.*}", web::get().to(docs_page));
        }
    }
}

async fn docs_page(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let name = if file.is_empty() { "index.html" } else { file.as_str() };
    match DOCS_PAGE.iter().find(|(known, _, _)| *known == name) {
        // Asked for again each time, so that page and script are of the same program after an update.
        Some((_, media_type, content)) => {
            HttpResponse::Ok().content_type(*media_type).insert_header((header::CACHE_CONTROL, "no-cache")).body(*content)
        }
        None => pipeline::refused(&request, &Code::NotFound.into()),
    }
}

async fn metrics(request: HttpRequest, pages: web::Data<Pages>) -> HttpResponse {
    let sent = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    // Hashes are compared, so that the time it takes says nothing of the token.
    if pages.metrics_token.is_some_and(|token| sent.map(|sent| tokens::hash(sent.as_bytes())) != Some(token)) {
        return pipeline::refused(&request, &Code::Unauthenticated.into());
    }
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(pages.counters.text())
}
