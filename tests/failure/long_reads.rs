//! Reads that take long: they end with the time limit and with their client, on their caller's account, and hold up nobody else.

use crate::support::*;
use futures_util::future::join_all;
use samphan::config::RateLimit;
use samphan_api::openapi;
use samphan_persistence::{
    list::{self, Query, Total},
    long::Charge,
    sql::Sql,
    store::{DatabaseOptions, Reader, Store},
};
use samphan_resource::{caller::Caller, error::Code};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt, net::TcpStream, time::timeout};
use uuid::Uuid;

crate::on_both![
    endless_read_ends_with_the_time_limit_and_is_charged,
    read_that_nobody_waits_for_ends,
    long_reads_of_one_caller_leave_those_of_others_their_turn,
    count_beyond_the_time_limit_answers_how_many_there_are_at_least,
    costly_search_is_refused_and_others_are_served_meanwhile,
    time_of_a_long_read_counts_against_the_share,
    closed_connection_ends_its_request,
];

/// Nothing here takes as long.
const LONG: Duration = Duration::from_secs(20);

/// What was charged, and to whom.
#[derive(Default)]
struct Till(Mutex<Vec<(Uuid, Duration)>>);

impl Charge for Till {
    fn charge_time(&self, caller: Uuid, spent: Duration) {
        self.0.lock().unwrap().push((caller, spent));
    }
}

async fn store(app: &App, read_timeout: Duration) -> Store {
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 8, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap();
    store.with_read_timeout(read_timeout)
}

fn reader(store: &Store, caller: Uuid, till: &Arc<Till>) -> Reader {
    let caller = Caller { id: caller, ..Caller::system() };
    store.reader(Arc::new(caller), now()).limited(Arc::<Till>::clone(till))
}

fn endless(reader: &Reader) -> Sql {
    let mut sql = reader.sql();
    sql.push("WITH RECURSIVE c(x) AS (SELECT 1::bigint UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c");
    if reader.store.dialect() == samphan_persistence::dialect::Dialect::Sqlite {
        sql = reader.sql();
        sql.push("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c");
    }
    sql
}

async fn endless_read_ends_with_the_time_limit_and_is_charged(app: App) {
    let (store, till, caller) = (store(&app, Duration::from_millis(300)).await, Arc::new(Till::default()), Uuid::from_u128(1));
    let reader = reader(&store, caller, &till);
    let begun = Instant::now();
    let refused = reader.count(endless(&reader)).await.unwrap_err();
    assert_eq!(refused.code, Code::TooCostly);
    assert!((Duration::from_millis(300)..LONG).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    let charged: Duration = till.0.lock().unwrap().iter().filter(|(who, _)| *who == caller).map(|(_, spent)| *spent).sum();
    assert!((Duration::from_millis(300)..=begun.elapsed() + Duration::from_millis(500)).contains(&charged), "{charged:?}");
    // The time is that of the request: what else it reads at length is refused at once; what is brief is read.
    assert_eq!(reader.count(endless(&reader)).await.unwrap_err().code, Code::TooCostly);
    let mut brief = reader.sql();
    brief.push("SELECT count(*) FROM server_keys");
    assert!(reader.count(brief).await.unwrap() > 0);
    store.ping().await.unwrap();
}

async fn read_that_nobody_waits_for_ends(app: App) {
    let (patient, till, caller) = (store(&app, Duration::from_secs(600)).await, Arc::new(Till::default()), Uuid::from_u128(1));
    let mine = reader(&patient, caller, &till);
    timeout(Duration::from_millis(1_500), mine.count(endless(&mine))).await.expect_err("it has no end");
    assert!(!till.0.lock().unwrap().is_empty(), "the time until then is charged");
    // It has given its turn back, and its connection.
    until_within(LONG, "the turn is free", async || {
        let hasty = patient.clone().with_read_timeout(Duration::from_millis(100));
        let again = reader(&hasty, caller, &till);
        again.count(endless(&again)).await.unwrap_err().code == Code::TooCostly
    })
    .await;
    if patient.dialect() == samphan_persistence::dialect::Dialect::Postgres {
        until_within(LONG, "PostgreSQL has ended it", async || {
            let reader = app.reader().await;
            let mut sql = reader.sql();
            sql.push("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND datname = current_database() AND query LIKE 'WITH RECURSIVE c%'");
            reader.count(sql).await.unwrap() == 0
        })
        .await;
    }
}

async fn long_reads_of_one_caller_leave_those_of_others_their_turn(app: App) {
    let (store, till) = (store(&app, Duration::from_millis(700)).await, Arc::new(Till::default()));
    let mut readers: Vec<Reader> = (0..6).map(|_| reader(&store, Uuid::from_u128(1), &till)).collect();
    readers.push(reader(&store, Uuid::from_u128(2), &till));
    let ended = join_all(readers.iter().map(async |reader| {
        let code = reader.count(endless(reader)).await.unwrap_err().code;
        (reader.caller.id, code, Instant::now())
    }))
    .await;
    // The seventh came last and has the second turn or so, not the seventh.
    let (_, code, other) = ended[6];
    assert_eq!(code, Code::TooCostly);
    let later = ended[..6].iter().filter(|(_, _, at)| *at > other).count();
    assert!(later >= 2, "{ended:?}");
    assert!(ended.iter().all(|(_, code, _)| [Code::TooCostly, Code::RateLimited].contains(code)), "{ended:?}");
}

async fn count_beyond_the_time_limit_answers_how_many_there_are_at_least(app: App) {
    let accounts: Vec<Value> = (0..50).map(|n| json!({"name": format!("Account {n}")})).collect();
    app.make_many("/v1/accounts", &accounts).await;
    let till = Arc::new(Till::default());
    for (time, first, counted) in [
        (LONG, 100, Total::Exact(50)),
        (LONG, 10, Total::Exact(50)),
        (Duration::ZERO, 100, Total::Exact(50)),
        (Duration::ZERO, 10, Total::AtLeast(11)),
    ] {
        let store = store(&app, time).await;
        let reader = reader(&store, Uuid::from_u128(1), &till);
        let shape = reader.shape("accounts").unwrap();
        assert_eq!(list::total(&reader, shape, &Query::default(), "read", first, 3).await.unwrap(), counted, "{time:?} {first}");
    }
    let page = app.get("/v1/accounts?limit=1&count=exact").await.is(200);
    assert_eq!((&page["total"], &page["total_at_least"]), (&json!(50), &Value::Null));
    let page = app.get("/v1/accounts?limit=1").await.is(200);
    assert_eq!((&page["total"], &page["total_at_least"]), (&Value::Null, &Value::Null));
}

/// The shortest filter that looks at everything, for each letter and digit.
fn costly() -> Value {
    let none: Vec<Value> =
        ('a'..='z').chain('0'..='9').map(|letter| json!({"field": "name", "op": "contains", "value": letter.to_string()})).collect();
    json!({"filter": {"none": none}, "limit": 1, "count": "exact"})
}

async fn with_accounts(app: &App) {
    let account =
        |n: usize| json!({"name": format!("The quick brown fox {n} jumps over the lazy dog and packs my box with five dozen liquor jugs")});
    let accounts: Vec<Value> = (0..1_000).map(account).collect();
    for _ in 0..2 {
        app.make_many("/v1/accounts", &accounts).await;
    }
}

async fn costly_search_is_refused_and_others_are_served_meanwhile(app: App) {
    with_accounts(&app).await;
    let served = app.another_set(RateLimit::Off, |settings| settings.read_timeout_ms = 1);
    let refused = served.post("/v1/accounts/search", costly()).await.refused(422, "too_costly");
    assert!(refused.text.contains("Narrow the filter"), "{}", refused.text);
    let other = served.person(&["accounts:read/all"], &[], &[]).await.app;
    let hostile = join_all((0..6).map(async |_| {
        for _ in 0..5 {
            let answer = served.post("/v1/accounts/search", costly()).await;
            assert!([422, 429].contains(&answer.status), "{answer:?}");
        }
    }));
    let others = async {
        for _ in 0..20 {
            let begun = Instant::now();
            served.nobody().get("/health/live").await.is(200);
            served.nobody().get("/health/ready").await.is(200);
            other.get("/v1/accounts?limit=5").await.is(200);
            assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        }
    };
    futures_util::future::join(hostile, others).await;
}

async fn time_of_a_long_read_counts_against_the_share(app: App) {
    with_accounts(&app).await;
    let limited = app.another_set(RateLimit::On, |settings| settings.read_timeout_ms = 400);
    limited.post("/v1/accounts/search", costly()).await;
    let left = limited.get("/v1/me").await.is(200);
    let left: i64 = left.header("ratelimit").split(['=', ';']).nth(2).unwrap().parse().unwrap();
    assert!((5_000..5_996).contains(&left), "{left}");
}

async fn closed_connection_ends_its_request(app: App) {
    let running = async || {
        let page = app.nobody().get("/metrics").open().await.text().await.unwrap();
        page.lines().find_map(|line| line.strip_prefix("samphan_requests_running ")).unwrap().to_owned()
    };
    let address: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("GET /v1/changes?after=now&wait=30s HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", app.token());
    stream.write_all(head.as_bytes()).await.unwrap();
    until_within(LONG, "the request waits", async || running().await == "1").await;
    drop(stream);
    until_within(LONG, "the request has ended", async || running().await == "0").await;
}
