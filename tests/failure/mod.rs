//! What happens when things break: docs/operations/failure-modes.md lists the cases that are tested here.

mod backups;
mod books;
pub mod clock;
mod disk;
mod jobs;
mod killed;
mod load;
mod long_reads;
mod operations;
mod outage;
mod pool;
mod receivers;
