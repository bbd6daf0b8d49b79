//! Webhooks: changes sent to addresses of others, signed as Standard Webhooks says, tried again for three days.

pub mod address;
mod delivery;
pub mod dispatcher;
mod endpoint;
pub mod sender;

use crate::rest::collection::Api;

/// The area's routes.
#[must_use]
pub fn routes(api: Api) -> Api {
    api.collection(endpoint::routes()).collection(delivery::routes())
}
