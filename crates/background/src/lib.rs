//! What goes on beside the server: the process that areas share, and the tasks they register.

pub mod jobs;
pub mod process;
pub mod retention;
pub mod schedule;
pub mod task;
pub mod tasks;
pub mod timer;
pub mod tls;
