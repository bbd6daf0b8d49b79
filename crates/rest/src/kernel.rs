//! What every request is answered with: the process, and what the kernel keeps for all of them.

use super::{
    body::Validators,
    metrics::Metrics,
    pace::Turns,
    rate_limit::{self, RateLimiter, Slots},
};
use futures_util::future::LocalBoxFuture;
use samphan_background::process::Process;
use samphan_persistence::{clock, long::Charge, store::Store};
use samphan_resource::{caller::Caller, error::Result, network::Network, timestamp::Timestamp};
use std::{
    fmt::{Debug, Formatter},
    net::IpAddr,
    ops::Deref,
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// Milliseconds of a long read that cost what a request does.
const MS_A_REQUEST: u128 = 2;

/// Finds the caller of a request by its credentials.
pub trait Authenticator: Send + Sync {
    /// The caller of an `Authorization` header from a client's address; `unauthenticated` where it is not valid any more.
    fn caller<'a>(
        &'a self,
        kernel: &'a Kernel,
        authorization: Option<&'a str>,
        address: IpAddr,
        now: Timestamp,
    ) -> LocalBoxFuture<'a, Result<Arc<Caller>>>;

    /// The user or API key of an id, for what is done in its name while it is away; none when it may not sign in any more.
    fn principal<'a>(&'a self, store: &'a Store, id: Uuid, now: Timestamp) -> LocalBoxFuture<'a, Result<Option<Arc<Caller>>>>;

    /// The `Authorization` header that a one-time ticket stands for, which is used up.
    fn redeem<'a>(&'a self, kernel: &'a Kernel, ticket: &'a str, address: IpAddr, now: Timestamp) -> LocalBoxFuture<'a, Result<String>>;
}

/// State that all requests of the process share.
pub struct KernelState {
    /// Finds callers by their credentials.
    pub authenticator: Arc<dyn Authenticator>,
    /// The published schemas.
    pub validators: Validators,
    /// Requests of each caller, and other limits by name.
    pub limits: RateLimiter,
    /// What each caller has open.
    pub slots: Slots,
    /// Turns of answers in pieces.
    pub turns: Turns,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Proxies whose headers say which client they pass on.
    pub trusted_proxies: Vec<Network>,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
}

impl Debug for KernelState {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("trusted_proxies", &self.trusted_proxies).finish_non_exhaustive()
    }
}

impl Charge for KernelState {
    fn charge_time(&self, caller: Uuid, spent: Duration) {
        let cost = i64::try_from(spent.as_millis() / MS_A_REQUEST).unwrap_or(i64::MAX);
        if cost > 0 {
            self.limits.charge(&caller.to_string(), cost, rate_limit::REQUESTS, clock::now());
        }
    }
}

/// What a worker answers requests with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// The database and the services of the areas.
    pub process: Process,
    shared: Arc<KernelState>,
}

impl Deref for Kernel {
    type Target = KernelState;

    fn deref(&self) -> &KernelState {
        &self.shared
    }
}

impl Kernel {
    /// A kernel for the workers of a process.
    #[must_use]
    pub fn new(process: Process, shared: KernelState) -> Self {
        Self { process, shared: Arc::new(shared) }
    }

    /// The same with another way to the database.
    #[must_use]
    pub fn on(&self, store: Store) -> Self {
        Self { process: self.process.on(store), shared: Arc::clone(&self.shared) }
    }

    /// The database.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.process.store
    }

    /// Where the time of long reads is charged.
    #[must_use]
    pub fn charging(&self) -> Arc<dyn Charge> {
        Arc::<KernelState>::clone(&self.shared)
    }

    /// The caller of an `Authorization` header.
    pub async fn caller(&self, authorization: Option<&str>, address: IpAddr, now: Timestamp) -> Result<Arc<Caller>> {
        self.authenticator.caller(self, authorization, address, now).await
    }
}
