//! The feed: every change once, in the order of commits, to whoever may read the record.

use crate::support::*;
use futures_util::future::{join, join_all};
use rand::{Rng, SeedableRng, rngs::StdRng};
use samphan::config::RateLimit;
use samphan_api::{identity::server_keys::KeyKind, openapi};
use samphan_domain::customers::tag::Tag;
use samphan_persistence::{
    store::{DatabaseOptions, Store},
    stored::{self, Stored},
};
use samphan_resource::caller::Caller;
use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

crate::on_both![
    changes_come_in_the_order_of_commits_and_none_is_lost_or_doubled,
    what_commits_late_comes_late_and_is_never_skipped,
    what_begins_last_may_commit_last,
    a_restored_database_goes_on_with_its_positions,
    a_snapshot_and_the_feed_from_one_cursor_end_in_the_rows_as_they_are,
    whoever_waits_is_answered_at_once,
    types_and_resources_choose_and_unknown_ones_are_refused,
    changes_are_seen_with_their_record_and_hide_what_it_hides,
    changes_say_who_what_and_from_what_to_what,
    a_page_is_what_was_asked_for,
];

/// The present end of the feed.
pub async fn end(app: &App) -> String {
    let page = app.get("/v1/changes?after=now").await.is(200);
    assert_eq!((&page["data"], &page["has_more"]), (&json!([]), &json!(false)));
    page.text_of("next_cursor")
}

fn types(changes: &[Value]) -> Vec<&str> {
    changes.iter().map(|c| c["type"].as_str().unwrap()).collect()
}

async fn changes_come_in_the_order_of_commits_and_none_is_lost_or_doubled(app: App) {
    let start = end(&app).await;
    let other = app.another(RateLimit::Off);
    let shared = app.account("Shared").await;
    let left = Cell::new(8);
    let writer = async |n: u64| {
        let mut random = StdRng::seed_from_u64(n);
        let at = if n.is_multiple_of(2) { &app } else { &other };
        for i in 0..12 {
            match random.random_range(0..4) {
                0 => {
                    at.account(&format!("Account {n} {i}")).await;
                }
                1 => {
                    at.make_many("/v1/accounts", &vec![json!({"name": "Many"}); random.random_range(1..30)]).await;
                }
                2 => {
                    let id = at.account("Short-lived").await;
                    at.delete(&format!("/v1/accounts/{id}")).await.is(204);
                }
                _ => {
                    at.patch(&format!("/v1/accounts/{shared}"), json!({"description": format!("{n} {i}")})).await.is(200);
                }
            }
        }
        left.set(left.get() - 1);
    };
    let reader = async {
        let (mut found, mut cursor) = (vec![], start.clone());
        loop {
            // What was committed before the page was asked for is in it.
            let over = left.get() == 0;
            let page = app.get(&format!("/v1/changes?after={cursor}&limit=37&wait=1s")).await.is(200);
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            cursor = page.text_of("next_cursor");
            if over && page["has_more"] == false {
                return found;
            }
        }
    };
    let (found, _) = join(reader, join_all((0..8).map(writer))).await;
    let positions: Vec<i64> = found.iter().map(|c| c["position"].as_i64().unwrap()).collect();
    assert!(positions.windows(2).all(|pair| pair[0] + 1 == pair[1]), "dense and in order: {positions:?}");
    let ids: HashSet<&str> = found.iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), found.len());
    let audit: HashSet<String> = app.all("/v1/audit-events", 200).await.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    let (whole, _) = other.changes("", "&limit=1000").await;
    assert_eq!(audit, whole.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect());
    assert_eq!(whole.last(), found.last());
    let mut versions: HashMap<&str, i64> = HashMap::new();
    for change in &found {
        let before = versions.insert(change["resource_id"].as_str().unwrap(), change["version"].as_i64().unwrap());
        assert_eq!(change["version"].as_i64().unwrap(), before.unwrap_or_default() + 1, "{change}");
    }
    assert!(versions[shared.as_str()] > 5);
}

async fn what_commits_late_comes_late_and_is_never_skipped(app: App) {
    if app.database_url().starts_with("sqlite") {
        // One writer: nobody can overtake.
        return;
    }
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 4, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap();
    let mut cursor = end(&app).await;
    let mut open = vec![];
    for n in 0..3 {
        let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
        stored::insert(&work, Stored::draft(Tag { name: format!("late {n}"), color: None, description: None })).await.unwrap();
        work.flush().await.unwrap();
        open.push(work);
    }
    for n in [1, 0, 0] {
        let account = app.account("Prompt").await;
        let (found, next) = app.changes(&cursor, "").await;
        assert_eq!(found.iter().map(|c| c["resource_id"].clone()).collect::<Vec<_>>(), [json!(account)]);
        open.remove(n).commit().await.unwrap();
        let (found, next) = app.changes(&next, "").await;
        assert_eq!(types(&found), ["tag.created"]);
        cursor = next;
    }
    // Long after everything is settled, nothing is left.
    for _ in 0..3 {
        app.account("Later").await;
        let (found, next) = app.changes(&cursor, "").await;
        assert_eq!(types(&found), ["account.created"]);
        cursor = next;
    }
}

/// The one that is still under way when the feed is looked at is the newest of all: none that began after it has ended by then.
async fn what_begins_last_may_commit_last(app: App) {
    if app.database_url().starts_with("sqlite") {
        return;
    }
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 4, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::new(openapi::api().shapes))).await.unwrap();
    let begun = async |name: String| {
        let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
        stored::insert(&work, Stored::draft(Tag { name, color: None, description: None })).await.unwrap();
        work
    };
    let mut cursor = end(&app).await;
    let mut after = async |told: &[&str]| {
        let (found, next) = app.changes(&cursor, "").await;
        assert_eq!(types(&found), told);
        cursor = next;
    };
    for n in 0..5 {
        let early = begun(format!("early {n}")).await;
        let late = begun(format!("late {n}")).await;
        // Its events are numbered first.
        late.flush().await.unwrap();
        early.commit().await.unwrap();
        after(&["tag.created"]).await;
        app.account("Meanwhile").await;
        after(&["account.created"]).await;
        late.commit().await.unwrap();
        after(&["tag.created"]).await;
    }
}

async fn a_restored_database_goes_on_with_its_positions(app: App) {
    if app.database_url().starts_with("sqlite") {
        return;
    }
    let cursor = end(&app).await;
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::default())).await.unwrap();
    let work = store.work(Arc::new(Caller::system()), now()).await.unwrap();
    let mut sql = work.sql();
    // The database it comes from had counted more transactions.
    sql.push("UPDATE feed_state SET fence_xid = '9000000000', fence_seq = fence_seq + 1000000");
    work.execute(sql).await.unwrap();
    work.commit().await.unwrap();
    let mut made = vec![];
    for _ in 0..4 {
        made.push(json!(app.account("A").await));
        end(&app).await;
    }
    let (found, _) = app.changes(&cursor, "").await;
    assert_eq!(found.iter().map(|c| c["resource_id"].clone()).collect::<Vec<_>>(), made);
    let reader = store.reader(Arc::new(Caller::system()), now());
    let left = || async {
        let mut sql = reader.sql();
        sql.push("SELECT count(*) FROM audit_events WHERE seq > (SELECT settled_seq FROM feed_state)");
        reader.count(sql).await.unwrap()
    };
    // Whatever is under way in another database of the cluster is waited for, too.
    let begun = Instant::now();
    while left().await > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "what has its position is not looked at again");
        end(&app).await;
    }
}

async fn a_snapshot_and_the_feed_from_one_cursor_end_in_the_rows_as_they_are(app: App) {
    let mut made = app.make_many("/v1/accounts", &vec![json!({"name": "A", "grade": "A"}); 60]).await;
    let cursor = end(&app).await;
    let writer = async {
        let mut random = StdRng::seed_from_u64(7);
        for n in 0..60 {
            let at = random.random_range(0..made.len());
            match n % 3 {
                0 => app.patch(&format!("/v1/accounts/{}", made[at]), json!({"grade": format!("{n}")})).await.is(200),
                1 => app.delete(&format!("/v1/accounts/{}", made.remove(at))).await.is(204),
                _ => app.post("/v1/accounts", json!({"name": format!("New {n}")})).await.is(201),
            };
        }
    };
    let (list, ()) = join(app.all("/v1/accounts", 7), writer).await;
    let mut rows: BTreeMap<String, Value> = list.into_iter().map(|r| (r["id"].as_str().unwrap().to_owned(), r)).collect();
    let mut gone = HashSet::new();
    for change in app.changes(&cursor, "&types=account.*&limit=50").await.0 {
        let id = change["resource_id"].as_str().unwrap().to_owned();
        if change["type"] == "account.deleted" {
            rows.remove(&id);
            gone.insert(id);
            continue;
        }
        let row = rows.entry(id).or_insert(json!({"version": 0}));
        if row["version"].as_i64() < change["version"].as_i64() {
            row.as_object_mut().unwrap().extend(change["after"].as_object().unwrap().clone());
            row["version"] = change["version"].clone();
        }
    }
    let bare = |r: &Value| (r["version"].clone(), r["name"].clone(), r["grade"].clone());
    let now: BTreeMap<String, _> =
        app.all("/v1/accounts", 200).await.iter().map(|r| (r["id"].as_str().unwrap().to_owned(), bare(r))).collect();
    assert_eq!(rows.iter().map(|(id, r)| (id.clone(), bare(r))).collect::<BTreeMap<_, _>>(), now);
    assert_eq!((gone.len(), now.len()), (20, 60));
}

async fn whoever_waits_is_answered_at_once(app: App) {
    let other = app.another(RateLimit::Off);
    let mut cursor = end(&app).await;
    let begun = Instant::now();
    for n in 0..10 {
        let writer = if n % 2 == 0 { &app } else { &other };
        let path = format!("/v1/changes?after={cursor}&wait=30s");
        let (page, account) = join(async { app.get(&path).await.is(200) }, writer.account("A")).await;
        assert_eq!(page["data"][0]["resource_id"], json!(account));
        cursor = page.text_of("next_cursor");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // What somebody may not see does not wake him, but he need not look at it again.
    let person = app.person(&["changes:read/all"], &[], &[]).await.app;
    let path = format!("/v1/changes?after={cursor}&wait=1s");
    let (page, _) = join(async { person.get(&path).await.is(200) }, app.account("B")).await;
    assert_eq!((&page["data"], &page["has_more"]), (&json!([]), &json!(false)));
    assert_ne!(page.text_of("next_cursor"), cursor);
    // A key that is revoked is not answered for long.
    let key = app.api_key(&["changes:read/all"], json!({})).await.is(201);
    let cursor = end(&app).await;
    let machine = app.as_(&key.text_of("token"));
    let begun = Instant::now();
    let path = format!("/v1/changes?after={cursor}&wait=30s");
    let revoke = format!("/v1/api-keys/{}/revoke", key["api_key"]["id"].as_str().unwrap());
    let (answer, _) = join(async { machine.get(&path).await }, async { other.post(&revoke, json!({})).await.is(200) }).await;
    answer.refused(401, "unauthenticated");
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

async fn types_and_resources_choose_and_unknown_ones_are_refused(app: App) {
    let cursor = end(&app).await;
    let account = app.account("A").await;
    app.patch(&format!("/v1/accounts/{account}"), json!({"grade": "B"})).await.is(200);
    app.post(&format!("/v1/accounts/{account}/change-lifecycle"), json!({"to": "lead"})).await;
    let contact = app.make("/v1/contacts", json!({"first_name": "A"})).await;
    app.make("/v1/account-contacts", json!({"account_id": account, "contact_id": contact["id"]})).await;
    let of = async |asked: &str| {
        let (found, _) = app.changes(&cursor, asked).await;
        found.iter().map(|c| c["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(of("&types=account.updated").await, ["account.updated"]);
    assert_eq!(of("&types=contact.*,account.created").await, ["account.created", "contact.created"]);
    assert_eq!(of("&resources=account_contacts").await, ["account_contact.created"]);
    assert_eq!(of("&resources=accounts&types=contact.created").await, [""; 0]);
    assert_eq!(of("&types=*").await, of("").await);
    for (asked, at, near) in [
        ("types=account.create", "?types", "account.created"),
        ("types=account.created,acount.*", "?types", "account.*"),
        ("resources=account", "?resources", "accounts"),
    ] {
        let fault = app.get(&format!("/v1/changes?{asked}")).await.refused(400, "invalid_query").fault(at, "unknown_value");
        assert_eq!(fault["did_you_mean"], near);
        app.get(&format!("/v1/changes/stream?{asked}")).await.refused(400, "invalid_query").fault(at, "unknown_value");
    }
    for wait in ["31s", "1", "1m", "-1s", "s"] {
        app.get(&format!("/v1/changes?wait={wait}"))
            .await
            .refused(400, "invalid_query")
            .fault("?wait", if wait.len() > 3 { "too_long" } else { "invalid_format" });
    }
    for cursor in ["x", "0", &cursor[1..]] {
        app.get(&format!("/v1/changes?after={cursor}")).await.refused(400, "invalid_cursor");
        app.get("/v1/changes/stream").header("last-event-id", cursor).await.refused(400, "invalid_cursor");
    }
}

async fn changes_are_seen_with_their_record_and_hide_what_it_hides(app: App) {
    let cursor = end(&app).await;
    let (team, aside) = (app.team(None).await, app.team(None).await);
    let seller = app.person(&["changes:read/all", "accounts:read/team"], &["accounts.grade=hidden"], &[&team]).await.app;
    let other = app.person(&["changes:read/all", "accounts:read/team"], &[], &[&aside]).await.app;
    let mine = app.make("/v1/accounts", json!({"name": "Mine", "team_id": team, "grade": "A"})).await["id"].clone();
    app.make("/v1/accounts", json!({"name": "Not mine", "team_id": aside})).await;
    app.patch(&format!("/v1/accounts/{}", mine.as_str().unwrap()), json!({"grade": "B"})).await.is(200);
    let (found, end) = seller.changes(&cursor, "").await;
    assert_eq!(types(&found), ["account.created", "account.updated"]);
    assert!(found.iter().all(|c| c["resource_id"] == mine && c["after"]["grade"].is_null()), "{found:?}");
    assert_eq!(found[0]["after"]["name"], "Mine");
    // The whole history goes where the record goes.
    app.post(&format!("/v1/accounts/{}/assign", mine.as_str().unwrap()), json!({"team_id": aside})).await.is(200);
    assert_eq!(seller.changes(&cursor, "").await.0, [json!(null); 0]);
    assert_eq!(seller.changes(&end, "").await.0, [json!(null); 0]);
    let (found, _) = other.changes(&cursor, "&resources=accounts").await;
    assert_eq!(types(&found), ["account.created", "account.created", "account.updated", "account.assigned"]);
    assert_eq!((&found[2]["before"]["grade"], &found[2]["after"]["grade"]), (&json!("A"), &json!("B")));
    let nobody = app.person(&["changes:read/all"], &[], &[]).await.app;
    assert_eq!(nobody.changes("", "&limit=1000").await.0, [json!(null); 0]);
    app.person(&["accounts:read/all"], &[], &[]).await.app.get("/v1/changes").await.refused(403, "forbidden");
}

async fn changes_say_who_what_and_from_what_to_what(app: App) {
    let cursor = end(&app).await;
    let admin = app.get("/v1/me").await.is(200).id();
    let key = app.api_key(&["accounts:create/all", "accounts:read/all"], json!({})).await.is(201);
    let made = app.as_(&key.text_of("token")).post("/v1/accounts", json!({"name": "A", "is_vip": true})).await.is(201);
    let id = made.id();
    let changed =
        app.patch(&format!("/v1/accounts/{id}"), json!({"name": "B", "grade": "A"})).header("x-request-id", "mine-1").await.is(200);
    app.delete(&format!("/v1/accounts/{id}")).await.is(204);
    app.post(&format!("/v1/accounts/{id}/restore"), json!({})).await.is(200);
    let (found, _) = app.changes(&cursor, "&resources=accounts").await;
    assert_eq!(types(&found), ["account.created", "account.updated", "account.deleted", "account.restored"]);
    let [created, updated, deleted, restored] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(created["actor"], json!({"kind": "api_key", "id": key["api_key"]["id"]}));
    assert_eq!(updated["actor"], json!({"kind": "user", "id": admin}));
    assert_eq!((&created["before"], &created["after"]["name"], &created["after"]["is_vip"]), (&json!(null), &json!("A"), &json!(true)));
    assert_eq!(updated["changed_fields"], json!(["name", "grade"]));
    assert_eq!((&updated["before"], &updated["after"]), (&json!({"name": "A", "grade": null}), &json!({"name": "B", "grade": "A"})));
    assert_eq!((&updated["version"], &updated["request_id"]), (&changed["version"], &json!("mine-1")));
    assert_eq!((&deleted["before"]["name"], &deleted["after"], &deleted["version"]), (&json!("B"), &json!(null), &json!(3)));
    assert_eq!((&restored["after"]["name"], &restored["version"]), (&json!("B"), &json!(4)));
    // The same events, with the same ids, as in the audit.
    let audit = app.all(&format!("/v1/audit-events?resource_id={id}"), 50).await;
    assert_eq!(column(&json!({"data": audit}), "id"), column(&json!({"data": found}), "id"));
}

async fn a_page_is_what_was_asked_for(app: App) {
    let cursor = end(&app).await;
    app.make_many("/v1/accounts", &vec![json!({"name": "A"}); 12]).await;
    let page = app.get(&format!("/v1/changes?after={cursor}&limit=5")).await.is(200);
    let first = page["data"].as_array().unwrap().clone();
    assert_eq!((first.len(), &page["has_more"]), (5, &json!(true)));
    // A change's own cursor goes on after it.
    let third = first[2]["cursor"].as_str().unwrap();
    let again = app.get(&format!("/v1/changes?after={third}&limit=2")).await.is(200);
    assert_eq!(again["data"].as_array().unwrap(), &first[3..5]);
    assert_eq!(again["next_cursor"], page["next_cursor"]);
    let (others, end) = app.changes(&page.text_of("next_cursor"), "&limit=7").await;
    assert_eq!(others.len(), 7);
    let empty = app.get(&format!("/v1/changes?after={end}")).await.is(200);
    assert_eq!((&empty["data"], &empty["next_cursor"], &empty["has_more"]), (&json!([]), &json!(end), &json!(false)));
    for limit in ["0", "1001", "x"] {
        app.get(&format!("/v1/changes?limit={limit}")).await.refused(400, "invalid_query");
    }
    app.get("/v1/changes?since=1").await.refused(400, "invalid_query").fault("?since", "unknown_parameter");
    // A cursor ahead of the end is of what a restore undid: whoever went on from it would miss what comes now.
    let opening = DatabaseOptions { url: app.database_url().to_owned(), connections: 1, full_sync: false };
    let store = Store::open(&opening, Box::leak(Box::default())).await.unwrap();
    store.use_keys(KeyKind::Cursors.as_str(), vec![app.server_key(KeyKind::Cursors).await]);
    let ahead = store.feed_cursor(1_000_000);
    for path in ["/v1/changes", "/v1/changes/stream"] {
        app.get(&format!("{path}?after={ahead}")).await.refused(400, "invalid_cursor");
    }
    // A dry run tells nobody.
    app.post("/v1/accounts?dry_run=true", json!({"name": "Not kept"})).await.is(201);
    assert_eq!(app.changes(&end, "").await.0, [json!(null); 0]);
}
