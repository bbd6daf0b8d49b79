//! One attempt: signed, sent, and its answer read as far as it says something.

use super::address::{self, Ask, NotAllowed, Resolver};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use samphan_background::tls::install_tls_provider;
use samphan_resource::timestamp::Timestamp;
use sha2::Sha256;
use std::{error::Error, time::Duration};
use uuid::Uuid;

/// How long an attempt may take, from the name to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// Bytes read of an answer.
const READ: usize = 4096;
/// Characters kept of it.
const KEPT: usize = 1000;

/// The client of all attempts of a process.
#[derive(Clone, Debug)]
pub struct Sender {
    client: reqwest::Client,
    /// Whether private addresses may be sent to.
    pub allow_private: bool,
    /// Most deliveries under way to one endpoint.
    pub at_once: usize,
}

/// What became of an attempt.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The status it was answered with.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<&'static str>,
    /// The beginning of the answer's body.
    pub response: Option<String>,
    /// How long it took.
    pub duration_ms: i64,
}

impl Sender {
    /// A client that follows no redirects, asks no proxy, and resolves names to allowed addresses only.
    pub fn new(allow_private: bool, at_once: usize) -> reqwest::Result<Self> {
        Self::asking(allow_private, at_once, address::ask_system)
    }

    /// The same, where somebody else than the system says what names stand for.
    pub fn asking(allow_private: bool, at_once: usize, ask: Ask) -> reqwest::Result<Self> {
        install_tls_provider();
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent("Samphan-Webhooks/1")
            .dns_resolver(Resolver { allow_private, ask })
            .build()?;
        Ok(Self { client, allow_private, at_once })
    }

    /// Sends a change to an address, signed at this moment with each of the secrets.
    pub async fn send(&self, url: &str, id: Uuid, body: String, secrets: &[Vec<u8>], now: Timestamp) -> Outcome {
        // An address in numbers is not resolved, so it is looked at here.
        let Ok(url) = address::check(url, self.allow_private) else {
            return Outcome { error: Some("address_not_allowed"), ..Outcome::default() };
        };
        let timestamp = now.micros().div_euclid(1_000_000);
        let signature = secrets.iter().map(|secret| sign(secret, id, timestamp, &body)).collect::<Vec<_>>().join(" ");
        let begun = std::time::Instant::now();
        let request = self.client.post(url).header("content-type", "application/json").header("webhook-id", id.to_string());
        let request = request.header("webhook-timestamp", timestamp.to_string()).header("webhook-signature", signature).body(body);
        let mut outcome = match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => Outcome { error: Some(why(&error)), ..Outcome::default() },
        };
        outcome.duration_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        outcome
    }
}

async fn answered(mut response: reqwest::Response) -> Outcome {
    let status = response.status();
    let mut body: Vec<u8> = vec![];
    // A body that breaks off has said what it had to say: the status.
    while let Ok(Some(piece)) = response.chunk().await {
        body.extend(piece.iter().take(READ - body.len()));
        if body.len() >= READ {
            break;
        }
    }
    let text: String = String::from_utf8_lossy(&body).chars().filter(|c| *c != '\0').take(KEPT).collect();
    let error = if status.is_success() { None } else { Some("status") };
    Outcome { status: Some(status.as_u16()), error, response: Some(text).filter(|t| !t.is_empty()), duration_ms: 0 }
}

fn why(error: &reqwest::Error) -> &'static str {
    let mut source: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = source {
        if inner.is::<NotAllowed>() {
            return "address_not_allowed";
        }
        source = inner.source();
    }
    if error.is_timeout() { "timeout" } else { "connection" }
}

/// The signature of Standard Webhooks: `v1,` and the HMAC-SHA256 of id, timestamp and body.
fn sign(secret: &[u8], id: Uuid, timestamp: i64, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return String::new() };
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_id_time_and_body() {
        // From openssl: printf '%s' '00000000-0000-0000-0000-000000000000.1614265330.{"test": 2432232314}' | openssl dgst -sha256 -hmac secret -binary | base64
        let signed = sign(b"secret", Uuid::nil(), 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,h6BCa3l4SovHg+BRbKlsKuKK0BKBWzABh7RTqV6q9u4=");
    }
}
