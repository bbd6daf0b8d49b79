//! HTTP beneath the client that is made from the document (`api.rs`): the key, time-outs, trying again, and misbehaving when told to.

use crate::{
    api::Problem,
    dice::{Dice, Misbehaviour},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Display, time::Duration};

/// Attempts at a request without an answer, or with one that says to retry later.
const TRIES: u32 = 30;
/// Longest wait before another try, in seconds.
const LONGEST_WAIT: u64 = 30;
/// Longest time, in milliseconds, from a request to the drop of its connection.
const SOONEST: usize = 30;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service refused.
    #[error("{operation}: {} {}{}", problem.status, problem.code, faults(problem))]
    Refused {
        /// Method and path.
        operation: String,
        /// Why.
        problem: Box<Problem>,
    },
    /// The service was not reached, or broke off.
    #[error("{0}")]
    Unreachable(#[from] reqwest::Error),
    /// What was sent or answered is not what the document says.
    #[error("{operation}: {why}")]
    Unexpected {
        /// Method and path.
        operation: String,
        /// What is wrong with it.
        why: String,
    },
}

fn faults(problem: &Problem) -> String {
    let missing = problem.allowed.iter().filter(|_| problem.status == 403).map(|permission| format!(", needs {permission}"));
    problem.errors.iter().map(|e| format!(", {} {}", e.pointer, e.code)).chain(missing).collect()
}

/// A client of the published API.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
    misbehaviour: Misbehaviour,
    dice: Dice,
}

/// A request of one operation.
#[derive(Debug)]
pub struct Call {
    method: &'static str,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    key: Option<String>,
}

/// A part of a path.
pub fn encoded(part: impl Display) -> String {
    utf8_percent_encode(&part.to_string(), NON_ALPHANUMERIC).to_string()
}

impl Call {
    /// A request without query and body.
    pub const fn new(method: &'static str, path: String) -> Self {
        Self { method, path, query: vec![], body: None, key: None }
    }

    fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn odd(&self, why: impl Display) -> ClientError {
        ClientError::Unexpected { operation: self.what(), why: why.to_string() }
    }

    /// With a query.
    pub fn query(mut self, query: &impl Serialize) -> Result<Self, ClientError> {
        let said = serde_json::to_value(query).map_err(|e| self.odd(e))?;
        let said = said.as_object().into_iter().flatten();
        self.query = said.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        Ok(self)
    }

    /// With a body of JSON.
    pub fn body(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        self.body = Some(serde_json::to_vec(body).map_err(|e| self.odd(e))?);
        Ok(self)
    }

    /// With an Idempotency-Key.
    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }
}

impl Client {
    /// A client of the service at `url`, with an API key.
    pub fn new(url: &str, key: &str, misbehaviour: Misbehaviour, dice: Dice) -> Result<Self, ClientError> {
        // It is an error to name the cryptography twice, and no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(60))
            .user_agent(concat!("samphan-erp-simulator/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), key: key.to_owned(), misbehaviour, dice })
    }

    /// Sends a request until it is answered, and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: Call) -> Result<T, ClientError> {
        let answer = self.answer(&call).await?;
        if self.dice.happens(self.misbehaviour.repeat) {
            // The answer to a repeated request is not looked at.
            let _ = self.answer(&call).await?;
        }
        let text = if answer.is_empty() { b"null" } else { answer.as_slice() };
        serde_json::from_slice(text).map_err(|e| call.odd(e))
    }

    async fn answer(&self, call: &Call) -> Result<Vec<u8>, ClientError> {
        for attempt in 1.. {
            tokio::time::sleep(Duration::from_millis(self.misbehaviour.slow)).await;
            while self.dice.happens(self.misbehaviour.drop) {
                self.drop_the_connection(call).await;
            }
            let (wait, why) = match self.request(call).send().await {
                Ok(response) if response.status().is_success() => return Ok(response.bytes().await?.to_vec()),
                Ok(response) => {
                    let wait = retry_after(&response);
                    let problem = serde_json::from_slice(&response.bytes().await?).map_err(|e| call.odd(e))?;
                    (wait, ClientError::Refused { operation: call.what(), problem: Box::new(problem) })
                }
                // Everything is sent with a key, or may be done twice.
                Err(e) => (Some(1), e.into()),
            };
            match wait {
                Some(seconds) if attempt < TRIES => tokio::time::sleep(Duration::from_secs(seconds.min(LONGEST_WAIT))).await,
                _ => return Err(why),
            }
        }
        Err(call.odd("no end of tries"))
    }

    fn request(&self, call: &Call) -> reqwest::RequestBuilder {
        let method = call.method.parse().unwrap_or(reqwest::Method::GET);
        let mut request = self.http.request(method, format!("{}{}", self.url, call.path)).bearer_auth(&self.key).query(&call.query);
        if let Some(key) = &call.key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        request
    }

    /// Sends a request and hangs up: within the next moments, or when the answer begins.
    async fn drop_the_connection(&self, call: &Call) {
        let sent = self.request(call).send();
        if self.dice.happens(0.5) {
            let soon = Duration::from_millis(self.dice.below(SOONEST) as u64);
            drop(tokio::time::timeout(soon, sent).await);
        } else {
            drop(sent.await);
        }
    }
}

/// Seconds after which to come again: where the service says so.
fn retry_after(response: &Response) -> Option<u64> {
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT].contains(&response.status());
    let said = response.headers().get(RETRY_AFTER).filter(|_| later)?;
    said.to_str().ok()?.parse().ok()
}
