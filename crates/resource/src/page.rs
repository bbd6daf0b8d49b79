//! Sort orders and the cursor that continues a list where it stopped.

use crate::{
    error::{Code, Error, FieldCode, FieldError, Result},
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

/// How a list is ordered: up to three keys, and the id behind them all.
#[derive(Clone, Debug, Default)]
pub struct Sort {
    /// The keys before the id.
    pub keys: Vec<SortKey>,
    /// Whether ids run downwards: as asked for, else as the first key runs, so that one index serves the whole order.
    pub id_descending: bool,
}

/// Most keys in one sort.
const MOST_KEYS: usize = 3;

impl Sort {
    /// Reads `-created_at,name`.
    pub fn parse(text: &str, shape: &'static Shape) -> Result<Self> {
        let invalid = |e: FieldError| Error::from(Code::InvalidQuery).with_field_errors(vec![e]);
        let sortable = || shape.fields.iter().filter(|f| f.sorting != Sorting::No).map(|f| f.name);
        let mut keys: Vec<SortKey> = vec![];
        for part in text.split(',').map(str::trim) {
            let (name, descending) = part.strip_prefix('-').map_or((part, false), |n| (n, true));
            let Some(field) = shape.fields.iter().find(|f| f.name == name && f.sorting != Sorting::No) else {
                return Err(invalid(FieldError::new("?sort", FieldCode::UnknownSortKey, "").with_suggestion(name, sortable())));
            };
            if keys.iter().any(|k| k.field.name == name) {
                return Err(invalid(FieldError::new("?sort", FieldCode::Repeated, name)));
            }
            if field.nullable && !keys.is_empty() {
                return Err(invalid(FieldError::new("?sort", FieldCode::SortKeyMustBeFirst, name)));
            }
            keys.push(SortKey { field, descending });
        }
        if keys.len() > MOST_KEYS {
            return Err(invalid(FieldError::new("?sort", FieldCode::TooManyItems, MOST_KEYS.to_string())));
        }
        // No two ids are the same: what is asked for behind the id decides nothing.
        let by_id = keys.iter().position(|k| k.field.name == "id").and_then(|at| keys.drain(at..).next());
        let id_descending = by_id.as_ref().or(keys.first()).is_some_and(|k| k.descending);
        Ok(Self { keys, id_descending })
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
