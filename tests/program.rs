//! The program itself, built with the tests that run it as a process of its own.

use clap::Parser;
use samphan_persistence::clock;
use samphan_resource::timestamp::Timestamp;
use std::process::ExitCode;

/// Names a file that says by how many seconds this process's clock is ahead of the machine's.
const CLOCK: &str = "SAMPHAN_TEST_CLOCK";

fn ahead() -> Timestamp {
    let seconds = std::env::var_os(CLOCK).and_then(|file| std::fs::read_to_string(file).ok()).and_then(|text| text.trim().parse().ok());
    clock::machine().plus_seconds(seconds.unwrap_or_default())
}

#[actix_web::main]
async fn main() -> ExitCode {
    if std::env::var_os(CLOCK).is_some() {
        clock::set_test_clock(ahead);
    }
    samphan::run::run(samphan::config::Cli::parse()).await
}
