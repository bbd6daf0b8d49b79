//! What the document names is enough: with an operation's own permission and those it needs beside it, and no other, a machine is
//! answered as the administrator is.

use super::{
    step::{Step, lists, shapes},
    world::{Row, World},
};
use crate::support::*;
use std::collections::BTreeMap;

crate::in_worlds_on_both![a_key_with_what_the_document_names_is_answered_as_the_administrator];

/// The records an operation can be asked of, by its path or by another system's name: the first few of its list, and the permission to
/// read what a record is about.
fn rows(world: &World, step: &Step) -> Vec<(Vec<String>, Option<String>)> {
    if !step.path.contains('{') {
        return vec![(vec![], None)];
    }
    if let Some((list, _)) = step.path.split_once("/by-external-id") {
        return world.rows[list].iter().filter_map(World::named).map(|names| (names, None)).take(2).collect();
    }
    let Some(list) = step.places().last().copied().flatten() else { return vec![] };
    // Of different states, so that actions find one they are for.
    let mut by_state: BTreeMap<String, &Row> = BTreeMap::new();
    for row in &world.rows[list] {
        by_state.entry(row.record["status"].to_string()).or_insert(row);
    }
    let about = |row: &Row| {
        let resource = lists()[list].subject()?.resource;
        Some(shapes()[row.record[resource].as_str()?].permission("read"))
    };
    by_state.into_values().map(|row| (row.ids.clone(), about(row))).collect()
}

/// Whether it was refused because somebody with fewer rights would hand over more: no permission of an operation helps with that.
fn hands_over_rights(answer: &Answer) -> bool {
    answer.text.contains("beyond_own_rights") || answer.status == 403 && answer["allowed"] == json!([])
}

async fn a_key_with_what_the_document_names_is_answered_as_the_administrator(world: World) {
    let of = |path: &&'static str| world.rows[*path].first().map(|row| row.id().to_owned());
    let records: BTreeMap<&'static str, String> =
        lists().iter().filter(|(path, _)| !path.contains('{')).filter_map(|(path, shape)| Some((shape.plural, of(path)?))).collect();
    let role = world.app.role(&["*:*/all"], &[]).await;
    let mut keys: BTreeMap<Vec<String>, App> = BTreeMap::new();
    let (mut walked, mut different) = (0, vec![]);
    for step in Step::all() {
        let Some(own) = step.permission() else { continue };
        // What lasts is no answer to compare, and what writes is only tried.
        if step.path.ends_with("/stream") || step.method != "get" && !step.writes() && !step.path.ends_with("/search") {
            continue;
        }
        let body = step.body(&records);
        for (names, about) in rows(&world, &step) {
            let mut scopes: Vec<String> = step.also_needs().chain([own]).map(str::to_owned).chain(about).collect();
            scopes.sort_unstable();
            scopes.dedup();
            if !keys.contains_key(&scopes) {
                let made = world.app.post("/v1/api-keys", json!({"name": "K", "role_ids": [role], "scopes": scopes})).await.is(201);
                keys.insert(scopes.clone(), world.app.as_(&made.text_of("token")));
            }
            let ask = |app: &App| {
                let request = step.ask_for(app, &names, if step.writes() { "dry_run=true" } else { "" }, body.as_ref());
                if step.has("if-match") { request.header("if-match", "*") } else { request }
            };
            let (all, enough) = (ask(&world.app).await, ask(&keys[&scopes]).await);
            if all.status != enough.status && !hands_over_rights(&enough) {
                different.push(format!("{}: {} with all rights, {} with {scopes:?}: {}", step.id, all.status, enough.status, enough.text));
            }
            walked += 1;
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert!(walked > 200, "{walked}");
}
