//! Streams of server-sent events, read event by event.

use super::request::Request;
use serde_json::{Value, json};

/// A stream being read.
pub struct Stream {
    response: reqwest::Response,
    held: Vec<u8>,
}

impl Stream {
    pub async fn of(request: Request) -> Self {
        let response = request.header("accept", "text/event-stream").open().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, held: vec![] }
    }

    /// The next block: its id, type and data; none at the end.
    pub async fn block(&mut self) -> Option<(String, String, Value)> {
        loop {
            if let Some(end) = self.held.windows(2).position(|two| two == b"\n\n") {
                // Whole, and so text: a piece may end within a letter.
                let block = String::from_utf8(self.held.drain(..end + 2).collect()).unwrap();
                let of = |name: &str| block.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim_start().to_owned();
                return Some((of("id:"), of("event:"), serde_json::from_str(&of("data:")).unwrap_or_default()));
            }
            let piece = self.response.chunk().await.unwrap_or_default()?;
            self.held.extend_from_slice(&piece);
        }
    }

    /// The next change.
    pub async fn change(&mut self) -> Value {
        loop {
            let (id, kind, data) = self.block().await.expect("a change");
            if !data.is_null() {
                assert_eq!((json!(id), json!(kind)), (data["cursor"].clone(), data["type"].clone()));
                return data;
            }
        }
    }
}
