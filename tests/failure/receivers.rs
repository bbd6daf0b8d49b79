//! Receivers of webhooks that are slow, never answer, or hang up: the others hear at once.

use crate::support::{
    receiver::{Receiver, endpoint, local},
    *,
};
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use tokio::{io::AsyncReadExt, net::TcpListener, time::timeout};

crate::on_both![who_is_slow_hangs_or_hangs_up_holds_up_nobody_else];

/// An address where whatever is said is heard, and nothing is answered; or where the connection is ended at once.
async fn rude(hangs_up: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hooks", listener.local_addr().unwrap());
    tokio::task::spawn_local(async move {
        let mut held = vec![];
        while let Ok((mut connection, _)) = listener.accept().await {
            if !hangs_up {
                let _ = connection.read(&mut [0; 64]).await;
                held.push(connection);
            }
        }
    });
    url
}

async fn who_is_slow_hangs_or_hangs_up_holds_up_nobody_else(app: App) {
    local(async {
        let mut healthy = Receiver::start().await;
        let slow = Receiver::start().await;
        // It takes what is sent, and answers one in a quarter of a second.
        slow.gate.forget_permits(1_000_000);
        let gate = std::rc::Rc::clone(&slow.gate);
        tokio::task::spawn_local(async move {
            let mut clock = tokio::time::interval(Duration::from_millis(250));
            loop {
                clock.tick().await;
                gate.add_permits(1);
            }
        });
        let mut all = vec![];
        for receiver in [&slow, &healthy] {
            all.push(endpoint(&app, receiver, json!({"event_types": ["account.created"]})).await.0);
        }
        for url in [rude(false).await, rude(true).await] {
            let body = json!({"url": url, "event_types": ["account.created"]});
            all.push(app.post("/v1/webhook-endpoints", body).await.is(201)["webhook_endpoint"]["id"].as_str().unwrap().to_owned());
        }
        let mut worst = Duration::ZERO;
        for n in 0..60 {
            let begun = Instant::now();
            let made = app.account(&format!("Account {n}")).await;
            let told = timeout(Duration::from_secs(5), async { while healthy.next().await.body["resource_id"] != *made {} });
            told.await.unwrap_or_else(|_| panic!("the healthy one was not told of {n}"));
            worst = worst.max(begun.elapsed());
        }
        println!("told within {worst:?} at worst");
        assert!(worst < Duration::from_secs(3), "{worst:?}");
        // The slow one is told everything in its own time, no more than eight at once.
        let mut slow = slow;
        let mut heard = HashSet::new();
        while heard.len() < 60 {
            heard.insert(slow.next().await.id().to_owned());
        }
        assert!(slow.waiting.get().1 <= 8);
        // Who hangs up is tried again, later; who hangs has what fits under way.
        let deliveries = async |of: &str| app.all(&format!("/v1/webhook-endpoints/{of}/deliveries"), 50).await;
        let refused = deliveries(&all[3]).await;
        assert!(refused.iter().any(|d| d["last_error"] == "connection" && d["status"] == "pending"), "{:?}", refused.first());
        assert!(deliveries(&all[2]).await.iter().all(|d| d["status"] == "pending"));
        assert!(deliveries(&all[1]).await.iter().all(|d| d["status"] == "delivered" || d["attempts"] == 0));
        assert_eq!(app.get(&format!("/v1/webhook-endpoints/{}", all[2])).await.is(200)["status"], "active");
    })
    .await;
}
