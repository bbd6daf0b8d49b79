//! The schema's history: one step after the other, the same for both databases.
//!
//! A step is SQL in which `:type` words stand for each database's own: see `words`. Steps are never changed once released.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{ConnectionTrait, Statement},
};

mod m0001_foundation;
mod m0002_stock;
mod m0003_changes;
mod m0004_credit_checks;
mod m0005_sales;
mod m0006_webhook_secrets;
mod m0007_credit_expiry;
mod m0008_privacy;
mod m0010_responsible;
mod m0011_server_keys;
mod m0012_money;
mod m0013_connector;
mod m0014_stock_identities;
mod m0015_references;
mod m0016_days;
mod m0016_items;
mod m0017_jobs;
mod m0017_stream_tickets;
mod m0018_contact_point_order;
mod m0019_operations;
mod m0020_operation_owners;
mod m0021_sparse_indexes;
mod m0022_pipelines;
mod m0023_consents;
mod m0024_notes_and_calls;
mod m0025_business_calendars;
mod m0026_leads;
mod m0027_consents_on_timelines;
mod m0028_tasks;

/// All steps in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let steps = [
            m0001_foundation::STEP,
            m0002_stock::STEP,
            m0003_changes::STEP,
            m0004_credit_checks::STEP,
            m0005_sales::STEP,
            m0006_webhook_secrets::STEP,
            m0007_credit_expiry::STEP,
            m0008_privacy::STEP,
            m0010_responsible::STEP,
            m0011_server_keys::STEP,
            m0012_money::STEP,
            m0013_connector::STEP,
            m0014_stock_identities::STEP,
            m0015_references::STEP,
            m0016_days::STEP,
            m0016_items::STEP,
            m0017_stream_tickets::STEP,
            m0017_jobs::STEP,
            m0018_contact_point_order::STEP,
            m0019_operations::STEP,
            m0020_operation_owners::STEP,
            m0021_sparse_indexes::STEP,
            m0022_pipelines::STEP,
            m0023_consents::STEP,
            m0024_notes_and_calls::STEP,
            m0025_business_calendars::STEP,
            m0026_leads::STEP,
            m0027_consents_on_timelines::STEP,
            m0028_tasks::STEP,
        ];
        steps.into_iter().map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
    }
}

/// A step: its statements, each ended by `;` and a line break.
#[derive(Clone, Copy, Debug)]
struct Step {
    /// What the database notes it by: the name of its file.
    name: &'static str,
    /// What both databases are told, in the words of `written`.
    tables: &'static str,
    /// A line for each index of the lists; see `index`.
    indexes: &'static str,
    /// The same of indexes that are there already, otherwise, under the same names: see `rebuild`.
    rebuilt: &'static str,
    /// What PostgreSQL alone is told.
    postgres: &'static str,
    /// What SQLite alone is told.
    sqlite: &'static str,
}

impl Step {
    /// What a step leaves out.
    const NONE: Self = Self { name: "", tables: "", indexes: "", rebuilt: "", postgres: "", sqlite: "" };
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let postgres = manager.get_database_backend() == sea_orm_migration::sea_orm::DbBackend::Postgres;
        let own = if postgres { self.postgres } else { self.sqlite };
        let connection = manager.get_connection();
        for statement in written(self.tables, postgres).split(";\n").chain(own.split(";\n")).map(str::trim).filter(|s| !s.is_empty()) {
            connection.execute_unprepared(statement).await?;
        }
        for line in lines(self.indexes) {
            connection.execute_unprepared(&index(&line)).await?;
        }
        for line in lines(self.rebuilt) {
            rebuild(connection, &index(&line)).await?;
        }
        Ok(())
    }
}

/// The lines of indexes, each for itself.
fn lines(all: &str) -> impl Iterator<Item = String> {
    all.lines().map(str::trim).filter(|l| !l.is_empty()).flat_map(each)
}

/// Takes an index away and makes it anew. Of a table with rows it is noted instead, as what `samphan generate` takes away is
/// (`persistence/deferred_indexes.rs`): built and logged one by one when all steps are done, or by the next start if this one ends before.
async fn rebuild(connection: &SchemaManagerConnection<'_>, definition: &str) -> Result<(), DbErr> {
    let mut words = definition.split([' ', '(']).filter(|word| !matches!(*word, "CREATE" | "UNIQUE" | "INDEX" | "ON"));
    let (Some(name), Some(table)) = (words.next(), words.next()) else {
        return Err(DbErr::Custom(format!("no index: {definition}")));
    };
    connection.execute_unprepared(&format!("DROP INDEX IF EXISTS {name}")).await?;
    let any = Statement::from_string(connection.get_database_backend(), format!("SELECT 1 AS one FROM {table} LIMIT 1"));
    if connection.query_all_raw(any).await?.is_empty() {
        connection.execute_unprepared(definition).await?;
        return Ok(());
    }
    let quoted = definition.replace('\'', "''");
    for statement in [
        "CREATE TABLE IF NOT EXISTS suspended_indexes (definition TEXT NOT NULL)".to_owned(),
        format!("DELETE FROM suspended_indexes WHERE definition LIKE '% {name} ON %'"),
        format!("INSERT INTO suspended_indexes VALUES ('{quoted}')"),
    ] {
        connection.execute_unprepared(&statement).await?;
    }
    Ok(())
}

/// The type words of a step, as PostgreSQL and as SQLite say them.
const WORDS: &[(&str, &str, &str)] = &[
    (":id", "uuid", "BLOB"),
    (":text", "text COLLATE \"C\"", "TEXT"),
    (":bool", "boolean", "INTEGER"),
    (":int", "bigint", "INTEGER"),
    (":time", "timestamptz", "INTEGER"),
    (":date", "date", "TEXT"),
    (":json", "json", "TEXT"),
    (":bytes", "bytea", "BLOB"),
    (":true", "true", "1"),
    (":false", "false", "0"),
];

/// What every record begins with.
const RECORD: &str = "id :id NOT NULL PRIMARY KEY, version :int NOT NULL, created_at :time NOT NULL, created_by_id :id, \
                      updated_at :time NOT NULL, updated_by_id :id, deleted_at :time";
/// What owned records have besides.
const OWNED: &str = "owner_id :id, team_id :id";
/// What extensible records end with.
const TAIL: &str = "tags :json NOT NULL, custom :json NOT NULL, external_refs :json NOT NULL";
/// What every line of an append-only log begins with.
const LOG: &str = "id :id NOT NULL PRIMARY KEY, created_at :time NOT NULL, created_by_id :id";

/// Begins a series of numbers: `CREATE SERIES quote_numbers` on a line of its own.
const SERIES: &str = "CREATE SERIES ";

/// The statement that begins a series of numbers; see `Resource::NUMBER`.
fn series(line: &str, postgres: bool) -> String {
    match line.trim().strip_prefix(SERIES).map(|rest| rest.trim_end_matches(';').trim()) {
        Some(name) if postgres => format!("CREATE SEQUENCE {name};\n"),
        Some(name) => format!("INSERT INTO number_series VALUES ('{name}', 0);\n"),
        None => format!("{line}\n"),
    }
}

/// A step written for one database.
fn written(template: &str, postgres: bool) -> String {
    let template: String = template.lines().map(|line| series(line, postgres)).collect();
    let mut text = template.replace("{record}", RECORD).replace("{owned}", OWNED).replace("{tail}", TAIL).replace("{log}", LOG);
    for (word, pg, lite) in WORDS {
        text = text.replace(&format!("{word} "), &format!("{} ", if postgres { pg } else { lite }));
        text = text.replace(&format!("{word},"), &format!("{},", if postgres { pg } else { lite }));
        text = text.replace(&format!("{word}\n"), &format!("{}\n", if postgres { pg } else { lite }));
        text = text.replace(&format!("{word};"), &format!("{};", if postgres { pg } else { lite }));
        text = text.replace(&format!("{word})"), &format!("{})", if postgres { pg } else { lite }));
    }
    text
}

/// The lines a line with alternatives stands for: `a | b, c` for `a, c` and `b, c`.
fn each(line: &str) -> Vec<String> {
    let (table, columns) = line.split_once(": ").unwrap_or((line, "id"));
    let start = vec![format!("{table}: ")];
    columns.split(", ").enumerate().fold(start, |lines, (i, column)| {
        let with = |line: &String, one: &str| format!("{line}{}{one}", if i == 0 { "" } else { ", " });
        lines.iter().flat_map(|line| column.split(" | ").map(move |one| with(line, one))).collect()
    })
}

/// `accounts: grade` is an index for filtering and sorting living records; `unique` before it makes it unique;
/// `log` before it is for tables whose rows never die; `sparse` before it leaves out the rows whose first column is empty, and is for
/// every column that may be, unless lists are ordered by it (`m0021`).
fn index(line: &str) -> String {
    let (sparse, line) = line.strip_prefix("sparse ").map_or((false, line), |rest| (true, rest));
    let (unique, line) = line.strip_prefix("unique ").map_or((false, line), |rest| (true, rest));
    let (log, line) = line.strip_prefix("log ").map_or((false, line), |rest| (true, rest));
    let (table, columns) = line.split_once(": ").unwrap_or((line, "id"));
    let name = format!("{table}_{}", columns.split(", ").map(|c| c.split(['(', ' ']).next().unwrap_or(c)).collect::<Vec<_>>().join("_"));
    let name: String = name.chars().take(55).collect();
    let first = columns.split(", ").next().unwrap_or(columns);
    let condition = match (log, sparse) {
        (true, false) => String::new(),
        (true, true) => format!(" WHERE {first} IS NOT NULL"),
        (false, false) => " WHERE deleted_at IS NULL".to_owned(),
        (false, true) => format!(" WHERE deleted_at IS NULL AND {first} IS NOT NULL"),
    };
    match unique {
        true => format!("CREATE UNIQUE INDEX {name}_key ON {table} ({columns}){condition}"),
        false => format!("CREATE INDEX {name}_idx ON {table} ({columns}, id){condition}"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_series_is_begun_in_the_words_of_each_database() {
        let step = "CREATE TABLE quotes (number :text NOT NULL);\n    CREATE SERIES quote_numbers;\n";
        assert_eq!(
            super::written(step, true),
            "CREATE TABLE quotes (number text COLLATE \"C\" NOT NULL);\nCREATE SEQUENCE quote_numbers;\n"
        );
        assert!(super::written(step, false).ends_with("INSERT INTO number_series VALUES ('quote_numbers', 0);\n"));
    }

    #[test]
    fn a_sparse_index_leaves_out_what_has_no_value() {
        let expected =
            "CREATE INDEX orders_team_id_status_idx ON orders (team_id, status, id) WHERE deleted_at IS NULL AND team_id IS NOT NULL";
        assert_eq!(super::index("sparse orders: team_id, status"), expected);
        assert_eq!(super::index("sparse log t: a"), "CREATE INDEX t_a_idx ON t (a, id) WHERE a IS NOT NULL");
        assert_eq!(super::index("unique log t: a"), "CREATE UNIQUE INDEX t_a_key ON t (a)");
    }

    #[test]
    fn a_line_with_alternatives_is_a_line_for_each() {
        assert_eq!(super::each("accounts: grade"), ["accounts: grade"]);
        assert_eq!(super::each("log t: a | b, c, d | e"), ["log t: a, c, d", "log t: a, c, e", "log t: b, c, d", "log t: b, c, e"]);
    }
}
