//! Which database it is, and the few things it says differently.

use crate::sql::Sql;
use samphan_resource::scalar::{Kind, Scalar};

/// The database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Embedded: one file, one writer.
    Sqlite,
    /// A server.
    Postgres,
}

impl Sql {
    /// Locks the rows read until the work ends, where there is more than one writer.
    pub fn for_update(&mut self, alias: &'static str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" FOR NO KEY UPDATE OF ").push(alias),
        }
    }

    /// Keeps the rows read from being changed by others until the work ends, where there is more than one writer.
    pub fn for_share(&mut self, alias: &'static str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" FOR SHARE OF ").push(alias),
        }
    }

    /// Locks the rows read for deleting them: a write that refers to them waits.
    pub fn for_deletion(&mut self, alias: &'static str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" FOR UPDATE OF ").push(alias),
        }
    }

    /// Keeps the rows read from being deleted until the work ends. They may be changed meanwhile, and others may do the same.
    pub fn for_key_share(&mut self, alias: &'static str) -> &mut Self {
        match self.dialect {
            Dialect::Sqlite => self,
            Dialect::Postgres => self.push(" FOR KEY SHARE OF ").push(alias),
        }
    }

    /// The texts of a list kept as JSON, as rows of `alias` with a column `value`.
    pub fn each_text(&mut self, table: &'static str, column: &'static str, alias: &'static str) -> &mut Self {
        let (function, columns) = match self.dialect {
            Dialect::Sqlite => ("json_each(", ""),
            Dialect::Postgres => ("json_array_elements_text(", " (value)"),
        };
        self.push(function).column(table, column).push(") ").push(alias).push(columns)
    }

    /// `position of needle in haystack > 0`, letter for letter: opens with the haystack's column, closes with the bound needle.
    pub fn contains(&mut self, alias: &'static str, column: &'static str, needle: String) -> &mut Self {
        self.push(match self.dialect {
            Dialect::Sqlite => "instr(",
            Dialect::Postgres => "strpos(",
        });
        self.column(alias, column).push(", ").text(needle).push(") > 0")
    }

    /// The same of a text member of a JSON object, found by its name.
    pub fn contains_in_member(&mut self, alias: &'static str, column: &'static str, member: &str, needle: String) -> &mut Self {
        self.push(match self.dialect {
            Dialect::Sqlite => "instr(",
            Dialect::Postgres => "strpos(",
        });
        self.column(alias, column).push(" ->> ").text(member).push(", ").text(needle).push(") > 0")
    }

    /// The same of a column of bytes.
    pub fn contains_bytes(&mut self, column: &'static str, needle: Vec<u8>) -> &mut Self {
        let needle = Scalar::Bytes(needle);
        match self.dialect {
            Dialect::Sqlite => self.push("instr(").push(column).push(", ").bind(Kind::Bytes, needle),
            Dialect::Postgres => self.push("position(").bind(Kind::Bytes, needle).push(" IN ").push(column),
        };
        self.push(") > 0")
    }
}
