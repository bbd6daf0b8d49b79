//! Requests and answers. Whatever is answered is held against the published document.

use super::contract;
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use std::{
    collections::HashMap,
    future::IntoFuture,
    ops::{Deref, Index},
    pin::Pin,
};

/// A request that is sent when awaited.
pub struct Request {
    method: Method,
    path: String,
    builder: RequestBuilder,
}

impl Request {
    pub fn new(client: &reqwest::Client, method: Method, url: &str, path: &str) -> Self {
        Self { builder: client.request(method.clone(), format!("{url}{path}")), method, path: path.to_owned() }
    }

    pub fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    /// With a body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.raw("application/json", body.to_string())
    }

    /// With any body.
    pub fn raw(self, kind: &str, body: impl Into<reqwest::Body>) -> Self {
        Self { builder: self.builder.header("content-type", kind).body(body), ..self }
    }

    pub fn if_match(self, version: i64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }

    /// Sends it, and answers what comes back as it comes.
    pub async fn open(self) -> reqwest::Response {
        self.builder.send().await.unwrap()
    }

    /// Sends it, and answers what comes back, or why nothing does.
    pub async fn attempt(self) -> Result<Answer, reqwest::Error> {
        let response = self.builder.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream has no end; whoever wants its events reads them himself.
        let streams = response.headers().get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let text = if streams { String::new() } else { response.text().await? };
        let what = format!("{} {}", self.method, self.path);
        let body = serde_json::from_str(&text).unwrap_or_default();
        let answer = Answer { status, headers, text, body, what };
        assert_ne!(answer.status, 500, "{answer:?}");
        contract::check(&self.method, &self.path, &answer);
        Ok(answer)
    }

    /// With an Idempotency-Key.
    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
}

impl IntoFuture for Request {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.attempt().await.unwrap() })
    }
}

/// The records of a CSV file.
pub type Rows = Vec<HashMap<String, String>>;

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
    pub what: String,
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
        self
    }

    /// Insists on a problem of that status and code.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{}: {}", self.what, self.text);
        self
    }

    /// Insists on a problem with that fault at that place, and answers the fault.
    #[track_caller]
    pub fn fault(&self, pointer: &str, code: &str) -> Value {
        let all = self.body["errors"].as_array().cloned().unwrap_or_default();
        let found = all.into_iter().find(|e| e["pointer"] == pointer && e["code"] == code);
        found.unwrap_or_else(|| panic!("no {code} at {pointer} in {}: {}", self.what, self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    pub fn text_of(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}: {}", self.what, self.text)).to_owned()
    }

    pub fn id(&self) -> String {
        self.text_of("id")
    }

    /// The records of a CSV file, each by the names of its columns.
    pub fn rows(&self) -> Rows {
        csv::Reader::from_reader(self.text.trim_start_matches('\u{feff}').as_bytes()).deserialize().map(Result::unwrap).collect()
    }

    pub fn version(&self) -> i64 {
        self.body["version"].as_i64().unwrap()
    }
}

impl Deref for Answer {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.body
    }
}

impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, field: &str) -> &Value {
        &self.body[field]
    }
}

/// Insists that two answers are byte for byte the same, but for the id of the request.
#[track_caller]
pub fn same_but_request_id(a: &Answer, b: &Answer) {
    let bare = |x: &Answer| x.text.replace(x.body["request_id"].as_str().unwrap_or("-"), "");
    assert_eq!((a.status, bare(a)), (b.status, bare(b)), "{} and {}", a.what, b.what);
    // Whether the connection is kept open is not said of the answer.
    let names = |x: &Answer| x.headers.keys().filter(|n| *n != "connection").map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(a), names(b));
}
