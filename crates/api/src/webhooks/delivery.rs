//! How deliveries are reached: below their endpoint, to be listed and sent once more.

use crate::identity::rights;
use actix_web::http::Method;
use samphan_domain::integration::{webhook_delivery::WebhookDelivery, webhook_endpoint::WebhookEndpoint};
use samphan_persistence::{record::uuid_in, store::Work, stored};
use samphan_resource::{
    error::{Code, Result},
    rights::Delegation,
    scalar::{Kind, Scalar},
};
use samphan_rest::{
    collection::Collection,
    operation::{Operation, RequestContext},
    reading::one_of,
    response::Response,
};

/// Deliveries.
#[must_use]
pub fn routes() -> Collection<WebhookDelivery> {
    Collection::nested_under::<WebhookEndpoint>("webhooks", "webhook_endpoint_id", "deliveries").operation("/{id}/redeliver", |path| {
        Operation::write("redeliverWebhookDelivery", Method::POST, path, redeliver)
            .describe(
                "webhooks",
                "Redeliver a webhook delivery",
                "Whatever became of it, it is sent again with the same id, and tried as often as a new one, as soon as the endpoint is active.",
            )
            .requires("webhook-endpoints:redeliver")
            .responds(200, "WebhookDelivery")
    })
}

async fn redeliver(work: &Work, call: RequestContext) -> Result<Response> {
    let found = stored::find::<WebhookEndpoint>(work, call.id(0)?, "redeliver").await?;
    rights::require_rights_of(work, uuid_in(&found.record, "created_by_id"), Delegation::Identity).await?;
    let endpoint = found.id();
    let id = call.id(1)?;
    let mut sql = work.sql();
    sql.push("UPDATE webhook_deliveries SET status = 'pending', attempts = 0, next_attempt_at = ").bind(Kind::Time, Scalar::Time(work.now));
    sql.push(" WHERE webhook_endpoint_id = ").id(endpoint).push(" AND id = ").id(id);
    if work.execute(sql).await? == 0 {
        return Err(Code::NotFound.into());
    }
    one_of(work, work.shape("webhook_deliveries")?, &call, id, Some(("webhook_endpoint_id", endpoint))).await
}
