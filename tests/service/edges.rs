//! What comes in slowly, brokenly or in masses is ended, and everybody else is served.

use crate::support::{program::set_limit, *};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

crate::on_both![
    a_body_that_drips_is_answered_with_408,
    a_head_that_drips_is_ended,
    a_chunked_body_over_the_limit_is_413_and_nothing_stays,
    after_an_error_the_connection_goes_on_or_is_said_to_close,
    a_thousand_idle_and_slow_clients_stop_nothing,
    a_body_that_breaks_off_leaves_nothing,
];

/// Short enough for a test, long enough for a busy machine.
const SHORT: [&str; 4] = ["--head-timeout-ms", "1000", "--body-timeout-ms", "300"];
/// Nothing here takes longer.
const LONG: Duration = Duration::from_secs(20);

/// A connection without a client that hides anything.
struct Wire {
    stream: TcpStream,
    /// Read and not yet looked at.
    rest: Vec<u8>,
}

/// An answer as it came over the wire.
#[derive(Debug)]
struct Raw {
    status: u16,
    head: String,
    body: String,
}

impl Raw {
    fn closes(&self) -> bool {
        self.head.to_ascii_lowercase().contains("connection: close")
    }
}

impl Wire {
    async fn to(address: &str) -> Self {
        Self { stream: TcpStream::connect(address).await.unwrap(), rest: vec![] }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends what the server takes: it may have ended the connection already.
    async fn push(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// The next answer; none when the connection ends without one.
    async fn answer(&mut self) -> Option<Raw> {
        timeout(LONG, self.read()).await.expect("an answer or an end")
    }

    async fn read(&mut self) -> Option<Raw> {
        loop {
            let text = String::from_utf8_lossy(&self.rest).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
                let length: usize = length.map_or(0, |l| l.parse().unwrap());
                if body.len() >= length {
                    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                    let (head, body) = (head.to_owned(), body[..length].to_owned());
                    self.rest.drain(..head.len() + 4 + length);
                    return Some(Raw { status, head, body });
                }
            }
            let mut buffer = [0; 4096];
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.rest.extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// Waits until the server has closed the connection.
    async fn closed(&mut self) {
        assert!(self.answer().await.is_none(), "it is closed");
    }
}

fn post(app: &App, path: &str, more: &str) -> String {
    let token = app.token();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\r\n\r\n")
}

fn get(app: &App, path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", app.token())
}

async fn accounts(app: &App) -> Value {
    app.get("/v1/accounts?count=exact").await.is(200)["total"].clone()
}

async fn a_body_that_drips_is_answered_with_408(app: App) {
    let program = app.program(&SHORT);
    let mut wire = Wire::to(&program.address).await;
    let begun = Instant::now();
    wire.send(&post(&app, "/v1/accounts", "content-type: application/json\r\ncontent-length: 100")).await;
    let drip = async |wire: &mut Wire| {
        loop {
            // The drip itself: a byte at a time, each sooner than any time-out between bytes.
            if !wire.push(b" ").await {
                return;
            }
            sleep(Duration::from_millis(20)).await;
            let mut buffer = [0; 4096];
            if let Ok(n) = wire.stream.try_read(&mut buffer) {
                wire.rest.extend_from_slice(&buffer[..n]);
                return;
            }
        }
    };
    timeout(LONG, drip(&mut wire)).await.expect("it is ended");
    let answer = wire.answer().await.expect("an answer");
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(10), "{took:?}");
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, &problem["code"]), (408, &json!("timeout")), "{answer:?}");
    assert!(answer.closes(), "{answer:?}");
    wire.closed().await;
    assert_eq!(accounts(&app).await, 0);
}

async fn a_head_that_drips_is_ended(app: App) {
    let program = app.program(&SHORT);
    for beginning in ["", "GET /v1/me HTTP/1.1\r\n", "GET /v1/me HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut wire = Wire::to(&program.address).await;
        let begun = Instant::now();
        wire.send(beginning).await;
        let answer = wire.answer().await;
        assert!(answer.is_none_or(|a| a.status == 408), "{beginning:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{beginning:?}");
    }
    program.app.get("/v1/me").await.is(200);
}

async fn a_chunked_body_over_the_limit_is_413_and_nothing_stays(app: App) {
    let chunk = format!("{:x}\r\n{}\r\n", 64 * 1024, "x".repeat(64 * 1024));
    let mut wire = Wire::to(app.url.strip_prefix("http://").unwrap()).await;
    wire.send(&post(&app, "/v1/accounts", "content-type: application/json\r\ntransfer-encoding: chunked")).await;
    wire.send("c\r\n{\"name\": \"AB\r\n").await;
    // Twice the limit and more: whoever sends on for ever is cut off.
    for _ in 0..40 {
        if !wire.push(chunk.as_bytes()).await {
            break;
        }
    }
    let answer = wire.answer().await.expect("an answer");
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.body.contains("too_large"), "{answer:?}");
    assert_eq!(accounts(&app).await, 0);
}

/// Requests that are answered before their body is read, and whether that body is there.
async fn after_an_error_the_connection_goes_on_or_is_said_to_close(app: App) {
    let address = app.url.strip_prefix("http://").unwrap().to_owned();
    let json_type = "content-type: application/json";
    let large = "x".repeat(2 * 1024 * 1024);
    let small = json!({"name": "A"}).to_string();
    let nobody = app.as_("none");
    let chunks = |body: &str| format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let sized = |more: &str, body: &str| format!("{more}\r\ncontent-length: {}", body.len());
    let cases = [
        ("401", post(&nobody, "/v1/accounts", &sized(json_type, &small)), small.clone(), 401),
        ("401 chunked", post(&nobody, "/v1/accounts", &format!("{json_type}\r\ntransfer-encoding: chunked")), chunks(&small), 401),
        ("401 large", post(&nobody, "/v1/accounts", &sized(json_type, &large)), large.clone(), 401),
        ("401 large chunked", post(&nobody, "/v1/accounts", &format!("{json_type}\r\ntransfer-encoding: chunked")), chunks(&large), 401),
        ("413", post(&app, "/v1/accounts", &sized(json_type, &large)), large.clone(), 413),
        ("413 chunked", post(&app, "/v1/accounts", &format!("{json_type}\r\ntransfer-encoding: chunked")), chunks(&large), 413),
        ("415 coding", post(&app, "/v1/accounts", &sized(&format!("{json_type}\r\ncontent-encoding: gzip"), &small)), small.clone(), 415),
        ("415 type", post(&app, "/v1/accounts", &sized("content-type: text/plain", &small)), small.clone(), 415),
        ("405", post(&app, "/v1/me", &sized(json_type, &small)), small.clone(), 405),
        ("404", post(&app, "/v1/nothing", &sized(json_type, &large)), large.clone(), 404),
        ("400", post(&app, "/v1/accounts?x=1", &sized(json_type, &small)), small.clone(), 400),
        ("a body nobody asked for", post(&app, "/v1/auth/sign-out", &sized(json_type, "{}")), "{}".to_owned(), 204),
    ];
    let signed = app.admin().await.app;
    for (name, head, body, status) in cases {
        let head = if status == 204 { head.replace(&app.token(), &signed.token()) } else { head };
        for together in [true, false] {
            if status == 204 && !together {
                continue;
            }
            let mut wire = Wire::to(&address).await;
            let answer = if together {
                // As most clients do: head and body at once, then the answer.
                wire.push(&[head.as_bytes(), body.as_bytes()].concat()).await;
                wire.answer().await
            } else {
                // As a client does that waits: the answer comes before the body goes.
                wire.send(&head).await;
                if status < 413 && status != 401 && status != 404 && status != 405 {
                    wire.push(body.as_bytes()).await;
                    wire.answer().await
                } else {
                    let early = timeout(Duration::from_secs(2), wire.answer()).await;
                    wire.push(body.as_bytes()).await;
                    match early {
                        Ok(answer) => answer,
                        Err(_) => wire.answer().await,
                    }
                }
            };
            let answer = answer.unwrap_or_else(|| panic!("{name} {together}: no answer"));
            assert_eq!(answer.status, status, "{name} {together}: {answer:?}");
            if answer.closes() {
                wire.closed().await;
                continue;
            }
            wire.send(&get(&app, "/health/live")).await;
            let next = wire.answer().await.unwrap_or_else(|| panic!("{name} {together}: neither said to close nor open: {answer:?}"));
            assert_eq!((next.status, next.body.as_str()), (200, "{\"status\":\"ok\"}"), "{name} {together}: {next:?}");
        }
    }
    assert_eq!(accounts(&app).await, 0);
}

/// A thousand who are silent, or say a little now and then, and everybody else is served as if they were not there.
async fn a_thousand_idle_and_slow_clients_stop_nothing(app: App) {
    // For both ends of a thousand connections, here and there: the program begins with what this process may have.
    set_limit(std::process::id(), "nofile=8192");
    let program = app.program(&["--head-timeout-ms", "30000", "--body-timeout-ms", "30000"]);
    let mut idle = vec![];
    for n in 0..1_000 {
        let mut wire = Wire::to(&program.address).await;
        // Silent, half a head, half a body, and one request done.
        match n % 4 {
            0 => {}
            1 => wire.send("GET /v1/me HTTP/1.1\r\nhost").await,
            2 => wire.send(&post(&app, "/v1/accounts", "content-type: application/json\r\ncontent-length: 100000")).await,
            _ => {
                wire.send(&get(&app, "/health/live")).await;
                assert_eq!(wire.answer().await.unwrap().status, 200);
            }
        }
        idle.push(wire);
    }
    let before = program.resident_kilobytes();
    let begun = Instant::now();
    for _ in 0..20 {
        // A byte more from each who began to say something.
        for wire in idle.iter_mut().skip(2).step_by(4) {
            assert!(wire.push(b" ").await);
        }
        program.app.get("/v1/me").await.is(200);
    }
    program.app.account("A").await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let grown = program.resident_kilobytes().saturating_sub(before);
    assert!(before < 300_000 && grown < 50_000, "{before} kB, and {grown} kB more");
    // Those that were left open by the server's word still work.
    for wire in idle.iter_mut().skip(3).step_by(4) {
        wire.send(&get(&app, "/health/live")).await;
        assert_eq!(wire.answer().await.unwrap().status, 200);
    }
    assert_eq!(accounts(&app).await, 1);
}

async fn a_body_that_breaks_off_leaves_nothing(app: App) {
    for headers in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut wire = Wire::to(app.url.strip_prefix("http://").unwrap()).await;
        wire.send(&post(&app, "/v1/accounts", &format!("content-type: application/json\r\n{headers}"))).await;
        wire.send("e\r\n{\"name\": \"A\"}").await;
        wire.stream.shutdown().await.unwrap();
        let answer = wire.answer().await;
        assert!(answer.as_ref().is_none_or(|a| a.status == 400), "{answer:?}");
    }
    assert_eq!(accounts(&app).await, 0);
}
