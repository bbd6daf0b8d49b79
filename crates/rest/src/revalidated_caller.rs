//! A caller of a response that lasts: a stream, a long poll or an export. Guarantees that a revoked caller gets nothing more after five
//! seconds.

use super::{kernel::Kernel, operation::RequestContext};
use samphan_persistence::{clock, store::Reader};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often the caller's permission is checked again: callers are cached for four seconds, so a revocation holds within five.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A caller that is authenticated again while its response lasts.
pub struct RevalidatedCaller {
    kernel: Kernel,
    authorization: Option<String>,
    client_address: IpAddr,
    permission: String,
    caller: Arc<Caller>,
    checked: Instant,
}

impl RevalidatedCaller {
    /// The caller of a request, valid as long as it has the permission.
    pub fn new(call: &RequestContext, permission: impl Into<String>) -> Self {
        Self {
            kernel: call.kernel.clone(),
            authorization: call.authorization.clone(),
            client_address: call.client_address,
            permission: permission.into(),
            caller: Arc::clone(&call.caller),
            checked: Instant::now(),
        }
    }

    /// A reader for the caller with its present rights; an error once the permission is gone.
    pub async fn reader(&mut self) -> Result<Reader> {
        let now = clock::now();
        if self.checked.elapsed() >= CHECK_INTERVAL {
            self.caller = self.kernel.caller(self.authorization.as_deref(), self.client_address, now).await?;
            if self.caller.reach(&self.permission).is_none() {
                return Err(Error::from(Code::Forbidden).with_allowed([self.permission.clone()]));
            }
            self.checked = Instant::now();
        }
        Ok(self.kernel.store().reader(Arc::clone(&self.caller), now).limited(self.kernel.charging()))
    }
}
