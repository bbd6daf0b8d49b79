//! Files that only the account of the service may read: the database, its logs, backups and the journal of erasures.
//!
//! They hold keys, hashes of passwords and personal data. The umask does not widen their rights, and rights that are wider
//! are narrowed when the file is opened. On systems without Unix permissions nothing is done.

use std::{io, path::Path};

/// Makes an empty file that only its owner may read and write. A file that is there stays as it is.
pub fn create(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Takes away the rights that the group and others have on a file, and logs that it did. A file that is not there is fine.
pub fn narrow(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let Ok(found) = std::fs::metadata(path) else { return };
        let mode = found.permissions().mode() & 0o7777;
        if !found.is_file() || mode & 0o077 == 0 {
            return;
        }
        let (file, had) = (path.display(), format!("{mode:04o}"));
        match std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700)) {
            Ok(()) => tracing::warn!(%file, had, "others had rights on the file; they were taken away"),
            Err(error) => tracing::warn!(%file, had, %error, "others have rights on the file, and they cannot be taken away"),
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn file_is_made_for_its_owner_and_wider_rights_are_narrowed() {
        let folder = tempfile::tempdir().unwrap();
        let (made, wide) = (folder.path().join("made"), folder.path().join("wide"));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        create(&made).unwrap();
        assert_eq!(mode(&made), 0o600);
        std::fs::write(&made, "kept").unwrap();
        create(&made).unwrap();
        assert_eq!(std::fs::read(&made).unwrap(), b"kept");
        std::fs::write(&wide, "").unwrap();
        std::fs::set_permissions(&wide, std::fs::Permissions::from_mode(0o644)).unwrap();
        narrow(&wide);
        assert_eq!(mode(&wide), 0o600);
        narrow(&folder.path().join("missing"));
    }
}
