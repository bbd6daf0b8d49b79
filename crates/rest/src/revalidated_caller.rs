//! A caller of an answer that lasts: who waits for something, or is told a long list.

use super::{kernel::Kernel, operation::RequestContext};
use samphan_persistence::{clock, store::Reader};
use samphan_resource::{
    caller::Caller,
    error::{Code, Error, Result},
};
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often it is asked whether a caller still may: callers are remembered for four seconds, and revocation is felt within five.
pub const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A caller who is still there later, and so is to be looked at again.
pub struct RevalidatedCaller {
    kernel: Kernel,
    authorization: Option<String>,
    client_address: IpAddr,
    permission: String,
    caller: Arc<Caller>,
    checked: Instant,
}

impl RevalidatedCaller {
    /// The caller of a request, just checked, as long as he has a permission.
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

    /// A way to read for the caller as he is now, if he still may.
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
