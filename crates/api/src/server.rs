//! The process: what all workers share, how it starts, and how it ends.

use crate::{
    config::{RateLimit, Settings},
    identity::{
        callers::Callers,
        keyring::Keyring,
        limits::{self, Left, Limits, Policy, Slots},
        refused_sign_ins::{self, RefusedSignIns},
        server_keys::{self, KeyKind, ServerKey},
        tokens::{self, Keys},
    },
    integration::{
        changes::follower::{self, Feed},
        webhooks::{self, dispatcher, sender::Sender},
    },
    openapi,
    platform::{administrators, document::Documents, organisation_settings, privacy::journal::Journal},
    rest::{body::Validators, headers, pipeline, routes::Routes},
    retention::{self, Retention},
    sales::release,
    sweep,
    tasks::Tasks,
    telemetry::{self, Metrics},
};
use actix_web::{
    App, HttpServer,
    dev::{Server, ServerHandle},
    http::header::HeaderValue,
    middleware::{Condition, from_fn},
    web,
};
use samphan_domain::{caller::Caller, error::Error, instant::Instant, network::Network};
use samphan_persistence::{
    error::Failure,
    long::Charge,
    migrate,
    store::{Opening, Store},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    ops::Deref,
    path::PathBuf,
    rc::Rc,
    sync::{Arc, OnceLock, PoisonError, RwLock},
    time::Duration,
};
use tokio::sync::Mutex;
use uuid::Uuid;

/// What a worker knows: the process's own, and its way to the database.
#[derive(Clone, Debug)]
pub struct State {
    /// The database.
    pub store: Store,
    /// What all workers share.
    pub shared: Arc<Shared>,
}

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    /// The keys tokens are signed with.
    pub keys: Keys,
    /// All keys that processes share, as they were read last.
    pub server_keys: ServerKeys,
    /// The keys of the settings, which server keys are encrypted with.
    pub configured_keys: Keyring,
    /// Callers, lately read.
    pub callers: Callers,
    /// Limits.
    pub limits: Limits,
    /// Refused sign-ins that the audit is to have.
    pub refused_sign_ins: RefusedSignIns,
    /// Whether limits are kept.
    pub rate_limit: RateLimit,
    /// What each caller has open.
    pub slots: Slots,
    /// Most event streams of one caller.
    pub streams_per_caller: usize,
    /// Proxies that are believed who calls.
    pub trusted_proxies: Vec<Network>,
    /// The published schemas.
    pub validators: Validators,
    /// The published document, as it is served.
    pub documents: Documents,
    /// Every operation by its address.
    pub routes: Routes,
    /// Counters.
    pub metrics: Metrics,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long things are kept.
    pub retention: Retention,
    /// Origins browsers may call from.
    pub cors_origins: Vec<String>,
    /// What tells browsers to come by TLS only.
    pub hsts: Option<HeaderValue>,
    /// Whether the docs page is served.
    pub docs: bool,
    /// Whether everyone may read the document.
    pub public_document: bool,
    /// The hash of the token that metrics are served for.
    pub metrics_token: Option<[u8; 32]>,
    /// Whether the metrics are.
    pub metrics_page: bool,
    /// Who waits for changes.
    pub feed: Feed,
    /// How webhooks are sent.
    pub webhooks: Sender,
}

/// The keys that processes share, as they were read last.
pub struct ServerKeys {
    all: RwLock<Arc<[ServerKey]>>,
    keyring: RwLock<Arc<Keyring>>,
    configured: Vec<Vec<u8>>,
}

impl std::fmt::Debug for ServerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ServerKeys").field(&self.all()).finish()
    }
}

impl ServerKeys {
    /// All of them.
    #[must_use]
    pub fn all(&self) -> Arc<[ServerKey]> {
        Arc::clone(&self.all.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What secrets are encrypted with: the keys of the settings before those of the database.
fn keyring_of(configured: &[Vec<u8>], keys: &[ServerKey], now: Instant) -> Result<Keyring, Error> {
    let own = server_keys::in_order(keys, KeyKind::Secrets, now);
    Keyring::of(configured.iter().map(Vec::as_slice).chain(own.into_iter().map(|key| key.secret.as_slice())))
}

impl State {
    /// What secrets are encrypted with.
    #[must_use]
    pub fn keyring(&self) -> Arc<Keyring> {
        Arc::clone(&self.server_keys.keyring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What successors of refresh tokens are derived with, the present key first.
    #[must_use]
    pub fn refresh_secrets(&self, now: Instant) -> Vec<Vec<u8>> {
        server_keys::in_order(&self.server_keys.all(), KeyKind::RefreshTokens, now).into_iter().map(|key| key.secret.clone()).collect()
    }

    /// Takes these keys from now on, for all workers of the process. Says whether secrets are encrypted with another one than before.
    pub fn use_server_keys(&self, keys: Vec<ServerKey>, now: Instant) -> Result<bool, Error> {
        let good = |kind| server_keys::in_order(&keys, kind, now);
        let before = |kind| -> Vec<Vec<u8>> {
            let all = self.server_keys.all();
            server_keys::in_order(&all, kind, now).into_iter().map(|key| key.secret.clone()).collect()
        };
        let signing: Vec<&[u8]> = good(KeyKind::AccessTokens).into_iter().map(|key| key.secret.as_slice()).collect();
        if self.keys.is_empty() || before(KeyKind::AccessTokens) != signing {
            self.keys.replace(signing)?;
        }
        self.store.use_cursor_keys(good(KeyKind::Cursors).into_iter().map(|key| key.secret.clone()).collect());
        let keyring = keyring_of(&self.server_keys.configured, &keys, now)?;
        let is_new_secret = keyring.current() != self.keyring().current();
        *self.server_keys.keyring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
        *self.server_keys.all.write().unwrap_or_else(PoisonError::into_inner) = Arc::from(keys);
        Ok(is_new_secret)
    }
}

impl Shared {
    /// Takes tokens, where limits are kept, or says when there will be enough.
    pub fn take(&self, name: &str, cost: i64, policy: Policy, now: Instant) -> Result<Option<Left>, Error> {
        match self.rate_limit {
            RateLimit::On => self.limits.take(name, cost, policy, now).map(Some),
            RateLimit::Off => Ok(None),
        }
    }

    /// Whether there is a token, where limits are kept.
    pub fn has_any(&self, name: &str, policy: Policy, now: Instant) -> Result<(), Error> {
        match self.rate_limit {
            RateLimit::On => self.limits.has_any(name, policy, now),
            RateLimit::Off => Ok(()),
        }
    }

    /// Takes tokens for what has been done already, where limits are kept; answers for how many seconds there are none.
    pub fn charge(&self, name: &str, cost: i64, policy: Policy, now: Instant) -> i64 {
        match self.rate_limit {
            RateLimit::On => self.limits.charge(name, cost, policy, now),
            RateLimit::Off => 0,
        }
    }
}

/// Milliseconds of a long read that cost what a request does.
const MS_A_REQUEST: u128 = 2;

impl Charge for Shared {
    fn charge_time(&self, caller: Uuid, spent: Duration) {
        let cost = i64::try_from(spent.as_millis() / MS_A_REQUEST).unwrap_or(i64::MAX);
        if cost > 0 {
            self.charge(&caller.to_string(), cost, limits::REQUESTS, now());
        }
    }
}

impl State {
    /// Where the time of long reads is charged.
    #[must_use]
    pub fn charging(&self) -> Arc<dyn Charge> {
        Arc::<Shared>::clone(&self.shared)
    }
}

impl Deref for State {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// Another clock than the machine's, where tests have set one.
static CLOCK: OnceLock<fn() -> Instant> = OnceLock::new();

/// Has this process go by another clock: for tests of what happens when one jumps. The program itself never does.
pub fn go_by(clock: fn() -> Instant) {
    // The first one stays.
    let _ = CLOCK.set(clock);
}

/// This moment: the one place that asks the clock.
#[must_use]
pub fn now() -> Instant {
    CLOCK.get().map_or_else(clock, |clock| clock())
}

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the clock; everything else is told")]
#[must_use]
pub fn clock() -> Instant {
    Instant::from(chrono::Utc::now())
}

/// Has clients use the TLS that the database's driver uses. Clients of this process cannot be built before.
pub fn use_tls() {
    // It may have been said before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database would not open or migrate.
    #[error("the database could not be opened or migrated: {0}")]
    Database(#[from] Failure),
    /// A first read or write failed.
    #[error("the database could not be set up: {0}")]
    SetUp(#[from] Error),
    /// A setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The client that sends webhooks could not be made.
    #[error("webhooks cannot be sent: {0}")]
    Client(reqwest::Error),
    /// The journal of erasures cannot be read or written.
    #[error("the erasure journal {}: {}", .0.display(), .1)]
    Journal(PathBuf, std::io::Error),
    /// The address could not be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// The document is not sound: a mistake in the program.
    #[error("the API document is not sound: {}", .0.join("; "))]
    Document(Vec<String>),
}

/// Opens and migrates the database and gathers what all workers share.
pub async fn prepare(settings: &Settings) -> Result<(State, Opening), StartError> {
    let opening = Opening {
        url: settings.database.database_url.clone(),
        connections: settings.database.database_connections,
        full_sync: settings.database.sqlite_full_sync,
    };
    let api = openapi::api();
    let document = openapi::published().map_err(StartError::Document)?;
    let store = Store::open(&opening, Box::leak(Box::new(api.shapes))).await?;
    migrate::migrate(&store).await?;
    let work = store.work(Arc::new(Caller::system()), now()).await?;
    let configured = settings.secret_keys().map_err(StartError::Setting)?;
    let configured_keys = Keyring::of(configured.iter().map(Vec::as_slice))?;
    let keys = server_keys::prepare(&work, &configured_keys).await?;
    let keyring = keyring_of(&configured, &keys, work.now)?;
    webhooks::seal_anew(&work, &keyring).await?;
    organisation_settings::begin(&work, &settings.time_zone).await?;
    work.commit().await?;
    let store = store.with_guards(administrators::guards());
    let store = store.with_read_timeout(Duration::from_millis(settings.read_timeout_ms));
    let shared = Shared {
        keys: Keys::default(),
        server_keys: ServerKeys { all: RwLock::default(), keyring: RwLock::new(Arc::new(keyring)), configured },
        configured_keys,
        callers: Callers::default(),
        limits: Limits::default(),
        refused_sign_ins: RefusedSignIns::default(),
        rate_limit: settings.rate_limit,
        slots: Slots::default(),
        streams_per_caller: settings.event_streams_per_caller.into(),
        trusted_proxies: settings.trusted_proxies.clone(),
        validators: Validators::of(document),
        documents: Documents::new(document),
        routes: Routes::of(api.operations).map_err(StartError::Document)?,
        metrics: Metrics::default(),
        body_timeout: Duration::from_millis(settings.body_timeout_ms),
        retention: settings.retention,
        cors_origins: settings.cors_origins.clone(),
        hsts: headers::hsts(settings.hsts_seconds),
        docs: settings.docs && settings.public_document,
        public_document: settings.public_document,
        metrics_token: settings.metrics_token.as_ref().map(|token| tokens::hash(token.as_bytes())),
        metrics_page: settings.metrics,
        feed: Feed::new(settings.event_streams.into()),
        webhooks: Sender::new(settings.webhook_allow_private, settings.webhook_deliveries.into()).map_err(StartError::Client)?,
    };
    let state = State { store, shared: Arc::new(shared) };
    state.use_server_keys(keys, now())?;
    Ok((state, opening))
}

/// A server that listens, and what goes on beside it.
pub struct Serving {
    /// Where it listens.
    pub address: SocketAddr,
    server: Server,
    tasks: Tasks,
    journal: Option<Rc<Mutex<Journal>>>,
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Serving {
    /// What it can be told to stop by.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is told to stop.
    pub async fn run(self) -> std::io::Result<()> {
        let ended = self.server.await;
        self.tasks.end().await;
        if let Some(journal) = self.journal {
            journal.lock().await.catch_up(None).await;
        }
        ended
    }
}

/// Listens, with a pool of its own for each worker.
pub async fn serve(settings: &Settings, state: State, opening: Opening) -> Result<Serving, StartError> {
    let workers = if settings.workers == 0 {
        std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
    } else {
        settings.workers.into()
    };
    let mut stores = vec![];
    for _ in 0..workers {
        stores.push(state.store.for_worker(&opening).await?);
    }
    let stores = Arc::new(std::sync::Mutex::new(stores));
    let journal = match settings.erasure_journal() {
        Some(path) => Some(Rc::new(Mutex::new(Journal::open(state.store.clone(), &path).await?))),
        None => None,
    };
    let shared = Arc::clone(&state.shared);
    let background = state.clone();
    let spare = state.store;
    let tasks = Tasks::default();
    tasks.spawn(sweep::run(spare.clone()));
    tasks.spawn(release::run(spare.clone()));
    tasks.spawn(server_keys::follow(background.clone()));
    tasks.spawn(retention::run(background.clone()));
    tasks.spawn(refused_sign_ins::run(background.clone()));
    if let Some(journal) = &journal {
        tasks.spawn(Journal::follow(Rc::clone(journal)));
    }
    let listen = |e| StartError::Listen(settings.listen, e);
    let server = HttpServer::new(move || {
        let store = stores.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop().unwrap_or_else(|| spare.clone());
        let state = State { store, shared: Arc::clone(&shared) };
        App::new()
            .wrap(Condition::new(!shared.cors_origins.is_empty(), pipeline::cors(&shared.cors_origins)))
            .app_data(web::Data::new(state))
            .configure(|config| pipeline::mount(config, &shared))
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(telemetry::line))
    })
    .workers(workers)
    .client_request_timeout(Duration::from_millis(settings.head_timeout_ms))
    // Whoever closes a connection ends what runs for it; half of one is closed by nobody who still listens.
    .h1_allow_half_closed(false)
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(settings.shutdown_seconds)
    .bind(settings.listen)
    .map_err(listen)?;
    tasks.spawn(dispatcher::run(background.clone(), tasks.clone()));
    follower::start(background, &tasks);
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    Ok(Serving { address, server: server.run(), tasks, journal })
}

/// A value of the document, for the docs page and tests.
#[must_use]
pub fn parsed(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or_default()
}
