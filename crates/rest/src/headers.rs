//! The headers that tell browsers what not to do with an answer: on everything this service sends, its pages and refusals included.

use super::pipeline::App;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
    web,
};

/// On every answer.
const SAME: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];
/// What the docs page may load and call: its own scripts, styles and pictures, and this service.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds them.
pub async fn secure<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let is_docs = request.path().starts_with("/docs/");
    let hsts = request.app_data::<web::Data<App>>().and_then(|app| app.hsts.clone());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in SAME {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if is_docs {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCS));
    }
    if let Some(hsts) = hsts {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    Ok(response)
}

/// What tells browsers to come by TLS only for so many seconds; nothing for none.
#[must_use]
pub fn hsts(seconds: u32) -> Option<HeaderValue> {
    (seconds > 0).then(|| HeaderValue::from_str(&format!("max-age={seconds}; includeSubDomains")).ok()).flatten()
}
