//! What is held about a person: every record of every resource that says it belongs to, or has to do with, somebody (`Resource::PERSON`,
//! `INVOLVES`), be it deleted or not.

use crate::{
    error::Result,
    record::{self, Record},
    sql::Sql,
    store::Reader,
};
use samphan_domain::{
    platform::audit_event::AuditEvent,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use uuid::Uuid;

/// A person: the record that is him.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// Its resource.
    pub shape: &'static Shape,
    /// Its id.
    pub id: Uuid,
}

/// Whether a person's record is living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// It is, or it is of a log, whose lines do not die.
    Living,
    /// It was deleted.
    Deleted,
}

impl Person {
    /// Whether the records of a resource can be persons at all.
    #[must_use]
    pub fn is_one(shape: &Shape) -> bool {
        shape.person.contains(&"id")
    }

    /// The resources that can hold something about this person, in the order in which their rows are locked: shipments before orders.
    #[must_use]
    pub fn resources(&self, reader: &Reader, involving: bool) -> Vec<&'static Shape> {
        let named = |shape: &&Shape| self.named(shape, involving).next().is_some();
        let mut all: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(named).collect();
        all.sort_by_key(|shape| std::cmp::Reverse(shape.many));
        all
    }

    /// The fields of a resource by which it can name this person.
    fn named(&self, shape: &Shape, involving: bool) -> impl Iterator<Item = &'static str> {
        let involves: &[_] = if involving { shape.involves } else { &[] };
        let fields = shape.person.iter().chain(involves).copied();
        let named = fields.filter(|name| match (*name, shape.field(name).and_then(|f| f.reference)) {
            ("id", _) => shape.many == self.shape.many,
            (_, Some(many)) => many == self.shape.many,
            (_, None) => shape.subject.is_some_and(|(_, id)| id == *name),
        });
        named.collect::<Vec<_>>().into_iter()
    }

    /// Some of a resource's records about this person, by id, from after `after` on. Locked within a work.
    pub async fn records(
        &self,
        reader: &Reader,
        shape: &'static Shape,
        (life, involving): (Life, bool),
        after: Uuid,
        most: i64,
    ) -> Result<Vec<Record>> {
        if shape.log && life == Life::Deleted {
            return Ok(vec![]);
        }
        let mut sql = match (shape.log, life) {
            (true, _) => record::select(reader, shape),
            (_, Life::Living) => record::select_where(reader, shape, "t.deleted_at IS NULL"),
            (_, Life::Deleted) => record::select_where(reader, shape, "t.deleted_at IS NOT NULL"),
        };
        self.only(&mut sql, shape, involving);
        sql.push(" AND t.id > ").id(after).push(" ORDER BY t.id LIMIT ").int(most);
        if reader.writes() {
            sql.for_update("t");
        }
        reader.fetch(sql, |row| record::read(shape, row)).await
    }

    fn only(&self, sql: &mut Sql, shape: &'static Shape, involving: bool) {
        for (i, name) in self.named(shape, involving).enumerate() {
            sql.push(if i == 0 { " AND (" } else { " OR " });
            sql.column("t", name).push(" = ").id(self.id);
            if let Some((resource, _)) = shape.subject.filter(|(_, id)| *id == name) {
                sql.push(" AND ").column("t", resource).push(" = ").text(self.shape.many);
            }
        }
        sql.push(")");
    }
}

/// Some of the events of records, in order, from after `after` on.
pub async fn events(reader: &Reader, of: &[Uuid], after: Uuid, most: i64) -> Result<Vec<Record>> {
    let shape = reader.shape(AuditEvent::MANY)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.resource_id").one_of(Kind::Id, of.iter().copied().map(Scalar::Id));
    sql.push(" AND t.id > ").id(after).push(" ORDER BY t.id LIMIT ").int(most);
    reader.fetch(sql, |row| record::read(shape, row)).await
}
