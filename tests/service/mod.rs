//! The service as a whole: its log, its edges, its end, its settings.

mod edges;
mod ending;
mod generated;
mod logs;
mod retention;
mod settings;
mod start;
