//! Whatever address it is given, the service asks no neighbour of its own. Webhooks are all that it sends out: `integration::webhooks` has
//! what is refused when an address is saved, `webhooks::address` every disguise of one. Here is what is refused when it comes to sending.

use crate::support::*;
use samphan_api::webhooks::{address::Ask, sender::Sender};
use samphan_resource::timestamp::Timestamp;
use std::{
    net::SocketAddr,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use uuid::Uuid;

crate::on_both![a_redirect_is_not_followed];

fn now() -> Timestamp {
    Timestamp::parse("2026-11-22T10:00:00Z").unwrap()
}

/// A neighbour, who must not be asked.
async fn neighbour() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// Insists that nobody has come: whoever connected is in the queue already.
async fn nobody_came(listener: &TcpListener) {
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err(), "somebody came");
}

#[test]
fn an_address_that_was_saved_before_is_refused_when_it_comes_to_sending() {
    app::wait(async {
        let (listener, port) = neighbour().await;
        let sender = Sender::new(false, 1).unwrap();
        for host in ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]", "localhost", "localhost.", "a@127.0.0.1"] {
            for scheme in ["https", "http", "gopher"] {
                let outcome = sender.send(&format!("{scheme}://{host}:{port}/x"), Uuid::nil(), "{}".to_owned(), &[vec![1]], now()).await;
                assert_eq!((outcome.error, outcome.status), (Some("address_not_allowed"), None), "{scheme} {host}");
            }
        }
        nobody_came(&listener).await;
    });
}

/// What the names of the next test stand for.
const NEIGHBOURS: Ask = |name| {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    Box::pin(async move {
        let address = |ip: &str| SocketAddr::new(ip.parse().unwrap(), 0);
        Ok(match name.as_str() {
            "inside.example" => vec![address("127.0.0.1")],
            "mapped.example" => vec![address("::ffff:127.0.0.1"), address("::1")],
            // Others each time it is asked.
            _ if ASKED.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) => vec![address("10.0.0.1"), address("169.254.169.254")],
            _ => vec![address("127.0.0.1")],
        })
    })
};

#[test]
fn a_name_that_stands_for_a_neighbour_is_not_connected_to_however_often_its_answer_changes() {
    app::wait(async {
        let (listener, port) = neighbour().await;
        let sender = Sender::asking(false, 1, NEIGHBOURS).unwrap();
        for host in ["inside.example", "mapped.example", "flips.example", "flips.example", "flips.example"] {
            let outcome = sender.send(&format!("https://{host}:{port}/x"), Uuid::nil(), "{}".to_owned(), &[vec![1]], now()).await;
            assert_eq!((outcome.error, outcome.status), (Some("address_not_allowed"), None), "{host}");
        }
        nobody_came(&listener).await;
        // Where neighbours may be sent to, the same name leads there: it was not the name that was refused.
        let trusting = Sender::asking(true, 1, NEIGHBOURS).unwrap();
        let (url, secrets) = (format!("http://inside.example:{port}/x"), [vec![1]]);
        let sent = trusting.send(&url, Uuid::nil(), "{}".to_owned(), &secrets, now());
        tokio::select! {
            _ = sent => panic!("nobody answers it"),
            came = listener.accept() => assert!(came.is_ok()),
        }
    });
}

async fn a_redirect_is_not_followed(app: App) {
    let (outside, port) = neighbour().await;
    let (inside, secret_port) = neighbour().await;
    let endpoint = json!({"url": format!("http://127.0.0.1:{port}/hooks"), "event_types": ["tag.created"]});
    let endpoint = app.make("/v1/webhook-endpoints", endpoint).await["webhook_endpoint"]["id"].as_str().unwrap().to_owned();
    app.make("/v1/tags", json!({"name": "vip"})).await;
    let (mut connection, _) = tokio::time::timeout(Duration::from_secs(15), outside.accept()).await.expect("it is sent").unwrap();
    let mut read = vec![0; 64 * 1024];
    assert!(connection.read(&mut read).await.unwrap() > 0);
    let answer = format!("HTTP/1.1 307 Over there\r\nlocation: http://127.0.0.1:{secret_port}/\r\ncontent-length: 0\r\n\r\n");
    connection.write_all(answer.as_bytes()).await.unwrap();
    let late = std::time::Instant::now() + Duration::from_secs(15);
    loop {
        let found = app.all(&format!("/v1/webhook-endpoints/{endpoint}/deliveries"), 50).await;
        if found[0]["attempts"] == 1 {
            assert_eq!((&found[0]["last_status"], &found[0]["last_error"]), (&json!(307), &json!("status")), "{found:?}");
            break;
        }
        assert!(std::time::Instant::now() < late, "{found:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    nobody_came(&inside).await;
}

#[test]
fn the_service_sends_nothing_out_but_webhooks() {
    fn files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.path() {
                path if path.is_dir() => files(&path, found),
                path => found.push(path),
            }
        }
    }
    let mut all = vec![];
    for part in ["resource", "domain", "persistence", "background", "rest", "api", "server"] {
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../crates/{part}/src")), &mut all);
    }
    let makes_clients = |path: &&std::path::PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        ["Client::builder", "TcpStream::connect", "UdpSocket"].iter().any(|way| text.contains(way))
    };
    let mut found: Vec<String> = all.iter().filter(makes_clients).map(|path| path.display().to_string()).collect();
    found.sort();
    // `samphan health` and `samphan load` are programs of their own, which ask the address they are given.
    let allowed = ["webhooks/sender.rs", "commands/health.rs", "commands/load/client.rs"];
    assert!(found.len() == allowed.len() && found.iter().zip(allowed).all(|(path, allowed)| path.ends_with(allowed)), "{found:?}");
}
