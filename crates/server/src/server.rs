//! The composition root: how the process is put together from the areas, how it starts, and how it ends.

use crate::{
    config::{RateLimit, Settings},
    telemetry,
};
use actix_web::{
    HttpServer,
    dev::ServerHandle,
    middleware::{Condition, from_fn},
    web,
};
use samphan_api::{
    areas,
    changes::follower::ChangeFollower,
    identity::{callers::Credentials, service::Identity, tokens},
    openapi,
    platform::{
        document::Documents,
        organisation_settings,
        pages::Pages,
        privacy::journal::{Journal, JournalError},
    },
    webhooks::{self, sender::Sender},
};
use samphan_background::{
    jobs,
    process::{Process, Services},
    retention::{self, DeleteOld, Rules},
    task::Task,
    tasks::Tasks,
    tls::install_tls_provider,
};
use samphan_persistence::{
    clock,
    error::DatabaseError,
    migrate,
    store::{DatabaseOptions, Store},
};
use samphan_resource::{caller::Caller, error::Error};
use samphan_rest::{
    body::Validators,
    bulk::BulkOperations,
    headers,
    kernel::{Authenticator, Kernel, KernelState},
    metrics::Metrics,
    module::Module,
    pace::Turns,
    pipeline::{self, App},
    presets::Presets,
    rate_limit::{RateLimiter, Slots},
    router::Router,
};
use serde_json::Value;
use std::{net::SocketAddr, rc::Rc, sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// How long a process that ends may take to give its leases back.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the search index is tidied.
const TIDY_INTERVAL: Duration = Duration::from_secs(1);

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database would not open or migrate.
    #[error("the database could not be opened or migrated: {0}")]
    Database(#[from] DatabaseError),
    /// A first read or write failed.
    #[error("the database could not be set up: {0}")]
    SetUp(#[from] Error),
    /// A setting is wrong.
    #[error("{0}")]
    Setting(String),
    /// The client that sends webhooks could not be made.
    #[error("webhooks cannot be sent: {0}")]
    Client(reqwest::Error),
    /// The journal of erasures cannot be used.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The address could not be listened on.
    #[error("cannot listen on {0}: {1}")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// Jobs or schedules are registered wrongly: a mistake in the program.
    #[error("the jobs are not sound: {}", .0.join("; "))]
    Jobs(Vec<String>),
    /// The document is not sound: a mistake in the program.
    #[error("the API document is not sound: {}", .0.join("; "))]
    Document(Vec<String>),
}

/// A service that is ready to serve.
#[derive(Debug)]
pub struct Service {
    /// What requests are answered with; its process is that of the tasks, too.
    pub kernel: Kernel,
    opening: DatabaseOptions,
    routes: Arc<Router>,
    pages: Pages,
    tasks: Vec<Task>,
    presets: Presets,
}

impl Service {
    /// The database.
    #[must_use]
    pub const fn store(&self) -> &Store {
        self.kernel.store()
    }

    /// What the roles that are shipped may do.
    #[must_use]
    pub const fn presets(&self) -> &Presets {
        &self.presets
    }
}

/// Opens and migrates the database, and puts the service together.
pub async fn build(settings: &Settings) -> Result<Service, StartError> {
    let opening = DatabaseOptions {
        url: settings.database.database_url.clone(),
        connections: settings.database.database_connections,
        full_sync: settings.database.sqlite_full_sync,
    };
    let Module { api, mut tasks, jobs: registered, timers, guards, presets } = areas::all();
    let registered = registered.job::<DeleteOld>().schedule("retention", retention::SCHEDULE, &DeleteOld {});
    tasks.extend(registered.tasks().map_err(StartError::Jobs)?);
    let api = openapi::complete(api);
    let faults = timers.faults(api.shapes.values().copied());
    if !faults.is_empty() {
        return Err(StartError::Jobs(faults));
    }
    tasks.push(timers.task());
    let document = openapi::published().map_err(StartError::Document)?;
    let store = Store::open(&opening, openapi::shapes()).await?;
    migrate::migrate(&store).await?;
    let store = store.with_guards(guards).with_read_timeout(Duration::from_millis(settings.read_timeout_ms));

    install_tls_provider();
    let work = store.work(Arc::new(Caller::system()), clock::now()).await?;
    let configured = settings.secret_keys().map_err(StartError::Setting)?;
    let identity = Arc::new(Identity::prepare(&work, configured, vec![webhooks::reseal]).await?);
    organisation_settings::begin(&work, &settings.time_zone).await?;
    work.commit().await?;
    let sender = Sender::new(settings.webhook_allow_private, settings.webhook_deliveries.into()).map_err(StartError::Client)?;
    let deletes_events = settings.retention.keep_events_days > 0;
    let follower = ChangeFollower::new(settings.event_streams.into(), settings.event_streams_per_caller.into(), deletes_events);
    let routes = Arc::new(Router::of(api.operations).map_err(StartError::Document)?);
    let authenticator: Arc<dyn Authenticator> = Arc::new(Credentials(Arc::clone(&identity)));
    let bulk = Arc::new(BulkOperations::new(api.bulk, Arc::clone(&authenticator)));
    let metrics = Arc::new(Metrics::default());
    let counters = Arc::clone(&metrics);
    let rules = Rules::new(settings.retention.rules(), move |kind, rows| counters.deleted(kind, rows));
    let services = Services::default()
        .with(bulk)
        .with(Arc::new(rules))
        .with(Arc::clone(&identity))
        .with(Arc::new(follower))
        .with(Arc::new(sender))
        .with(Arc::clone(&routes));

    let counters = Arc::clone(&metrics);
    tasks.push(jobs::measure(move |counts| counters.jobs(counts)));
    tasks.push(Task::every("search.tidy", TIDY_INTERVAL, async |process: &Process| Ok(process.store.run_maintenance().await?)));

    let pages = Pages {
        docs: settings.docs && settings.public_document,
        metrics: settings.metrics,
        metrics_token: settings.metrics_token.as_ref().map(|token| tokens::hash(token.as_bytes())),
        counters: Arc::clone(&metrics),
        documents: Arc::new(Documents::new(document, settings.public_document)),
    };
    let shared = KernelState {
        authenticator,
        validators: Validators::of(document),
        limits: RateLimiter::new(settings.rate_limit == RateLimit::On),
        slots: Slots::default(),
        turns: Turns::default(),
        metrics,
        trusted_proxies: settings.trusted_proxies.clone(),
        body_timeout: Duration::from_millis(settings.body_timeout_ms),
    };
    Ok(Service { kernel: Kernel::new(Process::new(store, services), shared), opening, routes, pages, tasks, presets })
}

/// A server that listens, and what goes on beside it.
pub struct RunningServer {
    /// Where it listens.
    pub address: SocketAddr,
    server: actix_web::dev::Server,
    process: Process,
    tasks: Tasks,
    journal: Option<Rc<Mutex<Journal>>>,
}

impl std::fmt::Debug for RunningServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("address", &self.address).finish_non_exhaustive()
    }
}

impl RunningServer {
    /// What it can be told to stop by.
    #[must_use]
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until it is told to stop.
    pub async fn run(self) -> std::io::Result<()> {
        let ended = self.server.await;
        self.tasks.end().await;
        let give_back = async {
            jobs::give_back(&self.process).await?;
            webhooks::dispatcher::give_back(&self.process).await
        };
        // A database that is away does not hold up the end: leases expire within seconds.
        if !matches!(tokio::time::timeout(GIVE_BACK_TIMEOUT, give_back).await, Ok(Ok(()))) {
            tracing::warn!("leases could not be given back");
        }
        if let Some(journal) = self.journal {
            journal.lock().await.catch_up(None).await;
        }
        ended
    }
}

/// Listens, with database connections of its own for each worker, and starts the tasks.
pub async fn serve(settings: &Settings, service: Service) -> Result<RunningServer, StartError> {
    let Service { kernel, opening, routes, pages, tasks: registered, presets: _ } = service;
    let workers = if settings.workers == 0 {
        std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
    } else {
        settings.workers.into()
    };
    let mut stores = vec![];
    for _ in 0..workers {
        stores.push(kernel.store().for_worker(&opening).await?);
    }
    let stores = Arc::new(std::sync::Mutex::new(stores));
    let journal = match settings.erasure_journal() {
        Some(path) => Some(Rc::new(Mutex::new(Journal::open(kernel.store().clone(), &path).await?))),
        None => None,
    };
    let process = kernel.process.clone();
    let (cors_origins, hsts) = (settings.cors_origins.clone(), headers::hsts(settings.hsts_seconds));
    let listen = |e| StartError::Listen(settings.listen, e);
    let server = HttpServer::new(move || {
        let store = stores.lock().unwrap_or_else(std::sync::PoisonError::into_inner).pop();
        let kernel = store.map_or_else(|| kernel.clone(), |store| kernel.on(store));
        actix_web::App::new()
            .wrap(Condition::new(!cors_origins.is_empty(), pipeline::cors(&cors_origins)))
            .app_data(web::Data::new(App { kernel, routes: Arc::clone(&routes), hsts: hsts.clone() }))
            .configure(|config| pages.mount(config))
            .configure(pipeline::mount)
            .wrap(from_fn(headers::secure))
            .wrap(from_fn(telemetry::line))
    })
    .workers(workers)
    .client_request_timeout(Duration::from_millis(settings.head_timeout_ms))
    // A client that closes its connection ends what runs for it; a client that still listens does not close half of one.
    .h1_allow_half_closed(false)
    .keep_alive(Duration::from_secs(75))
    .shutdown_timeout(settings.shutdown_seconds)
    .bind(settings.listen)
    .map_err(listen)?;
    let tasks = Tasks::default();
    for task in registered {
        task.start(process.clone(), &tasks);
    }
    if let Some(journal) = &journal {
        tasks.spawn(Journal::follow(Rc::clone(journal)));
    }
    let address = server.addrs().first().copied().unwrap_or(settings.listen);
    Ok(RunningServer { address, server: server.run(), process, tasks, journal })
}

/// A value of the document, for the docs page and tests.
#[must_use]
pub fn parsed(document: &str) -> Value {
    serde_json::from_str(document).unwrap_or_default()
}
