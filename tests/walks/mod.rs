//! Walks over every operation of the published document: a new one is walked as well, and nobody has to think of it.

mod bodies;
mod finding;
mod naming;
mod permissions;
mod properties;
mod records;
mod step;
mod unreadable;
mod world;
