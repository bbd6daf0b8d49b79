//! What a caller does not see is nowhere: in no list, count, search, lookup, expanded reference, feed, stream, webhook, export or audit.

use super::{
    step::{Step, lists, shapes},
    world::{Caller, Row, World, bound, list_of, parents, references, text},
};
use crate::support::{
    events::Stream,
    receiver::{Receiver, endpoint, local},
    *,
};
use samphan_resource::{
    resource::VisibleThrough,
    shape::{Field, Shape, Sorting},
};
use std::collections::BTreeSet;

crate::in_worlds_on_both![
    lists_have_just_what_is_seen,
    nothing_unseen_is_found,
    nothing_is_seen_through_a_reference,
    what_a_reference_of_any_resource_names_is_answered_to_who_sees_it,
    the_feed_and_the_audit_tell_just_of_what_is_seen,
    webhooks_tell_just_of_what_is_seen
];

/// A filter of the filter language, as a query parameter says it.
fn filter(field: &str, op: &str, value: &Value) -> String {
    format!("filter={}", encoded(&json!({"field": field, "op": op, "value": value}).to_string()))
}

fn ids_of(rows: &[&Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.id().to_owned()).collect()
}

/// All the ids of a list, and what it says of their number.
async fn listed(app: &App, path: &str, query: &str) -> BTreeSet<String> {
    let sign = if query.is_empty() { "" } else { "&" };
    let path = format!("{path}?{query}{sign}count=exact");
    let first = app.get(&format!("{path}&limit=200")).await.is(200);
    let found = if first["has_more"] == true { app.all(&path, 200).await } else { first["data"].as_array().unwrap().clone() };
    assert_eq!(first["total"], found.len(), "{path}");
    found.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

/// The fields a resource can be filtered by, with a value of this record.
fn filtered<'a>(shape: &'static Shape, row: &'a Row) -> impl Iterator<Item = (&'static str, &'a Value)> {
    let fields = shape.fields.iter().filter(|f| f.filter && f.name != "owner_id" && f.name != "team_id");
    fields.map(|f| (f.name, &row.record[f.name])).filter(|(name, _)| text(&row.record, name).is_some())
}

/// Whether the path of a list says it already: then no parameter does.
fn is_in(path: &str, shape: &Shape, field: &str) -> bool {
    parents(shape).any(|(name, other)| name == field && path.starts_with(&format!("/v1/{}/", other.plural.replace('_', "-"))))
}

/// The lists of a caller, each with what is in it: those below parents he sees, too.
fn within<'a>(world: &'a World, caller: &Caller) -> Vec<(&'static Shape, String, Vec<&'a Row>, Vec<&'a Row>)> {
    let mut all = vec![];
    for (path, shape) in lists() {
        let (seen, unseen) = world.parted(caller, path);
        let step = Step::at("get", path).unwrap();
        if !path.contains('{') {
            all.push((*shape, (*path).to_owned(), seen, unseen));
        } else if bound(shape) {
            let parent = seen.first().unwrap_or_else(|| panic!("{} sees nothing at {path}", caller.name)).ids[0].clone();
            let (below, aside): (Vec<&Row>, Vec<&Row>) = seen.into_iter().partition(|row| row.ids[0] == parent);
            all.push((*shape, step.filled(&[parent]), below, [aside, unseen].concat()));
        }
    }
    all
}

async fn lists_have_just_what_is_seen(world: World) {
    let (mut hidden, mut kept, mut exported) = (0, 0, 0);
    for caller in world.principals() {
        for (shape, path, seen, unseen) in within(&world, caller) {
            let whole = ids_of(&seen);
            hidden += unseen.len();
            if shape.plural == "audit_events" {
                // As long as the feed: it is held against that.
                continue;
            }
            kept += seen.len();
            assert_eq!(listed(&caller.app, &path, "").await, whole, "{}: {path}", caller.name);
            let export = format!("{path}/export");
            if Step::at("get", &export).is_some() {
                let rows = caller.app.get(&export).await.is(200).rows();
                assert_eq!(rows.iter().map(|row| row["id"].clone()).collect::<BTreeSet<_>>(), whole, "{}: {export}", caller.name);
                exported += rows.len();
            }
            if !bound(shape) && shape.subject().is_none() {
                continue;
            }
            for field in shape.fields.iter().filter(|f| f.sorting != Sorting::No) {
                for sign in ["", "-"] {
                    let found = listed(&caller.app, &path, &format!("sort={sign}{}", field.name)).await;
                    assert_eq!(found, whole, "{}: {path} by {}", caller.name, field.name);
                }
            }
            let search = format!("{path}/search");
            if Step::at("post", &search).is_some() {
                let found = caller.app.post(&search, json!({"limit": 200, "count": "exact"})).await.is(200);
                assert_eq!(found["total"], whole.len(), "{}: {search}", caller.name);
                assert!(ids(&found).iter().all(|id| whole.contains(id)), "{}: {search}", caller.name);
            }
        }
    }
    assert!(exported > 80, "{exported}");
    assert!(hidden > 1000 && kept > 80, "{hidden} {kept}");
}

async fn nothing_unseen_is_found(world: World) {
    let (mut asked, mut looked_up) = (0, 0);
    for caller in world.principals() {
        for (shape, path, seen, unseen) in within(&world, caller) {
            let Some(row) = unseen.first() else { continue };
            let whole = ids_of(&seen);
            for (field, value) in filtered(shape, row) {
                let plain = format!("{field}={}", encoded(&text(&row.record, field).unwrap()));
                let plain = Some(plain).filter(|_| !is_in(&path, shape, field));
                for query in plain.into_iter().chain([filter(field, "eq", value)]) {
                    let found = listed(&caller.app, &path, &query).await;
                    let wanted: Vec<&Row> = seen.iter().copied().filter(|r| r.record[field] == *value).collect();
                    assert!(found.is_subset(&whole) && found.is_superset(&ids_of(&wanted)), "{}: {path}?{query}", caller.name);
                    asked += 1;
                }
            }
            let Some(words) = text(&row.record, shape.title).filter(|_| shape.fields.iter().any(|f| f.searched)) else { continue };
            let q = format!("q={}", encoded(&words));
            assert!(listed(&caller.app, &path, &q).await.is_subset(&whole), "{}: {path}?{q}", caller.name);
            if shape.parents.is_empty() {
                let everywhere = format!("/v1/search?limit=200&resources={}&{q}", shape.plural);
                let hit = |page: &Value| ids(page).contains(&row.id().to_owned());
                assert!(hit(&world.app.get(&everywhere).await.is(200)), "{everywhere}");
                let found = caller.app.get(&everywhere).await.is(200);
                assert!(!hit(&found) && ids(&found).iter().all(|id| whole.contains(id)), "{}: {everywhere}", caller.name);
            }
            asked += 2;
        }
        for (key, value) in telling(&world, caller) {
            let path = format!("/v1/lookup?{key}={}", encoded(&value));
            assert_ne!(world.app.get(&path).await.is(200)["matches"], json!([]), "{path}");
            for found in caller.app.get(&path).await.is(200)["matches"].as_array().unwrap() {
                let named = ["id", "account_id"].iter().filter_map(|f| found[f].as_str());
                assert!(named.into_iter().all(|id| caller.sees(id)), "{}: {path} {found}", caller.name);
            }
            looked_up += 1;
        }
    }
    assert!(asked > 300 && looked_up >= 5 * world.principals().len(), "{asked} {looked_up}");
}

/// What tells whose it is, of customers a caller does not see: for the lookup.
fn telling(world: &World, caller: &Caller) -> Vec<(&'static str, String)> {
    let mut all = vec![];
    for (path, shape) in lists() {
        let (_, unseen) = world.parted(caller, path);
        let first =
            |field: &str, fits: &dyn Fn(&Value) -> bool| unseen.iter().find(|r| fits(&r.record)).and_then(|r| text(&r.record, field));
        match shape.plural {
            "accounts" => all.extend(first("tax_id", &|r| r["tax_id"].is_string()).map(|v| ("tax_id", v))),
            "contact_points" => {
                all.extend(first("raw", &|r| r["kind"] == "phone" || r["kind"] == "mobile").map(|v| ("phone", v)));
                all.extend(first("raw", &|r| r["kind"] == "email").map(|v| ("email", v)));
            }
            "external_references" => {
                for resource in ["accounts", "contacts"] {
                    all.extend(first("external_id", &|r| r["resource"] == resource).map(|v| ("external_id", v)));
                }
            }
            _ => {}
        }
    }
    all
}

/// The resource of the parent that a way names.
fn way_up(shape: &Shape, way: VisibleThrough) -> Option<&'static str> {
    match way {
        VisibleThrough::Parent(field) => shape.field(field)?.reference,
        _ => None,
    }
}

async fn nothing_is_seen_through_a_reference(world: World) {
    let (mut expanded, mut asked) = (BTreeSet::new(), 0);
    for caller in world.principals() {
        for (shape, path, seen, _) in within(&world, caller).into_iter().filter(|(s, ..)| bound(s)) {
            for (field, other) in references(shape).filter(|(_, other)| bound(other)) {
                let name = field.name.trim_end_matches("_id");
                let points = |row: &&&Row| row.record[field.name].as_str().is_some_and(|id| !caller.sees(id));
                let Some(row) = seen.iter().find(points) else { continue };
                let target = row.record[field.name].as_str().unwrap();
                let own = format!("{path}/{}", row.id());
                let one = caller.app.get(&format!("{own}?expand={name}")).await.is(200);
                assert_eq!(one["expanded"], json!({name: null}), "{}: {}", caller.name, one.what);
                let all = caller.app.get(&format!("{path}?expand={name}&limit=200")).await.is(200);
                for record in all["data"].as_array().unwrap() {
                    let to = record["expanded"][name]["id"].as_str();
                    assert!(to.is_none_or(|id| caller.sees(id)), "{}: {}", caller.name, all.what);
                }
                expanded.insert((shape.plural, field.name));
                let Some(hidden) = world.rows[list_of(other).unwrap()].iter().find(|r| r.id() == target) else { continue };
                for (far, value) in filtered(other, hidden) {
                    let through = format!("{name}.{far}");
                    let there = async |query: String| listed(&caller.app, &path, &query).await.contains(row.id());
                    assert!(!there(filter(&through, "eq", value)).await, "{}: {path} {through}", caller.name);
                    // Of what is not seen nothing is known: it is as if there were nothing.
                    let none = json!({"none": [{"field": through, "op": "eq", "value": value}]});
                    assert!(there(format!("filter={}", encoded(&none.to_string()))).await, "{}: {path} not {through}", caller.name);
                    assert!(there(filter(&through, "is_null", &json!(true))).await, "{}: {path} no {through}", caller.name);
                    asked += 3;
                }
            }
        }
    }
    // Every reference to what is bound, of every resource that is; but for those that lend the sight itself.
    let all: BTreeSet<_> = lists()
        .values()
        .filter(|s| bound(s))
        .flat_map(|s| {
            // What is seen with its account alone points at no document of that account that is not seen with it, either.
            let above = |shape: &Shape| -> Vec<Option<&str>> { shape.visible_through.iter().map(|way| way_up(shape, *way)).collect() };
            let lends = move |f: &Field, other: &Shape| {
                let same = above(s).into_iter().all(|many| many.is_some() && above(other).contains(&many));
                same || s.parents.contains(&f.name) || other.visible_through.contains(&VisibleThrough::Linked(s.plural, f.name))
            };
            references(s).filter(move |(f, other)| bound(other) && !lends(f, other)).map(|(f, _)| (s.plural, f.name))
        })
        .collect();
    let missed: Vec<_> = all.difference(&expanded).collect();
    assert!(missed.is_empty(), "no record that is seen points at one that is not: {missed:?}");
    assert!(asked > 50, "{asked}");
}

/// What a record names by resource and id is expanded for callers who see it, and null for those who do not.
async fn what_a_reference_of_any_resource_names_is_answered_to_who_sees_it(world: World) {
    let (mut expanded, mut hidden) = (BTreeSet::new(), BTreeSet::new());
    for caller in world.principals() {
        for (shape, path, seen, _) in within(&world, caller).into_iter().filter(|(s, ..)| !s.any_references.is_empty()) {
            // The audit is as long as the feed.
            let rows = &seen[..seen.len().min(500)];
            for any in shape.any_references {
                let named: Vec<&&Row> = rows.iter().filter(|row| row.record[any.id].is_string()).collect();
                for some in named.chunks(100) {
                    let ids: Vec<&str> = some.iter().map(|row| row.id()).collect();
                    let answer = caller.app.get(&format!("{path}?limit=200&expand={}&id={}", any.name(), ids.join(","))).await.is(200);
                    assert_eq!(answer["data"].as_array().unwrap().len(), some.len(), "{}", answer.what);
                    for record in answer["data"].as_array().unwrap() {
                        let (other, of) = (&record["expanded"][any.name()], shapes()[record[any.resource].as_str().unwrap()]);
                        let id = record[any.id].as_str().unwrap();
                        if !world.tells(caller, of, id) {
                            assert_eq!(*other, json!(null), "{}: {} {id}", caller.name, of.plural);
                            hidden.insert(shape.plural);
                        } else if !other.is_null() {
                            assert_eq!(other["id"], id);
                            expanded.insert(shape.plural);
                        }
                    }
                }
            }
        }
    }
    let all = lists().values().filter(|s| !s.any_references.is_empty()).map(|s| s.plural).collect::<BTreeSet<_>>();
    let lends: BTreeSet<_> = lists().values().filter(|s| s.subject().is_some()).map(|s| s.plural).collect();
    assert_eq!(expanded, all);
    assert_eq!(hidden, all.difference(&lends).copied().collect(), "what lends its visibility is never hidden");
}

/// Whether a caller is told of an event.
fn told(world: &World, caller: &Caller, event: &Value) -> bool {
    world.tells(caller, shapes()[event["resource"].as_str().unwrap()], event["resource_id"].as_str().unwrap())
}

async fn the_feed_and_the_audit_tell_just_of_what_is_seen(world: World) {
    for caller in &world.callers {
        let wanted: Vec<&Value> = world.feed.iter().filter(|e| told(&world, caller, e)).collect();
        let kinds = |all: &[&Value]| all.iter().map(|e| e["resource"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
        let of_children: Vec<&Value> =
            wanted.iter().copied().filter(|e| parents(shapes()[e["resource"].as_str().unwrap()]).any(|(_, p)| bound(p))).collect();
        assert!(kinds(&of_children).len() > 3, "{:?}", kinds(&of_children));
        assert!(wanted.len() + 500 < world.feed.len(), "most is out of sight");
        let found = caller.app.feed().await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{}", caller.name);
        let audited = listed(&caller.app, "/v1/audit-events", "").await;
        assert_eq!(audited, wanted.iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect(), "{}", caller.name);
        // Asked for by name as little as with everything else.
        let unseen = world.feed.iter().filter(|e| !told(&world, caller, e));
        let mut resources = BTreeSet::new();
        for event in unseen.filter(|e| resources.insert(e["resource"].as_str().unwrap())) {
            for (field, value) in [("resource_id", &event["resource_id"]), ("id", &event["id"])] {
                let path = format!("/v1/audit-events?count=exact&{field}={}", value.as_str().unwrap());
                let page = caller.app.get(&path).await.is(200);
                assert_eq!((&page["data"], &page["total"]), (&json!([]), &json!(0)), "{}: {path}", caller.name);
            }
        }
        assert!(resources.len() > 10, "{resources:?}");
        let mut stream = Stream::of(caller.app.get("/v1/changes/stream?after=beginning")).await;
        for event in wanted {
            assert_eq!(stream.change().await["id"], event["id"], "{}", caller.name);
        }
    }
}

async fn webhooks_tell_just_of_what_is_seen(world: World) {
    local(async {
        let newest = world.feed.last().unwrap()["position"].as_i64().unwrap();
        let (first, rest) = world.feed.split_first().unwrap();
        for caller in &world.callers {
            let mut receiver = Receiver::start().await;
            let (id, _) = endpoint(&caller.app, &receiver, json!({"event_types": ["*"]})).await;
            caller.app.post(&format!("/v1/webhook-endpoints/{id}/replay"), json!({"after": first["cursor"]})).await.is(200);
            let last = caller.app.account("Last").await;
            let mut wanted: BTreeSet<&str> = rest.iter().filter(|e| told(&world, caller, e)).map(|e| e["id"].as_str().unwrap()).collect();
            assert!(wanted.len() > 50, "{}: {}", caller.name, wanted.len());
            // They are sent in the order of positions, some at a time: once the last is, no older one is taken up any more.
            let mut ended = false;
            while !ended || !wanted.is_empty() {
                let got = receiver.next().await;
                if got.body["position"].as_i64().unwrap() <= newest {
                    assert!(wanted.remove(got.body["id"].as_str().unwrap()), "{}: {}", caller.name, got.text);
                }
                ended |= got.body["resource_id"] == last;
            }
            caller.app.delete(&format!("/v1/webhook-endpoints/{id}")).await.is(204);
        }
    })
    .await;
}
