//! `POST /v1/changes/stream-tickets`: what an EventSource authenticates with.

use crate::identity::tickets;
use samphan_persistence::store::Work;
use samphan_resource::{error::Result, timestamp::Timestamp};
use samphan_rest::{operation::RequestContext, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A ticket for one request of the stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamTicket {
    /// Goes into the query parameter `ticket`.
    #[schema(max_length = 100, example = "example-stream-ticket")]
    pub ticket: String,
    /// When it can no longer be used.
    pub expires_at: Timestamp,
}

/// Creates one.
pub async fn create(work: &Work, _: RequestContext) -> Result<Response> {
    let (ticket, expires_at) = tickets::issue(work).await?;
    Ok(Response::json(&StreamTicket { ticket, expires_at }))
}
