//! A PostgreSQL cluster of a test's own, which may be ended and started again.

use std::process::Command;
use tempfile::TempDir;

/// A cluster that waits for the disk; ended and removed when dropped.
pub struct Cluster {
    folder: TempDir,
    /// Where its database is.
    pub url: String,
}

impl Cluster {
    pub fn start() -> Self {
        let mut cluster = Self { folder: tempfile::tempdir().unwrap(), url: String::new() };
        cluster.url = format!("{}/postgres", cluster.start_again());
        cluster
    }

    fn told(&self, what: &str, settings: &[&str]) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/cluster.sh");
        let done = Command::new(script).arg(what).arg(self.folder.path()).args(settings).output().unwrap();
        assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Ends it at once, as a crash would.
    pub fn stop(&self) {
        self.told("stop", &[]);
    }

    /// Starts it where it was, and answers its address once it takes connections.
    pub fn start_again(&self) -> String {
        self.told("start", &["fsync=on", "max_connections=50"])
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}
