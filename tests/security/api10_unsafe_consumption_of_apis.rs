//! What others answer is believed no further than it has to be. What is answered to a webhook is all that the service reads of others.

use crate::support::*;
use samphan_api::webhooks::sender::Sender;
use samphan_resource::timestamp::Timestamp;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

/// Sends to a receiver that answers so, and then goes on for ever with the last part.
async fn answered(begin: &'static [u8], on: &'static [u8]) -> samphan_api::webhooks::sender::Outcome {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x", listener.local_addr().unwrap());
    let receiver = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut read = vec![0; 4096];
        let _ = connection.read(&mut read).await;
        let _ = connection.write_all(begin).await;
        while !on.is_empty() && connection.write_all(on).await.is_ok() {}
    });
    let sender = Sender::new(true, 1).unwrap();
    let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
    let secrets = [vec![1]];
    let sent = sender.send(&url, Uuid::nil(), "{}".to_owned(), &secrets, now);
    // Long before the time-out: it is the amount that ends it.
    let outcome = tokio::time::timeout(Duration::from_secs(10), sent).await.expect("it comes to an end");
    receiver.abort();
    outcome
}

#[test]
fn an_answer_without_end_is_read_no_further_than_it_says_something() {
    app::wait(async {
        let endless = answered(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n", &[b'x'; 65_536]).await;
        assert_eq!((endless.status, endless.error, endless.response.map(|r| r.len())), (Some(200), None, Some(1000)));
        let chunked = answered(b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n", b"8\r\nxxxxxxxx\r\n").await;
        assert_eq!((chunked.status, chunked.error, chunked.response.map(|r| r.len())), (Some(500), Some("status"), Some(1000)));
    });
}

#[test]
fn what_is_no_answer_is_none() {
    app::wait(async {
        for nonsense in [&b"\x16\x03\x01\x02\x00"[..], b"220 mail.example ESMTP\r\n", b"HTTP/1.1 999999 ?\r\n\r\n", b"\r\n\r\n\r\n"] {
            let outcome = answered(nonsense, b"").await;
            assert_eq!((outcome.status, outcome.error), (None, Some("connection")), "{nonsense:?}");
        }
        let headers = answered(b"HTTP/1.1 200 OK\r\n", b"x-more: and more and more and more\r\n").await;
        assert_eq!((headers.status, headers.error), (None, Some("connection")));
        // Bytes that are no text, and NUL, which PostgreSQL cannot keep, do no harm.
        let odd = answered(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\na\0\xff\xfeb\0", b"").await;
        assert_eq!(odd.response.as_deref(), Some("a\u{fffd}\u{fffd}b"));
    });
}
