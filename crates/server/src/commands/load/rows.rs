//! Rows of a CSV file by the names of its columns, and the JSON they are mapped to.

use super::LoadError;
use samphan_resource::money::{self, Price};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, path::Path};

/// A row of a file.
#[derive(Clone, Debug)]
pub struct Row(HashMap<String, String>);

/// Reads a file of a folder.
pub fn read(folder: &Path, file: &str) -> Result<Vec<Row>, LoadError> {
    let path = folder.join(file);
    let failed = |e| LoadError::File(path.display().to_string(), e);
    let mut reader = csv::Reader::from_path(&path).map_err(failed)?;
    let names = reader.headers().map_err(failed)?.clone();
    let row = |record: csv::StringRecord| {
        // A line break within a field is written as a backslash and an n.
        let cells = names.iter().zip(record.iter()).map(|(name, cell)| (name.to_owned(), cell.replace("\\n", "\n").trim().to_owned()));
        Row(cells.collect())
    };
    reader.records().map(|r| r.map(row).map_err(failed)).collect()
}

impl Row {
    /// A cell's text; empty when there is none.
    pub fn text(&self, column: &str) -> &str {
        self.0.get(column).map(String::as_str).unwrap_or_default()
    }

    /// A cell as JSON; null when empty.
    pub fn json(&self, column: &str) -> Value {
        match self.text(column) {
            "" => Value::Null,
            text => json!(text),
        }
    }

    /// A cell that says yes or no.
    pub fn is(&self, column: &str) -> bool {
        matches!(self.text(column).to_lowercase().as_str(), "1" | "true" | "yes" | "y")
    }

    /// A price in the form the API answers it, so that it compares; as it stands when it is none.
    pub fn price(&self, column: &str) -> String {
        let text = self.text(column);
        money::parse(text).map_or_else(|_| text.to_owned(), |units| Price(units).to_string())
    }
}

/// An item from a JSON object.
pub fn item(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// An item without what is empty: to be made with a field that is null is refused, and to update leaves it as it is.
pub fn given(mut item: Map<String, Value>) -> Map<String, Value> {
    item.retain(|_, value| !value.is_null());
    item
}

/// Whether a record has all that is wanted of it already.
pub fn fits(record: &Value, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| record.get(name).unwrap_or(&Value::Null) == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_cells_are_null_and_prices_take_the_form_of_the_api() {
        let row =
            Row(HashMap::from([("a".to_owned(), String::new()), ("p".to_owned(), "263.5".to_owned()), ("d".to_owned(), "1".to_owned())]));
        assert_eq!((row.json("a"), row.json("missing"), row.is("d")), (Value::Null, Value::Null, true));
        assert_eq!(row.price("p"), "263.50");
        assert!(fits(&json!({"a": 1, "b": 2}), &item(json!({"a": 1, "c": null}))));
        assert!(!fits(&json!({"a": 1}), &item(json!({"a": 2}))));
    }
}
