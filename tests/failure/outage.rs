//! PostgreSQL ended and started again under load: nobody is told anything but 503, and nobody has to do anything.

use super::{books, killed, load::Load};
use crate::support::{app::PASSWORD, cluster::Cluster, database::Kind, *};
use futures_util::future::{join, join_all};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sqlx::{Connection, PgConnection};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Nothing here takes longer.
const LONG: Duration = Duration::from_secs(60);
/// Once PostgreSQL takes connections, the service is back within this.
const BACK: Duration = Duration::from_secs(10);
/// Connections of each of the service's two pools.
const CONNECTIONS: usize = 4;

#[test]
fn postgres_ended_under_load_is_503_and_over_by_itself() {
    let cluster = Arc::new(Cluster::start());
    app::wait(async {
        let nobody = App::without_server(&cluster.url, "", Kind::Postgres);
        let mut program = nobody.program(&["--admin-password", PASSWORD]);
        let app = program.app.admin().await.app;
        let load = Load::begin(app.clone(), false).await;
        let mut back = vec![];
        let misfortune = async {
            let mut chance = StdRng::seed_from_u64(7);
            for _ in 0..(killed::kills() * 2 / 5).max(2) {
                let enough = load.answered() + chance.random_range(30..120);
                until_within(LONG, "the load goes on", async || load.answered() >= enough).await;
                let gone = Arc::clone(&cluster);
                tokio::task::spawn_blocking(move || gone.stop()).await.unwrap();
                down(&app).await;
                let again = Arc::clone(&cluster);
                tokio::task::spawn_blocking(move || again.start_again()).await.unwrap();
                let begun = Instant::now();
                until_within(BACK, "it is back", async || app.get("/health/ready").await.status == 200).await;
                let enough = load.answered() + 8;
                until_within(BACK, "it writes again", async || load.answered() >= enough).await;
                back.push(begun.elapsed());
            }
            load.end();
        };
        join(load.run(8), misfortune).await;
        assert!(load.busy.get() > 0);
        assert!(!program.log().contains("panicked"), "{}", program.log());
        // Each connection that was ended is noticed when it is used next, those of reads as those of writes.
        until_within(BACK, "every connection is new", async || {
            let reads = join_all((0..16).map(async |_| app.get("/v1/accounts?limit=1").await.status)).await;
            reads.iter().all(|status| *status == 200) && program.app.sign_in(app::ADMIN, PASSWORD).await.status == 200
        })
        .await;
        let app = program.app.admin().await.app;
        books::agree(&app, &load, |_| true).await;
        books::replayed(&app, &load).await;
        back.sort();
        println!("back after {:?}, at worst {:?}, {} times 503", back[back.len() / 2], back[back.len() - 1], load.busy.get());
        assert!(back[back.len() - 1] < BACK);
        // No place in the pools was lost: as many as there are serve many at once, and there are no more connections than that.
        let at_once = join_all((0..64).map(async |n| app.make("/v1/accounts", json!({"name": format!("At once {n}")})).await)).await;
        assert_eq!(at_once.len(), 64);
        let mut beside = PgConnection::connect(&cluster.url).await.unwrap();
        let open = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let open: i64 = sqlx::query_scalar(open).fetch_one(&mut beside).await.unwrap();
        // Of the worker and of what is behind it: for reads, as many for writes, one for a long read, one for health.
        assert!((1..=2 * (2 * CONNECTIONS as i64 + 2)).contains(&open), "{open}");
        beside.close().await.unwrap();
        program.terminate();
        assert_eq!(program.ended(), Some(0));
    });
}

/// While the database is away: whoever asks is told so at once or within seconds, in our words, and when to ask again.
async fn down(app: &App) {
    let asked = [
        app.get("/v1/accounts"),
        app.get("/health/ready"),
        app.post("/v1/accounts", json!({"name": "Nobody"})),
        app.nobody().post("/v1/auth/sign-in", json!({"email": app::ADMIN, "password": PASSWORD})),
        app.get("/v1/changes"),
    ];
    let begun = Instant::now();
    for answer in join_all(asked.into_iter().map(IntoFuture::into_future)).await {
        let answer = answer.refused(503, "unavailable");
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    }
    assert!(begun.elapsed() < BACK, "{:?}", begun.elapsed());
    app.get("/health/live").await.is(200);
}
