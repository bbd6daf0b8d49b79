//! Sort orders and the cursor that continues a list where it stopped.

use crate::{
    error::{Code, Error, FieldError, Result},
    scalar::Scalar,
    shape::{Field, Shape, Sorting},
};

/// One key of a sort order.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// The field.
    pub field: &'static Field,
    /// Largest first.
    pub descending: bool,
}

/// How a list is ordered: up to three keys, the id always last and in the direction of the first.
#[derive(Clone, Debug, Default)]
pub struct Sort(pub Vec<SortKey>);

/// Most keys in one sort.
const MOST_KEYS: usize = 3;

impl Sort {
    /// Reads `-created_at,name`.
    pub fn parse(text: &str, shape: &'static Shape) -> Result<Self> {
        let invalid = |e: FieldError| Error::from(Code::InvalidQuery).with(vec![e]);
        let sortable = || shape.fields.iter().filter(|f| f.sorting != Sorting::No).map(|f| f.name);
        let mut keys: Vec<SortKey> = vec![];
        for part in text.split(',').map(str::trim) {
            let (name, descending) = part.strip_prefix('-').map_or((part, false), |n| (n, true));
            let Some(field) = shape.fields.iter().find(|f| f.name == name && f.sorting != Sorting::No) else {
                return Err(invalid(FieldError::new("?sort", "unknown_sort_key", "").instead_of(name, sortable())));
            };
            if keys.iter().any(|k| k.field.name == name) {
                return Err(invalid(FieldError::new("?sort", "repeated", name)));
            }
            if field.nullable && !keys.is_empty() {
                return Err(invalid(FieldError::new("?sort", "sort_key_must_be_first", name)));
            }
            keys.push(SortKey { field, descending });
        }
        if keys.len() > MOST_KEYS {
            return Err(invalid(FieldError::new("?sort", "too_many_items", MOST_KEYS.to_string())));
        }
        Ok(Self(keys))
    }

    /// Whether ids run downwards: they follow the first key, so that one index serves the whole order.
    #[must_use]
    pub fn id_descending(&self) -> bool {
        self.0.first().is_some_and(|k| k.descending)
    }
}

/// Where a page stopped: the last row's values of the sort keys, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// One value for each sort key.
    pub keys: Vec<Scalar>,
    /// The id of the last row.
    pub id: uuid::Uuid,
}
