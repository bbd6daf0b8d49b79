//! No connection left, or somebody else at the writer's place: 503 with a time to come back, and nothing stays behind.

use crate::support::{app::run_alone, database::Kind, *};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::{Duration, Instant};

#[test]
fn without_a_connection_whoever_asks_is_told_to_come_back() {
    run_alone(Kind::Postgres, async |app: App| {
        // One connection for reads and one for writes, and as many for the work behind them.
        let program = app.program(&["--database-connections", "1"]);
        let app = program.app.clone();
        let account = app.account("Held").await;
        let path = format!("/v1/accounts/{account}");
        let mut beside = PgConnection::connect(app.database_url()).await.unwrap();
        sqlx::raw_sql("BEGIN; SELECT 1 FROM accounts FOR UPDATE").execute(&mut beside).await.unwrap();
        let (holding, others) = futures_util::future::join(app.patch(&path, json!({"name": "Waits"})).into_future(), async {
            let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
            let mut looks = PgConnection::connect(app.database_url()).await.unwrap();
            loop {
                if sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut looks).await.unwrap() > 0 {
                    break;
                }
            }
            looks.close().await.unwrap();
            let begun = Instant::now();
            let others = join_all((0..8).map(async |n| match n % 2 {
                0 => app.get("/v1/accounts").await,
                _ => app.post("/v1/accounts", json!({"name": "Comes back"})).key(&format!("key-{n}")).await,
            }));
            let others = others.await;
            assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
            app.get("/health/live").await.is(200);
            others
        })
        .await;
        // Whoever waits for a record that another has is told after five seconds.
        let (reads, writes): (Vec<_>, Vec<_>) = others.into_iter().partition(|answer| answer.what.starts_with("GET"));
        for answer in writes.into_iter().chain([holding]) {
            let answer = answer.refused(503, "unavailable");
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
        // What writes wait for, no read does.
        assert_eq!(reads.len(), 4);
        for answer in reads {
            answer.is(200);
        }
        sqlx::raw_sql("ROLLBACK").execute(&mut beside).await.unwrap();
        beside.close().await.unwrap();
        for n in [1, 3, 5, 7] {
            app.post("/v1/accounts", json!({"name": "Comes back"})).key(&format!("key-{n}")).await.is(201);
        }
        app.patch(&path, json!({"name": "Goes on"})).await.is(200);
        assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 5);
    });
}

#[test]
fn connections_that_postgres_ended_cost_no_request() {
    run_alone(Kind::Postgres, async |app: App| {
        let program = app.program(&[]);
        let app = program.app.clone();
        app.make_many("/v1/accounts", &(0..300).map(|n| json!({"name": format!("Account {n}")})).collect::<Vec<_>>()).await;
        // As many at once as use every connection there is, of each kind.
        let all = async || {
            let kinds = (0..32).map(async |n| match n % 4 {
                0 => app.get("/v1/accounts?limit=5").await.is(200),
                1 => app.post("/v1/accounts", json!({"name": "Written"})).await.is(201),
                2 => app.get("/v1/accounts?count=exact&q=account").await.is(200),
                _ => app.get("/health/ready").await.is(200),
            });
            join_all(kinds).await;
        };
        all().await;
        let mut beside = PgConnection::connect(app.database_url()).await.unwrap();
        for _ in 0..3 {
            let others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
            let ended: i64 = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(pg_terminate_backend(pid, 5000)) {others}")))
                .fetch_one(&mut beside)
                .await
                .unwrap();
            assert!(ended > 4, "{ended}");
            all().await;
        }
        beside.close().await.unwrap();
        assert!(!program.log().contains("panicked"), "{}", program.log());
    });
}

#[test]
fn while_another_program_writes_to_the_file_reads_go_on_and_writes_are_told_to_come_back() {
    run_alone(Kind::Sqlite, async |app: App| {
        let program = app.program(&[]);
        let app = program.app.clone();
        app.account("There").await;
        let beside = rusqlite::Connection::open(app.database_url().trim_start_matches("sqlite://")).unwrap();
        beside.execute_batch("BEGIN IMMEDIATE").unwrap();
        let answer = app.post("/v1/accounts", json!({"name": "Comes back"})).key("key").await.refused(503, "unavailable");
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        app.get("/v1/accounts").await.is(200);
        beside.execute_batch("ROLLBACK").unwrap();
        until_within(Duration::from_secs(10), "it writes again", async || {
            app.post("/v1/accounts", json!({"name": "Comes back"})).key("key").await.status == 201
        })
        .await;
        assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 2);
    });
}
