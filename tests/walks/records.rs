//! What a caller does not see is answered as what never was, whatever is asked of it, and stays as it is.

use super::{
    step::{Step, lists},
    world::{Caller, Row, World, bound},
};
use crate::support::*;
use std::collections::BTreeMap;

crate::in_worlds_on_both![
    the_unseen_is_not_found_by_any_operation,
    what_is_unseen_and_deleted_is_not_brought_back,
    what_is_seen_and_out_of_reach_is_forbidden,
    nobody_is_told_the_answer_to_somebody_elses_request,
];

/// The ways to ask for it: with more in the query, and with headers.
fn ways(step: &Step, version: &str) -> Vec<(String, Vec<(&'static str, String)>)> {
    let mut headers = vec![];
    if step.has("if-match") {
        headers.push(("if-match", version.to_owned()));
    }
    let mut all = vec![(String::new(), headers.clone())];
    if step.writes() {
        all.push(("dry_run=true".to_owned(), headers.clone()));
    }
    if step.has("idempotency-key") {
        all.push((String::new(), [headers.clone(), vec![("idempotency-key", random_id())]].concat()));
    }
    if step.has("if-none-match") && step.method == "get" {
        all.push((String::new(), vec![("if-none-match", version.to_owned())]));
    }
    if step.has("fields") {
        all.push(("fields=id".to_owned(), vec![]));
    }
    if step.has("count") {
        all.push(("count=exact".to_owned(), vec![]));
    }
    all
}

/// Asks for what these name, in every way.
async fn asked(step: &Step, app: &App, names: &[String], version: &str) -> Vec<Answer> {
    let body = step.body(&BTreeMap::new());
    let mut answers = vec![];
    for (query, headers) in ways(step, version) {
        let request = step.ask_for(app, names, &query, body.as_ref());
        answers.push(headers.iter().fold(request, |request, (name, value)| request.header(name, value)).await);
    }
    answers
}

/// Insists that what these name is answered as those that name nothing.
async fn is_as_nothing(step: &Step, caller: &Caller, names: &[String], nothing: &[String], version: &str) -> usize {
    let (unseen, never) = (asked(step, &caller.app, names, version).await, asked(step, &caller.app, nothing, version).await);
    for (unseen, never) in unseen.iter().zip(&never) {
        assert_eq!((unseen.status, &unseen["code"]), (404, &json!("not_found")), "{}, {}: {}", caller.name, unseen.what, unseen.text);
        same_but_request_id(unseen, never);
    }
    unseen.len()
}

/// The same below a parent that is seen; where a write does not reach the parent, both are answered that.
async fn is_as_nothing_below(step: &Step, caller: &Caller, names: &[String], nothing: &[String], version: &str) -> usize {
    let (unseen, never) = (asked(step, &caller.app, names, version).await, asked(step, &caller.app, nothing, version).await);
    for (unseen, never) in unseen.iter().zip(&never) {
        let is_out_of_reach = step.writes() && unseen.status == 403;
        assert!(is_out_of_reach || unseen.status == 404, "{}, {}: {}", caller.name, unseen.what, unseen.text);
        same_but_request_id(unseen, never);
    }
    unseen.len()
}

fn version(row: &Row) -> String {
    format!("\"{}\"", row.record["version"].as_i64().unwrap_or(1))
}

async fn the_unseen_is_not_found_by_any_operation(world: World) {
    let before = world.events().await;
    let mut walked = 0;
    for step in Step::all() {
        let places = step.places();
        // By another system's name: what exists is as unknown as what does not; only who would make it learns that the name is taken.
        if step.has("external_id") && step.path.contains("{external_id}") {
            let list = step.path.split("/by-external-id").next().unwrap();
            if !bound(lists()[list]) {
                continue;
            }
            for caller in &world.callers {
                let (_, unseen) = world.parted(caller, list);
                let row = unseen.iter().find(|row| World::named(row).is_some()).unwrap_or_else(|| panic!("nothing is named at {list}"));
                let (names, nothing) = (World::named(row).unwrap(), vec!["express".to_owned(), random_id()]);
                if step.method == "get" {
                    walked += is_as_nothing(&step, caller, &names, &nothing, &version(row)).await;
                } else {
                    let body = step.body(&BTreeMap::new());
                    let ask = || step.ask_for(&caller.app, &names, "", body.as_ref());
                    same_but_request_id(&ask().await.refused(404, "not_found"), &ask().header("if-none-match", "*").await);
                    walked += 2;
                }
            }
            continue;
        }
        if step.path.ends_with("/by-number/{number}") {
            let list = step.path.split("/by-number").next().unwrap();
            for caller in &world.callers {
                let (_, unseen) = world.parted(caller, list);
                let row = unseen.first().unwrap_or_else(|| panic!("nothing unseen at {list}"));
                let names = vec![row.record["number"].as_str().unwrap().to_owned()];
                walked += is_as_nothing(&step, caller, &names, &["XX-999999".to_owned()], &version(row)).await;
            }
            continue;
        }
        // The last id in the path, and the records above it.
        let Some(list) = places.last().copied().flatten() else { continue };
        if !bound(lists()[list]) && lists()[list].subject().is_none() {
            continue;
        }
        for caller in &world.callers {
            let (seen, unseen) = world.parted(caller, list);
            let row = unseen.first().unwrap_or_else(|| panic!("{} sees everything at {list}", caller.name));
            let nothing: Vec<String> = row.ids.iter().map(|_| random_id()).collect();
            walked += is_as_nothing(&step, caller, &row.ids, &nothing, &version(row)).await;
            if let [_, .., own] = row.ids.as_slice() {
                // Nor through somebody else's parent.
                let parent = seen.first().map_or_else(|| panic!("nothing seen at {list}"), |seen| &seen.ids[..seen.ids.len() - 1]);
                let through = |own: &str| parent.iter().cloned().chain([own.to_owned()]).collect::<Vec<_>>();
                walked += is_as_nothing_below(&step, caller, &through(own), &through(&random_id()), &version(row)).await;
            }
        }
    }
    assert!(walked > 1000, "{walked}");
    assert_eq!(world.events().await, before, "nothing was written");
}

async fn what_is_unseen_and_deleted_is_not_brought_back(world: World) {
    let mut walked = 0;
    for restore in Step::all().into_iter().filter(|s| s.path.ends_with("/restore")) {
        let list = restore.places().last().copied().flatten().unwrap();
        if !bound(lists()[list]) && lists()[list].subject().is_none() {
            continue;
        }
        let path = restore.path.trim_end_matches("/restore");
        let (get, delete) = (Step::at("get", path).unwrap(), Step::at("delete", path).unwrap());
        let seers = |row: &Row| world.callers.iter().filter(|caller| world.shows(caller, lists()[list], &row.record)).count();
        let mut rows: Vec<&Row> = world.rows[list].iter().collect();
        rows.sort_by_key(|row| seers(row));
        let mut gone = None;
        for row in rows {
            let request = delete.ask_for(&world.app, &row.ids, "", None).header("if-match", &version(row));
            if request.await.status == 204 {
                gone = Some(row);
                break;
            }
        }
        let row = gone.unwrap_or_else(|| panic!("nothing can be deleted at {list}"));
        let nothing: Vec<String> = row.ids.iter().map(|_| random_id()).collect();
        assert!(seers(row) < world.callers.len(), "{list}");
        for caller in world.callers.iter().filter(|caller| !world.shows(caller, lists()[list], &row.record)) {
            for step in [&restore, &get, &delete] {
                walked += is_as_nothing(step, caller, &row.ids, &nothing, &version(row)).await;
            }
        }
        let back = restore.ask_for(&world.app, &row.ids, "", None).await.is(200);
        assert_eq!(back["id"], row.record["id"]);
    }
    assert!(walked > 100, "{walked}");
}

async fn what_is_seen_and_out_of_reach_is_forbidden(world: World) {
    let reader = world.app.person(&["*:read/all", "*:*/own"], &[], &[]).await.app;
    let before = world.events().await;
    let mut walked = 0;
    for step in Step::all().into_iter().filter(Step::writes) {
        let Some(list) = step.places().last().copied().flatten() else { continue };
        let permission = step.permission().unwrap();
        // What is asked of somebody else's record, or of what is its own part; not what is made of it for oneself.
        let owner = step.places()[0].map(|list| lists()[list]).unwrap();
        if !owner.owned || !permission.starts_with(&format!("{}:", owner.path)) || permission.ends_with(":create") {
            continue;
        }
        let row = &world.rows[list][0];
        for (query, headers) in ways(&step, &version(row)) {
            let request = step.ask_for(&reader, &row.ids, &query, step.body(&BTreeMap::new()).as_ref());
            let answer = headers.iter().fold(request, |request, (name, value)| request.header(name, value)).await;
            assert_eq!(answer.refused(403, "forbidden")["allowed"], json!([permission]), "{}", step.id);
            walked += 1;
        }
    }
    assert!(walked > 80, "{walked}");
    assert_eq!(world.events().await, before, "nothing was written");
    for (path, shape) in lists().iter().filter(|(_, shape)| shape.owned && shape.status.is_some()) {
        for record in reader.all(path, 200).await {
            assert_eq!(record["available_actions"], json!([]), "{path} of {}", shape.plural);
        }
    }
}

async fn nobody_is_told_the_answer_to_somebody_elses_request(world: World) {
    let unseen = world.unseen_by_all("/v1/accounts");
    let (path, key) = (format!("/v1/accounts/{}", unseen[0].id()), random_id());
    let ask = |app: &App| app.patch(&path, json!({"grade": "D"})).key(&key);
    ask(&world.app).await.is(200);
    assert_eq!(ask(&world.app).await.is(200).header("idempotency-replayed"), "true");
    for caller in &world.callers {
        let answer = ask(&caller.app).await.refused(404, "not_found");
        assert_eq!(answer.header("idempotency-replayed"), "");
    }
}
