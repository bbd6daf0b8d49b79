//! The published document as it is served: whole or by tags, as OpenAPI 3.1 or 3.0, plain or compressed.
//!
//! The document is made once a process. Compressed bytes and parts are made at the first request for them and kept; one part is made at a
//! time, so that requests for parts take at most one thread. Pages have no request limits, so a client address has a share of its own of
//! the parts that have to be made (`limits::DOCUMENT_PARTS`); a part that is kept costs nothing of it.

use super::pages::Pages;
use crate::identity::{limits, tokens};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, AcceptEncoding, ContentEncoding, Encoding, Header},
    web::{self, Bytes},
};
use samphan_persistence::clock;
use samphan_resource::{
    error::{Code, Error, FieldCode, FieldError, Result},
    network::limited_as,
};
use samphan_rest::{
    client_address::client_address,
    document::{older::older, part},
    pipeline::{self, App},
};
use serde_json::Value;
use std::{
    collections::{BTreeSet, VecDeque},
    io::Write as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};
/// Parts kept for the next request, those that were requested last. A part may be nearly the whole, some 3 MB with its encodings.
const MAX_PARTS: usize = 8;
/// Brotli's quality, 0 to 11, and the size of its window as a power of two: 11 takes seconds for a twentieth less.
const BROTLI: (u32, u32) = (5, 22);

/// Which version of OpenAPI a document is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// OpenAPI 3.1.0.
    Current,
    /// OpenAPI 3.0.3.
    Older,
}

/// One document, in every encoding it is served in.
#[derive(Debug)]
struct Written {
    plain: Bytes,
    /// Its ETag without the quotes.
    tag: String,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
}

impl Written {
    fn new(document: &Value) -> Self {
        let plain = Bytes::from(document.to_string());
        let tag = tokens::hash(&plain).iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self { plain, tag, gzip: OnceLock::new(), brotli: OnceLock::new() }
    }

    /// Takes some tenths of a second the first time.
    fn encoded(&self, encoding: ContentEncoding) -> Bytes {
        match encoding {
            ContentEncoding::Brotli => self.brotli.get_or_init(|| brotli(&self.plain)).clone(),
            ContentEncoding::Gzip => self.gzip.get_or_init(|| gzip(&self.plain)).clone(),
            _ => self.plain.clone(),
        }
    }
}

fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    // Writing into a vector cannot fail.
    let _ = encoder.write_all(plain);
    encoder.finish().unwrap_or_default().into()
}

fn brotli(plain: &[u8]) -> Bytes {
    let mut out = vec![];
    {
        let mut encoder = brotli::CompressorWriter::new(&mut out, 1 << 16, BROTLI.0, BROTLI.1);
        let _ = encoder.write_all(plain);
    }
    out.into()
}

/// A version and the tags of a part; no tags for the whole.
type Wanted = (Version, BTreeSet<String>);

/// The document in every form it is served in.
#[derive(Debug)]
pub struct Documents {
    document: &'static Value,
    /// Whether everyone may read it; else who has credentials.
    is_public: bool,
    current: Arc<Written>,
    older: OnceLock<Arc<Written>>,
    /// The parts that are kept; the one requested last comes last.
    parts: Mutex<VecDeque<(Wanted, Arc<Written>)>>,
    /// Held while a part is made.
    making: tokio::sync::Mutex<()>,
}

impl Documents {
    /// Of the published document.
    #[must_use]
    pub fn new(document: &'static Value, is_public: bool) -> Self {
        Self {
            document,
            is_public,
            current: Arc::new(Written::new(document)),
            older: OnceLock::new(),
            parts: Mutex::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    fn whole(&self, version: Version) -> Arc<Written> {
        match version {
            Version::Current => Arc::clone(&self.current),
            Version::Older => Arc::clone(self.older.get_or_init(|| Arc::new(Written::new(&older(self.document))))),
        }
    }

    fn kept_part(&self, wanted: &Wanted) -> Option<Arc<Written>> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let place = parts.iter().position(|(kept, _)| kept == wanted)?;
        let found = parts.remove(place)?;
        let written = Arc::clone(&found.1);
        parts.push_back(found);
        Some(written)
    }

    /// Makes a part and keeps it in the place of the one that was requested longest ago.
    fn make_part(&self, wanted: Wanted) -> Arc<Written> {
        let part = part::of(self.document, &wanted.1);
        let written = Arc::new(Written::new(&match wanted.0 {
            Version::Current => part,
            Version::Older => older(&part),
        }));
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.len() >= MAX_PARTS {
            parts.pop_front();
        }
        parts.push_back((wanted, Arc::clone(&written)));
        written
    }
}

/// Answers the document: `/openapi.json` and `/openapi-3.0.json`, with `?tags=` the part of these tags.
pub async fn serve(request: HttpRequest, app: web::Data<App>, pages: web::Data<Pages>, version: Version) -> HttpResponse {
    if !pages.documents.is_public {
        let sent = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let caller = match client_address(&request) {
            Ok(address) => app.kernel.caller(sent, address, clock::now()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = caller {
            return pipeline::refused(&request, &error);
        }
    }
    match find(&request, &app, &pages.documents, version).await {
        Ok(written) => answer(&request, &written).await,
        Err(error) => pipeline::refused(&request, &error),
    }
}

async fn find(request: &HttpRequest, app: &App, documents: &Arc<Documents>, version: Version) -> Result<Arc<Written>> {
    let tags = tags(request.query_string(), documents.document)?;
    let made_by = Arc::clone(documents);
    let gone = |_| Error::from(Code::Unavailable).retry_after(1);
    if tags.is_empty() {
        return web::block(move || made_by.whole(version)).await.map_err(gone);
    }
    let wanted = (version, tags);
    if let Some(written) = documents.kept_part(&wanted) {
        return Ok(written);
    }
    let _making = documents.making.lock().await;
    // Another request may have made it while this one waited.
    if let Some(written) = documents.kept_part(&wanted) {
        return Ok(written);
    }
    let share = format!("parts of the document for {}", limited_as(client_address(request)?));
    app.kernel.limits.try_acquire(&share, 1, limits::DOCUMENT_PARTS, clock::now())?;
    web::block(move || made_by.make_part(wanted)).await.map_err(gone)
}

/// The tags asked for; none for the whole document.
fn tags(query: &str, document: &Value) -> Result<BTreeSet<String>> {
    let invalid = |fault| Error::from(Code::InvalidQuery).with_field_errors(vec![fault]);
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query)
        .map_err(|_| invalid(FieldError::new("?", FieldCode::InvalidFormat, "URL-encoded UTF-8")))?;
    let known = || document.pointer("/tags").and_then(Value::as_array).into_iter().flatten().filter_map(|tag| tag.get("name")?.as_str());
    let mut tags = BTreeSet::new();
    for (name, value) in pairs.into_inner() {
        if name != "tags" {
            return Err(invalid(FieldError::new(format!("?{name}"), FieldCode::UnknownParameter, "").with_suggestion(&name, ["tags"])));
        }
        for tag in value.split(',').map(str::trim) {
            match known().find(|k| *k == tag) {
                Some(tag) => tags.insert(tag.to_owned()),
                None => return Err(invalid(FieldError::new("?tags", FieldCode::UnknownValue, "").with_suggestion(tag, known()))),
            };
        }
    }
    Ok(tags)
}

async fn answer(request: &HttpRequest, written: &Arc<Written>) -> HttpResponse {
    let encoding = encoding(request);
    // Each encoding is a representation of its own.
    let tag = match encoding {
        ContentEncoding::Identity => format!("\"{}\"", written.tag),
        other => format!("\"{}-{}\"", written.tag, other.as_str()),
    };
    let sent = request.headers().get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let unchanged = sent.is_some_and(|s| s.split(',').any(|t| t.trim().trim_start_matches("W/") == tag));
    let mut response = if unchanged { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::VARY, "Accept-Encoding"));
    if unchanged {
        return response.finish();
    }
    let source = Arc::clone(written);
    let Ok(bytes) = web::block(move || source.encoded(encoding)).await else {
        return pipeline::refused(request, &Error::from(Code::Unavailable).retry_after(1));
    };
    if encoding != ContentEncoding::Identity {
        response.insert_header((header::CONTENT_ENCODING, encoding.as_str()));
    }
    response.content_type("application/json").body(bytes)
}

/// The encoding the client likes best of those there are; plain where it names none of them.
fn encoding(request: &HttpRequest) -> ContentEncoding {
    let all = [Encoding::identity(), Encoding::gzip(), Encoding::brotli()];
    let liked = AcceptEncoding::parse(request).ok().and_then(|accepted| accepted.negotiate(all.iter()));
    match liked {
        Some(Encoding::Known(known)) => known,
        _ => ContentEncoding::Identity,
    }
}
