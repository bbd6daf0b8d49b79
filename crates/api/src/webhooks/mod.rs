//! Webhooks: changes sent to addresses of others, signed as Standard Webhooks says, tried again for three days.

pub mod address;
mod delivery;
pub mod dispatcher;
pub mod endpoint;
mod secrets;
pub mod sender;

pub use secrets::{reseal, secrets};

use crate::changes::change;
use samphan_background::retention::Rule;
use samphan_rest::{
    collection::{Api, Webhook},
    module::Module,
    operation::Parameter,
};
use serde_json::json;

/// Deliveries that were made or have failed, for so many days. Those still to be tried stay.
#[must_use]
pub fn retention(days: i64) -> Rule {
    let delete =
        "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE status <> 'pending' AND created_at < ";
    Rule::statement("webhook_deliveries", days, delete, " ORDER BY created_at")
}

/// What the area registers.
#[must_use]
pub fn module(module: Module) -> Module {
    module.routes(routes).task(dispatcher::task())
}

fn routes(api: Api) -> Api {
    api.collection(endpoint::routes()).collection(delivery::routes()).webhook(Webhook {
        // Of their own: generators write one file for each tag, and another for what is sent.
        tag: "events",
        schema: "Change",
        about: "The change, as the feed has it.",
        example: change(),
        headers: vec![
            Parameter::new("webhook-id", json!({"type": "string", "format": "uuid"}), "The event's id, the same however often it is sent."),
            Parameter::new(
                "webhook-timestamp",
                json!({"type": "string", "pattern": "^[0-9]+$", "maxLength": 20}),
                "When this attempt was signed, in seconds since 1970: refuse what is minutes old, an attacker may have recorded it.",
            ),
            Parameter::new(
                "webhook-signature",
                json!({"type": "string", "pattern": "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$", "maxLength": 200}),
                "Signatures separated by blanks, one of which must be right: `v1,` and the Base64 of the HMAC-SHA256, by the endpoint's secret, of \
                 `<webhook-id>.<webhook-timestamp>.<body>`.",
            ),
        ],
    })
}
