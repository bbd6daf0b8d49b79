//! Pages: together they are the whole list, in order, with nothing twice.

use crate::support::*;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use std::collections::HashSet;

crate::on_both![
    pages_of_any_size_and_order_make_up_the_whole,
    rows_inserted_meanwhile_cause_no_repeats_and_no_gaps,
    a_cursor_of_another_query_is_refused,
    a_cursor_is_bound_to_what_a_filter_says_not_to_when_it_was_said,
    thai_and_persian_names_sort_as_their_readers_expect,
    only_known_sort_keys_are_taken,
];

fn some_accounts(seed: u64, count: usize) -> Vec<Value> {
    let mut random = StdRng::seed_from_u64(seed);
    let names = ["กา", "ไก่", "สมชาย", "پدر", "آب", "کتاب", "Ann", "ann", "Zoo", "Éclair", "7-Eleven", "  x"];
    (0..count)
        .map(|_| {
            let mut account = json!({"name": names.choose(&mut random).unwrap(), "is_vip": random.random_bool(0.5)});
            if random.random_bool(0.6) {
                account["grade"] = json!(["A", "B", "C", "a"].choose(&mut random).unwrap());
            }
            account
        })
        .collect()
}

async fn pages_of_any_size_and_order_make_up_the_whole(app: App) {
    let made: HashSet<String> = app.make_many("/v1/accounts", &some_accounts(1, 140)).await.into_iter().collect();
    let grade = |r: &Value| r["grade"].as_str().map(str::to_owned);
    for sort in [
        "",
        "name",
        "-name",
        "created_at",
        "-created_at,name",
        "grade",
        "-grade",
        "grade,-name",
        "-grade,name,created_at",
        "lifecycle_stage,-id",
    ] {
        for limit in [1, 7, 50, 139, 140, 200] {
            if limit == 1 && !sort.contains("grade") {
                continue;
            }
            let order = if sort.is_empty() { String::new() } else { format!("?sort={sort}") };
            let all = app.all(&format!("/v1/accounts{order}"), limit).await;
            let found: Vec<String> = all.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
            assert_eq!(found.len(), made.len(), "sort {sort} limit {limit}");
            assert_eq!(found.iter().cloned().collect::<HashSet<_>>(), made, "sort {sort} limit {limit}");
            let keys: Vec<Vec<u8>> = all.iter().map(|r| samphan_resource::text::sort_key(r["name"].as_str().unwrap())).collect();
            let id = |n: usize| found[n].clone();
            for n in 1..all.len() {
                let (a, b) = (&all[n - 1], &all[n]);
                let right = match sort {
                    "name" => (&keys[n - 1], id(n - 1)) < (&keys[n], id(n)),
                    "-name" => (&keys[n - 1], id(n - 1)) > (&keys[n], id(n)),
                    // Nulls last, whichever way.
                    "grade" => (grade(a).is_none(), grade(a), id(n - 1)) < (grade(b).is_none(), grade(b), id(n)),
                    "-grade" => (grade(a).is_none(), grade(b), id(n)) < (grade(b).is_none(), grade(a), id(n - 1)),
                    "" | "created_at" => id(n - 1) < id(n) || a["created_at"] != b["created_at"],
                    _ => true,
                };
                assert!(right, "sort {sort} limit {limit}: {a} before {b}");
            }
        }
    }
}

async fn rows_inserted_meanwhile_cause_no_repeats_and_no_gaps(app: App) {
    let made = app.make_many("/v1/accounts", &some_accounts(2, 60)).await;
    for sort in ["name", "-grade", "created_at", "-created_at"] {
        let (mut found, mut cursor) = (vec![], String::new());
        loop {
            let page = app.get(&format!("/v1/accounts?sort={sort}&limit=7{cursor}")).await.is(200);
            found.extend(ids(&page));
            app.make_many("/v1/accounts", &some_accounts(found.len() as u64, 3)).await;
            match page["next_cursor"].as_str().filter(|_| found.len() < 400) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let once: HashSet<&String> = found.iter().collect();
        assert_eq!(once.len(), found.len(), "sort {sort}: nothing twice");
        if sort != "created_at" {
            assert!(made.iter().all(|id| once.contains(id)), "sort {sort}: nothing left out");
        }
    }
}

async fn a_cursor_of_another_query_is_refused(app: App) {
    app.make_many("/v1/accounts", &some_accounts(3, 9)).await;
    let cursor = app.get("/v1/accounts?sort=name&limit=2").await.is(200).text_of("next_cursor");
    app.get(&format!("/v1/accounts?sort=name&limit=5&count=exact&cursor={cursor}")).await.is(200);
    for other in ["sort=-name", "sort=grade", "limit=2", "sort=name&is_vip=true", "sort=name&q=a"] {
        app.get(&format!("/v1/accounts?{other}&cursor={cursor}")).await.refused(400, "invalid_cursor");
    }
    app.get(&format!("/v1/contacts?sort=name&cursor={cursor}")).await.refused(400, "invalid_cursor");
    let last = if cursor.ends_with('A') { "B" } else { "A" };
    let swapped = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for tampered in ["x", "", "%00", &format!("{cursor}{last}"), &swapped, &cursor[..cursor.len() - 4]] {
        app.get(&format!("/v1/accounts?sort=name&cursor={tampered}")).await.is(400);
    }
    // A search body and a list say the same and share cursors.
    let body = json!({"sort": "name", "limit": 2, "cursor": cursor});
    app.post("/v1/accounts/search", body).await.is(200);
}

async fn a_cursor_is_bound_to_what_a_filter_says_not_to_when_it_was_said(app: App) {
    let made = app.make_many("/v1/accounts", &some_accounts(4, 9)).await;
    let filter = encoded(r#"{"field":"created_at","op":"within_last","value":"P1D"}"#);
    assert_eq!(app.all(&format!("/v1/accounts?filter={filter}"), 2).await.len(), made.len());
    // Whose language keeps no order of names says the same in another.
    let page = app.get(&format!("/v1/accounts?limit=2&filter={filter}")).await.is(200);
    let body = r#"{"limit":2,"filter":{"value":"P1D","field":"created_at","op":"within_last"},"cursor":"#;
    let body = format!("{body}{}}}", page["next_cursor"]);
    let next = app.ask(reqwest::Method::POST, "/v1/accounts/search").raw("application/json", body).await.is(200);
    assert!(ids(&next).iter().all(|id| made.contains(id) && !ids(&page).contains(id)));
}

async fn thai_and_persian_names_sort_as_their_readers_expect(app: App) {
    let sorted = ["3 ดี", "Ann", "zoo", "آب", "پدر", "چای", "کتاب", "گل", "กา", "แก", "ไก่", "ขา", "เขา", "คน"];
    let mut shuffled = sorted;
    shuffled.reverse();
    shuffled.swap(2, 9);
    app.make_many("/v1/accounts", &shuffled.map(|name| json!({"name": name}))).await;
    assert_eq!(column(&app.get("/v1/accounts?sort=name").await.is(200), "name"), sorted);
}

async fn only_known_sort_keys_are_taken(app: App) {
    for (sort, code) in
        [("is_vip", "unknown_sort_key"), ("nam", "unknown_sort_key"), ("name,name", "repeated"), ("name,grade", "sort_key_must_be_first")]
    {
        app.get(&format!("/v1/accounts?sort={sort}")).await.refused(400, "invalid_query").fault("?sort", code);
    }
    let fault = app.get("/v1/accounts?sort=-nam").await.refused(400, "invalid_query").fault("?sort", "unknown_sort_key");
    assert_eq!(fault["did_you_mean"], "name");
    assert!(fault["allowed"].as_array().unwrap().contains(&json!("grade")));
    app.get("/v1/accounts?sort=name,created_at,updated_at,id").await.refused(400, "invalid_query").fault("?sort", "too_many_items");
}
