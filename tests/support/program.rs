//! The program as a process of its own: its log, its answer to signals, its end.

use super::App;
use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tempfile::TempDir;

/// Where the program is.
const PROGRAM: &str = env!("CARGO_BIN_EXE_samphan-under-test");

/// A running program, ended when dropped.
pub struct Program {
    /// The same caller as the one who started it, asking it.
    pub app: App,
    /// Host and port.
    pub address: String,
    child: Child,
    folder: TempDir,
    /// What it prints must be able to go somewhere.
    _printed: Lines<BufReader<ChildStdout>>,
}

/// The program with these words and nothing of our own settings.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().args(words).stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub fn output(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

impl Program {
    pub fn start(app: &App, database_url: &str, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let serve = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off", "--workers", "1", "--database-url", database_url];
        let mut child = command(&[&serve, words].concat()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().strip_prefix("Samphan listens on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("it did not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap()));
        Self { app: app.at(&url), address: url.replace("http://", ""), child, folder, _printed: lines }
    }

    /// Asks it to end, as a service manager does.
    pub fn terminate(&self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
    }

    /// Waits for its end, and answers its status.
    pub fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
