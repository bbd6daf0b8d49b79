//! Files that hold secrets and personal data are for the account of the service alone, whatever the umask.
#![cfg(unix)]

use crate::support::{
    app::run_alone,
    database::Kind,
    program::{Program, command, serving, within},
    *,
};
use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
};

/// The command under a umask that takes nothing away.
fn open_handed(command: &Command) -> Command {
    within("umask 0; exec \"$@\"", command)
}

/// The rights of each file of a folder, by name.
fn modes(folder: &Path) -> BTreeMap<String, u32> {
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.map(|f| (f.file_name().into_string().unwrap(), f.metadata().unwrap().permissions().mode() & 0o777)).collect()
}

#[test]
fn files_of_the_database_are_for_its_owner_only() {
    run_alone(Kind::Sqlite, async |_: App| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("samphan.db");
        let url = format!("sqlite://{}", file.display());
        let app = App::without_server(&url, "", Kind::Sqlite);
        let program = Program::run(&app, open_handed(&serving(&url, &[])));
        let backup = folder.path().join("backup.db").display().to_string();
        let done = open_handed(&command(&["backup", "--database-url", &url, "--to", &backup])).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let restored = format!("sqlite://{}", folder.path().join("restored.db").display());
        let done = open_handed(&command(&["restore", "--database-url", &restored, "--from", &backup])).output().unwrap();
        assert!(done.status.success(), "{done:?}");
        let made = modes(folder.path());
        for name in ["samphan.db", "samphan.db-wal", "samphan.db-shm", "samphan.db.erasures", "backup.db", "restored.db"] {
            assert_eq!(made.get(name), Some(&0o600), "{name} of {made:?}");
        }
        assert!(made.values().all(|mode| *mode == 0o600), "{made:?}");
        drop(program);
        // Wider rights, of a version before or of a copy, are narrowed at start, and the log says so.
        for name in ["samphan.db", "samphan.db-wal", "samphan.db-shm", "samphan.db.erasures"] {
            fs::set_permissions(folder.path().join(name), Permissions::from_mode(0o644)).unwrap();
        }
        let program = Program::run(&app, open_handed(&serving(&url, &[])));
        let made = modes(folder.path());
        assert!(made.values().all(|mode| *mode == 0o600), "{made:?}");
        assert_eq!(program.log().matches("others had rights on the file; they were taken away").count(), 4, "{}", program.log());
    });
}
