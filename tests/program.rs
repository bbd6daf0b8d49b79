//! The program itself, built with the tests that run it as a process of its own.

use clap::Parser;
use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    samphan::run::run(samphan::config::Cli::parse()).await
}
