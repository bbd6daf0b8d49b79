//! A clock of a test's own, which the programs it starts go by.

use super::{
    App, machine_now,
    program::{Program, serving},
};
use samphan_resource::timestamp::Timestamp;
use std::path::PathBuf;
use tempfile::TempDir;

/// A clock of a test's own: a file that says by how many seconds it is ahead of the machine's.
pub struct Clock(TempDir);

impl Clock {
    /// One that says what the machine's does, until it is set.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("clock")
    }

    /// Sets it ahead of the machine's.
    pub fn ahead(&self, seconds: i64) {
        // Renamed, so that nobody reads half of it.
        let next = self.0.path().join("next");
        std::fs::write(&next, seconds.to_string()).unwrap();
        std::fs::rename(next, self.file()).unwrap();
    }

    /// The program, going by this clock.
    pub fn program(&self, app: &App) -> Program {
        self.program_with(app, &[])
    }

    /// The same, started with more words.
    pub fn program_with(&self, app: &App, words: &[&str]) -> Program {
        let mut command = serving(app.database_url(), &[&["--webhook-allow-private", "true"], words].concat());
        command.env("SAMPHAN_TEST_CLOCK", self.file());
        Program::run(app, command)
    }

    /// Sets it to a moment; it goes on from there.
    pub fn at(&self, moment: Timestamp) {
        self.ahead((moment.micros() - machine_now().micros()).div_euclid(1_000_000));
    }
}
