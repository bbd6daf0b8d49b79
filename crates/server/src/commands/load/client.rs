//! The client of the public API: one place for time-outs, the token, pages, batches and waiting when asked to.

#![expect(clippy::indexing_slicing, reason = "a JSON value read by name answers null, it does not panic")]

use super::{LoadError, Service, problem};
use reqwest::{Method, StatusCode, header::RETRY_AFTER};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Tries of a request that was told to come back later.
const TRIES: u32 = 5;
/// Longest wait before another try, in seconds.
const LONGEST_WAIT: u64 = 60;
/// Most items of a batch.
const BATCH: usize = 1_000;

/// A signed-in client.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// Signs in with a password, unless a token was given.
    pub async fn sign_in(service: &Service) -> Result<Self, LoadError> {
        samphan_background::tls::install_tls_provider();
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .user_agent(concat!("samphan-load/", env!("CARGO_PKG_VERSION")))
            .build()?;
        let url = service.url.trim_end_matches('/').to_owned();
        let mut client = Self { http, url, token: service.token.clone().unwrap_or_default() };
        if client.token.is_empty() {
            let password = service.password.as_ref().ok_or(LoadError::NobodyToBe)?;
            let body = json!({"email": service.email, "password": password});
            let tokens = client.send(Method::POST, "/v1/auth/sign-in", Some(&body)).await?;
            let token = tokens["access_token"].as_str();
            token.ok_or_else(|| LoadError::Unexpected("sign-in".to_owned(), "access_token"))?.clone_into(&mut client.token);
        }
        Ok(client)
    }

    /// Sends a request and reads the JSON of its answer; null when there is none.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, LoadError> {
        for attempt in 1.. {
            let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
            if !self.token.is_empty() {
                request = request.bearer_auth(&self.token);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let response = request.send().await?;
            let status = response.status();
            let later = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
            if later && attempt < TRIES {
                let header = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
                tokio::time::sleep(Duration::from_secs(header.unwrap_or(1_u64).min(LONGEST_WAIT))).await;
                continue;
            }
            let answer = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
            if status.is_success() {
                return Ok(answer);
            }
            return Err(LoadError::Refused { operation: format!("{method} {path}"), status: status.as_u16(), problem: problem(&answer) });
        }
        Err(LoadError::Unexpected(path.to_owned(), "an end"))
    }

    /// All records of a list, page after page. `query` is written as it stands in the address.
    pub async fn all(&self, path: &str, query: &str) -> Result<Vec<Value>, LoadError> {
        let mut records = vec![];
        let mut cursor = String::new();
        loop {
            let page = self.send(Method::GET, &format!("{path}?limit=200{query}{cursor}"), None).await?;
            let Some(data) = page["data"].as_array() else { return Err(LoadError::Unexpected(path.to_owned(), "data")) };
            records.extend(data.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(records),
            }
        }
    }

    /// Creates or updates records by what the system calls them; a result for each item in its order.
    pub async fn upsert(&self, path: &str, system: &str, items: &[Map<String, Value>]) -> Result<Vec<Value>, LoadError> {
        let mut results = vec![];
        for some in items.chunks(BATCH) {
            let body = json!({"mode": "upsert", "match_on": format!("external_id:{system}"), "items": some});
            let answer = self.send(Method::POST, &format!("{path}/batch"), Some(&body)).await?;
            let done = answer["results"].as_array().filter(|r| r.len() == some.len());
            results.extend(done.ok_or_else(|| LoadError::Unexpected(path.to_owned(), "a result for each item"))?.iter().cloned());
        }
        Ok(results)
    }
}
