//! What a caller does not see cannot be named in what he sends, either: it is refused as what never was.

use super::{
    bodies::{named_in, put, smallest},
    step::{Step, lists, schema, shapes},
    world::{Caller, Row, World, bound, list_of},
};
use crate::support::*;
use samphan_resource::reference::AnyReference;
use std::collections::{BTreeMap, BTreeSet};

crate::in_worlds_on_both![
    the_unseen_is_refused_wherever_a_body_names_it,
    batches_do_not_find_the_unseen,
    what_holds_a_unique_value_is_named_to_whoever_sees_it,
];

/// For each resource a record that the caller sees; of accounts one that is not blocked, which is refused before anything else is looked at.
fn seen_records(world: &World, caller: &Caller) -> BTreeMap<&'static str, String> {
    let is_free = |row: &&&Row| row.record["lifecycle_stage"] != "blocked";
    let of = |path: &&'static str| world.parted(caller, path).0.iter().find(is_free).map(|row| row.id().to_owned());
    lists().iter().filter(|(p, _)| !p.contains('{')).filter_map(|(path, shape)| Some((shape.plural, of(path)?))).collect()
}

/// A record of a resource that a caller does not see, and that what he changes does not name as it is.
fn unseen_record(world: &World, caller: &Caller, many: &str, named: &Value) -> String {
    let (_, unseen) = world.parted(caller, list_of(shapes()[many]).unwrap());
    unseen.into_iter().find(|row| *named != row.id()).unwrap().id().to_owned()
}

/// What is answered, without what differs from request to request.
fn said(answer: &Answer) -> (u16, Value) {
    fn bare(value: &mut Value) {
        match value {
            Value::Object(map) => {
                map.remove("request_id");
                map.values_mut().for_each(bare);
            }
            Value::Array(all) => all.iter_mut().for_each(bare),
            _ => {}
        }
    }
    let mut body = answer.body.clone();
    bare(&mut body);
    (answer.status, body)
}

/// Insists on the same refusal of the one and the other; says whether it was because there is no such record.
fn refused_alike(caller: &Caller, unseen: &Answer, never: &Answer) -> bool {
    assert_eq!(said(unseen), said(never), "{}: {}", caller.name, unseen.what);
    let failed = unseen["results"][0]["status"] == "failed";
    assert!(unseen.status >= 400 || failed, "{}: {} {}", caller.name, unseen.what, unseen.text);
    unseen.text.contains("unknown_reference") || unseen.text.contains("not_found")
}

/// What an operation can be asked of, of what the caller sees: nothing where it names nothing.
fn visible(world: &World, caller: &Caller, step: &Step) -> Vec<Row> {
    if !step.path.contains('{') {
        return vec![Row { ids: vec![], record: json!(null) }];
    }
    let Some(list) = step.places().last().copied().flatten() else { return vec![] };
    world.parted(caller, list).0.into_iter().cloned().collect()
}

async fn the_unseen_is_refused_wherever_a_body_names_it(world: World) {
    let before = world.events().await;
    let (mut wanted, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for step in Step::all() {
        let Some(taken) = step.taken() else { continue };
        let is_batch = taken["properties"].get("mode").is_some();
        for (pointer, many) in named_in(taken).into_iter().filter(|(_, many)| bound(shapes()[many])) {
            // What a batch's items are is what its mode makes of them: they have a walk of their own.
            if is_batch || step.path.contains("{external_id}") {
                continue;
            }
            wanted.insert((step.id, pointer.clone()));
            for caller in world.principals() {
                let records = seen_records(&world, caller);
                for row in visible(&world, caller, &step) {
                    let unseen = unseen_record(&world, caller, many, &row.record[&pointer[1..]]);
                    let version = format!("\"{}\"", row.record["version"]);
                    let ask = |id: String| {
                        let mut body = smallest(taken, &records);
                        put(&mut body, taken, &pointer, json!(id), &records);
                        let query = if step.writes() { "dry_run=true" } else { "" };
                        let request = step.ask_for(&caller.app, &row.ids, query, Some(&body));
                        if step.has("if-match") { request.header("if-match", &version) } else { request }
                    };
                    let never = ask(random_id()).await;
                    let found = refused_alike(caller, &ask(unseen).await, &never);
                    // What cannot be changed to anything is refused whatever it is.
                    let fixed = step.method == "patch" && said(&ask(records[many].clone()).await) == said(&never);
                    if found || fixed {
                        refused.insert((step.id, pointer.clone()));
                    }
                }
            }
        }
    }
    for (path, shape) in lists() {
        let Some(create) = Step::at("post", path).filter(|create| create.taken().is_some()) else { continue };
        let by_clients = shape.any_references.iter().filter(|any| shape.field(any.id).is_some_and(|f| !f.read_only));
        let bound = |many: &'static str| bound(shapes()[many]) && list_of(shapes()[many]).is_some();
        let targets = |any: &AnyReference| any.targets.names(shapes().values()).into_iter().filter(|many| bound(many));
        for (any, many) in by_clients.flat_map(|any| targets(any).map(move |many| (any, many))) {
            for caller in world.principals() {
                let records = seen_records(&world, caller);
                let ask = |about: String| {
                    let mut body = smallest(create.taken().unwrap(), &records);
                    body[any.resource] = json!(many);
                    body[any.id] = json!(about);
                    create.ask_for(&caller.app, &[], "dry_run=true", Some(&body))
                };
                let never = ask(random_id()).await;
                never.fault(&format!("/{}", any.id), "unknown_reference");
                wanted.insert((create.id, many.to_owned()));
                if refused_alike(caller, &ask(unseen_record(&world, caller, many, &json!(null))).await, &never) {
                    refused.insert((create.id, many.to_owned()));
                }
            }
        }
    }
    let missed: Vec<_> = wanted.difference(&refused).collect();
    assert!(missed.is_empty() && wanted.len() > 10, "never refused for what they name: {missed:?}");
    assert_eq!(world.events().await, before, "nothing was written");
}

async fn batches_do_not_find_the_unseen(world: World) {
    let before = world.events().await;
    let (mut walked, mut named) = (0, BTreeSet::new());
    for step in Step::all().into_iter().filter(|s| s.taken().is_some_and(|t| t["properties"].get("mode").is_some())) {
        let base = step.path.strip_suffix("/batch").unwrap();
        if lists().get(base).is_none_or(|s| !bound(s) && s.subject().is_none()) {
            continue;
        }
        let create = Step::at("post", base).unwrap();
        let item_schema = create.taken().unwrap();
        for caller in world.principals() {
            let records = seen_records(&world, caller);
            let (all_seen, unseen) = world.parted(caller, base);
            let mut reached = None;
            for row in &all_seen {
                // A parent that is seen may be out of reach for a write.
                let (parent, probe) = (&row.ids[..row.ids.len() - 1], json!({"mode": "update", "items": [{"id": random_id()}]}));
                if parent.is_empty() || step.ask_for(&caller.app, parent, "", Some(&probe)).await.status == 200 {
                    reached = Some(*row);
                    break;
                }
            }
            let (Some(seen), Some(unseen)) = (reached, unseen.first()) else {
                panic!("{} sees {} and does not see {} of {base}", caller.name, all_seen.len(), unseen.len())
            };
            let parent: Vec<String> = seen.ids[..seen.ids.len() - 1].to_vec();
            let ask = |body: Value| step.ask_for(&caller.app, &parent, "", Some(&body));
            for mode in ["update", "delete"] {
                for atomic in [false, true] {
                    let by = |id: &str| ask(json!({"mode": mode, "atomic": atomic, "items": [{"id": id}]}));
                    assert!(refused_alike(caller, &by(unseen.id()).await, &by(&random_id()).await));
                }
            }
            // Who would make it with an id of his own choice learns that it is taken, and no more.
            let mut whole = smallest(item_schema, &records);
            whole["id"] = json!(unseen.id());
            for mode in ["create", "upsert"] {
                let taken = ask(json!({"mode": mode, "items": [whole]})).await.is(200);
                assert_eq!(
                    (&taken["results"][0]["status"], &taken["results"][0]["id"]),
                    (&json!("failed"), &json!(null)),
                    "{}",
                    taken.text
                );
                assert!(taken["results"][0]["error"].get("conflicts").is_none_or(|c| *c == json!([])), "{}: {}", caller.name, taken.text);
            }
            let named_by_others = world.parted(caller, base).1.into_iter().find_map(World::named);
            if let Some([system, name]) = named_by_others.as_deref() {
                let by = |mode: &str, name: &str| {
                    ask(json!({"mode": mode, "match_on": format!("external_id:{system}"), "items": [{"external_id": name}]}))
                };
                for mode in ["update", "delete"] {
                    let (unseen, mut never) = (by(mode, name).await, by(mode, &"x".repeat(name.len())).await);
                    never.body["results"][0]["external_id"] = json!(name);
                    assert!(refused_alike(caller, &unseen, &never));
                }
                let upsert = by("upsert", name).await.is(200);
                assert_eq!(upsert["results"][0]["error"]["code"], "not_found", "{}: {}", caller.name, upsert.text);
            }
            for (pointer, many) in named_in(item_schema).into_iter().filter(|(_, many)| bound(shapes()[many])) {
                let item = |id: String| {
                    let mut item = smallest(item_schema, &records);
                    put(&mut item, item_schema, &pointer, json!(id), &records);
                    item
                };
                let hidden = unseen_record(&world, caller, many, &seen.record[&pointer[1..]]);
                let make = |id: String| ask(json!({"mode": "create", "items": [item(id)]}));
                if refused_alike(caller, &make(hidden.clone()).await, &make(random_id()).await) {
                    named.insert((step.id, pointer.clone()));
                }
                let change = |id: String| {
                    let mut item = json!({"id": seen.id()});
                    put(&mut item, item_schema, &pointer, json!(id), &records);
                    ask(json!({"mode": "update", "items": [item]}))
                };
                refused_alike(caller, &change(hidden).await, &change(random_id()).await);
            }
            walked += 1;
        }
    }
    assert!(walked >= 9 * world.principals().len() && named.len() > 4, "{walked} {named:?}");
    assert_eq!(world.events().await, before, "nothing was written");
}

async fn what_holds_a_unique_value_is_named_to_whoever_sees_it(world: World) {
    let mut walked = 0;
    for create in Step::all().into_iter().filter(|s| s.method == "post" && lists().contains_key(s.path)) {
        let shape = lists()[create.path];
        let Some(taken) = create.taken().filter(|_| bound(shape) || shape.subject().is_some()) else { continue };
        for caller in world.principals() {
            let records = seen_records(&world, caller);
            let (seen, unseen) = world.parted(caller, create.path);
            assert!(!seen.is_empty(), "{} sees nothing of {}, where there are {}", caller.name, create.path, unseen.len());
            let parent = &seen[0].ids[..seen[0].ids.len() - 1];
            let mut body = smallest(taken, &records);
            // An id of one's own choice.
            if schema(taken)["properties"].get("id").is_some() && shape.subject().is_none() {
                for (row, conflicts) in [(unseen[0], 0), (seen[0], 1)] {
                    body["id"] = json!(row.id());
                    let answer = create.ask_for(&caller.app, parent, "", Some(&body)).await;
                    if answer.status == 409 {
                        let answer = answer.refused(409, "already_exists");
                        assert_eq!(answer["conflicts"].as_array().map_or(0, Vec::len), conflicts, "{}: {}", caller.name, answer.text);
                        walked += 1;
                    }
                }
            }
            // A value of somebody else's record, of what is about records: about one's own instead.
            let Some(AnyReference { resource, id, .. }) = shape.subject() else { continue };
            for set in shape.unique {
                let own = seen[0];
                for (row, conflicts) in [(unseen[0], 0), (own, 1)] {
                    let mut body = smallest(taken, &records);
                    for field in *set {
                        body[field] = row.record[field].clone();
                    }
                    let about = seen.iter().find(|r| r.record[resource] == row.record[resource]).unwrap();
                    body[id] = about.record[id].clone();
                    let answer = create.ask_for(&caller.app, parent, "", Some(&body)).await.refused(409, "already_exists");
                    assert_eq!(answer["conflicts"].as_array().map_or(0, Vec::len), conflicts, "{}: {}", caller.name, answer.text);
                    walked += 1;
                }
            }
        }
    }
    assert!(walked > 20, "{walked}");
}
