//! What is held about a person: every record of every resource that names persons (`Resource::DATA_SUBJECT`), be it deleted or not.

use crate::{
    error::Result,
    record::{self, Record},
    sql::Sql,
    store::{Reader, Shapes},
};
use samphan_resource::{
    builtin::audit_event::AuditEvent,
    resource::Resource,
    scalar::{Kind, Scalar},
    shape::Shape,
};
use uuid::Uuid;

/// A person, by the record that represents the person.
#[derive(Clone, Copy, Debug)]
pub struct DataSubject {
    /// Its resource.
    pub shape: &'static Shape,
    /// Its id.
    pub id: Uuid,
}

/// Whether a person's record is living.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeletionState {
    /// It is, or it is of a log, whose lines do not die.
    Living,
    /// It was deleted.
    Deleted,
}

impl DataSubject {
    /// Whether the records of a resource can be persons at all.
    #[must_use]
    pub fn is_one(shape: &Shape) -> bool {
        shape.data_subject.contains(&"id")
    }

    /// The resources that can hold something about this person, in the order in which their rows are locked: shipments before orders.
    #[must_use]
    pub fn resources(&self, reader: &Reader) -> Vec<&'static Shape> {
        let named = |shape: &&Shape| !self.named(shape, reader.store.shapes).is_empty();
        let mut all: Vec<&'static Shape> = reader.store.shapes.values().copied().filter(named).collect();
        all.sort_by_key(|shape| std::cmp::Reverse(shape.plural));
        all
    }

    /// The fields of a resource by which it can name this person: its own, or those of the record that one of its own points at.
    fn named(&self, shape: &Shape, shapes: &Shapes) -> Vec<(&'static str, Option<(&'static Shape, &'static str)>)> {
        let names = |shape: &Shape, name: &'static str| match (name, shape.field(name).and_then(|f| f.reference)) {
            ("id", _) => shape.plural == self.shape.plural,
            (_, Some(many)) => many == self.shape.plural,
            (_, None) => shape.any_reference(name).is_some_and(|any| any.targets.include(self.shape)),
        };
        let way = |name: &'static str| match name.split_once('.') {
            None => names(shape, name).then_some((name, None)),
            Some((field, beyond)) => {
                let other = shape.field(field).and_then(|f| f.reference).and_then(|many| shapes.get(many).copied())?;
                names(other, beyond).then_some((field, Some((other, beyond))))
            }
        };
        shape.data_subject.iter().copied().filter_map(way).collect()
    }

    /// Some of a resource's records about this person, by id, from after `after` on. Locked within a work.
    pub async fn records(
        &self,
        reader: &Reader,
        shape: &'static Shape,
        life: DeletionState,
        after: Uuid,
        most: i64,
    ) -> Result<Vec<Record>> {
        if shape.append_only && life == DeletionState::Deleted {
            return Ok(vec![]);
        }
        let mut sql = match (shape.append_only, life) {
            (true, _) => record::select(reader, shape),
            (_, DeletionState::Living) => record::select_where(reader, shape, "t.deleted_at IS NULL"),
            (_, DeletionState::Deleted) => record::select_where(reader, shape, "t.deleted_at IS NOT NULL"),
        };
        self.only(&mut sql, shape, reader.store.shapes);
        sql.push(" AND t.id > ").id(after).push(" ORDER BY t.id LIMIT ").int(most);
        if reader.is_work() {
            sql.for_update("t");
        }
        reader.fetch(sql, |row| record::read(shape, row)).await
    }

    fn only(&self, sql: &mut Sql, shape: &'static Shape, shapes: &Shapes) {
        for (i, (name, beyond)) in self.named(shape, shapes).into_iter().enumerate() {
            sql.push(if i == 0 { " AND (" } else { " OR " }).column("t", name);
            if let Some((other, field)) = beyond {
                // Living and deleted ones have an index each.
                sql.push(" IN (SELECT id FROM ").push(other.plural).push(" WHERE deleted_at IS NULL AND \"").push(field).push("\" = ");
                sql.id(self.id);
                self.of_resource(sql, other, field, "");
                sql.push(" UNION ALL SELECT id FROM ").push(other.plural).push(" WHERE deleted_at IS NOT NULL AND \"");
                sql.push(field).push("\" = ").id(self.id);
                self.of_resource(sql, other, field, "");
                sql.push(")");
                continue;
            }
            sql.push(" = ").id(self.id);
            self.of_resource(sql, shape, name, "t.");
        }
        sql.push(")");
    }

    /// Adds that the resource is the person's, where a field names a record of any of several.
    fn of_resource(&self, sql: &mut Sql, shape: &'static Shape, id: &str, table: &'static str) {
        if let Some(any) = shape.any_reference(id) {
            sql.push(" AND ").push(table).push("\"").push(any.resource).push("\" = ").text(self.shape.plural);
        }
    }
}

/// Some of the events of records, in order, from after `after` on.
pub async fn events(reader: &Reader, of: &[Uuid], after: Uuid, most: i64) -> Result<Vec<Record>> {
    let shape = reader.shape(AuditEvent::PLURAL)?;
    let mut sql = record::select(reader, shape);
    sql.push(" AND t.resource_id").one_of(Kind::Id, of.iter().copied().map(Scalar::Id));
    sql.push(" AND t.id > ").id(after).push(" ORDER BY t.id LIMIT ").int(most);
    reader.fetch(sql, |row| record::read(shape, row)).await
}
