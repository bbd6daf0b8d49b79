//! SQL text that only the program can write: `push` takes what stands in the source, values go through `bind`.
//!
//! This and `dialect.rs` are the only places that know which database it is.

use crate::dialect::Dialect;
use samphan_resource::{
    money::Amount,
    scalar::{Kind, Scalar},
};
use std::fmt::Write;
use uuid::Uuid;

/// A value bound to a statement. The kind types its nulls.
#[derive(Clone, Debug)]
pub enum Bind {
    /// One value.
    One(Kind, Scalar),
    /// A column of values, for PostgreSQL's `unnest`.
    Column(Kind, Vec<Scalar>),
}

/// More values than these travel to PostgreSQL as one array.
const MANY: usize = 20;

/// A statement being written.
#[derive(Clone, Debug)]
pub struct Sql {
    pub(crate) text: String,
    pub(crate) binds: Vec<Bind>,
    pub(crate) dialect: Dialect,
    /// How many of its conditions look for the beginning of words.
    beginnings: usize,
    /// Whether it is known to take long.
    long: bool,
}

/// Prefixes of words that PostgreSQL finds within the time of a brief read. SQLite gathers a whole list for one, in one step.
const MAX_PREFIXES: usize = 2;

impl Sql {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self { text: String::with_capacity(512), binds: Vec::with_capacity(16), dialect, beginnings: 0, long: false }
    }

    /// Says that it looks for the beginning of words.
    pub(crate) const fn beginning(&mut self) {
        self.beginnings += 1;
    }

    /// Says that it takes long, where there is much.
    pub(crate) const fn takes_long(&mut self) -> &mut Self {
        self.long = true;
        self
    }

    /// Whether it is known to take long, and so need not be tried as a brief read.
    pub(crate) const fn is_long(&self) -> bool {
        self.long
            || match self.dialect {
                Dialect::Sqlite => self.beginnings > 0,
                Dialect::Postgres => self.beginnings > MAX_PREFIXES,
            }
    }

    /// Adds text from the source, never from a request: hence `'static`.
    pub fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a column of the aliased table: `t.name`.
    pub fn column(&mut self, alias: &'static str, name: &'static str) -> &mut Self {
        self.push(alias).push(".\"").push(name).push("\"")
    }

    /// Adds the names with commas between them.
    pub fn names(&mut self, names: impl IntoIterator<Item = &'static str>) -> &mut Self {
        for (i, name) in names.into_iter().enumerate() {
            self.push(if i == 0 { "\"" } else { ", \"" }).push(name).push("\"");
        }
        self
    }

    /// Binds a value of a kind.
    pub fn bind(&mut self, kind: Kind, value: Scalar) -> &mut Self {
        self.binds.push(Bind::One(kind, value));
        self.placeholder();
        if kind == Kind::Json && self.dialect == Dialect::Postgres {
            self.push("::json");
        }
        self
    }

    /// Binds text.
    pub fn text(&mut self, value: impl Into<String>) -> &mut Self {
        self.bind(Kind::Text, Scalar::Text(value.into()))
    }

    /// Binds an id.
    pub fn id(&mut self, id: Uuid) -> &mut Self {
        self.bind(Kind::Id, Scalar::Id(id))
    }

    /// Binds a whole number.
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.bind(Kind::Int, Scalar::Int(value))
    }

    /// Adds ` IN (…)` with values bound. Many values travel to PostgreSQL as one array: a thousand parameters cost it more than
    /// the rows they find.
    pub fn one_of(&mut self, kind: Kind, values: impl IntoIterator<Item = Scalar>) -> &mut Self {
        let values: Vec<Scalar> = values.into_iter().collect();
        if self.dialect == Dialect::Postgres && values.len() > MANY {
            // Not `= ANY`: of a table that was not analysed yet it is a scan that compares every row with every value.
            return self.push(" IN (SELECT unnest(").bind_column(kind, values).push("))");
        }
        self.push(" IN (");
        if values.is_empty() {
            self.push("NULL");
        }
        for (i, value) in values.into_iter().enumerate() {
            self.push(if i == 0 { "" } else { ", " }).bind(kind, value);
        }
        self.push(")")
    }

    /// Adds ` IN (…)` with ids bound.
    pub fn one_of_ids(&mut self, ids: impl IntoIterator<Item = Uuid>) -> &mut Self {
        self.one_of(Kind::Id, ids.into_iter().map(Scalar::Id))
    }

    /// Adds ` FROM … WHERE …` of a table's living rows that have one of many values in an indexed column, found by one value after the
    /// other, whatever conditions follow. Left to itself PostgreSQL may go through the rows that one of those finds and compare each with
    /// every value: of a table that has grown since it was analysed it knows no better, and a thousand values among a hundred thousand
    /// rows are more than a statement has time for.
    pub fn from_each(
        &mut self,
        table: &'static str,
        alias: &'static str,
        column: &'static str,
        kind: Kind,
        values: impl IntoIterator<Item = Scalar>,
    ) -> &mut Self {
        self.push_from_each(table, alias, column, false, kind, values)
    }

    /// The same; where `is_caseless`, the values are in lower case and compared with the column in lower case.
    pub(crate) fn push_from_each(
        &mut self,
        table: &'static str,
        alias: &'static str,
        column: &'static str,
        is_caseless: bool,
        kind: Kind,
        values: impl IntoIterator<Item = Scalar>,
    ) -> &mut Self {
        let values: Vec<Scalar> = values.into_iter().collect();
        let (opening, closing) = if is_caseless { ("lower(", ")") } else { ("", "") };
        if self.dialect == Dialect::Postgres && values.len() > MANY {
            self.push(" FROM unnest(").bind_column(kind, values).push(") AS each (value) CROSS JOIN LATERAL (SELECT * FROM ");
            self.push(table).push(" o WHERE o.deleted_at IS NULL AND ").push(opening).column("o", column);
            return self.push(closing).push(" = each.value OFFSET 0) ").push(alias).push(" WHERE 1 = 1");
        }
        self.push(" FROM ").push(table).push(" ").push(alias).push(" WHERE ").column(alias, "deleted_at").push(" IS NULL AND ");
        self.push(opening).column(alias, column).push(closing).one_of(kind, values)
    }

    pub(crate) fn bind_column(&mut self, kind: Kind, values: Vec<Scalar>) -> &mut Self {
        self.binds.push(Bind::Column(kind, values));
        self.placeholder();
        self.push(match kind {
            Kind::Id => "::text::uuid[]",
            Kind::Text | Kind::Json => "::text::text[]",
            Kind::Bool => "::text::boolean[]",
            Kind::Int | Kind::Decimal { .. } => "::text::bigint[]",
            Kind::Time => "::text::timestamptz[]",
            Kind::Date => "::text::date[]",
            Kind::Bytes => "::text::bytea[]",
        })
    }

    /// Adds the sum of amounts over all rows of `t`, as the two columns that `Amount::of_parts` reads: of several columns, what they are
    /// together.
    pub fn amount_sum(&mut self, columns: &[&'static str]) -> &mut Self {
        for (n, part) in [" / ", " % "].into_iter().enumerate() {
            self.push(if n == 0 { "CAST(coalesce(sum(" } else { ", CAST(coalesce(sum(" });
            for (n, column) in columns.iter().enumerate() {
                self.push(if n == 0 { "coalesce(" } else { " + coalesce(" }).column("t", column).push(", 0)").push(part).int(Amount::PART);
            }
            self.push("), 0) AS bigint)");
        }
        self
    }

    fn placeholder(&mut self) {
        // Writing into a String cannot fail.
        let _ = match self.dialect {
            Dialect::Sqlite => write!(self.text, "?{}", self.binds.len()),
            Dialect::Postgres => write!(self.text, "${}", self.binds.len()),
        };
    }

    /// Adds a statement written on its own, its placeholders renumbered.
    pub fn append(&mut self, other: Self) -> &mut Self {
        let mark = match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        };
        let offset = self.binds.len();
        let mut parts = other.text.split(mark);
        self.text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(digits);
            let number: usize = number.parse().unwrap_or_default();
            let _ = write!(self.text, "{mark}{}{rest}", number + offset);
        }
        self.binds.extend(other.binds);
        self
    }

    /// The statement that tells how the database would run this one.
    #[must_use]
    pub fn explained(mut self) -> Self {
        self.text.insert_str(
            0,
            match self.dialect {
                Dialect::Sqlite => "EXPLAIN QUERY PLAN ",
                Dialect::Postgres => "EXPLAIN ",
            },
        );
        self
    }

    /// The statement with its values written in as literals: for EXPLAIN and for bare loops beside the benches.
    #[must_use]
    pub fn inlined(&self) -> String {
        let mark = match self.dialect {
            Dialect::Sqlite => '?',
            Dialect::Postgres => '$',
        };
        let mut parts = self.text.split(mark);
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            let (number, rest) = part.split_at(digits);
            let bound = number.parse::<usize>().ok().and_then(|n| self.binds.get(n.wrapping_sub(1)));
            out.push_str(&bound.map_or_else(|| "NULL".to_owned(), |b| self.literal(b)));
            out.push_str(rest);
        }
        out
    }

    fn literal(&self, bind: &Bind) -> String {
        let (kind, value) = match bind {
            Bind::One(kind, value) => (kind, value),
            Bind::Column(_, values) => return format!("'{}'", crate::postgres::array(values).replace('\'', "''")),
        };
        let postgres = self.dialect == Dialect::Postgres;
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        match value {
            Scalar::Null => "NULL".to_owned(),
            Scalar::Bool(b) if postgres => b.to_string(),
            Scalar::Bool(b) => i64::from(*b).to_string(),
            Scalar::Int(n) => n.to_string(),
            Scalar::Time(t) if !postgres => t.micros().to_string(),
            Scalar::Id(id) if postgres => format!("'{id}'::uuid"),
            Scalar::Id(id) => format!("x'{}'", hex(id.as_bytes())),
            Scalar::Bytes(b) if postgres => format!("'\\x{}'::bytea", hex(b)),
            Scalar::Bytes(b) => format!("x'{}'", hex(b)),
            other => {
                let text = match other.to_json(*kind) {
                    serde_json::Value::String(s) => s,
                    json => json.to_string(),
                };
                format!("'{}'", text.replace('\'', "''"))
            }
        }
    }
}
