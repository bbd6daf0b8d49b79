//! Walks over every operation of the published document: a new one is walked as well, and nobody has to think of it.

mod bodies;
mod enough;
mod finding;
mod naming;
mod permissions;
mod properties;
mod records;
mod references;
mod repeats;
mod step;
mod texts;
mod unreadable;
mod world;

pub use step::Step;
