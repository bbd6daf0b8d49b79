//! `samphan generate`: a database as a real one would look, for benches.

use crate::support::{
    app::run_alone,
    database::Kind,
    program::{command, output},
    *,
};
use sqlx::{Connection, PgConnection};

crate::on_both![
    a_database_is_filled_as_a_real_one_would_look,
    what_was_made_at_once_is_in_the_feed,
    what_it_takes_away_comes_back_when_it_is_ended_midway,
    start_that_builds_indexes_logs_each_of_them,
];

async fn a_database_is_filled_as_a_real_one_would_look(app: App) {
    let words = ["generate", "--accounts", "1200", "--contacts", "1500", "--database-url", app.database_url()];
    let done = output(&words);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let total = async |path: &str| app.get(&format!("{path}count=exact&limit=1")).await.is(200)["total"].as_i64().unwrap();
    assert_eq!((total("/v1/accounts?").await, total("/v1/contacts?").await, total("/v1/orders?").await), (1200, 1500, 3600));
    // Of uneven size: the first hundredth has about three tenths of the orders, and not one after the other has three.
    let account = async |n: usize| app.get(&format!("/v1/accounts/by-external-id/bench/B-{n:07}")).await.is(200).id();
    let mut of_the_first = 0;
    for n in 1..=12 {
        of_the_first += total(&format!("/v1/orders?account_id={}&", account(n).await)).await;
    }
    assert!((800..1400).contains(&of_the_first), "{of_the_first}");
    // What an order says of itself is what its lines say, whatever has become of it.
    let orders = app.all("/v1/orders", 200).await;
    for state in ["closed", "cancelled", "confirmed", "submitted", "draft"] {
        assert!(orders.iter().any(|o| o["status"] == state), "{state}");
    }
    let units = |value: &Value| value.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
    for order in &orders {
        let lines = order["lines"].as_array().unwrap();
        assert_eq!(units(&order["total_amount"]), lines.iter().map(|l| units(&l["total_amount"])).sum::<i64>());
        let open = if order["status"] == "confirmed" { units(&order["total_amount"]) } else { 0 };
        assert_eq!(units(&order["open_amount"]), open, "{order}");
    }
    // A new one has the next number.
    let body = json!({"account_id": account(1).await, "currency": "THB"});
    assert_eq!(app.make("/v1/orders", body).await["number"], "SO-003601");
    // Each script is found, and the name in the other system.
    for word in ["البرز", "สยาม", "Siam", "B-0000001"] {
        assert!(!ids(&app.get(&format!("/v1/search?q={}", encoded(word))).await.is(200)).is_empty(), "{word}");
    }
    assert_eq!(output(&words).status.code(), Some(1), "once is enough");
}

/// Some 24,000 events that came at once, on tables that were nearly empty when the feed's statements were planned, are all told.
async fn what_was_made_at_once_is_in_the_feed(app: App) {
    let words = ["generate", "--accounts", "3000", "--contacts", "5000", "--orders", "0", "--database-url", app.database_url()];
    assert!(output(&words).status.success());
    let feed = app.feed().await;
    assert_eq!(feed.iter().filter(|change| change["type"] == "contact_point.created").count(), 8_000);
    assert!(feed.len() > 20_000, "{}", feed.len());
}

/// The indexes there are, by name.
async fn indexes(app: &App) -> Vec<String> {
    let reader = app.reader().await;
    let mut sql = reader.sql();
    sql.push(match app.kind() {
        Kind::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY 1",
        Kind::Postgres => "SELECT indexname::text FROM pg_indexes WHERE schemaname = current_schema() ORDER BY 1",
    });
    reader.fetch(sql, |row| row.text(0)).await.unwrap()
}

async fn what_it_takes_away_comes_back_when_it_is_ended_midway(app: App) {
    let before = indexes(&app).await;
    assert!(before.len() > 200);
    let words = ["generate", "--accounts", "5000000", "--database-url", app.database_url()];
    let mut child = command(&words).spawn().unwrap();
    while indexes(&app).await.len() > before.len() / 2 {
        assert!(child.try_wait().unwrap().is_none(), "it is at work");
        tokio::task::yield_now().await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(indexes(&app).await.len() < before.len());
    // Whoever opens the database next brings them back, and says how far it is.
    let done = output(&["migrate", "--database-url", app.database_url()]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{said}");
    assert_eq!(indexes(&app).await, before);
    let total = said.lines().next().and_then(|line| line.strip_prefix("index 1 of ")?.split(':').next()?.parse().ok());
    assert_eq!(total, Some(said.lines().count()), "{said}");
    assert!(said.contains(": accounts_name_"), "{said}");
    app.account("A").await;
}

async fn start_that_builds_indexes_logs_each_of_them(app: App) {
    let before = indexes(&app).await;
    let work = app.work().await;
    for statement in [
        "CREATE TABLE suspended_indexes (definition TEXT NOT NULL)",
        "INSERT INTO suspended_indexes VALUES ('CREATE INDEX extra_name_idx ON accounts (name)'), ('CREATE INDEX extra_grade_idx ON accounts (grade)')",
    ] {
        let mut sql = work.sql();
        sql.push(statement);
        work.execute(sql).await.unwrap();
    }
    work.commit().await.unwrap();
    let program = app.program(&["--log-format", "json"]);
    program.app.get("/v1/me").await.is(200);
    let log = program.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let missing: Vec<&Value> = lines.iter().filter(|line| line["indexes"] == 2).collect();
    assert!(missing.len() == 1 && missing[0]["message"].as_str().unwrap().contains("not ready"), "{log}");
    let built: Vec<_> = lines.iter().filter(|l| l["of"] == 2).map(|l| (l["number"].as_i64(), l["index"].as_str())).collect();
    assert_eq!(built, [(Some(1), Some("extra_name_idx")), (Some(2), Some("extra_grade_idx"))], "{log}");
    assert_eq!(indexes(&app).await.len(), before.len() + 2);
}

#[test]
fn an_index_may_take_longer_than_a_request() {
    run_alone(Kind::Postgres, async |app: App| {
        let mut beside = PgConnection::connect(app.database_url()).await.unwrap();
        // What is noted there is done: here something that takes longer than the five seconds of a request's statement.
        let slow = "CREATE TABLE suspended_indexes AS SELECT 'SELECT pg_sleep(5.2)' AS definition";
        sqlx::raw_sql(slow).execute(&mut beside).await.unwrap();
        beside.close().await.unwrap();
        let done = output(&["migrate", "--database-url", app.database_url()]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    });
}
