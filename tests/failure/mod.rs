//! What happens when things break: CONTRIBUTING says it ("What happens when…"), and it is tried here.

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
