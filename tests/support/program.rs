//! The program as a process of its own: its log, its answer to signals, its end.

use super::App;
use std::{
    io::{BufRead, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Output, Stdio},
};
use tempfile::TempDir;

/// Where the program is.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_samphan-under-test");

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

/// The program as it serves a database, with more words.
pub fn serving(database_url: &str, words: &[&str]) -> Command {
    let serve = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", "off", "--workers", "1", "--database-url", database_url];
    command(&[&serve, words].concat())
}

/// A command as it runs where a shell has set something up for it, such as a limit; `$@` is the command.
pub fn within(set_up: &str, command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.env_clear().stdin(Stdio::null()).args(["-c", set_up, "sh"]).arg(command.get_program()).args(command.get_args());
    shell
}

impl Program {
    pub fn start(app: &App, database_url: &str, words: &[&str]) -> Self {
        Self::run(app, serving(database_url, words))
    }

    /// Starts a command that serves, and waits until it listens.
    pub fn run(app: &App, mut command: Command) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().strip_prefix("Samphan listens on ").map(str::to_owned));
        let url = url.unwrap_or_else(|| panic!("it did not start: {}", std::fs::read_to_string(folder.path().join("log")).unwrap()));
        Self { app: app.at(&url), address: url.replace("http://", ""), child, folder, _printed: lines }
    }

    /// Ends it at once, wherever it is, as a crash would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sets a limit of its process from here on, such as `fsize=4096` bytes that a file of it may have.
    pub fn limit(&self, limit: &str) {
        set_limit(self.child.id(), limit);
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

    /// The memory it has, in kilobytes.
    pub fn resident_kilobytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Everything it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap()
    }
}

/// Sets a process's soft limit.
pub fn set_limit(process: u32, limit: &str) {
    let done = Command::new("prlimit").args(["--pid", &process.to_string(), &format!("--{limit}:")]).output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
