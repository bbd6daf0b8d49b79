//! A server in this process, on a free port, and a client that is signed in to it.

use super::{
    database::{Database, Kind},
    now,
    program::Program,
    request::Request,
};
use actix_web::dev::ServerHandle;
use reqwest::Method;
use samphan::{
    commands::demo,
    config::{self, LogFormat, RateLimit, Settings},
    retention::Retention,
    server,
};
use samphan_api::{
    identity::{
        keyring::Keyring,
        server_keys::{self, KeyKind},
    },
    platform::first_start,
};
use samphan_background::tls::install_tls_provider;
use samphan_persistence::store::{DatabaseOptions, Reader, Store, Work};
use samphan_resource::caller::Caller;
use serde_json::Value;
use std::{
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::Duration,
};

/// The first administrator.
pub const ADMIN: &str = "admin@example.com";
/// The password of everyone in the tests.
pub const PASSWORD: &str = "correct horse battery";

/// Runs a test with a server and a database of its own.
pub fn run<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(App) -> F) {
    let database = Database::fresh(kind);
    wait(test(App::on(&database)));
    drop(database);
}

/// Runs a test with a database of its own and no server: it starts programs itself, and nobody else has the database open.
pub fn run_alone<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(App) -> F) {
    let database = Database::fresh(kind);
    wait(test(App::without_server(&database.url, &database.token, kind)));
    drop(database);
}

/// Runs a future to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Runs a future to its end on a thread of its own, also from within another.
pub fn wait_apart<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> T {
    std::thread::spawn(|| wait(future)).join().unwrap()
}

/// A client with a time-out.
pub fn client() -> reqwest::Client {
    install_tls_provider();
    reqwest::Client::builder().timeout(Duration::from_secs(60)).redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// What servers in tests are set to.
pub fn settings(database_url: &str, rate_limit: RateLimit) -> Settings {
    Settings {
        database: config::Database { database_url: database_url.to_owned(), database_connections: 4, sqlite_full_sync: false },
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        admin_email: ADMIN.to_owned(),
        admin_password: Some(PASSWORD.to_owned()),
        time_zone: "UTC".to_owned(),
        demo: false,
        rate_limit,
        log_format: LogFormat::Text,
        log: "off".to_owned(),
        cors_origins: vec!["https://crm.example.com".to_owned()],
        hsts_seconds: 0,
        docs: true,
        metrics: true,
        public_document: true,
        metrics_token: None,
        head_timeout_ms: 10_000,
        body_timeout_ms: 10_000,
        read_timeout_ms: 3_000,
        event_streams: 6,
        event_streams_per_caller: 4,
        trusted_proxies: vec![],
        webhook_allow_private: true,
        webhook_deliveries: 8,
        secret_keys: vec![],
        erasure_journal: None,
        retention: Retention::default(),
        shutdown_seconds: 1,
    }
}

/// A server that stops when dropped.
pub struct Running {
    pub url: String,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Starts a server.
    pub fn start(settings: Settings) -> Self {
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let service = server::build(&settings).await.unwrap();
                first_start::run(service.store(), service.presets(), &settings.admin_email, settings.admin_password.as_deref())
                    .await
                    .unwrap();
                let serving = server::serve(&settings, service).await.unwrap();
                tell.send((serving.address, serving.handle())).unwrap();
                serving.run().await.unwrap();
            });
        });
        let (address, handle) = told.recv().expect("the server started");
        Self { url: format!("http://{address}"), handle, thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(std::thread::panicking() || ended.is_ok(), "the server ended well");
        }
    }
}

/// A server as one caller sees it. Cheap to clone; `as_` and `nobody` change the caller.
#[derive(Clone)]
pub struct App {
    _running: Option<Arc<Running>>,
    /// Where it is asked: at the server in this process, or at a program on the same database.
    pub url: Arc<str>,
    client: reqwest::Client,
    token: Option<String>,
    database_url: Arc<str>,
    kind: Kind,
}

impl App {
    /// A server on a database, as its administrator sees it.
    pub fn on(database: &Database) -> Self {
        Self::of(&database.url, &database.token, database.kind, RateLimit::Off)
    }

    fn of(database_url: &str, token: &str, kind: Kind, rate_limit: RateLimit) -> Self {
        Self::of_settings(settings(database_url, rate_limit), token, kind)
    }

    fn of_settings(settings: Settings, token: &str, kind: Kind) -> Self {
        let database_url = &settings.database.database_url.clone();
        let running = Running::start(settings);
        let url = Arc::from(running.url.as_str());
        Self { url, _running: Some(Arc::new(running)), ..Self::without_server(database_url, token, kind) }
    }

    /// A database that nobody serves yet, as the holder of a token sees it.
    pub fn without_server(database_url: &str, token: &str, kind: Kind) -> Self {
        let token = Some(token.to_owned()).filter(|t| !t.is_empty());
        Self { _running: None, url: Arc::from(""), client: client(), token, database_url: Arc::from(database_url), kind }
    }

    /// Where its database is.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Which database that is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Another server on the same database, as a second process would be.
    pub fn another(&self, rate_limit: RateLimit) -> Self {
        Self::of(&self.database_url, self.token.as_deref().unwrap_or_default(), self.kind, rate_limit)
    }

    /// The same, set to something else than servers in tests are.
    pub fn another_set(&self, rate_limit: RateLimit, set: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(&self.database_url, rate_limit);
        set(&mut settings);
        Self::of_settings(settings, self.token.as_deref().unwrap_or_default(), self.kind)
    }

    /// The program as a process of its own on the same database, started with more words.
    pub fn program(&self, words: &[&str]) -> Program {
        Program::start(self, &self.database_url, words)
    }

    /// What the caller would see at another address.
    pub fn at(&self, url: &str) -> Self {
        Self { url: Arc::from(url), ..self.clone() }
    }

    /// Makes the demo company in its database, beside the server.
    pub async fn demo_company(&self) {
        let service = server::build(&settings(&self.database_url, RateLimit::Off)).await.unwrap();
        demo::make(service.store()).await.unwrap();
    }

    /// The server's database, beside the server.
    pub async fn store(&self) -> Store {
        let opening = DatabaseOptions { url: self.database_url.to_string(), connections: 1, full_sync: false };
        Store::open(&opening, Box::leak(Box::default())).await.unwrap()
    }

    /// A work on the server's database, beside the server.
    pub async fn work(&self) -> Work {
        self.store().await.work(Arc::new(Caller::system()), now()).await.unwrap()
    }

    /// What reads the server's database, beside the server; it waits for nobody.
    pub async fn reader(&self) -> Reader {
        self.store().await.reader(Arc::new(Caller::system()), now())
    }

    /// The secret that the servers on this database sign tokens with.
    pub async fn signing_seed(&self) -> Vec<u8> {
        self.server_key(KeyKind::AccessTokens).await
    }

    /// The key of a kind that the servers on this database use, where it is not encrypted.
    pub async fn server_key(&self, kind: KeyKind) -> Vec<u8> {
        let work = self.work().await;
        let keys = server_keys::prepare(&work, &Keyring::of([]).unwrap()).await.unwrap();
        server_keys::in_order(&keys, kind, work.now)[0].secret.clone()
    }

    /// The same server as the holder of another token sees it.
    pub fn as_(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same server without a token.
    pub fn nobody(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The caller's token.
    pub fn token(&self) -> String {
        self.token.clone().unwrap_or_default()
    }

    /// A request, to be awaited.
    pub fn ask(&self, method: Method, path: &str) -> Request {
        let request = Request::new(&self.client, method, &self.url, path);
        match &self.token {
            Some(token) => request.header("authorization", &format!("Bearer {token}")),
            None => request,
        }
    }

    pub fn get(&self, path: &str) -> Request {
        self.ask(Method::GET, path)
    }

    pub fn delete(&self, path: &str) -> Request {
        self.ask(Method::DELETE, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Request {
        self.ask(Method::POST, path).json(&body)
    }

    pub fn patch(&self, path: &str, body: Value) -> Request {
        self.ask(Method::PATCH, path).json(&body)
    }

    pub fn put(&self, path: &str, body: Value) -> Request {
        self.ask(Method::PUT, path).json(&body)
    }

    /// Makes a record and answers it.
    pub async fn make(&self, path: &str, body: Value) -> Value {
        self.post(path, body).await.is(201).body
    }

    /// Makes an account of that name and answers its id.
    pub async fn account(&self, name: &str) -> String {
        self.make("/v1/accounts", serde_json::json!({"name": name})).await["id"].as_str().unwrap().to_owned()
    }

    /// Makes records, hundreds at a time.
    pub async fn make_many(&self, path: &str, items: &[Value]) -> Vec<String> {
        let mut ids = vec![];
        for chunk in items.chunks(1000) {
            let done =
                self.post(&format!("{path}/batch"), serde_json::json!({"mode": "create", "atomic": true, "items": chunk})).await.is(200);
            ids.extend(done["results"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()));
        }
        ids
    }

    /// Everything in the feed, from its beginning.
    pub async fn feed(&self) -> Vec<Value> {
        self.changes("", "&limit=1000").await.0
    }

    /// Everything in the feed after a cursor, and the cursor behind it.
    pub async fn changes(&self, after: &str, asked: &str) -> (Vec<Value>, String) {
        let (mut found, mut cursor) = (vec![], after.to_owned());
        loop {
            let after = if cursor.is_empty() { String::new() } else { format!("&after={cursor}") };
            let page = self.get(&format!("/v1/changes?wait=0s{after}{asked}")).await.is(200);
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            cursor = page.text_of("next_cursor");
            if page["has_more"] == false {
                return (found, cursor);
            }
        }
    }

    /// All records of a list, page by page.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let (mut found, mut cursor) = (vec![], String::new());
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = self.get(&format!("{path}{sign}limit={limit}{cursor}")).await.is(200).body;
            let data = page["data"].as_array().unwrap();
            assert_eq!(page["has_more"] == true, page["next_cursor"].is_string(), "a cursor exactly where there is more");
            assert!(data.len() <= limit && (page["has_more"] == false || data.len() == limit), "pages are full but the last");
            found.extend(data.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }
}
