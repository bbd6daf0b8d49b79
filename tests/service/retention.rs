//! What has been kept long enough is deleted, in small steps, and only that.

use crate::{
    sales::Shop,
    support::{
        app::{ADMIN, PASSWORD},
        clock::Clock,
        program::Program,
        receiver::{Receiver, endpoint, local},
        *,
    },
};
use samphan_resource::scalar::{Kind, Scalar};

crate::on_both_alone![
    what_is_old_is_deleted_and_what_is_not_stays,
    stream_ticket_that_was_not_used_is_deleted_once_it_expired,
    old_events_are_deleted_where_that_is_set,
];

const DAY: i64 = 86_400;

async fn count(app: &App, table: &'static str) -> i64 {
    let reader = app.reader().await;
    let mut sql = reader.sql();
    sql.push("SELECT count(*) FROM ").push(table);
    reader.count(sql).await.unwrap()
}

/// Waits until a table has that many rows.
async fn until_rows(app: &App, table: &'static str, rows: i64) {
    until(&format!("{table} has {rows} rows"), async || count(app, table).await == rows).await;
}

/// The program signed in to, so many days from now.
async fn after_days(clock: &Clock, app: &App, days: i64, words: &[&str]) -> (Program, App) {
    clock.ahead(days * DAY);
    let program = clock.program_with(app, words);
    let token = program.app.sign_in(ADMIN, PASSWORD).await.is(200).text_of("access_token");
    let there = program.app.as_(&token);
    (program, there)
}

/// Many kept answers, as traffic leaves them.
async fn keep_answers(app: &App, many: i64) {
    let work = app.work().await;
    let columns =
        [("principal", Kind::Id), ("key", Kind::Text), ("fingerprint", Kind::Bytes), ("created_at", Kind::Time), ("body", Kind::Bytes)];
    let row = |n: i64| {
        vec![
            Scalar::Id(work.new_id()),
            Scalar::Text(format!("kept {n}")),
            Scalar::Bytes(vec![1]),
            Scalar::Time(work.now),
            Scalar::Bytes(vec![2]),
        ]
    };
    work.insert("idempotency_keys", &columns, (0..many).map(row).collect(), "").await.unwrap();
    work.commit().await.unwrap();
}

async fn what_is_old_is_deleted_and_what_is_not_stays(app: App) {
    local(async {
        let clock = Clock::new();
        let (mut program, now) = after_days(&clock, &app, 0, &[]).await;
        let shop = Shop::open(&now).await;
        drop(shop);
        let account = now.all("/v1/accounts", 50).await[0]["id"].clone();
        now.make("/v1/external-systems", json!({"code": "erp", "name": "ERP", "kind": "accounting"})).await;
        let reference = json!({"system": "erp", "resource": "accounts", "external_id": "C-1", "record_id": account});
        now.make("/v1/external-references", reference).await;
        let item = json!({"external_id": "C-1", "as_of": "2026-01-01T00:00:00Z", "receivable": "0.00",
            "credit_limit": {"kind": "limited", "amount": "1000.00"}});
        let batch = json!({"system": "erp", "entity": "TH01", "currency": "THB", "items": [item]});
        now.post("/v1/credit-balances/batch", batch).await.is(200);
        now.make("/v1/credit-checks", json!({"account_id": account, "amount": "1.00", "authorise": false})).await;
        let promise = json!({"account_id": account, "lines": [{"sku": "TEA", "quantity": "1"}]});
        let promise = now.make("/v1/order-promises", promise).await;
        assert!(!promise["waterfall"].as_array().unwrap().is_empty() && !promise["stock"].as_array().unwrap().is_empty());
        let promise = format!("/v1/order-promises/{}", promise["id"].as_str().unwrap());
        now.post(&format!("{promise}/release"), json!({})).await.is(200);
        let mut receiver = Receiver::start().await;
        endpoint(&now, &receiver, json!({"event_types": ["tag.created"]})).await;
        now.post("/v1/tags", json!({"name": "kept"})).key("once").await.is(201);
        receiver.next().await;
        let ends = now.admin().await;
        ends.app.post("/v1/auth/sign-out", json!({})).await.is(204);
        let refreshed = now.admin().await;
        let used = now.nobody().post("/v1/auth/refresh", json!({"refresh_token": refreshed.refresh_token})).await.is(200);
        keep_answers(&app, 1_200).await;
        assert!(count(&app, "credit_check_components").await > 0 && count(&app, "webhook_deliveries").await > 0);
        let (sessions, answers) = (count(&app, "sessions").await, count(&app, "idempotency_keys").await);
        let events = count(&app, "audit_events").await;
        program.kill();

        // Six days later nothing is too old.
        let (mut program, now) = after_days(&clock, &app, 6, &[]).await;
        now.post("/v1/tags", json!({"name": "kept"})).key("once").await.is(201);
        assert_eq!((count(&app, "idempotency_keys").await, count(&app, "sessions").await), (answers, sessions + 1));
        program.kill();

        // Kept answers go after 7 days.
        let (mut program, now) = after_days(&clock, &app, 8, &[]).await;
        until_rows(&app, "idempotency_keys", 0).await;
        let metrics = crate::support::app::client().get(format!("{}/metrics", now.url)).send().await.unwrap().text().await.unwrap();
        assert!(metrics.contains(&format!("samphan_deleted_rows_total{{kind=\"idempotent_answers\"}} {answers}")), "{metrics}");
        let next = now.nobody().post("/v1/auth/refresh", json!({"refresh_token": used.text_of("refresh_token")})).await.is(200);
        assert_eq!(count(&app, "sessions").await, sessions + 2);
        program.kill();

        // The session that was signed out goes 30 days after its end, deliveries 30 days after they were made.
        let (mut program, now) = after_days(&clock, &app, 32, &[]).await;
        until_rows(&app, "webhook_deliveries", 0).await;
        until_rows(&app, "sessions", sessions + 2).await;
        now.nobody().post("/v1/auth/refresh", json!({"refresh_token": next.text_of("refresh_token")})).await.is(200);
        assert!(!now.get(&promise).await.is(200)["waterfall"].as_array().unwrap().is_empty());
        program.kill();

        // Sessions that ended by themselves go 30 days later, and what checks and promises looked at after 90 days.
        let (_program, now) = after_days(&clock, &app, 200, &[]).await;
        until_rows(&app, "credit_check_components", 0).await;
        until_rows(&app, "sessions", 1).await;
        assert_eq!(count(&app, "refresh_tokens").await, 1);
        let emptied = now.get_until(&promise, |promise| promise["waterfall"] == json!([]) && promise["stock"] == json!([])).await;
        assert_eq!((&emptied["status"], emptied["lines"].as_array().unwrap().len()), (&json!("released"), 1));
        // Events stay unless the settings say otherwise.
        assert!(count(&app, "audit_events").await >= events);
    })
    .await;
}

async fn stream_ticket_that_was_not_used_is_deleted_once_it_expired(app: App) {
    let clock = Clock::new();
    let (mut program, now) = after_days(&clock, &app, 0, &[]).await;
    for _ in 0..12 {
        now.post("/v1/changes/stream-tickets", json!({})).await.is(201);
    }
    assert_eq!(count(&app, "stream_tickets").await, 12, "none is deleted to make another");
    program.kill();
    let (_program, now) = after_days(&clock, &app, 1, &[]).await;
    until_rows(&app, "stream_tickets", 0).await;
    // Counted after the commit.
    let metrics = async || crate::support::app::client().get(format!("{}/metrics", now.url)).send().await.unwrap().text().await.unwrap();
    let counted = "samphan_deleted_rows_total{kind=\"stream_tickets\"} 12";
    until("the deleted tickets are counted", async || metrics().await.contains(counted)).await;
}

async fn old_events_are_deleted_where_that_is_set(app: App) {
    let clock = Clock::new();
    let (mut program, now) = after_days(&clock, &app, 0, &[]).await;
    let items: Vec<Value> = (0..700).map(|n| json!({"name": format!("tag {n}")})).collect();
    now.make_many("/v1/tags", &items).await;
    let (all, end) = now.changes("", "&limit=1000").await;
    let middle = all[all.len() / 2]["cursor"].as_str().unwrap().to_owned();
    program.kill();
    let (mut program, now) = after_days(&clock, &app, 29, &["--keep-events-days", "30"]).await;
    assert_eq!(now.changes("", "&limit=1000").await.0[0]["id"], all[0]["id"], "nothing is too old");
    program.kill();
    let (_program, now) = after_days(&clock, &app, 40, &["--keep-events-days", "30"]).await;
    let is_old = |change: &Value| all.iter().any(|old| old["id"] == change["id"]);
    until("the old events are deleted", async || !now.changes("", "&limit=1000").await.0.iter().any(is_old)).await;
    assert!(!now.changes("", "&limit=1000").await.0.is_empty(), "the new events are kept");
    for path in ["/v1/changes", "/v1/changes/stream"] {
        now.get(&format!("{path}?after={middle}")).await.refused(400, "invalid_cursor");
    }
    // Who was at the end reads on, and positions go on.
    let (next, _) = now.changes(&end, "").await;
    assert_eq!(next[0]["position"].as_i64(), all.last().unwrap()["position"].as_i64().map(|last| last + 1));
    now.make("/v1/tags", json!({"name": "new"})).await;
    assert!(now.changes(&end, "&types=tag.created").await.0.len() == 1);
}
