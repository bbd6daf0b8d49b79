//! The feed as server-sent events.

use super::changes::end;
use crate::support::{events::Stream, *};
use futures_util::future::join;
use samphan_resource::scalar::{Kind, Scalar};
use std::time::{Duration, Instant};

crate::on_both![
    a_stream_tells_changes_as_they_happen_and_goes_on_where_it_broke_off,
    a_stream_hides_what_the_feed_hides_and_ends_with_its_key,
    a_ticket_opens_one_stream_without_a_header,
    a_ticket_ends_with_what_made_it,
    no_more_streams_than_there_is_room_for,
    streams_and_polls_end_when_the_service_does,
];

async fn a_stream_tells_changes_as_they_happen_and_goes_on_where_it_broke_off(app: App) {
    let start = end(&app).await;
    let mut stream = Stream::of(app.get("/v1/changes/stream?resources=accounts")).await;
    let (first, _, _) = stream.block().await.unwrap();
    assert!(!first.is_empty(), "a cursor at once");
    let begun = Instant::now();
    let mut told = vec![];
    for n in 0..6 {
        // A line break in a text is none of the stream's.
        let account = app.make("/v1/accounts", json!({"name": format!("ช้าง {n}"), "description": "two\nlines"}));
        let (change, account) = join(stream.change(), account).await;
        assert_eq!(change["resource_id"], account["id"]);
        told.push(change);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let (feed, _) = app.changes(&start, "&resources=accounts").await;
    assert_eq!(told, feed);
    // Broken off after the third: what follows comes again, nothing twice and nothing missing.
    drop(stream);
    app.make_many("/v1/accounts", &vec![json!({"name": "Meanwhile"}); 150]).await;
    let last = told[2]["cursor"].as_str().unwrap();
    let path = format!("/v1/changes/stream?resources=accounts&after={start}");
    let mut stream = Stream::of(app.get(&path).header("last-event-id", last)).await;
    let (feed, _) = app.changes(last, "&resources=accounts").await;
    assert_eq!(feed.len(), 153);
    for change in &feed {
        assert_eq!(stream.change().await, *change);
    }
    // The feed takes the same words.
    assert_eq!(app.get("/v1/changes?after=beginning&limit=1").await.is(200)["data"], app.get("/v1/changes?limit=1").await.is(200)["data"]);
    let mut whole = Stream::of(app.get("/v1/changes/stream?after=beginning")).await;
    assert_eq!(whole.change().await["position"], 1);
    app.get("/v1/changes/stream").header("accept", "application/json").await.refused(406, "not_acceptable");
}

async fn a_stream_hides_what_the_feed_hides_and_ends_with_its_key(app: App) {
    let role = app.role(&["changes:read/all", "accounts:read/own"], &["accounts.grade=hidden"]).await;
    let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
    let machine = app.as_(&key.text_of("token"));
    let mut stream = Stream::of(machine.get("/v1/changes/stream")).await;
    stream.block().await.unwrap();
    app.account("Not the machine's").await;
    let seller = app.role(&["changes:read/all", "accounts:read/all"], &["accounts.grade=hidden"]).await;
    let seeing = app.post("/v1/api-keys", json!({"name": "S", "role_ids": [seller]})).await.is(201);
    let mut open = Stream::of(app.as_(&seeing.text_of("token")).get("/v1/changes/stream")).await;
    open.block().await.unwrap();
    let account = app.make("/v1/accounts", json!({"name": "A", "grade": "A"})).await["id"].clone();
    let change = open.change().await;
    assert_eq!((&change["resource_id"], &change["after"]["grade"], &change["after"]["name"]), (&account, &json!(null), &json!("A")));
    let begun = Instant::now();
    app.post(&format!("/v1/api-keys/{}/revoke", key["api_key"]["id"].as_str().unwrap()), json!({})).await.is(200);
    assert_eq!(stream.block().await, None, "nothing was told but the end");
    assert!(begun.elapsed() < Duration::from_secs(7), "{:?}", begun.elapsed());
}

/// The address of a stream with a new ticket of a caller.
async fn ticketed(app: &App) -> String {
    let made = app.post("/v1/changes/stream-tickets", json!({})).await.is(201);
    format!("/v1/changes/stream?ticket={}", made.text_of("ticket"))
}

async fn a_ticket_opens_one_stream_without_a_header(app: App) {
    let path = ticketed(&app).await;
    let mut stream = Stream::of(app.nobody().get(&path)).await;
    stream.block().await.unwrap();
    let (change, account) = join(stream.change(), app.account("Seen")).await;
    assert_eq!(change["resource_id"], json!(account));
    // Good once, in one place, and only whole.
    app.nobody().get(&path).await.refused(401, "unauthenticated");
    app.nobody().get(&ticketed(&app).await.replace("/stream", "")).await.refused(401, "unauthenticated");
    app.nobody().get("/v1/changes/stream?ticket=x").await.refused(401, "unauthenticated");
    // A header goes before it, and leaves it as it is.
    let path = ticketed(&app).await;
    drop(Stream::of(app.get(&path)).await);
    // Sixteen at once: one gets it.
    let all = futures_util::future::join_all((0..16).map(|_| app.nobody().get(&path).open())).await;
    let opened = all.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!((opened, all.iter().filter(|answer| answer.status() == 401).count()), (1, 15));
    // Past its time it is as good as none.
    let path = ticketed(&app).await;
    let work = app.work().await;
    let mut sql = work.sql();
    sql.push("UPDATE stream_tickets SET expires_at = ").bind(Kind::Time, Scalar::Time(work.now));
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    app.nobody().get(&path).await.refused(401, "unauthenticated");
}

async fn a_ticket_ends_with_what_made_it(app: App) {
    let role = app.role(&["changes:read/all"], &[]).await;
    let key = app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role]})).await.is(201);
    let (machine, id) = (app.as_(&key.text_of("token")), key["api_key"]["id"].as_str().unwrap().to_owned());
    let path = ticketed(&machine).await;
    let mut stream = Stream::of(app.nobody().get(&ticketed(&machine).await)).await;
    stream.block().await.unwrap();
    app.post(&format!("/v1/api-keys/{id}/rotate"), json!({})).await.is(200);
    app.nobody().get(&path).await.refused(401, "unauthenticated");
    app.post(&format!("/v1/api-keys/{id}/revoke"), json!({})).await.is(200);
    assert_eq!(stream.block().await, None);
}

async fn no_more_streams_than_there_is_room_for(app: App) {
    let mut open = vec![];
    for _ in 0..4 {
        open.push(Stream::of(app.get("/v1/changes/stream")).await);
    }
    // No more of this caller: what there is room for is for others.
    let refused = app.get("/v1/changes/stream").await.refused(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty() && refused.text.contains("of one caller"), "{}", refused.text);
    let other = app.person(&["changes:read/all"], &[], &[]).await.app;
    for _ in 0..2 {
        open.push(Stream::of(other.get("/v1/changes/stream")).await);
    }
    let refused = other.get("/v1/changes/stream").await.refused(429, "rate_limited");
    assert!(!refused.header("retry-after").is_empty() && refused.text.contains("too many streams"), "{}", refused.text);
    app.get("/v1/changes").await.is(200);
}

async fn streams_and_polls_end_when_the_service_does(app: App) {
    let mut program = app.program(&["--shutdown-seconds", "20"]);
    let cursor = end(&program.app).await;
    let mut stream = Stream::of(program.app.get("/v1/changes/stream")).await;
    stream.block().await.unwrap();
    let begun = Instant::now();
    let path = format!("/v1/changes?after={cursor}&wait=30s");
    let poll = async { program.app.get(&path).await.is(200) };
    let (page, ended) = join(poll, async {
        // The poll is under way when something else was answered after it was sent.
        program.app.get("/v1/me").await.is(200);
        program.terminate();
        stream.block().await
    })
    .await;
    assert_eq!((&page["data"], ended), (&json!([]), None));
    assert_eq!(program.ended(), Some(0), "{}", program.log());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
