//! The one binary: `samphan serve | migrate | backup | restore | admin | keys | openapi | load | stock | simulate-erp | generate`.

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[actix_web::main]
async fn main() -> ExitCode {
    samphan::run::run(samphan::config::Cli::parse()).await
}
