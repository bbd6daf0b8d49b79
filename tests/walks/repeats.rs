//! What is put twice by another system's id is changed by the first alone: the second makes no version and no event.

use super::{
    bodies::smallest,
    step::{Step, lists, schema},
    world::World,
};
use crate::support::*;
use std::collections::{BTreeMap, BTreeSet};

crate::in_worlds_on_both![record_put_twice_is_unchanged];

/// A body of an input: the smallest, with an item in every list of parts, and with what may be null as null.
fn bodies(input: &'static Value, records: &BTreeMap<&'static str, String>) -> Vec<Value> {
    let least = smallest(input, records);
    let mut whole = least.clone();
    for (name, property) in input["properties"].as_object().unwrap() {
        let property = schema(property);
        let is_nullable = property["type"].as_array().is_some_and(|all| all.contains(&json!("null")));
        if property["type"] == "array" && schema(&property["items"])["type"] == "object" {
            whole[name] = json!([smallest(&property["items"], records)]);
        } else if is_nullable && least.get(name).is_none() {
            whole[name] = json!(null);
        }
    }
    vec![least, whole]
}

async fn record_put_twice_is_unchanged(world: World) {
    let of = |path: &&'static str| world.rows[*path].first().map(|row| row.id().to_owned());
    let records: BTreeMap<&'static str, String> =
        lists().iter().filter(|(path, _)| !path.contains('{')).filter_map(|(path, shape)| Some((shape.plural, of(path)?))).collect();
    let line = world.rows["/v1/orders"].iter().find(|row| row.record["lines"][0]["id"].is_string()).unwrap();
    let (mut walked, mut refused) = (BTreeSet::new(), vec![]);
    for step in Step::all().into_iter().filter(|s| s.method == "put" && s.path.contains("{external_id}")) {
        for mut body in bodies(step.taken().unwrap(), &records) {
            for (name, value) in
                [("sku", json!("WALK-1")), ("order_id", json!(line.id())), ("order_line_id", line.record["lines"][0]["id"].clone())]
            {
                if body.get(name).is_some() {
                    body[name] = value;
                }
            }
            let path = step.path.replace("{system}", "express").replace("{external_id}", &random_id());
            let made = world.app.put(&path, body.clone()).await;
            if made.status != 201 {
                refused.push(format!("{} {}", step.id, made.text));
                continue;
            }
            let events = world.events().await;
            let again = world.app.put(&path, body).await.is(200);
            assert_eq!((again.version(), &again.body), (made.version(), &made.body), "{}", step.id);
            assert_eq!(world.events().await, events, "{}", step.id);
            walked.insert(step.id);
            // What it is called is free for the next.
            let record = format!("{}/{}", step.path.split_once("/by-external-id").unwrap().0, made.id());
            world.app.delete(&record).await.is(204);
        }
    }
    assert!(walked.len() > 9, "{walked:?}: {refused:#?}");
}
