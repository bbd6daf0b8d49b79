//! Everything a database holds, as text.

use super::{App, database::Kind};

/// A database's rows, each with its table's name before it.
pub struct Dump(Vec<(String, String)>);

impl App {
    /// Reads every row of every table; bytes are there in hexadecimal digits.
    pub async fn dump(&self) -> Dump {
        let work = self.work().await;
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let sqlite = self.kind() == Kind::Sqlite;
        let texts = async |text: String| {
            let mut sql = work.sql();
            sql.push(leak(text));
            work.fetch(sql, |row| row.text(0)).await.unwrap()
        };
        let tables = if sqlite {
            texts("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'".to_owned()).await
        } else {
            texts("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'".to_owned()).await
        };
        assert!(tables.len() > 40 && tables.iter().any(|t| t == "audit_events"), "{tables:?}");
        let mut rows = vec![];
        for table in tables {
            let row = if sqlite {
                let columns = texts(format!("SELECT name FROM pragma_table_info('{table}')")).await;
                columns.iter().map(|c| format!("quote(\"{c}\")")).collect::<Vec<_>>().join(" || ' ' || ")
            } else {
                "t::text".to_owned()
            };
            // The tokens of the full-text index have no columns to be read.
            if row.is_empty() || table == "search_tokens" {
                continue;
            }
            let found = texts(format!("SELECT {row} FROM \"{table}\" t")).await;
            rows.extend(found.into_iter().map(|row| (table.clone(), row)));
        }
        Dump(rows)
    }
}

impl Dump {
    /// The tables in which a text stands, as it is or as bytes.
    pub fn tables_with(&self, text: &str) -> Vec<&str> {
        let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
        let upper = hex.to_uppercase();
        let holds = |row: &String| row.contains(text) || row.contains(&hex) || row.contains(&upper);
        let mut found: Vec<&str> = self.0.iter().filter(|(_, row)| holds(row)).map(|(table, _)| table.as_str()).collect();
        found.dedup();
        found
    }
}
