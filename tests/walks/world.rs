//! The demo company, and callers who may do everything to what is theirs, and see little of it.
//!
//! What is bound to an owner is told from the shapes: what has an owner, and what is seen with a parent that has. Of each resource with
//! an owner every caller is given a few records; whatever those point at stays out of sight.

mod making;
mod sight;

use super::step::{lists, shapes};
use crate::support::{
    app::wait,
    database::{Database, Kept, Kind},
    *,
};
use making::Made;
use samphan_resource::shape::{Field, Shape};
use sight::Records;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Deref,
    sync::Arc,
};

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
    seen: Arc<HashSet<String>>,
}

/// What is known of the demo company.
pub struct Known {
    /// What is in each list.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// The administrator's feed, from its beginning.
    pub feed: Vec<Value>,
    /// Every record there is.
    records: Records,
    /// Of each record that is about another, by its id: the resource and the id of the other.
    subjects: HashMap<String, (String, String)>,
}

/// The demo company.
pub struct World {
    /// Its administrator.
    pub app: App,
    pub callers: Vec<Caller>,
    known: Arc<Known>,
}

impl Deref for World {
    type Target = Known;

    fn deref(&self) -> &Known {
        &self.known
    }
}

/// Makes two tests of each function, `sqlite::…` and `postgres::…`, each with a world of its own.
#[macro_export]
macro_rules! in_worlds_on_both {
    ($($name:ident),* $(,)?) => { $crate::on_both_by![$crate::walks::world::run; $($name),*]; };
}

/// Runs a test in a copy of the world.
pub fn run<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(World) -> F) {
    static WORLDS: [Kept<(Database, Made)>; 2] = [const { Kept::none() }; 2];
    let make = || {
        let database = Database::fresh(kind);
        let made = wait(Made::of(App::on(&database)));
        (database.left(), made)
    };
    let (database, made) = WORLDS[kind as usize].take(make, |(database, made)| (database.copy(), made.clone()));
    wait(test(made.at(App::on(&database))));
    drop(database);
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
    lists().iter().find(|(path, of)| !path.contains('{') && of.plural == shape.plural).map(|(path, _)| *path)
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
    /// Whether somebody sees a record.
    pub fn shows(&self, caller: &Caller, shape: &Shape, record: &Value) -> bool {
        match shape.subject() {
            Some(about) => {
                let (resource, id) = (record[about.resource].as_str().unwrap(), record[about.id].as_str().unwrap());
                self.tells(caller, shapes()[resource], id)
            }
            None => !bound(shape) || caller.sees(record["id"].as_str().unwrap()),
        }
    }

    /// Whether somebody is told of a record: of one that is about another, if he is of that.
    pub fn tells(&self, caller: &Caller, shape: &Shape, id: &str) -> bool {
        if shape.subject().is_some() {
            let (resource, about) = &self.subjects[id];
            return self.tells(caller, shapes()[resource.as_str()], about);
        }
        assert!(!bound(shape) || self.records.contain(id), "{} {id} was made without a word", shape.plural);
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
