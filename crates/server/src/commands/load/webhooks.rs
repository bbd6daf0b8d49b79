//! `samphan load webhooks`: a receiver of webhooks on this machine, and what it can say of their sender: how many come a second, and
//! how long after what they tell of.

use super::{Client, LoadError, Service};
use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use clap::Args;
use reqwest::Method;
use samphan_persistence::clock;
use samphan_resource::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use tokio::{sync::mpsc, time};

/// How long nothing comes until it is taken that nothing will.
const PATIENCE: Duration = Duration::from_secs(10);
/// The time from one change to the next while delays are measured: far less than can be delivered.
const PACE: Duration = Duration::from_millis(20);

/// What to measure, and where.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Deliveries to count, of changes that happened before: as many as there are, if that is less.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    pub deliveries: u32,
    /// Changes made, one after the other, to tell how late each is delivered.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub changes: u32,
    /// The service.
    #[command(flatten)]
    pub service: Service,
}

/// What was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Deliveries that came, each counted once.
    pub deliveries: usize,
    /// How many of them a second.
    pub deliveries_per_second: f64,
    /// Milliseconds from a change to its delivery, from the moment its request was taken on: half of them took no longer.
    pub delay_p50_ms: f64,
    /// All but one in a hundred took no longer.
    pub delay_p99_ms: f64,
}

/// A change that came.
#[derive(Debug, Deserialize)]
struct Came {
    id: uuid::Uuid,
    /// When it happened.
    time: Timestamp,
    /// When it came.
    #[serde(skip, default = "clock::now")]
    at: Timestamp,
}

/// The receiver of deliveries.
struct Sink {
    url: String,
    came: mpsc::UnboundedReceiver<Came>,
    server: ServerHandle,
}

impl Sink {
    fn start() -> Result<Self, LoadError> {
        let (tell, came) = mpsc::unbounded_channel();
        let tell = web::Data::new(tell);
        let server = HttpServer::new(move || App::new().app_data(web::Data::clone(&tell)).default_service(web::post().to(take)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().map(std::net::SocketAddr::port).unwrap_or_default();
        let running = server.run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        Ok(Self { url: format!("http://127.0.0.1:{port}"), came, server })
    }

    /// Takes changes in, each once, until there are so many or nothing comes any more; in the order of their arrival.
    async fn take(&mut self, many: usize) -> Vec<Came> {
        let (mut all, mut known) = (Vec::with_capacity(many), std::collections::HashSet::new());
        while all.len() < many {
            match time::timeout(PATIENCE, self.came.recv()).await {
                Ok(Some(came)) if known.insert(came.id) => all.push(came),
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => break,
            }
        }
        all
    }
}

async fn take(tell: web::Data<mpsc::UnboundedSender<Came>>, change: web::Json<Came>) -> HttpResponse {
    // The receiver has ended once there are enough.
    let _ = tell.send(change.into_inner());
    HttpResponse::NoContent().finish()
}

/// Measures: what happened before is sent from the beginning, then changes are made that only this receiver is told.
pub async fn measure(options: &Options) -> Result<Measured, LoadError> {
    let client = Client::sign_in(&options.service).await?;
    let mut sink = Sink::start()?;
    let first = client.send(Method::GET, "/v1/changes?limit=1", None).await?;
    let endpoint = make(&client, &sink, "*").await?;
    client.send(Method::POST, &format!("{endpoint}/replay"), Some(&json!({"after": first.get("next_cursor")}))).await?;
    let came = sink.take(options.deliveries as usize).await;
    client.send(Method::DELETE, &endpoint, None).await?;
    let took = came.first().zip(came.last()).map(|(first, last)| last.at.micros() - first.at.micros()).unwrap_or_default();
    let deliveries_per_second = came.len().saturating_sub(1) as f64 * 1e6 / took.max(1) as f64;
    sink.server.stop(false).await;

    let mut sink = Sink::start()?;
    // Whatever else happens meanwhile is none of its types; `test` is told in any case.
    let endpoint = make(&client, &sink, "webhook_endpoint.replayed").await?;
    let mut clock = time::interval(PACE);
    for _ in 0..options.changes {
        clock.tick().await;
        client.send(Method::POST, &format!("{endpoint}/test"), Some(&json!({}))).await?;
    }
    let mut delays: Vec<i64> = sink.take(options.changes as usize).await.iter().map(|c| c.at.micros() - c.time.micros()).collect();
    client.send(Method::DELETE, &endpoint, None).await?;
    sink.server.stop(false).await;
    if delays.len() < options.changes as usize {
        return Err(LoadError::Unexpected("webhooks".to_owned(), "every change"));
    }
    delays.sort_unstable();
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or_default() as f64 / 1e3;
    Ok(Measured { deliveries: came.len(), deliveries_per_second, delay_p50_ms: at(0.5), delay_p99_ms: at(0.99) })
}

/// Makes an endpoint; answers its address.
async fn make(client: &Client, sink: &Sink, types: &str) -> Result<String, LoadError> {
    let made = client.send(Method::POST, "/v1/webhook-endpoints", Some(&json!({"url": sink.url, "event_types": [types]}))).await?;
    let id = made.pointer("/webhook_endpoint/id").and_then(serde_json::Value::as_str);
    id.map(|id| format!("/v1/webhook-endpoints/{id}")).ok_or_else(|| LoadError::Unexpected("an endpoint".to_owned(), "id"))
}
