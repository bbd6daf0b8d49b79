//! Values that have no column: tags and custom fields, kept beside the record so that filters find them by index.

use crate::{
    error::Result,
    filter::as_number,
    store::{CustomFields, Reader, Work},
};
use samphan_resource::{
    builtin::{
        custom_field::{CustomField, CustomKind},
        picklist::Picklist,
    },
    error::{FieldCode, FieldError, step},
    filter::INDEXED_TEXT,
    reference::{OnDelete, Reference},
    scalar::{Kind, Scalar},
    shape::Shape,
    timestamp::Timestamp,
};
use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError},
};
use uuid::Uuid;

/// Seconds for which custom field definitions are taken as read.
const CACHE_TTL_SECONDS: i64 = 4;

/// Custom field definitions as last read, shared by all workers of a process.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    /// Counts the changes made by this process. What was read before a change is not remembered after it.
    generation: u64,
    read: Option<(Timestamp, Arc<CustomFields>)>,
}

impl Definitions {
    /// Drops what was read, also by readers that have not stored it yet.
    pub(crate) fn forget(&mut self) {
        self.generation += 1;
        self.read = None;
    }
}

impl Reader {
    /// The organisation's custom fields, at most a few seconds old.
    pub async fn custom_fields(&self) -> Result<Arc<CustomFields>> {
        let kept = self.store.custom.read().unwrap_or_else(PoisonError::into_inner).read.clone();
        if let Some((at, fields)) = kept
            && at.is_within(CACHE_TTL_SECONDS, self.now)
        {
            return Ok(fields);
        }
        self.current_custom_fields().await
    }

    /// The organisation's custom fields as the database has them now, also those another process has just made.
    pub async fn current_custom_fields(&self) -> Result<Arc<CustomFields>> {
        let generation = self.store.custom.read().unwrap_or_else(PoisonError::into_inner).generation;
        let mut sql = self.sql();
        sql.push("SELECT resource, key, label, type, required, picklist, max_length FROM custom_fields WHERE deleted_at IS NULL");
        let all = self
            .fetch(sql, |row| {
                let max_length = row.scalar(6, Kind::Int)?;
                Ok(CustomField {
                    resource: row.text(0)?,
                    key: row.text(1)?,
                    label: row.text(2)?,
                    label_translations: std::collections::BTreeMap::new(),
                    kind: serde_json::from_value(Value::String(row.text(3)?)).unwrap_or(CustomKind::Text),
                    required: row.scalar(4, Kind::Bool)? == Scalar::Bool(true),
                    picklist: row.optional_text(5)?,
                    max_length: if let Scalar::Int(n) = max_length { i32::try_from(n).ok() } else { None },
                    description: None,
                })
            })
            .await?;
        let fields: Arc<CustomFields> = Arc::new(all.into_iter().map(|f| ((f.resource.clone(), f.key.clone()), f)).collect());
        let mut definitions = self.store.custom.write().unwrap_or_else(PoisonError::into_inner);
        if definitions.generation == generation {
            definitions.read = Some((self.now, Arc::clone(&fields)));
        }
        Ok(fields)
    }

    /// The active codes of a picklist.
    async fn codes(&self, key: &str) -> Result<Vec<String>> {
        let mut sql = self.sql();
        sql.push("SELECT \"values\" FROM picklists WHERE deleted_at IS NULL AND key = ").text(key);
        let text = self.fetch_one(sql, |row| row.text(0)).await?.unwrap_or_else(|| "[]".to_owned());
        let list: Picklist = Picklist { key: String::new(), name: String::new(), values: serde_json::from_str(&text).unwrap_or_default() };
        Ok(list.values.into_iter().filter(|v| v.is_active).map(|v| v.code).collect())
    }

    /// Checks the values of a record's `custom` that this write changes against the definitions. Values that stand were checked when
    /// they were written: a definition that was changed, retired or deleted since does not make the record unwritable.
    ///
    /// Remembered definitions may be a few seconds older than what another request was answered, so a key they do not know, or a value
    /// they refuse, is checked against the database.
    pub async fn check_custom(
        &self,
        shape: &Shape,
        custom: &Map<String, Value>,
        before: Option<&Map<String, Value>>,
    ) -> Result<Vec<FieldError>> {
        let fields = self.custom_fields().await?;
        if custom.keys().all(|key| fields.contains_key(&(shape.plural.to_owned(), key.clone()))) {
            let errors = self.check_custom_against(&fields, shape, custom, before).await?;
            if errors.is_empty() {
                return Ok(errors);
            }
        }
        let fields = self.current_custom_fields().await?;
        self.check_custom_against(&fields, shape, custom, before).await
    }

    async fn check_custom_against(
        &self,
        fields: &CustomFields,
        shape: &Shape,
        custom: &Map<String, Value>,
        before: Option<&Map<String, Value>>,
    ) -> Result<Vec<FieldError>> {
        let mut errors = vec![];
        let of_resource = || fields.values().filter(|f| f.resource == shape.plural);
        for (key, value) in custom.iter().filter(|(key, value)| before.and_then(|b| b.get(*key)) != Some(value)) {
            let at = format!("/custom/{}", step(key));
            let Some(field) = fields.get(&(shape.plural.to_owned(), key.clone())) else {
                errors.push(FieldError::new(at, FieldCode::UnknownField, "").with_suggestion(key, of_resource().map(|f| f.key.clone())));
                continue;
            };
            match field.kind.kind().from_json(value) {
                Err((code, about)) => errors.push(FieldError::new(at, code, about)),
                Ok(Scalar::Text(text)) => {
                    let longest = field.max_length.and_then(|n| usize::try_from(n).ok()).unwrap_or(10_000);
                    if text.chars().count() > longest {
                        errors.push(FieldError::new(at, FieldCode::TooLong, longest.to_string()));
                    } else if let (CustomKind::Picklist, Some(list)) = (field.kind, &field.picklist) {
                        let codes = self.codes(list).await?;
                        if !codes.contains(&text) {
                            errors.push(FieldError::new(at, FieldCode::UnknownValue, "").with_suggestion(&text, codes));
                        }
                    }
                }
                Ok(_) => {}
            }
        }
        for field in of_resource().filter(|f| f.required) {
            let given = custom.get(&field.key).is_some_and(|v| !v.is_null());
            if !given && before.is_none_or(|b| b.get(&field.key).is_some_and(|v| !v.is_null())) {
                errors.push(FieldError::new(format!("/custom/{}", field.key), FieldCode::Required, ""));
            }
        }
        Ok(errors)
    }
}

/// One indexed value of a record.
pub type Indexed = (Uuid, String, Scalar, Scalar);

/// The indexed values of a record: a row for each tag, custom field, item of a list that is filtered by, and reference
/// without an index of its own.
#[must_use]
pub fn of_record(shape: &'static Shape, id: Uuid, record: &Map<String, Value>, fields: &CustomFields) -> Vec<Indexed> {
    let tags = record.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let mut all: Vec<Indexed> = tags.map(|tag| (id, "tags".to_owned(), Scalar::Text(tag.to_owned()), Scalar::Null)).collect();
    for (key, value) in record.get("custom").and_then(Value::as_object).into_iter().flatten() {
        let Some(field) = fields.get(&(shape.plural.to_owned(), key.clone())) else { continue };
        let value = field.kind.kind().from_json(value).unwrap_or(Scalar::Null);
        let row = match &value {
            Scalar::Null => continue,
            Scalar::Text(t) => (Scalar::Text(t.chars().take(INDEXED_TEXT).collect()), Scalar::Null),
            Scalar::Date(d) => (Scalar::Text(d.to_string()), Scalar::Null),
            other => (Scalar::Null, as_number(other)),
        };
        all.push((id, format!("custom.{key}"), row.0, row.1));
    }
    let references = references_of(shape, record);
    all.extend(references.into_iter().map(|(path, value)| (id, path.to_owned(), Scalar::Text(value.to_owned()), Scalar::Null)));
    for items in shape.items {
        let list = record.get(items.field).unwrap_or(&Value::Null);
        let members: BTreeSet<&str> = items.of(list).collect();
        all.extend(members.into_iter().map(|member| (id, items.key(), Scalar::Text(member.to_owned()), Scalar::Null)));
    }
    all
}

/// The references of a record that have no column of their own, or count in some states only and the record is in one: by path and value.
#[must_use]
pub fn references_of<'a>(shape: &'static Shape, record: &'a Map<String, Value>) -> Vec<(&'static str, &'a str)> {
    let counts = |r: &&Reference| {
        r.is_indexed_apart() && !matches!(r.on_delete, OnDelete::RefuseIn(states) if !states.contains(&shape.state_of(record)))
    };
    shape.references.iter().filter(counts).flat_map(|r| r.values(record).into_iter().map(|value| (r.path, value))).collect()
}

/// Whether the indexed values of a record differ from those it had.
#[must_use]
pub fn differ(shape: &'static Shape, before: &Map<String, Value>, after: &Map<String, Value>) -> bool {
    let lists = shape.items.iter().map(|items| items.field);
    ["tags", "custom"].into_iter().chain(lists).any(|name| before.get(name) != after.get(name))
        || references_of(shape, before) != references_of(shape, after)
}

/// Replaces the indexed values of records.
pub async fn write(work: &Work, shape: &Shape, replaced: &[Uuid], rows: Vec<Indexed>) -> Result<()> {
    if !replaced.is_empty() {
        let mut sql = work.sql();
        sql.push("DELETE FROM record_values WHERE record_id").one_of_ids(replaced.iter().copied());
        work.execute(sql).await?;
    }
    let columns =
        [("resource", Kind::Text), ("key", Kind::Text), ("record_id", Kind::Id), ("text_value", Kind::Text), ("number_value", Kind::Int)];
    let rows = rows
        .into_iter()
        .map(|(id, key, text, number)| vec![Scalar::Text(shape.plural.to_owned()), Scalar::Text(key), Scalar::Id(id), text, number]);
    work.insert_unseen("record_values", &columns, rows.collect()).await
}
