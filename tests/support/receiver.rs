//! Somebody who is told by webhooks, and may be slow, refuse, or never answer.

use super::{App, Value, json};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    rc::Rc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::{Semaphore, mpsc},
    task::LocalSet,
    time::timeout,
};

/// What a receiver got.
#[derive(Clone, Debug)]
pub struct Got {
    pub headers: HashMap<String, String>,
    pub text: String,
    pub body: Value,
}

impl Got {
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// Whether one of its signatures is of this secret.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.{}", self.id(), self.headers["webhook-timestamp"], self.text).as_bytes());
        let right = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.headers["webhook-signature"].split(' ').any(|s| s == right)
    }
}

/// Somebody who is told: answers with these statuses one after the other, then with 200; to `NEVER` not at all.
pub struct Receiver {
    pub url: String,
    pub got: mpsc::UnboundedReceiver<Got>,
    answers: Rc<RefCell<VecDeque<u16>>>,
    /// How many answers may be given.
    pub gate: Rc<Semaphore>,
    /// How many wait for an answer, and how many ever did at once.
    pub waiting: Rc<Cell<(usize, usize)>>,
}

/// No answer.
pub const NEVER: u16 = 0;

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hooks", listener.local_addr().unwrap());
        let (tell, got) = mpsc::unbounded_channel();
        let answers: Rc<RefCell<VecDeque<u16>>> = Rc::default();
        let (gate, waiting) = (Rc::new(Semaphore::new(1_000_000)), Rc::new(Cell::new((0, 0))));
        let (queue, open, count) = (Rc::clone(&answers), Rc::clone(&gate), Rc::clone(&waiting));
        tokio::task::spawn_local(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (tell, queue, open, count) = (tell.clone(), Rc::clone(&queue), Rc::clone(&open), Rc::clone(&count));
                tokio::task::spawn_local(async move {
                    let mut connection = BufReader::new(connection);
                    loop {
                        let (mut headers, mut line) = (HashMap::new(), String::new());
                        while connection.read_line(&mut line).await.unwrap_or(0) > 2 {
                            if let Some((name, value)) = line.trim().split_once(": ") {
                                headers.insert(name.to_lowercase(), value.to_owned());
                            }
                            line.clear();
                        }
                        let Some(length) = headers.get("content-length").and_then(|l| l.parse().ok()) else { return };
                        let mut body = vec![0; length];
                        // Whoever sends may be killed meanwhile.
                        if connection.read_exact(&mut body).await.is_err() {
                            return;
                        }
                        let text = String::from_utf8(body).unwrap();
                        let status = queue.borrow_mut().pop_front().unwrap_or(200);
                        let (now, most) = count.get();
                        count.set((now + 1, most.max(now + 1)));
                        let _ = tell.send(Got { headers, body: serde_json::from_str(&text).unwrap(), text });
                        if status == NEVER {
                            std::future::pending::<()>().await;
                        }
                        open.acquire().await.unwrap().forget();
                        count.set((count.get().0 - 1, count.get().1));
                        let answer = format!("HTTP/1.1 {status} As told\r\ncontent-length: 5\r\n\r\nheard");
                        let _ = connection.get_mut().write_all(answer.as_bytes()).await;
                    }
                });
            }
        });
        Self { url, got, answers, gate, waiting }
    }

    pub async fn next(&mut self) -> Got {
        timeout(Duration::from_secs(45), self.got.recv()).await.expect("something is sent").unwrap()
    }

    /// The next so many, in the order in which they happened.
    pub async fn next_in_order(&mut self, many: usize) -> Vec<Got> {
        let mut all = vec![];
        for _ in 0..many {
            all.push(self.next().await);
        }
        all.sort_by_key(|got| got.body["position"].as_i64());
        all
    }

    pub fn answers(&self, statuses: &[u16]) {
        self.answers.borrow_mut().extend(statuses);
    }
}

/// Makes an endpoint: its id and secret.
pub async fn endpoint(app: &App, receiver: &Receiver, rest: Value) -> (String, String) {
    let mut body = json!({"url": receiver.url});
    body.as_object_mut().unwrap().extend(rest.as_object().cloned().unwrap());
    let made = app.post("/v1/webhook-endpoints", body).await.is(201);
    (made["webhook_endpoint"]["id"].as_str().unwrap().to_owned(), made.text_of("secret"))
}

/// Runs a test with tasks of its own.
pub async fn local<F: Future<Output = ()>>(test: F) {
    LocalSet::new().run_until(test).await;
}
