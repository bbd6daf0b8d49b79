//! Words of the kernel tried on resources of the CRM: callers, rights and filters.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic: it is how it fails")]

mod caller;
mod filter;
mod rights;
mod transitions;
