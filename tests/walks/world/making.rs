//! How the world is made, and its callers given what they see.

use super::{Caller, Known, Row, World, bound, list_of, parents, references, sight::Records};
use crate::{
    support::*,
    walks::step::{Step, lists, shapes},
};
use samphan_persistence::{search, store::Work};
use samphan_resource::{
    scalar::{Kind, Scalar},
    shape::Shape,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use uuid::Uuid;

/// Records of each owned resource a caller is given, in different states.
const GIVEN: usize = 4;

/// What a record has: children of a resource, which point by a field at what somebody does not see, if one is named; or it points itself.
type Has = (&'static str, Option<&'static str>);

/// A world that was made, wherever its database is copied to.
#[derive(Clone)]
pub struct Made {
    /// Name, token and what is seen.
    callers: Vec<(&'static str, String, Arc<HashSet<String>>)>,
    known: Arc<Known>,
}

impl Made {
    /// The demo company with its callers: people of a short reach, a machine with a key, and the same with a token for it.
    pub async fn of(app: App) -> Self {
        app.demo_company().await;
        let people = [("a person who reaches his own", "own"), ("a person who reaches another team's", "team")];
        let mut principals = vec![];
        for (name, reach) in people {
            let team = app.team(None).await;
            let teams: &[&str] = if reach == "team" { &[&team] } else { &[] };
            let person = app.person(&[&format!("*:*/{reach}")], &[], teams).await;
            principals.push((vec![(name, person.app.token())], person.id, teams.first().map(|t| (*t).to_owned())));
        }
        let key = app.api_key(&["*:*/own"], json!({})).await.is(201);
        let credentials = json!({"grant_type": "client_credentials", "client_id": key["client_id"], "client_secret": key["client_secret"]});
        let token = app.nobody().post("/v1/oauth/token", credentials).await.is(200).text_of("access_token");
        let machine = vec![("a machine with a key", key.text_of("token")), ("a client with a token", token)];
        principals.push((machine, key.text_of("client_id"), None));

        let mut making = Making { app, rows: BTreeMap::new(), children: HashMap::new() };
        making.name_for_others().await;
        making.ask_for_persons().await;
        making.read_lists(&HashSet::new()).await;
        making.find_children().await;
        let mut given: Vec<HashSet<String>> = vec![];
        for (before, (_, id, team)) in principals.iter().enumerate() {
            let taken: HashSet<String> = given.iter().flatten().cloned().collect();
            given.push(making.give(id, team.as_deref(), &taken, principals.len() - 1 - before).await);
        }
        making.read_lists(&given.iter().flatten().cloned().collect()).await;
        let feed = making.app.feed().await;
        let known = Known { records: Records::of(&feed, &making.rows), subjects: subjects(&feed), feed, rows: making.rows };
        let mut callers = vec![];
        for ((tokens, ..), given) in principals.into_iter().zip(given) {
            let seen = Arc::new(known.records.seen_by(&given));
            callers.extend(tokens.into_iter().map(|(name, token)| (name, token, Arc::clone(&seen))));
        }
        Self { callers, known: Arc::new(known) }
    }

    /// As it is at a server on its database or a copy of it.
    pub fn at(self, app: App) -> World {
        let callers = self.callers.into_iter().map(|(name, token, seen)| Caller { name, app: app.as_(&token), seen });
        World { callers: callers.collect(), known: self.known, app }
    }
}

/// A world that is being made.
struct Making {
    app: App,
    rows: BTreeMap<&'static str, Vec<Row>>,
    /// Of each record the resources it has children of.
    children: HashMap<String, HashSet<&'static str>>,
}

impl Making {
    /// Gives another system's name to a few records of each resource that can have one and that others are kept from.
    async fn name_for_others(&self) {
        for shape in shapes().values().filter(|s| bound(s) && s.extensible && !s.nested) {
            for record in self.app.get(&format!("{}?limit=20", list_of(shape).unwrap())).await.is(200)["data"].as_array().unwrap() {
                let name = random_id().replace('-', "");
                let body = json!({"system": "express", "resource": shape.plural, "external_type": "walked", "external_id": name, "record_id": record["id"]});
                self.app.make("/v1/external-references", body).await;
            }
        }
    }

    /// Has every person ask what is held about him, so that callers have requests of persons they see, and of others.
    async fn ask_for_persons(&self) {
        for contact in self.app.all("/v1/contacts", 200).await {
            let body = json!({"kind": "access", "resource": "contacts", "record_id": contact["id"]});
            self.app.make("/v1/privacy-requests", body).await;
        }
    }

    /// Reads every list, those of children below the records named and then as far as until one is found.
    async fn read_lists(&mut self, below: &HashSet<String>) {
        self.rows.clear();
        let mut paths: Vec<&'static str> = lists().keys().copied().collect();
        paths.sort_by_key(|p| p.matches('{').count());
        for path in paths {
            let step = Step::at("get", path).unwrap();
            let parents = match step.places().last().copied().flatten() {
                None => vec![Row { ids: vec![], record: json!(null) }],
                Some(parent) => {
                    let mut all = self.rows[parent].clone();
                    all.sort_by_key(|row| !below.contains(row.id()));
                    all
                }
            };
            let mut rows: Vec<Row> = vec![];
            for parent in parents {
                // A few that nobody is given, to be kept out of sight.
                let enough = rows.iter().filter(|r| !below.contains(&r.ids[0])).count() > 3;
                if !parent.ids.is_empty() && !below.contains(parent.id()) && enough {
                    break;
                }
                let page = step.filled(&parent.ids);
                for record in self.app.all(&page, 200).await {
                    let own = record["id"].as_str().unwrap().to_owned();
                    rows.push(Row { ids: parent.ids.iter().cloned().chain([own]).collect(), record });
                }
            }
            assert!(!rows.is_empty(), "the demo company has nothing at {path}");
            self.rows.insert(path, rows);
        }
    }

    /// Finds what each record has children of: as the events say that made them, and of what has no events as the lists do.
    async fn find_children(&mut self) {
        let feed = self.app.feed().await;
        let made = feed.iter().map(|e| (shapes()[e["resource"].as_str().unwrap()], &e["after"]));
        let listed = self.rows.iter().flat_map(|(path, rows)| rows.iter().map(|row| (lists()[path], &row.record)));
        for (shape, record) in made.chain(listed) {
            for parent in parents(shape).filter_map(|(field, _)| record[field].as_str()) {
                self.children.entry(parent.to_owned()).or_default().insert(shape.plural);
            }
        }
    }

    /// Gives somebody a few records of each owned resource that are not taken: of each kind of child one that has it, if there is one that
    /// points at what he does not see where its child does, too, and some in different states. Of a kind that few have, as many are left
    /// as there are others to be given one.
    async fn give(&self, owner: &str, team: Option<&str>, taken: &HashSet<String>, others: usize) -> HashSet<String> {
        let work = self.app.work().await;
        let (mut given, mut pointed_at) = (HashSet::new(), HashSet::new());
        let points_at = |shape| references(shape).filter(|(_, other)| bound(other));
        // Those that point at others come first, so that the others can be chosen elsewhere.
        let mut owned: Vec<&'static Shape> = shapes().values().copied().filter(|s| s.owned).collect();
        owned.sort_by_key(|shape| std::cmp::Reverse(points_at(shape).count()));
        for shape in owned {
            let children = |row: &Row| self.children.get(row.id()).into_iter().flatten().copied();
            let rows: Vec<&Row> = self.rows[list_of(shape).unwrap()].iter().filter(|r| !taken.contains(r.id())).collect();
            let away = |id: &str| !given.contains(id);
            let points = |row: &Row| -> Vec<&'static str> {
                points_at(shape).map(|(f, _)| f.name).filter(|f| row.record[*f].as_str().is_some_and(away)).collect()
            };
            let kinds = |row: &Row| -> Vec<Has> {
                let (points, too) = (points(row), |child: &str, f: &str| references(shapes()[child]).any(|(other, _)| other.name == f));
                let away = |child| points.iter().filter(move |f| too(child, f)).map(move |f| (child, Some(*f)));
                points
                    .iter()
                    .map(|f| (shape.plural, Some(*f)))
                    .chain(children(row).flat_map(|child| away(child).chain([(child, None)])))
                    .collect()
            };
            let mut having: BTreeMap<Has, Vec<&Row>> = BTreeMap::new();
            rows.iter().for_each(|row| kinds(row).into_iter().for_each(|kind| having.entry(kind).or_default().push(row)));
            let mut chosen: Vec<&Row> = vec![];
            let is_chosen = |chosen: &[&Row], row: &Row| chosen.iter().any(|c| c.id() == row.id());
            let is_spare = |chosen: &[&Row], row: &Row| {
                children(row).all(|child| having[&(child, None)].iter().filter(|r| !is_chosen(chosen, r)).count() > others)
            };
            // What few have before what many have: who is given one for the first often needs none for the second.
            let mut told: HashSet<Has> = HashSet::new();
            let mut wanted: Vec<_> = having.iter().collect();
            wanted.sort_by_key(|(_, rows)| rows.len());
            for (kind, rows) in wanted {
                let new = |row: &&&Row| kinds(row).iter().filter(|kind| !told.contains(*kind)).count();
                let is_first = !told.contains(&(kind.0, None)) && kind.0 != shape.plural;
                let free = rows.iter().filter(|row| is_first || is_spare(&chosen, row));
                if let Some(row) = free
                    .max_by_key(|row| (is_spare(&chosen, row), !pointed_at.contains(row.id()), new(row)))
                    .filter(|_| !told.contains(kind))
                {
                    told.extend(kinds(row));
                    chosen.push(row);
                }
            }
            // In different states, first what is only begun: it can still be changed.
            let mut states = BTreeSet::new();
            let mut different: Vec<&Row> =
                rows.into_iter().filter(|row| shape.status.is_none_or(|s| states.insert(row.record[s].to_string()))).collect();
            different.sort_by_key(|row| shape.status.is_none_or(|s| row.record[s] != "draft"));
            for row in different.into_iter().take(GIVEN) {
                if !is_chosen(&chosen, row) && is_spare(&chosen, row) && !pointed_at.contains(row.id()) {
                    chosen.push(row);
                }
            }
            assert!(!chosen.is_empty(), "too few {}", shape.plural);
            for row in chosen {
                hand_over(&work, shape, row, owner, team).await;
                given.insert(row.id().to_owned());
                pointed_at.extend(points_at(shape).filter_map(|(f, _)| row.record[f.name].as_str()));
            }
        }
        work.commit().await.unwrap();
        given
    }
}

/// Makes a record somebody's, or his team's where he has one.
async fn hand_over(work: &Work, shape: &Shape, row: &Row, owner: &str, team: Option<&str>) {
    let uuid = |text: &str| Uuid::parse_str(text).unwrap();
    let (owner, team) = (Some(uuid(owner)).filter(|_| team.is_none()), team.map(uuid));
    let or_null = |id: Option<Uuid>| id.map_or(Scalar::Null, Scalar::Id);
    let mut sql = work.sql();
    sql.push("UPDATE ").push(shape.plural).push(" SET owner_id = ").bind(Kind::Id, or_null(owner));
    sql.push(", team_id = ").bind(Kind::Id, or_null(team)).push(" WHERE id = ").id(uuid(row.id()));
    assert_eq!(work.execute(sql).await.unwrap(), 1);
    search::move_owner(work, &[uuid(row.id())], (owner, team)).await.unwrap();
}

/// Of each record that is about another, the resource and the id of the other: as the events say that made it.
fn subjects(feed: &[Value]) -> HashMap<String, (String, String)> {
    let about = |event: &Value| {
        let about = shapes().get(event["resource"].as_str()?)?.subject()?;
        let other = (event["after"][about.resource].as_str()?.to_owned(), event["after"][about.id].as_str()?.to_owned());
        Some((event["resource_id"].as_str()?.to_owned(), other))
    };
    feed.iter().rev().filter_map(about).collect()
}
