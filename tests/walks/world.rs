//! The demo company, and callers who may do everything to what is theirs, and see little of it.
//!
//! What is bound to an owner is told from the shapes: what has an owner, and what is seen with a parent that has. Of each resource with
//! an owner every caller is given a few records; whatever those point at stays out of sight.

use super::step::{Step, lists, shapes};
use crate::support::*;
use samphan_domain::shape::{Field, Shape};
use samphan_persistence::search;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use uuid::Uuid;

/// Records of each owned resource a caller is given.
const GIVEN: usize = 4;

/// What a record has: children of a resource, which point by a field at what somebody does not see, if one is named; or it points itself.
type Kind = (&'static str, Option<&'static str>);

/// A record as the administrator sees it, and the ids of the path to it, its own last.
#[derive(Clone, Debug)]
pub struct Row {
    pub ids: Vec<String>,
    pub record: Value,
}

impl Row {
    pub fn id(&self) -> &str {
        self.ids.last().unwrap()
    }
}

/// Somebody with every permission and a short reach.
pub struct Caller {
    pub name: &'static str,
    pub app: App,
    /// The ids of all that is bound and seen.
    seen: HashSet<String>,
}

/// The demo company.
pub struct World {
    /// Its administrator.
    pub app: App,
    /// What is in each list.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    pub callers: Vec<Caller>,
    /// The administrator's feed, from its beginning.
    pub feed: Vec<Value>,
    /// Of each record the resources it has children of.
    children: HashMap<String, HashSet<&'static str>>,
    /// Of each record that is bound, by its id: the owned record that lends it its visibility, or itself.
    lender: HashMap<String, String>,
}

/// Whether records of a resource are seen as far as somebody's reach goes.
pub fn bound(shape: &Shape) -> bool {
    shape.owned || parents(shape).any(|(_, parent)| bound(parent))
}

/// The fields that name the records whose visibility a record shares.
pub fn parents(shape: &Shape) -> impl Iterator<Item = (&'static str, &'static Shape)> {
    shape.parents.iter().filter_map(|name| references(shape).find(|(f, _)| f.name == *name).map(|(f, other)| (f.name, other)))
}

/// The fields that point at records, and at which.
pub fn references(shape: &Shape) -> impl Iterator<Item = (&Field, &'static Shape)> {
    shape.fields.iter().filter_map(|f| f.reference.map(|many| (f, shapes()[many])))
}

/// The list of a resource that is reached by itself.
pub fn list_of(shape: &Shape) -> Option<&'static str> {
    lists().iter().find(|(path, of)| !path.contains('{') && of.many == shape.many).map(|(path, _)| *path)
}

/// A field of a record as query parameters say it.
pub fn text(record: &Value, field: &str) -> Option<String> {
    match &record[field] {
        Value::String(s) => Some(s.clone()),
        Value::Bool(b) => Some(b.to_string()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

impl Caller {
    pub fn sees(&self, id: &str) -> bool {
        self.seen.contains(id)
    }
}

impl World {
    /// The demo company with its callers: people of a short reach, a machine with a key, and the same with a token for it.
    pub async fn of(app: App) -> Self {
        app.demo_company().await;
        let mut world =
            Self { rows: BTreeMap::new(), callers: vec![], feed: app.feed().await, children: HashMap::new(), lender: HashMap::new(), app };
        let people = [("a person who reaches his own", "own"), ("a person who reaches another team's", "team")];
        let mut principals = vec![];
        for (name, reach) in people {
            let team = world.app.team(None).await;
            let teams: &[&str] = if reach == "team" { &[&team] } else { &[] };
            let person = world.app.person(&[&format!("*:*/{reach}")], &[], teams).await;
            principals.push((vec![(name, person.app)], person.id, teams.first().map(|t| (*t).to_owned())));
        }
        let key = world.app.api_key(&["*:*/own"], json!({})).await.is(201);
        let machine = world.app.as_(&key.text_of("token"));
        let credentials = json!({"grant_type": "client_credentials", "client_id": key["client_id"], "client_secret": key["client_secret"]});
        let token = world.app.nobody().post("/v1/oauth/token", credentials).await.is(200).text_of("access_token");
        let client = world.app.as_(&token);
        principals.push((vec![("a machine with a key", machine), ("a client with a token", client)], key.text_of("client_id"), None));
        world.name_for_others().await;
        world.ask_for_persons().await;
        world.read_lists(&HashSet::new()).await;
        world.find_children();
        let mut given: Vec<HashSet<String>> = vec![];
        for (before, (_, id, team)) in principals.iter().enumerate() {
            let taken: HashSet<String> = given.iter().flatten().cloned().collect();
            given.push(world.give(id, team.as_deref(), &taken, principals.len() - 1 - before).await);
        }
        world.read_lists(&given.iter().flatten().cloned().collect()).await;
        world.feed = world.app.feed().await;
        world.lender = lenders(&world.feed);
        world.lend_to_logs();
        for ((apps, ..), given) in principals.into_iter().zip(given) {
            let seen: HashSet<String> = world.lender.iter().filter(|(_, by)| given.contains(*by)).map(|(id, _)| id.clone()).collect();
            world.callers.extend(apps.into_iter().map(|(name, app)| Caller { name, app, seen: seen.clone() }));
        }
        world
    }

    /// Gives another system's name to a few records of each resource that can have one and that others are kept from.
    async fn name_for_others(&self) {
        for shape in shapes().values().filter(|s| bound(s) && s.extensible && !s.nested) {
            for record in self.app.get(&format!("{}?limit=20", list_of(shape).unwrap())).await.is(200)["data"].as_array().unwrap() {
                let name = random_id().replace('-', "");
                let body = json!({"system": "express", "resource": shape.many, "external_type": "walked", "external_id": name, "record_id": record["id"]});
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
    fn find_children(&mut self) {
        let made = self.feed.iter().map(|e| (shapes()[e["resource"].as_str().unwrap()], &e["after"]));
        let listed = self.rows.iter().flat_map(|(path, rows)| rows.iter().map(|row| (lists()[path], &row.record)));
        for (shape, record) in made.chain(listed) {
            for parent in parents(shape).filter_map(|(field, _)| record[field].as_str()) {
                self.children.entry(parent.to_owned()).or_default().insert(shape.many);
            }
        }
    }

    /// What has no events of its own, and so nothing says it was made, is seen with its parent as the lists tell it.
    fn lend_to_logs(&mut self) {
        for (path, rows) in &self.rows {
            for (field, _) in parents(lists()[path]) {
                for row in rows {
                    let lent = row.record[field].as_str().and_then(|id| self.lender.get(id)).cloned();
                    self.lender.entry(row.id().to_owned()).or_insert_with(|| lent.unwrap_or_default());
                }
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
            let kinds = |row: &Row| -> Vec<Kind> {
                let (points, too) = (points(row), |child: &str, f: &str| references(shapes()[child]).any(|(other, _)| other.name == f));
                let away = |child| points.iter().filter(move |f| too(child, f)).map(move |f| (child, Some(*f)));
                points
                    .iter()
                    .map(|f| (shape.many, Some(*f)))
                    .chain(children(row).flat_map(|child| away(child).chain([(child, None)])))
                    .collect()
            };
            let mut having: BTreeMap<Kind, Vec<&Row>> = BTreeMap::new();
            rows.iter().for_each(|row| kinds(row).into_iter().for_each(|kind| having.entry(kind).or_default().push(row)));
            let mut chosen: Vec<&Row> = vec![];
            let is_chosen = |chosen: &[&Row], row: &Row| chosen.iter().any(|c| c.id() == row.id());
            let is_spare = |chosen: &[&Row], row: &Row| {
                children(row).all(|child| having[&(child, None)].iter().filter(|r| !is_chosen(chosen, r)).count() > others)
            };
            // What few have before what many have: who is given one for the first often needs none for the second.
            let mut told: HashSet<Kind> = HashSet::new();
            let mut wanted: Vec<_> = having.iter().collect();
            wanted.sort_by_key(|(_, rows)| rows.len());
            for (kind, rows) in wanted {
                let new = |row: &&&Row| kinds(row).iter().filter(|kind| !told.contains(*kind)).count();
                let is_first = !told.contains(&(kind.0, None)) && kind.0 != shape.many;
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
            assert!(!chosen.is_empty(), "too few {}", shape.many);
            for row in chosen {
                let (id, owner) = (Uuid::parse_str(row.id()).unwrap(), Uuid::parse_str(owner).unwrap());
                let (owner, team) = match team {
                    Some(team) => (None, Some(Uuid::parse_str(team).unwrap())),
                    None => (Some(owner), None),
                };
                let mut sql = work.sql();
                sql.push("UPDATE ").push(shape.many).push(" SET owner_id = ");
                match owner {
                    Some(owner) => sql.id(owner),
                    None => sql.push("NULL"),
                };
                sql.push(", team_id = ");
                match team {
                    Some(team) => sql.id(team),
                    None => sql.push("NULL"),
                };
                sql.push(" WHERE id = ").id(id);
                assert_eq!(work.execute(sql).await.unwrap(), 1);
                search::move_owner(&work, id, owner, team).await.unwrap();
                given.insert(row.id().to_owned());
                pointed_at.extend(points_at(shape).filter_map(|(f, _)| row.record[f.name].as_str()));
            }
        }
        work.commit().await.unwrap();
        given
    }

    /// Whether somebody sees a record.
    pub fn shows(&self, caller: &Caller, shape: &Shape, record: &Value) -> bool {
        match shape.subject {
            Some((resource, id)) => {
                let (resource, id) = (record[resource].as_str().unwrap(), record[id].as_str().unwrap());
                self.tells(caller, shapes()[resource], id)
            }
            None => !bound(shape) || caller.sees(record["id"].as_str().unwrap()),
        }
    }

    /// Whether somebody is told of a record: of one that is about another, if he is of that.
    pub fn tells(&self, caller: &Caller, shape: &Shape, id: &str) -> bool {
        if let Some((resource, field)) = shape.subject {
            let made = self.feed.iter().find(|e| e["resource_id"] == id && e["after"][field].is_string()).unwrap();
            let about = &made["after"];
            return self.tells(caller, shapes()[about[resource].as_str().unwrap()], about[field].as_str().unwrap());
        }
        assert!(!bound(shape) || self.lender.contains_key(id), "{} {id} was made without a word", shape.many);
        !bound(shape) || caller.sees(id)
    }

    /// What of a list somebody sees, and what not.
    pub fn parted(&self, caller: &Caller, path: &str) -> (Vec<&Row>, Vec<&Row>) {
        self.rows[path].iter().partition(|row| self.shows(caller, lists()[path], &row.record))
    }

    /// The callers, one of each: a token for a key is the key.
    pub fn principals(&self) -> &[Caller] {
        &self.callers[..self.callers.len() - 1]
    }

    /// What of a list no caller sees.
    pub fn unseen_by_all(&self, path: &str) -> Vec<&Row> {
        let unseen = |row: &&Row| self.callers.iter().all(|caller| !self.shows(caller, lists()[path], &row.record));
        self.rows[path].iter().filter(unseen).collect()
    }

    /// How many events there are: nothing was written as long as the number stands.
    pub async fn events(&self) -> Value {
        self.app.get("/v1/audit-events?count=exact&limit=1").await.is(200)["total"].clone()
    }

    /// The address of a record by another system's name for it.
    pub fn named(row: &Row) -> Option<Vec<String>> {
        let all = row.record["external_refs"].as_array()?;
        let walked = all.iter().find(|r| r["external_type"] == "walked")?;
        Some(vec!["express".to_owned(), walked["external_id"].as_str()?.to_owned()])
    }
}

/// Of each record that is bound, the owned record that lends it its visibility: as the events say that made them.
fn lenders(feed: &[Value]) -> HashMap<String, String> {
    let mut all: HashMap<String, String> = HashMap::new();
    for event in feed {
        let (id, Some(shape)) = (event["resource_id"].as_str().unwrap(), shapes().get(event["resource"].as_str().unwrap())) else {
            continue;
        };
        if shape.owned {
            all.insert(id.to_owned(), id.to_owned());
        }
        let lent = parents(shape).find_map(|(field, _)| all.get(event["after"][field].as_str()?).cloned());
        if let Some(lender) = lent {
            all.entry(id.to_owned()).or_insert(lender);
        }
    }
    all
}
