//! What a resource is: shapes and fields, callers and rights, filters, errors, events, and the scalars they are made of. No I/O, no SQL, no
//! HTTP, and no resource of the CRM: those are in `samphan-domain`, and what the kernel itself keeps is in `builtin`.

pub mod builtin;
pub mod calendar;
pub mod caller;
pub mod cron;
pub mod currency;
pub mod error;
pub mod event;
pub mod example;
pub mod filter;
pub mod money;
pub mod network;
pub mod page;
pub mod privacy;
pub mod reference;
pub mod resource;
pub mod rights;
pub mod scalar;
pub mod shape;
pub mod text;
pub mod timer;
pub mod timestamp;
pub mod transition;
pub mod validation;
