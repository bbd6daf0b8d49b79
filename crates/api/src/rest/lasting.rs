//! A caller of an answer that lasts: who waits for something, or is told a long list.

use super::operation::Call;
use crate::{
    identity::callers,
    server::{self, State},
};
use actix_web::web;
use samphan_domain::{
    caller::Caller,
    error::{Code, Error, Result},
};
use samphan_persistence::store::Reader;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::time::Instant as Clock;

/// How often it is asked whether a caller still may: callers are remembered for four seconds, and revocation is felt within five.
pub const CHECKED_EVERY: Duration = Duration::from_secs(1);

/// A caller who is still there later, and so is to be looked at again.
pub struct Lasting {
    state: web::Data<State>,
    authorization: Option<String>,
    client_address: IpAddr,
    permission: String,
    caller: Arc<Caller>,
    checked: Clock,
}

impl Lasting {
    /// The caller of a request, just checked, as long as he has a permission.
    pub fn of(call: &Call, permission: impl Into<String>) -> Self {
        Self {
            state: web::Data::clone(&call.state),
            authorization: call.authorization.clone(),
            client_address: call.client_address,
            permission: permission.into(),
            caller: Arc::clone(&call.caller),
            checked: Clock::now(),
        }
    }

    /// A way to read for the caller as he is now, if he still may.
    pub async fn reader(&mut self) -> Result<Reader> {
        let now = server::now();
        if self.checked.elapsed() >= CHECKED_EVERY {
            self.caller = callers::of_header(&self.state, self.authorization.as_deref(), self.client_address, now).await?;
            if self.caller.reach(&self.permission).is_none() {
                return Err(Error::from(Code::Forbidden).allowing([self.permission.clone()]));
            }
            self.checked = Clock::now();
        }
        Ok(self.state.store.reader(Arc::clone(&self.caller), now).limited(self.state.charging()))
    }
}
