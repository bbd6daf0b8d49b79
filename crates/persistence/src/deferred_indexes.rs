//! Tables without their indexes while millions of rows come in: an index that is built at the end is sorted once, one that is kept
//! up meanwhile is searched for each row. What was taken away is noted in the database, so that the process that opens it next brings it
//! back, should the program end in between.

use crate::{error::DatabaseError, migrate, store::Store};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

/// Where it is noted what was taken away. There only while something is.
const SUSPENDED_TABLE: &str = "suspended_indexes";

/// Takes away every index but those that keys rest on. Meant for a program that has the database for itself.
pub async fn suspend(store: &Store) -> Result<(), DatabaseError> {
    let Some(connection) = migrate::connection(store).await? else { return Ok(()) };
    let all = match connection.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes i JOIN pg_class c ON c.relname = i.indexname
             AND c.relnamespace = i.schemaname::text::regnamespace WHERE i.schemaname = current_schema()
             AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = c.oid) ORDER BY 1"
        }
        _ => "SELECT name, sql AS definition FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1",
    };
    connection.execute_unprepared(&format!("CREATE TABLE IF NOT EXISTS {SUSPENDED_TABLE} (definition TEXT NOT NULL)")).await?;
    for (name, definition) in named(&connection, all).await? {
        let quoted = definition.replace('\'', "''");
        connection.execute_unprepared(&format!("INSERT INTO {SUSPENDED_TABLE} VALUES ('{quoted}')")).await?;
        connection.execute_unprepared(&format!("DROP INDEX {name}")).await?;
    }
    Ok(())
}

/// An index that is about to be built, of those that were taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Building<'a> {
    /// Its name.
    pub index: &'a str,
    /// Its place among those that are built, from 1.
    pub number: usize,
    /// How many are built.
    pub of: usize,
}

impl std::fmt::Display for Building<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "index {} of {}: {}", self.number, self.of, self.index)
    }
}

/// Hears of each index before it is built.
pub type OnProgress<'a> = &'a (dyn Fn(Building<'_>) + Sync);

/// Logs the progress of a service that finds its indexes gone. It listens only once they are there, so the log is all there is to see.
pub fn log(building: Building<'_>) {
    let Building { index, number, of } = building;
    if number == 1 {
        tracing::warn!(
            indexes = of,
            "indexes are missing: this version has others, or `samphan generate` was ended before it built them; the service listens once they are built, until then it is not ready and /health does not answer"
        );
    }
    tracing::info!(index, number, of, "index is being built");
}

/// The name of the index that a definition makes.
fn index_of(definition: &str) -> &str {
    let (_, rest) = definition.split_once(" INDEX ").unwrap_or(("", definition));
    rest.trim_start_matches("IF NOT EXISTS ").split_whitespace().next().unwrap_or_default()
}

/// Brings back what was taken away; nothing to do is nothing done.
pub async fn restore(store: &Store, on_progress: OnProgress<'_>) -> Result<(), DatabaseError> {
    let Some(connection) = migrate::connection(store).await? else { return Ok(()) };
    let noted = match connection.get_database_backend() {
        DbBackend::Postgres => format!("SELECT tablename AS name, '' AS definition FROM pg_tables WHERE tablename = '{SUSPENDED_TABLE}'"),
        _ => format!("SELECT name, '' AS definition FROM sqlite_master WHERE name = '{SUSPENDED_TABLE}'"),
    };
    if named(&connection, &noted).await?.is_empty() {
        return Ok(());
    }
    let missing = named(&connection, &format!("SELECT '' AS name, definition FROM {SUSPENDED_TABLE}")).await?;
    for (n, (_, definition)) in missing.iter().enumerate() {
        on_progress(Building { index: index_of(definition), number: n + 1, of: missing.len() });
        connection.execute_unprepared(&definition.replacen(" INDEX ", " INDEX IF NOT EXISTS ", 1)).await?;
        if connection.get_database_backend() == DbBackend::Sqlite {
            // Each index goes from the log into the file: every page is looked for in the log first, and it takes the longer the longer that is.
            empty_log(&connection).await?;
        }
        // So that a start after an end in between counts what is left.
        let quoted = definition.replace('\'', "''");
        connection.execute_unprepared(&format!("DELETE FROM {SUSPENDED_TABLE} WHERE definition = '{quoted}'")).await?;
    }
    connection.execute_unprepared(&format!("DROP TABLE IF EXISTS {SUSPENDED_TABLE}")).await?;
    Ok(())
}

/// Lets the planner know what is there now, and the database tidy up before anybody is measured by it.
pub async fn analyze(store: &Store) -> Result<(), DatabaseError> {
    let Some(connection) = migrate::connection(store).await? else { return Ok(()) };
    if connection.get_database_backend() == DbBackend::Postgres {
        connection.execute_unprepared("VACUUM (ANALYZE)").await?;
        return Ok(());
    }
    // The search index as one segment: each word of a search is looked up in every one of them.
    connection.execute_unprepared("INSERT INTO search_tokens (search_tokens) VALUES ('optimize')").await?;
    connection.execute_unprepared("ANALYZE").await?;
    Ok(empty_log(&connection).await?)
}

/// Brings what is in SQLite's log into the file, and begins the log anew.
async fn empty_log(connection: &DatabaseConnection) -> Result<(), DbErr> {
    connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, "PRAGMA wal_checkpoint(TRUNCATE)")).await.map(|_| ())
}

async fn named(connection: &DatabaseConnection, sql: &str) -> Result<Vec<(String, String)>, DbErr> {
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await?;
    rows.iter().map(|row| Ok((row.try_get("", "name")?, row.try_get("", "definition")?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_names_its_index() {
        for definition in [
            "CREATE INDEX a_idx ON a (b, id)",
            "CREATE UNIQUE INDEX a_idx ON public.a USING btree (b)",
            "CREATE INDEX IF NOT EXISTS a_idx ON a (b)",
        ] {
            assert_eq!(index_of(definition), "a_idx", "{definition}");
        }
        assert_eq!(Building { index: "a_idx", number: 2, of: 9 }.to_string(), "index 2 of 9: a_idx");
    }
}
