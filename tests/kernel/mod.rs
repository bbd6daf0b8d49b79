//! What every resource promises.

mod records;
