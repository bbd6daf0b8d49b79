//! No room on the disk, or no right to write to it.

use crate::support::{
    app::run_alone,
    database::Kind,
    program::{Program, serving, within},
    *,
};
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Stdio,
};

/// The user `nobody`.
const NOBODY: u32 = 65_534;

/// What is refused to a process by its limit on the size of files is what a full disk refuses, and needs no disk of its own. Its log is
/// such a file, too.
#[test]
fn on_a_full_disk_reads_go_on_and_writes_are_503_until_there_is_room() {
    run_alone(Kind::Sqlite, async |app: App| {
        let program = Program::run(&app, within("trap '' XFSZ; exec \"$@\"", &serving(app.database_url(), &["--log", "debug"])));
        let app = program.app.clone();
        let there = app.account("There").await;
        let write = async |n: usize| app.post("/v1/accounts", json!({"name": format!("Account {n}")})).key(&format!("key-{n}")).await;
        for _ in 0..3 {
            program.limit("fsize=4096");
            for answer in join_all((0..8).map(write)).await {
                let answer = answer.refused(503, "unavailable");
                assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
            }
            app.patch(&format!("/v1/accounts/{there}"), json!({"name": "Elsewhere"})).await.refused(503, "unavailable");
            assert_eq!(app.get(&format!("/v1/accounts/{there}")).await.is(200)["name"], "There");
            assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 1);
            app.get("/health/ready").await.is(200);
        }
        program.limit("fsize=unlimited");
        for n in 0..8 {
            write(n).await.is(201);
        }
        assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 9);
        let feed = app.feed().await;
        assert!(feed.iter().zip(1..).all(|(change, position)| change["position"] == position));
        assert!(!program.log().contains("panicked"), "{}", program.log());
    });
}

#[test]
fn a_database_that_may_not_be_written_is_not_served_and_said_so() {
    run_alone(Kind::Sqlite, async |app: App| {
        let path = Path::new(app.database_url().trim_start_matches("sqlite://"));
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o444)).unwrap();
        let command = serving(app.database_url(), &[]);
        // Root may write whatever it likes.
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        let mut command = if is_root {
            for file in [path, path.parent().unwrap()] {
                chown(file, Some(NOBODY), Some(NOBODY)).unwrap();
            }
            within(&format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"$@\""), &command)
        } else {
            command
        };
        let done = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(!done.status.success() && told.contains("can only be read") && told.contains("samphan.db"), "{told}");
        assert!(done.stdout.is_empty() && !told.contains("panicked"), "{told}");
    });
}

#[test]
fn a_database_that_becomes_read_only_is_read_and_writes_are_503() {
    run_alone(Kind::Postgres, async |app: App| {
        let program = app.program(&[]);
        let app = program.app.clone();
        let there = app.account("There").await;
        let mut beside = PgConnection::connect(app.database_url()).await.unwrap();
        let name = app.database_url().rsplit('/').next().unwrap().to_owned();
        let read_only = async |beside: &mut PgConnection, is: &str| {
            for statement in [
                format!("ALTER DATABASE {name} SET default_transaction_read_only = {is}"),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    .to_owned(),
            ] {
                sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *beside).await.unwrap();
            }
        };
        read_only(&mut beside, "on").await;
        until_within(std::time::Duration::from_secs(10), "it is read again", async || app.get("/v1/accounts").await.status == 200).await;
        for _ in 0..8 {
            app.post("/v1/accounts", json!({"name": "Comes back"})).key("key").await.refused(503, "unavailable");
            app.get(&format!("/v1/accounts/{there}")).await.is(200);
        }
        read_only(&mut beside, "off").await;
        until_within(std::time::Duration::from_secs(10), "it is written again", async || {
            app.post("/v1/accounts", json!({"name": "Comes back"})).key("key").await.status == 201
        })
        .await;
        beside.close().await.unwrap();
        // Reads have connections of their own, each of which was ended, too.
        until_within(std::time::Duration::from_secs(10), "it is counted again", async || {
            app.get("/v1/accounts?count=exact").await.status == 200
        })
        .await;
        assert_eq!(app.get("/v1/accounts?count=exact").await.is(200)["total"], 2);
    });
}
