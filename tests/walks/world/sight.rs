//! Who sees what: the ways each resource declares (`Shape::visible_through`), evaluated in memory over everything that was made.

use super::{Row, bound};
use crate::{
    support::*,
    walks::step::{lists, shapes},
};
use samphan_resource::{resource::VisibleThrough, shape::Shape};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Every record there is, as the events made it and as the lists show it.
pub struct Records {
    all: HashMap<String, (&'static Shape, Value)>,
    deleted: HashSet<String>,
    /// The records of a resource that name another in a field, by the other's id.
    naming: HashMap<(&'static str, &'static str, String), Vec<String>>,
}

impl Records {
    pub fn of(feed: &[Value], rows: &BTreeMap<&'static str, Vec<Row>>) -> Self {
        let (mut all, mut deleted): (HashMap<String, (&'static Shape, Value)>, HashSet<String>) = (HashMap::new(), HashSet::new());
        for event in feed {
            let (id, Some(shape)) = (event["resource_id"].as_str().unwrap(), shapes().get(event["resource"].as_str().unwrap())) else {
                continue;
            };
            match event["type"].as_str().unwrap().rsplit('.').next() {
                Some("deleted") => drop(deleted.insert(id.to_owned())),
                Some("restored") => drop(deleted.remove(id)),
                _ => {}
            }
            let record = &mut all.entry(id.to_owned()).or_insert_with(|| (*shape, json!({}))).1;
            for (field, value) in event["after"].as_object().into_iter().flatten() {
                record[field] = value.clone();
            }
        }
        // What has no events, such as a log, is in the lists alone.
        for (path, rows) in rows {
            for row in rows {
                all.insert(row.id().to_owned(), (lists()[path], row.record.clone()));
            }
        }
        let mut naming: HashMap<_, Vec<String>> = HashMap::new();
        for way in shapes().values().flat_map(|shape| &shape.visible_through) {
            let VisibleThrough::Linked(many, field) = *way else { continue };
            for (id, (_, record)) in all.iter().filter(|(id, (shape, _))| shape.plural == many && !deleted.contains(*id)) {
                if let Some(named) = record[field].as_str() {
                    naming.entry((many, field, named.to_owned())).or_default().push(id.clone());
                }
            }
        }
        Self { all, deleted, naming }
    }

    pub fn contain(&self, id: &str) -> bool {
        self.all.contains_key(id)
    }

    /// The ids of all that is bound and seen by a caller who was given these owned records.
    pub fn seen_by(&self, given: &HashSet<String>) -> HashSet<String> {
        let bound = self.all.iter().filter(|(_, (shape, _))| bound(shape));
        bound.filter(|(id, _)| self.is_seen(id, given)).map(|(id, _)| id.clone()).collect()
    }

    fn is_seen(&self, id: &str, given: &HashSet<String>) -> bool {
        let Some((shape, record)) = self.all.get(id) else { return false };
        // Nobody is given what is another's alone.
        if shape.private.is_some_and(|(field, value)| record[field] == value) {
            return false;
        }
        let named = |field: &str| record[field].as_str().is_some_and(|other| self.is_seen(other, given));
        shape.visible_through.is_empty()
            || shape.visible_through.iter().any(|way| match *way {
                VisibleThrough::Owner => given.contains(id),
                VisibleThrough::Parent(field) => named(field),
                VisibleThrough::Subject(other) => named(other),
                VisibleThrough::Linked(many, field) => {
                    let links = self.naming.get(&(many, field, id.to_owned()));
                    links.into_iter().flatten().any(|link| !self.deleted.contains(link) && self.is_seen(link, given))
                }
            })
    }
}
