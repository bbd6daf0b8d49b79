//! Backups of the embedded database while it serves, and their way back.

use super::{books, load::Load};
use crate::{
    integration::changes,
    platform::privacy,
    support::{
        app::{run, run_alone},
        database::Kind,
        program::{command, output, serving, within},
        *,
    },
};
use futures_util::future::join;
use std::{path::Path, process::Output, time::Duration};
use tempfile::TempDir;

/// Nothing here takes longer.
const LONG: Duration = Duration::from_secs(60);

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn url(folder: &TempDir, name: &str) -> String {
    format!("sqlite://{}", folder.path().join(name).display())
}

fn file(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

/// Backs up, and answers what was said.
fn back_up(database_url: &str, to: &str) -> String {
    let done = output(&["backup", "--database-url", database_url, "--to", to]);
    assert!(done.status.success(), "{}", said(&done));
    said(&done)
}

fn restore(database_url: &str, from: &str) -> Output {
    output(&["restore", "--database-url", database_url, "--from", from])
}

#[track_caller]
fn refused(done: &Output, says: &str) {
    let told = said(done);
    assert!(!done.status.success() && told.contains(says) && !told.contains("panicked"), "{told}");
}

#[test]
fn a_backup_under_load_has_all_that_was_acknowledged_before_it() {
    run(Kind::Sqlite, async |app: App| {
        let folder = tempfile::tempdir().unwrap();
        let load = Load::begin(app.clone(), false).await;
        let to = file(&folder, "backup.db");
        let backup = async {
            until_within(LONG, "the load goes on", async || load.answered() > 150).await;
            let before: Vec<String> = load.writes().into_iter().filter(|w| w.answer.is_some()).map(|w| w.key).collect();
            let (database, file) = (app.database_url().to_owned(), to.clone());
            let said = tokio::task::spawn_blocking(move || back_up(&database, &file)).await.unwrap();
            // Nobody was kept from writing, and what is written from here on is not in it.
            let enough = load.answered() + 30;
            until_within(LONG, "the load goes on", async || load.answered() >= enough).await;
            load.end();
            (before, said)
        };
        let ((), (before, said)) = join(load.run(8), backup).await;
        assert!(before.len() > 150);
        assert!(!Path::new(&format!("{to}-wal")).exists() && std::fs::read_dir(folder.path()).unwrap().count() == 1, "it is one file");
        // Elsewhere, where there is nothing yet.
        let elsewhere = url(&folder, "data/restored.db");
        let done = restore(&elsewhere, &to);
        assert!(done.status.success() && self::said(&done).contains(said.split_once(": ").unwrap().1), "{}", self::said(&done));
        let check = output(&["stock", "rebuild", "--check", "--database-url", &elsewhere]);
        assert!(check.status.success(), "{}", self::said(&check));
        let there = App::without_server(&elsewhere, &app.token(), Kind::Sqlite).program(&[]);
        let feed = books::agree(&there.app, &load, |write| before.contains(&write.key)).await;
        assert!(said.contains("schema m00") && said.contains(&format!("changes up to position {}", feed.len())), "{said}");
        // The feed goes on where it was.
        let cursor = changes::end(&there.app).await;
        there.app.account("New").await;
        let next = there.app.changes(&cursor, "").await.0;
        assert_eq!(next[0]["position"], feed.len() + 1);
        books::agree(&there.app, &load, |write| before.contains(&write.key)).await;
        books::agree(&app, &load, |_| true).await;
    });
}

#[test]
fn a_restore_puts_back_what_was_and_only_where_nobody_has_it_open() {
    run_alone(Kind::Sqlite, async |app: App| {
        let folder = tempfile::tempdir().unwrap();
        let (to, database) = (file(&folder, "backup.db"), app.database_url());
        let mut program = app.program(&[]);
        let kept = program.app.account("Kept").await;
        back_up(database, &to);
        let lost = program.app.account("Lost").await;
        refused(&restore(database, &to), "is open elsewhere: stop the service");
        program.app.get(&format!("/v1/accounts/{lost}")).await.is(200);
        // Killed, it leaves a log beside the database, which is not to come back.
        program.kill();
        let done = restore(database, &to);
        assert!(done.status.success(), "{}", said(&done));
        let program = app.program(&[]);
        program.app.get(&format!("/v1/accounts/{kept}")).await.is(200);
        program.app.get(&format!("/v1/accounts/{lost}")).await.refused(404, "not_found");
        program.app.account("Again").await;
    });
}

#[test]
fn what_is_no_backup_is_refused_and_what_is_there_stays() {
    run_alone(Kind::Sqlite, async |app: App| {
        let folder = tempfile::tempdir().unwrap();
        let (to, database) = (file(&folder, "backup.db"), app.database_url());
        back_up(database, &to);
        refused(&output(&["backup", "--database-url", database, "--to", &to]), "is there already, and is not overwritten");
        refused(&output(&["backup", "--database-url", &url(&folder, "none.db"), "--to", &file(&folder, "x.db")]), "none.db is not there");
        assert!(!folder.path().join("none.db").exists());
        let sqlite = |name: &str, from: Option<&str>, statement: &str| {
            let path = file(&folder, name);
            if let Some(from) = from {
                std::fs::copy(from, &path).unwrap();
            }
            let opened = rusqlite::Connection::open(&path).unwrap();
            opened.execute_batch(statement).unwrap();
            path
        };
        let foreign = sqlite("foreign.db", None, "CREATE TABLE t (x)");
        let newer = sqlite("newer.db", Some(&to), "INSERT INTO seaql_migrations VALUES ('m9999_later', 0)");
        let damaged =
            sqlite("damaged.db", Some(&to), "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'accounts'");
        let text = file(&folder, "text");
        std::fs::write(&text, "not a database at all, but long enough to be one: ".repeat(100)).unwrap();
        for (from, says) in [
            (&foreign, "is no database of Samphan's"),
            (&text, "is no database of Samphan's"),
            (&newer, "has the schema step m9999_later, which this version does not know"),
            (&damaged, "is damaged"),
            (&file(&folder, "none.db"), "is not there"),
        ] {
            refused(&restore(database, from), says);
            let there = format!("sqlite://{foreign}");
            refused(&restore(&there, &to), "is no database of Samphan's");
        }
        refused(&restore(&format!("sqlite://{text}"), &to), "cannot be replaced, move it away first");
        for (command, says) in [("backup", "pg_dump"), ("restore", "pg_restore")] {
            let flag = if command == "backup" { "--to" } else { "--from" };
            refused(&output(&[command, "--database-url", "postgres://nowhere/x", flag, &to]), says);
        }
        // Whoever broke off in the middle, by a full disk or a kill, has changed nothing.
        let program = app.program(&[]);
        let kept = program.app.account("Kept").await;
        drop(program);
        let inner = command(&["restore", "--database-url", database, "--from", &to]);
        let done = within("ulimit -f 200; exec \"$@\"", &inner).output().unwrap();
        assert!(!done.status.success(), "{}", said(&done));
        app.program(&[]).app.get(&format!("/v1/accounts/{kept}")).await.is(200);
        let again = restore(database, &to);
        assert!(again.status.success(), "{}", said(&again));
        app.program(&[]).app.get(&format!("/v1/accounts/{kept}")).await.refused(404, "not_found");
    });
}

/// The lines of a journal of erasures.
fn noted(journal: &str) -> Vec<Value> {
    std::fs::read_to_string(journal).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn whoever_was_erased_since_a_backup_is_erased_again_when_it_is_put_back() {
    run_alone(Kind::Sqlite, async |app: App| {
        let folder = tempfile::tempdir().unwrap();
        let (to, database) = (file(&folder, "backup.db"), app.database_url());
        let journal = format!("{}.erasures", database.strip_prefix("sqlite://").unwrap());
        let mut program = app.program(&[]);
        let person = async |app: &App, name: &str| {
            let contact = app.make("/v1/contacts", json!({"first_name": name, "job_title": format!("{name}\u{2019}s chair")})).await;
            let id = contact["id"].as_str().unwrap().to_owned();
            app.make(&format!("/v1/contacts/{id}/contact-points"), json!({"kind": "email", "raw": format!("{name}@mail.example")})).await;
            id
        };
        let asked_before = person(&program.app, "Malee").await;
        let asked_since = person(&program.app, "Somsri").await;
        let stays = person(&program.app, "Pranee").await;
        let request = privacy::verified(&program.app, "erasure", "contacts", &asked_before).await.id();
        back_up(database, &to);
        privacy::act(&program.app, &request, "fulfil", json!({})).await.is(200);
        let since = privacy::erase(&program.app, "contacts", &asked_since).await.id();
        let made_since = person(&program.app, "Wanida").await;
        until_within(LONG, "both are noted", async || noted(&journal).len() == 2).await;
        privacy::erase(&program.app, "contacts", &made_since).await;
        // At its end it notes what it did last.
        program.terminate();
        program.ended();
        assert_eq!(noted(&journal).len(), 3);

        assert!(restore(database, &to).status.success());
        assert!(app.dump().await.tables_with("Somsri").len() > 2, "the backup brings her back");
        let mut program = app.program(&[]);
        let dump = app.dump().await;
        for name in ["Malee", "Somsri", "Wanida"] {
            assert_eq!(dump.tables_with(name), Vec::<&str>::new(), "{name}");
        }
        assert!(!dump.tables_with("Pranee@mail.example").is_empty());
        program.app.get(&format!("/v1/contacts/{stays}")).await.is(200);
        program.app.get(&format!("/v1/contacts/{made_since}")).await.refused(404, "not_found");
        for (request, contact) in [(&request, &asked_before), (&since, &asked_since)] {
            let request = program.app.get(&format!("/v1/privacy-requests/{request}")).await.is(200);
            assert_eq!((&request["status"], &request["record_id"]), (&json!("fulfilled"), &json!(contact)));
            assert_eq!(request["outcome"], "Done again: a backup of before the erasure was put back.");
            assert_eq!(program.app.get(&format!("/v1/contacts/{contact}")).await.is(200)["job_title"], json!(null));
        }
        let events = program.app.feed().await;
        program.kill();

        // Once is enough; what was not written to its end is written again; a journal that is lost is made anew of what the database knows.
        let whole = std::fs::read_to_string(&journal).unwrap();
        assert_eq!(noted(&journal).len(), 3);
        std::fs::write(&journal, &whole[..whole.len() - 9]).unwrap();
        let mut program = app.program(&[]);
        assert_eq!(program.app.feed().await.len(), events.len());
        assert_eq!(noted(&journal).len(), 2);
        program.kill();
        std::fs::remove_file(&journal).unwrap();
        let mut program = app.program(&[]);
        let names: Vec<&str> = vec![&request, &since];
        assert!(noted(&journal).iter().all(|e| names.contains(&e["privacy_request_id"].as_str().unwrap())) && noted(&journal).len() == 2);
        program.kill();
        let line = std::fs::read_to_string(&journal).unwrap().lines().next().unwrap().to_owned();
        for (wrong, says) in [
            (format!("{line}\nerased: somebody\n"), ".erasures: line 2: expected value"),
            (format!("{}\n", line.replace("contacts", "products")), ".erasures: line 1: products is no resource of persons"),
        ] {
            std::fs::write(&journal, wrong).unwrap();
            refused(&serving(database, &[]).output().unwrap(), says);
        }
    });
}

#[test]
fn a_journal_of_erasures_holds_for_postgresql_where_one_is_named() {
    run_alone(Kind::Postgres, async |app: App| {
        let folder = tempfile::tempdir().unwrap();
        let journal = file(&folder, "erasures");
        let erase_user = async |program: &App| {
            let user = program.person(&["accounts:read/all"], &[], &[]).await;
            program.patch(&format!("/v1/users/{}", user.id), json!({"name": "Malee Sukjai"})).await.is(200);
            user
        };
        let mut program = app.program(&["--erasure-journal", &journal]);
        let (again, now) = (erase_user(&program.app).await, erase_user(&program.app).await);
        let request = privacy::erase(&program.app, "users", &now.id).await.id();
        until_within(LONG, "it is noted", async || noted(&journal).len() == 1).await;
        program.kill();
        let mut lines = noted(&journal);
        assert_eq!((&lines[0]["privacy_request_id"], &lines[0]["record_id"]), (&json!(request), &json!(now.id)));
        // What another database noted before this one was put back.
        lines[0]["privacy_request_id"] = json!(random_id());
        lines[0]["record_id"] = json!(again.id);
        std::fs::write(&journal, format!("{}\n", lines[0])).unwrap();
        let program = app.program(&["--erasure-journal", &journal]);
        assert_eq!(app.dump().await.tables_with("Malee"), Vec::<&str>::new());
        let user = program.app.get(&format!("/v1/users/{}", again.id)).await.is(200);
        assert_eq!(user["status"], "inactive");
        again.app.at(&program.app.url).get("/v1/accounts").await.refused(401, "unauthenticated");
        assert_eq!(noted(&journal).len(), 2);
    });
}
